use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ScimResource as DeriveResource;
use crate::ScimType;
use crate::filter::{Filter, Resolve, ResolvedFilter};
use crate::limits::Limits;
use crate::policy::Policy;
use crate::projection::{Base, fill_holes};
use crate::record::Record;
use crate::resources::{Group, Member, User};
use crate::store::{Clock, Document, IdSource, Version};
use crate::value::{DateTime, Edges, Meta, ResourceId, View};

/// The store never waits: its futures are ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store in memory never waits"),
    }
}

fn store() -> Memory {
    Memory::new().link(Group::paths().members(), User::paths().groups())
}

fn create<R: ScimResource>(store: &Memory, resource: R) -> Stored<R> {
    now(store.create(&(), resource)).unwrap()
}

fn shown<R: ScimResource>(store: &Memory, id: &str, want: &Projection) -> Value {
    let answer: Answer<R> = now(store.get(&(), id, want, &Precondition::None)).unwrap();
    document(answer)
}

fn document<R>(answer: Answer<R>) -> Value {
    let Answer::Rendered(rendered) = answer else {
        panic!("the store in memory renders");
    };
    let Document::Whole(bytes) = rendered.document else {
        panic!("in one piece");
    };
    let mut text = Vec::new();
    fill_holes(&bytes, Base::Url("https://example.com/v2"), &mut text);
    serde_json::from_slice(&text).unwrap()
}

fn patch<R: ScimResource>(operations: &Value) -> Patch<R> {
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    Patch::parse(
        body.to_string().as_bytes(),
        &Policy::tolerant(),
        &Limits::default(),
    )
    .unwrap()
}

fn reply<R: ScimResource>() -> Reply {
    Reply {
        want: Projection::default_of(R::RESOURCE_TYPE),
        most_edges: None,
    }
}

fn apply<R: ScimResource>(store: &Memory, id: &str, operations: &Value) -> Result<Patched<R>> {
    now(store.patch(&(), id, &patch(operations), &Precondition::None, &reply::<R>()))
}

fn query<R: ScimResource>(store: &Memory, filter: &str, scanned_rows: usize) -> Result<Vec<String>> {
    let limits = Limits::default();
    let filter = Filter::parse(filter, &limits)?;
    let filter = ResolvedFilter::resolve(&filter, R::RESOURCE_TYPE.schema, Resolve::default())?;
    let mut query = Query::<R>::all(100).matching(filter);
    query.scanned_rows = scanned_rows;
    let page: Page<R> = now(store.query(&(), &query, &Projection::default_of(R::RESOURCE_TYPE)))?;
    let ids = page.items.into_iter().map(|item| document(item.answer));
    Ok(ids
        .map(|shown| shown["id"].as_str().unwrap().to_owned())
        .collect())
}

/// limits.md: what has an index is found without a walk over all resources.
#[test]
fn indexed_attributes_are_found_without_a_scan() {
    let store = store();
    let babs = create(
        &store,
        User {
            emails: vec![crate::resources::Email::new("Babs@example.com")],
            active: Some(true),
            ..User::new("bjensen")
        },
    );
    create(&store, User::new("jsmith"));
    let mut guides = Group::new("Tour Guides");
    guides.members = vec![Member::new(babs.resource.id.as_str())].into();
    let guides = create(&store, guides);
    let id = babs.resource.id.as_str();
    let group = guides.resource.id.as_str();
    for filter in [
        "userName eq \"BJENSEN\"".to_owned(),
        "emails.value eq \"babs@EXAMPLE.com\"".to_owned(),
        "emails[value eq \"babs@example.com\"]".to_owned(),
        "active eq true".to_owned(),
        format!("id eq \"{id}\""),
        format!("groups.value eq \"{group}\""),
        "userName eq \"nobody\" or active eq true and title pr or id eq \"x\" or userName eq \"bjensen\""
            .to_owned(),
    ] {
        assert_eq!(query::<User>(&store, &filter, 0).unwrap(), [id], "{filter}");
    }
    assert_eq!(
        query::<Group>(&store, &format!("members.value eq \"{id}\""), 0).unwrap(),
        [group]
    );
    assert_eq!(
        query::<Group>(
            &store,
            &format!("members[value eq \"{id}\" and type eq \"Group\"]"),
            0
        )
        .unwrap(),
        [""; 0]
    );
    let error = query::<User>(&store, "title pr", 1).unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::TooMany));
    assert!(query::<User>(&store, "not (userName eq \"bjensen\")", 2).is_ok());
}

