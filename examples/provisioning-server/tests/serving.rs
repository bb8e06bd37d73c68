//! A server, and commands that work on its database while it runs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::time::{Duration, Instant};

use program::{Answer, Place, Server, rows};
use scim::store::database::Value;
use serde_json::json;

/// The status that a request of an admitted client gets.
const ADMITTED: u16 = 200;

/// Asks until the answer has a status. The patience is far beyond what is promised, so that a slow machine is no
/// failure.
fn until(server: &Server, token: &str, status: u16) -> Answer {
    let began = Instant::now();
    loop {
        let answer = server.scim("acme", token);
        if answer.status == status {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_first_start_makes_the_default_organization() {
    let place = Place::new();
    let server = place.serve(&[]);
    let listening = server.started["listening"].as_str().unwrap();
    let scim_url = format!("{listening}/scim/default/v2");
    assert_eq!(
        server.started["organizations"],
        json!([{ "organization": "default", "scim_url": scim_url }])
    );
    assert_eq!(place.json(&["org", "show", "default"])["enabled"], true);
    place.json(&["org", "delete", "default"]);
    drop(server);
    let server = place.serve(&[]);
    assert_eq!(
        server.started["organizations"],
        json!([]),
        "a deleted organization does not come back"
    );
}

#[test]
fn the_first_start_says_how_to_go_on() {
    let place = Place::new();
    let mut child = place.begin(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "https://scim.example.com",
    ]);
    let mut text = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    while !text.contains("token create default") {
        assert_ne!(
            std::io::BufRead::read_line(&mut stdout, &mut text).unwrap(),
            0,
            "{text}"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        text.contains("https://scim.example.com/scim/default/v2"),
        "{text}"
    );
}

#[test]
fn health_says_the_version() {
    // Feature row 16.
    let place = Place::new();
    let answer = place.serve(&[]).get("/healthz", &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })
    );
}

#[test]
fn what_a_command_makes_is_usable_when_it_returns() {
    let place = Place::new();
    let server = place.serve(&[]);
    // The server has looked for all of it before, and remembers no refusal.
    assert_eq!(server.scim("acme", "x").status, 401);
    let first = place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(server.scim("acme", &first).status, ADMITTED);
    let second = place.json(&["token", "rotate", "acme", "--overlap"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(server.scim("acme", &second).status, ADMITTED);
    assert_eq!(server.scim("acme", &first).status, ADMITTED);
    place.json(&["org", "disable", "acme"]);
    until(&server, &first, 403);
    place.json(&["org", "enable", "acme"]);
    assert_eq!(server.scim("acme", &first).status, ADMITTED);
}

#[test]
fn a_revocation_reaches_a_running_server() {
    // Feature rows 7 and 8.
    let place = Place::new();
    let server = place.serve(&[]);
    let old = place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(server.scim("acme", &old).status, ADMITTED);
    let new = place.json(&["token", "rotate", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(server.scim("acme", &new).status, ADMITTED);
    let refused = until(&server, &old, 401);
    assert!(
        refused
            .detail()
            .contains(&format!("ending in {} was revoked", &old[52..])),
        "{refused:?}"
    );
    place.json(&["org", "delete", "acme"]);
    let refused = until(&server, &new, 401);
    assert!(refused.detail().contains("not valid for this URL"), "{refused:?}");
}

#[test]
fn a_disabled_integration_answers_403_and_a_bad_token_stays_401() {
    // Feature row 10.
    let place = Place::new();
    let token = place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    place.json(&["org", "disable", "acme"]);
    let server = place.serve(&[]);
    for path in [
        "",
        "/",
        "/ServiceProviderConfig",
        "/Schemas",
        "/ResourceTypes",
        "/Users",
        "/Groups/1",
    ] {
        let path = format!("/scim/acme/v2{path}");
        let answer = server.get(&path, &[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.body["status"], "403");
        assert!(answer.detail().contains("integration disabled"));
        assert_eq!(
            server.get(&path, &[("authorization", "Bearer wrong")]).status,
            401
        );
    }
}

#[test]
fn refusals_are_scim_errors() {
    let place = Place::new();
    let token = place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = place.json(&["org", "create", "other"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = place.serve(&[]);
    let bearer = |token: &str| format!("Bearer {token}");
    let invalid = r#", error="invalid_token""#;
    // B-2-01, B-3-02 and B-3.1-01 (RFC 6750 sections 2, 3 and 3.1).
    let cases: [(&[&str], u16, &str); 8] = [
        (&[], 401, ""),
        (&["Basic eDp5"], 401, ""),
        (&["Bearer nonsense"], 401, invalid),
        (&["nonsense"], 401, invalid),
        // Feature row 15: another organization's token.
        (&[&bearer(&other)], 401, invalid),
        (&[&bearer(&bearer(&token))], 401, invalid),
        (
            &[&bearer(&token), &bearer(&token)],
            400,
            r#", error="invalid_request""#,
        ),
        (
            &["Bearer nonsense", &bearer(&token)],
            400,
            r#", error="invalid_request""#,
        ),
    ];
    for (values, status, code) in cases {
        let headers: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
        let answer = server.get("/scim/acme/v2/Users", &headers);
        assert_eq!(answer.status, status, "{values:?}");
        let challenge = format!("www-authenticate: bearer realm=\"scim\"{code}\r\n");
        assert!(answer.head.contains(&challenge), "{}", answer.head);
        assert!(
            answer.head.contains("content-type: application/scim+json"),
            "{}",
            answer.head
        );
        assert_eq!(
            answer.body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
        assert_eq!(answer.body["status"], status.to_string());
    }
    let doubled = bearer(&bearer(&token));
    let answer = server.get("/scim/acme/v2/Users", &[("authorization", &doubled)]);
    assert!(answer.detail().contains("Bearer Bearer"), "{}", answer.detail());
    assert_eq!(server.scim("nobody", &token).status, 401);
    assert_eq!(server.scim("No%20Body", &token).status, 401);
    assert_eq!(server.get("/nowhere", &[]).status, 404);
}

/// P-3.13-03 (RFC 7644 section 3.13): without a version the latest is meant, and nothing is redirected.
#[test]
fn a_url_without_a_version_is_answered_as_the_latest() {
    let place = Place::new();
    let token = place.json(&["org", "create", "acme", "--username", "any"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = place.serve(&[]);
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer)];
    let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann" });
    let created = server.send("POST", "/scim/acme/Users", &headers, &user.to_string());
    assert_eq!(created.status, 201, "{}", created.text);
    let canonical = created.body["meta"]["location"].as_str().unwrap();
    assert!(canonical.contains("/scim/acme/v2/Users/"), "{canonical}");
    let id = created.body["id"].as_str().unwrap();
    for path in ["/scim/acme/Users", "/scim/acme/v2/Users", "/scim/acme/V2/Users"] {
        let found = server.get(&format!("{path}/{id}"), &headers);
        assert_eq!(found.status, 200, "{path}");
        assert_eq!(found.body["meta"]["location"], canonical, "{path}");
    }
    for (path, status) in [
        ("/scim/acme", 200),
        ("/scim/acme/", 200),
        ("/scim/acme/ServiceProviderConfig", 200),
        ("/scim/acme/v3/Users", 400),
        ("/scim/acme/v2/v2/Users", 404),
        ("/scim/nobody/Users", 401),
    ] {
        assert_eq!(server.get(path, &headers).status, status, "{path}");
    }
    assert_eq!(server.get("/scim/acme/Users", &[]).status, 401);
    let bulk = server.send("POST", "/scim/acme/.search", &headers, "{}");
    assert_eq!(bulk.body["totalResults"], 1, "{}", bulk.text);
    server.terminate();
    let kept = rows(
        &place,
        "SELECT path FROM history WHERE meaning LIKE 'created user%'",
    );
    assert_eq!(kept, [[Value::Text("/scim/acme/Users".to_owned())]]);
}

#[test]
fn a_token_is_taken_with_and_without_its_scheme() {
    // Feature row 27.
    let place = Place::new();
    let token = place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = place.serve(&[]);
    for value in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        token.clone(),
    ] {
        let answer = server.get("/scim/acme/v2/Users", &[("authorization", &value)]);
        assert_eq!(answer.status, ADMITTED);
    }
    place.json(&["org", "set", "acme", "--policy", "strict"]);
    drop(server);
    let server = place.serve(&[]);
    assert_eq!(
        server
            .get("/scim/acme/v2/Users", &[("authorization", &token)])
            .status,
        401
    );
    assert_eq!(server.scim("acme", &token).status, ADMITTED);
}

#[test]
fn the_request_id_is_the_clients_or_a_new_one() {
    // Feature row 66.
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let server = place.serve(&[]);
    let answer = server.get("/scim/acme/v2/Users", &[("x-request-id", "Okta-7")]);
    assert!(answer.head.contains("x-request-id: okta-7"), "{}", answer.head);
    let answer = server.get("/scim/acme/v2/Users", &[("x-request-id", "<b>")]);
    assert!(
        answer.head.contains("x-request-id: ") && !answer.head.contains("<b>"),
        "{}",
        answer.head
    );
}

#[test]
fn commands_beside_a_server_know_where_it_listens() {
    let place = Place::new();
    let server = place.serve(&[]);
    let listening = server.started["listening"].as_str().unwrap();
    let created = place.json(&["org", "create", "acme"]);
    assert_eq!(created["scim_url"], format!("{listening}/scim/acme/v2"));
    drop(server);
    drop(place.serve(&["--public-url", "https://scim.example.com"]));
    let shown = place.json(&["org", "show", "acme"]);
    assert_eq!(shown["scim_url"], "https://scim.example.com/scim/acme/v2");
}

#[test]
fn a_flag_comes_before_the_environment_and_that_before_the_file() {
    let place = Place::new();
    let file = place.file(
        "server.toml",
        "listen = \"127.0.0.1:0\"\npublic-url = \"https://file.example\"\n",
    );
    let scim_url = |arguments: &[&str], environment: &[(&str, &str)]| {
        let server = place.serve_with(&[&["--config", &file], arguments].concat(), environment);
        server.started["organizations"][0]["scim_url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let environment = [("PUBLIC_URL", "https://environment.example")];
    let flag = ["--public-url", "https://flag.example"];
    assert_eq!(scim_url(&[], &[]), "https://file.example/scim/default/v2");
    assert_eq!(
        scim_url(&[], &environment),
        "https://environment.example/scim/default/v2"
    );
    assert_eq!(
        scim_url(&flag, &environment),
        "https://flag.example/scim/default/v2"
    );
    let wrong = place.file("wrong.toml", "lisen = \"127.0.0.1:0\"\n");
    let (code, refusal) = place.refusal(&["serve", "--config", &wrong]);
    assert_eq!(code, 1);
    assert!(refusal["detail"].as_str().unwrap().contains("lisen"), "{refusal}");
}

#[cfg(unix)]
#[test]
fn a_server_that_ends_has_written_its_history() {
    // Feature rows 64 and 75.
    let place = Place::new();
    let old = place.json(&["org", "create", "acme", "--idp", "okta"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = place.json(&["token", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = place.serve(&[]);
    let bearer = format!("Bearer {token}");
    let path = "/scim/acme/v2/Users?filter=userName+eq+%22secret%22&count=1";
    server.get(path, &[("authorization", &bearer), ("x-request-id", "first")]);
    server.get(
        "/scim/acme/v2/Users",
        &[("authorization", &old), ("x-request-id", "second")],
    );
    for _ in 0..3 {
        server.get("/scim/acme/v2/Users", &[("authorization", "Bearer unknown")]);
    }
    server.terminate();

    let text = |text: &str| Value::Text(text.to_owned());
    let kept = rows(
        &place,
        "SELECT h.request_id, method, path, status, h.idp, t.last_four, error FROM history h
         JOIN token t ON t.org = h.org AND t.id = h.token ORDER BY sequence",
    );
    let refused = format!("The API token ending in {} was revoked", &old[52..]);
    assert_eq!(
        kept.len(),
        2,
        "requests with an unknown token are counted, not kept"
    );
    assert_eq!(
        kept[0],
        [
            text("first"),
            text("GET"),
            text("/scim/acme/v2/Users?filter&count"),
            Value::Integer(200),
            text("okta"),
            text(&token[52..]),
            Value::Null,
        ]
    );
    assert_eq!(kept[1][3], Value::Integer(401));
    assert!(
        matches!(&kept[1][6], Value::Text(error) if error.starts_with(&refused)),
        "{kept:?}"
    );
    assert_eq!(
        rows(&place, "SELECT unattributed, overflow FROM history_count"),
        [[Value::Integer(3), Value::Integer(0)]]
    );
    let listed = place.json(&["token", "list", "acme"]);
    assert_eq!(
        listed["tokens"][0]["last_used"],
        json!(null),
        "a refused token was not used"
    );
    assert!(listed["tokens"][1]["last_used"].is_string());
}

/// Whoever asks finds the request again, however it ends: admitted, refused, or at no organization at all.
#[test]
fn every_answer_names_its_request() {
    let place = Place::new();
    let token = place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = place.serve(&[]);
    let bearer = format!("Bearer {token}");
    for (path, authorization, status) in [
        ("/scim/acme/v2/Users", &*bearer, 200),
        ("/scim/acme/v2/Users/nobody", &bearer, 404),
        ("/scim/acme/v2/Users", "Bearer unknown", 401),
        ("/scim/nobody/v2/Users", &bearer, 401),
        ("/elsewhere", &bearer, 404),
    ] {
        let answer = server.get(
            path,
            &[("authorization", authorization), ("x-request-id", "req-9")],
        );
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(
            answer.head.contains("x-request-id: req-9\r\n"),
            "{path}: {}",
            answer.head
        );
    }
}

/// Providers keep errors in their logs: a token that somebody has put into the wrong place is not repeated, wherever the
/// error comes from, and the rest of the sentence is as it was.
#[test]
fn no_error_repeats_a_token() {
    let place = Place::new();
    let token = place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = place.serve(&[]);
    let bearer = format!("Bearer {token}");
    let body = |attribute: &str, value: &str| {
        format!(r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"{attribute}":"{value}"}}"#)
    };
    for (method, path, body, status) in [
        ("GET", format!("/Users/{token}"), String::new(), 404),
        ("GET", format!("/{token}"), String::new(), 404),
        (token.as_str(), "/Users".to_owned(), String::new(), 405),
        (
            "GET",
            format!("/Users?filter={token}%20eq%201"),
            String::new(),
            400,
        ),
        ("GET", format!("/Users?count={token}"), String::new(), 400),
        ("POST", "/Users".to_owned(), body("userName", &token), 400),
        ("PATCH", format!("/Users/{token}"), body("userName", "x"), 400),
    ] {
        let path = format!("/scim/acme/v2{path}");
        let answer = server.send(method, &path, &[("authorization", &bearer)], &body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert!(
            !answer.text.contains(&token[10..]),
            "{method} {path}: {}",
            answer.text
        );
        assert_eq!(answer.body["status"], status.to_string(), "{}", answer.text);
    }
    let answer = server.get(
        &format!("/scim/acme/v2/Users/{token}"),
        &[("authorization", &bearer)],
    );
    assert_eq!(answer.body["detail"], "User \"scimp_…\" does not exist.");
    server.terminate();
    let kept = rows(
        &place,
        "SELECT path || coalesce(error, '') || coalesce(resource_id, '') || method FROM history",
    );
    assert!(!format!("{kept:?}").contains(&token[10..]), "{kept:?}");
}

/// Feature row 107: beyond its rate an organization is answered 429 with Retry-After, at least 25 requests a second are granted,
/// the history tells of it once a second, and another organization goes on.
#[test]
fn an_organization_that_asks_too_often_is_told_when_to_come_again() {
    let place = Place::new();
    let token = |name: &str| {
        place.json(&["org", "create", name])["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (acme, other) = (token("acme"), token("other"));
    let server = place.serve(&["--limit-rate", "1"]);
    let answers: Vec<_> = (0..200)
        .map(|_| server.acme(&acme, "GET", "/Users?count=0", &json!(null)))
        .collect();
    let granted = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(granted >= 25, "{granted}");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    for answer in &refused {
        assert!(
            answer.detail().contains("the limit is 25 a second"),
            "{}",
            answer.text
        );
        assert!(answer.head.contains("retry-after: 1\r\n"), "{}", answer.head);
    }
    assert_eq!(server.scim("other", &other).status, 200);
    server.terminate();
    let told = rows(&place, "SELECT count(*) FROM request WHERE status = 429");
    let Value::Integer(told) = told[0][0] else {
        panic!()
    };
    let told = usize::try_from(told).unwrap();
    // A machine that takes seconds for so many requests refuses none.
    assert!(
        told <= refused.len() && (refused.is_empty() || told >= 1),
        "{told} of {}",
        refused.len()
    );
}
