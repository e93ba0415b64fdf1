//! Passwords of staff: the rules for new ones and the slow hash. Everything here is pure and takes some
//! hundredths of a second, so the caller runs it in `spawn_blocking`, outside any transaction.

use argon2::password_hash::{PasswordHash as Parsed, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::error::{Error, Result};

/// Fewest characters of a password.
const LEAST: usize = 12;

/// Most characters of a password; longer ones would only keep the machine busy.
const MOST: usize = 200;

/// Fewest characters that have to stay when the common words are taken out.
const OWN: usize = 6;

/// Fewest different characters.
const DIFFERENT: usize = 5;

/// Memory in KiB, rounds and lanes for Argon2id (OWASP Password Storage Cheat Sheet).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// Verified for names that don't exist, so that they take as long as the others. No password is known for it.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A hash as the database keeps it (PHC text), or a stand-in for an unknown name.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl PasswordHash {
    /// From the database.
    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }

    /// For a name that does not exist.
    pub(super) fn nobody() -> Self {
        Self(NOBODY.to_owned())
    }

    /// For the database.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares with a password that somebody typed. Slow.
    #[must_use]
    pub fn check(self, password: &str) -> CheckedPassword {
        let is_right = verify_password(&self.0, password);
        CheckedPassword { hash: self, is_right }
    }
}

/// The outcome of [`PasswordHash::check`]; only it can say that a password was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPassword {
    hash: PasswordHash,
    is_right: bool,
}

impl CheckedPassword {
    /// Whether the password was right for exactly this stored hash.
    pub(super) fn is_right_for(&self, stored: &str) -> bool {
        self.is_right && self.hash.0 == stored
    }
}

/// Checks a new password by the rules and hashes it. Slow. `name` is the account's, `salt` comes from the
/// clock.
pub fn hash_password(name: &str, password: &str, salt: &[u8; 16]) -> Result<PasswordHash> {
    check_rules(name, password)?;
    let failed =
        |()| Error::Setup("the password could not be hashed; the machine has too little memory".to_owned());
    let (memory, rounds, lanes) = COST;
    let params = Params::new(memory, rounds, lanes, None).map_err(|_| failed(()))?;
    let salt = SaltString::encode_b64(salt).map_err(|_| failed(()))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon.hash_password(password.as_bytes(), &salt).map_err(|_| failed(()))?;
    Ok(PasswordHash(hash.to_string()))
}

