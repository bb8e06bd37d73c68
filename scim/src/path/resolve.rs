//! From a name as written to indices into attribute tables.

use crate::path::{AttrPath, AttributeName};
use crate::schema::{Attribute, Role, Schema, position};

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
        extensions(schema).find_map(|(container, attribute, id)| {
            if name.names_schema(id) {
                return Some(container);
            }
            if !urn.eq_ignore_ascii_case(id) {
                return None;
            }
            container.descend(attribute.shape.sub_attributes, &name.name, name.sub.as_deref())
        })
    }

    /// Resolves a name that is nearly right: an extension's attribute without its URN, if exactly one extension has it
    /// and the schema itself does not; and a dot behind a URN in the place of the colon. `None` for every other name,
    /// those that [`resolve`](Self::resolve) finds included.
    ///
    /// ```
    /// use scim::ScimResource;
    /// use scim::path::AttrPath;
    /// use scim::resources::User;
    ///
    /// let schema = User::RESOURCE_TYPE.schema;
    /// let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department".parse()?;
    /// let department = AttrPath::resolve(&department, schema);
    /// assert_eq!(AttrPath::resolve_near(&"department".parse()?, schema), department);
    /// let dotted = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department".parse()?;
    /// assert_eq!(AttrPath::resolve_near(&dotted, schema), department);
    /// assert_eq!(AttrPath::resolve_near(&"title".parse()?, schema), None);
    /// # Ok::<(), scim::Error>(())
    /// ```
    #[must_use]
    pub fn resolve_near(name: &AttributeName, schema: &Schema) -> Option<Self> {
        if name.urn.is_some() {
            return Self::resolve_dotted(&name.to_string(), schema);
        }
        if name.name.eq_ignore_ascii_case("schemas") || position(schema.attributes, &name.name).is_some() {
            return None;
        }
        let mut found = extensions(schema).filter_map(|(container, attribute, _)| {
            container.descend(attribute.shape.sub_attributes, &name.name, name.sub.as_deref())
        });
        let only = found.next()?;
        found.next().is_none().then_some(only)
    }

    fn resolve_dotted(text: &str, schema: &Schema) -> Option<Self> {
        let own = (Self::ROOT, schema.attributes, schema.id);
        let others = extensions(schema)
            .map(|(container, attribute, id)| (container, attribute.shape.sub_attributes, id));
        std::iter::once(own)
            .chain(others)
            .find_map(|(container, table, id)| {
                let (urn, rest) = text.split_at_checked(id.len())?;
                let local = rest.strip_prefix('.').filter(|_| urn.eq_ignore_ascii_case(id))?;
                let local: AttributeName = local.parse().ok()?;
                let is_local = local.urn.is_none();
                is_local.then(|| container.descend(table, &local.name, local.sub.as_deref()))?
            })
    }

    /// Resolves a name inside `[…]` against the element's table. An element that is not a complex value is named `value`.
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

    /// Returns the canonical name of what the path leads to, in a table that may be a resource's or an element's.
    /// `None` for the root and for a path of another table.
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

/// Returns the extensions of a schema: their places, their attributes in its table, and their URNs.
fn extensions(schema: &Schema) -> impl Iterator<Item = (AttrPath, &Attribute, &'static str)> {
    let table = schema.attributes.iter().zip(0..u16::MAX);
    table.filter_map(|(attribute, index)| match attribute.role {
        Role::Extension(extension) => Some((AttrPath::ROOT.push(index), attribute, extension.id)),
        _ => None,
    })
}
