//! Rules about the questions and documents of a definition: whether each can be asked, answered and left out.

use std::collections::BTreeSet;

use super::Report;
use super::law::iso_date;
use crate::service::{Condition, Field, FieldKind, Service};

/// Attributes that a login can fill in.
const PROFILE: [&str; 9] = [
    "given_name",
    "family_name",
    "birth_date",
    "birth_place",
    "birth_name",
    "street",
    "postcode",
    "city",
    "email",
];

/// Largest file that makes sense for an upload, in MB.
const MAX_MB: u32 = 50;

pub(super) fn fields(report: &mut Report<'_>, service: &Service) {
    unique(report, "fields", service.fields.iter().map(|field| field.id.as_str()));
    for (index, field) in service.fields.iter().enumerate() {
        let path = format!("fields.{index}");
        identifier(report, &format!("{path}.id"), &field.id);
        condition(report, &format!("{path}.only_if"), field.only_if.as_ref(), &service.fields[..index]);
        choices(report, &path, field);
        limits(report, &path, field);
        if let Some(attribute) = &field.from_profile
            && !PROFILE.contains(&attribute.as_str())
        {
            report.error(
                &format!("{path}.from_profile"),
                format!("Die Anmeldung liefert „{attribute}“ nicht."),
                format!("Möglich sind: {}.", PROFILE.join(", ")),
            );
        }
        if let Some(problem) = refuses(field, &field.example) {
            report.error(
                &format!("{path}.example"),
                format!("Das Beispiel „{}“ würde nicht angenommen: {problem}.", field.example),
                "Nehmen Sie eine Antwort, die gültig ist.",
            );
        }
        if let Some(stop) = &field.stop {
            answers_exist(report, &format!("{path}.stop.is"), field, &stop.is);
        }
    }
}

fn choices(report: &mut Report<'_>, path: &str, field: &Field) {
    if field.kind == FieldKind::Choice {
        if field.choices.len() < 2 {
            report.error(
                &format!("{path}.choices"),
                "Eine Auswahl ohne Auswahl.",
                "Ergänzen Sie mindestens zwei [[fields.choices]] mit value und label.",
            );
        }
        unique(report, &format!("{path}.choices"), field.choices.iter().map(|choice| choice.value.as_str()));
    } else if !field.choices.is_empty() {
        report.error(
            &format!("{path}.choices"),
            "Nur kind = \"choice\" hat eine Auswahl.",
            "Löschen Sie choices oder ändern Sie kind.",
        );
    }
}

fn limits(report: &mut Report<'_>, path: &str, field: &Field) {
    if field.kind == FieldKind::Number {
        match (field.min, field.max) {
            (Some(min), Some(max)) if min <= max => {}
            (Some(_), Some(_)) => {
                report.error(&format!("{path}.min"), "min ist größer als max.", "Tauschen Sie die beiden.");
            }
            (Some(_) | None, None) | (None, Some(_)) => {
                report.error(
                    &format!("{path}.min"),
                    "Eine Zahl ohne Grenzen.",
                    "Ergänzen Sie min und max, damit Tippfehler auffallen.",
                );
            }
        }
    } else if field.min.is_some() || field.max.is_some() {
        let key = if field.min.is_some() { "min" } else { "max" };
        report.error(
            &format!("{path}.{key}"),
            "Nur kind = \"number\" hat min und max.",
            "Löschen Sie die Grenze oder ändern Sie kind.",
        );
    }
    let text =
        matches!(field.kind, FieldKind::Text | FieldKind::LongText | FieldKind::Name | FieldKind::Place);
    match field.max_length {
        Some(0) => report.error(
            &format!("{path}.max_length"),
            "max_length ist 0.",
            "Schreiben Sie die größte Zahl der Zeichen.",
        ),
        Some(_) if !text => {
            report.error(
                &format!("{path}.max_length"),
                "max_length gilt nur für Texte.",
                "Löschen Sie die Zeile.",
            );
        }
        Some(_) | None => {}
    }
}

/// A condition names an earlier question with a closed set of answers, and only answers that exist.
pub(super) fn condition(
    report: &mut Report<'_>,
    path: &str,
    condition: Option<&Condition>,
    earlier: &[Field],
) {
    let Some(condition) = condition else { return };
    let Some(field) = earlier.iter().find(|field| field.id == condition.field) else {
        let known: Vec<&str> = earlier.iter().map(|field| field.id.as_str()).collect();
        report.error(
            &format!("{path}.field"),
            format!("„{}“ ist keine frühere Frage.", condition.field),
            format!("Nehmen Sie eine Frage, die vorher kommt: {}.", known.join(", ")),
        );
        return;
    };
    answers_exist(report, &format!("{path}.is"), field, &condition.is);
}

fn answers_exist(report: &mut Report<'_>, path: &str, field: &Field, answers: &[String]) {
    let possible: Vec<&str> = match field.kind {
        FieldKind::YesNo => vec!["ja", "nein"],
        FieldKind::Choice => field.choices.iter().map(|choice| choice.value.as_str()).collect(),
        FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Name
        | FieldKind::Date
        | FieldKind::BirthDate
        | FieldKind::Number
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Postcode
        | FieldKind::Place
        | FieldKind::NumberPlate => {
            report.error(
                path,
                format!("„{}“ ist eine freie Antwort; daran lässt sich nichts knüpfen.", field.id),
                "Knüpfen Sie an eine Frage mit yes_no oder choice an.",
            );
            return;
        }
    };
    if answers.is_empty() {
        report.error(
            path,
            "Die Liste der Antworten ist leer.",
            format!("Möglich sind: {}.", possible.join(", ")),
        );
    }
    for answer in answers {
        if !possible.contains(&answer.as_str()) {
            report.error(
                path,
                format!("Die Antwort „{answer}“ gibt es bei „{}“ nicht.", field.id),
                format!("Möglich sind: {}.", possible.join(", ")),
            );
        }
    }
}

