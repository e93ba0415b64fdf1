//! The states of a payment and the ONE table of what may happen in them (`administration.md` section 2).
//! Pure: no database, no provider. What is not listed in [`next`] changes nothing.

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentState {
    /// Known here, nobody has asked to pay yet.
    Created,
    /// It has a request id, stored before any call: the same request can be repeated safely.
    KeySet,
    /// The provider is being called, or the program stopped while it was; set before the call.
    Requested,
    /// The provider has answered with a page to pay on.
    Redirected,
    /// The outcome is not known yet.
    Pending,
    /// Paid.
    Paid,
    /// Cancelled by the payer.
    Cancelled,
    /// The page to pay on has expired.
    Expired,
    /// Refused by the provider.
    Failed,
    /// Paid, but not owed: a person confirms the refund.
    RefundRequested,
    /// Given back.
    Refunded,
}

impl PaymentState {
    /// All states.
    pub const ALL: [Self; 11] = [
        Self::Created,
        Self::KeySet,
        Self::Requested,
        Self::Redirected,
        Self::Pending,
        Self::Paid,
        Self::Cancelled,
        Self::Expired,
        Self::Failed,
        Self::RefundRequested,
        Self::Refunded,
    ];

    /// The word in the database and in audit records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::KeySet => "key_set",
            Self::Requested => "requested",
            Self::Redirected => "redirected",
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::RefundRequested => "refund_requested",
            Self::Refunded => "refunded",
        }
    }

    /// The state for the word in the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the money has come in, also where it goes back.
    pub fn has_money(self) -> bool {
        matches!(self, Self::Paid | Self::RefundRequested | Self::Refunded)
    }

    /// Key of the sentence that tells the payer how it went.
    pub fn text_key(self) -> &'static str {
        match self {
            Self::Created | Self::KeySet => "payment.open",
            Self::Requested | Self::Redirected | Self::Pending => "payment.pending",
            Self::Paid => "payment.paid",
            Self::Cancelled => "payment.cancelled",
            Self::Expired => "payment.expired",
            Self::Failed => "payment.failed",
            Self::RefundRequested => "payment.refund_requested",
            Self::Refunded => "payment.refunded",
        }
    }
}

/// What a provider says about one request when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderAnswer {
    /// It does not know the request, gave no answer, or one that is not known here.
    Unknown,
    /// The payer has not finished.
    Open,
    /// Paid.
    Paid,
    /// Cancelled by the payer.
    Cancelled,
    /// The page has expired.
    Expired,
    /// Refused.
    Failed,
}

impl ProviderAnswer {
    /// All answers.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Open, Self::Paid, Self::Cancelled, Self::Expired, Self::Failed];

    /// The word in the database and in audit records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}

/// What happens to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentEvent {
    /// It gets its first request id.
    SetKey,
    /// The provider is about to be called.
    Request,
    /// The provider has given a page to pay on.
    Redirect,
    /// The provider was asked about the newest request. `Paid` counts for an older one too.
    Answer(ProviderAnswer),
    /// The payer tries again: a new request id.
    Retry,
    /// The money is to go back.
    RequestRefund,
    /// A person has confirmed the refund.
    Refund,
}

impl PaymentEvent {
    /// The word in audit records (`payment.<word>`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetKey => "set_key",
            Self::Request => "request",
            Self::Redirect => "redirect",
            Self::Answer(ProviderAnswer::Unknown | ProviderAnswer::Open) => "pending",
            Self::Answer(answer) => answer.as_str(),
            Self::Retry => "retry",
            Self::RequestRefund => "request_refund",
            Self::Refund => "refund",
        }
    }
}

