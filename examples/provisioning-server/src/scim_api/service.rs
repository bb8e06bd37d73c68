//! The people and groups of all organizations as a SCIM service.

use std::fmt;
use std::sync::Arc;

use axum::extract::Request;
use http::Response;
use scim::message::AuthenticationScheme;
use scim::resources::Group;
use scim::service::{Body, ScimService, from_parts};

use super::context::Context;
use super::policies::Policies;
use super::recorded::recorded;
use super::rules::{self, OfOrganization};
use crate::database::Product;
use crate::domain::fault::{Fault, Result};
use crate::domain::public_url::{PublicUrl, Scheme};
use crate::domain::user::User;

/// Serves the people and groups of every organization, once a request is admitted.
pub(crate) struct People {
    service: ScimService<Context>,
    policies: Arc<Policies>,
}

impl People {
    /// The service on a product's store. Without a public URL, locations begin with the scheme that the server speaks
    /// and the host that a request names.
    pub(crate) fn open(product: &Product, scheme: Scheme, public_url: Option<&PublicUrl>) -> Result<Self> {
        let failed = |cause: scim::Error| Fault::internal("The SCIM service cannot be set up.", cause);
        let store = recorded(product.documents()).build().map_err(failed)?;
        let context = from_parts(|parts| {
            let context = parts.extensions.remove::<Context>();
            context.ok_or_else(|| scim::Error::internal("a request without a context"))
        });
        let mut builder = ScimService::builder(context)
            .resource::<User, _>(store.clone())
            .resource::<Group, _>(store)
            .hooks(rules::hooks())
            .policy_for(Context::policy)
            // The endpoint finds the outcome in the response, and logs the cause with the id of the request.
            .on_outcome(|_, _| {})
            .nested_by(|cx, _| format!("/scim/{}", cx.organization().name))
            .version_in_locations()
            .service_provider_config(|config| {
                config
                    .authentication_schemes
                    .push(AuthenticationScheme::bearer_token());
            });
        if scheme == Scheme::Https {
            builder = builder.over_tls();
        }
        if let Some(url) = public_url {
            builder = builder.public_url(url.to_string());
        }
        Ok(Self {
            service: builder.build().map_err(failed)?,
            policies: Arc::new(Policies::new().map_err(failed)?),
        })
    }

    pub(super) fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.policies)
    }

    /// Answers an admitted request, whose path begins below the organization's URL.
    pub(super) async fn respond(&self, cx: &Context, mut request: Request) -> Response<Body> {
        request.extensions_mut().insert(cx.clone());
        self.service.respond(request).await
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People")
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}
