//! The attribute tables of RFC 7643 sections 4.1 to 4.3, errata applied.

use std::collections::BTreeMap;

use scim::message::{RESOURCE_TYPE, SCHEMA, SERVICE_PROVIDER_CONFIG};
use scim::resources::{EnterpriseUser, Group, User};
use scim::schema::{Attribute, Role, Schema, Type};
use scim::{ScimExtension, ScimResource};

const TABLES: &str = include_str!("../fixtures/schema/core.txt");

/// The values of `type` where the RFC has none: the SCIM 2.0 Interoperability Profile wants values for each `type`
/// (IP-06), and feature row 110 with it.
const OURS: [(&str, &str); 3] = [
    (
        "urn:ietf:params:scim:schemas:core:2.0:User:entitlements.type",
        "license permission other",
    ),
    (
        "urn:ietf:params:scim:schemas:core:2.0:User:roles.type",
        "application directory other",
    ),
    (
        "urn:ietf:params:scim:schemas:core:2.0:User:x509Certificates.type",
        "authentication signature encryption other",
    ),
];

/// Reads the characteristics, by schema and attribute name.
fn expected() -> BTreeMap<String, Vec<String>> {
    let mut schema = "";
    let mut out = BTreeMap::new();
    for line in TABLES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(urn) = line.strip_prefix('[') {
            schema = urn.trim_end_matches(']');
            continue;
        }
        let mut cells: Vec<String> = line
            .split(" | ")
            .map(|cell| cell.trim_end_matches(" |").to_owned())
            .collect();
        cells.resize(10, String::new());
        let name = cells.remove(0);
        assert!(
            out.insert(format!("{schema}:{name}"), cells).is_none(),
            "{name} stands twice in the fixture"
        );
    }
    out
}

fn describe(attribute: &Attribute) -> Vec<String> {
    let shape = &attribute.shape;
    let flag = |set: bool| if set { "T" } else { "F" };
    let simple = matches!(shape.kind, Type::Complex | Type::Boolean);
    let cells = [
        shape.kind.as_str(),
        flag(shape.multi_valued),
        flag(shape.required),
        if simple { "-" } else { flag(shape.case_exact) },
        shape.mutability.as_str(),
        shape.returned.as_str(),
        if simple { "-" } else { shape.uniqueness.as_str() },
        &shape.canonical_values.join(" "),
        &shape.reference_types.join(" "),
    ];
    cells.iter().map(ToString::to_string).collect()
}

fn collect(schema: &Schema, out: &mut BTreeMap<String, Vec<String>>) {
    for attribute in schema.own_attributes() {
        let name = format!("{}:{}", schema.id, attribute.name);
        for sub in attribute.shape.sub_attributes {
            out.insert(format!("{name}.{}", sub.name), describe(sub));
        }
        out.insert(name, describe(attribute));
    }
}

#[test]
fn the_core_schemas_are_those_of_rfc_7643() {
    let mut actual = BTreeMap::new();
    collect(User::RESOURCE_TYPE.schema, &mut actual);
    collect(Group::RESOURCE_TYPE.schema, &mut actual);
    collect(EnterpriseUser::SCHEMA, &mut actual);
    let mut expected = expected();
    for (name, values) in OURS {
        let cell = &mut expected.get_mut(name).unwrap()[7];
        assert_eq!(cell, "", "the RFC has values for {name}");
        values.clone_into(cell);
    }
    for (name, cells) in &expected {
        assert_eq!(actual.get(name), Some(cells), "{name}");
    }
    let more: Vec<_> = actual
        .keys()
        .filter(|name| !expected.contains_key(*name))
        .collect();
    assert!(more.is_empty(), "no RFC knows {more:?}");
}

