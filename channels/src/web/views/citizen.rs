//! What the citizen templates show: one struct a page. Text only; deciding and reading are done elsewhere.

use askama::Template;

use super::T;

/// A language of the switch in the header.
#[derive(Debug, Clone, Default)]
pub struct LanguageChoice {
    /// `de`, `de-simple`, `en`.
    pub code: String,
    /// Its name in itself.
    pub name: String,
    /// Whether the page is in it.
    pub current: bool,
}

/// What every page needs.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Language tag of the page: `de`, `de-simple`, `en`.
    pub lang: String,
    /// Title without the name of the office.
    pub title: String,
    /// Whether the form is shown again with errors (title gets the prefix "Fehler:").
    pub has_errors: bool,
    /// Name of the district.
    pub office: String,
    /// Token of the session for every form.
    pub csrf: String,
    /// Path of this page, for the way back after a change of language.
    pub back: String,
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Stronger contrast chosen.
    pub contrast_high: bool,
    /// 100, 125, 150 or 200 (percent).
    pub text_size: u16,
    /// Wide spacing chosen.
    pub wide_spacing: bool,
    /// No movement chosen.
    pub no_motion: bool,
    /// The office is a demonstration with made-up data.
    pub demo: bool,
    /// Shown in the frame of another page (`?embed=1`): short header and footer.
    pub embedded: bool,
    /// Name of the person who is logged in, or empty.
    pub signed_in: String,
    /// Address of the Impressum.
    pub imprint_url: String,
    /// Hash of the static files, for their addresses.
    pub version: String,
    /// The languages.
    pub languages: Vec<LanguageChoice>,
}

/// One fact with its source and Stand.
#[derive(Debug, Clone, Default)]
pub struct Fact {
    /// "Gebühr".
    pub label: String,
    /// The fact.
    pub text: String,
    /// "GebOSt Nr. 202.5, Stand 20.11.2026" (without the word "Quelle").
    pub source: String,
}

/// One choice.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// 1, 2, …
    pub number: usize,
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// Whether it was chosen (only in answered messages).
    pub chosen: bool,
}

/// One line of a review, with what to send to change it (empty: can't be changed).
#[derive(Debug, Clone, Default)]
pub struct ReviewRow {
    /// Short name of the question.
    pub label: String,
    /// The answer as people read it.
    pub value: String,
    /// What is sent to change it.
    pub change: String,
}

/// A part of a message: exactly one group of fields is filled.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// `Part::Text`, and what the citizen wrote.
    pub text: String,
    /// `Part::Notice`.
    pub notice: String,
    /// `Part::Facts`.
    pub facts: Vec<Fact>,
    /// `Part::Question`, with the next two.
    pub question: String,
    /// "Frage 2 von 7" or empty.
    pub progress: String,
    /// Hint or example or empty.
    pub hint: String,
    /// `Part::Choices`.
    pub choices: Vec<Choice>,
    /// `Part::Review`.
    pub review: Vec<ReviewRow>,
    /// `Part::Link`, with the next.
    pub link_label: String,
    /// Address; empty = no link.
    pub link_url: String,
    /// `Part::Upload`: limits in words; empty = no upload.
    pub upload_limits: String,
    /// Value of `accept`: `.pdf,.jpg,.jpeg,.png`.
    pub upload_accept: String,
    /// A file that the citizen sent (in a message of the citizen).
    pub file_name: String,
}

/// One message of the chat: one `<li>`.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Row number in the conversation.
    pub seq: i64,
    /// Written by the citizen.
    pub from_you: bool,
    /// Written by a member of staff.
    pub from_person: bool,
    /// A line of the system ("Frau Beispiel ist jetzt da").
    pub from_system: bool,
    /// "Sie", "Assistent (Maschine)", "Frau Beispiel, Straßenverkehrsamt".
    pub author: String,
    /// "10:02 Uhr".
    pub time: String,
    /// Language tag if it differs from the page, else empty.
    pub lang: String,
    /// "Freitag, 20. November 2026" on the first message of a day, else empty.
    pub day: String,
    /// Where the page begins after sending: true for ONE message, the newest of the citizen (none: the newest).
    pub latest: bool,
    /// Whether its choices, changes and upload may still be used (only the newest reply with such parts).
    pub open: bool,
    /// Fresh ULID for the forms inside this message.
    pub form_id: String,
    /// The parts in reading order.
    pub parts: Vec<Part>,
}

