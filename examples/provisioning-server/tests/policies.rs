//! What an organization's protocol policy lets a client send: `tolerant`, `strict`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::{Answer, Place, Server, rows};
use scim::store::sqlite::Value as Cell;
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// A server with the organization "acme" under a policy.
struct Bench {
    server: Server,
    token: String,
    place: Place,
}

impl Bench {
    fn new(policy: &str) -> Self {
        let place = Place::new();
        let created = place.json(&[
            "org",
            "create",
            "acme",
            "--idp",
            "other",
            "--username",
            "any",
            "--policy",
            policy,
        ]);
        Self {
            server: place.serve(&[]),
            token: created["token"].as_str().unwrap().to_owned(),
            place,
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &Value::Null)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.acme(&self.token, method, path, body)
    }

    fn user(&self, name: &str) -> String {
        let created = self.send("POST", "/Users", &json!({ "schemas": [USER], "userName": name }));
        assert_eq!(created.status, 201, "{}", created.text);
        created.body["id"].as_str().unwrap().to_owned()
    }

    /// What the history says of the tolerances of its requests, once the server has ended.
    fn notes(self) -> Vec<String> {
        let Self { server, place, .. } = self;
        server.terminate();
        let rows = rows(
            &place,
            "SELECT notes FROM history WHERE notes IS NOT NULL ORDER BY sequence",
        );
        let text = |cell| match cell {
            Cell::Text(text) => Some(text),
            _ => None,
        };
        rows.into_iter().flatten().filter_map(text).collect()
    }
}

/// RFC 7644 sections 3.4.2.4 and 3.4.3: numbers as they are sent, over rows in SQLite.
#[test]
fn pages_beyond_the_end_and_searches_with_slips() {
    let bench = Bench::new("tolerant");
    bench.user("ann");
    for (start, shown) in [
        ("2", 2_u64),
        ("9223372036854775807", 9_223_372_036_854_775_807),
        ("9223372036854775808", 9_223_372_036_854_775_807),
        ("99999999999999999999999", 9_223_372_036_854_775_807),
    ] {
        for query in [
            format!("/Users?startIndex={start}"),
            format!("/Users?startIndex={start}&count=1&sortBy=userName"),
            format!("/Users?startIndex={start}&filter=userName+eq+%22ann%22"),
            format!("/?startIndex={start}"),
        ] {
            let page = bench.get(&query);
            assert_eq!(page.status, 200, "{query}: {}", page.text);
            assert_eq!(page.body["startIndex"], shown, "{query}");
            assert_eq!(
                (&page.body["totalResults"], &page.body["Resources"]),
                (&json!(1), &json!([])),
                "{query}"
            );
        }
    }
    let search = json!({ "schemas": SEARCH, "startIndex": "1", "count": "5" });
    let found = bench.send("POST", "/Users/.search", &search);
    assert_eq!((found.status, &found.body["itemsPerPage"]), (200, &json!(1)));
    let notes = bench.notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].contains("missing-schemas") && notes[0].contains("numeric-strings"),
        "{notes:?}"
    );

    let strict = Bench::new("strict");
    assert_eq!(strict.send("POST", "/Users/.search", &search).status, 400);
}

/// P-3.4.2.2-04, P-3.4.2.2-17 and P-3.4.2.3-06 (RFC 7644 section 3.4.2).
#[test]
fn broken_queries_are_refused_and_slips_are_noted() {
    for policy in ["tolerant", "strict"] {
        let bench = Bench::new(policy);
        for (query, kind) in [
            ("filter=", "invalidFilter"),
            ("sortOrder=", "invalidValue"),
            ("sortBy=", "invalidPath"),
            ("sortBy=name.", "invalidPath"),
        ] {
            let refused = bench.get(&format!("/Users?{query}"));
            assert_eq!(
                (refused.status, &refused.body["scimType"]),
                (400, &json!(kind)),
                "{query}"
            );
        }
        let slips = [
            "/Users?filter=userName+eq%22ann%22",
            "/Users?filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22x%22",
        ];
        let status = if policy == "strict" { 400 } else { 200 };
        for slip in slips {
            assert_eq!(bench.get(slip).status, status, "{slip}");
        }
        let accept = [
            ("authorization", &*format!("Bearer {}", bench.token)),
            ("accept", "text/html"),
        ];
        let status = if policy == "strict" { 406 } else { 200 };
        assert_eq!(bench.server.get("/scim/acme/v2/Users", &accept).status, status);
        let expected = match policy {
            "strict" => vec![],
            _ => vec![
                "missing-spaces: filter",
                "value-path-comparisons: filter",
                "other-accept: Accept",
            ],
        };
        assert_eq!(bench.notes(), expected);
    }
}
