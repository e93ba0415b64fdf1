//! Rules about how far a service has come: what has to be there before it can be filed, what may not be there yet.

use super::Report;
use crate::service::{Service, Stage};

/// Sections without which nothing can be filed.
const OF_A_FILING: [&str; 7] =
    ["trust", "schriftform", "procedure", "decision", "output", "sla", "retention"];

/// A service that can be filed says everything itself: a default would be an assumption about law.
pub(super) fn complete(report: &mut Report<'_>) {
    for key in OF_A_FILING.into_iter().filter(|key| *key != "schriftform") {
        if !report.document.has(key) {
            report.error(
                key,
                format!("Der Schlüssel „{key}“ fehlt."),
                format!(
                    "Ergänzen Sie „{key}“, oder schreiben Sie stage = \"information\", bis alles bekannt ist."
                ),
            );
        }
    }
}

/// A service that is only told about has no form, no fee and no decision: they would never be reached.
pub(super) fn told_only(report: &mut Report<'_>, service: &Service) {
    let keys = ["fields", "documents", "fee", "declaration", "approval", "remedy"];
    for key in keys.into_iter().chain(OF_A_FILING) {
        if report.document.has(key) {
            report.error(
                key,
                format!("„{key}“ gehört zu einer Leistung, die hier beantragt wird; diese wird es nicht."),
                "Löschen Sie den Abschnitt, oder schreiben Sie stage = \"online\".",
            );
        }
    }
    if service.stage == Stage::Information && service.facts.is_empty() && service.open_facts.is_empty() {
        report.error(
            "open_facts",
            "Weder Angaben noch offene Angaben.",
            "Nennen Sie die Themen, die noch niemand geklärt hat, z. B. open_facts = [\"fee\"].",
        );
    }
}

/// A referral says why, and only a referral does.
pub(super) fn referral(report: &mut Report<'_>, service: &Service) {
    match (service.stage, &service.referral) {
        (Stage::Referral, None) => report.error(
            "referral",
            "Es fehlt, warum eine andere Stelle zuständig ist.",
            "Ergänzen Sie [referral] mit why.de, why.de-simple und why.en.",
        ),
        (Stage::Online | Stage::Information, Some(_)) => report.error(
            "referral",
            "Ein Verweis an eine andere Stelle, obwohl der Kreis zuständig ist.",
            "Löschen Sie [referral], oder schreiben Sie stage = \"referral\".",
        ),
        (Stage::Referral, Some(_)) | (Stage::Online | Stage::Information, None) => {}
    }
}
