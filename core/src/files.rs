//! Files: in work.
