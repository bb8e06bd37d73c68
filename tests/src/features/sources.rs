//! The tests of the workspace that name rows, found in the sources.
//!
//! The sources are formatted by rustfmt, which is all that is relied on: a function begins on a line of its own, and a
//! module ends with a brace below its beginning.

use std::fs;
use std::path::Path;

use regex_lite::{Captures, Regex};

use crate::Failure;

/// The folders with packages.
const FOLDERS: [&str; 5] = ["scim", "scim-axum", "scim-derive", "tests", "examples"];

/// Folders without sources of ours.
const SKIPPED: [&str; 4] = ["target", ".venv", "fixtures", "ui"];

/// A test that guards rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The program that has it, as the compiler names it, such as `provisioning_server` or `accounts`.
    pub binary: String,
    /// Its path in that program, such as `domain::account::tests::only_true_enables`.
    pub path: String,
    /// Its file, from the workspace on.
    pub file: String,
    /// The rows that it names, in the order of its comment.
    pub rows: Vec<String>,
}

/// The rows that the sources name.
#[derive(Debug, Default)]
pub struct Sources {
    /// In the order of files and lines.
    pub tests: Vec<Test>,
    /// Comments that name rows and do not stand at a test, as `file:line`.
    pub strays: Vec<String>,
}

impl Sources {
    /// Reads the sources of a workspace.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(workspace: &Path) -> Result<Self, Failure> {
        let mut sources = Self::default();
        for folder in FOLDERS {
            sources.walk(workspace, &workspace.join(folder))?;
        }
        Ok(sources)
    }

    fn walk(&mut self, workspace: &Path, folder: &Path) -> Result<(), Failure> {
        let listed = fs::read_dir(folder).map_err(|e| Failure::from(e).during(folder.display()))?;
        let mut paths = listed
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>, Failure>>()?;
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !SKIPPED.contains(&&*name) {
                    self.walk(workspace, &path)?;
                }
            } else if name.ends_with(".rs") {
                self.read_file(workspace, &path)?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, workspace: &Path, path: &Path) -> Result<(), Failure> {
        let text = fs::read_to_string(path).map_err(|e| Failure::from(e).during(path.display()))?;
        if !text.contains("Feature row") {
            return Ok(());
        }
        let (binary, modules) = place(path)?;
        let file = path
            .strip_prefix(workspace)
            .unwrap_or(path)
            .to_string_lossy()
            .replace('\\', "/");
        self.scan(
            &text,
            Place {
                binary,
                modules,
                file,
            },
        );
        Ok(())
    }

    /// Adds what one file says.
    fn scan(&mut self, text: &str, place: Place) {
        let mut scan = Scan::new(self, place);
        for (number, line) in text.lines().enumerate() {
            scan.line(number + 1, line);
        }
    }
}

/// The folder that a file belongs to.
struct Place {
    binary: String,
    modules: Vec<String>,
    file: String,
}

/// Finds the program that a file is a part of, and the modules that lead to it.
fn place(path: &Path) -> Result<(String, Vec<String>), Failure> {
    let lost = || Failure::new(format!("{}: no package has this file", path.display()));
    let package = path
        .ancestors()
        .skip(1)
        .find(|folder| folder.join("Cargo.toml").is_file())
        .ok_or_else(lost)?;
    let inside = path.with_extension("");
    let inside = inside.strip_prefix(package).map_err(|_| lost())?;
    let mut parts: Vec<_> = inside
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|last| matches!(last.as_str(), "mod" | "main" | "lib"))
    {
        parts.pop();
    }
    let mut parts = parts.into_iter();
    let folder = parts.next().ok_or_else(lost)?;
    let modules: Vec<_> = parts.collect();
    match (folder.as_str(), modules.as_slice()) {
        ("src", [bin, name, rest @ ..]) if bin == "bin" => Ok((name.clone(), rest.to_vec())),
        ("src", all) => Ok((crate_name(package)?, all.to_vec())),
        ("tests" | "benches", [name, rest @ ..]) => Ok((name.clone(), rest.to_vec())),
        _ => Err(lost()),
    }
}

fn crate_name(package: &Path) -> Result<String, Failure> {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(package.join("Cargo.toml"))?)
        .map_err(|e| Failure::new(e.to_string()).during(package.display()))?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name")?.as_str());
    let name = name.ok_or_else(|| Failure::new(format!("{}: the package has no name", package.display())))?;
    Ok(name.replace('-', "_"))
}

/// The expressions by which lines are told apart.
struct Patterns {
    rows: Regex,
    function: Regex,
    module: Regex,
    test: Regex,
}

