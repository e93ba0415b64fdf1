//! What came of an act, in words. The act itself was carried out by `office`; this file only tells it.

use amtsbote_knowledge::{CaseKind, localized};

use super::control::repeat_question;
use super::{Draft, Facts, Pending, Talk, Turn, filling};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::form;
use crate::id::{ApplicationId, PaymentId};
use crate::message::{FactRow, Part};
use crate::texts::fill;

/// A case as the dialogue may tell of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFacts {
    /// Its id.
    pub id: ApplicationId,
    /// Its number.
    pub number: String,
    /// Title of the service.
    pub title: String,
    /// What was filed.
    pub kind: CaseKind,
    /// Key of the sentence that says the state.
    pub state_key: &'static str,
    /// Key of the sentence that says who acts next.
    pub next_key: &'static str,
    /// When it arrived.
    pub submitted: Timestamp,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// Until when the office means to be done.
    pub due: Option<Timestamp>,
    /// Labels of documents that are missing.
    pub missing: Vec<String>,
    /// Whether it may still be withdrawn.
    pub withdrawable: bool,
}

/// The queue for a person, as measured.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueFacts {
    /// Place in the queue, from 1.
    pub place: i64,
    /// Whether the office answers chats at this hour.
    pub open: bool,
    /// The hours in words.
    pub hours: String,
}

/// What came of an act.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The conversation waits for a person now.
    Queued(QueueFacts),
    /// The draft lies aside under this code.
    Parked {
        /// The code.
        code: String,
        /// Until when.
        until: Timestamp,
    },
    /// A draft was fetched, or the code is wrong.
    Resumed(Option<Box<Draft>>),
    /// The application has arrived.
    Filed {
        /// Its number.
        number: String,
        /// Code for asking about it without a login.
        access_code: String,
        /// What is to be paid.
        payment: Option<(PaymentId, i64)>,
        /// When the office means to be done.
        due: Option<Timestamp>,
    },
    /// The case is withdrawn.
    Withdrawn {
        /// Its number.
        number: String,
    },
    /// A case for number and code; none if they don't belong together.
    Status(Option<Box<CaseFacts>>),
    /// A file was handed in for a document request.
    Supplied {
        /// What it is.
        label: String,
        /// How many are still missing.
        still_open: usize,
    },
    /// A rule said no; nothing has changed.
    Refused(Error),
    /// Done, and not worth a word.
    Silent,
}

/// Adds to the turn what came of an act.
pub fn tell(turn: Turn, facts: &Facts<'_>, outcome: Outcome) -> Turn {
    let mut talk = Talk {
        facts,
        state: turn.state,
        language: turn.language,
        reply: turn.reply,
        acts: turn.acts,
        pick: None,
    };
    match outcome {
        Outcome::Queued(queue) => queued(&mut talk, &queue),
        Outcome::Parked { code, until } => parked(&mut talk, &code, until),
        Outcome::Resumed(draft) => resumed(&mut talk, draft),
        Outcome::Filed { number, access_code, payment, due } => {
            filed(&mut talk, &number, &access_code, payment, due);
        }
        Outcome::Withdrawn { number } => {
            talk.say_filled("withdraw.done", &[("number", &number)]);
            back_to_draft(&mut talk);
        }
        Outcome::Status(Some(case)) => {
            say_case(&mut talk, &case, false);
            back_to_draft(&mut talk);
        }
        Outcome::Status(None) => {
            let phone = talk.facts.phone.clone();
            talk.say_filled("status.not_found", &[("phone", &phone)]);
            back_to_draft(&mut talk);
        }
        Outcome::Supplied { label, still_open } => {
            talk.say_filled("supply.done", &[("label", &label)]);
            let open = still_open.to_string();
            if still_open == 0 {
                talk.say("supply.complete");
            } else {
                talk.say_filled("supply.open", &[("open", &open)]);
            }
        }
        Outcome::Refused(error) => refused(&mut talk, &error),
        Outcome::Silent => {}
    }
    talk.finish()
}

/// After another matter in the middle of a form: the open question again.
fn back_to_draft(talk: &mut Talk<'_>) {
    if talk.state.draft.is_some() {
        filling::go_on(talk);
    }
}

/// The sentence for a refusal.
pub(super) fn refused(talk: &mut Talk<'_>, error: &Error) {
    let text = match error {
        Error::Refused { key, values } => {
            let values: Vec<(&str, &str)> =
                values.iter().map(|(name, value)| (*name, value.as_str())).collect();
            talk.filled(key, &values)
        }
        _ => talk.text("error.general"),
    };
    talk.part(Part::Notice { text });
    repeat_question(talk);
}

