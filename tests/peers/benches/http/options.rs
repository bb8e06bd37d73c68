//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use scim_tests::server::{Organization, built_beside};
use scim_tests::{Failure, flags};

pub(super) const USAGE: &str = "\
Build the server with `cargo build --release -p provisioning-server`; or name one:
  --server PATH              a binary of the provisioning server to start, with a database of its own
  --url URL --token TOKEN    an organization of a server that runs, which is filled with people
Also: --members N (100000), --connections N (16), --rounds N (5), --seconds S (1),
  --only TEXT (only rows whose name contains it)";

/// Whom to measure.
pub(super) enum Target {
    None,
    Binary(PathBuf),
    Url(Organization),
}

/// The options that the command line gives.
pub(super) struct Options {
    pub(super) target: Target,
    /// Members of the large group.
    pub(super) members: usize,
    pub(super) connections: usize,
    /// Only rows whose name contains this.
    pub(super) only: String,
    pub(super) rounds: usize,
    /// How long a round takes.
    pub(super) duration: Duration,
}

impl Options {
    pub(super) fn read() -> Result<Self, Failure> {
        let (mut server, mut url, mut token) = (built_beside(), None, None);
        let mut options = Self {
            target: Target::None,
            members: 100_000,
            connections: 16,
            only: String::new(),
            rounds: 5,
            duration: Duration::from_secs(1),
        };
        flags::read(USAGE, |flag, value| {
            match flag {
                "--server" => server = Some(value.into()),
                "--url" => url = Some(value),
                "--token" => token = Some(value),
                "--members" => options.members = value.parse().ok()?,
                "--connections" => options.connections = value.parse().ok()?,
                "--only" => options.only = value,
                "--rounds" => options.rounds = value.parse().ok()?,
                "--seconds" => {
                    let seconds = value.parse().ok()?;
                    options.duration = Duration::try_from_secs_f64(seconds).ok()?;
                }
                _ => return None,
            }
            Some(())
        })?;
        options.target = match (url, token, server) {
            (Some(scim_url), Some(token), _) => Target::Url(Organization {
                organization: "bench".to_owned(),
                scim_url,
                token,
            }),
            (None, None, Some(binary)) => Target::Binary(binary),
            (None, None, None) => Target::None,
            _ => return Err(Failure::new(format!("--url and --token go together. {USAGE}"))),
        };
        Ok(options)
    }
}
