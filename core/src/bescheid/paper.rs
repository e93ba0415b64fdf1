//! The life of a paper: drafted by a clerk, frozen with both hashes, approved step by step, issued, fetched.
//!
//! Approvals bind the exact bytes: any new bytes drop them. Nothing here decides a case: `office` calls
//! `DecisionEvidence` with a named member of staff once the last step has been approved.

use amtsbote_knowledge::{ApprovalStep, Trust};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::audit::{self, Actor};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ApplicationId, BescheidId, DocumentId, StaffId};
use crate::permission::{trust_from_number, trust_number};
use crate::seal::{DataKey, Keys};

/// What a clerk has written for a paper.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PaperContent {
    /// Id of the outcome; empty for certificates, extracts and confirmations.
    pub outcome: String,
    /// The operative sentences; for certificates the text.
    pub tenor: Vec<String>,
    /// The reasons, a paragraph each.
    pub reasons: Vec<String>,
}

/// States of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperState {
    /// Being written.
    Draft,
    /// Frozen; waits for approval.
    InApproval,
    /// Issued: the applicant can fetch it.
    Issued,
}

impl PaperState {
    fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InApproval => "in_approval",
            Self::Issued => "issued",
        }
    }
}

/// The frozen bytes of a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// PDF/UA-1 for people.
    pub accessible: DocumentId,
    /// PDF/A-2a for the case file.
    pub archive: DocumentId,
    /// SHA-256 of the first.
    pub accessible_sha256: String,
    /// SHA-256 of the second.
    pub archive_sha256: String,
}

/// A paper as read back.
#[derive(Debug, Clone)]
pub struct Paper {
    /// Its id.
    pub id: BescheidId,
    /// The case.
    pub application: ApplicationId,
    /// Its state.
    pub state: PaperState,
    /// What the clerk wrote.
    pub content: PaperContent,
    /// The bytes, once frozen.
    pub frozen: Option<Frozen>,
    /// Who drafted it.
    pub drafted_by: StaffId,
    /// Lowest trust level that may fetch it.
    pub read_trust: Trust,
    /// Since when it can be fetched.
    pub issued_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Raised with every change.
    pub version: i64,
}

const COLUMNS: &str = "select id, application_id, state, key_wrapped, content_sealed, accessible_document, \
     archive_document, accessible_sha256, archive_sha256, drafted_by, read_trust, issued_at, version, \
     updated_at from paper";

/// Starts a paper, or takes up the draft that the case already has. `seen` is the version of the draft that the author
/// had before their eyes, 0 for none: words that somebody else has written meanwhile are not overwritten unseen.
pub async fn draft(
    tx: &mut Tx,
    keys: &Keys,
    application: &ApplicationId,
    content: &PaperContent,
    author: (&StaffId, Trust),
    seen: i64,
    now: Timestamp,
) -> Result<BescheidId> {
    let (staff, read_trust) = author;
    if let Some(paper) = newest(tx, keys, application).await?
        && paper.state != PaperState::Issued
    {
        if paper.content == *content && paper.state == PaperState::Draft && paper.drafted_by == *staff {
            // The same form again.
            return Ok(paper.id);
        }
        if paper.version != seen {
            return Err(Error::refused("paper.changed_by_other"));
        }
        return rewrite(tx, keys, &paper, content, staff, now).await;
    }
    let id: BescheidId = keys.clock.id();
    let key = DataKey::generate(&keys.clock);
    sqlx::query(
        "insert into paper (id, application_id, state, key_wrapped, content_sealed, drafted_by, read_trust, \
         created_at, updated_at, version) values ($1, $2, 'draft', $3, $4, $5, $6, $7, $7, 1)",
    )
    .bind(id.as_str())
    .bind(application.as_str())
    .bind(keys.master.wrap(&key, id.as_str(), &keys.clock))
    .bind(key.seal(id.as_str().as_bytes(), &encode(content)?, &keys.clock))
    .bind(staff.as_str())
    .bind(trust_number(read_trust))
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    let subject = ("application", application.as_str());
    let details = json!({ "paper": id.as_str() });
    audit::record(tx, &Actor::Staff(staff.clone()), "paper.draft", subject, details, now).await?;
    Ok(id)
}

fn encode(content: &PaperContent) -> Result<Vec<u8>> {
    serde_json::to_vec(content).map_err(|_| Error::Seal("a paper can't be written"))
}

/// New words: frozen bytes and approvals are dropped, whoever gave them.
async fn rewrite(
    tx: &mut Tx,
    keys: &Keys,
    paper: &Paper,
    content: &PaperContent,
    staff: &StaffId,
    now: Timestamp,
) -> Result<BescheidId> {
    let id = paper.id.as_str();
    let key = DataKey::generate(&keys.clock);
    let changed = sqlx::query(
        "update paper set state = 'draft', key_wrapped = $1, content_sealed = $2, accessible_document = null, \
         archive_document = null, accessible_sha256 = null, archive_sha256 = null, drafted_by = $3, \
         updated_at = $4, version = version + 1 where id = $5 and version = $6",
    )
    .bind(keys.master.wrap(&key, id, &keys.clock))
    .bind(key.seal(id.as_bytes(), &encode(content)?, &keys.clock))
    .bind(staff.as_str())
    .bind(now.0)
    .bind(id)
    .bind(paper.version)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if changed == 0 {
        return Err(Error::Conflict("paper"));
    }
    drop_approvals(tx, &paper.id).await?;
    let subject = ("application", paper.application.as_str());
    let details = json!({ "paper": id });
    audit::record(tx, &Actor::Staff(staff.clone()), "paper.rewrite", subject, details, now).await?;
    Ok(paper.id.clone())
}

