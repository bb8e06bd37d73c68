//! `import FILE`: what `export` has written, into a new organization or one that is there.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::flags::name;
use super::{Session, progress};
use crate::domain::export_file::{Counts, Position, Tail};
use crate::domain::fault::{Fault, Kind, Result};
use crate::domain::organization::{Name, Organization};
use crate::transfer::{Import as Importing, Opened, Report, Skipped};

/// Bytes at the end of a file in which its last line is looked for.
const LONGEST_TAIL: u64 = 4 << 10;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file that "export" has written; "-" for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The organization to import into, which is made if there is none; that of the file without it
    #[arg(long, value_name = "NAME", value_parser = name)]
    org: Option<Name>,
    /// Leave lines out that cannot be imported, and list them
    #[arg(long)]
    skip_errors: bool,
    /// Import what is there of a file that has lost its end
    #[arg(long)]
    incomplete: bool,
}

/// The answer of the command. Its keys are a contract.
#[derive(Debug, Serialize)]
struct Imported {
    organization: String,
    id: Uuid,
    scim_url: String,
    /// Whether the organization was made by this.
    created: bool,
    /// Whether the file was there to its end.
    complete: bool,
    /// The line behind which an import that was interrupted has gone on.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed_behind_line: Option<u64>,
    lines: u64,
    people: u64,
    groups: u64,
    members: u64,
    /// Lines about accounts, roles, mappings and grants that have changed anything.
    access: u64,
    /// Lines that said only what was there.
    unchanged: u64,
    skipped_count: u64,
    skipped: Vec<SkippedLine>,
}

/// A line that was left out.
#[derive(Debug, Serialize)]
struct SkippedLine {
    line: u64,
    reason: String,
}

impl From<Skipped> for SkippedLine {
    fn from(Skipped { line, reason }: Skipped) -> Self {
        Self { line, reason }
    }
}

/// The source of the lines.
enum Source {
    File(PathBuf),
    /// Something that can be read only once.
    Input(Box<dyn Read>),
}

type Input = BufReader<Box<dyn Read>>;

/// The organization that takes everything in.
struct Target {
    organization: Organization,
    created: bool,
    /// The place where an import of an export of the same organization was interrupted.
    position: Option<Position>,
}

/// An import whose file was found to be one.
pub(super) struct Begun {
    command: Import,
    /// The file, if it can be opened again.
    path: Option<PathBuf>,
    opened: Opened<Input>,
    bar: ProgressBar,
}

impl Import {
    /// Opens the file, before anything is looked for in a database.
    pub(super) fn begin(self) -> Result<Begun> {
        let source = Source::of(&self.file)?;
        let bar = source.bar();
        let (path, opened) = source.open()?;
        if let Some(path) = &path
            && !self.incomplete
        {
            check_end(path)?;
        }
        Ok(Begun {
            command: self,
            path,
            opened,
            bar,
        })
    }
}

