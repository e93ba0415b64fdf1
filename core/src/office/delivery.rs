//! Issuing a paper, and fetching it: in the portal at the service's trust level, or, for papers that need none, by a
//! signed link that expires. Every fetch is recorded.

use std::sync::Arc;
use std::time::Duration;

use amtsbote_knowledge::Trust;
use futures::FutureExt;
use serde_json::json;

use super::Office;
use crate::application::Application;
use crate::audit::{self, Actor};
use crate::bescheid::paper::{self, DeliveryEvent, Paper, PaperState};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::document;
use crate::error::{Error, Result};
use crate::id::{BescheidId, PersonId};
use crate::permission;

/// How long a signed link works.
const LINK_TTL: Duration = Duration::from_hours(30 * 24);

/// A fetched paper.
#[derive(Debug)]
pub struct Fetched {
    /// File name.
    pub name: String,
    /// The PDF.
    pub bytes: Vec<u8>,
}

impl Office {
    /// Issues a frozen paper and tells the applicant, in one transaction.
    pub(super) async fn issue(
        &self,
        tx: &mut Tx,
        case: &Application,
        paper: &Paper,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<()> {
        // The paper may have been frozen a moment ago: what counts is the row.
        let paper = paper::load(tx, &self.keys, &paper.id).await?.ok_or(Error::NotFound("paper"))?;
        paper::issue(tx, &self.keys, &paper, actor, now).await?;
        let url = if paper.read_trust == Trust::T0 {
            self.signed_link(&paper.id, now.plus(LINK_TTL))
        } else {
            format!("/portal/{}", case.number)
        };
        self.tell_applicant(tx, case, "notice.issued", &[], Some(("link.fetch", url)), now).await?;
        paper::event(tx, &self.keys, &paper.id, DeliveryEvent::NotificationSent, Trust::T0, now).await
    }

    /// A link that fetches a paper until `until`.
    pub fn signed_link(&self, paper: &BescheidId, until: Timestamp) -> String {
        format!("/fetch/{paper}?until={}&sig={}", until.0, self.link_signature(paper, until))
    }

    fn link_signature(&self, paper: &BescheidId, until: Timestamp) -> String {
        self.keys.master.blind("fetch link", &format!("{paper}|{}", until.0))
    }

    /// Fetches a paper by a signed link. Only papers that need no login have such links.
    pub async fn fetch_by_link(
        self: &Arc<Self>,
        paper: &BescheidId,
        until: Timestamp,
        signature: &str,
    ) -> Result<Fetched> {
        let genuine = same(&self.link_signature(paper, until), signature);
        if !genuine || until < self.now() {
            return Err(Error::refused("fetch.link_expired"));
        }
        self.fetch(paper, Trust::T0, None).await
    }

    /// Fetches a paper of a person's own case in the portal.
    pub async fn fetch_in_portal(
        self: &Arc<Self>,
        paper: &BescheidId,
        person: &PersonId,
        trust: Trust,
    ) -> Result<Fetched> {
        self.fetch(paper, trust, Some(person)).await
    }

    async fn fetch(
        self: &Arc<Self>,
        id: &BescheidId,
        trust: Trust,
        person: Option<&PersonId>,
    ) -> Result<Fetched> {
        let office = Arc::clone(self);
        let args = Arc::new((id.clone(), person.cloned()));
        let stored = self
            .db
            .write(move |tx| {
                let (office, args) = (Arc::clone(&office), Arc::clone(&args));
                async move {
                    let (id, person) = &*args;
                    let paper = paper::load(tx, &office.keys, id)
                        .await?
                        .filter(|paper| paper.state == PaperState::Issued)
                        .ok_or(Error::NotFound("paper"))?;
                    let case = office.case(tx, &paper.application).await?;
                    match person {
                        Some(person) if case.person.as_ref() == Some(person) => {}
                        None if paper.read_trust == Trust::T0 => {}
                        Some(_) | None => return Err(Error::NotFound("paper")),
                    }
                    if !permission::may_read_result(trust, &case.service) {
                        return Err(Error::refused("fetch.login_needed"));
                    }
                    let Some(frozen) = &paper.frozen else { return Err(Error::NotFound("paper")) };
                    let stored = document::load(tx, &office.keys, &frozen.accessible)
                        .await?
                        .ok_or(Error::NotFound("document"))?;
                    let now = office.now();
                    paper::event(tx, &office.keys, id, DeliveryEvent::Retrieved, trust, now).await?;
                    let actor = person
                        .clone()
                        .map_or_else(|| Actor::Anonymous(case.conversation.clone()), Actor::Person);
                    let subject = ("application", case.id.as_str());
                    let details = json!({ "paper": id.as_str() });
                    audit::record(tx, &actor, "paper.retrieve", subject, details, now).await?;
                    Ok(stored)
                }
                .boxed()
            })
            .await?;
        let bytes = document::read(&self.files, &self.keys, &stored).await?;
        Ok(Fetched { name: stored.name, bytes })
    }
}

/// Compares without telling by its time how much of it was right.
fn same(expected: &str, given: &str) -> bool {
    expected.len() == given.len()
        && expected.bytes().zip(given.bytes()).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}
