//! Groups that are kept here: they hold roles, and take in people by hand.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::act::{Act, Subject, View, carry_out, look};
use super::group::Totals;
use super::people::synchronised;
use super::{account, event_row, role};
use crate::database::page::Page;
use crate::database::{Product, Stop, accounts, grants, held, local_groups, roles};
use crate::domain::account::Account;
use crate::domain::actor::{Action, Actor};
use crate::domain::escalation::Needs;
use crate::domain::event::EventKind;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::grant::{Holder, Origin, RoleGrant, demand_local_groups};
use crate::domain::local_group::LocalGroup;
use crate::domain::mapping::demand_role_to_give;
use crate::domain::naming;
use crate::domain::organization::Name;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::Role;

/// Shows the groups that are kept here.
pub(crate) static LIST: Action = Action {
    name: "local-group.list",
    permission: Permission::GROUPS_READ,
    fresh: false,
};

/// Makes a group.
pub(crate) static CREATE: Action = Action {
    name: "local-group.create",
    permission: Permission::GROUPS_WRITE,
    fresh: false,
};

/// Changes the name, the description or the roles of a group.
pub(crate) static CHANGE: Action = Action {
    name: "local-group.change",
    permission: Permission::GROUPS_WRITE,
    fresh: false,
};

/// Removes a group.
pub(crate) static DELETE: Action = Action {
    name: "local-group.delete",
    permission: Permission::GROUPS_WRITE,
    fresh: false,
};

/// Puts people into a group, and takes them out.
pub(crate) static ASSIGN: Action = Action {
    name: "local-group.assign",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// The most members that are named.
const NAMED: u32 = 1_000;

/// A group, its roles, and its first members.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    pub(crate) group: LocalGroup,
    pub(crate) roles: Vec<Role>,
    pub(crate) members: Vec<Account>,
}

/// The changes that are asked for of a group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    /// Roles to give, by name or id.
    pub(crate) allow: Vec<String>,
    /// Roles to take.
    pub(crate) deny: Vec<String>,
}

impl Changes {
    /// Returns a group with the name and the description that it is to have.
    fn described(&self, before: &LocalGroup) -> Result<LocalGroup> {
        let mut after = before.clone();
        if let Some(name) = &self.name {
            after.name = naming::name("a group", name)?;
        }
        if let Some(description) = &self.description {
            after.description = naming::description("a group", description)?;
        }
        Ok(after)
    }
}

/// Whether people are put into a group or taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assign {
    Join,
    Leave,
}

/// Returns all groups in the order of their names.
pub(crate) async fn list(product: &Product, actor: &Actor, organization: &Name) -> Result<Vec<Detail>> {
    look(product, actor, &LIST, organization, |view| {
        let found = local_groups::list(view.reader, view.organization.id)?;
        let details = found.into_iter().map(|group| detail(view, group, 0));
        Ok(details.collect::<scim::Result<_>>()?)
    })
    .await
}

/// A group of a list, with the names of the roles that it holds.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) group: LocalGroup,
    pub(crate) roles: Vec<String>,
    pub(crate) members: u64,
}

/// A page of a list of groups.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<Listed>,
    pub(crate) has_more: bool,
    pub(crate) totals: Totals,
}

/// Returns a page of groups with their roles, in the order of their names.
pub(crate) async fn page(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    page: Page<()>,
) -> Result<Groups> {
    look(product, actor, &LIST, organization, move |view| {
        let (reader, id) = (view.reader, view.organization.id);
        let mut found = local_groups::page(reader, id, &page.with_one_more())?;
        let has_more = page.cut(&mut found);
        let ids: Vec<_> = found.iter().map(|group| group.id).collect();
        let mut roles = held::roles_of_local_groups(reader, id, &ids)?;
        let listed = found.into_iter().map(|group| {
            Ok(Listed {
                roles: roles.remove(&group.id).unwrap_or_default(),
                members: local_groups::count(reader, id, group.id)?,
                group,
            })
        });
        Ok(Groups {
            groups: listed.collect::<scim::Result<_>>()?,
            has_more,
            totals: Totals::of(view)?,
        })
    })
    .await
}

/// A group and a page of its members.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) group: LocalGroup,
    pub(crate) roles: Vec<Role>,
    pub(crate) count: u64,
    pub(crate) members: Vec<Account>,
    pub(crate) has_more: bool,
    /// The roles that administrators have made: the group can hold them.
    pub(crate) choices: Vec<Role>,
    /// When the identity provider came last.
    pub(crate) synchronised: Option<Timestamp>,
}

