//! A copy of the database while it is in use.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf, absolute};

use rusqlite::OpenFlags;
use rusqlite::backup::{Backup, StepResult};

use super::connection::Connection;
use super::disk::create_private;
use super::failure::failed;
use super::handle::Database;
use crate::{Error, Result};

/// Pages that are copied before the caller is told: a few MiB.
const STEP: i32 = 1_024;

/// How far a backup has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// Pages that are copied.
    pub copied: u64,
    /// Pages in all.
    pub total: u64,
}

impl Database {
    /// Copies the database, as it is when the copy begins, into a new file that only its owner may read, and returns the
    /// file's size in bytes. Everybody reads and writes meanwhile; the write-ahead log cannot be reset before the copy
    /// is complete.
    ///
    /// The file has its name only once it is whole, was read again and is on the disk. It needs no other file beside it,
    /// and is a database to be opened like any other. If the returned future is dropped, the copy is given up.
    ///
    /// ```
    /// use scim::store::database::{Database, Options};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("backup.db");
    /// let database = Database::in_memory(Options::default())?;
    /// database
    ///     .back_up(&path, |progress| println!("{} of {} pages", progress.copied, progress.total))
    ///     .await?;
    /// assert!(path.exists());
    /// # Ok::<_, scim::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The file exists already or cannot be written, or the database cannot be read. The reason is the error's
    /// [`source`](std::error::Error::source).
    pub async fn back_up(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<u64> {
        let path = absolute(path.as_ref()).map_err(Error::internal)?;
        self.apart(move |connection, is_awaited| {
            if path.exists() {
                let why = format!("the file {} exists already", path.display());
                return Err(Error::internal(why));
            }
            let partial = Partial::new(&path)?;
            partial.fill(connection, &mut progress, is_awaited)?;
            partial.keep(&path).map_err(Error::internal)
        })
        .await
    }
}

/// A file that is removed unless it is kept.
struct Partial(PathBuf);

impl Partial {
    fn new(path: &Path) -> Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = Self(name.into());
        // Anything that an earlier attempt has left is nobody's.
        partial.remove();
        create_private(&partial.0).map_err(Error::internal)?;
        Ok(partial)
    }

    fn fill(
        &self,
        source: &Connection,
        progress: &mut dyn FnMut(BackupProgress),
        is_awaited: &dyn Fn() -> bool,
    ) -> Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut copy = rusqlite::Connection::open_with_flags(&self.0, flags).map_err(failed)?;
        // The file is nobody's before it is complete, and is brought to the disk once, at the end.
        copy.pragma_update(None, "synchronous", "OFF").map_err(failed)?;
        let backup = Backup::new(source.driver(), &mut copy).map_err(failed)?;
        loop {
            let step = backup.step(STEP).map_err(failed)?;
            let state = backup.progress();
            let total = u64::try_from(state.pagecount).unwrap_or(0);
            let remaining = u64::try_from(state.remaining).unwrap_or(0);
            progress(BackupProgress {
                copied: total.saturating_sub(remaining),
                total,
            });
            // The database may be closing.
            source.meter().charge(0)?;
            match step {
                StepResult::Done => break,
                _ if is_awaited() => {}
                _ => return Err(Error::internal("nobody waits for the backup any more")),
            }
        }
        drop(backup);
        verify(&copy)
    }

    /// Gives the file its name, and returns its size.
    fn keep(self, path: &Path) -> io::Result<u64> {
        let file = File::open(&self.0)?;
        file.sync_all()?;
        fs::rename(&self.0, path)?;
        sync_folder_of(path)?;
        Ok(file.metadata()?.len())
    }

    fn remove(&self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(suffix);
            // Most of them do not exist.
            _ = fs::remove_file(name);
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Makes the copy a file that stands alone, and reads all of it.
fn verify(copy: &rusqlite::Connection) -> Result<()> {
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
        .map_err(failed)?;
    let verdict: String = copy
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(failed)?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(Error::internal(format!(
        "the copy is damaged, and so may be the database: {verdict}"
    )))
}

/// Syncs the folder of a file: a name is on the disk when its folder is.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}
