//! A small HTTP/1.1 client for measuring: one connection, kept open. It understands exactly what our own server
//! sends (content-length, chunked, no body) and is good for nothing else.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A kept-open connection with the cookies of one browser.
pub struct Client {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    cookies: Vec<(String, String)>,
}

/// What the server answered.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The whole body, as text.
    pub body: String,
}

/// The parts of a response head that matter here.
struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { stream: open(address).await?, address, cookies: Vec::new() })
    }

    /// GET.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", path, &[], None).await
    }

    /// POST of form fields, as the page's script does it: the answer is the reply itself.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.ask("POST", path, &[("X-Requested-With", "amtsbote")], Some(&body)).await
    }

    /// Sends and reads. A connection that the server has closed because it lay unused is opened anew, as browsers
    /// do it.
    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let sent = self.send(method, path, headers, body).await;
        if sent.is_err() || self.stream.fill_buf().await.map_or(true, <[u8]>::is_empty) {
            self.stream = open(self.address).await?;
            self.send(method, path, headers, body).await?;
        }
        self.answer().await
    }

    /// The same browser with a connection of its own.
    pub async fn another(&self, address: SocketAddr) -> anyhow::Result<Self> {
        let mut other = Self::connect(address).await?;
        other.cookies.clone_from(&self.cookies);
        Ok(other)
    }

    /// Opens an event stream and returns after its head; the connection then belongs to the stream.
    pub async fn stream(mut self, path: &str) -> anyhow::Result<BufReader<TcpStream>> {
        self.send("GET", path, &[("Accept", "text/event-stream")], None).await?;
        let head = self.head().await?;
        if head.status != 200 {
            bail!("the stream {path} answered {}", head.status);
        }
        Ok(self.stream)
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> anyhow::Result<()> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if method == "POST" {
            request.push_str(
                "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            );
        }
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = write!(request, "Cookie: {}\r\n", pairs.join("; "));
        }
        let body = body.unwrap_or_default();
        let _ = write!(request, "Content-Length: {}\r\n\r\n{body}", body.len());
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        Ok(())
    }

    async fn answer(&mut self) -> anyhow::Result<Answer> {
        let head = self.head().await?;
        let mut body = Vec::new();
        if head.chunked {
            loop {
                let size = self.line().await?;
                let size = usize::from_str_radix(size.trim(), 16).context("a chunk without a size")?;
                let start = body.len();
                body.resize(start + size, 0);
                self.stream.read_exact(&mut body[start..]).await?;
                self.line().await?;
                if size == 0 {
                    break;
                }
            }
        } else {
            body.resize(head.length.unwrap_or(0), 0);
            self.stream.read_exact(&mut body).await?;
        }
        Ok(Answer { status: head.status, body: String::from_utf8_lossy(&body).into_owned() })
    }

    async fn head(&mut self) -> anyhow::Result<Head> {
        let first = self.line().await?;
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .with_context(|| format!("not an HTTP answer: {first:?}"))?;
        let mut head = Head { status, length: None, chunked: false };
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { return Ok(head) };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.parse().ok(),
                "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
                "set-cookie" => self.keep_cookie(value),
                _ => {}
            }
        }
    }

    fn keep_cookie(&mut self, value: &str) {
        let pair = value.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }
}

async fn open(address: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::with_capacity(4096, stream))
}
