//! `/healthz` and `/readyz`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::database::Product;

/// The version of the server.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long the database may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says that the process answers, and which version it is.
pub(crate) async fn healthz() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok", "version": VERSION }))
}

/// Whether requests should be sent here.
#[derive(Debug)]
pub(crate) struct Readiness {
    product: Arc<Product>,
    draining: AtomicBool,
}

impl Readiness {
    /// Of a server with this database.
    pub(crate) fn new(product: Arc<Product>) -> Self {
        Self {
            product,
            draining: AtomicBool::new(false),
        }
    }

    /// From now on requests should go elsewhere.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Why requests should go elsewhere, if they should.
    async fn obstacle(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Acquire) {
            return Some("draining");
        }
        match tokio::time::timeout(PATIENCE, self.product.ping()).await {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => {
                tracing::error!("Not ready: {}", fault.with_causes());
                Some("database")
            }
            Err(_) => {
                tracing::error!(
                    "Not ready: the database took longer than {} seconds.",
                    PATIENCE.as_secs()
                );
                Some("database")
            }
        }
    }
}

/// Says whether requests should be sent here: 503 while the server drains, and when the database does not answer.
pub(crate) async fn readyz(State(readiness): State<Arc<Readiness>>) -> Response {
    match readiness.obstacle().await {
        None => answer(StatusCode::OK, &json!({ "status": "ready" })),
        Some(reason) => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({ "status": "not ready", "reason": reason }),
        ),
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, body.to_string()).into_response()
}
