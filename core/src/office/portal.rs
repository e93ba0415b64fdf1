//! What a citizen sees and does outside the chat: own cases, payment, the status page, the copy of an application.

use std::sync::Arc;

use amtsbote_knowledge::{Trust, localized};
use futures::FutureExt;

use super::{CASES_SHOWN, Office};
use crate::application::{self, Application, Row};
use crate::audit::AuditRecord;
use crate::bescheid::paper::{self, Paper, PaperState};
use crate::dialog::CaseFacts;
use crate::document::{self, Document, DocumentKind};
use crate::document_request::{self, WantedItem};
use crate::error::{Error, Result};
use crate::form;
use crate::id::{ApplicationId, ConversationId, PaymentId, PersonId};
use crate::payment::{self, Payment};
use crate::permission::{self, PermissionAct, Verdict};

/// A case as its applicant sees it.
#[derive(Debug)]
pub struct PortalCase {
    /// The case.
    pub case: Application,
    /// Title of the service in the reader's language.
    pub title: String,
    /// State and next step.
    pub facts: CaseFacts,
    /// The answers: (label, value).
    pub answers: Vec<(String, String)>,
    /// The applicant's own documents.
    pub documents: Vec<Document>,
    /// What the office waits for.
    pub wanted: Vec<WantedItem>,
    /// The newest payment.
    pub payment: Option<Payment>,
    /// The issued paper.
    pub paper: Option<Paper>,
    /// Whether the paper may be fetched at this trust level.
    pub may_fetch: bool,
    /// Whether the case may be withdrawn at this trust level.
    pub may_withdraw: bool,
    /// What happened, oldest first.
    pub history: Vec<AuditRecord>,
}

impl Office {
    /// The cases of a person, newest first.
    pub async fn own_cases(&self, person: &PersonId, language: &str) -> Result<Vec<CaseFacts>> {
        let mut tx = self.db.read().await?;
        let rows: Vec<Row> = application::of_person(&mut tx, person, CASES_SHOWN).await?;
        Ok(rows.iter().map(|row| self.case_facts(row, language, &[])).collect())
    }

    /// A person's own case with everything that this trust level may see.
    pub async fn own_case(
        &self,
        number: &str,
        person: &PersonId,
        trust: Trust,
        language: &str,
    ) -> Result<PortalCase> {
        let mut tx = self.db.read().await?;
        let tx = &mut *tx;
        let id = application::id_by_number(tx, number).await?.ok_or(Error::NotFound("application"))?;
        let case = self.case(tx, &id).await?;
        if case.person.as_ref() != Some(person) {
            return Err(Error::NotFound("application"));
        }
        let verdict = |act| permission::verdict(crate::message::ChannelKind::Web, trust, act);
        let full = verdict(PermissionAct::ViewFile) == Verdict::Allowed && trust >= case.trust;
        let wanted: Vec<WantedItem> =
            document_request::wanted(tx, &self.keys, &case.conversation, Some(person))
                .await?
                .into_iter()
                .filter(|item| item.application == id)
                .collect();
        let row = application::of_person(tx, person, CASES_SHOWN)
            .await?
            .into_iter()
            .find(|row| row.id == id)
            .ok_or(Error::NotFound("application"))?;
        let facts = self.case_facts(&row, language, &wanted);
        let paper =
            paper::newest(tx, &self.keys, &id).await?.filter(|paper| paper.state == PaperState::Issued);
        Ok(PortalCase {
            title: localized(&case.service.titles, language).to_owned(),
            answers: if full { answers(&case, language) } else { Vec::new() },
            documents: if full {
                document::of_application(tx, &self.keys, &id)
                    .await?
                    .into_iter()
                    .filter(|document| document.kind == DocumentKind::Upload)
                    .collect()
            } else {
                Vec::new()
            },
            payment: payment::of_application(tx, &id).await?,
            may_fetch: paper.is_some() && permission::may_read_result(trust, &case.service),
            may_withdraw: facts.withdrawable && verdict(PermissionAct::Withdraw) == Verdict::Allowed,
            history: crate::audit::history(tx, ("application", id.as_str()), 200).await?,
            facts,
            wanted,
            paper,
            case,
        })
    }

    /// The bytes of a document that the caller was shown.
    pub async fn read_document(&self, document: &Document) -> Result<Vec<u8>> {
        document::read(&self.files, &self.keys, document).await
    }

    /// The copy of an application: for its person, or for the conversation in which it was filed.
    pub async fn copy_of(
        &self,
        number: &str,
        conversation: &ConversationId,
        person: Option<&PersonId>,
        trust: Trust,
        language: &str,
    ) -> Result<(Application, String, Vec<(String, String)>)> {
        let mut tx = self.db.read().await?;
        let id = application::id_by_number(&mut tx, number).await?.ok_or(Error::NotFound("application"))?;
        let case = self.case(&mut tx, &id).await?;
        let own = match &case.person {
            Some(owner) => person == Some(owner),
            None => case.conversation == *conversation,
        };
        if !own || trust < case.trust {
            return Err(Error::NotFound("application"));
        }
        let title = localized(&case.service.titles, language).to_owned();
        let rows = answers(&case, language);
        Ok((case, title, rows))
    }

