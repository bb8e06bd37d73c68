//! The simulated identity providers against a server of somebody else, whose faults are known: PyPI's scim2-server. They
//! must find each of them and name it in words for administrators.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use scim::client::over_http;
use scim::testkit::simulate::{Dialect, Fault, Health, Report, Script, Simulation, Through};
use scim_tests::python::program;
use scim_tests::{Failure, check};

/// scim2-server on a free port of the loopback interface, with a tenant for whoever asks; stopped when dropped.
struct Peer {
    process: Child,
    origin: String,
}

impl Peer {
    fn start() -> Result<Self, Failure> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = program("scim2-server")?
            .args(["--dynamic-tenants", "--bearer-token", "token"])
            .args(["--port", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut peer = Self {
            process,
            origin: format!("http://{address}"),
        };
        peer.ready(address)?;
        Ok(peer)
    }

    fn ready(&mut self, address: std::net::SocketAddr) -> Result<(), Failure> {
        for _ in 0..600 {
            if let Some(status) = self.process.try_wait()? {
                return Err(Failure::new(format!("scim2-server ended with {status}")));
            }
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::new("scim2-server did not listen after 600 attempts"))
    }

    /// Runs a provider with an organization of its own on this server.
    fn visited_by(&self, dialect: Dialect) -> Result<Report, Failure> {
        let base = format!("{}/{dialect}/v2", self.origin);
        let client = over_http(&base).map_err(|error| Failure::new(error.to_string()))?;
        let mut server = Through::new(client.service().clone(), &base)
            .with_header(AUTHORIZATION, HeaderValue::from_static("Bearer token"));
        let script = Script::seeded(1).people(60).groups(6).changes(240);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(runtime.block_on(Simulation::new(dialect, script).run(&mut server)))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Checks that the provider went on to the end, and that these and no other faults are in its report, each with what to do.
fn finds(report: &Report, faults: &[Fault]) -> Result<(), Failure> {
    let wanted: Vec<_> = faults.iter().collect();
    let found: Vec<_> = report.faults.keys().collect();
    check(found == wanted, || {
        format!("{found:?} were found, not {wanted:?}\n{report}")
    })?;
    check(
        report.health == Health::Healthy && report.changes == 240 && report.is_success() == faults.is_empty(),
        || report.to_string(),
    )?;
    let text = report.to_string();
    for fault in faults {
        let is_named = text.contains(&fault.to_string()) && text.contains(fault.advice());
        check(is_named, || format!("{fault:?} is not named in\n{text}"))?;
    }
    Ok(())
}

#[test]
fn entra_finds_that_entries_managers_schemas_and_removals_are_refused() -> Result<(), Failure> {
    let report = Peer::start()?.visited_by(Dialect::Entra)?;
    finds(
        &report,
        &[
            Fault::ElementNotMade,
            Fault::RemovalByValueRefused,
            Fault::ManagerRefused,
            Fault::UnknownSchemaRefused,
            Fault::DanglingMember,
        ],
    )?;
    // In the words of an administrator: people, numbers, groups and managers, and no JSON.
    let text = report.to_string();
    let (_, faults) = text.split_once("What is wrong with the server").unwrap();
    let (faults, _) = faults.split_once("What the administrator sees at").unwrap();
    for words in [
        "A phone number, address or role that a person gets for the first time is refused",
        "Taking people out of a group is refused",
        "A person's manager is refused",
        "Groups cannot be created",
    ] {
        check(faults.contains(words), || {
            format!("{words:?} is not in\n{faults}")
        })?;
    }
    check(!faults.contains(['{', '}']), || {
        format!("there is JSON in\n{faults}")
    })
}

#[test]
fn okta_finds_members_twice_where_it_speaks_patch_and_nothing_where_it_speaks_put() -> Result<(), Failure> {
    let peer = Peer::start()?;
    let report = peer.visited_by(Dialect::OktaOin)?;
    finds(&report, &[Fault::MemberTwice])?;
    let words = "A person who is added to a group again is in it twice";
    check(report.to_string().contains(words), || report.to_string())?;
    finds(&peer.visited_by(Dialect::Okta)?, &[])
}

#[test]
fn the_others_find_members_who_cannot_leave_and_members_who_are_gone() -> Result<(), Failure> {
    let peer = Peer::start()?;
    let removal = [Fault::RemovalByValueRefused, Fault::DanglingMember];
    finds(&peer.visited_by(Dialect::Authentik)?, &removal)?;
    finds(&peer.visited_by(Dialect::OneLogin)?, &[Fault::DanglingMember])
}
