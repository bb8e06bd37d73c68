//! Permissions that wait for an administrator, and the entry of the inbox that says so: one as long as the other.

use jiff::Timestamp;
use scim::store::database::Transaction;
use uuid::Uuid;

use super::{conflict, grants};
use crate::domain::account::Account;
use crate::domain::conflict::{ConflictKind, ConflictSeen};
use crate::domain::counted::counted;

/// Lets the permissions of somebody who has come back wait until an administrator decides. `request` has brought them
/// back.
pub(crate) fn begin(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: &Account,
    now: Timestamp,
    request: Option<Uuid>,
) -> scim::Result<()> {
    let waiting = grants::let_wait(tx, organization, account.id)?;
    tell(tx, organization, account, waiting, now, request)
}

/// Notes that permissions of an account wait, however they have come to.
pub(crate) fn tell(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: &Account,
    waiting: u64,
    now: Timestamp,
    request: Option<Uuid>,
) -> scim::Result<()> {
    if waiting == 0 || account.is_deleted() {
        return Ok(());
    }
    let seen = ConflictSeen {
        organization,
        kind: ConflictKind::WaitingPermissions,
        // A request about the person decides nothing: it would resolve what is kept under the id over SCIM.
        subject: account.id.to_string(),
        name: account.name.clone(),
        external_id: None,
        detail: format!(
            "{} for an administrator: the person was deleted and has come back.",
            counted(waiting, "permission waits", "permissions wait")
        ),
        time: now,
        request,
    };
    conflict::insert_about(tx, &seen.bounded(), Some(account.id))
}

/// Resolves the entry about an account of whose permissions none waits any more, or who is deleted: whoever comes back
/// is told of anew.
pub(crate) fn settle(tx: &Transaction<'_>, organization: Uuid, account: &Account) -> scim::Result<()> {
    if !account.is_deleted() && grants::has_waiting(tx, organization, account.id)? {
        return Ok(());
    }
    let subject = account.id.to_string();
    conflict::end(tx, organization, ConflictKind::WaitingPermissions, &subject)
}
