//! The dialogue: what the assistant says next, and what is to be done. PURE: no clock, no database, no chance, no
//! waiting. It is the only place where a conversation decides anything, and it decides nothing about a case.
//!
//! [`next`] reads a message with [`READERS`], the one table of precedence (`conversation.md` 4.2). What has to be
//! done comes back as [`Act`]s; what came of them is told by [`tell`].

mod answer;
mod control;
mod filling;
mod outcome;
mod steering;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use amtsbote_intents::Command;
use amtsbote_knowledge::{CaseKind, Catalogue, Field, FieldKind, Service, Trust};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::document_request::WantedItem;
use crate::form::Answers;
use crate::id::{ApplicationId, DocumentId};
use crate::message::{ChannelKind, Choice, Part, Reply};
use crate::person::Profile;
use crate::texts::Texts;
use crate::understand::Understood;

pub use control::{greeting, handed_back, while_with_people};
pub use outcome::{CaseFacts, Outcome, QueueFacts, tell};

/// Length of a resume code; 29 letters to the tenth are about 48 bits.
pub const RESUME_CODE_LENGTH: usize = 10;

/// All that a conversation remembers besides its messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DialogState {
    /// The application in the making.
    pub draft: Option<Draft>,
    /// What the last reply asked.
    pub pending: Pending,
    /// The service that was last talked about.
    pub about: Option<String>,
    /// How often in a row nothing was understood.
    pub misses: u8,
    /// The choices of the last reply, for numbers and buttons.
    pub offered: Vec<Choice>,
    /// Whether the citizen has said anything yet.
    pub spoken: bool,
}

/// The open question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "pending", rename_all = "snake_case")]
pub enum Pending {
    /// None.
    #[default]
    None,
    /// Which of these services?
    PickService,
    /// File this one now?
    Start {
        /// The service.
        service: String,
    },
    /// Waits for a login, to begin or to go on with this service.
    Login {
        /// The service.
        service: String,
    },
    /// A question of the form.
    Field {
        /// The field.
        field: String,
        /// Wrong answers so far.
        attempts: u8,
    },
    /// A document of the form.
    Document {
        /// The item.
        item: String,
    },
    /// The review page.
    Review,
    /// The declaration.
    Declare,
    /// Discard the draft, keep it, or go on?
    CancelOrKeep,
    /// Leave the draft for another matter?
    LeaveFor {
        /// The other service.
        service: String,
    },
    /// Really erase the conversation?
    EraseData,
    /// Which case is to be withdrawn?
    PickWithdraw,
    /// Really withdraw?
    Withdraw {
        /// The case.
        application: ApplicationId,
        /// Its number.
        number: String,
    },
    /// The number of a case.
    StatusNumber,
    /// The access code of a case.
    StatusCode {
        /// Its number.
        number: String,
    },
    /// The code of a parked draft.
    ResumeCode,
    /// Which of the documents that the office asked for is this file?
    PickWanted {
        /// The file.
        document: DocumentId,
    },
    /// Shall a person help?
    OfferPerson,
}

/// An application in the making.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Names it for ever: it can be filed once, wherever it is resumed.
    pub id: String,
    /// The service.
    pub service: String,
    /// Normalised answers.
    pub answers: Answers,
    /// Fields that the login filled.
    pub from_login: BTreeSet<String>,
    /// Optional fields and documents that were skipped.
    pub skipped: BTreeSet<String>,
    /// Files by item: (item, document, name).
    pub documents: Vec<(String, DocumentId, String)>,
    /// Items whose files are complete.
    pub complete_items: BTreeSet<String>,
    /// Items that come later.
    pub later: BTreeSet<String>,
    /// Fields in the order in which they were answered, for "zurück".
    pub order: Vec<String>,
    /// Highest trust level at which it was filled in.
    pub trust: Trust,
}

impl Draft {
    fn settled(&self) -> BTreeSet<String> {
        self.complete_items.union(&self.later).cloned().collect()
    }
}

/// What was said.
#[derive(Debug, Clone)]
pub enum Said {
    /// Words or a pressed choice.
    Words(Box<Understood>),
    /// A file that passed the checks.
    File {
        /// The stored document.
        document: DocumentId,
        /// Its name.
        name: String,
        /// The item of a document request that it answers, if the page named one.
        wanted: Option<String>,
    },
    /// Nothing: the citizen has just logged in.
    LoggedIn,
}

