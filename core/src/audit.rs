//! The audit chain: who did what to which thing, append-only, each record bound to the one before by its hash.
//!
//! A record is written in the transaction of the change that it describes. It names people by id only, so that
//! erasing a person leaves the chain valid. Several instances share one chain: only one of them writes at
//! a time (db.rs), so two writers can't fork it.

use std::fmt::Write;

use serde_json::Value;
use sqlx::Row;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, PersonId, StaffId};
use crate::seal::sha256_hex;

/// The chain's name; a second chain would be a second office.
const CHAIN: &str = "main";

/// Hash before the first record of a chain.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A citizen without login, known only by the conversation.
    Anonymous(ConversationId),
    /// A citizen after login.
    Person(PersonId),
    /// A member of staff.
    Staff(StaffId),
    /// The program itself; the word names the part.
    System(&'static str),
}

impl Actor {
    fn columns(&self) -> (&'static str, &str) {
        match self {
            Self::Anonymous(id) => ("anonymous", id.as_str()),
            Self::Person(id) => ("person", id.as_str()),
            Self::Staff(id) => ("staff", id.as_str()),
            Self::System(part) => ("system", part),
        }
    }
}

/// Whether this actor did this to this subject after `since`.
pub async fn noted_since(
    tx: &mut Tx,
    actor: &Actor,
    action: &str,
    subject: (&str, &str),
    since: Timestamp,
) -> Result<bool> {
    let (actor_kind, actor_id) = actor.columns();
    let row = sqlx::query(
        "select seq from audit where subject_kind = $1 and subject_id = $2 and at > $3 and action = $4 \
         and actor_kind = $5 and actor_id = $6 limit 1",
    )
    .bind(subject.0)
    .bind(subject.1)
    .bind(since.0)
    .bind(action)
    .bind(actor_kind)
    .bind(actor_id)
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row.is_some())
}

/// One record as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// `anonymous`, `person`, `staff` or `system`.
    pub actor_kind: String,
    /// Id of the actor.
    pub actor_id: String,
    /// What was done, e.g. `application.submit`.
    pub action: String,
    /// Further values without personal data.
    pub details: Value,
}

/// Appends a record. `subject` is (kind, id), e.g. `("application", id)`; `details` must hold no personal data.
pub async fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &str,
    subject: (&str, &str),
    details: Value,
    now: Timestamp,
) -> Result<()> {
    let chain = CHAIN;
    let last = sqlx::query("select seq, hash from audit where chain = $1 order by seq desc limit 1")
        .bind(chain)
        .fetch_optional(&mut *tx)
        .await?;
    let (seq, previous) = match last {
        Some(row) => (row.try_get::<i64, _>(0)? + 1, row.try_get::<String, _>(1)?),
        None => (1, GENESIS.to_owned()),
    };
    let (actor_kind, actor_id) = actor.columns();
    let details = details.to_string();
    let hash = record_hash(
        &previous,
        &[
            chain,
            &seq.to_string(),
            &now.0.to_string(),
            actor_kind,
            actor_id,
            action,
            subject.0,
            subject.1,
            &details,
        ],
    );
    sqlx::query(
        "insert into audit (chain, seq, at, actor_kind, actor_id, action, subject_kind, subject_id, details, \
         previous_hash, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(chain)
    .bind(seq)
    .bind(now.0)
    .bind(actor_kind)
    .bind(actor_id)
    .bind(action)
    .bind(subject.0)
    .bind(subject.1)
    .bind(details)
    .bind(previous)
    .bind(hash)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// The history of one thing, oldest first: the newest `limit` records.
pub async fn history(tx: &mut Tx, subject: (&str, &str), limit: i64) -> Result<Vec<AuditRecord>> {
    let rows = sqlx::query(
        "select at, actor_kind, actor_id, action, details from audit \
         where subject_kind = $1 and subject_id = $2 order by at desc, seq desc limit $3",
    )
    .bind(subject.0)
    .bind(subject.1)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?;
    rows.into_iter()
        .rev()
        .map(|row| {
            Ok(AuditRecord {
                at: Timestamp(row.try_get(0)?),
                actor_kind: row.try_get(1)?,
                actor_id: row.try_get(2)?,
                action: row.try_get(3)?,
                details: serde_json::from_str(&row.try_get::<String, _>(4)?).unwrap_or(Value::Null),
            })
        })
        .collect()
}

/// Recomputes every chain. Returns the number of records, or the first place where a chain is broken.
pub async fn verify(tx: &mut Tx) -> Result<std::result::Result<u64, String>> {
    let mut checked = 0;
    let (mut chain, mut seq, mut previous) = (String::new(), 0_i64, GENESIS.to_owned());
    loop {
        let rows = sqlx::query(
            "select chain, seq, at, actor_kind, actor_id, action, subject_kind, subject_id, details, \
             previous_hash, hash from audit where chain > $1 or (chain = $1 and seq > $2) \
             order by chain, seq limit 1000",
        )
        .bind(&chain)
        .bind(seq)
        .fetch_all(&mut *tx)
        .await?;
        if rows.is_empty() {
            return Ok(Ok(checked));
        }
        for row in rows {
            let this_chain: String = row.try_get(0)?;
            let this_seq: i64 = row.try_get(1)?;
            if this_chain != chain {
                chain = this_chain;
                seq = 0;
                GENESIS.clone_into(&mut previous);
            }
            let at: i64 = row.try_get(2)?;
            let texts: Vec<String> =
                (3..=8).map(|column| row.try_get(column)).collect::<std::result::Result<_, _>>()?;
            let (number, time) = (this_seq.to_string(), at.to_string());
            let mut fields: Vec<&str> = vec![&chain, &number, &time];
            fields.extend(texts.iter().map(String::as_str));
            let hash: String = row.try_get(10)?;
            if this_seq != seq + 1
                || row.try_get::<String, _>(9)? != previous
                || record_hash(&previous, &fields) != hash
            {
                return Ok(Err(format!("the audit chain {chain} is broken at record {this_seq}")));
            }
            seq = this_seq;
            previous = hash;
            checked += 1;
        }
    }
}

/// Hash of a record: every field with its length before it, so that no two records share an encoding.
fn record_hash(previous: &str, fields: &[&str]) -> String {
    let encoded = fields.iter().fold(previous.to_owned(), |mut canonical, field| {
        // Writing to a string can't fail.
        let _ = write!(canonical, "\n{}:{field}", field.len());
        canonical
    });
    sha256_hex(encoded.as_bytes())
}
