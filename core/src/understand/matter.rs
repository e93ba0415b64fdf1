//! Which service a text asks for: the classifier decides, the search helps out while there is no classifier. Rather a
//! question back than a wrong answer, and rather "I don't know" than a far-fetched question.

use amtsbote_intents::{
    Command, Emergency, Guess, Model, Strength, labelled_command, labelled_emergency, normalise,
};
use amtsbote_knowledge::{ANSWERS, Catalogue, RecordKind};

use crate::knowledge::Knowledge;

/// Least margin of a service over what is no service (see [`margin`]) at which it is answered at once, and at which a
/// question back is worth it. Set on sentences of writers who are not in the training data (`tests/evaluation`; figures in
/// the README).
const SURE: f32 = 0.7;
const ASK: f32 = -0.35;
/// Least lead of a service that is answered at once over the next service.
const LEAD: f32 = 0.25;
/// How much the best reading that is no service counts against a service, and the least that it can be.
const AGAINST: f32 = 0.5;
const USUAL_NO: f32 = -1.2;
/// Least confidence of a command in free words.
const COMMAND: f32 = 0.45;
/// Least lead of an emergency over every other reading at which it is taken for one, at which one or two words are, and at
/// which a line with the number stands below the answer.
const ALARM: f32 = 0.1;
const CERTAIN: f32 = 0.9;
const HINT: f32 = -0.35;
/// Shortest name that tells a service from others, in letters with a blank on either side.
const SHORTEST_NAME: usize = 8;
/// Guesses that score lower than the best service by more than this are not offered.
const NEAR_BEST: f32 = 0.9;
/// Most services that a question offers.
const MOST_OFFERED: usize = 3;
/// Guesses that are looked at.
const GUESSES: usize = 5;
/// Least letters of a part of a message that may be a matter of its own.
const PART_LETTERS: usize = 8;

/// A service that fits a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Id of the service.
    pub service_id: String,
    /// How likely it is meant, 0 to 1.
    pub score: f32,
}

/// What a text asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Match {
    /// This service is meant.
    Sure(Hit),
    /// Each of these is meant: several matters in one message.
    Several(Vec<Hit>),
    /// One of these may be meant, one to three, best first: ask.
    Unsure(Vec<Hit>),
    /// No service is meant, as far as words tell.
    Nothing,
}

impl Match {
    /// What becomes of it: `sure`, `several`, `ask` or `refuse`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sure(_) => "sure",
            Self::Several(_) => "several",
            Self::Unsure(_) => "ask",
            Self::Nothing => "refuse",
        }
    }

    /// The services, best first.
    pub fn hits(&self) -> &[Hit] {
        match self {
            Self::Sure(hit) => std::slice::from_ref(hit),
            Self::Several(hits) | Self::Unsure(hits) => hits,
            Self::Nothing => &[],
        }
    }

    /// What `text` asks for, given the guesses for all of it.
    fn of(text: &str, guesses: &[Guess], model: &Model) -> Self {
        let whole = judged(guesses);
        let parts: Vec<&str> = parts(text);
        if parts.len() < 2 {
            return whole;
        }
        let mut matters: Vec<Hit> = Vec::new();
        for part in parts {
            if let Self::Sure(hit) = judged(&model.classify(part, GUESSES))
                && matters.iter().all(|known| known.service_id != hit.service_id)
            {
                matters.push(hit);
            }
        }
        // Two matters are believed only if the whole speaks of both: a half sentence alone misleads.
        matters.retain(|hit| guesses.iter().any(|guess| guess.label == hit.service_id));
        if matters.len() > 1 { Self::Several(matters) } else { whole }
    }
}

/// What the classifier reads in a text: a service, a command or an emergency.
#[derive(Debug)]
pub(super) struct Learnt {
    pub(super) service: Match,
    pub(super) command: Option<Command>,
    pub(super) emergency: Option<(Emergency, Strength)>,
}

