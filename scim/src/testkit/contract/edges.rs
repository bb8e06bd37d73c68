//! Edges, such as the members of a group, and what mirrors them, such as the groups of a user.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::finding::quoted;
use super::kit::{NOBODY, at_once, document, is_refused, projection, reply, sorted};
use super::linked::Linked;
use super::violation::{Seen, ensure};
use super::{Context, Outcome};
use crate::ScimType;
use crate::projection::Projection;
use crate::record::{ScimResource, unload_edges};
use crate::store::{Answer, Document, Event, Hooks, Page, Precondition, Query, Reply, Store, Write};

/// Checks that concurrent edges are all kept: a store that reads outside its transaction loses edges that others add at the same
/// time.
pub(super) async fn concurrent_edges_are_all_kept<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let id = linked.owner(0, &[]).await?.resource.id().to_string();
    let ids = linked.targets(20).await?;
    let mut adds = Vec::new();
    for target in &ids {
        let operations = json!([linked.operation("add", std::slice::from_ref(target))?]);
        let (kit, id) = (linked.kit().clone(), id.clone());
        adds.push(async move { kit.patch_at_last::<G>(&id, &operations).await });
    }
    for done in at_once(adds).await? {
        done?;
    }
    let held = linked.held(&id).await?;
    ensure!(
        held == sorted(ids),
        "of 20 edges that 20 concurrent PATCHes have added, {} are left",
        held.len()
    );
    Ok(())
}

/// Checks that listed edges alone are removed: a store that ignores the list of a `remove` takes all edges away.
pub(super) async fn listed_edges_alone_are_removed<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(5).await?;
    let [a, b, c, d, e] = ids.as_slice() else {
        return Ok(());
    };
    let (name, key) = (linked.edges()?.name, linked.key()?);
    let made = linked.owner(0, &ids).await?;
    let id = made.resource.id().as_str();
    let remove = linked.operation("remove", &[a.clone(), NOBODY.to_owned()])?;
    linked.kit().patched::<G>(id, &json!([remove])).await?;
    let left = linked.held(id).await?;
    ensure!(
        left == sorted([b, c, d, e]),
        "a remove that lists one of five edges has left {} of them",
        left.len()
    );
    let path = format!("{name}[{key} eq {}]", quoted(b));
    let remove = json!([{"op": "remove", "path": path}]);
    linked.kit().patched::<G>(id, &remove).await?;
    let left = linked.held(id).await?;
    ensure!(
        left == sorted([c, d, e]),
        "a remove by a filter of one of four edges has left {} of them",
        left.len()
    );
    let mut both = vec![
        linked.operation("add", std::slice::from_ref(a))?,
        linked.operation("remove", &[c.clone(), a.clone()])?,
        linked.operation("add", std::slice::from_ref(b))?,
    ];
    let changed = linked.owners.sample.changed(&made.resource, 1);
    both.extend(linked.owners.sample.operations(&made.resource, &changed));
    linked.kit().patched::<G>(id, &both.into()).await?;
    let left = linked.held(id).await?;
    ensure!(
        left == sorted([b, d, e]),
        "operations on edges were not applied one after the other: {left:?} are left"
    );
    let now = linked.kit().state::<G>(id).await?.resource;
    let missing = linked.owners.sample.operations(&now, &changed);
    ensure!(
        missing.is_empty(),
        "a PATCH of edges and other attributes has left out {missing:?}"
    );
    Ok(())
}

