//! Times as people read them.

use jiff::{SignedDuration, Timestamp};

use crate::domain::counted::counted;

/// Returns the day.
pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%-d %B %Y").to_string()
}

/// Returns the day, with that of the week.
pub(super) fn weekday(time: Timestamp) -> String {
    time.strftime("%A, %-d %B %Y").to_string()
}

/// Returns the minute, where there is little room.
pub(super) fn short(time: Timestamp) -> String {
    time.strftime("%-d %b %Y, %H:%M").to_string()
}

/// Returns the time of the day.
pub(super) fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M").to_string()
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

/// Returns a length of time in words: whole hours, or whole minutes.
pub(super) fn length(time: SignedDuration) -> String {
    match (time.as_hours(), time.as_mins()) {
        (hours, minutes) if hours > 0 && minutes % 60 == 0 => counted(hours.unsigned_abs(), "hour", "hours"),
        (_, minutes) => counted(minutes.unsigned_abs(), "minute", "minutes"),
    }
}

/// Returns how many seconds it is from now to a time, rounded up.
pub(super) fn seconds(now: Timestamp, until: Timestamp) -> u64 {
    let milliseconds = until.duration_since(now).as_millis();
    u64::try_from(milliseconds).unwrap_or_default().div_ceil(1000)
}

/// Returns how long something lasts, in words: minutes up to two hours, then hours, and days from two on.
pub(super) fn roughly(seconds: u64) -> String {
    let counted = |count: u64, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    match seconds {
        0..=7_169 => counted(((seconds + 30) / 60).max(1), "minute"),
        7_170..=170_999 => counted((seconds + 1_800) / 3_600, "hour"),
        _ => counted((seconds + 43_200) / 86_400, "day"),
    }
}

/// A time as a page shows it, and as machines read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) iso: String,
    pub(super) text: String,
}

/// Returns how long ago a time was.
pub(super) fn ago(now: Timestamp, then: Timestamp) -> Shown {
    let seconds = now.duration_since(then).as_secs().max(0);
    let counted = |count: i64, one: &str| match count {
        1 => format!("1 {one} ago"),
        _ => format!("{count} {one}s ago"),
    };
    let text = match seconds {
        0 => "just now".to_owned(),
        1..=119 => counted(seconds, "second"),
        120..=7_199 => counted(seconds / 60, "minute"),
        7_200..=172_799 => counted(seconds / 3_600, "hour"),
        _ => format!("on {}", day(then)),
    };
    Shown {
        iso: then.to_string(),
        text,
    }
}

/// Returns the day of a time.
pub(super) fn on_day(time: Timestamp) -> Shown {
    Shown {
        iso: time.to_string(),
        text: day(time),
    }
}

/// Returns the minute of a time.
pub(super) fn at_minute(time: Timestamp) -> Shown {
    Shown {
        iso: time.to_string(),
        text: minute(time),
    }
}

/// Returns the time of day, to the second.
pub(super) fn second(time: Timestamp) -> Shown {
    Shown {
        iso: time.to_string(),
        text: time.strftime("%H:%M:%S").to_string(),
    }
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
        assert_eq!(weekday(at(0)), "Thursday, 1 January 1970");
        assert_eq!(clock(at(0)), "00:00");
        assert_eq!(short(at(0)), "1 Jan 1970, 00:00");
        assert_eq!(on_day(at(0)).text, day(at(0)));
        assert_eq!(at_minute(at(0)).text, minute(at(0)));
    }

    #[test]
    fn a_length_is_told_roughly_in_one_unit() {
        for (seconds, said) in [
            (0, "1 minute"),
            (60, "1 minute"),
            (2_400, "40 minutes"),
            (2_429, "40 minutes"),
            (7_169, "119 minutes"),
            (7_200, "2 hours"),
            (86_400, "24 hours"),
            (172_800, "2 days"),
            (604_800, "7 days"),
        ] {
            assert_eq!(roughly(seconds), said);
        }
    }

    #[test]
    fn a_length_of_time_is_told_in_whole_hours_or_minutes() {
        for (minutes, said) in [
            (1, "1 minute"),
            (30, "30 minutes"),
            (60, "1 hour"),
            (90, "90 minutes"),
            (720, "12 hours"),
        ] {
            assert_eq!(length(SignedDuration::from_mins(minutes)), said);
        }
    }

    #[test]
    fn what_was_is_told_by_how_long_ago_it_was() {
        for (second, said) in [
            (0, "just now"),
            (1, "1 second ago"),
            (119, "119 seconds ago"),
            (120, "2 minutes ago"),
            (7_200, "2 hours ago"),
            (172_800, "on 1 January 1970"),
            (-5, "just now"),
        ] {
            let shown = ago(at(second * 1_000), at(0));
            assert_eq!(
                (shown.text.as_str(), shown.iso.as_str()),
                (said, "1970-01-01T00:00:00Z")
            );
        }
    }
}
