//! Requests for missing documents (Nachforderung): what is wanted until when, what has come, what a person
//! thinks of it, and reminders that come once. A missed deadline rejects nothing: the application goes back
//! to the check, where a person looks at it. Files are not stored and messages are not sent here.

mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use amtsbote_knowledge::{DocumentFormat, Service};

use crate::application::{self, Event, State};
use crate::audit::{self, Actor};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ApplicationId, ConversationId, DocumentId, DocumentRequestId, PersonId};
use crate::seal::{DataKey, Keys};

pub use state::{ItemEvent, ItemState, RequestEvent, RequestState, next_item, next_request};

/// The program's part that watches requests, in audit records.
const SYSTEM: Actor = Actor::System("document_request");

/// Days before the deadline on which people are reminded.
const REMINDERS: [i64; 2] = [7, 2];

/// Most items of one request.
const MOST_ITEMS: usize = 30;

/// What is accepted for an item that the service does not define.
const FREE_FORMATS: [DocumentFormat; 3] = [DocumentFormat::Pdf, DocumentFormat::Jpeg, DocumentFormat::Png];

/// Largest file for an item that the service does not define, in MB (10^6 bytes).
const FREE_MAX_MB: u32 = 10;

/// An item as a clerk asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Item id of the service, if it is one of its documents; it gives the formats.
    pub item_id: Option<String>,
    /// What is wanted, in the applicant's words.
    pub label: String,
    /// Why.
    pub reason: String,
}

/// An item of a request as staff see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedItem {
    /// Its id.
    pub item: String,
    /// Item id of the service.
    pub item_id: Option<String>,
    /// What is wanted. Empty after erasure.
    pub label: String,
    /// Why.
    pub reason: String,
    /// Why the last document was rejected.
    pub note: Option<String>,
    /// Where it stands.
    pub state: ItemState,
    /// The document that came.
    pub document: Option<DocumentId>,
}

/// A request as staff see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRequest {
    /// Its id.
    pub id: DocumentRequestId,
    /// Where it stands.
    pub state: RequestState,
    /// Until when.
    pub deadline: Timestamp,
    /// When it was sent.
    pub created_at: Timestamp,
    /// Its items in order.
    pub items: Vec<RequestedItem>,
}

/// An item that an applicant can hand in now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedItem {
    /// Id of the item, for [`supply`].
    pub item: String,
    /// The case.
    pub application: ApplicationId,
    /// The number of the case.
    pub number: String,
    /// What is wanted.
    pub label: String,
    /// Why.
    pub reason: String,
    /// Why the last document was rejected.
    pub note: Option<String>,
    /// Until when.
    pub deadline: Timestamp,
    /// Accepted types of files.
    pub formats: Vec<DocumentFormat>,
    /// Largest file in MB (10^6 bytes).
    pub max_mb: u32,
}

/// What [`supply`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplied {
    /// The item that was handed in.
    pub label: String,
    /// How many items of the request are still missing; 0: the office goes on.
    pub still_open: usize,
}

/// Somebody is to be reminded, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// The request.
    pub request: DocumentRequestId,
    /// The case.
    pub application: ApplicationId,
    /// The number of the case.
    pub number: String,
    /// The conversation that it was filed in.
    pub conversation: ConversationId,
    /// Who filed it.
    pub person: Option<PersonId>,
    /// Language tag of the applicant.
    pub language: String,
    /// Until when the documents are wanted.
    pub deadline: Timestamp,
    /// Which reminder it is: 7 or 2 days before.
    pub days_before: i64,
}

/// The words of an item, sealed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Words {
    label: String,
    reason: String,
    note: Option<String>,
}

/// A row of `document_request`.
struct Request {
    id: DocumentRequestId,
    application: ApplicationId,
    state: RequestState,
    deadline: Timestamp,
    created_at: Timestamp,
    version: i64,
}

impl Request {
    fn read(row: &AnyRow) -> Result<Self> {
        let word: String = row.try_get(2)?;
        Ok(Self {
            id: DocumentRequestId(row.try_get(0)?),
            application: ApplicationId(row.try_get(1)?),
            state: RequestState::parse(&word)
                .ok_or_else(|| Error::Setup(format!("a request has the unknown state {word:?}")))?,
            deadline: Timestamp(row.try_get(3)?),
            created_at: Timestamp(row.try_get(4)?),
            version: row.try_get(5)?,
        })
    }
}

