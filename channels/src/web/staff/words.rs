//! The desk's German words for states, colours, history, roles and notices, each in one table. The desk is German
//! only; sentences for citizens stand in the texts of the office. Nothing is decided here.

use std::collections::BTreeMap;

use amtsbote_core::application::State;
use amtsbote_core::audit::AuditRecord;
use amtsbote_core::clock::Timestamp;
use amtsbote_core::document_request::ItemState;
use amtsbote_core::message::ChannelKind;
use amtsbote_core::payment::PaymentState;
use amtsbote_core::staff::Role;
use amtsbote_knowledge::Trust;

/// A state as (label, tone); tones are the badges of the style sheet.
pub fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Draft => ("Entwurf des Antrags", "neutral"),
        State::Submitted => ("Abgeschickt", "info"),
        State::Received => ("Eingegangen", "info"),
        State::AwaitingPayment => ("Wartet auf Zahlung", "neutral"),
        State::CompletenessCheck => ("Vollständigkeit prüfen", "warning"),
        State::DocumentsRequested => ("Unterlagen nachgefordert", "neutral"),
        State::Complete => ("Vollständig", "info"),
        State::InProgress => ("In Bearbeitung", "warning"),
        State::Hearing => ("Anhörung", "neutral"),
        State::InApproval => ("In Freigabe", "warning"),
        State::Query => ("Rückfrage", "warning"),
        State::Decided => ("Entschieden", "success"),
        State::Delivered => ("Bekannt gegeben", "success"),
        State::Remedy => ("Rechtsbehelf", "danger"),
        State::Final => ("Bestandskräftig", "success"),
        State::Closed => ("Abgeschlossen", "neutral"),
        State::ArchiveReady => ("Wartet auf das Archiv", "neutral"),
        State::Erased => ("Gelöscht", "neutral"),
        State::Withdrawn => ("Zurückgenommen", "neutral"),
        State::Forwarded => ("Abgegeben", "neutral"),
        State::Moot => ("Erledigt", "neutral"),
    }
}

/// What is to be done in a state, in one sentence.
pub fn next_step(state: State, waits_for_me: bool) -> &'static str {
    match state {
        State::Draft | State::Submitted | State::Received => "Der Antrag wird gerade aufgenommen.",
        State::AwaitingPayment => "Die Gebühr ist noch nicht bezahlt. Danach geht es von selbst weiter.",
        State::CompletenessCheck => "Prüfen Sie, ob alles da ist.",
        State::DocumentsRequested => "Wir warten auf Unterlagen. Sie müssen gerade nichts tun.",
        State::Complete => "Alles ist da. Übernehmen Sie den Vorgang.",
        State::InProgress => "Schreiben Sie den Entwurf.",
        State::Hearing => "Die Person kann sich äußern. Wir warten auf die Antwort.",
        State::InApproval if waits_for_me => "Lesen Sie den Entwurf und geben Sie ihn frei oder zurück.",
        State::InApproval => "Der Entwurf wartet auf die Freigabe durch eine berechtigte Person.",
        State::Query => "Zum Entwurf gibt es eine Rückfrage.",
        State::Decided => "Der Bescheid ist bereitgestellt. Er gilt erst mit der Bekanntgabe.",
        State::Delivered => "Der Bescheid ist bekannt gegeben. Schließen Sie ab, wenn nichts mehr offen ist.",
        State::Remedy => "Ein Rechtsbehelf läuft.",
        State::Final => "Die Entscheidung ist bestandskräftig. Sie können den Vorgang abschließen.",
        State::Closed | State::ArchiveReady | State::Erased => "Der Vorgang ist abgeschlossen.",
        State::Withdrawn => "Der Antrag wurde zurückgenommen.",
        State::Forwarded => "Der Vorgang liegt bei einer anderen Stelle.",
        State::Moot => "Der Vorgang hat sich erledigt.",
    }
}

/// The state of a requested item as (label, tone).
pub fn item(state: ItemState) -> (&'static str, &'static str) {
    match state {
        ItemState::Open => ("fehlt noch", "neutral"),
        ItemState::Delivered => ("ist da, zu prüfen", "warning"),
        ItemState::Accepted => ("passt", "success"),
        ItemState::Rejected => ("passt nicht", "danger"),
    }
}

/// The state of a payment.
pub fn payment(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Created | PaymentState::KeySet => "noch nicht bezahlt",
        PaymentState::Requested | PaymentState::Redirected | PaymentState::Pending => "Zahlung läuft",
        PaymentState::Paid => "bezahlt",
        PaymentState::Cancelled => "Zahlung abgebrochen",
        PaymentState::Expired => "Zahlung abgelaufen",
        PaymentState::Failed => "Zahlung fehlgeschlagen",
        PaymentState::RefundRequested => "zu erstatten",
        PaymentState::Refunded => "erstattet",
    }
}

