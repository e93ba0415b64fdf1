//! Filling in an application: questions one at a time, corrections, files, review, declaration, filing.
//! Whether an answer is valid says `form`; whether this is the place for it says `permission`.

use std::collections::BTreeSet;

use amtsbote_intents::Command;
use amtsbote_knowledge::{DocumentFormat, DocumentItem, Field, FieldKind, Service, Trust, localized};

use super::control::repeat_question;
use super::steering::{ask_again_choices, at_review, complete_document, resume_code, skip};
use super::{Act, Draft, Pending, Talk};
use crate::form::{self, Answers, Invalid, Progress, Step};
use crate::id::DocumentId;
use crate::message::{Part, ReviewRow};
use crate::permission::{self, Verdict};
use crate::understand::Understood;

/// The wrong answer after which other ways are offered instead of the same question again.
const ATTEMPTS: u8 = 2;

/// Begins the form, or says what has to come first.
pub(super) fn begin(talk: &mut Talk<'_>, service: &Service) {
    let facts = talk.facts;
    talk.state.about = Some(service.id.clone());
    if !service.is_online() {
        // A conversation may be older than the catalogue.
        super::answer::introduce(talk, service);
        return;
    }
    match permission::verdict(facts.channel, facts.trust, permission::form_act(service)) {
        Verdict::Allowed | Verdict::DraftOnly => {}
        Verdict::LinkOnly | Verdict::Coarse | Verdict::Refused => {
            talk.state.pending = Pending::Login { service: service.id.clone() };
            ask_login(talk, &service.id);
            return;
        }
    }
    let given = facts.profile.as_ref().map_or_else(Answers::new, |profile| {
        form::from_profile(service, |name| profile.attribute(name).map(str::to_owned), facts.today)
    });
    let from_login: BTreeSet<String> = given.keys().cloned().collect();
    if !from_login.is_empty() {
        talk.say("form.from_login");
    } else if permission::may_submit(facts.channel, facts.trust, service).is_err() {
        talk.say("form.login_at_end");
        talk.link("link.login_now", "/login");
    }
    talk.state.draft = Some(Draft {
        id: facts.fresh_id.clone(),
        service: service.id.clone(),
        answers: given,
        from_login,
        skipped: BTreeSet::new(),
        documents: Vec::new(),
        complete_items: BTreeSet::new(),
        later: BTreeSet::new(),
        order: Vec::new(),
        trust: facts.trust,
    });
    go_on(talk);
}

/// Says why a login is needed, and where.
pub(super) fn ask_login(talk: &mut Talk<'_>, service: &str) {
    let Some(service) = talk.service(service) else { return };
    let needed = permission::may_submit(talk.facts.channel, talk.facts.trust, service)
        .err()
        .unwrap_or(service.trust.submit)
        .max(Trust::T1);
    let level = talk.text(match needed {
        Trust::T0 | Trust::T1 => "login.level_1",
        Trust::T2 => "login.level_2",
        Trust::T3 => "login.level_3",
    });
    let phone = talk.facts.phone.clone();
    talk.say_filled("login.needed", &[("level", &level), ("phone", &phone)]);
    talk.link("link.login", "/login");
}

/// Goes on after a login: the same matter, the same place.
pub(super) fn logged_in(talk: &mut Talk<'_>) {
    let name =
        talk.facts.profile.as_ref().and_then(|p| p.attribute("given_name")).unwrap_or_default().to_owned();
    talk.say_filled("login.done", &[("name", &name)]);
    match talk.state.pending.clone() {
        Pending::Login { service } if talk.state.draft.is_none() => {
            if let Some(service) = talk.service(&service) {
                begin(talk, service);
            }
        }
        _ => {
            let Some(service) = talk.draft_service() else {
                if talk.facts.cases.is_empty() {
                    talk.say("greeting.ask");
                } else {
                    talk.link("link.portal", "/portal");
                }
                return;
            };
            let profile = talk.facts.profile.as_ref();
            let given = form::from_profile(
                service,
                |name| profile.and_then(|profile| profile.attribute(name)).map(str::to_owned),
                talk.facts.today,
            );
            if let Some(draft) = &mut talk.state.draft {
                for (id, value) in given {
                    // Who skipped a question before has not answered it by logging in.
                    if !draft.answers.contains_key(&id) && !draft.skipped.contains(&id) {
                        draft.from_login.insert(id.clone());
                        draft.answers.insert(id, value);
                    }
                }
                draft.trust = draft.trust.max(talk.facts.trust);
            }
            go_on(talk);
        }
    }
}

