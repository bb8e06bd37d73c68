//! The clock and the source of identifiers, injected so that tests are repeatable.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::value::DateTime;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> DateTime;
}

/// Makes identifiers that nobody has made before.
pub trait IdSource: Send + Sync + 'static {
    /// A new identifier: never empty, never given twice, never containing `bulkId` (RFC 7643 section 3.1).
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

/// Where a store gets time and identifiers from.
#[derive(Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of identifiers.
    pub ids: Arc<dyn IdSource>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeOrderedIds),
        }
    }
}

impl Debug for Environment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
