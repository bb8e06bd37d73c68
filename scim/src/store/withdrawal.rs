//! The withdrawal of a tenant's access while its requests are under way.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::StatusCode;

use crate::error::{Error, Result};

/// When a client may repeat what was ended: whoever still has access gets its answer then, and others are refused.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A tenant as those keep it who compare tenants and do not name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Label(u64);

impl Label {
    /// Makes the label of a tenant. Two tenants may have one label, and then share what they have by it.
    pub(crate) fn of(tenant: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        tenant.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The withdrawals of access, which are numbered: work that began before the last one of its tenant is to end.
///
/// While nobody withdraws, work is neither listed nor locked: it compares a number.
#[derive(Debug, Default)]
pub(crate) struct Withdrawals {
    count: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the last withdrawal of each tenant that had one.
    last: HashMap<Label, u64>,
    /// Whoever waits for something else meanwhile.
    waiting: HashMap<u64, Waiting>,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    label: Label,
    waker: Waker,
}

impl Withdrawals {
    /// Ends what a tenant has begun so far.
    pub(crate) fn withdraw(&self, tenant: &str) {
        let label = Label::of(tenant);
        let mut state = self.state();
        let number = self.count.load(Ordering::Relaxed) + 1;
        state.last.insert(label, number);
        self.count.store(number, Ordering::Release);
        let woken = state.waiting.extract_if(|_, waiting| waiting.label == label);
        let woken: Vec<_> = woken.map(|(_, waiting)| waiting.waker).collect();
        drop(state);
        // Wakers are code of an executor: they run without the lock.
        woken.into_iter().for_each(Waker::wake);
    }

    /// Returns the access under which a tenant begins something now.
    pub(crate) fn grant(self: &Arc<Self>, label: Label) -> Grant {
        Grant {
            withdrawals: Arc::clone(self),
            label,
            since: self.count.load(Ordering::Acquire),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The access under which something was begun.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    withdrawals: Arc<Withdrawals>,
    label: Label,
    since: u64,
}

impl Grant {
    /// Checks that the access was not withdrawn since.
    ///
    /// # Errors
    /// 503 with `Retry-After` if it was.
    pub(crate) fn check(&self) -> Result<()> {
        if self.withdrawals.count.load(Ordering::Acquire) == self.since {
            return Ok(());
        }
        self.check_in(&self.withdrawals.state())
    }

    fn check_in(&self, state: &State) -> Result<()> {
        match state.last.get(&self.label) {
            Some(number) if *number > self.since => Err(withdrawn()),
            _ => Ok(()),
        }
    }
}

/// Returns 503: whether the client may still come is for whoever lets it in to say, when it comes again.
fn withdrawn() -> Error {
    Error::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "The access of this tenant has changed while the request was worked on: repeat the request.",
    )
    .with_retry_after(RETRY_AFTER)
}

/// The end of a grant, for whoever waits for something else meanwhile.
#[derive(Debug)]
pub(crate) struct Withdrawal {
    grant: Grant,
    place: Option<u64>,
}

impl Withdrawal {
    pub(crate) fn of(grant: Grant) -> Self {
        Self { grant, place: None }
    }

    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }
}

impl Future for Withdrawal {
    type Output = Error;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Error> {
        let Self { grant, place } = self.get_mut();
        let mut state = grant.withdrawals.state();
        if let Err(error) = grant.check_in(&state) {
            return Poll::Ready(error);
        }
        let number = *place.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        let waiting = Waiting {
            label: grant.label,
            waker: cx.waker().clone(),
        };
        state.waiting.insert(number, waiting);
        Poll::Pending
    }
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waiting = self.grant.withdrawals.state().waiting.remove(&place);
            drop(waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Issue 9: what a tenant has begun ends, and neither what it begins afterwards nor what others have begun.
    #[test]
    fn a_withdrawal_ends_what_its_tenant_has_begun() {
        let withdrawals = Arc::new(Withdrawals::default());
        let grant = |tenant| withdrawals.grant(Label::of(tenant));
        let (acme, other) = (grant("acme"), grant("other"));
        withdrawals.withdraw("acme");
        let later = grant("acme");
        withdrawals.withdraw("third");
        let error = acme.check().unwrap_err();
        assert_eq!(error.status(), 503);
        assert!(error.retry_after().is_some());
        assert!(other.check().is_ok() && later.check().is_ok());
    }

    /// Whoever waits is woken once, and leaves nothing behind.
    #[test]
    fn whoever_waits_is_woken() {
        let withdrawals = Arc::new(Withdrawals::default());
        let wait = |tenant| Box::pin(Withdrawal::of(withdrawals.grant(Label::of(tenant))));
        let (mut acme, mut other) = (wait("acme"), wait("other"));
        let [for_acme, for_other] = [(); 2].map(|()| Arc::new(Counting::default()));
        for (waits, count) in [(&mut acme, &for_acme), (&mut other, &for_other)] {
            let waker = Waker::from(Arc::clone(count));
            for _ in 0..3 {
                assert!(waits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
        }
        withdrawals.withdraw("acme");
        let woken = [for_acme, for_other].map(|count| count.0.load(Ordering::Relaxed));
        assert_eq!(woken, [1, 0]);
        let mut context = Context::from_waker(Waker::noop());
        assert!(acme.as_mut().poll(&mut context).is_ready());
        assert!(other.as_mut().poll(&mut context).is_pending());
        drop((acme, other));
        assert!(withdrawals.state().waiting.is_empty());
    }
}
