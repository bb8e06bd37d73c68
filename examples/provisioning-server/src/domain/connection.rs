//! How an organization stands with its identity provider.

use jiff::{SignedDuration, Timestamp};

use super::keyword::keywords;
use super::settings::IdentityProvider;

keywords! {
    /// The contents of the connection card.
    ConnectionState {
        /// There is no token, or the identity provider is kept out.
        NotConfigured = "not-configured",
        /// No request has come with a token yet.
        Waiting = "waiting",
        /// Requests come and are answered.
        Connected = "connected",
        /// No request has come for longer than is usual.
        Stale = "stale",
        /// Requests fail.
        Errors = "errors",
    }
}

/// The facts that the state of a connection follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) idp: IdentityProvider,
    /// Whether the identity provider is let in.
    pub(crate) is_enabled: bool,
    /// Whether a token is in force.
    pub(crate) has_token: bool,
    /// The first request with a token.
    pub(crate) first: Option<Timestamp>,
    /// The last one.
    pub(crate) last: Option<Timestamp>,
    /// The last request that was answered as it was meant.
    pub(crate) last_success: Option<Timestamp>,
    /// The last request that was not.
    pub(crate) last_error: Option<Timestamp>,
    /// How many requests have failed in the last day.
    pub(crate) errors: u64,
    /// How many were answered as they were meant in the last day.
    pub(crate) successes: u64,
}

/// One request of so many may fail: providers ask for what is gone.
const TOLERATED: u64 = 10;

impl ConnectionState {
    /// Returns the state that follows from the facts.
    pub(crate) fn of(facts: &Facts, now: Timestamp) -> Self {
        if !facts.is_enabled || !facts.has_token {
            return Self::NotConfigured;
        }
        let Some(last) = facts.last else {
            return Self::Waiting;
        };
        if now.duration_since(last) > patience(facts.idp) {
            return Self::Stale;
        }
        let many = facts.errors > 0 && facts.errors.saturating_mul(TOLERATED) >= facts.successes;
        let newest = facts.errors > 0 && facts.last_error > facts.last_success;
        if many || newest {
            Self::Errors
        } else {
            Self::Connected
        }
    }
}

/// Returns for how long a provider may be silent. Microsoft Entra ID and Google come by themselves several times a day;
/// others come when something has changed.
fn patience(idp: IdentityProvider) -> SignedDuration {
    match idp {
        IdentityProvider::Entra | IdentityProvider::Google => SignedDuration::from_hours(24),
        _ => SignedDuration::from_hours(7 * 24),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3_600).unwrap()
    }

    /// Feature row 74: each state, in the order in which an organization comes to it.
    #[test]
    fn a_connection_goes_from_state_to_state() {
        let now = at(1_000);
        let nothing = Facts {
            idp: IdentityProvider::Entra,
            is_enabled: true,
            has_token: false,
            first: None,
            last: None,
            last_success: None,
            last_error: None,
            errors: 0,
            successes: 0,
        };
        let state = |facts: Facts| ConnectionState::of(&facts, now);
        assert_eq!(state(nothing), ConnectionState::NotConfigured);
        let waiting = Facts {
            has_token: true,
            ..nothing
        };
        assert_eq!(state(waiting), ConnectionState::Waiting);
        let connected = Facts {
            first: Some(at(10)),
            last: Some(at(999)),
            last_success: Some(at(999)),
            successes: 100,
            ..waiting
        };
        assert_eq!(state(connected), ConnectionState::Connected);
        let few = Facts {
            errors: 1,
            last_error: Some(at(998)),
            ..connected
        };
        assert_eq!(state(few), ConnectionState::Connected);
        assert_eq!(state(Facts { errors: 10, ..few }), ConnectionState::Errors);
        let newest = Facts {
            last_success: Some(at(997)),
            ..few
        };
        assert_eq!(state(newest), ConnectionState::Errors);
        let stale = Facts {
            last: Some(at(970)),
            ..newest
        };
        assert_eq!(state(stale), ConnectionState::Stale);
        let seldom = Facts {
            idp: IdentityProvider::Okta,
            last: Some(at(970)),
            ..connected
        };
        assert_eq!(state(seldom), ConnectionState::Connected);
        let off = Facts {
            is_enabled: false,
            ..connected
        };
        assert_eq!(state(off), ConnectionState::NotConfigured);
    }

    proptest! {
        /// Feature row 74: without an error nothing is said of errors, and without a request nobody is connected.
        #[test]
        fn a_state_says_nothing_that_did_not_happen(
            last in proptest::option::of(0_i64..1_000), errors in 0_u64..5, successes in 0_u64..100,
        ) {
            let facts = Facts {
                idp: IdentityProvider::Other,
                is_enabled: true,
                has_token: true,
                first: last.map(at),
                last: last.map(at),
                last_success: last.map(at),
                last_error: last.filter(|_| errors > 0).map(at),
                errors,
                successes,
            };
            let state = ConnectionState::of(&facts, at(1_000));
            prop_assert_eq!(state == ConnectionState::Waiting, last.is_none());
            prop_assert!(state != ConnectionState::Errors || errors > 0);
        }
    }
}
