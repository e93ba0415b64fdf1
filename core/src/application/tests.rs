//! Examples for applications on a real database, and the table of states written a second time by hand.

use tempfile::TempDir;

use super::*;
use crate::audit::AuditRecord;
use crate::clock::Clock;
use crate::db::Db;
use crate::seal::MasterKey;

/// Friday, 20.11.2026, 10:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_795_168_800_000);

/// A service with a fee at submission, one document, and no decision.
pub(crate) const DEFINITION: &str = r#"
id = "karte"
version = 3
unit = "katasteramt"
data_class = "personal"
procedure = "NONE"
legal_basis = []
facts = []
titles = { de = "Karte" }
summary = { de = "Eine Karte." }
trust = { submit = "T0", read = "T0" }
decision = { kind = "none" }
output = { kind = "extract" }
sla = { ack_days = 1, first_check_days = 1, decision_days = 5 }
retention = { closed_years = 10, archive_offer = false }

[fee]
when = "at_submission"
basis = "Gebührenordnung"
items = [
  { id = "map", label = { de = "Karte" }, cents = 3000, only_if = { field = "size", is = ["a4"] } },
  { id = "copy", label = { de = "Kopie" }, cents = 250, only_if = { field = "size", is = ["a4"] } },
]

[[documents]]
id = "plan"
label = { de = "Lageplan" }
reason = { de = "Wir müssen das Grundstück finden." }
formats = ["pdf"]
max_mb = 4
"#;

pub(crate) struct World {
    _folder: TempDir,
    pub(crate) db: Db,
    pub(crate) keys: Keys,
}

pub(crate) async fn world() -> World {
    let folder = tempfile::tempdir().expect("folder");
    let db = crate::db::open_for_test(folder.path()).await;
    let clock = Clock::manual(NOW);
    let keys = Keys { master: MasterKey::from_bytes(&clock.random()), clock };
    World { _folder: folder, db, keys }
}

pub(crate) fn submission(draft: &str, size: &str) -> Submission {
    Submission {
        draft_id: draft.to_owned(),
        conversation: ConversationId("conversation".to_owned()),
        person: Some(PersonId("person".to_owned())),
        trust: Trust::T1,
        language: "de".to_owned(),
        answers: BTreeMap::from([
            ("name".to_owned(), "Erika Muster".to_owned()),
            ("size".to_owned(), size.to_owned()),
        ]),
        documents: vec![("plan".to_owned(), DocumentId("document".to_owned()))],
        later_documents: vec!["photo".to_owned()],
        declaration_shown: "Ich erkläre …".to_owned(),
    }
}

pub(crate) fn clerk() -> Actor {
    Actor::Staff(StaffId("clerk".to_owned()))
}

pub(crate) fn citizen() -> Actor {
    Actor::Anonymous(ConversationId("conversation".to_owned()))
}

/// Files an application. With `size` "a4" it costs 32.50 euros, with any other it is free.
pub(crate) async fn file(tx: &mut Tx, keys: &Keys, draft: &str, size: &str) -> Filed {
    let service = store::parse_definition(DEFINITION).expect("parses");
    submit(tx, keys, &service, DEFINITION, &submission(draft, size), &citizen(), NOW).await.expect("files")
}

pub(crate) async fn history(tx: &mut Tx, kind: &str, id: &str) -> Vec<AuditRecord> {
    audit::history(tx, (kind, id), 200).await.expect("history")
}

pub(crate) async fn actions(tx: &mut Tx, kind: &str, id: &str) -> Vec<String> {
    history(tx, kind, id).await.into_iter().map(|record| record.action).collect()
}

pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result {
        Err(Error::Refused { key, .. }) => key,
        other => panic!("no refusal but {other:?}"),
    }
}

fn evidence() -> DecisionEvidence {
    DecisionEvidence::new(StaffId("clerk".to_owned()), "approver".to_owned(), "abc".to_owned())
}

fn all_events() -> Vec<Event> {
    vec![
        Event::Submit,
        Event::Receive,
        Event::FeeDue,
        Event::Paid,
        Event::Waive,
        Event::StartCheck,
        Event::RequestDocuments,
        Event::Fulfilled,
        Event::Expired,
        Event::Complete,
        Event::Take,
        Event::Hear,
        Event::HearingAnswered,
        Event::HearingExpired,
        Event::ProposeDecision,
        Event::Query,
        Event::Answer,
        Event::SendBack,
        Event::NewBytes,
        Event::Decide(evidence()),
        Event::ServiceRendered,
        Event::DeemedDelivered,
        Event::DeliveryLost,
        Event::RemedyReceived,
        Event::RemedyRejected,
        Event::RemedyGranted,
        Event::ConfirmFinal,
        Event::Close,
        Event::RetentionOver,
        Event::Erase,
        Event::Withdraw,
        Event::NotCompetent,
        Event::Moot,
    ]
}

