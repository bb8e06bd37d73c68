//! The messages of the protocol: lists, errors, searches, and the documents of discovery (RFC 7644 sections 3.4, 3.12
//! and 4).

mod core_schemas;
mod discovery;
mod error;
mod list_parameters;
mod list_response;
mod resource_type;
mod schema;
mod service_provider_config;

pub(crate) use core_schemas::INTEROP_PROFILE_CONFORMANT;
pub use core_schemas::{RESOURCE_TYPE, SCHEMA, SERVICE_PROVIDER_CONFIG};
pub use error::write_error;
pub use list_parameters::ListParameters;
pub use list_response::{ListWriter, write_list};
pub use resource_type::write_resource_type;
pub use schema::{schemas_of, write_schema};
pub use service_provider_config::{AuthenticationScheme, BulkSupport, Pagination, ServiceProviderConfig};

/// The URN of a list of resources.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The URN of an error.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// The URN of a search by POST.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
