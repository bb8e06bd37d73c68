//! The badge, which describes somebody in one or two words.

use crate::domain::account::{Account, AccountState, ManagedBy};

/// A badge of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Badge {
    Active,
    Disabled,
    Removed,
    Suspended,
    Invited,
    NoAccess,
    NoAddress,
    Scim,
    Manual,
}

impl Badge {
    /// All of them.
    pub(in super::super) const ALL: [Self; 9] = [
        Self::Active,
        Self::Disabled,
        Self::Removed,
        Self::Suspended,
        Self::Invited,
        Self::NoAccess,
        Self::NoAddress,
        Self::Scim,
        Self::Manual,
    ];

    /// Returns the class of its tone.
    pub(in super::super) const fn tone(self) -> &'static str {
        match self {
            Self::Active => "ok",
            Self::Disabled | Self::Removed | Self::Manual => "",
            Self::Suspended => "bad",
            Self::Invited => "info",
            Self::NoAccess | Self::NoAddress => "warn",
            Self::Scim => "idp",
        }
    }

    /// Returns the mark before its words: a dot, a hollow one, the name of an icon, or none.
    pub(in super::super) const fn mark(self) -> &'static str {
        match self {
            Self::Active => "dot",
            Self::Disabled | Self::Removed => "hollow",
            Self::Suspended => "lock",
            Self::NoAccess | Self::NoAddress => "alert",
            Self::Scim => "inlet",
            Self::Invited | Self::Manual => "",
        }
    }

    /// Returns its words.
    pub(in super::super) const fn words(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Disabled => "Disabled",
            Self::Removed => "Removed",
            Self::Suspended => "Suspended",
            Self::Invited => "Invited",
            Self::NoAccess => "No access",
            Self::NoAddress => "No address",
            Self::Scim => "Managed by SCIM",
            Self::Manual => "Manual account",
        }
    }

    /// Returns the badge of whoever looks after an account.
    pub(in super::super) const fn of_side(managed_by: ManagedBy) -> Self {
        match managed_by {
            ManagedBy::Scim => Self::Scim,
            ManagedBy::Hand => Self::Manual,
        }
    }

    /// Returns the badges that say whether somebody can sign in.
    pub(in super::super) fn of_state(account: &Account, is_invited: bool) -> Vec<Self> {
        let state = match account.state {
            AccountState::Active => Self::Active,
            AccountState::Disabled => Self::Disabled,
            AccountState::Removed => Self::Removed,
        };
        let is_there = account.state != AccountState::Removed;
        let others = [
            (account.suspended.is_some() && is_there, Self::Suspended),
            (is_invited && account.has_access(), Self::Invited),
            (account.address.is_none() && is_there, Self::NoAddress),
        ];
        let others = others.into_iter().filter(|(is_so, _)| *is_so);
        std::iter::once(state)
            .chain(others.map(|(_, badge)| badge))
            .collect()
    }
}
