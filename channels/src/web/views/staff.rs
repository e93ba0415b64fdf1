//! What the templates of the staff desk show (German only).

use askama::Template;

use super::citizen::{Choosable, DocumentLine, FormError, HistoryStep, PlainMessage, ReviewRow};

/// What every staff page needs.
#[derive(Debug, Clone, Default)]
pub struct StaffPage {
    /// Title.
    pub title: String,
    /// Name of the district.
    pub office: String,
    /// Token of the session.
    pub csrf: String,
    /// Hash of the static files.
    pub version: String,
    /// Shown again with errors.
    pub has_errors: bool,
    /// What went wrong; `field` may be empty.
    pub errors: Vec<FormError>,
    /// What has just been done, or empty.
    pub notice: String,
    /// Who is logged in; empty = no menu.
    pub staff_name: String,
    /// May manage accounts.
    pub is_admin: bool,
    /// Current entry of the menu.
    pub in_cases: bool,
    /// Current entry of the menu.
    pub in_chats: bool,
    /// Current entry of the menu.
    pub in_people: bool,
    /// Conversations that wait for a person.
    pub waiting_chats: i64,
}

/// GET /staff/login.
#[derive(Debug, Template)]
#[template(path = "staff/login.html")]
pub struct StaffLoginPage {
    pub page: StaffPage,
    /// What was typed.
    pub name: String,
    /// Path to go to afterwards.
    pub next: String,
}

/// GET /staff/setup/{token}.
#[derive(Debug, Template)]
#[template(path = "staff/setup.html")]
pub struct StaffSetupPage {
    pub page: StaffPage,
    /// The very first account.
    pub first: bool,
    /// "Bearbeiten, Freigeben".
    pub roles: String,
    /// Token of the link.
    pub token: String,
    /// What was typed or known.
    pub display_name: String,
    /// What was typed.
    pub name: String,
    /// Shortest password.
    pub min_password: u32,
    /// `<svg …>` without the XML line, made by the program (not escaped).
    pub qr_svg: String,
    /// The same secret in groups of four.
    pub secret: String,
}

/// A state with its number of cases.
#[derive(Debug, Clone, Default)]
pub struct Tab {
    /// Address with all other filters kept.
    pub url: String,
    /// "Eingegangen".
    pub label: String,
    /// How many.
    pub count: i64,
    /// Chosen.
    pub current: bool,
}

/// A column of the table.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Heading.
    pub label: String,
    /// Address that sorts by it; empty = can't be sorted.
    pub url: String,
    /// `ascending`, `descending` or empty.
    pub sort: String,
}

/// A row of the table.
#[derive(Debug, Clone, Default)]
pub struct InboxRow {
    /// Number.
    pub number: String,
    /// Service.
    pub service: String,
    /// State in words.
    pub state: String,
    /// Its colour.
    pub tone: String,
    /// Day.
    pub submitted: String,
    /// Day, or "keine".
    pub due: String,
    /// Past.
    pub overdue: bool,
    /// Name or empty.
    pub assigned: String,
}

/// GET /staff/cases?state=&number=&service=&who=&sort=&after=.
#[derive(Debug, Template)]
#[template(path = "staff/inbox.html")]
pub struct InboxPage {
    pub page: StaffPage,
    /// All states with counts.
    pub tabs: Vec<Tab>,
    /// Value of the chosen state.
    pub state: String,
    /// What was typed.
    pub number: String,
    /// The services.
    pub services: Vec<Choosable>,
    /// anybody / nobody / me / colleagues.
    pub who: Vec<Choosable>,
    /// "23 Vorgänge, früheste Frist zuerst".
    pub caption: String,
    /// Exactly six: number, service, state, submitted, due, assigned.
    pub columns: Vec<Column>,
    /// One page.
    pub rows: Vec<InboxRow>,
    /// Next page, or empty.
    pub next_url: String,
}

/// An item of a Nachforderung.
#[derive(Debug, Clone, Default)]
pub struct RequestedItem {
    /// Row id.
    pub id: String,
    /// What.
    pub label: String,
    /// Why.
    pub reason: String,
    /// State in words.
    pub state: String,
    /// Its colour.
    pub tone: String,
    /// Delivered document, or empty.
    pub document_url: String,
    /// Its name.
    pub document_name: String,
    /// Delivered and not judged.
    pub can_judge: bool,
}

/// A note.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// The words.
    pub text: String,
    /// Who.
    pub author: String,
    /// When.
    pub time: String,
}

/// GET /staff/case/{number}.
#[derive(Debug, Default, Template)]
#[template(path = "staff/case.html")]
pub struct StaffCasePage {
    pub page: StaffPage,
    /// The list that the reader works through.
    pub list_url: String,
    /// The next case of that list.
    pub next_url: String,
    /// Number.
    pub number: String,
    /// Version for every form.
    pub version: i64,
    /// Service.
    pub service: String,
    /// State in words.
    pub state: String,
    /// Its colour.
    pub tone: String,
    /// Day and time.
    pub submitted: String,
    /// Day or empty.
    pub due: String,
    /// Past.
    pub overdue: bool,
    /// Name or empty.
    pub assigned: String,
    /// "T2 substantiell".
    pub trust: String,
    /// "Deutsch".
    pub language: String,
    /// "25,00 €, bezahlt am …" or empty.
    pub payment: String,
    /// Answers.
    pub answers: Vec<ReviewRow>,
    /// Documents.
    pub documents: Vec<DocumentLine>,
    /// "Mietvertrag, Ausweis" or empty.
    pub later_documents: String,
    /// Items of the newest Nachforderung.
    pub requested: Vec<RequestedItem>,
    /// Its deadline.
    pub requested_until: String,
    /// Notes, newest first.
    pub notes: Vec<Note>,
    /// Newest first.
    pub history: Vec<HistoryStep>,
    /// What is to be done now, one sentence.
    pub next_step: String,
    pub can_take: bool,
    pub can_complete: bool,
    pub can_draft: bool,
    /// A draft exists.
    pub has_draft: bool,
    pub can_approve: bool,
    /// Whole hash of the draft's bytes.
    pub draft_hash: String,
    /// First 12 characters.
    pub draft_hash_short: String,
    /// Who wrote it.
    pub drafted_by: String,
    pub can_send: bool,
    pub can_close: bool,
    pub can_request: bool,
    /// Show that form open (after an error).
    pub request_open: bool,
    /// Documents of the service.
    pub requestable: Vec<Choosable>,
    /// "14".
    pub default_days: u32,
    pub can_forward: bool,
    /// Acts that end the case or free it from its fee.
    pub settlements: Vec<Settlement>,
    /// `/staff/chat/{id}` or empty.
    pub conversation_url: String,
}

