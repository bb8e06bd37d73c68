//! `token …`

use clap::{Args, Subcommand};
use jiff::Timestamp;
use uuid::Uuid;

use super::Session;
use super::documents::{TokenDocument, TokenIssued, Tokens};
use super::flags::name;
use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::Keyword;
use crate::domain::organization::Name;
use crate::domain::token::{self, Issue, Purpose, Secret, Token};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token, which is shown this once; an earlier token ends at once
    Create(New),
    /// Replace the token: the present one ends at once, or with --overlap when the rotation is completed
    Rotate(New),
    /// Show the tokens of an organization
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Take back one token, or all of them
    Revoke {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the token, as "token list" shows it
        #[arg(value_name = "TOKEN", value_parser = token_id)]
        id: Option<Uuid>,
    },
    /// End a rotation with overlap: only the new token stays
    Complete {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Undo a rotation with overlap: only the old token stays
    Cancel {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
}

#[derive(Debug, Args)]
pub(super) struct New {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name)]
    name: Name,
    /// Accept the present token too until "token complete" or "token cancel"
    #[arg(long)]
    overlap: bool,
    /// How long the token is good for; without it, for ever
    #[arg(long, value_name = "DAYS")]
    expires: Option<u32>,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let now = Timestamp::now();
        match self {
            Self::Create(new) if new.overlap => issue(session, new, Issue::CreateBeside, now).await,
            Self::Create(new) => issue(session, new, Issue::Create, now).await,
            Self::Rotate(new) if new.overlap => issue(session, new, Issue::Overlap, now).await,
            Self::Rotate(new) => issue(session, new, Issue::Rotate, now).await,
            Self::List { name } => list(session, name, now).await,
            Self::Revoke { name, id } => {
                end(session, name, now, move |all| token::revoke(all, id, now)).await
            }
            Self::Complete { name } => {
                end(session, name, now, move |all| {
                    token::complete(all, Purpose::Scim, now)
                })
                .await
            }
            Self::Cancel { name } => {
                end(session, name, now, move |all| {
                    token::cancel(all, Purpose::Scim, now)
                })
                .await
            }
        }
    }
}

/// The id of a token, as a person types it.
fn token_id(text: &str) -> std::result::Result<Uuid, &'static str> {
    Uuid::parse_str(text).map_err(|_| "A token is named by its id, which \"token list ORG\" shows.")
}

/// A new token from the random source of the system.
pub(super) fn generate() -> Result<Secret> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Fault::internal("The system's random source failed.", cause.to_string()))?;
    Ok(Secret::from_random(bytes))
}

async fn issue(session: &Session, new: New, how: Issue, now: Timestamp) -> Result<()> {
    let expires = token::expiry(now, new.expires)?;
    let secret = generate()?;
    let token = Token::new(Uuid::now_v7(), &secret, Purpose::Scim, now, expires);
    let id = token.id;
    let rule = move |all: &[Token]| token::issue(all, Purpose::Scim, how, now);
    let change = session
        .product
        .change_tokens(&new.name, now, Some(token), rule)
        .await?;
    let document = TokenIssued {
        organization: new.name.to_string(),
        scim_url: session.scim_url(&new.name),
        token: secret.reveal().to_owned(),
        id,
        expires: TokenIssued::expires(expires),
        revoked: change.revoked,
    };
    session
        .output
        .one_line(&document, |issued| &issued.token, issued_text);
    Ok(())
}

fn issued_text(issued: &TokenIssued) -> String {
    let mut text = format!(
        "Token of organization {:?}, shown this once:\n\n  SCIM URL  {}\n  token     {}\n",
        issued.organization, issued.scim_url, issued.token
    );
    if let Some(expires) = issued.expires {
        text += &format!("  expires   {expires}\n");
    }
    if !issued.revoked.is_empty() {
        text += "\nThe token before it has ended: the identity provider is refused until it has this one.\n";
    }
    text
}

async fn list(session: &Session, name: Name, now: Timestamp) -> Result<()> {
    let access = session.product.organization(&name).await?;
    let document = Tokens {
        organization: name.to_string(),
        revoked: None,
        tokens: TokenDocument::of_all(&access.tokens, now),
    };
    session
        .output
        .result(&document, |listed| describe(&listed.tokens));
    Ok(())
}

async fn end(
    session: &Session,
    name: Name,
    now: Timestamp,
    rule: impl Fn(&[Token]) -> Result<Vec<Uuid>> + Send + 'static,
) -> Result<()> {
    let change = session.product.change_tokens(&name, now, None, rule).await?;
    let document = Tokens {
        organization: name.to_string(),
        revoked: Some(change.revoked),
        tokens: TokenDocument::of_all(&change.tokens, now),
    };
    session.output.result(&document, |ended| describe(&ended.tokens));
    Ok(())
}

/// Tokens as a table for people.
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
    head + &tokens.iter().map(line).collect::<String>()
}
