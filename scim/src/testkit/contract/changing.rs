//! Versions, preconditions, atomicity, lost updates.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Outcome, Subject, Violation, at_once, ensure, is_refused, sorted};
use crate::ScimType;
use crate::resources::{Email, Group, Member, User};
use crate::store::{Precondition, Version};
use crate::testkit::Kit;
use crate::testkit::kit::{document, reply, text};

fn title(title: &str) -> Value {
    json!([{"op": "replace", "path": "title", "value": title}])
}

/// RFC 7644 section 3.5.2: each PATCH is applied to the state that the one before has left. A store that reads outside
/// its transaction loses members that others add at the same time.
pub(super) async fn concurrent_members_are_all_kept<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let group = kit
        .create(Group::new("Tour Guides"))
        .await?
        .resource
        .id
        .to_string();
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(
            kit.create(User::new(format!("u{n}")))
                .await?
                .resource
                .id
                .to_string(),
        );
    }
    let add = |id: &String| {
        let (kit, group) = (kit.clone(), group.clone());
        let operations = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
        async move { kit.patch_at_last::<Group>(&group, &operations).await }
    };
    for done in at_once(ids.iter().map(add)).await? {
        done?;
    }
    let held = kit.state::<Group>(&group).await?;
    let held = held
        .resource
        .members
        .loaded()
        .unwrap_or_default()
        .iter()
        .map(|member| member.value.clone());
    let held = sorted(held);
    ensure!(
        held == sorted(ids),
        "of 20 members that 20 concurrent patches have added, {} are left",
        held.len()
    );
    Ok(())
}

/// The same for an attribute that is part of the document.
pub(super) async fn concurrent_emails_are_all_kept<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let id = kit.create(User::new("bjensen")).await?.resource.id.to_string();
    let addresses: Vec<String> = (0..20).map(|n| format!("b{n}@example.com")).collect();
    let add = |address: &String| {
        let (kit, id) = (kit.clone(), id.clone());
        let operations =
            json!([{"op": "add", "path": "emails", "value": [{"value": address, "type": "work"}]}]);
        async move { kit.patch_at_last::<User>(&id, &operations).await }
    };
    for done in at_once(addresses.iter().map(add)).await? {
        done?;
    }
    let held = kit.state::<User>(&id).await?;
    let held = sorted(held.resource.emails.into_iter().filter_map(|email| email.value));
    ensure!(
        held == sorted(addresses),
        "of 20 e-mail addresses that 20 concurrent patches have added, {} are left",
        held.len()
    );
    Ok(())
}

