//! A mail server for tests: takes mails, writes down each that came to its end with its Message-ID, and misbehaves on
//! demand.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How the server treats the mails that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes them.
    Takes,
    /// Takes the text and hangs up without an answer: its sender can't know.
    HangsUp,
    /// "Later": before the text.
    Busy,
}

/// A mail whose text came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The name in its Message-ID, without the host.
    pub id: String,
    /// Whether the server said that it has it.
    pub acknowledged: bool,
}

#[derive(Debug)]
struct Book {
    mood: Mood,
    mails: Vec<Mail>,
}

/// The running server. It ends with this value.
pub struct MailServer {
    /// Its port.
    pub port: u16,
    book: Arc<Mutex<Book>>,
    _tasks: JoinSet<()>,
}

impl MailServer {
    /// Starts it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("address").port();
        let book = Arc::new(Mutex::new(Book { mood: Mood::Takes, mails: Vec::new() }));
        let shared = Arc::clone(&book);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut senders = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let book = Arc::clone(&shared);
                // A sender that dies in the middle is part of the test.
                senders.spawn(async move {
                    let _ = talk(stream, &book).await;
                });
            }
        });
        Self { port, book, _tasks: tasks }
    }

    /// From now on.
    pub fn mood(&self, mood: Mood) {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).mood = mood;
    }

    /// Everything that came.
    pub fn mails(&self) -> Vec<Mail> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).mails.clone()
    }
}

async fn talk(stream: TcpStream, book: &Mutex<Book>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 mail.example\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let mood = book.lock().unwrap_or_else(PoisonError::into_inner).mood;
        let answer: &[u8] = match (verb.as_str(), mood) {
            ("RCPT", Mood::Busy) => b"451 later\r\n",
            ("EHLO" | "MAIL" | "RCPT", _) => b"250 fine\r\n",
            ("QUIT", _) => b"221 bye\r\n",
            ("DATA", _) => {
                writer.write_all(b"354 go on\r\n").await?;
                let mut id = String::new();
                loop {
                    // Without its end the mail has not come.
                    let Some(line) = lines.next_line().await? else { return Ok(()) };
                    if let Some(named) = line.strip_prefix("Message-ID: <") {
                        named.split('@').next().unwrap_or_default().clone_into(&mut id);
                    }
                    if line == "." {
                        break;
                    }
                }
                // Written down before the answer: an answer that is on its way counts as given.
                let acknowledged = mood != Mood::HangsUp;
                book.lock().unwrap_or_else(PoisonError::into_inner).mails.push(Mail { id, acknowledged });
                if !acknowledged {
                    return Ok(());
                }
                b"250 taken\r\n"
            }
            _ => b"502 what?\r\n",
        };
        writer.write_all(answer).await?;
    }
    Ok(())
}
