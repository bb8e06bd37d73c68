//! The names under which people sign in.

use crate::domain::settings::UserNames;

/// How the name is called in a realm, and what a browser offers for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// Everybody signs in under an e-mail address.
    Address,
    /// The identity provider may give any names.
    UserName,
}

impl From<UserNames> for Called {
    fn from(names: UserNames) -> Self {
        match names {
            UserNames::Email => Self::Address,
            UserNames::Any => Self::UserName,
        }
    }
}

impl Called {
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
