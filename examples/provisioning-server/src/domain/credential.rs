//! The kinds of credentials that people have, and what becomes of each when something happens to their account.

use super::account::{Account, AccountState};
use super::keyword::keywords;

keywords! {
    /// A kind of credential.
    Kind {
        /// A browser that is signed in.
        Session = "session",
        /// A link that lets a new person in for the first time.
        Invitation = "invitation",
        /// A link that sets a forgotten password.
        ResetLink = "reset-link",
        /// A password.
        Password = "password",
        /// A second factor.
        SecondFactor = "second-factor",
        /// A code that stands in for a second factor once.
        RecoveryCode = "recovery-code",
        /// A link to the set-up guide, for somebody without an account.
        SetupLink = "setup-link",
    }
}

keywords! {
    /// Something that happens to an account, or to all of them.
    Event {
        /// It is disabled, by the identity provider or by hand.
        Deactivation = "deactivation",
        /// An administrator suspends it.
        Suspension = "suspension",
        /// It is removed, or its person is deleted.
        Removal = "removal",
        /// Its person or an administrator signs it out everywhere.
        SignOutEverywhere = "sign-out-everywhere",
        /// Its person signs in at the identity provider from now on, and with no password.
        ConversionToSaml = "conversion-to-saml",
        /// The whole database is restored from a backup, in which there may be what was taken back since.
        Restore = "restore",
    }
}

keywords! {
    /// The fate of a credential.
    Fate {
        /// It stays as it is.
        Kept = "kept",
        /// It is of no use until the account can be used again.
        Suspended = "suspended",
        /// It ends for good.
        Ended = "ended",
    }
}

impl Kind {
    /// Returns what becomes of credentials of this kind.
    pub(crate) const fn fate(self, event: Event) -> Fate {
        match event {
            Event::Removal | Event::ConversionToSaml => Fate::Ended,
            Event::Deactivation | Event::Suspension => match self {
                Self::Session | Self::Invitation | Self::ResetLink | Self::SetupLink => Fate::Ended,
                Self::Password | Self::SecondFactor | Self::RecoveryCode => Fate::Suspended,
            },
            Event::SignOutEverywhere => match self {
                Self::Session => Fate::Ended,
                Self::Invitation
                | Self::ResetLink
                | Self::Password
                | Self::SecondFactor
                | Self::RecoveryCode
                | Self::SetupLink => Fate::Kept,
            },
            Event::Restore => match self {
                Self::Session | Self::Invitation | Self::ResetLink | Self::SetupLink => Fate::Ended,
                Self::Password | Self::SecondFactor | Self::RecoveryCode => Fate::Kept,
            },
        }
    }
}

impl Event {
    /// Returns what a change of an account is to its credentials, if it ends any.
    pub(crate) fn of(before: &Account, after: &Account) -> Option<Self> {
        let is_removed = after.state == AccountState::Removed || after.is_deleted();
        match () {
            () if is_removed => Some(Self::Removal),
            () if !before.has_access() || after.has_access() => None,
            () if after.suspended.is_some() => Some(Self::Suspension),
            () => Some(Self::Deactivation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyword::Keyword;

    fn of(event: Event, fate: Fate) -> String {
        let kinds = Kind::ALL.iter().filter(|kind| kind.fate(event) == fate);
        kinds.map(|kind| kind.word()).collect::<Vec<_>>().join(" ")
    }

    /// Feature rows 19b, 97, 111, 115: what ends, what is suspended, and what stays, for every kind and event.
    #[test]
    fn each_kind_has_its_fate() {
        const ALL: &str = "session invitation reset-link password second-factor recovery-code setup-link";
        const LINKS: &str = "session invitation reset-link setup-link";
        const KNOWN: &str = "password second-factor recovery-code";
        for (event, ended, suspended, kept) in [
            (Event::Deactivation, LINKS, KNOWN, ""),
            (Event::Suspension, LINKS, KNOWN, ""),
            (Event::Removal, ALL, "", ""),
            (Event::ConversionToSaml, ALL, "", ""),
            (
                Event::SignOutEverywhere,
                "session",
                "",
                "invitation reset-link password second-factor recovery-code setup-link",
            ),
            (Event::Restore, LINKS, "", "password second-factor recovery-code"),
        ] {
            assert_eq!(of(event, Fate::Ended), ended, "{event:?}");
            assert_eq!(of(event, Fate::Suspended), suspended, "{event:?}");
            assert_eq!(of(event, Fate::Kept), kept, "{event:?}");
        }
        assert_eq!(Event::ALL.len(), 6);
    }
}
