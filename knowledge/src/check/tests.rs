//! Broken files, one kind a row: a definition that the program carries, with one thing spoiled.

use jiff::civil::{Date, date};

use super::{Finding, Severity, check_file, check_sources, read_offices};
use crate::catalogue::{Catalogue, Sources};
use crate::office::Offices;

/// Day on which the rows are judged.
const TODAY: Date = date(2026, 11, 25);

const MAP: &str = "liegenschaftskarte.toml";
const LESSON: &str = "infektionsschutz-belehrung.toml";
const LICENCE: &str = "fuehrerschein-umtausch.toml";
const DISABILITY: &str = "schwerbehinderung-antrag.toml";
const PLATE: &str = "kfz-wunschkennzeichen.toml";
const HOUSING: &str = "wohngeld.toml";
const WASTE: &str = "abfall-illegal-melden.toml";

/// What is spoiled, in which file, how (old text, new text), and at which key it must be told.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

/// Shape: what the file looks like before its meaning is judged.
const SHAPE: &[Row] = &[
    ("TOML syntax", MAP, &[("version = 1", "version = ")], ""),
    ("a key twice", MAP, &[("version = 1", "version = 1\nversion = 2")], ""),
    ("unknown key", MAP, &[("version = 1", "version = 1\nversoin = 1")], "versoin"),
    (
        "unknown key in a list",
        MAP,
        &[("topic = \"fee\"", "topic = \"fee\"\ntopik = \"fee\"")],
        "facts.fee.topik",
    ),
    ("missing id", MAP, &[("id = \"liegenschaftskarte\"\n", "")], "id"),
    ("missing section", MAP, &[("[sla]\n…\n\n", "")], "sla"),
    ("text for a number", MAP, &[("version = 1", "version = \"1\"")], "version"),
    ("unknown topic", MAP, &[("topic = \"fee\"", "topic = \"price\"")], "facts.price.topic"),
    ("unknown trust level", MAP, &[("submit = \"T0\"", "submit = \"T5\"")], "trust.submit"),
    ("unknown kind of field", MAP, &[("kind = \"place\"", "kind = \"adress\"")], "fields.plot_address.kind"),
    (
        "document without the key reason",
        WASTE,
        &[("reason.de = …optional", "optional")],
        "documents.photo.reason",
    ),
    (
        "remedy without address",
        LICENCE,
        &[("address = \"Königswall 8, 32423 Minden\"\n", "")],
        "remedy.address",
    ),
];

