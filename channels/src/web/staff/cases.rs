//! The page of a case with what clerks do there. It offers only what the state and the roles of
//! the reader allow; whether it is allowed is decided again by the office when the form arrives. Papers are in `paper`.

use std::fmt::Write;
use std::time::Duration;

use amtsbote_core::application::{self, Event, Row, State};
use amtsbote_core::bescheid::paper::PaperState;
use amtsbote_core::clock::Timestamp;
use amtsbote_core::conversation;
use amtsbote_core::deadline::{end_of_day, last_day};
use amtsbote_core::document::{Document, DocumentKind};
use amtsbote_core::document_request::{ItemState, NewItem};
use amtsbote_core::error::{Error, Result};
use amtsbote_core::form;
use amtsbote_core::id::{ApplicationId, DocumentId, StaffId};
use amtsbote_core::office::CaseView;
use amtsbote_core::staff::{Role, Staff};
use amtsbote_knowledge::{DocumentFormat, Service, localized};
use axum::extract::{Path, State as Shared};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};

use super::inbox::{choosable, is_open};
use super::{Place, Query, add_refusal, again, desk, fresh, is_refusal, row, words};
use crate::web::Web;
use crate::web::answer::{Answer, WebError, page, see};
use crate::web::routes::{Access, Route};
use crate::web::views::citizen::{DocumentLine, HistoryStep, ReviewRow};
use crate::web::views::staff::{Note, RequestedItem, StaffCasePage, StaffPage};
use crate::web::visitor::{Fields, Visitor, header_value};

/// Days that a request for documents proposes.
const REQUEST_DAYS: u32 = 14;

/// Most days of a request for documents.
const MOST_REQUEST_DAYS: u64 = 365;

pub(super) fn routes() -> Vec<Route> {
    let reads = |path, handler| Route { access: Access::Desk, path, methods: &["GET"], handler };
    let acts = |path, handler| Route { access: Access::Desk, path, methods: &["POST"], handler };
    vec![
        reads("/staff/case/{number}", get(case)),
        reads("/staff/case/{number}/document/{id}", get(document)),
        acts("/staff/case/{number}/take", post(take)),
        acts("/staff/case/{number}/complete", post(complete)),
        acts("/staff/case/{number}/request", post(request)),
        acts("/staff/case/{number}/judge", post(judge)),
        acts("/staff/case/{number}/note", post(note)),
        acts("/staff/case/{number}/forward", post(forward)),
        acts("/staff/case/{number}/close", post(close)),
        acts("/staff/case/{number}/settle", post(super::settle::settle)),
    ]
}

async fn case(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    query: Query,
) -> Answer {
    let row = row(&web, &number).await?;
    let mut shown = case_page(&web, &visitor, &row.id).await?;
    words::done(Fields::new(query.0).get("done")).clone_into(&mut shown.page.notice);
    page(&shown)
}

/// After a form of the case page: back to the page with a notice, or the page with what is wrong at `field`.
pub(super) async fn finish(
    web: &Web,
    visitor: &Visitor,
    row: &Row,
    field: &str,
    done: Result<&'static str>,
) -> Answer {
    match done {
        Ok(word) => Ok(see(&format!("/staff/case/{}?done={word}", row.number))),
        Err(error) if is_refusal(&error) => {
            let mut shown = case_page(web, visitor, &row.id).await?;
            shown.request_open = shown.can_request && ["items", "reason", "days"].contains(&field);
            add_refusal(web, &mut shown.page, field, &error);
            again(&shown)
        }
        Err(error) => Err(error.into()),
    }
}

/// After the form of an act that settles the case; what was typed stays in the open form.
pub(super) async fn finish_settling(
    web: &Web,
    visitor: &Visitor,
    row: &Row,
    (field, act, remark): (&str, &str, &str),
    done: Result<&'static str>,
) -> Answer {
    match done {
        Err(error) if is_refusal(&error) => {
            let mut shown = case_page(web, visitor, &row.id).await?;
            if let Some(open) = shown.settlements.iter_mut().find(|known| known.word == act) {
                open.open = true;
                remark.clone_into(&mut open.remark);
            }
            add_refusal(web, &mut shown.page, field, &error);
            again(&shown)
        }
        done => finish(web, visitor, row, field, done).await,
    }
}

