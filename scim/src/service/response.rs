//! An answer without a network.

use http::{HeaderMap, StatusCode};

use super::body::Body;
use super::outcome::Outcome;

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// The outcome of the request.
    pub outcome: Outcome,
}

impl From<Response> for http::Response<Body> {
    /// Turns the answer into an HTTP response, which carries the [`Outcome`] as an extension.
    fn from(answer: Response) -> Self {
        let mut response = Self::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response.extensions_mut().insert(answer.outcome);
        response
    }
}
