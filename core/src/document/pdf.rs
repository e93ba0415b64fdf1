//! PDF: whole, readable without a password, without anything that acts or that is attached. The file is not
//! interpreted, it is scanned from end to end in linear time: a crafted cross-reference table can neither
//! hide an object of any revision from the scan nor send it in circles. Readers that follow the table suffer
//! both: lopdf, given 240 kB with 2000 entries for one large object, computes for minutes. Object streams are
//! unpacked under a limit and scanned as well. What can't be looked into is refused.

use lopdf::{DecompressError, Dictionary, Object, Stream};

use super::inspect::{LARGEST_UNPACKED, find, hides_zip};
use crate::error::{Error, Result};

/// Names that stand only where something acts, or is attached.
const ACTIVE: [&[u8]; 7] =
    [b"JavaScript", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"XFA", b"RichMedia", b"Rendition"];

/// The same, but so short that they turn up by chance in compressed bytes: looked for only outside of them.
const ACTIVE_SHORT: [&[u8]; 2] = [b"JS", b"EF"];

/// Longest name that is compared.
const LONGEST_NAME: usize = 32;

/// Most padding after the end.
const LONGEST_PADDING: usize = 1024;

/// Most streams of one file; the largest real ones have some ten thousand.
const MOST_STREAMS: usize = 50_000;

/// Most object streams of one file; usual is one for every hundred or two hundred objects.
const MOST_OBJECT_STREAMS: usize = 5_000;

/// So much of a stream is unpacked to see whether it holds objects.
const SAMPLE: usize = 512;

/// At least so much of an object stream is given to the decoder, which finds its end by itself: the word
/// "endstream" inside of the packed bytes must not cut off the rest.
const WINDOW: usize = 256 * 1024;

/// What has been seen in the file so far.
#[derive(Debug, Default)]
struct Seen {
    encrypted: bool,
    active: bool,
    skeleton: Skeleton,
    object_streams: usize,
    unpacked: usize,
}

/// What every PDF has.
#[derive(Debug, Default)]
struct Skeleton {
    catalog: bool,
    page: bool,
}

/// Refuses a PDF that is damaged, encrypted, active, something else besides, or a bomb.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let damaged = || Error::refused("document.damaged");
    if !matches!(bytes.get(5..8), Some([b'0'..=b'9', b'.', b'0'..=b'9'])) {
        return Err(damaged());
    }
    check_end(bytes)?;
    if hides_zip(bytes) {
        return Err(Error::refused("document.polyglot"));
    }
    let mut seen = Seen::default();
    scan(bytes, &mut seen)?;
    if seen.encrypted {
        return Err(Error::refused("document.encrypted"));
    }
    if seen.active {
        return Err(Error::refused("document.active_content"));
    }
    // A file without these can't be shown by anybody, not even by readers that repair.
    if !(seen.skeleton.catalog && seen.skeleton.page && find(bytes, b"startxref", 0).is_some()) {
        return Err(damaged());
    }
    Ok(())
}

/// The last %%EOF ends the file, but for a little padding.
fn check_end(bytes: &[u8]) -> Result<()> {
    let end = bytes
        .windows(5)
        .rposition(|window| window == b"%%EOF")
        .ok_or_else(|| Error::refused("document.damaged"))?;
    let trailing = &bytes[end + 5..];
    if trailing.len() <= LONGEST_PADDING && trailing.iter().all(|byte| is_space(*byte)) {
        return Ok(());
    }
    // A file for the web has an end near its beginning as well. Cut short, it goes on with objects after
    // that.
    let first = &bytes[..bytes.len().min(1024)];
    if find(first, b"/Linearized", 0).is_some() && find(trailing, b" obj", 0).is_some() {
        return Err(Error::refused("document.damaged"));
    }
    Err(Error::refused("document.polyglot"))
}

/// How the bytes of an object stream are packed, as far as that can be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Flate,
}

