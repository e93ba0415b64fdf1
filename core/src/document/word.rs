//! Word documents (DOCX): an archive whose every entry can be read, that unpacks to a bounded size, and that
//! holds no program, no embedded file and no link which Word would follow by itself. The text is not judged.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use zip::ZipArchive;

use super::inspect::{LARGEST_UNPACKED, find, hides_pdf};
use crate::error::{Error, Result};

/// Most entries; a document with many pictures has some hundred.
const MOST_ENTRIES: usize = 1000;

/// Largest ratio of unpacked to packed bytes of an entry.
const LARGEST_RATIO: usize = 100;

/// Small entries may shrink more: an empty table does, and harms nobody.
const RATIO_FROM: usize = 1_000_000;

/// Length of the record at the end of an archive.
const END_RECORD: usize = 22;

/// Folders of a Word document that hold programs or other files (in lower case).
const ACTIVE_FOLDERS: [&str; 3] = ["word/activex/", "word/embeddings/", "customui/"];

/// Parts of names that mean the same, wherever they lie.
const ACTIVE_NAMES: [&str; 3] = ["vbaproject", "vbadata", "oleobject"];

/// Refuses what is no whole Word document, is encrypted, can act, is something else besides, or is a bomb.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    // A reader that panics on a hostile file has found it damaged.
    catch_unwind(AssertUnwindSafe(|| check_archive(bytes)))
        .unwrap_or_else(|_| Err(Error::refused("document.damaged")))
}

/// Whether this is the container (of the old kind) in which Word keeps a document with a password.
pub(super) fn is_encrypted_container(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") && find(bytes, &name, 0).is_some()
}

fn check_archive(bytes: &[u8]) -> Result<()> {
    let damaged = |_| Error::refused("document.damaged");
    let entries = entries_by_end_record(bytes)?;
    if entries > MOST_ENTRIES {
        return Err(Error::refused("document.bomb"));
    }
    if hides_pdf(bytes) {
        return Err(Error::refused("document.polyglot"));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    // Two entries of one name: some readers take the first, others the last.
    if archive.offset() != 0 || archive.len() != entries {
        return Err(Error::refused("document.polyglot"));
    }
    let (mut has_types, mut has_text) = (false, false);
    let mut unpacked = 0;
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).map_err(damaged)?;
        if raw.encrypted() {
            return Err(Error::refused("document.encrypted"));
        }
        let packed = usize::try_from(raw.compressed_size()).unwrap_or(usize::MAX);
        drop(raw);
        let entry = archive.by_index(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.replace('\\', "/").to_lowercase();
        check_name(&name)?;
        let mut content = Vec::new();
        let limit = LARGEST_UNPACKED - unpacked;
        entry
            .take(u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|_| Error::refused("document.damaged"))?;
        unpacked += content.len();
        let is_dense = content.len() > RATIO_FROM && content.len() / packed.max(1) > LARGEST_RATIO;
        if content.len() > limit || is_dense || is_archive(&content) {
            return Err(Error::refused("document.bomb"));
        }
        check_content(&name, &content)?;
        has_types |= name == "[content_types].xml";
        has_text |= name == "word/document.xml";
    }
    if has_types && has_text { Ok(()) } else { Err(Error::refused("document.name_mismatch")) }
}

/// How many entries the record at the end names. The record must be the last thing in the file: what follows
/// it, or a comment in it, is room for a second format.
fn entries_by_end_record(bytes: &[u8]) -> Result<usize> {
    const MARK: &[u8] = b"PK\x05\x06";
    let end = &bytes[bytes.len().saturating_sub(END_RECORD)..];
    if end.len() == END_RECORD && end.starts_with(MARK) {
        return Ok(usize::from(u16::from_le_bytes([end[10], end[11]])));
    }
    // Without any record the file was cut off.
    let is_whole = find(bytes, MARK, 0).is_some();
    Err(Error::refused(if is_whole { "document.polyglot" } else { "document.damaged" }))
}

