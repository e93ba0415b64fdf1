//! Accounts of staff: invitations, locking, new access, roles. Every change needs the second factor just proved; if
//! it was not, a page asks for the code and carries the form along. Links are shown once and stand in no address.

use std::sync::Arc;

use amtsbote_core::audit::Actor;
use amtsbote_core::error::{Error, Result};
use amtsbote_core::id::StaffId;
use amtsbote_core::staff::{self, Role, Staff};
use askama::Template;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use futures::FutureExt;

use super::{Place, Query, add_refusal, again, desk, is_refusal, prove, words};
use crate::web::Web;
use crate::web::answer::{Answer, WebError, page, see};
use crate::web::routes::{Access, Route};
use crate::web::views::staff::{AccountLine, PeoplePage, StaffPage};
use crate::web::visitor::{Fields, Visitor};

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Admin;
    vec![
        Route { access, path: "/staff/people", methods: &["GET", "POST"], handler: get(people).post(invite) },
        Route { access, path: "/staff/people/{id}", methods: &["POST"], handler: post(change) },
    ]
}

/// Asks for the code of the app before an account is changed; the form that was sent goes along.
#[derive(Debug, Template)]
#[template(
    ext = "html",
    source = r##"{% extends "staff/base.html" %}
{% block content %}
<div class="ab-narrow">
<p class="ab-back"><a href="/staff/people">Alle Konten</a></p>
<h1>Bitte bestätigen</h1>
<p class="ab-lead">Konten ändert nur, wer sich gerade mit der App ausgewiesen hat. Das gilt dann zehn Minuten.</p>
<form class="ab-stack" method="post" action="{{ action }}">
<input type="hidden" name="csrf" value="{{ page.csrf }}">
{% for (name, value) in fields %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}
<div><label class="ab-label" for="code">Code aus der App</label>
<input class="ab-input ab-width-small ab-code" id="code" name="code" required inputmode="numeric" pattern="[0-9 ]{6,7}" maxlength="7" autocomplete="one-time-code"></div>
<div class="ab-actions"><button class="kern-btn kern-btn--primary" type="submit"><span class="kern-label">Bestätigen</span></button></div>
</form>
</div>
{% endblock %}"##
)]
struct ConfirmPage {
    page: StaffPage,
    /// Where the form goes.
    action: String,
    /// What it said.
    fields: Vec<(&'static str, String)>,
}

/// Fields of the forms of this page, which the confirmation carries along.
const CARRIED: [&str; 3] = ["do", "display_name", "role"];

/// A fresh link, shown once.
struct NewLink {
    url: String,
    whom: String,
    until: String,
}

async fn people(State(web): State<Web>, visitor: Visitor, query: Query) -> Answer {
    let mut shown = people_page(&web, &visitor, None).await?;
    words::done(Fields::new(query.0).get("done")).clone_into(&mut shown.page.notice);
    page(&shown)
}

async fn people_page(
    web: &Web,
    visitor: &Visitor,
    link: Option<NewLink>,
) -> std::result::Result<PeoplePage, WebError> {
    let desk = desk(web, visitor, Place::People, "Konten").await?;
    let accounts = {
        let mut tx = web.office.db.read().await?;
        staff::list(&mut tx).await?
    };
    let shown = |account: &Staff| AccountLine {
        id: account.id.0.clone(),
        display_name: account.display_name.clone(),
        name: account.name.clone(),
        roles: words::roles(&account.roles),
        // The account does not know it.
        last_seen: "–".to_owned(),
        active: account.active,
        can_change: account.id != desk.member.id,
    };
    let link = link.unwrap_or(NewLink { url: String::new(), whom: String::new(), until: String::new() });
    Ok(PeoplePage {
        people: accounts.iter().map(shown).collect(),
        page: desk.page,
        invite_url: link.url,
        invite_for: link.whom,
        invite_until: link.until,
    })
}

/// The page that asks for the code, if it is only that which is missing or wrong.
async fn confirm(web: &Web, visitor: &Visitor, fields: &Fields, error: &Error) -> Answer {
    if !is_refusal(error) {
        return Err(error.clone().into());
    }
    let desk = desk(web, visitor, Place::People, "Bestätigen").await?;
    let mut shown = ConfirmPage {
        page: desk.page,
        action: visitor.path.clone(),
        fields: CARRIED
            .into_iter()
            .flat_map(|name| fields.all(name).into_iter().map(move |value| (name, value)))
            .collect(),
    };
    if fields.get("code").is_empty() {
        return page(&shown);
    }
    add_refusal(web, &mut shown.page, "code", error);
    again(&shown)
}

async fn refused(web: &Web, visitor: &Visitor, field: &str, error: Error) -> Answer {
    if !is_refusal(&error) {
        return Err(error.into());
    }
    let mut shown = people_page(web, visitor, None).await?;
    add_refusal(web, &mut shown.page, field, &error);
    again(&shown)
}

fn roles(fields: &Fields) -> Vec<Role> {
    let chosen = fields.all("role");
    Role::ALL.into_iter().filter(|role| chosen.iter().any(|word| word == role.word())).collect()
}

async fn invite(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Answer {
    if let Err(error) = prove(&web, &visitor, fields.get("code")).await {
        return confirm(&web, &visitor, &fields, &error).await;
    }
    let whom = fields.get("display_name").to_owned();
    let args = (visitor.need_staff()?.clone(), None, roles(&fields));
    match new_link(&web, args, whom).await {
        Ok(link) => page(&people_page(&web, &visitor, Some(link)).await?),
        Err(error) => refused(&web, &visitor, "roles", error).await,
    }
}

/// A link for a new account with these roles, or, with an account, for its new password and code.
async fn new_link(web: &Web, args: (StaffId, Option<StaffId>, Vec<Role>), whom: String) -> Result<NewLink> {
    let (worker, args) = (Arc::clone(&web.office), Arc::new(args));
    let (token, until) = web
        .office
        .db
        .write(move |tx| {
            let (office, args) = (Arc::clone(&worker), Arc::clone(&args));
            async move {
                let (me, account, roles) = &*args;
                let (keys, now) = (&office.keys, office.now());
                let token = match account {
                    Some(account) => staff::reset_link(tx, keys, account, me, now).await?,
                    None => staff::invite(tx, keys, roles, me, now).await?,
                };
                let until = staff::open_link(tx, keys, &token, now).await?.expires_at;
                Ok((token, until))
            }
            .boxed()
        })
        .await?;
    let base = web.office.config.public_url();
    Ok(NewLink {
        url: format!("{}/staff/setup/{token}", base.trim_end_matches('/')),
        whom,
        until: format!("bis {}", until.german_date_time()),
    })
}

async fn change(State(web): State<Web>, visitor: Visitor, Path(id): Path<String>, fields: Fields) -> Answer {
    if let Err(error) = prove(&web, &visitor, fields.get("code")).await {
        return confirm(&web, &visitor, &fields, &error).await;
    }
    let (me, id) = (visitor.need_staff()?.clone(), StaffId(id));
    let changed = async {
        if me == id {
            return Err(Error::refused("desk.own_account"));
        }
        let account = {
            let mut tx = web.office.db.read().await?;
            staff::load(&mut tx, &id).await?.ok_or(Error::NotFound("staff"))?
        };
        match fields.get("do") {
            "reset" if !account.active => Err(Error::refused("desk.account_locked")),
            "reset" => {
                let whom = account.display_name.clone();
                new_link(&web, (me.clone(), Some(id.clone()), Vec::new()), whom).await.map(Some)
            }
            word @ ("deactivate" | "activate" | "roles") => {
                write_change(&web, &me, account, word.to_owned(), roles(&fields)).await?;
                Ok(None)
            }
            _ => Err(Error::NotFound("action")),
        }
    };
    let changed: Result<Option<NewLink>> = changed.await;
    match changed {
        Ok(Some(link)) => page(&people_page(&web, &visitor, Some(link)).await?),
        Ok(None) => Ok(see(&format!("/staff/people?done={}", fields.get("do")))),
        Err(error) => refused(&web, &visitor, "", error).await,
    }
}

async fn write_change(web: &Web, me: &StaffId, account: Staff, what: String, roles: Vec<Role>) -> Result<()> {
    let worker = Arc::clone(&web.office);
    let args = Arc::new((Actor::Staff(me.clone()), account, what, roles));
    web.office
        .db
        .write(move |tx| {
            let (office, args) = (Arc::clone(&worker), Arc::clone(&args));
            async move {
                let (actor, Staff { id, version, .. }, what, roles) = &*args;
                let now = office.now();
                match what.as_str() {
                    "deactivate" => staff::deactivate(tx, id, *version, actor, now).await,
                    "activate" => staff::reactivate(tx, id, *version, actor, now).await,
                    _ => staff::set_roles(tx, id, roles, *version, actor, now).await,
                }
            }
            .boxed()
        })
        .await
}