/// Checks that replies without edges lose none: a store that patches what it shows loses the edges.
pub(super) async fn replies_without_edges_lose_none<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(3).await?;
    let made = linked.owner(0, &ids).await?;
    let id = made.resource.id().as_str();
    let name = linked.edges()?.name;
    let key = format!("{name}.{}", linked.key()?);
    let wants = [
        projection::<G>(&[], &[name])?,
        projection::<G>(&["id"], &[])?,
        projection::<G>(&[key.as_str()], &[])?,
    ];
    for (n, want) in wants.into_iter().enumerate() {
        let reply = Reply {
            want: want.clone(),
            most_edges: None,
        };
        let patch = linked.owners.sample.patch(&made.resource, n);
        let patched = linked
            .kit()
            .patch::<G>(id, &patch, &Precondition::None, &reply)
            .await;
        let patched = patched.map_err(|error| Seen::of("a PATCH failed", &error))?;
        let left = linked.held(id).await?;
        ensure!(
            left == sorted(&ids),
            "a PATCH whose answer shows not all has left {} of 3 edges",
            left.len()
        );
        let Some(answer) = patched.answer else {
            return Err(Seen::new(
                "a PATCH was answered with nothing, and no limit was set",
            ));
        };
        let shown = document(answer, &want).await?;
        let listed = linked.listed(&shown)?.len();
        let wanted = if n == 2 { 3 } else { 0 };
        ensure!(
            listed == wanted,
            "the answer of a PATCH shows {listed} edges where {wanted} were asked for: {shown}"
        );
    }
    Ok(())
}

pub(super) async fn large_resources_are_not_read_back<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(3).await?;
    let made = linked.owner(0, &ids).await?;
    let id = made.resource.id().as_str();
    for (n, most, is_shown) in [(1, 2, false), (2, 3, true)] {
        let reply = Reply {
            want: Projection::default_of(G::RESOURCE_TYPE),
            most_edges: Some(most),
        };
        let patch = linked.owners.sample.patch(&made.resource, n);
        let patched = linked
            .kit()
            .patch::<G>(id, &patch, &Precondition::None, &reply)
            .await;
        let patched = patched.map_err(|error| Seen::of("a PATCH failed", &error))?;
        ensure!(
            patched.answer.is_some() == is_shown,
            "with at most {most} edges to be shown, a PATCH of a resource with 3 showed it: {}",
            patched.answer.is_some()
        );
        let state = linked.kit().state::<G>(id).await?;
        ensure!(
            patched.version == state.version,
            "a PATCH was answered with the version {}, but get says {}",
            patched.version,
            state.version
        );
    }
    Ok(())
}

/// Checks that large resources survive a change: a peer cuts the members of a group at a page, and writes the rest back.
pub(super) async fn large_resources_survive_a_change<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked
        .many_targets(3_000, |n| linked.targets.sample.of(n))
        .await?;
    let made = linked.owner(0, &ids).await?;
    let id = made.resource.id().as_str();
    let patch = linked.owners.sample.patch(&made.resource, 1);
    linked.kit().patched::<G>(id, &patch).await?;
    let left = linked.held(id).await?;
    ensure!(
        left == sorted(ids),
        "of 3000 edges a change of another attribute has left {}",
        left.len()
    );
    let listed = linked.listed(&linked.kit().shown::<G>(id).await?)?.len();
    ensure!(listed == 3_000, "get shows {listed} of 3000 edges");
    Ok(())
}

/// Checks that pages of large resources are whole. Here a page has 6,000 edges: more than a store should gather in memory.
pub(super) async fn pages_of_large_resources_are_whole<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    const OWNERS: usize = 30;
    let targets = linked.targets(200).await?;
    let wanted = sorted(&targets);
    let mut made = Vec::new();
    for n in 0..OWNERS {
        made.push(linked.owner(n, &targets).await?.resource.id().to_string());
    }
    let mut listed: Vec<String> = Vec::new();
    while listed.len() < OWNERS {
        let mut query = Query::<G>::all(OWNERS);
        query.start_index = listed.len() as u64 + 1;
        let page = linked.kit().list(&query).await?;
        ensure!(
            page.total == OWNERS as u64,
            "a page of large resources says that {} of {OWNERS} match",
            page.total
        );
        ensure!(
            !page.resources.is_empty(),
            "a page of large resources that begins with number {} of {OWNERS} has none",
            query.start_index
        );
        for resource in &page.resources {
            let edges = linked.listed(resource)?;
            ensure!(
                edges == wanted,
                "a page shows {} of the {} edges of a resource",
                edges.len(),
                wanted.len()
            );
        }
        listed.extend(page.ids());
    }
    ensure!(
        sorted(listed.clone()) == sorted(made),
        "read page after page, each from behind the last, {OWNERS} large resources are {}, or others",
        listed.len()
    );
    Ok(())
}

