use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use super::*;
use crate::ScimResource as DeriveResource;
use crate::ScimType;
use crate::filter::{Filter, Resolve, ResolvedFilter};
use crate::limits::Limits;
use crate::patch::Patch;
use crate::policy::Policy;
use crate::projection::{Base, fill_holes};
use crate::record::Record;
use crate::resources::{Group, Member, User};
use crate::store::{Budget, Clock, Document, HasTenant, IdSource, Stored, Version, load};
use crate::value::{DateTime, Edges, Meta, ResourceId, View};

/// Returns the output of a future of the store, which never waits: its futures are ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store in memory never waits"),
    }
}

fn store() -> Memory {
    Memory::new().link(Group::paths().members(), User::paths().groups())
}

fn write<R: ScimResource, C>(store: &Memory, write: Write<R, C>) -> Result<Written<R>>
where
    C: HasTenant + Send + Sync + 'static,
{
    now(Store::write(store, write))
}

fn create_in<R: ScimResource, C>(store: &Memory, cx: &Arc<C>, resource: R) -> Result<Stored<R>>
where
    C: HasTenant + Send + Sync + 'static,
{
    let id = store.environment.ids.next_id();
    write(
        store,
        Write::create(cx, &id, resource).limits(&Limits::boundless()),
    )?;
    now(load(store, cx, &id)).map(Option::unwrap)
}

fn create<R: ScimResource>(store: &Memory, resource: R) -> Stored<R> {
    create_in(store, &Arc::new(()), resource).unwrap()
}

fn state<R: ScimResource>(store: &Memory, id: &str) -> Stored<R> {
    now(load(store, &Arc::new(()), id)).unwrap().unwrap()
}

fn delete<R: ScimResource>(store: &Memory, id: &str) {
    write(store, Write::<R, ()>::delete(&Arc::new(()), id)).unwrap();
}

fn shown<R: ScimResource>(store: &Memory, id: &str, want: &Projection) -> Value {
    let answer: Answer<R> = now(store.get(&Arc::new(()), id, want, &Precondition::None)).unwrap();
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

fn apply<R: ScimResource>(store: &Memory, id: &str, operations: &Value) -> Result<Written<R>> {
    write(
        store,
        Write::<R, ()>::patch(&Arc::new(()), id, &patch(operations))?,
    )
}

fn query<R: ScimResource>(store: &Memory, filter: &str, scanned_rows: usize) -> Result<Vec<String>> {
    let limits = Limits::default();
    let filter = Filter::parse(filter, &limits)?;
    let filter = ResolvedFilter::resolve(&filter, R::RESOURCE_TYPE.schema, Resolve::default())?;
    let mut query = Query::<R>::all(100).matching(filter);
    query.scanned_rows = scanned_rows;
    let page: Page<R> = now(store.list(&Arc::new(()), &query, &Projection::default_of(R::RESOURCE_TYPE)))?;
    let ids = page.items.into_iter().map(|item| document(item.answer));
    Ok(ids
        .map(|shown| shown["id"].as_str().unwrap().to_owned())
        .collect())
}

/// Issue 9, F3: the evaluator is charged to the budget of the query (RFC 7644 section 3.4.2.2).
#[test]
fn a_search_is_bounded_by_its_budget() {
    let store = store();
    for name in ["bjensen", "jsmith", "mwarner"] {
        create(&store, User::new(name));
    }
    let filter = Filter::parse("displayName co \"a\" or userName co \"e\"", &Limits::default()).unwrap();
    let filter = ResolvedFilter::resolve(&filter, User::RESOURCE_TYPE.schema, Resolve::default()).unwrap();
    let list = |most: usize| {
        let mut query = Query::<User>::all(100).matching(filter.clone());
        query.budget = Budget::new(most, std::time::Duration::MAX);
        now(store.list(
            &Arc::new(()),
            &query,
            &Projection::default_of(User::RESOURCE_TYPE),
        ))
    };
    assert_eq!(list(9).unwrap().total, 2);
    assert_eq!(list(8).unwrap_err().limit(), Some("search_steps"));
}

/// A promise of the store: what has an index is found without a walk over all resources.
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
    let loaded = state::<Group>(&store, group);
    let members = loaded.resource.members.loaded().unwrap();
    assert_eq!(
        (members[0].value.as_str(), members[0].display.as_deref()),
        (id, None)
    );
    delete::<User>(&store, id);
    assert_eq!(shown::<Group>(&store, group, &groups).get("members"), None);
}

