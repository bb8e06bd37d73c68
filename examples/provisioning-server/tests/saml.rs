//! Single sign-on by SAML: what an administrator sets and sees.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::Place;
use program::identity_provider::{ISSUER, IdentityProvider, MetadataServer};
use serde_json::{Value, json};

fn place() -> Place {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    place
}

fn refused(place: &Place, arguments: &[&str]) -> (String, String) {
    let (code, said) = place.refusal(arguments);
    assert_eq!(code, 1, "{said}");
    let word = |name: &str| said[name].as_str().unwrap().to_owned();
    (word("error"), word("detail"))
}

/// Returns for each certificate that is accepted whether it is only there for its overlap.
fn overlaps(shown: &Value) -> Vec<bool> {
    let certificates = shown["provider"]["certificates"].as_array().unwrap();
    certificates.iter().map(|one| !one["until"].is_null()).collect()
}

/// Feature rows 21, 22: what is copied to the provider is what our own metadata say, before anything is configured.
#[test]
fn an_administrator_sees_what_the_provider_must_be_told() {
    let place = place();
    let shown = place.json(&["saml", "show", "acme", "--public-url", "https://scim.example"]);
    let id = place.json(&["org", "show", "acme"])["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let acs = "https://scim.example/portalApi/acme/AuthenticationSAML/AssertionConsumerService";
    let entity_id = format!("https://scim.example/saml/{id}");
    assert_eq!(
        shown["service"],
        json!({
            "acs_url": acs, "entity_id": entity_id, "metadata_url": entity_id,
            "name_id_format": "EmailAddress", "application_username": "Email",
        })
    );
    assert_eq!(
        (&shown["standing"], &shown["provider"]),
        (&json!("not-configured"), &Value::Null)
    );
    let arguments = ["saml", "metadata", "acme", "--public-url", "https://scim.example"];
    let metadata = place.json(&arguments)["metadata"].as_str().unwrap().to_owned();
    assert!(metadata.contains(&format!("Location=\"{acs}\"")), "{metadata}");
    assert!(
        metadata.contains(&format!("entityID=\"{entity_id}\"")),
        "{metadata}"
    );
    let printed = place.run(&arguments);
    assert_eq!(String::from_utf8_lossy(&printed.stdout).trim(), metadata.trim());
}

/// Feature row 21: metadata of an independent provider are taken from a file, and everything is shown again.
#[test]
fn the_provider_is_set_by_a_file() {
    let (place, provider) = (place(), IdentityProvider::new());
    let file = place.file("metadata.xml", &provider.metadata(&["provider"]));
    let set = place.json(&[
        "saml",
        "set",
        "acme",
        "--metadata",
        &file,
        "--stable-id-attribute",
        "externalId",
    ]);
    let known = &set["provider"];
    assert_eq!(known["entity_id"], ISSUER);
    assert_eq!(known["sso_url"], "https://provider.example/sso");
    assert_eq!(known["signed"], "assertion");
    assert_eq!(known["stable_id_attribute"], "externalId");
    assert_eq!(
        (&set["standing"], &set["in_force"]),
        (&json!("untried"), &json!(false))
    );
    assert_eq!(place.json(&["saml", "show", "acme"]), set);
    let set = place.json(&[
        "saml",
        "set",
        "acme",
        "--signed",
        "response",
        "--stable-id-attribute",
        "",
    ]);
    assert_eq!(set["provider"]["signed"], "response");
    assert_eq!(set["provider"]["stable_id_attribute"], Value::Null);
    assert_eq!(set["provider"]["certificates"], known["certificates"]);
    let actions = place.json(&["audit", "list", "acme"]);
    let row = &actions["changes"][0];
    assert_eq!(row["action"], "saml.set");
    assert_eq!(
        row["detail"]["signed"],
        json!({ "before": "assertion", "after": "response" })
    );
    assert!(row["detail"].get("certificates").is_none(), "{row}");
}

/// Feature row 21: certificates roll over by metadata: the new one at once, the former one for a week, or not at all.
#[test]
fn certificates_roll_over() {
    let (place, provider) = (place(), IdentityProvider::new());
    let set = |keys: &[&str], more: &[&str]| {
        let file = place.file("metadata.xml", &provider.metadata(keys));
        place.json(&[&["saml", "set", "acme", "--metadata", &file], more].concat())
    };
    assert_eq!(overlaps(&set(&["provider"], &[])), [false]);
    assert_eq!(overlaps(&set(&["second"], &[])), [false, true]);
    assert_eq!(overlaps(&set(&["second"], &[])), [false, true]);
    assert_eq!(overlaps(&set(&["second"], &["--without-overlap"])), [false]);
    assert_eq!(overlaps(&set(&["second", "provider"], &[])), [false, false]);
}

/// Feature row 93: metadata at a URL inside are refused, unless the operator has opened the network; then they are read
/// again when that is asked for, and those of another provider are not taken over.
#[test]
fn metadata_are_fetched_from_where_the_operator_allows() {
    let (place, provider) = (place(), IdentityProvider::new());
    let server = MetadataServer::new(provider.metadata(&["provider"]));
    let (word, why) = refused(&place, &["saml", "set", "acme", "--metadata-url", &server.url]);
    assert_eq!(word, "invalid");
    assert!(why.contains("--fetch-from"), "{why}");
    let opened = ["--fetch-from", "127.0.0.1"];
    let run = |arguments: &[&str]| place.json(&[arguments, &opened].concat());
    let set = run(&["saml", "set", "acme", "--metadata-url", &server.url]);
    assert_eq!(set["provider"]["metadata_url"], json!(server.url));
    let first = &set["provider"]["metadata_read"];
    server.set(provider.metadata(&["second"]));
    let read = run(&["saml", "refresh", "acme"]);
    assert_eq!(overlaps(&read), [false, true]);
    assert!(read["provider"]["metadata_read"].as_str() > first.as_str());
    assert_eq!(
        overlaps(&run(&["saml", "refresh", "acme", "--without-overlap"])),
        [false]
    );
    server.set(IdentityProvider::called("https://other.example/").metadata(&["provider"]));
    let (word, why) = refused(&place, &[&["saml", "refresh", "acme"][..], &opened].concat());
    assert_eq!(word, "conflict");
    assert!(why.contains("another identity provider"), "{why}");
    server.set("<html>".to_owned());
    let (word, why) = refused(&place, &[&["saml", "refresh", "acme"][..], &opened].concat());
    assert_eq!(word, "invalid");
    assert!(!why.contains("html"), "{why}");
}

/// Feature row 93: without a network of its own nothing is opened, and what is not a network is refused.
#[test]
fn only_networks_are_opened() {
    let place = place();
    let (word, why) = refused(&place, &["saml", "show", "acme", "--fetch-from", "10.0.0.1/8"]);
    assert_eq!(word, "invalid");
    assert!(why.contains("is not a valid network"), "{why}");
}

/// Feature row 21: without a provider there is nothing to change, to read again or to remove; a file cannot be read again.
#[test]
fn what_is_not_configured_is_said() {
    let (place, provider) = (place(), IdentityProvider::new());
    for arguments in [
        &["saml", "set", "acme", "--signed", "response"][..],
        &["saml", "refresh", "acme"],
        &["saml", "delete", "acme"],
    ] {
        let (word, why) = refused(&place, arguments);
        assert_eq!(word, "conflict");
        assert!(why.contains("SAML is not configured"), "{why}");
    }
    assert_eq!(refused(&place, &["saml", "set", "acme"]).0, "invalid");
    let file = place.file("metadata.xml", &provider.metadata(&["provider"]));
    place.json(&["saml", "set", "acme", "--metadata", &file]);
    let (word, why) = refused(&place, &["saml", "refresh", "acme"]);
    assert_eq!(word, "conflict");
    assert!(why.contains("came as a file"), "{why}");
    let deleted = place.json(&["saml", "delete", "acme"]);
    assert_eq!(
        (&deleted["entity_id"], &deleted["deleted"]),
        (&json!(ISSUER), &json!(true))
    );
    assert_eq!(place.json(&["saml", "show", "acme"])["provider"], Value::Null);
}

/// Feature row 19: SAML-enabled accounts need SAML; a product's settings may be ahead of it; and what they need is not removed
/// under them.
#[test]
fn saml_enabled_accounts_need_saml() {
    let (place, provider) = (place(), IdentityProvider::new());
    for arguments in [
        &["org", "set", "acme", "--first-login", "saml"][..],
        &["org", "set", "acme", "--first-login", "saml", "--preview"],
        &["org", "create", "third", "--first-login", "saml"],
    ] {
        let (word, why) = refused(&place, arguments);
        assert_eq!(word, "conflict", "{arguments:?}");
        assert!(why.contains("SAML, which is not configured"), "{why}");
    }
    for arguments in [
        &["org", "set", "acme", "--sso", "on"][..],
        &["org", "create", "third", "--sso", "on"],
    ] {
        let (word, why) = refused(&place, arguments);
        assert_eq!(word, "conflict", "{arguments:?}");
        assert!(why.contains("trial sign-in"), "{why}");
    }
    place.json(&["org", "create", "level", "--like", "level-access"]);
    let pending = place.json(&["saml", "show", "level"]);
    assert_eq!(
        (&pending["sso"], &pending["in_force"]),
        (&json!("on"), &json!(false))
    );
    let file = place.file("metadata.xml", &provider.metadata(&["provider"]));
    place.json(&["saml", "set", "acme", "--metadata", &file]);
    let chosen = place.json(&["org", "set", "acme", "--first-login", "saml", "--sso", "off"]);
    assert_eq!(chosen["settings"]["first_login"], "saml");
    let (word, why) = refused(&place, &["saml", "delete", "acme"]);
    assert_eq!(word, "conflict");
    assert!(why.contains("choose another way first"), "{why}");
    place.json(&["org", "set", "acme", "--first-login", "invitation"]);
    assert_eq!(place.json(&["saml", "delete", "acme"])["deleted"], true);
}

/// Feature row 19b: people who have SAML alone are kept out only by whoever types that they mean it.
#[test]
fn nobody_is_locked_out_by_mistake() {
    let (place, provider) = (place(), IdentityProvider::new());
    let file = place.file("metadata.xml", &provider.metadata(&["provider"]));
    place.json(&["saml", "set", "acme", "--metadata", &file]);
    place.execute("UPDATE saml_provider SET tried = 1");
    place.json(&["org", "set", "acme", "--sso", "on"]);
    place.json(&["user", "create", "acme", "ada@x.example"]);
    place.execute("UPDATE account SET first_login = 'saml'");
    for arguments in [
        &["org", "set", "acme", "--sso", "off"][..],
        &["saml", "delete", "acme"],
    ] {
        let (word, why) = refused(&place, arguments);
        assert_eq!(word, "conflict");
        assert!(
            why.contains("1 person signs in by SAML alone") && why.contains("\"acme\""),
            "{why}"
        );
        let wrong = [arguments, &["--confirm", "other"]].concat();
        assert_eq!(refused(&place, &wrong).0, "conflict");
        place.json(&[arguments, &["--confirm", "acme"]].concat());
    }
}
