//! Roles: what they permit, and what becomes of people when one changes.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::act::{Act, Subject, View, carry_out, look};
use super::event_row;
use super::people::synchronised;
use crate::database::accounts::Named;
use crate::database::effective::Members;
use crate::database::page::Page;
use crate::database::{Product, Stop, grants, groups, mappings, roles};
use crate::domain::actor::{Action, Actor};
use crate::domain::escalation::Needs;
use crate::domain::event::EventKind;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::group::ProvisionedGroup;
use crate::domain::organization::Name;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::{self, Draft, Role, RoleId};
use crate::domain::settings::Groups;

/// Shows roles.
pub(crate) static LIST: Action = Action {
    name: "role.list",
    permission: Permission::ROLES_READ,
    fresh: false,
};

/// Makes a role.
pub(crate) static CREATE: Action = Action {
    name: "role.create",
    permission: Permission::ROLES_WRITE,
    fresh: false,
};

/// Changes the name, the description or the permissions of a role.
pub(crate) static CHANGE: Action = Action {
    name: "role.change",
    permission: Permission::ROLES_WRITE,
    fresh: false,
};

/// Removes a role, with its mappings and grants.
pub(crate) static DELETE: Action = Action {
    name: "role.delete",
    permission: Permission::ROLES_WRITE,
    fresh: false,
};

/// The most people that are named when a role would be taken from them.
const NAMED: u32 = 20;

/// A role and the number of people who have it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) role: Role,
    pub(crate) people: u64,
}

/// The people who would lose a role: the first of them, and how many they are.
#[derive(Debug, Clone)]
pub(crate) struct Losing {
    pub(crate) role: Role,
    pub(crate) people: u64,
    pub(crate) first: Vec<Named>,
}

/// The changes that are asked for of a role; whatever is `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    /// In place of those it has.
    pub(crate) permissions: Option<Permissions>,
    pub(crate) allow: Permissions,
    pub(crate) deny: Permissions,
}

impl Changes {
    /// Returns whether nothing is to change.
    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.description.is_none()
            && self.permissions.is_none()
            && self.allow.is_empty()
            && self.deny.is_empty()
    }

    fn apply(&self, before: &Role) -> Result<Role> {
        let mut after = before.clone();
        if let Some(name) = &self.name {
            before.demand_own()?;
            after.name = role::name(name)?;
        }
        if let Some(description) = &self.description {
            after.description = role::description(description)?;
        }
        if let Some(permissions) = &self.permissions {
            after.permissions = permissions.clone();
        }
        after.permissions.extend(self.allow.iter().cloned());
        for permission in self.deny.iter() {
            after.permissions.remove(permission);
        }
        Ok(after)
    }
}

/// Returns the roles of an organization: its own, and those that mirror groups where it mirrors them.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    page: Page<i64>,
) -> Result<Vec<Role>> {
    look(product, actor, &LIST, organization, move |view| {
        let mut found = roles::list(view.reader, view.organization.id)?;
        if view.organization.settings.groups == Groups::Mirror {
            found.extend(roles::list_mirrored(view.reader, view.organization.id, &page)?);
        }
        Ok(found)
    })
    .await
}

/// The most people of one role of a list that are counted.
pub(crate) const COUNTED_OF_LIST: u32 = 1_000;

/// The most people of a role that are counted.
pub(crate) const COUNTED: u32 = 10_000;

/// The most groups that are named as ways to a role.
const WAYS: u32 = 50;

/// A page of a list of roles.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The number of people goes up to [`COUNTED_OF_LIST`].
    pub(crate) roles: Vec<Shown>,
    /// Whether other roles that mirror groups follow.
    pub(crate) has_more: bool,
    /// Whether groups become roles.
    pub(crate) is_mirrored: bool,
    /// When the identity provider came last.
    pub(crate) synchronised: Option<Timestamp>,
}

