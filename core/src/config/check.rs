//! The checks of settings: unknown keys, wrong types, wrong values, and settings that contradict each other.
//! Every problem is one line with source, key, value and the mend.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use figment::value::{Dict, Value};
use serde::{Deserialize, Deserializer};

use super::{Config, MailKind, OpeningHours, PREFIX, PaymentProvider};

/// What stands in place of a secret.
pub(super) const MASK: &str = "•••";

/// Where settings come as plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextSource {
    Environment,
    CommandLine,
}

impl TextSource {
    /// How a key is spelled there.
    fn spelling(self, key: &str) -> String {
        match self {
            Self::Environment => format!("{PREFIX}{}", key.to_uppercase().replacen('.', "__", 1)),
            Self::CommandLine => key.to_owned(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::CommandLine => "command line",
        }
    }
}

/// Type of a setting, taken from its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Flag,
    Number,
    Texts,
    Numbers,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(..) => Self::Flag,
            Value::Num(..) => Self::Number,
            Value::Array(_, list) if matches!(list.first(), Some(Value::Num(..))) => Self::Numbers,
            Value::Array(..) => Self::Texts,
            _ => Self::Text,
        }
    }

    fn fits(self, value: &Value) -> bool {
        let all = |kind: Self| value.as_array().is_some_and(|list| list.iter().all(|item| kind.fits(item)));
        match self {
            Self::Text => value.as_str().is_some(),
            Self::Flag => value.to_bool().is_some(),
            Self::Number => value.to_i128().is_some(),
            Self::Texts => all(Self::Text),
            Self::Numbers => all(Self::Number),
        }
    }

    /// The value of a plain text; `None` if it is not of this type.
    fn read(self, text: &str) -> Option<Value> {
        let items = || {
            let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
            inner.split(',').map(|item| item.trim().trim_matches('"')).filter(|item| !item.is_empty())
        };
        match self {
            Self::Text => Some(Value::from(text)),
            Self::Flag => text.parse::<bool>().ok().map(Value::from),
            Self::Number => text.trim().parse::<i64>().ok().map(Value::from),
            Self::Texts => Some(Value::from(items().collect::<Vec<_>>())),
            Self::Numbers => {
                items().map(|item| item.parse().ok()).collect::<Option<Vec<i64>>>().map(Value::from)
            }
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "text in quotes",
            Self::Flag => "true or false",
            Self::Number => "a whole number",
            Self::Texts => "a list of texts",
            Self::Numbers => "a list of whole numbers",
        }
    }
}

/// The keys that exist, with their types.
pub(super) struct Known {
    defaults: BTreeMap<String, Value>,
}

impl Known {
    pub(super) fn new(defaults: &Dict) -> Self {
        let sections = defaults.iter().filter_map(|(name, values)| Some((name, values.as_dict()?)));
        let keys = sections.flat_map(|(section, values)| {
            values.iter().map(move |(key, value)| (format!("{section}.{key}"), value.clone()))
        });
        Self { defaults: keys.collect() }
    }

    /// The usable values of a settings file.
    pub(super) fn file(&self, source: &str, values: Dict, problems: &mut Vec<String>) -> Dict {
        let mut usable = Dict::new();
        for (section, values) in values {
            let Value::Dict(tag, values) = values else {
                problems.push(self.unknown(&section, Some(&values), source, str::to_owned));
                continue;
            };
            let mut good = Dict::new();
            if values.is_empty() && !self.sections().contains(&section.as_str()) {
                problems.push(self.unknown(&section, None, source, str::to_owned));
            }
            for (key, value) in values {
                let full = format!("{section}.{key}");
                match self.value(&full, value, source) {
                    Ok(value) => drop(good.insert(key, value)),
                    Err(problem) => problems.push(problem),
                }
            }
            usable.insert(section, Value::Dict(tag, good));
        }
        usable
    }

