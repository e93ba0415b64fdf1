//! Plays every conversation in `tests/transcripts/*.txt` against an office of its own and holds it to rules that
//! no reply may break. A transcript says what a citizen should see; it is never bent to what the program does.
//!
//! Format, one thing per line, nothing depends on indentation:
//!
//! ```text
//! # comment                     not read
//! > words                       the citizen says this; \n \t \u{202e} and \repeat{words}{40} are understood, and
//!                               $number $access $code stand for what the office told last
//! < words                       these words stand in the replies to the last line; several lines: in this order
//! ! words                       these words don't stand there
//! = silent                      nothing was answered
//! = erased                      the conversation is gone
//! + name.pdf                    hands in a small valid file (pdf, jpg, png); a refusal is the reply
//! + bad:kind.pdf                a hostile one: polyglot.pdf script.pdf program.pdf text.pdf empty.pdf huge.jpg
//!                               cut.jpg picture.png trap.jpg
//! * again                       the last message arrives once more: same reply, nothing happens twice
//! ? owner bot|queued|staff      who may speak for the office
//! ? language de                 language of the conversation
//! ? count table 2               number of rows of a table, e.g. `application` or `draft`
//! @ login erika T2              logs in; the greeting is the reply
//! @ logout                      the same conversation without the login does not exist: a new one is opened
//! @ pay                         pays the newest payment at the made-up bank
//! @ clerk takes                 a clerk takes the conversation (also: `@ second clerk takes`, refused)
//! @ clerk: words                the clerk answers
//! @ clerk hands back
//! @ clerk wants item: reason    the clerk asks for a document of the newest case
//! @ wait 40d                    time passes (m, h, d) and the jobs run; what they told is the reply. One second
//!                               passes before each message
//! @ conversation 2 en           goes on at another device, without a login; opened in this language at first use
//! ```
//!
//! The first conversation is opened in German before the first line; its greeting is the first reply.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use amtsbote_core::conversation::Owner;
use amtsbote_core::id::StaffId;
use amtsbote_core::message::{Part, Reply};
use amtsbote_core::staff::Role;
use amtsbote_core::texts::Texts;
use amtsbote_knowledge::{Catalogue, Trust};
use futures::{FutureExt, StreamExt};

use crate::harness::{Answer, Citizen, TestOffice, sample};

/// Sentences that would promise or refuse what only people decide.
const NEVER: [&str; 5] =
    ["wird genehmigt", "ist abgelehnt", "sie haben anspruch", "will be granted", "you are entitled"];

/// Beginnings of the keys of sentences that say "I did not understand".
const MISSES: [&str; 6] =
    ["invalid.", "form.not_understood", "form.wants_file", "declare.press", "review.press", "miss."];

/// Most differences of one file that are told: what comes later mostly follows from them.
const MOST_SHOWN: usize = 4;

/// Fewest transcripts that must be there.
const FEWEST: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    paths.sort();
    let rules = Rules::read();
    let failed: Vec<String> = futures::stream::iter(&paths)
        .map(|path| async {
            // One that can't go on (no case was filed) must not hide the others.
            let played = AssertUnwindSafe(play(path, &rules)).catch_unwind().await;
            played.unwrap_or_else(|_| Err(format!("{}: a step failed", path.display())))
        })
        .buffered(8)
        .filter_map(|outcome| async move { outcome.err() })
        .collect()
        .await;
    assert!(
        failed.is_empty(),
        "{} of {} transcripts differ:\n\n{}",
        failed.len(),
        paths.len(),
        failed.join("\n\n")
    );
    assert!(paths.len() >= FEWEST, "only {} transcripts", paths.len());
}