/// Returns one group, and its members behind one of them.
pub(crate) async fn open(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
    behind: Option<Uuid>,
    size: u32,
) -> Result<Opened> {
    let group = group.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        let (reader, id) = (view.reader, view.organization.id);
        let group = find(view, &group)?;
        let page: Page<Uuid> = Page {
            size,
            ..Page::default()
        };
        let mut ids = local_groups::members(reader, id, group.id, behind, page.with_one_more().size)?;
        let has_more = page.cut(&mut ids);
        let mut members = Vec::new();
        for member in ids {
            members.extend(accounts::by_id(reader, id, member)?);
        }
        Ok(Opened {
            roles: roles_of(view, group.id)?,
            count: local_groups::count(reader, id, group.id)?,
            members,
            has_more,
            choices: roles::list(reader, id)?,
            synchronised: synchronised(view)?,
            group,
        })
    })
    .await
}

/// Returns one group.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
) -> Result<Detail> {
    let group = group.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        let group = find(view, &group)?;
        Ok(detail(view, group, NAMED)?)
    })
    .await
}

/// Makes a group.
pub(crate) async fn create(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    name: &str,
    description: &str,
) -> Result<Detail> {
    let id = Uuid::now_v7();
    let (name, description) = (name.to_owned(), description.to_owned());
    carry_out(product, actor, &CREATE, organization, move |act| {
        demand_local_groups(act.organization.settings.assignment)?;
        let group = LocalGroup {
            id,
            name: naming::name("a group", &name)?,
            description: naming::description("a group", &description)?,
            created: act.now,
        };
        demand_free(act, &group)?;
        local_groups::insert(act.tx, act.organization.id, &group)?;
        told(act, &group, 0, json!({ "created": true }))?;
        Ok(detail(&act.view(), group, NAMED)?)
    })
    .await
}

/// Changes the name, the description or the roles of a group. Its members have the roles with the commit.
pub(crate) async fn change(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
    changes: Changes,
) -> Result<Detail> {
    let group = group.to_owned();
    carry_out(product, actor, &CHANGE, organization, move |act| {
        let view = act.view();
        let before = find(&view, &group)?;
        let given = resolve(&view, &changes.allow)?;
        let taken = resolve(&view, &changes.deny)?;
        given.iter().try_for_each(demand_role_to_give)?;
        // Another name is a change of the whole group.
        let own = match changes.name {
            Some(_) => roles_of(&view, before.id)?,
            None => Vec::new(),
        };
        let touched = permissions_of(given.iter().chain(&taken).chain(&own));
        Needs::of(touched).demand(act.actor, "A change of this group")?;
        let group = changes.described(&before)?;
        if group != before {
            demand_free(act, &group)?;
            local_groups::update(act.tx, act.organization.id, &group)?;
        }
        let holder = Holder::LocalGroup(group.id);
        for role in &given {
            let grant = RoleGrant {
                holder,
                role: role.id,
                origin: Origin::Hand,
                created: act.now,
                by: act.actor.name(),
            };
            grants::give_role(act.tx, act.organization.id, &grant)?;
        }
        for role in &taken {
            grants::take_role(act.tx, act.organization.id, holder, role.id, Origin::Hand)?;
        }
        let people = local_groups::count(act.tx, act.organization.id, group.id)?;
        let names = |roles: &[Role]| roles.iter().map(|role| role.name.clone()).collect::<Vec<_>>();
        let mut said = json!({ "given": names(&given), "taken": names(&taken) });
        if let Some(said) = said.as_object_mut() {
            if group.name != before.name {
                said.insert("former_name".to_owned(), before.name.into());
            }
            if group.description != before.description {
                said.insert("description".to_owned(), group.description.clone().into());
            }
        }
        told(act, &group, people, said)?;
        Ok(detail(&act.view(), group, NAMED)?)
    })
    .await
}

/// Removes a group: its members lose the roles that they have by no other way.
pub(crate) async fn delete(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
) -> Result<Detail> {
    let group = group.to_owned();
    carry_out(product, actor, &DELETE, organization, move |act| {
        let view = act.view();
        let group = find(&view, &group)?;
        let gone = detail(&view, group.clone(), NAMED)?;
        Needs::of(permissions_of(&gone.roles)).demand(act.actor, "The deletion of this group")?;
        let people = local_groups::count(act.tx, act.organization.id, group.id)?;
        grants::take_roles(act.tx, act.organization.id, Holder::LocalGroup(group.id))?;
        local_groups::remove(act.tx, act.organization.id, group.id)?;
        told(act, &group, people, json!({ "removed": true }))?;
        Ok(gone)
    })
    .await
}

