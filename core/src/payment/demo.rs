//! The made-up bank of the demonstration: orders in a table of its own, paid, cancelled or refused on its
//! own page. It behaves like a real provider (the same request id gives the same order, pages expire, a
//! payment can come late) and knows nothing of applications. No money moves here.

use std::time::Duration;

use sqlx::Row as _;

use super::state::ProviderAnswer;
use crate::clock::{Clock, Timestamp};
use crate::db::Tx;
use crate::error::{Error, Result};

/// How long an order can be paid before it expires: 5,400 seconds (`administration.md` section 7).
const OPEN_FOR: Duration = Duration::from_mins(90);

/// An order as the bank sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The bank's reference, part of the address of its page. A secret of the payer.
    pub reference: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// What it is for, at most 27 characters.
    pub purpose: String,
    /// Where it stands; never `Unknown`.
    pub state: ProviderAnswer,
    /// Where the payer goes back to; it carries no result.
    pub return_path: String,
}

/// What a payer does on the bank's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Pays. Also possible late, after cancelling, failing or expiring, as with a page left open elsewhere.
    Pay,
    /// Cancels.
    Cancel,
    /// Lets the payment fail, to try out how that looks.
    Fail,
}

/// Makes an order, or finds the one with the same request id. Returns the reference. Another amount under the
/// same request id is refused.
pub(super) async fn open(
    tx: &mut Tx,
    clock: &Clock,
    request_id: &str,
    amount_cents: i64,
    (purpose, return_path): (&str, &str),
    now: Timestamp,
) -> Result<String> {
    let row = sqlx::query("select reference, amount_cents from demo_order where request_id = $1")
        .bind(request_id)
        .fetch_optional(&mut *tx)
        .await?;
    if let Some(row) = row {
        if row.try_get::<i64, _>(1)? != amount_cents {
            return Err(Error::Conflict("payment request"));
        }
        return Ok(row.try_get(0)?);
    }
    let reference = clock.code(20);
    sqlx::query(
        "insert into demo_order (reference, request_id, amount_cents, purpose, return_path, state, created_at, \
         updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)",
    )
    .bind(&reference)
    .bind(request_id)
    .bind(amount_cents)
    .bind(purpose)
    .bind(return_path)
    .bind(ProviderAnswer::Open.as_str())
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(reference)
}

/// What the bank says about a request at `now`.
pub(super) async fn query(tx: &mut Tx, request_id: &str, now: Timestamp) -> Result<ProviderAnswer> {
    let row = sqlx::query("select state, created_at from demo_order where request_id = $1")
        .bind(request_id)
        .fetch_optional(&mut *tx)
        .await?;
    match row {
        Some(row) => Ok(state_at(&row.try_get::<String, _>(0)?, row.try_get(1)?, now)),
        None => Ok(ProviderAnswer::Unknown),
    }
}

/// The stored state, except that an open order expires by itself.
fn state_at(word: &str, created_at: i64, now: Timestamp) -> ProviderAnswer {
    let stored = ProviderAnswer::ALL
        .into_iter()
        .find(|answer| answer.as_str() == word)
        .unwrap_or(ProviderAnswer::Unknown);
    if stored == ProviderAnswer::Open && Timestamp(created_at).plus(OPEN_FOR) <= now {
        ProviderAnswer::Expired
    } else {
        stored
    }
}

/// The order behind a reference, for the bank's page. Whether it has expired is only known to [`act`] and to
/// the query, which know the time.
pub async fn order(tx: &mut Tx, reference: &str) -> Result<Option<Order>> {
    let row =
        sqlx::query("select amount_cents, purpose, state, return_path from demo_order where reference = $1")
            .bind(reference)
            .fetch_optional(&mut *tx)
            .await?;
    row.map(|row| {
        Ok(Order {
            reference: reference.to_owned(),
            amount_cents: row.try_get(0)?,
            purpose: row.try_get(1)?,
            state: state_at(&row.try_get::<String, _>(2)?, i64::MAX, Timestamp(0)),
            return_path: row.try_get(3)?,
        })
    })
    .transpose()
}

/// The payer acts on the bank's page. Paying twice is paying once; a finished order can't be cancelled, and a
/// paid one can't fail.
pub async fn act(tx: &mut Tx, reference: &str, act: Act, now: Timestamp) -> Result<ProviderAnswer> {
    let row = sqlx::query("select state, created_at from demo_order where reference = $1")
        .bind(reference)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("order"))?;
    let state = state_at(&row.try_get::<String, _>(0)?, row.try_get(1)?, now);
    let wanted = match act {
        Act::Pay => ProviderAnswer::Paid,
        Act::Cancel => ProviderAnswer::Cancelled,
        Act::Fail => ProviderAnswer::Failed,
    };
    if state == wanted {
        return Ok(state);
    }
    if wanted != ProviderAnswer::Paid && state != ProviderAnswer::Open {
        return Err(Error::refused("payment.order_finished"));
    }
    sqlx::query("update demo_order set state = $1, updated_at = $2 where reference = $3")
        .bind(wanted.as_str())
        .bind(now.0)
        .bind(reference)
        .execute(&mut *tx)
        .await?;
    Ok(wanted)
}
