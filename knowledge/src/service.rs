//! The definition of one service (Leistung), as a file in `knowledge/services/` states it.
//!
//! Only shape lives here: a value of [`Service`] has been parsed, not yet judged. What makes a definition
//! lawful and complete is in `check.rs`. Nothing in this file knows of conversations or databases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A sentence in several languages: key is the language tag (`de`, `de-simple`, `en`), value the sentence.
/// `de` and `de-simple` are always there (checked), others may be missing and fall back to `de`.
pub type Localized = BTreeMap<String, String>;

/// The sentence in `language`, else in German.
pub fn localized<'a>(texts: &'a Localized, language: &str) -> &'a str {
    texts.get(language).or_else(|| texts.get("de")).map_or("", String::as_str)
}

/// One service that the office offers, or names the right office for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Stable id, equal to the file name without `.toml`; lower-case letters, digits and hyphens.
    pub id: String,
    /// Raised with every change of meaning; applications keep the version that they were filed under.
    pub version: u32,
    /// LeiKa key, 14 digits beginning with 99; empty until a person has copied it from the FIM portal.
    #[serde(default)]
    pub leika_key: Option<String>,
    /// How far this service has come: whether it can be filed here, is only told about, or is somebody else's.
    #[serde(default)]
    pub stage: Stage,
    /// Whom it is for.
    #[serde(default)]
    pub audience: Audience,
    /// Responsible unit, by id of `knowledge/offices.toml`.
    pub unit: String,
    /// What the program calls it when it speaks of a filed one.
    #[serde(default)]
    pub case_kind: CaseKind,
    /// Official title, by language.
    pub titles: Localized,
    /// What it is and who needs it, in one to three sentences.
    pub summary: Localized,
    /// Names that people use for it.
    #[serde(default)]
    pub synonyms: Vec<String>,
    /// Sentences in the voice of citizens that ask for this service.
    #[serde(default)]
    pub examples: Vec<String>,
    /// How people ask for it in other languages: language tag → short sentences.
    #[serde(default)]
    pub foreign: BTreeMap<String, Vec<String>>,
    /// Topics for which no checked source is known yet; the answer says so. A topic is here or among `facts`.
    #[serde(default)]
    pub open_facts: Vec<Topic>,
    /// Why another body is responsible; only with `stage = "referral"`.
    #[serde(default)]
    pub referral: Option<Referral>,
    /// What kind of data the form collects; decides which channels may carry it.
    pub data_class: DataClass,
    /// Lowest trust level of the login, for each act.
    #[serde(default)]
    pub trust: TrustMin,
    /// Whose declaration needs the written form by law.
    #[serde(default)]
    pub schriftform: Schriftform,
    /// Procedure act that governs delivery and remedy.
    #[serde(default)]
    pub procedure: Procedure,
    /// Norms that the service rests on.
    #[serde(default)]
    pub legal_basis: Vec<String>,
    /// What a citizen is told before filing: each with its source and the date of the check.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// Fee; absent = free of charge is stated by a fact with topic `fee`.
    #[serde(default)]
    pub fee: Option<Fee>,
    /// The questions, in order.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// The documents asked for, in order.
    #[serde(default)]
    pub documents: Vec<DocumentItem>,
    /// What the applicant declares before filing.
    #[serde(default)]
    pub declaration: Option<Declaration>,
    /// Kind of decision that ends the procedure.
    #[serde(default)]
    pub decision: Decision,
    /// Ordered approval steps before the decision; empty when `decision.kind = "none"`.
    #[serde(default)]
    pub approval: Vec<ApprovalStep>,
    /// The document that the applicant gets at the end.
    #[serde(default)]
    pub output: Output,
    /// Remedy against the decision; required unless `decision.kind = "none"`.
    #[serde(default)]
    pub remedy: Option<Remedy>,
    /// Service levels towards the applicant, in working days.
    #[serde(default)]
    pub sla: Sla,
    /// How long the closed case file is kept.
    #[serde(default)]
    pub retention: Retention,
}

