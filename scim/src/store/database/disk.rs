//! The disk below the database: whether it has room, and whether the file is still the one that was opened.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::health::Health;
use crate::log;

/// How often a trouble that lasts is told to the log.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// Bytes that must fit for the disk to count as one with room.
const ROOM: usize = 1 << 20;

/// The reason why the disk takes no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The disk is full.
    Full,
    /// Something else.
    Fails,
    /// The file is not the one that was opened, or is not there.
    Gone,
}

impl Trouble {
    fn number(self) -> u8 {
        match self {
            Self::Full => 1,
            Self::Fails => 2,
            Self::Gone => 3,
        }
    }

    fn of_number(number: u8) -> Option<Self> {
        [Self::Full, Self::Fails, Self::Gone]
            .into_iter()
            .find(|trouble| trouble.number() == number)
    }

    pub(super) fn health(self) -> Health {
        match self {
            Self::Full => Health::DiskFull,
            Self::Fails => Health::DiskFails,
            Self::Gone => Health::FileGone,
        }
    }
}

/// The state of the disk, as those know it who write.
pub(super) struct Disk {
    path: PathBuf,
    /// The path of the write-ahead log.
    log_path: PathBuf,
    /// Whether nobody would miss the file.
    is_volatile: bool,
    file: OnceLock<Option<FileId>>,
    log: OnceLock<Option<FileId>>,
    /// The number of a [`Trouble`]; 0 for none.
    trouble: AtomicU8,
    /// The trouble that was told last, and when.
    told: Mutex<Option<(Trouble, Instant)>>,
}

impl Disk {
    pub(super) fn new(path: &Path, is_volatile: bool) -> Self {
        Self {
            path: path.to_owned(),
            log_path: beside(path, "-wal"),
            is_volatile,
            file: OnceLock::new(),
            log: OnceLock::new(),
            trouble: AtomicU8::new(0),
            told: Mutex::new(None),
        }
    }

    /// Remembers the file, which is there and open.
    pub(super) fn opened(&self) {
        self.file.get_or_init(|| id_of(&self.path));
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        Trouble::of_number(self.trouble.load(Ordering::Relaxed))
    }

    /// Returns whether the file and its log are still those that were opened. It costs a look at two names.
    pub(super) fn is_there(&self) -> bool {
        if self.is_volatile {
            return true;
        }
        let log = id_of(&self.log_path);
        // The log is there from the first write on, for as long as a connection is open.
        let is_log = self.log.get_or_init(|| log.clone()).as_ref();
        let is_there = id_of(&self.path).as_ref() == self.file.get().and_then(Option::as_ref)
            && (is_log.is_none() || is_log == log.as_ref());
        match is_there {
            true if self.trouble() == Some(Trouble::Gone) => self.is_well(),
            true => {}
            false => self.has(Trouble::Gone),
        }
        is_there
    }

    /// Notes a trouble, and tells the log of it now and then.
    pub(super) fn has(&self, trouble: Trouble) {
        self.trouble.store(trouble.number(), Ordering::Relaxed);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.is_none_or(|(last, at)| last != trouble || at.elapsed() >= TELL_AGAIN);
        if is_news {
            *told = Some((trouble, Instant::now()));
            drop(told);
            tell_trouble(&self.path, &trouble.health().to_string());
        }
    }

    /// Notes that a write has succeeded, or would.
    pub(super) fn is_well(&self) {
        if self.trouble.swap(0, Ordering::Relaxed) != 0 {
            tell_end(&self.path);
        }
    }

    /// Tries whether there is room again, where there was none.
    pub(super) fn try_room(&self) {
        if matches!(self.trouble(), Some(Trouble::Full | Trouble::Fails)) && self.has_room().is_ok() {
            self.is_well();
        }
    }

    fn has_room(&self) -> io::Result<()> {
        let trial = beside(&self.path, "-room");
        // Anything that an earlier trial has left is nobody's.
        _ = fs::remove_file(&trial);
        let outcome = create_private(&trial).and_then(|()| {
            let mut file = File::options().write(true).open(&trial)?;
            file.write_all(&vec![0; ROOM])?;
            file.sync_data()
        });
        fs::remove_file(&trial).and(outcome)
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The identity of a file, which another with its name does not share.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileId {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

#[cfg(unix)]
fn id_of(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(path).ok().map(|found| FileId {
        device: found.dev(),
        inode: found.ino(),
    })
}

/// Returns only whether the file is there, which is enough on systems that cannot replace a file that is open.
#[cfg(not(unix))]
fn id_of(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|_| FileId {})
}

fn tell_trouble(path: &Path, sentence: &str) {
    #[cfg(feature = "tracing")]
    if log::is_heard() {
        return tracing::error!(database = %path.display(), "{sentence}");
    }
    log::to_standard_error(&format!("{}: {sentence}", path.display()));
}

fn tell_end(path: &Path) {
    let sentence = "The database takes writes again.";
    #[cfg(feature = "tracing")]
    if log::is_heard() {
        return tracing::info!(database = %path.display(), "{sentence}");
    }
    log::to_standard_error(&format!("{}: {sentence}", path.display()));
}

/// Makes a file. Persons are in it: only its owner may read it. The log and its index inherit the mode.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    let mut new = fs::OpenOptions::new();
    new.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    new.open(path).map(drop)
}
