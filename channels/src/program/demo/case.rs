//! A made-up case and its way through the office, and how a made-up citizen talks. Every step is a use case that the
//! web calls as well.

use std::sync::Arc;

use amtsbote_core::application::{self, Event};
use amtsbote_core::bescheid::{compose, paper};
use amtsbote_core::clock::Timestamp;
use amtsbote_core::conversation::{self, Conversation};
use amtsbote_core::dialog::Pending;
use amtsbote_core::document_request::{self, NewItem};
use amtsbote_core::error::Result;
use amtsbote_core::id::{ApplicationId, ConversationId, PersonId};
use amtsbote_core::message::{Body, ChannelKind, Incoming};
use amtsbote_core::office::{DraftInput, Office, UploadRequest};
use amtsbote_core::payment::{self, demo as bank};
use amtsbote_core::person::{self, Profile};
use amtsbote_knowledge::{DecisionKind, DocumentFormat, Field, FieldKind, Service, Trust, localized};
use anyhow::{Context, bail};
use futures::FutureExt;

use super::made_up::{draw, drawn, made_up, pdf, png};
use super::{DAYS, Desk, LAST_DAYS, RECENT_DAYS, write};

/// Most turns of one conversation; more means that the dialogue and this program misunderstand each other.
const MOST_TURNS: usize = 120;

/// One step of a case after it was filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Pay,
    Request,
    Supply,
    Complete,
    Take,
    Write,
    Propose,
    SendBack,
    Approve,
    Fetch,
    Withdraw,
}

/// How far the older cases get: nearly all of them are over.
const OLDER: [&[Step]; 7] = {
    use Step::{Approve, Complete, Fetch, Pay, Propose, Take, Withdraw, Write};
    [
        &[Pay, Complete, Take, Write, Propose, Approve],
        &[Pay, Complete, Take, Write, Propose, Approve, Fetch],
        &[Pay, Complete, Take, Write, Propose, Approve],
        &[Pay, Withdraw],
        &[Pay, Complete, Take, Write, Propose, Approve, Fetch],
        &[Pay, Complete, Take, Write],
        &[Pay, Complete, Take, Write, Propose, Approve],
    ]
};

/// How far the newer cases get, until the day of the demonstration.
const NEWER: [&[Step]; 10] = {
    use Step::{Complete, Pay, Propose, Request, SendBack, Supply, Take, Write};
    [
        &[Pay, Complete, Take, Write, Propose],
        &[Pay, Request],
        &[],
        &[Pay, Complete, Take],
        &[Pay, Complete, Take, Write, Propose, SendBack],
        &[Pay, Request, Supply],
        &[Pay, Complete],
        &[Pay, Complete, Take, Write],
        &[Pay],
        &[Pay, Complete, Take, Write, Propose],
    ]
};

/// A made-up case.
pub struct Case {
    index: u32,
    service: Arc<Service>,
    person: Option<(String, Profile)>,
    next_on: i64,
    steps: &'static [Step],
    filed: Option<Filed>,
}

/// What is known of a case once it has been filed.
#[derive(Clone)]
struct Filed {
    conversation: ConversationId,
    person: Option<PersonId>,
    trust: Trust,
    application: ApplicationId,
    number: String,
}

impl Case {
    /// The case that stands at this place of the plan.
    pub fn planned(index: u32, cases: u32, services: &[Arc<Service>], first: Timestamp) -> Self {
        let older = index < cases / 2;
        let fates: &[&[Step]] = if older { &OLDER } else { &NEWER };
        let steps = fates[usize::try_from(index).unwrap_or(0) % fates.len()];
        let deciding = |service: &&Arc<Service>| service.decision.kind != DecisionKind::None;
        let mut fitting: Vec<&Arc<Service>> = services.iter().collect();
        if steps.last().is_some_and(|last| matches!(last, Step::Propose | Step::SendBack | Step::Approve))
            && draw(index, "decides", 4) > 1
            && services.iter().any(|service| deciding(&service))
        {
            // Only a decision waits for an approver.
            fitting.retain(deciding);
        }
        // A round of services is shifted after each round of fates, so that they meet in all combinations.
        let place = usize::try_from(index + index / 12).unwrap_or(0) % fitting.len().max(1);
        let service = Arc::clone(fitting[place]);
        // The older half came in over four weeks, the newer one in the last two.
        let (half, span) = (i64::from(cases / 2).max(1), DAYS - LAST_DAYS);
        let place = i64::from(index);
        let filed_on = if older {
            place * (span - RECENT_DAYS) / half
        } else {
            span - RECENT_DAYS + (place - half).max(0) * RECENT_DAYS / (i64::from(cases) - half).max(1)
        };
        let anonymous = service.trust.submit == Trust::T0 && draw(index, "anonymous", 3) > 0;
        let year = first.date().year();
        Self {
            person: (!anonymous).then(|| made_up(index, year)),
            filed: None,
            next_on: filed_on,
            steps,
            index,
            service,
        }
    }

