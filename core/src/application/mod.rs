//! Applications (Vorgänge): filing, what happens to them, who works on them. Every step goes through the one
//! table in `state.rs`, writes one audit record, and leaves everything unchanged when it is refused.
//! Letters, messages and rights are not made here; the caller has checked who may act on which case.

mod access;
pub mod state;
mod store;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::Row as _;

use amtsbote_knowledge::{DecisionKind, FeeWhen, Service, Trust, localized};

use crate::audit::{self, Actor};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ApplicationId, ConversationId, DocumentId, PaymentId, PersonId, StaffId};
use crate::permission::trust_number;
use crate::seal::Keys;
use crate::{document_request, payment};

pub use access::{access_code, by_number_and_code, sweep_tries};
pub use state::{DecisionEvidence, Event, EventActor, Refused, State, next, status_text_key};
pub(crate) use store::service_by_hash;
pub use store::{
    Application, Filter, Row, counts, id_by_number, list, load, of_conversation, of_person, row,
};

/// The program's part that receives applications, in audit records.
const INTAKE: Actor = Actor::System("intake");

/// How often a new number is drawn before giving up. With 29^8 numbers even one repetition is rare.
const NUMBER_DRAWS: u32 = 10;

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::refused_with(
            "application.illegal_event",
            vec![("state", refused.state.as_str().to_owned()), ("event", refused.event.to_owned())],
        )
    }
}

/// What an applicant sends.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Id of the draft; the same draft is filed once.
    pub draft_id: String,
    /// The conversation that it is filed in.
    pub conversation: ConversationId,
    /// Who is logged in.
    pub person: Option<PersonId>,
    /// Trust level of the login.
    pub trust: Trust,
    /// Language tag of the applicant.
    pub language: String,
    /// Field id → normalised answer.
    pub answers: BTreeMap<String, String>,
    /// Item id of the service → document, as handed in.
    pub documents: Vec<(String, DocumentId)>,
    /// Item ids of documents that will be handed in later.
    pub later_documents: Vec<String>,
    /// The declaration in the words that were shown.
    pub declaration_shown: String,
}

/// A filed application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Its id.
    pub id: ApplicationId,
    /// Its number for people, eight characters.
    pub number: String,
    /// With this and the number the case can be looked at without a login.
    pub access_code: String,
    /// The payment that is due now, with its amount in cents.
    pub payment: Option<(PaymentId, i64)>,
}

/// Files an application: submitted, received, and then waiting for the fee or for the check, in one go. It
/// is received whatever it lacks (§ 24(3) VwVfG). The same draft again gives the same answer and changes
/// nothing. `definition` is the text of the service's file, kept so that the case is worked on as it was
/// filed. The documents are put to the case by the caller, in the same transaction.
pub async fn submit(
    tx: &mut Tx,
    keys: &Keys,
    service: &Service,
    definition: &str,
    submission: &Submission,
    actor: &Actor,
    now: Timestamp,
) -> Result<Filed> {
    if let Some(filed) = filed_before(tx, keys, submission).await? {
        return Ok(filed);
    }
    check_actor(&Event::Submit, actor)?;
    let submitted = next(State::Draft, &Event::Submit)?;
    let id: ApplicationId = keys.clock.id();
    let number = insert(tx, keys, (&id, submitted), service, definition, submission, now).await?;
    store::count(tx, submitted, 1).await?;
    audit::record(
        tx,
        actor,
        "application.submit",
        ("application", id.as_str()),
        json!({
            "from": State::Draft.as_str(), "to": submitted.as_str(),
            "service": service.id, "service_version": service.version,
        }),
        now,
    )
    .await?;
    apply(tx, &id, &Event::Receive, &INTAKE, now).await?;
    let items = fee_items(service, &submission.answers);
    let payment = if items.is_empty() {
        apply(tx, &id, &Event::StartCheck, &INTAKE, now).await?;
        None
    } else {
        let payment = payment::create(tx, keys, &id, &items, now).await?;
        apply(tx, &id, &Event::FeeDue, &INTAKE, now).await?;
        Some((payment, items.iter().map(|(_, cents)| cents).sum()))
    };
    let access_code = access_code(keys, &id);
    Ok(Filed { id, number, access_code, payment })
}

