//! Mending an earlier answer: "ändern: Name", "nein, Hausnummer 12", "ich meinte 13.8.1985". The field and
//! the value are handed on in the person's own words; which field of the form that is, the dialogue knows.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::normal::{clip, normalise, similar, tokens};

/// Longer messages tell a story, not a correction.
const MOST_WORDS: usize = 24;
/// A field has no longer name.
const MOST_FIELD_WORDS: usize = 5;

/// What the person wants to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The field as the person calls it; empty if the last answer is meant or none is named.
    pub field: String,
    /// The new value as written; `None` if only the wish to change is told.
    pub value: Option<String>,
}

static LISTS: LazyLock<Lists> =
    LazyLock::new(|| Lists::parse(include_str!("../examples/corrections.toml")).unwrap_or_default());

type Words = BTreeSet<String>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    filler: Words,
    no: Words,
    verbs: Words,
    weak_verbs: Words,
    end_verbs: Words,
    meant: Words,
    wrong: Words,
    wrong_before: Words,
    slipped: Words,
    slipped_at: Words,
    determiners: Words,
    links: Words,
    splits: Words,
    anything: Words,
    joints: Words,
    questions: Words,
    fields: Words,
    field_ends: Words,
}

impl Lists {
    fn parse(list: &str) -> Result<Self, toml::de::Error> {
        let mut lists: Self = toml::from_str(list)?;
        for words in [
            &mut lists.filler,
            &mut lists.no,
            &mut lists.verbs,
            &mut lists.weak_verbs,
            &mut lists.end_verbs,
            &mut lists.meant,
            &mut lists.wrong,
            &mut lists.wrong_before,
            &mut lists.slipped,
            &mut lists.slipped_at,
            &mut lists.determiners,
            &mut lists.links,
            &mut lists.splits,
            &mut lists.anything,
            &mut lists.joints,
            &mut lists.questions,
            &mut lists.fields,
            &mut lists.field_ends,
        ] {
            *words = words.iter().map(|word| normalise(word)).collect();
        }
        Ok(lists)
    }

    fn is_field_name(&self, plain: &str) -> bool {
        self.fields.contains(plain)
            || self.field_ends.iter().any(|end| plain.ends_with(end.as_str()))
            || (!plain.contains(' ') && self.fields.iter().any(|field| similar(field, plain)))
    }
}

/// A word of the message, its plain form, and where it stands. ":" and "=" are words of their own.
#[derive(Debug, Clone)]
struct Word {
    plain: String,
    start: usize,
    end: usize,
}

impl Word {
    fn is_mark(&self) -> bool {
        matches!(self.plain.as_str(), ":" | "=")
    }

    fn has_digit(&self) -> bool {
        self.plain.contains(|letter: char| letter.is_ascii_digit())
    }
}

fn words_of(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    let mut letters = text.char_indices().peekable();
    let mut previous = ' ';
    let finish = |words: &mut Vec<Word>, start: &mut Option<usize>, end: usize| {
        if let Some(start) = start.take() {
            let plain = normalise(&text[start..end]);
            if !plain.is_empty() {
                words.push(Word { plain, start, end });
            }
        }
    };
    while let Some((at, letter)) = letters.next() {
        let next_is_digit = letters.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        let in_number = previous.is_ascii_digit() && next_is_digit;
        let mark = letter == '=' || (letter == ':' && !next_is_digit);
        if mark || letter.is_whitespace() || (matches!(letter, ',' | ';') && !in_number) {
            finish(&mut words, &mut start, at);
            if mark {
                words.push(Word { plain: letter.to_string(), start: at, end: at + 1 });
            }
        } else if start.is_none() {
            start = Some(at);
        }
        previous = letter;
    }
    finish(&mut words, &mut start, text.len());
    words
}

/// The message while it is taken apart.
struct Reader<'a> {
    text: &'a str,
    lists: &'a Lists,
}

