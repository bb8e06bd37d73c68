//! Links that are used once: they let somebody in who has no password, or has forgotten it.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::clock::later;
use super::credential;
use super::keyword::keywords;

keywords! {
    /// The kind of a link.
    LinkKind {
        /// It lets a new person in for the first time.
        Invitation = "invitation",
        /// It sets a forgotten password.
        ResetLink = "reset-link",
        /// It lets an owner of the instance back in who has lost everything: its use removes the second factor, too.
        Recovery = "recovery",
        /// It makes the first owner of the instance.
        SetUp = "set-up",
    }
}

impl LinkKind {
    /// Returns the kind of credential that it is.
    pub(crate) const fn credential(self) -> credential::Kind {
        match self {
            Self::Invitation | Self::SetUp => credential::Kind::Invitation,
            Self::ResetLink | Self::Recovery => credential::Kind::ResetLink,
        }
    }

    /// Returns how long it can be used.
    pub(crate) const fn life(self) -> SignedDuration {
        match self {
            Self::Invitation => SignedDuration::from_hours(7 * 24),
            Self::ResetLink => SignedDuration::from_mins(30),
            Self::Recovery | Self::SetUp => SignedDuration::from_hours(24),
        }
    }

    /// Returns when one that is made now ends.
    pub(crate) fn expiry(self, now: Timestamp) -> Timestamp {
        later(now, self.life())
    }
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) id: Uuid,
    /// The account of whoever it lets in. A set-up link is for whoever has it.
    pub(crate) account: Uuid,
    pub(crate) kind: LinkKind,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
}

impl Link {
    /// Returns whether it can be used.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}
