//! How people sign in: with a password and a second factor, by a link that was sent to them, or by SAML.
//!
//! Every step is a method of [`Login`]. It decides in one transaction, and what it refuses tells nobody whether there is an
//! account. Sessions, links and codes are kept as hashes.

mod attempt;
mod begin;
mod current;
mod due;
mod forgotten;
mod hashing;
mod link;
mod own_password;
mod person;
mod refusal;
pub(crate) mod saml;
mod second_factor;
mod sessions;
mod set_up;
mod sign_in;
#[cfg(test)]
mod tests;
mod turns;
mod visitor;

use std::sync::Arc;

use tokio::sync::Notify;

pub(crate) use self::begin::SignedIn;
pub(crate) use self::current::Current;
use self::hashing::Hashing;
pub(crate) use self::link::Shown;
pub(crate) use self::own_password::Change;
pub(crate) use self::refusal::{Outcome, Refusal};
pub(crate) use self::second_factor::Proof;
pub(crate) use self::set_up::{Chosen, link as set_up_link};
use self::turns::Turns;
pub(crate) use self::visitor::Visitor;
use crate::database::Product;
use crate::domain::fault::Result;
use crate::domain::organization::Name;
use crate::domain::realm::Realm;

/// Everything that signs people in.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    product: Arc<Product>,
    hashing: Hashing,
    /// In which signatures are verified, beside passwords.
    turns: Turns,
    /// Told when a link is to be made and sent.
    due: Arc<Notify>,
}

impl Login {
    /// Signs people in to a database.
    ///
    /// # Errors
    /// The system has no random source.
    pub(crate) fn new(product: Arc<Product>) -> Result<Self> {
        let turns = Turns::default();
        Ok(Self {
            product,
            hashing: Hashing::new(turns.clone())?,
            turns,
            due: Arc::default(),
        })
    }

    /// Returns the realm of an organization.
    ///
    /// # Errors
    /// There is none of this name, or the database fails.
    pub(crate) async fn realm(&self, organization: &Name) -> Result<Realm> {
        let access = self.product.organization(organization).await?;
        Ok(Realm::Organization(Box::new(access.organization)))
    }

    /// Returns how many passwords were compared since the start.
    pub(crate) fn verifications(&self) -> u64 {
        self.hashing.verifications()
    }
}
