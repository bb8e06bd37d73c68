//! `alert …`

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::Session;
use super::documents::time;
use super::flags::name;
use crate::actions::alert;
use crate::database::losses::Raised;
use crate::domain::fault::Result;
use crate::domain::mass_change::LossKind;
use crate::domain::organization::Name;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show when many people have lost something at once, the newest first
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Note that all alerts were seen
    Seen {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
}

#[derive(Debug, Serialize)]
struct Alerts {
    organization: String,
    alerts: Vec<AlertDocument>,
}

#[derive(Debug, Serialize)]
struct AlertDocument {
    id: Uuid,
    time: Timestamp,
    kind: LossKind,
    people: u64,
    threshold: u32,
    sentence: String,
    causes: Value,
    seen: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Seen {
    organization: String,
    /// How many alerts were new.
    seen: u64,
}

impl AlertDocument {
    fn of(raised: Raised) -> Self {
        Self {
            id: raised.id,
            time: time(raised.time),
            kind: raised.kind,
            people: raised.people,
            threshold: raised.threshold,
            sentence: raised.sentence,
            causes: raised.causes,
            seen: raised.seen.map(time),
        }
    }
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, &session.actor());
        match self {
            Self::List { name } => {
                // A server looks once a minute, and there may be none.
                alert::watch(product, Timestamp::now()).await?;
                let alerts = alert::list(product, actor, &name).await?;
                let document = Alerts {
                    organization: name.to_string(),
                    alerts: alerts.into_iter().map(AlertDocument::of).collect(),
                };
                session.output.result(&document, text);
            }
            Self::Seen { name } => {
                let document = Seen {
                    seen: alert::see_all(product, actor, &name).await?,
                    organization: name.to_string(),
                };
                session
                    .output
                    .result(&document, |seen| format!("{} new alerts were seen.", seen.seen));
            }
        }
        Ok(())
    }
}

fn text(listed: &Alerts) -> String {
    if listed.alerts.is_empty() {
        return "No alerts: nobody has lost anything at an unusual rate.".to_owned();
    }
    let line = |alert: &AlertDocument| {
        let new = if alert.seen.is_none() { "new" } else { "" };
        format!("{:<21} {new:<4} {}\n", alert.time.to_string(), alert.sentence)
    };
    listed.alerts.iter().map(line).collect()
}
