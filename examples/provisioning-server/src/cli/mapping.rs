//! `mapping …`

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::documents::time;
use super::flags::name;
use crate::actions::alert::{self, Restorable};
use crate::actions::mapping::{self, Mapping, Preview};
use crate::database::accounts::Named;
use crate::domain::fault::Result;
use crate::domain::mass_change::Likeness;
use crate::domain::organization::Name;
use crate::domain::role::Role;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show which groups are mapped to which roles
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Map a group of the identity provider to roles, in place of those that it is mapped to
    Set {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name of the group, or its id over SCIM
        #[arg(value_name = "GROUP")]
        group: String,
        /// The roles that its members have
        #[arg(value_name = "ROLE", required = true)]
        roles: Vec<String>,
        /// Only show who would gain and lose what
        #[arg(long)]
        preview: bool,
    },
    /// Take a group's mapping away: its members lose the roles that they have by no other way
    Delete {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name of the group, or its id over SCIM
        #[arg(value_name = "GROUP")]
        group: String,
        /// Only show who would lose what
        #[arg(long)]
        preview: bool,
    },
    /// Show the mappings that have gone with groups that were deleted
    Lost {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Give the roles of a deleted group to the one that has come in its place
    Restore {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name of the deleted group, or the id that it had over SCIM
        #[arg(value_name = "GROUP")]
        group: String,
        /// The group that gets the roles, where it is not clear which has come in its place
        #[arg(long, value_name = "GROUP")]
        to: Option<String>,
        /// Only show who would gain what
        #[arg(long)]
        preview: bool,
    },
}

#[derive(Debug, Serialize)]
struct Mappings {
    organization: String,
    mappings: Vec<MappingDocument>,
}

#[derive(Debug, Serialize)]
struct MappingDocument {
    group: String,
    group_id: String,
    external_id: Option<String>,
    roles: Vec<String>,
    /// The name of whoever has mapped it last.
    mapped_by: String,
    mapped: Timestamp,
}

#[derive(Debug, Serialize)]
struct LostMappings {
    organization: String,
    lost: Vec<LostDocument>,
}

#[derive(Debug, Serialize)]
struct LostDocument {
    group: String,
    group_id: String,
    roles: Vec<String>,
    /// How many members it had.
    members: u64,
    lost: Timestamp,
    /// The group that has come in its place, if one clearly has.
    successor: Option<String>,
    /// Why that one.
    likeness: Option<Likeness>,
}

/// The effect of a change of a mapping, done or previewed.
#[derive(Debug, Serialize)]
struct Effect {
    organization: String,
    group: String,
    group_id: String,
    before: Vec<String>,
    after: Vec<String>,
    /// Whether it was done, and not only shown.
    applied: bool,
    /// How many people gain or lose anything.
    people: u64,
    roles: Vec<RoleEffect>,
    effect: String,
}

#[derive(Debug, Serialize)]
struct RoleEffect {
    role: String,
    gain: u64,
    lose: u64,
    /// The first who gain it and the first who lose it, by their names.
    gaining: Vec<Person>,
    losing: Vec<Person>,
}

#[derive(Debug, Serialize)]
struct Person {
    id: Uuid,
    name: String,
    display: String,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List { name } => list(session, name).await,
            Self::Set {
                name,
                group,
                roles,
                preview,
            } => change(session, name, &group, roles, preview).await,
            Self::Delete { name, group, preview } => change(session, name, &group, Vec::new(), preview).await,
            Self::Lost { name } => lost(session, name).await,
            Self::Restore {
                name,
                group,
                to,
                preview,
            } => restore(session, name, &group, to.as_deref(), preview).await,
        }
    }
}

async fn list(session: &Session, name: Name) -> Result<()> {
    let mappings = mapping::list(&session.product, &session.actor(), &name).await?;
    let document = Mappings {
        organization: name.to_string(),
        mappings: mappings.into_iter().map(document).collect(),
    };
    session.output.result(&document, |listed| {
        if listed.mappings.is_empty() {
            return "No group is mapped yet: map one with \"mapping set ORG GROUP ROLE\".".to_owned();
        }
        let line = |mapping: &MappingDocument| {
            format!(
                "{:<40} {}\n  mapped by {}, {}\n",
                mapping.group,
                mapping.roles.join(", "),
                mapping.mapped_by,
                mapping.mapped
            )
        };
        listed.mappings.iter().map(line).collect()
    });
    Ok(())
}

