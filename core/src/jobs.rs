//! Jobs: in work.
