//! Person: in work.
