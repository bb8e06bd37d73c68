//! A tenant is a world of its own.

use super::finding::quoted;
use super::kit::{Kit, is_refused, reply};
use super::one::One;
use super::violation::{Seen, ensure};
use super::{Context, Outcome};
use crate::record::ScimResource;
use crate::store::{Precondition, Query, Store};

fn other<S, C, R>(one: &One<S, C, R>) -> Result<Kit<S, C>, Seen> {
    let other = one.other.clone();
    other.ok_or_else(|| Seen::new("the contract has asked for a second tenant where there is one"))
}

pub(super) async fn tenants_do_not_find_each_other_by_id<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let (ours, other) = (one.create(0).await?, other(&one)?);
    let id = ours.resource.id().as_str();
    ensure!(
        other.load::<R>(id).await?.is_none(),
        "a get in one tenant found the resource {id:?} of another"
    );
    let read = other.get::<R>(id, &reply::<R>().want, &Precondition::None).await;
    is_refused(read, 404, None, "a get of another tenant's resource")?;
    let changed = one.sample.changed(&one.sample.of(1), 1);
    let replaced = other.try_replace(id, changed).await;
    is_refused(replaced, 404, None, "a replace of another tenant's resource")?;
    let patch = one.sample.patch(&ours.resource, 1);
    let patched = other.try_patch::<R>(id, &patch).await;
    is_refused(patched, 404, None, "a PATCH of another tenant's resource")?;
    let deleted = other.delete::<R>(id, &Precondition::None).await;
    is_refused(deleted, 404, None, "a delete of another tenant's resource")?;
    one.is_unchanged(&ours, "a write in another tenant").await
}

pub(super) async fn tenants_do_not_share_lists<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let (ours, other) = (one.create(0).await?, other(&one)?);
    let nothing = other.list(&Query::<R>::all(10)).await?;
    ensure!(
        nothing.total == 0 && nothing.resources.is_empty(),
        "a tenant without resources is shown {:?}",
        nothing.ids()
    );
    let theirs = other.create(one.sample.of(1)).await?;
    let [ours, theirs] = [&ours, &theirs].map(|stored| stored.resource.id().as_str());
    for (kit, own) in [(&one.kit, ours), (&other, theirs)] {
        let list = kit.list(&Query::<R>::all(10)).await?;
        ensure!(
            list.total == 1 && list.ids() == [own],
            "a tenant with one resource is shown {:?}",
            list.ids()
        );
    }
    other.deleted::<R>(theirs).await?;
    let list = one.kit.list(&Query::<R>::all(10)).await?;
    ensure!(
        list.ids() == [ours],
        "a delete in one tenant has changed the list of another to {:?}",
        list.ids()
    );
    Ok(())
}

pub(super) async fn filters_stay_in_their_tenant<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let (ours, other) = (one.create(0).await?, other(&one)?);
    let theirs = other.create(one.sample.of(1)).await?;
    let theirs = theirs.resource.id().as_str();
    let ids = [ours.resource.id().as_str(), theirs].map(|id| format!("id eq {}", quoted(id)));
    let mut filters = vec![ids.join(" or ")];
    for leaf in one.sample.leaves() {
        let is_asked = leaf.is_text() && one.sample.filters_by(&leaf.name);
        if let Some(text) = leaf.text_of(&ours.resource).filter(|_| is_asked) {
            filters.push(format!("{} eq {}", leaf.name, quoted(&text)));
            filters.push(format!("{} pr", leaf.name));
        }
    }
    for filter in filters {
        let found = other.found::<R>(&filter).await?;
        ensure!(
            found.iter().all(|id| id == theirs),
            "the filter {filter} found {found:?} in a tenant that has {theirs:?}"
        );
    }
    Ok(())
}

pub(super) async fn tenants_do_not_share_unique_values<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    use crate::schema::Uniqueness;
    one.create(0).await?;
    let other = other(&one)?;
    let mut sent = one.sample.of(1);
    for leaf in one.sample.unique() {
        if leaf.attribute.shape.uniqueness == Uniqueness::Server
            && let Some(value) = leaf.of(&one.sample.of(0))
        {
            _ = leaf.set(&mut sent, Some(&value));
        }
    }
    let created = other.post(sent).await;
    created
        .map(drop)
        .map_err(|error| Seen::of("a create with the unique values of another tenant failed", &error))
}
