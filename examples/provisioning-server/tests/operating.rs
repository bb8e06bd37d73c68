//! The operator's view of a running server: readiness, metrics, the log (feature row 83).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::time::{Duration, Instant};

use program::{Answer, Place, Server};
use serde_json::{Value, json};

/// Asks until the answer has a status. The patience is far beyond what is promised, so that a slow machine is no
/// failure.
fn until(server: &Server, path: &str, status: u16) -> Answer {
    let began = Instant::now();
    loop {
        let answer = server.get(path, &[]);
        if answer.status == status {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn acme(place: &Place) -> String {
    place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn person(name: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name })
}

#[test]
#[cfg(unix)]
fn a_draining_server_still_serves_but_is_not_ready() {
    let place = Place::new();
    let token = acme(&place);
    let server = place.serve(&["--drain-delay", "3600"]);
    assert_eq!(server.get("/readyz", &[]).body, json!({ "status": "ready" }));
    server.ask_to_end();
    let answer = until(&server, "/readyz", 503);
    assert_eq!(answer.body["reason"], "draining");
    assert_eq!(server.get("/healthz", &[]).status, 200);
    let created = server.acme(&token, "POST", "/Users", &person("late@example.com"));
    assert_eq!(created.status, 201, "who was sent here before is answered");
}

#[test]
#[cfg(unix)]
fn without_a_delay_a_server_ends_at_once() {
    let place = Place::new();
    let file = place.file("server.toml", "drain-delay = 3600\nlog-format = \"json\"");
    let server = place.serve_with(
        &["--listen", "127.0.0.1:0", "--config", &file, "--drain-delay", "0"],
        &[],
    );
    server.terminate();
}

#[test]
fn a_server_whose_database_fails_is_alive_and_not_ready() {
    let place = Place::new();
    let (server, log) = place.serve_logged(&[], &[]);
    assert_eq!(server.get("/readyz", &[]).status, 200);
    place.execute("ALTER TABLE instance RENAME TO elsewhere");
    let answer = until(&server, "/readyz", 503);
    assert_eq!(
        answer.body,
        json!({ "status": "not ready", "reason": "database" })
    );
    assert_eq!(server.get("/healthz", &[]).status, 200);
    assert!(
        std::fs::read_to_string(log).unwrap().contains("no such table"),
        "the operator gets the cause"
    );
    place.execute("ALTER TABLE elsewhere RENAME TO instance");
    assert_eq!(until(&server, "/readyz", 200).body["status"], "ready");
}

/// F7: a server whose file is gone says so, and takes up its work when the file is back.
#[test]
#[cfg(unix)]
fn a_server_whose_file_is_gone_says_so() {
    let place = Place::new();
    let token = acme(&place);
    let server = place.serve(&[]);
    until(&server, "/readyz", 200);
    let elsewhere = place.path("elsewhere.db");
    std::fs::rename(place.database(), &elsewhere).unwrap();
    let refused = server.acme(&token, "POST", "/Users", &person("ann@example.com"));
    assert_eq!(refused.status, 503, "{}", refused.text);
    let answer = server.get("/readyz", &[]);
    assert_eq!(
        (answer.status, answer.body["reason"].as_str()),
        (503, Some("file-gone"))
    );
    assert_eq!(server.get("/healthz", &[]).status, 200);
    std::fs::rename(&elsewhere, place.database()).unwrap();
    assert_eq!(until(&server, "/readyz", 200).body["status"], "ready");
    let created = server.acme(&token, "POST", "/Users", &person("bob@example.com"));
    assert_eq!(created.status, 201, "{}", created.text);
}

#[test]
fn metrics_count_requests_and_name_nobody() {
    let place = Place::new();
    let token = acme(&place);
    let server = place.serve(&[]);
    for (name, status) in [
        ("ursula@example.com", 201),
        ("bob@example.com", 201),
        ("URSULA@example.com", 409),
    ] {
        let answer = server.acme(&token, "POST", "/Users", &person(name));
        assert_eq!(answer.status, status);
    }
    let filter = "/Users?filter=userName%20eq%20%22ursula@example.com%22";
    assert_eq!(server.acme(&token, "GET", filter, &Value::Null).status, 200);
    assert_eq!(
        server
            .acme("scimp_intruder", "GET", "/Users", &Value::Null)
            .status,
        401
    );
    server.send("SPY-Ursula", "/scim/acme/v2/Users", &[], "");
    server.get("/elsewhere/ursula@example.com", &[]);

    let answer = server.get("/metrics", &[]);
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"));
    let text = answer.text;
    for line in [
        "scim_requests_total{method=\"POST\",status=\"201\",operation=\"create\"} 2",
        "scim_requests_total{method=\"POST\",status=\"409\",operation=\"create\"} 1",
        "scim_requests_total{method=\"GET\",status=\"200\",operation=\"query\"} 1",
        "scim_requests_total{method=\"GET\",status=\"401\",operation=\"none\"} 1",
        "scim_requests_total{method=\"GET\",status=\"404\",operation=\"none\"} 1",
        "scim_requests_total{method=\"other\",status=\"401\",operation=\"none\"} 1",
        "scim_request_duration_seconds_count{operation=\"create\"} 3",
        "scim_request_duration_seconds_bucket{operation=\"create\",le=\"+Inf\"} 3",
        "scim_history_overflow_total 0",
        "provisioning_password_comparisons_total 0",
        "# TYPE scim_request_duration_seconds histogram",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let commits = text
        .lines()
        .find_map(|line| line.strip_prefix("scim_database_commits_total "));
    assert!(commits.unwrap().parse::<u64>().unwrap() >= 2, "{text}");
    let lower = text.to_lowercase();
    for secret in ["acme", "ursula", "example.com", "scimp_", &token.to_lowercase()] {
        assert!(!lower.contains(secret), "{secret}\n{text}");
    }
}

/// Returns the value of a sample.
fn sample(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")))?;
    line.rsplit_once(' ').unwrap().1.parse().ok()
}

#[test]
#[cfg(target_os = "linux")]
fn metrics_tell_of_the_process_and_of_the_files() {
    let place = Place::new();
    let server = place.serve(&[]);
    let text = server.get("/metrics", &[]).text;
    let value = |name| sample(&text, name).unwrap_or_else(|| panic!("{name}\n{text}"));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((now - 60.0..=now).contains(&value("process_start_time_seconds")));
    assert!((1e6..1e9).contains(&value("process_resident_memory_bytes")));
    assert!(value("process_cpu_seconds_total") < 60.0);
    assert!((3.0..value("process_max_fds")).contains(&value("process_open_fds")));
    assert_eq!(value("scim_requests_in_flight"), 0.0);
    let pages = value("scim_database_file_bytes{file=\"database\"}") / 4096.0;
    assert!(pages >= 1.0 && pages.fract() == 0.0, "{pages}");
    assert!(value("scim_database_file_bytes{file=\"wal\"}") > 0.0);
}

/// A client that begins a request and does not end it is counted until it goes.
#[test]
fn metrics_count_requests_under_way() {
    let place = Place::new();
    let token = acme(&place);
    let server = place.serve(&[]);
    let address = server.started["listening"].as_str().unwrap();
    let mut stream = std::net::TcpStream::connect(&address["http://".len()..]).unwrap();
    let head = format!(
        "POST /scim/acme/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: \
         application/scim+json\r\ncontent-length: 9\r\n\r\n{{"
    );
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    let in_flight = || sample(&server.get("/metrics", &[]).text, "scim_requests_in_flight");
    let until = |wanted| {
        let began = Instant::now();
        while in_flight() != Some(wanted) {
            assert!(began.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until(1.0);
    drop(stream);
    until(0.0);
}

/// Feature row 73.
#[test]
fn metrics_tell_when_the_next_token_expires_and_not_whose() {
    let place = Place::new();
    let server = place.serve(&[]);
    let next = || {
        sample(
            &server.get("/metrics", &[]).text,
            "scim_token_next_expiry_seconds",
        )
    };
    assert_eq!(next(), None, "no token, or none that expires");
    const DAY: f64 = 86_400.0;
    let near = |days: f64| {
        let began = Instant::now();
        // A reader's snapshot may be a moment old.
        while !next().is_some_and(|next| (days * DAY - 120.0..=days * DAY).contains(&next)) {
            assert!(began.elapsed() < Duration::from_secs(60), "{:?}", next());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    for (name, days) in [("acme", "30"), ("hooli", "7"), ("initech", "90")] {
        place.json(&["org", "create", name]);
        place.json(&["token", "create", name, "--expires", days]);
    }
    near(7.0);
    place.json(&["org", "disable", "hooli"]);
    near(30.0);
    place.json(&["token", "revoke", "acme"]);
    near(90.0);
}

/// The exposition format: every sample belongs to a family that was described before it, once.
#[test]
fn metrics_are_well_formed() {
    let place = Place::new();
    let server = place.serve(&[]);
    server.get("/nowhere", &[]);
    let text = server.get("/metrics", &[]).text;
    let mut families: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let family = rest.split(' ').next().unwrap();
            assert!(!families.contains(&family), "{family} twice");
            families.push(family);
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let name = name.split('{').next().unwrap();
            let family = *families.last().unwrap();
            let suffix = name.strip_prefix(family).unwrap();
            assert!(["", "_bucket", "_sum", "_count"].contains(&suffix), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(families.len() > 10, "{text}");
}

#[test]
#[cfg(unix)]
fn the_log_is_json_with_request_ids_and_without_secrets_or_people() {
    let place = Place::new();
    let token = acme(&place);
    let environment = [("RUST_LOG", "trace"), ("LOG_FORMAT", "json")];
    let (server, log) = place.serve_logged(&[], &environment);
    let authorization = format!("Bearer {token}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-request-id", "req-1"),
    ];
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ursula@example.com",
        "password": "correct horse",
    });
    let created = server.send("POST", "/scim/acme/v2/Users", &headers, &body.to_string());
    assert_eq!(created.status, 201);
    let filter = "/scim/acme/v2/Users?filter=userName%20eq%20%22ursula@example.com%22";
    server.get(filter, &[("authorization", "Bearer scimp_intruder")]);
    server.terminate();

    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = lines.iter().find(|line| line["request"] == "req-1").unwrap();
    assert_eq!(line["message"], "answered");
    assert_eq!(
        (&line["method"], &line["operation"], &line["status"]),
        (&json!("POST"), &json!("create"), &json!(201))
    );
    let refused = lines.iter().find(|line| line["status"] == 401).unwrap();
    assert_eq!(
        refused["request"].as_str().unwrap().len(),
        36,
        "every request has an id"
    );
    for secret in [token.as_str(), "scimp_", "ursula", "correct horse"] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
}

/// A program without traces says so rather than sending none.
#[test]
#[cfg(not(feature = "otel"))]
fn a_program_that_was_built_without_traces_says_how_to_build_it() {
    let place = Place::new();
    let url = "http://127.0.0.1:4318";
    let (code, refusal) = place.refusal(&["serve", "--listen", "127.0.0.1:0", "--otlp-endpoint", url]);
    assert_eq!(code, 1);
    assert!(
        refusal["detail"].as_str().unwrap().contains("--features otel"),
        "{refusal}"
    );
    let (server, log) = place.serve_logged(&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", url)]);
    assert_eq!(server.get("/healthz", &[]).status, 200);
    let text = std::fs::read_to_string(log).unwrap();
    assert!(text.contains("OTEL_EXPORTER_OTLP_ENDPOINT is set"), "{text}");
}

#[test]
fn a_mistake_in_the_settings_of_operation_is_named() {
    let place = Place::new();
    for (flag, value) in [("--log-format", "xml"), ("--drain-delay", "soon")] {
        let (code, refusal) = place.refusal(&["serve", "--listen", "127.0.0.1:0", flag, value]);
        assert_eq!(code, 1);
        assert!(refusal["detail"].as_str().unwrap().contains(value), "{refusal}");
    }
}