/// IP-06: whoever reads /Schemas learns which types the values of an attribute may have.
#[test]
fn every_type_of_a_multi_valued_attribute_has_canonical_values() {
    let of_messages = [&SERVICE_PROVIDER_CONFIG, &RESOURCE_TYPE, &SCHEMA];
    let of_resources = [
        User::RESOURCE_TYPE.schema,
        Group::RESOURCE_TYPE.schema,
        EnterpriseUser::SCHEMA,
    ];
    let attributes = of_resources
        .into_iter()
        .chain(of_messages)
        .flat_map(|schema| schema.attributes);
    let types: Vec<_> = attributes
        .filter(|attribute| attribute.shape.multi_valued)
        .filter_map(|attribute| Some((attribute.name, attribute.sub_attribute("type")?.1)))
        .collect();
    assert_eq!(types.len(), 12);
    for (name, kind) in types {
        assert!(!kind.shape.canonical_values.is_empty(), "{name}.type");
    }
}

#[test]
fn every_attribute_of_the_core_schemas_is_described() {
    for schema in [
        User::RESOURCE_TYPE.schema,
        Group::RESOURCE_TYPE.schema,
        EnterpriseUser::SCHEMA,
    ] {
        for attribute in schema.own_attributes() {
            for attribute in std::iter::once(attribute).chain(attribute.shape.sub_attributes) {
                assert!(
                    attribute.description.ends_with('.'),
                    "{} of {}",
                    attribute.name,
                    schema.id
                );
            }
        }
    }
}

/// RFC 7643 section 3.1.
#[test]
fn common_attributes_belong_to_no_schema_and_stand_in_every_table() {
    for resource_type in [User::RESOURCE_TYPE, Group::RESOURCE_TYPE] {
        let common = resource_type
            .schema
            .attributes
            .iter()
            .filter(|a| matches!(a.role, Role::Common));
        let common: Vec<String> = common
            .map(|a| format!("{} {}", a.name, describe(a).join(" ")))
            .collect();
        assert_eq!(
            common,
            [
                "id string F T T readOnly always server  ",
                "externalId string F F T readWrite default none  ",
                "meta complex F T - readOnly default -  ",
            ]
        );
    }
}

#[test]
fn resource_types_have_their_endpoints_and_extensions() {
    assert_eq!(
        (User::RESOURCE_TYPE.name, User::RESOURCE_TYPE.endpoint),
        ("User", "/Users")
    );
    assert_eq!(
        (Group::RESOURCE_TYPE.name, Group::RESOURCE_TYPE.endpoint),
        ("Group", "/Groups")
    );
    let extensions: Vec<_> = User::RESOURCE_TYPE
        .schema
        .extensions()
        .map(|(attribute, schema)| (attribute.name, schema.name))
        .collect();
    assert_eq!(
        extensions,
        [(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "EnterpriseUser"
        )]
    );
    assert_eq!(Group::RESOURCE_TYPE.schema.extensions().count(), 0);
}

/// The attributes that stores keep an index on, and those that they keep apart.
#[test]
fn indexed_attributes_edges_and_transient_ones_are_marked() {
    let marked = |schema: &'static Schema, test: fn(&Attribute) -> bool| -> Vec<String> {
        let mut out = Vec::new();
        for attribute in schema.attributes {
            if test(attribute) {
                out.push(attribute.name.to_owned());
            }
            let subs = attribute.shape.sub_attributes.iter().filter(|sub| test(sub));
            out.extend(subs.map(|sub| format!("{}.{}", attribute.name, sub.name)));
        }
        out
    };
    let (user, group) = (User::RESOURCE_TYPE.schema, Group::RESOURCE_TYPE.schema);
    let indexed = [
        "externalId",
        "meta.lastModified",
        "userName",
        "displayName",
        "active",
        "emails.value",
    ];
    assert_eq!(marked(user, |a| a.indexed), indexed);
    assert_eq!(
        marked(group, |a| a.indexed),
        ["externalId", "meta.lastModified", "displayName"]
    );
    assert_eq!(marked(group, |a| a.edges), ["members"]);
    assert_eq!(marked(group, |a| a.key), ["members.value"]);
    assert_eq!(marked(user, |a| a.transient), ["password"]);
}
