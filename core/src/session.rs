//! Sessions of browsers: who sends this request. The token leaves the program once, in a cookie; the database
//! knows only its blinded form. Sessions carry no personal data and are not audited; logins are (person.rs,
//! staff.rs).

use std::time::Duration;

use amtsbote_knowledge::Trust;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use sqlx::Row;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConversationId, PersonId, StaffId};
use crate::seal::Keys;

/// Label under which tokens are blinded.
const TOKEN: &str = "session.token";

/// How long a session of staff may lie unused.
const STAFF_IDLE: Duration = Duration::from_hours(1);

/// How long a session of a logged-in citizen may lie unused. Anonymous ones have only their absolute end:
/// they open nothing but the conversation on this device.
const PERSON_IDLE: Duration = Duration::from_hours(2);

/// Least time between two updates of `seen_at`.
const TOUCH: Duration = Duration::from_mins(1);

/// Most sessions that one sweep removes.
const SWEEP: i64 = 1000;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A citizen, anonymous or logged in.
    Citizen {
        /// The conversation of this browser.
        conversation: Option<ConversationId>,
        /// The person after a login.
        person: Option<PersonId>,
        /// Trust level of the login; `T0` without one.
        trust: Trust,
    },
    /// A member of staff.
    Staff(StaffId),
}

impl Holder {
    /// How long the session may lie unused; `None` without such a limit.
    fn idle(&self) -> Option<Duration> {
        match self {
            Self::Staff(_) => Some(STAFF_IDLE),
            Self::Citizen { person: Some(_), .. } => Some(PERSON_IDLE),
            Self::Citizen { person: None, .. } => None,
        }
    }
}

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub holder: Holder,
    /// Token that every form of this session carries.
    pub csrf: String,
    /// When the holder last proved the second factor again ([`crate::staff::verify_step_up`]).
    pub step_up_at: Option<Timestamp>,
    /// When the session was last used, with an inaccuracy of a minute.
    pub seen_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

impl Session {
    /// Whether a form carries the right token; takes the same time for every wrong one.
    pub fn is_csrf(&self, given: &str) -> bool {
        verify_slices_are_equal(self.csrf.as_bytes(), given.as_bytes()).is_ok()
    }

    /// Whether [`touch`] should be called: the last use is noted as more than a minute ago.
    pub fn needs_touch(&self, now: Timestamp) -> bool {
        self.seen_at.plus(TOUCH) <= now
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        let idle_end = self.holder.idle().map(|idle| self.seen_at.plus(idle));
        self.expires_at <= now || idle_end.is_some_and(|end| end <= now)
    }
}

