//! Versions, preconditions, atomicity, lost updates.

use serde_json::{Value, json};

use super::attributes::Leaf;
use super::kit::{NOBODY, at_once, document, is_refused, reply, text};
use super::one::One;
use super::violation::{Seen, ensure};
use super::{Context, Outcome};
use crate::record::ScimResource;
use crate::schema::Type;
use crate::store::{Precondition, Store, Version};
use crate::value::ResourceId;

/// Checks that concurrent PATCHes are all kept: a store that reads outside its transaction loses what others set at the same
/// time.
pub(super) async fn concurrent_patches_are_all_kept<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    for round in 0..5 {
        let created = one.create(round).await?;
        let id = created.resource.id().as_str();
        let changed = one.sample.changed(&created.resource, round + 1);
        let operations = one.sample.operations(&created.resource, &changed);
        let number = operations.len();
        patch_at_once(&one, id, operations).await?;
        let held = one.kit.state::<R>(id).await?;
        let lost = one.sample.operations(&held.resource, &changed);
        ensure!(
            lost.is_empty(),
            "of {number} attributes that as many concurrent PATCHes have set, {} are lost: {lost:?}",
            lost.len()
        );
    }
    for (n, leaf) in one.sample.lists().into_iter().enumerate() {
        concurrent_values_are_all_kept(&one, 100 * (n + 1), &leaf).await?;
    }
    Ok(())
}

async fn patch_at_once<S: Store<R, C>, C: Context, R: ScimResource>(
    one: &One<S, C, R>,
    id: &str,
    operations: Vec<Value>,
) -> Outcome {
    let patch = |operation: Value| {
        let (kit, id) = (one.kit.clone(), id.to_owned());
        async move { kit.patch_at_last::<R>(&id, &json!([operation])).await }
    };
    let done = at_once(operations.into_iter().map(patch)).await?;
    done.into_iter().collect()
}

/// Checks the same for the values of one attribute.
async fn concurrent_values_are_all_kept<S: Store<R, C>, C: Context, R: ScimResource>(
    one: &One<S, C, R>,
    first: usize,
    leaf: &Leaf,
) -> Outcome {
    let created = one.create(first).await?;
    let id = created.resource.id().as_str();
    let mut values: Vec<Value> = Vec::new();
    for n in 1..=20 {
        let there = leaf.of(&one.sample.changed(&one.sample.of(first + n), n));
        let new = there
            .iter()
            .filter_map(Value::as_array)
            .flatten()
            .map(not_primary);
        values.extend(new.filter(|value| !values.contains(value)).collect::<Vec<_>>());
    }
    let add = |value: &Value| json!({"op": "add", "path": leaf.name, "value": [value]});
    patch_at_once(one, id, values.iter().map(add).collect()).await?;
    let held = leaf.of(&one.kit.state::<R>(id).await?.resource);
    let held = held
        .as_ref()
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let lost = values
        .iter()
        .filter(|value| !held.iter().any(|held| says(held, value)))
        .count();
    ensure!(
        lost == 0,
        "of {} values of {} that as many concurrent PATCHes have added, {lost} are lost",
        values.len(),
        leaf.name
    );
    Ok(())
}

/// Returns a value that leaves it to the others which of them is preferred: one primary value takes that from another.
fn not_primary(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("primary");
    }
    value
}

/// Returns whether a value has all that another says.
fn says(held: &Value, sent: &Value) -> bool {
    match (held.as_object(), sent.as_object()) {
        (Some(held), Some(sent)) => {
            let says = |(name, value): (&String, &Value)| held.get(name) == Some(value);
            sent.iter().all(says)
        }
        (None, None) => held == sent,
        _ => false,
    }
}

