//! What a handler answers: a page, a redirect, or a refusal in plain words. How a refusal looks is decided in one
//! place, where language and caller are known.

use std::sync::Arc;

use amtsbote_core::error::Error;
use amtsbote_core::office::Office;
use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::views::citizen::MessagePage;
use super::visitor::Visitor;

/// The answer of a handler.
pub type Answer = Result<Response, WebError>;

/// Why a request got no page.
#[derive(Debug, Clone)]
pub enum WebError {
    /// The core said no or failed.
    Core(Error),
    /// First log in, then come back.
    Redirect(String),
}

impl From<Error> for WebError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<askama::Error> for WebError {
    fn from(error: askama::Error) -> Self {
        Self::Core(Error::Setup(format!("a page could not be rendered: {error}")))
    }
}

impl WebError {
    /// To the citizens' login, and back to `path` afterwards.
    pub fn login(path: &str) -> Self {
        Self::Redirect(format!("/login?next={}", encode(path)))
    }

    /// To the staff's login, and back to `path` afterwards.
    pub fn staff_login(path: &str) -> Self {
        Self::Redirect(format!("/staff/login?next={}", encode(path)))
    }
}

/// Text as part of an address.
pub fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        match self {
            Self::Redirect(to) => Redirect::to(&to).into_response(),
            Self::Core(error) => {
                let status = status(&error);
                let mut response = status.into_response();
                response.extensions_mut().insert(Refusal(error));
                response
            }
        }
    }
}

/// Travels with a response until it is shown in the caller's language.
#[derive(Debug, Clone)]
pub struct Refusal(pub Error);

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Refused { key: "web.too_many", .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Refused { key: "web.too_slow", .. } => StatusCode::REQUEST_TIMEOUT,
        Error::Refused { key: "web.form_expired" | "desk.wrong_role", .. } => StatusCode::FORBIDDEN,
        Error::Refused { key: "web.form_too_large" | "document.too_large", .. } => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        Error::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Storage(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Database(_) | Error::Seal(_) | Error::Files(_) | Error::Setup(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// The sentence for an error. What broke goes to the log with its reason; people get the next step.
pub fn sentence(office: &Arc<Office>, language: &str, error: &Error) -> String {
    match error {
        Error::Refused { key, values } => {
            let values: Vec<(&str, &str)> =
                values.iter().map(|(name, value)| (*name, value.as_str())).collect();
            office.texts.fill(language, key, &values)
        }
        Error::NotFound(_) => office.texts.get(language, "web.not_found").to_owned(),
        Error::Conflict(_) => office.texts.get(language, "web.changed_meanwhile").to_owned(),
        Error::Storage(_) => {
            office.texts.fill(language, "error.storage", &[("phone", &office.config.office.phone)])
        }
        Error::Database(_) | Error::Seal(_) | Error::Files(_) | Error::Setup(_) => {
            office.texts.get(language, "error.general").to_owned()
        }
    }
}

/// The page, or for the page's script the plain sentence, that tells a refusal.
pub fn refusal_page(office: &Arc<Office>, visitor: &Visitor, error: &Error) -> Response {
    let broken = match error {
        Error::Refused { .. } | Error::NotFound(_) | Error::Conflict(_) => false,
        Error::Storage(_) | Error::Database(_) | Error::Seal(_) | Error::Files(_) | Error::Setup(_) => true,
    };
    if broken {
        tracing::error!(error = %error, path = %route_of(&visitor.path), "a request failed");
    }
    let text = sentence(office, visitor.language(), error);
    let status = status(error);
    if visitor.scripted {
        return (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response();
    }
    let heading = match error {
        Error::NotFound(_) => "web.not_found_heading",
        _ => "web.refused_heading",
    };
    let t = visitor.texts(office);
    let heading = t.text(heading).to_owned();
    let staff = visitor.path.starts_with("/staff");
    let page = MessagePage {
        page: visitor.page(office, &heading),
        heading,
        text,
        next_url: if staff { "/staff".to_owned() } else { "/chat".to_owned() },
        next_label: t.text(if staff { "web.to_desk" } else { "web.to_chat" }).to_owned(),
        reference: String::new(),
        t,
    };
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "error").into_response(),
    }
}

/// The path without ids and numbers: logs carry no reference to a case.
fn route_of(path: &str) -> String {
    path.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// A rendered page. It is never kept by caches: pages carry personal data.
pub fn page(template: &impl Template) -> Answer {
    Ok(Html(template.render()?).into_response())
}

/// "See there", after a form was taken.
pub fn see(to: &str) -> Response {
    Redirect::to(to).into_response()
}
