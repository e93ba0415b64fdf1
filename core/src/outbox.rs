//! Messages to the outside that are to be handed over once: written in the transaction of their cause, claimed with
//! a lease, sent, marked. What may have been sent and was never confirmed is `uncertain`: a person looks at it.
//! Web chat is not here: its page reads the history.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::OutboxId;
use crate::message::{Address, Channel, ChannelKind, Outgoing, Reply, SendError};
use crate::office::Office;
use crate::seal::{DataKey, Keys};

/// How long a claimed row belongs to its worker.
const LEASE: Duration = Duration::from_mins(2);

#[derive(Debug, Serialize, Deserialize)]
struct Body {
    to: String,
    key: String,
    language: String,
}

/// Puts a mail into the outbox that says that there is news, and nothing else: mail carries no content of a case.
/// The same `unique` again changes nothing.
pub async fn put_news_mail(
    tx: &mut Tx,
    keys: &Keys,
    unique: &str,
    to: &str,
    language: &str,
    now: Timestamp,
) -> Result<()> {
    let id: OutboxId = keys.clock.id();
    let key = DataKey::generate(&keys.clock);
    let body = Body { to: to.to_owned(), key: "mail.news".to_owned(), language: language.to_owned() };
    let body = serde_json::to_vec(&body).map_err(|_| Error::Seal("an outbox row can't be written"))?;
    sqlx::query(
        "insert into outbox (id, unique_key, channel, key_wrapped, body_sealed, state, attempts, due_at, \
         created_at, updated_at) values ($1, $2, 'email', $3, $4, 'waiting', 0, $5, $5, $5) \
         on conflict (unique_key) do nothing",
    )
    .bind(id.as_str())
    .bind(unique)
    .bind(keys.master.wrap(&key, id.as_str(), &keys.clock))
    .bind(key.seal(id.as_str().as_bytes(), &body, &keys.clock))
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Claims rows that are due. A row whose lease ran out while it was being sent is not taken again: it may have
/// gone out, so it becomes `uncertain` unless the channel knows the id.
async fn claim(tx: &mut Tx, keys: &Keys, limit: i64, now: Timestamp) -> Result<Vec<(OutboxId, i64, Body)>> {
    let rows = sqlx::query(
        "update outbox set state = 'sending', claimed_until = $1, attempts = attempts + 1, updated_at = $2 \
         where id in (select id from outbox where state = 'waiting' and due_at <= $2 order by due_at limit $3) \
         and state = 'waiting' and (claimed_until is null or claimed_until < $2) \
         returning id, attempts, key_wrapped, body_sealed",
    )
    .bind(now.plus(LEASE).0)
    .bind(now.0)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query(
        "update outbox set state = 'uncertain', claimed_until = null, updated_at = $1 \
         where state = 'sending' and claimed_until < $1",
    )
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    rows.iter()
        .map(|row| {
            let id = OutboxId(row.try_get(0)?);
            let key = keys.master.unwrap(&row.try_get::<Vec<u8>, _>(2)?, id.as_str())?;
            let body = key.open(id.as_str().as_bytes(), &row.try_get::<Vec<u8>, _>(3)?)?;
            let body = serde_json::from_slice(&body)
                .map_err(|_| Error::Seal("an outbox row has an unknown form"))?;
            Ok((id, row.try_get(1)?, body))
        })
        .collect()
}

/// What is written after an attempt.
#[derive(Debug, Clone)]
enum Mark {
    Sent(String),
    Retry(Timestamp),
    Uncertain,
    Dead,
}

async fn mark(tx: &mut Tx, id: &OutboxId, mark: &Mark, now: Timestamp) -> Result<()> {
    let (word, next_try, reference) = match mark {
        Mark::Sent(reference) => ("sent", now, Some(reference.as_str())),
        Mark::Retry(at) => ("waiting", *at, None),
        Mark::Uncertain => ("uncertain", now, None),
        Mark::Dead => ("dead", now, None),
    };
    sqlx::query(
        "update outbox set state = $1, due_at = $2, reference = $3, claimed_until = null, updated_at = $4 \
         where id = $5 and state = 'sending'",
    )
    .bind(word)
    .bind(next_try.0)
    .bind(reference)
    .bind(now.0)
    .bind(id.as_str())
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Sends what is due. Returns how many rows were handled.
pub async fn deliver_due(office: &Arc<Office>, channels: &[Arc<dyn Channel>]) -> Result<usize> {
    // An idle office writes nothing: a look costs no commit.
    let mut tx = office.db.read().await?;
    let waiting =
        sqlx::query("select id from outbox where state in ('waiting', 'sending') and due_at <= $1 limit 1")
            .bind(office.now().0)
            .fetch_optional(&mut *tx)
            .await?;
    drop(tx);
    if waiting.is_none() {
        return Ok(0);
    }
    let worker = Arc::clone(office);
    let limit = i64::try_from(office.config.outbox.workers).unwrap_or(1) * 4;
    let claimed = office
        .db
        .write(move |tx| {
            let office = Arc::clone(&worker);
            async move { claim(tx, &office.keys, limit, office.now()).await }.boxed()
        })
        .await?;
    let count = claimed.len();
    for (id, attempts, body) in claimed {
        let outgoing = Outgoing {
            id: id.clone(),
            address: Address { channel: ChannelKind::Email, to: body.to },
            subject: office.texts.get(&body.language, "mail.subject").to_owned(),
            reply: Reply::new(&body.language).text(office.texts.fill(
                &body.language,
                &body.key,
                &[("url", &office.config.public_url()), ("phone", &office.config.office.phone)],
            )),
        };
        let result = match channels.iter().find(|channel| channel.kind() == outgoing.address.channel) {
            Some(channel) => channel.send(&outgoing).await,
            None => Err(SendError::Refused("no mail channel is set up (mail.kind)".to_owned())),
        };
        let now = office.now();
        let outcome = after(result, attempts, &office.config.outbox.retry_seconds, now);
        if !matches!(outcome, Mark::Sent(_)) {
            tracing::warn!(outbox.id = %id, attempts, mark = ?std::mem::discriminant(&outcome), "a message was not sent");
        }
        let (id, outcome) = (Arc::new(id), Arc::new(outcome));
        office
            .db
            .write(move |tx| {
                let (id, outcome) = (Arc::clone(&id), Arc::clone(&outcome));
                async move { mark(tx, &id, &outcome, now).await }.boxed()
            })
            .await?;
    }
    Ok(count)
}

fn after(
    result: std::result::Result<String, SendError>,
    attempts: i64,
    schedule: &[u64],
    now: Timestamp,
) -> Mark {
    match result {
        Ok(reference) => Mark::Sent(reference),
        Err(SendError::Retry(_)) => {
            let index = usize::try_from(attempts - 1).unwrap_or(0);
            schedule
                .get(index)
                .map_or(Mark::Dead, |seconds| Mark::Retry(now.plus(Duration::from_secs(*seconds))))
        }
        Err(SendError::Uncertain(_)) => Mark::Uncertain,
        Err(SendError::Gone(_) | SendError::Refused(_)) => Mark::Dead,
    }
}

/// Rows by state, for the doctor and the metrics.
pub async fn counts(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query("select state, count(*) from outbox group by state order by state")
        .fetch_all(&mut *tx)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Since when the oldest row that could be sent has been waiting for it, for the doctor.
pub async fn oldest_due(tx: &mut Tx, now: Timestamp) -> Result<Option<Timestamp>> {
    let row = sqlx::query(
        "select due_at from outbox where state = 'waiting' and due_at <= $1 order by due_at limit 1",
    )
    .bind(now.0)
    .fetch_optional(&mut *tx)
    .await?;
    row.map(|row| Ok(Timestamp(row.try_get(0)?))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::seal::MasterKey;

    #[tokio::test]
    async fn a_row_is_claimed_once_and_an_abandoned_one_becomes_uncertain() {
        let folder = tempfile::tempdir().expect("folder");
        let db = crate::db::open_for_test(folder.path()).await;
        let clock = Clock::System;
        let keys = Keys { master: MasterKey::from_bytes(&clock.random()), clock };
        let run = |at: i64| {
            let keys = keys.clone();
            db.write(move |tx| {
                let keys = keys.clone();
                async move {
                    for _ in 0..2 {
                        put_news_mail(tx, &keys, "same", "a@example.org", "de", Timestamp(1)).await?;
                    }
                    Ok(claim(tx, &keys, 10, Timestamp(at)).await?.len())
                }
                .boxed()
            })
        };
        assert_eq!(run(5).await.expect("first"), 1);
        assert_eq!(run(6).await.expect("second"), 0, "claimed by another worker");
        assert_eq!(run(10_000_000).await.expect("later"), 0, "never sent twice by itself");
        let mut tx = db.read().await.expect("reads");
        assert_eq!(counts(&mut tx).await.expect("counts"), [("uncertain".to_owned(), 1)]);
    }

    #[test]
    fn the_error_carries_the_decision() {
        let now = Timestamp(0);
        let schedule = [5, 30];
        assert!(matches!(
            after(Err(SendError::Retry(String::new())), 1, &schedule, now),
            Mark::Retry(Timestamp(5000))
        ));
        assert!(matches!(after(Err(SendError::Retry(String::new())), 3, &schedule, now), Mark::Dead));
        assert!(matches!(
            after(Err(SendError::Uncertain(String::new())), 1, &schedule, now),
            Mark::Uncertain
        ));
        assert!(matches!(after(Err(SendError::Gone(String::new())), 1, &schedule, now), Mark::Dead));
    }
}
