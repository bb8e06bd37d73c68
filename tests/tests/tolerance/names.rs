//! Keys that are paths, and names that are nearly right, wherever a client writes names.

use http::Method;
use scim::policy::Policy;
use serde_json::{Value, json};

use crate::peer::{Peer, TYPES};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Returns the ways in which clients write the name of an extension's attribute.
fn names() -> [String; 4] {
    [
        format!("{ENTERPRISE}:department"),
        format!("{ENTERPRISE}.department"),
        "department".to_owned(),
        "DEPARTMENT".to_owned(),
    ]
}

fn department(document: &Value) -> &Value {
    &document[ENTERPRISE]["department"]
}

#[test]
fn an_extensions_attribute_is_found_by_every_name_in_bodies_paths_filters_and_attributes() {
    let peer = Peer::in_memory(Policy::tolerant());
    for (number, name) in names().iter().enumerate() {
        let body = json!({"schemas": [USER], "userName": format!("named-{number}"), name: format!("tools-{number}")});
        let (status, made) = peer.ask(Method::POST, "/Users", Some(&body));
        assert_eq!(status, 201, "{name}: {made}");
        assert_eq!(department(&made), &json!(format!("tools-{number}")), "{name}");
        let target = format!("/Users/{}", made["id"].as_str().unwrap());

        let filter = format!("/Users?filter={name}%20eq%20%22tools-{number}%22&attributes={name}");
        let (status, found) = peer.ask(Method::GET, &filter, None);
        assert_eq!(
            (status, &found["totalResults"]),
            (200, &json!(1)),
            "{name}: {found}"
        );
        assert_eq!(department(&found["Resources"][0]), department(&made), "{name}");
        assert!(found["Resources"][0].get("userName").is_none(), "{name}: {found}");

        let (status, changed) = peer.patch(
            &target,
            &json!({"op": "replace", "path": name, "value": "kitchen"}),
        );
        assert_eq!((status, department(&changed)), (200, &json!("kitchen")), "{name}");
        let (status, changed) = peer.patch(&target, &json!({"op": "replace", "value": {name: "cellar"}}));
        assert_eq!((status, department(&changed)), (200, &json!("cellar")), "{name}");
        let put = json!({"schemas": [USER], "userName": format!("named-{number}"), name: "attic"});
        let (status, changed) = peer.ask(Method::PUT, &target, Some(&put));
        assert_eq!((status, department(&changed)), (200, &json!("attic")), "{name}");
        let sorted = format!("/Users?sortBy={name}&count=1");
        let (status, found) = peer.ask(Method::GET, &sorted, None);
        assert_eq!(
            (status, department(&found["Resources"][0])),
            (200, &json!("attic")),
            "{name}"
        );
        let (status, _) = peer.patch(&target, &json!({"op": "remove", "path": name}));
        assert_eq!(
            (status, department(&peer.get(&target))),
            (200, &Value::Null),
            "{name}"
        );
    }
}

#[test]
fn strict_knows_the_right_name_alone() {
    let peer = Peer::in_memory(Policy::strict());
    for name in names().iter().skip(1) {
        let body = json!({"schemas": [USER], "userName": "named", name: "tools"});
        let (status, answer) = peer.ask(Method::POST, "/Users", Some(&body));
        assert_eq!(
            (status, &answer["scimType"]),
            (400, &json!("invalidSyntax")),
            "{name}: {answer}"
        );
        let (target, ..) = peer.make(TYPES[0]);
        let (status, answer) = peer.patch(
            &target,
            &json!({"op": "replace", "path": name, "value": "kitchen"}),
        );
        assert_eq!(
            (status, &answer["scimType"]),
            (400, &json!("invalidPath")),
            "{name}: {answer}"
        );
        let (status, answer) = peer.ask(Method::GET, &format!("/Users?filter={name}%20pr"), None);
        assert_eq!(
            (status, &answer["scimType"]),
            (400, &json!("invalidFilter")),
            "{name}: {answer}"
        );
    }
}

