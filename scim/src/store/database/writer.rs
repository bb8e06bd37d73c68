//! The thread that changes the file: it joins the jobs that wait into one commit.

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::vec::IntoIter;

use super::connection::{Connection, Control, until_free};
use super::cost::Costs;
use super::disk::Trouble;
use super::failure::{GroupFailure, guarded, trouble_of};
use super::shared::{Ran, Shared, WriteJob};
use super::statements::Transaction;
use crate::store::withdrawal::Label;

/// How long the writer waits for readers of other processes, and for streams that look around, when the log should start
/// over. Whatever reads for longer is not waited for: everybody waits for the writer meanwhile.
const RESTART_PATIENCE: Duration = Duration::from_millis(100);
/// The pause after the first failure to do so; it doubles up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many times its limit the log may reach while a checkpoint is under way.
const PATIENT_LIMITS: u64 = 4;
/// How long the lock is left to other processes after a group that took all of its time: longer than they wait for their
/// next try.
const GAP: Duration = Duration::from_millis(2);
/// Bytes of a page of SQLite, unless somebody changed it.
const PAGE: usize = 4096;
/// How many groups give each job a savepoint after one in which jobs had to run again: jobs that fail behind changes of
/// their own come in rows.
const CAREFUL_GROUPS: u32 = 32;

/// A job of a caller with the way its answer goes.
pub(super) struct Pending<T, J, A> {
    job: J,
    is_looked_up: bool,
    result: Option<crate::Result<T>>,
    answer: A,
}

impl<T, J, A> Pending<T, J, A>
where
    T: Send + 'static,
    J: Fn(&Transaction<'_>) -> crate::Result<T> + Send + 'static,
    A: FnOnce(crate::Result<T>) + Send + 'static,
{
    /// Boxes a job; `is_looked_up` says whether look-ups have to see what it changes.
    pub(super) fn boxed(job: J, is_looked_up: bool, answer: A) -> Box<dyn WriteJob> {
        Box::new(Self {
            job,
            is_looked_up,
            result: None,
            answer,
        })
    }
}

impl<T, J, A> WriteJob for Pending<T, J, A>
where
    T: Send,
    J: Fn(&Transaction<'_>) -> crate::Result<T> + Send,
    A: FnOnce(crate::Result<T>) + Send,
{
    fn run(&mut self, transaction: &Transaction<'_>) -> Ran {
        let result = guarded(|| (self.job)(transaction));
        let ran = match &result {
            Ok(_) => Ran::Kept,
            Err(error) => trouble_of(error).map_or(Ran::Undone, Ran::Hindered),
        };
        // Whom the disk hinders is told so with its group.
        self.result = Some(result).filter(|_| !matches!(ran, Ran::Hindered(_)));
        ran
    }

    fn is_looked_up(&self) -> bool {
        self.is_looked_up
    }

    fn answer(self: Box<Self>, group: Result<(), &GroupFailure>) {
        let Self {
            job, result, answer, ..
        } = *self;
        let result = match (result, group) {
            // A job that failed by itself hears its own reason, whatever became of the group.
            (Some(Err(error)), _) => Err(error),
            (_, Err(failure)) => Err(failure.error()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            // Never run, in a group that succeeded: dropping `answer` tells the caller.
            (None, Ok(())) => return,
        };
        // The caller may be gone, and dropping its job and its value is code that is not ours.
        _ = guarded(|| {
            drop(job);
            Ok(())
        });
        _ = guarded(|| {
            answer(result);
            Ok(())
        });
    }
}

/// Runs until the queue is closed and drained.
pub(super) fn run(connection: &Connection, shared: &Shared) {
    let Ok(mut writer) = Writer::new(connection, shared) else {
        return shared.writes.abandon();
    };
    let mut group = Vec::new();
    while shared.writes.take_group(shared.options.batch, &mut group) {
        writer.commit_all(std::mem::take(&mut group));
        shared.pulse.rest();
    }
}

struct Writer<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    begin: Control<'a>,
    commit: Control<'a>,
    rollback: Control<'a>,
    savepoint: Control<'a>,
    release: Control<'a>,
    rollback_to: Control<'a>,
    /// Pages in the log when the last checkpoint was asked for.
    checkpointed_at: u64,
    costs: Costs,
    /// Groups that are still to give each job a savepoint.
    careful_groups: u32,
    /// When the log may be made to start over again after that failed, and how long the pause was.
    restart_after: Option<(Instant, Duration)>,
}

/// Why a group was committed before all of its jobs had run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// It was not.
    Never,
    /// It has taken all of its time.
    ByTime,
    /// Its jobs are costly, and others wait whose jobs are not.
    ForOthers,
}

/// Whether a job that failed left those before it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Isolation {
    Intact,
    /// Its changes stand among those of others.
    Lost,
}

