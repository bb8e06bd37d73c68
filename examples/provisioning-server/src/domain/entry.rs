//! The way in of an account: how its person signs in for the first time, and what has come of it.

use jiff::Timestamp;

use super::account::{Account, ManagedBy};
use super::keyword::keywords;
use super::link::LinkKind;
use super::settings::FirstLogin;

keywords! {
    /// For whom a change of the first sign-in holds.
    Whom {
        /// People who are provisioned from now on.
        New = "new",
        /// Everybody whom the identity provider has sent, too.
        All = "all",
    }
}

/// The way in of an account. It is set when the account is made; a change of the organization's setting touches it only if
/// it is meant for all.
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

    /// Returns the way in after the setting was changed for all. Whoever has no password, and needs one now, gets a link.
    #[must_use]
    pub(crate) fn converted(&self, setting: FirstLogin, has_password: bool) -> Self {
        let due = match (setting, has_password, self.first) {
            (FirstLogin::Invitation, false, None) => Some(LinkKind::Invitation),
            (FirstLogin::Invitation, false, Some(_)) => Some(LinkKind::ResetLink),
            _ => None,
        };
        Self {
            by: setting,
            due,
            ..*self
        }
    }

    /// Returns whether its person may have a password.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 19b: whoever comes by SAML from now on is sent nothing; whoever needs a password then, and has none, is sent a
    /// link.
    #[test]
    fn whoever_needs_a_password_gets_a_link() {
        let signed_in = Some(Timestamp::UNIX_EPOCH);
        let entry = |by, first| Entry { by, due: None, first };
        for (before, setting, has_password, due) in [
            (
                entry(FirstLogin::Saml, None),
                FirstLogin::Invitation,
                false,
                Some(LinkKind::Invitation),
            ),
            (
                entry(FirstLogin::Saml, signed_in),
                FirstLogin::Invitation,
                false,
                Some(LinkKind::ResetLink),
            ),
            (
                entry(FirstLogin::PasswordReset, signed_in),
                FirstLogin::Invitation,
                true,
                None,
            ),
            (
                entry(FirstLogin::Saml, signed_in),
                FirstLogin::PasswordReset,
                false,
                None,
            ),
            (entry(FirstLogin::Invitation, None), FirstLogin::Saml, false, None),
        ] {
            let after = before.converted(setting, has_password);
            assert_eq!((after.by, after.due, after.first), (setting, due, before.first));
        }
    }
}
