//! Answers: what a service is, costs, takes and needs, each with source and date; confirmations; status and
//! withdrawal; and what is said when nothing was understood. Nothing here is claimed that no record states.

use std::collections::BTreeSet;

use amtsbote_intents::{Command, Tongue};
use amtsbote_knowledge::{
    ANSWERS, Audience, Fact, Found, Localized, RecordKind, Service, Stage, Topic, localized,
};
use jiff::civil::Date;

use super::control::repeat_question;
use super::filling;
use super::outcome::say_case;
use super::{Act, Pending, Talk};
use crate::message::{FactRow, Part};
use crate::permission::{self, PermissionAct, Verdict};
use crate::understand::{Match, Understood};

/// Topics that every introduction names, even when the record says nothing about them.
const ALWAYS: [Topic; 3] = [Topic::Fee, Topic::Duration, Topic::Documents];

fn topic_key(topic: Topic) -> &'static str {
    match topic {
        Topic::Fee => "topic.fee",
        Topic::Duration => "topic.duration",
        Topic::Documents => "topic.documents",
        Topic::Eligibility => "topic.eligibility",
        Topic::Deadline => "topic.deadline",
        Topic::Office => "topic.office",
        Topic::Procedure => "topic.procedure",
        Topic::LegalBasis => "topic.legal_basis",
        Topic::Payment => "topic.payment",
    }
}

fn fact_row(talk: &Talk<'_>, fact: &Fact) -> FactRow {
    let date = shown_date(&fact.checked_on);
    let mut text = localized(&fact.text, &talk.language).to_owned();
    if fact.needs_check {
        text.push(' ');
        text.push_str(&talk.text("fact.needs_check"));
    }
    FactRow {
        label: talk.text(topic_key(fact.topic)),
        text,
        source: talk.filled("fact.source", &[("source", &fact.source), ("date", &date)]),
    }
}

/// The rows for these topics; a topic that the record lacks is named as unknown.
fn rows(talk: &Talk<'_>, service: &Service, topics: &[Topic]) -> Vec<FactRow> {
    let mut rows = Vec::new();
    for &topic in topics {
        let before = rows.len();
        rows.extend(service.facts.iter().filter(|fact| fact.topic == topic).map(|fact| fact_row(talk, fact)));
        if topic == Topic::Office && rows.len() == before {
            rows.extend(office_row(talk, service));
        }
        if rows.len() == before {
            rows.push(FactRow {
                label: talk.text(topic_key(topic)),
                text: talk.filled("fact.unknown", &[("phone", &talk.facts.phone)]),
                source: String::new(),
            });
        }
    }
    rows
}

/// A day as people write it.
fn shown_date(day: &str) -> String {
    day.parse::<Date>().map_or_else(|_| day.to_owned(), |date| date.strftime("%d.%m.%Y").to_string())
}

fn office_row(talk: &Talk<'_>, service: &Service) -> Option<FactRow> {
    let unit = talk.facts.catalogue.unit(&service.unit)?;
    let parts = [Some(&unit.name), unit.address.as_ref(), unit.phone.as_ref(), unit.hours.as_ref()];
    let mut text = parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
    if unit.needs_check {
        text.push_str(". ");
        text.push_str(&talk.text("fact.needs_check"));
    }
    let date = shown_date(&unit.checked_on);
    Some(FactRow {
        label: talk.text("topic.office"),
        text,
        source: talk.filled("fact.source", &[("source", &unit.source), ("date", &date)]),
    })
}

/// What it is, costs, takes and needs; then the question whether to file it.
pub(super) fn introduce(talk: &mut Talk<'_>, service: &Service) {
    talk.state.about = Some(service.id.clone());
    talk.state.misses = 0;
    let title = localized(&service.titles, &talk.language).to_owned();
    talk.part(Part::Text { text: title });
    if service.stage == Stage::Referral {
        refer(talk, service);
        return;
    }
    german_only(talk, &service.summary);
    let summary = localized(&service.summary, &talk.language).to_owned();
    talk.part(Part::Text { text: summary });
    let mut topics = ALWAYS.to_vec();
    for topic in [Topic::Deadline, Topic::Eligibility] {
        if service.facts.iter().any(|fact| fact.topic == topic) {
            topics.push(topic);
        }
    }
    topics.push(Topic::Office);
    let rows = rows(talk, service, &topics);
    talk.part(Part::Facts { rows });
    if service.is_online() {
        talk.state.pending = Pending::Start { service: service.id.clone() };
        ask_start(talk, &service.id);
        return;
    }
    talk.state.pending = Pending::None;
    let unit = unit_name(talk, service);
    let phone = talk.facts.phone.clone();
    if service.audience == Audience::Staff {
        talk.say_filled("services.internal", &[("unit", &unit)]);
    } else {
        talk.say_filled("services.not_online", &[("unit", &unit), ("phone", &phone)]);
    }
    talk.offer_keys(&[("human", "choice.human")]);
}

