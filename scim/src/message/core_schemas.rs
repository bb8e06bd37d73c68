//! The schemas of the discovery documents themselves (RFC 7643 section 8.7.2 with its errata, RFC 9865 section 4).

use crate::schema::{Attribute, Mutability, Returned, Schema, Shape, Type, Uniqueness};

use Type::{Boolean, Complex, Integer, Reference};

const fn attribute(name: &'static str, kind: Type, description: &'static str) -> Attribute {
    let mut attribute = Attribute::new(name, Shape::new(kind).optional());
    attribute.shape.mutability = Mutability::ReadOnly;
    attribute.description = description;
    attribute
}

const fn text(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Type::String, description)
}

/// Makes an attribute of text whose case matters.
const fn exact(name: &'static str, description: &'static str) -> Attribute {
    let mut attribute = text(name, description);
    attribute.shape.case_exact = true;
    attribute
}

const fn reference(
    name: &'static str,
    reference_types: &'static [&'static str],
    description: &'static str,
) -> Attribute {
    let mut attribute = attribute(name, Reference, description);
    attribute.shape.reference_types = reference_types;
    attribute
}

const fn complex(
    name: &'static str,
    sub_attributes: &'static [Attribute],
    description: &'static str,
) -> Attribute {
    let mut attribute = attribute(name, Complex, description);
    attribute.shape.sub_attributes = sub_attributes;
    attribute
}

const fn required(mut attribute: Attribute) -> Attribute {
    attribute.shape.required = true;
    attribute
}

const fn many(mut attribute: Attribute) -> Attribute {
    attribute.shape.multi_valued = true;
    attribute
}

const fn unique(mut attribute: Attribute) -> Attribute {
    attribute.shape.uniqueness = Uniqueness::Server;
    attribute
}

const fn always(mut attribute: Attribute) -> Attribute {
    attribute.shape.returned = Returned::Always;
    attribute
}

const fn one_of(mut attribute: Attribute, values: &'static [&'static str]) -> Attribute {
    attribute.shape.canonical_values = values;
    attribute
}

const SUPPORTED: Attribute = required(attribute("supported", Boolean, "Whether the service can do it."));

/// The schema of `/ServiceProviderConfig`.
pub static SERVICE_PROVIDER_CONFIG: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
    name: "Service Provider Configuration",
    description: "What the service can do.",
    attributes: &[
        reference(
            "documentationUri",
            &["external"],
            "Where people read about the service.",
        ),
        required(complex("patch", &[SUPPORTED], "Changing resources with PATCH.")),
        required(complex(
            "bulk",
            &[
                SUPPORTED,
                required(attribute(
                    "maxOperations",
                    Integer,
                    "Operations in one request at most.",
                )),
                required(attribute(
                    "maxPayloadSize",
                    Integer,
                    "Bytes of one request at most.",
                )),
            ],
            "Several operations in one request.",
        )),
        required(complex(
            "filter",
            &[
                SUPPORTED,
                required(attribute(
                    "maxResults",
                    Integer,
                    "Resources in one answer at most.",
                )),
            ],
            "Lists of the resources that match a filter.",
        )),
        required(complex(
            "changePassword",
            &[SUPPORTED],
            "Changing the password of a user.",
        )),
        required(complex("sort", &[SUPPORTED], "Sorted lists.")),
        required(complex("etag", &[SUPPORTED], "Versions of resources.")),
        required(many(complex(
            "authenticationSchemes",
            &[
                required(one_of(
                    text("type", "The kind of scheme."),
                    &["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"],
                )),
                required(text("name", "A name for people.")),
                required(text("description", "What the scheme is.")),
                reference("specUri", &["external"], "The specification of the scheme."),
                reference("documentationUri", &["external"], "How the scheme is used."),
                attribute("primary", Boolean, "Whether the scheme is the preferred one."),
            ],
            "How clients authenticate.",
        ))),
        complex(
            "pagination",
            &[
                required(attribute(
                    "cursor",
                    Boolean,
                    "Whether a cursor can ask for a page.",
                )),
                required(attribute(
                    "index",
                    Boolean,
                    "Whether the index of its first resource can ask for a page.",
                )),
                one_of(
                    text(
                        "defaultPaginationMethod",
                        "What is meant by a request that names neither.",
                    ),
                    &["cursor", "index"],
                ),
                attribute(
                    "defaultPageSize",
                    Integer,
                    "Resources on a page if the request says nothing.",
                ),
                attribute(
                    "maxPageSize",
                    Integer,
                    "Resources on a page whatever the request says.",
                ),
                attribute(
                    "cursorTimeout",
                    Integer,
                    "Seconds for which a cursor is good at least.",
                ),
            ],
            "How lists are cut into pages.",
        ),
        attribute(
            INTEROP_PROFILE_CONFORMANT,
            Boolean,
            "Whether the service conforms to the SCIM 2.0 Interoperability Profile.",
        ),
    ],
};

