//! Long answers: a job on a thread of its own walks rows under one snapshot and sends bytes as the receiver takes them.

use std::any::Any;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::Frame;

use super::connection::Connection;
use super::failure::{failed, guarded, unanswered};
use super::meter::{Awaited, Task};
use super::options::Options;
use super::statements::Reader;
use crate::{Error, Result};

/// Chunks that may wait for the receiver; the job waits beyond.
const CAPACITY: usize = 4;

/// A walk that waits for a thread, with where its chunks go.
pub(super) struct StreamJob {
    /// `None` once it runs.
    job: Option<Walk>,
    task: Task,
    channel: Arc<Channel>,
}

type Walk = Box<dyn FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send>;

impl StreamJob {
    /// Makes the job and its stream. `alive` keeps the database open for as long as somebody listens.
    pub(super) fn new(job: Walk, task: Task, alive: Arc<dyn Any + Send + Sync>) -> (Self, Stream) {
        let channel = Arc::new(Channel::default());
        let stream = Stream {
            channel: Arc::clone(&channel),
            _awaited: Awaited(Arc::clone(&task.is_dropped)),
            _alive: alive,
        };
        let job = Some(job);
        (Self { job, task, channel }, stream)
    }
}

impl StreamJob {
    /// Walks under a snapshot of its own, unless nobody listens any more. Returns whether it did.
    pub(super) fn run(
        mut self,
        connection: &Connection,
        options: &Options,
        log_is_long: &Arc<AtomicBool>,
    ) -> bool {
        let channel = Arc::clone(&self.channel);
        if channel.lock().receiver_gone {
            return false;
        }
        let Some(job) = self.job.take() else {
            return false;
        };
        let mut sender = Sender {
            channel: Arc::clone(&channel),
            task: self.task.clone(),
            log_is_long: Arc::clone(log_is_long),
            limit: options.stream_limit,
            since: Instant::now(),
            allowance: Some(Allowance::new(options)),
        };
        let outcome = connection.control("BEGIN").map_err(failed).and_then(|()| {
            let walk = || {
                guarded(|| {
                    // It may have waited until it is not to begin at all.
                    self.task.charge(0)?;
                    job(&Reader::new(connection), &mut sender)
                })
            };
            connection.meter().run(&self.task, walk)
        });
        if connection.in_transaction() {
            _ = connection.control("COMMIT");
        }
        channel.finish(outcome);
        true
    }
}

impl Stream {
    /// Ends the stream before its job ran.
    pub(super) fn refuse(&self, error: Error) {
        self.channel.refuse(error);
    }
}

impl Drop for StreamJob {
    /// Ends the stream: a job that is dropped unrun must not leave its receiver waiting.
    fn drop(&mut self) {
        self.channel.finish(Err(unanswered()));
    }
}

#[derive(Default)]
struct Channel {
    state: Mutex<State>,
    taken: Condvar,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Bytes>,
    end: End,
    receiver_gone: bool,
    waker: Option<Waker>,
}

#[derive(Default)]
enum End {
    #[default]
    Open,
    Failed(Error),
    Ended,
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a chunk in, if there is room; gives it back if not.
    fn put(&self, chunk: Bytes) -> Result<Option<Bytes>> {
        let mut state = self.lock();
        if state.receiver_gone {
            return Err(Error::internal("the receiver of the stream is gone"));
        }
        if state.chunks.len() >= CAPACITY {
            return Ok(Some(chunk));
        }
        state.chunks.push_back(chunk);
        wake(state);
        Ok(None)
    }

    /// Waits until there is room or the receiver is gone, and not for long.
    fn wait(&self, most: Duration) {
        let state = self.lock();
        if !state.receiver_gone && state.chunks.len() >= CAPACITY {
            _ = self.taken.wait_timeout(state, most);
        }
    }

