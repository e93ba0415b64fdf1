//! Sets a formal letter as PDF, twice from one layout: PDF/UA-1 for people and PDF/A-2a for the file, and
//! composes the instruction on remedies. Pure: equal letters give equal bytes. It does not decide, approve,
//! store or send anything, and it has no say in the wording beyond headings and labels.

use amtsbote_knowledge::{Procedure, Remedy, RemedyKind};
use jiff::civil::Date;
use serde::Serialize;
use typst_pdf::PdfStandard;

use super::print_text::Cleaner;
use super::typeset;
use super::world::Template;
use crate::clock::german_date;

pub use super::typeset::RenderError;

/// Everything that stands in a letter. All values are plain text: markup in them is printed as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who writes.
    pub office: OfficeHead,
    /// Lines of the address field: name, street, postcode and town. At least one.
    pub addressee: Vec<String>,
    /// File reference (Aktenzeichen).
    pub reference: String,
    /// Day of the letter, in Europe/Berlin.
    pub date: Date,
    /// Who answers questions ("Auskunft erteilt").
    pub clerk: Option<String>,
    /// The subject, e.g. "Bescheid über …"; also the title of the PDF.
    pub title: String,
    /// What is decided and why, in the order of reading (Entscheidung, Begründung).
    pub sections: Vec<Section>,
    /// Lines of the fee; empty = no table.
    pub fee: Vec<FeeLine>,
    /// How and until when to pay, on which norm it rests, or that nothing is to be paid.
    pub fee_note: Option<String>,
    /// Instruction on remedies, as [`remedy_text`] composes it; `None` for papers that decide nothing.
    pub remedy: Option<String>,
    /// Names of the enclosed papers.
    pub attachments: Vec<String>,
    /// Name of the responsible person, required by § 37(3) `VwVfG`, § 33(3) SGB X; a line break is kept.
    pub signed_by: String,
    /// Sentence below the name, e.g. that the letter is valid without a signature.
    pub closing: Option<String>,
    /// The letter in plain words, on a page of its own and marked as no part of it.
    pub easy: Option<Vec<String>>,
}

/// Head of the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeHead {
    /// The authority, e.g. "Kreis Paderborn".
    pub name: String,
    /// The responsible unit.
    pub unit: String,
    /// Street, postcode and town in one line.
    pub address: String,
    /// Telephone number for questions.
    pub phone: Option<String>,
}

/// A part of the letter under a heading of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// Its paragraphs; a line break within a paragraph is kept.
    pub paragraphs: Vec<String>,
}

/// One line of the fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeLine {
    /// What it is for.
    pub label: String,
    /// Amount in cents (EUR).
    pub cents: i64,
}

/// The finished letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// PDF/UA-1: readable by everybody, also with a screen reader. This one is sent.
    pub accessible: Vec<u8>,
    /// PDF/A-2a: for long keeping. This one goes into the file.
    pub archive: Vec<u8>,
}

/// Sets the letter. Equal letters give equal bytes, on every machine and in every thread.
pub fn render(letter: &Letter) -> Result<Rendered, RenderError> {
    let data = Data::of(letter)?;
    let [accessible, archive] =
        typeset::pdf(Template::Letter, &data, letter.date, [PdfStandard::Ua_1, PdfStandard::A_2a])?;
    Ok(Rendered { accessible, archive })
}

