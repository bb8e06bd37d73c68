//! The question that a list asks a store.

use std::marker::PhantomData;

use crate::filter::ResolvedFilter;
use crate::limits::Limits;
use crate::record::ScimResource;
use crate::sort::Sort;
use crate::store::Budget;

/// A question for resources of type `R`.
#[derive(Debug, Clone)]
pub struct Query<R> {
    /// Which resources; all if `None`.
    pub filter: Option<ResolvedFilter>,
    /// In which order; in that of their creation if `None`. Equal keys follow in the order of creation.
    pub sort: Option<Sort>,
    /// The first of the page, counted from 1.
    pub start_index: u64,
    /// How many at most; 0 asks for the total alone.
    pub count: usize,
    /// How many rows a filter that no index serves may visit.
    pub scanned_rows: usize,
    /// The cost that the search may have, which a store charges while it works. All searches of one request share it.
    pub budget: Budget,
    /// How many bytes the documents of the page may take: it is cut before the resource with which they would be more, but
    /// never before its first. [`Limits::answer_bytes`] by default.
    pub answer_bytes: usize,
    resource: PhantomData<fn() -> R>,
}

impl<R: ScimResource> Query<R> {
    /// Asks for the first `count` of all resources.
    #[must_use]
    pub fn all(count: usize) -> Self {
        Self {
            filter: None,
            sort: None,
            start_index: 1,
            count,
            scanned_rows: usize::MAX,
            budget: Budget::unlimited(),
            answer_bytes: Limits::DEFAULT.answer_bytes,
            resource: PhantomData,
        }
    }

    /// Asks the same for those resources that a filter selects.
    #[must_use]
    pub fn matching(mut self, filter: ResolvedFilter) -> Self {
        self.filter = Some(filter);
        self
    }
}
