//! The keys of rows: numbers that grow with time, made by the application.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};

use crate::value::DateTime;

/// 2020-01-01T00:00:00Z in microseconds: 52 bits of them last until 2162.
const EPOCH: i64 = 1_577_836_800_000_000;
/// Bits below the microsecond, that tell apart the rows of several servers on one database.
const NODE_BITS: u32 = 11;

/// The key of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowKey {
    /// The number of the tenant.
    pub(super) tenant: i64,
    pub(super) rid: i64,
}

/// Makes the keys of new rows. Each is greater than the one before, whatever the clock does.
#[derive(Debug)]
pub(super) struct RowKeys {
    last: AtomicI64,
    /// The low bits of every key that this process makes.
    node: i64,
}

impl RowKeys {
    /// Makes keys that all come behind `last`. The process is told from others by a number left to chance.
    pub(super) fn behind(last: i64) -> Self {
        Self::of_node(last, RandomState::new().hash_one(last))
    }

    fn of_node(last: i64, node: u64) -> Self {
        Self {
            last: AtomicI64::new(last),
            node: i64::try_from(node & ((1 << NODE_BITS) - 1)).unwrap_or(0),
        }
    }

    /// Returns a key that was never given before: 63 bits of which the upper are the time.
    pub(super) fn next(&self, now: DateTime) -> i64 {
        let micros = now.as_unix_micros().saturating_sub(EPOCH).clamp(0, (1 << 52) - 1);
        let key = |micros: i64| micros << NODE_BITS | self.node;
        let after = |last: i64| key(micros).max(key((last >> NODE_BITS) + 1));
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        after(last.unwrap_or_else(|last| last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> DateTime {
        DateTime::from_unix_micros(micros)
    }

    /// Lists are in the order of creation, although the clock stands still or runs backwards.
    #[test]
    fn keys_grow_whatever_the_clock_does() {
        let keys = RowKeys::of_node(0, 77);
        let times = [EPOCH + 10, EPOCH + 10, EPOCH + 9, 0, EPOCH + 11, i64::MAX];
        let made: Vec<_> = times.map(|time| keys.next(at(time))).into();
        assert!(made.is_sorted_by(|a, b| a < b), "{made:?}");
        assert!(made.iter().all(|key| *key > 0));
    }

    #[test]
    fn two_processes_make_different_keys_at_the_same_time() {
        let (one, other) = (RowKeys::of_node(0, 1), RowKeys::of_node(0, 2));
        assert_ne!(one.next(at(EPOCH + 5)), other.next(at(EPOCH + 5)));
    }
}
