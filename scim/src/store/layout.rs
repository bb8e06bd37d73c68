//! The things that every store must know of a resource type to keep its edges apart from it: worked out once.

use std::any::TypeId;

use crate::error::{Error, Result};
use crate::fold::Fold;
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::projection::Projection;
use crate::record::{Record, ScimResource};
use crate::schema::{Attribute, Mutability, ResourceType, Type, position};
use crate::store::edges::{edge_attributes, key_position};
use crate::store::links::{Link, Links};
use crate::value::{Action, Cx, Edit, Intent, Strict};

/// Bytes that a derived attribute, such as a few groups, or a few edges usually take behind a document.
pub(crate) const ROOM: usize = 512;

/// A resource type with its edges and what mirrors the edges of others.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The type in Rust.
    pub(crate) type_id: TypeId,
    pub(crate) resource_type: &'static ResourceType,
    /// The attributes whose values are kept beside the resource.
    pub(crate) edges: Vec<EdgeAttribute>,
    /// The attributes that mirror edges of other resources.
    pub(crate) derived: Vec<Derived>,
    /// The paths of both: what no document holds.
    pub(crate) outside: Vec<AttrPath>,
    /// The path of `id`.
    pub(crate) id: AttrPath,
    /// The path of `meta.location`.
    pub(crate) location: AttrPath,
}

/// An attribute marked `edges`.
#[derive(Debug, Clone)]
pub(crate) struct EdgeAttribute {
    pub(crate) index: usize,
    pub(crate) path: AttrPath,
    pub(crate) attribute: &'static Attribute,
    pub(crate) parts: Parts,
    pub(crate) link: Option<Link>,
}

/// An attribute that mirrors edges.
#[derive(Debug, Clone)]
pub(crate) struct Derived {
    pub(crate) index: usize,
    pub(crate) path: AttrPath,
    pub(crate) parts: Parts,
    pub(crate) link: Link,
}

/// The places of the parts of a reference to a resource in the table of an attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) table: &'static [Attribute],
    /// The id of the other end.
    pub(crate) value: usize,
    /// The path of the other end: `$ref`.
    pub(crate) reference: Option<usize>,
    /// Its resource type, or how it is related: `type`.
    pub(crate) kind: Option<usize>,
    /// Its name for people: `display`.
    pub(crate) display: Option<usize>,
}

impl Layout {
    /// Makes the layout of a type, with what the links say of it.
    ///
    /// # Errors
    /// A sentence for the programmer: a link between attributes that cannot be linked, edges without a key.
    pub(crate) fn of<R: ScimResource>(links: &Links) -> Result<Self> {
        let table = R::RESOURCE_TYPE.schema.attributes;
        let at = |name: &str| AttrPath::resolve(&name.parse().ok()?, R::RESOURCE_TYPE.schema);
        let mut layout = Self {
            type_id: TypeId::of::<R>(),
            resource_type: R::RESOURCE_TYPE,
            edges: Vec::new(),
            derived: Vec::new(),
            outside: Vec::new(),
            id: at("id").unwrap_or(AttrPath::ROOT),
            location: at("meta.location").unwrap_or(AttrPath::ROOT),
        };
        for link in links.of_derived::<R>() {
            link.check()?;
            let end = link.derived();
            let Some(attribute) = end.attribute() else {
                continue;
            };
            layout.outside.push(end.path());
            layout.derived.push(Derived {
                index: end.index(),
                path: end.path(),
                parts: Parts::of(attribute)?,
                link: *link,
            });
        }
        for (path, attribute) in edge_attributes(table) {
            let link = links.of_edges::<R>(path).copied();
            link.as_ref().map_or(Ok(()), Link::check)?;
            layout.outside.push(path);
            layout.edges.push(EdgeAttribute {
                index: path.steps().first().copied().map_or(usize::MAX, usize::from),
                path,
                attribute,
                parts: Parts::of(attribute)?,
                link,
            });
        }
        Ok(layout)
    }

