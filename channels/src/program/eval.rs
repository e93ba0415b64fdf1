//! `amtsbote eval`: how well the search finds the service that a sentence asks for. Measured on the catalogue's own
//! examples (each one taken out before it is asked for), on questions of other worlds, which must find nothing, and on
//! a file of one's own. It measures the search alone, not the dialogue around it, and it learns nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use amtsbote_knowledge::{Catalogue, Index, Match, Sources};
use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

/// Wrong answers that a report names, for people to look at.
const SHOWN: usize = 12;

/// Stands for "none of our services" in a file.
const NONE: &str = "-";

/// What is measured.
#[derive(Debug, Clone, Args)]
pub struct Eval {
    /// Folder with language test data (xSID, FAQ, similarity); all their sentences ask for no service of ours.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// File with a sentence, a tab and the id of the expected service (or "-") in each line.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// Prints one JSON line instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// A sentence and the service that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    text: String,
    service: Option<String>,
}

impl Question {
    fn of_another_world(text: &str) -> Self {
        Self { text: text.trim().to_owned(), service: None }
    }
}

/// What came of a set of questions. Rates are between 0 and 1.
#[derive(Debug, Default, Serialize)]
struct Score {
    set: String,
    questions: usize,
    /// Questions that ask for a service of ours.
    in_scope: usize,
    /// Of those, found as the best hit, sure or not.
    top1: Option<f64>,
    /// Of those, among the up to three that are offered.
    offered: Option<f64>,
    /// Of all sure answers, the right ones.
    sure_precision: Option<f64>,
    /// Of the questions in scope, those with a sure answer.
    sure_in_scope: Option<f64>,
    /// Of the others, those for which a service is claimed all the same.
    false_sure: Option<f64>,
    /// Of all, those where the citizen is asked which one is meant.
    unsure: f64,
    /// Wrong answers, some of them.
    wrong: Vec<String>,
}

