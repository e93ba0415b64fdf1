//! Commands to the assistant itself: back, cancel, status, a person, another language … A command counts
//! only if it is the whole message (politeness aside), so that an answer such as "Zurückweg 3" stays an
//! answer. What a command does is the dialogue's affair.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::language::Tongue;
use crate::normal::{normalise, tokens};
use crate::pattern::{Pattern, PatternError, Sets, parse_all};

/// Longer messages are no commands.
const MOST_WORDS: usize = 16;

/// What a message tells the assistant to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// One step back.
    Back,
    /// Leave the form.
    Cancel,
    /// Go on another time; keep everything.
    Pause,
    /// Go on with what was begun.
    Resume,
    /// Talk to a person.
    Human,
    /// How far an application is.
    Status,
    /// Take an application back.
    Withdraw,
    /// What to do here.
    Help,
    /// Say the last thing again.
    Repeat,
    /// Show what was entered so far.
    Review,
    /// Leave this question out.
    Skip,
    /// The person does not know the answer.
    DontKnow,
    /// The answer or document will follow.
    Later,
    /// Send the application.
    Submit,
    /// No more messages.
    Stop,
    /// Delete my data.
    EraseData,
    /// What data are held about me.
    MyData,
    /// Hello.
    Greeting,
    /// Thank you.
    Thanks,
    /// Goodbye.
    Goodbye,
    /// Begin anew.
    Restart,
    /// What can be done here.
    Services,
    /// Log in with BundID.
    Login,
    /// Who or what is speaking.
    WhoAreYou,
    /// Switch to Leichte Sprache.
    EasyLanguage,
    /// Switch back from Leichte Sprache.
    StandardLanguage,
    /// Switch to a language.
    Language(Tongue),
}

static COMMANDS: LazyLock<Commands> =
    LazyLock::new(|| Commands::parse(include_str!("../examples/commands.toml")).unwrap_or_default());

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    filler: Vec<String>,
    sets: Sets,
    command: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    command: Command,
    phrases: Vec<String>,
    #[serde(default)]
    exact: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Form(#[from] toml::de::Error),
    #[error(transparent)]
    Line(#[from] PatternError),
}

#[derive(Debug, Default)]
struct Commands {
    filler: BTreeSet<String>,
    /// Lines that must be the message word for word.
    word_for_word: Vec<(Command, Vec<Pattern>)>,
    /// Lines that must be the message once the filler words are gone.
    without_filler: Vec<(Command, Vec<Pattern>)>,
}

impl Commands {
    fn parse(list: &str) -> Result<Self, ListError> {
        let file: File = toml::from_str(list)?;
        let filler: BTreeSet<String> = file.filler.iter().map(|word| normalise(word)).collect();
        let mut commands = Self { filler, ..Self::default() };
        for entry in file.command {
            let bare: Vec<String> =
                entry.phrases.iter().filter_map(|line| commands.bare_line(line)).collect();
            let mut exact = parse_all(&entry.exact, &file.sets)?;
            exact.extend(parse_all(&entry.phrases, &file.sets)?);
            commands.word_for_word.push((entry.command, exact));
            commands.without_filler.push((entry.command, parse_all(&bare, &file.sets)?));
        }
        Ok(commands)
    }

    /// A line without the words that are dropped from messages too; `None` if nothing is left.
    fn bare_line(&self, line: &str) -> Option<String> {
        let kept: Vec<&str> =
            line.split_whitespace().filter(|word| !self.filler.contains(&normalise(word))).collect();
        (!kept.is_empty()).then(|| kept.join(" "))
    }

    fn find(&self, text: &str) -> Option<Command> {
        let words = tokens(text);
        if words.is_empty() || words.len() > MOST_WORDS {
            return None;
        }
        let of = |lists: &[(Command, Vec<Pattern>)], words: &[String]| {
            lists
                .iter()
                .find(|(_, lines)| lines.iter().any(|line| line.is_all_of(words)))
                .map(|(command, _)| *command)
        };
        of(&self.word_for_word, &words).or_else(|| {
            let bare: Vec<String> =
                words.into_iter().filter(|word| !self.filler.contains(word.as_str())).collect();
            of(&self.without_filler, &bare)
        })
    }
}

/// The phrases of the list as a person would write them, for learning: of words with a choice the first one, without the
/// lines that need a set or a number.
pub(crate) fn plain_phrases() -> Vec<(Command, String)> {
    let Ok(file) = toml::from_str::<File>(include_str!("../examples/commands.toml")) else {
        return Vec::new();
    };
    let lines = file.command.into_iter().flat_map(|entry| {
        let command = entry.command;
        entry.phrases.into_iter().chain(entry.exact).map(move |line| (command, line))
    });
    lines
        .filter(|(_, line)| !line.contains(['$', '_', '#', '*', '.']))
        .map(|(command, line)| {
            let words = line.split_whitespace().filter(|word| !word.ends_with('?'));
            let words = words.map(|word| word.split('/').next().unwrap_or_default());
            (command, words.collect::<Vec<_>>().join(" "))
        })
        .collect()
}

/// The command that the whole message is, if it is one.
pub fn command(text: &str) -> Option<Command> {
    COMMANDS.find(text)
}

#[cfg(test)]
mod tests;