    /// The usable values of a source of plain texts: (key, spelling there, text).
    pub(super) fn texts(
        &self,
        source: TextSource,
        texts: impl Iterator<Item = (String, String, String)>,
        problems: &mut Vec<String>,
    ) -> Dict {
        let mut usable = Dict::new();
        for (key, spelled, text) in texts {
            let place = match source {
                TextSource::Environment => format!("{} {spelled}", source.name()),
                TextSource::CommandLine => source.name().to_owned(),
            };
            let value = match self.defaults.get(&key).map(Kind::of) {
                None => {
                    let value = Value::from(text);
                    Err(self.unknown(&spelled, Some(&value), source.name(), |key| source.spelling(key)))
                }
                Some(kind) => match kind.read(&text) {
                    Some(value) => self.value(&key, value, &place),
                    None => Err(self.wrong(&key, &Value::from(text), &place, kind.words())),
                },
            };
            match value {
                Ok(value) => insert(&mut usable, &key, value),
                Err(problem) => problems.push(problem),
            }
        }
        usable
    }

    /// `value` again, if `key` exists and takes it.
    fn value(&self, key: &str, value: Value, source: &str) -> Result<Value, String> {
        let Some(default) = self.defaults.get(key) else {
            return Err(self.unknown(key, Some(&value), source, str::to_owned));
        };
        let kind = Kind::of(default);
        if !kind.fits(&value) {
            return Err(self.wrong(key, &value, source, kind.words()));
        }
        match expected(key, &value) {
            Some(expected) => Err(self.wrong(key, &value, source, &expected)),
            None => Ok(value),
        }
    }

    fn wrong(&self, key: &str, value: &Value, source: &str, expected: &str) -> String {
        let example = match EXAMPLES.iter().find(|(name, _)| *name == key) {
            Some((_, example)) => (*example).to_owned(),
            None => self.defaults.get(key).map(|default| shown(key, default)).unwrap_or_default(),
        };
        let found = shown(key, value);
        format!("{key} = {found} ({source}): expected {expected}; for example {key} = {example}")
    }

    /// Tells of a key that does not exist. `spelling` gives a key's name as this source writes it.
    fn unknown(
        &self,
        key: &str,
        value: Option<&Value>,
        source: &str,
        spelling: impl Fn(&str) -> String,
    ) -> String {
        let plain = key.trim_start_matches(PREFIX).to_lowercase().replacen("__", ".", 1);
        let section = plain.split('.').next().unwrap_or_default();
        let help = if let Some(near) = self.nearest(&plain) {
            format!("did you mean {}?", spelling(near))
        } else if self.sections().contains(&section) {
            let keys = self.defaults.keys().filter_map(|key| key.strip_prefix(section)?.strip_prefix('.'));
            format!("[{section}] has: {}", keys.collect::<Vec<_>>().join(", "))
        } else {
            format!("there are the sections: {}", self.sections().join(", "))
        };
        // A secret under a misspelled key is still a secret.
        let meant = format!("{key} {}", self.nearest(&plain).unwrap_or_default());
        let value = value.map(|value| format!(" = {}", shown(&meant, value))).unwrap_or_default();
        format!("{key}{value} ({source}): there is no such setting; {help}")
    }

    fn sections(&self) -> Vec<&str> {
        let mut sections: Vec<&str> = self.defaults.keys().filter_map(|key| key.split('.').next()).collect();
        sections.dedup();
        sections
    }

    /// The existing key that looks most like `key`: by its whole name, or by its last part in another
    /// section.
    fn nearest(&self, key: &str) -> Option<&str> {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let near = self.defaults.keys().filter_map(|candidate| {
            let whole = distance(key, candidate);
            let part = distance(&last(key), &last(candidate));
            let is_near = whole <= 3 || part * 3 <= last(key).len();
            is_near.then_some((whole.min(part + 1), candidate.as_str()))
        });
        near.min().map(|(_, key)| key)
    }
}

/// Examples for settings whose default is empty.
const EXAMPLES: &[(&str, &str)] = &[
    ("database.url", "\"postgres://amtsbote@localhost/amtsbote\""),
    ("server.public_url", "\"https://bote.kreis-paderborn.de\""),
    ("server.metrics_listen", "\"127.0.0.1:9100\""),
    ("identity.oidc_issuer", "\"https://anmeldung.example/realms/amt\""),
    ("mail.smtp_url", "\"smtps://mail.example:465\""),
    ("widget.allowed_origins", "[\"https://www.kreis-paderborn.de\"]"),
];