/// A row of `document_request_item`.
struct Item {
    id: String,
    request: DocumentRequestId,
    defined_as: Option<String>,
    state: ItemState,
    document: Option<DocumentId>,
    key_wrapped: Option<Vec<u8>>,
    text_sealed: Option<Vec<u8>>,
    version: i64,
}

impl Item {
    fn read(row: &AnyRow) -> Result<Self> {
        let word: String = row.try_get(3)?;
        Ok(Self {
            id: row.try_get(0)?,
            request: DocumentRequestId(row.try_get(1)?),
            defined_as: row.try_get(2)?,
            state: ItemState::parse(&word)
                .ok_or_else(|| Error::Setup(format!("a requested item has the unknown state {word:?}")))?,
            document: row.try_get::<Option<String>, _>(4)?.map(DocumentId),
            key_wrapped: row.try_get(5)?,
            text_sealed: row.try_get(6)?,
            version: row.try_get(7)?,
        })
    }

    fn words(&self, keys: &Keys) -> Result<Words> {
        let (Some(wrapped), Some(sealed)) = (&self.key_wrapped, &self.text_sealed) else {
            return Ok(Words::default());
        };
        let plain = keys.master.unwrap(wrapped, &self.id)?.open(self.id.as_bytes(), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| Error::Seal("the words of an item are not readable"))
    }
}

fn seal_words(keys: &Keys, key: &DataKey, id: &str, words: &Words) -> Result<Vec<u8>> {
    let plain =
        serde_json::to_vec(words).map_err(|_| Error::Seal("the words of an item can't be written"))?;
    Ok(key.seal(id.as_bytes(), &plain, &keys.clock))
}

fn staff_only(actor: &Actor, event: &'static str) -> Result<()> {
    match actor {
        Actor::Staff(_) => Ok(()),
        _ => Err(Error::refused_with("application.wrong_actor", vec![("event", event.to_owned())])),
    }
}

/// A member of staff asks for documents until `deadline`. The application waits from then on. Refused
/// without items, with a deadline in the past, and where the application is not being checked.
pub async fn send(
    tx: &mut Tx,
    keys: &Keys,
    application: &ApplicationId,
    items: &[NewItem],
    deadline: Timestamp,
    actor: &Actor,
    now: Timestamp,
) -> Result<DocumentRequestId> {
    staff_only(actor, "send")?;
    if items.is_empty() || items.len() > MOST_ITEMS || items.iter().any(|item| item.label.trim().is_empty()) {
        let most = vec![("most", MOST_ITEMS.to_string())];
        return Err(Error::refused_with("document_request.no_items", most));
    }
    if deadline <= now {
        return Err(Error::refused("document_request.deadline_past"));
    }
    application::apply(tx, application, &Event::RequestDocuments, actor, now).await?;
    let Some(sent) = next_request(RequestState::Draft, RequestEvent::Send) else {
        return Err(Error::Conflict("document request"));
    };
    let id: DocumentRequestId = keys.clock.id();
    sqlx::query(
        "insert into document_request (id, application_id, state, deadline, sent_by, version, created_at, \
         updated_at) values ($1, $2, $3, $4, $5, 1, $6, $6)",
    )
    .bind(id.as_str())
    .bind(application.as_str())
    .bind(sent.as_str())
    .bind(deadline.0)
    .bind(match actor {
        Actor::Staff(staff) => staff.as_str(),
        _ => "",
    })
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    for (item, position) in items.iter().zip(0_i64..) {
        insert_item(tx, keys, &id, item, position, now).await?;
    }
    plan_reminders(tx, &id, deadline, now).await?;
    let details = json!({
        "from": RequestState::Draft.as_str(), "to": sent.as_str(),
        "application": application.as_str(), "items": items.len(), "deadline": deadline.0,
    });
    audit::record(tx, actor, "document_request.send", ("document_request", id.as_str()), details, now)
        .await?;
    Ok(id)
}

