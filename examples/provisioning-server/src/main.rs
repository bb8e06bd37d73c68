//! A provisioning server: identity providers create, change, group and remove people over SCIM, each organization at
//! its own URL with its own tokens.
//!
//! Modules depend downwards only: `cli`, then `demo` and `portal`, then `actions`, `transfer`, `scim_api`, `api`, `login` and
//! `operate`, `delivery` and `history`, `fetch`, `database`, `domain`.

mod actions;
mod api;
mod cli;
mod database;
mod delivery;
mod demo;
mod domain;
mod fetch;
mod history;
mod login;
mod operate;
mod portal;
mod scim_api;
mod transfer;

use std::process::ExitCode;

use mimalloc::MiMalloc;

// A thread frees what another has allocated, such as the answer of a reader: the allocator of the C library then has
// threads wait for each other.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
