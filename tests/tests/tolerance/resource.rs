//! A resource with an attribute of every shape, and values for every attribute of any resource.

use scim::schema::{Attribute, Format, Mutability, ResourceType, Type};
use scim::value::{Binary, DateTime, Meta, Reference, ResourceId};
use scim::{ScimComplex, ScimEnum, ScimExtension, ScimResource};
use serde_json::{Map, Value, json};

/// A resource of a user of the library.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Locker", endpoint = "/Lockers")]
pub(crate) struct Locker {
    id: ResourceId,
    meta: Meta,
    label: String,
    names: Vec<String>,
    floors: Vec<i64>,
    ratios: Vec<f64>,
    flags: Vec<Colour>,
    times: Vec<DateTime>,
    keys: Vec<Binary>,
    links: Vec<Reference>,
    parts: Vec<Part>,
    places: Vec<Place>,
    tickets: Vec<Ticket>,
    #[scim(extension)]
    audit: Option<Audit>,
}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
pub(crate) enum Colour {
    Red,
    Green,
    Blue,
    Grey,
}

/// Elements with `value`.
#[derive(Debug, Clone, PartialEq, ScimComplex)]
pub(crate) struct Part {
    value: Option<String>,
    r#type: Option<String>,
    display: Option<String>,
    primary: Option<bool>,
}

/// Elements without `value`.
#[derive(Debug, Clone, PartialEq, ScimComplex)]
pub(crate) struct Place {
    street: Option<String>,
    number: Option<i64>,
    r#type: Option<String>,
}

/// Elements with a key of their own.
#[derive(Debug, Clone, PartialEq, ScimComplex)]
pub(crate) struct Ticket {
    #[scim(key)]
    code: String,
    r#type: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:scim:schemas:2.0:Audit")]
pub(crate) struct Audit {
    auditors: Vec<String>,
    findings: Vec<Part>,
}

/// A multi-valued attribute: its path, and its place in a document.
pub(crate) struct List {
    pub(crate) path: String,
    pub(crate) extension: Option<&'static str>,
    pub(crate) attribute: &'static Attribute,
}

impl List {
    /// Finds the list in a document of the resource.
    pub(crate) fn of<'v>(&self, document: &'v Value) -> &'v Value {
        let holder = self.extension.map_or(document, |urn| &document[urn]);
        &holder[self.attribute.name]
    }

    /// Returns a document in which the list is another.
    pub(crate) fn put(&self, document: &Value, list: Value) -> Value {
        let mut document = document.clone();
        let holder = match self.extension {
            Some(urn) => document.get_mut(urn).unwrap(),
            None => &mut document,
        };
        holder[self.attribute.name] = list;
        document
    }
}

/// Lists every multi-valued attribute that a client can set.
pub(crate) fn lists(resource_type: &'static ResourceType) -> Vec<List> {
    let mut lists = Vec::new();
    for attribute in resource_type.schema.attributes {
        if attribute.is_extension() {
            for inner in attribute
                .shape
                .sub_attributes
                .iter()
                .filter(|inner| is_list(inner))
            {
                lists.push(List {
                    path: format!("{}:{}", attribute.name, inner.name),
                    extension: Some(attribute.name),
                    attribute: inner,
                });
            }
        } else if is_list(attribute) {
            lists.push(List {
                path: attribute.name.to_owned(),
                extension: None,
                attribute,
            });
        }
    }
    lists
}

fn is_list(attribute: &Attribute) -> bool {
    attribute.shape.multi_valued && attribute.shape.mutability == Mutability::ReadWrite
}

/// A single-valued simple attribute or sub-attribute: its path, and its place in a document.
pub(crate) struct Single {
    pub(crate) path: String,
    keys: Vec<&'static str>,
    pub(crate) attribute: &'static Attribute,
}

impl Single {
    /// Finds the value in a document of the resource.
    pub(crate) fn of<'v>(&self, document: &'v Value) -> &'v Value {
        self.keys.iter().fold(document, |holder, key| &holder[*key])
    }

    /// Returns a document in which the value is another.
    pub(crate) fn put(&self, document: &Value, value: Value) -> Value {
        let mut document = document.clone();
        *self
            .keys
            .iter()
            .fold(&mut document, |holder, key| &mut holder[*key]) = value;
        document
    }
}

