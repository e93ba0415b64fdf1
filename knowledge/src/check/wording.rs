//! Rules about the words of a definition: languages, promises, placeholders, the words that people search with.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use crate::service::{Localized, OutputKind, Service};

/// Words in a chat that read like a decision or a Zusicherung (§ 38 VwVfG, § 34 SGB X); compared in lower case.
const PROMISES: [&str; 18] = [
    "wird genehmigt",
    "wird bewilligt",
    "wird bewilliget",
    "ist genehmigt",
    "ist bewilligt",
    "wird stattgegeben",
    "haben sie anspruch",
    "sie haben anspruch",
    "haben einen anspruch",
    "sie haben einen anspruch",
    "steht ihnen zu",
    "bekommen sie auf jeden fall",
    "garantieren wir",
    "wir sichern ihnen zu",
    "sie bekommen den ausweis",
    "you are entitled",
    "will be granted",
    "will be approved",
];

/// Longest sentence of simple German, in words (Einfache Sprache).
const SIMPLE_WORDS: usize = 15;

/// Every text that citizens see, with its path.
fn shown(service: &Service) -> Vec<(String, &Localized)> {
    let mut texts: Vec<(String, &Localized)> =
        vec![("titles".to_owned(), &service.titles), ("summary".to_owned(), &service.summary)];
    for (index, fact) in service.facts.iter().enumerate() {
        texts.push((format!("facts.{index}.text"), &fact.text));
    }
    for (index, item) in service.fee.iter().flat_map(|fee| fee.items.iter()).enumerate() {
        texts.push((format!("fee.items.{index}.label"), &item.label));
    }
    for (index, field) in service.fields.iter().enumerate() {
        texts.push((format!("fields.{index}.label"), &field.label));
        texts.push((format!("fields.{index}.question"), &field.question));
        if !field.help.is_empty() {
            texts.push((format!("fields.{index}.help"), &field.help));
        }
        for (number, choice) in field.choices.iter().enumerate() {
            texts.push((format!("fields.{index}.choices.{number}.label"), &choice.label));
        }
        if let Some(stop) = &field.stop {
            texts.push((format!("fields.{index}.stop.say"), &stop.say));
        }
    }
    for (index, document) in service.documents.iter().enumerate() {
        texts.push((format!("documents.{index}.label"), &document.label));
        texts.push((format!("documents.{index}.reason"), &document.reason));
    }
    if let Some(referral) = &service.referral {
        texts.push(("referral.why".to_owned(), &referral.why));
    }
    if let Some(declaration) = &service.declaration {
        texts.push(("declaration.text".to_owned(), &declaration.text));
    }
    texts
}

pub(super) fn languages(report: &mut Report<'_>, service: &Service) {
    for (path, texts) in shown(service) {
        for language in ["de", "de-simple", "en"] {
            if texts.get(language).is_none_or(|text| text.trim().is_empty()) {
                report.error(
                    &format!("{path}.{language}"),
                    format!("Der Text auf „{language}“ fehlt."),
                    format!("Ergänzen Sie {language} = \"…\"."),
                );
            }
        }
        for language in texts.keys() {
            let tag = |c: char| c.is_ascii_lowercase() || c == '-';
            if !(2..=9).contains(&language.len()) || !language.chars().all(tag) {
                report.error(
                    &format!("{path}.{language}"),
                    format!("„{language}“ ist kein Sprachkürzel."),
                    "Schreiben Sie z. B. de, de-simple, en, uk.",
                );
            }
        }
        if let Some(text) = texts.get("de-simple") {
            let german = texts.get("de").map_or("", String::as_str);
            // Hints and reasons explain with examples of their own.
            let states_facts = !matches!(path.rsplit('.').next(), Some("help" | "reason"));
            let lost = numbers(german).into_iter().find(|number| !numbers(text).contains(number));
            if let Some(lost) = lost.filter(|_| states_facts) {
                report.error(
                    &format!("{path}.de-simple"),
                    format!("Die Zahl {lost} aus dem deutschen Text fehlt."),
                    "Nennen Sie sie auch hier: Beträge, Fristen, Daten und Paragrafen dürfen nicht verloren gehen.",
                );
            }
            let longest = text.split(['.', '!', '?', ':', '\n']).map(|s| s.split_whitespace().count()).max();
            if longest.is_some_and(|words| words > SIMPLE_WORDS) {
                report.warning(
                    &format!("{path}.de-simple"),
                    format!("Ein Satz hat mehr als {SIMPLE_WORDS} Wörter."),
                    "Teilen Sie ihn: ein Gedanke, ein Satz.",
                );
            }
        }
    }
}

