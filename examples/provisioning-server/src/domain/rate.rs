//! How many requests an organization may make: so many a second, and a second's worth of them at once.

use std::time::Duration;

/// The least rate that can be set, in requests a second: every provider gets along with it.
pub(crate) const LEAST: u32 = 25;

/// A rate that is held to by each organization for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Requests a second.
    pub(crate) limit: u32,
}

/// The requests of an organization so far, as the time at which it will have been entitled to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Meter {
    paid_until: Duration,
    told: Option<Duration>,
}

/// A request that comes too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooEarly {
    /// How long to wait.
    pub(crate) wait: Duration,
    /// Whether it is the first one of this second, which the history tells of.
    pub(crate) is_told: bool,
}

impl Rate {
    /// Returns a rate of at least [`LEAST`].
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(LEAST),
        }
    }

    /// Counts a request at a time since some beginning.
    ///
    /// # Errors
    /// It comes too early.
    pub(crate) fn admit(self, meter: &mut Meter, now: Duration) -> Result<(), TooEarly> {
        let worth = Duration::from_secs(1) / self.limit;
        let ahead = Duration::from_secs(1).saturating_sub(worth);
        let paid = meter.paid_until.max(now);
        if paid <= now.saturating_add(ahead) {
            meter.paid_until = paid.saturating_add(worth);
            return Ok(());
        }
        let is_told = meter
            .told
            .is_none_or(|told| now.saturating_sub(told) >= Duration::from_secs(1));
        if is_told {
            meter.told = Some(now);
        }
        Err(TooEarly {
            wait: paid.saturating_sub(now).saturating_sub(ahead),
            is_told,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn admitted(rate: Rate, times: &[Duration]) -> Vec<Duration> {
        let mut meter = Meter::default();
        let admits = |time: &&Duration| rate.admit(&mut meter, **time).is_ok();
        times.iter().filter(admits).copied().collect()
    }

    /// Feature row 107: at least 25 requests a second are always granted.
    #[test]
    fn no_rate_is_below_the_least() {
        assert_eq!(Rate::new(1).limit, LEAST);
        let now = vec![Duration::from_secs(9); 100];
        assert_eq!(admitted(Rate::new(0), &now).len(), 25);
    }

    /// Feature row 107: whoever waits for as long as was said is let in, and one refusal a second is told of.
    #[test]
    fn whoever_waits_is_let_in() {
        let (rate, mut meter) = (Rate::new(50), Meter::default());
        let now = Duration::from_secs(3);
        for _ in 0..50 {
            rate.admit(&mut meter, now).unwrap();
        }
        let early = rate.admit(&mut meter, now).unwrap_err();
        assert_eq!((early.wait, early.is_told), (Duration::from_millis(20), true));
        assert!(!rate.admit(&mut meter, now).unwrap_err().is_told);
        rate.admit(&mut meter, now + early.wait).unwrap();
    }

    proptest! {
        /// Feature row 107: within any second no more than twice the rate is let in, and nobody who keeps to it is refused.
        #[test]
        fn a_rate_is_held_to(limit in LEAST..200, mut offsets in proptest::collection::vec(0_u64..3_000, 1..800)) {
            offsets.sort_unstable();
            let times: Vec<_> = offsets.into_iter().map(Duration::from_millis).collect();
            let rate = Rate::new(limit);
            let admitted = admitted(rate, &times);
            let most = usize::try_from(limit).unwrap() * 2;
            for (first, from) in admitted.iter().enumerate() {
                let within = admitted[first..].iter().take_while(|time| **time < *from + Duration::from_secs(1));
                prop_assert!(within.count() <= most);
            }
            let mut meter = Meter::default();
            for number in 0..limit * 2 {
                let time = Duration::from_secs(1) / limit * number;
                prop_assert!(rate.admit(&mut meter, time).is_ok());
            }
        }
    }
}
