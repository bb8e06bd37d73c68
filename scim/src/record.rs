//! What a derived struct can do: show, read and change its attributes by index.

use std::fmt::Debug;

use crate::error::{Error, Result};
use crate::path::{AttrPath, PathNode};
use crate::schema::{Attribute, Mutability, ResourceType, Role, Schema, position};
use crate::value::{
    Change, Cx, Edit, Extra, Fitted, Intent, Json, Meta, Op, ResourceId, ScimValue, Strict, View,
};

/// A struct seen as a row of attributes. Object safe; written by the derives.
pub trait Record: Send + Sync {
    /// The table; `view` and `apply` count in it.
    fn attributes(&self) -> &'static [Attribute];

    /// A look at the attribute at `index`; absent where the table ends.
    fn view(&self, index: usize) -> View<'_>;

    /// Changes the attribute at `index`.
    ///
    /// # Errors
    /// What RFC 7644 section 3.5.2 says of the operation.
    fn apply(&mut self, index: usize, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change>;
}

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
    /// 400 `invalidSyntax` if it is no object or its `schemas` are wrong, 400 `invalidValue` if an attribute is missing
    /// or does not fit.
    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self>;

    /// The identifier; empty until a store has created the resource.
    fn id(&self) -> &ResourceId;

    /// The identifier, for a store to set.
    fn id_mut(&mut self) -> &mut ResourceId;

    /// Type, times, place and version.
    fn meta(&self) -> &Meta;

    /// Type, times, place and version, for a store to set.
    fn meta_mut(&mut self) -> &mut Meta;

    /// What no schema knows, if the resource keeps it.
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
    label = "a field with `#[scim(flatten)]` cannot hold this type",
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

/// Writes a decoded attribute into its place.
pub type Place<'p> = dyn FnMut(usize, Json<'_>, &mut Cx<'_>) -> Result<()> + 'p;

/// Reads the members of a complex value; the part of every derived `decode` that does not depend on the struct.
///
/// # Errors
/// 400 `invalidValue` if `json` is no object, a required attribute is missing or a value does not fit.
pub fn decode_record(
    json: Json<'_>,
    attributes: &'static [Attribute],
    cx: &mut Cx<'_>,
    place: &mut Place<'_>,
) -> Result<()> {
    let fitted = fit_complex(json, attributes, cx);
    let json = fitted.json();
    if !json.is_object() {
        return Err(Error::invalid_value(format!(
            "must be an object, but is {}",
            json.describe()
        )));
    }
    decode_members(json, attributes, cx, place, &mut |name, _, cx| cx.unknown(name))
}

fn fit_complex<'j>(json: Json<'j>, attributes: &'static [Attribute], cx: &mut Cx<'_>) -> Fitted<'j> {
    if json.is_object() {
        Fitted::Sent(json)
    } else {
        cx.fit(json, &crate::schema::Shape::complex(attributes))
    }
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
            json.describe()
        )));
    }
    if !cx.is_stored() {
        check_schemas(json.get("schemas"), resource_type, cx)?;
    }
    let schema = resource_type.schema;
    let mut keep = |index: usize, value: Json<'_>, cx: &mut Cx<'_>| {
        let path = u16::try_from(index).map_or(AttrPath::ROOT, |step| AttrPath::ROOT.push(step));
        if cx.is_stored() || cx.rules().keeps(schema.id, path) {
            place(index, value, cx)
        } else {
            Ok(())
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
}

/// `schemas` names the resource's own schema and none that the resource type does not have (RFC 7643 section 3).
fn check_schemas(schemas: Option<Json<'_>>, resource_type: &ResourceType, cx: &mut Cx<'_>) -> Result<()> {
    let own = resource_type.schema.id;
    let schemas = schemas.filter(|json| json.elements().next().is_some());
    let Some(schemas) = schemas else {
        return tolerate(cx.rules().infers_schemas(), cx, "schemas", || {
            Error::invalid_syntax(format!("The body must name {own} in schemas."))
        });
    };
    let mut has_own = false;
    for element in schemas.elements() {
        let Some(urn) = element.as_str() else {
            return Err(Error::invalid_syntax(format!(
                "schemas must be a list of URIs, but holds {}.",
                element.describe()
            )));
        };
        has_own |= urn.eq_ignore_ascii_case(own);
        let known = urn.eq_ignore_ascii_case(own)
            || resource_type
                .schema
                .extensions()
                .any(|(_, schema)| urn.eq_ignore_ascii_case(schema.id));
        if known {
            continue;
        }
        tolerate(cx.rules().ignores_unknown(), cx, &urn, || {
            let urn = crate::error::quoted(&urn);
            Error::invalid_value(format!(
                "{urn} is no schema of the resource type {}.",
                resource_type.name
            ))
        })?;
    }
    if has_own {
        return Ok(());
    }
    tolerate(cx.rules().infers_schemas(), cx, "schemas", || {
        Error::invalid_value(format!("schemas must name {own}."))
    })
}

fn tolerate(
    tolerance: Option<&'static str>,
    cx: &mut Cx<'_>,
    subject: &str,
    refuse: impl FnOnce() -> Error,
) -> Result<()> {
    cx.fire(tolerance.ok_or_else(refuse)?, subject);
    Ok(())
}

fn decode_members(
    json: Json<'_>,
    attributes: &'static [Attribute],
    cx: &mut Cx<'_>,
    place: &mut Place<'_>,
    unknown: &mut dyn FnMut(&str, Json<'_>, &mut Cx<'_>) -> Result<()>,
) -> Result<()> {
    let mut seen = Seen::default();
    for (name, value) in json.members() {
        let Some((index, attribute)) = position(attributes, &name) else {
            unknown(&name, value, cx)?;
            continue;
        };
        let read_only = attribute.shape.mutability == Mutability::ReadOnly && !cx.is_stored();
        if read_only || (value.is_null() && !attribute.edges) || cx.is_absent(value) {
            continue;
        }
        place(index, value, cx).map_err(|error| error.at(attribute.name))?;
        seen.insert(index);
    }
    if cx.is_stored() {
        return Ok(());
    }
    match attributes
        .iter()
        .enumerate()
        .find(|(index, attribute)| is_missing(attribute, *index, &seen))
    {
        Some((_, attribute)) => Err(missing(attribute.name)),
        None => Ok(()),
    }
}

fn is_missing(attribute: &Attribute, index: usize, seen: &Seen) -> bool {
    attribute.shape.required && attribute.shape.mutability != Mutability::ReadOnly && !seen.contains(index)
}

/// 400 `invalidValue`: a required attribute is missing.
#[must_use]
pub fn missing(attribute: &'static str) -> Error {
    Error::invalid_value("is required, but missing or empty").at(attribute)
}

/// Which attributes of a table were assigned.
#[derive(Default)]
struct Seen {
    low: u128,
    high: Vec<usize>,
}

impl Seen {
    fn insert(&mut self, index: usize) {
        match u32::try_from(index)
            .ok()
            .and_then(|shift| 1u128.checked_shl(shift))
        {
            Some(bit) => self.low |= bit,
            None => self.high.push(index),
        }
    }

    fn contains(&self, index: usize) -> bool {
        match u32::try_from(index)
            .ok()
            .and_then(|shift| 1u128.checked_shl(shift))
        {
            Some(bit) => self.low & bit != 0,
            None => self.high.contains(&index),
        }
    }
}

/// Changes a complex value or a resource; the part of every derived `apply` that does not depend on the struct.
///
/// # Errors
/// What RFC 7644 section 3.5.2 says of the operation.
pub fn apply_to_record(record: &mut dyn Record, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    match edit.rest {
        [step, rest @ ..] => {
            let index = usize::from(*step);
            let Some(attribute) = record.attributes().get(index) else {
                return Err(Error::invalid_path("has no such sub-attribute"));
            };
            apply_to_attribute(record, index, attribute, Edit { rest, ..edit }, cx)
        }
        [] if edit.op == Op::Remove => clear(record, cx),
        [] => merge(record, edit, cx),
    }
}

fn apply_to_attribute(
    record: &mut dyn Record,
    index: usize,
    attribute: &'static Attribute,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    if cx.is_stored() {
        return record.apply(index, edit, cx);
    }
    let refuse = |why: &'static str| Err(Error::mutability(why).at(attribute.name));
    match attribute.shape.mutability {
        Mutability::ReadOnly => return refuse("is read-only: only the service sets it"),
        Mutability::Immutable => {
            let assigned = record.view(index).is_present();
            let change = record
                .apply(index, edit, cx)
                .map_err(|error| error.at(attribute.name))?;
            return match assigned && change.is_done() {
                true => refuse("is immutable: once set, it can neither be changed nor removed"),
                false => Ok(change),
            };
        }
        Mutability::ReadWrite | Mutability::WriteOnly => {}
    }
    if attribute.shape.required && edit.clears() {
        return refuse("is required and cannot be removed");
    }
    if attribute.shape.required && edit.is_whole() && edit.value.is_some_and(|json| cx.is_absent(json)) {
        return Err(missing(attribute.name));
    }
    let change = record
        .apply(index, edit, cx)
        .map_err(|error| error.at(attribute.name))?;
    if attribute.shape.required && change.is_done() && !record.view(index).is_present() {
        return Err(missing(attribute.name));
    }
    Ok(change)
}

