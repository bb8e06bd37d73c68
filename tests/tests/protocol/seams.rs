//! The places where an application takes part: authorisation, policies, outcomes, contexts, and what fails at the start.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use scim::policy::{Kept, Policy};
use scim::resources::{Group, User};
use scim::service::{
    Decision, MakeContext, NoContext, Operation, Outcome, Protocol, Request, ScimService, from_parts,
};
use scim::store::documents::{Builder, DocumentStore};
use scim::store::{HasTenant, Memory};
use scim::value::{Meta, Reference, ResourceId};
use scim::{ScimResource, ScimType};
use serde_json::{Value, json};

use crate::{Answer, GROUP, store, user};

/// Somebody with rights.
#[derive(Clone)]
struct Who {
    tenant: &'static str,
    groups: Decision,
}

impl HasTenant for Who {
    fn tenant(&self) -> &str {
        self.tenant
    }
}

fn who(groups: Decision) -> Who {
    Who { tenant: "t", groups }
}

fn guarded() -> Protocol<Who> {
    let store = store();
    Protocol::builder()
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .authorize(|who: &Who, access| match access.resource_type.name {
            "Group" => who.groups,
            _ if access.operation == Operation::Delete => Decision::Deny,
            _ => Decision::Allow,
        })
        .build()
        .unwrap()
}

async fn ask<C: Clone + Send + Sync + 'static>(
    protocol: &Protocol<C>,
    cx: &C,
    method: &str,
    target: &str,
    body: &Value,
) -> Answer {
    let mut request = Request::new(method.parse().unwrap(), target);
    if !body.is_null() {
        request = request.with_body(body.to_string());
    }
    Answer::of(protocol.handle(&cx.clone().into(), request).await).await
}

/// RFC 7644 section 2: 403, or nothing to be seen.
#[tokio::test]
async fn the_application_decides_operation_by_operation() {
    let protocol = guarded();
    let (allowed, denied, blind) = (who(Decision::Allow), who(Decision::Deny), who(Decision::Hide));
    let group = json!({"schemas": [GROUP], "displayName": "g"});
    let created = ask(&protocol, &allowed, "POST", "/Groups", &group)
        .await
        .expect(201);
    let person = ask(&protocol, &allowed, "POST", "/Users", &user("a"))
        .await
        .expect(201);
    ask(
        &protocol,
        &allowed,
        "DELETE",
        &format!("/Users/{}", person.id()),
        &Value::Null,
    )
    .await
    .refused(403, "");
    let path = format!("/Groups/{}", created.id());
    for (method, target, body) in [
        ("GET", path.as_str(), &Value::Null),
        ("PUT", &path, &group),
        ("DELETE", &path, &Value::Null),
        ("POST", "/Groups", &group),
    ] {
        ask(&protocol, &denied, method, target, body)
            .await
            .refused(403, "");
        ask(&protocol, &blind, method, target, body)
            .await
            .refused(404, "");
    }
    ask(&protocol, &denied, "GET", "/Groups", &Value::Null)
        .await
        .refused(403, "");
    let hidden = ask(&protocol, &blind, "GET", "/Groups", &Value::Null)
        .await
        .expect(200);
    assert_eq!(
        (&hidden.json()["totalResults"], &hidden.json()["Resources"]),
        (&json!(0), &json!([]))
    );
    // A search from the root shows what is left.
    for (who, total) in [(&allowed, 2), (&denied, 1), (&blind, 1)] {
        let all = ask(&protocol, who, "GET", "/", &Value::Null).await.expect(200);
        assert_eq!(all.json()["totalResults"], total);
    }
    ask(&protocol, &allowed, "GET", &path, &Value::Null)
        .await
        .expect(200);
}

/// B-3.1-01 (RFC 6750 section 3.1): a token that gives too little is told so; without one there is nothing to tell.
#[tokio::test]
async fn a_token_without_the_right_has_insufficient_scope() {
    let protocol = guarded();
    let denied = who(Decision::Deny);
    let request = Request::get("/Groups/1");
    let answer = Answer::of(protocol.handle(&denied.clone().into(), request.clone()).await).await;
    assert_eq!(answer.refused(403, "").header("www-authenticate"), "");
    let request = crate::and(request, "authorization", "Bearer t");
    let answer = Answer::of(protocol.handle(&denied.clone().into(), request).await).await;
    assert_eq!(
        answer.refused(403, "").header("www-authenticate"),
        r#"Bearer realm="scim", error="insufficient_scope""#
    );
}

