//! Attributes that are read out of JSON by their schema alone: what no struct has decoded, or none can any more.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::projection::without_hole;
use crate::record::Record;
use crate::schema::{Attribute, Type};
use crate::value::{Binary, Change, Cx, DateTime, Edit, Json, Multi, Reference, View};

/// An object as a record. Members that the table does not know are not seen, and values that do not fit are absent.
pub(crate) struct Untyped<'a> {
    pub(crate) table: &'static [Attribute],
    pub(crate) json: Json<'a>,
}

impl Record for Untyped<'_> {
    fn attributes(&self) -> &'static [Attribute] {
        self.table
    }

    fn view(&self, index: usize) -> View<'_> {
        self.table
            .get(index)
            .map_or(View::Absent, |attribute| view_member(self.json, attribute))
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Err(Error::internal("what is only shown is not changed"))
    }
}

/// The values of a multi-valued attribute.
struct Values<'a> {
    attribute: &'static Attribute,
    json: Json<'a>,
}

impl Multi for Values<'_> {
    fn len(&self) -> usize {
        self.json.elements().count()
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.json
            .elements()
            .try_for_each(|json| match view_json(json, self.attribute) {
                View::Absent => ControlFlow::Continue(()),
                view => visit(view),
            })
    }
}

/// Returns the value of an attribute in an object that may have it.
pub(crate) fn view_member<'a>(object: Json<'a>, attribute: &'static Attribute) -> View<'a> {
    match object.get(attribute.name) {
        Some(json) if attribute.shape.multi_valued && json.is_array() => {
            View::OwnedMulti(Box::new(Values { attribute, json }))
        }
        Some(json) if !attribute.shape.multi_valued => view_json(json, attribute),
        _ => View::Absent,
    }
}

fn view_json<'a>(json: Json<'a>, attribute: &'static Attribute) -> View<'a> {
    let text = || json.as_str();
    let view = match attribute.shape.kind {
        Type::String => text().map(View::Str),
        Type::Reference => text().map(|text| match without_hole(&text) {
            Some(path) => View::Relative(path.to_owned().into()),
            None => match Reference::read(&text) {
                Ok(place) if place.is_resource() => View::Relative(text),
                _ => View::Str(text),
            },
        }),
        Type::Boolean => json.as_bool().map(View::Bool),
        Type::Integer => json.as_exact_i64().map(View::Int),
        Type::Decimal => json.as_f64().map(View::Decimal),
        Type::DateTime => text()
            .and_then(|text| DateTime::parse(&text).ok())
            .map(View::Time),
        Type::Binary => text()
            .and_then(|text| Binary::parse(&text).ok())
            .map(|bytes| View::Binary(bytes.into_bytes().into())),
        Type::Complex if json.is_object() => Some(View::Owned(Box::new(Untyped {
            table: attribute.shape.sub_attributes,
            json,
        }))),
        Type::Complex => None,
    };
    view.unwrap_or_default()
}
