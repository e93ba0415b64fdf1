//! The settings: built-in defaults, a file, the environment and the command line, one over the other. The
//! defaults with a sentence for each setting stand in `default.toml`, which is also the documentation. This
//! file never reads the environment itself, and it does not open what the settings name.

mod check;
mod hours;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use amtsbote_knowledge::Trust;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Deserialize;

use crate::clock::Timestamp;
use crate::error::{Error, Result};

pub use hours::OpeningHours;

/// The built-in settings file with every default and its explanation.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// Beginning of the names of environment variables that are settings.
const PREFIX: &str = "AMTSBOTE_";

/// The one variable with this beginning that is no setting: it names the settings file itself.
const FILE_VARIABLE: &str = "AMTSBOTE_CONFIG";

/// All settings, checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where data are kept.
    pub data: Data,
    /// Which database is used.
    pub database: Database,
    /// The web server.
    pub server: Server,
    /// The authority and its chat hours.
    pub office: Office,
    /// Further services.
    pub catalogue: CatalogueFolder,
    /// Logins of citizens.
    pub identity: Identity,
    /// Payments.
    pub payment: Payment,
    /// Outgoing mail.
    pub mail: Mail,
    /// The chat window on other websites.
    pub widget: Widget,
    /// Upper limits.
    pub limits: Limits,
    /// Deliveries to other systems.
    pub outbox: Outbox,
    /// How long things are kept.
    pub retention: Retention,
    /// The log.
    pub log: Log,
    /// What `explain` answers.
    #[serde(skip)]
    settings: Vec<Setting>,
}

/// A value that must not appear in logs or messages.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether no value is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "(empty)" } else { check::MASK })
    }
}

/// `[data]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Folder of everything that this program stores.
    pub folder: PathBuf,
}

/// `[database]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// As written; [`Config::database_url`] is the one to open.
    pub url: Secret,
}

/// `[server]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where the web server waits.
    pub listen: SocketAddr,
    /// As written; [`Config::public_url`] is the one to show.
    pub public_url: String,
    /// Real operation, without demo login and demo bank.
    pub production: bool,
    /// Whether X-Forwarded-For is believed.
    pub trusted_proxy: bool,
    /// Second address for /metrics.
    #[serde(deserialize_with = "check::optional_address")]
    pub metrics_listen: Option<SocketAddr>,
    /// Seconds for running requests at the end.
    pub shutdown_seconds: u64,
}

/// `[office]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    /// Name of the authority.
    pub name: String,
    /// Postal address.
    pub address: String,
    /// Telephone number for citizens.
    pub phone: String,
    /// Imprint page.
    pub imprint_url: String,
    /// Privacy page.
    pub privacy_url: String,
    /// When people answer in the chat.
    pub chat_hours: OpeningHours,
    /// Whether pages and letters are marked as a test.
    pub test_marker: bool,
}

impl Office {
    /// Whether people answer in the chat at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.chat_hours.is_open(now)
    }

    /// The chat hours for people in `de`, `de-simple` or (for every other language) English; empty if there
    /// are none.
    pub fn hours_text(&self, language: &str) -> String {
        self.chat_hours.text(language)
    }
}

/// `[catalogue]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFolder {
    /// Folder with further services; empty means none.
    pub folder: PathBuf,
    /// Folder of the trained classifiers; empty means in the data folder.
    pub models: PathBuf,
}

impl CatalogueFolder {
    /// The folder with further services, if there is one.
    pub fn own(&self) -> Option<&Path> {
        Some(self.folder.as_path()).filter(|folder| !folder.as_os_str().is_empty())
    }
}

/// `[identity]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Whether made-up people may log in.
    pub demo: bool,
    /// Name of the real login on its button.
    pub oidc_name: String,
    /// Issuer; empty means no real login.
    pub oidc_issuer: String,
    /// Client id.
    pub oidc_client_id: String,
    /// Client secret.
    pub oidc_client_secret: Secret,
    /// Scopes, separated by spaces.
    pub oidc_scopes: String,
    /// Claim that states the trust level.
    pub oidc_trust_claim: String,
    /// Its values that mean T2.
    pub oidc_trust_substantial: Vec<String>,
    /// Its values that mean T3.
    pub oidc_trust_high: Vec<String>,
}

