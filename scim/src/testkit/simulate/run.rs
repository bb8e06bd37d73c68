//! A provider's cycle: test, initial synchronization, increments, and what happens when they fail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::abreast::abreast;
use super::directory::{Directory, Key, Object};
use super::job::{Job, Trouble};
use super::ledger::Member;
use super::network::Network;
use super::provider::{Provider, Step, provision};
use super::random::Random;
use super::report::{Health, Report};
use super::script::{Story, Touched};
use super::transport::Transport;
use super::verify::{ids, look_for_doubles, verify};
use super::{Observer, Progress, Simulation};

/// Refusals after which an object is left alone until it changes.
const MOST_REFUSALS: u8 = 3;

/// Cycles that a provider gets at the end to repair what the network has broken.
const LAST_CYCLES: usize = 60;

const HOUR: Duration = Duration::from_secs(3_600);

/// The pauses of a quarantine: 6, 12 and 24 hours, then daily until four weeks are over.
const QUARANTINE_HOURS: [u32; 3] = [6, 12, 24];

/// The objects that are to be provisioned, with how often each has been refused.
#[derive(Debug)]
struct Backlog(BTreeMap<Object, u8>);

impl Backlog {
    fn everything(directory: &Directory) -> Self {
        Self(directory.objects().map(|object| (object, 0)).collect())
    }

    fn touch(&mut self, touched: Touched) {
        let people = touched.people.into_iter().map(Object::Person);
        let groups = touched.groups.into_iter().map(Object::Group);
        self.0.extend(people.chain(groups).map(|object| (object, 0)));
    }

    /// Adds everything that there is, and forgets refusals.
    fn begin_anew(&mut self, directory: &Directory) {
        self.0.extend(directory.objects().map(|object| (object, 0)));
        self.0.values_mut().for_each(|refusals| *refusals = 0);
    }

    /// Returns whether there is nothing left that could succeed.
    fn is_idle(&self) -> bool {
        self.0.values().all(|refusals| *refusals >= MOST_REFUSALS)
    }

    /// Returns the jobs of one kind that are due, the oldest first.
    fn due(&self, is_of_kind: fn(Object) -> bool) -> Vec<Object> {
        let due = self.0.iter().filter(|(_, refusals)| **refusals < MOST_REFUSALS);
        due.map(|(object, _)| *object)
            .filter(|object| is_of_kind(*object))
            .collect()
    }
}

/// Successes and failures, for the quarantine.
#[derive(Debug, Default)]
struct Score {
    attempts: u64,
    failures: u64,
    /// Whether another cycle could do more than this one has done.
    has_hope: bool,
    denied: Option<Trouble>,
}

impl Score {
    fn note(&mut self, outcome: &Result<Step, Trouble>) {
        self.attempts += 1;
        self.has_hope |= matches!(outcome, Ok(Step::Done) | Err(Trouble::NoAnswer(_)));
        let Err(trouble) = outcome else { return };
        self.failures += 1;
        if matches!(trouble.status(), Some(401 | 403)) || matches!(trouble, Trouble::Strange(_)) {
            self.denied = Some(trouble.clone());
        }
    }
}

/// The work that is done, the work that is left, and how it goes.
struct Agenda {
    backlog: Backlog,
    score: Score,
    progress: Progress,
    observer: Option<Observer>,
}

impl Agenda {
    fn new(story: &Story, changes: usize, observer: Option<Observer>) -> Self {
        Self {
            backlog: Backlog::everything(&story.directory),
            score: Score::default(),
            progress: Progress {
                done: 0,
                total: story.directory.objects().count() + changes,
                requests: 0,
            },
            observer,
        }
    }

    fn advance(&mut self, steps: usize, report: &Report) {
        self.progress.done += steps;
        self.progress.requests = report.request_count();
        if let Some(observer) = &mut self.observer {
            observer(self.progress);
        }
    }

    /// Keeps in the backlog what is not done, and in the report why. Returns whether to go on with the cycle.
    fn settle(
        &mut self,
        report: &mut Report,
        directory: &Directory,
        object: Object,
        outcome: &Result<Step, Trouble>,
    ) -> bool {
        self.score.note(outcome);
        match outcome {
            Ok(Step::Done) => _ = self.backlog.0.remove(&object),
            Ok(Step::Waits) => {}
            Err(trouble) if trouble.is_refusal() => {
                *self.backlog.0.entry(object).or_default() += 1;
                let name = directory.name_of(object);
                report.refusal(trouble.kind(), format!("{name}: {}", trouble.describe()));
            }
            Err(_) => {}
        }
        self.score.denied.is_none()
    }
}

struct Drive<'t, P, T> {
    provider: P,
    job: Job<'t, T>,
    /// For the other connections, which are used in the initial cycle only.
    others: Vec<Job<'t, T>>,
    agenda: Agenda,
    seed: u64,
}

