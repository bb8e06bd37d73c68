//! The SCIM 2.0 Interoperability Profile (draft-zollner-scim-interop-profile-02), rule by rule, under its policy. The ids are
//! those of the table in the documentation of `Policy::interop_profile`.

use http::Method;
use scim::policy::{Kept, Policy};
use scim::resources::User;
use scim::service::Request;
use scim::{Limits, ScimResource};
use serde_json::{Value, json};

use crate::{ENTERPRISE, GROUP, PATCH_OP, Peer, SEARCH, USER, and, builder, id_in, user};

fn profile() -> Peer {
    Peer::of(builder().policy(Policy::interop_profile()))
}

/// Finds an attribute of a schema document by its name.
fn attribute<'d>(document: &'d Value, name: &str) -> Option<&'d Value> {
    let attributes = document["attributes"].as_array().unwrap();
    attributes.iter().find(|attribute| attribute["name"] == name)
}

/// IP-01.
#[tokio::test]
async fn the_profile_is_announced_under_its_policy_alone() {
    const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
    let name = "interopProfileConformant";
    let peer = profile();
    let config = peer.get("/ServiceProviderConfig").await.expect(200).json();
    assert_eq!(config[name], true);
    let schema = peer.get(&format!("/Schemas/{CONFIG}")).await.expect(200).json();
    let declared = attribute(&schema, name).unwrap();
    for (characteristic, value) in [
        ("type", json!("boolean")),
        ("mutability", json!("readOnly")),
        ("returned", json!("default")),
        ("required", json!(false)),
        ("multiValued", json!(false)),
    ] {
        assert_eq!(declared[characteristic], value, "{characteristic}");
    }
    for other in [Peer::tolerant(), Peer::strict()] {
        let config = other.get("/ServiceProviderConfig").await.expect(200).json();
        assert_eq!(config.get(name), None);
        let schema = other.get(&format!("/Schemas/{CONFIG}")).await.expect(200).json();
        assert_eq!(attribute(&schema, name), None);
    }
    // Nothing untrue is announced: the pages of this service are too short.
    let limits = Limits {
        page_size_max: 50,
        ..Limits::default()
    };
    let short = Peer::of(builder().policy(Policy::interop_profile()).limits(limits));
    let config = short.get("/ServiceProviderConfig").await.expect(200).json();
    assert_eq!(config.get(name), None);
}

/// IP-02, IP-03 and feature row 110.
#[tokio::test]
async fn discovery_says_what_there_is() {
    let peer = profile();
    let types = peer.get("/ResourceTypes").await.expect(200).json();
    for listed in types["Resources"].as_array().unwrap() {
        assert_eq!(listed["id"], listed["name"]);
        let extensions = listed["schemaExtensions"].as_array().into_iter().flatten();
        let schemas = extensions.map(|extension| &extension["schema"]);
        for schema in std::iter::once(&listed["schema"]).chain(schemas) {
            peer.get(&format!("/Schemas/{}", schema.as_str().unwrap()))
                .await
                .expect(200);
        }
    }
    let config = peer.get("/ServiceProviderConfig").await.expect(200).json();
    for limit in [
        "/bulk/maxOperations",
        "/bulk/maxPayloadSize",
        "/filter/maxResults",
    ] {
        assert!(config.pointer(limit).is_some_and(Value::is_u64), "{limit}");
    }
}

/// IP-02 and IP-05: what is not kept is not in `/Schemas`, and so it is unknown wherever it is sent.
#[tokio::test]
async fn what_is_not_kept_is_neither_listed_nor_accepted() {
    let kept = Kept::new(User::RESOURCE_TYPE, &["userName", "name.givenName"]).unwrap();
    let peer = Peer::of(builder().policy(Policy::interop_profile().keeping(kept.clone())));
    let schema = peer.get(&format!("/Schemas/{USER}")).await.expect(200).json();
    assert!(attribute(&schema, "name").is_some() && attribute(&schema, "title").is_none());
    let path = peer.user("ann").await;
    for member in [
        json!({ "title": "Cook" }),
        json!({ "name": { "familyName": "A" } }),
        json!({ ENTERPRISE: { "department": "Kitchen" } }),
    ] {
        let mut body = user("ben");
        body.as_object_mut()
            .unwrap()
            .extend(member.as_object().unwrap().clone());
        peer.post("/Users", &body).await.refused(400, "invalidSyntax");
        peer.put(&path, &body).await.refused(400, "invalidSyntax");
    }
    for (path_sent, value) in [
        ("title", json!("Cook")),
        ("name.familyName", json!("A")),
        ("name", json!({ "familyName": "A" })),
    ] {
        let operation = json!([{ "op": "add", "path": path_sent, "value": value }]);
        peer.patch(&path, &operation).await.refused(400, "invalidSyntax");
    }
    let named = json!([{ "op": "replace", "path": "name", "value": { "givenName": "Ann" } }]);
    let shown = peer.patch(&path, &named).await.expect(200).json();
    assert_eq!(shown["name"], json!({ "givenName": "Ann" }));
}

