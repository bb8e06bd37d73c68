//! A store that is broken on purpose is found out by the contract, each fault by a check that names it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test may fail the test"
)]

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use scim::patch::Patch;
use scim::policy::Policy;
use scim::projection::Projection;
use scim::resources::{Group, User};
use scim::store::{
    Answer, Extent, Memory, Page, Patched, Precondition, Query, Reply, Store, Stored, Version,
};
use scim::testkit::Tenant;
use scim::testkit::contract::{Contract, check};
use scim::value::{Edges, ResourceId};
use scim::{Limits, Result, ScimResource};

/// What is wrong with the store.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Nothing: the wrapper by itself does no harm.
    None,
    /// PATCH reads and writes in two transactions.
    LostUpdate,
    /// A resource is read with its first hundred members.
    TruncatedMembers,
    /// A filter is applied to the page instead of to all.
    PageCutBeforeFilter,
    /// User names that differ in case differ.
    CaseSensitiveUserNames,
    /// The id of what was deleted is given again.
    ReusedIds,
    /// The operations before the one that fails stay.
    HalfAppliedPatch,
    /// There is one tenant, whoever asks.
    LeakingTenants,
    /// A change leaves the version.
    FixedVersion,
    /// Preconditions of writes are not looked at.
    UncheckedVersions,
    /// Members are mere text.
    Unlinked,
    /// A group that is written without its members has none.
    EmptiedGroups,
    /// A version that the client has is 304, also where the answer shows what the version does not cover.
    EarlyNotModified,
    /// A filter that visits too much finds the half.
    PartialLists,
}

struct Broken {
    store: Memory,
    fault: Fault,
    /// How many patches have read what they are going to overwrite.
    reads: AtomicUsize,
    /// The ids of what was deleted.
    free: Mutex<Vec<String>>,
    /// The ids that resources go by, where they are not their own.
    aliases: Mutex<HashMap<String, String>>,
}

impl Broken {
    fn new(fault: Fault) -> Self {
        let store = Memory::new();
        Self {
            store: match fault {
                Fault::Unlinked => store,
                _ => store.link(Group::paths().members(), User::paths().groups()),
            },
            fault,
            reads: AtomicUsize::new(0),
            free: Mutex::default(),
            aliases: Mutex::default(),
        }
    }

    fn tenant(&self, cx: &Tenant) -> Tenant {
        match self.fault {
            Fault::LeakingTenants => Tenant::new("all"),
            _ => cx.clone(),
        }
    }

    fn id(&self, id: &str) -> String {
        let aliases = self.aliases.lock().unwrap();
        aliases.get(id).map_or(id, String::as_str).to_owned()
    }

