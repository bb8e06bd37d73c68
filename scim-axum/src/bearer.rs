//! Bearer tokens (RFC 6750).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use scim::service::error_response;
use scim::{Error, Result};

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

/// A layer that lets requests through that carry a token which a [`Verify`] knows, and answers all others with 401 as a
/// SCIM error.
///
/// `Bearer` may be written in any case (RFC 9110 section 11.1).
///
/// ```
/// use axum::Extension;
/// use http::StatusCode;
/// use http::request::Parts;
/// use scim::service::ScimService;
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
/// let service = ScimService::builder(extract::<Extension<&'static str>>()).build()?;
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
        let token = token(&parts.headers, self.accepts_bare)?;
        self.verifier.verify(token, parts).await
    }
}

/// The token of a request.
fn token(headers: &HeaderMap, accepts_bare: bool) -> Result<&str> {
    let refuse = |detail: &'static str| Err(Error::new(StatusCode::UNAUTHORIZED, detail));
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return refuse(
            "The request carries no token: send the header Authorization with Bearer and the token.",
        );
    };
    if values.next().is_some() {
        return Err(Error::new(
            StatusCode::BAD_REQUEST,
            "The request has the header Authorization twice.",
        ));
    }
    let text = value.to_str().unwrap_or_default().trim();
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        None if accepts_bare && !text.eq_ignore_ascii_case("bearer") => text,
        _ => return refuse("The header Authorization must hold Bearer and the token."),
    };
    if token.is_empty() || token.contains(char::is_whitespace) {
        return refuse("The header Authorization holds no token.");
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&'static str], accepts_bare: bool) -> std::result::Result<String, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        match token(&headers, accepts_bare) {
            Ok(token) => Ok(token.to_owned()),
            Err(error) => Err(error.status().as_u16()),
        }
    }

    /// B-2.1-01 (RFC 6750 section 2.1), RFC 9110 section 11.1.
    #[test]
    fn the_scheme_is_read_in_any_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(read(&[value], false), Ok("abc".into()), "{value}");
        }
        for value in ["abc", "Basic abc", "Bearer", "Bearer ", "Bearer a b", ""] {
            assert_eq!(read(&[value], false), Err(401), "{value}");
        }
        assert_eq!(read(&[], false), Err(401));
    }

    /// Okta's header authentication sends the token as it was pasted.
    #[test]
    fn a_bare_token_counts_only_if_it_may() {
        assert_eq!(read(&["abc"], true), Ok("abc".into()));
        assert_eq!(read(&["Bearer abc"], true), Ok("abc".into()));
        for value in ["Bearer", "", "Basic abc"] {
            assert_eq!(read(&[value], true), Err(401), "{value}");
        }
    }

    /// B-2-01 (RFC 6750 section 2).
    #[test]
    fn two_tokens_are_400() {
        assert_eq!(read(&["Bearer a", "Bearer b"], false), Err(400));
    }
}
