//! From a routed request to the operation that answers it.

use std::sync::Arc;

use http::{Method, StatusCode};

use super::ask::Ask;
use super::authorize::{Access, Decision};
use super::body::Body;
use super::conditional::Conditions;
use super::discovery;
use super::endpoint::{Call, Endpoint};
use super::list;
use super::negotiation::check_body_type;
use super::outcome::{Operation, Outcome};
use super::parts::Parts;
use super::render::Content;
use super::request::Request;
use super::route::Route;
use crate::error::{BearerError, Error, Result};
use crate::filter::Unknown;
use crate::limits::Limits;
use crate::message::ListParameters;
use crate::policy::{Policy, SINGLE_RESOURCE_FILTERS};
use crate::value::{BaseUrls, Cx, Intent, Json};

/// A request on its way.
pub(super) struct Exchange<'a, C> {
    pub(super) parts: &'a Parts<C>,
    pub(super) cx: &'a Arc<C>,
    pub(super) request: &'a Request,
    pub(super) policy: &'a Policy,
    pub(super) base_urls: &'a BaseUrls<'a>,
}

impl<C: Send + Sync + 'static> Exchange<'_, C> {
    /// Returns the content that answers the request.
    pub(super) async fn content(&self, route: &Route, outcome: &mut Outcome) -> Result<Content> {
        self.check_body(route, outcome)?;
        let query = self.request.query.as_deref();
        let parts = self.parts;
        let (types, base) = (&parts.resource_types, self.base_urls.shown());
        if let Some(document) = discovery::document(route, &parts.config, types, self.policy, base) {
            discovery::check_query(query)?;
            return document.map(|document| Content::Document(Body::whole(document)));
        }
        let parameters = ListParameters::parse_query(query.unwrap_or_default(), &parts.limits)?;
        match route {
            Route::Resource(index, id) => self.on_resource(*index, Some(id), &parameters, outcome).await,
            Route::Collection(index) if self.request.method == Method::POST => {
                self.on_resource(*index, None, &parameters, outcome).await
            }
            Route::Search(_) | Route::RootSearch => {
                let parameters = searched(&self.request.body, self.policy, &parts.limits, outcome)?;
                self.on_list(route, &parameters, outcome)
                    .await
                    .map(Content::Document)
            }
            _ => self
                .on_list(route, &parameters, outcome)
                .await
                .map(Content::Document),
        }
    }

    fn check_body(&self, route: &Route, outcome: &mut Outcome) -> Result<()> {
        let Some(limit) = self.parts.limit_at(route, &self.request.method) else {
            return Ok(());
        };
        limit.check(self.request.body.len())?;
        if let Some(tolerance) = check_body_type(&self.request.headers, self.policy)? {
            outcome.fire(tolerance, "Content-Type");
        }
        Ok(())
    }

    async fn on_resource(
        &self,
        index: usize,
        id: Option<&str>,
        parameters: &ListParameters,
        outcome: &mut Outcome,
    ) -> Result<Content> {
        let endpoint = self.endpoint(index)?;
        let resource_type = endpoint.resource_type();
        let access = Access {
            operation: outcome.operation.unwrap_or(Operation::Get),
            resource_type,
            id,
        };
        match self.parts.guard.decide(self.cx, &access).await? {
            Decision::Allow => {}
            Decision::Deny => return Err(forbidden(&access)),
            Decision::Hide => return Err(hidden(&access)),
        }
        if parameters.filter.is_some() {
            let refuse =
                || Error::invalid_filter("A filter has no meaning for a single resource: leave it out.");
            let tolerance = self.policy.grants(&SINGLE_RESOURCE_FILTERS).ok_or_else(refuse)?;
            outcome.fire(tolerance, "filter");
        }
        let conditions = Conditions::of(&self.request.headers)?;
        let call = Call {
            cx: self.cx,
            hooks: &self.parts.hooks,
            policy: self.policy,
            limits: &self.parts.limits,
            base_urls: self.base_urls,
            parameters,
            body: &self.request.body,
            conditions: &conditions,
            most_edges: self.parts.most_edges,
            outcome,
        };
        let shown = match (id, self.request.method.as_str()) {
            (None, _) => endpoint.create(call).await?,
            (Some(id), "PUT") => endpoint.replace(id, call).await?,
            (Some(id), "PATCH") => endpoint.patch(id, call).await?,
            (Some(id), "DELETE") => endpoint.delete(id, call).await?,
            (Some(id), _) => endpoint.get(id, call).await?,
        };
        Ok(Content::Resource(resource_type, shown))
    }

