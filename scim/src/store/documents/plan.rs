//! From a resolved filter to SQL over the indexes.
//!
//! What comes out selects the rows that may match; whether each of them does is then known, or has to be asked of its
//! document. Three rules keep SQLite from losing its way: a disjunction is a `UNION` of selections and never
//! `OR rid IN (…)`; beside the condition that drives a selection all others are hidden from the planner by a unary plus
//! or a correlated `EXISTS`; and deep offsets run over an index alone.

use super::key::Key;
use super::layout::{Derived, EdgeAttribute, End, Layout, Valued};
use crate::filter::{Compare, Expression, Numeric, Operand, Operator, ReferenceOperand};
use crate::path::AttrPath;
use crate::schema::{Attribute, Type, Uniqueness};
use crate::sort::Sort;
use crate::store::database::{Param, Value};
use crate::store::edges::NamedKeys;
use crate::store::layout::Parts;
use crate::value::Reference;

/// SQL with its parameters in the order in which they stand in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) params: Vec<Value>,
}

impl Sql {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            params: Vec::new(),
        }
    }

    pub(super) fn with(mut self, param: impl Into<Value>) -> Self {
        self.params.push(param.into());
        self
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.params.extend(other.params);
    }

    pub(super) fn bound(&self) -> Vec<Param<'_>> {
        self.params.iter().map(Value::as_param).collect()
    }
}

/// How few rows a selection is likely to have, fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    One,
    Few,
    Some,
    Many,
    Most,
}

/// A condition in SQL.
struct Condition {
    /// A selection of `rid`s by an index, where there is one.
    select: Option<(Rank, Sql)>,
    /// The condition on a row `r`, for rows that something else has selected.
    test: Sql,
    /// Whether it is true of those rows only of which the filter is true. It is always true of these.
    exact: bool,
}

/// The rows that may match a filter.
#[derive(Debug, PartialEq)]
pub(super) struct Candidates {
    /// Selects their `rid`s, each once.
    pub(super) select: Sql,
    /// Whether they all match.
    pub(super) exact: bool,
}

/// What no filter needs: nothing matches.
pub(super) fn nothing() -> Candidates {
    Candidates {
        select: Sql::new("SELECT NULL AS rid WHERE 0"),
        exact: true,
    }
}

/// The rows that may match, if an index can select them.
pub(super) fn candidates(layout: &Layout, tenant: i64, expression: &Expression) -> Option<Candidates> {
    let planner = Planner { layout, tenant };
    if matches!(expression, Expression::Never) {
        return Some(nothing());
    }
    let condition = planner.condition(expression)?;
    Some(Candidates {
        select: condition.select?.1,
        exact: condition.exact,
    })
}

struct Planner<'l> {
    layout: &'l Layout,
    tenant: i64,
}

