//! A provider's cycle: test, initial synchronization, increments, and what happens when they fail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::directory::{Directory, Key};
use super::job::{Job, Trouble};
use super::network::Network;
use super::provider::{Provider, Step, provision_group, provision_person};
use super::random::Random;
use super::report::{Health, Report};
use super::script::{Story, Touched};
use super::transport::Transport;
use super::verify::{ids, look_for_doubles, verify};
use super::{Progress, Simulation};

/// Refusals after which an object is left alone until it changes.
const MOST_REFUSALS: u8 = 3;

/// Cycles that a provider gets at the end to repair what the network has broken.
const LAST_CYCLES: usize = 60;

const HOUR: Duration = Duration::from_secs(3_600);

/// The pauses of a quarantine: 6, 12 and 24 hours, then daily until four weeks are over.
const QUARANTINE_HOURS: [u32; 3] = [6, 12, 24];

/// What is to be provisioned, with how often that has been refused.
#[derive(Debug, Default)]
struct Backlog {
    people: BTreeMap<Key, u8>,
    groups: BTreeMap<Key, u8>,
}

impl Backlog {
    fn everything(directory: &Directory) -> Self {
        Self {
            people: directory.people.keys().map(|key| (*key, 0)).collect(),
            groups: directory.groups.keys().map(|key| (*key, 0)).collect(),
        }
    }

    fn touch(&mut self, touched: Touched) {
        self.people.extend(touched.people.into_iter().map(|key| (key, 0)));
        self.groups.extend(touched.groups.into_iter().map(|key| (key, 0)));
    }

    /// Whether there is nothing left that could succeed.
    fn is_idle(&self) -> bool {
        let mut refusals = self.people.values().chain(self.groups.values());
        refusals.all(|refusals| *refusals >= MOST_REFUSALS)
    }
}

/// What is due, in an order that is another every time: what failed first is not tried again first.
fn due(backlog: &BTreeMap<Key, u8>, random: &mut Random, is_first: bool) -> Vec<Key> {
    let mut due: Vec<_> = backlog
        .iter()
        .filter(|(_, refusals)| **refusals < MOST_REFUSALS)
        .map(|(key, _)| *key)
        .collect();
    if !is_first {
        for last in (1..due.len()).rev() {
            due.swap(last, random.below(last + 1));
        }
    }
    due
}

/// Successes and failures, for the quarantine.
#[derive(Debug, Default)]
struct Score {
    attempts: u64,
    failures: u64,
    /// Whether another cycle could do more than this one has done.
    has_hope: bool,
    denied: Option<String>,
}

impl Score {
    fn note(&mut self, outcome: &Result<Step, Trouble>) {
        self.attempts += 1;
        self.has_hope |= matches!(outcome, Ok(Step::Done) | Err(Trouble::NoAnswer(_)));
        let Err(trouble) = outcome else { return };
        self.failures += 1;
        if matches!(trouble.status(), Some(401 | 403)) || matches!(trouble, Trouble::Strange(_)) {
            self.denied = Some(trouble.describe());
        }
    }
}

struct Drive<'s, 't, P, T> {
    provider: P,
    job: Job<'t, T>,
    backlog: Backlog,
    score: Score,
    progress: Progress,
    simulation: &'s mut Simulation,
}

impl Simulation {
    pub(super) async fn drive<P: Provider, T: Transport>(mut self, provider: P, transport: &mut T) -> Report {
        let mut random = Random::seeded(self.script.seed ^ 0x5c1a);
        let network = Network::new(transport, self.network, random.fork());
        let job = Job::new(network, provider.headers(), provider.patience(), random);
        let mut story = Story::begin(&self.script);
        let total = story.directory.people.len() + story.directory.groups.len() + self.script.changes;
        let kept = self.kept.clone();
        let mut drive = Drive {
            backlog: Backlog::everything(&story.directory),
            provider,
            job,
            score: Score::default(),
            progress: Progress {
                done: 0,
                total,
                requests: 0,
            },
            simulation: &mut self,
        };
        drive.job.report.dialect = P::NAME.to_owned();
        let before = drive.take_stock().await;
        if let Err(trouble) = drive.provider.connect(&mut drive.job).await {
            drive.job.report.health = Health::NotConnected(trouble.describe());
            return drive.job.report;
        }
        let is_able = drive.tell(&mut story).await;
        drive.job.network.calm().await;
        drive
            .finish(&story.directory, is_able, kept.as_deref(), before.as_ref())
            .await
    }
}

