//! Lists: what SQL can say is left to the tables, all else is evaluated here, within the row budget.

use std::cmp::Ordering;

use super::rows::{Row, Rows};
use super::shown::Shown;
use super::tables::Tables;
use super::work::{Work, rendered};
use crate::error::Result;
use crate::filter::{Compare, Expression, Operand, Operator, ResolvedFilter};
use crate::limits::exceeded;
use crate::path::AttrPath;
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::sort::{Sort, SortKey};
use crate::sql::{Columns, SqlFilter, Window};
use crate::store::layout::{Layout, step};
use crate::store::links::Link;
use crate::store::{Item, Page, Query, Stored};

/// How many rows are read at once where they are evaluated here.
const AT_ONCE: usize = 1_000;

/// How many rows of a page are read at once: with the edges of each, a page may end long before it has all.
const OF_A_PAGE: usize = 100;

/// A question for the tables.
struct Plan {
    condition: Option<SqlFilter>,
    order: Option<String>,
    /// Whether condition and order say all that the query says.
    is_all: bool,
}

impl Plan {
    fn of<R>(columns: Option<&Columns>, query: &Query<R>) -> Self {
        let (condition, filters) = match &query.filter {
            None => (None, true),
            Some(filter) => condition(columns, filter.expression()),
        };
        let order = match (&query.sort, columns) {
            (Some(sort), Some(columns)) => columns.order_by(sort).ok(),
            _ => None,
        };
        let sorts = query.sort.is_none() || order.is_some();
        Self {
            condition,
            order,
            is_all: filters && sorts,
        }
    }

    fn window(&self, offset: u64, count: usize) -> Window<'_> {
        Window {
            condition: self.condition.as_ref(),
            order: self.order.as_deref(),
            offset,
            count,
        }
    }
}

/// Returns the part of an expression that SQL can say, and whether that is all of it.
fn condition(columns: Option<&Columns>, expression: &Expression) -> (Option<SqlFilter>, bool) {
    let Some(columns) = columns else {
        return (None, false);
    };
    if let Ok(condition) = columns.compile(expression) {
        return (Some(condition), true);
    }
    let Expression::And(all) = expression else {
        return (None, false);
    };
    let parts = all.iter().filter(|part| columns.compile(part).is_ok()).cloned();
    let parts = parts.fold(Expression::Always, Expression::and);
    (columns.compile(&parts).ok(), false)
}

/// A resource that a query selects.
struct Hit {
    id: String,
    key: Option<SortKey>,
}

/// A way to the resources among which all are that an expression selects.
enum LookUp {
    /// The id.
    Id(String),
    /// An edge to a resource with this id.
    EdgeTo(AttrPath, String),
    /// An edge from a resource with this id, by a link.
    EdgeFrom(Link, String),
}

impl LookUp {
    fn of(layout: &Layout, expression: &Expression, above: AttrPath) -> Option<Self> {
        match expression {
            Expression::And(all) => all.iter().find_map(|one| Self::of(layout, one, above)),
            Expression::Any { path, inner, .. } => Self::of(layout, inner, join(above, *path)),
            Expression::Compare(compare) => Self::named(layout, compare, join(above, compare.path)),
            _ => None,
        }
    }

    fn named(layout: &Layout, compare: &Compare, path: AttrPath) -> Option<Self> {
        let Operand::Text { key, .. } = &compare.operand else {
            return None;
        };
        if compare.operator != Operator::Eq {
            return None;
        }
        let id = key.to_string();
        if path == layout.id {
            return Some(Self::Id(id));
        }
        let mut edges = layout.edges.iter();
        if let Some(edges) = edges.find(|edges| path == step(edges.path, edges.parts.value)) {
            return Some(Self::EdgeTo(edges.path, id));
        }
        let derived = layout.derived.iter();
        let derived = derived.filter(|derived| path == step(derived.path, derived.parts.value));
        match derived.collect::<Vec<_>>().as_slice() {
            [one] => Some(Self::EdgeFrom(one.link, id)),
            _ => None,
        }
    }
}