/// How far a service has come in this catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It can be filed here, from the first question to the result.
    #[default]
    Online,
    /// It is told about, with what is known and who is responsible; it is not filed here yet.
    Information,
    /// Another body is responsible; the assistant names it (duty to advise, § 25 VwVfG).
    Referral,
}

/// Whom a service is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody.
    #[default]
    Citizen,
    /// Firms and the self-employed.
    Business,
    /// Staff of the district.
    Staff,
}

/// Why another body is responsible (the body itself is `unit`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Referral {
    /// The reason, naming the body.
    pub why: Localized,
    /// Id of the service that the district offers in this matter instead.
    #[serde(default)]
    pub instead: Option<String>,
}

/// What people file with a service, and therefore what it is called: "Ihr Antrag", "Ihre Meldung".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// Somebody asks for something for themselves.
    #[default]
    Application,
    /// Somebody tells the office something; nothing is asked for.
    Report,
}

impl Service {
    /// Whether it can be filed here.
    pub fn is_online(&self) -> bool {
        self.stage == Stage::Online
    }
}

/// Class of the data that a service collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataClass {
    /// No personal data is needed (an anonymous report, a booking).
    Public,
    /// Personal data without a special category.
    Personal,
    /// Special category of Art. 9 GDPR (health and others).
    Special,
}

/// Trust level of a login: T0 none, T1 basic registration, T2 substantial, T3 high
/// (reference: `administration.md` section 3; eIDAS "substantiell" and "hoch").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Trust {
    /// No login.
    #[default]
    T0,
    /// User name and password.
    T1,
    /// Substantial, e.g. an ELSTER certificate.
    T2,
    /// High, e.g. the identity card's eID.
    T3,
}

/// Lowest trust levels of a service. It can only narrow what the permission table allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustMin {
    /// To file the application.
    pub submit: Trust,
    /// To read or retrieve the result.
    pub read: Trust,
}

/// Written form required by law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schriftform {
    /// Nobody's.
    #[default]
    None,
    /// The applicant's declaration.
    Applicant,
}

/// Procedure act (`law.md` section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Procedure {
    /// `VwVfG` NRW.
    #[serde(rename = "VWVFG")]
    VwVfG,
    /// SGB X.
    #[serde(rename = "SGBX")]
    SgbX,
    /// Not an administrative procedure (certificates, extracts, bookings, reports).
    #[serde(rename = "NONE")]
    #[default]
    None,
}

/// What a citizen is told, as a checked field of the record, never as free text of the program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Which question it answers.
    pub topic: Topic,
    /// The answer.
    pub text: Localized,
    /// Where it stands: a norm, or the title of a page.
    pub source: String,
    /// Address of the source, if it has one.
    #[serde(default)]
    pub url: Option<String>,
    /// Day on which a person compared it with the source, ISO 8601 (`2026-11-20`).
    pub checked_on: String,
    /// The fact is from another district or an older text: citizens are told to ask the office.
    #[serde(default)]
    pub needs_check: bool,
}

/// Topic of a fact and of a citizen's question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// What does it cost?
    Fee,
    /// How long does it take?
    Duration,
    /// What do I need?
    Documents,
    /// Who may, who must?
    Eligibility,
    /// Until when?
    Deadline,
    /// Which office, where, when is it open?
    Office,
    /// How does it go on?
    Procedure,
    /// Which law?
    LegalBasis,
    /// How can I pay?
    Payment,
}

/// Fee of a service. Money is integer cents (EUR).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// When it is asked for.
    pub when: FeeWhen,
    /// Norm that the fee rests on.
    pub basis: String,
    /// Items; their sum is the amount.
    pub items: Vec<FeeItem>,
}

impl Fee {
    /// Sum of all items that apply to `answers`, in cents.
    pub fn total_cents(&self, answers: &BTreeMap<String, String>) -> i64 {
        self.items
            .iter()
            .filter(|item| item.only_if.as_ref().is_none_or(|c| c.holds(answers)))
            .map(|item| item.cents)
            .sum()
    }
}

