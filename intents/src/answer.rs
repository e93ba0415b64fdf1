//! Answers to an open question: yes or no, and one of several choices. When a message could mean two
//! things it means nothing, and the dialogue asks again. Values of fields are checked elsewhere.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::normal::{normalise, similar, tokens};
use crate::pattern::{Pattern, PatternError, Sets, parse_all};
use crate::topic::is_question;

/// A yes or no with an explanation may have so many words.
const MOST_WORDS_AFTER_LEAD: usize = 12;
/// A choice may be wrapped in so many words.
const MOST_WORDS_OF_A_CHOICE: usize = 10;
/// A beginning of a label counts from so many letters on.
const LEAST_PREFIX: usize = 3;

static ANSWERS: LazyLock<Answers> =
    LazyLock::new(|| Answers::parse(include_str!("../examples/answers.toml")).unwrap_or_default());

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    yes: Vec<String>,
    no: Vec<String>,
    filler: Vec<String>,
    lead_yes: Vec<String>,
    lead_no: Vec<String>,
    doubt: Vec<String>,
    ordinals: Vec<Vec<String>>,
    last: Vec<String>,
    choice_filler: Vec<String>,
    negation: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Form(#[from] toml::de::Error),
    #[error(transparent)]
    Line(#[from] PatternError),
}

type Words = BTreeSet<String>;

#[derive(Debug, Default)]
struct Answers {
    yes: Vec<Pattern>,
    no: Vec<Pattern>,
    filler: Words,
    lead_yes: Words,
    lead_no: Words,
    doubt: Words,
    ordinals: Vec<Words>,
    last: Words,
    choice_filler: Words,
    negation: Words,
}

impl Answers {
    fn parse(list: &str) -> Result<Self, ListError> {
        let file: File = toml::from_str(list)?;
        let words = |list: &[String]| list.iter().map(|word| normalise(word)).collect::<Words>();
        Ok(Self {
            yes: parse_all(&file.yes, &Sets::new())?,
            no: parse_all(&file.no, &Sets::new())?,
            filler: words(&file.filler),
            lead_yes: words(&file.lead_yes),
            lead_no: words(&file.lead_no),
            doubt: words(&file.doubt),
            ordinals: file.ordinals.iter().map(|list| words(list)).collect(),
            last: words(&file.last),
            choice_filler: words(&file.choice_filler),
            negation: words(&file.negation),
        })
    }

    /// Whether the words are phrases of `lines` and fillers only, with at least one phrase.
    fn made_of(&self, words: &[String], lines: &[Pattern]) -> bool {
        let mut at = 0;
        let mut found = false;
        while at < words.len() {
            // The longest phrase, so that "stimmt nicht" is not read as "stimmt".
            let end = lines.iter().filter_map(|line| line.at(words, at)).max();
            if let Some(end) = end.filter(|end| *end > at) {
                found = true;
                at = end;
            } else if self.filler.contains(words[at].as_str()) {
                at += 1;
            } else {
                return false;
            }
        }
        found
    }

    /// "ja, ich bin verheiratet": a clear first word and nothing after it that takes it back.
    fn lead(&self, text: &str, words: &[String]) -> Option<bool> {
        let (first, rest) = words.split_first()?;
        let yes = self.lead_yes.contains(first);
        let no = self.lead_no.contains(first);
        let opposite = if yes { &self.lead_no } else { &self.lead_yes };
        let taken_back = rest.iter().any(|word| opposite.contains(word) || self.doubt.contains(word));
        // "No. 5" is a number.
        let a_number = first == "no" && rest.first().is_some_and(|word| has_digit(word));
        let clear = (yes || no)
            && rest.len() <= MOST_WORDS_AFTER_LEAD
            && !taken_back
            && !a_number
            && !is_question(text);
        clear.then_some(yes)
    }

    /// The number a message consists of: "2", "Nummer 2", "die zweite"; `count` stands for the last.
    fn number(&self, words: &[String], count: usize) -> Option<usize> {
        let mut rest = words.iter().filter(|word| !self.choice_filler.contains(word.as_str()));
        let (word, None) = (rest.next()?, rest.next()) else { return None };
        if self.last.contains(word) {
            return Some(count);
        }
        let ordinal = self.ordinals.iter().position(|forms| forms.contains(word)).map(|index| index + 1);
        ordinal.or_else(|| word.parse().ok()).filter(|number| (1..=count).contains(number))
    }
}

fn has_digit(word: &str) -> bool {
    word.contains(|letter: char| letter.is_ascii_digit())
}

/// Whether a message says yes (`true`) or no (`false`); `None` if neither or both ("ja nein").
pub fn yes_no(text: &str) -> Option<bool> {
    let words = tokens(text);
    match words.as_slice() {
        [] => return None,
        [only] if only == "doch" => return Some(true),
        _ => {}
    }
    if text.trim_end().ends_with('?') {
        return None;
    }
    // "no" first: "stimmt nicht" begins with a yes.
    if ANSWERS.made_of(&words, &ANSWERS.no) {
        return Some(false);
    }
    if ANSWERS.made_of(&words, &ANSWERS.yes) {
        return Some(true);
    }
    // "nein, das stimmt nicht" is a no all through; "ja, stimmt nicht" is not.
    ANSWERS.lead(text, &words)
}

/// The value of the option a message chooses: by number ("2", "die zweite"), value, label or synonym,
/// also with one slip of the finger, by a unique beginning, or named in a short sentence.
///
/// An option is (value, label, synonyms). `None` if nothing or more than one option fits.
pub fn choice<'a>(text: &str, options: &[(&'a str, &str, &[String])]) -> Option<&'a str> {
    let words = tokens(text);
    if words.is_empty() {
        return None;
    }
    let names: Vec<Vec<Vec<String>>> = options
        .iter()
        .map(|(value, label, synonyms)| {
            let others = synonyms.iter().map(String::as_str);
            [*value, *label].into_iter().chain(others).map(tokens).filter(|name| !name.is_empty()).collect()
        })
        .collect();
    let value = |index: usize| options.get(index).map(|option| option.0);
    let only = |fits: &dyn Fn(&[String]) -> bool| -> Found {
        let mut fitting = (0..names.len()).filter(|index| names[*index].iter().any(|name| fits(name)));
        match (fitting.next(), fitting.next()) {
            (None, _) => Found::Nothing,
            (Some(index), None) => Found::One(index),
            _ => Found::Several,
        }
    };

    let number = ANSWERS.number(&words, options.len()).map(|number| number - 1);
    let exact = only(&|name| name == words);
    let begins = only(&|name| name.len() > words.len() && name.starts_with(&words));
    match (number, exact) {
        (_, Found::Several) => return None,
        (_, Found::One(index)) => return value(index),
        // "1" for the first of several, but not if "1 Jahr" is the name of another.
        (Some(number), Found::Nothing) => {
            return if matches!(begins, Found::One(index) if index != number) { None } else { value(number) };
        }
        (None, Found::Nothing) => {}
    }
    if let (true, Found::One(index)) = (words.iter().any(|word| has_digit(word)), begins) {
        return value(index);
    }
    let slip = only(&|name| {
        name.len() == words.len() && name.iter().zip(&words).all(|(word, said)| similar(word, said))
    });
    let said = words.join(" ");
    let prefix = only(&|name| said.len() >= LEAST_PREFIX && name.join(" ").starts_with(&said));
    for found in [slip, prefix] {
        match found {
            Found::One(index) => return value(index),
            Found::Several => return None,
            Found::Nothing => {}
        }
    }
    named_inside(&words, &names).and_then(value)
}

