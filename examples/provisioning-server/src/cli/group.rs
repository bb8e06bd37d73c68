//! `group …`

use clap::Subcommand;
use serde::Serialize;

use super::Session;
use super::flags::name;
use crate::actions::group::{self, Shown};
use crate::database::page::Page;
use crate::domain::fault::Result;
use crate::domain::group::ProvisionedGroup;
use crate::domain::organization::Name;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the groups that the identity provider has sent, by name
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// Only groups that are not mapped to a role
        #[arg(long)]
        unmapped: bool,
        /// Only groups whose names begin like this
        #[arg(long, value_name = "TEXT", default_value = "")]
        search: String,
        /// Only groups behind the one that an earlier list ended with
        #[arg(long, value_name = "ID", requires = "after_name")]
        after: Option<i64>,
        /// The name of that group
        #[arg(long, value_name = "NAME", requires = "after")]
        after_name: Option<String>,
        /// How many groups at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Show one group, what its members have by it, and the first of them
    Show {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name of the group, or its id over SCIM
        #[arg(value_name = "GROUP")]
        group: String,
        /// How many members to name at most
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
}

#[derive(Debug, Serialize)]
struct Listed {
    organization: String,
    groups: Vec<GroupDocument>,
}

#[derive(Debug, Serialize)]
struct GroupDocument {
    name: String,
    id: String,
    external_id: Option<String>,
    /// The place of the group in a list, for --after.
    place: i64,
}

#[derive(Debug, Serialize)]
struct DetailDocument {
    organization: String,
    #[serde(flatten)]
    group: GroupDocument,
    roles: Vec<String>,
    members: u64,
    first: Vec<String>,
}

impl GroupDocument {
    fn of(group: ProvisionedGroup) -> Self {
        Self {
            name: group.name,
            id: group.id,
            external_id: group.external_id,
            place: group.row,
        }
    }
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::List {
                name,
                unmapped,
                search,
                after,
                after_name,
                limit,
            } => {
                let page = Page {
                    prefix: search,
                    behind: after_name.zip(after),
                    size: limit,
                };
                list(session, name, Shown { page, unmapped }).await
            }
            Self::Show { name, group, limit } => show(session, name, &group, limit).await,
        }
    }
}

async fn list(session: &Session, name: Name, shown: Shown) -> Result<()> {
    let groups = group::list(&session.product, &session.actor(), &name, shown).await?;
    let document = Listed {
        organization: name.to_string(),
        groups: groups.into_iter().map(GroupDocument::of).collect(),
    };
    session.output.result(&document, |listed| {
        if listed.groups.is_empty() {
            return "No such groups: they appear when the identity provider pushes them.".to_owned();
        }
        let line = |group: &GroupDocument| format!("{:<40} {}\n", group.name, group.id);
        listed.groups.iter().map(line).collect()
    });
    Ok(())
}

async fn show(session: &Session, name: Name, group: &str, most: u32) -> Result<()> {
    let detail = group::show(&session.product, &session.actor(), &name, group, most).await?;
    let document = DetailDocument {
        organization: name.to_string(),
        group: GroupDocument::of(detail.group),
        roles: detail.roles.into_iter().map(|role| role.name).collect(),
        members: detail.members,
        first: detail.first.into_iter().map(|person| person.name).collect(),
    };
    session.output.result(&document, |shown| {
        let roles = match shown.roles.is_empty() {
            true => "none: map the group with \"mapping set\"".to_owned(),
            false => shown.roles.join(", "),
        };
        format!(
            "Group {:?}\n  id       {}\n  roles    {roles}\n  members  {}\n           {}",
            shown.group.name,
            shown.group.id,
            shown.members,
            shown.first.join(", ")
        )
    });
    Ok(())
}
