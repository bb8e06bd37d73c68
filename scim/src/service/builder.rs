//! Putting a service together. Anything that can be wrong with it is found before it serves anything.

use std::collections::HashSet;
use std::sync::Arc;

use http::StatusCode;
use http::request::Parts as Head;

use super::authorize::{Access, Authorize, Decision, Everybody, Guard};
use super::base_url::{BaseUrl, Mount, check_public};
use super::context::{MakeContext, Source};
use super::endpoint::{Endpoint, Typed};
use super::outcome::Outcome;
use super::parts::{ErrorMap, Listener, Parts, Policies};
use super::protocol::Protocol;
use super::route::is_free;
use super::tower::ScimService;
use crate::error::{Error, Result, quoted};
use crate::limits::Limits;
use crate::message::ServiceProviderConfig;
use crate::policy::Policy;
use crate::record::ScimResource;
use crate::schema::{Attribute, Mutability, ResourceType, Type};
use crate::store::{Hooks, Store};
use crate::timer::{ThreadTimer, Timer};

/// Changes what the service says of itself.
type Configure = Box<dyn FnOnce(&mut ServiceProviderConfig) + Send>;

/// Resources with more edges than this are not shown after a PATCH (A-38).
const MOST_EDGES_SHOWN: usize = 100;

/// Puts a service together.
///
/// ```
/// use scim::policy::Policy;
/// use scim::resources::{Group, User};
/// use scim::service::{NoContext, ScimService};
/// # use scim::store::Store;
///
/// # fn example(store: std::sync::Arc<impl Store<User, ()> + Store<Group, ()>>) -> scim::Result<()> {
/// let service = ScimService::builder(NoContext)
///     .resource::<User, _>(store.clone())
///     .resource::<Group, _>(store)
///     .policy(Policy::tolerant())
///     .public_url("https://id.example.com")
///     .mount("/scim/v2")
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub struct Builder<C, F> {
    finish: F,
    endpoints: Vec<Box<dyn Endpoint<C>>>,
    policies: Policies<C>,
    limits: Limits,
    configure: Vec<Configure>,
    guard: Box<dyn Guard<C>>,
    listener: Option<Listener<C>>,
    error_map: Option<ErrorMap<C>>,
    hooks: Hooks<C>,
    most_edges: usize,
    realm: String,
    names_version: bool,
}

/// A builder that makes a [`Protocol`].
#[derive(Debug, Clone, Copy)]
pub struct Plain;

/// A builder that makes a [`ScimService`].
pub struct Served<C> {
    source: Arc<dyn Source<C>>,
    base_url: BaseUrl<C>,
    timer: Arc<dyn Timer>,
    /// How often it was said where the service lives.
    mounts: usize,
}

