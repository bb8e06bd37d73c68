//! The protocol without input and output: a request goes in, an answer comes out.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::body::Body;
use super::dispatch::Exchange;
use super::negotiation::answer_type;
use super::outcome::{Operation, Outcome};
use super::parts::{Parts, Policies};
use super::receive::BodyLimit;
use super::render;
use super::request::Request;
use super::response::Response;
use super::route::{LATEST, Route, Routed};
use crate::error::{Error, Result, quoted};
use crate::limits::Limits;
use crate::schema::ResourceType;
use crate::store::withdrawal::Grant;
use crate::value::BaseUrls;

/// A SCIM service without a network: from the parts of a request to the parts of an answer. Cheap to clone.
///
/// [`ScimService`](super::ScimService) serves it over HTTP; tests and tools may call it directly.
///
/// ```
/// use scim::service::{Protocol, Request};
/// # async fn example() -> scim::Result<()> {
/// let protocol = Protocol::<()>::builder().build()?;
/// let answer = protocol.handle(&().into(), Request::get("/ServiceProviderConfig")).await;
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
    /// Returns the limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// Returns the registered resource types.
    pub fn resource_types(&self) -> impl Iterator<Item = &'static ResourceType> {
        self.parts.resource_types.iter().copied()
    }

    /// Returns how many bytes the body of a request may have: 0 if none is read at all.
    #[must_use]
    pub fn body_limit(&self, method: &Method, path: &str) -> usize {
        self.limit_of_body(method, path).map_or(0, |limit| limit.bytes)
    }

    /// Returns how many bytes the body of a request may have, and which limit says so; `None` if none is read at all.
    pub(super) fn limit_of_body(&self, method: &Method, path: &str) -> Option<BodyLimit> {
        if !matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
            return None;
        }
        let routed = self.parts.route(path).ok()?;
        self.parts.limit_at(&routed.route, method)
    }

    /// Returns the tenant of a request; `None` if no store tells tenants apart.
    pub(super) fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        self.parts.tenant(cx)
    }

    /// Returns the access under which a request begins something now.
    pub(super) fn grant(&self, cx: &C) -> Option<Grant> {
        self.parts.grant(cx)
    }

    /// Ends what a tenant has begun: see [`ScimService::end_work_of`](super::ScimService::end_work_of).
    pub fn end_work_of(&self, tenant: &str) {
        self.parts.end_work_of(tenant);
    }

    /// Answers a request. Errors become answers, too.
    pub async fn handle(&self, cx: &Arc<C>, request: Request) -> Response {
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
    pub async fn try_handle(&self, cx: &Arc<C>, request: Request) -> Result<Response> {
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

    /// Returns the answer to a request that was refused before it could be handled. The application is asked what the client
    /// is shown ([`Builder::map_error`](super::Builder::map_error)), and told of the outcome, also of a request without a
    /// context.
    #[must_use]
    pub fn refuse(&self, cx: Option<&C>, error: Error, headers: &HeaderMap) -> Response {
        let mut outcome = Outcome::default();
        let error = self.refused(cx, error, &mut outcome);
        render::error(&error, None, headers, &self.parts.realm, outcome)
    }

    /// Returns the error that the client is shown, and tells the application of it.
    pub(super) fn refused(&self, cx: Option<&C>, error: Error, outcome: &mut Outcome) -> Error {
        let error = self.parts.fail(cx, error, outcome);
        self.parts.tell(cx, outcome);
        error
    }

    /// Tells the application of the outcome, whatever it is.
    async fn attempt(
        &self,
        cx: &Arc<C>,
        request: &Request,
        outcome: &mut Outcome,
    ) -> std::result::Result<(HeaderMap, Body), Failure> {
        match self.answer(cx, request, outcome).await {
            Ok(answer) => {
                self.parts.tell(Some(cx), outcome);
                Ok(answer)
            }
            Err(Failure { error, allow }) => {
                let error = self.refused(Some(cx), error, outcome);
                Err(Failure { error, allow })
            }
        }
    }

    async fn answer(
        &self,
        cx: &Arc<C>,
        request: &Request,
        outcome: &mut Outcome,
    ) -> std::result::Result<(HeaderMap, Body), Failure> {
        let Routed { route, version } = self.parts.route(&request.path)?;
        self.describe(&route, &request.method, outcome);
        if request.method == Method::OPTIONS {
            outcome.status = StatusCode::NO_CONTENT;
            let allow = (ALLOW, HeaderValue::from_static(route.allow()));
            return Ok((HeaderMap::from_iter([allow]), Body::empty()));
        }
        self.check_method(&route, &request.method)?;
        let policy = match &self.parts.policies {
            Policies::One(policy) => policy.clone(),
            Policies::PerRequest(policy) => policy(cx),
        };
        let media_type = answer_type(&request.headers, &policy, outcome)?;
        let versioned = |base: &String| match &version {
            _ if self.parts.names_version => format!("{base}/{LATEST}"),
            Some(version) => format!("{base}/{version}"),
            None => base.clone(),
        };
        let base = versioned(&request.base_url);
        let reached_at = request.reached_at.as_ref().map(versioned);
        let mut base_urls = BaseUrls::new(&base).with_endpoints(&self.parts.endpoint_paths);
        if let Some(reached_at) = &reached_at {
            base_urls = base_urls.and(reached_at);
        }
        let exchange = Exchange {
            parts: &self.parts,
            cx,
            request,
            policy: &policy,
            base_urls: &base_urls,
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
            .and_then(|index| self.parts.resource_types.get(index))
            .map(|resource_type| resource_type.name);
        if let Route::Resource(_, id) = route {
            outcome.id = Some(id.clone());
        }
        outcome.operation = operation(route, method);
    }
}

/// Returns what a method does at a route; `None` if nothing.
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
