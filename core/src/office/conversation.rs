//! The conversation's use cases: open, receive, read, log in, erase. What staff do in a chat is in `chat`.
//!
//! A message is acknowledged only after everything that follows from it is durable. The same message again gets
//! the same answer and has no further effect.

use std::sync::Arc;
use std::time::Duration;

use amtsbote_knowledge::{CaseKind, DocumentFormat, Trust, localized};
use futures::FutureExt;
use serde_json::json;

use super::{Office, Who};
use crate::application::{self, Submission};
use crate::audit::{self, Actor};
use crate::clock::Timestamp;
use crate::conversation::{self, Author, Content, Conversation, Message, NewMessage, Owner, Page};
use crate::db::Tx;
use crate::dialog::{self, Act, Facts, Outcome, Pending, QueueFacts, Said, Turn};
use crate::document::{self, DocumentKind, NewDocument};
use crate::document_request;
use crate::error::{Error, Result};
use crate::id::{ConversationId, DocumentId, PersonId};
use crate::message::{Body, ChannelKind, Incoming, Reply};
use crate::permission;
use crate::texts::fill;
use crate::understand::Understood;

/// What came of a received message.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Place of the received message; what was answered comes after it.
    pub seq: i64,
    /// The citizen had everything erased: the conversation is gone.
    pub erased: bool,
    /// The message and the reply, as the sender may see them; `None` when the message had come before.
    pub news: Option<Snapshot>,
}

/// A conversation as a page shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Language tag.
    pub language: String,
    /// Who may speak.
    pub owner: Owner,
    /// Messages in order; what was said above the reader's trust level is hidden.
    pub messages: Vec<Message>,
    /// Whether the open question waits for a file.
    pub wants_file: bool,
}

/// A file that a citizen hands in.
#[derive(Debug)]
pub struct UploadRequest {
    /// The conversation.
    pub conversation: ConversationId,
    /// Names the upload for ever.
    pub external_id: String,
    /// Trust level of the login.
    pub trust: Trust,
    /// Who is logged in.
    pub person: Option<PersonId>,
    /// Name of the file as sent.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The item of a document request that it answers, if the page named one.
    pub wanted: Option<String>,
}

impl Office {
    /// Opens a conversation and greets.
    pub async fn open_conversation(
        self: &Arc<Self>,
        channel: ChannelKind,
        language: &str,
    ) -> Result<ConversationId> {
        let office = Arc::clone(self);
        let language = language.to_owned();
        self.db
            .write(move |tx| {
                let (office, language) = (Arc::clone(&office), language.clone());
                async move {
                    let now = office.now();
                    let mut opened =
                        conversation::create(tx, &office.keys, (channel, None), &language, now).await?;
                    let who = Who { person: None, trust: Trust::T0, channel, language: &language };
                    let facts = office.facts(tx, &opened, who, now).await?;
                    let reply = dialog::greeting(&facts);
                    office.say(tx, &mut opened, reply, Trust::T0, now).await?;
                    conversation::save(tx, &office.keys, &mut opened, now).await?;
                    Ok(opened.id)
                }
                .boxed()
            })
            .await
    }

    /// Takes a message in, answers it, and returns after both are durable.
    pub async fn receive(self: &Arc<Self>, incoming: Incoming) -> Result<Received> {
        self.receive_with(incoming, None, None).await
    }

    /// Takes a file in: checked, sealed and stored first, then received like a message.
    pub async fn upload(self: &Arc<Self>, upload: UploadRequest) -> Result<Received> {
        let (formats, max_mb) = self.upload_limits(&upload).await?;
        let name = upload.name.clone();
        let bytes = upload.bytes;
        // Looking into a hostile file is work for the processor; it must not hold up other conversations.
        let (inspected, bytes) = tokio::task::spawn_blocking(move || {
            document::inspect(&name, &bytes, &formats, max_mb).map(|inspected| (inspected, bytes))
        })
        .await
        .map_err(|_| Error::refused("document.damaged"))??;
        let id: DocumentId = self.keys.clock.id();
        let key = document::store_bytes(&self.files, &self.keys, &id, &bytes).await?;
        let new = NewDocument {
            id: id.clone(),
            kind: DocumentKind::Upload,
            conversation: Some(upload.conversation.clone()),
            application: None,
            item: String::new(),
            name: upload.name.clone(),
            inspected,
            key,
            trust: upload.trust,
        };
        let incoming = Incoming {
            conversation: upload.conversation,
            external_id: upload.external_id,
            trust: upload.trust,
            person: upload.person,
            body: Body::File { document: id, name: document::clean_name(&upload.name)? },
        };
        self.receive_with(incoming, Some(Arc::new(new)), upload.wanted).await
    }

