//! `/healthz`.

use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::json;

/// The version of the server.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Says that the process answers, and which version it is.
pub(crate) async fn healthz() -> Response {
    let body = json!({ "status": "ok", "version": VERSION }).to_string();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
