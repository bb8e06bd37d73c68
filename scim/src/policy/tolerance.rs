//! The tolerances by name.

use std::fmt::{self, Debug, Formatter};

use crate::policy::coercions;
use crate::schema::Shape;
use crate::value::{Json, JsonBuf};

/// Coerces a value to a shape; `None` if it has nothing to offer.
pub type Coercion = fn(Json<'_>, &Shape) -> Option<JsonBuf>;

/// One departure from the RFCs that a service accepts.
///
/// A tolerance acts where a message is normalised, where a name is resolved or, with a [`Coercion`], where a value is
/// coerced to the shape of its attribute. Applications may define their own of the last kind.
#[derive(Clone, Copy)]
pub struct Tolerance {
    /// The name under which it is reported.
    pub name: &'static str,
    /// A sentence for administrators: what is accepted, and how it is read.
    pub accepts: &'static str,
    /// The words for what was done, as they stand before what it was done to: `ignored`.
    pub done: &'static str,
    /// The clients that are known to need it.
    pub needed_by: &'static str,
    /// The answer of a service without it.
    pub strict: &'static str,
    /// The coercion of a value that does not fit.
    pub coercion: Option<Coercion>,
}

impl Tolerance {
    /// Coerces a value that does not fit `want`; `None` if the tolerance has nothing to offer.
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

/// The one table of tolerances: the statics, their documentation and [`ALL`] are made from it.
macro_rules! tolerances {
    ($($name:ident $text:literal $(=> $coercion:path)? {
        accepts: $accepts:literal,
        done: $done:literal,
        needed_by: $needed_by:literal,
        strict: $strict:literal,
    })*) => {
        $(
            #[doc = $accepts]
            #[doc = ""]
            #[doc = concat!("| name | `", $text, "` |")]
            #[doc = "|---|---|"]
            #[doc = concat!("| noted as | ", $done, " |")]
            #[doc = concat!("| needed by | ", $needed_by, " |")]
            #[doc = concat!("| without it | ", $strict, " |")]
            pub static $name: Tolerance = Tolerance {
                name: $text,
                accepts: $accepts,
                done: $done,
                needed_by: $needed_by,
                strict: $strict,
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
    WRAPPED_VALUES "wrapped-values" => coercions::unwrapped {
        accepts: "One value in a wrapping: `[x]`, `[{\"value\": x}]` and `{\"value\": x}` are read as `x` for every single-valued attribute, `[{…}]` as the object for a complex one.",
        done: "unwrapped",
        needed_by: "Entra ID (manager, and every value with the flag AzureAdScimPatch2017), Keycloak, SCIM-SDK",
        strict: "400 `invalidValue`",
    }
    NUMBERED_OBJECTS "numbered-objects" => coercions::numbered_object {
        accepts: "An object with numbers as keys, `{\"1\": x, \"2\": y}`, is read as the list of its values for a multi-valued attribute.",
        done: "read as a list",
        needed_by: "clients written in PHP",
        strict: "400 `invalidValue`",
    }
    JSON_IN_STRINGS "json-in-strings" => coercions::json_in_string {
        accepts: "JSON text inside a string is read where the attribute does not hold strings: complex values, and lists of them.",
        done: "read as JSON",
        needed_by: "Entra ID (application roles, and lists of members built by expressions)",
        strict: "400 `invalidValue`",
    }
    BOOLEAN_STRINGS "boolean-strings" => coercions::boolean_string {
        accepts: "Booleans written as strings, `\"True\"` or `\"false\"`, in values and in filters.",
        done: "read as a boolean",
        needed_by: "Entra ID, Keycloak, OneLogin",
        strict: "400 `invalidValue`, in a filter `invalidFilter`",
    }
    NUMBERS_FOR_STRINGS "numbers-for-strings" => coercions::number_as_text {
        accepts: "An integer where a string is meant is read as its digits.",
        done: "read as text",
        needed_by: "templates over personnel databases (employee and telephone numbers)",
        strict: "400 `invalidValue`",
    }
    SINGLE_VALUES_WITHOUT_ARRAY "single-values-without-array" => coercions::value_without_array {
        accepts: "One value without a list around it for a multi-valued attribute.",
        done: "read as a list",
        needed_by: "OneLogin templates",
        strict: "400 `invalidValue`; in a PATCH it is allowed",
    }
    BARE_VALUES "bare-values" => coercions::bare_value {
        accepts: "A plain string for a complex attribute that has the sub-attribute `value`.",
        done: "read as the value",
        needed_by: "Entra ID (manager and members)",
        strict: "400 `invalidValue`",
    }
    EXACT_INTEGERS "exact-integers" => coercions::exact_integer {
        accepts: "Integers written with a fraction or an exponent, such as `1.0`.",
        done: "read as an integer",
        needed_by: "clients whose language has one type of numbers",
        strict: "400 `invalidValue`",
    }
    NUMERIC_STRINGS "numeric-strings" => coercions::numeric_string {
        accepts: "Numbers written as strings, such as the count `\"10\"` of a search.",
        done: "read as a number",
        needed_by: "scripts, templates",
        strict: "400 `invalidValue`",
    }
    NO_VALUES "no-values" {
        accepts: "`\"\"`, `[]` and `{}` as the whole value of any attribute mean that it has no value, as `null` does; `add` clears a single-valued attribute by them as `replace` does.",
        done: "read as no value",
        needed_by: "Entra ID, Okta, OneLogin",
        strict: "what RFC 7643 section 2.5 says: `null`, and `[]` for a multi-valued attribute",
    }
    EMPTIED_LISTS "emptied-lists" {
        accepts: "A value that names nothing the schema knows (`[null]`, `[{}]`, objects of unknown names) changes nothing, instead of taking away what is there.",
        done: "left unchanged",
        needed_by: "Entra ID (mappings to attributes that the service does not have)",
        strict: "400",
    }
    ELEMENTS_WITHOUT_VALUE "elements-without-value" {
        accepts: "An element that has nothing but `type`, `primary` and `display` is not a value: it is omitted, and removed when it loses its value.",
        done: "omitted for want of a value",
        needed_by: "Entra ID (telephone numbers and addresses that a person does not have)",
        strict: "the element is kept as it was sent",
    }
    UNKNOWN_NAMES "unknown-names" {
        accepts: "Attributes and schemas that nobody knows are omitted, and the rest is applied.",
        done: "ignored",
        needed_by: "Entra ID, Okta",
        strict: "400 `invalidSyntax`, in a path `invalidPath`",
    }
    MISSING_SCHEMAS "missing-schemas" {
        accepts: "Bodies without `schemas`, and messages that name others: the endpoint says what they are.",
        done: "taken for",
        needed_by: "OneLogin templates, scripts",
        strict: "400 `invalidSyntax`",
    }
    PATH_KEYS "path-keys" {
        accepts: "Paths as keys of a body or of a PATCH value without a path, such as `name.givenName` or `emails[type eq \"work\"].value`.",
        done: "read as a path",
        needed_by: "Entra ID",
        strict: "400 `invalidSyntax`",
    }
    NEAR_NAMES "near-names" {
        accepts: "An extension's attribute without the URN, if exactly one extension has it and the core schema does not; a dot behind the URN in the place of the colon.",
        done: "read as the attribute of an extension",
        needed_by: "Entra ID (its old engine filters by `manager`), custom attribute mappings",
        strict: "the name is unknown",
    }
    SINGLE_VALUES_SELECTED "single-values-selected" {
        accepts: "A single complex value that is addressed as if it had elements: `manager[value eq \"x\"]` in a PATCH path, `manager eq \"x\"` in a filter.",
        done: "read as one value",
        needed_by: "Entra ID",
        strict: "400 `invalidPath`, in a filter `invalidFilter`",
    }
    REMOVE_LISTED_VALUES "remove-listed-values" {
        accepts: "A PATCH `remove` with a value removes what the value names, and nothing else.",
        done: "removed what was listed",
        needed_by: "Entra ID, authentik, JumpCloud",
        strict: "400 `invalidSyntax`",
    }
    SELECTED_ELEMENT_CREATED "selected-element-created" {
        accepts: "A PATCH of `emails[type eq \"work\"].value` creates the element that it does not find.",
        done: "created",
        needed_by: "Entra ID",
        strict: "400 `noTarget`",
    }
    EMPTY_PATHS "empty-paths" {
        accepts: "An empty `path` of a PATCH operation is read as an operation without a path.",
        done: "read as no path",
        needed_by: "clients that serialise every field",
        strict: "400 `invalidPath`",
    }
    UNQUOTED_OPERANDS "unquoted-operands" {
        accepts: "Strings without quotes in filters. Not part of the tolerant policy: ask for it.",
        done: "read as a string",
        needed_by: "authentik before 2025",
        strict: "400 `invalidFilter`",
    }
    MISSING_SPACES "missing-spaces" {
        accepts: "No space before a quoted string in a filter, such as `userName eq\"ann\"`.",
        done: "read with a space",
        needed_by: "clients that copy the example of RFC 7644 section 3.5.2.2",
        strict: "400 `invalidFilter`; in the path of a PATCH it is read, as in that example",
    }
    VALUE_PATH_COMPARISONS "value-path-comparisons" {
        accepts: "A comparison behind the brackets of a filter, `emails[type eq \"work\"].value eq \"x\"`, is one more condition on the same element.",
        done: "read as one more condition",
        needed_by: "Entra ID (its matching attributes)",
        strict: "400 `invalidFilter`",
    }
    UNNAMED_EDGES "unnamed-members" {
        accepts: "A PUT that omits the members of a group leaves them alone; an empty list removes them.",
        done: "left unchanged",
        needed_by: "Okta",
        strict: "the members are removed",
    }
    SINGLE_RESOURCE_FILTERS "single-resource-filters" {
        accepts: "A filter on the URL of one resource is ignored.",
        done: "ignored",
        needed_by: "scripts",
        strict: "400 `invalidFilter`",
    }
    UNKNOWN_SORT "unknown-sort" {
        accepts: "A `sortBy` that names an unknown attribute is ignored.",
        done: "ignored",
        needed_by: "administration tools that sort by a column of their own",
        strict: "400 `invalidPath`",
    }
    BOTH_PROJECTIONS "both-projections" {
        accepts: "`attributes` and `excludedAttributes` in one request: `attributes` wins.",
        done: "preferred",
        needed_by: "scripts",
        strict: "400 `invalidValue`",
    }
    MEDIA_TYPES "media-types" {
        accepts: "Bodies sent as `text/json` or `text/plain`.",
        done: "read as JSON",
        needed_by: "Okta's documentation, scripts",
        strict: "415",
    }
    OTHER_ACCEPT "other-accept" {
        accepts: "An `Accept` that takes neither `application/scim+json` nor `application/json` is answered with `application/scim+json`.",
        done: "ignored",
        needed_by: "HTTP libraries that send an `Accept` of their own",
        strict: "406",
    }
    FREE_FORMATS "free-formats" {
        accepts: "Countries, languages, time zones and user names in any form.",
        done: "accepted",
        needed_by: "every provider: people type them",
        strict: "400 `invalidValue`",
    }
    FREE_CERTIFICATES "free-certificates" {
        accepts: "Certificates that are anything but exactly one in DER. Without the feature `x509`, no certificate is looked at.",
        done: "accepted",
        needed_by: "people who paste PEM text or chains",
        strict: "400 `invalidValue`",
    }
}