/// The numbers of a text as they stand in amounts, dates and paragraphs, without their points and commas; "25,00" is 25.
fn numbers(text: &str) -> BTreeSet<String> {
    let inside = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':');
    text.split(|c: char| !inside(c))
        .map(|piece| {
            piece
                .strip_suffix(",00")
                .unwrap_or(piece)
                .chars()
                .filter(char::is_ascii_digit)
                .collect::<String>()
        })
        .filter(|digits| !digits.is_empty())
        .collect()
}

pub(super) fn promises(report: &mut Report<'_>, service: &Service) {
    for (path, texts) in shown(service) {
        for (language, text) in texts {
            let lower = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(promise) = PROMISES.iter().find(|promise| lower.contains(*promise)) {
                report.error(
                    &format!("{path}.{language}"),
                    format!("„{promise}“ liest sich wie eine Zusage."),
                    "Nennen Sie die Voraussetzungen und schreiben Sie: „Entscheiden wird das Amt.“",
                );
            }
        }
    }
}

/// `{x}` in texts for papers must be a question that everybody answers, else the paper has a hole.
pub(super) fn placeholders(report: &mut Report<'_>, service: &Service) {
    let mut papers: Vec<(String, &str)> = Vec::new();
    for (index, outcome) in service.decision.outcomes.iter().enumerate() {
        papers.push((format!("decision.outcomes.{index}.tenor"), &outcome.tenor));
        for (number, reason) in outcome.reasons.iter().enumerate() {
            papers.push((format!("decision.outcomes.{index}.reasons.{number}.text"), &reason.text));
        }
    }
    papers.push(("output.title".to_owned(), &service.output.title));
    if service.output.kind != OutputKind::None {
        papers.extend(
            service
                .output
                .text
                .iter()
                .enumerate()
                .map(|(i, text)| (format!("output.text.{i}"), text.as_str())),
        );
    }
    for (path, text) in papers {
        if text.matches('{').count() != names_in_braces(text).len()
            || text.matches('}').count() != names_in_braces(text).len()
        {
            report.error(
                &path,
                "Eine geschweifte Klammer hat kein Gegenstück.",
                "Schreiben Sie Platzhalter als {name}, mit beiden Klammern.",
            );
        }
        for name in names_in_braces(text) {
            match service.fields.iter().find(|field| field.id == name) {
                None => report.error(&path, format!("{{{name}}} ist keine Frage dieser Leistung."), known_fields(service)),
                Some(field) if field.optional || field.only_if.is_some() => report.error(
                    &path,
                    format!("{{{name}}} wird nicht von allen beantwortet; im Papier bliebe eine Lücke."),
                    "Nehmen Sie eine Pflichtfrage ohne only_if oder schreiben Sie den Satz ohne diesen Platzhalter.",
                ),
                Some(_) => {}
            }
        }
    }
}

fn known_fields(service: &Service) -> String {
    let ids: Vec<String> = service.fields.iter().map(|field| format!("{{{}}}", field.id)).collect();
    format!("Möglich sind: {}.", ids.join(", "))
}

fn names_in_braces(text: &str) -> Vec<&str> {
    // A piece runs to the next opening brace, so a brace that is not closed gives no name.
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

pub(super) fn search_words(report: &mut Report<'_>, service: &Service) {
    if service.synonyms.is_empty() {
        report.error(
            "synonyms",
            "Ohne andere Namen findet niemand die Leistung.",
            "Nennen Sie, wie die Leute dazu sagen.",
        );
    }
    if service.examples.is_empty() {
        report.error(
            "examples",
            "Es fehlen Beispielsätze.",
            "Schreiben Sie Sätze, mit denen Menschen danach fragen.",
        );
    }
    for (list, phrases) in [("synonyms", &service.synonyms), ("examples", &service.examples)] {
        for (index, _) in phrases.iter().enumerate().filter(|(_, phrase)| phrase.trim().is_empty()) {
            report.error(&format!("{list}.{index}"), "Der Eintrag ist leer.", "Löschen Sie ihn.");
        }
    }
}

/// The same synonym or example in two services: the assistant could not tell them apart.
pub(super) fn phrases_shared(
    report: &mut Report<'_>,
    service: &Service,
    seen: &mut BTreeMap<String, String>,
) {
    let lists = [("synonyms", &service.synonyms), ("examples", &service.examples)];
    for (list, phrases) in lists {
        for (index, phrase) in phrases.iter().enumerate() {
            let key = phrase.trim().to_lowercase();
            match seen.get(&key) {
                Some(other) if *other != service.id => report.error(
                    &format!("{list}.{index}"),
                    format!("„{phrase}“ steht auch bei „{other}“."),
                    "Streichen Sie es bei einer der beiden Leistungen.",
                ),
                Some(_) | None => {
                    seen.insert(key, service.id.clone());
                }
            }
        }
    }
}
