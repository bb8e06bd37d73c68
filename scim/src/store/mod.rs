//! Where resources live: the trait that every store implements, and what goes in and out of it.
//!
//! A store for one type of resource implements [`Store`]; the stores of this crate, in memory and (feature `sqlite`) in
//! a file, implement it for every derived resource. [`testkit`](crate) holds every store to the same contract.

mod answer;
mod environment;
mod links;
pub mod memory;
mod precondition;
mod query;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod tenant;
mod write;

use std::future::Future;

use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::projection::Projection;
use crate::record::ScimResource;

pub use answer::{Answer, Body, Document, Item, Page, Patched, Rendered, Reply, Stored};
pub use environment::{Clock, Environment, IdSource, SystemClock, TimeOrderedIds};
pub use links::{Link, LinkEnd, Links};
pub use memory::Memory;
pub use precondition::{Freshness, Precondition, Version};
pub use query::Query;
pub use tenant::HasTenant;
pub(crate) use write::clear_transient;
pub use write::{Write, carry_over};

/// How much of a resource is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// All but the attributes marked `edges`, which are [`Edges::NotLoaded`](crate::value::Edges::NotLoaded).
    WithoutEdges,
}

/// Where resources of type `R` live. `C` is the application's own context of a request: tenant, principal.
///
/// Every method is one transaction. What a store must keep to, beyond the signatures:
///
/// * [`load`](Store::load) is the only thing that state is computed from; [`get`](Store::get) and
///   [`query`](Store::query) are for showing, and what they return never becomes state again.
/// * A precondition is checked in the transaction that it guards. A version is never given twice to two states.
/// * An identifier is made by the store, is never given twice and never contains `bulkId`.
/// * A value that must be unique is refused with 409 `uniqueness`; of two that race, one wins.
/// * A filter is applied before a page is cut, never after; past the row budget it is 400 `tooMany`.
/// * What one tenant keeps, no other sees: not in lists, not by id, not in uniqueness.
/// * A write that changes nothing leaves version and `lastModified` alone.
pub trait Store<R: ScimResource, C: Sync>: Send + Sync + 'static {
    /// Keeps a new resource: gives it an id, times and a version.
    ///
    /// # Errors
    /// 409 `uniqueness`; 400 `invalidValue` for a reference to nothing.
    fn create(&self, cx: &C, resource: R) -> impl Future<Output = Result<Stored<R>>> + Send;

    /// The state of a resource, or `None` if there is none.
    ///
    /// # Errors
    /// Those of the medium.
    fn load(
        &self,
        cx: &C,
        id: &str,
        extent: Extent,
    ) -> impl Future<Output = Result<Option<Stored<R>>>> + Send;

    /// A resource as it is to be shown, or [`Answer::NotModified`].
    ///
    /// # Errors
    /// 404 if there is none; 412 if `precondition` demands another version.
    fn get(
        &self,
        cx: &C,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<Answer<R>>> + Send;

    /// A page of resources.
    ///
    /// # Errors
    /// 400 `tooMany` for a filter that would visit more rows than the query allows.
    fn query(
        &self,
        cx: &C,
        query: &Query<R>,
        want: &Projection,
    ) -> impl Future<Output = Result<Page<R>>> + Send;

    /// Makes `resource` the new state. Edges that are not loaded stay as they are.
    ///
    /// # Errors
    /// 404; 412 if `precondition` demands another version; 409 `uniqueness`; 400 `invalidValue` for a reference to
    /// nothing.
    fn replace(
        &self,
        cx: &C,
        id: &str,
        resource: R,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<Stored<R>>> + Send;

    /// Applies a PATCH. The default loads, applies and writes back under the version it has loaded, and tries again if
    /// somebody else was faster.
    ///
    /// # Errors
    /// 404; 412 if the *client's* precondition fails; 503 after five conflicts that the client did not ask to hear of;
    /// those of [`Patch::apply`] and of [`replace`](Store::replace).
    fn patch(
        &self,
        cx: &C,
        id: &str,
        patch: &Patch<R>,
        precondition: &Precondition,
        reply: &Reply,
    ) -> impl Future<Output = Result<Patched<R>>> + Send {
        write::load_apply_replace(self, cx, id, patch, precondition, reply)
    }

    /// Forgets a resource. Its id is dead for ever, its unique values are free.
    ///
    /// # Errors
    /// 404; 412 if `precondition` demands another version.
    fn delete(
        &self,
        cx: &C,
        id: &str,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<()>> + Send;
}

impl<R: ScimResource, C: Sync, S: Store<R, C>> Store<R, C> for std::sync::Arc<S> {
    fn create(&self, cx: &C, resource: R) -> impl Future<Output = Result<Stored<R>>> + Send {
        S::create(self, cx, resource)
    }

    fn load(
        &self,
        cx: &C,
        id: &str,
        extent: Extent,
    ) -> impl Future<Output = Result<Option<Stored<R>>>> + Send {
        S::load(self, cx, id, extent)
    }

    fn get(
        &self,
        cx: &C,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<Answer<R>>> + Send {
        S::get(self, cx, id, want, precondition)
    }

    fn query(
        &self,
        cx: &C,
        query: &Query<R>,
        want: &Projection,
    ) -> impl Future<Output = Result<Page<R>>> + Send {
        S::query(self, cx, query, want)
    }

    fn replace(
        &self,
        cx: &C,
        id: &str,
        resource: R,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<Stored<R>>> + Send {
        S::replace(self, cx, id, resource, precondition)
    }

    fn patch(
        &self,
        cx: &C,
        id: &str,
        patch: &Patch<R>,
        precondition: &Precondition,
        reply: &Reply,
    ) -> impl Future<Output = Result<Patched<R>>> + Send {
        S::patch(self, cx, id, patch, precondition, reply)
    }

    fn delete(
        &self,
        cx: &C,
        id: &str,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<()>> + Send {
        S::delete(self, cx, id, precondition)
    }
}

/// 404 for a resource of this type.
pub(crate) fn not_found<R: ScimResource>(id: &str) -> Error {
    Error::not_found(R::RESOURCE_TYPE.name, id)
}
