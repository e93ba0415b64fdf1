//! Examples for requests of documents on a real database.

use std::time::Duration;

use super::*;
use crate::application::tests::{NOW, World, actions, citizen, clerk, file, refusal, world};
use crate::application::withdraw;

const DAY: Duration = Duration::from_hours(24);

fn item(item_id: Option<&str>, label: &str) -> NewItem {
    NewItem { item_id: item_id.map(str::to_owned), label: label.to_owned(), reason: format!("Warum {label}") }
}

fn day(days: u32) -> Timestamp {
    NOW.plus(DAY * days)
}

/// An application that waits for a plan (defined by the service) and a photo until NOW + 14 days.
async fn request(tx: &mut Tx, keys: &Keys, draft: &str) -> (ApplicationId, DocumentRequestId) {
    let application = file(tx, keys, draft, "free").await.id;
    let items = [item(Some("plan"), "Lageplan"), item(None, "Foto")];
    let id = send(tx, keys, &application, &items, day(14), &clerk(), NOW).await.expect("sends");
    (application, id)
}

async fn wanted_items(tx: &mut Tx, keys: &Keys) -> Vec<WantedItem> {
    wanted(tx, keys, &ConversationId("conversation".to_owned()), None).await.expect("lists")
}

async fn state_of(tx: &mut Tx, application: &ApplicationId) -> State {
    application::row(tx, application).await.expect("reads").expect("exists").state
}

async fn give(tx: &mut Tx, world: &World, item: &str, now: Timestamp) -> Result<Supplied> {
    supply(tx, &world.keys, item, &DocumentId("document".to_owned()), &citizen(), now).await
}

#[tokio::test]
async fn the_last_document_puts_the_application_back_to_the_check() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let (application, id) = request(&mut tx, keys, "draft").await;
    assert_eq!(state_of(&mut tx, &application).await, State::DocumentsRequested);
    let wanted = wanted_items(&mut tx, keys).await;
    let seen: Vec<_> =
        wanted.iter().map(|item| (item.label.as_str(), item.formats.len(), item.max_mb)).collect();
    assert_eq!(seen, [("Lageplan", 1, 4), ("Foto", 3, 10)]);
    assert_eq!((wanted[0].reason.as_str(), wanted[0].deadline), ("Warum Lageplan", day(14)));
    let first = give(&mut tx, &world, &wanted[0].item, NOW).await.expect("supplies");
    assert_eq!(first, Supplied { label: "Lageplan".to_owned(), still_open: 1 });
    assert_eq!(
        refusal(give(&mut tx, &world, &wanted[0].item, NOW).await),
        "document_request.already_supplied"
    );
    // While the request waits, a rejected item is wanted again, with the reason.
    let result = judge(&mut tx, keys, &wanted[0].item, false, " ", &clerk(), NOW).await;
    assert_eq!(refusal(result), "document_request.reason_missing");
    let state = judge(&mut tx, keys, &wanted[0].item, false, "unscharf", &clerk(), NOW).await;
    assert_eq!(state.expect("judges"), RequestState::Partial);
    let again = wanted_items(&mut tx, keys).await;
    assert_eq!((again.len(), again[0].note.as_deref()), (2, Some("unscharf")));
    assert_eq!(give(&mut tx, &world, &wanted[1].item, NOW).await.expect("supplies").still_open, 1);
    assert_eq!(give(&mut tx, &world, &wanted[0].item, NOW).await.expect("supplies").still_open, 0);
    assert_eq!(state_of(&mut tx, &application).await, State::CompletenessCheck);
    assert_eq!(wanted_items(&mut tx, keys).await, []);
    assert_eq!(refusal(give(&mut tx, &world, &wanted[0].item, NOW).await), "document_request.not_open");
    let state = judge(&mut tx, keys, &wanted[1].item, true, "", &clerk(), NOW).await;
    assert_eq!(state.expect("judges"), RequestState::Fulfilled);
    let request = &of_application(&mut tx, keys, &application).await.expect("lists")[0];
    assert_eq!((&request.id, request.state), (&id, RequestState::Fulfilled));
    let states: Vec<_> = request.items.iter().map(|item| item.state).collect();
    assert_eq!(states, [ItemState::Delivered, ItemState::Accepted]);
    assert_eq!(
        actions(&mut tx, "document_request", id.as_str()).await,
        [
            "document_request.send",
            "document_request.item_deliver",
            "document_request.deliver",
            "document_request.item_reject",
            "document_request.item_deliver",
            "document_request.item_reopen",
            "document_request.item_deliver",
            "document_request.fulfil",
            "document_request.item_accept",
        ]
    );
    let row =
        sqlx::query("select text_sealed from document_request_item").fetch_one(&mut *tx).await.expect("row");
    assert!(!String::from_utf8_lossy(&row.try_get::<Vec<u8>, _>(0).expect("bytes")).contains("plan"));
}

#[tokio::test]
async fn what_makes_no_sense_is_not_sent() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let application = file(&mut tx, keys, "draft", "free").await.id;
    let good = vec![item(None, "Foto")];
    let many = vec![item(None, "Foto"); MOST_ITEMS + 1];
    let table = [
        (Vec::new(), day(14), clerk(), "document_request.no_items"),
        (vec![item(None, "  ")], day(14), clerk(), "document_request.no_items"),
        (many, day(14), clerk(), "document_request.no_items"),
        (good.clone(), NOW, clerk(), "document_request.deadline_past"),
        (good.clone(), day(14), citizen(), "application.wrong_actor"),
        (good.clone(), day(14), Actor::System("test"), "application.wrong_actor"),
    ];
    for (items, deadline, actor, key) in table {
        let result = send(&mut tx, keys, &application, &items, deadline, &actor, NOW).await;
        assert_eq!(refusal(result), key);
    }
    send(&mut tx, keys, &application, &good, day(14), &clerk(), NOW).await.expect("sends");
    let second = send(&mut tx, keys, &application, &good, day(14), &clerk(), NOW).await;
    assert_eq!(refusal(second), "application.illegal_event");
}

