//! The SCIM endpoint of each organization: who may use it, what it serves, and what is remembered of each request.

mod asked;
mod authenticator;
mod context;
mod directory;
pub(crate) mod events;
mod groups;
mod listening;
mod long_bodies;
mod people;
mod policies;
mod rates;
mod recorded;
mod request_history;
mod router;
pub(crate) mod rules;
mod service;
mod under_way;

pub(crate) use asked::Asked;
pub(crate) use policies::Policies;
pub(crate) use router::{REALM, router};
pub(crate) use service::{Serving, offered};
pub(crate) use under_way::Watch;
