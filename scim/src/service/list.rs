//! Lists: of one type, and of all types at once (RFC 7644 sections 3.4.2 and 3.4.3).

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::filter::{Filter, Resolve, ResolvedFilter, Syntax, Unknown};
use crate::limits::Limits;
use crate::message::{ListParameters, ListWriter};
use crate::path::{AttrPath, AttributeName};
use crate::policy::{EMPTY_STRINGS, Policy, UNKNOWN_SORT, UNQUOTED_OPERANDS};
use crate::projection::{Base, Filling, Projection};
use crate::schema::ResourceType;
use crate::service::endpoint::{Endpoint, projection};
use crate::service::outcome::Outcome;
use crate::sort::{Sort, SortKey, SortOrder};
use crate::value::Fired;

/// A list as it was asked for, before anything is known of a type.
pub(super) struct Ask<'a> {
    pub(super) parameters: &'a ListParameters,
    pub(super) filter: Option<Filter>,
    pub(super) sort_by: Option<AttributeName>,
    pub(super) order: SortOrder,
    /// What becomes of names that a type does not know.
    pub(super) unknown: Unknown,
    pub(super) start: u64,
    pub(super) count: usize,
    pub(super) policy: &'a Policy,
    pub(super) limits: &'a Limits,
    pub(super) base: &'a str,
}

/// The URLs of the service itself in most documents: the resource's own, and those of a group or two.
const USUAL_HOLES: usize = 3;

/// How many of the largest pages a sorted search over several types reads at most.
const MERGED_PAGES: usize = 10;

/// The same for one type.
pub(super) struct Resolved {
    pub(super) filter: Option<ResolvedFilter>,
    pub(super) sort: Option<Sort>,
    pub(super) want: Projection,
    pub(super) fired: Vec<Fired>,
}

/// A part of a page.
pub(super) struct Rows {
    pub(super) total: u64,
    pub(super) rows: Vec<Row>,
    pub(super) fired: Vec<Fired>,
}

/// One resource of a page.
pub(super) struct Row {
    /// With holes where the base URL goes.
    pub(super) document: Bytes,
    pub(super) key: Option<SortKey>,
}

impl<'a> Ask<'a> {
    /// Reads what a filter and a sort say, and how long a page may be.
    pub(super) fn new(
        parameters: &'a ListParameters,
        policy: &'a Policy,
        limits: &'a Limits,
        base: &'a str,
        outcome: &mut Outcome,
    ) -> Result<Self> {
        let sort_by = match parameters.sort_by.as_deref() {
            None => None,
            Some(text) => match (text.parse(), policy.grants(&UNKNOWN_SORT)) {
                (Ok(name), _) => Some(name),
                (Err(_), Some(tolerance)) => {
                    outcome.fire(tolerance, text);
                    None
                }
                (Err(error), None) => return Err(error),
            },
        };
        Ok(Self {
            filter: parse_filter(parameters, policy, limits, outcome)?,
            sort_by,
            order: parameters.sort_order,
            unknown: Unknown::Refuse,
            start: parameters.start_index.max(1),
            count: parameters
                .count
                .unwrap_or(limits.page_size)
                .min(limits.page_size_max),
            parameters,
            policy,
            limits,
            base,
        })
    }

    /// What the list means for one type.
    pub(super) fn resolve(&self, resource_type: &'static ResourceType) -> Result<Resolved> {
        let mut outcome = Outcome::default();
        let schema = resource_type.schema;
        let options = Resolve {
            rules: self.policy,
            unknown: self.unknown,
        };
        let filter = self
            .filter
            .as_ref()
            .map(|filter| ResolvedFilter::resolve(filter, schema, options))
            .transpose()?;
        let mut fired = filter
            .as_ref()
            .map(|filter| filter.fired().to_vec())
            .unwrap_or_default();
        let sort = match &self.sort_by {
            Some(name) => self.sort(name, resource_type, &mut outcome)?,
            None => None,
        };
        let want = projection(resource_type, self.parameters, self.policy, &mut outcome)?;
        fired.append(&mut outcome.fired);
        Ok(Resolved {
            filter,
            sort,
            want,
            fired,
        })
    }

    fn sort(
        &self,
        name: &AttributeName,
        resource_type: &'static ResourceType,
        outcome: &mut Outcome,
    ) -> Result<Option<Sort>> {
        let is_known = AttrPath::resolve(name, resource_type.schema).is_some();
        if !is_known && self.unknown == Unknown::NoValue {
            return Ok(None);
        }
        match self.policy.grants(&UNKNOWN_SORT) {
            Some(tolerance) if !is_known => {
                outcome.fire(tolerance, &name.to_string());
                Ok(None)
            }
            _ => Sort::resolve(name, self.order, resource_type.schema).map(Some),
        }
    }

    fn page(&self, start: u64, count: usize) -> Self {
        Self {
            parameters: self.parameters,
            filter: self.filter.clone(),
            sort_by: self.sort_by.clone(),
            order: self.order,
            unknown: self.unknown,
            start,
            count,
            policy: self.policy,
            limits: self.limits,
            base: self.base,
        }
    }
}

