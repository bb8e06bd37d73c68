//! Which database a URL means.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::lock::beside;
use crate::domain::fault::{Fault, Result};

/// `sqlite://PATH`, the path relative to the working directory unless it begins with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(PathBuf);

impl Address {
    /// Reads a URL.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() && !path.contains(['?', '#']) => Ok(Self(path.into())),
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

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether there is a database yet.
    pub(crate) fn exists(&self) -> bool {
        self.0.exists()
    }

    /// A database beside this one, whose name ends with `suffix`.
    pub(super) fn beside(&self, suffix: &str) -> Self {
        Self(beside(&self.0, suffix))
    }

    /// Makes the folder that the file is to be in, for its owner alone.
    pub(crate) fn prepare(&self) -> Result<()> {
        let Some(folder) = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
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
        write!(f, "sqlite://{}", self.0.display())
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
