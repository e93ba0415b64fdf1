//! Document: in work.
