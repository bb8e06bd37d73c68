//! Resources and schema extensions: records with an identity and a schema of their own.

use std::fmt::Debug;

use crate::error::{Error, Result};
use crate::path::{AttrPath, PathNode};
use crate::schema::{Attribute, ResourceType, Role, SCHEMAS, Schema};
use crate::value::{
    Action, Cx, Edit, Extra, Intent, Json, Leniency, Meaning, Meta, Multi, Position, ResourceId, ScimValue,
    Strict, decode_members,
};

pub use crate::value::{Place, Record, apply_to_record, decode_record, missing};

/// A resource: a record with an identity, a type and an endpoint. `#[derive(ScimResource)]` implements it.
///
/// The bounds that the engine, the stores and the service need are written here, once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a SCIM resource",
    note = "derive `ScimResource` for it, with `Debug`, `Clone` and `PartialEq`"
)]
pub trait ScimResource: Record + Debug + Clone + PartialEq + Send + Sync + Sized + 'static {
    /// The resource type with its schema and extensions.
    const RESOURCE_TYPE: &'static ResourceType;

    /// Reads a resource: a body, or what a store has kept.
    ///
    /// # Errors
    /// 400 `invalidSyntax` if it is not an object or its `schemas` are wrong, 400 `invalidValue` if an attribute is missing
    /// or does not fit.
    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self>;

    /// Returns the identifier; empty until a store has created the resource.
    fn id(&self) -> &ResourceId;

    /// Returns the identifier, for a store to set.
    fn id_mut(&mut self) -> &mut ResourceId;

    /// Returns type, times, place and version.
    fn meta(&self) -> &Meta;

    /// Returns type, times, place and version, for a store to set.
    fn meta_mut(&mut self) -> &mut Meta;

    /// Reads the values that a client adds to an attribute marked `edges`, by its place in the table; `None` if there are
    /// none in what it sent.
    ///
    /// It needs no resource: a store that keeps edges as rows changes them without reading what they belong to.
    ///
    /// # Errors
    /// 400 `invalidValue` if a value does not fit.
    fn decode_edges(index: usize, json: Json<'_>, cx: &mut Cx<'_>) -> Result<Option<Box<dyn Multi>>> {
        _ = (index, json, cx);
        Err(Error::internal(
            "an attribute that is not marked edges was read as such",
        ))
    }

    /// Returns the attributes that no schema knows, if the resource keeps them.
    fn extra(&self) -> Option<&Extra> {
        None
    }
}

/// A schema extension (RFC 7643 section 3.3). `#[derive(ScimExtension)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a schema extension",
    label = "a field with `#[scim(extension)]` cannot hold this type",
    note = "derive `ScimExtension` for it and give it the URN of its schema"
)]
pub trait ScimExtension: ScimValue + Record {
    /// The schema of the extension.
    const SCHEMA: &'static Schema;
}

/// A set of schema extensions that a resource takes as a type parameter, as [`UserWith`](crate::resources::UserWith)
/// does. `#[derive(ScimComplex)]` implements it for a struct that has nothing but fields with `#[scim(extension)]`.
///
/// The extensions stand in the table of the resource itself, behind its own attributes; the struct is seen nowhere in
/// a document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of schema extensions",
    label = "expected a struct of schema extensions",
    note = "derive `ScimComplex` for a struct in which every field is marked with `#[scim(extension)]`, with `Debug`, `Clone`, `PartialEq` and `Default`"
)]
pub trait ExtensionSet: Record + Debug + Clone + PartialEq + Default + 'static {
    /// The extensions.
    const ATTRIBUTES: &'static [Attribute];

    /// The typed paths to the extensions in a resource `R`.
    type Paths<R: 'static>: PathNode;

    /// Reads the extension at `index`.
    ///
    /// # Errors
    /// 400 `invalidValue` if the JSON does not fit.
    fn decode_at(&mut self, index: usize, json: Json<'_>, cx: &mut Cx<'_>) -> Result<()>;
}

