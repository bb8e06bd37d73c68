//! The provisioning server, killed again and again while several clients write: how many acknowledged writes there were,
//! and that each of them is there afterwards.

#![allow(clippy::print_stdout, reason = "a benchmark reports to the terminal")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use scim_tests::acknowledged::Writers;
use scim_tests::server::{Server, built_beside};
use scim_tests::{Failure, flags, random};

const USAGE: &str = "\
Build the server with `cargo build --release -p provisioning-server`, or name one with --server PATH.
Also: --cycles N (300), --clients N (16), --milliseconds N (150; from no time to twice this until it is killed)";

struct Options {
    server: Option<PathBuf>,
    cycles: u64,
    clients: usize,
    milliseconds: u64,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut options = Self {
            server: built_beside(),
            cycles: 300,
            clients: 16,
            milliseconds: 150,
        };
        flags::read(USAGE, |flag, value| {
            match flag {
                "--server" => options.server = Some(value.into()),
                "--cycles" => options.cycles = value.parse().ok()?,
                "--clients" => options.clients = value.parse().ok()?,
                "--milliseconds" => options.milliseconds = value.parse().ok()?,
                _ => return None,
            }
            Some(())
        })?;
        Ok(options)
    }
}

fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let Some(binary) = &options.server else {
        println!("kill: not run. {USAGE}");
        return Ok(());
    };
    let mut server = Server::start_binary(binary)?;
    let organization = server.organization("acme", &["--idp", "other", "--username", "any"])?;
    let mut writers = Writers::of(&organization, options.clients)?;
    let began = Instant::now();
    for cycle in 1..=options.cycles {
        let patience = random::bits() % (2 * options.milliseconds).max(1);
        writers.work(Duration::from_millis(patience), || server.kill())?;
        server.restart()?;
        // All is looked at in the end; a look at each kill would take ever longer.
        if cycle.is_multiple_of(25) || cycle == options.cycles {
            writers.verify()?;
            server.command_line(&["check"])?;
            println!(
                "{cycle:>5} kills, {:>9} acknowledged writes, all there; {:.0} s",
                writers.acknowledged().count(),
                began.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}
