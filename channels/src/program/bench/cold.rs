//! The cold start: this binary is started with an empty folder and asked for its first page until it answers. Memory
//! is what the kernel says after three quiet seconds.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::client::Client;
use super::{Place, machine, memory_kb, moment, spread};

/// After this time without an answer something else is wrong.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often is measured.
#[derive(Debug, Clone, Args)]
pub struct Cold {
    /// Starts with an empty folder.
    #[arg(long, default_value_t = 5)]
    pub runs: u32,
    /// Where the data go.
    #[command(flatten)]
    pub place: Place,
}

/// Runs the bench.
pub async fn run(options: &Cold) -> anyhow::Result<Value> {
    let mut empty = Vec::new();
    let mut again = Vec::new();
    let mut memory = (0, 0);
    for run in 0..options.runs.max(1) {
        let folder = match &options.place.folder {
            Some(folder) => tempfile::tempdir_in(folder),
            None => tempfile::tempdir(),
        }?;
        let (mut child, time) = start(folder.path()).await?;
        empty.push(time);
        if run == 0 {
            tokio::time::sleep(Duration::from_secs(3)).await;
            let process = child.id().context("the program has ended by itself")?.to_string();
            let value = |name| memory_kb(&process, name).context("the system tells no memory of processes");
            memory = (value("VmRSS:")?, value("VmHWM:")?);
        }
        child.kill().await?;
        let (mut child, time) = start(folder.path()).await?;
        again.push(time);
        child.kill().await?;
    }
    Ok(json!({
        "bench": "cold", "machine": machine(),
        "first_page_of_empty_folder": spread(&mut empty), "first_page_of_used_folder": spread(&mut again),
        "idle_rss_kb": memory.0, "peak_rss_kb": memory.1,
    }))
}

/// Starts the office in `folder`; returns it with the time until its first page.
async fn start(folder: &Path) -> anyhow::Result<(Child, Duration)> {
    // A port that was free a moment ago; the office takes no other one by itself.
    let address: SocketAddr = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let program = std::env::current_exe().context("where is this program?")?;
    let begin = moment();
    let mut child = Command::new(program)
        .arg("--set")
        .arg(format!("data.folder={}", folder.display()))
        .arg("--set")
        .arg(format!("server.listen={address}"))
        .arg("serve")
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("this program does not start itself")?;
    while begin.elapsed() < PATIENCE {
        if let Ok(mut client) = Client::connect(address).await
            && client.get("/").await.is_ok_and(|answer| answer.status == 200)
        {
            return Ok((child, begin.elapsed()));
        }
        if let Some(status) = child.try_wait()? {
            bail!("the program ended while it started: {status}");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bail!("no page after {} s", PATIENCE.as_secs())
}