/// IP-04: the same letters in filters and in conflicts.
#[tokio::test]
async fn case_matters_alike_in_filters_and_conflicts() {
    let peer = profile();
    let mut ann = user("ann");
    ann["externalId"] = json!("e-1");
    let created = peer.post("/Users", &ann).await.expect(201);
    peer.post("/Users", &user("ANN")).await.refused(409, "uniqueness");
    let id = created.id();
    for (filter, total) in [
        ("userName eq \"ANN\"".to_owned(), 1),
        ("externalId eq \"e-1\"".to_owned(), 1),
        ("externalId eq \"E-1\"".to_owned(), 0),
        (format!("id eq \"{id}\""), 1),
        (format!("id eq \"x{}\"", id.to_uppercase()), 0),
    ] {
        let search = json!({ "schemas": [SEARCH], "filter": filter });
        let found = peer.post("/Users/.search", &search).await.expect(200).json();
        assert_eq!(found["totalResults"], total, "{filter}");
    }
}

/// IP-05: attributes and schemas that nobody defines.
#[tokio::test]
async fn what_is_not_defined_is_invalid_syntax() {
    let peer = profile();
    let path = peer.user("ann").await;
    let unknown = "urn:example:unknown";
    for change in [
        json!({ "favouriteColour": "red" }),
        json!({ "name": { "nickname": "A" } }),
        json!({ "emails": [{ "value": "a@b", "verified": true }] }),
        json!({ unknown: { "x": 1 } }),
        json!({ "schemas": [USER, unknown] }),
        json!({ ENTERPRISE: { "shoeSize": 1 } }),
    ] {
        let mut body = user("ben");
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        peer.post("/Users", &body).await.refused(400, "invalidSyntax");
        peer.put(&path, &body).await.refused(400, "invalidSyntax");
    }
    for (path_sent, value) in [
        ("favouriteColour", json!("red")),
        ("name.nickname", json!("A")),
        ("name", json!({ "nickname": "A" })),
        ("emails", json!([{ "value": "a@b", "verified": true }])),
        ("emails[type eq \"work\"].verified", json!(true)),
        ("urn:example:unknown:x", json!(1)),
        ("schemas", json!([unknown])),
    ] {
        for op in ["add", "replace"] {
            let operation = json!([{ "op": op, "path": path_sent, "value": value }]);
            peer.patch(&path, &operation).await.refused(400, "invalidSyntax");
        }
    }
    let operation = json!([{ "op": "remove", "path": "favouriteColour" }]);
    peer.patch(&path, &operation).await.refused(400, "invalidSyntax");
}

/// IP-06 and feature row 110.
#[tokio::test]
async fn every_type_lists_its_values() {
    for peer in [profile(), Peer::tolerant(), Peer::strict()] {
        let mut types = 0;
        for schema in [USER, GROUP] {
            let document = peer.get(&format!("/Schemas/{schema}")).await.expect(200).json();
            for attribute in document["attributes"].as_array().unwrap() {
                let subs = attribute["subAttributes"].as_array().into_iter().flatten();
                for sub in subs.filter(|sub| attribute["multiValued"] == true && sub["name"] == "type") {
                    let values = sub["canonicalValues"].as_array();
                    assert!(values.is_some_and(|values| !values.is_empty()), "{attribute}");
                    types += 1;
                }
            }
        }
        assert_eq!(types, 10);
    }
}

/// IP-07.
#[tokio::test]
async fn a_resource_is_found_by_its_id_alone() {
    let peer = profile();
    let path = peer.user("ann").await;
    peer.get(&path).await.expect(200);
    peer.get("/Users/ann").await.refused(404, "");
    peer.get(&path.replace("/Users", "/Groups"))
        .await
        .refused(404, "");
}

