//! A password on its way to whoever keeps it.

use std::fmt::{self, Debug, Formatter};

use crate::error::Result;
use crate::schema::Type;
use crate::value::{Json, Scalar, View};

/// A password in clear text, as a client sets it: to be checked, hashed or handed on, never kept (RFC 7643 section
/// 4.1.1).
///
/// It is shown by no answer and by no `Debug` output. [`expose`](Self::expose) hands it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// A password.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The clear text.
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
