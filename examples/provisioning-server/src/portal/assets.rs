//! Style sheet, icon and script: part of the program, and called by their content, so that browsers keep them for good.

use std::io::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// The path below which assets are served, with a slash at its end.
pub(super) const PREFIX: &str = "/assets/";

/// A browser asks once: a new content has a new name.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// An asset that pages name.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its name with a part of the hash of its content.
    name: String,
    kind: &'static str,
    plain: &'static [u8],
    zipped: Vec<u8>,
}

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("portal", "css", "text/css", include_bytes!("assets/portal.css")));

pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "portal",
        "js",
        "text/javascript",
        include_bytes!("assets/portal.js"),
    )
});

/// htmx 4.0.1, as its package has it (Zero-Clause BSD).
pub(super) static HTMX: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "htmx",
        "js",
        "text/javascript",
        include_bytes!("assets/htmx-4.0.1.min.js"),
    )
});

pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")));

impl Asset {
    fn new(stem: &str, extension: &str, kind: &'static str, plain: &'static [u8]) -> Self {
        let hash: String = Sha256::digest(plain)
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            name: format!("{stem}.{hash}.{extension}"),
            kind,
            plain,
            zipped: zipped(plain),
        }
    }

    /// Returns its path on this server.
    pub(super) fn path(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let kind = format!("{}; charset=utf-8", self.kind);
        let headers = [(CONTENT_TYPE, kind)];
        let kept = [
            (CACHE_CONTROL, FOR_GOOD),
            (VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if takes_gzip(asked) && !self.zipped.is_empty() {
            let encoding = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
            return (headers, kept, encoding, self.zipped.clone()).into_response();
        }
        (headers, kept, self.plain).into_response()
    }
}

/// Returns a content in gzip, or nothing if it cannot be made.
fn zipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    match encoder.write_all(plain) {
        Ok(()) => encoder.finish().unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

/// Returns whether the client takes gzip (RFC 9110 section 12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let values = asked.get_all(ACCEPT_ENCODING).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            is_gzip && !parts.any(is_nothing)
        })
}

/// Returns whether a parameter says that a coding is not acceptable: `q=0`, `q=0.000`.
fn is_nothing(parameter: &str) -> bool {
    parameter
        .strip_prefix(['q', 'Q'])
        .and_then(|rest| rest.strip_prefix('='))
        .is_some_and(|weight| weight.parse() == Ok(0.0))
}

/// Answers with the asset of this name.
pub(super) async fn get(Path(name): Path<String>, asked: HeaderMap) -> Result<Response, Problem> {
    [&STYLE, &SCRIPT, &HTMX, &ICON]
        .into_iter()
        .find(|asset| asset.name == name)
        .map(|asset| asset.answer(&asked))
        .ok_or(Problem::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9110 section 12.5.3: a coding of weight 0 is not acceptable.
    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (list, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("br, deflate", false),
            ("", false),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(ACCEPT_ENCODING, HeaderValue::from_static(list));
            assert_eq!(takes_gzip(&asked), takes, "{list}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn an_asset_is_smaller_in_gzip() {
        assert!(!STYLE.zipped.is_empty() && STYLE.zipped.len() * 3 < STYLE.plain.len());
    }
}
