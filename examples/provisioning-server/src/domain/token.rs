//! API tokens: what is kept of them, and the rules of rotation.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::fault::{Fault, Remedy, Result};
use super::keyword::keywords;
use super::secret::{Fingerprint, Secret};

/// The longest life that can be asked for.
const DAYS_MAX: u32 = 3_650;

keywords! {
    /// The purpose of a token. Tokens of one purpose are rotated by themselves, and are of no use for another.
    Purpose {
        /// An identity provider writes with it, over SCIM.
        Scim = "scim",
        /// The product behind reads with it who may do what.
        Access = "access",
    }
}

/// The record that is kept of a token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: Uuid,
    pub(crate) purpose: Purpose,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) prefix: String,
    pub(crate) last_four: String,
    pub(crate) created: Timestamp,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) revoked: Option<Timestamp>,
    pub(crate) last_used: Option<Timestamp>,
    /// Since when it may have been revoked, because a backup was restored that has it. Nobody has said yet that it was not.
    pub(crate) doubted: Option<Timestamp>,
}

/// For how many days before the end of a token administrators are told of it.
const TOLD: [u32; 3] = [1, 7, 30];

/// The most days of them.
pub(crate) const TOLD_FIRST: SignedDuration = SignedDuration::from_hours(24 * 30);

keywords! {
    /// The state of a token at a moment: what it is good for.
    State {
        /// It is accepted, and the newest of its organization and purpose.
        Active = "active",
        /// It is accepted beside a newer one until the rotation is completed or cancelled.
        Overlap = "overlap",
        /// Its time is over.
        Expired = "expired",
        /// It was taken back.
        Revoked = "revoked",
    }
}

impl Token {
    /// Makes the record that is kept of a new token.
    pub(crate) fn new(
        id: Uuid,
        secret: &Secret,
        purpose: Purpose,
        created: Timestamp,
        expires: Option<Timestamp>,
    ) -> Self {
        Self {
            id,
            purpose,
            fingerprint: secret.fingerprint(),
            prefix: secret.prefix().to_owned(),
            last_four: secret.last_four().to_owned(),
            created,
            expires,
            revoked: None,
            last_used: None,
            doubted: None,
        }
    }

    /// Returns whether its time is over.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Returns for how many days before its end administrators are to be told of it now, if they are. `told` is for how many they
    /// were last. A token that was made for less is not a surprise.
    pub(crate) fn is_to_tell(&self, told: Option<u32>, now: Timestamp) -> Option<u32> {
        let expires = self.expires.filter(|_| self.is_live(now))?;
        let lasts = |from: Timestamp, days: u32| {
            expires.duration_since(from) > SignedDuration::from_hours(24 * i64::from(days))
        };
        let due = TOLD.iter().find(|days| !lasts(now, **days))?;
        let is_new = told.is_none_or(|told| *due < told);
        (is_new && lasts(self.created, *due)).then_some(*due)
    }

    /// Returns whether it is accepted.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && !self.is_expired(now)
    }

    /// Returns its state among all tokens of its organization.
    pub(crate) fn state(&self, all: &[Self], now: Timestamp) -> State {
        if self.revoked.is_some() {
            State::Revoked
        } else if self.is_expired(now) {
            State::Expired
        } else if newest_live(all, self.purpose, now).is_some_and(|newest| newest.id != self.id) {
            State::Overlap
        } else {
            State::Active
        }
    }
}

fn live(all: &[Token], now: Timestamp) -> impl Iterator<Item = &Token> {
    all.iter().filter(move |token| token.is_live(now))
}

fn live_for(all: &[Token], purpose: Purpose, now: Timestamp) -> impl Iterator<Item = &Token> {
    live(all, now).filter(move |token| token.purpose == purpose)
}

/// Returns the newest of the tokens for a purpose that are accepted.
pub(crate) fn newest_live(all: &[Token], purpose: Purpose, now: Timestamp) -> Option<&Token> {
    live_for(all, purpose, now).max_by_key(|token| (token.created, token.id))
}

