//! The acts that end a case, or free it from a fee, by the hand of a clerk and for a reason that becomes part of the
//! file. What is possible says the state machine; each asks for a reason and for one more tick before it happens.

use amtsbote_core::application::{self, Event, State};
use amtsbote_core::error::Error;
use axum::extract::{Path, State as Shared};

use super::{fresh, row};
use crate::web::Web;
use crate::web::answer::Answer;
use crate::web::views::staff::Settlement;
use crate::web::visitor::{Fields, Visitor};

/// One act: its word in the form, what happens, and its words for the clerk.
struct Act {
    word: &'static str,
    event: Event,
    title: &'static str,
    effect: &'static str,
    question: &'static str,
    /// Beginning of the note that keeps the reason.
    note: &'static str,
}

const ACTS: [Act; 4] = [
    Act {
        word: "waive",
        event: Event::Waive,
        title: "Gebühr erlassen",
        effect: "Die Person muss nicht mehr bezahlen und wird benachrichtigt. Die Bearbeitung beginnt.",
        question: "Warum wird die Gebühr erlassen?",
        note: "Gebühr erlassen: ",
    },
    Act {
        word: "withdraw",
        event: Event::Withdraw,
        title: "Rücknahme eintragen",
        effect: "Die Person hat auf anderem Weg erklärt, dass sie nicht weiter will, etwa am Telefon oder im Brief. Der \
                 Vorgang endet. Eine bezahlte Gebühr wird zur Erstattung vorgemerkt. Die Person wird benachrichtigt.",
        question: "Wann und wie hat die Person das erklärt?",
        note: "Rücknahme eingetragen: ",
    },
    Act {
        word: "moot",
        event: Event::Moot,
        title: "Ohne Entscheidung erledigt",
        effect: "Der Vorgang endet ohne Bescheid. Eine offene Gebühr entfällt. Die Person wird benachrichtigt.",
        question: "Warum hat sich der Vorgang erledigt?",
        note: "Ohne Entscheidung erledigt: ",
    },
    Act {
        word: "final",
        event: Event::ConfirmFinal,
        title: "Bestandskraft bestätigen",
        effect: "Sie bestätigen: Die Frist für den Rechtsbehelf ist abgelaufen, und keiner ist eingegangen.",
        question: "Woran haben Sie das geprüft?",
        note: "Bestandskraft bestätigt: ",
    },
];

/// The acts that the state machine allows in this state.
pub(super) fn possible(state: State) -> Vec<Settlement> {
    ACTS.iter()
        .filter(|act| application::next(state, &act.event).is_ok())
        .map(|act| Settlement {
            word: act.word.to_owned(),
            title: act.title.to_owned(),
            effect: act.effect.to_owned(),
            question: act.question.to_owned(),
            open: false,
            remark: String::new(),
        })
        .collect()
}

pub(super) async fn settle(
    Shared(web): Shared<Web>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Fields,
) -> Answer {
    let (row, me) = (row(&web, &number).await?, visitor.need_staff()?);
    let act = ACTS.iter().find(|act| act.word == fields.get("act")).ok_or(Error::NotFound("act"))?;
    let reason = fields.get("remark");
    let done = async {
        fresh(&row, &fields)?;
        if reason.is_empty() {
            return Err(Error::refused("desk.settle_reason"));
        }
        if fields.get("confirm") != "yes" {
            return Err(Error::refused("web.confirm_missing"));
        }
        let note = format!("{}{reason}", act.note);
        web.office.desk_event(&row.id, me, act.event.clone(), Some(note)).await?;
        Ok(act.word)
    };
    let done = done.await;
    let field = match &done {
        Err(Error::Refused { key: "web.confirm_missing", .. }) => format!("confirm-{}", act.word),
        _ => format!("remark-{}", act.word),
    };
    super::cases::finish_settling(&web, &visitor, &row, (&field, act.word, reason), done).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_is_offered_where_the_state_machine_allows_it_and_nowhere_else() {
        let words = |state| possible(state).into_iter().map(|act| act.word).collect::<Vec<_>>();
        assert_eq!(words(State::AwaitingPayment), ["waive", "withdraw", "moot"]);
        assert_eq!(words(State::InProgress), ["withdraw", "moot"]);
        assert_eq!(words(State::Delivered), ["final"]);
        for state in [State::Decided, State::Closed, State::Withdrawn, State::Moot, State::Forwarded] {
            assert_eq!(words(state), Vec::<String>::new(), "{state:?}");
        }
    }
}