/// Asks what comes next.
pub(super) fn go_on(talk: &mut Talk<'_>) {
    let Some(service) = talk.draft_service() else {
        talk.state.draft = None;
        talk.state.pending = Pending::None;
        talk.say("form.service_gone");
        return;
    };
    let Some(draft) = &talk.state.draft else { return };
    let settled = draft.settled();
    let progress = Progress { answers: &draft.answers, skipped: &draft.skipped, settled: &settled };
    match form::next_step(service, progress) {
        Step::Field(field) => {
            talk.state.pending = Pending::Field { field: field.id.clone(), attempts: 0 };
            ask_field(talk, service, field, false);
        }
        Step::Document(item) => {
            talk.state.pending = Pending::Document { item: item.id.clone() };
            ask_document(talk, service, item);
        }
        Step::Review => {
            talk.state.pending = Pending::Review;
            review(talk, service);
        }
    }
}

/// The open question of the form again, in its short form.
pub(super) fn ask_again(talk: &mut Talk<'_>) {
    let Some(service) = talk.draft_service() else { return };
    match talk.state.pending.clone() {
        Pending::Field { field, .. } => {
            if let Some(field) = service.fields.iter().find(|known| known.id == field) {
                ask_field(talk, service, field, true);
            }
        }
        Pending::Document { item } => {
            if let Some(item) = service.documents.iter().find(|known| known.id == item) {
                ask_document(talk, service, item);
            }
        }
        Pending::Review => review(talk, service),
        Pending::Declare => declare(talk, service),
        _ => {}
    }
}

fn ask_field(talk: &mut Talk<'_>, service: &Service, field: &Field, short: bool) {
    let Some(draft) = &talk.state.draft else { return };
    let (number, count) = form::position(service, &draft.answers, &field.id);
    let progress =
        talk.filled("form.progress", &[("number", &number.to_string()), ("count", &count.to_string())]);
    let shows_example = !matches!(field.kind, FieldKind::Choice | FieldKind::YesNo | FieldKind::LongText);
    let hint = if short {
        String::new()
    } else if shows_example {
        let example = form::display(field, &field.example, &talk.language);
        talk.filled("form.example", &[("example", &example)])
    } else {
        String::new()
    };
    let text = localized(&field.question, &talk.language).to_owned();
    talk.part(Part::Question { progress, text, hint });
    let mut choices: Vec<(String, String)> = match field.kind {
        FieldKind::Choice => field
            .choices
            .iter()
            .map(|choice| {
                (format!("answer:{}", choice.value), localized(&choice.label, &talk.language).to_owned())
            })
            .collect(),
        FieldKind::YesNo => vec![
            ("answer:ja".to_owned(), talk.text("choice.yes")),
            ("answer:nein".to_owned(), talk.text("choice.no")),
        ],
        _ => Vec::new(),
    };
    if field.optional {
        choices.push(("skip".to_owned(), talk.text("choice.skip")));
    }
    if !choices.is_empty() {
        talk.offer(choices);
    }
}

