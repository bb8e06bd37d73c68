//! Mounts `scim` services in an [`axum`] router: under any prefix, per tenant, with extractors as context and bearer
//! tokens.
//!
//! ```
//! use axum::Router;
//! use axum::extract::Path;
//! use scim::service::{ScimService, from_parts};
//! use scim_axum::{extract, mount};
//!
//! # fn example() -> scim::Result<Router> {
//! /// The tenant, out of the path.
//! type Tenant = Path<String>;
//!
//! let service = ScimService::builder(extract::<Tenant>()).build()?;
//! let app = Router::new()
//!     .route("/healthz", axum::routing::get(|| async { "ok" }))
//!     .merge(mount("/scim/{tenant}/v2", service));
//! # Ok(app)
//! # }
//! # example().unwrap();
//! ```

mod bearer;
mod credentials;
mod extractor;
mod mount;

pub use bearer::{Bearer, BearerLayer, Verify};
pub use credentials::Credentials;
pub use extractor::{Extractor, extract, extract_with};
pub use mount::{Mounted, mount, router};
