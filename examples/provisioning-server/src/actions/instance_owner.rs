//! Owners of the instance: made, let back in and removed by the operator, or by one another.

use jiff::Timestamp;
use scim::store::database::Transaction;
use serde_json::json;
use uuid::Uuid;

use crate::database::keys::Keys;
use crate::database::{Product, Stop, audit, credentials, instance_owners, links, mail};
use crate::domain::actor::Actor;
use crate::domain::audit::AuditRow;
use crate::domain::credential::Event;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::instance_owner::{InstanceOwner, demand_left};
use crate::domain::link::{Link, LinkKind};
use crate::domain::mail::{Content, Link as MailLink, Mail, Recipient};
use crate::domain::realm::Realm;
use crate::domain::secret::{Secret, SecretKind};

/// A way in that is shown once, to whoever has asked for it.
#[derive(Debug, Clone)]
pub(crate) struct WayIn {
    pub(crate) owner: InstanceOwner,
    pub(crate) link: Secret,
    pub(crate) expires: Timestamp,
}

/// Returns all owners, the oldest first.
///
/// # Errors
/// The actor is not of the instance, or the database fails.
pub(crate) async fn list(product: &Product, actor: &Actor) -> Result<Vec<InstanceOwner>> {
    actor.demand_instance(false)?;
    product.look(|reader| Ok(instance_owners::all(reader)?)).await
}

/// Whether a way in is sent to the owner by mail, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mailed {
    Yes,
    No,
}

/// Makes an owner, who sets a password by the link that is returned.
///
/// # Errors
/// The actor is not of the instance, the address is not one, an owner has it, or the database fails.
pub(crate) async fn create(product: &Product, actor: &Actor, address: &str, mailed: Mailed) -> Result<WayIn> {
    actor.demand_instance(true)?;
    let owner = InstanceOwner::new(Uuid::now_v7(), address, Timestamp::now())?;
    let (actor, keys) = (actor.clone(), product.keys().clone());
    let secret = Secret::generate(SecretKind::Link)?;
    product
        .transact(move |tx| {
            if !instance_owners::insert(tx, &owner)? {
                return Err(Fault::conflict(format!(
                    "{:?} is the address of an owner already: choose another, or let that owner back in.",
                    owner.address
                ))
                .into());
            }
            let now = owner.created;
            // Whoever has the link that was printed at the start would make another.
            links::end(tx, Realm::Instance.id(), Uuid::nil(), LinkKind::SetUp)?;
            note(tx, &actor, &owner, "admin.create", now)?;
            let made = way_in(tx, &owner, LinkKind::Invitation, &secret, now)?;
            if mailed == Mailed::Yes {
                send(tx, &keys, &made, now)?;
            }
            Ok(made)
        })
        .await
}

/// Lets an owner back in who has lost everything: the link that is returned sets a password and removes the second factor.
/// All owners are told.
///
/// # Errors
/// The actor is not of the instance, nobody has the address, or the database fails.
pub(crate) async fn recover(product: &Product, actor: &Actor, address: &str) -> Result<WayIn> {
    actor.demand_instance(true)?;
    let (actor, address) = (actor.clone(), address.to_owned());
    let secret = Secret::generate(SecretKind::Link)?;
    product
        .transact(move |tx| {
            let now = Timestamp::now();
            let owner = find(tx, &address)?;
            note(tx, &actor, &owner, "admin.recover", now)?;
            for told in instance_owners::all(tx)? {
                let content = Content::OwnerRecovered {
                    at: now,
                    owner: owner.address.clone(),
                    by: actor.name(),
                };
                mail::tell(tx, Realm::Instance.id(), now, &told.account(), content)?;
            }
            Ok(way_in(tx, &owner, LinkKind::Recovery, &secret, now)?)
        })
        .await
}

/// Removes an owner, with everything by which they could sign in.
///
/// # Errors
/// The actor is not of the instance, nobody has the address, it is the last owner, or the database fails.
pub(crate) async fn remove(product: &Product, actor: &Actor, address: &str) -> Result<InstanceOwner> {
    actor.demand_instance(true)?;
    let (actor, address) = (actor.clone(), address.to_owned());
    product
        .transact(move |tx| {
            let now = Timestamp::now();
            let owner = find(tx, &address)?;
            demand_left(instance_owners::count(tx)?)?;
            credentials::apply(tx, Realm::Instance.id(), owner.id, Event::Removal)?;
            instance_owners::remove(tx, owner.id)?;
            note(tx, &actor, &owner, "admin.delete", now)?;
            Ok(owner)
        })
        .await
}

fn find(tx: &Transaction<'_>, address: &str) -> Result<InstanceOwner, Stop> {
    let found = instance_owners::by_address(tx, address)?;
    Ok(found.ok_or_else(|| {
        Fault::not_found(format!("No owner of the instance has the address {address:?}")).mended_by(Remedy {
            page: "the page Owners lists all.",
            command: "\"admin list\" shows all.",
        })
    })?)
}

fn way_in(
    tx: &Transaction<'_>,
    owner: &InstanceOwner,
    kind: LinkKind,
    secret: &Secret,
    now: Timestamp,
) -> scim::Result<WayIn> {
    let link = Link {
        id: Uuid::now_v7(),
        account: owner.id,
        kind,
        created: now,
        expires: kind.expiry(now),
    };
    links::replace(tx, Realm::Instance.id(), &link, &secret.fingerprint())?;
    Ok(WayIn {
        owner: owner.clone(),
        link: secret.clone(),
        expires: link.expires,
    })
}

/// Queues the mail with the link by which a new owner comes.
fn send(tx: &Transaction<'_>, keys: &Keys, made: &WayIn, now: Timestamp) -> scim::Result<()> {
    let Some(recipient) = Recipient::of(&made.owner.account()) else {
        return Ok(());
    };
    let path = format!("{}/link/{}", Realm::Instance.path(), made.link.reveal());
    let path = MailLink::parse(&path).map_err(scim::Error::internal)?;
    let mail = Mail::invitation(recipient, path, made.expires);
    mail::queue(tx, keys, Realm::Instance.id(), now, &mail).map(drop)
}

/// Writes down what was done, for the instance and for every organization: an owner may do everything in each.
fn note(
    tx: &Transaction<'_>,
    actor: &Actor,
    owner: &InstanceOwner,
    action: &'static str,
    now: Timestamp,
) -> scim::Result<()> {
    let detail = json!({ "owner": owner.address });
    let row = AuditRow {
        organization: Realm::Instance.id(),
        time: now,
        actor_kind: actor.who.kind(),
        actor: actor.name(),
        action: action.into(),
        subject_type: "owner".into(),
        subject: owner.id.to_string(),
        subject_name: owner.address.clone(),
        detail: detail.clone(),
        address: actor.address.map(|address| address.to_string()),
        request_id: None,
    };
    audit::insert(tx, &row)?;
    audit::insert_everywhere(tx, actor, action, now, &detail)
}
