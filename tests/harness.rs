//! An office to talk to in tests: a fresh database in a folder of its own, a clock that is moved by hand, and
//! methods that read like people. It decides nothing and knows no transcript.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use amtsbote_core::application;
use amtsbote_core::audit;
use amtsbote_core::clock::{Clock, Timestamp};
use amtsbote_core::config::Config;
use amtsbote_core::conversation::{Author, Content, Message, Owner, Page};
use amtsbote_core::db::Tx;
use amtsbote_core::document_request::NewItem;
use amtsbote_core::error::{Error, Result};
use amtsbote_core::id::{ConversationId, PaymentId, PersonId, StaffId};
use amtsbote_core::jobs;
use amtsbote_core::knowledge::Knowledge;
use amtsbote_core::message::{Body, ChannelKind, Incoming, Reply};
use amtsbote_core::office::{Office, UploadRequest};
use amtsbote_core::payment::demo;
use amtsbote_core::person::{self, Profile};
use amtsbote_core::staff::{self, NewAccount, Role};
use amtsbote_knowledge::Trust;
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::Row;

/// Wednesday, 25 November 2026, 10:00 in Berlin: the chat is staffed.
const START: i64 = 1_795_597_200_000;

/// The made-up people who can log in.
const PEOPLE: &str = include_str!("../channels/demo/people.toml");

/// An office with an empty database and a clock that stands still.
pub struct TestOffice {
    /// The office itself.
    pub office: Arc<Office>,
    clock: Clock,
    _folder: tempfile::TempDir,
}

/// A citizen at one device: the conversation that it shows, and the login that it has.
#[derive(Debug, Clone)]
pub struct Citizen {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who is logged in.
    pub person: Option<PersonId>,
    /// How sure the login is.
    pub trust: Trust,
    seen: i64,
    sent: usize,
}

/// What came back, in order.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Everything as plain text, without names of the writers.
    pub text: String,
    /// The replies of the assistant.
    pub replies: Vec<Reply>,
    /// The conversation is gone.
    pub erased: bool,
    /// The program failed; the citizen saw an error page.
    pub failure: Option<String>,
}

/// Where the classifier of all tests is kept; it is trained by the first one that needs it.
pub fn models() -> &'static Path {
    static MODELS: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models");
        let settings = [("catalogue.models".to_owned(), folder.display().to_string())];
        let config = Config::load(None, std::iter::empty(), &settings).expect("settings");
        Knowledge::trained(&config).expect("the classifier can be trained");
        folder
    });
    &MODELS
}