/// Reads a resource; the part of every derived resource's `decode` that does not depend on the struct.
///
/// # Errors
/// Those of [`ScimResource::decode`].
pub fn decode_resource(
    json: Json<'_>,
    resource_type: &'static ResourceType,
    cx: &mut Cx<'_>,
    mut extra: Option<&mut Extra>,
    place: &mut Place<'_>,
) -> Result<()> {
    if !json.is_object() {
        return Err(Error::invalid_syntax(format!(
            "The body must be a JSON object, but is {}.",
            json.describe_shape()
        )));
    }
    if !cx.is_stored() {
        check_schemas(json.get("schemas"), resource_type, cx)?;
    }
    let schema = resource_type.schema;
    cx.start(schema.attributes);
    let mut keep = |index: usize, value: Json<'_>, cx: &mut Cx<'_>| {
        let path = u16::try_from(index).map_or(AttrPath::ROOT, |step| AttrPath::ROOT.push(step));
        if cx.is_stored() || cx.rules().keeps(schema.id, path) {
            place(index, value, cx)
        } else {
            let attribute = schema.attributes.get(index);
            cx.not_kept(attribute.map_or("", |attribute| attribute.name))
        }
    };
    decode_members(json, schema.attributes, cx, &mut keep, &mut |name, value, cx| {
        if name.eq_ignore_ascii_case("schemas") {
            return Ok(());
        }
        match &mut extra {
            Some(extra) => {
                extra.insert(name, value);
                Ok(())
            }
            None => cx.unknown(name),
        }
    })
    .map(|_| ())
}

/// Checks that `schemas` names the resource's own schema and none that the resource type does not have (RFC 7643 section 3).
fn check_schemas(schemas: Option<Json<'_>>, resource_type: &ResourceType, cx: &mut Cx<'_>) -> Result<()> {
    let own = resource_type.schema.id;
    let schemas = schemas.filter(|json| cx.meaning(*json, Position::Body, &SCHEMAS.shape) == Meaning::Value);
    let Some(schemas) = schemas else {
        return tolerate(Leniency::MissingSchemas, cx, "schemas", || {
            Error::invalid_syntax(format!("The body must name {own} in schemas."))
        });
    };
    let fitted = cx.fit(schemas, &SCHEMAS.shape);
    let schemas = fitted.json();
    if !schemas.is_array() {
        return Err(Error::invalid_syntax(format!(
            "schemas must be a list of URIs, but is {}.",
            schemas.describe_shape()
        )));
    }
    let mut has_own = false;
    for element in schemas.elements() {
        let Some(urn) = element.as_str() else {
            return Err(Error::invalid_syntax(format!(
                "schemas must be a list of URIs, but holds {}.",
                element.describe()
            )));
        };
        has_own |= urn.eq_ignore_ascii_case(own);
        if resource_type.has_schema(&urn) {
            continue;
        }
        tolerate(Leniency::UnknownNames, cx, &urn, || {
            let urn = crate::error::quoted(&urn);
            Error::invalid_syntax(format!(
                "{urn} is not a schema of the resource type {}.",
                resource_type.name
            ))
        })?;
    }
    if has_own {
        return Ok(());
    }
    tolerate(Leniency::MissingSchemas, cx, "schemas", || {
        Error::invalid_value(format!("schemas must name {own}."))
    })
}

fn tolerate(
    leniency: Leniency,
    cx: &mut Cx<'_>,
    subject: &str,
    refuse: impl FnOnce() -> Error,
) -> Result<()> {
    let tolerance = cx.allows(leniency).ok_or_else(refuse)?;
    cx.fire(tolerance, subject);
    Ok(())
}

/// Returns the extensions of which a record holds anything: what `schemas` lists beside the own schema (RFC 7643 section 3.3).
pub fn extensions_in_use(record: &dyn Record) -> impl Iterator<Item = &'static Schema> {
    record
        .attributes()
        .iter()
        .enumerate()
        .filter_map(move |(index, attribute)| match attribute.role {
            Role::Extension(schema) if record.view(index).is_present() => Some(schema),
            _ => None,
        })
}

/// Marks edges as not loaded: those of a resource that a store has read without them, and those that a PUT does not
/// speak of. `which` picks the attributes among those marked `edges`.
///
/// # Errors
/// None that a derived record knows; those of its attribute handlers.
pub fn unload_edges(record: &mut dyn Record, which: &dyn Fn(&Attribute) -> bool) -> Result<()> {
    let limits = crate::limits::Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    for (index, attribute) in record.attributes().iter().enumerate() {
        if attribute.edges && which(attribute) {
            _ = record.apply(index, Edit::whole(Action::Remove), &mut cx)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::{Group, Member};
    use crate::value::Edges;

    #[test]
    fn edges_that_are_not_loaded_are_not_the_same_as_none() {
        let mut group = Group::new("Tour Guides");
        group.members = vec![Member::user("1")].into();
        unload_edges(&mut group, &|_| false).unwrap();
        assert_eq!(group.members.loaded().map(<[_]>::len), Some(1));
        unload_edges(&mut group, &|attribute| attribute.name == "members").unwrap();
        assert_eq!(group.members, Edges::NotLoaded);
    }
}
