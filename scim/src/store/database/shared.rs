//! The state that the threads of one database share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::disk::{Disk, Trouble};
use super::failure::GroupFailure;
use super::health::Pulse;
use super::meter::Task;
use super::options::Options;
use super::queue::{Bounds, Queue};
use super::statements::{Reader, Transaction};
use super::statistics::Counters;
use super::stream::StreamJob;
use crate::store::withdrawal::Withdrawals;

/// A write: runs inside the group's transaction, and is answered when the group is committed or undone.
pub(super) trait WriteJob: Send {
    /// Says what is to become of the changes.
    fn run(&mut self, transaction: &Transaction<'_>) -> Ran;
    /// Returns whether look-ups that start later have to see it.
    fn is_looked_up(&self) -> bool;
    /// Tells the caller; `group` says whether the commit succeeded.
    fn answer(self: Box<Self>, group: Result<(), &GroupFailure>);
}

/// The outcome of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// Its changes are kept.
    Kept,
    /// Its changes are undone: it failed.
    Undone,
    /// The same, and it was the disk that failed.
    Hindered(Trouble),
}

/// How many commits of this process there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation {
    all: u64,
    /// Those that look-ups have to see.
    looked_up: u64,
}

/// The commits that a job has to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sees {
    Everything,
    /// All but what was only [appended](super::Database::append).
    LookedUp,
}

impl Generation {
    /// Returns whether a snapshot of this generation shows what a job has to see that starts in generation `now`.
    pub(super) fn shows(self, now: Self, sees: Sees) -> bool {
        match sees {
            Sees::Everything => self.all == now.all,
            Sees::LookedUp => self.looked_up == now.looked_up,
        }
    }
}

/// A read that may take long.
pub(super) struct SearchJob {
    pub(super) task: Task,
    pub(super) job: ReadJob,
}

pub(super) type ReadJob = Box<dyn FnOnce(&Reader<'_>) + Send>;

pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) counters: Counters,
    pub(super) disk: Disk,
    /// The writer's.
    pub(super) pulse: Pulse,
    pub(super) writes: Queue<Box<dyn WriteJob>>,
    pub(super) reads: Queue<ReadJob>,
    pub(super) searches: Queue<SearchJob>,
    pub(super) streams: Queue<StreamJob>,
    /// Set when the database is closed: what may take long ends.
    pub(super) is_closing: Arc<AtomicBool>,
    /// The tenants whose work is to end.
    pub(super) withdrawals: Arc<Withdrawals>,
    /// Holds at most one wish for a checkpoint.
    pub(super) checkpoints: Queue<()>,
    /// Pages in the log, counted by the writer's connection.
    pub(super) wal_pages: Arc<AtomicU64>,
    /// Set while the log has reached its limit and could not start over yet: streams let go of it between two statements.
    pub(super) log_is_long: Arc<AtomicBool>,
    /// Grows with every commit of this process that changed something, before its jobs are answered.
    commits: AtomicU64,
    /// Grows with those of them that look-ups have to see.
    looked_up: AtomicU64,
    /// While set, readers end their snapshot with every job: the log is about to start over.
    clearing: AtomicBool,
    /// SQLite does not wait for another checkpoint to end, so that ours wait here.
    checkpointing: Mutex<()>,
}

impl Shared {
    pub(super) fn new(options: Options, disk: Disk) -> Self {
        let bounds = |at_work| Bounds {
            capacity: options.queue,
            of_tenant: options.tenant_queue,
            at_work,
        };
        let one = Bounds {
            capacity: 1,
            ..bounds(None)
        };
        Self {
            counters: Counters::default(),
            disk,
            pulse: Pulse::new(),
            writes: Queue::new(bounds(None)),
            reads: Queue::new(bounds(None)),
            searches: Queue::new(bounds(Some(options.tenant_searches))),
            streams: Queue::new(bounds(Some(options.tenant_streams))),
            is_closing: Arc::default(),
            withdrawals: Arc::default(),
            checkpoints: Queue::new(one),
            wal_pages: Arc::default(),
            log_is_long: Arc::default(),
            commits: AtomicU64::new(0),
            looked_up: AtomicU64::new(0),
            clearing: AtomicBool::new(false),
            checkpointing: Mutex::new(()),
            options,
        }
    }

    /// Refuses new jobs. Work that may take long ends; the threads end when they have done the other jobs that wait.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.searches.close();
        self.writes.close();
        self.reads.close();
        self.streams.close();
        self.checkpoints.close();
    }

    /// Returns the present generation. A snapshot that was taken after this was called shows every commit that it counts.
    pub(super) fn generation(&self) -> Generation {
        Generation {
            all: self.commits.load(Ordering::Acquire),
            looked_up: self.looked_up.load(Ordering::Acquire),
        }
    }

    /// Has every later read take a snapshot of its own time: something was committed, or is to be seen.
    pub(super) fn committed(&self) {
        self.looked_up.fetch_add(1, Ordering::Release);
        self.appended();
    }

    /// Has every later read but look-ups do the same.
    pub(super) fn appended(&self) {
        self.commits.fetch_add(1, Ordering::Release);
    }

    pub(super) fn clearing(&self) -> bool {
        self.clearing.load(Ordering::Acquire)
    }

    /// Has the readers let go of the log while `run` runs.
    pub(super) fn while_clearing<T>(&self, run: impl FnOnce() -> T) -> T {
        self.clearing.store(true, Ordering::Release);
        self.reads.wake_all();
        self.searches.wake_all();
        let outcome = run();
        self.clearing.store(false, Ordering::Release);
        outcome
    }

    pub(super) fn checkpoint_turn(&self) -> MutexGuard<'_, ()> {
        self.checkpointing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the turn for a checkpoint; `None` while somebody else is at it.
    pub(super) fn checkpoint_turn_now(&self) -> Option<MutexGuard<'_, ()>> {
        match self.checkpointing.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
