//! The checks that a connection makes of every request, whatever it is for, and the count that it keeps.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::header::{CONNECTION, HOST};
use http::{HeaderMap, Request, StatusCode, Version};
use http_body::{Frame, SizeHint};
use scim::Error;
use scim::service::{close_unread, error_response, is_host};
use tower::{Service, ServiceExt};

use super::open::{self, Place};
use super::peer::Peer;
use crate::scim_api::REALM;

/// Answers the requests of one connection.
#[derive(Debug, Clone)]
pub(super) struct Answering {
    pub(super) app: Router,
    pub(super) place: Arc<Place>,
    pub(super) peer: Option<Peer>,
}

impl<B> Service<Request<B>> for Answering
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = http::Response<Sent>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        let (app, place) = (self.app.clone(), Arc::clone(&self.place));
        Box::pin(async move {
            let under_way = place.begin();
            let answer = match check_host(request.version(), request.headers()) {
                Ok(()) => app.oneshot(request).await?,
                Err(error) => refuse(request, &error),
            };
            if answer.headers().contains_key(CONNECTION) {
                place.used().answered_early();
            }
            Ok(answer.map(|body| Sent {
                body,
                _under_way: under_way,
            }))
        })
    }
}

fn refuse<B: http_body::Body>(request: Request<B>, error: &Error) -> Response {
    let (head, body) = request.into_parts();
    let mut answer = error_response(error, &head.headers, REALM);
    close_unread(&head, &body, answer.headers_mut());
    answer.map(Body::new)
}

/// Checks RFC 9112 section 3.2: a request of HTTP/1.1 names its host in one header.
fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Error> {
    if version != Version::HTTP_11 {
        return Ok(());
    }
    let mut values = headers.get_all(HOST).iter();
    let fault = match (values.next(), values.next()) {
        (Some(host), None) if host.to_str().is_ok_and(is_host) => return Ok(()),
        (Some(_), None) => "The header Host names no host.",
        (None, _) => "The request has no header Host (RFC 9112 section 3.2): send one.",
        (Some(_), Some(_)) => "The request has more than one header Host (RFC 9112 section 3.2): send one.",
    };
    Err(Error::new(StatusCode::BAD_REQUEST, fault))
}

/// The body of an answer. As long as it is sent, its request is under way.
#[derive(Debug)]
pub(super) struct Sent {
    body: Body,
    _under_way: open::Request,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F9: none, two, and what is none are 400; other versions name the host elsewhere, or need not.
    #[test]
    fn a_request_of_http_1_1_names_its_host_once() {
        let check = |version, hosts: &[&str]| {
            let headers = hosts.iter().map(|host| (HOST, host.parse().unwrap()));
            check_host(version, &headers.collect()).is_ok()
        };
        for good in ["a", "a.example:80", "[::1]:80", "127.0.0.1"] {
            assert!(check(Version::HTTP_11, &[good]), "{good}");
        }
        for bad in [&[][..], &["a", "a"], &["a b"], &["a@b"], &["a/b"], &[""]] {
            assert!(!check(Version::HTTP_11, bad), "{bad:?}");
        }
        for version in [Version::HTTP_10, Version::HTTP_2] {
            assert!(check(version, &[]), "{version:?}");
        }
    }
}
