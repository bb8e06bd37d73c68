//! The store itself.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http_body_util::BodyExt;
use tokio::sync::oneshot;

use super::core::Core;
use super::edges;
use super::layout::Layout;
use super::prepared::{Decided, Deciding, Prepared};
use super::query::{Head, Search};
use super::rows::{self, StoredRow};
use super::sequence;
use super::show;
use super::tables;
use super::write::{Early, Job, Outcome};
use crate::Result;
use crate::error::Error;
use crate::filter::{Compare, Expression, Operand, Operator, ResolvedFilter};
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::schema::{ResourceType, Uniqueness};
use crate::store::database::{Database, Reader, Stream, Transaction};
use crate::store::precondition::Freshness;
use crate::store::{
    Answer, Budget, Decision, Document, Environment, Item, Loads, Page, Precondition, Query, Rendered, Reply,
    Store, Version, Write, Written, not_found,
};

/// A store in a SQLite file, for any derived resource.
///
/// It keeps the wire document of each resource and hands it out as it is; beside it stand comparison keys for what is
/// `indexed` or `unique`, and the values of attributes marked `edges` as rows. A member is added to a group of a
/// million at the cost of a group of ten.
///
/// Nothing of one tenant is seen by another; [`Builder`](super::Builder) says how a request's tenant is found. It is
/// cheap to clone.
///
/// ```
/// use scim::resources::User;
/// use scim::store::{Query, Store, Write};
/// use scim::store::documents::DocumentStore;
/// use scim::ScimResource;
/// use scim::projection::Projection;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let store: DocumentStore = DocumentStore::in_memory()?.resource::<User>().build()?;
/// let cx = ().into();
/// let written = store.write(Write::create(&cx, "2819", User::new("bjensen"))).await?;
/// assert_eq!(written.version.entity_tag(), "W/\"1\"");
///
/// let want = Projection::default_of(User::RESOURCE_TYPE);
/// let page = store.list(&cx, &Query::<User>::all(10), &want).await?;
/// assert_eq!(page.total, 1);
/// # Ok::<_, scim::Error>(())
/// # }).unwrap();
/// ```
///
/// * Versions count from 1; a write that changes nothing leaves version and `lastModified` alone.
/// * If a member of a group is deleted, the group has changed: it gets another version.
/// * Keys are made by [`fold`](crate::fold); a build that makes others makes those in the file anew when it opens it.
pub struct DocumentStore<C = ()> {
    database: Database,
    core: Arc<Core<C>>,
}

impl<C> Clone for DocumentStore<C> {
    fn clone(&self) -> Self {
        Self {
            database: self.database.clone(),
            core: Arc::clone(&self.core),
        }
    }
}

impl<C> fmt::Debug for DocumentStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentStore")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl<C> DocumentStore<C> {
    pub(super) fn new(database: Database, core: Core<C>) -> Self {
        Self {
            database,
            core: Arc::new(core),
        }
    }

    pub(super) fn core(&self) -> &Arc<Core<C>> {
        &self.core
    }

    /// Returns the database, for the application's own tables.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }
}

/// The outcome of a read.
enum Read<T> {
    Here(T),
    /// So many edges that the document is sent in parts.
    InParts,
}

/// How much a read has to do.
enum Work {
    /// A row and what hangs on it, on the caller's own thread.
    LookUp,
    /// A hundred rows or so: too many for that thread.
    ShortPage,
    /// It may walk many rows, within a budget.
    Search(Budget),
}

/// Bytes of documents that are decoded, changed and written anew in less than a millisecond.
const SHORT: usize = 64 << 10;

/// Instructions of the database's machine that the look-up of a list may take; beyond, it is a search.
const LOOK_UP: u64 = 20_000;

/// Resources that a look-up reads of a list, and bytes of their documents; beyond, it is a search.
const SHORT_PAGE: usize = 100;
const SHORT_PAGE_BYTES: usize = 256 << 10;

