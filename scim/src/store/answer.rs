//! The output of a store: state, and what is shown.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

use crate::error::Error;
use crate::projection::Projection;
use crate::record::ScimResource;
use crate::sort::SortKey;
use crate::store::{Stamp, Version};
use crate::value::ResourceId;

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

impl<R: ScimResource> Stored<R> {
    /// Makes a stored state: the attributes of a resource, its id and its stamp. The rest of `meta` follows from them.
    ///
    /// ```
    /// use scim::resources::User;
    /// use scim::store::{Stamp, Stored, Version};
    ///
    /// let stored = Stored::new("2819", &Stamp::new(Version::from(3)), User::new("bjensen"));
    /// assert_eq!(stored.resource.meta.resource_type.as_deref(), Some("User"));
    /// assert_eq!(stored.stamp().version.as_str(), "3");
    /// ```
    #[must_use]
    pub fn new(id: &str, stamp: &Stamp, mut resource: R) -> Self {
        *resource.id_mut() = ResourceId::new(id);
        *resource.meta_mut() = stamp.meta(R::RESOURCE_TYPE, id);
        Self {
            resource,
            version: stamp.version.clone(),
        }
    }

    /// Returns the version and the times.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        let meta = self.resource.meta();
        Stamp {
            version: self.version.clone(),
            created: meta.created,
            modified: meta.last_modified,
        }
    }
}

/// The part of a resource that is shown.
#[derive(Debug)]
pub enum Answer<R> {
    /// The resource itself; the service renders what is wanted of it. Boxed: a resource takes kilobytes, and most answers are
    /// documents.
    Typed(Box<Stored<R>>),
    /// A document that shows just what is wanted.
    Rendered(Rendered),
    /// The client has this version already: 304.
    NotModified(Version),
}

impl<R> Answer<R> {
    /// Returns the version of what is shown.
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

/// Documents of a page that together take no more bytes are shown in one piece each.
pub(crate) const PAGE_IN_ONE_PIECE: usize = 1 << 20;

/// One resource of a page.
#[derive(Debug)]
pub struct Item<R> {
    /// Its document; never [`Answer::NotModified`]. Documents in parts are read in the order of the page, each to
    /// its end or not at all, so that one stream may bring them all.
    pub answer: Answer<R>,
    /// Its sort key, where the query sorts: a search over several types merges by it.
    pub sort_key: Option<SortKey>,
}

/// A page of resources.
///
/// It may have fewer than were asked for and match (RFC 7644 section 3.4.2.4 lets a service return fewer), so that a page
/// of large resources takes bounded memory: the client goes on behind the last one. If any is left, the first is always
/// there.
#[derive(Debug)]
pub struct Page<R> {
    /// How many resources match, on all pages.
    pub total: u64,
    /// Those on this page.
    pub items: Vec<Item<R>>,
}

impl<R> Page<R> {
    /// Makes the page of a list without resources.
    pub(crate) fn empty() -> Self {
        Self {
            total: 0,
            items: Vec::new(),
        }
    }
}

/// The choice of what a write is answered with (RFC 7644 sections 3.3, 3.5.1 and 3.5.2).
#[derive(Debug, Clone)]
pub struct Reply {
    /// The attributes to show.
    pub want: Projection,
    /// Resources with more edges than this are not shown after a PATCH: reading them back would cost more than the
    /// change. `None` shows any.
    pub most_edges: Option<usize>,
}

/// The outcome of a write.
#[derive(Debug)]
pub struct Written<R> {
    /// The id of the resource; of one that was created, the id that the store gave it.
    pub id: String,
    /// Its version; of one that was deleted, the last it had.
    pub version: Version,
    /// Whether anything changed.
    pub changed: bool,
    /// The resource as it is now, read in the transaction of the write. `None` if it was deleted, if
    /// [`Reply::most_edges`] says so, or if it is too large to be read there and somebody has changed it since.
    pub answer: Option<Answer<R>>,
}
