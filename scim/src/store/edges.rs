//! Edits of edges: what a write does to the values of attributes marked `edges`, which stores keep as rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::Result;
use crate::filter::{Compare, Expression, Operand, Operator, ResolvedFilter};
use crate::patch::{Delta, DeltaChange};
use crate::path::AttrPath;
use crate::record::{Record, unload_edges};
use crate::schema::{Attribute, position};
use crate::value::{JsonBuf, Multi, View};

/// One value of an attribute marked `edges`.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The sub-attribute by which edges are told apart, as it was given: the id of the other end.
    pub value: Arc<str>,
    /// The other sub-attributes that were given; `None` if there are none. Of a linked attribute, they follow from the
    /// other end, and nobody keeps them.
    pub rest: Option<JsonBuf>,
}

/// One edit of the edges of one attribute, as it was asked for.
#[derive(Debug, Clone)]
pub struct EdgeEdit {
    /// The path of the attribute.
    pub attribute: AttrPath,
    /// Which operation of a PATCH it comes from, counted from 0: errors name it.
    pub operation: Option<usize>,
    /// The change that it makes.
    pub change: EdgeChange,
}

/// The change that an edit of edges makes.
#[derive(Debug, Clone)]
pub enum EdgeChange {
    /// Adds those that are not there yet.
    Add(Vec<Edge>),
    /// Makes these the only ones.
    Set(Vec<Edge>),
    /// Takes these away; those that are not there are no error.
    Remove(Vec<Edge>),
    /// Takes away what the filter selects; nothing selected is not an error.
    RemoveWhere(ResolvedFilter),
}

impl EdgeEdit {
    /// Makes the edit that a delta of a PATCH asks for.
    pub(crate) fn of_delta(attribute: AttrPath, table: &[Attribute], delta: Delta<Box<dyn Multi>>) -> Self {
        let edges = |values: Box<dyn Multi>| edges_of(&*values, table);
        let change = match delta.change {
            DeltaChange::Add(values) => EdgeChange::Add(edges(values)),
            DeltaChange::Set(values) => EdgeChange::Set(edges(values)),
            DeltaChange::Clear => EdgeChange::Set(Vec::new()),
            DeltaChange::RemoveValues(values) => EdgeChange::Remove(edges(values)),
            DeltaChange::RemoveWhere(filter) => EdgeChange::RemoveWhere(filter),
        };
        Self {
            attribute,
            operation: Some(delta.operation),
            change,
        }
    }
}

/// Returns the attributes of a resource type that are marked `edges`.
pub(crate) fn edge_attributes(
    table: &'static [Attribute],
) -> impl Iterator<Item = (AttrPath, &'static Attribute)> {
    let table = (0..u16::MAX).zip(table);
    let edges = table.filter(|(_, attribute)| attribute.edges);
    edges.map(|(step, attribute)| (AttrPath::ROOT.push(step), attribute))
}

/// Takes the edges out of a resource, as edits that make those it has the only ones. Whatever was not loaded stays as it
/// is.
pub(crate) fn take_edges(record: &mut dyn Record) -> Result<Vec<EdgeEdit>> {
    let mut edits = Vec::new();
    for (attribute, table) in edge_attributes(record.attributes()) {
        let index = attribute.steps().first().copied().map_or(usize::MAX, usize::from);
        if let Some(values) = record.view(index).values() {
            edits.push(EdgeEdit {
                attribute,
                operation: None,
                change: EdgeChange::Set(edges_of(values, table.shape.sub_attributes)),
            });
        }
    }
    unload_edges(record, &|_| true)?;
    Ok(edits)
}

/// Returns the values of an attribute as edges.
fn edges_of(values: &dyn Multi, table: &[Attribute]) -> Vec<Edge> {
    let key = key_position(table);
    let mut edges = Vec::with_capacity(values.len());
    _ = values.try_for_each(&mut |value| {
        edges.extend(value.record().and_then(|record| edge_of(record, key)));
        ControlFlow::Continue(())
    });
    edges
}

fn edge_of(record: &dyn Record, key: usize) -> Option<Edge> {
    let View::Str(value) = record.view(key) else {
        return None;
    };
    let others = record.attributes().iter().enumerate();
    let others = others.filter(|(index, _)| *index != key && record.view(*index).is_present());
    let rest: Vec<_> = others
        .map(|(index, sub)| (sub.name, record.view(index).to_json()))
        .collect();
    let rest = (!rest.is_empty())
        .then(|| JsonBuf::object(rest.iter().map(|(name, value)| (*name, value.as_json()))));
    Some(Edge {
        value: (&*value).into(),
        rest,
    })
}

/// Returns the place of the sub-attribute by which edges are told apart: the one marked `key`, or else `value`.
pub(crate) fn key_position(table: &[Attribute]) -> usize {
    let marked = table.iter().position(|sub| sub.key);
    marked
        .or_else(|| position(table, "value").map(|(index, _)| index))
        .unwrap_or(usize::MAX)
}

/// The keys that a filter over edges names, if it selects nothing but edges with these keys.
pub(crate) struct NamedKeys<'f> {
    /// The keys, folded as the attribute is compared.
    pub(crate) keys: Vec<&'f str>,
    /// Whether the filter selects every edge with such a key.
    pub(crate) exact: bool,
}

impl<'f> NamedKeys<'f> {
    /// Looks for comparisons of the sub-attribute at `key` with `eq`.
    pub(crate) fn of(expression: &'f Expression, key: usize) -> Option<Self> {
        match expression {
            Expression::Compare(compare) => named_key(compare, key).map(|key| Self {
                keys: vec![key],
                exact: true,
            }),
            Expression::Or(any) => {
                let mut named = Self {
                    keys: Vec::new(),
                    exact: true,
                };
                for one in any {
                    let mut one = Self::of(one, key)?;
                    named.keys.append(&mut one.keys);
                    named.exact &= one.exact;
                }
                Some(named)
            }
            Expression::And(all) => all.iter().find_map(|one| Self::of(one, key)).map(|named| Self {
                exact: false,
                ..named
            }),
            Expression::Never => Some(Self {
                keys: Vec::new(),
                exact: true,
            }),
            _ => None,
        }
    }
}

/// Returns the key that a comparison names: `value eq "a"`.
pub(crate) fn named_key(compare: &Compare, key: usize) -> Option<&str> {
    let is_key = matches!(compare.path.steps(), [step] if usize::from(*step) == key);
    match (&compare.operand, compare.operator) {
        (Operand::Text { key, .. }, Operator::Eq) if is_key => Some(key),
        _ => None,
    }
}
