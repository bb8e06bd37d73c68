//! The things that a store must know of attributes that point from one resource to another.

use std::any::TypeId;

use crate::error::{Error, Result};
use crate::path::{AttrPath, MultiPath};
use crate::record::{Record, ScimResource};
use crate::schema::{Attribute, ResourceType, Uniqueness, position};
use crate::value::View;

/// Which attribute of one resource type mirrors the edges of another, as `groups` of a user mirrors `members` of a
/// group (RFC 7643 sections 4.1.2 and 4.2).
///
/// From it a store derives the mirrored attribute, completes the edges (`$ref`, `type`, `display`), refuses references
/// to nothing, and takes out the edges that lead to a resource which is deleted.
///
/// ```
/// use scim::resources::{Group, User};
/// use scim::store::Link;
///
/// let link = Link::between(Group::paths().members(), User::paths().groups());
/// assert_eq!(link.edges().resource_type().name, "Group");
/// assert_eq!(link.targets(), ["User", "Group"]);
/// assert!(link.check().is_ok());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Link {
    edges: LinkEnd,
    derived: LinkEnd,
}

/// An attribute at one end of a [`Link`].
#[derive(Debug, Clone, Copy)]
pub struct LinkEnd {
    type_id: TypeId,
    resource_type: &'static ResourceType,
    path: AttrPath,
}

impl Link {
    /// Links two attributes: `derived` shows which resources have an edge to this one.
    #[must_use]
    pub fn between<G: ScimResource, E, P: Copy, U: ScimResource, D, Q: Copy>(
        edges: MultiPath<G, E, P>,
        derived: MultiPath<U, D, Q>,
    ) -> Self {
        Self {
            edges: LinkEnd::of::<G>(edges.path()),
            derived: LinkEnd::of::<U>(derived.path()),
        }
    }

    /// Returns the attribute that holds the edges.
    #[must_use]
    pub fn edges(&self) -> &LinkEnd {
        &self.edges
    }

    /// Returns the attribute that mirrors them; no client writes it.
    #[must_use]
    pub fn derived(&self) -> &LinkEnd {
        &self.derived
    }

    /// Returns the names of the resource types that an edge may lead to: the `referenceTypes` of its `$ref`, or else
    /// the type that mirrors it.
    #[must_use]
    pub fn targets(&self) -> Vec<&'static str> {
        let named = self
            .edges
            .attribute()
            .and_then(|attribute| attribute.sub_attribute("$ref"))
            .map_or(&[][..], |(_, reference)| reference.shape.reference_types);
        if named.is_empty() {
            vec![self.derived.resource_type.name]
        } else {
            named.to_vec()
        }
    }

    /// Checks whether the two attributes can be linked at all. It is the program that is wrong if not.
    ///
    /// # Errors
    /// A sentence for the programmer, with the attribute and what it lacks.
    pub fn check(&self) -> Result<()> {
        let refuse = |end: &LinkEnd, why: &str| {
            let name = end.attribute().map_or("?", |attribute| attribute.name);
            Err(Error::misconfigured(format!(
                "The attribute {name} of {} cannot be linked: it {why}.",
                end.resource_type.name
            )))
        };
        for end in [&self.edges, &self.derived] {
            if end.path.steps().len() != 1 {
                return refuse(end, "must stand at the top of its resource");
            }
        }
        if !self.edges.attribute().is_some_and(|attribute| attribute.edges) {
            return refuse(&self.edges, "must be marked #[scim(edges)]");
        }
        let mirror = self.derived.attribute();
        if mirror.is_none_or(|attribute| attribute.sub_attribute("value").is_none()) {
            return refuse(&self.derived, "must have the sub-attribute value");
        }
        Ok(())
    }
}

impl LinkEnd {
    fn of<R: ScimResource>(path: AttrPath) -> Self {
        Self {
            type_id: TypeId::of::<R>(),
            resource_type: R::RESOURCE_TYPE,
            path,
        }
    }

    /// Returns whether the attribute is one of `R`.
    #[must_use]
    pub fn is_of<R: ScimResource>(&self) -> bool {
        self.type_id == TypeId::of::<R>()
    }

