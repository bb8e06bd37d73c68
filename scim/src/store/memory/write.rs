//! Writes. Each works out everything that can fail first, and then only carries it out.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result, quoted};
use crate::filter::ResolvedFilter;
use crate::limits::Steps;
use crate::path::AttrPath;
use crate::record::ScimResource;
use crate::schema::Uniqueness;
use crate::store::edge_diff::{EdgeDiff, EdgeSet, Settled, selects};
use crate::store::edges::{Edge, EdgeEdit};
use crate::store::layout::EdgeAttribute;
use crate::store::links::Links;
use crate::store::memory::layout::Layout;
use crate::store::memory::query::Reader;
use crate::store::memory::shown::by_edge;
use crate::store::memory::tenant::{LostEdge, Row, Tenant, keys_of};
use crate::store::{
    Current, Decision, Environment, Loads, MOST_EDGES_NAMED, MovedEdges, Put, Reply, Version, Write, Written,
    not_found,
};
use crate::value::View;

/// The values that are unique among all tenants, with the id of the resource that has each.
pub(super) type GlobalKeys = HashMap<(TypeId, AttrPath, Box<str>), Arc<str>>;

/// All that a write needs beside the tenant.
pub(super) struct Writer<'a> {
    pub(super) tenant: &'a mut Tenant,
    pub(super) environment: &'a Environment,
    pub(super) links: &'a Links,
    pub(super) global: &'a Mutex<GlobalKeys>,
}

/// The outcome for the edges, one entry per attribute, and the operations of a PATCH that have added some.
struct Changes(Vec<(Settled, HashMap<Arc<str>, usize>)>);

impl Changes {
    fn is_empty(&self) -> bool {
        self.0.iter().all(|(settled, _)| settled.is_empty())
    }

    /// Says what becomes of the edges, if anybody wants to hear of the write.
    fn tell<R: ScimResource, C>(&self, layout: &Layout, write: &Write<R, C>) {
        if !write.is_observed() {
            return;
        }
        let attributes = layout.shape.edges.iter();
        write.moved(attributes.zip(&self.0).map(|(attribute, (settled, _))| {
            let added = settled.added.iter().map(|(_, edge)| &*edge.value);
            let removed = settled.removed.iter().map(|key| &**key);
            MovedEdges::new(attribute.attribute.name, added, removed)
        }));
    }
}

impl<'a> Writer<'a> {
    /// Decides a write on what is there, and carries it out. Nobody comes in between.
    pub(super) fn write<R: ScimResource, C>(&mut self, write: &Write<R, C>) -> Result<Written<R>> {
        let layout = self.tenant.prepare::<R>(self.links)?;
        let now = self.environment.clock.now();
        let number = self.tenant.row_of::<R>(write.id());
        let decision = match number {
            None => {
                self.check_id(write)?;
                write.decide(None, now)?
            }
            Some(number) if write.loads() == Loads::ResourceWithEdges => {
                let whole = self.reader::<R>()?.with_edges(number, self.row(number)?)?;
                write.decide(Some(&whole), now)?
            }
            Some(number) => write.decide(Current::Stored(&self.row::<R>(number)?.stored), now)?,
        };
        let (number, changed) = match (decision, number) {
            (Decision::Put(put), None) => (self.create(&layout, write, *put)?, true),
            (Decision::Put(put), Some(number)) => (number, self.put(&layout, write, number, *put)?),
            (Decision::Keep, Some(number)) => (number, false),
            (Decision::Delete, Some(number)) => {
                let version = self.delete(&layout, write, number)?;
                return Ok(Written {
                    id: write.id().to_owned(),
                    version,
                    changed: true,
                    answer: None,
                });
            }
            (Decision::Keep | Decision::Delete, None) => return Err(not_found::<R>(write.id())),
        };
        self.written(number, changed, &write.reply())
    }

    /// Refuses an id that a resource of the tenant has, of whatever type, or ever had.
    fn check_id<R: ScimResource, C>(&self, write: &Write<R, C>) -> Result<()> {
        let is_taken = self.tenant.ids.contains_key(write.id()) || self.tenant.dead.contains(write.id());
        match write.loads() == Loads::Nothing && is_taken {
            true => Err(Error::internal(
                "the source of identifiers gave one that was given before",
            )),
            false => Ok(()),
        }
    }