/// A job and whose it is.
type Labelled = (Option<Label>, Box<dyn WriteJob>);

/// Jobs of a group that have not run.
type Waiting = IntoIter<Labelled>;

/// Jobs that ran, with what they have come to.
type Done = Vec<(Labelled, Ran)>;

impl<'a> Writer<'a> {
    fn new(connection: &'a Connection, shared: &'a Shared) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            shared,
            begin: connection.prepare_control("BEGIN IMMEDIATE")?,
            commit: connection.prepare_control("COMMIT")?,
            rollback: connection.prepare_control("ROLLBACK")?,
            savepoint: connection.prepare_control("SAVEPOINT job")?,
            release: connection.prepare_control("RELEASE job")?,
            rollback_to: connection.prepare_control("ROLLBACK TO job")?,
            checkpointed_at: 0,
            costs: Costs::default(),
            careful_groups: 0,
            restart_after: None,
        })
    }

    /// Makes one commit, as a rule, and another for jobs that are costly: nobody else waits for these.
    fn commit_all(&mut self, group: Vec<Labelled>) {
        let (costly, ordinary): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|(label, _)| self.costs.are_high(*label));
        for jobs in [ordinary, costly] {
            self.commit_one_kind(jobs.into_iter());
        }
        self.keep_wal_short();
    }

    /// Makes one commit, unless SQLite gives up the transaction under a job (a full disk does that): the jobs that had
    /// not run yet get another.
    fn commit_one_kind(&mut self, mut waiting: Waiting) {
        while waiting.len() > 0 {
            let mut done = Vec::with_capacity(waiting.len());
            self.shared.wal_pages.store(0, Ordering::Relaxed);
            match self.group(&mut waiting, &mut done) {
                Ok(cut) => {
                    self.committed(done);
                    if waiting.len() > 0 {
                        self.leave_to_others(waiting, cut);
                        break;
                    }
                }
                Err(failure) => self.failed(&failure, done, &mut waiting),
            }
        }
    }

    /// Puts the rest of a group back. After one that has taken all of its time, leaves time to a process that waits for the
    /// lock.
    fn leave_to_others(&self, rest: Waiting, cut: Cut) {
        self.shared.writes.give_back(rest);
        self.shared.pulse.rest();
        if cut == Cut::ByTime {
            self.shared.counters.cut_batches.add(1);
            sleep(GAP);
        }
    }

    /// Waits for the lock, which another process may have. SQLite itself asks ten times a second after a while; a
    /// process that commits one group after the other lets go of the lock for much shorter than that.
    fn begin(&mut self) -> rusqlite::Result<()> {
        let mut is_again = false;
        until_free(self.shared.options.busy_timeout, || {
            if std::mem::replace(&mut is_again, true) {
                self.shared.counters.lock_waits.add(1);
            }
            self.begin.run()
        })
    }

    /// Runs and commits. Whatever is answered after that stands in the file that has the name of the database: it is
    /// looked at behind the commit, and nothing is tried while it is known to be gone.
    fn group(&mut self, waiting: &mut Waiting, done: &mut Done) -> Result<Cut, GroupFailure> {
        let disk = &self.shared.disk;
        let retry = self.shared.options.disk_retry;
        let gone = || GroupFailure::of_disk(Trouble::Gone, retry);
        if disk.trouble() == Some(Trouble::Gone) && !disk.is_there() {
            return Err(gone());
        }
        let cut = self
            .transaction(waiting, done)
            .map_err(|cause| GroupFailure::new(cause, retry))?;
        match kept(done) == 0 || disk.is_there() {
            true => Ok(cut),
            false => Err(gone()),
        }
    }

    fn transaction(&mut self, waiting: &mut Waiting, done: &mut Done) -> rusqlite::Result<Cut> {
        self.shared.pulse.beat(Instant::now());
        self.begin()?;
        let begun = Instant::now();
        let mut now = begun;
        let mut cut = Cut::Never;
        while let Some(next) = waiting.next() {
            self.shared.pulse.beat(now);
            let label = next.0;
            if self.run_job(next, done)? == Isolation::Lost {
                self.start_over(waiting, done)?;
            }
            let ended = Instant::now();
            let held = ended.duration_since(now);
            self.costs.note(label, held);
            let micros = u64::try_from(held.as_micros()).unwrap_or(u64::MAX);
            self.shared.counters.write_micros.add(micros);
            now = ended;
            if now.duration_since(begun) >= self.shared.options.batch_time {
                cut = Cut::ByTime;
                break;
            }
            if self.costs.are_high(label) && self.an_ordinary_one_waits() {
                cut = Cut::ForOthers;
                break;
            }
        }
        if kept(done) == 0 {
            // A commit would write the pages that were changed and changed back.
            return self.rollback.run().map(|()| cut);
        }
        self.commit.run().map(|()| cut)
    }

    /// Runs a job. One that fails is undone by itself where a savepoint stands before it.
    ///
    /// A savepoint costs a copy of every page that its job changes, and hardly a job needs it: most that fail do so before
    /// they have changed anything.
    fn run_job(&mut self, (label, mut job): Labelled, done: &mut Done) -> rusqlite::Result<Isolation> {
        let is_careful = self.careful_groups > 0;
        if is_careful && let Err(cause) = self.savepoint.run() {
            done.push(((label, job), Ran::Undone));
            return Err(cause);
        }
        self.connection.forget_changes();
        let ran = job.run(&Transaction::new(self.connection));
        done.push(((label, job), ran));
        if !self.connection.in_transaction() {
            return Err(transaction_lost(ran));
        }
        if is_careful {
            if ran != Ran::Kept {
                self.rollback_to.run()?;
            }
            self.release.run()?;
            return Ok(Isolation::Intact);
        }
        match ran != Ran::Kept && self.connection.may_have_changed() {
            true => Ok(Isolation::Lost),
            false => Ok(Isolation::Intact),
        }
    }

    /// Undoes everything, and has those run again that did not fail.
    fn start_over(&mut self, waiting: &mut Waiting, done: &mut Done) -> rusqlite::Result<()> {
        let (again, failed): (Vec<_>, Vec<_>) = std::mem::take(done)
            .into_iter()
            .partition(|(_, ran)| *ran == Ran::Kept);
        *done = failed;
        if !again.is_empty() {
            self.careful_groups = CAREFUL_GROUPS;
            let again = again.into_iter().map(|(job, _)| job);
            *waiting = again.chain(waiting.by_ref()).collect::<Vec<_>>().into_iter();
        }
        self.rollback.run()?;
        self.begin()
    }

    fn an_ordinary_one_waits(&self) -> bool {
        self.shared.writes.any(|label| !self.costs.are_high(label))
    }

    fn committed(&mut self, done: Done) {
        if self.shared.wal_pages.load(Ordering::Relaxed) > 0 {
            match done.iter().any(|((_, job), _)| job.is_looked_up()) {
                true => self.shared.committed(),
                false => self.shared.appended(),
            }
            self.shared.disk.is_well();
        }
        let counters = &self.shared.counters;
        let kept = kept(&done);
        counters.commits.add(u64::from(kept > 0));
        counters.writes.add(count(kept));
        counters.failed_writes.add(count(done.len() - kept));
        counters.largest_batch.raise_to(count(done.len()));
        self.careful_groups = self.careful_groups.saturating_sub(1);
        for ((_, job), ran) in done {
            match ran {
                Ran::Hindered(trouble) => {
                    self.shared.disk.has(trouble);
                    let retry = self.shared.options.disk_retry;
                    job.answer(Err(&GroupFailure::of_disk(trouble, retry)));
                }
                Ran::Kept | Ran::Undone => job.answer(Ok(())),
            }
        }
    }

    /// Undoes everything that ran. If nothing ran, nothing will: the transaction could not even begin.
    fn failed(&mut self, failure: &GroupFailure, done: Done, waiting: &mut Waiting) {
        if self.connection.in_transaction() {
            _ = self.rollback.run();
        }
        if let Some(trouble) = failure.trouble() {
            self.shared.disk.has(trouble);
            // It tries for room, where nobody else may come to do so.
            _ = self.shared.checkpoints.push(None, ());
        }
        let nothing_ran = done.is_empty();
        let undone = done.into_iter().map(|((_, job), _)| job);
        let most = if nothing_ran { usize::MAX } else { 0 };
        let never_ran = waiting.by_ref().take(most).map(|(_, job)| job);
        for job in undone.chain(never_ran) {
            self.shared.counters.failed_writes.add(1);
            job.answer(Err(failure));
        }
    }

    /// Asks for a checkpoint now and then; at the limit, has the log start over between two groups.
    fn keep_wal_short(&mut self) {
        let pages = self.shared.wal_pages.load(Ordering::Relaxed);
        if pages == 0 {
            return;
        }
        self.shared.counters.wal_pages.set(pages);
        if pages < self.checkpointed_at {
            self.checkpointed_at = 0;
        }
        let limit = count((self.shared.options.wal_bytes / PAGE).max(8));
        self.shared.log_is_long.store(pages >= limit, Ordering::Relaxed);
        if pages >= limit && self.may_restart() {
            // A checkpoint that is under way may be waiting for the disk: let commits go on, but not for ever.
            let turn = match self.shared.checkpoint_turn_now() {
                None if pages >= limit * PATIENT_LIMITS => Some(self.shared.checkpoint_turn()),
                turn => turn,
            };
            if turn.is_some() {
                return self.restart_wal();
            }
        }
        if pages - self.checkpointed_at >= limit / 8 {
            self.checkpointed_at = pages;
            // One wish that is still waiting is enough.
            _ = self.shared.checkpoints.push(None, ());
        }
    }

    fn may_restart(&self) -> bool {
        self.restart_after
            .is_none_or(|(after, _)| Instant::now() >= after)
    }

    /// Has the log start over. To be called in our turn: passive checkpoints alone never let a busy log do so, as some
    /// reader always holds a part of it.
    fn restart_wal(&mut self) {
        let restarted = self
            .shared
            .while_clearing(|| self.connection.restart_wal(RESTART_PATIENCE));
        if restarted.is_ok() {
            self.shared.counters.wal_restarts.add(1);
            self.shared.log_is_long.store(false, Ordering::Relaxed);
            self.checkpointed_at = 0;
            self.restart_after = None;
        } else {
            self.shared.counters.failed_restarts.add(1);
            let pause = self
                .restart_after
                .map_or(FIRST_PAUSE, |(_, last)| (last * 2).min(LONGEST_PAUSE));
            self.restart_after = Some((Instant::now() + pause, pause));
        }
    }
}

fn kept(done: &Done) -> usize {
    done.iter().filter(|(_, ran)| *ran == Ran::Kept).count()
}

/// Returns why the transaction in which a job ran is gone: because of the disk, or for a reason of the job's own.
fn transaction_lost(ran: Ran) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(match ran {
        Ran::Hindered(Trouble::Full) => rusqlite::ffi::SQLITE_FULL,
        Ran::Hindered(_) => rusqlite::ffi::SQLITE_IOERR,
        Ran::Kept | Ran::Undone => rusqlite::ffi::SQLITE_ABORT_ROLLBACK,
    });
    rusqlite::Error::SqliteFailure(code, Some("SQLite undid the transaction under a job".to_owned()))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
