//! The faults of a connection: why requests were refused, which old token is still used, and how near the provider is
//! to pausing.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::history::HistoryEntry;
use super::settings::IdentityProvider;
use super::token::Token;

/// For how long after its last use an old token is pointed out although the present one is used, too.
const POINTED_OUT: SignedDuration = SignedDuration::from_hours(1);

/// Requests that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) scim_type: Option<String>,
    pub(crate) count: u64,
    /// The time of the last of them.
    pub(crate) last: Timestamp,
    /// Its id.
    pub(crate) request: Uuid,
    /// The sentence that it was answered with.
    pub(crate) detail: Option<String>,
}

impl Refused {
    fn of(entry: &HistoryEntry) -> Self {
        Self {
            status: entry.status,
            scim_type: entry.scim_type.clone(),
            count: 1,
            last: entry.time,
            request: entry.id,
            detail: entry.error.clone(),
        }
    }

    /// Returns whether a request has failed for the same reason. Those that were not let in differ by what was wrong with
    /// the token.
    fn is_like(&self, entry: &HistoryEntry) -> bool {
        let is_kept_out = matches!(entry.status, 401 | 403);
        self.status == entry.status
            && self.scim_type == entry.scim_type
            && (!is_kept_out || self.detail == entry.error)
    }
}

/// Returns the reasons why requests failed, the most frequent first. The entries are in the order of the history.
pub(crate) fn refusals(failed: &[HistoryEntry]) -> Vec<Refused> {
    let mut reasons: Vec<Refused> = Vec::new();
    for entry in failed {
        match reasons.iter_mut().find(|reason| reason.is_like(entry)) {
            Some(reason) => reason.count += 1,
            None => reasons.push(Refused::of(entry)),
        }
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    reasons
}

/// A token that was revoked and is still used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OldToken {
    pub(crate) last_four: String,
    /// How many requests have come with it.
    pub(crate) requests: u64,
    pub(crate) last: Timestamp,
}

impl OldToken {
    /// Returns the revoked token that was used last, as long as that says something: the present one has not been used
    /// since, or it was a moment ago.
    pub(crate) fn of(
        failed: &[HistoryEntry],
        tokens: &[Token],
        last_success: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Self> {
        let is_old = |token: &&Token| token.revoked.is_some();
        let newest = failed.iter().find_map(|entry| {
            let token = tokens
                .iter()
                .filter(is_old)
                .find(|token| entry.token == Some(token.id))?;
            Some((entry, token))
        });
        let (entry, token) = newest.filter(|(entry, _)| entry.status == 401)?;
        let is_recent = now.duration_since(entry.time) < POINTED_OUT;
        if !is_recent && last_success > Some(entry.time) {
            return None;
        }
        let is_with_it = |entry: &&HistoryEntry| entry.token == Some(token.id) && entry.status == 401;
        Some(Self {
            last_four: token.last_four.clone(),
            requests: failed.iter().filter(is_with_it).map(|_| 1).sum(),
            last: entry.time,
        })
    }
}

/// The share of requests that fail, against what makes the provider pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Forecast {
    /// The percentage of requests that failed.
    pub(crate) percent: u64,
    /// Whether that many failures are enough to pause provisioning.
    pub(crate) pauses: bool,
    /// Whether the share alone would be enough, once there are as many failures as count.
    pub(crate) is_near: bool,
}

impl Forecast {
    /// The share of failures, in percent, above which Microsoft Entra ID pauses if there are enough of them.
    pub(crate) const PERCENT: u64 = 40;
    /// The least number of failures of which the share counts.
    pub(crate) const LEAST: u64 = 5_000;
    /// The number of failures above which it pauses whatever their share is.
    pub(crate) const MOST: u64 = 40_000;

