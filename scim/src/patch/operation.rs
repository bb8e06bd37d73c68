//! One operation of a PATCH with its path resolved.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::filter::ResolvedFilter;
use crate::path::AttrPath;
use crate::record::{ScimResource, apply_to_record};
use crate::schema::{Attribute, Mutability, ResourceType, Role, Schema};
use crate::value::{Change, Cx, Edit, Json, JsonBuf, Op, Select, View};

/// One operation of a PATCH.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What it does.
    pub op: Op,
    /// What it does it to.
    pub target: Target,
    /// Which of the request's operations it comes from, counted from 0.
    pub index: usize,
    pub(super) value: Operand,
}

/// What an operation is addressed to.
#[derive(Debug, Clone)]
pub struct Target {
    /// The attribute; [`AttrPath::SCHEMAS`] for `schemas`.
    pub path: AttrPath,
    /// Which elements of the multi-valued attribute on the way.
    pub select: Option<ResolvedFilter>,
}

/// The operand: a part of the message's text, or what a tolerance has made of one.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    None,
    Sent(Range<usize>),
    Made(JsonBuf),
}

impl Operand {
    pub(super) fn of(json: Option<Json<'_>>, text: &str) -> Self {
        match json {
            None => Self::None,
            Some(json) => json
                .range_in(text)
                .map_or_else(|| Self::Made(json.into()), Self::Sent),
        }
    }

    pub(super) fn json<'t>(&'t self, text: &'t str) -> Option<Json<'t>> {
        match self {
            Self::None => None,
            Self::Sent(range) => text.get(range.clone()).map(Json::from_checked),
            Self::Made(json) => Some(json.as_json()),
        }
    }
}

impl Operation {
    /// Applies the operation; `text` is the message it comes from.
    pub(super) fn apply<R: ScimResource>(
        &self,
        resource: &mut R,
        text: &str,
        cx: &mut Cx<'_>,
    ) -> Result<Change> {
        let value = self.value.json(text);
        if self.target.path == AttrPath::SCHEMAS {
            return self.apply_to_schemas(resource, value, cx);
        }
        self.refuse_read_only(R::RESOURCE_TYPE.schema.attributes)?;
        let select = self.target.select.as_ref().map(|filter| filter as &dyn Select);
        let path = self.target.path;
        apply_to_record(
            resource,
            Edit {
                op: self.op,
                select,
                rest: path.steps(),
                value,
            },
            cx,
        )
    }

    /// A path that names what only the service sets is refused even where nothing is assigned yet on the way to it: what
    /// is made from a document would pass it over in silence.
    fn refuse_read_only(&self, table: &'static [Attribute]) -> Result<()> {
        let path = self.target.path;
        let Some(depth) = path
            .attributes(table)
            .position(|attribute| attribute.shape.mutability == Mutability::ReadOnly)
        else {
            return Ok(());
        };
        let along: Vec<&str> = path.attributes(table).map(|attribute| attribute.name).collect();
        let error = Error::mutability("is read-only: only the service sets it");
        Err(along.into_iter().take(depth + 1).rev().fold(error, Error::at))
    }

    /// `schemas` follows from what a resource holds. Adding a schema the resource type has changes nothing yet; removing
    /// an extension's removes its attributes (RFC 7644 section 3.5.2).
    fn apply_to_schemas<R: ScimResource>(
        &self,
        resource: &mut R,
        value: Option<Json<'_>>,
        cx: &mut Cx<'_>,
    ) -> Result<Change> {
        let resource_type = R::RESOURCE_TYPE;
        if self.op != Op::Remove {
            let value =
                value.ok_or_else(|| Error::invalid_value("needs a value in this operation").at("schemas"))?;
            return check_urns(value, resource_type, cx).map(|()| Change::None);
        }
        let meant = |urn: &str| match (&self.target.select, value) {
            (Some(select), _) => Select::matches(select, &View::text(urn)),
            (None, Some(listed)) => one_or_many(listed).any(|listed| listed.eq_ignore_ascii_case(urn)),
            (None, None) => true,
        };
        if meant(resource_type.schema.id) {
            return Err(
                Error::mutability("is required: the schema of the resource type cannot be removed")
                    .at("schemas"),
            );
        }
        let mut change = Change::None;
        for (index, attribute) in resource_type.schema.attributes.iter().enumerate() {
            if let Role::Extension(Schema { id, .. }) = attribute.role
                && meant(id)
            {
                let removed = resource.apply(index, Edit::whole(Op::Remove, None), cx);
                change = change.or(removed.map_err(|error| error.at(attribute.name))?);
            }
        }
        Ok(change)
    }
}

fn one_or_many(json: Json<'_>) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
    let single = (!json.is_array()).then_some(json);
    single.into_iter().chain(json.elements()).filter_map(Json::as_str)
}

fn check_urns(value: Json<'_>, resource_type: &ResourceType, cx: &mut Cx<'_>) -> Result<()> {
    let schema = resource_type.schema;
    for urn in one_or_many(value) {
        let known = urn.eq_ignore_ascii_case(schema.id)
            || schema
                .extensions()
                .any(|(_, extension)| urn.eq_ignore_ascii_case(extension.id));
        if !known {
            cx.unknown(&urn).map_err(|_| {
                Error::invalid_value(format!(
                    "holds {}, which {} does not have",
                    crate::error::quoted(&urn),
                    resource_type.name
                ))
                .at("schemas")
            })?;
        }
    }
    Ok(())
}
