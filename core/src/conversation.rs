//! A conversation: who owns it, in which language it is held, its messages and the state of its dialogue.
//!
//! Texts and state are sealed with a key of the conversation; destroying that key erases it. Nothing here decides
//! what is said: that is `dialog`. A message of a trust level is shown only to readers of that level.

use serde::{Deserialize, Serialize};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Row};

use amtsbote_knowledge::Trust;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::dialog::{DialogState, Draft};
use crate::error::{Error, Result};
use crate::id::{ConversationId, DocumentId, MessageId, PersonId, StaffId};
use crate::message::{ChannelKind, Reply};
use crate::permission::{trust_from_number, trust_number};
use crate::seal::{DataKey, Keys};

type AnyQuery<'q> = Query<'q, Any, AnyArguments>;

/// Who may speak for the office (`conversation.md` 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The assistant.
    Bot,
    /// Nobody yet: the citizen waits for a person.
    Queued,
    /// A member of staff.
    Staff(StaffId),
}

impl Owner {
    fn word(&self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Queued => "queued",
            Self::Staff(_) => "staff",
        }
    }
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// The citizen.
    Citizen,
    /// The assistant.
    Bot,
    /// A member of staff.
    Staff(StaffId),
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Words of the citizen or of a member of staff.
    Text {
        /// The words.
        text: String,
    },
    /// An uploaded file.
    File {
        /// The stored document.
        document: DocumentId,
        /// Its name.
        name: String,
    },
    /// What the assistant said.
    Reply {
        /// The reply.
        reply: Reply,
    },
    /// Written at a higher trust level than the reader has; nothing of it is shown.
    Hidden,
}

/// One message as read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Place in the conversation, from 1.
    pub seq: i64,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub content: Content,
    /// When.
    pub at: Timestamp,
}

/// A conversation with its open state.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Where it is held.
    pub channel: ChannelKind,
    /// Who is it with, once somebody has logged in. Never changes afterwards.
    pub person: Option<PersonId>,
    /// Who may speak.
    pub owner: Owner,
    /// Since when a person is waited for.
    pub queued_at: Option<Timestamp>,
    /// Language tag.
    pub language: String,
    /// Highest trust level of anything said in it.
    pub trust: Trust,
    /// State of the dialogue.
    pub state: DialogState,
    /// Last change.
    pub updated_at: Timestamp,
    /// Something has been filed in it.
    pub has_case: bool,
    key: DataKey,
    next_seq: i64,
    version: i64,
}

/// The conversation that is held under this address of a channel.
pub async fn at_address(tx: &mut Tx, channel: ChannelKind, address: &str) -> Result<Option<ConversationId>> {
    let row = sqlx::query("select id from conversation where channel = $1 and address = $2")
        .bind(channel.as_str())
        .bind(address)
        .fetch_optional(&mut *tx)
        .await?;
    Ok(row.map(|row| row.try_get(0).map(ConversationId)).transpose()?)
}

/// Opens a new conversation; `address` is the channel's own name for it, if it has one.
pub async fn create(
    tx: &mut Tx,
    keys: &Keys,
    (channel, address): (ChannelKind, Option<&str>),
    language: &str,
    now: Timestamp,
) -> Result<Conversation> {
    let key = DataKey::generate(&keys.clock);
    let conversation = Conversation {
        id: keys.clock.id(),
        channel,
        person: None,
        owner: Owner::Bot,
        queued_at: None,
        language: language.to_owned(),
        trust: Trust::T0,
        state: DialogState::default(),
        updated_at: now,
        has_case: false,
        key,
        next_seq: 1,
        version: 1,
    };
    let id = conversation.id.as_str();
    sqlx::query(
        "insert into conversation (id, channel, address, owner, language, key_wrapped, trust, next_seq, version, \
         created_at, updated_at) values ($1, $2, $3, 'bot', $4, $5, 0, 1, 1, $6, $6)",
    )
    .bind(id)
    .bind(channel.as_str())
    .bind(address)
    .bind(language)
    .bind(keys.master.wrap(&conversation.key, id, &keys.clock))
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(conversation)
}

