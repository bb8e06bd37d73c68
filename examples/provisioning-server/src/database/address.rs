//! Which database a URL means.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::lock::beside;
use crate::domain::fault::{Fault, Result};

/// `sqlite://PATH`, the path relative to the working directory unless it begins with a slash; and the file with the keys by
/// which secrets in the database are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    path: PathBuf,
    key_file: PathBuf,
}

impl Address {
    /// Reads a URL.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() && !path.contains(['?', '#']) => Ok(Self {
                path: path.into(),
                key_file: beside(Path::new(path), ".key"),
            }),
            Some(("sqlite", _)) => Err(Fault::invalid(format!(
                "The database URL {text:?} does not name a file: write sqlite://PATH, such as \
                 sqlite://data/provisioning.db or sqlite:///var/lib/provisioning.db."
            ))),
            // The URL may hold a password: only its scheme is repeated.
            Some((scheme, _)) => Err(Fault::invalid(format!(
                "This version serves sqlite:// databases only, not {scheme}://: write sqlite://PATH, such as \
                 sqlite://data/provisioning.db."
            ))),
            None => Err(Fault::invalid(format!(
                "{text:?} is not a database URL: write sqlite://PATH, such as sqlite://{text}."
            ))),
        }
    }

    /// Returns the same database with its keys in another file.
    pub(crate) fn with_key_file(self, key_file: PathBuf) -> Self {
        Self { key_file, ..self }
    }

    /// Returns the file of the database.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file with the keys: beside the database, unless it is told otherwise.
    pub(super) fn key_file(&self) -> &Path {
        &self.key_file
    }

    /// Returns whether there is a database yet.
    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Returns a database beside this one, whose name ends with `suffix`. It has the same keys.
    pub(super) fn beside(&self, suffix: &str) -> Self {
        Self {
            path: beside(&self.path, suffix),
            key_file: self.key_file.clone(),
        }
    }

    /// Makes the folder that the file is to be in, for its owner alone.
    pub(crate) fn prepare(&self) -> Result<()> {
        let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
            return Ok(());
        };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|cause| {
            Fault::internal(
                format!("The folder {} for the database cannot be made.", folder.display()),
                cause,
            )
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite://{}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_unless_it_begins_with_a_slash() {
        for (url, path) in [
            ("sqlite://data/provisioning.db", "data/provisioning.db"),
            ("sqlite:///var/lib/p.db", "/var/lib/p.db"),
            ("sqlite://./x.db", "./x.db"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.path(), Path::new(path));
            assert_eq!(address.to_string(), url);
            assert_eq!(address.key_file(), Path::new(&format!("{path}.key")));
            let elsewhere = address.with_key_file("k".into());
            assert_eq!(
                (elsewhere.to_string().as_str(), elsewhere.key_file()),
                (url, Path::new("k"))
            );
        }
    }

    #[test]
    fn another_engine_is_refused_without_repeating_its_password() {
        let fault = Address::parse("postgres://u:secret@h/db")
            .unwrap_err()
            .to_string();
        assert!(
            fault.contains("sqlite:// databases only, not postgres://"),
            "{fault}"
        );
        assert!(!fault.contains("secret"));
        for bad in ["", "data.db", "sqlite://", "sqlite://x?mode=ro", "sqlite:x.db"] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
    }
}
