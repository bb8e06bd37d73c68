//! The jobs of one tenant, or of the application.

use std::any::Any;
use std::fmt::{self, Display, Formatter};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::sync::oneshot;

use super::failure::{busy, closed, guarded, too_many_waiting, unanswered};
use super::handle::Database;
use super::meter::{Awaited, Task};
use super::queue::Refused;
use super::shared::SearchJob;
use super::statements::{Reader, Transaction};
use super::stream::{Sender, Stream, StreamJob};
use super::writer::Pending;
use crate::store::Budget;
use crate::store::withdrawal::{Grant, Label};
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

    /// Returns the access of a job that begins now.
    fn grant(self) -> Option<Grant> {
        self.label
            .map(|label| self.database.shared().withdrawals.grant(label))
    }

    fn task(self, budget: Budget) -> Task {
        Task::new(budget, &self.database.shared().is_closing, self.grant())
    }

    /// Runs [`Database::read`] for the tenant.
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

    /// Runs [`Database::look_up`] for the tenant.
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

    /// Runs [`Database::search`] for the tenant.
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
        let task = self.task(budget);
        let awaited = Awaited(Arc::clone(&task.is_dropped));
        let job = Box::new(move |reader: &Reader<'_>| {
            answer(sender, || {
                // It may have waited until it is not to begin at all.
                reader.charge(0)?;
                job(reader)
            });
        });
        let pushed = shared.searches.push(self.label, SearchJob { task, job });
        pushed.map_err(|refused| self.refused(refused))?;
        let outcome = receiver.await.unwrap_or_else(|_| Err(unanswered()));
        drop(awaited);
        outcome
    }

    /// Runs [`Database::write`] for the tenant.
    ///
    /// # Errors
    /// As [`Database::write`]; 429 if too many writes of the tenant wait.
    pub async fn write<T, J>(self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let grant = self.grant();
        let job = move |tx: &Transaction<'_>| {
            grant.as_ref().map_or(Ok(()), Grant::check)?;
            job(tx)
        };
        self.change(job, true).await
    }

    /// Has a job done by the writer. `is_looked_up` says whether look-ups have to see what it changes.
    async fn change<T, J>(self, job: J, is_looked_up: bool) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job = Pending::boxed(job, is_looked_up, move |result| _ = sender.send(result));
        let pushed = self.database.shared().writes.push(self.label, job);
        pushed.map_err(|refused| self.refused(refused))?;
        receiver.await.unwrap_or_else(|_| Err(unanswered()))
    }

    /// Runs [`Database::stream`] for the tenant; if too many of its streams wait, it ends with 429.
    pub fn stream<J>(self, job: J) -> Stream
    where
        J: FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send + 'static,
    {
        self.stream_within(Budget::unlimited(), job)
    }

    /// Runs the same for a stream that searches before it sends.
    pub(in crate::store) fn stream_within<J>(self, budget: Budget, job: J) -> Stream
    where
        J: FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send + 'static,
    {
        let shared = self.database.shared();
        let task = self.task(budget);
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

/// A job was not taken, because too many wait already or because the database is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Display for Full {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the database takes no more work")
    }
}

impl std::error::Error for Full {}

/// The jobs of the application.
impl Database {
    /// Runs a job that looks at a few rows; one that may walk many is a [search](Database::search), or else brief jobs would
    /// wait for it. All its statements see one snapshot, which shows every write that was answered before
    /// this is first polled. If the returned future is dropped, the job may or may not run.
    ///
    /// # Errors
    /// Those of the job; 503 if too many jobs wait; 500 if the job panics.
    pub async fn read<T, J>(&self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        Share::of_application(self).read(job).await
    }

    /// Runs a job that may walk many rows: a search. Searches have threads of their own, [`Options::searches`](super::Options::searches) of them, so
    /// that they never hold up a read, and at most [`Options::tenant_searches`](super::Options::tenant_searches) of one tenant
    /// are at work at once. The work that the database does for it is charged to `budget`, and so is what the job charges itself.
    /// If the returned future is dropped, or the database is closed, it ends.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use scim::store::Budget;
    /// # use scim::store::database::{Database, Options};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let database = Database::in_memory(Options::default())?;
    /// let budget = Budget::new(1_000_000, Duration::from_secs(20));
    /// let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    /// let search = database.search(budget, move |reader| reader.query_one(endless, &[], |row| row.integer(0)));
    /// assert_eq!(search.await.unwrap_err().status(), 400);
    /// # Ok::<_, scim::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of the job; 400 `tooMany` if the budget is spent; 503 if too many searches wait, or the database is
    /// closed meanwhile; 500 if the job panics.
    pub async fn search<T, J>(&self, budget: Budget, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        Share::of_application(self).search(budget, job).await
    }

