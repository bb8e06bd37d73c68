//! Groups and their members.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Outcome, Subject, Violation, at_once, ensure, is_refused, sorted};
use crate::ScimType;
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::resources::{Group, Member, User};
use crate::store::{Precondition, Query, Reply, Stored};
use crate::testkit::Kit;
use crate::testkit::kit::{document, projection, text};
use crate::value::Edges;

/// Creates users of these names and returns their ids.
async fn users<S: Subject>(kit: &Kit<S>, names: &[&str]) -> Result<Vec<String>, Violation> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(kit.create(User::new(*name)).await?.resource.id.to_string());
    }
    Ok(ids)
}

async fn group<S: Subject>(kit: &Kit<S>, name: &str, members: &[String]) -> Result<Stored<Group>, Violation> {
    let mut group = Group::new(name);
    group.members = members.iter().map(Member::new).collect::<Vec<_>>().into();
    kit.create(group).await
}

/// The ids of the members that a group has in truth, sorted.
async fn members<S: Subject>(kit: &Kit<S>, id: &str) -> Result<Vec<String>, Violation> {
    let state = kit.state::<Group>(id).await?;
    let held = state.resource.members.loaded();
    let held =
        held.ok_or_else(|| Violation::new("get of the whole group returned members that are not loaded"))?;
    Ok(sorted(held.iter().map(|member| member.value.clone())))
}

fn values(ids: &[String]) -> Value {
    ids.iter().map(|id| json!({"value": id})).collect()
}

/// A-34, Entra ID: a `remove` that lists values takes away these and no others. A store that ignores the list empties
/// the group.
pub(super) async fn listed_values_alone_are_removed<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["a", "b", "c", "d", "e"]).await?;
    let [a, b, c, d, e] = ids.as_slice() else {
        return Ok(());
    };
    let made = group(&kit, "Tour Guides", &ids).await?;
    let id = made.resource.id.as_str();
    let remove = json!([{"op": "remove", "path": "members", "value": [{"value": a}, {"value": "nobody"}]}]);
    kit.patched::<Group>(id, &remove).await?;
    let left = members(&kit, id).await?;
    ensure!(
        left == sorted([b, c, d, e]),
        "remove of one listed member of five has left {} of them",
        left.len()
    );
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{b}\"]")}]);
    kit.patched::<Group>(id, &remove).await?;
    let left = members(&kit, id).await?;
    ensure!(
        left == sorted([c, d, e]),
        "remove by a filter of one member of four has left {} of them",
        left.len()
    );
    let both = json!([
        {"op": "add", "path": "members", "value": values(std::slice::from_ref(a))},
        {"op": "remove", "path": "members", "value": values(&[c.clone(), a.clone()])},
        {"op": "add", "path": "members", "value": values(std::slice::from_ref(b))},
        {"op": "replace", "path": "displayName", "value": "Chiefs"},
    ]);
    kit.patched::<Group>(id, &both).await?;
    let left = members(&kit, id).await?;
    ensure!(
        left == sorted([b, d, e]),
        "operations on members were not applied one after the other: {left:?} are left"
    );
    let name = kit.state::<Group>(id).await?.resource.display_name;
    ensure!(
        name == "Chiefs",
        "a patch of members and name has left the name {name:?}"
    );
    Ok(())
}

/// RFC 7644 section 3.9: excludedAttributes shapes the answer. A store that patches what it shows loses the members.
pub(super) async fn replies_without_members_lose_none<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["a", "b", "c"]).await?;
    let made = group(&kit, "Tour Guides", &ids).await?;
    let id = made.resource.id.as_str();
    let rename = |name: &str| json!([{"op": "replace", "path": "displayName", "value": name}]);
    for (n, want) in [
        projection::<Group>(&[], &["members"])?,
        projection::<Group>(&["displayName"], &[])?,
        projection::<Group>(&["members.value"], &[])?,
    ]
    .into_iter()
    .enumerate()
    {
        let reply = Reply {
            want: want.clone(),
            most_edges: None,
        };
        let patched = kit
            .patch::<Group>(id, &rename(&format!("Guides {n}")), &Precondition::None, &reply)
            .await;
        let patched = patched.map_err(|error| Violation::of("patch failed", &error))?;
        let left = members(&kit, id).await?;
        ensure!(
            left == sorted(&ids),
            "a patch whose answer shows not all has left {} of 3 members",
            left.len()
        );
        let Some(answer) = patched.answer else {
            return Err(Violation::new("patch showed nothing, and no limit was set"));
        };
        let shown = document(answer, &want).await?;
        let has_members = shown.pointer("/members").is_some();
        ensure!(
            has_members == (n == 2),
            "the answer of a patch shows what was not asked for, or does not show what was: {shown}"
        );
    }
    Ok(())
}

