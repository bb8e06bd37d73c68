//! How people sign in: the settings of an organization, and its identity provider for single sign-on.

pub(in crate::portal) mod failures;
pub(in crate::portal) mod login;
pub(in crate::portal) mod saml;

use axum::Router;
use axum::routing::{get, post};

use super::visit::Pages;

/// Returns the routes of the pages of an organization.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/login-settings", get(login::get).post(login::post))
        .route("/integrations/saml", get(saml::get).post(saml::post))
        .route("/integrations/saml/refresh", post(saml::post_refresh))
        .route("/integrations/saml/trial", post(saml::post_trial))
        .route(
            "/integrations/saml/delete",
            get(saml::get_delete).post(saml::post_delete),
        )
        .route("/integrations/saml/failures", get(failures::get))
}
