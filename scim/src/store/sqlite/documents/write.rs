//! The jobs that change: each runs in the transaction of the writer, and has been prepared as far as possible.

use std::collections::BTreeMap;

use super::core::Core;
use super::document::{self, Documents, Stamp, unload};
use super::edges::{self, Done, EdgeDelta};
use super::keys::Keys;
use super::layout::Layout;
use super::rows::{self, Kept};
use super::show;
use super::tables;
use crate::Result;
use crate::error::Error;
use crate::patch::Patch;
use crate::record::{Record, ScimResource};
use crate::store::sqlite::Transaction;
use crate::store::{Precondition, Stored, Write, clear_transient, not_found};

/// What every job needs.
pub(super) struct Job<'t, C> {
    pub(super) tx: &'t Transaction<'t>,
    pub(super) core: &'t Core<C>,
    pub(super) layout: &'t Layout,
    pub(super) tenant: i64,
    pub(super) cx: &'t C,
}

/// A resource made ready for its row.
pub(super) struct Prepared<R> {
    pub(super) resource: R,
    pub(super) documents: Documents,
    pub(super) keys: Keys,
    /// By attribute of edges; `None` where the rows are to stay as they are.
    pub(super) edges: Vec<Option<Vec<String>>>,
}

impl<R: ScimResource> Prepared<R> {
    /// Takes what only the store may say out of a resource, and writes its documents.
    pub(super) fn new(layout: &Layout, mut resource: R) -> Result<Self> {
        clear_derived(layout, &mut resource)?;
        let documents = Documents::of(layout, &resource)?;
        let keys = Keys::of(layout, &resource);
        let edges = layout
            .edges
            .iter()
            .map(|edges| edges::ids_in(&resource, edges))
            .collect();
        Ok(Self {
            resource,
            documents,
            keys,
            edges,
        })
    }
}

fn clear_derived(layout: &Layout, record: &mut dyn Record) -> Result<()> {
    for derived in &layout.derived {
        if let [index] = derived.path.steps() {
            document::clear(record, *index)?;
        }
    }
    Ok(())
}

/// What a change does to the edges: by attribute of edges, in order.
pub(super) type Deltas = Vec<(usize, Option<usize>, EdgeDelta)>;

/// The ids that came and went.
#[derive(Default)]
struct Moved {
    added: Vec<String>,
    removed: Vec<String>,
}

impl Moved {
    fn is_none(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    fn balance(&self) -> i64 {
        let count = |ids: &[String]| i64::try_from(ids.len()).unwrap_or(i64::MAX);
        count(&self.added) - count(&self.removed)
    }
}

/// What became of a change.
pub(super) struct Outcome {
    pub(super) row: Kept,
    pub(super) changed: bool,
}

impl<C: 'static> Job<'_, C> {
    pub(super) fn create<R: ScimResource>(
        &self,
        prepared: Prepared<R>,
        id: &str,
        stamp: Stamp,
    ) -> Result<Stored<R>> {
        let Prepared {
            mut resource,
            documents,
            keys,
            edges,
        } = prepared;
        let rid = rows::insert(self.tx, self.layout, self.tenant, id, stamp, &documents, &keys)?;
        let deltas = edges.into_iter().enumerate().filter_map(|(at, ids)| {
            let ids = ids.filter(|ids| !ids.is_empty())?;
            Some((at, None, EdgeDelta::Add(ids)))
        });
        let moved = self.move_edges(rid, &deltas.collect())?;
        if !moved.is_none() {
            self.tx.execute(
                "UPDATE scim_resource SET edges = ?2 WHERE rid = ?1",
                &[rid.into(), moved.balance().into()],
            )?;
            show::fill_edges(self.tx, self.layout, rid, &mut resource)?;
        }
        tables::counted(self.tx, self.tenant, self.layout.number, 1)?;
        if self.core.is_joined() {
            self.tell(id, &Write::Created { after: &resource })?;
        }
        clear_transient(&mut resource)?;
        Ok(Stored {
            version: stamp.version(),
            resource,
        })
    }

    pub(super) fn row<R: ScimResource>(&self, id: &str, precondition: &Precondition) -> Result<Kept> {
        let row = rows::find(self.tx, self.layout, self.tenant, id)?.ok_or_else(|| not_found::<R>(id))?;
        precondition.check_write(&row.stamp.version())?;
        Ok(row)
    }

