//! Writes. Each works out everything that can fail first, and then only carries it out.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result, quoted};
use crate::filter::{Expression, Operand, Operator, ResolvedFilter};
use crate::patch::{Delta, DeltaChange, Patch};
use crate::path::AttrPath;
use crate::record::ScimResource;
use crate::schema::{Uniqueness, position};
use crate::store::links::Links;
use crate::store::memory::edges::{EdgeChange, EdgeLists, EdgeSet, Settled};
use crate::store::memory::layout::{Draft, EdgeAttribute, Layout};
use crate::store::memory::query::Reader;
use crate::store::memory::shown::Reached;
use crate::store::memory::tenant::{Row, Tenant, keys_of};
use crate::store::{Environment, Extent, Patched, Precondition, Reply, Stored};
use crate::value::{ResourceId, Select, View};

/// The values that are unique among all tenants, with the id of the resource that has each.
pub(super) type GlobalKeys = HashMap<(TypeId, AttrPath, Box<str>), Arc<str>>;

/// What a write needs beside the tenant.
pub(super) struct Writer<'a> {
    pub(super) tenant: &'a mut Tenant,
    pub(super) environment: &'a Environment,
    pub(super) links: &'a Links,
    pub(super) global: &'a Mutex<GlobalKeys>,
}

/// The edges that a write changes, one entry per attribute.
type Changes = Vec<Settled>;

impl<'a> Writer<'a> {
    pub(super) fn create<R: ScimResource>(&mut self, resource: R) -> Result<Stored<R>> {
        let layout = self.tenant.prepare::<R>(self.links)?;
        let id = self.fresh_id()?;
        let mut draft = layout.take_apart(resource)?;
        *draft.resource.id_mut() = ResourceId::new(&*id);
        let number = self.tenant.next_row;
        let global = self.global_keys(&layout);
        self.check_unique(&layout, number, &draft.resource, &id, global.as_deref())?;
        let extent = draft.extent();
        let changes = self.changes(&layout, number, draft.edges);
        self.check_references(&layout, &changes, |_| None)?;
        let row = Row::new(draft.resource, self.environment.clock.now());
        self.tenant.next_row += 1;
        self.tenant.ids.insert(id, (layout.type_id, number));
        self.commit(&layout, number, row, changes, global);
        self.stored(number, extent)
    }

    pub(super) fn replace<R: ScimResource>(
        &mut self,
        id: &str,
        resource: R,
        precondition: &Precondition,
    ) -> Result<Stored<R>> {
        let layout = self.tenant.prepare::<R>(self.links)?;
        let number = self.checked::<R>(id, precondition)?;
        let draft = layout.take_apart(resource)?;
        let extent = draft.extent();
        self.put(&layout, number, draft)?;
        self.stored(number, extent)
    }

    pub(super) fn patch<R: ScimResource>(
        &mut self,
        id: &str,
        patch: &Patch<R>,
        precondition: &Precondition,
        reply: &Reply,
    ) -> Result<Patched<R>> {
        let layout = self.tenant.prepare::<R>(self.links)?;
        let number = self.checked::<R>(id, precondition)?;
        let changed = match split(patch, &layout, self.row::<R>(number)?)? {
            Some(divided) => self.patch_by_deltas(&layout, number, &divided)?,
            None => self.patch_whole(&layout, number, patch)?,
        };
        let reader = self.reader::<R>()?;
        let row = self.row::<R>(number)?;
        let hidden = reply
            .most_edges
            .is_some_and(|most| reader.most_edges(number) > most);
        Ok(Patched {
            answer: (!hidden).then(|| reader.answer(number, row, &reply.want)),
            version: row.public_version(),
            changed,
        })
    }

