//! The attributes that no schema knows.

use crate::value::{Json, JsonBuf};

/// Attributes of a body that no schema of the resource knows, kept as they came by a field marked `#[scim(extra)]`.
///
/// They can be neither filtered nor patched, and no answer shows them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extra(Vec<(String, JsonBuf)>);

impl Extra {
    /// Returns the attributes in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Json<'_>)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_json()))
    }

    /// Returns the attribute `name`, ignoring case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Json<'_>> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps one attribute; one of the same name gives way.
    pub fn insert(&mut self, name: &str, value: Json<'_>) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value.into()));
    }
}
