//! Links by which staff get an account: the link of the first start, invitations, and links that renew
//! password and second factor of an account. A link works once, for a time; the database knows only its
//! blinded token.

use std::time::Duration;

use serde_json::json;
use sqlx::Row;

use super::{NewTotp, PasswordHash, Role, Staff, exists_any, load, plain_name, roles, totp, words};
use crate::audit::{self, Actor};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::StaffId;
use crate::seal::{DataKey, Keys};
use crate::session;

/// Label under which the tokens of links are blinded.
const LINK: &str = "staff.link";

/// How long the link of the first start works.
const SETUP_TTL: Duration = Duration::from_hours(24);

/// How long an invitation or a renewal works: over a weekend.
const INVITE_TTL: Duration = Duration::from_hours(72);

/// Most characters of a name to log in with.
const NAME: usize = 64;

/// Most characters of a name to show.
const DISPLAY_NAME: usize = 120;

/// A link that still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The account that it renews; `None` if it makes a new one.
    pub account: Option<Staff>,
    /// Roles of the new account.
    pub roles: Vec<Role>,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// What a person fills in behind a link.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// To log in with. A link that renews an account keeps the old one.
    pub name: String,
    /// What others see. A link that renews an account keeps the old one.
    pub display_name: String,
    /// From [`super::hash_password`].
    pub password: PasswordHash,
    /// From the answer of [`begin_totp`].
    pub nonce: String,
    /// From the authenticator app that was set up with it.
    pub code: String,
}

/// A new link for the first account, with all roles; `None` as soon as there is any account. Older links of
/// this kind stop working.
pub async fn setup_link(tx: &mut Tx, keys: &Keys, now: Timestamp) -> Result<Option<String>> {
    if exists_any(tx).await? {
        return Ok(None);
    }
    sqlx::query("delete from staff_invite where created_by is null").execute(&mut *tx).await?;
    let new = NewLink { account: None, roles: &Role::ALL, created_by: None, ttl: SETUP_TTL };
    let token = new_link(tx, keys, &new, now).await?;
    audit::record(tx, &Actor::System("setup"), "staff.setup_link", ("staff", ""), json!({}), now).await?;
    Ok(Some(token))
}

/// A link for a new account with `roles`, made by an admin.
pub async fn invite(
    tx: &mut Tx,
    keys: &Keys,
    roles: &[Role],
    by: &StaffId,
    now: Timestamp,
) -> Result<String> {
    if roles.is_empty() {
        return Err(Error::refused("staff.roles_missing"));
    }
    let new = NewLink { account: None, roles, created_by: Some(by), ttl: INVITE_TTL };
    let token = new_link(tx, keys, &new, now).await?;
    let details = json!({ "roles": words(roles) });
    let actor = Actor::Staff(by.clone());
    audit::record(tx, &actor, "staff.invite", ("staff", by.as_str()), details, now).await?;
    Ok(token)
}

/// A link with which the holder of an active account sets a new password and second factor, e.g. after the
/// loss of the telephone. Until it is used the old ones stay good. Older links for the account stop working.
pub async fn reset_link(
    tx: &mut Tx,
    keys: &Keys,
    id: &StaffId,
    by: &StaffId,
    now: Timestamp,
) -> Result<String> {
    let staff = load(tx, id).await?.filter(|staff| staff.active).ok_or(Error::NotFound("staff"))?;
    sqlx::query("delete from staff_invite where staff_id = $1 and used_at is null")
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
    let new = NewLink { account: Some(id), roles: &staff.roles, created_by: Some(by), ttl: INVITE_TTL };
    let token = new_link(tx, keys, &new, now).await?;
    let actor = Actor::Staff(by.clone());
    audit::record(tx, &actor, "staff.reset_link", ("staff", id.as_str()), json!({}), now).await?;
    Ok(token)
}

struct NewLink<'a> {
    account: Option<&'a StaffId>,
    roles: &'a [Role],
    created_by: Option<&'a StaffId>,
    ttl: Duration,
}

async fn new_link(tx: &mut Tx, keys: &Keys, new: &NewLink<'_>, now: Timestamp) -> Result<String> {
    sqlx::query("delete from staff_invite where expires_at <= $1").bind(now.0).execute(&mut *tx).await?;
    let token = keys.clock.token();
    sqlx::query(
        "insert into staff_invite (token_hash, staff_id, roles, created_by, created_at, expires_at, used_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(keys.master.blind(LINK, &token))
    .bind(new.account.map(StaffId::as_str))
    .bind(words(new.roles))
    .bind(new.created_by.map(StaffId::as_str))
    .bind(now.0)
    .bind(now.plus(new.ttl).0)
    .bind(None::<i64>)
    .execute(&mut *tx)
    .await?;
    Ok(token)
}

/// The link of a token. An unknown, used or expired one, and the link of the first start after the first
/// account, are refused alike.
pub async fn open_link(tx: &mut Tx, keys: &Keys, token: &str, now: Timestamp) -> Result<Link> {
    const INVALID: &str = "staff.link_invalid";
    let row = sqlx::query(
        "select staff_id, roles, created_by, expires_at from staff_invite \
         where token_hash = $1 and used_at is null and expires_at > $2",
    )
    .bind(keys.master.blind(LINK, token))
    .bind(now.0)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Error::refused(INVALID))?;
    if row.try_get::<Option<String>, _>(2)?.is_none() && exists_any(tx).await? {
        return Err(Error::refused(INVALID));
    }
    let account = match row.try_get::<Option<String>, _>(0)? {
        Some(id) => {
            let staff = load(tx, &StaffId(id)).await?.filter(|staff| staff.active);
            Some(staff.ok_or_else(|| Error::refused(INVALID))?)
        }
        None => None,
    };
    let (words, expires_at) = (row.try_get::<String, _>(1)?, Timestamp(row.try_get(3)?));
    Ok(Link { account, roles: roles(&words), expires_at })
}

