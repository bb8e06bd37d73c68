//! Services in axum routers: RFC 7644 sections 1.3, 2 and 6.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use http::StatusCode;
use http::request::Parts;
use http_body_util::BodyExt;
use scim::BearerError;
use scim::resources::{Group, User};
use scim::service::{NoContext, ScimService};
use scim::store::{HasTenant, Memory};
use scim_axum::{BearerLayer, Credentials, Verify, extract, mount, principal, router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{GROUP, store, user};

async fn send(
    app: &Router,
    method: &str,
    uri: &str,
    token: Option<&str>,
    body: &str,
) -> (http::response::Parts, Value) {
    let mut request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "id.example.com");
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts, serde_json::from_slice(&body).unwrap_or_default())
}

/// The tenant that the path names, if the token is its own.
struct Tenant(String);

impl HasTenant for Tenant {
    fn tenant(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(tenant) = path.map_err(|_| StatusCode::NOT_FOUND)?;
        let owner = parts.extensions.get::<Owner>().ok_or(StatusCode::UNAUTHORIZED)?;
        if owner.0 == tenant {
            Ok(Self(tenant))
        } else {
            Err(StatusCode::FORBIDDEN)
        }
    }
}

/// Whose token it is.
#[derive(Clone)]
struct Owner(String);

/// The token `token-of-x` is that of `x`.
struct Tokens;

impl Verify for Tokens {
    type Principal = Owner;

    async fn verify(&self, credentials: &Credentials, _: &mut Parts) -> scim::Result<Owner> {
        owner(credentials.token()?)
    }
}

fn owner(token: &str) -> scim::Result<Owner> {
    let owner = token.strip_prefix("token-of-").map(|owner| Owner(owner.into()));
    owner.ok_or_else(|| scim::Error::new(StatusCode::UNAUTHORIZED, "The token is not known."))
}

/// The same, also without the scheme before the token.
struct BareTokens;

impl Verify for BareTokens {
    type Principal = Owner;

    async fn verify(&self, credentials: &Credentials, _: &mut Parts) -> scim::Result<Owner> {
        owner(credentials.token_or_bare()?)
    }
}

fn tenants() -> ScimService<Tenant> {
    ScimService::builder(extract::<Tenant>())
        .resource::<User, _>(store())
        .resource::<Group, _>(store())
        .build()
        .unwrap()
}