/// Removing a complex value unassigns every sub-attribute that can be.
fn clear(record: &mut dyn Record, cx: &mut Cx<'_>) -> Result<Change> {
    let mut change = Change::None;
    for (index, attribute) in record.attributes().iter().enumerate() {
        if attribute.shape.mutability == Mutability::ReadOnly || !record.view(index).is_present() {
            continue;
        }
        if attribute.shape.required {
            return Err(Error::mutability("is required and cannot be removed").at(attribute.name));
        }
        change = change.or(record.apply(index, Edit::whole(Op::Remove, None), cx)?);
    }
    Ok(change)
}

/// Adding to or replacing a complex value merges the given sub-attributes; the others stay (RFC 7644 sections 3.5.2.1
/// and 3.5.2.3).
fn merge(record: &mut dyn Record, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    let attributes = record.attributes();
    let fitted = fit_complex(edit.operand()?, attributes, cx);
    let json = fitted.json();
    if !json.is_object() {
        return Err(Error::invalid_value(format!(
            "must be an object, but is {}",
            json.describe()
        )));
    }
    let mut change = Change::None;
    for (name, value) in json.members() {
        let Some((index, attribute)) = position(attributes, &name) else {
            cx.unknown(&name)?;
            continue;
        };
        if attribute.shape.mutability == Mutability::ReadOnly && !cx.is_stored() {
            continue;
        }
        let edit = Edit::whole(edit.op, Some(value));
        change = change.or(apply_to_attribute(record, index, attribute, edit, cx)?);
    }
    Ok(change)
}

/// The extensions of which a record holds anything: what `schemas` lists beside the own schema (RFC 7643 section 3.3).
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
            _ = record.apply(index, Edit::whole(Op::Remove, None), &mut cx)?;
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