/// the answer to a PATCH of a large group is 204, unless the client wants to see it.
pub(super) async fn large_groups_are_not_read_back<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["a", "b", "c"]).await?;
    let made = group(&kit, "Tour Guides", &ids).await?;
    let id = made.resource.id.as_str();
    for (name, most, is_shown) in [("x", 2, false), ("y", 3, true)] {
        let reply = Reply {
            want: Projection::default_of(Group::RESOURCE_TYPE),
            most_edges: Some(most),
        };
        let operations = json!([{"op": "replace", "path": "displayName", "value": name}]);
        let patched = kit
            .patch::<Group>(id, &operations, &Precondition::None, &reply)
            .await;
        let patched = patched.map_err(|error| Violation::of("patch failed", &error))?;
        ensure!(
            patched.answer.is_some() == is_shown,
            "with at most {most} members to be shown, patch of a group of 3 showed it: {}",
            patched.answer.is_some()
        );
        let state = kit.state::<Group>(id).await?;
        ensure!(
            patched.version == state.version,
            "patch returned the version {}, but load {}",
            patched.version,
            state.version
        );
    }
    Ok(())
}

/// A peer cuts the members of a group at a page, and writes the rest back.
pub(super) async fn large_groups_survive_a_rename<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let mut ids = Vec::new();
    for hundred in 0..30 {
        let create = |n: usize| {
            let kit = kit.clone();
            async move { kit.create(User::new(format!("u{hundred}-{n}"))).await }
        };
        for created in at_once((0..100).map(create)).await? {
            ids.push(created?.resource.id.to_string());
        }
    }
    let made = group(&kit, "Everybody", &ids).await?;
    let id = made.resource.id.as_str();
    let operations = json!([{"op": "replace", "path": "displayName", "value": "All"}]);
    kit.patched::<Group>(id, &operations).await?;
    let left = members(&kit, id).await?;
    ensure!(
        left == sorted(ids),
        "of 3000 members a rename has left {}",
        left.len()
    );
    let shown = kit.shown::<Group>(id).await?;
    let listed = shown
        .pointer("/members")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    ensure!(listed == 3_000, "get shows {listed} of 3000 members");
    ensure!(text(&shown, "/displayName") == "All", "the rename is lost");
    Ok(())
}

/// RFC 7644 section 3.4.2.4: a page may have fewer resources than were asked for, but each of them is whole, and the next
/// page goes on behind the last. Here a page has 6,000 members: more than a store should gather in memory.
pub(super) async fn pages_of_large_groups_are_whole<S: Subject>(store: Arc<S>) -> Outcome {
    const GROUPS: usize = 30;
    let kit = Kit::new(store);
    let mut people = Vec::new();
    for n in 0..200 {
        people.push(
            kit.create(User::new(format!("u{n}")))
                .await?
                .resource
                .id
                .to_string(),
        );
    }
    let expected = sorted(&people);
    let mut made = Vec::new();
    for n in 0..GROUPS {
        let group = group(&kit, &format!("g{n:02}"), &people).await?;
        made.push(group.resource.id.to_string());
    }
    let mut listed = Vec::new();
    while listed.len() < GROUPS {
        let mut query = Query::<Group>::all(GROUPS);
        query.start_index = listed.len() as u64 + 1;
        let page = kit.list(&query).await?;
        ensure!(
            page.total == GROUPS as u64,
            "a page of large groups says that {} of {GROUPS} match",
            page.total
        );
        ensure!(
            !page.resources.is_empty(),
            "a page of large groups that begins with number {} of {GROUPS} has none",
            query.start_index
        );
        for group in &page.resources {
            let members = group.pointer("/members").and_then(Value::as_array);
            let members = members.into_iter().flatten().map(|member| text(member, "/value"));
            let members = sorted(members);
            ensure!(
                members == expected,
                "a page shows {} of the {} members of a group",
                members.len(),
                expected.len()
            );
        }
        listed.extend(page.ids());
    }
    ensure!(
        listed == made,
        "read page after page, each from behind the last, {GROUPS} large groups are {} in another order",
        listed.len()
    );
    let found = kit.found::<Group>("displayName eq \"g07\"").await?;
    ensure!(
        found.len() == 1 && found.first() == made.get(7),
        "a large group is not found by its name"
    );
    Ok(())
}

