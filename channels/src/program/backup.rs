//! `amtsbote backup`: a consistent copy while the program runs, its verification, and the way back. An archive is a
//! zip file or a folder with `amtsbote.db`, `files/` and `manifest.json`. It never holds the settings, and the master
//! key only where somebody asked for it; without that key an archive tells nobody anything.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use amtsbote_core::clock::{Clock, Timestamp};
use amtsbote_core::config::Config;
use amtsbote_core::db::{DatabaseKind, Db};
use amtsbote_core::files::Files;
use amtsbote_core::seal::{MasterKey, hex};
use amtsbote_core::{audit, document};
use anyhow::{Context, bail};
use aws_lc_rs::digest;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Name of the database in an archive.
const DATABASE: &str = "amtsbote.db";

/// Name of the master key in an archive.
const KEY: &str = "master.key";

/// Name of the list of contents.
const MANIFEST: &str = "manifest.json";

/// Version of the form of archives.
const FORMAT: u32 = 1;

/// What is done with archives.
#[derive(Debug, Subcommand)]
pub enum Backup {
    /// Writes a consistent copy, also while the office runs, and reads it back at once.
    Create {
        /// A file that ends with .zip, or a folder that does not exist yet.
        target: PathBuf,
        /// Puts the master key into the archive: then keep the archive like the key itself.
        #[arg(long)]
        with_key: bool,
    },
    /// Reads every byte of an archive: sums, database, audit chain.
    Verify {
        /// The archive.
        archive: PathBuf,
        /// The master key file, to see whether it belongs to the archive.
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Verifies an archive and unpacks it into a fresh data folder.
    Restore {
        /// The archive.
        archive: PathBuf,
        /// The data folder to make; it must not exist or be empty.
        #[arg(long)]
        into: PathBuf,
        /// The master key file, unless the archive holds the key.
        #[arg(long)]
        key: Option<PathBuf>,
    },
}

/// The list of contents.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    program: String,
    made_at: Timestamp,
    database: String,
    with_key: bool,
    /// Keyed hash by which the right master key is known; it tells nothing about the key.
    key_check: Option<String>,
    entries: Vec<Entry>,
    /// Files that were removed while the copy was made.
    gone: Vec<String>,
}

/// One file of an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    path: String,
    bytes: u64,
    sha256: String,
}

/// What the doctor reads: when the last good backup was made, and where.
#[derive(Debug, Serialize, Deserialize)]
pub struct Marker {
    /// When.
    pub made_at: Timestamp,
    /// Path of the archive.
    pub archive: String,
    /// How many documents are in it.
    pub documents: usize,
}

/// Where the marker lies.
pub fn marker_file(config: &Config) -> PathBuf {
    config.data.folder.join("last-backup.json")
}