/// The conversation, unless it does not exist or has been erased.
pub async fn load(tx: &mut Tx, keys: &Keys, id: &ConversationId) -> Result<Option<Conversation>> {
    Ok(load_for_message(tx, keys, id, None).await?.map(|(conversation, _)| conversation))
}

/// The conversation into which a message comes, and the place of the message if it has arrived before. One
/// statement, because every turn begins with it.
pub async fn load_for_message(
    tx: &mut Tx,
    keys: &Keys,
    id: &ConversationId,
    external_id: Option<&str>,
) -> Result<Option<(Conversation, Option<i64>)>> {
    let row = sqlx::query(
        "select channel, person_id, owner, owner_staff_id, queued_at, language, key_wrapped, state_sealed, trust, \
         next_seq, version, updated_at, \
         (select seq from message where conversation_id = $1 and external_id = $2), \
         (select min(submitted_at) from application where conversation_id = $1) \
         from conversation where id = $1 and key_wrapped is not null",
    )
    .bind(id.as_str())
    .bind(external_id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let key = keys.master.unwrap(&row.try_get::<Vec<u8>, _>(6)?, id.as_str())?;
    let state = match row.try_get::<Option<Vec<u8>>, _>(7)? {
        Some(sealed) => serde_json::from_slice(&key.open(id.as_str().as_bytes(), &sealed)?)
            .map_err(|_| Error::Seal("the state of a conversation has an unknown form"))?,
        None => DialogState::default(),
    };
    let channel = ChannelKind::parse(&row.try_get::<String, _>(0)?)
        .ok_or(Error::Seal("a conversation has an unknown channel"))?;
    let owner = owner_of(&row.try_get::<String, _>(2)?, row.try_get(3)?);
    let conversation = Conversation {
        id: id.clone(),
        channel,
        person: row.try_get::<Option<String>, _>(1)?.map(PersonId),
        owner,
        queued_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp),
        language: row.try_get(5)?,
        trust: trust_from_number(row.try_get(8)?)?,
        state,
        updated_at: Timestamp(row.try_get(11)?),
        has_case: row.try_get::<Option<i64>, _>(13)?.is_some(),
        key,
        next_seq: row.try_get(9)?,
        version: row.try_get(10)?,
    };
    Ok(Some((conversation, row.try_get(12)?)))
}

fn owner_of(word: &str, staff: Option<String>) -> Owner {
    match (word, staff) {
        ("staff", Some(id)) => Owner::Staff(StaffId(id)),
        ("queued", _) => Owner::Queued,
        _ => Owner::Bot,
    }
}

/// Stores state, owner, person and language; refuses when somebody else was faster.
pub async fn save(tx: &mut Tx, keys: &Keys, conversation: &mut Conversation, now: Timestamp) -> Result<()> {
    let id = conversation.id.as_str();
    let state = serde_json::to_vec(&conversation.state)
        .map_err(|_| Error::Seal("the state of a conversation can't be written"))?;
    let staff = match &conversation.owner {
        Owner::Staff(staff) => Some(staff.as_str()),
        Owner::Bot | Owner::Queued => None,
    };
    let changed = sqlx::query(
        "update conversation set person_id = $1, owner = $2, owner_staff_id = $3, queued_at = $4, language = $5, \
         state_sealed = $6, trust = $7, next_seq = $8, version = version + 1, updated_at = $9 \
         where id = $10 and version = $11",
    )
    .bind(conversation.person.as_ref().map(PersonId::as_str))
    .bind(conversation.owner.word())
    .bind(staff)
    .bind(conversation.queued_at.map(|at| at.0))
    .bind(conversation.language.as_str())
    .bind(conversation.key.seal(id.as_bytes(), &state, &keys.clock))
    .bind(trust_number(conversation.trust))
    .bind(conversation.next_seq)
    .bind(now.0)
    .bind(id)
    .bind(conversation.version)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if changed == 0 {
        return Err(Error::Conflict("conversation"));
    }
    conversation.version += 1;
    conversation.updated_at = now;
    Ok(())
}

