//! `export` and `import`: an organization as a file, also when they are interrupted and whatever is in the file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use program::{Place, Server, rows};
use scim::client::{Http1, over_http};
use scim::store::database::Value as Cell;
use scim::testkit::simulate::{Dialect, NoAnswer, Request, Response, Script, Simulation, Through, Transport};
use serde_json::{Value, json};

/// A place where the organization "acme" was provisioned by a provider and exported to a file.
struct Source {
    place: Place,
    token: String,
}

impl Source {
    fn new(flags: &[&str]) -> Self {
        let place = Place::new();
        let created = place.json(&[&["org", "create", "acme"], flags].concat());
        Self {
            token: created["token"].as_str().unwrap().to_owned(),
            place,
        }
    }

    /// Makes an organization with so many people, each with a long title, and a group of them all.
    fn with_people(count: usize) -> Self {
        let source = Self::new(&["--username", "any"]);
        let file = source.place.file("seed", &seed(count));
        let done = source.place.json(&["import", &file, "--org", "acme"]);
        assert_eq!(done["people"], count);
        source
    }

    fn export(&self, name: &str) -> String {
        let file = self.place.path(name);
        self.place.json(&["export", "acme", "--out", &file]);
        file
    }

    fn lines(&self) -> Vec<String> {
        let output = self.place.run(&["export", "acme"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(str::to_owned).collect()
    }
}

/// Makes a file as `export` writes it, of an organization of many people who are all in one group.
fn seed(count: usize) -> String {
    let meta = r#""meta":{"created":"2024-01-01T00:00:00Z","lastModified":"2024-01-02T00:00:00Z","version":"W/\"1\""}"#;
    let mut text = HEAD.to_owned() + "\n";
    for number in 0..count {
        let title = "x".repeat(200);
        text += &format!(
            r#"{{"type":"User","resource":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u{number}","userName":"user{number}","title":"{title}",{meta}}}}}"#
        );
        text.push('\n');
    }
    text += &format!(
        r#"{{"type":"Group","resource":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g","displayName":"All",{meta}}}}}"#
    );
    text.push('\n');
    for numbers in (0..count).collect::<Vec<_>>().chunks(1_000) {
        let ids: Vec<_> = numbers.iter().map(|number| format!("u{number}")).collect();
        let line =
            json!({ "type": "Group", "id": "g", "version": "W/\"1\"", "attribute": "members", "add": ids });
        text += &format!("{line}\n");
    }
    text + &format!(
        r#"{{"end":{{"people":{count},"groups":1,"members":{count},"exported":"2024-01-03T00:00:00Z"}}}}"#
    ) + "\n"
}

const HEAD: &str = r#"{"format":"provisioning-server export","version":1,"organization":{"id":"00000000-0000-7000-8000-000000000007","name":"seed","display":"Seed","enabled":true,"created":"2024-01-01T00:00:00Z","settings":{"username":"any"}}}"#;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns the lines but the first and the last, which say whose they are and when they were written.
fn content(lines: &[String]) -> &[String] {
    &lines[1..lines.len() - 1]
}

/// Returns the lines of people, groups and members.
fn resources(text: &str) -> Vec<&str> {
    let is_other = |line: &&str| {
        ["{\"access\"", "{\"format\"", "{\"end\""]
            .iter()
            .any(|begin| line.starts_with(begin))
    };
    text.lines().filter(|line| !is_other(line)).collect()
}

/// Returns everything that a client sees of an organization, by id. The order of members means nothing.
fn seen(server: &Server, token: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let origin = server.started["listening"].as_str().unwrap();
    for path in ["/Users", "/Groups"] {
        let page = server.acme(token, "GET", &format!("{path}?count=1000"), &Value::Null);
        for resource in page.body["Resources"].as_array().unwrap() {
            let id = resource["id"].as_str().unwrap();
            let answer = server.acme(token, "GET", &format!("{path}/{id}"), &Value::Null);
            let etag = answer
                .head
                .lines()
                .find(|line| line.starts_with("etag:"))
                .unwrap()
                .to_owned();
            let mut body: Value = serde_json::from_str(&answer.text.replace(origin, "")).unwrap();
            for list in ["members", "groups"] {
                if let Some(list) = body[list].as_array_mut() {
                    list.sort_by_key(Value::to_string);
                }
            }
            all.insert(format!("{path}/{id}"), json!([etag, body]));
        }
    }
    all
}

fn token(place: &Place) -> String {
    place.json(&["token", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The way of a provider to an organization that moves to another server on the way.
struct Moving {
    source: Source,
    old: Option<Server>,
    /// The place and server to which it has moved.
    new: Option<(Place, Server)>,
    connections: Through<Http1>,
    /// Requests until it moves.
    left: u32,
}

impl Moving {
    fn after(requests: u32) -> Self {
        let source = Source::new(&[]);
        let server = source.place.serve(&[]);
        Self {
            connections: connections(&server, &source.token),
            old: Some(server),
            source,
            new: None,
            left: requests,
        }
    }

    fn go(&mut self) {
        let file = self.source.export("acme.jsonl");
        let target = Place::new();
        let imported = target.json(&["import", &file]);
        assert_eq!(
            (&imported["created"], &imported["complete"]),
            (&json!(true), &json!(true))
        );
        let (old, new) = (self.old.take().unwrap(), target.serve(&[]));
        let token = token(&target);
        let before = seen(&old, &self.source.token);
        assert!(before.len() > 20, "{} resources", before.len());
        assert!(
            before == seen(&new, &token),
            "ids, versions, times and all values"
        );
        let copy = text(&target.run(&["export", "acme"]).stdout);
        let copy: Vec<_> = copy.lines().map(str::to_owned).collect();
        assert!(content(&copy) == content(&self.source.lines()));
        self.connections = connections(&new, &token);
        self.new = Some((target, new));
    }
}

fn connections(server: &Server, token: &str) -> Through<Http1> {
    let url = format!("{}/scim/acme/v2", server.started["listening"].as_str().unwrap());
    let credentials = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    Through::new(over_http(&url).unwrap().service().clone(), &url).with_header(AUTHORIZATION, credentials)
}

impl Transport for Moving {
    async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
        if self.left == 0 && self.new.is_none() {
            self.go();
        }
        self.left = self.left.saturating_sub(1);
        self.connections.send(request).await
    }

    async fn pause(&mut self, _: Duration) {}
}

/// A provider's next cycle works with what was imported, and all that its dialect has left moves along.
#[tokio::test]
async fn an_organization_moves_to_another_server_in_the_middle_of_a_synchronisation() {
    for dialect in Dialect::ALL {
        let mut way = Moving::after(90);
        let script = Script::seeded(5).people(20).groups(5).changes(40);
        let report = Simulation::new(dialect, script).run(&mut way).await;
        assert!(way.new.is_some(), "{dialect:?}");
        assert!(report.is_success(), "{report}");
    }
}

#[test]
fn settings_move_with_the_organization_and_tokens_do_not() {
    let settings = [
        "--idp",
        "entra",
        "--username",
        "any",
        "--support-contact",
        "Call 7",
        "--history-days",
        "7",
    ];
    let source = Source::new(&[&settings[..], &["--display", "Acme & Söhne"]].concat());
    source.place.json(&["org", "disable", "acme"]);
    let file = source.export("acme.jsonl");
    let target = Place::new();
    let output = target.run(&["import", &file, "--org", "acme-2"]);
    assert!(output.status.success());
    assert!(
        text(&output.stdout).contains("token create acme-2"),
        "{}",
        text(&output.stdout)
    );
    let old = source.place.json(&["org", "show", "acme"]);
    let new = target.json(&["org", "show", "acme-2"]);
    assert_eq!(new["settings"], old["settings"]);
    assert_eq!(
        (&new["display"], &new["enabled"]),
        (&old["display"], &json!(false))
    );
    assert_eq!(new["tokens"], json!([]));
    let whole = fs::read_to_string(&file).unwrap();
    assert!(
        !whole.contains("fingerprint") && !whole.contains("scimp_") && !whole.contains(&source.token),
        "{whole}"
    );
}

/// Feature row 75: what changed people and groups is in the history, an import in one row.
#[test]
fn an_import_is_one_row_of_the_history_that_is_true_at_any_time() {
    let source = Source::with_people(1_200);
    let found = rows(&source.place, "SELECT method, meaning, status FROM history");
    let expected = "imported 1200 people, 1 group and 1200 members";
    assert_eq!(
        found,
        [[
            Cell::Text("IMPORT".to_owned()),
            Cell::Text(expected.to_owned()),
            Cell::Integer(200)
        ]]
    );
    // Each of the people leads to it, however many they are.
    let listed = rows(&source.place, "SELECT subject FROM named WHERE subject <> ''");
    assert_eq!(listed.len(), 1_201);
    for row in [&listed[0], &listed[1_200]] {
        let Cell::Text(id) = &row[0] else {
            panic!("{row:?}")
        };
        let about = source.place.json(&["history", "list", "acme", "--about", id]);
        let requests = about["requests"].as_array().unwrap();
        assert_eq!((requests.len(), &requests[0]["method"]), (1, &json!("IMPORT")));
        let id = requests[0]["id"].as_str().unwrap();
        let shown = source.place.json(&["history", "show", "acme", id]);
        assert!(shown.to_string().contains("201"), "{shown:#}");
    }
    let file = source.place.path("seed");
    let again = source.place.json(&["import", &file, "--org", "acme"]);
    assert_eq!((&again["people"], &again["members"]), (&json!(0), &json!(0)));
    assert_eq!(again["unchanged"], 1_200 + 1 + 2);
    let rows = rows(&source.place, "SELECT 1 FROM history");
    assert_eq!(rows.len(), 1, "who changes nothing leaves no trace");
    assert_eq!(source.place.json(&["check"])["sound"], true);
}

/// Waits until a child has closed its output, and answers with all of it.
fn finish(child: &mut Child) -> (bool, String) {
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (child.wait().unwrap().success(), errors)
}

#[test]
fn an_import_that_was_killed_goes_on_where_it_was() {
    let place = Place::new();
    let whole = seed(3_000);
    let file = place.file("seed.jsonl", &whole);
    let position = |place: &Place| match rows(place, "SELECT lines FROM import_position")[..] {
        [] => 0,
        ref rows => match rows[0][0] {
            Cell::Integer(lines) => lines,
            _ => panic!("no number"),
        },
    };
    place.json(&["org", "create", "other"]);
    let mut child = place.begin_with_input(&["import", "-"]);
    let mut input = child.stdin.take().unwrap();
    // The pipe stays open: the child waits for more when it is killed.
    input.write_all(&whole.as_bytes()[..whole.len() / 2]).unwrap();
    while position(&place) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "{}", finish(&mut child).1);
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let line = position(&place);
    let done = place.json(&["import", &file]);
    assert_eq!(done["resumed_behind_line"], line);
    assert_eq!(done["created"], false);
    assert_eq!(done["complete"], true);
    assert_eq!(done["unchanged"], 0);
    assert_eq!(
        done["people"].as_i64().unwrap(),
        3_000 + 1 - line,
        "the first line is the head"
    );
    let exported = text(&place.run(&["export", "seed"]).stdout);
    let (exported, whole) = (resources(&exported), resources(&whole));
    assert_eq!(exported.len(), whole.len());
    let members = |lines: &[&str]| -> Vec<Value> {
        lines[3_001..3_004]
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    assert!(members(&exported) == members(&whole));
    let meanings = rows(&place, "SELECT meaning FROM history ORDER BY sequence");
    let [first, second] = &meanings[..] else {
        panic!("{meanings:?}")
    };
    let people = |row: &[Cell]| match &row[0] {
        Cell::Text(text) => text.split(' ').nth(1).unwrap().parse::<u32>().unwrap(),
        _ => panic!("no text"),
    };
    assert_eq!(people(first) + people(second), 3_000, "{meanings:?}");
}

#[test]
fn an_export_that_was_killed_goes_on_and_is_as_if_it_had_not_been() {
    let source = Source::with_people(3_000);
    let expected = source.lines();
    let mut child = source.place.begin(&["export", "acme"]);
    let mut begun = Vec::new();
    let stdout = child.stdout.take().unwrap();
    // More than a pipe holds is left: the child is in the middle when it is killed.
    stdout.take(300_001).read_to_end(&mut begun).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let file = source.place.path("acme.jsonl");
    fs::write(&file, &begun).unwrap();
    let refused = source.place.refusal(&["import", &file, "--org", "copy"]).1;
    assert!(
        refused["detail"].as_str().unwrap().contains("lost its end"),
        "{refused}"
    );
    let exported = source.place.json(&["export", "acme", "--out", &file, "--resume"]);
    assert_eq!(exported["resumed_bytes"], 300_001);
    assert_eq!(exported["people"], 3_000);
    let lines: Vec<_> = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(content(&lines), content(&expected));
    assert_eq!(exported["bytes"], fs::metadata(&file).unwrap().len());
}

/// Halves of two states would not fit together: somebody who was deleted and made again would be there twice.
#[test]
fn an_export_that_goes_on_after_changes_is_one_state() {
    let source = Source::with_people(50);
    let file = source.export("acme.jsonl");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 2_000]).unwrap();
    let server = source.place.serve(&[]);
    let send = |method, path: &str, body: Value| server.acme(&source.token, method, path, &body);
    assert_eq!(send("DELETE", "/Users/u30", Value::Null).status, 204);
    let again = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "user30" });
    let again = send("POST", "/Users", again).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let join = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": "members", "value": [{ "value": again }] }],
    });
    assert_eq!(send("PATCH", "/Groups/g", join).status, 200);
    drop(server);
    let exported = source.place.json(&["export", "acme", "--out", &file, "--resume"]);
    assert!(exported["resumed_bytes"].as_u64().unwrap() > 1_000, "{exported}");
    let lines: Vec<_> = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(content(&lines), content(&source.lines()));
    let copied = Place::new().json(&["import", &file]);
    assert_eq!((&copied["people"], &copied["members"]), (&json!(50), &json!(50)));
}