impl Simulation {
    pub(super) async fn drive<P: Provider, T: Transport>(self, provider: P, connections: &mut [T]) -> Report {
        let seed = self.script.seed ^ 0x5c1a;
        let mut random = Random::seeded(seed);
        let mut story = Story::begin(&self.script);
        let changes = self.script.changes;
        let mut jobs = connections.iter_mut().map(|connection| {
            let network = Network::new(connection, self.network, random.fork());
            Job::new(network, provider.headers(), provider.patience(), random.fork())
        });
        let Some(mut job) = jobs.next() else {
            let health = Health::NotConnected("there is no connection to the server".to_owned());
            return Report {
                dialect: provider.name().to_owned(),
                health,
                ..Report::default()
            };
        };
        let others = jobs.collect();
        job.report.dialect = provider.name().to_owned();
        job.report.console = provider.console();
        let mut drive = Drive {
            provider,
            job,
            others,
            agenda: Agenda::new(&story, changes, self.observer),
            seed,
        };
        let before = drive.take_stock().await;
        if let Err(trouble) = drive.provider.connect(&mut drive.job).await {
            drive.job.report.health = Health::NotConnected(trouble.describe());
            drive.job.report.advice = trouble.advice().to_owned();
            return drive.job.report;
        }
        let is_able = drive.tell(&mut story, changes, self.begins_anew).await;
        drive.job.network.calm().await;
        drive
            .finish(&story.directory, is_able, self.kept.as_deref(), &before)
            .await
    }
}

