//! What staff do in a chat: read it, take it over, answer, give it back to the assistant. Of two who take it, one wins.

use std::sync::Arc;
use std::time::Duration;

use amtsbote_knowledge::Trust;
use futures::FutureExt;
use serde_json::json;

use super::{Office, Who};
use crate::audit::{self, Actor};
use crate::conversation::{self, Author, Content, NewMessage, Owner};
use crate::dialog;
use crate::error::{Error, Result};
use crate::id::{ConversationId, StaffId};
use crate::message::Reply;
use crate::staff;

/// How long one look into a conversation lasts, as far as the audit is concerned.
const READING: Duration = Duration::from_mins(10);

impl Office {
    /// Notes that a member of staff reads a conversation; who keeps it open or reloads it is noted once in
    /// [`READING`].
    pub async fn note_reading(self: &Arc<Self>, id: &ConversationId, staff: &StaffId) -> Result<()> {
        const ACTION: &str = "conversation.view";
        let now = self.now();
        let actor = Actor::Staff(staff.clone());
        let mut tx = self.db.read().await?;
        let subject = ("conversation", id.as_str());
        if audit::noted_since(&mut tx, &actor, ACTION, subject, now.minus(READING)).await? {
            return Ok(());
        }
        drop(tx);
        let noted = Arc::new((id.clone(), actor));
        self.db
            .write(move |tx| {
                let noted = Arc::clone(&noted);
                async move {
                    let (id, actor) = &*noted;
                    let subject = ("conversation", id.as_str());
                    audit::record(tx, actor, ACTION, subject, json!({}), now).await
                }
                .boxed()
            })
            .await
    }

    /// A member of staff takes a waiting conversation; of two, one wins.
    pub async fn take_chat(self: &Arc<Self>, id: &ConversationId, staff: &StaffId) -> Result<()> {
        self.change_owner(id, staff, Takeover::Take).await
    }

    /// Gives the conversation back to the assistant, with a sentence.
    pub async fn hand_back(self: &Arc<Self>, id: &ConversationId, staff: &StaffId) -> Result<()> {
        self.change_owner(id, staff, Takeover::HandBack).await
    }

    async fn change_owner(
        self: &Arc<Self>,
        id: &ConversationId,
        staff: &StaffId,
        takeover: Takeover,
    ) -> Result<()> {
        let office = Arc::clone(self);
        let (changed, staff) = (id.clone(), staff.clone());
        self.db
            .write(move |tx| {
                let (office, id, staff) = (Arc::clone(&office), changed.clone(), staff.clone());
                async move {
                    let now = office.now();
                    let mut talk = conversation::load(tx, &office.keys, &id)
                        .await?
                        .ok_or(Error::NotFound("conversation"))?;
                    let member = staff::load(tx, &staff).await?.ok_or(Error::NotFound("staff"))?;
                    let (key, action) = match (takeover, &talk.owner) {
                        (Takeover::Take, Owner::Staff(other)) if *other != staff => {
                            return Err(Error::refused("chat.taken"));
                        }
                        // Nobody takes a conversation that the citizen has with the assistant.
                        (Takeover::Take, Owner::Bot) => return Err(Error::refused("chat.not_waiting")),
                        (Takeover::Take, Owner::Queued | Owner::Staff(_)) => {
                            talk.owner = Owner::Staff(staff.clone());
                            ("person.joined", "conversation.take")
                        }
                        (Takeover::HandBack, Owner::Staff(other)) if *other == staff => {
                            talk.owner = Owner::Bot;
                            ("person.left", "conversation.hand_back")
                        }
                        (Takeover::HandBack, _) => return Err(Error::refused("chat.not_yours")),
                    };
                    talk.queued_at = None;
                    let reply = if talk.owner == Owner::Bot {
                        let language = talk.language.clone();
                        let person = talk.person.clone();
                        let who = Who {
                            person: person.as_ref(),
                            trust: talk.trust,
                            channel: talk.channel,
                            language: &language,
                        };
                        let facts = office.facts(tx, &talk, who, now).await?;
                        let turn = dialog::handed_back(&talk.state, &facts);
                        talk.state = turn.state;
                        turn.reply
                    } else {
                        let text = office.texts.fill(&talk.language, key, &[("name", &member.display_name)]);
                        Reply::new(&talk.language).text(text)
                    };
                    office.say(tx, &mut talk, reply, Trust::T0, now).await?;
                    let subject = ("conversation", id.as_str());
                    audit::record(tx, &Actor::Staff(staff.clone()), action, subject, json!({}), now).await?;
                    conversation::save(tx, &office.keys, &mut talk, now).await
                }
                .boxed()
            })
            .await?;
        self.ring(id);
        Ok(())
    }

    /// A member of staff answers in a conversation that is with them.
    pub async fn staff_says(
        self: &Arc<Self>,
        id: &ConversationId,
        staff: &StaffId,
        external_id: &str,
        text: &str,
    ) -> Result<()> {
        let office = Arc::clone(self);
        let args = Arc::new((id.clone(), staff.clone(), external_id.to_owned(), text.trim().to_owned()));
        if args.3.is_empty() {
            return Err(Error::refused("invalid.empty"));
        }
        self.db
            .write(move |tx| {
                let (office, args) = (Arc::clone(&office), Arc::clone(&args));
                async move {
                    let (id, staff, external_id, text) = &*args;
                    let now = office.now();
                    let (mut talk, seq) =
                        conversation::load_for_message(tx, &office.keys, id, Some(external_id))
                            .await?
                            .ok_or(Error::NotFound("conversation"))?;
                    if seq.is_some() {
                        return Ok(());
                    }
                    if talk.owner != Owner::Staff(staff.clone()) {
                        return Err(Error::refused("chat.not_yours"));
                    }
                    // An answer may repeat what the citizen said: it is as secret as the conversation.
                    let trust = talk.trust;
                    let new = NewMessage {
                        author: Author::Staff(staff.clone()),
                        external_id: Some(external_id),
                        trust,
                        content: Content::Text { text: text.clone() },
                    };
                    conversation::append(tx, &office.keys, &mut talk, new, now).await?;
                    conversation::save(tx, &office.keys, &mut talk, now).await
                }
                .boxed()
            })
            .await?;
        self.ring(id);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Takeover {
    Take,
    HandBack,
}
