//! The things that the store needs to know of a resource type, worked out once.

use crate::error::Result;
use crate::path::AttrPath;
use crate::record::ScimResource;
use crate::schema::{Attribute, Mutability, Role, Type, Uniqueness};
use crate::store::layout::{self, step};
use crate::store::links::Links;
use crate::value::View;

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

    /// Returns whether values of an attribute are unique among all tenants.
    pub(super) fn has_global_keys(&self) -> bool {
        self.keys
            .iter()
            .any(|key| key.attribute.shape.uniqueness == Uniqueness::Global)
    }
}

impl Attribute {
    /// Returns whether the store may index the attribute: what it makes itself changes with every write.
    fn role_is_kept(&self) -> bool {
        !matches!(self.role, Role::Common) || self.shape.mutability != Mutability::ReadOnly
    }
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
