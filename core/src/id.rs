//! Identifiers: one type for each kind of thing, so that a case can't be mistaken for a person.
//!
//! All of them are ULIDs in text form (26 characters, sortable by time of creation). They are names, not
//! secrets: what may be guessed must be protected by a right or a token, never by an id.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<ulid::Ulid> for $name {
            fn from(value: ulid::Ulid) -> Self {
                Self(value.to_string())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// A conversation, in whatever channel.
    ConversationId,
    /// One message of a conversation.
    MessageId,
    /// A case (Vorgang), from draft to archive.
    ApplicationId,
    /// An uploaded or made document.
    DocumentId,
    /// A payment.
    PaymentId,
    /// A Bescheid, certificate or extract.
    BescheidId,
    /// A request for missing documents (Nachforderung).
    DocumentRequestId,
    /// A citizen or company known to the office.
    PersonId,
    /// A member of staff.
    StaffId,
    /// A row of the outbox.
    OutboxId,
    /// A job.
    JobId,
}
