//! The people and groups of all organizations as a SCIM service.

use std::sync::Arc;

use scim::Limits;
use scim::message::{AuthenticationScheme, ServiceProviderConfig};
use scim::resources::Group;
use scim::service::ScimService;
use scim_axum::principal;

use super::context::Context;
use super::recorded::recorded;
use super::router::REALM;
use super::{events, request_history, rules};
use crate::database::Product;
use crate::domain::fault::{Fault, Result};
use crate::domain::public_url::{PublicUrl, Scheme};
use crate::domain::rate::Rate;
use crate::domain::redact;
use crate::domain::user::User;
use crate::history::Recorder;

/// The parts that the endpoints are made of, and how they are reached.
#[derive(Debug)]
pub(crate) struct Serving<'a> {
    pub(crate) product: &'a Arc<Product>,
    pub(crate) history: &'a Arc<Recorder>,
    pub(crate) limits: &'a Limits,
    /// How many requests each organization may make.
    pub(crate) rate: Rate,
    /// The scheme that the server speaks.
    pub(crate) scheme: Scheme,
    /// Without one, locations begin with the scheme and the host that a request names.
    pub(crate) public_url: Option<&'a PublicUrl>,
}

/// Opens the service on a product's store, for requests that were admitted.
pub(super) fn open(serving: &Serving<'_>) -> Result<ScimService<Context>> {
    let store = events::told(rules::in_transaction(serving.product.documents()));
    let store = recorded(store);
    let store = store.build().map_err(cannot_set_up)?;
    let history = Arc::clone(serving.history);
    let mut builder = ScimService::builder(principal())
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .limits(serving.limits.clone())
        .hooks(rules::hooks())
        .policy_for(Context::policy)
        // Providers keep errors in their logs, and an error may repeat what was asked for.
        .map_error(|_, error| error.map_text(redact::secrets))
        .on_outcome(move |cx, outcome| match cx {
            Some(cx) => request_history::answered(&history, cx, outcome),
            None => tracing::error!("a request reached the service that nobody has admitted"),
        })
        .realm(REALM)
        .version_in_locations()
        .service_provider_config(authenticates);
    if serving.scheme == Scheme::Https {
        builder = builder.over_tls();
    }
    if let Some(url) = serving.public_url {
        builder = builder.public_url(url.to_string());
    }
    builder.build().map_err(cannot_set_up)
}

/// Returns what `/ServiceProviderConfig` says of a service with these limits.
pub(crate) fn offered(limits: &Limits) -> ServiceProviderConfig {
    let mut config = ServiceProviderConfig::new(limits);
    authenticates(&mut config);
    config
}

/// Says how clients authenticate.
fn authenticates(config: &mut ServiceProviderConfig) {
    config
        .authentication_schemes
        .push(AuthenticationScheme::bearer_token());
}

pub(super) fn cannot_set_up(cause: scim::Error) -> Fault {
    Fault::internal("The SCIM service cannot be set up.", cause)
}
