//! The catalogue of services, its check and its search. It knows nothing of conversations or databases.

mod article;
mod catalogue;
mod check;
mod office;
mod search;
mod service;

pub use article::{Article, Glossary, Term};
pub use catalogue::{Catalogue, Sources};
pub use check::{Finding, Severity, check_file, check_sources};
pub use office::{Municipality, OfficeUnit, Offices};
pub use search::{ANSWERS, Found, Record, RecordKind, Search, SearchError};
pub use service::*;
