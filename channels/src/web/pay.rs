//! Paying: the page of a payment, and the made-up bank, which knows nothing of applications. What the bank's page
//! sends back carries no result: the provider is asked.

use std::sync::Arc;

use amtsbote_core::error::Error;
use amtsbote_core::form::euros;
use amtsbote_core::id::{ConversationId, PaymentId};
use amtsbote_core::payment::{self, demo};
use amtsbote_knowledge::localized;
use axum::extract::{Path, State};
use axum::routing::get;
use futures::FutureExt;

use super::Web;
use super::answer::{Answer, page, see};
use super::portal::{reader, record};
use super::routes::{Access, Route};
use super::views::citizen::{DemoBankPage, PayItem, PayPage};
use super::visitor::{Fields, Visitor};

pub(super) fn routes() -> Vec<Route> {
    let open = Access::Public;
    vec![
        Route {
            access: open,
            path: "/pay/{payment}",
            methods: &["GET", "POST"],
            handler: get(show).post(pay),
        },
        Route { access: open, path: "/pay/{payment}/receipt", methods: &["GET"], handler: get(receipt) },
        Route {
            access: open,
            path: "/demo-bank/{reference}",
            methods: &["GET", "POST"],
            handler: get(bank).post(bank_act),
        },
    ]
}

/// The payment of the visitor's own case.
async fn own(
    web: &Web,
    visitor: &Visitor,
    id: &PaymentId,
) -> Result<(payment::Payment, amtsbote_core::application::Application), Error> {
    let nowhere = ConversationId(String::new());
    let conversation = visitor.conversation().unwrap_or(&nowhere);
    web.office.own_payment(id, conversation, visitor.person()).await
}

async fn show(State(web): State<Web>, visitor: Visitor, Path(id): Path<String>) -> Answer {
    let id = PaymentId(id);
    own(&web, &visitor, &id).await?;
    let payment = web.office.settle_payment(&id).await?;
    let (_, case) = own(&web, &visitor, &id).await?;
    let t = visitor.texts(&web.office);
    let state = payment.state;
    let paid = state.has_money();
    let pending = matches!(
        state,
        payment::PaymentState::Requested | payment::PaymentState::Redirected | payment::PaymentState::Pending
    );
    let fresh = matches!(state, payment::PaymentState::Created | payment::PaymentState::KeySet);
    let basis = case.service.fee.as_ref().map(|fee| fee.basis.clone()).unwrap_or_default();
    let portal = visitor.person().is_some();
    page(&PayPage {
        payment_id: id.0.clone(),
        number: case.number.clone(),
        title: localized(&case.service.titles, visitor.language()).to_owned(),
        items: payment
            .items
            .iter()
            .map(|(label, cents)| PayItem { label: label.clone(), amount: euros(*cents) })
            .collect(),
        total: euros(payment.amount_cents),
        basis: t.filled("web.pay_basis", &[("basis", &basis)]),
        outcome: if fresh { String::new() } else { t.text(state.text_key()).to_owned() },
        paid,
        pending,
        payable: !paid,
        receipt_url: if paid { format!("/pay/{id}/receipt") } else { String::new() },
        back_url: if portal { format!("/portal/{}", case.number) } else { "/chat".to_owned() },
        back_label: t.text(if portal { "web.to_case" } else { "web.to_chat" }).to_owned(),
        page: visitor.page(&web.office, t.text("web.pay_title")),
        t,
    })
}

async fn receipt(State(web): State<Web>, visitor: Visitor, Path(id): Path<String>) -> Answer {
    let nowhere = ConversationId(String::new());
    let (name, bytes) = web.office.receipt_pdf(&PaymentId(id), reader(&visitor, &nowhere)).await?;
    Ok(record(&name, bytes))
}

async fn pay(State(web): State<Web>, visitor: Visitor, Path(id): Path<String>, _: Fields) -> Answer {
    let id = PaymentId(id);
    own(&web, &visitor, &id).await?;
    Ok(see(&web.office.request_payment(&id).await?))
}

async fn bank(State(web): State<Web>, visitor: Visitor, Path(reference): Path<String>) -> Answer {
    let mut tx = web.office.db.read().await?;
    let order = demo::order(&mut tx, &reference).await?.ok_or(Error::NotFound("order"))?;
    drop(tx);
    let t = visitor.texts(&web.office);
    let open = order.state == payment::ProviderAnswer::Open;
    page(&DemoBankPage {
        amount: euros(order.amount_cents),
        purpose: order.purpose.clone(),
        open,
        state: if open { String::new() } else { t.text("web.bank_done").to_owned() },
        return_url: order.return_path.clone(),
        reference,
        page: visitor.page(&web.office, t.text("web.bank_title")),
        t,
    })
}

async fn bank_act(State(web): State<Web>, Path(reference): Path<String>, fields: Fields) -> Answer {
    let act = match fields.get("act") {
        "pay" => demo::Act::Pay,
        "cancel" => demo::Act::Cancel,
        _ => demo::Act::Fail,
    };
    let office = Arc::clone(&web.office);
    let to = web
        .office
        .db
        .write(move |tx| {
            let (office, reference) = (Arc::clone(&office), reference.clone());
            async move {
                demo::act(tx, &reference, act, office.now()).await?;
                let order = demo::order(tx, &reference).await?.ok_or(Error::NotFound("order"))?;
                Ok(order.return_path)
            }
            .boxed()
        })
        .await?;
    Ok(see(&to))
}
