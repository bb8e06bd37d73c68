//! What the store needs to know of a resource type, worked out once.

use std::sync::Arc;

use crate::error::Result;
use crate::path::AttrPath;
use crate::record::ScimResource;
use crate::schema::{Attribute, Mutability, Role, Type, Uniqueness};
use crate::store::Edge;
use crate::store::layout::{self, EdgeAttribute, step};
use crate::store::links::Links;
use crate::store::memory::edges::Keyed;
use crate::value::{JsonBuf, View};

/// A resource type as the store sees it.
#[derive(Debug)]
pub(super) struct Layout {
    /// Its edges, and what mirrors the edges of others.
    pub(super) shape: layout::Layout,
    /// The attributes by whose values resources are found without a scan.
    pub(super) keys: Vec<KeyAttribute>,
}

/// An attribute with an index.
#[derive(Debug)]
pub(super) struct KeyAttribute {
    pub(super) path: AttrPath,
    pub(super) attribute: &'static Attribute,
}

impl Layout {
    pub(super) fn of<R: ScimResource>(links: &Links) -> Result<Self> {
        let mut layout = Self {
            shape: layout::Layout::of::<R>(links)?,
            keys: Vec::new(),
        };
        for (index, attribute) in R::RESOURCE_TYPE.schema.attributes.iter().enumerate() {
            let path = step(AttrPath::ROOT, index);
            if !layout.shape.outside.contains(&path) {
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
        let is_id = path == self.shape.id;
        let has_key = matches!(attribute.shape.kind, Type::String | Type::Boolean) && !is_id;
        let is_unique = attribute.shape.uniqueness != Uniqueness::None && !is_id;
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
}

impl Attribute {
    /// Whether the store may index the attribute: what it makes itself changes with every write.
    fn role_is_kept(&self) -> bool {
        !matches!(self.role, Role::Common) || self.shape.mutability != Mutability::ReadOnly
    }
}

/// The edges as they are kept: each under its key, and without what follows from the other end of a link.
pub(super) fn keyed<'e>(
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
