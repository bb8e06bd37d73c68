//! Edges, kept beside the resource: to add one among a million costs what it costs among ten.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::store::Edge;

/// An edge with its key.
pub(super) type Keyed = (Arc<str>, Edge);

/// The edges of one resource, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct EdgeSet {
    order: BTreeMap<u64, Keyed>,
    places: HashMap<Arc<str>, u64>,
    next: u64,
}

impl EdgeSet {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Edge> {
        self.order.get(self.places.get(key)?).map(|(_, edge)| edge)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Edge)> {
        self.order.values().map(|(key, edge)| (key, edge))
    }

    pub(super) fn insert(&mut self, key: Arc<str>, edge: Edge) {
        let place = self.next;
        self.next += 1;
        if let Some(earlier) = self.places.insert(key.clone(), place) {
            self.order.remove(&earlier);
        }
        self.order.insert(place, (key, edge));
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.order.remove(&place);
        }
    }
}

/// The edges of one attribute of all resources.
#[derive(Debug, Default)]
pub(super) struct EdgeTable {
    sets: HashMap<u64, EdgeSet>,
    owners: HashMap<Arc<str>, BTreeSet<u64>>,
}

impl EdgeTable {
    /// The edges of a resource; `None` if it has none.
    pub(super) fn of(&self, owner: u64) -> Option<&EdgeSet> {
        self.sets.get(&owner)
    }

    /// The resources that have an edge with this key, in the order of creation.
    pub(super) fn owners(&self, key: &str) -> impl Iterator<Item = u64> {
        self.owners.get(key).into_iter().flatten().copied()
    }

    /// Carries a change out.
    pub(super) fn commit(&mut self, owner: u64, settled: Settled) {
        let set = self.sets.entry(owner).or_default();
        for key in &settled.removed {
            set.remove(key);
            forget(&mut self.owners, key, owner);
        }
        for (key, edge) in settled.added {
            self.owners.entry(key.clone()).or_default().insert(owner);
            set.insert(key, edge);
        }
        if set.len() == 0 {
            self.sets.remove(&owner);
        }
    }

    /// Forgets all edges of a resource.
    pub(super) fn remove_owner(&mut self, owner: u64) {
        for (key, _) in self.sets.remove(&owner).iter().flat_map(EdgeSet::iter) {
            forget(&mut self.owners, key, owner);
        }
    }

    /// Forgets all edges with a key and says whose they were.
    pub(super) fn remove_target(&mut self, key: &str) -> BTreeSet<u64> {
        let owners = self.owners.remove(key).unwrap_or_default();
        for owner in &owners {
            if let Some(set) = self.sets.get_mut(owner) {
                set.remove(key);
            }
        }
        owners
    }
}

fn forget(owners: &mut HashMap<Arc<str>, BTreeSet<u64>>, key: &str, owner: u64) {
    if let Some(of_key) = owners.get_mut(key) {
        of_key.remove(&owner);
        if of_key.is_empty() {
            owners.remove(key);
        }
    }
}

/// What is to become of a set of edges: worked out beside it, and carried out once nothing can fail any more.
#[derive(Debug, Default)]
pub(super) struct EdgeDiff {
    cleared: bool,
    removed: HashSet<Arc<str>>,
    added: EdgeSet,
    /// Which operation of a PATCH has added an edge.
    operations: HashMap<Arc<str>, usize>,
}

/// The difference that a change makes.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) removed: Vec<Arc<str>>,
    pub(super) added: Vec<Keyed>,
}

impl Settled {
    pub(super) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

impl EdgeDiff {
    fn keeps(&self, base: Option<&EdgeSet>, key: &str) -> bool {
        !self.cleared && !self.removed.contains(key) && base.is_some_and(|base| base.get(key).is_some())
    }

    /// Adds an edge that is not there yet.
    pub(super) fn add(&mut self, base: Option<&EdgeSet>, (key, edge): Keyed, operation: Option<usize>) {
        if self.keeps(base, &key) || self.added.get(&key).is_some() {
            return;
        }
        if let Some(operation) = operation {
            self.operations.insert(key.clone(), operation);
        }
        self.added.insert(key, edge);
    }

    pub(super) fn clear(&mut self) {
        self.cleared = true;
        self.added = EdgeSet::default();
    }

    pub(super) fn remove(&mut self, base: Option<&EdgeSet>, key: &Arc<str>) {
        self.added.remove(key);
        if self.keeps(base, key) {
            self.removed.insert(key.clone());
        }
    }

    /// The edges as they would be, in order.
    pub(super) fn iter<'s>(
        &'s self,
        base: Option<&'s EdgeSet>,
    ) -> impl Iterator<Item = (&'s Arc<str>, &'s Edge)> {
        let base = base.filter(|_| !self.cleared);
        base.into_iter()
            .flat_map(EdgeSet::iter)
            .filter(|(key, _)| !self.removed.contains(*key))
            .chain(self.added.iter())
    }

    /// One edge as it would be.
    pub(super) fn get<'s>(
        &'s self,
        base: Option<&'s EdgeSet>,
        key: &str,
    ) -> Option<(&'s Arc<str>, &'s Edge)> {
        let kept = base.filter(|base| self.keeps(Some(base), key));
        let set = kept.unwrap_or(&self.added);
        set.order.get(set.places.get(key)?).map(|(key, edge)| (key, edge))
    }

    /// Which operation has added the edge.
    pub(super) fn operation(&self, key: &str) -> Option<usize> {
        self.operations.get(key).copied()
    }

    /// The difference to `base`. An edge that is taken away and comes again unchanged makes none.
    pub(super) fn settle(self, base: Option<&EdgeSet>) -> Settled {
        let unchanged = |key: &str| base.and_then(|base| base.get(key)) == self.added.get(key);
        let removed = match (self.cleared, base) {
            (true, Some(base)) => base
                .iter()
                .map(|(key, _)| key)
                .filter(|key| !unchanged(key))
                .cloned()
                .collect(),
            _ => self
                .removed
                .iter()
                .filter(|key| !unchanged(key))
                .cloned()
                .collect(),
        };
        let added = self.added.iter().filter(|(key, _)| !unchanged(key));
        Settled {
            added: added.map(|(key, edge)| (key.clone(), edge.clone())).collect(),
            removed,
        }
    }
}