impl Begun {
    /// Runs the import: 0 only if the whole file was imported.
    pub(super) async fn run(self, session: &Session) -> Result<ExitCode> {
        let target = self.target(session).await?;
        let (organization, skips_errors) = (&target.organization, self.command.skip_errors);
        let (product, actor) = (&session.product, &session.actor());
        let mut import = Importing::new(product, actor, organization, self.opened, skips_errors).await?;
        let mut resumed = None;
        if let (Some(path), Some(position)) = (self.path, &target.position) {
            if import.go_on(position)? {
                resumed = Some(position.lines);
            } else {
                let (_, opened) = Source::File(path).open()?;
                import = Importing::new(product, actor, organization, opened, skips_errors).await?;
            }
        }
        let report = import.run(|bytes| self.bar.set_position(bytes)).await;
        self.bar.finish_and_clear();
        let document = document(session, &target, resumed, report?);
        session.output.result(&document, people);
        Ok(match document.complete && document.skipped_count == 0 {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    /// Finds the organization, or makes it.
    async fn target(&self, session: &Session) -> Result<Target> {
        let head = &self.opened.head;
        let name = match &self.command.org {
            Some(name) => name.clone(),
            None => head.name()?,
        };
        let (product, source) = (&session.product, head.organization.id);
        let organization = match product.organization(&name).await {
            Ok(access) => access.organization,
            Err(fault) if fault.kind() == Kind::NotFound => {
                let organization = head.organization(Uuid::now_v7(), name, Timestamp::now())?;
                product
                    .create_for_import(
                        organization.clone(),
                        Position::start(source),
                        head.carries_access(),
                    )
                    .await?;
                return Ok(Target {
                    organization,
                    created: true,
                    position: None,
                });
            }
            Err(fault) => return Err(fault),
        };
        let position = product.import_position(organization.id).await?;
        let position = position.filter(|position| position.source == source);
        if self.command.org.is_none() && position.is_none() && organization.id != source {
            return Err(Fault::conflict(format!(
                "There is an organization {0:?} already, and the file is an export of another one: to import into it \
                 nevertheless, say --org {0}; or name a new one.",
                name.as_str()
            )));
        }
        Ok(Target {
            organization,
            created: false,
            position: position.filter(|position| !position.finished && position.bytes > 0),
        })
    }
}

impl Source {
    fn of(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Input(Box::new(io::stdin())));
        }
        let metadata = path.metadata().map_err(|cause| not_opened(path, cause))?;
        match metadata.is_file() {
            true => Ok(Self::File(path.to_owned())),
            false => Ok(Self::Input(Box::new(open(path)?))),
        }
    }

    /// Opens it; with the path, if it can be opened again.
    fn open(self) -> Result<(Option<PathBuf>, Opened<Input>)> {
        let (path, input): (_, Box<dyn Read>) = match self {
            Self::File(path) => {
                let file = open(&path)?;
                (Some(path), Box::new(file))
            }
            Self::Input(input) => (None, input),
        };
        Ok((path, Opened::new(BufReader::with_capacity(256 << 10, input))?))
    }

    fn bar(&self) -> ProgressBar {
        let length = match self {
            Self::File(path) => path.metadata().ok().map(|metadata| metadata.len()),
            Self::Input(_) => None,
        };
        match length {
            Some(_) => progress::bar(
                length,
                "{bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {elapsed}, {eta} left",
            ),
            None => progress::bar(None, "{bytes} read, {bytes_per_sec}, {elapsed}"),
        }
    }
}

/// Refuses a file that has lost its end before anything of it is imported.
fn check_end(path: &Path) -> Result<()> {
    let read = || {
        let mut file = File::open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_TAIL)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        Ok(end)
    };
    let end = read().map_err(|cause| not_opened(path, cause))?;
    let last = end.trim_ascii_end().split(|byte| *byte == b'\n').next_back();
    match last.and_then(Tail::parse) {
        Some(_) => Ok(()),
        None => Err(Fault::invalid(format!(
            "{} has lost its end: the export was interrupted, or the file was cut. Nothing of it is imported. Complete it \
             with \"export ORG --out FILE --resume\", or import what is there with --incomplete.",
            path.display()
        ))),
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|cause| not_opened(path, cause))
}

fn not_opened(path: &Path, cause: io::Error) -> Fault {
    Fault::internal(format!("The file {} cannot be read.", path.display()), cause)
}

fn document(session: &Session, target: &Target, resumed: Option<u64>, report: Report) -> Imported {
    let organization = &target.organization;
    Imported {
        organization: organization.name.to_string(),
        id: organization.id,
        scim_url: session.scim_url(&organization.name),
        created: target.created,
        complete: report.is_complete,
        resumed_behind_line: resumed,
        lines: report.lines,
        people: report.new.people,
        groups: report.new.groups,
        members: report.new.members,
        access: report.new.access,
        unchanged: report.unchanged,
        skipped_count: report.skipped_count,
        skipped: report.skipped.into_iter().map(SkippedLine::from).collect(),
    }
}

fn people(imported: &Imported) -> String {
    let new = Counts {
        people: imported.people,
        groups: imported.groups,
        members: imported.members,
        access: imported.access,
    };
    let mut text = format!(
        "Organization {:?}: imported {}.",
        imported.organization,
        new.words()
    );
    if let Some(line) = imported.resumed_behind_line {
        text += &format!(" The import went on behind line {line}.");
    }
    if imported.unchanged > 0 {
        text += &format!(" {} lines were there already.", imported.unchanged);
    }
    if imported.created {
        text += &format!(
            "\n\n  SCIM URL  {}\n\nIt has no token yet: token create {}",
            imported.scim_url, imported.organization
        );
    }
    if !imported.complete {
        text += &format!(
            "\n\nThe file ends early, behind line {}: it has lost its end. Import the whole file, and the rest follows.",
            imported.lines
        );
    }
    if imported.skipped_count > 0 {
        text += &format!("\n\n{} lines were left out:\n", imported.skipped_count);
        for skipped in &imported.skipped {
            text += &format!("  line {}: {}\n", skipped.line, skipped.reason);
        }
    }
    text
}
