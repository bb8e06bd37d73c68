//! Times as people read them.

use jiff::Timestamp;

/// Returns the day.
pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%-d %B %Y").to_string()
}

/// Returns the minute.
pub(super) fn minute(time: Timestamp) -> String {
    time.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// Returns how long it is from now to a time, in words: seconds up to two minutes, else minutes, rounded up.
pub(super) fn wait(now: Timestamp, until: Timestamp) -> String {
    match seconds(now, until) {
        1 => "1 second".to_owned(),
        seconds @ 0..=120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// Returns how many seconds it is from now to a time, rounded up.
pub(super) fn seconds(now: Timestamp, until: Timestamp) -> u64 {
    let milliseconds = until.duration_since(now).as_millis();
    u64::try_from(milliseconds).unwrap_or_default().div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    #[test]
    fn whoever_waits_is_told_for_how_long() {
        for (until, said) in [
            (-5_000, "0 seconds"),
            (1, "1 second"),
            (1_001, "2 seconds"),
            (120_000, "120 seconds"),
            (120_001, "3 minutes"),
            (900_000, "15 minutes"),
        ] {
            assert_eq!(wait(at(0), at(until)), said);
        }
        assert_eq!(minute(at(0)), "1 January 1970, 00:00 UTC");
        assert_eq!(day(at(0)), "1 January 1970");
    }
}
