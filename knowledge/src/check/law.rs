//! Rules of law and of the house about a definition as a whole: who is responsible, what is stated with which
//! source, fee, trust level, decision, remedy, periods. The form and the words are judged elsewhere.

use jiff::ToSpan;
use jiff::civil::Date;

use super::Report;
use crate::office::Offices;
use crate::service::{
    DataClass, Decision, DecisionKind, FeeWhen, FieldKind, OutputKind, Procedure, RemedyKind, Schriftform,
    Service, Stage, Topic, Trust,
};

/// Roles that may approve (`administration.md` section 10).
const ROLES: [&str; 2] = ["clerk", "approver"];

/// Topics without which a citizen cannot know what comes.
const NEEDED_TOPICS: [(Topic, &str, &str); 3] = [
    (Topic::Fee, "fee", "was es kostet (auch: dass es nichts kostet)"),
    (Topic::Duration, "duration", "wie lange es dauert"),
    (Topic::Documents, "documents", "was man braucht (auch: dass man nichts braucht)"),
];

pub(super) fn identity(report: &mut Report<'_>, service: &Service, offices: &Offices) {
    let file = report.document.file_stem().to_owned();
    if service.id != file {
        report.error(
            "id",
            format!("Die Kennung „{}“ ist nicht der Dateiname „{file}“.", service.id),
            format!("Schreiben Sie id = \"{file}\" oder benennen Sie die Datei um."),
        );
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if service.id.is_empty() || !service.id.chars().all(plain) {
        report.error(
            "id",
            "Die Kennung hat unerlaubte Zeichen.",
            "Nehmen Sie Kleinbuchstaben, Ziffern und Bindestriche.",
        );
    }
    if service.version == 0 {
        report.error(
            "version",
            "Die Version ist 0.",
            "Beginnen Sie mit version = 1 und zählen Sie bei jeder Änderung hoch.",
        );
    }
    if let Some(key) = &service.leika_key
        && !(key.len() == 14 && key.starts_with("99") && key.bytes().all(|b| b.is_ascii_digit()))
    {
        report.error(
            "leika_key",
            format!("„{key}“ ist kein LeiKa-Schlüssel."),
            "14 Ziffern, beginnend mit 99, aus dem FIM-Portal; solange unbekannt, lassen Sie die Zeile weg.",
        );
    }
    if offices.unit(&service.unit).is_none() {
        let known: Vec<&str> = offices.office.iter().map(|unit| unit.id.as_str()).collect();
        report.error(
            "unit",
            format!("Die Stelle „{}“ steht nicht in offices.toml.", service.unit),
            format!("Tragen Sie sie dort ein oder nehmen Sie eine von: {}.", known.join(", ")),
        );
    }
    if service.is_online() && service.legal_basis.iter().all(|norm| norm.trim().is_empty()) {
        report.error(
            "legal_basis",
            "Es fehlt die Rechtsgrundlage.",
            "Nennen Sie mindestens eine Norm, z. B. [\"§ 24a FeV\"].",
        );
    }
}

pub(super) fn facts(report: &mut Report<'_>, service: &Service, today: Option<Date>) {
    for (topic, word, meaning) in NEEDED_TOPICS {
        let stated = service.facts.iter().any(|fact| fact.topic == topic);
        let open = service.open_facts.contains(&topic);
        if stated && open {
            report.error(
                "open_facts",
                format!("„{word}“ ist als offen gekennzeichnet, steht aber bei den Angaben."),
                format!("Streichen Sie „{word}“ aus open_facts oder die Angabe."),
            );
        } else if open && service.is_online() {
            report.error(
                "open_facts",
                format!("„{word}“ ist offen, aber die Leistung lässt sich hier beantragen."),
                "Klären Sie die Angabe mit dem Amt, bevor Anträge angenommen werden.",
            );
        } else if !stated && !open && service.stage != Stage::Referral {
            report.error(
                "facts",
                format!("Es fehlt eine Angabe zum Thema „{word}“: {meaning}."),
                format!("Ergänzen Sie [[facts]] mit topic = \"{word}\", Text, Quelle und Prüfdatum."),
            );
        }
    }
    for (index, fact) in service.facts.iter().enumerate() {
        let path = format!("facts.{index}");
        if fact.source.trim().is_empty() {
            report.error(
                &format!("{path}.source"),
                "Die Angabe hat keine Quelle.",
                "Nennen Sie Norm oder Seite. Ohne Quelle sagt der Assistent nichts.",
            );
        }
        if fact.url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
            report.error(
                &format!("{path}.url"),
                "Die Adresse beginnt nicht mit https://.",
                "Schreiben Sie die volle Adresse mit https://.",
            );
        }
        checked_on(report, &format!("{path}.checked_on"), &fact.checked_on, today);
        if fact.needs_check {
            report.warning(
                &format!("{path}.needs_check"),
                "Diese Angabe hat noch niemand bestätigt; Bürgerinnen und Bürger lesen „Bitte beim Amt erfragen“.",
                "Fragen Sie die Stelle, dann Text und checked_on ändern und needs_check löschen.",
            );
        }
    }
}

