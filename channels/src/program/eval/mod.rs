//! `amtsbote eval`: how well the program understands and finds, measured on files of one's own; one JSON line each. It
//! changes nothing, and nothing it is given here ever reaches a model of the office.

mod intents;
mod search;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Subcommand;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
pub enum Eval {
    /// Which service or command a sentence asks for.
    Intents(intents::Intents),
    /// Which record of a collection answers a question.
    Search(search::Search),
}

/// Runs the command.
pub fn run(options: &Eval, config: &amtsbote_core::config::Config) -> anyhow::Result<ExitCode> {
    match options {
        Eval::Intents(options) => intents::run(options, config),
        Eval::Search(options) => search::run(options),
    }
}

/// Rows of a file with tabs, without empty lines; `columns` are needed in each.
fn rows<'a>(file: &Path, text: &'a str, columns: usize) -> anyhow::Result<Vec<Vec<&'a str>>> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row: Vec<&str> = line.splitn(columns, '\t').map(str::trim).collect();
        anyhow::ensure!(
            row.len() == columns,
            "{} line {}: {} columns divided by tabs are needed",
            file.display(),
            number + 1,
            columns
        );
        rows.push(row);
    }
    anyhow::ensure!(!rows.is_empty(), "{} is empty", file.display());
    Ok(rows)
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} is not readable", file.display()))
}

/// A part of a whole, 0 to 1, with four digits.
fn share(part: f64, whole: usize) -> f64 {
    let whole = f64::from(u32::try_from(whole).unwrap_or(u32::MAX));
    if whole > 0.0 { (part / whole * 10_000.0).round() / 10_000.0 } else { 0.0 }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Times of single calls, in microseconds.
#[derive(Debug, Default)]
struct Times(Vec<f64>);

impl Times {
    #[expect(clippy::disallowed_methods, reason = "a measurement asks the machine itself")]
    fn take<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = call();
        self.0.push(start.elapsed().as_secs_f64() * 1e6);
        result
    }

    /// The time that `percent` of all calls stayed below.
    fn percentile(&mut self, percent: usize) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).map_or(0.0, |time| (time * 10.0).round() / 10.0)
    }
}
