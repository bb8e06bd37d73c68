//! The words of errors: every refusal of a generated request reads as one sentence, and shows what was sent.

use scim::policy::Policy;
use scim::resources::{Group, User};
use scim::schema::{Attribute, Role};
use scim::service::{Protocol, Request};
use scim::store::Memory;
use scim::value::{Binary, DateTime, Meta, Reference, ResourceId};
use scim::{ScimComplex, ScimEnum, ScimExtension, ScimResource};
use serde_json::{Value, json};

use crate::{Answer, PATCH_OP, Peer, builder};

/// The warmth of a room.
#[derive(Debug, Clone, PartialEq, ScimEnum)]
enum Climate {
    Cool,
    Warm,
}

/// A seat.
#[derive(Debug, Clone, PartialEq, Default, ScimComplex)]
struct Seat {
    value: String,
    #[scim(rename = "type")]
    kind: Option<String>,
    primary: Option<bool>,
    number: Option<i64>,
    photo: Option<Binary>,
}

/// A part of a room that another department has added.
#[derive(Debug, Clone, PartialEq, Default, ScimExtension)]
#[scim(schema = "urn:example:2.0:Stage")]
struct Stage {
    width: Option<f64>,
    curtains: Vec<String>,
}

/// A room: every type of attribute, once or in a list.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Room")]
struct Room {
    id: ResourceId,
    meta: Meta,
    name: String,
    seats: Vec<Seat>,
    favourite: Option<Seat>,
    climate: Option<Climate>,
    floor: Option<i64>,
    height: Option<f64>,
    heated: Option<bool>,
    built: Option<DateTime>,
    plan: Option<Binary>,
    website: Option<Reference>,
    numbers: Vec<i64>,
    #[scim(extension)]
    stage: Option<Stage>,
}

/// Returns values of every kind, with characters that cannot be seen.
fn values() -> Vec<Value> {
    let wrong = "a\n\u{7}\u{202e}\t\"\\";
    vec![
        Value::Null,
        json!(""),
        json!(wrong),
        json!("True"),
        json!(7),
        json!(1.5),
        json!(1e300),
        json!(false),
        json!([]),
        json!([[]]),
        json!([null]),
        json!([7, "x", wrong]),
        json!({}),
        json!([{}]),
        json!({ "value": wrong, "id": 5 }),
        json!([{ "id": "1", "value": "cook" }]),
        json!([{ "value": wrong, wrong: 1 }]),
        json!({ "value": { "value": [] }, "x y": null, "primary": wrong }),
        json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }]),
        json!({ "number": wrong, "photo": wrong, "type": 5, "display": [] }),
    ]
}

/// Returns the names of a resource type's attributes as a client writes them, and some that nobody knows.
fn names(table: &'static [Attribute]) -> Vec<String> {
    let mut names: Vec<String> = [
        "schemas",
        "id",
        "x\ny",
        "favouriteColour",
        "urn:example:none",
        "name.x",
        "$",
    ]
    .map(String::from)
    .into();
    for attribute in table {
        let separator = match attribute.role {
            Role::Extension(_) => ":",
            _ => ".",
        };
        names.push(attribute.name.to_owned());
        for sub in attribute.shape.sub_attributes {
            names.push(format!("{}{separator}{}", attribute.name, sub.name));
        }
    }
    names
}

/// Returns paths of PATCH operations around a name.
fn paths(name: &str) -> Vec<String> {
    vec![
        name.to_owned(),
        format!("{name}.value"),
        format!("{name}[value eq \"a\\n\"]"),
        format!("{name}[type eq \"work\"].nothing"),
        format!("{name}[value gt 5]"),
        format!("{name}[nothing pr].value"),
        format!("{name}["),
        format!("{name}\t\u{7}"),
    ]
}

/// Checks that a refusal reads as one sentence about an attribute, or as a sentence of its own.
fn check(answer: &Answer, request: &str) -> Option<()> {
    if answer.status.as_u16() < 400 {
        return None;
    }
    assert_ne!(answer.status, 500, "{request}");
    let body = answer.json();
    let detail = body["detail"].as_str().unwrap();
    let told = format!("{detail:?} for {request}");
    assert!(
        !detail.contains(|it: char| it.is_control() || matches!(it, '\u{fffd}' | '\u{202e}')),
        "{told}"
    );
    assert!(
        detail.ends_with(['.', '!', '?']) && !detail.ends_with(".."),
        "{told}"
    );
    let detail = match detail.strip_prefix("Operation ") {
        Some(rest) => rest.split_once(": ").unwrap().1,
        None => detail,
    };
    if let Some(about) = detail.strip_prefix("Attribute ") {
        let (path, rest) = match about
            .rfind("\" ")
            .filter(|_| about.starts_with('"') || about.contains(".\""))
        {
            Some(end) => about.split_at(end + 1),
            None => about.split_at(about.find(' ').unwrap()),
        };
        assert!(!path.ends_with(':'), "{told}");
        assert!(
            rest.starts_with(' ') && rest[1..].starts_with(char::is_lowercase),
            "{told}"
        );
    }
    Some(())
}

