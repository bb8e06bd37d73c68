//! XML of identity providers, as elements: read by the parser of saml-rs, within limits and without a document type.

pub(crate) use saml_rs::xml::XmlLimits;
use saml_rs::xml::dom;
pub(crate) use saml_rs::xml::dom::Node as Element;

/// Returns the limits within which a document of at most so many bytes and elements is read.
pub(crate) const fn limits(bytes: usize, elements: usize) -> XmlLimits {
    XmlLimits {
        max_bytes: bytes,
        max_depth: 32,
        max_nodes: elements,
        max_attributes_per_element: 32,
        max_attribute_value_bytes: 4 * 1024,
        max_text_bytes: bytes,
    }
}

/// Reads the outermost element of a document; `None` if it cannot be read within the limits.
pub(crate) fn root(text: &str, limits: XmlLimits) -> Option<Element> {
    let document = dom::parse_with_limits(text, limits);
    document.ok().map(|document| document.root)
}

/// Returns the children of a name, in whatever namespace.
pub(crate) fn children<'e>(element: &'e Element, name: &str) -> impl Iterator<Item = &'e Element> {
    element
        .children
        .iter()
        .filter(move |child| child.local_name == name)
}

/// Returns a text so that it can stand in an element or, in double quotes, in an attribute.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