/// Says that another body is responsible, which one, and what the district does instead.
fn refer(talk: &mut Talk<'_>, service: &Service) {
    talk.state.pending = Pending::None;
    if let Some(referral) = &service.referral {
        german_only(talk, &referral.why);
        let why = localized(&referral.why, &talk.language).to_owned();
        talk.part(Part::Text { text: why });
    }
    let unit = unit_name(talk, service);
    talk.say_filled("services.referral", &[("unit", &unit)]);
    let topics: BTreeSet<Topic> = service.facts.iter().map(|fact| fact.topic).collect();
    let topics: Vec<Topic> = topics.into_iter().chain([Topic::Office]).collect();
    let rows = rows(talk, service, &topics);
    talk.part(Part::Facts { rows });
    let instead = service.referral.as_ref().and_then(|referral| referral.instead.clone());
    if let Some(other) = instead.and_then(|id| talk.service(&id)) {
        let title = localized(&other.titles, &talk.language).to_owned();
        talk.say_filled("services.instead", &[("title", &title)]);
        offer_services(talk, std::slice::from_ref(&other.id), true);
    }
}

fn unit_name(talk: &Talk<'_>, service: &Service) -> String {
    talk.facts.catalogue.unit(&service.unit).map(|unit| unit.name.clone()).unwrap_or_default()
}

/// Says so if a text is about to be shown in German although the conversation is held in another language.
fn german_only(talk: &mut Talk<'_>, texts: &Localized) {
    if !talk.language.starts_with("de") && !texts.contains_key(&talk.language) {
        talk.notice("answer.german_only");
    }
}

pub(super) fn ask_start(talk: &mut Talk<'_>, service: &str) {
    let Some(service) = talk.service(service) else { return };
    let title = localized(&service.titles, &talk.language).to_owned();
    talk.say_filled("start.ask", &[("title", &title)]);
    talk.offer_keys(&[("start", "choice.start"), ("no", "choice.not_now"), ("human", "choice.human")]);
}

/// The services that can be filed here.
fn online(talk: &Talk<'_>) -> Vec<String> {
    let online = talk.facts.catalogue.iter().filter(|service| service.is_online());
    online.map(|service| service.id.clone()).collect()
}

/// The services, to pick one.
pub(super) fn list_services(talk: &mut Talk<'_>) {
    let ids = online(talk);
    talk.say("services.list");
    offer_services(talk, &ids, false);
    talk.say("services.list_more");
}

fn offer_services(talk: &mut Talk<'_>, ids: &[String], other: bool) {
    let mut choices: Vec<(String, String)> = ids
        .iter()
        .filter_map(|id| talk.service(id))
        .map(|service| {
            (format!("service:{}", service.id), localized(&service.titles, &talk.language).to_owned())
        })
        .collect();
    if other {
        choices.push(("other".to_owned(), talk.text("choice.other")));
    }
    talk.offer(choices);
    if !talk.in_form() {
        talk.state.pending = Pending::PickService;
    }
}

/// Answers to open confirmations, and pressed choices outside the form.
pub(super) fn confirmation(talk: &mut Talk<'_>, words: &Understood) -> bool {
    let pick = talk.pick.clone().unwrap_or_default();
    if let Some(id) = pick.strip_prefix("service:") {
        let Some(service) = talk.service(id) else { return false };
        return ask_for(talk, service);
    }
    if let Some(id) = pick.strip_prefix("withdraw:") {
        return ask_withdraw(talk, id);
    }
    if let (Some(item), Pending::PickWanted { document }) =
        (pick.strip_prefix("wanted:"), talk.state.pending.clone())
    {
        talk.state.pending = Pending::None;
        talk.acts.push(Act::Supply { item: item.to_owned(), document });
        return true;
    }
    let yes = pick == "yes" || pick == "start" || words.yes_no == Some(true);
    let no = pick == "no" || pick == "other" || words.yes_no == Some(false);
    match talk.state.pending.clone() {
        Pending::Start { service } if yes || words.command == Some(Command::Submit) => {
            if let Some(service) = talk.service(&service) {
                filling::begin(talk, service);
            }
            true
        }
        Pending::Start { .. } | Pending::Login { .. } | Pending::PickService | Pending::OfferPerson if no => {
            talk.state.pending = Pending::None;
            talk.say("start.no");
            true
        }
        Pending::PickService if yes => {
            let Some(service) = only_offered(talk) else { return false };
            ask_for(talk, service)
        }
        Pending::Login { service } if yes => {
            filling::ask_login(talk, &service);
            true
        }
        Pending::OfferPerson if yes => {
            talk.acts.push(Act::Queue);
            true
        }
        Pending::Withdraw { application, .. } if yes => {
            talk.state.pending = Pending::None;
            talk.acts.push(Act::Withdraw { application });
            true
        }
        Pending::Withdraw { .. } | Pending::PickWithdraw if no => {
            talk.state.pending = Pending::None;
            talk.say("withdraw.kept");
            if talk.state.draft.is_some() {
                filling::go_on(talk);
            }
            true
        }
        Pending::StatusNumber => status_number(talk, words),
        Pending::StatusCode { number } => status_code(talk, &number, words),
        _ => false,
    }
}

