//! The store itself.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use http_body_util::BodyExt;
use tokio::sync::oneshot;

use super::core::Core;
use super::document::{Stamp, unload};
use super::edges::{EdgeDelta, ids_in};
use super::layout::{EdgeAttribute, Layout};
use super::query::Search;
use super::rows::{self, Kept};
use super::show;
use super::tables;
use super::write::{Deltas, Job, Prepared};
use crate::Result;
use crate::error::Error;
use crate::filter::{Compare, Expression, Operand, Operator, ResolvedFilter};
use crate::patch::{DeltaChange, Patch};
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::schema::Uniqueness;
use crate::store::precondition::Freshness;
use crate::store::sqlite::{Database, Reader, Transaction};
use crate::store::{
    Answer, Document, Extent, HasTenant, Page, Patched, Precondition, Query, Rendered, Reply, Store, Stored,
    not_found,
};
use crate::value::ResourceId;

/// A store in a SQLite file, for any derived resource.
///
/// It keeps the wire document of each resource and hands it out as it is; beside it stand comparison keys for what is
/// `indexed` or `unique`, and the values of attributes marked `edges` as rows. A member is added to a group of a
/// million at the cost of a group of ten.
///
/// Tenants are told apart by [`HasTenant`]; nothing of one is seen by another. It is cheap to clone.
///
/// ```
/// use scim::resources::User;
/// use scim::store::{Query, Store};
/// use scim::store::sqlite::Sqlite;
/// use scim::ScimResource;
/// use scim::projection::Projection;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let store: Sqlite = Sqlite::in_memory()?.resource::<User>().build()?;
/// let stored = store.create(&(), User::new("bjensen")).await?;
/// assert_eq!(stored.version.entity_tag(), "W/\"1\"");
///
/// let want = Projection::default_of(User::RESOURCE_TYPE);
/// let page = store.query(&(), &Query::<User>::all(10), &want).await?;
/// assert_eq!(page.total, 1);
/// # Ok::<_, scim::Error>(())
/// # }).unwrap();
/// ```
///
/// * Versions count from 1; a write that changes nothing leaves version and `lastModified` alone.
/// * Where a member of a group is deleted, the group has changed: it gets another version.
/// * Keys are made by [`fold`](crate::fold); a build that makes others makes those in the file anew when it opens it.
pub struct Sqlite<C = ()> {
    database: Database,
    core: Arc<Core<C>>,
}

impl<C> Clone for Sqlite<C> {
    fn clone(&self) -> Self {
        Self {
            database: self.database.clone(),
            core: Arc::clone(&self.core),
        }
    }
}

impl<C> fmt::Debug for Sqlite<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl<C> Sqlite<C> {
    pub(super) fn new(database: Database, core: Core<C>) -> Self {
        Self {
            database,
            core: Arc::new(core),
        }
    }

    pub(super) fn core(&self) -> &Arc<Core<C>> {
        &self.core
    }

    /// The database, for the application's own tables.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }
}

/// What a read found.
enum Read<T> {
    Here(T),
    /// So many edges that the document is sent in parts.
    InParts,
}

/// How much a read has to do.
enum Work {
    /// It looks up a row and what hangs on it.
    Brief,
    /// It may walk many rows.
    Long,
}

impl Work {
    fn of<R: ScimResource>(query: &Query<R>) -> Self {
        match query.filter.as_ref().map(ResolvedFilter::expression) {
            Some(Expression::Compare(Compare {
                attribute,
                operator: Operator::Eq,
                operand: Operand::Text { .. },
                ..
            })) if attribute.indexed || attribute.shape.uniqueness != Uniqueness::None => Self::Brief,
            _ => Self::Long,
        }
    }
}

