//! What the templates show: plain values, one struct a page. Reading and deciding are done elsewhere.

#[expect(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "what a template may show or not"
)]
pub mod citizen;
#[expect(clippy::struct_excessive_bools, reason = "what a template may show or not")]
pub mod staff;

use std::sync::Arc;

use amtsbote_core::office::Office;
use amtsbote_knowledge::CaseKind;

/// The sentences of the page's language.
#[derive(Debug, Clone)]
pub struct T {
    office: Arc<Office>,
    language: String,
}

impl T {
    /// Sentences in `language`.
    pub fn new(office: &Arc<Office>, language: &str) -> Self {
        Self { office: Arc::clone(office), language: language.to_owned() }
    }

    /// The sentence for a key.
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.office.texts.get(&self.language, key)
    }

    /// The sentence for a key about a case of this kind.
    pub fn about<'a>(&'a self, key: &'a str, kind: CaseKind) -> &'a str {
        self.office.texts.get_about(&self.language, key, kind)
    }

    /// The sentence for a key with its values.
    pub fn filled(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.office.texts.fill(&self.language, key, values)
    }
}
