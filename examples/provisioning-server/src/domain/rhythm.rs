//! The rhythm of an identity provider: how often it synchronizes, and when it is expected next.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::clock::later;
use super::settings::IdentityProvider;

/// A provider that comes after so long a silence begins another synchronisation.
const SILENCE: SignedDuration = SignedDuration::from_mins(10);

/// How many of the newest synchronisations are kept.
pub(crate) const KEPT: u32 = 21;

/// How many intervals there must be before one of them is called usual.
const LEAST: usize = 3;

/// Returns whether a request begins another synchronisation, when the one before it came at `last`.
pub(crate) fn begins(last: Option<Timestamp>, at: Timestamp) -> bool {
    last.is_none_or(|last| at.duration_since(last) >= SILENCE)
}

/// How often a provider synchronizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Rhythm {
    /// The interval between two synchronisations as it usually is, in seconds; none while too few have begun.
    pub(crate) usual_seconds: Option<u64>,
    pub(crate) next: Next,
}

/// When a provider is expected to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "when", content = "time", rename_all = "kebab-case")]
pub(crate) enum Next {
    /// It has a cycle, and has not come often enough for that to be told.
    NotKnown,
    /// It comes whenever something changes there.
    OnChange,
    /// It has a cycle.
    At(Timestamp),
    /// It has a cycle, and should have come.
    Overdue(Timestamp),
}

impl Rhythm {
    /// Returns the rhythm of a provider whose newest synchronisations have begun at these times.
    pub(crate) fn of(provider: IdentityProvider, begun: &[Timestamp], now: Timestamp) -> Self {
        let usual = usual(begun);
        let expected = begun
            .iter()
            .max()
            .zip(usual)
            .map(|(last, usual)| later(*last, usual));
        Self {
            usual_seconds: usual.and_then(|usual| u64::try_from(usual.as_secs()).ok()),
            next: match (has_cycle(provider), expected) {
                (false, _) => Next::OnChange,
                (true, None) => Next::NotKnown,
                (true, Some(at)) if at >= now => Next::At(at),
                (true, Some(at)) => Next::Overdue(at),
            },
        }
    }
}

/// Returns whether a provider comes by the clock, be there something new or not.
const fn has_cycle(provider: IdentityProvider) -> bool {
    matches!(provider, IdentityProvider::Entra | IdentityProvider::Authentik)
}

/// Returns the median of the intervals between times, whatever their order: a night without one, or a synchronisation by
/// hand, does not move it.
fn usual(begun: &[Timestamp]) -> Option<SignedDuration> {
    let mut begun = begun.to_vec();
    begun.sort_unstable();
    let pairs = begun.iter().zip(begun.iter().skip(1));
    let mut intervals: Vec<_> = pairs.map(|(one, next)| next.duration_since(*one)).collect();
    intervals.sort_unstable();
    let middle = intervals.get(intervals.len() / 2).copied();
    middle.filter(|_| intervals.len() >= LEAST)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::keyword::Keyword as _;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn provider() -> impl Strategy<Value = IdentityProvider> {
        proptest::sample::select(IdentityProvider::ALL)
    }

    proptest! {
        /// Feature rows 39, 100: the usual interval is one that there was, no shorter than half of them and no longer than the other
        /// half, whatever the order in which they are told; with too few of them nothing is said.
        #[test]
        fn the_usual_interval_is_the_one_in_the_middle(seconds in vec(0_i64..4_000_000, 0..30), now in 0_i64..8_000_000) {
            let begun: Vec<_> = seconds.iter().copied().map(at).collect();
            let rhythm = Rhythm::of(IdentityProvider::Entra, &begun, at(now));
            let mut sorted = seconds;
            sorted.sort_unstable();
            let intervals: Vec<i64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).collect();
            prop_assert_eq!(rhythm.usual_seconds.is_some(), intervals.len() >= LEAST);
            if let Some(usual) = rhythm.usual_seconds {
                let usual = i64::try_from(usual).unwrap();
                prop_assert!(intervals.contains(&usual));
                let count = |is: &dyn Fn(i64) -> bool| intervals.iter().filter(|one| is(**one)).count() * 2;
                prop_assert!(count(&|one| one < usual) <= intervals.len());
                prop_assert!(count(&|one| one > usual) <= intervals.len());
            }
            let mut reversed = begun;
            reversed.reverse();
            prop_assert_eq!(Rhythm::of(IdentityProvider::Entra, &reversed, at(now)), rhythm);
        }

        /// Feature rows 39, 100: a provider with a cycle is expected one usual interval after it began last; of others no time
        /// is told.
        #[test]
        fn a_time_is_told_of_providers_with_a_cycle(
            idp in provider(), first in 0_i64..1_000_000, cycle in 700_i64..100_000, count in 0_i64..20, now in 0_i64..4_000_000,
        ) {
            let begun: Vec<_> = (0..count).map(|number| at(first + number * cycle)).collect();
            let rhythm = Rhythm::of(idp, &begun, at(now));
            let expected = at(first + count * cycle);
            let told = match rhythm.next {
                Next::OnChange => !has_cycle(idp),
                Next::NotKnown => has_cycle(idp) && count < 4,
                Next::At(next) => has_cycle(idp) && count >= 4 && next == expected && next >= at(now),
                Next::Overdue(next) => has_cycle(idp) && count >= 4 && next == expected && next < at(now),
            };
            prop_assert!(told, "{:?}", rhythm);
        }

        /// Feature row 100: requests of one synchronisation follow each other; after a silence another begins.
        #[test]
        fn a_synchronisation_begins_after_a_silence(last in 0_i64..1_000_000, after in -1_000_i64..2_000) {
            prop_assert!(begins(None, at(last)));
            prop_assert_eq!(begins(Some(at(last)), Timestamp::from_second(last + after).unwrap()), after >= 600);
        }
    }

    /// Feature row 39: who has a cycle.
    #[test]
    fn two_providers_have_a_cycle() {
        let all = IdentityProvider::ALL.iter().copied();
        let cyclic: Vec<_> = all.filter(|idp| has_cycle(*idp)).collect();
        assert_eq!(cyclic, [IdentityProvider::Entra, IdentityProvider::Authentik]);
    }
}
