//! The erasure of a removed person: a pseudonym stands wherever the person was named.

use std::sync::Arc;
use std::time::Duration;

use scim::store::database::Transaction;
use serde_json::json;
use uuid::Uuid;

use super::account::{find, subject};
use super::act::{carry_out, look};
use crate::database::{Product, accounts, bindings, erasure, grants, local_groups, mail, waiting};
use crate::domain::account::Account;
use crate::domain::actor::{Action, Actor};
use crate::domain::erasure::{Mentions, demand_erasable, pseudonym};
use crate::domain::fault::{Fault, Result};
use crate::domain::grant::Holder;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;

/// Replaces everything by which a removed person is known by a pseudonym.
pub(crate) static ERASE: Action = Action {
    name: "user.erase",
    permission: Permission::USERS_WRITE,
    fresh: true,
};

/// Rows that are looked at at once, and at most written in one transaction: others who write wait for it.
const ROWS: u32 = 500;

/// How long others have the writer for themselves between two transactions.
const PAUSE: Duration = Duration::from_millis(5);

/// A person who was erased.
#[derive(Debug, Clone)]
pub(crate) struct Erased {
    pub(crate) account: Uuid,
    pub(crate) pseudonym: String,
}

/// The names and ids of the person who is to be erased.
#[derive(Debug, Clone)]
struct Known {
    organization: Uuid,
    account: Account,
    scim_ids: Vec<String>,
    /// Names, addresses and identifiers of the provider.
    texts: Vec<String>,
}

/// Erases a removed person. The account itself is erased last: whoever has been interrupted repeats the command.
pub(crate) async fn erase(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    confirmed: &str,
) -> Result<Erased> {
    let known = known(product, actor, organization, account, confirmed).await?;
    let (organization_id, pseudonym) = (known.organization, pseudonym(known.account.id));
    let mentions = Arc::new(Mentions::of(known.texts.clone(), &pseudonym));
    for id in &known.scim_ids {
        remove_bodies(product, organization_id, id).await?;
    }
    for of in erasure::ALL {
        replace(product, organization_id, *of, &mentions).await?;
    }
    finish(product, actor, organization, known, &pseudonym).await
}

async fn known(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    confirmed: &str,
) -> Result<Known> {
    let (account, confirmed) = (account.to_owned(), confirmed.to_owned());
    look(product, actor, &ERASE, organization, move |view| {
        let (reader, organization) = (view.reader, view.organization.id);
        let account = match accounts::removed(reader, organization, &account)? {
            Some(removed) => removed,
            None => find(view, &account)?,
        };
        demand_erasable(&account, &confirmed)?;
        let holder = accounts::by_name(reader, organization, &account.name)?;
        if holder.is_some_and(|holder| holder.id != account.id) {
            return Err(Fault::conflict(format!(
                "Another account is called {:?} now, and what was said of the two cannot be told apart: rename it first.",
                account.name
            ))
            .into());
        }
        let bound = bindings::of_account(reader, organization, account.id)?;
        let mut texts = vec![account.name.clone(), account.display.clone()];
        texts.extend(account.address.clone());
        let mut scim_ids = Vec::new();
        for binding in bound {
            texts.extend(binding.external_id);
            texts.extend(erasure::names(reader, organization, &binding.scim_id)?);
            scim_ids.push(binding.scim_id);
        }
        Ok(Known {
            organization,
            account,
            scim_ids,
            texts,
        })
    })
    .await
}

async fn remove_bodies(product: &Product, organization: Uuid, id: &str) -> Result<()> {
    loop {
        let id = id.to_owned();
        let job = move |tx: &Transaction<'_>| Ok(Ok(erasure::remove_bodies(tx, organization, &id, ROWS)?));
        if product.write(job).await? < u64::from(ROWS) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Goes through a table beside the writer, and writes only what changes.
async fn replace(
    product: &Product,
    organization: Uuid,
    of: erasure::Texts,
    mentions: &Arc<Mentions>,
) -> Result<()> {
    let mut behind = Some(Uuid::nil());
    while let Some(place) = behind {
        let mentions = Arc::clone(mentions);
        let (changed, next) = product
            .read(move |reader| erasure::look(reader, organization, of, &mentions, place, ROWS))
            .await?;
        if !changed.is_empty() {
            product
                .write(move |tx| Ok(Ok(erasure::write(tx, organization, of, &changed)?)))
                .await?;
            tokio::time::sleep(PAUSE).await;
        }
        behind = next;
    }
    Ok(())
}

/// Erases the account itself, and notes who has done that.
async fn finish(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    known: Known,
    pseudonym: &str,
) -> Result<Erased> {
    let pseudonym = pseudonym.to_owned();
    carry_out(product, actor, &ERASE, organization, move |act| {
        let id = act.organization.id;
        // It may have come back meanwhile.
        let present = accounts::by_id(act.tx, id, known.account.id)?;
        let present = present.filter(|present| present.name == known.account.name);
        let present =
            present.ok_or_else(|| Fault::conflict("The account has changed meanwhile: try again."))?;
        demand_erasable(&present, &known.account.name)?;
        erasure::erase_names(act.tx, id, &known.scim_ids, &known.texts, &pseudonym)?;
        grants::take_roles(act.tx, id, Holder::Account(present.id))?;
        grants::take_permissions(act.tx, id, present.id)?;
        local_groups::leave_all(act.tx, id, present.id)?;
        mail::cancel_all_to(act.tx, id, present.id)?;
        let mut after = present.clone();
        after.name.clone_from(&pseudonym);
        after.display.clone_from(&pseudonym);
        after.address = None;
        after.suspended = None;
        after.changed = act.now;
        accounts::update(act.tx, id, &present, &after)?;
        waiting::settle(act.tx, id, &after)?;
        let account = after.id;
        act.audit(&subject(&account.to_string(), &after), json!({}))?;
        Ok(Erased {
            account,
            pseudonym: pseudonym.clone(),
        })
    })
    .await
}
