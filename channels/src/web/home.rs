//! Start page, language and appearance, the public pages, health and metrics.

use std::sync::Arc;

use amtsbote_core::error::Error;
use amtsbote_core::{jobs, outbox};
use amtsbote_knowledge::localized;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;

use super::answer::{Answer, WebError, page, see};
use super::routes::{Access, Route};
use super::views::citizen::{
    AccessibilityPage, Choosable, FormError, HomePage, MessagePage, PrivacyPage, ReviewRow, ServiceLink,
    SettingGroup, SettingsPage,
};
use super::visitor::{Fields, SETTINGS_COOKIE, Settings, Visitor};
use super::{Web, show};

pub(super) fn routes() -> Vec<Route> {
    let open = Access::Public;
    vec![
        Route { access: open, path: "/", methods: &["GET"], handler: get(home) },
        Route { access: open, path: "/language", methods: &["POST"], handler: post(language) },
        Route {
            access: open,
            path: "/settings",
            methods: &["GET", "POST"],
            handler: get(settings).post(save_settings),
        },
        Route { access: open, path: "/privacy", methods: &["GET"], handler: get(privacy) },
        Route {
            access: open,
            path: "/accessibility",
            methods: &["GET", "POST"],
            handler: get(accessibility).post(report_barrier),
        },
        Route { access: open, path: "/erased", methods: &["GET"], handler: get(erased) },
        Route { access: open, path: "/healthz", methods: &["GET"], handler: get(|| async { "ok" }) },
        Route { access: open, path: "/readyz", methods: &["GET"], handler: get(ready) },
        Route { access: open, path: "/metrics", methods: &["GET"], handler: get(metrics) },
    ]
}

async fn home(State(web): State<Web>, visitor: Visitor) -> Answer {
    let t = visitor.texts(&web.office);
    let catalogue = web.office.catalogue();
    let services = catalogue
        .iter()
        .filter(|service| service.is_online())
        .take(8)
        .map(|service| ServiceLink {
            value: localized(&service.titles, visitor.language()).to_owned(),
            title: localized(&service.titles, visitor.language()).to_owned(),
            unit: catalogue.unit(&service.unit).map(|unit| unit.name.clone()).unwrap_or_default(),
        })
        .collect();
    page(&HomePage {
        has_conversation: visitor.conversation().is_some(),
        form_id: show::form_id(&web),
        services,
        page: visitor.page(&web.office, t.text("web.home_title")),
        t,
    })
}

/// A path of this site, or the start page.
pub fn own_path(path: &str) -> String {
    let own = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r']);
    if own { path.to_owned() } else { "/".to_owned() }
}

fn remember(jar: CookieJar, settings: &Settings, secure: bool) -> CookieJar {
    let cookie = Cookie::build((SETTINGS_COOKIE, settings.value()))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .permanent()
        .build();
    jar.add(cookie)
}

/// Language of the pages; a running conversation follows.
async fn language(State(web): State<Web>, visitor: Visitor, jar: CookieJar, fields: Fields) -> Answer {
    let wanted = match fields.get("language") {
        known if amtsbote_core::texts::LANGUAGES.contains(&known) => known,
        _ => "de",
    };
    let mut settings = visitor.settings.clone();
    wanted.clone_into(&mut settings.language);
    if let Some(id) = visitor.conversation() {
        web.office.set_language(id, visitor.person(), wanted).await?;
    }
    let jar = remember(jar, &settings, web.office.config.is_https());
    Ok((jar, see(&own_path(fields.get("back")))).into_response())
}

#[derive(Debug, Deserialize)]
struct Back {
    #[serde(default)]
    back: String,
    #[serde(default)]
    saved: String,
}

async fn settings(State(web): State<Web>, visitor: Visitor, Query(query): Query<Back>) -> Answer {
    let t = visitor.texts(&web.office);
    let now = &visitor.settings;
    let flag = |on: bool| if on { "on" } else { "off" };
    let size = now.text_size.to_string();
    let normal = t.text("web.settings_normal");
    let groups = vec![
        group(
            &t,
            "text_size",
            &size,
            &[("100", "100 %"), ("125", "125 %"), ("150", "150 %"), ("200", "200 %")],
        ),
        group(
            &t,
            "theme",
            &now.theme,
            &[
                ("system", t.text("web.settings_theme_system")),
                ("light", t.text("web.settings_theme_light")),
                ("dark", t.text("web.settings_theme_dark")),
            ],
        ),
        group(
            &t,
            "contrast",
            flag(now.contrast_high),
            &[("off", normal), ("on", t.text("web.settings_contrast_high"))],
        ),
        group(
            &t,
            "spacing",
            flag(now.wide_spacing),
            &[("off", normal), ("on", t.text("web.settings_spacing_wide"))],
        ),
        group(
            &t,
            "motion",
            flag(now.no_motion),
            &[("off", t.text("web.settings_motion_system")), ("on", t.text("web.settings_motion_none"))],
        ),
    ];
    page(&SettingsPage {
        saved: query.saved == "1",
        back: own_path(if query.back.is_empty() { "/chat" } else { &query.back }),
        groups,
        page: visitor.page(&web.office, t.text("web.settings_title")),
        t,
    })
}

fn group(t: &super::views::T, name: &str, chosen: &str, options: &[(&str, &str)]) -> SettingGroup {
    SettingGroup {
        name: name.to_owned(),
        legend: t.text(&format!("web.settings_{name}")).to_owned(),
        hint: String::new(),
        options: options
            .iter()
            .map(|(value, label)| Choosable {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
                checked: *value == chosen,
            })
            .collect(),
    }
}

