//! Payments: one for each fee, with every request to a provider kept, so that no money that came in is lost
//! and none is counted twice. Browser, page and timer all come to [`settle`], which asks the provider and
//! records; what the browser says about the outcome is never believed. Receipts and messages are made
//! elsewhere.

pub mod demo;
mod state;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::application::{self, Event, State};
use crate::audit::{self, Actor};
use crate::clock::{Clock, Timestamp};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ApplicationId, PaymentId};
use crate::seal::Keys;

pub use state::{PaymentEvent, PaymentState, ProviderAnswer, next};

/// The program's part that handles payments, in audit records.
const SYSTEM: Actor = Actor::System("payment");

/// How long a provider is still asked about a request that ended without success.
const WATCHED: Duration = Duration::from_hours(30 * 24);

/// Most items of a payment (XBezahldienste 1.0.0).
const MOST_ITEMS: usize = 99;

const PAYMENT: &str = "id, application_id, provider, amount_cents, purpose, items, state, request_id, \
                       provider_reference, paid_request_id, paid_at, void_at, version, created_at, \
                       updated_at";

/// Who takes the money. A closed set: a real provider becomes a variant here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The made-up bank.
    Demo,
}

impl Provider {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Demo => "demo",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Demo].into_iter().find(|provider| provider.as_str() == word)
    }

    /// Path of the page to pay on.
    fn path(self, reference: &str) -> String {
        match self {
            Self::Demo => format!("/demo-bank/{reference}"),
        }
    }

    /// Makes the order, or finds the one with the same request id; returns its reference.
    async fn open(self, tx: &mut Tx, clock: &Clock, payment: &Payment, now: Timestamp) -> Result<String> {
        let request_id = payment.request_id.as_deref().ok_or(Error::Conflict("payment"))?;
        match self {
            Self::Demo => {
                let back = format!("/pay/{}", payment.id);
                let words = (payment.purpose.as_str(), back.as_str());
                demo::open(tx, clock, request_id, payment.amount_cents, words, now).await
            }
        }
    }

    async fn query(self, tx: &mut Tx, request_id: &str, now: Timestamp) -> Result<ProviderAnswer> {
        match self {
            Self::Demo => demo::query(tx, request_id, now).await,
        }
    }
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// What it is paid for.
    pub application: ApplicationId,
    /// Who takes the money.
    pub provider: Provider,
    /// Sum of the items, in cents (EUR).
    pub amount_cents: i64,
    /// What the payer reads on the statement, at most 27 characters.
    pub purpose: String,
    /// Label and cents of each item, from the definition of the service.
    pub items: Vec<(String, i64)>,
    /// Where it stands.
    pub state: PaymentState,
    /// Our id of the newest request to the provider.
    pub request_id: Option<String>,
    /// The provider's reference of the newest request.
    pub provider_reference: Option<String>,
    /// The request that was paid.
    pub paid_request_id: Option<String>,
    /// When it was found paid.
    pub paid_at: Option<Timestamp>,
    /// Since when it is no longer owed.
    pub void_at: Option<Timestamp>,
    /// Raised with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

impl Payment {
    fn read(row: &AnyRow) -> Result<Self> {
        let (provider, state): (String, String) = (row.try_get(2)?, row.try_get(6)?);
        Ok(Self {
            id: PaymentId(row.try_get(0)?),
            application: ApplicationId(row.try_get(1)?),
            provider: Provider::parse(&provider)
                .ok_or_else(|| Error::Setup(format!("a payment has the unknown provider {provider:?}")))?,
            amount_cents: row.try_get(3)?,
            purpose: row.try_get(4)?,
            items: serde_json::from_str(&row.try_get::<String, _>(5)?)
                .map_err(|_| Error::Setup("the items of a payment are not readable".to_owned()))?,
            state: PaymentState::parse(&state)
                .ok_or_else(|| Error::Setup(format!("a payment has the unknown state {state:?}")))?,
            request_id: row.try_get(7)?,
            provider_reference: row.try_get(8)?,
            paid_request_id: row.try_get(9)?,
            paid_at: row.try_get::<Option<i64>, _>(10)?.map(Timestamp),
            void_at: row.try_get::<Option<i64>, _>(11)?.map(Timestamp),
            version: row.try_get(12)?,
            created_at: Timestamp(row.try_get(13)?),
            updated_at: Timestamp(row.try_get(14)?),
        })
    }
}

