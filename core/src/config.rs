//! Config: in work.
