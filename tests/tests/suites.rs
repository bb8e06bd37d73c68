//! Public SCIM suites and a public SCIM client against the running server.
//!
//! They are Python packages, pinned in `python/requirements.txt` and installed by `tests/run --prepare`.

use std::process::Output;

use scim_tests::python::program;
use scim_tests::server::{Organization, Server};
use scim_tests::{Failure, check, fixtures};
use serde_json::Value;

fn started(organization: &str) -> Result<(Server, Organization), Failure> {
    let server = Server::start()?;
    let flags = ["--idp", "other", "--policy", "tolerant", "--username", "any"];
    let organization = server.organization(organization, &flags)?;
    Ok((server, organization))
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Returns whether this is the check of scim2-tester that removes `active` from a person and wants it gone. The values that
/// it fills in are drawn by chance: if it has drawn `false`, the person stays disabled, because absence never enables
/// anybody here.
fn is_disabled_person_kept(fault: &str) -> bool {
    fault.contains("did not remove attribute 'active'") && fault.contains("'initial_value': False")
}

/// Feature row 40: the suite of scim2-tester, as any client that goes by the standard.
#[test]
fn scim2_tester_finds_no_fault_but_that_the_disabled_stay_disabled() -> Result<(), Failure> {
    let (_server, organization) = started("scim2-tester")?;
    let output = program("scim2")?
        .env("SCIM_CLI_URL", &organization.scim_url)
        .env(
            "SCIM_CLI_HEADERS",
            format!("Authorization: Bearer {}", organization.token),
        )
        .args(["test", "--verbose"])
        .output()?;
    let printed = text(&output);
    let lines: Vec<&str> = printed.lines().collect();
    let of_status = |status: &str| {
        let starts = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.split(' ').next() == Some(status));
        starts
            .map(|(at, _)| lines[at..lines.len().min(at + 4)].join("\n"))
            .collect::<Vec<_>>()
    };
    let mut faults = ["ERROR", "CRITICAL", "DEVIATION", "SKIPPED"]
        .map(of_status)
        .concat();
    faults.retain(|fault| !is_disabled_person_kept(fault));
    check(faults.is_empty(), || {
        format!("{} faults\n{}", faults.len(), faults.join("\n"))
    })?;
    // Discovery, then create, read, list, search, replace, PATCH of every attribute and delete of two types.
    let succeeded = of_status("SUCCESS").len();
    check(succeeded > 100, || {
        format!("only {succeeded} checks were made\n{printed}")
    })
}

/// The check of scim-sanity that adds `fake-member-id` to a group and wants 200. RFC 7643 section 2.3.7 lets a server
/// enforce that references lead somewhere, and this one does: a member that does not exist is refused with 400.
const UNKNOWN_MEMBER: &str = "PATCH /Groups/{id} add member";

/// Feature row 40: the suite of scim-sanity, which is strict.
#[test]
fn scim_sanity_strict_finds_no_fault_but_that_members_must_exist() -> Result<(), Failure> {
    let (_server, organization) = started("scim-sanity")?;
    let output = program("scim-sanity")?
        .args(["probe", &organization.scim_url, "--token", &organization.token])
        .args([
            "--strict",
            "--json-output",
            "--i-accept-side-effects",
            "--timeout",
            "60",
        ])
        .output()?;
    let printed = text(&output);
    let report: Value =
        serde_json::from_slice(&output.stdout).map_err(|e| Failure::from(e).during(&printed))?;
    let results = report["results"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let of_status = |status: &str| {
        results
            .iter()
            .filter(|r| r["status"] == status)
            .map(Value::to_string)
            .collect::<Vec<_>>()
    };
    let (known, faults): (Vec<String>, Vec<String>) = ["fail", "error", "warn"]
        .map(of_status)
        .concat()
        .into_iter()
        .partition(|fault| fault.contains(UNKNOWN_MEMBER));
    check(faults.is_empty(), || {
        format!("{} faults\n{}", faults.len(), faults.join("\n"))
    })?;
    check(
        known.len() == 1 && known.iter().all(|fault| fault.contains("Expected 200, got 400")),
        || format!("{UNKNOWN_MEMBER} was not refused\n{printed}"),
    )?;
    let passed = of_status("pass").len();
    check(passed >= 20, || {
        format!("only {passed} checks were made\n{printed}")
    })
}

/// Feature row 40: a client that goes by the standard works with the server.
#[test]
fn scim2_client_works_as_a_client() -> Result<(), Failure> {
    let (_server, organization) = started("scim2-client")?;
    let output = program("python")?
        .arg(fixtures::package().join("python/client.py"))
        .env("SCIM_URL", &organization.scim_url)
        .env("SCIM_TOKEN", &organization.token)
        .output()?;
    check(output.status.success(), || {
        format!("client.py ended with {}\n{}", output.status, text(&output))
    })?;
    check(text(&output).ends_with("done\n"), || {
        format!("client.py did not finish\n{}", text(&output))
    })
}
