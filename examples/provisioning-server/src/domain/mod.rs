//! The subject of the product: types and rules. Nothing here reads, writes or asks for the time.

pub(crate) mod access;
pub(crate) mod access_line;
pub(crate) mod account;
pub(crate) mod activity;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod actor;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod adoption;
pub(crate) mod asked_for;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod bounded;
pub(crate) mod clock;
pub(crate) mod conflict;
pub(crate) mod connection;
pub(crate) mod counted;
pub(crate) mod credential;
pub(crate) mod diagnosis;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod effective;
pub(crate) mod email;
pub(crate) mod endpoint;
pub(crate) mod entry;
pub(crate) mod erasure;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod escalation;
pub(crate) mod event;
pub(crate) mod export_file;
pub(crate) mod fault;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod grant;
pub(crate) mod group;
pub(crate) mod guide;
pub(crate) mod history;
pub(crate) mod identity;
pub(crate) mod instance_owner;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod integration;
pub(crate) mod keyword;
pub(crate) mod link;
pub(crate) mod local_group;
pub(crate) mod mail;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod mapping;
pub(crate) mod masked;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod mass_change;
pub(crate) mod naming;
pub(crate) mod network;
pub(crate) mod organization;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod owner;
pub(crate) mod password;
pub(crate) mod permission;
#[allow(
    dead_code,
    reason = "rules over a picture of an organization, to which tests hold the statements"
)]
pub(crate) mod preview;
pub(crate) mod public_url;
pub(crate) mod rate;
pub(crate) mod realm;
pub(crate) mod redact;
pub(crate) mod request_row;
pub(crate) mod retention;
pub(crate) mod rhythm;
pub(crate) mod role;
pub(crate) mod saml;
pub(crate) mod sealed;
pub(crate) mod search;
pub(crate) mod second_factor;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod settings_change;
pub(crate) mod setup_link;
pub(crate) mod subject;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod words;
