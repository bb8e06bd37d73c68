//! Hostile input costs bounded work: every limit is charged while the input is read, and counters say so.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of these tests are tests, too: they end where something fails"
)]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use scim::filter::{Filter, Resolve, ResolvedFilter};
use scim::patch::Patch;
use scim::policy::Policy;
use scim::resources::{Email, User};
use scim::service::{NoContext, ScimService};
use scim::store::Memory;
use scim::value::Json;
use scim::{Limits, ScimResource, ScimType};

/// The bytes of a frame as hyper might deliver it.
const FRAME: usize = 16 << 10;

/// A body of ten megabytes that counts what is taken of it.
struct Counted {
    left: usize,
    taken: Arc<AtomicUsize>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let size = self.left.min(FRAME);
        self.left -= size;
        self.taken.fetch_add(size, Ordering::Relaxed);
        Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from(vec![b'('; size])))))
    }
}

/// Sends ten megabytes to a service that throws away so many bytes of a body that it refuses.
async fn search(length: Option<usize>, discarded_body: usize) -> (StatusCode, usize) {
    let service = ScimService::builder(NoContext)
        .resource::<User, _>(Memory::new())
        .limits(Limits {
            discarded_body,
            ..Limits::default()
        })
        .build()
        .unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let mut request = Request::post("http://localhost/Users/.search");
    if let Some(length) = length {
        request = request.header("content-length", length);
    }
    let body = Counted {
        left: 10 << 20,
        taken: Arc::clone(&taken),
    };
    let response = service.respond(request.body(body).unwrap()).await;
    let status = response.status();
    let error = response.into_body().collect().await.unwrap().to_bytes();
    assert!(error.starts_with(b"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"]"));
    (status, taken.load(Ordering::Relaxed))
}

/// RFC 7644 section 3.7.4, design: limits are charged while reading, never after.
#[tokio::test]
async fn a_body_is_read_to_its_limit_and_no_further() {
    let limit = Limits::default().body;
    for discarded in [0, 1 << 20] {
        let (status, taken) = search(None, discarded).await;
        assert_eq!(status, 413);
        let most = limit + discarded;
        assert!(
            (most..=most + 2 * FRAME).contains(&taken),
            "{taken} bytes were read, {most} are allowed"
        );
    }
}

/// The rest is read only so that a client that sends before it listens sees the answer.
#[tokio::test]
async fn an_announced_body_beyond_the_limit_is_thrown_away_as_far_as_that_is_allowed() {
    let refused = StatusCode::PAYLOAD_TOO_LARGE;
    assert_eq!(search(Some(10 << 20), 0).await, (refused, 0));
    // More than may be thrown away is announced: nothing of it is worth reading.
    assert_eq!(search(Some(10 << 20), 1 << 20).await, (refused, 0));
    assert_eq!(search(Some(10 << 20), 10 << 20).await, (refused, 10 << 20));
}

/// The byte that an error names is as far as the parser has come.
#[test]
fn deep_json_is_refused_where_it_becomes_too_deep() {
    let text = "[".repeat(1 << 20);
    let error = Json::parse(text.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::InvalidSyntax));
    let byte: usize = error
        .to_string()
        .split(|c: char| !c.is_ascii_digit())
        .find_map(|n| n.parse().ok())
        .unwrap();
    assert!(byte <= Limits::default().json_depth + 1, "{error}");
}

/// A filter within its length may still be nested too deep, or have too many parts.
#[test]
fn a_filter_is_refused_before_it_is_read_to_its_end() {
    let limits = Limits::default();
    for text in [
        "(".repeat(limits.filter_bytes),
        "not (".repeat(3_000),
        "a pr or ".repeat(2_000),
        "(".repeat(100_000),
    ] {
        let error = Filter::parse(&text, &limits).unwrap_err();
        assert_eq!(error.scim_type(), Some(ScimType::InvalidFilter));
        let names = [limits.filter_bytes, limits.filter_depth, limits.filter_nodes];
        assert!(
            names
                .iter()
                .any(|limit| error.to_string().contains(&limit.to_string())),
            "{error}"
        );
    }
}

/// Of a million operations the first behind the limit ends the reading.
#[test]
fn operations_are_counted_while_they_are_read() {
    let operation = r#"{"op":"remove","path":"title"}"#;
    let body = format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{}]}}"#,
        vec![operation; 1_000_000].join(",")
    );
    let limits = Limits::default();
    let error = Patch::<User>::parse(body.as_bytes(), &Policy::tolerant(), &limits).unwrap_err();
    assert_eq!(error.status(), 413);
    assert_eq!(error.operation(), Some(limits.patch_operations));
}

/// Evaluation visits each part of a filter at most once for each value it is about.
#[test]
fn evaluating_a_filter_costs_parts_times_values() {
    let mut user = User::new("babs");
    user.emails = (0..100).map(|n| Email::new(format!("{n}@example.com"))).collect();
    let terms: Vec<_> = (0..200)
        .map(|n| format!("emails.value eq \"nobody{n}@example.com\""))
        .collect();
    let filter = Filter::parse(&terms.join(" or "), &Limits::default()).unwrap();
    let filter = ResolvedFilter::resolve(&filter, User::RESOURCE_TYPE.schema, Resolve::default()).unwrap();
    let (matches, work) = filter.matches_counted(&user);
    assert!(!matches);
    assert!(work <= 1 + 200 * (1 + 100), "{work}");
}
