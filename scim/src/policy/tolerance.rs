//! The tolerances by name.

use std::fmt::{self, Debug, Formatter};

use crate::policy::coercions;
use crate::schema::Shape;
use crate::value::{Json, JsonBuf};

/// Bends a value to a shape; `None` if it has nothing to offer.
pub type Coercion = fn(Json<'_>, &Shape) -> Option<JsonBuf>;

/// One departure from the RFC's letter that a service accepts.
///
/// A tolerance acts where a message is normalised, where a name is resolved or, with a [`Coercion`], where a value is
/// bent to the shape of its attribute. Applications may define their own of the last kind.
#[derive(Clone, Copy)]
pub struct Tolerance {
    /// The name under which it is reported.
    pub name: &'static str,
    /// What it accepts, and from whom, in a sentence for administrators.
    pub description: &'static str,
    /// What it makes of a value that does not fit.
    pub coercion: Option<Coercion>,
}

impl Tolerance {
    /// What it makes of a value that does not fit `want`.
    #[must_use]
    pub fn coerce(&self, json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
        self.coercion.and_then(|coercion| coercion(json, want))
    }
}

impl Debug for Tolerance {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! tolerances {
    ($($name:ident $text:literal $description:literal $(=> $coercion:path)?;)*) => {
        $(
            #[doc = $description]
            pub static $name: Tolerance = Tolerance {
                name: $text,
                description: $description,
                coercion: tolerances!(@ $($coercion)?),
            };
        )*

        /// Every tolerance, in the order in which they are asked.
        pub static ALL: &[&Tolerance] = &[$(&$name),*];
    };
    (@) => { None };
    (@ $coercion:path) => { Some($coercion) };
}

tolerances! {
    BOOLEAN_STRINGS "boolean-strings"
        "Booleans written as strings, \"True\" or \"false\", in values and in filters (Entra ID, Keycloak, OneLogin)."
        => coercions::boolean_string;
    JSON_IN_STRINGS "json-in-strings"
        "Complex values that are JSON text inside a string (application roles of Entra ID)."
        => coercions::json_in_string;
    SINGLE_ELEMENT_ARRAYS "single-element-arrays"
        "A list of one value for a single-valued attribute (manager of Entra ID, booleans of Keycloak)."
        => coercions::single_element_array;
    SINGLE_VALUES_WITHOUT_ARRAY "single-values-without-array"
        "One value without a list around it for a multi-valued attribute (OneLogin templates)."
        => coercions::value_without_array;
    BARE_VALUES "bare-values"
        "A plain string for a complex attribute that has the sub-attribute value (manager and members of Entra ID)."
        => coercions::bare_value;
    EXACT_INTEGERS "exact-integers"
        "Integers written with a fraction or an exponent, such as 1.0."
        => coercions::exact_integer;
    EMPTY_STRINGS "empty-strings"
        "An empty string for an attribute without a value (Entra ID, Okta, OneLogin).";
    UNKNOWN_NAMES "unknown-names"
        "Attributes and schemas that nobody knows: they are left out and the rest is applied (Entra ID, Okta).";
    MISSING_SCHEMAS "missing-schemas"
        "Bodies without schemas: the endpoint says what they are.";
    PATH_KEYS "path-keys"
        "Paths as keys of a PATCH value without a path, such as name.givenName (Entra ID).";
    REMOVE_LISTED_VALUES "remove-listed-values"
        "A PATCH remove with values takes only these away (Entra ID, authentik, JumpCloud).";
    SELECTED_ELEMENT_CREATED "selected-element-created"
        "A PATCH of emails[type eq \"work\"].value creates the element that it does not find (Entra ID).";
    UNQUOTED_OPERANDS "unquoted-operands"
        "Strings without quotes in filters (authentik before 2025). Not part of tolerant: ask for it.";
    UNNAMED_EDGES "unnamed-members"
        "A PUT that does not name the members of a group leaves them alone; an empty list removes them (Okta).";
    SINGLE_RESOURCE_FILTERS "single-resource-filters"
        "A filter on the URL of one resource is ignored.";
    UNKNOWN_SORT "unknown-sort"
        "A sortBy that names no attribute is ignored.";
    BOTH_PROJECTIONS "both-projections"
        "attributes and excludedAttributes in one request: attributes wins.";
    MEDIA_TYPES "media-types"
        "Bodies sent as text/json or text/plain.";
    FREE_FORMATS "free-formats"
        "Countries, languages, time zones and user names in any form.";
}