/// Checks that of concurrent conditional writes one wins: a check of the version outside the transaction lets several through.
pub(super) async fn of_concurrent_conditional_writes_one_wins<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    for round in 0..5 {
        let created = one.create(round).await?;
        let write = |n: usize| {
            let (one, created) = (one.clone(), created.clone());
            async move {
                let seen = Precondition::IfMatch(vec![created.version]);
                let id = created.resource.id().as_str();
                if n.is_multiple_of(2) {
                    let changed = one.sample.changed(&created.resource, n);
                    one.kit.put(id, changed, &seen).await.map(drop)
                } else {
                    let patch = one.sample.patch(&created.resource, n);
                    let patched = one.kit.patch::<R>(id, &patch, &seen, &reply::<R>()).await;
                    patched.map(drop)
                }
            }
        };
        let mut winners = 0;
        for result in at_once((0..10).map(write)).await? {
            match result {
                Ok(()) => winners += 1,
                refused => is_refused(refused, 412, None, "a conditional write that lost the race")?,
            }
        }
        ensure!(
            winners == 1,
            "of 10 concurrent writes under one version {winners} succeeded"
        );
    }
    Ok(())
}

/// Checks that writes are answered from their transaction: a store that reads the answer in another transaction shows what
/// somebody else has made of the resource.
pub(super) async fn writes_are_answered_from_their_transaction<
    S: Store<R, C>,
    C: Context,
    R: ScimResource,
>(
    one: One<S, C, R>,
) -> Outcome {
    for round in 0..5 {
        let created = one.create(round).await?;
        let write = |n: usize| {
            let one = one.clone();
            let (id, changed) = (
                created.resource.id().to_string(),
                one.sample.changed(&created.resource, n),
            );
            async move { shows_what_it_has_written(&one, &id, changed).await }
        };
        for done in at_once((0..10).map(write)).await? {
            done?;
        }
    }
    Ok(())
}

async fn shows_what_it_has_written<S: Store<R, C>, C: Context, R: ScimResource>(
    one: &One<S, C, R>,
    id: &str,
    sent: R,
) -> Outcome {
    let written = one.kit.replaced(id, sent.clone()).await?;
    let Some(answer) = written.answer else {
        return Err(Seen::new("a replace was answered with nothing"));
    };
    let shown = document(answer, &reply::<R>().want).await?;
    ensure!(
        text(&shown, "/meta/version") == written.version.entity_tag(),
        "a replace that has made the version {} was answered with another writer's state: {shown}",
        written.version
    );
    for leaf in one.sample.leaves().into_iter().filter(is_shown_as_it_is) {
        let wanted = leaf.of(&sent);
        ensure!(
            leaf.shown(&shown) == wanted.as_ref(),
            "a replace that has set {} to {wanted:?} was answered with another writer's state: {shown}",
            leaf.name
        );
    }
    Ok(())
}

fn is_shown_as_it_is(leaf: &Leaf) -> bool {
    let kind = leaf.attribute.shape.kind;
    !leaf.is_list() && matches!(kind, Type::String | Type::Boolean | Type::Integer)
}

/// Checks that applied writes are acknowledged: a store that reads the answer in another transaction finds nothing if the
/// resource was deleted in between.
pub(super) async fn applied_writes_are_acknowledged<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    const LOOKS: usize = 10_000;
    for round in 0..10 {
        let created = one.create(round).await?;
        let id = created.resource.id().to_string();
        let changed = one.sample.changed(&created.resource, 1);
        let (kit, theirs) = (one.kit.clone(), id.clone());
        let replace = tokio::spawn(async move { kit.try_replace(&theirs, changed).await.map(drop) });
        for _ in 0..LOOKS {
            let now = one.kit.state::<R>(&id).await?;
            if now.version != created.version || replace.is_finished() {
                break;
            }
            tokio::task::yield_now().await;
        }
        one.kit.deleted::<R>(&id).await?;
        let answered = replace.await;
        let answered =
            answered.map_err(|error| Seen::new(format!("the store panicked in a replace: {error}")))?;
        answered.map_err(|error| {
            Seen::of(
                "a replace that was carried out, and after which the resource was deleted, failed",
                &error,
            )
        })?;
    }
    Ok(())
}

pub(super) async fn stale_versions_are_refused<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let created = one.create(0).await?;
    let id = created.resource.id().as_str();
    one.kit
        .patched::<R>(id, &one.sample.patch(&created.resource, 1))
        .await?;
    let before = one.kit.state::<R>(id).await?;
    let stale = Precondition::IfMatch(vec![created.version.clone()]);
    let changed = one.sample.changed(&created.resource, 2);
    let replaced = one.kit.put(id, changed, &stale).await;
    is_refused(replaced, 412, None, "a replace under a stale version")?;
    let patch = one.sample.patch(&created.resource, 2);
    let patched = one.kit.patch::<R>(id, &patch, &stale, &reply::<R>()).await;
    is_refused(patched, 412, None, "a PATCH under a stale version")?;
    let deleted = one.kit.delete::<R>(id, &stale).await;
    is_refused(deleted, 412, None, "a delete under a stale version")?;
    one.is_unchanged(&before, "a write that was refused with 412")
        .await
}

