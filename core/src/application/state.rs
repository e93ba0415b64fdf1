//! The states of an application and the ONE table of what may happen in them, with who may let it happen
//! (`administration.md` section 2). Pure: nothing here reads or writes a database, and what is not listed in
//! [`next`] does not happen.

use crate::audit::Actor;
use crate::id::StaffId;

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Being filled in; drafts are stored elsewhere, the state is the beginning of the table.
    Draft,
    /// Sent by the applicant.
    Submitted,
    /// Received by the office, whatever it lacks (§ 24(3) VwVfG).
    Received,
    /// The fee is due before the work begins.
    AwaitingPayment,
    /// Somebody checks whether all is there.
    CompletenessCheck,
    /// The office waits for documents (Nachforderung).
    DocumentsRequested,
    /// All is there; nobody works on it yet.
    Complete,
    /// A clerk works on it.
    InProgress,
    /// The applicant is heard (Anhörung).
    Hearing,
    /// A drafted decision waits for approval.
    InApproval,
    /// The approver has asked the clerk something.
    Query,
    /// A person has decided.
    Decided,
    /// The decision counts as delivered.
    Delivered,
    /// A remedy (Klage, Widerspruch) is running.
    Remedy,
    /// The decision can't be challenged any more.
    Final,
    /// Finished.
    Closed,
    /// The retention period is over; the archive has been asked.
    ArchiveReady,
    /// The personal data have been destroyed.
    Erased,
    /// Taken back by the applicant.
    Withdrawn,
    /// Handed to the competent office; the arrival stamp stays (§ 16(2) SGB I).
    Forwarded,
    /// Settled without a decision (Erledigung).
    Moot,
}

impl State {
    /// All states, in the order of the procedure.
    pub const ALL: [Self; 21] = [
        Self::Draft,
        Self::Submitted,
        Self::Received,
        Self::AwaitingPayment,
        Self::CompletenessCheck,
        Self::DocumentsRequested,
        Self::Complete,
        Self::InProgress,
        Self::Hearing,
        Self::InApproval,
        Self::Query,
        Self::Decided,
        Self::Delivered,
        Self::Remedy,
        Self::Final,
        Self::Closed,
        Self::ArchiveReady,
        Self::Erased,
        Self::Withdrawn,
        Self::Forwarded,
        Self::Moot,
    ];

    /// The word in the database and in audit records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Received => "received",
            Self::AwaitingPayment => "awaiting_payment",
            Self::CompletenessCheck => "completeness_check",
            Self::DocumentsRequested => "documents_requested",
            Self::Complete => "complete",
            Self::InProgress => "in_progress",
            Self::Hearing => "hearing",
            Self::InApproval => "in_approval",
            Self::Query => "query",
            Self::Decided => "decided",
            Self::Delivered => "delivered",
            Self::Remedy => "remedy",
            Self::Final => "final",
            Self::Closed => "closed",
            Self::ArchiveReady => "archive_ready",
            Self::Erased => "erased",
            Self::Withdrawn => "withdrawn",
            Self::Forwarded => "forwarded",
            Self::Moot => "moot",
        }
    }

    /// The state for the word in the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the procedure is still before its decision: withdrawing and settling are possible.
    pub fn is_before_decision(self) -> bool {
        matches!(
            self,
            Self::Draft
                | Self::Submitted
                | Self::Received
                | Self::AwaitingPayment
                | Self::CompletenessCheck
                | Self::DocumentsRequested
                | Self::Complete
                | Self::InProgress
                | Self::Hearing
                | Self::InApproval
                | Self::Query
        )
    }

    /// From `received` to `in_progress`: the application can still be handed to another office.
    fn can_be_forwarded(self) -> bool {
        matches!(
            self,
            Self::Received
                | Self::AwaitingPayment
                | Self::CompletenessCheck
                | Self::DocumentsRequested
                | Self::Complete
                | Self::InProgress
        )
    }
}

/// Who lets something happen, as far as the table tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventActor {
    /// The applicant, with or without a login.
    Person,
    /// A named member of staff.
    Staff,
    /// The program: timers, the payment provider, rules.
    System,
}

impl EventActor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Person, Self::Staff, Self::System];
}

impl From<&Actor> for EventActor {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Anonymous(_) | Actor::Person(_) => Self::Person,
            Actor::Staff(_) => Self::Staff,
            Actor::System(_) => Self::System,
        }
    }
}

/// Proof that a named person decided on these bytes in this role. It can't be made by parts: see
/// [`Self::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionEvidence {
    staff: StaffId,
    role: String,
    sha256: String,
}

