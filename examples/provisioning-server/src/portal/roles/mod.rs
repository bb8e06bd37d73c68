//! Roles: what each permits, who has it, and what becomes of people when one changes.

pub(super) mod list;
pub(super) mod role;

use axum::Router;
use axum::routing::get;

use super::visit::Pages;

/// Returns the routes of roles.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/roles", get(list::get))
        .route("/roles/new", get(role::get_new).post(role::post_new))
        .route("/roles/{role}", get(role::get).post(role::post))
        .route("/roles/{role}/delete", get(role::get_delete).post(role::delete))
}