/// Plays one file; an error names the line, what was expected and the whole reply. How the conversation reads is
/// written beside the build, for people.
async fn play(path: &Path, rules: &Rules) -> Result<(), String> {
    let text = std::fs::read_to_string(path).expect("reads");
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut stage = Stage::new(rules).await;
    let mut read = quoted(&stage.answer.text);
    let mut wrong = String::new();
    let mut shown = None;
    let mut count = 0;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let outcome = stage.line(line).await;
        let acts = line.starts_with(['>', '+', '@', '*']);
        if acts {
            let _ = write!(read, "\n{}\n{}", stage.with_told(line), quoted(&stage.answer.text));
            shown = None;
        }
        if let Err(what) = outcome {
            let _ = writeln!(wrong, "{name}:{}: {line}\n  {what}", index + 1);
            if shown.is_none() {
                wrong.push_str(&quoted(&stage.answer.text));
                shown = Some(index);
            }
            count += 1;
            if count == MOST_SHOWN {
                break;
            }
        }
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("transcripts");
    std::fs::create_dir_all(&folder).expect("a folder for people");
    std::fs::write(folder.join(&name), read).expect("writes");
    if count > 0 {
        return Err(wrong);
    }
    stage.office.finish().await;
    Ok(())
}

fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for line in if text.is_empty() { "(silent)" } else { text }.lines() {
        let _ = writeln!(shown, "    | {line}");
    }
    shown
}

/// A conversation that is being played.
struct Stage<'a> {
    rules: &'a Rules,
    office: TestOffice,
    citizens: BTreeMap<usize, Citizen>,
    now: usize,
    answer: Answer,
    /// How far the expected words of the last line reach into the reply.
    matched: usize,
    last: String,
    clerks: Vec<StaffId>,
    told: BTreeMap<&'static str, String>,
    /// Words with braces that the citizen has said; the office may quote them.
    braces: BTreeSet<String>,
    question: String,
    asked: usize,
    missed: String,
    helpless: usize,
}

impl<'a> Stage<'a> {
    async fn new(rules: &'a Rules) -> Self {
        let office = TestOffice::new().await;
        let (citizen, answer) = office.open("de").await;
        Self {
            rules,
            office,
            citizens: BTreeMap::from([(1, citizen)]),
            now: 1,
            answer,
            matched: 0,
            last: String::new(),
            clerks: Vec::new(),
            told: BTreeMap::new(),
            braces: BTreeSet::new(),
            question: String::new(),
            asked: 0,
            missed: String::new(),
            helpless: 0,
        }
    }

    async fn line(&mut self, line: &str) -> Result<(), String> {
        let (mark, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
        let rest = rest.trim();
        match mark {
            ">" => {
                let words = unescaped(&self.with_told(rest));
                self.braces.extend(braces(&words));
                self.office.advance(Duration::from_secs(1)).await;
                let citizen = self.citizens.get_mut(&self.now).ok_or("nobody is there")?;
                let answer = self.office.says(citizen, &words).await;
                self.last = words;
                self.take(answer)
            }
            "*" => self.again().await,
            "+" => {
                self.office.advance(Duration::from_secs(1)).await;
                let (name, bytes) = sample(rest);
                let citizen = self.citizens.get_mut(&self.now).ok_or("nobody is there")?;
                let answer = self.office.upload(citizen, &name, bytes).await;
                self.take(answer)
            }
            "<" => {
                let wanted = plain(&self.with_told(rest));
                let text = plain(&self.answer.text);
                match text[self.matched..].find(&wanted) {
                    Some(at) => {
                        self.matched += at + wanted.len();
                        Ok(())
                    }
                    None if text.contains(&wanted) => Err("stands earlier in the reply".to_owned()),
                    None => Err("does not stand in the reply".to_owned()),
                }
            }
            "!" => {
                let unwanted = plain(&self.with_told(rest));
                if plain(&self.answer.text).contains(&unwanted) {
                    return Err("must not stand in the reply".to_owned());
                }
                Ok(())
            }
            "=" => match rest {
                "silent" if self.answer.text.is_empty() && !self.answer.erased => Ok(()),
                "erased" if self.answer.erased => Ok(()),
                "silent" | "erased" => Err(format!("was not {rest}")),
                _ => Err("unknown line".to_owned()),
            },
            "?" => self.check(rest).await,
            "@" => self.direct(rest).await,
            _ => Err("unknown line".to_owned()),
        }
    }

    /// The last message once more: the same reply, and no row more anywhere.
    async fn again(&mut self) -> Result<(), String> {
        let before = self.rows().await;
        let words = self.last.clone();
        let citizen = self.citizens.get_mut(&self.now).ok_or("nobody is there")?;
        let answer = self.office.says_again(citizen, &words).await;
        if let Some(failure) = &answer.failure {
            return Err(format!("the program failed: {failure}"));
        }
        if answer.text != self.answer.text {
            return Err(format!("the reply to the repeated message is another one: {}", answer.text));
        }
        let after = self.rows().await;
        if before != after {
            return Err(format!("the repeated message has an effect: {before:?} rows became {after:?}"));
        }
        Ok(())
    }

    async fn rows(&self) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in ["message", "application", "draft", "document", "payment", "audit"] {
            rows.push(self.office.count(table).await);
        }
        rows
    }