async fn change(session: &Session, name: Name, group: &str, roles: Vec<String>, preview: bool) -> Result<()> {
    let (product, actor) = (&session.product, &session.actor());
    let effect = match preview {
        true => mapping::preview(product, actor, &name, group, roles).await?,
        false => mapping::set(product, actor, &name, group, roles).await?,
    };
    print(session, &shown(&name, effect, !preview));
    Ok(())
}

async fn restore(session: &Session, name: Name, group: &str, to: Option<&str>, preview: bool) -> Result<()> {
    let (product, actor) = (&session.product, &session.actor());
    let effect = match preview {
        true => alert::preview_restore(product, actor, &name, group, to).await?,
        false => alert::restore(product, actor, &name, group, to).await?,
    };
    print(session, &shown(&name, effect, !preview));
    Ok(())
}

async fn lost(session: &Session, name: Name) -> Result<()> {
    let lost = alert::lost_mappings(&session.product, &session.actor(), &name).await?;
    let document = LostMappings {
        organization: name.to_string(),
        lost: lost.into_iter().map(lost_document).collect(),
    };
    session.output.result(&document, |listed| {
        if listed.lost.is_empty() {
            return "No group was deleted while it was mapped.".to_owned();
        }
        let line = |lost: &LostDocument| {
            let next = match &lost.successor {
                Some(id) => format!("can be restored to {id}"),
                None => "no group has come in its place yet".to_owned(),
            };
            format!("{:<32} {:<32} {next}\n", lost.group, lost.roles.join(", "))
        };
        listed.lost.iter().map(line).collect()
    });
    Ok(())
}

fn print(session: &Session, effect: &Effect) {
    session.output.result(effect, |effect| {
        let roles = match effect.after.is_empty() {
            true => "no role".to_owned(),
            false => effect.after.join(", "),
        };
        let done = match effect.applied {
            true => "is mapped to",
            false => "would be mapped to",
        };
        let people: String = effect.roles.iter().map(people).collect();
        format!(
            "Group {:?} {done} {roles}.\n{}\n{people}",
            effect.group, effect.effect
        )
    });
}

/// Returns the lines that name the first who gain a role, and the first who lose it.
fn people(effect: &RoleEffect) -> String {
    let line = |verb: &str, count: u64, first: &[Person]| {
        if first.is_empty() {
            return String::new();
        }
        let names: Vec<_> = first.iter().map(|person| person.name.as_str()).collect();
        let others = count.saturating_sub(u64::try_from(first.len()).unwrap_or(u64::MAX));
        let others = match others {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        format!("  {verb} {}: {}{others}\n", effect.role, names.join(", "))
    };
    line("gain", effect.gain, &effect.gaining) + &line("lose", effect.lose, &effect.losing)
}

fn lost_document(lost: Restorable) -> LostDocument {
    LostDocument {
        group: lost.lost.name,
        group_id: lost.lost.id,
        roles: lost.roles,
        members: lost.lost.members,
        lost: time(lost.lost.lost),
        likeness: lost.successor.as_ref().map(|(_, likeness)| *likeness),
        successor: lost.successor.map(|(group, _)| group.id),
    }
}

fn document(mapping: Mapping) -> MappingDocument {
    MappingDocument {
        group: mapping.group.name,
        group_id: mapping.group.id,
        external_id: mapping.group.external_id,
        roles: names(mapping.roles),
        mapped_by: mapping.by,
        mapped: time(mapping.at),
    }
}

fn names(roles: Vec<Role>) -> Vec<String> {
    roles.into_iter().map(|role| role.name).collect()
}

fn persons(first: Vec<Named>) -> Vec<Person> {
    let person = |named: Named| Person {
        id: named.id,
        name: named.name,
        display: named.display,
    };
    first.into_iter().map(person).collect()
}

fn shown(organization: &Name, preview: Preview, applied: bool) -> Effect {
    Effect {
        organization: organization.to_string(),
        effect: preview.sentence(),
        group: preview.group.name,
        group_id: preview.group.id,
        before: names(preview.before),
        after: names(preview.after),
        applied,
        people: preview.people,
        roles: preview
            .changes
            .into_iter()
            .map(|(role, moved)| RoleEffect {
                role: role.name,
                gain: moved.gain.count,
                lose: moved.lose.count,
                gaining: persons(moved.gain.first),
                losing: persons(moved.lose.first),
            })
            .collect(),
    }
}