async fn case_page(
    web: &Web,
    visitor: &Visitor,
    id: &ApplicationId,
) -> std::result::Result<StaffCasePage, WebError> {
    let desk = desk(web, visitor, Place::Cases, "Vorgang").await?;
    let view = web.office.case_view(id, &desk.member.id).await?;
    let talks = {
        let mut tx = web.office.db.read().await?;
        conversation::load(&mut tx, &web.office.keys, &view.case.conversation).await?.is_some()
    };
    let (case, number) = (&view.case, &view.case.number);
    let around = StaffPage { title: format!("{} {number}", view.title), ..desk.page };
    let (state, tone) = words::state(case.state);
    let name = |id: &StaffId| view.names.get(id.as_str()).cloned().unwrap_or_default();
    let later: Vec<&str> = case.later_documents.iter().map(|id| item_label(&case.service, id)).collect();
    let shown = StaffCasePage {
        page: around,
        list_url: super::inbox::list_url(visitor),
        next_url: format!("/staff/cases/next?after={}.{}", case.cursor().0, case.id),
        number: number.clone(),
        version: case.version,
        service: view.title.clone(),
        state: state.to_owned(),
        tone: tone.to_owned(),
        submitted: case.submitted_at.german_date_time(),
        due: case.due_at.map(Timestamp::german_date).unwrap_or_default(),
        overdue: case.state.is_before_decision() && case.due_at.is_some_and(|due| due < web.office.now()),
        assigned: case.assigned.as_ref().map(name).unwrap_or_default(),
        trust: words::trust(case.trust).to_owned(),
        language: words::language(&case.language).to_owned(),
        payment: payment(&view),
        answers: view
            .answers
            .iter()
            .map(|(label, value)| ReviewRow {
                label: label.clone(),
                value: value.clone(),
                ..Default::default()
            })
            .collect(),
        documents: view
            .documents
            .iter()
            .map(|document| DocumentLine {
                url: document_url(number, &document.id),
                name: document.name.clone(),
                about: about(document, &view),
            })
            .collect(),
        later_documents: later.join(", "),
        notes: notes(&view),
        history: history(&view),
        conversation_url: if talks {
            format!("/staff/chat/{}?case={number}", case.conversation)
        } else {
            String::new()
        },
        ..StaffCasePage::default()
    };
    Ok(with_actions(with_requested(shown, &view, &desk.member), &view, &desk.member))
}

fn payment(view: &CaseView) -> String {
    view.payment.as_ref().map_or_else(String::new, |payment| {
        let on = payment.paid_at.map(|at| format!(" am {}", at.german_date())).unwrap_or_default();
        format!("{}, {}{on}", form::euros(payment.amount_cents), words::payment(payment.state))
    })
}

fn item_label<'a>(service: &'a Service, id: &'a str) -> &'a str {
    service.documents.iter().find(|item| item.id == id).map_or(id, |item| localized(&item.label, "de"))
}

fn document_url(number: &str, id: &DocumentId) -> String {
    format!("/staff/case/{number}/document/{id}")
}

/// "PDF, 340 kB, 18.11.2026, Mietvertrag".
fn about(document: &Document, view: &CaseView) -> String {
    let frozen = view.paper.as_ref().and_then(|paper| paper.frozen.as_ref());
    let is_newest =
        frozen.is_some_and(|frozen| [&frozen.accessible, &frozen.archive].contains(&&document.id));
    let format = match document.format {
        DocumentFormat::Pdf => "PDF",
        DocumentFormat::Jpeg => "JPG",
        DocumentFormat::Png => "PNG",
        DocumentFormat::Docx => "Word",
    };
    let what = match document.kind {
        DocumentKind::Upload if document.item.is_empty() => "von der Person",
        DocumentKind::Upload => item_label(&view.case.service, &document.item),
        DocumentKind::Bescheid | DocumentKind::BescheidArchive if !is_newest => "ältere Fassung",
        DocumentKind::Bescheid => "Schreiben des Amts",
        DocumentKind::BescheidArchive => "Schreiben des Amts, Fassung für das Archiv",
        DocumentKind::Receipt => "Beleg",
        DocumentKind::Copy => "Kopie",
    };
    format!("{format}, {}, {}, {what}", words::size(document.size_bytes), document.created_at.german_date())
}

fn notes(view: &CaseView) -> Vec<Note> {
    let note = |(who, at, text): &(String, Timestamp, String)| Note {
        text: text.clone(),
        author: view.names.get(who).cloned().unwrap_or_default(),
        time: at.german_date_time(),
    };
    view.notes.iter().rev().map(note).collect()
}