impl Reader<'_> {
    /// The words as written, without quotes and the full stop of the sentence.
    fn written(&self, words: &[Word]) -> String {
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return String::new() };
        let quotes = ['"', '„', '“', '”', '»', '«', '!', '?', ',', ';'];
        let text = self.text[first.start..last.end].trim_matches(quotes);
        let ends_in_short_street = text.to_lowercase().ends_with("str.");
        let text = if ends_in_short_street { text } else { text.trim_end_matches('.') };
        text.trim_matches(quotes).to_owned()
    }

    fn made(&self, field: &[Word], value: &[Word]) -> Correction {
        let value = self.written(value);
        Correction { field: self.written(field), value: (!value.is_empty()).then_some(value) }
    }

    /// The words after the leading ones that are in `list` or marks.
    fn after<'w>(words: &'w [Word], lists: &[&Words]) -> &'w [Word] {
        let says_something =
            |word: &Word| !word.is_mark() && !lists.iter().any(|list| list.contains(&word.plain));
        let start = words.iter().position(says_something).unwrap_or(words.len());
        &words[start..]
    }

    /// The rest behind the longest phrase of `phrases` that begins the words.
    fn behind<'w>(words: &'w [Word], phrases: &Words) -> Option<&'w [Word]> {
        let longest = phrases
            .iter()
            .filter(|phrase| {
                let mut said = words.iter().map(|word| word.plain.as_str());
                phrase.split(' ').all(|word| said.next() == Some(word))
            })
            .map(|phrase| phrase.split(' ').count())
            .max()?;
        Some(&words[longest..])
    }

    /// A known name of a field at the beginning: (the field, the rest). "Name der Mutter" is one field.
    fn field<'w>(&self, words: &'w [Word]) -> Option<(&'w [Word], &'w [Word])> {
        let words = Self::after(words, &[&self.lists.determiners]);
        let joined = |count: usize| {
            let names: Vec<&str> = words.iter().take(count).map(|word| word.plain.as_str()).collect();
            names.join(" ")
        };
        let known = |count: &usize| *count <= words.len() && self.lists.is_field_name(&joined(*count));
        let mut count = (1..=3).rev().find(known)?;
        let joint = words.get(count).is_some_and(|word| self.lists.joints.contains(&word.plain));
        if let (true, Some(next)) = (joint, words.get(count + 1)) {
            // "Name von meiner Mutter"
            if self.lists.determiners.contains(&next.plain) && words.len() > count + 2 {
                return Some(words.split_at(count + 3));
            }
            let enumerates = matches!(words[count].plain.as_str(), "und" | "and");
            if !next.has_digit() && (!enumerates || self.lists.is_field_name(&next.plain)) {
                count += 2;
            }
        }
        Some(words.split_at(count))
    }

    /// "Name = Müller", "PLZ 33102", "Name in Müller", "Name".
    fn field_and_value(&self, words: &[Word]) -> Option<Correction> {
        let words = Self::after(words, &[&self.lists.filler]);
        if let Some(mark) = words.iter().position(Word::is_mark) {
            let field = Self::after(&words[..mark], &[&self.lists.determiners]);
            return (field.len() <= MOST_FIELD_WORDS).then(|| self.made(field, &words[mark + 1..]));
        }
        if let Some((field, rest)) = self.field(words) {
            return Some(self.made(field, Self::after(rest, &[&self.lists.links])));
        }
        let words = Self::after(words, &[&self.lists.determiners, &self.lists.anything]);
        let split = words.iter().skip(1).position(|word| self.lists.splits.contains(&word.plain));
        let (field, value) = if let Some(before) = split {
            (&words[..=before], &words[before + 2..])
        } else if let Some(before) = words.iter().skip(1).position(Word::has_digit) {
            words.split_at(before + 1)
        } else {
            words.split_at(words.len())
        };
        (field.len() <= MOST_FIELD_WORDS).then(|| self.made(field, value))
    }

    fn read(&self, words: &[Word]) -> Option<Correction> {
        let lists = self.lists;
        let said_no = words
            .iter()
            .take_while(|word| {
                word.is_mark() || lists.filler.contains(&word.plain) || lists.no.contains(&word.plain)
            })
            .any(|word| lists.no.contains(&word.plain));
        let rest = Self::after(words, &[&lists.filler, &lists.no]);
        let (first, last) = (rest.first()?, rest.last()?);
        let asks = |word: &Word| lists.questions.contains(&word.plain);
        if asks(first) || words.first().is_some_and(asks) {
            return None;
        }
        if lists.end_verbs.contains(&last.plain) && rest.len() > 1 && !rest.iter().any(asks) {
            return self.change_at_the_end(&rest[..rest.len() - 1]);
        }
        if self.text.ends_with('?') {
            return None;
        }
        if lists.verbs.contains(&first.plain) {
            return self.field_and_value(&rest[1..]);
        }
        let pointed = rest.get(1).is_some_and(Word::is_mark) || self.field(&rest[1..]).is_some();
        if lists.weak_verbs.contains(&first.plain) && pointed {
            return self.field_and_value(&rest[1..]);
        }
        self.instead(rest)
            .or_else(|| self.meant(rest))
            .or_else(|| self.slipped(rest))
            .or_else(|| self.wrong(rest))
            .or_else(|| if said_no { self.after_no(rest) } else { None })
    }

    /// "Geburtsdatum ändern", "meine Hausnummer auf 12 ändern", "etwas ändern"; the verb is already gone.
    fn change_at_the_end(&self, words: &[Word]) -> Option<Correction> {
        let lists = self.lists;
        if words.iter().any(|word| matches!(word.plain.as_str(), "nicht" | "not" | "nichts")) {
            return None;
        }
        let words = Self::after(words, &[&lists.determiners, &lists.filler, &lists.anything]);
        let empty = |word: &&Word| lists.filler.contains(&word.plain) || word.plain == "zu";
        let trailing = words.iter().rev().take_while(empty).count();
        let words = &words[..words.len() - trailing];
        self.field_and_value(words)
    }

    /// "ich meinte 13.8.1985", "richtig ist Hausnummer 12".
    fn meant(&self, words: &[Word]) -> Option<Correction> {
        let rest = Self::after(Self::behind(words, &self.lists.meant)?, &[&self.lists.filler]);
        if rest.first().is_none_or(|word| self.lists.anything.contains(&word.plain)) {
            return None;
        }
        if let Some((field, value)) = self.field(rest) {
            let value = Self::after(value, &[&self.lists.links]);
            if !value.is_empty() {
                return Some(self.made(field, value));
            }
        }
        Some(self.made(&[], rest))
    }

    /// "nicht Paderborn, sondern Salzkotten", "Hausnummer nicht 12 sondern 13".
    fn instead(&self, words: &[Word]) -> Option<Correction> {
        let sondern = words.iter().position(|word| word.plain == "sondern")?;
        let (before, value) = (&words[..sondern], &words[sondern + 1..]);
        let negated = before.iter().any(|word| matches!(word.plain.as_str(), "nicht" | "kein" | "keine"));
        if !negated || value.is_empty() {
            return None;
        }
        let named = before.first().filter(|word| word.plain == "nicht").map_or(before, |_| &before[1..]);
        match self.field(value).filter(|(_, rest)| !rest.is_empty()) {
            Some((field, value)) => Some(self.made(field, value)),
            None => Some(self.made(self.field(named).map_or(&[], |(field, _)| field), value)),
        }
    }

    /// "(ich habe mich) bei der Hausnummer vertippt".
    fn slipped(&self, words: &[Word]) -> Option<Correction> {
        let (last, before) = words.split_last()?;
        let slipped_at = [&self.lists.slipped_at, &self.lists.determiners, &self.lists.filler];
        let field = Self::after(before, &slipped_at);
        let told = self.lists.slipped.contains(&last.plain) && field.len() <= MOST_FIELD_WORDS;
        told.then(|| self.made(field, &[]))
    }

    /// "mein Nachname ist falsch", "falsche Hausnummer", "meine Angaben stimmen nicht".
    fn wrong(&self, words: &[Word]) -> Option<Correction> {
        let lists = self.lists;
        let bare = Self::after(words, &[&lists.determiners]);
        if bare.first().is_some_and(|word| lists.wrong_before.contains(&word.plain)) {
            let (field, rest) = self.field(&bare[1..])?;
            return rest.is_empty().then(|| self.made(field, &[]));
        }
        let (field, rest) = self.field(words).or_else(|| {
            let rest = Self::after(bare, &[&lists.anything]);
            let names_an_answer = bare.first().is_some_and(|word| word.plain.len() >= 5);
            (rest.len() < bare.len() && names_an_answer).then_some((&[], rest))
        })?;
        let rest = Self::behind(rest, &lists.wrong)?;
        let value = Self::behind(rest, &lists.meant).unwrap_or(&[]);
        Some(self.made(field, value))
    }

    /// "nein, Hausnummer 12", "nein, die PLZ ist 33102", "nein, 13.8.1985".
    fn after_no(&self, words: &[Word]) -> Option<Correction> {
        if let Some((field, rest)) = self.field(words) {
            return Some(self.made(field, Self::after(rest, &[&self.lists.links])));
        }
        let first = words.first()?;
        let begins = self.text[first.start..].chars().next()?;
        let is_value = (begins.is_ascii_digit() || begins.is_uppercase())
            && words.len() <= MOST_FIELD_WORDS
            && words.iter().any(Word::has_digit);
        is_value.then(|| self.made(&[], words))
    }
}

