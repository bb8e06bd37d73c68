//! A store in memory, for any derived resource: for tests, for first steps, and for services that keep little.
//!
//! It keeps to everything that [`Store`] promises. What is kept is gone when the process ends.

mod edges;
mod layout;
mod query;
mod shown;
mod tenant;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::error::Result;
use crate::path::MultiPath;
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::schema::ResourceType;
use crate::store::layout::Layout;
use crate::store::links::{Link, Links};
use crate::store::{
    Answer, Environment, HasTenant, Page, Precondition, Query, Store, Write, Written, not_found,
};
use query::Reader;
use tenant::Tenant;
use write::{GlobalKeys, Writer};

/// A store in memory. It serves every resource type, and each tenant of the context apart.
///
/// Attributes marked `unique` or `indexed`, `id` and the edges have an index: a filter that compares one of them with
/// `eq` visits only what it finds. A member is added to a group of a million at the cost of a group of ten.
///
/// ```
/// use scim::resources::{Group, User};
/// use scim::store::{Memory, Store, Write};
///
/// # async fn example() -> scim::Result<()> {
/// let store = Memory::new().link(Group::paths().members(), User::paths().groups());
/// let babs = Write::create(&().into(), "2819", User::new("bjensen"));
/// assert_eq!(store.write(babs).await?.version.entity_tag(), "W/\"1\"");
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Memory {
    environment: Environment,
    links: Links,
    tenants: RwLock<HashMap<Box<str>, Arc<RwLock<Tenant>>>>,
    global: Mutex<GlobalKeys>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same store with another clock and source of identifiers.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The same store, in which `derived` mirrors `edges`: see [`Link`].
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

    /// Runs `read` on what a tenant keeps of a type; `None` if that is nothing.
    fn read<R: ScimResource, T>(
        &self,
        tenant: &str,
        read: impl FnOnce(&Reader<'_, R>) -> Result<T>,
    ) -> Option<Result<T>> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.get(tenant)?.clone();
        drop(tenants);
        let tenant = tenant.read().unwrap_or_else(PoisonError::into_inner);
        Reader::of(&tenant).map(|reader| read(&reader))
    }

    /// Runs `write` alone on what a tenant keeps.
    fn alone<T>(&self, tenant: &str, write: impl FnOnce(&mut Writer<'_>) -> Result<T>) -> Result<T> {
        let tenant = self.tenant(tenant);
        let mut tenant = tenant.write().unwrap_or_else(PoisonError::into_inner);
        write(&mut Writer {
            tenant: &mut tenant,
            environment: &self.environment,
            links: &self.links,
            global: &self.global,
        })
    }

    fn tenant(&self, name: &str) -> Arc<RwLock<Tenant>> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(tenant) = tenants.get(name) {
            return tenant.clone();
        }
        drop(tenants);
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants.entry(name.into()).or_default().clone()
    }
}

impl Debug for Memory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}

impl<R: ScimResource, C: HasTenant + Send + Sync + 'static> Store<R, C> for Memory {
    async fn write(&self, write: Write<R, C>) -> Result<Written<R>> {
        self.alone(write.context().tenant(), |writer| writer.write(&write))
    }

    async fn get(
        &self,
        cx: &Arc<C>,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>> {
        self.read(cx.tenant(), |reader| reader.get(id, want, precondition))
            .unwrap_or_else(|| Err(not_found::<R>(id)))
    }

    async fn list(&self, cx: &Arc<C>, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        let nothing = || {
            Ok(Page {
                total: 0,
                items: Vec::new(),
            })
        };
        self.read(cx.tenant(), |reader| reader.query(query, want))
            .unwrap_or_else(nothing)
    }

    fn check(&self, served: &[&'static ResourceType]) -> Result<()> {
        Layout::of::<R>(&self.links)?.check_links(served)
    }

    fn environment(&self) -> &Environment {
        &self.environment
    }
}