/// Returns when a token made now expires.
///
/// # Errors
/// The number of days must be between 1 and ten years.
pub(crate) fn expiry(now: Timestamp, days: Option<u32>) -> Result<Option<Timestamp>> {
    let Some(days) = days else { return Ok(None) };
    let too_long = || {
        Fault::invalid(format!("A token can expire after 1 to {DAYS_MAX} days")).mended_by(Remedy {
            page: "choose another number of days, or none, so that it does not expire.",
            command: "without --expires it does not expire.",
        })
    };
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(too_long());
    }
    let life = SignedDuration::from_hours(24 * i64::from(days));
    now.checked_add(life).map(Some).map_err(|_| too_long())
}

/// How a new token treats the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issue {
    /// `token create`: every earlier token ends at once.
    Create,
    /// `token create --overlap`: a present token is accepted until the rotation is completed or cancelled.
    CreateBeside,
    /// `token rotate`: as `Create`, but there must be one.
    Rotate,
    /// `token rotate --overlap`: as `CreateBeside`, but there must be one.
    Overlap,
}

/// Returns which tokens end when a new one is made for a purpose.
///
/// # Errors
/// There is nothing to rotate, or a rotation with overlap is already under way.
pub(crate) fn issue(all: &[Token], purpose: Purpose, how: Issue, now: Timestamp) -> Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = live_for(all, purpose, now).map(|token| token.id).collect();
    match how {
        Issue::Create => Ok(ids),
        Issue::Rotate | Issue::Overlap if ids.is_empty() => {
            Err(Fault::conflict("There is no token to rotate").mended_by(Remedy {
                page: "generate one.",
                command: "make one with \"token create\".",
            }))
        }
        Issue::Rotate => Ok(ids),
        Issue::Overlap | Issue::CreateBeside if ids.len() > 1 => Err(Fault::conflict(
            "A rotation is under way and two tokens are live",
        )
        .mended_by(Remedy {
            page: "revoke the old token, or keep it and revoke the new one, first.",
            command: "end it with \"token complete\" or \"token cancel\" first.",
        })),
        Issue::Overlap | Issue::CreateBeside => Ok(Vec::new()),
    }
}

/// Returns which tokens end when a rotation is completed: all but the newest.
pub(crate) fn complete(all: &[Token], purpose: Purpose, now: Timestamp) -> Result<Vec<Uuid>> {
    let newest = in_rotation(all, purpose, now)?;
    Ok(live_for(all, purpose, now)
        .map(|token| token.id)
        .filter(|id| *id != newest)
        .collect())
}

/// Returns which token ends when a rotation is cancelled: the newest.
pub(crate) fn cancel(all: &[Token], purpose: Purpose, now: Timestamp) -> Result<Vec<Uuid>> {
    in_rotation(all, purpose, now).map(|newest| vec![newest])
}

fn in_rotation(all: &[Token], purpose: Purpose, now: Timestamp) -> Result<Uuid> {
    match newest_live(all, purpose, now) {
        Some(newest) if live_for(all, purpose, now).count() > 1 => Ok(newest.id),
        _ => Err(Fault::conflict("No rotation is under way").mended_by(Remedy {
            page: "generate a token while the present one stays valid.",
            command: "begin one with \"token rotate --overlap\".",
        })),
    }
}

/// Returns which tokens end when they are taken back: the named one, or all of every purpose.
pub(crate) fn revoke(all: &[Token], which: Option<Uuid>, now: Timestamp) -> Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = live(all, now)
        .map(|token| token.id)
        .filter(|id| which.is_none_or(|wanted| wanted == *id))
        .collect();
    match which {
        _ if !ids.is_empty() => Ok(ids),
        Some(wanted) if !all.iter().any(|token| token.id == wanted) => Err(unknown(wanted)),
        Some(_) => Err(Fault::conflict("That token is not live any more.")),
        None => Err(Fault::conflict("The organization has no live token to revoke.")),
    }
}

/// Returns which tokens are said not to have been revoked since a backup was taken: the named one, or all that are in doubt.
///
/// # Errors
/// None of them is live and in doubt.
pub(crate) fn confirm(all: &[Token], which: Option<Uuid>, now: Timestamp) -> Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = live(all, now)
        .filter(|token| token.doubted.is_some() && which.is_none_or(|wanted| wanted == token.id))
        .map(|token| token.id)
        .collect();
    match which {
        _ if !ids.is_empty() => Ok(ids),
        Some(wanted) if !all.iter().any(|token| token.id == wanted) => Err(unknown(wanted)),
        _ => Err(Fault::conflict(
            "There is nothing to confirm: no live token may have been revoked since a backup was taken.",
        )),
    }
}