/// Runs the command.
pub async fn run(config: &Config, command: Backup) -> anyhow::Result<ExitCode> {
    match command {
        Backup::Create { target, with_key } => create(config, &target, with_key).await,
        Backup::Verify { archive, .. } | Backup::Restore { archive, .. } if !archive.exists() => {
            Ok(wrong_usage(&format!("{} gibt es nicht. Nennen Sie ein Archiv.", archive.display())))
        }
        Backup::Verify { archive, key } => {
            let verdict = verify(&archive, key.as_deref()).await?;
            verdict.print(&archive);
            Ok(if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        Backup::Restore { archive, into, key } => restore(&archive, &into, key.as_deref()).await,
    }
}

/// A sentence, and the exit code of wrong usage.
fn wrong_usage(sentence: &str) -> ExitCode {
    eprintln!("{sentence}");
    ExitCode::from(2)
}

fn exists_with_content(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => path.exists(),
    }
}

async fn create(config: &Config, target: &Path, with_key: bool) -> anyhow::Result<ExitCode> {
    if exists_with_content(target) {
        return Ok(wrong_usage(&format!(
            "{} gibt es schon; ein Archiv wird nie überschrieben. Geben Sie einen neuen Namen an.",
            target.display()
        )));
    }
    let key_file = config.master_key_file();
    if !key_file.exists() {
        return Ok(wrong_usage(&format!(
            "In {} liegt kein Hauptschlüssel (master.key), also auch kein Amt. Nennen Sie den Datenordner: \
             --set data.folder=…",
            config.data.folder.display()
        )));
    }
    let clock = Clock::System;
    let master = MasterKey::load_or_create(&key_file, &clock)?;
    let db = Db::open(&config.database_url()).await?;
    let files = Files::local(&config.files_folder())?;
    let work = tempfile::Builder::new()
        .prefix("backup-")
        .tempdir_in(&config.data.folder)
        .context("im Datenordner ist kein Platz für die Zwischenkopie der Datenbank")?;
    let is_sqlite = db.kind() == DatabaseKind::Sqlite;
    let made_at = clock.now();
    // The database first: every file that the copy names is on disk before its row is, so it is found afterwards.
    let copy = work.path().join(DATABASE);
    if is_sqlite {
        db.copy_to(&copy).await?;
    }
    let names =
        referenced(if is_sqlite { Db::open(&sqlite_url(&copy)).await? } else { db.clone() }, &files).await?;
    db.close().await;

    let mut sink = Sink::create(target)?;
    let mut manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        database: if is_sqlite { "sqlite" } else { "postgres" }.to_owned(),
        with_key,
        key_check: Some(key_check(&master)),
        entries: Vec::new(),
        gone: Vec::new(),
    };
    if is_sqlite {
        manifest.entries.push(sink.add(DATABASE, &mut File::open(&copy)?)?);
    }
    for name in &names {
        match files.get(name).await {
            Ok(bytes) => manifest.entries.push(sink.add(&format!("files/{name}"), &mut bytes.as_slice())?),
            Err(amtsbote_core::error::Error::NotFound(_)) => manifest.gone.push(name.clone()),
            Err(error) => return Err(error.into()),
        }
    }
    if with_key {
        manifest.entries.push(sink.add(KEY, &mut File::open(&key_file)?)?);
    }
    sink.finish(&manifest)?;

    let verdict = verify(target, None).await?;
    if !verdict.is_good() {
        verdict.print(target);
        return Ok(ExitCode::from(1));
    }
    let documents = names.len() - manifest.gone.len();
    let shown = std::path::absolute(target).unwrap_or_else(|_| target.to_path_buf()).display().to_string();
    let marker = Marker { made_at, archive: shown.clone(), documents };
    std::fs::write(marker_file(config), serde_json::to_vec_pretty(&marker)?)
        .context("das Archiv ist gut, aber last-backup.json kann nicht geschrieben werden")?;
    println!(
        "Gesichert und zurückgelesen: {shown} ({documents} Dokumente, Stand {}).",
        made_at.german_date_time()
    );
    if !is_sqlite {
        println!(
            "Die Datenbank ist PostgreSQL und NICHT enthalten. Sichern Sie sie vor jedem solchen Lauf mit: \
             pg_dump --format=custom --file=amtsbote.dump <Name der Datenbank>"
        );
    }
    if with_key {
        println!(
            "Der Hauptschlüssel ist enthalten: Wer dieses Archiv hat, kann alles lesen. Schließen Sie es weg."
        );
    } else {
        println!(
            "Der Hauptschlüssel ist NICHT enthalten. Ohne {} ist dieses Archiv wertlos: Heben Sie eine Kopie \
             an einem anderen Ort auf.",
            key_file.display()
        );
    }
    println!("Die Einstellungsdatei gehört nicht zum Archiv; sichern Sie sie mit.");
    Ok(ExitCode::SUCCESS)
}

/// Names of the stored files that have a row.
async fn referenced(db: Db, files: &Files) -> anyhow::Result<Vec<String>> {
    let names = files.list().await?;
    let mut tx = db.read().await?;
    let orphans: BTreeSet<String> = document::orphans(&mut tx, &names).await?.into_iter().collect();
    drop(tx);
    db.close().await;
    Ok(names.into_iter().filter(|name| !orphans.contains(name)).collect())
}

fn key_check(master: &MasterKey) -> String {
    master.blind("backup", "which key")
}

/// Address of an SQLite file; in it, "%" and "?" would begin an escape and the options.
pub fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", path.display().to_string().replace('%', "%25").replace('?', "%3F"))
}

/// What came of reading an archive.
#[derive(Debug, Default)]
struct Verdict {
    problems: Vec<String>,
    wrong_key: bool,
    good: Vec<String>,
    manifest: Option<Manifest>,
}

impl Verdict {
    fn is_good(&self) -> bool {
        self.problems.is_empty() && !self.wrong_key
    }

    fn print(&self, archive: &Path) {
        let shown = archive.display();
        for line in &self.good {
            println!("gut      {line}");
        }
        for line in &self.problems {
            println!("FEHLER   {line}");
        }
        if !self.problems.is_empty() {
            println!("BESCHÄDIGT: {shown} ist so nicht brauchbar. Nehmen Sie ein anderes Archiv.");
        } else if self.wrong_key {
            println!(
                "FALSCHER SCHLÜSSEL: {shown} ist unbeschädigt, aber dieser Hauptschlüssel gehört nicht dazu. \
                 Nehmen Sie die Datei master.key aus dem Datenordner, der gesichert wurde."
            );
        } else {
            println!("{shown} ist vollständig und unbeschädigt.");
        }
    }
}

