//! Whose resources they are.

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use http::StatusCode;

use crate::error::{Error, Result};

/// A context that says for which tenant a request is made. Stores keep tenants apart by it.
///
/// A store for contexts of a foreign type, such as what an extractor gives, is told the tenant when it is made: see
/// [`Memory::tenant_by`](crate::store::Memory::tenant_by) and
/// [`Memory::single_tenant`](crate::store::Memory::single_tenant); the builder of the SQLite store has the same.
///
/// ```
/// use scim::store::HasTenant;
///
/// struct Context { organization: String, reads_only: bool }
///
/// impl HasTenant for Context {
///     fn tenant(&self) -> &str {
///         &self.organization
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say for which tenant a request is made",
    note = "implement `HasTenant` for it, or make the store with `.tenant_by(|cx: &{Self}| …)` or `.single_tenant()`"
)]
pub trait HasTenant {
    /// Returns the tenant. A request for a tenant with an empty name is 404.
    fn tenant(&self) -> &str;

    /// Returns the tenant as a store asks for it: `None` if the request is for none, by default if the name is empty.
    fn named_tenant(&self) -> Option<&str> {
        Some(self.tenant()).filter(|name| !name.is_empty())
    }
}

/// One tenant, whose name is empty.
impl HasTenant for () {
    fn tenant(&self) -> &str {
        THE_ONLY_TENANT
    }

    fn named_tenant(&self) -> Option<&str> {
        Some(THE_ONLY_TENANT)
    }
}

/// The tenant and nothing else.
impl HasTenant for String {
    fn tenant(&self) -> &str {
        self
    }
}

/// The name of the tenant of a store that has one.
const THE_ONLY_TENANT: &str = "";

/// How a store finds the tenant of a request in the context `C`. With a context that says nothing of tenants, a store
/// that was told nothing does not compile:
///
/// ```compile_fail,E0277
/// use scim::resources::User;
/// use scim::service::Protocol;
/// use scim::store::Memory;
///
/// let builder = Protocol::<u32>::builder().resource::<User, _>(Memory::new());
/// ```
#[diagnostic::on_unimplemented(
    message = "the store cannot tell for which tenant a request in the context `{C}` is made",
    note = "implement `HasTenant` for the context, or make the store with `.tenant_by(|cx: &{C}| …)` or `.single_tenant()`"
)]
pub trait Tenancy<C>: Send + Sync + 'static {
    /// Returns the tenant; `None` if the request is for none, which is 404.
    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>>;
}

/// The tenant is what the context says: it [has one](HasTenant).
#[derive(Debug, Clone, Copy, Default)]
pub struct OfContext;

impl<C: HasTenant> Tenancy<C> for OfContext {
    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        cx.named_tenant().map(Cow::Borrowed)
    }
}

/// There is one tenant, whatever the context is. Its name is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct SingleTenant;

impl<C> Tenancy<C> for SingleTenant {
    fn tenant<'a>(&self, _: &'a C) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(THE_ONLY_TENANT))
    }
}

type Find<C> = dyn Fn(&C) -> Option<Cow<'_, str>> + Send + Sync;

/// The tenant is found by a closure.
pub struct TenantBy<C>(Arc<Find<C>>);

impl<C> TenantBy<C> {
    pub(crate) fn new(find: impl Fn(&C) -> Option<Cow<'_, str>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }
}

impl<C: 'static> Tenancy<C> for TenantBy<C> {
    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        (self.0)(cx).filter(|name| !name.is_empty())
    }
}

impl<C> Debug for TenantBy<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("TenantBy")
    }
}

/// Finds the tenant of a request.
///
/// # Errors
/// 404 if the request is for none.
pub(crate) fn tenant_of<'a, C>(tenancy: &(impl Tenancy<C> + ?Sized), cx: &'a C) -> Result<Cow<'a, str>> {
    tenancy
        .tenant(cx)
        .ok_or_else(|| Error::new(StatusCode::NOT_FOUND, "This service has nothing at this URL."))
}
