//! The names under which people sign in.

use crate::domain::realm::Realm;
use crate::domain::settings::UserNames;

/// How the name is called in a realm, and what a browser offers for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// Everybody signs in under an e-mail address.
    Address,
    /// The identity provider may give any names.
    UserName,
}

impl Called {
    /// Returns how the name is called in a realm.
    pub(super) fn of(realm: &Realm) -> Self {
        match realm {
            Realm::Organization(organization) if organization.settings.username == UserNames::Any => {
                Self::UserName
            }
            Realm::Organization(_) | Realm::Instance => Self::Address,
        }
    }

    /// Returns what is said to whoever does not get in.
    pub(super) const fn wrong(self) -> &'static str {
        match self {
            Self::Address => {
                "The e-mail address or the password is wrong. After 5 failed attempts you have to wait a while."
            }
            Self::UserName => {
                "The user name or the password is wrong. After 5 failed attempts you have to wait a while."
            }
        }
    }

    /// Returns the label of the field.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Address => "E-mail address",
            Self::UserName => "User name",
        }
    }

    /// Returns the type of the field.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Address => "email",
            Self::UserName => "text",
        }
    }
}
