//! Articles (`knowledge/articles/*.md`) and the glossary (`knowledge/glossary.toml`): what people ask that is no service.
//! Each has its source and the date of its check, as every answer needs them.

use serde::{Deserialize, Serialize};

use crate::check::{Finding, Severity, iso_date};

/// A text about a general question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// File name without `.md`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Words that people use for it.
    pub keywords: Vec<String>,
    /// Where it stands.
    pub source: String,
    /// Day on which it was compared with its source, ISO 8601.
    pub checked_on: String,
    /// The text without its head.
    pub text: String,
}

/// A word of the office, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The word.
    pub term: String,
    /// What it means.
    pub text: String,
    /// The same in Leichte Sprache.
    pub simple: String,
    /// Other words for it.
    #[serde(default)]
    pub also: Vec<String>,
    /// Where it stands.
    pub source: String,
    /// Day of the check, ISO 8601.
    pub checked_on: String,
}

/// The glossary as the file has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glossary {
    /// The entries.
    #[serde(default)]
    pub entry: Vec<Term>,
}

/// Reads an article: a head of `key: value` lines between two lines of `---`, then the text.
pub(crate) fn read_article(name: &str, file: &str) -> Result<Article, Vec<Finding>> {
    let wrong = |line: usize, key: &str, problem: String, mend: &str| Finding {
        file: name.to_owned(),
        line,
        key: key.to_owned(),
        problem,
        mend: mend.to_owned(),
        severity: Severity::Error,
    };
    let head = file.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    let Some((head, text)) = head else {
        let problem = "Der Kopf zwischen zwei Zeilen „---“ fehlt.".to_owned();
        return Err(vec![wrong(
            1,
            "",
            problem,
            "Beginnen Sie mit ---, title, keywords, source, checked_on, ---.",
        )]);
    };
    let mut article = Article {
        id: name.trim_end_matches(".md").to_owned(),
        title: String::new(),
        keywords: Vec::new(),
        source: String::new(),
        checked_on: String::new(),
        text: text.trim().to_owned(),
    };
    let mut findings = Vec::new();
    for (number, line) in head.lines().enumerate() {
        let (key, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.trim();
        match key.trim() {
            "title" => value.clone_into(&mut article.title),
            "source" => value.clone_into(&mut article.source),
            "checked_on" => value.clone_into(&mut article.checked_on),
            "keywords" => {
                article.keywords = value.split(',').map(|word| word.trim().to_owned()).collect();
            }
            other => findings.push(wrong(
                number + 2,
                other,
                format!("Den Schlüssel „{other}“ gibt es hier nicht."),
                "Möglich sind: title, keywords, source, checked_on.",
            )),
        }
    }
    let needed = [
        ("title", &article.title),
        ("source", &article.source),
        ("checked_on", &article.checked_on),
        ("Text", &article.text),
    ];
    for (key, value) in needed {
        if value.is_empty() {
            findings.push(wrong(
                1,
                key,
                format!("„{key}“ fehlt."),
                "Ergänzen Sie es; ohne Quelle und Stand sagt der Assistent nichts.",
            ));
        }
    }
    if !article.checked_on.is_empty() && iso_date(&article.checked_on).is_none() {
        let problem = format!("„{}“ ist kein Datum.", article.checked_on);
        findings.push(wrong(1, "checked_on", problem, "Schreiben Sie Jahr-Monat-Tag, z. B. 2026-11-20."));
    }
    if findings.is_empty() { Ok(article) } else { Err(findings) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_needs_its_head() {
        let good = "---\ntitle: Was ist das?\nkeywords: a, b\nsource: § 1\ncheckd_on: x\n---\nText";
        let found = read_article("x.md", good).expect_err("a mistyped key");
        assert_eq!((found[0].line, found[0].key.as_str()), (5, "checkd_on"));
        let read =
            read_article("x.md", &good.replace("checkd_on: x", "checked_on: 2026-11-20")).expect("reads");
        assert_eq!((read.id.as_str(), read.keywords.len(), read.text.as_str()), ("x", 2, "Text"));
        assert_eq!(read_article("x.md", "ohne Kopf").expect_err("no head").len(), 1);
    }
}
