//! The documents of `/ResourceTypes` (RFC 7643 section 6).

use serde::Serialize;

use crate::message::discovery::write_with_meta;
use crate::message::schemas_of;
use crate::path::AttrPath;
use crate::projection::Base;
use crate::schema::ResourceType;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schemas: [&'static str; 1],
    id: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'static str,
    endpoint: &'static str,
    schema: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schema_extensions: Vec<Extension>,
}

#[derive(Serialize)]
struct Extension {
    schema: &'static str,
    required: bool,
}

/// Writes the entry of a resource type, whose `id` is its name. `keep` says whether an extension, named by its path in the
/// resource, is kept: the others are not listed.
pub fn write_resource_type(
    out: &mut Vec<u8>,
    resource_type: &'static ResourceType,
    keep: &dyn Fn(AttrPath) -> bool,
    base: Base<'_>,
) {
    let table = resource_type.schema.attributes;
    let extensions = schemas_of(resource_type).filter(|(path, _)| !path.is_root() && keep(*path));
    let document = Document {
        schemas: [super::RESOURCE_TYPE.id],
        id: resource_type.name,
        name: resource_type.name,
        description: resource_type.description,
        endpoint: resource_type.endpoint,
        schema: resource_type.schema.id,
        schema_extensions: extensions
            .map(|(path, schema)| Extension {
                schema: schema.id,
                required: path
                    .attribute(table)
                    .is_some_and(|attribute| attribute.shape.required),
            })
            .collect(),
    };
    let path = format!("ResourceTypes/{}", resource_type.name);
    write_with_meta(out, &document, super::RESOURCE_TYPE.name, &path, base);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Attribute, Role, Schema, Shape, Type};

    const AUDIT: Schema = Schema {
        id: "urn:example:Audit",
        name: "Audit",
        description: "",
        attributes: &[Attribute::new("floor", Shape::new(Type::Integer))],
    };

    const fn extension(required: bool) -> Attribute {
        let mut attribute = Attribute::new(AUDIT.id, Shape::complex(AUDIT.attributes));
        attribute.shape.required = required;
        attribute.role = Role::Extension(&AUDIT);
        attribute
    }

    fn document(resource_type: &'static ResourceType) -> serde_json::Value {
        let mut out = Vec::new();
        write_resource_type(
            &mut out,
            resource_type,
            &|_| true,
            Base::Url("https://example.com/v2"),
        );
        serde_json::from_slice(&out).unwrap()
    }

    /// S-6-01 to S-6-03, S-6-06, S-6-07.
    #[test]
    fn a_resource_type_lists_its_endpoint_and_extensions() {
        const fn badge(attributes: &'static [Attribute]) -> Schema {
            Schema {
                id: "urn:example:Badge",
                name: "Badge",
                description: "",
                attributes,
            }
        }
        static REQUIRED: Schema = badge(&[extension(true)]);
        static PLAIN: Schema = badge(&[]);
        const fn badges(schema: &'static Schema) -> ResourceType {
            ResourceType {
                name: "Badge",
                description: "A badge.",
                endpoint: "/Badges",
                schema,
            }
        }
        static WITH: ResourceType = badges(&REQUIRED);
        static WITHOUT: ResourceType = badges(&PLAIN);
        let want = |extensions: serde_json::Value| {
            let mut want = serde_json::json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
                "id": "Badge", "name": "Badge", "description": "A badge.", "endpoint": "/Badges",
                "schema": "urn:example:Badge",
                "meta": {"resourceType": "ResourceType", "location": "https://example.com/v2/ResourceTypes/Badge"},
            });
            if !extensions.is_null() {
                want["schemaExtensions"] = extensions;
            }
            want
        };
        let required = serde_json::json!([{"schema": "urn:example:Audit", "required": true}]);
        assert_eq!(document(&WITH), want(required));
        assert_eq!(document(&WITHOUT), want(serde_json::Value::Null));
    }
}