/// A message to be added.
#[derive(Debug)]
pub struct NewMessage<'a> {
    /// Who writes.
    pub author: Author,
    /// The channel's id, for messages from outside.
    pub external_id: Option<&'a str>,
    /// Trust level at which it is written, and below which it stays hidden.
    pub trust: Trust,
    /// What it says.
    pub content: Content,
}

/// A message that has got its place and is sealed, ready to be stored.
struct Sealed<'a> {
    message: Message,
    external_id: Option<&'a str>,
    trust: Trust,
    body: Vec<u8>,
}

impl<'a> Sealed<'a> {
    fn next(
        conversation: &mut Conversation,
        keys: &Keys,
        new: NewMessage<'a>,
        now: Timestamp,
    ) -> Result<Self> {
        let id: MessageId = keys.clock.id();
        let body = serde_json::to_vec(&new.content).map_err(|_| Error::Seal("a message can't be written"))?;
        let seq = conversation.next_seq;
        conversation.next_seq += 1;
        conversation.trust = conversation.trust.max(new.trust);
        Ok(Self {
            body: conversation.key.seal(id.as_str().as_bytes(), &body, &keys.clock),
            message: Message { id, seq, author: new.author, content: new.content, at: now },
            external_id: new.external_id,
            trust: new.trust,
        })
    }

    fn bind<'q>(&'q self, query: AnyQuery<'q>, conversation: &'q ConversationId) -> AnyQuery<'q> {
        let (author, staff) = match &self.message.author {
            Author::Citizen => ("citizen", None),
            Author::Bot => ("bot", None),
            Author::Staff(staff) => ("staff", Some(staff.as_str())),
        };
        query
            .bind(self.message.id.as_str())
            .bind(conversation.as_str())
            .bind(self.message.seq)
            .bind(author)
            .bind(staff)
            .bind(self.external_id)
            .bind(trust_number(self.trust))
            .bind(self.body.as_slice())
            .bind(self.message.at.0)
    }
}

/// Adds a message. The caller saves the conversation in the same transaction.
pub async fn append(
    tx: &mut Tx,
    keys: &Keys,
    conversation: &mut Conversation,
    new: NewMessage<'_>,
    now: Timestamp,
) -> Result<Message> {
    let sealed = Sealed::next(conversation, keys, new, now)?;
    let query = sqlx::query(
        "insert into message (id, conversation_id, seq, author, staff_id, external_id, trust, body_sealed, \
         created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    );
    sealed.bind(query, &conversation.id).execute(&mut *tx).await?;
    Ok(sealed.message)
}

/// Adds what was said and what is replied, in this order and with one statement: every turn ends with it. The
/// caller saves the conversation in the same transaction.
pub async fn append_exchange(
    tx: &mut Tx,
    keys: &Keys,
    conversation: &mut Conversation,
    (said, replied): (NewMessage<'_>, NewMessage<'_>),
    now: Timestamp,
) -> Result<[Message; 2]> {
    let said = Sealed::next(conversation, keys, said, now)?;
    let replied = Sealed::next(conversation, keys, replied, now)?;
    let query = sqlx::query(
        "insert into message (id, conversation_id, seq, author, staff_id, external_id, trust, body_sealed, \
         created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9), \
         ($10, $11, $12, $13, $14, $15, $16, $17, $18)",
    );
    let query = replied.bind(said.bind(query, &conversation.id), &conversation.id);
    query.execute(&mut *tx).await?;
    Ok([said.message, replied.message])
}

/// Which messages are read back.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only messages after this place; 0 = from the beginning.
    pub after: i64,
    /// At most so many; the newest ones when there are more and `after` is 0.
    pub limit: i64,
}

