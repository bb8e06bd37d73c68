//! The documents of `/Schemas` (RFC 7643 section 7).

use serde::Serialize;

use crate::message::discovery::write_with_meta;
use crate::path::AttrPath;
use crate::projection::Base;
use crate::schema::{Attribute, ResourceType, Role, Schema, Type, Uniqueness};

#[derive(Serialize)]
struct Document {
    schemas: [&'static str; 1],
    id: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'static str,
    attributes: Vec<Entry>,
}

/// One attribute, with the characteristics that its type can have.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    multi_valued: bool,
    description: &'static str,
    required: bool,
    #[serde(skip_serializing_if = "is_empty")]
    canonical_values: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    case_exact: Option<bool>,
    mutability: &'static str,
    returned: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uniqueness: Option<&'static str>,
    #[serde(skip_serializing_if = "is_empty")]
    reference_types: &'static [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sub_attributes: Vec<Self>,
}

fn is_empty(list: &[&str]) -> bool {
    list.is_empty()
}

/// Returns the schemas of a resource type, each with the path of its attributes in the resource: the root for its own
/// schema, the container for an extension.
pub fn schemas_of(resource_type: &ResourceType) -> impl Iterator<Item = (AttrPath, &'static Schema)> + use<> {
    let schema = resource_type.schema;
    let extensions = (0..u16::MAX)
        .zip(schema.attributes)
        .filter_map(|(index, attribute)| match attribute.role {
            Role::Extension(extension) => Some((AttrPath::ROOT.push(index), extension)),
            _ => None,
        });
    std::iter::once((AttrPath::ROOT, schema)).chain(extensions)
}

/// Writes the entry of a schema: its own attributes, without the common ones and without extensions, which are schemas of
/// their own. `root` is the path of the schema's attributes in its resource, as [`schemas_of`] gives it; an attribute
/// for whose path `keep` is false is left out, and so is a complex one of which nothing is kept.
pub fn write_schema(
    out: &mut Vec<u8>,
    schema: &'static Schema,
    root: AttrPath,
    keep: &dyn Fn(AttrPath) -> bool,
    base: Base<'_>,
) {
    let document = Document {
        schemas: [super::SCHEMA.id],
        id: schema.id,
        name: schema.name,
        description: schema.description,
        attributes: entries(schema.attributes, root, keep),
    };
    let path = format!("Schemas/{}", schema.id);
    write_with_meta(out, &document, super::SCHEMA.name, &path, base);
}

fn entries(attributes: &'static [Attribute], root: AttrPath, keep: &dyn Fn(AttrPath) -> bool) -> Vec<Entry> {
    (0..u16::MAX)
        .zip(attributes)
        .map(|(index, attribute)| (root.push(index), attribute))
        .filter(|(path, attribute)| matches!(attribute.role, Role::Plain) && keep(*path))
        .filter_map(|(path, attribute)| entry(attribute, path, keep))
        .collect()
}