fn ask_document(talk: &mut Talk<'_>, service: &Service, item: &DocumentItem) {
    let Some(draft) = &talk.state.draft else { return };
    let (number, count) = form::position(service, &draft.answers, &item.id);
    let received = draft.documents.iter().filter(|(id, _, _)| *id == item.id).count();
    let progress =
        talk.filled("form.progress", &[("number", &number.to_string()), ("count", &count.to_string())]);
    let label = localized(&item.label, &talk.language).to_owned();
    let text = if received == 0 {
        talk.filled("form.document", &[("label", &label)])
    } else {
        talk.filled("form.document_more", &[("label", &label)])
    };
    let hint = localized(&item.reason, &talk.language).to_owned();
    talk.part(Part::Question { progress, text, hint });
    let limits = upload_limits(talk, &item.formats, item.max_mb);
    talk.part(Part::Upload { limits });
    let mut choices = Vec::new();
    if received > 0 {
        choices.push(("complete", "choice.document_complete"));
    }
    if item.later_allowed && received == 0 {
        choices.push(("later", "choice.later"));
    }
    if item.optional && received == 0 {
        choices.push(("skip", "choice.skip"));
    }
    if !choices.is_empty() {
        talk.offer_keys(&choices);
    }
}

/// "PDF, JPG oder PNG, höchstens 7 MB".
pub(super) fn upload_limits(talk: &Talk<'_>, formats: &[DocumentFormat], max_mb: u32) -> String {
    let names: Vec<&str> = formats
        .iter()
        .map(|format| match format {
            DocumentFormat::Pdf => "PDF",
            DocumentFormat::Jpeg => "JPG",
            DocumentFormat::Png => "PNG",
            DocumentFormat::Docx => "DOCX",
        })
        .collect();
    talk.filled("form.upload_limits", &[("formats", &names.join(", ")), ("limit", &max_mb.to_string())])
}

pub(super) fn review(talk: &mut Talk<'_>, service: &Service) {
    let Some(draft) = &talk.state.draft else { return };
    let from_login = talk.text("review.from_login");
    let mut rows: Vec<ReviewRow> = form::fields(service, &draft.answers)
        .into_iter()
        .map(|field| {
            let value = draft.answers.get(&field.id).map_or_else(
                || talk.text("review.skipped"),
                |value| {
                    let shown = form::display(field, value, &talk.language);
                    if draft.from_login.contains(&field.id) {
                        format!("{shown} ({from_login})")
                    } else {
                        shown
                    }
                },
            );
            ReviewRow {
                label: localized(&field.label, &talk.language).to_owned(),
                value,
                change: format!("change:{}", field.id),
            }
        })
        .collect();
    for item in form::documents(service, &draft.answers) {
        let names: Vec<&str> = draft
            .documents
            .iter()
            .filter(|(id, _, _)| *id == item.id)
            .map(|(_, _, name)| name.as_str())
            .collect();
        let value = if !names.is_empty() {
            names.join(", ")
        } else if draft.later.contains(&item.id) {
            talk.text("review.later")
        } else {
            talk.text("review.skipped")
        };
        rows.push(ReviewRow {
            label: localized(&item.label, &talk.language).to_owned(),
            value,
            change: format!("change:{}", item.id),
        });
    }
    let total = service.fee.as_ref().map_or(0, |fee| fee.total_cents(&draft.answers));
    talk.say("review.check");
    talk.part(Part::Review { rows });
    if total > 0 {
        let amount = form::euros(total);
        talk.say_filled("review.fee", &[("amount", &amount)]);
    } else {
        talk.say("review.free");
    }
    let submit = if service.declaration.is_some() { "choice.review_right" } else { "choice.submit" };
    talk.offer_keys(&[("submit", submit), ("pause", "choice.pause"), ("cancel", "choice.cancel")]);
}

pub(super) fn declare(talk: &mut Talk<'_>, service: &Service) {
    let Some(declaration) = &service.declaration else { return };
    talk.say("declare.intro");
    let text = localized(&declaration.text, &talk.language).trim().to_owned();
    talk.part(Part::Text { text });
    talk.say("declare.warning");
    talk.offer_keys(&[
        ("declare", "choice.declare"),
        ("review", "choice.back_to_review"),
        ("cancel", "choice.cancel"),
    ]);
}

