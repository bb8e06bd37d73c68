//! Mappings: which roles the members of a provider's group have, and what a change would do.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::act::{Act, Subject, View, carry_out, look};
use super::{account, event_row, role};
use crate::database::accounts::Named;
use crate::database::effective::Members;
use crate::database::page::Page;
use crate::database::{Product, Stop, groups, mappings, roles};
use crate::domain::actor::{Action, Actor};
use crate::domain::counted::counted;
use crate::domain::escalation::Needs;
use crate::domain::event::EventKind;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::group::ProvisionedGroup;
use crate::domain::mapping::{Difference, demand_mapped, demand_role_to_give};
use crate::domain::organization::Name;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::{Role, RoleId};

/// Shows mappings, and what a change would do.
pub(crate) static LIST: Action = Action {
    name: "mapping.list",
    permission: Permission::MAPPINGS_READ,
    fresh: false,
};

/// Maps a group to roles, in place of those that it is mapped to.
pub(crate) static SET: Action = Action {
    name: "mapping.set",
    permission: Permission::MAPPINGS_WRITE,
    fresh: true,
};

/// How many mappings are changed at once.
pub(crate) const MOST: usize = 50;

/// The members of a group that are counted for a list.
pub(crate) const COUNTED: u32 = 10_000;

/// How many of the people who gain or lose a role are named.
const NAMED: u32 = 10;

/// A group and the roles that it is mapped to.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub(crate) group: ProvisionedGroup,
    pub(crate) roles: Vec<Role>,
    /// The name of whoever has mapped it last, and the time.
    pub(crate) by: String,
    pub(crate) at: Timestamp,
}

/// A mapping in a list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) mapping: Mapping,
    /// How many people the group has, up to [`COUNTED`].
    pub(crate) people: u64,
}

/// People who gain or lose something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct People {
    pub(crate) count: u64,
    /// The first of them by their names, for those who may see people.
    pub(crate) first: Vec<Named>,
}

/// The people who gain and lose one role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) gain: People,
    pub(crate) lose: People,
}

/// The roles that a group shall be mapped to, in place of those that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The id of the group over SCIM, or its name.
    pub(crate) group: String,
    pub(crate) roles: Vec<String>,
}

/// The effect of changes of several mappings at once.
#[derive(Debug, Clone)]
pub(crate) struct Foreseen {
    pub(crate) groups: Vec<Remapped>,
    /// For each role that comes or goes, the people who gain or lose it by all of the changes.
    pub(crate) changes: Vec<(Role, Moved)>,
}

/// A group before and after such changes.
#[derive(Debug, Clone)]
pub(crate) struct Remapped {
    pub(crate) group: ProvisionedGroup,
    pub(crate) before: Vec<Role>,
    pub(crate) after: Vec<Role>,
    /// The name of whoever has mapped it last, and the time, if anybody has.
    pub(crate) mapped: Option<(String, Timestamp)>,
    /// How many people it has, up to [`COUNTED`].
    pub(crate) members: u64,
    /// How many of its members gain or lose anything by it.
    people: u64,
}

/// The effect of a change of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    pub(crate) group: ProvisionedGroup,
    pub(crate) before: Vec<Role>,
    pub(crate) after: Vec<Role>,
    /// For each role that comes or goes, the people who gain or lose it.
    pub(crate) changes: Vec<(Role, Moved)>,
    /// How many gain or lose anything.
    pub(crate) people: u64,
}

impl Preview {
    /// Returns the change in a sentence: "12 people gain Administrator, 3 lose Operator".
    pub(crate) fn sentence(&self) -> String {
        sentence(&self.changes)
    }
}

fn sentence(changes: &[(Role, Moved)]) -> String {
    let mut parts = Vec::new();
    for (role, moved) in changes {
        for (people, verb) in [(&moved.gain, "gain"), (&moved.lose, "lose")] {
            parts.extend(people.sentence(verb, role));
        }
    }
    match parts.is_empty() {
        true => "Nobody gains or loses anything.".to_owned(),
        false => format!("{}.", parts.join(", ")),
    }
}