    /// Which case it is, for an error.
    pub fn about(&self) -> String {
        let number = self.filed.as_ref().map_or("–", |filed| filed.number.as_str());
        format!("der erfundene Vorgang {} ({}, {number}) kam nicht weiter", self.index, self.service.id)
    }

    /// Whether something happens on this day.
    pub fn is_due(&self, today: i64) -> bool {
        today >= self.next_on && (self.filed.is_none() || !self.steps.is_empty())
    }

    /// The next thing that happens, once a day at most.
    pub async fn step(&mut self, office: &Arc<Office>, desk: &Desk, today: i64) -> anyhow::Result<()> {
        let Some(filed) = self.filed.clone() else {
            self.filed = Some(self.file(office, desk).await?);
            self.next_on = today;
            // Most people pay at once.
            return match self.steps.split_first() {
                Some((Step::Pay, rest)) if draw(self.index, "pays at once", 3) > 0 => {
                    self.steps = rest;
                    self.next_on = today + 1;
                    let filed = self.filed.clone().context("gerade eingereicht")?;
                    self.act(office, desk, &filed, Step::Pay).await
                }
                _ => Ok(()),
            };
        };
        let weekend = office.now().date().weekday().to_monday_zero_offset() >= 5;
        // On a good day two things happen.
        for _ in 0..2 {
            let Some((step, rest)) = self.steps.split_first() else { return Ok(()) };
            if weekend && !matches!(step, Step::Pay | Step::Supply | Step::Withdraw | Step::Fetch) {
                return Ok(());
            }
            self.steps = rest;
            self.next_on = today + 1;
            self.act(office, desk, &filed, *step).await?;
            if draw(self.index, "good day", rest.len() + 1) == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Talks with the assistant until the case is filed.
    async fn file(&self, office: &Arc<Office>, desk: &Desk) -> anyhow::Result<Filed> {
        let id = office.open_conversation(ChannelKind::Web, "de").await?;
        let mut citizen = Citizen { office, id, person: None, trust: Trust::T0, turns: 0, index: self.index };
        if let Some((subject, profile)) = &self.person {
            citizen.trust =
                if self.service.trust.submit == Trust::T0 { Trust::T2 } else { self.service.trust.submit };
            let args = (subject.clone(), profile.clone());
            let person = write(office, args, |tx, office, (subject, profile)| {
                person::login(tx, &office.keys, "demo", subject, profile, office.now()).boxed()
            })
            .await?;
            office.link_login(Some(&citizen.id), &person, citizen.trust, "de").await?;
            citizen.person = Some(person);
        }
        let example = draw(self.index, "first words", self.service.examples.len());
        let title = localized(&self.service.titles, "de");
        citizen.says(self.service.examples.get(example).map_or(title, String::as_str)).await?;
        let chosen = format!("service:{}", self.service.id);
        let (mut asked_again, mut last) = (0, Pending::None);
        while citizen.turns < MOST_TURNS {
            office.keys.clock.advance(desk.turn);
            let talk = citizen.talk().await?;
            let pending = talk.state.pending.clone();
            asked_again = if pending == last { asked_again + 1 } else { 0 };
            let stuck = asked_again > 0 && !matches!(pending, Pending::Document { .. });
            match &pending {
                Pending::Start { service } if *service == self.service.id => citizen.says("start").await?,
                _ if talk.state.offered.iter().any(|choice| choice.value == chosen) => {
                    citizen.says(&chosen).await?;
                }
                Pending::Field { field, .. } => {
                    let field = self.service.fields.iter().find(|known| known.id == *field);
                    let field = field.context("eine Frage, die die Leistung nicht kennt")?;
                    let words = if stuck { field.example.clone() } else { self.answer(field, office.now()) };
                    citizen.says(&words).await?;
                }
                Pending::Document { item } => self.hand_in(&mut citizen, &talk, item).await?,
                Pending::Review => citizen.says("submit").await?,
                Pending::Declare => citizen.says("declare").await?,
                Pending::None if talk.state.draft.is_none() && last != Pending::None => break,
                _ => citizen.says(title).await?,
            }
            if asked_again > 2 {
                bail!("die Frage {pending:?} wurde dreimal gestellt");
            }
            last = pending;
        }
        let mut tx = office.db.read().await?;
        let rows = application::of_conversation(&mut tx, &citizen.id, 1).await?;
        drop(tx);
        let row = rows.into_iter().next().context("das Gespräch endete ohne Antrag")?;
        let note = "Demonstration: Person und Angaben sind erfunden.".to_owned();
        office.add_note(&row.id, &desk.clerk, note).await?;
        Ok(Filed {
            conversation: citizen.id,
            person: citizen.person,
            trust: citizen.trust,
            application: row.id,
            number: row.number,
        })
    }

    /// Answers as this person would.
    fn answer(&self, field: &Field, now: Timestamp) -> String {
        let draw = |what: &str, below: usize| draw(self.index, &format!("{what} {}", field.id), below);
        if field.optional && field.kind != FieldKind::Email && draw("skips", 2) == 0 {
            return "skip".to_owned();
        }
        let known = field.from_profile.as_ref().or((field.kind == FieldKind::Email).then_some(&field.id));
        let (_, profile) = self.person.clone().unwrap_or_else(|| made_up(self.index, now.date().year()));
        if let Some(value) = known.and_then(|name| profile.attribute(name)) {
            return value.to_owned();
        }
        let stops =
            |value: &str| field.stop.as_ref().is_some_and(|stop| stop.is.iter().any(|word| word == value));
        match field.kind {
            FieldKind::Choice => {
                let free: Vec<&str> = field
                    .choices
                    .iter()
                    .map(|choice| choice.value.as_str())
                    .filter(|value| !stops(value))
                    .collect();
                format!("answer:{}", free.get(draw("chooses", free.len())).copied().unwrap_or_default())
            }
            FieldKind::YesNo if draw("yes", 6) == 0 && !stops("ja") => "answer:ja".to_owned(),
            FieldKind::YesNo => "answer:nein".to_owned(),
            FieldKind::Date if field.id.contains("issue") => {
                format!("{:02}.{:02}.{}", 1 + draw("day", 28), 1 + draw("month", 12), 1984 + draw("year", 22))
            }
            FieldKind::Date | FieldKind::BirthDate => {
                let back = field.id.contains("noticed") || field.id.contains("from");
                let days = i64::try_from(1 + draw("days", 20)).unwrap_or(1) * if back { -1 } else { 1 };
                Timestamp(now.0 + days * 24 * 3_600_000).german_date()
            }
            FieldKind::NumberPlate => {
                let letters =
                    drawn(self.index, &field.id, &["AB", "CD", "EM", "JK", "LM", "MT", "RW", "TK", "WE"]);
                format!("PB-{letters} {}", 10 + draw("digits", 980))
            }
            FieldKind::Place => {
                let place = drawn(
                    self.index,
                    &field.id,
                    &[
                        "Waldparkplatz am Musterberg",
                        "Feldweg hinter dem Beispielhof",
                        "Am Probeweg 7a, Delbrück",
                        "Glascontainer an der Musterallee",
                        "Musterweg 12, Paderborn",
                        "Graben neben der Beispielstraße",
                    ],
                );
                place.to_owned()
            }
            FieldKind::LongText
            | FieldKind::Text
            | FieldKind::Name
            | FieldKind::Number
            | FieldKind::Email
            | FieldKind::Phone
            | FieldKind::Postcode => field.example.clone(),
        }
    }

    /// Hands in a file, or says that it comes later.
    async fn hand_in(
        &self,
        citizen: &mut Citizen<'_>,
        talk: &Conversation,
        item: &str,
    ) -> anyhow::Result<()> {
        let known = self.service.documents.iter().find(|known| known.id == item);
        let known = known.context("eine Unterlage, die die Leistung nicht kennt")?;
        let there = talk
            .state
            .draft
            .as_ref()
            .is_some_and(|draft| draft.documents.iter().any(|(known, _, _)| known == item));
        let label = localized(&known.label, "de");
        match draw(self.index, item, 5) {
            _ if there => citizen.says("complete").await,
            0 if known.later_allowed => citizen.says("later").await,
            1 if known.optional => citizen.says("skip").await,
            _ => citizen.sends(label, &known.formats, None).await,
        }
    }

    async fn act(&self, office: &Arc<Office>, desk: &Desk, filed: &Filed, step: Step) -> anyhow::Result<()> {
        let id = &filed.application;
        let case = {
            let mut tx = office.db.read().await?;
            application::load(&mut tx, &office.keys, id).await?.context("der Vorgang fehlt")?
        };
        let decides = case.service.decision.kind != DecisionKind::None;
        match step {
            Step::Pay => return pay(office, id).await,
            Step::Request => self.request(office, desk, filed).await?,
            Step::Supply => return self.supply(office, filed).await,
            Step::Complete => drop(office.desk_event(id, &desk.clerk, Event::Complete, None).await?),
            Step::Take => drop(office.desk_event(id, &desk.clerk, Event::Take, None).await?),
            Step::Write => office.save_paper(id, &desk.clerk, draft_of(&case)).await?,
            Step::Propose => office.propose_paper(id, &desk.clerk).await?,
            Step::SendBack if decides => {
                let text = "Bitte die Begründung um das Datum der Unterlagen ergänzen.".to_owned();
                office.send_back_paper(id, &desk.approver, text).await?;
            }
            Step::Approve if decides => {
                let mut tx = office.db.read().await?;
                let paper = paper::newest(&mut tx, &office.keys, id).await?;
                drop(tx);
                let seen =
                    paper.and_then(|paper| paper.frozen).context("das Schreiben ist nicht eingefroren")?;
                office.approve_paper(id, &desk.approver, seen.accessible_sha256).await?;
            }
            // Papers without a decision are issued when they are proposed.
            Step::SendBack | Step::Approve => {}
            Step::Fetch => fetch(office, filed).await?,
            Step::Withdraw => match &filed.person {
                Some(person) => drop(office.withdraw_case(id, person, filed.trust).await?),
                None => drop(office.desk_event(id, &desk.clerk, Event::Withdraw, None).await?),
            },
        }
        Ok(())
    }

    /// Asks for the documents of the service again, or for one that every office asks for.
    async fn request(&self, office: &Arc<Office>, desk: &Desk, filed: &Filed) -> Result<()> {
        let mut items: Vec<NewItem> = self
            .service
            .documents
            .iter()
            .take(2)
            .map(|item| NewItem {
                item_id: Some(item.id.clone()),
                label: localized(&item.label, "de").to_owned(),
                reason: "Das Bild ist unscharf. Bitte senden Sie es noch einmal.".to_owned(),
            })
            .collect();
        if items.is_empty() {
            items.push(NewItem {
                item_id: None,
                label: "Vollmacht".to_owned(),
                reason: "Sie haben für eine andere Person geschrieben.".to_owned(),
            });
        }
        let deadline = amtsbote_core::deadline::working_days_after(office.now(), 25);
        office.request_documents(&filed.application, &desk.clerk, items, deadline).await
    }

    /// Hands in what was asked for; every third person forgets one.
    async fn supply(&self, office: &Arc<Office>, filed: &Filed) -> anyhow::Result<()> {
        let mut tx = office.db.read().await?;
        let wanted =
            document_request::wanted(&mut tx, &office.keys, &filed.conversation, filed.person.as_ref())
                .await?;
        drop(tx);
        let forgets = usize::from(wanted.len() > 1 && draw(self.index, "forgets", 3) == 0);
        let mut citizen = Citizen {
            office,
            id: filed.conversation.clone(),
            person: filed.person.clone(),
            trust: filed.trust,
            turns: 1000,
            index: self.index,
        };
        for item in wanted.iter().filter(|item| item.application == filed.application).skip(forgets) {
            let formats = [DocumentFormat::Pdf];
            citizen.sends(&item.label, &formats, Some(item.item.clone())).await?;
        }
        Ok(())
    }
}

/// Somebody in a conversation.
pub struct Citizen<'a> {
    pub office: &'a Arc<Office>,
    pub id: ConversationId,
    pub person: Option<PersonId>,
    pub trust: Trust,
    pub turns: usize,
    pub index: u32,
}

impl Citizen<'_> {
    /// Says something and gets the answer.
    pub async fn says(&mut self, text: &str) -> anyhow::Result<()> {
        self.turns += 1;
        let incoming = Incoming {
            conversation: self.id.clone(),
            external_id: format!("demo-{}", self.turns),
            trust: self.trust,
            person: self.person.clone(),
            body: Body::Text(text.to_owned()),
        };
        self.office.receive(incoming).await?;
        Ok(())
    }

