//! Lists: filters, pages, order, projections.
//!
//! The matches of a filter and the order of a list are worked out from the states that the store itself says it has:
//! a check accuses no store of what its own states say.

use std::cmp::Ordering;

use serde_json::Value;

use super::attributes::Leaf;
use super::creating::spellings;
use super::kit::{NOBODY, document, filter_of, is_refused, projection, rendered, reply, sorted, text};
use super::one::One;
use super::violation::{Seen, ensure};
use super::{Context, Outcome};
use crate::ScimType;
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::schema::Type;
use crate::sort::{Sort, SortOrder};
use crate::store::{Precondition, Query, Store, Stored};

/// Returns the ids of the resources that a filter selects, sorted.
fn expected<R: ScimResource>(filter: &str, states: &[Stored<R>]) -> Result<Vec<String>, Seen> {
    let filter = filter_of::<R>(filter)?;
    let selected = states.iter().filter(|state| filter.matches(&state.resource));
    Ok(sorted(selected.map(|state| state.resource.id().to_string())))
}

/// Returns a text as a filter has it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Creates resources of which some have changed, and returns their states.
async fn changed_here_and_there<S: Store<R, C>, C: Context, R: ScimResource>(
    one: &One<S, C, R>,
    number: usize,
) -> Result<Vec<Stored<R>>, Seen> {
    let mut states = Vec::new();
    for n in 0..number {
        let mut resource = one.sample.of(n);
        if n % 3 == 1 {
            resource = one.sample.changed(&resource, n);
        }
        if n % 3 == 2 {
            let optional = one.sample.leaves().into_iter().filter(Leaf::is_optional);
            for leaf in optional {
                _ = leaf.set(&mut resource, None);
            }
        }
        states.push(one.kit.create(resource).await?);
    }
    Ok(states)
}

/// Returns the filters that are asked about an attribute, with the values that resources have.
fn filters_of(leaf: &Leaf, value: &Value) -> Vec<String> {
    let name = &leaf.name;
    let mut filters = vec![format!("{name} pr"), format!("not ({name} pr)")];
    match (value, leaf.attribute.shape.kind) {
        (Value::String(text), Type::String) => {
            for other in spellings(text) {
                filters.push(format!("{name} eq {}", quoted(&other)));
            }
            let start: String = text.chars().take(3).collect();
            let end: String = text.chars().skip(1).collect();
            filters.push(format!("{name} sw {}", quoted(&start.to_uppercase())));
            filters.push(format!("{name} co {}", quoted(&end)));
            filters.push(format!("{name} ew {}", quoted(&end)));
            filters.push(format!("{} eq {}", name.to_uppercase(), quoted(text)));
            filters.push(format!("not ({name} eq {})", quoted(text)));
            filters.push(format!("{name} ne {}", quoted(text)));
            filters.push(format!("{name} eq {}", quoted(&format!("{text} and no other"))));
            // Values that would be a wildcard or an end of the text to SQL.
            filters.push(format!("{name} co \"%\" or {name} sw \"_\" or {name} eq \"'\""));
        }
        (Value::Bool(_), Type::Boolean) => {
            filters.extend([format!("{name} eq true"), format!("{name} eq false")]);
        }
        (Value::Number(number), Type::Integer) => {
            for operator in ["eq", "ne", "gt", "ge", "lt", "le"] {
                filters.push(format!("{name} {operator} {number}"));
            }
        }
        (Value::Array(values), _) => {
            let first = values.first();
            let sub = leaf.attribute.sub_attribute("value").is_some();
            match (first, first.and_then(|first| first.get("value"))) {
                (_, Some(Value::String(text))) if sub => {
                    let text = quoted(text);
                    filters.push(format!("{name}.value eq {text}"));
                    filters.push(format!("{name}[value eq {text}]"));
                }
                (Some(Value::String(text)), _) if leaf.attribute.shape.kind == Type::String => {
                    filters.push(format!("{name} eq {}", quoted(text)));
                }
                _ => {}
            }
        }
        _ => {}
    }
    filters
}

