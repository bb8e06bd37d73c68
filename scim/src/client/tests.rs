use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::*;
use crate::ScimType;
use crate::patch::Patch;
use crate::resources::{Email, Group, Member, Password, User};

#[derive(Debug)]
struct Seen {
    method: String,
    uri: String,
    headers: HeaderMap,
    body: Value,
}

impl Seen {
    fn line(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }
}

/// A server that gives prepared answers and remembers what it was asked. Status 0 stands for a broken connection.
#[derive(Clone, Default)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<Response<String>>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Response<String>>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            ..Self::default()
        }
    }

    fn client(&self) -> Client<impl Exchange + use<>> {
        let waits = self.waits.clone();
        self.client_without_sleep().with_sleep(move |wait| {
            waits.lock().unwrap().push(wait);
            std::future::ready(())
        })
    }

    fn client_without_sleep(&self) -> Client<impl Exchange + use<>> {
        let this = self.clone();
        let service = tower::service_fn(move |request: Request<Full<Bytes>>| this.clone().answer(request));
        Client::new(service, "https://example.com/v2/").unwrap()
    }

    async fn answer(self, request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let (head, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .unwrap_or_else(|never: Infallible| match never {})
            .to_bytes();
        self.seen.lock().unwrap().push(Seen {
            method: head.method.to_string(),
            uri: head.uri.to_string(),
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        });
        let answer = self.answers.lock().unwrap().pop_front().unwrap();
        if answer.extensions().get::<Broken>().is_some() {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        Ok(answer.map(|body| Full::new(body.into())))
    }

    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(Seen::line).collect()
    }

    fn with_seen<T>(&self, index: usize, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap()[index])
    }
}

#[derive(Clone)]
struct Broken;

fn answer(status: u16, body: &Value) -> Response<String> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    Response::builder().status(status).body(body).unwrap()
}

fn broken() -> Response<String> {
    let mut answer = answer(200, &Value::Null);
    answer.extensions_mut().insert(Broken);
    answer
}

fn ann(id: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id, "userName": "ann", "likes": "tea"})
}

fn page(total: u64, start: u64, ids: &[&str]) -> Value {
    let resources: Vec<_> = ids.iter().map(|id| ann(id)).collect();
    json!({"schemas": [crate::message::LIST_RESPONSE], "totalResults": total, "startIndex": start,
        "itemsPerPage": ids.len(), "Resources": resources})
}

fn refusal(status: u16, keyword: &str, detail: &str) -> Value {
    json!({"schemas": [crate::message::ERROR], "status": status.to_string(), "scimType": keyword, "detail": detail})
}

#[tokio::test]
async fn a_body_holds_everything_that_was_assigned_and_nothing_that_only_the_server_sets() {
    let server = Scripted::new([answer(201, &ann("7"))]);
    let mut user = User::new("ann");
    user.meta.version = Some("W/\"1\"".into());
    user.password = Some(Password::new("t1meMa$heen"));
    user.emails.push(Email::new("ann@example.com").primary());
    let created = server.client().create(&user).await.unwrap();
    assert_eq!(created.id.as_str(), "7");
    server.with_seen(0, |seen| {
        assert_eq!(seen.line(), "POST https://example.com/v2/Users");
        assert_eq!(seen.headers["content-type"], "application/scim+json");
        assert_eq!(seen.headers["accept"], "application/scim+json");
        assert_eq!(
            seen.body,
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann",
                "password": "t1meMa$heen", "emails": [{"value": "ann@example.com", "primary": true}]})
        );
    });
}

#[tokio::test]
async fn a_patch_is_sent_as_it_was_built_and_may_be_answered_without_a_body() {
    let server = Scripted::new([answer(204, &Value::Null), answer(200, &ann("a/b"))]);
    let client = server.client();
    let patch = Patch::<Group>::builder().add_values(Group::paths().members(), [Member::new("7")]);
    assert_eq!(
        client.patch("g", &patch, &Precondition::None).await.unwrap(),
        None
    );
    let patch = Patch::<User>::builder().replace(User::paths().title(), "Guide");
    let user = client
        .patch("a/b", &patch, &Precondition::Any)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(user.user_name, "ann");
    assert_eq!(
        server.lines(),
        [
            "PATCH https://example.com/v2/Groups/g",
            "PATCH https://example.com/v2/Users/a%2Fb"
        ]
    );
    server.with_seen(0, |seen| {
        assert_eq!(seen.body["Operations"][0]["value"], json!([{"value": "7"}]));
    });
    server.with_seen(1, |seen| assert_eq!(seen.headers["if-match"], "*"));
}

