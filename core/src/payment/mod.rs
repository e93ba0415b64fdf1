//! Payment: in work.
