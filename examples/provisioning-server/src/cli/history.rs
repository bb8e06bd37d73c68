//! `history …`

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::flags::name;
use super::rows::{Range, Target};
use crate::actions;
use crate::actions::history::Shown;
use crate::domain::counted::counted;
use crate::domain::endpoint::PathFilter;
use crate::domain::fault::Result;
use crate::domain::history::{HistoryEntry, HistoryFilter, Touched};
use crate::domain::organization::Name;
use crate::domain::retention::Purged;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show requests, the newest first
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        #[command(flatten)]
        filter: Filter,
        /// Only what came before this request: the id that an earlier call ended with
        #[arg(long, value_name = "ID")]
        before: Option<Uuid>,
        /// How many requests at most
        #[arg(long, value_name = "N", default_value_t = 50,
              value_parser = clap::value_parser!(u32).range(1..=i64::from(actions::history::MOST)))]
        limit: u32,
    },
    /// Show one request: whom it was about, and what it sent, as long as that is kept
    Show {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the request, as "history list" shows it, or as the provider's log does (x-request-id)
        #[arg(value_name = "REQUEST")]
        request: String,
    },
    /// Write requests as CSV or JSON lines, the newest first
    Export {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        target: Target,
    },
    /// Remove what is older than the organization keeps it; a server does so once an hour
    Purge {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
}

/// Which requests.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Only requests that failed, or only those that did not
    #[arg(long, value_name = "WHICH", value_enum)]
    only: Option<Only>,
    /// Only requests to this path, such as /Users or /Users/ID
    #[arg(long, value_name = "PATH", value_parser = path)]
    path: Option<PathFilter>,
    /// Only requests about this person or group: an id, the provider's id, or a name
    #[arg(long, value_name = "WHOM", visible_aliases = ["user", "group"])]
    about: Option<String>,
    #[command(flatten)]
    range: Range,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Only {
    Errors,
    Success,
}

fn path(text: &str) -> Result<PathFilter> {
    Ok(PathFilter::parse(text))
}

impl Filter {
    fn into_filter(self) -> HistoryFilter {
        HistoryFilter {
            failed: self.only.map(|only| matches!(only, Only::Errors)),
            path: self.path,
            subject: self.about,
            since: self.range.since,
            until: self.range.until,
        }
    }
}

/// The answer of `history list`.
#[derive(Debug, Serialize)]
struct Requests {
    organization: String,
    requests: Vec<HistoryEntry>,
    /// The value for `--before` to go on with, if there may be more.
    next: Option<Uuid>,
}

/// The answer of `history show`.
#[derive(Debug, Serialize)]
struct ShownRequest {
    organization: String,
    #[serde(flatten)]
    request: HistoryEntry,
    touched: Touched,
    body: Option<String>,
}

/// The answer of `history purge`.
#[derive(Debug, Serialize)]
struct PurgedHistory {
    organization: String,
    #[serde(flatten)]
    removed: Purged,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, session.actor());
        match self {
            Self::List {
                name,
                filter,
                before,
                limit,
            } => {
                let filter = filter.into_filter();
                let requests = actions::history::list(product, &actor, &name, filter, before, limit).await?;
                print_list(session, &name, requests, limit);
                Ok(())
            }
            Self::Show { name, request } => {
                let shown = actions::history::show(product, &actor, &name, request).await?;
                print_one(session, &name, shown);
                Ok(())
            }
            Self::Export { name, filter, target } => {
                let filter = filter.into_filter();
                let stream = actions::history::export(product, &actor, &name, filter, target.format).await?;
                target.write(session, Some(&name), stream).await
            }
            Self::Purge { name } => {
                let removed = actions::history::purge(product, &actor, &name, Timestamp::now()).await?;
                let document = PurgedHistory {
                    organization: name.to_string(),
                    removed,
                };
                session.output.result(&document, purged_text);
                Ok(())
            }
        }
    }
}

fn print_list(session: &Session, organization: &Name, requests: Vec<HistoryEntry>, limit: u32) {
    let is_full = u32::try_from(requests.len()) == Ok(limit);
    let document = Requests {
        organization: organization.to_string(),
        next: requests.last().map(|last| last.id).filter(|_| is_full),
        requests,
    };
    session.output.result(&document, |listed| {
        if listed.requests.is_empty() {
            return "No such requests.".to_owned();
        }
        let lines: String = listed.requests.iter().map(line).collect();
        match listed.next {
            Some(next) => format!("{lines}\nGo on with:  --before {next}"),
            None => lines,
        }
    });
}

fn line(entry: &HistoryEntry) -> String {
    format!(
        "{}  {:<21} {:>3} {:<6} {}\n",
        entry.id,
        super::documents::time(entry.time).to_string(),
        entry.status,
        entry.method,
        entry.meaning
    )
}

fn print_one(session: &Session, organization: &Name, shown: Shown) {
    let document = ShownRequest {
        organization: organization.to_string(),
        request: shown.entry,
        touched: shown.touched,
        body: shown.body,
    };
    session.output.result(&document, one_text);
}

fn one_text(shown: &ShownRequest) -> String {
    let request = &shown.request;
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let whom = match (shown.touched.subjects.len(), shown.touched.more) {
        (_, 0) => shown.touched.subjects.join(", "),
        (_, more) => format!("{} and {more} more", shown.touched.subjects.join(", ")),
    };
    let lines = [
        ("id", request.id.to_string()),
        ("request id", request.request_id.clone()),
        ("time", request.time.to_string()),
        ("request", format!("{} {}", request.method, request.path)),
        ("status", request.status.to_string()),
        ("took", format!("{} µs", request.duration_us)),
        ("meaning", request.meaning.clone()),
        ("about", whom),
        ("external id", text(&request.external_id)),
        ("token", text(&request.token.map(|token| token.to_string()))),
        ("notes", text(&request.notes)),
        ("error", text(&request.error)),
        ("body", text(&shown.body)),
    ];
    let lines = lines.map(|(label, value)| format!("  {label:<12}{value}\n"));
    format!(
        "Request to organization {:?}\n{}",
        shown.organization,
        lines.concat()
    )
}

fn purged_text(purged: &PurgedHistory) -> String {
    let removed = &purged.removed;
    format!(
        "Removed from {:?}: {}, {}, {}, {} of the audit log.",
        purged.organization,
        counted(removed.requests, "request", "requests"),
        counted(removed.bodies, "body", "bodies"),
        counted(removed.events, "event", "events"),
        counted(removed.audit, "row", "rows")
    )
}