/// The date of a check: ISO 8601, not in the future, not older than 18 months.
pub(super) fn checked_on(report: &mut Report<'_>, path: &str, text: &str, today: Option<Date>) {
    let Some(date) = iso_date(text) else {
        report.error(
            path,
            format!("„{text}“ ist kein Datum."),
            "Schreiben Sie Jahr-Monat-Tag, z. B. 2026-11-20.",
        );
        return;
    };
    let Some(today) = today else { return };
    if date > today {
        report.error(
            path,
            format!("{text} liegt in der Zukunft."),
            "Tragen Sie den Tag ein, an dem verglichen wurde.",
        );
    } else if date.saturating_add(18.months()) < today {
        report.warning(
            path,
            format!("Zuletzt am {text} geprüft, vor mehr als 18 Monaten."),
            "Vergleichen Sie die Angabe mit der Quelle und tragen Sie den neuen Tag ein.",
        );
    }
}

/// A day in the form `2026-11-20` and no other.
pub(crate) fn iso_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    if shape { text.parse().ok() } else { None }
}

pub(super) fn fee(report: &mut Report<'_>, service: &Service) {
    let Some(fee) = &service.fee else { return };
    if fee.basis.trim().is_empty() {
        report.error(
            "fee.basis",
            "Die Gebühr hat keine Rechtsgrundlage.",
            "Nennen Sie Gesetz, Satzung oder Tarifstelle.",
        );
    }
    if fee.items.is_empty() {
        report.error(
            "fee.items",
            "Die Gebühr hat keine Posten.",
            "Ergänzen Sie [[fee.items]] oder löschen Sie [fee].",
        );
    }
    let stated: String = service
        .facts
        .iter()
        .filter(|fact| fact.topic == Topic::Fee)
        .filter_map(|fact| fact.text.get("de"))
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    for (index, item) in fee.items.iter().enumerate() {
        let path = format!("fee.items.{index}");
        if item.cents <= 0 {
            report.error(
                &format!("{path}.cents"),
                format!("{} Cent ist kein Betrag.", item.cents),
                "Schreiben Sie den Betrag in Cent, größer als 0; was nichts kostet, ist kein Posten.",
            );
        } else if !amount_forms(item.cents).iter().any(|amount| stated.contains(amount)) {
            report.error(
                &format!("{path}.cents"),
                format!("Der Betrag {} steht in keiner Angabe zum Thema „fee“.", amount_forms(item.cents)[0]),
                "Nennen Sie den Betrag dort mit Quelle, oder berichtigen Sie einen der beiden.",
            );
        }
        super::form::condition(report, &format!("{path}.only_if"), item.only_if.as_ref(), &service.fields);
    }
    super::form::unique(report, "fee.items", fee.items.iter().map(|item| item.id.as_str()));
    if fee.when == FeeWhen::AfterDecision && service.decision.kind == DecisionKind::None {
        report.error(
            "fee.when",
            "Gebühr nach der Entscheidung, aber es gibt keine Entscheidung.",
            "Schreiben Sie when = \"at_submission\" oder legen Sie eine Entscheidung fest.",
        );
    }
    if service.output.kind == OutputKind::None {
        report.error(
            "output.kind",
            "Es wird eine Gebühr verlangt, aber es gibt am Ende kein Papier.",
            "Wählen Sie bescheid, certificate, extract oder confirmation, oder löschen Sie [fee].",
        );
    }
}

