//! Messages to the outside that are to be handed over once: written in the transaction of their cause, claimed one
//! by one with a lease, sent, marked. A row is claimed in a commit of its own right before its first byte, so a row
//! that was not being sent when the program died is still waiting. What may have been sent and was never confirmed is
//! `uncertain`: a person looks at it. Web chat is not here: its page reads the history.

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

/// How long a claimed row belongs to its worker: longer than a delivery may take, so that nobody calls a row
/// abandoned while it is being sent.
const LEASE: Duration = Duration::from_mins(3);

/// How long one delivery may take; a server that says nothing for so long may have taken it.
const SEND: Duration = Duration::from_mins(2);

/// Rows that a worker sends before other work gets its turn.
const ROUND: usize = 8;

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

/// A row that belongs to its worker.
#[derive(Debug)]
struct Claimed {
    id: OutboxId,
    attempts: i64,
    /// `None` if the row can't be read: then it must not hold up the ones behind it.
    body: Option<Body>,
}

/// Claims the row that has been due for longest; it is sent at once.
async fn claim(tx: &mut Tx, keys: &Keys, now: Timestamp) -> Result<Option<Claimed>> {
    let row = sqlx::query(
        "update outbox set state = 'sending', claimed_until = $1, attempts = attempts + 1, updated_at = $2 \
         where id in (select id from outbox where state = 'waiting' and due_at <= $2 order by due_at, id limit 1) \
         and state = 'waiting' and (claimed_until is null or claimed_until < $2) \
         returning id, attempts, key_wrapped, body_sealed",
    )
    .bind(now.plus(LEASE).0)
    .bind(now.0)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id = OutboxId(row.try_get(0)?);
    let (key, sealed): (Vec<u8>, Vec<u8>) = (row.try_get(2)?, row.try_get(3)?);
    let body = keys
        .master
        .unwrap(&key, id.as_str())
        .and_then(|key| key.open(id.as_str().as_bytes(), &sealed))
        .ok()
        .and_then(|body| serde_json::from_slice(&body).ok());
    Ok(Some(Claimed { attempts: row.try_get(1)?, id, body }))
}

/// A row whose lease ran out while it was being sent may have gone out: it is not taken again.
async fn give_up_abandoned(tx: &mut Tx, now: Timestamp) -> Result<()> {
    sqlx::query(
        "update outbox set state = 'uncertain', claimed_until = null, updated_at = $1 \
         where state = 'sending' and claimed_until < $1",
    )
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// What is written after an attempt.
#[derive(Debug, Clone)]
enum Mark {
    Sent(String),
    Retry(Timestamp),
    Uncertain,
    Dead,
}

impl Mark {
    /// The state in the database.
    fn word(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::Retry(_) => "waiting",
            Self::Uncertain => "uncertain",
            Self::Dead => "dead",
        }
    }
}