/// Checks that pages of large resources are bounded: a page in memory grows with its resources, unless it is cut or streamed.
pub(super) async fn pages_of_large_resources_are_bounded<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let name = linked.name_of_targets();
    let targets = linked.many_targets(1_000, |n| {
        let mut target = linked.targets.sample.of(n);
        if let Some(leaf) = &name {
            _ = leaf.set(&mut target, Some(&"Barbara ".repeat(30).into()));
        }
        target
    });
    let targets = targets.await?;
    let first = linked.owner(0, &targets).await?;
    let shown = linked.kit().shown::<G>(first.resource.id().as_str()).await?;
    let query = Query::<G>::all(usize::MAX);
    let most = query.answer_bytes;
    let number = 2 + most / shown.to_string().len().max(1) * 5 / 4;
    for n in 1..number {
        let created = linked.kit().post(linked.owner_of(n, &targets)?).await;
        created.map_err(|error| Seen::of("a create failed", &error))?;
    }
    let page = linked.kit().page(&query, &reply::<G>().want).await;
    let page = page.map_err(|error| Seen::of("a list failed", &error))?;
    let held = held_in_memory(&page)?;
    ensure!(
        held <= most,
        "a page of {} resources with 1000 edges each holds {held} bytes in memory; {most} are the most",
        page.items.len()
    );
    Ok(())
}

/// Counts the bytes of those documents of a page that are not streamed.
fn held_in_memory<R: ScimResource>(page: &Page<R>) -> Result<usize, Seen> {
    let mut held = 0;
    for item in &page.items {
        held += match &item.answer {
            Answer::Typed(stored) => super::kit::rendered(&stored.resource, &reply::<R>().want)?
                .to_string()
                .len(),
            Answer::Rendered(rendered) => match &rendered.document {
                Document::Whole(bytes) => bytes.len(),
                Document::Parts(_) => 0,
            },
            Answer::NotModified(_) => {
                return Err(Seen::new("an item of a page says that nothing is new"));
            }
        };
    }
    Ok(held)
}

pub(super) async fn unloaded_edges_are_left_alone<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(2).await?;
    let made = linked.owner(0, &ids).await?;
    let id = made.resource.id().as_str();
    let mut changed = linked.owners.sample.changed(&made.resource, 1);
    unload_edges(&mut changed, &|_| true)
        .map_err(|error| Seen::of("the sample does not let go of its edges", &error))?;
    linked.kit().replaced(id, changed.clone()).await?;
    let left = linked.held(id).await?;
    ensure!(
        left == sorted(ids),
        "a replace of a resource without its edges has left {} of 2",
        left.len()
    );
    let now = linked.kit().state::<G>(id).await?.resource;
    let missing = linked.owners.sample.operations(&now, &changed);
    ensure!(
        missing.is_empty(),
        "a replace of a resource without its edges has not set {missing:?}"
    );
    Ok(())
}

