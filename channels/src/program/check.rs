//! `amtsbote check`: everything that is data, judged without starting the office.

use std::path::Path;
use std::process::ExitCode;

use amtsbote_core::clock::Clock;
use amtsbote_core::texts::Texts;
use amtsbote_knowledge::{Severity, Sources, check_sources};

/// Checks the catalogue (carried, or of a folder) and the sentences.
pub fn run(folder: Option<&Path>) -> anyhow::Result<ExitCode> {
    let sources = match folder {
        Some(folder) => match Sources::folder(folder) {
            Ok(sources) => sources,
            Err(findings) => {
                for finding in findings {
                    println!("{finding}");
                }
                return Ok(ExitCode::from(1));
            }
        },
        None => Sources::embedded(),
    };
    let findings = check_sources(&sources, Clock::System.now().date());
    for finding in &findings {
        println!("{finding}");
    }
    let gaps = Texts::embedded()?.gaps();
    for gap in &gaps {
        println!("Fehler: {gap}");
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count() + gaps.len();
    let hints = findings.len() + gaps.len() - errors;
    println!("{} Leistungen geprüft: {errors} Fehler, {hints} Hinweise.", sources.services.len());
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