/// Files the draft if this is the place for it.
pub(super) fn submit(talk: &mut Talk<'_>, service: &Service) {
    if permission::may_submit(talk.facts.channel, talk.facts.trust, service).is_ok() {
        talk.acts.push(Act::Submit);
    } else {
        talk.state.pending = Pending::Review;
        talk.say("form.kept");
        ask_login(talk, &service.id);
    }
}

/// Asks for the field or document with this id.
pub(super) fn ask_id(talk: &mut Talk<'_>, service: &Service, id: &str) {
    if let Some(field) = service.fields.iter().find(|field| field.id == id) {
        talk.state.pending = Pending::Field { field: field.id.clone(), attempts: 0 };
        ask_field(talk, service, field, false);
    } else if let Some(item) = service.documents.iter().find(|item| item.id == id) {
        talk.state.pending = Pending::Document { item: item.id.clone() };
        ask_document(talk, service, item);
    } else {
        go_on(talk);
    }
}

pub(super) fn open_field<'a>(talk: &Talk<'a>) -> Option<&'a Field> {
    let service = talk.draft_service()?;
    match &talk.state.pending {
        Pending::Field { field, .. } => service.fields.iter().find(|known| known.id == *field),
        _ => None,
    }
}

/// "ändern: Name", "nein, Hausnummer 12".
pub(super) fn correction(talk: &mut Talk<'_>, words: &Understood) -> bool {
    let Some(correction) = &words.correction else { return false };
    let Some(service) = talk.draft_service() else { return false };
    let Some(draft) = &talk.state.draft else { return false };
    if correction.field.trim().is_empty() {
        // "ich meinte 13.8.1985": the last answer.
        let Some(last) = draft.order.last().cloned() else { return false };
        return correction.value.as_deref().is_some_and(|value| change(talk, &last, Some(value)));
    }
    // "ändern: Hinweise auf …": a label may itself hold the word that otherwise leads to a value.
    let whole = words.text.split_once(':').map(|(_, label)| label.trim().to_lowercase());
    let labelled = whole.and_then(|label| {
        form::fields(service, &draft.answers)
            .into_iter()
            .find(|field| localized(&field.label, &talk.language).to_lowercase() == label)
    });
    if let Some(field) = labelled {
        return change(talk, &field.id, None);
    }
    let named = form::field_named(service, &draft.answers, &correction.field, &talk.language);
    if let Some(field) = named {
        let value = correction.value.as_deref().map(|value| {
            let number = correction.field.to_lowercase().contains("hausnummer");
            match (number, draft.answers.get(&field.id)) {
                (true, Some(street)) => with_house_number(street, value),
                _ => value.to_owned(),
            }
        });
        return change(talk, &field.id, value.as_deref());
    }
    let label = correction.field.to_lowercase();
    let item = form::documents(service, &draft.answers)
        .into_iter()
        .find(|item| localized(&item.label, &talk.language).to_lowercase().contains(label.trim()))
        .map(|item| item.id.clone());
    match item {
        Some(item) => change(talk, &item, None),
        None if talk.in_form() && names_change(&words.text) => {
            talk.say("change.unknown");
            ask_again(talk);
            true
        }
        None => false,
    }
}

/// Whether the words begin as a wish to change something, whatever it is.
fn names_change(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["änder", "aender", "korrig", "korrektur", "change", "correct"].iter().any(|word| lower.starts_with(word))
}

/// "Hauptstraße 3" with the number 12 is "Hauptstraße 12".
fn with_house_number(street: &str, number: &str) -> String {
    let name = street.trim_end_matches(|c: char| c.is_ascii_alphanumeric() && !c.is_alphabetic());
    let name = match street.rfind(' ') {
        Some(space) if street[space..].contains(|c: char| c.is_ascii_digit()) => &street[..space],
        _ => name,
    };
    format!("{} {}", name.trim_end(), number.trim())
}

