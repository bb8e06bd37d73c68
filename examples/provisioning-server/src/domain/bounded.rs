//! Whole numbers between two bounds.

use std::fmt::{self, Display, Formatter};

use super::fault::{Fault, Result};

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct Bounded<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// Returns a number of the program's own, which is moved to the nearest bound if it is beyond one.
    pub(crate) const fn nearest(number: u32) -> Self {
        Self(if number < MIN {
            MIN
        } else if number > MAX {
            MAX
        } else {
            number
        })
    }

    /// Checks a number.
    ///
    /// # Errors
    /// The number is beyond a bound.
    pub(crate) fn new(number: u32) -> Result<Self> {
        if (MIN..=MAX).contains(&number) {
            return Ok(Self(number));
        }
        Err(refused::<MIN, MAX>(&number.to_string()))
    }

    /// Reads a number.
    ///
    /// # Errors
    /// The text is not a number, or one beyond a bound.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let number = text.parse().map_err(|_| refused::<MIN, MAX>(text))?;
        Self::new(number)
    }

    /// Returns the number.
    pub(crate) const fn get(self) -> u32 {
        self.0
    }
}

fn refused<const MIN: u32, const MAX: u32>(text: &str) -> Fault {
    Fault::invalid(format!(
        "{text:?} is not a valid number here; expected {MIN} to {MAX}."
    ))
}

impl<const MIN: u32, const MAX: u32> Display for Bounded<MIN, MAX> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, const MIN: u32, const MAX: u32> serde::Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Feature row 84: a number is taken if it is between its bounds, from a flag and from a file.
        #[test]
        fn a_number_is_between_its_bounds(number: u32) {
            type Number = Bounded<2, 4_000_000_000>;
            let is_good = (2..=4_000_000_000).contains(&number);
            let text = number.to_string();
            prop_assert_eq!(Number::parse(&text).is_ok(), is_good);
            prop_assert_eq!(serde_json::from_str::<Number>(&text).is_ok(), is_good);
            let nearest = Number::nearest(number);
            prop_assert!(Number::new(nearest.get()).is_ok());
            prop_assert_eq!(nearest.get() == number, is_good);
            prop_assert_eq!(serde_json::to_string(&nearest).unwrap(), nearest.to_string());
        }

        /// Feature row 84: whatever else is typed is refused with the bounds.
        #[test]
        fn what_is_not_a_number_is_refused(text in "\\PC{0,12}") {
            if let Err(fault) = Bounded::<1, 9>::parse(&text) {
                prop_assert!(fault.to_string().ends_with("expected 1 to 9."), "{}", fault);
            } else {
                prop_assert!(text.trim_start_matches('+').trim_start_matches('0').len() == 1);
            }
        }
    }
}
