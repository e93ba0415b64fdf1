//! From data to PDF: sets a template in its closed world and writes the pages by one or more standards. Pure: equal data
//! give equal bytes. It knows nothing of what a paper says.

use jiff::civil::Date;
use serde::Serialize;
use thiserror::Error;
use typst::World as _;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst::layout::PagedDocument;
use typst::syntax::Span;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use super::world::{PaperWorld, Template};
use crate::seal::sha256_hex;

/// Why a paper could not be set. Says nothing of what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RenderError {
    /// A value that the law or the layout requires is empty.
    #[error("the letter lacks its {0}")]
    Missing(&'static str),
    /// Characters that the fonts of the letter do not have: other scripts, emoji. A letter must not print
    /// boxes instead of a name, so a person has to write it in Latin letters (DIN 91379).
    #[error("the letter has {} characters that cannot be printed", .0.chars().count())]
    Characters(String),
    /// The template or the PDF writer failed: a defect of this program.
    #[error(
        "{stage} failed at line {line} of core/templates/{template} (0 = unknown); report it as a defect"
    )]
    Typesetting {
        /// What was tried.
        stage: &'static str,
        /// Which template.
        template: &'static str,
        /// Line of the template, counted from 1; 0 if unknown.
        line: usize,
    },
}

impl From<RenderError> for crate::error::Error {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Characters(characters) => {
                let shown = characters.chars().map(String::from).collect::<Vec<_>>().join(" ");
                Self::refused_with("letter.characters", vec![("characters", shown)])
            }
            RenderError::Missing(_) | RenderError::Typesetting { .. } => Self::Setup(error.to_string()),
        }
    }
}

/// Sets `content` once and writes it by each of the standards; typst writes one standard a file.
pub(super) fn pdf<const N: usize>(
    template: Template,
    content: &impl Serialize,
    date: Date,
    standards: [PdfStandard; N],
) -> Result<[Vec<u8>; N], RenderError> {
    let failed = |stage| RenderError::Typesetting { stage, template: template.name(), line: 0 };
    let json = serde_json::to_vec(content).map_err(|_| failed("writing the data"))?;
    // Stands for the content in the PDF's identifiers, so that they do not change from run to run.
    let identity =
        sha256_hex(format!("{}{}", sha256_hex(template.text().as_bytes()), sha256_hex(&json)).as_bytes());
    let world = PaperWorld::new(template, json);
    let written = write(&world, &identity, date, &standards);
    // The cache of the typesetter would keep names and reasons in memory after the case is erased.
    comemo::evict(0);
    written?.try_into().map_err(|_| failed("writing the PDF"))
}

fn write(
    world: &PaperWorld,
    identity: &str,
    date: Date,
    standards: &[PdfStandard],
) -> Result<Vec<Vec<u8>>, RenderError> {
    let document: PagedDocument =
        typst::compile(world).output.map_err(|found| defect(world, "setting the pages", &found))?;
    standards
        .iter()
        .map(|standard| {
            let stage = "writing the PDF";
            let standards = PdfStandards::new(&[*standard]).map_err(|_| defect(world, stage, &[]))?;
            let options = PdfOptions {
                ident: Smart::Custom(identity),
                timestamp: midday(date),
                standards,
                ..PdfOptions::default()
            };
            typst_pdf::pdf(&document, &options).map_err(|found| defect(world, stage, &found))
        })
        .collect()
}

/// The day of the paper as a moment, the same day in every zone of Europe.
fn midday(date: Date) -> Option<Timestamp> {
    let month = u8::try_from(date.month()).ok()?;
    let day = u8::try_from(date.day()).ok()?;
    Datetime::from_ymd_hms(i32::from(date.year()), month, day, 12, 0, 0).map(Timestamp::new_utc)
}

/// Where the template failed. The typesetter's own words may quote the paper and are left out.
fn defect(world: &PaperWorld, stage: &'static str, found: &[SourceDiagnostic]) -> RenderError {
    let mut spans = found.iter().flat_map(|diagnostic| {
        std::iter::once(diagnostic.span).chain(diagnostic.trace.iter().map(|point| point.span))
    });
    let line = spans.find_map(|span| line_of(world, span)).unwrap_or(0);
    RenderError::Typesetting { stage, template: world.template().name(), line }
}

fn line_of(world: &PaperWorld, span: Span) -> Option<usize> {
    let template = world.source(span.id()?).ok()?;
    let start = template.range(span)?.start;
    Some(template.lines().byte_to_line(start)? + 1)
}