/// Lists every single-valued simple attribute that a client can set and read back, those of complex ones and extensions too.
pub(crate) fn singles(resource_type: &'static ResourceType) -> Vec<Single> {
    let mut found = Vec::new();
    for attribute in resource_type.schema.attributes {
        collect(attribute, &[], &mut found);
    }
    found
}

fn collect(attribute: &'static Attribute, above: &[&'static str], found: &mut Vec<Single>) {
    let shape = &attribute.shape;
    if shape.multi_valued
        || shape.mutability != Mutability::ReadWrite
        || shape.returned != scim::schema::Returned::Default
        || shape.uniqueness != scim::schema::Uniqueness::None
    {
        return;
    }
    let keys: Vec<_> = above.iter().copied().chain([attribute.name]).collect();
    if attribute.is_complex() {
        for sub in shape.sub_attributes {
            collect(sub, &keys, found);
        }
        return;
    }
    let separator = if above.len() == 1 && above[0].contains(':') {
        ":"
    } else {
        "."
    };
    let path = match keys.as_slice() {
        [urn, attribute, sub] => format!("{urn}:{attribute}.{sub}"),
        keys => keys.join(separator),
    };
    found.push(Single {
        path,
        keys,
        attribute,
    });
}

/// Makes three values of a list. `ids` are those of resources that edges can lead to.
pub(crate) fn values(attribute: &Attribute, ids: &[String]) -> Value {
    (0..3).map(|number| value(attribute, number, ids)).collect()
}

pub(crate) fn value(attribute: &Attribute, number: usize, ids: &[String]) -> Value {
    match attribute.shape.kind {
        Type::Complex if attribute.edges => json!({"value": ids[number]}),
        Type::Complex => {
            let subs = attribute.shape.sub_attributes.iter();
            let subs =
                subs.filter(|sub| sub.name != "primary" && sub.shape.mutability == Mutability::ReadWrite);
            let members: Map<_, _> = subs
                .map(|sub| (sub.name.to_owned(), value(sub, number, ids)))
                .collect();
            members.into()
        }
        Type::String if attribute.name == "type" => json!(["work", "home", "other"][number]),
        Type::String if attribute.name == "country" => json!(["DE", "FR", "IT"][number]),
        Type::String => match attribute.shape.canonical_values {
            canonical if canonical.len() > number => json!(canonical[number]),
            _ => json!(format!("{}-{number}", attribute.name)),
        },
        Type::Boolean => json!(number == 0),
        Type::Integer => json!(number + 1),
        Type::Decimal => json!(number as f64 + 0.5),
        Type::DateTime => json!(format!("2026-01-0{}T00:00:00Z", number + 1)),
        Type::Binary if attribute.format == Some(Format::Certificate) => json!(certificate(number)),
        Type::Binary => json!(["MAo=", "MQo=", "Mgo="][number]),
        Type::Reference => json!(format!("https://example.com/{number}")),
    }
}

/// Makes a certificate with this digit in its serial number.
fn certificate(number: usize) -> String {
    let example: String = scim_tests::fixtures::read("certificate.json").unwrap();
    // The number of the example is 0x1000.
    example.replacen("AgICEAAw", ["AgICEAAw", "AgICEAEw", "AgICEAIw"][number], 1)
}

/// Makes a document with values in every list and in all else that it takes for the law to mean anything.
pub(crate) fn document(resource_type: &'static ResourceType, ids: &[String], unique: usize) -> Value {
    let mut schemas = vec![json!(resource_type.schema.id)];
    let mut members = Map::new();
    for list in lists(resource_type) {
        let holder = match list.extension {
            Some(urn) => {
                if !schemas.contains(&json!(urn)) {
                    schemas.push(json!(urn));
                }
                members
                    .entry(urn)
                    .or_insert_with(|| json!({}))
                    .as_object_mut()
                    .unwrap()
            }
            None => &mut members,
        };
        holder.insert(list.attribute.name.to_owned(), values(list.attribute, ids));
    }
    for attribute in resource_type
        .schema
        .attributes
        .iter()
        .filter(|attribute| attribute.shape.required)
    {
        if attribute.shape.mutability == Mutability::ReadWrite {
            members.insert(
                attribute.name.to_owned(),
                json!(format!("{}-{unique}", attribute.name)),
            );
        }
    }
    members.insert("schemas".to_owned(), schemas.into());
    members.into()
}
