//! A resource as it is shown: what is kept of it, its edges, and what mirrors the edges of others.

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::record::Record;
use crate::schema::Attribute;
use crate::store::Edge;
use crate::store::edge_diff::EdgeSet;
use crate::store::layout::{EdgeAttribute, Parts};
use crate::store::links::display_name;
use crate::store::memory::layout::Layout;
use crate::store::memory::tenant::{Found, Tenant};
use crate::store::reached::Reached;
use crate::value::{Change, Cx, Edit, JsonBuf, Multi, View};

/// A resource with everything that belongs to it.
pub(super) struct Shown<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) layout: &'a Layout,
    pub(super) row: u64,
    pub(super) id: &'a str,
    pub(super) record: &'a dyn Record,
}

impl Record for Shown<'_> {
    fn attributes(&self) -> &'static [Attribute] {
        self.record.attributes()
    }

    fn view(&self, index: usize) -> View<'_> {
        if let Some(edges) = self.layout.shape.edges.iter().find(|edges| edges.index == index) {
            let held = Held { shown: self, edges };
            return match held.is_empty() {
                true => View::Absent,
                false => View::OwnedMulti(Box::new(held)),
            };
        }
        if self
            .layout
            .shape
            .derived
            .iter()
            .any(|derived| derived.index == index)
        {
            let mirrored = Mirrored { shown: self, index };
            return match mirrored.is_empty() {
                true => View::Absent,
                false => View::OwnedMulti(Box::new(mirrored)),
            };
        }
        self.record.view(index)
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Err(Error::internal("an edit of what is only shown"))
    }
}

/// The edges of a resource.
struct Held<'a> {
    shown: &'a Shown<'a>,
    edges: &'a EdgeAttribute,
}

impl Multi for Held<'_> {
    fn len(&self) -> usize {
        let set = self
            .shown
            .tenant
            .edges_of(self.shown.layout.shape.type_id, self.edges, self.shown.row);
        set.map_or(0, EdgeSet::len)
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let set = self
            .shown
            .tenant
            .edges_of(self.shown.layout.shape.type_id, self.edges, self.shown.row);
        let mut edges = set.into_iter().flat_map(EdgeSet::iter);
        edges.try_for_each(|(_, edge)| visit(View::Complex(&by_edge(self.shown.tenant, self.edges, edge))))
    }
}

/// The values that mirror the edges of other resources to this one.
struct Mirrored<'a> {
    shown: &'a Shown<'a>,
    index: usize,
}

impl Multi for Mirrored<'_> {
    fn len(&self) -> usize {
        let mut len = 0;
        _ = self.try_for_each(&mut |_| {
            len += 1;
            ControlFlow::Continue(())
        });
        len
    }

    fn is_empty(&self) -> bool {
        self.try_for_each(&mut |_| ControlFlow::Break(())).is_continue()
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let Shown {
            tenant, layout, id, ..
        } = self.shown;
        let mut derived = layout
            .shape
            .derived
            .iter()
            .filter(|derived| derived.index == self.index);
        derived.try_for_each(|derived| {
            let table = tenant.edge_table(&derived.link);
            let mut owners = table.into_iter().flat_map(|table| table.owners(id));
            owners.try_for_each(|owner| {
                let owner = tenant.resource(derived.link.edges().type_id(), owner);
                owner.map_or(ControlFlow::Continue(()), |owner| {
                    visit(View::Complex(&by_mirror(derived.parts, owner)))
                })
            })
        })
    }
}

/// Returns what stands behind an edge.
pub(super) fn by_edge<'a>(tenant: &Tenant, attribute: &EdgeAttribute, edge: &'a Edge) -> Reached<'a> {
    let target = attribute.link.as_ref().and_then(|_| tenant.find(&edge.value));
    Reached {
        parts: attribute.parts,
        id: Cow::Borrowed(&edge.value),
        segment: target.map(|found| found.resource_type.segment()),
        kind: target.map(|found| found.resource_type.name),
        display: target
            .and_then(|found| display_name(found.record))
            .map(Cow::Owned),
        rest: edge.rest.as_ref().map(JsonBuf::as_json),
    }
}

/// Returns the owner of an edge, as the attribute that mirrors the edge shows it.
fn by_mirror<'a>(parts: Parts, owner: Found<'a>) -> Reached<'a> {
    Reached {
        parts,
        id: Cow::Borrowed(owner.id),
        segment: Some(owner.resource_type.segment()),
        kind: Some("direct"),
        display: display_name(owner.record).map(Cow::Owned),
        rest: None,
    }
}
