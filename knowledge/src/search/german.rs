//! Words of German text: one spelling, stems, parts of compounds, synonyms. Both sides of the search, records and
//! questions, go through here in the same way. It knows nothing of services.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use tantivy::tokenizer::{Language, RawTokenizer, Stemmer, TextAnalyzer, TokenStream};

/// So many words of a text are read.
const MOST_WORDS: usize = 4_000;
/// Longest word that is read, in letters; nobody types longer ones on purpose.
const LONGEST: usize = 50;
/// Shortest word that may be a compound, and shortest part of one.
const COMPOUND: usize = 8;
const PART: usize = 4;

/// Words that stand in every question and say nothing about what it is about; folded.
const STOP: &str = "\
    der die das ein eine einer eines einem einen und oder ist sind war wird werden wurde wie was wer wo wann warum \
    welche welcher welches welchen welchem ich du er sie es wir ihr mein meine meinen meinem meiner man mich mir sich zu \
    zum zur in im an am auf fuer von vom mit bei nach aus um als auch nicht kann koennen koennte darf duerfen muss \
    muessen soll sollen sollte gibt hat habe haben den dem des dass wenn ob so noch nur aber denn bin bist sein seine \
    ihre ihren ihrem ihrer dieser diese dieses diesem durch ueber unter vor bis da dann hier dort hallo bitte danke mal \
    doch ja nein sehr schon wegen trotz etwa the a of to is i my how where what can do for and in on me we you";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SynonymFile {
    groups: Vec<Vec<String>>,
}

/// Reads words. Built once for an index, from the words of its records.
pub(super) struct German {
    stemmer: TextAnalyzer,
    stop: BTreeSet<&'static str>,
    /// How often each folded word occurs in the records (what may be part of a compound), and its stem.
    vocabulary: HashMap<String, (u32, String)>,
    /// Stem → the stems that mean the same, each with its weight (less in large groups).
    synonyms: BTreeMap<String, Vec<(String, f32)>>,
}

impl German {
    /// `synonyms` is the text of a file with `groups`.
    pub(super) fn new<'a>(
        texts: impl Iterator<Item = &'a str>,
        synonyms: &str,
    ) -> Result<Self, toml::de::Error> {
        let stemmer = TextAnalyzer::builder(RawTokenizer::default())
            .filter_dynamic(Stemmer::new(Language::German))
            .build();
        let stop = STOP.split_whitespace().collect();
        let mut german = Self { stemmer, stop, vocabulary: HashMap::new(), synonyms: BTreeMap::new() };
        for word in texts.flat_map(folded) {
            if let Some((count, _)) = german.vocabulary.get_mut(&word) {
                *count += 1;
            } else {
                let stem = german.stem(&word);
                german.vocabulary.insert(word, (1, stem));
            }
        }
        let file: SynonymFile = toml::from_str(synonyms)?;
        let mut found: BTreeMap<String, BTreeMap<String, f32>> = BTreeMap::new();
        for group in &file.groups {
            let stems: BTreeSet<String> =
                group.iter().flat_map(|word| folded(word)).map(|word| german.stem(&word)).collect();
            let weight = 1.0 / super::number(stems.len()).sqrt();
            for stem in &stems {
                let others = found.entry(stem.clone()).or_default();
                for other in stems.iter().filter(|other| *other != stem) {
                    let known = others.entry(other.clone()).or_insert(0.0);
                    *known = known.max(weight);
                }
            }
        }
        german.synonyms =
            found.into_iter().map(|(stem, others)| (stem, others.into_iter().collect())).collect();
        Ok(german)
    }

    /// The words of a text that say something, folded, in their order.
    pub(super) fn words(&self, text: &str) -> Vec<String> {
        folded(text).filter(|word| !self.stop.contains(word.as_str())).take(MOST_WORDS).collect()
    }

    pub(super) fn stem(&self, word: &str) -> String {
        if let Some((_, stem)) = self.vocabulary.get(word) {
            return stem.clone();
        }
        let mut stemmer = self.stemmer.clone();
        let mut stream = stemmer.token_stream(word);
        if stream.advance() { stream.token().text.clone() } else { word.to_owned() }
    }

    /// The stems of the two parts of a compound, if both are words of the records.
    pub(super) fn parts(&self, word: &str) -> Option<[String; 2]> {
        if word.len() < COMPOUND || !word.is_ascii() {
            return None;
        }
        let count =
            |part: &str| self.vocabulary.get(part).map(|(count, _)| *count).filter(|_| part.len() >= PART);
        let mut best: Option<(u32, &str, &str)> = None;
        for place in PART..=word.len() - PART {
            let (front, back) = word.split_at(place);
            let Some(behind) = count(back) else { continue };
            // With and without the letters that join German words.
            let fronts =
                [Some(front), front.strip_suffix('s'), front.strip_suffix("en"), front.strip_suffix("es")];
            for front in fronts.into_iter().flatten() {
                let both = count(front).map(|before| before.min(behind));
                if let Some(both) = both
                    && best.is_none_or(|(known, ..)| both > known)
                {
                    best = Some((both, front, back));
                }
            }
        }
        best.map(|(_, front, back)| [self.stem(front), self.stem(back)])
    }

    /// Stems that mean the same as `stem`, with their weights.
    pub(super) fn synonyms(&self, stem: &str) -> &[(String, f32)] {
        self.synonyms.get(stem).map_or(&[], Vec::as_slice)
    }
}

/// Small letters, "ae" for "ä", one word for "S-Bahn"; everything else divides words.
fn folded(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !(letter.is_alphanumeric() || JOINING.contains(&letter)))
        .map(|piece| {
            let mut word = String::with_capacity(piece.len() + 4);
            for letter in piece.chars().flat_map(char::to_lowercase) {
                match letter {
                    'ä' => word.push_str("ae"),
                    'ö' => word.push_str("oe"),
                    'ü' => word.push_str("ue"),
                    'ß' => word.push_str("ss"),
                    'é' | 'è' | 'ê' => word.push('e'),
                    letter if letter.is_alphanumeric() => word.push(letter),
                    _ => {}
                }
            }
            word
        })
        .filter(|word| !word.is_empty() && word.chars().count() <= LONGEST)
}

/// Signs within a word: hyphens, soft hyphens, the middle dot of Leichte Sprache, signs that cannot be seen.
const JOINING: [char; 7] = ['-', '‐', '‑', '·', '\u{ad}', '\u{200b}', '\u{feff}'];

/// The four-letter pieces of a word with its borders: what a slip of the finger leaves of it.
pub(super) fn pieces(word: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = std::iter::once('#').chain(word.chars()).chain(['#']).collect();
    let width = 4.min(letters.len());
    (0..=letters.len() - width).map(move |start| letters[start..start + width].iter().collect())
}
