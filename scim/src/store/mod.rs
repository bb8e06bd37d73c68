//! The home of resources: the trait that every store implements, and what goes in and out of it.
//!
//! A store for one type of resource implements [`Store`]; the stores of this crate, in memory and (feature `sqlite`) in
//! a file, implement it for every derived resource, and [`table`] does so over tables that an application has already.
//! [`testkit`](crate) holds every store to the same contract.

mod answer;
mod budget;
#[cfg(feature = "sqlite")]
pub mod database;
mod decide;
#[cfg(feature = "sqlite")]
pub mod documents;
mod edge_diff;
mod edges;
mod environment;
mod event;
mod growth;
mod hooks;
mod layout;
mod links;
mod load;
pub mod memory;
mod precondition;
mod query;
mod reached;
mod stamp;
pub mod table;
mod tenant;
mod transient;
mod untyped;
pub(crate) mod withdrawal;
mod write;

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::schema::ResourceType;

pub(crate) use answer::PAGE_IN_ONE_PIECE;
pub use answer::{Answer, Body, Document, Item, Page, Rendered, Reply, Stored, Written};
pub use budget::Budget;
pub use decide::{Current, Decision, Put, carry_over};
pub use edges::{Edge, EdgeChange, EdgeEdit};
pub use environment::{Clock, Environment, IdSource, Pauses, RandomPauses, SystemClock, TimeOrderedIds};
pub use event::{Cause, Event, MOST_EDGES_NAMED, MovedEdges, Transition};
pub use hooks::{Hooks, Proposed};
pub use links::{Link, LinkEnd, Links};
pub use load::load;
pub use memory::Memory;
pub use precondition::{Freshness, Precondition, Version};
pub use query::Query;
pub use stamp::Stamp;
pub use tenant::{HasTenant, OfContext, SingleTenant, Tenancy, TenantBy};
pub use write::{Loads, Write, submit};

/// The place where resources of type `R` live. `C` is the application's own context of a request: tenant, principal.
///
/// A store finds, writes and shows. It asks the [`Write`] what is to be written; it knows no PATCH, no precondition and no
/// policy, and keeps no `meta`: its [`Stamp`] and the id say it all. Every method is one transaction. A store must keep to the
/// following, beyond the signatures, and [`Table`](table::Table) does so for tables of an application:
///
/// * A write is decided on what its transaction finds, or on a snapshot if the transaction still finds that version;
///   where it does not, the store decides again or returns [`Error::conflict`]. A version is never given to two states.
/// * A write is answered from its own transaction: an answer shows the state that was written, and nobody else's.
/// * A write that changes nothing ([`Decision::Keep`], or edits that change no edge) leaves version and time alone.
/// * An id is never given twice, not even after a delete, and no two resources of a tenant share one, whatever their
///   types: of two that do, an edge to one is an edge to the other. A resource has one id, to the letter: where numbers are
///   parsed, `1` and `01` are not the same.
/// * A value that must be unique is refused with 409 `uniqueness`; of two that race, one wins.
/// * An edge to a resource that does not exist is refused with 400 `invalidValue`, and the error says the id.
/// * An answer that shows what follows from other resources (`groups`, the `display` of a member) is up to date, and so
///   never [`Answer::NotModified`].
/// * A filter is applied before a page is cut, never after; past the row budget it is 400 `tooMany`.
/// * A page takes bounded memory, however large its resources are: see [`Page`] and [`Item::answer`].
/// * If a query sorts, every item has its sort key.
/// * No tenant sees what another one keeps: not in lists, not by id, not in uniqueness. A request for no tenant is 404.
/// * If [`Write::is_observed`] says so, the store says with [`Write::moved`] which edges a write has added and removed; if
///   [`Write::is_observed_by`] says so, with [`Write::consequence`] which resources have lost an edge to a deleted one.
pub trait Store<R: ScimResource, C: Send + Sync + 'static>: Send + Sync + 'static {
    /// Carries out a write.
    ///
    /// # Errors
    /// Those of [`Write::decide`]; 409 `uniqueness`; 400 `invalidValue` for an edge to nothing;
    /// [`Error::conflict`] if another write came in between.
    fn write(&self, write: Write<R, C>) -> impl Future<Output = Result<Written<R>>> + Send;

    /// Returns a resource as it is to be shown, or [`Answer::NotModified`].
    ///
    /// # Errors
    /// 404 if there is none; 412 if `precondition` demands another version.
    fn get(
        &self,
        cx: &Arc<C>,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<Answer<R>>> + Send;

    /// Returns a page of resources.
    ///
    /// # Errors
    /// 400 `tooMany` for a filter that would visit more rows than the query allows.
    fn list(
        &self,
        cx: &Arc<C>,
        query: &Query<R>,
        want: &Projection,
    ) -> impl Future<Output = Result<Page<R>>> + Send;

    /// Checks whether the store can serve `R` in a service that serves these types: called once, before it serves anything.
    ///
    /// # Errors
    /// A sentence for the programmer: the store was not given the type, or lacks a link.
    fn check(&self, served: &[&'static ResourceType]) -> Result<()> {
        _ = served;
        Ok(())
    }

    /// Returns the sources of the ids of new resources and of the pauses between tries.
    fn environment(&self) -> &Environment {
        Environment::of_the_system()
    }

    /// Returns the tenant of a request, for what a service grants each tenant a share of
    /// ([`Limits::tenant_bodies`](crate::Limits::tenant_bodies)). `None`, unless a store says otherwise: then only the
    /// bounds for all together count.
    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        _ = cx;
        None
    }

    /// Ends the work of a tenant whose access was withdrawn, as far as it takes long and the store knows more of it than
    /// the [budget](Query::budget) of a search, which the service ends by itself:
    /// [`ScimService::end_work_of`](crate::service::ScimService::end_work_of) calls it. Nothing, unless a store says
    /// otherwise.
    fn end_work_of(&self, tenant: &str) {
        _ = tenant;
    }
}

impl<R: ScimResource, C: Send + Sync + 'static, S: Store<R, C>> Store<R, C> for Arc<S> {
    fn write(&self, write: Write<R, C>) -> impl Future<Output = Result<Written<R>>> + Send {
        S::write(self, write)
    }

    fn get(
        &self,
        cx: &Arc<C>,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<Answer<R>>> + Send {
        S::get(self, cx, id, want, precondition)
    }

    fn list(
        &self,
        cx: &Arc<C>,
        query: &Query<R>,
        want: &Projection,
    ) -> impl Future<Output = Result<Page<R>>> + Send {
        S::list(self, cx, query, want)
    }

    fn check(&self, served: &[&'static ResourceType]) -> Result<()> {
        S::check(self, served)
    }

    fn environment(&self) -> &Environment {
        S::environment(self)
    }

    fn tenant<'a>(&self, cx: &'a C) -> Option<Cow<'a, str>> {
        S::tenant(self, cx)
    }

    fn end_work_of(&self, tenant: &str) {
        S::end_work_of(self, tenant);
    }
}

/// Returns 404 for a resource of this type.
pub(crate) fn not_found<R: ScimResource>(id: &str) -> Error {
    Error::not_found(R::RESOURCE_TYPE.name, id)
}
