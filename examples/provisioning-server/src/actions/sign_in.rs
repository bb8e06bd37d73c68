//! The sign-in of others, as administrators look after it: who can sign in and how, invitations, sessions, second factors.

use jiff::Timestamp;
use serde_json::json;

use super::account::{demand_over, find_living, subject};
use super::act::{Act, carry_out, look};
use crate::database::{
    Product, Stop, credentials, entries, links, mail, passwords, recovery_codes, second_factors, sessions,
};
use crate::domain::account::Account;
use crate::domain::actor::{Action, Actor};
use crate::domain::credential::{Event, Kind};
use crate::domain::entry::Entry;
use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::Keyword;
use crate::domain::link::LinkKind;
use crate::domain::mail::Content;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;
use crate::domain::session::Session;

/// Shows how somebody signs in, and their sessions.
pub(crate) static SHOW: Action = Action {
    name: "user.sign-in",
    permission: Permission::USERS_READ,
    fresh: false,
};

/// Sends an invitation once more, or a link to set a password.
pub(crate) static INVITE: Action = Action {
    name: "user.invite",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Ends all sessions of somebody.
pub(crate) static SIGN_OUT: Action = Action {
    name: "user.sign-out",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Removes the second factor of somebody who has lost it.
pub(crate) static RESET_FACTOR: Action = Action {
    name: "user.reset-second-factor",
    permission: Permission::USERS_WRITE,
    fresh: true,
};

/// How somebody signs in.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    pub(crate) account: Account,
    /// `None` for an account that was removed.
    pub(crate) entry: Option<Entry>,
    /// When the invitation ends that was not used.
    pub(crate) invited_until: Option<Timestamp>,
    /// Since when there is a password.
    pub(crate) password: Option<Timestamp>,
    /// Since when there is a second factor.
    pub(crate) second_factor: Option<Timestamp>,
    pub(crate) recovery_codes: u64,
    /// The newest first.
    pub(crate) sessions: Vec<Session>,
}

/// Returns how somebody signs in.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
) -> Result<SignIn> {
    let account = account.to_owned();
    look(product, actor, &SHOW, organization, move |view| {
        let (reader, id, now) = (view.reader, view.organization.id, Timestamp::now());
        let account = super::account::find(view, &account)?;
        let invitation = links::live_until(reader, id, account.id, LinkKind::Invitation, now)?;
        Ok(SignIn {
            entry: entries::find(reader, id, account.id)?,
            invited_until: invitation,
            password: passwords::changed(reader, id, account.id)?,
            second_factor: second_factors::confirmed(reader, id, account.id)?,
            recovery_codes: recovery_codes::count(reader, id, account.id)?,
            sessions: sessions::live(reader, id, account.id, now)?,
            account,
        })
    })
    .await
}

/// Has a link sent to somebody: an invitation if they were never signed in, else one to set another password. Answers
/// which.
pub(crate) async fn invite(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
) -> Result<(Account, LinkKind)> {
    let account = account.to_owned();
    carry_out(product, actor, &INVITE, organization, move |act| {
        let account = find_living(&act.view(), &account)?;
        let id = act.organization.id;
        let entry = entries::find(act.tx, id, account.id)?;
        let entry = entry.ok_or_else(|| Fault::conflict("The account has been removed."))?;
        let has_password = passwords::changed(act.tx, id, account.id)?.is_some();
        let kind = match entry.first.is_none() && !has_password {
            true => LinkKind::Invitation,
            false => LinkKind::ResetLink,
        };
        demand_reachable(&account, &entry)?;
        entries::set_due(act.tx, id, account.id, Some(kind))?;
        note(act, &account, json!({ "link": kind.word() }))?;
        Ok((account, kind))
    })
    .await
}

/// Checks that a link can be sent to somebody.
fn demand_reachable(account: &Account, entry: &Entry) -> Result<()> {
    let name = &account.name;
    if !account.has_access() {
        return Err(Fault::conflict(format!(
            "{name:?} cannot sign in at the moment, and is sent nothing: enable the account first."
        )));
    }
    if !entry.has_password() {
        return Err(Fault::conflict(format!(
            "{name:?} signs in at the identity provider, by SAML, and needs no link."
        )));
    }
    if account.address.is_none() {
        return Err(Fault::conflict(format!(
            "No e-mail address of {name:?} is known: give them one at the identity provider, as userName or as an e-mail."
        )));
    }
    Ok(())
}

/// Ends all sessions of somebody. Answers how many there were.
pub(crate) async fn sign_out(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
) -> Result<(Account, u64)> {
    let account = account.to_owned();
    carry_out(product, actor, &SIGN_OUT, organization, move |act| {
        let account = find_living(&act.view(), &account)?;
        let id = act.organization.id;
        let live = sessions::live(act.tx, id, account.id, act.now)?.len();
        credentials::apply(act.tx, id, account.id, Event::SignOutEverywhere)?;
        note(act, &account, json!({ "sessions": live }))?;
        Ok((account, u64::try_from(live).unwrap_or(u64::MAX)))
    })
    .await
}

/// Removes the second factor of somebody who has lost it, with their recovery codes, and tells them. Whoever does it needs
/// all of their permissions: it makes their password enough.
pub(crate) async fn reset_factor(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &str,
) -> Result<Account> {
    let account = account.to_owned();
    carry_out(product, actor, &RESET_FACTOR, organization, move |act| {
        let account = find_living(&act.view(), &account)?;
        demand_over(act, &account, "Removing the second factor of this account")?;
        let id = act.organization.id;
        if second_factors::confirmed(act.tx, id, account.id)?.is_none() {
            return Err(Fault::conflict(format!("{:?} has no second factor.", account.name)).into());
        }
        for kind in [Kind::SecondFactor, Kind::RecoveryCode, Kind::Session] {
            credentials::end(act.tx, id, account.id, kind)?;
        }
        let content = Content::SecondFactorReset {
            at: act.now,
            by: act.actor.name(),
        };
        mail::tell(act.tx, id, act.now, &account, content)?;
        note(act, &account, json!({}))?;
        Ok(account)
    })
    .await
}

fn note(act: &Act<'_>, account: &Account, detail: serde_json::Value) -> Result<(), Stop> {
    let id = account.id.to_string();
    Ok(act.audit(&subject(&id, account), detail)?)
}
