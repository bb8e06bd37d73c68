//! The jobs that change: each runs in the transaction of the writer, and has been prepared as far as possible.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::core::Core;
use super::document::{Documents, RowStamp, State};
use super::edges::{self, Moved, walks};
use super::in_transaction::Telling;
use super::keys::Keys;
use super::kind::ByOthers;
use super::layout::{EdgeAttribute, Layout};
use super::prepared::{After, Decided, Deciding, Prepared};
use super::row_key::RowKey;
use super::rows::{self, StoredRow};
use super::show;
use super::tables;
use crate::Result;
use crate::error::Error;
use crate::record::ScimResource;
use crate::store::database::Transaction;
use crate::store::hooks::Consequences;
use crate::store::{
    Cause, EdgeChange, Event, Loads, MOST_EDGES_NAMED, MovedEdges, Stored, Transition, Write, not_found,
};

/// Everything that every job needs.
pub(super) struct Job<'t, C> {
    pub(super) tx: &'t Transaction<'t>,
    pub(super) core: &'t Core<C>,
    pub(super) layout: &'t Layout,
    pub(super) tenant: i64,
    pub(super) cx: &'t C,
}

/// A decision that was made on a snapshot, with the state of the row that it is for.
pub(super) struct Early<R> {
    pub(super) stamp: RowStamp,
    pub(super) prepared: Box<Prepared<R>>,
}

/// The outcome of a write.
pub(super) enum Outcome {
    /// The row as it is now.
    Row { row: StoredRow, changed: bool },
    /// It was deleted; this was its last stamp.
    Deleted(RowStamp),
}

/// Edges that a write may look at on the writer's thread.
const MOST_WALKED: i64 = show::MOST_IN_ONE_PIECE;
/// Bytes of a resource that is decided anew on the writer's thread.
const MOST_DECODED: usize = 64 << 10;

impl<C: 'static> Job<'_, C> {
    pub(super) fn create<R: ScimResource>(
        &self,
        write: &Write<R, C>,
        prepared: &Prepared<R>,
    ) -> Result<Outcome> {
        let id = write.id();
        let Prepared {
            after, edges, stamp, ..
        } = prepared;
        let stamp = *stamp;
        let after = after.as_ref();
        let After {
            resource,
            documents,
            keys,
        } = after.ok_or_else(|| Error::internal("a new resource without state"))?;
        let rid = self.insert(id, stamp, documents, keys)?;
        let moved = edges::carry_out(self.tx, self.layout, self.tenant, rid, edges, &write.steps())?;
        let balance = moved.balance();
        if balance > 0 {
            self.tx.execute(
                "UPDATE scim_resource SET edges = ?3 WHERE tenant = ?1 AND rid = ?2",
                &[self.tenant.into(), rid.into(), balance.into()],
            )?;
        }
        self.tell_write(write, stamp, moved.into_edges(), || {
            Ok(Transition::Created {
                after: resource.clone(),
            })
        })?;
        let row = StoredRow {
            rid,
            stamp,
            edges: balance,
            layout: self.layout.documents,
            documents: documents.clone(),
        };
        Ok(Outcome::Row { row, changed: true })
    }

    /// Makes the row of a new resource, and counts it. Returns the number of the row.
    pub(super) fn insert(
        &self,
        id: &str,
        stamp: RowStamp,
        documents: &Documents,
        keys: &Keys,
    ) -> Result<i64> {
        let row = RowKey {
            tenant: self.tenant,
            rid: self.core.row_keys.next(self.core.now()),
        };
        rows::insert(self.tx, self.layout, row, id, stamp, documents, keys)?;
        tables::counted(self.tx, self.tenant, self.layout.number, 1)?;
        Ok(row.rid)
    }

    /// Carries out a write of a resource that must be there: as it was decided early, if the row is still in the version
    /// for which it was, and otherwise as it is decided now.
    pub(super) fn change<R: ScimResource>(
        &self,
        write: &Write<R, C>,
        early: Option<&Early<R>>,
    ) -> Result<Outcome> {
        let id = write.id();
        let row = rows::find(self.tx, self.layout, self.tenant, id)?.ok_or_else(|| not_found::<R>(id))?;
        match early {
            Some(early) if early.stamp == row.stamp => return self.put(row, write, &early.prepared),
            Some(_) if self.is_long(write, &row) => return Err(Error::conflict()),
            _ => {}
        }
        match self.deciding().decide(&write.briefly(), &row)? {
            Decided::Keep => Ok(Outcome::Row { row, changed: false }),
            Decided::Put(prepared) => self.put(row, write, &prepared),
            Decided::Delete => self.delete(&row, write),
        }
    }

