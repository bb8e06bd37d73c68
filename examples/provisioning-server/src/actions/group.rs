//! The groups of the identity provider, as they can be mapped.

use jiff::Timestamp;

use super::act::{View, look};
use super::mapping::find_group;
use super::people::synchronised;
use crate::database::accounts::Named;
use crate::database::effective::Members;
use crate::database::page::Page;
use crate::database::{Product, Stop, accounts, groups, held, local_groups, mappings, roles};
use crate::domain::account::Account;
use crate::domain::actor::{Action, Actor};
use crate::domain::fault::Result;
use crate::domain::group::ProvisionedGroup;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;
use crate::domain::role::{Role, RoleId};
use crate::domain::settings;

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

/// The most people of one group of a list that are counted.
pub(crate) const COUNTED_OF_LIST: u32 = 1_000;

/// The most people of a group that are counted.
pub(crate) const COUNTED: u32 = 10_000;

/// A group of a list, with the roles that its members have by it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) group: ProvisionedGroup,
    /// The names of the roles.
    pub(crate) roles: Vec<String>,
    /// Up to [`COUNTED_OF_LIST`].
    pub(crate) members: u64,
}

/// A page of a list of groups.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<Listed>,
    pub(crate) has_more: bool,
    pub(crate) totals: Totals,
}

/// How many groups there are, and how up to date those of the provider are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) provisioned: u64,
    pub(crate) local: u64,
    /// When the identity provider came last.
    pub(crate) synchronised: Option<Timestamp>,
}

impl Totals {
    pub(super) fn of(view: &View<'_>) -> scim::Result<Self> {
        let (reader, organization) = (view.reader, view.organization.id);
        Ok(Self {
            provisioned: groups::count(reader, organization)?,
            local: local_groups::count_all(reader, organization)?,
            synchronised: synchronised(view)?,
        })
    }
}

/// Returns a page of groups with their roles, in the order of their names.
pub(crate) async fn page(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    shown: Shown,
) -> Result<Groups> {
    look(product, actor, &LIST, organization, move |view| {
        let (reader, id) = (view.reader, view.organization.id);
        let members = Members::of(reader, view.organization)?;
        let page = shown.page.with_one_more();
        let mut found = match shown.unmapped {
            true => groups::list_unmapped(reader, id, &page)?,
            false => groups::list(reader, id, &page)?,
        };
        let has_more = shown.page.cut(&mut found);
        let rows: Vec<_> = found.iter().map(|group| group.row).collect();
        let mut roles = held::roles_of_groups(reader, &members, &rows)?;
        let listed = found.into_iter().map(|group| {
            Ok(Listed {
                roles: roles.remove(&group.row).unwrap_or_default(),
                members: members.count_in_up_to(reader, group.row, COUNTED_OF_LIST)?,
                group,
            })
        });
        Ok(Groups {
            groups: listed.collect::<Result<_, Stop>>()?,
            has_more,
            totals: Totals::of(view)?,
        })
    })
    .await
}

/// A group and a page of its people.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) group: ProvisionedGroup,
    pub(crate) roles: Vec<Role>,
    /// Up to [`COUNTED`].
    pub(crate) count: u64,
    /// In the order in which they were provisioned.
    pub(crate) members: Vec<Account>,
    pub(crate) has_more: bool,
    /// When the identity provider came last.
    pub(crate) synchronised: Option<Timestamp>,
}

/// Returns one group, and its people behind one of them.
pub(crate) async fn open(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
    behind: Option<i64>,
    size: u32,
) -> Result<Opened> {
    let group = group.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        let group = find_group(view, &group)?;
        let members = Members::of(view.reader, view.organization)?;
        let behind = behind.unwrap_or(i64::MIN);
        let page: Page<i64> = Page {
            size,
            ..Page::default()
        };
        let most = page.with_one_more().size;
        let mut found = accounts::in_group(view.reader, &members, group.row, behind, most)?;
        let has_more = page.cut(&mut found);
        Ok(Opened {
            roles: roles_of(view, group.row)?,
            count: members.count_in_up_to(view.reader, group.row, COUNTED)?,
            members: found,
            has_more,
            synchronised: synchronised(view)?,
            group,
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

/// Returns the roles that members of a group have by it.
fn roles_of(view: &View<'_>, group: i64) -> Result<Vec<Role>, Stop> {
    let organization = view.organization.id;
    if view.organization.settings.groups == settings::Groups::Mirror {
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
