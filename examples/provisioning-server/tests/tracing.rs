//! OpenTelemetry (feature row 83): what a collector is sent, and that a server does not need one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use program::collector::{Collector, Span};
use program::{Place, Server};
use serde_json::{Value, json};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn acme(place: &Place) -> (String, String) {
    let created = place.json(&["org", "create", "acme"]);
    let shown = place.json(&["org", "show", "acme"]);
    let id = shown["id"]
        .as_str()
        .or(created["id"].as_str())
        .unwrap_or_default();
    (created["token"].as_str().unwrap().to_owned(), id.to_owned())
}

fn person(name: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name })
}

/// Returns the one span of a name.
fn span<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

#[test]
#[cfg(unix)]
fn a_request_is_a_span_of_the_callers_trace_and_names_nobody() {
    let place = Place::new();
    let (token, organization) = acme(&place);
    let collector = Collector::new();
    let (server, log) = place.serve_logged(
        &["--otlp-endpoint", &collector.url, "--log-format", "json"],
        &[("RUST_LOG", "debug")],
    );
    let headers = [
        ("authorization", &*format!("Bearer {token}")),
        ("traceparent", &format!("00-{TRACE}-{PARENT}-01")),
        ("tracestate", "vendor=ursula@example.com"),
        ("x-request-id", "req-1"),
    ];
    let body = person("ursula@example.com").to_string();
    let created = server.send("POST", "/scim/acme/v2/Users?attributes=userName", &headers, &body);
    assert_eq!(created.status, 201);
    server.terminate();

    let spans = collector.spans();
    let request = span(&spans, "POST /scim/{organization}/v2/Users");
    assert_eq!((request.trace.as_str(), request.parent.as_str()), (TRACE, PARENT));
    assert_eq!(
        (request.kind, request.status, request.events),
        (2, 0, 0),
        "a server's span"
    );
    assert_eq!(request.state, "", "a caller's tracestate may hold anything");
    let said = json!(request.attributes);
    assert_eq!(
        said,
        json!({
            "http.request.method": "POST",
            "http.route": "/scim/{organization}/v2/Users",
            "http.response.status_code": "201",
            "request.id": "req-1",
            "scim.organization.id": organization,
            "scim.operation": "create",
            "scim.resource_type": "User",
        })
    );
    assert_eq!(request.resource["service.name"], "provisioning-server");
    assert_eq!(request.resource["service.version"], env!("CARGO_PKG_VERSION"));

    let (authenticate, scim, commit) = (
        span(&spans, "authenticate"),
        span(&spans, "scim"),
        span(&spans, "commit"),
    );
    assert_eq!((&authenticate.parent, &scim.parent), (&request.id, &request.id));
    assert_eq!(commit.parent, scim.id);
    for child in [authenticate, scim, commit] {
        assert_eq!((child.trace.as_str(), child.kind), (TRACE, 1), "{child:?}");
        assert!(child.attributes.is_empty(), "{child:?}");
        assert!(
            request.begin <= child.begin && child.begin <= child.end,
            "{child:?}"
        );
    }
    assert!(authenticate.end <= scim.begin && scim.begin <= commit.begin);

    let text = std::fs::read_to_string(log).unwrap();
    let line = text.lines().find(|line| line.contains("req-1")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["trace_id"], &line["span_id"]),
        (&json!(TRACE), &json!(request.id))
    );
}

