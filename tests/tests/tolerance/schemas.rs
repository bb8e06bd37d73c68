//! `schemas` is an attribute like any other: typed and checked in every body and in every operation (RFC 7643 section 3).

use http::Method;
use scim::policy::Policy;
use serde_json::{Value, json};

use crate::peer::{Peer, TYPES};

const FOREIGN: &str = "urn:example:scim:schemas:2.0:Unknown";

fn policies() -> [(Policy, bool); 2] {
    [(Policy::tolerant(), true), (Policy::strict(), false)]
}

/// Returns values that are not a list of URIs, under any policy.
fn wrong() -> Vec<Value> {
    vec![
        json!(5),
        json!(true),
        json!({"a": 1}),
        json!([5]),
        json!([true]),
        json!([{"a": 1}]),
        json!([["x"]]),
    ]
}

/// S-3-01, P-3.5.2-11.
#[test]
fn a_value_that_is_not_a_list_of_uris_is_refused_everywhere() {
    for (policy, tolerant) in policies() {
        let peer = Peer::in_memory(policy);
        for resource_type in TYPES {
            for value in wrong() {
                let (target, document, before) = peer.make(resource_type);
                let mut body = document.clone();
                body["schemas"] = value.clone();
                for (method, target) in [(Method::POST, resource_type.endpoint), (Method::PUT, &target)] {
                    let (status, answer) = peer.ask(method.clone(), target, Some(&body));
                    assert_eq!(status, 400, "{method} {value}, tolerant {tolerant}: {answer}");
                }
                for operation in [
                    json!({"op": "replace", "path": "schemas", "value": value}),
                    json!({"op": "add", "path": "schemas", "value": value}),
                    json!({"op": "replace", "value": {"schemas": value}}),
                ] {
                    let (status, answer) = peer.patch(&target, &operation);
                    assert_eq!(status, 400, "{operation}, tolerant {tolerant}: {answer}");
                }
                let envelope =
                    json!({"schemas": value, "Operations": [{"op": "remove", "path": "externalId"}]});
                let (status, answer) = peer.ask(Method::PATCH, &target, Some(&envelope));
                assert_eq!(status, 400, "{envelope}, tolerant {tolerant}: {answer}");
                assert_eq!(peer.get(&target), before);
            }
        }
    }
}

/// S-3-02: a schema that the resource type does not have is refused, and omitted where the policy omits unknown names.
#[test]
fn a_foreign_schema_is_refused_or_omitted_everywhere() {
    for (policy, tolerant) in policies() {
        let peer = Peer::in_memory(policy);
        for resource_type in TYPES {
            let (target, mut body, before) = peer.make(resource_type);
            body["schemas"].as_array_mut().unwrap().push(json!(FOREIGN));
            let (status, answer) = peer.ask(Method::PUT, &target, Some(&body));
            assert_eq!(status, if tolerant { 200 } else { 400 }, "{answer}");
            for operation in [
                json!({"op": "add", "path": "schemas", "value": [FOREIGN]}),
                json!({"op": "add", "value": {"schemas": [resource_type.schema.id, FOREIGN]}}),
            ] {
                let (status, answer) = peer.patch(&target, &operation);
                assert_eq!([200, 204].contains(&status), tolerant, "{operation}: {answer}");
            }
            assert_eq!(peer.get(&target)["schemas"], before["schemas"]);
        }
    }
}

/// One URI without a list, and no value at all, are forgiven by tolerances with a name.
#[test]
fn one_uri_or_none_is_forgiven_by_name_alone() {
    for (policy, tolerant) in policies() {
        let peer = Peer::in_memory(policy);
        for resource_type in TYPES {
            let (target, mut body, before) = peer.make(resource_type);
            for value in [
                json!(resource_type.schema.id),
                json!([]),
                json!(null),
                json!(""),
                json!({}),
            ] {
                body["schemas"] = value.clone();
                let (status, answer) = peer.ask(Method::PUT, &target, Some(&body));
                assert_eq!(status, if tolerant { 200 } else { 400 }, "{value}: {answer}");
            }
            assert_eq!(peer.get(&target), before);
        }
    }
}

/// RFC 7644 section 3.5.2.2: a `remove` without a path has no target, whatever else is wrong with it.
#[test]
fn a_remove_without_a_path_has_no_target() {
    for (policy, tolerant) in policies() {
        let peer = Peer::in_memory(policy);
        let (target, _, before) = peer.make(TYPES[0]);
        for operation in [
            json!({"op": "remove"}),
            json!({"op": "remove", "value": {"title": "x"}}),
            json!({"op": "remove", "path": null, "value": [1]}),
            json!({"op": "remove", "value": null}),
        ] {
            let (status, answer) = peer.patch(&target, &operation);
            let expected = (400, &json!("noTarget"));
            assert_eq!((status, &answer["scimType"]), expected, "{operation}: {answer}");
        }
        let empty = json!({"op": "replace", "path": "", "value": {"title": "x"}});
        let (status, answer) = peer.patch(&target, &empty);
        assert_eq!(status, if tolerant { 200 } else { 400 }, "{answer}");
        assert_eq!(peer.get(&target) == before, !tolerant);
    }
}