/// Settings with a fixed set of words.
const WORDS: &[(&str, &[&str])] = &[
    ("payment.provider", &["demo", "off"]),
    ("mail.kind", &["folder", "smtp", "off"]),
    ("log.format", &["text", "json"]),
    ("log.level", &["error", "warn", "info", "debug", "trace"]),
];

/// Smallest and largest value of numbers.
const RANGES: &[(&str, i128, i128)] = &[
    ("server.shutdown_seconds", 0, 600),
    ("limits.upload_mb", 1, 60),
    ("limits.message_characters", 100, 100_000),
    ("limits.requests_per_minute", 1, 1_000_000),
    ("limits.open_streams", 1, 1_000_000),
    ("outbox.retry_seconds", 1, 2_592_000),
    ("outbox.workers", 1, 64),
    ("retention.anonymous_conversation_days", 1, 3650),
    ("retention.draft_days", 1, 3650),
    ("retention.session_hours", 1, 720),
    ("retention.staff_session_minutes", 5, 1440),
];

/// A rule for texts: what is expected, in words, and the test.
type TextRule = (&'static str, &'static str, fn(&str) -> bool);

const ORIGIN: &str = "http:// or https:// and a host, without a path or a slash at the end";
const LISTEN: &str = "an IP address and a port";
const PAGE: &str = "an address that begins with https:// or http://, or nothing";
const SOMETHING: &str = "a text that is not empty";

/// Rules for texts, also for each text of a list.
const TEXTS: &[TextRule] = &[
    ("data.folder", SOMETHING, is_something),
    ("database.url", "sqlite:…, postgres:… or nothing", |text| {
        text.is_empty() || ["sqlite:", "postgres:", "postgresql:"].iter().any(|kind| text.starts_with(kind))
    }),
    ("server.listen", LISTEN, is_socket),
    ("server.public_url", ORIGIN, |text| text.is_empty() || is_origin(text)),
    ("server.metrics_listen", LISTEN, |text| text.is_empty() || is_socket(text)),
    ("office.name", SOMETHING, is_something),
    ("office.imprint_url", PAGE, |text| text.is_empty() || is_page(text)),
    ("office.privacy_url", PAGE, |text| text.is_empty() || is_page(text)),
    ("office.chat_hours", "days (Mo Di Mi Do Fr Sa So) and hours (08:30-16:00), with commas", |text| {
        text.parse::<OpeningHours>().is_ok()
    }),
    ("identity.oidc_issuer", "an https:// address (http:// only on localhost), or nothing", |text| {
        text.is_empty()
            || (text.starts_with("https://") && is_page(text))
            || ["http://localhost", "http://127.0.0.1"].iter().any(|host| text.starts_with(host))
    }),
    ("identity.oidc_scopes", "scopes with \"openid\" among them", |text| {
        text.split(' ').any(|scope| scope == "openid")
    }),
    ("identity.oidc_trust_claim", SOMETHING, is_something),
    ("mail.from", "a mail address", |text| text.contains('@') && !text.contains(['\n', '\r'])),
    ("mail.smtp_url", "smtp://… or smtps://…, or nothing", |text| {
        text.is_empty() || text.starts_with("smtp://") || text.starts_with("smtps://")
    }),
    ("widget.allowed_origins", ORIGIN, is_origin),
];

fn is_something(text: &str) -> bool {
    !text.trim().is_empty()
}

fn is_socket(text: &str) -> bool {
    text.parse::<SocketAddr>().is_ok()
}

