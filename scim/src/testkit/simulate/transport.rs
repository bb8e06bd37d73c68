//! How requests reach the server.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::Full;

use crate::client::Exchange;

/// A request whose URI is a path below the server's base URL: `/Users?count=1`.
pub type Request = http::Request<Bytes>;

/// The answer.
pub type Response = http::Response<Bytes>;

/// There is no answer. The server may have done what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer(
    /// The event, for the report.
    pub String,
);

/// Carries requests to a server: to a service in this process, over HTTP, or to a test's own idea of a server.
pub trait Transport: Send {
    /// Sends a request and waits for the answer.
    fn send(&mut self, request: Request) -> impl Future<Output = Result<Response, NoAnswer>> + Send;

    /// Waits for so long before the next request. The simulation has a clock of its own; only where a server measures
    /// real time need this do anything.
    fn pause(&mut self, duration: Duration) -> impl Future<Output = ()> + Send {
        _ = duration;
        std::future::ready(())
    }
}

/// The transport through a tower service, such as the server itself or an HTTP client.
#[derive(Debug, Clone)]
pub struct Through<S> {
    service: S,
    base: String,
    headers: HeaderMap,
}

impl<S> Through<S> {
    /// Sends to `service`, below `base`: `http://127.0.0.1:8080/scim/v2`, or a path alone.
    #[must_use]
    pub fn new(service: S, base: &str) -> Self {
        Self {
            service,
            base: base.trim_end_matches('/').to_owned(),
            headers: HeaderMap::new(),
        }
    }

    /// Adds a header to every request, such as the token of the provider.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// Answers longer than this are not pages.
const LONGEST_ANSWER: usize = 256 << 20;

impl<S: Exchange> Transport for Through<S> {
    async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
        let (mut head, body) = request.into_parts();
        head.uri = format!("{}{}", self.base, head.uri)
            .parse()
            .map_err(|error: http::uri::InvalidUri| NoAnswer(error.to_string()))?;
        head.headers.extend(self.headers.clone());
        let request = http::Request::from_parts(head, Full::new(body));
        let answer = self.service.exchange(request, LONGEST_ANSWER).await;
        answer.map_err(|error| NoAnswer(with_causes(&*error)))
    }
}

/// Writes an error with its causes. An HTTP client says "client error", and only the causes say which.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text += ": ";
            text += &said;
        }
        cause = error.source();
    }
    text
}
