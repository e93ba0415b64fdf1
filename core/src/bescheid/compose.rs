//! From a case and a clerk's words to a letter: the order of its parts, the fee, the remedy. Every value comes from
//! the case or its service definition as filed; nothing is invented here.

use std::collections::BTreeMap;

use amtsbote_knowledge::{DecisionKind, FeeWhen, OfficeUnit, OutputKind, Service, localized};
use jiff::civil::Date;

use super::letter::{FeeLine, Letter, OfficeHead, Section, remedy_text};
use super::paper::PaperContent;
use crate::application::Application;
use crate::form;
use crate::texts::fill;

/// Who and where, for the head and the end of a letter.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// Name of the authority.
    pub office: &'a str,
    /// Its address.
    pub address: &'a str,
    /// Its telephone number.
    pub phone: &'a str,
    /// The unit of the service.
    pub unit: Option<&'a OfficeUnit>,
    /// The member of staff who answers for it.
    pub clerk: &'a str,
}

/// What the clerk starts from: outcome, operative sentences and reasons with the answers filled in.
pub fn prepared(case: &Application, outcome: &str, reasons: &[String]) -> PaperContent {
    let values = values(case);
    let filled = |text: &str| fill_answers(text, &values);
    match case.service.decision.outcomes.iter().find(|known| known.id == outcome) {
        Some(known) => PaperContent {
            outcome: known.id.clone(),
            tenor: vec![filled(&known.tenor)],
            reasons: known
                .reasons
                .iter()
                .filter(|block| reasons.contains(&block.id))
                .map(|block| filled(&block.text))
                .collect(),
        },
        None => PaperContent {
            outcome: String::new(),
            tenor: case.service.output.text.iter().map(|text| filled(text)).collect(),
            reasons: Vec::new(),
        },
    }
}

/// The text with the answers of the case in place of `{field_id}`.
pub fn fill_answers(text: &str, values: &BTreeMap<String, String>) -> String {
    let pairs: Vec<(&str, &str)> = values.iter().map(|(id, value)| (id.as_str(), value.as_str())).collect();
    fill(text, &pairs)
}

/// The answers as they stand in a letter. A letter is German, whatever the language of the conversation.
pub fn values(case: &Application) -> BTreeMap<String, String> {
    let mut values = form::displayed(&case.service, &case.answers, "de");
    for field in &case.service.fields {
        values.entry(field.id.clone()).or_insert_with(|| "–".to_owned());
    }
    values
}

/// The letter.
pub fn letter(case: &Application, content: &PaperContent, sender: Sender<'_>, date: Date) -> Letter {
    let service = &case.service;
    let decision = service.decision.kind != DecisionKind::None;
    let mut sections = Vec::new();
    let heading = match service.output.kind {
        OutputKind::Bescheid => "Entscheidung",
        OutputKind::Certificate => "Bescheinigung",
        OutputKind::Extract => "Auszug",
        OutputKind::Confirmation | OutputKind::None => "Bestätigung",
    };
    sections.push(Section { heading: heading.to_owned(), paragraphs: content.tenor.clone() });
    if !content.reasons.is_empty() {
        sections.push(Section { heading: "Begründung".to_owned(), paragraphs: content.reasons.clone() });
    }
    Letter {
        office: OfficeHead {
            name: sender.office.to_owned(),
            unit: sender.unit.map(|unit| unit.name.clone()).unwrap_or_default(),
            address: sender.unit.and_then(|unit| unit.address.clone()).unwrap_or(sender.address.to_owned()),
            phone: Some(sender.unit.and_then(|unit| unit.phone.clone()).unwrap_or(sender.phone.to_owned())),
        },
        addressee: addressee(case),
        reference: case.number.clone(),
        date,
        clerk: Some(sender.clerk.to_owned()),
        title: title(service),
        sections,
        fee: fee(service, case),
        fee_note: service.fee.as_ref().map(|fee| {
            let basis = format!("Rechtsgrundlage: {}.", fee.basis);
            match fee.when {
                FeeWhen::AtSubmission => format!("Die Gebühr wurde bei der Antragstellung erhoben. {basis}"),
                FeeWhen::AfterDecision => basis,
            }
        }),
        remedy: service
            .remedy
            .as_ref()
            .filter(|_| decision)
            .map(|remedy| remedy_text(remedy, service.procedure)),
        attachments: Vec::new(),
        signed_by: sender.clerk.to_owned(),
        closing: Some(
            "Dieses Schreiben wurde elektronisch erstellt und ist ohne Unterschrift gültig.".to_owned(),
        ),
        easy: None,
    }
}

fn title(service: &Service) -> String {
    if service.output.title.is_empty() {
        localized(&service.titles, "de").to_owned()
    } else {
        service.output.title.clone()
    }
}

/// Name and address from the fields that every form names alike; an anonymous case has no name.
fn addressee(case: &Application) -> Vec<String> {
    let answer = |id: &str| case.answers.get(id).map(String::as_str).unwrap_or_default();
    let name = format!("{} {}", answer("given_name"), answer("family_name")).trim().to_owned();
    let place = format!("{} {}", answer("postcode"), answer("city")).trim().to_owned();
    let lines: Vec<String> =
        [name, answer("street").to_owned(), place].into_iter().filter(|line| !line.is_empty()).collect();
    // A letter needs an addressee; who reported without a name is addressed as such.
    if lines.is_empty() { vec!["An die antragstellende Person".to_owned()] } else { lines }
}

fn fee(service: &Service, case: &Application) -> Vec<FeeLine> {
    let Some(fee) = &service.fee else { return Vec::new() };
    fee.items
        .iter()
        .filter(|item| item.only_if.as_ref().is_none_or(|condition| condition.holds(&case.answers)))
        .map(|item| FeeLine { label: localized(&item.label, "de").to_owned(), cents: item.cents })
        .collect()
}
