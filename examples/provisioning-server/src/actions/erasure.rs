//! The erasure of a removed person: a pseudonym stands wherever the person was named.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use serde_json::json;
use uuid::Uuid;

use super::account::{find, subject};
use super::act::carry_out;
use crate::database::{Product, accounts, bindings, erasure, grants, local_groups, mail, waiting};
use crate::domain::account::Account;
use crate::domain::actor::{Action, Actor};
use crate::domain::erasure::{Mentions, demand_erasable, pseudonym};
use crate::domain::fault::{Fault, Kind, Result};
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
    account: Account,
    scim_ids: Vec<String>,
    /// Names, addresses and identifiers of the provider.
    texts: Vec<String>,
}

/// Erases a removed person. The account itself is erased last, so that an erasure that was interrupted is gone on with: by
/// the next server that starts, or when the command is repeated.
pub(crate) async fn erase(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    confirmed: &str,
) -> Result<Erased> {
    let (organization, account) = begin(product, actor, organization, account, confirmed).await?;
    run(product, organization, account).await
}

/// Returns the accounts whose erasure has begun and is not done, with their organizations.
pub(super) async fn begun(product: &Product) -> Result<Vec<(Uuid, Uuid)>> {
    product.read(erasure::begun).await
}

/// Goes on with an erasure until it is done. Whoever has come back meanwhile is not erased.
pub(super) async fn go_on(product: &Product, organization: Uuid, account: Uuid) -> Result<()> {
    match run(product, organization, account).await {
        Err(fault) if fault.kind() != Kind::Conflict => Err(fault),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Notes that somebody is to be erased, and who has said so.
async fn begin(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
    confirmed: &str,
) -> Result<(Uuid, Uuid)> {
    let (account, confirmed) = (account.to_owned(), confirmed.to_owned());
    carry_out(product, actor, &ERASE, organization, move |act| {
        let organization = act.organization.id;
        let account = match accounts::removed(act.tx, organization, &account)? {
            Some(removed) => removed,
            None => find(&act.view(), &account)?,
        };
        demand_erasable(&account, &confirmed)?;
        let holder = accounts::by_name(act.tx, organization, &account.name)?;
        if holder.is_some_and(|holder| holder.id != account.id) {
            return Err(Fault::conflict(format!(
                "Another account is called {:?} now, and what was said of the two cannot be told apart: rename it first.",
                account.name
            ))
            .into());
        }
        let id = account.id;
        if erasure::begin(act.tx, organization, id)? {
            let name = pseudonym(id);
            let named = Account { name, ..account };
            act.audit(&subject(&id.to_string(), &named), json!({}))?;
        }
        Ok((organization, id))
    })
    .await
}

async fn run(product: &Product, organization: Uuid, account: Uuid) -> Result<Erased> {
    let known = product
        .read(move |reader| known(reader, organization, account))
        .await?;
    let pseudonym = pseudonym(account);
    let Some(known) = known.filter(|known| known.account.name != pseudonym) else {
        return Ok(Erased { account, pseudonym });
    };
    let mentions = Arc::new(Mentions::of(known.texts.clone(), &pseudonym));
    for id in &known.scim_ids {
        remove_bodies(product, organization, id).await?;
    }
    for of in erasure::ALL {
        replace(product, organization, *of, &mentions).await?;
    }
    finish(product, organization, known, &pseudonym).await
}

fn known(reader: &Reader<'_>, organization: Uuid, account: Uuid) -> scim::Result<Option<Known>> {
    let Some(account) = accounts::by_id(reader, organization, account)? else {
        return Ok(None);
    };
    let bound = bindings::of_account(reader, organization, account.id)?;
    let mut texts = vec![account.name.clone(), account.display.clone()];
    texts.extend(account.address.clone());
    let mut scim_ids = Vec::new();
    for binding in bound {
        texts.extend(binding.external_id);
        texts.extend(erasure::names(reader, organization, &binding.scim_id)?);
        scim_ids.push(binding.scim_id);
    }
    Ok(Some(Known {
        account,
        scim_ids,
        texts,
    }))
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

/// Erases the account itself.
async fn finish(product: &Product, organization: Uuid, known: Known, pseudonym: &str) -> Result<Erased> {
    let account = known.account.id;
    let name = pseudonym.to_owned();
    let is_erased = product
        .transact(move |tx| {
            erasure::end(tx, organization, account)?;
            let present = accounts::by_id(tx, organization, account)?;
            // It may have come back meanwhile.
            let present = present.filter(|present| demand_erasable(present, &known.account.name).is_ok());
            let Some(present) = present else { return Ok(false) };
            finish_account(tx, organization, &present, &known, &name)?;
            Ok(true)
        })
        .await?;
    match is_erased {
        true => Ok(Erased {
            account,
            pseudonym: pseudonym.to_owned(),
        }),
        false => Err(Fault::conflict(
            "The person has come back meanwhile: the account is not erased.",
        )),
    }
}

fn finish_account(
    tx: &Transaction<'_>,
    organization: Uuid,
    present: &Account,
    known: &Known,
    pseudonym: &str,
) -> scim::Result<()> {
    erasure::erase_names(tx, organization, &known.scim_ids, &known.texts, pseudonym)?;
    grants::take_roles(tx, organization, Holder::Account(present.id))?;
    grants::take_permissions(tx, organization, present.id)?;
    local_groups::leave_all(tx, organization, present.id)?;
    mail::cancel_all_to(tx, organization, present.id)?;
    let after = Account {
        name: pseudonym.to_owned(),
        display: pseudonym.to_owned(),
        address: None,
        suspended: None,
        changed: Timestamp::now(),
        ..present.clone()
    };
    accounts::update(tx, organization, present, &after)?;
    waiting::settle(tx, organization, &after)
}
