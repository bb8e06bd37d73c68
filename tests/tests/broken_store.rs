//! A store that is broken on purpose is found out by the contract: for every rule there is a fault that breaks it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test may fail the test"
)]

use std::any::Any;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use scim::patch::Patch;
use scim::policy::Policy;
use scim::projection::Projection;
use scim::resources::{Group, Member, Password, User};
use scim::schema::Uniqueness;
use scim::store::{
    Answer, Clock, Decision, Document, EdgeChange, Loads, Memory, Page, Precondition, Put, Query, Rendered,
    Stamp, Store, Stored, SystemClock, Version, Write, Written, load,
};
use scim::testkit::Tenant;
use scim::testkit::contract::{Contract, Sample, rules};
use scim::value::{Edges, Meta, ResourceId, View};
use scim::{Error, Limits, Result, ScimResource, ScimType};

/// A fault of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fault {
    /// Nothing: the wrapper by itself does no harm.
    None,
    /// An attribute is not kept.
    LostTitles,
    /// Ids are what bulk operations use for resources that are not there yet.
    BulkIds,
    /// Ids are compared without white space and case.
    LooseIds,
    /// Each type counts its resources by itself.
    IdsByType,
    /// The id of what was deleted is given again.
    ReusedIds,
    /// User names that differ in case differ.
    CaseSensitiveUserNames,
    /// A unique value that anybody has ever had is taken, in every tenant and in every case.
    NamesForEver,
    /// Passwords are kept.
    KeptPasswords,
    /// A write is decided on what one transaction finds, and carried out in another.
    LostUpdate,
    /// A write is answered from a transaction that begins when it has ended.
    LateAnswer,
    /// The same, and a resource that is gone by then is 404.
    LostAnswer,
    /// Preconditions of writes are not looked at.
    UncheckedVersions,
    /// The operations before the one that fails stay.
    HalfAppliedPatch,
    /// A write that changes nothing is a new version.
    RestlessVersions,
    /// A change leaves the version.
    FixedVersion,
    /// A replace leaves what it does not name, edges included.
    MergedReplacements,
    /// A delete does nothing.
    IgnoredDeletes,
    /// A get sends what the client has.
    NeverNotModified,
    /// Filters select everything.
    IgnoredFilters,
    /// A filter is applied to the page instead of to all.
    PageCutBeforeFilter,
    /// A filter that visits too much finds the half.
    PartialLists,
    /// Every filter visits every row.
    NoIndexes,
    /// A list ends after twenty resources, whatever page is asked for.
    EarlyEnd,
    /// A count of 0 asks for a page.
    CountZeroIsAll,
    /// Lists are in the order of creation, whatever order is asked for.
    Unsorted,
    /// Items of a sorted list say not by what they are sorted.
    NoSortKeys,
    /// Lists show everything.
    WholeLists,
    /// There is one tenant, whoever asks.
    LeakingTenants,
    /// A resource is read with its first hundred members.
    TruncatedMembers,
    /// A remove that lists members removes all.
    RemovesAll,
    /// A group that is written without its members has none.
    EmptiedGroups,
    /// A PATCH shows what it has changed, however large.
    EverythingShown,
    /// A page has all that was asked for, however large.
    WholePages,
    /// Members are mere text.
    Unlinked,
    /// The error of a member that does not exist does not say which.
    NamelessRefusals,
    /// A document is kept as it was first shown in a version.
    FrozenNames,
    /// A version that the client has is 304, also where the answer shows what the version does not cover.
    EarlyNotModified,
    /// Nobody is told which members a write has added and removed.
    SilentMoves,
}

