//! The catalogue: every service by id, the units, and the text of each definition as it was read.
//! A catalogue exists only without errors; what is wrong with a file is said by `check`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rust_embed::RustEmbed;

use crate::article::{Article, Glossary, Term, read_article};
use crate::check::{Finding, Severity, judge, read_glossary, read_offices, read_service};
use crate::office::{OfficeUnit, Offices};
use crate::search::{Record, RecordKind};
use crate::service::Service;

#[derive(RustEmbed)]
#[folder = "services/"]
struct EmbeddedServices;

#[derive(RustEmbed)]
#[folder = "articles/"]
struct EmbeddedArticles;

const EMBEDDED_GLOSSARY: &str = include_str!("../glossary.toml");

const EMBEDDED_OFFICES: &str = include_str!("../offices.toml");

/// The texts that a catalogue is made of, not yet judged.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Text of `offices.toml`.
    pub offices: String,
    /// File name without folder (`liegenschaftskarte.toml`) → text.
    pub services: BTreeMap<String, String>,
    /// File name without folder (`bescheid.md`) → text.
    pub articles: BTreeMap<String, String>,
    /// Text of `glossary.toml`.
    pub glossary: String,
}

impl Sources {
    /// The files that the program carries.
    pub fn embedded() -> Self {
        Self {
            offices: EMBEDDED_OFFICES.to_owned(),
            services: embedded::<EmbeddedServices>(".toml"),
            articles: embedded::<EmbeddedArticles>(".md"),
            glossary: EMBEDDED_GLOSSARY.to_owned(),
        }
    }

    /// The files of a folder: `offices.toml`, `services/*.toml`, and, if they are there, `articles/*.md` and
    /// `glossary.toml`. An unreadable file is a finding.
    pub fn folder(folder: &Path) -> Result<Self, Vec<Finding>> {
        let mut sources = Self { offices: read_text(&folder.join("offices.toml"))?, ..Self::default() };
        sources.add_services(&folder.join("services"))?;
        sources.add_articles(folder)?;
        let glossary = folder.join("glossary.toml");
        if glossary.is_file() {
            sources.glossary = read_text(&glossary)?;
        }
        Ok(sources)
    }

    /// Adds an operator's files: services (`*.toml`) and, if they are there, `articles/*.md`; a file replaces one of the
    /// same name.
    pub fn add_own(&mut self, folder: &Path) -> Result<(), Vec<Finding>> {
        self.add_services(folder)?;
        self.add_articles(folder)
    }

    /// Adds every `*.toml` of a folder; a file replaces one of the same name.
    pub fn add_services(&mut self, folder: &Path) -> Result<(), Vec<Finding>> {
        read_folder(folder, "toml", &mut self.services)
    }

    fn add_articles(&mut self, folder: &Path) -> Result<(), Vec<Finding>> {
        let articles = folder.join("articles");
        if articles.is_dir() { read_folder(&articles, "md", &mut self.articles) } else { Ok(()) }
    }
}

fn embedded<F: RustEmbed>(ending: &str) -> BTreeMap<String, String> {
    F::iter()
        .filter(|name| name.ends_with(ending))
        .filter_map(|name| {
            let file = F::get(&name)?;
            Some((name.to_string(), String::from_utf8_lossy(&file.data).into_owned()))
        })
        .collect()
}

fn read_folder(
    folder: &Path,
    ending: &str,
    files: &mut BTreeMap<String, String>,
) -> Result<(), Vec<Finding>> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, read_text(&path)?);
        }
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String, Vec<Finding>> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Vec<Finding> {
    vec![Finding {
        file: path.display().to_string(),
        line: 0,
        key: String::new(),
        problem: format!("lässt sich nicht lesen: {error}"),
        mend: "Prüfen Sie Pfad, Leserechte und die Kodierung (UTF-8).".to_owned(),
        severity: Severity::Error,
    }]
}

/// Every service that the office offers. Cheap to share: keep it in an `Arc`.
#[derive(Debug, Clone)]
pub struct Catalogue {
    services: BTreeMap<String, Entry>,
    offices: Offices,
    articles: BTreeMap<String, Article>,
    glossary: Vec<Term>,
}

#[derive(Debug, Clone)]
struct Entry {
    service: Arc<Service>,
    text: String,
}

impl Catalogue {
    /// The catalogue that the program carries. Dates are not compared with today here: `check_sources` does.
    pub fn embedded() -> Result<Self, Vec<Finding>> {
        Self::from_sources(&Sources::embedded())
    }

    /// The catalogue of a folder with `offices.toml` and `services/*.toml`.
    pub fn load(folder: &Path) -> Result<Self, Vec<Finding>> {
        Self::from_sources(&Sources::folder(folder)?)
    }

