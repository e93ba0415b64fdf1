//! Work by the clock: asking the payment provider, reminders, expired periods, cleaning up. Each job is a row with
//! a lease, so that of several instances one runs it. A job may run twice; all of them bear that.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::Row;

use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::conversation;
use crate::db::Tx;
use crate::document;
use crate::document_request;
use crate::error::Result;
use crate::office::Office;
use crate::payment;
use crate::session;

/// How long a job belongs to its worker.
const LEASE: Duration = Duration::from_mins(5);

/// Rows that one run of a job handles; the next run takes the rest.
const BATCH: i64 = 200;

type Work = for<'a> fn(&'a Arc<Office>) -> BoxFuture<'a, Result<u64>>;

/// Every job: name, seconds between two runs, what it does.
const JOBS: [(&str, u64, Work); 5] = [
    ("settle payments", 20, |office| settle_payments(office).boxed()),
    ("remind of documents", 600, |office| remind(office).boxed()),
    ("expire document requests", 600, |office| expire(office).boxed()),
    ("forget", 3600, |office| forget(office).boxed()),
    ("remove orphaned files", 3600, |office| orphans(office).boxed()),
];

/// Runs every job that is due. Returns how many ran.
pub async fn run_due(office: &Arc<Office>) -> Result<usize> {
    let mut ran = 0;
    for (name, seconds, work) in JOBS {
        if !claim(office, name).await? {
            continue;
        }
        let result = work(office).await;
        let error = match &result {
            Ok(count) => {
                if *count > 0 {
                    tracing::info!(job = name, count, "a job has run");
                }
                None
            }
            Err(error) => {
                tracing::error!(job = name, error = %error, "a job failed; it runs again at its time");
                Some(error.to_string())
            }
        };
        finish(office, name, Duration::from_secs(seconds), error).await?;
        ran += 1;
    }
    Ok(ran)
}

async fn claim(office: &Arc<Office>, name: &'static str) -> Result<bool> {
    let now = office.now();
    let mut tx = office.db.read().await?;
    let waiting =
        sqlx::query("select name from job where name = $1 and (due_at > $2 or claimed_until >= $2)")
            .bind(name)
            .bind(now.0)
            .fetch_optional(&mut *tx)
            .await?;
    drop(tx);
    if waiting.is_some() {
        return Ok(false);
    }
    office
        .db
        .write(move |tx| {
            async move {
                sqlx::query(
                    "insert into job (name, due_at, updated_at) values ($1, $2, $2) on conflict (name) do nothing",
                )
                .bind(name)
                .bind(now.0)
                .execute(&mut *tx)
                .await?;
                let claimed = sqlx::query(
                    "update job set claimed_until = $1, updated_at = $2 \
                     where name = $3 and due_at <= $2 and (claimed_until is null or claimed_until < $2)",
                )
                .bind(now.plus(LEASE).0)
                .bind(now.0)
                .bind(name)
                .execute(&mut *tx)
                .await?
                .rows_affected();
                Ok(claimed == 1)
            }
            .boxed()
        })
        .await
}

async fn finish(
    office: &Arc<Office>,
    name: &'static str,
    wait: Duration,
    error: Option<String>,
) -> Result<()> {
    let now = office.now();
    let error = Arc::new(error);
    office
        .db
        .write(move |tx| {
            let error = Arc::clone(&error);
            async move {
                sqlx::query(
                    "update job set claimed_until = null, due_at = $1, last_error = $2, updated_at = $3 where name = $4",
                )
                .bind(now.plus(wait).0)
                .bind(error.as_deref())
                .bind(now.0)
                .bind(name)
                .execute(&mut *tx)
                .await?;
                Ok(())
            }
            .boxed()
        })
        .await
}

/// Stores the time of a health check, as a row of its own among the jobs: only a commit that writes shows whether the
/// disk still takes anything.
pub async fn note_check(office: &Arc<Office>) -> Result<()> {
    let now = office.now();
    office
        .db
        .write(move |tx| {
            async move {
                sqlx::query(
                    "insert into job (name, due_at, updated_at) values ('health check', $1, $1) \
                     on conflict (name) do update set due_at = $1, updated_at = $1",
                )
                .bind(now.0)
                .execute(&mut *tx)
                .await?;
                Ok(())
            }
            .boxed()
        })
        .await
}

/// The jobs whose last run failed: name and error, for the doctor.
pub async fn failed(tx: &mut Tx) -> Result<Vec<(String, String)>> {
    let rows =
        sqlx::query("select name, last_error from job where last_error is not null order by name limit 100")
            .fetch_all(&mut *tx)
            .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn settle_payments(office: &Arc<Office>) -> Result<u64> {
    let before = Timestamp(office.now().0 - 10_000);
    let mut tx = office.db.read().await?;
    let open = payment::unsettled(&mut tx, before, BATCH).await?;
    drop(tx);
    let (mut settled, mut failure) = (0, None);
    for id in open {
        // One payment that can't be settled must not keep the money of the others unseen.
        match office.settle_payment(&id).await {
            Ok(_) => settled += 1,
            Err(error) => {
                tracing::error!(payment.id = %id, error = %error, "a payment could not be settled");
                failure = failure.or(Some(error));
            }
        }
    }
    failure.map_or(Ok(settled), Err)
}

async fn remind(office: &Arc<Office>) -> Result<u64> {
    office.remind_of_documents(BATCH).await
}

async fn expire(office: &Arc<Office>) -> Result<u64> {
    let worker = Arc::clone(office);
    office
        .db
        .write(move |tx| {
            let office = Arc::clone(&worker);
            async move {
                let expired = document_request::expire_due(tx, office.now(), BATCH).await?;
                Ok(expired.len() as u64)
            }
            .boxed()
        })
        .await
}

/// Sessions, parked drafts and anonymous conversations whose time is over.
async fn forget(office: &Arc<Office>) -> Result<u64> {
    let worker = Arc::clone(office);
    office
        .db
        .write(move |tx| {
            let office = Arc::clone(&worker);
            async move {
                let now = office.now();
                let mut count = session::sweep(tx, now).await? + conversation::drop_expired(tx, now).await?;
                let days = u64::from(office.config.retention.anonymous_conversation_days);
                let before = Timestamp(now.0 - i64::try_from(days * 24 * 3600 * 1000).unwrap_or(i64::MAX));
                for id in conversation::stale(tx, before, BATCH).await? {
                    let actor = Actor::System("retention");
                    document::remove_unfiled(tx, &id, &actor, now).await?;
                    conversation::erase(tx, &id, now).await?;
                    count += 1;
                }
                Ok(count)
            }
            .boxed()
        })
        .await
}

/// Files without a row: an upload that was cut off between file and row, or whose row was removed, or which was cut
/// off while it was written.
async fn orphans(office: &Arc<Office>) -> Result<u64> {
    let names = office.files.list().await?;
    // A young file may belong to an upload whose row is being written.
    let young = Timestamp(office.now().0 - 3_600_000);
    let is_old = |id: &str| !document::made_before(&[id.to_owned()], young).is_empty();
    let mut removed = office.files.remove_halves(is_old).await?;
    let names = document::made_before(&names, young);
    for chunk in names.chunks(200) {
        let mut tx = office.db.read().await?;
        let tx: &mut Tx = &mut tx;
        for name in document::orphans(tx, chunk).await? {
            office.files.delete(&name).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
