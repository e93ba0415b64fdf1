//! What must hold after all kills, read from the database, the file store and the mail server's book.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amtsbote_channels::mail::Mail as MailChannel;
use amtsbote_core::clock::Clock;
use amtsbote_core::config::Config;
use amtsbote_core::id::DocumentId;
use amtsbote_core::message::Channel;
use amtsbote_core::office::Office;
use amtsbote_core::{audit, document, jobs, outbox};
use sqlx::Row;

use super::mail_server::MailServer;
use super::people::Records;

/// Two hours later: leases are over, retries are due, what nobody claims may be swept.
const LATER: Duration = Duration::from_hours(2);

struct Checker {
    office: Arc<Office>,
}

/// Opens the office as it was left and checks everything. `doubts` is how many deliveries may be in doubt.
pub async fn check(
    folder: &Path,
    settings: &[String],
    records: &Records,
    mails: &MailServer,
    doubts: usize,
) -> Summary {
    let settings: Vec<(String, String)> = settings
        .iter()
        .map(String::as_str)
        .chain([format!("data.folder={}", folder.display()).as_str()])
        .map(|setting| {
            let (key, value) = setting.split_once('=').expect("key=value");
            (key.to_owned(), value.to_owned())
        })
        .collect();
    let config = Config::load(None, std::iter::empty(), &settings).expect("settings");
    let clock = Clock::manual(Clock::System.now().plus(LATER));
    let office = Office::open(config, clock).await.expect("opens");
    assert_eq!(office.db.integrity().await.expect("checks"), Vec::<String>::new());
    let checker = Checker { office };
    checker.chain().await;
    checker.messages(records).await;
    checker.cases(records).await;
    checker.payments(records).await;
    checker.papers(records).await;
    checker.files().await;
    let summary = checker.mails(mails, doubts).await;
    checker.chain().await;
    summary
}

/// How the deliveries ended.
#[derive(Debug, Default)]
pub struct Summary {
    /// Sent and acknowledged.
    pub sent: usize,
    /// In doubt and not delivered.
    pub doubt_lost: usize,
    /// In doubt and delivered.
    pub doubt_delivered: usize,
}

