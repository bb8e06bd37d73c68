//! A password on its way to whoever keeps it.

use std::fmt::{self, Debug, Formatter};

use crate::error::Result;
use crate::schema::Type;
use crate::value::{Json, Scalar, View};

/// A password in clear text, as a client sets it: to be checked, hashed or handed on, never kept (RFC 7643 section
/// 4.1.1).
///
/// It is shown by no answer and by no `Debug` output. [`expose`](Self::expose) hands it out.
///
/// As every attribute that is marked `transient`, it passes the application by, once, and reaches no table:
///
/// | who | is handed it |
/// |---|---|
/// | a rule before a write ([`Hooks::before_write`](crate::store::Hooks::before_write)) | in [`Proposed::after`](crate::store::Proposed::after), of a POST, PUT or PATCH that sets it: to refuse a weak one. It may be asked more than once, and nothing is written yet |
/// | statements in the transaction (`documents::Builder::in_transaction`, [`Rows::record`](crate::store::table::Rows::record)) | in the state after: to write its hash with the user. The last to see it |
/// | events after the commit ([`Hooks::after_commit`](crate::store::Hooks::after_commit)), stores, answers, exports | never |
///
/// A write that sets nothing but a password is a change, and gives a new version.
///
/// ```
/// use scim::Error;
/// use scim::resources::{Password, User};
/// use scim::store::Hooks;
///
/// let hooks = Hooks::<()>::new().before_write::<User>(|_, proposed| {
///     let password = proposed.after().and_then(|user| user.password.as_ref());
///     match password.map(Password::expose) {
///         Some(password) if password.len() < 12 => {
///             Err(Error::invalid_value("must have 12 characters or more").at("password"))
///         }
///         _ => Ok(()),
///     }
/// });
/// # _ = hooks;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Makes a password.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// Returns the clear text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Debug for Password {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Scalar for Password {
    const TYPE: Type = Type::String;

    fn view(&self) -> View<'_> {
        View::text(&self.0)
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        String::parse(json).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_does_not_show_it() {
        let password = Password::new("t1meMa$heen");
        assert!(!format!("{password:?}").contains("t1me"));
        assert_eq!(password.expose(), "t1meMa$heen");
    }
}
