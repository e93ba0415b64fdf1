//! Broken files, one kind a row.

use crate::catalogue::Catalogue;

#[test]
fn the_catalogue_that_the_program_carries_has_no_errors() {
    if let Err(findings) = Catalogue::embedded() {
        panic!("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
}
