//! The portal: own cases after a login, the status page with number and code, the copy of an application, and
//! fetching papers.

use amtsbote_core::audit::AuditRecord;
use amtsbote_core::clock::Timestamp;
use amtsbote_core::dialog::CaseFacts;
use amtsbote_core::document::Document;
use amtsbote_core::error::Error;
use amtsbote_core::form::euros;
use amtsbote_core::id::{ApplicationId, BescheidId, ConversationId, DocumentId};
use amtsbote_core::message::ChannelKind;
use amtsbote_core::office::{Fetched, Reader, UploadRequest};
use amtsbote_core::permission::{self, PermissionAct, Verdict};
use amtsbote_core::texts::fill;
use amtsbote_knowledge::CaseKind;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::answer::{Answer, page, see, sentence};
use super::chat::message_id;
use super::routes::{Access, Route};
use super::views::T;
use super::views::citizen::{
    CaseLine, DocumentLine, FormError, HistoryStep, PlainMessage, PortalCasePage, PortalPage, PrintPage,
    ReviewRow, StatusPage, WantedDocument,
};
use super::visitor::{Fields, Visitor};
use super::{Web, show};

pub(super) fn routes() -> Vec<Route> {
    let (open, person) = (Access::Public, Access::Person);
    vec![
        Route {
            access: open,
            path: "/status",
            methods: &["GET", "POST"],
            handler: get(status).post(ask_status),
        },
        Route { access: open, path: "/copy/{number}", methods: &["GET"], handler: get(copy) },
        Route { access: open, path: "/copy/{number}/pdf", methods: &["GET"], handler: get(copy_pdf) },
        Route { access: open, path: "/fetch/{paper}", methods: &["GET"], handler: get(fetch_by_link) },
        Route { access: person, path: "/portal", methods: &["GET"], handler: get(portal) },
        Route { access: person, path: "/portal/{number}", methods: &["GET"], handler: get(case) },
        Route { access: person, path: "/portal/{number}/upload", methods: &["POST"], handler: post(upload) },
        Route {
            access: person,
            path: "/portal/{number}/withdraw",
            methods: &["POST"],
            handler: post(withdraw),
        },
        Route { access: person, path: "/portal/{number}/paper", methods: &["GET"], handler: get(fetch) },
        Route {
            access: person,
            path: "/portal/{number}/document/{id}",
            methods: &["GET"],
            handler: get(document),
        },
    ]
}

fn status_page(
    web: &Web,
    visitor: &Visitor,
    number: &str,
    found: Option<&CaseFacts>,
    errors: Vec<FormError>,
) -> Answer {
    let t = visitor.texts(&web.office);
    let mut around = visitor.page(&web.office, t.text("web.status"));
    around.has_errors = !errors.is_empty();
    page(&StatusPage {
        errors,
        number: number.to_owned(),
        number_found: found.map(|facts| facts.number.clone()).unwrap_or_default(),
        state: found.map(|_| t.text("status.coarse").to_owned()).unwrap_or_default(),
        state_text: found.map(|_| t.text("status.login_for_more").to_owned()).unwrap_or_default(),
        since: String::new(),
        page: around,
        t,
    })
}

async fn status(State(web): State<Web>, visitor: Visitor) -> Answer {
    status_page(&web, &visitor, "", None, Vec::new())
}

