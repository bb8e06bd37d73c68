//! The SCIM endpoint of each organization: who may use it, what it serves, and what is remembered of each request.

mod answer;
mod context;
mod directory;
mod endpoint;
mod policies;
mod recorded;
mod request_id;
pub(crate) mod rules;
mod service;

pub(crate) use directory::Directory;
pub(crate) use endpoint::{Endpoint, no_route, router};
pub(crate) use policies::Policies;
pub(crate) use service::People;
