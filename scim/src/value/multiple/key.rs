//! Keys that tell the elements of a multi-valued attribute apart.

use crate::fold::Fold;
use crate::schema::{Attribute, Shape, position};
use crate::value::View;

/// The key that tells the elements of an attribute apart.
pub(super) enum Key {
    /// The element itself is a simple value.
    Element(Fold),
    /// A sub-attribute marked as the key.
    Marked(&'static Attribute, usize),
    /// `value` and `type` together: the same pair twice says nothing new (RFC 7643 section 2.4).
    Pair {
        value: (usize, Fold),
        kind: Option<usize>,
    },
    /// Nothing less than the whole element.
    None,
}

impl Key {
    pub(super) fn of(shape: &Shape) -> Self {
        if shape.sub_attributes.is_empty() {
            return Self::Element(if shape.case_exact {
                Fold::Exact
            } else {
                Fold::CaseInsensitive
            });
        }
        if let Some((index, attribute)) = shape.sub_attributes.iter().enumerate().find(|(_, sub)| sub.key) {
            return Self::Marked(attribute, index);
        }
        match position(shape.sub_attributes, "value") {
            Some((index, attribute)) => Self::Pair {
                value: (index, attribute.fold()),
                kind: position(shape.sub_attributes, "type").map(|(index, _)| index),
            },
            None => Self::None,
        }
    }

    pub(super) fn read(&self, element: &View<'_>) -> Option<String> {
        match self {
            Self::Element(fold) => element.key(*fold),
            Self::Marked(attribute, index) => element.record()?.view(*index).key(attribute.fold()),
            Self::Pair { kind, .. } => {
                let mut key = self.read_value(element)?;
                if let Some(kind) = kind {
                    let kind = element.record()?.view(*kind);
                    key.push('\u{1f}');
                    key.push_str(&kind.key(Fold::CaseInsensitive).unwrap_or_default());
                }
                Some(key)
            }
            Self::None => None,
        }
    }

    /// Returns the `value` of a pair, whatever its `type`.
    pub(super) fn read_value(&self, element: &View<'_>) -> Option<String> {
        match self {
            Self::Pair {
                value: (index, fold), ..
            } => element.record()?.view(*index).key(*fold),
            _ => None,
        }
    }

    /// Returns the `value` of a pair that has no `type`: in a list of what a client wants removed, it means every type.
    pub(super) fn read_untyped(&self, element: &View<'_>) -> Option<String> {
        match self {
            Self::Pair { kind: Some(kind), .. } if !element.record()?.view(*kind).is_present() => {
                self.read_value(element)
            }
            _ => None,
        }
    }
}