impl Planner<'_> {
    fn condition(&self, expression: &Expression) -> Option<Condition> {
        match expression {
            Expression::And(all) => self.and(all),
            Expression::Or(any) => self.or(any),
            Expression::Not(inner) => self.not(inner),
            Expression::Present { path, attribute } => self.present(*path, attribute),
            Expression::Compare(compare) => self.compare(compare),
            Expression::Any { path, inner, .. } => self.any(*path, inner),
            _ => None,
        }
    }

    /// One condition drives, the others test; what SQL cannot say is left to the document.
    fn and(&self, all: &[Expression]) -> Option<Condition> {
        let mut exact = true;
        let mut known = Vec::new();
        for one in all {
            match self.condition(one) {
                Some(condition) => {
                    exact &= condition.exact;
                    known.push(condition);
                }
                None => exact = false,
            }
        }
        let driver = (0..known.len())
            .filter_map(|at| Some((known.get(at)?.select.as_ref()?.0, at)))
            .min()
            .map(|(rank, at)| (rank, known.remove(at)));
        let mut test = Sql::default();
        for condition in &known {
            if !test.text.is_empty() {
                test.push(" AND ");
            }
            test.append(condition.test.clone());
        }
        let Some((rank, driver)) = driver else {
            return (!test.text.is_empty()).then_some(Condition {
                select: None,
                test,
                exact,
            });
        };
        let (_, select) = driver.select?;
        if test.text.is_empty() {
            return Some(Condition {
                select: Some((rank, select)),
                test: driver.test,
                exact,
            });
        }
        let mut narrowed = Sql::new("SELECT c.rid AS rid FROM (");
        narrowed.append(select);
        narrowed.push(") c CROSS JOIN scim_resource r ON r.tenant = ? AND r.rid = c.rid WHERE ");
        narrowed.params.push(self.tenant.into());
        narrowed.append(test.clone());
        let mut both = driver.test;
        both.push(" AND ");
        both.append(test);
        Some(Condition {
            select: Some((rank, narrowed)),
            test: both,
            exact,
        })
    }

    /// Every alternative must be known, or the rows of the others would be missing.
    fn or(&self, any: &[Expression]) -> Option<Condition> {
        let mut select = Some((Rank::One, Sql::default()));
        let mut test = Sql::new("(");
        let mut exact = true;
        for (position, one) in any.iter().enumerate() {
            let condition = self.condition(one)?;
            exact &= condition.exact;
            if position > 0 {
                test.push(" OR ");
            }
            test.push("(");
            test.append(condition.test);
            test.push(")");
            select = select
                .zip(condition.select)
                .map(|((worst, mut all), (rank, one))| {
                    if position > 0 {
                        all.push(" UNION ");
                    }
                    // A part that is a union of its own, or has a clause that may not stand in one, becomes a table.
                    all.push("SELECT rid FROM (");
                    all.append(one);
                    all.push(")");
                    (worst.max(rank), all)
                });
        }
        test.push(")");
        Some(Condition { select, test, exact })
    }

    fn not(&self, inner: &Expression) -> Option<Condition> {
        if let Expression::Compare(compare) = inner
            && let (Operand::Bool(value), Some(column)) = (&compare.operand, self.column(compare.path))
        {
            // A boolean that is not true is false or not there.
            let (same, other) = (Key::boolean(*value), Key::boolean(!value));
            let mut select = self.rows(&format!("r.{column} = ?"), vec![value_of(other)]);
            select.push(" UNION ");
            select.append(self.rows(&format!("r.{column} IS NULL"), Vec::new()));
            let test = Sql::new(format!("(+r.{column} IS NULL OR +r.{column} <> ?)")).with(value_of(same));
            return Some(Condition {
                select: Some((Rank::Most, select)),
                test,
                exact: true,
            });
        }
        let inner = self.condition(inner)?;
        if !inner.exact {
            return None;
        }
        let mut test = Sql::new("NOT coalesce((");
        test.append(inner.test);
        test.push("), 0)");
        Some(Condition {
            select: None,
            test,
            exact: true,
        })
    }

    /// The column that holds the key of an attribute.
    fn column(&self, path: AttrPath) -> Option<String> {
        self.layout.column(path).map(|slot| format!("k{}", slot.column))
    }

    /// Parameters behind that of the tenant. It is none of the text, or each tenant would have statements of its own.
    fn in_tenant(&self, params: Vec<Value>) -> Vec<Value> {
        let mut all = vec![Value::Integer(self.tenant)];
        all.extend(params);
        all
    }

    /// The rows of the type of which a condition on `r` holds.
    fn rows(&self, condition: &str, params: Vec<Value>) -> Sql {
        let number = self.layout.number;
        let text = format!(
            "SELECT r.rid AS rid FROM scim_resource r WHERE r.tenant = ? AND r.type = {number} AND {condition}"
        );
        Sql {
            text,
            params: self.in_tenant(params),
        }
    }

    fn on_row(&self, rank: Rank, condition: &str, params: Vec<Value>, exact: bool) -> Condition {
        Condition {
            select: Some((rank, self.rows(condition, params.clone()))),
            test: Sql {
                text: format!("({})", condition.replace("r.", "+r.")),
                params,
            },
            exact,
        }
    }

    fn present(&self, path: AttrPath, attribute: &'static Attribute) -> Option<Condition> {
        let column = self.column(path)?;
        // An empty text is no value.
        Some(match attribute.shape.kind {
            Type::String => self.on_row(
                Rank::Most,
                &format!("r.{column} > ?"),
                vec![value_of(Key::text(""))],
                true,
            ),
            _ => self.on_row(Rank::Most, &format!("r.{column} IS NOT NULL"), Vec::new(), true),
        })
    }

    fn compare(&self, compare: &Compare) -> Option<Condition> {
        if compare.path == self.layout.id {
            return self.compare_id(compare);
        }
        if compare.path == self.layout.meta.push(3) {
            return self.compare_location(compare);
        }
        if compare.path == self.modified() {
            let Operand::Time(time) = &compare.operand else {
                return None;
            };
            // The store's own instants have whole microseconds: compared to another of that kind, the key says it all.
            let exact = time.as_unix_nanos() % 1_000 == 0;
            let operator = if exact {
                compare.operator
            } else {
                loosened(compare)
            };
            let (text, params) = range("r.modified", operator, Value::Integer(time.as_unix_micros()))?;
            return Some(self.on_row(Rank::Many, &text, params, exact));
        }
        let column = self.column(compare.path)?;
        let attribute = compare.attribute;
        let (text, params) = by_key(&format!("r.{column}"), compare)?;
        let rank = match (compare.operator, &compare.operand) {
            (_, Operand::Bool(_)) => Rank::Most,
            (Operator::Eq, _) if attribute.shape.uniqueness != Uniqueness::None => Rank::One,
            (Operator::Eq, _) => Rank::Few,
            (Operator::Sw, _) => Rank::Some,
            _ => Rank::Many,
        };
        let exact = !matches!(compare.operand, Operand::Time(_));
        Some(self.on_row(rank, &text, params, exact))
    }

    fn compare_id(&self, compare: &Compare) -> Option<Condition> {
        match (&compare.operand, compare.operator) {
            (Operand::Text { key, .. }, Operator::Eq) => {
                Some(self.on_row(Rank::One, "r.id = ?", vec![value_of(Key::id(key))], true))
            }
            _ => None,
        }
    }

    /// A location names an id, unless it is that of another type.
    fn compare_location(&self, compare: &Compare) -> Option<Condition> {
        let Operand::Reference(ReferenceOperand { paths, .. }) = &compare.operand else {
            return None;
        };
        let segment = self.layout.resource_type.segment();
        let is_elsewhere = |path: &str| {
            let behind = path.strip_prefix(segment);
            !behind.is_some_and(|rest| rest.starts_with('/'))
        };
        if paths.is_none() || paths.one_path().is_some_and(is_elsewhere) {
            return Some(Condition {
                select: Some((Rank::One, nothing().select)),
                test: Sql::new("0"),
                exact: true,
            });
        }
        let id = Reference::id_at(segment, paths.one_path()?)?;
        Some(self.on_row(Rank::One, "r.id = ?", vec![value_of(Key::id(id))], true))
    }

    fn modified(&self) -> AttrPath {
        self.layout.meta.push(2)
    }

    fn any(&self, path: AttrPath, inner: &Expression) -> Option<Condition> {
        if let Some(edges) = self.layout.edges.iter().find(|edges| edges.shape.path == path) {
            return self.members(edges, inner);
        }
        let derived: Vec<_> = self
            .layout
            .derived
            .iter()
            .filter(|derived| derived.shape.path == path)
            .collect();
        match derived.as_slice() {
            [derived] => self.memberships(derived, inner),
            _ => self.value(path, inner),
        }
    }

    /// `members.value eq "…"`, from whom the edges lead.
    fn members(&self, edges: &EdgeAttribute, inner: &Expression) -> Option<Condition> {
        let (ids, exact) = ids_in(inner, &edges.shape.parts, &edges.targets)?;
        let types: Vec<_> = edges.targets.iter().map(|end| end.number.to_string()).collect();
        let attribute = edges.number;
        let (marks, params) = self.id_list(&ids);
        let named = format!(
            "t.tenant = ? AND t.type IN ({}) AND t.id IN ({marks})",
            types.join(", ")
        );
        let select = format!(
            "SELECT DISTINCT e.src AS rid FROM scim_resource t CROSS JOIN scim_edge e
             ON e.tenant = t.tenant AND e.dst = t.rid AND e.attr = {attribute} WHERE {named}"
        );
        let test = format!(
            "EXISTS(SELECT 1 FROM scim_resource t CROSS JOIN scim_edge e
             ON e.tenant = t.tenant AND e.src = r.rid AND e.attr = {attribute} AND e.dst = t.rid WHERE {named})"
        );
        Some(Condition {
            select: Some((
                Rank::Some,
                Sql {
                    text: select,
                    params: params.clone(),
                },
            )),
            test: Sql { text: test, params },
            exact,
        })
    }

    /// `groups.value eq "…"`, to whom the edges lead.
    fn memberships(&self, derived: &Derived, inner: &Expression) -> Option<Condition> {
        let source = std::slice::from_ref(&derived.source);
        let (ids, exact) = ids_in(inner, &derived.shape.parts, source)?;
        let (source, attribute) = (derived.source.number, derived.edge);
        let number = self.layout.number;
        let (marks, params) = self.id_list(&ids);
        let named = format!("t.tenant = ? AND t.type = {source} AND t.id IN ({marks})");
        // An edge may lead to other types too.
        let select = format!(
            "SELECT DISTINCT e.dst AS rid FROM scim_resource t
             CROSS JOIN scim_edge e ON e.tenant = t.tenant AND e.src = t.rid AND e.attr = {attribute}
             CROSS JOIN scim_resource r ON r.tenant = e.tenant AND r.rid = e.dst AND r.type = {number}
             WHERE {named}"
        );
        let test = format!(
            "EXISTS(SELECT 1 FROM scim_resource t CROSS JOIN scim_edge e
             ON e.tenant = t.tenant AND e.src = t.rid AND e.attr = {attribute} AND e.dst = r.rid WHERE {named})"
        );
        Some(Condition {
            select: Some((
                Rank::Many,
                Sql {
                    text: select,
                    params: params.clone(),
                },
            )),
            test: Sql { text: test, params },
            exact,
        })
    }

    fn id_list(&self, ids: &[String]) -> (String, Vec<Value>) {
        let marks = vec!["?"; ids.len()].join(", ");
        (
            marks,
            self.in_tenant(ids.iter().map(|id| value_of(Key::id(id))).collect()),
        )
    }

    /// `emails[type eq "work" and value eq "…"]`
    fn value(&self, path: AttrPath, inner: &Expression) -> Option<Condition> {
        let conjuncts = inner.conjuncts();
        let mut of_path = self.layout.values.iter().filter(|valued| valued.holder == path);
        let (valued, driver) = of_path.find_map(|valued| {
            let mut compared = conjuncts.iter().filter_map(|one| match one {
                Expression::Compare(compare) if compare.path == valued.within => Some(compare),
                _ => None,
            });
            compared.find_map(|compare| Some((valued, self.value_condition(valued, compare)?)))
        })?;
        let kind = conjuncts.iter().find_map(|one| kind_of(valued, one));
        let used = 1 + usize::from(kind.is_some());
        let (rank, mut text, mut params, exact) = driver;
        if let Some(kind) = kind {
            text.push_str(" AND v.sub = ?");
            params.push(Value::Blob(kind.into_bytes()));
        }
        let attribute = valued.number;
        let params = self.in_tenant(params);
        let rows = format!("FROM scim_value v WHERE v.tenant = ? AND v.attr = {attribute} AND {text}");
        Some(Condition {
            select: Some((
                rank,
                Sql {
                    text: format!("SELECT DISTINCT v.rid AS rid {rows}"),
                    params: params.clone(),
                },
            )),
            test: Sql {
                text: format!("EXISTS(SELECT 1 {rows} AND v.rid = r.rid)"),
                params,
            },
            exact: exact && used == conjuncts.len(),
        })
    }

    fn value_condition(
        &self,
        valued: &Valued,
        compare: &Compare,
    ) -> Option<(Rank, String, Vec<Value>, bool)> {
        let (text, params) = by_key("v.value", compare)?;
        let rank = match compare.operator {
            Operator::Eq => Rank::Few,
            Operator::Sw => Rank::Some,
            _ => Rank::Many,
        };
        Some((rank, text, params, valued.attribute.shape.kind != Type::DateTime))
    }
}