/// Messages in order. What was said above the reader's trust level comes back as [`Content::Hidden`].
pub async fn history(
    tx: &mut Tx,
    conversation: &Conversation,
    reader: Trust,
    page: Page,
) -> Result<Vec<Message>> {
    let newest_first = page.after == 0;
    let sql = if newest_first {
        "select id, seq, author, staff_id, trust, body_sealed, created_at from message \
         where conversation_id = $1 and seq > $2 order by seq desc limit $3"
    } else {
        "select id, seq, author, staff_id, trust, body_sealed, created_at from message \
         where conversation_id = $1 and seq > $2 order by seq limit $3"
    };
    let rows = sqlx::query(sql)
        .bind(conversation.id.as_str())
        .bind(page.after)
        .bind(page.limit)
        .fetch_all(&mut *tx)
        .await?;
    let mut messages =
        rows.iter().map(|row| read_message(row, &conversation.key, reader)).collect::<Result<Vec<_>>>()?;
    if newest_first {
        messages.reverse();
    }
    Ok(messages)
}

fn read_message(row: &AnyRow, key: &DataKey, reader: Trust) -> Result<Message> {
    let id = MessageId(row.try_get(0)?);
    let author = match (row.try_get::<String, _>(2)?.as_str(), row.try_get::<Option<String>, _>(3)?) {
        ("staff", Some(staff)) => Author::Staff(StaffId(staff)),
        ("citizen", _) => Author::Citizen,
        _ => Author::Bot,
    };
    let content = if trust_from_number(row.try_get(4)?)? > reader {
        Content::Hidden
    } else {
        serde_json::from_slice(&key.open(id.as_str().as_bytes(), &row.try_get::<Vec<u8>, _>(5)?)?)
            .map_err(|_| Error::Seal("a message has an unknown form"))?
    };
    Ok(Message { id, seq: row.try_get(1)?, author, content, at: Timestamp(row.try_get(6)?) })
}

/// The newest conversation of a person in a channel, to go on with after a login elsewhere.
pub async fn newest_of_person(
    tx: &mut Tx,
    person: &PersonId,
    channel: ChannelKind,
) -> Result<Option<ConversationId>> {
    let row = sqlx::query(
        "select id from conversation where person_id = $1 and channel = $2 and key_wrapped is not null \
         order by updated_at desc limit 1",
    )
    .bind(person.as_str())
    .bind(channel.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row.map(|row| row.try_get(0).map(ConversationId)).transpose()?)
}

/// Most changed conversations that are looked at together.
const CHANGED: i64 = 10_000;

/// The conversations that have changed after `since`, newest first.
pub async fn changed_since(tx: &mut Tx, since: Timestamp) -> Result<Vec<ConversationId>> {
    let rows =
        sqlx::query("select id from conversation where updated_at > $1 order by updated_at desc limit $2")
            .bind(since.0)
            .bind(CHANGED)
            .fetch_all(&mut *tx)
            .await?;
    rows.iter().map(|row| Ok(ConversationId(row.try_get(0)?))).collect()
}

/// One line of the staff's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    /// The conversation.
    pub id: ConversationId,
    /// Who owns it.
    pub owner: Owner,
    /// Since when a person is waited for.
    pub queued_at: Option<Timestamp>,
    /// Language of the citizen.
    pub language: String,
    /// Last change.
    pub updated_at: Timestamp,
}

/// Conversations that wait for a person or are with one, longest wait first.
pub async fn with_people(tx: &mut Tx, limit: i64) -> Result<Vec<QueueRow>> {
    let rows = sqlx::query(
        "select id, owner, owner_staff_id, queued_at, language, updated_at from conversation \
         where owner in ('queued', 'staff') and key_wrapped is not null order by owner, queued_at limit $1",
    )
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(QueueRow {
                id: ConversationId(row.try_get(0)?),
                owner: owner_of(&row.try_get::<String, _>(1)?, row.try_get(2)?),
                queued_at: row.try_get::<Option<i64>, _>(3)?.map(Timestamp),
                language: row.try_get(4)?,
                updated_at: Timestamp(row.try_get(5)?),
            })
        })
        .collect()
}

/// How many wait before this moment: the place in the queue is one more.
pub async fn waiting_before(tx: &mut Tx, queued_at: Timestamp) -> Result<i64> {
    let row = sqlx::query("select count(*) from conversation where owner = 'queued' and queued_at < $1")
        .bind(queued_at.0)
        .fetch_one(&mut *tx)
        .await?;
    Ok(row.try_get(0)?)
}