fn queued(talk: &mut Talk<'_>, queue: &QueueFacts) {
    let place = queue.place.to_string();
    if queue.open {
        talk.say_filled("person.queued", &[("place", &place)]);
    } else {
        let phone = talk.facts.phone.clone();
        talk.say_filled("person.closed", &[("hours", &queue.hours), ("phone", &phone)]);
    }
    talk.say("person.sees_all");
}

fn parked(talk: &mut Talk<'_>, code: &str, until: Timestamp) {
    let date = until.german_date();
    let spaced = format!("{} {}", &code[..code.len() / 2], &code[code.len() / 2..]);
    talk.say_filled("pause.done", &[("code", &spaced), ("date", &date)]);
    if let Pending::Start { service } = talk.state.pending.clone() {
        talk.state.draft = None;
        if let Some(service) = talk.service(&service) {
            super::answer::introduce(talk, service);
        }
    }
}

fn resumed(talk: &mut Talk<'_>, draft: Option<Box<Draft>>) {
    let Some(draft) = draft else {
        talk.state.pending = Pending::None;
        talk.say("resume.unknown");
        return;
    };
    let title = talk
        .service(&draft.service)
        .map_or("", |service| localized(&service.titles, &talk.language))
        .to_owned();
    talk.state.draft = Some(*draft);
    talk.say_filled("resume.done", &[("title", &title)]);
    filling::go_on(talk);
}

fn filed(
    talk: &mut Talk<'_>,
    number: &str,
    access_code: &str,
    payment: Option<(PaymentId, i64)>,
    due: Option<Timestamp>,
) {
    let draft = talk.state.draft.take();
    let service = draft.as_ref().and_then(|draft| talk.service(&draft.service));
    talk.state.pending = Pending::None;
    talk.state.about = draft.as_ref().map(|draft| draft.service.clone());
    let title = service.map_or("", |service| localized(&service.titles, &talk.language)).to_owned();
    let kind = service.map_or(CaseKind::Application, |service| service.case_kind);
    let done = talk.facts.texts.get_about(&talk.language, "filed.done", kind);
    let text = fill(done, &[("title", &title)]);
    talk.part(Part::Text { text });
    let unit = service
        .and_then(|service| talk.facts.catalogue.unit(&service.unit))
        .map(|unit| unit.name.clone())
        .unwrap_or_default();
    let mut rows = vec![
        row(talk, "filed.number", number.to_owned()),
        row(talk, "filed.code", access_code.to_owned()),
        row(talk, "filed.unit", unit),
    ];
    if let Some(due) = due {
        rows.push(row(talk, "filed.due", due.german_date()));
    }
    talk.part(Part::Facts { rows });
    let later = draft.as_ref().is_some_and(|draft| !draft.later.is_empty());
    if let Some((payment, cents)) = payment {
        let amount = form::euros(cents);
        talk.say_filled("filed.pay", &[("amount", &amount)]);
        let label = talk.filled("link.pay", &[("amount", &amount)]);
        talk.part(Part::Link { label, url: format!("/pay/{payment}") });
    } else if !later {
        talk.say("filed.next");
    }
    if later {
        talk.say("filed.later");
    }
    let text = talk.text_about("filed.keep", kind);
    talk.part(Part::Text { text });
    let label = talk.text_about("link.copy", kind);
    talk.part(Part::Link { label, url: format!("/copy/{number}") });
}

fn row(talk: &Talk<'_>, label: &'static str, text: String) -> FactRow {
    FactRow { label: talk.text(label), text, source: String::new() }
}

/// A case in plain words: state, since when, who acts next, what is missing, until when.
pub(super) fn say_case(talk: &mut Talk<'_>, case: &CaseFacts, full: bool) {
    let mut rows = vec![FactRow {
        label: talk.text_about("status.case", case.kind),
        text: format!("{} ({})", case.title, case.number),
        source: String::new(),
    }];
    if full {
        rows.push(row(talk, "status.state", talk.text_about(case.state_key, case.kind)));
        rows.push(row(talk, "status.since", case.since.german_date()));
        rows.push(row(talk, "status.next", talk.text_about(case.next_key, case.kind)));
        if !case.missing.is_empty() {
            rows.push(row(talk, "status.missing", case.missing.join(", ")));
        }
        if let Some(due) = case.due {
            rows.push(row(talk, "status.due", due.german_date()));
        }
    } else {
        rows.push(row(talk, "status.state", talk.text_about("status.coarse", case.kind)));
    }
    talk.part(Part::Facts { rows });
    if !full {
        talk.say("status.login_for_more");
    }
}