/// Identity, facts, fee, trust.
const HOUSE: &[Row] = &[
    ("referral without a reason", HOUSING, &[("[referral]\n…\n\n", "")], "referral"),
    (
        "referral to a unit of the district",
        HOUSING,
        &[("unit = \"gemeinde\"", "unit = \"umweltamt\"")],
        "unit",
    ),
    (
        "a procedure where nothing is filed",
        HOUSING,
        &[("version = 1", "version = 1\nprocedure = \"VWVFG\"")],
        "procedure",
    ),
    (
        "a fact both open and stated",
        MAP,
        &[("version = 1", "version = 1\nopen_facts = [\"fee\"]")],
        "open_facts",
    ),
    ("id is not the file name", MAP, &[("id = \"liegenschaftskarte\"", "id = \"flurkarte\"")], "id"),
    ("id with capitals", MAP, &[("id = \"liegenschaftskarte\"", "id = \"Liegenschaftskarte\"")], "id"),
    ("version 0", MAP, &[("version = 1", "version = 0")], "version"),
    ("bad LeiKa key", MAP, &[("version = 1", "version = 1\nleika_key = \"9910\"")], "leika_key"),
    (
        "invented LeiKa key",
        MAP,
        &[("version = 1", "version = 1\nleika_key = \"12345678901234\"")],
        "leika_key",
    ),
    ("unknown unit", MAP, &[("\"katasteramt\"", "\"katasteramtt\"")], "unit"),
    ("no legal basis", MAP, &[("[\"VermKatG NRW\"]", "[]")], "legal_basis"),
    (
        "fact without source",
        MAP,
        &[("source = \"VermKatG NRW\"\n", "source = \" \"\n")],
        "facts.legal_basis.source",
    ),
    ("no date of the check", MAP, &[("\"2026-11-20\"", "\"20.11.2026\"")], "facts.fee.checked_on"),
    ("no day of the calendar", MAP, &[("\"2026-11-20\"", "\"2026-11-31\"")], "facts.fee.checked_on"),
    ("checked in the future", MAP, &[("\"2026-11-20\"", "\"2026-12-24\"")], "facts.fee.checked_on"),
    (
        "address without https",
        MAP,
        &[("topic = \"fee\"", "topic = \"fee\"\nurl = \"www.example.org\"")],
        "facts.fee.url",
    ),
    ("nothing about the fee", MAP, &[("topic = \"fee\"", "topic = \"payment\"")], "facts"),
    (
        "fee without basis",
        MAP,
        &[("basis = \"Gebührenordnung zum VermKatG NRW\"", "basis = \"\"")],
        "fee.basis",
    ),
    ("negative cents", MAP, &[("cents = 3000", "cents = -3000")], "fee.items.small.cents"),
    ("amount that no fact states", MAP, &[("cents = 3000", "cents = 3100")], "fee.items.small.cents"),
    (
        "fee on unknown field",
        MAP,
        &[("\"format\", is = [\"gr", "\"formatt\", is = [\"gr")],
        "fee.items.large.only_if.field",
    ),
    ("fee on unknown answer", MAP, &[("is = [\"groesser\"]", "is = [\"a2\"]")], "fee.items.large.only_if.is"),
    ("fee item twice", MAP, &[("id = \"large\"", "id = \"small\"")], "fee.items.small.id"),
    ("fee after no decision", MAP, &[("\"at_submission\"", "\"after_decision\"")], "fee.when"),
    ("fee for no paper", MAP, &[("kind = \"extract\"", "kind = \"none\"")], "output.kind"),
    ("special data without login", LESSON, &[("submit = \"T2\"", "submit = \"T0\"")], "trust.submit"),
    ("special data read with T1", LESSON, &[("read = \"T2\"", "read = \"T1\"")], "trust.read"),
    ("Bescheid read with T1", LICENCE, &[("read = \"T2\"", "read = \"T1\"")], "trust.read"),
    (
        "written form with T1",
        LICENCE,
        &[("schriftform = \"none\"", "schriftform = \"applicant\""), ("submit = \"T2\"", "submit = \"T1\"")],
        "trust.submit",
    ),
    ("public with names", LICENCE, &[("\"personal\"", "\"public\"")], "data_class"),
    ("nothing until the result", MAP, &[("decision_days = 1", "decision_days = 0")], "sla.decision_days"),
    ("result before the receipt", MAP, &[("ack_days = 1", "ack_days = 9")], "sla.decision_days"),
    ("retention 0", WASTE, &[("closed_years = 5", "closed_years = 0")], "retention.closed_years"),
    ("fee kept 5 years", MAP, &[("closed_years = 10", "closed_years = 5")], "retention.closed_years"),
];

