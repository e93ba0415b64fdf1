//! Every sentence that the program itself says, by key and language, from `core/texts/`. No sentence stands in code.
//! Facts of services are not here: they stand with their source in the catalogue.

use std::collections::BTreeMap;

use amtsbote_knowledge::{CaseKind, Catalogue};

use crate::error::{Error, Result};

/// Languages in which the program speaks; each has its file.
pub const LANGUAGES: [&str; 7] = ["de", "de-simple", "en", "uk", "tr", "ar", "ru"];

const FILES: [(&str, &str); 7] = [
    ("de", include_str!("../texts/de.toml")),
    ("de-simple", include_str!("../texts/de-simple.toml")),
    ("en", include_str!("../texts/en.toml")),
    ("uk", include_str!("../texts/uk.toml")),
    ("tr", include_str!("../texts/tr.toml")),
    ("ar", include_str!("../texts/ar.toml")),
    ("ru", include_str!("../texts/ru.toml")),
];

/// The sentences of all languages.
#[derive(Debug, Clone)]
pub struct Texts {
    languages: BTreeMap<&'static str, BTreeMap<String, String>>,
}

impl Texts {
    /// The sentences that the program carries. Fails on a file that can't be read, or on a language that lacks a
    /// sentence or a placeholder of German.
    pub fn embedded() -> Result<Self> {
        let mut languages = BTreeMap::new();
        for (language, text) in FILES {
            let sentences: BTreeMap<String, String> = toml::from_str(text)
                .map_err(|error| Error::Setup(format!("core/texts/{language}.toml: {error}")))?;
            languages.insert(language, sentences);
        }
        Ok(Self { languages })
    }

    /// The sentence for `key`; German where the language lacks it, the key itself where nobody wrote it.
    pub fn get<'a>(&'a self, language: &str, key: &'a str) -> &'a str {
        self.languages
            .get(language)
            .and_then(|sentences| sentences.get(key))
            .or_else(|| self.languages.get("de").and_then(|sentences| sentences.get(key)))
            .map_or(key, String::as_str)
    }

    /// The sentence for `key` about a case of this kind: its own one (`key@report`) if there is one.
    pub fn get_about<'a>(&'a self, language: &str, key: &'a str, kind: CaseKind) -> &'a str {
        let own = match kind {
            CaseKind::Application => None,
            CaseKind::Report => {
                self.languages.get(language).and_then(|sentences| sentences.get(&format!("{key}@report")))
            }
        };
        own.map_or_else(|| self.get(language, key), String::as_str)
    }

    /// The sentence with its placeholders filled.
    pub fn fill(&self, language: &str, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.get(language, key), values)
    }

    /// Sentences that a language lacks, or whose placeholders differ from the German ones.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        let Some(german) = self.languages.get("de") else { return vec!["de.toml".to_owned()] };
        for (language, sentences) in &self.languages {
            for (key, text) in german {
                match sentences.get(key) {
                    None => gaps.push(format!("core/texts/{language}.toml lacks \"{key}\"")),
                    Some(other) if placeholders(other) != placeholders(text) => {
                        gaps.push(format!("core/texts/{language}.toml: \"{key}\" has other placeholders"));
                    }
                    Some(_) => {}
                }
            }
            for key in sentences.keys().filter(|key| !german.contains_key(*key)) {
                gaps.push(format!("core/texts/{language}.toml has \"{key}\", German does not"));
            }
        }
        gaps
    }

    /// What is hard about the sentences in Leichte Sprache, and about those of the services: hints, not errors.
    pub fn easy_hints(&self, catalogue: &Catalogue) -> Vec<String> {
        let own = self
            .languages
            .get("de-simple")
            .into_iter()
            .flatten()
            .map(|(key, text)| (format!("core/texts/de-simple.toml: \"{key}\""), text.as_str()));
        let services = catalogue.iter().flat_map(|service| {
            let place = format!("knowledge/services/{}.toml", service.id);
            let texts = std::iter::once(&service.summary)
                .chain(service.facts.iter().map(|fact| &fact.text))
                .chain(service.fields.iter().map(|field| &field.question));
            texts
                .filter_map(|text| text.get("de-simple"))
                .map(move |text| (place.clone(), text.as_str()))
                .collect::<Vec<_>>()
        });
        own.chain(services)
            .flat_map(|(place, text)| {
                amtsbote_easy_language::check(text)
                    .into_iter()
                    .map(move |finding| format!("{place}: {finding}"))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The labels of all choices in all languages: words that the program itself puts into people's mouths.
    pub fn choice_labels(&self) -> impl Iterator<Item = &str> {
        let sentences = self.languages.values().flatten();
        sentences.filter(|(key, _)| key.starts_with("choice.")).map(|(_, text)| text.as_str())
    }

    /// Whether German knows the key.
    pub fn knows(&self, key: &str) -> bool {
        self.languages.get("de").is_some_and(|sentences| sentences.contains_key(key))
    }
}

/// Replaces `{name}` by its value, in one pass: a value that looks like a placeholder stays as it is.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let Some(end) = after.find('}') else {
            rest = &rest[start..];
            break;
        };
        let name = &after[..end];
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(value),
            None => filled.push_str(&rest[start..start + end + 2]),
        }
        rest = &after[end + 1..];
    }
    filled.push_str(rest);
    filled
}

fn placeholders(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> =
        text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_every_sentence_with_the_same_values() {
        let gaps = Texts::embedded().expect("texts").gaps();
        assert!(gaps.is_empty(), "{}", gaps.join("\n"));
    }

    #[test]
    fn a_value_is_never_read_as_a_placeholder() {
        let filled = fill("{name} wohnt in {city}", &[("name", "{city}"), ("city", "Büren")]);
        assert_eq!(filled, "{city} wohnt in Büren");
    }

    #[test]
    fn unknown_or_open_placeholders_stay() {
        assert_eq!(fill("{who} und {", &[("name", "x")]), "{who} und {");
    }
}
