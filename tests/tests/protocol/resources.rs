//! Create, read, replace, change and delete: RFC 7644 sections 3.3 to 3.6 and 3.9.

use http::Method;
use scim::service::{Operation, Protocol, Request};
use scim::store::Memory;
use scim::value::{Meta, ResourceId};
use scim::{ScimComplex, ScimResource};
use serde_json::json;

use crate::{ENTERPRISE, GROUP, Peer, USER, and, builder, id_in, user};

/// RFC 7644 section 3.3.
#[tokio::test]
async fn a_created_resource_is_shown_with_its_place() {
    let peer = Peer::tolerant();
    let mut body = user("bjensen");
    body["id"] = json!("mine");
    body["meta"] = json!({"resourceType": "Group", "version": "W/\"9\""});
    body["groups"] = json!([{"value": "1"}]);
    let request = Request::new(Method::POST, "/Users").with_body(body.to_string());
    let base_url = "https://example.com/scim/v2".to_owned();
    let created = peer.send(Request { base_url, ..request }).await.expect(201);
    let shown = created.json();
    assert_ne!(shown["id"], "mine");
    let location = format!("https://example.com/scim/v2/Users/{}", created.id());
    assert_eq!(shown["meta"]["location"], location.as_str());
    assert_eq!(created.header("location"), location);
    assert_eq!(shown["meta"]["resourceType"], "User");
    assert_eq!(shown["meta"]["version"], created.header("etag"));
    assert_eq!(created.header("content-type"), "application/scim+json");
    assert!(shown.get("groups").is_none());
    assert_eq!(
        (shown["userName"].as_str(), &shown["schemas"]),
        (Some("bjensen"), &json!([USER]))
    );
    let outcome = created.outcome;
    assert_eq!(outcome.operation, Some(Operation::Create));
    assert!(outcome.changed && outcome.version.is_some());
    assert_eq!(outcome.id.as_deref(), shown["id"].as_str());
}

/// RFC 7644 section 3.3: 409 `uniqueness`; section 3.12 table 9.
#[tokio::test]
async fn a_create_that_cannot_be_is_refused() {
    let peer = Peer::tolerant();
    peer.user("bjensen").await;
    peer.post("/Users", &user("BJensen"))
        .await
        .refused(409, "uniqueness");
    peer.post("/Users", &json!({"schemas": [USER]}))
        .await
        .refused(400, "invalidValue");
    peer.post("/Users", &json!([]))
        .await
        .refused(400, "invalidSyntax");
    let broken = Request::new(Method::POST, "/Users").with_body("{\"userName\":");
    peer.send(broken).await.refused(400, "invalidSyntax");
    let empty = Request::new(Method::POST, "/Users").with_body("");
    peer.send(empty).await.refused(400, "invalidSyntax");
    let strict = Peer::strict();
    strict
        .post("/Users", &json!({"userName": "bjensen"}))
        .await
        .refused(400, "invalidSyntax");
}

