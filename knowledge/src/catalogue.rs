//! The catalogue: every service by id, the units, and the text of each definition as it was read.
//! A catalogue exists only without errors; what is wrong with a file is said by `check`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rust_embed::RustEmbed;

use crate::check::{Finding, Severity, judge, read_offices, read_service};
use crate::office::{OfficeUnit, Offices};
use crate::service::Service;

#[derive(RustEmbed)]
#[folder = "services/"]
struct EmbeddedServices;

const EMBEDDED_OFFICES: &str = include_str!("../offices.toml");

/// The texts that a catalogue is made of, not yet judged.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Text of `offices.toml`.
    pub offices: String,
    /// File name without folder (`liegenschaftskarte.toml`) → text.
    pub services: BTreeMap<String, String>,
}

impl Sources {
    /// The files that the program carries.
    pub fn embedded() -> Self {
        let services = EmbeddedServices::iter()
            .filter(|name| name.ends_with(".toml"))
            .filter_map(|name| {
                let file = EmbeddedServices::get(&name)?;
                Some((name.to_string(), String::from_utf8_lossy(&file.data).into_owned()))
            })
            .collect();
        Self { offices: EMBEDDED_OFFICES.to_owned(), services }
    }

    /// The files of a folder: `offices.toml` and `services/*.toml`. An unreadable file is a finding.
    pub fn folder(folder: &Path) -> Result<Self, Vec<Finding>> {
        let mut sources = Self { offices: read_text(&folder.join("offices.toml"))?, ..Self::default() };
        sources.add_services(&folder.join("services"))?;
        Ok(sources)
    }

    /// Adds every `*.toml` of a folder; a file replaces one of the same name.
    pub fn add_services(&mut self, folder: &Path) -> Result<(), Vec<Finding>> {
        let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(folder, &error))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.services.insert(name, read_text(&path)?);
            }
        }
        Ok(())
    }
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
        findings.retain(|finding| finding.severity == Severity::Error);
        if findings.is_empty() { Ok(Self { services, offices }) } else { Err(findings) }
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
