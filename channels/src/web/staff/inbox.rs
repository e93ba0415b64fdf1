//! The inbox: cases by due date, filtered by state, number, service and colleague. It shows nothing personal.

use std::collections::BTreeMap;

use amtsbote_core::application::{Filter, Row, State};
use amtsbote_core::clock::Timestamp;
use amtsbote_core::id::StaffId;
use amtsbote_core::staff::{self, Role, Staff};
use amtsbote_knowledge::localized;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use axum::routing::get;
use axum_extra::extract::CookieJar;

use super::{Place, Query, desk, words};
use crate::web::Web;
use crate::web::answer::{Answer, encode, page, see};
use crate::web::routes::{Access, Route};
use crate::web::views::citizen::Choosable;
use crate::web::views::staff::{Column, InboxPage, InboxRow, Tab};
use crate::web::visitor::{Fields, Visitor, list_cookie};

/// Rows of a page of the inbox.
const ROWS: i64 = 50;

/// Word in the address for cases in whatever state.
const ALL: &str = "all";

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Desk;
    vec![
        Route { access, path: "/staff/cases", methods: &["GET"], handler: get(inbox) },
        Route { access, path: "/staff/cases/next", methods: &["GET"], handler: get(next) },
    ]
}

/// What the inbox was asked for.
struct Asked<'a> {
    state: &'a str,
    number: &'a str,
    service: &'a str,
    who: &'a str,
    after: &'a str,
}

impl<'a> Asked<'a> {
    fn of(query: &'a Fields) -> Self {
        let get = |name| query.get(name);
        Self {
            state: Some(get("state")).filter(|s| *s == ALL || State::parse(s).is_some()).unwrap_or_default(),
            number: get("number"),
            service: get("service"),
            who: get("who"),
            after: get("after"),
        }
    }

    fn filter(&self, me: &StaffId) -> Filter {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Filter {
            states: match (State::parse(self.state), self.state) {
                (Some(state), _) => Some(vec![state]),
                (None, ALL) => None,
                (None, _) => Some(State::ALL.into_iter().filter(|state| is_open(*state)).collect()),
            },
            service_id: text(self.service),
            assigned: match self.who {
                "" | "nobody" => None,
                "me" => Some(me.clone()),
                colleague => Some(StaffId(colleague.to_owned())),
            },
            unassigned: self.who == "nobody",
            number_prefix: text(self.number),
            before: self.after.split_once('.').and_then(|(due, id)| Some((due.parse().ok()?, id.to_owned()))),
        }
    }

    /// The address of the same list in another state or further down.
    fn url(&self, state: &str, after: &str) -> String {
        let pairs = [
            ("state", state),
            ("number", self.number),
            ("service", self.service),
            ("who", self.who),
            ("after", after),
        ];
        let pairs: Vec<String> = pairs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        if pairs.is_empty() { "/staff/cases".to_owned() } else { format!("/staff/cases?{}", pairs.join("&")) }
    }

    /// The pairs of an address behind its question mark, as they stand in the cookie of the list.
    fn parse(list: &str) -> Fields {
        Fields::new(form_urlencoded::parse(list.as_bytes()).into_owned().collect())
    }

    fn tabs(&self, counts: &BTreeMap<State, i64>) -> Vec<Tab> {
        let tab = |word: &str, label: &str, count: i64| Tab {
            url: self.url(word, ""),
            label: label.to_owned(),
            count,
            current: self.state == word,
        };
        let open = counts.iter().filter(|(state, _)| is_open(**state)).map(|(_, count)| count).sum();
        let mut tabs = vec![tab("", "Offen", open)];
        for state in State::ALL {
            let count = counts.get(&state).copied().unwrap_or(0);
            if count > 0 || self.state == state.as_str() {
                tabs.push(tab(state.as_str(), words::state(state).0, count));
            }
        }
        tabs.push(tab(ALL, "Alle", counts.values().sum()));
        tabs
    }
}

/// The address of the list that the reader works through.
pub(super) fn list_url(visitor: &Visitor) -> String {
    let list = Asked::parse(&visitor.list);
    let asked = Asked::of(&list);
    asked.url(asked.state, "")
}

