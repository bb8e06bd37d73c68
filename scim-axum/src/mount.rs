//! Services in routers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use scim::service::{MountedAt, ScimService};

/// A router that serves SCIM below `prefix`, such as `/scim/v2`, or `/scim/{tenant}/v2` with a parameter for
/// [`extract`](crate::extract). Locations in answers carry the prefix of the request.
///
/// `/` mounts the service at the root of the router, which may itself be nested.
///
/// URLs without a version (RFC 7644 section 3.13) are answered as well, where the service is mounted above the version:
///
/// ```
/// use axum::Router;
/// use scim::service::{NoContext, ScimService};
///
/// # fn example() -> scim::Result<Router> {
/// // `/scim/v2/Users` and `/scim/Users` are the same, and every location names the first.
/// let service = ScimService::builder(NoContext).version_in_locations().build()?;
/// Ok(scim_axum::mount("/scim", service))
/// # }
/// # example().unwrap();
/// ```
///
/// # Panics
/// As [`Router::nest_service`] does, for a prefix that no route can have.
pub fn mount<C, S>(prefix: &str, service: ScimService<C>) -> Router<S>
where
    C: Send + Sync + 'static,
    S: Clone + Send + Sync + 'static,
{
    match prefix.trim_end_matches('/') {
        "" => router(service),
        prefix => Router::new().nest_service(prefix, Mounted(service)),
    }
}

/// A router that serves SCIM and nothing else. Nested in another, it learns its prefix from the request.
pub fn router<C, S>(service: ScimService<C>) -> Router<S>
where
    C: Send + Sync + 'static,
    S: Clone + Send + Sync + 'static,
{
    Router::new().fallback_service(Mounted(service))
}

/// A service that learns from axum where it is mounted.
pub struct Mounted<C>(pub ScimService<C>);

impl<C> Clone for Mounted<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: Send + Sync + 'static> tower::Service<Request> for Mounted<C> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        if let Some(prefix) = prefix(&request) {
            request.extensions_mut().insert(MountedAt(prefix));
        }
        let service = self.0.clone();
        Box::pin(async move { Ok(service.respond(request).await.map(Body::new).into_response()) })
    }
}

/// What routers have taken off the path of the request.
fn prefix(request: &Request) -> Option<String> {
    let OriginalUri(original) = request.extensions().get()?;
    let (whole, rest) = (original.path(), request.uri().path());
    // For a request to the prefix itself, the rest is a slash that the original does not have.
    let prefix = whole.strip_suffix(rest).unwrap_or(whole);
    Some(prefix.to_owned())
}
