//! The rules for who may do what (RFC 7644 section 2).

use std::future::Future;

use crate::error::Result;
use crate::schema::ResourceType;
use crate::service::Operation;
use crate::service::context::Boxed;

/// The thing that somebody wants to do.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Access<'a> {
    /// The operation. [`Operation::QueryAll`] is asked for every resource type.
    pub operation: Operation,
    /// The type of the resources.
    pub resource_type: &'static ResourceType,
    /// The resource, where it is one that the client names.
    pub id: Option<&'a str>,
}

/// Whether somebody may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Yes.
    Allow,
    /// No: 403. A search over all types leaves the type out.
    Deny,
    /// No, and nobody is to know that there is anything: 404, and empty lists.
    Hide,
}

/// Decides who may do what. It is asked before every operation, for every type a search over all of them reaches.
///
/// A closure that need not wait is one, too, and is given to [`Builder::authorize`](super::Builder::authorize); this is
/// for [`Builder::authorize_with`](super::Builder::authorize_with):
///
/// ```
/// use scim::service::{Access, Authorize, Decision, Protocol};
///
/// struct Rights;
///
/// impl Authorize<String> for Rights {
///     async fn authorize(&self, who: &String, access: &Access<'_>) -> scim::Result<Decision> {
///         // A real one looks it up.
///         Ok(if who == "ali" { Decision::Allow } else { Decision::Deny })
///     }
/// }
///
/// let builder = Protocol::<String>::builder().authorize_with(Rights);
/// ```
pub trait Authorize<C>: Send + Sync + 'static {
    /// Decides whether the context may do this.
    ///
    /// # Errors
    /// Whatever the client is to be told instead; an error of [`Error::internal`](crate::Error::internal) if no
    /// decision can be made.
    fn authorize(&self, cx: &C, access: &Access<'_>) -> impl Future<Output = Result<Decision>> + Send;
}

impl<C, F> Authorize<C> for F
where
    F: Fn(&C, &Access<'_>) -> Decision + Send + Sync + 'static,
{
    fn authorize(&self, cx: &C, access: &Access<'_>) -> impl Future<Output = Result<Decision>> + Send {
        std::future::ready(Ok(self(cx, access)))
    }
}

/// The same behind a pointer.
pub(super) trait Guard<C>: Send + Sync {
    fn decide<'a>(&'a self, cx: &'a C, access: &'a Access<'a>) -> Boxed<'a, Result<Decision>>;
}

impl<C: Send + Sync, A: Authorize<C>> Guard<C> for A {
    fn decide<'a>(&'a self, cx: &'a C, access: &'a Access<'a>) -> Boxed<'a, Result<Decision>> {
        Box::pin(self.authorize(cx, access))
    }
}

/// Everybody may do everything: whoever gets here was let in.
pub(super) struct Everybody;

impl<C: Send + Sync> Authorize<C> for Everybody {
    async fn authorize(&self, _: &C, _: &Access<'_>) -> Result<Decision> {
        Ok(Decision::Allow)
    }
}
