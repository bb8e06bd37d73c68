//! Deletion.

use serde_json::Value;

use super::finding::quoted;
use super::kit::{is_refused, reply};
use super::one::One;
use super::violation::{Seen, ensure};
use super::{Context, Outcome};
use crate::record::ScimResource;
use crate::store::{Precondition, Query, Store};

pub(super) async fn deleted_resources_are_gone<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let (gone, left) = (one.create(0).await?, one.create(1).await?);
    let id = gone.resource.id().as_str();
    one.kit.deleted::<R>(id).await?;
    let read = one
        .kit
        .get::<R>(id, &reply::<R>().want, &Precondition::None)
        .await;
    is_refused(read, 404, None, "a get of a deleted resource")?;
    let replaced = one.kit.try_replace(id, one.sample.of(0)).await;
    is_refused(replaced, 404, None, "a replace of a deleted resource")?;
    let patch = one.sample.patch(&gone.resource, 1);
    let patched = one.kit.try_patch::<R>(id, &patch).await;
    is_refused(patched, 404, None, "a PATCH of a deleted resource")?;
    let deleted = one.kit.delete::<R>(id, &Precondition::None).await;
    is_refused(deleted, 404, None, "a second delete")?;
    let list = one.kit.list(&Query::<R>::all(10)).await?;
    ensure!(
        list.total == 1 && list.ids() == [left.resource.id().as_str()],
        "of two resources one was deleted, and {:?} are listed",
        list.ids()
    );
    Ok(())
}

pub(super) async fn filters_find_nothing_deleted<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let gone = one.create(0).await?;
    let id = gone.resource.id().as_str();
    one.kit.deleted::<R>(id).await?;
    let mut filters = vec![format!("id eq {}", quoted(id))];
    for leaf in one.sample.leaves() {
        if let Some(text) = leaf.text_of(&gone.resource)
            && leaf.is_text()
            && one.sample.filters_by(&leaf.name)
        {
            let start: String = text.chars().take(2).collect();
            filters.push(format!("{} eq {}", leaf.name, quoted(&text)));
            filters.push(format!("{} sw {}", leaf.name, quoted(&start)));
        }
    }
    for filter in filters {
        let found = one.kit.found::<R>(&filter).await?;
        ensure!(
            found.is_empty(),
            "the filter {filter} finds the deleted resource {found:?}"
        );
    }
    Ok(())
}

pub(super) async fn unique_values_of_deleted_resources_are_free<
    S: Store<R, C>,
    C: Context,
    R: ScimResource,
>(
    one: One<S, C, R>,
) -> Outcome {
    let gone = one.create(0).await?;
    one.kit.deleted::<R>(gone.resource.id().as_str()).await?;
    for (n, leaf) in one.sample.unique().into_iter().enumerate() {
        let Some(value) = leaf.of(&gone.resource) else {
            continue;
        };
        let Some(sent) = one.with(one.sample.of(n + 1), &leaf, &value) else {
            continue;
        };
        let created = one.kit.post(sent).await;
        let created = created.map_err(|error| {
            Seen::of(
                &format!("a create with {} {value} of a deleted resource failed", leaf.name),
                &error,
            )
        })?;
        let state = one.kit.state::<R>(&created.id).await?;
        let kept: Option<Value> = leaf.of(&state.resource);
        ensure!(
            kept.as_ref() == Some(&value),
            "a resource that was created with {} {value} has {kept:?}",
            leaf.name
        );
    }
    Ok(())
}
