//! The handle of a database.

use std::convert::Infallible;
use std::fmt::{self, Formatter};
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf, absolute};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::connection::{Connection, Target};
use super::disk::Trouble;
use super::failure::{closed, failed, guarded, hindered, not_opened, unanswered};
use super::health::Health;
use super::meter::Task;
use super::options::Options;
use super::reader::Desk;
use super::shared::Shared;
use super::statements::Reader;
use super::statistics::Statistics;
use super::{checkpoint, priority, reader, walker, writer};
use crate::store::Budget;
use crate::{Error, Result};

/// A SQLite file with the threads that work on it.
///
/// It is cheap to clone, and works under any executor: jobs run on threads of the database and, but for those of
/// [`Database::look_up`], never on those of the caller. A job must not wait for another job of the same database (`blocking_…` inside a job may hang forever).
///
/// A job may run more than once before what it returns is answered: where a job fails that shares its transaction, or a
/// database server ends that, it is run again. So it is a `Fn`, and has no effect but its statements; identifiers and the
/// time come from outside.
///
/// * A write that was answered survives what [`Durability`](super::Durability) says, and every read that starts later
///   in this process sees it.
/// * Other processes may use the file at the same time, through this crate or not. Their commits are seen after
///   [`Options::snapshot_age`] at the latest, or at once after [`Database::catch_up`].
/// * When the last clone is dropped, the jobs that wait are done, the threads end and the file is closed; the drop
///   waits for that. [`Database::close`] waits without blocking.
///
/// ```
/// use scim::store::database::{Database, Options};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let database = Database::in_memory(Options::default())?;
/// let id = database
///     .write(|tx| {
///         tx.execute_batch("CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")?;
///         tx.execute("INSERT INTO person(name) VALUES (?1)", &["Barbara".into()])?;
///         Ok(tx.last_insert_id())
///     })
///     .await?;
/// let name = database
///     .read(move |reader| {
///         reader.query_one("SELECT name FROM person WHERE id = ?1", &[id.into()], |row| {
///             Ok(row.text(0)?.to_owned())
///         })
///     })
///     .await?;
/// assert_eq!(name.as_deref(), Some("Barbara"));
/// # Ok::<_, scim::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Database(Arc<Handle>);

pub(super) struct Handle {
    shared: Arc<Shared>,
    /// The readers' connections, to be borrowed; each is also its thread's.
    desks: Vec<Arc<Desk>>,
    /// The index of the desk at which the next borrower looks first.
    next_desk: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// How to make connections for work that is done apart.
    target: Target,
    /// Held by every thread but the writer's, which closes its connection when all have dropped it; and here, until
    /// the database is closed, for threads that are yet to come.
    others: Mutex<Option<mpsc::Sender<Infallible>>>,
    /// Each thread has a receiver: when all are gone, so are the threads.
    running: watch::Sender<()>,
}

