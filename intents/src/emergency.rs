//! Emergencies: found by word lists before anything else reads the message, in every language at once.
//! It prefers a false alarm to a missed one, but leaves the known look-alikes alone ("brennende Frage").
//! It says nothing about numbers to call and what to answer.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::normal::{clipped_tail, tokens};
use crate::pattern::{Pattern, PatternError, Sets, parse_all};

/// What kind of help is needed, in the order of urgency used when a message names several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emergency {
    /// Fire, gas, accident, no breath, unconscious: 112.
    Rescue,
    /// Someone wants to die: 112, Telefonseelsorge.
    Suicide,
    /// Poisoning: 112, Giftnotruf.
    Poison,
    /// Threat, break-in, attack: 110.
    Police,
    /// Violence at home or sexual violence: 110, Hilfetelefon.
    Violence,
    /// A child is missing: 110.
    MissingChild,
}

/// How sure it is that something happens right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Acute: the number belongs into the first line.
    Strong,
    /// The topic is touched: the normal answer and one line with the number.
    Weak,
}

const LISTS: [&str; 2] =
    [include_str!("../examples/emergency.toml"), include_str!("../examples/emergency-more.toml")];

/// A word in place of one that belongs to a look-alike; no line of the lists can hold it.
const CROSSED_OUT: &str = "\u{0}";

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| Detector::parse(&LISTS).unwrap_or_default());

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    look_alikes: Vec<String>,
    sets: Sets,
    group: Vec<GroupLines>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupLines {
    emergency: Emergency,
    strong: Vec<String>,
    #[serde(default)]
    alone: Vec<String>,
    weak: Vec<String>,
}

#[derive(Debug)]
struct Group {
    emergency: Emergency,
    strong: Vec<Pattern>,
    alone: Vec<Pattern>,
    weak: Vec<Pattern>,
}

#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Form(#[from] toml::de::Error),
    #[error(transparent)]
    Line(#[from] PatternError),
}

#[derive(Debug, Default)]
struct Detector {
    look_alikes: Vec<Pattern>,
    groups: Vec<Group>,
}

impl Detector {
    fn parse(lists: &[&str]) -> Result<Self, ListError> {
        let mut detector = Self::default();
        for list in lists {
            let file: File = toml::from_str(list)?;
            detector.look_alikes.extend(parse_all(&file.look_alikes, &file.sets)?);
            for lines in file.group {
                detector.groups.push(Group {
                    emergency: lines.emergency,
                    strong: parse_all(&lines.strong, &file.sets)?,
                    alone: parse_all(&lines.alone, &file.sets)?,
                    weak: parse_all(&lines.weak, &file.sets)?,
                });
            }
        }
        Ok(detector)
    }

    fn detect(&self, text: &str) -> Option<(Emergency, Strength)> {
        let mut words = tokens(text);
        if words.is_empty() {
            return None;
        }
        let alone = self.groups.iter().filter(|group| group.alone.iter().any(|line| line.is_all_of(&words)));
        if let Some(emergency) = alone.map(|group| group.emergency).min() {
            return Some((emergency, Strength::Strong));
        }
        self.cross_out_look_alikes(&mut words);
        if let Some(emergency) = self.strong(&words) {
            return Some((emergency, Strength::Strong));
        }
        let weak = self.groups.iter().filter(|group| group.weak.iter().any(|line| line.is_in(&words)));
        weak.map(|group| (group.emergency, Strength::Weak)).min()
    }

    fn cross_out_look_alikes(&self, words: &mut [String]) {
        let mut crossed = vec![false; words.len()];
        for line in &self.look_alikes {
            for start in 0..words.len() {
                if let Some(end) = line.at(words, start) {
                    crossed[start..end].fill(true);
                }
            }
        }
        for (word, crossed) in words.iter_mut().zip(crossed) {
            if crossed {
                CROSSED_OUT.clone_into(word);
            }
        }
    }

    /// The most urgent acute emergency. A finding inside a longer one of another kind does not count: "er
    /// will mich umbringen" is a threat, although "will mich umbringen" alone is a wish to die.
    fn strong(&self, words: &[String]) -> Option<Emergency> {
        let mut found: Vec<(Emergency, usize, usize)> = Vec::new();
        for group in &self.groups {
            for line in &group.strong {
                let places = (0..words.len()).filter_map(|start| Some((start, line.at(words, start)?)));
                found.extend(places.map(|(start, end)| (group.emergency, start, end)));
            }
        }
        // A message of a thousand alarms need not be compared in pairs.
        found.truncate(200);
        let inside = |inner: &(Emergency, usize, usize)| {
            found.iter().any(|outer| {
                outer.0 != inner.0
                    && outer.1 <= inner.1
                    && inner.2 <= outer.2
                    && outer.2 - outer.1 > inner.2 - inner.1
            })
        };
        found.iter().filter(|place| !inside(place)).map(|place| place.0).min()
    }
}

/// The emergency a message speaks of, if any.
///
/// Deterministic and typo-tolerant; case, punctuation and the text around do not matter. Of a very long
/// message the beginning and the end are read.
pub fn emergency(text: &str) -> Option<(Emergency, Strength)> {
    let of_beginning = DETECTOR.detect(text);
    let of_end = clipped_tail(text).and_then(|tail| DETECTOR.detect(tail));
    [of_beginning, of_end].into_iter().flatten().min_by_key(|(emergency, strength)| (*strength, *emergency))
}

#[cfg(test)]
mod tests;