/// Point in time of a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeWhen {
    /// Before the case is worked on.
    AtSubmission,
    /// With the decision.
    AfterDecision,
}

/// One line of a fee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeItem {
    /// Short id within the service.
    pub id: String,
    /// What it is for.
    pub label: Localized,
    /// Amount in cents.
    pub cents: i64,
    /// Applies only when this holds.
    #[serde(default)]
    pub only_if: Option<Condition>,
}

/// A condition on an earlier answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Id of an earlier field.
    pub field: String,
    /// The normalised answers under which the condition holds.
    pub is: Vec<String>,
}

impl Condition {
    /// Whether the normalised `answers` (field id → value) fulfil it.
    pub fn holds(&self, answers: &BTreeMap<String, String>) -> bool {
        answers.get(&self.field).is_some_and(|value| self.is.contains(value))
    }
}

/// One question of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Id within the service, `snake_case`.
    pub id: String,
    /// What kind of answer is valid.
    pub kind: FieldKind,
    /// Short name for the review page and for "ändern: …".
    pub label: Localized,
    /// The question as asked.
    pub question: Localized,
    /// Where the answer is found, or why it is asked; said on "weiß ich nicht" and after a wrong answer.
    #[serde(default)]
    pub help: Localized,
    /// A valid answer, shown as an example.
    pub example: String,
    /// May be skipped.
    #[serde(default)]
    pub optional: bool,
    /// Asked only when this holds.
    #[serde(default)]
    pub only_if: Option<Condition>,
    /// The choices of `kind = "choice"`.
    #[serde(default)]
    pub choices: Vec<ChoiceOption>,
    /// Longest text answer, in characters.
    #[serde(default)]
    pub max_length: Option<usize>,
    /// Limits for `kind = "number"`, both inclusive.
    #[serde(default)]
    pub min: Option<i64>,
    /// Upper limit for `kind = "number"`.
    #[serde(default)]
    pub max: Option<i64>,
    /// Attribute of a login that fills this field: `given_name`, `family_name`, `birth_date`,
    /// `birth_place`, `birth_name`, `street`, `postcode`, `city`, `email`.
    #[serde(default)]
    pub from_profile: Option<String>,
    /// The answers at which a person must take over, with the sentence that is said then.
    #[serde(default)]
    pub stop: Option<Stop>,
}

/// An answer at which the form ends and a person takes over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Normalised answers.
    pub is: Vec<String>,
    /// What the applicant is told.
    pub say: Localized,
}

/// One choice of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceOption {
    /// Normalised value.
    pub value: String,
    /// What is shown.
    pub label: Localized,
    /// Other words for it.
    #[serde(default)]
    pub synonyms: Vec<String>,
}

/// Kinds of answers, each with a validator and normaliser in `core/src/form.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of free text.
    Text,
    /// Several lines of free text.
    LongText,
    /// A person's name.
    Name,
    /// A day of any time.
    Date,
    /// A day of birth: not in the future, not more than 120 years ago.
    BirthDate,
    /// A whole number within `min` and `max`.
    Number,
    /// Yes or no; normalised to `ja` / `nein`.
    YesNo,
    /// One of `choices`.
    Choice,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
    /// German postcode.
    Postcode,
    /// Street with number, or a place described in words.
    Place,
    /// Number plate of the district (PB, BÜR).
    NumberPlate,
}

/// A document that the applicant hands in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentItem {
    /// Id within the service.
    pub id: String,
    /// Short name.
    pub label: Localized,
    /// Why it is needed.
    pub reason: Localized,
    /// Asked only when this holds.
    #[serde(default)]
    pub only_if: Option<Condition>,
    /// May be left out.
    #[serde(default)]
    pub optional: bool,
    /// "Reiche ich nach" is accepted: the office will ask for it again.
    #[serde(default)]
    pub later_allowed: bool,
    /// Allowed types.
    pub formats: Vec<DocumentFormat>,
    /// Largest size of one file, in MB (10^6 bytes).
    pub max_mb: u32,
    /// How many files at most.
    #[serde(default = "one")]
    pub max_files: u32,
}

