//! Citizens after a login: found again by the blinded subject of the login provider, their profile sealed
//! with a key of their own. Erasing a person destroys this key. Anonymous citizens and logins themselves are
//! not here.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;

use crate::audit::{self, Actor};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::PersonId;
use crate::seal::{DataKey, Keys};

/// Label under which subjects are blinded.
const SUBJECT: &str = "person.subject";

/// What the login provider says about a person: `given_name`, `family_name`, `birth_date` (ISO 8601),
/// `street`, `postcode`, `city`, `email` and others. Debug output names the attributes only.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Profile(pub BTreeMap<String, String>);

impl Profile {
    /// The value of an attribute; `None` also if it is empty.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Profile {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(attributes: T) -> Self {
        Self(attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A citizen known by a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person's id.
    pub id: PersonId,
    /// From the last login.
    pub profile: Profile,
    /// Whether the person wants easy German.
    pub easy_language: bool,
}

/// Finds the person of a login or makes one, and keeps the newest profile. The subject is stored only
/// blinded. After [`erase`] the same login makes a new person.
pub async fn login(
    tx: &mut Tx,
    keys: &Keys,
    provider: &str,
    subject: &str,
    profile: &Profile,
    now: Timestamp,
) -> Result<PersonId> {
    // The provider is part of the blinded value: equal subjects of two providers don't show as equal.
    let subject_hash = keys.master.blind(SUBJECT, &format!("{provider}\n{subject}"));
    let row = sqlx::query("select id, key_wrapped from person where provider = $1 and subject_hash = $2")
        .bind(provider)
        .bind(&subject_hash)
        .fetch_optional(&mut *tx)
        .await?;
    let (id, is_new) = if let Some(row) = row {
        let id = PersonId(row.try_get(0)?);
        let wrapped: Vec<u8> = row
            .try_get::<Option<Vec<u8>>, _>(1)?
            .ok_or(Error::Seal("the person's key is destroyed, but the login is not"))?;
        let key = keys.master.unwrap(&wrapped, id.as_str())?;
        sqlx::query("update person set profile_sealed = $1, last_login_at = $2 where id = $3")
            .bind(sealed(&key, &id, profile, keys)?)
            .bind(now.0)
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        (id, false)
    } else {
        let (id, key): (PersonId, _) = (keys.clock.id(), DataKey::generate(&keys.clock));
        sqlx::query(
            "insert into person (id, provider, subject_hash, key_wrapped, profile_sealed, easy_language, \
             created_at, last_login_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id.as_str())
        .bind(provider)
        .bind(&subject_hash)
        .bind(keys.master.wrap(&key, id.as_str(), &keys.clock))
        .bind(sealed(&key, &id, profile, keys)?)
        .bind(0_i64)
        .bind(now.0)
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
        (id, true)
    };
    let details = json!({ "provider": provider, "new": is_new });
    audit::record(tx, &Actor::Person(id.clone()), "person.login", ("person", id.as_str()), details, now)
        .await?;
    Ok(id)
}

fn sealed(key: &DataKey, id: &PersonId, profile: &Profile, keys: &Keys) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(profile).map_err(|_| Error::Seal("the profile can't be written"))?;
    Ok(key.seal(id.as_str().as_bytes(), &plain, &keys.clock))
}

/// The person; `None` for an unknown or erased one.
pub async fn load(tx: &mut Tx, keys: &Keys, id: &PersonId) -> Result<Option<Person>> {
    let row = sqlx::query("select key_wrapped, profile_sealed, easy_language from person where id = $1")
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (wrapped, sealed): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(0)?, row.try_get(1)?);
    let (Some(wrapped), Some(sealed)) = (wrapped, sealed) else { return Ok(None) };
    let plain = keys.master.unwrap(&wrapped, id.as_str())?.open(id.as_str().as_bytes(), &sealed)?;
    let profile =
        serde_json::from_slice(&plain).map_err(|_| Error::Seal("the profile of a person can't be read"))?;
    Ok(Some(Person { id: id.clone(), profile, easy_language: row.try_get::<i64, _>(2)? != 0 }))
}

/// Remembers whether the person wants easy German.
pub async fn set_easy_language(tx: &mut Tx, id: &PersonId, wanted: bool, now: Timestamp) -> Result<()> {
    let changed = sqlx::query(
        "update person set easy_language = $1 \
         where id = $2 and key_wrapped is not null and easy_language <> $1",
    )
    .bind(i64::from(wanted))
    .bind(id.as_str())
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(());
    }
    let details = json!({ "wanted": wanted });
    let actor = Actor::Person(id.clone());
    audit::record(tx, &actor, "person.easy_language", ("person", id.as_str()), details, now).await
}