/// Questions and documents.
const FORM: &[Row] = &[
    ("field id twice", MAP, &[("id = \"flur\"", "id = \"gemarkung\"")], "fields.gemarkung.id"),
    ("field id with capitals", MAP, &[("id = \"flur\"", "id = \"Flur\"")], "fields.Flur.id"),
    (
        "condition on unknown field",
        MAP,
        &[("\"known_as\", is = [\"adr", "\"known\", is = [\"adr")],
        "fields.plot_address.only_if.field",
    ),
    (
        "condition on later field",
        MAP,
        &[("\"known_as\", is = [\"adresse", "\"format\", is = [\"a4")],
        "fields.plot_address.only_if.field",
    ),
    (
        "condition on unknown answer",
        MAP,
        &[("is = [\"adresse\"]", "is = [\"anschrift\"]")],
        "fields.plot_address.only_if.is",
    ),
    (
        "condition without answers",
        MAP,
        &[("is = [\"adresse\"]", "is = []")],
        "fields.plot_address.only_if.is",
    ),
    (
        "condition on free text",
        MAP,
        &[("max = 999\nonly_if = { field = \"known_as\"", "max = 999\nonly_if = { field = \"gemarkung\"")],
        "fields.flur.only_if.is",
    ),
    ("choice without choices", LESSON, &[("kind = \"yes_no\"", "kind = \"choice\"")], "fields.minor.choices"),
    ("choice twice", MAP, &[("value = \"a3\"", "value = \"a4\"")], "fields.format.choices.a4.value"),
    ("choices of a text", MAP, &[("kind = \"choice\"", "kind = \"text\"")], "fields.known_as.choices"),
    ("min above max", MAP, &[("max = 999", "max = 0")], "fields.flur.min"),
    ("number without limits", MAP, &[("min = 1\nmax = 999\n", "")], "fields.flur.min"),
    ("max of a text", MAP, &[("max_length = 20\n", "max = 20\n")], "fields.flurstueck.max"),
    ("text of length 0", MAP, &[("max_length = 20\n", "max_length = 0\n")], "fields.flurstueck.max_length"),
    ("length of a number", MAP, &[("max = 999", "max = 999\nmax_length = 3")], "fields.flur.max_length"),
    ("example is no choice", MAP, &[("example = \"a4\"", "example = \"a5\"")], "fields.format.example"),
    ("example is no number", MAP, &[("example = \"7\"", "example = \"sieben\"")], "fields.flur.example"),
    ("example is too large", MAP, &[("example = \"7\"", "example = \"1000\"")], "fields.flur.example"),
    (
        "example is no day",
        LESSON,
        &[("example = \"01.12.2026\"", "example = \"31.02.2027\"")],
        "fields.start_date.example",
    ),
    (
        "example is no postcode",
        LESSON,
        &[("example = \"33098\"", "example = \"3309\"")],
        "fields.postcode.example",
    ),
    ("example is no e-mail", LESSON, &[("\"erika@example.org\"", "\"erika\"")], "fields.email.example"),
    (
        "example is no yes or no",
        LESSON,
        &[("example = \"nein\"", "example = \"vielleicht\"")],
        "fields.minor.example",
    ),
    (
        "example is another district's plate",
        PLATE,
        &[("example = \"PB-AB 123\"", "example = \"HX-AB 123\"")],
        "fields.plate.example",
    ),
    ("example is empty", MAP, &[("example = \"Elsen\"", "example = \"\"")], "fields.gemarkung.example"),
    (
        "unknown attribute of a login",
        LESSON,
        &[("from_profile = \"given_name\"", "from_profile = \"first_name\"")],
        "fields.given_name.from_profile",
    ),
    (
        "stop at no answer",
        LESSON,
        &[("[fields.stop]\nis = [\"ja\"]", "[fields.stop]\nis = [\"yes\"]")],
        "fields.health_hint.stop.is",
    ),
    (
        "required document, empty reason",
        LESSON,
        &[("reason.de = …formats", "reason.de = \" \"\nformats")],
        "documents.id_card.reason",
    ),
    (
        "optional document, empty reason",
        WASTE,
        &[("reason.de = …optional", "reason.de = \"\"\noptional")],
        "documents.photo.reason",
    ),
    (
        "document without formats",
        LESSON,
        &[("formats = [\"pdf\", \"jpeg\", \"png\"]", "formats = []")],
        "documents.id_card.formats",
    ),
    ("max_mb 0", LESSON, &[("max_mb = 7", "max_mb = 0")], "documents.id_card.max_mb"),
    ("max_mb too large", LESSON, &[("max_mb = 7", "max_mb = 500")], "documents.id_card.max_mb"),
    ("no file at all", LESSON, &[("max_files = 2", "max_files = 0")], "documents.id_card.max_files"),
    (
        "document twice",
        LESSON,
        &[("id = \"guardian_declaration\"", "id = \"id_card\"")],
        "documents.id_card.id",
    ),
    (
        "document on unknown field",
        LESSON,
        &[("field = \"minor\"", "field = \"child\"")],
        "documents.guardian_declaration.only_if.field",
    ),
];

