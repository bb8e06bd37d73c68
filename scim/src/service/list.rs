//! Lists: of one type, and of all types at once (RFC 7644 sections 3.4.2 and 3.4.3).

use std::sync::Arc;

use super::ask::{Ask, Row};
use super::endpoint::Endpoint;
use super::outcome::Outcome;
use crate::error::{Error, Result};
use crate::message::ListWriter;
use crate::path::AttrPath;
use crate::policy::UNKNOWN_SORT;
use crate::projection::{Base, Filling};
use crate::sort::SortKey;

/// The URLs of the service itself in most documents: the resource's own, and those of a group or two.
const USUAL_HOLES: usize = 3;

/// How many of the largest pages a sorted search over several types reads at most.
const MERGED_PAGES: usize = 10;

/// The list of one type as a document.
pub(super) async fn one<C>(
    endpoint: &dyn Endpoint<C>,
    cx: &Arc<C>,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<Vec<u8>> {
    let found = endpoint.query(cx, ask).await?;
    outcome.fired.extend(found.fired);
    outcome.total = Some(found.total);
    Ok(written(
        found.total,
        ask.start,
        &found.rows,
        ask.base_urls.shown(),
    ))
}

/// The list of several types as a document: totals add up, the types follow each other in the order in which they were
/// registered, or are merged by their sort keys.
pub(super) async fn all<C>(
    endpoints: &[&dyn Endpoint<C>],
    cx: &Arc<C>,
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
    Ok(written(total, ask.start, &rows, ask.base_urls.shown()))
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
    cx: &Arc<C>,
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
    cx: &Arc<C>,
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
