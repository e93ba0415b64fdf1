//! E-mail out: notices that there is news, never content. One back-end writes files into a folder (for trying it
//! out), one speaks SMTP. Receiving mail is not done here yet.

mod smtp;

use std::path::PathBuf;

use amtsbote_core::config::{Config, MailKind};
use amtsbote_core::error::{Error, Result};
use amtsbote_core::message::{Channel, ChannelKind, Outgoing, SendError};
use futures::FutureExt;
use futures::future::BoxFuture;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use smtp::Smtp;

/// Where mail goes.
enum Backend {
    Folder(PathBuf),
    Smtp(Smtp),
}

/// The mail channel.
pub struct Mail {
    from: Mailbox,
    backend: Backend,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail")
    }
}

impl Mail {
    /// The configured back-end; `None` when mail is off.
    pub fn open(config: &Config) -> Result<Option<Self>> {
        let backend = match config.mail.kind {
            MailKind::Off => return Ok(None),
            MailKind::Folder => {
                let folder = config.mail_folder();
                std::fs::create_dir_all(&folder).map_err(|error| {
                    Error::Setup(format!(
                        "cannot create the mail folder {}: {error}; set mail.folder",
                        folder.display()
                    ))
                })?;
                Backend::Folder(folder)
            }
            MailKind::Smtp => {
                let smtp = Smtp::parse(config.mail.smtp_url.expose())
                    .map_err(|error| Error::Setup(format!("mail.smtp_url is not valid: {error}")))?;
                Backend::Smtp(smtp)
            }
        };
        let from = config.mail.from.parse().map_err(|error| {
            Error::Setup(format!("mail.from {:?} is not an address: {error}", config.mail.from))
        })?;
        Ok(Some(Self { from, backend }))
    }

    fn message(&self, outgoing: &Outgoing) -> std::result::Result<Message, SendError> {
        let to: Mailbox = outgoing
            .address
            .to
            .parse()
            .map_err(|_| SendError::Refused("the address is not valid".to_owned()))?;
        let host = self.from.email.domain();
        // The same id at every attempt: a mail that arrives twice is recognised by the reader's program.
        let id = format!("<{}@{host}>", outgoing.id);
        let auto =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(outgoing.subject.clone())
            .message_id(Some(id))
            .raw_header(auto)
            .header(ContentType::TEXT_PLAIN)
            .body(outgoing.reply.plain_text())
            .map_err(|error| SendError::Refused(error.to_string()))
    }
}

impl Channel for Mail {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, std::result::Result<String, SendError>> {
        async move {
            let message = self.message(outgoing)?;
            match &self.backend {
                Backend::Folder(folder) => {
                    let retry = |error: std::io::Error| SendError::Retry(error.to_string());
                    // Whoever looks into the folder finds whole mails only; the same mail again is the same file.
                    let (path, half) = (
                        folder.join(format!("{}.eml", outgoing.id)),
                        folder.join(format!("{}.part", outgoing.id)),
                    );
                    tokio::fs::write(&half, message.formatted()).await.map_err(retry)?;
                    tokio::fs::rename(&half, &path).await.map_err(retry)?;
                    Ok(outgoing.id.0.clone())
                }
                Backend::Smtp(smtp) => smtp.hand_over(&message).await,
            }
        }
        .boxed()
    }
}