    /// Returns whether an answer shows what follows from other resources, and so can be new while the version is old.
    pub(crate) fn shows_others(&self, want: &Projection) -> bool {
        let displays = |edges: &EdgeAttribute| {
            let display = edges.parts.display.filter(|_| edges.link.is_some());
            display.is_some_and(|display| want.includes(step(edges.path, display)))
        };
        self.derived.iter().any(|derived| want.includes(derived.path)) || self.edges.iter().any(displays)
    }

    /// Takes out what mirrors the edges of others: nobody but the store says it.
    ///
    /// # Errors
    /// Those of the attributes' handlers.
    pub(crate) fn clear_derived(&self, record: &mut dyn Record) -> Result<()> {
        let limits = Limits::default();
        let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
        for derived in &self.derived {
            _ = record.apply(derived.index, Edit::whole(Action::Remove), &mut cx)?;
        }
        Ok(())
    }

    /// Refuses to serve a type whose attributes mirror edges that nobody has linked: they would stay empty for ever.
    ///
    /// # Errors
    /// A sentence for the programmer.
    pub(crate) fn check_links(&self, served: &[&'static ResourceType]) -> Result<()> {
        for (index, attribute) in self.resource_type.schema.attributes.iter().enumerate() {
            if self.derived.iter().any(|derived| derived.index == index) {
                continue;
            }
            if let Some((source, edges)) = unlinked_source(attribute, self.resource_type, served) {
                let (name, owner) = (attribute.name, self.resource_type.name);
                return Err(Error::misconfigured(format!(
                    "The attribute {name} of {owner} shows which {source} has an edge to it in {edges}, but the store was \
                     not told: link the two, as in .link({source}::paths().{edges}(), {owner}::paths().{name}())."
                )));
            }
        }
        Ok(())
    }
}

/// Returns the resource type and its attribute whose edges a read-only attribute can only be the mirror of; `None` if
/// it is not a mirror.
fn unlinked_source(
    attribute: &Attribute,
    owner: &ResourceType,
    served: &[&'static ResourceType],
) -> Option<(&'static str, &'static str)> {
    let shape = &attribute.shape;
    if !shape.multi_valued || shape.mutability != Mutability::ReadOnly || attribute.edges {
        return None;
    }
    attribute.sub_attribute("value")?;
    let sources = reference_types(attribute)?;
    let sources = served.iter().filter(|other| sources.contains(&other.name));
    sources
        .flat_map(|source| edge_attributes(source.schema.attributes).map(|(_, edges)| (*source, edges)))
        .find(|(_, edges)| reference_types(edges).is_some_and(|types| types.contains(&owner.name)))
        .map(|(source, edges)| (source.name, edges.name))
}

/// Returns the resource types that the `$ref` of an attribute names.
pub(crate) fn reference_types(attribute: &Attribute) -> Option<&'static [&'static str]> {
    let (_, reference) = attribute.sub_attribute("$ref")?;
    (reference.shape.kind == Type::Reference).then_some(reference.shape.reference_types)
}

impl EdgeAttribute {
    /// Returns how the sub-attribute that tells edges apart is compared.
    pub(crate) fn fold(&self) -> Fold {
        let key = self.parts.table.get(self.parts.value);
        key.map_or(Fold::Exact, Attribute::fold)
    }
}

impl Parts {
    fn of(attribute: &'static Attribute) -> Result<Self> {
        let table = attribute.shape.sub_attributes;
        let named = |name: &str| position(table, name).map(|(index, _)| index);
        let value = key_position(table);
        if value == usize::MAX {
            return Err(Error::misconfigured(format!(
                "The attribute {} has no sub-attribute that tells its values apart: mark one with #[scim(key)].",
                attribute.name
            )));
        }
        Ok(Self {
            table,
            value,
            reference: named("$ref"),
            kind: named("type"),
            display: named("display"),
        })
    }

    /// Returns whether a sub-attribute follows from the other end.
    pub(crate) fn is_computed(&self, index: usize) -> bool {
        [self.reference, self.kind, self.display].contains(&Some(index))
    }
}

/// Goes one step further.
pub(crate) fn step(path: AttrPath, index: usize) -> AttrPath {
    u16::try_from(index).map_or(path, |index| path.push(index))
}
