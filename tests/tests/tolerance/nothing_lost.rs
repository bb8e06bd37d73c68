//! Every multi-valued attribute × every value of which nothing is left × remove, replace and PUT.

use http::Method;
use scim::policy::Policy;
use scim::schema::Type;
use serde_json::{Value, json};

use crate::peer::{Peer, TYPES};
use crate::resource::{List, lists};

/// Lists that have elements, of which none names anything.
fn emptied(list: &List) -> Vec<Value> {
    let mut values = vec![
        json!([null]),
        json!([""]),
        json!([[]]),
        json!([{}]),
        json!([null, {}]),
        json!({"0": null, "1": {}}),
    ];
    if list.attribute.is_complex() {
        values.extend([
            json!([{"unknown": 1}]),
            json!([{"unknown": 1}, {"other": "x"}]),
            json!([{"value": null}]),
            json!([{"value": ""}]),
            json!([{"value": null, "unknown": "x"}]),
            json!([{"type": "work"}]),
            json!([{"type": "work", "value": null}]),
            json!([{"type": "work", "display": "x", "primary": true}]),
            json!({"unknown": 1}),
            json!([{"type": "work", "unknown": 1}]),
        ]);
    }
    values
}

/// Returns values that are empty as a whole: in a `remove` they name nothing.
fn empty() -> Vec<Value> {
    vec![json!([]), json!(""), json!({})]
}

fn peers(policy: fn() -> Policy) -> [Peer; 2] {
    [Peer::in_memory(policy()), Peer::in_sqlite(policy())]
}

