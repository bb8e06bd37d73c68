//! The record of a change, written in the transaction that makes it.

use std::time::Duration;

use scim::resources::Group;
use scim::store::database::Transaction;
use scim::store::documents::Builder;
use scim::store::{Cause, Event, Transition};

use super::context::Context;
use super::request_history::{Change, changed};
use super::rules::OfOrganization;
use crate::database::{bindings, conflict, named, organizations};
use crate::domain::conflict::subjects as conflict_subjects;
use crate::domain::organization::Organization;
use crate::domain::settings::Attributes;
use crate::domain::subject::Subject;
use crate::domain::user::User;
use crate::history::change;

/// When to repeat a request that settings have overtaken: others have seen them by then.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Makes a store record every change of a person or group.
pub(super) fn recorded(store: Builder<Context>) -> Builder<Context> {
    store
        .in_transaction::<User>(record)
        .in_transaction::<Group>(record)
}

fn record<R: Subject>(tx: &Transaction<'_>, cx: &Context, event: &Event<R>) -> scim::Result<()> {
    cx.begin_commit();
    demand_standing(tx, cx.organization())?;
    let (organization, sequence) = (cx.organization().id, cx.asked().sequence);
    // Whoever is deleted leaves groups: the row of the request is about the one who is deleted.
    if event.cause != Cause::Write {
        return named::insert(tx, organization, sequence, [&*event.id].into_iter(), 1);
    }
    let known = event.after().or(event.before());
    let change = Change {
        resource_type: R::RESOURCE_TYPE.name,
        id: &event.id,
        external_id: known.and_then(R::external_id).map(|id| id.as_str()),
        status: expected(event),
        sentence: change::meaning(event),
    };
    changed(tx, cx, change)?;
    let external_id = known.and_then(R::external_id).map(|id| id.as_str());
    let subjects = conflict_subjects(&event.id, external_id, known.map_or("", R::name));
    conflict::resolve(tx, organization, subjects.iter().map(String::as_str))?;
    let moved = event.edges.iter();
    let ids = moved
        .clone()
        .flat_map(|edges| edges.added_ids.iter().chain(&edges.removed_ids));
    let added = moved.clone().flat_map(|edges| edges.added_ids.iter());
    for id in added.take(named::MOST_NAMED) {
        bindings::touch(tx, organization, id, cx.token())?;
    }
    let count = moved.map(|edges| edges.added.saturating_add(edges.removed)).sum();
    named::insert(tx, organization, sequence, ids.map(String::as_str), count)
}

/// Checks that what the request was admitted under still stands: that may have been a moment ago.
fn demand_standing(tx: &Transaction<'_>, admitted: &Organization) -> scim::Result<()> {
    let gone = |what| Err(scim::Error::new(http::StatusCode::NOT_FOUND, what));
    let Some(standing) = organizations::standing(tx, admitted.id)? else {
        return gone("The organization was deleted.");
    };
    if standing.source != admitted.source.as_ref().map(|source| source.id) {
        return gone("The SCIM integration was deleted.");
    }
    // Attributes that are not kept any more are being erased: nothing of them may come in behind that.
    if standing.attributes == Attributes::Mapped && admitted.settings.attributes == Attributes::All {
        return Err(scim::Error::new(
            http::StatusCode::SERVICE_UNAVAILABLE,
            "The settings of the organization have changed meanwhile: repeat the request.",
        )
        .with_retry_after(RETRY_AFTER));
    }
    Ok(())
}

/// Returns the status that a change is answered with unless something goes wrong after it: then the row is corrected.
fn expected<R>(event: &Event<R>) -> u16 {
    match event.transition {
        Transition::Created { .. } => 201,
        Transition::Changed { .. } => 200,
        Transition::Deleted { .. } => 204,
    }
}