impl<C: HasTenant + Clone + Send + Sync + 'static> Sqlite<C> {
    /// How many resources of a type a tenant has.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count<R: ScimResource>(&self, tenant: &str) -> Result<u64> {
        let tenant = tenant.to_owned();
        self.read::<R, _, _>(
            Work::Brief,
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

    /// How SQLite would find the resources of a query: the lines of `EXPLAIN QUERY PLAN`, or `EVERY ROW` where no index
    /// serves.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn explain<R: ScimResource>(&self, tenant: &str, query: &Query<R>) -> Result<Vec<String>> {
        let query = query.clone();
        self.read::<R, _, _>(
            Work::Long,
            tenant.to_owned(),
            move |reader, core, layout, tenant| {
                let tenant = tenant.unwrap_or_default();
                Search {
                    reader,
                    core,
                    layout,
                    tenant,
                    budget: query.scanned_rows,
                }
                .explain(&query)
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
        J: FnOnce(&Reader<'_>, &Core<C>, &Layout, Option<i64>) -> Result<T> + Send + 'static,
    {
        let layout = self.core.layout::<R>()?;
        let core = Arc::clone(&self.core);
        let job = move |reader: &Reader<'_>| {
            let tenant = core.tenant(reader, &tenant)?;
            job(reader, &core, &layout, tenant)
        };
        match work {
            Work::Brief => self.database.look_up(job).await,
            Work::Long => self.database.read(job).await,
        }
    }

    async fn write<R: ScimResource, T: Send + 'static, J>(&self, cx: &C, job: J) -> Result<T>
    where
        J: FnOnce(&Job<'_, C>) -> Result<T> + Send + 'static,
    {
        let layout = self.core.layout::<R>()?;
        let core = Arc::clone(&self.core);
        let cx = cx.clone();
        self.database
            .write(move |tx: &Transaction<'_>| {
                let tenant = core.tenant_for_write(tx, cx.tenant())?;
                job(&Job {
                    tx,
                    core: &core,
                    layout: &layout,
                    tenant,
                    cx: &cx,
                })
            })
            .await
    }

    /// A resource of type `R` without edges, to decode values into. The first one that is met serves for ever.
    async fn blank<R: ScimResource>(&self, cx: &C, id: &str) -> Result<R> {
        let layout = self.core.layout::<R>()?;
        let kept = |layout: &Layout| {
            let blank: &(dyn Any + Send + Sync) = &**layout.blank.get()?;
            blank.downcast_ref::<R>().cloned()
        };
        if let Some(blank) = kept(&layout) {
            return Ok(blank);
        }
        let wanted = id.to_owned();
        let row = self
            .read::<R, _, _>(
                Work::Brief,
                cx.tenant().to_owned(),
                move |reader, _, layout, tenant| match tenant {
                    Some(tenant) => rows::find(reader, layout, tenant, &wanted),
                    None => Ok(None),
                },
            )
            .await?
            .ok_or_else(|| not_found::<R>(id))?;
        let blank: R = row.documents.decode("")?;
        _ = layout.blank.set(Box::new(blank.clone()));
        Ok(blank)
    }

    /// Splits the changes of edges off a PATCH; if that cannot be, the whole is applied to the whole.
    async fn split<R: ScimResource>(&self, cx: &C, id: &str, patch: &Patch<R>) -> Result<(Patch<R>, Deltas)> {
        if !patch.touches_edges() {
            return Ok((patch.clone(), Vec::new()));
        }
        let layout = self.core.layout::<R>()?;
        let blank = self.blank::<R>(cx, id).await?;
        let mut rest = patch.clone();
        let mut all: Deltas = Vec::new();
        for (at, edges) in layout.edges.iter().enumerate() {
            let Some(split) = rest.split_at(edges.path, &blank)? else {
                return Ok((patch.clone(), Vec::new()));
            };
            for delta in split.deltas {
                all.push((at, Some(delta.operation), edge_delta(delta.change, edges)?));
            }
            rest = split.rest;
        }
        Ok((rest, all))
    }

    /// Sends a large resource in parts. Version and document are of one snapshot.
    async fn in_parts<R: ScimResource>(
        &self,
        cx: &C,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>> {
        let layout = self.core.layout::<R>()?;
        let core = Arc::clone(&self.core);
        let (tenant, id, want, precondition) = (
            cx.tenant().to_owned(),
            id.to_owned(),
            want.clone(),
            precondition.clone(),
        );
        let (tell, told) = oneshot::channel();
        let stream = self.database.stream(move |reader, sender| {
            let found = core.tenant(reader, &tenant).and_then(|tenant| {
                let row = match tenant {
                    Some(tenant) => rows::find(reader, &layout, tenant, &id)?,
                    None => None,
                };
                let row = row.ok_or_else(|| not_found::<R>(&id))?;
                precondition.check_read(&row.stamp.version())?;
                Ok(row)
            });
            match found {
                Ok(row) => {
                    _ = tell.send(Ok(row.stamp.version()));
                    show::stream::<R>(reader, &layout, &row, &want, sender)
                }
                Err(error) => {
                    _ = tell.send(Err(error));
                    Ok(())
                }
            }
        });
        let mut stream = stream;
        let version = match told.await {
            Ok(version) => version?,
            // The stream could not start, and says why.
            Err(_) => match stream.next().await {
                Some(Err(error)) => return Err(error),
                _ => return Err(Error::internal("a stream ended before it began")),
            },
        };
        Ok(Answer::Rendered(Rendered {
            document: Document::Parts(stream.boxed_unsync()),
            version,
        }))
    }
}

fn edge_delta<R: ScimResource>(change: DeltaChange<R>, edges: &EdgeAttribute) -> Result<EdgeDelta> {
    let ids = |values: R| ids_in(&values, edges).unwrap_or_default();
    Ok(match change {
        DeltaChange::Add(values) => EdgeDelta::Add(ids(values)),
        DeltaChange::Set(values) => EdgeDelta::Set(ids(values)),
        DeltaChange::Clear => EdgeDelta::Clear,
        DeltaChange::RemoveValues(values) => EdgeDelta::Remove(ids(values)),
        DeltaChange::RemoveWhere(filter) => EdgeDelta::RemoveWhere(filter),
    })
}

/// What a reader shows of a row.
fn shown<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    row: Kept,
    want: &Projection,
) -> Result<Read<Answer<R>>> {
    if row.edges > show::MOST_IN_ONE_PIECE && show::shows_edges(layout, want) {
        return Ok(Read::InParts);
    }
    let version = row.stamp.version();
    let document = show::documents::<R>(reader, layout, &[row], want)?
        .pop()
        .unwrap_or_default();
    Ok(Read::Here(Answer::Rendered(Rendered {
        document: Document::Whole(document),
        version,
    })))
}

impl<R: ScimResource, C: HasTenant + Clone + Send + Sync + 'static> Store<R, C> for Sqlite<C> {
    async fn create(&self, cx: &C, mut resource: R) -> Result<Stored<R>> {
        let layout = self.core.layout::<R>()?;
        let now = self.core.now();
        let stamp = Stamp {
            version: 1,
            created: now,
            modified: now,
        };
        let id = self.core.environment.ids.next_id();
        *resource.id_mut() = ResourceId::new(id.clone());
        *resource.meta_mut() = stamp.meta(&layout, &id);
        let prepared = Prepared::new(&layout, resource)?;
        self.write::<R, _, _>(cx, move |job| job.create(prepared, &id, stamp))
            .await
    }

    async fn load(&self, cx: &C, id: &str, extent: Extent) -> Result<Option<Stored<R>>> {
        let id = id.to_owned();
        let work = match extent {
            Extent::Whole => Work::Long,
            Extent::WithoutEdges => Work::Brief,
        };
        self.read::<R, _, _>(work, cx.tenant().to_owned(), move |reader, _, layout, tenant| {
            let Some(tenant) = tenant else { return Ok(None) };
            let Some(row) = rows::find(reader, layout, tenant, &id)? else {
                return Ok(None);
            };
            let edges = match extent {
                Extent::Whole => show::edges_of(reader, layout, row.rid)?,
                Extent::WithoutEdges => String::new(),
            };
            let mut resource: R = row.documents.decode(&edges)?;
            if extent == Extent::WithoutEdges {
                unload(layout, &mut resource)?;
            }
            Ok(Some(Stored {
                version: row.stamp.version(),
                resource,
            }))
        })
        .await
    }

    async fn get(
        &self,
        cx: &C,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>> {
        let (wanted, projection, demanded) = (id.to_owned(), want.clone(), precondition.clone());
        let read = self
            .read::<R, _, _>(
                Work::Brief,
                cx.tenant().to_owned(),
                move |reader, _, layout, tenant| {
                    let row = match tenant {
                        Some(tenant) => rows::find(reader, layout, tenant, &wanted)?,
                        None => None,
                    };
                    let row = row.ok_or_else(|| not_found::<R>(&wanted))?;
                    let version = row.stamp.version();
                    let fresh = demanded.check_read(&version)?;
                    if fresh == Freshness::NotModified && !show::shows_others(layout, &projection) {
                        return Ok(Read::Here(Answer::NotModified(version)));
                    }
                    shown(reader, layout, row, &projection)
                },
            )
            .await?;
        match read {
            Read::Here(answer) => Ok(answer),
            Read::InParts => self.in_parts(cx, id, want, precondition).await,
        }
    }

    async fn query(&self, cx: &C, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        let (query, want) = (query.clone(), want.clone());
        self.read::<R, _, _>(
            Work::of(&query),
            cx.tenant().to_owned(),
            move |reader, core, layout, tenant| match tenant {
                Some(tenant) => Search {
                    reader,
                    core,
                    layout,
                    tenant,
                    budget: query.scanned_rows,
                }
                .page(&query, &want),
                None => Ok(Page {
                    total: 0,
                    items: Vec::new(),
                }),
            },
        )
        .await
    }

    async fn replace(
        &self,
        cx: &C,
        id: &str,
        mut resource: R,
        precondition: &Precondition,
    ) -> Result<Stored<R>> {
        let layout = self.core.layout::<R>()?;
        *resource.id_mut() = ResourceId::new(id);
        // The stamp is put in its place when it is known.
        *resource.meta_mut() = Stamp {
            version: 0,
            created: 0,
            modified: 0,
        }
        .meta(&layout, id);
        let prepared = Prepared::new(&layout, resource)?;
        let (id, precondition) = (id.to_owned(), precondition.clone());
        self.write::<R, _, _>(cx, move |job| job.replace(prepared, &id, &precondition))
            .await
    }

    async fn patch(
        &self,
        cx: &C,
        id: &str,
        patch: &Patch<R>,
        precondition: &Precondition,
        reply: &Reply,
    ) -> Result<Patched<R>> {
        let (rest, deltas) = self.split(cx, id, patch).await?;
        let (wanted, demanded, reply) = (id.to_owned(), precondition.clone(), reply.clone());
        let want = reply.want.clone();
        let (read, version, changed) = self
            .write::<R, _, _>(cx, move |job| {
                let outcome = job.patch(&rest, &deltas, &wanted, &demanded)?;
                let version = outcome.row.stamp.version();
                let most = reply.most_edges.and_then(|most| i64::try_from(most).ok());
                let read = match most.is_some_and(|most| outcome.row.edges > most) {
                    true => None,
                    false => Some(shown::<R>(job.tx, job.layout, outcome.row, &reply.want)?),
                };
                Ok((read, version, outcome.changed))
            })
            .await?;
        let answer = match read {
            None => None,
            Some(Read::Here(answer)) => Some(answer),
            Some(Read::InParts) => Some(self.in_parts(cx, id, &want, &Precondition::None).await?),
        };
        Ok(Patched {
            answer,
            version,
            changed,
        })
    }

    async fn delete(&self, cx: &C, id: &str, precondition: &Precondition) -> Result<()> {
        let (id, precondition) = (id.to_owned(), precondition.clone());
        self.write::<R, _, _>(cx, move |job| job.delete::<R>(&id, &precondition))
            .await
    }
}
