//! Texts: in work.