fn parse_filter(
    parameters: &ListParameters,
    policy: &Policy,
    limits: &Limits,
    outcome: &mut Outcome,
) -> Result<Option<Filter>> {
    let Some(text) = parameters.filter.as_deref() else {
        return Ok(None);
    };
    if text.trim().is_empty()
        && let Some(tolerance) = policy.grants(&EMPTY_STRINGS)
    {
        outcome.fire(tolerance, "filter");
        return Ok(None);
    }
    let syntax = Syntax {
        unquoted_strings: policy.allows(&UNQUOTED_OPERANDS),
    };
    Filter::parse_with(text, limits, syntax).map(Some)
}

/// The list of one type as a document.
pub(super) async fn one<C>(
    endpoint: &dyn Endpoint<C>,
    cx: &C,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<Vec<u8>> {
    let found = endpoint.query(cx, ask).await?;
    outcome.fired.extend(found.fired);
    outcome.total = Some(found.total);
    Ok(written(found.total, ask.start, &found.rows, ask.base))
}

/// The list of several types as a document: totals add up, the types follow each other in the order in which they were
/// registered, or are merged by their sort keys.
pub(super) async fn all<C>(
    endpoints: &[&dyn Endpoint<C>],
    cx: &C,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<Vec<u8>> {
    check_sort(endpoints, ask, outcome)?;
    let (total, rows) = if ask.sort_by.is_some() {
        merged(endpoints, cx, ask, outcome).await?
    } else {
        concatenated(endpoints, cx, ask, outcome).await?
    };
    outcome.total = Some(total);
    Ok(written(total, ask.start, &rows, ask.base))
}

/// An attribute that no type knows is unknown indeed.
fn check_sort<C>(endpoints: &[&dyn Endpoint<C>], ask: &Ask<'_>, outcome: &mut Outcome) -> Result<()> {
    let Some(name) = &ask.sort_by else { return Ok(()) };
    let is_known = endpoints
        .iter()
        .any(|endpoint| AttrPath::resolve(name, endpoint.resource_type().schema).is_some());
    if is_known || endpoints.is_empty() {
        return Ok(());
    }
    match ask.policy.grants(&UNKNOWN_SORT) {
        Some(tolerance) => {
            outcome.fire(tolerance, &name.to_string());
            Ok(())
        }
        None => {
            let name = crate::error::quoted(&name.to_string());
            Err(Error::invalid_path(format!(
                "sortBy: no resource type has the attribute {name}."
            )))
        }
    }
}

async fn concatenated<C>(
    endpoints: &[&dyn Endpoint<C>],
    cx: &C,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<(u64, Vec<Row>)> {
    let mut total = 0_u64;
    let mut rows = Vec::new();
    for endpoint in endpoints {
        let start = ask.start.saturating_sub(total).max(1);
        let count = ask.count - rows.len();
        let found = endpoint.query(cx, &ask.page(start, count)).await?;
        total = total.saturating_add(found.total);
        rows.extend(found.rows);
        outcome.fired.extend(found.fired);
    }
    Ok((total, rows))
}

async fn merged<C>(
    endpoints: &[&dyn Endpoint<C>],
    cx: &C,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<(u64, Vec<Row>)> {
    // Every type may fill the page alone, so each is asked for all rows up to its end.
    let skipped = usize::try_from(ask.start - 1).unwrap_or(usize::MAX);
    let reach = skipped.saturating_add(ask.count);
    let most = ask.limits.page_size_max.saturating_mul(MERGED_PAGES);
    let mut total = 0_u64;
    let mut rows = Vec::new();
    for endpoint in endpoints {
        let found = endpoint.query(cx, &ask.page(1, reach.min(most))).await?;
        total = total.saturating_add(found.total);
        rows.extend(found.rows);
        outcome.fired.extend(found.fired);
    }
    if reach > most && total > most as u64 {
        return Err(Error::too_many(
            "A sorted search over all resource types cannot reach this far: search each type by itself.",
        ));
    }
    let key = |row: &Row| row.key.clone().unwrap_or(SortKey::Missing);
    // Stable: rows of equal keys stay in the order of the types and of each store.
    rows.sort_by(|left, right| ask.order.compare(&key(left), &key(right)));
    Ok((total, rows.into_iter().skip(skipped).take(ask.count).collect()))
}

fn written(total: u64, start: u64, rows: &[Row], base: &str) -> Vec<u8> {
    let length: usize = rows
        .iter()
        .map(|row| row.document.len() + USUAL_HOLES * base.len())
        .sum();
    let mut out = Vec::with_capacity(length + 160);
    let filling = Filling::of(Base::Url(base));
    let mut list = ListWriter::begin(&mut out, total, start, rows.len());
    for row in rows {
        list.item(&mut out);
        filling.fill(&row.document, &mut out);
    }
    list.end(&mut out);
    out
}
