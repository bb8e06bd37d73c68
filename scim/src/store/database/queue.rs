//! A bounded queue between callers and the threads of the database.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Any number of callers push, any number of threads take. Pushing never waits.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    /// Threads inside `ready`: with none, a push needs no system call.
    waiting: usize,
    /// Counts calls of [`Queue::wake_all`].
    epoch: u64,
    closed: bool,
}

/// Why a push was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Closed,
}

/// What a thread got from the queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<T> {
    Item(T),
    /// Nothing came in time, or somebody called [`Queue::wake_all`].
    Idle,
    /// Closed, and everything that had been pushed is taken.
    Closed,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State {
            items: VecDeque::new(),
            waiting: 0,
            epoch: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            ready: Condvar::new(),
            capacity: capacity.max(1),
        }
    }

    /// No code of a caller runs under this lock, and none of ours panics there: poison says nothing.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, item: T) -> Result<(), Refused> {
        self.push_below(item, self.capacity)
    }

    /// Leaves half of the queue to those who push with [`Queue::push`].
    pub(super) fn push_behind(&self, item: T) -> Result<(), Refused> {
        self.push_below(item, self.capacity.div_ceil(2))
    }

    fn push_below(&self, item: T, limit: usize) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.items.len() >= limit {
            return Err(Refused::Full);
        }
        state.items.push_back(item);
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
            if let Some(item) = state.items.pop_front() {
                return Taken::Item(item);
            }
            if state.closed {
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
                    if out_of_time && state.items.is_empty() && !state.closed {
                        *seen = state.epoch;
                        return Taken::Idle;
                    }
                }
            }
        }
    }

    /// Waits for at least one item and appends up to `most` to `group`. `false`: closed and drained.
    pub(super) fn take_group(&self, most: usize, group: &mut Vec<T>) -> bool {
        let mut state = self.lock();
        while state.items.is_empty() {
            if state.closed {
                return false;
            }
            state = self.wait(state);
        }
        let count = state.items.len().min(most.max(1));
        group.extend(state.items.drain(..count));
        true
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

    /// Everybody who waits gets [`Taken::Idle`].
    pub(super) fn wake_all(&self) {
        self.lock().epoch += 1;
        self.ready.notify_all();
    }

    /// Refuses what comes from now on and drops what is in the queue: the thread that should take it cannot work.
    pub(super) fn abandon(&self) {
        self.close();
        let items = std::mem::take(&mut self.lock().items);
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

    #[test]
    fn a_full_queue_refuses_and_recovers() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.push(2), Ok(()));
        assert_eq!(queue.push(3), Err(Refused::Full));
        assert_eq!(queue.take(&mut 0, None), Taken::Item(1));
        assert_eq!(queue.push(4), Ok(()));
        let mut group = Vec::new();
        assert!(queue.take_group(9, &mut group));
        assert_eq!(group, [2, 4]);
    }

    #[test]
    fn work_that_nobody_awaits_fills_only_half_of_the_queue() {
        let queue = Queue::new(4);
        assert_eq!(queue.push_behind(1), Ok(()));
        assert_eq!(queue.push_behind(2), Ok(()));
        assert_eq!(queue.push_behind(3), Err(Refused::Full));
        assert_eq!(queue.push(3), Ok(()));
    }

    #[test]
    fn a_closed_queue_is_drained_before_it_ends() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1), Ok(()));
        queue.close();
        assert_eq!(queue.push(2), Err(Refused::Closed));
        assert_eq!(queue.take(&mut 0, None), Taken::Item(1));
        assert_eq!(queue.take(&mut 0, None), Taken::Closed);
        assert!(!queue.take_group(1, &mut Vec::new()));
    }

    #[test]
    fn a_group_is_no_larger_than_asked() {
        let queue = Queue::new(8);
        for item in 0..5 {
            assert_eq!(queue.push(item), Ok(()));
        }
        let mut group = Vec::new();
        assert!(queue.take_group(3, &mut group));
        assert_eq!(group, [0, 1, 2]);
    }

    #[test]
    fn a_wake_that_came_before_the_wait_is_not_lost() {
        let queue = Queue::<()>::new(1);
        let mut seen = 0;
        queue.wake_all();
        // A lost wake would hang here: the patience is longer than any test run.
        assert_eq!(
            queue.take(&mut seen, Some(Duration::from_secs(100_000))),
            Taken::Idle
        );
        assert_eq!(queue.take(&mut seen, Some(Duration::ZERO)), Taken::Idle);
    }
}