    /// What the open question accepts as a file.
    async fn upload_limits(&self, upload: &UploadRequest) -> Result<(Vec<DocumentFormat>, u32)> {
        let mut tx = self.db.read().await?;
        let loaded = conversation::load(&mut tx, &self.keys, &upload.conversation)
            .await?
            .ok_or(Error::NotFound("conversation"))?;
        may_enter(&loaded, upload.person.as_ref())?;
        let item = match (&loaded.state.pending, &loaded.state.draft) {
            (Pending::Document { item }, Some(draft)) => self
                .service(&draft.service)
                .and_then(|service| service.documents.iter().find(|known| known.id == *item).cloned()),
            _ => None,
        };
        Ok(item.map_or_else(
            || {
                let all = vec![DocumentFormat::Pdf, DocumentFormat::Jpeg, DocumentFormat::Png];
                (all, self.config.limits.upload_mb)
            },
            |item| (item.formats.clone(), item.max_mb.min(self.config.limits.upload_mb)),
        ))
    }

    async fn receive_with(
        self: &Arc<Self>,
        incoming: Incoming,
        file: Option<Arc<NewDocument>>,
        wanted: Option<String>,
    ) -> Result<Received> {
        let said = match &incoming.body {
            Body::Text(text) => Said::Words(Box::new(Understood::of(text, &self.library.now()))),
            Body::File { document, name } => {
                Said::File { document: document.clone(), name: name.clone(), wanted }
            }
        };
        let office = Arc::clone(self);
        let (incoming, said) = (Arc::new(incoming), Arc::new(said));
        let id = incoming.conversation.clone();
        let received = self
            .db
            .write(move |tx| {
                let office = Arc::clone(&office);
                let (incoming, said, file) = (Arc::clone(&incoming), Arc::clone(&said), file.clone());
                async move { office.turn(tx, &incoming, &said, file.as_deref()).await }.boxed()
            })
            .await?;
        self.ring(&id);
        Ok(received)
    }

    async fn turn(
        &self,
        tx: &mut Tx,
        incoming: &Incoming,
        said: &Said,
        file: Option<&NewDocument>,
    ) -> Result<Received> {
        let now = self.now();
        let (mut talk, seq) = conversation::load_for_message(
            tx,
            &self.keys,
            &incoming.conversation,
            Some(&incoming.external_id),
        )
        .await?
        .ok_or(Error::NotFound("conversation"))?;
        may_enter(&talk, incoming.person.as_ref())?;
        if let Some(seq) = seq {
            return Ok(Received { seq, erased: false, news: None });
        }
        let actor = actor(incoming);
        if let Some(file) = file {
            document::insert(tx, &self.keys, file, &actor, now).await?;
        }
        let trust = permission::effective_trust(talk.channel, incoming.trust);
        let content = match &incoming.body {
            Body::Text(text) => Content::Text { text: dialog::shown_words(&talk.state, text) },
            Body::File { document, name } => Content::File { document: document.clone(), name: name.clone() },
        };
        let new =
            NewMessage { author: Author::Citizen, external_id: Some(&incoming.external_id), trust, content };
        let (language, person) = (talk.language.clone(), talk.person.clone());
        let who = Who { person: person.as_ref(), trust, channel: talk.channel, language: &language };
        let facts = self.facts(tx, &talk, who, now).await?;
        let turn = match &talk.owner {
            Owner::Bot => Some(dialog::next(&talk.state, &facts, said)),
            Owner::Queued => dialog::while_with_people(&talk.state, &facts, said, true),
            Owner::Staff(_) => dialog::while_with_people(&talk.state, &facts, said, false),
        };
        let messages = match turn {
            None => vec![conversation::append(tx, &self.keys, &mut talk, new, now).await?],
            Some(turn) if turn.acts.contains(&Act::Erase) => {
                self.erase(tx, &talk.id, &actor, now).await?;
                return Ok(Received { seq: 0, erased: true, news: None });
            }
            Some(turn) => {
                let turn = self.perform(tx, &mut talk, &facts, turn, &actor, now).await?;
                talk.state = turn.state;
                talk.language = turn.language;
                if turn.reply.parts.is_empty() {
                    vec![conversation::append(tx, &self.keys, &mut talk, new, now).await?]
                } else {
                    let content = Content::Reply { reply: turn.reply };
                    let reply = NewMessage { author: Author::Bot, external_id: None, trust, content };
                    conversation::append_exchange(tx, &self.keys, &mut talk, (new, reply), now).await?.into()
                }
            }
        };
        conversation::save(tx, &self.keys, &mut talk, now).await?;
        let seq = messages.first().map_or(0, |message| message.seq);
        let news = Snapshot {
            wants_file: wants_file(&talk, &facts.wanted),
            language: talk.language,
            owner: talk.owner,
            messages,
        };
        Ok(Received { seq, erased: false, news: Some(news) })
    }

