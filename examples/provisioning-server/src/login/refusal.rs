//! Reasons for which nobody is let in. None of them tells whether there is an account.

use jiff::Timestamp;

use crate::domain::fault::Fault;

/// The reason why a step of a sign-in did not succeed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Name and password, or a code, do not let anybody in.
    Wrong,
    /// Too many attempts have failed: the next is possible at this time.
    Slowed { until: Timestamp },
    /// There is no session any more, or not one that has come this far.
    SignedOut,
    /// The link was used, its time is over, or it was never one.
    LinkOver,
    /// A rule forbids it, or the machine has failed: the sentence says it.
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The outcome of a step of a sign-in.
pub(crate) type Outcome<T> = Result<T, Refusal>;
