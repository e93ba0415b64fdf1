//! The people of the crash test: citizens who file, upload, log in and pay, and a clerk who issues. Each acts like a
//! person at a browser: what got no answer is done again, with the same id where the page has one. They write down what
//! was acknowledged; they know nothing of the database.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use amtsbote_core::clock::Clock;

use crate::harness;
use crate::program::{Browser, Page, between};

/// What people do, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    Open,
    Say,
    Upload,
    File,
    LogIn,
    AskToPay,
    PayAtBank,
    ComeBack,
    Look,
    Check,
    Issue,
}

impl Deed {
    /// All.
    pub const ALL: [Self; 11] = [
        Self::Open,
        Self::Say,
        Self::Upload,
        Self::File,
        Self::LogIn,
        Self::AskToPay,
        Self::PayAtBank,
        Self::ComeBack,
        Self::Look,
        Self::Check,
        Self::Issue,
    ];
}

/// What a test writes down while the program lives and dies.
#[derive(Debug, Default)]
pub struct Records {
    /// Form ids of acknowledged messages and uploads.
    pub said: Vec<String>,
    /// Acknowledged filings: form id of the filing, number of the case.
    pub filed: Vec<(String, String)>,
    /// Form ids in whose conversation somebody logged in, with the number of tries.
    pub logins: BTreeMap<String, usize>,
    /// Acknowledged payments: id.
    pub paid: Vec<String>,
    /// Cases whose paper was issued, as the clerk saw.
    pub issued: Vec<String>,
    /// What was done.
    pub done: BTreeMap<Deed, usize>,
    /// What a kill cut off.
    pub cut: BTreeMap<Deed, usize>,
}

impl Records {
    fn count(&mut self, deed: Deed, answered: bool) {
        let counts = if answered { &mut self.done } else { &mut self.cut };
        *counts.entry(deed).or_default() += 1;
    }
}

#[derive(Debug, Clone)]
enum Step {
    Open,
    Say(String),
    Upload(&'static str),
    File(&'static str),
    LogIn,
    AskToPay,
    PayAtBank,
    ComeBack,
}

/// What a citizen wants, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Talks about nothing in particular.
    Talk,
    /// Reports waste, without a name, with a photo and a mail address.
    ReportWaste,
    /// Orders a map and pays.
    OrderMap,
    /// Logs in, files, pays.
    HealthCertificate,
    /// Only logs in.
    Account,
}

impl Wish {
    fn steps(self) -> Vec<Step> {
        let say = |text: &str| Step::Say(text.to_owned());
        let mut steps = vec![Step::Open];
        match self {
            Self::Account => steps.extend([say("Guten Tag"), Step::LogIn]),
            Self::Talk => steps.extend((0..8).map(|n| say(&format!("Wort {n}")))),
            Self::ReportWaste => {
                for text in [
                    "Im Wald liegt ein Haufen Müll",
                    "ja",
                    "Waldparkplatz an der Almestraße, Büren",
                    "Reifen",
                    "ein Haufen",
                    "nein",
                    "überspringen",
                    "waldfreund@example.org",
                    "überspringen",
                ] {
                    steps.push(say(text));
                }
                steps.extend([Step::Upload("reifen.jpg"), say("das ist alles"), Step::File("absenden")]);
            }
            Self::OrderMap => {
                for text in [
                    "Ich brauche eine Flurkarte von meinem Grundstück",
                    "ja",
                    "mit der Adresse",
                    "Musterweg 14, Büren",
                    "A4",
                    "passend",
                    "bauherrin@example.org",
                    "überspringen",
                ] {
                    steps.push(say(text));
                }
                steps.extend([Step::File("absenden"), Step::AskToPay, Step::PayAtBank, Step::ComeBack]);
            }
            Self::HealthCertificate => {
                let first_day = Clock::System.now().plus(Duration::from_hours(10 * 24)).german_date();
                steps.extend([say("Ich brauche ein Gesundheitszeugnis"), say("ja"), Step::LogIn]);
                for text in
                    ["Ich fange in einer Bäckerei an", &first_day, "Deutsch", "nein", "nein", "überspringen"]
                {
                    steps.push(say(text));
                }
                steps.extend([
                    Step::Upload("ausweis.jpg"),
                    say("Das ist alles"),
                    say("Alles richtig, weiter zur Erklärung"),
                    Step::File("Erklären und absenden"),
                    Step::AskToPay,
                    Step::PayAtBank,
                    Step::ComeBack,
                ]);
            }
        }
        steps
    }
}

/// A citizen.
pub struct Citizen {
    wish: Wish,
    base: String,
    browser: Browser,
    life: usize,
    step: usize,
    steps: Vec<Step>,
    number: String,
    payment: String,
    bank: String,
}

impl Citizen {
    /// A citizen with this wish.
    pub fn new(wish: Wish, base: &str) -> Self {
        Self {
            wish,
            base: base.to_owned(),
            browser: Browser::new(base),
            life: 0,
            step: 0,
            steps: wish.steps(),
            number: String::new(),
            payment: String::new(),
            bank: String::new(),
        }
    }