impl Checker {
    async fn rows(&self, sql: &str) -> Vec<(String, i64)> {
        let mut tx = self.office.db.read().await.expect("reads");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut *tx).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(|row| (row.try_get(0).expect("text"), row.try_get(1).expect("number"))).collect()
    }

    async fn map(&self, sql: &str) -> BTreeMap<String, i64> {
        self.rows(sql).await.into_iter().collect()
    }

    async fn chain(&self) {
        let mut tx = self.office.db.read().await.expect("reads");
        audit::verify(&mut tx).await.expect("reads").expect("the audit chain is whole");
    }

    /// Every acknowledged message stands there once and has its reply; no reply stands there twice.
    async fn messages(&self, records: &Records) {
        // "web-<form id>-<hash of the words>"
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, _) in self
            .rows("select conversation_id || ' ' || external_id, seq from message where external_id is not null")
            .await
        {
            let (conversation, external) = id.split_once(' ').expect("two parts");
            let form = external.split('-').nth(1).expect("a form id");
            places.entry(form.to_owned()).or_default().push(conversation.to_owned());
        }
        for id in &records.said {
            let times = places.get(id).map_or(0, Vec::len);
            assert_eq!(times, 1, "{id} was acknowledged and stands {times} times in the history");
        }
        let doubled: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
        assert!(doubled.is_empty(), "{doubled:?}");

        let said = self
            .map("select conversation_id, count(*) from message where author = 'citizen' group by 1")
            .await;
        let told =
            self.map("select conversation_id, count(*) from message where author = 'bot' group by 1").await;
        let paid = self
            .map("select conversation_id, count(*) from payment join application on application.id = application_id where payment.state = 'paid' group by 1")
            .await;
        let issued = self
            .map("select conversation_id, count(*) from paper join application on application.id = application_id where paper.state = 'issued' group by 1")
            .await;
        let logins: BTreeMap<&str, usize> = records
            .logins
            .iter()
            .map(|(id, tries)| (places[id].first().expect("the conversation").as_str(), *tries))
            .collect();
        let number = |map: &BTreeMap<String, i64>, id: &str| map.get(id).copied().unwrap_or_default();
        for (conversation, told) in &told {
            let notices = number(&paid, conversation) + number(&issued, conversation);
            // A greeting, a reply to each message, a notice of each payment and each paper, "you are logged in".
            let beside = told - 1 - number(&said, conversation) - notices;
            let tries = logins.get(conversation.as_str()).copied();
            let most = i64::try_from(tries.unwrap_or_default()).expect("small");
            let least = i64::from(tries.is_some());
            assert!((least..=most).contains(&beside), "{conversation}: {beside} replies too many");
        }
        // Right after each message of the citizen comes a reply.
        let order = self
            .rows("select author, seq from message order by conversation_id, seq")
            .await
            .into_iter()
            .map(|(author, _)| author)
            .collect::<Vec<_>>();
        let answered = order.windows(2).filter(|pair| pair[0] == "citizen" && pair[1] == "bot").count();
        assert_eq!(
            answered,
            order.iter().filter(|author| *author == "citizen").count(),
            "a reply is missing"
        );
    }

    /// One case for each filed draft, and no other.
    async fn cases(&self, records: &Records) {
        let cases = self.map("select number, count(*) from application group by 1").await;
        let filed: BTreeSet<&String> = records.filed.iter().map(|(_, number)| number).collect();
        assert_eq!(filed.len(), records.filed.len(), "two filings got one number");
        assert_eq!(cases.keys().collect::<BTreeSet<_>>(), filed);
        let many = "select conversation_id, count(*) from application group by 1 having count(*) > 1";
        // Each filing has a conversation of its own.
        assert_eq!(self.rows(many).await, []);
        let counted = self.map("select state, count(*) from application group by 1").await;
        let kept = self.map("select state, number from application_count where number > 0").await;
        assert_eq!(kept, counted, "the kept counts");
    }

    /// Each fee was asked for once, settled once, and had its effects once.
    async fn payments(&self, records: &Records) {
        let fees = self.map("select application_id, count(*) from payment group by 1").await;
        assert!(fees.values().all(|count| *count == 1), "{fees:?}");
        let paid = self.map("select id, 1 from payment where state = 'paid'").await;
        for id in &records.paid {
            assert!(paid.contains_key(id), "{id} was acknowledged as paid");
        }
        for (what, sql) in [
            (
                "orders",
                "select payment_id, count(*) from payment_attempt join demo_order on demo_order.request_id = payment_attempt.request_id where demo_order.state = 'paid' group by 1",
            ),
            (
                "paid requests",
                "select payment_id, count(*) from payment_attempt where outcome = 'paid' group by 1",
            ),
            (
                "receipts",
                "select payment_id, count(*) from payment_effect where effect = 'receipt' group by 1",
            ),
            (
                "marks on the case",
                "select payment_id, count(*) from payment_effect where effect = 'application_paid' group by 1",
            ),
            (
                "audit records",
                "select subject_id, count(*) from audit where action = 'payment.paid' group by 1",
            ),
        ] {
            assert_eq!(self.map(sql).await, paid, "{what}");
        }
        assert_eq!(
            self.rows("select outcome, 1 from payment_attempt where outcome = 'refund_requested'").await,
            []
        );
    }

    /// Each case that the clerk has finished has one issued paper, with its two files and one notification.
    async fn papers(&self, records: &Records) {
        let papers = "select number, count(*) from paper join application on application.id = paper.application_id \
                      where paper.state = 'issued' group by 1";
        let papers = self.map(papers).await;
        for number in &records.issued {
            assert_eq!(papers.get(number), Some(&1), "{number}: issued once");
        }
        let told =
            "select paper_id, count(*) from delivery_event where kind = 'notification_sent' group by 1";
        let told = self.map(told).await;
        assert!(told.values().all(|times| *times == 1) && told.len() == papers.len(), "{told:?}");
        let files = "select application_id, count(*) from document where kind in ('bescheid', 'bescheid_archive') group by 1";
        let files = self.map(files).await;
        assert!(files.values().all(|count| *count == 2) && files.len() == papers.len(), "{files:?}");
    }

    /// What a row points to is whole; after the sweep nothing lies there that no row points to, and no half of a file.
    async fn files(&self) {
        jobs::run_due(&self.office).await.expect("the jobs run");
        let rows = self.map("select id, 1 from document where removed_at is null").await;
        assert_eq!(self.office.files.list().await.expect("lists"), rows.keys().cloned().collect::<Vec<_>>());
        for id in rows.into_keys() {
            let mut tx = self.office.db.read().await.expect("reads");
            let id = DocumentId(id);
            let stored =
                document::load(&mut tx, &self.office.keys, &id).await.expect("reads").expect("a row");
            drop(tx);
            self.office.read_document(&stored).await.expect("the file is whole");
        }
        let names = std::fs::read_dir(self.office.config.files_folder()).expect("reads");
        let halves =
            names.flatten().filter(|entry| entry.file_name().to_string_lossy().contains('#')).count();
        assert_eq!(halves, 0, "halves of files are left");
    }

    /// Each notice has one row, each row one outcome; a mail came twice nowhere, and not at all only where the row
    /// is in doubt.
    async fn mails(&self, server: &MailServer, doubts: usize) -> Summary {
        let mail = MailChannel::open(&self.office.config).expect("opens").expect("is set up");
        let channels: [Arc<dyn Channel>; 1] = [Arc::new(mail)];
        while outbox::deliver_due(&self.office, &channels).await.expect("delivers") > 0 {}
        let keys = self.rows("select unique_key, 1 from outbox").await;
        let notices: BTreeSet<&str> =
            keys.iter().filter_map(|(key, _)| Some(key.rsplit_once(':')?.0)).collect();
        assert_eq!(notices.len(), keys.len(), "a notice has two rows");
        let caused = self
            .rows("select application_id || ':notice.paid', 1 from payment where state = 'paid' union all select application_id || ':notice.issued', 1 from paper where state = 'issued'")
            .await;
        assert_eq!(caused.iter().map(|(key, _)| key.as_str()).collect::<BTreeSet<_>>(), notices);

        let rows = self.rows("select id || ' ' || state, attempts from outbox").await;
        let came = server.mails();
        let mut summary = Summary::default();
        for (row, attempts) in &rows {
            let (id, state) = row.split_once(' ').expect("two parts");
            let own: Vec<_> = came.iter().filter(|mail| mail.id == id).collect();
            match (state, own.as_slice()) {
                ("sent", [mail]) if mail.acknowledged => summary.sent += 1,
                ("uncertain", []) => summary.doubt_lost += 1,
                ("uncertain", [_]) => summary.doubt_delivered += 1,
                _ => panic!("{id} is {state} after {attempts} tries and came as {own:?}"),
            }
        }
        assert_eq!(
            summary.sent + summary.doubt_delivered,
            came.len(),
            "a mail came under a name that no row has"
        );
        let in_doubt = summary.doubt_lost + summary.doubt_delivered;
        assert!(in_doubt <= doubts, "{in_doubt} rows are in doubt after {doubts} kills and failures");
        summary
    }
}