pub(super) fn documents(report: &mut Report<'_>, service: &Service) {
    unique(report, "documents", service.documents.iter().map(|document| document.id.as_str()));
    for (index, document) in service.documents.iter().enumerate() {
        let path = format!("documents.{index}");
        identifier(report, &format!("{path}.id"), &document.id);
        condition(report, &format!("{path}.only_if"), document.only_if.as_ref(), &service.fields);
        if document.reason.values().all(|reason| reason.trim().is_empty()) {
            report.error(
                &format!("{path}.reason"),
                "Es fehlt, wozu das Dokument gebraucht wird.",
                "Schreiben Sie den Grund in einem Satz (Art. 5 DSGVO, Datenminimierung).",
            );
        }
        if document.formats.is_empty() {
            report.error(
                &format!("{path}.formats"),
                "Kein Dateityp ist erlaubt.",
                "Schreiben Sie z. B. [\"pdf\", \"jpeg\", \"png\"].",
            );
        }
        if document.max_mb == 0 || document.max_mb > MAX_MB {
            report.error(
                &format!("{path}.max_mb"),
                format!("{} MB ist keine brauchbare Grenze.", document.max_mb),
                format!("Schreiben Sie 1 bis {MAX_MB}; üblich sind 7."),
            );
        }
        if document.max_files == 0 || document.max_files > 20 {
            report.error(
                &format!("{path}.max_files"),
                format!("{} Dateien ist keine brauchbare Grenze.", document.max_files),
                "Schreiben Sie 1 bis 20.",
            );
        }
    }
}

/// Ids of a list must differ.
pub(super) fn unique<'a>(report: &mut Report<'_>, list: &str, ids: impl Iterator<Item = &'a str>) {
    let mut seen = BTreeSet::new();
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            let key = if list.ends_with("choices") { "value" } else { "id" };
            report.error(
                &format!("{list}.{index}.{key}"),
                format!("„{id}“ gibt es zweimal."),
                "Geben Sie jedem Eintrag eine eigene Kennung.",
            );
        }
    }
}

fn identifier(report: &mut Report<'_>, path: &str, id: &str) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(plain) {
        report.error(
            path,
            format!("Die Kennung „{id}“ hat unerlaubte Zeichen."),
            "Nehmen Sie Kleinbuchstaben, Ziffern und Unterstriche.",
        );
    }
}

/// Why `answer` is no valid answer to `field`; `None` = accepted. Only what can be told without a calendar or
/// a list of names: the form engine judges answers of people.
fn refuses(field: &Field, answer: &str) -> Option<String> {
    let answer = answer.trim();
    if answer.is_empty() {
        return Some("es ist leer".to_owned());
    }
    let lower = answer.to_lowercase();
    let (accepted, problem) = match field.kind {
        FieldKind::Text | FieldKind::LongText | FieldKind::Name | FieldKind::Place => {
            let length = answer.chars().count();
            (field.max_length.is_none_or(|max| length <= max), "es ist länger als max_length")
        }
        FieldKind::Date | FieldKind::BirthDate => (is_day(answer), "verlangt wird ein Datum wie 12.03.1985"),
        FieldKind::Number => (
            answer.parse::<i64>().is_ok_and(|number| {
                field.min.is_none_or(|min| number >= min) && field.max.is_none_or(|max| number <= max)
            }),
            "verlangt wird eine ganze Zahl zwischen min und max",
        ),
        FieldKind::YesNo => (["ja", "nein"].contains(&lower.as_str()), "verlangt wird ja oder nein"),
        FieldKind::Choice => (
            field.choices.iter().any(|choice| {
                choice.value == answer
                    || choice.label.values().any(|label| label.to_lowercase() == lower)
                    || choice.synonyms.iter().any(|word| word.to_lowercase() == lower)
            }),
            "es steht nicht in choices",
        ),
        FieldKind::Email => (
            answer.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')),
            "verlangt wird eine E-Mail-Adresse",
        ),
        FieldKind::Phone => {
            (answer.chars().filter(char::is_ascii_digit).count() >= 5, "verlangt wird eine Telefonnummer")
        }
        FieldKind::Postcode => {
            (answer.len() == 5 && answer.bytes().all(|b| b.is_ascii_digit()), "verlangt werden fünf Ziffern")
        }
        FieldKind::NumberPlate => (is_number_plate(&lower), "verlangt wird ein Kennzeichen wie PB-AB 123"),
    };
    if accepted { None } else { Some(problem.to_owned()) }
}

/// `12.3.1985`, `12.03.1985` or `1985-03-12`.
fn is_day(text: &str) -> bool {
    let parts: Vec<i16> = text.split('.').filter_map(|part| part.parse().ok()).collect();
    let german = match parts[..] {
        [day, month, year] => i8::try_from(day)
            .ok()
            .zip(i8::try_from(month).ok())
            .is_some_and(|(day, month)| jiff::civil::Date::new(year, month, day).is_ok()),
        _ => false,
    };
    german || iso_date(text).is_some()
}

/// Plates of the district: PB or BÜR, one or two letters, one to four digits, eight characters in all.
fn is_number_plate(lower: &str) -> bool {
    let compact: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let Some(rest) = compact.strip_prefix("pb").or_else(|| compact.strip_prefix("bür")) else {
        return false;
    };
    let letters = rest.chars().take_while(char::is_ascii_lowercase).count();
    let digits = rest.chars().skip(letters).collect::<String>();
    (1..=2).contains(&letters)
        && (1..=4).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
        && compact.chars().count() <= 8
}
