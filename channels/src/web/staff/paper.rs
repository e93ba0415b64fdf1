//! The paper of a case: written from the prepared texts of its service, looked at as PDF, proposed, approved or sent
//! back. Every text can be edited; what is wrong for the chosen outcome, or still has a blank to fill in, is refused
//! before it is frozen.

use std::collections::BTreeSet;

use amtsbote_core::application::{self, Application, Row, State};
use amtsbote_core::bescheid::compose::{self, Sender};
use amtsbote_core::bescheid::paper::{PaperContent, PaperState};
use amtsbote_core::error::{Error, Result};
use amtsbote_core::form;
use amtsbote_core::office::{CaseView, DraftInput, steps};
use amtsbote_core::staff::{Role, Staff};
use amtsbote_knowledge::DecisionKind;
use axum::extract::{Path, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};

use super::cases::finish;
use super::inbox::choosable;
use super::{Place, add_refusal, again, desk, fresh, is_refusal, prove, row};
use crate::web::Web;
use crate::web::answer::{Answer, WebError, page, see};
use crate::web::routes::{Access, Route};
use crate::web::views::citizen::ReviewRow;
use crate::web::views::staff::{DraftPage, OtherDraft, ReasonBlock, StaffPage};
use crate::web::visitor::{Fields, Visitor, header_value};

/// Beginning of the note that says why a paper was sent back.
const SENT_BACK: &str = "Zurückgegeben: ";

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Desk;
    vec![
        Route {
            access,
            path: "/staff/case/{number}/draft",
            methods: &["GET", "POST"],
            handler: get(draft).post(save),
        },
        Route { access, path: "/staff/case/{number}/draft.pdf", methods: &["GET"], handler: get(preview) },
        Route { access, path: "/staff/case/{number}/approve", methods: &["POST"], handler: post(approve) },
        Route {
            access,
            path: "/staff/case/{number}/send-back",
            methods: &["POST"],
            handler: post(send_back),
        },
    ]
}

/// A text that the service has prepared, with the answers filled in.
struct Prepared {
    /// Name in the form.
    id: String,
    /// The outcome that it belongs to; empty for papers without a decision.
    outcome: String,
    /// Name for the clerk.
    label: String,
    text: String,
    is_tenor: bool,
}

/// What stands in the form.
struct Written {
    outcome: String,
    blocks: Vec<ReasonBlock>,
    free: String,
    /// Version of the draft that the form showed.
    seen: i64,
}

fn decides(case: &Application) -> bool {
    case.service.decision.kind != DecisionKind::None
}

fn prepared(case: &Application) -> Vec<Prepared> {
    let values = compose::values(case);
    let filled = |text: &str| compose::fill_answers(text, &values);
    if !decides(case) {
        let texts = compose::prepared(case, "", &[]).tenor.into_iter().enumerate();
        return texts
            .map(|(index, text)| Prepared {
                id: format!("paragraph-{}", index + 1),
                outcome: String::new(),
                label: format!("{}. Absatz", index + 1),
                text,
                is_tenor: true,
            })
            .collect();
    }
    let mut all = Vec::new();
    for outcome in &case.service.decision.outcomes {
        all.push(Prepared {
            id: format!("tenor-{}", outcome.id),
            outcome: outcome.id.clone(),
            label: format!("Entscheidungssatz, wenn „{}“ gewählt ist", outcome.label),
            text: filled(&outcome.tenor),
            is_tenor: true,
        });
        all.extend(outcome.reasons.iter().map(|block| Prepared {
            id: format!("reason-{}-{}", outcome.id, block.id),
            outcome: outcome.id.clone(),
            label: format!("{}: {}", outcome.label, block.label),
            text: filled(&block.text),
            is_tenor: false,
        }));
    }
    all
}