/// Decision, approval, remedy, paper.
const LAW: &[Row] = &[
    (
        "bound and automatic",
        LICENCE,
        &[("kind = \"bound\"", "kind = \"bound\"\nauto_allowed = true")],
        "decision.auto_allowed",
    ),
    (
        "discretion and automatic",
        LICENCE,
        &[("kind = \"bound\"", "kind = \"ermessen\"\nauto_allowed = true")],
        "decision.auto_allowed",
    ),
    ("no outcomes", LICENCE, &[("[[decision.outcomes]]…[[approval]]", "[[approval]]")], "decision.outcomes"),
    ("outcomes of no decision", LICENCE, &[("kind = \"bound\"", "kind = \"none\"")], "decision.outcomes"),
    ("outcome twice", LICENCE, &[("id = \"refused\"", "id = \"granted\"")], "decision.outcomes.granted.id"),
    (
        "reason twice",
        LICENCE,
        &[("id = \"fee\"", "id = \"obligation\"")],
        "decision.outcomes.granted.reasons.obligation.id",
    ),
    (
        "empty operative sentence",
        LICENCE,
        &[("tenor = \"…\"\n", "tenor = \" \"\n")],
        "decision.outcomes.granted.tenor",
    ),
    (
        "empty reasons",
        LICENCE,
        &[("text = \"Ihr Führerschein…\"\n", "text = \"\"\n")],
        "decision.outcomes.granted.reasons",
    ),
    ("decision without procedure", LICENCE, &[("\"VWVFG\"", "\"NONE\"")], "procedure"),
    ("procedure without decision", MAP, &[("\"NONE\"", "\"VWVFG\"")], "procedure"),
    ("nobody approves", LICENCE, &[("[[approval]]…[output]", "[output]")], "approval"),
    ("unknown role", LICENCE, &[("role = \"approver\"", "role = \"boss\"")], "approval.0.role"),
    ("decision without remedy", LICENCE, &[("[remedy]…[sla]", "[sla]")], "remedy"),
    (
        "remedy without decision",
        MAP,
        &[(
            "[sla]",
            "[remedy]\nkind = \"klage\"\nbody = \"Verwaltungsgericht Minden\"\naddress = \"Minden\"\nperiod = \"1M\"\n\n[sla]",
        )],
        "remedy",
    ),
    ("Widerspruch after VwVfG", LICENCE, &[("kind = \"klage\"", "kind = \"widerspruch\"")], "remedy.kind"),
    (
        "form line after VwVfG",
        LICENCE,
        &[("period = \"1M\"", "period = \"1M\"\nform_line = \"Die Klage ist schriftlich zu erheben.\"")],
        "remedy.form_line",
    ),
    ("SGB X without form line", DISABILITY, &[("form_line = …\n", "")], "remedy.form_line"),
    (
        "Klage at an authority",
        LICENCE,
        &[("\"Verwaltungsgericht Minden\"", "\"Kreis Paderborn\"")],
        "remedy.body",
    ),
    (
        "Widerspruch at a court",
        DISABILITY,
        &[("body = \"Kreis Paderborn\"", "body = \"Sozialgericht Detmold\"")],
        "remedy.body",
    ),
    ("remedy without seat", LICENCE, &[("Königswall 8, 32423 Minden", "Königswall 8")], "remedy.address"),
    ("remedy with empty address", LICENCE, &[("Königswall 8, 32423 Minden", "")], "remedy.address"),
    ("period of two weeks", LICENCE, &[("period = \"1M\"", "period = \"2W\"")], "remedy.period"),
    ("Bescheid without decision", MAP, &[("kind = \"extract\"", "kind = \"bescheid\"")], "output.kind"),
    (
        "decision without Bescheid",
        LICENCE,
        &[("kind = \"bescheid\"", "kind = \"certificate\"")],
        "output.kind",
    ),
    (
        "paper without title",
        MAP,
        &[("title = \"Auszug aus der Liegenschaftskarte\"", "title = \"\"")],
        "output.title",
    ),
    ("paper without text", MAP, &[("text = [\n…\n]", "text = []")], "output.text"),
];

