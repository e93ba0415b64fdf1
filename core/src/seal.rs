//! Encryption at rest: a data key for each person, case or conversation, wrapped by the master key. Destroying
//! the wrapped key erases the data, also in backups of the rows. This file does not store anything but the master
//! key file.

use std::io::Write;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, hmac};

use crate::clock::Clock;
use crate::error::{Error, Result};

/// Lower-case hexadecimal text of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 of `bytes`, as lower-case hexadecimal text.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The key that wraps all others. Lost means: all personal data lost; hence the key sheet in the handbook.
#[derive(Clone)]
pub struct MasterKey {
    wrapping: DataKey,
    blind: hmac::Key,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// Reads the 32-byte key file, or makes one (mode 0600) where none exists.
    pub fn load_or_create(path: &Path, clock: &Clock) -> Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => {
                let bytes: [u8; 32] = bytes.try_into().map_err(|_| {
                    Error::Setup(format!(
                        "the master key file {} does not have 32 bytes; put the right file back from the backup",
                        path.display()
                    ))
                })?;
                Ok(Self::from_bytes(&bytes))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let bytes = clock.random::<32>();
                write_private(path, &bytes).map_err(|error| {
                    Error::Setup(format!("cannot write the master key file {}: {error}", path.display()))
                })?;
                Ok(Self::from_bytes(&bytes))
            }
            Err(error) => Err(Error::Setup(format!(
                "cannot read the master key file {}: {error}; check its owner and mode",
                path.display()
            ))),
        }
    }

    /// A key from its bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        // Two keys for two uses, so that a token hash never touches the wrapping key.
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let derive = |label: &[u8]| -> [u8; 32] {
            let tag = hmac::sign(&root, label);
            let mut key = [0_u8; 32];
            key.copy_from_slice(tag.as_ref());
            key
        };
        Self {
            wrapping: DataKey(derive(b"amtsbote wrap v1")),
            blind: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"amtsbote blind v1")),
        }
    }

    /// The wrapped form of `key`, for the database. `owner` is the id of the row that the key belongs to: a
    /// key that is moved to another row does not open.
    pub fn wrap(&self, key: &DataKey, owner: &str, clock: &Clock) -> Vec<u8> {
        self.wrapping.seal(owner.as_bytes(), &key.0, clock)
    }

    /// The key from its wrapped form.
    pub fn unwrap(&self, wrapped: &[u8], owner: &str) -> Result<DataKey> {
        let bytes = self
            .wrapping
            .open(owner.as_bytes(), wrapped)
            .map_err(|_| Error::Seal("the key does not open: wrong master key file, or a damaged row"))?;
        let bytes: [u8; 32] =
            bytes.try_into().map_err(|_| Error::Seal("the wrapped key has a wrong length"))?;
        Ok(DataKey(bytes))
    }

    /// Keyed hash of a secret or a search word, under a purpose (`label`). Equal values give equal text, but
    /// without the master key nobody can try values.
    pub fn blind(&self, label: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.blind);
        context.update(label.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        hex(context.sign().as_ref())
    }
}

/// What a function needs to open and seal rows: the master key, and the source of nonces and ids.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Wraps the keys of the rows.
    pub master: MasterKey,
    /// Time and randomness.
    pub clock: Clock,
}

/// Key of one person, case or conversation.
#[derive(Clone)]
pub struct DataKey([u8; 32]);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl DataKey {
    /// A new random key.
    pub fn generate(clock: &Clock) -> Self {
        Self(clock.random::<32>())
    }

    /// Encrypts with AES-256-GCM. `owner` (usually the row's id) is bound to the text, so that sealed bytes
    /// which are moved to another row do not open. Result: nonce, ciphertext, tag.
    pub fn seal(&self, owner: &[u8], plain: &[u8], clock: &Clock) -> Vec<u8> {
        let nonce = clock.random::<NONCE_LEN>();
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + 16);
        sealed.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        self.key()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut body)
            .expect("AES-256-GCM seals any text below 64 GiB");
        sealed.extend_from_slice(&body);
        sealed
    }

    /// Decrypts what [`Self::seal`] made for the same `owner`.
    pub fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        const DAMAGED: Error = Error::Seal("the data do not open: wrong key, or damaged");
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(DAMAGED)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DAMAGED)?;
        let mut body = body.to_vec();
        let plain_len =
            self.key().open_in_place(nonce, Aad::from(owner), &mut body).map_err(|_| DAMAGED)?.len();
        body.truncate(plain_len);
        Ok(body)
    }

    fn key(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).expect("the key has 32 bytes"))
    }
}

/// Writes a file that only its owner may read; an existing file is not touched.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_text_opens_only_for_its_owner_and_key() {
        let clock = Clock::System;
        let key = DataKey::generate(&clock);
        let sealed = key.seal(b"case-1", "Müller".as_bytes(), &clock);
        assert_eq!(key.open(b"case-1", &sealed).expect("opens"), "Müller".as_bytes());
        assert!(key.open(b"case-2", &sealed).is_err(), "moved to another case");
        assert!(DataKey::generate(&clock).open(b"case-1", &sealed).is_err(), "another key");
        let mut damaged = sealed;
        damaged[20] ^= 1;
        assert!(key.open(b"case-1", &damaged).is_err(), "one bit changed");
    }

    #[test]
    fn a_wrapped_key_opens_only_under_its_master_key_and_row() {
        let clock = Clock::System;
        let master = MasterKey::from_bytes(&clock.random());
        let wrapped = master.wrap(&DataKey::generate(&clock), "row", &clock);
        assert!(master.unwrap(&wrapped, "row").is_ok());
        assert!(master.unwrap(&wrapped, "other").is_err());
        assert!(MasterKey::from_bytes(&clock.random()).unwrap(&wrapped, "row").is_err());
    }
}
