//! The cost that a search may have.

use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::limits::exceeded;
use crate::store::withdrawal::Grant;

/// The steps and the time that a request may spend on searching, whatever its filter and its order.
///
/// A step is an expression of the filter that is evaluated, a value that is visited on the way, or an instruction of the
/// database's own machine. A store charges them while it works ([`Query::budget`](super::Query::budget)); the first charge
/// beyond the budget is an error, and ends the search. The time runs from the first charge on.
///
/// Clones share what is left, so that a search over several types has one budget.
///
/// ```
/// use std::time::Duration;
///
/// use scim::store::Budget;
///
/// let budget = Budget::new(1_000, Duration::from_secs(20));
/// budget.charge(600)?;
/// let error = budget.clone().charge(600).unwrap_err();
/// assert_eq!(error.status(), 400);
/// # Ok::<_, scim::Error>(())
/// ```
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

struct Inner {
    steps: usize,
    time: Duration,
    spent: AtomicU64,
    /// `None` for a time without end.
    deadline: OnceLock<Option<Instant>>,
    /// The access of the tenant for whom it is spent, where somebody may withdraw it.
    grant: Option<Grant>,
}

impl Budget {
    /// Makes a budget of so many steps and so much time: see
    /// [`Limits::search_steps`](crate::Limits::search_steps) and
    /// [`Limits::search_time`](crate::Limits::search_time).
    #[must_use]
    pub fn new(steps: usize, time: Duration) -> Self {
        Self::under(None, steps, time)
    }

    /// Makes a budget for work that ends when the access of its tenant is withdrawn.
    pub(crate) fn under(grant: Option<Grant>, steps: usize, time: Duration) -> Self {
        Self(Arc::new(Inner {
            steps,
            time,
            spent: AtomicU64::new(0),
            deadline: OnceLock::new(),
            grant,
        }))
    }

    /// Makes a budget that is never spent.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(usize::MAX, Duration::MAX)
    }

    /// Returns the steps that were charged so far.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.0.spent.load(Ordering::Relaxed)
    }

    /// Takes steps off the budget.
    ///
    /// # Errors
    /// 400 `tooMany` (RFC 7644 section 3.4.2.2) if more was charged than the budget has, or if its time is over: the error
    /// names the limit, and says what to do. 503 with `Retry-After` if the service has withdrawn the access of the tenant
    /// ([`ScimService::end_work_of`](crate::service::ScimService::end_work_of)).
    pub fn charge(&self, steps: u64) -> Result<()> {
        let inner = &*self.0;
        inner.grant.as_ref().map_or(Ok(()), Grant::check)?;
        let spent = inner
            .spent
            .fetch_add(steps, Ordering::Relaxed)
            .saturating_add(steps);
        if usize::try_from(spent).unwrap_or(usize::MAX) > inner.steps {
            return Err(exceeded::search_steps(inner.steps, None));
        }
        let begin = || Instant::now().checked_add(inner.time);
        match inner.deadline.get_or_init(begin) {
            Some(deadline) if Instant::now() >= *deadline => Err(exceeded::search_time(inner.time, None)),
            _ => Ok(()),
        }
    }
}

impl Debug for Budget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("steps", &self.0.steps)
            .field("time", &self.0.time)
            .field("spent", &self.spent())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::withdrawal::{Label, Withdrawals};

    /// Issue 9: a search in any store ends when the access of its tenant is withdrawn.
    #[test]
    fn a_budget_ends_with_the_access() {
        let withdrawals = Arc::new(Withdrawals::default());
        let grant = withdrawals.grant(Label::of("acme"));
        let budget = Budget::under(Some(grant), usize::MAX, Duration::MAX);
        assert!(budget.charge(1).is_ok());
        withdrawals.withdraw("acme");
        assert_eq!(budget.charge(1).unwrap_err().status(), 503);
    }

    /// RFC 7644 section 3.4.2.2: a search that would cost too much is 400 `tooMany`, and says which limit it meets.
    #[test]
    fn steps_and_time_are_bounded_each_by_itself() {
        let budget = Budget::new(10, Duration::MAX);
        assert!(budget.charge(10).is_ok());
        let error = budget.charge(1).unwrap_err();
        assert!(error.to_string().contains("search_steps"), "{error}");
        assert!(budget.charge(0).is_err(), "what is spent stays spent");
        let error = Budget::new(usize::MAX, Duration::ZERO).charge(0).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains("search_time"), "{error}");
        let endless = Budget::unlimited();
        assert!(endless.charge(1 << 60).is_ok());
        assert_eq!(endless.spent(), 1 << 60);
    }
}
