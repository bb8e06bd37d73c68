//! The filter and PATCH vectors over `Protocol` and the store in memory, under both policies: no server, no network.

use scim_tests::protocol::{Kept, Peer};
use scim_tests::vectors::{Policy, Report, filter, patch};
use scim_tests::{Failure, check};

/// Runs the vectors: all must have passed but those that are debatable.
fn run(policy: Policy, vectors: impl FnOnce(&mut Peer) -> Result<Report, Failure>) -> Result<(), Failure> {
    let report = vectors(&mut Peer::new(Kept::InMemory, policy)?)?;
    check(report.failed.is_empty(), || {
        format!(
            "{} passed, {} failed\n{}",
            report.passed,
            report.failed.len(),
            report.failed.join("\n")
        )
    })?;
    check(report.passed > 0, || "no vector was run".to_owned())?;
    Ok(())
}

#[test]
fn filters_mean_what_rfc_7644_section_3_4_2_2_says_under_strict() -> Result<(), Failure> {
    run(Policy::Strict, filter::run)
}

#[test]
fn filters_mean_what_rfc_7644_section_3_4_2_2_says_under_tolerant() -> Result<(), Failure> {
    run(Policy::Tolerant, filter::run)
}

#[test]
fn patches_do_what_rfc_7644_section_3_5_2_says_under_strict() -> Result<(), Failure> {
    run(Policy::Strict, |peer| patch::run(peer, Policy::Strict))
}

#[test]
fn patches_do_what_rfc_7644_section_3_5_2_says_under_tolerant() -> Result<(), Failure> {
    run(Policy::Tolerant, |peer| patch::run(peer, Policy::Tolerant))
}
