//! The activity of an identity provider: changes of the last days by the quarter of a day, and requests of any span of days.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit};

use super::clock::hour;
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

/// Requests, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    /// Those that were answered as they were meant.
    pub(crate) succeeded: u64,
    /// Those that were not.
    pub(crate) refused: u64,
}

impl Requests {
    /// Returns one request that was answered with a status.
    pub(crate) fn one(status: u16) -> Self {
        let refused = u64::from(status >= 400);
        Self {
            succeeded: 1 - refused,
            refused,
        }
    }

    /// Adds others.
    pub(crate) fn add(&mut self, other: &Self) {
        self.succeeded = self.succeeded.saturating_add(other.succeeded);
        self.refused = self.refused.saturating_add(other.refused);
    }

    /// Returns how many there are.
    pub(crate) fn all(&self) -> u64 {
        self.succeeded.saturating_add(self.refused)
    }
}

/// A part of a span of time, and the requests in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) begin: Timestamp,
    pub(crate) requests: Requests,
}

/// The most days that a span has: nothing is kept for longer by a number of days.
const MOST_DAYS: i64 = 3_660;

/// The most parts that a span is divided into.
const PARTS: i64 = 31;

/// Whole days in UTC, in parts of the same number of hours, of which the last one may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first hour, counted since 1970, and the one behind the last.
    first: i64,
    end: i64,
    /// The hours of each part.
    hours: i64,
}

impl Span {
    /// Returns the days from one time on and until another, which may not have come yet. Without a beginning it is the last
    /// seven of them; without an end they last until today. None where the end comes before the beginning.
    pub(crate) fn of(since: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let day = |at: Timestamp| hour(at).div_euclid(24);
        let tomorrow = day(now) + 1;
        let end = until.map_or(tomorrow, |until| hour(until).saturating_add(23).div_euclid(24));
        let end = end.min(tomorrow);
        let begin = since.map_or(end - DAYS, day).max(end - MOST_DAYS);
        let days = end - begin;
        let hours = match days {
            ..=0 => return None,
            1 => 1,
            2 => 2,
            3 => 3,
            4..=7 => HOURS,
            8..=15 => 12,
            _ => 24 * ((days + PARTS - 1) / PARTS),
        };
        Some(Self {
            first: begin * 24,
            end: end * 24,
            hours,
        })
    }

    /// Returns the first hour, and the one behind the last.
    pub(crate) fn hours(&self) -> (i64, i64) {
        (self.first, self.end)
    }

    /// Returns when the last part ends.
    pub(crate) fn end(&self) -> Timestamp {
        begin_of(self.end)
    }

    /// Returns whether the parts are whole days.
    pub(crate) fn is_by_day(&self) -> bool {
        self.hours >= 24
    }

    /// Returns every part with its requests, which are counted by the hour.
    pub(crate) fn filled(&self, counted: impl IntoIterator<Item = (i64, Requests)>) -> Vec<Part> {
        let part = |number| Part {
            begin: begin_of(self.first + self.hours * number),
            requests: Requests::default(),
        };
        let count = (self.end - self.first + self.hours - 1) / self.hours;
        let mut parts: Vec<_> = (0..count).map(part).collect();
        let inside = counted.into_iter().filter(|(hour, _)| *hour < self.end);
        for (hour, requests) in inside {
            let number = usize::try_from((hour - self.first).div_euclid(self.hours));
            if let Some(part) = number.ok().and_then(|number| parts.get_mut(number)) {
                part.requests.add(&requests);
            }
        }
        parts
    }
}

/// Returns when an hour begins, counted since 1970.
fn begin_of(hour: i64) -> Timestamp {
    Timestamp::from_second(hour.saturating_mul(3_600)).unwrap_or(Timestamp::MAX)
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

    proptest! {
        /// Feature row 75: a span has whole days and few parts, ends today at the latest, and each request that was counted in
        /// it is in the part of its hour.
        #[test]
        fn each_request_of_a_span_is_in_one_part(
            now in 86_400_i64 * 5_000..4_000_000_000,
            since in proptest::option::of(-5_000_i64..100),
            length in proptest::option::of(0_i64..400),
            counted in proptest::collection::btree_map(-20_000_i64..2_000, (0_u64..9, 0_u64..9), 0..40),
        ) {
            let at = |day: i64| Timestamp::from_second((now.div_euclid(86_400) + day) * 86_400).unwrap();
            let until = length.map(|length| since.unwrap_or(0) + length);
            let span = Span::of(since.map(at), until.map(at), Timestamp::from_second(now).unwrap());
            let last = until.unwrap_or(1).min(1);
            let first = since.unwrap_or(last - 7);
            prop_assert_eq!(span.is_some(), first < last);
            if let Some(span) = span {
                let (begin, end) = span.hours();
                prop_assert_eq!(begin.rem_euclid(24), 0);
                prop_assert_eq!(Timestamp::from_second(begin * 3_600).unwrap(), at(first.max(last - MOST_DAYS)));
                prop_assert_eq!(Timestamp::from_second(end * 3_600).unwrap(), at(last));
                prop_assert_eq!(span.end().as_second(), end * 3_600);
                let hours = counted.iter().map(|(hour, (succeeded, refused))| {
                    let requests = Requests { succeeded: *succeeded, refused: *refused };
                    (begin + hour, requests)
                });
                let parts = span.filled(hours.clone());
                prop_assert!((1..=31).contains(&parts.len()));
                let inside = hours.filter(|(hour, _)| (begin..end).contains(hour));
                let mut sum = Requests::default();
                for (hour, requests) in inside {
                    sum.add(&requests);
                    let second = hour * 3_600;
                    let part = parts.iter().rfind(|part| part.begin.as_second() <= second).unwrap();
                    prop_assert!(part.requests.succeeded >= requests.succeeded && part.requests.refused >= requests.refused);
                }
                let total = parts.iter().fold(Requests::default(), |mut total, part| {
                    total.add(&part.requests);
                    total
                });
                prop_assert_eq!(total, sum);
            }
        }
    }

    /// Feature row 75: the parts of a span are as short as its length allows.
    #[test]
    fn a_short_span_has_short_parts() {
        let now = Timestamp::from_second(86_400 * 20_000 + 50_000).unwrap();
        let at = |days: i64| Timestamp::from_second(86_400 * (20_001 - days)).unwrap();
        for (days, parts, is_by_day) in [
            (1, 24, false),
            (2, 24, false),
            (3, 24, false),
            (7, 28, false),
            (15, 30, false),
            (31, 31, true),
            (90, 30, true),
        ] {
            let span = Span::of(Some(at(days)), None, now).unwrap();
            assert_eq!(span.filled([]).len(), parts, "{days}");
            assert_eq!(span.is_by_day(), is_by_day, "{days}");
        }
        assert_eq!(Span::of(None, None, now), Span::of(Some(at(7)), Some(at(0)), now));
        assert_eq!((Requests::one(399).succeeded, Requests::one(400).refused), (1, 1));
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