impl<C: Send + Sync + 'static, F> Builder<C, F> {
    fn new(finish: F) -> Self {
        Self {
            finish,
            endpoints: Vec::new(),
            policies: Policies::One(Policy::default()),
            limits: Limits::default(),
            configure: Vec::new(),
            guard: Box::new(Everybody),
            listener: None,
            error_map: None,
            hooks: Hooks::default(),
            most_edges: MOST_EDGES_SHOWN,
            realm: "scim".into(),
            names_version: false,
        }
    }

    /// Serves resources of type `R` out of `store`.
    #[must_use]
    pub fn resource<R: ScimResource, S: Store<R, C>>(mut self, store: S) -> Self {
        self.endpoints.push(Box::new(Typed::<R, S>::new(store)));
        self
    }

    /// Sets the tolerances beyond the RFC's letter; [`Policy::tolerant`] unless said otherwise.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies = Policies::One(policy);
        self
    }

    /// Sets the policy of each request, for instance that of its tenant.
    #[must_use]
    pub fn policy_for(mut self, policy: impl Fn(&C) -> Policy + Send + Sync + 'static) -> Self {
        self.policies = Policies::PerRequest(Box::new(policy));
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Asks who may do what. Without it, every client that has a context may do everything.
    ///
    /// ```
    /// use scim::service::{Decision, Protocol};
    ///
    /// struct Principal { reads_only: bool }
    ///
    /// let builder = Protocol::<Principal>::builder().authorize(|who, access| {
    ///     if who.reads_only && access.operation.is_write() { Decision::Deny } else { Decision::Allow }
    /// });
    /// ```
    #[must_use]
    pub fn authorize(self, rule: impl Fn(&C, &Access<'_>) -> Decision + Send + Sync + 'static) -> Self {
        self.authorize_with(rule)
    }

    /// Asks a rule that waits, or that can fail, in the same way.
    #[must_use]
    pub fn authorize_with(mut self, rule: impl Authorize<C>) -> Self {
        self.guard = Box::new(rule);
        self
    }

    /// Sets the application's own rules before writes, and what it does after them: see [`Hooks`].
    #[must_use]
    pub fn hooks(mut self, hooks: Hooks<C>) -> Self {
        self.hooks = hooks;
        self
    }

    /// Tells the application what became of every request, just before it is answered. A request whose context could not
    /// be made has none.
    ///
    /// Without a listener, the causes of errors that are not a client's fault (5xx) are logged: as events of `tracing`
    /// (feature `tracing`, on by default) where a subscriber is set, and on standard error otherwise.
    ///
    /// ```
    /// use scim::service::{NoContext, ScimService};
    ///
    /// let builder = ScimService::builder(NoContext).on_outcome(|_, outcome| {
    ///     if let Some(cause) = outcome.problem.as_ref().and_then(|problem| problem.cause.as_ref()) {
    ///         // Hand it to the log of the application: no client has seen it.
    ///         _ = cause;
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn on_outcome(mut self, listener: impl Fn(Option<&C>, &Outcome) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Asks the application what a client is shown of an error, for instance to hide a secret that the client has sent and
    /// that the error repeats ([`Error::map_text`]).
    ///
    /// `map` is given every error that a request is answered with: also those of a context that could not be made, when it
    /// has none, of a body that could not be read, and of a URL or method that leads nowhere. Status, SCIM error type,
    /// attribute and challenge of the answer are those of the error that it returns; the header `Allow` of a 405 stays.
    /// [`on_outcome`](Self::on_outcome) is told of the error that is shown, with the cause of the first one unless the
    /// other has its own.
    ///
    /// ```
    /// use std::borrow::Cow;
    ///
    /// use scim::service::{NoContext, ScimService};
    ///
    /// let builder = ScimService::builder(NoContext)
    ///     .map_error(|_, error| error.map_text(|text| Cow::Owned(text.replace("sesame", "…"))));
    /// ```
    #[must_use]
    pub fn map_error(mut self, map: impl Fn(Option<&C>, Error) -> Error + Send + Sync + 'static) -> Self {
        self.error_map = Some(Box::new(map));
        self
    }

    /// Changes what `/ServiceProviderConfig` says: authentication schemes, the URL of a documentation. Turning `patch`,
    /// `sort` or `filter` off turns it off indeed.
    #[must_use]
    pub fn service_provider_config(
        mut self,
        configure: impl FnOnce(&mut ServiceProviderConfig) + Send + 'static,
    ) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    /// Sets the number of edges up to which a PATCH shows the resource: a PATCH of one with more (a group and its members) is
    /// answered 204 unless the client says what it wants to see; 100 unless said otherwise.
    #[must_use]
    pub fn edges_shown_after_patch(mut self, most: usize) -> Self {
        self.most_edges = most;
        self
    }

    /// Sets the realm in the header `WWW-Authenticate` of a 401; `scim` unless said otherwise.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// Makes `…/v2/Users/1` the one URL of a resource, for a service that is mounted above the version: at `/scim` for
    /// `/scim/v2/Users`.
    ///
    /// A service answers below its mount with and without the segment `v2` (RFC 7644 section 3.13: without it, the latest
    /// version is meant). With this, locations and references always have the segment, so that a resource has one URL
    /// whichever way it is asked for; nothing is redirected. Without this, they begin as the request's URL does.
    ///
    /// ```
    /// use scim::service::{NoContext, ScimService};
    ///
    /// # fn example() -> scim::Result<()> {
    /// let service = ScimService::builder(NoContext).mount("/scim").version_in_locations().build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn version_in_locations(mut self) -> Self {
        self.names_version = true;
        self
    }

    fn protocol(self) -> Result<(Protocol<C>, F)> {
        let mut config = ServiceProviderConfig::new(&self.limits);
        for configure in self.configure {
            configure(&mut config);
        }
        let types: Vec<_> = self
            .endpoints
            .iter()
            .map(|endpoint| endpoint.resource_type())
            .collect();
        check_types(&types)?;
        for endpoint in &self.endpoints {
            endpoint.check(&types)?;
        }
        check_config(&config)?;
        check_hooks(&self.hooks, &types)?;
        if let Policies::One(policy) = &self.policies {
            check_policy(policy, &types)?;
        }
        let parts = Parts {
            endpoint_paths: types.iter().map(|resource_type| resource_type.endpoint).collect(),
            resource_types: types,
            endpoints: self.endpoints,
            policies: self.policies,
            limits: Arc::new(self.limits),
            config,
            guard: self.guard,
            listener: self.listener,
            error_map: self.error_map,
            hooks: self.hooks,
            most_edges: self.most_edges,
            realm: self.realm,
            names_version: self.names_version,
            withdrawals: Arc::default(),
        };
        Ok((
            Protocol {
                parts: Arc::new(parts),
            },
            self.finish,
        ))
    }
}

impl<C: Send + Sync + 'static> Builder<C, Plain> {
    /// Checks everything and makes the protocol.
    ///
    /// # Errors
    /// A sentence for the programmer: endpoints or names that clash, references to unknown types, a policy or a
    /// configuration that does not fit, hooks for a type that is not served.
    pub fn build(self) -> Result<Protocol<C>> {
        self.protocol().map(|(protocol, Plain)| protocol)
    }
}

