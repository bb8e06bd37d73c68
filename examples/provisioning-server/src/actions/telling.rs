//! Mails to administrators about something in their organization.

use jiff::Timestamp;
use scim::store::database::Transaction;

use crate::database::effective::Members;
use crate::database::keys::Keys;
use crate::database::mail;
use crate::domain::mail::{Content, Mail};
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
    keys: &Keys,
    organization: &Organization,
    permission: &Permission,
    content: &Content,
    now: Timestamp,
) -> scim::Result<()> {
    for recipient in Members::of(tx, organization)?.reached(tx, permission, MOST)? {
        let mail = Mail::notice(recipient, content.clone());
        mail::queue(tx, keys, organization.id, now, &mail)?;
    }
    Ok(())
}
