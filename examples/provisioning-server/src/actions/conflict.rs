//! The conflict inbox.

use serde_json::json;
use uuid::Uuid;

use super::act::{Subject, View, carry_out, look};
use crate::database::{self, Product, conflict};
use crate::domain::actor::{Action, Actor};
use crate::domain::conflict::{Conflict, ConflictKind, ConflictState, Cursor};
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::keyword::Keyword;
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permission;

/// The most conflicts that are read at once.
pub(crate) const MOST: u32 = 1_000;

/// The most that are counted.
pub(crate) const COUNTED: u32 = 100;

/// Looks at the inbox.
pub(crate) static LIST: Action = Action {
    name: "conflict.list",
    permission: Permission::USERS_READ,
    fresh: false,
};

/// Looks at one conflict.
pub(crate) static SHOW: Action = Action {
    name: "conflict.show",
    permission: Permission::USERS_READ,
    fresh: false,
};

/// Decides that nothing is to be done about a conflict.
pub(crate) static IGNORE: Action = Action {
    name: "conflict.ignore",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Takes that decision back.
pub(crate) static REOPEN: Action = Action {
    name: "conflict.reopen",
    permission: Permission::USERS_WRITE,
    fresh: false,
};

/// Returns the conflicts in one state behind a place, the last first.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    state: ConflictState,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Vec<Conflict>> {
    look(product, actor, &LIST, organization, move |view| {
        let id = view.organization.id;
        Ok(conflict::list(
            view.reader,
            id,
            state,
            after.unwrap_or(Cursor::START),
            limit.min(MOST),
        )?)
    })
    .await
}

/// How many of the newest conflicts are looked through for one account.
const NEWEST: u32 = 100;

/// Returns the newest open conflict in which a manual account stands in the way, if it is among the newest of all.
pub(super) fn in_the_way(view: &View<'_>, account: Uuid) -> scim::Result<Option<Conflict>> {
    let (reader, id) = (view.reader, view.organization.id);
    let newest = conflict::list(reader, id, ConflictState::Open, Cursor::START, NEWEST)?;
    let is_asked =
        |found: &Conflict| found.kind == ConflictKind::ManualAccount && found.account == Some(account);
    Ok(newest.into_iter().find(is_asked))
}

/// Returns how many conflicts are open, up to a hundred. Every page asks, of an organization that it has found already: it is
/// one statement.
pub(crate) async fn count_open(product: &Product, actor: &Actor, organization: &Organization) -> Result<u64> {
    actor.demand(&LIST)?;
    let id = organization.id;
    if !actor.knows(id) {
        return Err(database::unknown(&organization.name));
    }
    product
        .look(move |reader| Ok(conflict::count_open(reader, id, COUNTED)?))
        .await
}

/// Returns one conflict.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    id: Uuid,
) -> Result<Conflict> {
    look(product, actor, &SHOW, organization, move |view| {
        let found = conflict::find(view.reader, view.organization.id, id)?;
        Ok(found.ok_or_else(|| unknown(id))?)
    })
    .await
}

/// Puts a conflict aside: it is listed among the ignored ones, however often it comes again.
pub(crate) async fn ignore(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    id: Uuid,
) -> Result<Conflict> {
    decide(product, actor, &IGNORE, organization, id, Conflict::ignored).await
}

/// Opens a conflict that was put aside.
pub(crate) async fn reopen(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    id: Uuid,
) -> Result<Conflict> {
    decide(product, actor, &REOPEN, organization, id, Conflict::reopened).await
}

async fn decide(
    product: &Product,
    actor: &Actor,
    action: &'static Action,
    organization: &Name,
    id: Uuid,
    rule: fn(&Conflict) -> Result<ConflictState>,
) -> Result<Conflict> {
    carry_out(product, actor, action, organization, move |act| {
        let organization = act.organization.id;
        let before = conflict::find(act.tx, organization, id)?.ok_or_else(|| unknown(id))?;
        let found = conflict::set_state(act.tx, organization, id, rule(&before)?)?;
        let found = found.ok_or_else(|| unknown(id))?;
        let subject = Subject {
            kind: "conflict",
            id: id.to_string().into(),
            name: &found.name,
        };
        act.audit(&subject, json!({ "kind": found.kind.word() }))?;
        Ok(found)
    })
    .await
}

fn unknown(id: Uuid) -> Fault {
    Fault::not_found(format!("There is no conflict {id} in this organization")).mended_by(Remedy {
        page: "the page Conflicts lists them.",
        command: "\"conflict list\" shows them.",
    })
}