/// From, event, who may (person, staff, system = `m`achine), to; as in `administration.md` section 2.
const EDGES: &str = "
    draft submit p submitted
    submitted receive m received
    received fee_due m awaiting_payment
    awaiting_payment paid m completeness_check
    awaiting_payment waive s completeness_check
    received start_check m completeness_check
    completeness_check request_documents s documents_requested
    documents_requested fulfilled m completeness_check
    documents_requested expired m completeness_check
    completeness_check complete sm complete
    complete take s in_progress
    in_progress hear s hearing
    hearing hearing_answered pm in_progress
    hearing hearing_expired m in_progress
    in_progress propose_decision s in_approval
    in_approval query s query
    query answer s in_approval
    in_approval send_back s in_progress
    query send_back s in_progress
    in_approval new_bytes sm in_progress
    query new_bytes sm in_progress
    in_approval decide s decided
    in_progress service_rendered sm closed
    decided deemed_delivered m delivered
    delivered delivery_lost m decided
    delivered remedy_received s remedy
    remedy remedy_rejected s delivered
    remedy remedy_granted s in_progress
    delivered confirm_final s final
    final close s closed
    delivered close s closed
    closed retention_over m archive_ready
    archive_ready erase sm erased
    draft withdraw ps withdrawn
    submitted withdraw ps withdrawn
    received withdraw ps withdrawn
    awaiting_payment withdraw ps withdrawn
    completeness_check withdraw ps withdrawn
    documents_requested withdraw ps withdrawn
    complete withdraw ps withdrawn
    in_progress withdraw ps withdrawn
    hearing withdraw ps withdrawn
    in_approval withdraw ps withdrawn
    query withdraw ps withdrawn
    received not_competent s forwarded
    awaiting_payment not_competent s forwarded
    completeness_check not_competent s forwarded
    documents_requested not_competent s forwarded
    complete not_competent s forwarded
    in_progress not_competent s forwarded
    draft moot s moot
    submitted moot s moot
    received moot s moot
    awaiting_payment moot s moot
    completeness_check moot s moot
    documents_requested moot s moot
    complete moot s moot
    in_progress moot s moot
    hearing moot s moot
    in_approval moot s moot
    query moot s moot
";

#[tokio::test]
async fn every_state_meets_every_event_of_every_actor() {
    let world = world().await;
    let mut tx = world.db.read().await.expect("connects");
    let id = file(&mut tx, &world.keys, "draft", "free").await.id;
    let edges: Vec<Vec<&str>> = EDGES
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|edge: &Vec<_>| !edge.is_empty())
        .collect();
    assert_eq!(edges.len(), 61);
    let actors = [('p', citizen()), ('s', clerk()), ('m', Actor::System("test"))];
    let before = history(&mut tx, "application", id.as_str()).await.len();
    // One transaction that is undone: nothing has to reach the disk.
    sqlx::raw_sql("begin").execute(&mut *tx).await.expect("begins");
    let mut accepted = 0;
    for state in State::ALL {
        for event in all_events() {
            let edge = edges.iter().find(|edge| edge[0] == state.as_str() && edge[1] == event.as_str());
            let to = edge.and_then(|edge| State::parse(edge[3]));
            assert_eq!(next(state, &event).ok(), to, "{state:?} × {event:?}");
            for (letter, actor) in &actors {
                sqlx::raw_sql("savepoint one").execute(&mut *tx).await.expect("savepoint");
                sqlx::query("update application set state = $1")
                    .bind(state.as_str())
                    .execute(&mut *tx)
                    .await
                    .expect("sets the state");
                let expected = to.filter(|_| edge.is_some_and(|edge| edge[2].contains(*letter)));
                let result = apply(&mut tx, &id, &event, actor, NOW).await;
                let after = row(&mut tx, &id).await.expect("reads").expect("exists").state;
                let records = history(&mut tx, "application", id.as_str()).await.len() - before;
                if let Some(expected) = expected {
                    accepted += 1;
                    assert_eq!(result.expect("is accepted"), expected, "{state:?} × {event:?} × {letter}");
                    assert_eq!((after, records), (expected, 1), "{state:?} × {event:?} × {letter}");
                } else {
                    let key =
                        if to.is_some() { "application.wrong_actor" } else { "application.illegal_event" };
                    assert_eq!(refusal(result), key, "{state:?} × {event:?} × {letter}");
                    assert_eq!((after, records), (state, 0), "{state:?} × {event:?} × {letter}");
                }
                sqlx::raw_sql("rollback to savepoint one; release savepoint one")
                    .execute(&mut *tx)
                    .await
                    .expect("undoes");
            }
        }
    }
    assert_eq!(accepted, edges.iter().map(|edge| edge[2].len()).sum::<usize>());
    sqlx::raw_sql("rollback").execute(&mut *tx).await.expect("undoes all");
}