pub(super) async fn replaced_edges_are_the_new_ones<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(4).await?;
    let (old, new) = (ids.get(..3).unwrap_or_default(), ids.get(1..).unwrap_or_default());
    let made = linked.owner(0, old).await?;
    let id = made.resource.id().as_str();
    let next = linked.with_edges(made.resource.clone(), new)?;
    let replaced = linked.kit().replaced(id, next).await?;
    ensure!(
        replaced.changed && replaced.version != made.version,
        "a replace of the edges alone has made no new version"
    );
    let left = linked.held(id).await?;
    ensure!(
        left == sorted(new),
        "a replace of 3 edges by 3 others has left {left:?} instead of {new:?}"
    );
    let patch = json!([linked.operation("replace", old)?]);
    linked.kit().patched::<G>(id, &patch).await?;
    let left = linked.held(id).await?;
    ensure!(
        left == sorted(old),
        "a PATCH that replaces 3 edges has left {left:?} instead of {old:?}"
    );
    let none = linked.with_edges(made.resource.clone(), &[])?;
    linked.kit().replaced(id, none).await?;
    let left = linked.held(id).await?;
    ensure!(
        left.is_empty(),
        "a replace by an empty list has left {} edges",
        left.len()
    );
    Ok(())
}

pub(super) async fn edits_of_edges_that_change_nothing_leave_no_trace<
    S,
    C: Context,
    G: ScimResource,
    U: ScimResource,
>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(2).await?;
    let made = linked.owner(0, &ids).await?;
    let id = made.resource.id().as_str();
    let (name, key) = (linked.edges()?.name, linked.key()?);
    let nobody = [NOBODY.to_owned()];
    for operation in [
        linked.operation("add", &ids)?,
        linked.operation("remove", &nobody)?,
        json!({"op": "remove", "path": format!("{name}[{key} eq \"{NOBODY}\"]")}),
        linked.operation("replace", &ids)?,
    ] {
        let patched = linked.kit().patched::<G>(id, &json!([operation])).await?;
        ensure!(
            !patched.changed,
            "a PATCH says that {operation} changes something"
        );
        ensure!(
            patched.version == made.version,
            "{operation}, which changes nothing, has moved the version from {} to {}",
            made.version,
            patched.version
        );
        let by = format!("{operation}, which changes nothing,");
        linked.owners.is_unchanged(&made, &by).await?;
    }
    Ok(())
}

pub(super) async fn edges_move_version_and_time<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(3).await?;
    let mut last = linked.owner(0, &[]).await?;
    let id = last.resource.id().to_string();
    let id = id.as_str();
    let mut versions = vec![last.version.clone()];
    for target in &ids {
        let add = json!([linked.operation("add", std::slice::from_ref(target))?]);
        let patched = linked.kit().patched::<G>(id, &add).await?;
        let now = linked.kit().state::<G>(id).await?;
        ensure!(
            patched.changed && patched.version == now.version && !versions.contains(&now.version),
            "a new edge has left the version at {}, or made it one that was there before",
            now.version
        );
        let (before, modified) = (
            last.resource.meta().last_modified,
            now.resource.meta().last_modified,
        );
        ensure!(
            !linked.owners.sample.times || modified > before,
            "a new edge has moved meta.lastModified from {before:?} to {modified:?}"
        );
        versions.push(now.version.clone());
        last = now;
    }
    Ok(())
}

async fn refuses<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: &Linked<S, C, G, U>,
    made: &crate::store::Stored<G>,
    there: &str,
    wrong: &str,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let kit = linked.kit();
    let id = made.resource.id().as_str();
    let both = [there.to_owned(), wrong.to_owned()];
    let created = kit.post(linked.owner_of(1, &both)?).await.map(drop);
    let changed = linked.owners.sample.changed(&made.resource, 1);
    let mut patch = linked.owners.sample.operations(&made.resource, &changed);
    patch.push(linked.operation("add", &both)?);
    let replaced = kit
        .try_replace(id, linked.with_edges(changed, &both)?)
        .await
        .map(drop);
    let patched = kit.try_patch::<G>(id, &patch.into()).await.map(drop);
    for (how, result) in [("create", created), ("replace", replaced), ("PATCH", patched)] {
        let says = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let what = format!("a {how} with an edge to {wrong:?}, which does not exist,");
        is_refused(result, 400, Some(ScimType::InvalidValue), &what)?;
        ensure!(
            names(&says, wrong),
            "the error of {what} does not name it: {says}"
        );
    }
    let by = "a write with an edge to nothing";
    linked.owners.is_unchanged(made, by).await?;
    let total = kit.list(&Query::<G>::all(10)).await?.total;
    ensure!(total == 1, "{by} has left {total} resources instead of one");
    Ok(())
}

