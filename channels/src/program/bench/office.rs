//! The office under measurement as a process of its own, as an operator would start it: its memory is its own and not
//! the clients', its files count against its own limit, and it can be held to one core.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

use super::client::Client;
use super::{memory_kb, moment};

/// After this time without an answer something else is wrong.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which cores the office may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    /// All of the machine.
    All,
    /// The first one (by `taskset`, which must be installed).
    First,
}

/// A running office; killed when dropped.
pub struct Running {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
    /// From its start to its first page.
    pub started_in: Duration,
}

impl Running {
    /// Starts the office in `folder` and waits for its first page.
    pub async fn start(folder: &Path, cores: Cores) -> anyhow::Result<Self> {
        // A port that was free a moment ago; the office takes no other one by itself.
        let address: SocketAddr = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let program = std::env::current_exe().context("where is this program?")?;
        let mut command = match cores {
            Cores::All => Command::new(program),
            Cores::First => {
                let mut command = Command::new("/usr/bin/taskset");
                command.args(["-c", "0"]).arg(program);
                command
            }
        };
        let begin = moment();
        let mut child = command
            .arg("--set")
            .arg(format!("data.folder={}", folder.display()))
            .arg("--set")
            .arg(format!("server.listen={address}"))
            .args(["--set", "limits.requests_per_minute=1000000", "--set", "limits.open_streams=100000"])
            .args(["--set", "mail.kind=off", "serve"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context(
                "this program does not start itself (held to one core it takes taskset, of util-linux)",
            )?;
        while begin.elapsed() < PATIENCE {
            if let Ok(mut client) = Client::connect(address).await
                && client.get("/").await.is_ok_and(|answer| answer.status == 200)
            {
                return Ok(Self { child, address, started_in: begin.elapsed() });
            }
            if let Some(status) = child.try_wait()? {
                bail!("the program ended while it started: {status}");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("no page after {} s", PATIENCE.as_secs())
    }

    /// A value of its `/proc/…/status` in kilobytes.
    pub fn memory_kb(&self, name: &str) -> anyhow::Result<u64> {
        let process = self.child.id().context("the program has ended by itself")?.to_string();
        memory_kb(&process, name).context("the system tells no memory of processes")
    }

    /// Ends it.
    pub async fn end(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}
