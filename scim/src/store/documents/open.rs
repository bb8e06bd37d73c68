//! How a store is put together.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::core::Core;
use super::in_transaction::InTransaction;
use super::keys::Keys;
use super::kind::{Decode, Kind};
use super::layout::{Derived, Layout};
use super::pages::Pages;
use super::query::each_row;
use super::row_key::RowKeys;
use super::rows;
use super::store::DocumentStore;
use super::tables;
use crate::Result;
use crate::error::{Error, ScimType};
use crate::path::MultiPath;
use crate::record::ScimResource;
use crate::schema::ResourceType;
use crate::store::database::{Database, Options, Transaction};
use crate::store::layout::{self, reference_types};
use crate::store::{Environment, Event, Link, Links, OfContext, SingleTenant, Tenancy, TenantBy};

/// Puts a [`DocumentStore`] store together: which resource types it keeps, how they hang together, and how the tenant of a
/// request is found: as what the context [has](crate::store::HasTenant), or what [`tenant_by`](Self::tenant_by) finds in
/// it, or [the only one](Self::single_tenant).
pub struct Builder<C = (), T = OfContext> {
    database: Database,
    tenancy: T,
    environment: Environment,
    kinds: Vec<Registered<C>>,
    links: Links,
    in_transaction: InTransaction<C>,
}

/// A registered resource type.
struct Registered<C> {
    type_id: TypeId,
    resource_type: &'static ResourceType,
    /// The sides of links that it has.
    shape: fn(&Links) -> Result<layout::Layout>,
    kind: Kind<C>,
}

impl<C: 'static> Builder<C> {
    pub(super) fn new(database: Database) -> Self {
        Self {
            database,
            tenancy: OfContext,
            environment: Environment::default(),
            kinds: Vec::new(),
            links: Links::new(),
            in_transaction: InTransaction::default(),
        }
    }
}