/// Puts people into a group, or takes them out.
pub(crate) async fn assign(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
    people: Vec<String>,
    how: Assign,
) -> Result<Detail> {
    let group = group.to_owned();
    carry_out(product, actor, &ASSIGN, organization, move |act| {
        let view = act.view();
        demand_local_groups(act.organization.settings.assignment)?;
        let group = find(&view, &group)?;
        let gives = permissions_of(&roles_of(&view, group.id)?);
        Needs::of(gives).demand(act.actor, "This assignment")?;
        for person in &people {
            let account = account::find_living(&view, person)?;
            let changed = match how {
                Assign::Join => {
                    local_groups::join(act.tx, act.organization.id, group.id, account.id, act.now)?
                }
                Assign::Leave => local_groups::leave(act.tx, act.organization.id, group.id, account.id)?,
            };
            if changed {
                told_person(act, &account, &group, how)?;
            }
        }
        Ok(detail(&act.view(), group, NAMED)?)
    })
    .await
}

fn detail(view: &View<'_>, group: LocalGroup, most: u32) -> scim::Result<Detail> {
    let (reader, organization) = (view.reader, view.organization.id);
    let mut members = Vec::new();
    for id in local_groups::members(reader, organization, group.id, None, most)? {
        members.extend(accounts::by_id(reader, organization, id)?);
    }
    Ok(Detail {
        roles: roles_of(view, group.id)?,
        members,
        group,
    })
}

fn roles_of(view: &View<'_>, group: Uuid) -> scim::Result<Vec<Role>> {
    let mut found = Vec::new();
    for grant in grants::roles_of(view.reader, view.organization.id, Holder::LocalGroup(group))? {
        found.extend(roles::by_id(view.reader, view.organization.id, grant.role)?);
    }
    Ok(found)
}

fn resolve(view: &View<'_>, names: &[String]) -> Result<Vec<Role>, Stop> {
    names.iter().map(|name| role::find(view, name)).collect()
}

fn permissions_of<'r>(roles: impl IntoIterator<Item = &'r Role>) -> Permissions {
    let all = Permissions::NONE;
    roles
        .into_iter()
        .fold(all, |all, role| all.union(&role.permissions))
}

/// Finds a group by its name or id.
fn find(view: &View<'_>, text: &str) -> Result<LocalGroup, Stop> {
    let (reader, organization) = (view.reader, view.organization.id);
    let by_id = match Uuid::parse_str(text) {
        Ok(id) => local_groups::by_id(reader, organization, id)?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(group) => Some(group),
        None => local_groups::by_name(reader, organization, text)?,
    };
    Ok(found.ok_or_else(|| {
        Fault::not_found(format!("No group {text:?} is kept here")).mended_by(Remedy {
            page: "the page Groups lists those that are, and those of the identity provider.",
            command: "\"local-group list\" shows which are, and \"group list\" those of the identity provider.",
        })
    })?)
}

fn demand_free(act: &Act<'_>, group: &LocalGroup) -> Result<(), Stop> {
    let named = local_groups::by_name(act.tx, act.organization.id, &group.name)?;
    if named.is_none_or(|named| named.id == group.id) {
        return Ok(());
    }
    Err(Fault::conflict(format!("A group {:?} is kept here already.", group.name)).into())
}

fn told(act: &Act<'_>, group: &LocalGroup, people: u64, detail: Value) -> scim::Result<()> {
    let id = group.id.to_string();
    let subject = Subject {
        kind: "local-group",
        id: id.as_str().into(),
        name: &group.name,
    };
    act.audit(&subject, detail)?;
    let data = json!({ "name": group.name });
    act.tell(event_row(EventKind::LocalGroupChanged, &subject, people, data))
}

fn told_person(act: &Act<'_>, account: &Account, group: &LocalGroup, how: Assign) -> scim::Result<()> {
    let id = account.id.to_string();
    let subject = account::subject(&id, account);
    let verb = match how {
        Assign::Join => "joined",
        Assign::Leave => "left",
    };
    act.audit(&subject, json!({ verb: group.name }))?;
    let data = json!({ "name": account.name, verb: group.name });
    act.tell(event_row(EventKind::PersonRolesChanged, &subject, 1, data))
}
