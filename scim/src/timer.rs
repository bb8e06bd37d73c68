//! Time that passes, without a runtime.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Lets time pass.
///
/// A service asks it how long a body may keep it waiting. [`ThreadTimer`] works under every runtime; an application may
/// give the timer of its own, and a test one that it moves by hand.
pub trait Timer: Send + Sync + 'static {
    /// Returns a future that is ready when this much time has passed since it was first polled.
    fn sleep(&self, length: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A timer that needs no runtime: one thread of the process, started when it is first needed, wakes all who wait.
///
/// ```
/// use std::time::Duration;
///
/// use scim::service::{ThreadTimer, Timer};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// ThreadTimer.sleep(Duration::from_millis(1)).await;
/// # });
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreadTimer;

impl Timer for ThreadTimer {
    fn sleep(&self, length: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(Sleep { length, place: None })
    }
}

/// When somebody is woken, and a number that tells those of one instant apart.
type Place = (Instant, u64);

/// A sleep that begins when it is first polled.
struct Sleep {
    length: Duration,
    place: Option<Place>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // If no thread can be had, nobody would be woken: the time is over at once.
        let Some(clock) = Clock::running() else {
            return Poll::Ready(());
        };
        let now = Instant::now();
        match self.place {
            Some((end, _)) if end <= now => return Poll::Ready(()),
            Some(place) => clock.wait(place, cx.waker()),
            None => self.place = Some(clock.enter(now + self.length, cx.waker())),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(place), Some(clock)) = (self.place, Clock::running()) {
            clock.sleepers().wakers.remove(&place);
        }
    }
}

/// The sleepers, in the order in which they are woken.
#[derive(Default)]
struct Sleepers {
    wakers: BTreeMap<Place, Waker>,
    /// The number of the next one.
    next: u64,
}

/// The thread of [`ThreadTimer`], and those who wait for it.
#[derive(Default)]
struct Clock {
    sleepers: Mutex<Sleepers>,
    /// Somebody is to be woken earlier than all others.
    earlier: Condvar,
}

impl Clock {
    fn running() -> Option<&'static Self> {
        static CLOCK: Clock = Clock {
            sleepers: Mutex::new(Sleepers {
                wakers: BTreeMap::new(),
                next: 0,
            }),
            earlier: Condvar::new(),
        };
        static STARTED: OnceLock<bool> = OnceLock::new();
        let start = || {
            let builder = thread::Builder::new().name("scim-timer".to_owned());
            builder.spawn(|| CLOCK.run()).is_ok()
        };
        STARTED.get_or_init(start).then_some(&CLOCK)
    }

    fn enter(&self, end: Instant, waker: &Waker) -> Place {
        let mut sleepers = self.sleepers();
        let place = (end, sleepers.next);
        sleepers.next = sleepers.next.wrapping_add(1);
        let is_first = sleepers
            .wakers
            .first_key_value()
            .is_none_or(|(first, _)| place < *first);
        sleepers.wakers.insert(place, waker.clone());
        if is_first {
            self.earlier.notify_one();
        }
        place
    }

    /// Has whoever polls last be woken.
    fn wait(&self, place: Place, waker: &Waker) {
        let mut sleepers = self.sleepers();
        let known = sleepers.wakers.entry(place).or_insert_with(|| waker.clone());
        known.clone_from(waker);
        self.earlier.notify_one();
    }

    fn run(&self) {
        let mut sleepers = self.sleepers();
        loop {
            let now = Instant::now();
            let later = sleepers.wakers.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut sleepers.wakers, later);
            if !due.is_empty() {
                drop(sleepers);
                due.into_values().for_each(Waker::wake);
                sleepers = self.sleepers();
                continue;
            }
            let next = sleepers.wakers.first_key_value().map(|((end, _), _)| *end);
            sleepers = match next {
                Some(end) => {
                    let pause = end.saturating_duration_since(now);
                    let woken = self.earlier.wait_timeout(sleepers, pause);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .earlier
                    .wait(sleepers)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn block_on(mut future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        while future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            thread::park();
        }
    }

    /// A sleep ends under no runtime at all, and a shorter one that begins later is not held up by a longer one.
    #[test]
    fn a_sleep_ends_without_a_runtime() {
        let mut long = ThreadTimer.sleep(Duration::from_secs(3_600));
        let waker = Waker::noop();
        assert!(long.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        block_on(ThreadTimer.sleep(Duration::from_millis(2)));
        block_on(ThreadTimer.sleep(Duration::ZERO));
        assert!(long.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }

    /// Whoever waits no longer is forgotten: bodies that come in time leave nothing behind.
    #[test]
    fn a_sleep_that_is_dropped_is_forgotten() {
        let end = || {
            let mut sleep = Sleep {
                length: Duration::from_secs(3_600),
                place: None,
            };
            let polled = Pin::new(&mut sleep).poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            sleep.place.unwrap()
        };
        let place = end();
        let clock = Clock::running().unwrap();
        assert!(!clock.sleepers().wakers.contains_key(&place));
    }
}