/// RFC 9110 section 13.2.1: conditions are looked at after everything else.
#[tokio::test]
async fn who_may_not_is_told_nothing_of_versions() {
    let protocol = guarded();
    let request = crate::and(Request::get("/Groups/1"), "if-match", "nonsense");
    let answer = Answer::of(protocol.handle(&who(Decision::Deny).into(), request).await).await;
    answer.refused(403, "");
}

/// RFC 7644 section 6: tenants are apart, each with its own policy.
#[tokio::test]
async fn every_tenant_has_its_own_policy_and_resources() {
    let protocol = Protocol::<String>::builder()
        .resource::<User, _>(store())
        .resource::<Group, _>(store())
        .policy_for(|tenant| {
            if tenant == "exact" {
                Policy::strict()
            } else {
                Policy::tolerant()
            }
        })
        .build()
        .unwrap();
    let sloppy = json!({"userName": "a", "active": "True"});
    let lax = "lax".to_owned();
    let created = ask(&protocol, &lax, "POST", "/Users", &sloppy).await.expect(201);
    assert_eq!(created.json()["active"], true);
    let fired: Vec<_> = created
        .outcome
        .fired
        .iter()
        .map(|fired| fired.tolerance)
        .collect();
    assert_eq!(fired, ["missing-schemas", "boolean-strings"]);
    let exact = "exact".to_owned();
    ask(&protocol, &exact, "POST", "/Users", &sloppy)
        .await
        .refused(400, "invalidSyntax");
    ask(
        &protocol,
        &exact,
        "GET",
        &format!("/Users/{}", created.id()),
        &Value::Null,
    )
    .await
    .refused(404, "");
    ask(&protocol, &exact, "POST", "/Users", &user("a"))
        .await
        .expect(201);
}

/// The history of an application: one outcome per request, successful or not.
#[tokio::test]
async fn the_application_is_told_of_every_outcome() {
    let seen: Arc<Mutex<Vec<Outcome>>> = Arc::default();
    let log = seen.clone();
    let protocol = Protocol::<()>::builder()
        .resource::<User, _>(store())
        .resource::<Group, _>(store())
        .on_outcome(move |_, outcome| log.lock().unwrap().push(outcome.clone()))
        .build()
        .unwrap();
    let created = ask(&protocol, &(), "POST", "/Users", &user("a")).await;
    let path = format!("/Users/{}", created.id());
    ask(&protocol, &(), "POST", "/Users", &user("A")).await;
    ask(&protocol, &(), "GET", &path, &Value::Null).await;
    ask(&protocol, &(), "GET", "/Users", &Value::Null).await;
    ask(&protocol, &(), "GET", "/", &Value::Null).await;
    ask(&protocol, &(), "DELETE", &path, &Value::Null).await;
    ask(&protocol, &(), "GET", "/Schemas", &Value::Null).await;
    ask(&protocol, &(), "GET", "/Nothing", &Value::Null).await;
    let seen = seen.lock().unwrap();
    let told: Vec<_> = seen
        .iter()
        .map(|it| {
            (
                it.operation,
                it.resource_type,
                it.status.as_u16(),
                it.changed,
                it.id.is_some(),
                it.total,
            )
        })
        .collect();
    use Operation::{Create, Delete, Discover, Get, Query, QueryAll};
    assert_eq!(
        told,
        [
            (Some(Create), Some("User"), 201, true, true, None),
            (Some(Create), Some("User"), 409, false, false, None),
            (Some(Get), Some("User"), 200, false, true, None),
            (Some(Query), Some("User"), 200, false, false, Some(1)),
            (Some(QueryAll), None, 200, false, false, Some(1)),
            (Some(Delete), Some("User"), 204, true, true, None),
            (Some(Discover), None, 200, false, false, None),
            (None, None, 404, false, false, None),
        ]
    );
    let problem = seen[1].problem.as_ref().unwrap();
    assert_eq!(problem.scim_type, Some(ScimType::Uniqueness));
    assert!(problem.detail.contains("userName"), "{problem:?}");
}

struct Tokens;

impl MakeContext<String> for Tokens {
    async fn make(&self, parts: &mut Parts) -> scim::Result<String> {
        tokio::task::yield_now().await;
        match parts.headers.get("authorization").map(|value| value.as_bytes()) {
            Some(b"Bearer good") => Ok("tenant".into()),
            Some(b"Bearer weak") => Err(scim::Error::new(
                StatusCode::FORBIDDEN,
                "The token is not good for this.",
            )),
            _ => Err(scim::Error::new(
                StatusCode::UNAUTHORIZED,
                "The token is not known.",
            )),
        }
    }
}

