//! The way in and out: login with password and code, the link that sets up an account, logout. Passwords are checked
//! outside the database's queue and only a few at a time, because each check takes memory and time on purpose.

use std::sync::Arc;
use std::time::Duration;

use amtsbote_core::error::{Error, Result};
use amtsbote_core::session::{self, Holder};
use amtsbote_core::staff::{self, Attempt, NewAccount};
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use futures::FutureExt;
use qrcode::QrCode;
use qrcode::render::svg;
use tokio::sync::Semaphore;

use super::{Query, add_refusal, again, is_refusal, member, outside, words};
use crate::web::Web;
use crate::web::answer::{Answer, WebError, page, see};
use crate::web::routes::{Access, Route};
use crate::web::views::staff::{StaffLoginPage, StaffSetupPage};
use crate::web::visitor::{Fields, STAFF_COOKIE, Visitor, ended_cookie, session_cookie};

/// Fewest characters of a new password, as `staff::hash_password` demands and the page says.
const SHORTEST_PASSWORD: u32 = 12;

/// How many passwords are checked at the same time; each takes 19 MiB.
static PASSWORD_CHECKS: Semaphore = Semaphore::const_new(4);

pub(super) fn routes() -> Vec<Route> {
    let open = Access::Public;
    vec![
        Route {
            access: open,
            path: "/staff/login",
            methods: &["GET", "POST"],
            handler: get(login_page).post(log_in),
        },
        Route {
            access: open,
            path: "/staff/setup/{token}",
            methods: &["GET", "POST"],
            handler: get(setup_page).post(set_up),
        },
        Route { access: Access::Staff, path: "/staff/logout", methods: &["POST"], handler: post(log_out) },
    ]
}

async fn login_page(State(web): State<Web>, visitor: Visitor, query: Query) -> Answer {
    let query = Fields::new(query.0);
    let next = safe_next(query.get("next"));
    if member(&web, &visitor).await.is_ok() {
        return Ok(see(&next));
    }
    let mut around = outside(&web, &visitor, "Anmelden");
    words::done(query.get("done")).clone_into(&mut around.notice);
    page(&StaffLoginPage { page: around, name: String::new(), next })
}

async fn log_in(State(web): State<Web>, visitor: Visitor, jar: CookieJar, fields: Fields) -> Answer {
    let next = safe_next(fields.get("next"));
    match new_session(&web, &visitor, &fields).await {
        Ok(token) => {
            Ok((jar.add(session_cookie(&web.office, STAFF_COOKIE, token)), see(&next)).into_response())
        }
        Err(error) if is_refusal(&error) => {
            let mut around = outside(&web, &visitor, "Anmelden");
            add_refusal(&web, &mut around, "name", &error);
            again(&StaffLoginPage { page: around, name: fields.get("name").to_owned(), next })
        }
        Err(error) => Err(error.into()),
    }
}

/// Checks password and code and begins a session; the one before it in this browser ends.
async fn new_session(web: &Web, visitor: &Visitor, fields: &Fields) -> Result<String> {
    let name = fields.get("name").to_owned();
    let stored = {
        let mut tx = web.office.db.read().await?;
        staff::stored_password(&mut tx, &name).await?
    };
    let password = typed_password(fields);
    let checked = slowly(move || stored.check(&password)).await?;
    let ttl = Duration::from_mins(u64::from(web.office.config.retention.staff_session_minutes));
    let worker = Arc::clone(&web.office);
    let args = Arc::new((name, checked, fields.get("code").to_owned(), visitor.token.clone()));
    web.office
        .db
        .write(move |tx| {
            let (office, args) = (Arc::clone(&worker), Arc::clone(&args));
            async move {
                let (name, password, code, old_token) = &*args;
                let (keys, now) = (&office.keys, office.now());
                match staff::authenticate(tx, keys, name, password, code, now).await? {
                    Attempt::Right(member) => {
                        let holder = Holder::Staff(member.id);
                        let (token, _) =
                            session::renew(tx, keys, old_token.as_deref(), &holder, ttl, now).await?;
                        Ok(Attempt::Right(token))
                    }
                    Attempt::Wrong(key) => Ok(Attempt::Wrong(key)),
                }
            }
            .boxed()
        })
        .await?
        .or_refused()
}

/// The password exactly as typed; blanks at its ends belong to it.
fn typed_password(fields: &Fields) -> String {
    fields.all("password").into_iter().next().unwrap_or_default()
}

/// Runs slow work with passwords beside everything else.
async fn slowly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let stopped = || Error::Setup("a password could not be checked; the program is ending".to_owned());
    let _permit = PASSWORD_CHECKS.acquire().await.map_err(|_| stopped())?;
    tokio::task::spawn_blocking(work).await.map_err(|_| stopped())
}

/// A page of the desk to go to after the login. Paths of mere actions lead to the page that they stand on.
fn safe_next(next: &str) -> String {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let own = (path == "/staff" || path.starts_with("/staff/"))
        && !path.contains("//")
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    let is_action = ["/staff/login", "/staff/logout"].contains(&path);
    if !own || is_action {
        return "/staff".to_owned();
    }
    path.split('/').take(4).collect::<Vec<_>>().join("/")
}

async fn log_out(State(web): State<Web>, visitor: Visitor, jar: CookieJar, _: Fields) -> Answer {
    if let Some(token) = visitor.token {
        let worker = Arc::clone(&web.office);
        web.office
            .db
            .write(move |tx| {
                let (office, token) = (Arc::clone(&worker), token.clone());
                async move { session::end(tx, &office.keys, &token).await }.boxed()
            })
            .await?;
    }
    Ok((jar.remove(ended_cookie(STAFF_COOKIE)), see("/staff/login?done=logout")).into_response())
}