impl TestOffice {
    /// A fresh office on Wednesday at ten.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let settings = [
            ("data.folder".to_owned(), folder.path().display().to_string()),
            ("catalogue.models".to_owned(), models().display().to_string()),
            setting("mail.kind", "folder"),
        ];
        let config = Config::load(None, std::iter::empty(), &settings).expect("settings");
        let clock = Clock::manual(Timestamp(START));
        let office = Office::open(config, clock.clone()).await.expect("opens");
        Self { office, clock, _folder: folder }
    }

    /// A citizen opens the page in this language. The greeting is the first answer.
    pub async fn open(&self, language: &str) -> (Citizen, Answer) {
        let conversation = self.office.open_conversation(ChannelKind::Web, language).await.expect("opens");
        let mut citizen = Citizen { conversation, person: None, trust: Trust::T0, seen: 0, sent: 0 };
        let answer = self.news(&mut citizen).await;
        (citizen, answer)
    }

    /// The citizen says something new.
    pub async fn says(&self, citizen: &mut Citizen, text: &str) -> Answer {
        citizen.sent += 1;
        self.says_again(citizen, text).await
    }

    /// The last message arrives once more, as after a lost connection.
    pub async fn says_again(&self, citizen: &mut Citizen, text: &str) -> Answer {
        let incoming = Incoming {
            conversation: citizen.conversation.clone(),
            external_id: format!("message {}", citizen.sent),
            trust: citizen.trust,
            person: citizen.person.clone(),
            body: Body::Text(text.to_owned()),
        };
        let received = match self.office.receive(incoming).await {
            Ok(received) => received,
            Err(error) => return Answer { failure: Some(error.to_string()), ..Answer::default() },
        };
        if received.erased {
            return Answer { erased: true, ..Answer::default() };
        }
        citizen.seen = received.seq;
        self.news(citizen).await
    }

    /// The citizen hands in a file. A refusal is the answer.
    pub async fn upload(&self, citizen: &mut Citizen, name: &str, bytes: Vec<u8>) -> Answer {
        citizen.sent += 1;
        let upload = UploadRequest {
            conversation: citizen.conversation.clone(),
            external_id: format!("message {}", citizen.sent),
            trust: citizen.trust,
            person: citizen.person.clone(),
            name: name.to_owned(),
            bytes,
            wanted: None,
        };
        match self.office.upload(upload).await {
            Ok(received) => {
                citizen.seen = received.seq;
                self.news(citizen).await
            }
            Err(Error::Refused { key, values }) => {
                let language = self.view(citizen).await.0;
                let values: Vec<(&str, &str)> =
                    values.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let text = self.office.texts.fill(&language, key, &values);
                Answer { replies: vec![Reply::new(&language).text(text.clone())], text, ..Answer::default() }
            }
            Err(error) => Answer { failure: Some(error.to_string()), ..Answer::default() },
        }
    }

    /// The citizen logs in as one of the made-up people and goes on in the same conversation.
    pub async fn login(&self, citizen: &mut Citizen, who: &str, trust: Trust) -> Answer {
        let profile = profile(who);
        let person = self
            .write(move |office, tx, now| {
                let profile = profile.clone();
                let who = profile.attribute("id").unwrap_or_default().to_owned();
                async move { person::login(tx, &office.keys, "demo", &who, &profile, now).await }.boxed()
            })
            .await;
        let linked = self
            .office
            .link_login(Some(&citizen.conversation), &person, trust, "de")
            .await
            .expect("links the login");
        assert_eq!(linked, citizen.conversation, "a login goes on in the same conversation");
        citizen.person = Some(person);
        citizen.trust = trust;
        self.news(citizen).await
    }

    /// A member of staff with an account of their own.
    pub async fn clerk(&self, name: &str, roles: &[Role]) -> StaffId {
        let admin = self
            .write(|office, tx, now| async move { staff::setup_link(tx, &office.keys, now).await }.boxed())
            .await;
        let admin = match admin {
            Some(token) => self.accept(token, "verwaltung").await,
            None => {
                self.write(|_, tx, _| {
                    async move {
                        let row = sqlx::query("select id from staff order by created_at limit 1")
                            .fetch_one(tx)
                            .await?;
                        Ok(StaffId(row.try_get(0)?))
                    }
                    .boxed()
                })
                .await
            }
        };
        let roles = roles.to_vec();
        let token = self
            .write(move |office, tx, now| {
                let (roles, admin) = (roles.clone(), admin.clone());
                async move { staff::invite(tx, &office.keys, &roles, &admin, now).await }.boxed()
            })
            .await;
        self.accept(token, name).await
    }

    async fn accept(&self, token: String, name: &str) -> StaffId {
        let password = staff::hash_password(name, "drei alte Eichen rauschen", &[7; 16]).expect("hashes");
        let name = name.to_owned();
        self.write(move |office, tx, now| {
            let (token, name, password) = (token.clone(), name.clone(), password.clone());
            async move {
                let totp =
                    staff::begin_totp(tx, &office.keys, &token, None, ("Amtsbote", &name), now).await?;
                let app = totp_rs::TOTP::from_url_unchecked(&totp.url).expect("the address of the app");
                let code = app.generate(u64::try_from(now.0).expect("after 1970") / 1000);
                let display_name = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
                let account = NewAccount { name, display_name, password, nonce: totp.nonce, code };
                staff::accept(tx, &office.keys, &token, &account, now).await
            }
            .boxed()
        })
        .await
    }

    /// The clerk takes the waiting conversation.
    pub async fn take(&self, citizen: &mut Citizen, clerk: &StaffId) -> Result<Answer> {
        self.office.take_chat(&citizen.conversation, clerk).await?;
        Ok(self.news(citizen).await)
    }

    /// The clerk answers in the chat.
    pub async fn answer(&self, citizen: &mut Citizen, clerk: &StaffId, text: &str) -> Result<Answer> {
        citizen.sent += 1;
        let id = format!("answer {}", citizen.sent);
        self.office.staff_says(&citizen.conversation, clerk, &id, text).await?;
        Ok(self.news(citizen).await)
    }

    /// The clerk gives the conversation back to the assistant.
    pub async fn hand_back(&self, citizen: &mut Citizen, clerk: &StaffId) -> Result<Answer> {
        self.office.hand_back(&citizen.conversation, clerk).await?;
        Ok(self.news(citizen).await)
    }

    /// The clerk asks for a document of the newest case; two weeks' time.
    pub async fn want(&self, citizen: &mut Citizen, clerk: &StaffId, item: &str, reason: &str) -> Answer {
        let number = self.newest("select number from application order by submitted_at desc limit 1").await;
        let mut tx = self.office.db.read().await.expect("reads");
        let id = application::id_by_number(&mut tx, &number).await.expect("reads").expect("the case");
        let case =
            application::load(&mut tx, &self.office.keys, &id).await.expect("reads").expect("the case");
        drop(tx);
        let label = case.service.documents.iter().find(|known| known.id == item).map_or_else(
            || item.to_owned(),
            |known| amtsbote_knowledge::localized(&known.label, "de").to_owned(),
        );
        let item_id = (label != item).then(|| item.to_owned());
        let wanted = NewItem { item_id, label, reason: reason.to_owned() };
        let deadline = self.office.now().plus(Duration::from_hours(14 * 24));
        self.office.request_documents(&id, clerk, vec![wanted], deadline).await.expect("asks for it");
        self.news(citizen).await
    }

    /// The citizen follows the newest payment link and pays at the made-up bank.
    pub async fn pay(&self, citizen: &mut Citizen) -> Answer {
        let id = PaymentId(self.newest("select id from payment order by created_at desc limit 1").await);
        let path = self.office.request_payment(&id).await.expect("asks for the payment");
        let reference = path.rsplit('/').next().unwrap_or_default().to_owned();
        self.write(move |_, tx, now| {
            let reference = reference.clone();
            async move { demo::act(tx, &reference, demo::Act::Pay, now).await }.boxed()
        })
        .await;
        self.office.settle_payment(&id).await.expect("settles");
        // The payer presses "back" twice: nothing more may follow from it.
        self.office.settle_payment(&id).await.expect("settles again");
        self.news(citizen).await
    }

    /// Time passes, and what falls due is done.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        jobs::run_due(&self.office).await.expect("the jobs run");
    }

    /// Language and owner of the conversation.
    pub async fn view(&self, citizen: &Citizen) -> (String, Owner) {
        let page = Page { after: 0, limit: 1 };
        let snapshot =
            self.office.snapshot(&citizen.conversation, citizen.person.as_ref(), citizen.trust, page).await;
        let snapshot = snapshot.expect("the conversation");
        (snapshot.language, snapshot.owner)
    }

    /// How many rows a table has, e.g. `application` or `document where removed_at is null`.
    pub async fn count(&self, table: &str) -> i64 {
        let mut tx = self.office.db.read().await.expect("reads");
        sqlx::query(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get(0))
            .unwrap_or_else(|error| panic!("cannot count {table}: {error}"))
    }

    /// At the end everything is in order: the audit chain, the outbox, the database.
    pub async fn finish(&self) {
        let mut tx = self.office.db.read().await.expect("reads");
        audit::verify(&mut tx).await.expect("reads").expect("the audit chain is whole");
        drop(tx);
        assert_eq!(self.count("outbox where state = 'sending'").await, 0, "a delivery hangs");
        assert_eq!(self.office.db.integrity().await.expect("checks"), Vec::<String>::new());
    }

    /// What the office has said since the citizen last looked.
    pub async fn news(&self, citizen: &mut Citizen) -> Answer {
        let page = Page { after: citizen.seen, limit: 100 };
        let person = citizen.person.as_ref();
        match self.office.snapshot(&citizen.conversation, person, citizen.trust, page).await {
            Ok(snapshot) => {
                citizen.seen = snapshot.messages.last().map_or(citizen.seen, |message| message.seq);
                answer_of(snapshot.messages)
            }
            Err(Error::NotFound(_)) => Answer { erased: true, ..Answer::default() },
            Err(error) => panic!("the conversation can't be read: {error}"),
        }
    }

    async fn newest(&self, sql: &'static str) -> String {
        let mut tx = self.office.db.read().await.expect("reads");
        sqlx::query(sql).fetch_one(&mut *tx).await.and_then(|row| row.try_get(0)).expect("one of them")
    }

    async fn write<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: for<'a> Fn(Arc<Office>, &'a mut Tx, Timestamp) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    {
        let office = Arc::clone(&self.office);
        self.office
            .db
            .write(move |tx| work(Arc::clone(&office), tx, office.now()))
            .await
            .expect("the transaction goes through")
    }
}

