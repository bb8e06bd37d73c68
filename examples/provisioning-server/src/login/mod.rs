//! How people sign in.

pub(crate) mod saml;