/// The rules that find each fault, and what they say.
const FOUND: &[(Fault, &[(&str, &str)])] = &[
    (
        Fault::LostTitles,
        &[("created_resources_are_kept_whole", "a create has made")],
    ),
    (
        Fault::BulkIds,
        &[("ids_are_made_by_the_store", "gave the id Some(\"bulkId:")],
    ),
    (Fault::LooseIds, &[("ids_have_one_spelling", "a get of \" ")]),
    (
        Fault::IdsByType,
        &[("ids_are_of_one_type", "was created with the id \"1\", which a ")],
    ),
    (
        Fault::ReusedIds,
        &[("ids_are_never_given_again", "which a deleted resource had")],
    ),
    (
        Fault::CaseSensitiveUserNames,
        &[
            ("unique_values_are_refused", "a create with userName"),
            (
                "of_concurrent_creates_one_wins",
                "of 20 concurrent creates of one userName",
            ),
        ],
    ),
    (
        Fault::NamesForEver,
        &[
            (
                "unique_values_are_free_once_given_up",
                "which was given up, failed",
            ),
            (
                "unique_values_of_deleted_resources_are_free",
                "of a deleted resource failed",
            ),
            ("tenants_do_not_share_unique_values", "of another tenant failed"),
        ],
    ),
    (
        Fault::KeptPasswords,
        &[(
            "transient_values_are_not_kept",
            "a create has kept the attribute password",
        )],
    ),
    (
        Fault::LostUpdate,
        &[
            ("concurrent_patches_are_all_kept", "concurrent PATCHes have set"),
            (
                "concurrent_edges_are_all_kept",
                "of 20 edges that 20 concurrent PATCHes have added",
            ),
        ],
    ),
    (
        Fault::LateAnswer,
        &[(
            "writes_are_answered_from_their_transaction",
            "another writer's state",
        )],
    ),
    (
        Fault::LostAnswer,
        &[(
            "applied_writes_are_acknowledged",
            "a replace that was carried out, and after which the resource was deleted, failed: 404",
        )],
    ),
    (
        Fault::UncheckedVersions,
        &[
            (
                "stale_versions_are_refused",
                "a replace under a stale version was accepted",
            ),
            ("preconditions_hold_in_every_form", "was accepted"),
            (
                "of_concurrent_conditional_writes_one_wins",
                "under one version 10 succeeded",
            ),
        ],
    ),
    (
        Fault::HalfAppliedPatch,
        &[(
            "failed_patches_change_nothing",
            "a PATCH that failed at its last operation",
        )],
    ),
    (
        Fault::RestlessVersions,
        &[
            (
                "writes_that_change_nothing_leave_no_trace",
                "that changes nothing has moved the version",
            ),
            (
                "edits_of_edges_that_change_nothing_leave_no_trace",
                "which changes nothing, has moved the version",
            ),
        ],
    ),
    (
        Fault::FixedVersion,
        &[
            ("changes_move_version_and_time", "was given to two states"),
            ("edges_move_version_and_time", "has left the version at"),
        ],
    ),
    (
        Fault::MergedReplacements,
        &[
            ("replacements_keep_id_and_creation", "has kept externalId"),
            ("replaced_edges_are_the_new_ones", "a replace "),
        ],
    ),
    (
        Fault::IgnoredDeletes,
        &[
            (
                "deleted_resources_are_gone",
                "a get of a deleted resource was accepted",
            ),
            ("filters_find_nothing_deleted", "finds the deleted resource"),
            ("deleted_resources_leave_their_edges", "are left"),
        ],
    ),
    (
        Fault::NeverNotModified,
        &[(
            "known_versions_are_not_sent_again",
            "sent a document whose version the client has",
        )],
    ),
    (
        Fault::IgnoredFilters,
        &[
            ("filters_select_what_they_say", "found 9 resources"),
            ("edges_are_found_by_filter", "instead of"),
        ],
    ),
    (
        Fault::PageCutBeforeFilter,
        &[("filters_are_applied_before_pages", "has a total of 0")],
    ),
    (
        Fault::PartialLists,
        &[("filters_are_refused_rather_than_cut_short", "was answered with 5")],
    ),
    (
        Fault::NoIndexes,
        &[("unique_values_are_found_by_an_index", "a list failed: 400")],
    ),
    (
        Fault::EarlyEnd,
        &[
            ("pages_are_stable_and_complete", "show 20 of them"),
            (
                "pages_of_large_resources_are_whole",
                "begins with number 21 of 30 has none",
            ),
        ],
    ),
    (
        Fault::CountZeroIsAll,
        &[(
            "pages_may_be_empty",
            "startIndex 1 and count 0 of 3 resources gave 3 of 3",
        )],
    ),
    (
        Fault::Unsorted,
        &[("lists_are_sorted", "the values come in the order")],
    ),
    (
        Fault::NoSortKeys,
        &[("sorted_items_have_their_key", "has the sort key None")],
    ),
    (
        Fault::WholeLists,
        &[("lists_show_what_is_wanted", "a list shows")],
    ),
    (
        Fault::LeakingTenants,
        &[
            ("tenants_do_not_find_each_other_by_id", "of another"),
            (
                "tenants_do_not_share_lists",
                "a tenant without resources is shown",
            ),
            ("filters_stay_in_their_tenant", "in a tenant that has"),
            ("tenants_do_not_share_unique_values", "of another tenant failed"),
            ("edges_stay_in_their_tenant", "was accepted"),
        ],
    ),
    (
        Fault::TruncatedMembers,
        &[(
            "large_resources_survive_a_change",
            "of 3000 edges a change of another attribute has left 100",
        )],
    ),
    (
        Fault::RemovesAll,
        &[(
            "listed_edges_alone_are_removed",
            "a remove that lists one of five edges has left 0",
        )],
    ),
    (
        Fault::EmptiedGroups,
        &[
            ("unloaded_edges_are_left_alone", "has left 0 of 2"),
            ("replies_without_edges_lose_none", "has left 0 of 3 edges"),
        ],
    ),
    (
        Fault::EverythingShown,
        &[(
            "large_resources_are_not_read_back",
            "with at most 2 edges to be shown",
        )],
    ),
    (
        Fault::WholePages,
        &[("pages_of_large_resources_are_bounded", "bytes in memory")],
    ),
    (
        Fault::Unlinked,
        &[
            ("unknown_edges_are_refused", "was accepted"),
            ("edges_stay_in_their_tenant", "was accepted"),
            ("mirrors_follow_their_edges", "groups shows None"),
            ("deleted_resources_leave_their_edges", "are left"),
            ("resources_of_one_type_can_be_nested", "members shows"),
        ],
    ),
    (
        Fault::NamelessRefusals,
        &[("unknown_edges_are_refused", "does not name it")],
    ),
    (
        Fault::FrozenNames,
        &[("names_of_edges_are_up_to_date", "members shows the display ")],
    ),
    (
        Fault::EarlyNotModified,
        &[("derived_attributes_are_never_out_of_date", "answered 304")],
    ),
    (Fault::SilentMoves, &[("moved_edges_are_told", "this was told")]),
];