async fn save_settings(State(web): State<Web>, visitor: Visitor, jar: CookieJar, fields: Fields) -> Answer {
    let settings = Settings {
        language: visitor.settings.language.clone(),
        theme: match fields.get("theme") {
            known @ ("light" | "dark") => known.to_owned(),
            _ => "system".to_owned(),
        },
        text_size: match fields.get("text_size") {
            "125" => 125,
            "150" => 150,
            "200" => 200,
            _ => 100,
        },
        contrast_high: fields.get("contrast") == "on",
        wide_spacing: fields.get("spacing") == "on",
        no_motion: fields.get("motion") == "on",
    };
    let back = super::answer::encode(&own_path(fields.get("back")));
    let jar = remember(jar, &settings, web.office.config.is_https());
    Ok((jar, see(&format!("/settings?saved=1&back={back}"))).into_response())
}

async fn privacy(State(web): State<Web>, visitor: Visitor) -> Answer {
    let t = visitor.texts(&web.office);
    let config = &web.office.config;
    let row = |label: &str, days: u32| ReviewRow {
        label: t.text(label).to_owned(),
        value: t.filled("web.days", &[("days", &days.to_string())]),
        change: String::new(),
    };
    let retention = vec![
        row("web.kept_conversation", config.retention.anonymous_conversation_days),
        row("web.kept_draft", config.retention.draft_days),
        ReviewRow {
            label: t.text("web.kept_case").to_owned(),
            value: t.text("web.kept_case_value").to_owned(),
            change: String::new(),
        },
    ];
    page(&PrivacyPage {
        controller: format!("{}, {}", config.office.name, config.office.address),
        officer: config.office.privacy_url.clone(),
        authority: t.text("web.privacy_authority").to_owned(),
        retention,
        has_conversation: visitor.conversation().is_some(),
        page: visitor.page(&web.office, t.text("web.privacy")),
        t,
    })
}

async fn accessibility(State(web): State<Web>, visitor: Visitor, Query(query): Query<Back>) -> Answer {
    accessibility_page(&web, &visitor, query.saved == "1", None)
}

fn accessibility_page(web: &Web, visitor: &Visitor, sent: bool, error: Option<FormError>) -> Answer {
    let t = visitor.texts(&web.office);
    let mut around = visitor.page(&web.office, t.text("web.accessibility"));
    around.has_errors = error.is_some();
    page(&AccessibilityPage {
        stated_on: "25.11.2026".to_owned(),
        errors: error.into_iter().collect(),
        sent,
        form_id: show::form_id(web),
        barrier: String::new(),
        contact: String::new(),
        ombuds_contact: t.text("web.ombuds").to_owned(),
        page: around,
        t,
    })
}

/// A report of a barrier goes to staff as a conversation that waits for a person.
async fn report_barrier(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Answer {
    let barrier = fields.get("barrier");
    if barrier.is_empty() {
        let text = web.office.texts.get(visitor.language(), "invalid.empty").to_owned();
        return accessibility_page(
            &web,
            &visitor,
            false,
            Some(FormError { field: "barrier".to_owned(), text }),
        );
    }
    let text = format!("{barrier}\n{}", fields.get("contact"));
    web.office.leave_message(visitor.language(), fields.get("message_id"), &text).await?;
    Ok(see("/accessibility?saved=1"))
}

async fn erased(State(web): State<Web>, visitor: Visitor) -> Answer {
    let t = visitor.texts(&web.office);
    page(&MessagePage {
        heading: t.text("web.erased_heading").to_owned(),
        text: t.text("web.erased_text").to_owned(),
        next_url: "/chat".to_owned(),
        next_label: t.text("web.chat_start_new").to_owned(),
        reference: String::new(),
        page: visitor.page(&web.office, t.text("web.erased_heading")),
        t,
    })
}

/// Ready to serve: the database really stores something, and so does the file store.
async fn ready(State(web): State<Web>) -> Answer {
    let check = async {
        jobs::note_check(&web.office).await?;
        web.office.files.check_writable().await
    };
    match check.await {
        Ok(()) => Ok("ready".into_response()),
        Err(error) => Ok((StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {error}\n")).into_response()),
    }
}

/// Metrics for Prometheus: on the main address only for callers on this machine.
async fn metrics(State(web): State<Web>, visitor: Visitor) -> Answer {
    let elsewhere = web.office.config.server.metrics_listen.is_some();
    if elsewhere || !visitor.ip.is_loopback() {
        return Err(WebError::from(Error::NotFound("page")));
    }
    metrics_text(&web).await
}

/// The metrics with the gauges that are read from the database at this moment.
pub async fn metrics_text(web: &Web) -> Answer {
    let Some(handle) = &web.metrics else { return Err(Error::NotFound("metrics").into()) };
    let office = Arc::clone(&web.office);
    let mut tx = office.db.read().await?;
    for (state, count) in outbox::counts(&mut tx).await? {
        metrics::gauge!("amtsbote_outbox_rows", "state" => state)
            .set(f64::from(i32::try_from(count).unwrap_or(i32::MAX)));
    }
    drop(tx);
    let open = web.office.config.limits.open_streams.saturating_sub(web.streams.available_permits());
    metrics::gauge!("amtsbote_open_streams").set(f64::from(u32::try_from(open).unwrap_or(u32::MAX)));
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response())
}
