//! A complete store over tables of the application's own.
//!
//! An application says how a transaction begins and ends ([`Tables`]) and how a row is found and written ([`Rows`]).
//! [`Table`] makes a [`Store`] of it: everything that is the same for all stores is done here, once.
//!
//! * If rows are plain columns, [`Columns`](crate::sql::Columns) says which column holds which attribute, and the
//!   library writes the statements: implement [`SqlTables`] and [`SqlRows`].
//! * If they are something else, implement [`Rows`]: five methods for a type without edges.
//!
//! A driver that waits (sqlx, tokio-postgres) is awaited in these methods. A driver that blocks (rusqlite) is called in
//! them, and the table is told to work [on threads of its own](Table::on_threads): a transaction stays on one of them from
//! its beginning to its end.
//!
//! This is a whole store, over a table `rooms (id, name, name_key)` that keeps neither versions nor times. With the feature
//! `rusqlite`, values go in and out of that driver as they are; for another, [`SqlValue`](crate::sql::SqlValue) is matched:
//!
#![cfg_attr(feature = "rusqlite", doc = "```")]
#![cfg_attr(not(feature = "rusqlite"), doc = "```ignore")]
//! use rusqlite::{Connection, params_from_iter};
//! use scim::ScimResource;
//! use scim::service::{NoContext, ScimService};
//! use scim::sql::{Column, Columns, Dialect, SqlValue, Statement};
//! use scim::store::table::{Failure, Purpose, Refusal, SqlRows, SqlTables, Table, Tables};
//! use scim::value::{Meta, ResourceId};
//!
//! #[derive(Debug, Clone, PartialEq, ScimResource)]
//! #[scim(schema = "urn:example:2.0:Room", endpoint = "/Rooms")]
//! struct Room {
//!     id: ResourceId,
//!     meta: Meta,
//!     #[scim(unique = "server")]
//!     name: String,
//! }
//!
//! struct House { path: String, rooms: Columns }
//!
//! impl Tables<()> for House {
//!     type Unit = Connection; // a connection that is dropped rolls back
//!
//!     async fn begin(&self, _: &(), _: &str, purpose: Purpose) -> Result<Connection, Failure> {
//!         let connection = Connection::open(&self.path)?;
//!         connection.execute_batch(if purpose == Purpose::Write { "BEGIN IMMEDIATE" } else { "BEGIN" })?;
//!         Ok(connection)
//!     }
//!
//!     async fn commit(&self, unit: Connection) -> Result<(), Failure> {
//!         Ok(unit.execute_batch("COMMIT")?)
//!     }
//!
//!     fn refusal(&self, error: &(dyn std::error::Error + 'static)) -> Refusal {
//!         match error.to_string() {
//!             text if text.contains("rooms.name_key") => Refusal::taken(Room::paths().name()),
//!             _ => Refusal::Other,
//!         }
//!     }
//! }
//!
//! impl SqlTables<()> for House {
//!     async fn run(&self, unit: &mut Connection, statement: &Statement) -> Result<Vec<Vec<SqlValue>>, Failure> {
//!         let mut prepared = unit.prepare(&statement.text)?;
//!         let width = prepared.column_count();
//!         let rows = prepared.query_map(params_from_iter(&statement.parameters), |row| {
//!             (0..width).map(|column| row.get(column)).collect()
//!         })?;
//!         Ok(rows.collect::<Result<_, _>>()?)
//!     }
//! }
//!
//! impl SqlRows<Room, ()> for House {
//!     fn columns(&self) -> &Columns {
//!         &self.rooms
//!     }
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("house.sqlite").display().to_string();
//! Connection::open(&path)?.execute_batch(
//!     "CREATE TABLE rooms (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE)",
//! )?;
//! let rooms = Columns::table::<Room>(Dialect::Sqlite, "rooms", Column::numbered("id", ""))
//!     .column(Room::paths().name(), Column::folded("name", "name_key"));
//! let table = Table::new(House { path, rooms }).resource::<Room>().on_threads(2);
//! let service = ScimService::builder(NoContext).resource::<Room, _>(table).build()?;
//! # let request = http::Request::post("/Rooms").header("host", "id.example.com")
//! #     .header("content-type", "application/scim+json")
//! #     .body(http_body_util::Full::new(bytes::Bytes::from_static(
//! #         br#"{"schemas": ["urn:example:2.0:Room"], "name": "Attic"}"#))).unwrap();
//! # let answer = tokio::runtime::Runtime::new()?.block_on(service.respond(request));
//! # assert_eq!(answer.status(), 201);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod digest;
mod list;
mod lost;
mod rows;
mod shown;
mod sql_rows;
mod tables;
#[cfg(test)]
mod tests;
mod threads;
mod types;
mod work;
mod write;

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::path::MultiPath;
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::schema::ResourceType;
use crate::store::layout::Layout;
use crate::store::links::{Link, Links};
use crate::store::tenant::tenant_of;
use crate::store::{
    Answer, Environment, OfContext, Page, Precondition, Query, SingleTenant, Store, Tenancy, TenantBy, Write,
    Written,
};
use threads::Threads;
use types::Of;
use work::{Served, Work};

