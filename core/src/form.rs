//! Form: in work.