impl<C: 'static, T> Builder<C, T> {
    /// Keeps resources of type `R`.
    ///
    /// Attributes marked `indexed` or `unique` get keys: the first four single-valued ones in columns of the row, all
    /// others in a table of values. References and binary values have no keys to search by. Attributes marked `edges`
    /// become rows that lead to resources of this store: of the types that the `referenceTypes` of `$ref` name, or of
    /// all types if it names none. Nothing else of an edge is kept but where it leads.
    #[must_use]
    pub fn resource<R: ScimResource>(mut self) -> Self {
        self.kinds.push(Registered {
            type_id: TypeId::of::<R>(),
            resource_type: R::RESOURCE_TYPE,
            shape: layout::Layout::of::<R>,
            kind: Kind::of::<R>(),
        });
        self
    }

    /// Has the read-only attribute `derived` of `U` show which edges of `G` lead to it: what `groups` of a user is to
    /// `members` of a group. It is computed whenever it is read; see [`Link`].
    ///
    /// ```
    /// use scim::resources::{Group, User};
    /// use scim::store::documents::DocumentStore;
    ///
    /// # fn main() -> scim::Result<()> {
    /// let store: DocumentStore = DocumentStore::in_memory()?
    ///     .resource::<User>()
    ///     .resource::<Group>()
    ///     .link(Group::paths().members(), User::paths().groups())
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn link<G: ScimResource, E, P: Copy, U: ScimResource, D, Q: Copy>(
        mut self,
        edges: MultiPath<G, E, P>,
        derived: MultiPath<U, D, Q>,
    ) -> Self {
        self.links = self.links.with(Link::between(edges, derived));
        self
    }

    /// Runs statements of the application in the transaction of every write that changes a resource of type `R`: an
    /// outbox, a history, a rule that needs SQL. Whatever they write is committed with the resource or not at all.
    ///
    /// They run after the statements of the store, on the thread that writes, while others wait: keep them short. They
    /// see values that are handed on and not kept, such as a password, and are the last to do so. An error undoes the
    /// write, and is what the client is told.
    ///
    /// They are also told of resources that change because another was deleted, such as a group that has lost a member:
    /// [`Event::cause`] says so. A job may run more than once until it is committed, so they must have no effect but
    /// their statements.
    ///
    /// ```
    /// use scim::resources::User;
    /// use scim::store::database::{Database, Options};
    /// use scim::store::documents::DocumentStore;
    ///
    /// # fn main() -> scim::Result<()> {
    /// let database = Database::in_memory(Options::default())?;
    /// database.blocking_write(|tx| tx.execute_batch("CREATE TABLE outbox(id TEXT, version TEXT) STRICT"))?;
    /// let store: DocumentStore = DocumentStore::on(database)
    ///     .resource::<User>()
    ///     .in_transaction::<User>(|tx, _, event| {
    ///         let row = [event.id.as_str().into(), event.version.as_str().into()];
    ///         tx.execute("INSERT INTO outbox(id, version) VALUES (?1, ?2)", &row)?;
    ///         Ok(())
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn in_transaction<R: ScimResource>(
        mut self,
        statements: impl Fn(&Transaction<'_>, &C, &Event<R>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.in_transaction.add(statements);
        self
    }

    /// Sets the sources of time and identifiers; the system's clock and UUIDs of version 7 otherwise.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets up the store for contexts in which `tenant` finds the tenant. A request for which it finds none, or an
    /// empty name, is 404.
    ///
    /// ```
    /// use std::borrow::Cow;
    ///
    /// use scim::resources::User;
    /// use scim::store::documents::DocumentStore;
    ///
    /// # fn main() -> scim::Result<()> {
    /// /// A type of another crate, which says nothing of tenants.
    /// type Context = (Option<String>, bool);
    ///
    /// let store = DocumentStore::in_memory()?
    ///     .resource::<User>()
    ///     .tenant_by(|cx: &Context| cx.0.as_deref().map(Cow::from))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn tenant_by(
        self,
        tenant: impl Fn(&C) -> Option<Cow<'_, str>> + Send + Sync + 'static,
    ) -> Builder<C, TenantBy<C>> {
        self.with(TenantBy::new(tenant))
    }

    /// Sets up the store for contexts of any type, where there is one tenant. Its name is empty.
    #[must_use]
    pub fn single_tenant(self) -> Builder<C, SingleTenant> {
        self.with(SingleTenant)
    }

    fn with<U>(self, tenancy: U) -> Builder<C, U> {
        Builder {
            database: self.database,
            tenancy,
            environment: self.environment,
            kinds: self.kinds,
            links: self.links,
            in_transaction: self.in_transaction,
        }
    }

    /// Makes the tables, if they are not there, and brings keys up to date that another build has made. It blocks the
    /// thread meanwhile.
    ///
    /// # Errors
    /// A type was given twice, a link names a type that was not given or attributes that cannot be linked, or the
    /// database fails: each with a sentence for the programmer.
    pub fn build(self) -> Result<DocumentStore<C>>
    where
        T: Tenancy<C>,
    {
        let Self {
            database,
            tenancy,
            environment,
            kinds,
            links,
            in_transaction,
        } = self;
        check_hooked(&in_transaction, &kinds)?;
        let (layouts, last_row) = database.blocking_write(move |tx| {
            let layouts = open(tx, &kinds, &links)?;
            Ok((layouts, rows::last(tx)?))
        })?;
        let core = Core {
            environment,
            tenancy: Box::new(tenancy),
            numbered: layouts
                .iter()
                .map(|(_, layout, kind)| (layout.number, (Arc::clone(layout), *kind)))
                .collect(),
            kinds: layouts
                .iter()
                .map(|(_, layout, kind)| (Arc::clone(layout), *kind))
                .collect(),
            layouts: layouts
                .into_iter()
                .map(|(type_id, layout, _)| (type_id, layout))
                .collect(),
            in_transaction,
            row_keys: RowKeys::behind(last_row),
            tenants: Default::default(),
            pages: Pages::default(),
        };
        Ok(DocumentStore::new(database, core))
    }
}

impl<C: 'static> DocumentStore<C> {
    /// Opens a store in a file of its own, which is made if there is none.
    ///
    /// ```
    /// use scim::store::documents::DocumentStore;
    /// use scim::resources::User;
    ///
    /// # fn main() -> scim::Result<()> {
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("data.db");
    /// let store: DocumentStore = DocumentStore::open(path)?.resource::<User>().build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Builder<C>> {
        Ok(Builder::new(Database::open(path, Options::default())?))
    }

    /// Opens a store that is gone with its last clone.
    ///
    /// # Errors
    /// As [`Database::in_memory`].
    pub fn in_memory() -> Result<Builder<C>> {
        Ok(Builder::new(Database::in_memory(Options::default())?))
    }

    /// Opens a store in a database that the application uses for its own tables too. The tables of the store begin with
    /// `scim_`; leave them to it.
    #[must_use]
    pub fn on(database: Database) -> Builder<C> {
        Builder::new(database)
    }
}

impl<C, T> fmt::Debug for Builder<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

type Opened<C> = Vec<(TypeId, Arc<Layout>, Kind<C>)>;

/// Refuses statements in the transaction of a type that the store does not keep.
fn check_hooked<C: 'static>(hooks: &InTransaction<C>, kinds: &[Registered<C>]) -> Result<()> {
    let is_kept = |type_id| kinds.iter().any(|kind| kind.type_id == type_id);
    match hooks.types().all(is_kept) {
        true => Ok(()),
        false => Err(Error::misconfigured(
            "The store was given a hook in the transaction of a resource type that it was not given: add .resource::<…>().",
        )),
    }
}