/// `type eq "work"`
fn kind_of(valued: &Valued, expression: &Expression) -> Option<String> {
    match expression {
        Expression::Compare(Compare {
            path,
            operator: Operator::Eq,
            operand: Operand::Text { key, .. },
            ..
        }) if Some(*path) == valued.kind && !key.is_empty() => Some(key.to_string()),
        _ => None,
    }
}

/// The ids that the condition inside the brackets names, and whether it says nothing else.
fn ids_in(inner: &Expression, parts: &Parts, ends: &[End]) -> Option<(Vec<String>, bool)> {
    let named = NamedKeys::of(inner, parts.value).filter(|named| !named.keys.is_empty());
    // Under any other rule of comparison a key does not name one row.
    let names_rows = parts.table.get(parts.value)?.shape.case_exact;
    if let Some(named) = named.filter(|_| names_rows) {
        let ids = named.keys.into_iter().map(str::to_owned);
        return Some((ids.collect(), named.exact));
    }
    let mut conjuncts = inner.conjuncts().iter();
    let id = conjuncts.find_map(|one| placed_id(one, parts, ends))?;
    Some((vec![id], false))
}

/// The id in `$ref eq "…"`. It says more: of which type the resource is.
fn placed_id(expression: &Expression, parts: &Parts, ends: &[End]) -> Option<String> {
    let Expression::Compare(compare) = expression else {
        return None;
    };
    let [index] = compare.path.steps() else {
        return None;
    };
    let is_place = Some(usize::from(*index)) == parts.reference;
    let Operand::Reference(ReferenceOperand { paths, .. }) = &compare.operand else {
        return None;
    };
    let path = paths.one_path().filter(|_| is_place)?;
    let id = ends
        .iter()
        .find_map(|end| Reference::id_at(end.resource_type.segment(), path))?;
    Some(id.to_owned())
}

