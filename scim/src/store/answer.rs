//! What comes out of a store: state, and what is shown.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

use crate::error::Error;
use crate::projection::Projection;
use crate::sort::SortKey;
use crate::store::Version;

/// A stream of a document's parts.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// State: a resource and its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<R> {
    /// The resource with id and meta set.
    pub resource: R,
    /// Its version.
    pub version: Version,
}

/// What is shown of a resource.
#[derive(Debug)]
pub enum Answer<R> {
    /// The resource itself; the service renders what is wanted of it.
    Typed(Stored<R>),
    /// A document that shows just what is wanted.
    Rendered(Rendered),
    /// The client has this version already: 304.
    NotModified(Version),
}

impl<R> Answer<R> {
    /// The version of what is shown.
    pub fn version(&self) -> &Version {
        match self {
            Self::Typed(stored) => &stored.version,
            Self::Rendered(rendered) => &rendered.version,
            Self::NotModified(version) => version,
        }
    }
}

/// A finished JSON document, with holes where the base URL goes (see [`projection`](crate::projection)).
#[derive(Debug)]
pub struct Rendered {
    /// The document.
    pub document: Document,
    /// The version it shows.
    pub version: Version,
}

/// A document in one piece, or in parts that are made while they are sent.
#[derive(Debug)]
pub enum Document {
    /// In one piece.
    Whole(Bytes),
    /// In parts.
    Parts(Body),
}

/// One resource of a page.
#[derive(Debug)]
pub struct Item<R> {
    /// What is shown of it; never [`Answer::NotModified`], and its document in one piece.
    pub answer: Answer<R>,
    /// Its sort key, where the query sorts: a search over several types merges by it.
    pub sort_key: Option<SortKey>,
}

/// A page of resources.
#[derive(Debug)]
pub struct Page<R> {
    /// How many resources match, on all pages.
    pub total: u64,
    /// Those on this page.
    pub items: Vec<Item<R>>,
}

/// What a PATCH is to be answered with (RFC 7644 section 3.5.2).
#[derive(Debug, Clone)]
pub struct Reply {
    /// What to show.
    pub want: Projection,
    /// Resources with more edges than this are not shown: reading them back would cost more than the change.
    /// `None` shows any.
    pub most_edges: Option<usize>,
}

/// The outcome of a PATCH.
#[derive(Debug)]
pub struct Patched<R> {
    /// The resource as it is now; `None` where [`Reply::most_edges`] says so: 204.
    pub answer: Option<Answer<R>>,
    /// Its version.
    pub version: Version,
    /// Whether anything changed.
    pub changed: bool,
}
