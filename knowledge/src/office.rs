//! The units of the district with address, telephone and hours, as `knowledge/offices.toml` states them.
//! What is not known is absent: nothing here is ever filled in by the program.

use serde::{Deserialize, Serialize};

/// One unit that is responsible for services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeUnit {
    /// Id that services name as `unit`.
    pub id: String,
    /// Name as on the door sign, with the number of the Amt.
    pub name: String,
    /// It does not belong to the district: services of stage `referral` point at it.
    #[serde(default)]
    pub external: bool,
    /// Where it is; absent = not known.
    #[serde(default)]
    pub address: Option<String>,
    /// Telephone number; absent = not known.
    #[serde(default)]
    pub phone: Option<String>,
    /// Opening hours in words; absent = not known.
    #[serde(default)]
    pub hours: Option<String>,
    /// Day on which a person compared the entry with its source, ISO 8601.
    pub checked_on: String,
    /// Where the entry was found.
    pub source: String,
    /// Not confirmed by a person yet: citizens are told to ask the office.
    #[serde(default)]
    pub needs_check: bool,
}

/// All units, as the file lists them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offices {
    /// The units in the order of the file.
    pub office: Vec<OfficeUnit>,
    /// The towns and municipalities of the district.
    #[serde(default)]
    pub municipality: Vec<Municipality>,
}

/// A town or municipality of the district, for addresses and for what a municipality does itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Municipality {
    /// Its name.
    pub name: String,
    /// Its postcodes.
    pub postcodes: Vec<String>,
    /// Villages and quarters that people name instead.
    #[serde(default)]
    pub places: Vec<String>,
}

impl Offices {
    /// The unit with this id.
    pub fn unit(&self, id: &str) -> Option<&OfficeUnit> {
        self.office.iter().find(|unit| unit.id == id)
    }
}