    pub(super) fn replace<R: ScimResource>(
        &self,
        prepared: Prepared<R>,
        id: &str,
        precondition: &Precondition,
    ) -> Result<Stored<R>> {
        let row = self.row::<R>(id, precondition)?;
        let deltas = prepared.edges.iter().enumerate().filter_map(|(at, ids)| {
            let ids = ids.clone()?;
            Some((at, None, EdgeDelta::Set(ids)))
        });
        let loaded = prepared
            .edges
            .iter()
            .any(|ids| ids.as_ref().is_some_and(|ids| !ids.is_empty()));
        let deltas = deltas.collect();
        let (outcome, mut resource) = self.change(row, id, None, Some(prepared), &deltas)?;
        let stamp = outcome.row.stamp;
        if let Some(resource) = &mut resource {
            *resource.meta_mut() = stamp.meta(self.layout, id);
            if loaded {
                show::fill_edges(self.tx, self.layout, outcome.row.rid, resource)?;
            }
            show::fill_derived(self.tx, self.layout, outcome.row.rid, resource)?;
            clear_transient(resource)?;
        }
        let resource = resource.ok_or_else(|| Error::internal("a replaced resource is gone"))?;
        Ok(Stored {
            version: stamp.version(),
            resource,
        })
    }

    /// Applies a PATCH whose changes of edges have been split off, or that has none.
    pub(super) fn patch<R: ScimResource>(
        &self,
        patch: &Patch<R>,
        deltas: &Deltas,
        id: &str,
        precondition: &Precondition,
    ) -> Result<Outcome> {
        let row = self.row::<R>(id, precondition)?;
        if patch.is_empty() {
            return Ok(self.change::<R>(row, id, None, None, deltas)?.0);
        }
        let rows = match patch.touches_edges() {
            true => show::edges_of(self.tx, self.layout, row.rid)?,
            false => String::new(),
        };
        let mut before: R = row.documents.decode(&rows)?;
        if !patch.touches_edges() {
            unload(self.layout, &mut before)?;
        }
        let Some(after) = patch.apply(&before)?.resource else {
            return Ok(self.change::<R>(row, id, Some(before), None, deltas)?.0);
        };
        let prepared = Prepared::new(self.layout, after)?;
        let mut all: Deltas = Vec::new();
        for (at, ids) in prepared.edges.iter().enumerate() {
            all.extend(ids.clone().map(|ids| (at, None, EdgeDelta::Set(ids))));
        }
        all.extend(deltas.iter().cloned());
        Ok(self.change(row, id, Some(before), Some(prepared), &all)?.0)
    }

    /// Makes the next state of a row, if it is another one.
    fn change<R: ScimResource>(
        &self,
        row: Kept,
        id: &str,
        before: Option<R>,
        after: Option<Prepared<R>>,
        deltas: &Deltas,
    ) -> Result<(Outcome, Option<R>)> {
        let moved = self.move_edges(row.rid, deltas)?;
        let rewritten = match &after {
            Some(after) => {
                document::has_transient(self.layout, &after.resource)
                    || !after.documents.same(&row.documents)?
            }
            None => false,
        };
        if !rewritten && moved.is_none() {
            return Ok((Outcome { row, changed: false }, after.map(|after| after.resource)));
        }
        let stamp = row.stamp.next(self.core.now());
        let visible = match &after {
            Some(after) => &after.documents.visible,
            None => &row.documents.visible,
        };
        let hidden = match &after {
            Some(after) => after.documents.hidden.clone(),
            None => row.documents.hidden.clone(),
        };
        let next = Kept {
            rid: row.rid,
            stamp,
            edges: row.edges + moved.balance(),
            documents: Documents {
                visible: Documents::stamped(visible, self.layout, id, stamp)?,
                hidden,
            },
        };
        let needs_before = self.core.is_joined() || (rewritten && self.layout.has_value_rows());
        let before = match before {
            None if needs_before => Some(self.state::<R>(&row)?),
            before => before,
        };
        match &after {
            Some(after) if rewritten => {
                let old = match (&before, self.layout.has_value_rows()) {
                    (Some(before), true) => Some(Keys::of(self.layout, before)),
                    _ => None,
                };
                rows::update(
                    self.tx,
                    self.layout,
                    self.tenant,
                    &next,
                    &after.keys,
                    old.as_ref(),
                )?;
            }
            _ => rows::restamp(self.tx, &next)?,
        }
        let mut resource = after.map(|after| after.resource);
        if let Some(before) = before.filter(|_| self.core.is_joined()) {
            self.tell_changed(id, &next, &before, resource.as_mut(), &moved)?;
        }
        Ok((
            Outcome {
                row: next,
                changed: true,
            },
            resource,
        ))
    }

