//! The service's description of itself: RFC 7644 section 4, RFC 7643 sections 5 to 7.

use http::Method;
use scim::ScimResource;
use scim::message::AuthenticationScheme;
use scim::policy::{Kept, Policy};
use scim::resources::User;
use scim::service::Request;
use serde_json::{Value, json};

use crate::{ENTERPRISE, GROUP, LIST, Peer, USER, builder};

#[tokio::test]
async fn the_configuration_is_one_document_that_tells_the_truth() {
    let peer = Peer::of(builder().service_provider_config(|config| {
        config.documentation_uri = Some("https://example.com/help".into());
        config
            .authentication_schemes
            .push(AuthenticationScheme::bearer_token());
    }));
    let config = peer.get("/ServiceProviderConfig").await.expect(200).json();
    assert_eq!(
        config["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"])
    );
    for (feature, supported) in [
        ("patch", true),
        ("filter", true),
        ("sort", true),
        ("etag", true),
        ("bulk", false),
        ("changePassword", false),
    ] {
        assert_eq!(config[feature]["supported"], supported, "{feature}");
    }
    assert_eq!(config["documentationUri"], "https://example.com/help");
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(
        config["meta"]["location"],
        "http://localhost/ServiceProviderConfig"
    );
}

/// S-5-07 (RFC 7643 section 5): what is switched off is off.
#[tokio::test]
async fn what_is_said_to_be_unsupported_is_not_done() {
    let peer = Peer::of(builder().service_provider_config(|config| {
        config.patch = false;
        config.sort = false;
        config.filter = None;
    }));
    let path = peer.user("b").await;
    peer.user("a").await;
    peer.patch(&path, &json!([{"op": "add", "path": "title", "value": "x"}]))
        .await
        .refused(501, "");
    peer.get("/Users?filter=userName+pr")
        .await
        .refused(400, "invalidFilter");
    let list = peer.get("/Users?sortBy=userName").await.expect(200).json();
    assert_eq!(list["Resources"][0]["userName"], "b");
}

#[tokio::test]
async fn resource_types_and_schemas_name_each_other() {
    let peer = Peer::tolerant();
    let types = peer
        .get("/ResourceTypes?startIndex=2&count=1&sortBy=x")
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&types["schemas"], &types["totalResults"]),
        (&json!([LIST]), &json!(2))
    );
    let schemas = peer.get("/Schemas").await.expect(200).json();
    let ids: Vec<_> = schemas["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|schema| schema["id"].clone())
        .collect();
    assert_eq!(schemas["totalResults"], ids.len());
    for wanted in [USER, GROUP, ENTERPRISE] {
        assert!(ids.contains(&json!(wanted)), "{wanted}");
    }
    for resource_type in types["Resources"].as_array().unwrap() {
        let name = resource_type["name"].as_str().unwrap();
        let one = peer
            .get(&format!("/ResourceTypes/{name}"))
            .await
            .expect(200)
            .json();
        assert_eq!(&one, resource_type);
        assert_eq!(
            one["meta"]["location"],
            format!("http://localhost/ResourceTypes/{name}")
        );
        assert!(ids.contains(&one["schema"]), "{one}");
        for extension in one["schemaExtensions"].as_array().map_or(&[][..], Vec::as_slice) {
            assert!(
                ids.contains(&extension["schema"]) && extension["required"].is_boolean(),
                "{extension}"
            );
        }
        peer.get(one["endpoint"].as_str().unwrap()).await.expect(200);
    }
    for schema in schemas["Resources"].as_array().unwrap() {
        let id = schema["id"].as_str().unwrap();
        assert_eq!(
            &peer.get(&format!("/Schemas/{id}")).await.expect(200).json(),
            schema
        );
        assert_eq!(schema["meta"]["resourceType"], "Schema");
        // URNs in any case.
        assert_eq!(
            peer.get(&format!("/Schemas/{}", id.to_uppercase()))
                .await
                .expect(200)
                .json()["id"],
            id
        );
    }
    peer.get("/Schemas/urn:ietf:params:scim:api:messages:2.0:PatchOp")
        .await
        .refused(404, "");
    peer.get("/ResourceTypes/Nothing").await.refused(404, "");
}

/// P-4-06 and P-4-07 (RFC 7644 section 4).
#[tokio::test]
async fn discovery_is_read_whole_or_not_at_all() {
    let peer = Peer::tolerant();
    for path in [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Schemas",
        "/Schemas/x",
    ] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = peer.send(Request::new(method, path)).await.refused(405, "");
            assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
        }
    }
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        peer.get(&format!("{path}?filter=name+pr")).await.refused(403, "");
        peer.get(&format!("{path}?count=abc&attributes=name"))
            .await
            .expect(200);
    }
}

/// RFC 7643 section 8.7: a schema shows what the service really keeps.
#[tokio::test]
async fn schemas_show_what_is_kept() {
    let kept = Kept::new(User::RESOURCE_TYPE, &["name.givenName", "active"]).unwrap();
    let peer = Peer::of(builder().policy(Policy::tolerant().keeping(kept)));
    let schema = peer.get(&format!("/Schemas/{USER}")).await.expect(200).json();
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap();
        list.iter()
            .map(|attribute| attribute["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let shown = names(&schema["attributes"]);
    assert!(
        shown.contains(&"userName".into()) && shown.contains(&"active".into()),
        "{shown:?}"
    );
    assert!(
        !shown.contains(&"title".into()) && !shown.contains(&"emails".into()),
        "{shown:?}"
    );
    let name = schema["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|attribute| attribute["name"] == "name")
        .unwrap();
    assert_eq!(names(&name["subAttributes"]), ["givenName"]);
    // An extension of which nothing is kept is none.
    peer.get(&format!("/Schemas/{ENTERPRISE}")).await.refused(404, "");
    let types = peer.get("/ResourceTypes/User").await.expect(200).json();
    assert!(types.get("schemaExtensions").is_none(), "{types}");
    let body = json!({"schemas": [USER], "userName": "a", "title": "Boss", "name": {"givenName": "A", "familyName": "B"}});
    let created = peer.post("/Users", &body).await.expect(201).json();
    assert!(created.get("title").is_none());
    assert_eq!(created["name"], json!({"givenName": "A"}));
}
