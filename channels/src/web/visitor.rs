//! Who asks: session, language and appearance of a request, from its cookies; and what a posted form must fulfil.
//! Cookies are strictly necessary ones: the session, and what was chosen in the settings.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use amtsbote_core::error::Error;
use amtsbote_core::id::{ConversationId, PersonId, StaffId};
use amtsbote_core::office::Office;
use amtsbote_core::session::{Holder, Session};
use amtsbote_core::texts::LANGUAGES;
use amtsbote_knowledge::Trust;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use futures::FutureExt;

use super::answer::WebError;
use super::views::T;
use super::views::citizen::{LanguageChoice, Page};

/// Cookie of a citizen's session.
pub const CITIZEN_COOKIE: &str = "amtsbote";
/// Cookie of a citizen's session inside the frame of another site.
pub const EMBED_COOKIE: &str = "amtsbote-embed";
/// Cookie of a staff session.
pub const STAFF_COOKIE: &str = "amtsbote-staff";
/// Cookie of the list that a member of staff works through.
pub const LIST_COOKIE: &str = "amtsbote-list";
/// Cookie of language and appearance.
pub const SETTINGS_COOKIE: &str = "amtsbote-view";

/// Largest form without files, in bytes.
const FORM_LIMIT: usize = 256 * 1024;

/// How long such a form may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(30);

/// Language and appearance, as the visitor chose them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `de`, `de-simple` or `en`.
    pub language: String,
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Percent.
    pub text_size: u16,
    /// Stronger contrast.
    pub contrast_high: bool,
    /// Wide spacing.
    pub wide_spacing: bool,
    /// No movement.
    pub no_motion: bool,
}

/// A language's name in itself.
fn language_name(code: &str) -> &'static str {
    match code {
        "de-simple" => "Leichte Sprache",
        "en" => "English",
        "uk" => "Українська",
        "tr" => "Türkçe",
        "ar" => "العربية",
        "ru" => "Русский",
        _ => "Deutsch",
    }
}

impl Settings {
    /// From the cookie `de|system|100|0|0|0`; anything unknown is the default.
    fn parse(text: &str, fallback_language: &str) -> Self {
        let mut parts = text.split('.');
        let mut next = || parts.next().unwrap_or_default();
        let language = match next() {
            known if LANGUAGES.contains(&known) => known,
            _ => fallback_language,
        };
        let theme = match next() {
            known @ ("light" | "dark") => known,
            _ => "system",
        };
        let text_size = match next() {
            "125" => 125,
            "150" => 150,
            "200" => 200,
            _ => 100,
        };
        Self {
            language: language.to_owned(),
            theme: theme.to_owned(),
            text_size,
            contrast_high: next() == "1",
            wide_spacing: next() == "1",
            no_motion: next() == "1",
        }
    }

    /// The cookie's value.
    pub fn value(&self) -> String {
        let flag = |on: bool| u8::from(on);
        format!(
            "{}.{}.{}.{}.{}.{}",
            self.language,
            self.theme,
            self.text_size,
            flag(self.contrast_high),
            flag(self.wide_spacing),
            flag(self.no_motion)
        )
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Token of the session.
    pub token: Option<String>,
    /// The session, if it lives.
    pub session: Option<Session>,
    /// Language and appearance.
    pub settings: Settings,
    /// Address of the caller.
    pub ip: IpAddr,
    /// Shown in the frame of another site.
    pub embedded: bool,
    /// Path that was asked for.
    pub path: String,
    /// The page's script asks, not the browser by itself.
    pub scripted: bool,
    /// The list of cases that a member of staff works through: the address of the inbox behind its question mark.
    pub list: String,
    /// Has sent more than one address may: only what never waits is taken.
    pub too_many: bool,
}

impl Visitor {
    /// Reads cookies and session. A staff path reads the staff's cookie and no other.
    pub async fn of(office: &Arc<Office>, request: &Parts) -> Result<Self, Error> {
        let mut visitor = Self::stranger(office, request);
        let staff = is_staff_path(&visitor.path);
        if let Some(token) = &visitor.token {
            let session = load_session(office, token, &request.method).await?;
            visitor.session = session.filter(|session| matches!(session.holder, Holder::Staff(_)) == staff);
        }
        Ok(visitor)
    }

