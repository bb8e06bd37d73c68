//! Conditional requests: RFC 7644 section 3.14, RFC 9110 section 13.

use http::Method;
use scim::service::Request;
use serde_json::json;

use crate::{PATCH_OP, Peer, and, user};

/// Makes a conditional request with the body that its method needs.
fn request(method: &str, path: &str, name: &'static str, value: &str) -> Request {
    let request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), path);
    let operations = json!([{"op": "add", "path": "title", "value": "x"}]);
    let request = match method {
        "PUT" => {
            request.with_body(json!({"schemas": [crate::USER], "userName": "a", "title": "x"}).to_string())
        }
        "PATCH" => request.with_body(json!({"schemas": [PATCH_OP], "Operations": operations}).to_string()),
        _ => request,
    };
    and(request, name, value)
}

#[tokio::test]
async fn a_stale_if_match_is_412_and_changes_nothing() {
    let peer = Peer::tolerant();
    let path = peer.user("a").await;
    let before = peer.get(&path).await;
    for method in ["PUT", "PATCH", "DELETE", "GET"] {
        for stale in ["W/\"0\"", "\"other\", W/\"0\""] {
            peer.send(request(method, &path, "if-match", stale))
                .await
                .refused(412, "");
        }
        peer.send(request(method, &path, "if-match", "0"))
            .await
            .refused(400, "");
    }
    for method in ["PUT", "PATCH", "DELETE"] {
        peer.send(request(method, &path, "if-none-match", "*"))
            .await
            .refused(412, "");
        peer.send(request(method, &path, "if-none-match", before.header("etag")))
            .await
            .refused(412, "");
        peer.send(request(method, "/Users/nobody", "if-match", "*"))
            .await
            .refused(404, "");
    }
    assert_eq!(peer.get(&path).await.json(), before.json());
}

#[tokio::test]
async fn a_current_if_match_lets_through() {
    let peer = Peer::tolerant();
    let path = peer.user("a").await;
    let version = peer.get(&path).await.header("etag").to_owned();
    let strong = version.trim_start_matches("W/").to_owned();
    let listed = format!("\"0\", {version}");
    peer.send(request("GET", &path, "if-match", &strong))
        .await
        .expect(200);
    peer.send(request("PATCH", &path, "if-match", &listed))
        .await
        .expect(200);
    peer.send(request("PATCH", &path, "if-match", &listed))
        .await
        .refused(412, "");
    peer.send(request("PUT", &path, "if-match", "*"))
        .await
        .expect(200);
    peer.send(request("DELETE", &path, "if-match", "*"))
        .await
        .expect(204);
}

/// RFC 9110 sections 13.1.2 and 15.4.5.
#[tokio::test]
async fn a_client_that_has_the_version_is_told_so() {
    let peer = Peer::tolerant();
    let path = format!("{}?excludedAttributes=groups", peer.user("a").await);
    let read = peer.get(&path).await.expect(200);
    let version = read.header("etag").to_owned();
    for method in ["GET", "HEAD"] {
        for known in [version.as_str(), "*", &format!("\"0\", {version}")] {
            let fresh = peer
                .send(request(method, &path, "if-none-match", known))
                .await
                .expect(304);
            assert!(fresh.body.is_empty() && fresh.headers.get("content-type").is_none());
            for name in ["etag", "content-location", "cache-control"] {
                assert_eq!(fresh.header(name), read.header(name), "{name}");
            }
            assert!(fresh.outcome.is_not_modified());
        }
    }
    peer.send(request("GET", &path, "if-none-match", "W/\"0\""))
        .await
        .expect(200);
    // Both headers: If-Match goes first (RFC 9110 section 13.2.2).
    let both = and(
        request("GET", &path, "if-none-match", &version),
        "if-match",
        &version,
    );
    peer.send(both).await.expect(304);
    let both = and(
        request("GET", &path, "if-none-match", &version),
        "if-match",
        "W/\"0\"",
    );
    peer.send(both).await.refused(412, "");
}

/// Groups change without a new version of the user: who is shown them is never told that nothing has changed.
#[tokio::test]
async fn what_is_derived_is_always_shown() {
    let peer = Peer::tolerant();
    let path = peer.user("a").await;
    let version = peer.get(&path).await.header("etag").to_owned();
    let group = peer.group("Guides", &[&path]).await;
    let read = peer
        .send(request("GET", &path, "if-none-match", &version))
        .await
        .expect(200);
    assert_eq!(read.json()["groups"][0]["display"], "Guides");
    let group_version = peer.get(&group).await.header("etag").to_owned();
    peer.send(request("GET", &group, "if-none-match", &group_version))
        .await
        .expect(200);
    let without = format!("{group}?excludedAttributes=members");
    peer.send(request("GET", &without, "if-none-match", &group_version))
        .await
        .expect(304);
}

/// A condition says nothing about a collection: it is not looked at (RFC 9110 section 13.2.1).
#[tokio::test]
async fn lists_and_creates_have_no_version() {
    let peer = Peer::tolerant();
    let create = Request::new(Method::POST, "/Users").with_body(user("a").to_string());
    peer.send(and(create, "if-none-match", "*")).await.expect(201);
    peer.send(request("GET", "/Users", "if-none-match", "*"))
        .await
        .expect(200);
}