impl DecisionEvidence {
    /// The one function that sets an application to decided: without its value [`Event::Decide`] can't be
    /// made. It is called only with a named member of staff who has just confirmed the decision with a second
    /// factor (step-up) for the letter with this `sha256` (hexadecimal), in this `role`. No machine decides
    /// (`law.md` section 6): no timer, rule or job may call it.
    pub fn new(staff: StaffId, role: String, sha256: String) -> Self {
        Self { staff, role, sha256 }
    }

    /// Who decided.
    pub fn staff(&self) -> &StaffId {
        &self.staff
    }

    /// In which role.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// SHA-256 of the decided letter, hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// What happens to an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The applicant sends it.
    Submit,
    /// The office receives it, unconditionally and in the same transaction.
    Receive,
    /// A fee is due before the work begins.
    FeeDue,
    /// The provider says that the fee is paid.
    Paid,
    /// The fee is waived.
    Waive,
    /// The check begins at once.
    StartCheck,
    /// Documents are asked for (opens a Nachforderung).
    RequestDocuments,
    /// All documents asked for have been supplied.
    Fulfilled,
    /// The deadline for documents has passed; this never rejects.
    Expired,
    /// All is there; the period of § 42a VwVfG starts.
    Complete,
    /// A clerk begins.
    Take,
    /// The applicant is to be heard (Anhörung).
    Hear,
    /// The applicant has answered.
    HearingAnswered,
    /// The deadline of the hearing has passed.
    HearingExpired,
    /// A decision is drafted: bytes frozen, hash stored.
    ProposeDecision,
    /// The approver asks something.
    Query,
    /// The clerk has answered the approver.
    Answer,
    /// The approver sends it back; all approvals are reset.
    SendBack,
    /// The drafted bytes have changed; all approvals are reset.
    NewBytes,
    /// People decide.
    Decide(DecisionEvidence),
    /// The service has been rendered; only for services without a decision.
    ServiceRendered,
    /// The day of delivery is reached, as the delivery events say.
    DeemedDelivered,
    /// The delivery no longer counts (returned, disputed).
    DeliveryLost,
    /// A remedy has arrived.
    RemedyReceived,
    /// The remedy was rejected.
    RemedyRejected,
    /// The remedy was granted; the work begins anew.
    RemedyGranted,
    /// A person confirms that the decision is final; never a timer alone.
    ConfirmFinal,
    /// A person closes the case.
    Close,
    /// The retention period is over.
    RetentionOver,
    /// The archive has taken it or declined; the personal data are destroyed.
    Erase,
    /// The applicant takes the application back.
    Withdraw,
    /// Another office is competent.
    NotCompetent,
    /// Settled without a decision.
    Moot,
}

impl Event {
    /// The word in audit records (`application.<word>`).
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Receive => "receive",
            Self::FeeDue => "fee_due",
            Self::Paid => "paid",
            Self::Waive => "waive",
            Self::StartCheck => "start_check",
            Self::RequestDocuments => "request_documents",
            Self::Fulfilled => "fulfilled",
            Self::Expired => "expired",
            Self::Complete => "complete",
            Self::Take => "take",
            Self::Hear => "hear",
            Self::HearingAnswered => "hearing_answered",
            Self::HearingExpired => "hearing_expired",
            Self::ProposeDecision => "propose_decision",
            Self::Query => "query",
            Self::Answer => "answer",
            Self::SendBack => "send_back",
            Self::NewBytes => "new_bytes",
            Self::Decide(_) => "decide",
            Self::ServiceRendered => "service_rendered",
            Self::DeemedDelivered => "deemed_delivered",
            Self::DeliveryLost => "delivery_lost",
            Self::RemedyReceived => "remedy_received",
            Self::RemedyRejected => "remedy_rejected",
            Self::RemedyGranted => "remedy_granted",
            Self::ConfirmFinal => "confirm_final",
            Self::Close => "close",
            Self::RetentionOver => "retention_over",
            Self::Erase => "erase",
            Self::Withdraw => "withdraw",
            Self::NotCompetent => "not_competent",
            Self::Moot => "moot",
        }
    }

    /// Who may let it happen. A person's events are never the program's, and the other way round.
    pub fn actors(&self) -> &'static [EventActor] {
        use EventActor::{Person, Staff, System};
        match self {
            Self::Submit => &[Person],
            Self::Receive
            | Self::FeeDue
            | Self::Paid
            | Self::StartCheck
            | Self::Fulfilled
            | Self::Expired
            | Self::HearingExpired
            | Self::DeemedDelivered
            | Self::DeliveryLost
            | Self::RetentionOver => &[System],
            Self::Complete | Self::NewBytes | Self::ServiceRendered | Self::Erase => &[Staff, System],
            Self::HearingAnswered => &[Person, System],
            Self::Withdraw => &[Person, Staff],
            Self::Waive
            | Self::RequestDocuments
            | Self::Take
            | Self::Hear
            | Self::ProposeDecision
            | Self::Query
            | Self::Answer
            | Self::SendBack
            | Self::Decide(_)
            | Self::RemedyReceived
            | Self::RemedyRejected
            | Self::RemedyGranted
            | Self::ConfirmFinal
            | Self::Close
            | Self::NotCompetent
            | Self::Moot => &[Staff],
        }
    }
}

