//! The closed world in which a letter is set: one template, three fonts and the data of one letter. There
//! is no file system, no network, no system font, no package and no clock in it, so that equal data give
//! equal pages.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime};
use typst::syntax::{FileId, Source, VirtualPath};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

/// Text of the template; a part of the letter's identity.
pub(super) const TEMPLATE: &str = include_str!("../../templates/letter.typ");

/// Fira Sans 4.203 under the OFL (`core/fonts/OFL.txt`), cut down to Latin letters and punctuation.
const FONTS: [&[u8]; 3] = [
    include_bytes!("../../fonts/FiraSans-Regular.ttf"),
    include_bytes!("../../fonts/FiraSans-SemiBold.ttf"),
    include_bytes!("../../fonts/FiraSans-Italic.ttf"),
];

/// What all letters share; loaded with the first letter.
static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let fonts: Vec<Font> = FONTS.iter().flat_map(|bytes| Font::iter(Bytes::new(*bytes))).collect();
    let main = FileId::new(None, VirtualPath::new("/letter.typ"));
    Shared {
        library: LazyHash::new(<Library as LibraryExt>::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
        template: Source::new(main, TEMPLATE.to_owned()),
        data: FileId::new(None, VirtualPath::new("/letter.json")),
    }
});

struct Shared {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    template: Source,
    data: FileId,
}

/// Whether every font of the letter has a glyph for `character`. A letter with any other character would show
/// an empty box, and would break both PDF standards.
pub(super) fn has_glyph(character: char) -> bool {
    SHARED.fonts.iter().all(|font| font.info().coverage.contains(u32::from(character)))
}

/// The world of one letter.
pub(super) struct LetterWorld {
    data: Bytes,
}

impl LetterWorld {
    /// A world whose `/letter.json` has this content.
    pub(super) fn new(json: Vec<u8>) -> Self {
        Self { data: Bytes::new(json) }
    }
}

impl World for LetterWorld {
    fn library(&self) -> &LazyHash<Library> {
        &SHARED.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &SHARED.book
    }

    fn main(&self) -> FileId {
        SHARED.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == SHARED.template.id() { Ok(SHARED.template.clone()) } else { Err(not_here(id)) }
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
