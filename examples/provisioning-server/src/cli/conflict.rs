//! `conflict …`

use clap::Subcommand;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::documents::time;
use super::flags::{name, word};
use crate::actions;
use crate::domain::conflict::{Conflict, ConflictState, Cursor};
use crate::domain::counted::counted;
use crate::domain::fault::Result;
use crate::domain::keyword::Keyword;
use crate::domain::organization::Name;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show conflicts, the last first
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// Which of them
        #[arg(long, value_name = "STATE", default_value = "open", value_parser = word::<ConflictState>())]
        state: ConflictState,
        /// Only those behind the ones of an earlier list: the cursor that it ended with
        #[arg(long, value_name = "CURSOR", value_parser = Cursor::parse)]
        after: Option<Cursor>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50,
              value_parser = clap::value_parser!(u32).range(1..=i64::from(actions::conflict::MOST)))]
        limit: u32,
    },
    /// Show one conflict, and what to do about it
    Show {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the conflict, as "conflict list" shows it
        #[arg(value_name = "CONFLICT")]
        id: Uuid,
    },
    /// Put a conflict aside
    Ignore {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the conflict, as "conflict list" shows it
        #[arg(value_name = "CONFLICT")]
        id: Uuid,
    },
    /// Open a conflict again that was put aside
    Reopen {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the conflict, as "conflict list --state ignored" shows it
        #[arg(value_name = "CONFLICT")]
        id: Uuid,
    },
}

/// The answer of `conflict list`.
#[derive(Debug, Serialize)]
struct Conflicts {
    organization: String,
    conflicts: Vec<ConflictDocument>,
    /// The cursor for --after, if there may be more.
    next: Option<String>,
}

/// The answer of `conflict show`, `conflict ignore` and `conflict reopen`.
#[derive(Debug, Serialize)]
struct OneConflict {
    organization: String,
    #[serde(flatten)]
    conflict: ConflictDocument,
}

#[derive(Debug, Serialize)]
struct ConflictDocument {
    #[serde(flatten)]
    conflict: Conflict,
    /// The remedy.
    remedy: &'static str,
}

impl ConflictDocument {
    fn of(conflict: Conflict) -> Self {
        Self {
            remedy: conflict.kind.remedy(),
            conflict,
        }
    }
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, session.actor());
        match self {
            Self::List {
                name,
                state,
                after,
                limit,
            } => {
                let found = actions::conflict::list(product, &actor, &name, state, after, limit).await?;
                let is_full = u32::try_from(found.len()).is_ok_and(|found| found == limit);
                let next = found.last().filter(|_| is_full).map(Conflict::cursor);
                let document = Conflicts {
                    organization: name.to_string(),
                    conflicts: found.into_iter().map(ConflictDocument::of).collect(),
                    next: next.map(|cursor| cursor.to_string()),
                };
                session.output.result(&document, list_text);
            }
            Self::Show { name, id } => {
                let found = actions::conflict::show(product, &actor, &name, id).await?;
                print(session, &name, found);
            }
            Self::Ignore { name, id } => {
                let found = actions::conflict::ignore(product, &actor, &name, id).await?;
                print(session, &name, found);
            }
            Self::Reopen { name, id } => {
                let found = actions::conflict::reopen(product, &actor, &name, id).await?;
                print(session, &name, found);
            }
        }
        Ok(())
    }
}

fn print(session: &Session, organization: &Name, conflict: Conflict) {
    let document = OneConflict {
        organization: organization.to_string(),
        conflict: ConflictDocument::of(conflict),
    };
    session.output.result(&document, |shown| text(&shown.conflict));
}

fn list_text(listed: &Conflicts) -> String {
    if listed.conflicts.is_empty() {
        return "No such conflicts.".to_owned();
    }
    let lines: String = listed.conflicts.iter().map(text).collect();
    match &listed.next {
        Some(next) => format!("{lines}\nGo on with:  --after {next}"),
        None => lines,
    }
}

fn text(document: &ConflictDocument) -> String {
    let conflict = &document.conflict;
    format!(
        "{}  {} {} ({}, {}, last at {})\n  {}\n  {}\n",
        conflict.id,
        conflict.kind.word(),
        conflict.name,
        conflict.state.word(),
        counted(conflict.count, "time", "times"),
        time(conflict.last),
        conflict.detail,
        document.remedy
    )
}
