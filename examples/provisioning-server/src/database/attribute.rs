//! The values of resources that the product keeps beside them.

use scim::Record;
use scim::value::View;

/// Returns the text of a top-level attribute.
pub(crate) fn text(record: &dyn Record, name: &str) -> Option<String> {
    match View::Complex(record).sub(name) {
        View::Str(text) => Some(text.into_owned()),
        _ => None,
    }
}
