//! Comparison keys: the one place that decides when two strings are the same.
//!
//! Filters, sorting, uniqueness and the indexes of a store all compare keys, never text. A store that keeps keys keeps
//! [`VERSION`] with them, and makes them anew when it differs.

use std::borrow::Cow;

use caseless::Caseless;
use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::error::{Error, Result};

/// Which keys this build makes: it changes with the algorithm and with the Unicode tables below it.
pub const VERSION: u32 = {
    const ALGORITHM: u32 = 2;
    let (normalization, std) = (unicode_normalization::UNICODE_VERSION, char::UNICODE_VERSION);
    let caseless = caseless::UNICODE_VERSION;
    ALGORITHM << 24
        | edition(normalization.0 as u32, normalization.1 as u32) << 16
        | edition(caseless.0 as u32, caseless.1 as u32) << 8
        | edition(std.0 as u32, std.1 as u32)
};

/// Packs a version of Unicode into eight bits; they suffice until Unicode 32.
const fn edition(major: u32, minor: u32) -> u32 {
    (major * 8 + minor) & 0xff
}

/// How an attribute compares its strings.
///
/// ```
/// use scim::fold::Fold;
///
/// assert!(Fold::CaseInsensitive.same("Straße", "STRASSE"));
/// assert!(!Fold::Exact.same("a", "A"));
/// // one user name, typed with an Asian input method
/// assert_eq!(Fold::UserName.key("ＢＯＢ"), "bob");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fold {
    /// `caseExact: true`: the characters count, but not how accents are encoded; see [`exact`].
    Exact,
    /// `caseExact: false`; see [`fold`].
    CaseInsensitive,
    /// The rules for user names; see [`user_name`].
    UserName,
}

impl Fold {
    /// Returns the comparison key of a text, borrowed if the text is its own key.
    #[must_use]
    pub fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => exact(text),
            Self::CaseInsensitive => fold(text),
            Self::UserName => user_name(text),
        }
    }

    /// Returns the key of a part of a text: what `co`, `sw` and `ew` look for. White space at the ends of a part
    /// counts.
    #[must_use]
    pub fn part_key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::UserName => fold_ascii(text).unwrap_or_else(|| Cow::Owned(user_name_unicode(text))),
            _ => self.key(text),
        }
    }

    /// Returns the text without what its key never holds.
    pub(crate) fn trimmed(self, text: &str) -> &str {
        match self {
            Self::UserName => text.trim(),
            Self::Exact | Self::CaseInsensitive => text,
        }
    }

    /// Returns whether two texts have one key.
    #[must_use]
    pub fn same(self, left: &str, right: &str) -> bool {
        let (left, right) = (self.trimmed(left), self.trimmed(right));
        if left.is_ascii() && right.is_ascii() {
            return match self {
                Self::Exact => left == right,
                Self::CaseInsensitive | Self::UserName => left.eq_ignore_ascii_case(right),
            };
        }
        self.key(left) == self.key(right)
    }
}

/// Returns the key of text that ignores case: compatibility caseless matching of the Unicode standard (definition
/// D146), composed. It does not depend on a locale (RFC 7644 section 3.4.2.3).
///
/// ```
/// assert_eq!(scim::fold::fold("ＬＥ\u{301}on"), "léon");
/// ```
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    fold_ascii(text).unwrap_or_else(|| Cow::Owned(fold_unicode(text)))
}

