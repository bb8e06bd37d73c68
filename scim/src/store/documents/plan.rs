//! From a resolved filter to SQL over the indexes. Which keys a comparison asks for is said by [`KeyRange`], for all
//! columns alike; which index drives a selection is decided here.
//!
//! The result selects the rows that may match; whether each of them does is then known, or has to be asked of its
//! document. Four rules keep SQLite from losing its way, and its memory small: a disjunction is a `UNION ALL` of selections
//! and never `OR rid IN (…)`; rows that are selected more than once are told apart at the end, by one `DISTINCT` (SQLite
//! sorts each part of a `UNION`, and keeps all parts in memory meanwhile); beside the condition that drives a selection all
//! others are hidden from the planner by a unary plus or a correlated `EXISTS`; and deep offsets run over an index alone.

use super::column::Column;
use super::composed::Sql;
use super::key::Key;
use super::layout::{Derived, EdgeAttribute, End, Layout, Valued};
use super::selection::{Rank, Select, Selection};
use crate::filter::{Compare, Expression, Operand, Operator, ReferenceOperand};
use crate::path::AttrPath;
use crate::schema::{Attribute, Type, Uniqueness};
use crate::sort::Sort;
use crate::sql::{Bound, IS_NOT_TRUE, KeyRange, Range};
use crate::store::database::Value;
use crate::store::edges::NamedKeys;
use crate::store::layout::Parts;
use crate::value::Reference;

/// The most parts of a `UNION ALL`: SQLite takes 500.
const MOST_ARMS: usize = 450;

/// A condition in SQL.
struct Condition {
    /// A selection by an index, where there is one.
    select: Option<Selection>,
    /// The condition on a row `r`, for rows that something else has selected.
    test: Sql,
    /// Whether it is true of those rows only of which the filter is true. It is always true of these.
    exact: bool,
}

impl Condition {
    /// Returns the condition that no row satisfies.
    fn never() -> Self {
        Self {
            select: Some(Selection::new(Rank::One, nothing().select)),
            test: Sql::new("1 = 0"),
            exact: true,
        }
    }
}

/// The rows that may match a filter.
#[derive(Debug, PartialEq)]
pub(super) struct Candidates {
    /// Selects each once.
    pub(super) select: Select,
    /// Whether they all match.
    pub(super) exact: bool,
}

/// Returns candidates that no filter has to test: nothing matches.
pub(super) fn nothing() -> Candidates {
    Candidates {
        select: Select::of("NULL", Sql::new(" WHERE 1 = 0")),
        exact: true,
    }
}

