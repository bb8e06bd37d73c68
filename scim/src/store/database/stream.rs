//! Long answers: a job on a thread of its own walks rows under one snapshot and sends bytes as the receiver takes them.

use std::any::Any;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::Frame;

use super::connection::Connection;
use super::failure::{failed, guarded, unanswered};
use super::statements::Reader;
use crate::{Error, Result};

/// Chunks that may wait for the receiver; the job waits beyond.
const CAPACITY: usize = 4;

/// A walk that waits for a thread, with where its chunks go.
pub(super) struct StreamJob {
    /// `None` once it runs.
    job: Option<Walk>,
    channel: Arc<Channel>,
}

type Walk = Box<dyn FnOnce(&Reader<'_>, &mut Sender) -> Result<()> + Send>;

impl StreamJob {
    /// `alive` keeps the database open for as long as somebody listens.
    pub(super) fn new(job: Walk, alive: Arc<dyn Any + Send + Sync>) -> (Self, Stream) {
        let channel = Arc::new(Channel::default());
        let stream = Stream {
            channel: Arc::clone(&channel),
            _alive: alive,
        };
        let job = Some(job);
        (Self { job, channel }, stream)
    }
}

impl StreamJob {
    /// Walks under a snapshot of its own, unless nobody listens any more. Returns whether it did.
    pub(super) fn run(mut self, connection: &Connection, limit: Duration) -> bool {
        let channel = Arc::clone(&self.channel);
        if channel.lock().receiver_gone {
            return false;
        }
        let Some(job) = self.job.take() else {
            return false;
        };
        let mut sender = Sender {
            channel: Arc::clone(&channel),
            limit,
            deadline: Instant::now() + limit,
        };
        let outcome = connection
            .control("BEGIN")
            .map_err(failed)
            .and_then(|()| guarded(|| job(&Reader::new(connection), &mut sender)));
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
    /// A job that is dropped unrun must not leave its receiver waiting.
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

    fn send(&self, chunk: Bytes, deadline: Instant) -> Result<()> {
        let mut state = self.lock();
        loop {
            if state.receiver_gone {
                return Err(Error::internal("the receiver of the stream is gone"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::internal("the receiver of the stream took too long"));
            }
            if state.chunks.len() < CAPACITY {
                break;
            }
            (state, _) = self
                .taken
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.chunks.push_back(chunk);
        wake(state);
        Ok(())
    }

    /// The first end counts.
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

    /// Nothing has been sent, and this reason replaces that of the dropped job.
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

/// The waker is code of an executor: it runs without the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Where a stream job puts its bytes.
pub struct Sender {
    channel: Arc<Channel>,
    limit: Duration,
    deadline: Instant,
}

impl Sender {
    /// Sends a chunk, and waits while the receiver has enough. Make chunks of some ten KiB; empty ones are skipped.
    ///
    /// # Errors
    /// The receiver is gone, or the stream has taken longer than
    /// [`Options::stream_limit`](super::Options::stream_limit) since it began or was [renewed](Self::renew): pass the
    /// error on and let the job end.
    pub fn send(&mut self, chunk: impl Into<Bytes>) -> Result<()> {
        let chunk = chunk.into();
        if chunk.is_empty() {
            return Ok(());
        }
        self.channel.send(chunk, self.deadline)
    }

    /// Has the limit count anew, for a walk that may last for as long as its receiver takes what is sent. The log cannot
    /// be reset meanwhile.
    pub fn renew(&mut self) {
        self.deadline = Instant::now() + self.limit;
    }
}

/// The chunks of a stream job, in order. Dropping it ends the job. It is an [`http_body::Body`].
///
/// It counts as a clone of the [`Database`](super::Database): the database stays open until the last stream is dropped.
#[must_use = "the job ends when its stream is dropped"]
pub struct Stream {
    channel: Arc<Channel>,
    _alive: Arc<dyn Any + Send + Sync>,
}

impl Stream {
    /// The next chunk; an error if the job failed; `None` when it has ended well, or after an error.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// [`Stream::next`] for those who poll.
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