/// RFC 7644 section 3.14.
#[tokio::test]
async fn versions_come_from_the_header_and_go_into_preconditions() {
    let mut first = answer(200, &ann("7"));
    first
        .headers_mut()
        .insert("etag", HeaderValue::from_static("\"3\""));
    let server = Scripted::new([
        first,
        answer(304, &Value::Null),
        answer(412, &refusal(412, "", "stale")),
        answer(204, &Value::Null),
    ]);
    let client = server.client();
    let user: User = client.get("7").await.unwrap();
    assert_eq!(user.meta.version.as_deref(), Some("W/\"3\""));
    let known = Version::new("3");
    assert_eq!(client.get_if_changed::<User>("7", &known).await.unwrap(), None);
    assert!(
        client
            .replace(&user, &unchanged(&user))
            .await
            .unwrap_err()
            .is_stale()
    );
    client.delete::<User>("7", &unchanged(&user)).await.unwrap();
    server.with_seen(1, |seen| assert_eq!(seen.headers["if-none-match"], "W/\"3\""));
    server.with_seen(2, |seen| assert_eq!(seen.headers["if-match"], "W/\"3\""));
    server.with_seen(3, |seen| {
        assert_eq!(seen.line(), "DELETE https://example.com/v2/Users/7");
    });
}

#[tokio::test]
async fn a_replace_without_an_answer_is_followed_by_a_read() {
    let server = Scripted::new([answer(204, &Value::Null), answer(200, &ann("7"))]);
    let mut user = User::new("ann");
    user.id = crate::value::ResourceId::new("7");
    assert_eq!(
        server
            .client()
            .replace(&user, &Precondition::None)
            .await
            .unwrap()
            .id,
        user.id
    );
    user.id = Default::default();
    let error = server
        .client()
        .replace(&user, &Precondition::None)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Request(_)), "{error}");
}

#[tokio::test]
async fn the_servers_error_is_kept_and_can_be_handed_on() {
    let server = Scripted::new([
        answer(409, &refusal(409, "Uniqueness", "userName ann is taken.")),
        Response::builder()
            .status(502)
            .body("<html>\u{7}Bad Gateway".to_owned())
            .unwrap(),
        answer(404, &Value::Null),
        answer(200, &json!([1])),
    ]);
    let client = server.client_without_sleep();
    let error = client.create(&User::new("ann")).await.unwrap_err();
    assert!(error.is_conflict());
    assert_eq!(error.scim_type(), Some(ScimType::Uniqueness));
    let handed_on = crate::Error::from(error);
    assert_eq!(
        (
            handed_on.status().as_u16(),
            handed_on.scim_type(),
            handed_on.to_string()
        ),
        (
            409,
            Some(ScimType::Uniqueness),
            "userName ann is taken.".to_owned()
        )
    );

    let error = client.get::<User>("7").await.unwrap_err();
    let detail = error.refusal().unwrap().detail.clone();
    assert_eq!(detail.as_deref(), Some("\"<html>\\u0007Bad Gateway\""));
    let error = client.get::<User>("7").await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.to_string(), "The server refuses the request with 404.");
    let error = client.get::<User>("7").await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert_eq!(crate::Error::from(error).status(), 502);
}

#[tokio::test]
async fn pages_follow_each_other_by_what_came() {
    let server = Scripted::new([
        answer(200, &page(3, 1, &["1", "2"])),
        answer(200, &page(3, 3, &["3"])),
    ]);
    let client = server.client();
    let mut pages = client
        .list::<User>()
        .filter(User::paths().user_name().eq("a+b"))
        .sort_by(User::paths().emails().value())
        .descending()
        .only("userName")
        .page_size(10)
        .pages();
    assert_eq!(pages.next().await.unwrap().unwrap().id.as_str(), "1");
    let rest = pages.next_page().await.unwrap().unwrap();
    assert_eq!(
        (rest.start_index, rest.total_results, rest.resources.len()),
        (2, 3, 1)
    );
    assert_eq!(pages.next().await.unwrap().unwrap().id.as_str(), "3");
    assert_eq!(pages.next().await.unwrap(), None);
    assert_eq!(pages.next_page().await.unwrap(), None);
    let query = "https://example.com/v2/Users?filter=userName%20eq%20%22a%2Bb%22&sortBy=emails.value&sortOrder=descending";
    assert_eq!(
        server.lines(),
        [
            format!("GET {query}&startIndex=1&count=10&attributes=userName"),
            format!("GET {query}&startIndex=3&count=10&attributes=userName"),
        ]
    );
}