/// RFC 7643 section 7: a value unique on the server may repeat in another tenant, one unique everywhere may not.
#[test]
fn global_values_are_unique_among_tenants() {
    let store = Memory::new();
    let make =
        |tenant: &str, serial: &str| create_in(&store, &Arc::new(tenant.to_owned()), Badge::new(serial));
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
    let tenant = Arc::new("a".to_owned());
    write(&store, Write::replace(&tenant, id, moved)).unwrap();
    assert!(make("b", "x1").is_ok());
    assert!(make("b", "X2").is_err());
    write(&store, Write::<Badge, _>::delete(&tenant, id)).unwrap();
    assert!(make("b", "X2").is_ok());
}

/// Whatever is never returned is state all the same: a PATCH of something else keeps it.
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
    let loaded = state::<Badge>(&store, id);
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
    let loaded = state::<Badge>(&store, id);
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
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => "1".to_owned(),
            1 => "bulkId:1".to_owned(),
            2 => String::new(),
            _ => "1".to_owned(),
        }
    }
}

/// RFC 7643 section 3.1: an id is never given again, not even after a delete, and never looks like a bulkId, whatever
/// its source does.
#[test]
fn a_poor_source_of_identifiers_does_no_harm() {
    let stuck = Arc::new(Stuck(AtomicU64::new(0)));
    let store = Memory::new().environment(Environment {
        clock: stuck.clone(),
        ids: stuck,
        ..Environment::default()
    });
    let first = create(&store, User::new("a"));
    let refused = |name: &str| create_in(&store, &Arc::new(()), User::new(name)).unwrap_err();
    for name in ["bulkId", "empty", "taken"] {
        assert_eq!(refused(name).status(), 500, "{name}");
    }
    let id = first.resource.id.as_str();
    assert_eq!(state::<User>(&store, id), first);
    apply::<User>(&store, id, &json!([{"op": "add", "path": "title", "value": "x"}])).unwrap();
    let changed = state::<User>(&store, id);
    assert!(changed.resource.meta.last_modified > first.resource.meta.last_modified);
    assert_eq!(changed.version, Version::from(2));
    delete::<User>(&store, id);
    assert_eq!(refused("given before").status(), 500);
    let group = create_in(&store, &Arc::new(()), Group::new("of another type"));
    assert_eq!(group.unwrap_err().status(), 500);
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
        let loaded = state::<Group>(&store, id);
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

/// RFC 7644 section 3.4.2.4, issue 8: a page is cut before the resource with which it would be too large, and goes on there.
#[test]
fn a_page_of_large_resources_is_cut() {
    let store = store();
    for n in 0..9 {
        let title = Some("x".repeat(Limits::DEFAULT.answer_bytes / 8));
        create(
            &store,
            User {
                title,
                ..User::new(format!("u{n}"))
            },
        );
    }
    let want = Projection::default_of(User::RESOURCE_TYPE);
    let mut query = Query::<User>::all(100);
    for (start_index, items) in [(1, 7), (8, 2), (10, 0)] {
        query.start_index = start_index;
        let page = now(store.list(&Arc::new(()), &query, &want)).unwrap();
        assert_eq!(
            (page.total, page.items.len()),
            (9, items),
            "from {start_index} on"
        );
    }
    // One resource is always whole.
    let title = Some("x".repeat(Limits::DEFAULT.answer_bytes + 1));
    create(
        &store,
        User {
            title,
            ..User::new("large")
        },
    );
    query.start_index = 10;
    let page = now(store.list(&Arc::new(()), &query, &want)).unwrap();
    assert_eq!((page.total, page.items.len()), (10, 1));
}