#[test]
fn groups_and_members_are_shown_from_both_ends() {
    let store = store();
    let babs = create(&store, User::new("bjensen"));
    let id = babs.resource.id.as_str();
    let mut guides = Group::new("Tour Guides");
    guides.members = vec![Member::new(id)].into();
    let guides = create(&store, guides);
    let group = guides.resource.id.as_str();
    let member = json!({"value": id, "$ref": format!("https://example.com/v2/Users/{id}"), "type": "User"});
    let membership = json!({"value": group, "$ref": format!("https://example.com/v2/Groups/{group}"), "type": "direct", "display": "Tour Guides"});
    let users = Projection::default_of(User::RESOURCE_TYPE);
    let groups = Projection::default_of(Group::RESOURCE_TYPE);
    assert_eq!(shown::<Group>(&store, group, &groups)["members"], json!([member]));
    assert_eq!(shown::<User>(&store, id, &users)["groups"], json!([membership]));
    let chosen = Projection::parse(User::RESOURCE_TYPE, &["groups.display"], &[] as &[&str], false).unwrap();
    assert_eq!(
        shown::<User>(&store, id, &chosen)["groups"],
        json!([{"display": "Tour Guides"}])
    );
    let loaded: Stored<Group> = now(store.load(&(), group, Extent::Whole)).unwrap().unwrap();
    let members = loaded.resource.members.loaded().unwrap();
    assert_eq!(
        (members[0].value.as_str(), members[0].display.as_deref()),
        (id, None)
    );
    let bare: Stored<Group> = now(store.load(&(), group, Extent::WithoutEdges))
        .unwrap()
        .unwrap();
    assert_eq!(bare.resource.members, Edges::NotLoaded);
    now(Store::<User, ()>::delete(&store, &(), id, &Precondition::None)).unwrap();
    assert_eq!(shown::<Group>(&store, group, &groups).get("members"), None);
}

/// RFC 7643 section 7: a value unique on the server may repeat in another tenant, one unique everywhere may not.
#[test]
fn global_values_are_unique_among_tenants() {
    let store = Memory::new();
    let make = |tenant: &str, serial: &str| now(store.create(&tenant.to_owned(), Badge::new(serial)));
    let first = make("a", "X1").unwrap();
    assert_eq!(
        make("b", "x1").unwrap_err().scim_type(),
        Some(ScimType::Uniqueness)
    );
    let moved = Badge {
        serial: "X2".into(),
        ..first.resource.clone()
    };
    let id = first.resource.id.as_str();
    now(store.replace(&"a".to_owned(), id, moved, &Precondition::None)).unwrap();
    assert!(make("b", "x1").is_ok());
    assert!(make("b", "X2").is_err());
    now(Store::<Badge, String>::delete(
        &store,
        &"a".to_owned(),
        id,
        &Precondition::None,
    ))
    .unwrap();
    assert!(make("b", "X2").is_ok());
}

/// What is never returned is state all the same: a PATCH of something else keeps it.
#[test]
fn what_is_never_returned_survives_a_patch() {
    let store = Memory::new();
    let badge = create(
        &store,
        Badge {
            pin: Some("1234".into()),
            ..Badge::new("X1")
        },
    );
    let id = badge.resource.id.as_str();
    let patched = apply::<Badge>(
        &store,
        id,
        &json!([{"op": "replace", "path": "serial", "value": "X2"}]),
    )
    .unwrap();
    let answer = document(patched.answer.unwrap());
    assert_eq!((&answer["serial"], answer.get("pin")), (&json!("X2"), None));
    let loaded: Stored<Badge> = now(store.load(&(), id, Extent::Whole)).unwrap().unwrap();
    assert_eq!(loaded.resource.pin.as_deref(), Some("1234"));
}

/// Edges of a resource that is linked to nothing keep everything that a client says of them.
#[test]
fn edges_without_a_link_are_kept_as_they_are() {
    let store = Memory::new();
    let mut badge = Badge::new("X1");
    badge.doors = vec![Door {
        name: "north".into(),
        floors: vec![1, 2],
    }]
    .into();
    let badge = create(&store, badge);
    let id = badge.resource.id.as_str();
    let door = json!([{"op": "add", "path": "doors", "value": [{"name": "south", "floors": [3]}, {"name": "North"}]}]);
    assert!(apply::<Badge>(&store, id, &door).unwrap().changed);
    let want = Projection::default_of(Badge::RESOURCE_TYPE);
    assert_eq!(
        shown::<Badge>(&store, id, &want)["doors"],
        json!([{"name": "north", "floors": [1, 2]}, {"name": "south", "floors": [3]}])
    );
    let loaded: Stored<Badge> = now(store.load(&(), id, Extent::Whole)).unwrap().unwrap();
    assert_eq!(loaded.resource.doors.loaded().unwrap()[1].floors, [3]);
    let removal = json!([{"op": "remove", "path": "doors[floors eq 3]"}]);
    assert!(apply::<Badge>(&store, id, &removal).unwrap().changed);
    assert_eq!(
        shown::<Badge>(&store, id, &want)["doors"],
        json!([{"name": "north", "floors": [1, 2]}])
    );
}

