//! From names to attributes: a filter is checked against a schema and made ready to be evaluated many times.

use std::borrow::Cow;

use super::evaluate::text_satisfies;
use super::{
    Compare, Comparison, Expression, Filter, Literal, Numeric, Operand, Operator, ReferenceOperand, ValuePath,
};
use crate::error::{Error, Result, quoted};
use crate::fold::Fold;
use crate::limits::Limits;
use crate::path::{AttrPath, AttributeName};
use crate::schema::{Attribute, Mutability, Returned, Role, Schema, Type};
use crate::value::{
    BaseUrls, Binary, Coerce, DateTime, Fired, JsonBuf, Leniency, Strict, can_have_value, is_label,
};

/// How a filter is resolved.
#[derive(Clone, Copy)]
pub struct Resolve<'a> {
    /// The policy: it may bend a literal to the type of its attribute, as tolerant does with `active eq "True"`.
    pub rules: &'a dyn Coerce,
    /// The rule for names that the schema does not know.
    pub unknown: Unknown,
    /// The URLs of the service, which its clients see in front of every reference to one of its resources. Without them,
    /// such a reference is compared by its path, such as `Users/2819`.
    pub base_urls: Option<&'a BaseUrls<'a>>,
}

/// The fate of names in a filter that the schema does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Unknown {
    /// The filter is refused: ignoring a condition would match the wrong people.
    #[default]
    Refuse,
    /// The attribute has no value: for searches over several resource types (RFC 7644 section 3.4.2.1).
    NoValue,
}

impl Default for Resolve<'_> {
    /// Follows the RFC's letter, for one resource type.
    fn default() -> Self {
        Self {
            rules: &Strict,
            unknown: Unknown::Refuse,
            base_urls: None,
        }
    }
}

/// A filter resolved against a schema: indices and prepared operands, made once and evaluated for many resources.
///
/// As a [`Select`](crate::value::Select) it picks the elements that the filter of a PATCH path means.
#[derive(Debug, Clone)]
pub struct ResolvedFilter {
    expression: Expression,
    fired: Vec<Fired>,
    pub(super) template: Option<Vec<(u16, JsonBuf)>>,
}

impl ResolvedFilter {
    /// Resolves a filter over the resources of a schema.
    ///
    /// # Errors
    /// 400 `invalidFilter` for a name that the schema does not know, an attribute that no answer may reveal, an
    /// operator that the type does not support and an operand that does not fit (RFC 7644 section 3.4.2.2).
    pub fn resolve(filter: &Filter, schema: &'static Schema, options: Resolve<'_>) -> Result<Self> {
        let mut resolver = Resolver {
            options,
            fired: Vec::new(),
        };
        let expression = resolver.filter(filter, &Scope::Resource(schema))?;
        Ok(Self {
            expression,
            fired: resolver.fired,
            template: None,
        })
    }

    /// Resolves the filter in the brackets behind an attribute, as in the PATCH path `emails[type eq "work"]`.
    ///
    /// # Errors
    /// Those of [`ResolvedFilter::resolve`].
    pub fn resolve_element(
        filter: &Filter,
        parent: &'static Attribute,
        options: Resolve<'_>,
    ) -> Result<Self> {
        let scope = Scope::Element {
            parent,
            label: parent.name.into(),
        };
        let mut resolver = Resolver {
            options,
            fired: Vec::new(),
        };
        let expression = resolver.filter(filter, &scope)?;
        let mut template = Vec::new();
        let made = resolver.template(filter, &scope, &mut template)?;
        Ok(Self {
            expression,
            fired: resolver.fired,
            template: made.then_some(template),
        })
    }

    /// Returns the tree, for stores that translate it.
    #[must_use]
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// Returns the tolerances that acted on literals, with the attributes they acted on.
    #[must_use]
    pub fn fired(&self) -> &[Fired] {
        &self.fired
    }
}

/// The scope that names are resolved against.
enum Scope<'s> {
    Resource(&'static Schema),
    Element {
        parent: &'static Attribute,
        label: Cow<'s, str>,
    },
}

