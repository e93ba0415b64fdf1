//! Handing a mail to a mail server. Each step says what its failure means: until the text is under way nothing can have
//! been delivered, and the mail may be tried again; once it is, only the server's own word tells what became of it.
//! Connections are not kept: a notice now and then is not worth one that may have died meanwhile.

use std::time::Duration;

use amtsbote_core::message::SendError;
use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Tls, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use url::Url;

/// How long the server may take until it wants the text, and again until it has taken it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a server that has taken the mail may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A mail server.
pub struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
}

impl Smtp {
    /// From the setting: `smtps://user:password@host:465`, `smtp://host:25`, and `smtp://host:587?tls=required` (or
    /// `opportunistic`) for STARTTLS. A path is the name that we say hello with.
    pub fn parse(address: &str) -> Result<Self, String> {
        let url = Url::parse(address).map_err(|error| error.to_string())?;
        let host = url.host_str().ok_or("it names no host")?.to_owned();
        let parameters = || TlsParameters::new(host.clone()).map_err(|error| error.to_string());
        let wanted = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        let (port, tls) = match (url.scheme(), wanted.as_deref()) {
            ("smtp", None) => (SMTP_PORT, Tls::None),
            ("smtp", Some("required")) => (SUBMISSION_PORT, Tls::Required(parameters()?)),
            ("smtp", Some("opportunistic")) => (SUBMISSION_PORT, Tls::Opportunistic(parameters()?)),
            ("smtps", _) => (SUBMISSIONS_PORT, Tls::Wrapper(parameters()?)),
            _ => return Err("it begins neither with smtp:// nor with smtps://".to_owned()),
        };
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let name = url.path().trim_matches('/');
        Ok(Self {
            port: url.port().unwrap_or(port),
            tls,
            credentials: url
                .password()
                .map(|password| Credentials::new(decoded(url.username()), decoded(password))),
            hello: if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) },
            host,
        })
    }

    /// Hands the mail over; returns what the server said.
    pub async fn hand_over(&self, message: &Message) -> Result<String, SendError> {
        let mut connection = tokio::time::timeout(PATIENCE, self.prepare(message))
            .await
            .unwrap_or_else(|_| Err(SendError::Retry("the mail server did not answer".to_owned())))?;
        let text = message.formatted();
        match tokio::time::timeout(PATIENCE, connection.message(&text)).await {
            Ok(Ok(response)) => {
                // The mail is delivered whatever comes of the goodbye.
                let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
                Ok(response.message().collect::<Vec<_>>().join(" "))
            }
            Ok(Err(error)) if error.is_permanent() => Err(SendError::Refused(error.to_string())),
            Ok(Err(error)) if error.is_transient() => Err(SendError::Retry(error.to_string())),
            Ok(Err(error)) => Err(SendError::Uncertain(error.to_string())),
            Err(_) => Err(SendError::Uncertain("no word after the text".to_owned())),
        }
    }

    /// Everything up to the text. Dropping the connection afterwards delivers nothing.
    async fn prepare(&self, message: &Message) -> Result<AsyncSmtpConnection, SendError> {
        // A wrong password or a server that greets with a refusal is the office's matter, not the mail's.
        let mut connection = self.connect().await.map_err(|error| SendError::Retry(error.to_string()))?;
        let envelope = message.envelope();
        let parameters = if connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            vec![MailParameter::SmtpUtfEight]
        } else {
            Vec::new()
        };
        let refused = |error: Error| {
            if error.is_permanent() {
                SendError::Refused(error.to_string())
            } else {
                SendError::Retry(error.to_string())
            }
        };
        connection.command(Mail::new(envelope.from().cloned(), parameters)).await.map_err(refused)?;
        for to in envelope.to() {
            let recipient = Rcpt::new(to.clone(), Vec::new());
            connection.command(recipient).await.map_err(|error| match refused(error) {
                SendError::Refused(why) => SendError::Gone(why),
                other @ (SendError::Retry(_) | SendError::Uncertain(_) | SendError::Gone(_)) => other,
            })?;
        }
        connection.command(Data).await.map_err(refused)?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let address = (self.host.as_str(), self.port);
        let from_the_start = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            Tls::None | Tls::Opportunistic(_) | Tls::Required(_) => None,
        };
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(PATIENCE), &self.hello, from_the_start, None)
                .await?;
        match &self.tls {
            Tls::Required(parameters) => connection.starttls(parameters.clone(), &self.hello).await?,
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), &self.hello).await?;
            }
            Tls::None | Tls::Opportunistic(_) | Tls::Wrapper(_) => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    /// A server that answers as in `script`, one line for each of greeting, EHLO, MAIL, RCPT, DATA and text; when the
    /// script is over it hangs up.
    async fn outcome(script: &'static [&'static str]) -> Result<String, SendError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("address").port();
        let server = async {
            let (stream, _) = listener.accept().await.expect("accepts");
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            for (step, answer) in script.iter().enumerate() {
                writer.write_all(format!("{answer}\r\n").as_bytes()).await.expect("answers");
                // After the answer to DATA comes the text, which ends with a dot; nothing more is read at the end.
                let ends_at = if step == 4 { "." } else { "" };
                while step + 1 < script.len().max(5)
                    && let Ok(Some(line)) = lines.next_line().await
                    && !ends_at.is_empty()
                    && line != ends_at
                {}
            }
        };
        let smtp = Smtp::parse(&format!("smtp://127.0.0.1:{port}")).expect("parses");
        let message = Message::builder()
            .from("office@example.org".parse().expect("address"))
            .to("erika@example.org".parse().expect("address"))
            .subject("news")
            .body("There is news.".to_owned())
            .expect("a mail");
        let (outcome, ()) = tokio::join!(smtp.hand_over(&message), server);
        outcome
    }

    #[tokio::test]
    async fn what_a_failure_means_depends_on_whether_the_text_was_under_way() {
        let word = |outcome: &Result<String, SendError>| match outcome {
            Ok(_) => "sent",
            Err(SendError::Retry(_)) => "retry",
            Err(SendError::Uncertain(_)) => "uncertain",
            Err(SendError::Gone(_)) => "gone",
            Err(SendError::Refused(_)) => "refused",
        };
        let cases: [(&[&str], &str); 11] = [
            (&[], "retry"),
            (&["220 hello"], "retry"),
            (&["554 not today"], "retry"),
            (&["220 hello", "250 hello", "250 fine"], "retry"),
            (&["220 hello", "250 hello", "550 who are you"], "refused"),
            (&["220 hello", "250 hello", "250 fine", "550 unknown"], "gone"),
            (&["220 hello", "250 hello", "250 fine", "451 busy"], "retry"),
            (&["220 hello", "250 hello", "250 fine", "250 fine", "354 go on"], "uncertain"),
            (&["220 hello", "250 hello", "250 fine", "250 fine", "354 go on", "452 full"], "retry"),
            (&["220 hello", "250 hello", "250 fine", "250 fine", "354 go on", "554 spam"], "refused"),
            (&["220 hello", "250 hello", "250 fine", "250 fine", "354 go on", "250 taken"], "sent"),
        ];
        for (script, expected) in cases {
            let outcome = outcome(script).await;
            assert_eq!(word(&outcome), expected, "{script:?}: {outcome:?}");
        }
    }

    #[test]
    fn the_setting_names_server_encryption_and_password() {
        for (address, port, encrypted, password) in [
            ("smtp://mail.example", 25, false, false),
            ("smtp://mail.example:2525/office.example", 2525, false, false),
            ("smtp://u:p%40w@mail.example?tls=required", 587, true, true),
            ("smtps://u:p@mail.example", 465, true, true),
        ] {
            let smtp = Smtp::parse(address).expect(address);
            let found = (smtp.port, !matches!(smtp.tls, Tls::None), smtp.credentials.is_some());
            assert_eq!(found, (port, encrypted, password), "{address}");
        }
        for wrong in ["", "mail.example", "http://mail.example", "smtp://mail.example?tls=maybe", "smtp:///x"]
        {
            assert!(Smtp::parse(wrong).is_err(), "{wrong}");
        }
    }
}
