//! `audit …`

use clap::{Args, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::flags::name;
use super::rows::{Range, Target};
use crate::actions;
use crate::domain::audit::{AuditEntry, AuditFilter, By};
use crate::domain::fault::Result;
use crate::domain::organization::Name;
use crate::domain::realm::RealmName;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show changes, the newest first
    List {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        filter: Filter,
        /// Only what came before this row: the id that an earlier call ended with
        #[arg(long, value_name = "ID")]
        before: Option<Uuid>,
        /// How many rows at most
        #[arg(long, value_name = "N", default_value_t = 50,
              value_parser = clap::value_parser!(u32).range(1..=i64::from(actions::audit::MOST)))]
        limit: u32,
    },
    /// Write changes as CSV or JSON lines, the newest first
    Export {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        target: Target,
    },
}

/// Whose changes.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name, required_unless_present = "instance")]
    name: Option<Name>,
    /// Those of the instance: what concerns its owners
    #[arg(long, conflicts_with = "name")]
    instance: bool,
}

/// Which changes.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Only changes of the thing with this id
    #[arg(long, value_name = "ID", conflicts_with_all = ["actor", "action"])]
    subject: Option<String>,
    /// Only changes that this actor has made
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only changes of this kind, such as role.create
    #[arg(long, value_name = "WORD")]
    action: Option<String>,
    #[command(flatten)]
    range: Range,
}

impl Filter {
    fn into_filter(self) -> AuditFilter {
        AuditFilter {
            by: By::of(self.subject, self.actor, self.action),
            since: self.range.since,
            until: self.range.until,
        }
    }
}

/// The answer of `audit list`.
#[derive(Debug, Serialize)]
struct Changes {
    /// None for changes of the instance.
    organization: Option<String>,
    changes: Vec<AuditEntry>,
    /// The value for `--before` to go on with, if there may be more.
    next: Option<Uuid>,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, session.actor());
        match self {
            Self::List {
                whose: Whose { name, instance: _ },
                filter,
                before,
                limit,
            } => {
                let filter = filter.into_filter();
                let realm = RealmName::from(name.clone());
                let changes = actions::audit::list(product, &actor, realm, filter, before, limit).await?;
                let is_full = u32::try_from(changes.len()) == Ok(limit);
                let document = Changes {
                    organization: name.map(|name| name.to_string()),
                    next: changes.last().map(|last| last.id).filter(|_| is_full),
                    changes,
                };
                session.output.result(&document, text);
                Ok(())
            }
            Self::Export {
                whose: Whose { name, instance: _ },
                filter,
                target,
            } => {
                let filter = filter.into_filter();
                let realm = RealmName::from(name.clone());
                let stream = actions::audit::export(product, &actor, realm, filter, target.format).await?;
                target.write(session, name.as_ref(), stream).await
            }
        }
    }
}

fn text(listed: &Changes) -> String {
    if listed.changes.is_empty() {
        return "No such changes.".to_owned();
    }
    let line = |entry: &AuditEntry| {
        let row = &entry.row;
        format!(
            "{:<21} {:<20} {:<24} {} {}  {}\n",
            super::documents::time(row.time).to_string(),
            row.actor,
            row.action,
            row.subject_type,
            row.subject_name,
            row.detail
        )
    };
    let lines: String = listed.changes.iter().map(line).collect();
    match listed.next {
        Some(next) => format!("{lines}\nGo on with:  --before {next}"),
        None => lines,
    }
}
