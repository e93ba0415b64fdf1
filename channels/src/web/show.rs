//! From the conversation to what the templates show: messages, their parts, dates in words. Text only, no deciding.

use amtsbote_core::clock::Timestamp;
use amtsbote_core::conversation::{Author, Content, Message, Owner};
use amtsbote_core::message::{self, Part};
use amtsbote_core::office::Snapshot;

use super::Web;
use super::views::T;
use super::views::citizen::{self as view, PlainMessage};
use super::visitor::Visitor;

/// The messages of a snapshot. Only the newest reply of the assistant may still be pressed.
pub fn messages(web: &Web, visitor: &Visitor, snapshot: &Snapshot, with_day: bool) -> Vec<view::Message> {
    let t = visitor.texts(&web.office);
    let newest_reply = snapshot
        .messages
        .iter()
        .rev()
        .find(|message| matches!(message.content, Content::Reply { .. }))
        .map(|message| message.seq)
        .filter(|_| snapshot.owner == Owner::Bot);
    let newest_own = snapshot
        .messages
        .iter()
        .rev()
        .find(|message| message.author == Author::Citizen)
        .or(snapshot.messages.last())
        .map(|message| message.seq);
    let mut day = String::new();
    snapshot
        .messages
        .iter()
        .enumerate()
        .map(|(index, message)| {
            let this_day = message.at.german_date();
            let new_day = with_day && this_day != day;
            day.clone_from(&this_day);
            // What was chosen can be read from the citizen's next message.
            let answer = snapshot.messages.get(index + 1).and_then(|next| match &next.content {
                Content::Text { text } => Some(text.as_str()),
                _ => None,
            });
            view::Message {
                seq: message.seq,
                from_you: message.author == Author::Citizen,
                from_person: matches!(message.author, Author::Staff(_)),
                from_system: false,
                author: author(&t, message),
                time: time(&t, message.at),
                lang: language_of(message, visitor.language()),
                day: if new_day { this_day } else { String::new() },
                latest: Some(message.seq) == newest_own,
                open: Some(message.seq) == newest_reply,
                form_id: form_id(web),
                parts: parts(&t, message, answer),
            }
        })
        .collect()
}

/// A fresh name for a form: the same form twice has one effect.
pub fn form_id(web: &Web) -> String {
    web.office.keys.clock.id::<amtsbote_core::id::MessageId>().0
}

/// Who wrote a message, as the citizen calls them.
pub fn author(t: &T, message: &Message) -> String {
    match message.author {
        Author::Citizen => t.text("web.author_you").to_owned(),
        Author::Bot => t.text("web.author_machine").to_owned(),
        Author::Staff(_) => t.text("web.author_person").to_owned(),
    }
}

fn time(t: &T, at: Timestamp) -> String {
    t.filled("web.time", &[("time", &at.german_time())])
}

fn language_of(message: &Message, page: &str) -> String {
    match &message.content {
        Content::Reply { reply } if reply.language != page => reply.language.clone(),
        _ => String::new(),
    }
}

fn parts(t: &T, message: &Message, answer: Option<&str>) -> Vec<view::Part> {
    match &message.content {
        Content::Text { text } => vec![view::Part { text: text.clone(), ..Default::default() }],
        Content::File { name, .. } => vec![view::Part { file_name: name.clone(), ..Default::default() }],
        Content::Hidden => {
            vec![view::Part { text: t.text("web.hidden_message").to_owned(), ..Default::default() }]
        }
        Content::Reply { reply } => reply.parts.iter().map(|known| part(known, answer)).collect(),
    }
}

fn part(part: &Part, answer: Option<&str>) -> view::Part {
    let mut shown = view::Part::default();
    match part {
        Part::Text { text } => shown.text.clone_from(text),
        Part::Notice { text } => shown.notice.clone_from(text),
        Part::Facts { rows } => shown.facts = rows.iter().map(fact).collect(),
        Part::Question { progress, text, hint } => {
            shown.progress.clone_from(progress);
            shown.question.clone_from(text);
            shown.hint.clone_from(hint);
        }
        Part::Choices { choices } => {
            shown.choices = choices
                .iter()
                .enumerate()
                .map(|(index, choice)| view::Choice {
                    number: index + 1,
                    value: choice.value.clone(),
                    label: choice.label.clone(),
                    chosen: answer == Some(choice.label.as_str()),
                })
                .collect();
        }
        Part::Review { rows } => {
            shown.review = rows
                .iter()
                .map(|row| view::ReviewRow {
                    label: row.label.clone(),
                    value: row.value.clone(),
                    change: row.change.clone(),
                })
                .collect();
        }
        Part::Link { label, url } => {
            shown.link_label.clone_from(label);
            shown.link_url.clone_from(url);
        }
        Part::Upload { limits } => {
            shown.upload_limits.clone_from(limits);
            ".pdf,.jpg,.jpeg,.png,.docx".clone_into(&mut shown.upload_accept);
        }
    }
    shown
}

fn fact(row: &message::FactRow) -> view::Fact {
    view::Fact { label: row.label.clone(), text: row.text.clone(), source: row.source.clone() }
}

/// Messages as plain text, for the transcript and the staff's view; who is called what says `author`.
pub fn plain(
    t: &T,
    page_language: &str,
    messages: &[Message],
    author: impl Fn(&Message) -> String,
) -> Vec<PlainMessage> {
    let mut day = String::new();
    let last = messages.last().map(|message| message.seq);
    messages
        .iter()
        .map(|message| {
            let this_day = message.at.german_date();
            let new_day = this_day != day;
            day.clone_from(&this_day);
            PlainMessage {
                from_you: message.author == Author::Citizen,
                from_person: matches!(message.author, Author::Staff(_)),
                from_system: false,
                author: author(message),
                time: time(t, message.at),
                lang: language_of(message, page_language),
                day: if new_day { this_day } else { String::new() },
                latest: Some(message.seq) == last,
                plain: plain_content(t, &message.content),
            }
        })
        .collect()
}

/// What one message says, as plain text.
pub fn plain_content(t: &T, content: &Content) -> String {
    match content {
        Content::Text { text } => text.clone(),
        Content::File { name, .. } => format!("{} {name}", t.text("web.file")),
        Content::Hidden => t.text("web.hidden_message").to_owned(),
        Content::Reply { reply } => reply.plain_text(),
    }
}