    /// Ends the stream; the first end counts.
    fn finish(&self, outcome: Result<()>) {
        let mut state = self.lock();
        if matches!(state.end, End::Open) {
            state.end = match outcome {
                Ok(()) => End::Ended,
                Err(error) => End::Failed(error),
            };
            wake(state);
        }
    }

    /// Refuses the stream: nothing has been sent, and this reason replaces that of the dropped job.
    fn refuse(&self, error: Error) {
        self.lock().end = End::Failed(error);
    }

    fn receiver_gone(&self) {
        let mut state = self.lock();
        state.receiver_gone = true;
        let chunks = std::mem::take(&mut state.chunks);
        drop(state);
        drop(chunks);
        self.taken.notify_all();
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let mut state = self.lock();
        if let Some(chunk) = state.chunks.pop_front() {
            drop(state);
            self.taken.notify_all();
            return Poll::Ready(Some(Ok(chunk)));
        }
        match std::mem::take(&mut state.end) {
            End::Open => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
            End::Failed(error) => {
                state.end = End::Ended;
                Poll::Ready(Some(Err(error)))
            }
            End::Ended => {
                state.end = End::Ended;
                Poll::Ready(None)
            }
        }
    }
}

/// Wakes the receiver. The waker is code of an executor: it runs without the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The longest wait before it is looked around whether the stream is to end, or the snapshot.
const LOOK_AROUND: Duration = Duration::from_millis(50);

/// How long the log waits for a stream that is sent without a stop.
const LONG_SNAPSHOT: Duration = Duration::from_secs(1);

/// How long a receiver may keep a stream waiting: for a while, and longer the more it has taken. One that takes nothing, or
/// very little for long, ends the stream.
struct Allowance {
    patience: Duration,
    bytes_a_second: u64,
    taken: u64,
    waited: Duration,
}

impl Allowance {
    fn new(options: &Options) -> Self {
        Self {
            patience: options.stream_patience,
            bytes_a_second: u64::try_from(options.stream_rate).unwrap_or(u64::MAX).max(1),
            taken: 0,
            waited: Duration::ZERO,
        }
    }

    /// Returns how much longer it may wait.
    fn left(&self) -> Duration {
        let earned = Duration::from_millis(self.taken.saturating_mul(1_000) / self.bytes_a_second);
        self.patience.saturating_add(earned).saturating_sub(self.waited)
    }
}

/// The place where a stream job puts its bytes.
pub struct Sender {
    channel: Arc<Channel>,
    task: Task,
    /// Set while the log wants to start over, and snapshots keep it from that.
    log_is_long: Arc<AtomicBool>,
    limit: Duration,
    /// When the snapshot was taken, or the limit renewed.
    since: Instant,
    /// `None` for a job that renews the limit: its receiver may take its time.
    allowance: Option<Allowance>,
}

impl Sender {
    /// Sends a chunk, and waits while the receiver has enough. Make chunks of some ten KiB; empty ones are skipped.
    ///
    /// # Errors
    /// The receiver is gone, or takes less than [`Options::stream_rate`](super::Options::stream_rate); the stream has taken
    /// longer than [`Options::stream_limit`](super::Options::stream_limit) since it began or was [renewed](Self::renew);
    /// or the database is closed: pass the error on and let the job end.
    pub fn send(&mut self, chunk: impl Into<Bytes>) -> Result<()> {
        self.send_while(chunk.into(), &mut |_| Ok(()))
    }

    /// Sends a chunk where no statement is under way. If the log is to start over, which the snapshot of this stream keeps
    /// it from, that ends, and another begins: says whether it did. A stream whose receiver keeps up is spared that, because
    /// under another snapshot it may find something else.
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub(in crate::store) fn send_between(
        &mut self,
        reader: &Reader<'_>,
        chunk: impl Into<Bytes>,
    ) -> Result<bool> {
        let mut is_another = false;
        let outcome = self.send_while(chunk.into(), &mut |sender| {
            if !is_another && sender.log_is_long.load(Ordering::Relaxed) {
                reader.end_snapshot()?;
                is_another = true;
            }
            Ok(())
        });
        if is_another {
            reader.begin_snapshot()?;
            self.since = Instant::now();
        }
        outcome.map(|()| is_another)
    }

