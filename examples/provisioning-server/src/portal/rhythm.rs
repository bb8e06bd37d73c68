//! The rhythm of an identity provider in words.

use jiff::Timestamp;

use super::moment;
use crate::domain::rhythm::{Next, Rhythm};

/// How often a provider synchronizes, and when it is expected next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::portal) struct Shown {
    pub(in crate::portal) usual: String,
    pub(in crate::portal) next: String,
    /// The time at which it is expected, for machines.
    pub(in crate::portal) at: Option<String>,
}

impl Shown {
    /// Returns a rhythm in words.
    pub(in crate::portal) fn of(rhythm: &Rhythm, now: Timestamp) -> Self {
        let (next, at) = match rhythm.next {
            Next::NotKnown => (NOT_KNOWN.to_owned(), None),
            Next::OnChange => ("when something changes there".to_owned(), None),
            Next::At(at) => {
                let seconds = u64::try_from(at.duration_since(now).as_secs()).unwrap_or_default();
                (format!("in {}", moment::roughly(seconds)), Some(at))
            }
            Next::Overdue(at) => (format!("overdue since {}", moment::minute(at)), Some(at)),
        };
        Self {
            usual: rhythm.usual_seconds.map_or_else(
                || NOT_KNOWN.to_owned(),
                |seconds| format!("every {}", moment::roughly(seconds)),
            ),
            next,
            at: at.map(|at| at.to_string()),
        }
    }
}

/// The words for what follows from too little.
const NOT_KNOWN: &str = "not known yet";

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 100: each rhythm in words.
    #[test]
    fn a_rhythm_is_told_in_words() {
        let now = Timestamp::from_second(3_600).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        for (usual_seconds, next, usual, text) in [
            (None, Next::NotKnown, "not known yet", "not known yet"),
            (
                Some(9_000),
                Next::OnChange,
                "every 3 hours",
                "when something changes there",
            ),
            (
                Some(2_400),
                Next::At(at(4_800)),
                "every 40 minutes",
                "in 20 minutes",
            ),
            (
                Some(2_400),
                Next::Overdue(at(600)),
                "every 40 minutes",
                "overdue since 1 January 1970, 00:10 UTC",
            ),
        ] {
            let shown = Shown::of(&Rhythm { usual_seconds, next }, now);
            assert_eq!((shown.usual.as_str(), shown.next.as_str()), (usual, text));
            assert_eq!(shown.at.is_some(), matches!(next, Next::At(_) | Next::Overdue(_)));
        }
    }
}
