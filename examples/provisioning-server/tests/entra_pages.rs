//! The requests of Microsoft Entra ID, as administrators see them: with its default mappings, and with mistakes in them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::{Bench, GROUP, USER, id};
use program::person::{Page, Person};
use serde_json::{Value, json};

const HISTORY: &str = "/o/acme/integrations/scim/history";
const MAPPING: &str = "/o/acme/integrations/scim/mapping";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Opens a page until it says something: what requests have done is seen a moment later.
fn until(person: &mut Person<'_>, path: &str, text: &str) -> Page {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let page = person.open(path);
        if page.says(text) {
            return page;
        }
        assert!(
            Instant::now() < end,
            "{text} is not on {path}: {}",
            page.answer.text
        );
        sleep(Duration::from_millis(50));
    }
}

/// Opens the page of the newest request that a filter lets through.
fn newest(person: &mut Person<'_>, filter: &str) -> Page {
    let page = person.open(&format!("{HISTORY}?{filter}"));
    let request = page.between("id=\"request-", "\"").to_owned();
    person.open(&format!("{HISTORY}/{request}"))
}

/// Returns what stands below a heading of a request.
fn below<'p>(page: &'p Page, heading: &str) -> &'p str {
    page.between(&format!("<h4>{heading}</h4>\n    <p>"), "</p>")
}

/// Makes a person as Entra ID creates one, with further attributes.
fn person(name: &str, more: &Value) -> Value {
    let mut body = json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": name,
        "userName": format!("{name}@acme.example"),
        "active": true,
        "displayName": name,
        "emails": [{ "primary": true, "type": "work", "value": format!("{name}@acme.example") }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": name, "familyName": "Okafor", "givenName": name },
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

/// Feature row 36: with the default mapping of groups, everything that Entra ID sends succeeds, which the history shows as such, and
/// the group can be mapped.
#[test]
fn the_default_mapping_of_groups_succeeds() {
    let bench = Bench::new(&["--idp", "entra"]);
    let mut ida = bench.enter();
    let people: Vec<_> = ["eve", "fay"]
        .iter()
        .map(|name| bench.make("/Users", &person(name, &json!({}))))
        .collect();
    let look = "/Groups?excludedAttributes=members&filter=displayName+eq+%22Dispatch%22";
    assert_eq!(bench.get(look).body["totalResults"], 0);
    let adscim = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let group = bench.make(
        "/Groups",
        &json!({
            "schemas": [GROUP, adscim],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "Dispatch",
            "meta": { "resourceType": "Group" },
        }),
    );
    let path = format!("/Groups/{group}");
    assert_eq!(
        bench.get(&format!("{path}?excludedAttributes=members")).status,
        200
    );
    let member = |op: &str, id: &str| json!([{ "op": op, "path": "members", "value": [{ "$ref": null, "value": id }] }]);
    for operations in [
        member("Add", &people[0]),
        member("Add", &people[1]),
        member("Remove", &people[0]),
        json!([{ "op": "Replace", "path": "displayName", "value": "Dispatch Nordics" }]),
    ] {
        let answer = bench.patch(&path, &operations);
        assert!(
            [200, 204].contains(&answer.status),
            "{operations}: {}",
            answer.text
        );
    }
    let groups = format!("{HISTORY}?path=/Groups");
    for sentence in [
        "Looked for groups: 0 found",
        "Created group Dispatch",
        "Read a group",
        "Added 1 member to Dispatch",
        "Removed 1 member of Dispatch",
        "Renamed group Dispatch to Dispatch Nordics",
    ] {
        let page = until(&mut ida, &groups, sentence);
        assert!(!page.says("badge bad\">4"), "{}", page.answer.text);
    }
    assert!(
        ida.open(&format!("{HISTORY}?show=errors"))
            .says("No request matches")
    );
    assert!(ida.open(&groups).says("of which 0 were refused"));
    let mapping = ida.open(MAPPING);
    assert!(mapping.says(&format!("<option value=\"{group}\">Dispatch Nordics</option>")));
    let shown = ida.open("/o/acme/groups");
    assert!(shown.says("Dispatch Nordics"), "{}", shown.answer.text);
}

/// Feature rows 37, 79: attributes that are mapped by mistake do not fail a request, and are shown as sent and not kept; a path that
/// is broken is refused, and the history says what to change where.
#[test]
fn attributes_that_are_mapped_by_mistake() {
    let bench = Bench::new(&["--idp", "entra"]);
    let mut ida = bench.enter();
    let groups = json!({ "attributeGroups": ["Sales", "Nordics"], "memberOf": "Sales" });
    let eve = bench.make("/Users", &person("eve", &groups));
    until(&mut ida, HISTORY, "attributeGroups");
    let made = newest(&mut ida, "path=/Users");
    assert!(made.says("badge ok\">201"), "{}", made.answer.text);
    let not_kept = below(&made, "Sent, but not kept");
    assert!(
        not_kept.contains("attributeGroups") && not_kept.contains("memberOf"),
        "{not_kept}"
    );
    let path = format!("/Users/{eve}");
    let changed = bench.patch(
        &path,
        &json!([{ "op": "Replace", "path": "attributeGroups", "value": "Sales" }]),
    );
    assert!([200, 204].contains(&changed.status), "{}", changed.text);
    until(&mut ida, HISTORY, "PATCH /Users");
    assert!(below(&newest(&mut ida, "show=success"), "Sent, but not kept").contains("attributeGroups"));

    let broken =
        json!([{ "op": "Replace", "path": "emails[type eq work].value", "value": "eve@acme.example" }]);
    let refused = bench.patch(&path, &broken);
    assert_eq!(refused.status, 400, "{}", refused.text);
    until(&mut ida, &format!("{HISTORY}?show=errors"), "badge bad\">400");
    let refused = newest(&mut ida, "show=errors");
    assert!(
        below(&refused, "What happened").contains("expected a value (a string in double quotes"),
        "{}",
        refused.answer.text
    );
    assert!(
        below(&refused, "What to do").contains("attribute mapping at Entra ID"),
        "{}",
        refused.answer.text
    );
}

/// Feature row 52: an extension that nobody knows is accepted, and shown as sent and not kept.
#[test]
fn an_unknown_extension_is_accepted_and_disregarded() {
    let bench = Bench::new(&["--idp", "entra"]);
    let mut ida = bench.enter();
    let extension = "urn:acme:params:scim:schemas:extension:fleet:2.0:User";
    let more = json!({
        "schemas": [USER, extension],
        extension: { "badge": "4711" },
    });
    let created = bench.send("POST", "/Users", &person("eve", &more));
    assert_eq!(created.status, 201, "{}", created.text);
    until(&mut ida, HISTORY, extension);
    let shown = newest(&mut ida, "path=/Users&subject=eve@acme.example");
    assert!(
        below(&shown, "Sent, but not kept").contains(extension),
        "{}",
        shown.answer.text
    );
    let kept = bench.get(&format!("/Users/{}", id(&created)));
    assert!(
        !kept.text.contains("4711") && !kept.text.contains(extension),
        "{}",
        kept.text
    );
    let card = until(&mut ida, "/o/acme/integrations/scim", extension);
    assert!(card.says("Sent, but not kept or put up with in 24 hours"));
}
