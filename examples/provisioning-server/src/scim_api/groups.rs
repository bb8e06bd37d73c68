//! The rows that the product keeps beside each group: its own, the role that mirrors it, and the mappings that go with it.

use jiff::Timestamp;
use scim::resources::Group;
use scim::store::database::Transaction;
use scim::store::documents::row_of;
use scim::store::{Cause, Event, Transition};
use scim::{Error, Result};
use uuid::Uuid;

use super::rules::OfOrganization;
use crate::database::effective::Members;
use crate::database::{groups, losses, mappings, roles};
use crate::domain::group::ProvisionedGroup;
use crate::domain::mass_change::{Loss, LossKind};
use crate::domain::naming;
use crate::domain::organization::Organization;
use crate::domain::role::RoleId;
use crate::domain::settings::{Groups, Switch};

/// Follows a change of a group, in the transaction that makes it.
pub(super) fn follow<C: OfOrganization>(tx: &Transaction<'_>, cx: &C, event: &Event<Group>) -> Result<()> {
    let organization = cx.organization();
    match &event.transition {
        Transition::Created { after } => create(tx, organization, &event.id, after),
        Transition::Changed { before, after } => {
            lose_members(tx, organization, event)?;
            change(tx, organization, event, before.as_ref(), after.as_ref())
        }
        Transition::Deleted { .. } => delete(tx, organization, event),
    }
}

fn create(tx: &Transaction<'_>, organization: &Organization, id: &str, group: &Group) -> Result<()> {
    check_name(tx, organization, id, &group.display_name)?;
    let row = row_of::<Group>(tx, &organization.id.to_string(), id)?;
    let row = row.ok_or_else(|| Error::internal("a group that was just created has no row"))?;
    let provisioned = ProvisionedGroup::of(row, id, group, Timestamp::now());
    roles::insert_group(tx, organization.id, &provisioned)
}

fn change(
    tx: &Transaction<'_>,
    organization: &Organization,
    event: &Event<Group>,
    before: Option<&Group>,
    after: Option<&Group>,
) -> Result<()> {
    // Only members have changed where the state does not fit the struct.
    let Some(after) = after else { return Ok(()) };
    let known = |group: &Group| (group.display_name.clone(), external_id(group));
    if before.map(known) == Some(known(after)) {
        return Ok(());
    }
    if before.is_none_or(|before| naming::key(&before.display_name) != naming::key(&after.display_name)) {
        check_name(tx, organization, &event.id, &after.display_name)?;
    }
    let external_id = external_id(after);
    groups::update(
        tx,
        organization.id,
        &event.id,
        &after.display_name,
        external_id.as_deref(),
    )
}

fn delete(tx: &Transaction<'_>, organization: &Organization, event: &Event<Group>) -> Result<()> {
    let Some(group) = groups::by_id(tx, organization.id, &event.id)? else {
        return Ok(());
    };
    let members = event.edges.iter().map(|edges| edges.removed).sum();
    lose_members(tx, organization, event)?;
    mappings::lose(tx, organization.id, &group, members, Timestamp::now())?;
    if let Some(role) = roles::mirroring(tx, organization.id, group.row)? {
        roles::remove(tx, organization.id, role.id)?;
    }
    groups::remove(tx, organization.id, group.row)
}

/// Notes which people have lost a role because they are in a group no more, or because there is none.
fn lose_members(tx: &Transaction<'_>, organization: &Organization, event: &Event<Group>) -> Result<()> {
    let Some(removed) = event.edges.iter().find(|edges| edges.removed > 0) else {
        return Ok(());
    };
    // Whoever is deleted is counted as such.
    if event.cause != Cause::Write {
        return Ok(());
    }
    let Some(group) = groups::by_id(tx, organization.id, &event.id)? else {
        return Ok(());
    };
    let given = given_by(tx, organization, group.row)?;
    if given.is_empty() {
        return Ok(());
    }
    let cause = match &event.transition {
        Transition::Deleted { .. } => format!("the group {:?} was deleted", group.name),
        _ => format!("people were taken out of the group {:?}", group.name),
    };
    let loss = |account: Option<Uuid>, people: u64| Loss {
        time: Timestamp::now(),
        kind: LossKind::RoleLoss,
        cause: cause.clone(),
        account,
        people,
    };
    let members = Members::of(tx, organization)?;
    let listed = removed.removed_ids.iter().take(losses::MOST_LISTED);
    let looked_at = u64::try_from(listed.len()).unwrap_or(u64::MAX);
    for id in listed {
        if let Some(account) = members.has_lost(tx, id, &given)? {
            losses::insert(tx, organization.id, &loss(Some(account), 1))?;
        }
    }
    match removed.removed.saturating_sub(looked_at) {
        0 => Ok(()),
        others => losses::insert(tx, organization.id, &loss(None, others)),
    }
}

/// Returns the roles that members of a group have by it.
fn given_by(tx: &Transaction<'_>, organization: &Organization, group: i64) -> Result<Vec<RoleId>> {
    match organization.settings.groups {
        Groups::Map => {
            let mapped = mappings::roles_of(tx, organization.id, group)?;
            Ok(mapped.into_iter().map(RoleId).collect())
        }
        Groups::Mirror => {
            let role = roles::mirroring(tx, organization.id, group)?;
            let gives = role.filter(|role| !role.permissions.is_empty());
            Ok(gives.map(|role| role.id).into_iter().collect())
        }
    }
}

fn external_id(group: &Group) -> Option<String> {
    group.external_id.as_ref().map(|id| id.as_str().to_owned())
}

/// Refuses a name that is taken where the names of groups must be unique.
fn check_name(tx: &Transaction<'_>, organization: &Organization, id: &str, name: &str) -> Result<()> {
    let must_differ = organization.settings.unique_group_names == Switch::On;
    if !must_differ || !groups::is_taken(tx, organization.id, name, id)? {
        return Ok(());
    }
    Err(Error::uniqueness(format!(
        "is taken: the organization has a group {name:?} already, and its groups have different names"
    ))
    .at("displayName"))
}