/// "Wird das genehmigt?": never a forecast. The criteria with their source, and who decides.
pub(super) fn forecast(talk: &mut Talk<'_>, words: &Understood) -> bool {
    if !words.forecast || (talk.in_form() && !words.question) {
        return false;
    }
    talk.say("forecast.office_decides");
    if let Some(service) = service_meant(talk, words) {
        let title = localized(&service.titles, &talk.language).to_owned();
        talk.part(Part::Text { text: title });
        let rows = rows(talk, service, &[Topic::Eligibility]);
        talk.part(Part::Facts { rows });
        if talk.state.pending == Pending::None && talk.facts.cases.is_empty() && service.is_online() {
            talk.state.pending = Pending::Start { service: service.id.clone() };
        }
    }
    talk.state.misses = 0;
    repeat_question(talk);
    true
}

/// The service that the words name for sure.
fn named<'a>(talk: &Talk<'a>, words: &Understood) -> Option<&'a Service> {
    match &words.service {
        Match::Sure(hit) => talk.service(&hit.service_id),
        Match::Several(_) | Match::Unsure(_) | Match::Nothing => None,
    }
}

/// The service that a question is about: of the draft, named in it, just offered alone, or last talked about.
fn service_meant<'a>(talk: &Talk<'a>, words: &Understood) -> Option<&'a Service> {
    let last = talk.state.about.as_ref().and_then(|id| talk.service(id));
    talk.draft_service()
        .filter(|_| talk.in_form())
        .or_else(|| named(talk, words))
        .or_else(|| only_offered(talk).filter(|_| talk.state.pending == Pending::PickService))
        .or(last)
}

/// The one service that the last reply offered.
fn only_offered<'a>(talk: &Talk<'a>) -> Option<&'a Service> {
    let mut offered = talk.state.offered.iter().filter_map(|choice| choice.value.strip_prefix("service:"));
    match (offered.next(), offered.next()) {
        (Some(only), None) => talk.service(only),
        _ => None,
    }
}

/// "Was kostet das?", also in the middle of a form: answered from the record, then back to the question.
pub(super) fn topic(talk: &mut Talk<'_>, words: &Understood) -> bool {
    let Some(topic) = words.topic else { return false };
    if talk.in_form() && !words.question {
        return false;
    }
    let named = named(talk, words);
    let Some(service) = named.or_else(|| service_meant(talk, words)) else { return false };
    if named.is_some() && !talk.in_form() && talk.state.about.as_deref() != Some(service.id.as_str()) {
        // The first question about a service is answered with the whole picture.
        introduce(talk, service);
        return true;
    }
    let title = localized(&service.titles, &talk.language).to_owned();
    talk.part(Part::Text { text: title });
    let rows = rows(talk, service, &[topic]);
    talk.part(Part::Facts { rows });
    talk.state.misses = 0;
    if matches!(talk.state.pending, Pending::None | Pending::PickService) {
        talk.state.about = Some(service.id.clone());
        if service.is_online() {
            talk.state.pending = Pending::Start { service: service.id.clone() };
        }
    }
    repeat_question(talk);
    true
}

/// Status, withdrawal.
pub(super) fn case_commands(talk: &mut Talk<'_>, words: &Understood) -> bool {
    match words.command {
        Some(Command::Status) => {
            status(talk);
            true
        }
        Some(Command::Withdraw) => {
            withdraw(talk);
            true
        }
        _ => false,
    }
}

