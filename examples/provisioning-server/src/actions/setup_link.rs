//! Links to the set-up guide: made and taken back by administrators, and used by whoever has one, without an account.

use std::net::IpAddr;

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use serde_json::{Value, json};
use uuid::Uuid;

use super::act::{Act, Subject, carry_out, look};
use super::set_up::{self, Progress};
use super::token::{self, Issued, New, demand_power_of_provider};
use crate::database::effective::Members;
use crate::database::{Product, Stop, accounts, instance_owners, organizations, setup_links, tokens};
use crate::domain::actor::{Action, Actor, Who};
use crate::domain::audit::{ActorKind, AuditRow};
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::secret::{Fingerprint, Secret, SecretKind};
use crate::domain::settings::SetUp;
use crate::domain::setup_link::{Maker, SetupLink};
use crate::domain::token::{Issue, Purpose};

/// Shows links, without what makes them one.
pub(crate) static LIST: Action = Action {
    name: "setup-link.list",
    permission: Permission::TOKENS_READ,
    fresh: false,
};

/// Makes a link. Whoever has it makes a token.
pub(crate) static CREATE: Action = Action {
    name: "setup-link.create",
    permission: Permission::TOKENS_WRITE,
    fresh: true,
};

/// Takes a link back.
pub(crate) static REVOKE: Action = Action {
    name: "setup-link.revoke",
    permission: Permission::TOKENS_WRITE,
    fresh: false,
};

/// How many links are listed.
const LISTED: u32 = 50;

/// A link that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) link: SetupLink,
    /// To be shown this once.
    pub(crate) secret: Secret,
}

/// Whoever has opened a link, as far as it is known: a browser, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Helper {
    pub(crate) browser: Secret,
    pub(crate) address: Option<IpAddr>,
}

/// The sentence about a link that nobody can use, whatever the reason is.
const OVER: &str = "This link was taken back, has been opened in another browser, or its time is over.";

fn over() -> Fault {
    Fault::gone(OVER)
}

/// Returns the newest links of an organization, the newest first.
pub(crate) async fn list(product: &Product, actor: &Actor, organization: &Name) -> Result<Vec<SetupLink>> {
    look(product, actor, &LIST, organization, |view| {
        Ok(setup_links::list(view.reader, view.organization.id, LISTED)?)
    })
    .await
}

/// Makes a link, which is good for a day in the browser in which it is opened first.
pub(crate) async fn create(product: &Product, actor: &Actor, organization: &Name) -> Result<Made> {
    let secret = Secret::generate(SecretKind::SetupLink)?;
    let (id, fingerprint) = (Uuid::now_v7(), secret.fingerprint());
    let link = carry_out(product, actor, &CREATE, organization, move |act| {
        demand_power_of_provider(act, "A link by which the identity provider's credential is made")?;
        demand_begun(act.organization)?;
        let link = SetupLink::new(id, maker(act.actor), act.now);
        setup_links::insert(act.tx, act.organization.id, &link, &fingerprint)?;
        act.audit(&subject(&link, &id.to_string()), detail(&link))?;
        Ok(link)
    })
    .await?;
    Ok(Made { link, secret })
}

/// Takes a link back.
pub(crate) async fn revoke(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    id: Uuid,
) -> Result<SetupLink> {
    carry_out(product, actor, &REVOKE, organization, move |act| {
        let found = setup_links::by_id(act.tx, act.organization.id, id)?;
        let link = found.ok_or_else(|| {
            Fault::not_found("No set-up link has this id").mended_by(Remedy {
                page: "the page of set-up links lists all.",
                command: "\"setup-link list\" shows all.",
            })
        })?;
        end(act, &link)?;
        Ok(link)
    })
    .await
}

