//! Many open event streams, each of a conversation of its own, against an office that is a process of its own. A
//! hundred more windows show ONE conversation in which the citizen writes; measured is when the last of them has the
//! reply.

use std::time::Duration;

use clap::Args;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::super::doctor;
use super::office::{Cores, Running};
use super::{Place, machine, millis, moment, round, spread, visitor};

/// Windows that show the conversation in which the citizen writes.
const WINDOWS: usize = 100;

/// Files that the process needs besides the streams.
const OTHER_FILES: u64 = 200;

/// Conversations that are opened at the same time.
const AT_ONCE: usize = 64;

/// Replies that are timed.
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
    // The office has the same limit: it is started by this process.
    let allowed = usize::try_from(limit.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let count = options.streams.min(allowed.saturating_sub(WINDOWS));
    let folder = options.place.fresh()?;
    let office = Running::start(folder.path(), Cores::All).await?;
    let address = office.address;

    let (mut citizen, token) = visitor(address).await?;
    let mut readers = Vec::with_capacity(WINDOWS);
    for _ in 0..WINDOWS {
        let window = citizen.another(address).await?;
        readers.push(window.stream("/chat/stream?after=1").await?);
    }
    let before = office.memory_kb("VmRSS:")?;
    let start = moment();
    let open: Vec<TcpStream> = futures::stream::iter(0..count)
        .map(|_| async {
            let (client, _) = visitor(address).await?;
            // The stream goes on from the greeting, as the page's script asks for it.
            anyhow::Ok(client.stream("/chat/stream?after=1").await?.into_inner())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let opened_in = start.elapsed();
    // A quiet time: what is still running for the openings has ended.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let after = office.memory_kb("VmRSS:")?;

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
        let answer = citizen.post("/chat", &[("csrf", &token), ("text", &text)]).await?;
        anyhow::ensure!(answer.status == 200, "a message was answered with {}", answer.status);
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
    office.end().await?;
    last.sort_unstable();
    Ok(json!({
        "bench": "streams", "machine": machine(), "open_files_limit": limit, "wanted": options.streams,
        "streams": streams, "limited_by_open_files": usize::try_from(streams)? < options.streams,
        "how_to_raise": "ulimit -n 65536", "opened_in_ms": millis(opened_in),
        "rss_before_kb": before, "rss_after_kb": after,
        "kb_per_stream": round(f64::from(u32::try_from(grown)?) / f64::from(streams.max(1))),
        "windows_of_one_conversation": WINDOWS, "last_window_ms": millis(last[last.len() / 2]),
        "last_window": spread(&mut last), "each_window": spread(&mut each),
    }))
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
