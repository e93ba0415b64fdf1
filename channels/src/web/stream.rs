//! New messages as server-sent events. The stream holds no state of its own: it reads what the database has after the
//! last message that the page knows, so it can be cut and resumed anywhere, on any instance.

use std::convert::Infallible;
use std::time::Duration;

use amtsbote_core::conversation::{Author, Page};
use amtsbote_core::error::Error;
use amtsbote_core::id::ConversationId;
use amtsbote_core::office::Listener;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::Web;
use super::answer::Answer;
use super::chat::fragment;
use super::routes::{Access, Route};
use super::visitor::Visitor;

/// A stream ends after this time and is taken up again by the browser, so that a logout or an expired session
/// does not read on.
const LIFETIME: Duration = Duration::from_mins(15);

pub(super) fn routes() -> Vec<Route> {
    vec![Route { access: Access::Public, path: "/chat/stream", methods: &["GET"], handler: get(stream) }]
}

#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: i64,
}

struct Listening {
    web: Web,
    visitor: Visitor,
    id: ConversationId,
    last: i64,
    bell: Listener,
    stop: tokio::sync::watch::Receiver<bool>,
    until: tokio::time::Instant,
    _permit: OwnedSemaphorePermit,
}

async fn stream(
    State(web): State<Web>,
    visitor: Visitor,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Answer {
    let id = visitor.conversation().cloned().ok_or(Error::NotFound("conversation"))?;
    let permit = web.streams.clone().try_acquire_owned().map_err(|_| Error::refused("web.too_many"))?;
    // The browser names the last event that it has seen when it takes up a stream that was cut.
    let seen = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(query.after);
    let listening = Listening {
        bell: web.office.listen(&id),
        stop: web.stop.clone(),
        until: tokio::time::Instant::now() + LIFETIME,
        last: seen,
        web,
        visitor,
        id,
        _permit: permit,
    };
    let events = futures::stream::unfold(listening, |mut listening| async move {
        let event = listening.next().await?;
        Some((Ok::<_, Infallible>(event), listening))
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(20)));
    Ok(([("cache-control", "no-store"), ("x-accel-buffering", "no")], events).into_response())
}

impl Listening {
    /// The next event; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if *self.stop.borrow() || tokio::time::Instant::now() >= self.until {
                return None;
            }
            let page = Page { after: self.last.max(0), limit: 50 };
            let snapshot = self
                .web
                .office
                .snapshot(&self.id, self.visitor.person(), self.visitor.trust(), page)
                .await
                .ok()?;
            let newest = snapshot.messages.last().map(|message| message.seq);
            if let Some(newest) = newest {
                self.last = newest;
                if snapshot.messages.iter().all(|message| message.author == Author::Citizen) {
                    continue;
                }
                let html = self.html(&snapshot).await?;
                return Some(Event::default().id(newest.to_string()).data(html));
            }
            self.wait().await;
        }
    }

    async fn html(&self, snapshot: &amtsbote_core::office::Snapshot) -> Option<String> {
        let response = fragment(&self.web, &self.visitor, snapshot).ok()?;
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.ok()?;
        // A line break would end an event's field: the browser joins the data lines again.
        String::from_utf8(bytes.to_vec()).ok().map(|html| html.replace('\r', ""))
    }

    /// Until something may have changed.
    async fn wait(&mut self) {
        tokio::select! {
            () = tokio::time::sleep_until(self.until) => {}
            _ = self.stop.changed() => {}
            () = self.bell.rung() => {}
        }
    }
}
