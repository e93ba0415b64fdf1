//! Finds the service that a sentence is about, in memory, over titles, synonyms, examples and summaries.
//! It knows words only: no conversation, no permission, no language model. It would rather say "unsure" than
//! name a service that was not meant.
//!
//! Two judges work together. The text search (BM25 over stems and trigrams) ranks; the evidence decides what
//! is said aloud: a whole name of the service stands in the sentence, or the sentence is nearly one of its
//! examples.

mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Query, TermQuery};
use tantivy::schema::{
    Field as TextField, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::{Index as TextIndex, IndexWriter, Searcher, TantivyDocument, Term};
use thiserror::Error;

use crate::catalogue::Catalogue;
use crate::service::Service;
use words::{Words, alike, share, small, trigrams};

/// Memory of the writer while the index is built, in bytes (the least that tantivy accepts).
const BUILD_MEMORY: usize = 15_000_000;
/// Longest text that is looked at, in characters.
const LONGEST_TEXT: usize = 1000;
/// Most different words of a text that are looked at.
const MOST_WORDS: usize = 40;
/// Least likeness of two words that counts at all.
const LEAST_LIKENESS: f32 = 0.4;
/// Least likeness at which a word counts as the same word, perhaps mistyped.
const SAME_WORD: f32 = 0.8;
/// Weight of a word that no service knows: it speaks a little against every one of them.
const UNKNOWN_WEIGHT: f32 = 0.7;
/// Weight of a word of every request within a name ("alter Führerschein").
const GENERIC_WEIGHT: f32 = 0.1;
/// Least likeness of the sentence with one of the examples that counts as strong evidence.
const NEAR_EXAMPLE: f32 = 0.75;
/// Least part of the sentence's own words that a sure service must explain.
const SURE_COVERAGE: f32 = 0.35;
/// Least lead of a sure service over the second.
const SURE_LEAD: f32 = 0.1;
/// Least part of the sentence's own words that a service must explain to be worth a question.
const UNSURE_COVERAGE: f32 = 0.3;
/// Least score of a service that is worth a question.
const UNSURE_SCORE: f32 = 0.4;
/// Least lead of a sure service if a whole name of another one stands in the sentence too.
const SURE_LEAD_OF_TWO: f32 = 0.3;
/// Hits below this part of the best score are not offered.
const NEAR_BEST: f32 = 0.6;
/// Most services that a question offers.
const MOST_OFFERED: usize = 3;

/// The index could not be built.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The text search refused the schema or a document.
    #[error("the search index could not be built: {0}")]
    Text(#[from] tantivy::TantivyError),
}

/// A service that fits a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Id of the service.
    pub service_id: String,
    /// How well it fits, 0 to 1; good for an order, not for a meaning.
    pub score: f32,
}

/// What a text asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Match {
    /// This service is meant.
    Sure(Hit),
    /// One of these may be meant, one to three, best first: ask.
    Unsure(Vec<Hit>),
    /// No service is meant, as far as words tell.
    Nothing,
}

/// The search over all services of a catalogue. Built once, then only read.
pub struct Index {
    words: Words,
    searcher: Searcher,
    fields: Fields,
    vocabulary: Vec<Known>,
    /// Stem → its place in `vocabulary`.
    places: BTreeMap<String, usize>,
    entries: Vec<Entry>,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("services", &self.entries.len())
            .field("words", &self.vocabulary.len())
            .finish_non_exhaustive()
    }
}

/// Fields of the text search. All hold stems or trigrams, separated by blanks.
struct Fields {
    ordinal: TextField,
    names: TextField,
    examples: TextField,
    summary: TextField,
    grams: TextField,
}

/// A word of the names and examples.
struct Known {
    stem: String,
    /// 1 = only one service knows it; less the more services do.
    weight: f32,
    generic: bool,
    services: BTreeSet<usize>,
}

/// A service with its phrases, as places in the vocabulary.
struct Entry {
    service_id: String,
    names: Vec<Vec<usize>>,
    examples: Vec<Vec<usize>>,
}

