//! Keys that put rows into the order of their commits.

use uuid::Uuid;

/// Returns a key that sorts after `last`, the greatest one of the organization, whatever clocks do. It is asked for inside
/// the transaction that writes the row: so the order of keys is the order of commits.
pub(super) fn after(last: Option<Uuid>) -> Uuid {
    let now = Uuid::now_v7();
    match last {
        Some(last) if now <= last => Uuid::from_u128(last.as_u128().saturating_add(1)),
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that was put back, and a second process within the same millisecond.
    #[test]
    fn a_key_is_greater_than_the_last_one_whatever_the_clock_says() {
        let ahead = Uuid::from_u128(u128::MAX / 2);
        assert!(after(Some(ahead)) > ahead);
        let now = Uuid::now_v7();
        assert!(after(Some(now)) > now);
        assert!(after(None) > now);
    }
}