/// Ends a link that is live.
pub(super) fn end(act: &Act<'_>, link: &SetupLink) -> Result<(), Stop> {
    link.demand_live(act.now)?;
    setup_links::end(act.tx, act.organization.id, link.id, act.now)?;
    act.audit_of(&REVOKE, &subject(link, &link.id.to_string()), detail(link))?;
    Ok(())
}

/// Checks that whoever has a link can make a token: the step before is an administrator's.
fn demand_begun(organization: &Organization) -> Result<()> {
    let before = match (&organization.source, organization.settings.set_up) {
        (Some(_), _) | (None, SetUp::TokenFirst) => return Ok(()),
        (None, SetUp::ActivateFirst) => "activate SCIM",
        (None, SetUp::SaveGenerates) => "choose the identity provider and save",
    };
    Err(Fault::conflict(format!(
        "There is no SCIM configuration yet, so nobody with a link could make a key: {before} first."
    )))
}

fn maker(actor: &Actor) -> Maker {
    Maker {
        kind: actor.who.kind(),
        account: match &actor.who {
            Who::Account { id, .. } | Who::Owner { id, .. } => Some(*id),
            Who::Operator { .. } | Who::Provider { .. } | Who::SetupLink { .. } => None,
        },
        name: actor.name(),
    }
}

fn subject<'s>(link: &'s SetupLink, id: &str) -> Subject<'s> {
    Subject {
        kind: "setup-link",
        id: id.to_owned().into(),
        name: &link.maker.name,
    }
}

fn detail(link: &SetupLink) -> Value {
    json!({ "expires": link.expires.to_string() })
}

/// Checks that a link of an organization can be opened.
///
/// # Errors
/// Gone if it cannot.
pub(crate) async fn demand_openable(product: &Product, organization: Uuid, secret: &Secret) -> Result<()> {
    let fingerprint = secret.fingerprint();
    product
        .look(move |reader| openable(reader, organization, &fingerprint, Timestamp::now()).map(drop))
        .await
}

fn openable(
    reader: &Reader<'_>,
    organization: Uuid,
    fingerprint: &Fingerprint,
    now: Timestamp,
) -> Result<SetupLink, Stop> {
    let found = setup_links::by_fingerprint(reader, fingerprint)?;
    let found = found.filter(|(own, link)| *own == organization && link.can_be_opened(now));
    Ok(found.map(|(_, link)| link).ok_or_else(over)?)
}

/// Opens a link in a browser, for which alone it is good from then on.
///
/// # Errors
/// Gone if it cannot be opened.
pub(crate) async fn open(
    product: &Product,
    organization: Uuid,
    secret: &Secret,
    helper: Helper,
) -> Result<()> {
    let fingerprint = secret.fingerprint();
    product
        .transact(move |tx| {
            let now = Timestamp::now();
            let link = openable(tx, organization, &fingerprint, now)?;
            setup_links::open(tx, organization, link.id, &helper.browser.fingerprint(), now)?;
            Ok(note(tx, organization, &link, "setup-link.open", &helper, now)?)
        })
        .await
}

/// Returns how far the set-up has come, to the browser in which a link was opened: no names, and nothing of a token.
///
/// # Errors
/// Gone if its link has ended.
pub(crate) async fn progress(
    product: &Product,
    organization: &Organization,
    helper: &Helper,
) -> Result<(SetupLink, Progress)> {
    let link = opened(product, organization.id, helper).await?;
    let mut progress = set_up::progress(product, organization.clone()).await?;
    progress.token = None;
    progress.arrived = Vec::new();
    // The reason may name somebody.
    if let Some((_, reason)) = &mut progress.refused {
        "The administrator sees why in the API History.".clone_into(reason);
    }
    Ok((link, progress))
}

async fn opened(product: &Product, organization: Uuid, helper: &Helper) -> Result<SetupLink> {
    let browser = helper.browser.fingerprint();
    product
        .look(move |reader| good(reader, organization, &browser, Timestamp::now()))
        .await
}