impl Identity {
    /// Trust level of a login whose claim has this value. An unknown or missing value is the lowest login,
    /// never more.
    pub fn trust(&self, claim: Option<&str>) -> Trust {
        let is_in = |values: &[String]| claim.is_some_and(|claim| values.iter().any(|value| value == claim));
        if is_in(&self.oidc_trust_high) {
            Trust::T3
        } else if is_in(&self.oidc_trust_substantial) {
            Trust::T2
        } else {
            Trust::T1
        }
    }
}

/// `[payment]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Who takes the money.
    pub provider: PaymentProvider,
}

/// Who takes the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentProvider {
    /// The made-up bank.
    Demo,
    /// Nobody here; the office collects it.
    Off,
}

/// `[mail]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// How mail leaves.
    pub kind: MailKind,
    /// As written; [`Config::mail_folder`] is the one to use.
    pub folder: PathBuf,
    /// Sender of all mail.
    pub from: String,
    /// Mail server with its password.
    pub smtp_url: Secret,
}

/// How mail leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailKind {
    /// As files.
    Folder,
    /// Through a mail server.
    Smtp,
    /// Not at all.
    Off,
}

/// `[widget]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Widget {
    /// Origins (`https://host`) that may show the chat window.
    pub allowed_origins: Vec<String>,
}

/// `[limits]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Largest upload, megabytes.
    pub upload_mb: u32,
    /// Longest message, characters.
    pub message_characters: usize,
    /// Requests of one address per minute.
    pub requests_per_minute: u32,
    /// Open event streams at the same time.
    pub open_streams: usize,
}

/// `[outbox]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// Waits before each further try, seconds.
    pub retry_seconds: Vec<u64>,
    /// Deliveries at the same time.
    pub workers: usize,
}

/// `[retention]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Anonymous conversation without a case, days.
    pub anonymous_conversation_days: u32,
    /// Draft that was never filed, days.
    pub draft_days: u32,
    /// Session of a citizen, hours.
    pub session_hours: u32,
    /// Session of a member of staff, minutes.
    pub staff_session_minutes: u32,
}

/// `[log]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// One setting as `amtsbote config` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `section.key`.
    pub key: String,
    /// The value as in a settings file; secrets are masked.
    pub value: String,
    /// `default`, `file …`, `environment` or `command line`.
    pub source: String,
    /// What it means, from `default.toml`.
    pub sentence: String,
}