/// What the dialogue may know, read before it is asked.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The program's sentences.
    pub texts: &'a Texts,
    /// The services.
    pub catalogue: Arc<Catalogue>,
    /// Language of the conversation.
    pub language: String,
    /// Where it is held.
    pub channel: ChannelKind,
    /// Trust level of the login.
    pub trust: Trust,
    /// What the login says about the person.
    pub profile: Option<Profile>,
    /// Today in Europe/Berlin.
    pub today: Date,
    /// Telephone number of the office.
    pub phone: String,
    /// Cases of the person, newest first; empty without a login.
    pub cases: Vec<CaseFacts>,
    /// Documents that the office waits for.
    pub wanted: Vec<WantedItem>,
    /// An id for a draft that begins now.
    pub fresh_id: String,
    /// A code for a draft that is parked now.
    pub fresh_code: String,
}

/// What is to be done besides answering. One `match` in `office` carries them out.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Put the conversation into the staff's queue.
    Queue,
    /// Take it out of the queue again.
    LeaveQueue,
    /// Put the draft aside under this code.
    Park {
        /// The code.
        code: String,
    },
    /// Fetch the draft for this code.
    Resume {
        /// The code.
        code: String,
    },
    /// File the draft.
    Submit,
    /// Withdraw a case.
    Withdraw {
        /// The case.
        application: ApplicationId,
    },
    /// Say how far a case is, to somebody with number and code.
    Status {
        /// The number.
        number: String,
        /// The access code.
        code: String,
    },
    /// Hand a file in for a document request.
    Supply {
        /// The wanted item.
        item: String,
        /// The file.
        document: DocumentId,
    },
    /// Destroy a file that nobody needs.
    RemoveDocument(DocumentId),
    /// Destroy all files that have not been filed.
    RemoveUnfiled,
    /// Erase the conversation.
    Erase,
}

/// The assistant's turn.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The state afterwards.
    pub state: DialogState,
    /// The language afterwards.
    pub language: String,
    /// What is said. Empty when acts have the word: see [`tell`].
    pub reply: Reply,
    /// What is to be done, in order.
    pub acts: Vec<Act>,
}

/// A turn in the making.
struct Talk<'a> {
    facts: &'a Facts<'a>,
    state: DialogState,
    language: String,
    reply: Reply,
    acts: Vec<Act>,
    /// The choice that the message picks, if the last reply offered any.
    pick: Option<String>,
}

