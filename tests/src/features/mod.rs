//! `docs/features.md`: what the provisioning server is to do, the tests that guard it, and how they ended.
//!
//! The rows stand in `fixtures/features.toml`. A test names those that it guards in its comment: `Feature row 7: …` or
//! `Feature rows 7, 72: …`. `tests/run` writes the document at the end of a run, by the program `features`.

mod document;
mod results;
mod rows;
mod sources;

use std::path::{Path, PathBuf};

use crate::fixtures;

pub use document::{document, without_results};
pub use results::{Outcome, Results};
pub use rows::{Row, Section, sections};
pub use sources::{Sources, Test};

/// Returns the folder of the workspace.
pub fn workspace() -> &'static Path {
    fixtures::package().parent().unwrap_or(Path::new(".."))
}

/// Returns the path of the committed document.
pub fn committed() -> PathBuf {
    workspace().join("docs/features.md")
}
