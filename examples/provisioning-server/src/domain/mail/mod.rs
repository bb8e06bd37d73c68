//! Mails that the product sends: their kinds, and everything that a mail is made of again when it is sent once more.

pub(crate) mod letter;
pub(crate) mod retry;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::Account;
use super::fault::{Fault, Result};
use super::keyword::keywords;
use super::mass_change::LossKind;
use super::token::Purpose;

keywords! {
    /// The kind of a mail.
    Kind {
        /// It lets a new person in for the first time.
        Invitation = "invitation",
        /// It lets somebody set a password.
        ResetLink = "reset-link",
        /// A password was changed.
        PasswordChanged = "password-changed",
        /// An account has another address: told to the old one.
        AddressChanged = "address-changed",
        /// Somebody has changed their second factor.
        SecondFactorChanged = "second-factor-changed",
        /// An administrator has removed a second factor.
        SecondFactorReset = "second-factor-reset",
        /// An owner of the instance was given a way back in.
        OwnerRecovered = "owner-recovered",
        /// Many people have lost something at once.
        MassChange = "mass-change",
        /// A token ends soon.
        TokenExpiry = "token-expiry",
        /// A token was taken back by somebody who had found it.
        TokenRevokedByValue = "token-revoked-by-value",
    }
}

keywords! {
    /// The state of a mail.
    State {
        /// It waits to be sent.
        Queued = "queued",
        /// The mail server has taken it.
        Sent = "sent",
        /// It was refused for good, or could not be sent for days.
        Failed = "failed",
        /// Its reason is gone, such as an invitation that ended.
        Cancelled = "cancelled",
        /// It is not sent, and stands in the mailbox of the product.
        Kept = "kept",
    }
}

keywords! {
    /// A change of a second factor.
    FactorChange {
        /// One was set up.
        Added = "added",
        /// Another took its place.
        Exchanged = "exchanged",
        /// One was removed.
        Removed = "removed",
        /// Recovery codes were made; those before are of no use any more.
        CodesMade = "codes-made",
        /// A recovery code was used.
        CodeUsed = "code-used",
    }
}

/// The content of a mail, but for its link. Nothing secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Content {
    /// [`Kind::Invitation`]
    Invitation {
        /// When the link ends.
        expires: Timestamp,
    },
    /// [`Kind::ResetLink`]
    ResetLink {
        /// When the link ends.
        expires: Timestamp,
    },
    /// [`Kind::PasswordChanged`]
    PasswordChanged { at: Timestamp },
    /// [`Kind::AddressChanged`]
    AddressChanged { at: Timestamp },
    /// [`Kind::SecondFactorChanged`]
    SecondFactorChanged { at: Timestamp, change: FactorChange },
    /// [`Kind::SecondFactorReset`]
    SecondFactorReset {
        at: Timestamp,
        /// The name of whoever did it.
        by: String,
    },
    /// [`Kind::OwnerRecovered`]
    OwnerRecovered {
        at: Timestamp,
        /// The address of the owner who was given a way in.
        owner: String,
        /// The name of whoever did it, at the command line.
        by: String,
    },
    /// [`Kind::MassChange`]
    MassChange { loss: LossKind, sentence: String },
    /// [`Kind::TokenExpiry`]
    TokenExpiry {
        purpose: Purpose,
        /// The last characters of the token.
        ends_in: String,
        expires: Timestamp,
        /// How many days before that the mail is for.
        days: u32,
    },
    /// [`Kind::TokenRevokedByValue`]
    TokenRevokedByValue {
        purpose: Purpose,
        /// The last characters of the token.
        ends_in: String,
        at: Timestamp,
        /// The name of whoever did it.
        by: String,
    },
}

impl Content {
    /// Returns the kind of mail.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Invitation { .. } => Kind::Invitation,
            Self::ResetLink { .. } => Kind::ResetLink,
            Self::PasswordChanged { .. } => Kind::PasswordChanged,
            Self::AddressChanged { .. } => Kind::AddressChanged,
            Self::SecondFactorChanged { .. } => Kind::SecondFactorChanged,
            Self::SecondFactorReset { .. } => Kind::SecondFactorReset,
            Self::OwnerRecovered { .. } => Kind::OwnerRecovered,
            Self::MassChange { .. } => Kind::MassChange,
            Self::TokenExpiry { .. } => Kind::TokenExpiry,
            Self::TokenRevokedByValue { .. } => Kind::TokenRevokedByValue,
        }
    }

    /// Returns when the link in it ends, if it is about one.
    pub(crate) const fn link_expires(&self) -> Option<Timestamp> {
        match self {
            Self::Invitation { expires } | Self::ResetLink { expires } => Some(*expires),
            _ => None,
        }
    }
}

