//! The restrictions by name.

use std::fmt::{self, Debug, Formatter};

/// One point at which a service is stricter than the RFCs: a profile of SCIM demands it.
///
/// A restriction is to a [`Tolerance`](super::Tolerance) what "less" is to "more". It acts where a message is read or a
/// value is changed, and what it refuses is an error that says why, so that it need not be reported.
#[derive(Clone, Copy)]
pub struct Restriction {
    /// The name.
    pub name: &'static str,
    /// A sentence for administrators: what is refused, or done otherwise than the RFCs say.
    pub description: &'static str,
}

impl Debug for Restriction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! restrictions {
    ($($name:ident $text:literal $description:literal;)*) => {
        $(
            #[doc = $description]
            pub static $name: Restriction = Restriction {
                name: $text,
                description: $description,
            };
        )*

        /// Every restriction.
        pub static ALL_RESTRICTIONS: &[&Restriction] = &[$(&$name),*];
    };
}

restrictions! {
    OPERATIONS_WITHOUT_PATH "operations-without-path"
        "A PATCH operation without a path is refused: 400 invalidSyntax.";
    UNKNOWN_PATHS "unknown-paths"
        "A PATCH path that no schema knows is 400 invalidSyntax, as it is in a body, and not invalidPath.";
    ELEMENT_SELECTORS "element-selectors"
        "A filter in a PATCH path must be followed by a sub-attribute: 400 invalidPath.";
    SEVERAL_ELEMENTS "several-elements"
        "A filter in a PATCH path must not select several elements: 400 invalidFilter.";
    VALUES_WITHOUT_LIST "values-without-list"
        "A PATCH must give the values of a multi-valued attribute as a list: 400 invalidValue.";
    PARTIAL_REPLACES "partial-replaces"
        "A PATCH replace of a whole complex value leaves nothing of the old one; the RFC leaves what is not named.";
    PLAIN_JSON "plain-json"
        "Answers are application/scim+json, also to a client that asks for application/json.";
    UNKEPT_ATTRIBUTES "unkept-attributes"
        "An attribute that the application does not keep is unknown to it: 400 invalidSyntax.";
}
