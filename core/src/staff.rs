//! Accounts of staff: links to set them up, login with password and second factor, roles. What a role may do
//! stands in `permission`; sessions are in `session`.
//!
//! A failed login has to be counted, so it is an answer ([`Attempt::Wrong`]), not an error: an error would
//! undo the count together with the transaction.

mod link;
mod password;
#[cfg(test)]
mod tests;
mod totp;

use std::time::Duration;

use serde_json::json;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::audit::{self, Actor};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::StaffId;
use crate::seal::Keys;
use crate::session;

pub use link::{Link, NewAccount, accept, begin_totp, invite, open_link, reset_link, setup_link};
pub use password::{CheckedPassword, PasswordHash, hash_password, verify_password};
pub use totp::NewTotp;

/// Failed tries in a row that lock an account.
const TRIES: i64 = 10;

/// How long it stays locked.
const LOCKED: Duration = Duration::from_mins(15);

/// Most accounts in a list.
const LIST: i64 = 500;

/// What a member of staff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Works on cases and answers in the chat.
    Clerk,
    /// Signs what a clerk has prepared.
    Approver,
    /// Manages accounts.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Clerk, Self::Approver, Self::Admin];

    /// The word in the database and in forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

fn words(roles: &[Role]) -> String {
    let words: Vec<&str> =
        Role::ALL.iter().filter(|role| roles.contains(role)).map(|role| role.word()).collect();
    words.join(",")
}

fn roles(words: &str) -> Vec<Role> {
    words.split(',').filter_map(Role::from_word).collect()
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// The account's id.
    pub id: StaffId,
    /// What the person types to log in, in small letters.
    pub name: String,
    /// What citizens and colleagues see.
    pub display_name: String,
    /// What the person is, in the order of [`Role::ALL`].
    pub roles: Vec<Role>,
    /// Whether the person may log in at all.
    pub active: bool,
    /// Until when no login succeeds, after too many failures; may lie in the past.
    pub locked_until: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Counts the changes, for [`set_roles`] and others.
    pub version: i64,
}

impl Staff {
    /// Whether the account has this role and is active.
    pub fn is(&self, role: Role) -> bool {
        self.active && self.roles.contains(&role)
    }
}

const COLUMNS: &str = "id, name, display_name, roles, active, locked_until, created_at, version";

fn staff(row: &AnyRow) -> Result<Staff> {
    Ok(Staff {
        id: StaffId(row.try_get(0)?),
        name: row.try_get(1)?,
        display_name: row.try_get(2)?,
        roles: roles(&row.try_get::<String, _>(3)?),
        active: row.try_get::<i64, _>(4)? != 0,
        locked_until: row.try_get::<Option<i64>, _>(5)?.map(Timestamp),
        created_at: Timestamp(row.try_get(6)?),
        version: row.try_get(7)?,
    })
}

