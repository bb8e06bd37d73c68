//! Creation, identifiers, uniqueness.

use std::sync::Arc;

use super::{Outcome, Subject, Violation, at_once, ensure, is_refused};
use crate::ScimType;
use crate::resources::{Email, EnterpriseUser, Group, Manager, Name, Password, User};
use crate::store::Precondition;
use crate::testkit::Kit;
use crate::testkit::kit::text;
use crate::value::{ExternalId, Reference};

/// A person of whom much is known.
fn somebody(user_name: &str) -> User {
    let mut user = User {
        external_id: Some(ExternalId::new("701984")),
        name: Some(Name {
            given_name: Some("Barbara".to_owned()),
            family_name: Some("Jensen".to_owned()),
            ..Name::default()
        }),
        active: Some(false),
        emails: vec![
            Email::new("bjensen@example.com").with_kind("work").primary(),
            Email::new("babs@jensen.org").with_kind("home"),
        ],
        ..User::new(user_name)
    };
    user.extensions.enterprise = Some(EnterpriseUser {
        department: Some("Tour \"Operations\" \u{1f30d}".to_owned()),
        manager: Some(Manager {
            value: Some("26118915".to_owned()),
            ..Manager::default()
        }),
        ..EnterpriseUser::default()
    });
    user
}

/// RFC 7644 section 3.3: what was created is what is kept; the service adds `id` and `meta` (RFC 7643 section 3.1).
pub(super) async fn created_resources_are_loaded_whole<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let sent = somebody("bjensen");
    let created = kit.create(sent.clone()).await?;
    let id = created.resource.id.to_string();
    let meta = &created.resource.meta;
    ensure!(!id.is_empty(), "create gave no id");
    ensure!(
        meta.resource_type.as_deref() == Some("User"),
        "create set meta.resourceType to {:?}",
        meta.resource_type
    );
    ensure!(
        meta.created.is_some() && meta.created == meta.last_modified,
        "create set the times {:?} and {:?}",
        meta.created,
        meta.last_modified
    );
    ensure!(
        meta.location == Some(Reference::resource("Users", &id)),
        "create set meta.location to {:?}",
        meta.location
    );
    let tag = created.version.entity_tag();
    ensure!(
        meta.version.as_ref() == Some(&tag),
        "meta.version is {:?}, but the version is {tag}",
        meta.version
    );
    let mut bare = created.resource.clone();
    (bare.id, bare.meta) = (sent.id.clone(), sent.meta.clone());
    ensure!(bare == sent, "create kept {bare:?} of {sent:?}");
    let shown = kit.shown::<User>(&id).await?;
    let department = text(
        &shown,
        "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department",
    );
    ensure!(
        department == "Tour \"Operations\" \u{1f30d}",
        "get shows the department {department:?}"
    );
    let location = text(&shown, "/meta/location");
    ensure!(
        location == format!("https://example.com/v2/Users/{id}"),
        "get shows meta.location {location:?}"
    );
    ensure!(
        text(&shown, "/meta/version") == tag,
        "get shows another version than create: {shown}"
    );
    ensure!(
        kit.load::<User>("nobody").await?.is_none(),
        "get found a resource that does not exist"
    );
    ensure!(
        kit.load::<Group>(&id).await?.is_none(),
        "get found a user among the groups"
    );
    Ok(())
}

/// RFC 7643 section 3.1: the service gives the id; a client's is ignored. A store that takes it lets a POST overwrite
/// a resource.
pub(super) async fn ids_are_made_by_the_store<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let first = kit.create(User::new("a")).await?;
    let mut second = User::new("b");
    second.id = first.resource.id.clone();
    let second = kit.create(second).await?;
    ensure!(
        second.resource.id != first.resource.id,
        "create took the id that the client sent"
    );
    let kept = kit.state::<User>(first.resource.id.as_str()).await?;
    ensure!(
        kept.resource.user_name == "a",
        "a create with the id of another resource has overwritten it"
    );
    let mut ids = Vec::new();
    for n in 0..50 {
        ids.push(
            kit.create(Group::new(format!("g{n}")))
                .await?
                .resource
                .id
                .to_string(),
        );
    }
    ensure!(
        !ids.iter()
            .any(|id| id.is_empty() || id.to_ascii_lowercase().contains("bulkid")),
        "an id is empty or contains bulkId: {ids:?}"
    );
    ids.sort();
    ids.dedup();
    ensure!(ids.len() == 50, "create gave an id twice");
    Ok(())
}

/// RFC 7643 section 3.1: an id is never reassigned; who still holds it must not find somebody else.
pub(super) async fn ids_are_never_given_again<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let mut dead: Vec<String> = Vec::new();
    for _ in 0..20 {
        let created = kit.post(User::new("bjensen")).await;
        let created = created.map_err(|error| Violation::of("create refused a resource", &error))?;
        let id = created.id;
        ensure!(
            !dead.contains(&id),
            "create gave the id {id}, which a deleted resource had"
        );
        kit.deleted::<User>(&id).await?;
        dead.push(id);
    }
    Ok(())
}

