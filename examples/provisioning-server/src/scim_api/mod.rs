//! The SCIM endpoint of each organization: who may use it, and what is remembered of each request.

mod answer;
mod directory;
mod endpoint;
mod request_id;

pub(crate) use directory::Directory;
pub(crate) use endpoint::{Endpoint, no_route, router};