/// Returns how a list is read that may take no longer than a look-up, because an index finds its only resource or it is
/// a short page of all. `None` for a search.
fn brief_work<R: ScimResource>(query: &Query<R>) -> Option<Work> {
    match query.filter.as_ref().map(ResolvedFilter::expression) {
        Some(Expression::Compare(Compare {
            attribute,
            operator: Operator::Eq,
            operand: Operand::Text { .. },
            ..
        })) => {
            let has_index = attribute.indexed || attribute.shape.uniqueness != Uniqueness::None;
            let is_first = query.start_index <= 1 && query.count > 0;
            (has_index && is_first).then_some(Work::LookUp)
        }
        Some(_) => None,
        None => (query.sort.is_none() && query.count <= SHORT_PAGE).then_some(Work::ShortPage),
    }
}

impl<C: Send + Sync + 'static> DocumentStore<C> {
    /// Returns how many resources of a type a tenant has.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count<R: ScimResource>(&self, tenant: &str) -> Result<u64> {
        let tenant = tenant.to_owned();
        self.read::<R, _, _>(
            Work::LookUp,
            tenant,
            move |reader, _, layout, tenant| match tenant {
                Some(tenant) => Ok(tables::count(reader, tenant, layout.number)?.live),
                None => Ok(0),
            },
        )
        .await
    }

    /// Deletes everything that a tenant has, in steps that let others write in between. Nobody is told of the single
    /// resources. Writes for the tenant must have ended.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn delete_tenant(&self, tenant: &str) -> Result<()> {
        loop {
            let (core, tenant) = (Arc::clone(&self.core), tenant.to_owned());
            let more = self
                .database
                .write(move |tx| super::purge::step(&core, tx, &tenant))
                .await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Returns how SQLite finds the resources of a query: the lines of `EXPLAIN QUERY PLAN` for each statement that is
    /// run, or `EVERY ROW` where no index serves.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn explain<R: ScimResource>(&self, tenant: &str, query: &Query<R>) -> Result<Vec<String>> {
        let query = query.clone();
        self.read::<R, _, _>(
            Work::Search(query.budget.clone()),
            tenant.to_owned(),
            move |reader, core, layout, tenant| {
                let tenant = tenant.unwrap_or_default();
                Search::new(reader, core, layout, tenant, query.scanned_rows).explain(&query)
            },
        )
        .await
    }

    async fn read<R: ScimResource, T: Send + 'static, J>(
        &self,
        work: Work,
        tenant: String,
        job: J,
    ) -> Result<T>
    where
        J: Fn(&Reader<'_>, &Core<C>, &Layout, Option<i64>) -> Result<T> + Send + 'static,
    {
        let layout = self.core.layout::<R>()?;
        let core = Arc::clone(&self.core);
        let share = self.database.share_of(&tenant);
        let job = move |reader: &Reader<'_>| {
            let tenant = core.tenant(reader, &tenant)?;
            job(reader, &core, &layout, tenant)
        };
        match work {
            Work::LookUp => share.look_up(job).await,
            Work::ShortPage => share.read(job).await,
            Work::Search(budget) => share.search(budget, job).await,
        }
    }

    /// Decides a write on a snapshot, where that takes more than a look at the row's stamp. `None` if it does not.
    async fn decide_early<R: ScimResource>(&self, write: &Write<R, C>) -> Result<Option<First<R>>> {
        let layout = self.core.layout::<R>()?;
        let walks = write.edge_edits().iter().any(|edit| edges::walks(&layout, edit));
        let is_small = write.is_delete() || write.loads() <= Loads::Stamp;
        if is_small && !walks {
            return Ok(None);
        }
        let is_brief = write.loads() == Loads::Resource && !walks && !write.sets_edges();
        if is_brief && let Some(first) = self.decide_by(write, Work::LookUp, SHORT).await? {
            return Ok(Some(first));
        }
        let limits = write.its_limits();
        let budget = Budget::new(limits.search_steps, limits.search_time);
        self.decide_by(write, Work::Search(budget), usize::MAX).await
    }

    /// Decides a write, unless the documents of the resource have more than `most` bytes.
    async fn decide_by<R: ScimResource>(
        &self,
        write: &Write<R, C>,
        work: Work,
        most: usize,
    ) -> Result<Option<First<R>>> {
        let asked = write.clone();
        let tenant = self.core.tenant_of(write.context())?.into_owned();
        let decide = move |reader: &Reader<'_>, core: &Core<C>, layout: &Layout, tenant: Option<i64>| {
            let (Some(tenant), id) = (tenant, asked.id()) else {
                return Err(not_found::<R>(asked.id()));
            };
            let row = rows::find(reader, layout, tenant, id)?.ok_or_else(|| not_found::<R>(id))?;
            if row.documents.bytes() > most {
                return Ok(None);
            }
            let deciding = Deciding {
                reader,
                core,
                layout,
                tenant,
            };
            match deciding.decide(&asked, &row)? {
                Decided::Put(mut prepared) => {
                    deciding.look_ahead(&asked, &mut prepared, row.rid)?;
                    let stamp = row.stamp;
                    Ok(Some(First::Decided(Early { stamp, prepared })))
                }
                // A delete is decided by the stamp alone, and so not here.
                Decided::Keep | Decided::Delete => {
                    let row = Outcome::Row { row, changed: false };
                    let shown = show_outcome(reader, layout, tenant, row, &asked.reply(), false)?;
                    Ok(Some(First::Done(shown)))
                }
            }
        };
        self.read::<R, _, _>(work, tenant, decide).await
    }

    /// Carries out a write in a transaction, and reads what it is answered with there.
    async fn carry_out<R: ScimResource>(&self, write: Write<R, C>, how: How<R>) -> Result<Shown<R>> {
        let layout = self.core.layout::<R>()?;
        let core = Arc::clone(&self.core);
        let share = self.database.share_of(&self.core.tenant_of(write.context())?);
        share
            .write(move |tx: &Transaction<'_>| {
                let cx: &C = write.context();
                let job = Job {
                    tx,
                    core: &core,
                    layout: &layout,
                    tenant: core.tenant_for_write(tx, &core.tenant_of(cx)?)?,
                    cx,
                };
                let is_new = matches!(how, How::Create(_));
                let outcome = match &how {
                    How::Create(prepared) => job.create(&write, prepared)?,
                    How::Change(early) => job.change(&write, early.as_ref())?,
                };
                show_outcome(tx, &layout, job.tenant, outcome, &write.reply(), is_new)
            })
            .await
    }

    /// Sends a large resource in parts. Version and document are of one snapshot.
    async fn in_parts<R: ScimResource>(
        &self,
        cx: &Arc<C>,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>> {
        let layout = self.core.layout::<R>()?;
        let core = Arc::clone(&self.core);
        let (tenant, id, want, precondition) = (
            self.core.tenant_of(cx)?.into_owned(),
            id.to_owned(),
            want.clone(),
            precondition.clone(),
        );
        let (tell, told) = oneshot::channel();
        let share = self.database.share_of(&tenant);
        let stream = share.stream(move |reader, sender| {
            let found = core.tenant(reader, &tenant).and_then(|tenant| {
                let tenant = tenant.ok_or_else(|| not_found::<R>(&id))?;
                let row = rows::find(reader, &layout, tenant, &id)?;
                let row = row.ok_or_else(|| not_found::<R>(&id))?;
                precondition.check_read(&row.stamp.version())?;
                Ok((tenant, row))
            });
            match found {
                Ok((tenant, row)) => {
                    _ = tell.send(Ok(row.stamp.version()));
                    show::stream::<R>(reader, &layout, tenant, row, &want, sender)
                }
                Err(error) => {
                    _ = tell.send(Err(error));
                    Ok(())
                }
            }
        });
        let (stream, version) = begun(stream, told).await?;
        Ok(Answer::Rendered(Rendered {
            document: Document::Parts(stream.boxed_unsync()),
            version,
        }))
    }

    /// Reads a page that takes no longer than a look-up. `None` if it would.
    async fn list_briefly<R: ScimResource>(
        &self,
        work: Work,
        cx: &Arc<C>,
        query: &Query<R>,
        want: &Projection,
    ) -> Result<Option<Page<R>>> {
        let (mut asked, want) = (query.clone(), want.clone());
        asked.answer_bytes = query.answer_bytes.min(SHORT_PAGE_BYTES);
        let page = move |reader: &Reader<'_>, core: &Core<C>, layout: &Layout, tenant| match tenant {
            Some(tenant) => {
                let search = Search::new(reader, core, layout, tenant, asked.scanned_rows);
                let found = reader.within(LOOK_UP, || search.look_up(&asked, &want))?;
                Ok(found.flatten())
            }
            None => Ok(Some(Page::empty())),
        };
        let tenant = self.core.tenant_of(cx)?.into_owned();
        self.read::<R, _, _>(work, tenant, page).await
    }

    /// Sends the documents of a page in parts. The head of the page and the documents are of one snapshot.
    async fn page_in_parts<R: ScimResource>(
        &self,
        cx: &Arc<C>,
        query: Query<R>,
        want: Projection,
    ) -> Result<Page<R>> {
        let layout = self.core.layout::<R>()?;
        let core = Arc::clone(&self.core);
        let tenant = self.core.tenant_of(cx)?.into_owned();
        let (tell, told) = oneshot::channel();
        let share = self.database.share_of(&tenant);
        let stream = share.stream_within(query.budget.clone(), move |reader, sender| {
            let Some(tenant) = core.tenant(reader, &tenant)? else {
                _ = tell.send(Ok(Head::empty()));
                return Ok(());
            };
            let search = Search::new(reader, &core, &layout, tenant, query.scanned_rows);
            search.stream(&query, &want, sender, |head| _ = tell.send(Ok(head)))
        });
        let (stream, Head { total, items }) = begun(stream, told).await?;
        let parts = sequence::split(stream, items.len()).into_iter().zip(items);
        let items = parts.map(|(body, (version, sort_key))| Item {
            answer: Answer::Rendered(Rendered {
                document: Document::Parts(body),
                version,
            }),
            sort_key,
        });
        Ok(Page {
            total,
            items: items.collect(),
        })
    }
}

