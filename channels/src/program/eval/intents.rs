//! `amtsbote eval intents`: label, tab, text. Without `--train` the whole reading of the office is measured, as a first
//! message gets it; with it a classifier that knows that file alone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use amtsbote_core::config::Config;
use amtsbote_core::knowledge::{Knowledge, OUT_OF_SCOPE};
use amtsbote_core::understand::{Example, Guess, Match, Model, Understood};
use clap::Args;

use super::{Times, count, read, rows, share};

/// Files of `eval intents`.
#[derive(Debug, Clone, Args)]
pub struct Intents {
    /// Sentences to learn from (label, tab, text) instead of the catalogue.
    #[arg(long)]
    train: Option<PathBuf>,
    /// Sentences to ask for (label, tab, text).
    #[arg(long)]
    test: PathBuf,
    /// Prints every wrong answer on standard error.
    #[arg(long)]
    wrong: bool,
}

/// How a label did.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    right: usize,
    missed: usize,
    claimed: usize,
}

pub(super) fn run(options: &Intents, config: &Config) -> anyhow::Result<ExitCode> {
    let text = read(&options.test)?;
    let questions = rows(&options.test, &text, 2)?;
    let Some(train) = &options.train else {
        let mut training = Times::default();
        let knowledge = training.take(|| Knowledge::trained(config))?;
        let classify = |text: &str| {
            knowledge.classifier.as_ref().map(|model| model.classify(text, 3)).unwrap_or_default()
        };
        measure(
            options,
            &questions,
            |text| labels(&Understood::of(text, &knowledge)),
            classify,
            &mut training,
        );
        return Ok(ExitCode::SUCCESS);
    };
    let learnt = read(train)?;
    let examples: Vec<Example> = rows(train, &learnt, 2)?
        .into_iter()
        .map(|row| Example { label: row[0].to_owned(), text: row[1].to_owned(), plain: true })
        .collect();
    let mut training = Times::default();
    let model = training.take(|| Model::train(&examples))?;
    let answer = |text: &str| -> (Vec<String>, bool) {
        (model.classify(text, 3).into_iter().map(|guess| guess.label).collect(), true)
    };
    measure(options, &questions, answer, |text: &str| model.classify(text, 3), &mut training);
    Ok(ExitCode::SUCCESS)
}

/// What the office would do with a first message: its label, then the other services that it would offer, and whether it
/// would answer rather than ask which one is meant.
fn labels(read: &Understood) -> (Vec<String>, bool) {
    let label = read.label().to_owned();
    let others = read.service.hits().iter().map(|hit| hit.service_id.clone()).filter(|id| *id != label);
    let asks = matches!(read.service, Match::Unsure(_)) && !label.starts_with('#');
    (std::iter::once(label.clone()).chain(others).collect(), !asks)
}

fn measure(
    options: &Intents,
    questions: &[Vec<&str>],
    answer: impl Fn(&str) -> (Vec<String>, bool),
    classify: impl Fn(&str) -> Vec<Guess>,
    training: &mut Times,
) {
    let (mut times, mut readings) = (Times::default(), Times::default());
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut right, mut among_three, mut outside, mut accepted, mut doubted) = (0, 0, 0, 0, 0);
    for row in questions {
        let (label, text) = (row[0], row[1]);
        times.take(|| classify(text));
        let (labels, sure) = readings.take(|| answer(text));
        let first = labels.first().map_or(OUT_OF_SCOPE, String::as_str);
        right += usize::from(first == label);
        among_three += usize::from(first == label || labels.iter().take(3).any(|found| found == label));
        if label == OUT_OF_SCOPE {
            outside += 1;
            accepted += usize::from(first != OUT_OF_SCOPE && sure);
            doubted += usize::from(first != OUT_OF_SCOPE && !sure);
        }
        if first == label {
            tallies.entry(label.to_owned()).or_default().right += 1;
        } else {
            tallies.entry(label.to_owned()).or_default().missed += 1;
            tallies.entry(first.to_owned()).or_default().claimed += 1;
            if options.wrong {
                eprintln!("{label}\t{}\t{text}", labels.join(", "));
            }
        }
    }
    let asked: Vec<&Tally> = tallies.values().filter(|tally| tally.right + tally.missed > 0).collect();
    let f1: f64 = asked
        .iter()
        .map(|tally| 2.0 * count(tally.right) / count(2 * tally.right + tally.missed + tally.claimed))
        .sum();
    println!(
        "{}",
        serde_json::json!({
            "eval": "intents",
            "n": questions.len(),
            "accuracy": share(count(right), questions.len()),
            "top3": share(count(among_three), questions.len()),
            "false_accept": share(count(accepted), outside),
            "asked_back_out_of_scope": share(count(doubted), outside),
            "macro_f1": share(f1, asked.len()),
            "p50_us": times.percentile(50),
            "p99_us": times.percentile(99),
            "reading_p50_us": readings.percentile(50),
            "reading_p99_us": readings.percentile(99),
            "train_seconds": (training.percentile(0) / 1e4).round() / 100.0,
        })
    );
}
