//! The parts of a service, and what they say of a request.

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;

use super::authorize::Guard;
use super::endpoint::Endpoint;
use super::log;
use super::outcome::{self, Outcome};
use super::receive::BodyLimit;
use super::route::{self, Route, Routed};
use crate::error::{Error, Result};
use crate::limits::{Limits, exceeded};
use crate::message::ServiceProviderConfig;
use crate::policy::Policy;
use crate::schema::ResourceType;
use crate::store::Hooks;
use crate::store::withdrawal::{Grant, Label, Withdrawals};

/// The policy of a request.
pub(super) enum Policies<C> {
    One(Policy),
    PerRequest(Box<dyn Fn(&C) -> Policy + Send + Sync>),
}

/// The function that is told of every outcome.
pub(super) type Listener<C> = Box<dyn Fn(Option<&C>, &Outcome) + Send + Sync>;

/// Makes the error that the client is shown.
pub(super) type ErrorMap<C> = Box<dyn Fn(Option<&C>, Error) -> Error + Send + Sync>;

/// The parts of a service.
pub(super) struct Parts<C> {
    pub(super) endpoints: Vec<Box<dyn Endpoint<C>>>,
    /// The type of each of them.
    pub(super) resource_types: Vec<&'static ResourceType>,
    /// The path of each of them below the base URL.
    pub(super) endpoint_paths: Vec<&'static str>,
    pub(super) policies: Policies<C>,
    pub(super) limits: Arc<Limits>,
    pub(super) config: ServiceProviderConfig,
    pub(super) guard: Box<dyn Guard<C>>,
    pub(super) listener: Option<Listener<C>>,
    pub(super) error_map: Option<ErrorMap<C>>,
    pub(super) hooks: Hooks<C>,
    pub(super) most_edges: usize,
    pub(super) realm: String,
    /// Whether locations name the version of the protocol, whatever the URL of the request names.
    pub(super) names_version: bool,
    /// The tenants whose requests are to end.
    pub(super) withdrawals: Arc<Withdrawals>,
}

impl<C> Parts<C> {
    /// Returns the tenant of a request; `None` if no store tells tenants apart.
    pub(super) fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        let mut endpoints = self.endpoints.iter();
        endpoints.find_map(|endpoint| endpoint.tenant(cx))
    }

    /// Returns the access under which a request begins something now.
    pub(super) fn grant(&self, cx: &C) -> Option<Grant> {
        self.tenant(cx)
            .map(|tenant| self.withdrawals.grant(Label::of(&tenant)))
    }

    /// Ends what a tenant has begun.
    pub(super) fn end_work_of(&self, tenant: &str) {
        self.withdrawals.withdraw(tenant);
        for endpoint in &self.endpoints {
            endpoint.end_work_of(tenant);
        }
    }

    /// Makes the error that the client is shown of the one that a request has failed with, and notes it.
    pub(super) fn fail(&self, cx: Option<&C>, error: Error, outcome: &mut Outcome) -> Error {
        let Some(map) = &self.error_map else {
            outcome.fail(&error, None);
            return error;
        };
        let cause = outcome::cause(&error);
        let shown = map(cx, error);
        outcome.fail(&shown, cause);
        shown
    }

    /// Tells the application of an outcome, or logs what somebody should hear of.
    pub(super) fn tell(&self, cx: Option<&C>, outcome: &Outcome) {
        match &self.listener {
            Some(listener) => listener(cx, outcome),
            None => log::unheard(outcome),
        }
    }

    /// Returns how many bytes the body of a request may have; `None` if it has none.
    pub(super) fn limit_at(&self, route: &Route, method: &Method) -> Option<BodyLimit> {
        match (route, method.as_str()) {
            (Route::Resource(index, _), "PUT" | "PATCH") | (Route::Collection(index), "POST") => {
                Some(self.limit_of_type(*index))
            }
            (Route::Search(_) | Route::RootSearch, "POST") => Some(self.limit_of_body()),
            _ => None,
        }
    }

    fn limit_of_body(&self) -> BodyLimit {
        BodyLimit {
            bytes: self.limits.body,
            exceeded: exceeded::body,
        }
    }

    fn limit_of_type(&self, index: usize) -> BodyLimit {
        let has_edges = self.resource_types.get(index).is_some_and(|resource_type| {
            resource_type
                .schema
                .attributes
                .iter()
                .any(|attribute| attribute.edges)
        });
        match has_edges {
            true => BodyLimit {
                bytes: self.limits.large_body,
                exceeded: exceeded::large_body,
            },
            false => self.limit_of_body(),
        }
    }

    /// Returns the route of a path.
    pub(super) fn route(&self, path: &str) -> Result<Routed> {
        route::find(path, &self.endpoint_paths)
    }
}