    /// Carries out the acts of a turn, in order, and lets the dialogue tell what came of each.
    async fn perform(
        &self,
        tx: &mut Tx,
        talk: &mut Conversation,
        facts: &Facts<'_>,
        mut turn: Turn,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Turn> {
        for act in std::mem::take(&mut turn.acts) {
            let outcome = match self.act(tx, talk, (facts, &turn), act, actor, now).await {
                // A refusal has changed nothing: the citizen is told, and everything said is kept.
                Err(error @ Error::Refused { .. }) => Outcome::Refused(error),
                other => other?,
            };
            turn = dialog::tell(turn, facts, outcome);
        }
        Ok(turn)
    }

    async fn act(
        &self,
        tx: &mut Tx,
        talk: &mut Conversation,
        (facts, turn): (&Facts<'_>, &Turn),
        act: Act,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Outcome> {
        match act {
            Act::Queue => {
                if talk.owner == Owner::Bot {
                    talk.owner = Owner::Queued;
                    talk.queued_at = Some(now);
                    let subject = ("conversation", talk.id.as_str());
                    audit::record(tx, actor, "conversation.queue", subject, json!({}), now).await?;
                }
                Ok(Outcome::Queued(QueueFacts {
                    place: conversation::waiting_before(tx, talk.queued_at.unwrap_or(now)).await? + 1,
                    open: self.config.office.is_open(now),
                    hours: self.config.office.hours_text(&turn.language),
                }))
            }
            Act::LeaveQueue => {
                talk.owner = Owner::Bot;
                talk.queued_at = None;
                Ok(Outcome::Silent)
            }
            Act::Park { code } => {
                let until =
                    now.plus(Duration::from_secs(u64::from(self.config.retention.draft_days) * 24 * 3600));
                let Some(draft) = turn.state.draft.as_ref().or(talk.state.draft.as_ref()) else {
                    return Ok(Outcome::Silent);
                };
                conversation::park(tx, &self.keys, talk, draft, &code, until, now).await?;
                Ok(Outcome::Parked { code, until })
            }
            Act::Resume { code } => {
                let Some(parked) = conversation::unpark(tx, &self.keys, &code, now).await? else {
                    return Ok(Outcome::Resumed(None));
                };
                if parked.draft.trust > facts.trust {
                    return Err(Error::refused("resume.login_needed"));
                }
                document::rehome_unfiled(tx, &parked.conversation, &talk.id).await?;
                Ok(Outcome::Resumed(Some(Box::new(parked.draft))))
            }
            Act::Submit => self.submit(tx, talk, turn, actor, now).await,
            Act::Withdraw { application } => {
                let Some(person) = &talk.person else { return Err(Error::NotFound("application")) };
                let case = self.case(tx, &application).await?;
                if case.person.as_ref() != Some(person) {
                    return Err(Error::NotFound("application"));
                }
                let number = application::withdraw(tx, &application, Some(person), actor, now).await?;
                Ok(Outcome::Withdrawn { number })
            }
            Act::Status { number, code } => {
                let row = application::by_number_and_code(tx, &self.keys, &number, &code, now).await?;
                Ok(Outcome::Status(row.map(|row| Box::new(self.case_facts(&row, &turn.language, &[])))))
            }
            Act::Supply { item, document } => {
                let wanted = facts
                    .wanted
                    .iter()
                    .find(|wanted| wanted.item == item)
                    .ok_or(Error::refused("file.not_expected"))?;
                let supplied = document_request::supply(tx, &self.keys, &item, &document, actor, now).await?;
                document::attach(tx, &[(String::new(), document)], &talk.id, &wanted.application, now)
                    .await?;
                Ok(Outcome::Supplied { label: supplied.label, still_open: supplied.still_open })
            }
            Act::RemoveDocument(document) => {
                document::remove(tx, &document, actor, now).await?;
                Ok(Outcome::Silent)
            }
            Act::RemoveUnfiled => {
                document::remove_unfiled(tx, &talk.id, actor, now).await?;
                Ok(Outcome::Silent)
            }
            // Handled before any other act: nothing is told in a conversation that is gone.
            Act::Erase => Ok(Outcome::Silent),
        }
    }

    async fn submit(
        &self,
        tx: &mut Tx,
        talk: &Conversation,
        turn: &Turn,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Outcome> {
        let Some(draft) = &turn.state.draft else { return Ok(Outcome::Silent) };
        let service = self.service(&draft.service).ok_or(Error::refused("form.service_gone"))?;
        let catalogue = self.catalogue();
        let definition = catalogue.version_text(&draft.service).unwrap_or_default();
        let submission = Submission {
            draft_id: draft.id.clone(),
            conversation: talk.id.clone(),
            person: talk.person.clone(),
            trust: draft.trust,
            language: turn.language.clone(),
            answers: draft.answers.clone(),
            documents: draft
                .documents
                .iter()
                .map(|(item, document, _)| (item.clone(), document.clone()))
                .collect(),
            later_documents: draft.later.iter().cloned().collect(),
            declaration_shown: service
                .declaration
                .as_ref()
                .map(|declaration| localized(&declaration.text, &turn.language).trim().to_owned())
                .unwrap_or_default(),
        };
        let filed = application::submit(tx, &self.keys, &service, definition, &submission, actor, now)
            .await
            .map_err(|error| match error {
                // The same draft was resumed and filed elsewhere.
                Error::NotFound("draft") => Error::refused("form.already_filed"),
                other => other,
            })?;
        document::attach(tx, &submission.documents, &talk.id, &filed.id, now).await?;
        conversation::drop_parked(tx, &draft.id).await?;
        let due = application::load(tx, &self.keys, &filed.id).await?.and_then(|case| case.due_at);
        Ok(Outcome::Filed {
            number: filed.number,
            access_code: filed.access_code,
            payment: filed.payment,
            due,
        })
    }

    /// Adds a reply of the assistant.
    pub(super) async fn say(
        &self,
        tx: &mut Tx,
        talk: &mut Conversation,
        reply: Reply,
        trust: Trust,
        now: Timestamp,
    ) -> Result<()> {
        if reply.parts.is_empty() {
            return Ok(());
        }
        let content = Content::Reply { reply };
        let new = NewMessage { author: Author::Bot, external_id: None, trust, content };
        conversation::append(tx, &self.keys, talk, new, now).await?;
        Ok(())
    }

    /// Puts an announcement of the office into a conversation, if it still exists.
    pub(super) async fn announce(
        &self,
        tx: &mut Tx,
        id: &ConversationId,
        notice: Notice<'_>,
        now: Timestamp,
    ) -> Result<()> {
        let Some(mut talk) = conversation::load(tx, &self.keys, id).await? else { return Ok(()) };
        let sentence = self.texts.get_about(&talk.language, notice.key, notice.kind);
        let text = fill(sentence, notice.values);
        let mut reply = Reply::new(&talk.language).text(text);
        if let Some((key, url)) = notice.link {
            let label = self.texts.get(&talk.language, key).to_owned();
            reply = reply.part(crate::message::Part::Link { label, url });
        }
        self.say(tx, &mut talk, reply, notice.trust, now).await?;
        conversation::save(tx, &self.keys, &mut talk, now).await
    }

    /// The conversation as this reader may see it.
    pub async fn snapshot(
        &self,
        id: &ConversationId,
        person: Option<&PersonId>,
        trust: Trust,
        page: Page,
    ) -> Result<Snapshot> {
        let mut tx = self.db.read().await?;
        let talk =
            conversation::load(&mut tx, &self.keys, id).await?.ok_or(Error::NotFound("conversation"))?;
        may_enter(&talk, person)?;
        let messages = conversation::history(&mut tx, &talk, trust, page).await?;
        let wanted = self.wanted(&mut tx, &talk, person).await?;
        Ok(Snapshot {
            wants_file: wants_file(&talk, &wanted),
            language: talk.language,
            owner: talk.owner,
            messages,
        })
    }

    /// Binds a conversation to the person who has logged in, and goes on where it stood. A conversation that
    /// belongs to somebody else is left alone: a new one is opened.
    pub async fn link_login(
        self: &Arc<Self>,
        id: Option<&ConversationId>,
        person: &PersonId,
        trust: Trust,
        language: &str,
    ) -> Result<ConversationId> {
        let own = match id {
            Some(id) => {
                let mut tx = self.db.read().await?;
                conversation::load(&mut tx, &self.keys, id)
                    .await?
                    .filter(|talk| talk.person.as_ref().is_none_or(|known| known == person))
                    .map(|talk| talk.id)
            }
            None => None,
        };
        let newest = async {
            let mut tx = self.db.read().await?;
            conversation::newest_of_person(&mut tx, person, ChannelKind::Web).await
        };
        let id = match own {
            Some(id) => id,
            None => match newest.await? {
                Some(id) => id,
                None => self.open_conversation(ChannelKind::Web, language).await?,
            },
        };
        let office = Arc::clone(self);
        let (person, linked) = (person.clone(), id.clone());
        self.db
            .write(move |tx| {
                let (office, id, person) = (Arc::clone(&office), linked.clone(), person.clone());
                async move {
                    let now = office.now();
                    let mut talk = conversation::load(tx, &office.keys, &id)
                        .await?
                        .ok_or(Error::NotFound("conversation"))?;
                    if talk.person.as_ref().is_some_and(|known| *known != person) {
                        return Err(Error::NotFound("conversation"));
                    }
                    talk.person = Some(person.clone());
                    let language = talk.language.clone();
                    let who =
                        Who { person: Some(&person), trust, channel: talk.channel, language: &language };
                    let facts = office.facts(tx, &talk, who, now).await?;
                    if talk.owner == Owner::Bot {
                        let turn = dialog::next(&talk.state, &facts, &Said::LoggedIn);
                        let actor = Actor::Person(person.clone());
                        let turn = office.perform(tx, &mut talk, &facts, turn, &actor, now).await?;
                        talk.state = turn.state;
                        office.say(tx, &mut talk, turn.reply, trust, now).await?;
                    }
                    conversation::save(tx, &office.keys, &mut talk, now).await
                }
                .boxed()
            })
            .await?;
        self.ring(&id);
        Ok(id)
    }

    /// The citizen has chosen another language on a page.
    pub async fn set_language(
        self: &Arc<Self>,
        id: &ConversationId,
        person: Option<&PersonId>,
        language: &str,
    ) -> Result<()> {
        let office = Arc::clone(self);
        let args = Arc::new((id.clone(), person.cloned(), language.to_owned()));
        self.db
            .write(move |tx| {
                let (office, args) = (Arc::clone(&office), Arc::clone(&args));
                async move {
                    let (id, person, language) = &*args;
                    let Some(mut talk) = conversation::load(tx, &office.keys, id).await? else {
                        return Ok(());
                    };
                    may_enter(&talk, person.as_ref())?;
                    talk.language.clone_from(language);
                    talk.state.spoken = true;
                    conversation::save(tx, &office.keys, &mut talk, office.now()).await
                }
                .boxed()
            })
            .await
    }

    /// Erases a conversation and every file in it that has not been filed.
    pub async fn erase_conversation(
        self: &Arc<Self>,
        id: &ConversationId,
        person: Option<&PersonId>,
    ) -> Result<()> {
        let office = Arc::clone(self);
        let args = Arc::new((id.clone(), person.cloned()));
        self.db
            .write(move |tx| {
                let (office, args) = (Arc::clone(&office), Arc::clone(&args));
                async move {
                    let (id, person) = &*args;
                    let Some(talk) = conversation::load(tx, &office.keys, id).await? else { return Ok(()) };
                    may_enter(&talk, person.as_ref())?;
                    let actor = person.clone().map_or_else(|| Actor::Anonymous(id.clone()), Actor::Person);
                    office.erase(tx, id, &actor, office.now()).await
                }
                .boxed()
            })
            .await
    }

    async fn erase(&self, tx: &mut Tx, id: &ConversationId, actor: &Actor, now: Timestamp) -> Result<()> {
        document::remove_unfiled(tx, id, actor, now).await?;
        conversation::erase(tx, id, now).await?;
        audit::record(tx, actor, "conversation.erase", ("conversation", id.as_str()), json!({}), now).await
    }

    /// Leaves a message for staff outside any chat, e.g. a report of a barrier: a conversation of its own that
    /// waits for a person. The same `external_id` again changes nothing.
    pub async fn leave_message(
        self: &Arc<Self>,
        language: &str,
        external_id: &str,
        text: &str,
    ) -> Result<()> {
        let office = Arc::clone(self);
        let args = Arc::new((language.to_owned(), format!("left-{external_id}"), text.trim().to_owned()));
        self.db
            .write(move |tx| {
                let (office, args) = (Arc::clone(&office), Arc::clone(&args));
                async move {
                    let (language, external_id, text) = &*args;
                    let now = office.now();
                    let place = (ChannelKind::Web, Some(external_id.as_str()));
                    if conversation::at_address(tx, ChannelKind::Web, external_id).await?.is_some() {
                        return Ok(());
                    }
                    let mut talk = conversation::create(tx, &office.keys, place, language, now).await?;
                    let new = NewMessage {
                        author: Author::Citizen,
                        external_id: Some(external_id),
                        trust: Trust::T0,
                        content: Content::Text { text: text.clone() },
                    };
                    conversation::append(tx, &office.keys, &mut talk, new, now).await?;
                    talk.owner = Owner::Queued;
                    talk.queued_at = Some(now);
                    conversation::save(tx, &office.keys, &mut talk, now).await
                }
                .boxed()
            })
            .await
    }
}

/// An announcement of the office.
#[derive(Debug, Clone)]
pub(super) struct Notice<'a> {
    /// Key of the sentence.
    pub key: &'a str,
    /// What was filed.
    pub kind: CaseKind,
    /// Its values.
    pub values: &'a [(&'a str, &'a str)],
    /// A link: key of its label, address.
    pub link: Option<(&'a str, String)>,
    /// Trust level that it takes to read it.
    pub trust: Trust,
}

fn actor(incoming: &Incoming) -> Actor {
    incoming.person.clone().map_or_else(|| Actor::Anonymous(incoming.conversation.clone()), Actor::Person)
}

/// Whether a file is waited for: by the open question, or by a request for documents.
fn wants_file(talk: &Conversation, wanted: &[document_request::WantedItem]) -> bool {
    matches!(talk.state.pending, Pending::Document { .. }) || !wanted.is_empty()
}

/// A conversation that belongs to a person is reachable for that person alone.
fn may_enter(talk: &Conversation, person: Option<&PersonId>) -> Result<()> {
    match &talk.person {
        Some(owner) if Some(owner) != person => Err(Error::NotFound("conversation")),
        Some(_) | None => Ok(()),
    }
}