/// Returns the key of text whose case counts: composed (NFC), so that one character has one encoding (RFC 7644 section
/// 7.8).
#[must_use]
pub fn exact(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// Returns the key of a user name (RFC 7643 section 4.1.1).
///
/// For a name that the profile UsernameCaseMapped accepts it is what the profile enforces (RFC 8265 section 3.3). For
/// any other name, `Anna Smith` say, it is made the same way with the wider compatibility mapping (NFKC), so that
/// every name has a key and a name is found in each of its encodings. Whether the profile accepts a name is asked with
/// [`check_user_name`].
///
/// Unlike [`fold`] it keeps `ß` and `ss` apart, as RFC 8265 section 3.6 says. White space at both ends does not count:
/// nobody who types a name means it.
///
/// ```
/// assert_eq!(scim::fold::user_name(" BJensen\t"), "bjensen");
/// ```
#[must_use]
pub fn user_name(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    // Compatibility mapping makes spaces of some accents that stand alone.
    fold_ascii(text).unwrap_or_else(|| Cow::Owned(user_name_unicode(text).trim().to_owned()))
}

/// Checks that a user name fits the profile UsernameCaseMapped of RFC 8265: no spaces, no symbols, nothing that only
/// looks like another letter, and one writing direction.
///
/// # Errors
/// 400 `invalidValue`, which reads on after "Attribute userName".
pub fn check_user_name(text: &str) -> Result<()> {
    if text.is_empty() {
        return Err(Error::invalid_value("must not be empty"));
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    // The verdict must be the same for each encoding of a name, so the name is composed first.
    let Err(reason) = UsernameCaseMapped::enforce(exact(text)) else {
        return Ok(());
    };
    Err(match reason {
        precis_profiles::precis_core::Error::BadCodepoint(found) => Error::invalid_value(format!(
            "must not contain the character U+{:04X}, which RFC 8265 does not allow in a user name",
            found.cp
        )),
        _ => Error::invalid_value(
            "mixes characters written from right to left with others in a way that RFC 8265 does not allow in a user name",
        ),
    })
}

/// Returns the key of an ASCII text, for which all ways of ignoring case agree; `None` for other text.
fn fold_ascii(text: &str) -> Option<Cow<'_, str>> {
    if !text.is_ascii() {
        return None;
    }
    Some(if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    })
}

fn fold_unicode(text: &str) -> String {
    // Folding twice: compatibility mappings can bring capitals to light, as that of "℡" does.
    text.chars()
        .nfd()
        .default_case_fold()
        .nfkd()
        .default_case_fold()
        .nfkc()
        .collect()
}

