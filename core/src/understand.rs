//! What a message means, as far as words alone tell: CPU only, before any transaction. Which of the readings
//! counts depends on the open question and is decided in `dialog`.

use amtsbote_intents::{Command, Correction, Emergency, Strength, Tongue};
use amtsbote_knowledge::{Index, Match, Topic};

/// Longest message that is looked at, in characters; what is longer is kept whole but read up to here.
const READ_LIMIT: usize = 2000;

/// All readings of one message.
#[derive(Debug, Clone)]
pub struct Understood {
    /// The words as they came, trimmed.
    pub text: String,
    /// An emergency.
    pub emergency: Option<(Emergency, Strength)>,
    /// A command to the assistant.
    pub command: Option<Command>,
    /// Yes or no.
    pub yes_no: Option<bool>,
    /// The topic of a question about a service.
    pub topic: Option<Topic>,
    /// It has the form of a question.
    pub question: bool,
    /// It asks how a case will end.
    pub forecast: bool,
    /// A correction of an earlier answer.
    pub correction: Option<Correction>,
    /// An insult.
    pub abusive: bool,
    /// The language that it is written in, when that is clear.
    pub language: Option<Tongue>,
    /// The service that it asks for.
    pub service: Match,
}

impl Understood {
    /// Reads `text`.
    pub fn of(text: &str, index: &Index) -> Self {
        let text = text.trim().to_owned();
        let read: String = text.chars().take(READ_LIMIT).collect();
        Self {
            emergency: amtsbote_intents::emergency(&read),
            command: amtsbote_intents::command(&read),
            yes_no: amtsbote_intents::yes_no(&read),
            topic: amtsbote_intents::topic(&read).map(topic),
            question: amtsbote_intents::is_question(&read),
            forecast: amtsbote_intents::asks_forecast(&read),
            correction: amtsbote_intents::correction(&read),
            abusive: amtsbote_intents::abusive(&read),
            language: amtsbote_intents::language(&read),
            service: index.best(&read),
            text,
        }
    }
}

/// Whether a message is taken however many came before it: an emergency, or the wish for a person
/// (`reliability-and-security.md` section 3: "crisis and Mensch never limited").
pub fn never_waits(text: &str) -> bool {
    let read: String = text.chars().take(READ_LIMIT).collect();
    amtsbote_intents::emergency(&read).is_some() || amtsbote_intents::command(&read) == Some(Command::Human)
}

fn topic(topic: amtsbote_intents::Topic) -> Topic {
    use amtsbote_intents::Topic as Said;
    match topic {
        Said::Fee => Topic::Fee,
        Said::Duration => Topic::Duration,
        Said::Documents => Topic::Documents,
        Said::Eligibility => Topic::Eligibility,
        Said::Deadline => Topic::Deadline,
        Said::Office => Topic::Office,
        Said::Procedure => Topic::Procedure,
        Said::LegalBasis => Topic::LegalBasis,
        Said::Payment => Topic::Payment,
    }
}
