//! The connections that are open: how many there may be, and which of them ends for a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// Connections beyond the bound, for whoever asks how the server is.
const RESERVE: usize = 64;

/// The connections that are open.
#[derive(Debug)]
pub(super) struct Open {
    most: usize,
    born: Instant,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    next: u64,
    /// Those that nobody has asked to end.
    taken: HashMap<u64, Arc<Use>>,
    /// All that there are.
    count: usize,
}

/// The use of one connection.
#[derive(Debug, Default)]
pub(super) struct Use {
    requests: AtomicUsize,
    /// Since when there are none, in milliseconds after the first connection could come.
    idle_since: AtomicU64,
    /// Asks the connection to end.
    end: Notify,
    /// Whether an answer has come before its request had.
    is_early: AtomicBool,
}

impl Use {
    /// Returns whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.requests.load(Ordering::Acquire) == 0
    }

    /// Notes that the client may still be sending what nobody reads.
    pub(super) fn answered_early(&self) {
        self.is_early.store(true, Ordering::Release);
    }

    /// Returns whether the client may still be sending what nobody reads.
    pub(super) fn is_early(&self) -> bool {
        self.is_early.load(Ordering::Acquire)
    }
}

/// A connection among those that are open, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    open: Arc<Open>,
    number: u64,
    used: Arc<Use>,
    /// Whether the connection is one beyond the bound.
    pub(super) is_reserved: bool,
}

impl Open {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            born: Instant::now(),
            places: Mutex::default(),
        })
    }

    /// Takes a place for a connection that was accepted. If all are taken, the one without requests that has been so for
    /// longest ends for it; without any such, the new one gets a place for the operator; `None` if there is none either.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let now = self.millis();
        let mut places = self.places();
        if places.count >= self.most.saturating_add(RESERVE) {
            places.end_an_idle_one();
            return None;
        }
        let is_reserved = places.count >= self.most && !places.end_an_idle_one();
        let number = places.next;
        places.next += 1;
        places.count += 1;
        let used = Arc::new(Use::default());
        used.idle_since.store(now, Ordering::Relaxed);
        places.taken.insert(number, Arc::clone(&used));
        Some(Place {
            open: Arc::clone(self),
            number,
            used,
            is_reserved,
        })
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn end_an_idle_one(&mut self) -> bool {
        let idle = self.taken.iter().filter(|(_, used)| used.is_idle());
        let longest = idle.min_by_key(|(number, used)| (used.idle_since.load(Ordering::Relaxed), **number));
        let Some(number) = longest.map(|(number, _)| *number) else {
            return false;
        };
        if let Some(used) = self.taken.remove(&number) {
            used.end.notify_one();
        }
        true
    }
}

impl Place {
    pub(super) fn used(&self) -> &Arc<Use> {
        &self.used
    }

    /// Waits until the connection is to end.
    pub(super) async fn ended(&self) {
        self.used.end.notified().await;
    }

    /// Begins a request.
    pub(super) fn begin(&self) -> Request {
        self.used.requests.fetch_add(1, Ordering::AcqRel);
        Request {
            open: Arc::clone(&self.open),
            used: Arc::clone(&self.used),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.open.places();
        places.taken.remove(&self.number);
        places.count = places.count.saturating_sub(1);
    }
}

/// A request of a connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Request {
    open: Arc<Open>,
    used: Arc<Use>,
}

impl Drop for Request {
    fn drop(&mut self) {
        self.used.idle_since.store(self.open.millis(), Ordering::Relaxed);
        self.used.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_told_to_end(place: &Place) -> bool {
        tokio::time::timeout(std::time::Duration::ZERO, place.ended())
            .await
            .is_ok()
    }

    /// A client that only holds connections loses the one that it has held for longest; requests are not cut off.
    #[tokio::test]
    async fn the_connection_that_is_idle_for_longest_ends_for_a_new_one() {
        let open = Open::new(2);
        let (first, second) = (open.enter().unwrap(), open.enter().unwrap());
        let busy = first.begin();
        let third = open.enter().unwrap();
        assert!(!third.is_reserved);
        assert!(is_told_to_end(&second).await && !is_told_to_end(&first).await);
        drop(busy);
        drop((first, second));
        let fourth = open.enter().unwrap();
        assert!(!is_told_to_end(&third).await, "there is room");
        drop((third, fourth));
        assert_eq!(open.places().count, 0);
    }

    /// The operator still gets a connection while all others are at work.
    #[test]
    fn beyond_the_bound_are_places_for_the_operator() {
        let open = Open::new(1);
        let place = open.enter().unwrap();
        let _request = place.begin();
        let mut reserved = Vec::new();
        for _ in 0..RESERVE {
            let place = open.enter().unwrap();
            assert!(place.is_reserved);
            let request = place.begin();
            reserved.push((place, request));
        }
        assert!(open.enter().is_none());
        reserved.pop();
        assert!(open.enter().unwrap().is_reserved);
    }
}
