//! Kill -9 in the whole life of an office: citizens chat, upload, file, log in and pay, a clerk issues papers, notices
//! leave by mail, and strace kills the program in the middle of a system call: at its n-th sync, at its n-th write to
//! the database, while a file gets its name, before an answer leaves, before and while a mail is handed over. This
//! process is the independent recorder: it notes what was acknowledged, and does again what was not. Afterwards nothing
//! acknowledged may be lost and no effect doubled (`checker`).

mod checker;
mod mail_server;
mod people;

use std::collections::VecDeque;
use std::path::Path;

use mail_server::{MailServer, Mood};
use people::{Citizen, Clerk, Deed, Records, Wish};

use crate::program::{Program, Start, between};

/// How often the program is killed.
const KILLS: usize = 224;

/// What people do at most in one life of the program, if no kill comes.
const DEEDS: usize = 30;

/// Where this life ends: what strace injects. The numbers move through all places of each kind.
fn place(kill: usize) -> String {
    let round = kill / 8;
    match kill % 8 {
        // Where transactions and files become durable.
        0..=3 => format!("fsync,fdatasync:signal=SIGKILL:when={}", 1 + (round * 4 + kill % 4) % 37),
        // In the middle of a commit: the log of the database is half written.
        4 => format!("pwrite64:signal=SIGKILL:when={}", 1 + (round * 23) % 311),
        // Committed, and the answer or the mail does not leave.
        5 => format!("sendto,sendmsg,writev:signal=SIGKILL:when={}", 1 + round),
        // Claimed, and nothing of the mail has left.
        6 => format!("connect:signal=SIGKILL:when={}", 1 + round % 2),
        // Written, and the file has no name yet.
        _ => format!("rename,renameat,renameat2,link,linkat:signal=SIGKILL:when={}", 1 + round % 4),
    }
}

/// What the mail server does in this life.
fn mood(kill: usize) -> Mood {
    match kill % 11 {
        3 => Mood::HangsUp,
        7 => Mood::Busy,
        _ => Mood::Takes,
    }
}

struct World {
    port: u16,
    settings: Vec<String>,
    mails: MailServer,
    citizens: Vec<Citizen>,
    clerk: Clerk,
    desk: VecDeque<String>,
    records: Records,
    turn: usize,
}

impl World {
    /// An office with a clerk.
    async fn begin(folder: &Path) -> Self {
        let mails = MailServer::start().await;
        let settings = vec![
            "mail.kind=smtp".to_owned(),
            format!("mail.smtp_url=smtp://127.0.0.1:{}", mails.port),
            "outbox.workers=1".to_owned(),
        ];
        let port = crate::free_port();
        let output = folder.join("output");
        let start = Start { folder, port, settings: &settings, inject: None, output: Some(output.clone()) };
        let mut program = Program::start(&start);
        assert!(program.answers().await, "the first start");
        let mut printed = String::new();
        while !printed.contains("Daten liegen in") {
            printed = std::fs::read_to_string(&output).expect("the output");
            tokio::task::yield_now().await;
        }
        let link = between(&printed, "24 Stunden):", "\n\n").expect("the link").trim().to_owned();
        let clerk = Clerk::set_up(&program.base, &link).await;
        let wishes = [Wish::Talk, Wish::OrderMap, Wish::ReportWaste, Wish::HealthCertificate, Wish::Account];
        let citizens = wishes.map(|wish| Citizen::new(wish, &program.base)).into();
        program.end();
        let (desk, records) = (VecDeque::new(), Records::default());
        Self { port, settings, mails, citizens, clerk, desk, records, turn: 0 }
    }

    fn start(&self, folder: &Path, inject: Option<&str>) -> Program {
        Program::start(&Start { folder, port: self.port, settings: &self.settings, inject, output: None })
    }

    /// One after the other does the next thing, until no answer comes.
    async fn live(&mut self, deeds: usize) {
        for _ in 0..deeds {
            let who = self.turn % (self.citizens.len() + 1);
            let answered = match self.citizens.get_mut(who) {
                Some(citizen) => citizen.act(&mut self.records, &mut self.desk).await,
                None => self.clerk.act(&mut self.records, &mut self.desk).await,
            };
            if !answered {
                return;
            }
            self.turn += 1;
        }
    }

    /// Everybody finishes what was begun.
    async fn finish(&mut self) {
        for citizen in &mut self.citizens {
            while !citizen.rests() {
                assert!(
                    citizen.act(&mut self.records, &mut self.desk).await,
                    "without a kill there is an answer"
                );
            }
        }
        while !self.clerk.rests() {
            assert!(
                self.clerk.act(&mut self.records, &mut self.desk).await,
                "without a kill there is an answer"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let mut world = World::begin(folder.path()).await;
    for kill in 0..KILLS {
        world.mails.mood(mood(kill));
        let mut program = world.start(folder.path(), Some(&place(kill)));
        if program.answers().await {
            world.live(DEEDS).await;
        }
        program.end();
    }
    world.mails.mood(Mood::Takes);
    let mut program = world.start(folder.path(), None);
    assert!(program.answers().await, "the last start");
    world.finish().await;
    program.end();

    let hung_up = world.mails.mails().iter().filter(|mail| !mail.acknowledged).count();
    let World { settings, mails, records, .. } = world;
    let summary = checker::check(folder.path(), &settings, &records, &mails, KILLS + 1 + hung_up).await;

    // The kills have met everything that people do, and the mails at every point of their way.
    eprintln!("done: {:?}\ncut off: {:?}\nmails: {summary:?}, hung up {hung_up}", records.done, records.cut);
    for deed in Deed::ALL {
        assert!(records.done.contains_key(&deed), "{deed:?} was never done: {:?}", records.done);
    }
    for deeds in [
        &[Deed::Open, Deed::Say][..],
        &[Deed::Upload],
        &[Deed::File],
        &[Deed::LogIn],
        &[Deed::AskToPay, Deed::PayAtBank, Deed::ComeBack],
        &[Deed::Look, Deed::Check],
        &[Deed::Issue],
    ] {
        let met = deeds.iter().any(|deed| records.cut.contains_key(deed));
        assert!(met, "no kill has met {deeds:?}: {:?}", records.cut);
    }
    assert!(records.cut.values().sum::<usize>() > KILLS / 3, "too few kills met anybody: {:?}", records.cut);
    assert!(summary.sent > 0 && summary.doubt_lost > 0 && summary.doubt_delivered > 0, "{summary:?}");
}
