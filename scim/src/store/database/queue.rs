//! A bounded queue between callers and the threads of the database.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::turns::Turns;
use crate::store::withdrawal::Label;

/// Any number of callers push, any number of threads take, each tenant's jobs [in turn](Turns). Pushing never waits.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    bounds: Bounds,
}

/// How much may wait, and be at work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Jobs of the application that may wait, and as many of all tenants.
    pub(super) capacity: usize,
    /// Jobs of one tenant that may wait.
    pub(super) of_tenant: usize,
    /// Jobs of one tenant that may be at work, where the threads say when they are [done](Queue::done).
    pub(super) at_work: Option<usize>,
}

struct State<T> {
    turns: Turns<T>,
    /// Threads inside `ready`: with none, a push needs no system call.
    waiting: usize,
    /// Counts calls of [`Queue::wake_all`].
    epoch: u64,
    closed: bool,
}

/// Why a push was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too much waits.
    Full,
    /// Too much of this tenant waits: so many jobs.
    TenantFull(usize),
    Closed,
}

/// The answer that a thread got from the queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<T> {
    Item(Option<Label>, T),
    /// Nothing came in time, or somebody called [`Queue::wake_all`].
    Idle,
    /// Closed, and everything that had been pushed is taken.
    Closed,
}

impl<T> Queue<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        let state = State {
            turns: Turns::new(bounds.at_work),
            waiting: 0,
            epoch: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            ready: Condvar::new(),
            bounds,
        }
    }

    /// Locks the state. No code of a caller runs under this lock, and none of ours panics there: poison says nothing.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item. Whoever has nothing waiting is let in, however much others have.
    pub(super) fn push(&self, label: Option<Label>, item: T) -> Result<(), Refused> {
        let state = self.lock();
        let Bounds {
            capacity, of_tenant, ..
        } = self.bounds;
        let refused = match label {
            None if state.turns.own() >= capacity.max(1) => Some(Refused::Full),
            None => None,
            Some(label) => match state.turns.of(label) {
                0 => None,
                waiting if waiting >= of_tenant => Some(Refused::TenantFull(waiting)),
                _ if state.turns.of_tenants() >= capacity => Some(Refused::Full),
                _ => None,
            },
        };
        self.put(state, refused, label, item)
    }

    /// Pushes a job of the application that nobody awaits: it leaves half of the queue to those that somebody does.
    pub(super) fn push_behind(&self, item: T) -> Result<(), Refused> {
        let state = self.lock();
        let is_full = state.turns.own() >= self.bounds.capacity.div_ceil(2).max(1);
        self.put(state, is_full.then_some(Refused::Full), None, item)
    }

    fn put(
        &self,
        mut state: MutexGuard<'_, State<T>>,
        refused: Option<Refused>,
        label: Option<Label>,
        item: T,
    ) -> Result<(), Refused> {
        if state.closed {
            return Err(Refused::Closed);
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        state.turns.push(label, item);
        let wake = state.waiting > 0;
        drop(state);
        if wake {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for one item, at most for `patience`, and until the epoch is no longer the one in `seen`.
    pub(super) fn take(&self, seen: &mut u64, patience: Option<Duration>) -> Taken<T> {
        let mut state = self.lock();
        loop {
            if let Some((label, item)) = state.turns.pop() {
                return Taken::Item(label, item);
            }
            if state.closed && state.turns.len() == 0 {
                return Taken::Closed;
            }
            if state.epoch != *seen {
                *seen = state.epoch;
                return Taken::Idle;
            }
            match patience {
                None => state = self.wait(state),
                Some(patience) => {
                    let out_of_time;
                    (state, out_of_time) = self.wait_at_most(state, patience);
                    if out_of_time && state.turns.len() == 0 && !state.closed {
                        *seen = state.epoch;
                        return Taken::Idle;
                    }
                }
            }
        }
    }

    /// Says that an item that was taken is done with, where only so many of a tenant may be at work.
    pub(super) fn done(&self, label: Option<Label>) {
        let Some(label) = label else { return };
        let mut state = self.lock();
        let wakes = state.turns.done(label) || state.closed;
        drop(state);
        if wakes {
            self.ready.notify_all();
        }
    }

    /// Waits for at least one item and appends up to `most` to `group`. `false`: closed and drained.
    pub(super) fn take_group(&self, most: usize, group: &mut Vec<(Option<Label>, T)>) -> bool {
        let mut state = self.lock();
        while state.turns.len() == 0 {
            if state.closed {
                return false;
            }
            state = self.wait(state);
        }
        group.extend(std::iter::from_fn(|| state.turns.pop()).take(most.max(1)));
        true
    }

    /// Returns whether an item waits of the application, or of a tenant that is one of these.
    pub(super) fn any(&self, is_one: impl Fn(Option<Label>) -> bool) -> bool {
        self.lock().turns.any(is_one)
    }

    /// Takes items back that were not begun: they are the next of their tenants.
    pub(super) fn give_back(&self, items: impl DoubleEndedIterator<Item = (Option<Label>, T)>) {
        let mut state = self.lock();
        for (label, item) in items.rev() {
            state.turns.give_back(label, item);
        }
    }

    fn wait<'a>(&self, mut state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        state.waiting += 1;
        let mut state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    fn wait_at_most<'a>(
        &self,
        mut state: MutexGuard<'a, State<T>>,
        patience: Duration,
    ) -> (MutexGuard<'a, State<T>>, bool) {
        state.waiting += 1;
        let (mut state, timeout) = self
            .ready
            .wait_timeout(state, patience)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        (state, timeout.timed_out())
    }

    /// Has everybody who waits get [`Taken::Idle`].
    pub(super) fn wake_all(&self) {
        self.lock().epoch += 1;
        self.ready.notify_all();
    }

    /// Refuses what comes from now on and drops what is in the queue: the thread that should take it cannot work.
    pub(super) fn abandon(&self) {
        self.close();
        let items = self.lock().turns.drain();
        // Without the lock: dropping a job wakes the one who waits for it.
        drop(items);
    }

    /// Refuses what comes from now on; what is in the queue is still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(capacity: usize) -> Bounds {
        Bounds {
            capacity,
            of_tenant: 2,
            at_work: None,
        }
    }

    #[test]
    fn a_full_queue_refuses_and_recovers() {
        let queue = Queue::new(bounds(2));
        assert_eq!(queue.push(None, 1), Ok(()));
        assert_eq!(queue.push(None, 2), Ok(()));
        assert_eq!(queue.push(None, 3), Err(Refused::Full));
        assert_eq!(queue.take(&mut 0, None), Taken::Item(None, 1));
        assert_eq!(queue.push(None, 4), Ok(()));
        let mut group = Vec::new();
        assert!(queue.take_group(9, &mut group));
        assert_eq!(group, [(None, 2), (None, 4)]);
    }

    #[test]
    fn work_that_nobody_awaits_fills_only_half_of_the_queue() {
        let queue = Queue::new(bounds(4));
        assert_eq!(queue.push_behind(1), Ok(()));
        assert_eq!(queue.push_behind(2), Ok(()));
        assert_eq!(queue.push_behind(3), Err(Refused::Full));
        assert_eq!(queue.push(None, 3), Ok(()));
    }

    #[test]
    fn a_closed_queue_is_drained_before_it_ends() {
        let queue = Queue::new(bounds(2));
        assert_eq!(queue.push(None, 1), Ok(()));
        queue.close();
        assert_eq!(queue.push(None, 2), Err(Refused::Closed));
        assert_eq!(queue.take(&mut 0, None), Taken::Item(None, 1));
        assert_eq!(queue.take(&mut 0, None), Taken::Closed);
        assert!(!queue.take_group(1, &mut Vec::new()));
    }

    #[test]
    fn a_group_is_no_larger_than_asked() {
        let queue = Queue::new(bounds(8));
        for item in 0..5 {
            assert_eq!(queue.push(None, item), Ok(()));
        }
        let mut group = Vec::new();
        assert!(queue.take_group(3, &mut group));
        assert_eq!(group, [(None, 0), (None, 1), (None, 2)]);
    }

    #[test]
    fn a_wake_that_came_before_the_wait_is_not_lost() {
        let queue = Queue::<()>::new(bounds(1));
        let mut seen = 0;
        queue.wake_all();
        // A lost wake would hang here: the patience is longer than any test run.
        assert_eq!(
            queue.take(&mut seen, Some(Duration::from_secs(100_000))),
            Taken::Idle
        );
        assert_eq!(queue.take(&mut seen, Some(Duration::ZERO)), Taken::Idle);
    }

    /// A tenant that has its share waiting is refused, and nobody else; with nothing waiting, everybody is let in.
    #[test]
    fn a_tenant_fills_its_own_share_of_the_queue() {
        let queue = Queue::new(bounds(3));
        let [greedy, modest, late] = ["greedy", "modest", "late"].map(|name| Some(Label::of(name)));
        for item in 0..2 {
            assert_eq!(queue.push(greedy, item), Ok(()));
        }
        assert_eq!(queue.push(greedy, 2), Err(Refused::TenantFull(2)));
        assert_eq!(queue.push(modest, 3), Ok(()));
        assert_eq!(
            queue.push(modest, 4),
            Err(Refused::Full),
            "all tenants together have enough"
        );
        assert_eq!(queue.push(late, 5), Ok(()));
        assert_eq!(
            queue.push(None, 6),
            Ok(()),
            "the application has a queue of its own"
        );
    }

    #[test]
    fn what_is_given_back_comes_first() {
        let queue = Queue::new(bounds(8));
        let tenant = Some(Label::of("a"));
        for item in 0..2 {
            assert_eq!(queue.push(tenant, item), Ok(()));
        }
        let mut group = Vec::new();
        assert!(queue.take_group(9, &mut group));
        assert_eq!(queue.push(tenant, 2), Ok(()));
        queue.give_back(group.into_iter());
        for expected in 0..3 {
            assert_eq!(queue.take(&mut 0, None), Taken::Item(tenant, expected));
        }
    }
}
