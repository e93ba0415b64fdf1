//! `amtsbote eval search`: ranks the records of a file for the questions of another, with the search of the office.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use amtsbote_knowledge::{Record, RecordKind, Search as Index};
use anyhow::Context;
use clap::Args;
use serde::Deserialize;

use super::{Times, count, read, rows, share};

/// Files of `eval search`.
#[derive(Debug, Clone, Args)]
pub struct Search {
    /// Records, a JSON object a line: id, title, text.
    #[arg(long)]
    collection: PathBuf,
    /// Questions: id of the wanted record, tab, text.
    #[arg(long)]
    queries: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    title: String,
    #[serde(default)]
    text: String,
}

pub(super) fn run(options: &Search) -> anyhow::Result<ExitCode> {
    let collection = read(&options.collection)?;
    let mut records = Vec::new();
    for (number, line) in collection.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line)
            .with_context(|| format!("{} line {}", options.collection.display(), number + 1))?;
        records.push(Record {
            id: line.id,
            kind: RecordKind::Article,
            title: line.title,
            names: Vec::new(),
            text: line.text,
            more: String::new(),
            source: String::new(),
            checked_on: String::new(),
        });
    }
    let known: BTreeSet<String> = records.iter().map(|record| record.id.clone()).collect();
    let all = records.len();
    let index = Index::build(records)?;
    let text = read(&options.queries)?;
    let questions = rows(&options.queries, &text, 2)?;
    let mut times = Times::default();
    let mut ranks = Vec::new();
    for row in &questions {
        anyhow::ensure!(
            known.contains(row[0]),
            "{}: there is no record {:?}",
            options.queries.display(),
            row[0]
        );
        let found = times.take(|| index.find(row[1], 10));
        // Beyond the tenth place only the reciprocal rank asks further; that is not timed.
        let place = found.iter().position(|found| found.id == row[0]);
        let place = place.or_else(|| index.find(row[1], all).iter().position(|found| found.id == row[0]));
        ranks.push(place);
    }
    let within = |limit: usize| {
        share(count(ranks.iter().flatten().filter(|place| **place < limit).count()), ranks.len())
    };
    let reciprocal: f64 = ranks.iter().flatten().map(|place| 1.0 / (count(*place) + 1.0)).sum();
    println!(
        "{}",
        serde_json::json!({
            "eval": "search",
            "n": ranks.len(),
            "records": all,
            "hit_at_1": within(1),
            "hit_at_3": within(3),
            "hit_at_10": within(10),
            "mrr": share(reciprocal, ranks.len()),
            "p50_us": times.percentile(50),
            "p99_us": times.percentile(99),
        })
    );
    Ok(ExitCode::SUCCESS)
}
