//! The filter vectors, evaluated over `User`s: who matches, and which filters are refused.

use scim::filter::{Filter, Resolve, ResolvedFilter, Syntax};
use scim::policy::Policy;
use scim::resources::User;
use scim::value::{Cx, DateTime, Intent, JsonBuf, ResourceId};
use scim::{Limits, Result, ScimResource, ScimType};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../fixtures/vectors/filter.json");

/// Debatable vectors that we decide otherwise: what a provider sends and no reading misunderstands is read.
const READ_NEVERTHELESS: [&str; 4] = [
    "userName  eq  \"minimal\"",
    "userName\teq\t\"x\"",
    "emails[ type eq \"work\" ]",
    "active eq True",
];

/// Entra ID and Keycloak quote booleans, and RFC 7644 section 3.5.2.2 prints a filter without that space: a tolerance
/// reads them.
const READ_UNDER_TOLERANT: [&str; 2] = ["active eq \"true\"", "userName eq\"minimal\""];

fn user(key: &str, resource: &Value, policy: &Policy) -> Result<User> {
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Create, policy, &limits);
    let body = JsonBuf::from(resource.clone());
    let mut user = User::decode(body.as_json(), &mut cx)?;
    let created = Some(DateTime::parse("2026-01-31T08:00:00Z")?);
    *user.id_mut() = ResourceId::new(key);
    let meta = user.meta_mut();
    meta.resource_type = Some("User".to_owned());
    meta.created = created;
    meta.last_modified = created;
    Ok(user)
}

fn resolve(text: &str, policy: &Policy) -> Result<ResolvedFilter> {
    let (filter, _) = Filter::parse_with(text, &Limits::default(), Syntax::of(policy))?;
    let options = Resolve {
        rules: policy,
        ..Resolve::default()
    };
    ResolvedFilter::resolve(&filter, User::RESOURCE_TYPE.schema, options)
}

/// Returns what evaluating the filter gives, in the notation of the vectors.
fn outcome(text: &str, users: &[(String, User)], policy: &Policy) -> Value {
    match resolve(text, policy) {
        Ok(filter) => {
            let mut keys: Vec<_> = users
                .iter()
                .filter(|(_, user)| filter.matches(user))
                .map(|(key, _)| key.as_str())
                .collect();
            keys.sort_unstable();
            json!(keys)
        }
        Err(error) => json!({
            "status": error.status().as_u16(),
            "scimType": error.scim_type().map(ScimType::as_str),
        }),
    }
}

#[test]
fn every_filter_vector_matches_whom_it_says() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    for policy in [Policy::strict(), Policy::tolerant()] {
        let users: Vec<_> = file["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let key = entry["key"].as_str().unwrap();
                (key.to_owned(), user(key, &entry["resource"], &policy).unwrap())
            })
            .collect();
        assert_eq!(users.len(), 6);
        let (mut checked, mut failures) = (0, Vec::new());
        for vector in file["vectors"].as_array().unwrap() {
            let text = vector["filter"].as_str().unwrap();
            let otherwise = READ_NEVERTHELESS.contains(&text)
                || (READ_UNDER_TOLERANT.contains(&text) && policy.name() == "tolerant");
            // Without either, the vector is about syntax: its attributes belong to no schema.
            let Some(expected) = vector.get("matches").or_else(|| vector.get("error")) else {
                continue;
            };
            checked += 1;
            let outcome = outcome(text, &users, &policy);
            if otherwise {
                assert_eq!(vector["debatable"], true, "{text}");
                assert!(outcome.is_array(), "{text}: {outcome}");
            } else if &outcome != expected {
                let debatable = vector["why"].as_str().unwrap_or_default();
                failures.push(format!("{text}: {outcome} rather than {expected} {debatable}"));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        assert!(checked > 150, "{checked} vectors: some are missing");
    }
}

/// Names attribute, operator and what would be allowed: what an administrator reads.
#[test]
fn refusals_say_what_would_be_allowed() {
    for (text, detail) in [
        (
            "active gt true",
            "Attribute active does not support gt: it is a boolean, which supports eq, ne and pr.",
        ),
        (
            "name eq \"x\"",
            "Attribute name is complex: only pr applies to it; compare one of its sub-attributes.",
        ),
        (
            "password eq \"x\"",
            "Attribute password is never returned, and so cannot be filtered by.",
        ),
        (
            "meta.created gt \"not-a-date\"",
            "Attribute meta.created must be compared to a date and time such as \"2026-01-31T08:00:00Z\", not to the string \"not-a-date\", which is not written that way.",
        ),
    ] {
        let error = resolve(text, &Policy::tolerant()).expect_err(text);
        assert_eq!(error.to_string(), detail);
        assert_eq!(error.scim_type(), Some(ScimType::InvalidFilter));
    }
}

/// One tree, whether it is written in Rust or by a client.
#[test]
fn typed_and_written_filters_over_users_agree() {
    let users = User::paths();
    let typed = users.user_name().eq("bjensen").or(users.emails().any(|email| {
        email
            .kind()
            .eq("work")
            .and(email.value().ends_with("@example.com"))
    }));
    let written = r#"userName eq "bjensen" or emails[type eq "work" and value ew "@example.com"]"#;
    assert_eq!(typed.as_filter(), &written.parse::<Filter>().unwrap());
    let mut user = User::new("someone");
    assert!(!typed.resolve().unwrap().matches(&user));
    user.emails
        .push(scim::resources::Email::new("x@EXAMPLE.com").with_kind("Work"));
    assert!(typed.resolve().unwrap().matches(&user));
}