async fn every_refusal(peer: &Peer, endpoint: &str, body: &Value, table: &'static [Attribute]) -> usize {
    let created = peer.post(endpoint, body).await.expect(201);
    let target = format!("{endpoint}/{}", created.id());
    let mut refusals = 0;
    for name in names(table) {
        for (index, value) in values().into_iter().enumerate() {
            let mut sent = body.clone();
            sent[&name] = value.clone();
            let told = format!("PUT {sent}");
            refusals += check(&peer.put(&target, &sent).await, &told).map_or(0, |()| 1);
            for op in ["add", "replace", "remove"] {
                // The value hardly matters where the path selects.
                let paths = paths(&name);
                for path in paths.iter().take(if index % 6 == 2 { paths.len() } else { 1 }) {
                    let operation = json!({ "op": op, "path": path, "value": value });
                    let told = format!("PATCH {operation}");
                    refusals +=
                        check(&peer.patch(&target, &json!([operation])).await, &told).map_or(0, |()| 1);
                }
                let operation = json!({ "op": op, "value": { &name: value } });
                let told = format!("PATCH {operation}");
                refusals += check(&peer.patch(&target, &json!([operation])).await, &told).map_or(0, |()| 1);
            }
        }
        for path in paths(&name) {
            let encode = |text: &str| {
                text.bytes()
                    .map(|byte| format!("%{byte:02x}"))
                    .collect::<String>()
            };
            for query in [
                format!("filter={}", encode(&path)),
                format!("filter={}", encode(&format!("{name} gt \"a\\n\""))),
                format!("sortBy={}", encode(&path)),
                format!("attributes={}", encode(&path)),
                format!("count={}", encode(&path)),
            ] {
                let answer = peer.get(&format!("{endpoint}?{query}")).await;
                refusals += check(&answer, &query).map_or(0, |()| 1);
            }
        }
    }
    refusals
}

/// RFC 7644 section 3.12: `detail` is for people. No two sentences are joined, and nothing invisible is shown.
#[tokio::test]
async fn every_refusal_reads_as_a_sentence() {
    for policy in [Policy::strict(), Policy::tolerant()] {
        let peer = Peer::of(builder().policy(policy.clone()));
        let user = json!({ "schemas": [crate::USER], "userName": "ann" });
        let users = every_refusal(&peer, "/Users", &user, User::RESOURCE_TYPE.schema.attributes).await;
        let group = json!({ "schemas": [crate::GROUP], "displayName": "Cooks" });
        let groups = every_refusal(&peer, "/Groups", &group, Group::RESOURCE_TYPE.schema.attributes).await;
        let rooms = Protocol::builder()
            .resource::<Room, _>(Memory::new())
            .policy(policy);
        let room = json!({ "schemas": ["urn:example:2.0:Room"], "name": "Hall" });
        let rooms = every_refusal(
            &Peer::of(rooms),
            "/Rooms",
            &room,
            Room::RESOURCE_TYPE.schema.attributes,
        )
        .await;
        assert!(
            users > 2_000 && groups > 500 && rooms > 1_000,
            "{users}, {groups}, {rooms}"
        );
    }
}

/// The message itself, around the attributes.
#[tokio::test]
async fn every_refusal_of_a_message_reads_as_a_sentence() {
    for peer in [Peer::strict(), Peer::tolerant()] {
        let path = peer.user("ann").await;
        let mut refusals = 0;
        for value in values() {
            for message in [
                json!({ "schemas": value, "Operations": [{ "op": "add", "path": "title", "value": "x" }] }),
                json!({ "schemas": [PATCH_OP], "Operations": value }),
                json!({ "schemas": [PATCH_OP], "Operations": [value] }),
                json!({ "schemas": [PATCH_OP], "Operations": [{ "op": value, "path": "title", "value": "x" }] }),
                json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "path": value, "value": "x" }] }),
                json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "value": value }] }),
                value.clone(),
            ] {
                let told = message.to_string();
                let answer = peer.with(http::Method::PATCH, &path, &message).await;
                refusals += check(&answer, &told).map_or(0, |()| 1);
                for target in ["/Users", "/Users/.search"] {
                    let answer = peer.post(target, &message).await;
                    refusals += check(&answer, &told).map_or(0, |()| 1);
                }
            }
        }
        for target in [
            "/\n",
            "/Users/a%0Ab",
            "/v9/Users",
            "/Users/1?count=%07",
            "/Schemas/%0a",
        ] {
            let answer = peer.send(Request::get(target)).await;
            refusals += check(&answer, target).map_or(0, |()| 1);
        }
        assert!(refusals > 200, "{refusals}");
    }
}
