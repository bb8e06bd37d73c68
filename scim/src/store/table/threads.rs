//! Threads for drivers that block.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::error::{Error, Result};

type Job = Box<dyn FnOnce() + Send>;

/// Threads that carry out jobs, one after the other each. They end when the last owner is gone.
pub(super) struct Threads(mpsc::Sender<Job>);

impl Threads {
    /// Starts threads; at least one. If no thread can be had, jobs fail.
    pub(super) fn start(count: usize) -> Self {
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..count.max(1) {
            let jobs = Arc::clone(&jobs);
            let name = "scim-table".to_owned();
            // Fewer threads serve as well, but slower.
            _ = thread::Builder::new().name(name).spawn(move || work(&jobs));
        }
        Self(sender)
    }

    /// Has a thread drive a future to its end, also if nobody waits for it any more.
    pub(super) async fn run<V, F>(&self, make: impl FnOnce() -> F + Send + 'static) -> Result<V>
    where
        V: Send + 'static,
        F: Future<Output = Result<V>>,
    {
        let result = Arc::new(Mutex::new(Slot::Waiting(None)));
        let answer = Answer(Arc::clone(&result));
        let job: Job = Box::new(move || answer.give(block_on(make())));
        self.0
            .send(job)
            .map_err(|_| Error::internal("no thread could be started for the database"))?;
        Given(result).await
    }
}

fn work(jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // A job that panics has dropped its answer, and whoever waits for it is told.
            Ok(job) => drop(catch_unwind(AssertUnwindSafe(job))),
            Err(_) => return,
        }
    }
}

/// A result on its way from one thread to another.
enum Slot<V> {
    Waiting(Option<Waker>),
    Given(Result<V>),
    Taken,
}

/// The end at which the result is given.
struct Answer<V>(Arc<Mutex<Slot<V>>>);

impl<V> Answer<V> {
    fn give(self, result: Result<V>) {
        self.put(result);
    }

    fn put(&self, result: Result<V>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Waiting(waker) = &mut *slot {
            let waker = waker.take();
            *slot = Slot::Given(result);
            drop(slot);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl<V> Drop for Answer<V> {
    fn drop(&mut self) {
        self.put(Err(Error::internal(
            "the tables of the application have panicked",
        )));
    }
}

/// The end at which it is taken.
struct Given<V>(Arc<Mutex<Slot<V>>>);

impl<V> Future for Given<V> {
    type Output = Result<V>;

    fn poll(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Given(result) => Poll::Ready(result),
            Slot::Waiting(_) => {
                *slot = Slot::Waiting(Some(cx.waker().clone()));
                Poll::Pending
            }
            Slot::Taken => Poll::Ready(Err(Error::internal("a result was asked for twice"))),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives a future on this thread. That of a driver that blocks is ready at once.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panic in the application's tables fails its own request, and no other.
    #[test]
    fn a_thread_outlives_a_job_that_panics() {
        let threads = Threads::start(1);
        let failed = block_on(threads.run(|| async {
            let nobody: Vec<u8> = Vec::new();
            Ok(nobody.into_iter().max().unwrap())
        }));
        assert_eq!(failed.unwrap_err().status(), 500);
        assert_eq!(block_on(threads.run(|| async { Ok(7) })).unwrap(), 7);
    }
}