/// Returns whether a sentence has an id as a word of its own, and not as a part of another number or word.
fn names(sentence: &str, id: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    sentence.match_indices(id).any(|(at, _)| {
        let before = sentence.get(..at).and_then(|text| text.chars().next_back());
        let behind = sentence.get(at + id.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !behind.is_some_and(is_part)
    })
}

pub(super) async fn unknown_edges_are_refused<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(2).await?;
    let [there, gone] = ids.as_slice() else {
        return Ok(());
    };
    linked.kit().deleted::<U>(gone).await?;
    let made = linked.owner(0, &[]).await?;
    for wrong in [
        gone,
        NOBODY,
        "00000000-0000-0000-0000-000000000000",
        "4611686018427387904",
    ] {
        refuses(&linked, &made, there, wrong).await?;
    }
    Ok(())
}

pub(super) async fn edges_stay_in_their_tenant<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let Some(other) = &linked.owners.other else {
        return Ok(());
    };
    let ids = linked.targets(1).await?;
    let Some(there) = ids.first() else { return Ok(()) };
    let foreign = other.create(linked.targets.sample.of(1)).await?;
    let foreign = foreign.resource.id().as_str();
    let made = linked.owner(0, &[]).await?;
    refuses(&linked, &made, there, foreign).await?;
    let shown = linked.mirrored(&other.shown::<U>(foreign).await?)?;
    ensure!(
        shown.is_empty(),
        "a resource shows {shown:?} of another tenant in its mirror"
    );
    Ok(())
}

pub(super) async fn mirrors_follow_their_edges<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(1).await?;
    let [target] = ids.as_slice() else {
        return Ok(());
    };
    let made = linked.owner(0, &ids).await?;
    let id = made.resource.id().as_str();
    let kit = linked.kit();
    let (edges, mirror) = (linked.edges()?, linked.mirror()?);
    let shown = kit.shown::<U>(target).await?;
    let value = shown.get(mirror.name).and_then(|values| values.get(0));
    let place = Linked::<S, C, G, U>::place::<G>(mirror, id);
    ensure!(
        linked.mirrored(&shown)? == [id] && value.and_then(|value| value.get("$ref")) == place.as_ref(),
        "with one edge from {id:?}, {} shows {:?}",
        mirror.name,
        shown.get(mirror.name)
    );
    let shown = kit.shown::<G>(id).await?;
    let value = shown.get(edges.name).and_then(|values| values.get(0));
    let place = Linked::<S, C, G, U>::place::<U>(edges, target);
    let kind = edges
        .sub_attribute("type")
        .map(|_| Value::from(U::RESOURCE_TYPE.name));
    ensure!(
        linked.listed(&shown)? == ids
            && value.and_then(|value| value.get("$ref")) == place.as_ref()
            && value.and_then(|value| value.get("type")) == kind.as_ref(),
        "with one edge to the {} {target:?}, {} shows {:?}",
        U::RESOURCE_TYPE.name,
        edges.name,
        shown.get(edges.name)
    );
    // The mirror is not the client's to change.
    let user = kit.state::<U>(target).await?.resource;
    let mut without = linked.targets.sample.changed(&user, 1);
    _ = super::attributes::set_edges(&mut without, linked.link.derived().path(), &json!([]));
    kit.replaced(target, without).await?;
    let left = linked.held(id).await?;
    ensure!(left == ids, "a replace of {target:?} has left the edges {left:?}");
    let remove = json!([{"op": "remove", "path": edges.name}]);
    kit.patched::<G>(id, &remove).await?;
    let shown = linked.mirrored(&kit.shown::<U>(target).await?)?;
    ensure!(
        shown.is_empty(),
        "a resource to which no edge leads any more still shows {shown:?}"
    );
    Ok(())
}