impl<C: Send + Sync + 'static> Protocol<C> {
    /// Begins a service.
    #[must_use]
    pub fn builder() -> Builder<C, Plain> {
        Builder::new(Plain)
    }
}

impl<C: Send + Sync + 'static> ScimService<C> {
    /// Begins a service whose requests get their context from `source`.
    #[must_use]
    pub fn builder(source: impl MakeContext<C>) -> Builder<C, Served<C>> {
        Builder::new(Served {
            source: Arc::new(source),
            base_url: BaseUrl::default(),
            timer: Arc::new(ThreadTimer),
            mounts: 0,
        })
    }
}

impl<C: Send + Sync + 'static> Builder<C, Served<C>> {
    /// Sets the URL under which clients reach the server, such as `https://id.example.com`. The prefix of the mount follows
    /// it in locations. Without one, the request's header `Host` counts.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.finish.base_url.public = Some(url.into());
        self
    }

    /// Says that clients reach the server over TLS that it ends itself: where neither a public URL nor the request names
    /// a scheme, locations begin with `https`.
    #[must_use]
    pub fn over_tls(mut self) -> Self {
        self.finish.base_url.scheme = "https";
        self
    }

    /// Believes the headers `X-Forwarded-Proto` and `X-Forwarded-Host`: only behind a proxy that sets them itself.
    #[must_use]
    pub fn trust_forwarded(mut self) -> Self {
        self.finish.base_url.trust_forwarded = true;
        self
    }

    /// Tells how long a body keeps the service waiting; [`ThreadTimer`] unless said otherwise.
    #[must_use]
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.finish.timer = Arc::new(timer);
        self
    }

    /// Sets the path at which the service lives, such as `/scim/v2`: requests come with it, and elsewhere is nothing. It is
    /// for a service that is not in a router of `axum`: in one, `scim_axum::mount` alone says where the service lives.
    ///
    /// If both say it, a prefix that the router has taken off and that ends with this one counts once; any other stands
    /// before this one.
    #[must_use]
    pub fn mount(mut self, prefix: &str) -> Self {
        self.finish.base_url.mount = Mount::Own(with_slash(prefix));
        self.finish.mounts += 1;
        self
    }

    /// Sets the path at which the service lives, if a router takes it off the requests.
    #[must_use]
    pub fn nested_at(self, prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        self.nested_by(move |_, _| prefix.clone())
    }

    /// Sets that path for each request, as it may differ between them, for instance with the tenant.
    #[must_use]
    pub fn nested_by(mut self, prefix: impl Fn(&C, &Head) -> String + Send + Sync + 'static) -> Self {
        self.finish.base_url.mount = Mount::Nested(Arc::new(prefix));
        self.finish.mounts += 1;
        self
    }

    /// Checks everything and makes the service.
    ///
    /// # Errors
    /// A sentence for the programmer or the operator: endpoints or names that clash, references to unknown types, a
    /// policy, a configuration or a public URL that does not fit, hooks for a type that is not served.
    pub fn build(self) -> Result<ScimService<C>> {
        let (protocol, mut served) = self.protocol()?;
        if served.mounts > 1 {
            return Err(wrong(
                "The service was told more than once where it lives: keep one of mount, nested_at and nested_by.".into(),
            ));
        }
        if let Some(url) = &served.base_url.public {
            served.base_url.public = Some(check_public(url)?);
        }
        Ok(ScimService::new(
            protocol,
            served.source,
            served.base_url,
            served.timer,
        ))
    }
}

