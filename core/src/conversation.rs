//! Conversation: in work.