impl<P: Provider, T: Transport> Drive<'_, '_, P, T> {
    /// What is there before the provider comes. A server that does not even say so fails the test that follows.
    async fn take_stock(&mut self) -> Option<BTreeSet<String>> {
        for _ in 0..20 {
            match ids(&mut self.job).await {
                Err(Trouble::NoAnswer(_)) => {}
                stock => return stock.ok(),
            }
        }
        None
    }

    /// The initial cycle, and then the story. Returns whether the provider still trusts the server.
    async fn tell(&mut self, story: &mut Story) -> bool {
        if !self.cycle(&story.directory, true).await {
            return false;
        }
        let mut left = self.simulation.script.changes;
        while left > 0 {
            let batch = self.provider.batch().min(left);
            for _ in 0..batch {
                self.backlog.touch(story.advance());
            }
            left -= batch;
            self.on_demand(&story.directory).await;
            self.job.report.changes += batch;
            self.advance(batch);
            if !self.cycle(&story.directory, false).await {
                return false;
            }
        }
        for _ in 0..LAST_CYCLES {
            if self.backlog.is_idle() || !self.score.has_hope {
                break;
            }
            if !self.cycle(&story.directory, false).await {
                return false;
            }
        }
        true
    }

    fn advance(&mut self, steps: usize) {
        self.progress.done += steps;
        self.progress.requests = self.job.report.request_count();
        if let Some(observer) = &mut self.simulation.observer {
            observer(self.progress);
        }
    }

    /// One cycle: people, then groups, then people who waited for others. Returns whether there will be another.
    async fn cycle(&mut self, directory: &Directory, is_first: bool) -> bool {
        self.job.report.cycles += 1;
        self.score = Score::default();
        self.people(directory, is_first).await;
        for key in due(&self.backlog.groups, &mut self.job.random, is_first) {
            if self.score.denied.is_some() {
                break;
            }
            let outcome = provision_group(&mut self.provider, &mut self.job, directory, key).await;
            let name = directory
                .groups
                .get(&key)
                .map_or("a dissolved group", |group| &group.name);
            self.score.note(&outcome);
            note(
                &mut self.backlog.groups,
                &mut self.job.report,
                key,
                name,
                &outcome,
            );
            if is_first {
                self.advance(1);
            }
        }
        self.people(directory, false).await;
        if P::batch(&self.provider) > 1 {
            self.job.report.clock += Duration::from_secs(40 * 60);
        }
        self.judge().await
    }

    async fn people(&mut self, directory: &Directory, is_first: bool) {
        for key in due(&self.backlog.people, &mut self.job.random, is_first) {
            if self.score.denied.is_some() {
                return;
            }
            self.person(directory, key, is_first).await;
            if is_first {
                self.advance(1);
            }
        }
    }

    async fn person(&mut self, directory: &Directory, key: Key, is_first: bool) {
        let account = self.job.ledger.accounts.get(&key).cloned();
        let outcome = provision_person(&mut self.provider, &mut self.job, directory, key).await;
        // Groups that could not name the person before can do so now. At first all groups are still to come.
        if !is_first && self.job.ledger.accounts.get(&key) != account.as_ref() {
            let groups = directory.groups_of(key);
            self.backlog.groups.extend(groups.map(|group| (group, 0)));
        }
        let login = directory
            .people
            .get(&key)
            .map_or("a removed person", |person| &person.login);
        self.score.note(&outcome);
        note(
            &mut self.backlog.people,
            &mut self.job.report,
            key,
            login,
            &outcome,
        );
    }

