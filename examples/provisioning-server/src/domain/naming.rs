//! Names that administrators give to roles and local groups, and the form in which names are compared.

use scim::fold::fold;

use super::fault::{Fault, Result};

/// The longest name, in characters.
const LENGTH_MAX: usize = 100;

/// The longest description, in characters.
const DESCRIPTION_MAX: usize = 500;

/// Returns the form in which names of roles and groups are compared: neither case nor white space at its ends makes
/// another name.
pub(crate) fn key(name: &str) -> String {
    fold(name.trim()).into_owned()
}

/// Checks the name of a thing, such as `a role`, and trims it.
///
/// # Errors
/// The name is empty, too long, or has characters that cannot be seen.
pub(crate) fn name(thing: &str, text: &str) -> Result<String> {
    let text = text.trim();
    let is_printable = !text.chars().any(char::is_control);
    if (1..=LENGTH_MAX).contains(&text.chars().count()) && is_printable {
        return Ok(text.to_owned());
    }
    Err(Fault::invalid(format!(
        "{text:?} is not a valid name of {thing}; expected 1 to {LENGTH_MAX} printable characters."
    )))
}

/// Checks the description of a thing, such as `a role`, and trims it.
///
/// # Errors
/// The description is too long or has characters that cannot be seen.
pub(crate) fn description(thing: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() <= DESCRIPTION_MAX && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Fault::invalid(format!(
        "The description of {thing} is not valid; expected {DESCRIPTION_MAX} printable characters at most."
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feature row 112: names are trimmed and can be read.
    #[test]
    fn a_name_can_be_read() {
        assert_eq!(name("a role", "  Help desk ").unwrap(), "Help desk");
        for bad in ["", "  ", "a\u{0}b", &"x".repeat(101)] {
            let fault = name("a role", bad).unwrap_err().to_string();
            assert!(fault.contains("is not a valid name of a role"), "{fault}");
        }
    }

    proptest! {
        /// Feature row 112: two names that differ by case or outer white space are one.
        #[test]
        fn a_key_ignores_case_and_outer_white_space(text in "[a-zA-Zäß ]{0,20}") {
            prop_assert_eq!(key(&text.to_uppercase().to_lowercase()), key(&format!(" {} ", text.to_uppercase())));
            prop_assert_eq!(key(&key(&text)), key(&text));
        }
    }
}
