//! A posted form with a file: read in pieces and only up to a limit, and only from one of our own pages. Smaller limits
//! than this are told by the office in words.

use std::time::Duration;

use amtsbote_core::error::Error;
use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;
use axum::http::{HeaderMap, header};

use super::Web;
use super::answer::WebError;
use super::routes::UPLOAD_LIMIT;
use super::visitor::{Fields, Visitor, own_form};

/// Bytes of a form beside its file: the other fields, the boundaries, and a file that is a little too large, which the
/// office refuses in the conversation.
const BESIDE: usize = 1_000_000;

/// How long the next piece of a form may take to arrive.
const PIECE_TIME: Duration = Duration::from_secs(30);

/// The fields of the form, and the file if one was chosen: (name, bytes). The token must stand before the file, as
/// it does on our pages, so that nothing large is read for a foreign form.
pub async fn read(
    web: &Web,
    visitor: &Visitor,
    headers: &HeaderMap,
    mut form: Multipart,
) -> Result<(Fields, Option<(String, Vec<u8>)>), WebError> {
    let megabytes = web.office.config.limits.upload_mb;
    let too_large =
        || WebError::from(Error::refused_with("document.too_large", vec![("limit", megabytes.to_string())]));
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if declared.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > UPLOAD_LIMIT) {
        return Err(too_large());
    }
    let most = usize::try_from(megabytes).unwrap_or(usize::MAX).saturating_mul(1_000_000) + BESIDE;
    let (mut pairs, mut file) = (Vec::new(), None);
    let (mut own, mut read, mut overflowed) = (false, 0, false);
    while let Some(mut field) = in_time(form.next_field()).await? {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().unwrap_or_default().to_owned();
        if name == "file" && !own {
            return Err(Error::refused("web.form_expired").into());
        }
        let room = if name == "file" { most } else { BESIDE };
        let mut bytes = Vec::new();
        while let Some(chunk) = in_time(field.chunk()).await? {
            read += chunk.len();
            if read <= room {
                bytes.extend_from_slice(&chunk);
                continue;
            }
            if !own || read > UPLOAD_LIMIT {
                return Err(too_large());
            }
            // A browser shows an answer only after it has sent everything: the rest is read and thrown away.
            overflowed = true;
            bytes = Vec::new();
        }
        if name == "file" {
            file = Some((file_name, bytes)).filter(|(name, _)| !name.is_empty());
        } else {
            let value = String::from_utf8_lossy(&bytes).into_owned();
            own |= name == "csrf" && own_form(visitor, headers, &value);
            pairs.push((name, value));
        }
    }
    if overflowed {
        return Err(too_large());
    }
    if own { Ok((Fields::new(pairs), file)) } else { Err(Error::refused("web.form_expired").into()) }
}

/// Waits for the next piece, but not for ever.
async fn in_time<T>(piece: impl Future<Output = Result<T, MultipartError>>) -> Result<T, WebError> {
    match tokio::time::timeout(PIECE_TIME, piece).await {
        Ok(Ok(piece)) => Ok(piece),
        // What was cut off is nothing that its sender still waits for; a form in no known shape is not ours.
        Ok(Err(_)) => Err(Error::refused("web.form_expired").into()),
        Err(_) => Err(Error::refused("web.too_slow").into()),
    }
}
