//! Links to the set-up guide: made by administrators, and used by whoever has one, without an account.

pub(super) mod helper;
pub(super) mod links;

use axum::Router;
use axum::routing::{get, post};

use super::visit::Pages;

/// Returns the routes.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/integrations/scim/setup-link", get(links::get))
        .route(
            "/integrations/scim/setup-link/new",
            get(links::get_new).post(links::post_new),
        )
        .route(
            "/integrations/scim/setup-link/{link}/revoke",
            get(links::get_revoke).post(links::post_revoke),
        )
        .route("/setup", get(helper::get))
        .route("/setup/{secret}", get(helper::get_link).post(helper::post_link))
        .route("/setup/token", get(helper::get_token).post(helper::post_token))
        .route("/setup/done", post(helper::post_done))
}