/// The form as it begins, or as it was saved.
fn from_content(prepared: &[Prepared], content: Option<&PaperContent>) -> Written {
    let mut blocks: Vec<ReasonBlock> = prepared
        .iter()
        .map(|known| ReasonBlock {
            id: known.id.clone(),
            label: known.label.clone(),
            text: known.text.clone(),
            source: String::new(),
            checked: known.is_tenor,
        })
        .collect();
    let Some(content) = content else {
        return Written { outcome: String::new(), blocks, free: String::new(), seen: 0 };
    };
    let places = |is_tenor: bool| -> Vec<usize> {
        let fits = |known: &Prepared| known.is_tenor == is_tenor && known.outcome == content.outcome;
        prepared.iter().enumerate().filter(|(_, known)| fits(known)).map(|(place, _)| place).collect()
    };
    let mut free = if content.outcome.is_empty() {
        for block in &mut blocks {
            block.checked = false;
        }
        put_back(&content.tenor, &mut blocks, places(true))
    } else {
        for place in places(true) {
            blocks[place].text = content.tenor.join("\n\n");
        }
        Vec::new()
    };
    free.extend(put_back(&content.reasons, &mut blocks, places(false)));
    Written { outcome: content.outcome.clone(), blocks, free: free.join("\n\n"), seen: 0 }
}

/// Puts saved paragraphs back into the blocks that they came from: the same text first, then the most similar one.
/// Returns the paragraphs that came from nowhere.
fn put_back(paragraphs: &[String], blocks: &mut [ReasonBlock], mut open: Vec<usize>) -> Vec<String> {
    let mut edited = Vec::new();
    for paragraph in paragraphs {
        match open.iter().position(|place| blocks[*place].text.trim() == paragraph.trim()) {
            Some(found) => blocks[open.remove(found)].checked = true,
            None => edited.push(paragraph),
        }
    }
    let mut free = Vec::new();
    for paragraph in edited {
        let best = (0..open.len()).max_by_key(|place| likeness(paragraph, &blocks[open[*place]].text));
        match best.filter(|place| likeness(paragraph, &blocks[open[*place]].text) >= 50) {
            Some(found) => {
                let block = &mut blocks[open.remove(found)];
                block.checked = true;
                block.text.clone_from(paragraph);
            }
            None => free.push(paragraph.clone()),
        }
    }
    free
}

/// How many of the words of two texts are the same, in percent of the longer one.
fn likeness(one: &str, other: &str) -> usize {
    let (one, other): (BTreeSet<&str>, BTreeSet<&str>) =
        (one.split_whitespace().collect(), other.split_whitespace().collect());
    one.intersection(&other).count() * 100 / one.len().max(other.len()).max(1)
}

/// The form as it was sent.
fn from_fields(prepared: &[Prepared], fields: &Fields) -> Written {
    let chosen = fields.all("block");
    let blocks = prepared
        .iter()
        .map(|known| ReasonBlock {
            id: known.id.clone(),
            label: known.label.clone(),
            text: fields.get(&format!("text-{}", known.id)).to_owned(),
            source: String::new(),
            checked: chosen.contains(&known.id),
        })
        .collect();
    Written {
        outcome: fields.get("outcome").to_owned(),
        blocks,
        free: fields.get("free").to_owned(),
        seen: fields.get("seen").parse().unwrap_or(0),
    }
}

