//! What a running office knows: its catalogue, the search over it, and the classifier that was trained from it. All of it
//! is replaced at once when a file changes, and whoever is in the middle of a turn keeps what it began with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

pub use amtsbote_intents::OUT_OF_SCOPE;
use amtsbote_intents::{COMMAND, Example, Model, ModelError, sentences};
use amtsbote_knowledge::{Catalogue, Finding, Search, Sources};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::texts::Texts;

/// Everything that the office knows at one moment.
#[derive(Debug)]
pub struct Knowledge {
    /// The services, offices, articles.
    pub catalogue: Arc<Catalogue>,
    /// Finds any of them.
    pub search: Arc<Search>,
    /// Tells what a sentence asks for; `None` while it is being trained.
    pub classifier: Option<Model>,
    /// Names the sentences that the classifier learnt, to replay an answer later.
    pub version: String,
}

impl Knowledge {
    /// Knowledge of these texts, with the classifier if its file in `folder` fits; does not train.
    fn read(sources: &Sources, folder: Option<&Path>) -> Result<Self> {
        let catalogue = Arc::new(Catalogue::from_sources(sources).map_err(|found| wrong_catalogue(&found))?);
        let search = Search::build(catalogue.records())
            .map(Arc::new)
            .map_err(|error| Error::Setup(format!("cannot build the search index: {error}")))?;
        let version = Model::fingerprint(&examples(&catalogue));
        let classifier = folder.and_then(|folder| Model::load(&file(folder, &version), &version).ok());
        Ok(Self { catalogue, search, classifier, version })
    }

    /// What an office with these settings knows, without its classifier.
    pub fn untrained(config: &Config) -> Result<Self> {
        Self::read(&sources(config.catalogue.own())?, None)
    }

    /// What an office with these settings knows, with its classifier, which is trained now if it is not kept.
    pub fn trained(config: &Config) -> Result<Self> {
        let folder = config.models_folder();
        Self::read(&sources(config.catalogue.own())?, Some(&folder))?.taught(&folder)
    }

    /// The same with its classifier, which is trained now if it is missing.
    fn taught(mut self, folder: &Path) -> Result<Self> {
        if self.classifier.is_none() {
            self.classifier = Some(train(&self.catalogue, folder)?);
        }
        Ok(self)
    }
}

/// The knowledge of a running office, and where it comes from.
#[derive(Debug)]
pub struct Library {
    now: RwLock<Arc<Knowledge>>,
    /// Folder of the operator's own files; `None` if there is none.
    own: Option<PathBuf>,
    /// Where trained classifiers are kept.
    models: PathBuf,
}

impl Library {
    /// Reads everything; a classifier that is not kept yet is trained by [`Library::train_missing`].
    pub fn open(config: &Config) -> Result<Self> {
        let own = config.catalogue.own().map(Path::to_path_buf);
        let models = config.models_folder();
        let knowledge = Knowledge::read(&sources(own.as_deref())?, Some(&models))?;
        Ok(Self { now: RwLock::new(Arc::new(knowledge)), own, models })
    }

    /// What is known now.
    pub fn now(&self) -> Arc<Knowledge> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Trains the classifier if it is missing. Takes seconds of processor time: not while others wait for the thread.
    pub fn train_missing(&self) -> Result<()> {
        let known = self.now();
        if known.classifier.is_some() {
            return Ok(());
        }
        let taught = Knowledge {
            catalogue: Arc::clone(&known.catalogue),
            search: Arc::clone(&known.search),
            classifier: None,
            version: known.version.clone(),
        };
        self.replace(taught.taught(&self.models)?);
        Ok(())
    }

    /// What the operator's files look like now: changes with every change of one of them.
    pub fn traces(&self) -> BTreeMap<PathBuf, (SystemTime, u64)> {
        let Some(own) = &self.own else { return BTreeMap::new() };
        let folders = [own.clone(), own.join("articles")];
        let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
        files
            .filter_map(|entry| {
                let about = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some((entry.path(), (about.modified().ok()?, about.len())))
            })
            .collect()
    }

    /// Reads the operator's files anew, trains what has changed and puts all of it in place at once. Until then, and
    /// if a file is wrong, the office goes on with what it knew. Takes seconds: not while others wait for the thread.
    pub fn reload(&self) -> Result<()> {
        let fresh = Knowledge::read(&sources(self.own.as_deref())?, Some(&self.models))?;
        self.replace(fresh.taught(&self.models)?);
        Ok(())
    }

    fn replace(&self, knowledge: Knowledge) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(knowledge);
    }
}

/// What the program carries, with the operator's files in front of it.
fn sources(own: Option<&Path>) -> Result<Sources> {
    let mut sources = Sources::embedded();
    if let Some(folder) = own {
        sources.add_own(folder).map_err(|findings| wrong_catalogue(&findings))?;
    }
    Ok(sources)
}

fn train(catalogue: &Catalogue, folder: &Path) -> Result<Model> {
    let examples = examples(catalogue);
    let fingerprint = Model::fingerprint(&examples);
    let wrong = |error: ModelError| Error::Setup(format!("cannot train the classifier: {error}"));
    let model = Model::train(&examples).map_err(wrong)?;
    // A file that can't be kept costs the next start some seconds, nothing else.
    let kept = std::fs::create_dir_all(folder)
        .map_err(ModelError::from)
        .and_then(|()| model.save(&file(folder, &fingerprint), &fingerprint));
    if let Err(error) = kept {
        tracing::warn!(error = %error, folder = %folder.display(), "the trained classifier could not be kept; it will be trained again");
    }
    Ok(model)
}

fn file(folder: &Path, fingerprint: &str) -> PathBuf {
    folder.join(format!("intents-{fingerprint}.safetensors"))
}

/// The sentences that the classifier learns: titles, names and examples of every service, commands, emergencies, and what
/// no office does.
fn examples(catalogue: &Catalogue) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut add = |label: &str, text: &str, plain: bool| {
        examples.push(Example { label: label.to_owned(), text: text.to_owned(), plain });
    };
    for service in catalogue.iter() {
        for (language, title) in &service.titles {
            add(&service.id, title, language == "de");
        }
        for text in service.synonyms.iter().chain(&service.examples) {
            add(&service.id, text, true);
        }
        for text in service.foreign.values().flatten() {
            add(&service.id, text, false);
        }
        // What people answer in a form is no wish for any service.
        for field in &service.fields {
            add(COMMAND, &field.example, false);
            let choices =
                field.choices.iter().flat_map(|choice| choice.label.values().chain(&choice.synonyms));
            choices.for_each(|text| add(COMMAND, text, false));
        }
    }
    if let Ok(texts) = Texts::embedded() {
        texts.choice_labels().for_each(|text| add(COMMAND, text, false));
    }
    examples.extend(sentences());
    examples
}

fn wrong_catalogue(findings: &[Finding]) -> Error {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Error::Setup(format!("the catalogue has errors; mend them and start again:\n{}", lines.join("\n")))
}