/// Returns a stream and what its job has told before it sends anything.
async fn begun<T>(mut stream: Stream, told: oneshot::Receiver<Result<T>>) -> Result<(Stream, T)> {
    match told.await {
        Ok(told) => Ok((stream, told?)),
        // The stream could not start, and says why.
        Err(_) => match stream.next().await {
            Some(Err(error)) => Err(error),
            _ => Err(Error::internal("a stream ended before it began")),
        },
    }
}

/// How a write is carried out.
enum How<R> {
    Create(Box<Prepared<R>>),
    Change(Option<Early<R>>),
}

/// The answer that a snapshot gives to a write.
enum First<R> {
    /// A write to carry out, if the row is found in the same version.
    Decided(Early<R>),
    /// Nothing is to be done.
    Done(Shown<R>),
}

/// The outcome of a write, with the answer as far as it was read.
struct Shown<R> {
    version: Version,
    changed: bool,
    /// `None` if nothing is to be shown.
    read: Option<Read<Answer<R>>>,
}

/// Returns what a write is answered with.
fn show_outcome<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    tenant: i64,
    outcome: Outcome,
    reply: &Reply,
    is_new: bool,
) -> Result<Shown<R>> {
    let (row, changed) = match outcome {
        Outcome::Row { row, changed } => (row, changed),
        Outcome::Deleted(stamp) => {
            return Ok(Shown {
                version: stamp.version(),
                changed: true,
                read: None,
            });
        }
    };
    let hides = |most| row.edges > i64::try_from(most).unwrap_or(i64::MAX);
    let is_hidden = reply.most_edges.is_some_and(hides);
    let version = row.stamp.version();
    let read = match is_hidden {
        true => None,
        false => Some(shown::<R>(reader, layout, tenant, row, &reply.want, is_new)?),
    };
    Ok(Shown {
        version,
        changed,
        read,
    })
}

