//! Documents: what citizens upload and what the office makes. This file holds the rows and their keys; the
//! bytes lie sealed in `files.rs`; what is accepted at all is decided in `inspect.rs`, before anything is
//! stored. A removed document loses its key: from then on nobody can read it, wherever a copy of the file may
//! be. Who may see a document is not decided here.

#[cfg(test)]
mod hostile_tests;
mod inspect;
mod pdf;
mod picture;
#[cfg(test)]
mod tests;
mod word;

use amtsbote_knowledge::{DocumentFormat, Trust};
use serde_json::json;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::audit::{self, Actor};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::files::Files;
use crate::id::{ApplicationId, ConversationId, DocumentId};
use crate::permission::{trust_from_number, trust_number};
use crate::seal::{DataKey, Keys, sha256_hex};

pub use inspect::{Inspected, clean_name, inspect};

/// Most documents that a list gives.
const LIST_LIMIT: i64 = 200;

/// How many names [`orphans`] looks up with one query.
const NAMES_PER_QUERY: usize = 20;

/// What a document is for the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// A citizen sent it.
    Upload,
    /// A Bescheid, certificate or extract, as it was issued.
    Bescheid,
    /// The form of it that is kept for the archive.
    BescheidArchive,
    /// The proof that an application or a payment has arrived.
    Receipt,
    /// A copy that was made for somebody, e.g. for access to the file.
    Copy,
}

impl DocumentKind {
    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Bescheid => "bescheid",
            Self::BescheidArchive => "bescheid_archive",
            Self::Receipt => "receipt",
            Self::Copy => "copy",
        }
    }

    fn from_word(word: &str) -> Result<Self> {
        [Self::Upload, Self::Bescheid, Self::BescheidArchive, Self::Receipt, Self::Copy]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| unknown("kind", word))
    }
}

/// A document that is about to get its row. Its bytes are already stored: [`store_bytes`].
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Its id, also the name in the file store.
    pub id: DocumentId,
    /// What it is.
    pub kind: DocumentKind,
    /// The conversation in which it came or was made.
    pub conversation: Option<ConversationId>,
    /// The case, once there is one.
    pub application: Option<ApplicationId>,
    /// Id of the service's document item that it answers; empty for none.
    pub item: String,
    /// Name for people; it is cleaned before it is stored ([`clean_name`]).
    pub name: String,
    /// What the inspection found.
    pub inspected: Inspected,
    /// The key that sealed the bytes.
    pub key: DataKey,
    /// Trust level of whoever brought it.
    pub trust: Trust,
}

/// A document as read back. Removed documents are not read back.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// What it is.
    pub kind: DocumentKind,
    /// The conversation in which it came or was made.
    pub conversation: Option<ConversationId>,
    /// The case; `None` as long as it is not filed.
    pub application: Option<ApplicationId>,
    /// Id of the service's document item that it answers; empty for none.
    pub item: String,
    /// Name for people, cleaned.
    pub name: String,
    /// Its type.
    pub format: DocumentFormat,
    /// Size of the plain bytes.
    pub size_bytes: i64,
    /// SHA-256 of the plain bytes, in hexadecimal.
    pub sha256: String,
    /// Trust level of whoever brought it.
    pub trust: Trust,
    /// When it came.
    pub created_at: Timestamp,
    key_wrapped: Vec<u8>,
}

/// Seals `bytes` with a new key and puts them into the store under the document's id. The row follows in the
/// transaction ([`insert`]); if that never happens, the file is an orphan without a key.
pub async fn store_bytes(files: &Files, keys: &Keys, id: &DocumentId, bytes: &[u8]) -> Result<DataKey> {
    let key = DataKey::generate(&keys.clock);
    files.put(id.as_str(), key.seal(id.as_str().as_bytes(), bytes, &keys.clock)).await?;
    Ok(key)
}