pub(super) async fn preconditions_hold_in_every_form<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let created = one.create(0).await?;
    let id = created.resource.id().as_str();
    let mut version = created.version;
    let stale = Version::new("no-such-version");
    let forms = [true, true, true, true, false, false, false];
    for (n, holds) in forms.into_iter().enumerate() {
        let current = version.clone();
        let precondition = match n {
            0 => Precondition::None,
            1 => Precondition::Any,
            2 => Precondition::IfMatch(vec![stale.clone(), current]),
            3 => Precondition::IfNoneMatch(vec![stale.clone()]),
            4 => Precondition::IfMatch(vec![stale.clone()]),
            5 => Precondition::IfNoneMatch(vec![stale.clone(), current]),
            _ => Precondition::IfNoneMatchAny,
        };
        let what = format!("a PATCH under {precondition:?} of a resource in the version {version}");
        let patch = one.sample.patch(&one.kit.state::<R>(id).await?.resource, n);
        let patched = one.kit.patch::<R>(id, &patch, &precondition, &reply::<R>()).await;
        match (holds, patched) {
            (true, Ok(patched)) => version = patched.version,
            (true, Err(error)) => return Err(Seen::of(&format!("{what} failed"), &error)),
            (false, patched) => is_refused(patched, 412, None, &what)?,
        }
    }
    let want = reply::<R>().want;
    let gone = Precondition::IfMatch(vec![stale]);
    let read = one.kit.get::<R>(id, &want, &gone).await;
    is_refused(
        read,
        412,
        None,
        "a get under If-Match with a version that is gone",
    )?;
    let read = one.kit.get::<R>(id, &want, &Precondition::Any).await;
    read.map_err(|error| Seen::of("a get under If-Match: * failed", &error))?;
    let deleted = one
        .kit
        .delete::<R>(id, &Precondition::IfMatch(vec![version]))
        .await;
    deleted.map_err(|error| Seen::of("a delete under the current version failed", &error))
}

pub(super) async fn failed_patches_change_nothing<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let (before, other) = (one.create(0).await?, one.create(1).await?);
    let id = before.resource.id().as_str();
    let mut failing = vec![json!({"op": "replace", "path": "id", "value": "1"})];
    for leaf in one.sample.unique().into_iter().filter(Leaf::is_changeable) {
        if let Some(taken) = leaf.of(&other.resource) {
            failing.push(leaf.operation(Some(&taken)));
        }
    }
    let changed = one.sample.changed(&before.resource, 1);
    for last in failing {
        let mut operations = one.sample.operations(&before.resource, &changed);
        operations.push(last.clone());
        let patched = one.kit.try_patch::<R>(id, &operations.into()).await;
        ensure!(
            patched.is_err(),
            "a PATCH whose last operation is {last} was accepted"
        );
        one.is_unchanged(
            &before,
            &format!("a PATCH that failed at its last operation {last}"),
        )
        .await?;
        let shown = one.kit.shown::<R>(id).await?;
        let expected = super::kit::rendered(&before.resource, &reply::<R>().want)?;
        ensure!(
            shown == expected,
            "after a PATCH that failed, get shows {shown} instead of {expected}"
        );
    }
    Ok(())
}

pub(super) async fn writes_that_change_nothing_leave_no_trace<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let before = one.create(0).await?;
    let id = before.resource.id().as_str();
    let leaves = one.sample.leaves().into_iter().filter(Leaf::is_changeable);
    let operations: Vec<_> = leaves
        .filter_map(|leaf| {
            leaf.of(&before.resource)
                .map(|value| leaf.operation(Some(&value)))
        })
        .collect();
    let patched = one.kit.patched::<R>(id, &operations.into()).await?;
    let replaced = one.kit.replaced(id, before.resource.clone()).await?;
    for (how, written) in [("a PATCH", patched), ("a replace", replaced)] {
        ensure!(
            !written.changed,
            "{how} that sets what is set already says that it has changed something"
        );
        ensure!(
            written.version == before.version,
            "{how} that changes nothing has moved the version from {} to {}",
            before.version,
            written.version
        );
    }
    one.is_unchanged(&before, "a write that changes nothing").await
}