fn check_name(name: &str) -> Result<()> {
    let path = name.trim_start_matches('/');
    if ACTIVE_FOLDERS.iter().any(|folder| path.starts_with(folder))
        || ACTIVE_NAMES.iter().any(|part| path.contains(part))
    {
        return Err(Error::refused("document.active_content"));
    }
    Ok(())
}

fn is_archive(content: &[u8]) -> bool {
    use infer::archive::{is_7z, is_bz2, is_cab, is_gz, is_rar, is_xz, is_zip, is_zst};
    [is_zip, is_rar, is_7z, is_gz, is_bz2, is_xz, is_zst, is_cab].iter().any(|is_kind| is_kind(content))
}

fn check_content(name: &str, content: &[u8]) -> Result<()> {
    let active = || Error::refused("document.active_content");
    let is_links = has_ending(name, "rels");
    if !is_links && !has_ending(name, "xml") {
        return Ok(());
    }
    // In another encoding than UTF-8, the words below would not be found.
    let text = std::str::from_utf8(content).map_err(|_| active())?;
    let declaration = text.trim_start_matches('\u{feff}').trim_start().split("?>").next().unwrap_or_default();
    let is_utf8 = !declaration.starts_with("<?xml")
        || attribute(declaration, "encoding").is_none_or(|name| {
            ["utf-8", "utf8", "us-ascii"].iter().any(|known| name.eq_ignore_ascii_case(known))
        });
    let has_entities = text.contains("<!DOCTYPE") || text.contains("<!ENTITY");
    let is_macro_type = name == "[content_types].xml" && text.to_lowercase().contains("macroenabled");
    let has_command = text.contains("DDEAUTO") || text.contains("<w:altChunk");
    if !is_utf8 || has_entities || text.contains('\0') || is_macro_type || has_command {
        return Err(active());
    }
    if is_links && text.split('<').any(is_active_link) {
        return Err(active());
    }
    Ok(())
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found == ending)
}

/// Whether an element of a list of links is one that Word follows by itself, to outside or to embedded
/// foreign text.
fn is_active_link(element: &str) -> bool {
    let name = element.split(|letter: char| letter.is_whitespace() || letter == '/' || letter == '>').next();
    if name.and_then(|name| name.rsplit(':').next()) != Some("Relationship") {
        return false;
    }
    let kind = attribute(element, "Type").unwrap_or_default();
    let kind = kind.rsplit('/').next().unwrap_or_default();
    if ["aFChunk", "oleObject", "package", "control", "vbaProject"].contains(&kind) {
        return true;
    }
    // Letters written as numbers could spell anything.
    if element.contains("&#") {
        return true;
    }
    let target = attribute(element, "Target").unwrap_or_default();
    match attribute(element, "TargetMode") {
        Some(mode) if !mode.eq_ignore_ascii_case("Internal") => match kind {
            "hyperlink" => false,
            // The template on the author's own disk, as Word notes it.
            "attachedTemplate" => !is_on_own_disk(target),
            _ => true,
        },
        _ => target.contains("://"),
    }
}

/// `file:///C:\…` or `file:///Users/…` (macOS): not a share, not the web.
fn is_on_own_disk(target: &str) -> bool {
    target.strip_prefix("file:///").is_some_and(|path| {
        matches!(path.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
            || path.starts_with("Users/")
            || path.starts_with("Applications/")
    })
}

/// The value of an attribute in the text of an element.
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = element;
    loop {
        let at = rest.find(name)?;
        let begins = rest[..at].chars().next_back().is_some_and(char::is_whitespace);
        rest = &rest[at + name.len()..];
        let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
        if begins
            && let Some(value) = value
            && let Some(quote @ ('"' | '\'')) = value.chars().next()
        {
            return value[1..].split(quote).next();
        }
    }
}
