//! For how long rows are kept.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::clock::earlier;
use super::fault::{Fault, Result};
use super::settings::HistoryDays;

/// The most days that can be named.
const MOST_DAYS: u16 = 3_650;

/// The word for keeping everything.
const FOR_EVER: &str = "for-ever";

/// For how long bodies of requests are kept, whatever the retention of their rows is.
pub(crate) const BODIES: SignedDuration = SignedDuration::from_hours(24);

/// How many rows were removed because they were older than they are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Purged {
    pub(crate) requests: u64,
    pub(crate) bodies: u64,
    pub(crate) events: u64,
    /// Rows of the audit log.
    pub(crate) audit: u64,
}

/// For how long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retention {
    /// So many days.
    Days(u16),
    /// For as long as the database exists.
    ForEver,
}

impl Retention {
    /// Reads a number of days, or `for-ever`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text == FOR_EVER {
            return Ok(Self::ForEver);
        }
        let days = text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
        days.map(Self::Days).ok_or_else(|| {
            Fault::invalid(format!(
                "{text:?} is not a valid retention; expected a number of days from 1 to {MOST_DAYS}, or {FOR_EVER}."
            ))
        })
    }

    /// Returns the time before which rows end; `None` if they do not.
    pub(crate) fn limit(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::ForEver => None,
            Self::Days(days) => {
                let age = SignedDuration::from_hours(i64::from(days) * 24);
                Some(earlier(now, age))
            }
        }
    }
}

impl From<HistoryDays> for Retention {
    fn from(days: HistoryDays) -> Self {
        Self::Days(u16::try_from(days.get()).unwrap_or(MOST_DAYS))
    }
}

impl std::fmt::Display for Retention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}"),
            Self::ForEver => f.write_str(FOR_EVER),
        }
    }
}

impl Serialize for Retention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Days(days) => serializer.serialize_u16(*days),
            Self::ForEver => serializer.serialize_str(FOR_EVER),
        }
    }
}

impl<'de> Deserialize<'de> for Retention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 75: the retention setting.
    #[test]
    fn a_retention_is_a_number_of_days_or_for_ever() {
        assert_eq!(Retention::parse("90").unwrap(), Retention::Days(90));
        assert_eq!(Retention::parse("for-ever").unwrap(), Retention::ForEver);
        for bad in ["0", "-1", "3651", "", "ever", "1.5"] {
            let fault = Retention::parse(bad).unwrap_err().to_string();
            assert!(fault.contains("is not a valid retention; expected"), "{fault}");
        }
        let now = Timestamp::from_second(1_000_000).unwrap();
        let limit = Retention::Days(2).limit(now).unwrap();
        assert_eq!(now.as_second() - limit.as_second(), 2 * 86_400);
        assert_eq!(Retention::ForEver.limit(now), None);
        let text = serde_json::to_string(&[Retention::Days(7), Retention::ForEver]).unwrap();
        assert_eq!(text, r#"[7,"for-ever"]"#);
        assert_eq!(
            serde_json::from_str::<Vec<Retention>>(&text).unwrap(),
            [Retention::Days(7), Retention::ForEver]
        );
    }
}