/// The answer to a draft that has been filed already, given only to the same conversation or person.
async fn filed_before(tx: &mut Tx, keys: &Keys, submission: &Submission) -> Result<Option<Filed>> {
    let Some(row) =
        sqlx::query("select id, number, conversation_id, person_id from application where draft_id = $1")
            .bind(&submission.draft_id)
            .fetch_optional(&mut *tx)
            .await?
    else {
        return Ok(None);
    };
    let person = row.try_get::<Option<String>, _>(3)?.map(PersonId);
    let same_person = person.is_some() && person == submission.person;
    if !same_person && row.try_get::<String, _>(2)? != submission.conversation.0 {
        return Err(Error::NotFound("draft"));
    }
    let id = ApplicationId(row.try_get(0)?);
    let payment = payment::of_application(tx, &id).await?.map(|payment| (payment.id, payment.amount_cents));
    let access_code = access_code(keys, &id);
    Ok(Some(Filed { id, number: row.try_get(1)?, access_code, payment }))
}

/// Items of a fee that is due before the work begins, as the receipt will name them. Items of 0 cents and
/// services without such a fee give none.
fn fee_items(service: &Service, answers: &BTreeMap<String, String>) -> Vec<(String, i64)> {
    service
        .fee
        .iter()
        .filter(|fee| fee.when == FeeWhen::AtSubmission)
        .flat_map(|fee| &fee.items)
        .filter(|item| {
            item.cents > 0 && item.only_if.as_ref().is_none_or(|condition| condition.holds(answers))
        })
        .map(|item| (localized(&item.label, "de").to_owned(), item.cents))
        .collect()
}

/// Inserts the row and returns its number.
async fn insert(
    tx: &mut Tx,
    keys: &Keys,
    (id, state): (&ApplicationId, State),
    service: &Service,
    definition: &str,
    submission: &Submission,
    now: Timestamp,
) -> Result<String> {
    let definition_hash = store::keep_definition(tx, service, definition, now).await?;
    let number = free_number(tx, keys).await?;
    let body = store::Body {
        answers: submission.answers.clone(),
        documents: submission.documents.clone(),
        declaration_shown: submission.declaration_shown.clone(),
    };
    let (key_wrapped, answers_sealed) = store::seal_body(keys, id, &body)?;
    let due_at = match service.sla.decision_days {
        0 => store::NO_DUE,
        days => crate::deadline::working_days_after(now, days).0,
    };
    sqlx::query(
        "insert into application (id, number, draft_id, service_id, definition_hash, person_id, \
         conversation_id, trust, language, state, state_since, submitted_at, due_at, assigned_staff_id, \
         later_documents, key_wrapped, answers_sealed, version, updated_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, null, $13, $14, $15, 1, $11)",
    )
    .bind(id.as_str())
    .bind(&number)
    .bind(&submission.draft_id)
    .bind(&service.id)
    .bind(definition_hash)
    .bind(submission.person.as_ref().map(|person| person.0.clone()))
    .bind(submission.conversation.as_str())
    .bind(trust_number(submission.trust))
    .bind(&submission.language)
    .bind(state.as_str())
    .bind(now.0)
    .bind(due_at)
    .bind(json!(submission.later_documents).to_string())
    .bind(key_wrapped)
    .bind(answers_sealed)
    .execute(&mut *tx)
    .await?;
    Ok(number)
}

async fn free_number(tx: &mut Tx, keys: &Keys) -> Result<String> {
    for _ in 0..NUMBER_DRAWS {
        let number = keys.clock.code(8);
        if store::id_by_number(tx, &number).await?.is_none() {
            return Ok(number);
        }
    }
    Err(Error::Setup("no free case number was found; the source of randomness is broken".to_owned()))
}

/// Refuses an event that this kind of actor may not let happen.
fn check_actor(event: &Event, actor: &Actor) -> Result<()> {
    let refused =
        || Err(Error::refused_with("application.wrong_actor", vec![("event", event.as_str().to_owned())]));
    if !event.actors().contains(&EventActor::from(actor)) {
        return refused();
    }
    match (event, actor) {
        (Event::Decide(evidence), Actor::Staff(staff)) if evidence.staff() != staff => refused(),
        _ => Ok(()),
    }
}