/// RFC 7643 section 4.1.1: userName is unique, and case is no difference.
pub(super) async fn user_names_are_unique_whatever_their_case<S: Subject>(store: Arc<S>) -> Outcome {
    unique(&Kit::new(store), "bjensen@example.com", "BJensen@Example.COM").await
}

/// RFC 8265 section 3.3: a name typed in full-width letters is the same name.
pub(super) async fn user_names_are_unique_whatever_their_width<S: Subject>(store: Arc<S>) -> Outcome {
    unique(&Kit::new(store), "bob", "ＢＯＢ").await
}

async fn unique<S: Subject>(kit: &Kit<S>, name: &str, same: &str) -> Outcome {
    let what = |how: &str| format!("{how} of the userName {same:?} beside {name:?}");
    let taken = Some(ScimType::Uniqueness);
    kit.create(User::new(name)).await?;
    is_refused(kit.try_create(User::new(same)).await, 409, taken, &what("create"))?;
    let other = kit.create(User::new("other")).await?;
    let id = other.resource.id.as_str();
    let renamed = User {
        user_name: same.to_owned(),
        ..other.resource.clone()
    };
    is_refused(
        kit.replace(id, renamed, &Precondition::None).await,
        409,
        taken,
        &what("replace"),
    )?;
    let operations = serde_json::json!([{"op": "replace", "path": "userName", "value": same}]);
    is_refused(
        kit.try_patch::<User>(id, &operations).await,
        409,
        taken,
        &what("patch"),
    )?;
    let kept = kit.state::<User>(id).await?;
    ensure!(
        kept == other,
        "a refused write has changed the resource to {kept:?}"
    );
    let elsewhere = kit.of("globex").try_create(User::new(same)).await;
    elsewhere.map_err(|error| Violation::of("a userName of one tenant was refused in another", &error))?;
    Ok(())
}

/// RFC 7643 section 7: what nobody has any more, anybody can have. One's own name can be written again.
pub(super) async fn user_names_are_free_once_given_up<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let first = kit.create(User::new("anna")).await?;
    let id = first.resource.id.as_str();
    kit.replaced(
        id,
        User {
            user_name: "ANNA".to_owned(),
            ..first.resource.clone()
        },
    )
    .await?;
    kit.replaced(
        id,
        User {
            user_name: "berta".to_owned(),
            ..first.resource.clone()
        },
    )
    .await?;
    let second = kit.try_create(User::new("anna")).await;
    second.map_err(|error| Violation::of("a userName that was given up is still taken", &error))?;
    is_refused(
        kit.try_create(User::new("berta")).await,
        409,
        Some(ScimType::Uniqueness),
        "create of a userName that another has taken by a replace",
    )
}

/// RFC 7644 section 3.3: uniqueness holds in a race, too. A check before the write and outside its transaction fails
/// here.
pub(super) async fn of_concurrent_creates_one_wins<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    for round in 0..5 {
        let create = |n: usize| {
            let kit = kit.clone();
            let name = if n.is_multiple_of(2) {
                format!("race{round}")
            } else {
                format!("RACE{round}")
            };
            async move { kit.try_create(User::new(name)).await }
        };
        let mut winners = 0;
        for result in at_once((0..20).map(create)).await? {
            match result {
                Ok(_) => winners += 1,
                refused => is_refused(
                    refused,
                    409,
                    Some(ScimType::Uniqueness),
                    "a create that lost the race",
                )?,
            }
        }
        ensure!(
            winners == 1,
            "of 20 concurrent creates of one userName {winners} succeeded"
        );
    }
    let kept = kit.list(&crate::store::Query::<User>::all(100)).await?;
    ensure!(
        kept.total == 5 && kept.resources.len() == 5,
        "5 creates succeeded, but {} resources are listed",
        kept.total
    );
    Ok(())
}

/// RFC 7643 section 4.1.1: a password is never returned. What hands it on keeps it; a store does not.
pub(super) async fn passwords_are_not_kept<S: Subject>(store: Arc<S>) -> Outcome {
    let kit = Kit::new(store);
    let mut user = User::new("bjensen");
    user.password = Some(Password::new("t1meMa$heen"));
    let created = kit.create(user.clone()).await?;
    let id = created.resource.id.as_str();
    let replaced = kit.replaced(id, user).await?;
    let loaded = kit.state::<User>(id).await?;
    for (how, resource) in [("create", &created), ("replace", &replaced), ("get", &loaded)] {
        ensure!(
            resource.resource.password.is_none(),
            "{how} has kept the password"
        );
    }
    let shown = kit.shown::<User>(id).await?;
    ensure!(
        !shown.to_string().contains("t1meMa"),
        "get shows the password: {shown}"
    );
    Ok(())
}