fn value_of(key: Key) -> Value {
    Value::Blob(key.into_bytes())
}

/// A comparison with the key of an operand. `None` if keys do not answer it: a number may be of another kind than the
/// attribute.
fn by_key(column: &str, compare: &Compare) -> Option<(String, Vec<Value>)> {
    let operator = loosened(compare);
    let key = match (&compare.operand, compare.attribute.shape.kind) {
        (Operand::Text { key, .. }, _) if operator == Operator::Sw => {
            let from = Key::text(key);
            let to = from.behind_prefix();
            return Some((
                format!("{column} >= ? AND {column} < ?"),
                vec![value_of(from), value_of(to)],
            ));
        }
        (Operand::Text { key, .. }, _) => Key::text(key),
        (Operand::Bool(value), _) => Key::boolean(*value),
        (Operand::Time(time), _) => Key::time(*time),
        (Operand::Number(Numeric::Integer(value)), Type::Integer) => Key::integer(*value),
        (Operand::Number(Numeric::Decimal(value)), Type::Decimal) => Key::decimal(*value),
        (Operand::Number(number @ Numeric::Integer(value)), Type::Decimal) => {
            let decimal = *value as f64;
            (Numeric::Decimal(decimal) == *number).then(|| Key::decimal(decimal))?
        }
        _ => return None,
    };
    range(column, operator, value_of(key))
}

