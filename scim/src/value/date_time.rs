//! Moments in time.

use std::fmt::{self, Debug, Display, Formatter};
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, civil};

use crate::error::{Error, Result, quoted};

/// The days of the Gregorian calendar repeat after so many years.
const CYCLE_YEARS: i64 = 400;
/// The number of days in as many years.
const CYCLE_DAYS: i64 = 146_097;
/// The first day of a cycle, from which `jiff` counts: it knows the years -9999 to 9999 only.
const CYCLE_START: civil::Date = civil::Date::constant(2000, 1, 1);
/// The days from the beginning of 1970 to [`CYCLE_START`].
const EPOCH_TO_CYCLE_START: i64 = 10_957;

const SECONDS_A_DAY: i64 = 86_400;
const MICROS_A_DAY: i64 = SECONDS_A_DAY * 1_000_000;

/// A moment in time, as the attribute type `dateTime` has it (RFC 7643 section 2.3.5).
///
/// It keeps nanoseconds and the instant, not the offset it was written with: moments compare and sort as instants, and
/// are written in UTC. It reaches from the end of the year -290308 to the beginning of the year 294247, which is as far
/// as microseconds since 1970 can be counted in 64 bits. Years are those of XML Schema: 0000 comes before 0001.
///
/// ```
/// use scim::value::DateTime;
///
/// let created = DateTime::parse("2010-01-23T06:56:22.5+02:00")?;
/// assert_eq!(created.to_string(), "2010-01-23T04:56:22.5Z");
/// assert_eq!(created, DateTime::parse("2010-01-23T04:56:22.500Z")?);
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// Whole microseconds since 1970 began in UTC, rounded down: what stores keep as a key.
    micros: i64,
    /// The nanoseconds above them, fewer than 1000.
    nanos: u16,
}

impl DateTime {
    /// Reads an `xsd:dateTime` (XML Schema 1.1 part 2 section 3.3.7): date, `T`, time with seconds, and perhaps a
    /// fraction and `Z` or an offset. Without offset it is UTC. `24:00:00` is the beginning of the next day. Years may
    /// have more than four digits and a minus sign. Digits beyond the nanosecond are dropped.
    ///
    /// # Errors
    /// 400 `invalidValue` for any other text, a date without time and small letters `t` and `z` among them, for days and
    /// times that do not exist, leap seconds among them, and for moments beyond the range of the type.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text).map_err(|flaw| {
            let text = quoted(text);
            Error::invalid_value(format!(
                "is not a valid dateTime: {text} {flaw}; expected a form such as 2011-05-13T04:42:34Z"
            ))
        })
    }

    /// Reads the same; the error says what is wrong with the text, as the end of a sentence about it.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "is not written that way";
        let mut rest = text;
        let date = DateText::take(&mut rest).ok_or(FORM)?;
        if rest.is_empty() {
            return Err("has no time");
        }
        let time = TimeText::take(&mut rest);
        let (Some(time), Some(offset)) = (time, offset(rest)) else {
            let has_small_letter = text.contains(['t', 'z']);
            return Err(if has_small_letter {
                "has a small t or z"
            } else {
                FORM
            });
        };
        let (Some(days), Some(nanos)) = (date.days(), time.nanos()) else {
            return Err("does not exist");
        };
        let instant =
            days * i128::from(MICROS_A_DAY) * 1000 + nanos - i128::from(offset) * 60 * NANOS_A_SECOND;
        Self::from_unix_nanos(instant).ok_or("lies beyond the years -290307 to 294246")
    }

    /// Returns the moment so many microseconds after 1970 began in UTC.
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> Self {
        Self { micros, nanos: 0 }
    }

    fn from_unix_nanos(nanos: i128) -> Option<Self> {
        Some(Self {
            micros: i64::try_from(nanos.div_euclid(1000)).ok()?,
            nanos: u16::try_from(nanos.rem_euclid(1000)).ok()?,
        })
    }

    /// Returns the whole microseconds since 1970 began in UTC, rounded down.
    #[must_use]
    pub fn as_unix_micros(self) -> i64 {
        self.micros
    }

    /// Returns the nanoseconds since 1970 began in UTC.
    #[must_use]
    pub fn as_unix_nanos(self) -> i128 {
        i128::from(self.micros) * 1000 + i128::from(self.nanos)
    }

    /// Returns the moment as a timestamp of the crate `jiff`; `None` outside of the years -9999 to 9999, and for the 26 hours at
    /// either end of them, which that type does not reach.
    #[must_use]
    pub fn to_timestamp(self) -> Option<Timestamp> {
        Timestamp::from_nanosecond(self.as_unix_nanos()).ok()
    }
}

