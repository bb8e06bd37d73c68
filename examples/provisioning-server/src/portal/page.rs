//! Templates as answers.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

/// Returns the answer with a page.
pub(super) fn answer(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        // Writing to a string cannot fail, and no value of ours refuses to be shown.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