pub(super) async fn names_of_edges_are_up_to_date<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(1).await?;
    let [target] = ids.as_slice() else {
        return Ok(());
    };
    let id = linked.owner(0, &ids).await?.resource.id().to_string();
    let kit = linked.kit();
    let (edges, mirror) = (linked.edges()?.name, linked.mirror()?);
    for n in 0..2 {
        if let Some(leaf) = linked.name_of_targets() {
            let name = Value::from(format!("Babs {n}"));
            let patch = Value::from(vec![leaf.operation(Some(&name))]);
            kit.patched::<U>(target, &patch).await?;
            let shown = kit.shown::<G>(&id).await?;
            let display = shown.pointer(&format!("/{edges}/0/display"));
            ensure!(
                display == Some(&name),
                "{edges} shows the display {display:?} of a resource whose name is {name}"
            );
        }
        let leaves = linked.owners.sample.leaves().into_iter();
        let named = leaves
            .filter(|leaf| leaf.name.eq_ignore_ascii_case("displayName"))
            .find(|leaf| leaf.is_changeable() && mirror.sub_attribute("display").is_some());
        if let Some(leaf) = named {
            let name = Value::from(format!("Chiefs of {n}"));
            let patch = Value::from(vec![leaf.operation(Some(&name))]);
            kit.patched::<G>(&id, &patch).await?;
            let shown = kit.shown::<U>(target).await?;
            let display = shown.pointer(&format!("/{}/0/display", mirror.name));
            ensure!(
                display == Some(&name),
                "{} shows the display {display:?} of a resource whose name is {name}",
                mirror.name
            );
        }
    }
    Ok(())
}

pub(super) async fn resources_of_one_type_can_be_nested<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(1).await?;
    let [target] = ids.as_slice() else {
        return Ok(());
    };
    let inner = linked.owner(0, &ids).await?.resource.id().to_string();
    let outer = linked.owner(1, std::slice::from_ref(&inner)).await?;
    let outer = outer.resource.id().as_str();
    let edges = linked.edges()?;
    let shown = linked.kit().shown::<G>(outer).await?;
    let value = shown.get(edges.name).and_then(|values| values.get(0));
    let place = Linked::<S, C, G, U>::place::<G>(edges, &inner);
    ensure!(
        linked.listed(&shown)? == [inner.as_str()]
            && value.and_then(|value| value.get("$ref")) == place.as_ref(),
        "with one edge to the {} {inner:?}, {} shows {:?}; does something else have that id?",
        G::RESOURCE_TYPE.name,
        edges.name,
        shown.get(edges.name)
    );
    let direct = linked.mirrored(&linked.kit().shown::<U>(target).await?)?;
    ensure!(
        direct.contains(&inner),
        "a resource in a nested one shows {direct:?} without {inner:?}"
    );
    linked.kit().deleted::<G>(&inner).await?;
    let left = linked.held(outer).await?;
    ensure!(
        left.is_empty(),
        "a deleted resource is still at the end of an edge"
    );
    Ok(())
}

