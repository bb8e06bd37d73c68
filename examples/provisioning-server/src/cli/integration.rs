//! `integration …`

use clap::Subcommand;
use serde::Serialize;

use super::flags::{name, word};
use super::{Session, progress};
use crate::actions::integration::{self, Deleted, Shown};
use crate::domain::counted::counted;
use crate::domain::fault::Result;
use crate::domain::integration::{Attached, State};
use crate::domain::keyword::Keyword;
use crate::domain::organization::Name;
use crate::domain::settings::{IdentityProvider, SetUp};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show how far the integration of an organization is set up
    Show {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Let the identity provider in
    Enable {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Keep the identity provider out; nothing is lost
    Disable {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Remove the integration: its URL and tokens end, its groups and mappings go, its history stays
    Delete {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// How to treat people who are still active: they are disabled, or they become manual accounts, which keep the
        /// permissions that they hold themselves
        #[arg(long, value_name = "HOW", value_parser = word::<Attached>())]
        people: Option<Attached>,
    },
}

#[derive(Debug, Serialize)]
struct IntegrationDocument {
    organization: String,
    state: State,
    idp: IdentityProvider,
    set_up: SetUp,
    /// Only where there is an integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    scim_url: Option<String>,
    has_token: bool,
    /// Whether it can be enabled, in the order of the set-up.
    can_enable: bool,
    active_people: u64,
    groups: u64,
    /// The fate of the people of an integration that was deleted, while that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<Attached>,
}

#[derive(Debug, Serialize)]
struct DeletedDocument {
    organization: String,
    deleted: bool,
    people: Attached,
    /// People who were active.
    active_people: u64,
    groups: u64,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::Show { name } => show(session, &name).await,
            Self::Enable { name } => switch(session, &name, true).await,
            Self::Disable { name } => switch(session, &name, false).await,
            Self::Delete { name, people } => delete(session, &name, people).await,
        }
    }
}

async fn switch(session: &Session, name: &Name, on: bool) -> Result<()> {
    integration::switch(&session.product, &session.actor(), name, on).await?;
    show(session, name).await
}

async fn show(session: &Session, name: &Name) -> Result<()> {
    let shown = integration::show(&session.product, &session.actor(), name).await?;
    session.output.result(&document(session, &shown), text);
    Ok(())
}

fn document(session: &Session, shown: &Shown) -> IntegrationDocument {
    let settings = &shown.organization.settings;
    let scim_url = session.scim_url(&shown.organization.name);
    IntegrationDocument {
        organization: shown.organization.name.to_string(),
        state: shown.state,
        idp: settings.idp,
        set_up: settings.set_up,
        scim_url: Some(scim_url).filter(|_| shown.state != State::Absent),
        has_token: shown.has_token,
        can_enable: shown.shows_switch,
        active_people: shown.active_people,
        groups: shown.groups,
        ending: shown.ending,
    }
}

fn text(shown: &IntegrationDocument) -> String {
    let mut text = format!(
        "The integration of organization {:?} is {}.\n",
        shown.organization,
        shown.state.word()
    );
    if let Some(url) = &shown.scim_url {
        text += &format!("  SCIM URL          {url}\n");
    }
    let token = if shown.has_token { "yes" } else { "no" };
    text += &format!(
        "  identity provider {}\n  API token         {token}\n",
        shown.idp.word()
    );
    text += &format!(
        "  {} active, {}\n",
        counted(shown.active_people, "person", "people"),
        counted(shown.groups, "group", "groups")
    );
    if shown.ending.is_some() {
        text += "The integration before is still being cleared.\n";
    }
    text
}

async fn delete(session: &Session, name: &Name, people: Option<Attached>) -> Result<()> {
    let bar = progress::bar(None, "{spinner} {pos} groups and people cleared");
    let watch = |done| bar.set_position(done);
    let deleted = integration::delete(&session.product, &session.actor(), name, people, watch).await?;
    bar.finish_and_clear();
    let Deleted {
        attached,
        active_people,
        groups,
    } = deleted;
    let document = DeletedDocument {
        organization: name.to_string(),
        deleted: true,
        people: attached,
        active_people,
        groups,
    };
    session.output.result(&document, |deleted| {
        let people = counted(deleted.active_people, "person", "people");
        let people = match deleted.people {
            Attached::DisableAll => format!("{people} disabled"),
            Attached::Detach => format!("{people} kept as manual accounts"),
        };
        format!(
            "The integration of organization {:?} is deleted: {} removed, {people}. Its URL and tokens have ended, and its \
             history is kept.",
            deleted.organization,
            counted(deleted.groups, "group", "groups"),
        )
    });
    Ok(())
}
