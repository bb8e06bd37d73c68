//! Times before and after others, which stop at the first and the last time that there is, and the hours that they are in.

use jiff::{SignedDuration, Timestamp};

/// Returns the hour that a time is in, counted since 1970.
pub(crate) fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3_600)
}

/// Returns the time that is so much later; the last that there is if it would be beyond.
pub(crate) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Returns the time that is so much earlier; the first that there is if it would be beyond.
pub(crate) fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}
