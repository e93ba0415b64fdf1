//! What clerks and approvers do with a case. Every act names the member of staff, is audited, and is refused where
//! the role or the state machine says so. A decision is made here, by a person, and nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use amtsbote_knowledge::{ApprovalStep, DecisionKind, DocumentFormat, OutputKind, Trust, localized};
use futures::FutureExt;
use serde_json::json;
use sqlx::Row as _;

use super::Office;
use super::conversation::Notice;
use crate::application::{self, Application, DecisionEvidence, Event, Filter, Row, State};
use crate::audit::{self, Actor, AuditRecord};
use crate::bescheid::compose::{self, Sender};
use crate::bescheid::letter;
use crate::bescheid::paper::{self, Approval, Approver, Frozen, Paper, PaperContent, PaperState};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::document::{self, Document, DocumentKind, Inspected, NewDocument};
use crate::document_request::{self, ItemState, NewItem};
use crate::error::{Error, Result};
use crate::form;
use crate::id::{ApplicationId, DocumentId, StaffId};
use crate::payment::{self, Payment};
use crate::seal::{DataKey, sha256_hex};
use crate::staff::{self, Role, Staff};

/// A case as the desk shows it.
#[derive(Debug)]
pub struct CaseView {
    /// The case.
    pub case: Application,
    /// Title of the service, German.
    pub title: String,
    /// The answers: (label, value).
    pub answers: Vec<(String, String)>,
    /// Its documents.
    pub documents: Vec<Document>,
    /// Its newest payment.
    pub payment: Option<Payment>,
    /// What was asked for.
    pub requests: Vec<document_request::DocumentRequest>,
    /// Its newest paper.
    pub paper: Option<Paper>,
    /// Approvals of the paper's bytes.
    pub approvals: Vec<Approval>,
    /// Events of the paper's delivery.
    pub events: Vec<(String, Timestamp)>,
    /// What happened, oldest first.
    pub history: Vec<AuditRecord>,
    /// Notes of staff: (who, when, text).
    pub notes: Vec<(String, Timestamp, String)>,
    /// Names of the staff that occur above.
    pub names: BTreeMap<String, String>,
}

/// What a clerk writes for a paper.
#[derive(Debug, Clone)]
pub struct DraftInput {
    /// Id of the outcome; empty for papers without a decision.
    pub outcome: String,
    /// The operative sentences, a paragraph each.
    pub tenor: Vec<String>,
    /// The reasons, a paragraph each.
    pub reasons: Vec<String>,
    /// Version of the draft that the form showed; 0 if there was none.
    pub seen: i64,
}

/// The steps by which a paper of this case is approved. A decision without steps of its own needs one clerk.
pub fn steps(case: &Application) -> Vec<ApprovalStep> {
    if case.service.approval.is_empty() {
        vec![ApprovalStep { role: Role::Clerk.word().to_owned(), four_eyes: false }]
    } else {
        case.service.approval.clone()
    }
}

impl Office {
    /// The inbox: cases by due date, with the kept counts of all states.
    pub async fn inbox(&self, filter: &Filter, limit: i64) -> Result<(Vec<Row>, BTreeMap<State, i64>)> {
        let mut tx = self.db.read().await?;
        let rows = application::list(&mut tx, filter, limit).await?;
        let counts = application::counts(&mut tx).await?;
        Ok((rows, counts))
    }

    /// Everything that the desk shows of a case. That it was opened is audited.
    pub async fn case_view(self: &Arc<Self>, id: &ApplicationId, staff: &StaffId) -> Result<CaseView> {
        let office = Arc::clone(self);
        let (viewed, reader) = (id.clone(), staff.clone());
        self.db
            .write(move |tx| {
                let (office, id, staff) = (Arc::clone(&office), viewed.clone(), reader.clone());
                async move {
                    office.desk_member(tx, &staff, &[Role::Clerk, Role::Approver]).await?;
                    let subject = ("application", id.as_str());
                    office.case(tx, &id).await?;
                    let actor = Actor::Staff(staff.clone());
                    audit::record(tx, &actor, "application.view", subject, json!({}), office.now()).await
                }
                .boxed()
            })
            .await?;
        let mut tx = self.db.read().await?;
        let tx = &mut *tx;
        let case = self.case(tx, id).await?;
        let paper = paper::newest(tx, &self.keys, id).await?;
        let (approvals, events) = match &paper {
            Some(paper) => (paper::approvals(tx, &paper.id).await?, paper::events(tx, &paper.id).await?),
            None => (Vec::new(), Vec::new()),
        };
        let answers = form::fields(&case.service, &case.answers)
            .into_iter()
            .map(|field| {
                let value = case
                    .answers
                    .get(&field.id)
                    .map_or_else(|| "–".to_owned(), |value| form::display(field, value, "de"));
                (localized(&field.label, "de").to_owned(), value)
            })
            .collect();
        let names =
            staff::list(tx).await?.into_iter().map(|member| (member.id.0, member.display_name)).collect();
        Ok(CaseView {
            title: localized(&case.service.titles, "de").to_owned(),
            answers,
            documents: document::of_application(tx, &self.keys, id).await?,
            payment: payment::of_application(tx, id).await?,
            requests: document_request::of_application(tx, &self.keys, id).await?,
            paper,
            approvals,
            events,
            history: audit::history(tx, ("application", id.as_str()), 500).await?,
            notes: notes(tx, self, id).await?,
            names,
            case,
        })
    }

