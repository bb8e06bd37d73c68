//! The server's answers to clients that come too slowly, send too much or too many, or name no host: over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use program::{Answer, Place, Server, rows};
use scim::store::database::{Database, Options, Value as Cell};
use serde_json::{Value, json};

/// A connection on which a test says what it likes.
struct Wire(TcpStream);

impl Wire {
    fn to(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(stream)
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until the server asks for the body, which it does once it has admitted the request.
    fn wait_for_admission(&mut self) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 100 "), "{head}");
    }

    /// Reads everything until the server closes.
    fn answer(mut self) -> Answer {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Answer::new(head, body)
    }

    /// Returns whether the server has closed; waits for it to say anything.
    fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

fn token(place: &Place, organization: &str) -> String {
    let made = place.json(&["org", "create", organization, "--username", "any"]);
    made["token"].as_str().unwrap().to_owned()
}

/// Makes the head of a POST with a body of this length.
fn head(path: &str, token: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/scim+json\r\ncontent-length: {length}\r\n\r\n"
    )
}

fn person(name: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name })
}

/// F8: a client that sends all before it reads sees why it is refused, however much it sends and whoever refuses; the
/// answer says that the connection ends (F9) where it does.
#[test]
fn an_answer_that_comes_before_the_body_arrives() {
    let place = Place::new();
    let token = token(&place, "acme");
    let server = place.serve(&[]);
    let users = "/scim/acme/v2/Users";
    for (path, token, length, status, closes) in [
        (users, &*token, 2 << 20, 413, false),
        (users, &token, 24 << 20, 413, true),
        (users, "nonsense", 3 << 20, 401, true),
        ("/scim/nobody/v2/Users", &token, 3 << 20, 401, true),
        ("/nowhere", &token, 3 << 20, 404, true),
        ("/healthz", &token, 3 << 20, 405, true),
    ] {
        for _ in 0..5 {
            let mut wire = Wire::to(&server);
            wire.send(&head(path, token, length));
            let piece = vec![b' '; 64 << 10];
            for _ in 0..length / piece.len() {
                wire.0.write_all(&piece).unwrap();
            }
            if !closes {
                wire.send("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            }
            let answer = wire.answer();
            assert_eq!(answer.status, status, "{path}: {}", answer.head);
            let first = answer.head.contains("\r\nconnection: close");
            assert_eq!(first, closes, "{path}: {}", answer.head);
            assert_eq!(answer.text.contains("200 OK"), !closes, "{}", answer.text);
        }
    }
}

/// F4: a body that does not come in its time is 408, and the connection ends.
#[test]
fn a_body_that_does_not_come_is_408() {
    let place = Place::new();
    let token = token(&place, "acme");
    let server = place.serve(&["--limit-body-time", "1s"]);
    let mut wire = Wire::to(&server);
    wire.send(&head("/scim/acme/v2/Users", &token, 100));
    wire.send("{");
    let answer = wire.answer();
    assert_eq!(answer.status, 408, "{}", answer.text);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert!(answer.detail().contains("limit body_rate"), "{}", answer.text);
}

/// F4: unfinished bodies of one organization leave room for another's, and for its own when they are gone.
#[test]
fn unfinished_bodies_of_one_organization_leave_room_for_others() {
    let place = Place::new();
    let (acme, other) = (token(&place, "acme"), token(&place, "other"));
    let server = place.serve(&["--limit-tenant-bodies", "4KiB"]);
    let bearer = |token: &str| format!("Bearer {token}");
    let post = |organization: &str, token: &str, name: &str| {
        let path = format!("/scim/{organization}/v2/Users");
        server.send(
            "POST",
            &path,
            &[("authorization", &bearer(token))],
            &person(name).to_string(),
        )
    };
    // Of two bodies that come at once, either is refused: where it is the one that is held, it is sent again.
    let (held, refused) = (0..100)
        .find_map(|round| {
            let mut held = Wire::to(&server);
            held.send(&head("/scim/acme/v2/Users", &acme, 100_000));
            held.send(&" ".repeat(4 << 10));
            let answers = (0..20).map(|n| post("acme", &acme, &format!("n{round}-{n}")));
            let refused = { answers }.find(|answer| answer.status != 201)?;
            Some((held, refused))
        })
        .unwrap();
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    assert!(
        refused.detail().contains("limit tenant_bodies"),
        "{}",
        refused.text
    );
    assert_eq!(post("other", &other, "bob").status, 201);
    drop(held);
    assert!((0..2_000).any(|n| post("acme", &acme, &format!("m{n}")).status == 201));
}

/// Issue 9: what is under way ends when its organization is disabled or deleted, or its token revoked, by whichever
/// process; what others have under way goes on.
#[test]
fn work_under_way_ends_with_the_access() {
    let place = Place::new();
    let server = place.serve(&[]);
    let begin = |organization: &str| {
        let token = token(&place, organization);
        let body = person("bob").to_string();
        let mut wire = Wire::to(&server);
        let path = format!("/scim/{organization}/v2/Users");
        let head = head(&path, &token, body.len());
        let head = head.trim_end_matches("\r\n");
        wire.send(&format!("{head}\r\nexpect: 100-continue\r\n\r\n"));
        wire.wait_for_admission();
        wire.send(&body[..1]);
        (wire, body)
    };
    let (mut other, body) = begin("other");
    for (name, command) in [
        ("disabled", ["org", "disable", "disabled"].as_slice()),
        ("deleted", &["org", "delete", "deleted"]),
        ("revoked", &["token", "revoke", "revoked"]),
    ] {
        let (wire, _) = begin(name);
        place.json(command);
        let answer = wire.answer();
        assert_eq!(answer.status, 503, "{name}: {}", answer.text);
        assert!(answer.head.contains("retry-after: 1"), "{name}: {}", answer.head);
        assert!(
            answer.head.contains("connection: close"),
            "{name}: {}",
            answer.head
        );
    }
    other.send(&body[1..]);
    other.send("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(other.answer().status, 201);
}

/// F9: RFC 9112 section 3.2 for the header `Host`; section 3.2.2 has the host of the URL count.
#[test]
fn a_request_names_its_host_once() {
    let place = Place::new();
    let token = token(&place, "acme");
    let server = place.serve(&[]);
    let ask = |target: &str, hosts: &str| {
        let mut wire = Wire::to(&server);
        wire.send(&format!(
            "GET {target} HTTP/1.1\r\n{hosts}authorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        ));
        wire.answer()
    };
    let types = "/scim/acme/v2/ResourceTypes/User";
    for hosts in [
        "",
        "host: a\r\nhost: a\r\n",
        "host: a\r\nhost: b\r\n",
        "host: a b\r\n",
        "host:\r\n",
    ] {
        for path in [types, "/healthz"] {
            let answer = ask(path, hosts);
            assert_eq!(answer.status, 400, "{hosts:?}");
            assert!(answer.detail().contains("header Host"), "{}", answer.text);
        }
    }
    let location = |answer: Answer| answer.body["meta"]["location"].as_str().unwrap().to_owned();
    let expected = format!("http://real.example{types}");
    assert_eq!(location(ask(types, "host: real.example\r\n")), expected);
    let absolute = ask(&expected, "host: other.example\r\n");
    assert_eq!(location(absolute), expected);
}

/// F9: without a token of the organization nobody learns whether there is one of this name, and it counts who tried.
#[test]
fn names_of_organizations_cannot_be_told_apart_without_a_token() {
    let place = Place::new();
    let _acme = token(&place, "acme");
    place.json(&["org", "create", "strict", "--policy", "strict"]);
    let off = token(&place, "off");
    place.json(&["org", "disable", "off"]);
    let foreign = token(&place, "other");
    let server = place.serve(&[]);
    let unknown = place.json(&["token", "rotate", "other"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    for authorization in [
        None,
        Some(String::new()),
        Some("Bearer nonsense".to_owned()),
        Some("nonsense".to_owned()),
        Some("Basic eDp5".to_owned()),
        Some(format!("Bearer {foreign}")),
        Some(unknown.clone()),
        Some(format!("Bearer {unknown}")),
    ] {
        let mut told = Vec::new();
        for organization in ["acme", "strict", "off", "nobody", "No%20Body", "%ff"] {
            for method in ["GET", "POST", "OPTIONS"] {
                let mut headers = vec![("x-request-id", "one")];
                headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
                let path = format!("/scim/{organization}/v2/Users");
                let answer = server.send(method, &path, &headers, if method == "POST" { "{}" } else { "" });
                let head = answer.head.lines().filter(|line| !line.starts_with("date:"));
                told.push((method, head.collect::<Vec<_>>().join("\n"), answer.text));
            }
        }
        let (first, others) = told.split_at(3);
        assert!(first[0].1.starts_with("http/1.1 401"), "{first:?}");
        for other in others.chunks(3) {
            assert_eq!(other, first, "{authorization:?}");
        }
    }
    let known = server.scim("off", &off);
    assert_eq!(known.status, 403, "whoever has its token is told more");
    server.terminate();
    let counted = rows(
        &place,
        "SELECT SUM(unattributed) FROM history_count JOIN organization ON id = org WHERE name IN ('acme', 'strict', 'off')",
    );
    assert_eq!(counted, [[Cell::Integer(3 * 3 * 8)]]);
}

/// A client that holds connections loses those that it does not use; while all are at work, the operator is let in.
#[test]
fn connections_are_bounded_and_the_operator_gets_through() {
    let place = Place::new();
    let token = token(&place, "acme");
    let server = place.serve(&["--limit-connections", "2"]);
    let mut idle = [Wire::to(&server), Wire::to(&server)];
    assert_eq!(server.get("/healthz", &[]).status, 200);
    assert!(idle[0].is_closed(), "the one that is idle for longest ends");
    let mut at_work = [Wire::to(&server), Wire::to(&server)];
    for wire in &mut at_work {
        wire.send(&head("/scim/acme/v2/Users", &token, 100_000));
        wire.send("{");
    }
    // The server may not have read the heads yet.
    let crowded = (0..2_000)
        .map(|_| server.scim("acme", &token))
        .find(|answer| answer.status != 200);
    let crowded = crowded.unwrap();
    assert_eq!(crowded.status, 503, "{}", crowded.text);
    assert!(crowded.head.contains("retry-after: 1"), "{}", crowded.head);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.get(path, &[]).status, 200, "{path}");
    }
}

/// A command reads beside a server that is writing, and waits for its turn to write for longer than any write takes.
#[test]
fn commands_get_through_while_another_process_writes() {
    let place = Place::new();
    let token = token(&place, "acme");
    let server = place.serve(&[]);
    let (done, end) = mpsc::channel::<()>();
    let end = std::sync::Mutex::new(end);
    let database = place.database();
    let (begun, has_begun) = mpsc::channel();
    let writer = thread::spawn(move || {
        let database = Database::open(database, Options::default()).unwrap();
        database
            .blocking_write(move |tx| {
                tx.execute("UPDATE instance SET value = value", &[])?;
                begun.send(()).unwrap();
                _ = end.lock().unwrap().recv();
                Ok(())
            })
            .unwrap();
    });
    has_begun.recv().unwrap();
    assert_eq!(
        place.json(&["token", "list", "acme"])["tokens"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let disabling = place.begin(&["org", "disable", "acme", "--json"]);
    // Longer than a server waits.
    thread::sleep(Duration::from_secs(6));
    done.send(()).unwrap();
    writer.join().unwrap();
    let output = disabling.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let refused = (0..2_000)
        .map(|_| server.scim("acme", &token))
        .find(|answer| answer.status != 200);
    assert_eq!(refused.unwrap().status, 403);
}
