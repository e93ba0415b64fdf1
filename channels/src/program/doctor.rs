//! `amtsbote doctor`: looks at an installation and says of each thing whether it is well, why not, and what to do
//! next. It changes nothing but to write and delete a test file; an office that runs is not disturbed.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use amtsbote_core::application::{self, Filter};
use amtsbote_core::clock::{Clock, Timestamp};
use amtsbote_core::config::{Config, MailKind, PaymentProvider};
use amtsbote_core::db::{DatabaseKind, Db, Tx};
use amtsbote_core::error::Error;
use amtsbote_core::files::Files;
use amtsbote_core::id::DocumentId;
use amtsbote_core::seal::{Keys, MasterKey};
use amtsbote_core::staff::{self, Role, Staff};
use amtsbote_core::texts::Texts;
use amtsbote_core::{audit, conversation, document, jobs, outbox, payment};
use amtsbote_knowledge::{Catalogue, Service, Severity, Sources, check_sources};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::bench::client::Client;
use super::{backup, demo};

/// Free space below which it is time to act, in megabytes.
const LITTLE_SPACE_MB: u64 = 2_000;

/// Free space with which the office can't go on for long, in megabytes.
const NO_SPACE_MB: u64 = 200;

/// How many documents are read to the last byte.
const SAMPLE: usize = 20;

/// A backup older than this is a hint, and a failure in real operation after [`BACKUP_FAIL_DAYS`].
const BACKUP_WARN_DAYS: i64 = 2;

/// See [`BACKUP_WARN_DAYS`].
const BACKUP_FAIL_DAYS: i64 = 14;

const DAY_MS: i64 = 24 * 3_600_000;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    /// Well.
    Ok,
    /// The office works, but somebody should look at it.
    Warn,
    /// The office does not work, or must not go on like this.
    Fail,
}

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
struct Finding {
    check: &'static str,
    state: Health,
    why: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    mend: String,
}

/// All that was found.
#[derive(Debug, Default)]
struct Report(Vec<Finding>);

impl Report {
    fn ok(&mut self, check: &'static str, why: impl Into<String>) {
        self.0.push(Finding { check, state: Health::Ok, why: why.into(), mend: String::new() });
    }

    fn warn(&mut self, check: &'static str, why: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Finding { check, state: Health::Warn, why: why.into(), mend: mend.into() });
    }

    fn fail(&mut self, check: &'static str, why: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Finding { check, state: Health::Fail, why: why.into(), mend: mend.into() });
    }

    fn count(&self, state: Health) -> usize {
        self.0.iter().filter(|finding| finding.state == state).count()
    }

