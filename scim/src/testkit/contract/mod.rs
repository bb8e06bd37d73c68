//! The contract that every store keeps: named rules, each with a check.
//!
//! A [`Contract`] says how an empty store is made, in which contexts it is asked, what it is held to ([`Sample`]), and
//! which attributes it links. [`store_contract!`](crate::store_contract) makes a test of every rule;
//! [`Contract::violations`] checks all of them and returns what is broken. A rule that asks for something the store does
//! not support is not asked.
//!
//! ```
//! use scim::resources::User;
//! use scim::store::Memory;
//! use scim::testkit::contract::{Contract, Sample};
//!
//! /// The application's own context.
//! struct Company(&'static str);
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let store = || async { Memory::new().tenant_by(|cx: &Company| Some(cx.0.into())) };
//! let contract = Contract::of_tenants(store, || Company("acme"), || Company("globex"))
//!     .resource(Sample::<User>::users());
//! for violation in contract.violations().await {
//!     panic!("{violation}");
//! }
//! # Ok(()) }) }
//! ```

mod attributes;
mod changing;
mod creating;
mod deleting;
mod edges;
mod finding;
mod kit;
mod linked;
mod one;
mod rule;
mod sample;
mod tenants;
mod types;
mod violation;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;

use self::kit::Kit;
use self::linked::Linked;
use self::one::One;
use self::rule::RULES;
pub use self::rule::Rule;
pub use self::sample::Sample;
use self::types::Kind;
use self::violation::Seen;
pub use self::violation::Violation;
use super::Tenant;
use crate::path::MultiPath;
use crate::policy::Policy;
use crate::record::ScimResource;
use crate::resources::{EnterpriseUser, Group, Manager, User};
use crate::store::{Link, Store};

/// A context of requests, as [`Store`] takes it: any type that threads can share.
pub trait Context: Send + Sync + 'static {}

impl<C: Send + Sync + 'static> Context for C {}

/// The result of a check.
type Outcome = Result<(), Seen>;

type Run = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Made<S> = Pin<Box<dyn Future<Output = S> + Send>>;
type Checks<S, C> = dyn Fn(&str, &Ground<S, C>) -> Option<Run> + Send + Sync;

/// Returns all rules, in the order in which they are checked.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter()
}

/// The demands on a store: see the [module](self).
pub struct Contract<S, C> {
    make: Box<dyn Fn() -> Made<S> + Send + Sync>,
    first: Box<dyn Fn() -> C + Send + Sync>,
    /// `None` where there is one tenant only.
    second: Option<Box<dyn Fn() -> C + Send + Sync>>,
    policy: Policy,
    /// The samples, by the type of their resources.
    samples: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    kinds: Vec<Kind<S, C>>,
    subjects: Vec<(String, Box<Checks<S, C>>)>,
}

/// An empty store and the contexts in which it is asked.
struct Ground<S, C> {
    kit: Kit<S, C>,
    other: Option<Kit<S, C>>,
}

