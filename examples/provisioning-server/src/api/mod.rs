//! `/api/v1`: what the product behind asks, in JSON.

mod access;
mod answer;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::database::Product;
use crate::history::Recorder;

/// The state that the routes need.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) product: Arc<Product>,
    pub(crate) history: Arc<Recorder>,
}

/// Returns the routes.
pub(crate) fn router(api: Api) -> Router {
    let access = get(access::get).fallback(answer::method_not_allowed);
    Router::new()
        .route("/api/v1/access/{user_name}", access)
        .with_state(api)
}
