//! Full-text search over everything that the office knows: services, articles, offices, glossary. BM25 over stems, parts
//! of compounds, synonyms and letter pieces. It ranks; whether a hit is good enough to be said aloud is told by its
//! coverage, the part of the question that the record speaks of.

mod german;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Query, TermQuery};
use tantivy::schema::{
    Field as TextField, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument, Term};
use thiserror::Error;

use german::{German, pieces};

const SYNONYMS: &str = include_str!("../../synonyms.toml");
/// Memory of the writer while the index is built, in bytes (the least that tantivy accepts).
const BUILD_MEMORY: usize = 15_000_000;
/// Longest question that is read, in characters, and most of its words.
const LONGEST_QUESTION: usize = 1_000;
const MOST_WORDS: usize = 24;
/// Longest snippet, in characters.
const SNIPPET: usize = 220;

/// Weights of the ways in which a word may be found, tuned on the development fifth of COVID-FAQ-DE (`amtsbote eval
/// search`): in the title as a stem or part of a compound, as a piece; in the body; and as a synonym in the title.
const TITLE: f32 = 1.0;
const TITLE_PIECES: f32 = 0.2;
const BODY: f32 = 0.25;
const SYNONYM: f32 = 0.9;

/// Least coverage at which a hit answers the question rather than being near it (see [`Found::coverage`]).
pub const ANSWERS: f32 = 0.6;

/// The index could not be built.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The text search refused the schema or a document.
    #[error("the search index could not be built: {0}")]
    Text(#[from] tantivy::TantivyError),
    /// The list of synonyms is broken.
    #[error("knowledge/synonyms.toml: {0}")]
    Synonyms(#[from] toml::de::Error),
}

/// What kind of thing a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// A service of the catalogue.
    Service,
    /// An article.
    Article,
    /// An office.
    Office,
    /// An entry of the glossary.
    Term,
}

/// Something that can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Id, unique within its kind.
    pub id: String,
    /// What it is.
    pub kind: RecordKind,
    /// Its title, as shown.
    pub title: String,
    /// Other names, searched like the title.
    pub names: Vec<String>,
    /// Its text; the snippet is taken from it.
    pub text: String,
    /// Words that are searched like the text but not shown.
    pub more: String,
    /// Where it stands.
    pub source: String,
    /// Day on which it was compared with its source, ISO 8601.
    pub checked_on: String,
}

/// A record that fits a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Id of the record.
    pub id: String,
    /// What it is.
    pub kind: RecordKind,
    /// Its title.
    pub title: String,
    /// The sentence of it that is nearest to the question.
    pub snippet: String,
    /// Where it stands.
    pub source: String,
    /// Day of the last check, ISO 8601.
    pub checked_on: String,
    /// Rank score: good for an order, not for a meaning.
    pub score: f32,
    /// Part of the question's words, weighted by how rare they are, that the record contains: 0 to 1.
    pub coverage: f32,
}

