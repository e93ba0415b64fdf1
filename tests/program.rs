//! The program as a process of its own, as an operator starts it, perhaps under strace, which lets its system calls
//! fail or kills it in the middle of one; and a browser that talks to it over HTTP.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use std::os::unix::process::CommandExt;

use reqwest::StatusCode;

/// How a program is to be started.
pub struct Start<'a> {
    /// Data folder.
    pub folder: &'a Path,
    /// Port of its web.
    pub port: u16,
    /// Further settings, as `key=value`.
    pub settings: &'a [String],
    /// What strace injects, e.g. `fsync:signal=SIGKILL:when=3`.
    pub inject: Option<&'a str>,
    /// Where its standard output goes.
    pub output: Option<PathBuf>,
}

/// A running program.
pub struct Program {
    child: Child,
    /// Address of its web.
    pub base: String,
}

impl Program {
    /// Starts it; it may not answer yet.
    pub fn start(start: &Start<'_>) -> Self {
        let binary = crate::binary();
        let mut command = match start.inject {
            Some(inject) => {
                let calls = inject.split(':').next().unwrap_or_default();
                let mut command = Command::new("strace");
                command.args(["-f", "-qq", "-o", "/dev/null"]);
                command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={inject}")]);
                command.arg(binary);
                command
            }
            None => Command::new(binary),
        };
        for setting in [
            format!("data.folder={}", start.folder.display()),
            format!("server.listen=127.0.0.1:{}", start.port),
            "limits.requests_per_minute=1000000".to_owned(),
        ]
        .iter()
        .chain(start.settings)
        {
            command.args(["--set", setting]);
        }
        let output = start.output.as_ref().map_or_else(Stdio::null, |path| {
            Stdio::from(std::fs::File::create(path).expect("the file for the output"))
        });
        let child = command
            .stdout(output)
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the program (and strace) can be started");
        Self { child, base: format!("http://127.0.0.1:{}", start.port) }
    }

    /// Waits until it answers; false if it died before.
    pub async fn answers(&mut self) -> bool {
        let client = reqwest::Client::builder().no_proxy().build().expect("client");
        loop {
            let health = client.get(format!("{}/healthz", self.base)).send().await;
            if health.is_ok_and(|response| response.status().is_success()) {
                return true;
            }
            if self.has_ended() {
                return false;
            }
            // A pause between two looks, not a wait for a guessed time.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether it has died.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("waits").is_some()
    }

    /// Its process id (of strace, where there is one).
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without warning, and strace with it: killing strace alone would set the program free.
    pub fn end(mut self) {
        self.kill();
    }

    fn kill(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status();
        self.child.wait().expect("ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Also when a test fails: nothing that it started goes on.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.kill();
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Page {
    /// Status.
    pub status: StatusCode,
    /// Where a redirect leads.
    pub location: String,
    /// The body.
    pub body: String,
}

impl Page {
    /// The value of a hidden field, e.g. `csrf`.
    pub fn field(&self, name: &str) -> String {
        between(&self.body, &format!("name=\"{name}\" value=\""), "\"").unwrap_or_default().to_owned()
    }
}

/// What stands between two texts.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inside, _)| inside)
}

/// A browser: cookies, the token of its forms, redirects that are not followed. `None` from any of its methods means
/// that no answer came.
#[derive(Clone)]
pub struct Browser {
    client: reqwest::Client,
    base: String,
    /// Token of the session's forms.
    pub csrf: String,
}

impl Browser {
    /// A fresh one.
    pub fn new(base: &str) -> Self {
        let client = reqwest::Client::builder()
            .cookie_store(true)
            .no_proxy()
            .timeout(Duration::from_mins(1))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("client");
        Self { client, base: base.to_owned(), csrf: String::new() }
    }

    /// Opens the chat and remembers the token.
    pub async fn open_chat(&mut self) -> Option<Page> {
        let page = self.get("/chat").await?;
        self.csrf = page.field("csrf");
        Some(page)
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Option<Page> {
        answer(self.client.get(format!("{}{path}", self.base))).await
    }

    /// Sends a form with the session's token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Option<Page> {
        let form: Vec<(&str, &str)> =
            [("csrf", self.csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
        answer(self.client.post(format!("{}{path}", self.base)).form(&form)).await
    }

    /// Says something in the chat, as the page's script does; the answer is the new messages.
    pub async fn say(&self, id: &str, text: &str) -> Option<Page> {
        let form = [("csrf", self.csrf.as_str()), ("message_id", id), ("text", text)];
        let request = self.client.post(format!("{}/chat", self.base)).form(&form);
        answer(request.header("x-requested-with", "amtsbote")).await
    }

    /// Hands in a file in the chat.
    pub async fn upload(&self, id: &str, name: &str, bytes: Vec<u8>) -> Option<Page> {
        let file = reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned());
        let form = reqwest::multipart::Form::new()
            .text("csrf", self.csrf.clone())
            .text("message_id", id.to_owned())
            .part("file", file);
        let request = self.client.post(format!("{}/chat/upload", self.base)).multipart(form);
        answer(request.header("x-requested-with", "amtsbote")).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Option<Page> {
    let response = request.send().await.ok()?;
    let location = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
    Some(Page { status: response.status(), location: location.to_owned(), body: response.text().await.ok()? })
}