/// What the template reads; every text is cleaned.
#[derive(Debug, Serialize)]
struct Data {
    office: OfficeData,
    return_line: String,
    addressee: Vec<String>,
    reference: String,
    info: Vec<(&'static str, String)>,
    title: String,
    sections: Vec<SectionData>,
    fee: Vec<FeeData>,
    fee_total: String,
    fee_note: Option<String>,
    remedy: Option<String>,
    attachments: Vec<String>,
    signed_by: String,
    closing: Option<String>,
    easy: Option<Vec<String>>,
    easy_heading: &'static str,
}

/// The head as the templates read it.
#[derive(Debug, Serialize)]
pub(super) struct OfficeData {
    name: String,
    unit: String,
    address: String,
    phone: Option<String>,
}

impl OfficeData {
    pub(super) fn of(office: &OfficeHead, text: &mut Cleaner) -> Self {
        Self {
            name: text.line(&office.name),
            unit: text.line(&office.unit),
            address: text.line(&office.address),
            phone: office.phone.as_deref().map(|phone| text.line(phone)),
        }
    }
}

#[derive(Debug, Serialize)]
struct SectionData {
    heading: String,
    paragraphs: Vec<String>,
}

/// A line of amounts as the templates read it.
#[derive(Debug, Serialize)]
pub(super) struct FeeData {
    label: String,
    amount: String,
}

impl FeeData {
    pub(super) fn of(line: &FeeLine, text: &mut Cleaner) -> Self {
        Self { label: text.line(&line.label), amount: euros(line.cents) }
    }
}

impl Data {
    fn of(letter: &Letter) -> Result<Self, RenderError> {
        let mut text = Cleaner::default();
        let office = OfficeData::of(&letter.office, &mut text);
        let reference = text.line(&letter.reference);
        let mut info = vec![("Aktenzeichen", reference.clone()), ("Datum", german_date(letter.date))];
        info.extend(letter.clerk.as_deref().map(|clerk| ("Auskunft erteilt", text.line(clerk))));
        info.extend(office.phone.clone().map(|phone| ("Telefon", phone)));
        let total = letter.fee.iter().fold(0_i64, |sum, line| sum.saturating_add(line.cents));
        let data = Self {
            return_line: format!("{} · {}", office.name, office.address),
            office,
            addressee: text.lines(&letter.addressee),
            reference,
            info,
            title: text.line(&letter.title),
            sections: letter
                .sections
                .iter()
                .map(|section| SectionData {
                    heading: text.line(&section.heading),
                    paragraphs: text.paragraphs(&section.paragraphs),
                })
                .collect(),
            fee: letter.fee.iter().map(|line| FeeData::of(line, &mut text)).collect(),
            fee_total: euros(total),
            fee_note: letter.fee_note.as_deref().map(|note| text.paragraph(note)),
            remedy: letter.remedy.as_deref().map(|remedy| text.paragraph(remedy)),
            attachments: text.lines(&letter.attachments),
            signed_by: text.paragraph(&letter.signed_by),
            closing: letter.closing.as_deref().map(|closing| text.paragraph(closing)),
            easy: letter.easy.as_deref().map(|easy| text.paragraphs(easy)).filter(|easy| !easy.is_empty()),
            easy_heading: if letter.remedy.is_some() {
                "In einfachen Worten (nur zur Erklärung, nicht Teil des Bescheids)"
            } else {
                "In einfachen Worten (nur zur Erklärung, nicht Teil des Schreibens)"
            },
        };
        data.complete()?;
        match text.unprintable() {
            Some(characters) => Err(RenderError::Characters(characters)),
            None => Ok(data),
        }
    }

    /// What no letter may be without.
    fn complete(&self) -> Result<(), RenderError> {
        let required = [
            ("office", self.office.name.is_empty()),
            ("addressee", self.addressee.is_empty()),
            ("file reference", self.reference.is_empty()),
            ("title", self.title.is_empty()),
            ("responsible person's name", self.signed_by.is_empty()),
            ("heading of a section", self.sections.iter().any(|section| section.heading.is_empty())),
            ("remedy", self.remedy.as_deref().is_some_and(str::is_empty)),
        ];
        match required.into_iter().find(|(_, missing)| *missing) {
            Some((name, _)) => Err(RenderError::Missing(name)),
            None => Ok(()),
        }
    }
}

/// "1.234,50 €", with a no-break space.
pub(super) fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "−" } else { "" };
    let whole = (cents.unsigned_abs() / 100).to_string();
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped},{:02}\u{a0}€", cents.unsigned_abs() % 100)
}

