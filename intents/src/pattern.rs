//! The little language of the word lists: a line such as `"$wir will/möchte nicht mehr .. leben"` becomes a
//! [`Pattern`] that is looked for among the words of a message. No regular expressions: the lists are to be
//! read and mended by people who know words, not programs.
//!
//! | written | stands for |
//! |---|---|
//! | `feuer` | this word, a slip of the finger forgiven (see [`crate::normal::similar`]) |
//! | `will/möchte` | one of these words |
//! | `bitte?` | this word or nothing |
//! | `brenn*`, `*brand` | a word that begins or ends so |
//! | `#` | a word with a digit in it |
//! | `_` | any one word |
//! | `..` | up to three words of any kind |
//! | `$kind` | one of the words of the set "kind" of the same file |

use std::collections::BTreeMap;

use thiserror::Error;

use crate::normal::{normalise, similar};

/// The widest hole that `..` leaps over.
const GAP_WORDS: usize = 3;

/// Named sets of words, as in the `[sets]` table of a word list.
pub type Sets = BTreeMap<String, Vec<String>>;

/// What is wrong with a line of a word list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// `$name` stands in the line, but not in `[sets]`.
    #[error("the set ${set} of the line \"{line}\" does not exist")]
    UnknownSet {
        /// The missing set.
        set: String,
        /// The line it was used in.
        line: String,
    },
    /// A part of the line holds no word, or the whole line has no part that must be there.
    #[error("the line \"{line}\" would match nothing or everything")]
    Empty {
        /// The line.
        line: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Word(String),
    Begins(String),
    Ends(String),
    Digit,
    Any,
}

impl Part {
    /// The first letters of all fitting words (a slip never changes the first one).
    fn initials(&self) -> u64 {
        match self {
            Self::Word(word) | Self::Begins(word) => letter(word),
            Self::Ends(_) | Self::Digit | Self::Any => u64::MAX,
        }
    }

    fn fits(&self, said: &str) -> bool {
        match self {
            Self::Word(word) => similar(word, said),
            Self::Begins(stem) => said.starts_with(stem.as_str()),
            Self::Ends(stem) => said.ends_with(stem.as_str()),
            Self::Digit => said.contains(|letter: char| letter.is_ascii_digit()),
            Self::Any => true,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    One { parts: Vec<Part>, optional: bool },
    Gap,
}

/// One line of a word list, ready to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
    /// The first letters of the words it may begin with (see [`letter`]), so that most places are passed over at
    /// a glance: every message is held against every line.
    initials: u64,
}

/// The first letter of a word as a bit. Different letters may share one: it only tells where nothing can stand.
fn letter(word: &str) -> u64 {
    word.chars().next().map_or(0, |letter| 1 << (u32::from(letter) % 64))
}

impl Pattern {
    /// Reads one line.
    pub fn parse(line: &str, sets: &Sets) -> Result<Self, PatternError> {
        let empty = || PatternError::Empty { line: line.to_owned() };
        let mut pieces = Vec::new();
        for written in line.split_whitespace() {
            if written == ".." {
                pieces.push(Piece::Gap);
                continue;
            }
            let (written, optional) = written.strip_suffix('?').map_or((written, false), |rest| (rest, true));
            let mut parts = Vec::new();
            for choice in written.split('/') {
                if let Some(name) = choice.strip_prefix('$') {
                    let set = sets.get(name).ok_or_else(|| PatternError::UnknownSet {
                        set: name.to_owned(),
                        line: line.to_owned(),
                    })?;
                    for word in set {
                        parts.push(part(word).ok_or_else(empty)?);
                    }
                } else {
                    parts.push(part(choice).ok_or_else(empty)?);
                }
            }
            pieces.push(Piece::One { parts, optional });
        }
        let Some(Piece::One { parts, optional: false }) = pieces.first() else { return Err(empty()) };
        let initials = parts.iter().fold(0, |all, part| all | part.initials());
        Ok(Self { pieces, initials })
    }

    /// Whether the words are this pattern from the first to the last.
    pub fn is_all_of(&self, words: &[String]) -> bool {
        self.may_begin_with(words.first()) && walk(&self.pieces, words, 0, true).is_some()
    }

    /// Whether the pattern begins at word `start`; the number of the word after its end.
    pub fn at(&self, words: &[String], start: usize) -> Option<usize> {
        if self.may_begin_with(words.get(start)) { walk(&self.pieces, words, start, false) } else { None }
    }