#[test]
fn a_file_is_never_overwritten_by_mistake() {
    let source = Source::with_people(3);
    let other = Source::new(&[]);
    let file = source.export("acme.jsonl");
    let before = fs::read(&file).unwrap();
    let refusal = |place: &Place, arguments: &[&str]| {
        let (code, document) = place.refusal(arguments);
        assert_eq!(code, 1);
        document["detail"].as_str().unwrap().to_owned()
    };
    assert!(refusal(&source.place, &["export", "acme", "--out", &file]).contains("there already"));
    assert!(refusal(&other.place, &["export", "acme", "--out", &file, "--resume"]).contains("no export of"));
    let note = source.place.file("note.txt", "Dear diary\nno JSON");
    assert!(refusal(&source.place, &["export", "acme", "--out", &note, "--resume"]).contains("no export of"));
    assert!(
        refusal(&source.place, &["export", "acme"]).contains("--out"),
        "one document on standard output"
    );
    assert_eq!(source.place.refusal(&["export", "acme", "--resume"]).0, 2);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read_to_string(&note).unwrap(), "Dear diary\nno JSON");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "persons are in it");
    }
}

/// Returns what an import into a new organization says of a file.
fn refused(file: &str) -> (Place, String) {
    let place = Place::new();
    let path = place.file("file.jsonl", file);
    let (code, document) = place.refusal(&["import", &path]);
    assert_eq!(code, 1);
    let detail = document["detail"].as_str().unwrap().to_owned();
    (place, detail)
}

