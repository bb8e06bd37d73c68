//! The file that holds the keys by which secrets in the database are sealed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::lock::{beside, sync_folder_of};
use crate::domain::fault::{Fault, Result};
use crate::domain::sealed::KeyRing;

/// The largest file that is read: thousands of keys.
const LARGEST: u64 = 1 << 20;

/// Reads a key file, if there is one.
///
/// # Errors
/// It cannot be read, others may read it, or it is not a key file.
pub(super) fn read(path: &Path) -> Result<Option<KeyRing>> {
    let unreadable =
        |cause: io::Error| Fault::internal(format!("The key file {} cannot be read.", path.display()), cause);
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(cause)),
    };
    demand_seclusion(path, &metadata)?;
    let wrong = |why: String| Fault::conflict(format!("{} is not a valid key file: {why}.", path.display()));
    if metadata.len() > LARGEST {
        return Err(wrong("it is too large".to_owned()));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    KeyRing::parse(&text)
        .map(Some)
        .map_err(|fault| wrong(fault.to_string()))
}

/// Checks that a key file is closed to those who are neither its owner nor of its group: a cluster gives every file of a
/// volume to the group of the server.
#[cfg(unix)]
fn demand_seclusion(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    if mode & 0o007 == 0 {
        return Ok(());
    }
    Err(Fault::conflict(format!(
        "The key file {0} is open to everybody (mode {1:o}): \"chmod 600 {0}\", and \"key rotate\" if somebody \
         may have read it.",
        path.display(),
        mode & 0o777
    )))
}

#[cfg(not(unix))]
fn demand_seclusion(_: &Path, _: &fs::Metadata) -> Result<()> {
    Ok(())
}

/// Writes a key file where there is none. If another process was faster, its file stays.
///
/// # Errors
/// The file cannot be written.
pub(super) fn create(path: &Path, ring: &KeyRing) -> Result<()> {
    let made = write_beside(path, ring).and_then(|draft| {
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    });
    made.and_then(|()| sync_folder_of(path))
        .map_err(|cause| not_written(path, cause))
}

/// Puts another text in the place of a key file, at one moment.
///
/// # Errors
/// The file cannot be written.
pub(super) fn replace(path: &Path, ring: &KeyRing) -> Result<()> {
    write_beside(path, ring)
        .and_then(|draft| fs::rename(draft, path))
        .and_then(|()| sync_folder_of(path))
        .map_err(|cause| not_written(path, cause))
}

/// Writes the text of a key file under a name of this process alone.
fn write_beside(path: &Path, ring: &KeyRing) -> io::Result<std::path::PathBuf> {
    let draft = beside(path, &format!(".{}", std::process::id()));
    // Left by an earlier process with this number.
    match fs::remove_file(&draft) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(&draft)?;
    file.write_all(ring.text().as_bytes())?;
    file.sync_all()?;
    Ok(draft)
}

fn not_written(path: &Path, cause: io::Error) -> Fault {
    Fault::internal(
        format!(
            "The key file {} cannot be written: check the permissions of its folder, or name another with --key-file.",
            path.display()
        ),
        cause,
    )
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::sealed::{Key, RANDOM};

    fn ring(byte: u8) -> KeyRing {
        KeyRing::new(Key::from_random([byte; RANDOM], Timestamp::UNIX_EPOCH))
    }

    /// Feature row 94: of processes that make a key file at once, one wins, and its file is its owner's alone.
    #[test]
    fn a_key_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db.key");
        assert_eq!(read(&path).unwrap(), None);
        create(&path, &ring(1)).unwrap();
        create(&path, &ring(2)).unwrap();
        assert_eq!(read(&path).unwrap(), Some(ring(1)));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        replace(&path, &ring(3)).unwrap();
        assert_eq!(read(&path).unwrap(), Some(ring(3)));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no draft is left"
        );
    }

    /// Feature row 94: a key file that others may read or that is something else is refused, and not repeated.
    #[test]
    fn a_key_file_that_is_open_or_wrong_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db.key");
        create(&path, &ring(1)).unwrap();
        for mode in [0o604, 0o602, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let fault = read(&path).unwrap_err().to_string();
            assert!(fault.contains("chmod 600"), "{fault}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read(&path).unwrap().is_some());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).unwrap();
        assert!(read(&path).unwrap().is_some());
        for wrong in ["hush", ""] {
            fs::write(&path, wrong).unwrap();
            let fault = read(&path).unwrap_err().to_string();
            assert!(
                fault.contains("is not a valid key file") && !fault.contains("hush"),
                "{fault}"
            );
        }
    }
}