    /// Returns whether deciding the write takes more steps than the writer, for whom everybody waits, should take.
    fn is_long<R: ScimResource>(&self, write: &Write<R, C>, row: &StoredRow) -> bool {
        if write.loads() >= Loads::Resource && row.documents.bytes() > MOST_DECODED {
            return true;
        }
        if write.loads() == Loads::ResourceWithEdges {
            return row.edges > MOST_WALKED;
        }
        let named = |change: &EdgeChange| match change {
            EdgeChange::Add(edges) | EdgeChange::Set(edges) | EdgeChange::Remove(edges) => edges.len(),
            EdgeChange::RemoveWhere(_) => 0,
        };
        let edits = write.edge_edits();
        let steps: usize = edits.iter().map(|edit| named(&edit.change)).sum();
        let sets_edges = write.sets_edges() || edits.iter().any(|edit| walks(self.layout, edit));
        sets_edges && row.edges + i64::try_from(steps).unwrap_or(i64::MAX) > MOST_WALKED
    }

    fn deciding(&self) -> Deciding<'_, C> {
        Deciding {
            reader: self.tx,
            core: self.core,
            layout: self.layout,
            tenant: self.tenant,
        }
    }

    /// Makes the next state of a row, if it is another one.
    fn put<R: ScimResource>(
        &self,
        row: StoredRow,
        write: &Write<R, C>,
        prepared: &Prepared<R>,
    ) -> Result<Outcome> {
        let id = write.id();
        let Prepared {
            before,
            after,
            edges,
            stamp,
        } = prepared;
        let stamp = *stamp;
        let steps = write.briefly().steps();
        let moved = edges::carry_out(self.tx, self.layout, self.tenant, row.rid, edges, &steps)?;
        if after.is_none() && moved.is_none() {
            return Ok(Outcome::Row { row, changed: false });
        }
        let is_told = self.core.in_transaction.of::<R>().is_some();
        let needs_before = is_told || (after.is_some() && self.layout.has_key_rows());
        let found = match before {
            None if needs_before => Some(row.documents.state::<R>()?),
            _ => None,
        };
        let before = before.as_ref().or(found.as_ref());
        let edges = row.edges + moved.balance();
        let (next, after) = match after {
            Some(After {
                resource,
                documents,
                keys,
            }) => {
                let next = StoredRow {
                    stamp,
                    edges,
                    layout: self.layout.documents,
                    documents: documents.clone(),
                    ..row
                };
                let old = before.filter(|_| self.layout.has_key_rows());
                let old = old.map(|before| Keys::of(self.layout, before.record()));
                rows::update(self.tx, self.layout, self.tenant, &next, keys, old.as_ref())?;
                (next, Some(resource))
            }
            None => {
                let next = row.restamped(self.layout, id, stamp, edges)?;
                rows::restamp(self.tx, self.tenant, &next)?;
                (next, None)
            }
        };
        self.tell_write(write, stamp, moved.into_edges(), || {
            let before = before.and_then(State::as_fit).cloned();
            let same = || {
                before
                    .clone()
                    .map(|same| Stored::new(id, &stamp.stamp(), same).resource)
            };
            let after = after.cloned().or_else(same);
            Ok(Transition::Changed { before, after })
        })?;
        Ok(Outcome::Row {
            row: next,
            changed: true,
        })
    }

    /// Runs the application's own statements, and notes for whoever is told after the commit which edges have moved.
    fn tell_write<R: ScimResource>(
        &self,
        write: &Write<R, C>,
        stamp: RowStamp,
        edges: Vec<MovedEdges>,
        transition: impl FnOnce() -> Result<Transition<R>>,
    ) -> Result<()> {
        if write.is_observed() {
            write.moved(edges.iter().cloned());
        }
        self.telling().tell(|| {
            Ok(Event {
                id: write.id().to_owned(),
                version: stamp.version(),
                transition: transition()?,
                edges,
                cause: Cause::Write,
                tolerances: write.all_tolerances(),
            })
        })
    }

    /// Returns how the application is told in this transaction.
    pub(super) fn telling(&self) -> Telling<'_, C> {
        Telling {
            tx: self.tx,
            cx: self.cx,
            hooks: &self.core.in_transaction,
        }
    }

    fn delete<R: ScimResource>(&self, row: &StoredRow, write: &Write<R, C>) -> Result<Outcome> {
        let is_told = self.core.in_transaction.of::<R>().is_some();
        let before = match is_told || self.layout.has_key_rows() {
            true => Some(row.documents.state::<R>()?),
            false => None,
        };
        let keys = before
            .as_ref()
            .map(|before| Keys::of(self.layout, before.record()));
        self.leave_all(row.rid, write)?;
        let gone = match is_told || write.is_observed() {
            true => self.edges_gone(row)?,
            false => Vec::new(),
        };
        self.tx.execute(
            "DELETE FROM scim_edge WHERE tenant = ?1 AND src = ?2",
            &[self.tenant.into(), row.rid.into()],
        )?;
        rows::delete(self.tx, self.layout, self.tenant, row.rid, keys.as_ref())?;
        tables::counted(self.tx, self.tenant, self.layout.number, -1)?;
        self.tell_write(write, row.stamp, gone, || {
            let before = before.and_then(State::fit);
            Ok(Transition::Deleted { before })
        })?;
        Ok(Outcome::Deleted(row.stamp))
    }

    /// Returns the edges of each attribute that go with a row: all are counted, and the first are named.
    fn edges_gone(&self, row: &StoredRow) -> Result<Vec<MovedEdges>> {
        let gone = self.layout.edges.iter().map(|edges| {
            let count = match self.layout.edges.len() {
                1 => row.edges,
                _ => self.count_edges(row.rid, edges)?,
            };
            let mut ids = Vec::new();
            let place = RowKey {
                tenant: self.tenant,
                rid: row.rid,
            };
            edges::walk(self.tx, edges, place, None, |_, value| {
                ids.push(value.id.to_string());
                Ok(match ids.len() < MOST_EDGES_NAMED {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                })
            })?;
            Ok(MovedEdges::gone(
                edges.shape.attribute.name,
                count.unsigned_abs(),
                ids,
            ))
        });
        Ok(Moved(gone.collect::<Result<_>>()?).into_edges())
    }

    fn count_edges(&self, rid: i64, edges: &EdgeAttribute) -> Result<i64> {
        let count = self.tx.query_one(
            "SELECT count(*) FROM scim_edge WHERE tenant = ?1 AND src = ?2 AND attr = ?3",
            &[self.tenant.into(), rid.into(), edges.number.into()],
            |row| row.integer(0),
        )?;
        Ok(count.unwrap_or_default())
    }

    /// Takes a row out of everything that leads to it. Whoever has lost an edge has changed: version and time say so.
    fn leave_all<R: ScimResource>(&self, rid: i64, write: &Write<R, C>) -> Result<()> {
        let mut left = BTreeMap::<i64, Vec<i64>>::new();
        self.tx.query(
            "SELECT src, attr FROM scim_edge WHERE tenant = ?1 AND dst = ?2 AND src <> ?2",
            &[self.tenant.into(), rid.into()],
            |row| {
                left.entry(row.integer(0)?).or_default().push(row.integer(1)?);
                Ok(())
            },
        )?;
        self.tx.execute(
            "DELETE FROM scim_edge WHERE tenant = ?1 AND dst = ?2",
            &[self.tenant.into(), rid.into()],
        )?;
        let cause = write.as_cause();
        let losing = Losing {
            id: write.id(),
            cause: &cause,
            consequences: write.consequences(),
        };
        left.iter()
            .try_for_each(|(src, attributes)| self.leave(*src, attributes, &losing))
    }

    /// Takes the edges of these attributes from a row that led to one that is deleted.
    fn leave(&self, src: i64, attributes: &[i64], losing: &Losing<'_>) -> Result<()> {
        let sql =
            "SELECT r.rid, r.version, r.created, r.modified, r.edges, r.layout, r.hidden, r.doc, r.type, r.id
                   FROM scim_resource r WHERE r.tenant = ?1 AND r.rid = ?2";
        let found = self.tx.query_one(sql, &[self.tenant.into(), src.into()], |row| {
            Ok((StoredRow::read(row)?, row.integer(8)?, rows::id_of(row, 9)?))
        })?;
        let Some((row, number, id)) = found else {
            return Ok(());
        };
        let Some((layout, kind)) = self.core.numbered.get(&number) else {
            return Ok(());
        };
        let edges = i64::try_from(attributes.len()).unwrap_or(i64::MAX);
        let stamp = row.stamp.next(self.core.now())?;
        let next = row.restamped(layout, &id, stamp, row.edges - edges)?;
        rows::restamp(self.tx, self.tenant, &next)?;
        let lost = layout
            .edges
            .iter()
            .filter(|edges| attributes.contains(&edges.number))
            .map(|edges| MovedEdges::lost(edges.shape.attribute.name, losing.id));
        let told = ByOthers {
            id: &id,
            before: &row,
            after: &next,
            edges: lost.collect(),
            cause: losing.cause,
            consequences: losing.consequences,
        };
        (kind.moved)(&self.telling(), told)
    }
}

/// The resource that others lose because it is deleted.
struct Losing<'a> {
    id: &'a str,
    cause: &'a Cause,
    consequences: Option<&'a Consequences>,
}