/// Changes an answer: at once with a value, else by asking again.
pub(super) fn change(talk: &mut Talk<'_>, id: &str, value: Option<&str>) -> bool {
    let Some(service) = talk.draft_service() else { return false };
    if let Some(item) = service.documents.iter().find(|item| item.id == id) {
        if let Some(draft) = &mut talk.state.draft {
            let gone: Vec<DocumentId> = draft
                .documents
                .iter()
                .filter(|(known, _, _)| *known == item.id)
                .map(|(_, document, _)| document.clone())
                .collect();
            draft.documents.retain(|(known, _, _)| *known != item.id);
            draft.complete_items.remove(&item.id);
            draft.later.remove(&item.id);
            draft.skipped.remove(&item.id);
            talk.acts.extend(gone.into_iter().map(Act::RemoveDocument));
        }
        ask_id(talk, service, id);
        return true;
    }
    let Some(field) = service.fields.iter().find(|field| field.id == id) else { return false };
    match value {
        None => {
            ask_id(talk, service, id);
            true
        }
        Some(value) => match form::validate(field, value, talk.facts.today) {
            Ok(normal) => {
                let label = localized(&field.label, &talk.language).to_owned();
                let shown = form::display(field, &normal, &talk.language);
                talk.say_filled("change.done", &[("label", &label), ("value", &shown)]);
                store(talk, service, field, normal);
                true
            }
            Err(invalid) => {
                ask_id(talk, service, id);
                let text = invalid_text(talk, &invalid);
                talk.reply.parts.insert(0, Part::Text { text });
                true
            }
        },
    }
}

fn invalid_text(talk: &Talk<'_>, invalid: &Invalid) -> String {
    let values: Vec<(&str, &str)> = invalid.values.iter().map(|(k, v)| (*k, v.as_str())).collect();
    talk.filled(invalid.key, &values)
}

/// A valid answer to the open question.
pub(super) fn answer(talk: &mut Talk<'_>, words: &Understood) -> bool {
    match talk.state.pending.clone() {
        Pending::Field { .. } => {
            let Some(field) = open_field(talk) else { return false };
            // In free text every sentence would be valid; one that clearly asks for another service is not meant
            // as an answer.
            let free = matches!(field.kind, FieldKind::Text | FieldKind::Place | FieldKind::Name);
            if free && super::answer::asks_for_other(talk, words) {
                return false;
            }
            let courtesy = matches!(
                words.command,
                Some(
                    Command::Greeting
                        | Command::Thanks
                        | Command::Goodbye
                        | Command::Help
                        | Command::WhoAreYou
                )
            );
            if courtesy && field.kind != FieldKind::Choice {
                return false;
            }
            if words.abusive && free {
                return false;
            }
            if is_side_question(field, words) {
                return false;
            }
            let declines = field.optional && words.yes_no == Some(false);
            if declines && !matches!(field.kind, FieldKind::Choice | FieldKind::YesNo) {
                return skip(talk);
            }
            if field.optional && field.kind == FieldKind::LongText && words.yes_no == Some(true) {
                talk.say("form.go_ahead");
                return true;
            }
            take_answer(talk, &words.text)
        }
        Pending::Document { .. } if words.yes_no == Some(true) => complete_document(talk),
        Pending::Review if words.yes_no == Some(true) => at_review(talk),
        Pending::Declare if words.yes_no == Some(true) => {
            // A declaration is made by its button or its words, never by a bare "ja".
            talk.say("declare.press");
            ask_again(talk);
            true
        }
        Pending::ResumeCode => resume_code(talk, &words.text),
        _ => false,
    }
}

/// Whether the words ask something instead of answering. In free text every sentence would be valid; where a place or
/// a description is wanted, only a question mark tells ("Wo früher die Post war").
fn is_side_question(field: &Field, words: &Understood) -> bool {
    /// A shorter one may be a name or a place ("Wie im Ausweis").
    const WORDS: usize = 4;
    let marked = words.text.trim_end().ends_with(['?', '؟']);
    match field.kind {
        FieldKind::Text | FieldKind::Name => {
            words.question && (marked || words.text.split_whitespace().count() >= WORDS)
        }
        // A remark may end with a question to the office, but hardly begin with one.
        FieldKind::Place | FieldKind::LongText => {
            marked && !words.text.trim_end_matches(['?', '؟', ' ']).contains(['.', '!', '?', '\n'])
        }
        _ => false,
    }
}

