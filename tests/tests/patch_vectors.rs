//! The PATCH vectors, applied to structs: no store, no protocol, no network (RFC 7644 section 3.5.2).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test may fail the test"
)]

use scim::patch::Patch;
use scim::policy::Policy as Rules;
use scim::projection::{Base, Projection, write_resource};
use scim::resources::{Group, User};
use scim::value::{Cx, Intent, Json, ResourceId};
use scim::{Error, Limits, ScimResource};
use scim_tests::vectors::patch::{Ids, PatchVector, PatchVectors};
use scim_tests::vectors::{Answer, Policy, Report};
use serde_json::{Value, json};

fn rules(policy: Policy) -> Rules {
    match policy {
        Policy::Strict => Rules::strict(),
        Policy::Tolerant => Rules::tolerant(),
    }
}

/// Returns the resource as an answer shows it.
fn shown<R: ScimResource>(resource: &R) -> Value {
    let mut text = Vec::new();
    let projection = Projection::default_of(R::RESOURCE_TYPE);
    write_resource(
        &mut text,
        resource,
        &projection,
        Base::Url("https://example.com/v2"),
    );
    serde_json::from_slice(&text).expect("a rendered document is JSON")
}

fn before<R: ScimResource>(vector: &PatchVector, ids: &Ids, rules: &Rules) -> R {
    let (text, limits) = (ids.fill(&vector.before).to_string(), Limits::default());
    let json = Json::parse(text.as_bytes(), &limits).expect("JSON");
    let mut resource = R::decode(json, &mut Cx::new(Intent::Create, rules, &limits))
        .unwrap_or_else(|error| panic!("{}: before cannot be read: {error}", vector.id));
    *resource.id_mut() = ResourceId::new("self");
    resource
}

fn patched<R: ScimResource>(resource: &R, body: &Value, rules: &Rules) -> Result<R, Error> {
    let patch = Patch::parse(body.to_string().as_bytes(), rules, &Limits::default())?;
    Ok(patch
        .apply(resource)?
        .resource
        .unwrap_or_else(|| resource.clone()))
}

/// Says what is wrong with what comes out of a vector, if anything.
fn fault<R: ScimResource>(vector: &PatchVector, policy: Policy) -> Option<String> {
    let rules = rules(policy);
    let ids = Ids::of_users(["u1", "u2", "u3"]).with_self("self");
    let resource: R = before(vector, &ids, &rules);
    let copy = resource.clone();
    let (answer, after) = match patched(&resource, &ids.fill(&vector.request()), &rules) {
        Ok(after) => (200, shown(&after)),
        Err(error) => {
            let body =
                json!({"scimType": error.scim_type().map(|kind| kind.as_str()), "detail": error.to_string()});
            let answer = Answer {
                status: error.status().as_u16(),
                body,
            };
            assert_eq!(
                resource, copy,
                "{}: a PATCH that fails has changed the resource",
                vector.id
            );
            return vector.fault(&ids, &shown(&copy), &answer, &shown(&resource));
        }
    };
    let answer = Answer {
        status: answer,
        body: after.clone(),
    };
    vector.fault(&ids, &shown(&copy), &answer, &after)
}

fn run(policy: Policy) {
    let fixture = PatchVectors::load().unwrap();
    let mut report = Report::default();
    for vector in fixture.vectors.iter().filter(|vector| vector.holds_under(policy)) {
        let fault = match vector.resource_type.as_str() {
            "User" => fault::<User>(vector, policy),
            "Group" => fault::<Group>(vector, policy),
            other => panic!("{}: {other} is no resource type of the vectors", vector.id),
        };
        let fault = fault.map(|fault| format!("{fault}\n    request: {}", vector.request()));
        report.add(vector.debatable, &vector.id, &vector.source, fault);
    }
    assert!(
        report.failed.is_empty(),
        "{} failed:\n{}",
        report.failed.len(),
        report.failed.join("\n")
    );
    assert!(report.passed > 100, "only {} vectors were run", report.passed);
}

#[test]
fn every_vector_holds_under_strict() {
    run(Policy::Strict);
}

#[test]
fn every_vector_holds_under_tolerant() {
    run(Policy::Tolerant);
}
