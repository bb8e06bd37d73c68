//! The data that one tenant keeps.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::projection::{Base, Projection, write_resource};
use crate::record::{Record, ScimResource};
use crate::schema::ResourceType;
use crate::store::edge_diff::EdgeSet;
use crate::store::hooks::Consequences;
use crate::store::layout::EdgeAttribute;
use crate::store::links::{Link, Links};
use crate::store::memory::edges::EdgeTable;
use crate::store::memory::layout::{Layout, visit};
use crate::store::{Cause, Event, MovedEdges, Stamp, Stored, Transition};
use crate::value::{DateTime, View};

/// All resources of one tenant, of every type.
#[derive(Default)]
pub(super) struct Tenant {
    tables: HashMap<TypeId, Box<dyn AnyTable>>,
    /// The place of a resource, by its id: a row of a table.
    pub(super) ids: HashMap<Arc<str>, (TypeId, u64)>,
    /// The ids of what was deleted.
    pub(super) dead: HashSet<Arc<str>>,
    /// The edges, by the type of their owners and the attribute.
    pub(super) edges: HashMap<(TypeId, usize), EdgeTable>,
    /// The row of the next resource: rows are in the order of creation.
    pub(super) next_row: u64,
}

/// The resources of one type.
pub(super) struct Table<R> {
    pub(super) layout: Arc<Layout>,
    pub(super) rows: BTreeMap<u64, Row<R>>,
    /// The rows by folded value, one map for each of the layout's key attributes.
    pub(super) keys: Vec<HashMap<Box<str>, BTreeSet<u64>>>,
}

/// One resource.
pub(super) struct Row<R> {
    /// The part of it that is kept: neither edges, nor what mirrors edges, nor transient attributes.
    pub(super) stored: Stored<R>,
    /// The document that shows by default what is kept, with holes.
    pub(super) document: Bytes,
}

/// A resource of any type.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) resource_type: &'static ResourceType,
    pub(super) id: &'a str,
    pub(super) record: &'a dyn Record,
}

/// A table, whatever it holds.
trait AnyTable: Any + Send + Sync {
    fn resource_type(&self) -> &'static ResourceType;
    fn record(&self, row: u64) -> Option<(&str, &dyn Record)>;
    /// Makes a resource its next version because an edge of it is gone with the resource that it led to.
    fn lose_edge(&mut self, row: u64, now: DateTime, lost: &LostEdge<'_>);
}

/// An edge that is gone with the resource that it led to.
pub(super) struct LostEdge<'a> {
    /// The attribute.
    pub(super) attribute: &'static str,
    /// The id of the resource that was deleted.
    pub(super) id: &'a str,
    /// Its deletion.
    pub(super) cause: &'a Cause,
    /// The place at which it is told, if anybody hears.
    pub(super) consequences: Option<&'a Consequences>,
}

impl<R: ScimResource> AnyTable for Table<R> {
    fn resource_type(&self) -> &'static ResourceType {
        R::RESOURCE_TYPE
    }

    fn record(&self, row: u64) -> Option<(&str, &dyn Record)> {
        let row = self.rows.get(&row)?;
        Some((row.id(), row.resource()))
    }

    fn lose_edge(&mut self, row: u64, now: DateTime, lost: &LostEdge<'_>) {
        let Some(row) = self.rows.get_mut(&row) else {
            return;
        };
        let before = row.resource().clone();
        let stamp = row.stored.stamp().next(now);
        *row = Row::new(row.id(), &stamp, before.clone());
        if let Some(consequences) = lost.consequences.filter(|others| others.are_heard::<R>()) {
            let transition = Transition::Changed {
                before: Some(before),
                after: Some(row.resource().clone()),
            };
            let edges = vec![MovedEdges::lost(lost.attribute, lost.id)];
            let cause = lost.cause.clone();
            consequences.push(Event::new(row.id(), stamp.version, transition, edges, cause));
        }
    }
}

impl<R: ScimResource> Row<R> {
    /// Makes the row of a resource without edges.
    pub(super) fn new(id: &str, stamp: &Stamp, resource: R) -> Self {
        let stored = Stored::new(id, stamp, resource);
        let mut document = Vec::new();
        let shown = Projection::default_of(R::RESOURCE_TYPE);
        write_resource(&mut document, &stored.resource, &shown, Base::Hole);
        Self {
            stored,
            document: document.into(),
        }
    }

    pub(super) fn resource(&self) -> &R {
        &self.stored.resource
    }

