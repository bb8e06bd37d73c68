//! Links to the set-up guide, which an administrator hands to whoever looks after the identity provider.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::audit::ActorKind;
use super::clock::later;
use super::fault::{Fault, Result};
use super::keyword::keywords;
use super::secret::Fingerprint;

/// How long a link is good for.
pub(crate) const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// How long after its time is over a link is listed.
pub(crate) const SHOWN: SignedDuration = SignedDuration::from_hours(30 * 24);

keywords! {
    /// The state of a link.
    State {
        /// Nobody has opened it.
        New = "new",
        /// It was opened in a browser, for which alone it is good from then on.
        Opened = "opened",
        /// It was taken back, or whoever had it was done.
        Ended = "ended",
        /// Its time is over.
        Expired = "expired",
    }
}

/// A link.
#[derive(Debug, Clone)]
pub(crate) struct SetupLink {
    pub(crate) id: Uuid,
    pub(crate) maker: Maker,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    /// When it was opened.
    pub(crate) opened: Option<Timestamp>,
    /// The browser in which it was.
    pub(crate) browser: Option<Fingerprint>,
    /// When it was taken back.
    pub(crate) ended: Option<Timestamp>,
}

/// Whoever has made a link: it does nothing that they may not do themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    pub(crate) kind: ActorKind,
    /// The account, unless it is the operator.
    pub(crate) account: Option<Uuid>,
    pub(crate) name: String,
}

impl SetupLink {
    /// Returns a link that is made now.
    pub(crate) fn new(id: Uuid, maker: Maker, now: Timestamp) -> Self {
        Self {
            id,
            maker,
            created: now,
            expires: later(now, LIFE),
            opened: None,
            browser: None,
            ended: None,
        }
    }

    /// Returns the state.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        match (self.ended, self.opened) {
            (Some(_), _) => State::Ended,
            _ if self.expires <= now => State::Expired,
            (None, Some(_)) => State::Opened,
            (None, None) => State::New,
        }
    }

    /// Returns whether it is of use to anybody.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.state(now), State::New | State::Opened)
    }

    /// Returns whether it can be opened: it was not before, anywhere.
    pub(crate) fn can_be_opened(&self, now: Timestamp) -> bool {
        self.state(now) == State::New
    }

    /// Returns whether it is good for a browser.
    pub(crate) fn is_good_in(&self, browser: &Fingerprint, now: Timestamp) -> bool {
        let is_same = self.browser.as_ref().is_some_and(|own| own.matches(browser));
        is_same && self.state(now) == State::Opened
    }

    /// Checks that it can be taken back.
    ///
    /// # Errors
    /// It has ended already.
    pub(crate) fn demand_live(&self, now: Timestamp) -> Result<()> {
        match self.is_live(now) {
            true => Ok(()),
            false => Err(Fault::conflict("That link is of no use any more.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::{Secret, SecretKind};

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3_600).unwrap()
    }

    fn browser(number: u8) -> Fingerprint {
        Secret::from_random(SecretKind::Helper, [number; 32]).fingerprint()
    }

    /// Feature row 71: the first browser keeps a link until its time is over or it is taken back.
    #[test]
    fn a_link_is_good_in_one_browser_for_a_day() {
        let maker = Maker {
            kind: ActorKind::Operator,
            account: None,
            name: "root".to_owned(),
        };
        let new = SetupLink::new(Uuid::nil(), maker, at(0));
        assert!(new.can_be_opened(at(23)) && !new.can_be_opened(at(24)));
        assert!(!new.is_good_in(&browser(1), at(1)));
        let opened = SetupLink {
            opened: Some(at(1)),
            browser: Some(browser(1)),
            ..new
        };
        assert!(!opened.can_be_opened(at(2)));
        assert!(opened.is_good_in(&browser(1), at(23)) && !opened.is_good_in(&browser(1), at(24)));
        assert!(!opened.is_good_in(&browser(2), at(2)));
        assert_eq!(opened.state(at(24)), State::Expired);
        let ended = SetupLink {
            ended: Some(at(3)),
            ..opened
        };
        assert!(!ended.is_good_in(&browser(1), at(4)) && ended.demand_live(at(4)).is_err());
        assert_eq!(ended.state(at(30)), State::Ended);
    }
}