pub(super) fn take_answer(talk: &mut Talk<'_>, text: &str) -> bool {
    let Some(service) = talk.draft_service() else { return false };
    let Some(field) = open_field(talk) else { return false };
    if take_address(talk, service, field, text) {
        return true;
    }
    let Ok(normal) = form::validate(field, text, talk.facts.today) else { return false };
    if let Some(stop) = field.stop.as_ref().filter(|stop| stop.is.contains(&normal)) {
        let say = localized(&stop.say, &talk.language).to_owned();
        if let Some(draft) = &mut talk.state.draft {
            draft.answers.insert(field.id.clone(), normal);
            draft.order.push(field.id.clone());
        }
        talk.part(Part::Notice { text: say });
        talk.acts.push(Act::Queue);
        return true;
    }
    store(talk, service, field, normal);
    true
}

/// "Hauptstraße 3, 33098 Paderborn" answers three questions at once.
fn take_address(talk: &mut Talk<'_>, service: &Service, field: &Field, text: &str) -> bool {
    if field.id != "street" {
        return false;
    }
    let known = |id: &str| service.fields.iter().any(|field| field.id == id);
    let Some((street, postcode, city)) = form::place_parts(text) else { return false };
    if !known("postcode") || !known("city") {
        return false;
    }
    talk.say_filled("form.address_read", &[("street", &street), ("postcode", &postcode), ("city", &city)]);
    if let Some(draft) = &mut talk.state.draft {
        for (id, value) in [("street", street), ("postcode", postcode), ("city", city)] {
            draft.answers.insert(id.to_owned(), value);
            draft.skipped.remove(id);
        }
        draft.order.push("street".to_owned());
    }
    go_on(talk);
    true
}

fn store(talk: &mut Talk<'_>, service: &Service, field: &Field, normal: String) {
    let mut dropped = Vec::new();
    if let Some(draft) = &mut talk.state.draft {
        draft.answers.insert(field.id.clone(), normal);
        draft.from_login.remove(&field.id);
        draft.skipped.remove(&field.id);
        // A changed answer keeps its place, so that "zurück" goes to the question before this one.
        if !draft.order.contains(&field.id) {
            draft.order.push(field.id.clone());
        }
        draft.trust = draft.trust.max(talk.facts.trust);
        dropped = form::drop_dependents(service, &mut draft.answers);
        draft.order.retain(|id| !dropped.contains(id));
        // Files of an item that no longer applies are nobody's business any more.
        let applies: Vec<&str> =
            form::documents(service, &draft.answers).into_iter().map(|item| item.id.as_str()).collect();
        let gone = draft.documents.iter().filter(|(item, _, _)| !applies.contains(&item.as_str()));
        talk.acts.extend(gone.map(|(_, document, _)| Act::RemoveDocument(document.clone())));
        draft.documents.retain(|(item, _, _)| applies.contains(&item.as_str()));
        draft.complete_items.retain(|item| applies.contains(&item.as_str()));
        draft.later.retain(|item| applies.contains(&item.as_str()));
    }
    if !dropped.is_empty() {
        let labels: Vec<&str> = service
            .fields
            .iter()
            .filter(|field| dropped.contains(&field.id))
            .map(|field| localized(&field.label, &talk.language))
            .collect();
        let labels = labels.join(", ");
        talk.say_filled("change.dropped", &[("labels", &labels)]);
    }
    talk.state.misses = 0;
    go_on(talk);
}