async fn setup_page(State(web): State<Web>, visitor: Visitor, Path(token): Path<String>) -> Answer {
    page(&setup(&web, &visitor, &token, None, &Fields::default()).await?)
}

/// The page behind a link. `nonce` is the one of the page before, so that the app keeps what it has read.
async fn setup(
    web: &Web,
    visitor: &Visitor,
    token: &str,
    nonce: Option<&str>,
    typed: &Fields,
) -> std::result::Result<StaffSetupPage, WebError> {
    let (office, now) = (&web.office, web.office.now());
    let mut tx = office.db.read().await?;
    let link = staff::open_link(&mut tx, &office.keys, token, now).await?;
    let first = !staff::exists_any(&mut tx).await?;
    let (display_name, name) = match link.account {
        Some(account) => (account.display_name, account.name),
        None => (typed.get("display_name").to_owned(), typed.get("name").to_owned()),
    };
    // The app shows a name; before one is typed there is none.
    let shown_name = if name.is_empty() { "arbeitsplatz" } else { name.as_str() };
    let issuer = office.config.office.name.as_str();
    let totp = staff::begin_totp(&mut tx, &office.keys, token, nonce, (issuer, shown_name), now).await?;
    Ok(StaffSetupPage {
        page: outside(web, visitor, "Konto einrichten"),
        first,
        roles: words::roles(&link.roles),
        // The form goes to this address; it names the secret that the app has read.
        token: format!("{token}?nonce={}", totp.nonce),
        display_name,
        name,
        min_password: SHORTEST_PASSWORD,
        qr_svg: qr_svg(&totp.url)?,
        secret: in_fours(&totp.secret),
    })
}

fn qr_svg(url: &str) -> Result<String> {
    let code = QrCode::new(url)
        .map_err(|error| Error::Setup(format!("the picture for the app could not be drawn: {error}")))?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(224, 224).build();
    // Inside a page the line `<?xml …?>` before the picture must not stand.
    let inner = image.split_once("<svg").map_or("", |(_, inner)| inner);
    Ok(format!("<svg role=\"img\" aria-label=\"QR-Code für die Anmelde-App\"{inner}"))
}

fn in_fours(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

async fn set_up(
    State(web): State<Web>,
    visitor: Visitor,
    Path(token): Path<String>,
    query: Query,
    fields: Fields,
) -> Answer {
    let query = Fields::new(query.0);
    let nonce = query.get("nonce");
    let nonce = Some(nonce).filter(|nonce| nonce.len() == 64 && nonce.bytes().all(|b| b.is_ascii_hexdigit()));
    match accept(&web, &token, nonce.unwrap_or_default(), &fields).await {
        Ok(()) => Ok(see("/staff/login?done=account")),
        Err(error) if is_refusal(&error) => {
            let mut shown = setup(&web, &visitor, &token, nonce, &fields).await?;
            add_refusal(&web, &mut shown.page, field_of(&error), &error);
            again(&shown)
        }
        Err(error) => Err(error.into()),
    }
}

async fn accept(web: &Web, token: &str, nonce: &str, fields: &Fields) -> Result<()> {
    let link = {
        let mut tx = web.office.db.read().await?;
        staff::open_link(&mut tx, &web.office.keys, token, web.office.now()).await?
    };
    let name = link.account.map_or_else(|| fields.get("name").to_owned(), |account| account.name);
    let (hashed_for, password) = (name.clone(), typed_password(fields));
    let salt = web.office.keys.clock.random::<16>();
    let password = slowly(move || staff::hash_password(&hashed_for, &password, &salt)).await??;
    let account = NewAccount {
        name,
        display_name: fields.get("display_name").to_owned(),
        password,
        nonce: nonce.to_owned(),
        code: fields.get("code").to_owned(),
    };
    let worker = Arc::clone(&web.office);
    let args = Arc::new((token.to_owned(), account));
    web.office
        .db
        .write(move |tx| {
            let (office, args) = (Arc::clone(&worker), Arc::clone(&args));
            async move {
                let (token, account) = &*args;
                staff::accept(tx, &office.keys, token, account, office.now()).await?;
                Ok(())
            }
            .boxed()
        })
        .await
}

/// Id of the field that a refusal belongs to.
fn field_of(error: &Error) -> &'static str {
    let Error::Refused { key, .. } = error else { return "" };
    match *key {
        "staff.display_name_form" => "display_name",
        "staff.code_wrong" => "code",
        key if key.starts_with("staff.name") => "name",
        key if key.starts_with("staff.password") => "password",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_only_to_pages_of_the_desk() {
        for (asked, goes_to) in [
            ("", "/staff"),
            ("/staff", "/staff"),
            ("/staff/people", "/staff/people"),
            ("/staff/case/AB2CD3EF/take", "/staff/case/AB2CD3EF"),
            ("/staff/cases?state=all", "/staff/cases"),
            ("/staff/logout", "/staff"),
            ("/staffroom", "/staff"),
            ("/portal", "/staff"),
            ("//evil.example", "/staff"),
            ("/staff//evil.example", "/staff"),
            ("https://evil.example/staff", "/staff"),
            ("/staff/\\evil", "/staff"),
            ("/staff/a\r\nb", "/staff"),
        ] {
            assert_eq!(safe_next(asked), goes_to, "{asked}");
        }
    }

    #[test]
    fn the_picture_is_one_element_and_the_secret_can_be_typed() {
        let picture = qr_svg("otpauth://totp/Kreis:a?secret=ABC").expect("draws");
        assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
        assert!(!picture.contains("<?xml"));
        assert_eq!(in_fours("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }
}
