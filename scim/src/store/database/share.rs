//! The jobs of one tenant, or of the application.

use std::any::Any;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::failure::{busy, closed, guarded, too_many_waiting, unanswered};
use super::handle::Database;
use super::meter::{Awaited, Task};
use super::queue::Refused;
use super::shared::SearchJob;
use super::statements::{Reader, Transaction};
use super::stream::{Sender, Stream, StreamJob};
use super::turns::Label;
use super::writer::Pending;
use crate::store::Budget;
use crate::{Error, Result};

/// The share that one tenant has of a [`Database`]: its jobs are done in turn with those of other tenants.
///
/// However much one tenant asks for, each other that waits has its turn after one job of each, and the jobs that the
/// application gives to the [`Database`] itself have every second turn. A tenant may have
/// [`Options::tenant_queue`](super::Options::tenant_queue) jobs waiting, and only so many searches and streams at work;
/// beyond, it gets 429 with `Retry-After` (RFC 6585 section 4).
///
/// ```
/// use scim::store::database::{Database, Options};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let database = Database::in_memory(Options::default())?;
/// let share = database.share_of("acme");
/// share.write(|tx| tx.execute_batch("CREATE TABLE note(id INTEGER PRIMARY KEY) STRICT")).await?;
/// # Ok::<_, scim::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Share<'d> {
    database: &'d Database,
    /// `None` for the application.
    label: Option<Label>,
}

impl<'d> Share<'d> {
    pub(super) fn of_tenant(database: &'d Database, tenant: &str) -> Self {
        Self {
            database,
            label: Some(Label::of(tenant)),
        }
    }

    pub(super) fn of_application(database: &'d Database) -> Self {
        Self {
            database,
            label: None,
        }
    }

    /// [`Database::read`] for the tenant.
    ///
    /// # Errors
    /// As [`Database::read`]; 429 if too many jobs of the tenant wait.
    pub async fn read<T, J>(self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move |reader: &Reader<'_>| {
            if !sender.is_closed() {
                answer(sender, || job(reader));
            }
        });
        let pushed = self.database.shared().reads.push(self.label, job);
        pushed.map_err(|refused| self.refused(refused))?;
        receiver.await.unwrap_or_else(|_| Err(unanswered()))
    }

    /// [`Database::look_up`] for the tenant.
    ///
    /// # Errors
    /// As [`Share::read`].
    pub async fn look_up<T, J>(self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        let job = move |reader: &Reader<'_>| guarded(|| job(reader));
        match self.database.borrow_desk(job) {
            Ok(answer) => answer,
            Err(job) => self.read(job).await,
        }
    }

    /// [`Database::search`] for the tenant.
    ///
    /// # Errors
    /// As [`Database::search`]; 429 if too many searches of the tenant wait.
    pub async fn search<T, J>(self, budget: Budget, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        let shared = self.database.shared();
        let (sender, receiver) = oneshot::channel();
        let task = Task::new(budget, &shared.is_closing);
        let awaited = Awaited(Arc::clone(&task.is_dropped));
        let job = Box::new(move |reader: &Reader<'_>| answer(sender, || job(reader)));
        let pushed = shared.searches.push(self.label, SearchJob { task, job });
        pushed.map_err(|refused| self.refused(refused))?;
        let outcome = receiver.await.unwrap_or_else(|_| Err(unanswered()));
        drop(awaited);
        outcome
    }

    /// [`Database::write`] for the tenant.
    ///
    /// # Errors
    /// As [`Database::write`]; 429 if too many writes of the tenant wait.
    pub async fn write<T, J>(self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job = Pending::boxed(job, move |result| _ = sender.send(result));
        let pushed = self.database.shared().writes.push(self.label, job);
        pushed.map_err(|refused| self.refused(refused))?;
        receiver.await.unwrap_or_else(|_| Err(unanswered()))
    }

    /// [`Database::stream`] for the tenant; where too many of its streams wait, it ends with 429.
    pub fn stream<J>(self, job: J) -> Stream
    where
        J: FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send + 'static,
    {
        self.stream_within(Budget::unlimited(), job)
    }

    /// The same for a stream that searches before it sends.
    pub(in crate::store) fn stream_within<J>(self, budget: Budget, job: J) -> Stream
    where
        J: FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send + 'static,
    {
        let shared = self.database.shared();
        let task = Task::new(budget, &shared.is_closing);
        let alive = Arc::clone(self.database.handle()) as Arc<dyn Any + Send + Sync>;
        let (job, stream) = StreamJob::new(Box::new(job), task, alive);
        if let Err(refused) = shared.streams.push(self.label, job) {
            stream.refuse(self.refused(refused));
        }
        stream
    }

    pub(super) fn refused(self, refused: Refused) -> Error {
        let counters = &self.database.shared().counters;
        match refused {
            Refused::Full => {
                counters.refused.add(1);
                busy()
            }
            Refused::TenantFull(waiting) => {
                counters.refused_to_tenants.add(1);
                too_many_waiting(waiting)
            }
            Refused::Closed => closed(),
        }
    }
}

/// Runs a job and tells what comes of it.
fn answer<T>(sender: oneshot::Sender<Result<T>>, job: impl FnOnce() -> Result<T>) {
    // A value that nobody waits for is dropped here, by code that is not ours.
    _ = guarded(|| {
        _ = sender.send(guarded(job));
        Ok(())
    });
}
