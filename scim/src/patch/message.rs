//! Reading a PatchOp message (RFC 7644 section 3.5.2).

use std::sync::Arc;

use http::StatusCode;

use crate::error::{Error, Result, quoted};
use crate::filter::{PathExpression, Resolve, ResolvedFilter, Syntax, Unknown};
use crate::patch::operation::{Operand, Operation, Target};
use crate::path::AttrPath;
use crate::policy::{self, Policy};
use crate::schema::{Attribute, Mutability, ResourceType, Shape, Type, position};
use crate::value::{Coerce, Cx, Json, Op};

/// The URN of the message.
pub(super) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// `schemas`, which no table lists because the service computes it.
static SCHEMAS: Attribute = Attribute::new("schemas", Shape::new(Type::String).multiple());

/// Reads a message: its text, and its operations with paths resolved.
pub(super) fn read(
    body: &[u8],
    resource_type: &'static ResourceType,
    policy: &Policy,
    cx: &mut Cx<'_>,
) -> Result<(Arc<str>, Vec<Operation>)> {
    let text: Arc<str> = Json::parse(body, cx.limits())?.text().into();
    let message = Json::from_checked(&text);
    if !message.is_object() {
        return Err(Error::invalid_syntax(format!(
            "The body must be a PatchOp message, but is {}.",
            message.describe_shape()
        )));
    }
    let [schemas, operations] = message.pick(["schemas", "Operations"]);
    check_schemas(schemas, policy, cx)?;
    let operations = operations
        .filter(|json| json.is_array())
        .ok_or_else(|| Error::invalid_syntax("A PATCH needs a list of Operations."))?;
    let mut reader = Reader {
        resource_type,
        policy,
        cx,
        text: &text,
        operations: Vec::new(),
        index: 0,
    };
    let mut is_empty = true;
    for (index, operation) in operations.elements().enumerate() {
        is_empty = false;
        reader.index = index;
        reader
            .operation(operation)
            .map_err(|error| error.in_operation(index))?;
    }
    if is_empty {
        return Err(Error::invalid_syntax(
            "A PATCH needs at least one operation in Operations.",
        ));
    }
    let operations = reader.operations;
    Ok((text, operations))
}

fn check_schemas(schemas: Option<Json<'_>>, policy: &Policy, cx: &mut Cx<'_>) -> Result<()> {
    let listed = schemas.is_some_and(|schemas| {
        schemas
            .elements()
            .any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_OP)))
    });
    if listed {
        return Ok(());
    }
    match policy.grants(&policy::MISSING_SCHEMAS) {
        Some(tolerance) => {
            cx.fire(tolerance, "PatchOp");
            Ok(())
        }
        None => Err(Error::invalid_syntax(format!(
            "The schemas of a PATCH must name {PATCH_OP}."
        ))),
    }
}

struct Reader<'r, 'cx> {
    resource_type: &'static ResourceType,
    policy: &'r Policy,
    cx: &'r mut Cx<'cx>,
    text: &'r str,
    operations: Vec<Operation>,
    index: usize,
}

