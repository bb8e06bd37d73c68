//! The work of a write in its transaction.

use std::sync::{Arc, Mutex};

use http::Method;
use scim::resources::Group;
use scim::store::{Event, Hooks};
use scim::testkit::Tenant;
use serde_json::{Value, json};

use crate::directory::Directory;
use crate::peer::{Peer, USER};

/// RFC 7644 sections 3.3, 3.5.1 and 3.5.2: POST, PUT, PATCH and DELETE are one transaction each, and are answered from it.
#[tokio::test]
async fn a_request_that_writes_is_one_transaction() {
    let peer = Peer::new();
    let user = |title: &str| json!({"schemas": [USER], "userName": "babs", "title": title});
    let (status, created) = peer.ask(Method::POST, "/Users", &user("Guide")).await;
    assert_eq!((status, peer.begun()), (201, (0, 1)), "{created}");
    let path = format!("/Users/{}", created["id"].as_str().unwrap());
    let (status, replaced) = peer.ask(Method::PUT, &path, &user("Chief")).await;
    assert_eq!((status, peer.begun()), (200, (0, 2)));
    assert_eq!(
        (&replaced["title"], &replaced["meta"]["version"]),
        (&json!("Chief"), &json!("W/\"2\""))
    );
    let title = json!([{"op": "replace", "path": "title", "value": "Boss"}]);
    let (status, patched) = peer.patch(&path, title).await;
    assert_eq!((status, peer.begun()), (200, (0, 3)));
    assert_eq!(patched["title"], "Boss");
    let (status, _) = peer.ask(Method::DELETE, &path, &Value::Null).await;
    assert_eq!((status, peer.begun()), (204, (0, 4)));
}

/// RFC 7644 section 3.5.1: a PUT of what GET shows is not a change, members and mirrored attributes included.
#[tokio::test]
async fn a_put_of_what_get_shows_is_no_change() {
    let peer = Peer::new();
    let babs = peer.user("babs").await;
    let group = peer.group("Guides", std::slice::from_ref(&babs)).await;
    for path in [format!("/Users/{babs}"), format!("/Groups/{group}")] {
        let shown = peer.get(&path).await;
        let lines = peer.history();
        let (status, again) = peer.ask(Method::PUT, &path, &shown).await;
        assert_eq!((status, &again), (200, &shown), "{path}");
        assert_eq!(
            peer.history(),
            lines,
            "nothing is recorded of what changes nothing"
        );
    }
}

/// To add a member costs the same in any group: nothing is read of the others.
#[tokio::test]
async fn a_member_is_added_without_reading_the_others() {
    let peer = Peer::new();
    let mut people = Vec::new();
    for n in 0..50 {
        people.push(peer.user(&format!("u{n}")).await);
    }
    let last = people.pop().unwrap();
    let mut counts = Vec::new();
    for members in [&people[..1], &people[..]] {
        let group = peer.group("Guides", members).await;
        let add = json!([{"op": "add", "path": "members", "value": [{"value": last}]}]);
        let path = format!("/Groups/{group}?excludedAttributes=members");
        let statements = peer
            .statements(async {
                assert_eq!(peer.patch(&path, add).await.0, 200);
            })
            .await;
        assert!(
            statements
                .iter()
                .all(|text| !text.contains("JOIN") || text.contains(" IN ")),
            "{statements:?}"
        );
        counts.push(statements.len());
    }
    assert_eq!(counts[0], counts[1]);
}

/// The application's own statements are in the transaction: they may refuse, see a password, and are told of groups that
/// lose a deleted member.
#[tokio::test]
async fn the_application_records_and_refuses_in_the_transaction() {
    let peer = Peer::new();
    let (status, error) = peer
        .ask(
            Method::POST,
            "/Users",
            &json!({"schemas": [USER], "userName": "root"}),
        )
        .await;
    assert_eq!(
        (status, &error["scimType"]),
        (400, &json!("invalidValue")),
        "{error}"
    );
    assert_eq!(error["detail"], "Attribute userName must not be root.");
    assert_eq!(peer.get("/Users").await["totalResults"], 0);
    assert!(peer.history().is_empty());

    let secret = json!({"schemas": [USER], "userName": "babs", "password": "t1meMa$heen"});
    let (_, babs) = peer.ask(Method::POST, "/Users", &secret).await;
    let babs = babs["id"].as_str().unwrap().to_owned();
    let group = peer.group("Guides", std::slice::from_ref(&babs)).await;
    peer.ask(Method::DELETE, &format!("/Users/{babs}"), &Value::Null)
        .await;
    let expected = [
        format!("{babs} 1 true"),
        format!("{group} 1 [(1, 0)] by itself"),
        format!("{group} 2 [(0, 1)] without User {babs}"),
        format!("{babs} 1 false"),
    ];
    assert_eq!(peer.history(), expected);
    assert_eq!(
        peer.get(&format!("/Groups/{group}")).await["meta"]["version"],
        "W/\"2\""
    );
}

/// RFC 7643 section 7: the constraint of the table becomes 409 `uniqueness`, and the error names attribute and value.
#[tokio::test]
async fn a_value_that_is_taken_is_named() {
    let peer = Peer::new();
    peer.user("bjensen").await;
    let (status, error) = peer
        .ask(
            Method::POST,
            "/Users",
            &json!({"schemas": [USER], "userName": "BJensen"}),
        )
        .await;
    assert_eq!(
        (status, &error["scimType"]),
        (409, &json!("uniqueness")),
        "{error}"
    );
    assert_eq!(
        error["detail"],
        "Attribute userName must be unique, but another User has the value \"BJensen\"."
    );
}