fn setting(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn answer_of(messages: Vec<Message>) -> Answer {
    let mut answer = Answer::default();
    let mut texts = Vec::new();
    for message in messages.into_iter().filter(|message| message.author != Author::Citizen) {
        match message.content {
            Content::Text { text } => texts.push(text),
            Content::File { name, .. } => texts.push(name),
            Content::Reply { reply } => {
                texts.push(reply.plain_text());
                answer.replies.push(reply);
            }
            Content::Hidden => texts.push("(hidden)".to_owned()),
        }
    }
    answer.text = texts.join("\n\n");
    answer
}

/// What the login says about one of the made-up people; `id` is one of the attributes.
fn profile(who: &str) -> Profile {
    let people: BTreeMap<String, Vec<BTreeMap<String, String>>> =
        toml::from_str(PEOPLE).expect("the made-up people");
    let found = people["person"].iter().find(|person| person["id"] == who);
    Profile(found.unwrap_or_else(|| panic!("no made-up person {who:?}")).clone())
}

/// A small file to hand in: `name.pdf` is a valid one, `bad:kind.pdf` a hostile one. Returns its name and bytes.
pub fn sample(line: &str) -> (String, Vec<u8>) {
    let Some(bad) = line.strip_prefix("bad:") else {
        return (line.to_owned(), good(line));
    };
    let kind = bad.split('.').next().unwrap_or_default();
    let bytes = match kind {
        "polyglot" => [picture(image::ImageFormat::Jpeg), pdf("")].concat(),
        "script" => pdf("/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"),
        "program" => [b"MZ\x90\0\x03\0\0\0".as_slice(), &[0; 200]].concat(),
        "text" => b"Ich bin ein Text und kein PDF.".to_vec(),
        "empty" => Vec::new(),
        "huge" => {
            let mut bytes = picture(image::ImageFormat::Jpeg);
            bytes.resize(21_000_000, 0);
            bytes
        }
        "cut" => {
            let mut bytes = picture(image::ImageFormat::Jpeg);
            bytes.truncate(bytes.len() / 2);
            bytes
        }
        "picture" => picture(image::ImageFormat::Jpeg),
        "trap" => [picture(image::ImageFormat::Jpeg).as_slice(), b"<script>alert(1)</script>"].concat(),
        _ => panic!("no hostile file {kind:?}"),
    };
    (bad.to_owned(), bytes)
}

fn good(name: &str) -> Vec<u8> {
    match name.rsplit('.').next().unwrap_or_default() {
        "pdf" => pdf(""),
        "jpg" | "jpeg" => picture(image::ImageFormat::Jpeg),
        "png" => picture(image::ImageFormat::Png),
        other => panic!("no sample for .{other}"),
    }
}

fn picture(format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(8, 8).write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}

/// One empty page; `more` goes into the catalogue.
fn pdf(more: &str) -> Vec<u8> {
    let objects = [
        format!("<< /Type /Catalog /Pages 2 0 R {more} >>"),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>".to_owned(),
    ];
    let mut text = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(text.len());
        let _ = write!(text, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let start = text.len();
    text.push_str("xref\n0 4\n0000000000 65535 f \n");
    for place in places {
        let _ = writeln!(text, "{place:010} 00000 n ");
    }
    let _ = write!(text, "trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    text.into_bytes()
}