fn open<C>(tx: &Transaction<'_>, kinds: &[Registered<C>], links: &Links) -> Result<Opened<C>> {
    tables::create(tx)?;
    let mut layouts = Vec::new();
    for kind in kinds {
        if layouts
            .iter()
            .any(|(earlier, ..): &(TypeId, Layout, String)| *earlier == kind.type_id)
            || kinds
                .iter()
                .filter(|other| other.resource_type.name == kind.resource_type.name)
                .count()
                > 1
        {
            return Err(Error::misconfigured(format!(
                "The store was given the resource type {} twice.",
                kind.resource_type.name
            )));
        }
        let mut layout = Layout::new((kind.shape)(links)?)?;
        let (number, keys_made_for) = tables::resource_type(tx, kind.resource_type.name)?;
        layout.number(tx, number)?;
        layouts.push((kind.type_id, layout, keys_made_for));
    }
    link(&mut layouts, links)?;
    let mut opened = Vec::new();
    for ((type_id, layout, keys_made_for), kind) in layouts.into_iter().zip(kinds) {
        let layout = Arc::new(layout);
        let fingerprint = layout.fingerprint();
        if keys_made_for != fingerprint {
            rebuild(tx, &layout, kind.kind.decode)?;
            tables::keep_layout(tx, layout.number, &fingerprint)?;
        }
        opened.push((type_id, layout, kind.kind));
    }
    Ok(opened)
}

/// Finds the ends of all edges, and of what mirrors them.
fn link(layouts: &mut [(TypeId, Layout, String)], links: &Links) -> Result<()> {
    let ends: Vec<_> = layouts.iter().map(|(_, layout, _)| layout.end()).collect();
    let mut numbers = HashMap::new();
    for (type_id, layout, _) in layouts.iter_mut() {
        let source = layout.end();
        for edges in &mut layout.edges {
            let named = reference_types(edges.shape.attribute).unwrap_or_default();
            let targets = ends.iter();
            let targets = targets.filter(|end| named.is_empty() || named.contains(&end.resource_type.name));
            edges.targets = targets.cloned().collect();
            numbers.insert((*type_id, edges.shape.path), (source.clone(), edges.number));
        }
    }
    let is_kept = |type_id: TypeId| layouts.iter().any(|(kept, ..)| *kept == type_id);
    for end in links.iter().flat_map(|link| [link.edges(), link.derived()]) {
        if !is_kept(end.type_id()) {
            let name = end.resource_type().name;
            return Err(Error::misconfigured(format!(
                "The store links an attribute of {name} but was not given that resource type: add .resource::<{name}>()."
            )));
        }
    }
    for (_, layout, _) in layouts.iter_mut() {
        for derived in &layout.shape.derived {
            let end = derived.link.edges();
            let attribute = derived.link.derived().attribute();
            if let (Some((source, edge)), Some(attribute)) =
                (numbers.get(&(end.type_id(), end.path())), attribute)
            {
                layout.derived.push(Derived {
                    shape: derived.clone(),
                    attribute,
                    source: source.clone(),
                    edge: *edge,
                });
            }
        }
    }
    Ok(())
}

/// Makes the keys of all resources of a type again.
///
/// # Errors
/// Two resources have one value of an attribute that must be unique.
fn rebuild(tx: &Transaction<'_>, layout: &Layout, decode: Decode) -> Result<()> {
    for table in ["scim_value", "scim_unique"] {
        // Of all tenants.
        tx.execute(
            &format!(
                "DELETE FROM {table} WHERE tenant >= 0
                 AND attr IN (SELECT id FROM scim_attribute WHERE type = ?1)"
            ),
            &[layout.number.into()],
        )?;
    }
    each_row(tx, layout.number, |tenant, row| {
        let keys = Keys::of(layout, &*decode(&row.documents)?.record);
        let [k1, k2, k3, k4] = keys.columns();
        tx.execute(
            "UPDATE scim_resource SET k1 = ?3, k2 = ?4, k3 = ?5, k4 = ?6, label = ?7 WHERE tenant = ?1 AND rid = ?2",
            &[tenant.into(), row.rid.into(), k1, k2, k3, k4, keys.label()],
        )?;
        for value in &keys.values {
            rows::insert_value(tx, tenant, row.rid, value)?;
        }
        rows::insert_uniques(tx, layout, row.key(tenant), &keys, None)
    })
    .map_err(|error| match error.scim_type() {
        Some(ScimType::Uniqueness) => {
            let name = layout.resource_type.name;
            Error::misconfigured(format!(
                "Two resources of the type {name} have one value of an attribute that must be unique, by the rules of \
                 comparison of this version: change one of them with the version before."
            ))
        }
        _ => error,
    })
}
