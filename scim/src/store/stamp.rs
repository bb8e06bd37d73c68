//! What a store keeps of a resource beside its attributes.

use crate::schema::ResourceType;
use crate::store::Version;
use crate::value::{DateTime, Meta, Reference};

/// The version of a resource and its times: all that a store keeps of `meta`. The rest follows from the type and the
/// id.
///
/// ```
/// use scim::ScimResource;
/// use scim::resources::User;
/// use scim::store::{Stamp, Version};
///
/// let stamp = Stamp::new(Version::from(3));
/// let meta = stamp.meta(User::RESOURCE_TYPE, "2819");
/// assert_eq!(meta.version.as_deref(), Some("W/\"3\""));
/// assert_eq!(meta.location.unwrap().as_str(), "Users/2819");
/// assert!(meta.created.is_none(), "times are optional");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The version.
    pub version: Version,
    /// When the resource was created; `None` where nobody keeps it.
    pub created: Option<DateTime>,
    /// When it last changed; `None` where nobody keeps it.
    pub modified: Option<DateTime>,
}

impl Stamp {
    /// A version without times.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            created: None,
            modified: None,
        }
    }

    /// The stamp of a resource that is created now.
    #[must_use]
    pub fn first(now: DateTime) -> Self {
        Self {
            version: Version::from(1),
            created: Some(now),
            modified: Some(now),
        }
    }

    /// The stamp of the next state. Two states of a resource never have the same time, and time never runs backwards,
    /// whatever the clock does.
    #[must_use]
    pub fn next(&self, now: DateTime) -> Self {
        Self {
            version: self.version.successor(now),
            created: self.created,
            modified: Some(self.modified.map_or(now, |last| now.max(just_after(last)))),
        }
    }

    /// The attribute `meta` of a resource with this stamp (RFC 7643 section 3.1).
    #[must_use]
    pub fn meta(&self, resource_type: &ResourceType, id: &str) -> Meta {
        Meta {
            resource_type: Some(resource_type.name.to_owned()),
            created: self.created,
            last_modified: self.modified,
            location: Some(Reference::resource(resource_type.segment(), id)),
            version: Some(self.version.entity_tag()),
        }
    }
}

/// The next instant that a store can tell from this one.
fn just_after(time: DateTime) -> DateTime {
    DateTime::from_unix_micros(time.as_unix_micros().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_although_the_clock_does_not() {
        let first = Stamp::first(DateTime::from_unix_micros(1_000));
        let next = first.next(DateTime::from_unix_micros(10));
        assert_eq!(next.version, Version::from(2));
        assert_eq!(next.created, first.created);
        assert_eq!(next.modified, Some(DateTime::from_unix_micros(1_001)));
    }
}