    /// Returns the resource's type in Rust.
    #[must_use]
    pub fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// Returns the resource type.
    #[must_use]
    pub fn resource_type(&self) -> &'static ResourceType {
        self.resource_type
    }

    /// Returns the path of the attribute.
    #[must_use]
    pub fn path(&self) -> AttrPath {
        self.path
    }

    /// Returns the index of the attribute in the table of its resource.
    #[must_use]
    pub fn index(&self) -> usize {
        self.path
            .steps()
            .first()
            .map_or(usize::MAX, |index| usize::from(*index))
    }

    /// Returns the attribute; `None` for a path that does not name an attribute.
    #[must_use]
    pub fn attribute(&self) -> Option<&'static Attribute> {
        self.path.attribute(self.resource_type.schema.attributes)
    }
}

/// The links that a store was told of.
#[derive(Debug, Clone, Default)]
pub struct Links(Vec<Link>);

impl Links {
    /// Makes a list without links.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns these and one more.
    #[must_use]
    pub fn with(mut self, link: Link) -> Self {
        self.0.push(link);
        self
    }

    /// Returns all of them.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.0.iter()
    }

    /// Returns the link of the edges that `R` has at `path`.
    #[must_use]
    pub fn of_edges<R: ScimResource>(&self, path: AttrPath) -> Option<&Link> {
        self.iter()
            .find(|link| link.edges.is_of::<R>() && link.edges.path == path)
    }

    /// Returns the links that attributes of `R` mirror.
    pub fn of_derived<R: ScimResource>(&self) -> impl Iterator<Item = &Link> {
        self.iter().filter(|link| link.derived.is_of::<R>())
    }
}

/// Returns the name by which people know a resource, for `display`: its `displayName`, or where its type has no such
/// attribute, the first one that is unique. A login name is not shown in the place of a name that was never given.
pub(crate) fn display_name(record: &dyn Record) -> Option<String> {
    let attributes = record.attributes();
    let named = position(attributes, "displayName").map(|(index, _)| index);
    let unique =
        |attribute: &Attribute| attribute.shape.uniqueness != Uniqueness::None && attribute.name != "id";
    let index = named.or_else(|| attributes.iter().position(unique))?;
    match record.view(index) {
        View::Str(text) if !text.is_empty() => Some(text.into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::{Group, User};
    use crate::value::{Meta, ResourceId};

    #[test]
    fn only_edges_can_be_linked() {
        let link = Link::between(User::paths().emails(), User::paths().groups());
        let error = link.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "The attribute emails of User cannot be linked: it must be marked #[scim(edges)]."
        );
    }

    #[test]
    fn a_link_is_found_from_both_ends() {
        let links = Links::new().with(Link::between(Group::paths().members(), User::paths().groups()));
        assert!(links.of_edges::<Group>(Group::paths().members().path()).is_some());
        assert_eq!(links.of_derived::<User>().count(), 1);
        assert_eq!(links.of_derived::<Group>().count(), 0);
    }

    /// RFC 7643 sections 2.4 and 4.1.1: `display` is a name for people, and `displayName` is the one they have.
    #[test]
    fn a_person_is_shown_by_the_display_name_alone() {
        let mut user = User::new("bjensen");
        assert_eq!(display_name(&user), None);
        user.display_name = Some("Babs".into());
        assert_eq!(display_name(&user).as_deref(), Some("Babs"));
    }

    #[test]
    fn a_resource_of_a_type_without_display_names_is_shown_by_what_is_unique() {
        let door = Door {
            id: ResourceId::new("7"),
            meta: Meta::default(),
            number: "B-12".into(),
        };
        assert_eq!(display_name(&door).as_deref(), Some("B-12"));
    }

    #[derive(Debug, Clone, PartialEq, crate::ScimResource)]
    #[scim(schema = "urn:example:scim:schemas:2.0:Door")]
    struct Door {
        id: ResourceId,
        meta: Meta,
        #[scim(unique = "server")]
        number: String,
    }
}