/// Integer keys: a person and a team of the same number are two resources, and one number has one id.
#[tokio::test]
async fn keys_that_the_database_makes_are_ids() {
    let peer = Peer::new();
    let babs = peer.user("babs").await;
    let group = peer.group("Guides", std::slice::from_ref(&babs)).await;
    assert_eq!((babs.as_str(), group.as_str()), ("p1", "t1"));
    for id in ["1", "t1", "p01", "p+1", "P1", "p1 ", "p9223372036854775808"] {
        let target = format!("/Users/{}", id.replace(' ', "%20").replace('+', "%2B"));
        let (status, _) = peer.ask(Method::GET, &target, &Value::Null).await;
        assert_eq!(status, 404, "{id:?}");
    }
    let nested = peer.group("Outer", std::slice::from_ref(&group)).await;
    let members = peer.get(&format!("/Groups/{nested}")).await["members"].clone();
    assert_eq!(
        (&members[0]["value"], &members[0]["type"]),
        (&json!("t1"), &json!("Group"))
    );
    assert_eq!(members.as_array().map(Vec::len), Some(1));
    let (_, found) = peer
        .ask(Method::GET, "/Users?filter=id%20eq%20%22p1%22", &Value::Null)
        .await;
    assert_eq!(found["totalResults"], 1);
}

/// A text that databases cannot search is refused, not kept in part.
#[tokio::test]
async fn a_character_that_columns_cannot_hold_is_refused() {
    let peer = Peer::new();
    let user = json!({"schemas": [USER], "userName": "babs", "displayName": "B\u{0}abs"});
    let (status, error) = peer.ask(Method::POST, "/Users", &user).await;
    assert_eq!(
        (status, &error["scimType"]),
        (400, &json!("invalidValue")),
        "{error}"
    );
    assert_eq!(peer.get("/Users").await["totalResults"], 0);
}

/// RFC 7644 section 3.5.2: operations are applied one after the other, also to members that an earlier one has added.
#[tokio::test]
async fn operations_on_members_see_those_before_them() {
    let peer = Peer::new();
    let (babs, mandy) = (peer.user("babs").await, peer.user("mandy").await);
    let inner = peer.group("Inner", &[]).await;
    let group = peer.group("Guides", std::slice::from_ref(&mandy)).await;
    let path = format!("/Groups/{group}");
    let operations = json!([
        {"op": "add", "path": "members", "value": [{"value": babs}, {"value": inner}]},
        {"op": "remove", "path": "members[type eq \"User\"]"},
    ]);
    let (status, patched) = peer.patch(&path, operations).await;
    assert_eq!(
        (status, patched["members"].as_array().map(Vec::len)),
        (200, Some(1)),
        "{patched}"
    );
    assert_eq!(patched["members"][0]["value"], inner);
    let version = patched["meta"]["version"].clone();
    let around = json!([
        {"op": "remove", "path": format!("members[value eq \"{inner}\"]")},
        {"op": "add", "path": "members", "value": [{"value": inner}]},
    ]);
    let (status, same) = peer.patch(&path, around).await;
    assert_eq!(
        (status, &same["meta"]["version"]),
        (200, &version),
        "what goes and comes again is no change"
    );
}

/// RFC 7644 section 3.14: without columns for versions, the content is the version, and the members of a group are content.
#[tokio::test]
async fn members_are_part_of_the_content() {
    let peer = Peer::over(Directory::without_versions(), Hooks::new());
    let (babs, mandy) = (peer.user("babs").await, peer.user("mandy").await);
    let group = peer.group("Guides", std::slice::from_ref(&babs)).await;
    let path = format!("/Groups/{group}");
    let version = peer.get(&path).await["meta"]["version"].clone();
    assert!(peer.get(&path).await["meta"].get("lastModified").is_none());
    let add = json!([{"op": "add", "path": "members", "value": [{"value": mandy}]}]);
    let (_, patched) = peer.patch(&path, add.clone()).await;
    assert_ne!(patched["meta"]["version"], version);
    let (_, again) = peer.patch(&path, add).await;
    assert_eq!(again["meta"]["version"], patched["meta"]["version"]);
    let (status, _) = peer
        .ask(Method::DELETE, &format!("/Users/{mandy}"), &Value::Null)
        .await;
    assert_eq!(status, 204);
    assert_eq!(peer.get(&path).await["meta"]["version"], version);
    let (status, _) = peer.ask(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(status, 204);
}

/// Whoever hears of a write is told which edges have come and gone.
#[tokio::test]
async fn hooks_are_told_which_members_have_moved() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let hooks = Hooks::new().after_commit(move |_: Arc<Tenant>, event: Arc<Event<Group>>| {
        let edges = event.edges.iter();
        let ids = edges.map(|edges| (edges.added_ids.clone(), edges.removed_ids.clone(), edges.removed));
        hears.lock().unwrap().push(ids.collect::<Vec<_>>());
        async {}
    });
    let peer = Peer::over(Directory::in_memory(), hooks);
    let (babs, mandy) = (peer.user("babs").await, peer.user("mandy").await);
    let group = peer.group("Guides", std::slice::from_ref(&babs)).await;
    let path = format!("/Groups/{group}");
    let members = json!([{"op": "replace", "path": "members", "value": [{"value": mandy}]}]);
    peer.patch(&path, members).await;
    peer.ask(Method::DELETE, &format!("/Users/{mandy}"), &Value::Null)
        .await;
    peer.ask(Method::DELETE, &path, &Value::Null).await;
    let none = Vec::new;
    let expected = [
        vec![(vec![babs.clone()], none(), 0)],
        vec![(vec![mandy.clone()], vec![babs], 1)],
        vec![(none(), vec![mandy], 1)],
        vec![],
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}
