//! Tables `saml_…`: identity providers for single sign-on, and the sign-ins by them.

pub(crate) mod assertions;
pub(crate) mod candidates;
pub(crate) mod confirmations;
pub(crate) mod errands;
pub(crate) mod failures;
pub(crate) mod provider;
