//! How a database is opened.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

/// The faults that an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A power cut: the log is on the disk before a write is answered (`synchronous=FULL`). Group commit makes this
    /// cost little more than [`Durability::Normal`].
    #[default]
    Full,
    /// A crash of the process. A power cut may take back the last writes, but never damages the file.
    Normal,
}

/// How a [`Database`](super::Database) is opened.
///
/// ```
/// use scim::store::database::{Durability, Options};
///
/// let options = Options { durability: Durability::Normal, ..Options::default() };
/// assert_eq!(options.batch, 256);
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that answer reads, each with its own connection; at least one. As many as there are cores, from 2 to 8.
    pub readers: usize,
    /// Threads that carry out searches ([`Database::search`](super::Database::search)), each with its own connection; at
    /// least one. Four more than there are readers.
    pub searches: usize,
    /// Searches of one tenant that may be at work at once; at least one. One less than there are readers, so that the
    /// searches of one tenant take neither all cores nor all of `searches`.
    pub tenant_searches: usize,
    /// Threads that walk long results for [`Database::stream`](super::Database::stream), each with its own
    /// connection; at least one. 8. Streams beyond these wait.
    pub streams: usize,
    /// Streams of one tenant that may be at work at once; at least one. 2.
    pub tenant_streams: usize,
    /// How long one stream may keep its snapshot, however slow its receiver is. 5 minutes.
    pub stream_limit: Duration,
    /// How long the receiver of a stream may keep it waiting in total, beside the time that `stream_rate` grants for what
    /// it has taken. 10 seconds.
    pub stream_patience: Duration,
    /// Bytes a second that the receiver of a stream must take while it keeps the stream waiting. 64 KiB.
    pub stream_rate: usize,
    /// The faults that an acknowledged write survives.
    pub durability: Durability,
    /// Jobs that may wait for the writer, for the readers, for the searches and for the streams, each: so many of the
    /// application, and so many of all tenants together. Beyond, callers get a 503. 4,096.
    pub queue: usize,
    /// The same for the jobs of one [tenant](super::Share), which gets a 429 beyond. 1,024.
    pub tenant_queue: usize,
    /// Jobs that one commit may join. 256.
    pub batch: usize,
    /// How long the jobs of one commit may take together: what remains gets the next commit, with the jobs that have come
    /// meanwhile, and other processes get a chance to write in between. 50 ms.
    pub batch_time: Duration,
    /// Page cache of the writer in bytes; each reader has a quarter of it, and each thread for searches a sixteenth. 16 MiB.
    pub cache_bytes: usize,
    /// Bytes of the file that each connection maps into memory. None: reading from the system's own cache was measured to
    /// be as fast, and what is mapped counts as memory of the process, once for each connection.
    pub mmap_bytes: usize,
    /// How large the write-ahead log may grow before the readers are asked to let go of it. 32 MiB.
    pub wal_bytes: usize,
    /// How long a write waits for another process that is writing before it is answered with 503. 5 seconds.
    pub busy_timeout: Duration,
    /// How long a job may be at work on the writer's thread before the database counts as
    /// [stuck](super::Health::Stuck). 10 seconds.
    pub stuck_after: Duration,
    /// How long after a write that found no room on the disk it may be repeated (the `Retry-After` of its error), and how
    /// often it is tried whether there is room again. 10 seconds.
    pub disk_retry: Duration,
    /// How old a held snapshot may get. Commits of other processes are seen after this time at the latest; those of
    /// this process are always seen at once. 500 ms.
    pub snapshot_age: Duration,
    /// How long a reader without work keeps its snapshot. 50 ms.
    pub snapshot_idle: Duration,
    /// Whether debug builds refuse statements of the application that PostgreSQL would not take too, or that keep a
    /// database from being shared by several servers: for applications that are to run on either. They do not.
    pub portable: bool,
}

impl Default for Options {
    fn default() -> Self {
        let readers = available_parallelism().map_or(2, NonZeroUsize::get).clamp(2, 8);
        Self {
            readers,
            searches: readers + 4,
            tenant_searches: readers - 1,
            streams: 8,
            tenant_streams: 2,
            stream_limit: Duration::from_secs(300),
            stream_patience: Duration::from_secs(10),
            stream_rate: 64 << 10,
            durability: Durability::Full,
            queue: 4096,
            tenant_queue: 1024,
            batch: 256,
            batch_time: Duration::from_millis(50),
            cache_bytes: 16 << 20,
            mmap_bytes: 0,
            wal_bytes: 32 << 20,
            busy_timeout: Duration::from_secs(5),
            stuck_after: Duration::from_secs(10),
            disk_retry: Duration::from_secs(10),
            snapshot_age: Duration::from_millis(500),
            snapshot_idle: Duration::from_millis(50),
            portable: false,
        }
    }
}