async fn verify(archive: &Path, key: Option<&Path>) -> anyhow::Result<Verdict> {
    let work = tempfile::tempdir().context("kein Platz für die Zwischenkopie der Datenbank")?;
    let mut verdict = Verdict::default();
    let mut source = match Source::open(archive) {
        Ok(source) => source,
        Err(error) => {
            verdict.problems.push(format!("Das Archiv lässt sich nicht öffnen: {error:#}"));
            return Ok(verdict);
        }
    };
    let manifest = match source.manifest() {
        Ok(manifest) => manifest,
        Err(error) => {
            verdict.problems.push(format!("Das Inhaltsverzeichnis {MANIFEST} ist nicht lesbar: {error:#}"));
            return Ok(verdict);
        }
    };
    for entry in &manifest.entries {
        let copied = if entry.path == DATABASE {
            source.copy(&entry.path, &mut File::create(work.path().join(DATABASE))?)
        } else {
            source.copy(&entry.path, &mut io::sink())
        };
        match copied {
            Ok(sums) if sums == (entry.bytes, entry.sha256.clone()) => {}
            Ok(_) => {
                verdict.problems.push(format!("{} ist beschädigt: Die Prüfsumme stimmt nicht.", entry.path));
            }
            Err(error) => verdict.problems.push(format!("{} ist beschädigt ({error:#}).", entry.path)),
        }
    }
    if verdict.problems.is_empty() {
        verdict.good.push(format!(
            "{} Dateien vom {}, alle Prüfsummen stimmen",
            manifest.entries.len(),
            manifest.made_at.german_date_time()
        ));
        if manifest.database == "sqlite" {
            verify_database(&work.path().join(DATABASE), &manifest, &mut verdict).await;
        } else {
            verdict.good.push("Die Datenbank ist PostgreSQL und liegt in Ihrem eigenen pg_dump.".to_owned());
        }
        verify_key(&mut source, &manifest, key, &mut verdict)?;
    }
    verdict.manifest = Some(manifest);
    Ok(verdict)
}

async fn verify_database(path: &Path, manifest: &Manifest, verdict: &mut Verdict) {
    let checks = async {
        let db = Db::open(&sqlite_url(path)).await?;
        let problems = db.integrity().await?;
        let mut tx = db.read().await?;
        let chain = audit::verify(&mut tx).await?;
        let names: Vec<String> = manifest
            .entries
            .iter()
            .filter_map(|entry| entry.path.strip_prefix("files/").map(str::to_owned))
            .collect();
        let strangers = document::orphans(&mut tx, &names).await?;
        drop(tx);
        db.close().await;
        Ok::<_, amtsbote_core::error::Error>((problems, chain, strangers))
    };
    match checks.await {
        Err(error) => verdict.problems.push(format!("Die Datenbank lässt sich nicht öffnen: {error}")),
        Ok((problems, chain, strangers)) => {
            for problem in problems {
                verdict.problems.push(format!("Die Datenbank ist beschädigt: {problem}"));
            }
            for name in strangers {
                verdict.problems.push(format!("files/{name} gehört zu keiner Zeile der Datenbank."));
            }
            match chain {
                Ok(records) => verdict.good.push(format!("Protokollkette: {records} Einträge, lückenlos")),
                Err(problem) => verdict.problems.push(format!("Die Protokollkette ist gebrochen: {problem}")),
            }
        }
    }
}

fn verify_key(
    source: &mut Source,
    manifest: &Manifest,
    key: Option<&Path>,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let bytes = match key {
        Some(path) => std::fs::read(path).with_context(|| format!("{} ist nicht lesbar", path.display()))?,
        None if manifest.with_key => {
            let mut bytes = Vec::new();
            source.copy(KEY, &mut bytes)?;
            bytes
        }
        None => {
            verdict.good.push("Der Hauptschlüssel ist nicht enthalten (so soll es sein).".to_owned());
            return Ok(());
        }
    };
    let right = <[u8; 32]>::try_from(bytes)
        .is_ok_and(|bytes| manifest.key_check == Some(key_check(&MasterKey::from_bytes(&bytes))));
    if right {
        verdict.good.push("Der Hauptschlüssel gehört zu diesem Archiv.".to_owned());
    }
    verdict.wrong_key = !right;
    Ok(())
}

