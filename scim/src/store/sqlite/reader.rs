//! The threads that answer reads. Each holds its snapshot from job to job, because taking one costs more than a point
//! read, and takes a new one when something was committed, when it gets old, and when the log should start over.

use std::time::Instant;

use super::connection::{Connection, Control};
use super::queue::Taken;
use super::shared::Shared;
use super::statements;

/// Runs until the queue is closed and drained.
pub(super) fn run(connection: &Connection, shared: &Shared) {
    let Ok(mut snapshot) = Snapshot::new(connection, shared) else {
        return shared.reads.abandon();
    };
    let reader = statements::Reader::new(connection);
    let mut seen = 0;
    loop {
        let patience = snapshot.taken.as_ref().map(|_| shared.options.snapshot_idle);
        match shared.reads.take(&mut seen, patience) {
            Taken::Closed => return,
            Taken::Idle => {
                snapshot.end();
                shared.counters.idle_releases.add(1);
            }
            Taken::Item(job) => {
                snapshot.renew_if_stale();
                job(&reader);
                shared.counters.reads.add(1);
                if shared.clearing() {
                    snapshot.end();
                }
            }
        }
    }
}

/// The read transaction of a connection.
struct Snapshot<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    begin: Control<'a>,
    end: Control<'a>,
    /// Generation and time at which the snapshot was taken, or before.
    taken: Option<(u64, Instant)>,
}

impl<'a> Snapshot<'a> {
    fn new(connection: &'a Connection, shared: &'a Shared) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            shared,
            begin: connection.prepare_control("BEGIN")?,
            end: connection.prepare_control("COMMIT")?,
            taken: None,
        })
    }

    fn renew_if_stale(&mut self) {
        // Read before the snapshot is taken: a commit in between costs a renewal, and is never missed.
        let generation = self.shared.generation();
        let now = Instant::now();
        let fresh = self.connection.in_transaction()
            && self.taken.is_some_and(|(at, since)| {
                at == generation && now.duration_since(since) < self.shared.options.snapshot_age
            });
        if fresh {
            return;
        }
        self.end();
        // If this fails, so will the statements of the job, which say why to somebody who listens. Without the
        // transaction each of them would see a state of its own, so that is remembered as "no snapshot".
        if self.begin.run().is_ok() {
            self.taken = Some((generation, now));
            self.shared.counters.snapshots.add(1);
        }
    }

    fn end(&mut self) {
        self.taken = None;
        if self.connection.in_transaction() {
            _ = self.end.run();
        }
    }
}
