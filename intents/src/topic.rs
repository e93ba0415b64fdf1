//! What a question about a service is about (fee, duration, documents, …) and whether a message is a
//! question at all. The answer comes from the catalogue, not from here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::normal::{clip, normalise, tokens};
use crate::pattern::{Pattern, PatternError, Sets, parse_all};

/// In a longer message only its questions are looked at.
const SHORT_MESSAGE_WORDS: usize = 8;

/// A longer sentence tells a story in which such words occur too.
const FORECAST_WORDS: usize = 12;

/// The side of a service a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// What it costs.
    Fee,
    /// How long it takes.
    Duration,
    /// What must be brought along or handed in.
    Documents,
    /// Who may and who must.
    Eligibility,
    /// Until when; how long it is valid.
    Deadline,
    /// Who is responsible, where, when open.
    Office,
    /// How it goes on.
    Procedure,
    /// By which law.
    LegalBasis,
    /// How to pay.
    Payment,
}

static TOPICS: LazyLock<Topics> =
    LazyLock::new(|| Topics::parse(include_str!("../examples/topics.toml")).unwrap_or_default());

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    question_words: Vec<String>,
    verbs: Vec<String>,
    subjects: Vec<String>,
    openers: Vec<String>,
    forecast: Vec<String>,
    topic: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    topic: Topic,
    lines: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Form(#[from] toml::de::Error),
    #[error(transparent)]
    Line(#[from] PatternError),
}

#[derive(Debug, Default)]
struct Topics {
    question_words: BTreeSet<String>,
    verbs: BTreeSet<String>,
    subjects: BTreeSet<String>,
    openers: BTreeSet<String>,
    forecast: Vec<Pattern>,
    lines: Vec<(Topic, Vec<Pattern>)>,
}

impl Topics {
    fn parse(list: &str) -> Result<Self, ListError> {
        let file: File = toml::from_str(list)?;
        let words = |list: &[String]| list.iter().map(|word| normalise(word)).collect::<BTreeSet<_>>();
        let topics: Result<_, PatternError> = file
            .topic
            .iter()
            .map(|entry| Ok((entry.topic, parse_all(&entry.lines, &Sets::new())?)))
            .collect();
        Ok(Self {
            question_words: words(&file.question_words),
            verbs: words(&file.verbs),
            subjects: words(&file.subjects),
            openers: words(&file.openers),
            forecast: parse_all(&file.forecast, &Sets::new())?,
            lines: topics?,
        })
    }

    /// Whether the words begin as a question does, openers such as "und" passed over.
    fn begins_as_question(&self, words: &[String]) -> bool {
        let mut rest = words.iter().skip_while(|word| self.openers.contains(word.as_str()));
        let Some(first) = rest.next().or(words.first()) else { return false };
        let alone = self.question_words.contains(first) && !self.verbs.contains(first);
        let verb = self.verbs.contains(first) && rest.next().is_some_and(|next| self.subjects.contains(next));
        alone || verb
    }

    fn topic(&self, words: &[String]) -> Option<Topic> {
        let fits = |lines: &[Pattern]| lines.iter().any(|line| line.is_in(words));
        self.lines.iter().find(|(_, lines)| fits(lines)).map(|(topic, _)| *topic)
    }
}

/// Whether a message is a question: a question mark, or a question's beginning (German and English).
pub fn is_question(text: &str) -> bool {
    let seen = clip(text);
    let marked = seen.contains(['?', '؟']) && seen.contains(char::is_alphabetic);
    marked || TOPICS.begins_as_question(&tokens(seen))
}

/// Whether a message asks how a case will end ("Wird das genehmigt?"). Nobody can say that before it is decided.
pub fn asks_forecast(text: &str) -> bool {
    let seen = clip(text);
    seen.split_inclusive(['.', '!', '?', '\n', '؟', ';']).any(|sentence| {
        let words = tokens(sentence);
        words.len() <= FORECAST_WORDS && TOPICS.forecast.iter().any(|line| line.is_in(&words))
    })
}

/// What a question is about. Short messages count as questions as they are ("Gebühren"), of longer ones
/// only the sentences that ask.
pub fn topic(text: &str) -> Option<Topic> {
    let seen = clip(text);
    let words = tokens(seen);
    if words.len() <= SHORT_MESSAGE_WORDS {
        return TOPICS.topic(&words);
    }
    let sentences = seen.split_inclusive(['.', '!', '?', '\n', '؟', ';']);
    sentences.filter(|sentence| is_question(sentence)).find_map(|sentence| TOPICS.topic(&tokens(sentence)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Topic::{
        Deadline, Documents, Duration, Eligibility, Fee, LegalBasis, Office, Payment, Procedure,
    };
    use super::*;

    #[test]
    fn the_list_can_be_read() {
        let list = include_str!("../examples/topics.toml");
        let topics = Topics::parse(list).map_err(|error| error.to_string()).expect("the list is valid");
        assert_eq!(topics.lines.len(), 10);
    }

    #[test]
    fn topics_of_questions() {
        let rows = [
            ("Was kostet das eigentlich?", Some(Fee)),
            ("Wie teuer ist ein Führerschein", Some(Fee)),
            ("Wie viel muss ich bezahlen?", Some(Fee)),
            ("ist das kostenlos", Some(Fee)),
            ("Gebühren", Some(Fee)),
            ("Gebüren", Some(Fee)),
            ("how much is it", Some(Fee)),
            ("wie lange dauert das", Some(Duration)),
            ("Wie lang dauert die Bearbeitung?", Some(Duration)),
            ("Bearbeitungszeit?", Some(Duration)),
            ("how long does it take", Some(Duration)),
            ("wann ist mein Ausweis fertig", Some(Duration)),
            ("was brauche ich", Some(Documents)),
            ("Welche Unterlagen muss ich mitbringen?", Some(Documents)),
            ("brauche ich ein Passfoto", Some(Documents)),
            ("Wie viele Passbilder brauche ich?", Some(Documents)),
            ("Wann muss ich den Führerschein umtauschen?", Some(Deadline)),
            ("what do I need", Some(Documents)),
            ("wo ist das amt", Some(Office)),
            ("und wo ist das Amt?", Some(Office)),
            ("Wann haben Sie geöffnet?", Some(Office)),
            ("Wer ist dafür zuständig?", Some(Office)),
            ("where is the office", Some(Office)),
            ("Brauche ich einen Termin?", Some(Office)),
            ("Darf ich das beantragen?", Some(Eligibility)),
            ("Habe ich Anspruch auf Wohngeld", Some(Eligibility)),
            ("am I eligible", Some(Eligibility)),
            ("Bis wann muss ich das abgeben?", Some(Deadline)),
            ("Wie lange habe ich Zeit?", Some(Deadline)),
            ("what is the deadline", Some(Deadline)),
            ("Wie läuft das ab?", Some(Procedure)),
            ("Was passiert danach?", Some(Procedure)),
            ("how does it work", Some(Procedure)),
            ("Welches Gesetz regelt das?", Some(LegalBasis)),
            ("Rechtsgrundlage", Some(LegalBasis)),
            ("Kann ich mit Karte zahlen?", Some(Payment)),
            ("Wie kann ich bezahlen?", Some(Payment)),
            ("paypal?", Some(Payment)),
            ("Ich ziehe nächsten Monat um nach Paderborn. Was kostet das Ummelden?", Some(Fee)),
            ("Ich habe die Gebühren schon am Montag in bar bei der Kasse im Haus bezahlt.", None),
            ("Hauptstraße 3", None),
            ("ja", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(topic(text), expected, "{text}");
        }
    }

    #[test]
    fn questions() {
        let rows = [
            ("Was kostet das?", true),
            ("was kostet das", true),
            ("und wo ist das Amt", true),
            ("Hallo, wie lange dauert das", true),
            ("kann ich das online machen", true),
            ("Paderborn?", true),
            ("how long does it take", true),
            ("is it free", true),
            ("Ist das kostenlos", true),
            ("noch eine Frage: wo ist das", true),
            ("ja", false),
            ("Müller", false),
            ("Hauptstraße 3", false),
            ("Ist", false),
            ("Will Smith", false),
            ("Habe keinen", false),
            ("Ich wohne da, wo früher die Post war", false),
            ("???", false),
            ("", false),
        ];
        for (text, expected) in rows {
            assert_eq!(is_question(text), expected, "{text}");
        }
    }

    #[test]
    fn forecasts() {
        let rows = [
            ("Wird mein Antrag genehmigt?", true),
            ("wird das abgelehnt", true),
            ("Bekomme ich das überhaupt?", true),
            ("krieg ich den sicher", true),
            ("Wie stehen meine Chancen?", true),
            ("klappt das denn", true),
            ("Hallo. Wie wahrscheinlich ist das?", true),
            ("Will my application be approved?", true),
            ("Was kostet das?", false),
            ("Bekomme ich einen Bescheid?", false),
            ("Mein Antrag wurde 2019 abgelehnt", false),
            ("Wird es teurer?", false),
            ("Letzte Chance", true),
        ];
        for (text, expected) in rows {
            assert_eq!(asks_forecast(text), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = (topic(&text), is_question(&text));
        }
    }
}