#[derive(Debug, Clone, Copy)]
enum Found {
    Nothing,
    One(usize),
    Several,
}

/// The only option named inside a short sentence. A name inside a longer name of another option ("Pass" in
/// "vorläufiger Pass") does not count.
fn named_inside(words: &[String], names: &[Vec<Vec<String>>]) -> Option<usize> {
    if words.len() > MOST_WORDS_OF_A_CHOICE {
        return None;
    }
    let mut places: Vec<(usize, usize, usize)> = Vec::new();
    for (index, of_option) in names.iter().enumerate() {
        for name in of_option {
            let speaks = name.iter().map(String::len).sum::<usize>() >= LEAST_PREFIX;
            if !speaks || name.iter().all(|word| has_digit(word)) {
                continue;
            }
            let windows = words.windows(name.len()).enumerate();
            let equal =
                windows.filter(|(_, window)| window.iter().zip(name).all(|(said, w)| similar(w, said)));
            places.extend(equal.map(|(start, _)| (index, start, start + name.len())));
        }
    }
    let covered = |inner: &(usize, usize, usize)| {
        places
            .iter()
            .any(|outer| outer.1 <= inner.1 && inner.2 <= outer.2 && outer.2 - outer.1 > inner.2 - inner.1)
    };
    let kept: Vec<_> = places.iter().filter(|place| !covered(place)).collect();
    let first = kept.first()?.0;
    let one_option = kept.iter().all(|place| place.0 == first);
    let outside = |at: usize| !kept.iter().any(|place| (place.1..place.2).contains(&at));
    let negated = (0..words.len()).any(|at| outside(at) && ANSWERS.negation.contains(&words[at]));
    (one_option && !negated).then_some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_list_can_be_read() {
        let list = include_str!("../examples/answers.toml");
        let answers = Answers::parse(list).map_err(|error| error.to_string()).expect("the list is valid");
        assert_eq!(answers.ordinals.len(), 10);
    }

    #[test]
    fn yes_and_no() {
        let rows = [
            ("ja", Some(true)),
            ("Jaaaa!", Some(true)),
            ("jo", Some(true)),
            ("jawohl", Some(true)),
            ("klar", Some(true)),
            ("Ja klar, gerne", Some(true)),
            ("stimmt", Some(true)),
            ("ja, das stimmt", Some(true)),
            ("ok", Some(true)),
            ("OK.", Some(true)),
            ("yes", Some(true)),
            ("👍", Some(true)),
            ("👍🏽", Some(true)),
            ("ja bitte", Some(true)),
            ("doch", Some(true)),
            ("Ja, ich bin verheiratet", Some(true)),
            ("alles richtig so", Some(true)),
            ("evet", Some(true)),
            ("так", Some(true)),
            ("да", Some(true)),
            ("نعم", Some(true)),
            ("nein", Some(false)),
            ("nö", Some(false)),
            ("nee", Some(false)),
            ("neeee", Some(false)),
            ("no", Some(false)),
            ("Nein danke", Some(false)),
            ("stimmt nicht", Some(false)),
            ("nein, das stimmt so nicht", Some(false)),
            ("nicht richtig", Some(false)),
            ("auf keinen Fall", Some(false)),
            ("Nein, ich habe keine Kinder", Some(false)),
            ("noch nicht", Some(false)),
            ("👎", Some(false)),
            ("hayır", Some(false)),
            ("ні", Some(false)),
            ("нет", Some(false)),
            ("ja nein", None),
            ("nein ja", None),
            ("jein", None),
            ("naja", None),
            ("vielleicht", None),
            ("ja, aber nur am Wochenende", None),
            ("ja oder nein?", None),
            ("Ja und was kostet das?", None),
            ("stimmt das?", None),
            ("No. 5", None),
            ("Jana", None),
            ("Hauptstraße 3", None),
            ("", None),
            ("bitte", None),
        ];
        for (text, expected) in rows {
            assert_eq!(yes_no(text), expected, "{text}");
        }
    }

    fn choose(text: &str) -> Option<&'static str> {
        let single = [String::from("ledig"), "Single".to_owned(), "unverheiratet".to_owned()];
        let none: [String; 0] = [];
        choice(
            text,
            &[
                ("ledig", "Ledig", &single),
                ("verheiratet", "Verheiratet", &none),
                ("partnerschaft", "Eingetragene Lebenspartnerschaft", &none),
                ("verwitwet", "Verwitwet", &none),
                ("geschieden", "Geschieden", &none),
            ],
        )
    }

    #[test]
    fn choices() {
        let rows = [
            ("1", Some("ledig")),
            ("2.", Some("verheiratet")),
            ("Nummer 2", Some("verheiratet")),
            ("die zweite bitte", Some("verheiratet")),
            ("Ich nehme die dritte", Some("partnerschaft")),
            ("vier", Some("verwitwet")),
            ("the second", Some("verheiratet")),
            ("das letzte", Some("geschieden")),
            ("6", None),
            ("0", None),
            ("ledig", Some("ledig")),
            ("LEDIG!", Some("ledig")),
            ("single", Some("ledig")),
            ("unverheiratet", Some("ledig")),
            ("verheiratet", Some("verheiratet")),
            ("verheiratt", Some("verheiratet")),
            ("gescheiden", Some("geschieden")),
            ("gesch", Some("geschieden")),
            ("eingetragene", Some("partnerschaft")),
            ("ver", None),
            ("le", None),
            ("ich bin verheiratet", Some("verheiratet")),
            ("ich bin nicht verheiratet", None),
            ("verheiratet oder ledig", None),
            ("verwitwet seit 2 Jahren", Some("verwitwet")),
            ("blau", None),
            ("", None),
            ("99999999999999999999999", None),
        ];
        for (text, expected) in rows {
            assert_eq!(choose(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_in_labels_are_not_mistaken() {
        let none: [String; 0] = [];
        let years: [(&str, &str, &[String]); 3] =
            [("six", "6 Jahre", &none), ("ten", "10 Jahre", &none), ("one", "1 Jahr", &none)];
        assert_eq!(choice("1", &years), None);
        assert_eq!(choice("10", &years), Some("ten"));
        assert_eq!(choice("1 Jahr", &years), Some("one"));
        assert_eq!(choice("die erste", &years), Some("six"));
        let same: [(&str, &str, &[String]); 2] = [("a", "Ja", &none), ("b", "Ja", &none)];
        assert_eq!(choice("ja", &same), None);
        assert_eq!(choice("1", &[]), None);
    }

    #[test]
    fn a_name_inside_a_longer_name_does_not_count() {
        let none: [String; 0] = [];
        let passes: [(&str, &str, &[String]); 2] =
            [("pass", "Reisepass", &none), ("vorl", "Vorläufiger Reisepass", &none)];
        assert_eq!(choice("Ich hätte gern einen vorläufigen Reisepass", &passes), Some("vorl"));
        assert_eq!(choice("Ich hätte gern einen Reisepass", &passes), Some("pass"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_panics(text in any::<String>(), label in any::<String>()) {
            let _ = yes_no(&text);
            let synonyms = [text.clone()];
            let _ = choice(&text, &[("a", &label, &synonyms), ("b", &text, &synonyms)]);
        }

        #[test]
        fn a_named_label_is_chosen(index in 0_usize..5, shout in any::<bool>()) {
            let values = ["ledig", "verheiratet", "partnerschaft", "verwitwet", "geschieden"];
            let said = if shout { values[index].to_uppercase() } else { format!(" {} ", values[index]) };
            prop_assert_eq!(choose(&said), Some(values[index]));
        }
    }
}
