//! Conversations with people: who waits, taking one, answering, giving it back. Staff read only conversations that
//! wait for a person, are with one, or belong to a case that they open; opening the case is audited.

use std::collections::BTreeMap;

use amtsbote_core::clock::Timestamp;
use amtsbote_core::conversation::{self, Author, Conversation, Message, Owner, Page, QueueRow};
use amtsbote_core::error::{Error, Result};
use amtsbote_core::form;
use amtsbote_core::id::{ConversationId, MessageId, StaffId};
use amtsbote_core::staff::{self, Staff};
use amtsbote_knowledge::{Trust, localized};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};

use super::{Place, Query, add_refusal, again, desk, is_refusal, row, words};
use crate::web::answer::{Answer, WebError, page, see};
use crate::web::routes::{Access, Route};
use crate::web::views::T;
use crate::web::views::citizen::{PlainMessage, ReviewRow};
use crate::web::views::staff::{ChatLine, ChatsPage, StaffChatPage};
use crate::web::visitor::{Fields, Visitor};
use crate::web::{Web, show};

/// Most conversations of the list.
const LIST: i64 = 200;

/// Messages of a conversation that are shown, the newest ones.
const SHOWN: i64 = 1000;

/// Messages in which the list looks for the citizen's last words.
const GLANCE: i64 = 20;

/// Longest piece of the last words, in characters.
const LAST_WORDS: usize = 160;

/// What the button that calls a person sends.
const CALL: &str = "Mensch";

pub(super) fn routes() -> Vec<Route> {
    let reads = |path, handler| Route { access: Access::Desk, path, methods: &["GET"], handler };
    let acts = |path, handler| Route { access: Access::Desk, path, methods: &["POST"], handler };
    vec![
        reads("/staff/chats", get(chats)),
        reads("/staff/chat/{id}", get(chat)),
        acts("/staff/chat/{id}/take", post(take)),
        acts("/staff/chat/{id}/answer", post(answer)),
        acts("/staff/chat/{id}/hand-back", post(hand_back)),
        // The assistant goes on with a conversation that has ended: both buttons do the same.
        acts("/staff/chat/{id}/close", post(hand_back)),
    ]
}

async fn chats(State(web): State<Web>, visitor: Visitor, query: Query) -> Answer {
    let mut shown = chats_page(&web, &visitor).await?;
    words::done(Fields::new(query.0).get("done")).clone_into(&mut shown.page.notice);
    page(&shown)
}

async fn chats_page(web: &Web, visitor: &Visitor) -> std::result::Result<ChatsPage, WebError> {
    let desk = desk(web, visitor, Place::Chats, "Gespräche").await?;
    let now = web.office.now();
    let mut shown = ChatsPage { page: desk.page, waiting: Vec::new(), mine: Vec::new(), tickets: Vec::new() };
    let mut tx = web.office.db.read().await?;
    for queued in conversation::with_people(&mut tx, LIST).await? {
        let is_mine = queued.owner == Owner::Staff(desk.member.id.clone());
        if queued.owner != Owner::Queued && !is_mine {
            continue;
        }
        let Some(talk) = conversation::load(&mut tx, &web.office.keys, &queued.id).await? else { continue };
        let glance = Page { after: 0, limit: GLANCE };
        let messages = conversation::history(&mut tx, &talk, Trust::T3, glance).await?;
        let line = ChatLine {
            id: queued.id.0.clone(),
            topic: topic(web, &talk),
            last_words: last_words(&T::new(&web.office, "de"), &messages),
            waiting: String::new(),
            language: words::language(&talk.language).to_owned(),
            channel: words::channel(talk.channel).to_owned(),
            wishes: String::new(),
        };
        sort_in(web, &mut shown, line, &queued, now);
    }
    Ok(shown)
}

fn sort_in(web: &Web, shown: &mut ChatsPage, mut line: ChatLine, queued: &QueueRow, now: Timestamp) {
    if queued.owner != Owner::Queued {
        line.waiting = format!("zuletzt vor {}", words::since(queued.updated_at, now));
        shown.mine.push(line);
        return;
    }
    let since = queued.queued_at.unwrap_or(queued.updated_at);
    if web.office.config.office.is_open(since) {
        line.waiting = words::since(since, now);
        shown.waiting.push(line);
    } else {
        line.waiting = since.german_date_time();
        shown.tickets.push(line);
    }
}

