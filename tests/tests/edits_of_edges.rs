//! Edges are changed one by one, as rows, and come to what the PATCH makes of the whole resource: in every store.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the helpers of these tests are tests, too"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use scim::Limits;
use scim::patch::Patch;
use scim::policy::Policy;
use scim::resources::{Group, Member, User};
use scim::store::documents::DocumentStore;
use scim::store::{Memory, Store, Write, load};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

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

/// Returns what a group says, whatever the order of its members.
fn content(group: &Group) -> (String, BTreeSet<String>) {
    let members = group.members.loaded().unwrap_or_default();
    (
        group.display_name.clone(),
        members.iter().map(|member| member.value.clone()).collect(),
    )
}

/// Applies a PATCH to a group in a store, and to the group itself.
fn check<S>(
    runtime: &Runtime,
    store: &S,
    before: &BTreeSet<usize>,
    operations: &[Value],
) -> Result<(), TestCaseError>
where
    S: Store<User, ()> + Store<Group, ()>,
{
    let cx = Arc::new(());
    let ids: Vec<String> = (0..5).map(|n| format!("u{n}")).collect();
    for id in &ids {
        let create = Write::create(&cx, id, User::new(id));
        runtime.block_on(store.write(create)).unwrap();
    }
    let mut group = Group::new("x");
    group.members = before
        .iter()
        .map(|n| Member::new(&ids[*n]))
        .collect::<Vec<_>>()
        .into();
    runtime
        .block_on(store.write(Write::create(&cx, "g", group)))
        .unwrap();
    let state = |id: &str| {
        runtime
            .block_on(load::<Group, _, _>(store, &cx, id))
            .unwrap()
            .unwrap()
    };
    let group = state("g");
    let filled = ids
        .iter()
        .enumerate()
        .fold(json!(operations).to_string(), |text, (n, id)| {
            text.replace(&format!("{{{n}}}"), id)
        });
    let body = format!(
        r#"{{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": {filled}}}"#
    );
    let Ok(patch) = Patch::<Group>::parse(body.as_bytes(), &Policy::tolerant(), &Limits::default()) else {
        return Ok(());
    };
    let whole = patch.apply(&group.resource);
    let patched = Write::patch(&cx, "g", &patch).and_then(|patch| runtime.block_on(store.write(patch)));
    let after = state("g");
    match (whole, patched) {
        (Ok(whole), Ok(patched)) => {
            let whole = whole.resource.unwrap_or_else(|| group.resource.clone());
            prop_assert_eq!(content(&after.resource), content(&whole));
            prop_assert_eq!(patched.changed, content(&group.resource) != content(&whole));
            prop_assert_eq!(after.version == group.version, !patched.changed);
        }
        (Err(_), Err(_)) => prop_assert_eq!(&after, &group),
        (whole, patched) => return Err(TestCaseError::fail(format!("{whole:?} but {patched:?}"))),
    }
    for id in &ids {
        let user = runtime
            .block_on(load::<User, _, _>(store, &cx, id))
            .unwrap()
            .unwrap();
        let is_member = content(&after.resource).1.contains(id);
        prop_assert_eq!(user.resource.groups.len(), usize::from(is_member));
    }
    Ok(())
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

proptest! {
    #[test]
    fn a_patch_by_edits_is_a_patch_in_memory(
        before in prop::collection::btree_set(0..5usize, 0..5),
        operations in prop::collection::vec(members_operation(), 1..6),
    ) {
        let store = Memory::new().link(Group::paths().members(), User::paths().groups());
        check(&runtime(), &store, &before, &operations)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_patch_by_edits_is_a_patch_in_sqlite(
        before in prop::collection::btree_set(0..5usize, 0..5),
        operations in prop::collection::vec(members_operation(), 1..6),
    ) {
        let store: DocumentStore = DocumentStore::in_memory().unwrap()
            .resource::<User>()
            .resource::<Group>()
            .link(Group::paths().members(), User::paths().groups())
            .build()
            .unwrap();
        check(&runtime(), &store, &before, &operations)?;
    }
}