/// The second factor to set up behind a link. `nonce` is absent at the first visit and then the one of the
/// answer before; `issuer` (the office) and `name` are shown in the app.
pub async fn begin_totp(
    tx: &mut Tx,
    keys: &Keys,
    token: &str,
    nonce: Option<&str>,
    (issuer, name): (&str, &str),
    now: Timestamp,
) -> Result<NewTotp> {
    let link = open_link(tx, keys, token, now).await?;
    let name = link.account.map_or_else(|| plain_name(name), |account| account.name);
    let nonce = nonce.map_or_else(|| keys.clock.token(), str::to_owned);
    let secret = totp::secret_of_link(&keys.master, token, &nonce);
    Ok(totp::new_totp(&secret, issuer, &name, nonce))
}

/// Uses a link: makes the account, or renews the one that the link is for. The code proves that the app is
/// set up; it does not count again for a login.
pub async fn accept(
    tx: &mut Tx,
    keys: &Keys,
    token: &str,
    account: &NewAccount,
    now: Timestamp,
) -> Result<StaffId> {
    let link = open_link(tx, keys, token, now).await?;
    let secret = totp::secret_of_link(&keys.master, token, &account.nonce);
    let step =
        totp::matching_step(&secret, &account.code, now).ok_or_else(|| Error::refused("staff.code_wrong"))?;
    let (id, action) = match &link.account {
        Some(staff) => (renew(tx, keys, staff, account, &secret, step).await?, "staff.reset"),
        None => (create(tx, keys, &link.roles, account, (&secret, step), now).await?, "staff.create"),
    };
    sqlx::query("update staff_invite set used_at = $1 where token_hash = $2")
        .bind(now.0)
        .bind(keys.master.blind(LINK, token))
        .execute(&mut *tx)
        .await?;
    let details = json!({ "roles": words(&link.roles) });
    audit::record(tx, &Actor::Staff(id.clone()), action, ("staff", id.as_str()), details, now).await?;
    Ok(id)
}

async fn create(
    tx: &mut Tx,
    keys: &Keys,
    roles: &[Role],
    account: &NewAccount,
    (secret, step): (&[u8], i64),
    now: Timestamp,
) -> Result<StaffId> {
    let name = plain_name(&account.name);
    let is_letter = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_name = (2..=NAME).contains(&name.len())
        && name.bytes().all(|letter| is_letter(letter) || b"._-@".contains(&letter))
        && name.bytes().next().is_some_and(is_letter);
    if !is_name {
        return Err(Error::refused_with("staff.name_form", vec![("most", NAME.to_string())]));
    }
    let display_name = account.display_name.trim();
    if display_name.is_empty() || display_name.chars().count() > DISPLAY_NAME {
        return Err(Error::refused_with("staff.display_name_form", vec![("most", DISPLAY_NAME.to_string())]));
    }
    let taken =
        sqlx::query("select id from staff where name = $1").bind(&name).fetch_optional(&mut *tx).await?;
    if taken.is_some() {
        return Err(Error::refused("staff.name_taken"));
    }
    let (id, key): (StaffId, _) = (keys.clock.id(), DataKey::generate(&keys.clock));
    sqlx::query(
        "insert into staff (id, name, display_name, password_hash, totp_sealed, totp_last_step, key_wrapped, \
         roles, failed, locked_until, active, created_at, version) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(id.as_str())
    .bind(&name)
    .bind(display_name)
    .bind(account.password.as_str())
    .bind(key.seal(id.as_str().as_bytes(), secret, &keys.clock))
    .bind(step)
    .bind(keys.master.wrap(&key, id.as_str(), &keys.clock))
    .bind(words(roles))
    .bind(0_i64)
    .bind(None::<i64>)
    .bind(1_i64)
    .bind(now.0)
    .bind(1_i64)
    .execute(&mut *tx)
    .await?;
    Ok(id)
}

/// New password and second factor; whoever held the old ones is logged out.
async fn renew(
    tx: &mut Tx,
    keys: &Keys,
    staff: &Staff,
    account: &NewAccount,
    secret: &[u8],
    step: i64,
) -> Result<StaffId> {
    let (id, key) = (&staff.id, DataKey::generate(&keys.clock));
    sqlx::query(
        "update staff set password_hash = $1, totp_sealed = $2, totp_last_step = $3, key_wrapped = $4, \
         failed = 0, locked_until = null, version = version + 1 where id = $5",
    )
    .bind(account.password.as_str())
    .bind(key.seal(id.as_str().as_bytes(), secret, &keys.clock))
    .bind(step)
    .bind(keys.master.wrap(&key, id.as_str(), &keys.clock))
    .bind(id.as_str())
    .execute(&mut *tx)
    .await?;
    session::end_all_of_staff(tx, id).await?;
    Ok(id.clone())
}