/// Newest first. That somebody looked at the case is audited, but would drown everything else here.
fn history(view: &CaseView) -> Vec<HistoryStep> {
    let records = view.history.iter().filter(|record| record.action != "application.view").map(|record| {
        (record.at, format!("{} ({})", words::action(&record.action), words::actor(record, &view.names)))
    });
    let notified = view.events.iter().filter(|(kind, _)| kind == "notification_sent");
    let notified = notified.map(|(_, at)| (*at, words::NOTIFIED.to_owned()));
    let mut steps: Vec<_> = records.chain(notified).collect();
    steps.sort_by_key(|(at, _)| *at);
    steps
        .into_iter()
        .rev()
        .enumerate()
        .map(|(index, (at, text))| HistoryStep { time: at.german_date_time(), text, current: index == 0 })
        .collect()
}

/// The newest request for documents.
fn with_requested(mut shown: StaffCasePage, view: &CaseView, reader: &Staff) -> StaffCasePage {
    let Some(request) = view.requests.iter().max_by_key(|request| request.created_at) else { return shown };
    let can_judge = reader.is(Role::Clerk) && view.case.state.is_before_decision();
    shown.requested_until = request.deadline.german_date();
    shown.requested = request
        .items
        .iter()
        .map(|item| {
            let (state, tone) = words::item(item.state);
            let named = |id: &DocumentId| {
                let known = view.documents.iter().find(|document| document.id == *id);
                known.map_or_else(|| "Unterlage".to_owned(), |document| document.name.clone())
            };
            RequestedItem {
                id: item.item.clone(),
                label: item.label.clone(),
                reason: item.reason.clone(),
                state: state.to_owned(),
                tone: tone.to_owned(),
                document_url: item
                    .document
                    .as_ref()
                    .map(|id| document_url(&view.case.number, id))
                    .unwrap_or_default(),
                document_name: item.document.as_ref().map(named).unwrap_or_default(),
                can_judge: item.state == ItemState::Delivered && can_judge,
            }
        })
        .collect();
    shown
}

/// What the reader can do now.
fn with_actions(mut shown: StaffCasePage, view: &CaseView, reader: &Staff) -> StaffCasePage {
    let (case, clerk) = (&view.case, reader.is(Role::Clerk));
    let mine = case.assigned.as_ref() == Some(&reader.id);
    let free = mine || case.assigned.is_none();
    let state = case.state;
    let takes_over = is_open(state) && state != State::InApproval && !mine;
    shown.can_take = clerk && (state == State::Complete || takes_over);
    shown.can_complete = clerk && state == State::CompletenessCheck;
    shown.can_request = shown.can_complete;
    shown.can_draft = clerk && free && state == State::InProgress;
    shown.has_draft = view.paper.as_ref().is_some_and(|paper| paper.state == PaperState::Draft);
    shown.can_approve = super::paper::waits_for(view, reader);
    if clerk {
        shown.settlements = super::settle::possible(state);
    }
    shown.can_close = clerk && matches!(state, State::Delivered | State::Final);
    shown.can_forward = clerk
        && matches!(
            state,
            State::Received
                | State::AwaitingPayment
                | State::CompletenessCheck
                | State::DocumentsRequested
                | State::Complete
                | State::InProgress
        );
    if let Some(paper) = &view.paper {
        shown.drafted_by = view.names.get(paper.drafted_by.as_str()).cloned().unwrap_or_default();
        if let Some(frozen) = &paper.frozen {
            shown.draft_hash.clone_from(&frozen.accessible_sha256);
            shown.draft_hash_short = frozen.accessible_sha256.chars().take(12).collect();
        }
    }
    words::next_step(state, shown.can_approve).clone_into(&mut shown.next_step);
    shown.default_days = REQUEST_DAYS;
    shown.requestable = form::documents(&case.service, &case.answers)
        .into_iter()
        .map(|item| choosable(&item.id, localized(&item.label, "de"), ""))
        .collect();
    shown
}

async fn take(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let done = async {
        fresh(&row, &fields)?;
        let begins = row.state == State::Complete;
        if begins {
            web.office.desk_event(&row.id, me, Event::Take, None).await?;
        }
        // Beginning gives a case only to nobody's colleague: one that lies with another is taken over.
        if row.assigned.as_ref().is_some_and(|other| other != me) || !begins {
            web.office.assign_case(&row.id, me, me.clone()).await?;
        }
        Ok(if begins { "take" } else { "assign" })
    };
    let done = done.await;
    finish(&web, &visitor, &row, "", done).await
}

async fn complete(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    event(&web, &visitor, &number, &fields, (Event::Complete, "complete")).await
}

async fn close(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    event(&web, &visitor, &number, &fields, (Event::Close, "close")).await
}