pub(super) async fn filters_select_what_they_say<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let states = changed_here_and_there(&one, 9).await?;
    let mut filters = Vec::new();
    for state in &states {
        filters.push(format!("id eq {}", quoted(state.resource.id().as_str())));
    }
    if let Some(id) = states.first().map(|state| state.resource.id().as_str()) {
        for other in [
            format!("0{id}"),
            format!("+{id}"),
            format!("{id} "),
            id.to_uppercase(),
        ] {
            filters.push(format!("id eq {}", quoted(&other)));
        }
    }
    filters.push(format!("id eq {}", quoted(NOBODY)));
    for leaf in one.sample.leaves() {
        let mut values: Vec<Value> = Vec::new();
        for value in states.iter().filter_map(|state| leaf.of(&state.resource)) {
            if !values.contains(&value) && values.len() < 3 {
                values.push(value);
            }
        }
        let is_asked = match leaf.attribute.is_complex() {
            true => one.sample.filters_by(&format!("{}.value", leaf.name)),
            false => one.sample.filters_by(&leaf.name),
        };
        if is_asked {
            filters.extend(values.iter().flat_map(|value| filters_of(&leaf, value)));
        }
    }
    for filter in filters {
        let wanted = expected(&filter, &states)?;
        let found = one.kit.found::<R>(&filter).await?;
        ensure!(
            found == wanted,
            "the filter {filter} found {} resources ({found:?}) instead of {} ({wanted:?})",
            found.len(),
            wanted.len()
        );
    }
    Ok(())
}

/// Returns an attribute of text that the store filters by, a unique one if there is any.
fn filtered_text<S, C, R: ScimResource>(one: &One<S, C, R>) -> Option<Leaf> {
    let mut leaves = one.sample.leaves();
    leaves.retain(|leaf| leaf.is_text() && one.sample.filters_by(&leaf.name));
    leaves.sort_by_key(|leaf| !leaf.is_unique());
    leaves.into_iter().next()
}

pub(super) async fn filters_are_applied_before_pages<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let states = one.create_all(30).await?;
    let Some(leaf) = filtered_text(&one) else {
        return Ok(());
    };
    let values = [9, 19, 29].into_iter().filter_map(|n| states.get(n));
    let values = values.filter_map(|state| leaf.text_of(&state.resource));
    let filters: Vec<_> = values
        .map(|value| format!("{} eq {}", leaf.name, quoted(&value)))
        .collect();
    if filters.is_empty() {
        return Ok(());
    }
    let filter = filters.join(" or ");
    let wanted = expected(&filter, &states)?;
    let mut query = Query::<R>::all(2).matching(filter_of::<R>(&filter)?);
    let mut found = Vec::new();
    while found.len() < wanted.len() {
        query.start_index = found.len() as u64 + 1;
        let list = one.kit.list(&query).await?;
        ensure!(
            list.total == wanted.len() as u64,
            "a filter that {} of 30 resources satisfy has a total of {}",
            wanted.len(),
            list.total
        );
        let rest = (wanted.len() - found.len()).min(2);
        ensure!(
            list.resources.len() == rest,
            "the page that starts at {} of {} matches has {} resources instead of {rest}",
            query.start_index,
            wanted.len(),
            list.resources.len()
        );
        found.extend(list.ids());
    }
    ensure!(
        sorted(found.clone()) == wanted,
        "the pages of a filter show {found:?} instead of {wanted:?}"
    );
    Ok(())
}

pub(super) async fn filters_are_refused_rather_than_cut_short<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let states = one.create_all(10).await?;
    let Some(leaf) = filtered_text(&one) else {
        return Ok(());
    };
    let filter = format!("{0} pr and not ({0} eq {1})", leaf.name, quoted(NOBODY));
    let wanted = expected(&filter, &states)?.len() as u64;
    let mut query = Query::<R>::all(100).matching(filter_of::<R>(&filter)?);
    query.scanned_rows = 10;
    let list = one.kit.list(&query).await?;
    ensure!(
        list.total == wanted,
        "a filter within its budget of 10 rows found {} of {wanted}",
        list.total
    );
    query.scanned_rows = 5;
    match one.kit.page(&query, &reply::<R>().want).await {
        // An index may have served it.
        Ok(page) => ensure!(
            page.total == wanted && page.items.len() as u64 == wanted,
            "a filter over 10 resources that may visit 5 was answered with {} of {wanted}",
            page.items.len()
        ),
        refused => is_refused(
            refused,
            400,
            Some(ScimType::TooMany),
            "a filter beyond its budget",
        )?,
    }
    Ok(())
}

