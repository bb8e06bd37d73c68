//! Bodies that do not end, come late or are too long, as every service over HTTP takes them.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Frame;
use scim::resources::User;
use scim::service::{Body, GivenContext, ScimService, Timer, from_parts};
use scim::store::Memory;
use scim::{Error, Limits};

use crate::user;

/// A body that begins and does not go on; how many pieces of it were taken.
#[derive(Clone)]
struct Unfinished {
    begin: Bytes,
    /// How often it begins again before it stops.
    pieces: usize,
    taken: Arc<AtomicUsize>,
}

impl Unfinished {
    fn new(begin: &'static str, pieces: usize) -> Self {
        Self {
            begin: Bytes::from_static(begin.as_bytes()),
            pieces,
            taken: Arc::default(),
        }
    }
}

impl http_body::Body for Unfinished {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.taken.load(Ordering::Relaxed) == self.pieces {
            return Poll::Pending;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(self.begin.clone()))))
    }
}

/// A timer by which every wait is over.
struct AtOnce;

impl Timer for AtOnce {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

fn limits() -> Limits {
    Limits {
        body: 1_000,
        discarded_body: 2_000,
        bodies: 2_000,
        tenant_bodies: 1_200,
        ..Limits::default()
    }
}

fn service() -> ScimService<String> {
    ScimService::<String>::builder(GivenContext)
        .resource::<User, _>(Memory::new())
        .limits(limits())
        .mount("/v2")
        .build()
        .unwrap()
}

fn post<B>(body: B) -> Request<B> {
    let request = Request::post("http://id.example.com/v2/Users");
    request
        .header("content-type", "application/scim+json")
        .body(body)
        .unwrap()
}

/// Polls once.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn connection(answer: &Response<Body>) -> Option<&str> {
    answer
        .headers()
        .get("connection")
        .map(|value| value.to_str().unwrap())
}

/// F4: the bodies that one tenant leaves unfinished take nothing from another, and what they held is free when they go.
#[tokio::test]
async fn unfinished_bodies_of_one_tenant_hold_up_no_other() {
    let service = service();
    let (acme, other) = (Arc::new("acme".to_owned()), Arc::new("other".to_owned()));
    let unfinished = || service.respond_in(&acme, post(Unfinished::new(PIECE, 6)));
    let mut held = [Box::pin(unfinished()), Box::pin(unfinished())];
    for request in &mut held {
        assert!(
            poll(request.as_mut()).is_pending(),
            "600 bytes each, and more to come"
        );
    }
    let body = || user("babs").to_string();
    let refused = service.respond_in(&acme, post(body())).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(service.respond_in(&other, post(body())).await.status(), 201);
    let mut third = pin!(service.respond_in(&other, post(Unfinished::new(PIECE, 8))));
    assert!(poll(third.as_mut()).is_pending());
    let full = Arc::new("third".to_owned());
    let refused = service.respond_in(&full, post(body())).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    drop(held);
    assert_eq!(service.respond_in(&acme, post(body())).await.status(), 201);
}

/// A piece of 100 bytes.
const PIECE: &str =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

/// F4: a body that does not go on is 408 when its time is over, and its connection ends with the answer (RFC 9110
/// section 15.5.9).
#[tokio::test]
async fn an_unfinished_body_is_408() {
    let service = ScimService::<String>::builder(GivenContext)
        .resource::<User, _>(Memory::new())
        .timer(AtOnce)
        .mount("/v2")
        .build()
        .unwrap();
    let cx = Arc::new("acme".to_owned());
    let answer = service.respond_in(&cx, post(Unfinished::new("{", 1))).await;
    assert_eq!(answer.status(), 408);
    assert_eq!(connection(&answer), Some("close"));
    let in_time = service.respond_in(&cx, post(user("babs").to_string())).await;
    assert_eq!((in_time.status().as_u16(), connection(&in_time)), (201, None));
}

/// F8: what follows a refusal is thrown away as far as that is bounded, and beyond it the connection ends; HTTP/2 ends
/// the stream alone (RFC 9113 section 8.2.2 forbids the header).
#[tokio::test]
async fn a_body_that_is_too_long_ends_the_connection_where_it_is_not_read_to_its_end() {
    let service = service();
    let cx = Arc::new("acme".to_owned());
    for (length, ends) in [(1_001, false), (2_000, false), (10_000, true)] {
        let mut request = post("x".repeat(length));
        let length = length.to_string().parse().unwrap();
        request.headers_mut().insert("content-length", length);
        let answer = service.respond_in(&cx, request).await;
        assert_eq!(answer.status(), 413);
        assert_eq!(connection(&answer), ends.then_some("close"));
    }
    let endless = Unfinished::new(PIECE, usize::MAX);
    let answer = service.respond_in(&cx, post(endless.clone())).await;
    assert_eq!(
        (answer.status().as_u16(), connection(&answer)),
        (413, Some("close"))
    );
    let taken = endless.taken.load(Ordering::Relaxed);
    assert!(taken <= 32, "{taken} pieces were taken of an endless body");
    let mut two = post(Unfinished::new(PIECE, usize::MAX));
    *two.version_mut() = Version::HTTP_2;
    let answer = service.respond_in(&cx, two).await;
    assert_eq!((answer.status().as_u16(), connection(&answer)), (413, None));
}

/// F4 and F9: of a request that is not let in, no body is read, and the client is told that the connection ends.
#[tokio::test]
async fn the_body_of_whoever_is_not_let_in_is_not_read() {
    let nobody = from_parts(|_| Err::<String, _>(Error::new(http::StatusCode::UNAUTHORIZED, "Nobody.")));
    let service = ScimService::builder(nobody)
        .resource::<User, _>(Memory::new())
        .mount("/v2")
        .build()
        .unwrap();
    let body = Unfinished::new(PIECE, 3);
    let answer = service.respond(post(body.clone())).await;
    assert_eq!(
        (answer.status().as_u16(), connection(&answer)),
        (401, Some("close"))
    );
    assert_eq!(body.taken.load(Ordering::Relaxed), 0);
}

/// A body where none belongs, as some clients send it with DELETE, does not end the connection.
#[tokio::test]
async fn a_body_that_nobody_needs_is_thrown_away() {
    let service = service();
    let cx = Arc::new("acme".to_owned());
    let request = Request::delete("http://id.example.com/v2/Users/1").body("{}".to_owned());
    let answer = service.respond_in(&cx, request.unwrap()).await;
    assert_eq!((answer.status().as_u16(), connection(&answer)), (404, None));
}
