//! The row of the history for each request to an organization.

use scim::ScimType;
use scim::service::{Operation, Outcome};
use scim::store::database::Transaction;
use uuid::Uuid;

use super::asked::Asked;
use super::context::Context;
use super::rules::OfOrganization;
use crate::database;
use crate::domain::access::Refusal;
use crate::domain::asked_for::AskedFor;
use crate::domain::batch::{Outcome as Told, RequestBody};
use crate::domain::conflict::{ConflictKind, ConflictSeen, subject};
use crate::domain::masked;
use crate::domain::organization::Organization;
use crate::domain::request_row::{RequestRow, method_name, shown_path};
use crate::domain::settings::Switch;
use crate::history::connection_test::{Answered, is_connection_test};
use crate::history::{Recorder, Sent};

/// A change, as its row tells of it.
pub(super) struct Change<'a> {
    pub(super) resource_type: &'static str,
    pub(super) id: &'a str,
    pub(super) external_id: Option<&'a str>,
    /// The status that it is answered with unless something goes wrong after it: then the row is corrected.
    pub(super) status: u16,
    pub(super) sentence: String,
}

/// Inserts the row of a change in the change's own transaction.
pub(super) fn changed(tx: &Transaction<'_>, cx: &Context, change: Change<'_>) -> scim::Result<()> {
    let row = RequestRow {
        status: change.status,
        sentence: Some(change.sentence.into()),
        resource_type: Some(change.resource_type),
        resource_id: Some(change.id.to_owned()),
        external_id: change.external_id.map(str::to_owned),
        ..row(cx.asked(), cx.organization(), cx.token())
    };
    database::history::insert(tx, &row.bounded())?;
    cx.note(change.status);
    Ok(())
}

/// Records a request that was not admitted, or counts it if no token of the organization has sent it.
pub(super) fn refused(
    history: &Recorder,
    asked: &Asked,
    organization: &Organization,
    refusal: &Refusal,
    error: &scim::Error,
) {
    let Some(token) = refusal.token() else {
        history.count_unattributed(organization.id);
        return;
    };
    history.count_request(organization.id, asked.time, error.status().as_u16());
    history.record(
        RequestRow {
            status: error.status().as_u16(),
            sentence: Some("refused".into()),
            error: Some(error.to_string()),
            ..row(asked, organization, token)
        },
        None,
    );
}

/// Records a request that was answered, unless the transaction of the change has said it all.
pub(super) fn answered(history: &Recorder, cx: &Context, outcome: &Outcome) {
    cx.end_commit();
    let status = outcome.status.as_u16();
    let problem = outcome.problem.as_ref();
    if let Some(cause) = problem.and_then(|problem| problem.cause.as_deref()) {
        tracing::error!(request = cx.asked().id, status, "{cause}");
    }
    let organization = cx.organization().id;
    history.count_request(organization, cx.asked().time, status);
    history.count_tolerances(organization, cx.asked().time, &outcome.fired);
    let sent = cx.sent().take();
    let body = sent
        .as_ref()
        .filter(|_| is_body_kept(cx, outcome))
        .map(shown_body);
    if cx.noted() == Some(status) && outcome.fired.is_empty() {
        if let Some(text) = body {
            let sequence = cx.asked().sequence;
            history.record_body(RequestBody {
                organization,
                sequence,
                text,
            });
        }
        return;
    }
    let asked_for = sent.as_ref().filter(|_| problem.is_some()).and_then(asked_for);
    if let Some(outcome) = told(cx, outcome, asked_for.as_ref()) {
        history.record_outcome(outcome);
    }
    let row = RequestRow {
        status,
        scim_type: problem
            .and_then(|problem| problem.scim_type)
            .map(ScimType::as_str),
        operation: outcome.operation.map(Operation::as_str),
        total: outcome.total,
        sentence: is_test(cx, outcome).then(|| "connection test".into()),
        resource_type: outcome.resource_type,
        resource_id: outcome.id.clone(),
        notes: outcome.notes(),
        error: problem.map(|problem| problem.detail.clone()),
        asked_for: asked_for.map(|asked| asked.name),
        ..row(cx.asked(), cx.organization(), cx.token())
    };
    history.record(row, body);
}

/// Returns what a request tells of conflicts. A change resolves them in its own transaction, so here it is about refusals, and
/// about requests that found everything as they want it.
fn told(cx: &Context, outcome: &Outcome, asked_for: Option<&AskedFor>) -> Option<Told> {
    let organization = cx.organization().id;
    let id = outcome.id.clone();
    let is_write = matches!(
        outcome.operation,
        Some(Operation::Create | Operation::Replace | Operation::Patch)
    );
    let Some(problem) = outcome.problem.as_ref().filter(|_| is_write) else {
        let id = id.filter(|_| is_write && !outcome.changed)?;
        return Some(Told::Success { organization, id });
    };
    let scim_type = problem.scim_type.map(ScimType::as_str);
    let kind = ConflictKind::of_refusal(outcome.status.as_u16(), scim_type, problem.attribute.as_deref())?;
    let (name, external_id) = match asked_for {
        Some(asked) => (asked.name.clone(), asked.external_id.clone()),
        None => (id.clone()?, None),
    };
    Some(Told::Conflict(ConflictSeen {
        organization,
        kind,
        subject: subject(id.as_deref(), external_id.as_deref(), &name),
        name,
        external_id,
        detail: problem.detail.clone(),
        time: cx.asked().time,
        request: Some(cx.asked().sequence),
    }))
}

/// Returns whether the organization keeps the body of such a request for a day.
fn is_body_kept(cx: &Context, outcome: &Outcome) -> bool {
    let settings = cx.settings();
    let switch = match outcome.status.is_client_error() || outcome.status.is_server_error() {
        true => settings.failed_bodies,
        false => settings.capture_bodies,
    };
    switch == Switch::On
}

fn shown_body(sent: &Sent) -> String {
    match sent {
        Sent::Whole(bytes) => masked::body(bytes),
        Sent::TooMuch => "(a body that is too long to be kept)".to_owned(),
    }
}

/// Returns whom a request was about, by what it said itself.
fn asked_for(sent: &Sent) -> Option<AskedFor> {
    match sent {
        Sent::Whole(bytes) => AskedFor::read(bytes),
        Sent::TooMuch => None,
    }
}

/// Returns whether a request has tested the connection, and nothing was wrong with it.
fn is_test(cx: &Context, outcome: &Outcome) -> bool {
    let uri = &cx.asked().uri;
    let answered = Answered {
        operation: outcome.operation,
        path: uri.path(),
        query: uri.query(),
        total: outcome.total,
    };
    outcome.status.is_success() && is_connection_test(answered, || cx.is_first_use())
}

/// Makes the row of a request that was attributed to a token; what came of it is still to be said.
fn row(asked: &Asked, organization: &Organization, token: Uuid) -> RequestRow {
    RequestRow {
        organization: organization.id,
        sequence: asked.sequence,
        time: asked.time,
        method: method_name(&asked.method),
        path: shown_path(asked.uri.path(), asked.uri.query()),
        status: 0,
        scim_type: None,
        duration_us: i64::try_from(asked.began.elapsed().as_micros()).unwrap_or(i64::MAX),
        operation: None,
        total: None,
        sentence: None,
        resource_type: None,
        resource_id: None,
        external_id: None,
        asked_for: None,
        token: Some(token),
        request_id: asked.id.clone(),
        idp: organization.settings.idp,
        notes: None,
        error: None,
    }
}