/// What [`settle`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Where the payment stands now.
    pub state: PaymentState,
    /// This call, and no other, found it paid: the moment for the receipt. Money that is not owed any more
    /// never makes this true; it is marked for refund.
    pub newly_paid: bool,
}

/// Money that is to go back, until a person confirms that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRefund {
    /// The payment.
    pub payment: PaymentId,
    /// The case.
    pub application: ApplicationId,
    /// The request that brought the money.
    pub request_id: String,
    /// Amount in cents.
    pub amount_cents: i64,
}

/// Makes a payment. Amounts come from the definition of the service, never from a client.
pub async fn create(
    tx: &mut Tx,
    keys: &Keys,
    application: &ApplicationId,
    items: &[(String, i64)],
    now: Timestamp,
) -> Result<PaymentId> {
    let amount = items.iter().try_fold(0_i64, |sum, (_, cents)| sum.checked_add(*cents));
    let amount =
        amount.filter(|amount| *amount > 0 && (1..=MOST_ITEMS).contains(&items.len())).ok_or_else(|| {
            Error::Setup(
                "a fee must have 1 to 99 items and a sum above 0; mend the service's file".to_owned(),
            )
        })?;
    let case = application::row(tx, application).await?.ok_or(Error::NotFound("application"))?;
    let id: PaymentId = keys.clock.id();
    sqlx::query(
        "insert into payment (id, application_id, provider, amount_cents, purpose, items, state, request_id, \
         provider_reference, paid_request_id, paid_at, void_at, version, created_at, updated_at) \
         values ($1, $2, $3, $4, $5, $6, $7, null, null, null, null, null, 1, $8, $8)",
    )
    .bind(id.as_str())
    .bind(application.as_str())
    .bind(Provider::Demo.as_str())
    .bind(amount)
    .bind(format!("Vorgang {}", case.number))
    .bind(json!(items).to_string())
    .bind(PaymentState::Created.as_str())
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    let details = json!({ "application": application.as_str(), "amount_cents": amount });
    audit::record(tx, &SYSTEM, "payment.create", ("payment", id.as_str()), details, now).await?;
    Ok(id)
}