    /// Returns the share of one tenant, whose jobs take turns with those of others.
    pub fn share_of(&self, tenant: &str) -> Share<'_> {
        Share::of_tenant(self, tenant)
    }

    /// Ends the work of a tenant whose access was withdrawn: its searches and streams end, and its writes that have not
    /// begun are not carried out, each with 503 and `Retry-After`. A write that has begun may still be committed, brief
    /// reads are answered, and what the tenant asks for from now on is done as ever: to keep it out is for whoever lets
    /// requests in.
    ///
    /// ```
    /// use scim::store::Budget;
    /// # use scim::store::database::{Database, Options};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let database = Database::in_memory(Options::default())?;
    /// let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    /// let search = database
    ///     .share_of("acme")
    ///     .search(Budget::unlimited(), move |reader| reader.query_one(endless, &[], |row| row.integer(0)));
    /// let (outcome, ()) = tokio::join!(search, async { database.end_work_of("acme") });
    /// assert_eq!(outcome.unwrap_err().status(), 503);
    /// # Ok::<_, scim::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn end_work_of(&self, tenant: &str) {
        self.shared().withdrawals.withdraw(tenant);
    }

    /// Runs a [`Database::read`] for a job that looks up a row or two: it runs on the caller's thread if a connection is free,
    /// which spares two changes of threads. It sees what a read sees, but may miss what was just
    /// [appended](Database::append). A job that may find none of its pages in memory would hold up the executor and belongs
    /// into [`Database::read`]; one that walks many rows into [`Database::search`].
    ///
    /// # Errors
    /// As [`Database::read`].
    pub async fn look_up<T, J>(&self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        Share::of_application(self).look_up(job).await
    }

    /// Runs a job that changes, and answers when its changes are committed. Several jobs share one commit: if this one
    /// fails, its own changes are undone and those of others are not, though the others may have to run again for that. If
    /// the returned future is dropped after it was polled, the job runs all the same.
    ///
    /// # Errors
    /// Those of the job; 503 if too many jobs wait, or if another process kept the file locked for
    /// [`Options::busy_timeout`](super::Options::busy_timeout); 500 if the job panics or the commit fails.
    pub async fn write<T, J>(&self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        Share::of_application(self).write(job).await
    }

    /// Runs a [`Database::write`] for rows that no look-up asks for, such as those of a log. A [look-up](Database::look_up) keeps
    /// its snapshot, and with it the pages that it has in memory, and may see them as late as
    /// [`Options::snapshot_age`](super::Options::snapshot_age); all other reads see them as those of any write.
    ///
    /// ```
    /// # use scim::store::database::{Database, Options};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let database = Database::in_memory(Options::default())?;
    /// # database.write(|tx| tx.execute_batch("CREATE TABLE log(line TEXT NOT NULL) STRICT")).await?;
    /// database
    ///     .append(|tx| tx.execute("INSERT INTO log(line) VALUES ('GET /Users')", &[]))
    ///     .await?;
    /// let lines = database
    ///     .read(|reader| reader.query_one("SELECT count(*) FROM log", &[], |row| row.integer(0)))
    ///     .await?;
    /// assert_eq!(lines, Some(1));
    /// # Ok::<_, scim::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Database::write`].
    pub async fn append<T, J>(&self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        Share::of_application(self).change(job, false).await
    }

    /// Has a job done without waiting for it, in the order of the other writes of the application. Failures are only counted, in
    /// [`Statistics::failed_behind`](super::Statistics::failed_behind).
    ///
    /// # Errors
    /// [`Full`] if the queue is half full already (the other half is for those who wait), or the database is closed.
    pub fn write_behind<J>(&self, job: J) -> Result<(), Full>
    where
        J: Fn(&Transaction<'_>) -> Result<()> + Send + 'static,
    {
        // Not the whole `Arc<Handle>`: a job must not keep its own database open.
        let shared = Arc::clone(self.shared());
        let job = Pending::boxed(job, true, move |result: Result<()>| {
            if result.is_err() {
                shared.counters.failed_behind.add(1);
            }
        });
        self.shared().writes.push_behind(job).map_err(|refused| {
            _ = Share::of_application(self).refused(refused);
            Full
        })
    }

    /// Runs a [`Database::read`] for code without an executor: blocks the thread.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub fn blocking_read<T, J>(&self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        block_on(self.read(job))
    }

    /// Runs a [`Database::write`] for code without an executor: blocks the thread.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub fn blocking_write<T, J>(&self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: Fn(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        block_on(self.write(job))
    }

    /// Runs a job that walks many rows under one snapshot and sends them in chunks, while the receiver takes them.
    /// Streams have threads of their own, [`Options::streams`](super::Options::streams) of them, so that they never hold up a read; more of
    /// them wait. A stream that could not start, or whose job fails, ends with an error.
    ///
    /// ```
    /// # use scim::store::database::{Database, Options};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let database = Database::in_memory(Options::default())?;
    /// let mut stream = database.stream(|reader, sender| {
    ///     reader.query("SELECT value FROM json_each('[1,2,3]')", &[], |row| {
    ///         sender.send(format!("{};", row.integer(0)?))
    ///     })
    /// });
    /// let mut all = Vec::new();
    /// while let Some(chunk) = stream.next().await {
    ///     all.extend_from_slice(&chunk?);
    /// }
    /// assert_eq!(all, b"1;2;3;");
    /// # Ok::<_, scim::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn stream<J>(&self, job: J) -> Stream
    where
        J: FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send + 'static,
    {
        Share::of_application(self).stream(job)
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

/// Parks the thread until the future is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
