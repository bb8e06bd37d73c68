//! Deletion, and what is told to clients that have a copy.

use std::sync::Arc;

use serde_json::json;

use super::{Outcome, Subject, Violation, ensure, is_refused};
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::resources::{Group, Member, User};
use crate::store::{Answer, Precondition, Query};
use crate::testkit::Kit;
use crate::testkit::kit::{document, projection, reply, text};

/// RFC 7644 section 3.6: after a DELETE the resource is 404 to everything and in no list.
pub(super) async fn deleted_resources_are_gone<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit.create(User::new("bjensen")).await?;
    kit.create(User::new("jsmith")).await?;
    let id = user.resource.id.as_str();
    kit.deleted::<User>(id).await?;
    ensure!(
        kit.load::<User>(id).await?.is_none(),
        "get found a deleted resource"
    );
    let read = kit
        .get::<User>(id, &reply::<User>().want, &Precondition::None)
        .await;
    is_refused(read, 404, None, "get of a deleted resource")?;
    let replaced = kit.replace(id, User::new("bjensen"), &Precondition::None).await;
    is_refused(replaced, 404, None, "replace of a deleted resource")?;
    let operations = json!([{"op": "replace", "path": "title", "value": "x"}]);
    is_refused(
        kit.try_patch::<User>(id, &operations).await,
        404,
        None,
        "patch of a deleted resource",
    )?;
    is_refused(
        kit.delete::<User>(id, &Precondition::None).await,
        404,
        None,
        "a second delete",
    )?;
    let list = kit.list(&Query::<User>::all(10)).await?;
    ensure!(
        list.total == 1 && list.resources.len() == 1,
        "of two users one was deleted, and {} are listed",
        list.total
    );
    for filter in [
        "userName eq \"bjensen\"",
        "userName sw \"bj\"",
        &format!("id eq \"{id}\""),
    ] {
        let found = kit.found::<User>(filter).await?;
        ensure!(found.is_empty(), "{filter} finds a deleted resource");
    }
    Ok(())
}

/// RFC 7643 section 4.2: a group does not keep a member that is no more; a deleted group is in nobody's `groups`.
pub(super) async fn deleted_members_leave_their_groups<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let a = kit.create(User::new("a")).await?.resource.id.to_string();
    let b = kit.create(User::new("b")).await?.resource.id.to_string();
    let mut ids = Vec::new();
    for name in ["Guides", "Chiefs"] {
        let mut group = Group::new(name);
        group.members = vec![Member::new(&a), Member::new(&b)].into();
        ids.push(kit.create(group).await?.resource.id.to_string());
    }
    kit.deleted::<User>(&a).await?;
    for id in &ids {
        let state = kit.state::<Group>(id).await?;
        let left: Vec<_> = state
            .resource
            .members
            .loaded()
            .unwrap_or_default()
            .iter()
            .map(|member| &member.value)
            .collect();
        ensure!(
            left == [&b],
            "a group of two, of whom one was deleted, has {} members",
            left.len()
        );
        let shown = kit.shown::<Group>(id).await?;
        let listed: Vec<_> = shown
            .pointer("/members")
            .and_then(|members| members.as_array())
            .into_iter()
            .flatten()
            .map(|member| text(member, "/value"))
            .collect();
        ensure!(listed == [b.as_str()], "get shows a deleted member: {shown}");
    }
    let found = kit.found::<Group>(&format!("members.value eq \"{a}\"")).await?;
    ensure!(found.is_empty(), "a filter finds groups by a deleted member");
    let Some(first) = ids.first() else { return Ok(()) };
    kit.deleted::<Group>(first).await?;
    let shown = kit.shown::<User>(&b).await?;
    let groups = shown
        .pointer("/groups")
        .and_then(|groups| groups.as_array())
        .map_or(0, Vec::len);
    ensure!(
        groups == 1,
        "a user in two groups, of which one was deleted, is shown in {groups}"
    );
    Ok(())
}

/// RFC 7644 section 3.6: the values that had to be unique are free again.
pub(super) async fn deleted_user_names_are_free<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit.create(User::new("bjensen")).await?;
    kit.deleted::<User>(user.resource.id.as_str()).await?;
    let again = kit.try_create(User::new("BJensen")).await;
    let again =
        again.map_err(|error| Violation::of("the userName of a deleted user is still taken", &error))?;
    let state = kit.state::<User>(again.resource.id.as_str()).await?;
    ensure!(
        state.resource.user_name == "BJensen",
        "the new user has the name {:?}",
        state.resource.user_name
    );
    Ok(())
}

/// RFC 7644 section 3.14: a client that has the version is told so, in place of the document.
pub(super) async fn known_versions_are_not_sent_again<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit.create(User::new("bjensen")).await?;
    let id = user.resource.id.as_str();
    let want = projection::<User>(&["userName", "title"], &[])?;
    let known = Precondition::IfNoneMatch(vec![crate::store::Version::new("other"), user.version.clone()]);
    let answer = kit.get::<User>(id, &want, &known).await;
    match answer.map_err(|error| Violation::of("get under If-None-Match failed", &error))? {
        Answer::NotModified(version) => ensure!(version == user.version, "304 names the version {version}"),
        _ => return Err(Violation::new("get sent a document whose version the client has")),
    }
    let operations = json!([{"op": "replace", "path": "title", "value": "Guide"}]);
    kit.patched::<User>(id, &operations).await?;
    let answer = kit.get::<User>(id, &want, &known).await;
    let answer = answer.map_err(|error| Violation::of("get under If-None-Match failed", &error))?;
    let shown = document(answer, &want).await?;
    ensure!(
        text(&shown, "/title") == "Guide",
        "get under If-None-Match shows an old state: {shown}"
    );
    Ok(())
}

/// An answer that shows what follows from other resources is never 304: it can be new while the version is old.
pub(super) async fn derived_attributes_are_never_out_of_date<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let user = kit.create(User::new("bjensen")).await?;
    let id = user.resource.id.as_str();
    let mut group = Group::new("Tour Guides");
    group.members = vec![Member::new(id)].into();
    let group = kit.create(group).await?;
    let operations = json!([{"op": "replace", "path": "displayName", "value": "Babs"}]);
    let want = Projection::default_of(User::RESOURCE_TYPE);
    let known = Precondition::IfNoneMatch(vec![kit.state::<User>(id).await?.version]);
    let answer = kit.get::<User>(id, &want, &known).await;
    let answer = answer.map_err(|error| Violation::of("get under If-None-Match failed", &error))?;
    let shown = match answer {
        Answer::NotModified(_) => {
            return Err(Violation::new(
                "get answered 304 to a client that does not know yet that the user is in a group",
            ));
        }
        answer => document(answer, &want).await?,
    };
    ensure!(
        text(&shown, "/groups/0/value") == group.resource.id.as_str(),
        "get does not show a new group: {shown}"
    );
    kit.patched::<User>(id, &operations).await?;
    let want = Projection::default_of(Group::RESOURCE_TYPE);
    let group_id = group.resource.id.as_str();
    let known = Precondition::IfNoneMatch(vec![kit.state::<Group>(group_id).await?.version]);
    let answer = kit.get::<Group>(group_id, &want, &known).await;
    let answer = answer.map_err(|error| Violation::of("get under If-None-Match failed", &error))?;
    match answer {
        Answer::NotModified(_) => Err(Violation::new(
            "get answered 304 to a client that does not know yet the new name of a member",
        )),
        answer => {
            let shown = document(answer, &want).await?;
            ensure!(
                text(&shown, "/members/0/display") == "Babs",
                "get shows an old name of a member: {shown}"
            );
            Ok(())
        }
    }
}
