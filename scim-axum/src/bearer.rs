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
use scim::service::error_response;
use scim::{BearerError, Error, Result};

use crate::Credentials;

/// Says whose token it is.
pub trait Verify: Send + Sync + 'static {
    /// Who a token belongs to; handlers and [`extract`](crate::extract) find it in the extensions of the request.
    type Principal: Clone + Send + Sync + 'static;

    /// Checks a token. Compare secrets in constant time, or look up their hash.
    ///
    /// # Errors
    /// 401 for a token that is unknown, expired or revoked, 403 for one that is not good for this; [`Error::internal`]
    /// if nobody can say.
    fn verify(&self, token: &str, parts: &Parts) -> impl Future<Output = Result<Self::Principal>> + Send;
}

/// A layer that lets requests through that carry a token which a [`Verify`] knows, and answers all others as
/// [`Credentials::token`] and the `Verify` say, with a SCIM error and the code of RFC 6750 section 3.1 in
/// `WWW-Authenticate`.
///
/// ```
/// use axum::Extension;
/// use http::StatusCode;
/// use http::request::Parts;
/// use scim::resources::User;
/// use scim::service::ScimService;
/// use scim::store::Memory;
/// use scim_axum::{BearerLayer, Verify, extract, mount};
///
/// struct OneToken;
///
/// impl Verify for OneToken {
///     type Principal = &'static str;
///
///     async fn verify(&self, token: &str, _: &Parts) -> scim::Result<&'static str> {
///         // A real one compares in constant time.
///         match token {
///             "sesame" => Ok("ali"),
///             _ => Err(scim::Error::new(StatusCode::UNAUTHORIZED, "The token is not known.")),
///         }
///     }
/// }
///
/// # fn example() -> scim::Result<axum::Router> {
/// let store = Memory::new().single_tenant();
/// let service = ScimService::builder(extract::<Extension<&'static str>>()).resource::<User, _>(store).build()?;
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
    accepts_bare: bool,
}

impl<V> Clone for Settings<V> {
    fn clone(&self) -> Self {
        Self {
            verifier: Arc::clone(&self.verifier),
            realm: Arc::clone(&self.realm),
            accepts_bare: self.accepts_bare,
        }
    }
}

impl<V: Verify> BearerLayer<V> {
    /// A layer that asks `verifier`.
    #[must_use]
    pub fn new(verifier: V) -> Self {
        Self {
            settings: Settings {
                verifier: Arc::new(verifier),
                realm: "scim".into(),
                accepts_bare: false,
            },
        }
    }

    /// Also takes a token without `Bearer` before it, as some identity providers send it.
    #[must_use]
    pub fn accepting_bare_tokens(mut self) -> Self {
        self.settings.accepts_bare = true;
        self
    }

    /// The realm that a 401 names; `scim` unless said otherwise.
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
    S: tower::Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
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
            match settings.admit(&parts).await {
                Ok(principal) => {
                    parts.extensions.insert(principal);
                    inner.call(Request::from_parts(parts, body)).await
                }
                Err(error) => {
                    let answer = error_response(&error, &parts.headers, &settings.realm);
                    Ok(answer.map(Body::new).into_response())
                }
            }
        })
    }
}

impl<V: Verify> Settings<V> {
    async fn admit(&self, parts: &Parts) -> Result<V::Principal> {
        let credentials = Credentials::of(parts);
        let token = match self.accepts_bare {
            true => credentials.token_or_bare()?,
            false => credentials.token()?,
        };
        self.verifier.verify(token, parts).await.map_err(about_token)
    }
}

/// An error about a token has a code (RFC 6750 section 3.1), also where a [`Verify`] says only the status.
fn about_token(error: Error) -> Error {
    let code = match error.status() {
        StatusCode::UNAUTHORIZED => BearerError::InvalidToken,
        StatusCode::FORBIDDEN => BearerError::InsufficientScope,
        _ => return error,
    };
    error.with_bearer_error(code)
}
