//! The server is killed while several clients write: whatever it had acknowledged is there when it runs again, and its
//! database is whole. `cargo bench -p scim-peers --bench kill` does the same hundreds of times.

use std::time::Duration;

use scim_tests::Failure;
use scim_tests::acknowledged::Writers;
use scim_tests::server::Server;

/// What is acknowledged is durable (RFC 7644 section 3.3: 201 says that the resource was created).
#[test]
fn nothing_that_was_acknowledged_is_lost() -> Result<(), Failure> {
    let mut server = Server::start()?;
    let organization = server.organization("acme", &["--idp", "other", "--username", "any"])?;
    let mut writers = Writers::of(&organization, 8)?;
    for _ in 0..3 {
        writers.work(Duration::from_millis(300), || server.kill())?;
        server.restart()?;
        writers.verify()?;
        server.command_line(&["check"])?;
    }
    assert_ne!(writers.acknowledged(), 0);
    Ok(())
}
