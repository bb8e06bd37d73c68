//! The filter and PATCH vectors over HTTP against the running server, under both policies.

use scim_tests::server::Server;
use scim_tests::vectors::{Policy, Report, filter, patch};
use scim_tests::{Failure, check};

/// Runs vectors in a new organization; those that are debatable come back, the others must have passed.
fn run(
    policy: Policy,
    vectors: impl FnOnce(&mut scim_tests::http::Client) -> Result<Report, Failure>,
) -> Result<Vec<String>, Failure> {
    let server = Server::start()?;
    let flags = ["--idp", "other", "--username", "any", "--policy", policy.word()];
    let report = vectors(&mut server.organization("vectors", &flags)?.client()?)?;
    check(report.failed.is_empty(), || {
        format!(
            "{} passed, {} failed\n{}",
            report.passed,
            report.failed.len(),
            report.failed.join("\n")
        )
    })?;
    check(report.passed > 0, || "no vector was run".to_owned())?;
    Ok(report.differing)
}

#[test]
fn filters_mean_what_rfc_7644_section_3_4_2_2_says_under_strict() -> Result<(), Failure> {
    for difference in run(Policy::Strict, filter::run)? {
        eprintln!("debatable: {difference}");
    }
    Ok(())
}

#[test]
fn filters_mean_what_rfc_7644_section_3_4_2_2_says_under_tolerant() -> Result<(), Failure> {
    for difference in run(Policy::Tolerant, filter::run)? {
        eprintln!("debatable: {difference}");
    }
    Ok(())
}

#[test]
fn patches_do_what_rfc_7644_section_3_5_2_says_under_strict() -> Result<(), Failure> {
    for difference in run(Policy::Strict, |peer| patch::run(peer, Policy::Strict))? {
        eprintln!("debatable: {difference}");
    }
    Ok(())
}

#[test]
fn patches_do_what_rfc_7644_section_3_5_2_says_under_tolerant() -> Result<(), Failure> {
    for difference in run(Policy::Tolerant, |peer| patch::run(peer, Policy::Tolerant))? {
        eprintln!("debatable: {difference}");
    }
    Ok(())
}
