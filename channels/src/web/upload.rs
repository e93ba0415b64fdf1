//! A posted form with a file: read in pieces and only up to a limit, and only from one of our own pages. Smaller limits
//! than this are told by the office in words.

use amtsbote_core::error::Error;
use axum::extract::Multipart;
use axum::http::HeaderMap;

use super::Web;
use super::answer::WebError;
use super::visitor::{Fields, Visitor, own_form};

/// Largest file that is read from a form, in bytes.
const FILE_LIMIT: usize = 60 * 1_000_000;

/// The fields of the form, and the file if one was chosen: (name, bytes). The token must stand before the file, as
/// it does on our pages, so that nothing large is read for a foreign form.
pub async fn read(
    web: &Web,
    visitor: &Visitor,
    headers: &HeaderMap,
    mut form: Multipart,
) -> Result<(Fields, Option<(String, Vec<u8>)>), WebError> {
    let too_large = || {
        let limit = web.office.config.limits.upload_mb.to_string();
        WebError::from(Error::refused_with("document.too_large", vec![("limit", limit)]))
    };
    let (mut pairs, mut file) = (Vec::new(), None);
    let mut own = false;
    while let Some(mut field) = form.next_field().await.map_err(|_| too_large())? {
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" {
            let value = field.text().await.map_err(|_| too_large())?;
            own |= name == "csrf" && own_form(visitor, headers, &value);
            pairs.push((name, value));
            continue;
        }
        if !own {
            return Err(Error::refused("web.form_expired").into());
        }
        let file_name = field.file_name().unwrap_or_default().to_owned();
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|_| too_large())? {
            if bytes.len() + chunk.len() > FILE_LIMIT {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        file = Some((file_name, bytes)).filter(|(name, _)| !name.is_empty());
    }
    if own { Ok((Fields::new(pairs), file)) } else { Err(Error::refused("web.form_expired").into()) }
}
