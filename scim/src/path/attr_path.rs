//! A resolved attribute path: indices into attribute tables.

use std::fmt::{self, Debug, Formatter};

use crate::schema::Attribute;

/// A path from a resource to an attribute, as indices into the attribute tables; 8 bytes, `Copy`.
///
/// At most four steps are needed: an extension, its attribute, a sub-attribute, and (in the Schema resource alone) a
/// sub-attribute of that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttrPath([u16; 4]);

const END: u16 = u16::MAX;
const SCHEMAS: u16 = u16::MAX - 1;

impl AttrPath {
    /// The resource (or the element) itself.
    pub const ROOT: Self = Self([END; 4]);

    /// The attribute `schemas`, which no table lists because the service computes it.
    pub const SCHEMAS: Self = Self([SCHEMAS, END, END, END]);

    /// Goes one step further. A fifth step cannot be taken and is ignored: no schema nests that deep.
    #[must_use]
    pub const fn push(self, index: u16) -> Self {
        let [a, b, c, d] = self.0;
        if a == END {
            Self([index, END, END, END])
        } else if b == END {
            Self([a, index, END, END])
        } else if c == END {
            Self([a, b, index, END])
        } else if d == END {
            Self([a, b, c, index])
        } else {
            self
        }
    }

    /// Returns the steps, outermost first.
    #[must_use]
    pub fn steps(&self) -> &[u16] {
        self.0.split(|step| *step == END).next().unwrap_or_default()
    }

    /// Returns whether the path names the resource itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        *self == Self::ROOT
    }

    /// Returns whether the path is the same as `other` or leads into it.
    #[must_use]
    pub fn starts_with(&self, other: Self) -> bool {
        self.steps().starts_with(other.steps())
    }

    /// Returns the attribute at the end of the path; `None` for the root, for `schemas` and for a path of another
    /// table.
    #[must_use]
    pub fn attribute(&self, attributes: &'static [Attribute]) -> Option<&'static Attribute> {
        self.attributes(attributes).last()
    }

    /// Returns the attributes along the path, outermost first.
    pub fn attributes(&self, table: &'static [Attribute]) -> impl Iterator<Item = &'static Attribute> {
        let mut table = table;
        self.steps().iter().map_while(move |step| {
            let attribute = table.get(usize::from(*step))?;
            table = attribute.shape.sub_attributes;
            Some(attribute)
        })
    }
}

impl Debug for AttrPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AttrPath").field(&self.steps()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_eight_bytes_and_holds_four_steps() {
        assert_eq!(size_of::<AttrPath>(), 8);
        let path = AttrPath::ROOT.push(1).push(2).push(3).push(4);
        assert_eq!(path.steps(), [1, 2, 3, 4]);
        assert_eq!(AttrPath::ROOT.push(7).steps(), [7]);
        assert!(AttrPath::ROOT.steps().is_empty() && AttrPath::ROOT.is_root());
    }

    #[test]
    fn a_path_starts_with_what_contains_it() {
        let emails = AttrPath::ROOT.push(3);
        assert!(emails.push(0).starts_with(emails));
        assert!(!emails.starts_with(emails.push(0)));
        assert!(!AttrPath::ROOT.push(30).starts_with(emails));
    }
}
