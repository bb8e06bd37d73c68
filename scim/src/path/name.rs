//! The name of an attribute as it was written.

use std::fmt::{self, Display, Formatter};
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::fault::Fault;
use super::parse::attribute_or_schema;
use crate::error::{Error, ScimType};

/// A name as written: an optional schema URN, an attribute and an optional sub-attribute (RFC 7644 section 3.10).
///
/// Case is kept, and ignored by comparison and hashing (RFC 7643 section 2.1, for the URN RFC 7644 section 3.10).
/// Nothing here knows a schema. The text is split after its last `:`, so the URN of an extension alone
/// (`urn:example:2.0:Staff`) reads as attribute `Staff` of `urn:example:2.0`: ask [`names_schema`](Self::names_schema)
/// for each registered URN before the parts are used.
///
/// ```
/// use scim::path::AttributeName;
///
/// let name: AttributeName = "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName".parse()?;
/// assert_eq!(name.urn.as_deref(), Some("urn:ietf:params:scim:schemas:core:2.0:User"));
/// assert_eq!((name.name.as_str(), name.sub.as_deref()), ("name", Some("givenName")));
/// assert_eq!("USERNAME".parse::<AttributeName>()?, AttributeName::new("userName"));
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AttributeName {
    /// The URN of the schema, without the colon that ends it.
    pub urn: Option<String>,
    /// The attribute; empty if the whole text is a URN whose last part cannot be an attribute (`urn:example:hr:1.0`).
    pub name: String,
    /// The sub-attribute, after the dot.
    pub sub: Option<String>,
}

impl AttributeName {
    /// Makes the name of an attribute without schema URN and sub-attribute. `name` is taken as it is.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            urn: None,
            name: name.into(),
            sub: None,
        }
    }

    /// Puts the URN of a schema before the name.
    #[must_use]
    pub fn with_urn(mut self, urn: impl Into<String>) -> Self {
        self.urn = Some(urn.into());
        self
    }

    /// Puts a sub-attribute after the name.
    #[must_use]
    pub fn with_sub(mut self, sub: impl Into<String>) -> Self {
        self.sub = Some(sub.into());
        self
    }

    /// Returns whether the whole name, as written, is this schema URN in any case: it addresses an extension's
    /// container.
    ///
    /// ```
    /// use scim::path::AttributeName;
    ///
    /// let name: AttributeName = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user".parse()?;
    /// assert!(name.names_schema("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"));
    /// assert!(!name.names_schema("urn:ietf:params:scim:schemas:extension:enterprise:2.0"));
    /// # Ok::<(), scim::Error>(())
    /// ```
    #[must_use]
    pub fn names_schema(&self, urn: &str) -> bool {
        self.pieces()
            .try_fold(urn.as_bytes(), |left, piece| {
                let (head, tail) = left.split_at_checked(piece.len())?;
                head.eq_ignore_ascii_case(piece.as_bytes()).then_some(tail)
            })
            .is_some_and(<[u8]>::is_empty)
    }

    /// Returns the pieces that [`Display`] prints.
    fn pieces(&self) -> impl Iterator<Item = &str> {
        let colon = (self.urn.is_some() && !self.name.is_empty()).then_some(":");
        let dot = self.sub.is_some().then_some(".");
        let urn = self.urn.as_deref();
        let sub = self.sub.as_deref();
        [urn, colon, Some(self.name.as_str()), dot, sub]
            .into_iter()
            .flatten()
    }
}

impl Display for AttributeName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

impl FromStr for AttributeName {
    type Err = Error;

    /// Fails with `invalidPath`, naming the byte where the name ceases to be one.
    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let (rest, parts) = attribute_or_schema(text)?;
            if rest.is_empty() {
                Ok(parts.to_name())
            } else {
                Err(Fault::expected(rest, "the end of the attribute name"))
            }
        };
        parse().map_err(|fault: Fault<'_>| fault.into_error("Name", text, ScimType::InvalidPath))
    }
}

impl PartialEq for AttributeName {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        };
        self.name.eq_ignore_ascii_case(&other.name)
            && same(&self.sub, &other.sub)
            && same(&self.urn, &other.urn)
    }
}

impl Eq for AttributeName {}

impl Hash for AttributeName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for piece in self.pieces() {
            for byte in piece.bytes() {
                state.write_u8(byte.to_ascii_lowercase());
            }
        }
        state.write_u8(0xff);
    }
}

impl From<&str> for AttributeName {
    /// Makes the name of an attribute without schema URN and sub-attribute: the text is not parsed.
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for AttributeName {
    /// Makes the name of an attribute without schema URN and sub-attribute: the text is not parsed.
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn parsed(text: &str) -> AttributeName {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// RFC 7643 section 2.1, RFC 7644 section 3.10.
    #[test]
    fn names_are_compared_and_hashed_ignoring_case() {
        let name = parsed("urn:Example:2.0:User:Name.GivenName");
        let names = HashSet::from([name.clone()]);
        assert!(names.contains(&parsed("URN:example:2.0:user:name.givenname")));
        assert!(!names.contains(&parsed("urn:Example:2.0:User:Name")));
        assert_ne!(name, parsed("name.givenName"));
        assert_eq!(
            name.to_string(),
            "urn:Example:2.0:User:Name.GivenName",
            "case is kept"
        );
    }

    #[test]
    fn only_names_of_the_grammar_are_read() {
        for text in [
            "a",
            "$ref",
            "a-b_c$9",
            "manager.$ref",
            "urn:a:b:c.d",
            "urn:a:c",
            "http://example.com/x:y",
        ] {
            assert_eq!(parsed(text).to_string(), text);
        }
        for text in [
            "", "9a", "$", "$$a", "$9", "-a", "a.", ".a", "a.b.c", "a..b", "a b", "ä", ":a", "x:", "a[b]",
            "a,b",
        ] {
            let error = text.parse::<AttributeName>().expect_err(text);
            assert_eq!(error.scim_type(), Some(ScimType::InvalidPath), "{text}");
        }
    }

    #[test]
    fn a_urn_whose_last_part_is_no_attribute_is_the_urn_alone() {
        for text in [
            "urn:example:hr:1.0",
            "urn:example:hr:User@2",
            "urn:example:hr:a.b.c",
        ] {
            let name = parsed(text);
            assert_eq!(
                (name.urn.as_deref(), name.name.as_str(), name.sub),
                (Some(text), "", None)
            );
        }
    }

    #[test]
    fn a_schema_is_named_by_the_whole_text() {
        let name = parsed("urn:example:ext.v2");
        assert!(name.names_schema("URN:EXAMPLE:EXT.V2"));
        for other in [
            "urn:example:ext",
            "urn:example:ext.v",
            "urn:example:ext.v22",
            "urn:example",
            "",
        ] {
            assert!(!name.names_schema(other), "{other}");
        }
    }
}
