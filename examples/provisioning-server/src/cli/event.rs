//! `event …`

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::Session;
use super::flags::name;
use crate::actions;
use crate::domain::event::{Cursor, EventKind, Told};
use crate::domain::fault::Result;
use crate::domain::keyword::Keyword;
use crate::domain::organization::Name;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what has happened to people, groups, roles and mappings, the oldest first
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// Only what has happened after this: the cursor that an earlier call ended with
        #[arg(long, value_name = "CURSOR", value_parser = Cursor::parse)]
        after: Option<Cursor>,
        /// How many events at most
        #[arg(long, value_name = "N", default_value_t = 100,
              value_parser = clap::value_parser!(u32).range(1..=i64::from(actions::event::MOST)))]
        limit: u32,
    },
}

/// The answer of `event list`.
#[derive(Debug, Serialize)]
struct Events {
    organization: String,
    events: Vec<EventDocument>,
    /// The cursor to go on with; the one that was given if nothing is new.
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct EventDocument {
    cursor: String,
    time: Timestamp,
    kind: EventKind,
    subject_type: String,
    subject: String,
    people: u64,
    data: Value,
}

impl EventDocument {
    fn of(told: Told) -> Self {
        Self {
            cursor: told.cursor.to_string(),
            time: told.time,
            kind: told.event.kind,
            subject_type: told.event.subject_type.into_owned(),
            subject: told.event.subject,
            people: told.event.people,
            data: told.event.data,
        }
    }
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let Self::List { name, after, limit } = self;
        let told = actions::event::list(&session.product, &session.actor(), &name, after, limit).await?;
        let cursor = told.last().map(|told| told.cursor).or(after);
        let document = Events {
            organization: name.to_string(),
            events: told.into_iter().map(EventDocument::of).collect(),
            cursor: cursor.map(|cursor| cursor.to_string()),
        };
        session.output.result(&document, text);
        Ok(())
    }
}

fn text(listed: &Events) -> String {
    if listed.events.is_empty() {
        return "Nothing has happened since.".to_owned();
    }
    let line = |event: &EventDocument| {
        let name = event.data.get("name").and_then(Value::as_str);
        format!(
            "{:<21} {:<22} {:<12} {}  {}\n",
            super::documents::time(event.time).to_string(),
            event.kind.word(),
            event.subject_type,
            event.subject,
            name.unwrap_or_default()
        )
    };
    let lines: String = listed.events.iter().map(line).collect();
    let cursor = listed.cursor.as_deref().unwrap_or_default();
    format!("{lines}\nGo on with:  --after {cursor}")
}
