//! Reading a PatchOp message (RFC 7644 section 3.5.2).

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, Result, quoted};
use crate::filter::{PathExpression, Resolve, ResolvedFilter, Syntax, Unknown};
use crate::limits::exceeded;
use crate::patch::operation::{Act, Operation, Target};
use crate::path::{AttrPath, AttributeName};
use crate::policy::{self, Policy};
use crate::schema::{Attribute, Mutability, ResourceType, SCHEMAS, position};
use crate::value::{Coerce, Cx, Json, JsonBuf, Op, Select, check_message};

/// The URN of the message.
pub(super) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

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
    check_message(schemas, PATCH_OP, cx)?;
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
        terms: 0,
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

/// Reads operations, or what stands in a body like one, against a resource type.
pub(super) struct Reader<'r, 'cx> {
    pub(super) resource_type: &'static ResourceType,
    pub(super) policy: &'r Policy,
    pub(super) cx: &'r mut Cx<'cx>,
    pub(super) text: &'r str,
    pub(super) operations: Vec<Operation>,
    pub(super) index: usize,
    /// Expressions in the filters so far.
    pub(super) terms: usize,
}

impl Reader<'_, '_> {
    fn operation(&mut self, json: Json<'_>) -> Result<()> {
        let most = self.cx.limits().patch_operations;
        if self.index >= most {
            return Err(exceeded::patch_operations(most, None));
        }
        if !json.is_object() {
            return Err(Error::invalid_syntax(format!(
                "An operation must be an object, but is {}.",
                json.describe_shape()
            )));
        }
        let [op, path, value] = json.pick(["op", "path", "value"]);
        let op = read_op(op)?;
        let path = self.read_path(path)?;
        let Some(path) = path else {
            return match op {
                _ if self.policy.restricts(&policy::OPERATIONS_WITHOUT_PATH) => Err(Error::invalid_syntax(
                    "The operation has no path: send one operation with a path for each attribute.",
                )),
                Op::Remove => Err(Error::no_target(
                    "The operation remove needs a path: say what is to be removed.",
                )),
                _ => self.unaddressed(op, needs_value(op, value)?),
            };
        };
        let path = self.parse(&path)?;
        match (op, value) {
            (Op::Remove, Some(value)) => {
                let value = self.removed_values(&path, value)?;
                self.addressed(op, &path, value)
            }
            (Op::Remove, None) => self.addressed(op, &path, None),
            (Op::Add | Op::Replace, value) => {
                let value = needs_value(op, value)?;
                self.addressed(op, &path, Some(value))
            }
        }
    }

