//! Input that is meant to hurt: an error of the right kind, and a server that answers the next request.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a `serde_json::Value` gives `Null` for what is not there"
)]

use scim_tests::http::{Client, Request, Response, percent_encode};
use scim_tests::server::Server;
use scim_tests::{Failure, check, scim_error};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Runs the attack against a server with one user, whose path is handed over; afterwards that user must be as before,
/// the only one, and readable.
fn attack(attack: impl FnOnce(&mut Client, &str) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut server = Server::start()?;
    let organization = server.organization(
        "hostile",
        &["--idp", "other", "--username", "any", "--policy", "tolerant"],
    )?;
    let mut client = organization.client()?;
    let created = client.json(
        "POST",
        "/Users",
        &json!({"schemas": [USER], "userName": "bystander"}),
    )?;
    let created = created.expect(201)?.json()?;
    let path = format!("/Users/{}", created["id"].as_str().unwrap_or_default());
    let before = client.get(&path)?.expect(200)?.json()?;
    attack(&mut client, &path)?;
    server.alive()?;
    let mut client = organization.client()?;
    assert_eq!(client.get(&path)?.expect(200)?.json()?, before);
    assert_eq!(client.get("/Users")?.expect(200)?.json()?["totalResults"], 1);
    Ok(())
}

fn search(client: &mut Client, filter: &str) -> Result<Response, Failure> {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"];
    client.json(
        "POST",
        "/Users/.search",
        &json!({"schemas": schemas, "filter": filter}),
    )
}

fn post(client: &mut Client, body: impl Into<Vec<u8>>) -> Result<Response, Failure> {
    client.send(&Request::new("POST", "/Users").scim(body))
}

#[test]
fn a_hundred_thousand_nested_parentheses_are_an_invalid_filter() -> Result<(), Failure> {
    attack(|client, _| {
        for (open, close) in [("(", ")"), ("not (", ")"), ("emails[", "]"), ("(", "")] {
            let filter = format!("{}userName pr{}", open.repeat(100_000), close.repeat(100_000));
            scim_error::expect(&search(client, &filter)?, &[400], &["invalidFilter"])?;
        }
        Ok(())
    })
}

#[test]
fn nesting_within_the_length_of_a_filter_is_bounded_too() -> Result<(), Failure> {
    attack(|client, _| {
        for (open, close) in [("(", ")"), ("not (", ")")] {
            let filter = format!("{}userName pr{}", open.repeat(1_500), close.repeat(1_500));
            scim_error::expect(&search(client, &filter)?, &[400], &["invalidFilter"])?;
            let url = format!("/Users?filter={}", percent_encode(&filter));
            scim_error::expect(&client.get(&url)?, &[400], &["invalidFilter"])?;
        }
        let wide = vec!["title pr"; 1_300].join(" or ");
        scim_error::expect(&search(client, &wide)?, &[400], &["invalidFilter", "tooMany"])
    })
}

#[test]
fn a_filter_of_ten_megabytes_is_refused() -> Result<(), Failure> {
    attack(|client, _| {
        let filter = format!("userName eq \"{}\"", "x".repeat(10 << 20));
        scim_error::expect(&search(client, &filter)?, &[413], &[])
    })
}

#[test]
fn a_url_that_is_too_long_is_refused() -> Result<(), Failure> {
    attack(|client, _| {
        let url = |length: usize| format!("/Users?filter={}", "a".repeat(length));
        scim_error::expect(&client.get(&url(40_000))?, &[414], &[])?;
        // Past what HTTP libraries take at all, the refusal is theirs: no SCIM body can be asked for.
        for length in [100_000, 1_000_000] {
            let answer = client.get(&url(length))?;
            check(matches!(answer.status, 400 | 414 | 431), || {
                format!("{length} bytes: {answer}")
            })?;
        }
        Ok(())
    })
}

#[test]
fn an_immense_count_or_start_index_gives_an_ordinary_page() -> Result<(), Failure> {
    attack(|client, _| {
        let page = client.get("/Users?count=1000000000")?.expect(200)?.json()?;
        assert_eq!(
            (&page["totalResults"], &page["itemsPerPage"]),
            (&json!(1), &json!(1))
        );
        let page = client
            .get("/Users?startIndex=1000000000&count=1000000000")?
            .expect(200)?
            .json()?;
        assert_eq!(
            (&page["totalResults"], &page["itemsPerPage"]),
            (&json!(1), &json!(0))
        );
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 1_000_000_000});
        let page = client
            .json("POST", "/Users/.search", &body)?
            .expect(200)?
            .json()?;
        assert_eq!(page["itemsPerPage"], 1);
        // Beyond 64 bits, both an error and the largest page are right; a crash is not.
        for query in [
            "count=99999999999999999999999",
            "startIndex=99999999999999999999999",
            "count=-99999999999999999999999",
        ] {
            let answer = client.get(&format!("/Users?{query}"))?;
            if answer.status != 200 {
                scim_error::expect(&answer, &[400], &["invalidValue"])?;
            }
        }
        Ok(())
    })
}