async fn mark(tx: &mut Tx, id: &OutboxId, mark: &Mark, now: Timestamp) -> Result<()> {
    let (next_try, reference) = match mark {
        Mark::Sent(reference) => (now, Some(reference.as_str())),
        Mark::Retry(at) => (*at, None),
        Mark::Uncertain | Mark::Dead => (now, None),
    };
    sqlx::query(
        "update outbox set state = $1, due_at = $2, reference = $3, claimed_until = null, updated_at = $4 \
         where id = $5 and state = 'sending'",
    )
    .bind(mark.word())
    .bind(next_try.0)
    .bind(reference)
    .bind(now.0)
    .bind(id.as_str())
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Sends what is due, with as many workers as the settings say. Returns how many rows were handled; there may be
/// more.
pub async fn deliver_due(office: &Arc<Office>, channels: &[Arc<dyn Channel>]) -> Result<usize> {
    // An idle office writes nothing: a look costs no commit.
    let mut tx = office.db.read().await?;
    let now = office.now();
    let abandoned =
        sqlx::query("select id from outbox where state = 'sending' and claimed_until < $1 limit 1")
            .bind(now.0)
            .fetch_optional(&mut *tx)
            .await?;
    let due = oldest_due(&mut tx, now).await?;
    drop(tx);
    if abandoned.is_some() {
        office.db.write(move |tx| give_up_abandoned(tx, now).boxed()).await?;
    }
    if due.is_none() {
        return Ok(0);
    }
    // All end before the first error is told: a worker that is dropped would leave its row in doubt.
    let workers = (0..office.config.outbox.workers.max(1)).map(|_| work(office, channels));
    futures::future::join_all(workers).await.into_iter().sum()
}

/// One worker's round.
async fn work(office: &Arc<Office>, channels: &[Arc<dyn Channel>]) -> Result<usize> {
    for count in 0..ROUND {
        let worker = Arc::clone(office);
        let claimed = office
            .db
            .write(move |tx| {
                let office = Arc::clone(&worker);
                async move { claim(tx, &office.keys, office.now()).await }.boxed()
            })
            .await?;
        let Some(claimed) = claimed else { return Ok(count) };
        let outcome = send(office, channels, &claimed).await;
        let now = office.now();
        if !matches!(outcome, Mark::Sent(_)) {
            tracing::warn!(outbox.id = %claimed.id, claimed.attempts, outcome = outcome.word(), "a message was not sent");
        }
        let marked = Arc::new((claimed.id, outcome));
        office
            .db
            .write(move |tx| {
                let marked = Arc::clone(&marked);
                async move { mark(tx, &marked.0, &marked.1, now).await }.boxed()
            })
            .await?;
    }
    Ok(ROUND)
}

/// Hands a claimed row to its channel and says what came of it.
async fn send(office: &Arc<Office>, channels: &[Arc<dyn Channel>], claimed: &Claimed) -> Mark {
    let Some(body) = &claimed.body else {
        tracing::error!(outbox.id = %claimed.id, "an outbox row can't be read; is the master key the right one?");
        return Mark::Dead;
    };
    let outgoing = Outgoing {
        id: claimed.id.clone(),
        address: Address { channel: ChannelKind::Email, to: body.to.clone() },
        subject: office.texts.get(&body.language, "mail.subject").to_owned(),
        reply: Reply::new(&body.language).text(office.texts.fill(
            &body.language,
            &body.key,
            &[("url", &office.config.public_url()), ("phone", &office.config.office.phone)],
        )),
    };
    let result = match channels.iter().find(|channel| channel.kind() == outgoing.address.channel) {
        Some(channel) => tokio::time::timeout(SEND, channel.send(&outgoing))
            .await
            .unwrap_or_else(|_| Err(SendError::Uncertain("no answer in time".to_owned()))),
        None => Err(SendError::Refused("no mail channel is set up (mail.kind)".to_owned())),
    };
    after(result, claimed.attempts, &office.config.outbox.retry_seconds, office.now())
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

    fn keys() -> Keys {
        let clock = Clock::System;
        Keys { master: MasterKey::from_bytes(&clock.random()), clock }
    }

    async fn put(db: &crate::db::Db, keys: &Keys, unique: &'static str) {
        let keys = keys.clone();
        db.write(move |tx| {
            let keys = keys.clone();
            async move { put_news_mail(tx, &keys, unique, "a@example.org", "de", Timestamp(1)).await }.boxed()
        })
        .await
        .expect("is put");
    }

    async fn claim_at(db: &crate::db::Db, keys: &Keys, at: i64) -> Option<Claimed> {
        let keys = keys.clone();
        db.write(move |tx| {
            let keys = keys.clone();
            async move {
                give_up_abandoned(tx, Timestamp(at)).await?;
                claim(tx, &keys, Timestamp(at)).await
            }
            .boxed()
        })
        .await
        .expect("claims")
    }

    async fn states(db: &crate::db::Db) -> Vec<(String, i64)> {
        counts(&mut db.read().await.expect("reads")).await.expect("counts")
    }

    /// The program dies while it sends one of three: the other two are not in doubt, they are sent later.
    #[tokio::test]
    async fn only_the_row_that_was_being_sent_is_in_doubt_after_a_crash() {
        let folder = tempfile::tempdir().expect("folder");
        let db = crate::db::open_for_test(folder.path()).await;
        let keys = keys();
        for unique in ["one", "one", "two", "three"] {
            put(&db, &keys, unique).await;
        }
        let first = claim_at(&db, &keys, 5).await.expect("one of them");
        assert_eq!(states(&db).await, [("sending".to_owned(), 1), ("waiting".to_owned(), 2)]);
        let mut later = Vec::new();
        while let Some(claimed) = claim_at(&db, &keys, 10_000_000).await {
            later.push(claimed.id);
        }
        assert_eq!(later.len(), 2);
        assert!(!later.contains(&first.id), "never sent twice by itself");
        assert_eq!(states(&db).await, [("sending".to_owned(), 2), ("uncertain".to_owned(), 1)]);
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_does_not_hold_up_the_others() {
        let folder = tempfile::tempdir().expect("folder");
        let db = crate::db::open_for_test(folder.path()).await;
        put(&db, &keys(), "of another master key").await;
        let keys = keys();
        put(&db, &keys, "readable").await;
        let mut readable = Vec::new();
        while let Some(claimed) = claim_at(&db, &keys, 5).await {
            readable.push(claimed.body.is_some());
        }
        readable.sort_unstable();
        assert_eq!(readable, [false, true]);
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