/// Returns the rows that may match, if an index can select them.
pub(super) fn candidates(layout: &Layout, tenant: i64, expression: &Expression) -> Option<Candidates> {
    let planner = Planner { layout, tenant };
    if matches!(expression, Expression::Never) {
        return Some(nothing());
    }
    let condition = planner.condition(expression)?;
    Some(Candidates {
        select: condition.select?.distinct_select(),
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

    /// Plans a conjunction: one condition drives, the others test; what SQL cannot say is left to the document.
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
            .filter_map(|at| Some((known.get(at)?.select.as_ref()?.rank, at)))
            .min()
            .map(|(_, at)| known.remove(at));
        let mut test = Sql::default();
        for condition in &known {
            if !test.text.is_empty() {
                test.push(" AND ");
            }
            test.append(condition.test.clone());
        }
        let Some(driver) = driver else {
            return (!test.text.is_empty()).then_some(Condition {
                select: None,
                test,
                exact,
            });
        };
        let select = driver.select?;
        if test.text.is_empty() {
            return Some(Condition {
                select: Some(select),
                test: driver.test,
                exact,
            });
        }
        let narrowed = select.narrowed(|rows| {
            let mut from = Sql::new(" FROM (");
            from.append(rows.sql());
            from.push(") c CROSS JOIN scim_resource r ON r.tenant = ? AND r.rid = c.rid WHERE ");
            from.params.push(self.tenant.into());
            from.append(test.clone());
            Select::of("c.rid", from)
        });
        let mut both = driver.test;
        both.push(" AND ");
        both.append(test);
        Some(Condition {
            select: Some(narrowed),
            test: both,
            exact,
        })
    }

    /// Plans a disjunction: every alternative must be known, or the rows of the others would be missing.
    fn or(&self, any: &[Expression]) -> Option<Condition> {
        let mut selects = Vec::with_capacity(any.len());
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
            selects.push(condition.select);
        }
        // If one alternative has no index, its rows would be missing.
        let selects: Option<Vec<_>> = selects.into_iter().collect();
        let select = selects
            .and_then(|selects| selects.into_iter().reduce(Selection::or))
            .filter(|select| select.arms() <= MOST_ARMS);
        test.push(")");
        Some(Condition { select, test, exact })
    }

    fn not(&self, inner: &Expression) -> Option<Condition> {
        let condition = self.condition(inner)?;
        if !condition.exact {
            return None;
        }
        let mut test = Sql::new("(");
        test.append(condition.test);
        test.push(")");
        test.push(IS_NOT_TRUE);
        Some(Condition {
            select: self.not_boolean(inner),
            test,
            exact: true,
        })
    }

    /// Returns the rows of which a comparison of a boolean is not true: it is the other one, or not there.
    fn not_boolean(&self, inner: &Expression) -> Option<Selection> {
        let Expression::Compare(Compare {
            path,
            operator: Operator::Eq,
            operand: Operand::Bool(value),
            ..
        }) = inner
        else {
            return None;
        };
        let column = self.column(*path)?;
        let other = self
            .rows()
            .and(|sql| column.search(&Range::equal(Bound::Bool(!value)), sql));
        let missing = self.rows().and(|sql| column.search_missing(sql));
        Some(Selection::new(Rank::Most, other).or(Selection::new(Rank::Most, missing)))
    }

    /// Returns the column that holds the key of an attribute.
    fn column(&self, path: AttrPath) -> Option<Column> {
        Column::key(self.layout.column(path)?.column)
    }

    /// Returns the rows of the type.
    fn rows(&self) -> Select {
        Select::of_type(self.layout.number, self.tenant)
    }

    fn on_row(&self, rank: Rank, column: Column, keys: &KeyRange<'_>) -> Condition {
        let rank = match keys.range {
            Range::Nothing => return Condition::never(),
            Range::Everything => Rank::Most,
            _ => rank,
        };
        let select = self.rows().and(|sql| column.search(&keys.range, sql));
        Condition {
            select: Some(Selection::new(rank, select)),
            test: column.test(&keys.range),
            exact: keys.exact,
        }
    }

    fn present(&self, path: AttrPath, attribute: &'static Attribute) -> Option<Condition> {
        let keys = KeyRange::present(attribute)?;
        Some(match self.column(path) {
            Some(column) => self.on_row(Rank::Most, column, &keys),
            None => self.on_values(Rank::Most, self.single(path)?, &keys, None),
        })
    }

    fn compare(&self, compare: &Compare) -> Option<Condition> {
        let meta = self.layout.meta;
        if compare.path == self.layout.id || compare.path == meta.push(3) {
            let segment = self.layout.resource_type.segment();
            let keys = KeyRange::of_id(compare, segment)?;
            return Some(self.on_row(Rank::One, Column::ID, &keys));
        }
        if compare.path == meta.push(2) {
            let keys = KeyRange::of_whole_micros(compare)?;
            return Some(self.on_row(Rank::Many, Column::MODIFIED, &keys));
        }
        let keys = KeyRange::of(compare)?;
        let rank = match (compare.operator, &compare.operand) {
            (_, Operand::Bool(_)) => Rank::Most,
            (Operator::Eq, _) if compare.attribute.shape.uniqueness != Uniqueness::None => Rank::One,
            _ => rank_of(compare.operator),
        };
        Some(match self.column(compare.path) {
            Some(column) => self.on_row(rank, column, &keys),
            None => self.on_values(rank, self.single(compare.path)?, &keys, None),
        })
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

    /// Plans `members.value eq "…"`, from whom the edges lead.
    fn members(&self, edges: &EdgeAttribute, inner: &Expression) -> Option<Condition> {
        let (ids, exact) = ids_in(inner, &edges.shape.parts, &edges.targets)?;
        let types: Vec<_> = edges.targets.iter().map(|end| end.number.to_string()).collect();
        let attribute = edges.number;
        let (marks, params) = self.id_list(&ids);
        let named = format!(
            "t.tenant = ? AND t.type IN ({}) AND t.id IN ({marks})",
            types.join(", ")
        );
        let from = format!(
            " FROM scim_resource t CROSS JOIN scim_edge e
             ON e.tenant = t.tenant AND e.dst = t.rid AND e.attr = {attribute} WHERE {named}"
        );
        let test = format!(
            "EXISTS(SELECT 1 FROM scim_resource t CROSS JOIN scim_edge e
             ON e.tenant = t.tenant AND e.src = r.rid AND e.attr = {attribute} AND e.dst = t.rid WHERE {named})"
        );
        Some(Condition {
            select: Some(Selection::repeating(
                Rank::Some,
                Select::of(
                    "e.src",
                    Sql {
                        text: from,
                        params: params.clone(),
                    },
                ),
            )),
            test: Sql { text: test, params },
            exact,
        })
    }

    /// Plans `groups.value eq "…"`, to whom the edges lead.
    fn memberships(&self, derived: &Derived, inner: &Expression) -> Option<Condition> {
        let source = std::slice::from_ref(&derived.source);
        let (ids, exact) = ids_in(inner, &derived.shape.parts, source)?;
        let (source, attribute) = (derived.source.number, derived.edge);
        let number = self.layout.number;
        let (marks, params) = self.id_list(&ids);
        let named = format!("t.tenant = ? AND t.type = {source} AND t.id IN ({marks})");
        // An edge may lead to other types too.
        let from = format!(
            " FROM scim_resource t
             CROSS JOIN scim_edge e ON e.tenant = t.tenant AND e.src = t.rid AND e.attr = {attribute}
             CROSS JOIN scim_resource r ON r.tenant = e.tenant AND r.rid = e.dst AND r.type = {number}
             WHERE {named}"
        );
        let test = format!(
            "EXISTS(SELECT 1 FROM scim_resource t CROSS JOIN scim_edge e
             ON e.tenant = t.tenant AND e.src = t.rid AND e.attr = {attribute} AND e.dst = r.rid WHERE {named})"
        );
        Some(Condition {
            select: Some(Selection::repeating(
                Rank::Many,
                Select::of(
                    "e.dst",
                    Sql {
                        text: from,
                        params: params.clone(),
                    },
                ),
            )),
            test: Sql { text: test, params },
            exact,
        })
    }

    fn id_list(&self, ids: &[String]) -> (String, Vec<Value>) {
        let marks = vec!["?"; ids.len()].join(", ");
        let keys = ids.iter().map(|id| Value::Blob(Key::id(id).into_bytes()));
        (marks, [self.tenant.into()].into_iter().chain(keys).collect())
    }

    /// Plans `emails[type eq "work" and value eq "…"]`.
    fn value(&self, path: AttrPath, inner: &Expression) -> Option<Condition> {
        let conjuncts = inner.conjuncts();
        let mut of_path = self.layout.values.iter().filter(|valued| valued.holder == path);
        let (valued, rank, keys) = of_path.find_map(|valued| {
            let mut compared = conjuncts.iter().filter_map(|one| match one {
                Expression::Compare(compare) if compare.path == valued.within => Some(compare),
                _ => None,
            });
            compared.find_map(|compare| Some((valued, rank_of(compare.operator), KeyRange::of(compare)?)))
        })?;
        let kind = conjuncts.iter().find_map(|one| kind_of(valued, one));
        let used = 1 + usize::from(kind.is_some());
        let mut condition = self.on_values(rank, valued, &keys, kind.as_ref());
        condition.exact &= used == conjuncts.len();
        Some(condition)
    }

    /// Finds an attribute with one value for which no key column was left.
    fn single(&self, path: AttrPath) -> Option<&Valued> {
        let mut of_path = self.layout.values.iter().filter(|valued| valued.holder == path);
        of_path.find(|valued| valued.is_single())
    }

    fn on_values(
        &self,
        rank: Rank,
        valued: &Valued,
        keys: &KeyRange<'_>,
        kind: Option<&Range<'_>>,
    ) -> Condition {
        if keys.range == Range::Nothing {
            return Condition::never();
        }
        let rows = |from: &str| self.value_rows(from, valued, &keys.range, kind);
        let mut test = rows("EXISTS(SELECT 1 FROM");
        test.push(" AND v.rid = r.rid)");
        Condition {
            select: Some(Selection::repeating(rank, Select::of("v.rid", rows(" FROM")))),
            test,
            exact: keys.exact,
        }
    }

    /// Returns the rows of the value table with a key and a kind.
    fn value_rows(&self, from: &str, valued: &Valued, keys: &Range<'_>, kind: Option<&Range<'_>>) -> Sql {
        let attribute = valued.number;
        let text = format!("{from} scim_value v WHERE v.tenant = ? AND v.attr = {attribute} AND ");
        let mut sql = Sql::new(text).with(self.tenant);
        Column::VALUE.search(keys, &mut sql);
        if let Some(kind) = kind {
            sql.push(" AND ");
            Column::KIND.search(kind, &mut sql);
        }
        sql
    }
}