pub use rows::{End, Row, Rows};
pub use sql_rows::{SqlRows, SqlTables};
pub use tables::{Failure, Purpose, Refusal, Tables};

/// A complete [`Store`] over the [`Tables`] of an application. Cheap to clone: give a clone to each
/// [`resource`](crate::service::Builder::resource) of a service.
///
/// A write is decided, carried out and answered in one transaction; so is a read. See [the module](self) for an example.
pub struct Table<T: Tables<C>, C, Y = OfContext> {
    tables: Arc<T>,
    types: Vec<Arc<dyn Served<T, C>>>,
    links: Links,
    tenancy: Arc<Y>,
    environment: Environment,
    threads: Option<Arc<Threads>>,
}

impl<T: Tables<C>, C: Send + Sync + 'static> Table<T, C> {
    /// Makes a store of no type yet, for contexts that [have a tenant](crate::store::HasTenant).
    #[must_use]
    pub fn new(tables: T) -> Self {
        Self {
            tables: Arc::new(tables),
            types: Vec::new(),
            links: Links::default(),
            tenancy: Arc::new(OfContext),
            environment: Environment::default(),
            threads: None,
        }
    }
}

impl<T: Tables<C>, C: Send + Sync + 'static, Y> Table<T, C, Y> {
    /// Has the store serve `R` as well.
    #[must_use]
    pub fn resource<R: ScimResource>(mut self) -> Self
    where
        T: Rows<R, C>,
    {
        self.types.push(Arc::new(Of::<R>(PhantomData)));
        self
    }

    /// Makes `derived` mirror `edges`: see [`Link`].
    ///
    /// Two attributes that cannot be linked are refused when the service is built: see [`Link::check`].
    #[must_use]
    pub fn link<G: ScimResource, E, P: Copy, U: ScimResource, D, Q: Copy>(
        mut self,
        edges: MultiPath<G, E, P>,
        derived: MultiPath<U, D, Q>,
    ) -> Self {
        self.links = self.links.with(Link::between(edges, derived));
        self
    }

    /// Gives the store threads of its own, as many as transactions may run at once: for drivers that block. Without them, the
    /// tables are awaited where the store is.
    ///
    /// A request that nobody waits for any more is carried out all the same.
    #[must_use]
    pub fn on_threads(mut self, count: usize) -> Self {
        self.threads = Some(Arc::new(Threads::start(count)));
        self
    }

    /// Makes it a store for contexts in which `tenant` finds the tenant. A request for which it finds none, or an empty
    /// name, is 404.
    #[must_use]
    pub fn tenant_by(
        self,
        tenant: impl Fn(&C) -> Option<Cow<'_, str>> + Send + Sync + 'static,
    ) -> Table<T, C, TenantBy<C>> {
        self.with(TenantBy::new(tenant))
    }

    /// Makes it a store for contexts of any type, with one tenant.
    #[must_use]
    pub fn single_tenant(self) -> Table<T, C, SingleTenant> {
        self.with(SingleTenant)
    }

    /// Gives the store another clock and source of identifiers.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Returns the tables.
    #[must_use]
    pub fn tables(&self) -> &T {
        &self.tables
    }

    fn with<Z>(self, tenancy: Z) -> Table<T, C, Z> {
        Table {
            tables: self.tables,
            types: self.types,
            links: self.links,
            tenancy: Arc::new(tenancy),
            environment: self.environment,
            threads: self.threads,
        }
    }

    /// Carries out a job where the tables are driven.
    async fn drive<V, F>(&self, job: impl FnOnce(Self) -> F + Send + 'static) -> Result<V>
    where
        V: Send + 'static,
        F: Future<Output = Result<V>> + Send,
        Y: Tenancy<C>,
    {
        let table = self.clone();
        match &self.threads {
            Some(threads) => threads.run(move || job(table)).await,
            None => job(table).await,
        }
    }

    /// Begins a transaction.
    async fn begin(&self, cx: &Arc<C>, purpose: Purpose) -> Result<T::Unit>
    where
        Y: Tenancy<C>,
    {
        let tenant = tenant_of(&*self.tenancy, &**cx)?;
        let unit = self.tables.begin(cx, &tenant, purpose).await;
        unit.map_err(|failure| self.error(failure))
    }

    /// Returns the work of a request in a transaction.
    fn work<'a>(&'a self, cx: &'a Arc<C>, unit: &'a mut T::Unit, purpose: Purpose) -> Work<'a, T, C> {
        Work {
            tables: &self.tables,
            types: &self.types,
            links: &self.links,
            cx,
            unit,
            purpose,
            now: self.environment.clock.now(),
        }
    }

    async fn commit(&self, unit: T::Unit) -> Result<()> {
        let committed = self.tables.commit(unit).await;
        committed.map_err(|failure| self.error(failure))
    }

    fn error(&self, failure: Failure) -> Error {
        failure.into_error(&*self.tables, |_| {
            Error::uniqueness("Another resource has a value that must be unique.")
        })
    }

    /// Refuses a type that the store was not given, or one that a link leads to or from.
    fn check_types<R: ScimResource>(&self, served: &[&'static ResourceType]) -> Result<()> {
        let is_served = |type_id| self.types.iter().any(|served| served.type_id() == type_id);
        let name = R::RESOURCE_TYPE.name;
        if !is_served(TypeId::of::<R>()) {
            return Err(Error::misconfigured(format!(
                "The table was not given the resource type {name}: add .resource::<{name}>() to it."
            )));
        }
        for link in self.links.iter().filter(|link| link.edges().is_of::<R>()) {
            let is_here = |target: &str| {
                self.types
                    .iter()
                    .any(|known| known.resource_type().name == target)
            };
            let mut targets = link.targets().into_iter();
            let missing =
                targets.find(|target| served.iter().any(|known| known.name == *target) && !is_here(target));
            if let Some(target) = missing {
                return Err(Error::misconfigured(format!(
                    "Edges of {name} may lead to a {target}, but the table was not given that type: add \
                     .resource::<{target}>() to it."
                )));
            }
        }
        for link in self.links.of_derived::<R>() {
            let owner = link.edges();
            if !is_served(owner.type_id()) {
                let owner = owner.resource_type().name;
                return Err(Error::misconfigured(format!(
                    "{name} shows which {owner} has an edge to it, but the table was not given that type: add \
                     .resource::<{owner}>() to it."
                )));
            }
        }
        Ok(())
    }
}

