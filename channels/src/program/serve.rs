//! `amtsbote serve`: the composition root. Opens the office, starts web, outbox and jobs, and ends them in order.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use amtsbote_core::clock::Clock;
use amtsbote_core::config::Config;
use amtsbote_core::knowledge::Library;
use amtsbote_core::message::Channel;
use amtsbote_core::office::Office;
use amtsbote_core::{jobs, outbox, staff};
use anyhow::Context;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::mail::Mail;
use crate::web::Web;

/// How long the outbox and the jobs rest when there was nothing to do.
const REST: Duration = Duration::from_secs(2);

/// How often the database is asked for what other instances and the jobs have written into open chats.
const LOOK: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or Ctrl-C.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .context("the metrics can't be collected")?;
    let listen = config.server.listen;
    let metrics_listen = config.server.metrics_listen;
    let grace = Duration::from_secs(config.server.shutdown_seconds);
    let office = Office::open(config, Clock::System).await?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; set server.listen to a free address"))?;
    let (stopper, stop) = watch::channel(false);
    let web = Web::new(Arc::clone(&office), Some(metrics), stop.clone());
    let channels: Vec<Arc<dyn Channel>> =
        Mail::open(&office.config)?.map(|mail| Arc::new(mail) as Arc<dyn Channel>).into_iter().collect();

    let mut tasks = JoinSet::new();
    let served = web.clone();
    tasks.spawn(async move { served.serve(listener).await.context("the web server failed") });
    if let Some(address) = metrics_listen {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}; set server.metrics_listen to a free address")
        })?;
        let (web, mut stop) = (web.clone(), stop.clone());
        tasks.spawn(async move {
            axum::serve(listener, web.metrics_router())
                .with_graceful_shutdown(async move {
                    let _ = stop.wait_for(|stop| *stop).await;
                })
                .await
                .context("the metrics server failed")
        });
    }
    tasks.spawn(worker(Arc::clone(&office), channels, stop.clone()));
    tasks.spawn(bell_ringer(Arc::clone(&office), stop.clone()));
    tasks.spawn(learner(Arc::clone(&office), stop.clone()));
    greet(&office).await?;

    tokio::select! {
        () = end_signal() => tracing::info!("asked to end; running requests are finished first"),
        Some(ended) = tasks.join_next() => {
            let _ = stopper.send(true);
            ended.context("a task panicked")??;
        }
    }
    let _ = stopper.send(true);
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all_ended).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(ExitCode::SUCCESS)
}

/// Trains the classifier if the data changed since it was kept, then follows the operator's own files. The office
/// answers meanwhile with what it knows; a broken file changes nothing but the log.
async fn learner(office: Arc<Office>, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let learn = |work: fn(&Library) -> amtsbote_core::error::Result<()>| {
        let office = Arc::clone(&office);
        async move {
            match tokio::task::spawn_blocking(move || work(&office.library)).await {
                Ok(Ok(())) => tracing::info!("the catalogue is read and learnt"),
                Ok(Err(error)) => {
                    tracing::error!(error = %error, "the catalogue was not taken over; the one before stays in use");
                }
                Err(error) => {
                    tracing::error!(error = %error, "learning the catalogue failed; the one before stays in use");
                }
            }
        }
    };
    let mut seen = office.library.traces();
    if office.library.now().classifier.is_none() {
        learn(Library::train_missing).await;
    }
    while !*stop.borrow() {
        let now = office.library.traces();
        if now != seen {
            seen = now;
            learn(Library::reload).await;
        }
        // Looked at rather than watched: a system's notices of changes don't reach folders on a network.
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
    }
    Ok(())
}

/// Outbox and jobs, one after the other: neither may ever hold up a conversation.
async fn worker(
    office: Arc<Office>,
    channels: Vec<Arc<dyn Channel>>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    while !*stop.borrow() {
        let mut busy = false;
        // A failure of the one is none of the other.
        for done in [outbox::deliver_due(&office, &channels).await, jobs::run_due(&office).await] {
            match done {
                Ok(count) => busy |= count > 0,
                Err(error) => {
                    tracing::error!(error = %error, "outbox or jobs failed; they are tried again");
                }
            }
        }
        if !busy {
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                _ = stop.changed() => {}
            }
        }
    }
    Ok(())
}

/// Wakes open chats when something was written that did not ring the bell of this instance.
async fn bell_ringer(office: Arc<Office>, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let mut since = office.now();
    while !*stop.borrow() {
        match office.ring_changed(since).await {
            Ok(next) => since = next,
            Err(error) => tracing::error!(error = %error, "changed conversations could not be read"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
    }
    Ok(())
}

/// Says what to open, and on the very first start how to make the first account.
async fn greet(office: &Arc<Office>) -> anyhow::Result<()> {
    let url = office.config.public_url();
    let worker = Arc::clone(office);
    let setup = office
        .db
        .write(move |tx| {
            let office = Arc::clone(&worker);
            async move { staff::setup_link(tx, &office.keys, office.now()).await }.boxed()
        })
        .await?;
    println!("Amtsbote läuft. Bürgerinnen und Bürger:  {url}/");
    println!("                Mitarbeitende:           {url}/staff");
    if let Some(token) = setup {
        println!(
            "\nNoch gibt es kein Konto. Legen Sie das erste hier an (der Link gilt einmal, 24 Stunden):"
        );
        println!("                {url}/staff/setup/{token}");
    }
    println!("\nDaten liegen in: {}", office.config.data.folder.display());
    Ok(())
}

/// Ctrl-C, or the signal of a service manager.
async fn end_signal() {
    let interrupt = async {
        // Without a handler the program ends at once all the same.
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        else {
            return interrupt.await;
        };
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}