/// Runs the command.
pub fn run(options: &Eval) -> anyhow::Result<ExitCode> {
    let sources = Sources::embedded();
    let catalogue = Catalogue::from_sources(&sources)
        .map_err(|findings| anyhow::anyhow!("the catalogue has {} errors: amtsbote check", findings.len()))?;
    let index = Index::build(&catalogue)?;
    let mut scores = vec![left_out(&sources, &catalogue)?];
    if let Some(folder) = &options.data {
        let sets = other_worlds(folder)?;
        if sets.is_empty() {
            bail!("{} holds no .conll, .tsv or .csv file with questions", folder.display());
        }
        for (name, questions) in sets {
            let answered = questions.into_iter().map(|question| (index.best(&question.text), question));
            scores.push(score(&name, answered));
        }
    }
    if let Some(file) = &options.file {
        let questions = own_file(file, &catalogue)?;
        let answered = questions.into_iter().map(|question| (index.best(&question.text), question));
        scores.push(score(&file.display().to_string(), answered));
    }
    if options.json {
        let services: Vec<&str> = catalogue.iter().map(|service| service.id.as_str()).collect();
        println!("{}", serde_json::json!({ "eval": "service search", "services": services, "sets": scores }));
    } else {
        for score in &scores {
            print(score);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(score: &Score) {
    println!("{}: {} Fragen, {} davon nach unseren Leistungen", score.set, score.questions, score.in_scope);
    let rates = [
        ("bester Treffer richtig", score.top1),
        ("unter den angebotenen", score.offered),
        ("sichere Antworten richtig", score.sure_precision),
        ("sicher beantwortet", score.sure_in_scope),
        ("fälschlich sicher", score.false_sure),
        ("Rückfrage", Some(score.unsure)),
    ];
    for (word, rate) in rates {
        if let Some(rate) = rate {
            println!("  {word:<26} {:.1} %", rate * 100.0);
        }
    }
    for wrong in &score.wrong {
        println!("    {wrong}");
    }
    println!();
}

fn score(set: &str, answered: impl Iterator<Item = (Match, Question)>) -> Score {
    let mut score = Score { set: set.to_owned(), ..Score::default() };
    let (mut top, mut offered, mut sure, mut sure_right, mut sure_inside) = (0, 0, 0, 0, 0);
    let (mut false_sure, mut unsure) = (0, 0);
    for (found, question) in answered {
        score.questions += 1;
        let (hits, is_sure) = match found {
            Match::Sure(hit) => (vec![hit.service_id], true),
            Match::Unsure(hits) => (hits.into_iter().map(|hit| hit.service_id).collect(), false),
            Match::Nothing => (Vec::new(), false),
        };
        unsure += usize::from(!is_sure && !hits.is_empty());
        sure += usize::from(is_sure);
        let is_right = if let Some(wanted) = &question.service {
            score.in_scope += 1;
            sure_inside += usize::from(is_sure);
            top += usize::from(hits.first() == Some(wanted));
            offered += usize::from(hits.contains(wanted));
            sure_right += usize::from(is_sure && hits.first() == Some(wanted));
            hits.contains(wanted)
        } else {
            false_sure += usize::from(is_sure);
            !is_sure
        };
        if !is_right && score.wrong.len() < SHOWN {
            let wanted = question.service.as_deref().unwrap_or(NONE);
            let found = if hits.is_empty() { "nichts".to_owned() } else { hits.join(", ") };
            score.wrong.push(format!("{:?} → {found} statt {wanted}", question.text));
        }
    }
    score.top1 = rate(top, score.in_scope);
    score.offered = rate(offered, score.in_scope);
    score.sure_precision = rate(sure_right, sure);
    score.sure_in_scope = rate(sure_inside, score.in_scope);
    score.false_sure = rate(false_sure, score.questions - score.in_scope);
    score.unsure = rate(unsure, score.questions).unwrap_or_default();
    score
}

fn rate(part: usize, whole: usize) -> Option<f64> {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    (whole > 0).then(|| (number(part) / number(whole) * 10_000.0).round() / 10_000.0)
}

/// Every example of every service, asked of an index that has never seen it.
fn left_out(sources: &Sources, catalogue: &Catalogue) -> anyhow::Result<Score> {
    let mut answered = Vec::new();
    for (file, text) in &sources.services {
        let table: toml::Table = text.parse().with_context(|| format!("{file} is not TOML"))?;
        let Some(id) = table.get("id").and_then(toml::Value::as_str) else { continue };
        let Some(service) = catalogue.get(id) else { continue };
        for (place, example) in service.examples.iter().enumerate() {
            let mut shorter = table.clone();
            if let Some(toml::Value::Array(examples)) = shorter.get_mut("examples") {
                examples.remove(place);
            }
            let mut without = sources.clone();
            without.services.insert(file.clone(), toml::to_string(&shorter)?);
            let Ok(catalogue) = Catalogue::from_sources(&without) else { continue };
            let index = Index::build(&catalogue)?;
            let question = Question { text: example.clone(), service: Some(id.to_owned()) };
            answered.push((index.best(example), question));
        }
    }
    Ok(score("Beispiele des Katalogs, je eines herausgenommen", answered.into_iter()))
}

/// The questions of every file in a folder that is known to be about something else, by file.
fn other_worlds(folder: &Path) -> anyhow::Result<Vec<(String, Vec<Question>)>> {
    let mut sets = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("{} is not readable", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let questions = match path.extension().and_then(|ending| ending.to_str()) {
                Some("conll") => sentences(&std::fs::read_to_string(&path)?),
                Some("tsv") => column(&std::fs::read_to_string(&path)?, '\t'),
                Some("csv") => column(&std::fs::read_to_string(&path)?, ','),
                _ => continue,
            };
            if !questions.is_empty() {
                sets.push((name, questions));
            }
        }
    }
    sets.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(sets)
}

/// The sentences of a CoNLL file: "# text = …" or "# text: …".
fn sentences(text: &str) -> Vec<Question> {
    text.lines()
        .filter_map(|line| line.strip_prefix('#')?.trim_start().strip_prefix("text"))
        .filter_map(|rest| rest.trim_start().strip_prefix(['=', ':']))
        .map(Question::of_another_world)
        .filter(|question| !question.text.is_empty())
        .collect()
}

/// The column of a table that holds what citizens ask; German rows only, if the table knows languages.
fn column(text: &str, separator: char) -> Vec<Question> {
    const NAMES: [&str; 4] = ["query", "question_2", "question", "sentence1"];
    let rows = table(text, separator);
    let Some((head, rows)) = rows.split_first() else { return Vec::new() };
    let place = |name: &str| head.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
    let Some(asked) = NAMES.iter().find_map(|name| place(name)) else { return Vec::new() };
    let language = place("lang");
    rows.iter()
        .filter(|row| language.is_none_or(|place| row.get(place).is_some_and(|word| word == "de")))
        .filter_map(|row| row.get(asked))
        .map(|text| Question::of_another_world(text))
        .filter(|question| !question.text.is_empty())
        .collect()
}

/// Rows of a table whose fields may be quoted and then hold separators and line breaks.
fn table(text: &str, separator: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter if letter == separator && !quoted => row.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

/// A file of one's own. A service that does not exist is an error, not a wrong answer.
fn own_file(file: &Path, catalogue: &Catalogue) -> anyhow::Result<Vec<Question>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("{} is not readable", file.display()))?;
    let mut questions = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = number + 1;
        let Some((text, service)) = line.split_once('\t') else {
            bail!("{} line {number} has no tab; write: sentence<TAB>service (or -)", file.display());
        };
        let service = service.trim();
        if service != NONE && catalogue.get(service).is_none() {
            let known: Vec<&str> = catalogue.iter().map(|service| service.id.as_str()).collect();
            bail!("{} line {number} names {service:?}; there are: {}, -", file.display(), known.join(", "));
        }
        let service = (service != NONE).then(|| service.to_owned());
        questions.push(Question { text: text.trim().to_owned(), service });
    }
    Ok(questions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_may_quote_separators_and_line_breaks() {
        let rows = table("question\tlang\n\"a \"\"b\"\"\tc\nd\"\tde\nx\ten\n", '\t');
        assert_eq!(rows, [vec!["question", "lang"], vec!["a \"b\"\tc\nd", "de"], vec!["x", "en"]]);
        let questions = column("question\tlang\nWo?\tde\nWhere?\ten\n", '\t');
        assert_eq!(questions, [Question::of_another_world("Wo?")]);
        assert_eq!(sentences("# text-en = A\n# text = B\n# text: C\n1\tB\n").len(), 2);
    }

    #[test]
    fn rates_count_what_they_say() {
        use amtsbote_knowledge::Hit;
        let hit = |id: &str| Hit { service_id: id.to_owned(), score: 1.0 };
        let asks =
            |service: Option<&str>| Question { text: "?".to_owned(), service: service.map(str::to_owned) };
        let answered = [
            (Match::Sure(hit("a")), asks(Some("a"))),
            (Match::Sure(hit("b")), asks(Some("a"))),
            (Match::Unsure(vec![hit("b"), hit("a")]), asks(Some("a"))),
            (Match::Nothing, asks(Some("a"))),
            (Match::Sure(hit("a")), asks(None)),
            (Match::Nothing, asks(None)),
        ];
        let score = score("x", answered.into_iter());
        assert_eq!((score.questions, score.in_scope), (6, 4));
        assert_eq!((score.top1, score.offered), (Some(0.25), Some(0.5)));
        assert_eq!((score.sure_precision, score.false_sure), (Some(0.3333), Some(0.5)));
        assert_eq!((score.sure_in_scope, score.unsure), (Some(0.5), 0.1667));
    }
}
