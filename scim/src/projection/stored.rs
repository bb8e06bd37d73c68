//! The documents that a store keeps: one that is ready to be shown, and another for what is not shown by default.

use std::sync::Arc;

use crate::path::AttrPath;
use crate::projection::Projection;
use crate::projection::select::Verdict;
use crate::schema::{Attribute, ResourceType, Returned, Role};
use crate::value::{Json, JsonBuf};

impl Projection {
    /// Makes the projection for the document that a store can hand out as it is: the default without what it keeps as rows
    /// (edges), without what nobody keeps (transient attributes), and without what it holds `apart` for reasons of its own, such
    /// as the groups of a user, which it derives from their members.
    #[must_use]
    pub fn stored_visible(resource_type: &'static ResourceType, apart: &[AttrPath]) -> Self {
        Self::by(
            resource_type,
            Some(Arc::from([])),
            &|attribute, path| match attribute.shape.returned {
                _ if attribute.edges || attribute.transient || apart.contains(&path) => Verdict::Hide,
                Returned::Always | Returned::Default => Verdict::Open,
                Returned::Never | Returned::Request => Verdict::Hide,
            },
        )
    }

    /// Makes the projection for the document that a store keeps beside [`stored_visible`](Self::stored_visible): every attribute
    /// of which the other lacks anything, in full, so that [`join_stored`] makes the whole state of the two. It has no `schemas`,
    /// is `{}` for a resource without such values, and [`is_empty`](Self::is_empty) for a type that has no such attribute.
    #[must_use]
    pub fn stored_hidden(resource_type: &'static ResourceType, apart: &[AttrPath]) -> Self {
        let mut projection = Self::by(resource_type, None, &|attribute, path| {
            let is_kept = !attribute.edges && !attribute.transient && !apart.contains(&path);
            // Below the top everything is kept: documents are joined by whole attributes.
            if is_kept && (path.steps().len() > 1 || has_hidden(attribute)) {
                Verdict::Open
            } else {
                Verdict::Hide
            }
        });
        projection.schemas = false;
        projection
    }

    /// Makes the projection for the document that a store keeps beside columns of its own, which hold what is `apart`: every
    /// other attribute in full, but for what the service makes itself (`id`, `meta`), edges and transient attributes. It has no
    /// `schemas`.
    pub(crate) fn stored_rest(resource_type: &'static ResourceType, apart: &[AttrPath]) -> Self {
        let mut projection = Self::by(resource_type, None, &|attribute, path| {
            let is_made = matches!(attribute.role, Role::Common) && attribute.name != "externalId";
            match is_made || attribute.edges || attribute.transient || apart.contains(&path) {
                true => Verdict::Hide,
                false => Verdict::Open,
            }
        });
        projection.schemas = false;
        projection
    }
}

/// Returns whether a store keeps anything of the attribute that is not shown by default.
fn has_hidden(attribute: &Attribute) -> bool {
    let by_itself = matches!(attribute.shape.returned, Returned::Never | Returned::Request);
    !attribute.transient
        && !attribute.edges
        && (by_itself || attribute.shape.sub_attributes.iter().any(has_hidden))
}

/// Makes the whole state of a resource from its two stored documents (their holes filled with
/// [`Base::Relative`](crate::projection::Base::Relative)).
#[must_use]
pub fn join_stored(visible: Json<'_>, hidden: Json<'_>) -> JsonBuf {
    JsonBuf::object(visible.members().chain(hidden.members()))
}
