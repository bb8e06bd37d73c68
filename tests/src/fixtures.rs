//! The place of the fixtures of this package, and how they are read.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::Failure;

/// Returns the folder of this package.
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the path of a fixture, such as `vectors/filter.json`.
pub fn path(name: &str) -> PathBuf {
    package().join("fixtures").join(name)
}

/// Reads one JSON fixture.
pub fn read<T: DeserializeOwned>(name: &str) -> Result<T, Failure> {
    let path = path(name);
    let text = fs::read_to_string(&path).map_err(|e| Failure::from(e).during(path.display()))?;
    serde_json::from_str(&text).map_err(|e| Failure::from(e).during(path.display()))
}

/// Returns the names, without `.json`, of the fixtures in a folder, sorted.
pub fn names(folder: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path(folder))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".json").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