struct Broken {
    store: Memory,
    fault: Fault,
    /// How many writes have come as far as where they wait for each other.
    met: AtomicUsize,
    /// How many deletes were carried out.
    deletes: AtomicUsize,
    /// How many resources there have been of each type.
    numbers: Mutex<HashMap<&'static str, usize>>,
    /// The ids of what was deleted.
    free: Mutex<Vec<String>>,
    /// The ids that resources go by, where they are not their own, by their types.
    aliases: Mutex<HashMap<(&'static str, String), String>>,
    /// All values that had to be unique.
    names: Mutex<HashSet<String>>,
    passwords: Mutex<HashMap<String, Password>>,
    /// The document that was shown first of a version.
    documents: Mutex<HashMap<(String, String), Vec<u8>>>,
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
            deletes: AtomicUsize::new(0),
            numbers: Mutex::default(),
            free: Mutex::default(),
            aliases: Mutex::default(),
            names: Mutex::default(),
            passwords: Mutex::default(),
            documents: Mutex::default(),
        }
    }

    fn tenant(&self, cx: &Arc<Tenant>) -> Arc<Tenant> {
        match self.fault {
            Fault::LeakingTenants => Arc::new(Tenant::new("all")),
            _ => Arc::clone(cx),
        }
    }

    fn id<R: ScimResource>(&self, id: &str) -> String {
        if self.fault == Fault::LooseIds {
            return id.trim().to_lowercase();
        }
        let aliases = self.aliases.lock().unwrap();
        let known = aliases.get(&(R::RESOURCE_TYPE.name, id.to_owned()));
        known.map_or(id, String::as_str).to_owned()
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
        let others = || self.met.load(Ordering::SeqCst) > met;
        wait_for(others).await;
    }

    /// Returns the id that a new resource goes by, if that is not its own.
    fn alias<R: ScimResource>(&self) -> Option<String> {
        let name = R::RESOURCE_TYPE.name;
        let mut numbers = self.numbers.lock().unwrap();
        let number = numbers.entry(name).or_default();
        *number += 1;
        match self.fault {
            Fault::IdsByType => Some(number.to_string()),
            Fault::BulkIds => Some(format!("bulkId:{name}{number}")),
            Fault::ReusedIds => self.free.lock().unwrap().pop(),
            _ => None,
        }
    }

    async fn create<R: ScimResource>(&self, write: Write<R, Tenant>) -> Result<Written<R>> {
        let Decision::Put(put) = write.decide(None, SystemClock.now())? else {
            panic!("a new resource is put");
        };
        let handed_on = put.handed_on.as_ref().and_then(user).cloned();
        let mut resource = completed(put.resource.as_ref().unwrap().clone(), *put);
        let again = |resource| {
            let create = Write::create(write.context(), write.id(), resource);
            self.store.write(create.answered(write.reply()))
        };
        if self.fault == Fault::NamesForEver && !self.names.lock().unwrap().insert(first_unique(&resource)) {
            return Err(Error::new(http::StatusCode::CONFLICT, "is taken").with_type(ScimType::Uniqueness));
        }
        let mut created = match (self.fault, user_mut(&mut resource)) {
            (Fault::LostTitles, Some(user)) => {
                user.title = None;
                again(resource).await
            }
            _ => self.store.write(write.clone()).await,
        };
        if self.fault == Fault::CaseSensitiveUserNames && created.is_err() {
            let mut resource = write_of(&write);
            if let Some(user) = user_mut(&mut resource) {
                user.user_name.push_str(" in another case");
            }
            created = again(resource).await;
        }
        let mut created = created?;
        if let Some(password) = handed_on.and_then(|user| user.password) {
            self.passwords
                .lock()
                .unwrap()
                .insert(created.id.clone(), password);
        }
        if let Some(alias) = self.alias::<R>() {
            let key = (R::RESOURCE_TYPE.name, alias.clone());
            self.aliases.lock().unwrap().insert(key, created.id);
            created.id = alias;
        }
        Ok(created)
    }

    /// Decides on one state and makes what comes of it the next one, whatever is there by then.
    async fn overwrite<R: ScimResource>(&self, write: &Write<R, Tenant>) -> Result<Option<Written<R>>> {
        let Some(mut read) = self.read_along::<R>(write.context(), write.id()).await? else {
            return Ok(None);
        };
        if let (Fault::TruncatedMembers, Some(group)) = (self.fault, group_mut(&mut read.resource))
            && let Edges::Loaded(members) = &mut group.members
        {
            members.truncate(100);
        }
        let Decision::Put(put) = write.decide(Some(&read), SystemClock.now())? else {
            return Ok(None);
        };
        let mut next = completed(read.resource.clone(), *put);
        if self.fault == Fault::MergedReplacements {
            merge(&read.resource, &mut next);
        }
        let replace = Write::replace(write.context(), write.id(), next);
        self.store.write(replace.answered(write.reply())).await.map(Some)
    }

    /// Empties a group that is written without its members, as a store should not.
    async fn empty<R: ScimResource>(&self, write: &Write<R, Tenant>) -> Result<()> {
        let nothing = message::<R>(r#"{"op": "remove", "path": "members"}"#)?;
        let patch = Write::patch(write.context(), write.id(), &nothing)?;
        self.store.write(patch).await.map(drop)
    }

    /// Carries out a write of a resource that is there.
    async fn change<R: ScimResource>(&self, write: &Write<R, Tenant>) -> Result<Written<R>> {
        let is_group = R::RESOURCE_TYPE.name == "Group";
        let changes = changes(write);
        let names_edges = write.sets_edges() || !write.edge_edits().is_empty();
        let removes = |change: &EdgeChange| matches!(change, EdgeChange::Remove(_));
        match self.fault {
            Fault::LostUpdate | Fault::TruncatedMembers | Fault::MergedReplacements if changes => {
                match self.overwrite(write).await? {
                    Some(written) => return Ok(written),
                    None => return self.store.write(write.clone()).await,
                }
            }
            Fault::EmptiedGroups if is_group && changes && !names_edges => self.empty(write).await?,
            Fault::RemovesAll if write.edge_edits().iter().any(|edit| removes(&edit.change)) => {
                self.empty(write).await?;
            }
            Fault::IgnoredDeletes if !changes => {
                let current = load::<R, _, _>(&self.store, write.context(), write.id()).await?;
                write.decide(current.as_ref(), SystemClock.now())?;
                return Ok(Written {
                    id: write.id().to_owned(),
                    version: current.unwrap().version,
                    changed: true,
                    answer: None,
                });
            }
            _ => {}
        }
        let written = self.store.write(write.clone()).await;
        if self.fault == Fault::HalfAppliedPatch && written.is_err() && changes {
            let half = Write::patch(write.context(), write.id(), &first_operation::<R>()?)?;
            self.store.write(half).await?;
        }
        written
    }

    /// Answers a write that was carried out.
    async fn answered<R: ScimResource>(
        &self,
        write: &Write<R, Tenant>,
        mut written: Written<R>,
    ) -> Result<Written<R>> {
        if !changes(write) {
            self.deletes.fetch_add(1, Ordering::SeqCst);
        }
        let want = write.reply().want;
        let read = || {
            self.store
                .get(write.context(), write.id(), &want, &Precondition::None)
        };
        match self.fault {
            Fault::LateAnswer if written.answer.is_some() => {
                self.meet().await;
                written.answer = read().await.ok();
            }
            Fault::LostAnswer if written.answer.is_some() && written.changed => {
                let before = self.deletes.load(Ordering::SeqCst);
                wait_for(|| self.deletes.load(Ordering::SeqCst) > before).await;
                written.answer = Some(read().await?);
            }
            Fault::RestlessVersions if !written.changed => {
                written.version = Version::new(format!("{}-again", written.version));
            }
            Fault::FixedVersion => written.version = Version::from(1),
            Fault::SilentMoves => write.moved([]),
            _ => {}
        }
        Ok(written)
    }

    /// Returns a page that is not cut, however large it is.
    async fn whole_page<R: ScimResource>(
        &self,
        cx: &Arc<Tenant>,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Page<R>> {
        let mut page = self.store.list(cx, query, want).await?;
        loop {
            let mut rest = query.clone();
            rest.start_index += page.items.len() as u64;
            rest.count -= page.items.len();
            let more = self.store.list(cx, &rest, want).await?;
            if more.items.is_empty() {
                return Ok(page);
            }
            page.items.extend(more.items);
        }
    }

    /// Returns a page that is cut before the filter is applied.
    async fn cut_page<R: ScimResource>(
        &self,
        cx: &Arc<Tenant>,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Page<R>> {
        let Some(filter) = query.filter.clone() else {
            return self.store.list(cx, query, want).await;
        };
        let mut whole = query.clone();
        whole.filter = None;
        let matching = Query::<R>::all(usize::MAX).matching(filter);
        let mut selected = BTreeSet::new();
        for item in self.store.list(cx, &matching, want).await?.items {
            selected.insert(text_of(&item.answer));
        }
        let mut page = self.store.list(cx, &whole, want).await?;
        page.items
            .retain(|item| selected.contains(&text_of(&item.answer)));
        page.total = page.items.len() as u64;
        Ok(page)
    }

    /// Returns what a filter finds before it has visited too much.
    async fn partial_page<R: ScimResource>(
        &self,
        cx: &Arc<Tenant>,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Page<R>> {
        let page = self.store.list(cx, query, want).await;
        if page.is_ok() {
            return page;
        }
        let mut whole = query.clone();
        whole.scanned_rows = usize::MAX;
        let mut page = self.store.list(cx, &whole, want).await?;
        page.items.truncate(query.scanned_rows);
        page.total = page.items.len() as u64;
        Ok(page)
    }

    /// Returns the document that was shown first of this version.
    fn frozen<R>(&self, id: &str, answer: &Answer<R>) -> Answer<R> {
        let key = (id.to_owned(), answer.version().to_string());
        let first = text_of(answer);
        let mut documents = self.documents.lock().unwrap();
        let document = documents.entry(key).or_insert(first).clone();
        Answer::Rendered(Rendered {
            version: answer.version().clone(),
            document: Document::Whole(document.into()),
        })
    }
}

/// Waits, but not for ever.
async fn wait_for(holds: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            break;
        }
        tokio::task::yield_now().await;
    }
}

/// Returns whether a write changes a resource: it does not delete it.
fn changes<R: ScimResource>(write: &Write<R, Tenant>) -> bool {
    write.loads() >= Loads::Resource || !write.edge_edits().is_empty()
}

fn user<R: Any>(resource: &R) -> Option<&User> {
    (resource as &dyn Any).downcast_ref()
}

fn user_mut<R: Any>(resource: &mut R) -> Option<&mut User> {
    (resource as &mut dyn Any).downcast_mut()
}

fn group_mut<R: Any>(resource: &mut R) -> Option<&mut Group> {
    (resource as &mut dyn Any).downcast_mut()
}

/// Returns the resource that a create makes, without its edges.
fn write_of<R: ScimResource>(write: &Write<R, Tenant>) -> R {
    match write.decide(None, SystemClock.now()) {
        Ok(Decision::Put(put)) => put.resource.unwrap(),
        other => panic!("a new resource is put, and not {other:?}"),
    }
}

/// Returns the first value that must be unique, without regard to case.
fn first_unique<R: ScimResource>(resource: &R) -> String {
    let unique = resource
        .attributes()
        .iter()
        .enumerate()
        .find(|(_, attribute)| attribute.shape.uniqueness != Uniqueness::None && attribute.name != "id");
    match unique.map(|(index, _)| resource.view(index)) {
        Some(View::Str(text)) => format!("{} {}", R::RESOURCE_TYPE.name, text.to_lowercase()),
        _ => resource.id().to_string(),
    }
}

/// Returns the whole next state, with the edges that were there and those that were added.
fn completed<R: ScimResource>(before: R, put: Put<R>) -> R {
    let mut members = match (&before as &dyn Any).downcast_ref::<Group>() {
        Some(group) => group.members.loaded().unwrap_or_default().to_vec(),
        None => Vec::new(),
    };
    for edit in &put.edges {
        if let EdgeChange::Add(edges) = &edit.change {
            members.extend(edges.iter().map(|edge| Member::new(&*edge.value)));
        }
    }
    let mut next = put.resource.unwrap_or(before);
    if let Some(group) = group_mut(&mut next) {
        group.members = members.into();
    }
    next
}

/// Keeps what a replacement leaves out.
fn merge<R: ScimResource>(before: &R, next: &mut R) {
    if let (Some(before), Some(next)) = (user(before), user_mut(next)) {
        next.external_id = next.external_id.take().or(before.external_id.clone());
    }
    if let Some(group) = group_mut(next) {
        group.members = Edges::NotLoaded;
    }
}

impl<R: ScimResource> Store<R, Tenant> for Broken {
    async fn write(&self, write: Write<R, Tenant>) -> Result<Written<R>> {
        let asked = write.id().to_owned();
        let mut write = write
            .in_context(&self.tenant(write.context()))
            .about(&self.id::<R>(&asked));
        match self.fault {
            Fault::UncheckedVersions => write = write.precondition(Precondition::None),
            Fault::EverythingShown => {
                let mut reply = write.reply();
                reply.most_edges = None;
                write = write.answered(reply);
            }
            _ => {}
        }
        if write.loads() == Loads::Nothing {
            let created = self.create(write.clone()).await;
            if self.fault == Fault::SilentMoves {
                write.moved([]);
            }
            return self.nameless(created);
        }
        let written = self.nameless(self.change(&write).await)?;
        if self.fault == Fault::ReusedIds && !changes(&write) {
            self.free.lock().unwrap().push(asked.clone());
        }
        let mut written = self.answered(&write, written).await?;
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
        let (cx, id) = (self.tenant(cx), self.id::<R>(id));
        let current = load::<R, _, _>(&self.store, &cx, &id).await?;
        let condition = match (self.fault, condition) {
            (Fault::NeverNotModified, Precondition::IfNoneMatch(_)) => &Precondition::None,
            _ => condition,
        };
        let password = self.passwords.lock().unwrap().get(&id).cloned();
        match (self.fault, condition, current) {
            (Fault::EarlyNotModified, Precondition::IfNoneMatch(known), Some(current))
                if known.contains(&current.version) =>
            {
                Ok(Answer::NotModified(current.version))
            }
            (Fault::KeptPasswords, _, Some(mut current)) if password.is_some() => {
                user_mut(&mut current.resource).unwrap().password = password;
                Ok(Answer::Typed(Box::new(current)))
            }
            (Fault::FrozenNames, _, _) if want.is_default() => {
                let answer = self.store.get(&cx, &id, want, condition).await?;
                Ok(self.frozen(&id, &answer))
            }
            (Fault::FixedVersion, _, Some(current)) => {
                let stamp = Stamp {
                    version: Version::from(1),
                    ..current.stamp()
                };
                Ok(Answer::Typed(Box::new(Stored::new(
                    &id,
                    &stamp,
                    current.resource,
                ))))
            }
            _ => self.store.get(&cx, &id, want, condition).await,
        }
    }

    async fn list(&self, cx: &Arc<Tenant>, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        let cx = self.tenant(cx);
        let mut asked = query.clone();
        let everything = Projection::default_of(R::RESOURCE_TYPE);
        let mut want = want;
        match self.fault {
            Fault::WholePages => return self.whole_page(&cx, query, want).await,
            Fault::PageCutBeforeFilter => return self.cut_page(&cx, query, want).await,
            Fault::PartialLists => return self.partial_page(&cx, query, want).await,
            Fault::IgnoredFilters => asked.filter = None,
            Fault::Unsorted => asked.sort = None,
            Fault::WholeLists => want = &everything,
            Fault::CountZeroIsAll if query.count == 0 => asked.count = 100,
            Fault::NoIndexes if query.filter.is_some() => {
                let all = self.store.list(&cx, &Query::<R>::all(0), want).await?.total;
                if all > query.scanned_rows as u64 {
                    let refused = Error::new(http::StatusCode::BAD_REQUEST, "too many rows");
                    return Err(refused.with_type(ScimType::TooMany));
                }
            }
            _ => {}
        }
        let mut page = self.store.list(&cx, &asked, want).await?;
        match self.fault {
            Fault::NoSortKeys => page.items.iter_mut().for_each(|item| item.sort_key = None),
            Fault::EarlyEnd => {
                let before = usize::try_from(query.start_index).unwrap() - 1;
                page.items.truncate(20_usize.saturating_sub(before));
            }
            _ => {}
        }
        Ok(page)
    }
}

impl Broken {
    fn nameless<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match (self.fault, error.scim_type()) {
            (Fault::NamelessRefusals, Some(kind)) => {
                Error::new(error.status(), "The value is not valid.").with_type(kind)
            }
            _ => error,
        })
    }
}

