//! Bearer tokens (RFC 6750).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use scim::service::{close_unread, error_response};
use scim::{BearerError, Error, Result};

use crate::Credentials;

/// Decides whether a request is admitted, and on whose behalf.
pub trait Verify: Send + Sync + 'static {
    /// The one on whose behalf an admitted request acts: the context of a service by [`principal`](crate::principal), and in
    /// the extensions of the request for handlers and [`extract`](crate::extract).
    type Principal: Clone + Send + Sync + 'static;

    /// Decides about a request by its credentials, which may be [`Absent`](Credentials::Absent).
    ///
    /// Most begin with `credentials.token()?`, or with `credentials.token_or_bare()?` for identity providers that send a
    /// token without `Bearer` before it. Whoever must look at something else first, such as whether the tenant in the path
    /// exists, asks for the token later. `parts` are there for extractors, as in `Path::from_request_parts(parts, &())`,
    /// and the verifier may leave extensions for others.
    ///
    /// Compare secrets in constant time, or look up their hash.
    ///
    /// # Errors
    /// The answer to a request that is not admitted, of any status: 401 for a token that is unknown, expired or revoked,
    /// `Error::bearer(BearerError::InsufficientScope, …)` for one that is not good for this, 404 for a tenant that does not
    /// exist; [`Error::internal`] if nobody can say. Anything that a refusal is to leave behind, such as a row in a history or a
    /// count, is written before it is returned. A header on every answer is a matter of a layer around this one.
    fn verify(
        &self,
        credentials: &Credentials,
        parts: &mut Parts,
    ) -> impl Future<Output = Result<Self::Principal>> + Send;
}

/// A layer that lets the requests through that a [`Verify`] admits, and answers all others with the error that it returns,
/// as a SCIM error. Of the body of those nothing is read, and where there is one, `Connection: close` says that the
/// connection of HTTP/1 ends with the answer.
///
/// `WWW-Authenticate` has the code of that error (RFC 6750 section 3.1). A 401 without one has `invalid_token` if the request
/// shows a token, and none otherwise.
///
/// ```
/// use http::StatusCode;
/// use http::request::Parts;
/// use scim::resources::User;
/// use scim::service::ScimService;
/// use scim::store::Memory;
/// use scim_axum::{BearerLayer, Credentials, Verify, mount, principal};
///
/// struct OneToken;
///
/// impl Verify for OneToken {
///     type Principal = &'static str;
///
///     async fn verify(&self, credentials: &Credentials, _: &mut Parts) -> scim::Result<&'static str> {
///         // A real one compares in constant time.
///         match credentials.token()? {
///             "sesame" => Ok("ali"),
///             _ => Err(scim::Error::new(StatusCode::UNAUTHORIZED, "The token is not known.")),
///         }
///     }
/// }
///
/// # fn example() -> scim::Result<axum::Router> {
/// let store = Memory::new().single_tenant();
/// let service = ScimService::<&'static str>::builder(principal()).resource::<User, _>(store).build()?;
/// let app = mount("/scim/v2", service).layer(BearerLayer::new(OneToken));
/// # Ok(app)
/// # }
/// # example().unwrap();
/// ```
pub struct BearerLayer<V> {
    settings: Settings<V>,
}

struct Settings<V> {
    verifier: Arc<V>,
    realm: Arc<str>,
}

impl<V> Clone for Settings<V> {
    fn clone(&self) -> Self {
        Self {
            verifier: Arc::clone(&self.verifier),
            realm: Arc::clone(&self.realm),
        }
    }
}

impl<V: Verify> BearerLayer<V> {
    /// Makes a layer that asks `verifier`.
    #[must_use]
    pub fn new(verifier: V) -> Self {
        Self {
            settings: Settings {
                verifier: Arc::new(verifier),
                realm: "scim".into(),
            },
        }
    }

    /// Sets the realm that a 401 names; `scim` unless said otherwise.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.settings.realm = realm.into();
        self
    }
}

impl<V> Clone for BearerLayer<V> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
        }
    }
}

impl<V, S> tower::Layer<S> for BearerLayer<V> {
    type Service = Bearer<V, S>;

    fn layer(&self, inner: S) -> Bearer<V, S> {
        Bearer {
            settings: self.settings.clone(),
            inner,
        }
    }
}

/// The service that [`BearerLayer`] puts around another.
pub struct Bearer<V, S> {
    settings: Settings<V>,
    inner: S,
}

impl<V, S: Clone> Clone for Bearer<V, S> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            inner: self.inner.clone(),
        }
    }
}

impl<V, S> tower::Service<Request> for Bearer<V, S>
where
    V: Verify,
    S: tower::Service<Request, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let settings = self.settings.clone();
        // The one that is ready is used, its clone is for the next request.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match settings.admit(&mut parts).await {
                Ok(principal) => {
                    parts.extensions.insert(principal);
                    let answer = inner.call(Request::from_parts(parts, body)).await;
                    answer.map(IntoResponse::into_response)
                }
                Err(error) => {
                    let mut answer = error_response(&error, &parts.headers, &settings.realm);
                    close_unread(&parts, &body, answer.headers_mut());
                    Ok(answer.map(Body::new).into_response())
                }
            }
        })
    }
}

impl<V: Verify> Settings<V> {
    async fn admit(&self, parts: &mut Parts) -> Result<V::Principal> {
        let credentials = Credentials::of(parts);
        let decided = self.verifier.verify(&credentials, parts).await;
        decided.map_err(|error| about_token(error, &credentials))
    }
}

/// Adds the code of a token that is not good to a 401 (RFC 6750 section 3.1), where a [`Verify`] says only the status.
fn about_token(error: Error, credentials: &Credentials) -> Error {
    let shows_token = || credentials.refusal().bearer_error() == Some(BearerError::InvalidToken);
    match error.status() {
        StatusCode::UNAUTHORIZED if shows_token() => error.with_bearer_error(BearerError::InvalidToken),
        _ => error,
    }
}
