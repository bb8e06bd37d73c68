//! Creation, identifiers, uniqueness.

use serde_json::Value;

use super::attributes::{Leaf, transient};
use super::kit::{BASE, NOBODY, at_once, document, is_refused, projection, rendered, reply};
use super::one::One;
use super::violation::{Seen, ensure};
use super::{Context, Outcome};
use crate::ScimType;
use crate::record::{Record, ScimResource};
use crate::store::{Precondition, Query, Store};
use crate::value::Reference;

/// Checks that samples are distinct. The other checks stand on the sample: if it is wrong, they would accuse the store.
pub(super) async fn samples_are_distinct<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let sample = &one.sample;
    for leaf in sample.unique() {
        let (first, second) = (leaf.of(&sample.of(0)), leaf.of(&sample.of(1)));
        ensure!(
            first != second || first.is_none(),
            "the first two resources of the sample have one value of {}, which is unique",
            leaf.name
        );
    }
    let (first, second) = (sample.of(0), sample.of(1));
    ensure!(
        first != second,
        "the first two resources of the sample are the same"
    );
    let changes = [0, 1, 2].map(|n| sample.changed(&first, n));
    let [zero, one, two] = &changes;
    ensure!(
        zero != one && one != two && zero != two && changes.iter().all(|changed| *changed != first),
        "of what is kept, the changes of the sample do not make another state each"
    );
    ensure!(
        !sample.operations(&first, one).is_empty(),
        "the changes of the sample change nothing that a PATCH can change"
    );
    Ok(())
}

pub(super) async fn created_resources_are_kept_whole<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let sent = one.sample.of(0);
    let written = one.kit.post(sent.clone()).await;
    let written = written.map_err(|error| Seen::of("a create failed", &error))?;
    let created = one.kit.state::<R>(&written.id).await?;
    has_right_meta(&one, &created, &written.id)?;
    ensure!(
        written.version == created.version,
        "a create was answered with the version {}, but get says {}",
        written.version,
        created.version
    );
    let mut bare = created.resource.clone();
    (*bare.id_mut(), *bare.meta_mut()) = (sent.id().clone(), sent.meta().clone());
    one.is_same(&sent, &bare, "a create")?;
    let want = reply::<R>().want;
    let shown = one.kit.shown::<R>(&written.id).await?;
    let expected = rendered(&created.resource, &want)?;
    ensure!(
        shown == expected,
        "get shows {shown} of a resource whose state is {expected}"
    );
    let location = super::kit::text(&shown, "/meta/location");
    let place = format!("{BASE}/{}/{}", R::RESOURCE_TYPE.segment(), written.id);
    ensure!(location == place, "get shows meta.location {location:?}");
    let Some(answer) = written.answer else {
        return Err(Seen::new("a create was answered with nothing"));
    };
    let answered = document(answer, &want).await?;
    ensure!(
        answered == shown,
        "a create was answered with {answered}, but get shows {shown}"
    );
    Ok(())
}

fn has_right_meta<S, C, R: ScimResource>(
    one: &One<S, C, R>,
    created: &crate::store::Stored<R>,
    id: &str,
) -> Outcome {
    let meta = created.resource.meta();
    ensure!(
        !id.is_empty() && created.resource.id().as_str() == id,
        "a create was answered with the id {id:?}, but get says {:?}",
        created.resource.id().as_str()
    );
    ensure!(
        meta.resource_type.as_deref() == Some(R::RESOURCE_TYPE.name),
        "meta.resourceType is {:?}",
        meta.resource_type
    );
    ensure!(
        meta.location == Some(Reference::resource(R::RESOURCE_TYPE.segment(), id)),
        "meta.location is {:?}",
        meta.location
    );
    ensure!(
        meta.version.as_ref() == Some(&created.version.entity_tag()),
        "meta.version is {:?}, but the version is {}",
        meta.version,
        created.version
    );
    ensure!(
        !one.sample.times || (meta.created.is_some() && meta.created == meta.last_modified),
        "the times of a new resource are {:?} and {:?}",
        meta.created,
        meta.last_modified
    );
    Ok(())
}

pub(super) async fn ids_are_made_by_the_store<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let first = one.create(0).await?;
    let mut sent = one.sample.of(1);
    *sent.id_mut() = first.resource.id().clone();
    let second = one.kit.create(sent).await?;
    ensure!(
        second.resource.id() != first.resource.id(),
        "a create took the id {:?} that the client sent",
        first.resource.id().as_str()
    );
    one.is_unchanged(&first, "a create with the id of another resource")
        .await?;
    let mut ids = Vec::new();
    for n in 2..52 {
        let created = one.kit.post(one.sample.of(n)).await;
        ids.push(created.map_err(|error| Seen::of("a create failed", &error))?.id);
    }
    let unfit = ids
        .iter()
        .find(|id| id.is_empty() || id.to_ascii_lowercase().contains("bulkid"));
    ensure!(unfit.is_none(), "a create gave the id {unfit:?}");
    ids.sort();
    ids.dedup();
    ensure!(
        ids.len() == 50,
        "of 50 resources, {} have an id of their own",
        ids.len()
    );
    Ok(())
}