    /// Now and then an administrator does not wait for the next cycle.
    async fn on_demand(&mut self, directory: &Directory) {
        if !self.job.random.chance(500) {
            return;
        }
        if let Some(key) = self.backlog.people.keys().next().copied() {
            self.person(directory, key, false).await;
        }
        let nth = self.job.random.below(self.job.ledger.teams.len());
        let Some((key, team)) = self.job.ledger.teams.iter().nth(nth) else {
            return;
        };
        let (key, team) = (*key, team.clone());
        // The members are those who are there already, so that an answer that gets lost changes nothing.
        let done = self.provider.on_demand(&mut self.job, &team).await;
        if let Err(trouble) = &done
            && trouble.is_refusal()
        {
            self.job
                .report
                .refusal(kind(trouble), format!("group {key}: {}", trouble.describe()));
        }
        if matches!(done, Ok(true)) {
            look_for_doubles(&mut self.job, &team.id).await;
        }
    }

    /// Quarantine, if the provider knows it: it lasts until a test of the connection succeeds.
    async fn judge(&mut self) -> bool {
        let Some(rules) = self.provider.quarantine() else {
            self.score.denied = None;
            return true;
        };
        let Score {
            attempts, failures, ..
        } = self.score;
        let share = failures * 100 > attempts * rules.percent && failures >= rules.least;
        let reason = match self.score.denied.take() {
            Some(denied) => denied,
            None if share || failures > rules.most => format!("{failures} of {attempts} attempts failed"),
            None => return true,
        };
        self.job.report.quarantines += 1;
        self.job.report.health = Health::Quarantined(reason.clone());
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
        before: Option<&BTreeSet<String>>,
    ) -> Report {
        self.job.report.people = directory.people.len();
        self.job.report.groups = directory.groups.len();
        for (key, refusals) in &self.backlog.people {
            let login = directory
                .people
                .get(key)
                .map_or("a removed person", |person| &person.login);
            self.job
                .report
                .unfinished(format!("{login}, refused {refusals} times"));
        }
        for (key, refusals) in &self.backlog.groups {
            let name = directory
                .groups
                .get(key)
                .map_or("a dissolved group", |group| &group.name);
            self.job
                .report
                .unfinished(format!("group “{name}”, refused {refusals} times"));
        }
        let nothing = BTreeSet::new();
        let before = before.unwrap_or(&nothing);
        if is_able && let Err(trouble) = verify(&self.provider, &mut self.job, directory, kept, before).await
        {
            self.job
                .report
                .differs(format!("The server cannot be read: {}", trouble.describe()));
        }
        self.job.report.network = self.job.network.counts;
        self.job.report
    }
}

/// Keeps in the backlog what is not done, and in the report why.
fn note(
    backlog: &mut BTreeMap<Key, u8>,
    report: &mut Report,
    key: Key,
    name: &str,
    outcome: &Result<Step, Trouble>,
) {
    match outcome {
        Ok(Step::Done) => _ = backlog.remove(&key),
        Ok(Step::Waits) => {}
        Err(trouble) => {
            if trouble.is_refusal() {
                *backlog.entry(key).or_default() += 1;
                report.refusal(kind(trouble), format!("{name}: {}", trouble.describe()));
            }
        }
    }
}

/// Refusals of one kind: the same method at the same endpoint with the same answer.
fn kind(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Refused(refusal) => {
            let what: String = refusal.what.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
            let what = what.split('?').next().unwrap_or_default();
            format!("{what} → {} {}", refusal.status, refusal.keyword)
        }
        Trouble::Strange(_) => "an answer that is no SCIM".to_owned(),
        Trouble::NoAnswer(_) => "no answer".to_owned(),
    }
}