    /// The catalogue of these texts. Fails with every error of every file; warnings do not count.
    pub fn from_sources(sources: &Sources) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let offices = read_offices(&sources.offices).unwrap_or_else(|found| {
            findings.extend(found);
            Offices::default()
        });
        let mut services = BTreeMap::new();
        for (name, text) in &sources.services {
            match read_service(name, text) {
                Ok(read) => {
                    findings.extend(judge(&read, &offices, None));
                    let entry = Entry { service: Arc::new(read.service), text: text.clone() };
                    services.insert(entry.service.id.clone(), entry);
                }
                Err(found) => findings.extend(found),
            }
        }
        let mut articles = BTreeMap::new();
        for (name, text) in &sources.articles {
            match read_article(name, text) {
                Ok(article) => {
                    articles.insert(article.id.clone(), article);
                }
                Err(found) => findings.extend(found),
            }
        }
        let glossary = read_glossary(&sources.glossary).unwrap_or_else(|found| {
            findings.extend(found);
            Glossary::default()
        });
        findings.retain(|finding| finding.severity == Severity::Error);
        if findings.is_empty() {
            Ok(Self { services, offices, articles, glossary: glossary.entry })
        } else {
            Err(findings)
        }
    }

    /// Everything that can be found: services, articles, offices, glossary.
    pub fn records(&self) -> Vec<Record> {
        let services = self.iter().map(|service| service_record(service, self.unit(&service.unit)));
        let articles = self.articles.values().map(|article| Record {
            id: article.id.clone(),
            kind: RecordKind::Article,
            title: article.title.clone(),
            names: article.keywords.clone(),
            text: article.text.clone(),
            more: String::new(),
            source: article.source.clone(),
            checked_on: article.checked_on.clone(),
        });
        let offices = self.units().map(|unit| {
            let parts = [unit.address.as_ref(), unit.phone.as_ref(), unit.hours.as_ref()];
            let known: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
            Record {
                id: unit.id.clone(),
                kind: RecordKind::Office,
                title: unit.name.clone(),
                names: Vec::new(),
                text: known.join(". "),
                more: "Adresse Öffnungszeiten Telefon Anfahrt".to_owned(),
                source: unit.source.clone(),
                checked_on: unit.checked_on.clone(),
            }
        });
        let terms = self.glossary.iter().map(|term| Record {
            id: term.term.clone(),
            kind: RecordKind::Term,
            title: term.term.clone(),
            names: term.also.clone(),
            text: term.text.clone(),
            more: "bedeutet heißt Bedeutung Begriff".to_owned(),
            source: term.source.clone(),
            checked_on: term.checked_on.clone(),
        });
        services.chain(articles).chain(offices).chain(terms).collect()
    }

    /// The article with this id.
    pub fn article(&self, id: &str) -> Option<&Article> {
        self.articles.get(id)
    }

    /// The entry of the glossary for this word.
    pub fn term(&self, word: &str) -> Option<&Term> {
        self.glossary.iter().find(|term| term.term == word)
    }

    /// The service with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Service>> {
        self.services.get(id).map(|entry| &entry.service)
    }

    /// All services, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.services.values().map(|entry| &entry.service)
    }

    /// How many services there are.
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether there is no service at all.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// The unit with this id.
    pub fn unit(&self, id: &str) -> Option<&OfficeUnit> {
        self.offices.unit(id)
    }

    /// All units, in the order of the file.
    pub fn units(&self) -> impl Iterator<Item = &OfficeUnit> {
        self.offices.office.iter()
    }

    /// The definition as it was read, to be kept with each application.
    pub fn version_text(&self, id: &str) -> Option<&str> {
        self.services.get(id).map(|entry| entry.text.as_str())
    }

    /// A definition that was kept with an application. It is read without judgement: what was lawful then stays.
    pub fn read_version(text: &str) -> Option<Service> {
        toml::from_str(text).ok()
    }
}

fn service_record(service: &Service, unit: Option<&OfficeUnit>) -> Record {
    let text = |texts: &crate::service::Localized| texts.get("de").cloned().unwrap_or_default();
    let facts: Vec<String> = service.facts.iter().map(|fact| text(&fact.text)).collect();
    // A service without a stated fact still has a responsible unit, whose entry is the source of that.
    let (source, checked_on) = match (service.facts.first(), unit) {
        (Some(fact), _) => (fact.source.clone(), fact.checked_on.clone()),
        (None, Some(unit)) => (unit.source.clone(), unit.checked_on.clone()),
        (None, None) => (String::new(), String::new()),
    };
    let titles =
        service.titles.iter().filter(|(language, _)| *language != "de").map(|(_, title)| title.clone());
    Record {
        id: service.id.clone(),
        kind: RecordKind::Service,
        title: text(&service.titles),
        names: service.synonyms.iter().cloned().chain(titles).collect(),
        text: format!("{} {}", text(&service.summary), facts.join(" ")),
        more: service.examples.join(" "),
        source,
        checked_on,
    }
}
