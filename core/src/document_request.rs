//! Document_request: in work.