impl From<Timestamp> for DateTime {
    fn from(timestamp: Timestamp) -> Self {
        // The range of a timestamp lies within that of this type.
        Self::from_unix_nanos(timestamp.as_nanosecond()).unwrap_or(Self::from_unix_micros(0))
    }
}

impl FromStr for DateTime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Display for DateTime {
    /// Writes the form of RFC 3339 in UTC; beyond the years 0000 to 9999, which that form does not reach, that of `xsd:dateTime`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let days = self.micros.div_euclid(MICROS_A_DAY) - EPOCH_TO_CYCLE_START;
        let day = CYCLE_START.saturating_add(SignedDuration::from_hours(24 * days.rem_euclid(CYCLE_DAYS)));
        let year = i64::from(day.year()) + days.div_euclid(CYCLE_DAYS) * CYCLE_YEARS;
        let sign = if year < 0 { "-" } else { "" };
        let (year, month, day) = (year.unsigned_abs(), day.month(), day.day());
        let micros = self.micros.rem_euclid(MICROS_A_DAY);
        let time = civil::Time::midnight()
            .saturating_add(SignedDuration::from_nanos(micros * 1000 + i64::from(self.nanos)));
        write!(f, "{sign}{year:04}-{month:02}-{day:02}T{time}Z")
    }
}

impl Debug for DateTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "DateTime({self})")
    }
}

const NANOS_A_SECOND: i128 = 1_000_000_000;

/// A date as it is written; the day need not exist.
struct DateText {
    year: i64,
    month: i8,
    day: i8,
}

impl DateText {
    fn take(rest: &mut &str) -> Option<Self> {
        let sign = if literal(rest, "-").is_some() { -1 } else { 1 };
        let digits = all_digits(rest);
        if digits.len() < 4 || (digits.len() > 4 && digits.starts_with('0')) {
            return None;
        }
        // More digits than a number has are beyond the range as well.
        let year: i64 = sign * digits.parse().unwrap_or(i64::MAX);
        literal(rest, "-")?;
        let month = two_digits(rest)?;
        literal(rest, "-")?;
        let day = two_digits(rest)?;
        Some(Self { year, month, day })
    }

    /// Returns the days from the beginning of 1970 to this one; `None` if there is not such a day.
    fn days(&self) -> Option<i128> {
        let cycle = self.year.div_euclid(CYCLE_YEARS) - i64::from(CYCLE_START.year()) / CYCLE_YEARS;
        let year = i64::from(CYCLE_START.year()) + self.year.rem_euclid(CYCLE_YEARS);
        let day = civil::Date::new(i16::try_from(year).ok()?, self.month, self.day).ok()?;
        let within = day.duration_since(CYCLE_START).as_secs() / SECONDS_A_DAY;
        Some(i128::from(cycle) * i128::from(CYCLE_DAYS) + i128::from(EPOCH_TO_CYCLE_START + within))
    }
}

/// A time of day as it is written; it need not exist.
struct TimeText {
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    /// Whether there is a fraction that has another digit than 0.
    has_fraction: bool,
}

impl TimeText {
    fn take(rest: &mut &str) -> Option<Self> {
        literal(rest, "T")?;
        let hour = two_digits(rest)?;
        literal(rest, ":")?;
        let minute = two_digits(rest)?;
        literal(rest, ":")?;
        let second = two_digits(rest)?;
        let fraction = match literal(rest, ".") {
            Some(()) => Some(all_digits(rest)).filter(|digits| !digits.is_empty())?,
            None => "",
        };
        Some(Self {
            hour,
            minute,
            second,
            nanosecond: format!("{:0<9}", fraction.get(..9).unwrap_or(fraction))
                .parse()
                .ok()?,
            has_fraction: fraction.contains(|digit| digit != '0'),
        })
    }

    /// Returns the nanoseconds since the day began; `None` if there is not such a time.
    fn nanos(&self) -> Option<i128> {
        if (self.hour, self.minute, self.second, self.has_fraction) == (24, 0, 0, false) {
            return Some(i128::from(MICROS_A_DAY) * 1000);
        }
        let time = civil::Time::new(self.hour, self.minute, self.second, self.nanosecond).ok()?;
        Some(time.duration_since(civil::Time::midnight()).as_nanos())
    }
}

