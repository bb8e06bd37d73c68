//! What the store needs to know of a resource type, worked out once.

use std::any::TypeId;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::fold::Fold;
use crate::path::AttrPath;
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::schema::{Attribute, Mutability, Role, Type, Uniqueness, position};
use crate::store::clear_transient;
use crate::store::links::{Link, Links};
use crate::store::memory::edges::{Edge, EdgeLists, Keyed};
use crate::value::{Action, Cx, Edit, Intent, Json, JsonBuf, Strict, View};

/// A resource type as the store sees it.
#[derive(Debug)]
pub(super) struct Layout {
    /// The type in Rust.
    pub(super) type_id: TypeId,
    /// The attributes whose values are kept beside the resource.
    pub(super) edges: Vec<EdgeAttribute>,
    /// The attributes that mirror edges of other resources.
    pub(super) derived: Vec<Derived>,
    /// Where these stand: what no document holds, beside the edges.
    pub(super) apart: Vec<AttrPath>,
    /// The attributes by whose values resources are found without a scan.
    pub(super) keys: Vec<KeyAttribute>,
    /// Where `id` stands.
    pub(super) id: AttrPath,
    /// Where `meta.location` stands.
    pub(super) location: AttrPath,
}

/// An attribute marked `edges`.
#[derive(Debug)]
pub(super) struct EdgeAttribute {
    pub(super) index: usize,
    pub(super) path: AttrPath,
    pub(super) attribute: &'static Attribute,
    /// How the sub-attribute that tells edges apart is compared.
    pub(super) fold: Fold,
    pub(super) parts: Parts,
    pub(super) link: Option<Link>,
}

/// An attribute that mirrors edges.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) index: usize,
    pub(super) path: AttrPath,
    pub(super) parts: Parts,
    pub(super) link: Link,
}

/// Where the parts of a reference stand in the table of the attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) table: &'static [Attribute],
    pub(super) value: usize,
    pub(super) reference: Option<usize>,
    pub(super) kind: Option<usize>,
    pub(super) display: Option<usize>,
}

/// An attribute with an index.
#[derive(Debug)]
pub(super) struct KeyAttribute {
    pub(super) path: AttrPath,
    pub(super) attribute: &'static Attribute,
}

/// A resource without what is kept elsewhere or not at all.
pub(super) struct Draft<R> {
    pub(super) resource: R,
    /// The edges of each edge attribute; `None` if they are not loaded.
    pub(super) edges: EdgeLists,
    /// Whether a value was handed on that is not kept.
    pub(super) handed_on: bool,
}

impl Layout {
    pub(super) fn of<R: ScimResource>(links: &Links) -> Result<Self> {
        let table = R::RESOURCE_TYPE.schema.attributes;
        let at = |name: &str| AttrPath::resolve(&name.parse().ok()?, R::RESOURCE_TYPE.schema);
        let mut layout = Self {
            type_id: TypeId::of::<R>(),
            edges: Vec::new(),
            derived: Vec::new(),
            apart: links
                .of_derived::<R>()
                .map(|link| link.derived().path())
                .collect(),
            keys: Vec::new(),
            id: at("id").unwrap_or(AttrPath::ROOT),
            location: at("meta.location").unwrap_or(AttrPath::ROOT),
        };
        for link in links.of_derived::<R>() {
            link.check()?;
            let path = link.derived().path();
            let (Some(index), Some(attribute)) = (path.steps().first(), link.derived().attribute()) else {
                continue;
            };
            layout.derived.push(Derived {
                index: usize::from(*index),
                path,
                parts: Parts::of(attribute)?,
                link: *link,
            });
        }
        for (index, attribute) in table.iter().enumerate() {
            let path = step(AttrPath::ROOT, index);
            if attribute.edges {
                let link = links.of_edges::<R>(path).copied();
                link.as_ref().map_or(Ok(()), Link::check)?;
                let parts = Parts::of(attribute)?;
                layout.edges.push(EdgeAttribute {
                    index,
                    path,
                    attribute,
                    fold: parts.table.get(parts.value).map_or(Fold::Exact, Attribute::fold),
                    parts,
                    link,
                });
            } else if !layout.derived.iter().any(|derived| derived.index == index) {
                layout.visit(attribute, path);
            }
        }
        Ok(layout)
    }

    /// Notes what is special about an attribute or its sub-attributes.
    fn visit(&mut self, attribute: &'static Attribute, path: AttrPath) {
        if attribute.transient {
            return;
        }
        let has_key = matches!(attribute.shape.kind, Type::String | Type::Boolean) && path != self.id;
        let is_unique = attribute.shape.uniqueness != Uniqueness::None && path != self.id;
        if attribute.role_is_kept() && (is_unique || (has_key && attribute.indexed)) {
            self.keys.push(KeyAttribute { path, attribute });
        }
        for (index, sub) in attribute.shape.sub_attributes.iter().enumerate() {
            self.visit(sub, step(path, index));
        }
    }

