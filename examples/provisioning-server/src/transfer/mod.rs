//! An organization as a file: written by `export`, taken in by `import`.
//!
//! The first line says what the file is and whose, the last line how much stands between them; both are
//! [`domain::export_file`](crate::domain::export_file)'s. The lines between are those of the library's
//! [`Export`](scim::store::documents::Export): people, then groups, then members.

mod compared;
mod destination;
mod export;
mod import;
mod lines;
pub(crate) mod rows;

pub(crate) use compared::Compared;
pub(crate) use export::{export, not_written};
pub(crate) use import::{Import, Opened, Report, Skipped};
