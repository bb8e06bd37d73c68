//! The server over TLS: what a client sees, and what an operator does with certificates while it runs.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use program::authority::{Authority, Pair};
use program::{Answer, Place, Server};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConnection, ProtocolVersion, StreamOwned, SupportedProtocolVersion};
use serde_json::{Value, json};

/// Far beyond what is promised, so that a slow machine is not a failure.
const PATIENCE: Duration = Duration::from_secs(60);

impl Authority {
    /// Connects as a client that believes this authority alone, and offers protocols.
    fn connect(&self, server: &Server, protocols: &[&str]) -> Connection {
        self.connect_by(server, protocols, rustls::DEFAULT_VERSIONS)
    }

    /// Connects in the same way as a client that speaks these versions of TLS.
    fn connect_by(
        &self,
        server: &Server,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Connection {
        let config = self.client(protocols, versions);
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(config, name).unwrap();
        let mut stream = StreamOwned::new(tls, tcp(server));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        Connection(stream)
    }

    /// Connects, and returns the certificate that a new connection is shown.
    fn shown(&self, server: &Server) -> CertificateDer<'static> {
        let connection = self.connect(server, &[]);
        connection.0.conn.peer_certificates().unwrap()[0]
            .clone()
            .into_owned()
    }
}

fn tcp(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A connection that is kept.
struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    fn get(&mut self, path: &str) -> Answer {
        self.write(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        self.answer()
    }

    fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
        self.0.flush().unwrap();
    }

    /// Reads one answer, whose head says its length.
    fn answer(&mut self) -> Answer {
        let mut text = String::new();
        let mut byte = [0];
        while !text.ends_with("\r\n\r\n") {
            self.0.read_exact(&mut byte).unwrap();
            text.push(byte[0].into());
        }
        let head = text.trim_end();
        let length = head
            .to_lowercase()
            .lines()
            .find_map(|line| Some(line.strip_prefix("content-length: ")?.parse().unwrap()));
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).unwrap();
        Answer::new(head, str::from_utf8(&body).unwrap())
    }
}

fn strings(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}

fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A place with the organization "acme", its token, and a pair that an authority has issued for the server.
struct Bench {
    place: Place,
    token: String,
    authority: Authority,
    pair: Pair,
    flags: [String; 4],
}

impl Bench {
    fn new() -> Self {
        let place = Place::new();
        let token = place.json(&["org", "create", "acme"])["token"]
            .as_str()
            .unwrap()
            .to_owned();
        let authority = Authority::new();
        let pair = authority.issue();
        let flags = pair.write(&place);
        Self {
            place,
            token,
            authority,
            pair,
            flags,
        }
    }

    fn serve(&self, more: &[&str]) -> Server {
        self.place.serve(&[&strings(&self.flags), more].concat())
    }

    fn serve_logged(&self) -> (Server, PathBuf) {
        self.place
            .serve_logged(&strings(&self.flags), &[("RUST_LOG", "info")])
    }

    fn post_head(&self, length: usize) -> String {
        format!(
            "POST /scim/acme/v2/Users HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/scim+json\r\ncontent-length: {length}\r\n\r\n",
            self.token
        )
    }
}

fn person(name: &str) -> String {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name }).to_string()
}

#[test]
fn every_url_that_the_server_tells_is_https() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let listening = server.started["listening"].as_str().unwrap();
    assert_eq!(listening, format!("https://{}", server.address()));
    let url = server.started["organizations"][0]["scim_url"].as_str().unwrap();
    assert!(url.starts_with(listening), "{url}");
    let shown = bench.place.json(&["org", "show", "acme"]);
    assert!(
        shown["scim_url"].as_str().unwrap().starts_with(listening),
        "{shown}"
    );

    let mut connection = bench.authority.connect(&server, &["http/1.1"]);
    let body = person("bjensen@example.com");
    connection.write(&(bench.post_head(body.len()) + &body));
    let created = connection.answer();
    assert_eq!(created.status, 201);
    let location = created.body["meta"]["location"].as_str().unwrap();
    assert!(
        location.starts_with("https://localhost/scim/acme/v2/Users/"),
        "{location}"
    );
}

#[test]
fn what_operators_ask_is_answered_over_tls() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let mut connection = bench.authority.connect(&server, &[]);
    assert_eq!(connection.get("/readyz").body, json!({ "status": "ready" }));
    assert_eq!(connection.get("/healthz").status, 200);
    let metrics = connection.get("/metrics").text;
    let expiry = metrics
        .lines()
        .find_map(|line| line.strip_prefix("scim_tls_certificate_expiry_timestamp_seconds "));
    // rcgen's certificates are good until the year 4096.
    assert_eq!(expiry, Some("67090118400"), "{metrics}");
}