/// IP-08.
#[tokio::test]
async fn answers_are_scim_json() {
    let peer = profile();
    let path = peer.user("ann").await;
    for target in [
        path.as_str(),
        "/Users",
        "/Schemas",
        "/ServiceProviderConfig",
        "/Users/nobody",
    ] {
        for accept in [
            "application/json",
            "application/scim+json;q=0, application/json",
            "*/*",
        ] {
            let answer = peer.send(and(Request::get(target), "accept", accept)).await;
            assert_eq!(
                answer.header("content-type"),
                "application/scim+json",
                "{target}: {accept}"
            );
        }
    }
    let answer = Peer::strict()
        .send(and(Request::get("/Users"), "accept", "application/json"))
        .await;
    assert_eq!(answer.header("content-type"), "application/json");
}

/// IP-09.
#[tokio::test]
async fn filters_with_eq_and_and() {
    let peer = profile();
    peer.user("ann").await;
    for (filter, total) in [
        ("userName eq \"ann\"", 1),
        ("userName eq \"ann\" and userName eq \"ben\"", 0),
    ] {
        let encoded: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let found = peer
            .get(&format!("/Users?filter={encoded}"))
            .await
            .expect(200)
            .json();
        assert_eq!(found["totalResults"], total, "{filter}");
    }
    for filter in [
        "favouriteColour+eq+%22red%22",
        "name.nickname+pr",
        "emails%5Bverified+pr%5D",
    ] {
        peer.get(&format!("/Users?filter={filter}"))
            .await
            .refused(400, "invalidFilter");
    }
}

/// IP-10 and IP-11.
#[tokio::test]
async fn a_hundred_resources_on_a_page() {
    let peer = profile();
    for number in 0..120 {
        peer.user(&format!("u{number}")).await;
    }
    for (query, start, shown) in [
        ("", 1, 100),
        ("?count=100", 1, 100),
        ("?count=1000000", 1, 120),
        ("?startIndex=101&count=100", 101, 20),
    ] {
        let page = peer.get(&format!("/Users{query}")).await.expect(200).json();
        assert_eq!(
            (&page["startIndex"], &page["itemsPerPage"], &page["totalResults"]),
            (&json!(start), &json!(shown), &json!(120)),
            "{query}"
        );
    }
}

/// IP-12: whatever else is right or wrong with the operation.
#[tokio::test]
async fn an_operation_without_a_path_is_invalid_syntax() {
    let peer = profile();
    let path = peer.user("ann").await;
    for operation in [
        json!({ "op": "add", "value": { "title": "Cook" } }),
        json!({ "op": "replace", "value": { "title": "Cook" } }),
        json!({ "op": "replace", "path": null, "value": { "title": "Cook" } }),
        json!({ "op": "remove" }),
        json!({ "op": "remove", "value": [{ "value": "x" }] }),
        json!({ "op": "replace", "value": { "name.givenName": "A" } }),
    ] {
        let good = json!({ "op": "add", "path": "title", "value": "Cook" });
        peer.patch(&path, &json!([good, operation]))
            .await
            .refused(400, "invalidSyntax");
    }
    assert_eq!(peer.get(&path).await.json().get("title"), None);
    let operation = json!([{ "op": "add", "path": "title", "value": "Cook" }]);
    assert_eq!(
        peer.patch(&path, &operation).await.expect(200).json()["title"],
        "Cook"
    );
}

/// IP-13.
#[tokio::test]
async fn add_and_replace_of_a_simple_value_are_the_same() {
    let peer = profile();
    for (name, first, second) in [
        ("title", json!("Cook"), json!("Chef")),
        ("active", json!(true), json!(false)),
        ("userName", json!("b"), json!("c")),
    ] {
        let mut results = Vec::new();
        for op in ["add", "replace"] {
            let path = peer.user(&format!("{name}-{op}")).await;
            for value in [&first, &second] {
                let operation = json!([{ "op": op, "path": name, "value": value }]);
                results.push(peer.patch(&path, &operation).await.expect(200).json()[name].clone());
            }
            peer.delete(&path).await.expect(204);
        }
        assert_eq!(results, [first.clone(), second.clone(), first, second], "{name}");
    }
}