#[test]
fn words_and_texts_are_one_for_each_state() {
    let mut texts = std::collections::BTreeSet::new();
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
        let (status, next) = status_text_key(state);
        assert_eq!(status, format!("status.{}", state.as_str()));
        assert_eq!(next, format!("status_next.{}", state.as_str()));
        texts.insert(status);
    }
    assert_eq!(texts.len(), State::ALL.len());
}

#[tokio::test]
async fn a_draft_is_filed_once_and_read_back() {
    let world = world().await;
    let mut tx = world.db.read().await.expect("connects");
    let filed = file(&mut tx, &world.keys, "draft", "a4").await;
    assert_eq!((filed.number.len(), filed.access_code.len()), (8, 10));
    assert_eq!(filed.payment.as_ref().map(|payment| payment.1), Some(3250));
    assert_eq!(file(&mut tx, &world.keys, "draft", "a4").await, filed);
    assert_eq!(
        actions(&mut tx, "application", filed.id.as_str()).await,
        ["application.submit", "application.receive", "application.fee_due"]
    );
    let free = file(&mut tx, &world.keys, "other", "free").await;
    assert_eq!(free.payment, None);
    assert_eq!(
        actions(&mut tx, "application", free.id.as_str()).await,
        ["application.submit", "application.receive", "application.start_check"]
    );
    let case = load(&mut tx, &world.keys, &filed.id).await.expect("loads").expect("exists");
    assert_eq!(case.state, State::AwaitingPayment);
    assert_eq!(case.answers["name"], "Erika Muster");
    assert_eq!(case.documents, [("plan".to_owned(), DocumentId("document".to_owned()))]);
    assert_eq!(case.later_documents, ["photo"]);
    assert_eq!(case.declaration_shown, "Ich erkläre …");
    assert_eq!((case.service.id.as_str(), case.service.version), ("karte", 3));
    assert_eq!(case.due_at.map(Timestamp::german_date), Some("27.11.2026".to_owned()));
    assert_eq!(case.trust, Trust::T1);
    assert_eq!(id_by_number(&mut tx, &filed.number).await.expect("reads"), Some(filed.id));
    // Somebody else who knows the draft's id learns nothing.
    let mut foreign = submission("draft", "a4");
    foreign.conversation = ConversationId("stranger".to_owned());
    foreign.person = None;
    let service = store::parse_definition(DEFINITION).expect("parses");
    let result = submit(&mut tx, &world.keys, &service, DEFINITION, &foreign, &citizen(), NOW).await;
    assert!(matches!(result, Err(Error::NotFound(_))));
    assert_eq!(
        counts(&mut tx).await.expect("counts"),
        BTreeMap::from([(State::AwaitingPayment, 1), (State::CompletenessCheck, 1)])
    );
}

#[tokio::test]
async fn answers_are_not_readable_in_the_database() {
    let world = world().await;
    let mut tx = world.db.read().await.expect("connects");
    let filed = file(&mut tx, &world.keys, "draft", "a4").await;
    let row = sqlx::query("select answers_sealed from application").fetch_one(&mut *tx).await.expect("row");
    let sealed: Vec<u8> = row.try_get(0).expect("bytes");
    assert!(!String::from_utf8_lossy(&sealed).contains("Erika"));
    for record in history(&mut tx, "application", filed.id.as_str()).await {
        assert!(!record.details.to_string().contains("Erika"));
    }
    sqlx::query("update application set state = 'archive_ready'").execute(&mut *tx).await.expect("sets");
    apply(&mut tx, &filed.id, &Event::Erase, &Actor::System("retention"), NOW).await.expect("erases");
    let case = load(&mut tx, &world.keys, &filed.id).await.expect("loads").expect("exists");
    assert!(case.answers.is_empty() && case.person.is_none() && case.declaration_shown.is_empty());
}

