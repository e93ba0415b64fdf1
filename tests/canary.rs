//! No personal data in logs, metrics or in plain in the data folder: a person with words that occur nowhere else goes
//! through the chat, with mistakes and attacks; then everything that was written is searched for these words.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Words of the planted person: a place, a mail address, a free text, a file name.
const CANARIES: [&str; 5] =
    ["Kanarienweg", "kanarie@vogel.example", "Zwitscherquatsch", "Piepmatzfoto", "Gelbfederhausen"];

struct Browser {
    client: reqwest::Client,
    base: String,
    csrf: String,
}

impl Browser {
    async fn says(&self, number: usize, text: &str) -> String {
        let form = [("csrf", self.csrf.as_str()), ("message_id", &format!("c{number}")), ("text", text)];
        let url = format!("{}/chat", self.base);
        let sent = self.client.post(url).header("x-requested-with", "amtsbote").form(&form).send().await;
        sent.expect("answers").text().await.expect("text")
    }
}

/// Every file below a folder.
fn everything(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("reads").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).expect("reads")));
        }
    }
    found
}

fn contains(bytes: &[u8], word: &str) -> bool {
    let forms = [word.to_owned(), word.to_uppercase(), word.to_lowercase(), word.replace('@', "%40")];
    forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_says_stands_in_no_log_and_in_no_plain_file() {
    let folder = tempfile::tempdir().expect("folder");
    let log = folder.path().join("log.txt");
    let data = folder.path().join("data");
    let port = crate::free_port();
    let mut child = Command::new(crate::binary())
        .args(["--set", &format!("data.folder={}", data.display())])
        .args(["--set", &format!("server.listen=127.0.0.1:{port}"), "--set", "mail.kind=off"])
        .args(["--set", "log.level=trace", "--set", "log.format=json"])
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).expect("log"))
        .spawn()
        .expect("starts");
    let client = reqwest::Client::builder()
        .cookie_store(true)
        .timeout(Duration::from_secs(20))
        .build()
        .expect("client");
    let base = format!("http://127.0.0.1:{port}");
    while client.get(format!("{base}/healthz")).send().await.is_err() {
        assert!(child.try_wait().expect("waits").is_none(), "the program ended at its start");
        // A pause between two looks, not a wait for a guessed time.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let page = client.get(format!("{base}/chat")).send().await.expect("page").text().await.expect("text");
    let csrf =
        page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("csrf");
    let browser = Browser { client, base, csrf: csrf.to_owned() };
    let words = [
        "Ich brauche eine Flurkarte für Gelbfederhausen",
        "Ja, jetzt beginnen",
        "mit der Adresse",
        "Kanarienweg 77, Gelbfederhausen",
        "A4",
        "passend",
        "kanarie@vogel.example",
        "Zwitscherquatsch'; drop table message; --",
        "Alles richtig, absenden",
        "Status",
    ];
    let mut last = String::new();
    for (number, text) in words.into_iter().enumerate() {
        last = browser.says(number, text).await;
    }
    assert!(last.contains("Vorgangsnummer"), "the way was gone to its end: {last}");
    // Mistakes and attacks: they must not be logged with what they carried.
    browser.says(100, &"Zwitscherquatsch ".repeat(1000)).await;
    let file = reqwest::multipart::Part::bytes(b"MZ not a picture".to_vec()).file_name("Piepmatzfoto.exe");
    let form = reqwest::multipart::Form::new()
        .text("csrf", browser.csrf.clone())
        .text("message_id", "c101")
        .part("file", file);
    browser
        .client
        .post(format!("{}/chat/upload", browser.base))
        .multipart(form)
        .send()
        .await
        .expect("answers");
    for path in ["/portal/Kanarienweg", "/fetch/Zwitscherquatsch?until=1&sig=Kanarienweg", "/pay/Kanarienweg"]
    {
        browser.client.get(format!("{}{path}", browser.base)).send().await.expect("answers");
    }
    let metrics = browser.client.get(format!("{}/metrics", browser.base)).send().await.expect("metrics");
    let metrics = metrics.text().await.expect("text");
    child.kill().expect("kills");
    child.wait().expect("ends");

    let mut written = everything(&data);
    written.push(("the log".to_owned(), fs::read(&log).expect("reads")));
    written.push(("the metrics".to_owned(), metrics.into_bytes()));
    assert!(written.iter().any(|(name, _)| name.contains("amtsbote.db")), "the database was searched");
    for (name, bytes) in &written {
        for canary in CANARIES {
            assert!(!contains(bytes, canary), "{canary} stands in {name}");
        }
    }
}
