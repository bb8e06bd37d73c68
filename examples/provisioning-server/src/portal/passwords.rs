//! The two fields in which somebody chooses a password.

use super::form::Form;
use crate::domain::password::CHARACTERS;

/// The fields, with what is to be said of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passwords {
    pub(super) label: &'static str,
    /// Why the password cannot be chosen.
    pub(super) new_error: Option<String>,
    pub(super) are_different: bool,
}

impl Passwords {
    /// Returns fields that ask for a password.
    pub(super) fn ask(label: &'static str) -> Self {
        Self {
            label,
            ..Self::default()
        }
    }

    /// Returns fields that say why the password cannot be chosen.
    pub(super) fn refused(label: &'static str, why: String) -> Self {
        Self {
            new_error: Some(why),
            ..Self::ask(label)
        }
    }

    /// Returns the fewest characters of a password.
    pub(super) fn least(&self) -> usize {
        *CHARACTERS.start()
    }

    /// Returns the most characters of a password.
    pub(super) fn most(&self) -> usize {
        *CHARACTERS.end()
    }

    /// Reads the password that was typed twice.
    ///
    /// # Errors
    /// The two are different: the fields that say so.
    pub(super) fn read<'a>(label: &'static str, form: &'a Form) -> Result<&'a str, Self> {
        let new = form.text("new");
        match new == form.text("again") {
            true => Ok(new),
            false => Err(Self {
                are_different: true,
                ..Self::ask(label)
            }),
        }
    }
}
