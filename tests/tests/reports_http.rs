//! The requests that clients were reported to send, over HTTP against the running server.

use scim_tests::Failure;
use scim_tests::reports;
use scim_tests::server::Server;
use scim_tests::vectors::Policy;

fn run(policy: Policy) -> Result<(), Failure> {
    let server = Server::start()?;
    let flags = ["--idp", "other", "--username", "any", "--policy", policy.word()];
    let mut client = server.organization("reports", &flags)?.client()?;
    reports::run(&mut client, policy)?.all_passed()
}

#[test]
fn what_clients_were_reported_to_send_is_answered_well_under_strict() -> Result<(), Failure> {
    run(Policy::Strict)
}

#[test]
fn what_clients_were_reported_to_send_is_answered_well_under_tolerant() -> Result<(), Failure> {
    run(Policy::Tolerant)
}
