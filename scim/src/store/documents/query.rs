//! Pages: which rows match, how many they are, and those that are shown.

use std::cell::RefCell;
use std::ops::ControlFlow;

use super::composed::Sql;
use super::core::Core;
use super::document::{Documents, State};
use super::edges::{FIRST, first, first_derived};
use super::layout::Layout;
use super::page_rows::{self, PageRow, PageRows};
use super::pages::Place;
use super::plan::{self, Candidates};
use super::row_key::RowKey;
use super::rows::{COLUMNS, StoredRow};
use super::selection::Select;
use super::show;
use super::tables::{self, Count};
use super::weight::{Order, Weighed};
use crate::Result;
use crate::filter::ResolvedFilter;
use crate::limits::exceeded;
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::sort::{Sort, SortKey};
use crate::store::database::{Reader, Row, Sender};
use crate::store::{Answer, Document, Item, Page, Query, Rendered, Version};
use crate::value::View;

/// Bytes of a document that are read with the work of a step.
const BYTES_IN_A_STEP: u64 = 64;

/// A question on its way through the indexes.
pub(super) struct Search<'s, C> {
    pub(super) reader: &'s Reader<'s>,
    pub(super) core: &'s Core<C>,
    pub(super) layout: &'s Layout,
    pub(super) tenant: i64,
    /// Rows that may still be visited without an index that knows the answer.
    pub(super) budget: usize,
    /// The place at which the plans of the statements are noted, if somebody asks for them.
    plans: Option<RefCell<Vec<String>>>,
}

/// The rows of a page, in order, and how many match in all.
struct Found {
    total: u64,
    rows: Vec<PageRow>,
    /// How many there were when all were listed.
    listed: Option<Count>,
}

impl Found {
    fn new(total: u64, rows: Vec<PageRow>) -> Self {
        Self {
            total,
            rows,
            listed: None,
        }
    }

    /// Makes a page of all resources.
    fn listed(count: Count, rows: Vec<PageRow>) -> Self {
        Self {
            listed: Some(count),
            ..Self::new(count.live, rows)
        }
    }
}

/// Everything that is known of a page before any of it is shown.
pub(super) struct Head {
    pub(super) total: u64,
    /// Of each resource.
    pub(super) items: Vec<(Version, Option<SortKey>)>,
}

impl Head {
    pub(super) fn empty() -> Self {
        Self {
            total: 0,
            items: Vec::new(),
        }
    }
}

/// The part of all matches that a page shows.
#[derive(Clone, Copy)]
struct Window {
    skip: u64,
    take: usize,
    /// How many bytes they may have.
    bytes: usize,
}

impl Window {
    fn of<R>(query: &Query<R>) -> Self {
        Self {
            skip: query.start_index.saturating_sub(1),
            take: query.count,
            bytes: query.answer_bytes,
        }
    }

    fn shows(self, position: u64) -> bool {
        position >= self.skip && position - self.skip < self.take as u64
    }

    /// Returns how many rows it shows at most.
    fn most(self) -> i64 {
        i64::try_from(self.take).unwrap_or(i64::MAX)
    }

    fn limit(self, sql: &mut Sql) {
        sql.push(" LIMIT ? OFFSET ?");
        sql.params.push(self.most().into());
        sql.params
            .push(i64::try_from(self.skip).unwrap_or(i64::MAX).into());
    }
}

