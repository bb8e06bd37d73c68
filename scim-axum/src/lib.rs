//! Mounts `scim` services in an [`axum`] router: under any prefix, per tenant, with extractors as context and bearer
//! tokens.
//!
//! ```
//! use axum::Router;
//! use axum::extract::Path;
//! use scim::resources::User;
//! use scim::service::ScimService;
//! use scim::store::Memory;
//! use scim_axum::{extract, mount};
//!
//! # fn example() -> scim::Result<Router> {
//! /// The tenant, out of the path.
//! type Tenant = Path<String>;
//!
//! let store = Memory::new().tenant_by(|Path(tenant): &Tenant| Some(tenant.into()));
//! let service = ScimService::builder(extract::<Tenant>()).resource::<User, _>(store).build()?;
//! let app = Router::new()
//!     .route("/healthz", axum::routing::get(|| async { "ok" }))
//!     .merge(mount("/scim/{tenant}/v2", service));
//! # Ok(app)
//! # }
//! # example().unwrap();
//! ```
//!
//! Which way a request gets its context depends on what is there already:
//!
//! | the application has | take |
//! |---|---|
//! | a layer that leaves a principal in the extensions of the request | [`principal`] if that is the context, [`scim::service::from_parts`] to make one of it |
//! | an extractor | [`extract`], or [`extract_with`] if it needs a state |
//! | bearer tokens and no layer yet | [`BearerLayer`] with a [`Verify`], and [`principal`] |
//!
//! The example `scim-in-your-app` of the repository shows the first, with rules, events and a log.
//!
//! [`mount`] is the one place that says where a service in a router lives: its builder need not say it again.

mod bearer;
mod credentials;
mod extractor;
mod mount;

pub use bearer::{Bearer, BearerLayer, Verify};
pub use credentials::Credentials;
pub use extractor::{Extractor, extract, extract_with, principal};
pub use mount::{Mounted, mount, router};