/// Erases a person: key and profile are destroyed, the login is forgotten, the sessions end. Cases stay; they
/// have keys and periods of their own.
pub async fn erase(tx: &mut Tx, id: &PersonId, actor: &Actor, now: Timestamp) -> Result<()> {
    // The row stays, so that the audit chain and cases still point at something; its hash can't be met by a
    // login.
    let erased = sqlx::query(
        "update person set key_wrapped = null, profile_sealed = null, subject_hash = $1, easy_language = 0 \
         where id = $2 and key_wrapped is not null",
    )
    .bind(format!("erased {id}"))
    .bind(id.as_str())
    .execute(&mut *tx)
    .await?;
    if erased.rows_affected() == 0 {
        return Err(Error::NotFound("person"));
    }
    sqlx::query("delete from session where person_id = $1").bind(id.as_str()).execute(&mut *tx).await?;
    audit::record(tx, actor, "person.erase", ("person", id.as_str()), json!({}), now).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::db::Db;
    use crate::seal::MasterKey;

    fn keys() -> Keys {
        let clock = Clock::manual(Timestamp(1_800_000_000_000));
        Keys { master: MasterKey::from_bytes(&clock.random()), clock }
    }

    async fn open(folder: &tempfile::TempDir) -> Db {
        crate::db::open_for_test(folder.path()).await
    }

    fn profile(city: &str) -> Profile {
        [("given_name", "Erika"), ("family_name", "Mustermann"), ("city", city), ("email", "")]
            .into_iter()
            .collect()
    }

    #[tokio::test]
    async fn the_same_login_is_the_same_person_with_the_newest_profile() {
        let folder = tempfile::tempdir().expect("folder");
        let (db, keys) = (open(&folder).await, keys());
        let tx = &mut *db.read().await.expect("connects");
        let first =
            login(tx, &keys, "demo", "erika", &profile("Delbrück"), Timestamp(1)).await.expect("login");
        set_easy_language(tx, &first, true, Timestamp(2)).await.expect("sets");
        let again = login(tx, &keys, "demo", "erika", &profile("Büren"), Timestamp(3)).await.expect("login");
        assert_eq!(first, again);
        let person = load(tx, &keys, &first).await.expect("loads").expect("exists");
        assert_eq!(person.profile.attribute("city"), Some("Büren"));
        assert_eq!(person.profile.attribute("email"), None, "empty is absent");
        assert!(person.easy_language, "a login keeps the wish");
        for (provider, subject) in [("demo", "max"), ("bundid", "erika")] {
            let other = login(tx, &keys, provider, subject, &profile("Salzkotten"), Timestamp(4)).await;
            assert_ne!(other.expect("login"), first);
        }
        assert_eq!(load(tx, &keys, &PersonId("none".to_owned())).await.expect("loads"), None);
        let history = audit::history(tx, ("person", first.as_str()), 10).await.expect("history");
        let actions: Vec<_> = history.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(actions, ["person.login", "person.easy_language", "person.login"]);
    }

    #[tokio::test]
    async fn nothing_about_the_person_stands_in_the_database_file() {
        let folder = tempfile::tempdir().expect("folder");
        let (db, keys) = (open(&folder).await, keys());
        {
            let tx = &mut *db.read().await.expect("connects");
            login(tx, &keys, "demo", "subject-4711", &profile("Delbrück"), Timestamp(1))
                .await
                .expect("login");
        }
        for name in ["a.db", "a.db-wal"] {
            let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
            for secret in ["subject-4711", "Erika", "Mustermann", "Delbrück"] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {name}");
            }
        }
        assert!(!format!("{:?}", profile("Delbrück")).contains("Erika"));
    }

    #[tokio::test]
    async fn an_erased_person_is_gone_and_the_login_makes_a_new_one() {
        let folder = tempfile::tempdir().expect("folder");
        let (db, keys) = (open(&folder).await, keys());
        let tx = &mut *db.read().await.expect("connects");
        let first = login(tx, &keys, "demo", "erika", &profile("Büren"), Timestamp(1)).await.expect("login");
        let actor = Actor::Person(first.clone());
        erase(tx, &first, &actor, Timestamp(2)).await.expect("erases");
        assert_eq!(load(tx, &keys, &first).await.expect("loads"), None);
        assert!(matches!(erase(tx, &first, &actor, Timestamp(3)).await, Err(Error::NotFound(_))));
        set_easy_language(tx, &first, true, Timestamp(4)).await.expect("nothing happens");
        let second = login(tx, &keys, "demo", "erika", &profile("Büren"), Timestamp(5)).await.expect("login");
        assert_ne!(first, second);
        assert_eq!(audit::verify(tx).await.expect("verifies"), Ok(3));
    }
}