/// RFC 7644 section 3.14: of several who have seen the same version, one can write. A check of the version outside the
/// transaction lets several through.
pub(super) async fn of_concurrent_conditional_writes_one_wins<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    for round in 0..5 {
        let created = kit.create(User::new(format!("u{round}"))).await?;
        let write = |n: usize| {
            let (kit, created) = (kit.clone(), created.clone());
            async move {
                let seen = Precondition::IfMatch(vec![created.version]);
                let id = created.resource.id.to_string();
                if n.is_multiple_of(2) {
                    let changed = User {
                        title: Some(n.to_string()),
                        ..created.resource
                    };
                    kit.replace(&id, changed, &seen)
                        .await
                        .map(|stored| stored.version)
                } else {
                    let patched = kit
                        .patch::<User>(&id, &title(&n.to_string()), &seen, &reply::<User>())
                        .await;
                    patched.map(|patched| patched.version)
                }
            }
        };
        let mut winners = 0;
        for result in at_once((0..10).map(write)).await? {
            match result {
                Ok(_) => winners += 1,
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

/// RFC 7644 sections 3.5.1 and 3.5.2: a write is answered with the state that it has made. A store that reads it back in
/// another transaction shows what somebody else has made of it, or nothing at all.
pub(super) async fn writes_are_answered_from_their_transaction<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    for round in 0..5 {
        let user = kit.create(User::new(format!("u{round}"))).await?;
        let write = |n: usize| {
            let (kit, id) = (kit.clone(), user.resource.id.to_string());
            async move {
                let changed = User {
                    title: Some(n.to_string()),
                    ..User::new(format!("u{round}"))
                };
                let written = kit.put(&id, changed).await;
                let written = written.map_err(|error| Violation::of("a replace was refused", &error))?;
                let want = reply::<User>().want;
                let Some(answer) = written.answer else {
                    return Err(Violation::new("a replace was answered with nothing"));
                };
                let shown = document(answer, &want).await?;
                Ok((n, written.version, shown))
            }
        };
        for done in at_once((0..10).map(write)).await? {
            let (n, version, shown) = done?;
            ensure!(
                text(&shown, "/title") == n.to_string()
                    && text(&shown, "/meta/version") == version.entity_tag(),
                "a replace that set the title {n} in the version {version} was answered with another writer's state: {shown}"
            );
        }
    }
    Ok(())
}

/// RFC 7644 section 3.14: a write under a version that is gone is 412 and changes nothing.
pub(super) async fn stale_versions_are_refused<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let created = kit.create(User::new("bjensen")).await?;
    let id = created.resource.id.as_str();
    kit.patched::<User>(id, &title("Tour Guide")).await?;
    let before = kit.state::<User>(id).await?;
    let stale = Precondition::IfMatch(vec![created.version.clone()]);
    let changed = User {
        title: Some("Chief".to_owned()),
        ..created.resource.clone()
    };
    is_refused(
        kit.replace(id, changed, &stale).await,
        412,
        None,
        "replace under a stale version",
    )?;
    let patched = kit
        .patch::<User>(id, &title("Chief"), &stale, &reply::<User>())
        .await;
    is_refused(patched, 412, None, "patch under a stale version")?;
    is_refused(
        kit.delete::<User>(id, &stale).await,
        412,
        None,
        "delete under a stale version",
    )?;
    let after = kit.state::<User>(id).await?;
    ensure!(
        after == before,
        "a write that was refused with 412 has changed {before:?} to {after:?}"
    );
    Ok(())
}

/// RFC 9110 section 13.1: every form of If-Match and If-None-Match, on writes and on reads.
pub(super) async fn preconditions_hold_in_every_form<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let created = kit.create(User::new("bjensen")).await?;
    let id = created.resource.id.as_str();
    let mut version = created.version;
    let stale = Version::new("no-such-version");
    for (n, holds) in [true, true, true, true, false, false, false]
        .into_iter()
        .enumerate()
    {
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
        let what = format!("a write under {precondition:?} of a resource in the version {version}");
        let patched = kit
            .patch::<User>(id, &title(&n.to_string()), &precondition, &reply::<User>())
            .await;
        match (holds, patched) {
            (true, Ok(patched)) => version = patched.version,
            (true, Err(error)) => return Err(Violation::of(&format!("{what} was refused"), &error)),
            (false, patched) => is_refused(patched, 412, None, &what)?,
        }
    }
    let want = reply::<User>().want;
    let read = kit
        .get::<User>(id, &want, &Precondition::IfMatch(vec![stale]))
        .await;
    is_refused(read, 412, None, "get under If-Match with a version that is gone")?;
    let read = kit.get::<User>(id, &want, &Precondition::Any).await;
    read.map_err(|error| Violation::of("get under If-Match: * was refused", &error))?;
    let deleted = kit
        .delete::<User>(id, &Precondition::IfMatch(vec![version]))
        .await;
    deleted.map_err(|error| Violation::of("delete under the current version was refused", &error))?;
    Ok(())
}

/// RFC 7644 section 3.5.2: "if any single operation fails, the resource is restored to its original state".
pub(super) async fn failed_patches_change_nothing<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit
        .create(User {
            emails: vec![Email::new("b@example.com")],
            ..User::new("bjensen")
        })
        .await?;
    let id = user.resource.id.as_str();
    kit.create(User::new("taken")).await?;
    let first = json!({"op": "add", "path": "title", "value": "Tour Guide"});
    for second in [
        json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "x@example.com"}}),
        json!({"op": "replace", "path": "userName", "value": "TAKEN"}),
        json!({"op": "replace", "path": "active", "value": {"no": "boolean"}}),
        json!({"op": "replace", "path": "id", "value": "1"}),
    ] {
        let operations = json!([first, {"op": "remove", "path": "emails"}, second]);
        let patched = kit.try_patch::<User>(id, &operations).await;
        ensure!(patched.is_err(), "patch accepted {second}");
        let after = kit.state::<User>(id).await?;
        ensure!(
            after == user,
            "a patch that failed at {second} was half applied: {after:?}"
        );
        let shown = kit.shown::<User>(id).await?;
        ensure!(
            shown.pointer("/title").is_none(),
            "get shows what a failed patch has left: {shown}"
        );
    }
    let mut group = Group::new("Tour Guides");
    group.members = vec![Member::new(id)].into();
    let group = kit.create(group).await?;
    let group_id = group.resource.id.as_str();
    let operations = json!([
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "displayName", "value": "Chiefs"},
        {"op": "replace", "path": "id", "value": "1"},
    ]);
    let patched = kit.try_patch::<Group>(group_id, &operations).await;
    ensure!(patched.is_err(), "patch accepted another id");
    let after = kit.state::<Group>(group_id).await?;
    ensure!(
        after == group,
        "a patch of a group that failed was half applied: {after:?}"
    );
    Ok(())
}