    async fn check(&mut self, rest: &str) -> Result<(), String> {
        let (what, wanted) = rest.split_once(' ').ok_or("unknown line")?;
        let is = match what {
            "count" => {
                let (table, _) = wanted.rsplit_once(' ').ok_or("no number")?;
                format!("{table} {}", self.office.count(table).await)
            }
            "owner" | "language" => {
                let citizen = self.citizens.get(&self.now).ok_or("nobody is there")?;
                let (language, owner) = self.office.view(citizen).await;
                let owner = match owner {
                    Owner::Bot => "bot",
                    Owner::Queued => "queued",
                    Owner::Staff(_) => "staff",
                };
                if what == "owner" { owner.to_owned() } else { language }
            }
            _ => return Err("unknown line".to_owned()),
        };
        if is == wanted { Ok(()) } else { Err(format!("is {is}")) }
    }

    async fn direct(&mut self, rest: &str) -> Result<(), String> {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match words.as_slice() {
            ["login", who, trust] => {
                let trust = trust_of(trust)?;
                let citizen = self.citizens.get_mut(&self.now).ok_or("nobody is there")?;
                let answer = self.office.login(citizen, who, trust).await;
                self.take(answer)
            }
            ["logout"] => {
                let (citizen, answer) = self.office.open("de").await;
                self.citizens.insert(self.now, citizen);
                self.take(answer)
            }
            ["pay"] => {
                let citizen = self.citizens.get_mut(&self.now).ok_or("nobody is there")?;
                let answer = self.office.pay(citizen).await;
                self.take(answer)
            }
            ["wait", time] => {
                let (number, unit) = time.split_at(time.len() - 1);
                let number: u64 = number.parse().map_err(|_| "no number")?;
                let seconds = match unit {
                    "m" => 60,
                    "h" => 3600,
                    "d" => 24 * 3600,
                    _ => return Err("unknown unit of time".to_owned()),
                };
                self.office.advance(Duration::from_secs(number * seconds)).await;
                let citizen = self.citizens.get_mut(&self.now).ok_or("nobody is there")?;
                let answer = self.office.news(citizen).await;
                self.take(answer)
            }
            ["conversation", number, language @ ..] => {
                let number = number.parse().map_err(|_| "no number")?;
                self.now = number;
                if !self.citizens.contains_key(&number) {
                    let (citizen, answer) = self.office.open(language.first().copied().unwrap_or("de")).await;
                    self.citizens.insert(number, citizen);
                    return self.take(answer);
                }
                Ok(())
            }
            ["second", "clerk", "takes"] => {
                let clerk = self.clerk(1).await;
                let citizen = self.citizens.get_mut(&self.now).ok_or("nobody is there")?;
                match self.office.take(citizen, &clerk).await {
                    Ok(_) => Err("a second clerk could take the conversation".to_owned()),
                    Err(_) => Ok(()),
                }
            }
            ["clerk" | "clerk:", ..] => {
                let clerk = self.clerk(0).await;
                let citizen = self.citizens.get_mut(&self.now).ok_or("nobody is there")?;
                let answer = match rest {
                    "clerk takes" => self.office.take(citizen, &clerk).await,
                    "clerk hands back" => self.office.hand_back(citizen, &clerk).await,
                    _ => {
                        if let Some(text) = rest.strip_prefix("clerk:") {
                            self.office.answer(citizen, &clerk, text).await
                        } else {
                            let wanted = rest.strip_prefix("clerk wants ").and_then(|w| w.split_once(": "));
                            let (item, reason) = wanted.ok_or("unknown line")?;
                            Ok(self.office.want(citizen, &clerk, item, reason).await)
                        }
                    }
                };
                let answer = answer.map_err(|error| format!("was refused: {error}"))?;
                self.take(answer)
            }
            _ => Err("unknown line".to_owned()),
        }
    }

