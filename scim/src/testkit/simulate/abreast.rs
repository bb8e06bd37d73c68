//! Several objects at a time, each over a connection of its own, as providers do in their initial cycle.
//!
//! The requests that are sent for an object do not depend on how many connections there are: each object has its own chances, and
//! whom it names was provisioned before.

use std::collections::{BTreeSet, VecDeque};
use std::mem;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::directory::{Directory, Key, Object};
use super::job::{Job, Trouble};
use super::provider::{Provider, Step, provision};
use super::random::Random;
use super::report::Report;
use super::transport::Transport;

/// Provisions objects of which nothing is known yet, in their order, as many at a time as there are jobs. `tell` hears
/// what came of each, and says whether to go on.
///
/// Every job works with an excerpt of the ledger of the first; what it learns goes back there.
pub(super) async fn abreast<'t, P: Provider, T: Transport>(
    provider: &P,
    (first, others): (&mut Job<'t, T>, &mut [Job<'t, T>]),
    directory: &Directory,
    objects: Vec<Object>,
    seed: u64,
    mut tell: impl FnMut(&mut Report, Object, &Result<Step, Trouble>) -> bool,
) {
    let (mut ledger, mut report) = (mem::take(&mut first.ledger), mem::take(&mut first.report));
    let mut queue = VecDeque::from(objects);
    let mut idle: Vec<_> = others.iter_mut().chain([&mut *first]).collect();
    let mut under_way = FuturesUnordered::new();
    let mut busy = BTreeSet::new();
    let mut goes_on = true;
    loop {
        while let Some(object) = queue.front().copied()
            && goes_on
            && !directory.named_by(object).any(|person| busy.contains(&person))
            && let Some(job) = idle.pop()
        {
            queue.pop_front();
            busy.extend(person(object));
            job.turn_to(
                ledger.excerpt(directory.named_by(object)),
                Random::of(seed, number(object)),
            );
            under_way.push(step(provider, job, directory, object));
        }
        let Some((job, object, outcome)) = under_way.next().await else {
            break;
        };
        ledger.absorb(mem::take(&mut job.ledger));
        report.absorb(mem::take(&mut job.report));
        idle.push(job);
        if let Some(person) = person(object) {
            busy.remove(&person);
        }
        goes_on &= tell(&mut report, object, &outcome);
    }
    drop(under_way);
    drop(idle);
    first.turn_to(ledger, Random::of(seed, u64::MAX));
    first.report = report;
}

async fn step<'j, 't, P: Provider, T: Transport>(
    provider: &P,
    job: &'j mut Job<'t, T>,
    directory: &Directory,
    object: Object,
) -> (&'j mut Job<'t, T>, Object, Result<Step, Trouble>) {
    let outcome = provision(provider, job, directory, object).await;
    job.network.release().await;
    (job, object, outcome)
}

fn person(object: Object) -> Option<Key> {
    match object {
        Object::Person(key) => Some(key),
        Object::Group(_) => None,
    }
}

fn number(object: Object) -> u64 {
    match object {
        Object::Person(key) => u64::from(key),
        Object::Group(key) => u64::from(key) | 1 << 32,
    }
}
