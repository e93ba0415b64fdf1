//! In which language a message is written: letters first, then small word lists, then statistics. A short
//! or mixed text gives no answer; a name is not a language. It does not translate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use whatlang::{Detector, Lang};

use crate::normal::{clip, tokens};

/// A language the assistant speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tongue {
    /// German.
    De,
    /// German in Leichte Sprache.
    DeSimple,
    /// English.
    En,
    /// Ukrainian.
    Uk,
    /// Turkish.
    Tr,
    /// Arabic.
    Ar,
    /// Russian.
    Ru,
    /// Polish.
    Pl,
    /// Romanian.
    Ro,
}

impl Tongue {
    /// All of them, German first.
    pub const ALL: [Self; 9] =
        [Self::De, Self::DeSimple, Self::En, Self::Uk, Self::Tr, Self::Ar, Self::Ru, Self::Pl, Self::Ro];

    /// The tag as in HTML's `lang` and in the database: "de", "de-simple", "en", …
    pub fn tag(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::DeSimple => "de-simple",
            Self::En => "en",
            Self::Uk => "uk",
            Self::Tr => "tr",
            Self::Ar => "ar",
            Self::Ru => "ru",
            Self::Pl => "pl",
            Self::Ro => "ro",
        }
    }

    /// The language of a tag; capitals and a region do not matter ("de-AT" and "DE" are German).
    pub fn parse(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase().replace('_', "-");
        let exact = Self::ALL.into_iter().find(|tongue| tongue.tag() == tag);
        exact.or_else(|| {
            let (primary, _region) = tag.split_once('-')?;
            Self::ALL.into_iter().find(|tongue| tongue.tag() == primary)
        })
    }
}

impl fmt::Display for Tongue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// A text with fewer letters is too short for statistics.
const LEAST_LETTERS: usize = 25;
/// A text with fewer words may be a name, an address or a title.
const LEAST_WORDS: usize = 5;
/// Letters of one alphabet prove a language from so many words on; two are often a name.
const LEAST_WORDS_OF_ALPHABET: usize = 3;
/// The share of certainty below which statistics do not count (0 to 1, as whatlang gives it).
const LEAST_CONFIDENCE: f64 = 0.6;

static LISTS: LazyLock<Lists> =
    LazyLock::new(|| Lists::parse(include_str!("../examples/languages.toml")).unwrap_or_default());

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsOfTongue {
    words: Vec<String>,
    sure: Vec<String>,
}

#[derive(Debug, Default)]
struct Lists {
    words: BTreeMap<String, Tongue>,
    sure: BTreeSet<String>,
}

impl Lists {
    fn parse(list: &str) -> Result<Self, toml::de::Error> {
        let tables: BTreeMap<Tongue, WordsOfTongue> = toml::from_str(list)?;
        let mut lists = Self::default();
        for (tongue, table) in tables {
            lists.words.extend(table.words.iter().flat_map(|word| tokens(word)).map(|word| (word, tongue)));
            lists.sure.extend(table.sure.iter().flat_map(|word| tokens(word)));
        }
        Ok(lists)
    }

