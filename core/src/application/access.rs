//! The access code: with it and the number a case can be looked at without a login. The code is derived from
//! the master key and the case's id, so that it can be shown again but stands nowhere. Tries are counted for
//! each number, also for numbers that do not exist; what may be seen then is not decided here.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use sqlx::Row as _;
use std::time::Duration;

use crate::application::store::{self, Row};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::ApplicationId;
use crate::seal::Keys;

/// The letters of [`crate::clock::Clock::code`].
const LETTERS: &[u8; 29] = b"23456789ABCDEFGHJKMNPQRSTWXYZ";

/// Length of an access code: 29^10 is more than 4 · 10^14.
const CODE_LENGTH: usize = 10;

/// Wrong codes for one number before it is locked.
const MOST_TRIES: i64 = 5;

/// How long a number stays locked.
const LOCKED: Duration = Duration::from_hours(1);

/// The code of the case `id`, ten characters. Without the master key nobody can compute it.
pub fn access_code(keys: &Keys, id: &ApplicationId) -> String {
    let mut code = String::with_capacity(CODE_LENGTH);
    let mut round = 0_u32;
    while code.len() < CODE_LENGTH {
        let hash = keys.master.blind("access code", &format!("{id}/{round}"));
        for pair in hash.as_bytes().chunks_exact(2) {
            let byte = std::str::from_utf8(pair).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
            // 232 = 8 × 29: values above would favour the first letters.
            if let Some(byte) = byte.filter(|byte| *byte < 232)
                && code.len() < CODE_LENGTH
            {
                code.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
            }
        }
        round += 1;
    }
    code
}

/// Upper case without spaces and hyphens, as people copy codes from paper.
fn normalise(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(40).collect::<String>().to_ascii_uppercase()
}

/// The case with this number, if the code fits. `None` for an unknown number, a wrong code and a locked
/// number alike: after five wrong codes a number is locked for an hour, whether it exists or not. The
/// transaction must be committed also after `None`, because the try has been counted in it.
pub async fn by_number_and_code(
    tx: &mut Tx,
    keys: &Keys,
    number: &str,
    code: &str,
    now: Timestamp,
) -> Result<Option<Row>> {
    let (number, code) = (normalise(number), normalise(code));
    let number_hash = keys.master.blind("access number", &number);
    let counted = sqlx::query("select tries, locked_until from access_try where number_hash = $1")
        .bind(&number_hash)
        .fetch_optional(&mut *tx)
        .await?;
    let (mut tries, mut locked_until) = match counted {
        Some(row) => (row.try_get::<i64, _>(0)?, row.try_get::<Option<i64>, _>(1)?),
        None => (0, None),
    };
    let locked = locked_until.is_some_and(|until| until > now.0);
    if locked_until.is_some() && !locked {
        (tries, locked_until) = (0, None);
    }
    // The same work is done for all, so that the time says nothing.
    let found = store::row_by_number(tx, &number).await?;
    let expected = match &found {
        Some(row) => access_code(keys, &row.id),
        None => access_code(keys, &ApplicationId(number_hash.clone())),
    };
    let equal = verify_slices_are_equal(expected.as_bytes(), code.as_bytes()).is_ok();
    if locked {
        return Ok(None);
    }
    if let Some(row) = found
        && equal
    {
        sqlx::query("delete from access_try where number_hash = $1")
            .bind(&number_hash)
            .execute(&mut *tx)
            .await?;
        return Ok(Some(row));
    }
    tries += 1;
    if tries >= MOST_TRIES {
        locked_until = Some(now.plus(LOCKED).0);
    }
    sqlx::query(
        "insert into access_try (number_hash, tries, locked_until, updated_at) values ($1, $2, $3, $4) \
         on conflict (number_hash) do update set tries = excluded.tries, \
         locked_until = excluded.locked_until, updated_at = excluded.updated_at",
    )
    .bind(&number_hash)
    .bind(tries)
    .bind(locked_until)
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    Ok(None)
}

/// Forgets tries that are older than a day; returns how many numbers were forgotten.
pub async fn sweep_tries(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    let day = i64::try_from(Duration::from_hours(24).as_millis()).unwrap_or(i64::MAX);
    let done = sqlx::query("delete from access_try where updated_at < $1")
        .bind(now.0.saturating_sub(day))
        .execute(&mut *tx)
        .await?;
    Ok(done.rows_affected())
}