/// IP-14, also of what is not there yet, and with what only the service sets.
#[tokio::test]
async fn replace_of_a_complex_value_leaves_nothing_of_the_old_one() {
    let whole = json!({ "givenName": "Ann", "familyName": "A", "honorificPrefix": "Dr." });
    let part = json!({ "familyName": "B" });
    let merged = json!({ "givenName": "Ann", "familyName": "B", "honorificPrefix": "Dr." });
    for (peer, op, expected) in [
        (profile(), "replace", &part),
        (profile(), "add", &merged),
        (Peer::strict(), "replace", &merged),
        (Peer::strict(), "add", &merged),
    ] {
        let path = peer.user("ann").await;
        for (value, expected) in [(&whole, &whole), (&part, expected)] {
            let operation = json!([{ "op": op, "path": "name", "value": value }]);
            let shown = peer.patch(&path, &operation).await.expect(200).json();
            assert_eq!(&shown["name"], expected, "{op}");
        }
    }
    let peer = profile();
    let (path, manager) = (peer.user("ann").await, peer.user("boss").await);
    let place = format!("{ENTERPRISE}:manager");
    let department = format!("{ENTERPRISE}:department");
    let operations = json!([
        { "op": "replace", "path": department, "value": "Kitchen" },
        { "op": "replace", "path": place, "value": { "value": id_in(&manager) } },
    ]);
    peer.patch(&path, &operations).await.expect(200);
    // An extension is not a value: its other attributes stay.
    let operations = json!([{ "op": "replace", "path": ENTERPRISE, "value": { "division": "Food" } }]);
    let shown = peer.patch(&path, &operations).await.expect(200).json();
    assert_eq!(shown[ENTERPRISE]["department"], "Kitchen");
    assert_eq!(shown[ENTERPRISE]["manager"]["value"], id_in(&manager));
}

/// IP-15.
#[tokio::test]
async fn a_collection_is_replaced_or_appended_to_by_a_list() {
    let peer = profile();
    let path = peer.user("ann").await;
    let email = |value: &str, kind: &str| json!({ "value": value, "type": kind });
    let addresses = |body: &Value| -> Vec<String> {
        let emails = body["emails"].as_array().unwrap();
        emails
            .iter()
            .map(|email| email["value"].as_str().unwrap().to_owned())
            .collect()
    };
    for (op, value, expected) in [
        ("add", json!([email("a@x", "work")]), vec!["a@x"]),
        ("add", json!([email("b@x", "home")]), vec!["a@x", "b@x"]),
        ("replace", json!([email("c@x", "work")]), vec!["c@x"]),
    ] {
        let operation = json!([{ "op": op, "path": "emails", "value": value }]);
        let shown = peer.patch(&path, &operation).await.expect(200).json();
        assert_eq!(addresses(&shown), expected, "{op}");
    }
    for op in ["add", "replace"] {
        let operation = json!([{ "op": op, "path": "emails", "value": email("d@x", "home") }]);
        peer.patch(&path, &operation).await.refused(400, "invalidValue");
    }
    // The members of a group are changed as rows, by another way.
    let group = peer.group("g", &[]).await;
    let member = json!({ "value": id_in(&path) });
    for op in ["add", "replace"] {
        let operation = json!([{ "op": op, "path": "members", "value": member }]);
        peer.patch(&group, &operation).await.refused(400, "invalidValue");
        let operation = json!([{ "op": op, "path": "members", "value": [member] }]);
        let shown = peer.patch(&group, &operation).await.expect(200).json();
        assert_eq!(shown["members"][0]["value"], member["value"]);
    }
}

/// IP-16, and the way that is left to take a member out of a group.
#[tokio::test]
async fn a_filter_in_a_path_is_followed_by_a_sub_attribute() {
    let peer = profile();
    let path = peer.user("ann").await;
    let emails = json!([{ "op": "add", "path": "emails", "value": [{ "value": "a@x", "type": "work" }] }]);
    peer.patch(&path, &emails).await.expect(200);
    for operation in [
        json!({ "op": "remove", "path": "emails[type eq \"work\"]" }),
        json!({ "op": "replace", "path": "emails[type eq \"work\"]", "value": { "value": "b@x" } }),
        json!({ "op": "add", "path": "emails[type eq \"home\"]", "value": { "value": "b@x" } }),
        json!({ "op": "remove", "path": "emails eq \"a@x\"" }),
    ] {
        peer.patch(&path, &json!([operation]))
            .await
            .refused(400, "invalidPath");
    }
    let operation = json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "c@x" }]);
    let shown = peer.patch(&path, &operation).await.expect(200).json();
    assert_eq!(shown["emails"][0]["value"], "c@x");

    let other = peer.user("ben").await;
    let group = peer.group("g", &[&path, &other]).await;
    let by_filter = format!("members[value eq \"{}\"]", id_in(&path));
    let operation = json!([{ "op": "remove", "path": by_filter }]);
    peer.patch(&group, &operation).await.refused(400, "invalidPath");
    let operation = json!([{ "op": "remove", "path": "members", "value": [{ "value": id_in(&path) }] }]);
    let shown = peer.patch(&group, &operation).await.expect(200).json();
    let members = shown["members"].as_array().unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!(members[0]["value"], id_in(&other));
}

