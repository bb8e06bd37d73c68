//! The discovery documents of the running server (RFC 7643 sections 5 to 8).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::{Bench, GROUP, USER, texts};
use serde_json::{Value, json};

/// The canonical values of RFC 7643 sections 8.7.1 and 4.1.2: schema, attribute, and values of its `type`.
const CANONICAL: [(&str, &str, &[&str]); 7] = [
    (USER, "emails", &["work", "home", "other"]),
    (
        USER,
        "phoneNumbers",
        &["work", "home", "mobile", "fax", "pager", "other"],
    ),
    (
        USER,
        "ims",
        &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
    ),
    (USER, "photos", &["photo", "thumbnail"]),
    (USER, "addresses", &["work", "home", "other"]),
    (USER, "groups", &["direct", "indirect"]),
    (GROUP, "members", &["User", "Group"]),
];

/// Finds the element of a list whose member has this text.
fn one<'v>(list: &'v Value, member: &str, text: &str) -> &'v Value {
    let found = list.as_array().unwrap().iter().find(|item| item[member] == text);
    found.unwrap_or_else(|| panic!("no {member} is {text}: {list:#}"))
}

/// Feature row 110: `ServiceProviderConfig` carries the limits of bulk, which is not offered, and of filters, which is in force.
#[test]
fn the_limits_of_bulk_and_filter_are_told() {
    let bench = Bench::serving(&[], &["--limit-page-size", "2", "--limit-page-size-max", "2"]);
    let config = bench.get("/ServiceProviderConfig").body;
    assert_eq!(config["bulk"]["supported"], false, "{config:#}");
    for limit in ["maxOperations", "maxPayloadSize"] {
        assert_eq!(config["bulk"][limit], 0, "{limit}: {config:#}");
    }
    let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [] });
    assert_eq!(bench.send("POST", "/Bulk", &bulk).status, 501);
    assert_eq!(config["filter"], json!({ "supported": true, "maxResults": 2 }));
    for name in ["ann@x.example", "bob@x.example", "eve@x.example"] {
        bench.user(name);
    }
    let page = bench.get("/Users?count=3&filter=userName%20co%20%22x%22").body;
    assert_eq!(
        (&page["totalResults"], &page["itemsPerPage"]),
        (&json!(3), &json!(2))
    );
}

/// Feature row 110: canonical values stand in `/Schemas` wherever RFC 7643 has them, for what an organization keeps.
#[test]
fn canonical_values_stand_in_the_schemas() {
    let bench = Bench::new(&["--attributes", "all"]);
    let schemas = bench.get("/Schemas").body;
    for (schema, attribute, values) in CANONICAL {
        let schema = one(&schemas["Resources"], "id", schema);
        let attribute = one(&schema["attributes"], "name", attribute);
        let kind = one(&attribute["subAttributes"], "name", "type");
        let told = texts(&kind["canonicalValues"]);
        for value in values {
            assert!(told.contains(value), "{value} of {attribute:#}");
        }
    }
    let alone = bench.get(&format!("/Schemas/{GROUP}")).body;
    let members = one(&alone["attributes"], "name", "members");
    let kind = one(&members["subAttributes"], "name", "type");
    assert_eq!(texts(&kind["canonicalValues"]), ["User", "Group"]);

    let mapped = Bench::new(&["--attributes", "mapped"]);
    let schemas = mapped.get("/Schemas").body;
    let group = one(&schemas["Resources"], "id", GROUP);
    let members = one(&group["attributes"], "name", "members");
    let kind = one(&members["subAttributes"], "name", "type");
    assert_eq!(texts(&kind["canonicalValues"]), ["User", "Group"]);
}

/// Feature row 110: the id of a resource type is its name, by which it is found.
#[test]
fn the_id_of_a_resource_type_is_its_name() {
    let bench = Bench::new(&[]);
    let types = bench.get("/ResourceTypes").body;
    let names: Vec<_> = types["Resources"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 2, "{types:#}");
    for kind in names {
        assert_eq!(kind["id"], kind["name"], "{kind:#}");
        let path = format!("/ResourceTypes/{}", kind["name"].as_str().unwrap());
        assert_eq!(&bench.get(&path).body, kind);
    }
}