    fn create<R: ScimResource, C>(
        &mut self,
        layout: &Layout,
        write: &Write<R, C>,
        put: Put<R>,
    ) -> Result<u64> {
        let id = write.id();
        let mut resource = put
            .resource
            .ok_or_else(|| Error::internal("a new resource without state"))?;
        layout.shape.clear_derived(&mut resource)?;
        let number = self.tenant.next_row;
        let global = self.global_keys(layout);
        self.check_unique(layout, number, &resource, id, global.as_deref())?;
        let changes = self.changes(layout, number, &put.edges, write.steps())?;
        self.check_references(layout, &changes)?;
        changes.tell(layout, write);
        self.tenant.next_row += 1;
        self.tenant.ids.insert(id.into(), (layout.shape.type_id, number));
        self.commit(
            layout,
            number,
            Row::new(id, &put.stamp, resource),
            changes,
            global,
        );
        Ok(number)
    }

    /// Makes the next state of a row. Says whether it is another one.
    fn put<R: ScimResource, C>(
        &mut self,
        layout: &Layout,
        write: &Write<R, C>,
        number: u64,
        put: Put<R>,
    ) -> Result<bool> {
        let changes = self.changes(layout, number, &put.edges, write.steps())?;
        self.check_references(layout, &changes)?;
        if put.resource.is_none() && changes.is_empty() {
            return Ok(false);
        }
        changes.tell(layout, write);
        let current = self.row::<R>(number)?;
        let id = current.id().to_owned();
        let mut resource = put.resource.unwrap_or_else(|| current.resource().clone());
        layout.shape.clear_derived(&mut resource)?;
        let global = self.global_keys(layout);
        self.check_unique(layout, number, &resource, &id, global.as_deref())?;
        let row = Row::new(&id, &put.stamp, resource);
        self.commit(layout, number, row, changes, global);
        Ok(true)
    }

    fn delete<R: ScimResource, C>(
        &mut self,
        layout: &Layout,
        write: &Write<R, C>,
        number: u64,
    ) -> Result<Version> {
        let id = write.id();
        let row = self.tenant.table_mut::<R>().and_then(|table| table.take(number));
        let row = row.ok_or_else(|| not_found::<R>(id))?;
        if let Some(mut global) = self.global_keys(layout) {
            release(&mut global, layout, row.resource());
        }
        self.tenant.ids.remove(id);
        self.tenant.dead.insert(id.into());
        if write.is_observed() {
            let edges = layout.shape.edges.iter().map(|edges| {
                let had = self.tenant.edges_of(layout.shape.type_id, edges, number);
                let count = u64::try_from(had.map_or(0, EdgeSet::len)).unwrap_or(u64::MAX);
                let named = had.into_iter().flat_map(EdgeSet::iter).take(MOST_EDGES_NAMED);
                let ids = named.map(|(_, edge)| edge.value.to_string());
                MovedEdges::gone(edges.attribute.name, count, ids.collect())
            });
            write.moved(edges);
        }
        for edges in &layout.shape.edges {
            let key = (layout.shape.type_id, edges.index);
            if let Some(table) = self.tenant.edges.get_mut(&key) {
                table.remove_owner(number);
            }
        }
        self.cut_edges_to(write);
        Ok(row.stored.version)
    }

    fn written<R: ScimResource>(&self, number: u64, changed: bool, reply: &Reply) -> Result<Written<R>> {
        let reader = self.reader::<R>()?;
        let row = self.row::<R>(number)?;
        let hides = |most| reader.most_edges(number) > most;
        let is_hidden = reply.most_edges.is_some_and(hides);
        Ok(Written {
            id: row.id().to_owned(),
            version: row.stored.version.clone(),
            changed,
            answer: (!is_hidden).then(|| reader.answer(number, row, &reply.want)),
        })
    }

    /// Takes out the edges that lead to a resource, which makes their owners new versions.
    fn cut_edges_to<R: ScimResource, C>(&mut self, write: &Write<R, C>) {
        let now = self.environment.clock.now();
        let cause = write.as_cause();
        for link in self.links.iter() {
            let owner_type = link.edges().type_id();
            let table = self.tenant.edges.get_mut(&(owner_type, link.edges().index()));
            let owners = table
                .map(|table| table.remove_target(write.id()))
                .unwrap_or_default();
            let lost = LostEdge {
                attribute: link.edges().attribute().map_or("", |attribute| attribute.name),
                id: write.id(),
                cause: &cause,
                consequences: write.consequences(),
            };
            for owner in owners {
                self.tenant.lose_edge(owner_type, owner, now, &lost);
            }
        }
    }

