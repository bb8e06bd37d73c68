//! Pictures of numbers over time, drawn by the server: bars above a line, and others below it.

pub(in crate::portal) mod changes;
pub(in crate::portal) mod requests;

use std::fmt::Write;

/// The height above the line, and the one below it.
const ABOVE: f64 = 75.0;
const BELOW: f64 = 24.0;

/// The width of a place, and of the bar in it.
const PLACE: usize = 10;
const WIDTH: usize = 8;

/// The bars of a picture as paths of SVG.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Bars {
    /// How wide the picture is. It is 100 high, and the line is at 75.
    pub(in crate::portal) width: usize,
    /// A path for each number that is stacked above the line, from the line on.
    pub(in crate::portal) above: Vec<String>,
    /// The path below the line.
    pub(in crate::portal) below: String,
    /// The numbers at the highest bar above the line, and at the deepest one below it.
    pub(in crate::portal) top: u64,
    pub(in crate::portal) bottom: u64,
}

impl Bars {
    /// Draws places from left to right, each with the numbers above the line and the one below it.
    pub(in crate::portal) fn of<const N: usize>(places: &[([u64; N], u64)]) -> Self {
        let sum = |above: &[u64; N]| above.iter().fold(0_u64, |sum, one| sum.saturating_add(*one));
        let top = places.iter().map(|(above, _)| sum(above)).max().unwrap_or(0);
        let bottom = places.iter().map(|(_, below)| *below).max().unwrap_or(0);
        let mut paths = [const { String::new() }; N];
        let mut below_path = String::new();
        for (place, (above, below)) in places.iter().enumerate() {
            let mut y = ABOVE;
            for (path, count) in paths.iter_mut().zip(above) {
                let height = scaled(*count, top, ABOVE);
                y -= height;
                bar(path, place, y, height);
            }
            bar(&mut below_path, place, ABOVE + 1.0, scaled(*below, bottom, BELOW));
        }
        Self {
            width: places.len() * PLACE,
            above: paths.into(),
            below: below_path,
            top,
            bottom,
        }
    }
}

/// Returns how high a bar is: a single one among very many is still to be seen.
#[allow(clippy::cast_precision_loss, reason = "a picture is no more precise")]
fn scaled(count: u64, most: u64, height: f64) -> f64 {
    match count {
        0 => 0.0,
        count => (count as f64 * height / most.max(1) as f64).max(1.0),
    }
}

fn bar(path: &mut String, place: usize, y: f64, height: f64) {
    if height > 0.0 {
        let x = 1 + PLACE * place;
        // Writing to a string cannot fail.
        _ = write!(path, "M{x} {y:.1}h{WIDTH}v{height:.1}h-{WIDTH}z");
    }
}

#[cfg(test)]
pub(in crate::portal) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the heights of the bars of a path.
    pub(in crate::portal) fn heights(path: &str) -> Vec<f64> {
        path.split("h8v")
            .skip(1)
            .map(|rest| rest.split_once('h').unwrap().0.parse().unwrap())
            .collect()
    }

    proptest! {
        /// Whatever the numbers are, no bar is higher than the picture, and each number has one.
        #[test]
        fn every_number_has_a_bar(places in proptest::collection::vec(([0_u64..1_001, 0_u64..3], 0_u64..100_000), 0..40)) {
            let bars = Bars::of(&places);
            prop_assert_eq!(bars.width, places.len() * 10);
            let paths = [&bars.above[0], &bars.above[1], &bars.below];
            let numbers = |number: usize| {
                places.iter().map(move |(above, below)| *above.get(number).unwrap_or(below))
            };
            for (number, path) in paths.into_iter().enumerate() {
                let not_none = numbers(number).filter(|count| *count > 0).count();
                prop_assert_eq!(heights(path).len(), not_none);
                let most = if number == 2 { 24.0 } else { 75.0 };
                prop_assert!(heights(path).iter().all(|height| (1.0..=most).contains(height)));
            }
            prop_assert_eq!(bars.top, places.iter().map(|(above, _)| above[0] + above[1]).max().unwrap_or(0));
        }
    }
}
