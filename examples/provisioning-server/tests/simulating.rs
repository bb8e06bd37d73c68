//! `simulate`: the identity providers against the running server, over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use program::{Place, Server};
use serde_json::Value;

const SIZE: [&str; 6] = ["--users", "30", "--groups", "5", "--changes", "60"];

/// A server with the organization "acme", and what leads to it.
struct Bench {
    place: Place,
    server: Server,
    token: String,
}

impl Bench {
    fn new(flags: &[&str]) -> Self {
        let place = Place::new();
        let created = place.json(&[&["org", "create", "acme"], flags].concat());
        let server = place.serve(&[]);
        Self {
            token: created["token"].as_str().unwrap().to_owned(),
            server,
            place,
        }
    }

    fn url(&self) -> String {
        format!(
            "{}/scim/acme/v2",
            self.server.started["listening"].as_str().unwrap()
        )
    }

    fn simulate(&self, arguments: &[&str]) -> Output {
        let url = self.url();
        let fixed = ["--url", &url, "--token", &self.token];
        self.place
            .run(&[&["simulate"], arguments, &SIZE, &fixed].concat())
    }

    /// Returns how many people there are on the server.
    fn people(&self) -> Value {
        let answer = self
            .server
            .acme(&self.token, "GET", "/Users?count=0", &Value::Null);
        answer.body["totalResults"].clone()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_server_in_step_with_okta_is_reported_so_to_people() {
    let bench = Bench::new(&["--idp", "okta"]);
    let output = bench.simulate(&["okta"]);
    let report = text(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("the server is in step"), "{report}");
    assert!(report.contains("connection: healthy"), "{report}");
    assert!(report.contains("60 changes"), "{report}");
    assert_eq!(text(&output.stderr), "", "a bar is for terminals");
    assert!(bench.people().as_u64().unwrap() >= 30);
}

#[test]
fn a_server_in_step_with_entra_over_a_rough_network_is_reported_so_to_scripts() {
    let bench = Bench::new(&["--idp", "entra"]);
    let output = bench.simulate(&["entra", "--rough", "--seed", "7", "--json"]);
    let report = document(&output);
    assert!(output.status.success(), "{report:#}");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(report["in_step"], true);
    assert_eq!(report["connection"], "healthy");
    assert_eq!(report["seed"], 7);
    assert_eq!(report["changes"], 60);
    assert_eq!(report["differences"], Value::Array(Vec::new()));
    assert!(
        report["network"]["unanswered"].as_u64().unwrap() > 0,
        "{report:#}"
    );
    let sum: u64 = report["requests"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(report["request_count"], sum);
    assert!(
        report["requests"]["PATCH /Users"].as_u64().unwrap() > 0,
        "{report:#}"
    );
}

#[test]
fn several_connections_send_what_one_would_and_the_report_says_how_long_it_took() {
    let run = |connections| {
        let bench = Bench::new(&["--idp", "entra"]);
        let output = bench.simulate(&["entra", "--connections", connections, "--json"]);
        assert!(output.status.success(), "{}", text(&output.stdout));
        document(&output)
    };
    let (one, several) = (run("1"), run("8"));
    assert_eq!(one["requests"], several["requests"]);
    for part in ["total", "initial_cycle", "changes", "comparison"] {
        assert!(several["timing"][part].as_f64().unwrap() > 0.0, "{several:#}");
    }
    assert!(
        several["requests_per_second"].as_f64().unwrap() > 0.0,
        "{several:#}"
    );
}

#[test]
fn the_same_seed_sends_the_same_requests() {
    let requests = |seed| {
        let bench = Bench::new(&[]);
        document(&bench.simulate(&["onelogin", "--seed", seed, "--json"]))["requests"].clone()
    };
    let first = requests("3");
    assert_eq!(first, requests("3"));
    assert_ne!(first, requests("4"));
}

#[test]
fn attributes_that_a_server_does_not_keep_are_missed_unless_that_is_said() {
    // Feature row 32.
    let kept = "userName,name.givenName,name.familyName,active,externalId";
    let bench = Bench::new(&["--attributes", "mapped"]);
    let output = bench.simulate(&["okta", "--keeps", kept, "--json"]);
    assert!(output.status.success(), "{:#}", document(&output));

    let bench = Bench::new(&["--attributes", "mapped"]);
    let output = bench.simulate(&["okta", "--json"]);
    let report = document(&output);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert_eq!(report["in_step"], false);
    assert!(report["difference_count"].as_u64().unwrap() > 0, "{report:#}");
    let report = text(&bench.simulate(&["okta", "--seed", "2"]).stdout);
    assert!(report.contains("the server is NOT in step"), "{report}");
}

#[test]
fn a_wrong_token_is_what_the_provider_would_say_and_is_not_repeated() {
    let bench = Bench::new(&[]);
    let wrong = "scimp_wrong_token_of_nobody";
    let url = bench.url();
    let arguments = ["simulate", "jumpcloud", "--url", &url, "--json"];
    let output = bench.place.run_with(&[("SCIM_TOKEN", wrong)], &arguments);
    let report = document(&output);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert_eq!(report["connection"], "not_connected");
    let advice = report["connection_advice"].as_str().unwrap();
    assert!(advice.contains("token"), "{advice}");
    assert!(
        report["connection_trouble"].as_str().unwrap().contains("401"),
        "{report:#}"
    );
    assert!(!text(&output.stdout).contains(wrong));
    assert_eq!(bench.people(), 0);
}

#[test]
fn a_server_that_is_not_there_is_named_with_the_cause() {
    let place = Place::new();
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/scim/acme/v2");
    let (code, refusal) = place.refusal(&["simulate", "okta", "--url", &url, "--token", "secret-token"]);
    let detail = refusal["detail"].as_str().unwrap();
    assert_eq!(code, 1);
    assert!(detail.contains(&url) && detail.contains("refused"), "{detail}");
    assert!(!detail.contains("secret-token"));
    assert!(
        !place.database().exists(),
        "a client of a server needs no database"
    );
}

#[test]
fn mistakes_in_the_command_are_no_findings() {
    let place = Place::new();
    let url = "http://127.0.0.1:9/v2";
    for arguments in [
        &["simulate", "ldap", "--url", url, "--token", "t"][..],
        &[
            "simulate",
            "okta",
            "--url",
            "ftp://example.com/v2",
            "--token",
            "t",
        ],
        &["simulate", "okta", "--url", url],
        &["simulate", "okta", "--url", url, "--token", ""],
        &["simulate", "okta", "--url", url, "--token", "t", "--rate", "0"],
        &["simulate", "okta", "--url", url, "--token", "t", "--users", "-1"],
        &[
            "simulate",
            "okta",
            "--url",
            url,
            "--token",
            "t",
            "--connections",
            "0",
        ],
    ] {
        assert_eq!(place.refusal(arguments).0, 2, "{arguments:?}");
    }
}

/// Stands before a server and counts the connections that are made to it. Returns its address and the count.
fn turnstile(upstream: &str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let (upstream, counter) = (upstream.to_owned(), Arc::clone(&count));
    let forward = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            _ = std::io::copy(&mut from, &mut to);
            _ = to.shutdown(Shutdown::Write);
        })
    };
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            counter.fetch_add(1, Ordering::SeqCst);
            let server = TcpStream::connect(&upstream).unwrap();
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            forward(client.try_clone().unwrap(), server.try_clone().unwrap());
            forward(server, client);
        }
    });
    (address, count)
}

#[test]
fn connections_are_kept() {
    let bench = Bench::new(&[]);
    let upstream = bench.url();
    let (upstream, path) = upstream["http://".len()..].split_once('/').unwrap();
    let (address, connections) = turnstile(upstream);
    let url = format!("http://{address}/{path}");
    let fixed = ["--url", &url, "--token", &bench.token, "--json"];
    let output = bench
        .place
        .run(&[&["simulate", "authentik"][..], &SIZE, &fixed].concat());
    let requests = document(&output)["request_count"].as_u64().unwrap();
    let connections = u64::try_from(connections.load(Ordering::SeqCst)).unwrap();
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert!(
        requests > 100 && connections * 10 < requests,
        "{connections} for {requests}"
    );
}