    /// Whether nothing has been begun that is not finished.
    pub fn rests(&self) -> bool {
        self.step == 0
    }

    /// Does the next thing. False if no answer came: then the same is done next time. A case that waits for the clerk
    /// is put into `desk`.
    pub async fn act(&mut self, records: &mut Records, desk: &mut VecDeque<String>) -> bool {
        let id = format!("{:?}{}s{}", self.wish, self.life, self.step);
        let step = self.steps[self.step].clone();
        let (deed, answered) = match &step {
            Step::Open => (Deed::Open, self.browser.open_chat().await.map(|page| seen(&page, 200))),
            Step::Say(text) => {
                (Deed::Say, self.browser.say(&id, text).await.map(|page| heard(&id, &page, records)))
            }
            Step::Upload(name) => {
                let (name, bytes) = harness::sample(name);
                let page = self.browser.upload(&id, &name, bytes).await;
                (Deed::Upload, page.map(|page| heard(&id, &page, records)))
            }
            Step::File(text) => {
                let page = self.browser.say(&id, text).await;
                (Deed::File, page.map(|page| self.filed(&id, &page, records)))
            }
            Step::LogIn => {
                // The message before it stands in the same conversation.
                let before = format!("{:?}{}s{}", self.wish, self.life, self.step - 1);
                *records.logins.entry(before).or_default() += 1;
                (Deed::LogIn, self.log_in().await)
            }
            Step::AskToPay => (Deed::AskToPay, self.ask_to_pay().await),
            Step::PayAtBank => (Deed::PayAtBank, self.pay_at_bank().await),
            Step::ComeBack => (Deed::ComeBack, self.come_back(records).await),
        };
        records.count(deed, answered.is_some());
        if answered.is_none() {
            return false;
        }
        self.step += 1;
        if self.step == self.steps.len() {
            if !self.number.is_empty() {
                desk.push_back(std::mem::take(&mut self.number));
            }
            self.browser = Browser::new(&self.base);
            self.steps = self.wish.steps();
            self.life += 1;
            self.step = 0;
        }
        true
    }

    fn filed(&mut self, id: &str, page: &Page, records: &mut Records) {
        heard(id, page, records);
        let fact = page.body.split_once("Vorgangsnummer").map(|(_, rest)| rest).unwrap_or_default();
        let number = between(fact, "ab-fact-text\">", "<").unwrap_or_default();
        assert_eq!(number.len(), 8, "{id}: filed: {}", page.body);
        number.clone_into(&mut self.number);
        between(&page.body, "/pay/", "\"").unwrap_or_default().clone_into(&mut self.payment);
        records.filed.push((id.to_owned(), number.to_owned()));
    }

    async fn log_in(&mut self) -> Option<()> {
        let person = if self.wish == Wish::Account { "mehmet" } else { "erika" };
        let person = [("person", person), ("trust", "T2"), ("next", "/chat")];
        // The form of this moment: after a lost answer the session may be another one.
        let form = self.browser.get("/login/demo").await?;
        self.browser.csrf = form.field("csrf");
        seen(&self.browser.post("/login/demo", &person).await?, 303);
        seen(&self.browser.open_chat().await?, 200);
        Some(())
    }

    /// A double click on "pay": both lead to the same page of the bank.
    async fn ask_to_pay(&mut self) -> Option<()> {
        let path = format!("/pay/{}", self.payment);
        let (one, two) = tokio::join!(self.browser.post(&path, &[]), self.browser.post(&path, &[]));
        let (one, two) = (one?, two?);
        seen(&one, 303);
        seen(&two, 303);
        assert_eq!(one.location, two.location, "a double click has made two orders");
        self.bank = one.location;
        Some(())
    }

