//! The cold start: this binary is started with an empty folder and asked for its first page until it answers. Memory
//! is what the kernel says after three quiet seconds.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::office::{Cores, Running};
use super::{Place, machine, spread};

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
        let folder = options.place.fresh()?;
        let office = Running::start(folder.path(), Cores::All).await?;
        empty.push(office.started_in);
        if run == 0 {
            tokio::time::sleep(Duration::from_secs(3)).await;
            memory = (office.memory_kb("VmRSS:")?, office.memory_kb("VmHWM:")?);
        }
        office.end().await?;
        let office = Running::start(folder.path(), Cores::All).await?;
        again.push(office.started_in);
        office.end().await?;
    }
    Ok(json!({
        "bench": "cold", "machine": machine(),
        "first_page_of_empty_folder": spread(&mut empty), "first_page_of_used_folder": spread(&mut again),
        "idle_rss_kb": memory.0, "peak_rss_kb": memory.1,
    }))
}