fn status(talk: &mut Talk<'_>) {
    if talk.facts.cases.is_empty() {
        talk.state.pending = Pending::StatusNumber;
        talk.say("status.ask_number");
        return;
    }
    let full =
        permission::verdict(talk.facts.channel, talk.facts.trust, PermissionAct::Status) == Verdict::Allowed;
    let facts = talk.facts;
    for case in facts.cases.iter().take(5) {
        say_case(talk, case, full);
    }
    talk.link("link.portal", "/portal");
    repeat_question(talk);
}

fn status_number(talk: &mut Talk<'_>, words: &Understood) -> bool {
    let Some(number) = code_in(&words.text, 8).filter(|_| words.command.is_none()) else { return false };
    talk.state.pending = Pending::StatusCode { number };
    talk.say("status.ask_code");
    true
}

/// A code of `length` characters in a message: the message itself, one of its words, or its last two words.
fn code_in(text: &str, length: usize) -> Option<String> {
    let plain =
        |text: &str| -> String { text.to_uppercase().chars().filter(char::is_ascii_alphanumeric).collect() };
    let whole = plain(text);
    if whole.len() == length {
        return Some(whole);
    }
    let words: Vec<String> = text.split_whitespace().map(plain).collect();
    // Codes have no letter that is easily confused with another (clock.rs), and stand at the end of a sentence.
    let code = |word: &&String| word.len() == length && !word.contains(['I', 'L', 'O', 'U', 'V', '0', '1']);
    words.iter().rev().find(code).cloned().or_else(|| {
        let pair = words.len().checked_sub(2).map(|start| words[start..].concat())?;
        (pair.len() == length).then_some(pair)
    })
}

fn status_code(talk: &mut Talk<'_>, number: &str, words: &Understood) -> bool {
    if words.command.is_some() {
        return false;
    }
    let code = code_in(&words.text, 10).unwrap_or_else(|| words.text.clone());
    talk.state.pending = Pending::None;
    talk.acts.push(Act::Status { number: number.to_owned(), code });
    true
}

fn withdraw(talk: &mut Talk<'_>) {
    let verdict = permission::verdict(talk.facts.channel, talk.facts.trust, PermissionAct::Withdraw);
    if verdict != Verdict::Allowed {
        let phone = talk.facts.phone.clone();
        talk.say_filled("withdraw.login", &[("phone", &phone)]);
        talk.link("link.login", "/login");
        repeat_question(talk);
        return;
    }
    let open: Vec<(String, String)> = talk
        .facts
        .cases
        .iter()
        .filter(|case| case.withdrawable)
        .map(|case| (format!("withdraw:{}", case.id.as_str()), format!("{} ({})", case.title, case.number)))
        .collect();
    match open.as_slice() {
        [] => {
            talk.say("withdraw.none");
            repeat_question(talk);
        }
        [(value, _)] => {
            let id = value.trim_start_matches("withdraw:").to_owned();
            ask_withdraw(talk, &id);
        }
        _ => {
            talk.state.pending = Pending::PickWithdraw;
            talk.say("withdraw.which");
            talk.offer(open);
        }
    }
}

fn ask_withdraw(talk: &mut Talk<'_>, id: &str) -> bool {
    let facts = talk.facts;
    let Some(case) = facts.cases.iter().find(|case| case.id.as_str() == id && case.withdrawable) else {
        return false;
    };
    talk.state.pending = Pending::Withdraw { application: case.id.clone(), number: case.number.clone() };
    talk.say_filled("withdraw.ask", &[("title", &case.title), ("number", &case.number)]);
    talk.offer_keys(&[("yes", "choice.withdraw"), ("no", "choice.keep_case")]);
    true
}

/// Whether free text in the middle of a form clearly asks for another service.
pub(super) fn asks_for_other(talk: &Talk<'_>, words: &Understood) -> bool {
    const WISHES: [&str; 9] = [
        "ich will",
        "ich möchte",
        "ich moechte",
        "ich brauche",
        "ich muss",
        "kann ich",
        "wie kann",
        "i want",
        "i need",
    ];
    let Match::Sure(hit) = &words.service else { return false };
    let lower = words.text.to_lowercase();
    let other = talk.state.draft.as_ref().is_none_or(|draft| draft.service != hit.service_id);
    other && WISHES.iter().any(|wish| lower.starts_with(wish))
}