/// What an audit record says; an unknown action is the action itself.
pub fn action(action: &str) -> &str {
    ACTIONS.iter().find(|(known, _)| *known == action).map_or(action, |(_, sentence)| sentence)
}

/// What happened, for the history of a case.
const ACTIONS: [(&str, &str); 46] = [
    ("application.submit", "Antrag abgeschickt"),
    ("application.receive", "Antrag eingegangen"),
    ("application.fee_due", "Gebühr angefordert"),
    ("application.paid", "Gebühr bezahlt"),
    ("application.waive", "Auf die Gebühr verzichtet"),
    ("application.start_check", "Prüfung auf Vollständigkeit begonnen"),
    ("application.request_documents", "Unterlagen nachgefordert"),
    ("application.fulfilled", "Nachgeforderte Unterlagen sind da"),
    ("application.expired", "Frist für Unterlagen abgelaufen"),
    ("application.complete", "Unterlagen vollständig"),
    ("application.take", "Bearbeitung begonnen"),
    ("application.hear", "Zur Anhörung gegeben"),
    ("application.hearing_answered", "In der Anhörung geäußert"),
    ("application.hearing_expired", "Frist der Anhörung abgelaufen"),
    ("application.propose_decision", "Entwurf zur Freigabe gegeben"),
    ("application.query", "Rückfrage zum Entwurf"),
    ("application.answer", "Rückfrage beantwortet"),
    ("application.send_back", "Entwurf zurückgegeben"),
    ("application.new_bytes", "Entwurf geändert, Freigaben verfallen"),
    ("application.decide", "Entschieden"),
    ("application.service_rendered", "Leistung erbracht"),
    ("application.deemed_delivered", "Bekannt gegeben"),
    ("application.delivery_lost", "Bekanntgabe entfallen"),
    ("application.remedy_received", "Rechtsbehelf eingegangen"),
    ("application.remedy_rejected", "Rechtsbehelf zurückgewiesen"),
    ("application.remedy_granted", "Rechtsbehelf stattgegeben"),
    ("application.confirm_final", "Bestandskraft bestätigt"),
    ("application.close", "Abgeschlossen"),
    ("application.retention_over", "Aufbewahrungsfrist abgelaufen"),
    ("application.erase", "Personenbezogene Daten gelöscht"),
    ("application.withdraw", "Antrag zurückgenommen"),
    ("application.not_competent", "An die zuständige Stelle abgegeben"),
    ("application.moot", "Erledigt"),
    ("application.assign", "Zugeteilt"),
    ("application.note", "Vermerk geschrieben"),
    ("application.view", "Akte angesehen"),
    ("paper.draft", "Entwurf geschrieben"),
    ("paper.rewrite", "Entwurf geändert"),
    ("paper.freeze", "Entwurf eingefroren"),
    ("paper.approve", "Freigegeben"),
    ("paper.send_back", "Freigaben zurückgesetzt"),
    ("paper.issue", "Schreiben bereitgestellt"),
    ("paper.retrieve", "Schreiben abgerufen"),
    ("document.add", "Unterlage hinzugefügt"),
    ("document.attach", "Unterlage zur Akte genommen"),
    ("payment.create", "Gebühr festgehalten"),
];

/// Who did it, for the history: staff by name, others by what they are.
pub fn actor<'a>(record: &'a AuditRecord, names: &'a BTreeMap<String, String>) -> &'a str {
    match record.actor_kind.as_str() {
        "staff" => names.get(&record.actor_id).map_or("Unbekanntes Konto", String::as_str),
        "person" | "anonymous" => "antragstellende Person",
        _ => "Programm",
    }
}

/// What the history says of a notification; other events of a delivery are audited and stand there anyway.
pub const NOTIFIED: &str = "Benachrichtigung über das Schreiben verschickt";

/// A trust level.
pub fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::T0 => "T0, ohne Anmeldung",
        Trust::T1 => "T1, einfach",
        Trust::T2 => "T2, substanziell",
        Trust::T3 => "T3, hoch",
    }
}

/// A language tag.
pub fn language(tag: &str) -> &str {
    match tag {
        "de" => "Deutsch",
        "de-simple" => "Leichte Sprache",
        "en" => "Englisch",
        "uk" => "Ukrainisch",
        "tr" => "Türkisch",
        "ar" => "Arabisch",
        "ru" => "Russisch",
        other => other,
    }
}

/// A channel.
pub fn channel(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Web => "Web-Chat",
        ChannelKind::Matrix => "Matrix",
        ChannelKind::Messenger => "Messenger",
        ChannelKind::Email => "E-Mail",
        ChannelKind::Telephone => "Telefon",
    }
}

/// Roles as a list for people.
pub fn roles(roles: &[Role]) -> String {
    let words: Vec<&str> = roles
        .iter()
        .map(|role| match role {
            Role::Clerk => "Bearbeiten",
            Role::Approver => "Freigeben",
            Role::Admin => "Verwalten",
        })
        .collect();
    words.join(", ")
}