fn entry(attribute: &'static Attribute, path: AttrPath, keep: &dyn Fn(AttrPath) -> bool) -> Option<Entry> {
    let shape = &attribute.shape;
    let sub_attributes = entries(shape.sub_attributes, path, keep);
    if sub_attributes.is_empty() && !shape.sub_attributes.is_empty() {
        return None;
    }
    let has_case = matches!(shape.kind, Type::String | Type::Reference | Type::Binary);
    let has_uniqueness = match shape.kind {
        Type::Complex => false,
        Type::Boolean | Type::DateTime => shape.uniqueness != Uniqueness::None,
        _ => true,
    };
    Some(Entry {
        name: attribute.name,
        kind: shape.kind.as_str(),
        multi_valued: shape.multi_valued,
        description: attribute.description,
        required: shape.required,
        canonical_values: shape.canonical_values,
        case_exact: has_case.then_some(shape.case_exact),
        mutability: shape.mutability.as_str(),
        returned: shape.returned.as_str(),
        uniqueness: has_uniqueness.then(|| shape.uniqueness.as_str()),
        reference_types: match shape.kind {
            Type::Reference => shape.reference_types,
            _ => &[],
        },
        sub_attributes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    use crate::message::{INTEROP_PROFILE_CONFORMANT, RESOURCE_TYPE, SCHEMA, SERVICE_PROVIDER_CONFIG};
    use crate::schema::Shape;

    fn document(schema: &'static Schema, root: AttrPath, keep: &dyn Fn(AttrPath) -> bool) -> Value {
        let mut out = Vec::new();
        write_schema(&mut out, schema, root, keep, Base::Url("https://example.com/v2"));
        serde_json::from_slice(&out).unwrap()
    }

    /// Descriptions are our own words, and the order of attributes means nothing.
    fn characteristics(attributes: &Value) -> Value {
        let mut attributes = attributes.as_array().unwrap().clone();
        for attribute in &mut attributes {
            let text = attribute.as_object_mut().unwrap().remove("description");
            assert!(
                text.is_none_or(|text| !text.as_str().unwrap().is_empty()),
                "{attribute}"
            );
            if let Some(subs) = attribute.get("subAttributes") {
                attribute["subAttributes"] = characteristics(subs);
            }
        }
        attributes.sort_by_key(|attribute| attribute["name"].to_string());
        attributes.into()
    }

    /// Finds the attribute of this name in a list of a document.
    fn named<'a>(attributes: &'a mut Value, name: &str) -> &'a mut Value {
        let mut attributes = attributes.as_array_mut().unwrap().iter_mut();
        attributes.find(|attribute| attribute["name"] == name).unwrap()
    }

    fn check(schema: &'static Schema, golden: &str) {
        // The attribute of the Interoperability Profile is shown under that policy alone.
        let keep = |path: AttrPath| {
            path.attribute(schema.attributes)
                .is_none_or(|attribute| attribute.name != INTEROP_PROFILE_CONFORMANT)
        };
        let document = document(schema, AttrPath::ROOT, &keep);
        let golden: Value = serde_json::from_str(golden).unwrap();
        let pairs = |document: &Value| -> Vec<Value> {
            characteristics(&document["attributes"])
                .as_array()
                .unwrap()
                .clone()
        };
        let (ours, theirs) = (pairs(&document), pairs(&golden));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(ours.len(), theirs.len());
        assert_eq!(
            (&document["id"], &document["name"]),
            (&golden["id"], &golden["name"])
        );
    }

    /// S-7-01, S-7-19, S-7-20, S-7-21: RFC 7643 section 8.7 with its errata, and RFC 9865 section 4.
    #[test]
    fn discovery_schemas_are_those_of_the_rfc() {
        check(
            &SERVICE_PROVIDER_CONFIG,
            include_str!("../../tests/fixtures/schemas/service-provider-config.json"),
        );
        check(
            &RESOURCE_TYPE,
            include_str!("../../tests/fixtures/schemas/resource-type.json"),
        );
        check(&SCHEMA, include_str!("../../tests/fixtures/schemas/schema.json"));
    }

    /// The attribute tables of RFC 7643 section 8.7.1 with the errata.
    #[test]
    fn resource_schemas_are_those_of_the_rfc() {
        use crate::record::{ScimExtension, ScimResource};
        use crate::resources::{EnterpriseUser, Group, User};
        let user = include_str!("../../tests/fixtures/schemas/user.json");
        let mut user: Value = serde_json::from_str(user).unwrap();
        // The RFC has no types for these; whoever reads a schema is told which ones there are all the same (IP-06).
        for (name, types) in [
            ("entitlements", ["license", "permission", "other"].as_slice()),
            ("roles", &["application", "directory", "other"]),
            (
                "x509Certificates",
                &["authentication", "signature", "encryption", "other"],
            ),
        ] {
            let kind = named(&mut named(&mut user["attributes"], name)["subAttributes"], "type");
            assert!(kind.get("canonicalValues").is_none(), "{name}");
            kind["canonicalValues"] = types.into();
        }
        check(User::RESOURCE_TYPE.schema, &user.to_string());
        // A member without an id is refused, so the schema says that it is required (RFC 7643 section 8.7: a schema tells
        // what the service does).
        let group = include_str!("../../tests/fixtures/schemas/group.json");
        let mut group: Value = serde_json::from_str(group).unwrap();
        let members = named(&mut group["attributes"], "members");
        let value = named(&mut members["subAttributes"], "value");
        assert_eq!(value["required"], false);
        value["required"] = true.into();
        check(Group::RESOURCE_TYPE.schema, &group.to_string());
        check(
            EnterpriseUser::SCHEMA,
            include_str!("../../tests/fixtures/schemas/enterprise-user.json"),
        );
    }

    /// S-7-22 and erratum 8417.
    #[test]
    fn a_schema_is_a_resource_with_schemas_and_meta() {
        let document = document(&SCHEMA, AttrPath::ROOT, &|_| true);
        assert_eq!(document["schemas"], serde_json::json!([SCHEMA.id]));
        let location = format!("https://example.com/v2/Schemas/{}", SCHEMA.id);
        assert_eq!(
            document["meta"],
            serde_json::json!({"resourceType": "Schema", "location": location})
        );
    }

    const fn attribute(name: &'static str, kind: Type) -> Attribute {
        let mut attribute = Attribute::new(name, Shape::new(kind));
        attribute.shape.reference_types = &["User"];
        attribute.shape.uniqueness = Uniqueness::Server;
        attribute.shape.case_exact = true;
        attribute
    }

    const LEAVES: &[Attribute] = &[attribute("a", Type::String), attribute("b", Type::Reference)];

    static AUDIT: Schema = Schema {
        id: "urn:example:Audit",
        name: "Audit",
        description: "",
        attributes: LEAVES,
    };

    static BADGE: Schema = Schema {
        id: "urn:example:Badge",
        name: "Badge",
        description: "",
        attributes: &[
            {
                let mut id = Attribute::new("id", Shape::new(Type::String));
                id.role = Role::Common;
                id
            },
            {
                let mut holder = attribute("holder", Type::Complex);
                holder.shape.sub_attributes = LEAVES;
                holder
            },
            attribute("when", Type::DateTime),
            {
                let mut audit = Attribute::new(AUDIT.id, Shape::complex(LEAVES));
                audit.role = Role::Extension(&AUDIT);
                audit
            },
        ],
    };

    fn names(attributes: &Value) -> Vec<&str> {
        let attributes = attributes.as_array().unwrap();
        attributes
            .iter()
            .map(|attribute| attribute["name"].as_str().unwrap())
            .collect()
    }

    /// S-2.3.8-03 (erratum 6004), S-7-15: whatever the table says.
    #[test]
    fn characteristics_stand_only_where_they_mean_something() {
        let document = document(&BADGE, AttrPath::ROOT, &|_| true);
        let holder = &document["attributes"][0];
        for name in ["uniqueness", "caseExact", "referenceTypes"] {
            assert_eq!(holder.get(name), None, "{name}");
        }
        assert_eq!(holder["subAttributes"][0].get("referenceTypes"), None);
        assert_eq!(holder["subAttributes"][0]["caseExact"], true);
        assert_eq!(
            holder["subAttributes"][1]["referenceTypes"],
            serde_json::json!(["User"])
        );
        let when = &document["attributes"][1];
        assert_eq!(
            (when.get("caseExact"), &when["uniqueness"]),
            (None, &"server".into())
        );
    }

    #[test]
    fn common_attributes_and_extensions_are_not_listed() {
        let all = document(&BADGE, AttrPath::ROOT, &|_| true);
        assert_eq!(names(&all["attributes"]), ["holder", "when"]);
    }

    #[test]
    fn only_what_is_kept_is_listed() {
        let resource_type = ResourceType {
            name: "Badge",
            description: "",
            endpoint: "/Badges",
            schema: &BADGE,
        };
        let schemas: Vec<_> = schemas_of(&resource_type).collect();
        let paths: Vec<_> = schemas
            .iter()
            .map(|(path, schema)| (path.steps().to_vec(), schema.id))
            .collect();
        assert_eq!(paths, [(vec![], BADGE.id), (vec![3], AUDIT.id)]);
        let keep = |path: AttrPath| ![vec![1, 0], vec![2], vec![3, 1]].contains(&path.steps().to_vec());
        let badge = document(&BADGE, schemas[0].0, &keep);
        assert_eq!(names(&badge["attributes"]), ["holder"]);
        assert_eq!(names(&badge["attributes"][0]["subAttributes"]), ["b"]);
        assert_eq!(names(&document(&AUDIT, schemas[1].0, &keep)["attributes"]), ["a"]);
        let nothing = document(&BADGE, AttrPath::ROOT, &|path| path.steps().len() < 2);
        assert_eq!(names(&nothing["attributes"]), ["when"]);
    }
}