async fn drop_approvals(tx: &mut Tx, id: &BescheidId) -> Result<()> {
    sqlx::query("delete from paper_approval where paper_id = $1").bind(id.as_str()).execute(&mut *tx).await?;
    Ok(())
}

/// Binds the rendered bytes to the paper; it waits for approval from now on.
pub async fn freeze(
    tx: &mut Tx,
    paper: &Paper,
    frozen: &Frozen,
    staff: &StaffId,
    now: Timestamp,
) -> Result<()> {
    let changed = sqlx::query(
        "update paper set state = 'in_approval', accessible_document = $1, archive_document = $2, \
         accessible_sha256 = $3, archive_sha256 = $4, updated_at = $5, version = version + 1 \
         where id = $6 and version = $7 and state = 'draft'",
    )
    .bind(frozen.accessible.as_str())
    .bind(frozen.archive.as_str())
    .bind(frozen.accessible_sha256.as_str())
    .bind(frozen.archive_sha256.as_str())
    .bind(now.0)
    .bind(paper.id.as_str())
    .bind(paper.version)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if changed == 0 {
        return Err(Error::Conflict("paper"));
    }
    drop_approvals(tx, &paper.id).await?;
    let subject = ("application", paper.application.as_str());
    let details = json!({
        "paper": paper.id.as_str(),
        "accessible_sha256": frozen.accessible_sha256,
        "archive_sha256": frozen.archive_sha256,
    });
    audit::record(tx, &Actor::Staff(staff.clone()), "paper.freeze", subject, details, now).await
}

/// Back to the clerk: the bytes are free again, every approval is gone.
pub async fn thaw(tx: &mut Tx, paper: &Paper, staff: &StaffId, now: Timestamp) -> Result<()> {
    if paper.state != PaperState::InApproval {
        return Err(Error::refused("paper.not_in_approval"));
    }
    sqlx::query("update paper set state = 'draft', updated_at = $1, version = version + 1 where id = $2")
        .bind(now.0)
        .bind(paper.id.as_str())
        .execute(&mut *tx)
        .await?;
    drop_approvals(tx, &paper.id).await?;
    let subject = ("application", paper.application.as_str());
    let details = json!({ "paper": paper.id.as_str() });
    audit::record(tx, &Actor::Staff(staff.clone()), "paper.send_back", subject, details, now).await
}

/// One approval as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Step, from 0.
    pub step: usize,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at: Timestamp,
}

/// The approvals of the present bytes, in order.
pub async fn approvals(tx: &mut Tx, id: &BescheidId) -> Result<Vec<Approval>> {
    let rows = sqlx::query(
        "select step, staff_id, at from paper_approval where paper_id = $1 order by step limit 20",
    )
    .bind(id.as_str())
    .fetch_all(&mut *tx)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Approval {
                step: usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX),
                staff: StaffId(row.try_get(1)?),
                at: Timestamp(row.try_get(2)?),
            })
        })
        .collect()
}

/// Who approves what: the member of staff, their roles, and the hash of the bytes that they have seen.
#[derive(Debug, Clone, Copy)]
pub struct Approver<'a> {
    /// Who.
    pub staff: &'a StaffId,
    /// Names of their roles.
    pub roles: &'a [String],
    /// Hash of the PDF that was shown.
    pub seen_sha256: &'a str,
}

