//! The largest work that is none of an attack: it passes, and how long it takes.

use std::time::Instant;

use scim_tests::abuse::FLAGS;
use scim_tests::export_file::id;
use scim_tests::http::{Client, Request, Response, percent_encode};
use scim_tests::process::anonymous;
use scim_tests::server::Server;
use scim_tests::{Failure, check};
use serde_json::{Value, json};

/// People of the organization that is searched.
const PEOPLE: usize = 100_000;

/// Members of a group that is sent in one body of nearly 16 MiB.
const MEMBERS: usize = 95_000;

/// Members that one operation may carry.
const PORTION: usize = 100_000;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Runs all of it, with a group of so many members, and prints how long each took.
pub(super) fn all(server: &Server, members: usize) -> Result<(), Failure> {
    bodies_and_filters(server)?;
    a_large_group(server, members)?;
    let memory = anonymous(server.pid())?;
    println!("The server takes {memory:.0} MB afterwards.");
    Ok(())
}

/// Makes an organization of people with an address each, and a group of all.
fn organization(server: &Server, name: &str, people: usize) -> Result<Client, Failure> {
    let organization = server.organization(name, &FLAGS)?;
    let began = Instant::now();
    server.import(name, |file| {
        for n in 0..people {
            let email = format!(r#","emails":[{{"value":"user{n}@example.com","type":"work"}}]"#);
            file.person(&id('a', n), &format!("user{n}@example.com"), &email)?;
        }
        file.group(&id('c', 0), "Everyone")?;
        file.members(&id('c', 0), (0..people).map(|n| id('a', n)))
    })?;
    print(&format!("import {people} people and a group of all"), began, "");
    organization.client()
}

fn bodies_and_filters(server: &Server) -> Result<(), Failure> {
    let mut client = organization(server, "large", PEOPLE)?;
    let made = step(
        &mut client,
        "POST",
        "/Groups",
        Some(&group(0..MEMBERS, true)),
        201,
    )?;
    let location = made.header("location").unwrap_or_default();
    let group_id = location.rsplit('/').next().unwrap_or_default().to_owned();
    let path = format!("/Groups/{group_id}");
    step(&mut client, "GET", &path, None, 200)?;
    step(&mut client, "PUT", &path, Some(&group(1..MEMBERS + 1, true)), 200)?;
    let titles = (0..1_000).map(|n| json!({"op": "replace", "path": "title", "value": n.to_string()}));
    step(
        &mut client,
        "PATCH",
        &format!("/Users/{}", id('a', 0)),
        Some(&patch(titles)),
        200,
    )?;
    let removes =
        (1..=1_000).map(|n| json!({"op": "remove", "path": format!("members[value eq \"{}\"]", id('a', n))}));
    step(&mut client, "PATCH", &path, Some(&patch(removes)), 204)?;
    let adds = (1..=1_000).map(|n| json!({"op": "add", "path": "members", "value": [{"value": id('a', n)}]}));
    step(&mut client, "PATCH", &path, Some(&patch(adds)), 204)?;
    for (attribute, operator) in [("emails.value", "co"), ("userName", "eq")] {
        let terms = (0..256).map(|n| format!("{attribute} {operator} \"nobody{n}\""));
        let filter = terms.collect::<Vec<_>>().join(" or ");
        let target = format!("/Users?count=1&filter={}", percent_encode(&filter));
        step(&mut client, "GET", &target, None, 200)?;
    }
    Ok(())
}

/// Reads a group and replaces its members in as many requests as the limits ask for.
fn a_large_group(server: &Server, members: usize) -> Result<(), Failure> {
    let mut client = organization(server, "largest", members)?;
    let path = format!("/Groups/{}", id('c', 0));
    step(&mut client, "GET", &path, None, 200)?;
    for (number, begin) in (0..members).step_by(PORTION).enumerate() {
        let some = begin..(begin + PORTION).min(members);
        let op = if number == 0 { "replace" } else { "add" };
        let operation = json!({"op": op, "path": "members", "value": values(some, false)});
        step(
            &mut client,
            "PATCH",
            &path,
            Some(&patch([operation].into_iter())),
            204,
        )?;
    }
    let answer = step(&mut client, "GET", &path, None, 200)?;
    let count = answer
        .json()?
        .get("members")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    check(count == members, || format!("the group has {count} members"))
}

fn group(members: std::ops::Range<usize>, are_described: bool) -> Value {
    json!({"schemas": [GROUP], "displayName": "Large", "members": values(members, are_described)})
}

fn values(members: std::ops::Range<usize>, are_described: bool) -> Vec<Value> {
    let member = |n| match are_described {
        true => json!({
            "value": id('a', n),
            "display": format!("Person Number {n} of the Directory"),
            "type": "User",
            "$ref": format!("../Users/{}", id('a', n)),
        }),
        false => json!({"value": id('a', n)}),
    };
    members.map(member).collect()
}

fn patch(operations: impl Iterator<Item = Value>) -> Value {
    json!({"schemas": [PATCH], "Operations": operations.collect::<Vec<_>>()})
}

/// Sends a request, which must be answered with this status.
fn step(
    client: &mut Client,
    method: &str,
    target: &str,
    body: Option<&Value>,
    status: u16,
) -> Result<Response, Failure> {
    let body = body.map(Value::to_string);
    let length = body.as_ref().map_or(0, String::len);
    let request = Request::new(method, target);
    let request = match body {
        Some(body) => request.scim(body),
        None => request,
    };
    let began = Instant::now();
    let answer = client.send(&request)?.expect(status)?;
    let place = target.get(..40).unwrap_or(target);
    let bytes = answer.body.len();
    print(
        &format!("{method} {place}"),
        began,
        &format!("{length} bytes sent, {status} with {bytes} bytes"),
    );
    Ok(answer)
}

fn print(name: &str, began: Instant, more: &str) {
    println!("{name:60} | {:>7.2} s | {more}", began.elapsed().as_secs_f64());
}