/// How people write an amount: `25,30 €`, and `30 €` if there are no cents.
fn amount_forms(cents: i64) -> Vec<String> {
    let exact = format!("{},{:02} €", cents / 100, cents % 100);
    if cents % 100 == 0 { vec![exact, format!("{} €", cents / 100)] } else { vec![exact] }
}

pub(super) fn trust(report: &mut Report<'_>, service: &Service) {
    let mut demand = |path: &str, level: Trust, why: &str| {
        if level < Trust::T2 {
            report.error(path, format!("{level:?} reicht nicht: {why}."), "Schreiben Sie mindestens \"T2\".");
        }
    };
    if service.data_class == DataClass::Special {
        demand("trust.submit", service.trust.submit, "besondere Daten nach Art. 9 DSGVO");
        demand("trust.read", service.trust.read, "besondere Daten nach Art. 9 DSGVO");
    } else if service.data_class == DataClass::Personal && service.output.kind == OutputKind::Bescheid {
        demand("trust.read", service.trust.read, "ein Bescheid mit persönlichen Daten");
    }
    if service.schriftform == Schriftform::Applicant {
        demand("trust.submit", service.trust.submit, "Schriftform nach § 9a Abs. 5 OZG");
    }
    if service.data_class == DataClass::Public {
        let personal = |field: &&crate::service::Field| {
            !field.optional
                && (field.from_profile.is_some()
                    || matches!(
                        field.kind,
                        FieldKind::Name | FieldKind::BirthDate | FieldKind::Email | FieldKind::Phone
                    ))
        };
        if let Some(field) = service.fields.iter().find(personal) {
            report.error(
                "data_class",
                format!("„public“, aber die Pflichtfrage „{}“ verlangt persönliche Daten.", field.id),
                "Schreiben Sie data_class = \"personal\" oder machen Sie die Frage freiwillig.",
            );
        }
    }
}

