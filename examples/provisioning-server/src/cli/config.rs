//! The configuration file.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::domain::fault::{Fault, Result};

/// What a file may say: each key is the name of a flag, and the flag and its variable of the environment come first.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Config {
    pub(super) database: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) listen: Option<String>,
    pub(super) demo: bool,
    pub(super) log_format: Option<String>,
    pub(super) drain_delay: Option<u16>,
}

impl Config {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|cause| {
            Fault::internal(
                format!("The configuration file {} cannot be read.", path.display()),
                cause,
            )
        })?;
        Self::parse(&text).map_err(|why| {
            Fault::invalid(format!(
                "The configuration file {} is wrong: {why}",
                path.display()
            ))
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_names_of_flags() {
        let file = Config::parse("listen = \"0.0.0.0:80\"\npublic-url = \"https://x.example\"\ndemo = true")
            .unwrap();
        assert_eq!(file.listen.as_deref(), Some("0.0.0.0:80"));
        assert_eq!(file.public_url.as_deref(), Some("https://x.example"));
        assert!(file.demo && file.database.is_none());
    }

    #[test]
    fn a_mistake_in_the_file_is_found() {
        for (text, named) in [
            ("lisen = \"x\"", "lisen"),
            ("listen = 3", "string"),
            ("listen", "line 1"),
        ] {
            let why = Config::parse(text).unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }
}
