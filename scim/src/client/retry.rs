//! When a request is sent again, and after how long (RFC 9110 section 10.2.3, RFC 6585 section 4).

use std::fmt::{self, Debug, Formatter};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// A way to wait. Every function from a duration to a future is one, such as `tokio::time::sleep`.
pub trait Sleep: Send + Sync + 'static {
    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl<F, W> Sleep for F
where
    F: Fn(Duration) -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self(duration))
    }
}

/// How often and after how long a request is sent again.
///
/// A server that says when (`Retry-After`) is obeyed. Otherwise every wait is twice as long as the one before, and a
/// random part of its second half is left out, so that many clients do not return at once.
///
/// 429 and 503 say that a request was not taken: it is sent again whatever it was. After 500, 502, 504 and a broken
/// connection nobody knows; then only requests are sent again that change nothing the second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    /// How often a request is sent at most; 1 means never again.
    pub tries: u32,
    /// The first wait.
    pub first: Duration,
    /// The longest wait of this client's own choice.
    pub longest: Duration,
    /// The longest wait that a server may ask for; beyond it the refusal is returned at once.
    pub patience: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            tries: 5,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(30),
            patience: Duration::from_secs(300),
        }
    }
}

/// The possible fate of a request of which nobody knows whether it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    Always,
    IfNotTaken,
}

impl Backoff {
    /// Returns how long to wait before the next try; `None` if there is none. `status` is `None` if there was no
    /// answer.
    pub(super) fn wait(
        &self,
        tries: u32,
        repeat: Repeat,
        status: Option<StatusCode>,
        retry_after: Option<Duration>,
        jitter: &Jitter,
    ) -> Option<Duration> {
        let is_refused = matches!(
            status,
            Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
        );
        let is_unknown = may_have_succeeded(status) && repeat == Repeat::Always;
        if tries >= self.tries || !(is_refused || is_unknown) {
            return None;
        }
        match retry_after {
            Some(wait) => (wait <= self.patience).then_some(wait),
            None => Some(self.own_choice(tries, jitter)),
        }
    }

    fn own_choice(&self, tries: u32, jitter: &Jitter) -> Duration {
        let doubled = 1u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        whole.mul_f64(1.0 - jitter.next() / 2.0)
    }
}

/// Returns whether a server may have done what it was asked although it did not say so.
pub(super) fn may_have_succeeded(status: Option<StatusCode>) -> bool {
    matches!(
        status,
        None | Some(
            StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT
        )
    )
}

/// Numbers between 0 and 1 that need not be good, only different from those of other clients.
#[derive(Clone)]
pub(super) struct Jitter(Arc<AtomicU64>);

impl Jitter {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    fn next(&self) -> f64 {
        // SplitMix64: its state only ever grows by a constant, so that one atomic addition serves all threads.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut bits = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((bits ^ (bits >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(top) / (f64::from(u32::MAX) + 1.0)
    }
}

impl Default for Jitter {
    fn default() -> Self {
        Self::seeded(RandomState::new().hash_one(0))
    }
}

impl Debug for Jitter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

/// Reads `Retry-After`: seconds, or a date, which is compared with the `Date` of the same answer and so needs no clock
/// here.
pub(super) fn read_retry_after(text: &str, date: Option<&str>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let read =
        |text: &str| -> Option<Timestamp> { rfc2822::DateTimeParser::new().parse_timestamp(text).ok() };
    let seconds = read(text)?.as_second().checked_sub(read(date?)?.as_second())?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(backoff: &Backoff, tries: u32, repeat: Repeat, status: Option<u16>) -> Option<Duration> {
        let status = status.map(|status| StatusCode::from_u16(status).unwrap());
        backoff.wait(tries, repeat, status, None, &Jitter::seeded(1))
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (text, want) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:50:00 GMT", Some(23)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(
                read_retry_after(text, date),
                want.map(Duration::from_secs),
                "{text}"
            );
        }
        assert_eq!(read_retry_after("Sun, 06 Nov 1994 08:50:00 GMT", None), None);
    }

    #[test]
    fn waits_double_up_to_the_longest_and_keep_their_first_half() {
        let backoff = Backoff {
            tries: 40,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(10),
            ..Backoff::default()
        };
        for (tries, whole) in [(1, 1.0), (2, 2.0), (4, 8.0), (5, 10.0), (39, 10.0)] {
            let wait = wait(&backoff, tries, Repeat::Always, None).unwrap().as_secs_f64();
            assert!(wait > whole / 2.0 && wait <= whole, "try {tries}: {wait}");
        }
    }

    /// RFC 9110 section 9.2.2: a client does not repeat what is not idempotent, unless it knows that it was not applied.
    #[test]
    fn only_what_was_not_taken_is_repeated_blindly() {
        let backoff = Backoff::default();
        for (status, always, if_not_taken) in [
            (Some(429), true, true),
            (Some(503), true, true),
            (None, true, false),
            (Some(500), true, false),
            (Some(502), true, false),
            (Some(504), true, false),
            (Some(200), false, false),
            (Some(400), false, false),
            (Some(409), false, false),
            (Some(412), false, false),
            (Some(501), false, false),
        ] {
            assert_eq!(
                wait(&backoff, 1, Repeat::Always, status).is_some(),
                always,
                "{status:?}"
            );
            assert_eq!(
                wait(&backoff, 1, Repeat::IfNotTaken, status).is_some(),
                if_not_taken,
                "{status:?}"
            );
        }
        assert_eq!(wait(&backoff, backoff.tries, Repeat::Always, Some(503)), None);
    }

    #[test]
    fn a_server_that_wants_too_long_a_pause_is_not_obeyed() {
        let backoff = Backoff::default();
        let asked = |seconds| {
            backoff.wait(
                1,
                Repeat::Always,
                Some(StatusCode::TOO_MANY_REQUESTS),
                Some(Duration::from_secs(seconds)),
                &Jitter::default(),
            )
        };
        assert_eq!(asked(300), Some(Duration::from_secs(300)));
        assert_eq!(asked(301), None);
    }
}