/// Edges that are not loaded are not none: see [`Edges`].
pub(super) async fn unloaded_members_are_left_alone<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["a", "b"]).await?;
    let made = group(&kit, "Tour Guides", &ids).await?;
    let id = made.resource.id.as_str();
    let mut renamed = made.resource.clone();
    renamed.members = Edges::NotLoaded;
    renamed.display_name = "Chiefs".to_owned();
    let replaced = kit.replaced(id, renamed).await?;
    ensure!(
        replaced.resource.display_name == "Chiefs",
        "replace returned the old name"
    );
    let left = members(&kit, id).await?;
    ensure!(
        left == sorted(ids),
        "a replace of a group without its members has left {} of 2",
        left.len()
    );
    Ok(())
}

/// RFC 7644 section 3.5.1: the members of a PUT are all members.
pub(super) async fn replaced_members_are_the_new_ones<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["a", "b", "c", "d"]).await?;
    let (old, new) = (ids.get(..3).unwrap_or_default(), ids.get(1..).unwrap_or_default());
    let made = group(&kit, "Tour Guides", old).await?;
    let id = made.resource.id.as_str();
    let mut next = made.resource.clone();
    next.members = new.iter().map(Member::new).collect::<Vec<_>>().into();
    let replaced = kit.replaced(id, next).await?;
    ensure!(
        replaced.version != made.version,
        "replace of the members is no new version"
    );
    let left = members(&kit, id).await?;
    ensure!(
        left == sorted(new),
        "replace of 3 members by 3 others has left {left:?} instead of {new:?}"
    );
    let patch = json!([{"op": "replace", "path": "members", "value": values(old)}]);
    kit.patched::<Group>(id, &patch).await?;
    let left = members(&kit, id).await?;
    ensure!(
        left == sorted(old),
        "patch with replace of 3 members has left {left:?} instead of {old:?}"
    );
    let mut none = made.resource.clone();
    none.members = Vec::new().into();
    kit.replaced(id, none).await?;
    let left = members(&kit, id).await?;
    ensure!(
        left.is_empty(),
        "replace by an empty list has left {} members",
        left.len()
    );
    Ok(())
}

/// A member must exist, in this tenant and of a type that can be a member; nothing is half applied.
pub(super) async fn unknown_members_are_refused<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["a", "gone"]).await?;
    let [a, gone] = ids.as_slice() else { return Ok(()) };
    let foreign = users(&kit.of("globex"), &["x"]).await?;
    kit.deleted::<User>(gone).await?;
    let made = group(&kit, "Tour Guides", &[]).await?;
    let id = made.resource.id.as_str();
    let nobody = "00000000-0000-0000-0000-000000000000".to_owned();
    for wrong in foreign.iter().chain([gone, &nobody]) {
        let mut sent = Group::new("Chiefs");
        sent.members = vec![Member::new(a), Member::new(wrong)].into();
        let patch = json!([
            {"op": "replace", "path": "displayName", "value": "Chiefs"},
            {"op": "add", "path": "members", "value": [{"value": a}, {"value": wrong}]},
        ]);
        let created = kit.try_create(sent.clone()).await.map(drop);
        let replaced = kit.replace(id, sent, &Precondition::None).await.map(drop);
        let patched = kit.try_patch::<Group>(id, &patch).await.map(drop);
        for (how, result) in [("create", created), ("replace", replaced), ("patch", patched)] {
            let named = result
                .as_ref()
                .err()
                .is_some_and(|error| error.to_string().contains(wrong.as_str()));
            is_refused(
                result,
                400,
                Some(ScimType::InvalidValue),
                &format!("{how} with the unknown member {wrong}"),
            )?;
            ensure!(named, "the error of a {how} does not name the unknown member");
        }
        let after = kit.state::<Group>(id).await?;
        ensure!(
            after == made,
            "a write with an unknown member was half applied: {after:?}"
        );
    }
    let groups = kit.found::<Group>("displayName eq \"Chiefs\"").await?;
    ensure!(
        groups.is_empty(),
        "a create with an unknown member has left a group"
    );
    Ok(())
}

