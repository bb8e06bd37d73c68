//! When a mail is sent once more, and for how long.

use jiff::{SignedDuration, Timestamp};

use crate::domain::clock::later;

/// For how long a mail is tried.
const LASTS: SignedDuration = SignedDuration::from_hours(72);

/// For how long a mail is left to the process that sends it. Sending takes less.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// The pause after the first attempt, and the longest, in seconds.
const FIRST: f64 = 60.0;
const LONGEST: f64 = 3_600.0;

/// Returns until when a mail is tried that is queued now.
pub(crate) fn until(now: Timestamp) -> Timestamp {
    later(now, LASTS)
}

/// Returns until when a mail is left to the process that begins to send it now.
pub(crate) fn lease(now: Timestamp) -> Timestamp {
    later(now, LEASE)
}

/// Returns when a mail is sent once more that could not be sent now, for the n-th time. `chance` is between 0 and 1, so
/// that mails that failed together are not all sent at once again.
pub(crate) fn again(now: Timestamp, attempts: u32, chance: f64) -> Timestamp {
    let doublings = i32::try_from(attempts.saturating_sub(1).min(16)).unwrap_or(16);
    let pause = (FIRST * 2_f64.powi(doublings)).min(LONGEST);
    let spread = pause * (0.75 + 0.5 * chance.clamp(0.0, 1.0));
    later(now, SignedDuration::try_from_secs_f64(spread).unwrap_or(LEASE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Feature row 20: a mail is repeated after pauses that grow up to an hour, spread by a quarter to either side.
        #[test]
        fn pauses_grow_up_to_an_hour(attempts: u32, chance in 0.0_f64..=1.0) {
            let now = Timestamp::UNIX_EPOCH;
            let pause = again(now, attempts, chance).duration_since(now).as_secs_f64();
            let middle = (1..attempts.min(8)).fold(60.0, |pause, _| f64::min(pause * 2.0, 3_600.0));
            prop_assert!((middle * 0.75..=middle * 1.25).contains(&pause), "{pause}");
            prop_assert!(again(now, attempts, 0.0) <= again(now, attempts, chance));
        }
    }
}