impl<R, C, T, Y> Store<R, C> for Table<T, C, Y>
where
    R: ScimResource,
    C: Send + Sync + 'static,
    T: Rows<R, C>,
    Y: Tenancy<C>,
{
    async fn write(&self, write: Write<R, C>) -> Result<Written<R>> {
        self.drive(move |table: Self| async move {
            let cx = Arc::clone(write.context());
            let mut unit = table.begin(&cx, Purpose::Write).await?;
            let written = table.work(&cx, &mut unit, Purpose::Write).write(&write).await?;
            table.commit(unit).await?;
            Ok(written)
        })
        .await
    }

    async fn get(
        &self,
        cx: &Arc<C>,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>> {
        let (cx, id, want, precondition) =
            (Arc::clone(cx), id.to_owned(), want.clone(), precondition.clone());
        self.drive(move |table: Self| async move {
            let mut unit = table.begin(&cx, Purpose::Read).await?;
            let answer = table
                .work(&cx, &mut unit, Purpose::Read)
                .get(&id, &want, &precondition)
                .await?;
            table.commit(unit).await?;
            Ok(answer)
        })
        .await
    }

    async fn list(&self, cx: &Arc<C>, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        let (cx, query, want) = (Arc::clone(cx), query.clone(), want.clone());
        self.drive(move |table: Self| async move {
            let mut unit = table.begin(&cx, Purpose::Read).await?;
            let page = table
                .work(&cx, &mut unit, Purpose::Read)
                .list(&query, &want)
                .await?;
            table.commit(unit).await?;
            Ok(page)
        })
        .await
    }

    fn check(&self, served: &[&'static ResourceType]) -> Result<()> {
        self.check_types::<R>(served)?;
        Layout::of::<R>(&self.links)?.check_links(served)?;
        Rows::<R, C>::check(&*self.tables)
    }

    fn environment(&self) -> &Environment {
        &self.environment
    }

    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        self.tenancy.tenant(cx)
    }
}

impl<T: Tables<C>, C, Y> Clone for Table<T, C, Y> {
    fn clone(&self) -> Self {
        Self {
            tables: Arc::clone(&self.tables),
            types: self.types.clone(),
            links: self.links.clone(),
            tenancy: Arc::clone(&self.tenancy),
            environment: self.environment.clone(),
            threads: self.threads.clone(),
        }
    }
}

impl<T: Tables<C>, C, Y> Debug for Table<T, C, Y> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let types = self.types.iter().map(|served| served.resource_type().name);
        f.debug_struct("Table")
            .field("types", &types.collect::<Vec<_>>())
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}
