//! `token …`

use std::io::Read as _;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use super::documents::{TokenDocument, TokenIssued, Tokens};
use super::flags::{name, word};
use crate::actions::token::{self, Ended, New};
use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::Keyword;
use crate::domain::organization::Name;
use crate::domain::secret::Secret;
use crate::domain::token::{Issue, Purpose, Token};

/// The longest text that is read where a token is expected.
const LONGEST: u64 = 4_096;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token, which is shown this once; an earlier token ends at once
    Create(Issuing),
    /// Replace the token: the present one ends at once, or with --overlap when the rotation is completed
    Rotate(Issuing),
    /// Show the tokens of an organization
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Take back one token, or all of them
    Revoke {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name, required_unless_present = "value_stdin")]
        name: Option<Name>,
        /// The id of the token, as "token list" shows it
        #[arg(value_name = "TOKEN", value_parser = token_id)]
        id: Option<Uuid>,
        /// Take back the token that stands on standard input, whichever organization it is of
        #[arg(long, conflicts_with_all = ["name", "id"])]
        value_stdin: bool,
    },
    /// Say that a token, or all of them, were not revoked since a backup was taken that was restored
    Confirm {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the token, as "token list" shows it
        #[arg(value_name = "TOKEN", value_parser = token_id)]
        id: Option<Uuid>,
    },
    /// End a rotation with overlap: only the new token stays
    Complete(Which),
    /// Undo a rotation with overlap: only the old token stays
    Cancel(Which),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name)]
    name: Name,
    /// The use of the token: an identity provider (scim), or the product behind, which reads who may do what (access)
    #[arg(long = "for", value_name = "PURPOSE", value_parser = word::<Purpose>(), default_value = "scim")]
    purpose: Purpose,
}

#[derive(Debug, Args)]
pub(super) struct Issuing {
    #[command(flatten)]
    which: Which,
    /// Accept the present token too until "token complete" or "token cancel"
    #[arg(long)]
    overlap: bool,
    /// How long the token is good for; without it, for ever
    #[arg(long, value_name = "DAYS")]
    expires: Option<u32>,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, &session.actor());
        match self {
            Self::Create(new) if new.overlap => issue(session, new, Issue::CreateBeside).await,
            Self::Create(new) => issue(session, new, Issue::Create).await,
            Self::Rotate(new) if new.overlap => issue(session, new, Issue::Overlap).await,
            Self::Rotate(new) => issue(session, new, Issue::Rotate).await,
            Self::List { name } => {
                // A server looks once a minute, and there may be none.
                token::watch(product, Timestamp::now()).await?;
                list(session, name).await
            }
            Self::Confirm { name, id } => {
                let tokens = token::confirm(product, actor, &name, id).await?;
                show(session, &name, &tokens);
                Ok(())
            }
            Self::Revoke {
                name: Some(name), id, ..
            } => print(session, token::revoke(product, actor, &name, id).await?),
            Self::Revoke { name: None, .. } => print(
                session,
                token::revoke_by_value(product, actor, &standing_on_input()?).await?,
            ),
            Self::Complete(which) => print(
                session,
                token::complete(product, actor, &which.name, which.purpose).await?,
            ),
            Self::Cancel(which) => print(
                session,
                token::cancel(product, actor, &which.name, which.purpose).await?,
            ),
        }
    }
}

/// Reads the text on standard input.
fn standing_on_input() -> Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|cause| Fault::internal("Standard input cannot be read.", cause))?;
    Ok(text)
}

/// Parses the id of a token, as a person types it.
fn token_id(text: &str) -> std::result::Result<Uuid, &'static str> {
    Uuid::parse_str(text).map_err(|_| "A token is named by its id, which \"token list ORG\" shows.")
}

/// Reveals the text of a token that was just made.
pub(super) fn revealed(secret: Option<&Secret>) -> Option<String> {
    secret.map(|secret| secret.reveal().to_owned())
}

async fn issue(session: &Session, new: Issuing, how: Issue) -> Result<()> {
    let name = new.which.name;
    let asked = New {
        purpose: new.which.purpose,
        how,
        days: new.expires,
    };
    let issued = token::issue(&session.product, &session.actor(), &name, asked).await?;
    let document = TokenIssued {
        organization: name.to_string(),
        scim_url: session.scim_url(&name),
        access_url: (asked.purpose == Purpose::Access).then(|| session.access_url()),
        token: issued.secret.reveal().to_owned(),
        id: issued.token.id,
        purpose: asked.purpose,
        expires: TokenIssued::expires(issued.token.expires),
        revoked: issued.revoked,
    };
    session
        .output
        .one_line(&document, |issued| &issued.token, issued_text);
    Ok(())
}

fn issued_text(issued: &TokenIssued) -> String {
    let (label, url) = match &issued.access_url {
        Some(url) => ("URL     ", url),
        None => ("SCIM URL", &issued.scim_url),
    };
    let mut text = format!(
        "Token of organization {:?}, shown this once:\n\n  {label}  {url}\n  token     {}\n",
        issued.organization, issued.token
    );
    if let Some(expires) = issued.expires {
        text += &format!("  expires   {expires}\n");
    }
    if !issued.revoked.is_empty() {
        let who = match issued.purpose {
            Purpose::Scim => "the identity provider",
            Purpose::Access => "the product behind",
        };
        text += &format!("\nThe token before it has ended: {who} is refused until it has this one.\n");
    }
    text
}

async fn list(session: &Session, name: Name) -> Result<()> {
    let tokens = token::list(&session.product, &session.actor(), &name).await?;
    show(session, &name, &tokens);
    Ok(())
}

fn show(session: &Session, name: &Name, tokens: &[Token]) {
    let document = Tokens {
        organization: name.to_string(),
        revoked: None,
        tokens: TokenDocument::of_all(tokens, Timestamp::now()),
    };
    session
        .output
        .result(&document, |listed| describe(&listed.tokens));
}

/// Shows what has become of tokens.
fn print(session: &Session, ended: Ended) -> Result<()> {
    let document = Tokens {
        organization: ended.organization.to_string(),
        revoked: Some(ended.revoked),
        tokens: TokenDocument::of_all(&ended.tokens, Timestamp::now()),
    };
    session.output.result(&document, |ended| describe(&ended.tokens));
    Ok(())
}

/// Returns tokens as a table for people.
pub(super) fn describe(tokens: &[TokenDocument]) -> String {
    if tokens.is_empty() {
        return "No tokens yet: make one with \"token create ORG\".".to_owned();
    }
    let day = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let line = |token: &TokenDocument| {
        format!(
            "{}  {:<8} {:<7} {}…{}  {:<21} {:<21} {}\n",
            token.id,
            token.state.word(),
            token.purpose.word(),
            token.prefix,
            token.last_four,
            token.created.to_string(),
            day(token.last_used),
            day(token.expires)
        )
    };
    let head = format!(
        "{:<36}  {:<8} {:<7} {:<15}  {:<21} {:<21} {}\n",
        "ID", "STATE", "FOR", "TOKEN", "CREATED", "LAST USED", "EXPIRES"
    );
    let mut text = head + &tokens.iter().map(line).collect::<String>();
    for token in tokens {
        if let Some(since) = token.may_be_revoked_since {
            text += &format!(
                "\n{} may have been revoked since {since}, when the backup was taken that was restored: confirm it with \
                 \"token confirm\", or rotate it.\n",
                token.id
            );
        }
    }
    text
}
