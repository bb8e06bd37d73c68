//! Sign-in by SAML 2.0, as a service provider: answers of identity providers are verified behind a trait of ours.

mod answered;
mod asked;
mod shape;
#[cfg(test)]
pub(super) mod tests;
mod with_saml_rs;

use jiff::Timestamp;

pub(crate) use self::answered::{Answer, Answered};
pub(crate) use self::asked::{Begun, Then};
use crate::domain::saml::assertion::{Assertion, Expectation};
use crate::domain::saml::refusal::Refusal;

/// An answer as a browser has posted it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posted<'p> {
    /// The form field `SAMLResponse`.
    pub(crate) response: &'p str,
}

/// Something that tells answers of an identity provider from all others.
pub(crate) trait Verifier {
    /// Returns what an answer asserts. Whether it was used before is for the caller to look up, by its id, in the
    /// transaction that signs the person in.
    ///
    /// # Errors
    /// The check that the answer does not pass.
    fn verify(
        &self,
        expectation: &Expectation,
        posted: &Posted<'_>,
        now: Timestamp,
    ) -> Result<Assertion, Refusal>;
}