/// RFC 7644 sections 3.4.1 and 3.9.
#[tokio::test]
async fn one_resource_is_read_as_it_was_asked_for() {
    let peer = Peer::tolerant();
    let mut body = user("bjensen");
    body["name"] = json!({"givenName": "Barbara", "familyName": "Jensen"});
    body["emails"] = json!([{"value": "b@example.com", "type": "work"}]);
    body[ENTERPRISE] = json!({"department": "Sales"});
    body["schemas"] = json!([USER, ENTERPRISE]);
    let created = peer.post("/Users", &body).await.expect(201);
    let path = format!("/Users/{}", created.id());
    let read = peer.get(&path).await.expect(200);
    assert_eq!(read.json(), created.json());
    assert_eq!(read.header("location"), created.header("location"));
    assert_eq!(read.header("content-location"), created.header("location"));
    assert_eq!(read.header("etag"), created.header("etag"));

    let some = peer
        .get(&format!("{path}?attributes=name.givenName,EMAILS"))
        .await
        .expect(200)
        .json();
    let id = created.id();
    assert_eq!(
        some,
        json!({"schemas": [USER, ENTERPRISE], "id": id, "name": {"givenName": "Barbara"}, "emails": body["emails"]})
    );
    let rest = peer
        .get(&format!("{path}?excludedAttributes=id,emails,meta,{ENTERPRISE}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        rest,
        json!({"schemas": [USER, ENTERPRISE], "id": id, "userName": "bjensen", "name": body["name"]})
    );
    peer.get("/Users/nobody").await.refused(404, "");
    // RFC 7644 section 1.2: decoded once.
    let encoded = format!("/Users/%{:02X}{}", id.as_bytes()[0], &id[1..]);
    peer.get(&encoded).await.expect(200);
}

/// RFC 7644 section 3.9 holds for answers to writes, too.
#[tokio::test]
async fn writes_are_answered_as_it_was_asked_for() {
    let peer = Peer::tolerant();
    let created = peer
        .post("/Users?attributes=userName", &user("bjensen"))
        .await
        .expect(201);
    let id = created.id();
    let path = format!("/Users/{id}?attributes=title");
    let shown = json!({"schemas": [USER], "id": id, "title": "Boss"});
    assert_eq!(
        created.json(),
        json!({"schemas": [USER], "id": id, "userName": "bjensen"})
    );
    let patched = peer
        .patch(&path, &json!([{"op": "add", "path": "title", "value": "Boss"}]))
        .await
        .expect(200);
    assert_eq!(patched.json(), shown);
    let mut body = user("bjensen");
    body["title"] = json!("Boss");
    assert_eq!(peer.put(&path, &body).await.expect(200).json(), shown);
}

/// RFC 7644 section 3.5.1.
#[tokio::test]
async fn a_put_replaces_what_clients_may_write() {
    let peer = Peer::tolerant();
    let mut body = user("bjensen");
    body["title"] = json!("Boss");
    body["emails"] = json!([{"value": "b@example.com"}]);
    let created = peer.post("/Users", &body).await.expect(201).json();
    let path = format!("/Users/{}", created["id"].as_str().unwrap());
    let mut next = user("babs");
    next["id"] = json!("another");
    next["emails"] = json!([{"value": "babs@example.com"}]);
    let replaced = peer.put(&path, &next).await.expect(200);
    let shown = replaced.json();
    assert_eq!(
        (&shown["id"], &shown["meta"]["created"]),
        (&created["id"], &created["meta"]["created"])
    );
    assert_eq!(
        (shown["userName"].as_str(), &shown["emails"]),
        (Some("babs"), &next["emails"])
    );
    assert!(shown.get("title").is_none());
    assert_ne!(shown["meta"]["version"], created["meta"]["version"]);
    assert!(replaced.outcome.changed);
    assert_eq!(
        replaced.header("etag"),
        shown["meta"]["version"].as_str().unwrap()
    );

    // Whatever is the same already is not a new version.
    let again = peer.put(&path, &next).await.expect(200);
    assert_eq!(again.json(), shown);
    assert!(!again.outcome.changed);

    peer.put(&path, &json!({"schemas": [USER]}))
        .await
        .refused(400, "invalidValue");
    peer.user("other").await;
    peer.put(&path, &user("OTHER")).await.refused(409, "uniqueness");
    peer.put("/Users/nobody", &user("x")).await.refused(404, "");
    assert_eq!(
        peer.get("/Users").await.json()["totalResults"],
        2,
        "PUT never creates"
    );
}

/// Okta replaces a group without its members and does not mean to empty it; the RFC's letter (section 3.5.1) clears.
#[tokio::test]
async fn a_put_that_does_not_name_the_members_leaves_them_alone_under_tolerant() {
    for (peer, kept) in [(Peer::tolerant(), true), (Peer::strict(), false)] {
        let ann = peer.user("ann").await;
        let path = peer.group("Guides", &[&ann]).await;
        let renamed = json!({"schemas": [GROUP], "displayName": "Tour Guides"});
        let answer = peer.put(&path, &renamed).await.expect(200);
        assert_eq!(answer.json()["displayName"], "Tour Guides");
        let members = answer.json()["members"].as_array().map_or(0, Vec::len);
        assert_eq!(members == 1, kept);
        assert_eq!(
            answer
                .outcome
                .fired
                .iter()
                .any(|fired| fired.tolerance == "unnamed-members"),
            kept
        );
        let mut emptied = renamed;
        emptied["members"] = json!([]);
        let answer = peer.put(&path, &emptied).await.expect(200);
        assert!(
            answer
                .json()
                .get("members")
                .is_none_or(|members| members == &json!([]))
        );
    }
}

/// RFC 7644 section 3.5.1: a PUT that lists the members makes them the members.
#[tokio::test]
async fn a_put_sets_the_members() {
    let peer = Peer::tolerant();
    let (ann, bob) = (peer.user("ann").await, peer.user("bob").await);
    let path = peer.group("Guides", &[&ann]).await;
    let body = json!({"schemas": [GROUP], "displayName": "Guides", "members": [{"value": id_in(&bob), "display": null}]});
    let shown = peer.put(&path, &body).await.expect(200).json();
    assert_eq!(shown["members"].as_array().unwrap().len(), 1);
    assert_eq!(shown["members"][0]["value"], id_in(&bob));
    assert_eq!(shown["members"][0]["$ref"], format!("http://localhost{bob}"));
    let unknown = json!({"schemas": [GROUP], "displayName": "Guides", "members": [{"value": "nobody"}]});
    peer.put(&path, &unknown).await.refused(400, "invalidValue");
    assert_eq!(peer.get(&path).await.json(), shown);
}

/// RFC 7644 section 3.5.2.
#[tokio::test]
async fn a_patch_is_answered_with_the_resource() {
    let peer = Peer::tolerant();
    let path = peer.user("bjensen").await;
    let change = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    let patched = peer.patch(&path, &change).await.expect(200);
    assert_eq!(patched.json()["active"], false);
    assert_eq!(
        patched.header("etag"),
        patched.json()["meta"]["version"].as_str().unwrap()
    );
    assert_eq!(patched.json(), peer.get(&path).await.json());
    assert!(patched.outcome.changed);
    let fired: Vec<_> = patched
        .outcome
        .fired
        .iter()
        .map(|fired| fired.tolerance)
        .collect();
    assert_eq!(fired, ["boolean-strings"]);
    let again = peer.patch(&path, &change).await.expect(200);
    assert_eq!(again.json(), patched.json());
    assert!(!again.outcome.changed, "a change that is none is no new version");
    let failing = json!([{"op": "add", "path": "title", "value": "x"}, {"op": "remove", "path": "userName"}]);
    let refused = peer.patch(&path, &failing).await.refused(400, "mutability");
    assert_eq!(refused.outcome.problem.unwrap().operation, Some(1));
    assert_eq!(peer.get(&path).await.json(), patched.json(), "all or nothing");
    peer.patch("/Users/nobody", &change).await.refused(404, "");
    peer.patch(&path, &json!([])).await.refused(400, "invalidSyntax");
}

/// A-38 of the decisions on RFC 7644 section 3.5.2: a large group is not read back unless it is asked for.
#[tokio::test]
async fn a_patch_of_a_large_group_is_answered_204() {
    let peer = Peer::of(builder().edges_shown_after_patch(2));
    let people = [peer.user("a").await, peer.user("b").await, peer.user("c").await];
    let path = peer.group("Guides", &[&people[0]]).await;
    let add = |path: &str| json!([{"op": "add", "path": "members", "value": [{"value": id_in(path)}]}]);
    let small = peer.patch(&path, &add(&people[1])).await.expect(200);
    assert_eq!(small.json()["members"].as_array().unwrap().len(), 2);
    let large = peer.patch(&path, &add(&people[2])).await.expect(204);
    assert!(large.body.is_empty() && large.headers.get("content-type").is_none());
    assert_ne!(large.header("etag"), small.header("etag"));
    assert_eq!(large.header("location"), small.header("location"));
    let bare = json!([{"op": "add", "path": "members", "value": [id_in(&people[0])]}]);
    let bent = peer.patch(&path, &bare).await.expect(204);
    assert_eq!(bent.outcome.fired[0].tolerance, "bare-values");
    assert!(large.outcome.changed);
    let asked = peer
        .patch(&format!("{path}?attributes=displayName"), &add(&people[2]))
        .await
        .expect(200);
    assert_eq!(asked.json()["displayName"], "Guides");
    let without = peer
        .patch(&format!("{path}?excludedAttributes=members"), &add(&people[2]))
        .await
        .expect(200);
    assert!(without.json().get("members").is_none());
}

/// RFC 7644 section 3.6.
#[tokio::test]
async fn what_is_deleted_is_gone() {
    let peer = Peer::tolerant();
    let path = peer.user("bjensen").await;
    let group = peer.group("Guides", &[&path]).await;
    let deleted = peer.delete(&path).await.expect(204);
    assert!(deleted.body.is_empty());
    assert!(deleted.outcome.changed);
    peer.get(&path).await.refused(404, "");
    peer.put(&path, &user("bjensen")).await.refused(404, "");
    peer.patch(&path, &json!([{"op": "add", "path": "title", "value": "x"}]))
        .await
        .refused(404, "");
    peer.delete(&path).await.refused(404, "");
    assert_eq!(peer.get("/Users").await.json()["totalResults"], 0);
    assert!(
        peer.get(&group)
            .await
            .json()
            .get("members")
            .is_none_or(|members| members == &json!([]))
    );
    peer.user("bjensen").await;
}

/// RFC 7644 section 9.2, RFC 7643 section 4.1.1: a password is in no answer.
#[tokio::test]
async fn a_password_is_never_shown() {
    let peer = Peer::tolerant();
    let mut body = user("bjensen");
    body["password"] = json!("t1meMa$heen");
    let created = peer.post("/Users?attributes=password", &body).await.expect(201);
    let path = format!("/Users/{}", created.id());
    let patch = json!([{"op": "replace", "path": "password", "value": "t1meMa$heen"}]);
    for answer in [
        created,
        peer.get(&format!("{path}?attributes=password,userName")).await,
        peer.get("/Users?attributes=password").await,
        peer.patch(&path, &patch).await,
        peer.put(&path, &body).await,
    ] {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(
            answer.status.is_success() && !text.contains("password") && !text.contains("t1me"),
            "{text}"
        );
    }
    peer.get("/Users?filter=password%20eq%20%22t1meMa$heen%22")
        .await
        .refused(400, "invalidFilter");
}

/// A thing with every kind of attribute that a request may not see or change.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Badge", endpoint = "/Badges")]
struct Badge {
    id: ResourceId,
    meta: Meta,
    #[scim(mutability = "immutable")]
    serial: Option<String>,
    #[scim(returned = "request")]
    note: Option<String>,
    holder: Option<Holder>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Holder {
    name: Option<String>,
    #[scim(returned = "request")]
    phone: Option<String>,
}

/// RFC 7643 section 7: what is returned on request is also shown to the client that has just set it.
#[tokio::test]
async fn what_a_request_sets_it_may_see() {
    let peer = Peer::of(Protocol::builder().resource::<Badge, _>(Memory::new()));
    let body = json!({"schemas": ["urn:example:2.0:Badge"], "serial": "7", "note": "blue", "holder": {"name": "Ann", "phone": "1"}});
    let created = peer.post("/Badges", &body).await.expect(201);
    let path = format!("/Badges/{}", created.id());
    assert_eq!(
        (&created.json()["note"], &created.json()["holder"]["phone"]),
        (&json!("blue"), &json!("1"))
    );
    let read = peer.get(&path).await.expect(200).json();
    assert!(
        read.get("note").is_none() && read["holder"] == json!({"name": "Ann"}),
        "{read}"
    );
    let asked = peer
        .get(&format!("{path}?attributes=note,holder.phone"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&asked["note"], &asked["holder"]),
        (&json!("blue"), &json!({"phone": "1"}))
    );
    let patched = peer
        .patch(&path, &json!([{"op": "replace", "path": "note", "value": "red"}]))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&patched["note"], &patched["holder"]),
        (&json!("red"), &json!({"name": "Ann"}))
    );
    let other = peer
        .patch(
            &path,
            &json!([{"op": "replace", "path": "holder.name", "value": "Bob"}]),
        )
        .await
        .expect(200);
    assert!(other.json().get("note").is_none());
}

