//! The contract that every store keeps: named checks, one for each rule.
//!
//! [`store_contract!`](crate::store_contract) makes tests of them; [`Contract::CHECKS`] is for whoever wants to run them
//! another way, to see that a store which is broken on purpose is found out, say.

mod changing;
mod creating;
mod deleting;
mod finding;
mod members;

use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::Tenant;
pub use super::violation::Violation;
use crate::error::{Error, ScimType};
use crate::resources::{Group, User};
use crate::store::Store;

use changing::*;
use creating::*;
use deleting::*;
use finding::*;
use members::*;

/// A store that can be checked.
pub trait Subject: Store<User, Tenant> + Store<Group, Tenant> {}

impl<S: Store<User, Tenant> + Store<Group, Tenant>> Subject for S {}

/// Whether a store kept to a rule.
pub type Outcome = Result<(), Violation>;

/// The run of a check.
pub type Run = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A rule that can be checked on an empty store.
pub struct Check<S> {
    name: &'static str,
    run: fn(Arc<S>) -> Run,
}

impl<S> Check<S> {
    const fn new(name: &'static str, run: fn(Arc<S>) -> Run) -> Self {
        Self { name, run }
    }

    /// The rule in a few words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks an empty store. It must be awaited on a runtime of tokio with several threads.
    #[must_use]
    pub fn run(&self, store: Arc<S>) -> Run {
        (self.run)(store)
    }
}

impl<S> Debug for Check<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The checks for the stores of one type.
#[derive(Debug)]
pub struct Contract<S>(PhantomData<fn() -> S>);

impl<S: Subject> Contract<S> {
    /// All checks.
    pub const CHECKS: &'static [Check<S>] = crate::store_contract!(@all table (S));
}

/// Makes a store, checks it, and fails the test that it is called from if the store does not keep to the rule.
///
/// # Panics
/// If it does not, with a sentence that says what the store did.
pub fn assert_kept<S: Subject>(name: &str, make: impl FnOnce() -> S) {
    let outcome = check(name, make);
    assert!(
        outcome.is_ok(),
        "the store breaks the rule {name}: {}",
        outcome
            .err()
            .map(|violation| violation.to_string())
            .unwrap_or_default()
    );
}

/// Makes a store and checks one rule, on a runtime with several threads.
///
/// # Errors
/// What the store did wrong.
pub fn check<S: Subject>(name: &str, make: impl FnOnce() -> S) -> Outcome {
    let check = Contract::<S>::CHECKS.iter().find(|check| check.name == name);
    let check = check.ok_or_else(|| Violation::new(format!("there is no check of the name {name}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .map_err(|error| Violation::new(format!("no runtime: {error}")))?;
    let guard = runtime.enter();
    let store = Arc::new(make());
    drop(guard);
    runtime.block_on(check.run(store))
}

/// Ends a check with a violation unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(crate::testkit::contract::Violation::new(format!($($what)+)));
        }
    };
}
use ensure;

/// That an error has the status and the type that the RFC gives it.
fn is_refused<T>(result: Result<T, Error>, status: u16, scim_type: Option<ScimType>, what: &str) -> Outcome {
    match result {
        Ok(_) => Err(Violation::new(format!("{what} was accepted"))),
        Err(error) if error.status() == status && error.scim_type() == scim_type => Ok(()),
        Err(error) => Err(Violation::new(format!(
            "{what} was refused with {} {:?} instead of {status} {scim_type:?}: {error}",
            error.status(),
            error.scim_type()
        ))),
    }
}

/// Runs futures at once, on all threads of the runtime.
async fn at_once<T, F>(futures: impl IntoIterator<Item = F>) -> Result<Vec<T>, Violation>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(
            task.await
                .map_err(|error| Violation::new(format!("the store panicked: {error}")))?,
        );
    }
    Ok(results)
}

/// Ids in one order, to compare sets.
fn sorted(ids: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().map(Into::into).collect();
    ids.sort();
    ids
}
