//! Bescheid: in work.
