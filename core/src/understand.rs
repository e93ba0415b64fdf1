//! Understand: in work.
