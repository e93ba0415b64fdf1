//! Roles × routes: the table that the router is built from, tried with every role. A new route is in this test
//! without a line of it being written.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use amtsbote_channels::web::{Access, Web, route_table};
use amtsbote_core::clock::Clock;
use amtsbote_core::config::Config;
use amtsbote_core::id::{PersonId, StaffId};
use amtsbote_core::message::ChannelKind;
use amtsbote_core::office::Office;
use amtsbote_core::person::{self, Profile};
use amtsbote_core::session::{self, Holder};
use amtsbote_knowledge::Trust;
use futures::FutureExt;
use reqwest::StatusCode;
use reqwest::redirect::Policy;

/// A running web with one cookie for each role.
struct World {
    address: SocketAddr,
    cookies: Vec<(&'static str, String)>,
    _folder: tempfile::TempDir,
    _stop: tokio::sync::watch::Sender<bool>,
}

async fn world() -> World {
    let folder = tempfile::tempdir().expect("folder");
    let settings = [
        ("data.folder", folder.path().display().to_string()),
        ("limits.requests_per_minute", "1000000".to_owned()),
    ];
    let settings: Vec<(String, String)> =
        settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let config = Config::load(None, std::iter::empty(), &settings).expect("settings");
    let office = Office::open(config, Clock::System).await.expect("opens");
    let mut cookies = vec![("nobody", String::new())];
    let conversation = office.open_conversation(ChannelKind::Web, "de").await.expect("opens");
    let citizen = Holder::Citizen { conversation: Some(conversation), person: None, trust: Trust::T0 };
    cookies.push(("citizen", format!("amtsbote={}", token(&office, citizen).await)));
    for (role, subject) in [("person", "erika"), ("other person", "mehmet")] {
        let person = log_in(&office, subject).await;
        let conversation = office.link_login(None, &person, Trust::T2, "de").await.expect("links");
        let holder =
            Holder::Citizen { conversation: Some(conversation), person: Some(person), trust: Trust::T2 };
        cookies.push((role, format!("amtsbote={}", token(&office, holder).await)));
    }
    for role in ["clerk", "approver", "admin"] {
        let id = staff_row(&office, role).await;
        cookies.push((role, format!("amtsbote-staff={}", token(&office, Holder::Staff(id)).await)));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("address");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let web = Web::new(office, None, stopped);
    serve(web, listener);
    World { address, cookies, _folder: folder, _stop: stop }
}

#[expect(clippy::disallowed_methods, reason = "the server ends with the test")]
fn serve(web: Web, listener: tokio::net::TcpListener) {
    tokio::spawn(async move { web.serve(listener).await });
}

async fn token(office: &Arc<Office>, holder: Holder) -> String {
    let worker = Arc::clone(office);
    let created = office.db.write(move |tx| {
        let (office, holder) = (Arc::clone(&worker), holder.clone());
        async move { session::create(tx, &office.keys, &holder, Duration::from_hours(1), office.now()).await }
            .boxed()
    });
    created.await.expect("session").0
}

async fn log_in(office: &Arc<Office>, subject: &'static str) -> PersonId {
    let worker = Arc::clone(office);
    let logged_in = office.db.write(move |tx| {
        let office = Arc::clone(&worker);
        async move {
            person::login(tx, &office.keys, "demo", subject, &Profile::default(), office.now()).await
        }
        .boxed()
    });
    logged_in.await.expect("person")
}

/// An account without a usable password: the test holds its session.
async fn staff_row(office: &Arc<Office>, role: &'static str) -> StaffId {
    let id: StaffId = office.keys.clock.id();
    let row = id.clone();
    let inserted = office.db.write(move |tx| {
        let id = row.clone();
        async move {
            sqlx::query(
                "insert into staff (id, name, display_name, password_hash, totp_sealed, totp_last_step, key_wrapped, \
                 roles, failed, active, created_at, version) values ($1, $2, $2, '', $3, 0, $3, $2, 0, 1, 0, 1)",
            )
            .bind(id.as_str())
            .bind(role)
            .bind(vec![0_u8])
            .execute(&mut *tx)
            .await?;
            Ok(())
        }
        .boxed()
    });
    inserted.await.expect("staff");
    id
}

/// What the table says about a role, whatever the handler makes of the request.
fn may_enter(access: Access, role: &str) -> bool {
    match access {
        Access::Public => true,
        Access::Person => matches!(role, "person" | "other person"),
        Access::Staff => matches!(role, "clerk" | "approver" | "admin"),
        Access::Desk => matches!(role, "clerk" | "approver"),
        Access::Admin => role == "admin",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_gets_exactly_what_the_table_says() {
    let world = world().await;
    let client = reqwest::Client::builder().redirect(Policy::none()).build().expect("client");
    let mut tried = 0;
    for route in route_table() {
        if route.path == "/chat/stream" {
            continue; // never ends; its right is the conversation of the session, tested in the browser
        }
        let path = route
            .path
            .replace("{*path}", "app.css")
            .replace("{number}", "ABCD2345")
            .replace("{payment}", "01JBADBADBADBADBADBADBADBA")
            .replace("{paper}", "01JBADBADBADBADBADBADBADBA?until=1&sig=x")
            .replace("{reference}", "NOSUCHREFERENCE")
            .replace("{token}", "00")
            .replace("{id}", "01JBADBADBADBADBADBADBADBA");
        for method in route.methods {
            for (role, cookie) in &world.cookies {
                let url = format!("http://{}{path}", world.address);
                let request = match *method {
                    "GET" => client.get(&url),
                    _ => client.post(&url).form(&[("csrf", "wrong")]),
                };
                let response = request.header("cookie", cookie).send().await.expect("answers");
                let status = response.status();
                let to = response
                    .headers()
                    .get("location")
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default()
                    .to_owned();
                let what = format!("{method} {} as {role}: {status} {to}", route.path);
                assert!(!status.is_server_error() || path.starts_with("/metrics"), "{what}");
                let to_login = to.starts_with("/login?") || to.starts_with("/staff/login?");
                if !may_enter(route.access, role) {
                    assert!(to_login || status == StatusCode::FORBIDDEN, "{what}: must not enter");
                } else if route.access != Access::Public {
                    assert!(!to_login, "{what}: must be let in");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "only {tried} combinations");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_table_does_not_exist() {
    let world = world().await;
    for path in [
        "/admin",
        "/static/templates/base.html",
        "/static/../Cargo.toml",
        "/staff/../portal",
        "/.env",
        "/chat/1",
    ] {
        let status = reqwest::get(format!("http://{}{path}", world.address)).await.expect("answers").status();
        assert!(matches!(status.as_u16(), 404 | 405 | 200), "{path}: {status}");
        assert!(status != StatusCode::OK || path == "/staff/../portal", "{path}: {status}");
    }
}
