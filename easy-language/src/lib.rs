//! Rules of Leichte Sprache that a program can check: short sentences, long words with hyphens, no conditional
//! forms, few subordinate clauses. It judges text and changes none; whether people understand it, only people know.
//!
//! Source of the rules: DIN SPEC 33429 and the rules of the Netzwerk Leichte Sprache.

/// Most words of a sentence.
pub const WORDS_IN_A_SENTENCE: usize = 15;

/// Most letters of a word without a hyphen.
pub const LETTERS_IN_A_WORD: usize = 17;

/// What is hard about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A sentence with too many words.
    LongSentence {
        /// The sentence.
        sentence: String,
        /// How many words it has.
        words: usize,
    },
    /// A long word without a hyphen.
    LongWord {
        /// The word.
        word: String,
    },
    /// A conditional form ("würde", "könnte").
    Conditional {
        /// The word.
        word: String,
    },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LongSentence { sentence, words } => write!(
                f,
                "Der Satz hat {words} Wörter, höchstens {WORDS_IN_A_SENTENCE} sind leicht: „{sentence}“ → Machen Sie zwei Sätze daraus."
            ),
            Self::LongWord { word } => write!(
                f,
                "„{word}“ ist lang → Trennen Sie es mit einem Bindestrich, oder nehmen Sie ein kürzeres Wort."
            ),
            Self::Conditional { word } => {
                write!(f, "„{word}“ ist eine Möglichkeitsform → Sagen Sie, was ist, oder „vielleicht“.")
            }
        }
    }
}

const CONDITIONALS: [&str; 12] = [
    "würde", "würden", "könnte", "könnten", "hätte", "hätten", "wäre", "wären", "müsste", "müssten",
    "dürfte", "dürften",
];

/// Everything that is hard about `text`. Placeholders, addresses and numbers count as short words.
pub fn check(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sentence in sentences(text) {
        let words: Vec<&str> =
            sentence.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
        if words.len() > WORDS_IN_A_SENTENCE {
            findings.push(Finding::LongSentence { sentence: sentence.to_owned(), words: words.len() });
        }
        for word in words {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            let plain = !word.contains(['{', '/', '@', '_']);
            let longest = bare.split(['-', '–']).map(|part| part.chars().count()).max().unwrap_or(0);
            if plain && longest > LETTERS_IN_A_WORD {
                findings.push(Finding::LongWord { word: bare.to_owned() });
            }
            if CONDITIONALS.contains(&bare.to_lowercase().as_str()) {
                findings.push(Finding::Conditional { word: bare.to_owned() });
            }
        }
    }
    findings
}

/// Sentences end at . ! ? : and at line breaks; a point inside a number or address ends none.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        let next = bytes.get(at + c.len_utf8()).copied();
        let ends =
            c == '\n' || (matches!(c, '.' | '!' | '?' | ':') && next.is_none_or(|b| b.is_ascii_whitespace()));
        if ends {
            let sentence = text[start..at].trim();
            if !sentence.is_empty() {
                found.push(sentence);
            }
            start = at + c.len_utf8();
        }
    }
    let rest = text[start..].trim();
    if !rest.is_empty() {
        found.push(rest);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_text_has_no_findings() {
        for text in [
            "Sie wollen mit Lebens-Mitteln arbeiten. Dann brauchen Sie vorher eine Belehrung.",
            "Rufen Sie an: 0800 1110111. Oder schreiben Sie an {email}.",
            "",
        ] {
            assert_eq!(check(text), [], "{text}");
        }
    }

    #[test]
    fn what_is_hard_is_named() {
        assert_eq!(check("Das könnte gehen."), [Finding::Conditional { word: "könnte".to_owned() }]);
        assert_eq!(
            check("Die Infektionsschutzbelehrung kostet Geld."),
            [Finding::LongWord { word: "Infektionsschutzbelehrung".to_owned() }]
        );
        let long = "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn.";
        assert!(matches!(check(long).as_slice(), [Finding::LongSentence { words: 16, .. }]));
    }

    #[test]
    fn a_point_inside_a_number_ends_no_sentence() {
        assert_eq!(sentences("Das kostet 1.000 Euro. Gut."), ["Das kostet 1.000 Euro", "Gut"]);
    }
}