/// Free text that asks for a service.
pub(super) fn service(talk: &mut Talk<'_>, words: &Understood) -> bool {
    match &words.service {
        Match::Sure(hit) => {
            let Some(service) = talk.service(&hit.service_id) else { return false };
            if talk.in_form() && !asks_for_other(talk, words) {
                return false;
            }
            ask_for(talk, service)
        }
        Match::Several(hits) if !talk.in_form() => {
            let ids: Vec<String> = hits.iter().map(|hit| hit.service_id.clone()).collect();
            talk.say("services.several");
            offer_services(talk, &ids, true);
            true
        }
        Match::Unsure(hits) if !talk.in_form() => {
            let ids: Vec<String> = hits.iter().take(3).map(|hit| hit.service_id.clone()).collect();
            match ids.as_slice() {
                [only] => {
                    let title =
                        talk.service(only).map_or("", |s| localized(&s.titles, &talk.language)).to_owned();
                    talk.say_filled("services.one", &[("title", &title)]);
                }
                _ => talk.say("services.which"),
            }
            offer_services(talk, &ids, true);
            true
        }
        Match::Several(_) | Match::Unsure(_) | Match::Nothing => false,
    }
}

/// A general question that an article, an entry of the glossary or an office answers: their words, their source.
pub(super) fn general(talk: &mut Talk<'_>, words: &Understood) -> bool {
    // A question about "that" is about no general thing, and a word is looked up only if it is the whole message.
    let long = words.text.split_whitespace().count() > 4;
    let asked = words.question && (words.topic.is_none() || long);
    let named = |found: &Found| found.title.to_lowercase() == words.text.to_lowercase();
    if !asked && (talk.in_form() || !words.found.iter().any(named)) {
        return false;
    }
    let answers = |found: &&Found| found.kind != RecordKind::Service && found.coverage >= ANSWERS;
    let Some(found) = words.found.iter().find(answers) else { return false };
    let facts = talk.facts;
    let text = match found.kind {
        RecordKind::Article => facts.catalogue.article(&found.id).map(|article| article.text.clone()),
        RecordKind::Term => facts
            .catalogue
            .term(&found.id)
            .map(|term| if talk.language == "de-simple" { term.simple.clone() } else { term.text.clone() }),
        RecordKind::Office | RecordKind::Service => Some(found.snippet.clone()),
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else { return false };
    if !talk.language.starts_with("de") {
        talk.notice("answer.german_only");
    }
    let date = shown_date(&found.checked_on);
    let source = talk.filled("fact.source", &[("source", &found.source), ("date", &date)]);
    let text = text.replace("## ", "").replace("**", "");
    for text in [found.title.clone(), text, source] {
        talk.part(Part::Text { text });
    }
    talk.state.misses = 0;
    repeat_question(talk);
    true
}

/// Introduces a service; a draft of another one is not left without asking.
fn ask_for(talk: &mut Talk<'_>, service: &Service) -> bool {
    match &talk.state.draft {
        Some(draft) if draft.service != service.id => {
            talk.state.pending = Pending::LeaveFor { service: service.id.clone() };
            let title = localized(&service.titles, &talk.language).to_owned();
            talk.say_filled("leave.ask", &[("title", &title)]);
            talk.offer_keys(&[
                ("keep", "choice.keep_draft"),
                ("discard", "choice.discard"),
                ("continue", "choice.continue"),
            ]);
        }
        Some(_) => {
            talk.say("resume.here");
            filling::go_on(talk);
        }
        None => introduce(talk, service),
    }
    true
}

/// Rephrase, then choices, then a person: never the same helpless sentence three times.
pub(super) fn nothing_understood(talk: &mut Talk<'_>, words: &Understood) -> bool {
    let said_so = matches!(words.language, Some(Tongue::Pl | Tongue::Ro));
    if said_so && !talk.state.spoken {
        return true; // the first words were answered with the languages that there are
    }
    talk.state.misses = talk.state.misses.saturating_add(1);
    match talk.state.misses {
        1 => {
            talk.say("miss.first");
            repeat_question(talk);
        }
        2 => {
            talk.say("miss.second");
            let ids: Vec<String> = online(talk).into_iter().take(6).collect();
            offer_services(talk, &ids, true);
        }
        misses if misses % 2 == 0 => {
            talk.say("miss.again");
            talk.state.pending = Pending::OfferPerson;
            talk.offer_keys(&[("yes", "choice.human"), ("no", "choice.not_now")]);
        }
        _ => {
            let phone = talk.facts.phone.clone();
            talk.say_filled("miss.person", &[("phone", &phone)]);
            talk.state.pending = Pending::OfferPerson;
            talk.offer_keys(&[("yes", "choice.human"), ("no", "choice.not_now")]);
        }
    }
    true
}