async fn restore(archive: &Path, into: &Path, key: Option<&Path>) -> anyhow::Result<ExitCode> {
    if exists_with_content(into) {
        return Ok(wrong_usage(&format!(
            "{} ist nicht leer. Ein Archiv kommt nur in einen neuen, leeren Ordner; nennen Sie einen anderen \
             mit --into.",
            into.display()
        )));
    }
    let verdict = verify(archive, key).await?;
    verdict.print(archive);
    let good = verdict.is_good();
    let Some(manifest) = verdict.manifest.filter(|_| good) else {
        println!("Nichts wurde zurückgeholt; {} ist unverändert.", into.display());
        return Ok(ExitCode::from(1));
    };
    private_folder(into)?;
    private_folder(&into.join("files"))?;
    let mut source = Source::open(archive)?;
    for entry in &manifest.entries {
        let mut file = private_file(&into.join(&entry.path))?;
        source.copy(&entry.path, &mut file)?;
        file.sync_all()?;
    }
    if let (Some(path), false) = (key, manifest.with_key) {
        let mut file = private_file(&into.join(KEY))?;
        file.write_all(&std::fs::read(path)?)?;
        file.sync_all()?;
    }
    println!("\nZurückgeholt nach {} (Stand {}).", into.display(), manifest.made_at.german_date_time());
    if manifest.database != "sqlite" {
        println!(
            "Spielen Sie jetzt den pg_dump zurück: pg_restore --dbname=<Name der Datenbank> amtsbote.dump"
        );
    }
    if key.is_none() && !manifest.with_key {
        println!(
            "Es fehlt noch der Hauptschlüssel. Legen Sie ihn VOR dem Start nach {}; ohne ihn legt der Start \
             einen neuen an, und die alten Daten bleiben verschlossen.",
            into.join(KEY).display()
        );
    }
    println!("Starten: amtsbote --set data.folder={}", into.display());
    println!("Vorher prüfen: amtsbote --set data.folder={} doctor", into.display());
    Ok(ExitCode::SUCCESS)
}

/// A folder for its owner alone.
pub fn private_folder(path: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).with_context(|| format!("{} kann nicht angelegt werden", path.display()))
}

/// A new file for its owner alone.
pub fn private_file(path: &Path) -> anyhow::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).read(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).with_context(|| format!("{} kann nicht angelegt werden", path.display()))
}

/// Copies and sums up on the way.
fn copy_summed(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<(u64, String)> {
    let mut sum = digest::Context::new(&digest::SHA256);
    let (mut buffer, mut bytes) = (vec![0; 64 * 1024], 0);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sum.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        bytes += read as u64;
    }
    to.flush()?;
    Ok((bytes, hex(sum.finish().as_ref())))
}

/// An archive that is being written. Under its final name it is always whole.
struct Sink {
    target: PathBuf,
    part: PathBuf,
    zip: Option<ZipWriter<BufWriter<File>>>,
}

impl Sink {
    fn create(target: &Path) -> anyhow::Result<Self> {
        let name = target.file_name().context("das Ziel braucht einen Namen")?.to_string_lossy().into_owned();
        let part = target.with_file_name(format!("{name}.part"));
        if part.exists() {
            bail!("{} liegt noch von einem abgebrochenen Lauf dort; löschen Sie das zuerst", part.display());
        }
        let is_zip = target.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        let zip = if is_zip {
            Some(ZipWriter::new(BufWriter::new(private_file(&part)?)))
        } else {
            private_folder(&part)?;
            private_folder(&part.join("files"))?;
            None
        };
        Ok(Self { target: target.to_path_buf(), part, zip })
    }

    fn add(&mut self, path: &str, from: &mut dyn Read) -> anyhow::Result<Entry> {
        let summed = if let Some(zip) = &mut self.zip {
            // Sealed bytes do not shrink.
            let method = if path.starts_with("files/") || path == KEY {
                CompressionMethod::Stored
            } else {
                CompressionMethod::Deflated
            };
            let options = SimpleFileOptions::default()
                .compression_method(method)
                .large_file(true)
                .unix_permissions(0o600);
            zip.start_file(path, options)?;
            copy_summed(from, zip)
        } else {
            let mut file = private_file(&self.part.join(path))?;
            copy_summed(from, &mut file).and_then(|summed| file.sync_all().map(|()| summed))
        };
        let (bytes, sha256) =
            summed.with_context(|| format!("{path} konnte nicht gesichert werden (Platte voll?)"))?;
        Ok(Entry { path: path.to_owned(), bytes, sha256 })
    }