async fn ask_status(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Answer {
    let number = fields.get("number");
    let found = web.office.public_status(number, fields.get("code"), visitor.language()).await?;
    let errors = if found.is_some() {
        Vec::new()
    } else {
        let phone = &web.office.config.office.phone;
        let text = web.office.texts.fill(visitor.language(), "status.not_found", &[("phone", phone)]);
        vec![FormError { field: "number".to_owned(), text }]
    };
    status_page(&web, &visitor, number, found.as_ref(), errors)
}

async fn portal(State(web): State<Web>, visitor: Visitor) -> Answer {
    let person = visitor.need_person()?;
    let t = visitor.texts(&web.office);
    let may_see = may_see_state(&visitor);
    let cases = web
        .office
        .own_cases(person, visitor.language())
        .await?
        .into_iter()
        .map(|facts| CaseLine {
            state: state_words(&t, &facts, may_see),
            tone: "info".to_owned(),
            action_needed: may_see && facts.state_key == "status.awaiting_payment"
                || facts.state_key == "status.documents_requested",
            next_step: if may_see { t.about(facts.next_key, facts.kind).to_owned() } else { String::new() },
            submitted: facts.submitted.german_date(),
            number: facts.number,
            title: facts.title,
        })
        .collect();
    page(&PortalPage {
        notice: String::new(),
        cases,
        page: visitor.page(&web.office, t.text("web.my_cases")),
        t,
    })
}

fn may_see_state(visitor: &Visitor) -> bool {
    permission::verdict(ChannelKind::Web, visitor.trust(), PermissionAct::Status) == Verdict::Allowed
}

fn state_words(t: &T, facts: &CaseFacts, may_see: bool) -> String {
    t.about(if may_see { facts.state_key } else { "status.coarse" }, facts.kind).to_owned()
}

#[derive(Debug, Default, Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

async fn case(
    State(web): State<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    Query(done): Query<Done>,
) -> Answer {
    case_page(&web, &visitor, &number, &done.done, Vec::new()).await
}

async fn case_page(web: &Web, visitor: &Visitor, number: &str, done: &str, errors: Vec<FormError>) -> Answer {
    let person = visitor.need_person()?;
    let t = visitor.texts(&web.office);
    let found = web.office.own_case(number, person, visitor.trust(), visitor.language()).await?;
    let may_see = may_see_state(visitor);
    let payment = found.payment.as_ref().filter(|payment| !payment.state.has_money());
    let paper = found.paper.as_ref().filter(|_| found.may_fetch);
    let issued = paper.and_then(|paper| paper.issued_at);
    let notice = match done {
        "uploaded" => t.text("web.uploaded").to_owned(),
        "withdrawn" => fill(t.about("withdraw.done", found.facts.kind), &[("number", number)]),
        _ => String::new(),
    };
    let mut around = visitor.page(&web.office, &found.title);
    around.has_errors = !errors.is_empty();
    page(&PortalCasePage {
        notice,
        errors,
        number: found.case.number.clone(),
        version: found.case.version,
        title: found.title.clone(),
        submitted: found.case.submitted_at.german_date(),
        state: state_words(&t, &found.facts, may_see),
        state_text: if may_see {
            t.about(found.facts.next_key, found.facts.kind).to_owned()
        } else {
            t.text("status.login_for_more").to_owned()
        },
        due: found.facts.due.map(Timestamp::german_date).unwrap_or_default(),
        bescheid_url: paper.map(|_| format!("/portal/{number}/paper")).unwrap_or_default(),
        bescheid_label: t.text("web.fetch_paper").to_owned(),
        bescheid_note: issued
            .map(|at| t.filled("web.issued_on", &[("date", &at.german_date())]))
            .unwrap_or_default(),
        receipt_url: found
            .payment
            .as_ref()
            .filter(|payment| payment.state.has_money())
            .map(|payment| format!("/pay/{}/receipt", payment.id))
            .unwrap_or_default(),
        copy_url: if found.answers.is_empty() { String::new() } else { format!("/copy/{number}/pdf") },
        pay_url: payment.map(|payment| format!("/pay/{}", payment.id)).unwrap_or_default(),
        pay_amount: payment.map(|payment| euros(payment.amount_cents)).unwrap_or_default(),
        wanted_until: found.wanted.first().map(|item| item.deadline.german_date()).unwrap_or_default(),
        wanted: found
            .wanted
            .iter()
            .map(|item| WantedDocument {
                id: item.item.clone(),
                form_id: show::form_id(web),
                label: item.label.clone(),
                reason: item.note.clone().unwrap_or_else(|| item.reason.clone()),
                limits: t.filled(
                    "form.upload_limits",
                    &[("formats", "PDF, JPG, PNG"), ("limit", &item.max_mb.to_string())],
                ),
                accept: ".pdf,.jpg,.jpeg,.png".to_owned(),
            })
            .collect(),
        documents: found.documents.iter().map(|known| document_line(number, known)).collect(),
        history: if may_see { history(&t, found.facts.kind, &found.history) } else { Vec::new() },
        answers: found
            .answers
            .iter()
            .map(|(label, value)| ReviewRow {
                label: label.clone(),
                value: value.clone(),
                change: String::new(),
            })
            .collect(),
        can_withdraw: found.may_withdraw,
        page: around,
        t,
    })
}

fn document_line(number: &str, document: &Document) -> DocumentLine {
    DocumentLine {
        url: format!("/portal/{number}/document/{}", document.id),
        name: document.name.clone(),
        about: format!("{} kB, {}", document.size_bytes / 1000 + 1, document.created_at.german_date()),
    }
}

/// The steps that mean something to the applicant; what staff do among themselves is not shown.
fn history(t: &T, kind: CaseKind, records: &[AuditRecord]) -> Vec<HistoryStep> {
    const SHOWN: [(&str, &str); 9] = [
        ("application.submit", "history.submit"),
        ("application.paid", "history.paid"),
        ("application.request_documents", "history.request_documents"),
        ("application.fulfilled", "history.fulfilled"),
        ("application.complete", "history.complete"),
        ("application.take", "history.take"),
        ("application.decide", "history.decide"),
        ("paper.issue", "history.issue"),
        ("application.withdraw", "history.withdraw"),
    ];
    let mut steps: Vec<HistoryStep> = records
        .iter()
        .filter_map(|record| {
            let (_, key) = SHOWN.iter().find(|(action, _)| *action == record.action)?;
            Some(HistoryStep {
                time: record.at.german_date_time(),
                text: t.about(key, kind).to_owned(),
                current: false,
            })
        })
        .collect();
    steps.reverse();
    if let Some(newest) = steps.first_mut() {
        newest.current = true;
    }
    steps
}

async fn upload(
    State(web): State<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
    form: Multipart,
) -> Answer {
    let person = visitor.need_person()?.clone();
    let own = web.office.own_case(&number, &person, visitor.trust(), visitor.language()).await?;
    let (fields, file) = super::upload::read(&web, &visitor, &headers, form).await?;
    let Some((name, bytes)) = file else {
        return refused(&web, &visitor, &number, &Error::refused("document.none_chosen")).await;
    };
    let request = UploadRequest {
        conversation: own.case.conversation.clone(),
        external_id: format!("portal-{}", message_id(fields.get("message_id"), &bytes, &web)),
        trust: visitor.trust(),
        person: Some(person),
        name,
        bytes,
        wanted: Some(fields.get("item").to_owned()),
    };
    match web.office.upload(request).await {
        Ok(_) => Ok(see(&format!("/portal/{number}?done=uploaded"))),
        Err(error @ Error::Refused { .. }) => refused(&web, &visitor, &number, &error).await,
        Err(error) => Err(error.into()),
    }
}

async fn refused(web: &Web, visitor: &Visitor, number: &str, error: &Error) -> Answer {
    let text = sentence(&web.office, visitor.language(), error);
    case_page(web, visitor, number, "", vec![FormError { field: String::new(), text }]).await
}

async fn withdraw(
    State(web): State<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let person = visitor.need_person()?;
    let own = web.office.own_case(&number, person, visitor.trust(), visitor.language()).await?;
    if fields.get("confirm") != "yes" {
        return refused(&web, &visitor, &number, &Error::refused("web.confirm_missing")).await;
    }
    let id: &ApplicationId = &own.case.id;
    match web.office.withdraw_case(id, person, visitor.trust()).await {
        Ok(_) => Ok(see(&format!("/portal/{number}?done=withdrawn"))),
        Err(error @ Error::Refused { .. }) => refused(&web, &visitor, &number, &error).await,
        Err(error) => Err(error.into()),
    }
}

async fn fetch(State(web): State<Web>, visitor: Visitor, Path(number): Path<String>) -> Answer {
    let person = visitor.need_person()?;
    let own = web.office.own_case(&number, person, visitor.trust(), visitor.language()).await?;
    let paper = own.paper.ok_or(Error::NotFound("paper"))?;
    let fetched = web.office.fetch_in_portal(&paper.id, person, visitor.trust()).await?;
    Ok(pdf(&fetched))
}

#[derive(Debug, Deserialize)]
struct Link {
    until: i64,
    sig: String,
}

async fn fetch_by_link(
    State(web): State<Web>,
    Path(paper): Path<String>,
    Query(link): Query<Link>,
) -> Answer {
    let fetched = web.office.fetch_by_link(&BescheidId(paper), Timestamp(link.until), &link.sig).await?;
    Ok(pdf(&fetched))
}

fn pdf(fetched: &Fetched) -> Response {
    record(&fetched.name, fetched.bytes.clone())
}

async fn document(
    State(web): State<Web>,
    visitor: Visitor,
    Path((number, id)): Path<(String, String)>,
) -> Answer {
    let person = visitor.need_person()?;
    let own = web.office.own_case(&number, person, visitor.trust(), visitor.language()).await?;
    let id = DocumentId(id);
    let known = own.documents.iter().find(|document| document.id == id).ok_or(Error::NotFound("document"))?;
    let bytes = web.office.read_document(known).await?;
    let disposition =
        format!("attachment; filename*=UTF-8''{}", super::answer::encode(&known.name).replace('+', "%20"));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, bytes).into_response())
}

