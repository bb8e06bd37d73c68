//! An organization as a file: written by `export`, taken in by `import`.
//!
//! The first line says what the file is and whose, the last line how much stands between them; both are
//! [`domain::export_file`](crate::domain::export_file)'s. The lines between are those of the library's
//! [`Export`](scim::store::documents::Export): people, then groups, then members. Before and behind them stand those of
//! [`domain::access_line`](crate::domain::access_line): accounts first, so that each person comes back to theirs with its
//! id and its suspension; roles, mappings and grants last, so that nobody has a right before all that limits it is there.

mod access_export;
mod access_import;
mod compared;
mod destination;
mod export;
mod import;
mod lines;
pub(crate) mod rows;

pub(crate) use compared::Compared;
pub(crate) use export::{export, not_written};
pub(crate) use import::{Import, Opened, Report, Skipped};
