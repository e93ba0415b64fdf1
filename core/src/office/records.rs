//! What a citizen takes away as PDF: the copy of what was filed, and the proof of a payment. Made anew for each download
//! from what is stored, with equal bytes for equal data; nothing of it is kept.

use amtsbote_knowledge::{Trust, localized};
use jiff::civil::Date;

use super::Office;
use crate::application::Application;
use crate::bescheid::letter::{FeeLine, OfficeHead};
use crate::bescheid::record::{self, Record, RecordSection};
use crate::document::{self, DocumentKind};
use crate::error::{Error, Result};
use crate::id::{ConversationId, PaymentId, PersonId};
use crate::payment::{self, Provider};

/// Who asks for a record: the conversation and the login of the page, and its language.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The conversation that the page shows.
    pub conversation: &'a ConversationId,
    /// Who is logged in.
    pub person: Option<&'a PersonId>,
    /// Trust level of the login.
    pub trust: Trust,
    /// Language tag.
    pub language: &'a str,
}

impl Office {
    /// The copy of what was filed (§ 9a(4) OZG), for whoever may see [`Office::copy_of`]. Returns name and bytes.
    pub async fn copy_pdf(&self, number: &str, reader: Reader<'_>) -> Result<(String, Vec<u8>)> {
        let language = reader.language;
        let (case, title, answers) =
            self.copy_of(number, reader.conversation, reader.person, reader.trust, language).await?;
        let mut tx = self.db.read().await?;
        let uploads = document::of_application(&mut tx, &self.keys, &case.id).await?;
        let payment = payment::of_application(&mut tx, &case.id).await?;
        drop(tx);
        let word = |key| self.texts.get(language, key).to_owned();
        let item = |id: &str| {
            let known = case.service.documents.iter().find(|known| known.id == id);
            known.map_or_else(|| id.to_owned(), |known| localized(&known.label, language).to_owned())
        };
        let mut documents: Vec<(String, String)> = uploads
            .iter()
            .filter(|document| document.kind == DocumentKind::Upload)
            .map(|document| (item(&document.item), document.name.clone()))
            .collect();
        documents.extend(case.later_documents.iter().map(|id| (item(id), word("record.later"))));
        let nothing = if documents.is_empty() { vec![word("record.no_documents")] } else { Vec::new() };
        let mut sections = vec![
            RecordSection { heading: word("record.answers"), rows: answers, paragraphs: Vec::new() },
            RecordSection { heading: word("record.documents"), rows: documents, paragraphs: nothing },
        ];
        if !case.declaration_shown.is_empty() {
            sections.push(RecordSection {
                heading: word("web.declaration"),
                rows: Vec::new(),
                paragraphs: case.declaration_shown.split("\n\n").map(str::to_owned).collect(),
            });
        }
        let mut facts = self.head_facts(&case, &title, language);
        facts.push((word("record.received"), case.submitted_at.german_date_time()));
        let mut amounts = Vec::new();
        if let Some(payment) = payment {
            amounts = lines(&payment.items);
            facts.push((word("record.fee_state"), word(payment.state.text_key())));
        }
        let kind = case.service.case_kind;
        let record = Record {
            title: self.texts.get_about(language, "web.copy_title", kind).to_owned(),
            lead: vec![word("record.copy_lead")],
            facts,
            sections,
            amounts: (word("record.fee"), amounts),
            ..self.blank_record(&case, language, case.submitted_at.date())
        };
        Ok((format!("{}-{}.pdf", file_word(language, "Kopie", "copy"), case.number), self.set(record).await?))
    }

    /// The proof of a payment, for whoever may see [`Office::own_payment`]; refused before it is paid.
    pub async fn receipt_pdf(&self, id: &PaymentId, reader: Reader<'_>) -> Result<(String, Vec<u8>)> {
        let language = reader.language;
        let (payment, case) = self.own_payment(id, reader.conversation, reader.person).await?;
        let Some(paid_at) = payment.paid_at.filter(|_| payment.state.has_money()) else {
            return Err(Error::refused("payment.no_receipt_yet"));
        };
        let word = |key| self.texts.get(language, key).to_owned();
        let title = localized(&case.service.titles, language).to_owned();
        let mut facts = self.head_facts(&case, &title, language);
        facts.push((word("record.paid_at"), paid_at.german_date_time()));
        let by = match payment.provider {
            Provider::Demo => word("record.demo_bank"),
        };
        facts.push((word("record.paid_by"), by));
        facts.extend(payment.provider_reference.clone().map(|sign| (word("record.payment_reference"), sign)));
        let record = Record {
            title: word("record.receipt_title"),
            lead: vec![word("record.receipt_lead")],
            facts,
            amounts: (word("record.paid_items"), lines(&payment.items)),
            ..self.blank_record(&case, language, paid_at.date())
        };
        Ok((
            format!("{}-{}.pdf", file_word(language, "Beleg", "receipt"), case.number),
            self.set(record).await?,
        ))
    }

    fn head_facts(&self, case: &Application, title: &str, language: &str) -> Vec<(String, String)> {
        let word = |key| self.texts.get(language, key).to_owned();
        vec![(word("record.service"), title.to_owned()), (word("web.case_number"), case.number.clone())]
    }

    fn blank_record(&self, case: &Application, language: &str, date: Date) -> Record {
        let catalogue = self.catalogue();
        let unit = catalogue.unit(&case.service.unit);
        Record {
            office: OfficeHead {
                name: self.config.office.name.clone(),
                unit: unit.map(|unit| unit.name.clone()).unwrap_or_default(),
                address: unit
                    .and_then(|unit| unit.address.clone())
                    .unwrap_or_else(|| self.config.office.address.clone()),
                phone: Some(self.config.office.phone.clone()),
            },
            language: language.to_owned(),
            reference: case.number.clone(),
            date,
            title: String::new(),
            lead: Vec::new(),
            facts: Vec::new(),
            sections: Vec::new(),
            amounts: (String::new(), Vec::new()),
            closing: Vec::new(),
        }
    }

    /// Typesetting takes milliseconds of processor time; conversations must not wait for it.
    async fn set(&self, record: Record) -> Result<Vec<u8>> {
        let texts = self.texts.clone();
        let set = tokio::task::spawn_blocking(move || record::render(&record, &texts));
        let set = set.await.map_err(|_| Error::Setup("a record could not be typeset".to_owned()))?;
        Ok(set?)
    }
}

fn lines(items: &[(String, i64)]) -> Vec<FeeLine> {
    items.iter().map(|(label, cents)| FeeLine { label: label.clone(), cents: *cents }).collect()
}

/// Word of a file name.
fn file_word<'a>(language: &str, german: &'a str, english: &'a str) -> &'a str {
    if language.starts_with("de") { german } else { english }
}
