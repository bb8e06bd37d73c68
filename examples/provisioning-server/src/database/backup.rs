//! A copy of the database while it is in use, and a copy in its place.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use scim::store::database::{BackupProgress, Database, Options};
use serde_json::json;

use super::check::Inspection;
use super::lock::{Use, beside, sync_folder_of};
use super::{Address, Product, Purpose, audit, credentials, failed, mail, read_time, tokens};
use crate::domain::actor::Actor;
use crate::domain::credential::Event;
use crate::domain::fault::{Fault, Result};

/// The bytes that every SQLite file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Bytes that are copied at once.
const CHUNK: usize = 1 << 20;

/// The outcome of a restore.
#[derive(Debug)]
pub(crate) struct Restored {
    /// When the backup was taken, if it is one of this program.
    pub(crate) taken: Option<Timestamp>,
    /// The present place of the database that was there before.
    pub(crate) kept: Option<PathBuf>,
    /// Everything that the check of the backup went over.
    pub(crate) inspection: Inspection,
}

impl Product {
    /// Copies everything, as it is now, into a new file, and returns its size in bytes.
    pub(crate) async fn back_up(
        &self,
        path: &Path,
        now: Timestamp,
        progress: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<u64> {
        // Noted before, so that it stands in the copy.
        self.note("backed_up", now.as_microsecond().to_string()).await?;
        self.database.back_up(path, progress).await.map_err(|cause| {
            Fault::internal(
                format!("The backup {} could not be written.", path.display()),
                cause,
            )
        })
    }

    /// Returns when the last backup began.
    async fn backed_up(&self) -> Result<Option<Timestamp>> {
        let noted = self.noted("backed_up").await?.and_then(|text| text.parse().ok());
        noted.map(read_time).transpose().map_err(failed)
    }
}

impl Product {
    /// Notes in every organization that it is as it was when a backup was taken: tokens may have been revoked since.
    /// Whatever lets somebody in without a password ends, because it may have been taken back since.
    async fn note_restored(&self, actor: &Actor, taken: Option<Timestamp>, now: Timestamp) -> Result<()> {
        let actor = actor.clone();
        self.write(move |tx| {
            tokens::doubt_all(tx, taken.unwrap_or(now))?;
            credentials::apply_to_all(tx, Event::Restore)?;
            mail::cancel_restored(tx)?;
            let detail = json!({ "taken": taken.map(|at| at.to_string()) });
            audit::insert_everywhere(tx, &actor, "instance.restore", now, &detail)?;
            Ok(Ok(()))
        })
        .await
    }
}

/// Puts a backup in the place of a database, once it has passed a check. A database that is there is kept under another
/// name. Nobody else may use it meanwhile.
pub(crate) async fn restore(
    backup: &Path,
    address: &Address,
    replaces: bool,
    actor: &Actor,
    now: Timestamp,
    progress: impl FnMut(u64, u64),
) -> Result<Restored> {
    look_at(backup)?;
    address.prepare()?;
    if address.exists() && !replaces {
        return Err(Fault::conflict(format!(
            "There is a database at {address}: add --replace to put the backup in its place. The present one is kept \
             under another name."
        )));
    }
    let alone = Use::alone(address)?;
    let staged = address.beside(".restoring");
    remove(staged.path()).map_err(|cause| not_copied(backup, cause))?;
    let outcome = match copy(backup, staged.path(), progress) {
        Ok(()) => examine(&staged, actor, now).await,
        Err(cause) => Err(not_copied(backup, cause)),
    };
    let (taken, inspection) = match outcome {
        Ok(examined) => examined,
        Err(fault) => {
            _ = remove(staged.path());
            return Err(fault);
        }
    };
    let kept = exchange(&staged, address, now)
        .await
        .map_err(|cause| Fault::internal(format!("The backup cannot be put at {address}."), cause))?;
    drop(alone);
    Ok(Restored {
        taken,
        kept,
        inspection,
    })
}

/// Checks whether a file can be a backup at all.
fn look_at(backup: &Path) -> Result<()> {
    let mut begin = Vec::new();
    File::open(backup)
        .and_then(|file| file.take(16).read_to_end(&mut begin))
        .map_err(|cause| {
            Fault::internal(format!("The backup {} cannot be read.", backup.display()), cause)
        })?;
    if begin != MAGIC {
        return Err(Fault::invalid(format!(
            "{} is not a backup: \"backup FILE\" makes one.",
            backup.display()
        )));
    }
    if fs::metadata(beside(backup, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(Fault::conflict(format!(
            "{0} has a write-ahead log beside it: it is a database in use, or was not closed. Back it up with \
             \"backup FILE --database sqlite://{0}\", and restore the result.",
            backup.display()
        )));
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, mut progress: impl FnMut(u64, u64)) -> io::Result<()> {
    let mut source = File::open(from)?;
    let total = source.metadata()?.len();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut target = options.open(to)?;
    let mut chunk = vec![0; CHUNK];
    let mut copied = 0;
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        target.write_all(chunk.get(..read).unwrap_or_default())?;
        copied += u64::try_from(read).unwrap_or(0);
        progress(copied, total);
    }
    target.sync_all()
}

/// Brings the copy up to date and checks it, and ends in it what may have ended since it was taken.
async fn examine(staged: &Address, actor: &Actor, now: Timestamp) -> Result<(Option<Timestamp>, Inspection)> {
    let product = Product::open(staged, Purpose::Command).await?;
    let examined = async {
        let taken = product.backed_up().await?;
        let inspection = product.inspect(|_| {}).await?;
        if inspection.findings.is_empty() {
            product.note_restored(actor, taken, now).await?;
        }
        Ok((taken, inspection))
    }
    .await;
    product.close().await;
    let (taken, inspection) = examined?;
    match inspection.findings.first() {
        None => Ok((taken, inspection)),
        Some(first) => Err(Fault::conflict(format!(
            "The backup is not sound, and nothing was changed. Findings: {}. The first: {first}.",
            inspection.finding_count
        ))),
    }
}

/// Gives the copy the name of the database; what had it gets another. At no moment is there no database.
async fn exchange(staged: &Address, address: &Address, now: Timestamp) -> io::Result<Option<PathBuf>> {
    let mut kept = None;
    if address.exists() {
        let suffix = now.strftime(".replaced-%Y%m%dT%H%M%SZ").to_string();
        let place = beside(address.path(), &suffix);
        set_aside(address, &place).await?;
        kept = Some(place);
    }
    fs::rename(staged.path(), address.path())?;
    _ = remove(staged.path());
    sync_folder_of(address.path())?;
    Ok(kept)
}

/// Gives a database a second name, alone with what belongs to it.
async fn set_aside(address: &Address, place: &Path) -> io::Result<()> {
    // Another restore in the same second has put its own there.
    if place.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // Opening it brings what the log holds into the file. One that cannot be opened keeps its log.
    if let Ok(database) = Database::open(address.path(), Options::default()) {
        database.close().await;
    }
    for part in ["-wal", "-shm"] {
        let file = beside(address.path(), part);
        if file.exists() {
            fs::rename(file, beside(place, part))?;
        }
    }
    // If there are no links, the name is free for a moment.
    fs::hard_link(address.path(), place).or_else(|_| fs::rename(address.path(), place))
}

/// Removes a database that nobody uses.
fn remove(path: &Path) -> io::Result<()> {
    for part in ["", "-wal", "-shm", ".lock"] {
        match fs::remove_file(beside(path, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn not_copied(backup: &Path, cause: io::Error) -> Fault {
    Fault::internal(
        format!("The backup {} cannot be copied.", backup.display()),
        cause,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_was_set_aside_before_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let address = Address::parse(&format!("sqlite://{}", file("x.db").display())).unwrap();
        fs::write(file("x.db"), "present").unwrap();
        fs::write(file("x.db.replaced"), "earlier").unwrap();
        let refused = set_aside(&address, &file("x.db.replaced")).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(file("x.db")).unwrap(), b"present");
        assert_eq!(fs::read(file("x.db.replaced")).unwrap(), b"earlier");
    }
}