impl<S: Send + Sync + 'static, C: Context> Contract<S, C> {
    /// Returns the contract for a store that `make` makes, empty each time, and for two tenants, of which `first`
    /// and `second`
    /// make contexts.
    #[must_use]
    pub fn of_tenants<F>(
        make: impl Fn() -> F + Send + Sync + 'static,
        first: impl Fn() -> C + Send + Sync + 'static,
        second: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = S> + Send + 'static,
    {
        let mut contract = Self::of_one_tenant(make, first);
        contract.second = Some(Box::new(second));
        contract
    }

    /// Returns the contract for a store with one tenant, whatever the context.
    #[must_use]
    pub fn of_one_tenant<F>(
        make: impl Fn() -> F + Send + Sync + 'static,
        context: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = S> + Send + 'static,
    {
        Self {
            make: Box::new(move || Box::pin(make())),
            first: Box::new(context),
            second: None,
            policy: Policy::tolerant(),
            samples: HashMap::new(),
            kinds: Vec::new(),
            subjects: Vec::new(),
        }
    }

    /// Returns the same contract, in which the store is held to the rules for resources of type `R`.
    #[must_use]
    pub fn resource<R: ScimResource>(mut self, sample: Sample<R>) -> Self
    where
        S: Store<R, C>,
    {
        if let Some(kept) = sample.kept() {
            self.policy = self.policy.keeping(kept.clone());
        }
        self.samples.insert(TypeId::of::<R>(), Box::new(sample.clone()));
        self.kinds.push(Kind::of(sample.clone()));
        let checks = move |name: &str, ground: &Ground<S, C>| checks_of_one(name, &ground.one(&sample));
        let name = R::RESOURCE_TYPE.name.to_owned();
        self.subjects.push((name, Box::new(checks)));
        self
    }

    /// Returns the same contract, in which the store is held to the rules for edges: `derived` mirrors `edges`, as in
    /// [`Memory::link`](crate::store::Memory::link). Both types are [resources](Self::resource) of the contract
    /// already.
    #[must_use]
    pub fn link<G: ScimResource, E, P: Copy, U: ScimResource, D, Q: Copy>(
        mut self,
        edges: MultiPath<G, E, P>,
        derived: MultiPath<U, D, Q>,
    ) -> Self
    where
        S: Store<G, C> + Store<U, C>,
    {
        let link = Link::between(edges, derived);
        let attribute = link.edges().attribute().map_or("?", |attribute| attribute.name);
        let name = format!("{}.{attribute}", G::RESOURCE_TYPE.name);
        let samples = (self.sample::<G>(), self.sample::<U>());
        let checks = move |name: &str, ground: &Ground<S, C>| match &samples {
            (Some(owners), Some(targets)) => {
                let linked = Linked {
                    owners: ground.one(owners),
                    targets: ground.one(targets),
                    link,
                };
                checks_of_edges(name, &linked)
            }
            _ => (name == SAMPLES).then(|| Box::pin(std::future::ready(missing_sample::<G, U>())) as Run),
        };
        self.subjects.push((name, Box::new(checks)));
        self
    }

    fn sample<R: ScimResource>(&self) -> Option<Sample<R>> {
        let sample = self.samples.get(&TypeId::of::<R>())?;
        sample.downcast_ref::<Sample<R>>().cloned()
    }

    /// Makes a store for each rule, checks it, and returns the violations. It is awaited on a runtime of tokio;
    /// races are
    /// seen on one with several threads.
    pub async fn violations(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for rule in RULES {
            if let Some(broken) = self.check(rule.name()).await {
                violations.extend(broken);
            }
        }
        violations
    }

    /// Checks one rule, for every type and link of the contract. `None` if the contract does not ask it, because the
    /// store does not support what it takes, or if there is no rule of this name.
    pub async fn check(&self, name: &str) -> Option<Vec<Violation>> {
        let rule = RULES.iter().find(|rule| rule.name() == name)?;
        let mut outcomes = Vec::new();
        for (subject, checks) in &self.subjects {
            let ground = self.ground().await;
            if let Some(run) = checks(name, &ground) {
                outcomes.push((subject.clone(), run.await));
            }
        }
        if name == "ids_are_of_one_type" && self.kinds.len() > 1 {
            let ground = self.ground().await;
            let outcome = types::ids_are_of_one_type(ground.kit, self.kinds.clone()).await;
            outcomes.push(("the store".to_owned(), outcome));
        }
        let is_asked = !outcomes.is_empty();
        let broken = outcomes.into_iter().filter_map(|(subject, outcome)| {
            outcome.err().map(|Seen(seen)| Violation { rule, subject, seen })
        });
        is_asked.then(|| broken.collect())
    }

    async fn ground(&self) -> Ground<S, C> {
        let store = Arc::new((self.make)().await);
        let kit = |make: &(dyn Fn() -> C + Send + Sync)| Kit {
            store: Arc::clone(&store),
            cx: Arc::new(make()),
            policy: self.policy.clone(),
        };
        Ground {
            kit: kit(&self.first),
            other: self.second.as_deref().map(kit),
        }
    }
}

impl<S> Contract<S, Tenant>
where
    S: Store<User, Tenant> + Store<Group, Tenant>,
{
    /// Returns the contract for a store that keeps all of [`User`] and [`Group`], with `members` and `groups`
    /// linked, for
    /// contexts that are a [`Tenant`].
    #[must_use]
    pub fn of_users_and_groups<F>(make: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = S> + Send + 'static,
    {
        Self::of_tenants(make, || Tenant::new("acme"), || Tenant::new("globex"))
            .resource(Sample::<User>::users().also(employ))
            .resource(Sample::<Group>::groups())
            .link(Group::paths().members(), User::paths().groups())
    }
}

/// Makes a user one of an enterprise.
fn employ(user: &mut User, n: usize) {
    user.extensions.enterprise = Some(EnterpriseUser {
        employee_number: Some(n.to_string()),
        department: Some(format!("Tour \"Operations\" {n}")),
        manager: Some(Manager {
            value: Some("26118915".to_owned()),
            ..Manager::default()
        }),
        ..EnterpriseUser::default()
    });
}

/// The rule that the contract itself keeps.
const SAMPLES: &str = "samples_are_distinct";

fn missing_sample<G: ScimResource, U: ScimResource>() -> Outcome {
    Err(Seen::new(format!(
        "the contract links {} and {}, and has no sample of one of them: call `resource` for both before `link`",
        G::RESOURCE_TYPE.name,
        U::RESOURCE_TYPE.name
    )))
}

impl<S, C> Debug for Contract<S, C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = self.subjects.iter().map(|(name, _)| name);
        f.debug_set().entries(names).finish()
    }
}