/// GET /chat.
#[derive(Debug, Template)]
#[template(path = "chat.html")]
pub struct ChatPage {
    pub page: Page,
    pub t: T,
    /// Oldest first.
    pub messages: Vec<Message>,
    /// Row number of the newest message, 0 if none: the event stream goes on from here.
    pub last_seq: i64,
    /// Fresh ULID for the main form; after an error the same as before.
    pub form_id: String,
    /// Fresh ULID for the button "Mit einem Menschen sprechen".
    pub human_form_id: String,
    /// What that button sends.
    pub human_command: String,
    /// Text of the field: what was typed, if it could not be taken.
    pub text: String,
    /// Why, or empty.
    pub error: String,
    /// "Sie sind in der Warteschlange, Platz 2 …" or empty.
    pub owner_note: String,
    /// A person answers or is awaited.
    pub with_person: bool,
    /// The conversation is over; only a new one can be started.
    pub closed: bool,
    /// Longest text in characters.
    pub max_length: u32,
}

/// Only messages: the answer to chat.js, and one message of the event stream.
#[derive(Debug, Template)]
#[template(path = "messages.html")]
pub struct Messages {
    pub page: Page,
    pub t: T,
    /// Oldest first.
    pub messages: Vec<Message>,
}

/// One line of an error summary.
#[derive(Debug, Clone, Default)]
pub struct FormError {
    /// `id` of the field that it belongs to.
    pub field: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// A service on the start page.
#[derive(Debug, Clone, Default)]
pub struct ServiceLink {
    /// What is sent to the chat as `choice`.
    pub value: String,
    /// Title in the language of the page.
    pub title: String,
    /// The unit that does it.
    pub unit: String,
}

/// GET /.
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    pub page: Page,
    pub t: T,
    /// This browser already has a conversation.
    pub has_conversation: bool,
    /// Fresh ULID for the form.
    pub form_id: String,
    /// At most about eight.
    pub services: Vec<ServiceLink>,
}

/// One option of radio buttons, check boxes or a list.
#[derive(Debug, Clone, Default)]
pub struct Choosable {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// Whether it is chosen now.
    pub checked: bool,
}

/// One group of radio buttons of the settings.
#[derive(Debug, Clone, Default)]
pub struct SettingGroup {
    /// `text_size`, `theme`, `contrast`, `spacing`, `motion`: name of the field.
    pub name: String,
    /// Its legend.
    pub legend: String,
    /// A hint or empty.
    pub hint: String,
    /// The options.
    pub options: Vec<Choosable>,
}

/// GET /settings?back=… (back: a path of this site).
#[derive(Debug, Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    pub page: Page,
    pub t: T,
    /// Saved just now.
    pub saved: bool,
    /// Where to go afterwards.
    pub back: String,
    /// The groups.
    pub groups: Vec<SettingGroup>,
}

/// One message of the transcript, and of the staff's view of a chat.
#[derive(Debug, Clone, Default)]
pub struct PlainMessage {
    /// Written by the citizen.
    pub from_you: bool,
    /// Written by a member of staff.
    pub from_person: bool,
    /// A line of the system.
    pub from_system: bool,
    /// Who.
    pub author: String,
    /// "10:02 Uhr".
    pub time: String,
    /// Language tag if it differs from the page.
    pub lang: String,
    /// Day on its first message.
    pub day: String,
    /// The newest message.
    pub latest: bool,
    /// `Reply::plain_text()`.
    pub plain: String,
}

/// GET /chat/print.
#[derive(Debug, Template)]
#[template(path = "print.html")]
pub struct PrintPage {
    pub page: Page,
    pub t: T,
    /// "20. November 2026, 10:15 Uhr".
    pub printed_at: String,
    /// Oldest first.
    pub messages: Vec<PlainMessage>,
    /// The same as PDF, if it is the copy of a case; empty for a conversation.
    pub pdf_url: String,
}

