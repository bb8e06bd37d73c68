//! Contexts of foreign types: every one that an extractor gives works with every store.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Extension, FromRequestParts, Path};
use axum::{Router, body::Body};
use http::HeaderMap;
use http_body_util::BodyExt;
use scim::resources::User;
use scim::service::{GivenContext, ScimService, from_parts, host};
use scim::store::documents::DocumentStore;
use scim::store::{Memory, Store, TenantBy};
use scim_axum::{extract, mount};
use serde_json::Value;
use tower::ServiceExt;

use crate::user;

const NAME: &str = "babs";

async fn send(app: &Router, method: &str, uri: &str) -> (u16, Value) {
    let request = http::Request::builder().method(method).uri(uri);
    let request = request
        .header("host", "id.example.com")
        .header("x-tenant", "acme");
    let body = if method == "POST" {
        user(NAME).to_string()
    } else {
        String::new()
    };
    let response = app
        .clone()
        .oneshot(request.body(Body::from(body)).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Returns whether two tenants, or the only one under two URLs, see what the first has created.
async fn shares<C, S>(store: S, first: &str, second: &str, prefix: &str) -> bool
where
    C: FromRequestParts<()> + Send + Sync + 'static,
    S: Store<User, C>,
{
    let service = ScimService::builder(extract::<C>())
        .resource::<User, _>(store)
        .build()
        .unwrap();
    let app = mount(prefix, service).layer(Extension("ali"));
    let (status, body) = send(&app, "POST", &format!("{first}/Users")).await;
    assert_eq!(status, 201, "{body}");
    let (status, body) = send(&app, "GET", &format!("{second}/Users")).await;
    assert_eq!(status, 200, "{body}");
    body["totalResults"] == 1
}

/// Tries both stores with contexts in which a closure finds the tenant.
async fn keeps_apart<C>(tenant: fn(&C) -> Option<Cow<'_, str>>, prefix: &str, urls: [&str; 2])
where
    C: FromRequestParts<()> + Send + Sync + 'static,
{
    let memory: Memory<TenantBy<C>> = Memory::new().tenant_by(tenant);
    assert!(!shares::<C, _>(memory, urls[0], urls[1], prefix).await);
    let sqlite = DocumentStore::in_memory()
        .unwrap()
        .resource::<User>()
        .tenant_by(tenant)
        .build()
        .unwrap();
    assert!(!shares::<C, _>(sqlite, urls[0], urls[1], prefix).await);
}

/// Tries both stores with contexts for which there is one tenant.
async fn keeps_together<C>(prefix: &str, urls: [&str; 2])
where
    C: FromRequestParts<()> + Send + Sync + 'static,
{
    let memory = Memory::new().single_tenant();
    assert!(shares::<C, _>(memory, urls[0], urls[1], prefix).await);
    let sqlite = DocumentStore::in_memory()
        .unwrap()
        .resource::<User>()
        .single_tenant()
        .build()
        .unwrap();
    assert!(shares::<C, _>(sqlite, urls[0], urls[1], prefix).await);
}

#[tokio::test]
async fn what_an_extractor_gives_is_a_context_of_every_store() {
    let (path, urls) = ("/scim/{tenant}/v2", ["/scim/acme/v2", "/scim/globex/v2"]);
    keeps_apart::<Path<String>>(|Path(tenant)| Some(tenant.into()), path, urls).await;
    keeps_apart::<(Path<String>, Extension<&'static str>)>(|cx| Some(cx.0.as_str().into()), path, urls).await;
    let two = ["/scim/acme/a/v2", "/scim/acme/b/v2"];
    keeps_apart::<Path<(String, String)>>(
        |Path(both)| Some(both.1.as_str().into()),
        "/scim/{org}/{unit}/v2",
        two,
    )
    .await;
    keeps_together::<Path<String>>(path, urls).await;
    keeps_together::<Extension<&'static str>>("/scim", ["/scim/v2", "/scim"]).await;
    keeps_together::<HeaderMap>("/scim/v2", ["/scim/v2"; 2]).await;
    keeps_together::<(HeaderMap, http::Method)>("/scim/v2", ["/scim/v2"; 2]).await;
}

/// A request for no tenant is 404, whatever it asks and whichever store it reaches.
#[tokio::test]
async fn a_request_for_no_tenant_is_404() {
    async fn refuses<C, S>(store: S)
    where
        C: FromRequestParts<()> + Send + Sync + 'static,
        S: Store<User, C>,
    {
        let service = ScimService::builder(extract::<C>())
            .resource::<User, _>(store)
            .build()
            .unwrap();
        let app = mount("/scim/v2", service);
        for (method, uri) in [
            ("POST", "/scim/v2/Users"),
            ("GET", "/scim/v2/Users"),
            ("GET", "/scim/v2/Users/1"),
            ("DELETE", "/scim/v2/Users/1"),
        ] {
            let (status, body) = send(&app, method, uri).await;
            assert_eq!((status, &body["status"]), (404, &"404".into()), "{method} {uri}");
        }
    }
    type Find = fn(&HeaderMap) -> Option<Cow<'_, str>>;
    for nobody in [(|_| None) as Find, |_| Some("".into())] {
        refuses::<HeaderMap, _>(Memory::new().tenant_by(nobody)).await;
        let sqlite = DocumentStore::in_memory()
            .unwrap()
            .resource::<User>()
            .tenant_by(nobody);
        refuses::<HeaderMap, _>(sqlite.build().unwrap()).await;
    }
}

/// The same for a context that has a tenant with an empty name.
#[tokio::test]
async fn a_tenant_without_a_name_is_404() {
    let sqlite: DocumentStore<String> = DocumentStore::in_memory()
        .unwrap()
        .resource::<User>()
        .build()
        .unwrap();
    let memory = Arc::new(Memory::new());
    let first_label = || {
        from_parts(|parts| {
            let host = host(parts).unwrap_or_default();
            Ok(host
                .split_once('.')
                .map(|(label, _)| label)
                .unwrap_or_default()
                .to_owned())
        })
    };
    let services = [
        ScimService::builder(first_label())
            .resource::<User, _>(sqlite)
            .build()
            .unwrap(),
        ScimService::builder(first_label())
            .resource::<User, _>(memory)
            .build()
            .unwrap(),
    ];
    for service in services {
        for (uri, status) in [
            ("http://acme.example.com/Users", 200),
            ("http://localhost/Users", 404),
            ("http://.example.com/Users", 404),
            ("/Users", 404),
        ] {
            let request = http::Request::get(uri).body(Body::empty()).unwrap();
            assert_eq!(service.respond(request).await.status(), status, "{uri}");
        }
    }
}

/// An application that has the context already gives it, and the service makes none.
#[tokio::test]
async fn a_context_can_be_given_with_the_request() {
    struct Principal(&'static str);
    let service = ScimService::<Principal>::builder(GivenContext)
        .resource::<User, _>(Memory::new().tenant_by(|cx: &Principal| Some(cx.0.into())))
        .on_outcome(|cx, outcome| assert_eq!(cx.is_some(), outcome.problem.is_none()))
        .build()
        .unwrap();
    let post = || {
        http::Request::post("/Users")
            .body(Body::from(user(NAME).to_string()))
            .unwrap()
    };
    for tenant in ["acme", "globex"] {
        let cx = Arc::new(Principal(tenant));
        assert_eq!(service.respond_in(&cx, post()).await.status(), 201, "{tenant}");
    }
    assert_eq!(service.respond(post()).await.status(), 500);
}