/// Lets something happen to an application and returns where it stands then. Not in the table, or not for
/// this kind of actor: `Refused`, and nothing has changed. Changed by somebody else meanwhile: `Conflict`.
///
/// What always goes with an event is done here too: a waived fee is no longer asked for; after withdrawing,
/// forwarding and settling the open requests for documents are closed, the unpaid fee is dropped, and after
/// withdrawing a paid fee is marked for refund; erasing destroys the keys.
pub async fn apply(
    tx: &mut Tx,
    id: &ApplicationId,
    event: &Event,
    actor: &Actor,
    now: Timestamp,
) -> Result<State> {
    let row = sqlx::query("select state, version, definition_hash from application where id = $1")
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("application"))?;
    let from = store::read_state(&row.try_get::<String, _>(0)?)?;
    let version: i64 = row.try_get(1)?;
    let to = next(from, event)?;
    check_actor(event, actor)?;
    if *event == Event::ServiceRendered {
        let service = store::service_by_hash(tx, &row.try_get::<String, _>(2)?).await?;
        if service.decision.kind != DecisionKind::None {
            return Err(Error::refused("application.decision_required"));
        }
    }
    let done = sqlx::query(
        "update application set state = $1, state_since = $2, updated_at = $2, version = version + 1 \
         where id = $3 and version = $4",
    )
    .bind(to.as_str())
    .bind(now.0)
    .bind(id.as_str())
    .bind(version)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict("application"));
    }
    store::count(tx, from, -1).await?;
    store::count(tx, to, 1).await?;
    let mut details = json!({ "from": from.as_str(), "to": to.as_str() });
    if let Event::Decide(evidence) = event {
        details["role"] = json!(evidence.role());
        details["sha256"] = json!(evidence.sha256());
    }
    let action = format!("application.{}", event.as_str());
    audit::record(tx, actor, &action, ("application", id.as_str()), details, now).await?;
    follow_up(tx, id, event, actor, now).await?;
    Ok(to)
}

/// What always goes with an event.
async fn follow_up(
    tx: &mut Tx,
    id: &ApplicationId,
    event: &Event,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    match event {
        Event::Waive => payment::release(tx, id, false, actor, now).await,
        Event::Withdraw | Event::NotCompetent | Event::Moot => {
            document_request::close_open(tx, id, actor, now).await?;
            payment::release(tx, id, *event == Event::Withdraw, actor, now).await
        }
        Event::Erase => {
            sqlx::query(
                "update application set key_wrapped = null, answers_sealed = null, person_id = null \
                 where id = $1",
            )
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
            document_request::destroy_texts(tx, id).await
        }
        _ => Ok(()),
    }
}

/// Takes an application back and returns its number. The applicant must be the one who filed it: by login
/// (`person`), or by the conversation it was filed in. Staff act on what they were told.
pub async fn withdraw(
    tx: &mut Tx,
    application: &ApplicationId,
    person: Option<&PersonId>,
    actor: &Actor,
    now: Timestamp,
) -> Result<String> {
    let row = sqlx::query("select number, person_id, conversation_id from application where id = $1")
        .bind(application.as_str())
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("application"))?;
    let owner: Option<String> = row.try_get(1)?;
    let owned_by = |id: &PersonId| owner.as_deref() == Some(id.as_str());
    let conversation: String = row.try_get(2)?;
    let allowed = person.is_some_and(owned_by)
        || match actor {
            Actor::Person(id) => owned_by(id),
            Actor::Anonymous(id) => id.0 == conversation,
            Actor::Staff(_) => true,
            Actor::System(_) => false,
        };
    if !allowed {
        return Err(Error::NotFound("application"));
    }
    apply(tx, application, &Event::Withdraw, actor, now).await?;
    Ok(row.try_get(0)?)
}

/// Gives an application to a member of staff. `expected` is who has it now, as the caller saw it; if
/// somebody else was faster, the answer is `Conflict`.
pub async fn assign(
    tx: &mut Tx,
    id: &ApplicationId,
    staff: &StaffId,
    expected: Option<&StaffId>,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    if EventActor::from(actor) == EventActor::Person {
        return Err(Error::refused_with("application.wrong_actor", vec![("event", "assign".to_owned())]));
    }
    let done = sqlx::query(
        "update application set assigned_staff_id = $1, updated_at = $2, version = version + 1 \
         where id = $3 and coalesce(assigned_staff_id, '') = $4",
    )
    .bind(staff.as_str())
    .bind(now.0)
    .bind(id.as_str())
    .bind(expected.map_or("", StaffId::as_str))
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return match store::row(tx, id).await? {
            Some(_) => Err(Error::Conflict("application")),
            None => Err(Error::NotFound("application")),
        };
    }
    let details = json!({ "to": staff.as_str(), "from": expected.map(StaffId::as_str) });
    audit::record(tx, actor, "application.assign", ("application", id.as_str()), details, now).await
}
