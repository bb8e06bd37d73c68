//! The picture of what the identity provider has done in the last days, drawn by the server.

use std::fmt::Write;

use jiff::Timestamp;

use crate::domain::activity::{Counts, MOST, Quarter};
use crate::domain::counted::counted;
use crate::portal::moment;

/// The height above the line, and the one below it, where errors are.
const ABOVE: f64 = 75.0;
const BELOW: f64 = 24.0;

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
pub(in crate::portal) struct Chart {
    /// What it shows, in a sentence.
    pub(in crate::portal) finding: String,
    pub(in crate::portal) total: Counts,
    /// The numbers at the highest bar above and below the line.
    pub(in crate::portal) top: u64,
    pub(in crate::portal) bottom: u64,
    pub(in crate::portal) created: String,
    pub(in crate::portal) updated: String,
    pub(in crate::portal) ended: String,
    pub(in crate::portal) errors: String,
    pub(in crate::portal) days: Vec<Day>,
    /// Whether more has happened than was counted.
    pub(in crate::portal) is_cut: bool,
}

impl Chart {
    /// Draws quarters of days, the oldest first.
    pub(in crate::portal) fn of(quarters: &[Quarter]) -> Self {
        let counts = || quarters.iter().map(|quarter| quarter.counts);
        let total = counts().fold(Counts::default(), |sum, one| sum.plus(&one));
        let top = counts().map(|counts| counts.changes()).max().unwrap_or(0);
        let bottom = counts().map(|counts| counts.errors).max().unwrap_or(0);
        let mut paths = [const { String::new() }; 4];
        let [created, updated, ended, errors] = &mut paths;
        for (place, quarter) in quarters.iter().enumerate() {
            let (counts, mut y) = (quarter.counts, ABOVE);
            for (path, count) in [
                (&mut *created, counts.created),
                (&mut *updated, counts.updated),
                (&mut *ended, counts.ended),
            ] {
                let height = scaled(count, top, ABOVE);
                y -= height;
                bar(path, place, y, height);
            }
            bar(errors, place, ABOVE + 1.0, scaled(counts.errors, bottom, BELOW));
        }
        let [created, updated, ended, errors] = paths;
        Self {
            finding: finding(quarters, &total, top),
            total,
            top,
            bottom,
            created,
            updated,
            ended,
            errors,
            days: quarters.chunks(QUARTERS).map(day).collect(),
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

/// Returns how high a bar is: a single one among very many is still to be seen.
#[allow(clippy::cast_precision_loss, reason = "the counts are bounded, and small")]
fn scaled(count: u64, most: u64, height: f64) -> f64 {
    match count {
        0 => 0.0,
        count => (count as f64 * height / most.max(1) as f64).max(1.0),
    }
}

fn bar(path: &mut String, place: usize, y: f64, height: f64) {
    if height > 0.0 {
        let x = 1 + 10 * place;
        // Writing to a string cannot fail.
        _ = write!(path, "M{x} {y:.1}h8v{height:.1}h-8z");
    }
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
    use proptest::prelude::*;

    use super::*;
    use crate::domain::activity::quarters;

    /// A week in which so much has happened, a quarter after the other.
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

    /// The heights of the bars of a path.
    fn heights(path: &str) -> Vec<f64> {
        path.split("h8v")
            .skip(1)
            .map(|rest| rest.split_once('h').unwrap().0.parse().unwrap())
            .collect()
    }

    #[test]
    fn the_finding_says_what_is_seen() {
        let chart = Chart::of(&week(|place| Counts {
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
            (heights(&chart.created), heights(&chart.updated)),
            (vec![75.0], vec![])
        );
        assert_eq!((chart.top, chart.bottom, chart.days.len()), (3, 1, 7));
        assert!(!chart.is_cut && !chart.is_empty());
        assert!(Chart::of(&week(|_| Counts::default())).is_empty());
    }

    proptest! {
        /// Whatever has happened, no bar is higher than the picture, and each number has one.
        #[test]
        fn every_number_has_a_bar(numbers in proptest::collection::vec(0_u64..1_001, 28)) {
            let chart = Chart::of(&week(|place| Counts {
                updated: numbers[place], errors: numbers[27 - place], ..Counts::default()
            }));
            let not_none = numbers.iter().filter(|number| **number > 0).count();
            prop_assert_eq!(heights(&chart.updated).len(), not_none);
            prop_assert!(heights(&chart.updated).iter().all(|height| (1.0..=75.0).contains(height)));
            prop_assert!(heights(&chart.errors).iter().all(|height| (1.0..=24.0).contains(height)));
            prop_assert_eq!(chart.is_cut, numbers.contains(&1_000));
        }
    }
}