#[test]
fn a_file_that_is_no_export_makes_no_database() {
    for (file, expected) in [
        ("", "no export"),
        ("\u{0}\u{1}\u{2}ÿÿ\n\u{0}\n", "no export"),
        ("{\"schemas\":[]}\n", "no export"),
        (
            &seed(2).replacen("\"version\":1", "\"version\":3", 1),
            "version 3",
        ),
        (&HEAD.replace("\"any\"", "\"none\""), "first line"),
        (&format!("{}\n", "[".repeat(100_000)), "no export"),
        (&seed(2)[..seed(2).len() - 30], "lost its end"),
    ] {
        let (place, detail) = refused(file);
        assert!(detail.contains(expected), "{detail}");
        assert!(!place.database().exists());
    }
}

#[test]
fn a_bad_line_stops_the_import_with_its_number_and_can_be_corrected() {
    let good = seed(5);
    let lines: Vec<&str> = good.lines().collect();
    let deep = format!("{{\"type\":\"User\",\"resource\":{}", "[".repeat(1_000));
    let taken = lines[1].replace("\"u0\"", "\"u9\"");
    for (at, bad, expected) in [
        (
            2,
            "\u{0}garbage",
            "Line 3 cannot be imported: The JSON text is malformed",
        ),
        (2, &deep, "nested deeper"),
        (
            2,
            &lines[2].replace("\"title\"", "\"shoeSize\""),
            "Attribute shoeSize is not known",
        ),
        (2, &taken, "Attribute userName must be unique"),
        (2, &lines[1].replace("xxx", "yyy"), "in another state"),
        (
            7,
            &lines[7].replace("\"u4\"", "\"u8\""),
            "names \"u8\", but there is no User or Group",
        ),
    ] {
        let mut wrong = lines.clone();
        wrong[at] = bad;
        let (place, detail) = refused(&(wrong.join("\n") + "\n"));
        assert!(
            detail.contains(&format!("Line {}", at + 1)) && detail.contains(expected),
            "{detail}"
        );
        let file = place.file("file.jsonl", &good);
        let done = place.json(&["import", &file]);
        assert_eq!(done["resumed_behind_line"], at, "{done}");
        assert_eq!(done["complete"], true);
        let exported = text(&place.run(&["export", "seed"]).stdout);
        assert_eq!(resources(&exported).len(), lines.len() - 2);
    }
}

