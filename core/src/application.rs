//! Application: in work.