fn topic(web: &Web, talk: &Conversation) -> String {
    let service = talk.state.draft.as_ref().map(|draft| &draft.service).or(talk.state.about.as_ref());
    service
        .and_then(|id| web.office.service(id))
        .map_or_else(|| "Allgemeine Frage".to_owned(), |service| localized(&service.titles, "de").to_owned())
}

fn last_words(t: &T, messages: &[Message]) -> String {
    let own = messages.iter().rev().filter(|message| message.author == Author::Citizen);
    let mut own = own.map(|message| show::plain_content(t, &message.content));
    // The word that calls a person says nothing about the matter.
    let last = own.next().unwrap_or_default();
    let words = if last.eq_ignore_ascii_case(CALL) { own.next().unwrap_or(last) } else { last };
    if words.chars().count() <= LAST_WORDS {
        words
    } else {
        format!("{} …", words.chars().take(LAST_WORDS).collect::<String>())
    }
}

/// The conversation, if it is one that staff may read; `case` is the number of the case that it belongs to.
async fn readable(web: &Web, visitor: &Visitor, id: &ConversationId, case: &str) -> Result<Conversation> {
    let talk = {
        let mut tx = web.office.db.read().await?;
        conversation::load(&mut tx, &web.office.keys, id).await?
    };
    let talk = talk.ok_or(Error::NotFound("conversation"))?;
    let me = visitor.staff().ok_or(Error::NotFound("conversation"))?;
    if talk.owner == Owner::Bot {
        if case.is_empty() {
            return Err(Error::NotFound("conversation"));
        }
        let row = row(web, case).await?;
        let view = web.office.case_view(&row.id, me).await?;
        if view.case.conversation != *id {
            return Err(Error::NotFound("conversation"));
        }
    }
    web.office.note_reading(id, me).await?;
    Ok(talk)
}

async fn chat(State(web): State<Web>, visitor: Visitor, Path(id): Path<String>, query: Query) -> Answer {
    let query = Fields::new(query.0);
    let talk = readable(&web, &visitor, &ConversationId(id), query.get("case")).await?;
    let mut shown = chat_page(&web, &visitor, &talk).await?;
    words::done(query.get("done")).clone_into(&mut shown.page.notice);
    page(&shown)
}

async fn chat_page(
    web: &Web,
    visitor: &Visitor,
    talk: &Conversation,
) -> std::result::Result<StaffChatPage, WebError> {
    let topic = topic(web, talk);
    let desk = desk(web, visitor, Place::Chats, &topic).await?;
    let (messages, names) = {
        let mut tx = web.office.db.read().await?;
        let all = Page { after: 0, limit: SHOWN };
        let messages = conversation::history(&mut tx, talk, Trust::T3, all).await?;
        (messages, names(staff::list(&mut tx).await?))
    };
    let is_mine = talk.owner == Owner::Staff(desk.member.id.clone());
    let limit = web.office.config.limits.message_characters;
    Ok(StaffChatPage {
        page: desk.page,
        id: talk.id.0.clone(),
        topic,
        messages: shown_messages(web, &messages, &names),
        is_mine,
        can_take: talk.owner == Owner::Queued,
        owner: match &talk.owner {
            Owner::Bot => "Der Assistent antwortet".to_owned(),
            Owner::Queued => "Wartet auf einen Menschen".to_owned(),
            Owner::Staff(_) if is_mine => "Sie antworten".to_owned(),
            Owner::Staff(id) => format!("{} antwortet", name(&names, id)),
        },
        known: known(web, talk),
        form_id: web.office.keys.clock.id::<MessageId>().0,
        text: String::new(),
        answer_language: words::language(&talk.language).to_owned(),
        max_length: u32::try_from(limit).unwrap_or(u32::MAX),
    })
}

fn names(staff: Vec<Staff>) -> BTreeMap<StaffId, String> {
    staff.into_iter().map(|member| (member.id, member.display_name)).collect()
}

