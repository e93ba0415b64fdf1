//! Whole turns: a short answer over HTTP is understood, stored durably and answered; measured against a bare handler
//! that stores one row through the same writer in the same run, so that the disk does not decide the comparison.
//! Then a steady stream of turns against an office of its own that is held to one core.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use amtsbote_core::office::Office;
use amtsbote_core::session::{self, Holder};
use amtsbote_knowledge::Trust;
use anyhow::{Context, bail};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use clap::Args;
use futures::FutureExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::client::Client;
use super::office::{Cores, Running};
use super::{Place, Server, cpu_time, fsync_ms, machine, moment, round, spread, visitor};

/// One slice of a measurement. Bare rows and turns take slices in turn, so that a machine which is slower for some
/// seconds is slower for both.
const SLICE: Duration = Duration::from_millis(500);

/// How long and how wide is measured.
#[derive(Debug, Clone, Args)]
pub struct Turns {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Clients at the same time, one measurement each.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,128,256")]
    pub clients: Vec<usize>,
    /// Turns a second of the paced measurement.
    #[arg(long, default_value_t = 200)]
    pub pace: u32,
    /// Where the data go.
    #[command(flatten)]
    pub place: Place,
}

/// A conversation in the middle of a form; an answer and "zurück" take turns, so that it never ends.
struct Talk {
    client: Client,
    token: String,
    sent: u32,
}

impl Talk {
    async fn begin(address: SocketAddr) -> anyhow::Result<Self> {
        let (client, token) = visitor(address).await?;
        let mut talk = Self { client, token, sent: 0 };
        talk.say("Im Wald liegt ein Haufen Müll").await?;
        talk.say("start").await?;
        Ok(talk)
    }

    async fn say(&mut self, text: &str) -> anyhow::Result<String> {
        let fields = [("csrf", self.token.as_str()), ("text", text)];
        let answer = self.client.post("/chat", &fields).await?;
        if answer.status != 200 {
            bail!("a turn was answered with {}: {}", answer.status, answer.body);
        }
        Ok(answer.body)
    }

    async fn turn(&mut self) -> anyhow::Result<()> {
        self.sent += 1;
        let text = if self.sent % 2 == 1 { "Feldweg am Musterberg" } else { "zurück" };
        self.say(text).await.map(|_| ())
    }
}

/// Runs the bench.
pub async fn run(options: &Turns) -> anyhow::Result<Value> {
    let server = Server::start(&options.place).await?;
    let most = options.clients.iter().copied().max().unwrap_or(1).max(1);
    let mut talks = talks(server.address, most).await?;
    // The first answer must be taken as one: a bench of misunderstandings would measure something else.
    let first = talks[0].say("Feldweg am Musterberg").await?;
    let back = talks[0].say("zurück").await?;
    if first == back {
        bail!("the conversation does not move; the bench does not fit the service any more");
    }
    let (bare_address, mut bare_server) = bare(&server.office).await?;
    let fsync = fsync_ms(server.folder.path())?;
    let period = Duration::from_secs(options.seconds);
    let mut steps = Vec::new();
    let mut ratios = Vec::new();
    for &count in &options.clients {
        let step = step(bare_address, &mut talks, count.clamp(1, most), period).await?;
        ratios.push(step.ratio);
        steps.push(step.line());
    }
    bare_server.abort_all();
    drop(talks);
    server.end().await;
    let paced = one_core(options, period).await?;
    Ok(json!({
        "bench": "turns", "machine": machine(), "fsync_p50_ms": fsync, "synchronous": "full",
        "conversations": most, "steps": steps, "ratio": round(median(&mut ratios)), "paced": paced,
    }))
}

/// What one number of clients reached.
struct Step {
    clients: usize,
    /// Rows a second of the bare handler, turns a second: the median of the slices.
    bare: f64,
    turns: f64,
    /// Median of the ratios of neighbouring slices.
    ratio: f64,
    /// Processor time of one row and of one turn, clients included: it hardly depends on what else the machine does.
    cpu: (Duration, Duration),
    times: Vec<Duration>,
}

impl Step {
    fn line(mut self) -> Value {
        json!({
            "clients": self.clients, "bare_per_s": round(self.bare), "turns_per_s": round(self.turns),
            "ratio": round(self.ratio), "cpu_us_per_row": self.cpu.0.as_micros(),
            "cpu_us_per_turn": self.cpu.1.as_micros(), "times": spread(&mut self.times),
        })
    }
}

