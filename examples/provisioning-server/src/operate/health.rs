//! `/healthz` and `/readyz`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use scim::Error;
use scim::service::{close_unread, error_response};
use serde_json::{Value, json};

use crate::database::{Health, Product};
use crate::delivery::mail::Counts;
use crate::scim_api::REALM;

/// The version of the server.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long the database may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

/// When to come again while all connections are at work.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Says that the process answers, and which version it is.
pub(crate) async fn healthz() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok", "version": VERSION }))
}

/// Whether requests should be sent here.
#[derive(Debug)]
pub(crate) struct Readiness {
    product: Arc<Product>,
    mails: Option<Arc<Counts>>,
    draining: AtomicBool,
}

impl Readiness {
    /// Makes the health of a server with this database; with these mails if it sends any.
    pub(crate) fn new(product: Arc<Product>, mails: Option<Arc<Counts>>) -> Self {
        Self {
            product,
            mails,
            draining: AtomicBool::new(false),
        }
    }

    /// Says that from now on requests should go elsewhere.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Returns whether mails wait because the mail server cannot be used. Requests are answered all the same.
    fn do_mails_wait(&self) -> bool {
        self.mails.as_ref().is_some_and(|mails| mails.is_in_trouble())
    }

    /// Returns why requests should go elsewhere, if they should.
    async fn obstacle(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Acquire) {
            return Some("draining");
        }
        if let Some(reason) = trouble(self.product.health()) {
            return Some(reason);
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

/// Returns the word for what hinders the database, which has told its log the sentence.
fn trouble(health: Health) -> Option<&'static str> {
    match health {
        Health::Good => None,
        Health::DiskFull => Some("disk-full"),
        Health::DiskFails => Some("disk-fails"),
        Health::Stuck(_) => Some("writer-stuck"),
        Health::FileGone => Some("file-gone"),
        _ => Some("database"),
    }
}

/// Says whether requests should be sent here: 503 while the server drains, and when the database does not answer, or
/// cannot write, with one word for the reason. A mail server that cannot be used is told of, and is not a reason.
pub(crate) async fn readyz(State(readiness): State<Arc<Readiness>>) -> Response {
    match readiness.obstacle().await {
        None if readiness.do_mails_wait() => {
            answer(StatusCode::OK, &json!({ "status": "ready", "mail": "waiting" }))
        }
        None => answer(StatusCode::OK, &json!({ "status": "ready" })),
        Some(reason) => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({ "status": "not ready", "reason": reason }),
        ),
    }
}

/// Answers a request that is not the operator's, while all connections are at work.
pub(crate) async fn crowded(request: Request) -> Response {
    let busy = Error::busy(RETRY_AFTER);
    let mut answer = error_response(&busy, request.headers(), REALM);
    answer
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer.map(Body::new)
}

/// Answers requests whose bodies nobody reads.
pub(crate) async fn without_body(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let mut answer = next.run(Request::from_parts(head.clone(), Body::empty())).await;
    close_unread(&head, &body, answer.headers_mut());
    answer
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, body.to_string()).into_response()
}
