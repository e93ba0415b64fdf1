//! Steering a form: pressed choices, back, cancel, pause, resume, skip, later, "weiß ich nicht". The draft is never
//! lost by any of it unless the citizen discards it.

use amtsbote_intents::Command;
use amtsbote_knowledge::{FieldKind, localized};

use super::control::repeat_question;
use super::filling::{ask_again, ask_id, change, declare, go_on, open_field, review, submit, take_answer};
use super::{Act, Pending, Talk};
use crate::form;
use crate::message::Part;
use crate::permission;
use crate::understand::Understood;

/// A pressed choice of a form or a review.
pub(super) fn pressed(talk: &mut Talk<'_>, _: &Understood) -> bool {
    let Some(pick) = talk.pick.clone() else { return false };
    if let Some(id) = pick.strip_prefix("change:") {
        return change(talk, id, None);
    }
    if let Some(value) = pick.strip_prefix("answer:") {
        return take_answer(talk, value);
    }
    match pick.as_str() {
        "continue" => {
            if talk.state.draft.is_some() {
                go_on(talk);
            } else {
                talk.state.pending = Pending::None;
                talk.say("greeting.ask");
            }
            true
        }
        "skip" => skip(talk),
        "later" if matches!(talk.state.pending, Pending::Document { .. }) => later(talk),
        "complete" => complete_document(talk),
        "submit" => at_review(talk),
        "declare" => declared(talk),
        "review" => back_to_review(talk),
        "pause" => pause(talk),
        "cancel" => cancel(talk),
        _ => false,
    }
}

fn back_to_review(talk: &mut Talk<'_>) -> bool {
    let Some(service) = talk.draft_service() else { return false };
    talk.state.pending = Pending::Review;
    review(talk, service);
    true
}

pub(super) fn at_review(talk: &mut Talk<'_>) -> bool {
    let Some(service) = talk.draft_service() else { return false };
    if talk.state.pending != Pending::Review {
        return false;
    }
    if service.declaration.is_some()
        && permission::may_submit(talk.facts.channel, talk.facts.trust, service).is_ok()
    {
        talk.state.pending = Pending::Declare;
        declare(talk, service);
    } else {
        submit(talk, service);
    }
    true
}

pub(super) fn declared(talk: &mut Talk<'_>) -> bool {
    let Some(service) = talk.draft_service() else { return false };
    if talk.state.pending != Pending::Declare {
        return false;
    }
    submit(talk, service);
    true
}

/// Commands that steer the form: back, cancel, pause, resume, review, repeat, submit.
pub(super) fn steering(talk: &mut Talk<'_>, words: &Understood) -> bool {
    if let Pending::CancelOrKeep | Pending::LeaveFor { .. } = talk.state.pending
        && leaving(talk, words)
    {
        return true;
    }
    if talk.state.pending == Pending::ResumeCode && words.command.is_none() {
        return resume_code(talk, &words.text);
    }
    match words.command {
        Some(Command::Back) => back(talk),
        Some(Command::Cancel | Command::Restart) => cancel(talk),
        Some(Command::Pause) => pause(talk),
        Some(Command::Resume) => resume(talk),
        Some(Command::Review) if talk.in_form() => {
            go_on(talk);
            true
        }
        Some(Command::Repeat) if talk.in_form() => {
            ask_again(talk);
            true
        }
        Some(Command::Submit) => at_review(talk) || declared(talk),
        Some(Command::Skip) if talk.in_form() => skip(talk),
        Some(Command::Later) if matches!(talk.state.pending, Pending::Document { .. }) => later(talk),
        Some(Command::DontKnow) if matches!(talk.state.pending, Pending::Field { .. }) => {
            // "unbekannt" can be the answer that the help asks for.
            let answer = open_field(talk).is_some_and(|field| field.kind == FieldKind::Text)
                && words.text.eq_ignore_ascii_case("unbekannt");
            if answer {
                return false;
            }
            talk.say("form.dont_know");
            dont_know(talk)
        }
        _ => false,
    }
}

fn leaving(talk: &mut Talk<'_>, words: &Understood) -> bool {
    let pick = talk.pick.clone().unwrap_or_default();
    let discard = pick == "discard" || words.text.to_lowercase().starts_with("verwerf");
    let keep = pick == "keep" || matches!(words.command, Some(Command::Pause | Command::Later));
    let stay = pick == "continue" || words.yes_no == Some(false) || words.command == Some(Command::Resume);
    let other = match &talk.state.pending {
        Pending::LeaveFor { service } => talk.service(service),
        _ => None,
    };
    if discard {
        talk.state.draft = None;
        talk.state.pending = Pending::None;
        talk.acts.push(Act::RemoveUnfiled);
        talk.say("cancel.discarded");
        match other {
            Some(service) => super::answer::introduce(talk, service),
            None => talk.say("greeting.ask"),
        }
        true
    } else if keep || (other.is_some() && words.yes_no == Some(true)) {
        talk.acts.push(Act::Park { code: talk.facts.fresh_code.clone() });
        // The code is told first, then the other service: see `outcome`.
        talk.state.pending = match other {
            Some(service) => Pending::Start { service: service.id.clone() },
            None => Pending::None,
        };
        true
    } else if stay {
        go_on(talk);
        true
    } else {
        false
    }
}