/// Begins a session that ends after `ttl` at the latest. Returns the token for the cookie.
pub async fn create(
    tx: &mut Tx,
    keys: &Keys,
    holder: &Holder,
    ttl: Duration,
    now: Timestamp,
) -> Result<(String, Session)> {
    let token = keys.clock.token();
    let session = Session {
        holder: holder.clone(),
        csrf: keys.clock.token(),
        step_up_at: None,
        seen_at: now,
        expires_at: now.plus(ttl),
    };
    let (kind, person, staff, conversation, trust) = match holder {
        Holder::Citizen { conversation, person, trust } => {
            ("citizen", person.as_ref(), None, conversation.as_ref(), *trust)
        }
        Holder::Staff(id) => ("staff", None, Some(id), None, Trust::T0),
    };
    sqlx::query(
        "insert into session (token_hash, kind, person_id, staff_id, conversation_id, trust, csrf, \
         step_up_at, created_at, seen_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(keys.master.blind(TOKEN, &token))
    .bind(kind)
    .bind(person.map(PersonId::as_str))
    .bind(staff.map(StaffId::as_str))
    .bind(conversation.map(ConversationId::as_str))
    .bind(trust as i64)
    .bind(&session.csrf)
    .bind(None::<i64>)
    .bind(now.0)
    .bind(now.0)
    .bind(session.expires_at.0)
    .execute(&mut *tx)
    .await?;
    Ok((token, session))
}

/// Begins a session at a login. The session before it ends, so that a token which somebody planted in the
/// browser never becomes a logged-in one.
pub async fn renew(
    tx: &mut Tx,
    keys: &Keys,
    old_token: Option<&str>,
    holder: &Holder,
    ttl: Duration,
    now: Timestamp,
) -> Result<(String, Session)> {
    if let Some(old_token) = old_token {
        end(tx, keys, old_token).await?;
    }
    create(tx, keys, holder, ttl, now).await
}

/// The session of a token; `None` if there is none or it has ended. Only reads, so any connection will do;
/// see [`Session::needs_touch`].
pub async fn load(tx: &mut Tx, keys: &Keys, token: &str, now: Timestamp) -> Result<Option<Session>> {
    let row = sqlx::query(
        "select kind, person_id, staff_id, conversation_id, trust, csrf, step_up_at, seen_at, expires_at \
         from session where token_hash = $1",
    )
    .bind(keys.master.blind(TOKEN, token))
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let holder = match row.try_get::<Option<String>, _>(2)? {
        Some(staff) if row.try_get::<String, _>(0)? == "staff" => Holder::Staff(StaffId(staff)),
        Some(_) => return Ok(None),
        None => Holder::Citizen {
            person: row.try_get::<Option<String>, _>(1)?.map(PersonId),
            conversation: row.try_get::<Option<String>, _>(3)?.map(ConversationId),
            trust: trust(row.try_get(4)?),
        },
    };
    let session = Session {
        holder,
        csrf: row.try_get(5)?,
        step_up_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp),
        seen_at: Timestamp(row.try_get(7)?),
        expires_at: Timestamp(row.try_get(8)?),
    };
    Ok((!session.has_ended(now)).then_some(session))
}

/// The trust level of a column; what is not known is no login.
fn trust(column: i64) -> Trust {
    match column {
        1 => Trust::T1,
        2 => Trust::T2,
        3 => Trust::T3,
        _ => Trust::T0,
    }
}

