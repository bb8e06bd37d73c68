//! Passwords: which may be chosen, and the form in which they are compared.

use std::fmt;

use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation;

use super::fault::{Fault, Result};

/// The fewest and the most characters of a password. The second bounds the work that a form can cause.
pub(crate) const CHARACTERS: std::ops::RangeInclusive<usize> = 12..=128;

/// The longest password that is read, in bytes.
const BYTES_MAX: usize = 4 * 128;

/// A password as somebody has typed it, in the form in which passwords are compared: the profile `OpaqueString` of RFC 8265
/// section 4.2, so that it is the same from every keyboard.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// Reads a password that is compared with one that was chosen before. It cannot be any that the profile does not allow.
    pub(crate) fn typed(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > BYTES_MAX {
            return None;
        }
        OpaqueString::enforce(text)
            .ok()
            .map(|text| Self(text.into_owned()))
    }

    /// Reads a password that somebody chooses; `about` are words that others connect with them, such as their name.
    ///
    /// # Errors
    /// It is too short or too long, has characters that passwords cannot have, or is easy to guess.
    pub(crate) fn chosen(text: &str, about: &[&str]) -> Result<Self> {
        let count = text.chars().count();
        if count < *CHARACTERS.start() {
            return Err(Fault::invalid(format!(
                "The password has {count} characters; expected at least {}. A sentence is fine.",
                CHARACTERS.start()
            )));
        }
        let password = Self::typed(text).filter(|_| count <= *CHARACTERS.end());
        let password = password.ok_or_else(|| {
            Fault::invalid(format!(
                "The password is not valid; expected {} to {} characters without control characters.",
                CHARACTERS.start(),
                CHARACTERS.end()
            ))
        })?;
        if zxcvbn::zxcvbn(&password.0, about).score() < zxcvbn::Score::Three {
            return Err(Fault::invalid(
                "The password is easy to guess: choose several unrelated words, and neither your name nor a common \
                 password.",
            ));
        }
        Ok(password)
    }

    /// Returns the bytes that are hashed.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feature row 24: a password is long and hard to guess, and the refusal says what to do.
    #[test]
    fn a_password_that_is_chosen_is_hard_to_guess() {
        let about = ["ada.lovelace@halden.example", "Ada Lovelace", "halden"];
        for good in [
            "correct horse battery staple",
            "Ein Igel schläft im Regen!",
            "xK9#mq-2LvTz",
        ] {
            assert!(Password::chosen(good, &about).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("short", "at least 12"),
            ("elevenchars", "at least 12"),
            ("password1234", "easy to guess"),
            ("123456789012", "easy to guess"),
            ("qwertyuiopas", "easy to guess"),
            ("aaaaaaaaaaaaaaaa", "easy to guess"),
            ("ada.lovelace@halden.example", "easy to guess"),
            ("tab\tin\tthe\tpassword", "not valid"),
            (&"x7".repeat(65), "not valid"),
        ] {
            let refusal = Password::chosen(bad, &about).unwrap_err().to_string();
            assert!(refusal.contains(why), "{bad}: {refusal}");
            assert!(!refusal.contains(bad), "{refusal}");
        }
    }

    /// RFC 8265 section 4.2: the same password typed at another keyboard is the same.
    #[test]
    fn a_password_is_the_same_from_every_keyboard() {
        let one = Password::chosen("Zürich im  Nebel 1890", &[]).unwrap();
        let other = Password::typed("Zu\u{308}rich im \u{a0}Nebel 1890").unwrap();
        assert_eq!(one, other);
        assert_ne!(Some(one), Password::typed("zürich im  nebel 1890"));
        assert_eq!(format!("{other:?}"), "Password(…)");
        assert_eq!(Password::typed(""), None);
    }

    proptest! {
        /// Feature row 24: whatever can be chosen can be typed again.
        #[test]
        fn a_password_that_was_chosen_can_be_typed(text in "\\PC{0,140}") {
            if let Ok(chosen) = Password::chosen(&text, &[]) {
                prop_assert_eq!(Password::typed(&text), Some(chosen));
            }
        }
    }
}