fn back(talk: &mut Talk<'_>) -> bool {
    let Some(service) = talk.draft_service() else {
        talk.state.pending = Pending::None;
        talk.say("back.nothing");
        talk.say("greeting.ask");
        return true;
    };
    if talk.state.pending == Pending::Declare {
        return back_to_review(talk);
    }
    let Some(draft) = &mut talk.state.draft else { return false };
    let Some(last) = draft.order.pop() else {
        talk.say("back.first");
        ask_again(talk);
        return true;
    };
    draft.answers.remove(&last);
    draft.skipped.remove(&last);
    draft.later.remove(&last);
    draft.complete_items.remove(&last);
    form::drop_dependents(service, &mut draft.answers);
    talk.say("back.done");
    ask_id(talk, service, &last);
    true
}

pub(super) fn cancel(talk: &mut Talk<'_>) -> bool {
    if talk.state.draft.is_none() {
        talk.state.pending = Pending::None;
        talk.say("cancel.nothing");
        talk.say("greeting.ask");
        return true;
    }
    talk.state.pending = Pending::CancelOrKeep;
    talk.say("cancel.ask");
    talk.offer_keys(&[
        ("keep", "choice.keep_draft"),
        ("discard", "choice.discard"),
        ("continue", "choice.continue"),
    ]);
    true
}

fn pause(talk: &mut Talk<'_>) -> bool {
    if talk.state.draft.is_none() {
        talk.say("pause.nothing");
        repeat_question(talk);
        return true;
    }
    talk.acts.push(Act::Park { code: talk.facts.fresh_code.clone() });
    true
}

fn resume(talk: &mut Talk<'_>) -> bool {
    if talk.state.draft.is_some() {
        talk.say("resume.here");
        go_on(talk);
        return true;
    }
    talk.state.pending = Pending::ResumeCode;
    talk.say("resume.ask_code");
    true
}

pub(super) fn resume_code(talk: &mut Talk<'_>, text: &str) -> bool {
    let code: String = text.to_uppercase().chars().filter(char::is_ascii_alphanumeric).collect();
    if code.len() != super::RESUME_CODE_LENGTH {
        return false;
    }
    talk.acts.push(Act::Resume { code });
    true
}

pub(super) fn skip(talk: &mut Talk<'_>) -> bool {
    let Some(service) = talk.draft_service() else { return false };
    let (id, optional) = match &talk.state.pending {
        Pending::Field { field, .. } => {
            let optional = service.fields.iter().any(|known| known.id == *field && known.optional);
            (field.clone(), optional)
        }
        Pending::Document { item } => {
            let optional = service.documents.iter().any(|known| known.id == *item && known.optional);
            (item.clone(), optional)
        }
        _ => return false,
    };
    if !optional {
        talk.say("form.not_optional");
        return dont_know(talk);
    }
    if let Some(draft) = &mut talk.state.draft {
        draft.skipped.insert(id.clone());
        draft.order.push(id);
    }
    go_on(talk);
    true
}

fn later(talk: &mut Talk<'_>) -> bool {
    let Some(service) = talk.draft_service() else { return false };
    let Pending::Document { item } = talk.state.pending.clone() else { return false };
    let allowed = service.documents.iter().any(|known| known.id == item && known.later_allowed);
    if !allowed {
        talk.say("form.later_not_allowed");
        ask_again(talk);
        return true;
    }
    if let Some(draft) = &mut talk.state.draft {
        draft.later.insert(item.clone());
        draft.order.push(item);
    }
    talk.say("form.later_noted");
    go_on(talk);
    true
}

pub(super) fn complete_document(talk: &mut Talk<'_>) -> bool {
    let Pending::Document { item } = talk.state.pending.clone() else { return false };
    let Some(draft) = &mut talk.state.draft else { return false };
    if !draft.documents.iter().any(|(id, _, _)| *id == item) {
        return false;
    }
    draft.complete_items.insert(item.clone());
    draft.order.push(item);
    go_on(talk);
    true
}

pub(super) fn dont_know(talk: &mut Talk<'_>) -> bool {
    let Some(service) = talk.draft_service() else { return false };
    let help = match &talk.state.pending {
        Pending::Field { field, .. } => service
            .fields
            .iter()
            .find(|known| known.id == *field)
            .map(|field| localized(&field.help, &talk.language).to_owned())
            .unwrap_or_default(),
        _ => String::new(),
    };
    if !help.is_empty() {
        talk.part(Part::Text { text: help });
    }
    let optional = matches!(&talk.state.pending, Pending::Field { field, .. }
        if service.fields.iter().any(|known| known.id == *field && known.optional));
    let mut choices = vec![("pause", "choice.pause"), ("human", "choice.human")];
    if optional {
        choices.insert(0, ("skip", "choice.skip"));
    }
    ask_again(talk);
    talk.reply.parts.retain(|part| !matches!(part, Part::Choices { .. }));
    let open = open_field(talk).filter(|field| matches!(field.kind, FieldKind::Choice | FieldKind::YesNo));
    if open.is_some() {
        ask_again_choices(talk, &choices);
    } else {
        talk.offer_keys(&choices);
    }
    true
}

/// The answers of the open choice field, followed by further choices.
pub(super) fn ask_again_choices<'a>(talk: &mut Talk<'a>, further: &[(&str, &'a str)]) {
    let Some(field) = open_field(talk) else { return };
    let mut choices: Vec<(String, String)> = match field.kind {
        FieldKind::YesNo => vec![
            ("answer:ja".to_owned(), talk.text("choice.yes")),
            ("answer:nein".to_owned(), talk.text("choice.no")),
        ],
        _ => field
            .choices
            .iter()
            .map(|c| (format!("answer:{}", c.value), localized(&c.label, &talk.language).to_owned()))
            .collect(),
    };
    choices.extend(further.iter().map(|(value, key)| ((*value).to_owned(), talk.text(key))));
    talk.offer(choices);
}
