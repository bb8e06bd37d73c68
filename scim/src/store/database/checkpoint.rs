//! The thread that moves pages from the log to the file, so that no commit has to wait for it.

use super::connection::Connection;
use super::queue::Taken;
use super::shared::Shared;

pub(super) fn run(connection: &Connection, shared: &Shared) {
    let mut seen = 0;
    while shared.checkpoints.take(&mut seen, None) != Taken::Closed {
        let _turn = shared.checkpoint_turn();
        // Whatever fails here is tried again with the next commits; the log keeps everything until then.
        if connection.checkpoint().is_ok() {
            shared.counters.checkpoints.add(1);
        }
    }
}