#[tokio::test]
async fn five_wrong_codes_lock_a_number_for_an_hour() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let filed = file(&mut tx, keys, "draft", "free").await;
    let (number, code) = (filed.number.as_str(), filed.access_code.as_str());
    let typed = format!("{} {}", &number[..4].to_lowercase(), &number[4..]);
    let later = NOW.plus(std::time::Duration::from_hours(1));
    let wrong = "2222222222";
    // Number, code, when, found.
    let mut steps = vec![(typed.as_str(), code, NOW, true)];
    steps.extend([(number, wrong, NOW, false); 4]);
    // The right code forgets the wrong ones.
    steps.push((number, code, NOW, true));
    steps.extend([(number, wrong, NOW, false); 5]);
    steps.extend([(number, code, NOW, false), (number, code, later, true)]);
    steps.extend([("ZZZZZZZZ", code, NOW, false); 6]);
    for (index, (number, code, now, found)) in steps.into_iter().enumerate() {
        let row = by_number_and_code(&mut tx, keys, number, code, now).await.expect("answers");
        assert_eq!(row.map(|row| row.id), found.then(|| filed.id.clone()), "step {index}");
    }
    // Tries are counted for numbers that do not exist, and never under the number itself.
    let rows = sqlx::query("select number_hash, tries, locked_until from access_try")
        .fetch_all(&mut *tx)
        .await
        .expect("rows");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].try_get::<String, _>(0).expect("hash").len(), 64);
    assert_eq!(rows[0].try_get::<i64, _>(1).expect("tries"), 6 - 1);
    let tomorrow = NOW.plus(std::time::Duration::from_hours(25));
    assert_eq!(sweep_tries(&mut tx, tomorrow).await.expect("sweeps"), 1);
}

#[test]
fn access_codes_belong_to_the_case_and_the_master_key() {
    let clock = Clock::System;
    let keys = |bytes: u8| Keys { master: MasterKey::from_bytes(&[bytes; 32]), clock: clock.clone() };
    let (one, two) = (ApplicationId("one".to_owned()), ApplicationId("two".to_owned()));
    assert_eq!(access_code(&keys(1), &one), access_code(&keys(1), &one));
    assert_ne!(access_code(&keys(1), &one), access_code(&keys(1), &two));
    assert_ne!(access_code(&keys(1), &one), access_code(&keys(2), &one));
    assert!(
        access_code(&keys(1), &one).chars().all(|letter| "23456789ABCDEFGHJKMNPQRSTWXYZ".contains(letter))
    );
}

#[tokio::test]
async fn lists_are_filtered_and_paged_by_due_day() {
    let world = world().await;
    let mut tx = world.db.read().await.expect("connects");
    let mut ids = Vec::new();
    for draft in ["1", "2", "3", "4", "5"] {
        ids.push(file(&mut tx, &world.keys, draft, if draft == "5" { "a4" } else { "free" }).await);
    }
    let staff = StaffId("clerk".to_owned());
    assign(&mut tx, &ids[0].id, &staff, None, &clerk(), NOW).await.expect("assigns");
    // Somebody else thought it was free.
    let result = assign(&mut tx, &ids[0].id, &StaffId("other".to_owned()), None, &clerk(), NOW).await;
    assert!(matches!(result, Err(Error::Conflict(_))));
    assert_eq!(
        refusal(assign(&mut tx, &ids[1].id, &staff, None, &citizen(), NOW).await),
        "application.wrong_actor"
    );
    let all = Filter::default();
    let table = [
        (Filter { states: Some(vec![State::AwaitingPayment]), ..all.clone() }, 1),
        (Filter { states: Some(vec![State::AwaitingPayment, State::CompletenessCheck]), ..all.clone() }, 5),
        (Filter { states: Some(Vec::new()), ..all.clone() }, 0),
        (Filter { service_id: Some("karte".to_owned()), ..all.clone() }, 5),
        (Filter { service_id: Some("other".to_owned()), ..all.clone() }, 0),
        (Filter { assigned: Some(staff), ..all.clone() }, 1),
        (Filter { unassigned: true, ..all.clone() }, 4),
        (Filter { number_prefix: Some(ids[2].number[..6].to_lowercase()), ..all.clone() }, 1),
        (Filter { number_prefix: Some("%".to_owned()), ..all.clone() }, 5),
    ];
    for (filter, expected) in table {
        let rows = list(&mut tx, &filter, 100).await.expect("lists");
        assert_eq!(rows.len(), expected, "{filter:?}");
    }
    sqlx::query("update application set due_at = due_at - 1 where id = $1")
        .bind(ids[3].id.as_str())
        .execute(&mut *tx)
        .await
        .expect("sets");
    let mut seen = Vec::new();
    let mut filter = all;
    loop {
        let page = list(&mut tx, &filter, 2).await.expect("lists");
        let Some(last) = page.last() else { break };
        filter.before = Some(last.cursor());
        seen.extend(page.into_iter().map(|row| row.id));
    }
    let mut expected: Vec<_> = ids.iter().map(|filed| filed.id.clone()).collect();
    let first = expected.remove(3);
    expected.sort();
    expected.insert(0, first);
    assert_eq!(seen, expected);
    let own = of_person(&mut tx, &PersonId("person".to_owned()), 3).await.expect("lists");
    assert_eq!(own.len(), 3);
}

