//! The protocol without input and output: a request goes in, an answer comes out.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::authorize::Guard;
use super::body::Body;
use super::builder::{Builder, Plain};
use super::dispatch::Exchange;
use super::endpoint::Endpoint;
use super::negotiation::{SCIM_JSON, answer_type};
use super::outcome::{Operation, Outcome};
use super::render;
use super::route::{self, Route, Routed};
use crate::error::{Error, Result, quoted};
use crate::limits::Limits;
use crate::message::ServiceProviderConfig;
use crate::policy::Policy;
use crate::schema::ResourceType;

/// The policy of a request.
pub(super) enum Policies<C> {
    One(Policy),
    PerRequest(Box<dyn Fn(&C) -> Policy + Send + Sync>),
}

/// What is told of every outcome.
pub(super) type Listener<C> = Box<dyn Fn(&C, &Outcome) + Send + Sync>;

/// What a service is made of.
pub(super) struct Parts<C> {
    pub(super) endpoints: Vec<Box<dyn Endpoint<C>>>,
    pub(super) policies: Policies<C>,
    pub(super) limits: Limits,
    pub(super) config: ServiceProviderConfig,
    pub(super) guard: Box<dyn Guard<C>>,
    pub(super) listener: Option<Listener<C>>,
    pub(super) most_edges: usize,
    pub(super) realm: String,
}

/// A SCIM service without a network: from the parts of a request to the parts of an answer. Cheap to clone.
///
/// [`ScimService`](super::ScimService) serves it over HTTP; tests and tools may call it directly.
///
/// ```
/// use scim::service::{Protocol, Request};
/// # async fn example() -> scim::Result<()> {
/// let protocol = Protocol::<()>::builder().build()?;
/// let answer = protocol.handle(&(), Request::get("/ServiceProviderConfig")).await;
/// assert_eq!(answer.status, 200);
/// # Ok(())
/// # }
/// ```
pub struct Protocol<C> {
    pub(super) parts: Arc<Parts<C>>,
}

impl<C> Clone for Protocol<C> {
    fn clone(&self) -> Self {
        Self {
            parts: Arc::clone(&self.parts),
        }
    }
}

/// A request, as far as the protocol is concerned.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the base URL, still percent-encoded.
    pub path: String,
    /// The query string without its question mark.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The URL under which the service was reached, without a slash at its end.
    pub base_url: String,
}

impl Request {
    /// A request without a body, to a service at `http://localhost`. What follows a question mark in `target` is its
    /// query.
    #[must_use]
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self {
            method,
            path: path.to_owned(),
            query,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            base_url: "http://localhost".into(),
        }
    }

    /// A GET request.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new(Method::GET, target)
    }

    /// The same with a body of type `application/scim+json`.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.with_header(CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON))
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// What became of the request.
    pub outcome: Outcome,
}

/// An error, and what only some of them have.
pub(super) struct Failure {
    error: Error,
    allow: Option<&'static str>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, allow: None }
    }
}

