//! `role …`

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::documents::time;
use super::flags::name;
use crate::actions::role::{self, Changes, Losing};
use crate::database::page::Page;
use crate::domain::counted::counted;
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::Name;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::{Draft, Role};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the roles of an organization, and the permissions of each
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// Of roles that mirror groups, only those whose names begin like this
        #[arg(long, value_name = "TEXT", default_value = "")]
        search: String,
        /// How many roles that mirror groups at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Show one role, and how many people have it
    Show(Which),
    /// Make a role
    Create {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name of the role
        #[arg(value_name = "NAME")]
        role: String,
        /// The purpose of the role
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// A permission of the role, such as users:write or app:reports; may be repeated
        #[arg(long, value_name = "PERMISSION", value_parser = Permission::parse)]
        allow: Vec<Permission>,
    },
    /// Change the name, the description or the permissions of a role
    Set {
        #[command(flatten)]
        which: Which,
        /// Another name
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// Another description
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// A further permission; may be repeated
        #[arg(long, value_name = "PERMISSION", value_parser = Permission::parse)]
        allow: Vec<Permission>,
        /// A permission to take away; may be repeated
        #[arg(long, value_name = "PERMISSION", value_parser = Permission::parse)]
        deny: Vec<Permission>,
    },
    /// Remove a role, with its mappings and grants
    Delete {
        #[command(flatten)]
        which: Which,
        /// Remove it although people lose it
        #[arg(long)]
        yes: bool,
    },
    /// Show the permissions that there are
    Permissions,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name)]
    name: Name,
    /// The name of the role, or its id
    #[arg(value_name = "ROLE")]
    role: String,
}

/// A role, as it is shown.
#[derive(Debug, Serialize)]
struct RoleDocument {
    id: Uuid,
    name: String,
    description: String,
    /// Whether it mirrors a group of the identity provider.
    mirrored: bool,
    /// Whether it mirrors a group, and nobody has said yet what it permits.
    needs_permissions: bool,
    permissions: Vec<String>,
    /// How many people have it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<u64>,
    created: Timestamp,
    changed: Timestamp,
}

impl RoleDocument {
    fn of(role: Role, people: Option<u64>) -> Self {
        Self {
            id: role.id.0,
            mirrored: role.mirrors.is_some(),
            needs_permissions: role.needs_permissions(),
            permissions: role.permissions.iter().map(ToString::to_string).collect(),
            name: role.name,
            description: role.description,
            people,
            created: time(role.created),
            changed: time(role.changed),
        }
    }
}

#[derive(Debug, Serialize)]
struct Roles {
    organization: String,
    roles: Vec<RoleDocument>,
}

/// The answer of `role delete`.
#[derive(Debug, Serialize)]
struct Deleted {
    organization: String,
    role: String,
    deleted: bool,
    /// How many people have lost it.
    people: u64,
    /// The first of them.
    first: Vec<String>,
}

/// The answer of `role permissions`.
#[derive(Debug, Serialize)]
struct Catalogue {
    permissions: Vec<PermissionDocument>,
}

#[derive(Debug, Serialize)]
struct PermissionDocument {
    permission: String,
    /// Whether whoever has it can come to further permissions by it.
    escalating: bool,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, &session.actor());
        match self {
            Self::List { name, search, limit } => {
                let page = Page {
                    prefix: search,
                    behind: None,
                    size: limit,
                };
                let roles = role::list(product, actor, &name, page).await?;
                let document = Roles {
                    organization: name.to_string(),
                    roles: roles
                        .into_iter()
                        .map(|role| RoleDocument::of(role, None))
                        .collect(),
                };
                session.output.result(&document, table);
            }
            Self::Show(which) => {
                let shown = role::show(product, actor, &which.name, &which.role).await?;
                print(session, shown.role, Some(shown.people));
            }
            Self::Create {
                name,
                role,
                description,
                allow,
            } => {
                let draft = Draft {
                    name: role,
                    description,
                    permissions: allow.into_iter().collect(),
                };
                let role = role::create(product, actor, &name, draft).await?;
                print(session, role, Some(0));
            }
            Self::Set {
                which,
                rename,
                description,
                allow,
                deny,
            } => {
                let changes = Changes {
                    name: rename,
                    description,
                    permissions: None,
                    allow: allow.into_iter().collect(),
                    deny: deny.into_iter().collect(),
                };
                if changes.is_empty() {
                    return Err(Fault::invalid(
                        "Nothing to change: name what shall be other, such as --allow users:read; \"role set --help\" \
                         lists it.",
                    ));
                }
                let shown = role::change(product, actor, &which.name, &which.role, changes).await?;
                print(session, shown.role, Some(shown.people));
            }
            Self::Delete { which, yes } => delete(session, which, yes).await?,
            Self::Permissions => permissions(session),
        }
        Ok(())
    }
}

