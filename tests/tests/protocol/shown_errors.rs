//! The errors as an application shows them: `Builder::map_error`.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use http_body_util::{BodyExt, Full};
use scim::resources::{Group, User};
use scim::service::{Decision, Outcome, ScimService, from_parts};
use scim::store::Hooks;
use scim::{Error, ScimType};
use serde_json::{Value, json};

use crate::{store, user};

/// A secret that a client may send in any place.
const SECRET: &str = "sesame";

fn without_secret(text: &str) -> Cow<'_, str> {
    match text.contains(SECRET) {
        true => Cow::Owned(text.replace(SECRET, "…")),
        false => Cow::Borrowed(text),
    }
}

/// The things that a listener was told: whether there was a context, and the outcome.
type Told = Arc<Mutex<Vec<(bool, Outcome)>>>;

/// Makes a service that refuses in every way, and repeats what it was sent.
fn service(told: &Told) -> ScimService<String> {
    let context = from_parts(|parts| match parts.headers.get("authorization") {
        Some(token) => Err(Error::new(
            StatusCode::UNAUTHORIZED,
            format!("The token {} is not known.", token.to_str().unwrap_or_default()),
        )),
        None => Ok("acme".to_owned()),
    });
    let hooks = Hooks::new().before_write::<User>(|_, proposed| match proposed.after() {
        Some(user) if user.user_name == "broken" => Err(Error::internal("the disk is full of sesame")),
        Some(user) if user.user_name == SECRET => {
            Err(Error::invalid_value(format!("must not be {:?}", user.user_name)).at("userName"))
        }
        _ => Ok(()),
    });
    let told = Arc::clone(told);
    ScimService::builder(context)
        .resource::<User, _>(store())
        .resource::<Group, _>(store())
        .authorize(|_, access| match access.id {
            Some("hidden-sesame") => Decision::Hide,
            _ => Decision::Allow,
        })
        .hooks(hooks)
        .map_error(|_, error| error.map_text(without_secret))
        .on_outcome(move |cx, outcome| told.lock().unwrap().push((cx.is_some(), outcome.clone())))
        .build()
        .unwrap()
}

fn request(method: &str, uri: &str, token: Option<&str>, body: &str) -> http::Request<Full<bytes::Bytes>> {
    let mut request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "id.example.com");
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/scim+json");
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

/// An error of every stage of a request reaches the map, and the listener is told what the client is shown.
#[tokio::test]
async fn no_stage_shows_what_the_application_hides() {
    let told = Told::default();
    let service = service(&told);
    let refused = user(SECRET).to_string();
    let unreadable = format!("{{\"userName\": {SECRET}}}");
    let named = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a",
                       "emails": [{"value": "a@x.example", "primary": SECRET}]})
    .to_string();
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                       "Operations": [{"op": SECRET, "path": "title"}]})
    .to_string();
    for (stage, method, uri, token, body, status, scim_type) in [
        ("context", "GET", "/Users", Some(SECRET), "", 401, None),
        ("route", "GET", "/sesame", None, "", 404, None),
        ("version", "GET", "/v9-sesame/Users", None, "", 404, None),
        ("method", "sesame", "/Users", None, "", 405, None),
        (
            "query",
            "GET",
            "/Users?count=sesame",
            None,
            "",
            400,
            Some(ScimType::InvalidValue),
        ),
        (
            "filter",
            "GET",
            "/Users?filter=sesame%20xx%201",
            None,
            "",
            400,
            Some(ScimType::InvalidFilter),
        ),
        (
            "authorization",
            "GET",
            "/Users/hidden-sesame",
            None,
            "",
            404,
            None,
        ),
        ("store", "GET", "/Users/sesame", None, "", 404, None),
        (
            "syntax",
            "POST",
            "/Users",
            None,
            &*unreadable,
            400,
            Some(ScimType::InvalidSyntax),
        ),
        (
            "value",
            "POST",
            "/Users",
            None,
            &*named,
            400,
            Some(ScimType::InvalidValue),
        ),
        ("operation", "PATCH", "/Users/1", None, &*patch, 400, None),
        (
            "hook",
            "POST",
            "/Users",
            None,
            &*refused,
            400,
            Some(ScimType::InvalidValue),
        ),
    ] {
        let response = service.respond(request(method, uri, token, body)).await;
        assert_eq!(response.status(), status, "{stage}");
        let shown = response.into_body().collect().await.unwrap().to_bytes();
        let shown: Value = serde_json::from_slice(&shown).unwrap();
        let detail = shown["detail"].as_str().unwrap();
        assert!(!detail.contains(SECRET), "{stage}: {detail}");
        let (has_context, outcome) = told.lock().unwrap().pop().unwrap();
        assert_eq!(has_context, stage != "context");
        let problem = outcome.problem.unwrap();
        assert_eq!(
            (outcome.status.as_u16(), &*problem.detail),
            (status, detail),
            "{stage}"
        );
        if let Some(scim_type) = scim_type {
            assert_eq!(problem.scim_type, Some(scim_type), "{stage}");
            assert_eq!(shown["scimType"], scim_type.as_str(), "{stage}");
        }
        if stage == "hook" {
            assert_eq!(problem.attribute.as_deref(), Some("userName"));
            assert!(detail.contains('…'), "{detail}");
        }
        assert!(told.lock().unwrap().is_empty(), "{stage}: told once");
        // Whoever answers errors himself gets the same one.
        let error = service
            .try_call(request(method, uri, token, body))
            .await
            .unwrap_err();
        assert_eq!(
            (error.status().as_u16(), &*error.to_string()),
            (status, detail),
            "{stage}"
        );
        assert_eq!(told.lock().unwrap().drain(..).count(), 1, "{stage}: told once");
    }
}

/// The cause stays in the hands of the operator, also if the application shows another error.
#[tokio::test]
async fn a_listener_is_told_the_cause_of_what_is_shown() {
    let told = Told::default();
    let log = Arc::clone(&told);
    let hooks = Hooks::new().before_write::<User>(|_, _| Err(Error::internal("the disk is full")));
    let service = ScimService::builder(from_parts(|_| Ok("acme".to_owned())))
        .resource::<User, _>(store())
        .resource::<Group, _>(store())
        .hooks(hooks)
        .map_error(|cx: Option<&String>, error| match error.status() {
            StatusCode::INTERNAL_SERVER_ERROR => Error::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{} is closed.", cx.map_or("Everything", String::as_str)),
            ),
            _ => error,
        })
        .on_outcome(move |cx, outcome| log.lock().unwrap().push((cx.is_some(), outcome.clone())))
        .build()
        .unwrap();
    let response = service
        .respond(request("POST", "/Users", None, &user("a").to_string()))
        .await;
    assert_eq!(response.status(), 503);
    let (_, outcome) = told.lock().unwrap().pop().unwrap();
    let problem = outcome.problem.unwrap();
    assert_eq!(outcome.status, 503);
    assert_eq!(problem.detail, "acme is closed.");
    assert_eq!(problem.cause.as_deref(), Some("the disk is full"));
}