async fn event(
    web: &Web,
    visitor: &Visitor,
    number: &str,
    fields: &Fields,
    (event, word): (Event, &'static str),
) -> Answer {
    let (row, me) = (row(web, number).await?, visitor.need_staff()?);
    let done = async {
        fresh(&row, fields)?;
        web.office.desk_event(&row.id, me, event, None).await?;
        Ok(word)
    };
    let done = done.await;
    finish(web, visitor, &row, "", done).await
}

async fn request(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let done = async {
        fresh(&row, &fields)?;
        let (items, deadline) = wanted(&web, &row, &fields).await?;
        web.office.request_documents(&row.id, me, items, deadline).await?;
        Ok("request")
    };
    let done = done.await;
    let field = match &done {
        Err(Error::Refused { key: "desk.request_days" | "document_request.deadline_past", .. }) => "days",
        Err(Error::Refused { key: "desk.request_reason", .. }) => "reason",
        _ => "items",
    };
    finish(&web, &visitor, &row, field, done).await
}

/// What a form asks for, in the applicant's language where the service has words, and until when.
async fn wanted(web: &Web, row: &Row, fields: &Fields) -> Result<(Vec<NewItem>, Timestamp)> {
    let case = {
        let mut tx = web.office.db.read().await?;
        application::load(&mut tx, &web.office.keys, &row.id).await?.ok_or(Error::NotFound("application"))?
    };
    let reason = fields.get("reason").to_owned();
    if reason.is_empty() {
        return Err(Error::refused("desk.request_reason"));
    }
    let days = fields.get("days").parse::<u64>().ok().filter(|days| (1..=MOST_REQUEST_DAYS).contains(days));
    let days = days.ok_or_else(|| {
        Error::refused_with("desk.request_days", vec![("most", MOST_REQUEST_DAYS.to_string())])
    })?;
    let chosen = fields.all("item");
    let known = case.service.documents.iter().filter(|item| chosen.contains(&item.id)).map(|item| NewItem {
        item_id: Some(item.id.clone()),
        label: localized(&item.label, &case.language).to_owned(),
        reason: reason.clone(),
    });
    let other = fields.get("other").lines().map(str::trim).filter(|line| !line.is_empty());
    let other = other.map(|label| NewItem { item_id: None, label: label.to_owned(), reason: reason.clone() });
    let items = known.chain(other).collect();
    let end = web.office.now().plus(Duration::from_secs(days * 24 * 3600)).date();
    Ok((items, end_of_day(last_day(end))))
}

async fn judge(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let item = fields.get("item");
    let (judgement, word) = match fields.get("accept") {
        "yes" => (Ok(()), "accept"),
        _ => (Err(fields.get("note").to_owned()), "reject"),
    };
    let done = web.office.judge_item(&row.id, me, item.to_owned(), judgement).await.map(|()| word);
    finish(&web, &visitor, &row, &format!("note-{item}"), done).await
}

async fn note(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let done = match fields.get("note") {
        "" => Err(Error::refused("desk.note_empty")),
        text => web.office.add_note(&row.id, me, text.to_owned()).await.map(|()| "note"),
    };
    finish(&web, &visitor, &row, "note", done).await
}

async fn forward(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let to = fields.get("to");
    let done = async {
        fresh(&row, &fields)?;
        if to.is_empty() {
            return Err(Error::refused("desk.forward_to"));
        }
        let remark = format!("Abgegeben an: {to}");
        web.office.desk_event(&row.id, me, Event::NotCompetent, Some(remark)).await?;
        Ok("forward")
    };
    let done = done.await;
    finish(&web, &visitor, &row, "to", done).await
}

/// A file of the case. It is saved, never shown: whatever somebody uploaded must not run in a page of ours.
async fn document(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path((number, id)): Path<(String, String)>,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let (document, bytes) = web.office.desk_document(&row.id, &DocumentId(id), me).await?;
    let kind = match document.kind {
        DocumentKind::Upload => "application/octet-stream",
        DocumentKind::Bescheid
        | DocumentKind::BescheidArchive
        | DocumentKind::Receipt
        | DocumentKind::Copy => "application/pdf",
    };
    let disposition = header_value(&attachment(&document.name));
    let headers = [(header::CONTENT_TYPE, header_value(kind)), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, bytes).into_response())
}

/// How a browser is told to save a file under its name (RFC 6266 with the encoding of RFC 8187).
fn attachment(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    format!("attachment; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_come_through_whole_and_break_no_header() {
        assert_eq!(attachment("a b.pdf"), "attachment; filename*=UTF-8''a%20b.pdf");
        assert_eq!(attachment("Größe\"\r\n"), "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%22%0D%0A");
    }
}
