//! The pages of owners of the instance: organizations, and one another.

pub(super) mod new_organization;
pub(super) mod organization;
pub(super) mod organizations;
pub(super) mod owners;

use axum::Router;
use axum::extract::RawPathParams;
use axum::routing::get;

use super::problem::Problem;
use super::visit::Pages;
use crate::domain::organization::Name;

/// Returns the routes.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/organizations", get(organizations::get))
        .route(
            "/new-organization",
            get(new_organization::get).post(new_organization::post),
        )
        .route("/organizations/{name}", get(organization::get))
        .route(
            "/organizations/{name}/rename",
            get(organization::get_rename).post(organization::post_rename),
        )
        .route(
            "/organizations/{name}/enable",
            get(organization::get_enable).post(organization::post_enable),
        )
        .route(
            "/organizations/{name}/disable",
            get(organization::get_disable).post(organization::post_disable),
        )
        .route(
            "/organizations/{name}/delete",
            get(organization::get_delete).post(organization::post_delete),
        )
        .route("/owners", get(owners::get))
        .route("/owners/new", get(owners::get_new).post(owners::post_new))
        .route(
            "/owners/{owner}/recover",
            get(owners::get_recover).post(owners::post_recover),
        )
        .route(
            "/owners/{owner}/remove",
            get(owners::get_remove).post(owners::post_remove),
        )
}

/// Reads the name of an organization in the path. The segment is not called as one of an organization's own pages is.
fn name(path: &RawPathParams) -> Result<Name, Problem> {
    let (_, text) = path
        .iter()
        .find(|(name, _)| *name == "name")
        .ok_or(Problem::NotFound)?;
    Name::parse(text).map_err(|_| Problem::NotFound)
}