    async fn clerk(&mut self, index: usize) -> StaffId {
        while self.clerks.len() <= index {
            let name = ["anna", "bernd"][self.clerks.len()];
            self.clerks.push(self.office.clerk(name, &[Role::Clerk]).await);
        }
        self.clerks[index].clone()
    }

    /// Looks at what was answered: remembers what was told, and holds it to the rules.
    fn take(&mut self, answer: Answer) -> Result<(), String> {
        self.answer = answer;
        self.matched = 0;
        if let Some(failure) = &self.answer.failure {
            return Err(format!("the program failed: {failure}"));
        }
        if self.answer.erased {
            self.citizens.remove(&self.now);
            return Ok(());
        }
        let replies = self.answer.replies.clone();
        for reply in &replies {
            self.remember(reply);
            self.rules.hold(reply, &self.braces)?;
            self.count_questions(reply)?;
        }
        Ok(())
    }

    fn remember(&mut self, reply: &Reply) {
        for part in &reply.parts {
            match part {
                Part::Facts { rows } => {
                    for row in rows {
                        for (name, key) in [("number", "filed.number"), ("access", "filed.code")] {
                            if row.label == self.rules.texts.get(&reply.language, key) {
                                self.told.insert(name, row.text.clone());
                            }
                        }
                    }
                }
                Part::Text { text } => {
                    let template = self.rules.texts.get(&reply.language, "pause.done");
                    let (before, _) = template.split_once("{code}").unwrap_or((template, ""));
                    if let Some(rest) = text.strip_prefix(before) {
                        self.told.insert("code", rest.chars().take(11).collect());
                    }
                }
                _ => {}
            }
        }
    }

    fn with_told(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for name in ["number", "access", "code"] {
            if let Some(value) = self.told.get(name) {
                text = text.replace(&format!("${name}"), value);
            }
        }
        text
    }

    /// Who is not understood is asked the same question at most once more, never a third time.
    fn count_questions(&mut self, reply: &Reply) -> Result<(), String> {
        let asked = reply.parts.iter().rev().find_map(|part| match part {
            Part::Question { text, .. } => Some(text.clone()),
            _ => None,
        });
        let missed = self.rules.is_miss(reply);
        match asked {
            Some(question) if question == self.question => {
                if missed {
                    self.asked += 1;
                }
            }
            Some(question) => {
                self.question = question;
                self.asked = 1;
            }
            None => self.asked = 0,
        }
        if self.asked >= 3 {
            return Err("rule: the same question for the third time to somebody who is not understood".into());
        }
        let text = reply.plain_text();
        self.helpless = if missed && text == self.missed { self.helpless + 1 } else { usize::from(missed) };
        self.missed = text;
        if self.helpless >= 3 {
            return Err("rule: the same helpless reply for the third time".into());
        }
        Ok(())
    }
}