async fn step(
    bare_address: SocketAddr,
    talks: &mut Vec<Talk>,
    clients: usize,
    period: Duration,
) -> anyhow::Result<Step> {
    let (mut bare, mut turns, mut ratios, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut rows, mut cpu_rows, mut cpu_turns) = (0, Duration::ZERO, Duration::ZERO);
    let start = moment();
    while start.elapsed() < period * 2 {
        let before = cpu_time()?;
        let (rate, count) = bare_rate(bare_address, clients, SLICE).await?;
        bare.push(rate);
        rows += count;
        let between = cpu_time()?;
        let (rate, slice) = turn_rate(talks, clients, SLICE).await?;
        turns.push(rate);
        ratios.push(rate / bare[bare.len() - 1]);
        times.extend(slice);
        cpu_rows += between.saturating_sub(before);
        cpu_turns += cpu_time()?.saturating_sub(between);
    }
    let cpu = (cpu_rows / rows.max(1), cpu_turns / u32::try_from(times.len())?.max(1));
    let (bare, turns, ratio) = (median(&mut bare), median(&mut turns), median(&mut ratios));
    Ok(Step { clients, bare, turns, ratio, cpu, times })
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

async fn talks(address: SocketAddr, count: usize) -> anyhow::Result<Vec<Talk>> {
    let mut talks = Vec::with_capacity(count);
    for _ in 0..count {
        talks.push(Talk::begin(address).await?);
    }
    Ok(talks)
}

/// The steady stream, against an office that is held to one core.
async fn one_core(options: &Turns, period: Duration) -> anyhow::Result<Value> {
    let folder = options.place.fresh()?;
    let office = Running::start(folder.path(), Cores::First).await?;
    let talks = talks(office.address, usize::try_from(options.pace).unwrap_or(200)).await?;
    let paced = paced(talks, options.pace, period).await?;
    office.end().await?;
    Ok(paced)
}

/// A server with one handler that inserts one row.
async fn bare(office: &Arc<Office>) -> anyhow::Result<(SocketAddr, JoinSet<std::io::Result<()>>)> {
    async fn insert(State(office): State<Arc<Office>>) -> Result<&'static str, StatusCode> {
        let worker = Arc::clone(&office);
        let stored = office.db.write(move |tx| {
            let office = Arc::clone(&worker);
            async move {
                let holder = Holder::Citizen { conversation: None, person: None, trust: Trust::T0 };
                let time = Duration::from_mins(1);
                session::create(tx, &office.keys, &holder, time, office.now()).await.map(|_| ())
            }
            .boxed()
        });
        stored.await.map(|()| "ok").map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/", post(insert)).with_state(Arc::clone(office));
    let mut running = JoinSet::new();
    running.spawn(async move { axum::serve(listener, router).await });
    Ok((address, running))
}

/// Rows a second, and how many there were.
async fn bare_rate(address: SocketAddr, clients: usize, time: Duration) -> anyhow::Result<(f64, u32)> {
    let mut running = JoinSet::new();
    let start = moment();
    for _ in 0..clients {
        running.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut count = 0_u32;
            while start.elapsed() < time {
                let answer = client.post("/", &[]).await?;
                if answer.status != 200 {
                    bail!("the bare handler answered with {}", answer.status);
                }
                count += 1;
            }
            Ok(count)
        });
    }
    let mut all = 0;
    while let Some(count) = running.join_next().await {
        all += count??;
    }
    Ok((f64::from(all) / start.elapsed().as_secs_f64(), all))
}

/// Turns a second, and how long each took. The conversations come back afterwards.
async fn turn_rate(
    talks: &mut Vec<Talk>,
    clients: usize,
    period: Duration,
) -> anyhow::Result<(f64, Vec<Duration>)> {
    let mut running = JoinSet::new();
    let busy = talks.split_off(talks.len() - clients);
    let start = moment();
    for mut one in busy {
        running.spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < period {
                let sent = moment();
                one.turn().await?;
                times.push(sent.elapsed());
            }
            anyhow::Ok((one, times))
        });
    }
    let mut all = Vec::new();
    while let Some(done) = running.join_next().await {
        let (one, times) = done??;
        talks.push(one);
        all.extend(times);
    }
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    Ok((rate, all))
}

/// A steady stream of turns. Each time counts from when the turn was due, not from when it could be sent: a server
/// that stalls does not get away with few slow answers.
async fn paced(talks: Vec<Talk>, pace: u32, period: Duration) -> anyhow::Result<Value> {
    let pace = pace.max(1);
    let total = u64::from(pace) * period.as_secs();
    let used = usize::try_from(pace).unwrap_or(200).min(talks.len());
    let start = moment() + Duration::from_millis(100);
    let mut running = JoinSet::new();
    for (place, mut one) in talks.into_iter().take(used).enumerate() {
        let turns: Vec<u64> = (u64::try_from(place)?..total).step_by(used).collect();
        running.spawn(async move {
            let mut times = Vec::new();
            for number in turns {
                let number = u32::try_from(number).context("too many turns")?;
                let due = start + Duration::from_secs(1) * number / pace;
                tokio::time::sleep_until(due.into()).await;
                one.turn().await?;
                times.push(due.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut all = Vec::new();
    while let Some(times) = running.join_next().await {
        all.extend(times??);
    }
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    Ok(
        json!({ "server_cores": 1, "wanted_per_s": pace, "reached_per_s": round(rate), "times": spread(&mut all) }),
    )
}