/// Returns something that tells the resources of a list apart.
fn text_of<R>(answer: &Answer<R>) -> Vec<u8> {
    match answer {
        Answer::Rendered(Rendered {
            document: Document::Whole(bytes),
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

/// Returns what a store has done before an operation fails.
fn first_operation<R: ScimResource>() -> Result<Patch<R>> {
    message(match R::RESOURCE_TYPE.name {
        "User" => r#"{"op": "add", "path": "title", "value": "half"}"#,
        _ => r#"{"op": "replace", "path": "displayName", "value": "half"}"#,
    })
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(4).enable_all().build().expect("a runtime")
}

/// Checks a rule, and returns what is said of the violations.
fn check<S: Send + Sync + 'static>(contract: &Contract<S, Tenant>, rule: &str) -> String {
    let violations = runtime().block_on(contract.check(rule));
    let violations = violations.unwrap_or_else(|| panic!("{rule} is not asked"));
    let said: Vec<_> = violations.iter().map(ToString::to_string).collect();
    said.join("\n")
}

/// Checks that a fault is found by the rules that are to find it, and that each says the rule, what was seen and what to do.
fn is_found(fault: Fault) {
    let (_, by) = FOUND.iter().find(|(known, _)| *known == fault).unwrap();
    let contract = Contract::of_users_and_groups(move || async move { Broken::new(fault) });
    for (rule, says) in *by {
        let violation = check(&contract, rule);
        assert!(
            violation.contains(says),
            "{fault:?} is to be found by {rule}, which says {violation:?} instead of {says:?}"
        );
        for part in [&format!("breaks the rule {rule}: "), "Seen: ", "Remedy: "] {
            assert!(violation.contains(part), "{violation:?} lacks {part:?}");
        }
    }
}

macro_rules! faults_are_found {
    ($($name:ident: $fault:ident,)*) => {
        $(
            #[test]
            fn $name() {
                is_found(Fault::$fault);
            }
        )*

        /// Every fault of the table has a test.
        #[test]
        fn every_fault_is_tried() {
            let tried = [$(Fault::$fault),*];
            assert!(FOUND.iter().all(|(fault, _)| tried.contains(fault)));
        }
    };
}

faults_are_found! {
    lost_attributes: LostTitles,
    ids_for_bulk: BulkIds,
    loosely_compared_ids: LooseIds,
    an_id_used_by_two_types: IdsByType,
    reused_ids: ReusedIds,
    case_sensitive_user_names: CaseSensitiveUserNames,
    names_that_are_never_free: NamesForEver,
    kept_passwords: KeptPasswords,
    lost_updates: LostUpdate,
    late_answers: LateAnswer,
    a_404_for_a_write_that_was_carried_out: LostAnswer,
    unchecked_versions: UncheckedVersions,
    half_applied_patches: HalfAppliedPatch,
    versions_that_move_for_nothing: RestlessVersions,
    versions_that_stay: FixedVersion,
    merged_replacements: MergedReplacements,
    ignored_deletes: IgnoredDeletes,
    documents_that_are_sent_again: NeverNotModified,
    ignored_filters: IgnoredFilters,
    pages_cut_before_the_filter: PageCutBeforeFilter,
    partial_lists: PartialLists,
    missing_indexes: NoIndexes,
    pages_that_do_not_go_on: EarlyEnd,
    a_count_of_zero_that_asks_for_all: CountZeroIsAll,
    unsorted_lists: Unsorted,
    missing_sort_keys: NoSortKeys,
    lists_that_show_everything: WholeLists,
    leaking_tenants: LeakingTenants,
    truncated_members: TruncatedMembers,
    removes_that_remove_all: RemovesAll,
    emptied_groups: EmptiedGroups,
    large_groups_that_are_read_back: EverythingShown,
    unbounded_pages: WholePages,
    members_that_are_mere_text: Unlinked,
    refusals_that_name_nobody: NamelessRefusals,
    names_that_are_not_followed: FrozenNames,
    a_304_in_spite_of_news: EarlyNotModified,
    moves_that_nobody_is_told: SilentMoves,
}

/// The wrapper without a fault keeps the contract: what the tests above find is the fault.
mod without_fault {
    scim::testkit::store_contract!(super::Broken::new(super::Fault::None));
}

/// A pass of which the number counts in every letter.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Pass", endpoint = "/Passes")]
struct Pass {
    id: ResourceId,
    meta: Meta,
    #[scim(unique = "server", case_exact)]
    number: String,
    note: Option<String>,
}

fn pass(number: String) -> Pass {
    Pass {
        id: ResourceId::default(),
        meta: Meta::default(),
        number,
        note: None,
    }
}

fn passes(
    fault: Fault,
    number: impl Fn(usize) -> String + Send + Sync + 'static,
) -> Contract<Broken, Tenant> {
    let sample = Sample::new(
        move |n| pass(number(n)),
        |pass, n| pass.note = Some(format!("note {n}")),
    );
    let make = move || async move { Broken::new(fault) };
    Contract::of_one_tenant(make, || Tenant::new("acme")).resource(sample)
}

/// RFC 7643 section 2.2: values of a case-exact attribute differ if their case does. No attribute of a user is both that
/// and unique.
#[test]
fn case_blind_keys_of_case_exact_attributes() {
    let broken = passes(Fault::NamesForEver, |n| format!("Pass-{n}"));
    let violation = check(&broken, "case_exact_values_differ_by_their_case");
    assert!(violation.contains("was refused beside"), "{violation}");
}

/// A sample that is wrong is found by the first rule, and no store is accused.
#[test]
fn a_sample_whose_resources_are_not_distinct() {
    let wrong = passes(Fault::None, |_| "Pass".to_owned());
    let violation = check(&wrong, "samples_are_distinct");
    assert!(violation.contains("have one value of number"), "{violation}");
    assert!(violation.contains("Remedy: correct the sample"), "{violation}");
    let right = passes(Fault::None, |n| format!("Pass-{n}"));
    assert_eq!(check(&right, "samples_are_distinct"), "");
}

/// Every rule is broken by a fault that the tests above try: a rule that cannot be broken says nothing.
#[test]
fn every_rule_is_broken_by_a_fault() {
    let alone = ["samples_are_distinct", "case_exact_values_differ_by_their_case"];
    let found = FOUND.iter().flat_map(|(_, by)| by.iter().map(|(rule, _)| *rule));
    let broken: BTreeSet<_> = found.chain(alone).collect();
    let all: BTreeSet<_> = rules().map(|rule| rule.name()).collect();
    assert_eq!(broken, all);
}

/// A name that is not that of a rule is not silently asked for nothing.
#[test]
fn an_unknown_rule_is_not_asked() {
    let contract = Contract::of_users_and_groups(|| async { Broken::new(Fault::None) });
    assert!(runtime().block_on(contract.check("no_such_rule")).is_none());
}
