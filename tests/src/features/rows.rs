//! The rows: numbers and titles.

use std::fs;

use serde::Deserialize;

use crate::{Failure, fixtures};

/// A part of the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// The features of the section, in order.
    pub rows: Vec<Row>,
}

/// One feature.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "(String, String)")]
pub struct Row {
    /// Its name in tests, such as `32b`.
    pub number: String,
    /// One sentence.
    pub title: String,
}

impl From<(String, String)> for Row {
    fn from((number, title): (String, String)) -> Self {
        Self { number, title }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    section: Vec<Section>,
}

/// Reads all sections.
pub fn sections() -> Result<Vec<Section>, Failure> {
    let path = fixtures::path("features.toml");
    let text = fs::read_to_string(&path).map_err(|e| Failure::from(e).during(path.display()))?;
    let list: List = toml::from_str(&text).map_err(|e| Failure::new(e.to_string()).during(path.display()))?;
    Ok(list.section)
}