async fn insert_item(
    tx: &mut Tx,
    keys: &Keys,
    request: &DocumentRequestId,
    item: &NewItem,
    position: i64,
    now: Timestamp,
) -> Result<()> {
    let id = keys.clock.id::<DocumentRequestId>().0;
    let key = DataKey::generate(&keys.clock);
    let words =
        Words { label: item.label.trim().to_owned(), reason: item.reason.trim().to_owned(), note: None };
    let sealed = seal_words(keys, &key, &id, &words)?;
    sqlx::query(
        "insert into document_request_item (id, request_id, position, item_id, state, document_id, \
         key_wrapped, text_sealed, version, updated_at) values ($1, $2, $3, $4, $5, null, $6, $7, 1, $8)",
    )
    .bind(&id)
    .bind(request.as_str())
    .bind(position)
    .bind(item.item_id.clone())
    .bind(ItemState::Open.as_str())
    .bind(keys.master.wrap(&key, &id, &keys.clock))
    .bind(sealed)
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Plans the reminders that still lie ahead. With a short deadline there are fewer, down to none.
async fn plan_reminders(
    tx: &mut Tx,
    request: &DocumentRequestId,
    deadline: Timestamp,
    now: Timestamp,
) -> Result<()> {
    for days_before in REMINDERS {
        let due_at = crate::deadline::morning_before(deadline, days_before);
        if due_at > now {
            sqlx::query(
                "insert into document_request_reminder (request_id, deadline, days_before, due_at, sent_at) \
                 values ($1, $2, $3, $4, null) on conflict (request_id, deadline, days_before) do nothing",
            )
            .bind(request.as_str())
            .bind(deadline.0)
            .bind(days_before)
            .bind(due_at.0)
            .execute(&mut *tx)
            .await?;
        }
    }
    Ok(())
}

async fn drop_reminders(tx: &mut Tx, request: &DocumentRequestId) -> Result<()> {
    sqlx::query("delete from document_request_reminder where request_id = $1 and sent_at is null")
        .bind(request.as_str())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

async fn load_request(tx: &mut Tx, id: &DocumentRequestId) -> Result<Request> {
    let row = sqlx::query(
        "select id, application_id, state, deadline, created_at, version from document_request where id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound("document request"))?;
    Request::read(&row)
}

async fn load_item(tx: &mut Tx, id: &str) -> Result<Item> {
    let row = sqlx::query(
        "select id, request_id, item_id, state, document_id, key_wrapped, text_sealed, version \
         from document_request_item where id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound("requested item"))?;
    Item::read(&row)
}

async fn items_of(tx: &mut Tx, request: &DocumentRequestId) -> Result<Vec<Item>> {
    let rows = sqlx::query(
        "select id, request_id, item_id, state, document_id, key_wrapped, text_sealed, version \
         from document_request_item where request_id = $1 order by position limit 100",
    )
    .bind(request.as_str())
    .fetch_all(&mut *tx)
    .await?;
    rows.iter().map(Item::read).collect()
}

/// Moves a request along one edge, with one audit record; refuses what is not in the table.
async fn step(
    tx: &mut Tx,
    request: &mut Request,
    event: RequestEvent,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    let Some(to) = next_request(request.state, event) else {
        return Err(Error::refused_with(
            "document_request.illegal_event",
            vec![("state", request.state.as_str().to_owned()), ("event", event.as_str().to_owned())],
        ));
    };
    let done = sqlx::query(
        "update document_request set state = $1, deadline = $2, updated_at = $3, version = version + 1 \
         where id = $4 and version = $5",
    )
    .bind(to.as_str())
    .bind(request.deadline.0)
    .bind(now.0)
    .bind(request.id.as_str())
    .bind(request.version)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict("document request"));
    }
    let details =
        json!({ "from": request.state.as_str(), "to": to.as_str(), "deadline": request.deadline.0 });
    request.state = to;
    request.version += 1;
    if !to.is_waiting() {
        drop_reminders(tx, &request.id).await?;
    }
    record(tx, &request.id, event.as_str(), actor, details, now).await
}

/// Moves an item along one edge, with one audit record; refuses what is not in the table.
async fn step_item(
    tx: &mut Tx,
    item: &mut Item,
    event: ItemEvent,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    let Some(to) = next_item(item.state, event) else {
        return Err(Error::refused_with(
            "document_request.illegal_item_event",
            vec![("state", item.state.as_str().to_owned()), ("event", event.as_str().to_owned())],
        ));
    };
    let done = sqlx::query(
        "update document_request_item set state = $1, document_id = $2, text_sealed = $3, updated_at = $4, \
         version = version + 1 where id = $5 and version = $6",
    )
    .bind(to.as_str())
    .bind(item.document.as_ref().map(|document| document.0.clone()))
    .bind(item.text_sealed.clone())
    .bind(now.0)
    .bind(&item.id)
    .bind(item.version)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict("requested item"));
    }
    let details = json!({
        "item": item.id, "from": item.state.as_str(), "to": to.as_str(),
        "document": item.document.as_ref().map(DocumentId::as_str),
    });
    item.state = to;
    item.version += 1;
    record(tx, &item.request, event.as_str(), actor, details, now).await
}