/// POST and PUT read keys as a PATCH without a path does.
#[test]
fn keys_that_are_paths_are_read_in_every_body() {
    let keys = json!({
        format!("{USER}:nickName"): "Ada",
        "name.givenName": "Ada",
        "name.familyName": "Lovelace",
        "emails[type eq \"work\"].value": "w@mail.example",
        "emails[type eq \"work\"].display": "Work",
        "emails[type eq \"home\"].value": "h@mail.example",
        format!("{ENTERPRISE}:department"): "Tools",
        format!("{ENTERPRISE}:manager"): "boss-1",
    });
    let inside = json!({ENTERPRISE: {"manager.value": "boss-1", "department": "Tools"}});
    let peer = Peer::in_memory(Policy::tolerant());
    let expected = |shown: &Value, text: &str| {
        assert_eq!(shown["nickName"], "Ada", "{text}: {shown}");
        assert_eq!(
            shown["name"],
            json!({"givenName": "Ada", "familyName": "Lovelace"}),
            "{text}"
        );
        // The order is that of the keys, of which JSON objects have none.
        let emails = shown["emails"].as_array().unwrap();
        assert_eq!(emails.len(), 2, "{text}: {shown}");
        for email in [
            json!({"value": "w@mail.example", "type": "work", "display": "Work"}),
            json!({"value": "h@mail.example", "type": "home"}),
        ] {
            assert!(emails.contains(&email), "{text}: {shown}");
        }
        assert_eq!(shown[ENTERPRISE]["department"], "Tools", "{text}");
        assert_eq!(shown[ENTERPRISE]["manager"]["value"], "boss-1", "{text}");
    };
    let with = |user_name: &str, others: &Value| {
        let mut body = json!({"schemas": [USER], "userName": user_name});
        body.as_object_mut()
            .unwrap()
            .extend(others.as_object().unwrap().clone());
        body
    };
    let (status, made) = peer.ask(Method::POST, "/Users", Some(&with("keys", &keys)));
    assert_eq!(status, 201, "{made}");
    expected(&made, "POST");
    let (_, bare) = peer.ask(Method::POST, "/Users", Some(&with("bare", &json!({}))));
    let target = format!("/Users/{}", bare["id"].as_str().unwrap());
    let (status, shown) = peer.ask(Method::PUT, &target, Some(&with("bare", &keys)));
    assert_eq!(status, 200, "{shown}");
    expected(&shown, "PUT");
    let (_, bare) = peer.ask(Method::POST, "/Users", Some(&with("bare again", &json!({}))));
    let target = format!("/Users/{}", bare["id"].as_str().unwrap());
    let (status, shown) = peer.patch(&target, &json!({"op": "add", "value": keys}));
    assert_eq!(status, 200, "{shown}");
    expected(&shown, "PATCH");

    let (status, made) = peer.ask(Method::POST, "/Users", Some(&with("inside", &inside)));
    assert_eq!(status, 201, "{made}");
    assert_eq!(made[ENTERPRISE]["manager"]["value"], "boss-1", "{made}");
    assert_eq!(made[ENTERPRISE]["department"], "Tools", "{made}");
    let wrapped = json!({"schemas": [USER], USER: {"userName": "in the schema"}});
    let (status, made) = peer.ask(Method::POST, "/Users", Some(&wrapped));
    assert_eq!(
        (status, &made["userName"]),
        (201, &json!("in the schema")),
        "{made}"
    );

    let strict = Peer::in_memory(Policy::strict());
    for (key, value) in keys.as_object().unwrap() {
        let (status, answer) = strict.ask(Method::POST, "/Users", Some(&with("keys", &json!({key: value}))));
        assert_eq!(
            (status, &answer["scimType"]),
            (400, &json!("invalidSyntax")),
            "{key}: {answer}"
        );
    }
}

/// A single complex value that is addressed as if it had elements.
#[test]
fn brackets_select_a_single_complex_value() {
    let peer = Peer::in_memory(Policy::tolerant());
    let manager = format!("{ENTERPRISE}:manager");
    let made = |user_name: &str| {
        let body =
            json!({"schemas": [USER], "userName": user_name, ENTERPRISE: {"manager": {"value": "boss-1"}}});
        let (_, made) = peer.ask(Method::POST, "/Users", Some(&body));
        format!("/Users/{}", made["id"].as_str().unwrap())
    };
    let target = made("one");
    let elsewhere = json!({"op": "remove", "path": format!("{manager}[value eq \"boss-2\"]")});
    let (status, shown) = peer.patch(&target, &elsewhere);
    assert_eq!(
        (status, &shown[ENTERPRISE]["manager"]["value"]),
        (200, &json!("boss-1")),
        "{shown}"
    );
    let replaced =
        json!({"op": "replace", "path": format!("{manager}[value eq \"boss-2\"].value"), "value": "x"});
    let (status, answer) = peer.patch(&target, &replaced);
    assert_eq!(
        (status, &answer["scimType"]),
        (400, &json!("noTarget")),
        "{answer}"
    );
    for path in [
        format!("{manager}[value eq \"boss-1\"]"),
        format!("{manager} eq \"boss-1\""),
        "manager[value eq \"boss-1\"]".to_owned(),
    ] {
        let target = made(&format!("by {path}"));
        let (status, found) = peer.ask(Method::GET, "/Users?filter=manager%20eq%20%22boss-1%22", None);
        assert_eq!(status, 200, "{found}");
        assert!(found["totalResults"].as_u64().unwrap() > 0, "{found}");
        let (status, shown) = peer.patch(&target, &json!({"op": "Remove", "path": path}));
        assert_eq!(
            (status, &shown[ENTERPRISE]["manager"]),
            (200, &Value::Null),
            "{path}: {shown}"
        );
    }
    let strict = Peer::in_memory(Policy::strict());
    let (target, ..) = strict.make(TYPES[0]);
    let (status, answer) = strict.patch(&target, &elsewhere);
    assert_eq!(
        (status, &answer["scimType"]),
        (400, &json!("invalidPath")),
        "{answer}"
    );
    let filter = format!("/Users?filter={manager}%20eq%20%22boss-1%22");
    let (status, answer) = strict.ask(Method::GET, &filter, None);
    assert_eq!(
        (status, &answer["scimType"]),
        (400, &json!("invalidFilter")),
        "{answer}"
    );
}