/// Walks from stream to stream. Every byte is part of exactly one region: the data of the stream before, and
/// the objects up to the next word "stream".
fn scan(bytes: &[u8], seen: &mut Seen) -> Result<()> {
    let (mut region, mut plain) = (0, 0);
    let mut streams = 0;
    loop {
        let keyword = stream_keyword(bytes, plain);
        let until = keyword.map_or(bytes.len(), |(at, _)| at);
        let announced = look(&bytes[region..until], &ACTIVE, seen);
        look(&bytes[plain..until], &ACTIVE_SHORT, seen);
        if seen.encrypted {
            return Ok(());
        }
        let Some((_, data)) = keyword else {
            return if announced == 0 { Ok(()) } else { Err(hidden()) };
        };
        streams += 1;
        if streams > MOST_STREAMS {
            return Err(Error::refused("document.bomb"));
        }
        let packing = match announced {
            0 => None,
            1 => Some(packing(&bytes[plain..until]).ok_or_else(hidden)?),
            _ => return Err(hidden()),
        };
        let end = find(bytes, b"endstream", data).unwrap_or(bytes.len());
        scan_stream(bytes, data, end, packing, seen)?;
        region = data;
        plain = bytes.len().min(end + b"endstream".len());
    }
}

/// Scans the stream at `data`, if it holds objects. One that says so must be readable; of the others, the
/// content tells, because not all readers ask for the type.
fn scan_stream(
    bytes: &[u8],
    data: usize,
    end: usize,
    packing: Option<Packing>,
    seen: &mut Seen,
) -> Result<()> {
    let whole = &bytes[data..end];
    let sample = &whole[..whole.len().min(SAMPLE)];
    if packing != Some(Packing::Flate) && holds_objects(whole) == Some(true) {
        // The long names have been looked for with the region.
        look(whole, &ACTIVE_SHORT, seen);
        return Ok(());
    }
    let is_flate =
        || inflate(sample, LARGEST_UNPACKED).is_ok_and(|sample| holds_objects(&sample) != Some(false));
    match packing {
        Some(Packing::Plain) => return Err(hidden()),
        Some(Packing::Flate) => {}
        None if is_flate() => {}
        None => return Ok(()),
    }
    seen.object_streams += 1;
    if seen.object_streams > MOST_OBJECT_STREAMS {
        return Err(Error::refused("document.bomb"));
    }
    let objects =
        inflate(&bytes[data..end.max(bytes.len().min(data + WINDOW))], LARGEST_UNPACKED - seen.unpacked)?;
    seen.unpacked += objects.len();
    if holds_objects(&objects) == Some(true) {
        look(&objects, &ACTIVE, seen);
        look(&objects, &ACTIVE_SHORT, seen);
    } else if packing.is_some() && !objects.trim_ascii().is_empty() {
        return Err(hidden());
    }
    Ok(())
}

/// How the stream is packed whose dictionary ends `plain`; `None` when that is not said plainly: only numbers
/// and names, no text or comment that could hold another dictionary than the one that readers take.
fn packing(plain: &[u8]) -> Option<Packing> {
    let head = plain.windows(3).rposition(|window| window == b"obj")?;
    let line = plain[..head].iter().rposition(|byte| matches!(byte, b'\r' | b'\n')).map_or(0, |end| end + 1);
    let dictionary = &plain[head + 3..];
    if plain[line..head].iter().chain(dictionary).any(|byte| b"()%".contains(byte)) {
        return None;
    }
    let (mut packing, mut announced, mut decoders) = (Packing::Plain, false, 0);
    let mut at = 0;
    while let Some(slash) = find(dictionary, b"/", at) {
        let (name, end) = name_at(dictionary, slash + 1);
        at = end;
        match name.as_slice() {
            b"ObjStm" => announced = true,
            b"Filter" => {
                let space =
                    dictionary[end..].iter().take_while(|byte| is_space(**byte) || **byte == b'[').count();
                let (filter, _) = name_at(dictionary, end + space + 1);
                if dictionary.get(end + space) != Some(&b'/') || filter != b"FlateDecode" {
                    return None;
                }
                packing = Packing::Flate;
            }
            name if name.ends_with(b"Decode") => decoders += 1,
            _ => {}
        }
    }
    (announced && decoders <= 1).then_some(packing)
}

/// Something that acts may be hidden in there.
fn hidden() -> Error {
    Error::refused("document.active_content")
}