/// The correction of an earlier answer, if the message is one.
pub fn correction(text: &str) -> Option<Correction> {
    let text = clip(text).trim();
    let words = words_of(text);
    if words.len() > MOST_WORDS || tokens(text).is_empty() {
        return None;
    }
    Reader { text, lists: &LISTS }.read(&words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_list_can_be_read() {
        let list = include_str!("../examples/corrections.toml");
        let lists = Lists::parse(list).map_err(|error| error.to_string()).expect("the list is valid");
        assert!(lists.fields.contains("hausnummer"));
    }

    #[test]
    fn corrections() {
        let rows = [
            ("ändern: Name", "Name", None),
            ("Ändern Name", "Name", None),
            ("ändern: Name = Müller", "Name", Some("Müller")),
            ("ändern: Name: Müller", "Name", Some("Müller")),
            ("ändern: Name=von der Heide", "Name", Some("von der Heide")),
            ("ändern: Name der Mutter", "Name der Mutter", None),
            ("Ändern: Fahrgestellnr = WVWZZZ1JZXW000001", "Fahrgestellnr", Some("WVWZZZ1JZXW000001")),
            ("ändern: Name von meiner Mutter", "Name von meiner Mutter", None),
            ("ich meinte nicht 12 sondern 13", "", Some("13")),
            ("ändern: Heizungsart", "Heizungsart", None),
            ("ändern 3", "3", None),
            ("Bitte die Hausnummer ändern", "Hausnummer", None),
            ("nein, Hausnummer 12", "Hausnummer", Some("12")),
            ("Nein, die Hausnummer ist 12.", "Hausnummer", Some("12")),
            ("nein Hausnumer 12a", "Hausnumer", Some("12a")),
            ("nein, mein Vorname ist Jonas", "Vorname", Some("Jonas")),
            ("nein, 13.8.1985", "", Some("13.8.1985")),
            ("Nein, Hauptstraße 3", "", Some("Hauptstraße 3")),
            ("falsch, PLZ 33102", "PLZ", Some("33102")),
            ("mein Nachname ist falsch", "Nachname", None),
            ("Die Hausnummer stimmt nicht", "Hausnummer", None),
            ("Hausnummer ist falsch, richtig ist 12", "Hausnummer", Some("12")),
            ("falsche Hausnummer", "Hausnummer", None),
            ("ja, aber die Hausnummer ist falsch", "Hausnummer", None),
            ("Meine letzte Antwort war falsch", "", None),
            ("Geburtsdatum ändern", "Geburtsdatum", None),
            ("Ich möchte mein Geburtsdatum ändern", "Geburtsdatum", None),
            ("Kann ich meine Hausnummer noch ändern?", "Hausnummer", None),
            ("meine Hausnummer auf 12 ändern", "Hausnummer", Some("12")),
            ("ich will etwas ändern", "", None),
            ("ändern", "", None),
            ("change: name", "name", None),
            ("change my last name to Miller", "last name", Some("Miller")),
            ("my surname is wrong", "surname", None),
            ("I want to change my address", "address", None),
            ("no, house number 12", "house number", Some("12")),
            ("ich meinte 13.8.1985", "", Some("13.8.1985")),
            ("Ich meinte Salzkotten!", "", Some("Salzkotten")),
            ("ich meinte Hausnummer 14", "Hausnummer", Some("14")),
            ("I meant Paderborn", "", Some("Paderborn")),
            ("Korrektur: PLZ 33102", "PLZ", Some("33102")),
            ("Korrektur: Straße Bahnhofstr.", "Straße", Some("Bahnhofstr.")),
            ("Korrektur: E-Mail = a.b@example.org", "E-Mail", Some("a.b@example.org")),
            ("korrigiere bitte Vorname zu Jana", "Vorname", Some("Jana")),
            ("nicht Paderborn, sondern Salzkotten", "", Some("Salzkotten")),
            ("Nein, nicht Hausnummer 12, sondern 13", "Hausnummer", Some("13")),
            ("Ich habe mich bei der Hausnummer vertippt", "Hausnummer", None),
            ("Sorry, vertippt", "", None),
        ];
        for (text, field, value) in rows {
            let expected = Correction { field: field.to_owned(), value: value.map(str::to_owned) };
            assert_eq!(correction(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn no_corrections() {
        let rows = [
            "",
            "nein",
            "nein danke",
            "Nein, das stimmt nicht",
            "das stimmt nicht",
            "das ist falsch",
            "falsch",
            "ja",
            "correct",
            "Müller",
            "Hauptstraße 3",
            "33102 Paderborn",
            "Name: Müller",
            "Was kostet es, den Namen zu ändern?",
            "Wie kann ich meinen Namen ändern?",
            "Das kann ich nicht ändern",
            "ich meinte nur",
            "Was meinten Sie?",
            "Ich möchte mein Auto ummelden",
            "nein, ich wohne noch bei meinen Eltern",
            "::=:=",
            "!!!",
        ];
        for text in rows {
            assert_eq!(correction(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = correction(&text);
        }

        #[test]
        fn no_mixture_of_its_own_words_panics(
            words in proptest::collection::vec(
                proptest::sample::select(&[
                    "nein", "ändern", ":", "=", "Name", "der", "12", "sondern", "nicht", "ich", "meinte",
                    "ist", "falsch", "vertippt", "auf", "die", "Hausnummer", ",", "e-mail", "und", "richtig",
                ][..]),
                0..12,
            ),
        ) {
            let _ = correction(&words.join(" "));
        }
    }
}
