//! What a message means, as far as words alone tell: CPU only, before any transaction. Which of the readings
//! counts depends on the open question and is decided in `dialog`.

use amtsbote_intents::{Command, Correction, Emergency, Strength, Tongue};
pub use amtsbote_intents::{Example, Guess, Model, ModelError};
use amtsbote_knowledge::{Found, Topic};

use crate::knowledge::{Knowledge, OUT_OF_SCOPE};

mod matter;

use matter::Learnt;
pub use matter::{Hit, Match};

/// Longest message that is looked at, in characters; what is longer is kept whole but read up to here.
const READ_LIMIT: usize = 2000;

/// All readings of one message.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a reading of its own, none excludes another")]
pub struct Understood {
    /// The words as they came, trimmed.
    pub text: String,
    /// An emergency.
    pub emergency: Option<(Emergency, Strength)>,
    /// The emergency is the classifier's reading alone: within a form, where health and fear are often the subject, it is
    /// only hinted at.
    pub unsure_alarm: bool,
    /// A command to the assistant.
    pub command: Option<Command>,
    /// A command in free words, as the classifier reads it: counts outside a form only.
    pub wish: Option<Command>,
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
    /// What is known about it besides services, best first: articles, offices, glossary.
    pub found: Vec<Found>,
    /// Names what was learnt when this was read, to replay an answer later.
    pub version: String,
}

impl Understood {
    /// Reads `text`.
    pub fn of(text: &str, knowledge: &Knowledge) -> Self {
        let text = text.trim().to_owned();
        let read: String = text.chars().take(READ_LIMIT).collect();
        let learnt = Learnt::of(&read, knowledge);
        let command = amtsbote_intents::command(&read);
        let listed = amtsbote_intents::emergency(&read);
        // "Weiß ich nicht" is a command and no despair.
        let alarm = learnt.emergency.filter(|_| command.is_none());
        let yes_no = amtsbote_intents::yes_no(&read);
        // Articles are the last resort: what commands, agrees or names a service is not looked up.
        let look_up = command.is_none() && yes_no.is_none() && learnt.service == Match::Nothing;
        let found = if look_up { knowledge.search.find(&read, 3) } else { Vec::new() };
        Self {
            emergency: more_urgent(listed, alarm),
            unsure_alarm: listed.is_none(),
            command,
            wish: learnt.command,
            yes_no,
            topic: amtsbote_intents::topic(&read).map(topic),
            question: amtsbote_intents::is_question(&read),
            forecast: amtsbote_intents::asks_forecast(&read),
            correction: amtsbote_intents::correction(&read),
            abusive: amtsbote_intents::abusive(&read),
            language: amtsbote_intents::language(&read),
            service: learnt.service,
            found,
            version: knowledge.version.clone(),
            text,
        }
    }
}

impl Understood {
    /// What a first message asks for, as one label: a service, or a word with `#` for everything else.
    pub fn label(&self) -> &str {
        match (self.emergency, self.command.or(self.wish)) {
            (Some((Emergency::Suicide, Strength::Strong)), _) => "#crisis-person",
            (Some((_, Strength::Strong)), _) => "#emergency",
            (_, Some(Command::Human)) => "#human",
            (_, Some(Command::EasyLanguage)) => "#easy",
            (_, Some(Command::Status)) => "#status",
            (_, Some(Command::Cancel | Command::Restart | Command::Stop)) => "#cancel",
            (_, Some(Command::Greeting)) => "#greeting",
            (_, Some(Command::Thanks)) => "#thanks",
            (_, Some(_)) => "#command",
            (_, None) => self.service.hits().first().map_or(OUT_OF_SCOPE, |hit| &hit.service_id),
        }
    }
}

/// Whether a message is taken however many came before it: an emergency, or the wish for a person
/// (`reliability-and-security.md` section 3: "crisis and Mensch never limited").
pub fn never_waits(text: &str, knowledge: &Knowledge) -> bool {
    let read: String = text.chars().take(READ_LIMIT).collect();
    if amtsbote_intents::emergency(&read).is_some()
        || amtsbote_intents::command(&read) == Some(Command::Human)
    {
        return true;
    }
    let learnt = Learnt::of(&read, knowledge);
    learnt.emergency.is_some() || learnt.command == Some(Command::Human)
}

/// The stronger of two readings; the word lists win a tie, for they are checked by hand.
fn more_urgent(
    listed: Option<(Emergency, Strength)>,
    learnt: Option<(Emergency, Strength)>,
) -> Option<(Emergency, Strength)> {
    match (listed, learnt) {
        (Some((_, Strength::Weak)), Some((_, Strength::Strong))) | (None, _) => learnt,
        (Some(_), _) => listed,
    }
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
