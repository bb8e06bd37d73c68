//! `local-group …`

use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::flags::name;
use crate::actions::local_group::{self, Assign, Changes, Detail};
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::Name;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the groups that are kept here, and their roles
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Show one group and its members
    Show(Which),
    /// Make a group
    Create {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name of the group
        #[arg(value_name = "NAME")]
        group: String,
        /// The purpose of the group
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
    },
    /// Change the name, the description or the roles of a group
    Set {
        #[command(flatten)]
        which: Which,
        /// Another name
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// The purpose of the group
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// A role that its members have; may be repeated
        #[arg(long, value_name = "ROLE")]
        allow: Vec<String>,
        /// A role to take away; may be repeated
        #[arg(long, value_name = "ROLE")]
        deny: Vec<String>,
    },
    /// Put people into a group
    Add {
        #[command(flatten)]
        which: Which,
        /// Their names
        #[arg(value_name = "USER", required = true)]
        users: Vec<String>,
    },
    /// Take people out of a group
    Remove {
        #[command(flatten)]
        which: Which,
        /// Their names
        #[arg(value_name = "USER", required = true)]
        users: Vec<String>,
    },
    /// Remove a group: its members lose the roles that they have by no other way
    Delete(Which),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name)]
    name: Name,
    /// The name of the group, or its id
    #[arg(value_name = "GROUP")]
    group: String,
}

#[derive(Debug, Serialize)]
struct Listed {
    organization: String,
    local_groups: Vec<GroupDocument>,
}

#[derive(Debug, Serialize)]
struct GroupDocument {
    id: Uuid,
    name: String,
    description: String,
    roles: Vec<String>,
    /// The first of them; none in a list.
    members: Vec<String>,
}

impl GroupDocument {
    fn of(detail: Detail) -> Self {
        Self {
            id: detail.group.id,
            name: detail.group.name,
            description: detail.group.description,
            roles: detail.roles.into_iter().map(|role| role.name).collect(),
            members: detail.members.into_iter().map(|account| account.name).collect(),
        }
    }
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, &session.actor());
        let detail = match self {
            Self::List { name } => return list(session, name).await,
            Self::Show(of) => local_group::show(product, actor, &of.name, &of.group).await?,
            Self::Create {
                name,
                group,
                description,
            } => local_group::create(product, actor, &name, &group, &description).await?,
            Self::Set {
                which,
                rename,
                description,
                allow,
                deny,
            } => {
                if rename.is_none() && description.is_none() && allow.is_empty() && deny.is_empty() {
                    return Err(Fault::invalid(
                        "Nothing to change: name what shall be other; \"local-group set --help\" lists it.",
                    ));
                }
                let changes = Changes {
                    name: rename,
                    description,
                    allow,
                    deny,
                };
                local_group::change(product, actor, &which.name, &which.group, changes).await?
            }
            Self::Add { which, users } => assign(session, which, users, Assign::Join).await?,
            Self::Remove { which, users } => assign(session, which, users, Assign::Leave).await?,
            Self::Delete(of) => {
                let gone = local_group::delete(product, actor, &of.name, &of.group).await?;
                session.output.result(&GroupDocument::of(gone), |gone| {
                    format!("Group {:?} is deleted.", gone.name)
                });
                return Ok(());
            }
        };
        session.output.result(&GroupDocument::of(detail), text);
        Ok(())
    }
}

async fn list(session: &Session, name: Name) -> Result<()> {
    let groups = local_group::list(&session.product, &session.actor(), &name).await?;
    let document = Listed {
        organization: name.to_string(),
        local_groups: groups.into_iter().map(GroupDocument::of).collect(),
    };
    session.output.result(&document, |listed| {
        if listed.local_groups.is_empty() {
            return "No groups are kept here.".to_owned();
        }
        let line = |group: &GroupDocument| format!("{:<32} {}\n", group.name, group.roles.join(", "));
        listed.local_groups.iter().map(line).collect()
    });
    Ok(())
}

async fn assign(session: &Session, which: Which, users: Vec<String>, how: Assign) -> Result<Detail> {
    let actor = session.actor();
    local_group::assign(&session.product, &actor, &which.name, &which.group, users, how).await
}

fn text(group: &GroupDocument) -> String {
    let or_none = |list: &[String]| match list.is_empty() {
        true => "none".to_owned(),
        false => list.join(", "),
    };
    format!(
        "Group {:?}, kept here\n  is for   {}\n  roles    {}\n  members  {}",
        group.name,
        match group.description.is_empty() {
            true => "not said",
            false => &group.description,
        },
        or_none(&group.roles),
        or_none(&group.members)
    )
}
