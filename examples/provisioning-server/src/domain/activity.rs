//! The activity of an identity provider in the last days, counted by the quarter of a day.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit};

use super::event::EventKind;

/// The days that are shown, today too.
const DAYS: i64 = 7;

/// The hours of a quarter of a day.
const HOURS: i64 = 6;

/// The most changes, and the most errors, that are counted in one quarter.
pub(crate) const MOST: u32 = 1_000;

/// A quarter of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quarter {
    pub(crate) begin: Timestamp,
    pub(crate) counts: Counts,
}

/// How much has happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    /// People who were deactivated, and people and groups who were removed.
    pub(crate) ended: u64,
    /// Requests that failed.
    pub(crate) errors: u64,
}

impl Counts {
    /// Adds events of a kind; those that are not the identity provider's do not count.
    pub(crate) fn add(&mut self, kind: EventKind, count: u64) {
        let of = match kind {
            EventKind::UserCreated | EventKind::GroupCreated => &mut self.created,
            EventKind::UserUpdated
            | EventKind::UserReactivated
            | EventKind::GroupUpdated
            | EventKind::GroupRenamed
            | EventKind::MemberAdded
            | EventKind::MemberRemoved => &mut self.updated,
            EventKind::UserDeactivated | EventKind::UserRemoved | EventKind::GroupRemoved => &mut self.ended,
            _ => return,
        };
        *of = of.saturating_add(count);
    }

    /// Returns how many changes there were.
    pub(crate) fn changes(&self) -> u64 {
        self.created
            .saturating_add(self.updated)
            .saturating_add(self.ended)
    }

    /// Returns both together.
    #[must_use]
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            created: self.created.saturating_add(other.created),
            updated: self.updated.saturating_add(other.updated),
            ended: self.ended.saturating_add(other.ended),
            errors: self.errors.saturating_add(other.errors),
        }
    }
}

/// Returns the beginnings of the quarters of the last days in UTC, the oldest first, and the end of the last one.
pub(crate) fn quarters(now: Timestamp) -> Vec<Timestamp> {
    let today = now.to_zoned(TimeZone::UTC).round((Unit::Day, 1)).ok();
    let midnight = today.and_then(|day| match day.timestamp() > now {
        true => day.checked_sub(1.day()).ok(),
        false => Some(day),
    });
    let first = midnight.and_then(|day| day.checked_sub((DAYS - 1).days()).ok());
    let first = first.map_or(now, |first| first.timestamp());
    let count = DAYS * 24 / HOURS;
    (0..=count)
        .filter_map(|number| first.checked_add((number * HOURS).hours()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::keyword::Keyword as _;

    proptest! {
        /// Feature row 74: seven whole days are shown, in quarters, and now is in the last of them.
        #[test]
        fn now_is_in_the_last_day(second in 86_400_i64 * 30..4_000_000_000) {
            let now = Timestamp::from_second(second).unwrap();
            let quarters = quarters(now);
            prop_assert_eq!(quarters.len(), 29);
            prop_assert_eq!(quarters[0].as_second() % 86_400, 0);
            prop_assert!(quarters.windows(2).all(|pair| pair[1].duration_since(pair[0]).as_hours() == 6));
            prop_assert!(quarters[24] <= now && now < quarters[28]);
        }
    }

    /// Feature row 74: what the provider does is counted once, and what administrators do is not.
    #[test]
    fn what_the_provider_does_is_counted() {
        let mut counted = 0;
        for kind in EventKind::ALL {
            let mut counts = Counts::default();
            counts.add(*kind, 2);
            assert!([0, 2].contains(&counts.changes()), "{kind:?}");
            counted += counts.changes() / 2;
        }
        assert_eq!(counted, 11);
    }
}