impl Scope<'_> {
    fn table(&self) -> &'static [Attribute] {
        match self {
            Self::Resource(schema) => schema.attributes,
            Self::Element { parent, .. } => parent.shape.sub_attributes,
        }
    }

    fn find(&self, name: &AttributeName) -> Option<AttrPath> {
        match self {
            Self::Resource(schema) => AttrPath::resolve(name, schema),
            Self::Element { .. } => AttrPath::resolve_in_element(name, self.table()),
        }
    }

    /// Returns the attributes along a path. The root of an element that is not a set of sub-attributes is the element
    /// itself.
    fn way(&self, path: AttrPath) -> Vec<&'static Attribute> {
        match self {
            Self::Element { parent, .. } if path.is_root() => vec![parent],
            _ => path.attributes(self.table()).collect(),
        }
    }

    /// Returns the name of an attribute as errors give it.
    fn label(&self, path: AttrPath) -> String {
        let name = path.name(self.table()).map(|name| name.to_string());
        match (self, name) {
            (Self::Resource(schema), None) => schema.id.to_owned(),
            (Self::Resource(_), Some(name)) => name,
            (Self::Element { label, .. }, None) => label.to_string(),
            (Self::Element { label, .. }, Some(name)) => format!("{label}.{name}"),
        }
    }

    fn unknown(&self, name: &AttributeName) -> Error {
        let name = quoted(&name.to_string());
        Error::invalid_filter(match self {
            Self::Resource(schema) => {
                format!(
                    "Filter: {name} is not an attribute of {} and its extensions.",
                    schema.name
                )
            }
            Self::Element { parent, label } if parent.is_complex() => {
                format!("Filter: {name} is not a sub-attribute of {label}.")
            }
            Self::Element { label, .. } => {
                format!(
                    "Filter: the values of {label} have no sub-attributes; inside the brackets they are named value."
                )
            }
        })
    }
}

/// The place that a name leads to.
struct Found {
    path: AttrPath,
    /// The attributes along the path; never empty.
    way: Vec<&'static Attribute>,
    attribute: &'static Attribute,
}

enum Name {
    Attribute(Found),
    Schemas(&'static Schema),
    Unknown,
}

struct Resolver<'a> {
    options: Resolve<'a>,
    fired: Vec<Fired>,
}