/// The instruction on remedies (Rechtsbehelfsbelehrung), composed from the data of the service alone after
/// § 37(6) `VwVfG`, § 58 `VwGO` and § 36 SGB X: remedy, where to lodge it, its seat, the period, and for
/// SGB X the form. Not a word more: any further sentence can make it wrong, and then a year applies instead
/// of a month. Above all it says nothing about the day on which a letter counts as received.
pub fn remedy_text(remedy: &Remedy, procedure: Procedure) -> String {
    let name = match remedy.kind {
        RemedyKind::Klage => "Klage",
        RemedyKind::Widerspruch => "Widerspruch",
    };
    let body = remedy.body.trim();
    let sentence = format!(
        "Gegen diesen Bescheid kann innerhalb {} nach Bekanntgabe {name} {} {body}, {}, erhoben werden.",
        period_words(&remedy.period),
        at(body),
        remedy.address.trim().trim_end_matches([',', '.', ';']),
    );
    let form_line = remedy.form_line.trim();
    match procedure {
        Procedure::SgbX if !form_line.is_empty() => format!("{sentence} {form_line}"),
        Procedure::SgbX | Procedure::VwVfG | Procedure::None => sentence,
    }
}

/// Words for a period like `1M`. The check of the catalogue lets only one month pass, the period of § 70 and
/// § 74 `VwGO`, § 84 and § 87 SGG; that is also the answer to anything that is not a period.
fn period_words(period: &str) -> String {
    match period.trim().strip_suffix('M').and_then(|months| months.parse::<u8>().ok()) {
        Some(2) => "von zwei Monaten".to_owned(),
        Some(3) => "von drei Monaten".to_owned(),
        Some(months) if months > 3 => format!("von {months} Monaten"),
        _ => "eines Monats".to_owned(),
    }
}

