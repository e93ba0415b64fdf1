//! Examples for payments with the made-up bank on a real database.

use super::demo::Act;
use super::*;
use crate::application::tests::{NOW, actions, citizen, clerk, file, refusal, world};
use crate::application::withdraw;

const HOUR: Duration = Duration::from_hours(1);

async fn reference(tx: &mut Tx, id: &PaymentId) -> String {
    get(tx, id).await.expect("loads").provider_reference.expect("a reference")
}

async fn start(tx: &mut Tx, keys: &Keys, id: &PaymentId, now: Timestamp) -> String {
    request(tx, keys, id, now).await.expect("requests");
    reference(tx, id).await
}

async fn state_of(tx: &mut Tx, application: &ApplicationId) -> State {
    application::row(tx, application).await.expect("reads").expect("exists").state
}

#[tokio::test]
async fn paying_twice_and_settling_twice_pays_once() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let filed = file(&mut tx, keys, "draft", "a4").await;
    let (id, cents) = filed.payment.expect("a fee");
    let path = request(&mut tx, keys, &id, NOW).await.expect("requests");
    assert_eq!(request(&mut tx, keys, &id, NOW).await.expect("double click"), path);
    let reference = reference(&mut tx, &id).await;
    assert_eq!(path, format!("/demo-bank/{reference}"));
    let order = demo::order(&mut tx, &reference).await.expect("reads").expect("exists");
    assert_eq!((order.amount_cents, order.state), (cents, ProviderAnswer::Open));
    assert_eq!(order.purpose, format!("Vorgang {}", filed.number));
    let settled = settle(&mut tx, &id, NOW).await.expect("settles");
    assert_eq!(settled, Settled { state: PaymentState::Pending, newly_paid: false });
    assert_eq!(request(&mut tx, keys, &id, NOW).await.expect("goes back to the page"), path);
    for _ in 0..2 {
        demo::act(&mut tx, &reference, Act::Pay, NOW).await.expect("pays");
    }
    assert_eq!(refusal(demo::act(&mut tx, &reference, Act::Cancel, NOW).await), "payment.order_finished");
    for newly_paid in [true, false, false] {
        let settled = settle(&mut tx, &id, NOW).await.expect("settles");
        assert_eq!(settled, Settled { state: PaymentState::Paid, newly_paid });
    }
    assert_eq!(state_of(&mut tx, &filed.id).await, State::CompletenessCheck);
    assert_eq!(refusal(request(&mut tx, keys, &id, NOW).await), "payment.already_paid");
    assert_eq!(refusal(retry(&mut tx, keys, &id, NOW).await), "payment.already_paid");
    assert_eq!(
        actions(&mut tx, "payment", id.as_str()).await,
        [
            "payment.create",
            "payment.set_key",
            "payment.request",
            "payment.redirect",
            "payment.pending",
            "payment.paid"
        ]
    );
    let payment = of_application(&mut tx, &filed.id).await.expect("reads").expect("exists");
    assert_eq!(payment.items, [("Karte".to_owned(), 3000), ("Kopie".to_owned(), 250)]);
    assert_eq!(payment.paid_at, Some(NOW));
    assert_eq!(unsettled(&mut tx, NOW.plus(HOUR), 10).await.expect("lists"), []);
}

#[tokio::test]
async fn every_state_meets_every_answer_of_the_provider() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let filed = file(&mut tx, keys, "draft", "a4").await;
    let id = filed.payment.expect("a fee").0;
    start(&mut tx, keys, &id, NOW).await;
    sqlx::raw_sql("begin").execute(&mut *tx).await.expect("begins");
    for state in PaymentState::ALL {
        for answer in ProviderAnswer::ALL {
            sqlx::raw_sql("savepoint one").execute(&mut *tx).await.expect("savepoint");
            sqlx::query("update payment set state = $1")
                .bind(state.as_str())
                .execute(&mut *tx)
                .await
                .expect("sets the state");
            sqlx::query("update demo_order set state = $1")
                .bind(answer.as_str())
                .execute(&mut *tx)
                .await
                .expect("sets the answer");
            let result = settle(&mut tx, &id, NOW).await;
            if state == PaymentState::Created && answer == ProviderAnswer::Paid {
                // Can't be: a payment that was never requested has no request that could be paid.
                assert!(matches!(result, Err(Error::Conflict(_))));
            } else {
                let expected = next(state, PaymentEvent::Answer(answer)).unwrap_or(state);
                let newly_paid = answer == ProviderAnswer::Paid && !state.has_money();
                assert_eq!(
                    result.expect("settles"),
                    Settled { state: expected, newly_paid },
                    "{state:?} × {answer:?}"
                );
                let refunds = open_refunds(&mut tx, 10).await.expect("lists");
                let double = answer == ProviderAnswer::Paid && state.has_money();
                assert_eq!(refunds.len(), usize::from(double), "{state:?} × {answer:?}");
            }
            sqlx::raw_sql("rollback to savepoint one; release savepoint one")
                .execute(&mut *tx)
                .await
                .expect("undoes");
        }
    }
    sqlx::raw_sql("rollback").execute(&mut *tx).await.expect("undoes all");
}