/// Returns the offset from UTC that the text consists of, in minutes.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z") {
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
    let hours = i64::from(two_digits(&mut rest)?);
    literal(&mut rest, ":")?;
    let minutes = i64::from(two_digits(&mut rest)?);
    let offset = hours * 60 + minutes;
    (rest.is_empty() && minutes < 60 && offset <= 14 * 60).then_some(sign * offset)
}

/// Takes the digits with which the text begins, however many.
fn all_digits<'t>(rest: &mut &'t str) -> &'t str {
    let after = rest.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = rest.strip_suffix(after).unwrap_or_default();
    *rest = after;
    digits
}

fn two_digits(rest: &mut &str) -> Option<i8> {
    let (digits, after) = rest.split_at_checked(2)?;
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

    /// S-2.3.5-01 and A-27: RFC 7643 section 2.3.5, XML Schema 1.1 part 2 section 3.3.7.
    #[test]
    fn every_form_of_a_date_time_is_read_as_its_instant() {
        for (text, instant) in [
            ("2020-01-01T00:00:00.123+02:00", "2019-12-31T22:00:00.123Z"),
            ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
            ("2020-01-01T00:00:00", "2020-01-01T00:00:00Z"),
            ("2020-02-29T23:59:59Z", "2020-02-29T23:59:59Z"),
            ("2020-01-01T00:00:00-14:00", "2020-01-01T14:00:00Z"),
            ("2020-01-01T00:00:00-00:30", "2020-01-01T00:30:00Z"),
            ("2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00Z"),
            ("2020-01-01T00:00:00.1234567Z", "2020-01-01T00:00:00.1234567Z"),
            (
                "2020-01-01T00:00:00.1234567899Z",
                "2020-01-01T00:00:00.123456789Z",
            ),
            ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("9999-12-31T23:59:59-00:01", "10000-01-01T00:00:59Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("0000-02-29T00:00:00Z", "0000-02-29T00:00:00Z"),
            ("0000-01-01T00:00:00+00:01", "-0001-12-31T23:59:00Z"),
            ("-0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("-0044-03-15T12:00:00Z", "-0044-03-15T12:00:00Z"),
            ("-12345-03-15T12:00:00.5Z", "-12345-03-15T12:00:00.5Z"),
            ("12345-02-28T24:00:00Z", "12345-03-01T00:00:00Z"),
            ("2020-02-28T24:00:00Z", "2020-02-29T00:00:00Z"),
            ("2020-12-31T24:00:00.000+01:00", "2020-12-31T23:00:00Z"),
            (
                "294247-01-10T04:00:54.775807999Z",
                "294247-01-10T04:00:54.775807999Z",
            ),
            ("-290308-12-21T19:59:05.224192Z", "-290308-12-21T19:59:05.224192Z"),
        ] {
            assert_eq!(written(text), instant, "{text}");
        }
    }

    /// S-2.3.5-01: the error says what is wrong.
    #[test]
    fn other_text_is_refused_and_the_flaw_named() {
        let form = "is not written that way";
        let missing = "does not exist";
        let beyond = "lies beyond the years -290307 to 294246";
        let small = "has a small t or z";
        for (text, flaw) in [
            ("", form),
            ("now", form),
            ("2020-1-1T00:00:00Z", form),
            ("20200101T000000Z", form),
            ("2020-01-01 00:00:00Z", form),
            ("2020-01-01T00:00Z", form),
            ("2020-01-01T00:00:00.Z", form),
            ("2020-01-01T00:00:00,5Z", form),
            ("2020-01-01T00:00:00+0200", form),
            ("2020-01-01T00:00:00+02:60", form),
            ("2020-01-01T00:00:00+14:01", form),
            ("2020-01-01T00:00:00Z ", form),
            (" 2020-01-01T00:00:00Z", form),
            ("2020-01-01T00:00:00Z[UTC]", form),
            ("+2020-01-01T00:00:00Z", form),
            ("--2020-01-01T00:00:00Z", form),
            ("02020-01-01T00:00:00Z", form),
            ("-020-01-01T00:00:00Z", form),
            ("２020-01-01T00:00:00Z", form),
            ("2020-01-01t00:00:00Z", small),
            ("2020-01-01T00:00:00z", small),
            ("2020-01-01", "has no time"),
            ("12020-01-01", "has no time"),
            ("2020-13-01T00:00:00Z", missing),
            ("2020-00-01T00:00:00Z", missing),
            ("2019-02-29T00:00:00Z", missing),
            ("10001-02-29T00:00:00Z", missing),
            ("2020-01-01T24:00:01Z", missing),
            ("2020-01-01T24:00:00.0000000001Z", missing),
            ("2020-01-01T25:00:00Z", missing),
            ("2016-12-31T23:59:60Z", missing),
            ("294247-01-10T04:00:54.775808Z", beyond),
            ("-290308-12-21T19:59:05.224191999Z", beyond),
            ("99999999999999999999-01-01T00:00:00Z", beyond),
            ("-9223372036854775808-01-01T00:00:00Z", beyond),
        ] {
            let error = DateTime::parse(text).unwrap_err().at("birthday");
            assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidValue), "{text}");
            let says = format!(
                "Attribute birthday is not a valid dateTime: \"{text}\" {flaw}; expected a form such as \
                 2011-05-13T04:42:34Z."
            );
            assert_eq!(error.to_string(), says);
        }
    }

    #[test]
    fn instants_compare_whatever_their_offset() {
        let [earlier, later] =
            ["2020-01-01T01:00:00+02:00", "2020-01-01T00:00:00Z"].map(|text| DateTime::parse(text).unwrap());
        assert!(earlier < later);
        assert_eq!(DateTime::parse("2020-01-01T02:00:00+02:00").unwrap(), later);
    }

    #[test]
    fn unix_time_is_rounded_down() {
        assert_eq!(
            DateTime::from_unix_micros(1_500_000).to_string(),
            "1970-01-01T00:00:01.5Z"
        );
        let before = DateTime::parse("1969-12-31T23:59:59.9999999Z").unwrap();
        assert_eq!((before.as_unix_micros(), before.as_unix_nanos()), (-1, -100));
        let never = DateTime::parse("9999-12-31T23:59:59Z").unwrap();
        assert!(never.to_timestamp().is_none());
    }

    prop_compose! {
        /// Makes any moment, those of the years that clients speak of as often as all others together.
        fn moment()(
            micros in prop_oneof![any::<i64>(), -62_135_596_800_000_000..253_402_300_800_000_000_i64],
            nanos in 0_u16..1000,
        ) -> DateTime {
            DateTime { micros, nanos }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(moment in moment()) {
            let text = moment.to_string();
            prop_assert_eq!(DateTime::parse(&text).unwrap(), moment);
            prop_assert_eq!(DateTime::from_unix_nanos(moment.as_unix_nanos()), Some(moment));
            if let Some(timestamp) = moment.to_timestamp() {
                prop_assert_eq!(DateTime::from(timestamp), moment);
                if (0..=9999).contains(&timestamp.to_zoned(jiff::tz::TimeZone::UTC).year()) {
                    prop_assert_eq!(timestamp.to_string(), text);
                }
            }
        }

        /// Stores keep microseconds as keys: their order must never contradict that of the moments.
        #[test]
        fn order_is_the_order_of_instants(left in moment(), right in moment()) {
            prop_assert_eq!(left.cmp(&right), left.as_unix_nanos().cmp(&right.as_unix_nanos()));
            if left < right {
                prop_assert!(left.as_unix_micros() <= right.as_unix_micros());
            }
        }

        /// XML Schema 1.1 part 2 section 3.3.7: the end of a day is the beginning of the next.
        #[test]
        fn a_day_ends_where_the_next_begins(moment in moment()) {
            let text = moment.to_string();
            let (date, _) = text.split_once('T').unwrap();
            if let Ok(end) = DateTime::parse(&format!("{date}T24:00:00Z")) {
                let begin = DateTime::parse(&format!("{date}T00:00:00Z"));
                prop_assert!(end > moment && end.to_string().ends_with("T00:00:00Z"));
                if let Ok(begin) = begin {
                    prop_assert_eq!(end.as_unix_micros() - begin.as_unix_micros(), MICROS_A_DAY);
                }
            }
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in "[0-9TZtz:+.é-]{0,32}|.{0,20}|-?[0-9]{4,30}-[01][0-9]-[0-3][0-9]T00:00:00") {
            if let Ok(moment) = DateTime::parse(&text) {
                prop_assert_eq!(DateTime::parse(&moment.to_string()).unwrap(), moment);
            }
        }
    }
}