    fn print(&self, json: bool) -> anyhow::Result<ExitCode> {
        let (ok, warn, fail) = (self.count(Health::Ok), self.count(Health::Warn), self.count(Health::Fail));
        if json {
            let all = serde_json::json!({ "ok": ok, "warn": warn, "fail": fail, "findings": self.0 });
            println!("{}", serde_json::to_string_pretty(&all)?);
        } else {
            for finding in &self.0 {
                let word = match finding.state {
                    Health::Ok => "gut    ",
                    Health::Warn => "HINWEIS",
                    Health::Fail => "FEHLER ",
                };
                println!("{word}  {}: {}", finding.check, finding.why);
                if !finding.mend.is_empty() {
                    println!("         → {}", finding.mend);
                }
            }
            println!("\n{ok} gut, {warn} Hinweise, {fail} Fehler.");
        }
        Ok(if fail == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// The report about settings that can't be read: nothing else can be looked at.
pub fn broken_settings(error: &Error, json: bool) -> anyhow::Result<()> {
    let mut report = Report::default();
    let mend =
        "Verbessern Sie die genannten Zeilen; `amtsbote config` zeigt danach jede Einstellung mit Herkunft.";
    report.fail("Einstellungen", error.to_string(), mend);
    report.print(json).map(|_| ())
}

/// Runs the command.
pub async fn run(config: &Config, json: bool) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let now = clock.now();
    let mut report = Report::default();
    let changed = config.explain().iter().filter(|setting| setting.source != "default").count();
    report.ok("Einstellungen", format!("lesbar; {changed} weichen von der Vorgabe ab (`amtsbote config`)"));
    time(&mut report, config, now);
    let has_folder = folder(&mut report, config);
    space(&mut report, config);
    open_files(&mut report, config);
    let master = master_key(&mut report, config, &clock);
    let catalogue = services(&mut report, config, now.date());
    let running = port(&mut report, config).await;
    operation(&mut report, config);
    mail(&mut report, config).await;
    last_backup(&mut report, config, now);
    let files = if has_folder { store(&mut report, config).await } else { None };
    match database(&mut report, config).await {
        Some(db) => {
            let keys = master.map(|master| Keys { master, clock });
            let looked =
                inside(&mut report, &db, files.as_ref(), keys.as_ref(), &catalogue, running, now).await;
            if let Err(error) = looked {
                let mend = "Prüfen Sie Platte und Rechte; hilft das nicht: amtsbote backup restore …";
                report.fail("Datenbank", format!("Eine Abfrage ist gescheitert: {error}"), mend);
            }
            db.close().await;
        }
        None => report.warn("Inhalt", "Ohne Datenbank gibt es nichts weiter zu prüfen.", "amtsbote serve"),
    }
    report.print(json)
}

fn time(report: &mut Report, config: &Config, now: Timestamp) {
    let date = now.date();
    let newest = std::fs::metadata(config.data.folder.join("amtsbote.db"))
        .and_then(|data| data.modified())
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    let mend = "Schalten Sie die Zeitsynchronisation ein: timedatectl set-ntp true";
    if !(2026..2060).contains(&date.year()) || newest > now.0 + DAY_MS {
        report.fail(
            "Uhr",
            format!("Die Uhr zeigt {}; das kann nicht stimmen.", now.german_date_time()),
            mend,
        );
    } else if TimeZone::get("Europe/Berlin").is_err() {
        let mend = "Installieren Sie die Zeitzonen (Paket tzdata).";
        report.fail("Uhr", "Die Zeitzone Europe/Berlin fehlt; Fristen würden falsch.", mend);
    } else {
        report.ok("Uhr", format!("{} in Paderborn", now.german_date_time()));
    }
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> bool {
    false
}

/// Whether the folder is there.
fn folder(report: &mut Report, config: &Config) -> bool {
    let folder = &config.data.folder;
    let shown = folder.display();
    if !folder.is_dir() {
        report.fail(
            "Datenordner",
            format!("{shown} gibt es nicht."),
            "Der erste Start legt ihn an (amtsbote serve); liegt er anderswo: --set data.folder=…",
        );
        return false;
    }
    if let Err(error) = tempfile::tempfile_in(folder) {
        let mend = format!("Geben Sie ihn dem Benutzer des Programms: chown -R amtsbote {shown}");
        report.fail("Datenordner", format!("In {shown} kann nicht geschrieben werden: {error}"), mend);
    } else if open_to_others(folder) {
        let mend = format!("chmod 700 {shown}");
        report.warn("Datenordner", format!("Andere Benutzer dieser Maschine können {shown} öffnen."), mend);
    } else {
        report.ok("Datenordner", format!("{shown} ist beschreibbar und nur für seinen Eigentümer"));
    }
    if demo::is_demo(folder) {
        let why = "Der Ordner ist mit erfundenen Vorgängen gefüllt (DEMO.toml).";
        let mend = "Nehmen Sie für echten Betrieb einen neuen Ordner: --set data.folder=…";
        if config.server.production {
            report.fail("Demonstration", why, mend);
        } else {
            report.warn("Demonstration", why, mend);
        }
    }
    true
}

/// Asks `df`, which is on every machine that can run this: the standard library does not know free space.
fn space(report: &mut Report, config: &Config) {
    let mut place = config.data.folder.as_path();
    while !place.exists() {
        place = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    }
    let answer = std::process::Command::new("df").arg("-Pk").arg(place).output();
    let free = answer.ok().and_then(|answer| {
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let kilobytes: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
        Some(kilobytes / 1000)
    });
    let mend = "Schaffen Sie Platz oder legen Sie den Datenordner auf eine größere Platte.";
    match free {
        None => report.warn("Speicherplatz", "`df` gab keine Antwort.", format!("df -h {}", place.display())),
        Some(free) if free < NO_SPACE_MB => {
            report.fail("Speicherplatz", format!("Nur noch {free} MB frei."), mend);
        }
        Some(free) if free < LITTLE_SPACE_MB => {
            report.warn("Speicherplatz", format!("Noch {free} MB frei."), mend);
        }
        Some(free) => report.ok("Speicherplatz", format!("{} GB frei", free / 1000)),
    }
    let wal = std::fs::metadata(config.data.folder.join("amtsbote.db-wal")).map_or(0, |data| data.len());
    if wal > 256_000_000 {
        report.warn(
            "Schreibprotokoll",
            format!("amtsbote.db-wal hat {} MB und wird nicht kleiner.", wal / 1_000_000),
            "Beenden Sie andere Programme, die die Datenbank offen halten, und starten Sie neu.",
        );
    }
}

/// The soft limit of open files of this process; a service manager may set another for the office.
pub fn open_files_limit() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

fn open_files(report: &mut Report, config: &Config) {
    let Some(limit) = open_files_limit() else { return };
    let wanted = config.limits.open_streams as u64 + 500;
    if limit < wanted {
        report.warn(
            "Offene Dateien",
            format!(
                "Erlaubt sind {limit}, für {} Chatfenster braucht es {wanted}.",
                config.limits.open_streams
            ),
            format!(
                "LimitNOFILE={wanted} in der systemd-Unit, oder kleiner: --set limits.open_streams={}",
                limit / 2
            ),
        );
    } else {
        report.ok("Offene Dateien", format!("{limit} erlaubt"));
    }
}

fn master_key(report: &mut Report, config: &Config, clock: &Clock) -> Option<MasterKey> {
    let path = config.master_key_file();
    let shown = path.display();
    if !path.exists() {
        if config.data.folder.join("amtsbote.db").exists() {
            let mend = "Legen Sie master.key aus der Sicherung zurück. Starten Sie vorher NICHT: es entstünde ein neuer.";
            report.fail("Hauptschlüssel", format!("{shown} fehlt, aber es gibt Daten."), mend);
        } else {
            report.warn(
                "Hauptschlüssel",
                "Es gibt noch keinen.",
                "Der erste Start legt ihn an: amtsbote serve",
            );
        }
        return None;
    }
    match MasterKey::load_or_create(&path, clock) {
        Ok(master) => {
            if open_to_others(&path) {
                report.warn(
                    "Hauptschlüssel",
                    format!("Andere können {shown} lesen."),
                    format!("chmod 600 {shown}"),
                );
            } else {
                report.ok("Hauptschlüssel", "vorhanden und nur für seinen Eigentümer lesbar");
            }
            Some(master)
        }
        Err(error) => {
            report.fail(
                "Hauptschlüssel",
                error.to_string(),
                "Legen Sie die richtige Datei aus der Sicherung zurück.",
            );
            None
        }
    }
}

fn services(report: &mut Report, config: &Config, today: Date) -> Vec<Arc<Service>> {
    let mut sources = Sources::embedded();
    let folder = &config.catalogue.folder;
    if !folder.as_os_str().is_empty()
        && let Err(findings) = sources.add_services(folder)
    {
        let mend = format!("amtsbote check {}", folder.display());
        report.fail("Leistungen", format!("{} Fehler in {}", findings.len(), folder.display()), mend);
        return Vec::new();
    }
    let findings = check_sources(&sources, today);
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let hints = findings.len() - errors;
    let all = sources.services.len();
    let mend = "amtsbote check nennt Datei, Zeile und Abhilfe";
    if errors > 0 {
        report.fail("Leistungen", format!("{all} Leistungen mit {errors} Fehlern"), mend);
    } else if hints > 0 {
        report.warn("Leistungen", format!("{all} Leistungen ohne Fehler, {hints} Hinweise"), mend);
    } else {
        report.ok("Leistungen", format!("{all} Leistungen ohne Fehler"));
    }
    match Texts::embedded().map(|texts| texts.gaps()) {
        Ok(gaps) if gaps.is_empty() => report.ok("Texte", "in allen Sprachen vollständig"),
        Ok(gaps) => {
            report.fail("Texte", format!("{} Lücken, die erste: {}", gaps.len(), gaps[0]), "amtsbote check");
        }
        Err(error) => report.fail("Texte", error.to_string(), "amtsbote check"),
    }
    let Ok(catalogue) = Catalogue::from_sources(&sources) else { return Vec::new() };
    let old = |checked: &str| {
        checked.parse::<Date>().is_ok_and(|date| (today - date).get_days() > 183 || date > today)
    };
    let facts: usize = catalogue
        .iter()
        .map(|service| service.facts.iter().filter(|fact| old(&fact.checked_on)).count())
        .sum();
    let units = catalogue.units().filter(|unit| old(&unit.checked_on)).count();
    if facts + units > 0 {
        let why = format!("{facts} Angaben und {units} Ämter wurden seit über 6 Monaten nicht geprüft.");
        report.warn("Alter der Angaben", why, "Prüfen Sie sie und setzen Sie checked_on neu.");
    } else {
        report.ok("Alter der Angaben", "alle in den letzten 6 Monaten geprüft");
    }
    catalogue.iter().cloned().collect()
}

/// Whether an office of ours answers at the address.
async fn port(report: &mut Report, config: &Config) -> bool {
    let address = config.server.listen;
    let mend = format!(
        "Wer dort lauscht, zeigt: ss -ltnp 'sport = :{}'. Sonst: --set server.listen=…",
        address.port()
    );
    if std::net::TcpListener::bind(address).is_ok() {
        report.ok("Anschluss", format!("{address} ist frei (das Amt läuft gerade nicht)"));
        return false;
    }
    let mut local = address;
    if local.ip().is_unspecified() {
        local.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let asked = async { Client::connect(local).await?.get("/healthz").await };
    match tokio::time::timeout(Duration::from_secs(3), asked).await {
        Ok(Ok(answer)) if answer.status == 200 && answer.body.trim() == "ok" => {
            // Somebody has the database open, too: else it is the office of another folder.
            let own = !config.database.url.is_empty() || config.data.folder.join("amtsbote.db-wal").exists();
            if own {
                report.ok("Anschluss", format!("{address}: das Amt läuft und antwortet"));
            } else {
                let why = format!("{address} gehört dem Amt eines anderen Datenordners.");
                report.warn(
                    "Anschluss",
                    why,
                    "Anderer Ordner gemeint? --set data.folder=…; sonst --set server.listen=…",
                );
            }
            own
        }
        _ => {
            report.fail("Anschluss", format!("{address} ist von einem anderen Programm belegt."), mend);
            false
        }
    }
}

fn operation(report: &mut Report, config: &Config) {
    if !config.server.production {
        let why = "Probebetrieb: Demo-Anmeldung und Demo-Bank sind erlaubt.";
        report.warn(
            "Betriebsart",
            why,
            "Für echten Betrieb: server.production = true und eine https-Adresse",
        );
        return;
    }
    let mut left = String::new();
    if config.office.test_marker {
        left.push_str("Seiten und Schreiben sind als Test gekennzeichnet (office.test_marker). ");
    }
    if config.identity.oidc_issuer.is_empty() {
        left.push_str("Es gibt keine Anmeldung für Bürgerinnen und Bürger (identity.oidc_issuer). ");
    }
    if config.payment.provider == PaymentProvider::Off {
        left.push_str("Gebühren können nicht online bezahlt werden (payment.provider). ");
    }
    if config.server.listen.ip().is_loopback() && !config.server.trusted_proxy {
        left.push_str(
            "Vor dem Amt steht offenbar ein Proxy, dem es nicht glaubt: Alle teilen sich ein Limit \
             (server.trusted_proxy). ",
        );
    }
    if left.is_empty() {
        report.ok("Betriebsart", format!("echter Betrieb unter {}", config.public_url()));
    } else {
        report.warn("Betriebsart", left.trim(), "amtsbote config erklärt jede dieser Einstellungen");
    }
    let exposed = config.server.metrics_listen.filter(|address| !address.ip().is_loopback());
    if let Some(address) = exposed {
        let why = format!("/metrics ist unter {address} ohne Anmeldung erreichbar.");
        report.warn("Messwerte", why, "Geben Sie eine Adresse, die nur die Überwachung erreicht.");
    }
}

async fn mail(report: &mut Report, config: &Config) {
    let mend = "mail.kind = \"smtp\" und mail.smtp_url setzen";
    match config.mail.kind {
        MailKind::Off => report.warn("E-Mail", "Es geht keine E-Mail hinaus.", mend),
        MailKind::Folder if config.server.production => {
            report.warn("E-Mail", "E-Mail wird nur in einen Ordner geschrieben.", mend);
        }
        MailKind::Folder => {
            report.ok("E-Mail", format!("wird in {} geschrieben", config.mail_folder().display()));
        }
        MailKind::Smtp => {
            if let Err(error) = crate::mail::Mail::open(config) {
                report.fail("E-Mail", error.to_string(), mend);
                return;
            }
            // Only host and port: the address holds a password.
            let place = config.mail.smtp_url.expose().rsplit('@').next().unwrap_or_default();
            let place = place.rsplit("//").next().unwrap_or_default().trim_end_matches('/').to_owned();
            let place = if place.contains(':') { place } else { format!("{place}:465") };
            let reached = tokio::net::TcpStream::connect(place.clone());
            match tokio::time::timeout(Duration::from_secs(5), reached).await {
                Ok(Ok(_)) => report.ok("E-Mail", format!("{place} ist erreichbar")),
                _ => report.fail(
                    "E-Mail",
                    format!("{place} antwortet nicht."),
                    "Prüfen Sie Name, Firewall und mail.smtp_url",
                ),
            }
        }
    }
}

fn last_backup(report: &mut Report, config: &Config, now: Timestamp) {
    let mend =
        "amtsbote backup create /sicherer/ort/amtsbote-JJJJ-MM-TT.zip (täglich, auf eine andere Maschine)";
    let marker = std::fs::read(backup::marker_file(config))
        .ok()
        .and_then(|text| serde_json::from_slice::<backup::Marker>(&text).ok());
    let Some(marker) = marker else {
        report.warn("Sicherung", "Es gibt noch keine.", mend);
        return;
    };
    let days = (now.0 - marker.made_at.0) / DAY_MS;
    let when = marker.made_at.german_date_time();
    if days >= BACKUP_FAIL_DAYS && config.server.production {
        report.fail("Sicherung", format!("Die letzte ist vom {when}, vor {days} Tagen."), mend);
    } else if days >= BACKUP_WARN_DAYS {
        report.warn("Sicherung", format!("Die letzte ist vom {when}, vor {days} Tagen."), mend);
    } else if Path::new(&marker.archive).exists() {
        report.ok(
            "Sicherung",
            format!("{when}, zurückgelesen, {} Dokumente: {}", marker.documents, marker.archive),
        );
    } else {
        report.ok("Sicherung", format!("{when}; das Archiv liegt nicht mehr unter {}", marker.archive));
    }
}

async fn store(report: &mut Report, config: &Config) -> Option<Files> {
    let mend = "Prüfen Sie Rechte und Platz des Ordners files im Datenordner.";
    let files = match Files::local(&config.files_folder()) {
        Ok(files) => files,
        Err(error) => {
            report.fail("Dateiablage", error.to_string(), mend);
            return None;
        }
    };
    match files.check_writable().await {
        Ok(()) => report.ok("Dateiablage", "eine Probedatei wurde geschrieben und gelöscht"),
        Err(error) => report.fail("Dateiablage", error.to_string(), mend),
    }
    Some(files)
}

async fn database(report: &mut Report, config: &Config) -> Option<Db> {
    let own = config.database.url.is_empty();
    if own && !config.data.folder.join("amtsbote.db").exists() {
        report.warn("Datenbank", "Es gibt noch keine.", "Der erste Start legt sie an: amtsbote serve");
        return None;
    }
    let db = match Db::open(&config.database_url()).await {
        Ok(db) => db,
        Err(error) => {
            let mend =
                "Läuft der Server, stimmt database.url? Ist die Datei beschädigt: amtsbote backup restore …";
            report.fail("Datenbank", error.to_string(), mend);
            return None;
        }
    };
    let kind = match db.kind() {
        DatabaseKind::Sqlite => "SQLite, eingebaut",
        DatabaseKind::Postgres => "PostgreSQL",
    };
    report.ok("Datenbank", format!("{kind}: erreichbar, Schema auf dem neuesten Stand"));
    match db.integrity().await {
        Ok(problems) if problems.is_empty() => {
            report.ok("Unversehrtheit", "die Datenbank findet keinen Schaden");
        }
        Ok(problems) => report.fail(
            "Unversehrtheit",
            format!("{} Schäden, der erste: {}", problems.len(), problems[0]),
            "Anhalten und die letzte gute Sicherung zurückholen: amtsbote backup restore …",
        ),
        Err(error) => report.fail("Unversehrtheit", error.to_string(), "amtsbote backup restore …"),
    }
    Some(db)
}

/// All that stands in the database.
async fn inside(
    report: &mut Report,
    db: &Db,
    files: Option<&Files>,
    keys: Option<&Keys>,
    services: &[Arc<Service>],
    running: bool,
    now: Timestamp,
) -> amtsbote_core::error::Result<()> {
    let mut tx = db.read().await?;
    let tx = &mut *tx;
    match audit::verify(tx).await? {
        Ok(records) => report.ok("Protokollkette", format!("{records} Einträge, lückenlos")),
        Err(problem) => report.fail(
            "Protokollkette",
            format!("Sie ist gebrochen: {problem}"),
            "Sichern Sie den Stand als Beweis (backup create) und klären Sie, wer die Datenbank geändert hat.",
        ),
    }
    if let Some(keys) = keys {
        let opens = sealed_row(report, tx, keys, now).await?;
        if let Some(files) = files.filter(|_| opens) {
            documents(report, tx, files, keys).await?;
        }
    }
    queues(report, tx, running, now).await?;
    let members = staff::list(tx).await?;
    people(report, &members, services);
    Ok(())
}

/// Opens one row that was sealed: an application, or a conversation where nobody has filed anything. Says whether
/// the key is the right one.
async fn sealed_row(
    report: &mut Report,
    tx: &mut Tx,
    keys: &Keys,
    now: Timestamp,
) -> amtsbote_core::error::Result<bool> {
    let opened = match application::list(tx, &Filter::default(), 1).await?.first() {
        Some(row) => application::load(tx, keys, &row.id).await.map(|_| true),
        None => match conversation::stale(tx, now, 1).await?.first() {
            Some(id) => conversation::load(tx, keys, id).await.map(|_| true),
            None => Ok(false),
        },
    };
    let mend = "Legen Sie die Datei master.key zurück, mit der diese Daten geschrieben wurden.";
    match opened {
        Ok(true) => report.ok("Versiegelung", "der Hauptschlüssel öffnet die Daten"),
        Ok(false) => report.ok("Versiegelung", "es gibt noch keine versiegelten Daten"),
        Err(Error::Seal(why)) => {
            report.fail("Versiegelung", format!("Der Schlüssel passt nicht: {why}"), mend);
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    Ok(true)
}

/// Reads documents of cases all over the office, and compares their hashes.
async fn documents(
    report: &mut Report,
    tx: &mut Tx,
    files: &Files,
    keys: &Keys,
) -> amtsbote_core::error::Result<()> {
    let rows = application::list(tx, &Filter::default(), 500).await?;
    let step = (rows.len() / SAMPLE).max(1);
    let mut sample = Vec::new();
    for row in rows.iter().step_by(step) {
        sample.extend(document::of_application(tx, keys, &row.id).await?.into_iter().take(3));
    }
    if sample.len() < SAMPLE {
        // Also uploads that nobody has filed yet. A file without a row is waste, not damage.
        for name in files.list().await?.into_iter().take(10 * SAMPLE) {
            if sample.len() < SAMPLE && !sample.iter().any(|known| known.id.0 == name) {
                sample.extend(document::load(tx, keys, &DocumentId(name)).await?);
            }
        }
    }
    sample.truncate(SAMPLE);
    let mut broken = Vec::new();
    for stored in &sample {
        if let Err(error) = document::read(files, keys, stored).await {
            broken.push(format!("{} ({error})", stored.id));
        }
    }
    match broken.first() {
        None => {
            report.ok("Dokumente", format!("{} Stichproben gelesen, alle Prüfsummen stimmen", sample.len()));
        }
        Some(first) => report.fail(
            "Dokumente",
            format!(
                "{} von {} Stichproben sind nicht lesbar, die erste: {first}",
                broken.len(),
                sample.len()
            ),
            "Holen Sie diese Dateien aus der letzten Sicherung in den Ordner files zurück.",
        ),
    }
    Ok(())
}

/// Outbox and work by the clock.
async fn queues(
    report: &mut Report,
    tx: &mut Tx,
    running: bool,
    now: Timestamp,
) -> amtsbote_core::error::Result<()> {
    let counts = outbox::counts(tx).await?;
    let of = |state: &str| counts.iter().find(|(word, _)| word == state).map_or(0, |(_, count)| *count);
    let (waiting, uncertain, dead) = (of("waiting"), of("uncertain"), of("dead"));
    let why = format!("{waiting} warten, {uncertain} ungewiss, {dead} unzustellbar");
    if uncertain + dead > 0 {
        report.warn(
            "Postausgang",
            why,
            "Sehen Sie diese Sendungen an und benachrichtigen Sie die Leute anders.",
        );
    } else if let Some(since) = outbox::oldest_due(tx, Timestamp(now.0 - 600_000)).await?.filter(|_| running)
    {
        let why = format!("{why}; die älteste fällig seit {}", since.german_date_time());
        report.warn(
            "Postausgang",
            why,
            "Ist der Mailserver erreichbar (oben bei E-Mail)? Im Log nach outbox suchen.",
        );
    } else if waiting > 500 {
        report.warn("Postausgang", why, "Läuft das Amt? Ist der Mailserver erreichbar (oben bei E-Mail)?");
    } else {
        report.ok("Postausgang", why);
    }
    // What a job would have done long ago shows whether the jobs run.
    let unasked = payment::unsettled(tx, Timestamp(now.0 - 600_000), 100).await?.len();
    let failed = jobs::failed(tx).await?;
    if let Some((name, error)) = failed.first() {
        let why = format!("{} sind zuletzt gescheitert, die erste: {name} ({error})", failed.len());
        report.warn(
            "Hintergrundarbeiten",
            why,
            "Beheben Sie die Ursache; die Arbeit läuft zu ihrer Zeit von selbst wieder.",
        );
    } else if running && unasked > 0 {
        let why =
            format!("{unasked} Zahlungen wurden seit 10 Minuten nicht mehr abgefragt, obwohl das Amt läuft.");
        report.warn("Hintergrundarbeiten", why, "Im Log nach \"a job failed\" suchen; sonst neu starten.");
    } else if running {
        report.ok("Hintergrundarbeiten", "laufen");
    }
    Ok(())
}

fn people(report: &mut Report, members: &[Staff], services: &[Arc<Service>]) {
    if members.is_empty() {
        let mend = "amtsbote serve zeigt beim Start den Link für das erste Konto.";
        report.warn("Konten", "Es gibt noch kein Konto für Mitarbeitende.", mend);
        return;
    }
    let active: Vec<&Staff> = members.iter().filter(|member| member.active).collect();
    let admins = active.iter().filter(|member| member.is(Role::Admin)).count();
    match admins {
        0 => report.fail(
            "Konten",
            "Niemand Aktives darf Konten verwalten.",
            "Holen Sie eine Sicherung zurück, in der es ein solches Konto gab.",
        ),
        1 => report.warn(
            "Konten",
            format!("{} aktive Konten, aber nur eine Person verwaltet sie.", active.len()),
            "Geben Sie einer zweiten Person die Rolle Verwaltung (/staff/people).",
        ),
        _ => report.ok("Konten", format!("{} aktive Konten, {admins} verwalten", active.len())),
    }
    let clerks: Vec<&Staff> = active.iter().copied().filter(|member| member.is(Role::Clerk)).collect();
    let (mut impossible, mut scarce) = (Vec::new(), Vec::new());
    for service in services {
        for step in service.approval.iter().filter(|step| step.four_eyes) {
            let Some(role) = Role::from_word(&step.role) else { continue };
            // Whoever drafts is a clerk; whoever approves must be somebody else.
            let able = active
                .iter()
                .filter(|member| member.is(role) && clerks.iter().any(|clerk| clerk.id != member.id))
                .count();
            match able {
                0 => impossible.push(service.id.as_str()),
                1 => scarce.push(service.id.as_str()),
                _ => {}
            }
        }
    }
    if !impossible.is_empty() {
        let why = format!("Niemand kann als zweite Person freigeben: {}", impossible.join(", "));
        report.fail("Vier Augen", why, "Laden Sie eine Person mit der Rolle Freigabe ein (/staff/people).");
    } else if !scarce.is_empty() {
        let why = format!("Nur eine Person kann freigeben, ohne Vertretung: {}", scarce.join(", "));
        report.warn("Vier Augen", why, "Geben Sie einer zweiten Person die Rolle Freigabe.");
    } else {
        report.ok("Vier Augen", "für jede Leistung möglich, mit Vertretung");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amtsbote_core::id::StaffId;

    fn member(name: &str, roles: &[Role]) -> Staff {
        Staff {
            id: StaffId(name.to_owned()),
            name: name.to_owned(),
            display_name: name.to_owned(),
            roles: roles.to_vec(),
            active: true,
            locked_until: None,
            created_at: Timestamp(0),
            version: 1,
        }
    }

    #[test]
    fn the_two_person_rule_needs_two_people() {
        let services: Vec<Arc<Service>> = Catalogue::embedded().expect("catalogue").iter().cloned().collect();
        let check = |members: &[Staff]| {
            let mut report = Report::default();
            people(&mut report, members, &services);
            report.0.iter().find(|finding| finding.check == "Vier Augen").map(|finding| finding.state)
        };
        let all = member("a", &Role::ALL);
        assert_eq!(check(&[]), None);
        assert_eq!(check(std::slice::from_ref(&all)), Some(Health::Fail), "nobody approves the own draft");
        assert_eq!(check(&[all.clone(), member("b", &[Role::Clerk])]), Some(Health::Warn));
        let second = member("b", &[Role::Clerk, Role::Approver]);
        assert_eq!(check(&[all, second]), Some(Health::Ok));
    }
}
