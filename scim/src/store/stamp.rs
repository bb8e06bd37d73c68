//! The data that a store keeps of a resource beside its attributes.

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
    /// Makes a stamp of a version without times.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            created: None,
            modified: None,
        }
    }

    /// Makes the stamp of a resource that is created now.
    #[must_use]
    pub fn first(now: DateTime) -> Self {
        Self {
            version: Version::from(1),
            created: Some(now),
            modified: Some(now),
        }
    }

    /// Makes the stamp of the next state. Two states of a resource never have the same time, and later ones have later times,
    /// even if the clock was put back a little: another server's clock may be ahead.
    ///
    /// After it was put back by more than an hour, the time of the last state was wrong, or that of now is. A time that
    /// runs ahead of the clock by a microsecond with each change would stay wrong for ever, and every search for what has
    /// changed since (`meta.lastModified gt …`) would find the resource until the clock has caught up. So the clock is
    /// believed then. Which state is later, the version says.
    #[must_use]
    pub fn next(&self, now: DateTime) -> Self {
        let modified = match self.modified {
            Some(last) if micros_ahead(last, now) <= CLOCKS_APART => now.max(just_after(last)),
            _ => now,
        };
        Self {
            version: self.version.successor(now),
            created: self.created,
            modified: Some(modified),
        }
    }

    /// Makes the attribute `meta` of a resource with this stamp (RFC 7643 section 3.1).
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

/// How far the clocks of two servers may be apart, or one is put back, for time to go on as if it had not: an hour, in
/// microseconds.
const CLOCKS_APART: i64 = 3_600_000_000;

fn micros_ahead(last: DateTime, now: DateTime) -> i64 {
    last.as_unix_micros().saturating_sub(now.as_unix_micros())
}

/// Returns the next instant that a store can tell from this one.
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

    /// F9: a clock that was wrong and is put right does not leave a resource in the future for ever.
    #[test]
    fn time_is_right_again_after_a_clock_that_was_far_ahead() {
        const HOUR: i64 = 3_600_000_000;
        let wrong = Stamp::first(DateTime::from_unix_micros(10 * HOUR));
        for (now, modified) in [
            (10 * HOUR + 5, 10 * HOUR + 5),
            (9 * HOUR, 10 * HOUR + 1),
            (9 * HOUR - 1, 9 * HOUR - 1),
            (HOUR, HOUR),
        ] {
            let next = wrong.next(DateTime::from_unix_micros(now));
            assert_eq!(next.modified, Some(DateTime::from_unix_micros(modified)), "{now}");
            assert_eq!(next.version, Version::from(2));
        }
    }
}