impl Config {
    /// Reads the settings: defaults, then `file`, then the `environment` (as name and value; only names that
    /// begin with `AMTSBOTE_` count), then the `command_line` as pairs such as `("server.listen",
    /// "127.0.0.1:9000")`. All problems are told at once, one in a line.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        command_line: &[(String, String)],
    ) -> Result<Self> {
        let Some(path) = file else { return Self::from_text(None, environment, command_line) };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::Setup(format!(
                "the settings file {name} cannot be read: {error}; check its path and rights, or leave it out"
            ))
        })?;
        Self::from_text(Some((&name, &text)), environment, command_line)
    }

    /// As [`Self::load`], with the file given as name and text.
    pub fn from_text(
        file: Option<(&str, &str)>,
        environment: impl Iterator<Item = (String, String)>,
        command_line: &[(String, String)],
    ) -> Result<Self> {
        let defaults = parse("default", DEFAULTS)?;
        let known = check::Known::new(&defaults);
        let mut problems = Vec::new();
        let mut figment = Figment::from(Layer { source: "default".to_owned(), values: defaults });
        if let Some((name, text)) = file {
            let source = format!("file {name}");
            let values = known.file(&source, parse(&source, text)?, &mut problems);
            figment = figment.merge(Layer { source, values });
        }
        let named = environment
            .filter(|(name, _)| name.starts_with(PREFIX) && name != FILE_VARIABLE)
            .map(|(name, value)| (name[PREFIX.len()..].to_lowercase().replacen("__", ".", 1), name, value));
        let values = known.texts(check::TextSource::Environment, named, &mut problems);
        figment = figment.merge(Layer { source: "environment".to_owned(), values });
        let named = command_line.iter().map(|(key, value)| (key.clone(), key.clone(), value.clone()));
        let values = known.texts(check::TextSource::CommandLine, named, &mut problems);
        figment = figment.merge(Layer { source: "command line".to_owned(), values });
        if problems.is_empty() {
            let mut config: Self = figment
                .extract()
                .map_err(|error| Error::Setup(format!("the settings are not usable: {error}")))?;
            config.settings = settings(&figment);
            problems = check::together(&config);
            if problems.is_empty() {
                return Ok(config);
            }
        }
        Err(Error::Setup(problems.join("\n")))
    }

    /// Every setting with its value, where the value comes from, and what it means, in the order of
    /// `default.toml`.
    pub fn explain(&self) -> &[Setting] {
        &self.settings
    }

    /// Address of the database to open.
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            let path = self.data.folder.join("amtsbote.db").display().to_string();
            // In an address these two would begin an escape and the options.
            format!("sqlite://{}", path.replace('%', "%25").replace('?', "%3F"))
        } else {
            self.database.url.expose().to_owned()
        }
    }

    /// Address that citizens use, without a slash at the end.
    pub fn public_url(&self) -> String {
        if self.server.public_url.is_empty() {
            format!("http://{}", self.server.listen)
        } else {
            self.server.public_url.clone()
        }
    }

    /// Whether citizens come over https, so that cookies may be limited to it.
    pub fn is_https(&self) -> bool {
        self.server.public_url.starts_with("https://")
    }

    /// Folder of the sealed files.
    pub fn files_folder(&self) -> PathBuf {
        self.data.folder.join("files")
    }

    /// Folder of the trained classifiers.
    pub fn models_folder(&self) -> PathBuf {
        let own = &self.catalogue.models;
        if own.as_os_str().is_empty() { self.data.folder.join("models") } else { own.clone() }
    }

    /// File of the master key.
    pub fn master_key_file(&self) -> PathBuf {
        self.data.folder.join("master.key")
    }

    /// Folder into which mail of kind `folder` is written.
    pub fn mail_folder(&self) -> PathBuf {
        if self.mail.folder.as_os_str().is_empty() {
            self.data.folder.join("mail")
        } else {
            self.mail.folder.clone()
        }
    }
}

/// One source of settings, for figment.
struct Layer {
    source: String,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> std::result::Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// Reads TOML. An error names the line, but does not show it: it may hold a secret.
fn parse(source: &str, text: &str) -> Result<Dict> {
    if let Err(error) = text.parse::<toml::Table>() {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).unwrap_or(text).matches('\n').count() + 1;
        let message = error.message();
        return Err(Error::Setup(format!("{source} is not valid TOML in line {line}: {message}")));
    }
    let mut profiles =
        Toml::string(text).data().map_err(|error| Error::Setup(format!("{source}: {error}")))?;
    Ok(profiles.remove(&Profile::Default).unwrap_or_default())
}

fn settings(figment: &Figment) -> Vec<Setting> {
    let sentences = sentences(DEFAULTS);
    sentences
        .into_iter()
        .map(|(key, sentence)| Setting {
            value: figment.find_value(&key).map(|value| check::shown(&key, &value)).unwrap_or_default(),
            source: figment.find_metadata(&key).map(|data| data.name.to_string()).unwrap_or_default(),
            key,
            sentence,
        })
        .collect()
}

/// Every `section.key` of a settings file with the comment above it, in the order of the file.
fn sentences(text: &str) -> Vec<(String, String)> {
    let (mut section, mut comment, mut found) = ("", Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(words) = line.strip_prefix('#') {
            comment.push(words.trim());
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            comment.clear();
        } else if let Some((key, _)) = line.split_once(" = ") {
            found.push((format!("{section}.{key}"), std::mem::take(&mut comment).join(" ")));
        } else {
            comment.clear();
        }
    }
    found
}
