//! Alerts about many losses at once, and mappings that have gone with a group that was deleted.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use scim::store::database::Transaction;
use serde_json::json;
use uuid::Uuid;

use super::act::{Subject, View, carry_out, look};
use super::mapping::{self, Preview};
use super::telling;
use crate::database::losses::Raised;
use crate::database::mappings::Lost;
use crate::database::{Product, Stop, audit, event, groups, losses, mappings, organizations, roles};
use crate::domain::actor::{Action, Actor};
use crate::domain::audit::{ActorKind, AuditRow};
use crate::domain::clock::earlier;
use crate::domain::event::{EventKind, EventRow};
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::group::ProvisionedGroup;
use crate::domain::keyword::Keyword;
use crate::domain::mail::Content;
use crate::domain::mass_change::{Alert, Likeness, LossKind, LostGroup, Successor, WINDOW};
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permission;
use crate::domain::role::RoleId;

/// Shows alerts.
pub(crate) static LIST: Action = Action {
    name: "alert.list",
    permission: Permission::USERS_READ,
    fresh: false,
};

/// Notes that alerts were seen.
pub(crate) static SEE: Action = Action {
    name: "alert.see",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// The most alerts that are shown.
const SHOWN: u32 = 100;
/// For how long losses are kept, so that an administrator can look at them.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Losses that one transaction forgets.
const STEP: u32 = 1_000;

/// A group that was deleted while it was mapped, and the group that has come in its place.
#[derive(Debug, Clone)]
pub(crate) struct Restorable {
    pub(crate) lost: LostGroup,
    /// The names of the roles that there still are.
    pub(crate) roles: Vec<String>,
    pub(crate) successor: Option<(ProvisionedGroup, Likeness)>,
}

/// Returns the last alerts, the newest first.
pub(crate) async fn list(product: &Product, actor: &Actor, organization: &Name) -> Result<Vec<Raised>> {
    look(product, actor, &LIST, organization, |view| {
        Ok(losses::alerts(view.reader, view.organization.id, SHOWN)?)
    })
    .await
}

/// Notes that all alerts were seen. Answers with how many were not before.
pub(crate) async fn see_all(product: &Product, actor: &Actor, organization: &Name) -> Result<u64> {
    carry_out(product, actor, &SEE, organization, |act| {
        let seen = losses::see_all(act.tx, act.organization.id, act.now)?;
        if seen > 0 {
            let id = act.organization.id.to_string();
            let subject = Subject {
                kind: "organization",
                id: id.as_str().into(),
                name: act.organization.name.as_str(),
            };
            act.audit(&subject, json!({ "alerts": seen }))?;
        }
        Ok(seen)
    })
    .await
}

/// Raises what alerts there are, and forgets old losses. Answers with how many alerts were raised. It is the server's own
/// work, and nobody is asked.
///
/// # Errors
/// The database fails.
pub(crate) async fn watch(product: &Product, now: Timestamp) -> Result<usize> {
    let hour = earlier(now, WINDOW);
    let losing = product
        .read(move |reader| losses::organizations_since(reader, hour))
        .await?;
    let mut raised = 0;
    for organization in losing {
        raised += product
            .transact(move |tx| check(tx, organization, hour, now))
            .await?;
    }
    let old = earlier(now, KEPT);
    while product
        .write(move |tx| Ok(Ok(losses::forget(tx, old, STEP)?)))
        .await?
        > 0
    {}
    Ok(raised)
}

fn check(tx: &Transaction<'_>, id: Uuid, hour: Timestamp, now: Timestamp) -> Result<usize, Stop> {
    let Some(organization) = organizations::by_id(tx, id)? else {
        return Ok(0);
    };
    let recent = losses::since(tx, id, hour)?;
    let settings = &organization.settings;
    let mut raised = 0;
    for (kind, threshold) in [
        (LossKind::Deactivation, settings.mass_deactivations),
        (LossKind::RoleLoss, settings.mass_role_losses),
    ] {
        let last = losses::last_raised(tx, id, kind)?;
        if let Some(alert) = Alert::check(kind, &recent, threshold.get(), last, now) {
            raise(tx, &organization, &alert, now)?;
            let told = Content::MassChange {
                loss: kind,
                sentence: alert.sentence(),
            };
            telling::tell(tx, &organization, &Permission::INTEGRATIONS_WRITE, &told, now)?;
            raised += 1;
        }
    }
    Ok(raised)
}

fn raise(
    tx: &Transaction<'_>,
    organization: &Organization,
    alert: &Alert,
    now: Timestamp,
) -> scim::Result<()> {
    losses::raise(tx, organization.id, alert, now)?;
    let sentence = alert.sentence();
    tracing::warn!(organization = organization.name.as_str(), "{sentence}");
    let row = AuditRow {
        organization: organization.id,
        time: now,
        actor_kind: ActorKind::Server,
        actor: "guard on mass changes".to_owned(),
        action: "alert.raise".into(),
        subject_type: "organization".into(),
        subject: organization.id.to_string(),
        subject_name: organization.name.to_string(),
        detail: json!({ "kind": alert.kind.word(), "people": alert.people, "sentence": sentence }),
        address: None,
        request_id: None,
    };
    audit::insert(tx, &row)?;
    let told = EventRow {
        kind: EventKind::AlertRaised,
        subject_type: "organization".into(),
        subject: organization.id.to_string(),
        people: alert.people,
        data: json!({ "kind": alert.kind.word(), "sentence": sentence }),
    };
    event::insert(tx, organization.id, now, [told])
}

/// Returns the groups that were deleted while they were mapped.
pub(crate) async fn lost_mappings(
    product: &Product,
    actor: &Actor,
    organization: &Name,
) -> Result<Vec<Restorable>> {
    look(product, actor, &mapping::LIST, organization, |view| {
        let lost = gather(mappings::lost(view.reader, view.organization.id)?);
        lost.into_iter().map(|lost| restorable(view, lost)).collect()
    })
    .await
}

/// Returns what it would do to give the roles of a deleted group to the group `to`, or to the one that has come in its
/// place.
pub(crate) async fn preview_restore(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    lost: &str,
    to: Option<&str>,
) -> Result<Preview> {
    let (group, after) = restoration(product, actor, organization, lost, to).await?;
    mapping::preview(product, actor, organization, &group, after).await
}

/// Gives the roles of a deleted group to the group `to`, or to the one that has come in its place.
pub(crate) async fn restore(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    lost: &str,
    to: Option<&str>,
) -> Result<Preview> {
    let (group, after) = restoration(product, actor, organization, lost, to).await?;
    mapping::set(product, actor, organization, &group, after).await
}

/// Returns the group that gets the roles, and all roles that it has then.
async fn restoration(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    lost: &str,
    to: Option<&str>,
) -> Result<(String, Vec<String>)> {
    let (lost, to) = (lost.to_owned(), to.map(str::to_owned));
    look(product, actor, &mapping::LIST, organization, move |view| {
        let found = find(view, &lost)?;
        let group = match (&to, restorable(view, found.clone())?.successor) {
            (Some(to), _) => mapping::find_group(view, to)?,
            (None, Some((group, _))) => group,
            (None, None) => {
                return Err(Fault::conflict(format!(
                    "No group has come in place of {:?} yet, or several could have",
                    found.name
                ))
                .mended_by(Remedy {
                    page: "wait until the identity provider pushes it again, or map the group that is meant by hand.",
                    command: "wait until the identity provider pushes it again, or name one with --to.",
                })
                .into());
            }
        };
        let present = mappings::roles_of(view.reader, view.organization.id, group.row)?;
        let all: BTreeSet<RoleId> = present.into_iter().map(RoleId).chain(found.roles).collect();
        let names = all.into_iter().map(|role| role.to_string()).collect();
        Ok((group.id, names))
    })
    .await
}

fn find(view: &View<'_>, text: &str) -> Result<LostGroup, Stop> {
    let lost = gather(mappings::lost(view.reader, view.organization.id)?);
    let mut named: Vec<_> = lost
        .into_iter()
        .filter(|lost| lost.id == text || lost.name == text)
        .collect();
    match (named.pop(), named.is_empty()) {
        (Some(lost), true) => Ok(lost),
        (Some(lost), false) => Err(Fault::conflict(format!(
            "Several deleted groups were called {text:?}: name one by its id, such as {}.",
            lost.id
        ))
        .into()),
        (None, _) => Err(
            Fault::not_found(format!("No group {text:?} was deleted while it was mapped"))
                .mended_by(Remedy {
                    page: "the page of mappings lists those that were.",
                    command: "\"mapping lost\" shows those that were.",
                })
                .into(),
        ),
    }
}

/// Joins the rows of each group.
fn gather(rows: Vec<Lost>) -> Vec<LostGroup> {
    let mut groups: Vec<LostGroup> = Vec::new();
    for row in rows {
        match groups.last_mut().filter(|last| last.id == row.group) {
            Some(group) => {
                group.roles.insert(row.role);
            }
            None => groups.push(LostGroup {
                id: row.group,
                name: row.name,
                external_id: row.external_id,
                roles: BTreeSet::from([row.role]),
                members: row.members,
                lost: row.lost,
            }),
        }
    }
    groups
}

fn restorable(view: &View<'_>, lost: LostGroup) -> Result<Restorable, Stop> {
    let (reader, organization) = (view.reader, view.organization.id);
    let mut names = Vec::new();
    for role in &lost.roles {
        names.extend(roles::by_id(reader, organization, *role)?.map(|role| role.name));
    }
    let mut alike = groups::by_name(reader, organization, &lost.name)?;
    alike.extend(groups::by_id(reader, organization, &lost.id)?);
    if let Some(external_id) = &lost.external_id {
        alike.extend(groups::by_external_id(reader, organization, external_id)?);
    }
    alike.sort_by_key(|group| group.row);
    alike.dedup_by_key(|group| group.row);
    let candidates: Vec<_> = alike.iter().map(successor).collect();
    let successor = lost.successor(&candidates);
    let successor = successor.and_then(|(row, likeness)| {
        let group = alike.iter().find(|group| group.row == row)?;
        Some((group.clone(), likeness))
    });
    Ok(Restorable {
        roles: names,
        successor,
        lost,
    })
}

fn successor(group: &ProvisionedGroup) -> Successor<'_> {
    Successor {
        row: group.row,
        id: &group.id,
        name: &group.name,
        external_id: group.external_id.as_deref(),
    }
}