/// Whether `password` belongs to `hash`; a damaged hash belongs to none. Slow.
pub fn verify_password(hash: &str, password: &str) -> bool {
    // Whoever sends megabytes must not keep the machine busy; no account has such a password.
    let password = if password.chars().count() > MOST { "" } else { password };
    Parsed::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// The rules for new passwords: long, not easy to guess. No rules about digits or signs.
fn check_rules(name: &str, password: &str) -> Result<()> {
    let length = password.chars().count();
    if length < LEAST {
        return Err(Error::refused_with("staff.password_short", vec![("least", LEAST.to_string())]));
    }
    if length > MOST {
        return Err(Error::refused_with("staff.password_long", vec![("most", MOST.to_string())]));
    }
    let lower = password.to_lowercase();
    let name = name.trim().to_lowercase();
    if !name.is_empty() && lower.contains(&name) {
        return Err(Error::refused("staff.password_name"));
    }
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT || own_part(&lower) < OWN {
        return Err(Error::refused("staff.password_common"));
    }
    Ok(())
}

/// How many characters stay when every common word is taken out, longest first.
fn own_part(lower: &str) -> usize {
    let mut words = COMMON.to_vec();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    // A gap keeps two halves from becoming a new word.
    let rest = words.into_iter().fold(lower.to_owned(), |rest, word| rest.replace(word, "\n"));
    rest.chars().filter(|letter| letter.is_alphanumeric()).count()
}

/// The hundred words and keys in a row that are most often (a part of) passwords here.
const COMMON: [&str; 100] = [
    "password",
    "passwort",
    "123456",
    "1234567890",
    "12345",
    "1234",
    "123",
    "654321",
    "qwertz",
    "qwerty",
    "qwertzuiop",
    "qwertyuiop",
    "asdfgh",
    "asdf",
    "yxcvbn",
    "zxcvbn",
    "1q2w3e4r",
    "1qaz2wsx",
    "abc",
    "abcdef",
    "111",
    "000",
    "666",
    "777",
    "888",
    "999",
    "121212",
    "112233",
    "123123",
    "admin",
    "administrator",
    "root",
    "user",
    "benutzer",
    "login",
    "test",
    "geheim",
    "secret",
    "hallo",
    "hello",
    "willkommen",
    "welcome",
    "letmein",
    "changeme",
    "schatz",
    "schalke04",
    "fussball",
    "football",
    "bvb",
    "bayern",
    "dragon",
    "monkey",
    "master",
    "sunshine",
    "princess",
    "superman",
    "batman",
    "starwars",
    "pokemon",
    "iloveyou",
    "ichliebedich",
    "sommer",
    "winter",
    "herbst",
    "fruehling",
    "frühling",
    "summer",
    "januar",
    "februar",
    "maerz",
    "april",
    "montag",
    "freitag",
    "sonntag",
    "michael",
    "thomas",
    "andreas",
    "daniel",
    "alexander",
    "stefan",
    "charlie",
    "jordan",
    "shadow",
    "ninja",
    "mustang",
    "killer",
    "computer",
    "internet",
    "google",
    "windows",
    "paderborn",
    "kreis",
    "kreishaus",
    "amt",
    "amtsbote",
    "behoerde",
    "behörde",
    "verwaltung",
    "buero",
    "büro",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused() {
        for (password, key) in [
            ("", "staff.password_short"),
            ("Fuchs-Bach1", "staff.password_short"),
            ("Passwort12345!", "staff.password_common"),
            ("Password-Passwort-2026", "staff.password_common"),
            ("123456789012345", "staff.password_common"),
            ("qwertzuiop1234567890", "staff.password_common"),
            ("KreisPaderborn2026!", "staff.password_common"),
            ("aaaaaaaaaaaaaaaa", "staff.password_common"),
            ("xyxyxyxyxyxyxyxy", "staff.password_common"),
            ("!!!!????----....", "staff.password_common"),
            ("so-M.Weber-geht-das", "staff.password_name"),
        ] {
            let refused = check_rules("m.weber", password);
            assert!(matches!(refused, Err(Error::Refused { key: found, .. }) if found == key), "{password}");
        }
        let long = "Lippe Alme Pader ".repeat(20);
        let refused = check_rules("m.weber", &long);
        assert!(matches!(refused, Err(Error::Refused { key: "staff.password_long", .. })));
        for password in
            ["vier bunte Kühe rufen", "Lippe-Alme-Pader", "k8#Lw2!xQv9z", "Mein Passwort mag Regen"]
        {
            assert!(check_rules("m.weber", password).is_ok(), "{password}");
        }
    }

    #[test]
    fn a_hash_fits_only_its_password() {
        let hash = hash_password("m.weber", "vier bunte Kühe rufen", &[7; 16]).expect("hashes");
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        let stored = hash.as_str().to_owned();
        assert!(hash.clone().check("vier bunte Kühe rufen").is_right_for(&stored));
        assert!(!hash.clone().check("vier bunte kühe rufen").is_right_for(&stored));
        assert!(!hash.check("vier bunte Kühe rufen").is_right_for("another hash"));
        assert!(!verify_password("damaged", "vier bunte Kühe rufen"));
    }

    #[test]
    fn the_stand_in_for_unknown_names_costs_the_same_and_fits_nothing() {
        let parsed = Parsed::new(NOBODY).expect("a hash of the same form");
        let params = Params::try_from(&parsed).expect("parameters");
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), COST);
        assert_eq!(parsed.hash.map(|hash| hash.len()), Some(32));
        for password in ["", "A", "vier bunte Kühe rufen"] {
            assert!(!verify_password(NOBODY, password));
        }
    }
}
