//! The mailbox of the product: what was sent to whom, and what was not.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use serde_json::{Value, json};
use uuid::Uuid;

use super::act::{Subject, carry_out, look};
use crate::database::demonstration::is_demonstration;
use crate::database::mail::{self, Queued};
use crate::database::{Product, Stop, audit};
use crate::domain::actor::{Action, Actor};
use crate::domain::audit::AuditRow;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::keyword::Keyword;
use crate::domain::mail::letter::{Letter, Letterhead};
use crate::domain::mail::{Link, State};
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permission;
use crate::domain::realm::{Realm, RealmName};

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

/// Mails, and how the server sends them.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Whether mails are sent at all.
    pub(crate) sends: bool,
    /// Why the mail server cannot be used, if it cannot.
    pub(crate) trouble: Option<String>,
    pub(crate) mails: Vec<Read>,
}

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

    /// Writes a mail of an organization or of the instance, with this link or with none that can be used.
    fn read(&self, organization: Option<&Organization>, mail: Queued, link: Option<&Link>) -> Result<Read> {
        let head = Letterhead {
            product: &self.product,
            organization: organization.map(|organization| organization.display.as_str()),
            support: organization.map_or("", |organization| organization.settings.support_contact.as_str()),
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

/// Returns the mails in one state, or all, the last first: those before one of them, where one is named.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    realm: impl Into<RealmName>,
    state: Option<State>,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Listed> {
    let imprint = Imprint::of(product).await?;
    let mails = look_into(
        product,
        actor,
        &LIST,
        realm.into(),
        move |reader, organization| {
            let found = mail::list(reader, id_of(organization), state, before, limit.min(MOST))?;
            let read = |mail| Ok(imprint.read(organization, mail, None)?);
            found.into_iter().map(read).collect()
        },
    );
    let mails = mails.await?;
    Ok(Listed {
        sends: !product.keeps_mails().await?,
        trouble: product.mail_trouble().await?.map(|why| said_to(actor, why)),
        mails,
    })
}

/// Returns why the mail server cannot be used, as far as it is the actor's to know: the rest is about the server.
fn said_to(actor: &Actor, why: String) -> String {
    match actor.is_of_instance() {
        true => why,
        false => "The mail server does not take mails at the moment.".to_owned(),
    }
}

/// Returns one mail, without its link.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    realm: impl Into<RealmName>,
    id: Uuid,
) -> Result<Read> {
    let imprint = Imprint::of(product).await?;
    look_into(
        product,
        actor,
        &SHOW,
        realm.into(),
        move |reader, organization| {
            let found = find(reader, id_of(organization), id)?;
            Ok(imprint.read(organization, found, None)?)
        },
    )
    .await
}

/// Returns whether an actor sees the links in mails: the operator does, and in a demonstration everybody.
pub(crate) async fn sees_links(product: &Product, actor: &Actor) -> Result<bool> {
    let is_operator = actor.is_operator();
    product
        .look(move |reader| Ok(is_operator || is_demonstration(reader)?))
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
        let found = find(act.tx, act.organization.id, id)?;
        let link = found.link(&keys, act.organization.id)?;
        if link.is_none() {
            return Err(Fault::conflict(format!(
                "There is no link in the mail {id}: it was sent, it has ended, or there was none."
            ))
            .into());
        }
        act.audit(&subject(&found), detail(&found))?;
        Ok(imprint.read(Some(act.organization), found, link.as_ref())?)
    })
    .await
}

/// Sends a mail once more that has failed, or was kept here. It is the same mail, with the same link.
pub(crate) async fn retry(
    product: &Product,
    actor: &Actor,
    realm: impl Into<RealmName>,
    id: Uuid,
) -> Result<Read> {
    change(
        product,
        actor,
        &RETRY,
        realm.into(),
        id,
        move |tx, of, found, now| {
            if crate::database::delivery::is_kept(tx)? {
                return Err(
                    Fault::conflict("The server has no mail server, and sends nothing")
                        .mended_by(Remedy {
                            page: "ask whoever runs the server to name one.",
                            command: "start it with --smtp-host first.",
                        })
                        .into(),
                );
            }
            match found.state {
                State::Failed | State::Kept => Ok(mail::retry(tx, of, id, now)?),
                _ => Err(refused(found, "only what has failed or was kept is sent again")),
            }
        },
    )
    .await
}

