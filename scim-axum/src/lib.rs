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
//! Where clients have bearer tokens, [`BearerLayer`] asks a [`Verify`] about each request, and [`principal`] makes whom it
//! admits the context.
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
