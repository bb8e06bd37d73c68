//! Edges: the values of an attribute as rows that lead from one resource to another.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::dialect;
use super::key::Key;
use super::layout::{Derived, EdgeAttribute, End, Layout};
use super::row_key::RowKey;
use super::rows::{id_of, label_of};
use crate::Result;
use crate::error::{Error, quoted};
use crate::filter::ResolvedFilter;
use crate::limits::Steps;
use crate::path::AttrPath;
use crate::projection::{Base, Projection, push_name, write_value};
use crate::store::database::{Param, Reader, Row, Transaction};
use crate::store::edge_diff::selects;
use crate::store::edges::NamedKeys;
use crate::store::reached::Reached;
use crate::store::{Edge, EdgeChange, EdgeEdit, MOST_EDGES_NAMED, MovedEdges};
use crate::value::View;

/// Finds the row of the resource with this id, among the types that an edge may lead to.
fn resolve(reader: &Reader<'_>, tenant: i64, targets: &[End], id: &str) -> Result<Option<i64>> {
    let mut found = None;
    reader.visit(
        "SELECT rid, type FROM scim_resource WHERE tenant = ?1 AND id = ?2",
        &[tenant.into(), Key::id(id).as_bytes().into()],
        |row| {
            let number = row.integer(1)?;
            if !targets.iter().any(|target| target.number == number) {
                return Ok(ControlFlow::Continue(()));
            }
            found = Some(row.integer(0)?);
            Ok(ControlFlow::Break(()))
        },
    )?;
    Ok(found)
}