#[tokio::test]
async fn only_the_named_person_decides_and_only_free_services_end_without_decision() {
    let world = world().await;
    let mut tx = world.db.read().await.expect("connects");
    let bound = DEFINITION.replace("decision = { kind = \"none\" }", "decision = { kind = \"bound\" }");
    let service = store::parse_definition(&bound).expect("parses");
    let filed = submit(&mut tx, &world.keys, &service, &bound, &submission("1", "free"), &citizen(), NOW)
        .await
        .expect("files");
    let free = file(&mut tx, &world.keys, "2", "free").await;
    for event in [Event::Complete, Event::Take] {
        apply(&mut tx, &filed.id, &event, &clerk(), NOW).await.expect("goes on");
        apply(&mut tx, &free.id, &event, &clerk(), NOW).await.expect("goes on");
    }
    let result = apply(&mut tx, &filed.id, &Event::ServiceRendered, &clerk(), NOW).await;
    assert_eq!(refusal(result), "application.decision_required");
    let state = apply(&mut tx, &free.id, &Event::ServiceRendered, &clerk(), NOW).await.expect("closes");
    assert_eq!(state, State::Closed);
    apply(&mut tx, &filed.id, &Event::ProposeDecision, &clerk(), NOW).await.expect("goes on");
    let decide = Event::Decide(evidence());
    let somebody = Actor::Staff(StaffId("somebody".to_owned()));
    assert_eq!(refusal(apply(&mut tx, &filed.id, &decide, &somebody, NOW).await), "application.wrong_actor");
    apply(&mut tx, &filed.id, &decide, &clerk(), NOW).await.expect("decides");
    let last = history(&mut tx, "application", filed.id.as_str()).await.pop().expect("a record");
    assert_eq!((last.action.as_str(), last.actor_id.as_str()), ("application.decide", "clerk"));
    assert_eq!((&last.details["role"], &last.details["sha256"]), (&json!("approver"), &json!("abc")));
}

#[tokio::test]
async fn only_the_applicant_and_staff_withdraw() {
    let world = world().await;
    let mut tx = world.db.read().await.expect("connects");
    let (owner, stranger) = (PersonId("person".to_owned()), PersonId("stranger".to_owned()));
    let elsewhere = Actor::Anonymous(ConversationId("elsewhere".to_owned()));
    // Login, actor, allowed.
    let table = [
        (None, citizen(), true),
        (None, elsewhere.clone(), false),
        (Some(&owner), elsewhere.clone(), true),
        (Some(&stranger), elsewhere, false),
        (None, Actor::Person(owner.clone()), true),
        (None, Actor::Person(stranger.clone()), false),
        (None, clerk(), true),
        (None, Actor::System("test"), false),
    ];
    for (index, (person, actor, allowed)) in table.into_iter().enumerate() {
        let filed = file(&mut tx, &world.keys, &format!("draft {index}"), "free").await;
        let result = withdraw(&mut tx, &filed.id, person, &actor, NOW).await;
        let state = row(&mut tx, &filed.id).await.expect("reads").expect("exists").state;
        if allowed {
            assert_eq!(result.expect("withdraws"), filed.number);
            assert_eq!(state, State::Withdrawn);
        } else {
            assert!(matches!(result, Err(Error::NotFound(_))), "row {index}");
            assert_eq!(state, State::CompletenessCheck);
        }
    }
}
