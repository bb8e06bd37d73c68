//! `mail …`

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::documents::time;
use super::flags::{name, word};
use super::output::Output;
use super::{Common, ORIGIN, Session, smtp};
use crate::actions;
use crate::actions::mail::Read;
use crate::delivery::mail::send_trial;
use crate::delivery::mail::settings::Imprint;
use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::Keyword;
use crate::domain::mail::{Kind, State};
use crate::domain::organization::Name;
use crate::domain::public_url::PublicUrl;
use crate::domain::realm::RealmName;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send a mail at once, to see that mails arrive: with the settings of "serve", from the same places
    Test(Box<Test>),
    #[command(flatten)]
    Mailbox(Mailbox),
}

#[derive(Debug, Args)]
pub(super) struct Test {
    /// To whom
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    #[command(flatten)]
    mail: smtp::Flags,
}

/// The answer of `mail test`.
#[derive(Debug, Serialize)]
struct Tested {
    to: String,
    server: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Mailbox {
    /// Show mails, the last first
    List {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name, required_unless_present = "instance")]
        name: Option<Name>,
        /// Those of the instance, which go to its owners
        #[arg(long, conflicts_with = "name")]
        instance: bool,
        /// Only those in this state
        #[arg(long, value_name = "STATE", value_parser = word::<State>())]
        state: Option<State>,
        /// Only those before this one: the id that an earlier list ended with
        #[arg(long, value_name = "ID")]
        before: Option<Uuid>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50,
              value_parser = clap::value_parser!(u32).range(1..=i64::from(actions::mail::MOST)))]
        limit: u32,
    },
    /// Show one mail, and why it was not sent
    Show {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the mail, as "mail list" shows it
        #[arg(value_name = "MAIL")]
        id: Uuid,
        /// With the link in it, by which its recipient signs in; this is noted in the audit log
        #[arg(long)]
        link: bool,
    },
    /// Send a mail once more that has failed or was kept
    Retry {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the mail, as "mail list" shows it
        #[arg(value_name = "MAIL")]
        id: Uuid,
    },
    /// Cancel a mail that was not sent
    Cancel {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The id of the mail, as "mail list" shows it
        #[arg(value_name = "MAIL")]
        id: Uuid,
    },
}

/// The answer of `mail list`.
#[derive(Debug, Serialize)]
struct Mails {
    /// None for the mails of the instance.
    organization: Option<String>,
    /// Whether mails are sent at all.
    sends: bool,
    /// Why the mail server cannot be used, if it cannot.
    trouble: Option<String>,
    mails: Vec<MailDocument>,
}

/// The answer of the other commands.
#[derive(Debug, Serialize)]
struct OneMail {
    organization: String,
    #[serde(flatten)]
    mail: MailDocument,
    text: String,
}

#[derive(Debug, Serialize)]
struct MailDocument {
    id: Uuid,
    kind: Kind,
    state: State,
    recipient: String,
    subject: String,
    created: Timestamp,
    sent: Option<Timestamp>,
    /// When it is tried next.
    next_try: Option<Timestamp>,
    attempts: u32,
    error: Option<String>,
    message_id: String,
    /// Whether there is a link in it that can still be used.
    has_link: bool,
}

impl MailDocument {
    fn of(read: Read) -> Self {
        let Read { mail, subject, .. } = read;
        Self {
            id: mail.id,
            kind: mail.content.kind(),
            state: mail.state,
            has_link: mail.has_link(),
            recipient: mail.recipient,
            subject,
            created: time(mail.created),
            sent: mail.sent.map(time),
            next_try: mail.due.map(time),
            attempts: mail.attempts,
            error: mail.error,
            message_id: mail.message_id,
        }
    }
}

impl Test {
    pub(super) async fn run(self, common: &Common, output: Output) -> Result<()> {
        let mut settings = common.settings()?;
        let base = common.public_url(&mut settings)?;
        let chosen = self.mail.in_force(&mut settings)?;
        let smtp = chosen.smtp.ok_or_else(|| {
            Fault::invalid("There is no mail server: name one with --smtp-host, as for \"serve\".")
        })?;
        let imprint = Imprint {
            product: chosen.product,
            base: base.map_or_else(|| PublicUrl::parse(ORIGIN), Ok)?,
        };
        send_trial(&smtp, &imprint, &self.to).await?;
        let document = Tested {
            to: self.to,
            server: format!("{}:{}", smtp.host, smtp.port),
        };
        output.result(&document, |tested| {
            format!(
                "The mail server {} has taken a mail to {}.",
                tested.server, tested.to
            )
        });
        Ok(())
    }
}

impl Mailbox {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, session.actor());
        let (organization, read) = match self {
            Self::List {
                name,
                instance: _,
                state,
                before,
                limit,
            } => return list(session, name, state, before, limit).await,
            Self::Show { name, id, link: true } => {
                let read = actions::mail::show_link(product, &actor, &name, id).await?;
                (name, read)
            }
            Self::Show {
                name,
                id,
                link: false,
            } => {
                let read = actions::mail::show(product, &actor, &name, id).await?;
                (name, read)
            }
            Self::Retry { name, id } => {
                let read = actions::mail::retry(product, &actor, &name, id).await?;
                (name, read)
            }
            Self::Cancel { name, id } => {
                let read = actions::mail::cancel(product, &actor, &name, id).await?;
                (name, read)
            }
        };
        let document = OneMail {
            organization: organization.to_string(),
            text: read.text.clone(),
            mail: MailDocument::of(read),
        };
        session.output.result(&document, |shown| {
            format!("{}\n{}", line(&shown.mail), shown.text)
        });
        Ok(())
    }
}

async fn list(
    session: &Session,
    name: Option<Name>,
    state: Option<State>,
    before: Option<Uuid>,
    limit: u32,
) -> Result<()> {
    let realm = RealmName::from(name.clone());
    let listed = actions::mail::list(&session.product, &session.actor(), realm, state, before, limit).await?;
    let document = Mails {
        organization: name.map(|name| name.to_string()),
        sends: listed.sends,
        trouble: listed.trouble,
        mails: listed.mails.into_iter().map(MailDocument::of).collect(),
    };
    session.output.result(&document, list_text);
    Ok(())
}

fn list_text(listed: &Mails) -> String {
    let head = match (&listed.trouble, listed.sends) {
        (_, false) => "The server has no mail server (--smtp-host): mails are kept here.\n".to_owned(),
        (Some(why), true) => format!("The mail server cannot be used, and mails wait: {why}\n"),
        (None, true) => String::new(),
    };
    let mut lines: String = listed.mails.iter().map(line).collect();
    if listed.mails.is_empty() {
        lines += "No such mails.";
    }
    head + &lines
}

fn line(mail: &MailDocument) -> String {
    let at = mail.sent.unwrap_or(mail.created);
    let mut text = format!(
        "{}  {:<9} {}  {}\n  {}\n",
        mail.id,
        mail.state.word(),
        at,
        mail.recipient,
        mail.subject
    );
    if let Some(error) = &mail.error {
        text += &format!("  {error}\n");
    }
    text
}
