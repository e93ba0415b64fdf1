//! Applications as rows: loading one, listing many, the kept counts. What happens to them is decided in
//! `mod.rs` and `state.rs`; rows without personal data ([`Row`]) are told apart from the whole
//! [`Application`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use amtsbote_knowledge::{Service, Trust};

use super::state::State;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ApplicationId, ConversationId, DocumentId, PersonId, StaffId};
use crate::permission::trust_from_number;
use crate::seal::{DataKey, Keys, sha256_hex};

/// `due_at` where nothing is promised: the last day of the year 9999, so that it sorts last everywhere.
pub(super) const NO_DUE: i64 = 253_402_214_400_000;

/// Most rows of a list.
const MOST_ROWS: i64 = 500;

const ROW: &str = "id, number, service_id, state, state_since, submitted_at, due_at, assigned_staff_id, \
                   trust, language, version";

/// One application, opened.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// Its number for people, eight characters.
    pub number: String,
    /// The service as it was when the application was filed.
    pub service: Service,
    /// Where it stands.
    pub state: State,
    /// Who filed it after a login.
    pub person: Option<PersonId>,
    /// The conversation that it was filed in.
    pub conversation: ConversationId,
    /// Trust level of the login at filing.
    pub trust: Trust,
    /// Language tag of the applicant.
    pub language: String,
    /// Field id → normalised answer. Empty after erasure.
    pub answers: BTreeMap<String, String>,
    /// The documents filed with it: item id of the service, document.
    pub documents: Vec<(String, DocumentId)>,
    /// Item ids of documents that the applicant will hand in later.
    pub later_documents: Vec<String>,
    /// The declaration in the words that were shown.
    pub declaration_shown: String,
    /// Who works on it.
    pub assigned: Option<StaffId>,
    /// Arrival stamp.
    pub submitted_at: Timestamp,
    /// Until when the decision or the result is promised.
    pub due_at: Option<Timestamp>,
    /// Since when it stands where it stands.
    pub state_since: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Raised with every change.
    pub version: i64,
}

/// One application in a list: nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: ApplicationId,
    /// Its number for people.
    pub number: String,
    /// Id of the service.
    pub service_id: String,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub state_since: Timestamp,
    /// Arrival stamp.
    pub submitted_at: Timestamp,
    /// Until when the result is promised.
    pub due_at: Option<Timestamp>,
    /// Who works on it.
    pub assigned: Option<StaffId>,
    /// Trust level of the login at filing.
    pub trust: Trust,
    /// Language tag of the applicant.
    pub language: String,
    /// Raised with every change.
    pub version: i64,
}

impl Application {
    /// The place of this case in a list, for [`Filter::before`] of the cases behind it.
    pub fn cursor(&self) -> (i64, String) {
        cursor(self.due_at, &self.id)
    }
}

fn cursor(due_at: Option<Timestamp>, id: &ApplicationId) -> (i64, String) {
    (due_at.map_or(NO_DUE, |at| at.0), id.0.clone())
}

impl Row {
    /// The place of this row in a list, for [`Filter::before`] of the next page.
    pub fn cursor(&self) -> (i64, String) {
        cursor(self.due_at, &self.id)
    }

    fn read(row: &AnyRow) -> Result<Self> {
        Ok(Self {
            id: ApplicationId(row.try_get(0)?),
            number: row.try_get(1)?,
            service_id: row.try_get(2)?,
            state: read_state(&row.try_get::<String, _>(3)?)?,
            state_since: Timestamp(row.try_get(4)?),
            submitted_at: Timestamp(row.try_get(5)?),
            due_at: read_due(row.try_get(6)?),
            assigned: row.try_get::<Option<String>, _>(7)?.map(StaffId),
            trust: trust_from_number(row.try_get(8)?)?,
            language: row.try_get(9)?,
            version: row.try_get(10)?,
        })
    }
}

/// Which applications a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only in these states; `None` for all.
    pub states: Option<Vec<State>>,
    /// Only of this service.
    pub service_id: Option<String>,
    /// Only what this member of staff works on.
    pub assigned: Option<StaffId>,
    /// Only what nobody works on.
    pub unassigned: bool,
    /// Only numbers that begin so.
    pub number_prefix: Option<String>,
    /// The last row of the page before ([`Row::cursor`]); the list goes on after it.
    pub before: Option<(i64, String)>,
}

/// The sealed part of an application.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Body {
    pub answers: BTreeMap<String, String>,
    pub documents: Vec<(String, DocumentId)>,
    pub declaration_shown: String,
}