/// Notes that the session was used now; at most once a minute, however often it is called.
pub async fn touch(tx: &mut Tx, keys: &Keys, token: &str, now: Timestamp) -> Result<()> {
    let latest = now.0.saturating_sub(i64::try_from(TOUCH.as_millis()).unwrap_or(0));
    sqlx::query(
        "update session set seen_at = $1 where token_hash = $2 and seen_at <= $3 and expires_at > $1",
    )
    .bind(now.0)
    .bind(keys.master.blind(TOKEN, token))
    .bind(latest)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Binds a citizen's session to a conversation.
pub async fn set_conversation(
    tx: &mut Tx,
    keys: &Keys,
    token: &str,
    conversation: &ConversationId,
    now: Timestamp,
) -> Result<()> {
    let changed = sqlx::query(
        "update session set conversation_id = $1 \
         where token_hash = $2 and kind = 'citizen' and expires_at > $3",
    )
    .bind(conversation.as_str())
    .bind(keys.master.blind(TOKEN, token))
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 { Err(Error::NotFound("session")) } else { Ok(()) }
}

/// Notes that the holder of a staff session has just proved the second factor again.
pub(crate) async fn set_step_up(
    tx: &mut Tx,
    keys: &Keys,
    token: &str,
    staff: &StaffId,
    now: Timestamp,
) -> Result<()> {
    let changed = sqlx::query(
        "update session set step_up_at = $1 where token_hash = $2 and staff_id = $3 and expires_at > $1",
    )
    .bind(now.0)
    .bind(keys.master.blind(TOKEN, token))
    .bind(staff.as_str())
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 { Err(Error::NotFound("session")) } else { Ok(()) }
}

/// Ends a session; one that does not exist is fine.
pub async fn end(tx: &mut Tx, keys: &Keys, token: &str) -> Result<()> {
    sqlx::query("delete from session where token_hash = $1")
        .bind(keys.master.blind(TOKEN, token))
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Ends all sessions of a member of staff; returns how many there were.
pub async fn end_all_of_staff(tx: &mut Tx, staff: &StaffId) -> Result<u64> {
    let ended =
        sqlx::query("delete from session where staff_id = $1").bind(staff.as_str()).execute(&mut *tx).await?;
    Ok(ended.rows_affected())
}

/// Removes sessions that have ended, at most a thousand; returns how many. Those that only lay unused go at
/// their absolute end; nobody can load them before.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    let removed = sqlx::query(
        "delete from session where token_hash in \
         (select token_hash from session where expires_at <= $1 order by expires_at limit $2)",
    )
    .bind(now.0)
    .bind(SWEEP)
    .execute(&mut *tx)
    .await?;
    Ok(removed.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::db::Db;
    use crate::seal::MasterKey;

    const HOUR: Duration = Duration::from_hours(1);
    const START: Timestamp = Timestamp(1_800_000_000_000);

    fn keys() -> Keys {
        let clock = Clock::manual(START);
        Keys { master: MasterKey::from_bytes(&clock.random()), clock }
    }

    async fn open(folder: &tempfile::TempDir) -> Db {
        crate::db::open_for_test(folder.path()).await
    }

    fn anonymous() -> Holder {
        Holder::Citizen { conversation: None, person: None, trust: Trust::T0 }
    }

    fn logged_in() -> Holder {
        let (conversation, person) = (ConversationId("c1".to_owned()), PersonId("p1".to_owned()));
        Holder::Citizen { conversation: Some(conversation), person: Some(person), trust: Trust::T3 }
    }

    fn staff() -> Holder {
        Holder::Staff(StaffId("s1".to_owned()))
    }

    #[tokio::test]
    async fn a_session_comes_back_as_it_was_made_and_its_token_is_not_stored() {
        let folder = tempfile::tempdir().expect("folder");
        let (db, keys) = (open(&folder).await, keys());
        let tx = &mut *db.read().await.expect("connects");
        for holder in [anonymous(), logged_in(), staff()] {
            let (token, session) = create(tx, &keys, &holder, HOUR, START).await.expect("creates");
            assert_eq!(session.holder, holder);
            assert_eq!(load(tx, &keys, &token, START).await.expect("loads").as_ref(), Some(&session));
            assert!(session.is_csrf(&session.csrf) && !session.is_csrf("") && !session.is_csrf(&token));
            let stored = sqlx::query("select count(*) from session where token_hash = $1 or csrf = $1")
                .bind(&token)
                .fetch_one(&mut *tx)
                .await
                .expect("counts");
            assert_eq!(stored.try_get::<i64, _>(0).expect("number"), 0);
            end(tx, &keys, &token).await.expect("ends");
            assert_eq!(load(tx, &keys, &token, START).await.expect("loads"), None);
        }
        assert_eq!(load(tx, &keys, "made up", START).await.expect("loads"), None);
    }

    #[tokio::test]
    async fn sessions_end_unused_or_at_their_absolute_end() {
        let folder = tempfile::tempdir().expect("folder");
        let (db, keys) = (open(&folder).await, keys());
        let tx = &mut *db.read().await.expect("connects");
        // Holder, minutes of the uses, minute of the question, still there?
        let table: &[(Holder, &[u64], u64, bool)] = &[
            (anonymous(), &[], 719, true),
            (anonymous(), &[], 720, false),
            (logged_in(), &[], 119, true),
            (logged_in(), &[], 120, false),
            (logged_in(), &[100], 219, true),
            (logged_in(), &[100, 200], 320, false),
            (staff(), &[], 59, true),
            (staff(), &[], 60, false),
            (staff(), &[50], 109, true),
            (staff(), &[50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700], 719, true),
            (staff(), &[50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700], 720, false),
        ];
        for (holder, uses, minute, is_there) in table {
            let at = |minute: u64| START.plus(Duration::from_mins(minute));
            let (token, _) = create(tx, &keys, holder, HOUR * 12, START).await.expect("creates");
            for used in *uses {
                assert!(load(tx, &keys, &token, at(*used)).await.expect("loads").is_some());
                touch(tx, &keys, &token, at(*used)).await.expect("touches");
            }
            let found = load(tx, &keys, &token, at(*minute)).await.expect("loads");
            assert_eq!(found.is_some(), *is_there, "{holder:?} {uses:?} {minute}");
        }
        assert_eq!(sweep(tx, START.plus(HOUR * 11)).await.expect("sweeps"), 0);
        assert_eq!(sweep(tx, START.plus(HOUR * 12)).await.expect("sweeps"), table.len() as u64);
    }

    #[tokio::test]
    async fn the_last_use_is_noted_at_most_once_a_minute() {
        let folder = tempfile::tempdir().expect("folder");
        let (db, keys) = (open(&folder).await, keys());
        let tx = &mut *db.read().await.expect("connects");
        let (token, _) = create(tx, &keys, &staff(), HOUR, START).await.expect("creates");
        for (second, seen) in [(59, 0), (60, 60), (90, 60), (119, 60), (120, 120)] {
            let now = START.plus(Duration::from_secs(second));
            let before = load(tx, &keys, &token, now).await.expect("loads").expect("exists");
            assert_eq!(before.needs_touch(now), seen == second, "{second}");
            touch(tx, &keys, &token, now).await.expect("touches");
            let session = load(tx, &keys, &token, now).await.expect("loads").expect("exists");
            assert_eq!(session.seen_at, START.plus(Duration::from_secs(seen)), "{second}");
        }
    }

    #[tokio::test]
    async fn a_login_changes_both_tokens_and_ends_the_old_session() {
        let folder = tempfile::tempdir().expect("folder");
        let (db, keys) = (open(&folder).await, keys());
        let tx = &mut *db.read().await.expect("connects");
        let (planted, before) = create(tx, &keys, &anonymous(), HOUR, START).await.expect("creates");
        let conversation = ConversationId("c1".to_owned());
        set_conversation(tx, &keys, &planted, &conversation, START).await.expect("binds");
        let (token, after) =
            renew(tx, &keys, Some(&planted), &logged_in(), HOUR, START).await.expect("renews");
        assert!(token != planted && after.csrf != before.csrf);
        assert_eq!(load(tx, &keys, &planted, START).await.expect("loads"), None);
        assert_eq!(load(tx, &keys, &token, START).await.expect("loads").map(|s| s.holder), Some(logged_in()));
    }

    #[tokio::test]
    async fn only_the_right_kind_of_session_takes_a_conversation_or_a_step_up() {
        let folder = tempfile::tempdir().expect("folder");
        let (db, keys) = (open(&folder).await, keys());
        let tx = &mut *db.read().await.expect("connects");
        let (token, _) = create(tx, &keys, &staff(), HOUR, START).await.expect("creates");
        let conversation = ConversationId("c1".to_owned());
        let refused = set_conversation(tx, &keys, &token, &conversation, START).await;
        assert!(matches!(refused, Err(Error::NotFound(_))));
        let (one, other) = (StaffId("s1".to_owned()), StaffId("s2".to_owned()));
        assert!(set_step_up(tx, &keys, &token, &other, START).await.is_err());
        assert!(set_step_up(tx, &keys, &token, &one, START.plus(HOUR)).await.is_err(), "ended");
        set_step_up(tx, &keys, &token, &one, START).await.expect("notes");
        let session = load(tx, &keys, &token, START).await.expect("loads").expect("exists");
        assert_eq!(session.step_up_at, Some(START));
        assert_eq!(end_all_of_staff(tx, &other).await.expect("ends"), 0);
        assert_eq!(end_all_of_staff(tx, &one).await.expect("ends"), 1);
        assert_eq!(load(tx, &keys, &token, START).await.expect("loads"), None);
    }
}