/// Returns the roles that administrators have made, before the first page, and a page of those that mirror groups.
pub(crate) async fn page(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    page: Page<i64>,
) -> Result<Listed> {
    look(product, actor, &LIST, organization, move |view| {
        let (reader, id) = (view.reader, view.organization.id);
        let members = Members::of(reader, view.organization)?;
        let is_mirrored = view.organization.settings.groups == Groups::Mirror;
        let mut mirrored = match is_mirrored {
            true => roles::list_mirrored(reader, id, &page.with_one_more())?,
            false => Vec::new(),
        };
        let has_more = page.cut(&mut mirrored);
        let own = match page.behind.is_none() && page.prefix.is_empty() {
            true => roles::list(reader, id)?,
            false => Vec::new(),
        };
        let shown = own.into_iter().chain(mirrored).map(|role| {
            let people = members.count_holding_up_to(reader, role.id, COUNTED_OF_LIST)?;
            Ok(Shown { role, people })
        });
        Ok(Listed {
            roles: shown.collect::<scim::Result<_>>()?,
            has_more,
            is_mirrored,
            synchronised: synchronised(view)?,
        })
    })
    .await
}

/// A role, who has it, and by which groups.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) role: Role,
    /// Up to [`COUNTED`].
    pub(crate) people: u64,
    /// The first of them, by name.
    pub(crate) first: Vec<Named>,
    /// The first groups of the identity provider that give it.
    pub(crate) groups: Vec<ProvisionedGroup>,
    /// When the identity provider came last.
    pub(crate) synchronised: Option<Timestamp>,
}

/// Returns one role, who has it, and by which groups.
pub(crate) async fn open(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    role: &str,
) -> Result<Opened> {
    let role = role.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        let (reader, id) = (view.reader, view.organization.id);
        let role = find(view, &role)?;
        let members = Members::of(reader, view.organization)?;
        let groups = match role.mirrors {
            Some(row) => groups::by_row(reader, id, row)?.into_iter().collect(),
            None => mappings::groups_of(reader, id, role.id, WAYS)?,
        };
        Ok(Opened {
            people: members.count_holding_up_to(reader, role.id, COUNTED)?,
            first: members.holding(reader, role.id, NAMED)?,
            groups,
            synchronised: synchronised(view)?,
            role,
        })
    })
    .await
}

/// The effect of a change of a role on the people who have it.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) before: Role,
    pub(crate) after: Role,
    /// How many have it, up to [`COUNTED`].
    pub(crate) people: u64,
    /// The permissions that they gain, unless they have them by another way.
    pub(crate) gained: Permissions,
    /// The permissions that they lose, unless they have them by another way.
    pub(crate) lost: Permissions,
}

/// Returns what a change of a role would do.
pub(crate) async fn preview_change(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    role: &str,
    changes: Changes,
) -> Result<Changed> {
    let role = role.to_owned();
    look(product, actor, &CHANGE, organization, move |view| {
        let before = find(view, &role)?;
        let after = changes.apply(&before)?;
        let members = Members::of(view.reader, view.organization)?;
        Ok(Changed {
            people: members.count_holding_up_to(view.reader, before.id, COUNTED)?,
            gained: before.permissions.lacking(&after.permissions),
            lost: after.permissions.lacking(&before.permissions),
            before,
            after,
        })
    })
    .await
}

/// Returns one role, and how many people have it.
pub(crate) async fn show(product: &Product, actor: &Actor, organization: &Name, role: &str) -> Result<Shown> {
    let role = role.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        let role = find(view, &role)?;
        let members = Members::of(view.reader, view.organization)?;
        let people = members.count_holding(view.reader, role.id)?;
        Ok(Shown { role, people })
    })
    .await
}

/// Makes a role.
pub(crate) async fn create(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    draft: Draft,
) -> Result<Role> {
    let id = RoleId(Uuid::now_v7());
    carry_out(product, actor, &CREATE, organization, move |act| {
        Needs::of(draft.permissions.clone()).demand(act.actor, "This role")?;
        let role = Role::new(
            id,
            Draft {
                name: role::name(&draft.name)?,
                description: role::description(&draft.description)?,
                permissions: draft.permissions.clone(),
            },
            act.now,
        );
        demand_free(act, &role)?;
        roles::insert(act.tx, act.organization.id, &role)?;
        told(act, EventKind::RoleCreated, &role, 0)?;
        Ok(role)
    })
    .await
}