#[test]
fn duplicate_keys_are_invalid_syntax_whatever_their_case() -> Result<(), Failure> {
    attack(|client, path| {
        for second in ["userName", "USERNAME"] {
            let body = format!(r#"{{"schemas":["{USER}"],"userName":"one","{second}":"two"}}"#);
            scim_error::expect(&post(client, body)?, &[400], &["invalidSyntax"])?;
        }
        let nested = format!(
            r#"{{"schemas":["{USER}"],"userName":"one","name":{{"givenName":"a","GivenName":"b"}}}}"#
        );
        scim_error::expect(&post(client, nested)?, &[400], &["invalidSyntax"])?;
        let operation = r#"{"op":"replace","path":"title","value":"a","Value":"b"}"#;
        let body = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[{operation}]}}"#);
        let answer = client.send(&Request::new("PATCH", path).scim(body))?;
        scim_error::expect(&answer, &[400], &["invalidSyntax"])
    })
}

#[test]
fn invalid_utf_8_is_refused_in_bodies_and_urls() -> Result<(), Failure> {
    attack(|client, _| {
        let mut body = format!(r#"{{"schemas":["{USER}"],"userName":"a"#).into_bytes();
        for bytes in [&b"\xff\xfe"[..], b"\xc0\xaf", b"\xed\xa0\x80"] {
            let body = [body.as_slice(), bytes, b"\"}"].concat();
            scim_error::expect(&post(client, body)?, &[400], &["invalidSyntax"])?;
        }
        // Half of a surrogate pair as a JSON escape names no character either (RFC 8259 section 8.2).
        body.extend_from_slice(br#"\ud800"}"#);
        scim_error::expect(&post(client, body)?, &[400], &["invalidSyntax"])?;
        scim_error::expect(
            &client.get("/Users?filter=userName%20eq%20%22%FF%22")?,
            &[400],
            &[],
        )?;
        scim_error::expect(&client.get("/Users/%FF%FE")?, &[400, 404], &[])?;
        let raw = client.send(&Request::new("GET", &b"/Users?filter=userName+eq+%22\xff%22"[..]))?;
        check(raw.status == 400, || format!("wanted status 400, got {raw}"))
    })
}

#[test]
fn deep_json_is_refused() -> Result<(), Failure> {
    attack(|client, path| {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            for depth in [1_000, 100_000] {
                let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let body = format!(r#"{{"schemas":["{USER}"],"userName":"deep","x":{deep}}}"#);
                scim_error::expect(&post(client, body)?, &[400], &["invalidSyntax"])?;
                scim_error::expect(&post(client, deep.clone())?, &[400], &["invalidSyntax"])?;
                let operation = format!(r#"{{"op":"add","path":"x","value":{deep}}}"#);
                let body = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[{operation}]}}"#);
                let answer = client.send(&Request::new("PATCH", path).scim(body))?;
                scim_error::expect(&answer, &[400], &["invalidSyntax"])?;
            }
        }
        // Cut off half way: no closing bracket at all.
        scim_error::expect(&post(client, "[".repeat(100_000))?, &[400], &["invalidSyntax"])
    })
}

#[test]
fn a_million_operations_are_refused_and_none_is_applied() -> Result<(), Failure> {
    attack(|client, path| {
        let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g"});
        let group = client.json("POST", "/Groups", &group)?.expect(201)?.json()?;
        let group = format!("/Groups/{}", group["id"].as_str().unwrap_or_default());
        for (target, operation, number) in [
            // Longer than a body may be.
            (path, r#"{"op":"add","path":"title","value":"x"}"#, 1_000_000),
            // Within the length of a body, over the number of operations.
            (path, r#"{"op":"add","path":"title","value":"x"}"#, 20_000),
            (group.as_str(), "{}", 1_000_000),
        ] {
            let operations = vec![operation; number].join(",");
            let body = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[{operations}]}}"#);
            let answer = client.send(&Request::new("PATCH", target).scim(body))?;
            scim_error::expect(&answer, &[400, 413], &[])?;
        }
        client.delete(&group)?.expect(204)?;
        Ok(())
    })
}

#[test]
fn what_is_no_scim_request_gets_the_error_of_its_kind() -> Result<(), Failure> {
    attack(|client, path| {
        let cases: [(Request, u16); 5] = [
            (Request::new("GET", "/Nothing"), 404),
            (Request::new("PATCH", "/Users").scim("{}"), 405),
            (
                Request {
                    body: Some(b"<user/>".to_vec()),
                    ..Request::new("POST", "/Users").header("Content-Type", "text/xml")
                },
                415,
            ),
            (Request::new("POST", "/Users").scim("{\"userName\":"), 400),
            (
                Request::new("GET", path).header("Authorization", "Bearer nobody"),
                401,
            ),
        ];
        for (request, status) in cases {
            let answer = client.send(&request)?;
            let what = format!("{} {}", request.method, String::from_utf8_lossy(&request.target));
            scim_error::expect(&answer, &[status], &[]).map_err(|failure| failure.during(what))?;
        }
        Ok(())
    })
}

#[test]
fn long_values_and_many_values_are_kept_or_refused_but_never_half() -> Result<(), Failure> {
    attack(|client, _| {
        let emails: Vec<Value> = (0..5_000)
            .map(|n| json!({"value": format!("{n}@example.com")}))
            .collect();
        let person = json!({"schemas": [USER], "userName": "u".repeat(100_000), "emails": emails});
        let answer = client.json("POST", "/Users", &person)?;
        if answer.status != 201 {
            return scim_error::expect(&answer, &[400, 413], &[]);
        }
        let kept = answer.json()?;
        assert_eq!(
            (&kept["userName"], &kept["emails"]),
            (&person["userName"], &person["emails"])
        );
        client
            .delete(&format!("/Users/{}", kept["id"].as_str().unwrap_or_default()))?
            .expect(204)?;
        Ok(())
    })
}
