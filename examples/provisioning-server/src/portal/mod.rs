//! The pages of the product, for browsers. They hold no rule: what they show and do, `login` and `actions` decide.

mod account;
mod agent;
mod assets;
mod cookies;
mod destination;
mod entrance;
mod first_run;
mod forgotten;
mod form;
mod frame;
#[cfg(test)]
mod gallery;
mod headers;
mod home;
mod link;
mod moment;
mod page;
mod passwords;
mod person;
mod problem;
mod qr;
mod second_factor;
mod sign_in;
mod sign_in_name;
mod single_sign_on;
mod step_up;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::csrf::CsrfLayer;

use crate::database::Product;
use crate::domain::fault::{Fault, Result};
use crate::domain::public_url::PublicUrl;

/// What the pages need.
#[derive(Debug)]
pub(crate) struct Portal<'a> {
    pub(crate) product: &'a Arc<Product>,
    /// How browsers reach the server.
    pub(crate) base: &'a PublicUrl,
}

/// The routes of all pages.
///
/// # Errors
/// Internal if forms could not be told from those of other sites.
pub(crate) fn router(portal: &Portal<'_>) -> Result<Router> {
    let same_site = CsrfLayer::new()
        .add_trusted_origin(portal.base.origin())
        .map_err(|cause| Fault::internal("The public URL is not an origin that browsers name.", cause))?;
    let assets = Router::new()
        .route("/{name}", get(assets::get))
        .fallback(problem::not_found);
    let router = Router::new()
        .route("/", get(entrance::get))
        .with_state(Arc::clone(portal.product))
        .nest(assets::PREFIX, assets)
        .nest("/o/", Router::new().fallback(problem::not_found))
        .nest("/instance/", Router::new().fallback(problem::not_found))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(same_site)
        .layer(from_fn(problem::pages))
        .layer(from_fn_with_state(portal.base.scheme(), headers::secure));
    Ok(router)
}