    async fn desk_member(&self, tx: &mut Tx, staff: &StaffId, roles: &[Role]) -> Result<Staff> {
        let member =
            staff::load(tx, staff).await?.filter(|member| member.active).ok_or(Error::NotFound("staff"))?;
        if roles.iter().any(|role| member.roles.contains(role)) {
            Ok(member)
        } else {
            Err(Error::refused("desk.wrong_role"))
        }
    }

    /// Lets an event happen that a clerk may let happen by hand. A remark becomes a note of the same transaction.
    pub async fn desk_event(
        self: &Arc<Self>,
        id: &ApplicationId,
        staff: &StaffId,
        event: Event,
        remark: Option<String>,
    ) -> Result<State> {
        let by_hand = matches!(
            event,
            Event::Waive
                | Event::Complete
                | Event::Take
                | Event::NotCompetent
                | Event::Moot
                | Event::Withdraw
                | Event::ConfirmFinal
                | Event::Close
        );
        if !by_hand {
            return Err(Error::refused("desk.not_by_hand"));
        }
        self.on_case(id, staff, &[Role::Clerk], move |office, tx, case, member, now| {
            let (event, remark) = (event.clone(), remark.clone());
            async move {
                let actor = Actor::Staff(member.id.clone());
                let state = application::apply(tx, &case.id, &event, &actor, now).await?;
                if let Some(remark) = remark {
                    office.put_note(tx, &case.id, &member.id, &remark, now).await?;
                }
                if event == Event::Take && case.assigned.is_none() {
                    application::assign(tx, &case.id, &member.id, None, &actor, now).await?;
                }
                let key = match event {
                    Event::Waive => Some("notice.waived"),
                    Event::NotCompetent => Some("notice.forwarded"),
                    Event::Moot => Some("notice.moot"),
                    Event::Withdraw => Some("notice.withdrawn"),
                    _ => None,
                };
                if let Some(key) = key {
                    office.tell_applicant(tx, &case, key, &[], None, now).await?;
                }
                Ok(state)
            }
            .boxed()
        })
        .await
    }