impl<P: Provider, T: Transport> Drive<'_, P, T> {
    /// Returns the resources that are there at first. A server that does not even say so fails the test that follows.
    async fn take_stock(&mut self) -> BTreeSet<String> {
        for _ in 0..20 {
            match ids(&mut self.job).await {
                Err(Trouble::NoAnswer(_)) => {}
                stock => return stock.unwrap_or_default(),
            }
        }
        BTreeSet::new()
    }

    /// Runs the initial cycle, and then the story. Returns whether the provider still trusts the server.
    async fn tell(&mut self, story: &mut Story, changes: usize, begins_anew: bool) -> bool {
        let begun = Instant::now();
        let is_able = self.initial_cycle(&story.directory).await;
        self.job.report.timing.initial_cycle = begun.elapsed();
        let begun = Instant::now();
        let is_able = is_able && self.follow(story, changes).await;
        if is_able && begins_anew {
            self.agenda.backlog.begin_anew(&story.directory);
            self.agenda.score.has_hope = true;
            self.job.ledger.doubt_everything();
        }
        let is_able = is_able && self.last_cycles(&story.directory).await;
        self.job.report.timing.changes = begun.elapsed();
        is_able
    }

    /// Follows everything that happens.
    async fn follow(&mut self, story: &mut Story, changes: usize) -> bool {
        let mut left = changes;
        while left > 0 {
            let batch = self.provider.batch().min(left);
            for _ in 0..batch {
                self.agenda.backlog.touch(story.advance());
            }
            left -= batch;
            self.on_demand(&story.directory).await;
            self.job.report.changes += batch;
            self.agenda.advance(batch, &self.job.report);
            if !self.cycle(&story.directory).await {
                return false;
            }
        }
        true
    }

    /// Runs the rest of the cycles.
    async fn last_cycles(&mut self, directory: &Directory) -> bool {
        for _ in 0..LAST_CYCLES {
            if self.agenda.backlog.is_idle() || !self.agenda.score.has_hope {
                break;
            }
            if !self.cycle(directory).await {
                return false;
            }
        }
        true
    }

    /// Runs the first cycle: everybody, then every group, over all connections; then people who waited for others. Returns
    /// whether there will be another cycle.
    async fn initial_cycle(&mut self, directory: &Directory) -> bool {
        self.begin_cycle();
        for kind in [Object::is_person, Object::is_group] {
            let due = self.agenda.backlog.due(kind);
            let jobs = (&mut self.job, self.others.as_mut_slice());
            let agenda = &mut self.agenda;
            abreast(
                &self.provider,
                jobs,
                directory,
                due,
                self.seed,
                |report, object, outcome| {
                    let goes_on = agenda.settle(report, directory, object, outcome);
                    agenda.advance(1, report);
                    goes_on
                },
            )
            .await;
        }
        self.one_by_one(directory, Object::is_person).await;
        self.end_cycle().await
    }

    /// Runs one cycle: people, then groups, then people who waited for others. Returns whether there will be another.
    async fn cycle(&mut self, directory: &Directory) -> bool {
        self.begin_cycle();
        for kind in [Object::is_person, Object::is_group, Object::is_person] {
            self.one_by_one(directory, kind).await;
        }
        self.end_cycle().await
    }

    fn begin_cycle(&mut self) {
        self.job.report.cycles += 1;
        self.agenda.score = Score::default();
    }

    async fn end_cycle(&mut self) -> bool {
        if self.provider.batch() > 1 {
            self.job.report.clock += Duration::from_secs(40 * 60);
        }
        self.judge().await
    }

    /// Runs the jobs that are due, in another order every time: those that failed first are not tried again first.
    async fn one_by_one(&mut self, directory: &Directory, is_of_kind: fn(Object) -> bool) {
        let mut due = self.agenda.backlog.due(is_of_kind);
        for last in (1..due.len()).rev() {
            due.swap(last, self.job.random.below(last + 1));
        }
        for object in due {
            if self.agenda.score.denied.is_some() {
                return;
            }
            self.provision(directory, object).await;
        }
    }

    async fn provision(&mut self, directory: &Directory, object: Object) {
        let account = |job: &Job<'_, T>| match object {
            Object::Person(key) => job.ledger.accounts.get(&key).cloned(),
            Object::Group(_) => None,
        };
        let before = account(&self.job);
        let outcome = provision(&self.provider, &mut self.job, directory, object).await;
        // Those who could not name the person before can do so now, and those who could know another id.
        if let Object::Person(key) = object
            && account(&self.job) != before
        {
            let groups = directory.groups_of(key).map(Object::Group);
            let reports = directory.reports_of(key).map(Object::Person);
            let due = groups.chain(reports).map(|object| (object, 0));
            self.agenda.backlog.0.extend(due);
        }
        self.agenda
            .settle(&mut self.job.report, directory, object, &outcome);
    }

    /// Acts for an administrator who, now and then, does not wait for the next cycle.
    async fn on_demand(&mut self, directory: &Directory) {
        if !self.job.random.chance(500) {
            return;
        }
        let first = self.agenda.backlog.0.keys().next().copied();
        if let Some(person) = first.filter(|object| object.is_person()) {
            self.provision(directory, person).await;
        }
        let teams = &self.job.ledger.teams;
        let nth = self.job.random.below(teams.len());
        let Some((key, team)) = teams.iter().nth(nth) else {
            return;
        };
        let (key, team) = (*key, team.clone());
        // The members are those who are there already, so that an answer that gets lost changes nothing.
        let present: Vec<_> = team
            .members
            .iter()
            .filter_map(|(key, id)| present(directory, *key, id))
            .collect();
        let done = self.provider.on_demand(&mut self.job, &team, &present).await;
        if let Err(trouble) = &done
            && trouble.is_refusal()
        {
            let name = directory.name_of(Object::Group(key));
            self.job
                .report
                .refusal(trouble.kind(), format!("{name}: {}", trouble.describe()));
        }
        if matches!(done, Ok(true)) {
            look_for_doubles(&mut self.job, &team.id).await;
        }
    }

    /// Decides on quarantine, if the provider knows it: it lasts until a test of the connection succeeds.
    async fn judge(&mut self) -> bool {
        let Some(rules) = self.provider.quarantine() else {
            self.agenda.score.denied = None;
            return true;
        };
        let Score {
            attempts, failures, ..
        } = self.agenda.score;
        let share = failures * 100 > attempts * rules.percent && failures >= rules.least;
        let (reason, advice) = match self.agenda.score.denied.take() {
            Some(denied) => (denied.describe(), denied.advice()),
            None if share || failures > rules.most => (
                format!("{failures} of {attempts} attempts failed"),
                "see what fails below.",
            ),
            None => return true,
        };
        let report = &mut self.job.report;
        report.quarantines += 1;
        report.health = Health::Quarantined(reason.clone());
        report.advice = advice.to_owned();
        let daily = std::iter::repeat(24);
        let mut hours = 0;
        for pause in QUARANTINE_HOURS.into_iter().chain(daily) {
            hours += pause;
            if hours > 28 * 24 {
                break;
            }
            self.job.report.clock += HOUR * pause;
            if self.provider.connect(&mut self.job).await.is_ok() {
                self.job.report.health = Health::Healthy;
                self.job.report.advice.clear();
                return self.job.report.quarantines < 10;
            }
        }
        self.job.report.health = Health::Disabled(reason);
        false
    }

    async fn finish(
        mut self,
        directory: &Directory,
        is_able: bool,
        kept: Option<&[String]>,
        before: &BTreeSet<String>,
    ) -> Report {
        let job = &mut self.job;
        job.report.people = directory.people.len();
        job.report.groups = directory.groups.len();
        for (object, refusals) in &self.agenda.backlog.0 {
            let name = directory.name_of(*object);
            job.report.unfinished(match refusals {
                0 => format!("{name}, still to do"),
                1 => format!("{name}, refused once"),
                _ => format!("{name}, refused {refusals} times"),
            });
        }
        let begun = Instant::now();
        if is_able && let Err(trouble) = verify(&self.provider, job, directory, kept, before).await {
            job.report
                .differs(format!("The server cannot be read: {}", trouble.describe()));
        }
        job.report.timing.comparison = begun.elapsed();
        let mut report = self.job.report;
        report.network = self.job.network.counts;
        for job in &self.others {
            report.network.add(job.network.counts);
        }
        report
    }
}

/// Returns a member as the directory knows them now, whatever was sent when they were added.
fn present(directory: &Directory, key: Key, id: &str) -> Option<Member> {
    let login = directory.people.get(&key)?.login.clone();
    Some(Member {
        key,
        id: id.to_owned(),
        login,
    })
}
