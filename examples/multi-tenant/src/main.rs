//! Users and groups of several tenants behind one service: the path says which tenant, the token must be that tenant's.
//!
//! Run it with `cargo run -p multi-tenant`, then try the lines that it prints.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use scim::resources::{Group, User};
use scim::service::{Decision, MakeContext, Operation, ScimService};
use scim::store::{HasTenant, Memory};
use scim::{BearerError, Error, Result};
use scim_axum::Credentials;

/// For whom a request is made: the application's own type, made once for every request.
struct Context {
    tenant: String,
    reads_only: bool,
}

/// The store keeps apart what belongs to different tenants.
impl HasTenant for Context {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

/// Whose token it is. A real application looks the hash of the token up.
struct Tokens(HashMap<&'static str, (&'static str, bool)>);

impl MakeContext<Context> for Tokens {
    async fn make(&self, parts: &mut Parts) -> Result<Context> {
        let invalid = || Error::bearer(BearerError::InvalidToken, "The token is not one of this tenant.");
        let Path(tenant) = Path::<String>::from_request_parts(parts, &())
            .await
            .map_err(|_| invalid())?;
        match self.0.get(Credentials::of(parts).token()?) {
            Some((owner, reads_only)) if *owner == tenant => Ok(Context {
                tenant,
                reads_only: *reads_only,
            }),
            _ => Err(invalid()),
        }
    }
}

fn app() -> Result<Router> {
    let tokens = [
        ("red", ("acme", false)),
        ("blue", ("globex", false)),
        ("grey", ("globex", true)),
    ];
    let store = Arc::new(Memory::new().link(Group::paths().members(), User::paths().groups()));
    let service = ScimService::builder(Tokens(HashMap::from(tokens)))
        .resource::<User, _>(Arc::clone(&store))
        .resource::<Group, _>(store)
        .authorize(|cx, access| may(cx, access.operation))
        .build()?;
    Ok(scim_axum::mount("/scim/{tenant}/v2", service))
}

fn may(cx: &Context, operation: Operation) -> Decision {
    if cx.reads_only && operation.is_write() {
        Decision::Deny
    } else {
        Decision::Allow
    }
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let url = format!("http://{}/scim", listener.local_addr()?);
    println!("curl -H 'Authorization: Bearer red' {url}/acme/v2/Users     # acme's own");
    println!("curl -H 'Authorization: Bearer red' {url}/globex/v2/Users   # 401: a token of another tenant");
    println!("curl -H 'Authorization: Bearer grey' -X DELETE {url}/globex/v2/Users/1   # 403: reads only");
    axum::serve(listener, app()?).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    async fn send(app: &Router, method: &str, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "id.example.com")
            .header("authorization", format!("Bearer {token}"))
            .body(if body.is_null() {
                Body::empty()
            } else {
                Body::from(body.to_string())
            });
        let response = app.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// RFC 7644 section 6: tenants share a server and nothing else.
    #[tokio::test]
    async fn tenants_see_nothing_of_each_other() {
        let app = app().unwrap();
        let babs = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "babs"});
        let (status, created) = send(&app, "POST", "red", "/scim/acme/v2/Users", babs.clone()).await;
        assert_eq!(status, 201);
        let location = created["meta"]["location"].as_str().unwrap();
        assert!(
            location.starts_with("http://id.example.com/scim/acme/v2/Users/"),
            "{location}"
        );

        let id = created["id"].as_str().unwrap();
        let (status, _) = send(
            &app,
            "GET",
            "blue",
            &format!("/scim/globex/v2/Users/{id}"),
            Value::Null,
        )
        .await;
        assert_eq!(status, 404);
        let (status, _) = send(&app, "POST", "blue", "/scim/globex/v2/Users", babs).await;
        assert_eq!(status, 201, "a name is taken in one tenant alone");
        let (_, list) = send(&app, "GET", "blue", "/scim/globex/v2/Users", Value::Null).await;
        assert_eq!(list["totalResults"], 1);
    }

    #[tokio::test]
    async fn a_token_is_good_for_its_own_tenant_and_rights() {
        let app = app().unwrap();
        let (status, error) = send(&app, "GET", "red", "/scim/globex/v2/Users", Value::Null).await;
        assert_eq!((status.as_u16(), &error["status"]), (401, &json!("401")));
        let (status, _) = send(&app, "DELETE", "grey", "/scim/globex/v2/Users/1", Value::Null).await;
        assert_eq!(status, 403);
        let (status, _) = send(&app, "GET", "grey", "/scim/globex/v2/Users", Value::Null).await;
        assert_eq!(status, 200);
    }
}