/// A service judged against a text.
struct Judged {
    entry: usize,
    score: f32,
    /// Part of the sentence's own words that the service explains.
    coverage: f32,
    /// A whole name was found, or nearly an example.
    strong: bool,
}

impl Index {
    /// The index over every service of `catalogue`.
    pub fn build(catalogue: &Catalogue) -> Result<Self, IndexError> {
        let words = Words::new();
        let mut vocabulary = Vocabulary::default();
        let mut schema = Schema::builder();
        let stems = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("whitespace")
                .set_index_option(IndexRecordOption::WithFreqs),
        );
        let fields = Fields {
            ordinal: schema.add_u64_field("ordinal", STORED),
            names: schema.add_text_field("names", stems.clone()),
            examples: schema.add_text_field("examples", stems.clone()),
            summary: schema.add_text_field("summary", stems.clone()),
            grams: schema.add_text_field("grams", stems),
        };
        let index = TextIndex::create_in_ram(schema.build());
        let mut writer: IndexWriter = index.writer_with_num_threads(1, BUILD_MEMORY)?;
        let mut entries = Vec::new();
        for (ordinal, service) in catalogue.iter().enumerate() {
            let names: Vec<Vec<String>> = names_of(service).iter().map(|name| words.stems(name)).collect();
            let examples: Vec<Vec<String>> =
                service.examples.iter().map(|example| words.stems(example)).collect();
            let summary: Vec<String> = service
                .summary
                .iter()
                .flat_map(|(language, text)| words.stems(&plain(language, text)))
                .collect();
            let different: BTreeSet<&String> = names.iter().flatten().collect();
            let grams: Vec<String> = different.into_iter().flat_map(|stem| trigrams(stem)).collect();

            let mut document = TantivyDocument::default();
            document.add_u64(fields.ordinal, u64::try_from(ordinal).unwrap_or(u64::MAX));
            document.add_text(fields.names, names.concat().join(" "));
            document.add_text(fields.examples, examples.concat().join(" "));
            document.add_text(fields.summary, summary.join(" "));
            document.add_text(fields.grams, grams.join(" "));
            writer.add_document(document)?;
            entries.push(Entry {
                service_id: service.id.clone(),
                names: names.iter().map(|name| vocabulary.places_of(name, ordinal, &words)).collect(),
                examples: examples.iter().map(|text| vocabulary.places_of(text, ordinal, &words)).collect(),
            });
        }
        writer.commit()?;
        let Vocabulary { mut known, places } = vocabulary;
        for word in &mut known {
            let all = small(entries.len());
            word.weight = (1.0 + all / small(word.services.len())).ln() / (1.0 + all).ln();
        }
        Ok(Self { words, searcher: index.reader()?.searcher(), fields, vocabulary: known, places, entries })
    }

    /// Which service a text asks for.
    pub fn best(&self, text: &str) -> Match {
        let text = beginning(text);
        let stems = self.stems(text);
        let worth = |judged: &Judged| judged.coverage >= UNSURE_COVERAGE && judged.score >= UNSURE_SCORE;
        let judged: Vec<Judged> = self.judge(&stems).into_iter().filter(worth).collect();
        let Some(first) = judged.first() else { return Match::Nothing };
        let lead = first.score - judged.get(1).map_or(0.0, |second| second.score);
        let sure = first.strong
            && first.coverage >= SURE_COVERAGE
            && lead
                >= if judged.iter().skip(1).any(|other| other.strong) { SURE_LEAD_OF_TWO } else { SURE_LEAD }
            && !self.turns_away(text, first.entry);
        if sure {
            return Match::Sure(self.hit(first));
        }
        let offered = judged
            .iter()
            .take(MOST_OFFERED)
            .filter(|judged| judged.score >= first.score * NEAR_BEST)
            .map(|judged| self.hit(judged));
        Match::Unsure(offered.collect())
    }

    /// The services that fit a text, best first, at most `limit`: for a list in which people choose.
    pub fn search(&self, text: &str, limit: usize) -> Vec<Hit> {
        self.judge(&self.stems(beginning(text))).iter().take(limit).map(|judged| self.hit(judged)).collect()
    }

    fn hit(&self, judged: &Judged) -> Hit {
        Hit { service_id: self.entries[judged.entry].service_id.clone(), score: judged.score }
    }

    /// The different stems of what was typed, in order. Nothing in the text is ever read as query syntax.
    fn stems(&self, text: &str) -> Vec<String> {
        let mut stems: Vec<String> = Vec::new();
        for stem in self.words.typed(text, |stem| self.places.contains_key(stem)) {
            if stems.len() < MOST_WORDS && !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        stems
    }

    /// A word like "verloren" or "abmelden", which the service does not know itself, asks for something else.
    fn turns_away(&self, text: &str, entry: usize) -> bool {
        let knows = |place: &usize| self.vocabulary[*place].services.contains(&entry);
        self.words.turning(text).iter().any(|stem| !self.places.get(stem).is_some_and(knows))
    }

    /// Every service for which anything speaks, best first.
    fn judge(&self, stems: &[String]) -> Vec<Judged> {
        let own: Vec<&String> = stems.iter().filter(|stem| !self.words.is_generic(stem)).collect();
        if own.is_empty() {
            return Vec::new();
        }
        // How well each known word was found in the text, and how well each service explains each own word.
        let mut found = vec![0.0_f32; self.vocabulary.len()];
        let mut explained = vec![0.0_f32; self.entries.len()];
        let mut total = 0.0;
        for stem in stems {
            let generic = self.words.is_generic(stem);
            let mut weight: Option<f32> = None;
            let mut by_entry = vec![0.0_f32; self.entries.len()];
            for (place, known) in self.vocabulary.iter().enumerate() {
                let likeness = alike(stem, &known.stem);
                if likeness < LEAST_LIKENESS {
                    continue;
                }
                found[place] = found[place].max(likeness);
                if generic || known.generic {
                    continue;
                }
                weight = Some(weight.map_or(known.weight, |weight| weight.max(known.weight)));
                for entry in &known.services {
                    by_entry[*entry] = by_entry[*entry].max(likeness);
                }
            }
            if !generic {
                let weight = weight.unwrap_or(UNKNOWN_WEIGHT);
                total += weight;
                explained.iter_mut().zip(by_entry).for_each(|(sum, likeness)| *sum += weight * likeness);
            }
        }
        if explained.iter().all(|sum| *sum <= 0.0) {
            // Most answers in a form speak of no service at all: the text search would only order nothing.
            return Vec::new();
        }
        let text_scores = self.text_scores(&own);
        let best_text = text_scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let mut judged: Vec<Judged> = (0..self.entries.len())
            .filter(|entry| explained[*entry] > 0.0)
            .map(|entry| {
                let coverage = explained[entry] / total;
                let (phrase, strong) = self.phrase(&self.entries[entry], &found, total);
                let score = 0.5 * phrase + 0.3 * coverage + 0.2 * text_scores[entry] / best_text;
                Judged { entry, score, coverage, strong }
            })
            .collect();
        judged.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.entry.cmp(&b.entry)));
        judged
    }

    /// How well the best name or example of a service was found, 0 to 1, and whether that is strong evidence.
    fn phrase(&self, entry: &Entry, found: &[f32], total: f32) -> (f32, bool) {
        let mut best = (0.0_f32, false);
        for name in &entry.names {
            let own = name.iter().filter(|place| !self.vocabulary[**place].generic).count();
            let whole = own > 0 && name.iter().all(|place| found[*place] >= SAME_WORD);
            let weight = |place: &usize| {
                if self.vocabulary[*place].generic { GENERIC_WEIGHT } else { self.vocabulary[*place].weight }
            };
            let sum: f32 = name.iter().map(weight).sum();
            let part: f32 = name.iter().map(|place| weight(place) * found[*place]).sum();
            let score = if whole {
                (0.8 + 0.05 * small(name.len())).min(1.0)
            } else if own > 0 {
                0.5 * part / sum.max(f32::MIN_POSITIVE)
            } else {
                0.0
            };
            best = (best.0.max(score), best.1 || whole);
        }
        for example in &entry.examples {
            let own: BTreeSet<usize> =
                example.iter().copied().filter(|place| !self.vocabulary[*place].generic).collect();
            let same = own.iter().filter(|place| found[**place] >= SAME_WORD).count();
            if same < 2 {
                continue;
            }
            let sum: f32 = own.iter().map(|place| self.vocabulary[*place].weight).sum();
            let part: f32 = own.iter().map(|place| self.vocabulary[*place].weight * found[*place]).sum();
            let likeness = part / sum.max(total);
            best = (best.0.max(0.9 * likeness), best.1 || likeness >= NEAR_EXAMPLE);
        }
        best
    }

    /// BM25 of each service, in the order of `entries`. An error of the text search finds nothing: the evidence
    /// of the words stands without it.
    fn text_scores(&self, stems: &[&String]) -> Vec<f32> {
        let mut scores = vec![0.0_f32; self.entries.len()];
        let term = |field: TextField, text: &str, boost: f32| -> Box<dyn Query> {
            let term = TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs);
            Box::new(BoostQuery::new(Box::new(term), boost))
        };
        let mut clauses: Vec<Box<dyn Query>> = Vec::new();
        for stem in stems {
            clauses.push(term(self.fields.names, stem, 3.0));
            clauses.push(term(self.fields.examples, stem, 1.0));
            clauses.push(term(self.fields.summary, stem, 0.5));
            if !self.places.contains_key(*stem) {
                let grams: BTreeSet<String> = trigrams(stem).into_iter().collect();
                let boost = share(1, grams.len());
                clauses.extend(grams.iter().map(|gram| term(self.fields.grams, gram, boost)));
            }
        }
        let collector = TopDocs::with_limit(self.entries.len().max(1)).order_by_score();
        for (score, address) in
            self.searcher.search(&BooleanQuery::union(clauses), &collector).unwrap_or_default()
        {
            let document = self.searcher.doc::<TantivyDocument>(address).unwrap_or_default();
            let ordinal = document.get_first(self.fields.ordinal).and_then(|value| value.as_u64());
            let place = ordinal.and_then(|ordinal| usize::try_from(ordinal).ok());
            if let Some(place) = place.and_then(|ordinal| scores.get_mut(ordinal)) {
                *place = score;
            }
        }
        scores
    }
}