#[tokio::test]
async fn items_are_wanted_from_the_conversation_or_the_person_only() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    request(&mut tx, keys, "draft").await;
    let (own, other) = (PersonId("person".to_owned()), PersonId("other".to_owned()));
    let table = [
        ("conversation", None, 2),
        ("elsewhere", None, 0),
        ("elsewhere", Some(&own), 2),
        ("elsewhere", Some(&other), 0),
    ];
    for (conversation, person, expected) in table {
        let conversation = ConversationId(conversation.to_owned());
        let items = wanted(&mut tx, keys, &conversation, person).await.expect("lists");
        assert_eq!(items.len(), expected, "{conversation} {person:?}");
    }
}

#[tokio::test]
async fn reminders_come_once_and_only_while_something_is_missing() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let (application, id) = request(&mut tx, keys, "one").await;
    let before = |days: i64| crate::deadline::morning_before(day(14), days);
    let just = |at: Timestamp| Timestamp(at.0 - 1);
    // When the job runs, which reminders come.
    let runs = [
        (NOW, vec![]),
        (just(before(7)), vec![]),
        (before(7), vec![7]),
        (before(7), vec![]),
        (just(before(2)), vec![]),
        (before(2), vec![2]),
        (day(14), vec![]),
    ];
    for (now, expected) in runs {
        let reminders = due_reminders(&mut tx, now, 10).await.expect("lists");
        let days: Vec<_> = reminders.iter().map(|reminder| reminder.days_before).collect();
        assert_eq!(days, expected, "{}", now.german_date_time());
        assert!(
            reminders.iter().all(|reminder| reminder.application == application && reminder.request == id)
        );
    }
    // The job stood still: only the later one comes.
    request(&mut tx, keys, "two").await;
    let late = due_reminders(&mut tx, before(2), 10).await.expect("lists");
    assert_eq!(late.iter().map(|reminder| reminder.days_before).collect::<Vec<_>>(), [2]);
    assert_eq!(due_reminders(&mut tx, before(2), 10).await.expect("lists"), []);
    // Withdrawn: none comes.
    let (application, withdrawn) = request(&mut tx, keys, "three").await;
    withdraw(&mut tx, &application, None, &citizen(), NOW).await.expect("withdraws");
    assert_eq!(due_reminders(&mut tx, before(7), 10).await.expect("lists"), []);
    assert_eq!(load_request(&mut tx, &withdrawn).await.expect("loads").state, RequestState::Closed);
    assert!(wanted_items(&mut tx, keys).await.iter().all(|item| item.application != application));
    // A short deadline has no reminder that would come at once.
    let application = file(&mut tx, keys, "four", "free").await.id;
    send(&mut tx, keys, &application, &[item(None, "Foto")], day(1), &clerk(), NOW).await.expect("sends");
    assert_eq!(due_reminders(&mut tx, NOW, 10).await.expect("lists"), []);
}

#[tokio::test]
async fn a_missed_deadline_rejects_nothing_and_can_be_extended() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let (application, id) = request(&mut tx, keys, "draft").await;
    let items = wanted_items(&mut tx, keys).await;
    give(&mut tx, &world, &items[0].item, NOW).await.expect("supplies");
    assert_eq!(expire_due(&mut tx, day(14), 10).await.expect("runs"), []);
    let now = Timestamp(day(14).0 + 1);
    assert_eq!(expire_due(&mut tx, now, 10).await.expect("runs"), [(id.clone(), application.clone())]);
    assert_eq!(expire_due(&mut tx, now, 10).await.expect("runs"), []);
    assert_eq!(state_of(&mut tx, &application).await, State::CompletenessCheck);
    assert_eq!(refusal(give(&mut tx, &world, &items[1].item, now).await), "document_request.not_open");
    let table =
        [(now, clerk(), "document_request.deadline_past"), (day(28), citizen(), "application.wrong_actor")];
    for (deadline, actor, key) in table {
        assert_eq!(refusal(extend(&mut tx, &id, deadline, &actor, now).await), key);
    }
    extend(&mut tx, &id, day(28), &clerk(), now).await.expect("extends");
    assert_eq!(state_of(&mut tx, &application).await, State::DocumentsRequested);
    let same = extend(&mut tx, &id, day(28), &clerk(), now).await;
    assert_eq!(refusal(same), "document_request.deadline_not_later");
    // Also while it waits; the reminders are those of the new deadline.
    extend(&mut tx, &id, day(40), &clerk(), now).await.expect("extends");
    assert_eq!(due_reminders(&mut tx, day(27), 10).await.expect("lists"), []);
    assert_eq!(due_reminders(&mut tx, day(34), 10).await.expect("lists").len(), 1);
    assert_eq!(load_request(&mut tx, &id).await.expect("loads").state, RequestState::Partial);
    assert_eq!(give(&mut tx, &world, &items[1].item, now).await.expect("supplies").still_open, 0);
    assert_eq!(refusal(extend(&mut tx, &id, day(50), &clerk(), now).await), "document_request.illegal_event");
    assert_eq!(state_of(&mut tx, &application).await, State::CompletenessCheck);
}
