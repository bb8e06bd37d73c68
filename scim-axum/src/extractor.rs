//! axum's extractors as the context of a request.

use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::response::IntoResponse;
use http::StatusCode;
use http::request::Parts;
use scim::service::{MakeContext, from_parts};
use scim::{BearerError, Error, Result};

/// Makes the context of a request with the extractor `E`, which is the context. See [`extract`].
pub struct Extractor<E, S = ()> {
    state: S,
    extractor: PhantomData<fn() -> E>,
}

/// Makes the extractor `E` as the context of requests: a tuple of path parameters, a header, what a layer has left in
/// the extensions, or a type of the application's own.
///
/// Whatever the extractor rejects is answered with a SCIM error of the same status.
///
/// ```
/// use axum::Extension;
/// use axum::extract::Path;
/// use scim::resources::User;
/// use scim::service::ScimService;
/// use scim::store::Memory;
///
/// #[derive(Clone)]
/// struct Principal(String);
///
/// /// The tenant out of the path, and who the token belongs to.
/// type Context = (Path<String>, Extension<Principal>);
///
/// // The types are of other crates, and say nothing of tenants: the store is told where the tenant stands.
/// let store = Memory::new().tenant_by(|cx: &Context| Some(cx.0.as_str().into()));
/// let service = ScimService::builder(scim_axum::extract::<Context>())
///     .resource::<User, _>(store)
///     .authorize(|(_, Extension(principal)), _| match principal.0.as_str() {
///         "ali" => scim::service::Decision::Allow,
///         _ => scim::service::Decision::Deny,
///     })
///     .build()?;
/// # Ok::<(), scim::Error>(())
/// ```
///
/// A type of the application's own that implements [`FromRequestParts`], and [`HasTenant`](scim::store::HasTenant) where
/// there are tenants, reads better than a tuple.
#[must_use]
pub fn extract<E>() -> Extractor<E> {
    extract_with(())
}

/// Makes the principal whom [`BearerLayer`](crate::BearerLayer) has admitted the context of the request, or what a layer of the
/// application's own has left in the extensions of the request. Without such a layer, every request is answered 500.
///
/// ```
/// use http::request::Parts;
/// use scim::resources::User;
/// use scim::service::ScimService;
/// use scim::store::{HasTenant, Memory};
/// use scim_axum::{BearerLayer, Credentials, Verify, mount, principal};
///
/// #[derive(Clone)]
/// struct Client { tenant: String }
///
/// impl HasTenant for Client {
///     fn tenant(&self) -> &str { &self.tenant }
/// }
///
/// struct Tokens;
///
/// impl Verify for Tokens {
///     type Principal = Client;
///
///     async fn verify(&self, credentials: &Credentials, _: &mut Parts) -> scim::Result<Client> {
///         // A real one looks it up.
///         Ok(Client { tenant: credentials.token()?.to_owned() })
///     }
/// }
///
/// # fn example() -> scim::Result<axum::Router> {
/// let service = ScimService::<Client>::builder(principal()).resource::<User, _>(Memory::new()).build()?;
/// # Ok(
/// mount("/scim/v2", service).layer(BearerLayer::new(Tokens))
/// # )
/// # }
/// # example().unwrap();
/// ```
#[must_use]
pub fn principal<P: Clone + Send + Sync + 'static>() -> impl MakeContext<P> {
    from_parts(|parts| {
        let principal = parts.extensions.get::<P>().cloned();
        principal.ok_or_else(|| {
            Error::internal(
                "no layer around the service has left a principal in the extensions of the request",
            )
        })
    })
}

/// Makes the same context for an extractor that needs a state.
#[must_use]
pub fn extract_with<E, S>(state: S) -> Extractor<E, S> {
    Extractor {
        state,
        extractor: PhantomData,
    }
}

impl<E, S> MakeContext<E> for Extractor<E, S>
where
    E: FromRequestParts<S> + Send + Sync + 'static,
    S: Send + Sync + 'static,
{
    async fn make(&self, parts: &mut Parts) -> Result<E> {
        E::from_request_parts(parts, &self.state)
            .await
            .map_err(|rejection| refused(rejection.into_response().status()))
    }
}

/// Makes the error for a rejection. The body of a rejection is meant for programmers: the client gets the status and a
/// sentence.
fn refused(status: StatusCode) -> Error {
    let detail = match status {
        StatusCode::UNAUTHORIZED => "The request carries no valid credentials.",
        StatusCode::FORBIDDEN => "The client is not allowed to do this.",
        StatusCode::NOT_FOUND => "This service has nothing at this URL.",
        status if status.is_client_error() => {
            "The request cannot be understood: its URL or a header is not as expected."
        }
        _ => return Error::internal(format!("an extractor rejected the request with {status}")),
    };
    let error = Error::new(status, detail);
    match status {
        StatusCode::FORBIDDEN => error.with_bearer_error(BearerError::InsufficientScope),
        _ => error,
    }
}

impl<E, S> Debug for Extractor<E, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Extractor")
    }
}
