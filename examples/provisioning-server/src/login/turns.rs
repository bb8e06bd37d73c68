//! Turns of work that takes a processor for long, by as many threads as there are cores, so that sign-in leaves the rest of
//! the server its memory and its time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::domain::fault::{Fault, Result};

/// How long somebody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// As many turns at once as there are cores.
#[derive(Debug, Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores)))
    }
}

impl Turns {
    /// Returns what comes of some work.
    ///
    /// # Errors
    /// Too many wait already.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let turn = timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
        let turn: OwnedSemaphorePermit = turn.ok().and_then(std::result::Result::ok).ok_or_else(|| {
            Fault::conflict("Too many people sign in at the moment: try again in a minute.")
        })?;
        let done = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await
            .map_err(|cause| Fault::internal("What a sign-in needs could not be worked out.", cause))
    }
}