pub(super) fn decision(report: &mut Report<'_>, service: &Service) {
    let decision = &service.decision;
    if decision.auto_allowed {
        let why = match decision.kind {
            DecisionKind::Ermessen => "Ermessen darf keine Maschine ausüben (§ 35a VwVfG).",
            DecisionKind::Bound | DecisionKind::Beurteilung | DecisionKind::None => {
                "Keine Maschine entscheidet; das ist Beschluss des Hauses."
            }
        };
        report.error("decision.auto_allowed", why, "Schreiben Sie false oder löschen Sie die Zeile.");
    }
    let decides = decision.kind != DecisionKind::None;
    if decides && decision.outcomes.is_empty() {
        report.error(
            "decision.outcomes",
            "Es fehlen die möglichen Ergebnisse.",
            "Ergänzen Sie [[decision.outcomes]] mit Tenor und Gründen.",
        );
    }
    if !decides && !decision.outcomes.is_empty() {
        report.error(
            "decision.outcomes",
            "Ergebnisse ohne Entscheidung.",
            "Löschen Sie die Ergebnisse oder ändern Sie decision.kind.",
        );
    }
    outcomes(report, decision);
    if decides && service.procedure == Procedure::None {
        report.error(
            "procedure",
            "Eine Entscheidung ohne Verfahrensgesetz.",
            "Schreiben Sie \"VWVFG\" oder \"SGBX\".",
        );
    }
    if !decides && service.procedure != Procedure::None {
        report.error(
            "procedure",
            "Ein Verfahrensgesetz, aber keine Entscheidung.",
            "Schreiben Sie procedure = \"NONE\".",
        );
    }
    if decides && service.approval.is_empty() {
        report.error(
            "approval",
            "Niemand gibt die Entscheidung frei.",
            "Ergänzen Sie [[approval]] mit role = \"clerk\" oder \"approver\".",
        );
    }
    if !decides && !service.approval.is_empty() {
        report.error("approval", "Freigabe ohne Entscheidung.", "Löschen Sie [[approval]].");
    }
    for (index, step) in service.approval.iter().enumerate() {
        if !ROLES.contains(&step.role.as_str()) {
            report.error(
                &format!("approval.{index}.role"),
                format!("Die Rolle „{}“ gibt es nicht.", step.role),
                format!("Möglich sind: {}.", ROLES.join(", ")),
            );
        }
    }
    let output = &service.output;
    if decides != (output.kind == OutputKind::Bescheid) {
        let (problem, mend) = if decides {
            ("Eine Entscheidung ergeht als Bescheid.", "Schreiben Sie output.kind = \"bescheid\".")
        } else {
            (
                "Ein Bescheid ohne Entscheidung.",
                "Wählen Sie ein anderes Papier oder legen Sie eine Entscheidung fest.",
            )
        };
        report.error("output.kind", problem, mend);
    }
    if output.kind != OutputKind::None && output.title.trim().is_empty() {
        report.error(
            "output.title",
            "Das Papier hat keinen Titel.",
            "Schreiben Sie z. B. title = \"Bescheid über …\".",
        );
    }
    let needs_text =
        matches!(output.kind, OutputKind::Certificate | OutputKind::Extract | OutputKind::Confirmation);
    if needs_text && output.text.iter().all(|paragraph| paragraph.trim().is_empty()) {
        report.error("output.text", "Das Papier hat keinen Text.", "Schreiben Sie mindestens einen Absatz.");
    }
}

/// Each possible result has a name of its own, a sentence that decides, and reasons.
fn outcomes(report: &mut Report<'_>, decision: &Decision) {
    super::form::unique(
        report,
        "decision.outcomes",
        decision.outcomes.iter().map(|outcome| outcome.id.as_str()),
    );
    for (index, outcome) in decision.outcomes.iter().enumerate() {
        let path = format!("decision.outcomes.{index}");
        if outcome.tenor.trim().is_empty() {
            report.error(
                &format!("{path}.tenor"),
                "Der Tenor ist leer.",
                "Schreiben Sie den Satz, der entscheidet.",
            );
        }
        let reasons = outcome.reasons.iter().map(|reason| reason.id.as_str());
        super::form::unique(report, &format!("{path}.reasons"), reasons);
        if outcome.reasons.is_empty() || outcome.reasons.iter().any(|reason| reason.text.trim().is_empty()) {
            report.error(
                &format!("{path}.reasons"),
                "Es fehlt eine Begründung (§ 39 VwVfG, § 35 SGB X).",
                "Ergänzen Sie mindestens einen Baustein mit label und text.",
            );
        }
    }
}

