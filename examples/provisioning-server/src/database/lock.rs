//! The processes that use a database: many at once, or the one that puts another in its place.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::Address;
use crate::domain::fault::{Fault, Result};

/// The use of a database, until it is dropped. The lock is on a file beside the database, so that it outlives an exchange
/// of the database itself; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Use(#[allow(dead_code, reason = "it is held, and let go of when it is dropped")] File);

impl Use {
    /// Uses a database beside others.
    pub(super) fn shared(address: &Address) -> Result<Self> {
        let file = open(address)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self(file)),
            // A file system without locks has no restore either.
            Err(TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Unsupported => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Fault::conflict(format!(
                "The database {address} is being restored: wait until \"restore\" has ended."
            ))),
            Err(TryLockError::Error(cause)) => Err(not_locked(address, cause)),
        }
    }

    /// Uses a database alone.
    pub(super) fn alone(address: &Address) -> Result<Self> {
        let file = open(address)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Fault::conflict(format!(
                "The database {address} is in use by a server or another command: stop the server first."
            ))),
            Err(TryLockError::Error(cause)) => Err(not_locked(address, cause)),
        }
    }
}

fn open(address: &Address) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(beside(address.path(), ".lock"))
        .map_err(|cause| not_locked(address, cause))
}

fn not_locked(address: &Address, cause: io::Error) -> Fault {
    Fault::internal(
        format!("The database {address} cannot be locked: check the permissions of its folder."),
        cause,
    )
}

/// Returns a file beside another: its name with something behind it.
pub(super) fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Syncs the folder of a file: a name is on the disk when its folder is.
#[cfg(unix)]
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_use_a_database_or_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::parse(&format!("sqlite://{}", folder.path().join("x.db").display())).unwrap();
        let first = Use::shared(&address).unwrap();
        let second = Use::shared(&address).unwrap();
        let refused = Use::alone(&address).unwrap_err().to_string();
        assert!(refused.contains("stop the server first"), "{refused}");
        drop((first, second));
        let alone = Use::alone(&address).unwrap();
        let refused = Use::shared(&address).unwrap_err().to_string();
        assert!(refused.contains("is being restored"), "{refused}");
        drop(alone);
        Use::shared(&address).unwrap();
    }
}