/// The account, also an inactive one.
pub async fn load(tx: &mut Tx, id: &StaffId) -> Result<Option<Staff>> {
    let sql = format!("select {COLUMNS} from staff where id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&mut *tx).await?;
    row.as_ref().map(staff).transpose()
}

/// All accounts by name, at most five hundred.
pub async fn list(tx: &mut Tx) -> Result<Vec<Staff>> {
    let sql = format!("select {COLUMNS} from staff order by name limit $1");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(LIST).fetch_all(&mut *tx).await?;
    rows.iter().map(staff).collect()
}

/// Whether there is any account, also an inactive one.
pub async fn exists_any(tx: &mut Tx) -> Result<bool> {
    Ok(sqlx::query("select id from staff limit 1").fetch_optional(&mut *tx).await?.is_some())
}

/// The outcome of a login or another proof of who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a wrong attempt has to be refused after the transaction"]
pub enum Attempt<T> {
    /// Everything was right.
    Right(T),
    /// Something was wrong. The count is kept when the transaction ends well; what people are told stands
    /// under this key.
    Wrong(&'static str),
}

impl<T> Attempt<T> {
    /// The value, or the refusal. To be called after the transaction, not in it.
    pub fn or_refused(self) -> Result<T> {
        match self {
            Self::Right(value) => Ok(value),
            Self::Wrong(key) => Err(Error::refused(key)),
        }
    }
}

/// What an account proves itself with.
struct Factors {
    id: StaffId,
    password: String,
    totp_secret: Vec<u8>,
    totp_last_step: i64,
    failed: i64,
    is_locked: bool,
}

/// The hash to check a typed password against, outside the transaction. An unknown or inactive name gets a
/// stand-in that costs the same time.
pub async fn stored_password(tx: &mut Tx, name: &str) -> Result<PasswordHash> {
    let row = sqlx::query("select password_hash from staff where name = $1 and active = 1")
        .bind(plain_name(name))
        .fetch_optional(&mut *tx)
        .await?;
    Ok(match row {
        Some(row) => PasswordHash::stored(row.try_get(0)?),
        None => PasswordHash::nobody(),
    })
}

/// A login: `password` comes from [`stored_password`] and [`PasswordHash::check`], `code` from the
/// authenticator app. Unknown, wrong, locked and used codes all give the same answer.
pub async fn authenticate(
    tx: &mut Tx,
    keys: &Keys,
    name: &str,
    password: &CheckedPassword,
    code: &str,
    now: Timestamp,
) -> Result<Attempt<Staff>> {
    const WRONG: &str = "staff.login_failed";
    let row = sqlx::query("select id from staff where name = $1 and active = 1")
        .bind(plain_name(name))
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else { return Ok(Attempt::Wrong(WRONG)) };
    let id = StaffId(row.try_get(0)?);
    let Some(factors) = factors(tx, keys, &id, now).await? else { return Ok(Attempt::Wrong(WRONG)) };
    let is_password = password.is_right_for(&factors.password);
    if !prove(tx, &factors, is_password, code, now).await? {
        return Ok(Attempt::Wrong(WRONG));
    }
    let staff = load(tx, &id).await?.ok_or(Error::NotFound("staff"))?;
    audit::record(tx, &Actor::Staff(id.clone()), "staff.login", ("staff", id.as_str()), json!({}), now)
        .await?;
    Ok(Attempt::Right(staff))
}

/// Proves the second factor again for the session of `token`, before something weighty. The code of the login
/// does not count a second time. Failures count like those of logins.
pub async fn verify_step_up(
    tx: &mut Tx,
    keys: &Keys,
    id: &StaffId,
    token: &str,
    code: &str,
    now: Timestamp,
) -> Result<Attempt<()>> {
    const WRONG: &str = "staff.code_wrong";
    let Some(factors) = factors(tx, keys, id, now).await? else { return Ok(Attempt::Wrong(WRONG)) };
    if !prove(tx, &factors, true, code, now).await? {
        return Ok(Attempt::Wrong(WRONG));
    }
    session::set_step_up(tx, keys, token, id, now).await?;
    audit::record(tx, &Actor::Staff(id.clone()), "staff.step_up", ("staff", id.as_str()), json!({}), now)
        .await?;
    Ok(Attempt::Right(()))
}

/// The factors of an active account.
async fn factors(tx: &mut Tx, keys: &Keys, id: &StaffId, now: Timestamp) -> Result<Option<Factors>> {
    let row = sqlx::query(
        "select password_hash, totp_sealed, key_wrapped, totp_last_step, failed, locked_until \
         from staff where id = $1 and active = 1",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let key = keys.master.unwrap(&row.try_get::<Vec<u8>, _>(2)?, id.as_str())?;
    Ok(Some(Factors {
        id: id.clone(),
        password: row.try_get(0)?,
        totp_secret: key.open(id.as_str().as_bytes(), &row.try_get::<Vec<u8>, _>(1)?)?,
        totp_last_step: row.try_get(3)?,
        failed: row.try_get(4)?,
        is_locked: row.try_get::<Option<i64>, _>(5)?.is_some_and(|until| until > now.0),
    }))
}

/// Whether password and code are right and the code is new. Uses up the code, or counts the failure. While an
/// account is locked, nothing is right and nothing is counted.
async fn prove(
    tx: &mut Tx,
    factors: &Factors,
    is_password: bool,
    code: &str,
    now: Timestamp,
) -> Result<bool> {
    if factors.is_locked {
        return Ok(false);
    }
    let step = totp::matching_step(&factors.totp_secret, code, now);
    let step = step.filter(|step| is_password && *step > factors.totp_last_step);
    if let Some(step) = step {
        let used = sqlx::query(
            "update staff set totp_last_step = $1, failed = 0, locked_until = null \
             where id = $2 and totp_last_step < $1 and active = 1",
        )
        .bind(step)
        .bind(factors.id.as_str())
        .execute(&mut *tx)
        .await?;
        if used.rows_affected() == 1 {
            return Ok(true);
        }
    }
    let locks = factors.failed + 1 >= TRIES;
    sqlx::query("update staff set failed = $1, locked_until = $2 where id = $3")
        .bind(if locks { 0 } else { factors.failed + 1 })
        .bind(locks.then(|| now.plus(LOCKED).0))
        .bind(factors.id.as_str())
        .execute(&mut *tx)
        .await?;
    let action = if locks { "staff.lock" } else { "staff.login_failed" };
    let subject = ("staff", factors.id.as_str());
    audit::record(tx, &Actor::System("login"), action, subject, json!({}), now).await?;
    Ok(false)
}

/// Gives an account other roles; they count from the next request on. `version` is the one that the admin
/// saw.
pub async fn set_roles(
    tx: &mut Tx,
    id: &StaffId,
    roles: &[Role],
    version: i64,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    let staff = load(tx, id).await?.ok_or(Error::NotFound("staff"))?;
    if roles.is_empty() {
        return Err(Error::refused("staff.roles_missing"));
    }
    if !roles.contains(&Role::Admin) {
        keep_an_admin(tx, &staff).await?;
    }
    let changed =
        sqlx::query("update staff set roles = $1, version = version + 1 where id = $2 and version = $3")
            .bind(words(roles))
            .bind(id.as_str())
            .bind(version)
            .execute(&mut *tx)
            .await?;
    if changed.rows_affected() == 0 {
        return Err(Error::Conflict("staff"));
    }
    let details = json!({ "before": words(&staff.roles), "after": words(roles) });
    audit::record(tx, actor, "staff.set_roles", ("staff", id.as_str()), details, now).await
}

/// Ends an account: no login, no session, no open link by it or for it. Its name stays taken.
pub async fn deactivate(
    tx: &mut Tx,
    id: &StaffId,
    version: i64,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    let staff = load(tx, id).await?.ok_or(Error::NotFound("staff"))?;
    keep_an_admin(tx, &staff).await?;
    set_active(tx, id, false, version).await?;
    session::end_all_of_staff(tx, id).await?;
    sqlx::query("delete from staff_invite where (created_by = $1 or staff_id = $1) and used_at is null")
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
    audit::record(tx, actor, "staff.deactivate", ("staff", id.as_str()), json!({}), now).await
}

/// Lets a deactivated account log in again, with the password and the second factor it had.
pub async fn reactivate(
    tx: &mut Tx,
    id: &StaffId,
    version: i64,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    set_active(tx, id, true, version).await?;
    audit::record(tx, actor, "staff.reactivate", ("staff", id.as_str()), json!({}), now).await
}

async fn set_active(tx: &mut Tx, id: &StaffId, active: bool, version: i64) -> Result<()> {
    let changed = sqlx::query(
        "update staff set active = $1, version = version + 1 where id = $2 and version = $3 and active <> $1",
    )
    .bind(i64::from(active))
    .bind(id.as_str())
    .bind(version)
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 { Err(Error::Conflict("staff")) } else { Ok(()) }
}

/// Refuses if `staff` is the only active admin: nobody could make another one.
async fn keep_an_admin(tx: &mut Tx, staff: &Staff) -> Result<()> {
    if !staff.is(Role::Admin) {
        return Ok(());
    }
    let other =
        sqlx::query("select id from staff where active = 1 and id <> $1 and roles like '%admin%' limit 1")
            .bind(staff.id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
    if other.is_some() { Ok(()) } else { Err(Error::refused("staff.last_admin")) }
}

/// A name as it is stored and compared.
fn plain_name(name: &str) -> String {
    name.trim().to_lowercase()
}
