//! The SCIM protocol (RFC 7644) as a service: without a network ([`Protocol`]), and over HTTP ([`ScimService`]).
//!
//! A request passes these stages. Its context is made, or it is refused ([`MakeContext`]). Its body is read within the
//! limits. Its path is routed, its method and media types are checked, the application is asked whether it is allowed
//! ([`Authorize`]), and the [`Store`](crate::store::Store) of its resource type does the work. The answer is rendered
//! with the base URL in every location, and the application is told what became of it ([`Outcome`]).

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
mod negotiation;
mod outcome;
mod parts;
mod percent;
mod protocol;
mod render;
mod request;
mod response;
mod route;
mod tower;

pub use authorize::{Access, Authorize, Decision};
pub use base_url::MountedAt;
pub use body::Body;
pub use builder::{Builder, Plain, Served};
pub use context::{FromParts, MakeContext, NoContext, from_parts};
pub use outcome::{Operation, Outcome, Problem};
pub use protocol::Protocol;
pub use render::error_response;
pub use request::Request;
pub use response::Response;
pub use tower::ScimService;
