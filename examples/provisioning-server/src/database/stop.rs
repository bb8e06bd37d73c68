//! Why a job ends without a change.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use scim::store::database::{Reader, Transaction};

use super::{Product, failed};
use crate::domain::fault::{Fault, Result};

/// The end of a job that does not do what it was to do: nothing of it stays.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The database has failed.
    Failed(scim::Error),
    /// A rule forbids it.
    Refused(Fault),
}

impl From<scim::Error> for Stop {
    fn from(error: scim::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

/// The refusal of a job on its way past the database, which knows its own errors only.
#[derive(Debug, Clone, Default)]
struct Refusal(Arc<Mutex<Option<Fault>>>);

impl Refusal {
    /// Passes an outcome on, with the error by which the database takes everything back.
    fn pass<T>(&self, outcome: Result<T, Stop>) -> scim::Result<T> {
        outcome.map_err(|stop| match stop {
            Stop::Failed(error) => error,
            Stop::Refused(fault) => {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
                scim::Error::new(StatusCode::CONFLICT, "A rule refused the change.")
            }
        })
    }

    fn take(&self) -> Option<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn settle<T>(&self, outcome: scim::Result<T>) -> Result<T> {
        outcome.map_err(|error| self.take().unwrap_or_else(|| failed(error)))
    }
}

impl Product {
    /// Changes something that others may remember, in one transaction. Of a job that is refused nothing stays.
    pub(crate) async fn transact<T: Send + 'static>(
        &self,
        job: impl Fn(&Transaction<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T> {
        let refusal = Refusal::default();
        let passed = refusal.clone();
        let outcome = self.database.write(move |tx| passed.pass(job(tx))).await;
        self.changed();
        refusal.settle(outcome)
    }

    /// Reads what is committed, up to a moment old.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        job: impl Fn(&Reader<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T> {
        let refusal = Refusal::default();
        let passed = refusal.clone();
        let outcome = self.database.read(move |reader| passed.pass(job(reader))).await;
        refusal.settle(outcome)
    }
}
