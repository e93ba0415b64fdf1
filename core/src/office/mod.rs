//! Office: in work.
