//! The budget that the work of a connection is charged to, and the reasons to end it early.
//!
//! SQLite asks after every so many instructions of its machine whether to go on, also in the midst of a statement that
//! gives no row for long. The handler is set once for each connection; what it says depends on the job that is under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::{closed, failed};
use crate::store::Budget;
use crate::store::withdrawal::Grant;
use crate::{Error, Result};

/// Instructions between two questions.
pub(super) const GRAIN: u16 = 1_000;

/// A job that may take long: what it may spend, and who can end it.
#[derive(Clone)]
pub(super) struct Task {
    budget: Budget,
    /// Nobody waits for it any more.
    pub(super) is_dropped: Arc<AtomicBool>,
    /// The database is closing.
    is_closing: Arc<AtomicBool>,
    /// `None` for the application.
    grant: Option<Grant>,
}

impl Task {
    pub(super) fn new(budget: Budget, is_closing: &Arc<AtomicBool>, grant: Option<Grant>) -> Self {
        Self {
            budget,
            is_dropped: Arc::default(),
            is_closing: Arc::clone(is_closing),
            grant,
        }
    }

    /// Returns the same work without a bound on what it costs.
    pub(super) fn unbounded(&self) -> Self {
        Self {
            budget: Budget::unlimited(),
            ..self.clone()
        }
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.is_dropped.load(Ordering::Relaxed)
    }

    pub(super) fn charge(&self, steps: u64) -> Result<()> {
        if self.is_dropped() {
            return Err(Error::internal("whoever waited for it is gone"));
        }
        if self.is_closing.load(Ordering::Relaxed) {
            return Err(closed());
        }
        self.grant.as_ref().map_or(Ok(()), Grant::check)?;
        self.budget.charge(steps)
    }
}

/// A sign that somebody waits for a job: when this is dropped, the job ends.
pub(super) struct Awaited(pub(super) Arc<AtomicBool>);

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Of a connection.
#[derive(Default)]
pub(super) struct Meter(Mutex<State>);

#[derive(Default)]
struct State {
    task: Option<Task>,
    /// The steps that are left to a part of a job that gives up beyond.
    part: Option<u64>,
}

impl Meter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a job whose work is charged to its task.
    pub(super) fn run<T>(&self, task: &Task, job: impl FnOnce() -> T) -> T {
        self.charge_to(task);
        let outcome = job();
        self.lock().task = None;
        outcome
    }

    /// Charges what the job that is under way does from now on to another task.
    pub(super) fn charge_to(&self, task: &Task) {
        self.lock().task = Some(task.clone());
    }

    /// Runs a part of a job in which SQLite's machine takes at most about so many steps. `None` if it would take more.
    pub(super) fn within<T>(&self, steps: u64, part: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        self.lock().part = Some(steps);
        let outcome = part();
        let is_spent = self.lock().part.take() == Some(0);
        match outcome {
            Err(_) if is_spent => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// Charges work that is done outside of SQLite's machine.
    pub(super) fn charge(&self, steps: u64) -> Result<()> {
        self.lock()
            .task
            .as_ref()
            .map_or(Ok(()), |task| task.charge(steps))
    }

    /// Returns whether a statement is to end: the answer to SQLite's question.
    pub(super) fn ends(&self) -> bool {
        let grain = u64::from(GRAIN);
        let mut state = self.lock();
        if let Some(left) = &mut state.part {
            *left = left.saturating_sub(grain);
            if *left == 0 {
                return true;
            }
        }
        state
            .task
            .as_ref()
            .is_some_and(|task| task.charge(grain).is_err())
    }

    /// Returns why a statement has ended early.
    pub(super) fn reason(&self, interrupt: rusqlite::Error) -> Error {
        self.charge(0).err().unwrap_or_else(|| failed(interrupt))
    }
}