pub(super) async fn unique_values_are_found_by_an_index<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let states = one.create_all(10).await?;
    for leaf in one.sample.unique() {
        let Some(value) = states.get(7).and_then(|state| leaf.text_of(&state.resource)) else {
            continue;
        };
        if !one.sample.filters_by(&leaf.name) {
            continue;
        }
        let filter = format!("{} eq {}", leaf.name, quoted(&value));
        let mut query = Query::<R>::all(100).matching(filter_of::<R>(&filter)?);
        query.scanned_rows = 1;
        let list = one.kit.list(&query).await?;
        ensure!(
            list.ids() == expected(&filter, &states)?,
            "{filter}, which one of 10 resources satisfies, found {} within a budget of one row",
            list.total
        );
    }
    Ok(())
}

pub(super) async fn pages_are_stable_and_complete<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let states = one.create_all(23).await?;
    let ids = sorted(states.iter().map(|state| state.resource.id().to_string()));
    let whole = one.kit.list(&Query::<R>::all(100)).await?.ids();
    let mut walked: Vec<String> = Vec::new();
    let mut query = Query::<R>::all(5);
    for page in 0..5_u8 {
        query.start_index = u64::from(page) * 5 + 1;
        let list = one.kit.list(&query).await?;
        ensure!(
            list.total == 23,
            "a page of 23 resources has the total {}",
            list.total
        );
        walked.extend(list.ids());
        if let Some(id) = walked.first() {
            // A change does not move anybody to another page.
            let now = one.kit.state::<R>(id).await?.resource;
            let patch = one.sample.patch(&now, usize::from(page) + 1);
            one.kit.patched::<R>(id, &patch).await?;
        }
    }
    ensure!(
        sorted(walked.clone()) == ids,
        "5 pages of 23 resources show {} of them, or some twice",
        walked.len()
    );
    ensure!(
        walked == whole,
        "the pages have another order than the whole list: {walked:?} instead of {whole:?}"
    );
    Ok(())
}

pub(super) async fn pages_may_be_empty<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let nothing = one.kit.list(&Query::<R>::all(10)).await?;
    ensure!(
        nothing.total == 0 && nothing.resources.is_empty(),
        "an empty store lists {nothing:?}"
    );
    let states = one.create_all(3).await?;
    for (start, count) in [(1, 0), (4, 10), (1_000_000_000, 10), (u64::MAX, 10)] {
        for filtered in [false, one.sample.filters()] {
            let mut query = Query::<R>::all(count);
            query.start_index = start;
            if filtered {
                let ids = states
                    .iter()
                    .map(|state| format!("id eq {}", quoted(state.resource.id().as_str())));
                let filter = ids.collect::<Vec<_>>().join(" or ");
                query = query.matching(filter_of::<R>(&filter)?);
            }
            let list = one.kit.list(&query).await?;
            ensure!(
                list.total == 3 && list.resources.is_empty(),
                "startIndex {start} and count {count} of 3 resources gave {} of {}",
                list.resources.len(),
                list.total
            );
        }
    }
    let mut query = Query::<R>::all(10);
    query.start_index = 0;
    let list = one.kit.list(&query).await?;
    ensure!(
        list.resources.len() == 3,
        "startIndex 0 gave {} of 3 resources: it is not taken for 1",
        list.resources.len()
    );
    Ok(())
}

/// Returns the orders of a list by each attribute, in both directions.
fn sorts<S, C, R: ScimResource>(one: &One<S, C, R>) -> Result<Vec<Sort>, Seen> {
    let mut sorts = Vec::new();
    for leaf in one.sample.leaves() {
        let is_reference = leaf.attribute.shape.kind == Type::Reference;
        if leaf.is_list() || is_reference || !one.sample.sorts_by(&leaf.name) {
            continue;
        }
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            let by = leaf.name.parse();
            let by = by.and_then(|by| Sort::resolve(&by, order, R::RESOURCE_TYPE.schema));
            sorts.push(by.map_err(|error| Seen::of("the contract has asked a wrong sort", &error))?);
        }
    }
    Ok(sorts)
}

fn sorted_by<R: ScimResource>(sort: Sort) -> Query<R> {
    let mut query = Query::<R>::all(100);
    query.sort = Some(sort);
    query
}

/// Returns the name of the attribute and the direction, for people.
fn described<R: ScimResource>(sort: &Sort) -> String {
    let name = sort.path().name(R::RESOURCE_TYPE.schema.attributes);
    let name = name.map(|name| name.to_string()).unwrap_or_default();
    format!("by {name}, {}", sort.order())
}

