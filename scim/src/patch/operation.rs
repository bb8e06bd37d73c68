//! One operation of a PATCH with its path resolved.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::filter::ResolvedFilter;
use crate::path::AttrPath;
use crate::record::{ScimResource, apply_to_record};
use crate::schema::{Attribute, Mutability, ResourceType, Role, SCHEMAS, Schema};
use crate::value::{Action, Change, Cx, Edit, Json, JsonBuf, Leniency, Meaning, Op, Position, Select, View};

/// One operation of a PATCH.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The target.
    pub target: Target,
    /// Which of the request's operations it comes from, counted from 0.
    pub index: usize,
    pub(super) act: Act,
}

/// An [`Action`] that owns its operand, or refers to the text of the message.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Add(Operand),
    Replace(Operand),
    Remove,
    RemoveNamed(Operand),
}

impl Act {
    /// Reads an operation with this keyword and value. A value is named even where it is empty; only a value that
    /// is absent or `null` names everything, as clients write "no value".
    pub(super) fn of(op: Op, value: Option<Json<'_>>, text: &str) -> Option<Self> {
        let operand = value.map(|json| Operand::of(json, text));
        match (op, operand) {
            (Op::Add, Some(operand)) => Some(Self::Add(operand)),
            (Op::Replace, Some(operand)) => Some(Self::Replace(operand)),
            (Op::Add | Op::Replace, None) => None,
            (Op::Remove, Some(operand)) if !value.is_some_and(Json::is_null) => {
                Some(Self::RemoveNamed(operand))
            }
            (Op::Remove, _) => Some(Self::Remove),
        }
    }

    pub(super) fn action<'t>(&'t self, text: &'t str) -> Action<'t> {
        match self {
            Self::Add(operand) => Action::Add(operand.json(text)),
            Self::Replace(operand) => Action::Replace(operand.json(text)),
            Self::Remove => Action::Remove,
            Self::RemoveNamed(operand) => Action::RemoveNamed(operand.json(text)),
        }
    }
}

/// The place that an operation is addressed to.
#[derive(Debug, Clone)]
pub struct Target {
    /// The attribute; [`AttrPath::SCHEMAS`] for `schemas`.
    pub path: AttrPath,
    /// Which elements of the multi-valued attribute on the way.
    pub select: Option<ResolvedFilter>,
}

impl Target {
    /// Targets a whole attribute.
    pub(super) const fn of(path: AttrPath) -> Self {
        Self { path, select: None }
    }
}

/// The operand: a part of the message's text, or what a tolerance has made of one.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Sent(Range<usize>),
    Made(JsonBuf),
}

impl Operand {
    fn of(json: Json<'_>, text: &str) -> Self {
        json.range_in(text)
            .map_or_else(|| Self::Made(json.into()), Self::Sent)
    }

    fn json<'t>(&'t self, text: &'t str) -> Json<'t> {
        match self {
            Self::Sent(range) => text.get(range.clone()).map_or(Json::NULL, Json::from_checked),
            Self::Made(json) => json.as_json(),
        }
    }
}

impl Operation {
    /// Returns the keyword of the operation.
    #[must_use]
    pub fn op(&self) -> Op {
        match self.act {
            Act::Add(_) => Op::Add,
            Act::Replace(_) => Op::Replace,
            Act::Remove | Act::RemoveNamed(_) => Op::Remove,
        }
    }

    /// Applies the operation; `text` is the message it comes from.
    pub(super) fn apply<R: ScimResource>(
        &self,
        resource: &mut R,
        text: &str,
        cx: &mut Cx<'_>,
    ) -> Result<Change> {
        let action = self.act.action(text);
        cx.spend(1)?;
        if self.target.path == AttrPath::SCHEMAS {
            return self.apply_to_schemas(resource, action, cx);
        }
        let table = R::RESOURCE_TYPE.schema.attributes;
        self.refuse_read_only(table)?;
        cx.start(table);
        let edit = Edit {
            action,
            select: self.target.select.as_ref().map(|filter| filter as &dyn Select),
            rest: self.target.path.steps(),
        };
        apply_to_record(resource, edit, cx)
    }

    /// Refuses a path that names what only the service sets, even where nothing is assigned yet on the way to it: what
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

    /// Applies an operation to `schemas`, which follows from what a resource holds. Adding a schema the resource type
    /// has changes nothing yet; removing an extension's removes its attributes (RFC 7644 section 3.5.2).
    fn apply_to_schemas<R: ScimResource>(
        &self,
        resource: &mut R,
        action: Action<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Change> {
        let resource_type = R::RESOURCE_TYPE;
        let listed = match action {
            Action::Add(json) | Action::Replace(json) => {
                return check_schemas(json, resource_type, cx).map(|()| Change::None);
            }
            Action::Remove => None,
            Action::RemoveNamed(json) => Some(urns(json).map_err(|error| error.at("schemas"))?),
        };
        let meant = |urn: &str| {
            let select = self.target.select.as_ref();
            select.is_none_or(|select| Select::matches(select, &View::text(urn)))
                && listed
                    .as_ref()
                    .is_none_or(|listed| listed.iter().any(|listed| listed.eq_ignore_ascii_case(urn)))
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
                let removed = resource.apply(index, Edit::whole(Action::Remove), cx);
                change = change.or(removed.map_err(|error| error.at(attribute.name))?);
            }
        }
        Ok(change)
    }
}

/// Checks the value of an operation on `schemas`: URIs of schemas that the resource type has.
fn check_schemas(value: Json<'_>, resource_type: &ResourceType, cx: &mut Cx<'_>) -> Result<()> {
    match cx.meaning(value, Position::Replace, &SCHEMAS.shape) {
        Meaning::Value => {}
        Meaning::Nothing => return Ok(()),
        Meaning::Unassigned => {
            return match cx.allows(Leniency::MissingSchemas) {
                Some(tolerance) => {
                    cx.fire(tolerance, "schemas");
                    Ok(())
                }
                None => Err(Error::invalid_value("is required, but missing or empty").at("schemas")),
            };
        }
    }
    for urn in urns(value).map_err(|error| error.at("schemas"))? {
        if !resource_type.has_schema(&urn) {
            cx.unknown(&urn).map_err(|_| {
                Error::invalid_syntax(format!(
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

/// Returns the URIs of a value of `schemas`; a PATCH may give one without a list around it (RFC 7644 section 3.5.2.1).
fn urns(json: Json<'_>) -> Result<Vec<String>> {
    let single = (!json.is_array()).then_some(json);
    let listed = single.into_iter().chain(json.elements());
    listed
        .map(|urn| {
            let text = urn.as_str().map(std::borrow::Cow::into_owned);
            text.ok_or_else(|| {
                Error::invalid_value(format!("must be a list of URIs, but holds {}", urn.describe()))
            })
        })
        .collect()
}
