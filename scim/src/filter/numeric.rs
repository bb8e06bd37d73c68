//! Numbers compared without loss.

use std::cmp::Ordering;

use super::Number;
use crate::limits::Limits;
use crate::value::Json;

/// A number as filters and sorting compare it: an integer is equal to a decimal of the same value.
///
/// The order is total: an integer is never rounded to be compared, and what is not a number comes last.
///
/// ```
/// use scim::filter::Numeric;
///
/// assert_eq!(Numeric::Integer(1), Numeric::Decimal(1.0));
/// assert!(Numeric::Integer(i64::MAX) < Numeric::Decimal(9_223_372_036_854_775_808.0));
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Numeric {
    /// An integer.
    Integer(i64),
    /// A number that is not an integer, or beyond the integers.
    Decimal(f64),
}

/// The first number beyond `i64`, which `f64` holds exactly.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

impl From<&Number> for Numeric {
    fn from(number: &Number) -> Self {
        let text = number.as_str();
        let integer = Json::parse(text.as_bytes(), &Limits::default())
            .ok()
            .and_then(Json::as_exact_i64);
        match integer {
            Some(integer) => Self::Integer(integer),
            None => Self::Decimal(text.parse().unwrap_or(f64::NAN)),
        }
    }
}

impl Ord for Numeric {
    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (Self::Integer(a), Self::Decimal(b)) => compare(a, b),
            (Self::Decimal(a), Self::Integer(b)) => compare(b, a).reverse(),
            (Self::Decimal(a), Self::Decimal(b)) => {
                a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
            }
        }
    }
}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Numeric {}

fn compare(integer: i64, decimal: f64) -> Ordering {
    if decimal.is_nan() || decimal >= BEYOND {
        return Ordering::Less;
    }
    if decimal < -BEYOND {
        return Ordering::Greater;
    }
    // Within the range of i64, so that the cast only drops the fraction.
    let whole = decimal.trunc();
    integer
        .cmp(&(whole as i64))
        .then_with(|| whole.partial_cmp(&decimal).unwrap_or(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numeric() -> impl Strategy<Value = Numeric> {
        prop_oneof![
            any::<i64>().prop_map(Numeric::Integer),
            (-4i64..4).prop_map(Numeric::Integer),
            any::<f64>().prop_map(Numeric::Decimal),
            (-16i32..16).prop_map(|quarters| Numeric::Decimal(f64::from(quarters) / 4.0)),
            Just(Numeric::Decimal(f64::NAN)),
        ]
    }

    #[test]
    fn integers_that_no_float_holds_keep_their_place() {
        let (below, at) = (
            Numeric::Integer((1 << 53) + 1),
            Numeric::Decimal(9_007_199_254_740_992.0),
        );
        assert!(below > at);
        assert!(Numeric::Integer(i64::MIN) >= Numeric::Decimal(-BEYOND));
        assert!(Numeric::Integer(-1) > Numeric::Decimal(-1.5));
        assert!(Numeric::Integer(1) < Numeric::Decimal(1.5));
    }

    #[test]
    fn one_number_written_in_several_ways_is_one_number() {
        for text in ["100", "100.0", "1e2", "1E+2", "1000e-1"] {
            assert_eq!(
                Numeric::from(&Number::from_json(text)),
                Numeric::Integer(100),
                "{text}"
            );
        }
        assert_eq!(Numeric::from(&Number::from_json("-0")), Numeric::Integer(0));
        assert!(Numeric::from(&Number::from_json("1e400")) > Numeric::Integer(i64::MAX));
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in numeric(), b in numeric(), c in numeric()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }
    }
}