impl<S, C> Ground<S, C> {
    fn one<R>(&self, sample: &Sample<R>) -> One<S, C, R> {
        One {
            kit: self.kit.clone(),
            other: self.other.clone(),
            sample: sample.clone(),
        }
    }
}

/// The run of the check with a name, if it is one of these.
macro_rules! run {
    ($name:expr, $ground:expr; $($module:ident::{ $($check:ident)* })*) => {
        match $name {
            $($(stringify!($check) => Some(Box::pin($module::$check($ground)) as Run),)*)*
            _ => None,
        }
    };
}

/// Returns the run of a check on a resource type, if the contract asks for what the check takes.
fn checks_of_one<S, C: Context, R: ScimResource>(name: &str, one: &One<S, C, R>) -> Option<Run>
where
    S: Store<R, C>,
{
    let is_unique = !one.sample.unique().is_empty();
    let is_transient = !attributes::transient::<R>().is_empty();
    let (filters, sorts, tenants) = (one.sample.filters(), one.sample.sorts(), one.other.is_some());
    let checks = [
        (true, always(name, one)),
        (
            is_unique,
            run! {
                name, one.clone();
                creating::{
                    unique_values_are_refused
                    case_exact_values_differ_by_their_case
                    unique_values_are_free_once_given_up
                    of_concurrent_creates_one_wins
                }
                deleting::{ unique_values_of_deleted_resources_are_free }
            },
        ),
        (
            is_transient,
            run! { name, one.clone(); creating::{ transient_values_are_not_kept } },
        ),
        (
            filters,
            run! {
                name, one.clone();
                finding::{
                    filters_select_what_they_say
                    filters_are_applied_before_pages
                    filters_are_refused_rather_than_cut_short
                }
                deleting::{ filters_find_nothing_deleted }
            },
        ),
        (
            filters && is_unique,
            run! { name, one.clone(); finding::{ unique_values_are_found_by_an_index } },
        ),
        (
            sorts,
            run! { name, one.clone(); finding::{ lists_are_sorted sorted_items_have_their_key } },
        ),
        (
            tenants,
            run! {
                name, one.clone();
                tenants::{ tenants_do_not_find_each_other_by_id tenants_do_not_share_lists }
            },
        ),
        (
            tenants && filters,
            run! { name, one.clone(); tenants::{ filters_stay_in_their_tenant } },
        ),
        (
            tenants && is_unique,
            run! { name, one.clone(); tenants::{ tenants_do_not_share_unique_values } },
        ),
    ];
    asked(checks)
}

/// Returns the run of a check that every store is asked.
fn always<S, C: Context, R: ScimResource>(name: &str, one: &One<S, C, R>) -> Option<Run>
where
    S: Store<R, C>,
{
    run! {
        name, one.clone();
        creating::{
            samples_are_distinct
            created_resources_are_kept_whole
            ids_are_made_by_the_store
            ids_are_never_given_again
            ids_have_one_spelling
        }
        changing::{
            concurrent_patches_are_all_kept
            of_concurrent_conditional_writes_one_wins
            writes_are_answered_from_their_transaction
            applied_writes_are_acknowledged
            stale_versions_are_refused
            preconditions_hold_in_every_form
            failed_patches_change_nothing
            writes_that_change_nothing_leave_no_trace
            changes_move_version_and_time
            replacements_keep_id_and_creation
        }
        finding::{
            pages_are_stable_and_complete
            pages_may_be_empty
            lists_show_what_is_wanted
            known_versions_are_not_sent_again
        }
        deleting::{ deleted_resources_are_gone }
    }
}

