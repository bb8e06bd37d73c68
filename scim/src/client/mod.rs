//! A typed client over any tower service (RFC 7644 from the other side).
//!
//! The service may be an HTTP client or the server itself, in the same process:
//!
//! ```
//! use scim::client::Client;
//! use scim::patch::Patch;
//! use scim::resources::{Email, User};
//! use scim::store::Precondition;
//!
//! # use bytes::Bytes;
//! # use http_body_util::Full;
//! async fn hire<S: scim::client::Exchange>(client: &Client<S>) -> Result<(), scim::client::Error> {
//!     let mut user = User::new("bjensen");
//!     user.emails.push(Email::new("bjensen@example.com").with_kind("work"));
//!     let user = client.create(&user).await?;
//!
//!     let patch = Patch::<User>::builder().replace(User::paths().title(), "Tour Guide");
//!     client.patch(user.id.as_str(), &patch, &Precondition::None).await?;
//!
//!     let mut guides = client
//!         .list::<User>()
//!         .filter(User::paths().title().eq("Tour Guide"))
//!         .sort_by(User::paths().user_name())
//!         .pages();
//!     while let Some(guide) = guides.next().await? {
//!         println!("{}", guide.user_name);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Requests are repeated when the server asks for it and a way to wait is given ([`Client::with_sleep`]).

mod address;
mod error;
mod exchange;
#[cfg(feature = "client-hyper")]
mod http1;
#[cfg(feature = "client-tls")]
mod https1;
mod list;
mod retry;

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, StatusCode};

use crate::limits::Limits;
use crate::patch::PatchBuilder;
use crate::projection::{Base, Projection, write_resource};
use crate::record::ScimResource;
use crate::store::{Precondition, Version};
use crate::value::{BaseUrls, Cx, Intent, Json, JsonBuf, Strict};

use exchange::{Answer, Plan};
use retry::Jitter;

pub use error::{Error, Refusal};
pub use exchange::Exchange;
#[cfg(feature = "client-hyper")]
pub use http1::{Http1, over_http};
#[cfg(feature = "client-tls")]
pub use https1::{Https1, Trust, over_https};
pub use list::{AttributeRef, List, Page, Pages};
pub use retry::{Backoff, Sleep};

/// The result of every operation of the client.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A client of one SCIM endpoint.
///
/// `S` is a tower service from `http::Request<Full<Bytes>>`; for one that takes another body, put
/// `tower::ServiceExt::map_request` before it.
#[derive(Clone)]
pub struct Client<S> {
    service: S,
    base: Arc<str>,
    headers: HeaderMap,
    backoff: Backoff,
    jitter: Jitter,
    sleep: Option<Arc<dyn Sleep>>,
    limits: Limits,
}

impl<S> Client<S> {
    /// Makes a client of the endpoint at `base`, such as `https://example.com/scim/v2`. In process a path is enough:
    /// `/scim/v2`, or nothing.
    ///
    /// # Errors
    /// [`Error::Request`] if `base` is no URL, or has a query or a fragment.
    pub fn new(service: S, base: &str) -> Result<Self> {
        let mut headers = HeaderMap::new();
        let agent = concat!("scim-rs/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        Ok(Self {
            service,
            base: address::base(base)?.into(),
            headers,
            backoff: Backoff::default(),
            jitter: Jitter::default(),
            sleep: None,
            limits: Limits {
                large_body: 256 << 20,
                ..Limits::default()
            },
        })
    }

    /// Sends a bearer token with every request (RFC 6750).
    ///
    /// # Errors
    /// [`Error::Request`] if the token cannot stand in a header.
    pub fn with_bearer_token(self, token: &str) -> Result<Self> {
        self.with_header(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// Adds a header to every request. Its value is taken for a secret and shown by no `Debug` output.
    ///
    /// # Errors
    /// [`Error::Request`] if the value cannot stand in a header.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Result<Self> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::Request(crate::Error::invalid_value(format!(
                "The header {name} cannot have this value: it must be visible ASCII."
            )))
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets the function that waits before a request is repeated, such as `tokio::time::sleep`. Without one, requests are not repeated.
    #[must_use]
    pub fn with_sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Some(Arc::new(sleep));
        self
    }

    /// Sets other rules for repeating requests.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets a seed for the random part of every wait, so that a test is repeatable.
    #[must_use]
    pub fn with_jitter_seed(mut self, seed: u64) -> Self {
        self.jitter = Jitter::seeded(seed);
        self
    }

    /// Sets limits for answers: their bytes (`large_body`) and their nesting.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Returns the service.
    pub fn service(&self) -> &S {
        &self.service
    }
}

