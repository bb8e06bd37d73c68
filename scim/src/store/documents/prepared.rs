//! A write as it is decided: everything that its transaction needs, made ready before it or in it.

use super::core::Core;
use super::document::{Documents, RowStamp, State};
use super::edges::{EdgeWork, difference, walks};
use super::keys::Keys;
use super::layout::Layout;
use super::rows::StoredRow;
use super::show;
use crate::error::{Error, Result};
use crate::record::ScimResource;
use crate::store::database::Reader;
use crate::store::{Current, Decision, Loads, Put, Stored, Write};

/// The next state of a row.
pub(super) struct Prepared<R> {
    /// The state before, where it was read.
    pub(super) before: Option<State<R>>,
    /// The new state; `None` if edges alone may change.
    pub(super) after: Option<After<R>>,
    pub(super) edges: EdgeWork,
    pub(super) stamp: RowStamp,
}

/// A resource made ready for its row.
pub(super) struct After<R> {
    /// The resource, with what is handed on and not kept.
    pub(super) resource: R,
    pub(super) documents: Documents,
    pub(super) keys: Keys,
}

impl<R: ScimResource> Prepared<R> {
    pub(super) fn new(layout: &Layout, put: Put<R>) -> Result<Self> {
        let after = put.resource.map(|mut resource| {
            layout.shape.clear_derived(&mut resource)?;
            Ok::<_, Error>(After {
                documents: Documents::of(layout, &resource)?,
                keys: Keys::of(layout, &resource),
                resource: put.handed_on.unwrap_or(resource),
            })
        });
        Ok(Self {
            before: None,
            after: after.transpose()?,
            edges: EdgeWork::Edits(put.edges),
            stamp: RowStamp::of(&put.stamp)?,
        })
    }
}

/// The place where a write is decided.
pub(super) struct Deciding<'d, C> {
    pub(super) reader: &'d Reader<'d>,
    pub(super) core: &'d Core<C>,
    pub(super) layout: &'d Layout,
    pub(super) tenant: i64,
}

/// The decision about a row.
pub(super) enum Decided<R> {
    Keep,
    Put(Box<Prepared<R>>),
    Delete,
}

impl<C: 'static> Deciding<'_, C> {
    /// Decides a write on a row as it is found.
    pub(super) fn decide<R: ScimResource>(&self, write: &Write<R, C>, row: &StoredRow) -> Result<Decided<R>> {
        let now = self.core.now();
        let stamp = row.stamp.stamp();
        let loads = write.loads();
        if loads <= Loads::Stamp {
            return self.decided(write.decide(Current::Stamp(&stamp), now)?, None);
        }
        let state = match loads {
            Loads::ResourceWithEdges => {
                let edges = show::edges_of(self.reader, self.layout, row.key(self.tenant))?;
                row.documents.decode(&edges)?
            }
            _ => row.documents.state()?,
        };
        match state {
            State::Fit(resource) => {
                let stored = Stored::new(write.id(), &stamp, resource);
                let decision = write.decide(Some(&stored), now)?;
                self.decided(decision, Some(State::Fit(stored.resource)))
            }
            State::Unfit(remains) => {
                let current = Current::Unfit {
                    stamp: &stamp,
                    record: &remains,
                    fault: &remains.fault,
                };
                let decision = write.decide(current, now)?;
                self.decided(decision, Some(State::Unfit(remains)))
            }
        }
    }

    fn decided<R: ScimResource>(
        &self,
        decision: Decision<R>,
        before: Option<State<R>>,
    ) -> Result<Decided<R>> {
        Ok(match decision {
            Decision::Keep => Decided::Keep,
            Decision::Delete => Decided::Delete,
            Decision::Put(put) => {
                let mut prepared = Prepared::new(self.layout, *put)?;
                prepared.before = before;
                Decided::Put(Box::new(prepared))
            }
        })
    }

    /// Works out beside the transaction what must look at edges that the write does not name.
    pub(super) fn look_ahead<R: ScimResource>(
        &self,
        write: &Write<R, C>,
        prepared: &mut Prepared<R>,
        rid: i64,
    ) -> Result<()> {
        let EdgeWork::Edits(edits) = &prepared.edges else {
            return Ok(());
        };
        if edits.iter().any(|edit| walks(self.layout, edit)) {
            let steps = difference(self.reader, self.layout, self.tenant, rid, edits, &write.steps())?;
            prepared.edges = EdgeWork::Difference(steps);
        }
        Ok(())
    }
}