/// The preposition for the name of a court or an authority: "beim Kreis", "bei der Bezirksregierung".
fn at(body: &str) -> &'static str {
    const FEMININE: [&str; 11] = [
        "regierung",
        "verwaltung",
        "stadt",
        "gemeinde",
        "behörde",
        "kammer",
        "agentur",
        "direktion",
        "kasse",
        "stelle",
        "anstalt",
    ];
    let noun = body.split_whitespace().find(|word| word.chars().next().is_some_and(char::is_uppercase));
    let noun = noun.unwrap_or(body).to_lowercase();
    if FEMININE.iter().any(|ending| noun.ends_with(ending)) { "bei der" } else { "beim" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use typst::layout::{Frame, FrameItem, Point};

    use super::*;
    use crate::bescheid::pdf_check::{Standard, check};
    use crate::bescheid::world::PaperWorld;

    fn text(value: &str) -> String {
        value.to_owned()
    }

    fn letter() -> Letter {
        Letter {
            office: OfficeHead {
                name: text("Kreis Paderborn"),
                unit: text("Kataster- und Vermessungsamt"),
                address: text("Aldegreverstraße 10–14, 33102 Paderborn"),
                phone: Some(text("05251 308-0")),
            },
            addressee: vec![text("Jörg Özdemir-Łukasiewicz"), text("Musterweg 1a"), text("33098 Paderborn")],
            reference: text("62-2026-AB12CD34"),
            date: jiff::civil::date(2026, 11, 24),
            clerk: Some(text("Frau Beispiel")),
            title: text("Bescheid über die Erteilung eines Auszugs aus der Liegenschaftskarte"),
            sections: vec![
                Section {
                    heading: text("Entscheidung"),
                    paragraphs: vec![text("Ihr Antrag vom 20.11.2026 wird bewilligt.")],
                },
                Section {
                    heading: text("Begründung"),
                    paragraphs: vec![
                        text("Sie haben ein berechtigtes Interesse dargelegt (§ 14 VermKatG NRW)."),
                        text("Erste Zeile\nzweite Zeile"),
                    ],
                },
            ],
            fee: vec![
                FeeLine { label: text("Auszug, Format A4"), cents: 3000 },
                FeeLine { label: text("Beglaubigung"), cents: 120_050 },
            ],
            fee_note: Some(text("Die Gebühr ist innerhalb von 30 Tagen zu zahlen.")),
            remedy: Some(remedy_text(&remedy(RemedyKind::Klage), Procedure::VwVfG)),
            attachments: vec![text("Auszug aus der Liegenschaftskarte"), text("Merkblatt")],
            signed_by: text("Im Auftrag\nMartina Muster"),
            closing: Some(text(
                "Dieses Schreiben wurde elektronisch erstellt und ist ohne Unterschrift gültig.",
            )),
            easy: Some(vec![text("Sie bekommen die Karte."), text("Die Karte kostet Geld.")]),
        }
    }

    fn remedy(kind: RemedyKind) -> Remedy {
        Remedy {
            kind,
            body: text("Verwaltungsgericht Minden"),
            address: text("Königswall 8, 32423 Minden"),
            period: text("1M"),
            form_line: String::new(),
            needs_check: false,
        }
    }

    /// The words of the PDF, one after the other, without the breaks of the lines.
    fn words(pdf: &[u8]) -> String {
        let document = lopdf::Document::load_mem(pdf).expect("loads");
        let pages: Vec<u32> = document.get_pages().into_keys().collect();
        let text = document.extract_text(&pages).expect("has text");
        text.replace('\u{200b}', "").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn pages(letter: &Letter) -> typst::layout::PagedDocument {
        let json = serde_json::to_vec(&Data::of(letter).expect("complete")).expect("serialises");
        typst::compile(&PaperWorld::new(Template::Letter, json)).output.expect("compiles")
    }

    /// Right end of the widest text on a page, in points.
    fn right_end(frame: &Frame, at: Point) -> f64 {
        let ends = frame.items().map(|(position, item)| {
            let position = at + *position;
            match item {
                FrameItem::Group(group) => right_end(&group.frame, position),
                FrameItem::Text(text) => (position.x + text.width()).to_pt(),
                _ => 0.0,
            }
        });
        ends.fold(0.0, f64::max)
    }

    fn assert_conforms(letter: &Letter) -> Rendered {
        let rendered = render(letter).expect("renders");
        assert_eq!(check(&rendered.accessible, Standard::PdfUa1), Vec::<String>::new());
        assert_eq!(check(&rendered.archive, Standard::PdfA2a), Vec::<String>::new());
        rendered
    }

    #[test]
    fn both_files_hold_the_whole_letter_in_the_order_of_reading() {
        let rendered = assert_conforms(&letter());
        let in_order = [
            "Kreis Paderborn",
            "Jörg Özdemir-Łukasiewicz",
            "62-2026-AB12CD34",
            "24.11.2026",
            "Frau Beispiel",
            "Bescheid über die Erteilung",
            "Entscheidung",
            "Begründung",
            "§ 14 VermKatG NRW",
            "Gebühr",
            "Wofür",
            "30,00 €",
            "1.200,50 €",
            "Gesamtbetrag",
            "1.230,50 €",
            "Rechtsbehelfsbelehrung",
            "Verwaltungsgericht Minden, Königswall 8, 32423 Minden, erhoben werden.",
            "Im Auftrag",
            "Martina Muster",
            "ohne Unterschrift gültig",
            "Anlagen",
            "Merkblatt",
            "In einfachen Worten (nur zur Erklärung, nicht Teil des Bescheids)",
            "Die Karte kostet Geld.",
        ];
        for pdf in [&rendered.accessible, &rendered.archive] {
            let words = words(pdf);
            let mut rest = words.as_str();
            for part in in_order {
                let Some((_, after)) = rest.split_once(part) else {
                    panic!("“{part}” is missing or too early in: {words}")
                };
                rest = after;
            }
            assert!(words.contains("Seite 1 von 2"), "{words}");
        }
    }

    #[test]
    fn the_smallest_letter_conforms_too() {
        let mut small = letter();
        (small.clerk, small.fee_note, small.remedy) = (None, None, None);
        (small.closing, small.easy, small.office.phone) = (None, None, None);
        small.fee.clear();
        small.attachments.clear();
        small.sections.truncate(1);
        let words = words(&assert_conforms(&small).accessible);
        assert!(words.contains("Seite 1 von 1"), "{words}");
        for absent in ["Gebühr", "Rechtsbehelf", "Anlagen", "In einfachen Worten", "Telefon", "Auskunft"] {
            assert!(!words.contains(absent), "{absent} in {words}");
        }
    }

    #[test]
    fn a_long_letter_has_bookmarks_and_counts_its_pages() {
        let mut long = letter();
        long.sections[1].paragraphs = (1..120).map(|n| format!("{n}. {}", "Grund ".repeat(40))).collect();
        let words = words(&assert_conforms(&long).accessible);
        assert!(words.contains("Seite 5 von "), "more than four pages");
    }

    #[test]
    fn equal_letters_give_equal_bytes_in_every_thread() {
        let letter = letter();
        let first = render(&letter).expect("renders");
        assert_eq!(first, render(&letter).expect("renders again"));
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| render(&letter))).collect();
            for thread in threads {
                assert_eq!(thread.join().expect("ends"), Ok(first.clone()));
            }
        });
        let other = Letter { reference: text("62-2026-ZZ99"), ..letter };
        assert_ne!(first, render(&other).expect("renders"));
    }

    #[test]
    fn markup_in_values_is_printed_as_it_is() {
        let hostile = [
            "#panic()",
            "#{1/0}",
            "#read(\"/etc/passwd\")",
            "*x* _y_ `z` $a$ \\ ~ @ref <label>",
            "= Überschrift",
            "- Punkt",
            "// Kommentar /* x */",
            "\"'; drop table case; --",
            "https://example.org/--/...",
            "<b>fett</b> &amp; {vorname} ]] [[",
        ];
        for value in hostile {
            let mut letter = letter();
            letter.addressee[0] = text(value);
            letter.title = format!("Titel {value}");
            letter.reference = text(value);
            letter.sections[0] = Section { heading: text(value), paragraphs: vec![text(value)] };
            letter.fee[0].label = text(value);
            letter.attachments[0] = text(value);
            letter.signed_by = text(value);
            letter.easy = Some(vec![text(value)]);
            letter.office.unit = text(value);
            let words = words(&assert_conforms(&letter).accessible);
            assert!(words.matches(value).count() >= 9, "{value} in {words}");
        }
    }

    #[test]
    fn invisible_characters_are_dropped_and_strange_ones_refused() {
        let mut letter = letter();
        letter.addressee[0] =
            text("An\u{202e}na\u{0}\u{200d} \u{feff}Mu\u{ad}\u{2066}ster\r\n\tMeier\u{e0041}");
        let words = words(&assert_conforms(&letter).accessible);
        assert!(words.contains("Anna Muster Meier"), "{words}");

        letter.addressee[0] = text("Анна 🙂 Анна");
        assert_eq!(render(&letter), Err(RenderError::Characters(text("Ана🙂"))));
        let crate::error::Error::Refused { key, values } = RenderError::Characters(text("Ан")).into()
        else {
            panic!("a refusal")
        };
        assert_eq!((key, values), ("letter.characters", vec![("characters", text("А н"))]));
    }

    #[test]
    fn letters_of_german_registers_can_be_printed() {
        let mut letter = letter();
        letter.addressee[0] = text(
            "ÄÖÜäöüßẞ Åse Çelik Đorđević Ğül İnci Łoś Ňáñ Őze Ř Șț Űů Žž Þór Ævar Nguyễn Thị d’Ör ʼnʾ m̀",
        );
        letter.sections[0].paragraphs =
            vec![text("„Wort“ ‚so‘ – 20\u{202f}€, § 3 … 1/2 ½ ² → Seite\u{2011}2")];
        assert_conforms(&letter);
    }

    #[test]
    fn what_is_required_is_asked_for() {
        type Change = fn(&mut Letter);
        let cases: [(Change, &str); 5] = [
            (|letter| letter.office.name.clear(), "office"),
            (|letter| letter.addressee = vec![text(" \u{200b}")], "addressee"),
            (|letter| letter.reference = text("\n"), "file reference"),
            (|letter| letter.title.clear(), "title"),
            (|letter| letter.signed_by = text(" \n "), "responsible person's name"),
        ];
        for (change, name) in cases {
            let mut letter = letter();
            change(&mut letter);
            assert_eq!(render(&letter), Err(RenderError::Missing(name)));
        }
    }

    #[test]
    fn nothing_leaves_the_page() {
        let mut letter = letter();
        let endless = "W".repeat(300);
        letter.addressee = vec![endless.clone(); 12];
        letter.reference.clone_from(&endless);
        letter.title.clone_from(&endless);
        letter.clerk = Some(endless.clone());
        letter.office.unit.clone_from(&endless);
        letter.sections[0] = Section { heading: endless.clone(), paragraphs: vec![endless.clone()] };
        letter.fee[0].label.clone_from(&endless);
        letter.attachments[0].clone_from(&endless);
        letter.easy = Some(vec![endless]);
        let pages = pages(&letter);
        for page in &pages.pages {
            let end = right_end(&page.frame, Point::zero());
            assert!(end <= 595.3 - 56.6, "text ends at {end} pt of 595 pt");
        }
        assert_conforms(&letter);
    }

    #[test]
    fn amounts_are_written_as_in_german_letters() {
        let cases = [
            (0, "0,00 €"),
            (5, "0,05 €"),
            (2600, "26,00 €"),
            (123_456, "1.234,56 €"),
            (100_000_000, "1.000.000,00 €"),
            (-500, "−5,00 €"),
        ];
        for (cents, written) in cases {
            assert_eq!(euros(cents), written.replace(' ', "\u{a0}"));
        }
    }

    #[test]
    fn the_instruction_says_what_the_law_asks_for_and_nothing_else() {
        let form = "Der Widerspruch ist schriftlich einzulegen.";
        let objection = Remedy {
            body: text("Kreis Paderborn"),
            address: text("Aldegreverstraße 10–14, 33102 Paderborn"),
            form_line: text(form),
            ..remedy(RemedyKind::Widerspruch)
        };
        let government = Remedy { body: text("Bezirksregierung Detmold"), ..objection.clone() };
        let cases = [
            (
                &remedy(RemedyKind::Klage),
                Procedure::VwVfG,
                "Gegen diesen Bescheid kann innerhalb eines Monats nach Bekanntgabe Klage beim \
                 Verwaltungsgericht Minden, Königswall 8, 32423 Minden, erhoben werden.",
            ),
            (
                &objection,
                Procedure::VwVfG,
                "Gegen diesen Bescheid kann innerhalb eines Monats nach Bekanntgabe Widerspruch beim Kreis \
                 Paderborn, Aldegreverstraße 10–14, 33102 Paderborn, erhoben werden.",
            ),
            (
                &objection,
                Procedure::SgbX,
                "Gegen diesen Bescheid kann innerhalb eines Monats nach Bekanntgabe Widerspruch beim Kreis \
                 Paderborn, Aldegreverstraße 10–14, 33102 Paderborn, erhoben werden. Der Widerspruch ist \
                 schriftlich einzulegen.",
            ),
            (
                &government,
                Procedure::VwVfG,
                "Gegen diesen Bescheid kann innerhalb eines Monats nach Bekanntgabe Widerspruch bei der \
                 Bezirksregierung Detmold, Aldegreverstraße 10–14, 33102 Paderborn, erhoben werden.",
            ),
        ];
        for (remedy, procedure, expected) in cases {
            let said = remedy_text(remedy, procedure);
            assert_eq!(said, expected);
            for fiction in ["drei", "vier", "Tag", "gilt als"] {
                assert!(!said.contains(fiction), "{fiction} in {said}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 24,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_text_is_set_or_refused_for_its_characters(
            name in "[ -~äöüÄÖÜßéłşȘ€„“–§\u{300}\u{a0}]{1,40}|\\PC{1,10}",
            reason in "(?s)[ -~\n\tÄßĐ\u{202e}\u{200b}]{0,200}|.{0,50}",
        ) {
            let mut letter = letter();
            letter.addressee.push(name.clone());
            letter.title.push_str(&name);
            letter.sections[1].paragraphs.push(reason);
            match render(&letter) {
                Ok(rendered) => {
                    prop_assert_eq!(check(&rendered.accessible, Standard::PdfUa1), Vec::<String>::new());
                }
                Err(error) => prop_assert!(matches!(error, RenderError::Characters(_)), "{}", error),
            }
        }
    }
}