/// An act that ends a case, or frees it from its fee.
#[derive(Debug, Clone, Default)]
pub struct Settlement {
    /// Its word in the form.
    pub word: String,
    /// What it is.
    pub title: String,
    /// What it does.
    pub effect: String,
    /// What the reason must say.
    pub question: String,
    /// Shown open (after an error).
    pub open: bool,
    /// The reason as typed.
    pub remark: String,
}

/// A reason block.
#[derive(Debug, Clone, Default)]
pub struct ReasonBlock {
    /// Its id; the text is sent as `text-{id}`.
    pub id: String,
    /// Short name.
    pub label: String,
    /// The text, as edited.
    pub text: String,
    /// Paragraph or empty.
    pub source: String,
    /// Chosen.
    pub checked: bool,
}

/// GET /staff/case/{number}/draft.
#[derive(Debug, Template)]
#[template(path = "staff/draft.html")]
pub struct DraftPage {
    pub page: StaffPage,
    /// Number.
    pub number: String,
    /// Version of the case.
    pub version: i64,
    /// Service.
    pub service: String,
    /// Why it was sent back, or empty.
    pub sent_back: String,
    /// granted / partly / refused.
    pub outcomes: Vec<Choosable>,
    /// Reason blocks.
    pub blocks: Vec<ReasonBlock>,
    /// Free text.
    pub free: String,
    /// Fee, remedy, signature: what the program adds.
    pub fixed: Vec<ReviewRow>,
    /// Version of the saved draft, 0 without one.
    pub seen: i64,
    /// What somebody else has saved meanwhile.
    pub other: Option<OtherDraft>,
}

/// A draft that somebody else has saved.
#[derive(Debug, Clone, Default)]
pub struct OtherDraft {
    /// Who.
    pub author: String,
    /// Day and time.
    pub time: String,
    /// Its text.
    pub paragraphs: Vec<String>,
}

/// A conversation in a list.
#[derive(Debug, Clone, Default)]
pub struct ChatLine {
    /// Conversation id.
    pub id: String,
    /// Service or "Allgemeine Frage".
    pub topic: String,
    /// The last words of the citizen, shortened.
    pub last_words: String,
    /// "4 Minuten".
    pub waiting: String,
    /// "Deutsch".
    pub language: String,
    /// "Web-Chat".
    pub channel: String,
    /// Accessibility wishes, or empty.
    pub wishes: String,
}

/// GET /staff/chats.
#[derive(Debug, Template)]
#[template(path = "staff/chats.html")]
pub struct ChatsPage {
    pub page: StaffPage,
    /// Longest waiting first.
    pub waiting: Vec<ChatLine>,
    /// Taken by me.
    pub mine: Vec<ChatLine>,
    /// Left outside office hours.
    pub tickets: Vec<ChatLine>,
}

/// GET /staff/chat/{id}.
#[derive(Debug, Template)]
#[template(path = "staff/chat.html")]
pub struct StaffChatPage {
    pub page: StaffPage,
    /// Conversation id.
    pub id: String,
    /// Service or "Allgemeine Frage".
    pub topic: String,
    /// Oldest first.
    pub messages: Vec<PlainMessage>,
    /// Whether I answer here.
    pub is_mine: bool,
    /// Whether it can be taken.
    pub can_take: bool,
    /// "Wartet auf einen Menschen", "Frau Beispiel antwortet".
    pub owner: String,
    /// Open step, filled slots, misunderstandings, wishes.
    pub known: Vec<ReviewRow>,
    /// Fresh ULID.
    pub form_id: String,
    /// What was typed.
    pub text: String,
    /// "Deutsch".
    pub answer_language: String,
    /// Longest text.
    pub max_length: u32,
}

/// An account.
#[derive(Debug, Clone, Default)]
pub struct AccountLine {
    /// Its id.
    pub id: String,
    /// Shown name.
    pub display_name: String,
    /// Login name.
    pub name: String,
    /// "Bearbeiten, Freigeben".
    pub roles: String,
    /// Day or "noch nie".
    pub last_seen: String,
    /// Not locked.
    pub active: bool,
    /// Not my own.
    pub can_change: bool,
}

/// GET /staff/people.
#[derive(Debug, Template)]
#[template(path = "staff/people.html")]
pub struct PeoplePage {
    pub page: StaffPage,
    /// The accounts.
    pub people: Vec<AccountLine>,
    /// Link of a fresh invitation, or empty.
    pub invite_url: String,
    /// For whom.
    pub invite_for: String,
    /// "bis 21. November 2026, 10:00 Uhr".
    pub invite_until: String,
}