    fn may_begin_with(&self, word: Option<&String>) -> bool {
        word.is_some_and(|word| self.initials & letter(word) != 0)
    }

    /// The first place where the pattern stands, as (first word, word after the last).
    #[cfg(test)]
    pub fn find(&self, words: &[String]) -> Option<(usize, usize)> {
        (0..words.len()).find_map(|start| Some((start, self.at(words, start)?)))
    }

    /// Whether the pattern stands anywhere among the words.
    pub fn is_in(&self, words: &[String]) -> bool {
        (0..words.len()).any(|start| self.at(words, start).is_some())
    }
}

fn part(written: &str) -> Option<Part> {
    match written {
        "#" => return Some(Part::Digit),
        "_" => return Some(Part::Any),
        _ => {}
    }
    let word = normalise(written);
    if word.is_empty() || word.contains(' ') {
        return None;
    }
    Some(match (written.starts_with('*'), written.ends_with('*')) {
        (true, true) => return None,
        (true, false) => Part::Ends(word),
        (false, true) => Part::Begins(word),
        (false, false) => Part::Word(word),
    })
}

/// Walks pieces and words side by side; the depth is bounded by the length of the line.
fn walk(pieces: &[Piece], words: &[String], at: usize, to_the_end: bool) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_first() else {
        return (!to_the_end || at == words.len()).then_some(at);
    };
    match piece {
        Piece::Gap => {
            (at..=(at + GAP_WORDS).min(words.len())).find_map(|next| walk(rest, words, next, to_the_end))
        }
        Piece::One { parts, optional } => {
            let fits = words.get(at).is_some_and(|said| parts.iter().any(|part| part.fits(said)));
            let taken = if fits { walk(rest, words, at + 1, to_the_end) } else { None };
            if taken.is_none() && *optional { walk(rest, words, at, to_the_end) } else { taken }
        }
    }
}

/// Reads all lines of a list.
pub fn parse_all(lines: &[String], sets: &Sets) -> Result<Vec<Pattern>, PatternError> {
    lines.iter().map(|line| Pattern::parse(line, sets)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::tokens;

    fn sets() -> Sets {
        Sets::from([("kind".to_owned(), vec!["Kind".to_owned(), "Söhn*".to_owned()])])
    }

    #[test]
    fn lines_find_their_words() {
        let rows = [
            ("es brennt", "Hilfe, es brennt!", Some((1, 3))),
            ("es brennt", "es hat gebrannt", None),
            ("mein* $kind ist .. weg", "mein Kind ist seit gestern weg", Some((0, 6))),
            ("mein* $kind ist .. weg", "meine Söhnchen ist weg", Some((0, 4))),
            ("mein* $kind ist .. weg", "mein Kind ist a b c d weg", None),
            ("ich will/möchte bitte? gehen", "ich möchte bitte gehen", Some((0, 4))),
            ("ich will/möchte bitte? gehen", "ich will gehen", Some((0, 3))),
            ("antrag #", "Antrag 7KX9", Some((0, 2))),
            ("antrag #", "Antrag stellen", None),
            ("*brand", "Ein Zimmerbrand", Some((1, 2))),
            ("wo _ wo", "wo ach wo", Some((0, 3))),
        ];
        for (line, text, expected) in rows {
            let pattern = Pattern::parse(line, &sets()).expect(line);
            assert_eq!(pattern.find(&tokens(text)), expected, "{line} / {text}");
        }
    }

    #[test]
    fn a_whole_message_must_be_covered_to_its_end() {
        let pattern = Pattern::parse("zurück bitte?", &Sets::new()).expect("valid");
        assert!(pattern.is_all_of(&tokens("Zurück!")));
        assert!(pattern.is_all_of(&tokens("zurueck, bitte")));
        assert!(!pattern.is_all_of(&tokens("Hauptstraße zurück")));
        assert!(!pattern.is_all_of(&tokens("zurück bitte 3")));
    }

    #[test]
    fn bad_lines_are_refused() {
        for line in ["", "..", "a//b", "bitte?", "*a*", "a-b", "$kind!"] {
            assert!(Pattern::parse(line, &sets()).is_err(), "{line}");
        }
        let error = Pattern::parse("mein $hund", &sets()).expect_err("unknown set");
        assert_eq!(error.to_string(), "the set $hund of the line \"mein $hund\" does not exist");
    }
}
