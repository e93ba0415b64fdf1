//! The office: all that a running instance holds, and its use cases. Only this folder, `outbox` and `jobs` open
//! transactions. It knows no web page and no chat protocol.

mod bell;
mod chat;
mod conversation;
mod delivery;
mod desk;
mod portal;
mod records;

use std::sync::Arc;
use std::time::Duration;

use amtsbote_knowledge::{CaseKind, Catalogue, Service, localized};

use crate::application::{self, Application};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::conversation::Conversation;
use crate::db::{Db, Tx};
use crate::dialog::{CaseFacts, Facts, RESUME_CODE_LENGTH};
use crate::document_request;
use crate::error::{Error, Result};
use crate::files::Files;
use crate::id::{ConversationId, PersonId};
use crate::knowledge::Library;
use crate::message::ChannelKind;
use crate::person;
use crate::seal::{Keys, MasterKey};
use crate::texts::Texts;

pub use bell::Listener;
pub use conversation::{Received, Snapshot, UploadRequest};
pub use delivery::Fetched;
pub use desk::{CaseView, DraftInput, steps};
pub use portal::PortalCase;
pub use records::Reader;

/// Most cases of a person that a conversation or the portal shows.
const CASES_SHOWN: i64 = 50;

/// How far the clocks of two instances may be apart before one's news reach the other's readers late.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// All that a running instance holds. Shared by every channel.
#[derive(Debug)]
pub struct Office {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// Sealed files.
    pub files: Files,
    /// Master key, time and randomness.
    pub keys: Keys,
    /// Services, search and classifier, which may be replaced while it runs.
    pub library: Library,
    /// The program's sentences.
    pub texts: Texts,
    bell: bell::Bell,
}

impl Office {
    /// Opens database, files and key of the configured data folder.
    pub async fn open(config: Config, clock: crate::clock::Clock) -> Result<Arc<Self>> {
        let folder = config.data.folder.clone();
        create_private(&folder).map_err(|error| {
            Error::Setup(format!(
                "cannot create the data folder {}: {error}; set data.folder to a folder that this user may write",
                folder.display()
            ))
        })?;
        let master = MasterKey::load_or_create(&config.master_key_file(), &clock)?;
        let library = Library::open(&config)?;
        Ok(Arc::new(Self {
            db: Db::open(&config.database_url()).await?,
            files: Files::local(&config.files_folder())?,
            keys: Keys { master, clock },
            library,
            texts: Texts::embedded()?,
            bell: bell::Bell::default(),
            config,
        }))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.keys.clock.now()
    }

    /// Waits for news in a conversation. Only a hint: who is woken reads the database.
    pub fn listen(&self, conversation: &ConversationId) -> Listener {
        self.bell.listen(conversation)
    }

    fn ring(&self, conversation: &ConversationId) {
        self.bell.ring(conversation);
    }

    /// Rings for the conversations that have changed since `since`, whoever wrote, and tells from when to ask the
    /// next time. Several instances share a database and not a bell; their clocks may differ by [`CLOCK_SKEW`].
    pub async fn ring_changed(&self, since: Timestamp) -> Result<Timestamp> {
        let now = self.now();
        if self.bell.is_heard() {
            let mut tx = self.db.read().await?;
            for id in crate::conversation::changed_since(&mut tx, since).await? {
                self.bell.ring(&id);
            }
        }
        Ok(now.minus(CLOCK_SKEW))
    }

    /// The service that the office offers under this id.
    pub fn service(&self, id: &str) -> Option<Arc<Service>> {
        self.catalogue().get(id).cloned()
    }

    /// The services that the office offers now.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.library.now().catalogue)
    }

    /// What the dialogue may know now.
    async fn facts<'a>(
        &'a self,
        tx: &mut Tx,
        talk: &Conversation,
        about: Who<'_>,
        now: Timestamp,
    ) -> Result<Facts<'a>> {
        let profile = match about.person {
            Some(id) => person::load(tx, &self.keys, id).await?.map(|person| person.profile),
            None => None,
        };
        let wanted = self.wanted(tx, talk, about.person).await?;
        let cases = match about.person {
            Some(id) => {
                let rows = application::of_person(tx, id, CASES_SHOWN).await?;
                rows.into_iter().map(|row| self.case_facts(&row, about.language, &wanted)).collect()
            }
            None => Vec::new(),
        };
        Ok(Facts {
            texts: &self.texts,
            catalogue: self.catalogue(),
            language: about.language.to_owned(),
            channel: about.channel,
            trust: about.trust,
            profile,
            today: now.date(),
            phone: self.config.office.phone.clone(),
            cases,
            wanted,
            fresh_id: self.keys.clock.id::<crate::id::ApplicationId>().0,
            fresh_code: self.keys.clock.code(RESUME_CODE_LENGTH),
        })
    }

    /// Documents that are asked for. Most conversations have filed nothing: then nothing can be missing.
    async fn wanted(
        &self,
        tx: &mut Tx,
        talk: &Conversation,
        person: Option<&PersonId>,
    ) -> Result<Vec<document_request::WantedItem>> {
        if talk.has_case || person.is_some() {
            document_request::wanted(tx, &self.keys, &talk.id, person).await
        } else {
            Ok(Vec::new())
        }
    }

    fn case_facts(
        &self,
        row: &application::Row,
        language: &str,
        wanted: &[document_request::WantedItem],
    ) -> CaseFacts {
        let (state_key, next_key) = application::status_text_key(row.state);
        let service = self.service(&row.service_id);
        let title = service.as_ref().map_or_else(
            || row.service_id.clone(),
            |service| localized(&service.titles, language).to_owned(),
        );
        CaseFacts {
            kind: service.map_or(CaseKind::Application, |service| service.case_kind),
            id: row.id.clone(),
            number: row.number.clone(),
            title,
            state_key,
            next_key,
            submitted: row.submitted_at,
            since: row.state_since,
            due: row.due_at.filter(|_| row.state.is_before_decision()),
            missing: wanted
                .iter()
                .filter(|item| item.application == row.id)
                .map(|item| item.label.clone())
                .collect(),
            withdrawable: row.state.is_before_decision(),
        }
    }

    /// The case, or "not found" when it does not exist.
    async fn case(&self, tx: &mut Tx, id: &crate::id::ApplicationId) -> Result<Application> {
        application::load(tx, &self.keys, id).await?.ok_or(Error::NotFound("application"))
    }
}

/// On whose behalf, in which language and where the dialogue speaks.
#[derive(Debug, Clone, Copy)]
struct Who<'a> {
    person: Option<&'a PersonId>,
    trust: amtsbote_knowledge::Trust,
    channel: ChannelKind,
    language: &'a str,
}

/// Makes the folder so that only this user may look into it; an existing one keeps its rights.
fn create_private(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}
