//! What the search finds, on a handful of records.

use super::*;

fn record(id: &str, title: &str, names: &[&str], text: &str) -> Record {
    Record {
        id: id.to_owned(),
        kind: RecordKind::Service,
        title: title.to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        text: text.to_owned(),
        more: String::new(),
        source: "Quelle".to_owned(),
        checked_on: "2026-11-20".to_owned(),
    }
}

fn small() -> Search {
    Search::build(vec![
        record(
            "car",
            "Außerbetriebsetzung eines Fahrzeugs",
            &["Abmeldung"],
            "Wer sein Fahrzeug nicht mehr nutzt. Die Kennzeichen werden entwertet.",
        ),
        record("dog", "Erlaubnis für gefährliche Hunde", &[], "Ein Hund ist ein Tier."),
        record(
            "tank",
            "Heizöltank anzeigen",
            &["Öltank"],
            "Ein Tank für Heizöl wird beim Umweltamt angezeigt.",
        ),
        record("oil", "Heizöl und Tank", &[], "Heizöl. Tank."),
    ])
    .expect("builds")
}

/// What a question finds first.
#[track_caller]
fn check(question: &str, id: &str) {
    let found = small().find(question, 3);
    assert_eq!(found.first().map(|found| found.id.as_str()), Some(id), "{question}: {found:?}");
}

#[test]
fn forms_compounds_synonyms_and_slips_are_found() {
    check("Auto abmelden", "car");
    check("fahrzeuge", "car");
    check("Wo zeige ich meinen Öltank an?", "tank");
    check("gefaehrlicher hund", "dog");
    check("gefährlcher Hunt", "dog");
    check("Fahr-Zeug ab·melden", "car");
}

#[test]
fn a_hit_says_where_it_stands() {
    let found = small().find("Was wird mit den Kennzeichen?", 1);
    assert_eq!(found[0].snippet, "Die Kennzeichen werden entwertet.");
    assert_eq!((found[0].source.as_str(), found[0].checked_on.as_str()), ("Quelle", "2026-11-20"));
    assert!(found[0].coverage > 0.9);
}

#[test]
fn what_nobody_knows_covers_nothing() {
    let search = small();
    assert!(search.find("Pizza mit Ananas", 3).iter().all(|found| found.coverage < ANSWERS));
    for strange in ["", "   ", "👍", "\u{202e}\u{200b}", "AND OR NOT \"(*:^~", "und oder der die das"] {
        assert!(search.find(strange, 3).iter().all(|found| found.coverage < ANSWERS), "{strange:?}");
    }
    assert!(search.find(&"Hund ".repeat(20_000), 3).len() <= 3);
    assert!(search.find("Hund", 0).is_empty());
}