    fn finish(mut self, manifest: &Manifest) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(manifest)?;
        self.add(MANIFEST, &mut text.as_slice())?;
        if let Some(zip) = self.zip.take() {
            let file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
        }
        if self.target.is_dir() {
            std::fs::remove_dir(&self.target)?;
        }
        std::fs::rename(&self.part, &self.target)
            .with_context(|| format!("{} kann nicht angelegt werden", self.target.display()))
    }
}

/// An archive that is being read.
enum Source {
    Zip(Box<ZipArchive<BufReader<File>>>),
    Folder(PathBuf),
}

impl Source {
    fn open(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_path_buf()));
        }
        let file = File::open(path).with_context(|| format!("{} ist nicht lesbar", path.display()))?;
        let archive = ZipArchive::new(BufReader::new(file)).context("das ist keine (ganze) Zip-Datei")?;
        Ok(Self::Zip(Box::new(archive)))
    }

    fn copy(&mut self, path: &str, to: &mut dyn Write) -> anyhow::Result<(u64, String)> {
        Ok(match self {
            Self::Zip(archive) => copy_summed(&mut archive.by_name(path)?, to)?,
            Self::Folder(folder) => copy_summed(&mut File::open(folder.join(path))?, to)?,
        })
    }

    fn manifest(&mut self) -> anyhow::Result<Manifest> {
        let mut text = Vec::new();
        self.copy(MANIFEST, &mut text)?;
        let manifest: Manifest = serde_json::from_slice(&text)?;
        if manifest.format != FORMAT {
            bail!(
                "es hat die Form {}, dieses Programm kennt {FORMAT}; nehmen Sie ein neueres",
                manifest.format
            );
        }
        // Paths come from the archive: nothing may lead out of the folder.
        if let Some(entry) = manifest.entries.iter().find(|entry| !is_own_path(&entry.path)) {
            bail!("es nennt den fremden Pfad {:?}", entry.path);
        }
        Ok(manifest)
    }
}

fn is_own_path(path: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    path == DATABASE || path == KEY || path.strip_prefix("files/").is_some_and(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes one byte in the middle of a file.
    fn damage(path: &Path) {
        let mut bytes = std::fs::read(path).expect("reads");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).expect("writes");
    }

    #[tokio::test]
    async fn an_archive_comes_back_whole_and_tells_a_wrong_key_from_damage() {
        let work = tempfile::tempdir().expect("folder");
        let path = |name: &str| work.path().join(name);
        let pairs = [("data.folder".to_owned(), path("data").display().to_string())];
        let config = Config::load(None, std::iter::empty(), &pairs).expect("settings");
        crate::program::demo::fill(&config, 3).await.expect("fills");
        let (zip, folder, wrong) = (path("a.zip"), path("plain"), path("wrong.key"));
        std::fs::write(&wrong, [7; 32]).expect("writes");
        for (target, with_key) in [(&zip, false), (&folder, true)] {
            create(&config, target, with_key).await.expect("creates");
            let verdict = verify(target, None).await.expect("verifies");
            assert!(verdict.is_good(), "{verdict:?}");
            assert_eq!(verdict.manifest.map(|manifest| manifest.with_key), Some(with_key));
            let verdict = verify(target, Some(&wrong)).await.expect("verifies");
            assert!(verdict.wrong_key && verdict.problems.is_empty(), "{verdict:?}");
        }
        assert!(!folder.with_file_name("plain.part").exists());

        let key = config.master_key_file();
        restore(&zip, &path("back"), Some(&key)).await.expect("restores");
        assert_eq!(std::fs::read(path("back/master.key")).ok(), std::fs::read(&key).ok());
        let before = restore(&zip, &path("back"), Some(&key)).await.expect("answers");
        assert_eq!(format!("{before:?}"), format!("{:?}", ExitCode::from(2)), "the folder is not empty");

        damage(&zip);
        damage(&folder.join(DATABASE));
        for target in [&zip, &folder] {
            let verdict = verify(target, Some(&key)).await.expect("verifies");
            assert!(!verdict.problems.is_empty() && !verdict.wrong_key, "{verdict:?}");
            restore(target, &path("never"), Some(&key)).await.expect("answers");
            assert!(!path("never").exists(), "a damaged archive leaves nothing behind");
        }
    }

    #[test]
    fn paths_of_an_archive_stay_in_its_folder() {
        for good in ["amtsbote.db", "master.key", "files/01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in ["", "files/", "files/../x", "../amtsbote.db", "/etc/passwd", "files/a/b", "other"] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