/// Words.
const WORDS: &[Row] = &[
    ("no German title", MAP, &[("de = \"Auszug aus dem…\"\n", "")], "titles.de"),
    (
        "no easy label",
        LESSON,
        &[("label.de-simple = \"Post-Leit-Zahl\"\n", "")],
        "fields.postcode.label.de-simple",
    ),
    (
        "an amount lost in easy German",
        MAP,
        &[("de-simple = \"DIN A4 (30 €)\"", "de-simple = \"DIN A4\"")],
        "fields.format.choices.a4.label.de-simple",
    ),
    ("no easy title", MAP, &[("de-simple = \"Karte von einem Grund-Stück\"\n", "")], "titles.de-simple"),
    ("no English question", MAP, &[("question.en = …\n", "")], "fields.known_as.question.en"),
    ("blank label", MAP, &[("label.de = \"Gemarkung\"", "label.de = \" \"")], "fields.gemarkung.label.de"),
    ("no language", MAP, &[("[titles]\n", "[titles]\nDeutsch = \"Karte\"\n")], "titles.Deutsch"),
    (
        "promise in a summary",
        MAP,
        &[("Die Liegenschaftskarte zeigt", "Ihr Antrag wird genehmigt. Die Karte zeigt")],
        "summary.de",
    ),
    (
        "promise over a line end",
        MAP,
        &[("Die Liegenschaftskarte zeigt", "Ihr Antrag wird\\ngenehmigt. Die Karte zeigt")],
        "summary.de",
    ),
    (
        "promise in a fact",
        LICENCE,
        &[("Der Umtausch kostet", "Die Karte steht Ihnen zu. Der Umtausch kostet")],
        "facts.fee.text.de",
    ),
    (
        "promise in a question",
        DISABILITY,
        &[("Welche Krankheiten oder", "Sie haben Anspruch. Welche Krankheiten oder")],
        "fields.impairments.question.de",
    ),
    (
        "promise in English",
        DISABILITY,
        &[("The application and", "Your card will be granted. The application and")],
        "facts.fee.text.en",
    ),
    (
        "promise when a person takes over",
        LESSON,
        &[("say.de = \"Danke", "say.de = \"Das wird bewilligt. Danke")],
        "fields.health_hint.stop.say.de",
    ),
    (
        "unknown placeholder in a sentence",
        LICENCE,
        &[("Klassen {licence_class}", "Klassen {class}")],
        "decision.outcomes.granted.tenor",
    ),
    (
        "unknown placeholder in a reason",
        LICENCE,
        &[("text = \"Ihr Führerschein wurde am {issue_date}", "text = \"Ihr Führerschein wurde am {day}")],
        "decision.outcomes.granted.reasons.obligation.text",
    ),
    (
        "unknown placeholder in a paper",
        LESSON,
        &[("wohnhaft {street}", "wohnhaft {strasse}")],
        "output.text.0",
    ),
    (
        "placeholder that some leave out",
        LESSON,
        &[("wohnhaft {street}", "wohnhaft {email}")],
        "output.text.0",
    ),
    ("placeholder that is not closed", LESSON, &[("wohnhaft {street}", "wohnhaft {street")], "output.text.0"),
    ("no synonyms", MAP, &[("synonyms = […]", "synonyms = []")], "synonyms"),
    ("blank synonym", MAP, &[("synonyms = […]", "synonyms = [\"Flurkarte\", \" \"]")], "synonyms.1"),
    ("no examples", MAP, &[("examples = […]", "examples = []")], "examples"),
];

/// Replaces the first place that reads like `old`; one `…` in `old` stands for everything between its two ends.
fn replaced(text: &str, old: &str, new: &str) -> Option<String> {
    let (head, tail) = old.split_once('…').unwrap_or((old, ""));
    let start = text.find(head)?;
    let inside = start + head.len();
    let end = inside + text[inside..].find(tail)? + tail.len();
    Some(format!("{}{new}{}", &text[..start], &text[end..]))
}

fn offices() -> Offices {
    read_offices(&Sources::embedded().offices).expect("the embedded offices have their shape")
}

