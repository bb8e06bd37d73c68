//! Moments in time.

use std::fmt::{self, Debug, Display, Formatter};
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use crate::error::{Error, Result, quoted};

/// The year 1970 in UTC, from which Unix time counts.
const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// The first moment of a year that four digits can write.
const MIN: civil::DateTime = civil::DateTime::constant(0, 1, 1, 0, 0, 0, 0);
/// The last moment of a year that four digits can write.
const MAX: civil::DateTime = civil::DateTime::constant(9999, 12, 31, 23, 59, 59, 999_999_999);

/// A moment in time, as the attribute type `dateTime` has it (RFC 7643 section 2.3.5).
///
/// It keeps nanoseconds and the instant, not the offset it was written with: moments compare and sort as instants, and
/// are written in UTC. The years 0000 to 9999 are there in full, up to the `9999-12-31T23:59:59Z` that means "never"
/// to many directories.
///
/// ```
/// use scim::value::DateTime;
///
/// let created = DateTime::parse("2010-01-23T06:56:22.5+02:00")?;
/// assert_eq!(created.to_string(), "2010-01-23T04:56:22.5Z");
/// assert_eq!(created, DateTime::parse("2010-01-23T04:56:22.500Z")?);
/// # Ok::<(), scim::Error>(())
/// ```
// A civil time in UTC, because `jiff::Timestamp` ends 26 hours before the year 9999 does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(civil::DateTime);

impl DateTime {
    /// Reads an `xsd:dateTime`: date, `T`, time with seconds, and perhaps a fraction and `Z` or an offset. Without
    /// offset it is UTC. Digits beyond the nanosecond are dropped, and `t` and `z` may be lower case (RFC 3339 section
    /// 5.6).
    ///
    /// # Errors
    /// 400 `invalidValue` for any other text, a date without time among them, and for days and times that do not
    /// exist; leap seconds and the time 24:00:00 are not taken.
    pub fn parse(text: &str) -> Result<Self> {
        let mut rest = text;
        let date = date(&mut rest).ok_or_else(|| refusal(text, "is not written that way"))?;
        if rest.is_empty() {
            return Err(refusal(text, "has no time"));
        }
        let time = time(&mut rest).ok_or_else(|| refusal(text, "is not written that way"))?;
        let offset = offset(rest).ok_or_else(|| refusal(text, "is not written that way"))?;
        instant(date, time, offset)
            .map(Self)
            .ok_or_else(|| refusal(text, "does not exist"))
    }

    /// The moment so many microseconds after 1970 began in UTC; the nearest one of the years 0000 to 9999.
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> Self {
        let nearest = if micros < 0 { MIN } else { MAX };
        let moment = EPOCH
            .checked_add(SignedDuration::from_micros(micros))
            .unwrap_or(nearest);
        Self(moment.clamp(MIN, MAX))
    }

    /// The whole microseconds since 1970 began in UTC, rounded down.
    #[must_use]
    pub fn as_unix_micros(self) -> i64 {
        i64::try_from(self.as_unix_nanos().div_euclid(1_000)).unwrap_or_default()
    }

    /// The nanoseconds since 1970 began in UTC.
    #[must_use]
    pub fn as_unix_nanos(self) -> i128 {
        self.0.duration_since(EPOCH).as_nanos()
    }

    /// The moment as a timestamp of the crate `jiff`; `None` for the last 26 hours of the year 9999, which that type
    /// does not reach.
    #[must_use]
    pub fn to_timestamp(self) -> Option<Timestamp> {
        Timestamp::from_nanosecond(self.as_unix_nanos()).ok()
    }
}

impl From<Timestamp> for DateTime {
    /// A year before 0000 becomes the first moment of that year.
    fn from(timestamp: Timestamp) -> Self {
        Self(TimeZone::UTC.to_datetime(timestamp).clamp(MIN, MAX))
    }
}

impl FromStr for DateTime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Display for DateTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.0)
    }
}

impl Debug for DateTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "DateTime({self})")
    }
}

fn refusal(text: &str, why: &str) -> Error {
    let text = quoted(text);
    Error::invalid_value(format!(
        "must be a dateTime such as 2011-05-13T04:42:34Z, but {text} {why}"
    ))
}

fn date(rest: &mut &str) -> Option<civil::Date> {
    let year = digits(rest, 4)?;
    literal(rest, "-")?;
    let month = digits(rest, 2)?;
    literal(rest, "-")?;
    let day = digits(rest, 2)?;
    civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn time(rest: &mut &str) -> Option<civil::Time> {
    literal(rest, "T").or_else(|| literal(rest, "t"))?;
    let hour = digits(rest, 2)?;
    literal(rest, ":")?;
    let minute = digits(rest, 2)?;
    literal(rest, ":")?;
    let second = digits(rest, 2)?;
    let nanosecond = match literal(rest, ".") {
        Some(()) => fraction(rest)?,
        None => 0,
    };
    let [hour, minute, second] = [hour, minute, second].map(i8::try_from);
    civil::Time::new(hour.ok()?, minute.ok()?, second.ok()?, nanosecond).ok()
}

/// The digits of a fraction of a second, in nanoseconds.
fn fraction(rest: &mut &str) -> Option<i32> {
    let length = rest
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let (fraction, after) = rest.split_at_checked(length)?;
    *rest = after;
    if fraction.is_empty() {
        return None;
    }
    format!("{:0<9}", fraction.get(..9).unwrap_or(fraction))
        .parse()
        .ok()
}

/// The offset from UTC that the text consists of, in minutes.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z" | "z") {
        return Some(0);
    }
    let mut rest = text;
    let sign = match literal(&mut rest, "-") {
        Some(()) => -1,
        None => {
            literal(&mut rest, "+")?;
            1
        }
    };
    let hours = i64::from(digits(&mut rest, 2)?);
    literal(&mut rest, ":")?;
    let minutes = i64::from(digits(&mut rest, 2)?);
    let offset = hours * 60 + minutes;
    (rest.is_empty() && minutes < 60 && offset <= 14 * 60).then_some(sign * offset)
}

