//! The requests that clients were reported to send, over `Protocol` and both stores: no server, no network.

use scim_tests::Failure;
use scim_tests::protocol::{Kept, Peer};
use scim_tests::reports;
use scim_tests::vectors::Policy;

fn run(kept: Kept, policy: Policy) -> Result<(), Failure> {
    reports::run(&mut Peer::new(kept, policy)?, policy)?.all_passed()
}

#[test]
fn what_clients_were_reported_to_send_is_answered_well_in_memory_under_strict() -> Result<(), Failure> {
    run(Kept::InMemory, Policy::Strict)
}

#[test]
fn what_clients_were_reported_to_send_is_answered_well_in_memory_under_tolerant() -> Result<(), Failure> {
    run(Kept::InMemory, Policy::Tolerant)
}

#[test]
fn what_clients_were_reported_to_send_is_answered_well_in_sqlite_under_strict() -> Result<(), Failure> {
    run(Kept::InSqlite, Policy::Strict)
}

#[test]
fn what_clients_were_reported_to_send_is_answered_well_in_sqlite_under_tolerant() -> Result<(), Failure> {
    run(Kept::InSqlite, Policy::Tolerant)
}