fn inflate(packed: &[u8], limit: usize) -> Result<Vec<u8>> {
    // The header of zlib: deflate, and a check sum over both bytes. Spares most streams the decoder.
    let is_zlib = matches!(packed, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) * 256 + u16::from(*flags)).is_multiple_of(31));
    if !is_zlib {
        return Err(Error::refused("document.damaged"));
    }
    let mut dictionary = Dictionary::new();
    dictionary.set("Filter", Object::Name(b"FlateDecode".to_vec()));
    Stream::new(dictionary, packed.to_vec()).decompressed_content_with_limit(limit).map_err(|error| {
        match error {
            lopdf::Error::Decompress(DecompressError::MemoryLimitExceeded { .. }) => {
                Error::refused("document.bomb")
            }
            _ => Error::refused("document.damaged"),
        }
    })
}

/// The next word "stream" that opens data, at or after `from`, and where its data begin.
fn stream_keyword(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        at = find(bytes, b"stream", at)?;
        let word = at + b"stream".len();
        let after = word + bytes[word..].iter().take_while(|byte| **byte == b' ').count();
        let data = match &bytes[after..] {
            [b'\r', b'\n', ..] => Some(after + 2),
            [b'\r' | b'\n', ..] => Some(after + 1),
            _ => None,
        };
        let before = bytes[..at].iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
        if let Some(data) = data
            && bytes[..before].ends_with(b">>")
        {
            return Some((at, data));
        }
        at = word;
    }
}

/// Whether the bytes are those of an object stream: numbers and places of objects, then the first object.
/// `None`: they end before that can be told. No zero byte counts as space: black pictures begin with many.
fn holds_objects(bytes: &[u8]) -> Option<bool> {
    let mut rest = bytes;
    let mut numbers = 0;
    loop {
        rest = rest.trim_ascii_start();
        match rest.first() {
            Some(b'0'..=b'9') => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                rest = &rest[digits..];
                numbers += 1;
            }
            Some(b'%') => {
                let comment = rest.iter().take_while(|byte| !matches!(byte, b'\r' | b'\n')).count();
                rest = &rest[comment..];
            }
            Some(b'<' | b'[' | b'(' | b'/') => return Some(numbers >= 2),
            None => return None,
            Some(_) => {
                let is_word = [&b"true"[..], b"false", b"null"].iter().any(|word| rest.starts_with(word));
                return Some(numbers >= 2 && is_word);
            }
        }
    }
}

/// Notes what the names in `text` tell. Returns how often it announces an object stream.
fn look(text: &[u8], active: &[&[u8]], seen: &mut Seen) -> usize {
    let mut announced = 0;
    let mut at = 0;
    while let Some(slash) = find(text, b"/", at) {
        let (name, end) = name_at(text, slash + 1);
        at = end;
        match name.as_slice() {
            b"Encrypt" if !seen.encrypted => seen.encrypted = !is_in_address(text, slash),
            b"Catalog" => seen.skeleton.catalog = true,
            b"Page" | b"Pages" => seen.skeleton.page = true,
            b"ObjStm" => announced += 1,
            name if !seen.active && active.contains(&name) => seen.active = !is_in_address(text, slash),
            _ => {}
        }
    }
    announced
}

/// The name that begins at `start`, its `#41` resolved, and where it ends. Of a long one only the beginning.
fn name_at(text: &[u8], start: usize) -> (Vec<u8>, usize) {
    let mut name = Vec::new();
    let mut at = start;
    while name.len() <= LONGEST_NAME {
        match text.get(at..) {
            Some([b'#', high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                name.push(hex_digit(*high) * 16 + hex_digit(*low));
                at += 3;
            }
            Some([byte, ..]) if !is_space(*byte) && !b"()<>[]{}/%".contains(byte) => {
                name.push(*byte);
                at += 1;
            }
            _ => break,
        }
    }
    (name, at)
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Whether the slash belongs to a web address in a text, as in `(https://example.org/JavaScript)`. From the
/// opening bracket on there is no space and no bracket, so a reader can't be anywhere but in that text, too.
fn is_in_address(text: &[u8], slash: usize) -> bool {
    const LONGEST_ADDRESS: usize = 512;
    let from = slash.saturating_sub(LONGEST_ADDRESS);
    let before = &text[from..slash];
    let Some(open) = before.iter().rposition(|byte| is_space(*byte) || b"()<>[]{}%\\".contains(byte)) else {
        return false;
    };
    before[open] == b'('
        && (before[open + 1..].starts_with(b"http://") || before[open + 1..].starts_with(b"https://"))
}

/// White space of PDF.
fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}
