//! `/scim/{organization}/v2/…`, and the same without the version (RFC 7644 section 3.13).

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use scim::Error;
use scim::service::{close_unread, error_response};
use scim_axum::{BearerLayer, mount};
use tower::{Service, ServiceBuilder};
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};

use super::authenticator::Authenticator;
use super::context::Context;
use super::directory::Directory;
use super::listening::Listening;
use super::long_bodies::{Beside, LongBodies};
use super::policies::Policies;
use super::rates::Rates;
use super::service::{self, Serving};
use super::under_way::{Counting, UnderWay, Watch};
use crate::domain::fault::{Fault, Result};

/// The realm of every organization.
pub(crate) const REALM: &str = "scim";

/// Returns the routes of every organization's endpoint: the service, and around it those who may use it. The task is to run
/// beside it.
pub(crate) fn router(serving: &Serving<'_>) -> Result<(Router, Watch)> {
    let authenticator = Authenticator {
        directory: Directory::new(Arc::clone(serving.product)),
        history: Arc::clone(serving.history),
        policies: Arc::new(Policies::new().map_err(service::cannot_set_up)?),
        rates: Rates::new(serving.rate),
    };
    let watch = Watch {
        under_way: Arc::default(),
        product: Arc::clone(serving.product),
        service: service::open(serving)?,
    };
    let threads = LongBodies::begin()
        .map_err(|cause| Fault::internal("The process cannot start its threads.", cause))?;
    let under_way: Arc<UnderWay> = Arc::clone(&watch.under_way);
    let service = ServiceBuilder::new()
        .layer(BearerLayer::new(authenticator).realm(REALM))
        .layer_fn(|service| Counting {
            service,
            under_way: Arc::clone(&under_way),
        })
        .layer_fn(InSpan)
        .layer_fn(|service| Beside {
            service,
            threads: threads.clone(),
        })
        .service(watch.service.clone());
    let router = mount("/scim/{organization}", service).fallback(no_route);
    Ok((router, watch))
}

/// Answers requests for every path that is none of ours.
async fn no_route(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let nothing = Error::new(
        StatusCode::NOT_FOUND,
        "Nothing is served here: the URL of an organization is /scim/{organization}/v2.",
    );
    let mut answer = error_response(&nothing, &head.headers, REALM);
    close_unread(&head, &body, answer.headers_mut());
    answer.map(Body::new)
}

/// Works out the answer of an admitted request in the span of its context, which remembers the body.
#[derive(Debug, Clone)]
struct InSpan<S>(S);

impl<S: Service<Request>> Service<Request> for InSpan<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<std::result::Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Some(cx) = request.extensions().get::<Context>() else {
            return self.0.call(request).instrument(Span::none());
        };
        let (span, sent) = (cx.span().clone(), cx.sent().clone());
        let request = request.map(|body| Body::new(Listening { body, sent }));
        self.0.call(request).instrument(span)
    }
}
