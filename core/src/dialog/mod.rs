//! Dialog: in work.
