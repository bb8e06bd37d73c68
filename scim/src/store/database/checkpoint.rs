//! The thread that moves pages from the log to the file, so that no commit has to wait for it.

use super::connection::Connection;
use super::queue::Taken;
use super::shared::Shared;

pub(super) fn run(connection: &Connection, shared: &Shared) {
    let mut seen = 0;
    loop {
        // If the disk had no room, nobody may come to find out that it has: it is tried now and then.
        let patience = shared.disk.trouble().map(|_| shared.options.disk_retry);
        match shared.checkpoints.take(&mut seen, patience) {
            Taken::Closed => return,
            Taken::Idle => {
                shared.disk.try_room();
                continue;
            }
            Taken::Item(..) => {}
        }
        let _turn = shared.checkpoint_turn();
        // Whatever fails here is tried again with the next commits; the log keeps everything until then.
        if connection.checkpoint().is_ok() {
            shared.counters.checkpoints.add(1);
        }
    }
}
