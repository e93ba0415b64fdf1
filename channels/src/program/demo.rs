//! `amtsbote demo`: a fresh folder full of made-up people, conversations and cases, made through the same use cases
//! that citizens and staff use, with the clock turned back; then the office starts. The content is the same every
//! time, the secrets are not. Nothing here writes a row by itself, and nothing of it is real.

mod case;
mod made_up;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use amtsbote_core::application;
use amtsbote_core::audit::Actor;
use amtsbote_core::clock::{Clock, Timestamp};
use amtsbote_core::config::Config;
use amtsbote_core::db::Tx;
use amtsbote_core::error::{Error, Result};
use amtsbote_core::id::StaffId;
use amtsbote_core::message::ChannelKind;
use amtsbote_core::office::Office;
use amtsbote_core::staff::{self, NewAccount, Role};
use amtsbote_knowledge::{Service, Trust};
use anyhow::Context;
use aws_lc_rs::hmac;
use clap::Args;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use serde::Deserialize;

use self::case::{Case, Citizen};
use super::{backup, serve};

/// What is filled, and where.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// The folder to fill; it must not hold a database.
    #[arg(long, default_value = "amtsbote-demo")]
    pub folder: PathBuf,
    /// How many cases.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=5000))]
    pub cases: u32,
    /// Address and port to listen on.
    #[arg(long)]
    pub listen: Option<String>,
    /// Only prints the logins of a filled folder, with the codes of this moment.
    #[arg(long)]
    pub codes: bool,
    /// Fills the folder and ends, without starting the office.
    #[arg(long)]
    pub no_serve: bool,
}

impl Demo {
    /// Settings that a demonstration always has; stronger than every other source.
    pub fn settings(&self) -> Vec<(String, String)> {
        let folder = self.folder.display().to_string();
        let mut pairs: Vec<(String, String)> = [
            ("data.folder", folder.as_str()),
            ("database.url", ""),
            ("server.production", "false"),
            ("office.test_marker", "true"),
            ("identity.demo", "true"),
            ("payment.provider", "demo"),
            ("mail.kind", "folder"),
            ("mail.folder", ""),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
        if let Some(listen) = &self.listen {
            pairs.push(("server.listen".to_owned(), listen.clone()));
            pairs.push(("server.public_url".to_owned(), String::new()));
        }
        pairs
    }
}

/// How many days back the first case was filed.
const DAYS: i64 = 42;

/// Days before today on which the last case is filed.
const LAST_DAYS: i64 = 3;

/// The newer half of the cases comes in during so many days.
const RECENT_DAYS: i64 = 12;

/// Cases on which something happens at the same time.
const AT_ONCE: usize = 16;

/// Runs the command.
pub async fn run(config: Config, demo: &Demo) -> anyhow::Result<ExitCode> {
    let logins = demo.folder.join("DEMO.toml");
    if demo.codes {
        let text = std::fs::read_to_string(&logins).with_context(|| {
            format!("{} fehlt; füllen Sie den Ordner zuerst mit `amtsbote demo`", logins.display())
        })?;
        print_logins(&toml::from_str::<Logins>(&text)?, &config);
        return Ok(ExitCode::SUCCESS);
    }
    if config.data.folder.join("amtsbote.db").exists() {
        let folder = config.data.folder.display();
        eprintln!(
            "In {folder} liegt schon eine Datenbank; die Demonstration füllt nur einen neuen Ordner.\n\
             Weiter mit dem alten:  amtsbote --set data.folder={folder} serve\n\
             Seine Anmeldungen:     amtsbote demo --codes --folder {folder}\n\
             Ganz neu:              amtsbote demo --folder <anderer Ordner>"
        );
        return Ok(ExitCode::from(2));
    }
    if !demo.no_serve {
        std::net::TcpListener::bind(config.server.listen).with_context(|| {
            format!("{} ist belegt; nehmen Sie --listen 127.0.0.1:8099", config.server.listen)
        })?;
    }
    backup::private_folder(&config.data.folder)?;
    let started = Clock::System.now();
    let made = fill(&config, demo.cases).await?;
    let seconds = (Clock::System.now().0 - started.0) / 1000;
    backup::private_file(&logins)?.write_all(toml::to_string(&made)?.as_bytes())?;
    println!("{} erfundene Vorgänge in {seconds} s: {}", demo.cases, made.states);
    print_logins(&made, &config);
    if demo.no_serve {
        return Ok(ExitCode::SUCCESS);
    }
    serve::run(config).await
}

/// What `DEMO.toml` keeps. A folder with this file is a demonstration.
#[derive(Debug, serde::Serialize, Deserialize)]
pub struct Logins {
    note: String,
    states: String,
    login: Vec<Login>,
}

/// One login, with its secrets.
#[derive(Debug, serde::Serialize, Deserialize)]
pub struct Login {
    name: String,
    display_name: String,
    role: String,
    password: String,
    totp_secret: String,
    #[serde(skip)]
    /// The account, while the folder is being filled.
    pub id: Option<StaffId>,
}

fn print_logins(logins: &Logins, config: &Config) {
    let (url, folder) = (config.public_url(), config.data.folder.display());
    println!("\n*** DEMONSTRATION: Alle Menschen, Vorgänge und Zahlungen sind erfunden. ***\n");
    println!("Mitarbeitende: {url}/staff");
    let now = Clock::System.now();
    for login in &logins.login {
        println!(
            "  {:<11} {:<13} Passwort {}   Code jetzt {}   (Geheimnis {})",
            login.name,
            format!("[{}]", login.role),
            login.password,
            code_at(&login.totp_secret, now),
            login.totp_secret
        );
    }
    println!("  Jeder Code gilt einmal und 30 Sekunden. Neue: amtsbote demo --codes --folder {folder}");
    println!("Bürgerinnen und Bürger: {url}/  (Anmeldung ohne Passwort: Erika, Mehmet oder Hanna wählen)\n");
}

/// The six digits that an authenticator app would show (RFC 6238, SHA-1, 30 seconds).
fn code_at(secret: &str, at: Timestamp) -> String {
    let (mut bytes, mut bits, mut buffer) = (Vec::new(), 0_u32, 0_u32);
    for letter in secret.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => continue,
        };
        buffer = (buffer << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).unwrap_or(0));
        }
    }
    let step = u64::try_from(at.0).unwrap_or(0) / 30_000;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes), &step.to_be_bytes());
    let tag = tag.as_ref();
    let start = usize::from(tag[tag.len() - 1] & 0x0f);
    let number = tag[start..start + 4].iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// Fills the folder.