/// RFC 7644 section 3.5.1: immutable attributes must match, and stay if they are left out.
#[tokio::test]
async fn a_put_keeps_what_is_immutable() {
    let peer = Peer::of(Protocol::builder().resource::<Badge, _>(Memory::new()));
    let body =
        |serial: Option<&str>| json!({"schemas": ["urn:example:2.0:Badge"], "serial": serial, "note": "n"});
    let created = peer.post("/Badges", &body(Some("7"))).await.expect(201);
    let path = format!("/Badges/{}", created.id());
    assert_eq!(
        peer.put(&path, &body(None)).await.expect(200).json()["serial"],
        "7"
    );
    assert_eq!(
        peer.put(&path, &body(Some("7"))).await.expect(200).json()["serial"],
        "7"
    );
    peer.put(&path, &body(Some("8"))).await.refused(400, "mutability");
}

/// Two parameters that exclude each other (RFC 7644 section 3.9), and a filter on one resource (section 3.4.2.1).
#[tokio::test]
async fn parameters_that_make_no_sense_are_tolerated_or_refused() {
    let (tolerant, strict) = (Peer::tolerant(), Peer::strict());
    let (path, other) = (tolerant.user("a").await, strict.user("a").await);
    for (query, scim_type, tolerance) in [
        (
            "attributes=userName&excludedAttributes=meta",
            "invalidValue",
            "both-projections",
        ),
        ("filter=userName%20pr", "invalidFilter", "single-resource-filters"),
    ] {
        strict
            .get(&format!("{other}?{query}"))
            .await
            .refused(400, scim_type);
        let tolerated = tolerant.get(&format!("{path}?{query}")).await.expect(200);
        assert_eq!(tolerated.outcome.fired[0].tolerance, tolerance);
    }
    let unknown = tolerant
        .get(&format!("{path}?attributes=nothing&foo=bar"))
        .await
        .expect(200)
        .json();
    assert_eq!(unknown, json!({"schemas": [USER], "id": id_in(&path)}));
}