/// Erases what was said: the key and the rows. The id stays, so that cases keep their reference.
pub async fn erase(tx: &mut Tx, id: &ConversationId, now: Timestamp) -> Result<()> {
    sqlx::query("delete from message where conversation_id = $1").bind(id.as_str()).execute(&mut *tx).await?;
    sqlx::query("delete from draft where conversation_id = $1").bind(id.as_str()).execute(&mut *tx).await?;
    sqlx::query(
        "update conversation set key_wrapped = null, state_sealed = null, person_id = null, owner = 'bot', \
         owner_staff_id = null, queued_at = null, version = version + 1, updated_at = $2 where id = $1",
    )
    .bind(id.as_str())
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Conversations without a login and without a case that nobody has used since `before`, oldest first.
pub async fn stale(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<ConversationId>> {
    let rows = sqlx::query(
        "select id from conversation where updated_at < $1 and person_id is null and owner = 'bot' \
         and key_wrapped is not null \
         and not exists (select 1 from application where application.conversation_id = conversation.id) \
         order by updated_at limit $2",
    )
    .bind(before.0)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?;
    rows.iter().map(|row| Ok(ConversationId(row.try_get(0)?))).collect()
}

/// Puts a draft aside under a code that only the citizen knows. Several wrong codes can't be tried quickly: the
/// code has about 48 bits, and requests are limited.
pub async fn park(
    tx: &mut Tx,
    keys: &Keys,
    conversation: &Conversation,
    draft: &Draft,
    code: &str,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let key = DataKey::generate(&keys.clock);
    let body = serde_json::to_vec(draft).map_err(|_| Error::Seal("a draft can't be written"))?;
    sqlx::query("delete from draft where id = $1").bind(draft.id.as_str()).execute(&mut *tx).await?;
    sqlx::query(
        "insert into draft (id, conversation_id, code_hash, detail_hash, service_id, key_wrapped, body_sealed, \
         trust, tries, expires_at, created_at) values ($1, $2, $3, '', $4, $5, $6, $7, 0, $8, $9)",
    )
    .bind(draft.id.as_str())
    .bind(conversation.id.as_str())
    .bind(keys.master.blind("resume code", code))
    .bind(draft.service.as_str())
    .bind(keys.master.wrap(&key, &draft.id, &keys.clock))
    .bind(key.seal(draft.id.as_bytes(), &body, &keys.clock))
    .bind(trust_number(draft.trust))
    .bind(expires_at.0)
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// A parked draft and where it was parked.
#[derive(Debug, Clone)]
pub struct ParkedDraft {
    /// The draft.
    pub draft: Draft,
    /// The conversation in which it was parked; its uploads belong to it.
    pub conversation: ConversationId,
}

/// The draft for a code, if it has not expired. The draft stays parked until it is filed or parked again.
pub async fn unpark(tx: &mut Tx, keys: &Keys, code: &str, now: Timestamp) -> Result<Option<ParkedDraft>> {
    let row = sqlx::query(
        "select id, conversation_id, key_wrapped, body_sealed from draft where code_hash = $1 and expires_at > $2",
    )
    .bind(keys.master.blind("resume code", code))
    .bind(now.0)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id: String = row.try_get(0)?;
    let key = keys.master.unwrap(&row.try_get::<Vec<u8>, _>(2)?, &id)?;
    let draft = serde_json::from_slice(&key.open(id.as_bytes(), &row.try_get::<Vec<u8>, _>(3)?)?)
        .map_err(|_| Error::Seal("a draft has an unknown form"))?;
    Ok(Some(ParkedDraft { draft, conversation: ConversationId(row.try_get(1)?) }))
}

/// Deletes a parked draft, e.g. once it has been filed.
pub async fn drop_parked(tx: &mut Tx, draft_id: &str) -> Result<()> {
    sqlx::query("delete from draft where id = $1").bind(draft_id).execute(&mut *tx).await?;
    Ok(())
}

/// Deletes parked drafts whose time is over. Returns how many.
pub async fn drop_expired(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    Ok(sqlx::query("delete from draft where expires_at <= $1")
        .bind(now.0)
        .execute(&mut *tx)
        .await?
        .rows_affected())
}