/// The search. Built once, then only read; cheap to share behind an `Arc`.
pub struct Search {
    german: German,
    searcher: Searcher,
    fields: Fields,
    records: Vec<Record>,
    /// Stem → its number; how rare it is by number; the numbers of each record.
    numbers: HashMap<String, u32>,
    rarity: Vec<f32>,
    contents: Vec<BTreeSet<u32>>,
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

/// Fields of the text search: stems and parts of the title, its pieces, stems and parts of the body.
struct Fields {
    ordinal: TextField,
    title: TextField,
    pieces: TextField,
    body: TextField,
}

impl Search {
    /// The search over these records.
    pub fn build(records: Vec<Record>) -> Result<Self, SearchError> {
        let texts = records.iter().flat_map(|record| {
            let names = record.names.iter().map(String::as_str);
            [record.title.as_str(), record.text.as_str(), record.more.as_str()].into_iter().chain(names)
        });
        let german = German::new(texts, SYNONYMS)?;
        let mut schema = Schema::builder();
        let words = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("whitespace")
                .set_index_option(IndexRecordOption::WithFreqs),
        );
        let fields = Fields {
            ordinal: schema.add_u64_field("ordinal", STORED),
            title: schema.add_text_field("title", words.clone()),
            pieces: schema.add_text_field("pieces", words.clone()),
            body: schema.add_text_field("body", words),
        };
        let index = Index::create_in_ram(schema.build());
        let mut writer: IndexWriter = index.writer_with_num_threads(1, BUILD_MEMORY)?;
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut contents = Vec::with_capacity(records.len());
        for (ordinal, record) in records.iter().enumerate() {
            let titles = record.names.iter().fold(record.title.clone(), |all, name| all + " " + name);
            let title = german.words(&titles);
            let body = german.words(&format!("{} {}", record.text, record.more));
            let title_parts = with_parts(&german, &title);
            let body_parts = with_parts(&german, &body);
            let mut content = BTreeSet::new();
            for stem in title_parts.iter().chain(&body_parts) {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                content.insert(*numbers.entry(stem.clone()).or_insert(next));
            }
            contents.push(content);
            let mut document = TantivyDocument::default();
            document.add_u64(fields.ordinal, u64::try_from(ordinal).unwrap_or(u64::MAX));
            document.add_text(fields.title, title_parts.join(" "));
            let letters: Vec<String> = title.iter().flat_map(|word| pieces(word)).collect();
            document.add_text(fields.pieces, letters.join(" "));
            document.add_text(fields.body, body_parts.join(" "));
            writer.add_document(document)?;
        }
        writer.commit()?;
        let mut known_by = vec![0_usize; numbers.len()];
        for number in contents.iter().flatten() {
            known_by[*number as usize] += 1;
        }
        let all = number(records.len());
        let rarity = known_by.into_iter().map(|count| (1.0 + all / (number(count) + 0.5)).ln()).collect();
        Ok(Self { german, searcher: index.reader()?.searcher(), fields, records, numbers, rarity, contents })
    }

    /// The records that fit a question, best first, at most `limit`. Nothing in it is ever read as query syntax.
    pub fn find(&self, question: &str, limit: usize) -> Vec<Found> {
        let question: String = question.chars().take(LONGEST_QUESTION).collect();
        let mut words = self.german.words(&question);
        words.truncate(MOST_WORDS);
        if words.is_empty() || limit == 0 {
            return Vec::new();
        }
        let stems: Vec<String> = words.iter().map(|word| self.german.stem(word)).collect();
        let query = self.query(&words, &stems);
        // An error of the text search finds nothing; the dialogue then says that it does not know.
        let Ok(hits) = self.searcher.search(&query, &TopDocs::with_limit(limit).order_by_score()) else {
            return Vec::new();
        };
        hits.into_iter()
            .filter_map(|(score, address)| {
                let document: TantivyDocument = self.searcher.doc(address).ok()?;
                let ordinal = document.get_first(self.fields.ordinal)?.as_u64()?;
                let ordinal = usize::try_from(ordinal).ok()?;
                Some(self.found(ordinal, score, &words, &stems))
            })
            .collect()
    }