    pub(super) fn delete<R: ScimResource>(&mut self, id: &str, precondition: &Precondition) -> Result<()> {
        let layout = self.tenant.prepare::<R>(self.links)?;
        let number = self.checked::<R>(id, precondition)?;
        let row = self.tenant.table_mut::<R>().and_then(|table| table.take(number));
        if let (Some(mut global), Some(row)) = (self.global_keys(&layout), row) {
            release(&mut global, &layout, &row.resource);
        }
        self.tenant.ids.remove(id);
        self.tenant.dead.insert(id.into());
        for edges in &layout.edges {
            if let Some(table) = self.tenant.edges.get_mut(&(layout.type_id, edges.index)) {
                table.remove_owner(number);
            }
        }
        self.cut_edges_to(id);
        Ok(())
    }

    /// Takes out the edges that lead to a resource, which makes their owners new versions.
    fn cut_edges_to(&mut self, id: &str) {
        let now = self.environment.clock.now();
        for link in self.links.iter() {
            let owner_type = link.edges().type_id();
            let table = self.tenant.edges.get_mut(&(owner_type, link.edges().index()));
            for owner in table.map(|table| table.remove_target(id)).unwrap_or_default() {
                self.tenant.touch(owner_type, owner, now);
            }
        }
    }

    /// Applies a PATCH without reading an edge that it does not name.
    fn patch_by_deltas<R: ScimResource>(
        &mut self,
        layout: &Layout,
        number: u64,
        Divided { deltas, rest }: &Divided<R>,
    ) -> Result<bool> {
        let current = &self.row::<R>(number)?.resource;
        let resource = if rest.is_empty() {
            None
        } else {
            rest.apply(current)?.resource
        };
        let draft = resource.map(|resource| layout.take_apart(resource)).transpose()?;
        let draft = draft.filter(|draft| draft.handed_on || draft.resource != *current);
        let mut settled = Vec::new();
        for (edges, deltas) in layout.edges.iter().zip(deltas) {
            let base = self.tenant.edges_of(layout.type_id, edges, number);
            let mut change = EdgeChange::default();
            for delta in deltas {
                self.apply_delta(edges, base, delta, &mut change);
            }
            let added = change.iter(None).map(|(key, _)| key);
            let operations: HashMap<Arc<str>, usize> = added
                .filter_map(|key| Some((key.clone(), change.operation(key)?)))
                .collect();
            let change = change.settle(base);
            self.check_edges(edges, &change, &|key| operations.get(key).copied())?;
            settled.push(change);
        }
        let global = self.global_keys(layout);
        if let Some(draft) = &draft {
            let id = current.id().as_str();
            self.check_unique(layout, number, &draft.resource, id, global.as_deref())?;
        }
        let changed = draft.is_some() || settled.iter().any(|change| !change.is_empty());
        if changed {
            let resource = draft.map_or_else(|| current.clone(), |draft| draft.resource);
            let row = self.next_version(number, resource)?;
            self.commit(layout, number, row, settled, global);
        }
        Ok(changed)
    }

    fn apply_delta<R: ScimResource>(
        &self,
        edges: &EdgeAttribute,
        base: Option<&EdgeSet>,
        delta: &Delta<R>,
        change: &mut EdgeChange,
    ) {
        let values = |resource: &R| {
            edges
                .take(&crate::record::Record::view(resource, edges.index))
                .unwrap_or_default()
        };
        match &delta.change {
            DeltaChange::Add(resource) => {
                for (key, edge) in values(resource) {
                    change.add(base, key, edge, Some(delta.operation));
                }
            }
            DeltaChange::Set(resource) => {
                change.clear();
                for (key, edge) in values(resource) {
                    change.add(base, key, edge, Some(delta.operation));
                }
            }
            DeltaChange::Clear => change.clear(),
            DeltaChange::RemoveValues(resource) => {
                for (key, _) in values(resource) {
                    change.remove(base, &key);
                }
            }
            DeltaChange::RemoveWhere(filter) => {
                for key in self.selected(edges, base, filter, change) {
                    change.remove(base, &key);
                }
            }
        }
    }

