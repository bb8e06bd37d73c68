//! The simulated identity providers against the product: the server's binary with its SQLite database, over HTTP. Every
//! dialect ends with the server equal to its model, also when the network misbehaves.

use http::header::{AUTHORIZATION, HeaderValue};
use scim::client::{Http1, over_http};
use scim::testkit::simulate::{Dialect, Misbehaviour, Report, Script, Simulation, Through};
use scim_tests::server::{Organization, Server};
use scim_tests::{Failure, check};
use tokio::task::JoinSet;

/// Returns the settings that an administrator chooses for the provider.
fn idp(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Okta | Dialect::OktaOin => "okta",
        Dialect::Entra
        | Dialect::EntraCompliant
        | Dialect::EntraPatch2017
        | Dialect::EntraThreeAttributes => "entra",
        Dialect::JumpCloud => "jumpcloud",
        Dialect::OneLogin => "onelogin",
        Dialect::Authentik => "authentik",
        _ => "other",
    }
}

fn connection(organization: &Organization) -> Result<Through<Http1>, Failure> {
    let failure = |error: &dyn std::error::Error| Failure::new(error.to_string());
    let client = over_http(&organization.scim_url).map_err(|error| failure(&error))?;
    let token =
        HeaderValue::try_from(format!("Bearer {}", organization.token)).map_err(|error| failure(&error))?;
    Ok(Through::new(client.service().clone(), &organization.scim_url).with_header(AUTHORIZATION, token))
}

/// Checks that the server is equal to the model, and that over a good network nothing was refused.
fn is_in_step(network: Misbehaviour, report: &Report) -> Result<(), Failure> {
    check(report.is_success() && report.changes == 1_000, || {
        report.to_string()
    })?;
    if network == Misbehaviour::none() {
        check(report.refusals.is_empty(), || report.to_string())
    } else {
        check(report.network.unanswered > 10 && report.network.late > 10, || {
            report.to_string()
        })
    }
}

/// Every provider at once, each twice with an organization of its own: once over a good network, once over a rough one.
#[tokio::test(flavor = "multi_thread")]
async fn every_provider_is_in_step_with_the_product() -> Result<(), Failure> {
    let server = Server::start()?;
    let mut providers = JoinSet::new();
    for (seed, dialect) in (1..).zip(Dialect::ALL) {
        for (name, network) in [("calm", Misbehaviour::none()), ("rough", Misbehaviour::rough())] {
            let organization = server.organization(&format!("{dialect}-{name}"), &["--idp", idp(dialect)])?;
            let mut connection = connection(&organization)?;
            let script = Script::seeded(seed).people(300).groups(30).changes(1_000);
            let simulation = Simulation::new(dialect, script).over(network);
            providers.spawn(async move { (network, simulation.run(&mut connection).await) });
        }
    }
    while let Some(done) = providers.join_next().await {
        let (network, report) = done.map_err(|error| Failure::new(error.to_string()))?;
        is_in_step(network, &report)?;
    }
    Ok(())
}

/// A twentieth of what `peers/benches/sync.rs` measures.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_directory_is_in_step_after_a_first_synchronisation_over_many_connections()
-> Result<(), Failure> {
    let server = Server::start()?;
    let organization = server.organization("large", &["--idp", "entra"])?;
    let mut connections = vec![connection(&organization)?; 16];
    let script = Script::seeded(1).people(5_000).groups(50).members(500).changes(0);
    let report = Simulation::new(Dialect::Entra, script)
        .run_abreast(&mut connections)
        .await;
    check(report.is_success() && report.refusals.is_empty(), || {
        report.to_string()
    })?;
    check(report.requests.get("POST /Users") == Some(&5_000), || {
        report.to_string()
    })?;
    // Twenty members in each request.
    check(report.requests.get("PATCH /Groups") == Some(&(50 * 25)), || {
        report.to_string()
    })
}
