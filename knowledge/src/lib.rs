//! The catalogue of services, its check and its search. It knows nothing of conversations or databases.

mod catalogue;
mod check;
mod index;
mod office;
mod service;

pub use catalogue::{Catalogue, Sources};
pub use check::{Finding, Severity, check_file, check_sources};
pub use index::{Hit, Index, IndexError, Match};
pub use office::{OfficeUnit, Offices};
pub use service::*;