impl<T: Tables<C>, C: Send + Sync + 'static> Work<'_, T, C> {
    pub(super) async fn list<R: ScimResource>(
        &mut self,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Page<R>>
    where
        T: Rows<R, C>,
    {
        let layout = Layout::of::<R>(self.links)?;
        let plan = Plan::of(Rows::<R, C>::columns(self.tables), query);
        if plan.is_all {
            return self.listed(&layout, query, want, &plan).await;
        }
        let mut hits = match self.looked_up(&layout, query).await? {
            Some(hits) => hits,
            None => self.scanned(&layout, query, &plan).await?,
        };
        if let Some(sort) = &query.sort {
            // The sort is stable: what has equal keys stays in the order of creation.
            hits.sort_by(|left, right| match (&left.key, &right.key) {
                (Some(left), Some(right)) => sort.compare(left, right),
                _ => Ordering::Equal,
            });
        }
        let total = u64::try_from(hits.len()).unwrap_or(u64::MAX);
        let skipped = usize::try_from(skipped(query)).unwrap_or(usize::MAX);
        let mut page = Cut::default();
        for hit in hits.into_iter().skip(skipped).take(query.count) {
            if let Some(found) = self.find::<R>(&layout, &hit.id).await?
                && !self.show(&layout, found, query, want, &mut page).await?
            {
                break;
            }
        }
        Ok(Page {
            total,
            items: page.items,
        })
    }

    /// Returns a page of what the tables have found and put into order.
    async fn listed<R: ScimResource>(
        &mut self,
        layout: &Layout,
        query: &Query<R>,
        want: &Projection,
        plan: &Plan,
    ) -> Result<Page<R>>
    where
        T: Rows<R, C>,
    {
        let total = self.count::<R>(plan).await?;
        let mut page = Cut::default();
        let (mut offset, mut left) = (skipped(query), query.count);
        'page: while left > 0 && offset < total {
            let rows = self.window::<R>(plan, offset, left.min(OF_A_PAGE)).await?;
            if rows.is_empty() {
                break;
            }
            offset = offset.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
            left = left.saturating_sub(rows.len());
            for row in rows {
                let found = self.found(layout, row).await?;
                if !self.show(layout, found, query, want, &mut page).await? {
                    break 'page;
                }
            }
        }
        Ok(Page {
            total,
            items: page.items,
        })
    }

    async fn count<R: ScimResource>(&mut self, plan: &Plan) -> Result<u64>
    where
        T: Rows<R, C>,
    {
        let count = Rows::<R, C>::count(self.tables, self.unit, plan.condition.as_ref()).await;
        count.map_err(|failure| self.error(failure))
    }

    async fn window<R: ScimResource>(&mut self, plan: &Plan, offset: u64, count: usize) -> Result<Vec<Row<R>>>
    where
        T: Rows<R, C>,
    {
        let rows = Rows::<R, C>::select(self.tables, self.unit, &plan.window(offset, count)).await;
        rows.map_err(|failure| self.error(failure))
    }

    /// Adds a resource to a page, unless the page would be too large with it. Says whether it has.
    async fn show<R: ScimResource>(
        &mut self,
        layout: &Layout,
        found: Stored<R>,
        query: &Query<R>,
        want: &Projection,
        page: &mut Cut<R>,
    ) -> Result<bool>
    where
        T: Rows<R, C>,
    {
        let document = self.document(layout, &found, want).await?;
        page.length = page.length.saturating_add(document.len());
        if page.length > query.answer_bytes && !page.items.is_empty() {
            return Ok(false);
        }
        let sort_key = match &query.sort {
            Some(sort) => Some(self.key(layout, &found, sort).await?),
            None => None,
        };
        page.items.push(Item {
            answer: rendered(document, &found),
            sort_key,
        });
        Ok(true)
    }

    async fn key<R: ScimResource>(
        &mut self,
        layout: &Layout,
        found: &Stored<R>,
        sort: &Sort,
    ) -> Result<SortKey>
    where
        T: Rows<R, C>,
    {
        let id = found.resource.id().as_str();
        let loaded = self
            .load::<R>(layout, id, &|path| sort.path().starts_with(path))
            .await?;
        Ok(sort.key(&Shown {
            record: &found.resource,
            layout,
            loaded: &loaded,
        }))
    }