fn trust_of(word: &str) -> Result<Trust, String> {
    match word {
        "T0" => Ok(Trust::T0),
        "T1" => Ok(Trust::T1),
        "T2" => Ok(Trust::T2),
        "T3" => Ok(Trust::T3),
        _ => Err(format!("unknown level {word}")),
    }
}

/// What holds for every reply.
struct Rules {
    texts: Texts,
    keys: BTreeSet<String>,
    misses: Vec<String>,
    /// Titles in every language → text of the record.
    records: Vec<(Vec<String>, String)>,
    offices: String,
    cents: BTreeSet<i64>,
}

impl Rules {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned();
        let german = std::fs::read_to_string(root.join("core/texts/de.toml")).expect("texts");
        let german: BTreeMap<String, String> = toml::from_str(&german).expect("texts");
        let texts = Texts::embedded().expect("texts");
        let misses = german
            .keys()
            .filter(|key| MISSES.iter().any(|miss| key.starts_with(miss)))
            .flat_map(|key| ["de", "de-simple", "en"].map(|language| texts.get(language, key).to_owned()))
            .map(|text| text.split('{').next().unwrap_or_default().to_owned())
            .filter(|text| text.len() > 8)
            .collect();
        let catalogue = Catalogue::embedded().expect("catalogue");
        let mut cents = BTreeSet::from([0]);
        let mut records = Vec::new();
        for service in catalogue.iter() {
            let path = root.join("knowledge/services").join(format!("{}.toml", service.id));
            let record = std::fs::read_to_string(path).expect("the record");
            cents.extend(amounts(&record));
            let mut sums = BTreeSet::from([0]);
            for item in service.fee.iter().flat_map(|fee| &fee.items) {
                sums.extend(sums.clone().into_iter().map(|sum| sum + item.cents));
            }
            cents.extend(sums);
            let titles = ["de", "de-simple", "en"]
                .map(|language| amtsbote_knowledge::localized(&service.titles, language).to_owned());
            records.push((titles.to_vec(), record));
        }
        let offices = std::fs::read_to_string(root.join("knowledge/offices.toml")).expect("the offices");
        Self { texts, keys: german.into_keys().collect(), misses, records, offices, cents }
    }

    fn is_miss(&self, reply: &Reply) -> bool {
        reply.parts.iter().any(|part| match part {
            Part::Text { text } | Part::Notice { text } => {
                self.misses.iter().any(|miss| text.starts_with(miss.as_str()))
            }
            _ => false,
        })
    }

    fn hold(&self, reply: &Reply, quoted: &BTreeSet<String>) -> Result<(), String> {
        let text = reply.plain_text();
        let lower = text.to_lowercase();
        if let Some(promise) = NEVER.iter().find(|promise| lower.contains(*promise)) {
            return Err(format!("rule: only people decide, but the reply says {promise:?}"));
        }
        if let Some(brace) = braces(&text).into_iter().find(|brace| !quoted.contains(brace)) {
            return Err(format!("rule: the placeholder {brace} was not filled"));
        }
        let word =
            |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_').to_owned();
        if let Some(key) = text.split_whitespace().map(word).find(|word| self.keys.contains(word)) {
            return Err(format!("rule: the key {key} stands where its sentence belongs"));
        }
        if let Some(wrong) = amounts(&text).into_iter().find(|cents| !self.cents.contains(cents)) {
            return Err(format!("rule: {wrong} cents stand in no record and are no sum of fees"));
        }
        for (index, part) in reply.parts.iter().enumerate() {
            if let Part::Facts { rows } = part {
                let named = reply.parts[..index].iter().rev().find_map(|part| match part {
                    Part::Text { text } => self
                        .records
                        .iter()
                        .find(|(titles, _)| titles.contains(text))
                        .map(|(_, record)| record),
                    _ => None,
                });
                for row in rows.iter().filter(|row| !row.source.is_empty()) {
                    let record = named.ok_or("rule: facts without the title of their service")?;
                    self.hold_fact(record, &format!("{} {}", row.text, row.source))?;
                }
            }
        }
        Ok(())
    }

    /// Every amount, date and paragraph of a fact stands in the record that it comes from.
    fn hold_fact(&self, record: &str, fact: &str) -> Result<(), String> {
        let known: BTreeSet<i64> = amounts(record).into_iter().collect();
        if let Some(wrong) = amounts(fact).into_iter().find(|cents| !known.contains(cents)) {
            return Err(format!("rule: {wrong} cents do not stand in the record of the service"));
        }
        let stands = |words: &str| record.contains(words) || self.offices.contains(words);
        for (german, iso) in dates(fact) {
            if !stands(&german) && !stands(&iso) {
                return Err(format!("rule: the date {german} does not stand in the record of the service"));
            }
        }
        for word in fact.split('§').skip(1) {
            let number: String = word.trim_start().chars().take_while(char::is_ascii_alphanumeric).collect();
            if !number.is_empty() && !stands(&number) {
                return Err(format!("rule: § {number} does not stand in the record of the service"));
            }
        }
        Ok(())
    }
}