#[test]
#[cfg(unix)]
fn what_a_caller_says_of_its_trace_is_only_taken_if_it_is_valid() {
    let place = Place::new();
    acme(&place);
    let collector = Collector::new();
    let server = place.serve(&["--otlp-endpoint", &collector.url]);
    let good = format!("00-{TRACE}-{PARENT}-01");
    for (path, headers) in [
        ("/scim/acme/v2/Users", &[("traceparent", "00-x-y-01")][..]),
        (
            "/scim/acme/v2/Groups",
            &[(
                "traceparent",
                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            )],
        ),
        (
            "/scim/acme/v2/Schemas",
            &[("traceparent", &good), ("traceparent", &good)],
        ),
        ("/scim/nobody/v2/Users/bob@example.com", &[]),
        ("/elsewhere", &[("traceparent", &good)]),
        // The caller does not record this one.
        (
            "/scim/acme/v2/Bulk",
            &[("traceparent", &format!("00-{TRACE}-{PARENT}-00"))],
        ),
    ] {
        server.get(path, headers);
    }
    server.send("SPY-Ursula", "/scim/acme/v2/Me", &[], "");
    server.terminate();

    let spans = collector.spans();
    for name in ["Users", "Groups", "Schemas"] {
        let span = span(&spans, &format!("GET /scim/{{organization}}/v2/{name}"));
        assert_ne!(span.trace, TRACE, "{span:?}");
        assert_eq!(span.parent, "", "{span:?}");
        assert_eq!(span.attributes["http.response.status_code"], "401");
        assert!(span.attributes.contains_key("scim.organization.id"));
    }
    let unknown = span(&spans, "GET /scim/{organization}/v2/Users/{id}");
    assert_eq!(unknown.attributes["http.response.status_code"], "401");
    assert!(!unknown.attributes.contains_key("scim.organization.id"));
    let elsewhere = span(&spans, "GET");
    assert_eq!(
        (elsewhere.trace.as_str(), elsewhere.parent.as_str()),
        (TRACE, PARENT)
    );
    assert!(!elsewhere.attributes.contains_key("http.route"));
    let invented = span(&spans, "HTTP /scim/{organization}/v2/Me");
    assert_eq!(invented.attributes["http.request.method"], "_OTHER");
    assert!(spans.iter().all(|span| !span.name.contains("Bulk")), "{spans:#?}");
}

#[test]
#[cfg(unix)]
fn a_failure_is_an_error_in_its_span_and_its_cause_is_in_the_log_alone() {
    let place = Place::new();
    let (token, _) = acme(&place);
    let collector = Collector::new();
    let (server, log) = place.serve_logged(&["--otlp-endpoint", &collector.url, "--log-format", "json"], &[]);
    place.execute("ALTER TABLE organization RENAME TO elsewhere");
    // Whatever a server has read lives for a moment.
    let authorization = format!("Bearer {token}");
    while server
        .get("/scim/acme/v2/Schemas", &[("authorization", &authorization)])
        .status
        == 200
    {}
    // Another of its readers may have read a moment later.
    std::thread::sleep(Duration::from_secs(1));
    let answer = server.scim("acme", &token);
    assert_eq!(answer.status, 503, "{answer:?}");
    server.terminate();

    let spans = collector.spans();
    let request = span(&spans, "GET /scim/{organization}/v2/ServiceProviderConfig");
    assert_eq!(request.status, 2, "an error");
    assert_eq!(request.attributes["error.type"], "503");
    let sent = collector
        .posts()
        .into_iter()
        .flat_map(|post| post.body)
        .collect::<Vec<_>>();
    assert!(!String::from_utf8_lossy(&sent).contains("no such table"));
    let text = std::fs::read_to_string(log).unwrap();
    // Other work of the server may fail as well, and later.
    let lines = text.lines().filter(|line| line.contains("no such table"));
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let id = request.attributes["request.id"].as_str();
    let line = lines.find(|line| line["request"] == id).unwrap();
    assert_eq!(line["trace_id"], request.trace.as_str());
}

