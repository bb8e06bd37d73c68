//! One value in a wrapping, a number for a string, JSON text: for every single-valued attribute and sub-attribute.

use http::Method;
use scim::policy::Policy;
use scim::schema::{ResourceType, Type};
use serde_json::{Value, json};

use crate::peer::{Peer, TYPES};
use crate::resource::{Single, singles, value};

/// Returns the ways in which clients wrap one simple value.
fn wrappings(value: &Value) -> [Value; 4] {
    [
        json!([value]),
        json!([{"value": value}]),
        json!({"value": value}),
        json!([{"$ref": null, "value": value}]),
    ]
}

fn each(peer: &Peer, mut test: impl FnMut(&'static ResourceType, &Single, Value)) {
    for resource_type in TYPES {
        for single in singles(resource_type) {
            let plain = value(single.attribute, 1, &peer.ids);
            test(resource_type, &single, plain);
        }
    }
}

/// Sends a PATCH with a path, a PATCH without, and a PUT.
fn ways_in(
    peer: &Peer,
    resource_type: &'static ResourceType,
    single: &Single,
    sent: &Value,
) -> Vec<(u16, Value)> {
    let with_path = |target: &str| {
        peer.patch(
            target,
            &json!({"op": "replace", "path": single.path, "value": sent}),
        )
    };
    let without = |target: &str| {
        let value = single.put(&json!({}), sent.clone());
        peer.patch(target, &json!({"op": "add", "value": value}))
    };
    let mut results = Vec::new();
    for way in [&with_path as &dyn Fn(&str) -> (u16, Value), &without] {
        let (target, ..) = peer.make(resource_type);
        let (status, answer) = way(&target);
        results.push((status, if status == 400 { answer } else { peer.get(&target) }));
    }
    let (target, document, _) = peer.make(resource_type);
    let (status, answer) = peer.ask(Method::PUT, &target, Some(&single.put(&document, sent.clone())));
    results.push((status, answer));
    results
}

#[test]
fn one_value_in_a_wrapping_is_the_value() {
    let peer = Peer::in_memory(Policy::tolerant());
    each(&peer, |resource_type, single, plain| {
        for wrapped in wrappings(&plain) {
            for (status, shown) in ways_in(&peer, resource_type, single, &wrapped) {
                assert_eq!(status, 200, "{} {wrapped}: {shown}", single.path);
                assert_eq!(single.of(&shown), &plain, "{} {wrapped}", single.path);
            }
        }
    });
}

#[test]
fn two_values_are_an_error_and_strict_unwraps_nothing() {
    let tolerant = Peer::in_memory(Policy::tolerant());
    each(&tolerant, |resource_type, single, plain| {
        let two = json!([plain, plain]);
        for (status, answer) in ways_in(&tolerant, resource_type, single, &two) {
            assert_eq!(
                (status, &answer["scimType"]),
                (400, &json!("invalidValue")),
                "{} {answer}",
                single.path
            );
        }
    });
    let strict = Peer::in_memory(Policy::strict());
    each(&strict, |resource_type, single, plain| {
        for wrapped in wrappings(&plain) {
            for (status, answer) in ways_in(&strict, resource_type, single, &wrapped) {
                assert_eq!(
                    (status, &answer["scimType"]),
                    (400, &json!("invalidValue")),
                    "{} {answer}",
                    single.path
                );
            }
        }
    });
}

/// Text is never unwrapped into text: a title may look like JSON. The `value` of a complex attribute is the exception that
/// Entra ID's application roles need.
#[test]
fn text_that_looks_like_json_stays_text() {
    let peer = Peer::in_memory(Policy::tolerant());
    each(&peer, |resource_type, single, _| {
        if single.attribute.shape.kind != Type::String || single.attribute.shape.canonical_values.len() > 1 {
            return;
        }
        for text in ["[\"x\"]", "{\"value\":\"x\"}", "[]", "{}", "null", "5"] {
            if single.attribute.name == "value" && text.starts_with('{') {
                continue;
            }
            for (status, shown) in ways_in(&peer, resource_type, single, &json!(text)) {
                assert_eq!(status, 200, "{} {text}: {shown}", single.path);
                assert_eq!(single.of(&shown), text, "{}", single.path);
            }
        }
    });
}

#[test]
fn an_integer_for_a_string_becomes_its_digits() {
    let (tolerant, strict) = (
        Peer::in_memory(Policy::tolerant()),
        Peer::in_memory(Policy::strict()),
    );
    each(&tolerant, |resource_type, single, _| {
        if single.attribute.shape.kind != Type::String || single.attribute.name == "country" {
            return;
        }
        for (status, shown) in ways_in(&tolerant, resource_type, single, &json!(15_550_100)) {
            assert_eq!(status, 200, "{}: {shown}", single.path);
            assert_eq!(single.of(&shown), "15550100", "{}", single.path);
        }
        for other in [json!(1.5), json!(true)] {
            for (status, answer) in ways_in(&tolerant, resource_type, single, &other) {
                assert_eq!(status, 400, "{} {other}: {answer}", single.path);
            }
        }
        for (status, answer) in ways_in(&strict, resource_type, single, &json!(15_550_100)) {
            assert_eq!(status, 400, "{}: {answer}", single.path);
        }
    });
}

/// A secret is taken as it was sent, or not at all.
#[test]
fn a_transient_value_is_never_unwrapped() {
    let peer = Peer::in_memory(Policy::tolerant());
    for wrapped in wrappings(&json!("t0ps3cret"))
        .into_iter()
        .chain([json!(15_550_100)])
    {
        let (target, ..) = peer.make(TYPES[0]);
        let (status, answer) = peer.patch(
            &target,
            &json!({"op": "replace", "path": "password", "value": wrapped}),
        );
        assert_eq!(
            (status, &answer["scimType"]),
            (400, &json!("invalidValue")),
            "{wrapped}: {answer}"
        );
    }
}

/// JSON text of a list is read where the elements are not strings.
#[test]
fn members_may_be_json_text_of_a_list() {
    let (tolerant, strict) = (
        Peer::in_memory(Policy::tolerant()),
        Peer::in_memory(Policy::strict()),
    );
    for (peer, expected) in [(&tolerant, 200), (&strict, 400)] {
        let (target, ..) = peer.make(TYPES[1]);
        let text = json!([{"value": peer.ids[0]}]).to_string();
        let (status, answer) = peer.patch(
            &target,
            &json!({"op": "replace", "path": "members", "value": text}),
        );
        assert_eq!(status, expected, "{answer}");
        let members = peer.get(&target)["members"].as_array().unwrap().len();
        assert_eq!(members, if expected == 200 { 1 } else { 3 });
    }
}
