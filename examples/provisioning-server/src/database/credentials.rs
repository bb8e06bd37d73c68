//! The credentials of accounts, of every kind: the one place where all of them end.

use scim::store::database::Transaction;
use uuid::Uuid;

use super::{
    devices, entries, links, mail, passwords, recovery_codes, second_factors, sessions, setup_links,
};
use crate::domain::account::{Account, name_key};
use crate::domain::credential::{Event, Fate, Kind};
use crate::domain::keyword::Keyword;
use crate::domain::link::LinkKind;
use crate::domain::mail::{Content, Kind as MailKind};
use crate::domain::settings::FirstLogin;

/// Applies to all credentials of an account what an event does to each kind. Those that are suspended do not work as long as
/// the account has no access, and need no change.
pub(crate) fn apply(tx: &Transaction<'_>, realm: Uuid, account: Uuid, event: Event) -> scim::Result<()> {
    for kind in Kind::ALL {
        if kind.fate(event) == Fate::Ended {
            end(tx, realm, account, *kind)?;
        }
    }
    if event == Event::Removal {
        devices::end(tx, realm, account)?;
        entries::set_due(tx, realm, account, None)?;
    }
    Ok(())
}

/// Applies to all credentials of all accounts what an event does to each kind.
pub(super) fn apply_to_all(tx: &Transaction<'_>, event: Event) -> scim::Result<()> {
    for kind in Kind::ALL {
        if kind.fate(event) == Fate::Ended {
            end_of_all(tx, *kind)?;
        }
    }
    Ok(())
}

/// Ends all credentials of one kind of all accounts.
fn end_of_all(tx: &Transaction<'_>, kind: Kind) -> scim::Result<()> {
    match kind {
        Kind::Session => tx.execute("DELETE FROM session", &[]).map(drop),
        Kind::Invitation | Kind::ResetLink => end_links_of_all(tx, kind),
        Kind::Password => tx.execute("DELETE FROM password", &[]).map(drop),
        Kind::SecondFactor => tx.execute("DELETE FROM second_factor", &[]).map(drop),
        Kind::RecoveryCode => tx.execute("DELETE FROM recovery_code", &[]).map(drop),
        Kind::SetupLink => tx.execute("DELETE FROM setup_link", &[]).map(drop),
    }
}

fn end_links_of_all(tx: &Transaction<'_>, kind: Kind) -> scim::Result<()> {
    for link in LinkKind::ALL.iter().filter(|link| link.credential() == kind) {
        tx.execute("DELETE FROM link WHERE kind = ?1", &[link.word().into()])?;
    }
    Ok(())
}

/// Applies to the credentials of an account what a change of it means to them.
pub(super) fn follow(
    tx: &Transaction<'_>,
    realm: Uuid,
    before: &Account,
    after: &Account,
) -> scim::Result<()> {
    if let Some(event) = Event::of(before, after) {
        return apply(tx, realm, after.id, event);
    }
    match before.address.as_deref().map(name_key) == after.address.as_deref().map(name_key) {
        true => Ok(()),
        false => follow_address(tx, realm, before, after),
    }
}

/// Ends what was sent to an address that an account does not have any more. Somebody who never signed in is invited again;
/// anybody else is told at the address before, because whoever has the new one can set a password.
fn follow_address(tx: &Transaction<'_>, realm: Uuid, before: &Account, after: &Account) -> scim::Result<()> {
    let entry = entries::find(tx, realm, after.id)?;
    end(tx, realm, after.id, Kind::Invitation)?;
    end(tx, realm, after.id, Kind::ResetLink)?;
    let Some(entry) = entry.filter(|_| before.address.is_some()) else {
        return Ok(());
    };
    if entry.first.is_none() && entry.by == FirstLogin::Invitation {
        return entries::set_due(tx, realm, after.id, Some(LinkKind::Invitation));
    }
    let content = Content::AddressChanged { at: after.changed };
    mail::tell(tx, realm, after.changed, before, content)
}

/// Ends all credentials of one kind.
pub(crate) fn end(tx: &Transaction<'_>, realm: Uuid, account: Uuid, kind: Kind) -> scim::Result<()> {
    match kind {
        Kind::Session => sessions::end_all(tx, realm, account, None).map(drop),
        Kind::Invitation => end_links(tx, realm, account, kind, MailKind::Invitation),
        Kind::ResetLink => end_links(tx, realm, account, kind, MailKind::ResetLink),
        Kind::Password => passwords::end(tx, realm, account),
        Kind::SecondFactor => second_factors::end(tx, realm, account),
        Kind::RecoveryCode => recovery_codes::end(tx, realm, account),
        Kind::SetupLink => setup_links::end_all_of(tx, account),
    }
}

/// Ends links with the mails that carry them.
fn end_links(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    kind: Kind,
    mail: MailKind,
) -> scim::Result<()> {
    for link in LinkKind::ALL.iter().filter(|link| link.credential() == kind) {
        links::end(tx, realm, account, *link)?;
    }
    mail::cancel(tx, realm, account, mail).map(drop)
}
