//! What the threads of one database share.

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
    /// Tells the caller; `group` says whether the commit succeeded.
    fn answer(self: Box<Self>, group: Result<(), &GroupFailure>);
}

/// What a write has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// Its changes are kept.
    Kept,
    /// Its changes are undone: it failed.
    Undone,
    /// The same, and it was the disk that failed.
    Hindered(Trouble),
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
    generation: AtomicU64,
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
            generation: AtomicU64::new(0),
            clearing: AtomicBool::new(false),
            checkpointing: Mutex::new(()),
            options,
        }
    }

    /// Refuses new jobs. What may take long ends; the threads end when they have done the other jobs that wait.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.searches.close();
        self.writes.close();
        self.reads.close();
        self.streams.close();
        self.checkpoints.close();
    }

    /// A snapshot that was taken after this returned `n` shows every commit up to the `n`th.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Has every later read take a snapshot of its own time: something was committed, or is to be seen.
    pub(super) fn committed(&self) {
        self.generation.fetch_add(1, Ordering::Release);
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

    /// `None` while somebody else is at it.
    pub(super) fn checkpoint_turn_now(&self) -> Option<MutexGuard<'_, ()>> {
        match self.checkpointing.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
