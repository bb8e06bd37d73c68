//! `setup-link …`

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::documents::time;
use super::flags::name;
use crate::actions::setup_link;
use crate::domain::fault::Result;
use crate::domain::organization::Name;
use crate::domain::setup_link::{SetupLink, State};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a link to the set-up guide, which is shown this once: whoever opens it first makes the token, without an account
    Create {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Show the links of an organization
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Take a link back
    Revoke {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the link, as "setup-link list" shows it
        #[arg(value_name = "LINK", value_parser = link_id)]
        id: Uuid,
    },
}

#[derive(Debug, Serialize)]
struct Links {
    links: Vec<LinkDocument>,
}

#[derive(Debug, Serialize)]
struct LinkDocument {
    id: Uuid,
    state: State,
    made_by: String,
    created: Timestamp,
    expires: Timestamp,
    opened: Option<Timestamp>,
    ended: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct MadeDocument {
    #[serde(flatten)]
    link: LinkDocument,
    /// The only time that it is shown.
    url: String,
}

impl LinkDocument {
    fn of(link: SetupLink, now: Timestamp) -> Self {
        Self {
            id: link.id,
            state: link.state(now),
            made_by: link.maker.name,
            created: time(link.created),
            expires: time(link.expires),
            opened: link.opened.map(time),
            ended: link.ended.map(time),
        }
    }
}

/// Parses the id of a link, as a person types it.
fn link_id(text: &str) -> std::result::Result<Uuid, &'static str> {
    Uuid::parse_str(text).map_err(|_| "A link is named by its id, which \"setup-link list ORG\" shows.")
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor, now) = (&session.product, &session.actor(), Timestamp::now());
        match self {
            Self::Create { name } => {
                let made = setup_link::create(product, actor, &name).await?;
                let document = MadeDocument {
                    link: LinkDocument::of(made.link, now),
                    url: format!("{}/o/{name}/setup/{}", session.base, made.secret.reveal()),
                };
                session.output.result(&document, |made| {
                    format!(
                        "Whoever opens this link first can follow the guide and make the token until {}, in that browser \
                         alone:\n{}\n",
                        made.link.expires, made.url
                    )
                });
            }
            Self::List { name } => {
                let links = setup_link::list(product, actor, &name).await?;
                let document = Links {
                    links: links
                        .into_iter()
                        .map(|link| LinkDocument::of(link, now))
                        .collect(),
                };
                session.output.result(&document, list_text);
            }
            Self::Revoke { name, id } => {
                setup_link::revoke(product, actor, &name, id).await?;
                let links = setup_link::list(product, actor, &name).await?;
                let document = Links {
                    links: links
                        .into_iter()
                        .map(|link| LinkDocument::of(link, Timestamp::now()))
                        .collect(),
                };
                session.output.result(&document, list_text);
            }
        }
        Ok(())
    }
}

fn list_text(all: &Links) -> String {
    use crate::domain::keyword::Keyword;
    if all.links.is_empty() {
        return "There are no set-up links: make one with \"setup-link create\".\n".to_owned();
    }
    let line = |link: &LinkDocument| {
        format!(
            "{}  {:<8} until {}  made by {}\n",
            link.id,
            link.state.word(),
            link.expires,
            link.made_by
        )
    };
    all.links.iter().map(line).collect()
}
