//! Permission: in work.
