//! What can go wrong in the core. A refusal (a rule says no) is told apart from a failure (something broke):
//! a refusal carries the key of a sentence for people, a failure what was tried, for the operator.

use thiserror::Error;

/// Result of the core.
pub type Result<T> = std::result::Result<T, Error>;

/// A refusal or a failure.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// A rule says no; nothing has changed. The sentence stands in `texts/` under `key`.
    #[error("refused: {key}")]
    Refused {
        /// Key of the sentence.
        key: &'static str,
        /// Values for the sentence's placeholders. Never logged.
        values: Vec<(&'static str, String)>,
    },
    /// The thing does not exist, or not for this actor. The two are not told apart on purpose.
    #[error("not found: {0}")]
    NotFound(&'static str),
    /// Somebody else changed the thing first; load it again.
    #[error("changed meanwhile: {0}")]
    Conflict(&'static str),
    /// The database failed.
    #[error("database: {0}")]
    Database(std::sync::Arc<sqlx::Error>),
    /// Stored bytes can't be read: wrong master key or damaged data.
    #[error("sealed data: {0}")]
    Seal(&'static str),
    /// The disk takes nothing any more (full, or its quota is used up); nothing of this was stored.
    #[error("nothing can be stored: {0}; free space on this disk")]
    Storage(String),
    /// The file store failed.
    #[error("file store: {0}")]
    Files(String),
    /// A setting, template or data file is wrong: what, with which value, and the mend.
    #[error("{0}")]
    Setup(String),
}

impl Error {
    /// A refusal without values.
    pub fn refused(key: &'static str) -> Self {
        Self::Refused { key, values: Vec::new() }
    }

    /// A refusal with values for its sentence.
    pub fn refused_with(key: &'static str, values: Vec<(&'static str, String)>) -> Self {
        Self::Refused { key, values }
    }
}

/// What the databases say when the disk takes nothing: SQLite's FULL, IOERR_WRITE (also a used-up quota), IOERR_FSYNC
/// (where the disk tells only then) and IOERR_SHMSIZE; PostgreSQL's disk_full.
const STORAGE_CODES: [&str; 5] = ["13", "778", "1034", "4874", "53100"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if code.is_some_and(|code| STORAGE_CODES.contains(&code.as_ref())) {
            return Self::Storage(error.to_string());
        }
        Self::Database(std::sync::Arc::new(error))
    }
}