    /// The keys of the edges that a filter selects: by the key where the filter names it, else by a walk over all.
    fn selected(
        &self,
        edges: &EdgeAttribute,
        base: Option<&EdgeSet>,
        filter: &ResolvedFilter,
        change: &EdgeChange,
    ) -> Vec<Arc<str>> {
        let test = |edge| {
            let reached = Reached::by_edge(self.tenant, edges, edge);
            Select::matches(filter, &View::Complex(&reached))
        };
        let picked = match named_keys(filter.expression(), edges.parts.value) {
            Some(keys) => keys.iter().filter_map(|key| change.get(base, key)).collect(),
            None => change.iter(base).collect::<Vec<_>>(),
        };
        let picked = picked.into_iter().filter(|(_, edge)| test(edge));
        picked.map(|(key, _)| key.clone()).collect()
    }

    /// Applies a PATCH to the whole resource with all its edges.
    fn patch_whole<R: ScimResource>(
        &mut self,
        layout: &Layout,
        number: u64,
        patch: &Patch<R>,
    ) -> Result<bool> {
        let extent = if patch.touches_edges() {
            Extent::Whole
        } else {
            Extent::WithoutEdges
        };
        let state = self
            .reader::<R>()?
            .state(number, self.row(number)?, extent, false)?;
        match patch.apply(&state.resource)?.resource {
            None => Ok(false),
            Some(changed) => {
                let draft = layout.take_apart(changed)?;
                self.put(layout, number, draft)
            }
        }
    }

    /// Makes a draft the next version of a row, if it differs. Says whether it does.
    fn put<R: ScimResource>(&mut self, layout: &Layout, number: u64, draft: Draft<R>) -> Result<bool> {
        let Draft {
            mut resource,
            edges,
            handed_on,
        } = draft;
        let current = &self.row::<R>(number)?.resource;
        *resource.id_mut() = current.id().clone();
        *resource.meta_mut() = current.meta().clone();
        let differs = handed_on || resource != *current;
        let id = current.id().as_str().to_owned();
        let global = self.global_keys(layout);
        self.check_unique(layout, number, &resource, &id, global.as_deref())?;
        let changes = self.changes(layout, number, edges);
        self.check_references(layout, &changes, |_| None)?;
        if !differs && changes.iter().all(Settled::is_empty) {
            return Ok(false);
        }
        let row = self.next_version(number, resource)?;
        self.commit(layout, number, row, changes, global);
        Ok(true)
    }

    fn next_version<R: ScimResource>(&self, number: u64, mut resource: R) -> Result<Row<R>> {
        let current = self.row::<R>(number)?;
        *resource.id_mut() = current.resource.id().clone();
        *resource.meta_mut() = current.resource.meta().clone();
        let mut row = Row {
            resource,
            version: current.version,
            document: bytes::Bytes::new(),
        };
        row.advance(self.environment.clock.now());
        Ok(row)
    }

    /// What becomes of the edges if these are to be all; those that are not loaded stay.
    fn changes(&self, layout: &Layout, number: u64, edges: EdgeLists) -> Changes {
        let all = layout.edges.iter().zip(edges);
        let all = all.map(|(attribute, edges)| {
            let base = self.tenant.edges_of(layout.type_id, attribute, number);
            let mut change = EdgeChange::default();
            if let Some(edges) = edges {
                change.clear();
                for (key, edge) in edges {
                    change.add(base, key, edge, None);
                }
            }
            change.settle(base)
        });
        all.collect()
    }

    fn commit<R: ScimResource>(
        &mut self,
        layout: &Layout,
        number: u64,
        row: Row<R>,
        changes: Changes,
        global: Option<MutexGuard<'a, GlobalKeys>>,
    ) {
        for (attribute, change) in layout.edges.iter().zip(changes) {
            if !change.is_empty() {
                let table = self
                    .tenant
                    .edges
                    .entry((layout.type_id, attribute.index))
                    .or_default();
                table.commit(number, change);
            }
        }
        if let Some(mut global) = global {
            if let Ok(current) = self.row::<R>(number) {
                release(&mut global, layout, &current.resource);
            }
            let id: Arc<str> = row.resource.id().as_str().into();
            for key in global_keys_of(layout, &row.resource) {
                global.insert(key, id.clone());
            }
        }
        if let Some(table) = self.tenant.table_mut::<R>() {
            table.put(number, row);
        }
    }

