//! How a connection is opened, and what jobs may not do with it.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::wal::CheckpointMode;

use super::disk::{Disk, create_private};
use super::failure::{is_busy, not_opened};
use super::meter::{GRAIN, Meter};
use super::options::{Durability, Options};
use crate::Result;

/// Between two tries to get a lock that another connection has.
const POLL: Duration = Duration::from_millis(1);
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 512;

/// How a file is written that nobody will miss.
const VOLATILE: &str = "OFF";

/// The pragmas that jobs may ask or set: all of them belong to the file and to the transaction, none to the connection.
const PRAGMAS: &[&str] = &[
    "application_id",
    "data_version",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "optimize",
    "page_count",
    "page_size",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// The place of the database, and how every connection to it is set up.
#[derive(Debug, Clone)]
pub(super) struct Target {
    path: PathBuf,
    synchronous: &'static str,
    options: Options,
    /// How many statements all connections have run.
    statements: Arc<AtomicU64>,
}

/// A connection with one owner, its thread.
pub(super) struct Connection {
    driver: rusqlite::Connection,
    /// The meter to which jobs that may take long are charged.
    meter: Arc<Meter>,
    /// Set while one of our own transaction statements is prepared or runs.
    privileged: Arc<AtomicBool>,
    statements: Arc<AtomicU64>,
    /// Whether a statement was prepared that may change the database.
    changes: Cell<bool>,
    /// Whether statements of the application must run on other engines, too.
    #[cfg(debug_assertions)]
    is_portable: bool,
}

impl Target {
    pub(super) fn file(path: &Path, options: &Options) -> Self {
        Self {
            path: path.to_owned(),
            synchronous: match options.durability {
                Durability::Full => "FULL",
                Durability::Normal => "NORMAL",
            },
            options: options.clone(),
            statements: Arc::default(),
        }
    }

    /// Returns how many statements all connections have run.
    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Makes the target for a file that nobody will miss.
    pub(super) fn volatile(path: &Path, options: &Options) -> Self {
        Self {
            synchronous: VOLATILE,
            ..Self::file(path, options)
        }
    }

    pub(super) fn disk(&self) -> Disk {
        Disk::new(&self.path, self.synchronous == VOLATILE)
    }

    /// Opens the one connection that changes the file. Makes the file if there is none, and counts the pages of the log
    /// into `wal_pages` with every commit that writes.
    pub(super) fn writer(&self, wal_pages: Arc<AtomicU64>) -> Result<Connection> {
        match create_private(&self.path) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                return Err(not_opened(&self.path, cause));
            }
            _ => {}
        }
        let writer = self.open(
            OpenFlags::SQLITE_OPEN_READ_WRITE,
            self.options.cache_bytes,
            |driver| {
                self.enter_wal_mode(driver)?;
                driver.pragma_update(None, "journal_size_limit", clamp(self.options.wal_bytes))?;
                // Takes the place of SQLite's own automatic checkpoint, which would run inside COMMIT.
                driver.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
                    wal_pages.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
                    Ok(())
                }))
            },
        )?;
        // The writer waits for the lock by itself.
        let waits = writer.driver.busy_timeout(Duration::ZERO);
        waits.map_err(|cause| not_opened(&self.path, cause))?;
        Ok(writer)
    }

    pub(super) fn reader(&self) -> Result<Connection> {
        let cache = self.options.cache_bytes / 4;
        self.open(OpenFlags::SQLITE_OPEN_READ_ONLY, cache, |_| Ok(()))
    }

    /// Opens a connection for searches: they have many, and go over more than a cache holds.
    pub(super) fn searcher(&self) -> Result<Connection> {
        let cache = self.options.cache_bytes / 16;
        self.open(OpenFlags::SQLITE_OPEN_READ_ONLY, cache, |_| Ok(()))
    }

    /// Opens a connection for long walks. A long walk passes each page once: a small cache does.
    pub(super) fn walker(&self) -> Result<Connection> {
        let cache = (self.options.cache_bytes / 4).min(2 << 20);
        self.open(OpenFlags::SQLITE_OPEN_READ_ONLY, cache, |_| Ok(()))
    }

    pub(super) fn checkpointer(&self) -> Result<Connection> {
        self.open(OpenFlags::SQLITE_OPEN_READ_WRITE, 1 << 20, |_| Ok(()))
    }

    fn open(
        &self,
        access: OpenFlags,
        cache_bytes: usize,
        prepare: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<()>,
    ) -> Result<Connection> {
        self.try_open(access, cache_bytes, prepare)
            .map_err(|cause| not_opened(&self.path, cause))
    }

    fn try_open(
        &self,
        access: OpenFlags,
        cache_bytes: usize,
        prepare: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Connection> {
        // Each connection stays on one thread: SQLite's own mutexes would only cost time.
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut driver = rusqlite::Connection::open_with_flags(&self.path, flags)?;
        driver.busy_timeout(self.options.busy_timeout)?;
        driver.set_prepared_statement_cache_capacity(STATEMENTS);
        // Else SQLite plans a statement anew whenever a parameter that the plan may depend on, such as that of LIMIT, is
        // bound again, and a cached statement costs what a new one does.
        driver.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        prepare(&mut driver)?;
        driver.pragma_update(None, "synchronous", self.synchronous)?;
        driver.pragma_update(None, "cache_size", -clamp(cache_bytes >> 10))?;
        driver.pragma_update_and_check(None, "mmap_size", clamp(self.options.mmap_bytes), |_| Ok(()))?;
        driver.pragma_update(None, "foreign_keys", true)?;
        driver.pragma_update(None, "trusted_schema", false)?;
        driver.pragma_update(None, "temp_store", "MEMORY")?;
        let meter = Arc::new(Meter::default());
        if access == OpenFlags::SQLITE_OPEN_READ_ONLY {
            let asked = Arc::clone(&meter);
            driver.progress_handler(GRAIN.into(), Some(move || asked.ends()))?;
        }
        let privileged = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&privileged);
        driver.authorizer(Some(move |context: AuthContext<'_>| authorize(&context, &flag)))?;
        Ok(Connection {
            driver,
            meter,
            privileged,
            statements: Arc::clone(&self.statements),
            changes: Cell::new(false),
            #[cfg(debug_assertions)]
            is_portable: self.options.portable,
        })
    }

    /// Switches to the journal mode `wal`. The switch needs the file for itself, and SQLite does not wait for it as it does for a
    /// write: two processes that open a new file at the same moment would fail.
    fn enter_wal_mode(&self, driver: &rusqlite::Connection) -> rusqlite::Result<()> {
        let mode = until_free(self.options.busy_timeout, || {
            driver.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))
        })?;
        match mode == "wal" {
            true => Ok(()),
            false => {
                let text = format!("the file system allows the journal mode {mode} only, and not wal");
                Err(rusqlite::Error::ToSqlConversionFailure(text.into()))
            }
        }
    }
}