/// Visits the edges of a row, in the order of the rows that they lead to; of them all, or of the one that leads to `only`.
/// The visit says whether to go on.
pub(super) fn walk(
    reader: &Reader<'_>,
    edges: &EdgeAttribute,
    row: RowKey,
    only: Option<i64>,
    mut visit: impl FnMut(i64, &Reached<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    const ONE: &str = "SELECT e.dst, r.id, r.type, r.label
        FROM scim_edge e CROSS JOIN scim_resource r ON r.tenant = e.tenant AND r.rid = e.dst
        WHERE e.tenant = ?1 AND e.src = ?2 AND e.attr = ?3 AND e.dst = ?4";
    let Some(only) = only else {
        return walk_behind(reader, edges, row, FIRST, visit);
    };
    let params = [
        row.tenant.into(),
        row.rid.into(),
        edges.number.into(),
        only.into(),
    ];
    reader.visit(ONE, &params, |row| match reached(edges, row)? {
        Some((target, value)) => visit(target, &value),
        None => Ok(ControlFlow::Continue(())),
    })
}

/// The start of a walk: before the keys of all rows.
pub(super) const FIRST: i64 = 0;

/// Visits the edges of a row that lead to rows behind another, in their order. The visit says whether to go on.
pub(super) fn walk_behind(
    reader: &Reader<'_>,
    edges: &EdgeAttribute,
    row: RowKey,
    behind: i64,
    mut visit: impl FnMut(i64, &Reached<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    reader.visit(
        "SELECT e.dst, r.id, r.type, r.label
         FROM scim_edge e CROSS JOIN scim_resource r ON r.tenant = e.tenant AND r.rid = e.dst
         WHERE e.tenant = ?1 AND e.src = ?2 AND e.attr = ?3 AND e.dst > ?4 ORDER BY e.dst",
        &[
            row.tenant.into(),
            row.rid.into(),
            edges.number.into(),
            behind.into(),
        ],
        |row| match reached(edges, row)? {
            Some((target, value)) => visit(target, &value),
            None => Ok(ControlFlow::Continue(())),
        },
    )
}

/// Reads the end of an edge in the columns `rid, id, type, label`; `None` for a type that the edge may not lead to.
fn reached<'r>(edges: &EdgeAttribute, row: &'r Row<'_>) -> Result<Option<(i64, Reached<'r>)>> {
    let number = row.integer(2)?;
    let Some(target) = edges.targets.iter().find(|target| target.number == number) else {
        return Ok(None);
    };
    let value = Reached {
        parts: edges.shape.parts,
        id: id_of(row, 1)?.into(),
        segment: Some(target.resource_type.segment()),
        kind: Some(target.resource_type.name),
        display: label_of(row, 3)?,
        rest: None,
    };
    Ok(Some((row.integer(0)?, value)))
}

/// Shows the first edge of a row: the one that comes first in its document.
pub(super) fn first(
    reader: &Reader<'_>,
    edges: &EdgeAttribute,
    row: RowKey,
    show: &mut dyn FnMut(&Reached<'_>),
) -> Result<()> {
    walk(reader, edges, row, None, |_, value| {
        show(value);
        Ok(ControlFlow::Break(()))
    })
}

/// Shows the first resource that has an edge to a row. Says whether there is one.
pub(super) fn first_derived(
    reader: &Reader<'_>,
    derived: &Derived,
    row: RowKey,
    show: &mut dyn FnMut(&Reached<'_>),
) -> Result<bool> {
    let mut found = false;
    walk_derived(reader, derived, row, FIRST, |_, value| {
        show(value);
        found = true;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// Visits the edges that lead to a row from rows behind another, in their order: who leads there. The visit says whether
/// to go on.
pub(super) fn walk_derived(
    reader: &Reader<'_>,
    derived: &Derived,
    row: RowKey,
    behind: i64,
    mut visit: impl FnMut(i64, &Reached<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    reader.visit(
        "SELECT g.rid, g.id, g.label
         FROM scim_edge e CROSS JOIN scim_resource g ON g.tenant = e.tenant AND g.rid = e.src
         WHERE e.tenant = ?1 AND e.dst = ?2 AND e.attr = ?3 AND e.src > ?4 ORDER BY e.src",
        &[
            row.tenant.into(),
            row.rid.into(),
            derived.edge.into(),
            behind.into(),
        ],
        |row| visit(row.integer(0)?, &owner(derived, row)?),
    )
}

/// A row, and a row that leads to it.
pub(super) type Pair = (i64, i64);

/// Reads the edges that lead to some rows. It reads an index and nothing else.
pub(super) fn pairs(
    reader: &Reader<'_>,
    derived: &Derived,
    tenant: i64,
    rids: &[i64],
    most: usize,
) -> Result<Vec<Pair>> {
    let list = dialect::list(rids);
    let params = [
        tenant.into(),
        list.as_str().into(),
        derived.edge.into(),
        i64::try_from(most).unwrap_or(i64::MAX).into(),
    ];
    read_pairs(reader, dialect::PAIRS, &params)
}

/// Reads the edges that lead to a row of a range.
pub(super) fn pairs_between(
    reader: &Reader<'_>,
    derived: &Derived,
    tenant: i64,
    (first, last): (i64, i64),
    most: usize,
) -> Result<Vec<Pair>> {
    let sql = "SELECT e.dst, e.src FROM scim_edge e
               WHERE e.tenant = ?1 AND e.dst BETWEEN ?2 AND ?3 AND e.attr = ?4 ORDER BY e.dst LIMIT ?5";
    let params = [
        tenant.into(),
        first.into(),
        last.into(),
        derived.edge.into(),
        i64::try_from(most).unwrap_or(i64::MAX).into(),
    ];
    read_pairs(reader, sql, &params)
}

fn read_pairs(reader: &Reader<'_>, sql: &str, params: &[Param<'_>]) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    reader.query(sql, params, |row| {
        pairs.push((row.integer(0)?, row.integer(1)?));
        Ok(())
    })?;
    Ok(pairs)
}

/// Visits some of the rows that lead to others: the row, and what is shown of it.
pub(super) fn visit_owners<'i>(
    reader: &Reader<'_>,
    derived: &Derived,
    tenant: i64,
    rids: impl IntoIterator<Item = &'i i64>,
    mut visit: impl FnMut(i64, &Reached<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut rids = rids.into_iter().peekable();
    if rids.peek().is_none() {
        return Ok(());
    }
    reader.visit(
        dialect::OWNERS,
        &[tenant.into(), dialect::list(rids).as_str().into()],
        |row| visit(row.integer(0)?, &owner(derived, row)?),
    )
}

/// Renders the values that mirror edges, by the resource at the other end; one that shows nothing is empty.
pub(super) fn visit_values(
    reader: &Reader<'_>,
    derived: &Derived,
    tenant: i64,
    owners: &BTreeSet<i64>,
    want: &Projection,
    mut visit: impl FnMut(i64, Vec<u8>) -> ControlFlow<()>,
) -> Result<()> {
    let path = derived.shape.path;
    visit_owners(reader, derived, tenant, owners, |owner, value| {
        let mut out = Vec::new();
        if !write_value(&mut out, &View::Complex(value), want, path, Base::Hole) {
            out.clear();
        }
        Ok(visit(owner, out))
    })
}

/// Reads the row that leads to another, as what mirrors the edge shows it.
fn owner<'r>(derived: &Derived, row: &'r Row<'_>) -> Result<Reached<'r>> {
    Ok(Reached {
        parts: derived.shape.parts,
        id: id_of(row, 1)?.into(),
        segment: Some(derived.source.resource_type.segment()),
        kind: Some("direct"),
        display: label_of(row, 2)?,
        rest: None,
    })
}

/// A member of a document that lists the ends of edges, as it is written value by value.
pub(super) struct Listing<'w> {
    name: &'static str,
    path: AttrPath,
    want: &'w Projection,
    base: Base<'w>,
    begun: bool,
}

impl<'w> Listing<'w> {
    /// Makes a member of a stored document of which nothing is written yet.
    pub(super) fn new(name: &'static str, path: AttrPath, want: &'w Projection) -> Self {
        Self {
            name,
            path,
            want,
            base: Base::Hole,
            begun: false,
        }
    }

    /// Appends a value, after the name of the member if it is the first.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, value: &Reached<'_>) {
        let start = out.len();
        if self.begun {
            out.push(b',');
        } else {
            push_name(out, self.name);
            out.push(b'[');
        }
        if write_value(out, &View::Complex(value), self.want, self.path, self.base) {
            self.begun = true;
        } else {
            out.truncate(start);
        }
    }

    /// Ends the member, if there is one.
    pub(super) fn end(&self, out: &mut Vec<u8>) {
        if self.begun {
            out.push(b']');
        }
    }
}

/// The work of a write on the edges of a row: edits that are carried out one by one, or the difference that they make,
/// worked out on a snapshot.
#[derive(Debug)]
pub(super) enum EdgeWork {
    /// As they were asked for.
    Edits(Vec<EdgeEdit>),
    /// The changes, if the row is still in the version of the snapshot.
    Difference(Vec<Step>),
}

/// One edge that comes or goes.
#[derive(Debug)]
pub(super) struct Step {
    /// Which attribute, by its place in the layout.
    at: usize,
    /// The row at the other end.
    target: i64,
    /// Its id.
    id: String,
    adds: bool,
    operation: Option<usize>,
}

/// Returns whether an edit must look at edges that it does not name.
pub(super) fn walks(layout: &Layout, edit: &EdgeEdit) -> bool {
    let edges = layout
        .edges
        .iter()
        .find(|edges| edges.shape.path == edit.attribute);
    match &edit.change {
        EdgeChange::Add(_) | EdgeChange::Remove(_) => false,
        EdgeChange::Set(_) => true,
        EdgeChange::RemoveWhere(filter) => edges.is_none_or(|edges| named_ids(filter, edges).is_none()),
    }
}

/// Works out what edits would change, without changing anything.
///
/// # Errors
/// 400 `invalidValue` for an edge to nothing.
pub(super) fn difference(
    reader: &Reader<'_>,
    layout: &Layout,
    tenant: i64,
    rid: i64,
    edits: &[EdgeEdit],
    budget: &Steps,
) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for (at, edges) in layout.edges.iter().enumerate() {
        let mut moves = Moves::new(reader, None, tenant, rid, edges).within(budget.clone());
        moves.edit_all(edits)?;
        steps.extend(moves.net.into_iter().map(|(target, net)| Step {
            at,
            target,
            id: net.id,
            adds: net.count > 0,
            operation: net.operation,
        }));
    }
    Ok(steps)
}

/// The changes to the edges of a row, by attribute.
pub(super) struct Moved(pub(super) Vec<MovedEdges>);

impl Moved {
    pub(super) fn is_none(&self) -> bool {
        self.0.iter().all(MovedEdges::is_none)
    }

    /// Returns how many more edges there are.
    pub(super) fn balance(&self) -> i64 {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.0
            .iter()
            .map(|moved| count(moved.added) - count(moved.removed))
            .sum()
    }

    /// Returns the attributes of which an edge came or went.
    pub(super) fn into_edges(self) -> Vec<MovedEdges> {
        let mut edges = self.0;
        edges.retain(|moved| !moved.is_none());
        edges
    }
}

/// Carries out what a write does to the edges of a row.
///
/// # Errors
/// 400 `invalidValue` for an edge to nothing.
pub(super) fn carry_out(
    tx: &Transaction<'_>,
    layout: &Layout,
    tenant: i64,
    rid: i64,
    work: &EdgeWork,
    budget: &Steps,
) -> Result<Moved> {
    let mut all = Vec::new();
    for (at, edges) in layout.edges.iter().enumerate() {
        let mut moves = Moves::new(tx, Some(tx), tenant, rid, edges).within(budget.clone());
        match work {
            EdgeWork::Edits(edits) => moves.edit_all(edits)?,
            EdgeWork::Difference(steps) => {
                let own = steps.iter().filter(|step| step.at == at);
                own.into_iter().try_for_each(|step| moves.step(step))?;
            }
        }
        all.push(moves.moved());
    }
    Ok(Moved(all))
}

/// The edges of one attribute of a row while they are edited: in the table if there is a transaction, and beside it
/// otherwise.
pub(super) struct Moves<'t> {
    reader: &'t Reader<'t>,
    tx: Option<&'t Transaction<'t>>,
    tenant: i64,
    rid: i64,
    edges: &'t EdgeAttribute,
    /// The changes of all edits together, by the row at the other end.
    net: BTreeMap<i64, Net>,
    /// The steps that may be spent on edges that no edit names.
    steps: Steps,
}

/// The change to one edge.
struct Net {
    /// +1 for added, -1 for removed.
    count: i64,
    id: String,
    operation: Option<usize>,
}

impl<'t> Moves<'t> {
    pub(super) fn new(
        reader: &'t Reader<'t>,
        tx: Option<&'t Transaction<'t>>,
        tenant: i64,
        rid: i64,
        edges: &'t EdgeAttribute,
    ) -> Self {
        Self {
            reader,
            tx,
            tenant,
            rid,
            edges,
            net: BTreeMap::new(),
            steps: Steps::boundless(),
        }
    }

    /// Returns the same within a budget.
    fn within(mut self, steps: Steps) -> Self {
        self.steps = steps;
        self
    }

    /// Carries out those edits that are about this attribute.
    fn edit_all(&mut self, edits: &[EdgeEdit]) -> Result<()> {
        let path = self.edges.shape.path;
        edits
            .iter()
            .filter(|edit| edit.attribute == path)
            .try_for_each(|edit| {
                self.edit(edit).map_err(|error| match edit.operation {
                    Some(operation) => error.in_operation(operation),
                    None => error,
                })
            })
    }

    fn edit(&mut self, edit: &EdgeEdit) -> Result<()> {
        match &edit.change {
            EdgeChange::Add(edges) => edges
                .iter()
                .try_for_each(|edge| self.add_id(&edge.value, edit.operation)),
            EdgeChange::Set(edges) => self.set(edges, edit.operation),
            EdgeChange::Remove(edges) => edges.iter().try_for_each(|edge| self.remove_id(&edge.value)),
            EdgeChange::RemoveWhere(filter) => match named_ids(filter, self.edges) {
                Some(ids) => ids.iter().try_for_each(|id| self.remove_id(id)),
                None => self.remove_where(filter),
            },
        }
    }

    /// Carries out what was worked out on a snapshot of this version of the row. Whatever is at the other end may be gone
    /// since.
    fn step(&mut self, step: &Step) -> Result<()> {
        if !step.adds {
            return self.remove(step.target, &step.id);
        }
        let added = self.add_id(&step.id, step.operation);
        added.map_err(|error| match step.operation {
            Some(operation) => error.in_operation(operation),
            None => error,
        })
    }

    /// Adds the edge that leads to the resource with this id.
    pub(super) fn add_id(&mut self, id: &str, operation: Option<usize>) -> Result<()> {
        let target = self.target(id)?;
        self.add(target, id, operation)
    }

    fn remove_id(&mut self, id: &str) -> Result<()> {
        match resolve(self.reader, self.tenant, &self.edges.targets, id)? {
            Some(target) => self.remove(target, id),
            None => Ok(()),
        }
    }

    fn target(&self, id: &str) -> Result<i64> {
        let name = self.edges.shape.attribute.name;
        let types = || {
            let names: Vec<_> = self
                .edges
                .targets
                .iter()
                .map(|end| end.resource_type.name)
                .collect();
            names.join(" or ")
        };
        let target = resolve(self.reader, self.tenant, &self.edges.targets, id)?.ok_or_else(|| {
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

    fn add(&mut self, target: i64, id: &str, operation: Option<usize>) -> Result<()> {
        let adds = match self.tx {
            Some(tx) => {
                let added = tx.execute(
                    "INSERT INTO scim_edge(tenant, src, attr, dst) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT(tenant, src, attr, dst) DO NOTHING",
                    &self.edge(target),
                )?;
                added > 0
            }
            None => !self.is_there(target)?,
        };
        if adds {
            self.note(target, 1, id, operation);
        }
        Ok(())
    }

    fn remove(&mut self, target: i64, id: &str) -> Result<()> {
        let removes = match self.tx {
            Some(tx) => {
                let removed = tx.execute(
                    "DELETE FROM scim_edge WHERE tenant = ?1 AND src = ?2 AND attr = ?3 AND dst = ?4",
                    &self.edge(target),
                )?;
                removed > 0
            }
            None => self.is_there(target)?,
        };
        if removes {
            self.note(target, -1, id, None);
        }
        Ok(())
    }

    /// Returns whether the edge is there after the edits so far, where the table knows nothing of them.
    fn is_there(&self, target: i64) -> Result<bool> {
        if let Some(net) = self.net.get(&target) {
            return Ok(net.count > 0);
        }
        let found = self.reader.query_one(
            "SELECT 1 FROM scim_edge WHERE tenant = ?1 AND src = ?2 AND attr = ?3 AND dst = ?4",
            &self.edge(target),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn row(&self) -> RowKey {
        RowKey {
            tenant: self.tenant,
            rid: self.rid,
        }
    }

    /// Returns the columns of an edge.
    fn edge(&self, target: i64) -> [Param<'_>; 4] {
        [
            self.tenant.into(),
            self.rid.into(),
            self.edges.number.into(),
            target.into(),
        ]
    }

    fn note(&mut self, target: i64, step: i64, id: &str, operation: Option<usize>) {
        let net = self.net.entry(target).or_insert_with(|| Net {
            count: 0,
            id: id.to_owned(),
            operation,
        });
        net.count += step;
        if net.count == 0 {
            self.net.remove(&target);
        }
    }

    /// Compares with the edges there are, and makes the difference.
    fn set(&mut self, edges: &[Edge], operation: Option<usize>) -> Result<()> {
        let mut wanted = BTreeMap::new();
        for edge in edges {
            wanted.insert(self.target(&edge.value)?, &edge.value);
        }
        let mut gone = Vec::new();
        for target in self.targets()? {
            if wanted.remove(&target).is_none() {
                gone.push(target);
            }
        }
        for target in gone {
            let id = self.reader.query_one(
                "SELECT id FROM scim_resource WHERE tenant = ?1 AND rid = ?2",
                &[self.tenant.into(), target.into()],
                |row| id_of(row, 0),
            )?;
            self.remove(target, &id.unwrap_or_default())?;
        }
        wanted
            .into_iter()
            .try_for_each(|(target, id)| self.add(target, id, operation))
    }

    /// Returns the rows at the other ends of all edges, after the edits so far.
    fn targets(&self) -> Result<Vec<i64>> {
        let mut targets = self.reader.query_all(
            "SELECT dst FROM scim_edge WHERE tenant = ?1 AND src = ?2 AND attr = ?3",
            &[self.tenant.into(), self.rid.into(), self.edges.number.into()],
            |row| row.integer(0),
        )?;
        if self.tx.is_none() {
            targets.retain(|target| self.net.get(target).is_none_or(|net| net.count > 0));
            let added = self.net.iter().filter(|(_, net)| net.count > 0);
            targets.extend(added.map(|(target, _)| *target));
        }
        Ok(targets)
    }

    fn remove_where(&mut self, filter: &ResolvedFilter) -> Result<()> {
        let named = NamedKeys::of(filter.expression(), self.edges.shape.parts.value);
        let named = named.filter(|_| is_case_exact(self.edges));
        let mut selected = Vec::new();
        let mut steps = self.steps.clone();
        let mut test = |target: i64, value: &Reached<'_>| {
            if selects(filter, &View::Complex(value), &mut steps)? {
                selected.push((target, value.id.to_string()));
            }
            Ok(ControlFlow::Continue(()))
        };
        match named {
            Some(named) => {
                for id in named.keys {
                    if let Some(target) = resolve(self.reader, self.tenant, &self.edges.targets, id)? {
                        walk(self.reader, self.edges, self.row(), Some(target), &mut test)?;
                    }
                }
            }
            None => walk(self.reader, self.edges, self.row(), None, &mut test)?,
        }
        if self.tx.is_none() {
            let sql =
                "SELECT r.rid, r.id, r.type, r.label FROM scim_resource r WHERE r.tenant = ?1 AND r.rid = ?2";
            for target in self
                .net
                .iter()
                .filter(|(_, net)| net.count > 0)
                .map(|(target, _)| target)
            {
                let params = [self.tenant.into(), (*target).into()];
                self.reader
                    .visit(sql, &params, |row| match reached(self.edges, row)? {
                        Some((target, value)) => test(target, &value),
                        None => Ok(ControlFlow::Continue(())),
                    })?;
            }
        }
        self.steps = steps;
        selected
            .iter()
            .try_for_each(|(target, id)| self.remove(*target, id))
    }

    /// Returns the moved edges of all edits together.
    pub(super) fn moved(self) -> MovedEdges {
        let mut moved = MovedEdges {
            attribute: self.edges.shape.attribute.name,
            ..MovedEdges::default()
        };
        for net in self.net.into_values() {
            let (count, ids) = match net.count > 0 {
                true => (&mut moved.added, &mut moved.added_ids),
                false => (&mut moved.removed, &mut moved.removed_ids),
            };
            *count += 1;
            if ids.len() < MOST_EDGES_NAMED {
                ids.push(net.id);
            }
        }
        moved
    }
}

/// Returns whether ids are compared to the letter: under any other rule a key does not name one row.
fn is_case_exact(edges: &EdgeAttribute) -> bool {
    let parts = &edges.shape.parts;
    parts
        .table
        .get(parts.value)
        .is_some_and(|key| key.shape.case_exact)
}

/// Returns the ids that a filter names, if it says nothing else: `value eq "a" or value eq "b"`.
fn named_ids<'f>(filter: &'f ResolvedFilter, edges: &EdgeAttribute) -> Option<Vec<&'f str>> {
    let named = NamedKeys::of(filter.expression(), edges.shape.parts.value)?;
    (named.exact && is_case_exact(edges)).then_some(named.keys)
}