/// RFC 7643 section 4.1.2: `groups` of a user is what the groups say.
pub(super) async fn groups_of_users_follow_their_members<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["bjensen"]).await?;
    let [babs] = ids.as_slice() else { return Ok(()) };
    let made = group(&kit, "Tour Guides", &ids).await?;
    let id = made.resource.id.as_str();
    let shown = kit.shown::<User>(babs).await?;
    let membership = json!([{
        "value": id, "$ref": format!("https://example.com/v2/Groups/{id}"), "display": "Tour Guides", "type": "direct",
    }]);
    ensure!(
        shown.pointer("/groups") == Some(&membership),
        "a user in one group is shown with groups {:?}",
        shown.pointer("/groups")
    );
    let shown = kit.shown::<Group>(id).await?;
    let member = json!([{
        "value": babs, "$ref": format!("https://example.com/v2/Users/{babs}"), "type": "User",
    }]);
    ensure!(
        shown.pointer("/members") == Some(&member),
        "a group of one user is shown with members {:?}",
        shown.pointer("/members")
    );
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Chiefs"}]);
    kit.patched::<Group>(id, &rename).await?;
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Babs"}]);
    kit.patched::<User>(babs, &rename).await?;
    let shown = kit.shown::<User>(babs).await?;
    ensure!(
        text(&shown, "/groups/0/display") == "Chiefs",
        "groups of a user shows an old name: {shown}"
    );
    let shown = kit.shown::<Group>(id).await?;
    ensure!(
        text(&shown, "/members/0/display") == "Babs",
        "members of a group shows an old name: {shown}"
    );
    let mut user = kit.state::<User>(babs).await?.resource;
    user.groups = Vec::new();
    user.title = Some("Guide".to_owned());
    kit.replaced(babs, user).await?;
    let left = members(&kit, id).await?;
    ensure!(
        left == ids,
        "a replace of a user has changed the members of a group"
    );
    kit.patched::<Group>(id, &json!([{"op": "remove", "path": "members"}]))
        .await?;
    let shown = kit.shown::<User>(babs).await?;
    ensure!(
        shown.pointer("/groups").is_none(),
        "a user that was taken out of a group still shows it: {shown}"
    );
    Ok(())
}

/// RFC 7643 section 4.2: a group can be a member of another; its members are not thereby members of that.
pub(super) async fn groups_can_be_nested<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["bjensen"]).await?;
    let inner = group(&kit, "Inner", &ids).await?.resource.id.to_string();
    let outer = group(&kit, "Outer", std::slice::from_ref(&inner))
        .await?
        .resource
        .id
        .to_string();
    let shown = kit.shown::<Group>(&outer).await?;
    let member = json!([{
        "value": inner, "$ref": format!("https://example.com/v2/Groups/{inner}"), "display": "Inner", "type": "Group",
    }]);
    ensure!(
        shown.pointer("/members") == Some(&member),
        "a group of one group is shown with members {:?}",
        shown.pointer("/members")
    );
    kit.deleted::<Group>(&inner).await?;
    let left = members(&kit, &outer).await?;
    ensure!(left.is_empty(), "a deleted group is still a member of another");
    Ok(())
}

/// RFC 7644 section 3.4.2.2: who is in a group, and in which groups somebody is, are filters as any other.
pub(super) async fn memberships_are_found_by_filter<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let ids = users(&kit, &["a", "b", "c"]).await?;
    let [a, b, c] = ids.as_slice() else { return Ok(()) };
    let guides = group(&kit, "Tour Guides", &[a.clone(), b.clone()])
        .await?
        .resource
        .id
        .to_string();
    let chiefs = group(&kit, "Chiefs", std::slice::from_ref(b))
        .await?
        .resource
        .id
        .to_string();
    for (filter, wanted) in [
        (format!("members.value eq \"{b}\""), vec![&guides, &chiefs]),
        (format!("members[value eq \"{a}\"]"), vec![&guides]),
        (format!("members.value eq \"{c}\""), vec![]),
        (
            format!("displayName eq \"chiefs\" and members[value eq \"{b}\" and type eq \"User\"]"),
            vec![&chiefs],
        ),
    ] {
        let found = kit.found::<Group>(&filter).await?;
        ensure!(
            sorted(found.clone()) == sorted(wanted.clone()),
            "{filter} found {found:?} instead of {wanted:?}"
        );
    }
    let found = kit
        .found::<User>(&format!("groups.value eq \"{guides}\""))
        .await?;
    ensure!(
        sorted(found.clone()) == sorted([a, b]),
        "the filter on groups.value found {found:?}"
    );
    Ok(())
}