    /// Returns the resources that a filter selects, if it names an id that leads to them; `None` if it does not.
    async fn looked_up<R: ScimResource>(
        &mut self,
        layout: &Layout,
        query: &Query<R>,
    ) -> Result<Option<Vec<Hit>>>
    where
        T: Rows<R, C>,
    {
        let Some(filter) = &query.filter else {
            return Ok(None);
        };
        let mut ids = match LookUp::of(layout, filter.expression(), AttrPath::ROOT) {
            None => return Ok(None),
            Some(LookUp::Id(id)) => vec![id],
            Some(LookUp::EdgeTo(path, target)) => {
                let owners = Rows::<R, C>::leading_to(self.tables, self.unit, path, &target).await;
                let owners = owners.map_err(|failure| self.error(failure))?;
                owners.into_iter().map(|end| end.id).collect()
            }
            Some(LookUp::EdgeFrom(link, owner)) => {
                let Some(owners) = self.served(link.edges().type_id()) else {
                    return Ok(None);
                };
                let ends = owners
                    .edges(self.tables, self.unit, link.edges().path(), &owner)
                    .await;
                let ends = ends.map_err(|failure| self.error(failure))?;
                ends.into_iter().map(|end| end.id).collect()
            }
        };
        ids.dedup();
        let mut hits = Vec::new();
        for id in ids {
            if let Some(found) = self.find::<R>(layout, &id).await? {
                hits.extend(self.hit(layout, &found, Some(filter), query).await?);
            }
        }
        Ok(Some(hits))
    }

    /// Finds the resources that a query selects, by a walk over all that meet the condition which the tables understand.
    async fn scanned<R: ScimResource>(
        &mut self,
        layout: &Layout,
        query: &Query<R>,
        plan: &Plan,
    ) -> Result<Vec<Hit>>
    where
        T: Rows<R, C>,
    {
        let rows = self.count::<R>(plan).await?;
        if rows > u64::try_from(query.scanned_rows).unwrap_or(u64::MAX) {
            return Err(exceeded::scanned_rows(query.scanned_rows, None));
        }
        let mut hits = Vec::new();
        let mut offset = 0;
        loop {
            let rows = self.window::<R>(plan, offset, AT_ONCE).await?;
            let count = rows.len();
            for row in rows {
                let found = self.found(layout, row).await?;
                hits.extend(self.hit(layout, &found, query.filter.as_ref(), query).await?);
            }
            if count < AT_ONCE {
                return Ok(hits);
            }
            offset = offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    /// Returns a resource, if the filter selects it.
    async fn hit<R: ScimResource>(
        &mut self,
        layout: &Layout,
        found: &Stored<R>,
        filter: Option<&ResolvedFilter>,
        query: &Query<R>,
    ) -> Result<Option<Hit>>
    where
        T: Rows<R, C>,
    {
        let id = found.resource.id().as_str();
        let asks = |path: AttrPath| {
            let filters = filter.is_some_and(|filter| mentions(filter.expression(), path));
            filters
                || query
                    .sort
                    .as_ref()
                    .is_some_and(|sort| sort.path().starts_with(path))
        };
        let loaded = self.load::<R>(layout, id, &asks).await?;
        let shown = Shown {
            record: &found.resource,
            layout,
            loaded: &loaded,
        };
        let (matches, work) = filter.map_or((true, 1), |filter| filter.matches_counted(&shown));
        query.budget.charge(work)?;
        if !matches {
            return Ok(None);
        }
        Ok(Some(Hit {
            id: id.to_owned(),
            key: query.sort.as_ref().map(|sort| sort.key(&shown)),
        }))
    }
}

/// A page that is being filled.
struct Cut<R> {
    items: Vec<Item<R>>,
    length: usize,
}

impl<R> Default for Cut<R> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            length: 0,
        }
    }
}

fn skipped<R>(query: &Query<R>) -> u64 {
    query.start_index.saturating_sub(1)
}

/// Returns whether an expression is about an attribute at the top of a resource.
fn mentions(expression: &Expression, top: AttrPath) -> bool {
    match expression {
        Expression::Always | Expression::Never => false,
        Expression::And(all) | Expression::Or(all) => all.iter().any(|one| mentions(one, top)),
        Expression::Not(inner) => mentions(inner, top),
        Expression::Present { path, .. } | Expression::Any { path, .. } => path.starts_with(top),
        Expression::Compare(compare) => compare.path.starts_with(top),
    }
}

fn join(above: AttrPath, path: AttrPath) -> AttrPath {
    path.steps().iter().fold(above, |path, step| path.push(*step))
}
