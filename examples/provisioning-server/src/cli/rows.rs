//! The parts that `history` and `audit` have in common: ranges of time, and exports.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use scim::store::database::Stream;
use serde::Serialize;

use super::Session;
use super::flags::word;
use crate::database::failed;
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::Name;
use crate::transfer::not_written;
use crate::transfer::rows::Format;

/// A range of time.
#[derive(Debug, Clone, Args)]
pub(super) struct Range {
    /// Only from this time on: a date, or a time such as `2026-01-31T12:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) since: Option<Timestamp>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) until: Option<Timestamp>,
}

/// Reads a time, or a date, which begins at midnight in UTC.
fn time(text: &str) -> Result<Timestamp> {
    let midnight = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let date = || text.parse().ok().and_then(midnight);
    text.parse().ok().or_else(date).ok_or_else(|| {
        Fault::invalid(format!(
            "{text:?} is not a valid time; expected a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z."
        ))
    })
}

/// The destination of an export, and its format.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The file to write, for its owner alone; standard output without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// CSV for spreadsheets, or JSON lines for programs
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = word::<Format>())]
    pub(super) format: Format,
}

/// The answer of an export to a file.
#[derive(Debug, Serialize)]
struct Written {
    /// None for what concerns the instance.
    organization: Option<String>,
    file: PathBuf,
    bytes: u64,
}

impl Target {
    /// Writes a stream to where it is to go.
    pub(super) async fn write(
        self,
        session: &Session,
        organization: Option<&Name>,
        stream: Stream,
    ) -> Result<()> {
        let Some(file) = self.out else {
            return copy(stream, &mut io::stdout()).await.map(drop);
        };
        let bytes = copy(stream, &mut BufWriter::new(create_new(&file)?)).await?;
        let document = Written {
            organization: organization.map(ToString::to_string),
            file,
            bytes,
        };
        session.output.result(&document, |written| {
            format!(
                "{} bytes are written to {}.",
                written.bytes,
                written.file.display()
            )
        });
        Ok(())
    }
}

/// Makes a file for its owner alone.
fn create_new(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => Fault::conflict(format!(
            "{} is there already: choose another name.",
            path.display()
        )),
        _ => Fault::internal(format!("{} cannot be written.", path.display()), cause),
    })
}

async fn copy(mut stream: Stream, out: &mut impl Write) -> Result<u64> {
    let mut bytes = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(failed)?;
        out.write_all(&chunk).map_err(not_written)?;
        bytes += u64::try_from(chunk.len()).unwrap_or(0);
    }
    out.flush().map_err(not_written)?;
    Ok(bytes)
}