/// Gives the next approval. Returns whether it was the last one.
pub async fn approve(
    tx: &mut Tx,
    paper: &Paper,
    steps: &[ApprovalStep],
    approver: Approver<'_>,
    now: Timestamp,
) -> Result<bool> {
    let Some(frozen) = paper.frozen.as_ref().filter(|_| paper.state == PaperState::InApproval) else {
        return Err(Error::refused("paper.not_in_approval"));
    };
    if frozen.accessible_sha256 != approver.seen_sha256 {
        return Err(Error::refused("paper.other_bytes"));
    }
    let given = approvals(tx, &paper.id).await?;
    let Some(step) = steps.get(given.len()) else { return Err(Error::refused("paper.not_in_approval")) };
    if !approver.roles.contains(&step.role) {
        return Err(Error::refused("paper.wrong_role"));
    }
    let before: Vec<&StaffId> =
        std::iter::once(&paper.drafted_by).chain(given.iter().map(|approval| &approval.staff)).collect();
    if step.four_eyes && before.contains(&approver.staff) {
        return Err(Error::refused("paper.four_eyes"));
    }
    sqlx::query(
        "insert into paper_approval (paper_id, step, staff_id, role, accessible_sha256, archive_sha256, at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(paper.id.as_str())
    .bind(i64::try_from(given.len()).unwrap_or(i64::MAX))
    .bind(approver.staff.as_str())
    .bind(step.role.as_str())
    .bind(frozen.accessible_sha256.as_str())
    .bind(frozen.archive_sha256.as_str())
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    let subject = ("application", paper.application.as_str());
    let details = json!({
        "paper": paper.id.as_str(), "step": given.len(), "role": step.role,
        "accessible_sha256": frozen.accessible_sha256,
    });
    audit::record(tx, &Actor::Staff(approver.staff.clone()), "paper.approve", subject, details, now).await?;
    Ok(given.len() + 1 == steps.len())
}

/// Issues the paper: from now on the applicant can fetch it. The event of its provision is recorded.
pub async fn issue(tx: &mut Tx, keys: &Keys, paper: &Paper, actor: &Actor, now: Timestamp) -> Result<()> {
    let changed = sqlx::query(
        "update paper set state = 'issued', issued_at = $1, updated_at = $1, version = version + 1 \
         where id = $2 and state = 'in_approval' and accessible_document is not null",
    )
    .bind(now.0)
    .bind(paper.id.as_str())
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if changed == 0 {
        return Err(Error::Conflict("paper"));
    }
    event(tx, keys, &paper.id, DeliveryEvent::Provisioned, Trust::T0, now).await?;
    let subject = ("application", paper.application.as_str());
    let details = json!({ "paper": paper.id.as_str() });
    audit::record(tx, actor, "paper.issue", subject, details, now).await
}

/// What can happen to an issued paper (`law.md` section 2); the legal clock is derived from these events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// It lies ready for fetching.
    Provisioned,
    /// The applicant was told that it lies ready.
    NotificationSent,
    /// The applicant fetched it.
    Retrieved,
}

impl DeliveryEvent {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioned => "provisioned",
            Self::NotificationSent => "notification_sent",
            Self::Retrieved => "retrieved",
        }
    }
}

/// Records an event of the delivery. Events are only ever added.
pub async fn event(
    tx: &mut Tx,
    keys: &Keys,
    paper: &BescheidId,
    kind: DeliveryEvent,
    trust: Trust,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("insert into delivery_event (id, paper_id, kind, trust, at) values ($1, $2, $3, $4, $5)")
        .bind(keys.clock.id::<DocumentId>().0)
        .bind(paper.as_str())
        .bind(kind.as_str())
        .bind(trust_number(trust))
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// The events of a paper, oldest first: (word, when).
pub async fn events(tx: &mut Tx, paper: &BescheidId) -> Result<Vec<(String, Timestamp)>> {
    let rows =
        sqlx::query("select kind, at from delivery_event where paper_id = $1 order by at, id limit 200")
            .bind(paper.as_str())
            .fetch_all(&mut *tx)
            .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, Timestamp(row.try_get(1)?)))).collect()
}

/// The paper with this id.
pub async fn load(tx: &mut Tx, keys: &Keys, id: &BescheidId) -> Result<Option<Paper>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} where id = $1")))
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    row.map(|row| read(&row, keys)).transpose()
}

/// The newest paper of a case.
pub async fn newest(tx: &mut Tx, keys: &Keys, application: &ApplicationId) -> Result<Option<Paper>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} where application_id = $1 order by created_at desc, id desc limit 1"
    )))
    .bind(application.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    row.map(|row| read(&row, keys)).transpose()
}

fn read(row: &AnyRow, keys: &Keys) -> Result<Paper> {
    let id = BescheidId(row.try_get(0)?);
    let key = keys.master.unwrap(&row.try_get::<Vec<u8>, _>(3)?, id.as_str())?;
    let content = key.open(id.as_str().as_bytes(), &row.try_get::<Vec<u8>, _>(4)?)?;
    let content = serde_json::from_slice(&content).map_err(|_| Error::Seal("a paper has an unknown form"))?;
    let word: String = row.try_get(2)?;
    let state = [PaperState::Draft, PaperState::InApproval, PaperState::Issued]
        .into_iter()
        .find(|state| state.word() == word)
        .ok_or(Error::Seal("a paper has an unknown state"))?;
    let texts: Vec<Option<String>> =
        (5..=8).map(|column| row.try_get(column)).collect::<std::result::Result<_, _>>()?;
    let frozen = match texts.as_slice() {
        [Some(accessible), Some(archive), Some(accessible_sha256), Some(archive_sha256)] => Some(Frozen {
            accessible: DocumentId(accessible.clone()),
            archive: DocumentId(archive.clone()),
            accessible_sha256: accessible_sha256.clone(),
            archive_sha256: archive_sha256.clone(),
        }),
        _ => None,
    };
    Ok(Paper {
        id,
        application: ApplicationId(row.try_get(1)?),
        state,
        content,
        frozen,
        drafted_by: StaffId(row.try_get(9)?),
        read_trust: trust_from_number(row.try_get(10)?)?,
        issued_at: row.try_get::<Option<i64>, _>(11)?.map(Timestamp),
        version: row.try_get(12)?,
        updated_at: Timestamp(row.try_get(13)?),
    })
}
