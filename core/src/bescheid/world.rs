//! The closed world in which a paper is set: the templates, three fonts and the data of one paper. There
//! is no file system, no network, no system font, no package and no clock in it, so that equal data give
//! equal pages.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime};
use typst::syntax::{FileId, Source, VirtualPath};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

/// What kind of paper is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Template {
    /// A formal letter (`letter.typ`).
    Letter,
    /// A record for the citizen (`record.typ`).
    Record,
}

/// What all papers share.
const HEAD: &str = include_str!("../../templates/head.typ");

impl Template {
    /// Its name below `core/templates`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Letter => "letter.typ",
            Self::Record => "record.typ",
        }
    }

    fn own_text(self) -> &'static str {
        match self {
            Self::Letter => include_str!("../../templates/letter.typ"),
            Self::Record => include_str!("../../templates/record.typ"),
        }
    }

    /// Its text with what it shares; a part of the identity of a paper.
    pub(super) fn text(self) -> String {
        format!("{HEAD}{}", self.own_text())
    }
}

/// Fira Sans 4.203 under the OFL (`core/fonts/OFL.txt`), cut down to Latin letters and punctuation.
const FONTS: [&[u8]; 3] = [
    include_bytes!("../../fonts/FiraSans-Regular.ttf"),
    include_bytes!("../../fonts/FiraSans-SemiBold.ttf"),
    include_bytes!("../../fonts/FiraSans-Italic.ttf"),
];

/// What all letters share; loaded with the first letter.
static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let fonts: Vec<Font> = FONTS.iter().flat_map(|bytes| Font::iter(Bytes::new(*bytes))).collect();
    let source = |name: &str, text: &str| {
        Source::new(FileId::new(None, VirtualPath::new(format!("/{name}"))), text.to_owned())
    };
    let own = |template: Template| source(template.name(), template.own_text());
    Shared {
        library: LazyHash::new(<Library as LibraryExt>::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
        head: source("head.typ", HEAD),
        letter: own(Template::Letter),
        record: own(Template::Record),
        data: FileId::new(None, VirtualPath::new("/letter.json")),
    }
});

struct Shared {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    head: Source,
    letter: Source,
    record: Source,
    data: FileId,
}

/// Whether every font of the letter has a glyph for `character`. A letter with any other character would show
/// an empty box, and would break both PDF standards.
pub(super) fn has_glyph(character: char) -> bool {
    SHARED.fonts.iter().all(|font| font.info().coverage.contains(u32::from(character)))
}

/// The world of one paper.
pub(super) struct PaperWorld {
    template: Template,
    data: Bytes,
}

impl PaperWorld {
    /// A world whose `/letter.json` has this content.
    pub(super) fn new(template: Template, json: Vec<u8>) -> Self {
        Self { template, data: Bytes::new(json) }
    }

    /// The template of the paper.
    pub(super) fn template(&self) -> Template {
        self.template
    }

    fn main_source(&self) -> &'static Source {
        match self.template {
            Template::Letter => &SHARED.letter,
            Template::Record => &SHARED.record,
        }
    }
}

impl World for PaperWorld {
    fn library(&self) -> &LazyHash<Library> {
        &SHARED.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &SHARED.book
    }

    fn main(&self) -> FileId {
        self.main_source().id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        [self.main_source(), &SHARED.head]
            .into_iter()
            .find(|source| source.id() == id)
            .cloned()
            .ok_or_else(|| not_here(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == SHARED.data { Ok(self.data.clone()) } else { Err(not_here(id)) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        SHARED.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<i64>) -> Option<Datetime> {
        None
    }
}

fn not_here(id: FileId) -> FileError {
    FileError::NotFound(id.vpath().as_rootless_path().to_path_buf())
}
