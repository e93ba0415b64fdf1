//! The web: chat, portal, payment pages and the staff desk, rendered on the server. Everything works without a
//! script; with one, replies arrive live. A handler takes the request, calls one use case of `Office` and shows a page.

mod answer;
mod assets;
mod chat;
mod home;
mod login;
mod oidc;
mod pay;
mod portal;
mod routes;
mod server;
mod show;
mod staff;
mod stream;
mod upload;
mod views;
mod visitor;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use amtsbote_core::office::Office;
use axum::Router;
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;

pub use routes::{Access, RouteInfo, route_table};

type Limiter = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock>;

/// What every handler can reach.
#[derive(Clone)]
pub struct Web {
    /// The office.
    pub office: Arc<Office>,
    limiter: Arc<Limiter>,
    /// Opening a conversation writes without a posted form: counted by itself.
    openings: Arc<Limiter>,
    streams: Arc<Semaphore>,
    metrics: Option<PrometheusHandle>,
    oidc: Arc<oidc::Oidc>,
    /// Ends with the program, so that open streams do not hold it up.
    stop: tokio::sync::watch::Receiver<bool>,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web")
    }
}

impl Web {
    /// The web of an office. `stop` turns true when the program is to end.
    pub fn new(
        office: Arc<Office>,
        metrics: Option<PrometheusHandle>,
        stop: tokio::sync::watch::Receiver<bool>,
    ) -> Self {
        let per_minute = NonZeroU32::new(office.config.limits.requests_per_minute).unwrap_or(NonZeroU32::MIN);
        let streams = office.config.limits.open_streams.min(Semaphore::MAX_PERMITS);
        Self {
            limiter: Arc::new(RateLimiter::keyed(Quota::per_minute(per_minute))),
            openings: Arc::new(RateLimiter::keyed(Quota::per_minute(per_minute))),
            streams: Arc::new(Semaphore::new(streams)),
            oidc: Arc::new(oidc::Oidc::default()),
            metrics,
            stop,
            office,
        }
    }

    /// Everything that answers under this address.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// Only the metrics, for an address of their own.
    pub fn metrics_router(&self) -> Router {
        let metrics =
            axum::routing::get(|axum::extract::State(web): axum::extract::State<Self>| async move {
                home::metrics_text(&web).await
            });
        Router::new().route("/metrics", metrics).with_state(self.clone())
    }

    /// Serves until `stop` turns true; running requests get the configured time to end.
    pub async fn serve(&self, listener: tokio::net::TcpListener) -> std::io::Result<()> {
        server::serve(self.router(), listener, self.stop.clone()).await;
        Ok(())
    }
}
