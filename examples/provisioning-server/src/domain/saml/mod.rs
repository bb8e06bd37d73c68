//! Sign-in by SAML 2.0: what an identity provider asserts, and why it is not believed.

pub(crate) mod assertion;
pub(crate) mod certificate;
pub(crate) mod errand;
pub(crate) mod failure;
pub(crate) mod metadata;
pub(crate) mod person;
pub(crate) mod provider;
pub(crate) mod refusal;
pub(crate) mod request;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod xml;

use std::time::Duration;

/// How far the clock of an identity provider may be from ours, in either direction (SAML 2.0 Errata 05, E92: three to
/// five minutes).
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(180);

/// The largest form field `SAMLResponse`, in bytes: an answer has some 10 kilobytes.
pub(crate) const RESPONSE_MAX: usize = 256 * 1024;
