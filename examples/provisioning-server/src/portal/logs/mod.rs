//! The pages that tell what has happened here: the audit log, conflicts with the identity provider, and mails.

pub(in crate::portal) mod audit;
pub(in crate::portal) mod conflicts;
pub(in crate::portal) mod mail;
pub(in crate::portal) mod told;

use axum::Router;
use axum::routing::{get, post};

use super::visit::Pages;

/// Returns the routes of the pages of an organization.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/conflicts", get(conflicts::get))
        .route("/conflicts/{id}/ignore", post(conflicts::post_ignore))
        .route("/conflicts/{id}/reopen", post(conflicts::post_reopen))
        .route("/mail/{id}/link", post(mail::post_link))
        .merge(routes_of_realm())
}

/// Returns the routes of the pages that the instance has, too.
pub(super) fn routes_of_realm() -> Router<Pages> {
    Router::new()
        .route("/audit", get(audit::get))
        .route("/audit/export", get(audit::get_export))
        .route("/mail", get(mail::get))
        .route("/mail/{id}", get(mail::get_one))
        .route("/mail/{id}/retry", post(mail::post_retry))
        .route("/mail/{id}/cancel", post(mail::post_cancel))
}