/// GET and POST /status.
#[derive(Debug, Template)]
#[template(path = "status.html")]
pub struct StatusPage {
    pub page: Page,
    pub t: T,
    /// Errors (fields `number`, `code`).
    pub errors: Vec<FormError>,
    /// What was typed.
    pub number: String,
    /// Number of the case that was found, else empty.
    pub number_found: String,
    /// "In Bearbeitung".
    pub state: String,
    /// One sentence on it.
    pub state_text: String,
    /// "18. November 2026".
    pub since: String,
}

/// GET /login?next=….
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    pub page: Page,
    pub t: T,
    /// Why a login is needed now, or empty.
    pub reason: String,
    /// "BundID", or empty if there is no such login.
    pub oidc_name: String,
    /// Whether made-up persons can be chosen.
    pub demo_login: bool,
    /// Path to go to afterwards.
    pub next: String,
}

/// A made-up person.
#[derive(Debug, Clone, Default)]
pub struct DemoPerson {
    /// Its key.
    pub id: String,
    /// Its name.
    pub name: String,
    /// One line on it.
    pub about: String,
    /// Chosen.
    pub checked: bool,
}

/// GET /login/demo?next=….
#[derive(Debug, Template)]
#[template(path = "demo_login.html")]
pub struct DemoLoginPage {
    pub page: Page,
    pub t: T,
    /// Errors (fields `person`, `trust`).
    pub errors: Vec<FormError>,
    /// Path to go to afterwards.
    pub next: String,
    /// The persons.
    pub people: Vec<DemoPerson>,
    /// T1, T2, T3 with a label.
    pub levels: Vec<Choosable>,
}

/// A case in a list. `tone` is one of `neutral`, `info`, `success`, `warning`, `danger`.
#[derive(Debug, Clone, Default)]
pub struct CaseLine {
    /// Number; the address is `/portal/{number}`.
    pub number: String,
    /// Title of the service.
    pub title: String,
    /// State in words.
    pub state: String,
    /// Colour of the state.
    pub tone: String,
    /// Whether the person has to do something.
    pub action_needed: bool,
    /// What, or empty.
    pub next_step: String,
    /// Day of submission.
    pub submitted: String,
}

/// GET /portal.
#[derive(Debug, Template)]
#[template(path = "portal.html")]
pub struct PortalPage {
    pub page: Page,
    pub t: T,
    /// "Sie sind angemeldet." or empty.
    pub notice: String,
    /// Newest first.
    pub cases: Vec<CaseLine>,
}

/// A document that is wanted.
#[derive(Debug, Clone, Default)]
pub struct WantedDocument {
    /// Row id of the item.
    pub id: String,
    /// Names the form: twice the same is once.
    pub form_id: String,
    /// What.
    pub label: String,
    /// Why.
    pub reason: String,
    /// Limits in words.
    pub limits: String,
    /// Value of `accept`.
    pub accept: String,
}

/// A document to download.
#[derive(Debug, Clone, Default)]
pub struct DocumentLine {
    /// Address.
    pub url: String,
    /// Name.
    pub name: String,
    /// "PDF, 340 kB, 18. November 2026, von Ihnen".
    pub about: String,
}

/// A step of the history.
#[derive(Debug, Clone, Default)]
pub struct HistoryStep {
    /// When.
    pub time: String,
    /// What happened.
    pub text: String,
    /// The newest.
    pub current: bool,
}

