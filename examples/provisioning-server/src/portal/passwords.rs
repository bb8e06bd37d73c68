//! The two fields in which somebody chooses a password.

/// The fields, with what is to be said of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passwords {
    pub(super) label: &'static str,
    /// Why the password cannot be chosen.
    pub(super) new_error: Option<String>,
    pub(super) are_different: bool,
}