    /// What the known words say: a language, or that they contradict each other.
    fn vote(&self, words: &[String]) -> Vote {
        let mut counts: BTreeMap<Tongue, usize> = BTreeMap::new();
        let mut sure = false;
        for word in words {
            if let Some(tongue) = self.words.get(word) {
                *counts.entry(*tongue).or_default() += 1;
                sure |= self.sure.contains(word);
            }
        }
        let mut ranked: Vec<(usize, Tongue)> =
            counts.into_iter().map(|(tongue, count)| (count, tongue)).collect();
        ranked.sort_unstable_by(|left, right| right.cmp(left));
        match ranked.as_slice() {
            [] => Vote::Silent,
            [(1, tongue)] if sure => Vote::Sure(*tongue),
            [(1, tongue)] => Vote::Leaning(*tongue),
            [(_, tongue)] => Vote::Sure(*tongue),
            [(best, tongue), (second, _), ..] if *best >= 3 && *best >= 3 * second => Vote::Sure(*tongue),
            _ => Vote::Mixed,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vote {
    Silent,
    Leaning(Tongue),
    Sure(Tongue),
    Mixed,
}

/// In what letters a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Latin,
    Cyrillic,
    Arabic,
    Other,
}

fn alphabet_of(letter: char) -> Alphabet {
    match u32::from(letter) {
        0x41..=0x24F | 0x1E00..=0x1EFF => Alphabet::Latin,
        0x400..=0x52F => Alphabet::Cyrillic,
        0x600..=0x6FF | 0x750..=0x77F | 0xFB50..=0xFDFF | 0xFE70..=0xFEFF => Alphabet::Arabic,
        _ => Alphabet::Other,
    }
}

/// The alphabet of more than three quarters of the letters.
fn alphabet(letters: &[char]) -> Alphabet {
    [Alphabet::Latin, Alphabet::Cyrillic, Alphabet::Arabic]
        .into_iter()
        .find(|kind| {
            letters.iter().filter(|letter| alphabet_of(**letter) == *kind).count() * 4 > letters.len() * 3
        })
        .unwrap_or(Alphabet::Other)
}

/// The language a message is written in; `None` when unsure ("hallo", "ok", names, addresses).
pub fn language(text: &str) -> Option<Tongue> {
    let seen = clip(text);
    let letters: Vec<char> = seen.chars().filter(|letter| letter.is_alphabetic()).collect();
    if letters.is_empty() {
        return None;
    }
    let words: Vec<String> =
        tokens(seen).into_iter().filter(|word| word.chars().any(char::is_alphabetic)).collect();
    let vote = LISTS.vote(&words);
    match alphabet(&letters) {
        Alphabet::Other => None,
        Alphabet::Cyrillic => cyrillic(&letters, words.len(), vote),
        Alphabet::Arabic => arabic(&letters, words.len(), vote),
        Alphabet::Latin => match vote {
            Vote::Sure(tongue) => Some(tongue),
            Vote::Mixed => None,
            Vote::Leaning(tongue) => {
                statistics(seen, letters.len(), words.len()).filter(|found| *found == tongue)
            }
            Vote::Silent => statistics(seen, letters.len(), words.len()),
        },
    }
}

/// Ukrainian or Russian, by the letters only one of them has.
fn cyrillic(letters: &[char], words: usize, vote: Vote) -> Option<Tongue> {
    if let Vote::Sure(tongue) = vote {
        return Some(tongue);
    }
    let has =
        |wanted: &str| letters.iter().any(|letter| letter.to_lowercase().any(|small| wanted.contains(small)));
    let by_letters = match (has("іїєґ"), has("ыэёъ")) {
        (true, false) => Some(Tongue::Uk),
        (false, true) => Some(Tongue::Ru),
        _ => None,
    };
    match (by_letters, vote) {
        (Some(tongue), Vote::Leaning(known)) if tongue != known => None,
        (Some(tongue), _) if words >= LEAST_WORDS_OF_ALPHABET => Some(tongue),
        (_, Vote::Leaning(known)) => Some(known),
        _ => None,
    }
}

/// Arabic, unless a letter shows that it is Persian, Kurdish or Urdu, which nobody here speaks.
fn arabic(letters: &[char], words: usize, vote: Vote) -> Option<Tongue> {
    let foreign = letters.iter().any(|letter| "پچژگکیەۆێڕڵےٹڈںھ".contains(*letter));
    let enough = words >= LEAST_WORDS_OF_ALPHABET
        || matches!(vote, Vote::Sure(Tongue::Ar) | Vote::Leaning(Tongue::Ar));
    (!foreign && enough).then_some(Tongue::Ar)
}

/// whatlang's opinion, if it is sure among our languages and stays with it among all languages.
fn statistics(text: &str, letters: usize, words: usize) -> Option<Tongue> {
    if letters < LEAST_LETTERS || words < LEAST_WORDS {
        return None;
    }
    let ours = vec![Lang::Deu, Lang::Eng, Lang::Tur, Lang::Pol, Lang::Ron];
    let among_ours = Detector::with_allowlist(ours).detect(text)?;
    let among_all = whatlang::detect(text)?;
    if among_ours.confidence() < LEAST_CONFIDENCE || among_all.lang() != among_ours.lang() {
        return None;
    }
    match among_ours.lang() {
        Lang::Deu => Some(Tongue::De),
        Lang::Eng => Some(Tongue::En),
        Lang::Tur => Some(Tongue::Tr),
        Lang::Pol => Some(Tongue::Pl),
        Lang::Ron => Some(Tongue::Ro),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Tongue::{Ar, De, DeSimple, En, Pl, Ro, Ru, Tr, Uk};
    use super::*;

    #[test]
    fn tags() {
        for tongue in Tongue::ALL {
            assert_eq!(Tongue::parse(tongue.tag()), Some(tongue));
        }
        let rows = [
            ("DE", Some(De)),
            ("de-AT", Some(De)),
            ("de-simple", Some(DeSimple)),
            ("de_simple", Some(DeSimple)),
            (" en-US ", Some(En)),
            ("fr", None),
            ("", None),
        ];
        for (tag, expected) in rows {
            assert_eq!(Tongue::parse(tag), expected, "{tag}");
        }
    }

    #[test]
    fn the_lists_can_be_read_and_share_no_word() {
        let list = include_str!("../examples/languages.toml");
        Lists::parse(list).expect("the list is valid");
        let tables: BTreeMap<Tongue, WordsOfTongue> = toml::from_str(list).expect("the list is valid");
        let mut seen: BTreeMap<String, Tongue> = BTreeMap::new();
        let mut shared = Vec::new();
        for (tongue, table) in &tables {
            for word in table.words.iter().flat_map(|word| tokens(word)) {
                if seen.insert(word.clone(), *tongue).is_some_and(|other| other != *tongue) {
                    shared.push(word);
                }
            }
            assert!(table.sure.iter().all(|word| table.words.contains(word)), "{tongue}");
        }
        assert_eq!(shared, Vec::<String>::new());
    }

    #[test]
    fn languages() {
        let rows = [
            ("Wie lange dauert das?", Some(De)),
            ("Ich möchte einen Führerschein beantragen", Some(De)),
            ("Ich heiße Anna", Some(De)),
            ("How much is it?", Some(En)),
            ("please in English", Some(En)),
            ("I lost my driving licence, what should I do?", Some(En)),
            ("Merhaba", Some(Tr)),
            ("Ehliyetimi kaybettim, ne yapmam lazım?", Some(Tr)),
            ("Başvuru için hangi belgeler gerekli?", Some(Tr)),
            ("Дякую", Some(Uk)),
            ("Я загубила посвідчення, що мені робити?", Some(Uk)),
            ("Скільки це коштує?", Some(Uk)),
            ("Здравствуйте", Some(Ru)),
            ("Сколько это стоит?", Some(Ru)),
            ("Мы потеряли водительские права вчера", Some(Ru)),
            ("كم تكلفة رخصة القيادة", Some(Ar)),
            ("مرحبا", Some(Ar)),
            ("Dzień dobry, ile to kosztuje?", Some(Pl)),
            ("Zgubiłem prawo jazdy", Some(Pl)),
            ("Bună ziua, cât costă?", Some(Ro)),
            ("Am pierdut permisul, ce trebuie să fac?", Some(Ro)),
            ("hallo", None),
            ("ok", None),
            ("OK 👍", None),
            ("ja", None),
            ("Müller", None),
            ("Maria Kowalska-Wiśniewska", None),
            ("Олексій Іваненко", None),
            ("Анна", None),
            ("محمد علي", None),
            ("سلام، من گواهینامه می‌خواهم", None),
            ("Hauptstraße 3, 33098 Paderborn", None),
            ("13.8.1985", None),
            ("你好，请问多少钱", None),
            ("Je voudrais parler à quelqu'un de la mairie", None),
            ("", None),
        ];
        let wrong: Vec<_> = rows
            .iter()
            .map(|(text, expected)| (*text, language(text), *expected))
            .filter(|(_, found, expected)| found != expected)
            .collect();
        assert_eq!(wrong, []);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = language(&text);
            let _ = Tongue::parse(&text);
        }

        #[test]
        fn numbers_and_marks_have_no_language(text in "[0-9 .,!?:/+-]{0,60}") {
            prop_assert_eq!(language(&text), None);
        }
    }
}