#[test]
#[cfg(unix)]
fn the_environment_says_where_and_as_whom() {
    let place = Place::new();
    acme(&place);
    let collector = Collector::new();
    let base = format!("{}/base/", collector.url);
    let exact = format!("{}/exact", collector.url);
    let listen = ["--listen", "127.0.0.1:0"];
    let ask = |environment: &[(&str, &str)]| {
        let server = place.serve_with(&listen, environment);
        server.get("/scim/acme/v2/Users", &[]);
        server.terminate();
    };
    ask(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &base),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=collectors-own%20key"),
        ("OTEL_SERVICE_NAME", "scim-eu"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=trial"),
    ]);
    let posts = collector.posts();
    assert!(
        posts[0].head.starts_with("POST /base/v1/traces HTTP/1.1\r\n"),
        "{posts:?}"
    );
    assert!(
        posts[0].head.contains("x-api-key: collectors-own key\r\n"),
        "{posts:?}"
    );
    assert!(
        posts[0].head.contains("content-type: application/x-protobuf\r\n"),
        "{posts:?}"
    );
    let resource = &collector.spans()[0].resource;
    assert_eq!(resource["service.name"], "scim-eu");
    assert_eq!(resource["deployment.environment.name"], "trial");

    ask(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &base),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &exact),
    ]);
    let posts = collector.posts();
    assert!(
        posts.last().unwrap().head.starts_with("POST /exact HTTP/1.1\r\n"),
        "{posts:?}"
    );

    let file = place.file("server.toml", "otlp-endpoint = \"http://127.0.0.1:9\"");
    let server = place.serve_with(
        &["--listen", "127.0.0.1:0", "--config", &file],
        &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &exact)],
    );
    server.get("/scim/acme/v2/Users", &[]);
    server.terminate();
    assert!(
        collector.posts().len() > posts.len(),
        "a variable comes before the file"
    );
    let posts = collector.posts();

    for silent in [
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SDK_DISABLED", "true"),
    ] {
        ask(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &base), silent]);
        assert_eq!(collector.posts().len(), posts.len(), "{silent:?}");
    }
}

/// Returns how many spans ended so, by the metrics.
fn spans_that_were(server: &Server, result: &str) -> u64 {
    let text = server.get("/metrics", &[]).text;
    let name = format!("scim_trace_spans_total{{result=\"{result}\"}} ");
    let sample = text.lines().find_map(|line| line.strip_prefix(&name));
    sample.unwrap().parse().unwrap()
}

fn until(mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[cfg(unix)]
fn a_collector_that_is_away_fails_no_request_and_is_named_once() {
    let place = Place::new();
    let (token, _) = acme(&place);
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (server, log) = place.serve_logged(
        &["--otlp-endpoint", &format!("http://{address}")],
        &[
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "100"),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ],
    );
    until(|| {
        assert_eq!(server.scim("acme", &token).status, 200);
        spans_that_were(&server, "undelivered") > 8
    });
    assert_eq!(spans_that_were(&server, "delivered"), 0);
    server.terminate();
    let text = std::fs::read_to_string(log).unwrap();
    let complaints = text
        .lines()
        .filter(|line| line.contains("does not take traces"))
        .count();
    assert_eq!(complaints, 1, "{text}");
    assert!(text.contains("refused"), "the operator gets the cause: {text}");
}

#[test]
#[cfg(unix)]
fn a_collector_that_hangs_delays_no_request_and_no_end_for_long() {
    let place = Place::new();
    let (token, _) = acme(&place);
    // It takes connections and never reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = place.serve_with(
        &["--listen", "127.0.0.1:0", "--otlp-endpoint", &url],
        &[
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ],
    );
    for number in 0..20 {
        let created = server.acme(
            &token,
            "POST",
            "/Users",
            &person(&format!("p{number}@example.com")),
        );
        assert_eq!(created.status, 201);
    }
    // Four spans for a request, of which eight find room.
    until(|| spans_that_were(&server, "overflow") == 20 * 4 - 8);
    assert_eq!(spans_that_were(&server, "delivered"), 0);
    // The answer would take an hour.
    server.terminate();
}

#[test]
fn a_mistake_in_the_endpoint_is_named_without_repeating_it() {
    let place = Place::new();
    let listen = ["serve", "--listen", "127.0.0.1:0", "--otlp-endpoint"];
    for bad in [
        "collector:4318",
        "grpc://collector",
        "http://u:secret-key@collector",
        "/secret-key",
    ] {
        let output = place.run(&[&listen[..], &[bad, "--json"]].concat());
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains("--otlp-endpoint") && text.contains("4318"),
            "{text}"
        );
        assert!(!text.contains("secret-key"), "{text}");
    }
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    let output = place.run_with(&environment, &["serve", "--listen", "127.0.0.1:0", "--json"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("http/protobuf"), "{text}");
}
