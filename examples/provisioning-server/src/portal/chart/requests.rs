//! The picture of the requests of a span of days: those that succeeded, and below the line those that were refused.

use std::fmt::Write;

use super::Bars;
use crate::domain::activity::{Part, Requests, Span};
use crate::domain::counted::counted;
use crate::portal::moment;

/// A part of the span as the table has it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Line {
    pub(in crate::portal) title: String,
    pub(in crate::portal) requests: Requests,
}

/// The picture.
#[derive(Debug, Clone)]
pub(in crate::portal) struct RequestsOverTime {
    /// The days that it shows.
    pub(in crate::portal) title: String,
    /// Its finding, in a sentence.
    pub(in crate::portal) finding: String,
    pub(in crate::portal) total: Requests,
    pub(in crate::portal) bars: Bars,
    /// Times below the picture, from its left to its right.
    pub(in crate::portal) labels: Vec<String>,
    /// The parts in which there were requests.
    pub(in crate::portal) lines: Vec<Line>,
}

/// How many times stand below the picture, beside the one at its left.
const LABELS: usize = 4;

impl RequestsOverTime {
    /// Draws the parts of a span, the oldest first.
    pub(in crate::portal) fn of(span: &Span, parts: &[Part]) -> Self {
        let mut total = Requests::default();
        for part in parts {
            total.add(&part.requests);
        }
        let places: Vec<_> = parts
            .iter()
            .map(|part| ([part.requests.succeeded], part.requests.refused))
            .collect();
        let title = title(span, parts);
        let lines = parts.iter().filter(|part| part.requests.all() > 0);
        Self {
            finding: finding(span, parts, &title, &total),
            total,
            bars: Bars::of(&places),
            labels: labels(span, parts),
            lines: lines
                .map(|part| Line {
                    title: named(span, part),
                    requests: part.requests,
                })
                .collect(),
            title,
        }
    }

    /// Returns whether there were no requests.
    pub(in crate::portal) fn is_empty(&self) -> bool {
        self.total.all() == 0
    }

    /// Returns the numbers of all parts in words.
    pub(in crate::portal) fn sum(&self) -> String {
        sum(&self.total)
    }
}

fn sum(requests: &Requests) -> String {
    let all = counted(requests.all(), "request", "requests");
    format!(
        "{all}, of which {} refused",
        match requests.refused {
            1 => "1 was".to_owned(),
            refused => format!("{refused} were"),
        }
    )
}

/// Returns a title that says the days of a span in words.
fn title(span: &Span, parts: &[Part]) -> String {
    let first = parts.first().map_or(span.end(), |first| first.begin);
    let last = crate::domain::clock::earlier(span.end(), jiff::SignedDuration::from_secs(1));
    match (moment::day(first), moment::day(last)) {
        (first, last) if first == last => format!("Requests on {first}"),
        (first, last) => format!("Requests from {first} to {last}"),
    }
}

/// Returns the name of a part: its beginning.
fn named(span: &Span, part: &Part) -> String {
    match span.is_by_day() {
        true => moment::day(part.begin),
        false => moment::short(part.begin),
    }
}

fn labels(span: &Span, parts: &[Part]) -> Vec<String> {
    let is_one_day = parts
        .first()
        .is_some_and(|first| moment::day(first.begin) == moment::day(parts.last().unwrap_or(first).begin));
    let label = |at: jiff::Timestamp| match is_one_day {
        true => moment::clock(at),
        false => at.strftime("%-d %b").to_string(),
    };
    let places = (0..LABELS).filter_map(|number| parts.get(number * parts.len() / LABELS));
    let mut labels: Vec<_> = places.map(|part| label(part.begin)).collect();
    labels.push(label(span.end()));
    labels.dedup();
    labels
}

fn finding(span: &Span, parts: &[Part], title: &str, total: &Requests) -> String {
    let mut sentence = format!("{title}: {}.", sum(total));
    let busiest = parts.iter().rev().max_by_key(|part| part.requests.all());
    if let Some(busiest) = busiest.filter(|part| part.requests.all() > 0) {
        let most = counted(busiest.requests.all(), "request", "requests");
        // Writing to a string cannot fail.
        _ = write!(sentence, " Most from {} on: {most}.", named(span, busiest));
    }
    sentence
}

#[cfg(test)]
pub(in crate::portal) mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::clock::hour;

    /// Makes the chart of the last days of which some hours before their end had requests.
    pub(in crate::portal) fn last(days: i64, counted: &[(i64, u64, u64)]) -> RequestsOverTime {
        let now = Timestamp::from_second(1_795_516_920).unwrap();
        let since = now - jiff::SignedDuration::from_hours((days - 1) * 24);
        let span = Span::of(Some(since), None, now).unwrap();
        let counted = counted.iter().map(|(before, succeeded, refused)| {
            let requests = Requests {
                succeeded: *succeeded,
                refused: *refused,
            };
            (hour(now) - before, requests)
        });
        RequestsOverTime::of(&span, &span.filled(counted))
    }

    /// Feature row 75: the text says what the picture shows.
    #[test]
    fn the_finding_says_what_is_seen() {
        let chart = last(7, &[(0, 12, 1), (30, 40, 0)]);
        assert_eq!(
            chart.finding,
            "Requests from 18 November 2026 to 24 November 2026: 53 requests, of which 1 was refused. Most from \
             23 Nov 2026, 00:00 on: 40 requests."
        );
        assert_eq!(
            (chart.bars.top, chart.bars.bottom, chart.bars.width),
            (40, 1, 280)
        );
        assert_eq!(chart.labels, ["18 Nov", "19 Nov", "21 Nov", "23 Nov", "25 Nov"]);
        let lines: Vec<_> = chart.lines.iter().map(|line| line.title.as_str()).collect();
        assert_eq!(lines, ["23 Nov 2026, 00:00", "24 Nov 2026, 06:00"]);
        let day = last(1, &[]);
        assert!(day.is_empty() && day.lines.is_empty());
        assert_eq!(
            day.finding,
            "Requests on 24 November 2026: 0 requests, of which 0 were refused."
        );
        assert_eq!(day.labels, ["00:00", "06:00", "12:00", "18:00", "00:00"]);
    }
}
