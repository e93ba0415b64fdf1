//! Outbox: in work.