/// The copy of an application: every answer and the declaration as it was shown.
async fn copy(State(web): State<Web>, visitor: Visitor, Path(number): Path<String>) -> Answer {
    let nowhere = ConversationId(String::new());
    let conversation = visitor.conversation().unwrap_or(&nowhere);
    let (case, title, answers) = web
        .office
        .copy_of(&number, conversation, visitor.person(), visitor.trust(), visitor.language())
        .await?;
    let t = visitor.texts(&web.office);
    let line = |author: &str, plain: String| PlainMessage {
        author: author.to_owned(),
        time: String::new(),
        plain,
        ..PlainMessage::default()
    };
    let mut messages = vec![line(&format!("{title} ({number})"), case.submitted_at.german_date_time())];
    messages.extend(answers.into_iter().map(|(label, value)| line(&label, value)));
    if !case.declaration_shown.is_empty() {
        messages.push(line(t.text("web.declaration"), case.declaration_shown.clone()));
    }
    page(&PrintPage {
        printed_at: web.office.now().german_date_time(),
        messages,
        pdf_url: format!("/copy/{number}/pdf"),
        page: visitor.page(&web.office, t.about("web.copy_title", case.service.case_kind)),
        t,
    })
}

async fn copy_pdf(State(web): State<Web>, visitor: Visitor, Path(number): Path<String>) -> Answer {
    let nowhere = ConversationId(String::new());
    let (name, bytes) = web.office.copy_pdf(&number, reader(&visitor, &nowhere)).await?;
    Ok(record(&name, bytes))
}

/// Who asks for a record; `nowhere` stands for a visitor without a conversation.
pub(super) fn reader<'a>(visitor: &'a Visitor, nowhere: &'a ConversationId) -> Reader<'a> {
    Reader {
        conversation: visitor.conversation().unwrap_or(nowhere),
        person: visitor.person(),
        trust: visitor.trust(),
        language: visitor.language(),
    }
}

/// A PDF that was made for this request.
pub(super) fn record(name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("inline; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, bytes).into_response()
}