    /// The visitor as far as the request alone tells, without a session.
    pub fn stranger(office: &Arc<Office>, request: &Parts) -> Self {
        let headers = &request.headers;
        let jar = CookieJar::from_headers(headers);
        let path = request.uri.path().to_owned();
        let staff = is_staff_path(&path);
        let query = request.uri.query().unwrap_or_default();
        let embedded = !staff
            && (query.split('&').any(|pair| pair == "embed=1")
                || (jar.get(EMBED_COOKIE).is_some()
                    && headers.get("sec-fetch-dest").is_some_and(|d| d == "iframe")));
        let name = if staff {
            STAFF_COOKIE
        } else if embedded || (jar.get(CITIZEN_COOKIE).is_none() && jar.get(EMBED_COOKIE).is_some()) {
            EMBED_COOKIE
        } else {
            CITIZEN_COOKIE
        };
        let token = jar.get(name).map(|cookie| cookie.value().to_owned()).filter(|token| token.len() == 64);
        let accepted = accepted_language(headers);
        // A widget's line may name the language, until somebody chooses one.
        let asked = LANGUAGES
            .into_iter()
            .find(|code| query.split('&').any(|pair| pair.strip_prefix("language=") == Some(code)));
        let accepted = asked.unwrap_or(accepted);
        let stored = jar.get(SETTINGS_COOKIE).map(Cookie::value).unwrap_or_default();
        Self {
            token,
            session: None,
            settings: Settings::parse(stored, accepted),
            ip: caller(office, request),
            embedded,
            path,
            scripted: headers.get("x-requested-with").is_some_and(|value| value == "amtsbote"),
            list: jar
                .get(LIST_COOKIE)
                .filter(|_| staff)
                .map(|cookie| cookie.value().to_owned())
                .unwrap_or_default(),
            too_many: false,
        }
    }

    /// Conversation of the session.
    pub fn conversation(&self) -> Option<&ConversationId> {
        match self.session.as_ref().map(|session| &session.holder) {
            Some(Holder::Citizen { conversation, .. }) => conversation.as_ref(),
            Some(Holder::Staff(_)) | None => None,
        }
    }

    /// The person who is logged in.
    pub fn person(&self) -> Option<&PersonId> {
        match self.session.as_ref().map(|session| &session.holder) {
            Some(Holder::Citizen { person, .. }) => person.as_ref(),
            Some(Holder::Staff(_)) | None => None,
        }
    }

    /// Trust level of the login.
    pub fn trust(&self) -> Trust {
        match self.session.as_ref().map(|session| &session.holder) {
            Some(Holder::Citizen { trust, .. }) => *trust,
            Some(Holder::Staff(_)) | None => Trust::T0,
        }
    }

    /// The member of staff who is logged in.
    pub fn staff(&self) -> Option<&StaffId> {
        match self.session.as_ref().map(|session| &session.holder) {
            Some(Holder::Staff(id)) => Some(id),
            Some(Holder::Citizen { .. }) | None => None,
        }
    }

    /// The person, or the way to the login.
    pub fn need_person(&self) -> Result<&PersonId, WebError> {
        self.person().ok_or_else(|| WebError::login(&self.path))
    }

    /// The member of staff, or the way to the login.
    pub fn need_staff(&self) -> Result<&StaffId, WebError> {
        self.staff().ok_or_else(|| WebError::staff_login(&self.path))
    }

    /// Token for the forms of a page.
    pub fn csrf(&self) -> String {
        self.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default()
    }

    /// Language of pages and new conversations.
    pub fn language(&self) -> &str {
        &self.settings.language
    }

    /// The sentences of the page.
    pub fn texts(&self, office: &Arc<Office>) -> T {
        T::new(office, self.language())
    }