    /// Returns what is to be expected of a provider that pauses, if requests fail.
    pub(crate) fn of(idp: IdentityProvider, requests: u64, failures: u64) -> Option<Self> {
        if idp != IdentityProvider::Entra || failures == 0 {
            return None;
        }
        let percent = failures.saturating_mul(100) / requests.max(failures);
        let is_near = percent > Self::PERCENT;
        Some(Self {
            percent,
            is_near,
            pauses: (is_near && failures >= Self::LEAST) || failures > Self::MOST,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::{Secret, SecretKind};
    use crate::domain::token::Purpose;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn failed(minute: i64, status: u16, token: Option<Uuid>, error: &str) -> HistoryEntry {
        HistoryEntry {
            id: Uuid::from_u128(minute.unsigned_abs().into()),
            time: at(minute),
            method: "POST".to_owned(),
            path: "/scim/acme/v2/Users".to_owned(),
            status,
            scim_type: (status == 409).then(|| "uniqueness".to_owned()),
            duration_us: 1,
            meaning: "refused".to_owned(),
            resource_type: None,
            resource_id: None,
            external_id: None,
            token,
            request_id: String::new(),
            idp: "okta".to_owned(),
            notes: None,
            error: Some(error.to_owned()),
        }
    }

    fn token(n: u8, revoked: Option<Timestamp>) -> Token {
        let secret = Secret::from_random(SecretKind::Token, [n; 32]);
        Token {
            revoked,
            ..Token::new(Uuid::from_u128(n.into()), &secret, Purpose::Scim, at(0), None)
        }
    }

    /// Feature row 65: reasons are told apart by kind, those of the token by what is wrong with it, and the newest is named.
    #[test]
    fn reasons_are_gathered_by_kind() {
        let entries = [
            failed(9, 401, None, "expired"),
            failed(8, 409, None, "a@x exists"),
            failed(7, 401, None, "revoked"),
            failed(6, 409, None, "b@x exists"),
        ];
        let reasons = refusals(&entries);
        let said: Vec<_> = reasons
            .iter()
            .map(|reason| (reason.status, reason.count, reason.detail.as_deref().unwrap()))
            .collect();
        assert_eq!(
            said,
            [(409, 2, "a@x exists"), (401, 1, "expired"), (401, 1, "revoked")]
        );
    }

    /// Feature row 8: an old token is pointed out until the present one is used in its place.
    #[test]
    fn an_old_token_is_pointed_out() {
        let (old, new) = (token(1, Some(at(5))), token(2, None));
        let entries = [
            failed(100, 401, Some(old.id), "revoked"),
            failed(99, 400, Some(new.id), "invalid"),
            failed(90, 401, Some(old.id), "revoked"),
        ];
        let tokens = [old.clone(), new];
        let seen = OldToken::of(&entries, &tokens, None, at(101)).unwrap();
        assert_eq!((seen.requests, seen.last_four), (2, old.last_four));
        assert!(OldToken::of(&entries, &tokens, Some(at(50)), at(500)).is_some());
        assert!(OldToken::of(&entries, &tokens, Some(at(101)), at(102)).is_some());
        assert_eq!(OldToken::of(&entries, &tokens, Some(at(101)), at(200)), None);
        assert_eq!(OldToken::of(&entries[1..2], &tokens, None, at(101)), None);
    }

    /// Feature row 105: the forecast follows the thresholds of the provider that has some.
    #[test]
    fn a_pause_is_foreseen_by_share_and_number() {
        let of = |requests, failures| Forecast::of(IdentityProvider::Entra, requests, failures);
        assert_eq!(of(1_000, 0), None);
        assert_eq!(Forecast::of(IdentityProvider::Okta, 10, 9), None);
        let few = of(1_284, 5).unwrap();
        assert_eq!((few.percent, few.is_near, few.pauses), (0, false, false));
        let share = of(10, 5).unwrap();
        assert_eq!((share.percent, share.is_near, share.pauses), (50, true, false));
        assert!(of(12_000, 5_000).unwrap().pauses);
        assert!(!of(12_500, 5_000).unwrap().pauses, "exactly 40 %");
        assert!(of(1_000_000, 40_001).unwrap().pauses);
    }
}
