//! The way in of an account: how its person signs in for the first time, and what has come of it.

use jiff::Timestamp;

use super::account::{Account, ManagedBy};
use super::link::LinkKind;
use super::settings::FirstLogin;

/// The way in of an account. It is set when the account is made; a change of the organization's setting does not touch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) by: FirstLogin,
    /// The link that is to be made and sent to its person.
    pub(crate) due: Option<LinkKind>,
    /// When its person has signed in for the first time.
    pub(crate) first: Option<Timestamp>,
}

impl Entry {
    /// Returns the way in of an account that is made now. If people of the identity provider come by SAML, manual accounts
    /// are invited: they are there for those whom the provider does not know, and for when it is away.
    pub(crate) fn of_new(account: &Account, setting: FirstLogin) -> Self {
        let by = match (account.managed_by, setting) {
            (ManagedBy::Hand, FirstLogin::Saml) => FirstLogin::Invitation,
            (ManagedBy::Scim | ManagedBy::Hand, setting) => setting,
        };
        Self {
            by,
            due: (by == FirstLogin::Invitation).then_some(LinkKind::Invitation),
            first: None,
        }
    }

    /// Returns the way in of an account that is carried over from elsewhere, to whom nothing is sent.
    pub(crate) fn of_carried_over(account: &Account, setting: FirstLogin) -> Self {
        Self {
            due: None,
            ..Self::of_new(account, setting)
        }
    }

    /// Whether its person may have a password.
    pub(crate) fn has_password(&self) -> bool {
        self.by != FirstLogin::Saml
    }

    /// Returns the link that can be made for its person now, if one is due: `None` as long as they cannot sign in, or no
    /// mail can reach them.
    pub(crate) fn link(&self, account: &Account) -> Option<LinkKind> {
        let can_be_reached = account.has_access() && account.address.is_some() && self.has_password();
        self.due.filter(|_| can_be_reached)
    }
}
