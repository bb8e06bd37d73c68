//! The connections that answer reads. Each holds its snapshot from job to job, because taking one costs more than a point
//! read, and takes a new one when something was committed that the job has to see, when it gets old, and when the log
//! should start over.
//!
//! A connection has a thread, which serves the queue and ends snapshots that nobody uses. Whoever wants to look up a row or
//! two may borrow a connection that is free and spare the two changes of threads; they cost more than the look-up.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use super::connection::Connection;
use super::queue::{Queue, Taken};
use super::shared::{Generation, SearchJob, Sees, Shared};
use super::statements::Reader;

/// A connection and its snapshot. Empty when its thread has ended.
pub(super) struct Desk(Mutex<Option<Clerk>>);

impl Desk {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Mutex::new(Some(Clerk {
            connection,
            taken: None,
            used: Instant::now(),
        })))
    }

    /// Jobs do not panic through this lock, and a snapshot is checked before it is used: poison says nothing.
    fn lock(&self) -> MutexGuard<'_, Option<Clerk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a look-up here and now if the connection is free; gives it back if not.
    pub(super) fn serve_now<T, J: FnOnce(&Reader<'_>) -> T>(&self, shared: &Shared, job: J) -> Result<T, J> {
        let mut desk = match self.0.try_lock() {
            Ok(desk) => desk,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(job),
        };
        let Some(clerk) = desk.as_mut() else {
            return Err(job);
        };
        let held = clerk.taken.is_some();
        let answer = clerk.serve(shared, Sees::LookedUp, job);
        if !held && clerk.taken.is_some() {
            // The thread waits without end while there is no snapshot that it would have to end.
            shared.reads.wake_all();
        }
        Ok(answer)
    }
}

/// Serves the queue of brief reads until it is closed and drained.
pub(super) fn run(desk: &Desk, shared: &Shared) {
    serve(desk, shared, &shared.reads, |clerk, job| {
        clerk.serve(shared, Sees::Everything, job);
    });
}

/// Serves the queue of searches until it is closed and drained.
pub(super) fn search(desk: &Desk, shared: &Shared) {
    serve(
        desk,
        shared,
        &shared.searches,
        |clerk, SearchJob { task, job }| {
            if !task.is_dropped() {
                clerk.serve(shared, Sees::Everything, |reader| {
                    reader.meter().run(&task, || job(reader));
                });
                shared.counters.searches.add(1);
            }
        },
    );
}

fn serve<J>(desk: &Desk, shared: &Shared, queue: &Queue<J>, mut run: impl FnMut(&mut Clerk, J)) {
    let mut seen = 0;
    loop {
        let patience = desk
            .lock()
            .as_ref()
            .and_then(|clerk| clerk.taken)
            .map(|_| shared.options.snapshot_idle);
        match queue.take(&mut seen, patience) {
            Taken::Closed => {
                drop(desk.lock().take());
                return;
            }
            Taken::Idle => {
                if let Some(clerk) = desk.lock().as_mut() {
                    clerk.end_if_idle(shared);
                }
            }
            Taken::Item(label, job) => {
                if let Some(clerk) = desk.lock().as_mut() {
                    run(clerk, job);
                }
                queue.done(label);
            }
        }
    }
}

struct Clerk {
    connection: Connection,
    /// Generation and time at which the snapshot was taken, or before.
    taken: Option<(Generation, Instant)>,
    /// When the last job was begun.
    used: Instant,
}

impl Clerk {
    fn serve<T>(&mut self, shared: &Shared, sees: Sees, job: impl FnOnce(&Reader<'_>) -> T) -> T {
        self.used = Instant::now();
        self.renew_if_stale(shared, sees);
        let answer = job(&Reader::new(&self.connection));
        shared.counters.reads.add(1);
        if shared.clearing() {
            self.end();
        }
        answer
    }

    fn renew_if_stale(&mut self, shared: &Shared, sees: Sees) {
        // Read before the snapshot is taken: a commit in between costs a renewal, and is never missed.
        let generation = shared.generation();
        let now = self.used;
        let fresh = self.connection.in_transaction()
            && self.taken.is_some_and(|(at, since)| {
                at.shows(generation, sees) && now.duration_since(since) < shared.options.snapshot_age
            });
        if fresh {
            return;
        }
        self.end();
        // If this fails, so will the statements of the job, which say why to somebody who listens. Without the
        // transaction each of them would see a state of its own, so that is remembered as "no snapshot".
        if self.connection.control("BEGIN").is_ok() {
            self.taken = Some((generation, now));
            shared.counters.snapshots.add(1);
        }
    }

    fn end_if_idle(&mut self, shared: &Shared) {
        let idle = self.used.elapsed() >= shared.options.snapshot_idle;
        if self.taken.is_some() && (idle || shared.clearing()) {
            self.end();
            shared.counters.idle_releases.add(1);
        }
    }

    fn end(&mut self) {
        self.taken = None;
        if self.connection.in_transaction() {
            _ = self.connection.control("COMMIT");
        }
    }
}