    async fn on_list(
        &self,
        route: &Route,
        parameters: &ListParameters,
        outcome: &mut Outcome,
    ) -> Result<Body> {
        let parts = self.parts;
        if parameters.filter.is_some() && parts.config.filter.is_none() {
            return Err(Error::invalid_filter(
                "This service does not support filters: leave the filter out.",
            ));
        }
        let grant = parts.grant(self.cx);
        let (limits, base_urls) = (&parts.limits, self.base_urls);
        let mut ask = Ask::new(parameters, self.policy, limits, base_urls, grant, outcome)?;
        if !parts.config.sort {
            ask.sort_by = None;
        }
        match route {
            Route::Collection(index) | Route::Search(index) => {
                let endpoint = self.endpoint(*index)?;
                match self.visible(vec![endpoint], Operation::Query).await?.first() {
                    Some(endpoint) => list::one(*endpoint, self.cx, &ask, outcome).await,
                    None => list::all(&[], self.cx, &ask, outcome).await,
                }
            }
            _ => {
                ask.unknown = Unknown::NoValue;
                let endpoints: Vec<_> = parts.endpoints.iter().map(|endpoint| &**endpoint).collect();
                let endpoints = self.visible(endpoints, Operation::QueryAll).await?;
                list::all(&endpoints, self.cx, &ask, outcome).await
            }
        }
    }

    /// Returns those that may be listed. If nothing is left because it is forbidden, the error says so.
    async fn visible<'e>(
        &self,
        endpoints: Vec<&'e dyn Endpoint<C>>,
        operation: Operation,
    ) -> Result<Vec<&'e dyn Endpoint<C>>>
    where
        C: 'e,
    {
        let mut visible = Vec::new();
        let mut denied = None;
        for endpoint in endpoints {
            let access = Access {
                operation,
                resource_type: endpoint.resource_type(),
                id: None,
            };
            match self.parts.guard.decide(self.cx, &access).await? {
                Decision::Allow => visible.push(endpoint),
                Decision::Deny => denied = Some(access),
                Decision::Hide => {}
            }
        }
        match denied {
            Some(access) if visible.is_empty() => Err(forbidden(&access)),
            _ => Ok(visible),
        }
    }

    fn endpoint(&self, index: usize) -> Result<&dyn Endpoint<C>> {
        let endpoint = self.parts.endpoints.get(index);
        endpoint
            .map(|endpoint| &**endpoint)
            .ok_or_else(|| Error::internal("a route leads to no endpoint"))
    }
}

/// Returns the parameters of a search by POST.
fn searched(body: &[u8], policy: &Policy, limits: &Limits, outcome: &mut Outcome) -> Result<ListParameters> {
    let mut cx = Cx::new(Intent::Replace, policy, limits);
    let parameters = Json::parse(body, limits).and_then(|json| ListParameters::decode_search(json, &mut cx));
    outcome.fired.extend(cx.take_fired());
    parameters
}

fn forbidden(access: &Access<'_>) -> Error {
    let name = access.resource_type.name;
    let what = match access.operation {
        Operation::Create => "create a",
        Operation::Replace | Operation::Patch => "change this",
        Operation::Delete => "delete this",
        _ => "read this",
    };
    Error::bearer(
        BearerError::InsufficientScope,
        format!("The client is not allowed to {what} {name}."),
    )
}

fn hidden(access: &Access<'_>) -> Error {
    match access.id {
        Some(id) => Error::not_found(access.resource_type.name, id),
        None => Error::new(
            StatusCode::NOT_FOUND,
            format!("This service has nothing at {}.", access.resource_type.endpoint),
        ),
    }
}