impl Resolver<'_> {
    fn filter(&mut self, filter: &Filter, scope: &Scope<'_>) -> Result<Expression> {
        match filter {
            Filter::And(all) => all.iter().try_fold(Expression::Always, |before, one| {
                Ok(before.and(self.filter(one, scope)?))
            }),
            Filter::Or(any) => any.iter().try_fold(Expression::Never, |before, one| {
                Ok(before.or(self.filter(one, scope)?))
            }),
            Filter::Not(inner) => self.filter(inner, scope).map(Expression::negate),
            Filter::Present(name) => Ok(match self.find(name, scope)? {
                Name::Attribute(found) => self.present(&found),
                Name::Schemas(_) => Expression::Always,
                Name::Unknown => Expression::Never,
            }),
            Filter::Compare(comparison) => self.compare(comparison, scope),
            Filter::ValuePath(path) => self.value_path(path, scope),
        }
    }

    fn find(&mut self, name: &AttributeName, scope: &Scope<'_>) -> Result<Name> {
        let Some(path) = scope.find(name).or_else(|| self.find_near(name, scope)) else {
            return match self.options.unknown {
                Unknown::Refuse => Err(scope.unknown(name)),
                Unknown::NoValue => Ok(Name::Unknown),
            };
        };
        if let (AttrPath::SCHEMAS, Scope::Resource(schema)) = (path, scope) {
            return Ok(Name::Schemas(schema));
        }
        let way = scope.way(path);
        let refuse = |why| Err(Error::invalid_filter(why).at(scope.label(path)));
        let Some(attribute) = way.last().copied() else {
            return refuse("is a schema, and no attribute to filter by");
        };
        if way.iter().any(|attribute| is_secret(attribute)) {
            return refuse("is never returned, and so cannot be filtered by");
        }
        Ok(Name::Attribute(Found { path, way, attribute }))
    }

    /// Finds a name that is nearly right, where the policy takes it.
    fn find_near(&mut self, name: &AttributeName, scope: &Scope<'_>) -> Option<AttrPath> {
        let Scope::Resource(schema) = scope else {
            return None;
        };
        let tolerance = self.options.rules.allows(Leniency::NearNames)?;
        let path = AttrPath::resolve_near(name, schema)?;
        self.fire(tolerance, name.to_string());
        Some(path)
    }

    fn value_path(&mut self, value_path: &ValuePath, scope: &Scope<'_>) -> Result<Expression> {
        let found = match self.find(&value_path.attribute, scope)? {
            Name::Attribute(found) => found,
            Name::Unknown => return Ok(Expression::Never),
            Name::Schemas(_) => {
                return Err(Error::invalid_filter("takes no brackets: compare it to a URN").at("schemas"));
            }
        };
        let label = scope.label(found.path);
        let parent = found.attribute;
        if !parent.is_complex() && !parent.shape.multi_valued {
            return Err(Error::invalid_filter(
                "has a single value without sub-attributes: brackets do not apply",
            )
            .at(label));
        }
        let scope = Scope::Element {
            parent,
            label: label.into(),
        };
        let inner = self.filter(&value_path.filter, &scope)?;
        Ok(walk(
            found.path.steps(),
            &found.way,
            &mut |rest| match rest.attribute {
                // The values themselves have been reached on the way.
                None => inner.clone(),
                Some(attribute) => some(rest.path, attribute, inner.clone()),
            },
        ))
    }

    /// Makes the test whether an attribute is assigned. Under a policy that takes elements without a value for none,
    /// one of the elements must have a value.
    fn present(&self, found: &Found) -> Expression {
        let attribute = found.attribute;
        let can_be_valueless = attribute.shape.multi_valued
            && attribute.shape.mutability != Mutability::ReadOnly
            && !attribute.edges
            && can_have_value(&attribute.shape);
        if !can_be_valueless
            || self
                .options
                .rules
                .allows(Leniency::ElementsWithoutValue)
                .is_none()
        {
            return present(found);
        }
        let values = attribute.shape.sub_attributes.iter().zip(0..u16::MAX);
        let is_value = values
            .filter(|(sub, _)| !is_label(sub))
            .map(|(sub, index)| Expression::Present {
                path: AttrPath::ROOT.push(index),
                attribute: sub,
            })
            .fold(Expression::Never, Expression::or);
        walk(found.path.steps(), &found.way, &mut |_| is_value.clone())
    }

    fn compare(&mut self, comparison: &Comparison, scope: &Scope<'_>) -> Result<Expression> {
        let Comparison {
            attribute: name,
            operator,
            value,
        } = comparison;
        let negated = *operator == Operator::Ne;
        let operator = if negated { Operator::Eq } else { *operator };
        let positive = match self.find(name, scope)? {
            Name::Unknown if *value == Literal::Null && operator == Operator::Eq => Expression::Always,
            Name::Unknown => Expression::Never,
            Name::Schemas(schema) => compare_schemas(schema, operator, value)?,
            Name::Attribute(found) if *value == Literal::Null => {
                if operator != Operator::Eq {
                    let why = format!(
                        "cannot be compared to null with {}: null knows eq and ne",
                        operator.as_str()
                    );
                    return Err(Error::invalid_filter(why).at(scope.label(found.path)));
                }
                self.present(&found).negate()
            }
            Name::Attribute(found) => {
                let label = scope.label(found.path);
                let found = self
                    .with_default_sub_attribute(found, &label)
                    .map_err(|error| error.at(label))?;
                self.compare_attribute(&found, operator, value, scope)?
            }
        };
        Ok(if negated { positive.negate() } else { positive })
    }

    /// Goes on to the default sub-attribute. A complex attribute cannot be compared; of a multi-valued one, `value` is
    /// meant (RFC 7643 section 2.4), and by a tolerance of a single one, too.
    fn with_default_sub_attribute(&mut self, found: Found, label: &str) -> Result<Found> {
        if !found.attribute.is_complex() {
            return Ok(found);
        }
        let value = found.attribute.sub_attribute("value");
        let value = value.filter(|(_, value)| !value.is_complex() && !is_secret(value));
        if !found.attribute.shape.multi_valued {
            let tolerance = self.options.rules.allows(Leniency::SingleValuesSelected);
            let (Some(tolerance), Some(_)) = (tolerance, value) else {
                return Err(Error::invalid_filter(match found.attribute.role {
                    Role::Extension(_) => {
                        "is a whole schema: only pr applies to it; compare one of its attributes"
                    }
                    _ => "is complex: only pr applies to it; compare one of its sub-attributes",
                }));
            };
            self.fire(tolerance, label.to_owned());
        }
        match value {
            Some((index, value)) => Ok(Found {
                path: found.path.push(u16::try_from(index).unwrap_or(u16::MAX)),
                way: found.way.into_iter().chain([value]).collect(),
                attribute: value,
            }),
            None => Err(Error::invalid_filter(
                "is complex and has no sub-attribute value: compare one of its sub-attributes",
            )),
        }
    }

    fn compare_attribute(
        &mut self,
        found: &Found,
        operator: Operator,
        value: &Literal,
        scope: &Scope<'_>,
    ) -> Result<Expression> {
        let attribute = found.attribute;
        let in_scope = |error: Error| error.at(scope.label(found.path));
        check_operator(attribute, operator).map_err(in_scope)?;
        let value = self.fit(value, attribute, || scope.label(found.path));
        let mut operand = operand(attribute, operator, &value, &self.options).map_err(in_scope)?;
        // An unassigned `primary` is false (RFC 7643 section 2.4).
        let inverted = operand == Operand::Bool(false) && is_primary(found, scope);
        if inverted {
            operand = Operand::Bool(true);
        }
        Ok(walk(found.path.steps(), &found.way, &mut |rest| {
            let test = Expression::Compare(Compare {
                path: rest.path,
                attribute,
                operator,
                operand: operand.clone(),
            });
            if inverted { test.negate() } else { test }
        }))
    }

    /// Returns the literal as its attribute wants it: itself, or what the policy makes of it.
    fn fit<'l>(
        &mut self,
        literal: &'l Literal,
        attribute: &Attribute,
        label: impl FnOnce() -> String,
    ) -> Cow<'l, Literal> {
        let coerced = json(literal).and_then(|json| {
            self.options
                .rules
                .coerce(json.as_json(), &attribute.shape.element())
        });
        let Some((coerced, literal)) = coerced.and_then(|coerced| {
            let literal = literal_of(&coerced.json)?;
            Some((coerced, literal))
        }) else {
            return Cow::Borrowed(literal);
        };
        let subject = label();
        for tolerance in coerced.tolerances {
            self.fire(tolerance, subject.clone());
        }
        Cow::Owned(literal)
    }

    fn fire(&mut self, tolerance: &'static str, subject: String) {
        let fired = Fired { tolerance, subject };
        if !self.fired.contains(&fired) {
            self.fired.push(fired);
        }
    }

    /// Gathers what an element must hold for the filter to select it; false if the filter does not say.
    fn template(
        &mut self,
        filter: &Filter,
        scope: &Scope<'_>,
        members: &mut Vec<(u16, JsonBuf)>,
    ) -> Result<bool> {
        match filter {
            Filter::And(all) => {
                for one in all {
                    if !self.template(one, scope, members)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Compare(comparison) if comparison.operator == Operator::Eq => {
                let Name::Attribute(found) = self.find(&comparison.attribute, scope)? else {
                    return Ok(false);
                };
                let &[index] = found.path.steps() else {
                    return Ok(false);
                };
                let value = self.fit(&comparison.value, found.attribute, || scope.label(found.path));
                let said = members.iter().any(|(known, _)| *known == index);
                let Some(value) = json(&value).filter(|_| !said) else {
                    return Ok(false);
                };
                members.push((index, value));
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

fn is_secret(attribute: &Attribute) -> bool {
    attribute.shape.returned == Returned::Never || attribute.shape.mutability == Mutability::WriteOnly
}

/// Returns whether the attribute says which element of a multi-valued attribute is preferred.
fn is_primary(found: &Found, scope: &Scope<'_>) -> bool {
    let owner = match (found.way.as_slice(), scope) {
        ([.., owner, _], _) => Some(*owner),
        ([_], Scope::Element { parent, .. }) => Some(*parent),
        _ => None,
    };
    found.attribute.name.eq_ignore_ascii_case("primary")
        && owner.is_some_and(|owner| owner.shape.multi_valued)
}

/// The rest of a way, from the last multi-valued attribute on it.
struct Rest {
    path: AttrPath,
    /// The attribute at the end; `None` if the rest is empty.
    attribute: Option<&'static Attribute>,
}

/// Returns the expression at the end of a way, inside one [`Expression::Any`] for each multi-valued attribute passed.
fn walk(steps: &[u16], way: &[&'static Attribute], leaf: &mut dyn FnMut(Rest) -> Expression) -> Expression {
    // The root of an element stands for the element, which has been reached already.
    let multiple = way
        .iter()
        .zip(steps)
        .position(|(attribute, _)| attribute.shape.multi_valued);
    let Some((position, attribute)) = multiple.and_then(|position| Some((position, *way.get(position)?)))
    else {
        return leaf(Rest {
            path: path(steps),
            attribute: way.last().copied().filter(|_| !steps.is_empty()),
        });
    };
    let (before, behind) = steps.split_at_checked(position + 1).unwrap_or((steps, &[]));
    let inner = walk(behind, way.get(position + 1..).unwrap_or_default(), leaf);
    some(path(before), attribute, inner)
}

fn path(steps: &[u16]) -> AttrPath {
    steps.iter().fold(AttrPath::ROOT, |path, step| path.push(*step))
}

fn some(path: AttrPath, attribute: &'static Attribute, inner: Expression) -> Expression {
    match inner {
        Expression::Never => Expression::Never,
        inner => Expression::Any {
            path,
            attribute,
            inner: Box::new(inner),
        },
    }
}

/// Makes the test whether an attribute is assigned. A multi-valued one at the end of the way is asked as a whole.
fn present(found: &Found) -> Expression {
    let attribute = found.attribute;
    let (way, steps) = match (found.way.as_slice(), found.path.steps()) {
        ([way @ .., _], [steps @ .., last]) => (way, Some((steps, *last))),
        (way, _) => (way, None),
    };
    let Some((steps, last)) = steps else {
        return Expression::Present {
            path: AttrPath::ROOT,
            attribute,
        };
    };
    walk(steps, way, &mut |rest| Expression::Present {
        path: rest.path.push(last),
        attribute,
    })
}

/// Compares `schemas`, which is what the service computes: the schema of the resource and those of the extensions in
/// use.
fn compare_schemas(schema: &'static Schema, operator: Operator, value: &Literal) -> Result<Expression> {
    let operand = match value {
        Literal::String(text) => Fold::CaseInsensitive.key(text),
        Literal::Null if operator == Operator::Eq => return Ok(Expression::Never),
        _ => {
            return Err(
                Error::invalid_filter("holds URNs: compare it to a string in double quotes").at("schemas"),
            );
        }
    };
    let satisfies = |urn| text_satisfies(urn, operator, &operand, Fold::CaseInsensitive);
    if satisfies(schema.id) {
        return Ok(Expression::Always);
    }
    let extensions = schema
        .attributes
        .iter()
        .zip(0u16..)
        .filter_map(|(attribute, index)| match attribute.role {
            Role::Extension(extension) if satisfies(extension.id) => Some(Expression::Present {
                path: AttrPath::ROOT.push(index),
                attribute,
            }),
            _ => None,
        });
    Ok(extensions.fold(Expression::Never, Expression::or))
}

/// Checks an operator against what a type holds, how its values stand in a filter, and which operators it knows.
fn check_operator(attribute: &Attribute, operator: Operator) -> Result<()> {
    let (what, ordered) = match attribute.shape.kind {
        Type::String | Type::Reference | Type::Complex => return Ok(()),
        Type::Boolean => ("a boolean", false),
        Type::Binary => ("binary data", false),
        Type::Decimal | Type::Integer => ("a number", true),
        Type::DateTime => ("a date and time", true),
    };
    let allowed = match operator {
        Operator::Eq | Operator::Ne => true,
        Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => ordered,
        Operator::Co | Operator::Sw | Operator::Ew => false,
    };
    if allowed {
        return Ok(());
    }
    let known = if ordered {
        "eq, ne, gt, ge, lt, le and pr"
    } else {
        "eq, ne and pr"
    };
    Err(Error::invalid_filter(format!(
        "does not support {}: it is {what}, which supports {known}",
        operator.as_str()
    )))
}

fn operand(
    attribute: &Attribute,
    operator: Operator,
    literal: &Literal,
    options: &Resolve<'_>,
) -> Result<Operand> {
    const TIME: &str = "a date and time such as \"2026-01-31T08:00:00Z\"";
    const BASE64: &str = "base64 text in double quotes";
    let wrong = |want: &str| {
        let found = match literal {
            Literal::Null => Cow::Borrowed("null"),
            Literal::Bool(value) => Cow::Owned(value.to_string()),
            Literal::Number(number) => Cow::Owned(format!("the number {}", number.as_str())),
            Literal::String(text) => Cow::Owned(format!("the string {}", quoted(text))),
        };
        Error::invalid_filter(format!("must be compared to {want}, not to {found}"))
    };
    let flawed = |want: &str, text: &str, flaw: &str| {
        let text = quoted(text);
        Error::invalid_filter(format!(
            "must be compared to {want}, not to the string {text}, which {flaw}"
        ))
    };
    match (attribute.shape.kind, literal) {
        (Type::Reference, Literal::String(text)) => Ok(Operand::Reference(ReferenceOperand::new(
            attribute, operator, text, options,
        ))),
        (Type::String, Literal::String(text)) => {
            let fold = attribute.fold();
            let key = match operator {
                Operator::Co | Operator::Sw | Operator::Ew => fold.part_key(text),
                _ => fold.key(text),
            };
            Ok(Operand::Text {
                key: key.into(),
                fold,
            })
        }
        (Type::String | Type::Reference, _) => Err(wrong("a string in double quotes")),
        (Type::Boolean, Literal::Bool(value)) => Ok(Operand::Bool(*value)),
        (Type::Boolean, _) => Err(wrong("true or false, without quotes")),
        (Type::Integer | Type::Decimal, Literal::Number(number)) => {
            Ok(Operand::Number(Numeric::from(number)))
        }
        (Type::Integer | Type::Decimal, _) => Err(wrong("a number, without quotes")),
        (Type::DateTime, Literal::String(text)) => DateTime::read(text)
            .map(Operand::Time)
            .map_err(|flaw| flawed(TIME, text, flaw)),
        (Type::DateTime, _) => Err(wrong(TIME)),
        (Type::Binary, Literal::String(text)) => Binary::read(text)
            .map(|bytes| Operand::Binary(bytes.as_bytes().into()))
            .map_err(|flaw| flawed(BASE64, text, &flaw)),
        (Type::Binary, _) => Err(wrong(BASE64)),
        (Type::Complex, _) => Err(Error::invalid_filter(
            "is complex: compare one of its sub-attributes",
        )),
    }
}

/// Returns a literal as JSON; `None` for null, which no element needs to hold.
fn json(literal: &Literal) -> Option<JsonBuf> {
    match literal {
        Literal::Null => None,
        Literal::Bool(value) => Some(serde_json::Value::Bool(*value).into()),
        Literal::Number(number) => JsonBuf::parse(number.as_str().as_bytes(), &Limits::default()).ok(),
        Literal::String(text) => Some(JsonBuf::string(text)),
    }
}

fn literal_of(json: &JsonBuf) -> Option<Literal> {
    let json = json.as_json();
    if let Some(value) = json.as_bool() {
        return Some(Literal::Bool(value));
    }
    if json.as_f64().is_some() {
        return Some(Literal::Number(super::Number::from_json(json.text())));
    }
    json.as_str().map(|text| Literal::String(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScimType;
    use crate::filter::sample::{PERSON_SCHEMA, person};
    use crate::policy::Policy;

    fn resolve(text: &str, options: Resolve<'_>) -> Result<ResolvedFilter> {
        ResolvedFilter::resolve(&text.parse()?, &PERSON_SCHEMA, options)
    }

    #[track_caller]
    fn refused(text: &str, detail: &str) {
        let error = resolve(text, Resolve::default()).expect_err(text);
        assert_eq!(error.scim_type(), Some(ScimType::InvalidFilter), "{text}");
        assert_eq!(
            (error.status().as_u16(), error.to_string().as_str()),
            (400, detail),
            "{text}"
        );
    }

    /// P-3.4.2.2-12, -28, A-28: an operator that the type does not support.
    #[test]
    fn operators_must_suit_the_type() {
        for operator in ["gt", "ge", "lt", "le", "co", "sw", "ew"] {
            refused(
                &format!("active {operator} true"),
                &format!(
                    "Attribute active does not support {operator}: it is a boolean, which supports eq, ne and pr."
                ),
            );
            refused(
                &format!("certificate {operator} \"AAAA\""),
                &format!(
                    "Attribute certificate does not support {operator}: it is binary data, which supports eq, ne and pr."
                ),
            );
        }
        for operator in ["co", "sw", "ew"] {
            for (attribute, what) in [
                ("age", "a number"),
                ("score", "a number"),
                ("meta.lastModified", "a date and time"),
            ] {
                refused(
                    &format!("{attribute} {operator} \"1\""),
                    &format!(
                        "Attribute {attribute} does not support {operator}: it is {what}, which supports eq, ne, gt, ge, lt, le and pr."
                    ),
                );
            }
        }
        for operator in ["gt", "ge", "lt", "le", "co", "sw", "ew"] {
            refused(
                &format!("title {operator} null"),
                &format!("Attribute title cannot be compared to null with {operator}: null knows eq and ne."),
            );
        }
    }

    #[test]
    fn operands_must_suit_the_type() {
        refused(
            "title eq 5",
            "Attribute title must be compared to a string in double quotes, not to the number 5.",
        );
        refused(
            "active eq \"true\"",
            "Attribute active must be compared to true or false, without quotes, not to the string \"true\".",
        );
        refused(
            "age eq \"5\"",
            "Attribute age must be compared to a number, without quotes, not to the string \"5\".",
        );
        refused(
            "meta.lastModified gt \"yesterday\"",
            "Attribute meta.lastModified must be compared to a date and time such as \"2026-01-31T08:00:00Z\", not to the string \"yesterday\", which is not written that way.",
        );
        refused(
            "meta.lastModified gt \"2026-01-31t08:00:00Z\"",
            "Attribute meta.lastModified must be compared to a date and time such as \"2026-01-31T08:00:00Z\", not to the string \"2026-01-31t08:00:00Z\", which has a small t or z.",
        );
        refused(
            "certificate eq \"-_8=\"",
            "Attribute certificate must be compared to base64 text in double quotes, not to the string \"-_8=\", which has \"-\" at byte 0; expected + and / in place of the - and _ of base64url.",
        );
        refused(
            "schemas eq 1",
            "Attribute schemas holds URNs: compare it to a string in double quotes.",
        );
    }

    /// P-3.4.2.2-21, A-02, A-18.
    /// An element that has nothing but labels is not a value, where the policy says so.
    #[test]
    fn elements_without_a_value_are_not_present() {
        use crate::filter::sample::email;
        let tolerant = Policy::tolerant();
        let tolerant = Resolve {
            rules: &tolerant,
            unknown: Unknown::Refuse,
            base_urls: None,
        };
        let labels = email("", "work").with("primary", true);
        let labelled = person().with("emails", vec![labels.clone()]);
        let valued = person().with("emails", vec![labels, email("a@b.example", "home")]);
        for (text, is_labelled_found) in [
            ("emails pr", false),
            ("emails eq null", true),
            ("emails.type pr", true),
        ] {
            let matches = |options, person| resolve(text, options).unwrap().matches(person);
            assert_eq!(matches(tolerant, &labelled), is_labelled_found, "{text}");
            assert_ne!(
                matches(Resolve::default(), &labelled),
                text == "emails eq null",
                "{text}"
            );
            assert_ne!(matches(tolerant, &valued), text == "emails eq null", "{text}");
        }
    }

    #[test]
    fn names_must_lead_to_something_comparable() {
        refused(
            "shoe eq \"x\"",
            "Filter: \"shoe\" is not an attribute of Person and its extensions.",
        );
        refused(
            "name.shoe pr",
            "Filter: \"name.shoe\" is not an attribute of Person and its extensions.",
        );
        refused(
            "emails[shoe pr]",
            "Filter: \"shoe\" is not a sub-attribute of emails.",
        );
        refused(
            "zones[type pr]",
            "Filter: the values of zones have no sub-attributes; inside the brackets they are named value.",
        );
        refused(
            "name eq \"x\"",
            "Attribute name is complex: only pr applies to it; compare one of its sub-attributes.",
        );
        refused(
            "badges eq 1",
            "Attribute badges is complex and has no sub-attribute value: compare one of its sub-attributes.",
        );
        refused(
            "title[value eq \"x\"]",
            "Attribute title has a single value without sub-attributes: brackets do not apply.",
        );
        refused(
            "urn:example:2.0:Person pr",
            "Attribute urn:example:2.0:Person is a schema, and no attribute to filter by.",
        );
        refused(
            "urn:example:2.0:Staff eq \"x\"",
            "Attribute urn:example:2.0:Staff is a whole schema: only pr applies to it; compare one of its attributes.",
        );
        refused(
            "emails[primary gt true]",
            "Attribute emails.primary does not support gt: it is a boolean, which supports eq, ne and pr.",
        );
        refused(
            "zones[value eq 1]",
            "Attribute zones must be compared to a string in double quotes, not to the number 1.",
        );
    }

    /// A filter on what is never returned would tell it bit by bit.
    #[test]
    fn secrets_cannot_be_guessed() {
        for text in [
            "password eq \"x\"",
            "password pr",
            "password sw \"a\"",
            "not (password eq null)",
        ] {
            refused(
                text,
                "Attribute password is never returned, and so cannot be filtered by.",
            );
        }
    }

    /// P-3.4.2.1-05: RFC 7644 section 3.4.2.1.
    #[test]
    fn over_several_types_an_unknown_attribute_has_no_value() {
        let options = Resolve {
            unknown: Unknown::NoValue,
            ..Resolve::default()
        };
        let matches = |text: &str| resolve(text, options).unwrap().matches(&person());
        for text in [
            "shoe eq 43",
            "shoe pr",
            "shoe gt 3",
            "shoe[size eq 43]",
            "emails[shoe pr]",
            "shoe ne null",
        ] {
            assert!(!matches(text), "{text}");
            assert!(matches(&format!("not ({text})")), "not {text}");
        }
        for text in ["shoe ne 43", "shoe eq null", "urn:example:2.0:Car:wheels ne 4"] {
            assert!(matches(text), "{text}");
        }
        assert!(
            resolve("active gt true", options).is_err(),
            "a known attribute keeps its rules"
        );
    }

    /// wire-behaviour: Entra ID and Keycloak quote booleans.
    #[test]
    fn a_policy_may_read_quoted_booleans_and_says_so() {
        let policy = Policy::tolerant();
        let options = Resolve {
            rules: &policy,
            ..Resolve::default()
        };
        let active = person().with("active", true);
        let filter = resolve(r#"active eq "True" or emails[primary eq "False"]"#, options).unwrap();
        assert!(filter.matches(&active) && !filter.matches(&person()));
        let fired: Vec<_> = filter
            .fired()
            .iter()
            .map(|fired| (fired.tolerance, fired.subject.as_str()))
            .collect();
        assert_eq!(
            fired,
            [
                ("boolean-strings", "active"),
                ("boolean-strings", "emails.primary")
            ]
        );
        assert!(resolve("active eq \"yes\"", options).is_err());
        assert!(resolve("active eq true", options).unwrap().fired().is_empty());
        assert!(
            resolve(
                "active eq \"True\"",
                Resolve {
                    rules: &Policy::strict(),
                    ..options
                }
            )
            .is_err()
        );
    }
}