/// The attribute that only a service under the Interoperability Profile has.
pub(crate) const INTEROP_PROFILE_CONFORMANT: &str = "interopProfileConformant";

/// The schema of `/ResourceTypes`.
pub static RESOURCE_TYPE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
    name: "ResourceType",
    description: "A type of resource and where it is found.",
    attributes: &[
        text("id", "The name of the resource type."),
        required(unique(text("name", "The name, as in meta.resourceType."))),
        text("description", "What the resources are."),
        required(unique(reference(
            "endpoint",
            &["uri"],
            "The endpoint below the base URL, such as /Users.",
        ))),
        required(reference("schema", &["uri"], "The URN of the main schema.")),
        many(complex(
            "schemaExtensions",
            &[
                required(reference("schema", &["uri"], "The URN of the extension.")),
                required(attribute(
                    "required",
                    Boolean,
                    "Whether every resource must have the extension.",
                )),
            ],
            "The extensions of the main schema.",
        )),
    ],
};

const TYPES: &[&str] = &[
    "string",
    "complex",
    "boolean",
    "decimal",
    "integer",
    "dateTime",
    "reference",
    "binary",
];
const SUB_TYPES: &[&str] = &[
    "string",
    "boolean",
    "decimal",
    "integer",
    "dateTime",
    "reference",
    "binary",
];

/// Returns the characteristics, of an attribute and of a sub-attribute.
const fn characteristics(types: &'static [&'static str]) -> [Attribute; 11] {
    [
        required(exact("name", "The name of the attribute.")),
        required(one_of(text("type", "The data type."), types)),
        required(attribute(
            "multiValued",
            Boolean,
            "Whether there can be several values.",
        )),
        exact("description", "What the attribute is."),
        attribute("required", Boolean, "Whether a resource without it is refused."),
        many(exact("canonicalValues", "Suggested values.")),
        attribute("caseExact", Boolean, "Whether comparison regards case."),
        one_of(
            exact("mutability", "Who may change it, and when."),
            &["readOnly", "readWrite", "immutable", "writeOnly"],
        ),
        one_of(
            exact("returned", "When an answer shows it."),
            &["always", "never", "default", "request"],
        ),
        one_of(
            exact("uniqueness", "Among what its values differ."),
            &["none", "server", "global"],
        ),
        many(exact("referenceTypes", "What it may point to.")),
    ]
}

const SUB_CHARACTERISTICS: [Attribute; 11] = characteristics(SUB_TYPES);

const CHARACTERISTICS: &[Attribute] = &{
    let [a, b, c, d, e, f, g, h, i, j, k] = characteristics(TYPES);
    let subs = many(complex(
        "subAttributes",
        &SUB_CHARACTERISTICS,
        "The parts of a complex attribute.",
    ));
    [a, b, c, d, e, f, g, h, i, j, k, subs]
};

/// The schema of `/Schemas`, the only one in which a complex attribute holds complex attributes.
pub static SCHEMA: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Schema",
    name: "Schema",
    description: "A schema and its attributes.",
    attributes: &[
        required(always(text("id", "The URN of the schema."))),
        text("name", "A name for people."),
        text("description", "What the schema is about."),
        required(many(complex(
            "attributes",
            CHARACTERISTICS,
            "The attributes of the schema.",
        ))),
    ],
};
