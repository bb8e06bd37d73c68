//! `scim::store::table` over SQLite, as an application would have it: a store of all attributes keeps the contract whole,
//! and each thing that the library does for it is looked at on its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

mod building;
mod contract;
mod directory;
mod pages;
mod peer;
mod plain_rows;
mod writes;