fn http_request(
    method: &str,
    uri: &str,
    token: Option<&str>,
    body: &str,
) -> http::Request<Full<bytes::Bytes>> {
    let mut request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "id.example.com");
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    request
        .body(Full::new(bytes::Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}

/// RFC 7644 section 2, RFC 6750 section 3: who is not let in is told how to get in.
#[tokio::test]
async fn a_context_can_refuse() {
    let service = ScimService::builder(Tokens)
        .resource::<User, _>(store())
        .resource::<Group, _>(store())
        .realm("acme")
        .build()
        .unwrap();
    for (token, status, challenge) in [
        (None, 401, "Bearer realm=\"acme\""),
        (
            Some("Bearer bad"),
            401,
            "Bearer realm=\"acme\", error=\"invalid_token\"",
        ),
        (Some("Basic eDp5"), 401, "Bearer realm=\"acme\""),
        (Some("Bearer weak"), 403, ""),
        (Some("Bearer good"), 404, ""),
    ] {
        let response = service
            .respond(http_request("GET", "/Users/nobody", token, ""))
            .await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "application/scim+json");
        let found = response
            .headers()
            .get("www-authenticate")
            .map_or("", |value| value.to_str().unwrap());
        assert_eq!(found, challenge);
        assert_eq!(response.extensions().get::<Outcome>().unwrap().status, status);
    }
    let error = service
        .try_call(http_request("GET", "/Users/x", None, ""))
        .await
        .unwrap_err();
    assert_eq!(error.status(), 401);
    let error = service
        .try_call(http_request("GET", "/Users/x", Some("Bearer good"), ""))
        .await
        .unwrap_err();
    assert_eq!(error.status(), 404);
}

/// RFC 7644 section 1.3: locations begin with the URL under which clients reach the service.
#[tokio::test]
async fn locations_begin_with_the_base_url() {
    let builder = || {
        let tenant =
            from_parts(|parts| Ok(parts.uri.path().split('/').nth(1).unwrap_or_default().to_owned()));
        ScimService::builder(tenant)
            .resource::<User, _>(store())
            .resource::<Group, _>(store())
    };
    for (service, uri, base) in [
        (builder(), "/Users", "http://id.example.com"),
        (
            builder().mount("/scim/v2/"),
            "/scim/v2/Users",
            "http://id.example.com/scim/v2",
        ),
        (
            builder().nested_at("/scim/v2"),
            "/Users",
            "http://id.example.com/scim/v2",
        ),
        (
            builder().nested_by(|tenant, _| format!("/t/{tenant}")),
            "/Users",
            "http://id.example.com/t/Users",
        ),
        (
            builder().public_url("https://public.example.com/"),
            "/Users",
            "https://public.example.com",
        ),
        (
            builder().public_url("https://public.example.com").mount("/v2"),
            "/v2/Users",
            "https://public.example.com/v2",
        ),
    ] {
        let service = service.build().unwrap();
        let response = service
            .respond(http_request("POST", uri, None, &user("a").to_string()))
            .await;
        assert_eq!(response.status(), 201);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let body: Value =
            serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!(location, format!("{base}/Users/{}", body["id"].as_str().unwrap()));
        assert_eq!(body["meta"]["location"], location);
    }
}

/// RFC 7644 section 3.7.4: a body is refused before it is read, and charged while it is.
#[tokio::test]
async fn a_body_that_is_too_long_is_not_read() {
    let seen: Arc<Mutex<Vec<u16>>> = Arc::default();
    let log = seen.clone();
    let service = ScimService::builder(NoContext)
        .resource::<User, _>(store())
        .resource::<Group, _>(store())
        .limits(scim::Limits {
            body: 100,
            ..scim::Limits::default()
        })
        .on_outcome(move |_, outcome| log.lock().unwrap().push(outcome.status.as_u16()))
        .build()
        .unwrap();
    let long = user(&"x".repeat(200)).to_string();
    let response = service.respond(http_request("POST", "/Users", None, &long)).await;
    assert_eq!(response.status(), 413);
    assert_eq!(*seen.lock().unwrap(), [413]);
    // Nobody reads the body of a request to nowhere.
    let response = service
        .respond(http_request("POST", "/Nothing", None, &long))
        .await;
    assert_eq!(response.status(), 404);
}

/// A reference to nothing.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Badge", endpoint = "/Badges")]
struct Badge {
    id: ResourceId,
    meta: Meta,
    #[scim(reference_types("Door"))]
    door: Option<Reference>,
}

/// A second type at an endpoint that is taken.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Visitor", endpoint = "/users")]
struct Visitor {
    id: ResourceId,
    meta: Meta,
}

