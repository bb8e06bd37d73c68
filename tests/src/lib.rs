//! Shared pieces of the integration tests: what plays fixtures against a server, and what starts that server.
//!
//! The black-box tests talk HTTP to the `provisioning-server` binary ([`server`]) through a client that sends
//! bytes as they are given ([`http`]). [`replay`] plays the traces of identity providers, [`vectors`] the filter
//! and PATCH vectors, [`reports`] the cases out of bug reports; [`protocol`] is a service without a socket. [`abuse`] is
//! what a client may try, and [`acknowledged`] what a server that was killed must still know. The formats are described in
//! `fixtures/README.md`. [`features`] is the list of what the provisioning server does, and by which tests that is known.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a `serde_json::Value` gives `Null` for what is not there"
)]

pub mod abuse;
pub mod acknowledged;
pub mod export_file;
pub mod failure;
pub mod features;
pub mod fixtures;
pub mod flags;
pub mod http;
pub mod process;
pub mod protocol;
pub mod python;
pub mod random;
pub mod replay;
pub mod reports;
pub mod scim_error;
pub mod server;
pub mod vectors;

pub use failure::{Failure, check};
