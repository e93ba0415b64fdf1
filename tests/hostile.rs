//! Parallel and hostile use over HTTP: double clicks, races, answers in the wrong order, requests that are cut off, far
//! too large, without an end, or slower than anybody would be. Whoever behaves gets an answer all the time.

use std::path::Path;
use std::time::Duration;

use amtsbote_core::clock::Clock;
use amtsbote_core::config::Config;
use amtsbote_core::office::Office;
use futures::future::join_all;
use sqlx::Row;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::program::{Browser, Page, Program, Start, between};

/// Most memory in bytes that an attack may cost, beside what the program needs anyway.
const MOST_MEMORY: u64 = 100_000_000;

/// More than what lies between two ends of a connection: so much may be sent before a refusal is heard.
const BUFFERS: usize = 16_000_000;

/// Longer than any refusal takes.
const SOON: Duration = Duration::from_secs(15);

struct World {
    folder: tempfile::TempDir,
    program: Program,
    port: u16,
}

impl World {
    async fn new() -> Self {
        Self::with(&["mail.kind=off"]).await
    }

    async fn with(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let port = crate::free_port();
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let start = Start { folder: folder.path(), port, settings: &settings, inject: None, output: None };
        let mut program = Program::start(&start);
        assert!(program.answers().await, "starts");
        Self { folder, program, port }
    }

    async fn browser(&self) -> Browser {
        let mut browser = Browser::new(&self.program.base);
        browser.open_chat().await.expect("opens");
        assert!(!browser.csrf.is_empty());
        browser
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.expect("connects")
    }

    /// The most memory that the program has needed so far, in bytes.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.program.id())).expect("status");
        let line = between(&status, "VmHWM:", "kB").expect("VmHWM");
        line.trim().parse::<u64>().expect("a number") * 1024
    }

    /// Ends the program; then: who wrote the messages of each conversation, in order, and how many cases there are.
    async fn end(self) -> (Vec<Vec<String>>, usize) {
        self.program.end();
        let office = office(self.folder.path()).await;
        let mut tx = office.db.read().await.expect("reads");
        let rows = sqlx::query("select conversation_id, author from message order by conversation_id, seq")
            .fetch_all(&mut *tx)
            .await
            .expect("reads");
        let mut talks: Vec<(String, Vec<String>)> = Vec::new();
        for row in rows {
            let (id, author): (String, String) =
                (row.try_get(0).expect("id"), row.try_get(1).expect("author"));
            match talks.last_mut().filter(|(known, _)| *known == id) {
                Some((_, authors)) => authors.push(author),
                None => talks.push((id, vec![author])),
            }
        }
        let cases = sqlx::query("select id from application").fetch_all(&mut *tx).await.expect("reads").len();
        (talks.into_iter().map(|(_, authors)| authors).collect(), cases)
    }
}

async fn office(folder: &Path) -> std::sync::Arc<Office> {
    let settings = [("data.folder".to_owned(), folder.display().to_string())];
    let config = Config::load(None, std::iter::empty(), &settings).expect("settings");
    Office::open(config, Clock::System).await.expect("opens")
}

fn all_fine(pages: Vec<Option<Page>>) -> Vec<Page> {
    let pages: Vec<Page> = pages.into_iter().map(|page| page.expect("an answer")).collect();
    for page in &pages {
        assert_eq!(page.status, 200, "{}", page.body);
    }
    pages
}

