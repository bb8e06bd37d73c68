//! Mails to administrators about something in their organization.

use jiff::Timestamp;
use scim::store::database::Transaction;

use crate::database::effective::Members;
use crate::database::mail;
use crate::domain::mail::Content;
use crate::domain::organization::Organization;
use crate::domain::permission::Permission;

/// The most administrators who are told of one thing.
const MOST: u32 = 50;

/// Queues a mail for everybody who can do something about it: who has a permission, and an address.
///
/// # Errors
/// The database fails.
pub(super) fn tell(
    tx: &Transaction<'_>,
    organization: &Organization,
    permission: &Permission,
    content: &Content,
    now: Timestamp,
) -> scim::Result<()> {
    for recipient in Members::of(tx, organization)?.reached(tx, permission, MOST)? {
        mail::notify(tx, organization.id, now, recipient, content.clone())?;
    }
    Ok(())
}