pub(super) async fn ids_are_never_given_again<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let mut dead: Vec<String> = Vec::new();
    for _ in 0..20 {
        let created = one.kit.post(one.sample.of(0)).await;
        let id = created.map_err(|error| Seen::of("a create failed", &error))?.id;
        ensure!(
            !dead.contains(&id),
            "a create gave the id {id:?}, which a deleted resource had"
        );
        one.kit.deleted::<R>(&id).await?;
        dead.push(id);
    }
    Ok(())
}

/// Checks that ids have one spelling: a store with numbers for ids that reads them as numbers has many ids for one resource.
pub(super) async fn ids_have_one_spelling<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let created = one.create(0).await?;
    let id = created.resource.id().as_str();
    let mut others = vec![
        format!("0{id}"),
        format!("+{id}"),
        format!(" {id}"),
        format!("{id} "),
        format!("{id}.0"),
        id.to_uppercase(),
        id.to_lowercase(),
    ];
    others.extend([NOBODY, "0", "-1", "99999999999999999999999999"].map(str::to_owned));
    others.retain(|other| other != id);
    for other in others {
        let want = reply::<R>().want;
        let what = |how: &str| format!("{how} of {other:?}, where the only resource is {id:?},");
        let read = one.kit.get::<R>(&other, &want, &Precondition::None).await;
        is_refused(read, 404, None, &what("a get"))?;
        let patch = one.sample.patch(&created.resource, 1);
        let patched = one.kit.try_patch::<R>(&other, &patch).await;
        is_refused(patched, 404, None, &what("a PATCH"))?;
        let deleted = one.kit.delete::<R>(&other, &Precondition::None).await;
        is_refused(deleted, 404, None, &what("a delete"))?;
    }
    one.is_unchanged(&created, "a write of another id").await
}

/// Returns a text in several spellings, such as full-width letters, which Asian input methods make.
pub(super) fn spellings(text: &str) -> Vec<String> {
    let wide = |letter: char| match letter {
        '!'..='~' => char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter),
        other => other,
    };
    let all = [
        text.to_owned(),
        text.to_uppercase(),
        text.to_lowercase(),
        text.chars().map(wide).collect(),
    ];
    let mut spellings: Vec<String> = Vec::new();
    for spelling in all {
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

/// Returns the spellings of a value that are the same value to the attribute.
fn same_values(leaf: &Leaf, resource: &dyn Record) -> Vec<Value> {
    let fold = leaf.attribute.fold();
    match leaf.of(resource) {
        Some(Value::String(text)) => {
            let mut spellings = spellings(&text);
            spellings.retain(|other| fold.same(&text, other));
            spellings.into_iter().map(Value::String).collect()
        }
        value => value.into_iter().collect(),
    }
}

const TAKEN: Option<ScimType> = Some(ScimType::Uniqueness);

pub(super) async fn unique_values_are_refused<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let (first, other) = (one.create(0).await?, one.create(1).await?);
    let id = other.resource.id().as_str();
    for leaf in one.sample.unique() {
        for value in same_values(&leaf, &first.resource) {
            let what = |how: &str| {
                let there = leaf.of(&first.resource).unwrap_or_default();
                format!("{how} with {} {value} beside {there}", leaf.name)
            };
            let Some(sent) = one.with(one.sample.of(2), &leaf, &value) else {
                continue;
            };
            is_refused(one.kit.post(sent).await, 409, TAKEN, &what("a create"))?;
            if leaf.is_changeable() {
                let Some(sent) = one.with(other.resource.clone(), &leaf, &value) else {
                    continue;
                };
                let replaced = one.kit.try_replace(id, sent).await;
                is_refused(replaced, 409, TAKEN, &what("a replace"))?;
                let operations = Value::from(vec![leaf.operation(Some(&value))]);
                let patched = one.kit.try_patch::<R>(id, &operations).await;
                is_refused(patched, 409, TAKEN, &what("a PATCH"))?;
            }
            one.is_unchanged(&other, "a write that was refused").await?;
        }
    }
    let list = one.kit.list(&Query::<R>::all(10)).await?;
    ensure!(
        list.total == 2,
        "a create that was refused has left a resource: {} are listed instead of 2",
        list.total
    );
    Ok(())
}

pub(super) async fn case_exact_values_differ_by_their_case<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let first = one.create(0).await?;
    for leaf in one.sample.unique() {
        let Some(text) = leaf.text_of(&first.resource) else {
            continue;
        };
        let fold = leaf.attribute.fold();
        let cases = [text.to_uppercase(), text.to_lowercase()];
        for other in cases.into_iter().filter(|other| !fold.same(&text, other)) {
            let value = Value::String(other);
            let Some(sent) = one.with(one.sample.of(1), &leaf, &value) else {
                continue;
            };
            let created = one.kit.post(sent).await;
            let created = created.map_err(|error| {
                Seen::of(
                    &format!("{} {value} was refused beside {text:?}", leaf.name),
                    &error,
                )
            })?;
            one.kit.deleted::<R>(&created.id).await?;
        }
    }
    Ok(())
}