async fn record(
    tx: &mut Tx,
    id: &DocumentRequestId,
    verb: &str,
    actor: &Actor,
    details: Value,
    now: Timestamp,
) -> Result<()> {
    let action = format!("document_request.{verb}");
    audit::record(tx, actor, &action, ("document_request", id.as_str()), details, now).await
}

/// What an applicant can hand in now, by the conversation that a case was filed in or by login, most urgent
/// first.
pub async fn wanted(
    tx: &mut Tx,
    keys: &Keys,
    conversation: &ConversationId,
    person: Option<&PersonId>,
) -> Result<Vec<WantedItem>> {
    let rows = sqlx::query(
        "select i.id, i.request_id, i.item_id, i.state, i.document_id, i.key_wrapped, i.text_sealed, \
         i.version, a.id, a.number, a.definition_hash, r.deadline \
         from application a join document_request r on r.application_id = a.id \
         join document_request_item i on i.request_id = r.id \
         where (a.conversation_id = $1 or a.person_id = $2) and r.state in ($3, $4) and i.state in ($5, $6) \
         order by r.deadline, r.id, i.position limit 100",
    )
    .bind(conversation.as_str())
    .bind(person.map_or("", PersonId::as_str))
    .bind(RequestState::Sent.as_str())
    .bind(RequestState::Partial.as_str())
    .bind(ItemState::Open.as_str())
    .bind(ItemState::Rejected.as_str())
    .fetch_all(&mut *tx)
    .await?;
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let mut wanted = Vec::with_capacity(rows.len());
    for row in rows {
        let item = Item::read(&row)?;
        let hash: String = row.try_get(10)?;
        if !services.contains_key(&hash) {
            services.insert(hash.clone(), application::service_by_hash(tx, &hash).await?);
        }
        let defined = services.get(&hash).and_then(|service| {
            service.documents.iter().find(|known| item.defined_as.as_ref() == Some(&known.id))
        });
        let words = item.words(keys)?;
        wanted.push(WantedItem {
            item: item.id,
            application: ApplicationId(row.try_get(8)?),
            number: row.try_get(9)?,
            label: words.label,
            reason: words.reason,
            note: words.note,
            deadline: Timestamp(row.try_get(11)?),
            formats: defined.map_or_else(|| FREE_FORMATS.to_vec(), |known| known.formats.clone()),
            max_mb: defined.map_or(FREE_MAX_MB, |known| known.max_mb),
        });
    }
    Ok(wanted)
}