#[tokio::test]
async fn a_late_success_is_found_and_a_second_one_goes_back() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let later = NOW.plus(2 * HOUR);
    // What ends the first try, and how it looks then.
    let table = [
        (Some(Act::Cancel), PaymentState::Cancelled),
        (Some(Act::Fail), PaymentState::Failed),
        (None, PaymentState::Expired),
    ];
    for (index, (end, state)) in table.into_iter().enumerate() {
        let filed = file(&mut tx, keys, &format!("draft {index}"), "a4").await;
        let id = filed.payment.expect("a fee").0;
        let first = start(&mut tx, keys, &id, NOW).await;
        if let Some(act) = end {
            demo::act(&mut tx, &first, act, NOW).await.expect("acts");
        }
        assert_eq!(settle(&mut tx, &id, later).await.expect("settles").state, state);
        assert_eq!(refusal(request(&mut tx, keys, &id, later).await), "payment.start_again");
        for _ in 0..2 {
            retry(&mut tx, keys, &id, later).await.expect("a double click is harmless");
        }
        let second = start(&mut tx, keys, &id, later).await;
        assert_ne!(first, second);
        // The old page is paid late, after the new request has begun.
        demo::act(&mut tx, &first, Act::Pay, later).await.expect("pays late");
        let settled = settle(&mut tx, &id, later).await.expect("settles");
        assert_eq!(settled, Settled { state: PaymentState::Paid, newly_paid: true });
        assert_eq!(state_of(&mut tx, &filed.id).await, State::CompletenessCheck);
        assert_eq!(unsettled(&mut tx, later.plus(HOUR), 10).await.expect("lists"), std::slice::from_ref(&id));
        // And the new one too.
        demo::act(&mut tx, &second, Act::Pay, later).await.expect("pays twice");
        for _ in 0..2 {
            let settled = settle(&mut tx, &id, later).await.expect("settles");
            assert_eq!(settled, Settled { state: PaymentState::Paid, newly_paid: false });
        }
        let refunds = open_refunds(&mut tx, 10).await.expect("lists");
        assert_eq!(refunds.len(), 1);
        assert_eq!((&refunds[0].payment, refunds[0].amount_cents), (&id, 3250));
        let request_id = refunds[0].request_id.clone();
        let result = confirm_refund(&mut tx, &request_id, &Actor::System("test"), later).await;
        assert_eq!(refusal(result), "payment.refund_needs_person");
        confirm_refund(&mut tx, &request_id, &clerk(), later).await.expect("confirms");
        let again = confirm_refund(&mut tx, &request_id, &clerk(), later).await;
        assert_eq!(refusal(again), "payment.no_refund_open");
        assert_eq!(get(&mut tx, &id).await.expect("loads").state, PaymentState::Paid);
        assert_eq!(unsettled(&mut tx, later.plus(HOUR), 10).await.expect("lists"), []);
    }
}

