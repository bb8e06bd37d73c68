//! Edges: the values of an attribute as rows that lead from one resource to another.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::layout::{Derived, EdgeAttribute, End, Part};
use super::rows::{id_of, key_of_id};
use crate::Result;
use crate::error::{Error, quoted};
use crate::filter::{Compare, Expression, Operand, Operator, ResolvedFilter};
use crate::path::AttrPath;
use crate::projection::{Base, Projection, push_name, write_value};
use crate::record::Record;
use crate::schema::{Attribute, Mutability};
use crate::store::sqlite::{Reader, Row, Transaction};
use crate::value::view::break_if;
use crate::value::{Change, Cx, Edit, Reference, Select, View};

/// One value of an attribute of edges, on its way out.
pub(super) struct EdgeValue<'a> {
    pub(super) table: &'static [Attribute],
    pub(super) parts: &'a [Part],
    pub(super) id: &'a str,
    pub(super) segment: &'a str,
    pub(super) kind: &'a str,
    pub(super) label: Option<&'a str>,
}

impl<'a> EdgeValue<'a> {
    /// The edge to a resource; `None` for a type that the attribute does not lead to.
    fn of(edges: &'a EdgeAttribute, id: &'a str, number: i64, label: Option<&'a str>) -> Option<Self> {
        let target = edges.targets.iter().find(|target| target.number == number)?;
        Some(Self {
            table: edges.attribute.shape.sub_attributes,
            parts: &edges.parts,
            id,
            segment: target.resource_type.segment(),
            kind: target.resource_type.name,
            label,
        })
    }

    /// The edge from a resource, seen from its other end.
    fn derived(derived: &'a Derived, id: &'a str, label: Option<&'a str>) -> Self {
        Self {
            table: derived.attribute.shape.sub_attributes,
            parts: &derived.parts,
            id,
            segment: derived.source.resource_type.segment(),
            kind: "direct",
            label,
        }
    }
}

impl Record for EdgeValue<'_> {
    fn attributes(&self) -> &'static [Attribute] {
        self.table
    }

    fn view(&self, index: usize) -> View<'_> {
        match self.parts.get(index) {
            Some(Part::Value) => View::text(self.id),
            Some(Part::Place) => {
                let place = Reference::resource(self.segment, self.id);
                View::Relative(place.as_str().to_owned().into())
            }
            Some(Part::Display) => self.label.map_or(View::Absent, View::text),
            Some(Part::Kind) => View::text(self.kind),
            None => View::Absent,
        }
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Err(Error::internal("an edge is not changed where it is shown"))
    }
}

/// The ids in an attribute of edges; `None` if they are not loaded.
pub(super) fn ids_in(record: &dyn Record, edges: &EdgeAttribute) -> Option<Vec<String>> {
    let [index] = edges.path.steps() else { return None };
    let view = record.view(usize::from(*index));
    let values = view.values()?;
    let mut ids = Vec::with_capacity(values.len());
    _ = values.try_for_each(&mut |value| {
        if let View::Str(id) = value.sub("value") {
            ids.push(id.into_owned());
        }
        ControlFlow::Continue(())
    });
    Some(ids)
}

