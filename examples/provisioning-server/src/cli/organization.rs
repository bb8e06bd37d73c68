//! `org …`

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::documents::{
    Created, Deleted, OrganizationDocument, Organizations, SetDocument, Shown, TokenDocument, WithRoles,
};
use super::flags::{Flags, name, word};
use super::token::{describe, revealed};
use super::{Session, progress};
use crate::actions::organization::{self, Beginning, Change, Draft, MovedRole, Preview};
use crate::actions::{integration, token};
use crate::domain::counted::counted;
use crate::domain::entry::Whom;
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::{Name, Organization};

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
        #[command(flatten)]
        how: How,
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

/// How settings are changed.
#[derive(Debug, Args)]
pub(super) struct How {
    /// The name of the organization, to confirm what cannot be undone or keeps people out
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// For whom --first-login holds: people who are provisioned from now on, or everybody whom the identity provider has sent
    #[arg(long = "for", value_name = "WHOM", default_value = "new", value_parser = word::<Whom>())]
    whom: Whom,
    /// Only show what the change would do
    #[arg(long)]
    preview: bool,
}

impl Command {
    /// Returns whether the command makes a database if there is none.
    pub(super) fn makes_database(&self) -> bool {
        matches!(self, Self::Create { .. })
    }

    pub(super) async fn run(self, session: &Session) -> Result<()> {
        match self {
            Self::Create { name, flags } => create(session, name, *flags).await,
            Self::Set { name, flags, how } => set(session, name, *flags, how).await,
            Self::Enable { name } => switch(session, name, true).await,
            Self::Disable { name } => switch(session, name, false).await,
            Self::List => list(session).await,
            Self::Show { name } => show(session, name).await,
            Self::Delete { name } => delete(session, name).await,
        }
    }
}

async fn create(session: &Session, name: Name, flags: Flags) -> Result<()> {
    let warning = flags.warning();
    let draft = Draft {
        name: name.clone(),
        settings: flags.changes(),
        display: flags.display,
        beginning: Beginning::WithToken,
    };
    let secret = organization::create(&session.product, &session.actor(), draft).await?;
    let document = Created {
        organization: name.to_string(),
        scim_url: session.scim_url(&name),
        token: revealed(secret.as_ref()).unwrap_or_default(),
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

async fn set(session: &Session, name: Name, flags: Flags, how: How) -> Result<()> {
    let change = Change {
        settings: flags.changes(),
        display: flags.display.clone(),
        for_all: how.whom == Whom::All,
        typed: how.confirm,
    };
    let warning = flags.warning();
    if change.is_empty() {
        return Err(Fault::invalid(
            "Nothing to change: name the settings, such as --username any; \"org set --help\" lists them.",
        ));
    }
    let (product, actor) = (&session.product, &session.actor());
    let document = match how.preview {
        true => {
            let preview = organization::preview(product, actor, &name, change).await?;
            previewed(session, preview)
        }
        false => {
            let bar = progress::bar(None, "{spinner} attributes of {pos} people looked at");
            let set = organization::set(product, actor, &name, change, |seen| bar.set_position(seen)).await?;
            bar.finish_and_clear();
            was_set(session, set)
        }
    };
    session.output.result(&document, set_text);
    session.output.warn(warning.as_deref());
    Ok(())
}

fn previewed(session: &Session, preview: Preview) -> SetDocument {
    let (before, after) = preview.people_with_roles;
    let counts = WithRoles { before, after };
    SetDocument {
        organization: document(session, preview.after),
        applied: Some(false),
        people_with_roles: Some(counts).filter(|_| !preview.consequences.previewed.is_empty()),
        roles: preview.roles,
        needs_confirmation: preview.consequences.typed,
        effects: preview.consequences.previewed,
        notes: preview.consequences.told,
        token: None,
    }
}

fn was_set(session: &Session, set: organization::Set) -> SetDocument {
    SetDocument {
        organization: document(session, set.organization),
        applied: None,
        people_with_roles: None,
        roles: Vec::new(),
        needs_confirmation: Vec::new(),
        effects: set.consequences.previewed,
        notes: set.consequences.told,
        token: revealed(set.secret.as_ref()),
    }
}

fn set_text(set: &SetDocument) -> String {
    let mut out = text(&set.organization);
    if set.applied == Some(false) {
        out = format!("Nothing is changed yet. It would be:\n{out}");
    }
    for sentence in &set.needs_confirmation {
        out += &format!(
            "\n{sentence} Confirm it with --confirm {}.\n",
            set.organization.organization
        );
    }
    for sentence in set.effects.iter().chain(&set.notes) {
        out += &format!("\n{sentence}\n");
    }
    if let Some(WithRoles { before, after }) = set.people_with_roles {
        out += &format!("\n{before} people have roles now; {after} would.\n");
    }
    for MovedRole { role, before, after } in &set.roles {
        out += &format!("  {role}: {before} people now, {after} then\n");
    }
    if let Some(token) = &set.token {
        out += &format!(
            "\n  token     {token}\n\nThe token is shown this once: enter it at the identity provider now.\n"
        );
    }
    out
}

async fn switch(session: &Session, name: Name, enabled: bool) -> Result<()> {
    let organization = integration::switch(&session.product, &session.actor(), &name, enabled).await?;
    session.output.result(&document(session, organization), text);
    Ok(())
}

async fn list(session: &Session) -> Result<()> {
    let organizations = organization::list(&session.product, &session.actor()).await?;
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
    let (product, actor) = (&session.product, &session.actor());
    let organization = organization::show(product, actor, &name).await?;
    let tokens = token::list(product, actor, &name).await?;
    let document = Shown {
        organization: document(session, organization),
        tokens: TokenDocument::of_all(&tokens, Timestamp::now()),
    };
    session.output.result(&document, |shown| {
        format!("{}\n{}", text(&shown.organization), describe(&shown.tokens))
    });
    Ok(())
}

async fn delete(session: &Session, name: Name) -> Result<()> {
    let deleted = organization::delete(&session.product, &session.actor(), &name, None).await?;
    let document = Deleted {
        organization: name.to_string(),
        id: deleted.organization.id,
        deleted: true,
        people: deleted.people,
        groups: deleted.groups,
    };
    session.output.result(&document, |deleted| {
        format!(
            "Organization {:?} is deleted, with {} and {}: its URL and tokens have ended, and its history is kept.",
            deleted.organization,
            counted(deleted.people, "person", "people"),
            counted(deleted.groups, "group", "groups"),
        )
    });
    Ok(())
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