    /// Returns the changes that some edits make to the edges of a row. Edges that no edit names are not read.
    fn changes(&self, layout: &Layout, number: u64, edits: &[EdgeEdit], mut steps: Steps) -> Result<Changes> {
        let changes = layout.shape.edges.iter().map(|attribute| {
            let base = self.tenant.edges_of(layout.shape.type_id, attribute, number);
            let mut diff = EdgeDiff::default();
            let mut selected = |filter: &ResolvedFilter, edge: &Edge| {
                let reached = by_edge(self.tenant, attribute, edge);
                selects(filter, &View::Complex(&reached), &mut steps)
            };
            for edit in edits.iter().filter(|edit| edit.attribute == attribute.path) {
                diff.edit(attribute, base, edit, &mut selected)?;
            }
            let added = diff.iter(None).map(|(key, _)| key);
            let operations = added.filter_map(|key| Some((key.clone(), diff.operation(key)?)));
            let operations = operations.collect();
            Ok((diff.settle(base), operations))
        });
        changes.collect::<Result<_>>().map(Changes)
    }

    fn commit<R: ScimResource>(
        &mut self,
        layout: &Layout,
        number: u64,
        row: Row<R>,
        changes: Changes,
        global: Option<MutexGuard<'a, GlobalKeys>>,
    ) {
        for (attribute, (change, _)) in layout.shape.edges.iter().zip(changes.0) {
            if !change.is_empty() {
                let table = self
                    .tenant
                    .edges
                    .entry((layout.shape.type_id, attribute.index))
                    .or_default();
                table.commit(number, change);
            }
        }
        if let Some(mut global) = global {
            if let Ok(current) = self.row::<R>(number) {
                release(&mut global, layout, current.resource());
            }
            let id: Arc<str> = row.id().into();
            for key in global_keys_of(layout, row.resource()) {
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
                    let owner = global.get(&(layout.shape.type_id, attribute.path, key.clone()));
                    owner.is_some_and(|owner| **owner != *id)
                });
                if here || anywhere {
                    return Err(taken::<R>(attribute.path, &key));
                }
            }
        }
        Ok(())
    }

    fn check_references(&self, layout: &Layout, changes: &Changes) -> Result<()> {
        for (attribute, (change, operations)) in layout.shape.edges.iter().zip(&changes.0) {
            self.check_edges(attribute, change, operations)?;
        }
        Ok(())
    }

    /// Refuses an edge that leads to nothing: to no resource of this tenant, or to one of another type.
    fn check_edges(
        &self,
        attribute: &EdgeAttribute,
        change: &Settled,
        operations: &HashMap<Arc<str>, usize>,
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
        Err(match operations.get(key) {
            Some(index) => error.in_operation(*index),
            None => error,
        })
    }

    /// Locks the values that are unique among all tenants, until the write is done. Returns `None` if the type has no such
    /// values.
    fn global_keys(&self, layout: &Layout) -> Option<MutexGuard<'a, GlobalKeys>> {
        let global = self.global;
        layout
            .has_global_keys()
            .then(|| global.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn reader<R: ScimResource>(&self) -> Result<Reader<'_, R>> {
        Reader::of(self.tenant).ok_or_else(|| Error::internal("a table that was not prepared"))
    }

    fn row<R: ScimResource>(&self, number: u64) -> Result<&Row<R>> {
        let row = self.tenant.table::<R>().and_then(|table| table.rows.get(&number));
        row.ok_or_else(|| Error::internal("a row that is gone"))
    }
}

fn global_keys_of<R: ScimResource>(layout: &Layout, resource: &R) -> Vec<(TypeId, AttrPath, Box<str>)> {
    let attributes = layout.keys.iter();
    let global = attributes.filter(|key| key.attribute.shape.uniqueness == Uniqueness::Global);
    let keys = global.flat_map(|key| {
        keys_of(resource, key)
            .into_iter()
            .map(|text| (layout.shape.type_id, key.path, text))
    });
    keys.collect()
}

fn release<R: ScimResource>(global: &mut GlobalKeys, layout: &Layout, resource: &R) {
    for key in global_keys_of(layout, resource) {
        global.remove(&key);
    }
}

/// Returns 409 for a value that is taken.
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
