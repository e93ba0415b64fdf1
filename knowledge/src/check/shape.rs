//! Reads a TOML text into a type and keeps where each key stands. Unknown keys are found all at once; of the
//! other mistakes of shape (missing key, wrong type, unknown value) the first one, as a compiler would.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::{Finding, Severity};

/// Where each key of a document stands.
pub(crate) struct Document {
    file: String,
    root: Place,
    /// Byte offset at which each line begins.
    lines: Vec<usize>,
}

/// A value and where it stands.
struct Place {
    span: Range<usize>,
    inside: Inside,
}

enum Inside {
    Table(BTreeMap<String, (Range<usize>, Place)>),
    List(Vec<Place>),
    Leaf(String),
}

/// Reads `text` as a `T`.
pub(crate) fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<(T, Document), Vec<Finding>> {
    let lines =
        std::iter::once(0).chain(text.match_indices('\n').map(|(position, _)| position + 1)).collect();
    let (mut root, errors) = DeTable::parse_recoverable(text);
    let place = Place { span: root.span(), inside: table_place(root.get_ref()) };
    let document = Document { file: file.to_owned(), root: place, lines };
    if !errors.is_empty() {
        return Err(errors.iter().map(|error| document.syntax_finding(error)).collect());
    }

    let mut findings = Vec::new();
    loop {
        match T::deserialize(Deserializer::from(root.clone())) {
            Ok(value) if findings.is_empty() => return Ok((value, document)),
            Ok(_) => return Err(in_order(findings)),
            Err(error) => {
                let unknown = error.message().starts_with("unknown field");
                let path = document.path_of(&error.span().unwrap_or_default());
                findings.push(document.shape_finding(&error, &path));
                // Without the unknown key the rest can be read, so that one run shows all of them.
                if !unknown || !remove(root.get_mut(), &path) {
                    return Err(in_order(findings));
                }
            }
        }
    }
}

fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.line);
    findings
}

fn place(value: &Spanned<DeValue<'_>>) -> Place {
    let inside = match value.get_ref() {
        DeValue::String(text) => Inside::Leaf(text.to_string()),
        DeValue::Integer(number) => Inside::Leaf(number.to_string()),
        DeValue::Float(number) => Inside::Leaf(number.to_string()),
        DeValue::Boolean(flag) => Inside::Leaf(flag.to_string()),
        DeValue::Datetime(time) => Inside::Leaf(time.to_string()),
        DeValue::Array(list) => Inside::List(list.iter().map(place).collect()),
        DeValue::Table(table) => table_place(table),
    };
    Place { span: value.span(), inside }
}

fn table_place(table: &DeTable<'_>) -> Inside {
    Inside::Table(
        table.iter().map(|(key, value)| (key.get_ref().to_string(), (key.span(), place(value)))).collect(),
    )
}

/// Removes the key at `path`; `false` if there is none.
fn remove(table: &mut DeTable<'_>, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    if rest.is_empty() {
        return table.remove(first.as_str()).is_some();
    }
    let Some(value) = table.get_mut(first.as_str()) else { return false };
    remove_inside(value.get_mut(), rest)
}