pub(super) async fn changes_move_version_and_time<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let first = one.create(0).await?;
    let id = first.resource.id().as_str();
    let mut seen = vec![first.version.clone()];
    let mut last = first.clone();
    for n in 1..=6 {
        let changed = one.sample.changed(&last.resource, n);
        let written = match n % 2 {
            0 => one.kit.replaced(id, changed.clone()).await?,
            _ => {
                let patch = one.sample.operations(&last.resource, &changed);
                one.kit.patched::<R>(id, &patch.into()).await?
            }
        };
        let now = one.kit.state::<R>(id).await?;
        let missing = one.sample.operations(&now.resource, &changed);
        ensure!(
            missing.is_empty() && written.changed,
            "a write was acknowledged, and this of it is not there: {missing:?}"
        );
        ensure!(
            now.version == written.version,
            "a write was answered with the version {}, but get says {}",
            written.version,
            now.version
        );
        ensure!(
            !seen.contains(&now.version),
            "the version {} was given to two states",
            now.version
        );
        times_are_right(&one, &first.resource, &last.resource, &now.resource)?;
        seen.push(now.version.clone());
        last = now;
    }
    Ok(())
}

fn times_are_right<S, C, R: ScimResource>(one: &One<S, C, R>, first: &R, last: &R, now: &R) -> Outcome {
    let (created, before, modified) = (
        now.meta().created,
        last.meta().last_modified,
        now.meta().last_modified,
    );
    ensure!(
        created == first.meta().created,
        "a change has changed meta.created from {:?} to {created:?}",
        first.meta().created
    );
    ensure!(
        !one.sample.times || modified > before,
        "a change has moved meta.lastModified from {before:?} to {modified:?}"
    );
    Ok(())
}

pub(super) async fn replacements_keep_id_and_creation<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let before = one.create(0).await?;
    let id = before.resource.id().as_str();
    let mut sent = one.sample.changed(&one.sample.of(0), 1);
    *sent.id_mut() = ResourceId::new("another");
    let omitted =
        one.sample.leaves().into_iter().find(|leaf| {
            leaf.is_optional() && leaf.of(&before.resource).is_some() && leaf.set(&mut sent, None)
        });
    one.kit.replaced(id, sent.clone()).await?;
    let after = one.kit.state::<R>(id).await?;
    ensure!(
        after.resource.id() == before.resource.id(),
        "a replace has changed the id"
    );
    ensure!(
        after.resource.meta().created == before.resource.meta().created,
        "a replace has changed meta.created"
    );
    if let Some(leaf) = omitted {
        ensure!(
            leaf.of(&after.resource).is_none(),
            "a replace has kept {}, which was left out",
            leaf.name
        );
    }
    let missing = one.sample.operations(&after.resource, &sent);
    ensure!(
        missing.is_empty(),
        "a replace has not made the state that was sent: {missing:?} is missing"
    );
    let replaced = one.kit.try_replace(NOBODY, one.sample.of(1)).await;
    is_refused(replaced, 404, None, "a replace of a resource that does not exist")?;
    let patch = Value::Array(one.sample.operations(&one.sample.of(0), &sent));
    let patched = one.kit.try_patch::<R>(NOBODY, &patch).await;
    is_refused(patched, 404, None, "a PATCH of a resource that does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store may add to a value what follows from it, such as `display`.
    #[test]
    fn a_value_may_say_more_than_was_sent() {
        let sent = json!({"value": "a"});
        assert!(says(&json!({"value": "a", "display": "A"}), &sent));
        assert!(!says(&json!({"value": "b", "display": "a"}), &sent));
        assert!(says(&json!("a"), &json!("a")) && !says(&json!("a"), &sent));
        assert_eq!(not_primary(&json!({"value": "a", "primary": true})), sent);
        assert_eq!(not_primary(&json!("a")), json!("a"));
    }
}
