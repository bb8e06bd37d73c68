//! Writes behind: rows of reads and refusals, counts and last uses, in batches, within a second, in bounded memory.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use scim::value::Fired;
use tokio::sync::Notify;
use uuid::Uuid;

use super::bodies::{Room, SentBody};
use crate::database::Product;
use crate::domain::activity::Requests;
use crate::domain::batch::{Batch, Outcome, RequestBody, ToleranceUse, Use};
use crate::domain::clock::hour;
use crate::domain::fault::Result;
use crate::domain::request_row::RequestRow;

/// How long a row waits at most for others to share its transaction.
const LINGER: Duration = Duration::from_millis(200);

/// Gathers what need not be written before the answer. Recording never waits and never fails.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    batch: Mutex<Batch>,
    filled: Notify,
    /// Rows that found no place since the process began.
    overflow: AtomicU64,
    room: Arc<Room>,
    /// Held while a batch is being written, so that batches are written in their order.
    writing: tokio::sync::Mutex<()>,
}

impl Recorder {
    /// Records a request that changed nothing, and its body, if that is to be kept.
    pub(crate) fn record(&self, row: RequestRow, body: Option<String>) {
        let body = body.map(|text| RequestBody {
            organization: row.organization,
            sequence: row.sequence,
            text,
        });
        let row = row.bounded();
        let mut batch = self.batch();
        let lost = batch.add_row(row);
        if let Some(body) = body.filter(|_| lost == 0) {
            batch.add_body(body);
        }
        drop(batch);
        self.overflow.fetch_add(lost, Ordering::Relaxed);
        self.filled.notify_one();
    }

    /// Records the body of a request whose row is there already.
    pub(crate) fn record_body(&self, body: RequestBody) {
        self.batch().add_body(body);
        self.filled.notify_one();
    }

    /// Counts the tolerances that a request needed.
    pub(crate) fn count_tolerances(&self, organization: Uuid, at: Timestamp, fired: &[Fired]) {
        if fired.is_empty() {
            return;
        }
        let mut batch = self.batch();
        for fired in fired {
            let of = ToleranceUse {
                organization,
                hour: hour(at),
                tolerance: fired.tolerance,
                subject: fired.subject.clone(),
            };
            batch.add_tolerance(of, 1);
        }
    }

    /// Records what a request tells of conflicts.
    pub(crate) fn record_outcome(&self, outcome: Outcome) {
        self.batch().add_outcome(outcome);
        self.filled.notify_one();
    }

    /// Begins to remember the body of a request.
    pub(crate) fn begin_body(&self) -> SentBody {
        SentBody::new(Arc::clone(&self.room))
    }

    /// Returns how many requests were counted and not kept since the process began.
    pub(crate) fn overflow(&self) -> u64 {
        self.overflow.load(Ordering::Relaxed)
    }

    /// Counts a request that cannot be attributed to a token.
    pub(crate) fn count_unattributed(&self, organization: Uuid) {
        self.batch().counts.entry(organization).or_default().unattributed += 1;
        self.filled.notify_one();
    }

    /// Counts a request of the identity provider that was answered with a status.
    pub(crate) fn count_request(&self, organization: Uuid, at: Timestamp, status: u16) {
        let mut batch = self.batch();
        let counted = batch.activity.entry((organization, hour(at))).or_default();
        counted.add(&Requests::one(status));
        drop(batch);
        self.filled.notify_one();
    }

    /// Notes that a token was used.
    pub(crate) fn used(&self, token: Uuid, used: Use) {
        self.batch().uses.insert(token, used);
        self.filled.notify_one();
    }

    /// Writes batches for as long as the server runs. A batch that cannot be written is tried again.
    pub(crate) async fn run(self: Arc<Self>, product: Arc<Product>) {
        loop {
            self.filled.notified().await;
            tokio::time::sleep(LINGER).await;
            if let Err(fault) = self.flush(&product).await {
                tracing::error!("The API history could not be written: {}", fault.with_causes());
                tokio::time::sleep(LINGER).await;
                self.filled.notify_one();
            }
        }
    }

    /// Writes what waits. When it returns without an error, everything recorded before the call is on disk.
    pub(crate) async fn flush(&self, product: &Product) -> Result<()> {
        let _in_order = self.writing.lock().await;
        let batch = mem::take(&mut *self.batch());
        if batch.is_empty() {
            return Ok(());
        }
        let batch = Arc::new(batch);
        let written = product.append_history(Arc::clone(&batch)).await;
        if written.is_err() {
            let batch = Arc::try_unwrap(batch).unwrap_or_else(|shared| (*shared).clone());
            let lost = self.batch().take_back(batch);
            self.overflow.fetch_add(lost, Ordering::Relaxed);
        }
        written
    }

    fn batch(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