/// Returns how few values are likely to satisfy a comparison.
fn rank_of(operator: Operator) -> Rank {
    match operator {
        Operator::Eq => Rank::Few,
        Operator::Sw => Rank::Some,
        _ => Rank::Many,
    }
}

/// Returns the range of `type eq "work"`.
fn kind_of<'e>(valued: &Valued, expression: &'e Expression) -> Option<Range<'e>> {
    match expression {
        Expression::Compare(compare) if Some(compare.path) == valued.kind => match &compare.operand {
            // The kind of a value without one is empty.
            Operand::Text { key, .. } if compare.operator == Operator::Eq && !key.is_empty() => {
                Some(KeyRange::of(compare)?.range)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Returns the ids that the condition inside the brackets names, and whether it says nothing else.
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

/// Returns the id in `$ref eq "…"`. It says more: of which type the resource is.
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

/// Returns the column whose index has the order of a sort, if there is one.
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

/// Returns whether an attribute is in no document.
pub(super) fn is_outside(layout: &Layout, path: AttrPath) -> bool {
    layout.shape.outside.iter().any(|outer| path.starts_with(*outer))
}

/// Returns whether a filter, where the document has to be asked, looks at anything that is not in it.
pub(super) fn looks_outside(layout: &Layout, expression: &Expression) -> bool {
    match expression {
        Expression::And(all) | Expression::Or(all) => all.iter().any(|one| looks_outside(layout, one)),
        Expression::Not(inner) => looks_outside(layout, inner),
        Expression::Present { path, .. } | Expression::Any { path, .. } => is_outside(layout, *path),
        Expression::Compare(compare) => is_outside(layout, compare.path),
        _ => false,
    }
}
