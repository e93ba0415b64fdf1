//! The static files, inside the program. Their addresses carry a hash of the content, so that browsers may keep
//! them for ever and still get a new version at once.

use std::sync::LazyLock;

use amtsbote_core::error::Error;
use amtsbote_core::seal::sha256_hex;
use axum::extract::Path;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use rust_embed::RustEmbed;

use super::answer::{Answer, WebError};
use super::routes::{Access, Route};

#[derive(RustEmbed)]
#[folder = "web/"]
struct Assets;

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Assets::iter().collect();
    names.sort();
    let mut all = String::new();
    for name in names {
        if let Some(file) = Assets::get(&name) {
            all.push_str(&sha256_hex(&file.data));
        }
    }
    sha256_hex(all.as_bytes()).chars().take(12).collect()
});

/// Hash of all static files.
pub fn version() -> &'static str {
    &VERSION
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route { access: Access::Public, path: "/static/{*path}", methods: &["GET"], handler: get(asset) },
        Route { access: Access::Public, path: "/widget.js", methods: &["GET"], handler: get(widget) },
    ]
}

async fn asset(Path(path): Path<String>) -> Answer {
    // Other sites name the widget without a hash.
    let cache =
        if path == "widget.js" { "public, max-age=3600" } else { "public, max-age=31536000, immutable" };
    serve(&path, cache)
}

/// The one script line of other sites has no hash in its address: it is asked for again after an hour.
async fn widget() -> Answer {
    serve("widget.js", "public, max-age=3600")
}

fn serve(path: &str, cache: &'static str) -> Answer {
    let file = Assets::get(path)
        .filter(|_| !path.starts_with("templates/"))
        .ok_or_else(|| WebError::from(Error::NotFound("asset")))?;
    let kind = file.metadata.mimetype().to_owned();
    let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind };
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache.to_owned())], file.data.into_owned())
        .into_response())
}
