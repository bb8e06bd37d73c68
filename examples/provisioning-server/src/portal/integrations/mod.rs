//! Integrations: their list, and the side panel of SCIM.

pub(super) mod card;
pub(super) mod delete;
pub(super) mod fields;
pub(super) mod history;
pub(super) mod list;
pub(super) mod mapping;
pub(super) mod panel;
pub(super) mod settings;
mod token;

use axum::Router;
use axum::routing::get;

use super::visit::Pages;

/// Returns the routes of integrations.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/integrations", get(list::get))
        .route("/integrations/scim", get(settings::get).post(settings::post))
        .route("/integrations/scim/token", axum::routing::post(token::post))
        .route("/integrations/scim/token/{token}", get(token::get))
        .route(
            "/integrations/scim/token/{token}/revoke",
            get(token::get_revoke).post(token::post_revoke),
        )
        .route(
            "/integrations/scim/token/{token}/keep",
            get(token::get_keep).post(token::post_keep),
        )
        .route(
            "/integrations/scim/mapping",
            get(mapping::get).post(mapping::post),
        )
        .route(
            "/integrations/scim/mapping/restore/{group}",
            get(mapping::get_restore).post(mapping::post_restore),
        )
        .route("/integrations/scim/history", get(history::get))
        .route("/integrations/scim/history/export", get(history::export))
        .route("/integrations/scim/history/{request}", get(history::get_request))
        .route("/integrations/scim/delete", get(delete::get).post(delete::post))
}
