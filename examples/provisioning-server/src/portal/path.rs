//! The parts of paths that name things.

use axum::extract::RawPathParams;
use uuid::Uuid;

use super::problem::Problem;

/// Returns the id that a path has under a name.
///
/// # Errors
/// The text is not an id: there is no such page.
pub(super) fn id(path: &RawPathParams, name: &str) -> Result<Uuid, Problem> {
    let found = path.iter().find(|(found, _)| *found == name);
    let id = found.and_then(|(_, text)| Uuid::parse_str(text).ok());
    id.ok_or(Problem::NotFound)
}