pub async fn fill(config: &Config, cases: u32) -> anyhow::Result<Logins> {
    let now = Clock::System.now();
    let day = 24 * 3600 * 1000;
    let first = Timestamp(now.0 - DAYS * day);
    let clock = Clock::manual(first);
    let office = Office::open(config.clone(), clock.clone()).await?;
    // The made-up people talk, so they have to be understood from the first sentence on.
    office.library.train_missing()?;
    let logins = accounts(&office).await?;
    let desk = Desk {
        clerk: logins[1].id.clone().context("kein Konto")?,
        approver: logins[2].id.clone().context("kein Konto")?,
        // Many cases share a working day; each turn takes less of it then.
        turn: Duration::from_millis(20_000 / (1 + u64::from(cases) / 400)),
    };
    let services: Vec<Arc<Service>> =
        office.catalogue().iter().filter(|service| service.is_online()).cloned().collect();
    let mut files: Vec<Case> =
        (0..cases).map(|index| Case::planned(index, cases, &services, first)).collect();
    for today in (0..=DAYS).step_by(2) {
        // Seven o'clock in UTC is eight or nine in Paderborn. The last day ends before this moment.
        let morning = (first.0 / day + today) * day + 7 * 3_600_000;
        let morning = morning.min(now.0 - 3 * 3_600_000);
        let wait = u64::try_from(morning - clock.now().0).unwrap_or(0);
        clock.advance(Duration::from_millis(wait));
        let due: Vec<&mut Case> = files.iter_mut().filter(|case| case.is_due(today)).collect();
        futures::stream::iter(due)
            .map(|case| async { case.step(&office, &desk, today).await.with_context(|| case.about()) })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
    }
    talks(&office, &desk).await?;
    let mut tx = office.db.read().await?;
    let counts = application::counts(&mut tx).await?;
    let mut states = String::new();
    for (state, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let _ = write!(states, "{}{} {count}", if states.is_empty() { "" } else { ", " }, state.as_str());
    }
    drop(tx);
    office.db.clone().close().await;
    let note =
        "DEMONSTRATION: alles in diesem Ordner ist erfunden. Nie im echten Betrieb verwenden.".to_owned();
    Ok(Logins { note, states, login: logins })
}

/// Who works in the demonstration.
struct Desk {
    clerk: StaffId,
    approver: StaffId,
    turn: Duration,
}

/// A transaction whose work only needs the office and what it takes along.
async fn write<T, A>(
    office: &Arc<Office>,
    args: A,
    work: for<'a> fn(&'a mut Tx, &'a Office, &'a A) -> BoxFuture<'a, Result<T>>,
) -> Result<T>
where
    T: Send + 'static,
    A: Send + Sync + 'static,
{
    let shared = Arc::new((Arc::clone(office), args));
    office
        .db
        .write(move |tx| {
            let shared = Arc::clone(&shared);
            async move { work(tx, &shared.0, &shared.1).await }.boxed()
        })
        .await
}