/// The table: where `event` leads from `state`; `None` where it leads nowhere. A late success turns
/// cancelled, expired and failed into paid, also after a new request has begun; money that has come in is
/// never forgotten because of a later answer.
pub fn next(state: PaymentState, event: PaymentEvent) -> Option<PaymentState> {
    use PaymentEvent as E;
    use PaymentState as S;
    use ProviderAnswer as A;
    match (state, event) {
        (S::Created, E::SetKey) | (S::Cancelled | S::Expired | S::Failed, E::Retry) => Some(S::KeySet),
        (S::KeySet, E::Request) => Some(S::Requested),
        (S::Requested, E::Redirect) => Some(S::Redirected),
        (S::Requested, E::Answer(A::Open)) | (S::Redirected, E::Answer(A::Open | A::Unknown)) => {
            Some(S::Pending)
        }
        (
            S::KeySet | S::Requested | S::Redirected | S::Pending | S::Cancelled | S::Expired | S::Failed,
            E::Answer(A::Paid),
        ) => Some(S::Paid),
        (S::Requested | S::Redirected | S::Pending, E::Answer(A::Cancelled)) => Some(S::Cancelled),
        (S::Requested | S::Redirected | S::Pending, E::Answer(A::Expired)) => Some(S::Expired),
        (S::Requested | S::Redirected | S::Pending, E::Answer(A::Failed)) => Some(S::Failed),
        (S::Paid, E::RequestRefund) => Some(S::RefundRequested),
        (S::RefundRequested, E::Refund) => Some(S::Refunded),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::PaymentEvent::{Answer, Redirect, Refund, Request, RequestRefund, Retry, SetKey};
    use super::PaymentState::{
        Cancelled, Created, Expired, Failed, KeySet, Paid, Pending, Redirected, RefundRequested, Refunded,
        Requested,
    };
    use super::*;

    const EDGES: [(PaymentState, PaymentEvent, PaymentState); 27] = [
        (Created, SetKey, KeySet),
        (KeySet, Request, Requested),
        (Requested, Redirect, Redirected),
        (Requested, Answer(ProviderAnswer::Open), Pending),
        (Redirected, Answer(ProviderAnswer::Open), Pending),
        (Redirected, Answer(ProviderAnswer::Unknown), Pending),
        // Each outcome from each state in which the newest request is running.
        (Requested, Answer(ProviderAnswer::Paid), Paid),
        (Redirected, Answer(ProviderAnswer::Paid), Paid),
        (Pending, Answer(ProviderAnswer::Paid), Paid),
        (Requested, Answer(ProviderAnswer::Cancelled), Cancelled),
        (Redirected, Answer(ProviderAnswer::Cancelled), Cancelled),
        (Pending, Answer(ProviderAnswer::Cancelled), Cancelled),
        (Requested, Answer(ProviderAnswer::Expired), Expired),
        (Redirected, Answer(ProviderAnswer::Expired), Expired),
        (Pending, Answer(ProviderAnswer::Expired), Expired),
        (Requested, Answer(ProviderAnswer::Failed), Failed),
        (Redirected, Answer(ProviderAnswer::Failed), Failed),
        (Pending, Answer(ProviderAnswer::Failed), Failed),
        // Late success.
        (KeySet, Answer(ProviderAnswer::Paid), Paid),
        (Cancelled, Answer(ProviderAnswer::Paid), Paid),
        (Expired, Answer(ProviderAnswer::Paid), Paid),
        (Failed, Answer(ProviderAnswer::Paid), Paid),
        // Again.
        (Cancelled, Retry, KeySet),
        (Expired, Retry, KeySet),
        (Failed, Retry, KeySet),
        // Back.
        (Paid, RequestRefund, RefundRequested),
        (RefundRequested, Refund, Refunded),
    ];

    #[test]
    fn every_state_meets_every_event() {
        let mut events = vec![SetKey, Request, Redirect, Retry, RequestRefund, Refund];
        events.extend(ProviderAnswer::ALL.map(Answer));
        for state in PaymentState::ALL {
            for event in &events {
                let expected =
                    EDGES.iter().find(|edge| edge.0 == state && edge.1 == *event).map(|edge| edge.2);
                assert_eq!(next(state, *event), expected, "{state:?} × {event:?}");
            }
        }
    }

    #[test]
    fn words_are_read_back() {
        for state in PaymentState::ALL {
            assert_eq!(PaymentState::parse(state.as_str()), Some(state));
        }
        assert!(Refunded.has_money() && !Created.has_money());
    }
}