/// IP-22 of the SCIM 2.0 Interoperability Profile: TLS 1.3 is offered, and 1.2 to whoever speaks nothing better.
#[test]
fn the_version_of_tls_is_agreed_on() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    for (versions, agreed) in [
        (rustls::DEFAULT_VERSIONS, ProtocolVersion::TLSv1_3),
        (&[&rustls::version::TLS13][..], ProtocolVersion::TLSv1_3),
        (&[&rustls::version::TLS12], ProtocolVersion::TLSv1_2),
    ] {
        let connection = bench.authority.connect_by(&server, &[], versions);
        assert_eq!(connection.0.conn.protocol_version(), Some(agreed));
    }
}

/// RFC 7301: the better of what both speak.
#[test]
fn the_version_of_http_is_agreed_on() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    for (offered, agreed) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let connection = bench.authority.connect(&server, offered);
        assert_eq!(
            connection.0.conn.alpn_protocol(),
            agreed.map(str::as_bytes),
            "{offered:?}"
        );
    }
}

#[test]
fn sighup_puts_new_files_in_force_and_cuts_no_connection() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let mut kept = bench.authority.connect(&server, &[]);
    assert_eq!(kept.get("/healthz").status, 200);
    let next = bench.authority.issue();
    next.write(&bench.place);
    server.signal("-HUP");
    until("the new certificate is shown", || {
        bench.authority.shown(&server) == next.first()
    });
    assert_eq!(kept.get("/healthz").status, 200);
    assert_ne!(bench.pair.first(), next.first());
}

/// As Kubernetes and certbot do it: what the names lead to is another file.
#[test]
fn a_link_that_is_turned_is_followed_without_a_signal() {
    let place = Place::new();
    let authority = Authority::new();
    let folder = |name: &str, pair: &Pair| {
        let path = PathBuf::from(place.file(name, ""));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("tls.crt"), &pair.certificate).unwrap();
        fs::write(path.join("tls.key"), &pair.key).unwrap();
        path
    };
    let turn = |link: &Path, target: &Path| {
        let new = link.with_extension("new");
        symlink(target, &new).unwrap();
        fs::rename(new, link).unwrap();
    };
    let (old, new) = (authority.issue(), authority.issue());
    let first = folder("first", &old);
    let link = first.with_file_name("data");
    turn(&link, &first);
    let name = |file: &str| link.join(file).to_str().unwrap().to_owned();
    let server = place.serve(&["--tls-cert", &name("tls.crt"), "--tls-key", &name("tls.key")]);
    assert_eq!(authority.shown(&server), old.first());
    turn(&link, &folder("second", &new));
    until("the new certificate is shown", || {
        authority.shown(&server) == new.first()
    });
}

#[test]
fn a_pair_that_cannot_be_used_leaves_the_one_before_it_in_force() {
    let bench = Bench::new();
    let (server, log) = bench.serve_logged();
    let said = |words: &str| fs::read_to_string(&log).unwrap().contains(words);
    let next = bench.authority.issue();
    bench.place.file("key.pem", &next.key);
    server.signal("-HUP");
    until("what is wrong is logged", || {
        said("is not the key of the first certificate")
    });
    assert_eq!(bench.authority.shown(&server), bench.pair.first());
    fs::remove_file(&bench.flags[3]).unwrap();
    until("what is wrong is logged", || said("key.pem cannot be read"));
    assert_eq!(bench.authority.shown(&server), bench.pair.first());
    next.write(&bench.place);
    until("the new certificate is shown", || {
        bench.authority.shown(&server) == next.first()
    });
    let text = fs::read_to_string(&log).unwrap();
    for line in next.key.lines().chain(bench.pair.key.lines()) {
        assert!(!text.contains(line), "{text}");
    }
}

#[test]
fn a_server_without_tls_survives_sighup() {
    let place = Place::new();
    let (server, log) = place.serve_logged(&[], &[("RUST_LOG", "info")]);
    server.signal("-HUP");
    until("the signal is answered", || {
        fs::read_to_string(&log).unwrap().contains("nothing to reload")
    });
    assert_eq!(server.get("/healthz", &[]).status, 200);
}

#[test]
fn http_where_https_is_spoken_is_answered_in_http() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let answer = server.get("/healthz", &[]);
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("https://"), "{answer:?}");
}

#[test]
fn clients_that_say_nothing_hold_up_nobody() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let silent: Vec<TcpStream> = (0..100).map(|_| tcp(&server)).collect();
    // The beginning of a handshake, and no more.
    for mut stream in &silent[..50] {
        stream.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    }
    let mut connection = bench.authority.connect(&server, &[]);
    assert_eq!(connection.get("/healthz").status, 200);
    let began = Instant::now();
    server.terminate();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "the end waits neither for the handshake's time nor for that of draining"
    );
    drop(silent);
}