/// A link within the product: the path of a URL, with a secret in it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Link(String);

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link(…)")
    }
}

impl Link {
    /// Reads a path, which begins with a slash.
    ///
    /// # Errors
    /// Invalid if it is anything else.
    pub(crate) fn parse(path: &str) -> Result<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        match path.starts_with('/') && !path.starts_with("//") && path.bytes().all(is_plain) {
            true => Ok(Self(path.to_owned())),
            false => Err(Fault::invalid(
                "The link is not a valid path; expected a slash, and letters, digits, \"/\", \"-\", \".\", \"_\" and \"~\".",
            )),
        }
    }

    /// Returns the path, with the secret.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// The person whom a mail goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// The account that the mail is about, or the one who is told.
    pub(crate) account: Option<Uuid>,
    pub(crate) address: String,
}

impl Recipient {
    /// Returns the recipient of mails to the person of an account: `None` without an address.
    pub(crate) fn of(account: &Account) -> Option<Self> {
        Some(Self {
            account: Some(account.id),
            address: account.address.clone()?,
        })
    }
}

/// A mail that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) recipient: Recipient,
    pub(crate) content: Content,
    pub(crate) link: Option<Link>,
}

impl Mail {
    /// Invites somebody by a link that ends at a time.
    pub(crate) fn invitation(recipient: Recipient, link: Link, expires: Timestamp) -> Self {
        Self {
            recipient,
            content: Content::Invitation { expires },
            link: Some(link),
        }
    }

    /// Lets somebody set a password by a link that ends at a time.
    pub(crate) fn reset_link(recipient: Recipient, link: Link, expires: Timestamp) -> Self {
        Self {
            recipient,
            content: Content::ResetLink { expires },
            link: Some(link),
        }
    }

    /// Tells somebody of something, without a link.
    pub(crate) fn notice(recipient: Recipient, content: Content) -> Self {
        Self {
            recipient,
            content,
            link: None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::keyword::Keyword;

    fn at() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    /// Makes a mail of each kind, with everything that can stand in it; `text` stands wherever somebody's words do.
    pub(crate) fn of_each_kind(text: &str) -> Vec<Content> {
        let text = || text.to_owned();
        let mut all = vec![
            Content::Invitation { expires: at() },
            Content::ResetLink { expires: at() },
            Content::PasswordChanged { at: at() },
            Content::AddressChanged { at: at() },
            Content::SecondFactorReset { at: at(), by: text() },
            Content::OwnerRecovered {
                at: at(),
                owner: text(),
                by: text(),
            },
            Content::TokenRevokedByValue {
                purpose: Purpose::Scim,
                ends_in: text(),
                at: at(),
                by: text(),
            },
        ];
        all.extend(
            FactorChange::ALL
                .iter()
                .map(|change| Content::SecondFactorChanged {
                    at: at(),
                    change: *change,
                }),
        );
        all.extend(LossKind::ALL.iter().map(|loss| Content::MassChange {
            loss: *loss,
            sentence: text(),
        }));
        for (purpose, days) in [(Purpose::Scim, 1), (Purpose::Access, 30)] {
            all.push(Content::TokenExpiry {
                purpose,
                ends_in: text(),
                expires: at(),
                days,
            });
        }
        all
    }

    /// Feature row 92: what is kept of a mail reads as it was written, and its kind is the word in it.
    #[test]
    fn the_content_of_each_kind_reads_as_it_was_written() {
        let all = of_each_kind("a \"text\"");
        for kind in Kind::ALL {
            assert!(all.iter().any(|content| content.kind() == *kind), "{kind:?}");
        }
        for content in all {
            let json = serde_json::to_value(&content).unwrap();
            assert_eq!(json["kind"], content.kind().word());
            assert_eq!(serde_json::from_value::<Content>(json).unwrap(), content);
        }
    }

    /// Feature row 20: a link leads to this server alone, and is not shown by accident.
    #[test]
    fn a_link_is_a_path_of_this_server() {
        let link = Link::parse("/o/acme/link/aZ09").unwrap();
        assert_eq!(link.reveal(), "/o/acme/link/aZ09");
        assert_eq!(format!("{link:?}"), "Link(…)");
        for bad in [
            "",
            "o/acme",
            "//evil.example/",
            "https://evil.example",
            "/a b",
            "/a\r\nBcc: x",
            "/a?b",
            "/a#b",
            "/\u{202e}",
        ] {
            assert!(Link::parse(bad).is_err(), "{bad:?}");
        }
    }
}
