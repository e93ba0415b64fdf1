//! The form engine: which question comes next, whether an answer is valid, how it is shown again.
//!
//! It reads a service definition and a draft and changes nothing itself. It does not speak: a wrong answer comes
//! back as the key of a sentence. What a citizen sends is always judged here, whatever a page checked before.

mod answer;

use std::collections::{BTreeMap, BTreeSet};

use amtsbote_knowledge::{DocumentItem, Field, FieldKind, Service, localized};
use jiff::civil::Date;

pub use answer::{Invalid, parse_date, place_parts, validate};

/// The answers of a form: field id → normalised value.
pub type Answers = BTreeMap<String, String>;

/// What comes next in a form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step<'a> {
    /// A question.
    Field(&'a Field),
    /// A document.
    Document(&'a DocumentItem),
    /// Nothing is open: the review.
    Review,
}

/// What is already there.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The answers.
    pub answers: &'a Answers,
    /// Optional fields and documents that were skipped.
    pub skipped: &'a BTreeSet<String>,
    /// Documents that are there or come later, by item.
    pub settled: &'a BTreeSet<String>,
}

/// The fields that apply under these answers.
pub fn fields<'a>(service: &'a Service, answers: &Answers) -> Vec<&'a Field> {
    service.fields.iter().filter(|field| field.only_if.as_ref().is_none_or(|c| c.holds(answers))).collect()
}

/// The documents that apply under these answers.
pub fn documents<'a>(service: &'a Service, answers: &Answers) -> Vec<&'a DocumentItem> {
    service.documents.iter().filter(|item| item.only_if.as_ref().is_none_or(|c| c.holds(answers))).collect()
}

/// The next open question or document.
pub fn next_step<'a>(service: &'a Service, progress: Progress<'_>) -> Step<'a> {
    let open_field = fields(service, progress.answers)
        .into_iter()
        .find(|field| !progress.answers.contains_key(&field.id) && !progress.skipped.contains(&field.id));
    if let Some(field) = open_field {
        return Step::Field(field);
    }
    documents(service, progress.answers)
        .into_iter()
        .find(|item| !progress.settled.contains(&item.id) && !progress.skipped.contains(&item.id))
        .map_or(Step::Review, Step::Document)
}

/// (number of this step, number of steps) of the field or document with this id, counted from 1.
pub fn position(service: &Service, answers: &Answers, id: &str) -> (usize, usize) {
    let ids: Vec<&str> = fields(service, answers)
        .into_iter()
        .map(|field| field.id.as_str())
        .chain(documents(service, answers).into_iter().map(|item| item.id.as_str()))
        .collect();
    let place = ids.iter().position(|known| *known == id).map_or(ids.len(), |index| index + 1);
    (place, ids.len())
}

/// Drops answers that no longer apply. Returns their ids, so that the citizen is told.
pub fn drop_dependents(service: &Service, answers: &mut Answers) -> Vec<String> {
    let mut dropped = Vec::new();
    loop {
        let gone = service.fields.iter().find(|field| {
            answers.contains_key(&field.id) && field.only_if.as_ref().is_some_and(|c| !c.holds(answers))
        });
        let Some(field) = gone else { return dropped };
        answers.remove(&field.id);
        dropped.push(field.id.clone());
    }
}

/// The answer as people read it.
pub fn display(field: &Field, value: &str, language: &str) -> String {
    match field.kind {
        FieldKind::Choice => field
            .choices
            .iter()
            .find(|choice| choice.value == value)
            .map_or_else(|| value.to_owned(), |choice| localized(&choice.label, language).to_owned()),
        FieldKind::YesNo => match (value, language == "en") {
            ("ja", false) => "Ja".to_owned(),
            ("ja", true) => "Yes".to_owned(),
            ("nein", true) => "No".to_owned(),
            _ => "Nein".to_owned(),
        },
        FieldKind::Date | FieldKind::BirthDate => value
            .parse::<Date>()
            .map_or_else(|_| value.to_owned(), |date| date.strftime("%d.%m.%Y").to_string()),
        FieldKind::Text
        | FieldKind::LongText
        | FieldKind::Name
        | FieldKind::Number
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Postcode
        | FieldKind::Place
        | FieldKind::NumberPlate => value.to_owned(),
    }
}

/// All answers as people read them, by field id; for tenor, reasons and certificates.
pub fn displayed(service: &Service, answers: &Answers, language: &str) -> BTreeMap<String, String> {
    service
        .fields
        .iter()
        .filter_map(|field| {
            answers.get(&field.id).map(|value| (field.id.clone(), display(field, value, language)))
        })
        .collect()
}

/// The fields that a login fills, with valid values only.
pub fn from_profile(service: &Service, attribute: impl Fn(&str) -> Option<String>, today: Date) -> Answers {
    service
        .fields
        .iter()
        .filter_map(|field| {
            let value = attribute(field.from_profile.as_deref()?)?;
            validate(field, &value, today).ok().map(|value| (field.id.clone(), value))
        })
        .collect()
}

/// The field that a citizen names ("Nachname", "PLZ", "geburtsdatum").
pub fn field_named<'a>(
    service: &'a Service,
    answers: &Answers,
    name: &str,
    language: &str,
) -> Option<&'a Field> {
    const SHORT: [(&str, &str); 8] = [
        ("plz", "postcode"),
        ("name", "family_name"),
        ("hausnummer", "street"),
        ("adresse", "street"),
        ("anschrift", "street"),
        ("ort", "city"),
        ("geburtstag", "birth_date"),
        ("mail", "email"),
    ];
    let wanted = fold(name);
    if wanted.is_empty() {
        return None;
    }
    let applicable = fields(service, answers);
    let exact = applicable.iter().find(|field| {
        field.id == wanted
            || fold(localized(&field.label, language)) == wanted
            || fold(localized(&field.label, "de")) == wanted
            || SHORT.iter().any(|(short, id)| *short == wanted && field.id == *id)
    });
    exact
        .or_else(|| {
            applicable.iter().find(|field| {
                wanted.chars().count() >= 4
                    && (fold(localized(&field.label, "de")).contains(&wanted)
                        || fold(localized(&field.label, language)).contains(&wanted))
            })
        })
        .copied()
}

fn fold(text: &str) -> String {
    text.trim().trim_matches(['"', '„', '“', ':', '.']).to_lowercase()
}

/// "30,40 €".
pub fn euros(cents: i64) -> String {
    format!("{}{},{:02} €", if cents < 0 { "-" } else { "" }, (cents / 100).abs(), (cents % 100).abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use amtsbote_knowledge::Catalogue;

    fn answers(pairs: &[(&str, &str)]) -> Answers {
        pairs.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_changed_answer_drops_only_what_depends_on_it() {
        let catalogue = Catalogue::embedded().expect("catalogue");
        let service = catalogue.get("liegenschaftskarte").expect("service");
        let mut given =
            answers(&[("known_as", "flurstueck"), ("gemarkung", "Elsen"), ("flur", "7"), ("format", "a4")]);
        given.insert("known_as".to_owned(), "adresse".to_owned());
        let mut dropped = drop_dependents(service, &mut given);
        dropped.sort();
        assert_eq!(dropped, ["flur", "gemarkung"]);
        assert!(given.contains_key("format"));
    }

    #[test]
    fn money_is_written_as_people_write_it() {
        for (cents, text) in [(0, "0,00 €"), (5, "0,05 €"), (3040, "30,40 €"), (-250, "-2,50 €")] {
            assert_eq!(euros(cents), text);
        }
    }
}