async fn delete(session: &Session, which: Which, yes: bool) -> Result<()> {
    let (product, actor) = (&session.product, &session.actor());
    let losing = role::preview_delete(product, actor, &which.name, &which.role).await?;
    if losing.people > 0 && !yes {
        return Err(Fault::conflict(format!(
            "{} would lose the role {:?}: {}. Repeat the command with --yes if that is meant.",
            counted(losing.people, "person", "people"),
            losing.role.name,
            first(&losing)
        )));
    }
    let losing = role::delete(product, actor, &which.name, &which.role).await?;
    let document = Deleted {
        organization: which.name.to_string(),
        role: losing.role.name.clone(),
        deleted: true,
        people: losing.people,
        first: losing.first.into_iter().map(|person| person.name).collect(),
    };
    session.output.result(&document, |deleted| {
        let people = counted(deleted.people, "person has", "people have");
        format!("Role {:?} is deleted: {people} lost it.", deleted.role)
    });
    Ok(())
}

/// Returns the names of those who come first, and the count of the others.
fn first(losing: &Losing) -> String {
    let names: Vec<_> = losing.first.iter().map(|person| person.name.as_str()).collect();
    let named = u64::try_from(names.len()).unwrap_or(u64::MAX);
    match losing.people.saturating_sub(named) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn permissions(session: &Session) {
    let document = |permission: &Permission| PermissionDocument {
        permission: permission.to_string(),
        escalating: permission.escalates(),
    };
    let document = Catalogue {
        permissions: Permissions::catalogue().iter().map(document).collect(),
    };
    session.output.result(&document, |catalogue| {
        let line = |known: &PermissionDocument| match known.escalating {
            true => format!("{:<24}leads to further permissions\n", known.permission),
            false => format!("{}\n", known.permission),
        };
        let lines: String = catalogue.permissions.iter().map(line).collect();
        format!("{lines}\nFurther ones, for the application behind: app: and a name, such as app:reports")
    });
}

fn print(session: &Session, role: Role, people: Option<u64>) {
    session.output.result(&RoleDocument::of(role, people), |role| {
        let mut text = format!("Role {:?}\n", role.name);
        let people = role.people.map(|people| people.to_string()).unwrap_or_default();
        for (label, value) in [
            ("id", role.id.to_string()),
            ("description", role.description.clone()),
            ("people", people),
            ("permissions", listed(role)),
        ] {
            text += &format!("  {label:<14}{value}\n");
        }
        text
    });
}

fn listed(role: &RoleDocument) -> String {
    match role.permissions.is_empty() {
        true if role.mirrored => "none yet: give it some with \"role set --allow\"".to_owned(),
        true => "none".to_owned(),
        false => role.permissions.join(", "),
    }
}

fn table(listed_roles: &Roles) -> String {
    if listed_roles.roles.is_empty() {
        return "No roles yet: make one with \"role create ORG NAME\".".to_owned();
    }
    let line = |role: &RoleDocument| format!("{:<32} {}\n", role.name, listed(role));
    listed_roles.roles.iter().map(line).collect()
}