impl Database {
    /// Opens a file and makes it if there is none, readable by its owner only (0600 on Unix). The directory must exist.
    ///
    /// # Errors
    /// The file cannot be opened or is not a database, or a thread cannot be started: with a sentence for the programmer.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let path = path.as_ref();
        let path = absolute(path).map_err(|cause| not_opened(path, cause))?;
        Self::start(&Target::file(&path, &options), options, None)
    }

    /// Opens a database that is gone with its last clone, for tests and demonstrations. It behaves as one from
    /// [`Database::open`], for it is a file in the system's directory for temporary files, but never waits for a disk.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn in_memory(options: Options) -> Result<Self> {
        let directory = Scratch::new()?;
        let target = Target::volatile(&directory.0.join("database"), &options);
        Self::start(&target, options, Some(directory))
    }

    fn start(target: &Target, options: Options, directory: Option<Scratch>) -> Result<Self> {
        let shared = Arc::new(Shared::new(options, target.disk()));
        let (other, others_ended) = mpsc::channel::<Infallible>();
        // From here on, dropping the handle ends the threads.
        let mut handle = Handle {
            shared: Arc::clone(&shared),
            desks: Vec::new(),
            next_desk: AtomicUsize::new(0),
            threads: Mutex::default(),
            target: target.clone(),
            others: Mutex::new(Some(other)),
            running: watch::Sender::new(()),
        };
        // The writer's connection is closed after all others: only one that may write can clear the log away.
        let writer = target.writer(Arc::clone(&shared.wal_pages))?;
        shared.disk.opened();
        handle.spawn("scim-writer", move |shared| {
            writer::run(&writer, shared);
            _ = others_ended.recv();
            drop(writer);
            drop(directory);
        })?;
        let spawn = |name, connection: Connection, run: fn(&Connection, &Shared)| {
            handle.spawn_other(name, move |shared| {
                run(&connection, shared);
                drop(connection);
            })
        };
        spawn("scim-checkpoint", target.checkpointer()?, checkpoint::run)?;
        for _ in 0..shared.options.streams.max(1) {
            spawn("scim-stream", target.walker()?, |connection, shared| {
                priority::yield_to_others();
                walker::run(connection, shared);
            })?;
        }
        let mut desks = Vec::new();
        for _ in 0..shared.options.readers.max(1) {
            let desk = Arc::new(Desk::new(target.reader()?));
            desks.push(Arc::clone(&desk));
            // Closes the connection at its end, whoever else knows the desk.
            handle.spawn_other("scim-reader", move |shared| reader::run(&desk, shared))?;
        }
        for _ in 0..shared.options.searches.max(1) {
            let desk = Desk::new(target.searcher()?);
            handle.spawn_other("scim-search", move |shared| {
                priority::yield_to_others();
                reader::search(&desk, shared);
            })?;
        }
        handle.desks = desks;
        Ok(Self(Arc::new(handle)))
    }

    /// Runs a job on the connection of a reader that is free; gives it back if there is none.
    pub(super) fn borrow_desk<T, J: FnOnce(&Reader<'_>) -> T>(&self, mut job: J) -> Result<T, J> {
        let desks = &self.0.desks;
        let first = self.0.next_desk.fetch_add(1, Ordering::Relaxed);
        for turn in 0..desks.len() {
            let Some(desk) = desks.get(first.wrapping_add(turn) % desks.len().max(1)) else {
                break;
            };
            match desk.serve_now(&self.0.shared, job) {
                Ok(answer) => return Ok(answer),
                Err(back) => job = back,
            }
        }
        Err(job)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    pub(super) fn handle(&self) -> &Arc<Handle> {
        &self.0
    }

    /// Runs a job that goes over very much, such as all there is. It has a thread and a connection of its own, made for
    /// it, and holds up nobody; all its statements see one snapshot, however long it takes. The write-ahead log cannot
    /// be reset before it ends. If the returned future is dropped, the job runs on.
    ///
    /// ```
    /// # use scim::store::database::{Database, Options};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let database = Database::in_memory(Options::default())?;
    /// let tables = database
    ///     .walk(|reader| {
    ///         let mut tables = 0;
    ///         reader.query("SELECT name FROM sqlite_schema WHERE type = 'table'", &[], |_| {
    ///             tables += 1;
    ///             Ok(())
    ///         })?;
    ///         Ok(tables)
    ///     })
    ///     .await?;
    /// assert_eq!(tables, 0);
    /// # Ok::<_, scim::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of the job; 503 if the database is closed; 500 if the job panics or no thread can be started.
    pub async fn walk<T, J>(&self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        self.apart(move |connection, _| job(&Reader::new(connection)))
            .await
    }

    /// Runs a job under a snapshot on a connection and a thread of its own. The job is told whether somebody still
    /// waits for what comes of it.
    pub(super) async fn apart<T, J>(&self, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: FnOnce(&Connection, &dyn Fn() -> bool) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let target = self.0.target.clone();
        self.0.spawn_other("scim-walk", move |shared| {
            let is_awaited = || !sender.is_closed();
            // Whatever is opened now must be what the others have open.
            let found = match shared.disk.is_there() {
                true => target.walker(),
                false => Err(hindered(Trouble::Gone, shared.options.disk_retry)),
            };
            let outcome = found.and_then(|connection| {
                connection.begin_snapshot().map_err(failed)?;
                let task = Task::new(Budget::unlimited(), &shared.is_closing, None);
                let outcome = connection
                    .meter()
                    .run(&task, || guarded(|| job(&connection, &is_awaited)));
                _ = connection.control("COMMIT");
                outcome
            });
            // A value that nobody waits for is dropped here, by code that is not ours.
            _ = guarded(|| {
                _ = sender.send(outcome);
                Ok(())
            });
        })?;
        receiver.await.unwrap_or_else(|_| Err(unanswered()))
    }

    /// Has every read that starts later see all commits until now, those of other processes too. It costs each reader a
    /// snapshot, as a write does: use it where somebody waits for what another process has just done, such as a page for people.
    ///
    /// ```
    /// use scim::store::database::{Database, Options};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("people.db");
    /// let (ours, theirs) = (Database::open(&path, Options::default())?, Database::open(&path, Options::default())?);
    /// theirs.blocking_write(|tx| tx.execute_batch("CREATE TABLE person(name TEXT NOT NULL) STRICT"))?;
    /// ours.catch_up();
    /// let count = ours.blocking_read(|reader| {
    ///     reader.query_one("SELECT count(*) FROM person", &[], |row| row.integer(0))
    /// })?;
    /// assert_eq!(count, Some(0));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn catch_up(&self) {
        self.0.shared.committed();
    }

    /// Returns the work that the database has done so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let counters = &self.0.shared.counters;
        counters.statements.set(self.0.target.statements());
        counters.statistics()
    }

    /// Returns whether the database can do its work, as far as that has shown: it asks nobody, and costs nothing.
    ///
    /// Trouble is also told once a minute, as an event of `tracing` (with that feature) or on standard error.
    #[must_use]
    pub fn health(&self) -> Health {
        let shared = &self.0.shared;
        if let Some(trouble) = shared.disk.trouble() {
            return trouble.health();
        }
        match shared.pulse.at_work() {
            Some(time) if time >= shared.options.stuck_after => Health::Stuck(time),
            _ => Health::Good,
        }
    }

    /// Refuses new jobs with 503, ends searches, streams and walks, and returns when the other jobs that wait are done and
    /// the file is closed.
    pub async fn close(&self) {
        self.0.close();
        self.0.running.closed().await;
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("options", &self.0.shared.options)
            .finish_non_exhaustive()
    }
}