impl Learnt {
    pub(super) fn of(text: &str, knowledge: &Knowledge) -> Self {
        let Some(model) = &knowledge.classifier else {
            let service = by_name(by_search(text, knowledge), text, &knowledge.catalogue);
            return Self { service, command: None, emergency: None };
        };
        let guesses = model.classify(text, GUESSES);
        let best = guesses.first();
        let command =
            best.filter(|best| best.confidence >= COMMAND).and_then(|best| labelled_command(&best.label));
        let score = |wanted: bool| {
            let of_kind = guesses.iter().filter(|guess| labelled_emergency(&guess.label).is_some() == wanted);
            of_kind.map(|guess| guess.score).fold(USUAL_NO, f32::max)
        };
        let alarm = score(true) - score(false);
        let kind = guesses.iter().find_map(|guess| labelled_emergency(&guess.label));
        // One or two words are more often an answer than a cry for help; the word lists know the cries.
        let enough = if text.split_whitespace().count() < 3 { CERTAIN } else { ALARM };
        let emergency = match kind {
            Some(kind) if alarm >= enough => Some((kind, Strength::Strong)),
            Some(kind) if alarm >= HINT => Some((kind, Strength::Weak)),
            Some(_) | None => None,
        };
        let service = by_name(Match::of(text, &guesses, model), text, &knowledge.catalogue);
        Self { service, command, emergency }
    }
}

fn judged(guesses: &[Guess]) -> Match {
    let services: Vec<&Guess> = guesses.iter().filter(|guess| !guess.label.starts_with('#')).collect();
    let Some(best) = services.first() else { return Match::Nothing };
    let margin = margin(best, guesses);
    if margin < ASK {
        return Match::Nothing;
    }
    let hit = |guess: &&Guess| Hit { service_id: guess.label.clone(), score: guess.confidence };
    let lead = services.get(1).map_or(f32::MAX, |second| best.score - second.score);
    if margin >= SURE && lead >= LEAD {
        return Match::Sure(hit(best));
    }
    let near = services.iter().filter(|guess| best.score - guess.score <= NEAR_BEST);
    Match::Unsure(near.take(MOST_OFFERED).map(hit).collect())
}

/// Of services in doubt, the one whose whole name stands in the text, if none of the others is called by it too:
/// "Gesundheitszeugnis" is no "Tiergesundheitszeugnis".
fn by_name(found: Match, text: &str, catalogue: &Catalogue) -> Match {
    let Match::Unsure(hits) = &found else { return found };
    let padded = |text: &str| format!(" {} ", normalise(text));
    let said = padded(text);
    let names: Vec<Vec<String>> = hits
        .iter()
        .filter_map(|hit| catalogue.get(&hit.service_id))
        .map(|service| service.titles.values().chain(&service.synonyms).map(|name| padded(name)).collect())
        .collect();
    let mut only = hits.iter().zip(&names).enumerate().filter(|(place, (_, own))| {
        own.iter().any(|name| {
            let others = names.iter().enumerate().filter(|(other, _)| other != place);
            name.len() >= SHORTEST_NAME
                && said.contains(name.as_str())
                && !others.flat_map(|(_, names)| names).any(|other| other.contains(name.as_str()))
        })
    });
    match (only.next(), only.next()) {
        (Some((_, (hit, _))), None) => Match::Sure(hit.clone()),
        _ => found,
    }
}

/// How far a service's score stands above what speaks for no service at all.
fn margin(best: &Guess, guesses: &[Guess]) -> f32 {
    let others = guesses.iter().filter(|guess| guess.label.starts_with('#')).map(|guess| guess.score);
    best.score - AGAINST * others.fold(USUAL_NO, f32::max)
}

/// The parts of a message that may be matters of their own: around "und", "außerdem", and at the end of sentences.
fn parts(text: &str) -> Vec<&str> {
    const BETWEEN: [&str; 12] = [
        " und ",
        " außerdem ",
        " ausserdem ",
        " sowie ",
        " and ",
        ". ",
        "! ",
        "? ",
        "; ",
        "\n",
        " plus ",
        ", dann ",
    ];
    let mut parts = vec![text];
    for between in BETWEEN {
        parts = parts.into_iter().flat_map(|part| part.split(between)).collect();
    }
    parts.retain(|part| part.trim().chars().count() >= PART_LETTERS);
    if parts.len() > 6 { Vec::new() } else { parts }
}

fn by_search(text: &str, knowledge: &Knowledge) -> Match {
    let found = knowledge.search.find(text, MOST_OFFERED);
    let hits: Vec<Hit> = found
        .into_iter()
        .filter(|found| found.kind == RecordKind::Service && found.coverage >= ANSWERS)
        .map(|found| Hit { service_id: found.id, score: found.coverage })
        .collect();
    if hits.is_empty() { Match::Nothing } else { Match::Unsure(hits) }
}