    pub(super) fn id(&self) -> &str {
        self.stored.resource.id().as_str()
    }
}

impl<R: ScimResource> Table<R> {
    pub(super) fn new(links: &Links) -> Result<Self> {
        let layout = Layout::of::<R>(links)?;
        Ok(Self {
            keys: layout.keys.iter().map(|_| HashMap::new()).collect(),
            rows: BTreeMap::new(),
            layout: Arc::new(layout),
        })
    }

    /// Puts a row into its place and into the indexes, and takes out what was there.
    pub(super) fn put(&mut self, number: u64, row: Row<R>) {
        self.take(number);
        for (attribute, keys) in self.layout.keys.iter().zip(&mut self.keys) {
            for key in keys_of(row.resource(), attribute) {
                keys.entry(key).or_default().insert(number);
            }
        }
        self.rows.insert(number, row);
    }

    /// Takes a row out.
    pub(super) fn take(&mut self, number: u64) -> Option<Row<R>> {
        let row = self.rows.remove(&number)?;
        for (attribute, keys) in self.layout.keys.iter().zip(&mut self.keys) {
            for key in keys_of(row.resource(), attribute) {
                if let Some(rows) = keys.get_mut(&key) {
                    rows.remove(&number);
                    if rows.is_empty() {
                        keys.remove(&key);
                    }
                }
            }
        }
        Some(row)
    }
}

/// Returns the folded values of a key attribute.
pub(super) fn keys_of(record: &dyn Record, attribute: &super::layout::KeyAttribute) -> Vec<Box<str>> {
    let mut keys = Vec::new();
    let fold = attribute.attribute.fold();
    visit(&View::Complex(record), attribute.path.steps(), &mut |value| {
        keys.extend(value.key(fold).map(String::into_boxed_str));
    });
    keys
}

impl Tenant {
    /// Returns the table of a type, if anything of the type was ever created.
    pub(super) fn table<R: ScimResource>(&self) -> Option<&Table<R>> {
        let table: &dyn Any = &**self.tables.get(&TypeId::of::<R>())?;
        table.downcast_ref()
    }

    pub(super) fn table_mut<R: ScimResource>(&mut self) -> Option<&mut Table<R>> {
        let table: &mut dyn Any = &mut **self.tables.get_mut(&TypeId::of::<R>())?;
        table.downcast_mut()
    }

    /// Makes sure that there is a table.
    pub(super) fn prepare<R: ScimResource>(&mut self, links: &Links) -> Result<Arc<Layout>> {
        if self.table::<R>().is_none() {
            self.tables
                .insert(TypeId::of::<R>(), Box::new(Table::<R>::new(links)?));
        }
        let table = self.table::<R>();
        table
            .map(|table| table.layout.clone())
            .ok_or_else(|| Error::internal("a table of another type"))
    }

    /// Returns the row of a resource of type `R`.
    pub(super) fn row_of<R: ScimResource>(&self, id: &str) -> Option<u64> {
        let (type_id, row) = self.ids.get(id)?;
        (*type_id == TypeId::of::<R>()).then_some(*row)
    }

    /// Returns a resource of any type.
    pub(super) fn resource(&self, type_id: TypeId, row: u64) -> Option<Found<'_>> {
        let table = self.tables.get(&type_id)?;
        let (id, record) = table.record(row)?;
        Some(Found {
            resource_type: table.resource_type(),
            id,
            record,
        })
    }

    /// Finds a resource of any type by its id.
    pub(super) fn find(&self, id: &str) -> Option<Found<'_>> {
        let (type_id, row) = self.ids.get(id)?;
        self.resource(*type_id, *row)
    }

    /// Makes a resource of any type its next version because an edge of it is gone.
    pub(super) fn lose_edge(&mut self, type_id: TypeId, row: u64, now: DateTime, lost: &LostEdge<'_>) {
        if let Some(table) = self.tables.get_mut(&type_id) {
            table.lose_edge(row, now, lost);
        }
    }

    /// Returns the edges that a link is about.
    pub(super) fn edge_table(&self, link: &Link) -> Option<&EdgeTable> {
        self.edges.get(&(link.edges().type_id(), link.edges().index()))
    }

    /// Returns the edges of a resource.
    pub(super) fn edges_of(&self, owner: TypeId, attribute: &EdgeAttribute, row: u64) -> Option<&EdgeSet> {
        self.edges.get(&(owner, attribute.index))?.of(row)
    }
}