fn each(policy: fn() -> Policy, mut test: impl FnMut(&Peer, &'static scim::schema::ResourceType, &List)) {
    for peer in peers(policy) {
        for resource_type in TYPES {
            for list in lists(resource_type) {
                test(&peer, resource_type, &list);
            }
        }
    }
}

#[test]
fn a_remove_whose_value_names_nothing_removes_nothing() {
    for policy in [Policy::tolerant, Policy::strict] {
        each(policy, |peer, resource_type, list| {
            let (target, _, before) = peer.make(resource_type);
            for value in emptied(list).into_iter().chain(empty()) {
                let operation = json!({"op": "remove", "path": list.path, "value": value});
                let (status, answer) = peer.patch(&target, &operation);
                assert!(
                    [200, 204, 400].contains(&status),
                    "{operation}: {status} {answer}"
                );
                assert_eq!(peer.get(&target), before, "{}: {operation}", peer.name);
            }
        });
    }
}

/// RFC 7644 section 3.5.2.3: `replace` sets a list to the values it is given, and these are none. A strict service takes
/// the elements as they are, or refuses them.
#[test]
fn a_replace_of_which_nothing_is_left_replaces_nothing() {
    each(Policy::tolerant, |peer, resource_type, list| {
        let (target, _, before) = peer.make(resource_type);
        for value in emptied(list) {
            let with_path = json!({"op": "replace", "path": list.path, "value": value});
            let without = json!({"op": "replace", "value": list.put(&skeleton(list), value.clone())});
            for operation in [with_path, without] {
                let (status, answer) = peer.patch(&target, &operation);
                assert!(
                    [200, 204, 400].contains(&status),
                    "{operation}: {status} {answer}"
                );
                assert_eq!(peer.get(&target), before, "{}: {operation}", peer.name);
            }
        }
    });
}

/// Returns what a value without a path needs around a list.
fn skeleton(list: &List) -> Value {
    list.extension.map_or_else(|| json!({}), |urn| json!({urn: {}}))
}

/// RFC 7643 section 2.5: the empty list, and `null`, are not a value; the tolerant policy knows more ways to write it.
#[test]
fn a_replace_by_no_value_clears() {
    each(Policy::tolerant, |peer, resource_type, list| {
        for value in empty().into_iter().chain([Value::Null]) {
            let (target, ..) = peer.make(resource_type);
            let operation = json!({"op": "replace", "path": list.path, "value": value});
            let (status, answer) = peer.patch(&target, &operation);
            assert!([200, 204].contains(&status), "{operation}: {status} {answer}");
            assert_eq!(
                list.of(&peer.get(&target)),
                &Value::Null,
                "{}: {operation}",
                peer.name
            );
        }
    });
}

#[test]
fn an_add_of_no_value_adds_nothing() {
    each(Policy::tolerant, |peer, resource_type, list| {
        let (target, _, before) = peer.make(resource_type);
        for value in empty().into_iter().chain([Value::Null]).chain(emptied(list)) {
            let operation = json!({"op": "add", "path": list.path, "value": value});
            let (status, answer) = peer.patch(&target, &operation);
            assert!([200, 204].contains(&status), "{operation}: {status} {answer}");
            assert_eq!(peer.get(&target), before, "{}: {operation}", peer.name);
        }
    });
}

/// After a PUT an attribute sent as a list of which nothing is left is unchanged.
#[test]
fn a_put_of_which_nothing_is_left_leaves_the_attribute_alone() {
    each(Policy::tolerant, |peer, resource_type, list| {
        let (target, sent, before) = peer.make(resource_type);
        for value in emptied(list) {
            let body = list.put(&sent, value.clone());
            let (status, answer) = peer.ask(Method::PUT, &target, Some(&body));
            assert!(
                [200, 400].contains(&status),
                "{}: {value}: {status} {answer}",
                list.path
            );
            assert_eq!(
                list.of(&peer.get(&target)),
                list.of(&before),
                "{}: {value}",
                peer.name
            );
        }
    });
}

/// RFC 7644 section 3.5.1: what a PUT omits goes, and so does what it sends as no value. Edges that are omitted stay.
#[test]
fn a_put_removes_what_it_omits_or_sends_as_no_value() {
    each(Policy::tolerant, |peer, resource_type, list| {
        let (target, sent, before) = peer.make(resource_type);
        let mut omitted = list.put(&sent, Value::Null);
        match list.extension {
            Some(urn) => omitted[urn].as_object_mut().unwrap().remove(list.attribute.name),
            None => omitted.as_object_mut().unwrap().remove(list.attribute.name),
        };
        let (status, answer) = peer.ask(Method::PUT, &target, Some(&omitted));
        assert_eq!(status, 200, "{answer}");
        let stays = if list.attribute.edges {
            list.of(&before)
        } else {
            &Value::Null
        };
        assert_eq!(list.of(&peer.get(&target)), stays, "{}: {}", peer.name, list.path);
        for value in empty().into_iter().chain([Value::Null]) {
            let (target, sent, _) = peer.make(resource_type);
            let (status, answer) = peer.ask(Method::PUT, &target, Some(&list.put(&sent, value.clone())));
            assert_eq!(status, 200, "{answer}");
            assert_eq!(
                list.of(&peer.get(&target)),
                &Value::Null,
                "{}: {value}",
                peer.name
            );
        }
    });
}

/// RFC 7643 section 2.4: no pair of type and value stands in a list twice, however it came in.
#[test]
fn equal_values_are_kept_once() {
    for policy in [Policy::tolerant, Policy::strict] {
        each(policy, |peer, resource_type, list| {
            let (target, sent, before) = peer.make(resource_type);
            let once = list.of(&sent).clone();
            let twice: Value = once
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|value| [value, value])
                .cloned()
                .collect();
            let add = json!({"op": "add", "path": list.path, "value": twice});
            let replace = json!({"op": "replace", "path": list.path, "value": twice});
            for operation in [add, replace] {
                let (status, answer) = peer.patch(&target, &operation);
                assert!([200, 204].contains(&status), "{operation}: {status} {answer}");
                assert_eq!(peer.get(&target), before, "{}: {operation}", peer.name);
            }
            let (status, answer) = peer.ask(Method::PUT, &target, Some(&list.put(&sent, twice.clone())));
            assert_eq!(status, 200, "{answer}");
            assert_eq!(peer.get(&target), before, "{}: PUT {}", peer.name, list.path);
            let (_, mut other, _) = peer.make(resource_type);
            for attribute in resource_type
                .schema
                .attributes
                .iter()
                .filter(|attribute| attribute.shape.required)
            {
                if other.get(attribute.name).is_some() && attribute.shape.kind == Type::String {
                    other[attribute.name] = json!(format!("twice-{}-{}", list.attribute.name, peer.name));
                }
            }
            let (status, made) = peer.ask(
                Method::POST,
                resource_type.endpoint,
                Some(&list.put(&other, twice)),
            );
            assert_eq!(status, 201, "{made}");
            assert_eq!(
                list.of(&made),
                list.of(&before),
                "{}: POST {}",
                peer.name,
                list.path
            );
        });
    }
}