fn clamp(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Decides what a job may do. A job shares its transaction with others: it must neither end it nor change the connection.
fn authorize(context: &AuthContext<'_>, privileged: &AtomicBool) -> Authorization {
    let allowed = match context.action {
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => privileged.load(Ordering::Relaxed),
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => false,
        AuthAction::Pragma { pragma_name, .. } => {
            let name = pragma_name.to_ascii_lowercase();
            PRAGMAS.contains(&name.as_str()) || privileged.load(Ordering::Relaxed)
        }
        _ => true,
    };
    if allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

impl Connection {
    /// Counts a statement.
    pub(super) fn count_statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a statement is about to run that may change the database.
    pub(super) fn note_change(&self) {
        self.changes.set(true);
    }

    /// Returns whether such a statement has run since it was last [forgotten](Self::forget_changes).
    pub(super) fn may_have_changed(&self) -> bool {
        self.changes.get()
    }

    pub(super) fn forget_changes(&self) {
        self.changes.set(false);
    }

    pub(super) fn driver(&self) -> &rusqlite::Connection {
        &self.driver
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Returns whether statements of the application must run on other engines, too.
    #[cfg(debug_assertions)]
    pub(super) fn is_portable(&self) -> bool {
        self.is_portable
    }

    /// Prepares a transaction statement of our own. It stays out of the cache, where a job could find it.
    pub(super) fn prepare_control(&self, sql: &'static str) -> rusqlite::Result<Control<'_>> {
        let statement = self.privileged(|| self.driver.prepare(sql))?;
        Ok(Control {
            connection: self,
            statement,
        })
    }

    /// Prepares and runs a transaction statement of our own.
    pub(super) fn control(&self, sql: &'static str) -> rusqlite::Result<()> {
        self.prepare_control(sql)?.run()
    }

    /// Begins a transaction that sees the state of now, whenever its first statement runs.
    pub(super) fn begin_snapshot(&self) -> rusqlite::Result<()> {
        self.control("BEGIN")?;
        self.driver
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    }

    fn privileged<T>(&self, run: impl FnOnce() -> T) -> T {
        self.privileged.store(true, Ordering::Relaxed);
        let outcome = run();
        self.privileged.store(false, Ordering::Relaxed);
        outcome
    }

    pub(super) fn in_transaction(&self) -> bool {
        !self.driver.is_autocommit()
    }

    /// Moves what it can from the log to the file, and waits for nobody.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.driver
            .wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE)
            .map(drop)
    }

    /// Moves everything from the log to the file and makes the next commit start the log over; tries up to `patience`
    /// until nobody reads from the log. Only for the writer's connection, which does not wait otherwise.
    ///
    /// SQLite would wait by itself, but for the slot in which a reader has noted the end of what it reads, and it does
    /// not look at the slot again: readers that never rest note a newer end in it, which would do, and are waited for in
    /// vain. Each try reads the slots again.
    pub(super) fn restart_wal(&self, patience: Duration) -> rusqlite::Result<()> {
        until_free(patience, || {
            self.driver
                .wal_checkpoint_v2(None::<&str>, CheckpointMode::RESTART)
                .map(drop)
        })
    }
}

/// Tries something until no other connection has the lock that it needs, or the time is over.
pub(super) fn until_free<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && Instant::now() < deadline => sleep(POLL),
            outcome => return outcome,
        }
    }
}