impl Reader<'_, '_> {
    fn operation(&mut self, json: Json<'_>) -> Result<()> {
        let most = self.cx.limits().patch_operations;
        if self.index >= most {
            let detail =
                format!("A PATCH may have {most} operations at most: send the others in further requests.");
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        if !json.is_object() {
            return Err(Error::invalid_syntax(format!(
                "An operation must be an object, but is {}.",
                json.describe_shape()
            )));
        }
        let [op, path, value] = json.pick(["op", "path", "value"]);
        let op = read_op(op)?;
        let value = match (op, value) {
            (Op::Remove, Some(value)) => self.removed_values(path, value)?,
            (Op::Add | Op::Replace, None) => {
                return Err(Error::invalid_value(format!(
                    "The operation {} needs a value.",
                    op.as_str()
                )));
            }
            (_, value) => value,
        };
        match path.filter(|path| !path.is_null()) {
            Some(path) => {
                let path = path.as_str().ok_or_else(|| {
                    Error::invalid_path(format!("The path must be a string, but is {}.", path.describe()))
                })?;
                self.addressed(op, &path, value)
            }
            None if op == Op::Remove => Err(Error::no_target(
                "The operation remove needs a path: say what is to be removed.",
            )),
            None => self.unaddressed(op, value),
        }
    }

    /// The RFC knows no value for `remove`, but clients list the values to remove, and reading that as "all" would
    /// empty a group.
    fn removed_values<'j>(&mut self, path: Option<Json<'_>>, value: Json<'j>) -> Result<Option<Json<'j>>> {
        if value.is_null() {
            return Ok(None);
        }
        match self.policy.grants(&policy::REMOVE_LISTED_VALUES) {
            Some(tolerance) => {
                let subject = path.and_then(Json::as_str).unwrap_or_default();
                self.cx.fire(tolerance, subject);
                Ok(Some(value))
            }
            None => Err(Error::invalid_syntax(
                "The operation remove takes no value: select what is to be removed with a filter in the path.",
            )),
        }
    }

    fn addressed(&mut self, op: Op, path: &str, value: Option<Json<'_>>) -> Result<()> {
        let expression = self.parse(path)?;
        match self.resolve(&expression)? {
            Some(Target { path, select: None }) if path.is_root() => match op {
                Op::Remove => Err(Error::no_target(
                    "The operation remove must say what is to be removed of the resource.",
                )),
                _ => self.unaddressed(op, value),
            },
            Some(target) => {
                self.push(op, target, value);
                Ok(())
            }
            None => match self.policy.ignores_unknown() {
                Some(tolerance) => {
                    self.cx.fire(tolerance, path);
                    Ok(())
                }
                None => {
                    let name = self.resource_type.name;
                    Err(Error::invalid_path(format!(
                        "{name} has no attribute {}.",
                        quoted(path)
                    )))
                }
            },
        }
    }

    /// An operation without a path: its value is an object of attributes, and each becomes an operation of its own.
    fn unaddressed(&mut self, op: Op, value: Option<Json<'_>>) -> Result<()> {
        let value = value.filter(|value| value.is_object()).ok_or_else(|| {
            let found = value.map_or_else(|| "nothing".to_owned(), Json::describe_shape);
            Error::invalid_value(format!(
                "Without a path, the value must be an object of attributes, but is {found}."
            ))
        })?;
        for (key, value) in value.members() {
            self.member(op, &key, value)?;
        }
        Ok(())
    }

    fn member(&mut self, op: Op, key: &str, value: Json<'_>) -> Result<()> {
        let schema = self.resource_type.schema;
        if key.eq_ignore_ascii_case("schemas") {
            return Ok(());
        }
        if key.eq_ignore_ascii_case(schema.id) {
            return self.unaddressed(op, Some(value));
        }
        if let Some((index, attribute)) = position(schema.attributes, key) {
            // A client that sends back what it has read does not mean to set it.
            if attribute.shape.mutability != Mutability::ReadOnly {
                let path = AttrPath::ROOT.push(u16::try_from(index).unwrap_or(u16::MAX));
                self.push(op, Target { path, select: None }, Some(value));
            }
            return Ok(());
        }
        match self.policy.grants(&policy::PATH_KEYS) {
            Some(tolerance) => self.path_key(op, key, value, tolerance),
            None => self.cx.unknown(key),
        }
    }

    /// A key that is a path, such as `name.givenName`.
    fn path_key(&mut self, op: Op, key: &str, value: Json<'_>, tolerance: &'static str) -> Result<()> {
        let Ok(expression) = self.parse(key) else {
            return self.cx.unknown(key);
        };
        match self.resolve(&expression)? {
            Some(target) => {
                self.cx.fire(tolerance, key);
                if !self.is_read_only(target.path) {
                    self.push(op, target, Some(value));
                }
                Ok(())
            }
            None => self.cx.unknown(key),
        }
    }

    fn is_read_only(&self, path: AttrPath) -> bool {
        path.attributes(self.resource_type.schema.attributes)
            .any(|attribute| attribute.shape.mutability == Mutability::ReadOnly)
    }

    fn push(&mut self, op: Op, target: Target, value: Option<Json<'_>>) {
        if self.policy.keeps(self.resource_type.schema.id, target.path) {
            let value = Operand::of(value, self.text);
            self.operations.push(Operation {
                op,
                target,
                index: self.index,
                value,
            });
        }
    }

    fn parse(&self, path: &str) -> Result<PathExpression> {
        let syntax = Syntax {
            unquoted_strings: self.policy.allows(&policy::UNQUOTED_OPERANDS),
        };
        PathExpression::parse_with(path, self.cx.limits(), syntax)
    }

    /// What the path leads to; `None` if no schema knows it.
    fn resolve(&mut self, expression: &PathExpression) -> Result<Option<Target>> {
        let schema = self.resource_type.schema;
        let Some(mut path) = AttrPath::resolve(&expression.attribute, schema) else {
            return Ok(None);
        };
        let Some(filter) = &expression.filter else {
            return Ok(Some(Target { path, select: None }));
        };
        let attribute = match path {
            AttrPath::SCHEMAS => Some(&SCHEMAS),
            path => path.attribute(schema.attributes),
        };
        let Some(attribute) = attribute.filter(|attribute| attribute.shape.multi_valued) else {
            let name = &expression.attribute;
            return Err(Error::invalid_path(format!(
                "{name} is single-valued: it has no elements for a filter to select."
            )));
        };
        let options = Resolve {
            rules: self.policy,
            unknown: Unknown::Refuse,
        };
        let select = ResolvedFilter::resolve_element(filter, attribute, options)?;
        for fired in select.fired() {
            self.cx.fire(fired.tolerance, fired.subject.clone());
        }
        if let Some(sub) = &expression.sub {
            let Some((index, _)) = attribute.sub_attribute(sub) else {
                return Ok(None);
            };
            path = path.push(u16::try_from(index).unwrap_or(u16::MAX));
        }
        Ok(Some(Target {
            path,
            select: Some(select),
        }))
    }
}

/// `add`, `remove` or `replace`, in any case.
fn read_op(json: Option<Json<'_>>) -> Result<Op> {
    let Some(json) = json else {
        return Err(Error::invalid_syntax(
            "An operation needs an op: add, remove or replace.",
        ));
    };
    let text = json.as_str().unwrap_or_default();
    match text {
        text if text.eq_ignore_ascii_case("add") => Ok(Op::Add),
        text if text.eq_ignore_ascii_case("remove") => Ok(Op::Remove),
        text if text.eq_ignore_ascii_case("replace") => Ok(Op::Replace),
        _ => Err(Error::invalid_syntax(format!(
            "op must be add, remove or replace, but is {}.",
            json.describe()
        ))),
    }
}
