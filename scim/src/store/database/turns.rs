//! Whose turn it is: jobs of tenants are taken in turns, one of each, and every second turn is the application's own.

use std::collections::{HashMap, VecDeque};

use crate::store::withdrawal::Label;

/// Lanes whose memory is kept for the next tenant.
const SPARE: usize = 64;

/// Everything that waits, by tenant.
pub(super) struct Turns<T> {
    /// Jobs of the application.
    own: VecDeque<T>,
    lanes: HashMap<Label, Lane<T>>,
    /// The tenants whose jobs may be taken, in the order of their turns.
    order: VecDeque<Label>,
    /// Jobs of all tenants that wait.
    waiting: usize,
    own_is_next: bool,
    /// How many jobs of one tenant may be at work, where that is bounded.
    at_work: Option<usize>,
    spare: Vec<VecDeque<T>>,
}

/// The jobs of a tenant.
struct Lane<T> {
    waiting: VecDeque<T>,
    at_work: usize,
}

impl<T> Turns<T> {
    pub(super) fn new(at_work: Option<usize>) -> Self {
        Self {
            own: VecDeque::new(),
            lanes: HashMap::new(),
            order: VecDeque::new(),
            waiting: 0,
            own_is_next: true,
            at_work: at_work.map(|most| most.max(1)),
            spare: Vec::new(),
        }
    }

    /// Returns how many jobs of the application wait.
    pub(super) fn own(&self) -> usize {
        self.own.len()
    }

    /// Returns how many jobs of all tenants wait.
    pub(super) fn of_tenants(&self) -> usize {
        self.waiting
    }

    /// Returns how many jobs of a tenant wait.
    pub(super) fn of(&self, label: Label) -> usize {
        self.lanes.get(&label).map_or(0, |lane| lane.waiting.len())
    }

    /// Returns whether a job of the application, or of a tenant that is one of these, is waiting.
    pub(super) fn any(&self, is_one: impl Fn(Option<Label>) -> bool) -> bool {
        !self.own.is_empty() && is_one(None) || self.order.iter().any(|label| is_one(Some(*label)))
    }

