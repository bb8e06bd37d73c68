//! Edges, kept beside the resource: to add one among a million costs what it costs among ten.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::store::edge_diff::{EdgeSet, Settled};

/// The edges of one attribute of all resources.
#[derive(Debug, Default)]
pub(super) struct EdgeTable {
    sets: HashMap<u64, EdgeSet>,
    owners: HashMap<Arc<str>, BTreeSet<u64>>,
}

impl EdgeTable {
    /// Returns the edges of a resource; `None` if it has none.
    pub(super) fn of(&self, owner: u64) -> Option<&EdgeSet> {
        self.sets.get(&owner)
    }

    /// Returns the resources that have an edge with this key, in the order of creation.
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
