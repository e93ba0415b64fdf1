//! The two machines of a request for documents (`administration.md` section 2): the request, and each item
//! in it. Pure tables; what is not listed does not happen.

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestState {
    /// Being written; a request is stored only when it is sent.
    Draft,
    /// Sent, nothing has come yet.
    Sent,
    /// Something has come, something is still missing.
    Partial,
    /// All has come.
    Fulfilled,
    /// The deadline has passed; this rejects nothing.
    Expired,
    /// The deadline is being moved; leads to `Sent` at once.
    Extended,
    /// No longer needed, because the application has ended.
    Closed,
}

impl RequestState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Sent,
        Self::Partial,
        Self::Fulfilled,
        Self::Expired,
        Self::Extended,
        Self::Closed,
    ];

    /// The word in the database and in audit records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::Partial => "partial",
            Self::Fulfilled => "fulfilled",
            Self::Expired => "expired",
            Self::Extended => "extended",
            Self::Closed => "closed",
        }
    }

    /// The state for the word in the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether documents are awaited.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Sent | Self::Partial)
    }
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestEvent {
    /// It goes out.
    Send,
    /// Something has come, but not all.
    Deliver,
    /// All has come.
    Fulfil,
    /// The deadline has passed.
    Expire,
    /// A person moves the deadline, also after it has passed (§ 31(7) VwVfG).
    Extend,
    /// The application has ended.
    Close,
}

impl RequestEvent {
    /// All events.
    pub const ALL: [Self; 6] =
        [Self::Send, Self::Deliver, Self::Fulfil, Self::Expire, Self::Extend, Self::Close];

    /// The word in audit records (`document_request.<word>`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Deliver => "deliver",
            Self::Fulfil => "fulfil",
            Self::Expire => "expire",
            Self::Extend => "extend",
            Self::Close => "close",
        }
    }
}

/// The table of requests: where `event` leads from `state`; `None` where it leads nowhere.
pub fn next_request(state: RequestState, event: RequestEvent) -> Option<RequestState> {
    use RequestEvent as E;
    use RequestState as S;
    match (state, event) {
        (S::Draft | S::Extended, E::Send) => Some(S::Sent),
        (S::Sent, E::Deliver) => Some(S::Partial),
        (S::Sent | S::Partial, E::Fulfil) => Some(S::Fulfilled),
        (S::Sent | S::Partial, E::Expire) => Some(S::Expired),
        (S::Sent | S::Partial | S::Expired, E::Extend) => Some(S::Extended),
        (S::Draft | S::Sent | S::Partial | S::Expired | S::Extended, E::Close) => Some(S::Closed),
        _ => None,
    }
}

/// Where one item of a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemState {
    /// Awaited.
    Open,
    /// A document has come; nobody has looked at it yet.
    Delivered,
    /// A person has accepted it.
    Accepted,
    /// A person has rejected it, with a reason.
    Rejected,
}

impl ItemState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Delivered, Self::Accepted, Self::Rejected];

    /// The word in the database and in audit records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Delivered => "delivered",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    /// The state for the word in the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether a document is missing.
    pub fn is_missing(self) -> bool {
        matches!(self, Self::Open | Self::Rejected)
    }
}

/// What happens to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemEvent {
    /// A document comes.
    Deliver,
    /// A person accepts it.
    Accept,
    /// A person rejects it.
    Reject,
    /// It is awaited again.
    Reopen,
}

impl ItemEvent {
    /// All events.
    pub const ALL: [Self; 4] = [Self::Deliver, Self::Accept, Self::Reject, Self::Reopen];

    /// The word in audit records (`document_request.item_<word>`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "item_deliver",
            Self::Accept => "item_accept",
            Self::Reject => "item_reject",
            Self::Reopen => "item_reopen",
        }
    }
}

/// The table of items: where `event` leads from `state`; `None` where it leads nowhere.
pub fn next_item(state: ItemState, event: ItemEvent) -> Option<ItemState> {
    match (state, event) {
        (ItemState::Open, ItemEvent::Deliver) => Some(ItemState::Delivered),
        (ItemState::Delivered, ItemEvent::Accept) => Some(ItemState::Accepted),
        (ItemState::Delivered, ItemEvent::Reject) => Some(ItemState::Rejected),
        (ItemState::Rejected, ItemEvent::Reopen) => Some(ItemState::Open),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_state_meets_every_event() {
        use RequestState::{Closed, Draft, Expired, Extended, Fulfilled, Partial, Sent};
        // Columns: send, deliver, fulfil, expire, extend, close.
        let table = [
            (Draft, [Some(Sent), None, None, None, None, Some(Closed)]),
            (Sent, [None, Some(Partial), Some(Fulfilled), Some(Expired), Some(Extended), Some(Closed)]),
            (Partial, [None, None, Some(Fulfilled), Some(Expired), Some(Extended), Some(Closed)]),
            (Fulfilled, [None; 6]),
            (Expired, [None, None, None, None, Some(Extended), Some(Closed)]),
            (Extended, [Some(Sent), None, None, None, None, Some(Closed)]),
            (Closed, [None; 6]),
        ];
        assert_eq!(table.map(|row| row.0), RequestState::ALL);
        for (state, row) in table {
            for (event, expected) in RequestEvent::ALL.into_iter().zip(row) {
                assert_eq!(next_request(state, event), expected, "{state:?} × {event:?}");
            }
            assert_eq!(RequestState::parse(state.as_str()), Some(state));
        }
    }

    #[test]
    fn every_item_state_meets_every_event() {
        use ItemState::{Accepted, Delivered, Open, Rejected};
        // Columns: deliver, accept, reject, reopen.
        let table = [
            (Open, [Some(Delivered), None, None, None]),
            (Delivered, [None, Some(Accepted), Some(Rejected), None]),
            (Accepted, [None; 4]),
            (Rejected, [None, None, None, Some(Open)]),
        ];
        assert_eq!(table.map(|row| row.0), ItemState::ALL);
        for (state, row) in table {
            for (event, expected) in ItemEvent::ALL.into_iter().zip(row) {
                assert_eq!(next_item(state, event), expected, "{state:?} × {event:?}");
            }
            assert_eq!(ItemState::parse(state.as_str()), Some(state));
        }
    }
}
