//! Whether a database can do its work, as it shows while it works.

use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whether a [`Database`](super::Database) can do its work: see [`Database::health`](super::Database::health).
///
/// It is displayed as a sentence for the operator.
///
/// ```
/// use scim::store::database::{Database, Health, Options};
///
/// # fn main() -> scim::Result<()> {
/// let database = Database::in_memory(Options::default())?;
/// assert_eq!(database.health(), Health::Good);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It reads and writes.
    Good,
    /// The disk had no room for a write. Writes are tried nevertheless, and answered with 507 where there is still no
    /// room; the state ends with the first that succeeds, or when a trial finds room, which is made every
    /// [`Options::disk_retry`](super::Options::disk_retry).
    DiskFull,
    /// The disk could not carry out a write, for another reason than want of room. It ends as [`Health::DiskFull`] does;
    /// writes that fail are answered with 503.
    DiskFails,
    /// A job has been at work on the writer's thread for so long, which is longer than
    /// [`Options::stuck_after`](super::Options::stuck_after): all other writes wait for it.
    Stuck(Duration),
    /// The file, or its write-ahead log, was removed or replaced. Writes are answered with 503 until the same file is back;
    /// reads still see the file as it was.
    FileGone,
}

impl Display for Health {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("The database reads and writes."),
            Self::DiskFull => f.write_str(
                "The disk of the database is full: writes are refused with 507. They succeed again as soon as there is room.",
            ),
            Self::DiskFails => f.write_str(
                "The disk of the database does not carry out writes: they are refused with 503. Look into the log of the \
                 operating system.",
            ),
            Self::Stuck(time) => write!(
                f,
                "A write has been at work for {} seconds, and all others wait for it.",
                time.as_secs()
            ),
            Self::FileGone => f.write_str(
                "The file of the database was removed or replaced: writes are refused with 503. Put the same file back, or \
                 start the program again.",
            ),
        }
    }
}

/// Since when the writer's thread has been at the same job.
pub(super) struct Pulse {
    born: Instant,
    /// Milliseconds after that, and one more; 0 while there is nothing to do.
    beat: AtomicU64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            born: Instant::now(),
            beat: AtomicU64::new(0),
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.born).as_millis();
        u64::try_from(passed).unwrap_or(u64::MAX)
    }

    /// Notes that the next step of the work begins.
    pub(super) fn beat(&self, now: Instant) {
        self.beat
            .store(self.millis(now).saturating_add(1), Ordering::Relaxed);
    }

    /// Notes that there is nothing to do.
    pub(super) fn rest(&self) {
        self.beat.store(0, Ordering::Relaxed);
    }

    /// Returns how long the step that is under way has lasted.
    pub(super) fn at_work(&self) -> Option<Duration> {
        let since = self.beat.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_millis(
            self.millis(Instant::now()).saturating_sub(since),
        ))
    }
}
