//! `connection …`

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;

use super::Session;
use super::documents::time;
use super::flags::name;
use crate::actions;
use crate::actions::connection::Card;
use crate::domain::connection::ConnectionState;
use crate::domain::counted::counted;
use crate::domain::diagnosis::{OldToken, Refused};
use crate::domain::fault::Result;
use crate::domain::history::Needed;
use crate::domain::organization::Name;
use crate::domain::rhythm::{Next, Rhythm};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show whether the identity provider comes, what fails, and what it sends that needs a tolerance
    Show {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
}

/// The answer of `connection show`.
#[derive(Debug, Serialize)]
struct Connection {
    organization: String,
    scim_url: String,
    #[serde(flatten)]
    card: Card,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let Self::Show { name } = self;
        let card =
            actions::connection::show(&session.product, &session.actor(), &name, Timestamp::now()).await?;
        let document = Connection {
            organization: name.to_string(),
            scim_url: session.scim_url(&name),
            card,
        };
        session.output.result(&document, text);
        Ok(())
    }
}

fn text(shown: &Connection) -> String {
    let card = &shown.card;
    let at = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| time(at).to_string());
    let lines = [
        ("SCIM URL", shown.scim_url.clone()),
        ("first request", at(card.first_request)),
        ("last request", at(card.last_request)),
        ("usual interval", usual(&card.rhythm)),
        ("next expected", next(&card.rhythm)),
        ("last error", at(card.last_error)),
        ("users", card.users.to_string()),
        ("without a role", card.unassigned.to_string()),
        ("groups", card.groups.to_string()),
        (
            "last 24 hours",
            format!(
                "{}, {}",
                counted(card.requests, "request", "requests"),
                counted(card.errors, "error", "errors")
            ),
        ),
    ];
    let lines = lines.map(|(label, value)| format!("  {label:<16}{value}\n"));
    let head = format!(
        "Organization {:?}: {}.\n",
        shown.organization,
        sentence(card.state)
    );
    head + &lines.concat()
        + &refused(&card.refusals)
        + &old_token(card.old_token.as_ref())
        + &tolerances(&card.tolerances)
}

fn usual(rhythm: &Rhythm) -> String {
    match rhythm.usual_seconds {
        Some(seconds) => format!("{} min", seconds.div_ceil(60)),
        None => "not known yet".to_owned(),
    }
}

fn next(rhythm: &Rhythm) -> String {
    match rhythm.next {
        Next::NotKnown => "not known yet".to_owned(),
        Next::OnChange => "when something changes there".to_owned(),
        Next::At(at) => time(at).to_string(),
        Next::Overdue(at) => format!("overdue since {}", time(at)),
    }
}

fn refused(reasons: &[Refused]) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    let line = |reason: &Refused| {
        let detail = reason.detail.as_deref().unwrap_or("-");
        format!("  {:>8} × {} {detail}\n", reason.count, reason.status)
    };
    let lines: String = reasons.iter().map(line).collect();
    format!("\nWhy the last requests failed:\n{lines}")
}

fn old_token(token: Option<&OldToken>) -> String {
    token.map_or_else(String::new, |token| {
        format!(
            "\nThe revoked token ending {} is still used: {} in 24 hours.\n",
            token.last_four,
            counted(token.requests, "request", "requests")
        )
    })
}

fn sentence(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::NotConfigured => {
            "the identity provider cannot come: make a token, and enable the organization"
        }
        ConnectionState::Waiting => {
            "waiting for the first request: enter URL and token at the identity provider"
        }
        ConnectionState::Connected => "connected",
        ConnectionState::Stale => "silent for longer than usual: look at the identity provider",
        ConnectionState::Errors => "requests fail: \"history list ORG --only errors\" says which",
    }
}

fn tolerances(needed: &[Needed]) -> String {
    if needed.is_empty() {
        return String::new();
    }
    let line = |needed: &Needed| {
        format!(
            "  {:>8} × {} {}\n",
            needed.count, needed.tolerance, needed.subject
        )
    };
    let lines: String = needed.iter().map(line).collect();
    format!("\nWhat was put up with in the last 24 hours:\n{lines}")
}
