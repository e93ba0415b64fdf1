//! Logging in as a citizen: with the demo identity (made-up people, clearly labelled) or over OIDC. Every login
//! begins a new session and goes on in the same conversation.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use amtsbote_core::error::Error;
use amtsbote_core::person::{self, Profile};
use amtsbote_core::session::{self, Holder};
use amtsbote_knowledge::Trust;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use futures::FutureExt;
use serde::Deserialize;

use super::Web;
use super::answer::{Answer, WebError, page, see};
use super::home::own_path;
use super::routes::{Access, Route};
use super::views::citizen::{Choosable, DemoLoginPage, DemoPerson, FormError, LoginPage};
use super::visitor::{CITIZEN_COOKIE, EMBED_COOKIE, Fields, Visitor, ended_cookie, session_cookie};

pub(super) fn routes() -> Vec<Route> {
    let open = Access::Public;
    vec![
        Route { access: open, path: "/login", methods: &["GET"], handler: get(login) },
        Route {
            access: open,
            path: "/login/demo",
            methods: &["GET", "POST"],
            handler: get(choose_demo).post(demo),
        },
        Route { access: open, path: "/logout", methods: &["POST"], handler: post(logout) },
    ]
}

#[derive(Debug, Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

impl Next {
    fn path(&self) -> String {
        if self.next.is_empty() { "/chat".to_owned() } else { own_path(&self.next) }
    }
}

async fn login(State(web): State<Web>, visitor: Visitor, Query(next): Query<Next>) -> Answer {
    let t = visitor.texts(&web.office);
    let identity = &web.office.config.identity;
    page(&LoginPage {
        reason: String::new(),
        oidc_name: if identity.oidc_issuer.is_empty() { String::new() } else { identity.oidc_name.clone() },
        demo_login: identity.demo,
        next: next.path(),
        page: visitor.page(&web.office, t.text("web.login")),
        t,
    })
}

/// A made-up person of the demo login.
#[derive(Debug, Clone, Deserialize)]
struct MadeUp {
    id: String,
    about: String,
    #[serde(flatten)]
    attributes: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct People {
    person: Vec<MadeUp>,
}

static PEOPLE: LazyLock<Vec<MadeUp>> = LazyLock::new(|| {
    toml::from_str::<People>(include_str!("../../demo/people.toml"))
        .map(|people| people.person)
        .unwrap_or_default()
});

/// The attributes of a made-up person, for tests and the filled demonstration.
pub fn demo_profile(id: &str) -> Option<Profile> {
    PEOPLE.iter().find(|person| person.id == id).map(|person| Profile(person.attributes.clone()))
}

async fn choose_demo(State(web): State<Web>, visitor: Visitor, Query(next): Query<Next>) -> Answer {
    demo_page(&web, &visitor, next.path(), None)
}

fn demo_page(web: &Web, visitor: &Visitor, next: String, error: Option<FormError>) -> Answer {
    if !web.office.config.identity.demo {
        return Err(Error::NotFound("page").into());
    }
    let t = visitor.texts(&web.office);
    let people = PEOPLE
        .iter()
        .enumerate()
        .map(|(index, person)| {
            let attribute = |name: &str| person.attributes.get(name).cloned().unwrap_or_default();
            DemoPerson {
                id: person.id.clone(),
                name: format!("{} {}", attribute("given_name"), attribute("family_name")),
                about: person.about.clone(),
                checked: index == 0,
            }
        })
        .collect();
    let levels = [("T1", "web.level_1", false), ("T2", "web.level_2", true), ("T3", "web.level_3", false)]
        .into_iter()
        .map(|(value, label, checked)| Choosable {
            value: value.to_owned(),
            label: t.text(label).to_owned(),
            checked,
        })
        .collect();
    let mut around = visitor.page(&web.office, t.text("web.demo_login_title"));
    around.has_errors = error.is_some();
    page(&DemoLoginPage { errors: error.into_iter().collect(), next, people, levels, page: around, t })
}

async fn demo(State(web): State<Web>, visitor: Visitor, jar: CookieJar, fields: Fields) -> Answer {
    let next = Next { next: fields.get("next").to_owned() }.path();
    let trust = match fields.get("trust") {
        "T1" => Some(Trust::T1),
        "T2" => Some(Trust::T2),
        "T3" => Some(Trust::T3),
        _ => None,
    };
    let (Some(profile), Some(trust)) = (demo_profile(fields.get("person")), trust) else {
        let text = web.office.texts.get(visitor.language(), "invalid.choice").to_owned();
        return demo_page(&web, &visitor, next, Some(FormError { field: "person".to_owned(), text }));
    };
    if !web.office.config.identity.demo {
        return Err(Error::NotFound("page").into());
    }
    let login = Login { provider: "demo", subject: fields.get("person").to_owned(), profile, trust };
    log_in(&web, &visitor, jar, login, &next).await
}

/// Who has logged in, as the identity provider says.
#[derive(Debug, Clone)]
pub struct Login {
    /// The provider.
    pub provider: &'static str,
    /// The person's name there.
    pub subject: String,
    /// What it says about the person.
    pub profile: Profile,
    /// How surely.
    pub trust: Trust,
}

/// Begins a session for the person and goes on in the conversation.
pub async fn log_in(web: &Web, visitor: &Visitor, jar: CookieJar, login: Login, next: &str) -> Answer {
    let office = Arc::clone(&web.office);
    let login = Arc::new(login);
    let shared = Arc::clone(&login);
    let person = web
        .office
        .db
        .write(move |tx| {
            let (office, login) = (Arc::clone(&office), Arc::clone(&shared));
            async move {
                let now = office.now();
                person::login(tx, &office.keys, login.provider, &login.subject, &login.profile, now).await
            }
            .boxed()
        })
        .await?;
    let conversation =
        web.office.link_login(visitor.conversation(), &person, login.trust, visitor.language()).await?;
    let holder =
        Holder::Citizen { conversation: Some(conversation), person: Some(person), trust: login.trust };
    let ttl = Duration::from_secs(u64::from(web.office.config.retention.session_hours) * 3600);
    let office = Arc::clone(&web.office);
    let old = visitor.token.clone();
    let (token, _) = web
        .office
        .db
        .write(move |tx| {
            let (office, holder, old) = (Arc::clone(&office), holder.clone(), old.clone());
            async move { session::renew(tx, &office.keys, old.as_deref(), &holder, ttl, office.now()).await }
                .boxed()
        })
        .await?;
    let name = if visitor.embedded { EMBED_COOKIE } else { CITIZEN_COOKIE };
    let jar = jar.add(session_cookie(&web.office, name, token));
    Ok((jar, see(next)).into_response())
}

async fn logout(State(web): State<Web>, visitor: Visitor, jar: CookieJar, _: Fields) -> Answer {
    if let Some(token) = visitor.token.clone() {
        let office = Arc::clone(&web.office);
        web.office
            .db
            .write(move |tx| {
                let (office, token) = (Arc::clone(&office), token.clone());
                async move { session::end(tx, &office.keys, &token).await }.boxed()
            })
            .await
            .map_err(WebError::from)?;
    }
    let jar = jar.remove(ended_cookie(CITIZEN_COOKIE)).remove(ended_cookie(EMBED_COOKIE));
    Ok((jar, see("/")).into_response())
}
