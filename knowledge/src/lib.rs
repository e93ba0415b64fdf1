//! The catalogue of services and its search. It knows nothing of conversations or databases.

mod service;

pub use service::*;
