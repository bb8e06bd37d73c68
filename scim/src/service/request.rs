//! A request without a network.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};

use super::negotiation::SCIM_JSON;

/// A request, as far as the protocol is concerned.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the base URL, still percent-encoded.
    pub path: String,
    /// The query string without its question mark.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The URL under which clients know the service, without a slash at its end.
    pub base_url: String,
    /// The URL under which this request reached the service, where that is another one. References below it are the
    /// service's own, too.
    pub reached_at: Option<String>,
}

impl Request {
    /// Makes a request without a body, to a service at `http://localhost`. The text after a question mark in `target` is its
    /// query.
    #[must_use]
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self {
            method,
            path: path.to_owned(),
            query,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            base_url: "http://localhost".into(),
            reached_at: None,
        }
    }

    /// Makes a GET request.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new(Method::GET, target)
    }

    /// Adds a body of type `application/scim+json`.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.with_header(CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON))
    }

    /// Adds one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }
}
