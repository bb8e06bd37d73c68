//! The command line.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use scim_tests::Failure;
use scim_tests::server::built_beside;

pub(super) const USAGE: &str = "\
Build the server with `cargo build --release -p provisioning-server`, or name one with --server PATH.
Also: --people N (100000; of the organization that attacks), --seconds S (10; for each measurement),
  --only TEXT (attacks whose name contains it, and not all at once)";

/// What the command line says.
pub(super) struct Options {
    pub(super) server: Option<PathBuf>,
    pub(super) people: usize,
    pub(super) duration: Duration,
    pub(super) only: String,
}

impl Options {
    pub(super) fn read() -> Result<Self, Failure> {
        let mut options = Self {
            server: built_beside(),
            people: 100_000,
            duration: Duration::from_secs(10),
            only: String::new(),
        };
        let mut arguments = env::args().skip(1);
        while let Some(flag) = arguments.next() {
            // `cargo bench` adds this one.
            if flag == "--bench" {
                continue;
            }
            let malformed = || Failure::new(format!("{flag} is not understood. {USAGE}"));
            let value = arguments.next().ok_or_else(malformed)?;
            match flag.as_str() {
                "--server" => options.server = Some(value.into()),
                "--people" => options.people = value.parse().map_err(|_| malformed())?,
                "--seconds" => {
                    let seconds = value.parse().map_err(|_| malformed())?;
                    options.duration = Duration::try_from_secs_f64(seconds).map_err(|_| malformed())?;
                }
                "--only" => options.only = value,
                _ => return Err(malformed()),
            }
        }
        Ok(options)
    }
}
