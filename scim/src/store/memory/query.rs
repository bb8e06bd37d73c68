//! Reads: single resources, and lists with their indexes.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::filter::{Compare, Expression, Operand, Operator};
use crate::limits::exceeded;
use crate::path::AttrPath;
use crate::projection::{
    Base, Projection, close_document, open_document, push_name, write_resource, write_value,
};
use crate::record::{Record, ScimResource};
use crate::sort::{Sort, SortKey};
use crate::store::layout::{Derived, Parts, ROOM, step};
use crate::store::memory::layout::Layout;
use crate::store::memory::shown::Shown;
use crate::store::memory::tenant::{Row, Table, Tenant};
use crate::store::{
    Answer, Document, Freshness, Item, Page, Precondition, Query, Rendered, Stored, not_found,
};
use crate::value::{Action, Cx, Edit, Intent, Json, JsonBuf, Reference, Strict, View};

/// The resources of one type and tenant, to be read.
pub(super) struct Reader<'a, R> {
    pub(super) tenant: &'a Tenant,
    pub(super) table: &'a Table<R>,
}

/// A resource that a query selects.
struct Hit<'a, R> {
    number: u64,
    row: &'a Row<R>,
    key: Option<SortKey>,
}

impl<'a, R> Hit<'a, R> {
    fn new(number: u64, row: &'a Row<R>) -> Self {
        Self {
            number,
            row,
            key: None,
        }
    }
}

impl<'a, R: ScimResource> Reader<'a, R> {
    pub(super) fn of(tenant: &'a Tenant) -> Option<Self> {
        tenant.table::<R>().map(|table| Self { tenant, table })
    }

    /// Returns a resource and its number.
    pub(super) fn row(&self, id: &str) -> Result<(u64, &'a Row<R>)> {
        let number = self.tenant.row_of::<R>(id);
        let row = number.and_then(|number| Some((number, self.table.rows.get(&number)?)));
        row.ok_or_else(|| not_found::<R>(id))
    }