fn one() -> u32 {
    1
}

/// Types of files that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentFormat {
    /// PDF without active content.
    Pdf,
    /// JPEG picture.
    Jpeg,
    /// PNG picture.
    Png,
    /// Word document without macros.
    Docx,
}

/// What the applicant declares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The wording, shown in full.
    pub text: Localized,
}

/// Kind of decision.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// How much room the law leaves.
    pub kind: DecisionKind,
    /// Always false: no machine decides (checked).
    #[serde(default)]
    pub auto_allowed: bool,
    /// Which results a clerk may propose, in the order shown. Empty when `kind = "none"`.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
}

/// How much room the law leaves to the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Bound: the conditions decide.
    Bound,
    /// Discretion (Ermessen).
    Ermessen,
    /// Margin of judgement (Beurteilungsspielraum).
    Beurteilung,
    /// No administrative act at the end.
    #[default]
    None,
}

/// One possible result of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Id within the service, e.g. `granted`, `refused`.
    pub id: String,
    /// Name for the clerk.
    pub label: String,
    /// The operative sentence (Tenor). `{field_id}` is replaced by the answer.
    pub tenor: String,
    /// Blocks of reasons that the clerk may choose and edit. `{field_id}` is replaced by the answer.
    pub reasons: Vec<ReasonBlock>,
}

/// A prepared paragraph of reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonBlock {
    /// Id within the outcome.
    pub id: String,
    /// Name for the clerk.
    pub label: String,
    /// The paragraph.
    pub text: String,
}

/// One approval step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalStep {
    /// Role that may approve: `clerk` or `approver`.
    pub role: String,
    /// The approver must be another person than the drafter.
    #[serde(default)]
    pub four_eyes: bool,
}

/// What the applicant gets at the end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Kind of paper.
    pub kind: OutputKind,
    /// Its title, e.g. "Bescheid über …".
    #[serde(default)]
    pub title: String,
    /// Text of a certificate, extract or confirmation. `{field_id}` is replaced by the answer.
    #[serde(default)]
    pub text: Vec<String>,
}

/// Kinds of papers at the end of a procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// The formal decision with remedy.
    Bescheid,
    /// A certificate (Bescheinigung); no remedy.
    Certificate,
    /// An extract of a register or map.
    Extract,
    /// A confirmation of a booking or reservation.
    Confirmation,
    /// Nothing but the thanks in the conversation.
    #[default]
    None,
}

/// Remedy against a decision (`law.md` section 5). The instruction is composed from these fields alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// Klage or Widerspruch.
    pub kind: RemedyKind,
    /// Court or authority where it is lodged, e.g. "Verwaltungsgericht Minden".
    pub body: String,
    /// Its address; the seat is a required part of the instruction (§ 58(1) `VwGO`, § 36 SGB X).
    pub address: String,
    /// Period: `1M` one month.
    pub period: String,
    /// Form sentence; required for SGB X (§ 36 SGB X), empty otherwise.
    #[serde(default)]
    pub form_line: String,
    /// Body or address has not been confirmed by a person yet; `amtsbote check` warns of it.
    #[serde(default)]
    pub needs_check: bool,
}

/// Kinds of remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemedyKind {
    /// Suit at a court.
    Klage,
    /// Objection at the authority.
    Widerspruch,
}

/// Service levels in working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sla {
    /// Until the receipt is acknowledged.
    pub ack_days: u32,
    /// Until completeness has been checked.
    pub first_check_days: u32,
    /// Until the decision or the result.
    pub decision_days: u32,
}

/// Retention of the closed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Years after closing.
    pub closed_years: u32,
    /// Offered to the archive before erasure (`ArchivG` NRW).
    pub archive_offer: bool,
}