impl People {
    /// Returns what becomes of them: "12 people gain Administrator"; nothing where there is nobody.
    pub(crate) fn sentence(&self, verb: &str, role: &Role) -> Option<String> {
        let people = counted(self.count, "person", "people");
        let ending = if self.count == 1 { "s" } else { "" };
        (self.count > 0).then(|| format!("{people} {verb}{ending} {}", role.name))
    }

    /// Returns how many there are beside those who are named.
    pub(crate) fn others(&self) -> u64 {
        let named = u64::try_from(self.first.len()).unwrap_or(u64::MAX);
        self.count.saturating_sub(named)
    }
}

/// Returns the mappings of an organization in the order of the names of the groups.
pub(crate) async fn list(product: &Product, actor: &Actor, organization: &Name) -> Result<Vec<Mapping>> {
    look(product, actor, &LIST, organization, |view| {
        let known = all_roles(view)?;
        let mut listed: BTreeMap<i64, Mapping> = BTreeMap::new();
        let mut order = Vec::new();
        for (group, one) in mappings::list(view.reader, view.organization.id)? {
            let row = group.row;
            let mapping = listed.entry(row).or_insert_with(|| {
                order.push(row);
                Mapping {
                    group,
                    roles: Vec::new(),
                    by: one.by.clone(),
                    at: one.created,
                }
            });
            mapping.roles.extend(known.get(&one.role.0).cloned());
            if one.created > mapping.at {
                (mapping.by, mapping.at) = (one.by, one.created);
            }
        }
        Ok(order.into_iter().filter_map(|row| listed.remove(&row)).collect())
    })
    .await
}

/// Returns mapped groups, each with its roles, in the order of their names.
pub(crate) async fn page(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    page: Page<i64>,
) -> Result<Vec<Listed>> {
    look(product, actor, &LIST, organization, move |view| {
        let known = all_roles(view)?;
        let id = view.organization.id;
        let members = Members::of(view.reader, view.organization)?;
        let mut listed = Vec::new();
        for group in groups::list_mapped(view.reader, id, &page)? {
            let found = mappings::of_group(view.reader, id, group.row)?;
            let roles = found.iter().filter_map(|one| known.get(&one.role.0).cloned());
            let mut roles: Vec<_> = roles.collect();
            roles.sort_by(|one, other| one.name.cmp(&other.name));
            let people = members.count_in_up_to(view.reader, group.row, COUNTED)?;
            if let Some((by, at)) = mapped(&found) {
                let mapping = Mapping { group, roles, by, at };
                listed.push(Listed { mapping, people });
            }
        }
        Ok(listed)
    })
    .await
}

/// Returns the name of whoever has made the newest of a group's mappings, and the time.
fn mapped(found: &[mappings::Mapping]) -> Option<(String, Timestamp)> {
    let newest = found.iter().max_by_key(|one| one.created)?;
    Some((newest.by.clone(), newest.created))
}

/// Returns what it would do to map each of these groups to its roles, and no others, all at once.
pub(crate) async fn preview_all(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    wanted: Vec<Wanted>,
) -> Result<Foreseen> {
    let named = named(actor);
    look(product, actor, &LIST, organization, move |view| {
        demand_mapped(view.organization.settings.groups)?;
        let proposed = Proposed::all(view, &wanted)?;
        let members = Members::of(view.reader, view.organization)?;
        let changes = moved(view, &members, &proposed, named)?;
        let mut groups = Vec::new();
        for one in proposed {
            let row = one.group.row;
            let changed: Vec<RoleId> = one.difference.roles().copied().collect();
            groups.push(Remapped {
                people: members.count_moved(view.reader, row, &changed)?,
                members: members.count_in_up_to(view.reader, row, COUNTED)?,
                mapped: mapped(&mappings::of_group(view.reader, view.organization.id, row)?),
                group: one.group,
                before: one.before,
                after: one.after,
            });
        }
        Ok(Foreseen { groups, changes })
    })
    .await
}

/// Returns how many people an actor sees by their names.
fn named(actor: &Actor) -> u32 {
    match actor.demand(&account::LIST) {
        Ok(()) => NAMED,
        Err(_) => 0,
    }
}

