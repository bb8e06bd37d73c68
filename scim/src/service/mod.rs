//! The SCIM protocol (RFC 7644) as a service: without a network ([`Protocol`]), and over HTTP ([`ScimService`]).
//!
//! A request passes these stages. Its context is made, or it is refused ([`MakeContext`]). Its body is read within the
//! limits. Its path is routed, its method and media types are checked, the application is asked whether it is allowed
//! ([`Authorize`]), and the [`Store`](crate::store::Store) of its resource type does the work. The answer is rendered
//! with the base URL in every location, and the application is told what became of it ([`Outcome`]).
//!
//! # Versions and what is shown
//!
//! A version, the `ETag` of an answer, covers what the resource holds itself. Some answers show more: the `groups` of a user
//! and the names of members are derived from other resources, which change without a new version of this one. Such an
//! answer is therefore never 304, whatever `If-None-Match` says; without the derived attributes
//! (`excludedAttributes=groups`) it can be. `If-Match` protects what the resource holds itself.
//!
//! # Bodies
//!
//! The body of a request is read once the request has a context, never before. It has a length, a time, a least rate, and a
//! share of the memory for all bodies under way, of which each tenant has at most a part: see
//! [`Limits::body`](crate::Limits::body) and those behind it. A body that is refused is read on for a while and thrown away, so
//! that a client that sends before it listens sees why; where the body is not read to its end, the answer has `Connection: close`
//! (HTTP/1). The time is told by a thread of its own ([`ThreadTimer`]) unless the service is given another
//! [`Timer`].
//!
//! # Refusals of the HTTP server
//!
//! A request that the HTTP server in front cannot read does not reach the service, and so its refusal is not a SCIM error
//! and has no body. hyper, and with it `axum::serve`, answers 414 to a URL of 64 KiB or more, 431 to more than 100 headers
//! or to headers of some 400 KiB, and 400 to what is not HTTP. A query between
//! [`Limits::query_bytes`](crate::Limits::query_bytes) and that is 414 with a SCIM error.

mod ask;
mod authorize;
mod base_url;
mod body;
mod builder;
mod conditional;
mod context;
mod derived;
mod discovery;
mod dispatch;
mod endpoint;
mod list;
mod list_parts;
mod log;
mod negotiation;
mod outcome;
mod parts;
mod percent;
mod protocol;
mod receive;
mod render;
mod request;
mod response;
mod route;
mod tower;
mod under_way;

pub use authorize::{Access, Authorize, Decision};
pub use base_url::{MountedAt, host, is_host};
pub use body::Body;
pub use builder::{Builder, Plain, Served};
pub use context::{FromParts, GivenContext, MakeContext, NoContext, from_parts};
pub use outcome::{Operation, Outcome, Problem};
pub use protocol::Protocol;
pub use receive::close_unread;
pub use render::error_response;
pub use request::Request;
pub use response::Response;
pub use tower::ScimService;

pub use crate::timer::{ThreadTimer, Timer};