/// Reads a message; true = this reader has answered it.
type Reader = fn(&mut Talk<'_>, &Understood) -> bool;

/// The order in which a message is read: the first reader that answers ends the turn.
const READERS: [(&str, Reader); 19] = [
    ("emergency", control::emergency),
    ("stop", control::stop),
    ("person", control::person),
    ("language", control::language),
    ("privacy", control::privacy),
    ("pressed choice", steering::pressed),
    ("cancel, back, pause, resume", steering::steering),
    ("correction", filling::correction),
    ("confirmation", answer::confirmation),
    ("question how it will end", answer::forecast),
    ("question about the service", answer::topic),
    ("status and withdrawal", answer::case_commands),
    ("answer to the open question", filling::answer),
    ("small talk", control::small_talk),
    ("other service", answer::service),
    ("general question", answer::general),
    ("abuse", control::abuse),
    ("wrong answer", filling::wrong_answer),
    ("nothing understood", answer::nothing_understood),
];

/// The assistant's next turn while it owns the conversation.
pub fn next(state: &DialogState, facts: &Facts<'_>, said: &Said) -> Turn {
    let mut talk = Talk {
        facts,
        state: state.clone(),
        language: facts.language.clone(),
        reply: Reply::new(&facts.language),
        acts: Vec::new(),
        pick: None,
    };
    match said {
        Said::Words(words) => {
            talk.pick = picked(&talk, words);
            control::adopt_language(&mut talk, words);
            let words = &with_wish(&talk, words);
            for (_, reader) in READERS {
                if reader(&mut talk, words) {
                    break;
                }
            }
            talk.state.spoken = true;
        }
        Said::File { document, name, wanted } => filling::file(&mut talk, document, name, wanted.as_deref()),
        Said::LoggedIn => filling::logged_in(&mut talk),
    }
    talk.finish()
}

/// Outside a form, and while nothing is asked, a command in free words counts like one of the word lists. Within a form
/// it might be an answer; only the wish for a person, in a sentence, is heard there too.
fn with_wish<'w>(talk: &Talk<'_>, words: &'w Understood) -> Cow<'w, Understood> {
    let Some(wish) = words.wish.filter(|_| words.command.is_none() && talk.pick.is_none()) else {
        return Cow::Borrowed(words);
    };
    let sentence = words.text.split_whitespace().count() > 2;
    let free = matches!(talk.state.pending, Pending::None | Pending::PickService | Pending::Start { .. });
    if free || (wish == Command::Human && sentence) {
        Cow::Owned(Understood { command: Some(wish), ..words.clone() })
    } else {
        Cow::Borrowed(words)
    }
}

/// The words that the history shows for a pressed choice: its label instead of its value.
pub fn shown_words(state: &DialogState, text: &str) -> String {
    state
        .offered
        .iter()
        .find(|choice| choice.value == text)
        .map_or_else(|| text.to_owned(), |choice| choice.label.clone())
}

/// The choice of the last reply that a message means: by its value, its label or its number.
fn picked(talk: &Talk<'_>, words: &Understood) -> Option<String> {
    let state = &talk.state;
    let text = words.text.trim_end_matches(['.', '!']).to_lowercase();
    if let Some(choice) =
        state.offered.iter().find(|c| c.value == words.text || c.label.to_lowercase() == text)
    {
        return Some(choice.value.clone());
    }
    // A good part of exactly one label, e.g. "weiter zur Erklärung".
    let mut parts = state.offered.iter().filter(|choice| {
        text.chars().count() >= 8
            && choice.label.to_lowercase().contains(&text)
            && !choice.value.starts_with("change:")
    });
    if let (Some(choice), None) = (parts.next(), parts.next()) {
        return Some(choice.value.clone());
    }
    // A bare number picks a numbered choice, unless the open question itself can be answered with a number.
    let number: usize = text.parse().ok()?;
    let asked = state.offered.iter().all(|choice| choice.value != "continue");
    let takes_number = |field: &Field| {
        !matches!(field.kind, FieldKind::Choice | FieldKind::YesNo | FieldKind::Name | FieldKind::Email)
    };
    if asked && filling::open_field(talk).is_some_and(takes_number) {
        return None;
    }
    state.offered.get(number.checked_sub(1)?).map(|choice| choice.value.clone())
}

impl<'a> Talk<'a> {
    fn text(&self, key: &'a str) -> String {
        self.facts.texts.get(&self.language, key).to_owned()
    }

    /// The sentence about a case of this kind.
    fn text_about(&self, key: &'a str, kind: CaseKind) -> String {
        self.facts.texts.get_about(&self.language, key, kind).to_owned()
    }

    fn filled(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.facts.texts.fill(&self.language, key, values)
    }

    fn say(&mut self, key: &'a str) {
        let text = self.text(key);
        self.part(Part::Text { text });
    }

    fn say_filled(&mut self, key: &str, values: &[(&str, &str)]) {
        let text = self.filled(key, values);
        self.part(Part::Text { text });
    }

    fn notice(&mut self, key: &'a str) {
        let text = self.text(key);
        self.part(Part::Notice { text });
    }

    fn part(&mut self, part: Part) {
        self.reply.parts.push(part);
    }

    /// Offers choices: (value, label).
    fn offer(&mut self, choices: Vec<(String, String)>) {
        let choices = choices.into_iter().map(|(value, label)| Choice { value, label }).collect();
        self.part(Part::Choices { choices });
    }

    /// Offers choices whose labels are sentences of the program: (value, key).
    fn offer_keys(&mut self, choices: &[(&str, &'a str)]) {
        let choices =
            choices.iter().map(|(value, key)| ((*value).to_owned(), self.text(key))).collect::<Vec<_>>();
        self.offer(choices);
    }

    fn link(&mut self, key: &'a str, url: &str) {
        let label = self.text(key);
        self.part(Part::Link { label, url: url.to_owned() });
    }

    fn service(&self, id: &str) -> Option<&'a Service> {
        self.facts.catalogue.get(id).map(AsRef::as_ref)
    }

    /// The service of the draft, if the catalogue still has it.
    fn draft_service(&self) -> Option<&'a Service> {
        self.state.draft.as_ref().and_then(|draft| self.service(&draft.service))
    }

    /// Whether the open question belongs to the form.
    fn in_form(&self) -> bool {
        self.state.draft.is_some()
            && matches!(
                self.state.pending,
                Pending::Field { .. } | Pending::Document { .. } | Pending::Review | Pending::Declare
            )
    }

    fn finish(mut self) -> Turn {
        self.reply.language.clone_from(&self.language);
        let offered: Vec<Choice> = self
            .reply
            .parts
            .iter()
            .filter_map(
                |part| if let Part::Choices { choices } = part { Some(choices.clone()) } else { None },
            )
            .flatten()
            .collect();
        let rows = self.reply.parts.iter().filter_map(|part| match part {
            Part::Review { rows } => Some(rows),
            _ => None,
        });
        let changes = rows.flatten().map(|row| Choice {
            value: row.change.clone(),
            label: self.facts.texts.fill(&self.language, "choice.change_row", &[("label", &row.label)]),
        });
        let offered = offered.into_iter().chain(changes).collect();
        self.state.offered = offered;
        Turn { state: self.state, language: self.language, reply: self.reply, acts: self.acts }
    }
}