/// A prepared transaction statement of our own.
pub(super) struct Control<'a> {
    connection: &'a Connection,
    statement: rusqlite::Statement<'a>,
}

impl Control<'_> {
    pub(super) fn run(&mut self) -> rusqlite::Result<()> {
        // SQLite may prepare the statement again, and then asks the authorizer again.
        self.connection
            .privileged(|| self.statement.execute([]).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rusqlite::StatementStatus;
    use tempfile::TempDir;

    use super::*;

    fn target() -> (TempDir, Target) {
        let directory = tempfile::tempdir().unwrap();
        let target = Target::file(&directory.path().join("data.sqlite"), &Options::default());
        (directory, target)
    }

    /// A statement is parsed and planned once, also if the number of rows it may give is bound anew each time.
    #[test]
    fn a_kept_statement_is_not_prepared_again() {
        let (_directory, target) = target();
        let connection = target.writer(Arc::default()).unwrap();
        connection
            .driver()
            .execute_batch("CREATE TABLE note(id INTEGER PRIMARY KEY)")
            .unwrap();
        let sql = "SELECT id FROM note WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = connection.driver().prepare_cached(sql).unwrap();
        for limit in 1..5 {
            assert!(!statement.exists([0, limit]).unwrap());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    /// Two readers that pass a read mark to each other without a gap: the one that holds it lets go only when the other
    /// has it too, and each sees the newest state.
    #[test]
    fn the_log_starts_over_though_some_reader_always_holds_the_same_mark() {
        let (_directory, target) = target();
        let writer = target.writer(Arc::default()).unwrap();
        let insert = || writer.driver().execute("INSERT INTO note(body) VALUES ('x')", []);
        writer.driver().execute_batch("CREATE TABLE note(body)").unwrap();
        let (old, new) = (target.reader().unwrap(), target.reader().unwrap());
        old.begin_snapshot().unwrap();
        insert().unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut readers = [old, new];
                // The checkpoint has seen by now that an old state is being read.
                sleep(Duration::from_millis(50));
                readers[0].control("COMMIT").unwrap();
                readers[0].begin_snapshot().unwrap();
                while !is_over.load(Ordering::Relaxed) {
                    readers[1].begin_snapshot().unwrap();
                    readers[0].control("COMMIT").unwrap();
                    readers.swap(0, 1);
                }
            });
            let outcome = writer.restart_wal(Duration::from_secs(20));
            is_over.store(true, Ordering::Relaxed);
            outcome.unwrap();
        });
        insert().unwrap();
    }
}
