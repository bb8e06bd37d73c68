use serde_json::json;

use super::*;
use crate::ScimType;
use crate::store::Version;
use crate::value::Edges;

fn members(bench: &Bench, group: &str) -> Vec<String> {
    let shown = bench.shown::<Group>(group, "");
    let members = shown["members"].as_array().cloned().unwrap_or_default();
    members
        .iter()
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn members_are_shown_with_place_name_and_type() {
    let bench = bench();
    let user = id_of(
        &bench
            .create(User {
                display_name: Some("Babs".into()),
                ..User::new("bjensen")
            })
            .unwrap(),
    );
    let inner = bench.group("Inner", &[]);
    let group = bench.group("Guides", &[&user, &inner]);
    let shown = bench.shown::<Group>(&group, "");
    assert_eq!(
        shown["members"],
        json!([
            {"value": user, "$ref": format!("https://example.com/v2/Users/{user}"), "type": "User", "display": "Babs"},
            {"value": inner, "$ref": format!("https://example.com/v2/Groups/{inner}"), "type": "Group", "display": "Inner"},
        ])
    );
    assert_eq!(
        bench.shown::<User>(&user, "")["groups"],
        json!([{"value": group, "$ref": format!("https://example.com/v2/Groups/{group}"), "display": "Guides", "type": "direct"}])
    );
    let parts = bench.shown::<Group>(&group, "members.value");
    assert_eq!(parts["members"], json!([{"value": user}, {"value": inner}]));
    assert!(parts.get("displayName").is_none());
    bench
        .patch::<User>(
            &user,
            r#"[{"op":"replace","path":"displayName","value":"Barbara"}]"#,
        )
        .unwrap();
    assert_eq!(
        bench.shown::<Group>(&group, "")["members"][0]["display"],
        "Barbara"
    );
}

#[test]
fn a_member_comes_and_goes_by_delta() {
    let bench = bench();
    let (a, b) = (bench.user("a"), bench.user("b"));
    let group = bench.group("Guides", &[]);
    assert!(bench.patch::<Group>(&group, &add(&a)).unwrap());
    assert!(
        !bench.patch::<Group>(&group, &add(&a)).unwrap(),
        "already a member"
    );
    assert!(bench.patch::<Group>(&group, &add(&b)).unwrap());
    assert_eq!(members(&bench, &group), [a.clone(), b.clone()]);
    assert_eq!(bench.version::<Group>(&group), "3");
    let remove = |id: &str| format!(r#"[{{"op":"remove","path":"members[value eq \"{id}\"]"}}]"#);
    assert!(bench.patch::<Group>(&group, &remove(&a)).unwrap());
    assert!(
        !bench.patch::<Group>(&group, &remove(&a)).unwrap(),
        "A-12: removing a non-member succeeds"
    );
    assert!(!bench.patch::<Group>(&group, &remove("nobody")).unwrap());
    assert_eq!(members(&bench, &group), [b]);
}

/// A-34: Entra ID lists the values that it removes.
#[test]
fn remove_with_values_takes_those_alone() {
    let bench = bench();
    let (a, b, c) = (bench.user("a"), bench.user("b"), bench.user("c"));
    let group = bench.group("Guides", &[&a, &b, &c]);
    let listed =
        format!(r#"[{{"op":"remove","path":"members","value":[{{"value":"{a}"}},{{"value":"{c}"}}]}}]"#);
    assert!(bench.patch::<Group>(&group, &listed).unwrap());
    assert_eq!(members(&bench, &group), [b]);
    assert!(
        bench
            .patch::<Group>(&group, r#"[{"op":"remove","path":"members"}]"#)
            .unwrap()
    );
    assert!(members(&bench, &group).is_empty());
}

#[test]
fn other_filters_are_asked_of_each_member() {
    let bench = bench();
    let (a, b) = (bench.user("a"), bench.user("b"));
    let inner = bench.group("Inner", &[]);
    let group = bench.group("Guides", &[&a, &b, &inner]);
    assert!(
        bench
            .patch::<Group>(&group, r#"[{"op":"remove","path":"members[type eq \"User\"]"}]"#)
            .unwrap()
    );
    assert_eq!(members(&bench, &group), std::slice::from_ref(&inner));
    let both = format!(r#"[{{"op":"remove","path":"members[value eq \"{inner}\" and type eq \"User\"]"}}]"#);
    assert!(!bench.patch::<Group>(&group, &both).unwrap());
    let either = format!(r#"[{{"op":"remove","path":"members[value eq \"{inner}\" or value eq \"{a}\"]"}}]"#);
    assert!(bench.patch::<Group>(&group, &either).unwrap());
    assert!(members(&bench, &group).is_empty());
}

#[test]
fn a_member_that_does_not_exist_is_named_and_nothing_is_half_applied() {
    let bench = bench();
    let a = bench.user("a");
    let group = bench.group("Guides", &[]);
    let gone = bench.user("gone");
    bench.delete::<User>(&gone).unwrap();
    for nobody in [gone.as_str(), "nobody", &group] {
        let operations = format!(
            r#"[{{"op":"replace","path":"displayName","value":"New"}},
                {{"op":"add","path":"members","value":[{{"value":"{a}"}},{{"value":"{nobody}"}}]}}]"#
        );
        let error = bench.patch::<Group>(&group, &operations).unwrap_err();
        assert_eq!(
            (error.scim_type(), error.operation()),
            (Some(ScimType::InvalidValue), Some(1))
        );
        assert!(
            error
                .to_string()
                .starts_with("Operation 2: Attribute members names")
                && error.to_string().contains(nobody),
            "{error}"
        );
        assert_eq!(bench.version::<Group>(&group), "1");
        assert_eq!(bench.state::<Group>(&group).display_name, "Guides");
        assert!(members(&bench, &group).is_empty());
    }
}

#[test]
fn deltas_and_the_rest_are_one_change() {
    let bench = bench();
    let a = bench.user("a");
    let group = bench.group("Guides", &[]);
    let operations = format!(
        r#"[{{"op":"replace","value":{{"displayName":"New","members":[{{"value":"{a}"}},{{"value":"{a}"}}]}}}}]"#
    );
    assert!(bench.patch::<Group>(&group, &operations).unwrap());
    assert_eq!(bench.version::<Group>(&group), "2");
    assert_eq!(
        (
            bench.state::<Group>(&group).display_name.as_str(),
            members(&bench, &group)
        ),
        ("New", vec![a.clone()])
    );
    let there_and_back = format!(
        r#"[{{"op":"remove","path":"members"}},{{"op":"add","path":"members","value":[{{"value":"{a}"}}]}}]"#
    );
    assert!(
        !bench.patch::<Group>(&group, &there_and_back).unwrap(),
        "nothing has changed"
    );
}

#[test]
fn a_put_writes_the_difference_and_leaves_alone_what_is_not_loaded() {
    let bench = bench();
    let (a, b, c) = (bench.user("a"), bench.user("b"), bench.user("c"));
    let group = bench.group("Guides", &[&a, &b]);
    let put = |members: Edges<Member>| Group {
        members,
        ..Group::new("Guides")
    };
    let stored = bench
        .replace(&group, put(vec![Member::new(&*b), Member::new(&*c)].into()))
        .unwrap();
    assert_eq!(stored.version, Version::from(2));
    let shown = stored.resource.members.loaded().unwrap().to_vec();
    assert_eq!(
        shown
            .iter()
            .map(|member| member.kind.as_deref())
            .collect::<Vec<_>>(),
        [Some("User"); 2]
    );
    assert_eq!(members(&bench, &group), [b.clone(), c.clone()]);
    assert_eq!(
        bench.replace(&group, put(Edges::NotLoaded)).unwrap().version,
        Version::from(2)
    );
    assert_eq!(members(&bench, &group), [b, c]);
    assert_eq!(
        bench.replace(&group, put(Edges::default())).unwrap().version,
        Version::from(3)
    );
    assert!(members(&bench, &group).is_empty());
}

#[test]
fn who_is_deleted_leaves_the_groups_and_they_have_changed() {
    let bench = bench();
    let (a, b) = (bench.user("a"), bench.user("b"));
    let group = bench.group("Guides", &[&a, &b]);
    bench.hands.set(5_000);
    bench.delete::<User>(&a).unwrap();
    assert_eq!(members(&bench, &group), std::slice::from_ref(&b));
    let shown = bench.shown::<Group>(&group, "");
    assert_eq!(
        (&shown["meta"]["version"], &shown["meta"]["lastModified"]),
        (&json!("W/\"2\""), &json!("1970-01-01T01:23:20Z"))
    );
    bench.delete::<Group>(&group).unwrap();
    assert!(bench.shown::<User>(&b, "").get("groups").is_none());
}

/// `load` is for the application: it has everything, what mirrors edges included.
#[test]
fn the_whole_state_has_edges_and_what_mirrors_them() {
    let bench = bench();
    let a = bench.user("a");
    let group = bench.group("Guides", &[&a]);
    let whole = bench.state::<Group>(&group);
    assert_eq!(whole.members.loaded().unwrap()[0].value, a);
    assert_eq!(
        bench.state::<User>(&a).groups[0].value.as_deref(),
        Some(group.as_str())
    );
}

/// The cost of a member does not depend on the size of the group: the rows that statements change, and the pages they
/// read, are the same.
#[test]
fn adding_a_member_costs_the_same_in_every_group() {
    let bench = bench();
    let people: Vec<_> = (0..600).map(|number| bench.user(&format!("u{number}"))).collect();
    let all: Vec<_> = people.iter().map(String::as_str).collect();
    let cost = |group: &str, id: &str| {
        let changes = || {
            bench
                .store
                .database()
                .blocking_write(|tx| tx.query_one("SELECT total_changes()", &[], |row| row.integer(0)))
        };
        let before = changes().unwrap().unwrap();
        assert!(bench.patch::<Group>(group, &add(id)).unwrap());
        changes().unwrap().unwrap() - before
    };
    let small = bench.group("Small", &all[..2]);
    let large = bench.group("Large", &all[..599]);
    let newcomer = all[599];
    // One edge and one row of the group.
    assert_eq!((cost(&small, newcomer), cost(&large, newcomer)), (2, 2));
}

#[test]
fn a_large_group_is_sent_in_parts_and_whole() {
    let bench = bench();
    let people: Vec<_> = (0..2_000)
        .map(|number| bench.user(&format!("user-with-a-name-{number}")))
        .collect();
    let group = bench.group(
        "Everybody",
        &people.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let all = Projection::default_of(Group::RESOURCE_TYPE);
    let Answer::Rendered(rendered) = bench.answer::<Group>(&group, &all, &Precondition::None).unwrap() else {
        panic!("not rendered");
    };
    assert_eq!(rendered.version, Version::from(1));
    let Document::Parts(mut body) = rendered.document else {
        panic!("in one piece")
    };
    let (mut parts, mut document) = (0, Vec::new());
    while let Some(frame) = bench.block(http_body_util::BodyExt::frame(&mut body)) {
        let part = frame.unwrap().into_data().unwrap();
        assert!(part.len() < (64 << 10) + 1_024, "a part of {} bytes", part.len());
        parts += 1;
        document.extend_from_slice(&part);
    }
    assert!(parts > 3);
    let mut whole = Vec::new();
    fill_holes(&document, Base::Url("https://example.com/v2"), &mut whole);
    let whole: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(whole["members"].as_array().unwrap().len(), 2_000);
    assert_eq!(whole["members"][1_999]["value"], people[1_999].as_str());
    assert_eq!(whole["displayName"], "Everybody");
    let stale = Precondition::IfMatch(vec![Version::from(9)]);
    assert_eq!(
        bench.answer::<Group>(&group, &all, &stale).unwrap_err().status(),
        412
    );
    let few = without::<Group>("members");
    let Answer::Rendered(rendered) = bench.answer::<Group>(&group, &few, &Precondition::None).unwrap() else {
        panic!("not rendered");
    };
    assert!(matches!(rendered.document, Document::Whole(bytes) if bytes.len() < 1_000));
}
