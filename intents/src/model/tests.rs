//! Training, keeping and asking a classifier, on a handful of sentences.

use super::*;

fn example(label: &str, text: &str) -> Example {
    Example { label: label.to_owned(), text: text.to_owned(), plain: true }
}

fn two_matters() -> Vec<Example> {
    let car = [
        "Auto ummelden",
        "Ich will mein Auto anmelden",
        "Kennzeichen für das Auto",
        "Wagen zulassen",
        "mein auto ist neu",
    ];
    let dog = [
        "Hund anmelden",
        "Mein Hund ist gefährlich",
        "Erlaubnis für einen Hund",
        "Hundesteuer",
        "ich habe einen hund",
    ];
    car.iter().map(|text| example("car", text)).chain(dog.iter().map(|text| example("dog", text))).collect()
}

#[test]
fn it_finds_what_it_learnt_also_mistyped() {
    let model = Model::train(&two_matters()).expect("trains");
    for (text, label) in [("Atuo umelden", "car"), ("HUND", "dog"), ("mei hunt", "dog"), ("autto", "car")] {
        assert_eq!(model.classify(text, 1)[0].label, label, "{text}");
    }
    assert!(model.classify("", 3).is_empty());
    assert!(model.classify("👍 … \u{202e}", 3).is_empty());
    assert_eq!(model.classify("auto", 9).len(), 2);
}

#[test]
fn training_twice_gives_the_same_and_a_file_keeps_it() {
    let examples = two_matters();
    let (one, two) = (Model::train(&examples).expect("trains"), Model::train(&examples).expect("trains"));
    assert_eq!(one.classify("ein Hund im Auto", 2), two.classify("ein Hund im Auto", 2));

    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("intents.safetensors");
    let fingerprint = Model::fingerprint(&examples);
    one.save(&path, &fingerprint).expect("writes");
    let read = Model::load(&path, &fingerprint).expect("reads");
    let (kept, first) = (read.classify("Hund", 1), one.classify("Hund", 1));
    assert_eq!(kept[0].label, first[0].label);
    assert!((kept[0].score - first[0].score).abs() < 0.01);

    assert!(matches!(Model::load(&path, "other"), Err(ModelError::Foreign(_))));
    std::fs::write(&path, b"half a file").expect("writes");
    assert!(Model::load(&path, &fingerprint).is_err());
}

#[test]
fn a_fingerprint_sees_every_change_but_not_the_order() {
    let examples = two_matters();
    let mut turned = examples.clone();
    turned.reverse();
    assert_eq!(Model::fingerprint(&examples), Model::fingerprint(&turned));
    turned[0].text.push('!');
    assert_ne!(Model::fingerprint(&examples), Model::fingerprint(&turned));
}

#[test]
fn one_label_is_nothing_to_learn() {
    assert!(matches!(Model::train(&[example("a", "b")]), Err(ModelError::TooFew)));
    assert!(matches!(Model::train(&[]), Err(ModelError::TooFew)));
}

#[test]
fn calibration_learns_that_a_lead_is_worth_something() {
    let judged: Vec<(f32, f32, bool)> = (0..100)
        .flat_map(|_| [(0.8, 1.0, true), (0.1, 0.1, true), (0.1, 0.1, false), (-0.5, 0.05, false)])
        .collect();
    let curve = Calibration::fit(&judged);
    assert!(curve.confidence(0.8, 1.0) > 0.9);
    assert!((0.3..0.7).contains(&curve.confidence(0.1, 0.1)));
    assert!(curve.confidence(-0.5, 0.05) < 0.3);
}