    async fn sends(
        &mut self,
        label: &str,
        formats: &[DocumentFormat],
        wanted: Option<String>,
    ) -> anyhow::Result<()> {
        self.turns += 1;
        let (ending, bytes) = if formats.contains(&DocumentFormat::Pdf) {
            ("pdf", pdf(self.index))
        } else {
            ("png", png(self.index))
        };
        let upload = UploadRequest {
            conversation: self.id.clone(),
            external_id: format!("demo-{}", self.turns),
            trust: self.trust,
            person: self.person.clone(),
            name: format!("Demo {label}.{ending}"),
            bytes,
            wanted,
        };
        self.office.upload(upload).await?;
        Ok(())
    }

    async fn talk(&self) -> anyhow::Result<Conversation> {
        let mut tx = self.office.db.read().await?;
        conversation::load(&mut tx, &self.office.keys, &self.id).await?.context("das Gespräch fehlt")
    }
}

/// Pays at the made-up bank, if anything is due.
async fn pay(office: &Arc<Office>, id: &ApplicationId) -> anyhow::Result<()> {
    let mut tx = office.db.read().await?;
    let Some(due) = payment::of_application(&mut tx, id).await? else { return Ok(()) };
    drop(tx);
    let place = office.request_payment(&due.id).await?;
    let reference = place.rsplit('/').next().unwrap_or_default().to_owned();
    write(office, reference, |tx, office, reference| {
        bank::act(tx, reference, bank::Act::Pay, office.now()).boxed()
    })
    .await?;
    office.settle_payment(&due.id).await?;
    Ok(())
}

