//! An edge, seen from one of its ends.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::record::Record;
use crate::schema::Attribute;
use crate::store::layout::Parts;
use crate::store::untyped::view_member;
use crate::value::{Change, Cx, Edit, Json, Reference, View};

/// All that a value of an attribute of edges, or of one that mirrors edges, says of the other end.
pub(crate) struct Reached<'a> {
    pub(crate) parts: Parts,
    /// The id of the other end.
    pub(crate) id: Cow<'a, str>,
    /// The endpoint of the other end without its slash; `None` if there is nothing at the other end.
    pub(crate) segment: Option<&'static str>,
    /// Its resource type, or how it is related.
    pub(crate) kind: Option<&'static str>,
    /// Its name for people.
    pub(crate) display: Option<Cow<'a, str>>,
    /// The values that were given and do not follow from the other end.
    pub(crate) rest: Option<Json<'a>>,
}

impl Record for Reached<'_> {
    fn attributes(&self) -> &'static [Attribute] {
        self.parts.table
    }

    fn view(&self, index: usize) -> View<'_> {
        let here = Some(index);
        let computed = match self {
            _ if index == self.parts.value => Some(View::text(&self.id)),
            _ if here == self.parts.reference => self
                .segment
                .map(|segment| View::Relative(Reference::path_of(segment, &self.id).into())),
            _ if here == self.parts.kind => self.kind.map(View::text),
            _ if here == self.parts.display => self.display.as_deref().map(View::text),
            _ => None,
        };
        computed.unwrap_or_else(|| match (self.rest, self.parts.table.get(index)) {
            (Some(rest), Some(attribute)) => view_member(rest, attribute),
            _ => View::Absent,
        })
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Err(Error::internal("an edge is not changed where it is shown"))
    }
}
