//! Absence never enables a disabled person, where the policy says so.

use http::Method;
use scim::policy::Policy;
use scim::resources::User;
use serde_json::{Value, json};

use crate::peer::Peer;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn person(peer: &Peer, name: &str, active: &Value) -> String {
    let body = json!({"schemas": [USER], "userName": name, "active": active});
    let (status, made) = peer.ask(Method::POST, "/Users", Some(&body));
    assert_eq!(status, 201, "{made}");
    format!("/Users/{}", made["id"].as_str().unwrap())
}

#[test]
fn a_disabled_person_is_enabled_by_true_alone() {
    for policy in [Policy::tolerant(), Policy::strict()] {
        let policy = policy.absence_never_enables(User::paths().active());
        for peer in [Peer::in_memory(policy.clone()), Peer::in_sqlite(policy.clone())] {
            let target = person(&peer, "disabled", &json!(false));
            let silent = json!({"schemas": [USER], "userName": "disabled", "title": "Cook"});
            let null = json!({"schemas": [USER], "userName": "disabled", "active": null});
            for body in [silent, null] {
                let (status, shown) = peer.ask(Method::PUT, &target, Some(&body));
                assert_eq!((status, &shown["active"]), (200, &json!(false)), "{body}");
            }
            let remove = json!({"op": "remove", "path": "active"});
            let null = json!({"op": "replace", "path": "active", "value": null});
            let without_path = json!({"op": "replace", "value": {"active": null, "title": "Chef"}});
            for operation in [remove, null, without_path] {
                let (status, _) = peer.patch(&target, &operation);
                assert_eq!(
                    (status, &peer.get(&target)["active"]),
                    (200, &json!(false)),
                    "{operation}"
                );
            }
            let (_, shown) = peer.patch(
                &target,
                &json!({"op": "replace", "path": "active", "value": true}),
            );
            assert_eq!(shown["active"], true);
            let other = person(&peer, "never.said", &Value::Null);
            let body = json!({"schemas": [USER], "userName": "never.said", "title": "Cook"});
            let (_, shown) = peer.ask(Method::PUT, &other, Some(&body));
            assert!(shown.get("active").is_none(), "{shown}");
        }
    }
}

/// RFC 7644 section 3.5.1 lets a service clear what a PUT omits; the library does so unless it is told otherwise.
#[test]
fn without_the_rule_a_put_clears_what_it_omits() {
    let peer = Peer::in_memory(Policy::tolerant());
    let target = person(&peer, "disabled", &json!(false));
    let body = json!({"schemas": [USER], "userName": "disabled"});
    let (_, shown) = peer.ask(Method::PUT, &target, Some(&body));
    assert!(shown.get("active").is_none(), "{shown}");
}
