//! From a name as written to indices into attribute tables.

use crate::path::{AttrPath, AttributeName};
use crate::schema::{Attribute, Schema, position};

impl AttrPath {
    /// Resolves a name against a resource's schema, ignoring case (RFC 7644 section 3.10). `None` if the schema and its
    /// extensions know no such attribute.
    ///
    /// The URN of an extension alone names the extension as a whole, and the URN of the resource's own schema alone the
    /// resource.
    #[must_use]
    pub fn resolve(name: &AttributeName, schema: &Schema) -> Option<Self> {
        let Some(urn) = &name.urn else {
            if name.name.eq_ignore_ascii_case("schemas") && name.sub.is_none() {
                return Some(Self::SCHEMAS);
            }
            return Self::ROOT.descend(schema.attributes, &name.name, name.sub.as_deref());
        };
        if urn.eq_ignore_ascii_case(schema.id) {
            let unqualified = AttributeName {
                urn: None,
                name: name.name.clone(),
                sub: name.sub.clone(),
            };
            return Self::resolve(&unqualified, schema);
        }
        if name.names_schema(schema.id) {
            return Some(Self::ROOT);
        }
        schema.extensions().find_map(|(attribute, extension)| {
            let (index, _) = position(schema.attributes, attribute.name)?;
            let container = Self::ROOT.push(u16::try_from(index).ok()?);
            if name.names_schema(extension.id) {
                return Some(container);
            }
            if !urn.eq_ignore_ascii_case(extension.id) {
                return None;
            }
            container.descend(attribute.shape.sub_attributes, &name.name, name.sub.as_deref())
        })
    }

    /// Resolves a name inside `[…]` against the element's table. An element that is no complex value is named `value`.
    #[must_use]
    pub fn resolve_in_element(name: &AttributeName, element: &[Attribute]) -> Option<Self> {
        if name.urn.is_some() {
            return None;
        }
        if element.is_empty() {
            return (name.name.eq_ignore_ascii_case("value") && name.sub.is_none()).then_some(Self::ROOT);
        }
        Self::ROOT.descend(element, &name.name, name.sub.as_deref())
    }

    fn descend(self, attributes: &[Attribute], name: &str, sub: Option<&str>) -> Option<Self> {
        let (index, attribute) = position(attributes, name)?;
        let path = self.push(u16::try_from(index).ok()?);
        match sub {
            Some(sub) => path.descend(attribute.shape.sub_attributes, sub, None),
            None => Some(path),
        }
    }

    /// The canonical name of what the path leads to, in a table that may be a resource's or an element's. `None` for the
    /// root and for a path of another table.
    #[must_use]
    pub fn name(&self, table: &'static [Attribute]) -> Option<AttributeName> {
        if *self == Self::SCHEMAS {
            return Some(AttributeName::new("schemas"));
        }
        let mut names = self.attributes(table).peekable();
        let urn = names
            .next_if(|attribute| attribute.is_extension())
            .map(|attribute| attribute.name);
        let Some(first) = names.next() else {
            let (urn, name) = urn?.rsplit_once(':')?;
            return Some(AttributeName::new(name).with_urn(urn));
        };
        let mut name = AttributeName::new(first.name);
        if let Some(urn) = urn {
            name = name.with_urn(urn);
        }
        if let Some(sub) = names.next() {
            name = name.with_sub(sub.name);
        }
        Some(name)
    }
}
