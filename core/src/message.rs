//! What goes in and out of a conversation, whatever the channel: [`Incoming`], [`Reply`] with its [`Part`]s,
//! and the trait [`Channel`]. Rendering for a medium is not done here.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use amtsbote_knowledge::Trust;

use crate::id::{ConversationId, DocumentId, OutboxId, PersonId};

/// Kinds of channels. What each may carry is one table: `permission.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// The web chat; after login it is the portal.
    Web,
    /// Matrix.
    Matrix,
    /// Telegram and the like.
    Messenger,
    /// E-mail.
    Email,
    /// Telephone.
    Telephone,
}

impl ChannelKind {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Matrix => "matrix",
            Self::Messenger => "messenger",
            Self::Email => "email",
            Self::Telephone => "telephone",
        }
    }

    /// The kind for the word in the database.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Web, Self::Matrix, Self::Messenger, Self::Email, Self::Telephone]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// One message from outside. `external_id` names it for ever: the same id again has no further effect.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The conversation that it belongs to.
    pub conversation: ConversationId,
    /// The channel's own id of the message (form id, event id, update id).
    pub external_id: String,
    /// Trust level of the login that sent it.
    pub trust: Trust,
    /// Who is logged in; a conversation of somebody else is not reachable.
    pub person: Option<PersonId>,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Debug, Clone)]
pub enum Body {
    /// Words, or the value of a pressed choice.
    Text(String),
    /// A file that has passed the checks and lies in the file store.
    File {
        /// The stored document.
        document: DocumentId,
        /// Its name as the citizen knows it.
        name: String,
    },
}

/// What the office says, once for all channels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reply {
    /// Language tag of the text (`de`, `de-simple`, `en`).
    pub language: String,
    /// The parts in reading order.
    pub parts: Vec<Part>,
}

/// A part of a reply. Each has a complete plain-text form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// A paragraph.
    Text {
        /// The words.
        text: String,
    },
    /// Something that must not be missed: an emergency number, a refusal, a warning.
    Notice {
        /// The words.
        text: String,
    },
    /// Facts with their sources.
    Facts {
        /// The rows.
        rows: Vec<FactRow>,
    },
    /// The question that is now open, with the progress ("Frage 2 von 7").
    Question {
        /// Progress, or empty.
        progress: String,
        /// The question.
        text: String,
        /// Example or hint, or empty.
        hint: String,
    },
    /// Numbered choices; `value` is what the channel sends back when one is pressed.
    Choices {
        /// The choices.
        choices: Vec<Choice>,
    },
    /// The answers given so far, each with what to say to change it.
    Review {
        /// The rows.
        rows: Vec<ReviewRow>,
    },
    /// A link to a page of the office.
    Link {
        /// What it is.
        label: String,
        /// Path on this site (`/portal/…`) or full address.
        url: String,
    },
    /// A file is expected now.
    Upload {
        /// Limits in words ("PDF, JPG oder PNG, höchstens 7 MB").
        limits: String,
    },
}

/// One fact and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactRow {
    /// "Gebühr", "Dauer" …
    pub label: String,
    /// The fact.
    pub text: String,
    /// Source and date of the check ("GebOSt Nr. 202.5, Stand 20.11.2026").
    pub source: String,
}

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is sent when it is chosen.
    pub value: String,
    /// What is shown.
    pub label: String,
}

/// One line of the review page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRow {
    /// Short name of the question.
    pub label: String,
    /// The answer as people read it.
    pub value: String,
    /// What to send to change it ("ändern: Name").
    pub change: String,
}

impl Part {
    /// The complete plain-text form. `first_choice` is the number of the first choice.
    pub fn plain_text(&self) -> String {
        match self {
            Self::Text { text } | Self::Notice { text } => text.clone(),
            Self::Facts { rows } => rows
                .iter()
                .map(|row| match row.source.as_str() {
                    "" => format!("{}: {}", row.label, row.text),
                    source => format!("{}: {} ({source})", row.label, row.text),
                })
                .collect::<Vec<_>>()
                .join("\n"),
            Self::Question { progress, text, hint } => [progress, text, hint]
                .into_iter()
                .filter(|line| !line.is_empty())
                .cloned()
                .collect::<Vec<_>>()
                .join("\n"),
            Self::Choices { choices } => choices
                .iter()
                .enumerate()
                .map(|(index, choice)| format!("{} = {}", index + 1, choice.label))
                .collect::<Vec<_>>()
                .join("\n"),
            Self::Review { rows } => {
                rows.iter().map(|row| format!("{}: {}", row.label, row.value)).collect::<Vec<_>>().join("\n")
            }
            Self::Link { label, url } => format!("{label}: {url}"),
            Self::Upload { limits } => limits.clone(),
        }
    }
}

impl Reply {
    /// An empty reply in `language`.
    pub fn new(language: &str) -> Self {
        Self { language: language.to_owned(), parts: Vec::new() }
    }

    /// With a paragraph more. An empty text adds nothing.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.parts.push(Part::Text { text });
        }
        self
    }

    /// With a part more.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The complete plain-text form, parts separated by an empty line.
    pub fn plain_text(&self) -> String {
        self.parts.iter().map(Part::plain_text).collect::<Vec<_>>().join("\n\n")
    }
}

/// Where a reply goes in an outside channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The channel.
    pub channel: ChannelKind,
    /// The channel's own form of an address (mail address, room id).
    pub to: String,
}

/// A message to be handed to an outside channel, with an id that is the same at every attempt.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Row of the outbox; the channel derives its own idempotency key from it.
    pub id: OutboxId,
    /// Where to.
    pub address: Address,
    /// One line that names the matter without personal data.
    pub subject: String,
    /// What to say.
    pub reply: Reply,
}

/// Why a message was not handed over; the error carries the decision (`reliability-and-security.md` 1.2).
#[derive(Debug, Clone, thiserror::Error)]
pub enum SendError {
    /// Certainly not delivered: try again by the schedule.
    #[error("retry: {0}")]
    Retry(String),
    /// The body was written, no answer came: a person decides, or the channel's key makes a repeat safe.
    #[error("uncertain: {0}")]
    Uncertain(String),
    /// The address does not exist any more.
    #[error("gone: {0}")]
    Gone(String),
    /// The message itself was refused; no retry helps.
    #[error("refused: {0}")]
    Refused(String),
}

/// A way to the outside. Web chat needs none: its page reads the history.
pub trait Channel: Send + Sync {
    /// Which kind it is.
    fn kind(&self) -> ChannelKind;

    /// Hands one message over. Returns the provider's reference, if it gives one.
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, SendError>>;
}