/// A clock that stands still, and identifiers that repeat.
struct Stuck(AtomicU64);

impl Clock for Stuck {
    fn now(&self) -> DateTime {
        DateTime::from_unix_micros(1_000_000)
    }
}

impl IdSource for Stuck {
    fn next_id(&self) -> String {
        let asked = self.0.fetch_add(1, Ordering::Relaxed);
        if asked == 1 {
            "bulkId:1".to_owned()
        } else {
            (asked / 4).to_string()
        }
    }
}

/// RFC 7643 section 3.1: an id is never given again, and never looks like a bulkId, whatever its source does.
#[test]
fn a_poor_source_of_identifiers_does_no_harm() {
    let stuck = Arc::new(Stuck(AtomicU64::new(0)));
    let store = Memory::new().environment(Environment {
        clock: stuck.clone(),
        ids: stuck,
    });
    let first = create(&store, User::new("a"));
    let second = create(&store, User::new("b"));
    assert_ne!(first.resource.id, second.resource.id);
    now(Store::<User, ()>::delete(
        &store,
        &(),
        second.resource.id.as_str(),
        &Precondition::None,
    ))
    .unwrap();
    assert_ne!(create(&store, User::new("b")).resource.id, second.resource.id);
    let id = first.resource.id.as_str();
    apply::<User>(&store, id, &json!([{"op": "add", "path": "title", "value": "x"}])).unwrap();
    let changed: Stored<User> = now(store.load(&(), id, Extent::Whole)).unwrap().unwrap();
    assert!(changed.resource.meta.last_modified > first.resource.meta.last_modified);
    assert_eq!(changed.version, Version::from(2));
}

/// A member is added without a look at the others: the group stays where it is.
#[test]
fn deltas_work_on_edges_alone() {
    let store = store();
    let ids: Vec<String> = (0..5)
        .map(|n| {
            let mut user = User::new(format!("u{n}"));
            user.display_name = Some(format!("U{n}"));
            create(&store, user).resource.id.to_string()
        })
        .collect();
    let group = create(&store, Group::new("Tour Guides"));
    let id = group.resource.id.as_str();
    let values = |of: &[usize]| of.iter().map(|n| json!({"value": ids[*n]})).collect::<Vec<_>>();
    for (operations, left) in [
        (
            json!([{"op": "add", "path": "members", "value": values(&[0, 1, 2])}]),
            &[0, 1, 2][..],
        ),
        (
            json!([{"op": "remove", "path": "members", "value": values(&[1, 4])}]),
            &[0, 2],
        ),
        (
            json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[0])}, {"op": "add", "path": "members", "value": values(&[3])}]),
            &[2, 3],
        ),
        (
            json!([{"op": "replace", "path": "members", "value": values(&[4, 3])}]),
            &[3, 4],
        ),
        (
            json!([{"op": "remove", "path": "members[display eq \"u4\"]"}, {"op": "replace", "path": "displayName", "value": "x"}]),
            &[3],
        ),
        (
            json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": values(&[2])}]),
            &[2],
        ),
    ] {
        assert!(
            apply::<Group>(&store, id, &operations).unwrap().changed,
            "{operations}"
        );
        let loaded: Stored<Group> = now(store.load(&(), id, Extent::Whole)).unwrap().unwrap();
        let held: Vec<_> = loaded
            .resource
            .members
            .loaded()
            .unwrap()
            .iter()
            .map(|member| &member.value)
            .collect();
        assert_eq!(
            held,
            left.iter().map(|n| &ids[*n]).collect::<Vec<_>>(),
            "{operations}"
        );
    }
    let again =
        json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": values(&[2])}]);
    assert!(!apply::<Group>(&store, id, &again).unwrap().changed);
    let error = apply::<Group>(
        &store,
        id,
        &json!([
            {"op": "replace", "path": "displayName", "value": "y"},
            {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
        ]),
    )
    .unwrap_err();
    assert_eq!(
        (error.scim_type(), error.operation()),
        (Some(ScimType::InvalidValue), Some(1))
    );
    assert!(error.to_string().contains("\"nobody\""), "{error}");
}

/// A badge with everything that a store must treat in a way of its own.
#[derive(Debug, Clone, PartialEq, DeriveResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Badge", endpoint = "/Badges")]
struct Badge {
    id: ResourceId,
    meta: Meta,
    #[scim(unique = "global")]
    serial: String,
    #[scim(mutability = "writeOnly", returned = "never")]
    pin: Option<String>,
    #[scim(edges)]
    doors: Edges<Door>,
}

#[derive(Debug, Clone, PartialEq, crate::ScimComplex)]
struct Door {
    #[scim(key)]
    name: String,
    floors: Vec<i64>,
}

