//! Mistakes that other SCIM servers have made, over HTTP.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a `serde_json::Value` gives `Null` for what is not there"
)]

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use scim_tests::http::{Client, Request, Response};
use scim_tests::server::{Organization, Server};
use scim_tests::{Failure, check, scim_error};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn organization(server: &Server) -> Result<Organization, Failure> {
    server.organization(
        "traps",
        &["--idp", "other", "--username", "any", "--policy", "tolerant"],
    )
}

fn started() -> Result<(Server, Organization, Client), Failure> {
    let server = Server::start()?;
    let organization = organization(&server)?;
    let client = organization.client()?;
    Ok((server, organization, client))
}

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

fn patch(operations: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

fn id(resource: &Value) -> Result<&str, Failure> {
    resource["id"]
        .as_str()
        .ok_or_else(|| Failure::new(format!("no id in {resource}")))
}

fn create(client: &mut Client, endpoint: &str, resource: &Value) -> Result<Value, Failure> {
    client.json("POST", endpoint, resource)?.expect(201)?.json()
}

fn read(client: &mut Client, target: &str) -> Result<Value, Failure> {
    client.get(target)?.expect(200)?.json()
}

fn create_users(client: &mut Client, number: usize) -> Result<Vec<String>, Failure> {
    (0..number)
        .map(|n| Ok(id(&create(client, "/Users", &user(&format!("member-{n}")))?)?.to_owned()))
        .collect()
}

/// Creates a group with these members and returns its path.
fn create_group(client: &mut Client, members: &[String]) -> Result<String, Failure> {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    let group = json!({"schemas": [GROUP], "displayName": "Trap", "members": members});
    Ok(format!("/Groups/{}", id(&create(client, "/Groups", &group)?)?))
}

fn members(group: &Value) -> BTreeSet<String> {
    let members = group["members"].as_array().into_iter().flatten();
    members
        .filter_map(|member| member["value"].as_str())
        .map(str::to_owned)
        .collect()
}

fn set(ids: &[String]) -> BTreeSet<String> {
    ids.iter().cloned().collect()
}

fn success(response: &Response) -> Result<(), Failure> {
    check(matches!(response.status, 200 | 204), || {
        format!("wanted success, got {response}")
    })
}

/// Sends one request per element at the same moment, each over a connection of its own.
fn at_once<T: Sync>(
    organization: &Organization,
    inputs: &[T],
    send: impl Fn(&mut Client, &T) -> Result<Response, Failure> + Sync,
) -> Result<Vec<Response>, Failure> {
    let start = Barrier::new(inputs.len());
    thread::scope(|scope| {
        let sending: Vec<_> = inputs
            .iter()
            .map(|input| {
                scope.spawn(|| {
                    let client = organization.client();
                    start.wait();
                    send(&mut client?, input)
                })
            })
            .collect();
        let joined = sending
            .into_iter()
            .map(|thread| thread.join().map_err(|_| Failure::new("a sender panicked"))?);
        joined.collect()
    })
}

#[test]
fn a_patch_that_excludes_members_from_its_answer_loses_none_of_them() -> Result<(), Failure> {
    let (_server, _, mut client) = started()?;
    let people = create_users(&mut client, 3)?;
    let group = create_group(&mut client, &people)?;
    for projection in ["excludedAttributes=members", "attributes=displayName"] {
        let rename = patch(&json!([{"op": "replace", "path": "displayName", "value": projection}]));
        let answer = client.json("PATCH", &format!("{group}?{projection}"), &rename)?;
        success(&answer)?;
        if answer.status == 200 {
            assert_eq!(answer.json()?.get("members"), None, "{projection}");
        }
        let after = read(&mut client, &group)?;
        assert_eq!(after["displayName"], projection);
        assert_eq!(members(&after), set(&people), "{projection}");
    }
    let renamed =
        json!({"schemas": [GROUP], "displayName": "Put", "members": read(&mut client, &group)?["members"]});
    success(&client.json("PUT", &format!("{group}?excludedAttributes=members"), &renamed)?)?;
    assert_eq!(members(&read(&mut client, &group)?), set(&people));
    Ok(())
}

#[test]
fn remove_with_a_value_array_removes_only_those_members() -> Result<(), Failure> {
    let (_server, _, mut client) = started()?;
    let people = create_users(&mut client, 4)?;
    let group = create_group(&mut client, &people)?;
    let (gone, kept) = people.split_at(2);
    let gone: Vec<Value> = gone.iter().map(|id| json!({"$ref": null, "value": id})).collect();
    let remove = patch(&json!([{"op": "Remove", "path": "members", "value": gone}]));
    success(&client.json("PATCH", &group, &remove)?)?;
    assert_eq!(members(&read(&mut client, &group)?), set(kept));
    // Once more: who is not a member cannot be removed again, and nobody else leaves.
    success(&client.json("PATCH", &group, &remove)?)?;
    assert_eq!(members(&read(&mut client, &group)?), set(kept));
    Ok(())
}

#[test]
fn a_create_with_an_id_of_the_client_overwrites_nothing() -> Result<(), Failure> {
    let (_server, _, mut client) = started()?;
    let first = create(&mut client, "/Users", &user("first"))?;
    let path = format!("/Users/{}", id(&first)?);
    let before = read(&mut client, &path)?;
    let mut second = user("second");
    second["id"] = first["id"].clone();
    second["meta"] = json!({"created": "2001-01-01T00:00:00Z", "version": "W/\"mine\""});
    let second = create(&mut client, "/Users", &second)?;
    assert_ne!(second["id"], first["id"]);
    assert_ne!(second["meta"]["created"], "2001-01-01T00:00:00Z");
    assert_eq!(read(&mut client, &path)?, before);
    assert_eq!(read(&mut client, "/Users")?["totalResults"], 2);
    Ok(())
}

#[test]
fn twenty_patches_at_once_adding_one_member_each_leave_twenty() -> Result<(), Failure> {
    let (_server, organization, mut client) = started()?;
    let people = create_users(&mut client, 20)?;
    let group = create_group(&mut client, &[])?;
    let answers = at_once(&organization, &people, |client, person| {
        client.json(
            "PATCH",
            &group,
            &patch(&json!([{"op": "add", "path": "members", "value": [{"value": person}]}])),
        )
    })?;
    answers.iter().try_for_each(success)?;
    let after = read(&mut client, &group)?;
    assert_eq!(members(&after), set(&people));
    assert_eq!(after["members"].as_array().map(Vec::len), Some(20));
    Ok(())
}

#[test]
fn twenty_creates_at_once_of_one_user_name_leave_one_user() -> Result<(), Failure> {
    let (_server, organization, mut client) = started()?;
    // userName is compared without regard to case (RFC 7643 section 4.1.1): every second one is spelt otherwise.
    let names: Vec<&str> = ["ada@example.com", "ADA@example.com"]
        .into_iter()
        .cycle()
        .take(20)
        .collect();
    let answers = at_once(&organization, &names, |client, name| {
        client.json("POST", "/Users", &user(name))
    })?;
    let (created, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(created.len(), 1);
    refused
        .iter()
        .try_for_each(|answer| scim_error::expect(answer, &[409], &["uniqueness"]))?;
    assert_eq!(read(&mut client, "/Users")?["totalResults"], 1);
    Ok(())
}

#[test]
fn a_stale_if_match_is_412_and_changes_nothing() -> Result<(), Failure> {
    let (_server, _, mut client) = started()?;
    let created = client.json("POST", "/Users", &user("ada"))?.expect(201)?;
    let path = format!("/Users/{}", id(&created.json()?)?);
    let stale = created
        .header("etag")
        .ok_or_else(|| Failure::new("no ETag on 201"))?
        .to_owned();
    let rename = |name: &str| patch(&json!([{"op": "replace", "path": "displayName", "value": name}]));
    success(&client.json("PATCH", &path, &rename("one"))?)?;
    let before = client.get(&path)?.expect(200)?;
    let current = before
        .header("etag")
        .ok_or_else(|| Failure::new("no ETag on 200"))?
        .to_owned();
    assert_ne!(stale, current);

    let mut replaced = user("ada");
    replaced["displayName"] = json!("two");
    let with = |method: &str, body: Option<&Value>, version: &str| {
        let request = Request::new(method, path.as_str()).header("If-Match", version);
        body.map_or(request.clone(), |body| request.scim(body.to_string()))
    };
    for refused in [
        with("PATCH", Some(&rename("two")), &stale),
        with("PUT", Some(&replaced), &stale),
        with("DELETE", None, &stale),
    ] {
        scim_error::expect(&client.send(&refused)?, &[412], &[])?;
        let after = client.get(&path)?.expect(200)?;
        assert_eq!(after.json()?, before.json()?, "{}", refused.method);
        assert_eq!(after.header("etag"), Some(current.as_str()));
    }
    success(&client.send(&with("PATCH", Some(&rename("two")), &current))?)?;
    assert_eq!(read(&mut client, &path)?["displayName"], "two");
    Ok(())
}

#[test]
fn if_none_match_is_304_for_the_current_version_only() -> Result<(), Failure> {
    let (_server, _, mut client) = started()?;
    let created = create(&mut client, "/Users", &user("ada"))?;
    // Without `groups`: an answer that shows derived attributes is never 304.
    let path = format!("/Users/{}?excludedAttributes=groups", id(&created)?);
    let first = client.get(&path)?.expect(200)?;
    let version = first
        .header("etag")
        .ok_or_else(|| Failure::new("no ETag"))?
        .to_owned();
    assert_eq!(first.json()?["meta"]["version"], version.as_str());
    let conditional = Request::new("GET", path.as_str()).header("If-None-Match", version);
    let answer = client.send(&conditional)?.expect(304)?;
    assert!(answer.body.is_empty());
    let change = patch(&json!([{"op": "add", "path": "title", "value": "Countess"}]));
    success(&client.json("PATCH", &path, &change)?)?;
    assert_eq!(
        client.send(&conditional)?.expect(200)?.json()?["title"],
        "Countess"
    );
    Ok(())
}

#[test]
fn a_concurrent_conditional_patch_wins_once() -> Result<(), Failure> {
    let (_server, organization, mut client) = started()?;
    let created = client.json("POST", "/Users", &user("ada"))?.expect(201)?;
    let path = format!("/Users/{}", id(&created.json()?)?);
    let version = created.header("etag").ok_or_else(|| Failure::new("no ETag"))?;
    let names: Vec<String> = (0..10).map(|n| format!("name-{n}")).collect();
    let answers = at_once(&organization, &names, |client, name| {
        let rename = patch(&json!([{"op": "replace", "path": "displayName", "value": name}]));
        client.send(
            &Request::new("PATCH", path.as_str())
                .header("If-Match", version)
                .scim(rename.to_string()),
        )
    })?;
    let won: Vec<usize> = (0..10)
        .filter(|n| matches!(answers[*n].status, 200 | 204))
        .collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    answers
        .iter()
        .filter(|answer| answer.status >= 400)
        .try_for_each(|answer| scim_error::expect(answer, &[412], &[]))?;
    assert_eq!(read(&mut client, &path)?["displayName"], names[won[0]].as_str());
    Ok(())
}

#[test]
fn a_password_is_in_no_answer() -> Result<(), Failure> {
    let (_server, _, mut client) = started()?;
    let secret = "never-Returned-42";
    let mut person = user("ada");
    person["password"] = json!(secret);
    let created = client.json("POST", "/Users", &person)?.expect(201)?;
    let path = format!("/Users/{}", id(&created.json()?)?);
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["password"]});
    let change = patch(&json!([{"op": "replace", "path": "password", "value": secret}]));
    let answers = [
        created,
        client.get(&path)?,
        client.get(&format!("{path}?attributes=password"))?,
        client.get("/Users?attributes=userName,password")?,
        client.json("POST", "/Users/.search", &search)?,
        client.json("PATCH", &path, &change)?,
        client.json("PUT", &path, &person)?,
    ];
    for answer in answers {
        check(answer.status < 300, || format!("wanted success, got {answer}"))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        check(!text.contains(secret) && !text.contains("\"password\""), || {
            format!("the password is in {text}")
        })?;
    }
    scim_error::expect(
        &client.get("/Users?filter=password%20sw%20%22n%22")?,
        &[400, 403],
        &[],
    )?;
    Ok(())
}