#[tokio::test]
async fn money_for_a_withdrawn_case_goes_back() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    for paid_first in [true, false] {
        let filed = file(&mut tx, keys, &format!("draft {paid_first}"), "a4").await;
        let id = filed.payment.expect("a fee").0;
        let reference = start(&mut tx, keys, &id, NOW).await;
        if paid_first {
            demo::act(&mut tx, &reference, Act::Pay, NOW).await.expect("pays");
            assert!(settle(&mut tx, &id, NOW).await.expect("settles").newly_paid);
        }
        withdraw(&mut tx, &filed.id, None, &citizen(), NOW).await.expect("withdraws");
        if !paid_first {
            assert_eq!(refusal(request(&mut tx, keys, &id, NOW).await), "payment.not_due");
            demo::act(&mut tx, &reference, Act::Pay, NOW).await.expect("pays all the same");
        }
        let settled = settle(&mut tx, &id, NOW).await.expect("settles");
        assert_eq!(settled, Settled { state: PaymentState::RefundRequested, newly_paid: false });
        assert_eq!(state_of(&mut tx, &filed.id).await, State::Withdrawn);
        let refunds = open_refunds(&mut tx, 10).await.expect("lists");
        assert_eq!(refunds.len(), 1);
        confirm_refund(&mut tx, &refunds[0].request_id, &clerk(), NOW).await.expect("confirms");
        assert_eq!(get(&mut tx, &id).await.expect("loads").state, PaymentState::Refunded);
    }
}

#[tokio::test]
async fn a_waived_fee_is_not_asked_for_and_comes_back_if_paid() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let filed = file(&mut tx, keys, "draft", "a4").await;
    let id = filed.payment.expect("a fee").0;
    let reference = start(&mut tx, keys, &id, NOW).await;
    application::apply(&mut tx, &filed.id, &Event::Waive, &clerk(), NOW).await.expect("waives");
    assert_eq!(refusal(request(&mut tx, keys, &id, NOW).await), "payment.not_due");
    demo::act(&mut tx, &reference, Act::Pay, NOW).await.expect("pays all the same");
    let settled = settle(&mut tx, &id, NOW).await.expect("settles");
    assert_eq!(settled, Settled { state: PaymentState::RefundRequested, newly_paid: false });
    assert_eq!(state_of(&mut tx, &filed.id).await, State::CompletenessCheck);
}

#[tokio::test]
async fn an_interrupted_request_is_repeated_with_the_same_id() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let filed = file(&mut tx, keys, "draft", "a4").await;
    let id = filed.payment.expect("a fee").0;
    let reference = start(&mut tx, keys, &id, NOW).await;
    // The program stopped after the call, before its answer was stored.
    for word in ["requested", "pending"] {
        sqlx::query("update payment set state = $1, provider_reference = null")
            .bind(word)
            .execute(&mut *tx)
            .await
            .expect("sets");
        assert_eq!(start(&mut tx, keys, &id, NOW).await, reference, "{word}");
    }
    let rows = sqlx::query("select reference from demo_order").fetch_all(&mut *tx).await.expect("rows");
    assert_eq!(rows.len(), 1);
    // Another amount under the same request id is refused.
    let request_id = get(&mut tx, &id).await.expect("loads").request_id.expect("an id");
    let other = demo::open(&mut tx, &keys.clock, &request_id, 1, ("x", "/"), NOW).await;
    assert!(matches!(other, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn running_requests_are_asked_about_again_and_again() {
    let world = world().await;
    let (keys, mut tx) = (&world.keys, world.db.read().await.expect("connects"));
    let filed = file(&mut tx, keys, "draft", "a4").await;
    let id = filed.payment.expect("a fee").0;
    assert_eq!(unsettled(&mut tx, NOW.plus(HOUR), 10).await.expect("lists"), [], "not requested yet");
    let reference = start(&mut tx, keys, &id, NOW).await;
    assert_eq!(unsettled(&mut tx, NOW, 10).await.expect("lists"), [], "just requested");
    assert_eq!(unsettled(&mut tx, NOW.plus(HOUR), 10).await.expect("lists"), std::slice::from_ref(&id));
    demo::act(&mut tx, &reference, Act::Cancel, NOW).await.expect("cancels");
    settle(&mut tx, &id, NOW.plus(HOUR)).await.expect("settles");
    assert_eq!(
        unsettled(&mut tx, NOW.plus(2 * HOUR), 10).await.expect("lists"),
        std::slice::from_ref(&id),
        "late success"
    );
    let long = NOW.plus(Duration::from_hours(24 * 40));
    assert_eq!(unsettled(&mut tx, long, 10).await.expect("lists"), [], "no longer watched");
}
