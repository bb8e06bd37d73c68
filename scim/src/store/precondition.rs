//! Versions and what requests demand of them (RFC 7644 section 3.14, RFC 9110 section 13).

use std::fmt::{self, Display, Formatter};

use crate::error::{Error, Result};
use crate::value::DateTime;

/// The version of a resource: opaque, another for every state. As an entity tag it is weak: `W/"3"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// Makes a version from the text that a store gives it. It must fit between the quotes of an entity tag.
    #[must_use]
    pub fn new(version: impl Into<String>) -> Self {
        Self(version.into())
    }

    /// Returns the text between the quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a version that this one has not been: the next number, or a number made of the time if this is not a number.
    #[must_use]
    pub fn successor(&self, now: DateTime) -> Self {
        match self.0.parse::<u64>() {
            Ok(number) => Self::from(number.wrapping_add(1)),
            Err(_) => Self::from(now.as_unix_micros().unsigned_abs()),
        }
    }

    /// Returns the entity tag, as in the header `ETag` and in `meta.version`.
    #[must_use]
    pub fn entity_tag(&self) -> String {
        format!("W/\"{}\"", self.0)
    }

    /// Returns the version in an entity tag, weak or strong; the text itself if it is not one.
    #[must_use]
    pub fn of_entity_tag(tag: &str) -> Self {
        let tag = tag.trim();
        let opaque = tag
            .strip_prefix("W/")
            .or_else(|| tag.strip_prefix("w/"))
            .unwrap_or(tag);
        Self(opaque.trim_matches('"').to_owned())
    }
}

impl From<u64> for Version {
    fn from(version: u64) -> Self {
        Self(version.to_string())
    }
}

impl Display for Version {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request's demand on the version it meets.
///
/// Tags are compared by what stands between the quotes, weak or not: SCIM recommends weak tags and If-Match at once,
/// and the strong comparison would make the two exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// `If-Match: *`: that there is a resource.
    Any,
    /// `If-Match`: one of these versions.
    IfMatch(Vec<Version>),
    /// `If-None-Match`: none of these versions; a read of one of them is answered 304, a write refused.
    IfNoneMatch(Vec<Version>),
    /// `If-None-Match: *`: that there is no resource.
    IfNoneMatchAny,
}

impl Precondition {
    /// Returns whether the client demands nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Checks a write against the version it would overwrite.
    ///
    /// # Errors
    /// 412.
    pub fn check_write(&self, current: &Version) -> Result<()> {
        let holds = match self {
            Self::None | Self::Any => true,
            Self::IfMatch(versions) => versions.contains(current),
            Self::IfNoneMatch(versions) => !versions.contains(current),
            Self::IfNoneMatchAny => false,
        };
        if holds {
            Ok(())
        } else {
            Err(Error::precondition_failed())
        }
    }

    /// Checks a read: whether the client has this version already.
    ///
    /// # Errors
    /// 412 if `If-Match` demands another version.
    pub fn check_read(&self, current: &Version) -> Result<Freshness> {
        match self {
            Self::IfMatch(versions) if !versions.contains(current) => Err(Error::precondition_failed()),
            Self::IfNoneMatch(versions) if versions.contains(current) => Ok(Freshness::NotModified),
            Self::IfNoneMatchAny => Ok(Freshness::NotModified),
            _ => Ok(Freshness::Modified),
        }
    }
}

/// The outcome of a conditional read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The client needs the representation.
    Modified,
    /// The client has it: 304.
    NotModified,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_strong_tags_of_one_version_match() {
        for tag in ["W/\"3\"", "\"3\"", " W/\"3\" ", "3"] {
            assert_eq!(Version::of_entity_tag(tag), Version::from(3), "{tag}");
        }
        assert_eq!(Version::from(3).entity_tag(), "W/\"3\"");
    }

    #[test]
    fn a_stale_if_match_is_412_for_reads_and_writes() {
        let stale = Precondition::IfMatch(vec![Version::from(1)]);
        assert_eq!(stale.check_write(&Version::from(2)).unwrap_err().status(), 412);
        assert_eq!(stale.check_read(&Version::from(2)).unwrap_err().status(), 412);
        assert!(stale.check_write(&Version::from(1)).is_ok());
    }

    #[test]
    fn if_none_match_saves_the_client_a_read() {
        let known = Precondition::IfNoneMatch(vec![Version::from(1), Version::from(2)]);
        assert_eq!(
            known.check_read(&Version::from(2)).unwrap(),
            Freshness::NotModified
        );
        assert_eq!(known.check_read(&Version::from(3)).unwrap(), Freshness::Modified);
        assert_eq!(
            Precondition::IfNoneMatchAny
                .check_write(&Version::from(1))
                .unwrap_err()
                .status(),
            412
        );
    }
}
