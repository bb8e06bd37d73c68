//! The attributes of a resource that come from elsewhere, and those that are shown on request only.

use std::ops::ControlFlow;

use crate::path::AttrPath;
use crate::projection::Projection;
use crate::record::Record;
use crate::schema::{Attribute, Mutability, Returned, Role};

/// Returns whether a projection shows anything that changes without a new version of the resource: edges, which are shown with
/// the names of others, and lists that only the service fills, such as `groups`.
pub(super) fn is_shown(want: &Projection) -> bool {
    is_derived_below(want.resource_type().schema.attributes, AttrPath::ROOT, want)
}

fn is_derived_below(table: &'static [Attribute], above: AttrPath, want: &Projection) -> bool {
    (0..u16::MAX).zip(table).any(|(index, attribute)| {
        let path = above.push(index);
        match attribute.role {
            Role::Common => false,
            Role::Extension(_) => is_derived_below(attribute.shape.sub_attributes, path, want),
            Role::Plain => is_derived(attribute) && want.includes(path),
        }
    })
}

fn is_derived(attribute: &Attribute) -> bool {
    attribute.edges || (attribute.shape.multi_valued && attribute.shape.mutability == Mutability::ReadOnly)
}

/// Returns whether a table knows attributes that are returned on request only.
pub(super) fn has_requested(table: &[Attribute]) -> bool {
    table.iter().any(|attribute| {
        attribute.shape.returned == Returned::Request || has_requested(attribute.shape.sub_attributes)
    })
}

/// Returns the attributes of a record that are returned on request only and have a value.
pub(super) fn requested_in(record: &dyn Record) -> Vec<AttrPath> {
    let mut paths = Vec::new();
    collect(record, AttrPath::ROOT, &mut paths);
    paths
}

fn collect(record: &dyn Record, above: AttrPath, paths: &mut Vec<AttrPath>) {
    for (index, (step, attribute)) in (0..u16::MAX).zip(record.attributes()).enumerate() {
        let view = record.view(index);
        let path = above.push(step);
        if attribute.shape.returned == Returned::Request {
            if view.is_present() && !paths.contains(&path) {
                paths.push(path);
            }
        } else if has_requested(attribute.shape.sub_attributes) {
            if let Some(inner) = view.record() {
                collect(inner, path, paths);
            } else if let Some(values) = view.values() {
                _ = values.try_for_each(&mut |value| {
                    if let Some(inner) = value.record() {
                        collect(inner, path, paths);
                    }
                    ControlFlow::Continue(())
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScimResource;
    use crate::resources::{Group, User};

    fn shows_derived<R: ScimResource>(attributes: &[&str], excluded: &[&str]) -> bool {
        is_shown(&Projection::parse(R::RESOURCE_TYPE, attributes, excluded, false).unwrap())
    }

    /// RFC 9110 section 13.1.2: an answer that shows `groups` or members is never 304.
    #[test]
    fn groups_and_members_are_derived() {
        assert!(shows_derived::<User>(&[], &[]));
        assert!(!shows_derived::<User>(&[], &["groups"]));
        assert!(!shows_derived::<User>(&["userName"], &[]));
        assert!(shows_derived::<User>(&["groups.value"], &[]));
        assert!(shows_derived::<Group>(&[], &[]));
        assert!(!shows_derived::<Group>(&[], &["members"]));
    }
}
