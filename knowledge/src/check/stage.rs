//! Rules about how far a service has come: what has to be there before it can be filed, what may not be there yet.

use super::Report;
use crate::catalogue::Sources;
use crate::office::Offices;
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
pub(super) fn referral(report: &mut Report<'_>, service: &Service, offices: &Offices) {
    let external = offices.unit(&service.unit).is_some_and(|unit| unit.external);
    if external != (service.stage == Stage::Referral) && offices.unit(&service.unit).is_some() {
        report.error(
            "unit",
            format!(
                "„{}“ passt nicht zu stage: verwiesen wird an fremde Stellen, der Rest gehört dem Kreis.",
                service.unit
            ),
            "Nennen Sie die zuständige Stelle, oder ändern Sie stage (offices.toml: external).",
        );
    }
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

/// What the district does instead is a service of the catalogue.
pub(super) fn instead_exists(report: &mut Report<'_>, service: &Service, sources: &Sources) {
    let instead = service.referral.as_ref().and_then(|referral| referral.instead.as_ref());
    if let Some(id) = instead.filter(|id| !sources.services.contains_key(&format!("{id}.toml"))) {
        report.error(
            "referral.instead",
            format!("Die Leistung „{id}“ gibt es nicht."),
            "Schreiben Sie die Kennung einer Leistung, oder löschen Sie die Zeile.",
        );
    }
}
