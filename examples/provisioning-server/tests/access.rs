//! The product behind reads who may do what, with a token for that alone.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::Answer;
use program::bench::{Bench, texts};
use serde_json::json;

const PATH: &str = "/api/v1/access/ann@x.example";

/// An organization with one person, who has a role by a group, and a token to read that.
struct Behind {
    bench: Bench,
    ann: String,
    token: String,
}

impl Behind {
    fn new() -> Self {
        let bench = Bench::new(&[]);
        let ann = bench.user("Ann@x.example");
        bench.group("Crew", &[&ann]);
        bench.run(&[
            "role",
            "create",
            "acme",
            "Desk",
            "--allow",
            "users:write",
            "--allow",
            "app:tickets",
        ]);
        bench.run(&["mapping", "set", "acme", "Crew", "Desk"]);
        let made = bench.run(&["token", "create", "acme", "--for", "access"]);
        assert_eq!(made["purpose"], "access");
        assert!(
            made["access_url"]
                .as_str()
                .unwrap()
                .ends_with("/api/v1/access/{userName}"),
            "{made}"
        );
        let token = made["token"].as_str().unwrap().to_owned();
        Self { bench, ann, token }
    }

    fn ask(&self, path: &str, more: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [&[("authorization", &*bearer)], more].concat();
        self.bench.server.get(path, &headers)
    }

