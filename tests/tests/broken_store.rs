//! A store that is broken on purpose is found out by the contract, each fault by a check that names it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test may fail the test"
)]

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use scim::patch::Patch;
use scim::policy::Policy;
use scim::projection::Projection;
use scim::resources::{Group, Member, User};
use scim::store::{
    Answer, Clock, Decision, EdgeChange, Loads, Memory, Page, Precondition, Put, Query, Store, Stored,
    SystemClock, Version, Write, Written, load,
};
use scim::testkit::Tenant;
use scim::testkit::contract::{Contract, check};
use scim::value::Edges;
use scim::{Limits, Result, ScimResource};

/// What is wrong with the store.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Nothing: the wrapper by itself does no harm.
    None,
    /// A write is decided on what one transaction finds, and carried out in another.
    LostUpdate,
    /// A write is answered from a transaction that begins when it has ended.
    LateAnswer,
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
    /// A list ends after twenty resources, whatever page is asked for.
    EarlyEnd,
}

struct Broken {
    store: Memory,
    fault: Fault,
    /// How many writes have come as far as where they wait for each other.
    met: AtomicUsize,
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
            met: AtomicUsize::new(0),
            free: Mutex::default(),
            aliases: Mutex::default(),
        }
    }

    fn tenant(&self, cx: &Arc<Tenant>) -> Arc<Tenant> {
        match self.fault {
            Fault::LeakingTenants => Arc::new(Tenant::new("all")),
            _ => Arc::clone(cx),
        }
    }

    fn id(&self, id: &str) -> String {
        let aliases = self.aliases.lock().unwrap();
        aliases.get(id).map_or(id, String::as_str).to_owned()
    }

    /// Reads, and comes back when another write has read as well, if one is on its way.
    async fn read_along<R: ScimResource>(&self, cx: &Arc<Tenant>, id: &str) -> Result<Option<Stored<R>>> {
        let stored = load(&self.store, cx, id).await?;
        self.meet().await;
        Ok(stored)
    }

    /// Waits until another write has come as far, if one is on its way.
    async fn meet(&self) {
        let met = self.met.fetch_add(1, Ordering::SeqCst) + 1;
        for _ in 0..10_000 {
            if self.met.load(Ordering::SeqCst) > met {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn create<R: ScimResource>(&self, write: Write<R, Tenant>) -> Result<Written<R>> {
        let mut created = self.store.write(write.clone()).await;
        if self.fault == Fault::CaseSensitiveUserNames && created.is_err() {
            let Decision::Put(put) = write.decide(None, SystemClock.now())? else {
                panic!("a new resource is put");
            };
            let mut resource = put.resource.unwrap();
            if let Some(user) = (&mut resource as &mut dyn Any).downcast_mut::<User>() {
                user.user_name.push_str(" in another case");
            }
            created = self
                .store
                .write(Write::create(write.context(), write.id(), resource))
                .await;
        }
        let mut created = created?;
        let free = self.free.lock().unwrap().pop();
        if let Some(id) = free {
            self.aliases.lock().unwrap().insert(id.clone(), created.id);
            created.id = id;
        }
        Ok(created)
    }

    /// Decides on one state and makes what comes of it the next one, whatever is there by then.
    async fn overwrite<R: ScimResource>(&self, write: &Write<R, Tenant>) -> Result<Option<Written<R>>> {
        let Some(mut read) = self.read_along::<R>(write.context(), write.id()).await? else {
            return Ok(None);
        };
        let group = (&mut read.resource as &mut dyn Any).downcast_mut::<Group>();
        if let (Fault::TruncatedMembers, Some(group)) = (self.fault, group)
            && let Edges::Loaded(members) = &mut group.members
        {
            members.truncate(100);
        }
        let Decision::Put(put) = write.decide(Some(&read), SystemClock.now())? else {
            return Ok(None);
        };
        let next = completed(read.resource, *put);
        let replace = Write::replace(write.context(), write.id(), next);
        self.store.write(replace.answered(write.reply())).await.map(Some)
    }

    /// What a store does to groups that are written without their members, and should not.
    async fn empty<R: ScimResource>(&self, write: &Write<R, Tenant>) -> Result<()> {
        let nothing = message::<R>(r#"{"op": "remove", "path": "members"}"#)?;
        let patch = Write::patch(write.context(), write.id(), &nothing)?;
        self.store.write(patch).await.map(drop)
    }
}

/// The whole next state, with the edges that were there and those that were added.
fn completed<R: ScimResource>(before: R, put: Put<R>) -> R {
    let mut members = match (&before as &dyn Any).downcast_ref::<Group>() {
        Some(group) => group.members.loaded().unwrap().to_vec(),
        None => Vec::new(),
    };
    for edit in &put.edges {
        if let EdgeChange::Add(edges) = &edit.change {
            members.extend(edges.iter().map(|edge| Member::new(&*edge.value)));
        }
    }
    let mut next = put.resource.unwrap_or(before);
    if let Some(group) = (&mut next as &mut dyn Any).downcast_mut::<Group>() {
        group.members = members.into();
    }
    next
}

impl<R: ScimResource> Store<R, Tenant> for Broken {
    async fn write(&self, write: Write<R, Tenant>) -> Result<Written<R>> {
        let asked = write.id().to_owned();
        let mut write = write
            .in_context(&self.tenant(write.context()))
            .about(&self.id(&asked));
        if self.fault == Fault::UncheckedVersions {
            write = write.precondition(Precondition::None);
        }
        if write.loads() == Loads::Nothing {
            return self.create(write).await;
        }
        let is_group = R::RESOURCE_TYPE.name == "Group";
        let changes = write.loads() >= Loads::Resource || !write.edge_edits().is_empty();
        let names_edges = write.sets_edges() || !write.edge_edits().is_empty();
        let mut written = match self.fault {
            Fault::LostUpdate | Fault::TruncatedMembers if changes => match self.overwrite(&write).await? {
                Some(written) => Ok(written),
                None => self.store.write(write.clone()).await,
            },
            Fault::EmptiedGroups if is_group && changes && !names_edges => {
                self.empty(&write).await?;
                self.store.write(write.clone()).await
            }
            _ => self.store.write(write.clone()).await,
        };
        if self.fault == Fault::HalfAppliedPatch && written.is_err() && changes {
            let half = Write::patch(write.context(), write.id(), &first_operation::<R>()?)?;
            self.store.write(half).await?;
        }
        if self.fault == Fault::ReusedIds && write.loads() == Loads::Stamp && !changes && written.is_ok() {
            self.free.lock().unwrap().push(asked.clone());
        }
        if let (Fault::LateAnswer, Ok(written)) = (self.fault, &mut written)
            && written.answer.is_some()
        {
            self.meet().await;
            let want = write.reply().want;
            let answer = self
                .store
                .get(write.context(), write.id(), &want, &Precondition::None);
            written.answer = answer.await.ok();
        }
        let mut written = written?;
        if self.fault == Fault::FixedVersion {
            written.version = Version::from(1);
        }
        written.id = asked;
        Ok(written)
    }

    async fn get(
        &self,
        cx: &Arc<Tenant>,
        id: &str,
        want: &Projection,
        condition: &Precondition,
    ) -> Result<Answer<R>> {
        let (cx, id) = (self.tenant(cx), self.id(id));
        let current = load::<R, _, _>(&self.store, &cx, &id).await?;
        let mut answer = match (self.fault, condition, current) {
            (Fault::EarlyNotModified, Precondition::IfNoneMatch(known), Some(current))
                if known.contains(&current.version) =>
            {
                Answer::NotModified(current.version)
            }
            _ => self.store.get(&cx, &id, want, condition).await?,
        };
        if let (Fault::FixedVersion, Answer::Rendered(rendered)) = (self.fault, &mut answer) {
            rendered.version = Version::from(1);
        }
        Ok(answer)
    }

    async fn list(&self, cx: &Arc<Tenant>, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        let cx = self.tenant(cx);
        if self.fault == Fault::EarlyEnd {
            let mut page = self.store.list(&cx, query, want).await?;
            let before = usize::try_from(query.start_index).unwrap() - 1;
            page.items.truncate(20_usize.saturating_sub(before));
            return Ok(page);
        }
        if self.fault == Fault::PartialLists {
            let mut page = self.store.list(&cx, query, want).await;
            if page.is_err() {
                let mut whole = query.clone();
                whole.scanned_rows = usize::MAX;
                page = self.store.list(&cx, &whole, want).await;
                page = page.map(|mut page| {
                    page.items.truncate(query.scanned_rows);
                    page.total = page.items.len() as u64;
                    page
                });
            }
            return page;
        }
        let (Fault::PageCutBeforeFilter, Some(filter)) = (self.fault, query.filter.clone()) else {
            return self.store.list(&cx, query, want).await;
        };
        let mut whole = query.clone();
        whole.filter = None;
        let mut selected = BTreeSet::new();
        let everybody = self
            .store
            .list(&cx, &Query::<R>::all(usize::MAX).matching(filter), want)
            .await?;
        for item in everybody.items {
            selected.insert(text_of(item.answer));
        }
        let mut page = self.store.list(&cx, &whole, want).await?;
        let mut items = Vec::new();
        for item in self.store.list(&cx, &whole, want).await?.items {
            items.push(selected.contains(&text_of(item.answer)));
        }
        let mut keep = items.into_iter();
        page.items.retain(|_| keep.next().unwrap_or_default());
        page.total = page.items.len() as u64;
        Ok(page)
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
fn a_late_answer_is_caught() {
    is_caught(
        Fault::LateAnswer,
        &[(
            "writes_are_answered_from_their_transaction",
            "another writer's state",
        )],
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

#[test]
fn pages_that_do_not_go_on_are_caught() {
    is_caught(
        Fault::EarlyEnd,
        &[(
            "pages_of_large_groups_are_whole",
            "begins with number 21 of 30 has none",
        )],
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
