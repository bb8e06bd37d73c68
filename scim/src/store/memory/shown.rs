//! A resource as it is shown: what is kept of it, its edges, and what mirrors the edges of others.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::record::Record;
use crate::schema::{Attribute, Type};
use crate::store::links::display_name;
use crate::store::memory::edges::{Edge, EdgeSet};
use crate::store::memory::layout::{EdgeAttribute, Layout, Parts};
use crate::store::memory::tenant::{Found, Tenant};
use crate::value::{Binary, Change, Cx, DateTime, Edit, Json, JsonBuf, Multi, Reference, View};

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
        if let Some(edges) = self.layout.edges.iter().find(|edges| edges.index == index) {
            let held = Held { shown: self, edges };
            return match held.is_empty() {
                true => View::Absent,
                false => View::OwnedMulti(Box::new(held)),
            };
        }
        if self.layout.derived.iter().any(|derived| derived.index == index) {
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
            .edges_of(self.shown.layout.type_id, self.edges, self.shown.row);
        set.map_or(0, EdgeSet::len)
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let set = self
            .shown
            .tenant
            .edges_of(self.shown.layout.type_id, self.edges, self.shown.row);
        let mut edges = set.into_iter().flat_map(EdgeSet::iter);
        edges.try_for_each(|(_, edge)| {
            visit(View::Complex(&Reached::by_edge(
                self.shown.tenant,
                self.edges,
                edge,
            )))
        })
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
            .derived
            .iter()
            .filter(|derived| derived.index == self.index);
        derived.try_for_each(|derived| {
            let table = tenant.edge_table(&derived.link);
            let mut owners = table.into_iter().flat_map(|table| table.owners(id));
            owners.try_for_each(|owner| {
                let owner = tenant.resource(derived.link.edges().type_id(), owner);
                owner.map_or(ControlFlow::Continue(()), |owner| {
                    visit(View::Complex(&Reached::by_mirror(derived.parts, owner)))
                })
            })
        })
    }
}

/// An edge, seen from one of its ends.
pub(super) struct Reached<'a> {
    parts: Parts,
    value: &'a str,
    reference: Option<Reference>,
    kind: Option<&'static str>,
    display: Option<String>,
    rest: Option<Json<'a>>,
}

impl<'a> Reached<'a> {
    /// What stands behind an edge.
    pub(super) fn by_edge(tenant: &Tenant, attribute: &EdgeAttribute, edge: &'a Edge) -> Self {
        let target = attribute.link.as_ref().and_then(|_| tenant.find(&edge.value));
        Self {
            parts: attribute.parts,
            value: &edge.value,
            reference: target.map(|found| Reference::resource(found.resource_type.endpoint, &edge.value)),
            kind: target.map(|found| found.resource_type.name),
            display: target.and_then(|found| display_name(found.record)),
            rest: edge.rest.as_ref().map(JsonBuf::as_json),
        }
    }

    /// The owner of an edge.
    fn by_mirror(parts: Parts, owner: Found<'a>) -> Self {
        Self {
            parts,
            reference: Some(Reference::resource(owner.resource_type.endpoint, owner.id)),
            value: owner.id,
            kind: Some("direct"),
            display: display_name(owner.record),
            rest: None,
        }
    }
}

impl Record for Reached<'_> {
    fn attributes(&self) -> &'static [Attribute] {
        self.parts.table
    }

    fn view(&self, index: usize) -> View<'_> {
        let here = Some(index);
        let computed = match self {
            _ if index == self.parts.value => Some(View::text(self.value)),
            _ if here == self.parts.reference => self
                .reference
                .as_ref()
                .map(|reference| View::Relative(reference.as_str().into())),
            _ if here == self.parts.kind => self.kind.map(View::text),
            _ if here == self.parts.display => self.display.as_deref().map(View::text),
            _ => None,
        };
        computed.unwrap_or_else(|| match (self.rest, self.parts.table.get(index)) {
            (Some(rest), Some(attribute)) => view_member(rest, attribute),
            _ => View::Absent,
        })
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Err(Error::internal("an edit of what is only shown"))
    }
}

/// A complex value that is kept as JSON.
struct JsonRecord<'a> {
    table: &'static [Attribute],
    json: Json<'a>,
}

impl Record for JsonRecord<'_> {
    fn attributes(&self) -> &'static [Attribute] {
        self.table
    }

    fn view(&self, index: usize) -> View<'_> {
        self.table
            .get(index)
            .map_or(View::Absent, |attribute| view_member(self.json, attribute))
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Err(Error::internal("an edit of what is only shown"))
    }
}

/// The values of a multi-valued sub-attribute that is kept as JSON.
struct JsonValues<'a> {
    attribute: &'static Attribute,
    json: Json<'a>,
}

impl Multi for JsonValues<'_> {
    fn len(&self) -> usize {
        self.json.elements().count()
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.json
            .elements()
            .try_for_each(|json| visit(view_json(json, self.attribute)))
    }
}

fn view_member<'a>(object: Json<'a>, attribute: &'static Attribute) -> View<'a> {
    match object.get(attribute.name) {
        None => View::Absent,
        Some(json) if attribute.shape.multi_valued => {
            View::OwnedMulti(Box::new(JsonValues { attribute, json }))
        }
        Some(json) => view_json(json, attribute),
    }
}

fn view_json<'a>(json: Json<'a>, attribute: &'static Attribute) -> View<'a> {
    let text = || json.as_str();
    let view = match attribute.shape.kind {
        Type::String => text().map(View::Str),
        Type::Reference => text().map(|text| match Reference::read(&text) {
            Ok(place) if place.is_resource() => View::Relative(text),
            _ => View::Str(text),
        }),
        Type::Boolean => json.as_bool().map(View::Bool),
        Type::Integer => json.as_exact_i64().map(View::Int),
        Type::Decimal => json.as_f64().map(View::Decimal),
        Type::DateTime => text()
            .and_then(|text| DateTime::parse(&text).ok())
            .map(View::Time),
        Type::Binary => text()
            .and_then(|text| Binary::parse(&text).ok())
            .map(|bytes| View::Binary(bytes.into_bytes().into())),
        Type::Complex => Some(View::Owned(Box::new(JsonRecord {
            table: attribute.shape.sub_attributes,
            json,
        }))),
    };
    view.unwrap_or_default()
}
