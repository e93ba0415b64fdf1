//! The gate for files: type by content, size, name, and no file that is more than it seems. Pure: nothing is
//! stored here and nothing is repaired; a file is taken as it is or refused with a reason. It costs up to
//! some seconds of computing for the largest files, so callers run it off the event loop.

use amtsbote_knowledge::DocumentFormat;

use super::{pdf, picture, word};
use crate::error::{Error, Result};
use crate::seal::sha256_hex;

/// Most bytes that anything inside a file may unpack to.
pub(super) const LARGEST_UNPACKED: usize = 50_000_000;

/// Longest name, in characters.
const LONGEST_NAME: usize = 120;

/// Readers of PDF look for the header in the first 1024 bytes.
const PDF_HEADER_WITHIN: usize = 1024;

/// Readers of ZIP look for the directory's end in the last bytes: 22 and a comment of up to 65535.
const ZIP_END_WITHIN: usize = 22 + 65_535;

/// What the inspection of a file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Type by content.
    pub format: DocumentFormat,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Looks at a file that somebody sent. Refuses what is empty, larger than `max_mb` (10^6 bytes), of another
/// type than `formats` or than its name says, damaged, encrypted, able to act, several formats at once, or
/// made to unpack without end. A name without ending is fine: the content decides.
pub fn inspect(name: &str, bytes: &[u8], formats: &[DocumentFormat], max_mb: u32) -> Result<Inspected> {
    let name = clean_name(name)?;
    if bytes.is_empty() {
        return Err(Error::refused("document.empty"));
    }
    let size_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size_bytes > u64::from(max_mb) * 1_000_000 {
        return Err(Error::refused_with("document.too_large", vec![("limit", max_mb.to_string())]));
    }
    let said = ending(&name).map(|ending| named_format(&ending));
    let format = match detect(bytes, said.flatten()) {
        Some(format) if !formats.contains(&format) => return Err(wrong_type(formats)),
        Some(format) if said.is_some_and(|said| said != Some(format)) => {
            return Err(Error::refused("document.name_mismatch"));
        }
        Some(format) => format,
        None => return Err(not_of_its_type(bytes, said.flatten(), formats)),
    };
    match format {
        DocumentFormat::Pdf => pdf::check(bytes)?,
        DocumentFormat::Jpeg => picture::check(bytes, image::ImageFormat::Jpeg)?,
        DocumentFormat::Png => picture::check(bytes, image::ImageFormat::Png)?,
        DocumentFormat::Docx => word::check(bytes)?,
    }
    Ok(Inspected { format, size_bytes, sha256: sha256_hex(bytes) })
}

/// The name of a file as it is stored and shown: without folders, without characters that are invisible, turn
/// the direction of writing or mean something to a file system, at most 120 characters.
pub fn clean_name(name: &str) -> Result<String> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut clean = String::new();
    for letter in base.chars().filter(|letter| letter.is_whitespace() || !is_invisible(*letter)) {
        match letter {
            space if space.is_whitespace() => {
                if !clean.ends_with(' ') {
                    clean.push(' ');
                }
            }
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => clean.push('_'),
            letter => clean.push(letter),
        }
    }
    let clean = clean.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    if clean.is_empty() {
        return Err(Error::refused("document.bad_name"));
    }
    Ok(shortened(clean))
}

/// The cleaned name with an ending that fits: one without gets that of its format.
pub(super) fn name_for(name: &str, format: DocumentFormat) -> Result<String> {
    let name = clean_name(name)?;
    if ending(&name).is_some() {
        return Ok(name);
    }
    Ok(shortened(&format!("{name}.{}", extension(format))))
}

/// The usual ending of a format, also its word in the database.
pub(super) fn extension(format: DocumentFormat) -> &'static str {
    match format {
        DocumentFormat::Pdf => "pdf",
        DocumentFormat::Jpeg => "jpg",
        DocumentFormat::Png => "png",
        DocumentFormat::Docx => "docx",
    }
}

/// At most [`LONGEST_NAME`] characters; the ending stays.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let tail = ending(name).map(|ending| format!(".{ending}")).unwrap_or_default();
    let head: String = name.chars().take(LONGEST_NAME - tail.len()).collect();
    format!("{}{tail}", head.trim_end_matches(['.', ' ']))
}

/// The ending of a cleaned name in lower case. "Scan 12.3.2025" has none.
fn ending(name: &str) -> Option<String> {
    let (head, ending) = name.rsplit_once('.')?;
    let is_ending = !head.is_empty()
        && (1..=5).contains(&ending.len())
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && ending.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_ending.then(|| ending.to_ascii_lowercase())
}

