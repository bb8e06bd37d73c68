//! `org …`

use clap::Subcommand;
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use super::documents::{Created, Deleted, OrganizationDocument, Organizations, Shown, TokenDocument};
use super::flags::{Flags, name};
use super::token::{describe, generate};
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::{Name, Organization};
use crate::domain::settings::Settings;
use crate::domain::settings_change;
use crate::domain::token::{Purpose, Token};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an organization, enabled at once, and its first token, which is shown this once
    Create {
        /// Its name in URLs: a-z, 0-9 and "-"
        #[arg(value_parser = name)]
        name: Name,
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Change settings of an organization
    Set {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        #[command(flatten)]
        flags: Box<Flags>,
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
    /// Show all organizations
    List,
    /// Show an organization, its settings and tokens
    Show {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Remove an organization: its URL and tokens end at once
    Delete {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
}

impl Command {
    /// Whether the command makes a database where there is none.
    pub(super) fn makes_database(&self) -> bool {
        matches!(self, Self::Create { .. })
    }

    pub(super) async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::Create { name, flags } => create(session, name, *flags).await,
            Self::Set { name, flags } => set(session, name, *flags).await,
            Self::Enable { name } => switch(session, name, true).await,
            Self::Disable { name } => switch(session, name, false).await,
            Self::List => list(session).await,
            Self::Show { name } => show(session, name).await,
            Self::Delete { name } => delete(session, name).await,
        }
    }
}

async fn create(session: &Session, name: Name, flags: Flags) -> Result<()> {
    let now = Timestamp::now();
    let warning = flags.warning();
    let settings = flags.changes().apply(&Settings::default());
    settings_change::demand_consistent(&settings)?;
    let organization = Organization::new(Uuid::now_v7(), name.clone(), flags.display, settings, now)?;
    let secret = generate()?;
    let token = Token::new(Uuid::now_v7(), &secret, Purpose::Scim, now, None);
    session
        .product
        .create_organization(organization, Some(token))
        .await?;
    let document = Created {
        organization: name.to_string(),
        scim_url: session.scim_url(&name),
        token: secret.reveal().to_owned(),
    };
    session.output.result(&document, |created| {
        format!(
            "Organization {:?} is made and enabled.\n\n  SCIM URL  {}\n  token     {}\n\n\
             The token is shown this once: enter both at the identity provider now.\n\
             If it is lost: token rotate {}",
            created.organization, created.scim_url, created.token, created.organization
        )
    });
    session.output.warn(warning.as_deref());
    Ok(())
}

async fn set(session: &Session, name: Name, flags: Flags) -> Result<()> {
    let changes = flags.changes();
    let warning = flags.warning();
    if changes.is_empty() && flags.display.is_none() {
        return Err(Fault::invalid(
            "Nothing to change: name the settings, such as --username any; \"org set --help\" lists them.",
        ));
    }
    let how = move |organization: &mut Organization| {
        let settings = changes.apply(&organization.settings);
        settings_change::demand_still_consistent(&organization.settings, &settings)?;
        organization.settings = settings;
        if let Some(display) = &flags.display {
            organization.display.clone_from(display);
        }
        Ok(())
    };
    let organization = session.product.change_organization(&name, how).await?;
    print(session, organization);
    session.output.warn(warning.as_deref());
    Ok(())
}

async fn switch(session: &Session, name: Name, enabled: bool) -> Result<()> {
    let how = move |organization: &mut Organization| {
        organization.switch(enabled);
        Ok(())
    };
    let organization = session.product.change_organization(&name, how).await?;
    print(session, organization);
    Ok(())
}

async fn list(session: &Session) -> Result<()> {
    let organizations = session.product.organizations().await?;
    let document = Organizations {
        organizations: organizations
            .into_iter()
            .map(|found| document(session, found))
            .collect(),
    };
    session.output.result(&document, |listed| {
        if listed.organizations.is_empty() {
            return "No organizations yet: make one with \"org create NAME\".".to_owned();
        }
        let line = |found: &OrganizationDocument| {
            let state = if found.enabled { "enabled" } else { "disabled" };
            format!("{:<24} {state:<9} {}\n", found.organization, found.scim_url)
        };
        listed.organizations.iter().map(line).collect()
    });
    Ok(())
}

async fn show(session: &Session, name: Name) -> Result<()> {
    let access = session.product.organization(&name).await?;
    let document = Shown {
        organization: document(session, access.organization),
        tokens: TokenDocument::of_all(&access.tokens, Timestamp::now()),
    };
    session.output.result(&document, |shown| {
        format!("{}\n{}", text(&shown.organization), describe(&shown.tokens))
    });
    Ok(())
}

async fn delete(session: &Session, name: Name) -> Result<()> {
    let organization = session
        .product
        .delete_organization(&name, Timestamp::now())
        .await?;
    let document = Deleted {
        organization: name.to_string(),
        id: organization.id,
        deleted: true,
    };
    session.output.result(&document, |deleted| {
        format!(
            "Organization {:?} is deleted: its URL and tokens have ended, and its history is kept.",
            deleted.organization
        )
    });
    Ok(())
}

fn print(session: &Session, organization: Organization) {
    session.output.result(&document(session, organization), text);
}

fn document(session: &Session, organization: Organization) -> OrganizationDocument {
    let scim_url = session.scim_url(&organization.name);
    OrganizationDocument::new(organization, scim_url)
}

fn text(organization: &OrganizationDocument) -> String {
    let state = if organization.enabled {
        "enabled"
    } else {
        "disabled"
    };
    let own = [
        ("SCIM URL", organization.scim_url.clone()),
        ("display", organization.display.clone()),
        ("state", state.to_owned()),
    ];
    let lines = own.into_iter().chain(organization.settings.entries());
    let head = format!("Organization {:?}\n", organization.organization);
    let body = lines.map(|(label, value)| format!("  {label:<20}{value}").trim_end().to_owned() + "\n");
    body.fold(head, |text, line| text + &line)
}
