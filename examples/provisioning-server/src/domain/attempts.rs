//! The slowing of attempts to sign in: whoever guesses has to wait, and nobody is locked out for ever.

use jiff::{SignedDuration, Timestamp};

use super::clock::{earlier, later};

/// Attempts in a row that nobody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Those for one name, from browsers in which nobody has signed in under it.
    Name,
    /// Those from one network address, whatever the names.
    Address,
    /// Those from one browser in which somebody has signed in before, for their name. Nobody else's attempts slow these.
    Device,
    /// Mails that were asked for, for one name.
    Mail,
}

impl Counted {
    /// Returns the word by which counters of this kind are told from others.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Device => "device",
            Self::Mail => "mail",
        }
    }

    /// Returns how many failed attempts are free. Many people may share an address.
    const fn free(self) -> u32 {
        match self {
            Self::Name | Self::Device => 5,
            Self::Address => 50,
            Self::Mail => 3,
        }
    }
}

/// The wait after the first attempt that is not free; each further one doubles it, up to the longest.
const FIRST: SignedDuration = SignedDuration::from_secs(2);
pub(crate) const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// A counter is forgotten this long after its last attempt.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(1);

/// The failed attempts in a row that were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counter {
    pub(crate) failed: u32,
    pub(crate) last: Timestamp,
}

impl Counter {
    /// Returns the time until which the next attempt has to wait: `None` if it need not.
    pub(crate) fn wait(&self, what: Counted, now: Timestamp) -> Option<Timestamp> {
        let beyond = self.current(now).checked_sub(what.free())?;
        let factor = 2_i32.checked_pow(beyond).unwrap_or(i32::MAX);
        let wait = FIRST.checked_mul(factor).unwrap_or(LONGEST).min(LONGEST);
        let until = later(self.last, wait);
        (now < until).then_some(until)
    }

    /// Returns the counter after one more attempt. An attempt counts as failed from its beginning, so that many at once
    /// do not get around it; one that succeeds ends the counter.
    #[must_use]
    pub(crate) fn counted(&self, now: Timestamp) -> Self {
        Self {
            failed: self.current(now).saturating_add(1),
            last: now,
        }
    }

    /// Returns whether it need not be kept.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        now >= later(self.last, FORGOTTEN)
    }

    /// Returns the time before whose last attempts counters need not be kept.
    pub(crate) fn kept_since(now: Timestamp) -> Timestamp {
        earlier(now, FORGOTTEN)
    }

    fn current(&self, now: Timestamp) -> u32 {
        if self.is_over(now) { 0 } else { self.failed }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const ALL: [Counted; 4] = [Counted::Name, Counted::Address, Counted::Device, Counted::Mail];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Feature row 90: five mistakes are free, then each wait is twice the one before, up to a quarter of an hour.
    #[test]
    fn each_wait_is_twice_the_one_before() {
        let mut counter = Counter::default();
        let mut now = at(1_000_000);
        let mut waits = Vec::new();
        for _ in 0..17 {
            counter = counter.counted(now);
            let until = counter.wait(Counted::Name, now).unwrap_or(now);
            waits.push(until.duration_since(now).as_secs());
            now = until;
        }
        let expected = [0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900];
        assert_eq!(waits, expected);
        assert_eq!(counter.wait(Counted::Name, later(now, FORGOTTEN)), None);
    }

    /// Feature row 90: an attempt after the counter is forgotten is the first again: those before do not count any more.
    #[test]
    fn what_is_forgotten_does_not_come_back() {
        let mut counter = Counter::default();
        for second in 0..8 {
            counter = counter.counted(at(second));
        }
        let later = at(7 + 3_600);
        assert_eq!(
            (counter.failed, counter.wait(Counted::Name, later)),
            (8, None),
            "an hour after the last one"
        );
        let anew = counter.counted(later);
        assert_eq!((anew.failed, anew.wait(Counted::Name, later)), (1, None));
    }

    proptest! {
        /// Feature row 90: nobody waits for longer than a quarter of an hour, however many have failed; and nobody
        /// guesses more than a few hundred times a day.
        #[test]
        fn nobody_is_locked_out_for_ever(failed: u32, last in 0..2_000_000_000_i64, after in 0..10_000_i64, what in select(&ALL[..])) {
            let counter = Counter { failed, last: at(last) };
            let now = at(last + after);
            if let Some(until) = counter.wait(what, now) {
                prop_assert!(until.duration_since(now) <= LONGEST);
                prop_assert!(failed >= what.free());
            }
            prop_assert_eq!(counter.wait(what, later(at(last), LONGEST)), None);
            prop_assert!(counter.counted(now).failed >= 1);
        }

        /// Feature row 90: guessing goes on at less than two hundred attempts a day.
        #[test]
        fn guessing_is_slow(begin in 0..2_000_000_000_i64) {
            let (mut counter, mut now, mut attempts) = (Counter::default(), at(begin), 0);
            while now < later(at(begin), SignedDuration::from_hours(24)) {
                counter = counter.counted(now);
                attempts += 1;
                now = counter.wait(Counted::Name, now).unwrap_or(now);
            }
            prop_assert!(attempts < 200, "{attempts}");
        }
    }
}
