//! The things that the documents of discovery have in common.

use serde::Serialize;

use crate::projection::{Base, close_document, open_document, push_name, push_reference, push_string};

/// Writes `document` with `meta` (RFC 7643 section 3.1) after its own members.
pub(super) fn write_with_meta(
    out: &mut Vec<u8>,
    document: &impl Serialize,
    resource_type: &str,
    path: &str,
    base: Base<'_>,
) {
    // Structs of strings, numbers and lists always have a JSON form.
    let document = serde_json::to_vec(document).unwrap_or_default();
    open_document(&document, Base::Relative, out);
    push_name(out, "meta");
    out.push(b'{');
    push_name(out, "resourceType");
    push_string(out, resource_type);
    push_name(out, "location");
    push_reference(out, base, path);
    out.push(b'}');
    close_document(out);
}