pub(super) async fn edges_are_found_by_filter<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(3).await?;
    let [a, b, c] = ids.as_slice() else {
        return Ok(());
    };
    let first = linked.owner(0, &[a.clone(), b.clone()]).await?;
    let second = linked.owner(1, std::slice::from_ref(b)).await?;
    let [first, second] = [&first, &second].map(|stored| stored.resource.id().as_str());
    let (edges, key) = (linked.edges()?.name, linked.key()?);
    if let Some(by_edge) = linked.edge_filter() {
        for (filter, wanted) in [
            (format!("{by_edge} eq {}", quoted(b)), vec![first, second]),
            (format!("{edges}[{key} eq {}]", quoted(a)), vec![first]),
            (format!("{by_edge} eq {}", quoted(c)), vec![]),
            (
                format!("id eq {} and {edges}[{key} eq {}]", quoted(second), quoted(b)),
                vec![second],
            ),
        ] {
            let found = linked.kit().found::<G>(&filter).await?;
            ensure!(
                found == sorted(wanted.clone()),
                "the filter {filter} found {found:?} instead of {wanted:?}"
            );
        }
    }
    if let Some(by_mirror) = linked.mirror_filter() {
        let filter = format!("{by_mirror} eq {}", quoted(first));
        let found = linked.kit().found::<U>(&filter).await?;
        ensure!(
            found == sorted([a, b]),
            "the filter {filter} found {found:?} instead of {:?}",
            [a, b]
        );
    }
    Ok(())
}

pub(super) async fn deleted_resources_leave_their_edges<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(2).await?;
    let [a, b] = ids.as_slice() else {
        return Ok(());
    };
    let mut owners = Vec::new();
    for n in 0..2 {
        owners.push(linked.owner(n, &ids).await?.resource.id().to_string());
    }
    linked.kit().deleted::<U>(a).await?;
    for id in &owners {
        let left = linked.held(id).await?;
        ensure!(
            left == [b.as_str()],
            "of two edges, of which one led to a resource that was deleted, {left:?} are left"
        );
        let listed = linked.listed(&linked.kit().shown::<G>(id).await?)?;
        ensure!(listed == left, "get shows {listed:?} of the edges {left:?}");
    }
    if let Some(by_edge) = linked.edge_filter() {
        let filter = format!("{by_edge} eq {}", quoted(a));
        let found = linked.kit().found::<G>(&filter).await?;
        ensure!(found.is_empty(), "the filter {filter} finds {found:?}");
    }
    let [first, second] = owners.as_slice() else {
        return Ok(());
    };
    linked.kit().deleted::<G>(first).await?;
    let shown = linked.mirrored(&linked.kit().shown::<U>(b).await?)?;
    ensure!(
        shown == [second.as_str()],
        "a resource to which two edges led, of which one came from a deleted resource, shows {shown:?}"
    );
    Ok(())
}

pub(super) async fn derived_attributes_are_never_out_of_date<
    S,
    C: Context,
    G: ScimResource,
    U: ScimResource,
>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(1).await?;
    let [target] = ids.as_slice() else {
        return Ok(());
    };
    let kit = linked.kit();
    let before = kit.state::<U>(target).await?.version;
    let owner = linked.owner(0, &ids).await?;
    let shown = shown_although_known::<S, C, U>(kit, target, before).await?;
    ensure!(
        linked.mirrored(&shown)? == [owner.resource.id().as_str()],
        "get does not show a new edge: {shown}"
    );
    let Some(leaf) = linked.name_of_targets() else {
        return Ok(());
    };
    let name = Value::from("Babs");
    let patch = Value::from(vec![leaf.operation(Some(&name))]);
    kit.patched::<U>(target, &patch).await?;
    let id = owner.resource.id().as_str();
    let shown = shown_although_known::<S, C, G>(kit, id, owner.version).await?;
    let display = shown.pointer(&format!("/{}/0/display", linked.edges()?.name));
    ensure!(
        display == Some(&name),
        "get shows the display {display:?} of a resource whose name is {name}"
    );
    Ok(())
}

/// Returns what a client is shown that knows the version already, but perhaps not what follows from other resources.
async fn shown_although_known<S: Store<R, C>, C: Context, R: ScimResource>(
    kit: &super::kit::Kit<S, C>,
    id: &str,
    version: crate::store::Version,
) -> Result<Value, Seen> {
    let want = reply::<R>().want;
    let known = Precondition::IfNoneMatch(vec![version]);
    let answer = kit.get::<R>(id, &want, &known).await;
    match answer.map_err(|error| Seen::of("a get under If-None-Match failed", &error))? {
        Answer::NotModified(_) => Err(Seen::new(
            "get answered 304 to a client that does not know yet what has changed around the resource",
        )),
        answer => document(answer, &want).await,
    }
}