fn named_format(ending: &str) -> Option<DocumentFormat> {
    match ending {
        "pdf" => Some(DocumentFormat::Pdf),
        "jpg" | "jpeg" | "jpe" | "jfif" => Some(DocumentFormat::Jpeg),
        "png" => Some(DocumentFormat::Png),
        "docx" => Some(DocumentFormat::Docx),
        _ => None,
    }
}

/// Controls and characters that show nothing or turn the direction of writing (Unicode categories Cc and most
/// of Cf).
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The type by content. An archive counts as Word document when it says so inside or by its name; whether it
/// is one, `word.rs` finds out.
fn detect(bytes: &[u8], said: Option<DocumentFormat>) -> Option<DocumentFormat> {
    if bytes.starts_with(b"%PDF-") {
        Some(DocumentFormat::Pdf)
    } else if infer::image::is_jpeg(bytes) {
        Some(DocumentFormat::Jpeg)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(DocumentFormat::Png)
    } else if bytes.starts_with(b"PK\x03\x04")
        && (said == Some(DocumentFormat::Docx) || find(bytes, b"word/document.xml", 0).is_some())
    {
        Some(DocumentFormat::Docx)
    } else {
        None
    }
}

/// Why a file of no accepted type is refused.
fn not_of_its_type(bytes: &[u8], said: Option<DocumentFormat>, formats: &[DocumentFormat]) -> Error {
    if hides_pdf(bytes) {
        return Error::refused("document.polyglot");
    }
    match said {
        // Word keeps a document with a password in a container of the old kind.
        Some(DocumentFormat::Docx) if word::is_encrypted_container(bytes) => {
            Error::refused("document.encrypted")
        }
        Some(format) if formats.contains(&format) => Error::refused("document.name_mismatch"),
        _ => wrong_type(formats),
    }
}

fn wrong_type(formats: &[DocumentFormat]) -> Error {
    let allowed: Vec<String> = formats.iter().map(|format| extension(*format).to_ascii_uppercase()).collect();
    Error::refused_with("document.wrong_type", vec![("allowed", allowed.join(", "))])
}

/// Whether a reader of PDF would take this file, which is of another type, for a PDF.
pub(super) fn hides_pdf(bytes: &[u8]) -> bool {
    find(&bytes[..bytes.len().min(PDF_HEADER_WITHIN)], b"%PDF-", 0).is_some()
}

/// Whether a reader of ZIP would find a directory at the end of this file.
pub(super) fn hides_zip(bytes: &[u8]) -> bool {
    let mut from = bytes.len().saturating_sub(ZIP_END_WITHIN);
    while let Some(at) = find(bytes, b"PK\x05\x06", from) {
        if let Some(end) = bytes.get(at..at + 22) {
            let entries = u16::from_le_bytes([end[10], end[11]]);
            let size = u32::from_le_bytes([end[12], end[13], end[14], end[15]]);
            // The directory lies before its end; the marks alone may stand there by chance.
            if entries > 0 && usize::try_from(size).is_ok_and(|size| size <= at) {
                return true;
            }
        }
        from = at + 4;
    }
    false
}

/// Whether what follows the end of a picture is, or holds, something that a reader of another format would
/// take. Cameras do append harmless things (a second picture, a short film), so not everything is refused.
pub(super) fn is_second_format(trailing: &[u8]) -> bool {
    use infer::MatcherType;
    const MARKS: [&[u8]; 8] = [
        b"%pdf-",
        b"<html",
        b"<!doctype",
        b"<script",
        b"<svg",
        b"<?php",
        b"7z\xbc\xaf\x27\x1c",
        b"rar!\x1a\x07",
    ];
    let starts_as_other = infer::get(trailing).is_some_and(|kind| {
        matches!(
            kind.matcher_type(),
            MatcherType::App
                | MatcherType::Archive
                | MatcherType::Book
                | MatcherType::Doc
                | MatcherType::Text
        )
    });
    starts_as_other
        || hides_zip(trailing)
        || MARKS
            .iter()
            .any(|mark| trailing.windows(mark.len()).any(|window| window.eq_ignore_ascii_case(mark)))
        || find(trailing, b"PK\x03\x04", 0)
            // The version that is needed follows; none is above 6.3.
            .is_some_and(|at| trailing.get(at + 4..at + 6).is_some_and(|next| next[0] <= 63 && next[1] == 0))
}

/// Where `needle` begins, at or after `from`.
pub(super) fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut at = from;
    loop {
        at += haystack.get(at..)?.iter().position(|byte| byte == first)?;
        if haystack[at + 1..].starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
}
