//! The picture of what the identity provider has done in the last days, drawn by the server.

use std::fmt::Write;

use jiff::Timestamp;

use super::Bars;
use crate::domain::activity::{Counts, MOST, Quarter};
use crate::domain::counted::counted;
use crate::portal::moment;

/// Quarters of a day.
const QUARTERS: usize = 4;

/// A day as the table has it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Day {
    pub(in crate::portal) title: String,
    pub(in crate::portal) counts: Counts,
}

/// The picture.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Changes {
    /// The finding of the picture, in a sentence.
    pub(in crate::portal) finding: String,
    pub(in crate::portal) total: Counts,
    /// The bars of what was created, updated and ended, and of errors below the line.
    pub(in crate::portal) bars: Bars,
    pub(in crate::portal) days: Vec<Day>,
    /// The days below the picture.
    pub(in crate::portal) labels: Vec<String>,
    /// Whether more has happened than was counted.
    pub(in crate::portal) is_cut: bool,
}

impl Changes {
    /// Draws quarters of days, the oldest first.
    pub(in crate::portal) fn of(quarters: &[Quarter]) -> Self {
        let counts = || quarters.iter().map(|quarter| quarter.counts);
        let places: Vec<_> = counts()
            .map(|counts| ([counts.created, counts.updated, counts.ended], counts.errors))
            .collect();
        let total = counts().fold(Counts::default(), |sum, one| sum.plus(&one));
        let bars = Bars::of(&places);
        let days: Vec<Day> = quarters.chunks(QUARTERS).map(day).collect();
        let mut labels: Vec<_> = days.iter().map(|day| day.title.clone()).collect();
        if let Some(last) = labels.last_mut() {
            "Today".clone_into(last);
        }
        Self {
            finding: finding(quarters, &total, bars.top),
            total,
            bars,
            days,
            labels,
            is_cut: counts().any(|counts| is_cut(&counts)),
        }
    }

    /// Returns whether anything has happened.
    pub(in crate::portal) fn is_empty(&self) -> bool {
        self.total == Counts::default()
    }
}

fn is_cut(counts: &Counts) -> bool {
    let most = u64::from(MOST);
    counts.changes() >= most || counts.errors >= most
}

fn day(quarters: &[Quarter]) -> Day {
    let begin = quarters
        .first()
        .map_or(Timestamp::UNIX_EPOCH, |first| first.begin);
    Day {
        title: begin.strftime("%a %-d").to_string(),
        counts: quarters
            .iter()
            .fold(Counts::default(), |sum, quarter| sum.plus(&quarter.counts)),
    }
}

fn finding(quarters: &[Quarter], total: &Counts, top: u64) -> String {
    let mut sentence = format!(
        "Changes in quarters of a day over the last 7 days: {} created, {} updated, {} deactivated or removed, {}.",
        total.created,
        total.updated,
        total.ended,
        counted(total.errors, "error", "errors")
    );
    let busiest = quarters
        .iter()
        .find(|quarter| quarter.counts.changes() == top && top > 0);
    if let Some(busiest) = busiest {
        let (day, hour) = (moment::weekday(busiest.begin), moment::clock(busiest.begin));
        let changes = counted(top, "change", "changes");
        // Writing to a string cannot fail.
        _ = write!(sentence, " Busiest on {day}, from {hour} on, with {changes}.");
    }
    sentence
}

#[cfg(test)]
pub(in crate::portal) mod tests {
    use super::*;
    use crate::domain::activity::quarters;
    use crate::portal::chart::tests::heights;

    /// Makes a week in which so much has happened, a quarter after the other.
    pub(in crate::portal) fn week(counts: impl Fn(usize) -> Counts) -> Vec<Quarter> {
        let times = quarters(Timestamp::from_second(1_795_516_920).unwrap());
        let begins = times.into_iter().take(28).enumerate();
        begins
            .map(|(place, begin)| Quarter {
                begin,
                counts: counts(place),
            })
            .collect()
    }

    #[test]
    fn the_finding_says_what_is_seen() {
        let chart = Changes::of(&week(|place| Counts {
            created: u64::from(place == 5) * 3,
            errors: u64::from(place == 27),
            ..Counts::default()
        }));
        assert_eq!(
            chart.finding,
            "Changes in quarters of a day over the last 7 days: 3 created, 0 updated, 0 deactivated or removed, 1 error. \
             Busiest on Thursday, 19 November 2026, from 06:00 on, with 3 changes."
        );
        assert_eq!(
            (heights(&chart.bars.above[0]), heights(&chart.bars.above[1])),
            (vec![75.0], vec![])
        );
        let bars = &chart.bars;
        assert_eq!(
            (bars.top, bars.bottom, bars.width, chart.days.len()),
            (3, 1, 280, 7)
        );
        assert!(!chart.is_cut && !chart.is_empty());
        assert!(Changes::of(&week(|_| Counts::default())).is_empty());
    }

    /// A quarter that was not counted to its end is said to be cut.
    #[test]
    fn a_quarter_that_is_full_is_cut() {
        for (count, is_cut) in [(999, false), (1_000, true)] {
            let chart = Changes::of(&week(|place| Counts {
                updated: if place == 3 { count } else { 0 },
                ..Counts::default()
            }));
            assert_eq!(chart.is_cut, is_cut);
        }
    }
}