/// RFC 7644 section 3.5.2.1: a write that changes nothing does not change `lastModified`, and so no version.
pub(super) async fn writes_that_change_nothing_leave_no_trace<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit
        .create(User {
            title: Some("Guide".to_owned()),
            ..User::new("bjensen")
        })
        .await?;
    let id = user.resource.id.as_str();
    let patched = kit.patched::<User>(id, &title("Guide")).await?;
    ensure!(
        !patched.changed,
        "patch says that it changed something, and it sets what is set already"
    );
    kit.replaced(id, user.resource.clone()).await?;
    let after = kit.state::<User>(id).await?;
    ensure!(
        after == user,
        "a write that changes nothing has made {after:?} of {user:?}"
    );
    let mut group = Group::new("Tour Guides");
    group.members = vec![Member::new(id)].into();
    let group = kit.create(group).await?;
    let group_id = group.resource.id.as_str();
    for operations in [
        json!([{"op": "add", "path": "members", "value": [{"value": id}]}]),
        json!([{"op": "remove", "path": "members", "value": [{"value": "nobody"}]}]),
        json!([{"op": "remove", "path": "members[value eq \"nobody\"]"}]),
        json!([{"op": "replace", "path": "members", "value": [{"value": id}]}]),
    ] {
        let patched = kit.patched::<Group>(group_id, &operations).await?;
        ensure!(!patched.changed, "patch says that {operations} changes something");
        ensure!(
            patched.version == group.version,
            "{operations} changes nothing, but the version"
        );
        let after = kit.state::<Group>(group_id).await?;
        ensure!(
            after == group,
            "{operations} changes nothing, and yet {group:?} became {after:?}"
        );
    }
    Ok(())
}

/// RFC 7643 section 3.1: every state has a version of its own, and `lastModified` says when it came.
pub(super) async fn changes_move_version_and_time<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit.create(User::new("bjensen")).await?;
    let id = user.resource.id.as_str();
    let mut seen = vec![user.version.clone()];
    let mut last = user.clone();
    for n in 0..6 {
        let version = if n % 2 == 0 {
            kit.patched::<User>(id, &title(&n.to_string())).await?.version
        } else {
            let changed = User {
                title: Some(n.to_string()),
                ..last.resource.clone()
            };
            kit.replaced(id, changed).await?.version
        };
        let now = kit.state::<User>(id).await?;
        ensure!(
            now.resource.title == Some(n.to_string()),
            "a write was acknowledged and is not there: {now:?}"
        );
        ensure!(
            now.version == version,
            "a write was answered with the version {version}, but get says {}",
            now.version
        );
        ensure!(
            !seen.contains(&version),
            "the version {version} was given to two states"
        );
        ensure!(
            now.resource.meta.version == Some(version.entity_tag()),
            "meta.version is {:?} in the version {version}",
            now.resource.meta.version
        );
        ensure!(
            now.resource.meta.last_modified > last.resource.meta.last_modified,
            "a change has left lastModified at {:?}",
            now.resource.meta.last_modified
        );
        ensure!(
            now.resource.meta.created == user.resource.meta.created,
            "a change has changed meta.created"
        );
        seen.push(version);
        last = now;
    }
    let group = kit.create(Group::new("Tour Guides")).await?;
    let group_id = group.resource.id.as_str();
    let operations = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
    let patched = kit.patched::<Group>(group_id, &operations).await?;
    let now = kit.state::<Group>(group_id).await?;
    ensure!(
        patched.changed && patched.version != group.version,
        "a new member is no new version of the group"
    );
    ensure!(
        now.resource.meta.last_modified > group.resource.meta.last_modified,
        "a new member has left lastModified of the group alone"
    );
    Ok(())
}

/// RFC 7644 section 3.5.1: a PUT cannot change `id` and `meta`; other attributes that it leaves out are gone.
pub(super) async fn replacements_keep_id_and_creation<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit
        .create(User {
            title: Some("Guide".to_owned()),
            ..User::new("bjensen")
        })
        .await?;
    let id = user.resource.id.as_str();
    let mut sent = User {
        nick_name: Some("Babs".to_owned()),
        ..User::new("bjensen")
    };
    sent.id = crate::value::ResourceId::new("another");
    let replaced = kit.replaced(id, sent).await?;
    let after = kit.state::<User>(id).await?;
    ensure!(
        after == replaced,
        "replace returned {replaced:?}, but load {after:?}"
    );
    ensure!(
        after.resource.id == user.resource.id,
        "replace has changed the id"
    );
    ensure!(
        after.resource.meta.created == user.resource.meta.created,
        "replace has changed meta.created"
    );
    ensure!(
        after.resource.title.is_none(),
        "replace has kept an attribute that was left out"
    );
    ensure!(
        after.resource.nick_name.is_some(),
        "replace has lost an attribute that was sent"
    );
    let missing = kit.replace("nobody", User::new("x"), &Precondition::None).await;
    is_refused(missing, 404, None, "replace of a resource that does not exist")?;
    is_refused(
        kit.try_patch::<User>("nobody", &title("x")).await,
        404,
        None,
        "patch of a resource that does not exist",
    )?;
    let wrong = kit.try_create(User::new("BJENSEN")).await;
    is_refused(
        wrong,
        409,
        Some(ScimType::Uniqueness),
        "create of a userName that a replace has kept",
    )
}
