//! Rendering a letter as it goes out: two pages with a decision, reasons, fee, remedy and plain words, both PDF forms.

use std::path::PathBuf;
use std::time::Duration;

use amtsbote_core::bescheid::letter::{FeeLine, Letter, OfficeHead, Section, remedy_text, render};
use amtsbote_knowledge::Catalogue;
use anyhow::Context;
use clap::Args;
use jiff::civil::date;
use serde_json::{Value, json};

use super::{machine, millis, moment, spread};

/// Letters that are timed.
const LETTERS: usize = 50;

/// What becomes of the letters.
#[derive(Debug, Clone, Args)]
pub struct Bescheid {
    /// Writes the last letter (PDF/UA-1) to this file, to look at it.
    #[arg(long)]
    pub save: Option<PathBuf>,
}

/// Runs the bench.
pub fn run(options: &Bescheid) -> anyhow::Result<Value> {
    let first = moment();
    render(&letter(0)?)?;
    let first = first.elapsed();
    for number in 1..4 {
        render(&letter(number)?)?;
    }
    let mut times: Vec<Duration> = Vec::with_capacity(LETTERS);
    let mut bytes = 0;
    for number in 0..LETTERS {
        // Every letter is another one: nothing is answered from a memory of the last.
        let letter = letter(100 + number)?;
        let start = moment();
        let rendered = render(&letter)?;
        times.push(start.elapsed());
        bytes = rendered.accessible.len() + rendered.archive.len();
        if let (Some(file), true) = (&options.save, number + 1 == LETTERS) {
            std::fs::write(file, &rendered.accessible)?;
        }
    }
    times.sort_unstable();
    Ok(json!({
        "bench": "bescheid", "machine": machine(), "first_ms": millis(first),
        "median_ms": millis(times[LETTERS / 2]), "p99_ms": millis(times[LETTERS - 1]),
        "forms": ["PDF/UA-1", "PDF/A-2a"], "bytes_of_both": bytes, "times": spread(&mut times),
    }))
}

/// A realistic letter of two pages, to a made-up person.
fn letter(number: usize) -> anyhow::Result<Letter> {
    let catalogue = Catalogue::embedded().ok().context("the catalogue has errors: amtsbote check")?;
    let service = catalogue.get("fuehrerschein-umtausch").context("the service is gone")?;
    let remedy = service.remedy.as_ref().map(|remedy| remedy_text(remedy, service.procedure));
    let decision = format!(
        "Ihr Führerschein der Klassen A1, B, BE und L, ausgestellt am 12.05.1998 von der Stadt Musterstadt, Nummer \
         {number}, wird in einen Kartenführerschein umgetauscht. Der bisherige Führerschein wird mit der Aushändigung \
         des neuen ungültig und ist abzugeben."
    );
    let reasons = [
        "Ihr Führerschein wurde am 12.05.1998 ausgestellt. Führerscheine, die vor dem 19. Januar 2013 ausgestellt \
         wurden, sind nach § 24a und Anlage 8e der Fahrerlaubnis-Verordnung (FeV) umzutauschen.",
        "Die erforderlichen Unterlagen liegen vollständig vor. Das Lichtbild entspricht den Vorgaben der \
         Passverordnung. Ihre Angaben stimmen mit dem örtlichen Fahrerlaubnisregister überein; Art und Umfang Ihrer \
         Fahrerlaubnis ändern sich durch den Umtausch nicht. Einträge über Beschränkungen und Zusatzangaben werden \
         unverändert übernommen.",
        "Für den Umtausch wird eine Gebühr nach der Gebührenordnung für Maßnahmen im Straßenverkehr (GebOSt) erhoben. \
         Sie haben die Gebühr bereits bei der Antragstellung bezahlt. Die Kosten des Versands tragen Sie, weil Sie \
         die Zustellung an Ihre Anschrift gewählt haben.",
        "Der Kartenführerschein ist auf 15 Jahre befristet. Die Befristung betrifft nur das Dokument, nicht Ihre \
         Fahrerlaubnis. Bitte beantragen Sie rechtzeitig vor Ablauf ein neues Dokument.",
    ];
    let text = |text: &str| text.to_owned();
    Ok(Letter {
        office: OfficeHead {
            name: text("Kreis Paderborn"),
            unit: text("Straßenverkehrsamt"),
            address: text("Aldegreverstraße 10–14, 33102 Paderborn"),
            phone: Some(text("115")),
        },
        addressee: vec![text("Erika Musterfrau"), format!("Musterweg {number}"), text("33098 Paderborn")],
        reference: format!("36-{number:06}"),
        date: date(2026, 11, 24),
        clerk: Some(text("Jonas Sachbearbeiter")),
        title: text("Bescheid über den Umtausch Ihres Führerscheins"),
        sections: vec![
            Section { heading: text("Entscheidung"), paragraphs: vec![decision] },
            Section {
                heading: text("Begründung"),
                paragraphs: reasons.iter().map(|part| text(part)).collect(),
            },
        ],
        fee: vec![
            FeeLine { label: text("Umtausch des Führerscheins"), cents: 2530 },
            FeeLine { label: text("Versand an Ihre Anschrift"), cents: 510 },
        ],
        fee_note: Some(text("Die Gebühr ist bezahlt.")),
        remedy,
        attachments: vec![text("Merkblatt zum Umtausch")],
        signed_by: text("Im Auftrag\nJonas Sachbearbeiter"),
        closing: Some(text("Dieses Schreiben wurde elektronisch erstellt und ist ohne Unterschrift gültig.")),
        easy: None,
    })
}