/// Changes a role. Its people have the new permissions with the commit.
pub(crate) async fn change(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    role: &str,
    changes: Changes,
) -> Result<Shown> {
    actor.demand(&CHANGE)?;
    let people = show(product, actor, organization, role).await?.people;
    let role = role.to_owned();
    carry_out(product, actor, &CHANGE, organization, move |act| {
        let before = find(&act.view(), &role)?;
        let mut after = changes.apply(&before)?;
        let touched = before.permissions.clone().union(&after.permissions);
        Needs::of(touched).demand(act.actor, "A change of this role")?;
        if after != before {
            after.changed = act.now;
            demand_free(act, &after)?;
            roles::update(act.tx, act.organization.id, &after)?;
            told(act, EventKind::RoleChanged, &after, people)?;
        }
        Ok(Shown { role: after, people })
    })
    .await
}

/// Returns who would lose a role if it were deleted.
pub(crate) async fn preview_delete(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    role: &str,
) -> Result<Losing> {
    let role = role.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        let role = find(view, &role)?;
        let members = Members::of(view.reader, view.organization)?;
        Ok(Losing {
            people: members.count_holding(view.reader, role.id)?,
            first: members.holding(view.reader, role.id, NAMED)?,
            role,
        })
    })
    .await
}

/// Removes a role from everybody.
pub(crate) async fn delete(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    role: &str,
) -> Result<Losing> {
    actor.demand(&DELETE)?;
    let losing = preview_delete(product, actor, organization, role).await?;
    let id = losing.role.id;
    let people = losing.people;
    carry_out(product, actor, &DELETE, organization, move |act| {
        let role = roles::by_id(act.tx, act.organization.id, id)?;
        let role = role.ok_or_else(|| unknown(&id.to_string()))?;
        role.demand_own()?;
        Needs::of(role.permissions.clone()).demand(act.actor, "The deletion of this role")?;
        mappings::remove_role(act.tx, act.organization.id, id)?;
        grants::take_role_from_all(act.tx, act.organization.id, id)?;
        roles::remove(act.tx, act.organization.id, id)?;
        told(act, EventKind::RoleRemoved, &role, people)?;
        Ok(())
    })
    .await?;
    Ok(losing)
}

/// Finds a role by its name or id.
pub(super) fn find(view: &View<'_>, text: &str) -> Result<Role, Stop> {
    let organization = view.organization.id;
    let by_id = match Uuid::parse_str(text) {
        Ok(id) => roles::by_id(view.reader, organization, RoleId(id))?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(role) => Some(role),
        None => match roles::by_name(view.reader, organization, text)? {
            Some(own) => Some(own),
            None => mirrored(view, text)?,
        },
    };
    Ok(found.ok_or_else(|| unknown(text))?)
}

/// Returns the role that mirrors the only group of a name.
fn mirrored(view: &View<'_>, name: &str) -> Result<Option<Role>, Stop> {
    let organization = view.organization.id;
    if view.organization.settings.groups != Groups::Mirror {
        return Ok(None);
    }
    let mut named = Vec::new();
    for group in groups::by_name(view.reader, organization, name)? {
        named.extend(roles::mirroring(view.reader, organization, group.row)?);
    }
    if named.len() > 1 {
        let ids: Vec<_> = named.iter().map(|role| role.id.to_string()).collect();
        return Err(Fault::conflict(format!(
            "Several roles are called {name:?}: name one by its id, such as {}.",
            ids.join(" or ")
        ))
        .into());
    }
    Ok(named.pop())
}

fn unknown(role: &str) -> Fault {
    Fault::not_found(format!("The organization has no role {role:?}")).mended_by(Remedy {
        page: "the page User Roles lists those that it has.",
        command: "\"role list\" shows which it has.",
    })
}

/// Checks that no other role has the name.
fn demand_free(act: &Act<'_>, role: &Role) -> Result<(), Stop> {
    let named = roles::by_name(act.tx, act.organization.id, &role.name)?;
    if role.mirrors.is_some() || named.is_none_or(|named| named.id == role.id) {
        return Ok(());
    }
    Err(Fault::conflict(format!("The organization has a role {:?} already.", role.name)).into())
}

fn told(act: &Act<'_>, kind: EventKind, role: &Role, people: u64) -> scim::Result<()> {
    let id = role.id.to_string();
    let subject = Subject {
        kind: "role",
        id: id.as_str().into(),
        name: &role.name,
    };
    let detail = json!({
        "name": role.name,
        "description": role.description,
        "permissions": role.permissions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "people": people,
    });
    act.audit(&subject, detail)?;
    act.tell(event_row(kind, &subject, people, json!({ "name": role.name })))
}