pub(super) async fn unique_values_are_free_once_given_up<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let mut unique = one.sample.unique();
    unique.retain(Leaf::is_changeable);
    for (n, leaf) in unique.into_iter().enumerate() {
        let n = n * 10;
        let first = one.create(n).await?;
        let id = first.resource.id().as_str();
        // One's own value can be written again, in another spelling, too.
        for value in same_values(&leaf, &first.resource) {
            if let Some(sent) = one.with(first.resource.clone(), &leaf, &value) {
                one.kit.replaced(id, sent).await?;
            }
        }
        let Some(next) = leaf.of(&one.sample.of(n + 1)) else {
            continue;
        };
        let Some(moved) = one.with(first.resource.clone(), &leaf, &next) else {
            continue;
        };
        one.kit.replaced(id, moved).await?;
        let Some(old) = leaf.of(&first.resource) else {
            continue;
        };
        let what = |value: &Value| format!("a create with {} {value}", leaf.name);
        let Some(again) = one.with(one.sample.of(n + 2), &leaf, &old) else {
            continue;
        };
        let created = one.kit.post(again).await;
        created.map_err(|error| Seen::of(&format!("{}, which was given up, failed", what(&old)), &error))?;
        let Some(taken) = one.with(one.sample.of(n + 3), &leaf, &next) else {
            continue;
        };
        let refused = one.kit.post(taken).await;
        is_refused(
            refused,
            409,
            TAKEN,
            &format!("{}, which a replace has taken,", what(&next)),
        )?;
    }
    Ok(())
}

/// Checks that of concurrent creates one wins: a check before the write and outside its transaction fails here.
pub(super) async fn of_concurrent_creates_one_wins<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    const ROUNDS: usize = 5;
    let Some(leaf) = one.sample.unique().into_iter().next() else {
        return Ok(());
    };
    let mut expected = 0;
    for round in 0..ROUNDS {
        let values = same_values(&leaf, &one.sample.of(round));
        let create = |n: usize| {
            let value = values.get(n % values.len().max(1)).or(values.first())?;
            let sent = one.with(one.sample.of(100 + round * 20 + n), &leaf, value)?;
            let kit = one.kit.clone();
            Some(async move { kit.post(sent).await.map(drop) })
        };
        let racing: Vec<_> = (0..20).filter_map(create).collect();
        if racing.is_empty() {
            continue;
        }
        let number = racing.len();
        let mut winners = 0;
        for result in at_once(racing).await? {
            match result {
                Ok(()) => winners += 1,
                refused => is_refused(refused, 409, TAKEN, "a create that lost the race")?,
            }
        }
        ensure!(
            winners == 1,
            "of {number} concurrent creates of one {} {winners} succeeded",
            leaf.name
        );
        expected += 1;
    }
    let kept = one.kit.list(&Query::<R>::all(100)).await?;
    ensure!(
        kept.total == expected && kept.resources.len() as u64 == expected,
        "{expected} creates succeeded, but {} resources are listed",
        kept.total
    );
    Ok(())
}

/// Checks that transient values are not kept: a password is handed on, and it is not the store that keeps it.
pub(super) async fn transient_values_are_not_kept<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    for (n, leaf) in transient::<R>().into_iter().enumerate() {
        let secret = Value::from("t1meMa$heen");
        let Some(sent) = one.with(one.sample.of(n), &leaf, &secret) else {
            continue;
        };
        let id = one.kit.create(sent.clone()).await?.resource.id().to_string();
        is_nowhere(&one, &id, &leaf, "a create").await?;
        one.kit.replaced(&id, sent).await?;
        is_nowhere(&one, &id, &leaf, "a replace").await?;
        let operations = Value::from(vec![leaf.operation(Some(&secret))]);
        one.kit.patched::<R>(&id, &operations).await?;
        is_nowhere(&one, &id, &leaf, "a PATCH").await?;
    }
    Ok(())
}

async fn is_nowhere<S: Store<R, C>, C: Context, R: ScimResource>(
    one: &One<S, C, R>,
    id: &str,
    leaf: &Leaf,
    by: &str,
) -> Outcome {
    let state = one.kit.state::<R>(id).await?;
    ensure!(
        leaf.of(&state.resource).is_none(),
        "{by} has kept the attribute {}",
        leaf.name
    );
    for want in [reply::<R>().want, projection::<R>(&[leaf.name.as_str()], &[])?] {
        let shown = one.kit.shown_as::<R>(id, &want).await?;
        ensure!(
            leaf.shown(&shown).is_none(),
            "after {by}, get shows the attribute {}",
            leaf.name
        );
    }
    Ok(())
}