/// Procedure act, kind of remedy, body and form line must agree (`law.md` section 5).
pub(super) fn remedy(report: &mut Report<'_>, service: &Service) {
    let decides = service.decision.kind != DecisionKind::None;
    let Some(remedy) = &service.remedy else {
        if decides {
            report.error(
                "remedy",
                "Eine Entscheidung ohne Rechtsbehelf: ohne Belehrung läuft die Frist ein Jahr (§ 58 Abs. 2 VwGO, § 66 Abs. 2 SGG).",
                "Ergänzen Sie [remedy] mit kind, body, address und period.",
            );
        }
        return;
    };
    if !decides {
        report.error(
            "remedy",
            "Ein Rechtsbehelf ohne Entscheidung.",
            "Löschen Sie [remedy] oder legen Sie eine Entscheidung fest.",
        );
    }
    match service.procedure {
        Procedure::VwVfG => {
            if remedy.kind == RemedyKind::Widerspruch {
                report.error(
                    "remedy.kind",
                    "Nach VwVfG gibt es in NRW kein Widerspruchsverfahren (§ 110 Abs. 1 JustG NRW).",
                    "Schreiben Sie kind = \"klage\" oder, bei Sozialleistungen, procedure = \"SGBX\".",
                );
            }
            if !remedy.form_line.trim().is_empty() {
                report.error(
                    "remedy.form_line",
                    "Ein Satz zur Form macht die Belehrung nach § 58 VwGO angreifbar.",
                    "Löschen Sie form_line.",
                );
            }
        }
        Procedure::SgbX => {
            if remedy.form_line.trim().is_empty() {
                report.error(
                    "remedy.form_line",
                    "Nach § 36 SGB X gehört die Form zur Belehrung.",
                    "Ergänzen Sie form_line, z. B. \"Der Widerspruch ist schriftlich … einzulegen.\"",
                );
            }
        }
        Procedure::None => {}
    }
    let court = remedy.body.to_lowercase().contains("gericht");
    match remedy.kind {
        RemedyKind::Klage if !court => {
            report.error(
                "remedy.body",
                format!("„{}“ ist kein Gericht.", remedy.body),
                "Klage wird beim Gericht erhoben, z. B. \"Verwaltungsgericht Minden\".",
            );
        }
        RemedyKind::Widerspruch if court => {
            report.error(
                "remedy.body",
                "Widerspruch wird nicht beim Gericht erhoben.",
                "Nennen Sie die Behörde, die entschieden hat.",
            );
        }
        RemedyKind::Klage | RemedyKind::Widerspruch => {}
    }
    if !names_a_seat(&remedy.address) {
        report.error(
            "remedy.address",
            format!("In der Anschrift „{}“ fehlt der Sitz (der Ort).", remedy.address),
            "Enden Sie mit dem Ort, z. B. \"Königswall 8, 32423 Minden\".",
        );
    }
    if remedy.period != "1M" {
        report.error(
            "remedy.period",
            format!("Die Frist „{}“ ist nicht vorgesehen.", remedy.period),
            "Schreiben Sie \"1M\" (ein Monat, § 70, § 74 VwGO, § 84, § 87 SGG).",
        );
    }
    if remedy.needs_check {
        report.warning(
            "remedy.needs_check",
            "Stelle oder Anschrift des Rechtsbehelfs hat noch niemand bestätigt.",
            "Vergleichen Sie mit der Seite des Gerichts, dann needs_check löschen.",
        );
    }
}

/// Whether an address ends with a place: a capitalised name, perhaps after a postcode, without a house number.
fn names_a_seat(address: &str) -> bool {
    let last = address.rsplit(',').next().unwrap_or_default().trim();
    let place = match last.split_once(' ') {
        Some((code, rest)) if code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit()) => rest,
        Some(_) | None => last,
    };
    place.chars().next().is_some_and(char::is_uppercase) && !place.chars().any(|c| c.is_ascii_digit())
}

pub(super) fn periods(report: &mut Report<'_>, service: &Service) {
    let sla = service.sla;
    if sla.decision_days == 0 {
        report.error("sla.decision_days", "0 Arbeitstage bis zum Ergebnis.", "Schreiben Sie mindestens 1.");
    } else if sla.ack_days > sla.decision_days || sla.first_check_days > sla.decision_days {
        report.error(
            "sla.decision_days",
            "Das Ergebnis käme vor der Bestätigung oder der ersten Prüfung.",
            "decision_days muss mindestens so groß sein wie ack_days und first_check_days.",
        );
    }
    if service.retention.closed_years == 0 {
        report.error(
            "retention.closed_years",
            "Die Akte würde sofort gelöscht.",
            "Schreiben Sie die Jahre der Aufbewahrung; mit Gebühr mindestens 10 (KomHVO NRW).",
        );
    } else if service.fee.is_some() && service.retention.closed_years < 10 {
        report.error(
            "retention.closed_years",
            format!("{} Jahre sind für Gebührenunterlagen zu kurz.", service.retention.closed_years),
            "Schreiben Sie mindestens 10 (KomHVO NRW).",
        );
    }
}
