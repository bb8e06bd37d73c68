//! Secrets that the server hands out: tokens of programs, sessions of browsers, links in mails. Whoever has one may come in.
//!
//! A secret is the prefix of its kind, such as `scimp_`, 44 base62 digits (two halves of 128 random bits each) and 6 base62
//! digits of the CRC-32 of what stands before them. The checksum tells a mistyped secret from an unknown one without asking
//! the database.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::fault::{Fault, Result};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^22 > 2^128.
const HALF: usize = 22;
/// 62^6 > 2^32.
const CHECKSUM: usize = 6;
/// The length of every prefix.
const PREFIX: usize = 6;
const LENGTH: usize = PREFIX + 2 * HALF + CHECKSUM;
/// How much of a secret may be shown to tell it from another.
const SHOWN: usize = PREFIX + 4;

/// The kind of a secret. One of another kind is of no use in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretKind {
    /// An API token.
    Token,
    /// A browser that is signed in.
    Session,
    /// A link that is used once.
    Link,
    /// A browser in which somebody has signed in before.
    Device,
    /// A browser in which a sign-in by SAML has begun.
    Browser,
    /// A link to the set-up guide.
    SetupLink,
    /// A browser in which such a link was opened.
    Helper,
}

impl SecretKind {
    /// Returns the beginning of every secret of this kind.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Token => "scimp_",
            Self::Session => "scims_",
            Self::Link => "sciml_",
            Self::Device => "scimd_",
            Self::Browser => "scimb_",
            Self::SetupLink => "scimu_",
            Self::Helper => "scimh_",
        }
    }
}

/// The text of a secret. It exists while a request is served and when it is made, and is printed only on purpose.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Makes a secret from the random source of the system.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn generate(kind: SecretKind) -> Result<Self> {
        Ok(Self::from_random(kind, random()?))
    }

    /// Makes a secret from 256 random bits.
    pub(crate) fn from_random(kind: SecretKind, bytes: [u8; 32]) -> Self {
        let (high, low) = bytes.split_at(16);
        let mut text = String::with_capacity(LENGTH);
        text.push_str(kind.prefix());
        for half in [high, low] {
            let number = half.iter().fold(0_u128, |n, byte| (n << 8) | u128::from(*byte));
            push_base62(&mut text, number, HALF);
        }
        let checksum = crc32fast::hash(text.as_bytes());
        push_base62(&mut text, u128::from(checksum), CHECKSUM);
        Self(text)
    }

    /// Reads a secret that a client sent: `None` if it has not the form of one of this kind or its checksum is wrong.
    pub(crate) fn parse(kind: SecretKind, text: &str) -> Option<Self> {
        if text.len() != LENGTH || !text.is_ascii() {
            return None;
        }
        let (body, checksum) = text.split_at_checked(LENGTH - CHECKSUM)?;
        let digits = body.strip_prefix(kind.prefix())?;
        if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let mut expected = String::with_capacity(CHECKSUM);
        push_base62(
            &mut expected,
            u128::from(crc32fast::hash(body.as_bytes())),
            CHECKSUM,
        );
        (checksum == expected).then(|| Self(text.to_owned()))
    }

    /// Returns the text: to be shown once to whoever asked for the secret.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the part that is kept and compared.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Returns the first characters, by which people recognise a token.
    pub(crate) fn prefix(&self) -> &str {
        self.0.get(..SHOWN).unwrap_or_default()
    }

    /// Returns the last four characters.
    pub(crate) fn last_four(&self) -> &str {
        self.0.get(LENGTH - 4..).unwrap_or_default()
    }
}

/// Returns bytes from the random source of the system.
///
/// # Errors
/// The system has none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Fault::internal("The system's random source failed.", cause.to_string()))?;
    Ok(bytes)
}

/// Appends `number` with exactly `width` digits, the most significant first.
fn push_base62(text: &mut String, number: u128, width: usize) {
    let digit = |power: usize| {
        let value = (number / 62_u128.pow(u32::try_from(power).unwrap_or(0))) % 62;
        usize::try_from(value).ok().and_then(|index| DIGITS.get(index))
    };
    text.extend((0..width).rev().filter_map(digit).map(|byte| char::from(*byte)));
}

/// The SHA-256 of a secret. A plain hash is enough for 256 random bits.
#[derive(Clone, Copy)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Takes back what was stored.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes that are stored.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in a time that does not depend on where the two differ.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const KINDS: [SecretKind; 7] = [
        SecretKind::Token,
        SecretKind::Session,
        SecretKind::Link,
        SecretKind::Device,
        SecretKind::Browser,
        SecretKind::SetupLink,
        SecretKind::Helper,
    ];

    #[test]
    fn a_token_has_the_documented_form() {
        let secret = Secret::from_random(SecretKind::Token, [0xff; 32]);
        let text = secret.reveal();
        assert_eq!(text.len(), 56);
        // 2^128 - 1 in base62, twice.
        assert_eq!(
            text.get(..50).unwrap(),
            "scimp_7n42DGM5Tflk9n8mt7Fhc77n42DGM5Tflk9n8mt7Fhc7"
        );
        assert_eq!(secret.prefix(), "scimp_7n42");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        let good = Secret::from_random(SecretKind::Token, [7; 32])
            .reveal()
            .to_owned();
        let without_prefix = good.replacen("scimp_", "", 1);
        let longer = format!("{good}0");
        for bad in [
            "",
            "scimp_",
            &without_prefix,
            &longer,
            &good.to_uppercase(),
            &"é".repeat(28),
        ] {
            assert!(Secret::parse(SecretKind::Token, bad).is_none(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_secret_made_parses(bytes: [u8; 32]) {
            let secret = Secret::from_random(SecretKind::Token, bytes);
            prop_assert_eq!(secret.reveal().len(), LENGTH);
            prop_assert_eq!(Secret::parse(SecretKind::Token, secret.reveal()), Some(secret));
        }

        #[test]
        fn one_changed_character_is_refused(bytes: [u8; 32], place in 0..LENGTH, to in 0_u8..128) {
            let mut text = Secret::from_random(SecretKind::Token, bytes).reveal().as_bytes().to_vec();
            prop_assume!(text[place] != to);
            text[place] = to;
            prop_assert_eq!(Secret::parse(SecretKind::Token, std::str::from_utf8(&text).unwrap()), None);
        }

        #[test]
        fn different_bits_make_different_secrets(a: [u8; 32], b: [u8; 32]) {
            let (first, second) = (Secret::from_random(SecretKind::Token, a), Secret::from_random(SecretKind::Token, b));
            prop_assert_eq!(a == b, first == second);
            prop_assert_eq!(a == b, first.fingerprint().matches(&second.fingerprint()));
        }

        /// Feature row 97: a secret of one kind is of no use where another is asked for.
        #[test]
        fn a_secret_is_of_one_kind(bytes: [u8; 32], made in select(&KINDS[..]), asked in select(&KINDS[..])) {
            let secret = Secret::from_random(made, bytes);
            prop_assert_eq!(Secret::parse(asked, secret.reveal()).is_some(), made == asked);
        }
    }
}