impl Handle {
    fn spawn(&self, name: &str, run: impl FnOnce(&Shared) + Send + 'static) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let running = self.running.subscribe();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                run(&shared);
                drop(running);
            })
            .map_err(Error::internal)?;
        let mut threads = self.lock_threads();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// Starts a thread whose connection is closed before the writer's.
    fn spawn_other(&self, name: &str, run: impl FnOnce(&Shared) + Send + 'static) -> Result<()> {
        let other = self.lock_others().clone().ok_or_else(closed)?;
        self.spawn(name, move |shared| {
            run(shared);
            drop(other);
        })
    }

    /// Refuses new work. The threads end when they have done what waits.
    fn close(&self) {
        self.shared.close();
        self.lock_others().take();
    }

    fn lock_others(&self) -> MutexGuard<'_, Option<mpsc::Sender<Infallible>>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
        let threads = std::mem::take(&mut *self.lock_threads());
        let own = thread::current().id();
        // The last clone may have been inside a job. No thread can wait for itself, and the writer waits for all; they
        // end without us.
        if threads.iter().all(|thread| thread.thread().id() != own) {
            for thread in threads {
                _ = thread.join();
            }
        }
    }
}

/// A directory that is removed when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("scim-{}", Uuid::now_v7()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|cause| not_opened(&path, cause))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
