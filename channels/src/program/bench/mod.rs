//! `amtsbote bench`: how fast and how large this very program is on this machine. Each bench prints ONE JSON line. The
//! clients run in the same process and take their share of the processor; the numbers are for comparing, not for
//! advertising.

mod bescheid;
pub mod client;
mod cold;
mod office;
mod streams;
mod turns;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amtsbote_core::clock::Clock;
use amtsbote_core::config::Config;
use amtsbote_core::office::Office;
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::client::Client;
use crate::web::Web;

/// What is measured.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// Whole turns of conversations over HTTP, against a bare handler that stores one row.
    Turns(turns::Turns),
    /// From the start of the program to the first page, and its memory when idle.
    Cold(cold::Cold),
    /// Rendering a two-page letter in both PDF forms.
    Bescheid(bescheid::Bescheid),
    /// Many open event streams: memory, and how fast a message reaches them.
    Streams(streams::Streams),
}

/// Where the data of a bench go.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Folder on the disk to measure; without it the system's temporary folder, which may be memory.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

impl Place {
    /// A fresh folder, removed when dropped.
    fn fresh(&self) -> anyhow::Result<TempDir> {
        match &self.folder {
            Some(folder) => tempfile::tempdir_in(folder),
            None => tempfile::tempdir(),
        }
        .context("kein Ordner für die Messung; nennen Sie einen mit --folder")
    }
}

/// Runs a bench and prints its line.
pub async fn run(bench: &Bench) -> anyhow::Result<ExitCode> {
    let line = match bench {
        Bench::Turns(options) => turns::run(options).await?,
        Bench::Cold(options) => cold::run(options).await?,
        Bench::Bescheid(options) => bescheid::run(options)?,
        Bench::Streams(options) => streams::run(options).await?,
    };
    println!("{line}");
    Ok(ExitCode::SUCCESS)
}

/// This moment, for measuring.
#[expect(clippy::disallowed_methods, reason = "measures")]
fn moment() -> Instant {
    Instant::now()
}

fn millis(time: Duration) -> f64 {
    round(time.as_secs_f64() * 1000.0)
}

/// Three digits after the point are more than any of these numbers deserves.
fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Median and upper ends of times, in milliseconds.
fn spread(times: &mut [Duration]) -> Value {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(place).copied().map_or(0.0, millis)
    };
    json!({ "count": times.len(), "p50_ms": at(50), "p90_ms": at(90), "p99_ms": at(99), "max_ms": at(100) })
}

/// What the machine and the build are, so that two lines can be compared.
fn machine() -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "build": if cfg!(debug_assertions) { "debug" } else { "release" },
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
    })
}

/// A value of `/proc/<process>/status` in kilobytes.
fn memory_kb(process: &str, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Processor time that this process has used so far, in user code and in the kernel.
fn cpu_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program may hold blanks; it ends with the last bracket. Then utime is the 12th value and stime
    // the 13th (proc_pid_stat(5)), in hundredths of a second on every Linux.
    let values = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        values.split_whitespace().skip(11).take(2).filter_map(|value| value.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// What storing one small block durably costs on this disk, median of fifty.
fn fsync_ms(folder: &Path) -> anyhow::Result<f64> {
    use std::io::Write as _;
    let mut file = tempfile::tempfile_in(folder)?;
    let mut times = Vec::new();
    for _ in 0..50 {
        let start = moment();
        file.write_all(&[1; 4096])?;
        file.sync_all()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(millis(times[25]))
}

/// An office with its web server in this process, on a free port, with an empty folder.
struct Server {
    office: Arc<Office>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<anyhow::Result<()>>,
    folder: TempDir,
}

impl Server {
    async fn start(place: &Place) -> anyhow::Result<Self> {
        let folder = place.fresh()?;
        let shown = folder.path().display().to_string();
        let pairs = [
            ("data.folder", shown.as_str()),
            ("limits.requests_per_minute", "1000000"),
            ("limits.open_streams", "100000"),
            ("mail.kind", "off"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let config = Config::load(None, std::iter::empty(), &pairs)?;
        let office = Office::open(config, Clock::System).await?;
        office.library.train_missing()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let web = Web::new(Arc::clone(&office), None, stopped);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { web.serve(listener).await.context("the web server failed") });
        Ok(Self { office, address, stop, tasks, folder })
    }

    async fn end(mut self) {
        let _ = self.stop.send(true);
        // Open streams end by themselves; what does not is cut off.
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(5), ended).await;
        self.tasks.abort_all();
        self.office.db.clone().close().await;
    }
}

/// A browser with a conversation of its own, and the token of its forms.
async fn visitor(address: SocketAddr) -> anyhow::Result<(Client, String)> {
    let mut client = Client::connect(address).await?;
    let page = client.get("/chat").await?;
    let token = page
        .body
        .split("name=\"csrf\"")
        .nth(1)
        .and_then(|rest| rest.split("value=\"").nth(1))
        .and_then(|rest| rest.split('"').next())
        .with_context(|| format!("the chat page ({}) has no form", page.status))?;
    let token = token.to_owned();
    Ok((client, token))
}