/// A document has come for an item. With the last one the application goes back to the check. The document
/// itself is put to the case by the caller, who has also checked that this applicant was asked for it
/// ([`wanted`]).
pub async fn supply(
    tx: &mut Tx,
    keys: &Keys,
    item: &str,
    document: &DocumentId,
    actor: &Actor,
    now: Timestamp,
) -> Result<Supplied> {
    let mut item = load_item(tx, item).await?;
    let mut request = load_request(tx, &item.request).await?;
    if !request.state.is_waiting() {
        return Err(Error::refused("document_request.not_open"));
    }
    let label = item.words(keys)?.label;
    if !item.state.is_missing() {
        return Err(Error::refused_with("document_request.already_supplied", vec![("label", label)]));
    }
    if item.state == ItemState::Rejected {
        step_item(tx, &mut item, ItemEvent::Reopen, actor, now).await?;
    }
    item.document = Some(document.clone());
    step_item(tx, &mut item, ItemEvent::Deliver, actor, now).await?;
    let items = items_of(tx, &request.id).await?;
    let still_open = items.iter().filter(|item| item.state.is_missing()).count();
    if still_open == 0 {
        step(tx, &mut request, RequestEvent::Fulfil, actor, now).await?;
        application::apply(tx, &request.application, &Event::Fulfilled, &SYSTEM, now).await?;
    } else if request.state == RequestState::Sent {
        step(tx, &mut request, RequestEvent::Deliver, actor, now).await?;
    }
    Ok(Supplied { label, still_open })
}