/// GET /portal/{number}.
#[derive(Debug, Template)]
#[template(path = "portal_case.html")]
pub struct PortalCasePage {
    pub page: Page,
    pub t: T,
    /// What has just been done, or empty.
    pub notice: String,
    /// Refusals of an upload or a withdrawal.
    pub errors: Vec<FormError>,
    /// Number of the case.
    pub number: String,
    /// Version of the case, for the withdrawal.
    pub version: i64,
    /// Title of the service.
    pub title: String,
    /// Day of submission.
    pub submitted: String,
    /// State in words.
    pub state: String,
    /// What it means and what comes next.
    pub state_text: String,
    /// Day, or empty.
    pub due: String,
    /// Address of the Bescheid or certificate, or empty.
    pub bescheid_url: String,
    /// "Bescheid herunterladen (PDF, 82 kB)".
    pub bescheid_label: String,
    /// "Bereitgestellt am … . Gilt als bekannt gegeben am …"
    pub bescheid_note: String,
    /// `/pay/{id}` or empty.
    pub pay_url: String,
    /// The proof of the payment, once it is paid.
    pub receipt_url: String,
    /// The copy as PDF, if the reader may see the answers.
    pub copy_url: String,
    /// "25,00 €".
    pub pay_amount: String,
    /// Open items.
    pub wanted: Vec<WantedDocument>,
    /// Day.
    pub wanted_until: String,
    /// Documents of the case.
    pub documents: Vec<DocumentLine>,
    /// Newest first.
    pub history: Vec<HistoryStep>,
    /// Answers (`change` unused).
    pub answers: Vec<ReviewRow>,
    /// Whether it can be withdrawn.
    pub can_withdraw: bool,
}

/// One item of a payment.
#[derive(Debug, Clone, Default)]
pub struct PayItem {
    /// What for.
    pub label: String,
    /// "25,00 €".
    pub amount: String,
}

/// GET /pay/{payment}.
#[derive(Debug, Template)]
#[template(path = "pay.html")]
pub struct PayPage {
    pub page: Page,
    pub t: T,
    /// Id of the payment.
    pub payment_id: String,
    /// Number of the case.
    pub number: String,
    /// Title of the service.
    pub title: String,
    /// The items.
    pub items: Vec<PayItem>,
    /// The sum.
    pub total: String,
    /// "Rechtsgrundlage: …".
    pub basis: String,
    /// Sentence on how the last attempt went, or empty.
    pub outcome: String,
    /// It is paid.
    pub paid: bool,
    /// It is being checked.
    pub pending: bool,
    /// It can be paid (again) now.
    pub payable: bool,
    /// Address of the receipt, or empty.
    pub receipt_url: String,
    /// `/portal/{number}` or `/chat`.
    pub back_url: String,
    /// Its words.
    pub back_label: String,
}

/// GET /demo-bank/{reference}.
#[derive(Debug, Template)]
#[template(path = "demo_bank.html")]
pub struct DemoBankPage {
    pub page: Page,
    pub t: T,
    /// Reference of the order.
    pub reference: String,
    /// "25,00 €".
    pub amount: String,
    /// Purpose.
    pub purpose: String,
    /// Whether it can still be decided.
    pub open: bool,
    /// How it went, if it is decided.
    pub state: String,
    /// Where to go back to.
    pub return_url: String,
}

/// Any plain page: refusal, error, confirmation.
#[derive(Debug, Template)]
#[template(path = "message.html")]
pub struct MessagePage {
    pub page: Page,
    pub t: T,
    /// Heading.
    pub heading: String,
    /// What and the next step.
    pub text: String,
    /// Where to go next, or empty.
    pub next_url: String,
    /// Its words.
    pub next_label: String,
    /// Request id for questions, or empty.
    pub reference: String,
}

/// GET /privacy.
#[derive(Debug, Template)]
#[template(path = "privacy.html")]
pub struct PrivacyPage {
    pub page: Page,
    pub t: T,
    /// Name and address (configuration).
    pub controller: String,
    /// Contact of the data protection officer (configuration).
    pub officer: String,
    /// Supervisory authority (configuration).
    pub authority: String,
    /// What is kept how long (`change` unused).
    pub retention: Vec<ReviewRow>,
    /// This browser has a conversation.
    pub has_conversation: bool,
}

/// GET and POST /accessibility.
#[derive(Debug, Template)]
#[template(path = "accessibility.html")]
pub struct AccessibilityPage {
    pub page: Page,
    pub t: T,
    /// Day of the declaration.
    pub stated_on: String,
    /// Errors (field `barrier`).
    pub errors: Vec<FormError>,
    /// A message has just been sent.
    pub sent: bool,
    /// Fresh ULID.
    pub form_id: String,
    /// What was typed.
    pub barrier: String,
    /// What was typed.
    pub contact: String,
    /// Contact of the Ombudsstelle (configuration).
    pub ombuds_contact: String,
}
