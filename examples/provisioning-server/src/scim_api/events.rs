//! The events of people and groups, and the names by which their history is found, written in the transaction that changes
//! them: by a provider, or by an import.

use jiff::Timestamp;
use scim::Result;
use scim::resources::Group;
use scim::store::database::Transaction;
use scim::store::documents::Builder;
use scim::store::{Cause, Event, Transition};
use serde_json::{Map, Value};

use super::rules::OfOrganization;
use crate::database::{event, subject_names};
use crate::domain::event::{EventKind, EventRow, of_members};
use crate::domain::subject::Subject;
use crate::domain::user::User;
use crate::history::change;

/// Makes a store tell of every change of a person or group.
pub(crate) fn told<C: OfOrganization>(store: Builder<C>) -> Builder<C> {
    store
        .in_transaction::<User>(tell::<C, User>)
        .in_transaction::<Group>(tell::<C, Group>)
}

fn tell<C: OfOrganization, R: Subject>(tx: &Transaction<'_>, cx: &C, change: &Event<R>) -> Result<()> {
    let (organization, now) = (cx.organization().id, Timestamp::now());
    for name in former_names(change) {
        subject_names::insert(tx, organization, name, &change.id)?;
    }
    match &change.cause {
        Cause::Deletion { id, .. } => event::insert_left(tx, organization, now, &change.id, name(change), id),
        // The members that are lost with a group are counted in its own event.
        _ => event::insert(tx, organization, now, own(change).chain(members(change))),
    }
}

/// Returns the names and external ids that the resource had until now, so that it is still found by them. Those that it has
/// stand with its account or group.
fn former_names<R: Subject>(change: &Event<R>) -> impl Iterator<Item = &str> {
    let (before, after) = (names(change.before()), names(change.after()));
    before
        .into_iter()
        .zip(after)
        .filter_map(|(old, new)| old.filter(|_| old != new))
}

/// Returns the name and the external id of a resource, if it has them.
fn names<R: Subject>(state: Option<&R>) -> [Option<&str>; 2] {
    let external_id = state.and_then(R::external_id).map(|id| id.as_str());
    [state.map(R::name), external_id]
}

/// Returns the events of the resource itself.
fn own<R: Subject>(change: &Event<R>) -> impl Iterator<Item = EventRow> {
    let kinds = R::KINDS;
    let row = |kind, more| row(change, kind, more);
    let rows = match &change.transition {
        Transition::Created { .. } => vec![row(kinds.created, None)],
        Transition::Deleted { .. } => vec![row(kinds.removed, None)],
        Transition::Changed { before, after } => match (before, after) {
            (Some(before), Some(after)) => changed(change, before, after),
            _ => Vec::new(),
        },
    };
    rows.into_iter()
}

fn changed<R: Subject>(change: &Event<R>, before: &R, after: &R) -> Vec<EventRow> {
    let kinds = R::KINDS;
    let mut rows = Vec::new();
    if before.name() != after.name() {
        let former = Some(("former_name", before.name().into()));
        rows.extend(kinds.renamed.map(|kind| row(change, kind, former)));
    }
    let is_told = |name: &String| {
        (kinds.renamed.is_some() && name == R::NAMED_BY)
            || (name == "active" && before.is_active() != after.is_active())
    };
    let mut names = change::changed_attributes(before, after);
    names.retain(|name| !is_told(name));
    if !names.is_empty() {
        rows.push(row(change, kinds.updated, Some(("changed", names.into()))));
    }
    match (before.is_active(), after.is_active()) {
        (true, false) => rows.push(row(change, EventKind::UserDeactivated, None)),
        (false, true) => rows.push(row(change, EventKind::UserReactivated, None)),
        _ => {}
    }
    rows
}

/// Returns one event about the resource, with what is known of it.
fn row<R: Subject>(change: &Event<R>, kind: EventKind, more: Option<(&str, Value)>) -> EventRow {
    let known = change.after().or(change.before());
    let mut data = Map::new();
    data.insert("name".to_owned(), name(change).into());
    if let Some(id) = known.and_then(R::external_id) {
        data.insert("external_id".to_owned(), id.as_str().into());
    }
    if let Some((key, value)) = more {
        data.insert(key.to_owned(), value);
    }
    let lost: u64 = change.edges.iter().map(|edges| edges.removed).sum();
    let is_removed_group = kind == EventKind::GroupRemoved;
    EventRow {
        kind,
        subject_type: R::NOUN.into(),
        subject: change.id.clone(),
        people: match R::NOUN {
            User::NOUN => 1,
            _ if is_removed_group => lost,
            _ => 0,
        },
        data: Value::Object(data),
    }
}

fn name<R: Subject>(change: &Event<R>) -> &str {
    let known = change.after().or(change.before());
    known.map_or("", R::name)
}

/// Returns the events of members who came and went.
fn members<R: Subject>(change: &Event<R>) -> impl Iterator<Item = EventRow> {
    let is_gone = matches!(change.transition, Transition::Deleted { .. });
    let moved = change.edges.iter().filter(move |_| !is_gone);
    moved.flat_map(|edges| {
        let of = |kind, ids, count| of_members(kind, &change.id, name(change), ids, count);
        let added = of(EventKind::MemberAdded, edges.added_ids.as_slice(), edges.added);
        let removed = of(
            EventKind::MemberRemoved,
            edges.removed_ids.as_slice(),
            edges.removed,
        );
        added.into_iter().chain(removed)
    })
}
