//! What a citizen takes away: the copy of what was filed (§ 9a(4) OZG), the proof of a payment. Set as PDF/UA-1 in the
//! language of the reader. It decides nothing and addresses nobody, so other scripts than Latin do not stop it: what the
//! fonts lack is shown as `[?]`, with a note, and stays whole with the office.

use jiff::civil::Date;
use serde::Serialize;
use typst_pdf::PdfStandard;

use super::letter::{FeeData, FeeLine, OfficeData, OfficeHead, euros};
use super::print_text::Cleaner;
use super::typeset::{self, RenderError};
use super::world::Template;
use crate::texts::Texts;

/// Stands for characters that the fonts do not have.
const UNPRINTABLE: &str = "[?]";

/// A record. All values are plain text: markup in them is printed as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who gives it.
    pub office: OfficeHead,
    /// Language tag of the reader (`de`, `de-simple`, `en`).
    pub language: String,
    /// Number of the case.
    pub reference: String,
    /// Its day, in Europe/Berlin: of the receipt or of the payment, never of the download.
    pub date: Date,
    /// What it is; also the title of the PDF.
    pub title: String,
    /// Sentences below the title.
    pub lead: Vec<String>,
    /// What matters most: (name, value).
    pub facts: Vec<(String, String)>,
    /// Its parts.
    pub sections: Vec<RecordSection>,
    /// Heading of the table of amounts, and its lines; no lines = no table.
    pub amounts: (String, Vec<FeeLine>),
    /// Sentences at the end.
    pub closing: Vec<String>,
}

/// A part of a record under a heading of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordSection {
    /// The heading.
    pub heading: String,
    /// (name, value).
    pub rows: Vec<(String, String)>,
    /// Paragraphs; a line break within one is kept.
    pub paragraphs: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Data {
    office: OfficeData,
    lang: &'static str,
    region: &'static str,
    reference: String,
    reference_label: String,
    page_word: String,
    of_word: String,
    phone_word: String,
    title: String,
    lead: Vec<String>,
    facts: Vec<RowData>,
    sections: Vec<SectionData>,
    amounts_heading: String,
    amounts_head_1: String,
    amounts_head_2: String,
    amounts: Vec<FeeData>,
    total_label: String,
    total: String,
    closing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RowData {
    label: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct SectionData {
    heading: String,
    rows: Vec<RowData>,
    paragraphs: Vec<String>,
}

/// Sets the record. Equal records give equal bytes.
pub fn render(record: &Record, texts: &Texts) -> Result<Vec<u8>, RenderError> {
    let [pdf] = typeset::pdf(Template::Record, &Data::of(record, texts), record.date, [PdfStandard::Ua_1])?;
    Ok(pdf)
}

impl Data {
    fn of(record: &Record, texts: &Texts) -> Self {
        let word = |key| texts.get(&record.language, key).to_owned();
        let (lang, region) = if record.language.starts_with("de") { ("de", "DE") } else { ("en", "GB") };
        let mut text = Cleaner::with_substitute(UNPRINTABLE);
        let rows = |text: &mut Cleaner, rows: &[(String, String)]| -> Vec<RowData> {
            rows.iter()
                .map(|(label, value)| RowData { label: text.line(label), value: text.paragraph(value) })
                .collect()
        };
        let (amounts_heading, amounts) = &record.amounts;
        let total = amounts.iter().fold(0_i64, |sum, line| sum.saturating_add(line.cents));
        let mut data = Self {
            office: OfficeData::of(&record.office, &mut text),
            lang,
            region,
            reference: text.line(&record.reference),
            reference_label: word("web.case_number"),
            page_word: word("record.page"),
            of_word: word("record.of"),
            phone_word: word("record.phone"),
            title: text.line(&record.title),
            lead: text.paragraphs(&record.lead),
            facts: rows(&mut text, &record.facts),
            sections: record
                .sections
                .iter()
                .map(|section| SectionData {
                    heading: text.line(&section.heading),
                    rows: rows(&mut text, &section.rows),
                    paragraphs: text.paragraphs(&section.paragraphs),
                })
                .collect(),
            amounts_heading: text.line(amounts_heading),
            amounts_head_1: word("web.pay_item"),
            amounts_head_2: word("web.pay_amount"),
            amounts: amounts.iter().map(|line| FeeData::of(line, &mut text)).collect(),
            total_label: word("web.pay_total"),
            total: euros(total),
            closing: text.paragraphs(&record.closing),
        };
        if text.unprintable().is_some() {
            data.closing.push(word("record.unprintable"));
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bescheid::pdf_check::{Standard, check};
    use jiff::civil::date;

    fn record(value: &str) -> Record {
        Record {
            office: OfficeHead {
                name: "Kreis Paderborn".to_owned(),
                unit: "Umweltamt".to_owned(),
                address: "Aldegreverstraße 10–14, 33102 Paderborn".to_owned(),
                phone: Some("115".to_owned()),
            },
            language: "de".to_owned(),
            reference: "ABCD2345".to_owned(),
            date: date(2026, 11, 26),
            title: "Kopie Ihrer Meldung".to_owned(),
            lead: vec!["So ist es angekommen.".to_owned()],
            facts: vec![("Eingegangen".to_owned(), "26.11.2026, 10:00 Uhr".to_owned())],
            sections: vec![RecordSection {
                heading: "Angaben".to_owned(),
                rows: vec![("Ort".to_owned(), value.to_owned()), ("Menge".to_owned(), "viel".to_owned())],
                paragraphs: Vec::new(),
            }],
            amounts: ("Gebühr".to_owned(), vec![FeeLine { label: "Auszug".to_owned(), cents: 3000 }]),
            closing: Vec::new(),
        }
    }

    #[test]
    fn whatever_people_wrote_becomes_a_sound_pdf() {
        let texts = Texts::embedded().expect("texts");
        let long = format!("{} Ende", "Donaudampfschifffahrt".repeat(40));
        let hostile = [
            "Waldweg 3",
            "#import \"x\" $a$ *fett* @ref <label> \\ `code` [x] {y}",
            "علي 👍 Ελλάδα 漢字",
            "\u{202e}rückwärts\u{202c} \u{0}\u{7}",
            long.as_str(),
            "Zeile 1\nZeile 2\n\nZeile 4",
            "",
        ];
        for value in hostile {
            let pdf = render(&record(value), &texts).unwrap_or_else(|error| panic!("{value:?}: {error}"));
            assert_eq!(check(&pdf, Standard::PdfUa1), Vec::<String>::new(), "{value:?}");
            assert!(pdf == render(&record(value), &texts).expect("again"), "{value:?}: other bytes");
        }
        let many = record(&"Ein Satz. ".repeat(1500));
        assert_eq!(check(&render(&many, &texts).expect("renders"), Standard::PdfUa1), Vec::<String>::new());
    }
}