    /// Runs `work` in one transaction on a case, for a member of staff with one of the roles.
    async fn on_case<T, F>(
        self: &Arc<Self>,
        id: &ApplicationId,
        staff: &StaffId,
        roles: &'static [Role],
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(
                Arc<Self>,
                &'a mut Tx,
                Application,
                Staff,
                Timestamp,
            ) -> futures::future::BoxFuture<'a, Result<T>>
            + Send
            + Sync
            + 'static,
    {
        let office = Arc::clone(self);
        let (id, staff, work) = (id.clone(), staff.clone(), Arc::new(work));
        self.db
            .write(move |tx| {
                let (office, id, staff, work) =
                    (Arc::clone(&office), id.clone(), staff.clone(), Arc::clone(&work));
                async move {
                    let member = office.desk_member(tx, &staff, roles).await?;
                    let case = office.case(tx, &id).await?;
                    let now = office.now();
                    let conversation = case.conversation.clone();
                    let value = work(Arc::clone(&office), tx, case, member, now).await?;
                    office.ring(&conversation);
                    Ok(value)
                }
                .boxed()
            })
            .await
    }

    /// A sentence of the office to the applicant, in the conversation and, if an address was given, a mail that
    /// says no more than "there is news".
    pub(super) async fn tell_applicant(
        &self,
        tx: &mut Tx,
        case: &Application,
        key: &str,
        values: &[(&str, &str)],
        link: Option<(&str, String)>,
        now: Timestamp,
    ) -> Result<()> {
        let title = localized(&case.service.titles, &case.language).to_owned();
        let mut all = vec![("title", title.as_str()), ("number", case.number.as_str())];
        all.extend_from_slice(values);
        let kind = case.service.case_kind;
        let notice = Notice { key, kind, values: &all, link, trust: case.trust.min(Trust::T1) };
        self.announce(tx, &case.conversation, notice, now).await?;
        if let Some(address) = case.answers.get("email") {
            let unique = format!("{}:{key}:{}", case.id, now.0);
            crate::outbox::put_news_mail(tx, &self.keys, &unique, address, &case.language, now).await?;
        }
        Ok(())
    }

    /// Takes a case over, or gives it to a colleague.
    pub async fn assign_case(
        self: &Arc<Self>,
        id: &ApplicationId,
        staff: &StaffId,
        to: StaffId,
    ) -> Result<()> {
        self.on_case(id, staff, &[Role::Clerk], move |office, tx, case, member, now| {
            let to = to.clone();
            async move {
                office.desk_member(tx, &to, &[Role::Clerk]).await?;
                let actor = Actor::Staff(member.id);
                application::assign(tx, &case.id, &to, case.assigned.as_ref(), &actor, now).await
            }
            .boxed()
        })
        .await
    }

    /// Asks the applicant for documents, item by item.
    pub async fn request_documents(
        self: &Arc<Self>,
        id: &ApplicationId,
        staff: &StaffId,
        items: Vec<NewItem>,
        deadline: Timestamp,
    ) -> Result<()> {
        if items.is_empty() {
            return Err(Error::refused("desk.no_items"));
        }
        self.on_case(id, staff, &[Role::Clerk], move |office, tx, case, member, now| {
            let items = items.clone();
            async move {
                let actor = Actor::Staff(member.id);
                document_request::send(tx, &office.keys, &case.id, &items, deadline, &actor, now).await?;
                let wanted: Vec<String> = items
                    .iter()
                    .map(|item| match item.reason.trim() {
                        "" => item.label.clone(),
                        reason => format!("{} ({reason})", item.label),
                    })
                    .collect();
                let labels = wanted.join(", ");
                let date = deadline.german_date();
                let values = [("items", labels.as_str()), ("date", date.as_str())];
                office.tell_applicant(tx, &case, "notice.documents_requested", &values, None, now).await
            }
            .boxed()
        })
        .await
    }

    /// Accepts or rejects a delivered item.
    pub async fn judge_item(
        self: &Arc<Self>,
        id: &ApplicationId,
        staff: &StaffId,
        item: String,
        judgement: std::result::Result<(), String>,
    ) -> Result<()> {
        self.on_case(id, staff, &[Role::Clerk], move |office, tx, case, member, now| {
            let (item, judgement) = (item.clone(), judgement.clone());
            async move {
                let known = document_request::of_application(tx, &office.keys, &case.id)
                    .await?
                    .iter()
                    .any(|request| request.items.iter().any(|own| own.item == item));
                if !known {
                    return Err(Error::NotFound("item"));
                }
                let actor = Actor::Staff(member.id);
                let note = judgement.as_ref().err().map_or("", String::as_str);
                document_request::judge(tx, &office.keys, &item, judgement.is_ok(), note, &actor, now)
                    .await?;
                if !note.is_empty() {
                    let values = [("reason", note)];
                    office.tell_applicant(tx, &case, "notice.item_rejected", &values, None, now).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
    }

    /// Adds a note that only staff see.
    pub async fn add_note(self: &Arc<Self>, id: &ApplicationId, staff: &StaffId, text: String) -> Result<()> {
        if text.trim().is_empty() {
            return Err(Error::refused("invalid.empty"));
        }
        self.on_case(id, staff, &[Role::Clerk, Role::Approver], move |office, tx, case, member, now| {
            let text = text.trim().to_owned();
            async move { office.put_note(tx, &case.id, &member.id, &text, now).await }.boxed()
        })
        .await
    }

    async fn put_note(
        &self,
        tx: &mut Tx,
        case: &ApplicationId,
        staff: &StaffId,
        text: &str,
        now: Timestamp,
    ) -> Result<()> {
        let keys = &self.keys;
        let note = keys.clock.id::<DocumentId>().0;
        let key = DataKey::generate(&keys.clock);
        sqlx::query(
            "insert into note (id, application_id, staff_id, key_wrapped, text_sealed, created_at) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(note.as_str())
        .bind(case.as_str())
        .bind(staff.as_str())
        .bind(keys.master.wrap(&key, &note, &keys.clock))
        .bind(key.seal(note.as_bytes(), text.as_bytes(), &keys.clock))
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
        let actor = Actor::Staff(staff.clone());
        audit::record(tx, &actor, "application.note", ("application", case.as_str()), json!({}), now).await
    }

    /// Stores what a clerk wrote for the paper of a case.
    pub async fn save_paper(
        self: &Arc<Self>,
        id: &ApplicationId,
        staff: &StaffId,
        input: DraftInput,
    ) -> Result<()> {
        let clean = |paragraphs: Vec<String>| -> Vec<String> {
            paragraphs.into_iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
        };
        let seen = input.seen;
        let content =
            PaperContent { outcome: input.outcome, tenor: clean(input.tenor), reasons: clean(input.reasons) };
        self.on_case(id, staff, &[Role::Clerk], move |office, tx, case, member, now| {
            let content = content.clone();
            async move {
                if case.state != State::InProgress {
                    return Err(Error::refused("paper.not_in_progress"));
                }
                let decision = case.service.decision.kind != DecisionKind::None;
                let known =
                    case.service.decision.outcomes.iter().any(|outcome| outcome.id == content.outcome);
                if decision && !known {
                    return Err(Error::refused("paper.no_outcome"));
                }
                if content.tenor.is_empty() || (decision && content.reasons.is_empty()) {
                    return Err(Error::refused("paper.no_reasons"));
                }
                if let Some(blank) = blank_left(&content) {
                    return Err(Error::refused_with("paper.blank_left", vec![("blank", blank)]));
                }
                let author = (&member.id, case.service.trust.read);
                paper::draft(tx, &office.keys, &case.id, &content, author, seen, now).await?;
                Ok(())
            }
            .boxed()
        })
        .await
    }

    /// Renders the paper as it would go out today, for a look at it.
    pub async fn preview_paper(&self, id: &ApplicationId, staff: &StaffId) -> Result<Vec<u8>> {
        let mut tx = self.db.read().await?;
        let member = self.desk_member(&mut tx, staff, &[Role::Clerk, Role::Approver]).await?;
        let case = self.case(&mut tx, id).await?;
        let paper = paper::newest(&mut tx, &self.keys, id).await?.ok_or(Error::NotFound("paper"))?;
        if let Some(frozen) = &paper.frozen {
            let stored = document::load(&mut tx, &self.keys, &frozen.accessible)
                .await?
                .ok_or(Error::NotFound("document"))?;
            return document::read(&self.files, &self.keys, &stored).await;
        }
        drop(tx);
        Ok(self.render(&case, &paper.content, &member.display_name).await?.accessible)
    }

    async fn render(
        &self,
        case: &Application,
        content: &PaperContent,
        clerk: &str,
    ) -> Result<letter::Rendered> {
        let catalogue = self.catalogue();
        let sender = Sender {
            office: &self.config.office.name,
            address: &self.config.office.address,
            phone: &self.config.office.phone,
            unit: catalogue.unit(&case.service.unit),
            clerk,
        };
        let letter = compose::letter(case, content, sender, self.now().date());
        // Typesetting takes tens of milliseconds of processor time; conversations must not wait for it.
        tokio::task::spawn_blocking(move || letter::render(&letter))
            .await
            .map_err(|_| Error::Setup("the letter could not be typeset".to_owned()))?
            .map_err(Error::from)
    }

    /// Freezes the paper's bytes and proposes it for approval. Papers without a decision are issued at once.
    pub async fn propose_paper(self: &Arc<Self>, id: &ApplicationId, staff: &StaffId) -> Result<()> {
        let (case, paper, member) = {
            let mut tx = self.db.read().await?;
            let member = self.desk_member(&mut tx, staff, &[Role::Clerk]).await?;
            let case = self.case(&mut tx, id).await?;
            let paper = paper::newest(&mut tx, &self.keys, id).await?.ok_or(Error::refused("paper.none"))?;
            (case, paper, member)
        };
        if paper.state != PaperState::Draft || case.state != State::InProgress {
            return Err(Error::refused("paper.not_in_progress"));
        }
        let rendered = self.render(&case, &paper.content, &member.display_name).await?;
        let (accessible, archive) = (
            self.store_pdf(&case, DocumentKind::Bescheid, rendered.accessible).await?,
            self.store_pdf(&case, DocumentKind::BescheidArchive, rendered.archive).await?,
        );
        let frozen = Frozen {
            accessible: accessible.id.clone(),
            archive: archive.id.clone(),
            accessible_sha256: accessible.inspected.sha256.clone(),
            archive_sha256: archive.inspected.sha256.clone(),
        };
        let documents = Arc::new([accessible, archive]);
        let decision = case.service.decision.kind != DecisionKind::None;
        let paper = Arc::new(paper);
        self.on_case(id, staff, &[Role::Clerk], move |office, tx, case, member, now| {
            let (documents, frozen, paper) = (Arc::clone(&documents), frozen.clone(), Arc::clone(&paper));
            async move {
                let actor = Actor::Staff(member.id.clone());
                for new in documents.iter() {
                    document::insert(tx, &office.keys, new, &actor, now).await?;
                }
                paper::freeze(tx, &paper, &frozen, &member.id, now).await?;
                if decision {
                    application::apply(tx, &case.id, &Event::ProposeDecision, &actor, now).await?;
                    return Ok(());
                }
                application::apply(tx, &case.id, &Event::ServiceRendered, &actor, now).await?;
                office.issue(tx, &case, &paper, &actor, now).await
            }
            .boxed()
        })
        .await
    }

    /// Seals a PDF of the office into the file store; its row is written by the caller's transaction.
    async fn store_pdf(&self, case: &Application, kind: DocumentKind, bytes: Vec<u8>) -> Result<NewDocument> {
        let id: DocumentId = self.keys.clock.id();
        let key = document::store_bytes(&self.files, &self.keys, &id, &bytes).await?;
        let word = match case.service.output.kind {
            OutputKind::Bescheid => "Bescheid",
            OutputKind::Certificate => "Bescheinigung",
            OutputKind::Extract => "Auszug",
            OutputKind::Confirmation | OutputKind::None => "Bestaetigung",
        };
        Ok(NewDocument {
            id,
            kind,
            conversation: None,
            application: Some(case.id.clone()),
            item: String::new(),
            name: format!("{word}-{}.pdf", case.number),
            inspected: Inspected {
                format: DocumentFormat::Pdf,
                size_bytes: bytes.len() as u64,
                sha256: sha256_hex(&bytes),
            },
            key,
            trust: case.service.trust.read,
        })
    }

    /// Approves the next step; the caller has seen to it that the second factor was proved just now
    /// ([`Self::step_up`]). The last approval of a decision decides the
    /// case: by this person, in this role, for the bytes with this hash.
    pub async fn approve_paper(
        self: &Arc<Self>,
        id: &ApplicationId,
        staff: &StaffId,
        seen_sha256: String,
    ) -> Result<()> {
        self.on_case(id, staff, &[Role::Clerk, Role::Approver], move |office, tx, case, member, now| {
            let seen = seen_sha256.clone();
            async move {
                let paper =
                    paper::newest(tx, &office.keys, &case.id).await?.ok_or(Error::refused("paper.none"))?;
                let steps = steps(&case);
                let roles: Vec<String> = member.roles.iter().map(|role| role.word().to_owned()).collect();
                let approver = Approver { staff: &member.id, roles: &roles, seen_sha256: &seen };
                let given = paper::approvals(tx, &paper.id).await?.len();
                if !paper::approve(tx, &paper, &steps, approver, now).await? {
                    return Ok(());
                }
                let role = steps.get(given).map(|step| step.role.clone()).unwrap_or_default();
                let evidence = DecisionEvidence::new(member.id.clone(), role, seen);
                let actor = Actor::Staff(member.id.clone());
                application::apply(tx, &case.id, &Event::Decide(evidence), &actor, now).await?;
                office.issue(tx, &case, &paper, &actor, now).await
            }
            .boxed()
        })
        .await
    }

    /// Proves the second factor again for a session, before something weighty.
    pub async fn step_up(self: &Arc<Self>, staff: &StaffId, token: &str, code: &str) -> Result<()> {
        let office = Arc::clone(self);
        let args = Arc::new((staff.clone(), token.to_owned(), code.to_owned()));
        self.db
            .write(move |tx| {
                let (office, args) = (Arc::clone(&office), Arc::clone(&args));
                async move {
                    staff::verify_step_up(tx, &office.keys, &args.0, &args.1, &args.2, office.now()).await
                }
                .boxed()
            })
            .await?
            .or_refused()
    }

    /// Sends a proposed paper back to the clerk; every approval is gone. The reason becomes a note of the same
    /// transaction.
    pub async fn send_back_paper(
        self: &Arc<Self>,
        id: &ApplicationId,
        staff: &StaffId,
        reason: String,
    ) -> Result<()> {
        self.on_case(id, staff, &[Role::Clerk, Role::Approver], move |office, tx, case, member, now| {
            let reason = reason.clone();
            async move {
                let paper =
                    paper::newest(tx, &office.keys, &case.id).await?.ok_or(Error::refused("paper.none"))?;
                let actor = Actor::Staff(member.id.clone());
                application::apply(tx, &case.id, &Event::SendBack, &actor, now).await?;
                paper::thaw(tx, &paper, &member.id, now).await?;
                office.put_note(tx, &case.id, &member.id, &reason, now).await
            }
            .boxed()
        })
        .await
    }

    /// Reminds applicants of documents that are still missing. Returns how many were reminded.
    pub async fn remind_of_documents(self: &Arc<Self>, limit: i64) -> Result<u64> {
        let office = Arc::clone(self);
        self.db
            .write(move |tx| {
                let office = Arc::clone(&office);
                async move {
                    let now = office.now();
                    let due = document_request::due_reminders(tx, now, limit).await?;
                    for reminder in &due {
                        let case = match office.case(tx, &reminder.application).await {
                            Ok(case) => case,
                            // One case that can't be read must not keep the others from their reminder.
                            Err(error @ (Error::NotFound(_) | Error::Seal(_))) => {
                                let id = &reminder.application;
                                tracing::error!(error = %error, application.id = %id, "a reminder was left out");
                                continue;
                            }
                            Err(error) => return Err(error),
                        };
                        let requests =
                            document_request::of_application(tx, &office.keys, &reminder.application).await?;
                        let open: Vec<&str> = requests
                            .iter()
                            .filter(|request| request.id == reminder.request)
                            .flat_map(|request| &request.items)
                            .filter(|item| matches!(item.state, ItemState::Open | ItemState::Rejected))
                            .map(|item| item.label.as_str())
                            .collect();
                        let (date, items) = (reminder.deadline.german_date(), open.join(", "));
                        let values = [("date", date.as_str()), ("items", items.as_str())];
                        office.tell_applicant(tx, &case, "notice.reminder", &values, None, now).await?;
                    }
                    Ok(due.len() as u64)
                }
                .boxed()
            })
            .await
    }

    /// A document of a case, for the desk.
    pub async fn desk_document(
        &self,
        application: &ApplicationId,
        id: &DocumentId,
        staff: &StaffId,
    ) -> Result<(Document, Vec<u8>)> {
        let mut tx = self.db.read().await?;
        self.desk_member(&mut tx, staff, &[Role::Clerk, Role::Approver]).await?;
        let stored = document::load(&mut tx, &self.keys, id)
            .await?
            .filter(|document| document.application.as_ref() == Some(application))
            .ok_or(Error::NotFound("document"))?;
        drop(tx);
        let bytes = document::read(&self.files, &self.keys, &stored).await?;
        Ok((stored, bytes))
    }
}

/// A blank of the service's text that the clerk has not filled in: "[Grad]".
fn blank_left(content: &PaperContent) -> Option<String> {
    content.tenor.iter().chain(&content.reasons).find_map(|text| {
        let start = text.find('[')?;
        let end = text[start..].find(']')?;
        Some(text[start..=start + end].to_owned())
    })
}

async fn notes(tx: &mut Tx, office: &Office, id: &ApplicationId) -> Result<Vec<(String, Timestamp, String)>> {
    let rows = sqlx::query(
        "select id, staff_id, key_wrapped, text_sealed, created_at from note where application_id = $1 \
         order by created_at limit 200",
    )
    .bind(id.as_str())
    .fetch_all(&mut *tx)
    .await?;
    rows.iter()
        .map(|row| {
            let note: String = row.try_get(0)?;
            let key = office.keys.master.unwrap(&row.try_get::<Vec<u8>, _>(2)?, &note)?;
            let text = key.open(note.as_bytes(), &row.try_get::<Vec<u8>, _>(3)?)?;
            let text = String::from_utf8(text).map_err(|_| Error::Seal("a note is not text"))?;
            Ok((row.try_get(1)?, Timestamp(row.try_get(4)?), text))
        })
        .collect()
}