fn instant(date: civil::Date, time: civil::Time, offset: i64) -> Option<civil::DateTime> {
    let local = date.to_datetime(time);
    let moment = local.checked_sub(SignedDuration::from_secs(offset * 60)).ok()?;
    (MIN..=MAX).contains(&moment).then_some(moment)
}

/// Takes exactly so many digits.
fn digits(rest: &mut &str, count: usize) -> Option<i16> {
    let (digits, after) = rest.split_at_checked(count)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = after;
    digits.parse().ok()
}

fn literal(rest: &mut &str, text: &str) -> Option<()> {
    *rest = rest.strip_prefix(text)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        DateTime::parse(text).unwrap().to_string()
    }

    /// S-2.3.5-01 and A-27: RFC 7643 section 2.3.5.
    #[test]
    fn every_form_of_a_date_time_is_read_as_its_instant() {
        for (text, instant) in [
            ("2020-01-01T00:00:00.123+02:00", "2019-12-31T22:00:00.123Z"),
            ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
            ("2020-01-01T00:00:00", "2020-01-01T00:00:00Z"),
            ("2020-02-29t23:59:59z", "2020-02-29T23:59:59Z"),
            ("2020-01-01T00:00:00-14:00", "2020-01-01T14:00:00Z"),
            ("2020-01-01T00:00:00-00:30", "2020-01-01T00:30:00Z"),
            ("2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00Z"),
            ("2020-01-01T00:00:00.1234567Z", "2020-01-01T00:00:00.1234567Z"),
            (
                "2020-01-01T00:00:00.1234567899Z",
                "2020-01-01T00:00:00.123456789Z",
            ),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(written(text), instant, "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "now",
            "2020-1-1T00:00:00Z",
            "20200101T000000Z",
            "2020-01-01 00:00:00Z",
            "2020-01-01T00:00Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00,5Z",
            "2020-01-01T00:00:00+0200",
            "2020-01-01T00:00:00+02:60",
            "2020-01-01T00:00:00+14:01",
            "2020-01-01T00:00:00Z ",
            " 2020-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z[UTC]",
            "+2020-01-01T00:00:00Z",
            "-2020-01-01T00:00:00Z",
            "2020-13-01T00:00:00Z",
            "2019-02-29T00:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T25:00:00Z",
            "2016-12-31T23:59:60Z",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
            "２020-01-01T00:00:00Z",
        ] {
            let error = DateTime::parse(text).unwrap_err();
            assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidValue), "{text}");
        }
    }

    #[test]
    fn a_date_alone_is_told_that_it_has_no_time() {
        let error = DateTime::parse("2020-01-01").unwrap_err().at("birthday");
        assert_eq!(
            error.to_string(),
            "Attribute birthday must be a dateTime such as 2011-05-13T04:42:34Z, but \"2020-01-01\" has no time."
        );
    }

    #[test]
    fn instants_compare_whatever_their_offset() {
        let [earlier, later] =
            ["2020-01-01T01:00:00+02:00", "2020-01-01T00:00:00Z"].map(|text| DateTime::parse(text).unwrap());
        assert!(earlier < later);
        assert_eq!(DateTime::parse("2020-01-01T02:00:00+02:00").unwrap(), later);
    }

    #[test]
    fn unix_time_is_rounded_down_and_clamped() {
        assert_eq!(
            DateTime::from_unix_micros(1_500_000).to_string(),
            "1970-01-01T00:00:01.5Z"
        );
        assert_eq!(
            DateTime::parse("1969-12-31T23:59:59.9999999Z")
                .unwrap()
                .as_unix_micros(),
            -1
        );
        assert_eq!(DateTime::from_unix_micros(i64::MAX).0, MAX);
        assert_eq!(DateTime::from_unix_micros(i64::MIN).0, MIN);
        assert!(DateTime(MAX).to_timestamp().is_none());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in MIN_MICROS..=MAX_MICROS, nanos in 0_i64..1000) {
            let moment = DateTime::from_unix_micros(micros);
            prop_assert_eq!(moment.as_unix_micros(), micros);
            let moment = DateTime((moment.0 + SignedDuration::from_nanos(nanos)).clamp(MIN, MAX));
            prop_assert_eq!(DateTime::parse(&moment.to_string()).unwrap(), moment);
            prop_assert_eq!(moment.as_unix_micros(), micros);
            if let Some(timestamp) = moment.to_timestamp() {
                prop_assert_eq!(DateTime::from(timestamp), moment);
                prop_assert_eq!(timestamp.to_string(), moment.to_string());
            }
        }

        #[test]
        fn order_is_the_order_of_instants(left in MIN_MICROS..=MAX_MICROS, right in MIN_MICROS..=MAX_MICROS) {
            prop_assert_eq!(left.cmp(&right), DateTime::from_unix_micros(left).cmp(&DateTime::from_unix_micros(right)));
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in "[0-9TZtz:+.é-]{0,32}|.{0,20}") {
            if let Ok(moment) = DateTime::parse(&text) {
                prop_assert_eq!(DateTime::parse(&moment.to_string()).unwrap(), moment);
            }
        }
    }

    const MIN_MICROS: i64 = -62_167_219_200_000_000;
    const MAX_MICROS: i64 = 253_402_300_799_999_999;
}
