//! Kill -9 at the commit points: the program runs under strace, which kills it at its n-th write to disk, in every
//! place where a transaction becomes durable. This process is the independent recorder: it notes what was
//! acknowledged. Afterwards nothing acknowledged may be lost, no effect doubled, no reply missing.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use amtsbote_core::audit;
use amtsbote_core::clock::Clock;
use amtsbote_core::config::Config;
use amtsbote_core::conversation::{Content, Page};
use amtsbote_core::db::Db;
use amtsbote_core::id::ConversationId;
use amtsbote_core::office::Office;
use amtsbote_knowledge::Trust;

/// How often the program is killed (the issue asks for at least 200).
const KILLS: usize = 200;

/// Messages that one run of the program gets at most, if no kill comes.
const MESSAGES: usize = 24;

fn program(folder: &Path, port: u16, kill_at: Option<usize>) -> Child {
    let binary = crate::binary();
    let mut command = match kill_at {
        Some(n) => {
            let mut command = Command::new("strace");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e"]);
            command.arg(format!("inject=fsync,fdatasync:signal=SIGKILL:when={n}"));
            command.arg(binary);
            command
        }
        None => Command::new(binary),
    };
    command
        .args(["--set", &format!("data.folder={}", folder.display())])
        .args(["--set", &format!("server.listen=127.0.0.1:{port}")])
        .args(["--set", "limits.requests_per_minute=1000000", "--set", "mail.kind=off"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("the program (and strace) can be started")
}

/// Ends the program without warning, and strace with it: killing strace alone would set the program free.
fn end(mut child: Child) {
    let _ =
        Command::new("kill").args(["-9", "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status();
    child.wait().expect("ends");
}

/// Whether the program answers before it dies.
async fn answers(client: &reqwest::Client, port: u16, child: &mut Child) -> bool {
    loop {
        if client
            .get(format!("http://127.0.0.1:{port}/healthz"))
            .send()
            .await
            .is_ok_and(|r| r.status().is_success())
        {
            return true;
        }
        if child.try_wait().expect("waits").is_some() {
            return false;
        }
        // A pause between two looks, not a wait for a guessed time.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sends one message; true = acknowledged.
async fn say(client: &reqwest::Client, port: u16, csrf: &str, id: &str) -> bool {
    let form = [("csrf", csrf), ("message_id", id), ("text", &format!("Wort {id}"))];
    let sent = client
        .post(format!("http://127.0.0.1:{port}/chat"))
        .header("x-requested-with", "amtsbote")
        .form(&form)
        .send()
        .await;
    match sent {
        Ok(response) if response.status().is_success() => response.bytes().await.is_ok(),
        _ => false,
    }
}

/// What the citizen said in the one conversation, read as the office reads it.
async fn everything_said(folder: &Path) -> Vec<String> {
    let settings = [("data.folder".to_owned(), folder.display().to_string())];
    let config = Config::load(None, std::iter::empty(), &settings).expect("settings");
    let office = Office::open(config, Clock::System).await.expect("opens");
    let mut tx = office.db.read().await.expect("reads");
    let (id,): (String,) =
        sqlx::query_as("select id from conversation").fetch_one(&mut *tx).await.expect("one conversation");
    drop(tx);
    let (mut texts, mut after) = (Vec::new(), 1);
    loop {
        let page = Page { after, limit: 500 };
        let id = ConversationId(id.clone());
        let messages = office.snapshot(&id, None, Trust::T0, page).await.expect("reads").messages;
        let Some(last) = messages.last() else { return texts };
        after = last.seq;
        texts.extend(messages.into_iter().filter_map(|message| match message.content {
            Content::Text { text } => Some(text),
            _ => None,
        }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let client = reqwest::Client::builder()
        .cookie_store(true)
        .timeout(Duration::from_secs(20))
        .build()
        .expect("client");
    let port = crate::free_port();
    let (mut acknowledged, mut unsure) = (Vec::new(), Vec::new());

    let mut child = program(folder.path(), port, None);
    assert!(answers(&client, port, &mut child).await, "the first start");
    let page = client
        .get(format!("http://127.0.0.1:{port}/chat"))
        .send()
        .await
        .expect("page")
        .text()
        .await
        .expect("text");
    let csrf = page
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("csrf")
        .to_owned();
    end(child);

    let mut kills = 0;
    while kills < KILLS {
        // The place moves through the start with its jobs, the first message and the later ones.
        let mut child = program(folder.path(), port, Some(1 + kills % 29));
        if answers(&client, port, &mut child).await {
            for number in 0..MESSAGES {
                let id = format!("k{kills}n{number}");
                if say(&client, port, &csrf, &id).await {
                    acknowledged.push(id);
                } else {
                    unsure.push(id);
                    break;
                }
            }
        }
        end(child);
        kills += 1;
    }
    assert!(acknowledged.len() > KILLS / 2, "only {} messages were acknowledged", acknowledged.len());
    assert!(unsure.len() > KILLS / 4, "only {} messages were cut off by a kill", unsure.len());

    let mut child = program(folder.path(), port, None);
    assert!(answers(&client, port, &mut child).await, "the last start");
    for id in &unsure {
        assert!(say(&client, port, &csrf, id).await, "{id} is taken when it is sent again");
    }
    end(child);
    let texts = everything_said(folder.path()).await;
    for id in acknowledged.iter().chain(&unsure) {
        let times = texts.iter().filter(|text| **text == format!("Wort {id}")).count();
        assert_eq!(times, 1, "message {id} stands {times} times in the history");
    }

    let db = Db::open(&format!("sqlite://{}/amtsbote.db", folder.path().display())).await.expect("opens");
    assert_eq!(db.integrity().await.expect("checks"), Vec::<String>::new());
    let mut tx = db.read().await.expect("reads");
    audit::verify(&mut tx).await.expect("reads").expect("the audit chain is whole");
    // Every message of the citizen has exactly one reply right after it.
    let rows: Vec<(String,)> = sqlx::query_as("select author from message order by conversation_id, seq")
        .fetch_all(&mut *tx)
        .await
        .expect("rows");
    let said = rows.iter().filter(|(author,)| author == "citizen").count();
    let answered = rows.windows(2).filter(|pair| pair[0].0 == "citizen" && pair[1].0 == "bot").count();
    assert_eq!((said, answered), (acknowledged.len() + unsure.len(), said));
}
