//! The record of what the database has done so far.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! statistics {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The work of a [`Database`](super::Database) since it was opened. All but `largest_batch` and `wal_pages`
        /// only grow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct Statistics {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: Counter,)*
        }

        impl Counters {
            pub(super) fn statistics(&self) -> Statistics {
                Statistics { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

statistics! {
    /// Groups that were committed.
    commits,
    /// Commits that ended before all jobs of their group had run, because these took long.
    cut_batches,
    /// Times that the writer found the file locked by another process, and tried again.
    lock_waits,
    /// Write jobs that were committed.
    writes,
    /// Write jobs that were undone: they returned an error, panicked, or their group could not be committed.
    failed_writes,
    /// Microseconds for which write jobs have held the writer, without its commits.
    write_micros,
    /// Jobs given to `write_behind` that were undone: nobody else hears of them.
    failed_behind,
    /// The most jobs that one commit has joined.
    largest_batch,
    /// Read jobs that ran.
    reads,
    /// Statements of the application that ran, in jobs of all kinds.
    statements,
    /// Streams that were walked.
    streams,
    /// Snapshots that readers took.
    snapshots,
    /// Snapshots that readers ended because they had nothing to do.
    idle_releases,
    /// Jobs that were refused because a queue was full.
    refused,
    /// Jobs that were refused because their tenant had as many waiting as it may.
    refused_to_tenants,
    /// Searches that ran, to their end or not.
    searches,
    /// Passive checkpoints.
    checkpoints,
    /// Times the log was made to start over because it had grown to its limit.
    wal_restarts,
    /// Times that failed because somebody else was reading from the log.
    failed_restarts,
    /// Pages in the log after the last commit.
    wal_pages,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(super) fn raise_to(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }
}
