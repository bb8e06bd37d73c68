//! The threads that walk: each takes streams one by one, and their chunks go where somebody listens.

use super::connection::Connection;
use super::queue::Taken;
use super::shared::Shared;

/// Runs until the queue is closed and drained.
pub(super) fn run(connection: &Connection, shared: &Shared) {
    let mut seen = 0;
    while let Taken::Item(label, job) = shared.streams.take(&mut seen, None) {
        if job.run(connection, &shared.options, &shared.log_is_long) {
            shared.counters.streams.add(1);
        }
        shared.streams.done(label);
    }
}
