//! Errors, methods, media types and limits: RFC 7644 sections 3.2, 3.8, 3.11 to 3.13.

use http::Method;
use scim::service::{Operation, Request};
use scim::{Limits, policy};
use serde_json::json;

use crate::{GROUP, PATCH_OP, Peer, SEARCH, and, builder, user};

/// RFC 7644 section 3.12, P-3.2-03, P-3.13-02.
#[tokio::test]
async fn every_refusal_is_a_scim_error() {
    let peer = Peer::tolerant();
    for (method, target, status, kind, allow) in [
        ("GET", "/Nothing", 404, "", ""),
        ("GET", "/Users/1/2", 404, "", ""),
        ("GET", "/v9/Users", 400, "invalidVers", ""),
        ("DELETE", "/Users", 405, "", "GET, HEAD, POST, OPTIONS"),
        ("PATCH", "/Users", 405, "", "GET, HEAD, POST, OPTIONS"),
        (
            "POST",
            "/Users/1",
            405,
            "",
            "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
        ),
        ("GET", "/Users/.search", 405, "", "POST, OPTIONS"),
        ("POST", "/", 405, "", "GET, HEAD, OPTIONS"),
        ("BREW", "/Users", 405, "", "GET, HEAD, POST, OPTIONS"),
        ("POST", "/Bulk", 501, "", ""),
        ("GET", "/Me", 501, "", ""),
        ("PATCH", "/Me", 501, "", ""),
    ] {
        let request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), target);
        let answer = peer.send(request).await.refused(status, kind);
        assert_eq!(answer.header("allow"), allow, "{method} {target}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let problem = answer.outcome.problem.unwrap();
        assert_eq!(answer.outcome.status, status);
        assert!(problem.cause.is_none());
    }
    let options = peer
        .send(Request::new(Method::OPTIONS, "/Users/1"))
        .await
        .expect(204);
    assert_eq!(options.header("allow"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
    assert_eq!(options.outcome.operation, Some(Operation::Options));
}

/// RFC 7644 section 3.8.
#[tokio::test]
async fn media_types() {
    let peer = Peer::tolerant();
    let path = peer.user("a").await;
    for (accept, status, media_type) in [
        ("application/json", 200, "application/json"),
        (
            "application/scim+json, application/json;q=0.9",
            200,
            "application/scim+json",
        ),
        ("*/*", 200, "application/scim+json"),
        ("image/png", 200, "application/scim+json"),
    ] {
        let answer = peer
            .send(and(Request::get(&path), "accept", accept))
            .await
            .expect(status);
        assert_eq!(answer.header("content-type"), media_type, "{accept}");
        // RFC 9110 section 12.5.5: a cache must not hand one media type to a client that wants another.
        assert_eq!(answer.header("vary"), "accept", "{accept}");
        let fired = &answer.outcome.fired;
        let ignored = fired.iter().any(|fired| fired.tolerance == "other-accept");
        assert_eq!(ignored, accept == "image/png", "{accept}: {fired:?}");
    }
    // P-3.8-04: the list, the search and discovery, too.
    for request in [
        Request::get("/Users"),
        Request::get("/Schemas"),
        Request::new(Method::POST, "/.search").with_body(json!({"schemas": [SEARCH]}).to_string()),
    ] {
        let request = and(request, "accept", "text/html, image/png;q=0.5");
        let answer = peer.send(request.clone()).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/scim+json");
        Peer::strict().send(request).await.refused(406, "");
    }
    // Errors are SCIM, whatever is accepted.
    peer.send(and(Request::get("/Users/nobody"), "accept", "application/json"))
        .await
        .refused(404, "");
    let post = |media_type: &str| {
        let request = Request {
            body: user(media_type).to_string().into(),
            ..Request::new(Method::POST, "/Users")
        };
        and(request, "content-type", media_type)
    };
    peer.send(post("application/json; charset=utf-8"))
        .await
        .expect(201);
    let tolerated = peer.send(post("text/json")).await.expect(201);
    assert_eq!(tolerated.outcome.fired[0].tolerance, policy::MEDIA_TYPES.name);
    Peer::strict().send(post("text/json")).await.refused(415, "");
    peer.send(post("text/xml")).await.refused(415, "");
    peer.send(post("application/json; charset=utf-16"))
        .await
        .refused(415, "");
    let bare = Request {
        body: user("bare").to_string().into(),
        ..Request::new(Method::POST, "/Users")
    };
    peer.send(bare).await.expect(201);
}

/// RFC 7644 section 3.7.4: 413 names the limit. A group may be larger than a user.
#[tokio::test]
async fn bodies_are_as_long_as_the_limits_say() {
    let limits = Limits {
        body: 200,
        large_body: 400,
        patch_operations: 2,
        ..Limits::default()
    };
    let peer = Peer::of(builder().limits(limits));
    let path = peer.user("a").await;
    let mut long = user("b");
    long["title"] = json!("x".repeat(200));
    let refused = peer.post("/Users", &long).await.refused(413, "");
    assert!(refused.json()["detail"].as_str().unwrap().contains("200 bytes"));
    peer.put(&path, &long).await.refused(413, "");
    peer.post("/Users/.search", &long).await.refused(413, "");
    peer.post(
        "/Groups",
        &json!({"schemas": [GROUP], "displayName": "x".repeat(250)}),
    )
    .await
    .expect(201);
    peer.post(
        "/Groups",
        &json!({"schemas": [GROUP], "displayName": "x".repeat(400)}),
    )
    .await
    .refused(413, "");
    let operation = json!({"op": "add", "path": "title", "value": "x"});
    let body = json!({"schemas": [PATCH_OP], "Operations": [operation, operation, operation]});
    let peer = Peer::of(builder().limits(Limits {
        patch_operations: 2,
        ..Limits::default()
    }));
    let path = peer.user("a").await;
    let refused = peer.with(Method::PATCH, &path, &body).await.refused(413, "");
    assert!(refused.json()["detail"].as_str().unwrap().contains('2'));
    assert_eq!(peer.protocol.body_limit(&Method::GET, &path), 0);
    assert_eq!(
        peer.protocol.body_limit(&Method::PATCH, &path),
        Limits::default().body
    );
    assert_eq!(
        peer.protocol.body_limit(&Method::PUT, "/groups/1"),
        Limits::default().large_body
    );
    assert_eq!(peer.protocol.body_limit(&Method::POST, "/Nothing"), 0);
}

#[tokio::test]
async fn a_query_that_is_too_long_is_414() {
    let peer = Peer::tolerant();
    let refused = peer
        .get(&format!("/Users?filter={}", "a".repeat(40_000)))
        .await
        .refused(414, "");
    assert!(refused.json()["detail"].as_str().unwrap().contains("POST"));
}

/// RFC 7644 section 3.13: a version before the endpoint belongs to the base URL.
#[tokio::test]
async fn a_stated_version_stays_in_locations() {
    let peer = Peer::tolerant();
    let created = peer.post("/v2/Users", &user("a")).await.expect(201);
    assert_eq!(
        created.header("location"),
        format!("http://localhost/v2/Users/{}", created.id())
    );
    peer.get(&format!("/v2/Users/{}", created.id())).await.expect(200);
    peer.get(&format!("/Users/{}", created.id())).await.expect(200);
}
