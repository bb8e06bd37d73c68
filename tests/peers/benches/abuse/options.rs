//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use scim_tests::server::built_beside;
use scim_tests::{Failure, flags};

pub(super) const USAGE: &str = "\
Build the server with `cargo build --release -p provisioning-server`, or name one with --server PATH.
Also: --people N (100000; of the organization that attacks), --seconds S (10; for each measurement),
  --only TEXT (attacks whose name contains it; \"all at once\" is one of them),
  --legitimate MEMBERS (no attack, but the largest work that is none, with a group of so many)";

/// The options that the command line gives.
pub(super) struct Options {
    pub(super) server: Option<PathBuf>,
    pub(super) people: usize,
    pub(super) duration: Duration,
    pub(super) only: String,
    /// Members of the largest group of the work that is not an attack, where that is asked for.
    pub(super) legitimate: Option<usize>,
}

impl Options {
    pub(super) fn read() -> Result<Self, Failure> {
        let mut options = Self {
            server: built_beside(),
            people: 100_000,
            duration: Duration::from_secs(10),
            only: String::new(),
            legitimate: None,
        };
        flags::read(USAGE, |flag, value| {
            match flag {
                "--server" => options.server = Some(value.into()),
                "--people" => options.people = value.parse().ok()?,
                "--seconds" => {
                    let seconds = value.parse().ok()?;
                    options.duration = Duration::try_from_secs_f64(seconds).ok()?;
                }
                "--only" => options.only = value,
                "--legitimate" => options.legitimate = Some(value.parse().ok()?),
                _ => return None,
            }
            Some(())
        })?;
        Ok(options)
    }
}
