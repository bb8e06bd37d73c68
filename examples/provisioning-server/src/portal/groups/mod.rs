//! Groups: those of the identity provider, which are only looked at, and those that are kept here.

pub(super) mod list;
pub(super) mod local;
pub(super) mod provisioned;

use axum::Router;
use axum::routing::{get, post};

use super::visit::Pages;

/// Returns the routes of groups.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/groups", get(list::get))
        .route("/groups/new", get(local::get_new).post(local::post_new))
        .route("/groups/{group}", get(provisioned::get))
        .route("/groups/local/{group}", get(local::get).post(local::post))
        .route("/groups/local/{group}/members/add", post(local::add))
        .route("/groups/local/{group}/members/remove", post(local::remove))
        .route(
            "/groups/local/{group}/delete",
            get(local::get_delete).post(local::delete),
        )
}