pub(super) fn read_state(word: &str) -> Result<State> {
    State::parse(word).ok_or_else(|| Error::Setup(format!("an application has the unknown state {word:?}")))
}

fn read_due(due_at: i64) -> Option<Timestamp> {
    (due_at < NO_DUE).then_some(Timestamp(due_at))
}

/// Stores a definition once and returns its hash.
pub(super) async fn keep_definition(
    tx: &mut Tx,
    service: &Service,
    definition: &str,
    now: Timestamp,
) -> Result<String> {
    let hash = sha256_hex(definition.as_bytes());
    sqlx::query(
        "insert into service_definition (hash, service_id, version, definition, created_at) \
         values ($1, $2, $3, $4, $5) on conflict (hash) do nothing",
    )
    .bind(&hash)
    .bind(&service.id)
    .bind(i64::from(service.version))
    .bind(definition)
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(hash)
}

/// The service in the version that `hash` names.
pub(crate) async fn service_by_hash(tx: &mut Tx, hash: &str) -> Result<Service> {
    let row = sqlx::query("select definition from service_definition where hash = $1")
        .bind(hash)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("service definition"))?;
    parse_definition(&row.try_get::<String, _>(0)?)
}

/// Parses the text of a definition.
pub(super) fn parse_definition(definition: &str) -> Result<Service> {
    toml::from_str(definition).map_err(|error| {
        Error::Setup(format!(
            "a service definition can't be read: {}; mend the file, or, if an older version of this program \
             stored it, go back to that version",
            error.message()
        ))
    })
}

/// One application with its answers.
pub async fn load(tx: &mut Tx, keys: &Keys, id: &ApplicationId) -> Result<Option<Application>> {
    let Some(row) = sqlx::query(
        "select number, definition_hash, state, person_id, conversation_id, trust, language, \
         later_documents, assigned_staff_id, submitted_at, due_at, state_since, updated_at, version, \
         key_wrapped, answers_sealed from application where id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(None);
    };
    let service = service_by_hash(tx, &row.try_get::<String, _>(1)?).await?;
    let wrapped: Option<Vec<u8>> = row.try_get(14)?;
    let sealed: Option<Vec<u8>> = row.try_get(15)?;
    let body = match (wrapped, sealed) {
        (Some(wrapped), Some(sealed)) => {
            let plain = keys.master.unwrap(&wrapped, id.as_str())?.open(id.as_str().as_bytes(), &sealed)?;
            serde_json::from_slice(&plain)
                .map_err(|_| Error::Seal("the answers of a case are not readable"))?
        }
        _ => Body { answers: BTreeMap::new(), documents: Vec::new(), declaration_shown: String::new() },
    };
    Ok(Some(Application {
        id: id.clone(),
        number: row.try_get(0)?,
        service,
        state: read_state(&row.try_get::<String, _>(2)?)?,
        person: row.try_get::<Option<String>, _>(3)?.map(PersonId),
        conversation: ConversationId(row.try_get(4)?),
        trust: trust_from_number(row.try_get(5)?)?,
        language: row.try_get(6)?,
        answers: body.answers,
        documents: body.documents,
        later_documents: serde_json::from_str(&row.try_get::<String, _>(7)?)
            .map_err(|_| Error::Setup("the later documents of a case are not readable".to_owned()))?,
        declaration_shown: body.declaration_shown,
        assigned: row.try_get::<Option<String>, _>(8)?.map(StaffId),
        submitted_at: Timestamp(row.try_get(9)?),
        due_at: read_due(row.try_get(10)?),
        state_since: Timestamp(row.try_get(11)?),
        updated_at: Timestamp(row.try_get(12)?),
        version: row.try_get(13)?,
    }))
}

/// Seals what is personal in an application: (wrapped key, sealed body).
pub(super) fn seal_body(keys: &Keys, id: &ApplicationId, body: &Body) -> Result<(Vec<u8>, Vec<u8>)> {
    let plain = serde_json::to_vec(body).map_err(|_| Error::Seal("the answers can't be written"))?;
    let key = DataKey::generate(&keys.clock);
    let sealed = key.seal(id.as_str().as_bytes(), &plain, &keys.clock);
    Ok((keys.master.wrap(&key, id.as_str(), &keys.clock), sealed))
}

