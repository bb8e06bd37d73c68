//! The table of no value: null, "", [] and {} in every position, for every single-valued attribute.

use http::Method;
use scim::policy::Policy;
use scim::value::{Meaning, NoValue, Position};
use serde_json::{Value, json};

use crate::peer::{Peer, TYPES};
use crate::resource::{Single, singles, value};

fn spelled(spelling: NoValue) -> Value {
    match spelling {
        NoValue::Null => Value::Null,
        NoValue::EmptyText => json!(""),
        NoValue::EmptyList => json!([]),
        NoValue::EmptyObject => json!({}),
    }
}

/// The fate of a value that was there.
#[derive(Debug, PartialEq)]
enum Became {
    Unassigned,
    Unchanged,
    Refused,
    Another,
}

fn became(single: &Single, before: &Value, status: u16, after: &Value) -> Became {
    match status {
        400 => Became::Refused,
        _ if single.of(after) == single.of(before) => Became::Unchanged,
        _ if single.of(after).is_null() => Became::Unassigned,
        _ => Became::Another,
    }
}

/// RFC 7643 section 2.5 under strict; more spellings under tolerant. The table that the evaluation reads is walked.
#[test]
fn every_position_reads_no_value_as_the_table_says() {
    for (policy, tolerant) in [(Policy::tolerant(), true), (Policy::strict(), false)] {
        let peer = Peer::in_memory(policy);
        for resource_type in TYPES {
            for single in singles(resource_type) {
                for spelling in NoValue::ALL {
                    check(&peer, resource_type, &single, spelling, tolerant);
                }
            }
        }
    }
}

fn check(
    peer: &Peer,
    resource_type: &'static scim::schema::ResourceType,
    single: &Single,
    spelling: NoValue,
    tolerant: bool,
) {
    let assigned = |target: &str| {
        let first = value(single.attribute, 0, &peer.ids);
        let (status, answer) = peer.patch(target, &json!({"op": "add", "path": single.path, "value": first}));
        assert!([200, 204].contains(&status), "{answer}");
        peer.get(target)
    };
    let value = spelled(spelling);
    for (position, op) in [
        (Position::Add, "add"),
        (Position::Replace, "replace"),
        (Position::Remove, "remove"),
    ] {
        let (target, ..) = peer.make(resource_type);
        let before = assigned(&target);
        let operation = json!({"op": op, "path": single.path, "value": value});
        let (status, answer) = peer.patch(&target, &operation);
        let found = became(single, &before, status, &peer.get(&target));
        let context = format!("{operation}, tolerant {tolerant}: {answer}");
        assert!(
            fits(&found, spelling.meaning(position, false, tolerant), single),
            "{context}: {found:?}"
        );
    }
    let (target, document, _) = peer.make(resource_type);
    let before = assigned(&target);
    let (status, answer) = peer.ask(Method::PUT, &target, Some(&single.put(&document, value.clone())));
    let found = became(single, &before, status, &peer.get(&target));
    let context = format!("PUT {} {value}, tolerant {tolerant}: {answer}", single.path);
    assert!(
        fits(&found, spelling.meaning(Position::Body, false, tolerant), single),
        "{context}: {found:?}"
    );
}

/// Returns whether a result is what a meaning asks for. A value of the wrong type is refused, and what is required cannot go.
fn fits(found: &Became, meaning: Meaning, single: &Single) -> bool {
    match meaning {
        Meaning::Nothing => matches!(found, Became::Unchanged | Became::Refused),
        Meaning::Unassigned if single.attribute.shape.required => *found == Became::Refused,
        Meaning::Unassigned => *found == Became::Unassigned,
        Meaning::Value => matches!(
            found,
            Became::Refused | Became::Another | Became::Unassigned | Became::Unchanged
        ),
    }
}

/// A selected element, or its value, is removed by no value, and none is made where there is none.
#[test]
fn an_element_is_removed_by_no_value_and_never_made() {
    let peer = Peer::in_memory(Policy::tolerant());
    for spelling in NoValue::ALL {
        for op in ["add", "replace"] {
            for path in [
                "phoneNumbers[type eq \"home\"]",
                "phoneNumbers[type eq \"home\"].value",
            ] {
                let (target, _, before) = peer.make(TYPES[0]);
                let operation = json!({"op": op, "path": path, "value": spelled(spelling)});
                let (status, answer) = peer.patch(&target, &operation);
                assert_eq!(status, 200, "{operation}: {answer}");
                let kept = answer["phoneNumbers"].as_array().unwrap();
                assert_eq!(kept.len(), 2, "{operation}: {answer}");
                assert!(
                    kept.iter().all(|number| number["type"] != "home"),
                    "{operation}: {answer}"
                );
                assert_eq!(answer["emails"], before["emails"]);
                let nowhere = path.replace("home", "fax");
                let operation = json!({"op": op, "path": nowhere, "value": spelled(spelling)});
                let version = answer["meta"]["version"].clone();
                let (status, answer) = peer.patch(&target, &operation);
                assert_eq!(status, 200, "{operation}: {answer}");
                assert_eq!(answer["meta"]["version"], version, "{operation}");
            }
        }
    }
}

/// An element without a value is never a reason to take `primary` from another, whichever operation brings it.
#[test]
fn an_element_without_a_value_does_not_become_the_primary_one() {
    let peer = Peer::in_memory(Policy::tolerant());
    let operations = [
        json!({"op": "add", "path": "emails", "value": [{"value": "", "type": "third", "primary": true}]}),
        json!({"op": "add", "path": "emails[type eq \"third\"].primary", "value": true}),
        json!({"op": "replace", "path": "emails[type eq \"third\" and primary eq true].value", "value": ""}),
    ];
    for operation in operations {
        let (target, ..) = peer.make(TYPES[0]);
        let primary = json!({"op": "replace", "path": "emails[type eq \"work\"].primary", "value": true});
        let (_, before) = peer.patch(&target, &primary);
        let (status, after) = peer.patch(&target, &operation);
        assert_eq!(status, 200, "{operation}: {after}");
        assert_eq!(after["emails"], before["emails"], "{operation}");
    }
}

/// An element is judged when all operations have been applied: the first may name its display, the next its value.
#[test]
fn an_element_may_get_its_value_last() {
    let peer = Peer::in_memory(Policy::tolerant());
    let (target, ..) = peer.make(TYPES[0]);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            {"op": "add", "path": "roles[primary eq \"True\"].display", "value": "Cook"},
            {"op": "add", "path": "roles[primary eq \"True\"].value", "value": "cook"},
            {"op": "remove", "path": "emails[type eq \"work\"].value"},
            {"op": "add", "path": "emails[type eq \"work\"].value", "value": "new@example.com"},
        ],
    });
    let (status, after) = peer.ask(Method::PATCH, &target, Some(&body));
    assert_eq!(status, 200, "{after}");
    let roles = after["roles"].as_array().unwrap();
    assert!(
        roles.contains(&json!({"value": "cook", "display": "Cook", "primary": true})),
        "{after}"
    );
    let emails = after["emails"].as_array().unwrap();
    assert!(
        emails
            .iter()
            .any(|email| email["type"] == "work" && email["value"] == "new@example.com"),
        "{after}"
    );
}
