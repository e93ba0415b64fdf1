//! Many open event streams, each of a conversation of its own, with server and clients in this process. A hundred
//! more windows show ONE conversation in which staff write; measured is when the last of them has the message.

use std::time::Duration;

use amtsbote_core::conversation;
use amtsbote_core::id::{ConversationId, StaffId};
use amtsbote_core::message::{Body, Incoming};
use amtsbote_knowledge::Trust;
use anyhow::Context;
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::super::{demo, doctor};
use super::{Place, Server, machine, memory_kb, millis, moment, round, spread};

/// Windows that show the conversation in which staff write.
const WINDOWS: usize = 100;

/// Files that the process needs besides the streams.
const OTHER_FILES: u64 = 200;

/// Conversations that are opened at the same time.
const AT_ONCE: usize = 64;

/// Staff messages that are timed.
const MESSAGES: usize = 10;

/// How many.
#[derive(Debug, Clone, Args)]
pub struct Streams {
    /// Streams to open, as far as the limit of open files allows.
    #[arg(long, default_value_t = 10_000)]
    pub streams: usize,
    /// Where the data go.
    #[command(flatten)]
    pub place: Place,
}

/// Runs the bench.
pub async fn run(options: &Streams) -> anyhow::Result<Value> {
    let limit = doctor::open_files_limit().unwrap_or(1024);
    // Both ends of each stream are files of this process.
    let allowed = usize::try_from(limit.saturating_sub(OTHER_FILES) / 2).unwrap_or(usize::MAX);
    let count = options.streams.min(allowed.saturating_sub(WINDOWS));
    let server = Server::start(&options.place).await?;
    let logins = demo::accounts(&server.office).await?;
    let clerk = logins.get(1).and_then(|login| login.id.clone()).context("no account")?;

    let windows = windows(&server, &clerk).await?;
    let before = memory_kb("self", "VmRSS:").unwrap_or(0);
    let start = moment();
    let open: Vec<TcpStream> = futures::stream::iter(0..count)
        .map(|_| async {
            let (client, _) = server.visitor().await?;
            // The stream goes on from the greeting, as the page's script asks for it.
            anyhow::Ok(client.stream("/chat/stream?after=1").await?.into_inner())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let opened_in = start.elapsed();
    // All of them have asked the database once more.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let after = memory_kb("self", "VmRSS:").unwrap_or(0);

    let (id, mut readers) = windows;
    let mut last = Vec::new();
    let mut each = Vec::new();
    for number in 0..MESSAGES {
        let mut tasks = JoinSet::new();
        let sent = moment();
        for mut reader in readers {
            tasks.spawn(async move {
                next_event(&mut reader).await?;
                anyhow::Ok((reader, sent.elapsed()))
            });
        }
        let text = format!("Guten Tag, das ist die Nachricht {number}.");
        server.office.staff_says(&id, &clerk, &format!("bench-{number}"), &text).await?;
        readers = Vec::with_capacity(WINDOWS);
        let mut slowest = Duration::ZERO;
        while let Some(done) = tasks.join_next().await {
            let (reader, time) = done??;
            readers.push(reader);
            slowest = slowest.max(time);
            each.push(time);
        }
        last.push(slowest);
    }
    let grown = after.saturating_sub(before);
    let streams = u32::try_from(open.len()).unwrap_or(u32::MAX);
    drop((open, readers));
    server.end().await;
    last.sort_unstable();
    Ok(json!({
        "bench": "streams", "machine": machine(), "open_files_limit": limit, "wanted": options.streams,
        "streams": streams, "limited_by_open_files": usize::try_from(streams)? < options.streams,
        "how_to_raise": "ulimit -n 65536", "opened_in_ms": millis(opened_in),
        "rss_before_kb": before, "rss_after_kb": after,
        "kb_per_stream_both_ends": round(f64::from(u32::try_from(grown)?) / f64::from(streams.max(1))),
        "windows_of_one_conversation": WINDOWS, "last_window_ms": millis(last[last.len() / 2]),
        "last_window": spread(&mut last), "each_window": spread(&mut each),
    }))
}

/// A conversation with a clerk, and the streams of its windows.
async fn windows(
    server: &Server,
    clerk: &StaffId,
) -> anyhow::Result<(ConversationId, Vec<BufReader<TcpStream>>)> {
    let office = &server.office;
    let (client, _) = server.visitor().await?;
    let mut tx = office.db.read().await?;
    // It is the only conversation of this office so far.
    let all = conversation::stale(&mut tx, office.now().plus(Duration::from_secs(1)), 2).await?;
    drop(tx);
    let id = all.into_iter().next().context("no conversation")?;
    let incoming = Incoming {
        conversation: id.clone(),
        external_id: "bench".to_owned(),
        trust: Trust::T0,
        person: None,
        body: Body::Text("Mensch".to_owned()),
    };
    office.receive(incoming).await?;
    office.take_chat(&id, clerk).await?;
    let seen = office.snapshot(&id, None, Trust::T0, conversation::Page { after: 0, limit: 200 }).await?;
    let seen = seen.messages.last().map_or(0, |message| message.seq);
    let mut readers = Vec::with_capacity(WINDOWS);
    for _ in 0..WINDOWS {
        let window = client.another(server.address).await?;
        readers.push(window.stream(&format!("/chat/stream?after={seen}")).await?);
    }
    Ok((id, readers))
}

/// Waits for the end of one event; comments that keep the stream alive do not count.
async fn next_event(reader: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    let mut has_data = false;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await? == 0 {
            anyhow::bail!("the stream ended");
        }
        let line = line.trim_end();
        has_data |= line.starts_with("data:") || line.contains("data: ");
        if has_data && line.is_empty() {
            // The rest of the chunk that carried the event stays in the buffer for the next one.
            return Ok(());
        }
    }
}