/// The id behind a number.
pub async fn id_by_number(tx: &mut Tx, number: &str) -> Result<Option<ApplicationId>> {
    let row = sqlx::query("select id from application where number = $1")
        .bind(number)
        .fetch_optional(&mut *tx)
        .await?;
    Ok(row.map(|row| row.try_get(0).map(ApplicationId)).transpose()?)
}

/// The row behind a number; an erased case does not exist.
pub(super) async fn row_by_number(tx: &mut Tx, number: &str) -> Result<Option<Row>> {
    let sql = format!("select {ROW} from application where number = $1 and state <> $2");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(number)
        .bind(State::Erased.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    row.as_ref().map(Row::read).transpose()
}

/// One application without its answers.
pub async fn row(tx: &mut Tx, id: &ApplicationId) -> Result<Option<Row>> {
    let sql = format!("select {ROW} from application where id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&mut *tx).await?;
    row.as_ref().map(Row::read).transpose()
}

/// Applications that fit the filter, first due first, at most `limit` (500).
pub async fn list(tx: &mut Tx, filter: &Filter, limit: i64) -> Result<Vec<Row>> {
    let mut sql = format!("select {ROW} from application where due_at >= $1");
    // Only placeholders are put together here, never values.
    let mut texts: Vec<String> = Vec::new();
    let mut placeholder = |text: String| {
        texts.push(text);
        format!("${}", texts.len() + 3)
    };
    let (from_due, from_id) = filter.before.clone().unwrap_or((i64::MIN, String::new()));
    sql.push_str(" and (due_at > $1 or id > $2)");
    if let Some(states) = &filter.states {
        if states.is_empty() {
            return Ok(Vec::new());
        }
        let words: Vec<String> = states.iter().map(|state| placeholder(state.as_str().to_owned())).collect();
        let _ = write!(sql, " and state in ({})", words.join(", "));
    }
    if let Some(service) = &filter.service_id {
        let _ = write!(sql, " and service_id = {}", placeholder(service.clone()));
    }
    if let Some(staff) = &filter.assigned {
        let _ = write!(sql, " and assigned_staff_id = {}", placeholder(staff.0.clone()));
    }
    if filter.unassigned {
        sql.push_str(" and assigned_staff_id is null");
    }
    if let Some(prefix) = &filter.number_prefix {
        let prefix: String = prefix.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let pattern = format!("{}%", prefix.to_ascii_uppercase());
        let _ = write!(sql, " and number like {}", placeholder(pattern));
    }
    sql.push_str(" order by due_at, id limit $3");
    let mut query =
        sqlx::query(AssertSqlSafe(sql)).bind(from_due).bind(from_id).bind(limit.clamp(1, MOST_ROWS));
    for text in texts {
        query = query.bind(text);
    }
    query.fetch_all(&mut *tx).await?.iter().map(Row::read).collect()
}

/// The applications of one person, newest first.
pub async fn of_person(tx: &mut Tx, person: &PersonId, limit: i64) -> Result<Vec<Row>> {
    let sql = format!(
        "select {ROW} from application where person_id = $1 order by submitted_at desc, id desc limit $2"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(person.as_str())
        .bind(limit.clamp(1, MOST_ROWS))
        .fetch_all(&mut *tx)
        .await?;
    rows.iter().map(Row::read).collect()
}

/// The applications filed in one conversation, newest first.
pub async fn of_conversation(tx: &mut Tx, conversation: &ConversationId, limit: i64) -> Result<Vec<Row>> {
    let sql = format!(
        "select {ROW} from application where conversation_id = $1 \
         order by submitted_at desc, id desc limit $2"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(conversation.as_str())
        .bind(limit.clamp(1, MOST_ROWS))
        .fetch_all(&mut *tx)
        .await?;
    rows.iter().map(Row::read).collect()
}

/// How many applications are in each state. States without any are missing.
pub async fn counts(tx: &mut Tx) -> Result<BTreeMap<State, i64>> {
    let rows =
        sqlx::query("select state, number from application_count where number > 0 order by state limit 100")
            .fetch_all(&mut *tx)
            .await?;
    rows.iter().map(|row| Ok((read_state(&row.try_get::<String, _>(0)?)?, row.try_get(1)?))).collect()
}

/// Adds `by` to the count of a state.
pub(super) async fn count(tx: &mut Tx, state: State, by: i64) -> Result<()> {
    sqlx::query(
        "insert into application_count (state, number) values ($1, $2) \
         on conflict (state) do update set number = application_count.number + excluded.number",
    )
    .bind(state.as_str())
    .bind(by)
    .execute(&mut *tx)
    .await?;
    Ok(())
}
