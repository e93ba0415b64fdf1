//! What a citizen means by a text: emergency, command, yes or no, a choice, a correction, a topic, a
//! language.
//!
//! Everything here is pure and deterministic: word lists (`examples/*.toml`), no model, no database, no
//! knowledge of the dialogue. The order in which the answers are asked for belongs to the dialogue.

mod abuse;
mod answer;
mod command;
mod correction;
mod emergency;
mod language;
mod model;
mod normal;
mod pattern;
mod sentence;
mod topic;

pub use abuse::abusive;
pub use answer::{choice, yes_no};
pub use command::{Command, command};
pub use correction::{Correction, correction};
pub use emergency::{Emergency, Strength, emergency};
pub use language::{Tongue, language};
pub use model::{Example, Guess, Model, ModelError};
pub use normal::{LOOKED_AT, normalise, tokens};
pub use sentence::{COMMAND, OUT_OF_SCOPE, labelled_command, labelled_emergency, sentences};
pub use topic::{Topic, asks_forecast, is_question, topic};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Asks for everything at once; only that it ends without a panic counts.
    fn ask_everything(text: &str) {
        let synonyms = ["eins".to_owned()];
        let _ = (emergency(text), command(text), yes_no(text), topic(text), is_question(text));
        let _ = (correction(text), abusive(text), language(text), normalise(text));
        let _ = asks_forecast(text);
        let _ = choice(text, &[("a", "Erste Wahl", &synonyms), ("b", "Zweite Wahl", &[])]);
    }

    #[test]
    fn very_long_texts_are_cut_before_they_are_read() {
        let parts =
            ["a", "a ", "ä", "mein kind ist ", "nein, Hausnummer ", "\u{308}", "=:", "👍", "ja ", "\n", "١"];
        for part in parts {
            let text = part.repeat(100_000 / part.len());
            ask_everything(&text);
            assert!(normalise(&text).chars().count() <= 2 * LOOKED_AT + 2, "{part:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,300}", times in 1_usize..400) {
            ask_everything(&text.repeat(times));
        }

        #[test]
        fn the_plain_form_of_plain_text_is_itself(text in any::<String>()) {
            let plain = normalise(&text);
            // Cutting comes first: an umlaut may make the plain form longer than the original.
            prop_assume!(plain.chars().count() < LOOKED_AT);
            prop_assert_eq!(tokens(&plain).len(), plain.split_whitespace().count());
        }
    }
}