/// Checks that whoever hears of a write is told which edges it has moved.
pub(super) async fn moved_edges_are_told<S, C: Context, G: ScimResource, U: ScimResource>(
    linked: Linked<S, C, G, U>,
) -> Outcome
where
    S: Store<G, C> + Store<U, C>,
{
    let ids = linked.targets(4).await?;
    let [a, b, c, d] = ids.as_slice() else {
        return Ok(());
    };
    let heard: Arc<Mutex<Vec<Arc<Event<G>>>>> = Arc::default();
    let hears = Arc::clone(&heard);
    let hooks = Hooks::<C>::new().after_commit(move |_, event: Arc<Event<G>>| {
        hears.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        std::future::ready(())
    });
    let kit = linked.kit();
    let create = kit.creation(linked.owner_of(0, &[a.clone(), b.clone()])?);
    let created = kit.write(create.hooks(&hooks)).await;
    let id = created.map_err(|error| Seen::of("a create failed", &error))?.id;
    let patch = |op: &str, ids: &[&String]| {
        let ids: Vec<_> = ids.iter().map(|id| (*id).clone()).collect();
        let operations = json!([linked.operation(op, &ids)?]);
        kit.patch_write::<G>(&id, &operations)
            .map_err(|error| Seen::of("the contract has sent a wrong PATCH", &error))
    };
    let state = kit.state::<G>(&id).await?.resource;
    let writes = [
        patch("add", &[b, c])?,
        patch("remove", &[a, d])?,
        Write::replace(&kit.cx, &id, linked.with_edges(state, &[c.clone(), d.clone()])?),
    ];
    for write in writes {
        let written = kit.write(write.hooks(&hooks)).await;
        written.map_err(|error| Seen::of("a write of edges failed", &error))?;
    }
    let deleted = kit.write(Write::<G, C>::delete(&kit.cx, &id).hooks(&hooks)).await;
    deleted.map_err(|error| Seen::of("a delete failed", &error))?;
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    let moved: Vec<_> = heard.iter().map(|event| moves(event)).collect();
    let name = linked.edges()?.name;
    let ids = |ids: &[&String]| sorted(ids.iter().map(|id| id.as_str()));
    let wanted = [
        vec![(name, 2, ids(&[a, b]), 0, ids(&[]))],
        vec![(name, 1, ids(&[c]), 0, ids(&[]))],
        vec![(name, 0, ids(&[]), 1, ids(&[a]))],
        vec![(name, 1, ids(&[d]), 1, ids(&[b]))],
        vec![(name, 0, ids(&[]), 2, ids(&[]))],
    ];
    ensure!(
        moved == wanted,
        "after a create with two edges, an add of one, a remove of one, a replace of one by another and a delete of \
         two, this was told (attribute, added, removed): {moved:?} instead of {wanted:?}"
    );
    Ok(())
}

type Moves = Vec<(&'static str, u64, Vec<String>, u64, Vec<String>)>;

fn moves<R>(event: &Event<R>) -> Moves {
    let moves = event.edges.iter().map(|moved| {
        (
            moved.attribute,
            moved.added,
            sorted(&moved.added_ids),
            moved.removed,
            match event.after() {
                Some(_) => sorted(&moved.removed_ids),
                // Those of a deleted resource need only be counted.
                None => Vec::new(),
            },
        )
    });
    moves.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids may be numbers, which occur within other numbers.
    #[test]
    fn an_id_is_named_as_a_word() {
        assert!(names("Attribute members: 12 does not exist.", "12"));
        assert!(names("there is no \"12\"", "12"));
        for sentence in ["operation 123", "a12", "12-7", ""] {
            assert!(!names(sentence, "12"), "{sentence}");
        }
    }
}