fn remove_inside(value: &mut DeValue<'_>, path: &[String]) -> bool {
    match value {
        DeValue::Table(table) => remove(table, path),
        DeValue::Array(list) => {
            let Some((first, rest)) = path.split_first() else { return false };
            let Some(element) = first.parse::<usize>().ok().and_then(|index| list.get_mut(index)) else {
                return false;
            };
            remove_inside(element.get_mut(), rest)
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => false,
    }
}

impl Document {
    /// A finding at `path` (`fields.3.example`): line and readable key are looked up. If the path does not
    /// exist (a missing key), the line is that of the nearest thing around it.
    pub(crate) fn finding(&self, path: &str, problem: String, mend: String, severity: Severity) -> Finding {
        let steps: Vec<String> = path.split('.').map(str::to_owned).collect();
        let (offset, key) = self.locate(&steps);
        Finding { file: self.file.clone(), line: self.line(offset), key, problem, mend, severity }
    }

    /// Whether the file has this key at its top.
    pub(crate) fn has(&self, key: &str) -> bool {
        matches!(&self.root.inside, Inside::Table(entries) if entries.contains_key(key))
    }

    /// File name without `.toml`.
    pub(crate) fn file_stem(&self) -> &str {
        self.file.strip_suffix(".toml").unwrap_or(&self.file)
    }

    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|begin| *begin <= offset)
    }

    /// Offset and readable form of a path; elements of lists are named by their id, topic or value.
    fn locate(&self, steps: &[String]) -> (usize, String) {
        let mut here = &self.root;
        let mut offset = 0;
        let mut names: Vec<String> = Vec::new();
        for (depth, step) in steps.iter().enumerate() {
            let next = match &here.inside {
                Inside::Table(entries) => {
                    entries.get(step).map(|(key, value)| (key.start, step.clone(), value))
                }
                Inside::List(list) => {
                    step.parse::<usize>().ok().and_then(|index| list.get(index)).map(|element| {
                        let name = element.name().map_or_else(|| step.clone(), str::to_owned);
                        (element.span.start, name, element)
                    })
                }
                Inside::Leaf(_) => None,
            };
            let Some((start, name, value)) = next else {
                names.extend(steps[depth..].iter().cloned());
                break;
            };
            offset = start;
            names.push(name);
            here = value;
        }
        (offset, names.join("."))
    }

    /// The path of the key or value that stands exactly at `span`; of the innermost one around it otherwise.
    fn path_of(&self, span: &Range<usize>) -> Vec<String> {
        fn search(here: &Place, span: &Range<usize>, path: &mut Vec<String>) -> bool {
            let children: Vec<(String, Option<&Range<usize>>, &Place)> = match &here.inside {
                Inside::Table(entries) => {
                    entries.iter().map(|(key, (at, value))| (key.clone(), Some(at), value)).collect()
                }
                Inside::List(list) => {
                    list.iter().enumerate().map(|(index, value)| (index.to_string(), None, value)).collect()
                }
                Inside::Leaf(_) => Vec::new(),
            };
            for (name, key, value) in children {
                path.push(name);
                if key == Some(span) || search(value, span, path) {
                    return true;
                }
                if value.span == *span {
                    return true;
                }
                path.pop();
            }
            false
        }
        let mut path = Vec::new();
        search(&self.root, span, &mut path);
        path
    }

    fn syntax_finding(&self, error: &Error) -> Finding {
        let offset = error.span().map_or(0, |span| span.start);
        Finding {
            file: self.file.clone(),
            line: self.line(offset),
            key: String::new(),
            problem: format!("Die Datei ist kein gültiges TOML: {}", error.message()),
            mend: "Prüfen Sie in dieser Zeile Anführungszeichen, Klammern und Gleichheitszeichen.".to_owned(),
            severity: Severity::Error,
        }
    }

    /// A mistake of shape, told from the words of the deserializer.
    fn shape_finding(&self, error: &Error, path: &[String]) -> Finding {
        let message = error.message();
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let (first, others) = quoted.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        let (offset, place) = self.locate(path);
        let offset = if path.is_empty() { 0 } else { offset };
        let (key, problem, mend) = if message.starts_with("unknown field") {
            (place, format!("Den Schlüssel „{first}“ gibt es hier nicht."), suggestion(first, others))
        } else if message.starts_with("missing field") {
            let key = if place.is_empty() { first.to_owned() } else { format!("{place}.{first}") };
            let problem = format!("Der Schlüssel „{first}“ fehlt.");
            (key, problem, format!("Ergänzen Sie „{first} = …“ in diesem Abschnitt."))
        } else if message.starts_with("unknown variant") {
            (place, format!("Den Wert „{first}“ gibt es hier nicht."), suggestion(first, others))
        } else {
            (
                place,
                format!("Der Wert passt nicht: {}", german(message)),
                "Schreiben Sie einen Wert der verlangten Art; Texte in Anführungszeichen, Zahlen ohne."
                    .to_owned(),
            )
        };
        Finding {
            file: self.file.clone(),
            line: self.line(offset),
            key,
            problem,
            mend,
            severity: Severity::Error,
        }
    }
}

impl Place {
    /// What people call an element of a list.
    fn name(&self) -> Option<&str> {
        let Inside::Table(entries) = &self.inside else { return None };
        ["id", "topic", "value"].iter().find_map(|key| match entries.get(*key) {
            Some((_, Place { inside: Inside::Leaf(text), .. })) => Some(text.as_str()),
            Some(_) | None => None,
        })
    }
}

/// "Meinten Sie …?" with the nearest of the known words, else all of them.
fn suggestion(word: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|other| (distance(word, other), *other)).min();
    match nearest {
        Some((distance, other)) if distance <= 2.max(word.chars().count() / 3) => {
            format!("Meinten Sie „{other}“?")
        }
        Some(_) => format!("Möglich sind: {}.", known.join(", ")),
        None => "Löschen Sie den Schlüssel.".to_owned(),
    }
}

/// Edit distance (Levenshtein) in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// The deserializer's sentence in German, as far as it has fixed words.
fn german(message: &str) -> String {
    [
        ("invalid type: ", "hier steht "),
        ("invalid value: ", "hier steht "),
        (", expected ", "; verlangt wird "),
        ("integer", "die ganze Zahl"),
        ("floating point", "die Kommazahl"),
        ("string ", "der Text "),
        ("boolean", "ja oder nein"),
        ("a string", "ein Text"),
        ("a boolean", "true oder false"),
        ("a sequence", "eine Liste"),
        ("sequence", "eine Liste"),
        ("a map", "ein Abschnitt"),
        ("map", "ein Abschnitt"),
        ("u32", "eine ganze Zahl ab 0"),
        ("usize", "eine ganze Zahl ab 0"),
        ("i64", "eine ganze Zahl"),
    ]
    .into_iter()
    .fold(message.to_owned(), |text, (english, word)| text.replace(english, word))
}
