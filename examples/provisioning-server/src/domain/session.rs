//! Sessions: browsers that are signed in.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::clock::later;
use super::keyword::keywords;

/// A session ends after this time without a request, and after this time in any case.
pub(crate) const IDLE: SignedDuration = SignedDuration::from_mins(30);
pub(crate) const ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);

/// A sign-in that waits for its second factor ends after this time.
const UNFINISHED: SignedDuration = SignedDuration::from_mins(10);

/// For how long a factor counts as confirmed a moment ago.
pub(crate) const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// The time of the last use is written at most this often.
const NOTED: SignedDuration = SignedDuration::from_mins(1);

keywords! {
    /// How far somebody has come.
    Stage {
        /// The password was right, and a second factor is asked for.
        SecondFactor = "second-factor",
        /// The password was right, and a second factor must be set up first.
        SetUp = "set-up",
        /// Signed in.
        Full = "full",
    }
}

keywords! {
    /// The way in which somebody has signed in.
    Way {
        /// With a password, or by a link that set one.
        Password = "password",
        /// By an assertion of the organization's identity provider.
        Saml = "saml",
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) account: Uuid,
    pub(crate) stage: Stage,
    pub(crate) way: Way,
    pub(crate) created: Timestamp,
    pub(crate) used: Timestamp,
    /// When its person has last confirmed a factor.
    pub(crate) proved: Timestamp,
    /// The network address from which it began.
    pub(crate) address: Option<String>,
    /// The browser, as it calls itself.
    pub(crate) agent: Option<String>,
}

impl Session {
    /// Returns when it ends if nothing is asked of it any more.
    pub(crate) fn ends(&self) -> Timestamp {
        let (idle, absolute) = match self.stage {
            Stage::Full => (IDLE, ABSOLUTE),
            Stage::SecondFactor | Stage::SetUp => (UNFINISHED, UNFINISHED),
        };
        later(self.used, idle).min(later(self.created, absolute))
    }

    /// Returns whether its time is not over.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        now < self.ends()
    }

    /// Returns whether its person has confirmed a factor a moment ago.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.stage == Stage::Full && now < later(self.proved, FRESH)
    }

    /// Returns whether its use now is worth a note: not every request writes one.
    pub(crate) fn is_to_be_noted(&self, now: Timestamp) -> bool {
        now >= later(self.used, NOTED)
    }
}

/// Returns the browser as it calls itself, cut and without anything that cannot be read.
pub(crate) fn readable_agent(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyword::Keyword;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(60 * minute).unwrap()
    }

    fn session(stage: Stage, used: i64) -> Session {
        Session {
            id: Uuid::nil(),
            account: Uuid::nil(),
            stage,
            way: Way::Password,
            created: at(0),
            used: at(used),
            proved: at(0),
            address: None,
            agent: None,
        }
    }

    /// Feature row 94: a session ends when it is not used, and in any case after half a day.
    #[test]
    fn a_session_ends_when_idle_and_in_any_case() {
        let full = |used| session(Stage::Full, used);
        assert!(full(0).is_live(at(29)) && !full(0).is_live(at(30)));
        assert!(full(700).is_live(at(719)) && !full(719).is_live(at(720)));
        for stage in [Stage::SecondFactor, Stage::SetUp] {
            assert!(
                session(stage, 9).is_live(at(9)) && !session(stage, 9).is_live(at(10)),
                "{stage:?}"
            );
        }
    }

    /// Feature row 90: a factor is fresh for ten minutes, and never before the sign-in is complete.
    #[test]
    fn a_factor_is_fresh_for_ten_minutes() {
        for stage in Stage::ALL {
            let is_full = *stage == Stage::Full;
            assert_eq!(session(*stage, 0).is_fresh(at(9)), is_full, "{stage:?}");
            assert!(!session(*stage, 10).is_fresh(at(10)), "{stage:?}");
        }
    }

    /// Feature row 94: the last use is written once a minute.
    #[test]
    fn the_last_use_is_noted_once_a_minute() {
        assert!(!session(Stage::Full, 5).is_to_be_noted(at(5)));
        assert!(session(Stage::Full, 5).is_to_be_noted(at(6)));
    }
}