    /// Refuses a value that another resource has already (RFC 7643 section 7).
    fn check_unique<R: ScimResource>(
        &self,
        layout: &Layout,
        number: u64,
        resource: &R,
        id: &str,
        global: Option<&GlobalKeys>,
    ) -> Result<()> {
        let Some(table) = self.tenant.table::<R>() else {
            return Ok(());
        };
        for (attribute, held) in layout.keys.iter().zip(&table.keys) {
            let uniqueness = attribute.attribute.shape.uniqueness;
            if uniqueness == Uniqueness::None {
                continue;
            }
            for key in keys_of(resource, attribute) {
                let here = held
                    .get(&key)
                    .is_some_and(|rows| rows.iter().any(|row| *row != number));
                let anywhere = global.is_some_and(|global| {
                    let owner = global.get(&(layout.type_id, attribute.path, key.clone()));
                    owner.is_some_and(|owner| **owner != *id)
                });
                if here || anywhere {
                    return Err(taken::<R>(attribute.path, &key));
                }
            }
        }
        Ok(())
    }

    fn check_references(
        &self,
        layout: &Layout,
        changes: &Changes,
        operation: impl Fn(&str) -> Option<usize>,
    ) -> Result<()> {
        for (attribute, change) in layout.edges.iter().zip(changes) {
            self.check_edges(attribute, change, &operation)?;
        }
        Ok(())
    }

    /// Refuses an edge that leads to nothing: to no resource of this tenant, or to one of another type.
    fn check_edges(
        &self,
        attribute: &EdgeAttribute,
        change: &Settled,
        operation: &dyn Fn(&str) -> Option<usize>,
    ) -> Result<()> {
        let Some(link) = &attribute.link else {
            return Ok(());
        };
        let targets = link.targets();
        let leads_nowhere = |id: &str| {
            !self
                .tenant
                .find(id)
                .is_some_and(|found| targets.contains(&found.resource_type.name))
        };
        let Some((key, edge)) = change.added.iter().find(|(_, edge)| leads_nowhere(&edge.value)) else {
            return Ok(());
        };
        let error = Error::invalid_value(format!(
            "names {}, but there is no {} with this id",
            quoted(&edge.value),
            targets.join(" or ")
        ));
        let error = error.at(attribute.attribute.name);
        Err(match operation(key) {
            Some(index) => error.in_operation(index),
            None => error,
        })
    }

    /// The values that are unique among all tenants, held until the write is done; `None` if the type has no such.
    fn global_keys(&self, layout: &Layout) -> Option<MutexGuard<'a, GlobalKeys>> {
        let global = self.global;
        layout
            .has_global_keys()
            .then(|| global.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An id that no resource of the tenant has or ever had.
    fn fresh_id(&self) -> Result<Arc<str>> {
        const TRIES: usize = 8;
        let mut ids = (0..TRIES).map(|_| self.environment.ids.next_id());
        let fresh = ids.find(|id| {
            let known = self.tenant.ids.contains_key(id.as_str()) || self.tenant.dead.contains(id.as_str());
            !known && !id.is_empty() && !id.to_ascii_lowercase().contains("bulkid")
        });
        fresh
            .map(Into::into)
            .ok_or_else(|| Error::internal("the source of identifiers gives only such as cannot be used"))
    }

    /// The row that a request means, once its precondition is known to hold.
    fn checked<R: ScimResource>(&self, id: &str, precondition: &Precondition) -> Result<u64> {
        let (number, row) = self.reader::<R>()?.row(id)?;
        precondition.check_write(&row.public_version())?;
        Ok(number)
    }

    fn reader<R: ScimResource>(&self) -> Result<Reader<'_, R>> {
        Reader::of(self.tenant).ok_or_else(|| Error::internal("a table that was not prepared"))
    }