    /// Returns how many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.own.len() + self.waiting
    }

    /// Puts a job behind the others of its tenant.
    pub(super) fn push(&mut self, label: Option<Label>, job: T) {
        let Some(label) = label else {
            return self.own.push_back(job);
        };
        if self.add(label, |waiting| waiting.push_back(job)) {
            self.order.push_back(label);
        }
    }

    /// Puts a job that was taken, and not begun, before the others of its tenant.
    pub(super) fn give_back(&mut self, label: Option<Label>, job: T) {
        let Some(label) = label else {
            return self.own.push_front(job);
        };
        if self.add(label, |waiting| waiting.push_front(job)) {
            self.order.push_front(label);
        }
    }

    /// Says whether the tenant gets a turn by it.
    fn add(&mut self, label: Label, put: impl FnOnce(&mut VecDeque<T>)) -> bool {
        let spare = &mut self.spare;
        let lane = self.lanes.entry(label).or_insert_with(|| Lane {
            waiting: spare.pop().unwrap_or_default(),
            at_work: 0,
        });
        put(&mut lane.waiting);
        self.waiting += 1;
        lane.waiting.len() == 1 && self.at_work.is_none_or(|most| lane.at_work < most)
    }

    /// Takes the job whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(Option<Label>, T)> {
        let is_own = self.own_is_next || self.order.is_empty();
        if is_own && let Some(job) = self.own.pop_front() {
            self.own_is_next = false;
            return Some((None, job));
        }
        self.own_is_next = true;
        let label = self.order.pop_front()?;
        let lane = self.lanes.get_mut(&label)?;
        let job = lane.waiting.pop_front()?;
        self.waiting -= 1;
        if self.at_work.is_some() {
            lane.at_work += 1;
        }
        if lane.waiting.is_empty() {
            self.forget(label);
        } else if self.at_work.is_none_or(|most| lane.at_work < most) {
            self.order.push_back(label);
        }
        Some((Some(label), job))
    }

    /// Notes that a job has ended. Says whether another of its tenant may be taken now.
    pub(super) fn done(&mut self, label: Label) -> bool {
        let (Some(lane), Some(most)) = (self.lanes.get_mut(&label), self.at_work) else {
            return false;
        };
        let was_at_most = lane.at_work >= most;
        lane.at_work = lane.at_work.saturating_sub(1);
        if lane.waiting.is_empty() {
            self.forget(label);
            return false;
        }
        if was_at_most {
            self.order.push_back(label);
        }
        was_at_most
    }

    /// Forgets a tenant that has nothing waiting and nothing at work.
    fn forget(&mut self, label: Label) {
        if self.lanes.get(&label).is_some_and(|lane| lane.at_work == 0)
            && let Some(lane) = self.lanes.remove(&label)
            && self.spare.len() < SPARE
        {
            self.spare.push(lane.waiting);
        }
    }

    /// Takes everything.
    pub(super) fn drain(&mut self) -> Vec<T> {
        self.order.clear();
        self.waiting = 0;
        let lanes = std::mem::take(&mut self.lanes);
        let of_tenants = lanes.into_values().flat_map(|lane| lane.waiting);
        std::mem::take(&mut self.own)
            .into_iter()
            .chain(of_tenants)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label(name: &str) -> Option<Label> {
        (!name.is_empty()).then(|| Label::of(name))
    }

    fn taken(turns: &mut Turns<(&'static str, u32)>) -> Vec<(&'static str, u32)> {
        std::iter::from_fn(|| turns.pop().map(|(_, job)| job)).collect()
    }

    /// One tenant that asks for much waits for itself, and the operator waits for one job.
    #[test]
    fn each_tenant_has_its_turn_and_the_application_every_second() {
        let mut turns = Turns::new(None);
        for number in 0..100 {
            turns.push(label("greedy"), ("greedy", number));
        }
        turns.push(label("modest"), ("modest", 0));
        turns.push(None, ("", 0));
        turns.push(None, ("", 1));
        let taken = taken(&mut turns);
        let at = |name| taken.iter().position(|job| *job == (name, 0)).unwrap();
        assert_eq!(taken.len(), 103);
        assert_eq!((at(""), at("greedy"), at("modest")), (0, 1, 3));
    }

    /// At most so many are at work, and whoever has as many keeps nobody from his turn.
    #[test]
    fn a_tenant_that_has_enough_at_work_waits() {
        let mut turns = Turns::new(Some(2));
        for number in 0..4 {
            turns.push(label("a"), ("a", number));
        }
        turns.push(label("b"), ("b", 0));
        assert_eq!(taken(&mut turns), [("a", 0), ("b", 0), ("a", 1)]);
        assert_eq!((turns.len(), turns.of(Label::of("a"))), (2, 2));
        assert!(turns.done(Label::of("a")));
        assert_eq!(taken(&mut turns), [("a", 2)]);
        assert!(!turns.done(Label::of("b")));
        assert!(turns.done(Label::of("a")));
        assert_eq!(taken(&mut turns), [("a", 3)]);
        for _ in 0..2 {
            assert!(!turns.done(Label::of("a")));
        }
        assert!(turns.lanes.is_empty());
    }

    proptest! {
        /// Whatever comes in which order: nothing is lost, each tenant's jobs stay in order, and between two of one
        /// tenant each other that waits has its turn.
        #[test]
        fn turns_are_fair_and_keep_the_order_of_each(
            pushed in proptest::collection::vec(0..4_usize, 0..200), given_back in 0..8_usize
        ) {
            const NAMES: [&str; 4] = ["", "a", "b", "c"];
            let mut turns = Turns::new(None);
            let mut counts = [0; 4];
            for who in &pushed {
                turns.push(label(NAMES[*who]), (NAMES[*who], counts[*who]));
                counts[*who] += 1;
            }
            let first: Vec<_> = (0..given_back).map_while(|_| turns.pop()).collect();
            for (label, job) in first.into_iter().rev() {
                turns.give_back(label, job);
            }
            prop_assert_eq!(turns.len(), pushed.len());
            let taken = taken(&mut turns);
            for (who, name) in NAMES.iter().enumerate() {
                let of_one: Vec<_> = taken.iter().filter(|job| job.0 == *name).map(|job| job.1).collect();
                prop_assert_eq!(of_one, (0..counts[who]).collect::<Vec<_>>());
            }
            // Whoever still waits is served at least once in any stretch of eight: four turns, and four of our own.
            for (at, stretch) in taken.windows(8).enumerate() {
                for name in NAMES {
                    let waits = taken[at + 8..].iter().any(|job| job.0 == name);
                    prop_assert!(!waits || stretch.iter().any(|job| job.0 == name));
                }
            }
        }
    }
}
