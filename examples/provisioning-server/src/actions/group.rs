//! The groups of the identity provider, as they can be mapped.

use super::act::{View, look};
use super::mapping::find_group;
use crate::database::accounts::Named;
use crate::database::effective::Members;
use crate::database::page::Page;
use crate::database::{Product, Stop, groups, mappings, roles};
use crate::domain::actor::{Action, Actor};
use crate::domain::fault::Result;
use crate::domain::group::ProvisionedGroup;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;
use crate::domain::role::{Role, RoleId};
use crate::domain::settings::Groups;

/// Shows groups.
pub(crate) static LIST: Action = Action {
    name: "group.list",
    permission: Permission::GROUPS_READ,
    fresh: false,
};

/// Which groups a list shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    pub(crate) page: Page<i64>,
    /// Only those that are mapped to no role.
    pub(crate) unmapped: bool,
}

/// A group with what its members have by it, and the first of them.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    pub(crate) group: ProvisionedGroup,
    /// The roles that it is mapped to, or the one that mirrors it.
    pub(crate) roles: Vec<Role>,
    pub(crate) members: u64,
    pub(crate) first: Vec<Named>,
}

/// Returns groups in the order of their names.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    shown: Shown,
) -> Result<Vec<ProvisionedGroup>> {
    look(product, actor, &LIST, organization, move |view| {
        let (reader, organization) = (view.reader, view.organization.id);
        Ok(match shown.unmapped {
            true => groups::list_unmapped(reader, organization, &shown.page)?,
            false => groups::list(reader, organization, &shown.page)?,
        })
    })
    .await
}

/// Returns one group, and the `most` members who were provisioned first.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
    most: u32,
) -> Result<Detail> {
    let group = group.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        let group = find_group(view, &group)?;
        let members = Members::of(view.reader, view.organization)?;
        Ok(Detail {
            roles: roles_of(view, group.row)?,
            members: members.count_in(view.reader, group.row)?,
            first: members.first_in(view.reader, group.row, most)?,
            group,
        })
    })
    .await
}

/// The roles that members of a group have by it.
fn roles_of(view: &View<'_>, group: i64) -> Result<Vec<Role>, Stop> {
    let organization = view.organization.id;
    if view.organization.settings.groups == Groups::Mirror {
        return Ok(roles::mirroring(view.reader, organization, group)?
            .into_iter()
            .collect());
    }
    let mut found = Vec::new();
    for id in mappings::roles_of(view.reader, organization, group)? {
        found.extend(roles::by_id(view.reader, organization, RoleId(id))?);
    }
    Ok(found)
}
