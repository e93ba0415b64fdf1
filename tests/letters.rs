//! A Bescheid as the whole program makes it, looked at by other programs: `qpdf` for its structure, `pdftotext` for
//! what a reader sees, and our own checker for tags, fonts and markers.

use std::io::Write;
use std::process::Command;

use amtsbote_core::bescheid::letter::{FeeLine, Letter, OfficeHead, Section, remedy_text, render};
use amtsbote_core::bescheid::pdf_check::{Standard, check};
use amtsbote_knowledge::Catalogue;
use jiff::civil::date;

fn letter() -> Letter {
    let catalogue = Catalogue::embedded().expect("catalogue");
    let service = catalogue.get("fuehrerschein-umtausch").expect("service");
    let remedy = service.remedy.as_ref().expect("remedy");
    Letter {
        office: OfficeHead {
            name: "Kreis Paderborn".to_owned(),
            unit: "Straßenverkehrsamt (Amt 36)".to_owned(),
            address: "An der Talle 7, Paderborn".to_owned(),
            phone: Some("115".to_owned()),
        },
        addressee: vec!["Mehmet Beispiel".to_owned(), "Beispielgasse 3".to_owned(), "33142 Büren".to_owned()],
        reference: "ABCD2345".to_owned(),
        date: date(2026, 11, 25),
        clerk: Some("Anna Amt".to_owned()),
        title: "Bescheid über den Umtausch Ihres Führerscheins".to_owned(),
        sections: vec![
            Section {
                heading: "Entscheidung".to_owned(),
                paragraphs: vec!["Ihrem Antrag wird entsprochen.".to_owned()],
            },
            Section {
                heading: "Begründung".to_owned(),
                paragraphs: vec!["Der Führerschein wurde 1988 ausgestellt.".to_owned(); 40],
            },
        ],
        fee: vec![FeeLine { label: "Umtausch".to_owned(), cents: 2530 }],
        fee_note: None,
        remedy: Some(remedy_text(remedy, service.procedure)),
        attachments: vec!["Merkblatt".to_owned()],
        signed_by: "Anna Amt".to_owned(),
        closing: None,
        easy: Some(vec!["Sie bekommen einen neuen Führerschein.".to_owned()]),
    }
}

fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn both_copies_are_sound_for_other_programs() {
    let rendered = render(&letter()).expect("renders");
    for (bytes, standard) in [(&rendered.accessible, Standard::PdfUa1), (&rendered.archive, Standard::PdfA2a)]
    {
        assert_eq!(check(bytes, standard), Vec::<String>::new());
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(bytes).expect("writes");
        let path = file.path().display().to_string();
        assert!(run("qpdf", &["--check", &path]).0, "qpdf --check");
        let (_, info) = run("pdfinfo", &[&path]);
        assert!(info.lines().any(|line| line.starts_with("Tagged:") && line.ends_with("yes")), "{info}");
        let (_, text) = run("pdftotext", &["-layout", &path, "-"]);
        for words in [
            "Mehmet Beispiel",
            "ABCD2345",
            "25,30",
            "Rechtsbehelfsbelehrung",
            "Verwaltungsgericht Minden",
            "Seite 1 von",
        ] {
            assert!(text.contains(words), "{words:?} is missing in:\n{text}");
        }
        assert!(
            !text.contains("drei Tage") && !text.contains("vier Tage"),
            "the instruction names a fiction"
        );
    }
}

#[test]
fn the_same_letter_has_the_same_bytes() {
    let (first, second) = (render(&letter()).expect("renders"), render(&letter()).expect("renders"));
    assert!(first.accessible == second.accessible && first.archive == second.archive);
}