    async fn pay_at_bank(&mut self) -> Option<()> {
        let pay = [("act", "pay")];
        let (one, two) =
            tokio::join!(self.browser.post(&self.bank, &pay), self.browser.post(&self.bank, &pay));
        seen(&one?, 303);
        seen(&two?, 303);
        Some(())
    }

    /// The way back from the bank, twice, and a late click on an old "pay" button.
    async fn come_back(&mut self, records: &mut Records) -> Option<()> {
        let path = format!("/pay/{}", self.payment);
        for _ in 0..2 {
            let page = self.browser.get(&path).await?;
            seen(&page, 200);
            assert!(page.body.contains("ab-callout-success"), "the payment counts: {}", page.body);
        }
        seen(&self.browser.post(&path, &[]).await?, 422);
        records.paid.push(std::mem::take(&mut self.payment));
        Some(())
    }
}

fn heard(id: &str, page: &Page, records: &mut Records) {
    seen(page, 200);
    records.said.push(id.to_owned());
}

/// Anything else than the expected answer is a failure of the program: nobody may see an error page because of a kill.
fn seen(page: &Page, status: u16) {
    assert_eq!(page.status.as_u16(), status, "unexpected answer: {} {}", page.location, page.body);
}

/// The clerk, with an account that was set up by the one-time link.
pub struct Clerk {
    browser: Browser,
    case: Option<String>,
}

impl Clerk {
    /// Sets up the account by the link that the program has printed, with password and code, and logs in.
    pub async fn set_up(base: &str, link: &str) -> Self {
        let browser = Browser::new(base);
        let path = link.strip_prefix(base).expect("a link of ours").to_owned();
        let page = browser.get(&path).await.expect("the page of the link");
        let secret: String =
            between(&page.body, "ab-secret\">", "<").expect("the key").split_whitespace().collect();
        let app =
            totp_rs::TOTP::from_url_unchecked(format!("otpauth://totp/x?secret={secret}")).expect("app");
        let now = u64::try_from(Clock::System.now().0).expect("after 1970") / 1000;
        let form = between(&page.body, "method=\"post\" action=\"", "\"").expect("the form").to_owned();
        let password = ("password", "drei alte Eichen rauschen");
        let code = app.generate(now);
        let account = [("name", "weber"), ("display_name", "M. Weber"), password, ("code", code.as_str())];
        let made = browser.post(&form, &account).await.expect("answers");
        assert_eq!(made.location, "/staff/login?done=account", "{}", made.body);
        // Each code is good once; that of the next half minute is good already.
        let code = app.generate(now + 30);
        let login = [("name", "weber"), password, ("code", code.as_str()), ("next", "/staff")];
        let entered = browser.post("/staff/login", &login).await.expect("answers");
        assert_eq!(entered.location, "/staff", "{}", entered.body);
        Self { browser, case: None }
    }

    /// Whether no case is being worked on.
    pub fn rests(&self) -> bool {
        self.case.is_none()
    }

    /// Looks at the case and does what the page offers. False if no answer came.
    pub async fn act(&mut self, records: &mut Records, desk: &mut VecDeque<String>) -> bool {
        let Some(number) = self.case.clone().or_else(|| desk.pop_front()) else { return true };
        self.case = Some(number.clone());
        let path = format!("/staff/case/{number}");
        let Some(page) = self.browser.get(&path).await else {
            records.count(Deed::Look, false);
            return false;
        };
        records.count(Deed::Look, true);
        seen(&page, 200);
        self.browser.csrf = page.field("csrf");
        let version = page.field("version");
        let offered = |form: &str| page.body.contains(&format!("{path}/{form}\""));
        let known = [("version", version.as_str())];
        let (deed, answer) = if offered("complete") {
            (Deed::Check, self.browser.post(&format!("{path}/complete"), &known).await)
        } else if offered("take") && !offered("draft") {
            (Deed::Check, self.browser.post(&format!("{path}/take"), &known).await)
        } else if offered("draft") {
            let paper = [
                ("block", "paragraph-1"),
                ("text-paragraph-1", "Ihr Anliegen ist erledigt."),
                ("then", "propose"),
            ];
            (Deed::Issue, self.browser.post(&format!("{path}/draft"), &paper).await)
        } else {
            assert!(page.body.contains("Schreiben des Amts"), "{number}: nothing to do: {}", page.body);
            records.issued.push(number);
            self.case = None;
            return true;
        };
        records.count(deed, answer.is_some());
        match answer {
            Some(answer) => {
                seen(&answer, 303);
                true
            }
            None => false,
        }
    }
}