    fn row<R: ScimResource>(&self, number: u64) -> Result<&Row<R>> {
        let row = self.tenant.table::<R>().and_then(|table| table.rows.get(&number));
        row.ok_or_else(|| Error::internal("a row that is gone"))
    }

    fn stored<R: ScimResource>(&self, number: u64, extent: Extent) -> Result<Stored<R>> {
        self.reader::<R>()?.state(number, self.row(number)?, extent, true)
    }
}

impl<R> Draft<R> {
    /// How much of the resource was handed in, and so is handed back.
    fn extent(&self) -> Extent {
        match self.edges.iter().all(Option::is_some) {
            true => Extent::Whole,
            false => Extent::WithoutEdges,
        }
    }
}

fn global_keys_of<R: ScimResource>(layout: &Layout, resource: &R) -> Vec<(TypeId, AttrPath, Box<str>)> {
    let attributes = layout.keys.iter();
    let global = attributes.filter(|key| key.attribute.shape.uniqueness == Uniqueness::Global);
    let keys = global.flat_map(|key| {
        keys_of(resource, key)
            .into_iter()
            .map(|text| (layout.type_id, key.path, text))
    });
    keys.collect()
}

fn release<R: ScimResource>(global: &mut GlobalKeys, layout: &Layout, resource: &R) {
    for key in global_keys_of(layout, resource) {
        global.remove(&key);
    }
}

/// A PATCH in parts: the deltas of each edge attribute, and the rest.
struct Divided<R> {
    deltas: Vec<Vec<Delta<R>>>,
    rest: Patch<R>,
}

/// Divides a PATCH; `None` if the PATCH needs the whole resource.
fn split<R: ScimResource>(patch: &Patch<R>, layout: &Layout, row: &Row<R>) -> Result<Option<Divided<R>>> {
    let mut rest = patch.clone();
    let mut deltas = Vec::with_capacity(layout.edges.len());
    for edges in &layout.edges {
        // One primary value makes the others none, which is more than a delta says.
        if position(edges.parts.table, "primary").is_some() {
            return Ok(None);
        }
        let Some(split) = rest.split_at(edges.path, &row.resource)? else {
            return Ok(None);
        };
        deltas.push(split.deltas);
        rest = split.rest;
    }
    Ok(Some(Divided { deltas, rest }))
}

/// The keys that a filter over edges names, if only edges with these keys can be meant.
fn named_keys(expression: &Expression, key: usize) -> Option<Vec<&str>> {
    match expression {
        Expression::Compare(compare) if compare.operator == Operator::Eq => {
            let is_key = matches!(compare.path.steps(), [step] if usize::from(*step) == key);
            match &compare.operand {
                Operand::Text { key, .. } if is_key => Some(vec![key]),
                _ => None,
            }
        }
        Expression::Or(any) => {
            let mut keys = Vec::new();
            for one in any {
                keys.append(&mut named_keys(one, key)?);
            }
            Some(keys)
        }
        Expression::And(all) => all.iter().find_map(|one| named_keys(one, key)),
        Expression::Never => Some(Vec::new()),
        _ => None,
    }
}

/// 409 for a value that is taken.
fn taken<R: ScimResource>(path: AttrPath, value: &str) -> Error {
    let resource_type = R::RESOURCE_TYPE;
    let names: Vec<_> = path
        .attributes(resource_type.schema.attributes)
        .map(|attribute| attribute.name)
        .collect();
    let error = Error::uniqueness(format!(
        "must be unique, but another {} has the value {}",
        resource_type.name,
        quoted(value)
    ));
    names.into_iter().rev().fold(error, |error, name| error.at(name))
}