fn user_name_unicode(text: &str) -> String {
    // Character by character: a sigma at the end of a word is not special here (RFC 8265 section 3.6).
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Fold; 3] = [Fold::Exact, Fold::CaseInsensitive, Fold::UserName];

    /// Returns the characters of every plane that has characters in it, but for private use.
    fn characters() -> impl Iterator<Item = char> {
        ('\0'..='\u{323af}').chain('\u{e0000}'..='\u{e0fff}')
    }

    /// Makes text of letters that case, width, composition and script make interesting, besides any text at all.
    fn text() -> impl Strategy<Value = String> {
        let letters =
            "[a-cA-CßẞſÅÅåéÉ\u{301}\u{345}\u{30a}ΣσςİıIiＢｂｱｶﾞㇰ가\u{1100}\u{1161}ⅣﬃǅᾈᾳᎠꭰאبﷺ℡ϓ 0-2@._-]{0,8}";
        prop_oneof![letters, ".{0,12}"]
    }

    #[test]
    fn lower_case_ascii_is_its_own_key() {
        for way in ALL {
            assert!(
                matches!(way.key("bjensen@example.com 1"), Cow::Borrowed(_)),
                "{way:?}"
            );
        }
        assert!(matches!(exact("Zoë"), Cow::Borrowed(_)));
    }

    /// White space at the ends of a user name is not part of it; inside it, and in other attributes, it is.
    #[test]
    fn user_names_ignore_white_space_at_both_ends() {
        for text in [
            "bjensen ",
            " bjensen",
            "\tBJENSEN\u{a0}",
            "\u{2003}bjensen\u{3000}",
        ] {
            assert_eq!(user_name(text), "bjensen", "{text:?}");
            assert!(Fold::UserName.same(text, "bjensen"), "{text:?}");
        }
        assert_eq!(user_name("b jensen"), "b jensen");
        assert_eq!(fold("b "), "b ");
        assert_eq!(Fold::UserName.part_key("B "), "b ");
    }

    /// P-7.8-01: RFC 7644 section 7.8.
    #[test]
    fn composed_and_decomposed_text_have_one_key() {
        for way in ALL {
            assert_eq!(way.key("Ame\u{301}lie"), way.key("Amélie"), "{way:?}");
            assert!(way.same("Ame\u{301}lie", "Amélie"));
        }
        assert_ne!(exact("Amélie"), exact("amélie"));
    }

    #[test]
    fn case_is_ignored_beyond_ascii() {
        for (left, right) in [
            ("Straße", "STRASSE"),
            ("ΌΣΟΣ", "όσος"),
            ("ÉCOLE", "école"),
            ("ﬃ", "FFI"),
            ("Ⅳ", "iv"),
            ("Ꭰ", "ꭰ"),
        ] {
            assert!(Fold::CaseInsensitive.same(left, right), "{left} {right}");
        }
        assert!(!Fold::CaseInsensitive.same("é", "e"));
    }

    #[test]
    fn user_names_are_compared_as_the_profile_says() {
        for (left, right) in [
            ("ＢＯＢ", "bob"),
            ("BOB", "bob"),
            ("ZOË", "zoe\u{308}"),
            ("ｱ", "ア"),
            ("Anna Smith", "ANNA SMITH"),
            ("Ⅳ x", "iv X"),
        ] {
            assert!(Fold::UserName.same(left, right), "{left} {right}");
        }
    }

    /// RFC 8265 section 3.6, table 1 and the notes to it.
    #[test]
    fn the_legal_user_names_of_rfc_8265() {
        for name in ["juliet@example.com", "fussball", "fußball", "π", "Σ", "σ", "ς"] {
            assert!(check_user_name(name).is_ok(), "{name}");
        }
        assert!(!Fold::UserName.same("fussball", "fußball"));
        assert!(Fold::UserName.same("Σ", "σ"));
        assert!(!Fold::UserName.same("Σ", "ς"));
        assert!(!Fold::UserName.same("σ", "ς"));
        assert_eq!(user_name("ΌΣΟΣ"), "όσοσ");
    }

    /// RFC 8265 section 3.6, table 2.
    #[test]
    fn the_illegal_user_names_of_rfc_8265() {
        for (name, says) in [
            ("foo bar", "U+0020"),
            ("", "empty"),
            ("henryⅣ", "U+2163"),
            ("∞", "U+221E"),
            ("a\u{5d0}", "right to left"),
        ] {
            let error = check_user_name(name).unwrap_err().at("userName");
            assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidValue));
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn every_character_has_a_key_that_is_its_own_key() {
        for character in characters() {
            let text = character.to_string();
            for way in ALL {
                let key = way.key(&text);
                assert_eq!(way.key(&key), key, "{way:?} {character:?}");
            }
        }
    }

    #[test]
    fn every_character_that_the_profile_accepts_has_the_key_of_the_profile() {
        for character in characters().filter(|character| !character.is_ascii()) {
            let text = character.to_string();
            if let Ok(enforced) = UsernameCaseMapped::enforce(text.as_str()) {
                assert_eq!(user_name(&text), enforced, "{character:?}");
            }
        }
    }

    #[test]
    fn the_version_holds_what_it_is_made_of() {
        assert_eq!(VERSION >> 24, 2);
        assert_eq!(
            VERSION & 0xff,
            edition(char::UNICODE_VERSION.0.into(), char::UNICODE_VERSION.1.into())
        );
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(text in text()) {
            for way in ALL {
                let key = way.key(&text);
                prop_assert_eq!(way.key(&key), key.clone());
            }
        }

        #[test]
        fn the_fast_path_is_the_slow_path(text in "[ -~\\t\\n]{0,20}") {
            let key = text.to_ascii_lowercase();
            prop_assert_eq!(&fold(&text), &key);
            prop_assert_eq!(fold_unicode(&text), key.as_str());
            prop_assert_eq!(user_name(&text), key.trim());
            prop_assert_eq!(user_name_unicode(&text), key.as_str());
            prop_assert_eq!(check_user_name(&text).is_ok(), UsernameCaseMapped::enforce(text.as_str()).is_ok());
        }

        #[test]
        fn the_profile_and_the_key_agree(text in text()) {
            if let Ok(enforced) = UsernameCaseMapped::enforce(text.as_str()) {
                prop_assert_eq!(user_name(&text), enforced);
                prop_assert!(check_user_name(&text).is_ok());
            }
        }

        #[test]
        fn encodings_of_one_text_have_one_key_and_one_verdict(text in text()) {
            let (composed, decomposed) = (text.nfc().to_string(), text.nfd().to_string());
            for way in ALL {
                prop_assert_eq!(way.key(&composed), way.key(&decomposed));
            }
            prop_assert_eq!(check_user_name(&composed).is_ok(), check_user_name(&decomposed).is_ok());
        }

        #[test]
        fn sameness_is_having_one_key(left in text(), right in text()) {
            for way in ALL {
                prop_assert_eq!(way.same(&left, &right), way.key(&left) == way.key(&right));
            }
        }
    }
}