fn unknown(token: Uuid) -> Fault {
    Fault::not_found(format!("The organization has no token {token}")).mended_by(Remedy {
        page: "the page of the integration lists those that it has.",
        command: "\"token list\" shows which it has.",
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::secret::SecretKind;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn token(n: u8, created: i64) -> Token {
        Token::new(
            Uuid::from_u128(n.into()),
            &Secret::from_random(SecretKind::Token, [n; 32]),
            Purpose::Scim,
            at(created),
            None,
        )
    }

    /// Feature row 73: administrators are told 30, 7 and 1 days before the end of a token, once each, and of none that was
    /// made for less.
    #[test]
    fn the_end_of_a_token_is_told_of_thirty_seven_and_one_day_before() {
        const DAY: i64 = 86_400;
        let of_days = |days: i64| Token {
            expires: Some(at(days * DAY)),
            ..token(1, 0)
        };
        let mut told = Vec::new();
        let mut last = None;
        for hour in 0..=24 * 100 {
            if let Some(days) = of_days(100).is_to_tell(last, at(hour * 3_600)) {
                told.push((hour / 24, days));
                last = Some(days);
            }
        }
        assert_eq!(told, [(70, 30), (93, 7), (99, 1)]);
        let late = of_days(100).is_to_tell(None, at(99 * DAY + 1));
        assert_eq!(late, Some(1), "whoever was away is told of the last one alone");
        assert_eq!(of_days(30).is_to_tell(None, at(0)), None);
        assert_eq!(of_days(30).is_to_tell(None, at(23 * DAY)), Some(7));
        assert_eq!(of_days(1).is_to_tell(None, at(DAY / 2)), None);
        assert_eq!(of_days(100).is_to_tell(None, at(100 * DAY)), None, "it has ended");
        assert_eq!(token(1, 0).is_to_tell(None, at(100)), None);
        let revoked = Token {
            revoked: Some(at(1)),
            ..of_days(100)
        };
        assert_eq!(revoked.is_to_tell(None, at(99 * DAY)), None);
    }

    #[test]
    fn a_second_token_ends_the_first_at_once() {
        // Feature row 7.
        let first = token(1, 10);
        assert_eq!(
            issue(std::slice::from_ref(&first), Purpose::Scim, Issue::Create, at(20)).unwrap(),
            [first.id]
        );
        assert_eq!(
            issue(std::slice::from_ref(&first), Purpose::Scim, Issue::Rotate, at(20)).unwrap(),
            [first.id]
        );
        assert!(
            issue(&[], Purpose::Scim, Issue::Create, at(20))
                .unwrap()
                .is_empty()
        );
        assert!(issue(&[], Purpose::Scim, Issue::Rotate, at(20)).is_err());
        assert!(issue(&[], Purpose::Scim, Issue::Overlap, at(20)).is_err());
    }

    #[test]
    fn a_rotation_with_overlap_ends_with_one_token() {
        // Feature row 72.
        let mut all = vec![token(1, 10)];
        assert!(
            issue(&all, Purpose::Scim, Issue::Overlap, at(20))
                .unwrap()
                .is_empty()
        );
        all.push(token(2, 20));
        assert_eq!(all[0].state(&all, at(21)), State::Overlap);
        assert_eq!(all[1].state(&all, at(21)), State::Active);
        assert!(issue(&all, Purpose::Scim, Issue::Overlap, at(21)).is_err());
        assert_eq!(complete(&all, Purpose::Scim, at(21)).unwrap(), [all[0].id]);
        assert_eq!(cancel(&all, Purpose::Scim, at(21)).unwrap(), [all[1].id]);
        all[0].revoked = Some(at(22));
        assert!(complete(&all, Purpose::Scim, at(23)).is_err());
        assert!(cancel(&all, Purpose::Scim, at(23)).is_err());
        assert_eq!(all[0].state(&all, at(23)), State::Revoked);
    }

    #[test]
    fn a_token_ends_with_its_last_day() {
        // Feature row 73, with the clock moved.
        let mut only = token(1, 0);
        only.expires = expiry(at(0), Some(1)).unwrap();
        let all = [only.clone()];
        assert_eq!(only.state(&all, at(86_399)), State::Active);
        assert_eq!(only.state(&all, at(86_400)), State::Expired);
        assert!(expiry(at(0), Some(0)).is_err());
        assert!(expiry(at(0), Some(3_651)).is_err());
        assert_eq!(expiry(at(0), None).unwrap(), None);
    }

    #[test]
    fn only_live_tokens_can_be_revoked() {
        let mut all = vec![token(1, 10), token(2, 20)];
        assert_eq!(revoke(&all, None, at(30)).unwrap().len(), 2);
        assert_eq!(revoke(&all, Some(all[0].id), at(30)).unwrap(), [all[0].id]);
        assert!(revoke(&all, Some(Uuid::max()), at(30)).is_err());
        all[0].revoked = Some(at(25));
        assert!(revoke(&all, Some(all[0].id), at(30)).is_err());
        assert_eq!(revoke(&all, None, at(30)).unwrap(), [all[1].id]);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Issue(Issue),
        Complete,
        Cancel,
        Revoke,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            Just(Step::Issue(Issue::Create)),
            Just(Step::Issue(Issue::Rotate)),
            Just(Step::Issue(Issue::Overlap)),
            Just(Step::Issue(Issue::CreateBeside)),
            Just(Step::Complete),
            Just(Step::Cancel),
            Just(Step::Revoke),
        ];
        proptest::collection::vec(step, 0..40)
    }

    proptest! {
        /// Feature row 72: what happens to the tokens of one purpose never touches those of another.
        #[test]
        fn a_rotation_is_of_one_purpose(steps in steps(), others in 0_u8..3) {
            let mut other: Vec<Token> = (0..others).map(|n| token(200 + n, 0)).collect();
            for token in &mut other {
                token.purpose = Purpose::Access;
            }
            let mut alone: Vec<Token> = Vec::new();
            for (n, step) in (1_u8..).zip(steps) {
                let now = at(n.into());
                let both = [&alone[..], &other[..]].concat();
                let decide = |all: &[Token]| match step {
                    Step::Issue(how) => issue(all, Purpose::Scim, how, now),
                    Step::Complete => complete(all, Purpose::Scim, now),
                    Step::Cancel | Step::Revoke => cancel(all, Purpose::Scim, now),
                };
                let ended = decide(&both);
                let expected = decide(&alone);
                prop_assert_eq!(ended.as_ref().ok(), expected.as_ref().ok());
                for token in &other {
                    prop_assert_eq!(token.state(&both, now), token.state(&other, now));
                }
                let Ok(ended) = ended else { continue };
                for token in alone.iter_mut().filter(|token| ended.contains(&token.id)) {
                    token.revoked = Some(now);
                }
                if matches!(step, Step::Issue(_)) {
                    alone.push(token(n, n.into()));
                }
            }
        }

        #[test]
        fn never_more_than_two_tokens_are_live(steps in steps()) {
            let mut all: Vec<Token> = Vec::new();
            for (n, step) in steps.into_iter().enumerate() {
                let n = u8::try_from(n).unwrap();
                let now = at(n.into());
                let before = live(&all, now).count();
                let (ended, made) = match step {
                    Step::Issue(how) => (issue(&all, Purpose::Scim, how, now), true),
                    Step::Complete => (complete(&all, Purpose::Scim, now), false),
                    Step::Cancel => (cancel(&all, Purpose::Scim, now), false),
                    Step::Revoke => (revoke(&all, None, now), false),
                };
                let two = matches!(step, Step::Issue(Issue::Overlap | Issue::CreateBeside)) && before == 1;
                let Ok(ended) = ended else {
                    prop_assert_eq!(live(&all, now).count(), before);
                    continue;
                };
                for token in &mut all {
                    if ended.contains(&token.id) {
                        prop_assert!(token.revoked.is_none());
                        token.revoked = Some(now);
                    }
                }
                if made {
                    all.push(token(n + 1, n.into()));
                }
                let (active, overlap) = all.iter().fold((0, 0), |(a, o), token| match token.state(&all, now) {
                    State::Active => (a + 1, o),
                    State::Overlap => (a, o + 1),
                    _ => (a, o),
                });
                prop_assert!(active <= 1 && overlap <= active, "{} active, {} overlap", active, overlap);
                match step {
                    _ if two => prop_assert_eq!((active, overlap), (1, 1)),
                    Step::Revoke => prop_assert_eq!(active, 0),
                    _ => prop_assert_eq!((active, overlap), (1, 0)),
                }
            }
        }
    }
}