/// A type where the protocol itself lives.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Template", endpoint = "/Schemas")]
struct Template {
    id: ResourceId,
    meta: Meta,
}

/// Anything that can be wrong with a service is found before it serves: RFC 7643 section 6, RFC 7644 sections 1.3 and 7.1.
#[test]
fn what_is_wrong_with_a_service_fails_at_the_start() {
    let memory = Memory::new;
    let users = || Protocol::<()>::builder().resource::<User, _>(memory());
    let kept = Kept::new(Group::RESOURCE_TYPE, &["displayName"]).unwrap();
    for (built, hint) in [
        (
            users().resource::<User, _>(memory()).build().map(drop),
            "name User",
        ),
        (
            users().resource::<Visitor, _>(memory()).build().map(drop),
            "/users",
        ),
        (
            Protocol::<()>::builder()
                .resource::<Template, _>(memory())
                .build()
                .map(drop),
            "/Schemas",
        ),
        (
            Protocol::<()>::builder()
                .resource::<Badge, _>(memory())
                .build()
                .map(drop),
            "Door",
        ),
        (
            users().policy(Policy::tolerant().keeping(kept)).build().map(drop),
            "core:2.0:Group",
        ),
        (
            users()
                .service_provider_config(|config| config.etag = false)
                .build()
                .map(drop),
            "versions",
        ),
        (
            ScimService::builder(NoContext)
                .public_url("https://me@example.com")
                .build()
                .map(drop),
            "user name",
        ),
        (
            ScimService::builder(NoContext)
                .public_url("https://example.com/?x")
                .build()
                .map(drop),
            "query",
        ),
    ] {
        let error = built.unwrap_err();
        assert!(error.to_string().contains(hint), "{error}");
    }
    // Groups may be left out although users show theirs.
    users().build().unwrap();
}

/// Issue 8, fault 6: a type that the store was not given, members that nobody links, a mount that is said twice.
#[test]
fn a_store_that_cannot_serve_a_type_fails_at_the_start() {
    let sqlite = || DocumentStore::in_memory().unwrap();
    let only_users: DocumentStore = sqlite().resource::<User>().build().unwrap();
    let unlinked: DocumentStore = sqlite().resource::<User>().resource::<Group>().build().unwrap();
    let memory = Arc::new(Memory::new());
    let forgotten = ".link(Group::paths().members(), User::paths().groups())";
    for (built, hint) in [
        (
            Protocol::<()>::builder()
                .resource::<Group, _>(only_users.clone())
                .resource::<User, _>(only_users)
                .build()
                .map(drop),
            ".resource::<Group>()",
        ),
        (
            Protocol::<()>::builder()
                .resource::<User, _>(unlinked.clone())
                .resource::<Group, _>(unlinked)
                .build()
                .map(drop),
            forgotten,
        ),
        (
            Protocol::<()>::builder()
                .resource::<User, _>(memory.clone())
                .resource::<Group, _>(memory)
                .build()
                .map(drop),
            forgotten,
        ),
        (
            ScimService::builder(NoContext)
                .mount("/scim/v2")
                .nested_at("/scim/v2")
                .build()
                .map(drop),
            "where it lives",
        ),
    ] {
        let error = built.unwrap_err();
        assert!(error.to_string().contains(hint), "{error}");
    }
    // Whatever cannot be kept is said in words, too.
    let link = sqlite()
        .resource::<User>()
        .link(Group::paths().members(), User::paths().groups());
    let error = Builder::<()>::build(link).unwrap_err();
    assert!(error.to_string().contains(".resource::<Group>()"), "{error}");
    let error = DocumentStore::<()>::open("/nowhere/at/all/scim.db").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("The database /nowhere/at/all/scim.db cannot be opened: "),
        "{error}"
    );
}

/// Issue 8, fault 5: a request whose context fails has an outcome like any other.
#[tokio::test]
async fn a_failing_context_is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let service = ScimService::builder(from_parts::<(), _>(|_| {
        Err(scim::Error::internal("a layer is missing"))
    }))
    .resource::<User, _>(store())
    .on_outcome(move |cx: Option<&()>, outcome| {
        let cause = outcome.problem.as_ref().and_then(|problem| problem.cause.clone());
        log.lock()
            .unwrap()
            .push((cx.is_some(), outcome.status.as_u16(), cause));
    })
    .build()
    .unwrap();
    let response = service.respond(http_request("GET", "/Users", None, "")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(
        *told.lock().unwrap(),
        [(false, 500, Some("a layer is missing".to_owned()))]
    );
}
