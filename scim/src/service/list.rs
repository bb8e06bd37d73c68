//! Lists: of one type, and of all types at once (RFC 7644 sections 3.4.2 and 3.4.3).

use std::collections::VecDeque;
use std::sync::Arc;

use super::ask::{Ask, Row};
use super::body::Body;
use super::endpoint::Endpoint;
use super::list_parts::ListParts;
use super::outcome::Outcome;
use crate::error::{Error, Result};
use crate::path::AttrPath;
use crate::policy::UNKNOWN_SORT;
use crate::sort::SortKey;
use crate::store::Document;

/// How many of the largest pages a sorted search over several types reads at most.
const MERGED_PAGES: usize = 10;

/// Returns the list of one type as a document.
pub(super) async fn one<C>(
    endpoint: &dyn Endpoint<C>,
    cx: &Arc<C>,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<Body> {
    let found = endpoint.query(cx, ask).await?;
    outcome.fired.extend(found.fired);
    outcome.total = Some(found.total);
    written(found.total, ask, found.rows)
}

/// Returns the list of several types as a document: totals add up, the types follow each other in the order in which they were
/// registered, or are merged by their sort keys.
pub(super) async fn all<C>(
    endpoints: &[&dyn Endpoint<C>],
    cx: &Arc<C>,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<Body> {
    check_sort(endpoints, ask, outcome)?;
    let (total, rows) = if ask.sort_by.is_some() && endpoints.len() > 1 {
        merged(endpoints, cx, ask, outcome).await?
    } else {
        concatenated(endpoints, cx, ask, outcome).await?
    };
    outcome.total = Some(total);
    written(total, ask, rows)
}

/// Checks that some type knows the attribute to sort by: one that no type knows is unknown indeed.
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
    let mut ends = false;
    for endpoint in endpoints {
        let start = ask.start.saturating_sub(total).max(1);
        // Nothing may follow where a page was cut. Nor does another type follow one that is sent in parts: it might need
        // a stream, too, and a stream that waits for another may wait in vain.
        let count = if ends { 0 } else { ask.count - rows.len() };
        let found = endpoint.query(cx, &ask.page(start, count)).await?;
        let left = found.total.saturating_sub(start - 1);
        ends |= (found.rows.len() as u64) < left.min(count as u64) || found.rows.iter().any(Row::is_in_parts);
        total = total.saturating_add(found.total);
        rows.extend(found.rows);
        outcome.fired.extend(found.fired);
    }
    Ok((total, rows))
}

/// Merges by sort key. First every type says its keys and nothing else, because each may fill the page alone; then each is
/// asked for those of its resources that are on the page.
async fn merged<C>(
    endpoints: &[&dyn Endpoint<C>],
    cx: &Arc<C>,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<(u64, Vec<Row>)> {
    let order = merged_order(endpoints, cx, ask, outcome).await?;
    let skipped = usize::try_from(ask.start - 1).unwrap_or(usize::MAX);
    let page = || order.types.iter().skip(skipped).take(ask.count);
    let mut found: Vec<VecDeque<Row>> = endpoints.iter().map(|_| VecDeque::new()).collect();
    // One stream at a time, as in a list one after the other. The type of the first resource is asked first, so that the
    // page is never empty.
    let mut asked = Vec::new();
    for at in page() {
        let (Some(endpoint), Some(rows), false) =
            (endpoints.get(*at), found.get_mut(*at), asked.contains(at))
        else {
            continue;
        };
        asked.push(*at);
        let before = order.types.iter().take(skipped).filter(|other| *other == at);
        let count = page().filter(|other| *other == at).count();
        let part = endpoint
            .query(cx, &ask.page(before.count() as u64 + 1, count))
            .await?;
        rows.extend(part.rows);
        if rows.iter().any(Row::is_in_parts) {
            break;
        }
    }
    // A type that has sent fewer, or was not asked, cuts the page.
    let rows = page().map_while(|at| found.get_mut(*at)?.pop_front());
    Ok((order.total, rows.collect()))
}

/// The resources of several types in one order: the type of each, by its place among the endpoints.
struct Order {
    total: u64,
    types: Vec<usize>,
}

async fn merged_order<C>(
    endpoints: &[&dyn Endpoint<C>],
    cx: &Arc<C>,
    ask: &Ask<'_>,
    outcome: &mut Outcome,
) -> Result<Order> {
    let reach = usize::try_from(ask.start - 1)
        .unwrap_or(usize::MAX)
        .saturating_add(ask.count);
    let most = ask.limits.page_size_max.saturating_mul(MERGED_PAGES);
    let mut total = 0_u64;
    let mut keys = Vec::new();
    for (at, endpoint) in endpoints.iter().enumerate() {
        let found = endpoint.query(cx, &ask.keys(1, reach.min(most))).await?;
        total = total.saturating_add(found.total);
        let rows = found.rows.into_iter();
        keys.extend(rows.map(|row| (row.key.unwrap_or(SortKey::Missing), at)));
        outcome.fired.extend(found.fired);
    }
    if reach > most && total > most as u64 {
        return Err(Error::too_many(
            "A sorted search over all resource types cannot reach this far: search each type by itself.",
        ));
    }
    // Stable: rows of equal keys stay in the order of the types and of each store.
    keys.sort_by(|left, right| ask.order.compare(&left.0, &right.0));
    Ok(Order {
        total,
        types: keys.into_iter().map(|(_, at)| at).collect(),
    })
}

/// Makes the document of a list, at once if that is short.
fn written(total: u64, ask: &Ask<'_>, mut rows: Vec<Row>) -> Result<Body> {
    let (start, base) = (ask.start, ask.base_urls.shown());
    cut(&mut rows, ask.limits.answer_bytes);
    let documents = rows.into_iter().map(|row| row.document);
    let list = ListParts::new(total, start, documents.collect(), base);
    match list.is_short() {
        true => list.written().map(Body::pieces),
        false => Ok(Body::list(list)),
    }
}

/// Cuts a page before the resource with which it would be too large. Documents that come in parts were cut by their store.
fn cut(rows: &mut Vec<Row>, most: usize) {
    let mut length = 0_usize;
    let fits = rows.iter().take_while(|row| {
        if let Document::Whole(bytes) = &row.document {
            length = length.saturating_add(bytes.len());
        }
        length <= most
    });
    let fitting = fits.count().max(1);
    rows.truncate(fitting);
}
