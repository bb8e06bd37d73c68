//! From a request to the application's own context: tenant, principal, rights.

use std::future::Future;
use std::pin::Pin;

use http::request::Parts;

use crate::error::{Error, Result};

/// A future behind a pointer.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes the context of a request, or refuses the request.
///
/// This is where clients are authenticated: nothing of the request is looked at before. A refusal is an error of any
/// status, usually 401 (the service adds `WWW-Authenticate`), 403 or 404.
///
/// A closure that need not wait is one, see [`from_parts`]; an `axum` extractor is one with the crate `scim-axum`.
///
/// ```
/// use http::StatusCode;
/// use http::request::Parts;
/// use scim::service::MakeContext;
///
/// struct Tokens;
///
/// impl MakeContext<String> for Tokens {
///     async fn make(&self, parts: &mut Parts) -> scim::Result<String> {
///         match parts.headers.get("authorization").and_then(|value| value.to_str().ok()) {
///             Some("Bearer sesame") => Ok("tenant-of-the-token".to_owned()),
///             _ => Err(scim::Error::new(StatusCode::UNAUTHORIZED, "The token is not known.")),
///         }
///     }
/// }
/// ```
pub trait MakeContext<C>: Send + Sync + 'static {
    /// Makes the context.
    ///
    /// # Errors
    /// The error with which the client is refused.
    fn make(&self, parts: &mut Parts) -> impl Future<Output = Result<C>> + Send;
}

/// A context from what the request says, without waiting.
#[derive(Debug, Clone)]
pub struct FromParts<F>(F);

/// Makes a context from a closure that need not wait.
///
/// ```
/// use scim::service::from_parts;
///
/// // `acme` of `acme.example.com`. A store answers 404 to a request for a tenant without a name.
/// let tenant = from_parts(|parts| {
///     let host = scim::service::host(parts).unwrap_or_default();
///     Ok(host.split_once('.').map(|(tenant, _)| tenant).unwrap_or_default().to_owned())
/// });
/// # fn check(_: impl scim::service::MakeContext<String>) {}
/// # check(tenant);
/// ```
pub fn from_parts<C, F>(make: F) -> FromParts<F>
where
    F: Fn(&mut Parts) -> Result<C> + Send + Sync + 'static,
{
    FromParts(make)
}

impl<C, F> MakeContext<C> for FromParts<F>
where
    C: Send,
    F: Fn(&mut Parts) -> Result<C> + Send + Sync + 'static,
{
    fn make(&self, parts: &mut Parts) -> impl Future<Output = Result<C>> + Send {
        std::future::ready((self.0)(parts))
    }
}

/// No context at all: everybody is let in, there is one tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoContext;

impl MakeContext<()> for NoContext {
    async fn make(&self, _: &mut Parts) -> Result<()> {
        Ok(())
    }
}

/// The context is given with each request: the service is asked by
/// [`ScimService::respond_in`](super::ScimService::respond_in) alone. Asked otherwise, it answers 500.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivenContext;

impl<C: Send + 'static> MakeContext<C> for GivenContext {
    async fn make(&self, _: &mut Parts) -> Result<C> {
        Err(Error::internal(
            "a service whose context is given was asked without one: call ScimService::respond_in",
        ))
    }
}

/// The same behind a pointer.
pub(super) trait Source<C>: Send + Sync {
    fn context<'a>(&'a self, parts: &'a mut Parts) -> Boxed<'a, Result<C>>;
}

impl<C: 'static, M: MakeContext<C>> Source<C> for M {
    fn context<'a>(&'a self, parts: &'a mut Parts) -> Boxed<'a, Result<C>> {
        Box::pin(self.make(parts))
    }
}
