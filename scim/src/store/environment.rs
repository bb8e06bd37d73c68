//! The clock, the source of identifiers and the pauses, injected so that tests are repeatable.

use std::fmt::{self, Debug, Formatter};
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::timer::{ThreadTimer, Timer};
use crate::value::DateTime;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time now.
    fn now(&self) -> DateTime;
}

/// Makes identifiers that nobody has made before.
pub trait IdSource: Send + Sync + 'static {
    /// Makes a new identifier: never empty, never given twice, never containing `bulkId` (RFC 7643 section 3.1).
    fn next_id(&self) -> String;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        DateTime::from_unix_micros(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
    }
}

/// UUIDs of version 7 (RFC 9562): no coordination, and later ones sort behind earlier ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrderedIds;

impl IdSource for TimeOrderedIds {
    fn next_id(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }
}

/// Lets time pass before a write is tried again.
pub trait Pauses: Send + Sync + 'static {
    /// Pauses after a conflict; `attempt` counts the pauses from 0. Writers that met once must not meet again: the
    /// length of a pause is left to chance.
    fn pause(&self, attempt: u32) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Pauses of up to two milliseconds after the first conflict, and up to twice as long after each that follows. They
/// need no runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomPauses;

/// The longest pause after the first conflict.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

impl Pauses for RandomPauses {
    fn pause(&self, attempt: u32) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let longest = FIRST_PAUSE.saturating_mul(1 << attempt.min(6));
        let chance = RandomState::new().hash_one(attempt);
        let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        let length = Duration::from_micros(chance % micros.max(1));
        ThreadTimer.sleep(length)
    }
}

/// The source from which stores and the writes that they carry out get time, identifiers and pauses.
///
/// ```
/// use std::sync::Arc;
///
/// use scim::store::{Environment, Memory, SystemClock};
///
/// let mut environment = Environment::default();
/// environment.clock = Arc::new(SystemClock);
/// let store = Memory::new().environment(environment);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of identifiers.
    pub ids: Arc<dyn IdSource>,
    /// The pauses between the tries of a write.
    pub pauses: Arc<dyn Pauses>,
}

impl Environment {
    /// Returns the environment with the clock of the system, UUIDs of version 7, pauses left to chance.
    #[must_use]
    pub fn of_the_system() -> &'static Self {
        static SYSTEM: OnceLock<Environment> = OnceLock::new();
        SYSTEM.get_or_init(Self::default)
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeOrderedIds),
            pauses: Arc::new(RandomPauses),
        }
    }
}

impl Debug for Environment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