#[test]
fn bad_lines_can_be_left_out_and_are_listed() {
    let place = Place::new();
    let mut lines: Vec<String> = seed(5).lines().map(str::to_owned).collect();
    lines[2] = "garbage".to_owned();
    lines[3] = format!("\"{}\"", "x".repeat(33 << 20));
    let file = place.file("file.jsonl", &(lines.join("\n") + "\n"));
    let output = place.run(&["import", &file, "--skip-errors", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["people"], &report["groups"], &report["members"]),
        (&json!(3), &json!(1), &json!(0))
    );
    assert_eq!(report["skipped_count"], 3);
    let line = |at: usize| {
        (
            report["skipped"][at]["line"].as_u64(),
            report["skipped"][at]["reason"].as_str().unwrap(),
        )
    };
    assert!(
        line(0).0 == Some(3) && line(0).1.contains("malformed"),
        "{report}"
    );
    assert!(
        line(1).0 == Some(4) && line(1).1.contains("longer than"),
        "{report}"
    );
    assert!(line(2).0 == Some(8) && line(2).1.contains("no User"), "{report}");
    assert_eq!(report["complete"], true);
}

#[test]
fn a_file_that_has_lost_lines_or_its_end_is_not_taken_for_whole() {
    let good = seed(5);
    let lines: Vec<&str> = good.lines().collect();
    let without = [&lines[..3], &lines[4..7], &lines[8..]].concat().join("\n");
    assert!(refused(&without).1.contains("lines are missing"));
    let doubled = [&lines[..3], &lines[2..]].concat().join("\n");
    assert!(refused(&doubled).1.contains("there twice"));
    let two = format!("{good}{good}");
    assert!(refused(&two).1.contains("two files in one"));
    let place = Place::new();
    let cut = place.file("cut.jsonl", &good[..good.len() / 2]);
    let output = place.run(&["import", &cut, "--incomplete", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["complete"], false);
    let begun = report["people"].as_u64().unwrap();
    assert!((1..5).contains(&begun), "{report}");
    let whole = place.file("whole.jsonl", &good);
    let rest = place.json(&["import", &whole]);
    assert_eq!(rest["people"], 5 - begun);
    assert_eq!(rest["resumed_behind_line"], 1 + begun);
}

#[test]
fn another_organization_is_not_mixed_in_unless_that_is_asked_for() {
    let source = Source::with_people(3);
    let file = source.export("acme.jsonl");
    let other = Source::new(&["--username", "any"]);
    let (_, refusal) = other.place.refusal(&["import", &file]);
    assert!(
        refusal["detail"].as_str().unwrap().contains("--org acme"),
        "{refusal}"
    );
    assert!(resources(&other.lines().join("\n")).is_empty());
    let done = other.place.json(&["import", &file, "--org", "acme"]);
    assert_eq!(done["people"], 3);
    // Its own export is welcome: whoever has gone comes back.
    let server = source.place.serve(&[]);
    assert_eq!(
        server
            .acme(&source.token, "DELETE", "/Users/u1", &Value::Null)
            .status,
        204
    );
    let (_, refusal) = source.place.refusal(&["import", &file]);
    let detail = refusal["detail"].as_str().unwrap();
    assert!(
        detail.contains("Line 8") && detail.contains("in another state"),
        "the group has changed: {detail}"
    );
    let back = server.acme(&source.token, "GET", "/Users/u1", &Value::Null);
    assert_eq!(back.status, 200, "while the server runs");
}

/// The rules of an organization hold of those who are imported, too.
#[test]
fn what_an_organization_demands_it_demands_of_an_import() {
    let place = Place::new();
    let file = place.file("seed.jsonl", &seed(2));
    place.json(&["org", "create", "strict"]);
    let (_, refusal) = place.refusal(&["import", &file, "--org", "strict"]);
    let refused = |detail: &str| refusal["detail"].as_str().unwrap().contains(detail);
    assert!(refused("must be an e-mail address"), "{refusal}");
    // The endpoint says the same of the same person.
    let first: Value = serde_json::from_str(seed(2).lines().nth(1).unwrap()).unwrap();
    let token = place.json(&["token", "create", "strict"])["token"].clone();
    let person = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": first["resource"]["userName"],
    });
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let server = place.serve(&[]);
    let answer = server.send("POST", "/scim/strict/v2/Users", &headers, &person.to_string());
    assert_eq!(answer.status, 400);
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(refused(detail), "{refusal} {detail}");
    drop(server);
    place.json(&[
        "org",
        "create",
        "named",
        "--username",
        "any",
        "--unique-group-names",
        "on",
    ]);
    let twin = seed(2).replace(
        r#""end":{"people":2,"groups":1"#,
        r#""end":{"people":2,"groups":2"#,
    );
    let group = twin.lines().nth(3).unwrap();
    let twin = twin.replacen(
        group,
        &format!(
            "{group}\n{}",
            group.replace("\"g\"", "\"h\"").replace("All", "ALL")
        ),
        1,
    );
    let file = place.file("twin.jsonl", &twin);
    let (_, refusal) = place.refusal(&["import", &file, "--org", "named"]);
    let detail = refusal["detail"].as_str().unwrap();
    assert!(
        detail.contains("Line 5") && detail.contains("is taken"),
        "{detail}"
    );
    place.json(&[
        "org",
        "create",
        "mapped",
        "--username",
        "any",
        "--attributes",
        "mapped",
        "--first-login",
        "password-reset",
    ]);
    let file = place.path("seed.jsonl");
    place.json(&["import", &file, "--org", "mapped"]);
    let exported = text(&place.run(&["export", "mapped"]).stdout);
    assert!(
        exported.contains("user1") && !exported.contains("xxx"),
        "what is not kept is left out"
    );
}

#[test]
fn a_deleted_organization_leaves_no_import_behind() {
    let source = Source::with_people(3);
    source.place.json(&["org", "delete", "acme"]);
    assert!(rows(&source.place, "SELECT 1 FROM import_position").is_empty());
    assert!(rows(&source.place, "SELECT 1 FROM provisioned_group").is_empty());
}

#[test]
fn an_export_can_be_read_line_by_line_from_standard_output_and_imported_from_standard_input() {
    let source = Source::with_people(20);
    let mut child = source.place.begin(&["export", "acme"]);
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .collect();
    assert!(child.wait().unwrap().success());
    assert!(
        lines
            .iter()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    let target = Place::new();
    let mut child = target.begin_with_input(&["import", "-", "--json"]);
    child
        .stdin
        .take()
        .unwrap()
        .write_all((lines.join("\n") + "\n").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["people"]), (Some(0), &json!(20)));
}