/// Returns the run of a check on a link, if the contract asks for what the check takes.
fn checks_of_edges<S, C: Context, G: ScimResource, U: ScimResource>(
    name: &str,
    linked: &Linked<S, C, G, U>,
) -> Option<Run>
where
    S: Store<G, C> + Store<U, C>,
{
    let checks = [
        (
            true,
            run! {
                name, linked.clone();
                edges::{
                    concurrent_edges_are_all_kept
                    listed_edges_alone_are_removed
                    replies_without_edges_lose_none
                    large_resources_are_not_read_back
                    large_resources_survive_a_change
                    pages_of_large_resources_are_whole
                    pages_of_large_resources_are_bounded
                    unloaded_edges_are_left_alone
                    replaced_edges_are_the_new_ones
                    edits_of_edges_that_change_nothing_leave_no_trace
                    edges_move_version_and_time
                    unknown_edges_are_refused
                    mirrors_follow_their_edges
                    names_of_edges_are_up_to_date
                    deleted_resources_leave_their_edges
                    derived_attributes_are_never_out_of_date
                    moved_edges_are_told
                }
            },
        ),
        (
            linked.owners.other.is_some(),
            run! { name, linked.clone(); edges::{ edges_stay_in_their_tenant } },
        ),
        (
            linked.is_nested(),
            run! { name, linked.clone(); edges::{ resources_of_one_type_can_be_nested } },
        ),
        (
            linked.edge_filter().is_some() || linked.mirror_filter().is_some(),
            run! { name, linked.clone(); edges::{ edges_are_found_by_filter } },
        ),
    ];
    asked(checks)
}

/// Returns the run that was found, if it is one that is asked.
fn asked<const N: usize>(checks: [(bool, Option<Run>); N]) -> Option<Run> {
    let mut checks = checks.into_iter();
    checks.find_map(|(is_asked, run)| run.filter(|_| is_asked))
}

/// Checks one rule, and fails the test that it is called from if the store breaks it. A rule that the contract does not
/// ask is named on standard error.
///
/// # Panics
/// If the store breaks the rule, with the violation; if there is no such rule.
pub fn assert_kept<S: Send + Sync + 'static, C: Context>(name: &str, contract: &Contract<S, C>) {
    assert!(
        RULES.iter().any(|rule| rule.name() == name),
        "{name} is not a rule of the contract"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build();
    let checked = runtime.map(|runtime| runtime.block_on(contract.check(name)));
    let said: Vec<_> = match checked {
        Ok(Some(broken)) => broken.iter().map(ToString::to_string).collect(),
        Ok(None) => {
            // Nothing is skipped in silence; where standard error is closed, nobody wants to know.
            _ = writeln!(
                std::io::stderr(),
                "{name} is not asked: the contract does not declare what it takes"
            );
            Vec::new()
        }
        Err(error) => vec![format!("there is no runtime to check the store on: {error}")],
    };
    assert!(said.is_empty(), "{}", said.join("\n\n"));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// No two rules have one name, and each says what it demands and what is to be done.
    #[test]
    fn every_rule_says_all_that_it_must() {
        let names: BTreeSet<_> = RULES.iter().map(Rule::name).collect();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            assert!(!rule.demand().is_empty() && !rule.remedy().is_empty(), "{rule:?}");
            assert!(!rule.demand().ends_with('.'), "{rule:?}");
            assert!(
                rule.reference().is_none_or(|text| text.starts_with("RFC ")),
                "{rule:?}"
            );
        }
    }

    /// The macro makes a test of every rule.
    #[test]
    fn the_macro_knows_every_rule() {
        let mut listed = crate::store_contract!(@names).to_vec();
        let mut names: Vec<_> = RULES.iter().map(Rule::name).collect();
        listed.sort_unstable();
        names.sort_unstable();
        assert_eq!(listed, names);
    }
}
