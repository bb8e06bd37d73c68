//! Sign-ins by SAML that let nobody in, but have another purpose.

use jiff::SignedDuration;
use uuid::Uuid;

use crate::domain::keyword::keywords;

/// How long an errand can be done.
pub(crate) const LIFE: SignedDuration = SignedDuration::from_mins(15);

keywords! {
    /// The kind of an errand.
    ErrandKind {
        /// An administrator tries whether sign-in works, before people depend on it.
        Trial = "trial",
        /// The person of a manual account confirms that they sign in so from now on.
        Confirmation = "confirmation",
    }
}

/// An errand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// [`ErrandKind::Trial`].
    Trial,
    /// [`ErrandKind::Confirmation`] of this account.
    Confirmation(Uuid),
}

impl Errand {
    /// Returns an errand by its parts; `None` if one is lacking.
    pub(crate) fn of(kind: ErrandKind, account: Option<Uuid>) -> Option<Self> {
        match kind {
            ErrandKind::Trial => Some(Self::Trial),
            ErrandKind::Confirmation => account.map(Self::Confirmation),
        }
    }

    /// Returns its kind.
    pub(crate) const fn kind(self) -> ErrandKind {
        match self {
            Self::Trial => ErrandKind::Trial,
            Self::Confirmation(_) => ErrandKind::Confirmation,
        }
    }

    /// Returns the account that it is about.
    pub(crate) const fn account(self) -> Option<Uuid> {
        match self {
            Self::Trial => None,
            Self::Confirmation(account) => Some(account),
        }
    }
}