fn good(
    reader: &Reader<'_>,
    organization: Uuid,
    browser: &Fingerprint,
    now: Timestamp,
) -> Result<SetupLink, Stop> {
    let found = setup_links::by_browser(reader, organization, browser)?;
    let found = found.filter(|link| link.is_good_in(browser, now));
    Ok(found.ok_or_else(over)?)
}

/// Makes the first token, or another beside the one that there is, in the name of whoever has made the link.
///
/// # Errors
/// Gone if the link has ended; forbidden if its maker may not any more; a conflict while two tokens are in force.
pub(crate) async fn make_token(
    product: &Product,
    organization: &Organization,
    helper: &Helper,
) -> Result<Issued> {
    let link = opened(product, organization.id, helper).await?;
    let (own, maker, address) = (organization.clone(), link.maker.clone(), helper.address);
    let (actor, is_first) = product
        .look(move |reader| {
            let now = Timestamp::now();
            let is_live =
                |token: &crate::domain::token::Token| token.purpose == Purpose::Scim && token.is_live(now);
            let is_first = !tokens::all(reader, own.id)?.iter().any(is_live);
            Ok((acting(reader, &own, &maker, address)?, is_first))
        })
        .await?;
    let new = New {
        purpose: Purpose::Scim,
        how: if is_first { Issue::Create } else { Issue::Overlap },
        days: None,
    };
    token::issue(product, &actor, &organization.name, new).await
}

/// Returns the actor as whom a link acts: with what its maker may do at this moment.
fn acting(
    reader: &Reader<'_>,
    organization: &Organization,
    maker: &Maker,
    address: Option<IpAddr>,
) -> Result<Actor, Stop> {
    let (permissions, is_of_instance) = match (maker.kind, maker.account) {
        (ActorKind::Operator, _) => (Permissions::catalogue(), true),
        (ActorKind::Owner, Some(owner)) if instance_owners::by_id(reader, owner)?.is_some() => {
            (Permissions::catalogue(), true)
        }
        (ActorKind::Account, Some(account)) => {
            let account = accounts::by_id(reader, organization.id, account)?;
            let members = Members::of(reader, organization)?;
            let permitted = match account.filter(crate::domain::account::Account::has_access) {
                Some(account) => members.effective(reader, &account)?.permitted(),
                None => Permissions::NONE,
            };
            (permitted, false)
        }
        _ => (Permissions::NONE, false),
    };
    Ok(Actor {
        who: Who::SetupLink {
            organization: organization.id,
            maker: maker.name.clone(),
            is_of_instance,
        },
        permissions,
        // Whoever has made the link has confirmed it.
        fresh: true,
        address,
    })
}

/// Ends a link, because whoever has it is done.
///
/// # Errors
/// The database fails.
pub(crate) async fn finish(product: &Product, organization: Uuid, helper: Helper) -> Result<()> {
    product
        .transact(move |tx| {
            let now = Timestamp::now();
            let link = good(tx, organization, &helper.browser.fingerprint(), now)?;
            setup_links::end(tx, organization, link.id, now)?;
            Ok(note(tx, organization, &link, "setup-link.finish", &helper, now)?)
        })
        .await
}

/// Writes down what was done by a link.
fn note(
    tx: &Transaction<'_>,
    organization: Uuid,
    link: &SetupLink,
    action: &'static str,
    helper: &Helper,
    now: Timestamp,
) -> scim::Result<()> {
    if organizations::by_id(tx, organization)?.is_none() {
        return Ok(());
    }
    let row = AuditRow {
        organization,
        time: now,
        actor_kind: ActorKind::SetupLink,
        actor: link.maker.name.clone(),
        action: action.into(),
        subject_type: "setup-link".into(),
        subject: link.id.to_string(),
        subject_name: link.maker.name.clone(),
        detail: json!({}),
        address: helper.address.map(|address| address.to_string()),
        request_id: None,
    };
    crate::database::audit::insert(tx, &row).map(drop)
}