/// Cancels a mail that was not sent.
pub(crate) async fn cancel(
    product: &Product,
    actor: &Actor,
    realm: impl Into<RealmName>,
    id: Uuid,
) -> Result<Read> {
    change(
        product,
        actor,
        &CANCEL,
        realm.into(),
        id,
        move |tx, of, found, _| match found.state {
            State::Failed | State::Kept | State::Queued => Ok(mail::cancel_one(tx, of, id)?),
            State::Sent | State::Cancelled => Err(refused(found, "only what was not sent is cancelled")),
        },
    )
    .await
}

/// Looks into a mailbox for an actor who may.
async fn look_into<T: Send + 'static>(
    product: &Product,
    actor: &Actor,
    action: &Action,
    realm: RealmName,
    job: impl Fn(&Reader<'_>, Option<&Organization>) -> Result<T, Stop> + Send + 'static,
) -> Result<T> {
    match realm {
        RealmName::Organization(name) => {
            look(product, actor, action, &name, move |view| {
                job(view.reader, Some(view.organization))
            })
            .await
        }
        RealmName::Instance => {
            actor.demand_instance(action.fresh)?;
            product.look(move |reader| job(reader, None)).await
        }
    }
}

/// Changes a mail, and returns it as it is then.
async fn change(
    product: &Product,
    actor: &Actor,
    action: &'static Action,
    realm: RealmName,
    id: Uuid,
    job: impl Fn(&Transaction<'_>, Uuid, &Queued, Timestamp) -> Result<(), Stop> + Send + 'static,
) -> Result<Read> {
    let imprint = Imprint::of(product).await?;
    let changed = move |tx: &Transaction<'_>, organization: Option<&Organization>, now| {
        let of = id_of(organization);
        job(tx, of, &find(tx, of, id)?, now)?;
        Ok::<_, Stop>(imprint.read(organization, find(tx, of, id)?, None)?)
    };
    match realm {
        RealmName::Organization(name) => {
            carry_out(product, actor, action, &name, move |act| {
                let read = changed(act.tx, Some(act.organization), act.now)?;
                act.audit(&subject(&read.mail), detail(&read.mail))?;
                Ok(read)
            })
            .await
        }
        RealmName::Instance => {
            actor.demand_instance(action.fresh)?;
            let actor = actor.clone();
            product
                .transact(move |tx| {
                    let now = Timestamp::now();
                    let read = changed(tx, None, now)?;
                    note_of_instance(tx, &actor, action, &read.mail, now)?;
                    Ok(read)
                })
                .await
        }
    }
}

/// Returns the id under which the mails of an organization are kept, or those of the instance.
fn id_of(organization: Option<&Organization>) -> Uuid {
    organization.map_or_else(|| Realm::Instance.id(), |organization| organization.id)
}

fn subject(mail: &Queued) -> Subject<'_> {
    Subject {
        kind: "mail",
        id: mail.id.to_string().into(),
        name: &mail.recipient,
    }
}

fn detail(mail: &Queued) -> Value {
    json!({ "kind": mail.content.kind().word() })
}

/// Writes down what was done to a mail of the instance.
fn note_of_instance(
    tx: &Transaction<'_>,
    actor: &Actor,
    action: &'static Action,
    mail: &Queued,
    now: Timestamp,
) -> scim::Result<()> {
    let subject = subject(mail);
    let row = AuditRow {
        organization: Realm::Instance.id(),
        time: now,
        actor_kind: actor.who.kind(),
        actor: actor.name(),
        action: action.name.into(),
        subject_type: subject.kind.into(),
        subject: subject.id.into_owned(),
        subject_name: subject.name.to_owned(),
        detail: detail(mail),
        address: actor.address.map(|address| address.to_string()),
        request_id: None,
    };
    audit::insert(tx, &row).map(drop)
}

fn find(reader: &Reader<'_>, of: Uuid, id: Uuid) -> Result<Queued, Stop> {
    let found = mail::find(reader, of, id)?;
    Ok(found.ok_or_else(|| {
        Fault::not_found(format!("There is no mail {id} in this mailbox")).mended_by(Remedy {
            page: "the page Outgoing mail lists those that are kept.",
            command: "\"mail list\" shows them.",
        })
    })?)
}

fn refused(mail: &Queued, rule: &str) -> Stop {
    let (id, state) = (mail.id, mail.state.word());
    Fault::conflict(format!("The mail {id} is {state}: {rule}.")).into()
}
