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

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(std::sync::Arc::new(error))
    }
}