    /// Reads the path of an operation; `None` if it has none.
    fn read_path<'j>(&mut self, path: Option<Json<'j>>) -> Result<Option<Cow<'j, str>>> {
        let Some(json) = path.filter(|path| !path.is_null()) else {
            return Ok(None);
        };
        let text = json.as_str().ok_or_else(|| {
            Error::invalid_path(format!("The path must be a string, but is {}.", json.describe()))
        })?;
        let empty_path = self
            .policy
            .grants(&policy::EMPTY_PATHS)
            .filter(|_| text.is_empty());
        Ok(match empty_path {
            Some(tolerance) => {
                self.cx.fire(tolerance, "");
                None
            }
            None => Some(text),
        })
    }

    /// Returns the values that a `remove` lists. The RFC knows no value for `remove`, but clients list the values to
    /// remove, and reading that as "all" would empty a group.
    fn removed_values<'j>(&mut self, path: &PathExpression, value: Json<'j>) -> Result<Option<Json<'j>>> {
        if value.is_null() {
            return Ok(None);
        }
        match self.policy.grants(&policy::REMOVE_LISTED_VALUES) {
            Some(tolerance) => {
                self.cx.fire(tolerance, outline(path));
                Ok(Some(value))
            }
            None => Err(Error::invalid_syntax(
                "The operation remove takes no value: select what is to be removed with a filter in the path.",
            )),
        }
    }

    fn addressed(&mut self, op: Op, path: &PathExpression, value: Option<Json<'_>>) -> Result<()> {
        match self.resolve(path)? {
            Some(Target { path, select: None }) if path.is_root() => match op {
                Op::Remove => Err(Error::no_target(
                    "The operation remove must say what is to be removed of the resource.",
                )),
                _ => self.unaddressed(op, needs_value(op, value)?),
            },
            Some(target) => self.push(op, target, value),
            None => self.cx.unknown(&outline(path)).map_err(|_| {
                let name = self.resource_type.name;
                let detail = format!("{name} has no attribute {}.", quoted(&outline(path)));
                match self.policy.restricts(&policy::UNKNOWN_PATHS) {
                    true => Error::invalid_syntax(detail),
                    false => Error::invalid_path(detail),
                }
            }),
        }
    }

    /// Reads an operation without a path: its value is an object of attributes, and each becomes an operation of its
    /// own.
    fn unaddressed(&mut self, op: Op, value: Json<'_>) -> Result<()> {
        if !value.is_object() {
            return Err(Error::invalid_value(format!(
                "Without a path, the value must be an object of attributes, but is {}.",
                value.describe_shape()
            )));
        }
        for (key, value) in value.members() {
            self.member(op, &key, value)?;
        }
        Ok(())
    }

    fn member(&mut self, op: Op, key: &str, value: Json<'_>) -> Result<()> {
        let schema = self.resource_type.schema;
        if key.eq_ignore_ascii_case(SCHEMAS.name) {
            return self.push(op, Target::of(AttrPath::SCHEMAS), Some(value));
        }
        if key.eq_ignore_ascii_case(schema.id) {
            return self.unaddressed(op, value);
        }
        let Some((index, attribute)) = position(schema.attributes, key) else {
            return match self.path_key(key)? {
                Some(target) => self.push_writable(op, target, value),
                None => self.cx.unknown(key),
            };
        };
        let target = Target::of(AttrPath::ROOT.push(u16::try_from(index).unwrap_or(u16::MAX)));
        match attribute.is_extension() {
            true => self.extension(op, attribute, target, value),
            // A client that sends back what it has read does not mean to set it.
            false => self.push_writable(op, target, value),
        }
    }

    /// Reads the attributes of an extension, among which there may be keys that are paths.
    fn extension(
        &mut self,
        op: Op,
        extension: &'static Attribute,
        target: Target,
        value: Json<'_>,
    ) -> Result<()> {
        let mut paths = Vec::new();
        for (key, value) in value.members() {
            if extension.sub_attribute(&key).is_none()
                && let Some(target) = self.path_key(&format!("{}:{key}", extension.name))?
            {
                paths.push((key, target, value));
            }
        }
        if paths.is_empty() {
            return self.push(op, target, Some(value));
        }
        let is_path = |key: &str| paths.iter().any(|(path, ..)| path == key);
        let plain = JsonBuf::object(value.members().filter(|(key, _)| !is_path(key)));
        if plain.as_json().members().next().is_some() {
            self.push(op, target, Some(plain.as_json()))?;
        }
        for (_, target, value) in paths {
            self.push_writable(op, target, value)?;
        }
        Ok(())
    }

    /// Returns what a key leads to that is a path, such as `name.givenName`; `None` if it leads nowhere, or paths are
    /// not taken as keys.
    pub(super) fn path_key(&mut self, key: &str) -> Result<Option<Target>> {
        let Ok(expression) = self.parse(key) else {
            return Ok(None);
        };
        let is_plain = expression.filter.is_none()
            && expression.attribute.urn.is_none()
            && expression.attribute.sub.is_none();
        let tolerance = self.policy.grants(&policy::PATH_KEYS);
        if !is_plain && tolerance.is_none() {
            return Ok(None);
        }
        let target = self.resolve(&expression)?;
        if let (Some(tolerance), Some(_), false) = (tolerance, &target, is_plain) {
            self.cx.fire(tolerance, outline(&expression));
        }
        Ok(target)
    }

    pub(super) fn is_read_only(&self, path: AttrPath) -> bool {
        path.attributes(self.resource_type.schema.attributes)
            .any(|attribute| attribute.shape.mutability == Mutability::ReadOnly)
    }

    fn push_writable(&mut self, op: Op, target: Target, value: Json<'_>) -> Result<()> {
        match self.is_read_only(target.path) {
            true => Ok(()),
            false => self.push(op, target, Some(value)),
        }
    }

    fn push(&mut self, op: Op, target: Target, value: Option<Json<'_>>) -> Result<()> {
        let schema = self.resource_type.schema;
        if !self.policy.keeps(schema.id, target.path) {
            let name = target.path.name(schema.attributes);
            return self
                .cx
                .not_kept(&name.map_or_else(String::new, |name| name.to_string()));
        }
        if let Some(act) = Act::of(op, value, self.text) {
            self.operations.push(Operation {
                target,
                index: self.index,
                act,
            });
        }
        Ok(())
    }

    fn parse(&mut self, path: &str) -> Result<PathExpression> {
        let syntax = Syntax::of(self.policy);
        let (expression, departures) = PathExpression::parse_with(path, self.cx.limits(), syntax)?;
        for tolerance in departures.tolerances() {
            self.cx.fire(tolerance.name, outline(&expression));
        }
        Ok(expression)
    }

    /// Finds the target of the path; `None` if no schema knows it.
    fn resolve(&mut self, expression: &PathExpression) -> Result<Option<Target>> {
        let Some(mut path) = self.resolve_name(&expression.attribute) else {
            return Ok(None);
        };
        let Some(filter) = &expression.filter else {
            return Ok(Some(Target::of(path)));
        };
        let attribute = self.selected(path, &expression.attribute)?;
        if expression.sub.is_none()
            && attribute.is_complex()
            && self.policy.restricts(&policy::ELEMENT_SELECTORS)
        {
            let name = &expression.attribute;
            return Err(Error::invalid_path(format!(
                "A filter must be followed by a sub-attribute, such as {name}[…].value."
            )));
        }
        let options = Resolve {
            rules: self.policy,
            unknown: Unknown::Refuse,
            base_urls: self.cx.base_urls(),
        };
        let select = ResolvedFilter::resolve_element(filter, attribute, options)?;
        self.charge_terms(select.terms())?;
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

    /// Counts the terms of filters. Filters take more memory than their text.
    fn charge_terms(&mut self, terms: usize) -> Result<()> {
        let most = self.cx.limits().patch_terms;
        self.terms = self.terms.saturating_add(terms);
        match self.terms <= most {
            true => Ok(()),
            false => Err(exceeded::patch_terms(most, None)),
        }
    }

    fn resolve_name(&mut self, name: &AttributeName) -> Option<AttrPath> {
        let schema = self.resource_type.schema;
        AttrPath::resolve(name, schema).or_else(|| {
            let tolerance = self.policy.grants(&policy::NEAR_NAMES)?;
            let path = AttrPath::resolve_near(name, schema)?;
            self.cx.fire(tolerance, name.to_string());
            Some(path)
        })
    }

    /// Returns the attribute whose values a filter in brackets selects.
    fn selected(&mut self, path: AttrPath, name: &AttributeName) -> Result<&'static Attribute> {
        let attribute = match path {
            AttrPath::SCHEMAS => Some(&SCHEMAS),
            path => path.attribute(self.resource_type.schema.attributes),
        };
        if let Some(attribute) = attribute.filter(|attribute| attribute.shape.multi_valued) {
            return Ok(attribute);
        }
        let single = attribute.filter(|attribute| attribute.is_complex() && !attribute.is_extension());
        match (single, self.policy.grants(&policy::SINGLE_VALUES_SELECTED)) {
            (Some(attribute), Some(tolerance)) => {
                self.cx.fire(tolerance, name.to_string());
                Ok(attribute)
            }
            _ => Err(Error::invalid_path(format!(
                "{name} is single-valued: it has no elements for a filter to select."
            ))),
        }
    }
}

/// Returns a path without the operands of its filter, `emails[…].value`. Notes and errors about names are read by many, and
/// an operand may be a password in the wrong place.
fn outline(path: &PathExpression) -> String {
    let mut outline = path.attribute.to_string();
    if path.filter.is_some() {
        outline.push_str("[…]");
    }
    if let Some(sub) = &path.sub {
        outline.push('.');
        outline.push_str(sub);
    }
    outline
}

fn needs_value<'j>(op: Op, value: Option<Json<'j>>) -> Result<Json<'j>> {
    value.ok_or_else(|| Error::invalid_value(format!("The operation {} needs a value.", op.as_str())))
}

/// Reads `add`, `remove` or `replace`, in any case.
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
