//! The configuration file.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::setting::all;
use crate::domain::fault::{Fault, Result};

/// The contents of a file: each key is the name of a flag, and the flag and its variable of the environment come first.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) path: PathBuf,
    values: Table,
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
        let values = Self::parse(&text).map_err(|why| {
            Fault::invalid(format!(
                "The configuration file {} is wrong: {why}",
                path.display()
            ))
        })?;
        Ok(Self {
            path: path.to_owned(),
            values,
        })
    }

    /// Returns what is set under a name, as it would stand after the flag.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Boolean(answer) => Some(answer.to_string()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Result<Table, String> {
        // The message of the error shows the line, which may hold a secret; its first line is the place.
        let table: Table = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(1, |span| line_of(text, span.start));
            format!("line {place}: {}", error.message())
        })?;
        for (name, value) in &table {
            if !all().any(|setting| setting.name == name) {
                let names: Vec<&str> = all().map(|setting| setting.name).collect();
                return Err(format!(
                    "there is no setting {name:?}, only {}.",
                    names.join(", ")
                ));
            }
            if !matches!(value, Value::String(_) | Value::Integer(_) | Value::Boolean(_)) {
                return Err(format!(
                    "{name} must be a text, a whole number, true or false, not {}.",
                    value.type_str()
                ));
            }
        }
        Ok(table)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.bytes().take(offset);
    1 + before.filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_names_of_flags() {
        let values =
            Config::parse("listen = \"0.0.0.0:80\"\ndrain-delay = 3\ndemo = true\nlog-format = \"json\"");
        let file = Config {
            values: values.unwrap(),
            path: PathBuf::new(),
        };
        assert_eq!(file.get("listen").as_deref(), Some("0.0.0.0:80"));
        assert_eq!(file.get("drain-delay").as_deref(), Some("3"));
        assert_eq!(file.get("demo").as_deref(), Some("true"));
        assert_eq!(file.get("database"), None);
    }

    #[test]
    fn a_mistake_in_the_file_is_found() {
        for (text, named) in [
            ("lisen = \"x\"", "\"lisen\""),
            ("listen = [\"x\"]", "not array"),
            ("[listen]\nx = 1", "not table"),
            ("demo = true\nlisten", "line 2"),
        ] {
            let why = Config::parse(text).unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }

    #[test]
    fn a_mistake_in_the_file_repeats_no_secret() {
        let why = Config::parse("database = \"postgres://u:hush@h\" oops").unwrap_err();
        assert!(!why.contains("hush"), "{why}");
    }
}