impl Patterns {
    #[allow(
        clippy::unwrap_used,
        reason = "the expressions are constants, and a test uses them"
    )]
    fn new() -> Self {
        let regex = |text| Regex::new(text).unwrap();
        Self {
            rows: regex(r"Feature rows? (\d+b?(?:(?:, | and )\d+b?)*)"),
            function: regex(r"^(?:pub(?:\([a-z_: ]+\))? )?(?:const )?(?:async )?fn (\w+)"),
            module: regex(r"^(\s*)(?:pub(?:\([a-z_: ]+\))? )?mod (\w+) \{$"),
            test: regex(r"^#\[(?:tokio::)?test\b"),
        }
    }

    fn rows(&self, comment: &str) -> Vec<String> {
        let named = |found: Captures<'_>| found.get(1).map(|list| list.as_str().replace(" and ", ", "));
        let lists = self.rows.captures_iter(comment).filter_map(named);
        lists
            .flat_map(|list| list.split(", ").map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

/// A file on its way from the first line to the last.
struct Scan<'s> {
    sources: &'s mut Sources,
    place: Place,
    patterns: Patterns,
    /// The modules that are open within the file: the indentation of each, and its name.
    open: Vec<(String, String)>,
    /// The comment that the last lines were.
    comment: String,
    is_test: bool,
    /// The test that the line is in.
    current: Option<usize>,
}

impl<'s> Scan<'s> {
    fn new(sources: &'s mut Sources, place: Place) -> Self {
        Self {
            sources,
            place,
            patterns: Patterns::new(),
            open: Vec::new(),
            comment: String::new(),
            is_test: false,
            current: None,
        }
    }

    fn line(&mut self, number: usize, line: &str) {
        let trimmed = line.trim_start();
        if let Some(comment) = trimmed.strip_prefix("//") {
            // Whatever is said of a module is said of no test.
            self.comment += if comment.starts_with('!') {
                ""
            } else {
                comment.trim_start_matches('/')
            };
        } else if trimmed.starts_with("#[") {
            self.is_test |= self.patterns.test.is_match(trimmed);
        } else if let Some(name) = self
            .patterns
            .function
            .captures(trimmed)
            .and_then(|found| found.get(1))
        {
            self.begin(number, name.as_str());
        } else {
            self.body(number);
            self.modules(line);
        }
    }

    /// Begins a function: what was said before is said of it.
    fn begin(&mut self, number: usize, name: &str) {
        let rows = self.patterns.rows(&std::mem::take(&mut self.comment));
        if std::mem::take(&mut self.is_test) {
            let modules = self
                .place
                .modules
                .iter()
                .chain(self.open.iter().map(|(_, name)| name));
            let path = modules
                .map(String::as_str)
                .chain([name])
                .collect::<Vec<_>>()
                .join("::");
            self.current = Some(self.sources.tests.len());
            self.sources.tests.push(Test {
                binary: self.place.binary.clone(),
                path,
                file: self.place.file.clone(),
                rows: Vec::new(),
            });
        } else {
            self.current = None;
        }
        self.note(number, rows);
    }

    /// Takes any other line: what was said before is said of the test that it is in.
    fn body(&mut self, number: usize) {
        let rows = self.patterns.rows(&std::mem::take(&mut self.comment));
        self.note(number, rows);
    }

    fn note(&mut self, number: usize, rows: Vec<String>) {
        let test = self
            .current
            .and_then(|current| self.sources.tests.get_mut(current));
        match test {
            _ if rows.is_empty() => {}
            Some(test) => test.rows.extend(rows),
            None => self.sources.strays.push(format!("{}:{number}", self.place.file)),
        }
    }

    fn modules(&mut self, line: &str) {
        if let Some(found) = self.patterns.module.captures(line) {
            let part = |index| found.get(index).map_or("", |part| part.as_str()).to_owned();
            self.open.push((part(1), part(2)));
        } else if self
            .open
            .last()
            .is_some_and(|(indent, _)| *line == format!("{indent}}}"))
        {
            self.open.pop();
            self.current = None;
        }
    }
}

impl Drop for Scan<'_> {
    /// Removes the tests that name no row: they are not of interest.
    fn drop(&mut self) {
        self.sources.tests.retain(|test| !test.rows.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../fixtures/features/sample.rs");

    /// A test is found with its modules and its rows, and what is said elsewhere is found as well.
    #[test]
    fn tests_are_found_with_their_rows() {
        let mut sources = Sources::default();
        let place = Place {
            binary: "b".to_owned(),
            modules: vec!["m".to_owned()],
            file: "f.rs".to_owned(),
        };
        sources.scan(FILE, place);
        let found: Vec<_> = sources
            .tests
            .iter()
            .map(|test| (test.path.as_str(), test.rows.join(" ")))
            .collect();
        let expected = [
            ("m::one", "7 8 9"),
            ("m::laws::two", "9 12 32b"),
            ("m::three", "1"),
            ("m::seen::four", "2"),
        ];
        assert_eq!(found, expected.map(|(path, rows)| (path, rows.to_owned())));
        assert_eq!(sources.strays, ["f.rs:32", "f.rs:34"]);
    }
}