/// The row of the resource with this id, among the types that an edge may lead to.
fn resolve(reader: &Reader<'_>, tenant: i64, targets: &[End], id: &str) -> Result<Option<i64>> {
    let key = key_of_id(id);
    for target in targets {
        let found = reader.query_one(
            "SELECT rid FROM scim_resource WHERE tenant = ?1 AND type = ?2 AND id = ?3",
            &[tenant.into(), target.number.into(), key.as_param()],
            |row| row.integer(0),
        )?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Visits the edges of a row; of them all, or of the one that leads to `only`.
pub(super) fn walk(
    reader: &Reader<'_>,
    edges: &EdgeAttribute,
    rid: i64,
    only: Option<i64>,
    mut visit: impl FnMut(i64, &EdgeValue<'_>) -> Result<()>,
) -> Result<()> {
    const ALL: &str = "SELECT e.dst, r.id, r.type, r.label
        FROM scim_edge e CROSS JOIN scim_resource r ON r.rid = e.dst WHERE e.src = ?1 AND e.attr = ?2";
    const ONE: &str = "SELECT e.dst, r.id, r.type, r.label
        FROM scim_edge e CROSS JOIN scim_resource r ON r.rid = e.dst WHERE e.src = ?1 AND e.attr = ?2 AND e.dst = ?3";
    let params = [rid.into(), edges.number.into(), only.into()];
    let (sql, params) = match only {
        None => (ALL, params.get(..2).unwrap_or_default()),
        Some(_) => (ONE, params.as_slice()),
    };
    reader.query(sql, params, |row| {
        let id = id_of(row, 1)?;
        match EdgeValue::of(edges, &id, row.integer(2)?, row.optional_text(3)?) {
            Some(value) => visit(row.integer(0)?, &value),
            None => Ok(()),
        }
    })
}

/// Shows the first edge of a row: the one that comes first in its document.
pub(super) fn first(
    reader: &Reader<'_>,
    edges: &EdgeAttribute,
    rid: i64,
    show: &mut dyn FnMut(&EdgeValue<'_>),
) -> Result<()> {
    let sql = "SELECT r.id, r.type, r.label
        FROM scim_edge e CROSS JOIN scim_resource r ON r.rid = e.dst WHERE e.src = ?1 AND e.attr = ?2";
    reader.visit(sql, &[rid.into(), edges.number.into()], |row| {
        let id = id_of(row, 0)?;
        let value = EdgeValue::of(edges, &id, row.integer(1)?, row.optional_text(2)?);
        value.iter().for_each(&mut *show);
        Ok(break_if(value.is_some()))
    })
}

/// Shows the first resource that has an edge to a row. Says whether there is one.
pub(super) fn first_derived(
    reader: &Reader<'_>,
    derived: &Derived,
    rid: i64,
    show: &mut dyn FnMut(&EdgeValue<'_>),
) -> Result<bool> {
    let sql = "SELECT g.id, g.label FROM scim_edge e CROSS JOIN scim_resource g ON g.rid = e.src
        WHERE e.dst = ?1 AND e.attr = ?2";
    let mut found = false;
    reader.visit(sql, &[rid.into(), derived.edge.into()], |row| {
        let id = id_of(row, 0)?;
        show(&EdgeValue::derived(derived, &id, row.optional_text(1)?));
        found = true;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// Visits the edges that lead to some rows, given as a JSON array: the row, and who leads there.
pub(super) fn walk_derived(
    reader: &Reader<'_>,
    derived: &Derived,
    rids: &[i64],
    mut visit: impl FnMut(i64, &EdgeValue<'_>) -> Result<()>,
) -> Result<()> {
    let mut show = |row: &Row<'_>| {
        let id = id_of(row, 1)?;
        visit(
            row.integer(0)?,
            &EdgeValue::derived(derived, &id, row.optional_text(2)?),
        )
    };
    if let [rid] = rids {
        return reader.query(
            "SELECT e.dst, g.id, g.label FROM scim_edge e CROSS JOIN scim_resource g ON g.rid = e.src
             WHERE e.dst = ?1 AND e.attr = ?2",
            &[(*rid).into(), derived.edge.into()],
            &mut show,
        );
    }
    let list: Vec<_> = rids.iter().map(i64::to_string).collect();
    let list = format!("[{}]", list.join(","));
    reader.query(
        "SELECT e.dst, g.id, g.label FROM json_each(?1) j CROSS JOIN scim_edge e ON e.dst = j.value AND e.attr = ?2
         CROSS JOIN scim_resource g ON g.rid = e.src",
        &[list.as_str().into(), derived.edge.into()],
        &mut show,
    )
}

/// Appends a value to the member of a document that lists them.
pub(super) fn push_value(
    out: &mut Vec<u8>,
    value: &EdgeValue<'_>,
    name: &str,
    path: AttrPath,
    want: &Projection,
    begun: &mut bool,
    base: Base<'_>,
) {
    let start = out.len();
    if *begun {
        out.push(b',');
    } else {
        push_name(out, name);
        out.push(b'[');
    }
    if write_value(out, &View::Complex(value), want, path, base) {
        *begun = true;
    } else {
        out.truncate(start);
    }
}

/// What a request does to the edges of one attribute.
#[derive(Debug, Clone)]
pub(super) enum EdgeDelta {
    Add(Vec<String>),
    Set(Vec<String>),
    Clear,
    Remove(Vec<String>),
    RemoveWhere(ResolvedFilter),
}

/// What was done to the edges of one attribute, when all is said and done: rows that were added and taken away.
pub(super) struct Done<'t> {
    tx: &'t Transaction<'t>,
    tenant: i64,
    rid: i64,
    edges: &'t EdgeAttribute,
    /// +1 for added, -1 for removed, with the id.
    net: BTreeMap<i64, (i64, String)>,
}

impl<'t> Done<'t> {
    pub(super) fn new(tx: &'t Transaction<'t>, tenant: i64, rid: i64, edges: &'t EdgeAttribute) -> Self {
        Self {
            tx,
            tenant,
            rid,
            edges,
            net: BTreeMap::new(),
        }
    }

    pub(super) fn apply(&mut self, delta: &EdgeDelta) -> Result<()> {
        match delta {
            EdgeDelta::Add(ids) => ids.iter().try_for_each(|id| self.add_id(id)),
            EdgeDelta::Set(ids) => self.set(ids),
            EdgeDelta::Clear => self.set(&[]),
            EdgeDelta::Remove(ids) => {
                ids.iter().try_for_each(
                    |id| match resolve(self.tx, self.tenant, &self.edges.targets, id)? {
                        Some(target) => self.remove(target, id),
                        None => Ok(()),
                    },
                )
            }
            EdgeDelta::RemoveWhere(filter) => match named_ids(filter.expression(), self.edges) {
                Some(ids) => self.apply(&EdgeDelta::Remove(ids)),
                None => self.remove_where(filter),
            },
        }
    }

    /// Adds the edge that leads to the resource with this id.
    pub(super) fn add_id(&mut self, id: &str) -> Result<()> {
        let target = self.target(id)?;
        self.add(target, id)
    }

    fn target(&self, id: &str) -> Result<i64> {
        let name = self.edges.attribute.name;
        let types = || {
            let names: Vec<_> = self
                .edges
                .targets
                .iter()
                .map(|end| end.resource_type.name)
                .collect();
            names.join(" or ")
        };
        let target = resolve(self.tx, self.tenant, &self.edges.targets, id)?.ok_or_else(|| {
            let id = quoted(id);
            Error::invalid_value(format!("names {id}, but there is no {} with this id", types())).at(name)
        })?;
        if target == self.rid {
            let id = quoted(id);
            return Err(Error::invalid_value(format!(
                "names {id}, the resource itself, which cannot belong to itself"
            ))
            .at(name));
        }
        Ok(target)
    }

    fn add(&mut self, target: i64, id: &str) -> Result<()> {
        let added = self.tx.execute(
            "INSERT INTO scim_edge(src, attr, dst) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            &[self.rid.into(), self.edges.number.into(), target.into()],
        )?;
        if added > 0 {
            self.note(target, 1, id);
        }
        Ok(())
    }

    fn remove(&mut self, target: i64, id: &str) -> Result<()> {
        let removed = self.tx.execute(
            "DELETE FROM scim_edge WHERE src = ?1 AND attr = ?2 AND dst = ?3",
            &[self.rid.into(), self.edges.number.into(), target.into()],
        )?;
        if removed > 0 {
            self.note(target, -1, id);
        }
        Ok(())
    }

    fn note(&mut self, target: i64, step: i64, id: &str) {
        let net = self.net.entry(target).or_insert_with(|| (0, id.to_owned()));
        net.0 += step;
        if net.0 == 0 {
            self.net.remove(&target);
        }
    }

    /// Compares with the rows there are, and writes the difference.
    fn set(&mut self, ids: &[String]) -> Result<()> {
        let mut wanted = BTreeMap::new();
        for id in ids {
            wanted.insert(self.target(id)?, id);
        }
        let mut gone = Vec::new();
        self.tx.query(
            "SELECT dst FROM scim_edge WHERE src = ?1 AND attr = ?2",
            &[self.rid.into(), self.edges.number.into()],
            |row| {
                let target = row.integer(0)?;
                if wanted.remove(&target).is_none() {
                    gone.push(target);
                }
                Ok(())
            },
        )?;
        for target in gone {
            let id = self.tx.query_one(
                "SELECT id FROM scim_resource WHERE rid = ?1",
                &[target.into()],
                |row| id_of(row, 0),
            )?;
            self.remove(target, &id.unwrap_or_default())?;
        }
        wanted
            .into_iter()
            .try_for_each(|(target, id)| self.add(target, id))
    }

    fn remove_where(&mut self, filter: &ResolvedFilter) -> Result<()> {
        let named = filter.expression().conjuncts().iter().find_map(|one| match one {
            Expression::Compare(compare) => named_id(compare, &self.edges.parts),
            _ => None,
        });
        let only = match named {
            Some(id) => match resolve(self.tx, self.tenant, &self.edges.targets, &id)? {
                Some(target) => Some(target),
                None => return Ok(()),
            },
            None => None,
        };
        let mut selected = Vec::new();
        walk(self.tx, self.edges, self.rid, only, |target, value| {
            if Select::matches(filter, &View::Complex(value)) {
                selected.push((target, value.id.to_owned()));
            }
            Ok(())
        })?;
        selected
            .iter()
            .try_for_each(|(target, id)| self.remove(*target, id))
    }

    /// The ids of the edges that were added and of those that were taken away.
    pub(super) fn finish(self) -> (Vec<String>, Vec<String>) {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for (step, id) in self.net.into_values() {
            if step > 0 {
                added.push(id);
            } else {
                removed.push(id);
            }
        }
        (added, removed)
    }
}

/// The ids that a filter names, if it says nothing else: `value eq "a" or value eq "b"`.
pub(super) fn named_ids(expression: &Expression, edges: &EdgeAttribute) -> Option<Vec<String>> {
    match expression {
        Expression::Or(any) => {
            let mut ids = Vec::new();
            for one in any {
                ids.extend(named_ids(one, edges)?);
            }
            Some(ids)
        }
        Expression::Compare(compare) => named_id(compare, &edges.parts).map(|id| vec![id]),
        _ => None,
    }
}

/// The id that a comparison names: `value eq "a"`.
pub(super) fn named_id(compare: &Compare, parts: &[Part]) -> Option<String> {
    let [index] = compare.path.steps() else {
        return None;
    };
    let is_value = parts.get(usize::from(*index)) == Some(&Part::Value);
    match (&compare.operand, compare.operator) {
        // Ids are case-exact; under any other rule the key does not name one row.
        (Operand::Text { key, .. }, Operator::Eq) if is_value && compare.attribute.shape.case_exact => {
            Some(key.to_string())
        }
        _ => None,
    }
}

/// Whether a store can show the attribute without being told by a client.
pub(super) fn check_derived(attribute: &'static Attribute) -> Result<Vec<Part>> {
    if attribute.shape.mutability != Mutability::ReadOnly || !attribute.shape.multi_valued {
        let name = attribute.name;
        return Err(Error::internal(format!(
            "the attribute {name} cannot show the edges of others: it must be read-only and multi-valued"
        )));
    }
    Part::of_all(attribute)
}
