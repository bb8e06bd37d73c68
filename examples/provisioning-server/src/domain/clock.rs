//! Times before and after others, which stop at the first and the last time that there is.

use jiff::{SignedDuration, Timestamp};

/// Returns the time that is so much later; the last that there is if it would be beyond.
pub(crate) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Returns the time that is so much earlier; the first that there is if it would be beyond.
pub(crate) fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}
