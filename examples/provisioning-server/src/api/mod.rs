//! `/api/v1`: what the product behind asks, in JSON.

mod access;
mod answer;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::sync::Semaphore;

use crate::database::{Product, SNAPSHOT_AGE};
use crate::history::Recorder;

/// The state that the routes need.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) product: Arc<Product>,
    pub(crate) history: Arc<Recorder>,
    pub(crate) second_looks: SecondLooks,
}

/// Room for requests that wait until the database is looked at anew, because their token may have been made by another
/// process a moment ago. Whoever guesses tokens fills it at most, and is then refused at once.
#[derive(Debug, Clone)]
pub(crate) struct SecondLooks(Arc<Semaphore>);

impl Default for SecondLooks {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM)))
    }
}

/// How many requests wait at once.
const ROOM: usize = 64;

impl SecondLooks {
    /// Waits until whatever is read has everything that is committed by now. `false` at once if there is no room.
    async fn wait(&self) -> bool {
        let Ok(_room) = self.0.try_acquire() else {
            return false;
        };
        tokio::time::sleep(SNAPSHOT_AGE).await;
        true
    }
}

/// The routes.
pub(crate) fn router(api: Api) -> Router {
    let access = get(access::get).fallback(answer::method_not_allowed);
    Router::new()
        .route("/api/v1/access/{user_name}", access)
        .with_state(api)
}