/// IP-17.
#[tokio::test]
async fn a_filter_in_a_path_selects_one_element() {
    let peer = profile();
    let path = peer.user("ann").await;
    let email = |value: &str| json!({ "value": value, "type": "work" });
    let emails = json!([{ "op": "add", "path": "emails", "value": [email("a@x"), email("b@x")] }]);
    peer.patch(&path, &emails).await.expect(200);
    for operation in [
        json!({ "op": "replace", "path": "emails[type eq \"work\"].display", "value": "A" }),
        json!({ "op": "add", "path": "emails[type eq \"work\"].display", "value": "A" }),
        json!({ "op": "remove", "path": "emails[type eq \"work\"].type" }),
    ] {
        let refused = peer
            .patch(&path, &json!([operation]))
            .await
            .refused(400, "invalidFilter");
        assert_eq!(
            refused.outcome.problem.unwrap().attribute.as_deref(),
            Some("emails")
        );
    }
    let one = "emails[type eq \"work\" and value eq \"a@x\"].display";
    let operation = json!([{ "op": "replace", "path": one, "value": "A" }]);
    let shown = peer.patch(&path, &operation).await.expect(200).json();
    assert_eq!(shown["emails"][0]["display"], "A");
    assert_eq!(shown["emails"][1].get("display"), None);
}

/// IP-18, IP-19 and IP-21.
#[tokio::test]
async fn only_delete_deletes_and_then_the_name_is_free() {
    let peer = profile();
    let path = peer.user("ann").await;
    let operation = json!([{ "op": "replace", "path": "active", "value": false }]);
    peer.patch(&path, &operation).await.expect(200);
    peer.get(&path).await.expect(200);
    peer.post("/Users", &user("Ann")).await.refused(409, "uniqueness");
    let other = peer.user("ben").await;
    let operation = json!([{ "op": "replace", "path": "userName", "value": "ann" }]);
    peer.patch(&other, &operation).await.refused(409, "uniqueness");

    peer.delete(&path).await.expect(204);
    for method in [Method::GET, Method::DELETE] {
        peer.send(Request::new(method, &path)).await.refused(404, "");
    }
    peer.put(&path, &user("ann")).await.refused(404, "");
    let operation = json!([{ "op": "replace", "path": "title", "value": "x" }]);
    peer.patch(&path, &operation).await.refused(404, "");
    assert_eq!(peer.get("/Users").await.json()["totalResults"], 1);
    peer.user("ann").await;
}

/// IP-20: conditional headers are honoured, as under every policy.
#[tokio::test]
async fn conditions_are_honoured() {
    let peer = profile();
    let path = peer.user("ann").await;
    // The version is that of the own state of a person, of which the groups are not a part.
    let shown = format!("{path}?excludedAttributes=groups");
    let tag = peer.get(&path).await.header("etag").to_owned();
    peer.send(and(Request::get(&shown), "if-none-match", &tag))
        .await
        .expect(304);
    let body =
        json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "path": "title", "value": "x" }] });
    let patch = Request::new(Method::PATCH, &path).with_body(body.to_string());
    peer.send(and(patch, "if-match", "W/\"other\""))
        .await
        .refused(412, "");
}

/// The policy is the RFCs alone otherwise: what tolerances read is refused.
#[tokio::test]
async fn nothing_else_is_tolerated() {
    let peer = profile();
    peer.post("/Users", &json!({ "userName": "ann" }))
        .await
        .refused(400, "invalidSyntax");
    let mut quoted = user("ann");
    quoted["active"] = json!("True");
    peer.post("/Users", &quoted).await.refused(400, "invalidValue");
    peer.get("/Users?filter=userName+eq%22x%22")
        .await
        .refused(400, "invalidFilter");
    peer.get("/Users?sortBy=nothing")
        .await
        .refused(400, "invalidPath");
}