fn name<'a>(names: &'a BTreeMap<StaffId, String>, id: &StaffId) -> &'a str {
    names.get(id).map_or("Unbekanntes Konto", String::as_str)
}

fn shown_messages(web: &Web, messages: &[Message], names: &BTreeMap<StaffId, String>) -> Vec<PlainMessage> {
    show::plain(&T::new(&web.office, "de"), "de", messages, |message| match &message.author {
        Author::Citizen => "Bürgerin oder Bürger".to_owned(),
        Author::Bot => "Assistent (Programm)".to_owned(),
        Author::Staff(id) => name(names, id).to_owned(),
    })
}

/// What the assistant has found out so far.
fn known(web: &Web, talk: &Conversation) -> Vec<ReviewRow> {
    let row = |label: &str, value: String| ReviewRow { label: label.to_owned(), value, ..Default::default() };
    let mut rows = vec![
        row("Sprache", words::language(&talk.language).to_owned()),
        row("Weg", words::channel(talk.channel).to_owned()),
        row("Angemeldet", if talk.person.is_some() { "ja" } else { "nein" }.to_owned()),
    ];
    let Some(draft) = &talk.state.draft else { return rows };
    let Some(service) = web.office.service(&draft.service) else { return rows };
    rows.push(row("Offener Antrag", localized(&service.titles, "de").to_owned()));
    let answered = form::fields(&service, &draft.answers).into_iter().filter_map(|field| {
        let value = draft.answers.get(&field.id)?;
        Some(row(localized(&field.label, "de"), form::display(field, value, "de")))
    });
    rows.extend(answered);
    rows
}

async fn take(State(web): State<Web>, visitor: Visitor, Path(id): Path<String>, _: Fields) -> Answer {
    let (id, me) = (ConversationId(id), visitor.need_staff()?);
    // Only who waits can be helped: a conversation with the assistant is none of the staff's business.
    readable(&web, &visitor, &id, "").await?;
    match web.office.take_chat(&id, me).await {
        Ok(()) => Ok(see(&format!("/staff/chat/{id}?done=chat-take#latest"))),
        Err(error) if is_refusal(&error) => {
            let mut shown = chats_page(&web, &visitor).await?;
            add_refusal(&web, &mut shown.page, "", &error);
            again(&shown)
        }
        Err(error) => Err(error.into()),
    }
}

async fn answer(State(web): State<Web>, visitor: Visitor, Path(id): Path<String>, fields: Fields) -> Answer {
    let (id, me) = (ConversationId(id), visitor.need_staff()?);
    let (text, limit) = (fields.get("text"), web.office.config.limits.message_characters);
    let form = fields.get("message_id");
    let said = async {
        if text.chars().count() > limit {
            return Err(Error::refused_with("invalid.too_long", vec![("limit", limit.to_string())]));
        }
        if form.is_empty() || form.len() > 40 || !form.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Error::refused("web.form_expired"));
        }
        web.office.staff_says(&id, me, &format!("staff-{form}"), text).await
    };
    match said.await {
        Ok(()) => Ok(see(&format!("/staff/chat/{id}#latest"))),
        Err(error) => refused(&web, &visitor, &id, text, error).await,
    }
}

async fn hand_back(State(web): State<Web>, visitor: Visitor, Path(id): Path<String>, _: Fields) -> Answer {
    let (id, me) = (ConversationId(id), visitor.need_staff()?);
    match web.office.hand_back(&id, me).await {
        Ok(()) => Ok(see("/staff/chats?done=chat-back")),
        Err(error) => refused(&web, &visitor, &id, "", error).await,
    }
}

/// The conversation with what was typed and why it was not taken.
async fn refused(
    web: &Web,
    visitor: &Visitor,
    id: &ConversationId,
    text: &str,
    error: Error,
) -> std::result::Result<Response, WebError> {
    if !is_refusal(&error) {
        return Err(error.into());
    }
    let talk = readable(web, visitor, id, "").await?;
    let mut shown = chat_page(web, visitor, &talk).await?;
    text.clone_into(&mut shown.text);
    add_refusal(web, &mut shown.page, "text", &error);
    again(&shown)
}