impl<C: Send + Sync + 'static> Protocol<C> {
    /// Begins a service.
    #[must_use]
    pub fn builder() -> Builder<C, Plain> {
        Builder::new(Plain)
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// The registered resource types.
    pub fn resource_types(&self) -> impl Iterator<Item = &'static ResourceType> {
        self.parts
            .endpoints
            .iter()
            .map(|endpoint| endpoint.resource_type())
    }

    /// How many bytes the body of a request may have: 0 where none is read at all.
    #[must_use]
    pub fn body_limit(&self, method: &Method, path: &str) -> usize {
        self.route(path)
            .map_or(0, |routed| self.limit_at(&routed.route, method))
    }

    pub(super) fn limit_at(&self, route: &Route, method: &Method) -> usize {
        match (route, method.as_str()) {
            (Route::Resource(index, _), "PUT" | "PATCH") | (Route::Collection(index), "POST") => {
                self.limit_of_type(*index)
            }
            (Route::Search(_) | Route::RootSearch, "POST") => self.parts.limits.body,
            _ => 0,
        }
    }

    fn limit_of_type(&self, index: usize) -> usize {
        let has_edges = self.resource_types().nth(index).is_some_and(|resource_type| {
            resource_type
                .schema
                .attributes
                .iter()
                .any(|attribute| attribute.edges)
        });
        match has_edges {
            true => self.parts.limits.large_body,
            false => self.parts.limits.body,
        }
    }

    fn route(&self, path: &str) -> Result<Routed> {
        let endpoints: Vec<_> = self
            .resource_types()
            .map(|resource_type| resource_type.endpoint)
            .collect();
        route::find(path, &endpoints)
    }

    /// Answers a request. Errors become answers, too.
    pub async fn handle(&self, cx: &C, request: Request) -> Response {
        let mut outcome = Outcome::default();
        let result = self.attempt(cx, &request, &mut outcome).await;
        match result {
            Ok((headers, body)) => Response {
                status: outcome.status,
                headers,
                body,
                outcome,
            },
            Err(failure) => {
                let realm = &self.parts.realm;
                render::error(&failure.error, failure.allow, &request.headers, realm, outcome)
            }
        }
    }

    /// Answers a request, or returns the error: for applications that answer errors themselves.
    ///
    /// # Errors
    /// Every error that [`handle`](Self::handle) would have answered with.
    pub async fn try_handle(&self, cx: &C, request: Request) -> Result<Response> {
        let mut outcome = Outcome::default();
        let result = self.attempt(cx, &request, &mut outcome).await;
        let (headers, body) = result.map_err(|failure| failure.error)?;
        Ok(Response {
            status: outcome.status,
            headers,
            body,
            outcome,
        })
    }

    /// The answer to a request that was refused before it could be handled. The application is told of the outcome if
    /// the request has a context.
    #[must_use]
    pub fn refuse(&self, cx: Option<&C>, error: &Error, headers: &HeaderMap) -> Response {
        let mut outcome = Outcome::default();
        outcome.fail(error);
        if let (Some(cx), Some(listener)) = (cx, &self.parts.listener) {
            listener(cx, &outcome);
        }
        render::error(error, None, headers, &self.parts.realm, outcome)
    }

    /// Tells the application of the outcome, whatever it is.
    async fn attempt(
        &self,
        cx: &C,
        request: &Request,
        outcome: &mut Outcome,
    ) -> std::result::Result<(HeaderMap, Body), Failure> {
        let result = self.answer(cx, request, outcome).await;
        if let Err(failure) = &result {
            outcome.fail(&failure.error);
        }
        if let Some(listener) = &self.parts.listener {
            listener(cx, outcome);
        }
        result
    }

    async fn answer(
        &self,
        cx: &C,
        request: &Request,
        outcome: &mut Outcome,
    ) -> std::result::Result<(HeaderMap, Body), Failure> {
        let Routed { route, version } = self.route(&request.path)?;
        self.describe(&route, &request.method, outcome);
        if request.method == Method::OPTIONS {
            outcome.status = StatusCode::NO_CONTENT;
            let allow = (ALLOW, HeaderValue::from_static(route.allow()));
            return Ok((HeaderMap::from_iter([allow]), Body::empty()));
        }
        self.check_method(&route, &request.method)?;
        let media_type = answer_type(&request.headers)?;
        let policy = match &self.parts.policies {
            Policies::One(policy) => policy.clone(),
            Policies::PerRequest(policy) => policy(cx),
        };
        let base = match version {
            Some(version) => format!("{}/{version}", request.base_url),
            None => request.base_url.clone(),
        };
        let exchange = Exchange {
            protocol: self,
            cx,
            request,
            policy: &policy,
            base: &base,
        };
        let content = exchange.content(&route, outcome).await?;
        let (headers, body) = render::content(content, &base, media_type, outcome);
        Ok(match request.method == Method::HEAD {
            true => render::without_body(headers, &body),
            false => (headers, body),
        })
    }

    fn check_method(&self, route: &Route, method: &Method) -> std::result::Result<(), Failure> {
        let unsupported = match route {
            Route::Bulk => {
                Some("This service does not support bulk requests: send the operations one by one.")
            }
            Route::Me => Some("This service does not support /Me: name the resource by its id."),
            Route::Resource(..) if *method == Method::PATCH && !self.parts.config.patch => {
                Some("This service does not support PATCH: replace the resource with PUT.")
            }
            _ => None,
        };
        if let Some(detail) = unsupported {
            return Err(Error::new(StatusCode::NOT_IMPLEMENTED, detail).into());
        }
        if route.allows(method) {
            return Ok(());
        }
        let allow = route.allow();
        let method = quoted(method.as_str());
        let detail = format!("The method {method} is not allowed here, but these are: {allow}.");
        Err(Failure {
            error: Error::new(StatusCode::METHOD_NOT_ALLOWED, detail),
            allow: Some(allow),
        })
    }

    fn describe(&self, route: &Route, method: &Method, outcome: &mut Outcome) {
        let index = match route {
            Route::Collection(index) | Route::Search(index) | Route::Resource(index, _) => Some(*index),
            _ => None,
        };
        outcome.resource_type = index
            .and_then(|index| self.resource_types().nth(index))
            .map(|resource_type| resource_type.name);
        if let Route::Resource(_, id) = route {
            outcome.id = Some(id.clone());
        }
        outcome.operation = operation(route, method);
    }
}

/// What a method does at a route; `None` if nothing.
fn operation(route: &Route, method: &Method) -> Option<Operation> {
    Some(match (route, method.as_str()) {
        (_, "OPTIONS") => Operation::Options,
        (Route::Root, "GET" | "HEAD") | (Route::RootSearch, "POST") => Operation::QueryAll,
        (Route::Collection(_), "GET" | "HEAD") | (Route::Search(_), "POST") => Operation::Query,
        (Route::Collection(_), "POST") => Operation::Create,
        (Route::Resource(..), "GET" | "HEAD") => Operation::Get,
        (Route::Resource(..), "PUT") => Operation::Replace,
        (Route::Resource(..), "PATCH") => Operation::Patch,
        (Route::Resource(..), "DELETE") => Operation::Delete,
        (
            Route::ServiceProviderConfig
            | Route::ResourceTypes
            | Route::ResourceType(_)
            | Route::Schemas
            | Route::Schema(_),
            "GET" | "HEAD",
        ) => Operation::Discover,
        _ => return None,
    })
}