/// Writes the row of a document.
pub async fn insert(
    tx: &mut Tx,
    keys: &Keys,
    new: &NewDocument,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    let id = new.id.as_str();
    let name = inspect::name_for(&new.name, new.inspected.format)?;
    let size = i64::try_from(new.inspected.size_bytes).unwrap_or(i64::MAX);
    sqlx::query(
        "insert into document (id, kind, conversation_id, application_id, item, name_sealed, format, \
         size_bytes, sha256, key_wrapped, trust, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(new.kind.word())
    .bind(new.conversation.as_ref().map(|id| id.as_str().to_owned()))
    .bind(new.application.as_ref().map(|id| id.as_str().to_owned()))
    .bind(new.item.as_str())
    .bind(new.key.seal(id.as_bytes(), name.as_bytes(), &keys.clock))
    .bind(inspect::extension(new.inspected.format))
    .bind(size)
    .bind(new.inspected.sha256.as_str())
    .bind(keys.master.wrap(&new.key, id, &keys.clock))
    .bind(trust_number(new.trust))
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    audit::record(
        tx,
        actor,
        "document.add",
        ("document", id),
        json!({
            "kind": new.kind.word(),
            "item": new.item,
            "format": inspect::extension(new.inspected.format),
            "size_bytes": size,
            "application": new.application.as_ref().map(ApplicationId::as_str),
        }),
        now,
    )
    .await
}

/// The document, unless there is none or it was removed.
pub async fn load(tx: &mut Tx, keys: &Keys, id: &DocumentId) -> Result<Option<Document>> {
    sqlx::query(
        "select id, kind, conversation_id, application_id, item, name_sealed, format, size_bytes, sha256, \
         key_wrapped, trust, created_at from document where id = $1 and removed_at is null",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *tx)
    .await?
    .map(|row| from_row(keys, &row))
    .transpose()
}

/// The documents of a case, oldest first, at most 200.
pub async fn of_application(tx: &mut Tx, keys: &Keys, application: &ApplicationId) -> Result<Vec<Document>> {
    let rows = sqlx::query(
        "select id, kind, conversation_id, application_id, item, name_sealed, format, size_bytes, sha256, \
         key_wrapped, trust, created_at from document where application_id = $1 and removed_at is null \
         order by created_at, id limit $2",
    )
    .bind(application.as_str())
    .bind(LIST_LIMIT)
    .fetch_all(&mut *tx)
    .await?;
    rows.iter().map(|row| from_row(keys, row)).collect()
}

/// The plain bytes of a document. Bytes that are not those that were stored are an error, never an answer.
pub async fn read(files: &Files, keys: &Keys, document: &Document) -> Result<Vec<u8>> {
    let id = document.id.as_str();
    let key = keys.master.unwrap(&document.key_wrapped, id)?;
    let bytes = key.open(id.as_bytes(), &files.get(id).await?)?;
    if sha256_hex(&bytes) == document.sha256 {
        Ok(bytes)
    } else {
        Err(Error::Seal("the stored file is not the one that was uploaded"))
    }
}

/// Files documents under a case. Only those that came in the same conversation and are not filed yet; a
/// document that is already in this very case stays there (a repeated submission). One that may not be filed
/// stops all.
pub async fn attach(
    tx: &mut Tx,
    documents: &[(String, DocumentId)],
    conversation: &ConversationId,
    application: &ApplicationId,
    now: Timestamp,
) -> Result<()> {
    for (item, id) in documents {
        let changed = sqlx::query(
            "update document set application_id = $1, item = $4 \
             where id = $2 and conversation_id = $3 and application_id is null and removed_at is null",
        )
        .bind(application.as_str())
        .bind(id.as_str())
        .bind(conversation.as_str())
        .bind(item.as_str())
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if changed == 1 {
            let details = json!({ "application": application.as_str() });
            let actor = Actor::System("document");
            audit::record(tx, &actor, "document.attach", ("document", id.as_str()), details, now).await?;
            continue;
        }
        sqlx::query(
            "select id from document where id = $1 and conversation_id = $2 and application_id = $3 \
             and removed_at is null",
        )
        .bind(id.as_str())
        .bind(conversation.as_str())
        .bind(application.as_str())
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("document"))?;
    }
    Ok(())
}

/// Moves what has not been filed to another conversation, with the draft that is resumed there.
pub async fn rehome_unfiled(tx: &mut Tx, from: &ConversationId, to: &ConversationId) -> Result<()> {
    sqlx::query(
        "update document set conversation_id = $1 \
         where conversation_id = $2 and application_id is null and removed_at is null",
    )
    .bind(to.as_str())
    .bind(from.as_str())
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Removes a document that is not filed: its key, name and hash are destroyed, only the fact remains. The caller
/// has checked that it is the actor's own. Removing twice is fine; the file goes with the next sweep.
pub async fn remove(tx: &mut Tx, id: &DocumentId, actor: &Actor, now: Timestamp) -> Result<()> {
    let row = sqlx::query("select application_id, removed_at from document where id = $1")
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("document"))?;
    if row.try_get::<Option<i64>, _>(1)?.is_some() {
        return Ok(());
    }
    if row.try_get::<Option<String>, _>(0)?.is_some() {
        return Err(Error::refused("document.filed"));
    }
    erase(tx, id.as_str(), actor, now).await
}