impl Badge {
    fn new(serial: &str) -> Self {
        Self {
            id: ResourceId::default(),
            meta: Meta::default(),
            serial: serial.to_owned(),
            pin: None,
            doors: Edges::default(),
        }
    }
}

/// The store must be told of edges that are not loaded from those that are none.
#[test]
fn loaded_edges_are_a_list_even_if_there_are_none() {
    let mut group = Group::new("x");
    let (index, _) = crate::schema::position(group.attributes(), "members").unwrap();
    assert!(group.view(index).values().is_some_and(|values| values.is_empty()));
    assert!(!group.view(index).is_present());
    group.members = Edges::NotLoaded;
    assert!(matches!(group.view(index), View::Absent));
}

fn members_operation() -> impl Strategy<Value = Value> {
    let ids = || prop::collection::vec(0..5usize, 0..4);
    let values = |ids: Vec<usize>| {
        ids.iter()
            .map(|n| json!({"value": format!("{{{n}}}")}))
            .collect::<Value>()
    };
    prop_oneof![
        3 => ids().prop_map(move |ids| json!({"op": "add", "path": "members", "value": values(ids)})),
        3 => ids().prop_map(move |ids| json!({"op": "remove", "path": "members", "value": values(ids)})),
        2 => ids().prop_map(move |ids| json!({"op": "replace", "path": "members", "value": values(ids)})),
        2 => (0..5usize).prop_map(|n| json!({"op": "remove", "path": format!("members[value eq \"{{{n}}}\"]")})),
        1 => (0..5usize, 0..5usize).prop_map(|(m, n)| json!({"op": "remove", "path": format!("members[value eq \"{{{m}}}\" or value eq \"{{{n}}}\"]")})),
        1 => (0..5usize).prop_map(|n| json!({"op": "remove", "path": format!("members[not (value eq \"{{{n}}}\")]")})),
        1 => Just(json!({"op": "remove", "path": "members"})),
        2 => "[x-z]".prop_map(|name| json!({"op": "replace", "value": {"displayName": name}})),
        1 => (0..5usize).prop_map(|n| json!({"op": "replace", "path": format!("members[value eq \"{{{n}}}\"].display"), "value": "D"})),
        1 => Just(json!({"op": "replace", "path": "id", "value": "1"})),
    ]
}

proptest! {
    /// The store changes edges one by one, and comes to what the PATCH makes of the whole resource.
    #[test]
    fn a_patch_by_deltas_is_a_patch(
        before in prop::collection::btree_set(0..5usize, 0..5),
        operations in prop::collection::vec(members_operation(), 1..6),
    ) {
        let store = store();
        let ids: Vec<String> = (0..5).map(|n| create(&store, User::new(format!("u{n}"))).resource.id.to_string()).collect();
        let mut group = Group::new("x");
        group.members = before.iter().map(|n| Member::new(&ids[*n])).collect::<Vec<_>>().into();
        let group = create(&store, group);
        let id = group.resource.id.as_str();
        let filled = ids.iter().enumerate().fold(json!(operations).to_string(), |text, (n, id)| text.replace(&format!("{{{n}}}"), id));
        let body = format!(r#"{{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": {filled}}}"#);
        let Ok(patch) = Patch::<Group>::parse(body.as_bytes(), &Policy::tolerant(), &Limits::default()) else {
            return Ok(());
        };
        let whole = patch.apply(&group.resource);
        let patched = now(store.patch(&(), id, &patch, &Precondition::None, &reply::<Group>()));
        let after: Stored<Group> = now(store.load(&(), id, Extent::Whole)).unwrap().unwrap();
        let state = |group: &Group| {
            let members: BTreeSet<String> = group.members.loaded().unwrap().iter().map(|member| member.value.clone()).collect();
            (group.display_name.clone(), members)
        };
        match (whole, patched) {
            (Ok(whole), Ok(patched)) => {
                let whole = whole.resource.unwrap_or_else(|| group.resource.clone());
                prop_assert_eq!(state(&after.resource), state(&whole));
                prop_assert_eq!(patched.changed, state(&group.resource) != state(&whole));
                prop_assert_eq!(after.version == group.version, !patched.changed);
            }
            (Err(_), Err(_)) => prop_assert_eq!(&after, &group),
            (whole, patched) => return Err(TestCaseError::fail(format!("{whole:?} but {patched:?}"))),
        }
        for (n, user) in ids.iter().enumerate() {
            let user: Stored<User> = now(store.load(&(), user, Extent::Whole)).unwrap().unwrap();
            let is_member = state(&after.resource).1.contains(&ids[n]);
            prop_assert_eq!(user.resource.groups.len(), usize::from(is_member));
        }
    }
}
