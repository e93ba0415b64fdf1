//! Pictures (JPEG, PNG): whole, of a size that can be shown, and nothing else in disguise. They are decoded
//! once under limits as proof; the pixels are thrown away, and nothing is taken out of the file (EXIF stays).

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{ImageFormat, ImageReader, Limits};

use super::inspect::{hides_pdf, hides_zip, is_second_format};
use crate::error::{Error, Result};

/// Most pixels: twice the largest usual telephone camera, or a sheet of A3 at 600 dpi by half.
const MOST_PIXELS: u64 = 50_000_000;

/// Most memory of the decoder, in bytes: the largest picture at four bytes a pixel, and some.
const MOST_MEMORY: u64 = 256_000_000;

/// A progressive JPEG may visit every pixel once in each scan; usual are ten scans.
const MOST_PIXEL_VISITS: u64 = 1_000_000_000;

/// Refuses a picture that is damaged, too large to decode, or followed by another format.
pub(super) fn check(bytes: &[u8], format: ImageFormat) -> Result<()> {
    let damaged = || Error::refused("document.damaged");
    let (width, height) = guarded(|| reader(bytes, format).into_dimensions())?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS {
        return Err(Error::refused("document.bomb"));
    }
    let (end, scans) = match format {
        ImageFormat::Png => (end_of_png(bytes).ok_or_else(damaged)?, 1),
        _ => end_of_jpeg(bytes).ok_or_else(damaged)?,
    };
    if pixels * scans > MOST_PIXEL_VISITS {
        return Err(Error::refused("document.bomb"));
    }
    if hides_pdf(bytes) || hides_zip(bytes) || is_second_format(&bytes[end..]) {
        return Err(Error::refused("document.polyglot"));
    }
    // Only up to the end: what follows is no picture that anybody sees.
    guarded(|| reader(&bytes[..end], format).decode()).map(drop)
}

fn reader(bytes: &[u8], format: ImageFormat) -> ImageReader<Cursor<&[u8]>> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    reader
}

/// A decoder's answer. One that panics on a hostile file has found it damaged.
fn guarded<T>(decode: impl FnOnce() -> image::ImageResult<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(image::ImageError::Limits(_))) => Err(Error::refused("document.bomb")),
        Ok(Err(_)) | Err(_) => Err(Error::refused("document.damaged")),
    }
}

/// Where a PNG ends: after its IEND chunk.
fn end_of_png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let head = bytes.get(at..at + 8)?;
        let length = usize::try_from(u32::from_be_bytes([head[0], head[1], head[2], head[3]])).ok()?;
        let is_end = &head[4..8] == b"IEND";
        at = at.checked_add(length)?.checked_add(12)?;
        if is_end {
            return (at <= bytes.len()).then_some(at);
        }
    }
}

/// Where a JPEG ends (after its EOI mark), and how many scans it has.
fn end_of_jpeg(bytes: &[u8]) -> Option<(usize, u64)> {
    let mut at = 2;
    let mut scans = 0;
    loop {
        // A segment begins with FF, any number of further FF, and its mark.
        if *bytes.get(at)? != 0xff {
            return None;
        }
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let mark = bytes[at];
        at += 1;
        match mark {
            0xd9 => return Some((at, scans)),
            // Marks without a segment.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let length = bytes.get(at..at + 2)?;
        at += usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
        if mark == 0xda {
            scans += 1;
            at = end_of_scan(bytes, at)?;
        }
    }
}

/// The first mark after the data of a scan that doesn't belong to it (FF 00 is a byte, FF D0 to D7 restart).
fn end_of_scan(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match bytes.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}
