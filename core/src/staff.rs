//! Staff: in work.
