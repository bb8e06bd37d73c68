//! Owners of the instance: they belong to no organization, and no identity provider can take them away.

use jiff::Timestamp;
use uuid::Uuid;

use super::account::{Account, AccountState, ManagedBy};
use super::email::is_email;
use super::fault::{Fault, Result};

/// An owner of the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InstanceOwner {
    pub(crate) id: Uuid,
    /// The e-mail address, under which the owner signs in.
    pub(crate) address: String,
    pub(crate) created: Timestamp,
}

impl InstanceOwner {
    /// Returns a new owner.
    ///
    /// # Errors
    /// The address is not one.
    pub(crate) fn new(id: Uuid, address: &str, now: Timestamp) -> Result<Self> {
        let address = address.trim();
        if !is_email(address) {
            return Err(Fault::invalid(format!(
                "{address:?} is not a valid address of an owner; expected an e-mail address."
            )));
        }
        Ok(Self {
            id,
            address: address.to_owned(),
            created: now,
        })
    }

    /// Returns the owner as sign-in sees everybody: an account by hand.
    pub(crate) fn account(&self) -> Account {
        Account {
            id: self.id,
            managed_by: ManagedBy::Hand,
            name: self.address.clone(),
            display: self.address.clone(),
            address: Some(self.address.clone()),
            state: AccountState::Active,
            suspended: None,
            row: None,
            created: self.created,
            changed: self.created,
        }
    }
}

/// Checks that an owner is left where one is removed.
///
/// # Errors
/// It would be the last.
pub(crate) fn demand_left(owners: u64) -> Result<()> {
    if owners > 1 {
        return Ok(());
    }
    Err(Fault::conflict(
        "This is the last owner of the instance: make another first.",
    ))
}