async fn fetch(office: &Arc<Office>, filed: &Filed) -> anyhow::Result<()> {
    let mut tx = office.db.read().await?;
    let Some(paper) = paper::newest(&mut tx, &office.keys, &filed.application).await? else { return Ok(()) };
    drop(tx);
    if let Some(person) = &filed.person {
        office.fetch_in_portal(&paper.id, person, filed.trust).await?;
    }
    Ok(())
}

/// What a clerk would write: the prepared texts with their blanks filled in.
fn draft_of(case: &application::Application) -> DraftInput {
    let outcome = case.service.decision.outcomes.first();
    let blocks: Vec<String> =
        outcome.iter().flat_map(|outcome| &outcome.reasons).map(|block| block.id.clone()).collect();
    let content = compose::prepared(case, outcome.map_or("", |outcome| outcome.id.as_str()), &blocks);
    let filled = |texts: Vec<String>| texts.iter().map(|text| fill_blanks(text, case.submitted_at)).collect();
    DraftInput {
        outcome: content.outcome,
        tenor: filled(content.tenor),
        reasons: filled(content.reasons),
        seen: 0,
    }
}

/// Fills the blanks in square brackets that the prepared texts leave to the clerk.
fn fill_blanks(text: &str, filed_at: Timestamp) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, blank)) = rest.split_once('[') {
        let (blank, after) = blank.split_once(']').unwrap_or((blank, ""));
        filled.push_str(before);
        filled.push_str(&match blank {
            "Grad" => "40".to_owned(),
            "Datum" => filed_at.german_date(),
            "keine oder Merkzeichen" => "keine".to_owned(),
            "Beeinträchtigungen" => "Funktionsstörung der Wirbelsäule, Bluthochdruck".to_owned(),
            "nicht beantragt, oder besonderes Interesse mit Begründung" => "nicht beantragt".to_owned(),
            _ => "siehe die Unterlagen in der Akte (erfunden)".to_owned(),
        });
        rest = after;
    }
    filled.push_str(rest);
    filled
}