/// A conversation in which each message was answered right after it: "bot" and then pairs.
fn in_order(messages: usize) -> Vec<String> {
    let mut authors = vec!["bot".to_owned()];
    for _ in 0..messages {
        authors.extend(["citizen".to_owned(), "bot".to_owned()]);
    }
    authors
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_times_the_same_is_once_and_twenty_different_ones_are_twenty() {
    let world = World::new().await;
    let same = world.browser().await;
    let pages = all_fine(join_all((0..20).map(|_| same.say("same", "Guten Tag"))).await);
    assert!(pages.iter().all(|page| page.body.contains("Guten Tag")), "each sees its message");
    let many = world.browser().await;
    let says = |number: usize| {
        let many = many.clone();
        async move { many.say(&format!("n{number}"), &format!("Wort {number}")).await }
    };
    all_fine(join_all((0..20).map(says)).await);
    let (mut talks, _) = world.end().await;
    talks.sort_by_key(Vec::len);
    assert_eq!(talks, [in_order(1), in_order(20)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_files_once_and_pays_once_and_old_buttons_do_no_harm() {
    let world = World::new().await;
    let browser = world.browser().await;
    let words =
        ["Ich brauche eine Flurkarte", "ja", "mit der Adresse", "Musterweg 14, Büren", "A4", "passend"];
    for (number, text) in words.into_iter().enumerate() {
        all_fine(vec![browser.say(&format!("w{number}"), text).await]);
    }
    // The answers to the last two questions arrive in the wrong order; then buttons of an old page are pressed.
    let (one, two) =
        tokio::join!(browser.say("later", "überspringen"), browser.say("sooner", "überspringen"));
    all_fine(vec![one, two, browser.say("old", "mit der Adresse").await]);
    all_fine(vec![browser.say("back", "Übersicht").await]);
    let filed = all_fine(join_all((0..4).map(|_| browser.say("file", "Alles richtig, absenden"))).await);
    let again = all_fine(vec![browser.say("file2", "Alles richtig, absenden").await]);
    assert!(!again[0].body.contains("Zugangscode"), "{}", again[0].body);
    let path = format!("/pay/{}", between(&filed[0].body, "/pay/", "\"").expect("a link to pay"));
    let banks = join_all((0..4).map(|_| browser.post(&path, &[]))).await;
    let banks: Vec<String> = banks.into_iter().map(|page| page.expect("an answer").location).collect();
    assert!(banks[0].starts_with("/demo-bank/") && banks.iter().all(|bank| *bank == banks[0]), "{banks:?}");
    for page in join_all((0..4).map(|_| browser.post(&banks[0], &[("act", "pay")]))).await {
        assert_eq!(page.expect("an answer").location, path);
    }
    all_fine(join_all((0..4).map(|_| browser.get(&path))).await);
    let chat = all_fine(vec![browser.get("/chat").await]);
    let receipts = chat[0].body.matches("Ihre Zahlung von 30,00").count();
    assert_eq!(receipts, 1, "one receipt");
    let (_, cases) = world.end().await;
    assert_eq!(cases, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_much_waits_but_an_emergency_and_the_wish_for_a_person_never_do() {
    let world = World::with(&["mail.kind=off", "limits.requests_per_minute=3"]).await;
    let browser = world.browser().await;
    let mut refused = 0;
    for number in 0..6 {
        let page = browser.say(&format!("h{number}"), "Guten Tag").await.expect("an answer");
        if page.status == 429 {
            assert!(page.body.contains("warten"), "{}", page.body);
            refused += 1;
        }
    }
    assert!(refused >= 2, "{refused} of 6 were refused");
    let fire = all_fine(vec![browser.say("fire", "Hilfe, es brennt bei uns").await]);
    assert!(fire[0].body.contains("112"), "{}", fire[0].body);
    all_fine(vec![browser.say("person", "Mensch").await]);
    let upload = browser.upload("file", "bild.png", vec![0; 10]).await.expect("an answer");
    assert_eq!(upload.status, 429);
    world.program.end();
}

/// Sends the beginning of a request, then what `more` gives piece by piece, until an answer comes.
async fn answer_to(
    mut stream: TcpStream,
    head: &str,
    mut more: impl FnMut() -> Option<Vec<u8>>,
) -> (String, usize) {
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    let mut sent = 0;
    writer.write_all(head.as_bytes()).await.expect("sends the head");
    let mut buffer = vec![0; 65_536];
    let work = async {
        while let Some(piece) = more() {
            tokio::select! {
                biased;
                read = reader.read(&mut buffer) => {
                    answer.extend_from_slice(&buffer[..read.unwrap_or(0)]);
                    return;
                }
                written = writer.write_all(&piece) => {
                    if written.is_err() {
                        break;
                    }
                    sent += piece.len();
                }
            }
        }
        // Reading ends where the program closes the connection, perhaps with what was not read still in it.
        while let Ok(read) = reader.read(&mut buffer).await
            && read > 0
        {
            answer.extend_from_slice(&buffer[..read]);
            if String::from_utf8_lossy(&answer).contains("\r\n\r\n") {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, work).await.expect("is refused soon");
    (String::from_utf8_lossy(&answer).into_owned(), sent)
}

/// The head of a posted form of this page, with the cookie of the browser.
fn head(path: &str, kind: &str, length: &str, cookie: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nx-requested-with: amtsbote\r\ncookie: {cookie}\r\n\
         content-type: {kind}\r\n{length}\r\n\r\n"
    )
}

/// Cookie and token of a fresh visitor.
async fn visitor(world: &World) -> (String, String) {
    let response = reqwest::get(format!("{}/chat", world.program.base)).await.expect("opens");
    let cookie = response.headers()["set-cookie"].to_str().expect("text").to_owned();
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let page = response.text().await.expect("text");
    (cookie, between(&page, "name=\"csrf\" value=\"", "\"").expect("the token").to_owned())
}

fn upload_start(csrf: &str) -> String {
    format!(
        "--B\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--B\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n"
    )
}

fn chunked(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_two_gigabytes_and_without_an_end_are_refused_in_words_and_cost_no_memory() {
    let world = World::new().await;
    let (cookie, csrf) = visitor(&world).await;
    let form = "application/x-www-form-urlencoded";
    let multipart = "multipart/form-data; boundary=B";
    let huge = "content-length: 2147483648";
    let endless = "transfer-encoding: chunked";
    let zeros = vec![0_u8; 65_536];
    let before = world.memory();

    // Declared: refused before it is sent.
    let mut pieces = vec![upload_start(&csrf).into_bytes()].into_iter();
    let request = head("/chat/upload", multipart, huge, &cookie);
    let (answer, _) = answer_to(world.connect().await, &request, || pieces.next()).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("20 MB"), "{answer}");

    // Without an end, as a file, as another field, and from somebody without the token of a page.
    for (start, most, status) in [
        (upload_start(&csrf), 80_000_000, "413"),
        (upload_start(&csrf).replace("\"file\"; filename=\"a.jpg\"", "\"item\""), 80_000_000, "413"),
        (upload_start("wrong"), BUFFERS, "403"),
        (upload_start("wrong").replace("\"file\"; filename=\"a.jpg\"", "\"item\""), BUFFERS, "413"),
    ] {
        let mut first = Some(chunked(start.as_bytes()));
        let request = head("/chat/upload", multipart, endless, &cookie);
        let more = || first.take().or_else(|| Some(chunked(&zeros)));
        let (answer, sent) = answer_to(world.connect().await, &request, more).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{start}: {answer}");
        assert!(sent < most, "{sent} bytes were taken");
    }

    // Words: 256 kB are more than anybody writes.
    for length in [huge, endless] {
        let piece = if length == huge { zeros.clone() } else { chunked(&zeros) };
        let request = head("/chat", form, length, &cookie);
        let (answer, sent) = answer_to(world.connect().await, &request, || Some(piece.clone())).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("zu viel auf einmal"), "{answer}");
        assert!(sent < BUFFERS, "{sent} bytes were taken");
    }
    let cost = world.memory() - before;
    assert!(cost < MOST_MEMORY, "{cost} bytes of memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_cut_off_leaves_nothing_behind() {
    let world = World::new().await;
    let (cookie, csrf) = visitor(&world).await;
    let text = format!("csrf={csrf}&message_id=cut&text=Guten+Tag");
    let start = upload_start(&csrf);
    for (path, kind, body) in [
        ("/chat", "application/x-www-form-urlencoded", text.as_str()),
        ("/chat/upload", "multipart/form-data; boundary=B", start.as_str()),
    ] {
        let mut stream = world.connect().await;
        let length = format!("content-length: {}", body.len() + 1);
        stream.write_all(head(path, kind, &length, &cookie).as_bytes()).await.expect("sends");
        stream.write_all(body.as_bytes()).await.expect("sends");
        stream.shutdown().await.expect("hangs up");
        let mut answer = String::new();
        // Whatever is answered to somebody who has hung up, it is no success.
        let _ = tokio::time::timeout(SOON, stream.read_to_string(&mut answer)).await.expect("ends");
        assert!(!answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 3"), "{answer}");
    }
    let files = std::fs::read_dir(world.folder.path().join("files")).expect("reads").count();
    assert_eq!(files, 0, "files are left");
    let (talks, _) = world.end().await;
    assert_eq!(talks, [in_order(0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_senders_hold_up_nobody_and_are_let_go() {
    let world = World::new().await;
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut stream = world.connect().await;
        stream.write_all(b"POST /chat HTTP/1.1\r\nhost: loc").await.expect("sends");
        slow.push(stream);
    }
    let browser = world.browser().await;
    let answered = tokio::time::timeout(Duration::from_secs(5), browser.say("quick", "Guten Tag")).await;
    all_fine(vec![answered.expect("an answer in time")]);
    // The head of a request has 20 seconds, however many bytes come now and then.
    let ended = join_all(slow.into_iter().map(|mut stream| async move {
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(40), stream.read_to_end(&mut rest)).await.is_ok()
    }))
    .await;
    assert!(ended.iter().all(|ended| *ended), "connections are held for ever");
}