/// Finds, for each role that changes add or remove, the people who gain or lose it by all of them.
fn moved(
    view: &View<'_>,
    members: &Members<'_>,
    proposed: &[Proposed],
    named: u32,
) -> Result<Vec<(Role, Moved)>, Stop> {
    let mut changes = Vec::new();
    for role in touched(proposed) {
        let of = |groups: fn(&Difference) -> &BTreeSet<RoleId>| {
            let changed = proposed
                .iter()
                .filter(|one| groups(&one.difference).contains(&role.id));
            changed.map(|one| one.group.row).collect::<Vec<_>>()
        };
        let (added, removed) = (of(|it| &it.added), of(|it| &it.removed));
        let (gain, lose) = members.count_remapped(view.reader, role.id, &added, &removed)?;
        let (gaining, losing) = match named {
            0 => Default::default(),
            _ => members.first_remapped(view.reader, role.id, &added, &removed, named)?,
        };
        let people = |count, first| People { count, first };
        let moved = Moved {
            gain: people(gain, gaining),
            lose: people(lose, losing),
        };
        changes.push((role, moved));
    }
    Ok(changes)
}

/// Maps each of these groups to its roles, and no others, in one transaction.
pub(crate) async fn set_all(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    wanted: Vec<Wanted>,
) -> Result<Foreseen> {
    actor.demand(&SET)?;
    // People are counted beside the writer: they may be many.
    let foreseen = preview_all(product, actor, organization, wanted.clone()).await?;
    let people: Vec<u64> = foreseen.groups.iter().map(|one| one.people).collect();
    let sentence = foreseen.sentence();
    carry_out(product, actor, &SET, organization, move |act| {
        demand_mapped(act.organization.settings.groups)?;
        let proposed = Proposed::all(&act.view(), &wanted)?;
        for (one, people) in proposed.iter().zip(&people) {
            one.write(act, *people, &sentence)?;
        }
        Ok(())
    })
    .await?;
    Ok(foreseen)
}

impl Foreseen {
    /// Returns the changes in a sentence.
    pub(crate) fn sentence(&self) -> String {
        sentence(&self.changes)
    }
}

/// Returns the roles that changes add or remove, by their names.
fn touched(proposed: &[Proposed]) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for one in proposed {
        let found = one.difference.roles().filter_map(|id| one.role(*id));
        roles.extend(found.cloned());
    }
    roles.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    roles.dedup_by_key(|role| role.id);
    roles
}

/// Returns what it would do to map a group to these roles, and no others.
pub(crate) async fn preview(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
    after: Vec<String>,
) -> Result<Preview> {
    let (group, named) = (group.to_owned(), named(actor));
    look(product, actor, &LIST, organization, move |view| {
        demand_mapped(view.organization.settings.groups)?;
        let proposed = Proposed::of(view, &group, &after)?;
        let members = Members::of(view.reader, view.organization)?;
        let changes = moved(view, &members, std::slice::from_ref(&proposed), named)?;
        let changed: Vec<RoleId> = proposed.difference.roles().copied().collect();
        let people = match &changes[..] {
            // Counted already.
            [(_, moved)] => moved.gain.count + moved.lose.count,
            _ => members.count_moved(view.reader, proposed.group.row, &changed)?,
        };
        Ok(Preview {
            before: proposed.before,
            after: proposed.after,
            changes,
            people,
            group: proposed.group,
        })
    })
    .await
}

/// Maps a group to these roles, and no others. It is in force with the commit.
pub(crate) async fn set(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    group: &str,
    after: Vec<String>,
) -> Result<Preview> {
    actor.demand(&SET)?;
    // People are counted beside the writer: they may be many.
    let preview = preview(product, actor, organization, group, after.clone()).await?;
    let people = preview.people;
    let group = preview.group.id.clone();
    let sentence = preview.sentence();
    carry_out(product, actor, &SET, organization, move |act| {
        demand_mapped(act.organization.settings.groups)?;
        let proposed = Proposed::of(&act.view(), &group, &after)?;
        proposed.write(act, people, &sentence)
    })
    .await?;
    Ok(preview)
}

/// A change of a mapping, looked up.
struct Proposed {
    group: ProvisionedGroup,
    before: Vec<Role>,
    after: Vec<Role>,
    difference: Difference,
}