fn told(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn errors(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect()
}

fn judge_rows(rows: &[Row]) {
    let sources = Sources::embedded();
    let offices = offices();
    let mut missed = Vec::new();
    for (name, file, edits, key) in rows {
        let mut text = sources.services.get(*file).expect("an embedded file").clone();
        for (old, new) in *edits {
            let spoiled =
                replaced(&text, old, new).unwrap_or_else(|| panic!("{name}: {old:?} is not in {file}"));
            assert_ne!(spoiled, text, "{name}: nothing was spoiled");
            text = spoiled;
        }
        let found = errors(check_file(file, &text, &offices, TODAY));
        match found.iter().find(|finding| finding.key == *key) {
            None => missed.push(format!("{name}: nothing at {key:?}, but:\n{}", told(&found))),
            Some(finding) => {
                assert!(!finding.mend.trim().is_empty(), "{name}: {finding}");
                assert!(!finding.problem.trim().is_empty(), "{name}: {finding}");
                assert_eq!(finding.file, *file, "{name}");
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn the_catalogue_that_the_program_carries_has_no_errors() {
    if let Err(findings) = Catalogue::embedded() {
        panic!("{}", told(&findings));
    }
    let found = errors(check_sources(&Sources::embedded(), TODAY));
    assert!(found.is_empty(), "{}", told(&found));
}

#[test]
fn broken_shape_is_told_with_key_and_mend() {
    judge_rows(SHAPE);
}

#[test]
fn broken_identity_facts_fees_and_periods_are_told() {
    judge_rows(HOUSE);
}

#[test]
fn broken_questions_and_documents_are_told() {
    judge_rows(FORM);
}

#[test]
fn broken_decisions_and_remedies_are_told() {
    judge_rows(LAW);
}

#[test]
fn broken_words_are_told() {
    judge_rows(WORDS);
}

#[test]
fn all_unknown_keys_are_told_in_one_run_with_their_lines() {
    let text = Sources::embedded().services[MAP].clone();
    let text = replaced(&text, "version = 1", "versoin = 1\nversion = 1").expect("a version");
    let text = replaced(&text, "cents = 3000", "cents = 3000\nbetrag = 30").expect("an amount");
    let found = check_file(MAP, &text, &offices(), TODAY);
    let keys: Vec<&str> = found.iter().map(|finding| finding.key.as_str()).collect();
    assert_eq!(keys, ["versoin", "fee.items.small.betrag"], "{}", told(&found));
    assert!(found[0].mend.contains("version"), "{}", told(&found));
    for finding in &found {
        let word = finding.key.rsplit('.').next().expect("a last step");
        let line = text.lines().nth(finding.line - 1).expect("the line exists");
        assert!(line.starts_with(word), "{finding}: {line}");
    }
}

#[test]
fn a_phrase_of_two_services_is_told() {
    let mut sources = Sources::embedded();
    let text = replaced(&sources.services[PLATE], "\"Nummernschild\"", "\"flurkarte \"").expect("a synonym");
    sources.services.insert(PLATE.to_owned(), text);
    let found = errors(check_sources(&sources, TODAY));
    assert!(found.iter().any(|f| f.file == MAP && f.key == "synonyms.0"), "{}", told(&found));
}

#[test]
fn old_checks_and_unconfirmed_facts_are_warnings_only() {
    let text = Sources::embedded().services[MAP].replace("2026-11-20", "2025-01-31");
    let found = check_file(MAP, &text, &offices(), TODAY);
    assert!(!found.is_empty());
    assert!(found.iter().all(|finding| finding.severity == Severity::Warning), "{}", told(&found));
}

#[test]
fn broken_offices_are_told() {
    let sources = Sources::embedded();
    for (old, new, key) in [
        ("id = \"sozialamt\"", "id = \"umweltamt\"", "office.umweltamt.id"),
        ("source = \"…\"", "source = \"\"", "office.strassenverkehrsamt.source"),
        ("checked_on = \"2026-11-20\"", "checked_on = \"gestern\"", "office.strassenverkehrsamt.checked_on"),
        ("name = …\n", "", "office.strassenverkehrsamt.name"),
    ] {
        let offices = replaced(&sources.offices, old, new).unwrap_or_else(|| panic!("{old:?} is there"));
        let found = errors(check_sources(&Sources { offices, ..sources.clone() }, TODAY));
        let hit = found.iter().find(|finding| finding.key == key && finding.file == "offices.toml");
        assert!(hit.is_some_and(|finding| !finding.mend.is_empty()), "{key}:\n{}", told(&found));
    }
}

#[test]
fn a_catalogue_with_an_error_is_refused_as_a_whole() {
    let mut sources = Sources::embedded();
    let text = replaced(&sources.services[MAP], "cents = 3000", "cents = 0").expect("an amount");
    sources.services.insert(MAP.to_owned(), text);
    let findings = Catalogue::from_sources(&sources).expect_err("the catalogue has an error");
    assert!(findings.iter().all(|finding| finding.severity == Severity::Error));
    assert!(findings.iter().any(|finding| finding.key == "fee.items.small.cents"));
}
