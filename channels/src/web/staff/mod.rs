//! The staff desk: cases, papers, conversations, accounts. Its pages are German and work without a script. A handler
//! calls a use case of the office and shows what came of it; who may do what is decided there and in the table of
//! routes, never by a page that leaves a button out.

mod cases;
mod chats;
mod inbox;
mod login;
mod paper;
mod people;
mod settle;
mod words;

use std::time::Duration;

use amtsbote_core::application::{self, Row};
use amtsbote_core::clock::Timestamp;
use amtsbote_core::conversation;
use amtsbote_core::error::{Error, Result};
use amtsbote_core::staff::{self, Role, Staff};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use super::answer::{Answer, WebError, page, see, sentence};
use super::routes::{Access, Route};
use super::views::citizen::FormError;
use super::views::staff::StaffPage;
use super::visitor::{Fields, Visitor};
use super::{Web, assets};

/// How long a proved second factor counts.
const STEP_UP: Duration = Duration::from_mins(10);

pub(super) fn routes() -> Vec<Route> {
    let mut routes =
        vec![Route { access: Access::Staff, path: "/staff", methods: &["GET"], handler: get(start) }];
    routes.extend(login::routes());
    routes.extend(inbox::routes());
    routes.extend(cases::routes());
    routes.extend(paper::routes());
    routes.extend(chats::routes());
    routes.extend(people::routes());
    routes
}

/// The pairs of an address behind its question mark.
type Query = axum::extract::Query<Vec<(String, String)>>;

/// The parts of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Cases,
    Chats,
    People,
}

/// Who asks, and the frame of the page for them.
struct Desk {
    member: Staff,
    page: StaffPage,
}

/// The active member of staff who asks.
async fn member(web: &Web, visitor: &Visitor) -> std::result::Result<Staff, WebError> {
    let id = visitor.need_staff()?;
    let mut tx = web.office.db.read().await?;
    staff::load(&mut tx, id)
        .await?
        .filter(|member| member.active)
        .ok_or_else(|| WebError::staff_login(&visitor.path))
}

/// Who asks, with the frame of a page of the desk.
async fn desk(
    web: &Web,
    visitor: &Visitor,
    place: Place,
    title: &str,
) -> std::result::Result<Desk, WebError> {
    let member = member(web, visitor).await?;
    let mut tx = web.office.db.read().await?;
    let waiting_chats = conversation::waiting_before(&mut tx, Timestamp(i64::MAX)).await?;
    let page = StaffPage {
        staff_name: member.display_name.clone(),
        is_admin: member.is(Role::Admin),
        in_cases: place == Place::Cases,
        in_chats: place == Place::Chats,
        in_people: place == Place::People,
        waiting_chats,
        ..outside(web, visitor, title)
    };
    Ok(Desk { member, page })
}

/// The frame of a page for somebody who is not logged in.
fn outside(web: &Web, visitor: &Visitor, title: &str) -> StaffPage {
    StaffPage {
        title: title.to_owned(),
        office: web.office.config.office.name.clone(),
        csrf: visitor.csrf(),
        version: assets::version().to_owned(),
        ..StaffPage::default()
    }
}

/// To the part of the desk that the member works in.
async fn start(State(web): State<Web>, visitor: Visitor) -> Answer {
    let member = member(&web, &visitor).await?;
    let works_on_cases = member.is(Role::Clerk) || member.is(Role::Approver);
    Ok(see(if works_on_cases { "/staff/cases" } else { "/staff/people" }))
}

/// Whether an error is told above the form that it came from. Everything else ends the request.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Refused { .. } | Error::Conflict(_))
}

/// Puts a refusal above the form; `field` is the id of the field that it belongs to, or empty.
fn add_refusal(web: &Web, page: &mut StaffPage, field: &str, error: &Error) {
    page.has_errors = true;
    page.errors.push(FormError { field: field.to_owned(), text: sentence(&web.office, "de", error) });
}

/// A form shown again with what is wrong in it.
fn again(template: &impl Template) -> Answer {
    let mut response = page(template)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// The second factor, unless it was proved in the last minutes: the weighty acts need it.
async fn prove(web: &Web, visitor: &Visitor, code: &str) -> Result<()> {
    let (Some(session), Some(token), Some(id)) = (&visitor.session, &visitor.token, visitor.staff()) else {
        return Err(Error::NotFound("session"));
    };
    if session.step_up_at.is_some_and(|at| at.plus(STEP_UP) > web.office.now()) {
        return Ok(());
    }
    if code.is_empty() {
        return Err(Error::refused("desk.code_needed"));
    }
    web.office.step_up(id, token, code).await
}

/// The case with this number, without what is personal in it.
async fn row(web: &Web, number: &str) -> Result<Row> {
    let mut tx = web.office.db.read().await?;
    let number = number.trim().to_uppercase();
    let id = application::id_by_number(&mut tx, &number).await?.ok_or(Error::NotFound("application"))?;
    application::row(&mut tx, &id).await?.ok_or(Error::NotFound("application"))
}

/// Refuses a form whose page was made before somebody else changed the case.
fn fresh(row: &Row, fields: &Fields) -> Result<()> {
    let same = fields.get("version").parse() == Ok(row.version);
    if same || !fields.has("version") { Ok(()) } else { Err(Error::Conflict("application")) }
}