    /// Asks until another process's change is seen, which takes less than a second.
    fn until(&self, holds: impl Fn(&Answer) -> bool) -> Answer {
        for _ in 0..500 {
            let answer = self.ask(PATH, &[]);
            if holds(&answer) {
                return answer;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        self.ask(PATH, &[])
    }
}

/// Feature row 86: roles and permissions as they are, sorted, by whatever case of the name, and kept by nobody on the way.
#[test]
fn the_product_behind_reads_who_may_do_what() {
    let behind = Behind::new();
    let answer = behind.until(|answer| answer.status == 200);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
    assert!(
        answer.head.contains("content-type: application/json"),
        "{}",
        answer.head
    );
    assert_eq!(
        (&answer.body["user_name"], &answer.body["state"]),
        (&json!("Ann@x.example"), &json!("active"))
    );
    assert_eq!(answer.body["roles"][0]["name"], "Desk");
    assert_eq!(
        texts(&answer.body["permissions"]),
        ["app:tickets", "users:read", "users:write"]
    );
    let nobody = behind.ask("/api/v1/access/eve@x.example", &[]);
    assert_eq!((nobody.status, &nobody.body["error"]), (404, &json!("not_found")));
    let bearer = format!("Bearer {}", behind.token);
    let posted = behind
        .bench
        .server
        .send("POST", PATH, &[("authorization", &bearer)], "{}");
    assert_eq!(posted.status, 405, "{}", posted.text);
    assert!(posted.head.contains("allow: get, head"), "{}", posted.head);
}

/// Feature row 86: whoever has the answer is told that it is the same, and any change makes it another.
#[test]
fn the_answer_has_an_entity_tag() {
    let behind = Behind::new();
    let first = behind.until(|answer| answer.status == 200);
    let tag = |answer: &Answer| {
        let line = answer
            .head
            .lines()
            .find(|line| line.starts_with("etag:"))
            .unwrap();
        line["etag:".len()..].trim().to_owned()
    };
    let old = tag(&first);
    for known in [old.clone(), format!("\"x\", W/{old}"), "*".to_owned()] {
        let same = behind.ask(PATH, &[("if-none-match", &known)]);
        assert_eq!((same.status, &*same.text), (304, ""), "{known}");
    }
    // A change over SCIM is seen by the very next request.
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(
        behind.bench.patch(&format!("/Users/{}", behind.ann), &off).status,
        200
    );
    let disabled = behind.ask(PATH, &[("if-none-match", &old)]);
    assert_eq!(disabled.status, 200);
    assert_ne!(tag(&disabled), old);
    assert_eq!(
        (
            &disabled.body["state"],
            &disabled.body["roles"],
            &disabled.body["permissions"]
        ),
        (&json!("disabled"), &json!([]), &json!([]))
    );
    let on = json!([{ "op": "replace", "path": "active", "value": true }]);
    assert_eq!(
        behind.bench.patch(&format!("/Users/{}", behind.ann), &on).status,
        200
    );
    behind.bench.run(&[
        "user",
        "suspend",
        "acme",
        "Ann@x.example",
        "--reason",
        "Laptop lost",
    ]);
    let suspended = behind.until(|answer| answer.body["state"] == "suspended");
    assert_eq!(
        (&suspended.body["state"], &suspended.body["roles"]),
        (&json!("suspended"), &json!([]))
    );
    behind.bench.delete(&format!("/Users/{}", behind.ann));
    assert_eq!(behind.ask(PATH, &[]).status, 404);
}

/// Feature row 86: a token is good for its purpose alone, each is rotated by itself, and the error says which is needed.
#[test]
fn a_token_is_for_one_purpose() {
    let behind = Behind::new();
    let bench = &behind.bench;
    assert_eq!(behind.until(|answer| answer.status == 200).status, 200);
    let scim = bench
        .server
        .get(PATH, &[("authorization", &format!("Bearer {}", bench.token))]);
    assert_eq!(scim.status, 401);
    assert!(scim.detail().contains("--for access"), "{}", scim.text);
    assert!(scim.head.contains("www-authenticate: bearer"), "{}", scim.head);
    let access = bench.server.scim("acme", &behind.token);
    assert_eq!(access.status, 401);
    assert!(access.detail().contains("not for SCIM"), "{}", access.text);
    for (headers, status) in [
        (vec![], 401),
        (vec![("authorization", "Bearer nonsense")], 401),
        (vec![("authorization", "Basic eDp5")], 401),
    ] {
        assert_eq!(bench.server.get(PATH, &headers).status, status);
    }
    bench.run(&["token", "rotate", "acme", "--for", "access"]);
    assert_eq!(behind.until(|answer| answer.status == 401).status, 401);
    assert_eq!(bench.get("/Users").status, 200, "the provider's token stays");
}

/// Feature row 86: a token that another process has made is good as soon as it is shown.
#[test]
fn a_token_is_good_at_once() {
    let behind = Behind::new();
    assert_eq!(behind.ask(PATH, &[]).status, 200);
    for number in 0..5 {
        let name = format!("other-{number}");
        behind.bench.run(&["org", "create", &name]);
        // By now the server has read all that was written.
        assert_eq!(behind.ask(PATH, &[]).status, 200);
        let made = behind.bench.run(&["token", "create", &name, "--for", "access"]);
        let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
        let answer = behind.bench.server.get(PATH, &[("authorization", &bearer)]);
        assert_eq!(answer.status, 404, "nobody of this name: {}", answer.text);
    }
}

/// Feature row 106: a token is taken back by itself, wherever it was found and whatever it is for.
#[test]
fn a_token_is_taken_back_by_its_value() {
    use std::io::Write as _;
    let behind = Behind::new();
    let revoke = |text: &str| {
        let mut child = behind
            .bench
            .place
            .begin_with_input(&["token", "revoke", "--value-stdin", "--json"]);
        let mut input = child.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    for (text, word) in [("scimp_x\n", "invalid"), ("", "invalid")] {
        let (code, said) = revoke(text);
        assert!(code == Some(1) && said.contains(word), "{said}");
    }
    for token in [&behind.token, &behind.bench.token] {
        let (code, said) = revoke(&format!("{token}\n"));
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("\"organization\": \"acme\"") && !said.contains(&token[10..]),
            "{said}"
        );
        let (code, said) = revoke(token);
        assert!(code == Some(1) && said.contains("not live any more"), "{said}");
    }
    assert_eq!(behind.until(|answer| answer.status == 401).status, 401);
    assert_eq!(behind.bench.run(&["check"])["sound"], true);
}