/// The next case of the list that the reader works through, behind the one at this place; at its end the list.
async fn next(Shared(web): Shared<Web>, visitor: Visitor, query: Query) -> Answer {
    let (list, query) = (Asked::parse(&visitor.list), Fields::new(query.0));
    let asked = Asked { after: query.get("after"), ..Asked::of(&list) };
    let me = visitor.need_staff()?;
    let (rows, _) = web.office.inbox(&asked.filter(me), 1).await?;
    if let Some(row) = rows.first() {
        return Ok(see(&format!("/staff/case/{}", row.number)));
    }
    let url = asked.url(asked.state, "");
    let sign = if url.contains('?') { '&' } else { '?' };
    Ok(see(&format!("{url}{sign}done=end-of-list")))
}

/// Whether a case still asks for work before its end.
pub(super) fn is_open(state: State) -> bool {
    state == State::Remedy || (state.is_before_decision() && state != State::Draft)
}

async fn inbox(Shared(web): Shared<Web>, visitor: Visitor, jar: CookieJar, query: Query) -> Answer {
    let query = Fields::new(query.0);
    let asked = Asked::of(&query);
    let mut desk = desk(&web, &visitor, Place::Cases, "Vorgänge").await?;
    words::done(query.get("done")).clone_into(&mut desk.page.notice);
    let list = asked.url(asked.state, "");
    let list = list.split_once('?').map_or("", |(_, list)| list);
    let jar = jar.add(list_cookie(&web.office, list.to_owned()));
    let (mut rows, counts) = web.office.inbox(&asked.filter(&desk.member.id), ROWS + 1).await?;
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > ROWS;
    if more {
        rows.pop();
    }
    let next_url = match rows.last().filter(|_| more).map(Row::cursor) {
        Some((due, id)) => asked.url(asked.state, &format!("{due}.{id}")),
        None => String::new(),
    };
    let staff = {
        let mut tx = web.office.db.read().await?;
        staff::list(&mut tx).await?
    };
    let column = |label: &str, sort: &str| Column {
        label: label.to_owned(),
        url: String::new(),
        sort: sort.to_owned(),
    };
    let caption = match rows.len() {
        1 => "1 Vorgang auf dieser Seite".to_owned(),
        number => format!("{number} Vorgänge auf dieser Seite, früheste Frist zuerst"),
    };
    let shown = page(&InboxPage {
        tabs: asked.tabs(&counts),
        state: asked.state.to_owned(),
        number: asked.number.to_owned(),
        services: web
            .office
            .catalogue()
            .iter()
            .filter(|service| service.is_online())
            .map(|service| choosable(&service.id, localized(&service.titles, "de"), asked.service))
            .collect(),
        who: who(&staff, &desk.member, asked.who),
        caption,
        columns: vec![
            column("Nummer", ""),
            column("Leistung", ""),
            column("Stand", ""),
            column("Eingegangen", ""),
            column("Frist", "ascending"),
            column("Zugeteilt", ""),
        ],
        rows: rows.iter().map(|row| inbox_row(&web, &staff, row)).collect(),
        next_url,
        page: desk.page,
    })?;
    Ok((jar, shown).into_response())
}

/// One option of a list.
pub(super) fn choosable(value: &str, label: &str, chosen: &str) -> Choosable {
    Choosable { value: value.to_owned(), label: label.to_owned(), checked: value == chosen }
}

fn who(staff: &[Staff], me: &Staff, chosen: &str) -> Vec<Choosable> {
    let mut all = vec![
        choosable("", "Alle", chosen),
        choosable("nobody", "Niemand", chosen),
        choosable("me", "Ich", chosen),
    ];
    let colleagues = staff.iter().filter(|member| member.id != me.id && member.is(Role::Clerk));
    all.extend(colleagues.map(|member| choosable(member.id.as_str(), &member.display_name, chosen)));
    all
}

fn inbox_row(web: &Web, staff: &[Staff], row: &Row) -> InboxRow {
    let (state, tone) = words::state(row.state);
    let service = web.office.service(&row.service_id);
    InboxRow {
        number: row.number.clone(),
        service: service
            .map_or_else(|| row.service_id.clone(), |service| localized(&service.titles, "de").to_owned()),
        state: state.to_owned(),
        tone: tone.to_owned(),
        submitted: row.submitted_at.german_date(),
        due: row.due_at.map_or_else(|| "keine".to_owned(), Timestamp::german_date),
        overdue: row.state.is_before_decision() && row.due_at.is_some_and(|due| due < web.office.now()),
        assigned: row
            .assigned
            .as_ref()
            .and_then(|id| staff.iter().find(|member| member.id == *id))
            .map(|member| member.display_name.clone())
            .unwrap_or_default(),
    }
}
