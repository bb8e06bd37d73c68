//! Attributes that an application keeps, where it does not keep all.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::path::{AttrPath, AttributeName};
use crate::record::Record;
use crate::schema::{Attribute, ResourceType, Role};
use crate::value::{Action, Change, Cx, Edit};

/// How much of an attribute is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Some sub-attributes.
    Part,
    /// Nothing: it is accepted and changes nothing.
    Nothing,
}

/// The attributes of one resource type that are kept; all others are accepted and left out.
///
/// `schemas`, `id`, `meta`, read-only and required attributes are always kept.
#[derive(Debug, Clone)]
pub struct Kept {
    schema: &'static str,
    table: &'static [Attribute],
    paths: Arc<[AttrPath]>,
}

impl Kept {
    /// Keeps the attributes of these names, such as `name.givenName`.
    ///
    /// # Errors
    /// 400 `invalidPath` if the resource type has no such attribute: a mistake of the application, found at start-up.
    pub fn new(resource_type: &'static ResourceType, names: &[&str]) -> Result<Self> {
        let schema = resource_type.schema;
        let paths = names.iter().map(|name| {
            let parsed: AttributeName = name.parse()?;
            AttrPath::resolve(&parsed, schema)
                .ok_or_else(|| Error::invalid_path(format!("{} has no attribute {name}", resource_type.name)))
        });
        Ok(Self {
            schema: schema.id,
            table: schema.attributes,
            paths: paths.collect::<Result<_>>()?,
        })
    }

    /// Keeps the attributes to which these paths lead.
    pub(crate) fn of_paths(
        resource_type: &'static ResourceType,
        paths: impl IntoIterator<Item = AttrPath>,
    ) -> Self {
        Self {
            schema: resource_type.schema.id,
            table: resource_type.schema.attributes,
            paths: paths.into_iter().collect(),
        }
    }

    /// Returns the names of the attributes that were given to keep, but for those that are always kept by their nature:
    /// what `Simulation::keeping` of the testkit takes.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let named = self.paths.iter();
        let named = named.filter(|path| {
            !path
                .attributes(self.table)
                .next()
                .is_some_and(is_made_by_the_service)
        });
        let names = named.filter_map(|path| path.name(self.table));
        names.map(|name| name.to_string()).collect()
    }

    /// Returns the URN of the schema of which these are attributes.
    #[must_use]
    pub fn schema(&self) -> &'static str {
        self.schema
    }

    /// Tells how much of what `path` leads to is kept.
    #[must_use]
    pub fn extent(&self, path: AttrPath) -> Extent {
        let always =
            path.is_root() || path == AttrPath::SCHEMAS || path.attributes(self.table).any(is_always_kept);
        if always || self.paths.iter().any(|kept| path.starts_with(*kept)) {
            Extent::Whole
        } else if self.paths.iter().any(|kept| kept.starts_with(path)) {
            Extent::Part
        } else {
            Extent::Nothing
        }
    }

    /// Takes what is not kept out of a record that has been decoded or patched, and notes what that was.
    ///
    /// # Errors
    /// Those of [`Cx::not_kept`]; else none that a derived record knows, but those of its attribute handlers.
    pub fn strip(&self, record: &mut dyn Record, cx: &mut Cx<'_>) -> Result<()> {
        self.strip_below(record, AttrPath::ROOT, cx)
    }

    fn strip_below(&self, record: &mut dyn Record, above: AttrPath, cx: &mut Cx<'_>) -> Result<()> {
        let attributes = record.attributes();
        for (index, attribute) in attributes.iter().enumerate() {
            let Ok(step) = u16::try_from(index) else { continue };
            let path = above.push(step);
            match self.extent(path) {
                Extent::Whole => {}
                Extent::Nothing => {
                    let change = record.apply(index, Edit::whole(Action::Remove), cx)?;
                    self.note(path, change, cx)?;
                }
                Extent::Part => {
                    for (sub, _) in attribute.shape.sub_attributes.iter().enumerate() {
                        let Ok(sub) = u16::try_from(sub) else { continue };
                        let path = path.push(sub);
                        if self.extent(path) == Extent::Nothing {
                            let edit = Edit {
                                action: Action::Remove,
                                select: None,
                                rest: &[sub],
                            };
                            let change = record.apply(index, edit, cx)?;
                            self.note(path, change, cx)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn note(&self, path: AttrPath, change: Change, cx: &mut Cx<'_>) -> Result<()> {
        match path.name(self.table) {
            Some(name) if change.is_done() => cx.not_kept(&name.to_string()),
            _ => Ok(()),
        }
    }
}

fn is_always_kept(attribute: &Attribute) -> bool {
    use crate::schema::Mutability::ReadOnly;
    attribute.shape.mutability == ReadOnly || attribute.shape.required || is_made_by_the_service(attribute)
}

fn is_made_by_the_service(attribute: &Attribute) -> bool {
    matches!(attribute.role, Role::Common) && attribute.name != "externalId"
}