/// The operator for keys. Those of instants are rounded down to the microsecond, so that what is beyond a bound may have
/// the key of the bound.
fn loosened(compare: &Compare) -> Operator {
    match (&compare.operand, compare.operator) {
        (Operand::Time(_), Operator::Gt) => Operator::Ge,
        (Operand::Time(_), Operator::Lt) => Operator::Le,
        (_, operator) => operator,
    }
}

/// A comparison of a column that an index can answer.
fn range(column: &str, operator: Operator, key: Value) -> Option<(String, Vec<Value>)> {
    let compared = |sign: &str, key: Value| Some((format!("{column} {sign} ?"), vec![key]));
    match (operator, key) {
        (Operator::Eq, key) => compared("=", key),
        (Operator::Gt, key) => compared(">", key),
        (Operator::Ge, key) => compared(">=", key),
        (Operator::Lt, key) => compared("<", key),
        (Operator::Le, key) => compared("<=", key),
        _ => None,
    }
}

/// The column whose index has the order of a sort, if there is one.
pub(super) fn sort_column(layout: &Layout, sort: &Sort) -> Option<String> {
    if sort.path() == layout.meta.push(2) {
        return Some("modified".to_owned());
    }
    let slot = layout.column(sort.path())?;
    let by_key = matches!(
        sort.attribute().shape.kind,
        Type::String | Type::Boolean | Type::Integer
    );
    by_key.then(|| format!("k{}", slot.column))
}

/// Whether an attribute is in no document.
pub(super) fn is_outside(layout: &Layout, path: AttrPath) -> bool {
    layout.shape.outside.iter().any(|outer| path.starts_with(*outer))
}

/// Whether a filter, where the document has to be asked, looks at anything that is not in it.
pub(super) fn looks_outside(layout: &Layout, expression: &Expression) -> bool {
    match expression {
        Expression::And(all) | Expression::Or(all) => all.iter().any(|one| looks_outside(layout, one)),
        Expression::Not(inner) => looks_outside(layout, inner),
        Expression::Present { path, .. } | Expression::Any { path, .. } => is_outside(layout, *path),
        Expression::Compare(compare) => is_outside(layout, compare.path),
        _ => false,
    }
}
