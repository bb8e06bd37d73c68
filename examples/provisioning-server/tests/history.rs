//! `history`, `connection` and the settings that say what is kept of requests, and for how long.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

mod program;

use program::bench::{Bench, GROUP, USER};
use program::{Place, rows};
use scim::store::database::Value as Cell;
use serde_json::{Value, json};

fn meanings(listed: &Value) -> Vec<&str> {
    let requests = listed["requests"].as_array().unwrap();
    requests
        .iter()
        .map(|request| request["meaning"].as_str().unwrap())
        .collect()
}

fn list(place: &Place, flags: &[&str]) -> Value {
    place.json(&[&["history", "list", "acme"], flags].concat())
}

/// Feature row 64: the list with its filters, newest first, page by page.
#[test]
fn requests_are_found_by_outcome_path_subject_and_time() {
    let bench = Bench::new(&[]);
    let ann = bench.hire("ann@example.com");
    let bob = bench.hire("bob@example.com");
    let crew = bench.group("Crew", &[&ann]);
    let twice = json!({ "schemas": [USER], "userName": "ANN@example.com" });
    assert_eq!(bench.send("POST", "/Users", &twice).status, 409);
    assert_eq!(bench.send("GET", "/Groups/none", &Value::Null).status, 404);
    bench.patch(
        &format!("/Groups/{crew}"),
        &json!([{ "op": "add", "path": "members", "value": [{ "value": bob }] }]),
    );
    bench.send("GET", "/Schemas", &Value::Null);
    bench.send("DELETE", &format!("/Users/{ann}"), &Value::Null);
    let place = bench.end();

    let all = [
        "deleted user ann@example.com",
        "read what the service can do",
        "added 1 member to Crew",
        "not found: read a group",
        "rejected: create a user",
        "created group Crew with 1 member",
        "created user bob@example.com",
        "created user ann@example.com",
    ];
    assert_eq!(meanings(&list(&place, &[])), all);
    let of = |flags: &[&str], places: &[usize]| {
        let expected: Vec<_> = places.iter().map(|place| all[*place]).collect();
        assert_eq!(meanings(&list(&place, flags)), expected, "{flags:?}");
    };
    of(&["--only", "errors"], &[3, 4]);
    of(&["--only", "success"], &[0, 1, 2, 5, 6, 7]);
    of(&["--path", "/Users"], &[0, 4, 6, 7]);
    of(&["--path", "/Users", "--only", "errors"], &[4]);
    of(&["--path", &format!("/Groups/{crew}")], &[2, 5]);
    // By id, by the provider's id, by name: also of somebody who is gone, and of whom was asked for in vain.
    of(&["--about", &ann], &[0, 5, 7]);
    of(&["--user", "x-ann@example.com"], &[0, 5, 7]);
    of(&["--user", "Ann@Example.com"], &[0, 4, 5, 7]);
    of(&["--about", "Ann@Example.com", "--only", "errors"], &[4]);
    of(&["--about", &bob], &[2, 6]);
    of(&["--group", "crew", "--path", "/Groups"], &[2, 5]);
    of(&["--since", "2999-01-01"], &[]);
    of(&["--until", "2020-01-31"], &[]);
    of(
        &[
            "--since",
            "2020-01-31",
            "--until",
            "2999-12-31T00:00:00Z",
            "--limit",
            "1",
        ],
        &[0],
    );

    let mut seen = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let mut flags = vec!["--limit", "3"];
        flags.extend(before.iter().flat_map(|id| ["--before", id.as_str()]));
        let page = list(&place, &flags);
        seen.extend(meanings(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => before = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let (code, refusal) = place.refusal(&["history", "list", "acme", "--since", "yesterday"]);
    assert_eq!(code, 2);
    assert!(
        refusal["detail"]
            .as_str()
            .unwrap()
            .contains("is not a valid time; expected")
    );
}

/// Feature row 66: the id in the answer, or that of the provider's own log, leads to the request.
#[test]
fn a_request_is_found_by_the_id_in_its_answer() {
    let bench = Bench::new(&[]);
    let authorization = format!("Bearer {}", bench.token);
    let asked = |id: &str| {
        let headers = [("authorization", authorization.as_str()), ("x-request-id", id)];
        bench.server.get("/scim/acme/v2/Users/none", &headers)
    };
    assert!(asked("entra-7").head.contains("x-request-id: entra-7"));
    let other = asked("");
    let id = other
        .head
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "))
        .unwrap();
    let id = id.to_owned();
    let place = bench.end();
    let shown = place.json(&["history", "show", "acme", "entra-7"]);
    assert_eq!(
        (&shown["request_id"], &shown["status"]),
        (&json!("entra-7"), &json!(404))
    );
    let shown = place.json(&["history", "show", "acme", shown["id"].as_str().unwrap()]);
    assert_eq!(shown["request_id"], "entra-7");
    let shown = place.json(&["history", "show", "acme", &id]);
    assert_eq!(
        (&shown["id"], &shown["touched"]["subjects"]),
        (&json!(id), &json!(["none"]))
    );
    let (code, refusal) = place.refusal(&["history", "show", "acme", "nothing"]);
    assert_eq!((code, &refusal["error"]), (1, &json!("not_found")));
}

/// Feature row 76: a change of members is linked with each of them, at most 1,000, and says how many more there were.
#[test]
fn a_change_of_members_leads_to_each_of_them() {
    let bench = Bench::new(&[]);
    let people: Vec<_> = (0..1_003)
        .map(|n| bench.hire(&format!("u{n}@example.com")))
        .collect();
    let named: Vec<_> = people.iter().map(String::as_str).collect();
    let members: Vec<_> = named.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({ "schemas": [GROUP], "displayName": "Crew", "members": members });
    let crew = bench.make("/Groups?excludedAttributes=members", &body);
    bench.patch(
        &format!("/Groups/{crew}"),
        &json!([{ "op": "remove", "path": "members", "value": [{ "value": people[0] }] }]),
    );
    let place = bench.end();
    let made = list(&place, &["--about", "Crew"]);
    assert_eq!(
        meanings(&made),
        ["removed 1 member of Crew", "created group Crew with 1003 members"]
    );
    let id = |n: usize| made["requests"][n]["id"].as_str().unwrap();
    let removed = place.json(&["history", "show", "acme", id(0)]);
    assert_eq!(
        removed["touched"],
        json!({ "subjects": [crew, people[0]], "more": 0 })
    );
    let created = place.json(&["history", "show", "acme", id(1)]);
    assert_eq!(created["touched"]["more"], 3);
    assert_eq!(created["touched"]["subjects"].as_array().unwrap().len(), 1_001);
    let linked = |person: &str| meanings(&list(&place, &["--about", person])).len();
    assert_eq!(
        people.iter().filter(|person| linked(person) >= 2).take(3).count(),
        3
    );
    assert_eq!(place.json(&["check"])["sound"], true);
}

/// Returns the number of rows of a table.
fn count(place: &Place, sql: &'static str) -> usize {
    let found = rows(place, sql);
    (0..)
        .find(|count| found[0][0] == Cell::Integer(*count))
        .unwrap()
        .try_into()
        .unwrap()
}

/// Feature row 75: bodies of requests that failed are kept without secrets; of others, while that is asked for.
#[test]
fn bodies_are_kept_masked_as_the_settings_say() {
    let bench = Bench::new(&[]);
    let token = bench.token.clone();
    let body = |name: &str| json!({ "schemas": [USER], "userName": name, "password": "hunter2", "title": "Pilot", "nickName": token });
    bench.make("/Users", &body("ann@example.com"));
    assert_eq!(bench.send("POST", "/Users", &body("ann@example.com")).status, 409);
    let place = bench.end();
    place.json(&[
        "org",
        "set",
        "acme",
        "--capture-bodies",
        "on",
        "--failed-bodies",
        "off",
    ]);
    let bench = Bench::on(place, token.clone());
    bench.make("/Users", &body("bob@example.com"));
    assert_eq!(bench.send("POST", "/Users", &body("bob@example.com")).status, 409);
    let place = bench.end();

    let kept = rows(&place, "SELECT body FROM request_body ORDER BY sequence");
    let text = format!("{kept:?}");
    assert!(
        text.contains("Pilot") && text.contains("ann@example.com"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
    let listed = list(&place, &[]);
    let shown = |n: usize| {
        let id = listed["requests"][n]["id"].as_str().unwrap();
        place.json(&["history", "show", "acme", id])["body"].clone()
    };
    assert_eq!(meanings(&listed)[3], "created user ann@example.com");
    assert_eq!((shown(3), shown(0)), (Value::Null, Value::Null));
    for n in [2, 1] {
        let body: Value = serde_json::from_str(shown(n).as_str().unwrap()).unwrap();
        assert_eq!(
            (&body["password"], &body["title"]),
            (&json!("…"), &json!("Pilot"))
        );
        assert_eq!(body["nickName"], "scimp_…");
    }
    // After a day they are gone, and their requests are not.
    place.execute("UPDATE request_body SET sequence = CAST(x'01900000' || substr(sequence, 5) AS BLOB)");
    let removed = place.json(&["history", "purge", "acme"]);
    assert_eq!(count(&place, "SELECT count(*) FROM request_body"), 0, "{removed}");
    assert_eq!(count(&place, "SELECT count(*) FROM request"), 4);
}

/// Feature row 79: the tolerances that acted, and the attributes that were sent and not kept, summed up over the last day.
#[test]
fn tolerances_are_summed_up() {
    let bench = Bench::new(&["--attributes", "mapped"]);
    for n in 0..3 {
        let name = format!("u{n}@example.com");
        bench.make(
            "/Users",
            &json!({ "schemas": [USER], "userName": name, "title": "Pilot", "shoeSize": 7 }),
        );
    }
    let place = bench.end();
    let card = place.json(&["connection", "show", "acme"]);
    let needed: Vec<_> = card["tolerances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|needed| {
            (
                needed["tolerance"].as_str().unwrap(),
                needed["subject"].as_str().unwrap(),
                needed["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        needed,
        [("not-kept", "title", 3), ("unknown-names", "shoeSize", 3)]
    );
    let id = list(&place, &["--limit", "1"])["requests"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let notes = place.json(&["history", "show", "acme", &id])["notes"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        notes.contains("not kept: title") && notes.contains("shoeSize"),
        "{notes}"
    );
    // The uses of yesterday are not counted.
    place.execute("UPDATE tolerance_use SET hour = hour - 25");
    assert_eq!(
        place.json(&["connection", "show", "acme"])["tolerances"],
        json!([])
    );
}

/// Feature row 74: the card goes from state to state.
#[test]
fn the_connection_card_says_how_it_stands() {
    let place = Place::new();
    let token = place.json(&["org", "create", "acme", "--idp", "entra"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let state = |place: &Place| {
        place.json(&["connection", "show", "acme"])["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(state(&place), "waiting");
    place.json(&["org", "disable", "acme"]);
    assert_eq!(state(&place), "not-configured");
    place.json(&["org", "enable", "acme"]);
    let bench = Bench::on(place, token);
    let ann = bench.hire("ann@example.com");
    bench.group("Crew", &[&ann]);
    let place = bench.end();
    let card = place.json(&["connection", "show", "acme"]);
    assert_eq!(
        (&card["state"], &card["users"], &card["groups"]),
        (&json!("connected"), &json!(1), &json!(1))
    );
    assert_eq!((&card["requests"], &card["errors"]), (&json!(2), &json!(0)));
    assert!(card["first_request"].is_string() && card["last_request"].is_string());

    let token = place.json(&["token", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let bench = Bench::on(place, token);
    assert_eq!(bench.send("GET", "/Users/none", &Value::Null).status, 404);
    let place = bench.end();
    let card = place.json(&["connection", "show", "acme"]);
    assert_eq!((&card["state"], &card["errors"]), (&json!("errors"), &json!(1)));
    place.execute("UPDATE connection SET last = last - 90000000000, first = first - 90000000000");
    assert_eq!(state(&place), "stale");
}

/// Feature row 75: what is older than it is kept ends, by command and by a server, and nothing leads to it any more.
#[test]
fn what_is_older_than_it_is_kept_ends() {
    let bench = Bench::new(&["--history-days", "30"]);
    let ann = bench.hire("ann@example.com");
    let place = bench.end();
    let age = |place: &Place| {
        place.execute(
            "UPDATE request SET sequence = CAST(x'01900000' || substr(sequence, 5) AS BLOB), time = 0",
        );
        place.execute(
            "UPDATE event SET sequence = CAST(x'01900000' || substr(sequence, 5) AS BLOB), time = 0",
        );
    };
    age(&place);
    assert_eq!(meanings(&list(&place, &[])).len(), 1);
    let last = place.json(&["event", "list", "acme"])["cursor"].clone();
    let last = last.as_str().unwrap();
    let early = "0".repeat(last.len());
    let removed = place.json(&["history", "purge", "acme"]);
    assert_eq!(
        (&removed["requests"], &removed["events"], &removed["audit"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert!(meanings(&list(&place, &[])).is_empty());
    for sql in [
        "SELECT count(*) FROM named",
        "SELECT count(*) FROM named_period",
        "SELECT count(*) FROM subject_name",
    ] {
        assert_eq!(count(&place, sql), 0, "{sql}");
    }
    assert_eq!(place.json(&["event", "list", "acme"])["events"], json!([]));
    // A reader who has seen all misses nothing; one who has not is told how to go on.
    let read = place.json(&["event", "list", "acme", "--after", last]);
    assert_eq!(read["cursor"], last);
    let (code, gone) = place.refusal(&["event", "list", "acme", "--after", &early]);
    assert_eq!((code, &gone["error"]), (1, &json!("gone")));
    assert!(
        gone["detail"]
            .as_str()
            .unwrap()
            .contains(&format!("Note the cursor {last}")),
        "{gone}"
    );
    let audit = place.json(&["audit", "list", "acme"]);
    assert_eq!(audit["changes"][0]["action"], "history.purge");
    assert_eq!(audit["changes"][0]["detail"]["requests"], 1);
    assert_eq!(place.json(&["check"])["sound"], true);

    // A server does the same by itself.
    let token = place.json(&["token", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let bench = Bench::on(place, token);
    bench.send("DELETE", &format!("/Users/{ann}"), &Value::Null);
    let place = bench.end();
    age(&place);
    place.json(&["org", "set", "acme", "--history-days", "3650"]);
    let unpurged = |place: &Place| count(place, "SELECT count(*) FROM request");
    drop(place.serve(&[]));
    assert_eq!(unpurged(&place), 1);
    place.json(&["org", "set", "acme", "--history-days", "1", "--confirm", "acme"]);
    let server = place.serve(&[]);
    let begun = std::time::Instant::now();
    while unpurged(&place) > 0 {
        assert!(begun.elapsed().as_secs() < 30, "it is still there");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop(server);
    assert_eq!(place.json(&["check"])["sound"], true);
}

/// Feature row 81: history and audit log as CSV that no spreadsheet takes for formulas, and as JSON lines.
#[test]
fn history_and_audit_log_are_exported() {
    let bench = Bench::new(&["--username", "any"]);
    bench.hire("=1+1,\"x\"");
    for n in 0..1_200 {
        assert_eq!(
            bench.send("GET", &format!("/Users/none{n}"), &Value::Null).status,
            404
        );
    }
    let place = bench.end();
    let lines = |arguments: &[&str]| {
        let output = place.run(arguments);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let csv = lines(&["history", "export", "acme"]);
    assert_eq!(csv.len(), 1_202);
    assert!(
        csv[0].starts_with("\"id\",\"time\",\"method\",\"path\""),
        "{}",
        csv[0]
    );
    assert!(
        csv[1_201].contains("\"created user =1+1,\"\"x\"\"\""),
        "{}",
        csv[1_201]
    );
    let jsonl = lines(&[
        "history", "export", "acme", "--format", "jsonl", "--only", "errors",
    ]);
    assert_eq!(jsonl.len(), 1_200);
    let first: Value = serde_json::from_str(&jsonl[0]).unwrap();
    assert_eq!(
        (&first["status"], &first["resource_id"]),
        (&json!(404), &json!("none1199"))
    );
    let written = place.json(&["history", "export", "acme", "--out", "h.csv"]);
    assert_eq!(
        written["bytes"],
        std::fs::metadata(place.path("h.csv")).unwrap().len()
    );
    let (code, refusal) = place.refusal(&["history", "export", "acme", "--out", "h.csv"]);
    assert_eq!((code, &refusal["error"]), (1, &json!("conflict")));

    let purge = place.run_with(&[("USER", "=cmd()")], &["history", "purge", "acme"]);
    assert!(purge.status.success());
    let csv = lines(&["audit", "export", "acme"]);
    let newest = &csv[1];
    assert!(
        newest.contains("\"operator\",\"'=cmd()\",\"history.purge\",\"organization\""),
        "{newest}"
    );
    let jsonl = lines(&["audit", "export", "acme", "--format", "jsonl"]);
    let row: Value = serde_json::from_str(&jsonl[0]).unwrap();
    assert_eq!(
        (&row["actor"], &row["action"]),
        (&json!("=cmd()"), &json!("history.purge"))
    );
}

/// Feature rows 75, 76, 79, 80, 81: the check finds what history, events and audit log must not say.
#[test]
fn the_check_finds_what_does_not_belong_together() {
    let bench = Bench::new(&[]);
    let ann = bench.hire("ann@example.com");
    bench.group("Crew", &[&ann]);
    let place = bench.end();
    place.json(&["history", "purge", "acme"]);
    assert_eq!(place.json(&["check"])["sound"], true);
    for (damage, repair, finding) in [
        (
            "UPDATE named SET sequence = x'00'",
            "DELETE FROM named WHERE sequence = x'00'",
            "1 names of members in the history lead to no request",
        ),
        (
            "UPDATE request SET period = 9",
            "UPDATE request SET period = 0",
            "2 requests are not found by the resource that they are about",
        ),
        (
            "INSERT INTO named SELECT org, 9, resource_id, sequence, 1 FROM request LIMIT 1",
            "DELETE FROM named",
            "1 links of the history are not counted as they must be",
        ),
        (
            "UPDATE request SET failed = 1",
            "UPDATE request SET failed = 0",
            "2 requests are found with the wrong outcome",
        ),
        (
            "UPDATE event SET kind = 'user.born' WHERE kind = 'user.created'",
            "UPDATE event SET kind = 'user.created' WHERE kind = 'user.born'",
            "1 events cannot be read",
        ),
        (
            "UPDATE event SET data = '[]' WHERE kind = 'user.created'",
            "UPDATE event SET data = '{}' WHERE kind = 'user.created'",
            "1 events cannot be read",
        ),
        (
            "UPDATE audit SET actor_kind = 'ghost' WHERE sequence = (SELECT min(sequence) FROM audit)",
            "UPDATE audit SET actor_kind = 'operator'",
            "1 rows of the audit log cannot be read",
        ),
        (
            "INSERT INTO subject_name VALUES (x'01', 'a', 'b')",
            "DELETE FROM subject_name WHERE org = x'01'",
            "1 rows of subject_name belong to no organization",
        ),
    ] {
        place.execute(damage);
        let output = place.run(&["check", "--json"]);
        let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = checked["findings"].to_string();
        assert!(findings.contains(finding), "{damage}: {findings}");
        place.execute(repair);
        assert_eq!(place.json(&["check"])["sound"], true, "{repair}");
    }
}