/// Paragraphs are separated by an empty line.
fn paragraphs(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    text.split("\n\n").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// What is saved: the chosen blocks in their order, then the clerk's own words.
fn input(prepared: &[Prepared], written: &Written) -> Result<DraftInput> {
    let mut input = DraftInput {
        outcome: written.outcome.clone(),
        tenor: Vec::new(),
        reasons: Vec::new(),
        seen: written.seen,
    };
    for (known, block) in prepared.iter().zip(&written.blocks).filter(|(_, block)| block.checked) {
        match (known.is_tenor, known.outcome == written.outcome) {
            (true, true) => input.tenor.extend(paragraphs(&block.text)),
            (false, true) => input.reasons.extend(paragraphs(&block.text)),
            // Each outcome has its sentence ready; only that of the chosen one counts.
            (true, false) => {}
            (false, false) => {
                return Err(Error::refused_with("desk.other_outcome", vec![("block", known.label.clone())]));
            }
        }
    }
    let own = if written.outcome.is_empty() { &mut input.tenor } else { &mut input.reasons };
    own.extend(paragraphs(&written.free));
    Ok(input)
}

/// Refuses blanks like "\[Datum\]", which the prepared texts leave for the clerk.
fn no_blanks(input: &DraftInput) -> Result<()> {
    let blank = input.tenor.iter().chain(&input.reasons).find_map(|text| {
        let (_, behind) = text.split_once('[')?;
        let (blank, _) = behind.split_once(']')?;
        Some(blank.to_owned())
    });
    blank.map_or(Ok(()), |blank| Err(Error::refused_with("desk.blank_left", vec![("blank", blank)])))
}

async fn draft(Shared(web): Shared<Web>, visitor: Visitor, Path(number): Path<String>) -> Answer {
    let row = row(&web, &number).await?;
    page(&draft_page(&web, &visitor, &row, None).await?)
}

/// The form: as it was sent if it was, else as it was saved, else as the service has prepared it.
async fn draft_page(
    web: &Web,
    visitor: &Visitor,
    row: &Row,
    sent: Option<&Fields>,
) -> std::result::Result<DraftPage, WebError> {
    let desk = desk(web, visitor, Place::Cases, "Entwurf").await?;
    if !desk.member.is(Role::Clerk) {
        return Err(Error::refused("desk.wrong_role").into());
    }
    let view = web.office.case_view(&row.id, &desk.member.id).await?;
    let (case, prepared) = (&view.case, prepared(&view.case));
    if case.state != State::InProgress {
        return Err(Error::refused("paper.not_in_progress").into());
    }
    let saved = view.paper.as_ref().filter(|paper| paper.state == PaperState::Draft);
    let written = match sent {
        Some(fields) => from_fields(&prepared, fields),
        None => from_content(&prepared, saved.map(|paper| &paper.content)),
    };
    let outcomes = case.service.decision.outcomes.iter();
    Ok(DraftPage {
        page: StaffPage { title: format!("Entwurf {}", case.number), ..desk.page },
        number: case.number.clone(),
        version: case.version,
        service: view.title.clone(),
        sent_back: sent_back_reason(&view),
        outcomes: outcomes.map(|outcome| choosable(&outcome.id, &outcome.label, &written.outcome)).collect(),
        blocks: written.blocks,
        free: written.free,
        fixed: fixed(web, case, &desk.member),
        seen: saved.map_or(0, |paper| paper.version),
        other: None,
    })
}

/// Why the paper was sent back, as long as it has not been proposed again.
fn sent_back_reason(view: &CaseView) -> String {
    let last =
        view.history.iter().rev().find(|r| ["paper.send_back", "paper.freeze"].contains(&r.action.as_str()));
    let Some(back) = last.filter(|record| record.action == "paper.send_back") else { return String::new() };
    let mut reasons = view.notes.iter().rev().filter(|(_, at, _)| *at >= back.at);
    reasons.find_map(|(_, _, text)| text.strip_prefix(SENT_BACK)).unwrap_or_default().to_owned()
}

/// What the program adds to the clerk's words.
fn fixed(web: &Web, case: &Application, clerk: &Staff) -> Vec<ReviewRow> {
    let office = &web.office;
    let catalogue = office.catalogue();
    let sender = Sender {
        office: &office.config.office.name,
        address: &office.config.office.address,
        phone: &office.config.office.phone,
        unit: catalogue.unit(&case.service.unit),
        clerk: &clerk.display_name,
    };
    let letter = compose::letter(case, &PaperContent::default(), sender, office.now().date());
    let row = |label: &str, value: String| ReviewRow { label: label.to_owned(), value, ..Default::default() };
    let or_none = |text: String| if text.is_empty() { "keine".to_owned() } else { text };
    let fee: Vec<String> =
        letter.fee.iter().map(|line| format!("{}: {}", line.label, form::euros(line.cents))).collect();
    let mut rows = vec![
        row("Betreff", letter.title),
        row("Empfänger", or_none(letter.addressee.join(", "))),
        row("Gebühr", or_none(fee.join("; "))),
    ];
    if let Some(note) = letter.fee_note {
        rows.push(row("Zur Gebühr", note));
    }
    if let Some(remedy) = letter.remedy {
        rows.push(row("Rechtsbehelfsbelehrung", remedy));
    }
    rows.push(row("Verantwortlich", letter.signed_by));
    rows
}

async fn save(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let proposes = fields.get("then") == "propose";
    let mut is_saved = false;
    let done = async {
        fresh(&row, &fields)?;
        let case = {
            let mut tx = web.office.db.read().await?;
            application::load(&mut tx, &web.office.keys, &row.id).await?
        };
        let case = case.ok_or(Error::NotFound("application"))?;
        let prepared = prepared(&case);
        let input = input(&prepared, &from_fields(&prepared, &fields))?;
        let complete = no_blanks(&input);
        web.office.save_paper(&row.id, me, input).await?;
        is_saved = true;
        if !proposes {
            return Ok("saved");
        }
        // Saved in any case: what was typed must not be lost over a blank.
        complete?;
        web.office.propose_paper(&row.id, me).await?;
        Ok(if decides(&case) { "propose" } else { "issued" })
    };
    let done: Result<&'static str> = done.await;
    match done {
        Ok("saved") => Ok(see(&format!("/staff/case/{}/draft.pdf", row.number))),
        Ok(word) => Ok(see(&format!("/staff/case/{}?done={word}", row.number))),
        Err(error) if is_refusal(&error) => {
            let mut shown = draft_page(&web, &visitor, &row, Some(&fields)).await?;
            add_refusal(&web, &mut shown.page, field_of(&error), &error);
            if !is_overtaken(&error) {
                if !is_saved {
                    // Nothing newer has been shown yet.
                    shown.seen = fields.get("seen").parse().unwrap_or(0);
                }
                return again(&shown);
            }
            let view = web.office.case_view(&row.id, me).await?;
            shown.other = view.paper.as_ref().map(|paper| OtherDraft {
                author: view.names.get(paper.drafted_by.as_str()).cloned().unwrap_or_default(),
                time: paper.updated_at.german_date_time(),
                paragraphs: paper.content.tenor.iter().chain(&paper.content.reasons).cloned().collect(),
            });
            let mut response = page(&shown)?;
            *response.status_mut() = StatusCode::CONFLICT;
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether somebody else has saved the draft meanwhile.
fn is_overtaken(error: &Error) -> bool {
    matches!(error, Error::Refused { key: "paper.changed_by_other", .. })
}

/// Id of the field that a refusal belongs to.
fn field_of(error: &Error) -> &'static str {
    match error {
        Error::Refused { key: "paper.no_outcome", .. } => "outcome",
        Error::Refused { key: "paper.no_reasons", .. } => "free",
        _ => "",
    }
}

/// The paper as it would go out, or, once it is frozen, exactly as it will.
async fn preview(Shared(web): Shared<Web>, visitor: Visitor, Path(number): Path<String>) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let bytes = web.office.preview_paper(&row.id, me).await?;
    let headers = [
        (header::CONTENT_TYPE, header_value("application/pdf")),
        (
            header::CONTENT_DISPOSITION,
            header_value(&format!("inline; filename=\"Entwurf-{}.pdf\"", row.number)),
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// Whether the paper waits for an approval that this reader may give.
pub(super) fn waits_for(view: &CaseView, reader: &Staff) -> bool {
    let Some(paper) = view.paper.as_ref().filter(|paper| paper.state == PaperState::InApproval) else {
        return false;
    };
    let steps = steps(&view.case);
    let Some(step) = steps.get(view.approvals.len()) else { return false };
    let in_role = reader.roles.iter().any(|role| reader.is(*role) && role.word() == step.role);
    let took_part =
        paper.drafted_by == reader.id || view.approvals.iter().any(|approval| approval.staff == reader.id);
    view.case.state == State::InApproval && in_role && !(step.four_eyes && took_part)
}

async fn approve(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (before, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let done = async {
        fresh(&before, &fields)?;
        prove(&web, &visitor, fields.get("code")).await?;
        web.office.approve_paper(&before.id, me, fields.get("hash").to_owned()).await?;
        let after = row(&web, &number).await?;
        Ok(if after.state == State::InApproval { "approve" } else { "decide" })
    };
    let done: Result<&'static str> = done.await;
    let about_code = matches!(done, Err(Error::Refused { key: "desk.code_needed" | "staff.code_wrong", .. }));
    finish(&web, &visitor, &before, if about_code { "code" } else { "" }, done).await
}

async fn send_back(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let reason = fields.get("reason");
    let done = async {
        fresh(&row, &fields)?;
        if reason.is_empty() {
            return Err(Error::refused("desk.send_back_reason"));
        }
        web.office.send_back_paper(&row.id, me, format!("{SENT_BACK}{reason}")).await?;
        Ok("send-back")
    };
    let done = done.await;
    finish(&web, &visitor, &row, "back-reason", done).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<Prepared> {
        let make = |id: &str, outcome: &str, text: &str, is_tenor| Prepared {
            id: id.to_owned(),
            outcome: outcome.to_owned(),
            label: id.to_owned(),
            text: text.to_owned(),
            is_tenor,
        };
        vec![
            make("tenor-yes", "yes", "Der Antrag wird bewilligt.", true),
            make("reason-yes-a", "yes", "Die Unterlagen liegen vollständig vor.", false),
            make("reason-yes-b", "yes", "Die Gebühr ist bezahlt am [Datum].", false),
            make("tenor-no", "no", "Der Antrag wird abgelehnt.", true),
            make("reason-no-a", "no", "Es fehlt etwas.", false),
        ]
    }

    fn sent(pairs: &[(&str, &str)]) -> Fields {
        Fields::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_was_saved_comes_back_where_it_was_written() {
        let texts = texts();
        let fields = sent(&[
            ("outcome", "yes"),
            ("block", "tenor-yes"),
            ("block", "tenor-no"),
            ("block", "reason-yes-a"),
            ("block", "reason-yes-b"),
            ("text-tenor-yes", "Der Antrag wird ganz bewilligt."),
            ("text-reason-yes-a", "Die Unterlagen liegen vollständig vor."),
            ("text-reason-yes-b", "Die Gebühr ist bezahlt am 3. Mai."),
            ("free", "Eins.\r\n\r\nZwei."),
        ]);
        let input = input(&texts, &from_fields(&texts, &fields)).expect("fits");
        assert_eq!(input.tenor, ["Der Antrag wird ganz bewilligt."]);
        assert_eq!(input.reasons.len(), 4);
        no_blanks(&input).expect("no blank");
        let content = PaperContent { outcome: input.outcome, tenor: input.tenor, reasons: input.reasons };
        let again = from_content(&texts, Some(&content));
        assert_eq!(again.outcome, "yes");
        assert_eq!(again.blocks[0].text, "Der Antrag wird ganz bewilligt.");
        assert_eq!(again.blocks[2].text, "Die Gebühr ist bezahlt am 3. Mai.");
        let checked: Vec<bool> = again.blocks.iter().map(|block| block.checked).collect();
        assert_eq!(checked, [true, true, true, true, false]);
        assert_eq!(again.free, "Eins.\n\nZwei.");
    }

    #[test]
    fn reasons_of_another_outcome_and_blanks_are_refused() {
        let texts = texts();
        let mixed = sent(&[("outcome", "no"), ("block", "reason-yes-a"), ("text-reason-yes-a", "…")]);
        let refused = input(&texts, &from_fields(&texts, &mixed));
        assert!(matches!(refused, Err(Error::Refused { key: "desk.other_outcome", .. })));
        let blank = from_content(&texts, None);
        let blank = DraftInput {
            seen: 0,
            outcome: "yes".to_owned(),
            tenor: Vec::new(),
            reasons: vec![blank.blocks[2].text.clone()],
        };
        assert!(matches!(no_blanks(&blank), Err(Error::Refused { key: "desk.blank_left", .. })));
    }
}
