//! What clerks do to one case at the same time or for good: drafts of two, acts that end a case, reading a chat.

use amtsbote_core::application::{self, Event, State};
use amtsbote_core::error::{Error, Result};
use amtsbote_core::id::{ApplicationId, StaffId};
use amtsbote_core::office::DraftInput;
use amtsbote_core::staff::Role;
use std::time::Duration;

use crate::harness::{Citizen, TestOffice};

/// A case that waits for its fee, with its citizen.
async fn filed(office: &TestOffice) -> (Citizen, ApplicationId) {
    let (mut citizen, _) = office.open("de").await;
    for text in ["wunschkennzeichen", "ja", "PB-AB 123", "nein", "Auto", "nein", "nein", "ja"] {
        office.says(&mut citizen, text).await;
    }
    assert_eq!(office.count("application").await, 1, "the case is filed");
    let mut tx = office.office.db.read().await.expect("reads");
    let (id,): (String,) =
        sqlx::query_as("select id from application").fetch_one(&mut *tx).await.expect("the case");
    (citizen, ApplicationId(id))
}

async fn state(office: &TestOffice, id: &ApplicationId) -> State {
    let mut tx = office.office.db.read().await.expect("reads");
    application::row(&mut tx, id).await.expect("reads").expect("the case").state
}

/// The case at the desk of a clerk, ready for a draft.
async fn in_progress(office: &TestOffice, clerk: &StaffId) -> ApplicationId {
    let (mut citizen, id) = filed(office).await;
    office.pay(&mut citizen).await;
    for event in [Event::Complete, Event::Take] {
        office.office.desk_event(&id, clerk, event, None).await.expect("happens");
    }
    id
}

async fn saves(
    office: &TestOffice,
    id: &ApplicationId,
    clerk: &StaffId,
    seen: i64,
    words: &str,
) -> Result<()> {
    let input =
        DraftInput { outcome: String::new(), tenor: vec![words.to_owned()], reasons: Vec::new(), seen };
    office.office.save_paper(id, clerk, input).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_overwrites_a_draft_that_they_have_not_seen() {
    let office = TestOffice::new().await;
    let (anna, bert) =
        (office.clerk("anna", &[Role::Clerk]).await, office.clerk("bert", &[Role::Clerk]).await);
    let id = in_progress(&office, &anna).await;
    saves(&office, &id, &anna, 0, "Annas Fassung.").await.expect("the first words");
    saves(&office, &id, &anna, 0, "Annas Fassung.").await.expect("a double click is no second draft");
    let refused = saves(&office, &id, &bert, 0, "Berts Fassung.").await;
    assert!(matches!(refused, Err(Error::Refused { key: "paper.changed_by_other", .. })), "{refused:?}");
    let paper = office.office.case_view(&id, &bert).await.expect("the case").paper.expect("the draft");
    assert_eq!((paper.content.tenor.join(""), paper.drafted_by), ("Annas Fassung.".to_owned(), anna.clone()));
    saves(&office, &id, &bert, paper.version, "Berts Fassung.").await.expect("knowingly");
    let overtaken = saves(&office, &id, &anna, paper.version, "Annas zweite Fassung.").await;
    assert!(matches!(overtaken, Err(Error::Refused { .. })), "{overtaken:?}");
    office.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waived_fee_is_not_asked_for_and_the_citizen_is_told() {
    let office = TestOffice::new().await;
    let clerk = office.clerk("anna", &[Role::Clerk]).await;
    let (mut citizen, id) = filed(&office).await;
    let reason = Some("Gebühr erlassen: Härtefall".to_owned());
    office.office.desk_event(&id, &clerk, Event::Waive, reason).await.expect("is waived");
    assert_eq!(state(&office, &id).await, State::CompletenessCheck);
    let told = office.news(&mut citizen).await;
    assert!(told.text.contains("Die Gebühr ist erlassen"), "{}", told.text);
    let view = office.office.case_view(&id, &clerk).await.expect("the case");
    assert_eq!(view.notes.len(), 1, "the reason is in the file");
    let payment = view.payment.expect("the payment");
    assert!(payment.void_at.is_some());
    assert!(office.office.request_payment(&payment.id).await.is_err(), "nothing is to be paid");
    // Twice is once, and what the state machine does not know is refused.
    assert!(office.office.desk_event(&id, &clerk, Event::Waive, None).await.is_err());
    office.office.desk_event(&id, &clerk, Event::Moot, None).await.expect("is settled");
    assert_eq!(state(&office, &id).await, State::Moot);
    assert!(office.news(&mut citizen).await.text.contains("hat sich erledigt"));
    office.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_a_chat_is_noted_once_for_each_look() {
    let office = TestOffice::new().await;
    let (anna, bert) =
        (office.clerk("anna", &[Role::Clerk]).await, office.clerk("bert", &[Role::Clerk]).await);
    let (mut citizen, _) = office.open("de").await;
    office.says(&mut citizen, "Mensch").await;
    let id = &citizen.conversation;
    for reader in [&anna, &anna, &bert, &anna] {
        office.office.note_reading(id, reader).await.expect("is noted");
    }
    assert_eq!(office.count("audit where action = 'conversation.view'").await, 2);
    office.advance(Duration::from_mins(11)).await;
    office.office.note_reading(id, &anna).await.expect("is noted");
    assert_eq!(office.count("audit where action = 'conversation.view'").await, 3);
    office.finish().await;
}
