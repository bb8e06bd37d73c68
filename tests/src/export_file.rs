//! The file of an organization, written by hand: the fastest way to a large directory.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::Failure;
use crate::server::Server;

/// Lines of an export hold this many members at most.
const MEMBERS_IN_A_LINE: usize = 10_000;

const META: &str =
    r#""meta":{"created":"2026-01-01T00:00:00Z","lastModified":"2026-01-01T00:00:00Z","version":"W/\"1\""}"#;

/// A file that is being written.
#[derive(Debug)]
pub struct ExportFile {
    out: BufWriter<File>,
    people: usize,
    groups: usize,
    members: usize,
}

/// Makes an identifier, which the file may choose.
#[must_use]
pub fn id(kind: char, number: usize) -> String {
    format!("00000000-000{kind}-7000-8000-{number:012x}")
}

impl Server {
    /// Imports what `write` puts into the file of an organization that has nothing yet.
    pub fn import(
        &self,
        organization: &str,
        write: impl FnOnce(&mut ExportFile) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let file = self.directory().join(format!("{organization}.jsonl"));
        let text = file
            .to_str()
            .ok_or_else(|| Failure::new("a path that is not text"))?;
        self.command_line(&["export", organization, "--out", text])?;
        let mut export = ExportFile::begin(&file)?;
        write(&mut export)?;
        export.end()?;
        self.command_line(&["import", text, "--org", organization])?;
        fs::remove_file(file).map_err(Failure::from)
    }
}

impl ExportFile {
    /// Begins with the first line of what is there.
    fn begin(file: &Path) -> Result<Self, Failure> {
        let exported = fs::read_to_string(file)?;
        let mut out = BufWriter::new(File::create(file)?);
        writeln!(out, "{}", exported.lines().next().unwrap_or_default())?;
        Ok(Self {
            out,
            people: 0,
            groups: 0,
            members: 0,
        })
    }

    /// Adds a person; `more` are members of the JSON object, each with a comma before it.
    pub fn person(&mut self, id: &str, user_name: &str, more: &str) -> Result<(), Failure> {
        self.people += 1;
        writeln!(
            self.out,
            r#"{{"type":"User","resource":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"{id}",{META},"userName":"{user_name}","active":true{more}}}}}"#
        )
        .map_err(Failure::from)
    }

    /// Adds a group; people and groups come before all members.
    pub fn group(&mut self, id: &str, name: &str) -> Result<(), Failure> {
        self.groups += 1;
        writeln!(
            self.out,
            r#"{{"type":"Group","resource":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"{id}",{META},"displayName":"{name}"}}}}"#
        )
        .map_err(Failure::from)
    }

    /// Adds members to a group.
    pub fn members(&mut self, group: &str, mut people: impl Iterator<Item = String>) -> Result<(), Failure> {
        loop {
            let some = people.by_ref().take(MEMBERS_IN_A_LINE);
            let some: Vec<_> = some.map(|id| format!("\"{id}\"")).collect();
            if some.is_empty() {
                return Ok(());
            }
            self.members += some.len();
            writeln!(
                self.out,
                r#"{{"type":"Group","id":"{group}","version":"W/\"1\"","attribute":"members","add":[{}]}}"#,
                some.join(",")
            )?;
        }
    }

    fn end(mut self) -> Result<(), Failure> {
        let Self {
            people,
            groups,
            members,
            ..
        } = self;
        writeln!(
            self.out,
            r#"{{"end":{{"people":{people},"groups":{groups},"members":{members},"exported":"2026-01-01T00:00:00Z"}}}}"#
        )?;
        self.out.flush().map_err(Failure::from)
    }
}