    /// A case for its number and access code. The answer never tells which of the two was wrong.
    pub async fn public_status(
        self: &Arc<Self>,
        number: &str,
        code: &str,
        language: &str,
    ) -> Result<Option<CaseFacts>> {
        let office = Arc::clone(self);
        let clean = |text: &str| -> String {
            text.to_uppercase().chars().filter(char::is_ascii_alphanumeric).take(40).collect()
        };
        let args = Arc::new((clean(number), clean(code)));
        let row = self
            .db
            .write(move |tx| {
                let (office, args) = (Arc::clone(&office), Arc::clone(&args));
                async move {
                    application::by_number_and_code(tx, &office.keys, &args.0, &args.1, office.now()).await
                }
                .boxed()
            })
            .await?;
        Ok(row.map(|row| self.case_facts(&row, language, &[])))
    }

    /// The payment, for the conversation or person that it belongs to.
    pub async fn own_payment(
        &self,
        id: &PaymentId,
        conversation: &ConversationId,
        person: Option<&PersonId>,
    ) -> Result<(Payment, Application)> {
        let mut tx = self.db.read().await?;
        let payment = payment::load(&mut tx, id).await?.ok_or(Error::NotFound("payment"))?;
        let case = self.case(&mut tx, &payment.application).await?;
        let own =
            case.conversation == *conversation || (case.person.is_some() && case.person.as_ref() == person);
        if own { Ok((payment, case)) } else { Err(Error::NotFound("payment")) }
    }

    /// Asks the provider for a payment and says where to pay. A double click gives the same place.
    pub async fn request_payment(self: &Arc<Self>, id: &PaymentId) -> Result<String> {
        let office = Arc::clone(self);
        let id = id.clone();
        self.db
            .write(move |tx| {
                let (office, id) = (Arc::clone(&office), id.clone());
                async move {
                    let now = office.now();
                    payment::retry(tx, &office.keys, &id, now).await?;
                    payment::request(tx, &office.keys, &id, now).await
                }
                .boxed()
            })
            .await
    }

    /// Queries the provider and records what it says; all that follows from a first "paid" commits with it.
    pub async fn settle_payment(self: &Arc<Self>, id: &PaymentId) -> Result<Payment> {
        let office = Arc::clone(self);
        let id = id.clone();
        self.db
            .write(move |tx| {
                let (office, id) = (Arc::clone(&office), id.clone());
                async move {
                    let now = office.now();
                    let settled = payment::settle(tx, &id, now).await?;
                    let payment = payment::load(tx, &id).await?.ok_or(Error::NotFound("payment"))?;
                    if settled.newly_paid {
                        let case = office.case(tx, &payment.application).await?;
                        let amount = form::euros(payment.amount_cents);
                        let values = [("amount", amount.as_str())];
                        office.tell_applicant(tx, &case, "notice.paid", &values, None, now).await?;
                        office.ring(&case.conversation);
                    }
                    Ok(payment)
                }
                .boxed()
            })
            .await
    }

    /// Withdraws a person's own case.
    pub async fn withdraw_case(
        self: &Arc<Self>,
        id: &ApplicationId,
        person: &PersonId,
        trust: Trust,
    ) -> Result<String> {
        let allowed = permission::verdict(crate::message::ChannelKind::Web, trust, PermissionAct::Withdraw);
        if allowed != Verdict::Allowed {
            return Err(Error::refused("withdraw.login_first"));
        }
        let office = Arc::clone(self);
        let args = Arc::new((id.clone(), person.clone()));
        self.db
            .write(move |tx| {
                let (office, args) = (Arc::clone(&office), Arc::clone(&args));
                async move {
                    let (id, person) = &*args;
                    let case = office.case(tx, id).await?;
                    if case.person.as_ref() != Some(person) {
                        return Err(Error::NotFound("application"));
                    }
                    let now = office.now();
                    let actor = crate::audit::Actor::Person(person.clone());
                    let number = application::withdraw(tx, id, Some(person), &actor, now).await?;
                    office.tell_applicant(tx, &case, "withdraw.done", &[], None, now).await?;
                    Ok(number)
                }
                .boxed()
            })
            .await
    }
}

fn answers(case: &Application, language: &str) -> Vec<(String, String)> {
    form::fields(&case.service, &case.answers)
        .into_iter()
        .filter_map(|field| {
            case.answers.get(&field.id).map(|value| {
                (localized(&field.label, language).to_owned(), form::display(field, value, language))
            })
        })
        .collect()
}