impl<'s, C: 'static> Search<'s, C> {
    pub(super) fn new(
        reader: &'s Reader<'s>,
        core: &'s Core<C>,
        layout: &'s Layout,
        tenant: i64,
        budget: usize,
    ) -> Self {
        Self {
            reader,
            core,
            layout,
            tenant,
            budget,
            plans: None,
        }
    }

    /// Returns a page that is a look-up: of at most one resource that an index finds, or of a few that follow each
    /// other. `None` if it would be more.
    pub(super) fn look_up<R: ScimResource>(
        &self,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Option<Page<R>>> {
        match &query.filter {
            Some(filter) => self.only_one(query, filter, want),
            None => self.next_few(query, want),
        }
    }

    /// Returns a page of all resources that begins at a place that is known. `None` where it is not known, and where
    /// the page is cut because it is not short.
    fn next_few<R: ScimResource>(&self, query: &Query<R>, want: &Projection) -> Result<Option<Page<R>>> {
        let window = Window::of(query);
        let count = tables::count(self.reader, self.tenant, self.layout.number)?;
        let Some(before) = self.row_before(window, count) else {
            return Ok(None);
        };
        let (total, page) = self.weigh(self.behind(before, window, count)?, query, want)?;
        let shown = page.rows.len();
        let is_cut = shown < window.take && window.skip.saturating_add(shown as u64) < total;
        match is_cut {
            true => Ok(None),
            false => self.in_one_piece(query, want, total, page),
        }
    }

    /// Returns a page of at most one resource that an index finds and that is short. `None` if it would be more.
    fn only_one<R: ScimResource>(
        &self,
        query: &Query<R>,
        filter: &ResolvedFilter,
        want: &Projection,
    ) -> Result<Option<Page<R>>> {
        let candidates = plan::candidates(self.layout, self.tenant, filter.expression());
        let Some(candidates) = candidates.filter(|candidates| candidates.exact) else {
            return Ok(None);
        };
        let (mut found, mut rows) = (None, 0);
        self.visit(&self.any_two(&candidates), |row| {
            found = Some(StoredRow::read(row)?);
            rows += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        let row = match found {
            None => return Ok(Some(Page::empty())),
            Some(_) if rows > 1 => return Ok(None),
            Some(row) => row,
        };
        let key = self.key(query, row.rid, || Ok(row.documents.clone()))?;
        let version = row.stamp.version();
        let document = show::document::<R>(self.reader, self.layout, self.tenant, row, want, false)?;
        Ok(document.map(|document| Page {
            total: 1,
            items: vec![item(version, key, Document::Whole(document))],
        }))
    }

    /// Returns the statement that reads any two of the candidates, or as many as there are: one is shown only if it is alone.
    fn any_two(&self, candidates: &Candidates) -> Sql {
        match candidates.select.showing_rows(COLUMNS) {
            Some(mut rows) => {
                rows.push(" LIMIT 2");
                rows
            }
            None => {
                let two = Window {
                    skip: 0,
                    take: 2,
                    bytes: usize::MAX,
                };
                windowed(COLUMNS, self.layout, self.tenant, &candidates.select.sql(), two)
            }
        }
    }

    /// Returns a page, if it is short enough for one piece. `None` if it is to be [streamed](Self::stream).
    pub(super) fn page<R: ScimResource>(
        mut self,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Option<Page<R>>> {
        let (total, page) = self.weighed(query, want)?;
        self.in_one_piece(query, want, total, page)
    }

    /// Returns the documents of a page, unless it is too long for one piece.
    fn in_one_piece<R: ScimResource>(
        &self,
        query: &Query<R>,
        want: &Projection,
        total: u64,
        page: Weighed<'_>,
    ) -> Result<Option<Page<R>>> {
        if page.is_long() {
            return Ok(None);
        }
        let Weighed { rows, owners, .. } = page;
        let heads = self.heads(query, &rows)?;
        let rows = rows.into_iter().map(|(row, _)| row).collect();
        let documents = show::documents::<R>(self.reader, self.layout, self.tenant, rows, &owners, want)?;
        let Some(documents) = documents else {
            return Ok(None);
        };
        let items = heads.into_iter().zip(documents);
        let items = items.map(|((version, key), document)| item(version, key, Document::Whole(document)));
        Ok(Some(Page {
            total,
            items: items.collect(),
        }))
    }

    /// Sends the documents of a page as a [sequence](super::sequence), after it has told what is known before.
    pub(super) fn stream<R: ScimResource>(
        mut self,
        query: &Query<R>,
        want: &Projection,
        sender: &mut Sender,
        tell: impl FnOnce(Head),
    ) -> Result<()> {
        let (total, page) = self.weighed(query, want)?;
        let items = self.heads(query, &page.rows)?;
        sender.end_search(self.reader);
        tell(Head { total, items });
        show::stream_page::<R>(self.reader, self.layout, self.tenant, page, want, sender)
    }

    /// Returns the version of each row, and the key by which it is sorted among others.
    fn heads<R: ScimResource>(
        &self,
        query: &Query<R>,
        rows: &[(PageRow, usize)],
    ) -> Result<Vec<(Version, Option<SortKey>)>> {
        let heads = rows.iter().map(|(row, _)| {
            let key = self.key(query, row.rid, || row.documents())?;
            Ok((row.version(), key))
        });
        heads.collect()
    }

    /// Returns the rows of a page, and how many match in all.
    fn weighed<R: ScimResource>(
        &mut self,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<(u64, Weighed<'s>)> {
        let found = self.find::<R>(query, Window::of(query))?;
        self.weigh(found, query, want)
    }

    /// Weighs the rows of a page.
    fn weigh<R: ScimResource>(
        &self,
        found: Found,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<(u64, Weighed<'s>)> {
        let Found { total, rows, listed } = found;
        let order = match listed {
            Some(_) => Order::OfRows,
            None => Order::Any,
        };
        let page = Weighed::new(
            self.reader,
            self.layout,
            self.tenant,
            rows,
            order,
            want,
            query.answer_bytes,
        )?;
        if let (Some(count), Some(last)) = (listed, page.last()) {
            let before = Window::of(query).skip + page.rows.len() as u64;
            self.core.pages.remember(self.place(before), last.rid, count);
        }
        Ok((total, page))
    }

    /// Returns the key by which a row is sorted, if the query sorts.
    fn key<R: ScimResource>(
        &self,
        query: &Query<R>,
        rid: i64,
        documents: impl FnOnce() -> Result<Documents>,
    ) -> Result<Option<SortKey>> {
        let Some(sort) = &query.sort else { return Ok(None) };
        let key = match plan::is_outside(self.layout, sort.path()) {
            true => self.key_of_others(sort, rid)?,
            false => sort.key(documents()?.state::<R>()?.record()),
        };
        Ok(Some(key))
    }

    fn find<R: ScimResource>(&mut self, query: &Query<R>, window: Window) -> Result<Found> {
        let sort = query.sort.as_ref();
        let column = sort.map(|sort| plan::sort_column(self.layout, sort));
        let by_index = column.as_ref().is_none_or(Option::is_some);
        let order = sort.zip(column.flatten());
        let Some(filter) = &query.filter else {
            let count = tables::count(self.reader, self.tenant, self.layout.number)?;
            return match (sort, order) {
                (None, _) => self.all(count, window),
                (Some(_), Some((sort, column))) => {
                    let rows = self.fetch(&sorted(self.layout, self.tenant, None, sort, &column), window)?;
                    Ok(Found::new(count.live, rows))
                }
                (Some(sort), None) => {
                    self.charge(count.live)?;
                    self.examined::<R>(None, None, Some(sort), window)
                }
            };
        };
        let candidates = plan::candidates(self.layout, self.tenant, filter.expression());
        match candidates {
            Some(Candidates { select, exact: true }) if by_index => {
                let rows = match order {
                    None => self.fetch(&in_order(&select), window)?,
                    Some((sort, column)) => self.fetch(
                        &sorted(self.layout, self.tenant, Some(&select), sort, &column),
                        window,
                    )?,
                };
                Ok(Found::new(self.count(&select)?, rows))
            }
            Some(Candidates { select, exact }) => {
                let filter = (!exact).then_some(filter);
                self.examined::<R>(Some(select), filter, sort, window)
            }
            None => {
                // All rows would be visited, and how many there are is known.
                let count = tables::count(self.reader, self.tenant, self.layout.number)?;
                if usize::try_from(count.live).unwrap_or(usize::MAX) > self.budget {
                    return Err(exceeded::scanned_rows(self.budget, None));
                }
                self.examined::<R>(None, Some(filter), sort, window)
            }
        }
    }

    /// Finds a page of all resources in the order of their creation.
    fn all(&self, count: Count, window: Window) -> Result<Found> {
        if let Some(before) = self.row_before(window, count) {
            return self.behind(before, window, count);
        }
        let mut sql = self.rows().sql();
        sql.push(" ORDER BY r.rid");
        Ok(Found::listed(count, self.fetch(&sql, window)?))
    }

    /// Returns the row before a window of all resources, if it is known.
    fn row_before(&self, window: Window, count: Count) -> Option<i64> {
        match window.skip {
            0 => Some(FIRST),
            skip => self.core.pages.row_before(self.place(skip), count),
        }
    }

    /// Reads a window of all resources behind a row.
    fn behind(&self, before: i64, window: Window, count: Count) -> Result<Found> {
        let behind = self
            .rows()
            .and(|sql| sql.push("r.rid > ? ORDER BY r.rid LIMIT ?"));
        let sql = behind.showing(page_rows::COLUMNS);
        let rows = self.read_page(&sql.with(before).with(window.most()), window)?;
        Ok(Found::listed(count, rows))
    }

    fn place(&self, before: u64) -> Place {
        Place {
            tenant: self.tenant,
            resource_type: self.layout.number,
            before,
        }
    }

    /// Selects all rows of this tenant and type.
    fn rows(&self) -> Select {
        Select::of_type(self.layout.number, self.tenant)
    }

    fn count(&self, select: &Select) -> Result<u64> {
        let mut sql = Sql::new("SELECT count(*) FROM (");
        sql.append(select.sql());
        sql.push(")");
        self.note_plan(&sql)?;
        let count = self
            .reader
            .query_one(&sql.text, &sql.bound(), |row| row.integer(0))?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// Reads the rows of a window of a selection that is in order, until the page is full.
    fn fetch(&self, ordered: &Sql, window: Window) -> Result<Vec<PageRow>> {
        if window.take == 0 {
            return Ok(Vec::new());
        }
        let sql = windowed(page_rows::COLUMNS, self.layout, self.tenant, ordered, window);
        self.read_page(&sql, window)
    }

    /// Reads rows until the page is full.
    fn read_page(&self, sql: &Sql, window: Window) -> Result<Vec<PageRow>> {
        let mut page = PageRows::up_to(window.bytes);
        self.visit(sql, |row| {
            page.read(row)?;
            Ok(match page.is_full() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })?;
        Ok(page.into_rows())
    }

    fn visit(&self, sql: &Sql, visit: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>) -> Result<()> {
        self.note_plan(sql)?;
        self.reader.visit(&sql.text, &sql.bound(), visit)
    }

    fn charge(&mut self, rows: u64) -> Result<()> {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        match self.budget.checked_sub(rows) {
            Some(_) => Ok(()),
            None => Err(exceeded::scanned_rows(self.budget, None)),
        }
    }

    /// Asks the documents of the candidates (of all rows, if no index selects any): whether they match, and by what
    /// they are sorted.
    fn examined<R: ScimResource>(
        &self,
        select: Option<Select>,
        filter: Option<&ResolvedFilter>,
        sort: Option<&Sort>,
        window: Window,
    ) -> Result<Found> {
        let outside = filter.is_some_and(|filter| plan::looks_outside(self.layout, filter.expression()));
        let by_others = sort.is_some_and(|sort| plan::is_outside(self.layout, sort.path()));
        let reads = filter.is_some() || (sort.is_some() && !by_others);
        let visits_all = select.is_none();
        let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM ("));
        sql.append(select.unwrap_or_else(|| self.rows()).sql());
        sql.append(of_rows(self.layout, self.tenant));
        sql.push(" ORDER BY r.rid");
        match (&self.plans, visits_all) {
            (Some(plans), true) => plans.borrow_mut().push("EVERY ROW".to_owned()),
            _ => self.note_plan(&sql)?,
        }
        let mut visited = 0_usize;
        let mut total = 0_u64;
        let mut page = PageRows::up_to(window.bytes);
        let mut keys: Vec<(SortKey, i64)> = Vec::new();
        self.reader.query(&sql.text, &sql.bound(), |row| {
            let stored = StoredRow::read(row)?;
            visited = visited.saturating_add(1);
            if outside {
                visited = visited.saturating_add(usize::try_from(stored.edges).unwrap_or(usize::MAX));
            }
            if visited > self.budget {
                return Err(exceeded::scanned_rows(self.budget, None));
            }
            // The cost of reading the document is counted, too.
            let bytes = u64::try_from(stored.documents.bytes()).unwrap_or(u64::MAX);
            self.reader.charge(1 + bytes / BYTES_IN_A_STEP)?;
            let state = reads.then(|| self.state::<R>(&stored, outside)).transpose()?;
            if let (Some(filter), Some(state)) = (filter, &state) {
                let (matches, work) = filter.matches_counted(state.record());
                self.reader.charge(work)?;
                if !matches {
                    return Ok(());
                }
            }
            match (sort, &state) {
                (Some(sort), Some(state)) if !by_others => keys.push((sort.key(state.record()), stored.rid)),
                (Some(sort), _) => keys.push((self.key_of_others(sort, stored.rid)?, stored.rid)),
                (None, _) if window.shows(total) => page.add(stored),
                (None, _) => {}
            }
            total += 1;
            Ok(())
        })?;
        if let Some(sort) = sort {
            // Stable: equal keys stay in the order of creation.
            keys.sort_by(|left, right| sort.compare(&left.0, &right.0));
            let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
            for (_, rid) in keys.into_iter().skip(skip).take(window.take) {
                if page.is_full() {
                    break;
                }
                self.read_row(rid, &mut page)?;
            }
        }
        Ok(Found::new(total, page.into_rows()))
    }

    fn read_row(&self, rid: i64, page: &mut PageRows) -> Result<()> {
        let sql = format!(
            "SELECT {} FROM scim_resource r WHERE r.tenant = ?1 AND r.rid = ?2",
            page_rows::COLUMNS
        );
        self.reader
            .query(&sql, &[self.tenant.into(), rid.into()], |row| page.read(row))
    }

    fn state<R: ScimResource>(&self, row: &StoredRow, outside: bool) -> Result<State<R>> {
        if !outside {
            return row.documents.state();
        }
        let mut rows = show::edges_of(self.reader, self.layout, row.key(self.tenant))?;
        rows.push_str(&show::derived_of(self.reader, self.layout, row.key(self.tenant))?);
        row.documents.decode(&rows)
    }

    /// Returns the key of a resource that is sorted by its edges, or by what mirrors those of others: none of these
    /// values is primary, so that the first counts.
    fn key_of_others(&self, sort: &Sort, rid: i64) -> Result<SortKey> {
        let row = RowKey {
            tenant: self.tenant,
            rid,
        };
        let mut key = SortKey::Missing;
        for edges in &self.layout.edges {
            let path = edges.shape.path;
            if sort.path().starts_with(path) {
                first(self.reader, edges, row, &mut |value| {
                    key = sort.key_within(&View::Complex(value), path.steps().len());
                })?;
            }
        }
        for derived in &self.layout.derived {
            let path = derived.shape.path;
            if sort.path().starts_with(path) {
                let found = first_derived(self.reader, derived, row, &mut |value| {
                    key = sort.key_within(&View::Complex(value), path.steps().len());
                })?;
                if found {
                    break;
                }
            }
        }
        Ok(key)
    }

    /// Returns how SQLite goes about the statements of a query: those that are run, as they are run.
    pub(super) fn explain<R: ScimResource>(mut self, query: &Query<R>) -> Result<Vec<String>> {
        self.plans = Some(RefCell::default());
        let window = Window::of(query);
        self.find::<R>(query, window)?;
        Ok(self.plans.map(RefCell::into_inner).unwrap_or_default())
    }

    /// Notes how SQLite goes about a statement, if somebody asks.
    fn note_plan(&self, sql: &Sql) -> Result<()> {
        let Some(plans) = &self.plans else { return Ok(()) };
        let text = format!("EXPLAIN QUERY PLAN {}", sql.text);
        let lines = self
            .reader
            .query_all(&text, &sql.bound(), |row| row.text(3).map(str::to_owned))?;
        plans.borrow_mut().extend(lines);
        Ok(())
    }
}

fn item<R>(version: Version, sort_key: Option<SortKey>, document: Document) -> Item<R> {
    Item {
        answer: Answer::Rendered(Rendered { document, version }),
        sort_key,
    }
}

/// Returns a selection of `rid`s in the order of creation.
fn in_order(select: &Select) -> Sql {
    let mut sql = Sql::new("SELECT rid FROM (");
    sql.append(select.sql());
    sql.push(") ORDER BY rid");
    sql
}

/// Cuts a window out of a selection of `rid`s, and reads those rows: none that the window skips is read.
fn windowed(columns: &str, layout: &Layout, tenant: i64, ordered: &Sql, window: Window) -> Sql {
    let mut sql = Sql::new(format!("SELECT {columns} FROM ("));
    sql.append(ordered.clone());
    window.limit(&mut sql);
    sql.append(of_rows(layout, tenant));
    sql
}

/// Goes from `rid`s to their rows. Whatever was selected, what is shown is of this tenant and type.
fn of_rows(layout: &Layout, tenant: i64) -> Sql {
    let number = layout.number;
    Sql::new(format!(
        ") c CROSS JOIN scim_resource r ON r.tenant = ? AND r.rid = c.rid AND +r.type = {number}"
    ))
    .with(tenant)
}

/// Returns a selection in the order of a column; resources without value come where the largest do.
fn sorted(layout: &Layout, tenant: i64, select: Option<&Select>, sort: &Sort, column: &str) -> Sql {
    let mut sql = match select {
        None => Select::of_type(layout.number, tenant).sql(),
        Some(select) => {
            let mut sql = Sql::new("SELECT r.rid AS rid FROM (");
            sql.append(select.sql());
            sql.push(") s CROSS JOIN scim_resource r ON r.tenant = ? AND r.rid = s.rid");
            sql.with(tenant)
        }
    };
    let order = match sort.is_descending() {
        false => "ASC NULLS LAST",
        true => "DESC NULLS FIRST",
    };
    sql.push(&format!(" ORDER BY r.{column} {order}, r.rid"));
    sql
}

/// Visits rows in steps, for work that goes over all of them.
pub(super) fn each_row(
    reader: &Reader<'_>,
    resource_type: i64,
    mut visit: impl FnMut(i64, StoredRow) -> Result<()>,
) -> Result<()> {
    // By no index: the visit may change the keys of the row, and would meet it again behind them.
    let sql = "SELECT r.rid, r.version, r.created, r.modified, r.edges, r.layout, r.hidden, r.doc, r.tenant
               FROM scim_resource r WHERE +r.tenant >= 0 AND +r.type = ?1 ORDER BY r.rid";
    reader.visit(sql, &[resource_type.into()], |row| {
        visit(row.integer(8)?, StoredRow::read(row)?).map(ControlFlow::Continue)
    })
}