/// An event that is not in the table for a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Where the application stands, and stays.
    pub state: State,
    /// Word of the event.
    pub event: &'static str,
}

/// The table: where `event` leads from `state`. What is not listed is refused.
pub fn next(state: State, event: &Event) -> Result<State, Refused> {
    use State as S;
    match (state, event) {
        (S::Draft, Event::Submit) => Ok(S::Submitted),
        (S::Submitted, Event::Receive) => Ok(S::Received),
        (S::Received, Event::FeeDue) => Ok(S::AwaitingPayment),
        (S::AwaitingPayment, Event::Paid | Event::Waive)
        | (S::Received, Event::StartCheck)
        | (S::DocumentsRequested, Event::Fulfilled | Event::Expired) => Ok(S::CompletenessCheck),
        (S::CompletenessCheck, Event::RequestDocuments) => Ok(S::DocumentsRequested),
        (S::CompletenessCheck, Event::Complete) => Ok(S::Complete),
        (S::Complete, Event::Take)
        | (S::Hearing, Event::HearingAnswered | Event::HearingExpired)
        | (S::InApproval | S::Query, Event::SendBack | Event::NewBytes)
        | (S::Remedy, Event::RemedyGranted) => Ok(S::InProgress),
        (S::InProgress, Event::Hear) => Ok(S::Hearing),
        (S::InProgress, Event::ProposeDecision) | (S::Query, Event::Answer) => Ok(S::InApproval),
        (S::InApproval, Event::Query) => Ok(S::Query),
        (S::InApproval, Event::Decide(_)) | (S::Delivered, Event::DeliveryLost) => Ok(S::Decided),
        (S::Decided, Event::DeemedDelivered) | (S::Remedy, Event::RemedyRejected) => Ok(S::Delivered),
        (S::Delivered, Event::RemedyReceived) => Ok(S::Remedy),
        (S::Delivered, Event::ConfirmFinal) => Ok(S::Final),
        (S::InProgress, Event::ServiceRendered) | (S::Final | S::Delivered, Event::Close) => Ok(S::Closed),
        (S::Closed, Event::RetentionOver) => Ok(S::ArchiveReady),
        (S::ArchiveReady, Event::Erase) => Ok(S::Erased),
        (from, Event::Withdraw) if from.is_before_decision() => Ok(S::Withdrawn),
        (from, Event::Moot) if from.is_before_decision() => Ok(S::Moot),
        (from, Event::NotCompetent) if from.can_be_forwarded() => Ok(S::Forwarded),
        (state, event) => Err(Refused { state, event: event.as_str() }),
    }
}

/// Keys of two sentences for the applicant: what the state means, and who acts next.
pub fn status_text_key(state: State) -> (&'static str, &'static str) {
    match state {
        State::Draft => ("status.draft", "status_next.draft"),
        State::Submitted => ("status.submitted", "status_next.submitted"),
        State::Received => ("status.received", "status_next.received"),
        State::AwaitingPayment => ("status.awaiting_payment", "status_next.awaiting_payment"),
        State::CompletenessCheck => ("status.completeness_check", "status_next.completeness_check"),
        State::DocumentsRequested => ("status.documents_requested", "status_next.documents_requested"),
        State::Complete => ("status.complete", "status_next.complete"),
        State::InProgress => ("status.in_progress", "status_next.in_progress"),
        State::Hearing => ("status.hearing", "status_next.hearing"),
        State::InApproval => ("status.in_approval", "status_next.in_approval"),
        State::Query => ("status.query", "status_next.query"),
        State::Decided => ("status.decided", "status_next.decided"),
        State::Delivered => ("status.delivered", "status_next.delivered"),
        State::Remedy => ("status.remedy", "status_next.remedy"),
        State::Final => ("status.final", "status_next.final"),
        State::Closed => ("status.closed", "status_next.closed"),
        State::ArchiveReady => ("status.archive_ready", "status_next.archive_ready"),
        State::Erased => ("status.erased", "status_next.erased"),
        State::Withdrawn => ("status.withdrawn", "status_next.withdrawn"),
        State::Forwarded => ("status.forwarded", "status_next.forwarded"),
        State::Moot => ("status.moot", "status_next.moot"),
    }
}
