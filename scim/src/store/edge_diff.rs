//! The difference that edits make to a set of edges: worked out beside the set, and carried out once nothing can fail any
//! more.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::error::Result;
use crate::filter::ResolvedFilter;
use crate::limits::Steps;
use crate::store::edges::{Edge, EdgeChange, EdgeEdit, NamedKeys};
use crate::store::layout::EdgeAttribute;
use crate::value::{JsonBuf, Select, View};

/// An edge with its key.
pub(crate) type Keyed = (Arc<str>, Edge);

/// The edges of one resource, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct EdgeSet {
    order: BTreeMap<u64, Keyed>,
    places: HashMap<Arc<str>, u64>,
    next: u64,
}

impl EdgeSet {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Edge> {
        self.order.get(self.places.get(key)?).map(|(_, edge)| edge)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Edge)> {
        self.order.values().map(|(key, edge)| (key, edge))
    }

    pub(crate) fn insert(&mut self, key: Arc<str>, edge: Edge) {
        let place = self.next;
        self.next += 1;
        if let Some(earlier) = self.places.insert(key.clone(), place) {
            self.order.remove(&earlier);
        }
        self.order.insert(place, (key, edge));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.order.remove(&place);
        }
    }
}

/// Whether a filter selects an edge.
pub(crate) type Selects<'s> = dyn FnMut(&ResolvedFilter, &Edge) -> Result<bool> + 's;

/// Returns whether a filter selects what is at the end of an edge, and spends what that look costs.
///
/// # Errors
/// 413 if there are too few steps left.
pub(crate) fn selects(filter: &ResolvedFilter, reached: &View<'_>, steps: &mut Steps) -> Result<bool> {
    steps.spend(reached.steps().saturating_mul(filter.terms()))?;
    Ok(Select::matches(filter, reached))
}

/// The planned changes to a set of edges: worked out beside it, and carried out once nothing can fail any more.
#[derive(Debug, Default)]
pub(crate) struct EdgeDiff {
    cleared: bool,
    removed: HashSet<Arc<str>>,
    added: EdgeSet,
    /// Which operation of a PATCH has added an edge.
    operations: HashMap<Arc<str>, usize>,
}

/// The difference that a change makes.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) removed: Vec<Arc<str>>,
    pub(crate) added: Vec<Keyed>,
}

impl Settled {
    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

impl EdgeDiff {
    fn keeps(&self, base: Option<&EdgeSet>, key: &str) -> bool {
        !self.cleared && !self.removed.contains(key) && base.is_some_and(|base| base.get(key).is_some())
    }

    /// Makes an edit. `selects` says of an edge whether a filter selects it, and charges for the look at it.
    ///
    /// # Errors
    /// 413 if the filter looks at more edges than there are steps for.
    pub(crate) fn edit(
        &mut self,
        attribute: &EdgeAttribute,
        base: Option<&EdgeSet>,
        edit: &EdgeEdit,
        selects: &mut Selects<'_>,
    ) -> Result<()> {
        match &edit.change {
            EdgeChange::Add(edges) => {
                for edge in keyed(attribute, edges) {
                    self.add(base, edge, edit.operation);
                }
            }
            EdgeChange::Set(edges) => {
                self.clear();
                for edge in keyed(attribute, edges) {
                    self.add(base, edge, edit.operation);
                }
            }
            EdgeChange::Remove(edges) => {
                for (key, _) in keyed(attribute, edges) {
                    self.remove(base, &key);
                }
            }
            EdgeChange::RemoveWhere(filter) => {
                let selected = self.selected(attribute, base, filter, selects);
                let selected = selected.map_err(|error| match edit.operation {
                    Some(operation) => error.in_operation(operation),
                    None => error,
                })?;
                for key in selected {
                    self.remove(base, &key);
                }
            }
        }
        Ok(())
    }