    fn tell_changed<R: ScimResource>(
        &self,
        id: &str,
        next: &Kept,
        before: &R,
        after: Option<&mut R>,
        moved: &Moved,
    ) -> Result<()> {
        let meta = next.stamp.meta(self.layout, id);
        let mut same;
        let after = match after {
            Some(after) => after,
            None => {
                same = before.clone();
                &mut same
            }
        };
        *after.meta_mut() = meta;
        let write = Write::Changed {
            before,
            after,
            added: &moved.added,
            removed: &moved.removed,
        };
        self.tell(id, &write)
    }

    /// The state of a row without its edges.
    fn state<R: ScimResource>(&self, row: &Kept) -> Result<R> {
        let mut state = row.documents.decode("")?;
        unload(self.layout, &mut state)?;
        Ok(state)
    }

    fn tell(&self, id: &str, write: &Write<'_>) -> Result<()> {
        self.core.tell(self.tx, self.cx, self.layout, id, write)
    }

    fn move_edges(&self, rid: i64, deltas: &Deltas) -> Result<Moved> {
        let mut all = Moved::default();
        let mut by_attribute: BTreeMap<usize, Done<'_>> = BTreeMap::new();
        for (at, operation, delta) in deltas {
            let Some(edges) = self.layout.edges.get(*at) else {
                continue;
            };
            let done = by_attribute
                .entry(*at)
                .or_insert_with(|| Done::new(self.tx, self.tenant, rid, edges));
            done.apply(delta).map_err(|error| match operation {
                Some(operation) => error.in_operation(*operation),
                None => error,
            })?;
        }
        for done in by_attribute.into_values() {
            let (added, removed) = done.finish();
            all.added.extend(added);
            all.removed.extend(removed);
        }
        Ok(all)
    }

    pub(super) fn delete<R: ScimResource>(&self, id: &str, precondition: &Precondition) -> Result<()> {
        let row = self.row::<R>(id, precondition)?;
        let needs_before = self.core.is_joined() || self.layout.has_value_rows();
        let before = match needs_before {
            true => Some(self.state::<R>(&row)?),
            false => None,
        };
        let keys = before.as_ref().map(|before| Keys::of(self.layout, before));
        self.leave_all(row.rid, id)?;
        self.tx
            .execute("DELETE FROM scim_edge WHERE src = ?1", &[row.rid.into()])?;
        rows::delete(self.tx, self.layout, self.tenant, row.rid, keys.as_ref())?;
        tables::counted(self.tx, self.tenant, self.layout.number, -1)?;
        match before.filter(|_| self.core.is_joined()) {
            Some(before) => self.tell(id, &Write::Deleted { before: &before }),
            None => Ok(()),
        }
    }

    /// Takes a row out of everything that leads to it. Who has lost an edge has changed: version and time say so.
    fn leave_all(&self, rid: i64, id: &str) -> Result<()> {
        let left = self.tx.query_all(
            "SELECT src, count(*) FROM scim_edge WHERE dst = ?1 AND src <> ?1 GROUP BY src",
            &[rid.into()],
            |row| Ok((row.integer(0)?, row.integer(1)?)),
        )?;
        self.tx
            .execute("DELETE FROM scim_edge WHERE dst = ?1", &[rid.into()])?;
        for (src, edges) in left {
            self.leave(src, edges, id)?;
        }
        Ok(())
    }

    fn leave(&self, src: i64, edges: i64, gone: &str) -> Result<()> {
        let sql = "SELECT r.rid, r.version, r.created, r.modified, r.edges, r.hidden, r.doc, r.type, r.id
                   FROM scim_resource r WHERE r.rid = ?1";
        let found = self.tx.query_one(sql, &[src.into()], |row| {
            Ok((Kept::read(row)?, row.integer(7)?, rows::id_of(row, 8)?))
        })?;
        let Some((row, number, id)) = found else {
            return Ok(());
        };
        let Some((layout, decode)) = self.core.numbered.get(&number) else {
            return Ok(());
        };
        let stamp = row.stamp.next(self.core.now());
        let next = Kept {
            rid: row.rid,
            stamp,
            edges: row.edges - edges,
            documents: Documents {
                visible: Documents::stamped(&row.documents.visible, layout, &id, stamp)?,
                hidden: row.documents.hidden.clone(),
            },
        };
        rows::restamp(self.tx, &next)?;
        if !self.core.is_joined() {
            return Ok(());
        }
        let (before, after) = (decode(layout, &row.documents)?, decode(layout, &next.documents)?);
        let removed = [gone.to_owned()];
        let write = Write::Changed {
            before: &*before,
            after: &*after,
            added: &[],
            removed: &removed,
        };
        self.core.tell(self.tx, self.cx, layout, &id, &write)
    }
}
