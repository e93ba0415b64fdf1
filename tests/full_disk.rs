//! The whole program on a full disk: the citizen is told so with a next step, /readyz says it, nothing half-written is
//! left, and when there is space again the program goes on without a restart.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use amtsbote_core::audit;
use amtsbote_core::clock::Clock;
use amtsbote_core::config::Config;
use amtsbote_core::office::Office;
use sqlx::Row;

use crate::harness;
use crate::program::{Browser, Page, Program, Start};

/// Longest time for the program to notice that there is space again.
const SOON: Duration = Duration::from_secs(30);

/// A file system of 12 MB in memory; it is unmounted with this value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` without the right to mount one.
    fn mount(folder: &Path) -> Option<Self> {
        let place = folder.join("disk");
        std::fs::create_dir(&place).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
            .arg(&place)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(place))
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.0.join("ballast")).expect("creates");
        for size in [65_536, 4_096, 512] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("removes");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn told(page: &Page) {
    assert_eq!(page.status, 503, "{}", page.body);
    assert!(page.body.contains("nichts speichern"), "{}", page.body);
    assert!(page.body.contains("noch einmal") && page.body.contains("115"), "a next step: {}", page.body);
}

async fn ready(browser: &Browser) -> bool {
    let page = browser.get("/readyz").await.expect("answers");
    assert!(page.status == 200 || page.status == 503, "{page:?}");
    page.status == 200
}

/// Says it again and again, under the same id, until it is taken.
async fn say_until_taken(browser: &Browser, id: &str, text: &str) -> usize {
    let mut refused = 0;
    let work = async {
        loop {
            let page = browser.say(id, text).await.expect("answers");
            if page.status == 200 {
                return;
            }
            told(&page);
            refused += 1;
            // A citizen tries again; a pause between two tries, not a wait for a guessed time.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, work).await.expect("is taken once there is space");
    refused
}

/// Afterwards everything acknowledged is there once, with its reply, and the database and the files are whole.
async fn whole(folder: &Path, said: usize, uploads: usize) {
    let settings = [("data.folder".to_owned(), folder.display().to_string())];
    let config = Config::load(None, std::iter::empty(), &settings).expect("settings");
    let office = Office::open(config, Clock::System).await.expect("opens");
    assert_eq!(office.db.integrity().await.expect("checks"), Vec::<String>::new());
    let mut tx = office.db.read().await.expect("reads");
    audit::verify(&mut tx).await.expect("reads").expect("the audit chain is whole");
    let rows =
        sqlx::query("select author from message order by conversation_id, seq").fetch_all(&mut *tx).await;
    let authors: Vec<String> =
        rows.expect("reads").iter().map(|row| row.try_get(0).expect("author")).collect();
    let mut expected = vec!["bot"];
    expected.extend(["citizen", "bot"].repeat(said));
    assert_eq!(authors, expected);
    let files = std::fs::read_dir(office.config.files_folder()).expect("reads").count();
    assert_eq!(files, uploads, "halves or orphans are left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_borne() {
    let folder = tempfile::tempdir().expect("folder");
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        eprintln!("left out: no right to mount a small file system");
        return;
    };
    let data = disk.0.join("data");
    let settings = ["mail.kind=off".to_owned()];
    let start =
        Start { folder: &data, port: crate::free_port(), settings: &settings, inject: None, output: None };
    let mut program = Program::start(&start);
    assert!(program.answers().await, "starts");
    let mut browser = Browser::new(&program.base);
    browser.open_chat().await.expect("opens");
    let (name, photo) = harness::sample("reifen.jpg");
    assert_eq!(browser.say("before", "Guten Tag").await.expect("answers").status, 200);
    assert!(ready(&browser).await);

    disk.fill();
    told(&browser.say("full", "Wort").await.expect("answers"));
    told(&browser.upload("file", &name, photo.clone()).await.expect("answers"));
    // A page for people, not only a sentence for the script; and one for a newcomer, who needs a conversation.
    let form = [("message_id", "full"), ("text", "Wort")];
    told(&browser.post("/chat", &form).await.expect("answers"));
    told(&Browser::new(&program.base).get("/chat").await.expect("answers"));
    assert!(!ready(&browser).await, "a full disk is not ready");
    assert_eq!(browser.get("/chat").await.expect("answers").status, 200, "reading goes on");

    disk.free();
    say_until_taken(&browser, "full", "Wort").await;
    assert!(ready(&browser).await);
    assert_eq!(browser.upload("file", &name, photo).await.expect("answers").status, 200);
    program.end();
    whole(&data, 3, 1).await;
}

/// The same without the right to mount: from some write on the database gets "no space left" for a while.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_gets_no_space_for_a_while_goes_on_by_itself() {
    let folder = tempfile::tempdir().expect("folder");
    let settings = ["mail.kind=off".to_owned()];
    let port = crate::free_port();
    let start = |inject| Start { folder: folder.path(), port, settings: &settings, inject, output: None };
    let mut program = Program::start(&start(None));
    assert!(program.answers().await, "the first start makes the database");
    let mut browser = Browser::new(&program.base);
    browser.open_chat().await.expect("opens");
    program.end();

    let mut program = Program::start(&start(Some("pwrite64:error=ENOSPC:when=60..90")));
    assert!(program.answers().await, "starts");
    let (mut refused, mut unready) = (0, 0);
    for number in 0..30 {
        refused += say_until_taken(&browser, &format!("n{number}"), "Wort").await;
        unready += usize::from(!ready(&browser).await);
    }
    assert!(refused > 0 && unready < 30, "{refused} refused, {unready} not ready");
    program.end();
    whole(folder.path(), 30, 0).await;
}