/// The notice for the word of `?done=`; an unknown word says nothing.
pub fn done(word: &str) -> &'static str {
    DONE.iter().find(|(known, _)| *known == word).map_or("", |(_, sentence)| sentence)
}

/// What a form has done, for the page after it.
const DONE: [(&str, &str); 28] = [
    ("take", "Sie haben den Vorgang übernommen."),
    ("assign", "Der Vorgang ist jetzt Ihnen zugeteilt."),
    ("complete", "Die Unterlagen sind als vollständig vermerkt."),
    ("request", "Die Unterlagen sind nachgefordert. Die Person ist benachrichtigt."),
    ("accept", "Die Unterlage ist als passend vermerkt."),
    ("reject", "Die Unterlage ist zurückgewiesen. Die Person ist benachrichtigt."),
    ("note", "Der Vermerk ist gespeichert."),
    ("saved", "Der Entwurf ist gespeichert."),
    ("propose", "Der Entwurf liegt zur Freigabe."),
    ("issued", "Das Schreiben ist bereitgestellt. Die Person ist benachrichtigt."),
    ("approve", "Ihre Freigabe ist vermerkt. Die nächste Freigabe steht noch aus."),
    ("decide", "Der Bescheid ist freigegeben und bereitgestellt. Die Person ist benachrichtigt."),
    ("send-back", "Der Entwurf ist zur Bearbeitung zurückgegeben."),
    ("forward", "Der Vorgang ist abgegeben. Die Person ist benachrichtigt."),
    ("close", "Der Vorgang ist abgeschlossen."),
    ("waive", "Die Gebühr ist erlassen. Die Person ist benachrichtigt."),
    ("withdraw", "Die Rücknahme ist eingetragen. Die Person ist benachrichtigt."),
    ("moot", "Der Vorgang ist ohne Entscheidung erledigt. Die Person ist benachrichtigt."),
    ("final", "Die Bestandskraft ist bestätigt."),
    ("end-of-list", "Das war der letzte Vorgang dieser Liste."),
    ("chat-take", "Sie antworten jetzt in diesem Gespräch."),
    ("chat-back", "Das Gespräch ist wieder beim Assistenten."),
    ("account", "Ihr Konto ist eingerichtet. Melden Sie sich jetzt mit einem neuen Code aus der App an."),
    ("logout", "Sie sind abgemeldet."),
    ("deactivate", "Das Konto ist gesperrt."),
    ("activate", "Das Konto ist entsperrt."),
    ("roles", "Die Rollen sind geändert."),
    ("step-up", "Ihr Code stimmt. Sie können jetzt zehn Minuten lang Konten ändern."),
];

/// "unter einer Minute", "4 Minuten", "2 Stunden", "3 Tage".
pub fn since(from: Timestamp, now: Timestamp) -> String {
    let minutes = now.0.saturating_sub(from.0).max(0) / 60_000;
    let many = |number: i64, one: &str, more: &str| {
        if number == 1 { format!("1 {one}") } else { format!("{number} {more}") }
    };
    match minutes {
        0 => "unter einer Minute".to_owned(),
        1..60 => many(minutes, "Minute", "Minuten"),
        60..1440 => many(minutes / 60, "Stunde", "Stunden"),
        _ => many(minutes / 1440, "Tag", "Tagen"),
    }
}

/// "340 kB", "1,2 MB".
pub fn size(bytes: i64) -> String {
    if bytes < 1_000_000 {
        format!("{} kB", (bytes / 1000).max(1))
    } else {
        let tenths = bytes / 100_000;
        format!("{},{} MB", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_are_words() {
        for (minutes, words) in [
            (0, "unter einer Minute"),
            (1, "1 Minute"),
            (59, "59 Minuten"),
            (60, "1 Stunde"),
            (1439, "23 Stunden"),
            (1440, "1 Tag"),
            (2880, "2 Tagen"),
        ] {
            assert_eq!(since(Timestamp(0), Timestamp(minutes * 60_000)), words, "{minutes}");
        }
        assert_eq!(since(Timestamp(5), Timestamp(0)), "unter einer Minute");
    }

    #[test]
    fn every_state_has_words_and_a_tone_of_the_style_sheet() {
        for state in State::ALL {
            let (label, tone) = super::state(state);
            assert!(!label.is_empty() && !next_step(state, false).is_empty(), "{state:?}");
            assert!(["neutral", "info", "success", "warning", "danger"].contains(&tone), "{state:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_shown_as_it_is() {
        assert_eq!(action("application.take"), "Bearbeitung begonnen");
        assert_eq!(action("application.dance"), "application.dance");
        assert_eq!(done("<script>"), "");
        assert_eq!((size(340_400), size(1_250_000)), ("340 kB".to_owned(), "1,2 MB".to_owned()));
    }
}