/// The words of all phrases, while the index is built.
#[derive(Default)]
struct Vocabulary {
    known: Vec<Known>,
    places: BTreeMap<String, usize>,
}

impl Vocabulary {
    fn places_of(&mut self, stems: &[String], service: usize, words: &Words) -> Vec<usize> {
        stems
            .iter()
            .map(|stem| {
                let place = *self.places.entry(stem.clone()).or_insert_with(|| {
                    self.known.push(Known {
                        stem: stem.clone(),
                        weight: 1.0,
                        generic: words.is_generic(stem),
                        services: BTreeSet::new(),
                    });
                    self.known.len() - 1
                });
                self.known[place].services.insert(service);
                place
            })
            .collect()
    }
}

/// As much of a text as is looked at.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(LONGEST_TEXT).map_or(text, |(end, _)| &text[..end])
}

/// Synonyms, titles, and what a title has in brackets: "… (Liegenschaftskarte, Flurkarte)" are three names.
fn names_of(service: &Service) -> BTreeSet<String> {
    let titles = service.titles.iter().map(|(language, title)| plain(language, title));
    titles
        .flat_map(|title| title.split(['(', ')', ',']).map(str::to_owned).collect::<Vec<_>>())
        .chain(service.synonyms.iter().cloned())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// A text without the hyphens that easy language puts into long words.
fn plain(language: &str, text: &str) -> String {
    if language == "de-simple" { text.replace('-', "") } else { text.to_owned() }
}