/// One payment.
pub async fn load(tx: &mut Tx, id: &PaymentId) -> Result<Option<Payment>> {
    let sql = format!("select {PAYMENT} from payment where id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&mut *tx).await?;
    row.as_ref().map(Payment::read).transpose()
}

async fn get(tx: &mut Tx, id: &PaymentId) -> Result<Payment> {
    load(tx, id).await?.ok_or(Error::NotFound("payment"))
}

/// The newest payment of an application.
pub async fn of_application(tx: &mut Tx, application: &ApplicationId) -> Result<Option<Payment>> {
    Ok(all_of_application(tx, application).await?.into_iter().next())
}

/// The payments of an application, newest first, at most 20.
async fn all_of_application(tx: &mut Tx, application: &ApplicationId) -> Result<Vec<Payment>> {
    let sql = format!(
        "select {PAYMENT} from payment where application_id = $1 order by created_at desc, id desc limit 20"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(application.as_str()).fetch_all(&mut *tx).await?;
    rows.iter().map(Payment::read).collect()
}

/// Moves a payment along one edge and stores what `payment` holds; `false` where the table has no such edge.
async fn step(
    tx: &mut Tx,
    payment: &mut Payment,
    event: PaymentEvent,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool> {
    let Some(to) = next(payment.state, event) else {
        return Ok(false);
    };
    let details = json!({ "from": payment.state.as_str(), "to": to.as_str() });
    payment.state = to;
    save(tx, payment, event.as_str(), actor, details, now).await?;
    Ok(true)
}

/// Stores what `payment` holds, with one audit record.
async fn save(
    tx: &mut Tx,
    payment: &mut Payment,
    verb: &str,
    actor: &Actor,
    details: Value,
    now: Timestamp,
) -> Result<()> {
    let done = sqlx::query(
        "update payment set state = $1, request_id = $2, provider_reference = $3, paid_request_id = $4, \
         paid_at = $5, void_at = $6, updated_at = $7, version = version + 1 where id = $8 and version = $9",
    )
    .bind(payment.state.as_str())
    .bind(payment.request_id.clone())
    .bind(payment.provider_reference.clone())
    .bind(payment.paid_request_id.clone())
    .bind(payment.paid_at.map(|at| at.0))
    .bind(payment.void_at.map(|at| at.0))
    .bind(now.0)
    .bind(payment.id.as_str())
    .bind(payment.version)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict("payment"));
    }
    payment.version += 1;
    payment.updated_at = now;
    audit::record(tx, actor, &format!("payment.{verb}"), ("payment", payment.id.as_str()), details, now).await
}

/// Gives the payment a new request id, kept for ever. The provider is not asked about it before it is called.
async fn new_attempt(
    tx: &mut Tx,
    keys: &Keys,
    payment: &mut Payment,
    event: PaymentEvent,
    now: Timestamp,
) -> Result<()> {
    let request_id = keys.clock.id::<PaymentId>().0;
    sqlx::query(
        "insert into payment_attempt (request_id, payment_id, outcome, watch_until, checked_at, created_at) \
         values ($1, $2, $3, 0, 0, $4)",
    )
    .bind(&request_id)
    .bind(payment.id.as_str())
    .bind(ProviderAnswer::Open.as_str())
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    payment.request_id = Some(request_id);
    payment.provider_reference = None;
    step(tx, payment, event, &SYSTEM, now).await?;
    Ok(())
}

/// Asks the provider for a page to pay on and returns its path, `/demo-bank/<reference>`. Asking again
/// gives the same page. The request id and `requested` are stored before the provider is called.
pub async fn request(tx: &mut Tx, keys: &Keys, id: &PaymentId, now: Timestamp) -> Result<String> {
    let mut payment = get(tx, id).await?;
    refuse_if_not_payable(&payment)?;
    if payment.state == PaymentState::Created {
        new_attempt(tx, keys, &mut payment, PaymentEvent::SetKey, now).await?;
    }
    if payment.state == PaymentState::KeySet {
        step(tx, &mut payment, PaymentEvent::Request, &SYSTEM, now).await?;
        watch(tx, payment.request_id.as_deref().unwrap_or_default(), now).await?;
    }
    if let Some(reference) = &payment.provider_reference {
        return Ok(payment.provider.path(reference));
    }
    let reference = payment.provider.open(tx, &keys.clock, &payment, now).await?;
    payment.provider_reference = Some(reference.clone());
    if !step(tx, &mut payment, PaymentEvent::Redirect, &SYSTEM, now).await? {
        // A query was faster than the answer to the call: only the reference is new.
        save(tx, &mut payment, "reference", &SYSTEM, json!({}), now).await?;
    }
    Ok(payment.provider.path(&reference))
}

fn refuse_if_not_payable(payment: &Payment) -> Result<()> {
    if payment.state.has_money() {
        return Err(Error::refused("payment.already_paid"));
    }
    if payment.void_at.is_some() {
        return Err(Error::refused("payment.not_due"));
    }
    match payment.state {
        PaymentState::Cancelled | PaymentState::Expired | PaymentState::Failed => {
            Err(Error::refused("payment.start_again"))
        }
        _ => Ok(()),
    }
}

/// From now on the provider is asked about this request until it gives an outcome.
async fn watch(tx: &mut Tx, request_id: &str, now: Timestamp) -> Result<()> {
    sqlx::query("update payment_attempt set watch_until = $1, checked_at = $2 where request_id = $3")
        .bind(i64::MAX)
        .bind(now.0)
        .bind(request_id)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Makes a payment requestable again after it was cancelled, failed or expired. The earlier request is
/// kept: if it is paid late after all, [`settle`] finds it, and a second success is marked for refund.
pub async fn retry(tx: &mut Tx, keys: &Keys, id: &PaymentId, now: Timestamp) -> Result<()> {
    let mut payment = get(tx, id).await?;
    match refuse_if_not_payable(&payment) {
        Err(Error::Refused { key: "payment.start_again", .. }) => {
            new_attempt(tx, keys, &mut payment, PaymentEvent::Retry, now).await
        }
        Err(error) => Err(error),
        // It can be paid already: a second click changes nothing.
        Ok(()) => Ok(()),
    }
}

/// THE function that learns how a payment went: it asks the provider about every request that may still
/// bring money, and records. Idempotent: each effect (receipt, application paid) happens once, however
/// often and from wherever this is called. A paid fee moves an application on that waits for it.
pub async fn settle(tx: &mut Tx, id: &PaymentId, now: Timestamp) -> Result<Settled> {
    let mut payment = get(tx, id).await?;
    let mut newly_paid = false;
    let rows = sqlx::query(
        "select request_id, outcome from payment_attempt where payment_id = $1 and watch_until > 0 \
         order by created_at, request_id limit 100",
    )
    .bind(id.as_str())
    .fetch_all(&mut *tx)
    .await?;
    for row in rows {
        let (request_id, outcome): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let answer = payment.provider.query(tx, &request_id, now).await?;
        if answer == ProviderAnswer::Paid {
            newly_paid |= money_came(tx, &mut payment, &request_id, now).await?;
            continue;
        }
        note_answer(tx, &request_id, &outcome, answer, now).await?;
        if payment.request_id.as_deref() == Some(request_id.as_str()) {
            step(tx, &mut payment, PaymentEvent::Answer(answer), &SYSTEM, now).await?;
        }
    }
    Ok(Settled { state: payment.state, newly_paid })
}

/// Records an answer without money. A request that has ended is asked about for some time more.
async fn note_answer(
    tx: &mut Tx,
    request_id: &str,
    before: &str,
    answer: ProviderAnswer,
    now: Timestamp,
) -> Result<()> {
    let running = matches!(answer, ProviderAnswer::Open | ProviderAnswer::Unknown);
    if running || before == answer.as_str() {
        sqlx::query("update payment_attempt set checked_at = $1 where request_id = $2")
            .bind(now.0)
            .bind(request_id)
            .execute(&mut *tx)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "update payment_attempt set outcome = $1, watch_until = $2, checked_at = $3 where request_id = $4",
    )
    .bind(answer.as_str())
    .bind(now.plus(WATCHED).0)
    .bind(now.0)
    .bind(request_id)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Records that a request was paid. True if this pays the fee now, false if the money is not owed (any more).
async fn money_came(tx: &mut Tx, payment: &mut Payment, request_id: &str, now: Timestamp) -> Result<bool> {
    finish_attempt(tx, request_id, PaymentState::Paid, now).await?;
    if payment.state.has_money() {
        // Two requests were paid: the second money goes back.
        finish_attempt(tx, request_id, PaymentState::RefundRequested, now).await?;
        let details = json!({ "request": request_id });
        save(tx, payment, "double_success", &SYSTEM, details, now).await?;
        return Ok(false);
    }
    payment.paid_request_id = Some(request_id.to_owned());
    payment.paid_at = Some(now);
    if !step(tx, payment, PaymentEvent::Answer(ProviderAnswer::Paid), &SYSTEM, now).await? {
        return Err(Error::Conflict("payment"));
    }
    if payment.void_at.is_some() {
        request_refund(tx, payment, &SYSTEM, now).await?;
        return Ok(false);
    }
    let newly_paid = effect(tx, &payment.id, "receipt", now).await?;
    if effect(tx, &payment.id, "application_paid", now).await? {
        let case = application::row(tx, &payment.application).await?.ok_or(Error::NotFound("application"))?;
        if case.state == State::AwaitingPayment {
            application::apply(tx, &payment.application, &Event::Paid, &SYSTEM, now).await?;
        }
    }
    Ok(newly_paid)
}

/// Keeps the last word about a request; the provider is not asked about it any more.
async fn finish_attempt(tx: &mut Tx, request_id: &str, outcome: PaymentState, now: Timestamp) -> Result<()> {
    sqlx::query(
        "update payment_attempt set outcome = $1, watch_until = 0, checked_at = $2 where request_id = $3",
    )
    .bind(outcome.as_str())
    .bind(now.0)
    .bind(request_id)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// True for the first time that this effect of this payment is noted.
async fn effect(tx: &mut Tx, id: &PaymentId, effect: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "insert into payment_effect (payment_id, effect, created_at) values ($1, $2, $3) \
         on conflict (payment_id, effect) do nothing",
    )
    .bind(id.as_str())
    .bind(effect)
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn request_refund(tx: &mut Tx, payment: &mut Payment, actor: &Actor, now: Timestamp) -> Result<()> {
    if step(tx, payment, PaymentEvent::RequestRefund, actor, now).await?
        && let Some(request_id) = payment.paid_request_id.clone()
    {
        finish_attempt(tx, &request_id, PaymentState::RefundRequested, now).await?;
    }
    Ok(())
}

/// The fees of an application are not owed any more: unpaid ones are dropped (money that comes all the same
/// goes back), paid ones go back if `refund` says so; otherwise a person decides about them.
pub(crate) async fn release(
    tx: &mut Tx,
    application: &ApplicationId,
    refund: bool,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    for mut payment in all_of_application(tx, application).await? {
        if payment.state.has_money() {
            if refund {
                request_refund(tx, &mut payment, actor, now).await?;
            }
        } else if payment.void_at.is_none() {
            payment.void_at = Some(now);
            save(tx, &mut payment, "void", actor, json!({}), now).await?;
        }
    }
    Ok(())
}

/// Money that is to go back, oldest first.
pub async fn open_refunds(tx: &mut Tx, limit: i64) -> Result<Vec<OpenRefund>> {
    let rows = sqlx::query(
        "select payment.id, payment.application_id, payment_attempt.request_id, payment.amount_cents \
         from payment_attempt join payment on payment.id = payment_attempt.payment_id \
         where payment_attempt.outcome = $1 order by payment_attempt.created_at, payment_attempt.request_id \
         limit $2",
    )
    .bind(PaymentState::RefundRequested.as_str())
    .bind(limit.clamp(1, 500))
    .fetch_all(&mut *tx)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(OpenRefund {
                payment: PaymentId(row.try_get(0)?),
                application: ApplicationId(row.try_get(1)?),
                request_id: row.try_get(2)?,
                amount_cents: row.try_get(3)?,
            })
        })
        .collect()
}

/// A member of staff confirms that the money of a request has been given back.
pub async fn confirm_refund(tx: &mut Tx, request_id: &str, actor: &Actor, now: Timestamp) -> Result<()> {
    if !matches!(actor, Actor::Staff(_)) {
        return Err(Error::refused("payment.refund_needs_person"));
    }
    let row = sqlx::query("select payment_id, outcome from payment_attempt where request_id = $1")
        .bind(request_id)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("payment"))?;
    if row.try_get::<String, _>(1)? != PaymentState::RefundRequested.as_str() {
        return Err(Error::refused("payment.no_refund_open"));
    }
    let mut payment = get(tx, &PaymentId(row.try_get(0)?)).await?;
    finish_attempt(tx, request_id, PaymentState::Refunded, now).await?;
    if payment.paid_request_id.as_deref() == Some(request_id) {
        step(tx, &mut payment, PaymentEvent::Refund, actor, now).await?;
        return Ok(());
    }
    save(tx, &mut payment, "refund_double", actor, json!({ "request": request_id }), now).await
}

/// Payments with a request that may still bring money and that the provider was last asked about before
/// `before`; the longest waiting first. Each is to be settled.
pub async fn unsettled(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<PaymentId>> {
    let rows = sqlx::query(
        "select payment_id, min(checked_at) from payment_attempt \
         where watch_until > $1 and checked_at < $1 group by payment_id \
         order by min(checked_at), payment_id limit $2",
    )
    .bind(before.0)
    .bind(limit.clamp(1, 500))
    .fetch_all(&mut *tx)
    .await?;
    rows.iter().map(|row| Ok(PaymentId(row.try_get(0)?))).collect()
}