fn is_page(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

fn is_origin(text: &str) -> bool {
    let host = text.split_once("://").map_or("", |(_, host)| host);
    is_page(text) && !host.contains(['/', '?', '#', '@', '\\'])
}

/// What would be right, if `value` is not. The value has the right type already.
fn expected(key: &str, value: &Value) -> Option<String> {
    let list = value.as_array().unwrap_or(std::slice::from_ref(value));
    let all_texts = |test: &dyn Fn(&str) -> bool| list.iter().filter_map(Value::as_str).all(test);
    if let Some((_, words)) = WORDS.iter().find(|(name, _)| *name == key)
        && !all_texts(&|text| words.contains(&text))
    {
        return Some(format!("one of \"{}\"", words.join("\", \"")));
    }
    if let Some((_, least, most)) = RANGES.iter().find(|(name, ..)| *name == key) {
        let numbers: Vec<i128> = list.iter().filter_map(Value::to_i128).collect();
        if numbers.is_empty() || numbers.iter().any(|number| number < least || number > most) {
            let what = if value.as_array().is_some() { "at least one number, each " } else { "a number " };
            return Some(format!("{what}from {least} to {most}"));
        }
    }
    let (_, words, test) = TEXTS.iter().find(|(name, ..)| *name == key)?;
    (!all_texts(test)).then(|| (*words).to_owned())
}

/// Problems that only settings together have.
pub(super) fn together(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let mut problem = |is_wrong: bool, key: &str, mend: &str| {
        let source = config.settings.iter().find(|setting| setting.key == key);
        if let Some(setting) = source.filter(|_| is_wrong) {
            problems.push(format!("{key} = {} ({}): {mend}", setting.value, setting.source));
        }
    };
    let production = config.server.production;
    problem(
        production && !config.is_https(),
        "server.public_url",
        "real operation (server.production = true) needs the https:// address that citizens type; \
         for example server.public_url = \"https://bote.kreis-paderborn.de\"",
    );
    problem(
        production && config.identity.demo,
        "identity.demo",
        "anybody could log in as anybody in real operation; set identity.demo = false and \
         identity.oidc_issuer, or server.production = false for a demonstration",
    );
    problem(
        production && config.payment.provider == PaymentProvider::Demo,
        "payment.provider",
        "a made-up bank would take the fees in real operation; set payment.provider = \"off\", \
         or server.production = false for a demonstration",
    );
    problem(
        config.mail.kind == MailKind::Smtp && config.mail.smtp_url.is_empty(),
        "mail.smtp_url",
        "mail.kind = \"smtp\" needs a mail server; for example mail.smtp_url = \"smtps://mail.example:465\"",
    );
    let identity = &config.identity;
    problem(
        !identity.oidc_issuer.is_empty() && identity.oidc_client_id.is_empty(),
        "identity.oidc_client_id",
        "the issuer knows this program by a client id; set the one that it gave out",
    );
    problem(
        identity.oidc_issuer.is_empty() && !identity.oidc_client_id.is_empty(),
        "identity.oidc_issuer",
        "a client id needs its issuer; for example \
         identity.oidc_issuer = \"https://anmeldung.example/realms/amt\"",
    );
    problems
}

/// Reads an address and port, or nothing.
pub(super) fn optional_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// A value as it would stand in a settings file, without its secret part.
pub(super) fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{:?}", without_secret(key, text)),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Array(_, list) => {
            format!("[{}]", list.iter().map(|item| shown(key, item)).collect::<Vec<_>>().join(", "))
        }
        Value::Dict(..) => "{…}".to_owned(),
        other => match (other.to_i128(), other.to_f64()) {
            (Some(number), _) => number.to_string(),
            (None, Some(number)) => number.to_string(),
            (None, None) => "?".to_owned(),
        },
    }
}

/// Hides a whole secret, and the password of any address.
fn without_secret(key: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let key = key.to_lowercase();
    if ["secret", "password", "token", "key"].iter().any(|word| key.contains(word))
        || text.contains("password=")
    {
        return MASK.to_owned();
    }
    match text.rsplit_once('@') {
        Some((before, host)) if key.contains("url") || before.contains("://") => {
            let (scheme, user) = match before.split_once("://") {
                Some((scheme, user)) => (format!("{scheme}://"), user),
                None => (String::new(), before),
            };
            match user.split_once(':') {
                Some((user, _)) => format!("{scheme}{user}:{MASK}@{host}"),
                None => text.to_owned(),
            }
        }
        _ => text.to_owned(),
    }
}

/// Puts `value` under `section.key`.
fn insert(values: &mut Dict, key: &str, value: Value) {
    let Some((section, name)) = key.split_once('.') else { return };
    let mut inner = match values.remove(section) {
        Some(Value::Dict(_, inner)) => inner,
        _ => Dict::new(),
    };
    inner.insert(name.to_owned(), value);
    values.insert(section.to_owned(), Value::from(inner));
}

/// Letters that have to be put in, left out or replaced to make `one` of `other` (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, candidate) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *candidate);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
