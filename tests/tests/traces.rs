//! Every provider's lifecycle against the running server: in an organization for any provider, and in one that is set
//! up for the trace's own provider.

use std::collections::BTreeSet;

use scim_tests::replay::{Trace, replay};
use scim_tests::server::Server;
use scim_tests::{Failure, check, fixtures};

/// Returns the value of `--idp` for the provider that a trace names.
fn provider_flag(idp: &str) -> Result<&'static str, Failure> {
    let flags = [
        ("authentik", "authentik"),
        ("Google Workspace", "google"),
        ("JumpCloud", "jumpcloud"),
        ("Microsoft Entra ID", "entra"),
        ("Okta", "okta"),
        ("OneLogin", "onelogin"),
        ("SailPoint", "other"),
    ];
    let found = flags.into_iter().find(|(name, _)| *name == idp);
    found
        .map(|(_, flag)| flag)
        .ok_or_else(|| Failure::new(format!("no --idp is known for {idp:?}")))
}

/// Plays the trace in both organizations; returns the number of checks that held in each, and the warnings.
fn play(name: &str) -> Result<Vec<String>, Failure> {
    let trace: Trace = fixtures::read(&format!("traces/{name}.json"))?;
    let server = Server::start()?;
    let own = provider_flag(&trace.idp)?;
    let organizations: [(&str, &[&str]); 2] = [
        ("any", &["--idp", "other", "--username", "any"]),
        ("own", &["--idp", own]),
    ];
    let (mut failed, mut remarks) = (Vec::new(), Vec::new());
    for (organization, flags) in organizations {
        let organization = server.organization(organization, flags)?;
        let report = replay(&trace, &mut organization.client()?, &organization.token)?;
        let flags = flags.join(" ");
        failed.extend(report.failed.iter().map(|finding| format!("{flags}: {finding}")));
        remarks.push(format!("{name} with {flags}: {} checks held", report.passed));
        remarks.extend(
            report
                .warnings
                .iter()
                .map(|finding| format!("WARN {flags}: {finding}")),
        );
        check(report.passed > 0, || format!("{name}: no check held"))?;
    }
    check(failed.is_empty(), || {
        format!("{} checks failed\n{}", failed.len(), failed.join("\n"))
    })?;
    Ok(remarks)
}

macro_rules! traces {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() -> Result<(), Failure> {
                for remark in play(stringify!($name))? {
                    eprintln!("{remark}");
                }
                Ok(())
            }
        )*

        #[test]
        fn every_trace_of_the_fixtures_is_played() -> Result<(), Failure> {
            let played: BTreeSet<String> = [$(stringify!($name)),*].into_iter().map(str::to_owned).collect();
            let there: BTreeSet<String> = fixtures::names("traces")?.into_iter().collect();
            assert_eq!(played, there);
            Ok(())
        }
    };
}

traces! {
    authentik
    entra_compliant
    entra_legacy
    entra_roles
    entra_validator
    google_workspace
    jumpcloud
    okta_aiw_put
    okta_import_paging
    okta_oin_patch
    okta_spec_suite
    onelogin
    sailpoint_discovery
}