#[tokio::test]
async fn tenants_have_their_own_urls_and_tokens() {
    let app = mount("/scim/{tenant}/v2", tenants()).layer(BearerLayer::new(Tokens).realm("acme"));
    let (parts, created) = send(
        &app,
        "POST",
        "/scim/acme/v2/Users",
        Some("Bearer token-of-acme"),
        &user("a").to_string(),
    )
    .await;
    assert_eq!(parts.status, 201);
    let location = format!(
        "http://id.example.com/scim/acme/v2/Users/{}",
        created["id"].as_str().unwrap()
    );
    assert_eq!(created["meta"]["location"], location);
    assert_eq!(parts.headers["location"], location);

    let path = location.strip_prefix("http://id.example.com").unwrap();
    // B-3-02 and B-3.1-01 (RFC 6750 sections 3 and 3.1).
    let (invalid, insufficient) = ("invalid_token", "insufficient_scope");
    for (uri, token, status, code) in [
        (path, Some("bearer token-of-acme"), 200, ""),
        (path, None, 401, ""),
        (path, Some("Basic eDp5"), 401, ""),
        (path, Some("Bearer nothing"), 401, invalid),
        (path, Some("token-of-acme"), 401, invalid),
        (path, Some("Bearer Bearer token-of-acme"), 401, invalid),
        (path, Some("Bearer token-of-other"), 403, insufficient),
        ("/scim/other/v2/Users", Some("Bearer token-of-other"), 200, ""),
        ("/scim/acme/v2", Some("Bearer token-of-acme"), 200, ""),
        ("/scim/acme/v2/", Some("Bearer token-of-acme"), 200, ""),
        ("/scim/acme/v2/Nothing", Some("Bearer token-of-acme"), 404, ""),
        // B-2-01 (RFC 6750 section 2).
        (
            "/scim/acme/v2?access_token=x",
            Some("Bearer token-of-acme"),
            400,
            "invalid_request",
        ),
    ] {
        let (parts, body) = send(&app, "GET", uri, token, "").await;
        assert_eq!(parts.status, status, "{uri} {token:?}: {body}");
        assert_eq!(parts.headers["content-type"], "application/scim+json");
        if status >= 400 {
            assert_eq!(body["status"], status.to_string());
        }
        let challenge = parts.headers.get("www-authenticate");
        let expected = match code {
            "" if status != 401 => None,
            "" => Some(r#"Bearer realm="acme""#.to_owned()),
            code => Some(format!(r#"Bearer realm="acme", error="{code}""#)),
        };
        let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
        // Refusals behind the layer are the service's, whose realm is its own.
        let challenge = challenge.map(|text| text.replace("\"scim\"", "\"acme\""));
        assert_eq!(challenge, expected, "{uri} {token:?}");
    }
    let (_, other) = send(
        &app,
        "GET",
        "/scim/other/v2/Users",
        Some("Bearer token-of-other"),
        "",
    )
    .await;
    assert_eq!(other["totalResults"], 0);
}

#[tokio::test]
async fn a_bare_token_is_taken_where_it_may_be() {
    let app = mount("/scim/{tenant}/v2", tenants()).layer(BearerLayer::new(BareTokens));
    for token in ["token-of-acme", "Bearer token-of-acme"] {
        assert_eq!(
            send(&app, "GET", "/scim/acme/v2/Users", Some(token), "")
                .await
                .0
                .status,
            200
        );
    }
    // B-3.1-01 (RFC 6750 section 3.1): a token was shown, if without its scheme.
    let (parts, _) = send(&app, "GET", "/scim/acme/v2/Users", Some("nothing"), "").await;
    let challenge = r#"Bearer realm="scim", error="invalid_token""#;
    assert_eq!(
        (parts.status.as_u16(), &parts.headers["www-authenticate"]),
        (401, &challenge.parse().unwrap())
    );
}

/// Refuses in its own order, and remembers whom: 404 before 401, and 403 for a tenant that is switched off.
#[derive(Clone, Default)]
struct Doorkeeper(Arc<Mutex<Vec<String>>>);

impl Verify for Doorkeeper {
    type Principal = Owner;

    async fn verify(&self, credentials: &Credentials, parts: &mut Parts) -> scim::Result<Owner> {
        let refuse = |status, detail: &'static str| {
            self.0.lock().unwrap().push(format!("{credentials:?} {detail}"));
            Err(scim::Error::new(status, detail))
        };
        let path = Path::<String>::from_request_parts(parts, &()).await;
        let Path(tenant) = path.map_err(scim::Error::internal)?;
        if tenant == "nobody" {
            return refuse(StatusCode::NOT_FOUND, "No tenant has this URL.");
        }
        if *credentials == Credentials::Absent {
            return refuse(StatusCode::UNAUTHORIZED, "Nobody asks.");
        }
        let owner = owner(credentials.token()?)?;
        match owner.0.as_str() {
            "off" => refuse(StatusCode::FORBIDDEN, "The tenant is switched off."),
            "reader" => Err(scim::Error::bearer(
                BearerError::InsufficientScope,
                "The token is not good for this.",
            )),
            _ => Ok(owner),
        }
    }
}

/// A verifier is given whatever credentials there are, answers its own refusals, and can keep a record of them; the codes
/// are those of RFC 6750 section 3.1, where insufficient_scope is about the token and not about the tenant.
#[tokio::test]
async fn a_verifier_answers_its_own_refusals() {
    let doorkeeper = Doorkeeper::default();
    let service = ScimService::<Owner>::builder(principal())
        .resource::<User, _>(Memory::new().tenant_by(|owner: &Owner| Some(owner.0.as_str().into())))
        .build()
        .unwrap();
    let app = mount("/scim/{tenant}/v2", service).layer(BearerLayer::new(doorkeeper.clone()));
    for (uri, token, status, challenge) in [
        ("/scim/nobody/v2/Users", None, 404, None),
        ("/scim/nobody/v2/Users", Some("Bearer token-of-acme"), 404, None),
        ("/scim/acme/v2/Users", None, 401, Some("")),
        ("/scim/acme/v2/Users", Some("Bearer"), 401, Some("")),
        ("/scim/acme/v2/Users", Some("Basic eDp5"), 401, Some("")),
        (
            "/scim/acme/v2/Users",
            Some("Bearer x"),
            401,
            Some("invalid_token"),
        ),
        ("/scim/acme/v2/Users", Some("Bearer token-of-off"), 403, None),
        (
            "/scim/acme/v2/Users",
            Some("Bearer token-of-reader"),
            403,
            Some("insufficient_scope"),
        ),
        ("/scim/acme/v2/Users", Some("Bearer token-of-acme"), 200, None),
    ] {
        let (parts, body) = send(&app, "GET", uri, token, "").await;
        assert_eq!(parts.status, status, "{uri} {token:?}: {body}");
        assert_eq!(parts.headers["content-type"], "application/scim+json");
        let expected = challenge.map(|code| match code {
            "" => r#"Bearer realm="scim""#.to_owned(),
            code => format!(r#"Bearer realm="scim", error="{code}""#),
        });
        let shown = parts.headers.get("www-authenticate");
        assert_eq!(
            shown.map(|value| value.to_str().unwrap().to_owned()),
            expected,
            "{uri} {token:?}"
        );
    }
    let refused = [
        "Absent No tenant has this URL.",
        "Bearer(…) No tenant has this URL.",
        "Absent Nobody asks.",
        "Absent Nobody asks.",
        "Bearer(…) The tenant is switched off.",
    ];
    assert_eq!(*doorkeeper.0.lock().unwrap(), refused);
}

/// A service whose context is the principal is not open to everybody where the layer was forgotten.
#[tokio::test]
async fn without_the_layer_there_is_no_principal() {
    let service = ScimService::<Owner>::builder(principal()).build().unwrap();
    let (parts, _) = send(
        &mount("/scim/v2", service),
        "GET",
        "/scim/v2/Schemas",
        Some("Bearer token-of-acme"),
        "",
    )
    .await;
    assert_eq!(parts.status, 500);
}

/// P-3.13-03 (RFC 7644 section 3.13): a URL without a version means the latest, and a resource has one URL.
#[tokio::test]
async fn a_url_without_a_version_is_answered_as_the_latest() {
    let store = store();
    let service = ScimService::builder(extract::<Tenant>())
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .version_in_locations()
        .build()
        .unwrap();
    let app = mount("/scim/{tenant}", service).layer(BearerLayer::new(Tokens));
    let token = Some("Bearer token-of-acme");
    for (number, above) in ["/scim/acme", "/scim/acme/v2", "/scim/acme/V2.0"]
        .into_iter()
        .enumerate()
    {
        let user = user(&number.to_string()).to_string();
        let (parts, body) = send(&app, "POST", &format!("{above}/Users"), token, &user).await;
        assert_eq!(parts.status, 201, "{above}: {body}");
        let id = body["id"].as_str().unwrap();
        let location = format!("http://id.example.com/scim/acme/v2/Users/{id}");
        assert_eq!(body["meta"]["location"], location);
        assert_eq!(parts.headers["location"], location);
        for above in ["/scim/acme", "/scim/acme/v2"] {
            let (parts, body) = send(&app, "GET", &format!("{above}/Users/{id}"), token, "").await;
            assert_eq!(parts.status, 200, "{above}");
            assert_eq!(parts.headers["content-location"], location);
            assert_eq!(body["meta"]["location"], location);
        }
        let group =
            json!({"schemas": [GROUP], "displayName": "g", "members": [{"value": id, "$ref": location}]});
        let (parts, body) = send(
            &app,
            "POST",
            &format!("{above}/Groups"),
            token,
            &group.to_string(),
        )
        .await;
        assert_eq!(parts.status, 201, "{body}");
        assert_eq!(body["members"][0]["$ref"], location);
    }
    for (path, status) in [
        ("/scim/acme", 200),
        ("/scim/acme/", 200),
        ("/scim/acme/ServiceProviderConfig", 200),
        ("/scim/acme/v3/Users", 400),
        ("/scim/acme/v2/v2/Users", 404),
    ] {
        assert_eq!(
            send(&app, "GET", path, token, "").await.0.status,
            status,
            "{path}"
        );
    }
}

/// P-1.3-02 (RFC 7644 section 1.3): any prefix, and prefixes in prefixes.
#[tokio::test]
async fn locations_carry_every_prefix() {
    let service = ScimService::builder(NoContext)
        .resource::<User, _>(store())
        .resource::<Group, _>(store())
        .build()
        .unwrap();
    for (number, (app, prefix)) in [
        (router(service.clone()), ""),
        (mount("/", service.clone()), ""),
        (mount("/scim", service.clone()), "/scim"),
        (
            Router::new().nest("/a/b", mount("/scim/v2", service.clone())),
            "/a/b/scim/v2",
        ),
        (Router::new().nest_service("/x", router::<_, ()>(service)), "/x"),
    ]
    .into_iter()
    .enumerate()
    {
        let user = user(&number.to_string()).to_string();
        let (parts, body) = send(&app, "POST", &format!("{prefix}/Users"), None, &user).await;
        assert_eq!(parts.status, 201, "{prefix}: {body}");
        let id = body["id"].as_str().unwrap();
        assert_eq!(
            parts.headers["location"],
            format!("http://id.example.com{prefix}/Users/{id}")
        );
    }
}

/// Issue 8, fault 7: a service that was told of its prefix works where a router is told of the same, too.
#[tokio::test]
async fn a_prefix_may_be_said_to_the_service_and_to_the_router() {
    let service = ScimService::builder(NoContext)
        .resource::<User, _>(store())
        .mount("/scim/v2")
        .build()
        .unwrap();
    for (number, (app, prefix)) in [
        (mount("/scim/v2", service.clone()), "/scim/v2"),
        (mount("/", service.clone()), "/scim/v2"),
        (
            Router::new().nest("/api", mount("/scim/v2", service.clone())),
            "/api/scim/v2",
        ),
        (mount("/api", service.clone()), "/api/scim/v2"),
    ]
    .into_iter()
    .enumerate()
    {
        let user = user(&number.to_string()).to_string();
        let (parts, body) = send(&app, "POST", &format!("{prefix}/Users"), None, &user).await;
        assert_eq!(parts.status, 201, "{prefix}: {body}");
        let id = body["id"].as_str().unwrap();
        assert_eq!(
            parts.headers["location"],
            format!("http://id.example.com{prefix}/Users/{id}")
        );
    }
    let elsewhere = mount("/other", service);
    let (parts, _) = send(&elsewhere, "GET", "/other/Users", None, "").await;
    assert_eq!(parts.status, 404);
}