pub(super) async fn lists_are_sorted<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let states = changed_here_and_there(&one, 9).await?;
    for sort in sorts(&one)? {
        let what = described::<R>(&sort);
        let mut query = sorted_by::<R>(sort.clone());
        let whole = one.kit.list(&query).await?.ids();
        ensure!(
            sorted(whole.clone()) == sorted(states.iter().map(|state| state.resource.id().to_string())),
            "sorted {what}, 9 resources are {}",
            whole.len()
        );
        let key = |id: &String| {
            let state = states.iter().find(|state| state.resource.id().as_str() == id);
            state.map(|state| sort.key(&state.resource))
        };
        let keys: Vec<_> = whole.iter().filter_map(key).collect();
        ensure!(
            keys.is_sorted_by(|left, right| sort.compare(left, right) != Ordering::Greater),
            "sorted {what}, the values come in the order {keys:?}"
        );
        let mut walked = Vec::new();
        query.count = 1;
        for start in 1..=9 {
            query.start_index = start;
            walked.extend(one.kit.list(&query).await?.ids());
        }
        ensure!(
            walked == whole,
            "sorted {what}, pages of one have another order than the whole list: {walked:?} instead of {whole:?}"
        );
    }
    Ok(())
}

pub(super) async fn sorted_items_have_their_key<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let states = changed_here_and_there(&one, 3).await?;
    for sort in sorts(&one)? {
        let what = described::<R>(&sort);
        let want = reply::<R>().want;
        let page = one.kit.page(&sorted_by::<R>(sort.clone()), &want).await;
        let page = page.map_err(|error| Seen::of("a list failed", &error))?;
        for item in page.items {
            let key = item.sort_key;
            let shown = document(item.answer, &want).await?;
            let id = text(&shown, "/id");
            let state = states.iter().find(|state| state.resource.id().as_str() == id);
            let wanted = state.map(|state| sort.key(&state.resource));
            ensure!(
                key.is_some() && key == wanted,
                "sorted {what}, an item has the sort key {key:?} instead of {wanted:?}"
            );
        }
    }
    Ok(())
}

pub(super) async fn lists_show_what_is_wanted<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    let created = one.create(0).await?;
    let id = created.resource.id().as_str();
    let leaves = one.sample.leaves().into_iter();
    let names: Vec<_> = leaves
        .filter(|leaf| leaf.of(&created.resource).is_some())
        .map(|leaf| leaf.name)
        .collect();
    let mut wants = vec![Projection::default_of(R::RESOURCE_TYPE)];
    for name in &names {
        wants.push(projection::<R>(&[name.as_str()], &[])?);
        wants.push(projection::<R>(&[], &[name.as_str()])?);
    }
    for want in wants {
        let list = one.kit.list_of(&Query::<R>::all(10), &want).await?;
        let single = one.kit.shown_as::<R>(id, &want).await?;
        let wanted = rendered(&created.resource, &want)?;
        ensure!(
            single == wanted,
            "get shows {single} where {wanted} was asked for"
        );
        ensure!(
            list.resources == [single.clone()],
            "a list shows {:?}, but get {single}",
            list.resources
        );
        ensure!(
            text(&single, "/id") == id,
            "id is not shown, and always must be: {single}"
        );
    }
    Ok(())
}

pub(super) async fn known_versions_are_not_sent_again<S: Store<R, C>, C: Context, R: ScimResource>(
    one: One<S, C, R>,
) -> Outcome {
    use crate::store::{Answer, Version};
    let created = one.create(0).await?;
    let id = created.resource.id().as_str();
    // Attributes of the resource itself: what follows from others is another matter.
    let names: Vec<_> = one.sample.leaves().into_iter().map(|leaf| leaf.name).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let want = projection::<R>(&names, &[])?;
    let known = Precondition::IfNoneMatch(vec![Version::new("other"), created.version.clone()]);
    let failed = |error| Seen::of("a get under If-None-Match failed", &error);
    match one.kit.get::<R>(id, &want, &known).await.map_err(failed)? {
        Answer::NotModified(version) => ensure!(
            version == created.version,
            "a 304 names the version {version} instead of {}",
            created.version
        ),
        _ => return Err(Seen::new("get sent a document whose version the client has")),
    }
    let patch = one.sample.patch(&created.resource, 1);
    one.kit.patched::<R>(id, &patch).await?;
    let answer = one.kit.get::<R>(id, &want, &known).await.map_err(failed)?;
    let shown = document(answer, &want).await?;
    let state = one.kit.state::<R>(id).await?;
    let wanted = rendered(&state.resource, &want)?;
    ensure!(
        shown == wanted,
        "get under If-None-Match shows {shown} instead of {wanted}"
    );
    Ok(())
}