/// Removes all documents of a conversation that are not filed, e.g. because the draft was dropped. Returns
/// how many there were.
pub async fn remove_unfiled(
    tx: &mut Tx,
    conversation: &ConversationId,
    actor: &Actor,
    now: Timestamp,
) -> Result<u64> {
    let mut removed = 0;
    loop {
        let rows = sqlx::query(
            "select id from document where conversation_id = $1 and application_id is null \
             and removed_at is null order by created_at limit $2",
        )
        .bind(conversation.as_str())
        .bind(LIST_LIMIT)
        .fetch_all(&mut *tx)
        .await?;
        if rows.is_empty() {
            return Ok(removed);
        }
        for row in rows {
            erase(tx, &row.try_get::<String, _>(0)?, actor, now).await?;
            removed += 1;
        }
    }
}

/// Of the stored names, those without a live row: their files can be deleted. A file is stored shortly before
/// its row is committed, so give only names that are old enough ([`made_before`]).
pub async fn orphans(tx: &mut Tx, names: &[String]) -> Result<Vec<String>> {
    let mut orphans = Vec::new();
    for names in names.chunks(NAMES_PER_QUERY) {
        let mut query = sqlx::query(
            "select id from document where removed_at is null and id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
             $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        );
        // A short rest is filled up with its last name: one SQL text for all.
        for place in 0..NAMES_PER_QUERY {
            query = query.bind(names[place.min(names.len() - 1)].as_str());
        }
        let live = query
            .fetch_all(&mut *tx)
            .await?
            .iter()
            .map(|row| row.try_get::<String, _>(0))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        orphans.extend(names.iter().filter(|name| !live.contains(name)).cloned());
    }
    Ok(orphans)
}

/// The names that were made before `limit`; an id carries the time at which it was made. Names that are no
/// ids are left out.
pub fn made_before(names: &[String], limit: Timestamp) -> Vec<String> {
    let limit = u64::try_from(limit.0).unwrap_or(0);
    names
        .iter()
        .filter(|name| ulid::Ulid::from_string(name).is_ok_and(|id| id.timestamp_ms() < limit))
        .cloned()
        .collect()
}

async fn erase(tx: &mut Tx, id: &str, actor: &Actor, now: Timestamp) -> Result<()> {
    let changed = sqlx::query(
        "update document set removed_at = $1, key_wrapped = null, name_sealed = $2, sha256 = $3 \
         where id = $4 and application_id is null and removed_at is null",
    )
    .bind(now.0)
    .bind(Vec::<u8>::new())
    .bind("")
    .bind(id)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if changed == 0 {
        return Err(Error::Conflict("document"));
    }
    audit::record(tx, actor, "document.remove", ("document", id), json!({}), now).await
}

fn from_row(keys: &Keys, row: &AnyRow) -> Result<Document> {
    let id: String = row.try_get(0)?;
    let key_wrapped: Vec<u8> = row.try_get(9)?;
    let key = keys.master.unwrap(&key_wrapped, &id)?;
    let name = String::from_utf8(key.open(id.as_bytes(), &row.try_get::<Vec<u8>, _>(5)?)?)
        .map_err(|_| Error::Seal("the sealed name is no text"))?;
    Ok(Document {
        kind: DocumentKind::from_word(&row.try_get::<String, _>(1)?)?,
        conversation: row.try_get::<Option<String>, _>(2)?.map(ConversationId),
        application: row.try_get::<Option<String>, _>(3)?.map(ApplicationId),
        item: row.try_get(4)?,
        name,
        format: format_from_word(&row.try_get::<String, _>(6)?)?,
        size_bytes: row.try_get(7)?,
        sha256: row.try_get(8)?,
        trust: trust_from_number(row.try_get(10)?)?,
        created_at: Timestamp(row.try_get(11)?),
        key_wrapped,
        id: DocumentId(id),
    })
}

fn format_from_word(word: &str) -> Result<DocumentFormat> {
    [DocumentFormat::Pdf, DocumentFormat::Jpeg, DocumentFormat::Png, DocumentFormat::Docx]
        .into_iter()
        .find(|format| inspect::extension(*format) == word)
        .ok_or_else(|| unknown("format", word))
}

/// The database holds a word that this version doesn't know: an older program on a newer database.
fn unknown(column: &str, word: &str) -> Error {
    Error::Setup(format!("document.{column} holds {word:?}; does the program fit the database?"))
}
