//! Session: in work.