/// A member of staff accepts a document, or rejects it with a reason for the applicant (`note`). Returns
/// where the request stands: while it waits, a rejected item is awaited again by itself; otherwise it must
/// be asked for with a new request.
pub async fn judge(
    tx: &mut Tx,
    keys: &Keys,
    item: &str,
    accept: bool,
    note: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<RequestState> {
    staff_only(actor, "judge")?;
    let mut item = load_item(tx, item).await?;
    let request = load_request(tx, &item.request).await?;
    if accept {
        step_item(tx, &mut item, ItemEvent::Accept, actor, now).await?;
        return Ok(request.state);
    }
    if note.trim().is_empty() {
        return Err(Error::refused("document_request.reason_missing"));
    }
    if let Some(wrapped) = &item.key_wrapped {
        let words = Words { note: Some(note.trim().to_owned()), ..item.words(keys)? };
        let key = keys.master.unwrap(wrapped, &item.id)?;
        item.text_sealed = Some(seal_words(keys, &key, &item.id, &words)?);
    }
    step_item(tx, &mut item, ItemEvent::Reject, actor, now).await?;
    Ok(request.state)
}

/// The requests of an application with their items, newest first, at most 20.
pub async fn of_application(
    tx: &mut Tx,
    keys: &Keys,
    application: &ApplicationId,
) -> Result<Vec<DocumentRequest>> {
    let mut requests = Vec::new();
    for request in requests_of(tx, application).await? {
        let items = items_of(tx, &request.id).await?;
        let items = items
            .into_iter()
            .map(|item| {
                let words = item.words(keys)?;
                Ok(RequestedItem {
                    item: item.id,
                    item_id: item.defined_as,
                    label: words.label,
                    reason: words.reason,
                    note: words.note,
                    state: item.state,
                    document: item.document,
                })
            })
            .collect::<Result<_>>()?;
        requests.push(DocumentRequest {
            id: request.id,
            state: request.state,
            deadline: request.deadline,
            created_at: request.created_at,
            items,
        });
    }
    Ok(requests)
}

async fn requests_of(tx: &mut Tx, application: &ApplicationId) -> Result<Vec<Request>> {
    let rows = sqlx::query(
        "select id, application_id, state, deadline, created_at, version from document_request \
         where application_id = $1 order by created_at desc, id desc limit 20",
    )
    .bind(application.as_str())
    .fetch_all(&mut *tx)
    .await?;
    rows.iter().map(Request::read).collect()
}

/// Reminders that are due, each for the first and only time: they are marked in this transaction, in which
/// the caller also hands them to the outbox. Nothing comes after fulfilling, withdrawing or the deadline;
/// where two are due at once (the program stood still), only the later one comes.
pub async fn due_reminders(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Reminder>> {
    let rows = sqlx::query(
        "select m.request_id, min(m.days_before), min(m.due_at) \
         from document_request_reminder m join document_request r on r.id = m.request_id \
         where m.sent_at is null and m.due_at <= $1 and r.deadline > $1 and r.state in ($2, $3) \
         group by m.request_id order by min(m.due_at), m.request_id limit $4",
    )
    .bind(now.0)
    .bind(RequestState::Sent.as_str())
    .bind(RequestState::Partial.as_str())
    .bind(limit.clamp(1, 500))
    .fetch_all(&mut *tx)
    .await?;
    let mut reminders = Vec::with_capacity(rows.len());
    for row in rows {
        let request = load_request(tx, &DocumentRequestId(row.try_get(0)?)).await?;
        let days_before: i64 = row.try_get(1)?;
        sqlx::query(
            "update document_request_reminder set sent_at = $1 \
             where request_id = $2 and sent_at is null and due_at <= $1",
        )
        .bind(now.0)
        .bind(request.id.as_str())
        .execute(&mut *tx)
        .await?;
        record(tx, &request.id, "remind", &SYSTEM, json!({ "days_before": days_before }), now).await?;
        let case =
            sqlx::query("select number, conversation_id, person_id, language from application where id = $1")
                .bind(request.application.as_str())
                .fetch_one(&mut *tx)
                .await?;
        reminders.push(Reminder {
            request: request.id,
            application: request.application,
            number: case.try_get(0)?,
            conversation: ConversationId(case.try_get(1)?),
            person: case.try_get::<Option<String>, _>(2)?.map(PersonId),
            language: case.try_get(3)?,
            deadline: request.deadline,
            days_before,
        });
    }
    Ok(reminders)
}

/// Ends the requests whose deadline has passed and puts their applications back to the check, where a
/// person looks at them. Returns the requests with their cases.
pub async fn expire_due(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(DocumentRequestId, ApplicationId)>> {
    let rows = sqlx::query(
        "select id, application_id, state, deadline, created_at, version from document_request \
         where state in ($1, $2) and deadline < $3 order by deadline, id limit $4",
    )
    .bind(RequestState::Sent.as_str())
    .bind(RequestState::Partial.as_str())
    .bind(now.0)
    .bind(limit.clamp(1, 500))
    .fetch_all(&mut *tx)
    .await?;
    let mut expired = Vec::with_capacity(rows.len());
    for row in rows {
        let mut request = Request::read(&row)?;
        step(tx, &mut request, RequestEvent::Expire, &SYSTEM, now).await?;
        let case = application::row(tx, &request.application).await?;
        if case.is_some_and(|case| case.state == State::DocumentsRequested) {
            application::apply(tx, &request.application, &Event::Expired, &SYSTEM, now).await?;
        }
        expired.push((request.id, request.application));
    }
    Ok(expired)
}

/// A member of staff moves the deadline, also after it has passed (§ 31(7) VwVfG); the application waits
/// again then.
pub async fn extend(
    tx: &mut Tx,
    id: &DocumentRequestId,
    deadline: Timestamp,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    staff_only(actor, "extend")?;
    let mut request = load_request(tx, id).await?;
    if deadline <= now {
        return Err(Error::refused("document_request.deadline_past"));
    }
    if deadline <= request.deadline {
        return Err(Error::refused("document_request.deadline_not_later"));
    }
    let was_waiting = request.state.is_waiting();
    request.deadline = deadline;
    step(tx, &mut request, RequestEvent::Extend, actor, now).await?;
    step(tx, &mut request, RequestEvent::Send, actor, now).await?;
    if items_of(tx, id).await?.iter().any(|item| !item.state.is_missing()) {
        step(tx, &mut request, RequestEvent::Deliver, actor, now).await?;
    }
    if !was_waiting {
        application::apply(tx, &request.application, &Event::RequestDocuments, actor, now).await?;
    }
    plan_reminders(tx, id, deadline, now).await
}

/// Closes what an application still waits for, because it has ended.
pub(crate) async fn close_open(
    tx: &mut Tx,
    application: &ApplicationId,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    for mut request in requests_of(tx, application).await? {
        if request.state.is_waiting() {
            step(tx, &mut request, RequestEvent::Close, actor, now).await?;
        }
    }
    Ok(())
}

/// Destroys the words of all requests of an application.
pub(crate) async fn destroy_texts(tx: &mut Tx, application: &ApplicationId) -> Result<()> {
    sqlx::query(
        "update document_request_item set key_wrapped = null, text_sealed = null \
         where request_id in (select id from document_request where application_id = $1)",
    )
    .bind(application.as_str())
    .execute(&mut *tx)
    .await?;
    Ok(())
}