impl<S: Exchange> Client<S> {
    /// Creates a resource (RFC 7644 section 3.3) and returns it as the server has stored it.
    ///
    /// # Errors
    /// [`Error::Refused`] with 409 `uniqueness` if such a resource exists, and everything [`Error`] lists. Only a
    /// server that asks for it gets the request a second time: a connection that breaks may have created the resource.
    pub async fn create<R: ScimResource>(&self, resource: &R) -> Result<R> {
        let path = R::RESOURCE_TYPE.endpoint.to_owned();
        let plan = Plan::new(Method::POST, path).with_body(self.document(resource));
        self.decode(&self.send(plan).await?)
    }

    /// Reads a resource (RFC 7644 section 3.4.1).
    ///
    /// # Errors
    /// [`Error::Refused`] with 404 if there is none, and everything [`Error`] lists.
    pub async fn get<R: ScimResource>(&self, id: &str) -> Result<R> {
        let plan = Plan::new(Method::GET, resource_path::<R>(id)?);
        self.decode(&self.send(plan).await?)
    }

    /// Reads a resource if it has another version than the one that is known already, else `None`.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub async fn get_if_changed<R: ScimResource>(&self, id: &str, known: &Version) -> Result<Option<R>> {
        let known = Precondition::IfNoneMatch(vec![known.clone()]);
        let plan = Plan::new(Method::GET, resource_path::<R>(id)?).when(&known)?;
        let answer = self.send(plan).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        self.decode(&answer).map(Some)
    }

    /// Reads some attributes of a resource (RFC 7644 section 3.9): `attributes` alone, or all but `excluded`. Whatever
    /// is not read is unassigned in the result, which is therefore nothing to [`replace`](Self::replace) the resource
    /// with.
    ///
    /// # Errors
    /// Those of [`get`](Self::get); [`Error::Unreadable`] if a required attribute without a value of its own is left
    /// out.
    pub async fn get_partly<R: ScimResource>(
        &self,
        id: &str,
        attributes: &[&dyn AttributeRef<R>],
        excluded: &[&dyn AttributeRef<R>],
    ) -> Result<R> {
        let mut query = address::Query::default();
        query.list("attributes", attributes.iter().map(|name| name.attribute_name()));
        query.list(
            "excludedAttributes",
            excluded.iter().map(|name| name.attribute_name()),
        );
        let path = format!("{}{query}", resource_path::<R>(id)?);
        self.decode(&self.send(Plan::new(Method::GET, path)).await?)
    }

    /// Replaces a resource (RFC 7644 section 3.5.1) and returns it as the server has stored it. Whatever the resource
    /// does not hold is removed, but for edges that are not loaded: whether those are kept is for the server to say.
    ///
    /// [`unchanged`] makes the precondition that nobody has changed the resource since it was read.
    ///
    /// # Errors
    /// [`Error::Refused`] with 404 if there is none, with 412 if the precondition does not hold, and everything
    /// [`Error`] lists.
    pub async fn replace<R: ScimResource>(&self, resource: &R, precondition: &Precondition) -> Result<R> {
        let path = resource_path::<R>(resource.id().as_str())?;
        let plan = Plan::new(Method::PUT, path)
            .with_body(self.document(resource))
            .when(precondition)?;
        let answer = self.send(plan).await?;
        if answer.body.is_empty() {
            return self.get(resource.id().as_str()).await;
        }
        self.decode(&answer)
    }

    /// Changes a resource (RFC 7644 section 3.5.2) and returns it, unless the server answers without it.
    ///
    /// # Errors
    /// [`Error::Refused`] with 404 if there is none, with 412 if the precondition does not hold, with the fault of the
    /// first operation that fails, and everything [`Error`] lists.
    pub async fn patch<R: ScimResource>(
        &self,
        id: &str,
        patch: &PatchBuilder<R>,
        precondition: &Precondition,
    ) -> Result<Option<R>> {
        let body = Bytes::copy_from_slice(patch.to_message().text().as_bytes());
        let plan = Plan::new(Method::PATCH, resource_path::<R>(id)?)
            .with_body(body)
            .when(precondition)?;
        let answer = self.send(plan).await?;
        if answer.body.is_empty() {
            return Ok(None);
        }
        self.decode(&answer).map(Some)
    }

    /// Deletes a resource (RFC 7644 section 3.6). A repeated request that finds nothing has succeeded the first time.
    ///
    /// # Errors
    /// [`Error::Refused`] with 404 if there was none, with 412 if the precondition does not hold, and everything
    /// [`Error`] lists.
    pub async fn delete<R: ScimResource>(&self, id: &str, precondition: &Precondition) -> Result<()> {
        let plan = Plan::new(Method::DELETE, resource_path::<R>(id)?).when(precondition)?;
        self.send(plan).await.map(|_| ())
    }

    /// Asks for resources (RFC 7644 section 3.4.2): say which, then read page by page or one by one.
    pub fn list<R: ScimResource>(&self) -> List<'_, S, R> {
        List::new(self)
    }

    /// Reads any document of the service, such as `/ServiceProviderConfig` (RFC 7644 section 4).
    ///
    /// # Errors
    /// Everything [`Error`] lists.
    pub async fn document_at(&self, path: &str) -> Result<JsonBuf> {
        let answer = self.send(Plan::new(Method::GET, path.to_owned())).await?;
        self.parse(&answer)
    }

    fn document<R: ScimResource>(&self, resource: &R) -> Bytes {
        let mut body = Vec::new();
        let projection = Projection::assignable(R::RESOURCE_TYPE);
        write_resource(&mut body, resource, &projection, Base::Url(&self.base));
        body.into()
    }

    fn parse(&self, answer: &Answer) -> Result<JsonBuf> {
        JsonBuf::parse(&answer.body, &self.limits).map_err(|error| Error::unreadable(answer.status, error))
    }

    fn decode<R: ScimResource>(&self, answer: &Answer) -> Result<R> {
        let json = self.parse(answer)?;
        let mut resource: R = self.decode_json(answer, json.as_json())?;
        if resource.meta().version.is_none() {
            resource.meta_mut().version = answer.entity_tag();
        }
        Ok(resource)
    }

    fn decode_json<R: ScimResource>(&self, answer: &Answer, json: Json<'_>) -> Result<R> {
        // The server's word is taken as it is: a client that refuses what the server holds helps nobody.
        let base_urls = BaseUrls::new(&self.base);
        let mut cx = Cx::new(Intent::Stored, &Strict, &self.limits).with_base_urls(Some(&base_urls));
        R::decode(json, &mut cx).map_err(|error| Error::unreadable(answer.status, error))
    }
}

impl<S> Debug for Client<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .field("headers", &self.headers)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}

/// Returns the precondition that a resource still has the version with which it was read; none if the server has told
/// no version.
#[must_use]
pub fn unchanged<R: ScimResource>(resource: &R) -> Precondition {
    match &resource.meta().version {
        Some(tag) => Precondition::IfMatch(vec![Version::of_entity_tag(tag)]),
        None => Precondition::None,
    }
}

fn resource_path<R: ScimResource>(id: &str) -> Result<String> {
    if id.is_empty() {
        return Err(Error::Request(crate::Error::invalid_value(format!(
            "A {} without an id is none that the server knows: create it first.",
            R::RESOURCE_TYPE.name
        ))));
    }
    let endpoint = R::RESOURCE_TYPE.endpoint;
    Ok(format!("{endpoint}/{}", address::encoded(id)))
}

#[cfg(test)]
mod tests;