/// 20 changes at once: none is lost (RFC 7644 section 3.14), none is refused for a reason the client did not give.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_at_once_end_in_one_of_them() {
    let peer = std::sync::Arc::new(Peer::tolerant());
    let path = peer.user("bjensen").await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (peer, path) = (peer.clone(), path.clone());
        tasks.spawn(async move {
            let mut body = user("bjensen");
            body["title"] = json!(number.to_string());
            peer.put(&path, &body).await.status
        });
    }
    let statuses = tasks.join_all().await;
    assert!(
        statuses.iter().all(|status| *status == 200 || *status == 503),
        "{statuses:?}"
    );
    assert!(statuses.iter().any(|status| *status == 200));
}

/// RFC 9110 section 9.3.2.
#[tokio::test]
async fn head_is_get_without_the_body() {
    let peer = Peer::tolerant();
    let path = peer.user("bjensen").await;
    for target in [path.as_str(), "/Users", "/Schemas", "/"] {
        let get = peer.get(target).await.expect(200);
        let head = peer.send(Request::new(Method::HEAD, target)).await.expect(200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-length"), get.body.len().to_string());
        for name in ["etag", "content-type", "location"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
    }
    let missing = Request::new(Method::HEAD, "/Users/nobody");
    assert_eq!(peer.send(and(missing, "accept", "*/*")).await.status, 404);
}
