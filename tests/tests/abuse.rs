//! While one organization does its worst, another one is answered as ever: each attack in a small form, counted and not
//! timed. `cargo bench -p scim-peers --bench abuse` does the same at full size, and says what the other one waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use scim_tests::abuse::{ATTACKS, Bystander, attacker, prepare};
use scim_tests::process::peak;
use scim_tests::server::{Organization, Server};
use scim_tests::{Failure, check};

/// People of the organization that attacks.
const PEOPLE: usize = 2_000;

/// Requests of each kind that the other one sends meanwhile.
const REQUESTS: u64 = 10;

/// The most memory that the server may take, in megabytes.
const MEMORY: f64 = 400.0;

/// Nobody's work stops anybody else: all requests of the bystander succeed under each attack, memory is bounded, and an
/// attacker who is disabled is refused.
#[test]
fn a_bystander_is_answered_whatever_another_organization_does() -> Result<(), Failure> {
    let mut server = Server::start()?;
    let organization = attacker(&server, PEOPLE)?;
    let bystander = Bystander::new(&server)?;
    prepare(&organization, PEOPLE)?;
    let watched = AtomicBool::new(false);
    let most = thread::scope(|scope| {
        let watch = scope.spawn(|| peak(server.pid(), &watched));
        let outcome = ATTACKS.iter().try_for_each(|attack| {
            let done = Arc::new(AtomicBool::new(false));
            let statuses = attack.begin(&organization, &done);
            let waits = bystander.send(REQUESTS)?;
            done.store(true, Ordering::Relaxed);
            waits.iter().try_for_each(|waits| {
                check(waits.refused.is_empty() && waits.unanswered == 0, || {
                    format!(
                        "{} under {:?}: {:?}, {} without an answer; the attack got {}",
                        waits.name,
                        attack.name,
                        waits.refused,
                        waits.unanswered,
                        statuses.text()
                    )
                })
            })
        });
        watched.store(true, Ordering::Relaxed);
        let most = watch.join().map_err(|_| Failure::new("the watch ended"))?;
        outcome.and(most)
    })?;
    check(most < MEMORY, || {
        format!("{most:.0} MB are more than {MEMORY:.0} MB")
    })?;
    server.command_line(&["org", "disable", "attacker"])?;
    is_shut_out(&organization)?;
    server.alive()
}

/// Checks that a change by another process is in force within a second: asked again and again, the attacker is refused at
/// last.
fn is_shut_out(organization: &Organization) -> Result<(), Failure> {
    let mut client = organization.client()?;
    for _ in 0..200 {
        if client.get("/ServiceProviderConfig")?.status == 403 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(Failure::new(
        "an organization that is disabled was served 200 times",
    ))
}