    /// What every page shows around its content.
    pub fn page(&self, office: &Arc<Office>, title: &str) -> Page {
        let config = &office.config;
        let languages = LANGUAGES.map(|code| (code, language_name(code)));
        Page {
            lang: self.language().to_owned(),
            title: title.to_owned(),
            has_errors: false,
            office: config.office.name.clone(),
            csrf: self.csrf(),
            back: self.path.clone(),
            theme: self.settings.theme.clone(),
            contrast_high: self.settings.contrast_high,
            text_size: self.settings.text_size,
            wide_spacing: self.settings.wide_spacing,
            no_motion: self.settings.no_motion,
            demo: config.office.test_marker,
            embedded: self.embedded,
            signed_in: match self.person() {
                Some(_) => office.texts.get(self.language(), "web.signed_in_person").to_owned(),
                None => String::new(),
            },
            imprint_url: config.office.imprint_url.clone(),
            version: super::assets::version().to_owned(),
            languages: languages
                .into_iter()
                .map(|(code, name)| LanguageChoice {
                    code: code.to_owned(),
                    name: name.to_owned(),
                    current: code == self.language(),
                })
                .collect(),
        }
    }
}

async fn load_session(office: &Arc<Office>, token: &str, method: &Method) -> Result<Option<Session>, Error> {
    let now = office.now();
    let mut tx = office.db.read().await?;
    let session = amtsbote_core::session::load(&mut tx, &office.keys, token, now).await?;
    drop(tx);
    // A session in use does not end while it is used; reading pages alone costs no write, and a lively chat one a
    // minute.
    if session.as_ref().is_some_and(|session| session.needs_touch(now)) && method == Method::POST {
        let (worker, token) = (Arc::clone(office), token.to_owned());
        let touched = office
            .db
            .write(move |tx| {
                let (office, token) = (Arc::clone(&worker), token.clone());
                async move { amtsbote_core::session::touch(tx, &office.keys, &token, now).await }.boxed()
            })
            .await;
        // The session ends a little earlier then; whether the request itself can be stored is told by itself.
        if let Err(error) = touched {
            tracing::warn!(error = %error, "the use of a session could not be noted");
        }
    }
    Ok(session)
}

fn is_staff_path(path: &str) -> bool {
    path == "/staff" || path.starts_with("/staff/")
}

fn accepted_language(headers: &HeaderMap) -> &'static str {
    let accepted =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = accepted.split([',', ';']).next().unwrap_or_default().to_lowercase();
    if first.is_empty() || first.starts_with("de") || first == "*" { "de" } else { "en" }
}

/// The caller's address; a proxy's header is believed only where the settings say so.
fn caller(office: &Arc<Office>, request: &Parts) -> IpAddr {
    let socket = request
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([127, 0, 0, 1]), |ConnectInfo(address)| address.ip());
    if !office.config.server.trusted_proxy {
        return socket;
    }
    request
        .headers
        .get("x-forwarded-for")
        .and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .and_then(|address| address.trim().parse().ok())
        .unwrap_or(socket)
}

/// The cookie of a session.
pub fn session_cookie(office: &Arc<Office>, name: &'static str, token: String) -> Cookie<'static> {
    let secure = office.config.is_https();
    let mut cookie =
        Cookie::build((name, token)).path("/").http_only(true).secure(secure).same_site(SameSite::Lax);
    if name == EMBED_COOKIE && secure {
        // Inside the frame of another site a browser sends only such cookies, kept apart for each site.
        cookie = cookie.same_site(SameSite::None).partitioned(true);
    }
    if name == STAFF_COOKIE {
        cookie = cookie.same_site(SameSite::Strict).path("/staff");
    }
    cookie.build()
}

/// The cookie of the list that a member of staff works through; it ends with the browser.
pub fn list_cookie(office: &Arc<Office>, list: String) -> Cookie<'static> {
    Cookie::build((LIST_COOKIE, list))
        .path("/staff")
        .http_only(true)
        .secure(office.config.is_https())
        .same_site(SameSite::Strict)
        .build()
}

/// What is to be removed so that the browser forgets a cookie.
pub fn ended_cookie(name: &'static str) -> Cookie<'static> {
    let path = if name == STAFF_COOKIE { "/staff" } else { "/" };
    Cookie::build((name, "")).path(path).build()
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        // Put there by the access check, which every route has.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| WebError::from(Error::NotFound("visitor")))
    }
}

/// A posted form: its fields in order, after the check that it comes from one of our own pages.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// From name and value pairs.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The first value of a field, trimmed; empty if it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    }

    /// Whether the field was sent.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }
}

/// Whether a form comes from one of our pages: the browser says so, and the token of the session is right.
pub fn own_form(visitor: &Visitor, headers: &HeaderMap, token: &str) -> bool {
    let foreign = headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    // Older browsers send no Sec-Fetch-Site, but the origin of a form of another site.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let elsewhere = headers.get("sec-fetch-site").is_none()
        && origin.is_some_and(|origin| origin.split("://").nth(1) != Some(host));
    let right = visitor.session.as_ref().is_none_or(|session| session.csrf == token);
    !foreign && !elsewhere && right
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = WebError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, state).await?;
        let bytes: Bytes = tokio::time::timeout(FORM_TIME, axum::body::to_bytes(body, FORM_LIMIT))
            .await
            .map_err(|_| WebError::from(Error::refused("web.too_slow")))?
            .map_err(|_| WebError::from(Error::refused("web.form_too_large")))?;
        let fields = Self(form_urlencoded::parse(&bytes).into_owned().collect());
        if own_form(&visitor, &parts.headers, fields.get("csrf")) {
            Ok(fields)
        } else {
            Err(WebError::from(Error::refused("web.form_expired")))
        }
    }
}

/// A header value of our own text; ours are always printable.
pub fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