    fn layout(&self) -> &'a Arc<Layout> {
        &self.table.layout
    }

    fn shown(&self, number: u64, row: &'a Row<R>) -> Shown<'a> {
        Shown {
            tenant: self.tenant,
            layout: self.layout(),
            row: number,
            id: row.id(),
            record: row.resource(),
        }
    }

    /// Returns a resource with all its edges.
    pub(super) fn with_edges(&self, number: u64, row: &'a Row<R>) -> Result<Stored<R>> {
        let mut stored = row.stored.clone();
        let shown = self.shown(number, row);
        let limits = crate::limits::Limits::default();
        let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
        for edges in &self.layout().shape.edges {
            let view = shown.view(edges.index);
            let values = match view.is_present() {
                true => view.to_json(),
                false => JsonBuf::array(std::iter::empty::<Json<'_>>()),
            };
            let edit = Edit::whole(Action::Replace(values.as_json()));
            _ = stored.resource.apply(edges.index, edit, &mut cx)?;
        }
        Ok(stored)
    }

    /// Returns how many edges a resource has, of the attribute that has most.
    pub(super) fn most_edges(&self, number: u64) -> usize {
        let layout = &self.layout().shape;
        let sets = layout
            .edges
            .iter()
            .filter_map(|edges| self.tenant.edges_of(layout.type_id, edges, number));
        sets.map(|set| set.len()).max().unwrap_or(0)
    }

    /// Returns a resource as it is shown.
    pub(super) fn answer(&self, number: u64, row: &'a Row<R>, want: &Projection) -> Answer<R> {
        rendered(row, self.document(number, row, want))
    }

    fn document(&self, number: u64, row: &'a Row<R>, want: &Projection) -> Bytes {
        let shown = self.shown(number, row);
        let mut out = Vec::new();
        if !want.fits_stored(&self.layout().shape.outside) {
            write_resource(&mut out, &shown, want, Base::Hole);
            return out.into();
        }
        let layout = &self.layout().shape;
        let derived = layout.derived.iter().map(|derived| (derived.index, derived.path));
        let edges = layout.edges.iter().map(|edges| (edges.index, edges.path));
        for (index, path) in derived.chain(edges) {
            let view = shown.view(index);
            let is_shown = want.includes(path) && !matches!(view, View::Absent);
            let (Some(attribute), true) = (shown.attributes().get(index), is_shown) else {
                continue;
            };
            if out.is_empty() {
                out.reserve(row.document.len() + ROOM);
                open_document(&row.document, Base::Hole, &mut out);
            }
            let before = out.len();
            push_name(&mut out, attribute.name);
            if !write_value(&mut out, &view, want, path, Base::Hole) {
                out.truncate(before);
            }
        }
        if out.is_empty() {
            return row.document.clone();
        }
        close_document(&mut out);
        out.into()
    }

    pub(super) fn get(&self, id: &str, want: &Projection, precondition: &Precondition) -> Result<Answer<R>> {
        let (number, row) = self.row(id)?;
        let version = row.stored.version.clone();
        let freshness = precondition.check_read(&version)?;
        if freshness == Freshness::NotModified && !self.layout().shape.shows_others(want) {
            return Ok(Answer::NotModified(version));
        }
        Ok(self.answer(number, row, want))
    }

    pub(super) fn query(&self, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        let skipped = usize::try_from(query.start_index.saturating_sub(1)).unwrap_or(usize::MAX);
        if query.filter.is_none() && query.sort.is_none() {
            let rows = self.table.rows.iter().skip(skipped).take(query.count);
            return Ok(Page {
                total: self.table.rows.len() as u64,
                items: self.items(
                    rows.map(|(number, row)| Hit::new(*number, row)),
                    want,
                    query.answer_bytes,
                ),
            });
        }
        let mut found = self.matching(query)?;
        if let Some(sort) = &query.sort {
            self.check_order(sort, found.len(), query.scanned_rows)?;
            for hit in &mut found {
                query.budget.charge(1)?;
                hit.key = Some(sort.key(&self.shown(hit.number, hit.row)));
            }
            // The sort is stable: what has equal keys stays in the order of creation.
            found.sort_by(|left, right| match (&left.key, &right.key) {
                (Some(left), Some(right)) => sort.compare(left, right),
                _ => Ordering::Equal,
            });
        }
        Ok(Page {
            total: found.len() as u64,
            items: self.items(
                found.into_iter().skip(skipped).take(query.count),
                want,
                query.answer_bytes,
            ),
        })
    }

    /// Checks what an order costs: one by edges, or by what mirrors them, looks at another resource for each.
    fn check_order(&self, sort: &Sort, rows: usize, most: usize) -> Result<()> {
        let mut outside = self.layout().shape.outside.iter();
        if rows <= most || !outside.any(|path| sort.path().starts_with(*path)) {
            return Ok(());
        }
        Err(exceeded::scanned_rows(most, None))
    }

    /// Returns the resources of a page, cut before the one with which it would be too large.
    fn items(&self, hits: impl Iterator<Item = Hit<'a, R>>, want: &Projection, most: usize) -> Vec<Item<R>> {
        let mut items = Vec::new();
        let mut length = 0;
        for hit in hits {
            let document = self.document(hit.number, hit.row, want);
            length += document.len();
            if length > most && !items.is_empty() {
                break;
            }
            items.push(Item {
                answer: rendered(hit.row, document),
                sort_key: hit.key,
            });
        }
        items
    }

    /// Returns all resources that the filter selects, in the order of creation.
    fn matching(&self, query: &Query<R>) -> Result<Vec<Hit<'a, R>>> {
        let all = self.table.rows.iter().map(|(number, row)| Hit::new(*number, row));
        let Some(filter) = &query.filter else {
            return Ok(all.collect());
        };
        let selects = |hit: Hit<'a, R>| {
            let (matches, work) = filter.matches_counted(&self.shown(hit.number, hit.row));
            let charged = query.budget.charge(work);
            charged.map(|()| matches.then_some(hit)).transpose()
        };
        if let Some(candidates) = self.candidates(filter.expression(), AttrPath::ROOT) {
            let rows = candidates.into_iter();
            let rows = rows.filter_map(|number| Some(Hit::new(number, self.table.rows.get(&number)?)));
            return rows.filter_map(selects).collect();
        }
        if self.table.rows.len() > query.scanned_rows {
            return Err(exceeded::scanned_rows(query.scanned_rows, None));
        }
        all.filter_map(selects).collect()
    }

    /// Returns the rows among which all are that the expression selects, if an index knows them. The paths of the
    /// expression begin at `base`.
    fn candidates(&self, expression: &Expression, base: AttrPath) -> Option<BTreeSet<u64>> {
        match expression {
            Expression::Never => Some(BTreeSet::new()),
            Expression::And(all) => {
                let all = all.iter().filter_map(|one| self.candidates(one, base));
                all.min_by_key(BTreeSet::len)
            }
            Expression::Or(any) => {
                let mut union = BTreeSet::new();
                for one in any {
                    union.append(&mut self.candidates(one, base)?);
                }
                Some(union)
            }
            Expression::Any { path, inner, .. } => self.candidates(inner, join(base, *path)),
            Expression::Compare(compare) => self.looked_up(compare, join(base, compare.path)),
            _ => None,
        }
    }

    fn looked_up(&self, compare: &Compare, path: AttrPath) -> Option<BTreeSet<u64>> {
        if compare.operator != Operator::Eq {
            return None;
        }
        let key = match &compare.operand {
            Operand::Reference(operand) => return self.placed(operand.paths.one_path()?, path),
            Operand::Text { key, .. } => key.as_ref(),
            Operand::Bool(true) => "true",
            Operand::Bool(false) => "false",
            _ => return None,
        };
        let layout = &self.layout().shape;
        if path == layout.id {
            return Some(self.tenant.row_of::<R>(key).into_iter().collect());
        }
        if let Some(edges) = layout
            .edges
            .iter()
            .find(|edges| path == step(edges.path, edges.parts.value))
        {
            let table = self.tenant.edges.get(&(layout.type_id, edges.index));
            return Some(table.into_iter().flat_map(|table| table.owners(key)).collect());
        }
        let is_value = |derived: &Derived| path == step(derived.path, derived.parts.value);
        if let Some(rows) = self.behind(key, &is_value) {
            return Some(rows);
        }
        let position = self
            .layout()
            .keys
            .iter()
            .position(|attribute| attribute.path == path)?;
        let rows = self.table.keys.get(position)?.get(key);
        Some(rows.cloned().unwrap_or_default())
    }

    /// Returns the resources that a reference names: themselves, those that have an edge to them, or those that they
    /// have one to.
    fn placed(&self, place: &str, path: AttrPath) -> Option<BTreeSet<u64>> {
        let layout = &self.layout().shape;
        let (endpoint, _) = place.rsplit_once('/')?;
        let id = Reference::id_at(endpoint, place)?;
        if path == layout.location {
            return Some(self.tenant.row_of::<R>(id).into_iter().collect());
        }
        let is_place = |above: AttrPath, parts: &Parts| {
            parts
                .reference
                .is_some_and(|reference| path == step(above, reference))
        };
        if let Some(edges) = layout
            .edges
            .iter()
            .find(|edges| is_place(edges.path, &edges.parts))
        {
            // Without a link, a reference is whatever a client has sent.
            edges.link.as_ref()?;
            let key = edges.fold().key(id).into_owned();
            let table = self.tenant.edges.get(&(layout.type_id, edges.index));
            return Some(table.into_iter().flat_map(|table| table.owners(&key)).collect());
        }
        self.behind(id, &|derived| is_place(derived.path, &derived.parts))
    }

    /// Returns the resources of this type to which the edges of another lead, by the links of the derived attributes
    /// that are asked for; `None` if there are none such.
    fn behind(&self, owner: &str, asked: &dyn Fn(&Derived) -> bool) -> Option<BTreeSet<u64>> {
        let mut links = self
            .layout()
            .shape
            .derived
            .iter()
            .filter(|derived| asked(derived))
            .peekable();
        links.peek()?;
        let owner = self.tenant.ids.get(owner);
        let sets = links.filter_map(|derived| {
            let (_, row) = owner.filter(|(type_id, _)| *type_id == derived.link.edges().type_id())?;
            self.tenant.edge_table(&derived.link)?.of(*row)
        });
        let edges = sets.flat_map(|set| set.iter());
        let rows = edges.filter_map(|(_, edge)| self.tenant.row_of::<R>(&edge.value));
        Some(rows.collect())
    }
}

fn rendered<R>(row: &Row<R>, document: Bytes) -> Answer<R> {
    Answer::Rendered(Rendered {
        document: Document::Whole(document),
        version: row.stored.version.clone(),
    })
}

fn join(base: AttrPath, path: AttrPath) -> AttrPath {
    path.steps().iter().fold(base, |path, index| path.push(*index))
}