impl Proposed {
    fn of(view: &View<'_>, group: &str, after: &[String]) -> Result<Self, Stop> {
        let organization = view.organization.id;
        let group = find_group(view, group)?;
        let mut before = Vec::new();
        for id in mappings::roles_of(view.reader, organization, group.row)? {
            before.extend(roles::by_id(view.reader, organization, RoleId(id))?);
        }
        let mut proposed = Vec::new();
        for text in after {
            let role = role::find(view, text)?;
            demand_role_to_give(&role)?;
            proposed.push(role);
        }
        let ids = |roles: &[Role]| roles.iter().map(|role| role.id).collect::<BTreeSet<_>>();
        Ok(Self {
            difference: Difference::between(&ids(&before), &ids(&proposed)),
            group,
            before,
            after: proposed,
        })
    }

    /// Returns the changes of several groups, each named once.
    fn all(view: &View<'_>, wanted: &[Wanted]) -> Result<Vec<Self>, Stop> {
        if wanted.len() > MOST {
            return Err(Fault::invalid(format!(
                "{} mappings are too many to be changed at once; expected {MOST} at most.",
                wanted.len()
            ))
            .into());
        }
        let mut proposed: Vec<Self> = Vec::new();
        for one in wanted {
            let change = Self::of(view, &one.group, &one.roles)?;
            proposed.retain(|earlier| earlier.group.row != change.group.row);
            proposed.push(change);
        }
        Ok(proposed)
    }

    /// Makes the change for an actor who may.
    fn write(&self, act: &Act<'_>, people: u64, sentence: &str) -> Result<(), Stop> {
        let touched = self.difference.roles().filter_map(|id| self.role(*id));
        let permissions = touched.fold(Permissions::NONE, |all, role| all.union(&role.permissions));
        Needs::of_mapping(permissions).demand(act.actor, "This mapping")?;
        if self.difference.is_empty() {
            return Ok(());
        }
        let (organization, group) = (act.organization.id, self.group.row);
        for role in &self.difference.added {
            let mapping = mappings::Mapping {
                group,
                role: *role,
                created: act.now,
                by: act.actor.name(),
            };
            mappings::insert(act.tx, organization, &mapping)?;
        }
        for role in &self.difference.removed {
            mappings::remove(act.tx, organization, group, role.0)?;
        }
        Ok(told(act, self, people, sentence)?)
    }

    fn role(&self, id: RoleId) -> Option<&Role> {
        self.before.iter().chain(&self.after).find(|role| role.id == id)
    }
}

/// Finds a group by its id over SCIM or its name.
pub(super) fn find_group(view: &View<'_>, text: &str) -> Result<ProvisionedGroup, Stop> {
    let organization = view.organization.id;
    if let Some(group) = groups::by_id(view.reader, organization, text)? {
        return Ok(group);
    }
    let named = groups::by_name(view.reader, organization, text)?;
    match <[ProvisionedGroup; 1]>::try_from(named) {
        Ok([group]) => Ok(group),
        Err(named) if named.is_empty() => Err(Fault::not_found(format!(
            "The identity provider has sent no group {text:?}"
        ))
        .mended_by(Remedy {
            page: "the page Groups lists those that it has sent.",
            command: "\"group list\" shows which it has sent.",
        })
        .into()),
        Err(named) => {
            let ids: Vec<_> = named.iter().map(|group| group.id.as_str()).collect();
            Err(Fault::conflict(format!(
                "Several groups are called {text:?}: name one by its id, such as {}.",
                ids.join(" or ")
            ))
            .into())
        }
    }
}

fn all_roles(view: &View<'_>) -> scim::Result<BTreeMap<Uuid, Role>> {
    let found = roles::list(view.reader, view.organization.id)?;
    Ok(found.into_iter().map(|role| (role.id.0, role)).collect())
}

fn told(act: &Act<'_>, proposed: &Proposed, people: u64, sentence: &str) -> scim::Result<()> {
    let subject = Subject {
        kind: "group",
        id: proposed.group.id.as_str().into(),
        name: &proposed.group.name,
    };
    let names = |roles: &[Role]| roles.iter().map(|role| role.name.clone()).collect::<Vec<_>>();
    let data = json!({
        "name": proposed.group.name,
        "before": names(&proposed.before),
        "after": names(&proposed.after),
    });
    let mut detail = data.clone();
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("effect".to_owned(), sentence.into());
    }
    act.audit(&subject, detail)?;
    act.tell(event_row(EventKind::MappingChanged, &subject, people, data))
}
