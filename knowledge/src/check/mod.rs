//! Judges the data files of the catalogue: what is wrong, in which line, at which key, and how to mend it.
//! It changes nothing and stops at nothing: a file is read to its end, so that one run shows all mistakes.
//!
//! Findings speak German, because the people who keep the files are the units of the district.

mod form;
mod law;
mod shape;
mod stage;
#[cfg(test)]
mod tests;
mod wording;

pub(crate) use law::iso_date;

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;

use crate::article::{Glossary, read_article};
use crate::catalogue::Sources;
use crate::office::Offices;
use crate::service::{Service, Stage};
use shape::Document;

/// One mistake in a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File as it was named to the check.
    pub file: String,
    /// Line, counted from 1; 0 = the file as a whole.
    pub line: usize,
    /// Key with its place, list elements by their id: `fields.given_name.example`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub mend: String,
    /// Whether the file can be used all the same.
    pub severity: Severity,
}

/// Weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; the catalogue works.
    Warning,
    /// The catalogue is refused.
    Error,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Warning => "Hinweis",
            Severity::Error => "Fehler",
        };
        write!(f, "{}:{}: {word}: {}: {} → {}", self.file, self.line, self.key, self.problem, self.mend)
    }
}

/// A definition that has its shape, with the document that it was read from.
pub(crate) struct Read {
    pub(crate) service: Service,
    document: Document,
}

/// Collects findings of one document.
struct Report<'a> {
    document: &'a Document,
    findings: Vec<Finding>,
}

impl Report<'_> {
    fn error(&mut self, path: &str, problem: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(self.document.finding(path, problem.into(), mend.into(), Severity::Error));
    }

    fn warning(&mut self, path: &str, problem: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(self.document.finding(path, problem.into(), mend.into(), Severity::Warning));
    }
}

/// Everything that is wrong with one service definition. `name` is the file name without folder; `today`
/// judges the dates of checks.
pub fn check_file(name: &str, text: &str, offices: &Offices, today: Date) -> Vec<Finding> {
    match read_service(name, text) {
        Ok(read) => judge(&read, offices, Some(today)),
        Err(findings) => findings,
    }
}

/// Everything that is wrong with a whole catalogue, errors and warnings, in the order of files and lines.
pub fn check_sources(sources: &Sources, today: Date) -> Vec<Finding> {
    let (offices, mut findings) = match read_offices(&sources.offices) {
        Ok(offices) => {
            let found = judge_offices(&sources.offices, &offices, today);
            (offices, found)
        }
        Err(found) => (Offices::default(), found),
    };
    let mut phrases: BTreeMap<String, String> = BTreeMap::new();
    for (name, text) in &sources.services {
        match read_service(name, text) {
            Ok(read) => {
                findings.extend(judge(&read, &offices, Some(today)));
                let mut report = Report { document: &read.document, findings: Vec::new() };
                wording::phrases_shared(&mut report, &read.service, &mut phrases);
                stage::instead_exists(&mut report, &read.service, sources);
                findings.append(&mut report.findings);
            }
            Err(found) => findings.extend(found),
        }
    }
    for (name, text) in &sources.articles {
        findings.extend(read_article(name, text).err().into_iter().flatten());
    }
    findings.extend(read_glossary(&sources.glossary).err().into_iter().flatten());
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    findings
}

/// Reads a definition, or says why it has no shape.
pub(crate) fn read_service(name: &str, text: &str) -> Result<Read, Vec<Finding>> {
    let (service, document) = shape::read(name, text)?;
    Ok(Read { service, document })
}

/// Reads the list of units, or says why it has no shape.
pub(crate) fn read_offices(text: &str) -> Result<Offices, Vec<Finding>> {
    shape::read::<Offices>(OFFICES_FILE, text).map(|(offices, _)| offices)
}

/// Reads the glossary, or says why it has no shape; no text is an empty one.
pub(crate) fn read_glossary(text: &str) -> Result<Glossary, Vec<Finding>> {
    shape::read::<Glossary>("glossary.toml", text).map(|(glossary, _)| glossary)
}

const OFFICES_FILE: &str = "offices.toml";

/// Judges a definition that has its shape. Without `today` the dates are read but not compared.
pub(crate) fn judge(read: &Read, offices: &Offices, today: Option<Date>) -> Vec<Finding> {
    let mut report = Report { document: &read.document, findings: Vec::new() };
    let service = &read.service;
    law::identity(&mut report, service, offices);
    law::facts(&mut report, service, today);
    match service.stage {
        Stage::Online => {
            stage::complete(&mut report);
            law::fee(&mut report, service);
            law::trust(&mut report, service);
            law::decision(&mut report, service);
            law::remedy(&mut report, service);
            law::periods(&mut report, service);
            form::fields(&mut report, service);
            form::documents(&mut report, service);
        }
        Stage::Information | Stage::Referral => stage::told_only(&mut report, service),
    }
    stage::referral(&mut report, service, offices);
    wording::languages(&mut report, service);
    wording::promises(&mut report, service);
    wording::placeholders(&mut report, service);
    wording::search_words(&mut report, service);
    report.findings.sort_by_key(|finding| finding.line);
    report.findings
}

fn judge_offices(text: &str, offices: &Offices, today: Date) -> Vec<Finding> {
    let Ok((_, document)) = shape::read::<Offices>(OFFICES_FILE, text) else { return Vec::new() };
    let mut report = Report { document: &document, findings: Vec::new() };
    for (index, unit) in offices.office.iter().enumerate() {
        let path = format!("office.{index}");
        if offices.office.iter().filter(|other| other.id == unit.id).count() > 1 {
            report.error(
                &format!("{path}.id"),
                "Diese Kennung gibt es zweimal.",
                "Geben Sie jeder Stelle eine eigene Kennung.",
            );
        }
        if unit.source.trim().is_empty() {
            report.error(
                &format!("{path}.source"),
                "Die Quelle fehlt.",
                "Nennen Sie die Seite oder das Papier, in dem die Angabe steht.",
            );
        }
        law::checked_on(&mut report, &format!("{path}.checked_on"), &unit.checked_on, Some(today));
    }
    report.findings
}