/// Amounts of money in cents: "25,30 €", "30 €", "€25.30", "25,30 Euro".
fn amounts(text: &str) -> Vec<i64> {
    let cents = |word: &str| -> Option<i64> {
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        let (euros, cents) = word.split_once([',', '.']).unwrap_or((word, "00"));
        if euros.is_empty() || cents.len() != 2 {
            return None;
        }
        Some(euros.parse::<i64>().ok()? * 100 + cents.parse::<i64>().ok()?)
    };
    let digits = |c: char| c.is_ascii_digit() || c == ',' || c == '.';
    let mut found = Vec::new();
    for (at, sign) in text.match_indices('€').chain(text.match_indices(" Euro")) {
        let before = text[..at].trim_end();
        let start = before
            .rfind(|c: char| !digits(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let after = &text[at + sign.len()..];
        let end = after.find(|c: char| !digits(c)).unwrap_or(after.len());
        found.extend(cents(&before[start..]));
        if sign == "€" {
            found.extend(cents(&after[..end]));
        }
    }
    found
}

/// Dates like 20.11.2026, also in ISO form.
fn dates(text: &str) -> Vec<(String, String)> {
    let letters: Vec<char> = text.chars().collect();
    letters
        .windows(10)
        .filter(|window| {
            window
                .iter()
                .enumerate()
                .all(|(at, c)| if at == 2 || at == 5 { *c == '.' } else { c.is_ascii_digit() })
        })
        .map(|window| {
            let date: String = window.iter().collect();
            let iso = format!("{}-{}-{}", &date[6..], &date[3..5], &date[..2]);
            (date, iso)
        })
        .collect()
}

/// Words in braces, such as `{name}`.
fn braces(text: &str) -> Vec<String> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .map(|name| format!("{{{name}}}"))
        .collect()
}

/// With single spaces.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `\n`, `\t`, `\u{202e}` and `\repeat{words}{40}` of a citizen's line.
fn unescaped(text: &str) -> String {
    let mut words = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        words.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('n') {
            words.push('\n');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('t') {
            words.push('\t');
            rest = after;
        } else if let Some((code, after)) = rest.strip_prefix("u{").and_then(|rest| rest.split_once('}')) {
            let code = u32::from_str_radix(code, 16).expect("a code point");
            words.push(char::from_u32(code).expect("a character"));
            rest = after;
        } else if let Some((word, after)) =
            rest.strip_prefix("repeat{").and_then(|rest| rest.split_once("}{"))
        {
            let (times, after) = after.split_once('}').expect("how often");
            words.push_str(&word.repeat(times.parse().expect("a number")));
            rest = after;
        } else {
            words.push('\\');
        }
    }
    words.push_str(rest);
    words
}
