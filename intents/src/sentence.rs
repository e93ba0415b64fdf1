//! Sentences for everything that is no service: commands to the assistant in free words, emergencies, and what no office
//! does. They are learnt together with the sentences of the services; the word lists stay the first to be asked.

use std::collections::BTreeMap;

use crate::command::{Command, plain_phrases};
use crate::emergency::Emergency;
use crate::model::Example;

/// The label of what no office does.
pub const OUT_OF_SCOPE: &str = "#out-of-scope";

const FILES: [&str; 3] = [
    include_str!("../examples/sentences-commands.toml"),
    include_str!("../examples/sentences-emergencies.toml"),
    include_str!("../examples/sentences-elsewhere.toml"),
];

/// All sentences with their labels. Every label begins with `#`, which no service does.
pub fn sentences() -> Vec<Example> {
    let labelled = FILES.iter().filter_map(|file| toml::from_str::<BTreeMap<String, Vec<String>>>(file).ok());
    let written = labelled.flatten().flat_map(|(label, texts)| {
        texts.into_iter().map(move |text| Example { label: format!("#{label}"), text, plain: true })
    });
    let listed = plain_phrases().into_iter().map(|(command, text)| {
        let label = LABELS.iter().find(|(_, known)| *known == command).map_or(COMMAND, |(label, _)| *label);
        Example { label: label.to_owned(), text, plain: false }
    });
    written.chain(listed).collect()
}

/// The label of commands that need no free words, and of answers: they are learnt so as to be nothing else.
pub const COMMAND: &str = "#command";

const LABELS: [(&str, Command); 7] = [
    ("#human", Command::Human),
    ("#easy", Command::EasyLanguage),
    ("#status", Command::Status),
    ("#cancel", Command::Cancel),
    ("#greeting", Command::Greeting),
    ("#thanks", Command::Thanks),
    ("#goodbye", Command::Goodbye),
];

/// The command that a label stands for.
pub fn labelled_command(label: &str) -> Option<Command> {
    LABELS.iter().find(|(known, _)| *known == label).map(|(_, command)| *command)
}

/// The emergency that a label stands for.
pub fn labelled_emergency(label: &str) -> Option<Emergency> {
    Some(match label {
        "#rescue" => Emergency::Rescue,
        "#police" => Emergency::Police,
        "#poison" => Emergency::Poison,
        "#violence" => Emergency::Violence,
        "#missing-child" => Emergency::MissingChild,
        "#suicide" => Emergency::Suicide,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_can_be_read_and_every_label_means_something() {
        for file in FILES {
            toml::from_str::<BTreeMap<String, Vec<String>>>(file).expect("valid");
        }
        let labels: BTreeSet<String> = sentences().into_iter().map(|example| example.label).collect();
        for label in labels {
            assert!(
                label == OUT_OF_SCOPE
                    || label == COMMAND
                    || labelled_command(&label).is_some()
                    || labelled_emergency(&label).is_some(),
                "{label}"
            );
        }
    }
}