    /// Whether values of an attribute are unique among all tenants.
    pub(super) fn has_global_keys(&self) -> bool {
        self.keys
            .iter()
            .any(|key| key.attribute.shape.uniqueness == Uniqueness::Global)
    }

    /// Whether an answer shows what follows from other resources, and so can be new while the version is old.
    pub(super) fn shows_derived(&self, want: &Projection) -> bool {
        let mirrors = self.derived.iter().any(|derived| want.includes(derived.path));
        let displays = self.edges.iter().any(|edges| {
            let display = edges.parts.display.filter(|_| edges.link.is_some());
            display.is_some_and(|display| want.includes(step(edges.path, display)))
        });
        mirrors || displays
    }

    /// Takes apart what an application hands in.
    pub(super) fn take_apart<R: ScimResource>(&self, mut resource: R) -> Result<Draft<R>> {
        let limits = crate::limits::Limits::default();
        let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
        let mut edges = Vec::with_capacity(self.edges.len());
        for kept in &self.edges {
            edges.push(kept.take(&resource.view(kept.index)));
            let none = JsonBuf::array(std::iter::empty::<Json<'_>>());
            let edit = Edit::whole(Action::Replace(none.as_json()));
            _ = resource.apply(kept.index, edit, &mut cx)?;
        }
        for derived in &self.derived {
            _ = resource.apply(derived.index, Edit::whole(Action::Remove), &mut cx)?;
        }
        let handed_on = clear_transient(&mut resource)?;
        Ok(Draft {
            resource,
            edges,
            handed_on,
        })
    }
}

impl Attribute {
    /// Whether the store may index the attribute: what it makes itself changes with every write.
    fn role_is_kept(&self) -> bool {
        !matches!(self.role, Role::Common) || self.shape.mutability != Mutability::ReadOnly
    }
}

impl EdgeAttribute {
    /// The values as edges, the first of each key; `None` if they are not loaded.
    pub(super) fn take(&self, view: &View<'_>) -> Option<Vec<Keyed>> {
        let values = view.values()?;
        let mut seen = std::collections::HashSet::new();
        let mut edges = Vec::with_capacity(values.len());
        _ = values.try_for_each(&mut |element| {
            if let Some((key, edge)) = self.edge(&element)
                && seen.insert(key.clone())
            {
                edges.push((key, edge));
            }
            std::ops::ControlFlow::Continue(())
        });
        Some(edges)
    }

    fn edge(&self, element: &View<'_>) -> Option<Keyed> {
        let record = element.record()?;
        let View::Str(value) = record.view(self.parts.value) else {
            return None;
        };
        let computed = |index: usize| {
            index == self.parts.value || (self.link.is_some() && self.parts.is_computed(index))
        };
        let rest: Vec<(&str, JsonBuf)> = record
            .attributes()
            .iter()
            .enumerate()
            .filter(|(index, _)| !computed(*index) && record.view(*index).is_present())
            .map(|(index, attribute)| (attribute.name, record.view(index).to_json()))
            .collect();
        let rest = (!rest.is_empty())
            .then(|| JsonBuf::object(rest.iter().map(|(name, value)| (*name, value.as_json()))));
        let key: Arc<str> = self.fold.key(&value).into();
        let value = if *key == *value { key.clone() } else { value.into() };
        Some((key, Edge { value, rest }))
    }
}

impl Parts {
    fn of(attribute: &'static Attribute) -> Result<Self> {
        let table = attribute.shape.sub_attributes;
        let marked = table.iter().position(|sub| sub.key);
        let named = |name: &str| position(table, name).map(|(index, _)| index);
        let value = marked.or_else(|| named("value")).ok_or_else(|| {
            Error::internal(format!("{} has no sub-attribute that is a key", attribute.name))
        })?;
        Ok(Self {
            table,
            value,
            reference: named("$ref"),
            kind: named("type"),
            display: named("display"),
        })
    }

    /// Whether the store fills in the sub-attribute of an edge that is linked.
    fn is_computed(&self, index: usize) -> bool {
        [self.reference, self.kind, self.display].contains(&Some(index))
    }
}

/// One step further.
pub(super) fn step(path: AttrPath, index: usize) -> AttrPath {
    u16::try_from(index).map_or(path, |index| path.push(index))
}

/// Shows every value at the end of the steps.
pub(super) fn visit(view: &View<'_>, steps: &[u16], found: &mut dyn FnMut(&View<'_>)) {
    if let Some(values) = view.values() {
        _ = values.try_for_each(&mut |value| {
            visit(&value, steps, found);
            std::ops::ControlFlow::Continue(())
        });
        return;
    }
    match (steps, view.record()) {
        ([], _) => found(view),
        ([step, rest @ ..], Some(record)) => visit(&record.view(usize::from(*step)), rest, found),
        _ => {}
    }
}
