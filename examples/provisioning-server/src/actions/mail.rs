//! The mailbox of the product: what was sent to whom, and what was not.

use serde_json::json;
use uuid::Uuid;

use super::act::{Act, Subject, View, carry_out, look};
use crate::database::demonstration::is_demonstration;
use crate::database::mail::{self, Queued};
use crate::database::{Product, Stop};
use crate::domain::actor::{Action, Actor};
use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::Keyword;
use crate::domain::mail::letter::{Letter, Letterhead};
use crate::domain::mail::{Link, State};
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permission;

/// The most mails that are read at once.
pub(crate) const MOST: u32 = 1_000;

/// The words in place of a link that is not shown.
const HIDDEN: &str = "(hidden)";

/// Looks at the mailbox.
pub(crate) static LIST: Action = Action {
    name: "mail.list",
    permission: Permission::USERS_READ,
    fresh: false,
};

/// Looks at one mail, without the link in it.
pub(crate) static SHOW: Action = Action {
    name: "mail.show",
    permission: Permission::USERS_READ,
    fresh: false,
};

/// Looks at the link in a mail, by which somebody else signs in. It is the operator's alone, but in a demonstration.
pub(crate) static SHOW_LINK: Action = Action {
    name: "mail.show-link",
    permission: Permission::USERS_WRITE,
    fresh: true,
};

/// Sends a mail that was not sent.
pub(crate) static RETRY: Action = Action {
    name: "mail.retry",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Cancels a mail that was not sent.
pub(crate) static CANCEL: Action = Action {
    name: "mail.cancel",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// A mail as people read it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) mail: Queued,
    pub(crate) subject: String,
    /// The plain text.
    pub(crate) text: String,
}

/// The facts that every text repeats: where the server is, and what it is called.
#[derive(Debug, Clone)]
struct Imprint {
    product: String,
    base: String,
}

impl Imprint {
    async fn of(product: &Product) -> Result<Self> {
        Ok(Self {
            product: product.product_name().await?.unwrap_or_default(),
            base: product.origin().await?.unwrap_or_default(),
        })
    }

    /// Writes a mail of an organization, with this link or with none that can be used.
    fn read(&self, organization: &Organization, mail: Queued, link: Option<&Link>) -> Result<Read> {
        let head = Letterhead {
            product: &self.product,
            organization: Some(&organization.display),
            support: organization.settings.support_contact.as_str(),
            recipient: &mail.recipient,
        };
        let url = match link {
            Some(link) => format!("{}{}", self.base, link.reveal()),
            None => HIDDEN.to_owned(),
        };
        let letter = Letter::new(&head, &mail.content, Some(url));
        let text = letter
            .plain()
            .map_err(|cause| Fault::internal("The mail cannot be written.", cause))?;
        Ok(Read {
            subject: letter.subject,
            text,
            mail,
        })
    }
}

/// Returns the mails in one state, or all, the last first.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    state: Option<State>,
    limit: u32,
) -> Result<Vec<Read>> {
    let imprint = Imprint::of(product).await?;
    look(product, actor, &LIST, organization, move |view| {
        let found = mail::list(view.reader, view.organization.id, state, limit.min(MOST))?;
        let read = |mail| Ok(imprint.read(view.organization, mail, None)?);
        found.into_iter().map(read).collect()
    })
    .await
}

/// Returns one mail, without its link.
pub(crate) async fn show(product: &Product, actor: &Actor, organization: &Name, id: Uuid) -> Result<Read> {
    let imprint = Imprint::of(product).await?;
    look(product, actor, &SHOW, organization, move |view| {
        let found = find(view, id)?;
        Ok(imprint.read(view.organization, found, None)?)
    })
    .await
}

/// Returns one mail with its link, for the operator or in a demonstration.
pub(crate) async fn show_link(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    id: Uuid,
) -> Result<Read> {
    let (imprint, keys) = (Imprint::of(product).await?, product.keys().clone());
    carry_out(product, actor, &SHOW_LINK, organization, move |act| {
        if !act.actor.is_operator() && !is_demonstration(act.tx)? {
            return Err(Fault::forbidden(
                "Links in mails let somebody else sign in, and are shown to the operator alone: ask for it at the command \
                 line.",
            )
            .into());
        }
        let found = find(&act.view(), id)?;
        let link = found.link(&keys, act.organization.id)?;
        if link.is_none() {
            return Err(Fault::conflict(format!(
                "There is no link in the mail {id}: it was sent, it has ended, or there was none."
            ))
            .into());
        }
        note(act, &found)?;
        Ok(imprint.read(act.organization, found, link.as_ref())?)
    })
    .await
}

/// Sends a mail once more that has failed, or was kept here. It is the same mail, with the same link.
pub(crate) async fn retry(product: &Product, actor: &Actor, organization: &Name, id: Uuid) -> Result<Read> {
    change(product, actor, &RETRY, organization, id, move |act, found| {
        if crate::database::delivery::is_kept(act.tx)? {
            return Err(Fault::conflict(
                "The server has no mail server, and sends nothing: start it with --smtp-host first.",
            )
            .into());
        }
        match found.state {
            State::Failed | State::Kept => Ok(mail::retry(act.tx, act.organization.id, id, act.now)?),
            _ => Err(refused(found, "only what has failed or was kept is sent again")),
        }
    })
    .await
}

/// Cancels a mail that was not sent.
pub(crate) async fn cancel(product: &Product, actor: &Actor, organization: &Name, id: Uuid) -> Result<Read> {
    change(
        product,
        actor,
        &CANCEL,
        organization,
        id,
        move |act, found| match found.state {
            State::Failed | State::Kept | State::Queued => {
                Ok(mail::cancel_one(act.tx, act.organization.id, id)?)
            }
            State::Sent | State::Cancelled => Err(refused(found, "only what was not sent is cancelled")),
        },
    )
    .await
}

/// Changes a mail, and returns it as it is then.
async fn change(
    product: &Product,
    actor: &Actor,
    action: &'static Action,
    organization: &Name,
    id: Uuid,
    job: impl Fn(&Act<'_>, &Queued) -> Result<(), Stop> + Send + 'static,
) -> Result<Read> {
    let imprint = Imprint::of(product).await?;
    carry_out(product, actor, action, organization, move |act| {
        let found = find(&act.view(), id)?;
        job(act, &found)?;
        note(act, &found)?;
        let changed = find(&act.view(), id)?;
        Ok(imprint.read(act.organization, changed, None)?)
    })
    .await
}

fn note(act: &Act<'_>, mail: &Queued) -> scim::Result<()> {
    let subject = Subject {
        kind: "mail",
        id: mail.id.to_string().into(),
        name: &mail.recipient,
    };
    act.audit(&subject, json!({ "kind": mail.content.kind().word() }))
}

fn find(view: &View<'_>, id: Uuid) -> Result<Queued, Stop> {
    let found = mail::find(view.reader, view.organization.id, id)?;
    Ok(found.ok_or_else(|| {
        Fault::not_found(format!(
            "There is no mail {id} in this organization: \"mail list\" shows them."
        ))
    })?)
}

fn refused(mail: &Queued, rule: &str) -> Stop {
    let (id, state) = (mail.id, mail.state.word());
    Fault::conflict(format!("The mail {id} is {state}: {rule}.")).into()
}
