//! The transaction seam: an application's own statements inside a write of the store.

use crate::Result;
use crate::schema::ResourceType;
use crate::store::Happened;
use crate::store::sqlite::Transaction;

/// Joins the writes of a [`Sqlite`](super::Sqlite) store with statements of the application: an outbox, a history,
/// counters. Registered with [`Builder::joined`](super::Builder::joined).
pub trait Joined<C>: Send + Sync + 'static {
    /// Called inside the transaction of every create, replace, PATCH and delete that changed something, after the
    /// store's own statements. It runs on the writer's thread: keep it short.
    ///
    /// Where a deleted resource leaves edges of others, those are told of as [`Happened::Changed`], one by one.
    ///
    /// # Errors
    /// An error undoes the write, and is what the client is told.
    fn written(
        &self,
        tx: &Transaction<'_>,
        cx: &C,
        resource_type: &'static ResourceType,
        id: &str,
        happened: &Happened<'_>,
    ) -> Result<()>;
}