    fn query(&self, words: &[String], stems: &[String]) -> BooleanQuery {
        // Each term once, with the sum of its weights: a word that stands twice counts twice.
        let mut terms: BTreeMap<(TextField, String), f32> = BTreeMap::new();
        let mut add = |field: TextField, text: String, weight: f32| {
            *terms.entry((field, text)).or_default() += weight;
        };
        let mut own: BTreeSet<String> = BTreeSet::new();
        for (word, stem) in words.iter().zip(stems) {
            own.insert(stem.clone());
            let parts = self.german.parts(word);
            // Only a word that nobody knows can be a slip of the finger.
            if parts.is_none() && !self.numbers.contains_key(stem) {
                for piece in pieces(word) {
                    add(self.fields.pieces, piece, TITLE_PIECES);
                }
            }
            own.extend(parts.into_iter().flatten());
        }
        let mut same: BTreeMap<&str, f32> = BTreeMap::new();
        for stem in &own {
            add(self.fields.title, stem.clone(), TITLE);
            add(self.fields.body, stem.clone(), BODY);
            for (other, weight) in self.german.synonyms(stem) {
                if !own.contains(other) && self.numbers.contains_key(other) {
                    let known = same.entry(other).or_default();
                    *known = known.max(*weight);
                }
            }
        }
        for (other, weight) in same {
            add(self.fields.title, other.to_owned(), SYNONYM * weight);
        }
        let clauses: Vec<Box<dyn Query>> = terms
            .into_iter()
            .map(|((field, text), weight)| -> Box<dyn Query> {
                let term = TermQuery::new(Term::from_field_text(field, &text), IndexRecordOption::WithFreqs);
                Box::new(BoostQuery::new(Box::new(term), weight))
            })
            .collect();
        BooleanQuery::union(clauses)
    }

    fn found(&self, ordinal: usize, score: f32, words: &[String], stems: &[String]) -> Found {
        let record = &self.records[ordinal];
        Found {
            id: record.id.clone(),
            kind: record.kind,
            title: record.title.clone(),
            snippet: self.snippet(&record.text, stems),
            source: record.source.clone(),
            checked_on: record.checked_on.clone(),
            score,
            coverage: self.coverage(ordinal, words, stems),
        }
    }

    /// Which part of the question the record speaks of. A word that nobody knows counts as a rare one.
    fn coverage(&self, ordinal: usize, words: &[String], stems: &[String]) -> f32 {
        let content = &self.contents[ordinal];
        let unknown = (1.0 + number(self.records.len())).ln();
        let (mut all, mut known) = (0.0, 0.0);
        for (word, stem) in words.iter().zip(stems) {
            let weight = self.numbers.get(stem).map_or(unknown, |number| self.rarity[*number as usize]);
            let has = |stem: &str| self.numbers.get(stem).is_some_and(|number| content.contains(number));
            let share = if has(stem) {
                1.0
            } else if self.german.synonyms(stem).iter().any(|(other, _)| has(other)) {
                0.8
            } else if let Some(parts) = self.german.parts(word) {
                number(parts.iter().filter(|part| has(part)).count()) / 2.0
            } else {
                0.0
            };
            all += weight;
            known += weight * share;
        }
        if all > 0.0 { known / all } else { 0.0 }
    }

    /// The sentence with the most words of the question; the first one if none has any.
    fn snippet(&self, text: &str, stems: &[String]) -> String {
        let sentences =
            text.split_inclusive(['.', '!', '?', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let mut best: Option<(usize, &str)> = None;
        for sentence in sentences.take(40) {
            let words = self.german.words(sentence);
            let count = words.iter().filter(|word| stems.contains(&self.german.stem(word))).count();
            if best.is_none_or(|(known, _)| count > known) {
                best = Some((count, sentence));
            }
        }
        let sentence = best.map_or("", |(_, sentence)| sentence);
        if sentence.chars().count() <= SNIPPET {
            return sentence.to_owned();
        }
        let cut: String = sentence.chars().take(SNIPPET).collect();
        let end = cut.rfind(' ').unwrap_or(cut.len());
        format!("{} …", &cut[..end])
    }
}

fn with_parts(german: &German, words: &[String]) -> Vec<String> {
    words
        .iter()
        .flat_map(|word| std::iter::once(german.stem(word)).chain(german.parts(word).into_iter().flatten()))
        .collect()
}

/// A count as a number to reckon with; counts here stay far below 2^24.
fn number(count: usize) -> f32 {
    f32::from(u16::try_from(count >> 16).unwrap_or(u16::MAX)) * 65_536.0
        + f32::from(u16::try_from(count & 0xffff).unwrap_or_default())
}
