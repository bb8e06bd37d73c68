//! A store in memory, for any derived resource: for tests, for first steps, and for services that keep little.
//!
//! It keeps to everything that [`Store`] promises. Whatever is kept is gone when the process ends.

mod edges;
mod layout;
mod query;
mod shown;
mod tenant;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;
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
use crate::store::tenant::tenant_of;
use crate::store::{
    Answer, Environment, OfContext, Page, Precondition, Query, SingleTenant, Store, Tenancy, TenantBy, Write,
    Written, not_found,
};
use query::Reader;
use tenant::Tenant;
use write::{GlobalKeys, Writer};

/// A store in memory. It serves every resource type, and each tenant apart: the one that the context
/// [has](crate::store::HasTenant), or what [`tenant_by`](Self::tenant_by) finds in it, or
/// [the only one](Self::single_tenant).
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
pub struct Memory<T = OfContext> {
    environment: Environment,
    links: Links,
    tenancy: T,
    tenants: RwLock<HashMap<Box<str>, Arc<RwLock<Tenant>>>>,
    global: Mutex<GlobalKeys>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            environment: Environment::default(),
            links: Links::default(),
            tenancy: OfContext,
            tenants: RwLock::default(),
            global: Mutex::default(),
        }
    }
}

impl Memory {
    /// Makes an empty store for contexts that [have a tenant](crate::store::HasTenant).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<T> Memory<T> {
    /// Returns the same store for contexts in which `tenant` finds the tenant. A request for which it finds none, or an
    /// empty name, is 404.
    ///
    /// ```
    /// use std::borrow::Cow;
    ///
    /// use scim::resources::User;
    /// use scim::store::{Memory, Store, Write};
    ///
    /// /// A type of another crate, which says nothing of tenants.
    /// type Context = (Option<String>, bool);
    ///
    /// # async fn example() -> scim::Result<()> {
    /// let store = Memory::new().tenant_by(|cx: &Context| cx.0.as_deref().map(Cow::from));
    /// let cx = (Some("acme".to_owned()), true).into();
    /// store.write(Write::create(&cx, "2819", User::new("bjensen"))).await?;
    /// let nobody = (None, true).into();
    /// let refused = store.write(Write::create(&nobody, "2820", User::new("bjensen"))).await;
    /// assert_eq!(refused.unwrap_err().status(), 404);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn tenant_by<C>(
        self,
        tenant: impl Fn(&C) -> Option<Cow<'_, str>> + Send + Sync + 'static,
    ) -> Memory<TenantBy<C>> {
        self.with(TenantBy::new(tenant))
    }

    /// Returns the same store for contexts of any type, where there is one tenant.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use scim::resources::User;
    /// use scim::store::{Memory, Store, Write};
    ///
    /// # async fn example() -> scim::Result<()> {
    /// let store = Memory::new().single_tenant();
    /// store.write(Write::create(&Arc::new("ali"), "2819", User::new("bjensen"))).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn single_tenant(self) -> Memory<SingleTenant> {
        self.with(SingleTenant)
    }

    fn with<U>(self, tenancy: U) -> Memory<U> {
        Memory {
            environment: self.environment,
            links: self.links,
            tenancy,
            tenants: self.tenants,
            global: self.global,
        }
    }

    /// Returns the same store with another clock and source of identifiers.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Returns the same store, in which `derived` mirrors `edges`: see [`Link`].
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
    fn read<R: ScimResource, V>(
        &self,
        tenant: &str,
        read: impl FnOnce(&Reader<'_, R>) -> Result<V>,
    ) -> Option<Result<V>> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.get(tenant)?.clone();
        drop(tenants);
        let tenant = tenant.read().unwrap_or_else(PoisonError::into_inner);
        Reader::of(&tenant).map(|reader| read(&reader))
    }

    /// Runs `write` alone on what a tenant keeps.
    fn alone<V>(&self, tenant: &str, write: impl FnOnce(&mut Writer<'_>) -> Result<V>) -> Result<V> {
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

impl<T> Debug for Memory<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}

impl<R: ScimResource, C: Send + Sync + 'static, T: Tenancy<C>> Store<R, C> for Memory<T> {
    async fn write(&self, write: Write<R, C>) -> Result<Written<R>> {
        let tenant = tenant_of(&self.tenancy, &**write.context())?;
        self.alone(&tenant, |writer| writer.write(&write))
    }

    async fn get(
        &self,
        cx: &Arc<C>,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>> {
        let tenant = tenant_of(&self.tenancy, &**cx)?;
        self.read(&tenant, |reader| reader.get(id, want, precondition))
            .unwrap_or_else(|| Err(not_found::<R>(id)))
    }

    async fn list(&self, cx: &Arc<C>, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
        let tenant = tenant_of(&self.tenancy, &**cx)?;
        self.read(&tenant, |reader| reader.query(query, want))
            .unwrap_or_else(|| Ok(Page::empty()))
    }

    fn check(&self, served: &[&'static ResourceType]) -> Result<()> {
        Layout::of::<R>(&self.links)?.check_links(served)
    }

    fn environment(&self) -> &Environment {
        &self.environment
    }

    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        self.tenancy.tenant(cx)
    }
}