    fn send_while(&mut self, chunk: Bytes, look: &mut dyn FnMut(&Self) -> Result<()>) -> Result<()> {
        if chunk.is_empty() {
            return Ok(());
        }
        let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        let mut chunk = chunk;
        let begun = Instant::now();
        let is_old = begun.duration_since(self.since) >= LONG_SNAPSHOT;
        loop {
            self.task.charge(0)?;
            if is_old || begun.elapsed() >= LOOK_AROUND {
                look(self)?;
            }
            let left = self.limit.saturating_sub(self.since.elapsed());
            if left.is_zero() {
                return Err(Error::internal("the receiver of the stream took too long"));
            }
            match self.channel.put(chunk)? {
                None => break,
                Some(back) => chunk = back,
            }
            self.wait(left)?;
        }
        if let Some(allowance) = &mut self.allowance {
            allowance.taken = allowance.taken.saturating_add(length);
        }
        Ok(())
    }

    /// Waits for the receiver, for as long as it may keep us waiting.
    fn wait(&mut self, most: Duration) -> Result<()> {
        let left = self.allowance.as_ref().map_or(most, Allowance::left).min(most);
        if left.is_zero() {
            return Err(Error::internal(
                "the receiver of the stream takes too little of it",
            ));
        }
        let begun = Instant::now();
        self.channel.wait(left.min(LOOK_AROUND));
        if let Some(allowance) = &mut self.allowance {
            allowance.waited = allowance.waited.saturating_add(begun.elapsed());
        }
        Ok(())
    }

    /// Ends the search of which the stream sends the result. From now on it is bounded by what its receiver takes, and not by
    /// the budget of the search.
    pub(in crate::store) fn end_search(&mut self, reader: &Reader<'_>) {
        self.task = self.task.unbounded();
        reader.meter().charge_to(&self.task);
    }

    /// Has the limit count anew, for a walk that may last for as long as its receiver takes what is sent, at whatever rate.
    /// The log cannot be reset meanwhile.
    pub fn renew(&mut self) {
        self.allowance = None;
        self.since = Instant::now();
    }
}

/// The chunks of a stream job, in order. Dropping it ends the job. It is an [`http_body::Body`].
///
/// It counts as a clone of the [`Database`](super::Database): the database stays open until the last stream is dropped.
#[must_use = "the job ends when its stream is dropped"]
pub struct Stream {
    channel: Arc<Channel>,
    _awaited: Awaited,
    _alive: Arc<dyn Any + Send + Sync>,
}

impl Stream {
    /// Returns the next chunk; an error if the job failed; `None` when it has ended well, or after an error.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Polls for the next chunk: [`Stream::next`] for those who poll.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        self.channel.poll(context)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.channel.receiver_gone();
    }
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        self.poll_next(context)
            .map(|next| next.map(|chunk| chunk.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever takes at least the rate may go on for ever; whoever takes less ends it after a while, however little less.
    #[test]
    fn a_receiver_earns_time_with_what_it_takes() {
        let second = Duration::from_secs(1);
        let mut allowance = Allowance {
            patience: 10 * second,
            bytes_a_second: 1_000,
            taken: 0,
            waited: 9 * second,
        };
        assert_eq!(allowance.left(), second);
        for _ in 0..1_000 {
            allowance.taken += 1_000;
            allowance.waited += second;
            assert_eq!(allowance.left(), second, "at the rate itself, nothing is lost");
        }
        for _ in 0..10 {
            allowance.taken += 900;
            allowance.waited += second;
        }
        assert_eq!(allowance.left(), Duration::ZERO);
    }
}
