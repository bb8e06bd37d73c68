//! Services in routers.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::response::IntoResponse;
use scim::service::MountedAt;

/// Makes a router that serves SCIM below `prefix`, such as `/scim/v2`, or `/scim/{tenant}/v2` with a parameter for
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
/// A layer may stand around the router or around the service. Around the service it costs a request less: a router keeps
/// each of its own layers behind a pointer, and puts what it returns behind another.
///
/// ```
/// use axum::Router;
/// use scim::service::{NoContext, ScimService};
/// use scim_axum::{BearerLayer, Verify, mount};
/// use tower::Layer as _;
///
/// # fn example(verifier: impl Verify) -> scim::Result<Router> {
/// let service = ScimService::builder(NoContext).build()?;
/// Ok(mount("/scim/v2", BearerLayer::new(verifier).layer(service)))
/// # }
/// ```
///
/// # Panics
/// As [`Router::nest_service`] does, for a prefix that no route can have.
pub fn mount<T, S>(prefix: &str, service: T) -> Router<S>
where
    T: tower::Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send + 'static,
    S: Clone + Send + Sync + 'static,
{
    match prefix.trim_end_matches('/') {
        "" => router(service),
        prefix => Router::new().nest_service(prefix, Mounted(service)),
    }
}

/// Makes a router that serves SCIM and nothing else. Nested in another, it learns its prefix from the request.
pub fn router<T, S>(service: T) -> Router<S>
where
    T: tower::Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send + 'static,
    S: Clone + Send + Sync + 'static,
{
    Router::new().fallback_service(Mounted(service))
}

/// A [`ScimService`](scim::service::ScimService), perhaps with layers around it, that learns from axum where it is mounted.
#[derive(Debug, Clone)]
pub struct Mounted<T>(pub T);

impl<T: tower::Service<Request>> tower::Service<Request> for Mounted<T> {
    type Response = T::Response;
    type Error = T::Error;
    type Future = T::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> T::Future {
        if let Some(prefix) = prefix(&request) {
            request.extensions_mut().insert(MountedAt(prefix));
        }
        self.0.call(request)
    }
}

/// Returns the part that routers have taken off the path of the request.
fn prefix(request: &Request) -> Option<String> {
    let OriginalUri(original) = request.extensions().get()?;
    let (whole, rest) = (original.path(), request.uri().path());
    // For a request to the prefix itself, the rest is a slash that the original does not have.
    let prefix = whole.strip_suffix(rest).unwrap_or(whole);
    Some(prefix.to_owned())
}