#[test]
fn a_draining_server_finishes_requests_over_tls() {
    let bench = Bench::new();
    let (server, log) = bench.serve_logged();
    let mut idle = bench.authority.connect(&server, &[]);
    assert_eq!(idle.get("/healthz").status, 200);
    let mut busy = bench.authority.connect(&server, &[]);
    let body = person("late@example.com");
    // Whoever is told to continue knows that the request is under way.
    let head = bench.post_head(body.len());
    busy.write(&head.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n"));
    assert_eq!(busy.answer().status, 100);
    server.ask_to_end();
    until("the server drains", || {
        fs::read_to_string(&log).unwrap().contains("Ending")
    });
    busy.write(&body);
    assert_eq!(busy.answer().status, 201);
    server.terminate();
}

#[test]
fn a_draining_server_serves_over_tls_but_is_not_ready() {
    let bench = Bench::new();
    let server = bench.serve(&["--drain-delay", "3600"]);
    server.ask_to_end();
    until("the server is not ready", || {
        let mut connection = bench.authority.connect(&server, &[]);
        connection.get("/readyz").body["reason"] == "draining"
    });
}

#[test]
fn files_that_cannot_be_used_are_named_at_the_start() {
    let bench = Bench::new();
    let [_, certificate, _, key] = &bench.flags;
    let other = bench.place.file("other.pem", &bench.authority.issue().key);
    for (flags, said) in [
        (&["--tls-cert", certificate][..], "--tls-key"),
        (&["--tls-key", key], "--tls-cert"),
        (&["--tls-cert", certificate, "--tls-key", &other], "other.pem"),
        (&["--tls-cert", key, "--tls-key", key], "no certificate"),
        (&["--tls-cert", certificate, "--tls-key", "gone.pem"], "gone.pem"),
    ] {
        let (code, refusal) = bench
            .place
            .refusal(&[&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        assert_eq!(code, 1);
        assert!(refusal["detail"].as_str().unwrap().contains(said), "{refusal}");
    }
}

#[test]
fn the_files_are_named_by_environment_or_configuration() {
    let bench = Bench::new();
    let [_, certificate, _, key] = &bench.flags;
    let file = bench.place.file("server.toml", &format!("tls-key = {key:?}"));
    let server = bench.place.serve_with(
        &["--listen", "127.0.0.1:0", "--config", &file],
        &[("TLS_CERT", certificate)],
    );
    assert_eq!(bench.authority.shown(&server), bench.pair.first());
}

#[test]
fn a_simulated_provider_speaks_https() {
    let bench = Bench::new();
    let server = bench.serve(&[]);
    let (_, port) = server.address().split_once(':').unwrap();
    let url = format!("https://localhost:{port}/scim/acme/v2");
    let ca = bench.place.file("ca.pem", &bench.authority.certificate);
    let size = ["--users", "10", "--groups", "2", "--changes", "20"];
    let fixed = ["simulate", "okta", "--url", &url, "--token", &bench.token];
    let report = bench.place.json(&[&fixed[..], &size, &["--ca", &ca]].concat());
    assert_eq!(report["in_step"], true, "{report:#}");

    // One that is unknown, and one that was made anew under the old name.
    for authority in [Authority::named("stranger"), Authority::new()] {
        let ca = bench.place.file("stranger.pem", &authority.certificate);
        let (code, refusal) = bench.place.refusal(&[&fixed[..], &["--ca", &ca]].concat());
        assert_eq!(code, 1);
        let detail = refusal["detail"].as_str().unwrap();
        assert!(detail.contains("name the authority's with --ca"), "{detail}");
    }
}

#[test]
fn an_authority_is_a_certificate_and_for_https() {
    let place = Place::new();
    let empty = place.file("empty.pem", "");
    for (url, ca, said) in [
        ("http://127.0.0.1:9", empty.as_str(), "without TLS"),
        ("https://127.0.0.1:9", &empty, "no certificate"),
        ("https://127.0.0.1:9", "gone.pem", "gone.pem"),
    ] {
        let (code, refusal) = place.refusal(&["simulate", "okta", "--url", url, "--token", "t", "--ca", ca]);
        assert_eq!(code, 1);
        assert!(refusal["detail"].as_str().unwrap().contains(said), "{refusal}");
    }
}

#[test]
fn health_is_asked_over_https() {
    let bench = Bench::new();
    let server = bench.serve(&["--drain-delay", "3600"]);
    let [_, certificate, _, key] = &bench.flags;
    let own = [
        ("LISTEN", server.address()),
        ("TLS_CERT", certificate),
        ("TLS_KEY", key),
    ];
    let output = bench.place.run_with(&own, &["health", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        document,
        json!({ "url": format!("https://{}/readyz", server.address()), "status": "ready" })
    );

    let (_, port) = server.address().split_once(':').unwrap();
    let url = format!("https://localhost:{port}");
    let ca = bench.place.file("ca.pem", &bench.authority.certificate);
    assert_eq!(
        bench.place.json(&["health", "--url", &url, "--ca", &ca])["status"],
        "ready"
    );
    let (code, refusal) = bench
        .place
        .refusal(&["health", "--url", &url, "--ca", certificate]);
    assert_eq!(code, 1, "who is named must be who it says");
    assert!(
        refusal["detail"].as_str().unwrap().contains("certificate"),
        "{refusal}"
    );

    server.ask_to_end();
    until("health fails", || {
        !bench.place.run_with(&own, &["health"]).status.success()
    });
}
