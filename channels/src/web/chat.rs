//! The web chat: the page, sending words and files, the transcript, a new conversation. Each form carries an id, so
//! that a double click, a reload or a lost answer has no second effect.

use std::sync::Arc;
use std::time::Duration;

use amtsbote_core::conversation::{Owner, Page};
use amtsbote_core::error::{Error, Result};
use amtsbote_core::id::ConversationId;
use amtsbote_core::message::{Body, ChannelKind, Incoming};
use amtsbote_core::office::{Received, Snapshot, UploadRequest};
use amtsbote_core::seal::sha256_hex;
use amtsbote_core::session::{self, Holder};
use amtsbote_core::understand::never_waits;
use axum::extract::{Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use futures::FutureExt;

use super::answer::{Answer, WebError, page, see, sentence};
use super::routes::{Access, Route};
use super::views::citizen::{ChatPage, Messages, PrintPage};
use super::visitor::{
    CITIZEN_COOKIE, EMBED_COOKIE, Fields, Visitor, ended_cookie, header_value, session_cookie,
};
use super::{Web, show};

/// Where messages are sent to.
pub const PATH: &str = "/chat";

/// Messages that the page shows at first.
const SHOWN: i64 = 200;

pub(super) fn routes() -> Vec<Route> {
    let open = Access::Public;
    vec![
        Route { access: open, path: PATH, methods: &["GET", "POST"], handler: get(chat).post(send) },
        Route { access: open, path: "/chat/upload", methods: &["POST"], handler: post(upload) },
        Route { access: open, path: "/chat/new", methods: &["POST"], handler: post(start_new) },
        Route { access: open, path: "/chat/delete", methods: &["POST"], handler: post(delete) },
        Route { access: open, path: "/chat/transcript.txt", methods: &["GET"], handler: get(transcript) },
        Route { access: open, path: "/chat/print", methods: &["GET"], handler: get(print) },
    ]
}

/// The visitor's conversation, opened if there is none; then the answer sets the cookie.
pub async fn ensure(
    web: &Web,
    visitor: &Visitor,
    jar: CookieJar,
) -> std::result::Result<(ConversationId, Visitor, CookieJar), WebError> {
    if let Some(id) = visitor.conversation() {
        return Ok((id.clone(), visitor.clone(), jar));
    }
    if web.openings.check_key(&visitor.ip).is_err() {
        return Err(Error::refused("web.too_many").into());
    }
    let id = web.office.open_conversation(ChannelKind::Web, visitor.language()).await?;
    let mut visitor = visitor.clone();
    if let (Some(token), Some(session)) = (&visitor.token, &mut visitor.session) {
        let (worker, token, linked) = (Arc::clone(&web.office), token.clone(), id.clone());
        web.office
            .db
            .write(move |tx| {
                let (office, token, id) = (Arc::clone(&worker), token.clone(), linked.clone());
                async move { session::set_conversation(tx, &office.keys, &token, &id, office.now()).await }
                    .boxed()
            })
            .await?;
        if let Holder::Citizen { conversation, .. } = &mut session.holder {
            *conversation = Some(id.clone());
        }
        return Ok((id, visitor, jar));
    }
    let holder = Holder::Citizen {
        conversation: Some(id.clone()),
        person: None,
        trust: amtsbote_knowledge::Trust::T0,
    };
    let days = u64::from(web.office.config.retention.anonymous_conversation_days);
    let ttl = Duration::from_secs(days * 24 * 3600);
    let worker = Arc::clone(&web.office);
    let kept = holder.clone();
    let (token, created) = web
        .office
        .db
        .write(move |tx| {
            let (office, holder) = (Arc::clone(&worker), kept.clone());
            async move { session::create(tx, &office.keys, &holder, ttl, office.now()).await }.boxed()
        })
        .await?;
    let name = if visitor.embedded { EMBED_COOKIE } else { CITIZEN_COOKIE };
    let jar = jar.add(session_cookie(&web.office, name, token.clone()));
    visitor.token = Some(token);
    visitor.session = Some(created);
    Ok((id, visitor, jar))
}

async fn snapshot(web: &Web, visitor: &Visitor, id: &ConversationId, after: i64) -> Result<Snapshot> {
    let page = Page { after, limit: SHOWN };
    web.office.snapshot(id, visitor.person(), visitor.trust(), page).await
}

async fn chat(State(web): State<Web>, visitor: Visitor, jar: CookieJar) -> Answer {
    let (id, visitor, jar) = ensure(&web, &visitor, jar).await?;
    let snapshot = match snapshot(&web, &visitor, &id, 0).await {
        Ok(snapshot) => snapshot,
        // The conversation was erased or belongs to a login that is over: a fresh start instead of a dead end.
        Err(Error::NotFound(_)) => return Ok((forget(jar), see("/chat")).into_response()),
        Err(error) => return Err(error.into()),
    };
    Ok((jar, chat_page(&web, &visitor, &snapshot, String::new(), String::new())?).into_response())
}

fn chat_page(web: &Web, visitor: &Visitor, snapshot: &Snapshot, text: String, error: String) -> Answer {
    let mut visitor = visitor.clone();
    snapshot.language.clone_into(&mut visitor.settings.language);
    let t = visitor.texts(&web.office);
    let mut around = visitor.page(&web.office, t.text("web.chat_title"));
    around.has_errors = !error.is_empty();
    let owner_note = match snapshot.owner {
        Owner::Bot => "",
        Owner::Queued => t.text("web.owner_queued"),
        Owner::Staff(_) => t.text("web.owner_person"),
    };
    page(&ChatPage {
        messages: show::messages(web, &visitor, snapshot, true),
        last_seq: snapshot.messages.last().map_or(0, |message| message.seq),
        form_id: show::form_id(web),
        human_form_id: show::form_id(web),
        human_command: "Mensch".to_owned(),
        text,
        error,
        owner_note: owner_note.to_owned(),
        with_person: snapshot.owner != Owner::Bot,
        closed: false,
        max_length: u32::try_from(web.office.config.limits.message_characters).unwrap_or(u32::MAX),
        page: around,
        t,
    })
}

/// Words or a pressed choice.
async fn send(State(web): State<Web>, visitor: Visitor, jar: CookieJar, fields: Fields) -> Answer {
    let choice = fields.get("choice");
    let text = if choice.is_empty() { fields.get("text") } else { choice };
    if visitor.too_many && !never_waits(text, &web.office.library.now()) {
        return Err(Error::refused("web.too_many").into());
    }
    let (id, visitor, jar) = ensure(&web, &visitor, jar).await?;
    let limit = web.office.config.limits.message_characters;
    let refused = if text.is_empty() {
        Some(Error::refused("web.chat_empty"))
    } else if text.chars().count() > limit {
        Some(Error::refused_with("invalid.too_long", vec![("limit", limit.to_string())]))
    } else {
        None
    };
    if let Some(error) = refused {
        return refuse(&web, &visitor, &id, text, &error).await;
    }
    let incoming = Incoming {
        conversation: id.clone(),
        external_id: message_id(fields.get("message_id"), text.as_bytes(), &web),
        trust: visitor.trust(),
        person: visitor.person().cloned(),
        body: Body::Text(text.to_owned()),
    };
    let received = match web.office.receive(incoming).await {
        Ok(received) => received,
        Err(Error::NotFound(_)) => return Ok((forget(jar), see("/chat")).into_response()),
        Err(error) => return Err(error.into()),
    };
    answered(&web, &visitor, &id, received, jar).await
}

/// The name of a message: the id of its form and a hash of what it says. The same form again is the same message; a form
/// that was edited after a lost connection is another one, so that no edited words are lost. A form without an id (an
/// old page) gets a fresh one.
pub(super) fn message_id(sent: &str, said: &[u8], web: &Web) -> String {
    let good = !sent.is_empty() && sent.len() <= 40 && sent.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let hash: String = sha256_hex(said).chars().take(16).collect();
    if good { format!("web-{sent}-{hash}") } else { format!("web-{}", show::form_id(web)) }
}

async fn refuse(web: &Web, visitor: &Visitor, id: &ConversationId, text: &str, error: &Error) -> Answer {
    if visitor.scripted {
        return Err(error.clone().into());
    }
    let snapshot = snapshot(web, visitor, id, 0).await?;
    let said = sentence(&web.office, &snapshot.language, error);
    let mut response = chat_page(web, visitor, &snapshot, text.to_owned(), said)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// After a message was taken: the new messages for the script, else back to the page.
async fn answered(
    web: &Web,
    visitor: &Visitor,
    id: &ConversationId,
    received: Received,
    jar: CookieJar,
) -> Answer {
    if received.erased {
        let jar = forget(jar);
        return Ok((jar, reload(visitor, "/erased")).into_response());
    }
    if !visitor.scripted {
        return Ok((jar, see("/chat#latest")).into_response());
    }
    let snapshot = match received.news {
        Some(news) => news,
        None => snapshot(web, visitor, id, received.seq - 1).await?,
    };
    let mut response = fragment(web, visitor, &snapshot)?;
    let next = show::form_id(web);
    response.headers_mut().insert("amtsbote-next-message-id", header_value(&next));
    if snapshot.owner != Owner::Bot || snapshot.language != visitor.settings.language {
        // The frame of the page says who answers and in which language: it is drawn anew.
        response.headers_mut().insert("amtsbote-reload", header_value("1"));
    }
    Ok((jar, response).into_response())
}

fn reload(visitor: &Visitor, to: &str) -> Response {
    if visitor.scripted { StatusCode::SEE_OTHER.into_response() } else { see(to) }
}

/// Messages alone, as the script and the stream want them.
pub fn fragment(web: &Web, visitor: &Visitor, snapshot: &Snapshot) -> Answer {
    let t = visitor.texts(&web.office);
    page(&Messages {
        messages: show::messages(web, visitor, snapshot, false),
        page: visitor.page(&web.office, ""),
        t,
    })
}

fn forget(jar: CookieJar) -> CookieJar {
    jar.remove(ended_cookie(CITIZEN_COOKIE)).remove(ended_cookie(EMBED_COOKIE))
}

/// A file.
async fn upload(
    State(web): State<Web>,
    visitor: Visitor,
    jar: CookieJar,
    headers: HeaderMap,
    form: Multipart,
) -> Answer {
    let (fields, file) = super::upload::read(&web, &visitor, &headers, form).await?;
    let (id, visitor, jar) = ensure(&web, &visitor, jar).await?;
    let Some((name, bytes)) = file else {
        return refuse(&web, &visitor, &id, "", &Error::refused("document.none_chosen")).await;
    };
    let request = UploadRequest {
        conversation: id.clone(),
        external_id: message_id(fields.get("message_id"), &bytes, &web),
        trust: visitor.trust(),
        person: visitor.person().cloned(),
        name,
        bytes,
        wanted: None,
    };
    match web.office.upload(request).await {
        Ok(received) => answered(&web, &visitor, &id, received, jar).await,
        Err(error @ Error::Refused { .. }) => refuse(&web, &visitor, &id, "", &error).await,
        Err(error) => Err(error.into()),
    }
}

/// Leaves the conversation on this device and begins a new one.
async fn start_new(jar: CookieJar, _: Fields) -> Answer {
    Ok((forget(jar), see("/chat")).into_response())
}

/// Erases the conversation, like "Meine Daten löschen" in words.
async fn delete(State(web): State<Web>, visitor: Visitor, jar: CookieJar, _: Fields) -> Answer {
    if let Some(id) = visitor.conversation() {
        web.office.erase_conversation(id, visitor.person()).await?;
    }
    Ok((forget(jar), see("/erased")).into_response())
}

/// The whole conversation as plain text, to keep.
async fn transcript(State(web): State<Web>, visitor: Visitor) -> Answer {
    let id = visitor.conversation().ok_or(Error::NotFound("conversation"))?;
    let page_size = Page { after: 0, limit: 5000 };
    let snapshot = web.office.snapshot(id, visitor.person(), visitor.trust(), page_size).await?;
    let t = visitor.texts(&web.office);
    let text: Vec<String> =
        show::plain(&t, visitor.language(), &snapshot.messages, |message| show::author(&t, message))
            .into_iter()
            .map(|message| format!("{} {}\n{}", message.author, message.time, message.plain))
            .collect();
    let headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-disposition", "attachment; filename=\"amtsbote.txt\""),
    ];
    Ok((headers, text.join("\n\n")).into_response())
}

async fn print(State(web): State<Web>, visitor: Visitor) -> Answer {
    let id = visitor.conversation().ok_or(Error::NotFound("conversation"))?;
    let page_size = Page { after: 0, limit: 5000 };
    let snapshot = web.office.snapshot(id, visitor.person(), visitor.trust(), page_size).await?;
    let t = visitor.texts(&web.office);
    page(&PrintPage {
        printed_at: web.office.now().german_date_time(),
        pdf_url: String::new(),
        messages: show::plain(&t, visitor.language(), &snapshot.messages, |message| {
            show::author(&t, message)
        }),
        page: visitor.page(&web.office, t.text("web.print_title")),
        t,
    })
}