    /// Returns the keys of the edges that a filter selects: by the key where the filter names it, else by a walk over all.
    fn selected(
        &self,
        attribute: &EdgeAttribute,
        base: Option<&EdgeSet>,
        filter: &ResolvedFilter,
        selects: &mut Selects<'_>,
    ) -> Result<Vec<Arc<str>>> {
        let picked = match NamedKeys::of(filter.expression(), attribute.parts.value) {
            Some(named) => named.keys.iter().filter_map(|key| self.get(base, key)).collect(),
            None => self.iter(base).collect::<Vec<_>>(),
        };
        let mut selected = Vec::new();
        for (key, edge) in picked {
            if selects(filter, edge)? {
                selected.push(key.clone());
            }
        }
        Ok(selected)
    }

    /// Adds an edge that is not there yet.
    fn add(&mut self, base: Option<&EdgeSet>, (key, edge): Keyed, operation: Option<usize>) {
        if self.keeps(base, &key) || self.added.get(&key).is_some() {
            return;
        }
        if let Some(operation) = operation {
            self.operations.insert(key.clone(), operation);
        }
        self.added.insert(key, edge);
    }

    fn clear(&mut self) {
        self.cleared = true;
        self.added = EdgeSet::default();
    }

    fn remove(&mut self, base: Option<&EdgeSet>, key: &Arc<str>) {
        self.added.remove(key);
        if self.keeps(base, key) {
            self.removed.insert(key.clone());
        }
    }

    /// Returns the edges as they would be, in order.
    pub(crate) fn iter<'s>(
        &'s self,
        base: Option<&'s EdgeSet>,
    ) -> impl Iterator<Item = (&'s Arc<str>, &'s Edge)> {
        let base = base.filter(|_| !self.cleared);
        base.into_iter()
            .flat_map(EdgeSet::iter)
            .filter(|(key, _)| !self.removed.contains(*key))
            .chain(self.added.iter())
    }

    /// Returns one edge as it would be.
    fn get<'s>(&'s self, base: Option<&'s EdgeSet>, key: &str) -> Option<(&'s Arc<str>, &'s Edge)> {
        let kept = base.filter(|base| self.keeps(Some(base), key));
        let set = kept.unwrap_or(&self.added);
        set.order.get(set.places.get(key)?).map(|(key, edge)| (key, edge))
    }

    /// Returns which operation has added the edge.
    pub(crate) fn operation(&self, key: &str) -> Option<usize> {
        self.operations.get(key).copied()
    }

    /// Returns the difference to `base`. An edge that is taken away and comes again unchanged makes none.
    pub(crate) fn settle(self, base: Option<&EdgeSet>) -> Settled {
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

/// Returns the edges as they are kept: each under its key, and without what follows from the other end of a link.
pub(crate) fn keyed<'e>(
    attribute: &'e EdgeAttribute,
    edges: &'e [Edge],
) -> impl Iterator<Item = Keyed> + use<'e> {
    let fold = attribute.fold();
    edges.iter().map(move |edge| {
        let key: Arc<str> = match fold.key(&edge.value) {
            key if *key == *edge.value => Arc::clone(&edge.value),
            key => key.into(),
        };
        let rest = match (&edge.rest, &attribute.link) {
            (Some(rest), Some(_)) => without_computed(rest, attribute),
            (rest, _) => rest.clone(),
        };
        let value = Arc::clone(&edge.value);
        (key, Edge { value, rest })
    })
}

fn without_computed(rest: &JsonBuf, attribute: &EdgeAttribute) -> Option<JsonBuf> {
    let parts = &attribute.parts;
    let is_computed = |name: &str| {
        let index = parts.table.iter().position(|sub| sub.name == name);
        index.is_some_and(|index| parts.is_computed(index))
    };
    let members: Vec<_> = rest
        .as_json()
        .members()
        .filter(|(name, _)| !is_computed(name))
        .collect();
    (!members.is_empty()).then(|| JsonBuf::object(members))
}
