//! The places where pages end: whoever reads a list from start to end does not skip the same rows again for each page.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::tables::Count;

/// Places that are remembered.
const MOST: usize = 1024;

/// The position of a resource in the list of all resources of a type in the order of their creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) tenant: i64,
    pub(super) resource_type: i64,
    /// How many are before it.
    pub(super) before: u64,
}

/// The row before a place. New rows come behind all others, so it is right until one is deleted.
#[derive(Debug, Clone, Copy)]
struct Known {
    rid: i64,
    deleted: i64,
    used: u64,
}

/// The least recently used ones give way.
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<Place, Known>,
    by_use: BTreeMap<u64, Place>,
    clock: u64,
}

impl Pages {
    /// Returns the row before a place, if it is known and nothing was deleted since.
    pub(super) fn row_before(&self, place: Place, count: Count) -> Option<i64> {
        let mut state = self.lock();
        let known = *state.known.get(&place)?;
        if known.deleted != count.deleted {
            state.known.remove(&place);
            state.by_use.remove(&known.used);
            return None;
        }
        state.put(place, known.rid, known.deleted);
        Some(known.rid)
    }

    pub(super) fn remember(&self, place: Place, rid: i64, count: Count) {
        self.lock().put(place, rid, count.deleted);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, place: Place, rid: i64, deleted: i64) {
        self.clock += 1;
        let known = Known {
            rid,
            deleted,
            used: self.clock,
        };
        if let Some(old) = self.known.insert(place, known) {
            self.by_use.remove(&old.used);
        }
        self.by_use.insert(known.used, place);
        while self.known.len() > MOST {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                break;
            };
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(before: u64) -> Place {
        Place {
            tenant: 1,
            resource_type: 1,
            before,
        }
    }

    fn count(deleted: i64) -> Count {
        Count { live: 10, deleted }
    }

    #[test]
    fn a_place_is_forgotten_when_something_was_deleted() {
        let pages = Pages::default();
        pages.remember(place(100), 7, count(0));
        assert_eq!(pages.row_before(place(100), count(0)), Some(7));
        assert_eq!(pages.row_before(place(100), count(1)), None);
        assert_eq!(pages.row_before(place(100), count(0)), None);
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let pages = Pages::default();
        pages.remember(place(0), 1, count(0));
        for before in 1..2 * MOST as u64 {
            pages.remember(place(before), 1, count(0));
            assert!(pages.row_before(place(0), count(0)).is_some());
        }
        assert_eq!(pages.lock().known.len(), MOST);
        assert_eq!(pages.row_before(place(1), count(0)), None);
    }
}