/// Returns what a reader shows of a row.
fn shown<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    tenant: i64,
    row: StoredRow,
    want: &Projection,
    is_new: bool,
) -> Result<Read<Answer<R>>> {
    let version = row.stamp.version();
    let Some(document) = show::document::<R>(reader, layout, tenant, row, want, is_new)? else {
        return Ok(Read::InParts);
    };
    Ok(Read::Here(Answer::Rendered(Rendered {
        document: Document::Whole(document),
        version,
    })))
}

impl<R: ScimResource, C: Send + Sync + 'static> Store<R, C> for DocumentStore<C> {
    async fn write(&self, write: Write<R, C>) -> Result<Written<R>> {
        let layout = self.core.layout::<R>()?;
        let first = if write.loads() == Loads::Nothing {
            None
        } else {
            self.decide_early(&write).await?
        };
        let done = match first {
            Some(First::Done(done)) => done,
            Some(First::Decided(early)) => self.carry_out(write.clone(), How::Change(Some(early))).await?,
            None if write.loads() == Loads::Nothing => {
                let Decision::Put(put) = write.decide(None, self.core.now())? else {
                    return Err(Error::internal("a new resource is not to be put"));
                };
                let prepared = Prepared::new(&layout, *put)?;
                self.carry_out(write.clone(), How::Create(Box::new(prepared)))
                    .await?
            }
            None => self.carry_out(write.clone(), How::Change(None)).await?,
        };
        let answer = match done.read {
            None => None,
            Some(Read::Here(answer)) => Some(answer),
            Some(Read::InParts) => {
                // Too much to be read on the writer's thread: it is shown from a later snapshot, as long as that is of
                // the same version.
                let same = Precondition::IfMatch(vec![done.version.clone()]);
                let want = write.reply().want;
                self.in_parts(write.context(), write.id(), &want, &same)
                    .await
                    .ok()
            }
        };
        Ok(Written {
            id: write.id().to_owned(),
            version: done.version,
            changed: done.changed,
            answer,
        })
    }

    async fn get(
        &self,
        cx: &Arc<C>,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>> {
        let (wanted, projection, demanded) = (id.to_owned(), want.clone(), precondition.clone());
        let read = self
            .read::<R, _, _>(
                Work::LookUp,
                self.core.tenant_of(cx)?.into_owned(),
                move |reader, _, layout, tenant| {
                    let tenant = tenant.ok_or_else(|| not_found::<R>(&wanted))?;
                    let row = rows::find(reader, layout, tenant, &wanted)?;
                    let row = row.ok_or_else(|| not_found::<R>(&wanted))?;
                    let version = row.stamp.version();
                    let fresh = demanded.check_read(&version)?;
                    if fresh == Freshness::NotModified && !layout.shape.shows_others(&projection) {
                        return Ok(Read::Here(Answer::NotModified(version)));
                    }
                    shown(reader, layout, tenant, row, &projection, false)
                },
            )
            .await?;
        match read {
            Read::Here(answer) => Ok(answer),
            Read::InParts => self.in_parts(cx, id, want, precondition).await,
        }
    }

    async fn list(&self, cx: &Arc<C>, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        if let Some(work) = brief_work(query)
            && let Some(page) = self.list_briefly(work, cx, query, want).await?
        {
            return Ok(page);
        }
        let (asked, shown) = (query.clone(), want.clone());
        let page = move |reader: &Reader<'_>, core: &Core<C>, layout: &Layout, tenant| match tenant {
            Some(tenant) => {
                Search::new(reader, core, layout, tenant, asked.scanned_rows).page(&asked, &shown)
            }
            None => Ok(Some(Page::empty())),
        };
        let tenant = self.core.tenant_of(cx)?.into_owned();
        let work = Work::Search(query.budget.clone());
        match self.read::<R, _, _>(work, tenant, page).await? {
            Some(page) => Ok(page),
            None => self.page_in_parts(cx, query.clone(), want.clone()).await,
        }
    }

    fn check(&self, served: &[&'static ResourceType]) -> Result<()> {
        self.core.layout::<R>()?.shape.check_links(served)
    }

    fn environment(&self) -> &Environment {
        &self.core.environment
    }

    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        self.core.tenancy.tenant(cx)
    }

    fn end_work_of(&self, tenant: &str) {
        self.database.end_work_of(tenant);
    }
}