/// Administration first (with the link of the first start), then a clerk and an approver by invitation.
pub async fn accounts(office: &Arc<Office>) -> anyhow::Result<Vec<Login>> {
    const PEOPLE: [(&str, &str, Role, &str); 3] = [
        ("leitung", "Petra Verwaltung (Demo)", Role::Admin, "Verwaltung"),
        ("bearbeitung", "Jonas Sachbearbeiter (Demo)", Role::Clerk, "Bearbeitung"),
        ("freigabe", "Sevgi Freigabe (Demo)", Role::Approver, "Freigabe"),
    ];
    let mut logins: Vec<Login> = Vec::new();
    for (name, display_name, role, word) in PEOPLE {
        let clock = &office.keys.clock;
        let password = (0..4).map(|_| clock.code(4)).collect::<Vec<_>>().join("-");
        let salt = clock.random::<16>();
        let (hashed, typed) = (name.to_owned(), password.clone());
        let hash =
            tokio::task::spawn_blocking(move || staff::hash_password(&hashed, &typed, &salt)).await??;
        let admin = logins.first().and_then(|login| login.id.clone());
        let args = (name, display_name, role, hash, admin);
        let (id, totp_secret) = write(office, args, |tx, office, args| {
            async move {
                let (name, display_name, role, hash, admin) = args;
                let (keys, now) = (&office.keys, office.now());
                let token = match admin {
                    Some(admin) => staff::invite(tx, keys, &[*role], admin, now).await?,
                    None => staff::setup_link(tx, keys, now).await?.ok_or(Error::NotFound("setup link"))?,
                };
                let totp = staff::begin_totp(tx, keys, &token, None, ("Amtsbote Demo", name), now).await?;
                let account = NewAccount {
                    name: (*name).to_owned(),
                    display_name: (*display_name).to_owned(),
                    password: hash.clone(),
                    nonce: totp.nonce,
                    code: code_at(&totp.secret, now),
                };
                let id = staff::accept(tx, keys, &token, &account, now).await?;
                Ok((id, totp.secret))
            }
            .boxed()
        })
        .await?;
        logins.push(Login {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            role: word.to_owned(),
            password,
            totp_secret,
            id: Some(id),
        });
    }
    // The first account has every role; here each has its own.
    let admin = logins[0].id.clone().context("kein Konto")?;
    write(office, admin, |tx, office, admin| {
        async move {
            let version = staff::load(tx, admin).await?.map_or(1, |member| member.version);
            let actor = Actor::Staff(admin.clone());
            staff::set_roles(tx, admin, &[Role::Admin], version, &actor, office.now()).await
        }
        .boxed()
    })
    .await?;
    Ok(logins)
}

/// Conversations without a case: waiting for people, with people, parked, and a report of a barrier.
async fn talks(office: &Arc<Office>, desk: &Desk) -> anyhow::Result<()> {
    const WAITING: [&[&str]; 4] = [
        &["Ich habe einen Brief vom Amt bekommen und verstehe ihn nicht.", "Mensch"],
        &["Meine Mutter ist umgezogen und kann nicht selbst kommen, was brauche ich?", "Mensch"],
        &["Hallo", "Ich komme mit dem Formular nicht weiter", "Mensch"],
        &["Was kostet der Umtausch vom Führerschein?", "Mensch"],
    ];
    for (place, words) in WAITING.iter().enumerate() {
        let id = office.open_conversation(ChannelKind::Web, "de").await?;
        let (person, trust) = (None, Trust::T0);
        let mut citizen = Citizen { office, id, person, trust, turns: 0, index: 0 };
        for text in *words {
            office.keys.clock.advance(Duration::from_mins(2));
            citizen.says(text).await?;
        }
        if place == WAITING.len() - 1 {
            office.take_chat(&citizen.id, &desk.clerk).await?;
            let text = "Guten Tag! Ich sehe Ihre Frage und schaue gleich nach. (Demonstration)";
            office.staff_says(&citizen.id, &desk.clerk, "demo-staff", text).await?;
            citizen.says("Danke, ich warte.").await?;
        }
    }
    let id = office.open_conversation(ChannelKind::Web, "de").await?;
    let mut citizen = Citizen { office, id, person: None, trust: Trust::T0, turns: 0, index: 0 };
    for text in
        ["Jemand hat Altreifen am Feldweg abgeladen", "start", "Feldweg hinter dem Beispielhof", "Pause"]
    {
        citizen.says(text).await?;
    }
    let barrier = "Auf dem Handy ist der Knopf zum Hochladen schlecht zu treffen. (Demonstration)";
    office.leave_message("de", "demo-barrier", barrier).await?;
    Ok(())
}

/// Whether a data folder was filled by this command.
pub fn is_demo(folder: &Path) -> bool {
    folder.join("DEMO.toml").exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use amtsbote_core::application::State;

    #[test]
    fn codes_follow_the_test_vectors_of_rfc_6238() {
        // Appendix B, SHA-1, the secret "12345678901234567890"; the last six of eight digits.
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code_at(secret, Timestamp(seconds * 1000)), code);
        }
    }

    #[tokio::test]
    async fn a_few_cases_are_filled_through_the_use_cases() {
        let folder = tempfile::tempdir().expect("folder");
        let pairs = [("data.folder".to_owned(), folder.path().display().to_string())];
        let config = Config::load(None, std::iter::empty(), &pairs).expect("settings");
        let made = fill(&config, 12).await.expect("fills");
        assert_eq!(made.login.len(), 3);
        assert!(made.states.contains(State::Closed.as_str()), "{}", made.states);
    }
}