    fn condition<'c>(&self, condition: &'c Precondition) -> &'c Precondition {
        match self.fault {
            Fault::UncheckedVersions => &Precondition::None,
            _ => condition,
        }
    }

    /// Reads, and comes back when another PATCH has read as well, if one is on its way.
    async fn read_along<R: ScimResource>(&self, cx: &Tenant, id: &str) -> Result<Option<Stored<R>>> {
        let stored = self.store.load(cx, id, Extent::Whole).await?;
        let reads = self.reads.fetch_add(1, Ordering::SeqCst) + 1;
        for _ in 0..10_000 {
            if self.reads.load(Ordering::SeqCst) > reads {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(stored)
    }

    fn spoil<R: ScimResource>(&self, mut stored: Stored<R>) -> Stored<R> {
        if self.fault == Fault::FixedVersion {
            stored.version = Version::from(1);
            stored.resource.meta_mut().version = Some(stored.version.entity_tag());
        }
        let group = (&mut stored.resource as &mut dyn Any).downcast_mut::<Group>();
        if let (Fault::TruncatedMembers, Some(group)) = (self.fault, group)
            && let Edges::Loaded(members) = &mut group.members
        {
            members.truncate(100);
        }
        stored
    }
}

impl<R: ScimResource> Store<R, Tenant> for Broken {
    async fn create(&self, cx: &Tenant, mut resource: R) -> Result<Stored<R>> {
        let cx = self.tenant(cx);
        let mut created = self.store.create(&cx, resource.clone()).await;
        let user = (&mut resource as &mut dyn Any).downcast_mut::<User>();
        if let (Fault::CaseSensitiveUserNames, Err(_), Some(user)) = (self.fault, &created, user) {
            user.user_name.push_str(" in another case");
            created = self.store.create(&cx, resource).await;
        }
        let mut created = created?;
        let free = self.free.lock().unwrap().pop();
        if let Some(id) = free {
            let own = created.resource.id().to_string();
            self.aliases.lock().unwrap().insert(id.clone(), own);
            *created.resource.id_mut() = ResourceId::new(id);
        }
        Ok(self.spoil(created))
    }

    async fn load(&self, cx: &Tenant, id: &str, extent: Extent) -> Result<Option<Stored<R>>> {
        let loaded = self.store.load(&self.tenant(cx), &self.id(id), extent).await?;
        Ok(loaded.map(|stored| self.spoil(stored)))
    }

    async fn get(
        &self,
        cx: &Tenant,
        id: &str,
        want: &Projection,
        condition: &Precondition,
    ) -> Result<Answer<R>> {
        let cx = self.tenant(cx);
        let loaded: Option<Stored<R>> = self.store.load(&cx, id, Extent::WithoutEdges).await?;
        match (self.fault, condition, loaded) {
            (Fault::EarlyNotModified, Precondition::IfNoneMatch(known), Some(loaded))
                if known.contains(&loaded.version) =>
            {
                Ok(Answer::NotModified(loaded.version))
            }
            _ => self.store.get(&cx, &self.id(id), want, condition).await,
        }
    }

    async fn query(&self, cx: &Tenant, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        let cx = self.tenant(cx);
        if self.fault == Fault::PartialLists {
            let mut page = self.store.query(&cx, query, want).await;
            if page.is_err() {
                let mut whole = query.clone();
                whole.scanned_rows = usize::MAX;
                page = self.store.query(&cx, &whole, want).await;
                page = page.map(|mut page| {
                    page.items.truncate(query.scanned_rows);
                    page.total = page.items.len() as u64;
                    page
                });
            }
            return page;
        }
        let (Fault::PageCutBeforeFilter, Some(filter)) = (self.fault, query.filter.clone()) else {
            return self.store.query(&cx, query, want).await;
        };
        let mut whole = query.clone();
        whole.filter = None;
        let mut selected = BTreeSet::new();
        let everybody = self
            .store
            .query(&cx, &Query::<R>::all(usize::MAX).matching(filter), want)
            .await?;
        for item in everybody.items {
            selected.insert(text_of(item.answer));
        }
        let mut page = self.store.query(&cx, &whole, want).await?;
        let mut items = Vec::new();
        for item in self.store.query(&cx, &whole, want).await?.items {
            items.push(selected.contains(&text_of(item.answer)));
        }
        let mut keep = items.into_iter();
        page.items.retain(|_| keep.next().unwrap_or_default());
        page.total = page.items.len() as u64;
        Ok(page)
    }

    async fn replace(
        &self,
        cx: &Tenant,
        id: &str,
        mut resource: R,
        condition: &Precondition,
    ) -> Result<Stored<R>> {
        if let (Fault::EmptiedGroups, Some(group)) = (
            self.fault,
            (&mut resource as &mut dyn Any).downcast_mut::<Group>(),
        ) && group.members == Edges::NotLoaded
        {
            group.members = Edges::default();
        }
        let condition = self.condition(condition);
        let replaced = self
            .store
            .replace(&self.tenant(cx), &self.id(id), resource, condition)
            .await;
        replaced.map(|stored| self.spoil(stored))
    }

    async fn patch(
        &self,
        cx: &Tenant,
        id: &str,
        patch: &Patch<R>,
        condition: &Precondition,
        reply: &Reply,
    ) -> Result<Patched<R>> {
        let (cx, id) = (self.tenant(cx), self.id(id));
        let condition = self.condition(condition);
        if matches!(self.fault, Fault::LostUpdate | Fault::TruncatedMembers) {
            let read = self
                .read_along::<R>(&cx, &id)
                .await?
                .map(|stored| self.spoil(stored));
            if let Some(changed) = read.map(|read| patch.apply(&read.resource)).transpose()? {
                if let Some(resource) = changed.resource {
                    self.store.replace(&cx, &id, resource, condition).await?;
                }
                let nothing = empty_patch::<R>()?;
                return self
                    .store
                    .patch(&cx, &id, &nothing, &Precondition::None, reply)
                    .await;
            }
        }
        let patched = self.store.patch(&cx, &id, patch, condition, reply).await;
        if self.fault == Fault::HalfAppliedPatch && patched.is_err() {
            let half = first_operation::<R>()?;
            self.store
                .patch(&cx, &id, &half, &Precondition::None, reply)
                .await?;
        }
        let mut patched = patched?;
        if self.fault == Fault::FixedVersion {
            patched.version = Version::from(1);
        }
        Ok(patched)
    }

    async fn delete(&self, cx: &Tenant, id: &str, condition: &Precondition) -> Result<()> {
        let (own, condition) = (self.id(id), self.condition(condition));
        Store::<R, Tenant>::delete(&self.store, &self.tenant(cx), &own, condition).await?;
        if self.fault == Fault::ReusedIds {
            self.free.lock().unwrap().push(id.to_owned());
        }
        Ok(())
    }
}

/// Something that tells the resources of a list apart.
fn text_of<R>(answer: Answer<R>) -> Vec<u8> {
    match answer {
        Answer::Rendered(scim::store::Rendered {
            document: scim::store::Document::Whole(bytes),
            ..
        }) => bytes.to_vec(),
        _ => panic!("the store in memory renders in one piece"),
    }
}

fn message<R: ScimResource>(operations: &str) -> Result<Patch<R>> {
    let body = format!(
        r#"{{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{operations}]}}"#
    );
    Patch::parse(body.as_bytes(), &Policy::tolerant(), &Limits::default())
}

/// A PATCH that changes nothing.
fn empty_patch<R: ScimResource>() -> Result<Patch<R>> {
    message(r#"{"op": "remove", "path": "externalId"}"#)
}

/// What the contract's failing PATCHes begin with.
fn first_operation<R: ScimResource>() -> Result<Patch<R>> {
    message(match R::RESOURCE_TYPE.name {
        "User" => r#"{"op": "add", "path": "title", "value": "Tour Guide"}"#,
        _ => r#"{"op": "remove", "path": "members"}"#,
    })
}

/// The wrapper without a fault keeps the contract: what the tests below find is the fault.
mod without_fault {
    scim::testkit::store_contract!(super::Broken::new(super::Fault::None));
}

fn is_caught(fault: Fault, by: &[(&str, &str)]) {
    for (name, says) in by {
        let outcome = check(name, || Broken::new(fault));
        let violation = outcome
            .expect_err(&format!("{fault:?} is not caught by {name}"))
            .to_string();
        assert!(
            violation.contains(says),
            "{fault:?} is caught by {name}, which says {violation:?} instead of {says:?}"
        );
    }
}

#[test]
fn a_lost_update_is_caught() {
    is_caught(
        Fault::LostUpdate,
        &[
            (
                "concurrent_members_are_all_kept",
                "of 20 members that 20 concurrent patches have added",
            ),
            (
                "concurrent_emails_are_all_kept",
                "of 20 e-mail addresses that 20 concurrent patches have added",
            ),
        ],
    );
}

#[test]
fn truncated_members_are_caught() {
    is_caught(
        Fault::TruncatedMembers,
        &[(
            "large_groups_survive_a_rename",
            "of 3000 members a rename has left 100",
        )],
    );
}

#[test]
fn a_page_cut_before_the_filter_is_caught() {
    is_caught(
        Fault::PageCutBeforeFilter,
        &[("filters_are_applied_before_pages", "has a total of 0")],
    );
}

#[test]
fn case_sensitive_user_names_are_caught() {
    is_caught(
        Fault::CaseSensitiveUserNames,
        &[
            (
                "user_names_are_unique_whatever_their_case",
                "create of the userName \"BJensen@Example.COM\"",
            ),
            (
                "of_concurrent_creates_one_wins",
                "of 20 concurrent creates of one userName 2 succeeded",
            ),
        ],
    );
}

#[test]
fn a_reused_id_is_caught() {
    is_caught(
        Fault::ReusedIds,
        &[("ids_are_never_given_again", "which a deleted resource had")],
    );
}

#[test]
fn a_half_applied_patch_is_caught() {
    is_caught(
        Fault::HalfAppliedPatch,
        &[("failed_patches_change_nothing", "was half applied")],
    );
}

#[test]
fn leaking_tenants_are_caught() {
    is_caught(
        Fault::LeakingTenants,
        &[
            ("tenants_do_not_see_each_other", "create refused a resource"),
            (
                "user_names_are_unique_whatever_their_width",
                "was refused in another",
            ),
        ],
    );
}

#[test]
fn a_version_that_stays_is_caught() {
    is_caught(
        Fault::FixedVersion,
        &[("changes_move_version_and_time", "was given to two states")],
    );
}

#[test]
fn unchecked_versions_are_caught() {
    is_caught(
        Fault::UncheckedVersions,
        &[
            (
                "stale_versions_are_refused",
                "replace under a stale version was accepted",
            ),
            ("preconditions_hold_in_every_form", "was accepted"),
            (
                "of_concurrent_conditional_writes_one_wins",
                "under one version 10 succeeded",
            ),
        ],
    );
}

#[test]
fn members_that_are_mere_text_are_caught() {
    is_caught(
        Fault::Unlinked,
        &[
            ("unknown_members_are_refused", "was accepted"),
            (
                "groups_of_users_follow_their_members",
                "is shown with groups None",
            ),
            ("deleted_members_leave_their_groups", "has 2 members"),
            ("memberships_are_found_by_filter", "type eq"),
        ],
    );
}

#[test]
fn emptied_groups_are_caught() {
    is_caught(
        Fault::EmptiedGroups,
        &[("unloaded_members_are_left_alone", "has left 0 of 2")],
    );
}

#[test]
fn a_304_in_spite_of_news_is_caught() {
    is_caught(
        Fault::EarlyNotModified,
        &[("derived_attributes_are_never_out_of_date", "answered 304")],
    );
}

#[test]
fn partial_lists_are_caught() {
    is_caught(
        Fault::PartialLists,
        &[("filters_are_refused_rather_than_cut_short", "was answered with 5")],
    );
}

/// No two checks have one name, and every check that is named above exists.
#[test]
fn every_check_has_a_name_of_its_own() {
    let checks = Contract::<Broken>::CHECKS;
    let names: BTreeSet<_> = checks.iter().map(|check| check.name()).collect();
    assert_eq!(names.len(), checks.len());
    assert!(check("no_such_check", || Broken::new(Fault::None)).is_err());
}
