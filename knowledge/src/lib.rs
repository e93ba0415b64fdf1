//! The catalogue of services, its check and its search. It knows nothing of conversations or databases.

mod catalogue;
mod check;
mod office;
mod service;

pub use catalogue::{Catalogue, Sources};
pub use check::{Finding, Severity, check_file, check_sources};
pub use office::{OfficeUnit, Offices};
pub use service::*;