/// Returns the prefix with a slash at the beginning and none at the end.
fn with_slash(prefix: &str) -> String {
    match prefix.trim_matches('/') {
        "" => String::new(),
        prefix => format!("/{prefix}"),
    }
}

fn wrong(detail: String) -> Error {
    Error::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

/// Checks S-6-06 (RFC 7643 section 6 with errata 8365 and 8475).
fn check_types(types: &[&'static ResourceType]) -> Result<()> {
    let mut names = HashSet::new();
    let mut endpoints: Vec<String> = Vec::new();
    for resource_type in types {
        let (name, endpoint) = (resource_type.name, resource_type.endpoint);
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(wrong(format!("Two resource types have the name {name}.")));
        }
        if !is_free(endpoint) {
            return Err(wrong(format!(
                "The resource type {name} cannot live at the endpoint {}.",
                quoted(endpoint)
            )));
        }
        let path = endpoint.trim_matches('/').to_ascii_lowercase();
        // Anything below an endpoint is the id of a resource.
        let clash = endpoints.iter().any(|other| {
            path == *other || path.starts_with(&format!("{other}/")) || other.starts_with(&format!("{path}/"))
        });
        if clash {
            return Err(wrong(format!(
                "The endpoint {endpoint} of the resource type {name} clashes with another."
            )));
        }
        endpoints.push(path);
    }
    for resource_type in types {
        check_references(resource_type.schema.attributes, &names)
            .map_err(|fault| wrong(format!("The resource type {}: {fault}", resource_type.name)))?;
    }
    Ok(())
}

/// Checks that whatever clients may write points to something that is served. Attributes that only the service writes may point
/// to types that are left out, as `groups` does if there are no groups.
fn check_references(table: &[Attribute], names: &HashSet<String>) -> std::result::Result<(), String> {
    for attribute in table
        .iter()
        .filter(|attribute| attribute.shape.mutability != Mutability::ReadOnly)
    {
        if attribute.shape.kind == Type::Reference {
            let unknown = attribute.shape.reference_types.iter().find(|name| {
                !matches!(**name, "external" | "uri") && !names.contains(&name.to_ascii_lowercase())
            });
            if let Some(unknown) = unknown {
                return Err(format!(
                    "{} refers to {unknown}, which is not served.",
                    attribute.name
                ));
            }
        }
        check_references(attribute.shape.sub_attributes, names)
            .map_err(|fault| format!("{}: {fault}", attribute.name))?;
    }
    Ok(())
}

/// Checks S-5-07 (RFC 7643 section 5): what is said is true.
fn check_config(config: &ServiceProviderConfig) -> Result<()> {
    let fault = if config.bulk.is_some() {
        "says that bulk requests are supported"
    } else if !config.etag {
        "says that versions are not supported"
    } else if config
        .pagination
        .as_ref()
        .is_some_and(|pagination| pagination.cursor || !pagination.index)
    {
        "says that pages are asked for by a cursor"
    } else {
        return Ok(());
    };
    Err(wrong(format!(
        "The service provider configuration {fault}, which is not true."
    )))
}

fn check_hooks<C: Send + Sync + 'static>(hooks: &Hooks<C>, types: &[&'static ResourceType]) -> Result<()> {
    let is_served = |name: &str| types.iter().any(|served| served.name == name);
    match hooks.resource_types().find(|hooked| !is_served(hooked.name)) {
        Some(hooked) => Err(wrong(format!(
            "The service has hooks for the resource type {}, which is not served.",
            hooked.name
        ))),
        None => Ok(()),
    }
}

fn check_policy(policy: &Policy, types: &[&'static ResourceType]) -> Result<()> {
    let unknown = policy.all_kept().find(|kept| {
        !types
            .iter()
            .any(|resource_type| resource_type.schema.id == kept.schema())
    });
    match unknown {
        Some(kept) => Err(wrong(format!(
            "The policy says what is kept of {}, which is not served.",
            kept.schema()
        ))),
        None => Ok(()),
    }
}
