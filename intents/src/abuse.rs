//! Insults at the assistant or the staff, so that it can stay calm. The list is conservative: swearing at
//! the weather, telling of an insult or naming a crime is no abuse. Nobody is locked out because of it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::normal::{normalise, tokens};
use crate::pattern::{Pattern, PatternError, Sets, parse_all};

static ABUSE: LazyLock<Abuse> =
    LazyLock::new(|| Abuse::parse(include_str!("../examples/abuse.toml")).unwrap_or_default());

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    reported: Vec<String>,
    sets: Sets,
    lists: Lines,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    lines: Vec<String>,
    alone: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Form(#[from] toml::de::Error),
    #[error(transparent)]
    Line(#[from] PatternError),
}

#[derive(Debug, Default)]
struct Abuse {
    reported: BTreeSet<String>,
    lines: Vec<Pattern>,
    alone: Vec<Pattern>,
}

impl Abuse {
    fn parse(list: &str) -> Result<Self, ListError> {
        let file: File = toml::from_str(list)?;
        Ok(Self {
            reported: file.reported.iter().map(|word| normalise(word)).collect(),
            lines: parse_all(&file.lists.lines, &file.sets)?,
            alone: parse_all(&file.lists.alone, &file.sets)?,
        })
    }
}

/// Whether a message insults the assistant or the staff.
pub fn abusive(text: &str) -> bool {
    let words = tokens(text);
    if words.iter().any(|word| ABUSE.reported.contains(word.as_str())) {
        return false;
    }
    ABUSE.alone.iter().any(|line| line.is_all_of(&words)) || ABUSE.lines.iter().any(|line| line.is_in(&words))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_list_can_be_read() {
        let list = include_str!("../examples/abuse.toml");
        let abuse = Abuse::parse(list).map_err(|error| error.to_string()).expect("the list is valid");
        assert!(!abuse.lines.is_empty());
    }

    #[test]
    fn insults() {
        let rows = [
            ("Du Idiot!", true),
            ("Arschloch", true),
            ("ihr seid doch alle Idioten", true),
            ("du bist so dumm", true),
            ("DU BIST NUTZLOS", true),
            ("blöder Bot", true),
            ("Scheiß Amt", true),
            ("Sie Vollidiot", true),
            ("fick dich", true),
            ("halt die Fresse", true),
            ("fuck you", true),
            ("you are useless", true),
            ("you're an idiot", true),
            ("stupid bot", true),
            ("Scheiße, ich habe mich vertippt", false),
            ("so ein Mist", false),
            ("verdammt", false),
            ("Mein Nachbar hat mich Arschloch genannt, wie erstatte ich Anzeige?", false),
            ("Ich muss zum Idiotentest", false),
            ("Das ist doch blöd", false),
            ("Das ist nutzlos", false),
            ("ich bin zu dumm dafür", false),
            ("Hauptstraße 3", false),
            ("Mein Sohn ist behindert", false),
            ("Ich bin schwerbehindert", false),
            ("Sind Sie behindert?", false),
            ("nein", false),
            ("", false),
        ];
        for (text, expected) in rows {
            assert_eq!(abusive(text), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = abusive(&text);
        }
    }
}