/// The open question was answered with something that is not valid.
pub(super) fn wrong_answer(talk: &mut Talk<'_>, words: &Understood) -> bool {
    if !talk.in_form() {
        return false;
    }
    let Some(field) = open_field(talk) else {
        talk.say(match talk.state.pending {
            Pending::Document { .. } => "form.wants_file",
            Pending::Declare => "declare.press",
            _ => "review.press",
        });
        ask_again(talk);
        return true;
    };
    let Pending::Field { attempts, .. } = &mut talk.state.pending else { return false };
    *attempts = attempts.saturating_add(1);
    let attempts = *attempts;
    let invalid = form::validate(field, &words.text, talk.facts.today).err();
    let could_be_meant = invalid.is_none() && is_side_question(field, words);
    if words.question {
        let phone = talk.facts.phone.clone();
        talk.say_filled("question.unknown", &[("phone", &phone)]);
    } else {
        let text =
            invalid.map_or_else(|| talk.text("form.not_understood"), |invalid| invalid_text(talk, &invalid));
        talk.part(Part::Text { text });
        let help = localized(&field.help, &talk.language).to_owned();
        if !help.is_empty() {
            talk.part(Part::Text { text: help });
        }
    }
    if attempts < ATTEMPTS {
        ask_again(talk);
        if could_be_meant {
            let label = talk.text("choice.my_answer");
            talk.offer(vec![(format!("answer:{}", words.text), label)]);
        }
    } else {
        // Never a third identical question: other ways are offered instead.
        talk.say("form.stuck");
        let mut further =
            vec![("pause", "choice.pause"), ("human", "choice.human"), ("cancel", "choice.cancel")];
        if field.optional {
            further.insert(0, ("skip", "choice.skip"));
        }
        if matches!(field.kind, FieldKind::Choice | FieldKind::YesNo) {
            ask_again_choices(talk, &further);
        } else {
            talk.offer_keys(&further);
        }
    }
    true
}

/// A file arrived.
pub(super) fn file(talk: &mut Talk<'_>, document: &DocumentId, name: &str, wanted: Option<&str>) {
    if let Some(item) = wanted.filter(|id| talk.facts.wanted.iter().any(|known| known.item == *id)) {
        talk.acts.push(Act::Supply { item: item.to_owned(), document: document.clone() });
        return;
    }
    if let (Pending::Document { item }, Some(service)) = (talk.state.pending.clone(), talk.draft_service())
        && let Some(item) = service.documents.iter().find(|known| known.id == item)
    {
        take_file(talk, service, item, document, name);
        return;
    }
    let open: Vec<(String, String)> = talk
        .facts
        .wanted
        .iter()
        .map(|wanted| (format!("wanted:{}", wanted.item), format!("{} ({})", wanted.label, wanted.number)))
        .collect();
    match open.as_slice() {
        [] => {
            talk.acts.push(Act::RemoveDocument(document.clone()));
            talk.say("file.not_expected");
            repeat_question(talk);
        }
        [_] => {
            let item = talk.facts.wanted[0].item.clone();
            talk.acts.push(Act::Supply { item, document: document.clone() });
        }
        _ => {
            talk.state.pending = Pending::PickWanted { document: document.clone() };
            talk.say("file.which");
            talk.offer(open);
        }
    }
}

fn take_file(talk: &mut Talk<'_>, service: &Service, item: &DocumentItem, document: &DocumentId, name: &str) {
    let act = match permission::form_act(service) {
        permission::PermissionAct::SpecialData => permission::PermissionAct::SpecialData,
        _ => permission::PermissionAct::Upload,
    };
    if permission::verdict(talk.facts.channel, talk.facts.trust, act) != Verdict::Allowed {
        talk.acts.push(Act::RemoveDocument(document.clone()));
        ask_login(talk, &service.id);
        return;
    }
    let mut count = 0;
    if let Some(draft) = &mut talk.state.draft {
        draft.documents.push((item.id.clone(), document.clone(), name.to_owned()));
        count = draft.documents.iter().filter(|(id, _, _)| *id == item.id).count();
    }
    let label = localized(&item.label, &talk.language).to_owned();
    talk.say_filled("file.received", &[("name", name), ("label", &label)]);
    if u32::try_from(count).unwrap_or(u32::MAX) >= item.max_files {
        complete_document(talk);
    } else {
        ask_document(talk, service, item);
    }
}
