//! `export ORG`: everything that an organization has, as a file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::flags::name;
use super::{Session, progress};
use crate::domain::export_file::{Counts, Head};
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::{Name, Organization};
use crate::transfer::{Compared, export, not_written};

/// The longest first line.
const LONGEST_HEAD: u64 = 64 << 10;

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name)]
    name: Name,
    /// The file to write, for its owner alone; standard output without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Go on with a file that an interrupted export has left: what is still true of it stays
    #[arg(long, requires = "out")]
    resume: bool,
}

/// The answer of the command. Its keys are a contract.
#[derive(Debug, Serialize)]
struct Exported {
    organization: String,
    file: PathBuf,
    people: u64,
    groups: u64,
    members: u64,
    /// Lines about accounts, roles, mappings and grants.
    access: u64,
    bytes: u64,
    /// The bytes that were there already.
    resumed_bytes: u64,
}

impl Export {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let organization = session.product.organization(&self.name).await?.organization;
        match &self.out {
            Some(path) => self.to_file(session, &organization, path).await,
            None => to_output(session, &organization).await,
        }
    }

    async fn to_file(&self, session: &Session, organization: &Organization, path: &Path) -> Result<()> {
        let mut out = Compared::new(self.open(organization, path)?).map_err(not_written)?;
        let counts = write(session, organization, &mut out).await?;
        let resumed_bytes = out.finish().map_err(not_written)?;
        let bytes = path.metadata().map_err(not_written)?.len();
        let document = Exported {
            organization: organization.name.to_string(),
            file: path.to_owned(),
            people: counts.people,
            groups: counts.groups,
            members: counts.members,
            access: counts.access,
            bytes,
            resumed_bytes,
        };
        session.output.result(&document, |exported| {
            let resumed = match exported.resumed_bytes {
                0 => String::new(),
                kept => format!(" {kept} bytes of it were there already."),
            };
            format!(
                "Organization {:?} is exported to {}: {}.{resumed}\n\
                 Its tokens, credentials and history are not in the file: \"backup\" has everything.",
                exported.organization,
                exported.file.display(),
                counts.words()
            )
        });
        Ok(())
    }

    /// Opens the file, which is new unless an export is to go on. Persons are in it: only its owner may read it.
    fn open(&self, organization: &Organization, path: &Path) -> Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match self.resume {
            true => options.create(true).truncate(false),
            false => options.create_new(true),
        };
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => Fault::conflict(format!(
                "{} is there already: choose another name, or go on with it by --resume.",
                path.display()
            )),
            _ => Fault::internal(format!("{} cannot be written.", path.display()), cause),
        })?;
        if self.resume && !is_begun(&file, organization).map_err(not_written)? {
            return Err(Fault::conflict(format!(
                "{} is no export of {:?}: it is left as it is. Choose another name.",
                path.display(),
                organization.name.as_str()
            )));
        }
        Ok(file)
    }
}

/// Returns whether a file is the beginning of an export of this organization, be it the beginning of its first line.
fn is_begun(file: &File, organization: &Organization) -> io::Result<bool> {
    let mut start = Vec::new();
    BufReader::new(file.take(LONGEST_HEAD)).read_to_end(&mut start)?;
    let end = start.iter().position(|byte| *byte == b'\n');
    Ok(match end.and_then(|end| start.get(..end)) {
        Some(line) => Head::parse(line).is_ok_and(|head| head.organization.id == organization.id),
        None => serde_json::to_vec(&Head::of(organization))?.starts_with(&start),
    })
}

async fn to_output(session: &Session, organization: &Organization) -> Result<()> {
    if session.output.is_json() {
        return Err(Fault::invalid(
            "With --json, standard output is for one document: name a file for the export with --out FILE.",
        ));
    }
    if io::stdout().is_terminal() {
        return Err(Fault::invalid(
            "The export would run over the terminal: name a file with --out FILE, or redirect standard output.",
        ));
    }
    let mut out = io::BufWriter::with_capacity(256 << 10, io::stdout());
    write(session, organization, &mut out).await.map(drop)
}

async fn write(
    session: &Session,
    organization: &Organization,
    out: &mut (dyn Write + Send),
) -> Result<Counts> {
    let length = session.product.size_of(&[organization.id]).await?;
    let bar = progress::bar(
        Some(length),
        "{bar:30} {pos}/{len} people and groups, {per_sec}, {msg} members, {elapsed}",
    );
    let watch = |counts: Counts| {
        bar.set_position(counts.people + counts.groups);
        bar.set_message(counts.members.to_string());
    };
    let written = export(&session.product, organization, out, watch).await;
    bar.finish_and_clear();
    written
}