/// RFC 7644 section 3.4.3.
#[tokio::test]
async fn a_search_by_post_says_the_same_in_its_body() {
    let server = Scripted::new([answer(200, &page(0, 1, &[]))]);
    let client = server.client();
    let list = client
        .list::<Group>()
        .filter_text("displayName sw \"A\"")
        .without(Group::paths().members());
    assert_eq!(list.by_post().all().await.unwrap(), []);
    server.with_seen(0, |seen| {
        assert_eq!(seen.line(), "POST https://example.com/v2/Groups/.search");
        assert_eq!(
            seen.body,
            json!({"schemas": [crate::message::SEARCH_REQUEST], "filter": "displayName sw \"A\"",
                "startIndex": 1, "excludedAttributes": ["members"]})
        );
    });
}

#[tokio::test]
async fn a_list_that_is_none_or_begins_elsewhere_is_an_error_and_no_endless_loop() {
    let server = Scripted::new([
        answer(200, &page(5, 1, &["1"])),
        answer(200, &page(5, 1, &["1"])),
        answer(200, &ann("1")),
        answer(200, &page(9, 1, &[])),
    ]);
    let client = server.client();
    let error = client.list::<User>().all().await.unwrap_err();
    assert!(error.to_string().contains("startIndex is 1"), "{error}");
    let error = client.list::<User>().first().await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert_eq!(client.list::<User>().total().await.unwrap(), 9);
    server.with_seen(3, |seen| assert!(seen.uri.ends_with("&count=0"), "{}", seen.uri));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_wants() {
    let mut busy = answer(429, &refusal(429, "", "slow down"));
    busy.headers_mut()
        .insert("retry-after", HeaderValue::from_static("17"));
    let server = Scripted::new([busy.clone(), answer(503, &Value::Null), answer(201, &ann("7"))]);
    server.client().create(&User::new("ann")).await.unwrap();
    let waits = server.waits.lock().unwrap().clone();
    assert_eq!(waits.len(), 2);
    assert_eq!(waits[0], Duration::from_secs(17));
    assert!(
        waits[1] > Duration::ZERO && waits[1] <= Duration::from_millis(500),
        "{waits:?}"
    );

    let server = Scripted::new([busy]);
    let error = server
        .client_without_sleep()
        .create(&User::new("ann"))
        .await
        .unwrap_err();
    assert_eq!(
        error.refusal().unwrap().retry_after,
        Some(Duration::from_secs(17))
    );
}

/// RFC 9110 section 9.2.2: the server may have created the resource before the connection broke.
#[tokio::test]
async fn after_a_broken_connection_only_idempotent_requests_are_repeated() {
    let server = Scripted::new([broken()]);
    let error = server.client().create(&User::new("ann")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");

    let server = Scripted::new([broken(), answer(404, &Value::Null)]);
    server
        .client()
        .delete::<User>("7", &Precondition::None)
        .await
        .unwrap();

    let server = Scripted::new([answer(404, &Value::Null)]);
    let error = server
        .client()
        .delete::<User>("7", &Precondition::None)
        .await
        .unwrap_err();
    assert!(error.is_not_found());
}

#[tokio::test]
async fn an_attribute_of_an_extension_is_named_with_its_urn() {
    let server = Scripted::new([answer(200, &ann("7"))]);
    let client = server.client();
    let user = User::paths();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
    client
        .get_partly::<User>("7", &[&user.user_name(), &user.emails(), &enterprise], &[])
        .await
        .unwrap();
    server.with_seen(0, |seen| {
        assert!(
            seen.uri.contains("attributes=userName%2Cemails%2Curn%3Aietf"),
            "{}",
            seen.uri
        );
    });
}

#[tokio::test]
async fn secrets_are_sent_and_not_shown() {
    let server = Scripted::new([answer(200, &page(0, 1, &[]))]);
    let client = server.client().with_bearer_token("t0ps3cret").unwrap();
    assert!(!format!("{client:?}").contains("t0ps3cret"));
    client.list::<User>().all().await.unwrap();
    server.with_seen(0, |seen| {
        assert_eq!(seen.headers["authorization"], "Bearer t0ps3cret");
    });
    assert!(client.with_bearer_token("a\nb").is_err());
}

#[tokio::test]
async fn futures_can_be_spawned() {
    let server = Scripted::new([answer(200, &page(1, 1, &["1"]))]);
    let client = server.client();
    let all = tokio::spawn(async move { client.list::<User>().all().await.unwrap().len() });
    assert_eq!(all.await.unwrap(), 1);
}
